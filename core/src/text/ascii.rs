//! The words of Unicode Annex 29 in a text that is ASCII, which most are: its rules for these characters by a table.
//!
//! A word is a run of letters, digits and underscores, with at least one letter or digit in it. A mark goes on with it
//! between two letters (`.`, `:`, `'`) or two digits (`.`, `,`, `;`, `'`).

use std::ops::Range;

/// Nothing of a word.
const OTHER: u8 = 0;
const LETTER: u8 = 1;
const DIGIT: u8 = 2;
const UNDERSCORE: u8 = 4;
/// A mark that joins letters, and one that joins digits.
const JOINS_LETTERS: u8 = 8;
const JOINS_DIGITS: u8 = 16;

const CORE: u8 = LETTER | DIGIT | UNDERSCORE;

const CLASSES: [u8; 256] = {
    let mut classes = [OTHER; 256];
    let mut at = 0;
    while at < 128 {
        classes[at] = match at as u8 {
            b'a'..=b'z' | b'A'..=b'Z' => LETTER,
            b'0'..=b'9' => DIGIT,
            b'_' => UNDERSCORE,
            b'.' | b'\'' => JOINS_LETTERS | JOINS_DIGITS,
            b':' => JOINS_LETTERS,
            b',' | b';' => JOINS_DIGITS,
            _ => OTHER,
        };
        at += 1;
    }
    classes
};

fn class(bytes: &[u8], at: usize) -> u8 {
    bytes.get(at).map_or(OTHER, |byte| CLASSES[usize::from(*byte)])
}

/// Calls `f` with each word of a text of ASCII and its bytes.
pub(super) fn for_each_word(text: &str, mut f: impl FnMut(&str, Range<usize>)) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let start = at;
        let mut seen = class(bytes, at) & CORE;
        at += 1;
        if seen == 0 {
            continue;
        }
        loop {
            let here = class(bytes, at);
            if here & CORE > 0 {
                seen |= here;
            } else {
                let around = class(bytes, at - 1) & class(bytes, at + 1);
                let joins = (here & JOINS_LETTERS > 0 && around & LETTER > 0)
                    || (here & JOINS_DIGITS > 0 && around & DIGIT > 0);
                if !joins {
                    break;
                }
            }
            at += 1;
        }
        if seen & (LETTER | DIGIT) > 0 {
            f(&text[start..at], start..at);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use unicode_segmentation::UnicodeSegmentation;

    use super::*;

    fn words(text: &str) -> Vec<(usize, String)> {
        let mut words = Vec::new();
        for_each_word(text, |word, range| {
            assert_eq!(&text[range.clone()], word);
            words.push((range.start, word.to_owned()));
        });
        words
    }

    fn expected(text: &str) -> Vec<(usize, String)> {
        text.unicode_word_indices().map(|(at, word)| (at, word.to_owned())).collect()
    }

    #[test]
    fn every_character_stands_between_any_two_as_the_annex_says() {
        let kinds = ["", "a", "Z", "7", "_", ".", ":", ",", ";", "'", "\"", " ", "\r\n", "-"];
        for between in (0..128u8).map(char::from) {
            for first in kinds {
                for last in kinds {
                    for text in
                        [format!("{first}{between}{last}"), format!("{first}{between}{between}{last}")]
                    {
                        assert_eq!(words(&text), expected(&text), "{text:?}");
                    }
                }
            }
        }
    }

    proptest! {
        #[test]
        fn words_are_those_of_the_annex(text in "[ -~\t\r\n]{0,60}", dense in "[aZ7_.:,;' -]{0,40}") {
            prop_assert_eq!(words(&text), expected(&text));
            prop_assert_eq!(words(&dense), expected(&dense));
        }
    }
}
