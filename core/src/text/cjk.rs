//! Chinese, Japanese and Korean, which put no spaces between words: runs of their characters become pairs that
//! overlap, as Lucene's `CJKBigramFilter` makes them. A character that stands alone is a term by itself.
//!
//! Characters are those of Han, Hiragana, Katakana and the syllables of Hangul, one run though they mix. Half-width
//! forms have been made full-width before. Old Korean, written in single letters, is left to the rules of words.

use std::ops::Range;

/// Whether a text may hold a character of a run: all of them start with one of these bytes.
pub(super) fn may_be_in(text: &str) -> bool {
    text.bytes().any(|b| (0xe3..=0xf0).contains(&b)) && text.chars().any(is_cjk)
}

/// A piece of a text, by its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    /// A run of characters without spaces.
    Run(Range<usize>),
    /// What is between two such runs.
    Other(Range<usize>),
}

/// Cuts a text into runs and what is between them.
pub(super) fn pieces(text: &str) -> impl Iterator<Item = Piece> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = &text[at..];
        let start = at;
        let in_run = is_cjk(rest.chars().next()?);
        let ends = |c: char| if in_run { !is_cjk(c) && !is_mark(c) } else { is_cjk(c) };
        at += rest.find(ends).unwrap_or(rest.len());
        Some(if in_run { Piece::Run(start..at) } else { Piece::Other(start..at) })
    })
}

/// Calls `f` with each pair of neighbours of a run and the bytes it takes; with the one character of a run of one.
/// Marks, as variation selectors, belong to the character before them but to no term.
pub(super) fn for_each_pair(run: &str, mut f: impl FnMut(&str, Range<usize>)) {
    let mut characters = run.char_indices().filter(|(_, c)| is_cjk(*c)).peekable();
    let mut pair = String::new();
    let mut before: Option<(usize, char)> = None;
    while let Some((at, c)) = characters.next() {
        let end = characters.peek().map_or(run.len(), |(next, _)| *next);
        if before.is_some() || characters.peek().is_none() {
            let start = before.map_or(at, |(start, _)| start);
            pair.clear();
            pair.extend(before.map(|(_, c)| c));
            pair.push(c);
            f(&pair, start..end);
        }
        before = Some((at, c));
    }
}

/// A character of a script without spaces between words.
fn is_cjk(c: char) -> bool {
    matches!(c,
        // Han
        '\u{3005}' | '\u{3007}' | '\u{3021}'..='\u{3029}' | '\u{3038}'..='\u{303b}'
        | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{fad9}' | '\u{20000}'..='\u{3fffd}'
        // Hiragana and Katakana
        | '\u{3041}'..='\u{3096}' | '\u{309d}'..='\u{309f}' | '\u{30a1}'..='\u{30fa}' | '\u{30fc}'..='\u{30ff}'
        | '\u{31f0}'..='\u{31ff}' | '\u{1aff0}'..='\u{1b16f}'
        // Hangul syllables
        | '\u{ac00}'..='\u{d7a3}')
}

/// A mark that does not end a run: a sound mark that found no character to join, or a variation selector.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{3099}' | '\u{309a}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(run: &str) -> Vec<(String, Range<usize>)> {
        let mut pairs = Vec::new();
        for_each_pair(run, |pair, range| pairs.push((pair.to_owned(), range)));
        pairs
    }

    #[test]
    fn a_run_becomes_pairs_that_overlap() {
        let of = |pair: &str, range| (pair.to_owned(), range);
        assert_eq!(pairs("\u{6771}"), [of("\u{6771}", 0..3)]);
        assert_eq!(pairs("\u{6771}\u{4eac}"), [of("\u{6771}\u{4eac}", 0..6)]);
        assert_eq!(
            pairs("\u{6771}\u{4eac}\u{90fd}"),
            [of("\u{6771}\u{4eac}", 0..6), of("\u{4eac}\u{90fd}", 3..9)]
        );
    }

    #[test]
    fn marks_are_part_of_the_range_and_not_of_the_pair() {
        let pair = ("\u{845b}\u{57ce}".to_owned(), 0..10);
        assert_eq!(pairs("\u{845b}\u{e0100}\u{57ce}"), [pair]);
        assert_eq!(pairs("\u{3042}\u{3099}"), [("\u{3042}".to_owned(), 0..6)]);
    }

    #[test]
    fn pieces_cover_the_text() {
        let text = "Rust\u{306f}\u{901f}\u{3044}, \u{d55c}\u{ad6d} ok";
        let all: Vec<Piece> = pieces(text).collect();
        assert_eq!(
            all,
            [
                Piece::Other(0..4),
                Piece::Run(4..13),
                Piece::Other(13..15),
                Piece::Run(15..21),
                Piece::Other(21..24)
            ]
        );
        assert_eq!(pieces("").count(), 0);
        assert!(may_be_in(text) && !may_be_in("\u{e9}t\u{e9} \u{2019} \u{1f600} \u{0e01}"));
    }

    #[test]
    fn every_character_of_a_run_starts_with_a_byte_that_tells() {
        for c in ('\u{0}'..='\u{10ffff}').filter(|c| is_cjk(*c)) {
            let first = c.encode_utf8(&mut [0; 4]).as_bytes()[0];
            assert!((0xe3..=0xf0).contains(&first), "{c:?}");
            assert!(!is_mark(c), "{c:?}");
        }
    }
}
