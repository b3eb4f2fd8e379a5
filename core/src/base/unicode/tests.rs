//! Every character against crates with tables of their own, of which `characters.bin` is made.

use std::env;
use std::path::Path;

use proptest::prelude::*;
use unicode_normalization::char::{canonical_combining_class, decompose_canonical, decompose_compatible};
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick, is_nfkc_quick};
use unicode_properties::{
    GeneralCategory as Category, GeneralCategoryGroup as Group, UnicodeGeneralCategory,
};

use super::*;
use crate::base::Writer;

/// Between [`tables::JOINED`] and [`tables::COMPATIBLE`].
const APART: u64 = 1;

fn all() -> impl Iterator<Item = char> {
    '\0'..=char::MAX
}

fn parts(c: char, decompose: fn(char, &mut dyn FnMut(char))) -> Vec<char> {
    let mut parts = Vec::new();
    decompose(c, &mut |part| parts.push(part));
    parts
}

fn canonical(c: char) -> Vec<char> {
    parts(c, |c, f| decompose_canonical(c, f))
}

fn compatible(c: char) -> Vec<char> {
    parts(c, |c, f| decompose_compatible(c, f))
}

fn kind(c: char) -> u8 {
    match (c.general_category(), c.general_category_group()) {
        (Category::NonspacingMark, _) => tables::NONSPACING_MARK,
        (_, Group::Punctuation) => tables::PUNCTUATION,
        (Category::Control | Category::Format, _) => tables::INVISIBLE,
        _ => 0,
    }
}

/// What the crates say, as [`tables`] reads it.
fn pack() -> Vec<u8> {
    let mut w = Writer::new();
    for wanted in [tables::NONSPACING_MARK, tables::PUNCTUATION, tables::INVISIBLE] {
        pack_ranges(&mut w, |c| u8::from(kind(c) == wanted), false);
    }
    pack_ranges(&mut w, canonical_combining_class, true);
    let is_syllable = |c: &char| (HANGUL..HANGUL + HANGUL_COUNT).contains(&u32::from(*c));
    let mut entries = Vec::new();
    for c in all().filter(|c| !is_syllable(c) && compatible(*c) != [*c]) {
        entries.push(match canonical(c) {
            parts if parts == [c] => (c, compatible(c), tables::COMPATIBLE),
            parts if is_nfc_quick([c].into_iter()) != IsNormalized::No => (c, parts, tables::JOINED),
            parts => (c, parts, APART),
        });
    }
    w.varint(entries.len() as u64);
    let mut next = 0;
    for (c, parts, form) in &entries {
        w.varint(u64::from(u32::from(*c) - next));
        w.varint(4 * parts.len() as u64 + form);
        next = u32::from(*c) + 1;
    }
    let mut before = [0i64; 32];
    for (_, parts, _) in &entries {
        for (part, before) in parts.iter().zip(&mut before) {
            let distance = i64::from(u32::from(*part)) - *before;
            w.varint(((distance << 1) ^ (distance >> 63)) as u64);
            *before += distance;
        }
    }
    w.finish()
}

/// The ranges of characters whose value is not 0.
fn pack_ranges(w: &mut Writer, value: impl Fn(char) -> u8, has_values: bool) {
    let mut ranges: Vec<(u32, u32, u8)> = Vec::new();
    for c in all().filter(|c| value(*c) != 0) {
        match ranges.last_mut() {
            Some((_, end, last)) if *end == u32::from(c) && *last == value(c) => *end += 1,
            _ => ranges.push((c.into(), u32::from(c) + 1, value(c))),
        }
    }
    w.varint(ranges.len() as u64);
    let mut next = 0;
    for (start, end, value) in ranges {
        w.varint(u64::from(start - next));
        w.varint(u64::from(end - start));
        if has_values {
            w.varint(u64::from(value));
        }
        next = end;
    }
}

/// With `KITH_WRITE_UNICODE=1` the file is written first: for a new version of Unicode.
#[test]
fn the_file_is_what_the_crates_say() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/base/unicode/characters.bin");
    if env::var_os("KITH_WRITE_UNICODE").is_some() {
        std::fs::write(&path, pack()).expect("the file is written");
    }
    assert!(
        std::fs::read(&path).expect("the file is there") == pack(),
        "characters.bin is of another version"
    );
}

#[test]
fn every_character_is_normalised_as_the_crates_do() {
    for c in all() {
        let text = format!("e{c}\u{301}");
        for text in [&text[1..1 + c.len_utf8()], &text] {
            assert_eq!(nfkc(text), text.nfkc().collect::<String>(), "{c:?}");
            assert_eq!(nfd(text), text.nfd().collect::<String>(), "{c:?}");
        }
        let quick = match is_nfkc_quick([c].into_iter()) {
            IsNormalized::Yes => Quick::Yes,
            IsNormalized::No => Quick::No,
            IsNormalized::Maybe => Quick::Maybe,
        };
        let record = Tables::get().record(c);
        assert_eq!((record.class, record.quick), (canonical_combining_class(c), quick), "{c:?}");
        let first = compatible(c)[0];
        let alone =
            canonical_combining_class(first) == 0 && is_nfkc_quick([first].into_iter()) == IsNormalized::Yes;
        assert_eq!(stands_alone(c), alone, "{c:?}");
        if !('\u{ac00}'..='\u{d7a3}').contains(&c) {
            assert_eq!(parts(c, |c, f| decompose(c, f)), canonical(c), "{c:?}");
        }
    }
}

#[test]
fn every_character_is_of_its_kind() {
    for c in all() {
        let category = c.general_category();
        assert_eq!(is_nonspacing_mark(c), category == Category::NonspacingMark, "{c:?}");
        assert_eq!(is_punctuation(c), c.general_category_group() == Group::Punctuation, "{c:?}");
        let invisible = matches!(category, Category::Control | Category::Format | Category::PrivateUse);
        assert_eq!(is_invisible(c), invisible, "{c:?}");
    }
}

#[test]
fn all_that_two_characters_become_is_what_the_crates_join() {
    for c in all() {
        let parts = canonical(c);
        for split in 1..parts.len() {
            let text: String = parts[..split].iter().chain(&['\u{327}']).chain(&parts[split..]).collect();
            assert_eq!(nfkc(&text), text.nfkc().collect::<String>(), "{c:?}");
        }
        let text: String = parts.into_iter().collect();
        assert_eq!(nfkc(&text), text.nfkc().collect::<String>(), "{c:?}");
    }
}

proptest! {
    /// Letters, marks of several classes, jamo and syllables, characters that are replaced by several.
    #[test]
    fn texts_are_normalised_as_the_crates_do(
        text in "([a-e\\u{c0}-\\u{24f}]|[\\u{300}-\\u{362}]|[\\u{1100}-\\u{1112}\\u{1160}-\\u{1177}\\u{11a6}-\\u{11c4}]\
                 |[\\u{ac00}-\\u{ac40}]|[\\u{1f00}-\\u{1fff}]|[\\u{fb00}-\\u{fdff}]|[\\u{5b0}-\\u{5bf}]\
                 |[\\u{1d150}-\\u{1d180}]|[\\u{11090}-\\u{110bf}]|.){0,12}"
    ) {
        prop_assert_eq!(nfkc(&text), text.nfkc().collect::<String>());
        prop_assert_eq!(nfd(&text), text.nfd().collect::<String>());
    }
}
