//! Normal forms of text and kinds of characters, as Unicode defines them (version 18).
//!
//! What the standard says of characters is in `characters.bin`, packed: a third of what tables for lookups take in a file.
//! `tables` unpacks it at its first use. The tests compare every character with crates that have such tables, and
//! make the file from these.

mod tables;

use std::borrow::Cow;

use tables::{Quick, Record, Tables};

const HANGUL: u32 = 0xac00;
const HANGUL_COUNT: u32 = 11_172;
const LEADING: u32 = 0x1100;
const LEADING_COUNT: u32 = 19;
const VOWEL: u32 = 0x1161;
const VOWEL_COUNT: u32 = 21;
/// Of no trailing consonant: the first that is one comes behind it.
const TRAILING: u32 = 0x11a7;
const TRAILING_COUNT: u32 = 28;

/// A text in NFKC: compatible characters are replaced, and those joined that there is one for.
#[must_use]
#[cfg_attr(kithdb_small, optimize(speed))]
pub fn nfkc(text: &str) -> Cow<'_, str> {
    let tables = Tables::get();
    if is_nfkc(tables, text) {
        return text.into();
    }
    let (mut normal, mut parts) = (String::with_capacity(text.len()), Vec::new());
    for c in text.chars() {
        if c.is_ascii() {
            join(tables, &mut parts, &mut normal);
            parts.push((0, c));
            continue;
        }
        let record = tables.record(c);
        if record.stands_alone {
            join(tables, &mut parts, &mut normal);
        }
        push(tables, record.compatible, c, &mut parts);
    }
    join(tables, &mut parts, &mut normal);
    normal.into()
}

/// A text in NFD: every character is taken apart into letters and marks.
#[must_use]
pub fn nfd(text: &str) -> String {
    let tables = Tables::get();
    let (mut normal, mut parts) = (String::with_capacity(text.len()), Vec::new());
    for c in text.chars() {
        let record = tables.record(c);
        if record.stands_alone {
            order(&mut parts);
            normal.extend(parts.drain(..).map(|(_, part)| part));
        }
        push(tables, record.canonical, c, &mut parts);
    }
    order(&mut parts);
    normal.extend(parts.drain(..).map(|(_, part)| part));
    normal
}

/// Calls `f` with the letter and the marks of a character that no Hangul syllable is; with itself where it has no parts.
pub fn decompose(c: char, f: impl FnMut(char)) {
    let tables = Tables::get();
    match tables.parts(tables.record(c).canonical) {
        [] => std::iter::once(c).for_each(f),
        parts => parts.iter().copied().for_each(f),
    }
}

/// Whether NFKC leaves what is before a character untouched by it.
#[must_use]
pub fn stands_alone(c: char) -> bool {
    c.is_ascii() || Tables::get().record(c).stands_alone
}

/// Whether a character is a mark that takes no room of its own (general category Mn).
#[must_use]
pub fn is_nonspacing_mark(c: char) -> bool {
    Tables::get().record(c).kind == tables::NONSPACING_MARK
}

/// Whether a character is punctuation (general categories that begin with P).
#[must_use]
pub fn is_punctuation(c: char) -> bool {
    Tables::get().record(c).kind == tables::PUNCTUATION
}

/// Whether a character is a control, says how others are shown, or is for private use (general categories Cc, Cf, Co).
#[must_use]
pub fn is_invisible(c: char) -> bool {
    let is_private =
        matches!(c, '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{ffffd}' | '\u{100000}'..='\u{10fffd}');
    is_private || Tables::get().record(c).kind == tables::INVISIBLE
}

/// Whether a text is in NFKC for certain: false where characters might have to be joined.
#[cfg_attr(kithdb_small, optimize(speed))]
fn is_nfkc(tables: &Tables, text: &str) -> bool {
    let mut last = 0;
    for c in text.chars() {
        if c.is_ascii() {
            last = 0;
            continue;
        }
        let Record { class, quick, .. } = *tables.record(c);
        if quick != Quick::Yes || (last > class && class != 0) {
            return false;
        }
        last = class;
    }
    true
}

/// A part of a text that is being normalised: its combining class, and itself.
type Part = (u8, char);

/// Pushes what a character is taken apart into.
#[cfg_attr(kithdb_small, optimize(speed))]
fn push(tables: &Tables, decomposition: tables::Parts, c: char, parts: &mut Vec<Part>) {
    let syllable = u32::from(c).wrapping_sub(HANGUL);
    if syllable < HANGUL_COUNT {
        let (rest, trailing) = (syllable / TRAILING_COUNT, syllable % TRAILING_COUNT);
        let jamo = [LEADING + rest / VOWEL_COUNT, VOWEL + rest % VOWEL_COUNT, TRAILING + trailing];
        let len = if trailing == 0 { 2 } else { 3 };
        parts.extend(jamo[..len].iter().map(|&code| (0, character(code))));
        return;
    }
    match tables.parts(decomposition) {
        [] => parts.push((tables.record(c).class, c)),
        several => parts.extend(several.iter().map(|&part| (tables.record(part).class, part))),
    }
}

/// Sorts marks by their classes, between letters.
fn order(parts: &mut [Part]) {
    for marks in parts.split_mut(|(class, _)| *class == 0) {
        marks.sort_by_key(|(class, _)| *class);
    }
}

/// Joins what there is one character for, and moves all to `normal`.
#[cfg_attr(kithdb_small, optimize(speed))]
fn join(tables: &Tables, parts: &mut Vec<Part>, normal: &mut String) {
    if let [(_, only)] = parts[..] {
        normal.push(only);
        return parts.clear();
    }
    order(parts);
    // Where the last letter stands, and the class of what stands last behind it.
    let (mut letter, mut last): (Option<usize>, Option<u8>) = (None, None);
    let mut kept = 0;
    for at in 0..parts.len() {
        let (class, c) = parts[at];
        let joined = match letter {
            Some(place) if last.is_none_or(|last| last < class) => {
                compose(tables, parts[place].1, c).map(|c| (place, c))
            }
            _ => None,
        };
        if let Some((place, joined)) = joined {
            parts[place].1 = joined;
            continue;
        }
        (letter, last) = match class {
            0 => (Some(kept), None),
            _ => (letter, letter.map(|_| class)),
        };
        parts[kept] = (class, c);
        kept += 1;
    }
    normal.extend(parts[..kept].iter().map(|(_, c)| c));
    parts.clear();
}

/// The character that two are together.
fn compose(tables: &Tables, first: char, second: char) -> Option<char> {
    let (a, b) = (u32::from(first), u32::from(second));
    if b < 0x300 {
        return None; // no mark is before it
    }
    if (LEADING..LEADING + LEADING_COUNT).contains(&a) && (VOWEL..VOWEL + VOWEL_COUNT).contains(&b) {
        return Some(character(HANGUL + ((a - LEADING) * VOWEL_COUNT + b - VOWEL) * TRAILING_COUNT));
    }
    let syllable = a.wrapping_sub(HANGUL);
    if syllable < HANGUL_COUNT
        && syllable % TRAILING_COUNT == 0
        && (TRAILING + 1..TRAILING + TRAILING_COUNT).contains(&b)
    {
        return Some(character(a + b - TRAILING));
    }
    tables.joined(first, second)
}

fn character(code: u32) -> char {
    char::from_u32(code).expect("the code of a Hangul character")
}

#[cfg(test)]
mod tests;
