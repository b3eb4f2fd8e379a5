//! From a text to its terms: normalise (NFKC), lower-case, cut into words, drop stop words, stem.
//!
//! Depends on the text and the language only, so that every platform indexes and asks for the same terms.
//! Words are those of Unicode Annex 29 that hold a letter or a digit; where a script puts no spaces between words,
//! pairs of characters (the module `cjk`).

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use snowball_stemmers_rs::Stemmer;
use unicode_segmentation::UnicodeSegmentation;

use super::ascii;
use super::cjk::{self, Piece};
use super::endings;
use super::language::Language;
use super::offsets::Offsets;
use super::term_cache;
use crate::base::limits::TERM_BYTES_MAX;
use crate::base::{string_table, unicode};

/// A term and where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token<'a> {
    /// The term.
    pub term: &'a str,
    /// The number of its word in the text, from 0; stop words have numbers too.
    pub position: u32,
    /// Its first byte in the text as it was given, without an article that was cut off.
    pub start: usize,
    /// The byte behind its last. A character that became several is part of each term that has some of it.
    pub end: usize,
}

/// Turns texts into terms.
///
/// # Examples
/// ```
/// use kithdb::text::{Analyzer, Language};
///
/// let mut terms = Vec::new();
/// Analyzer::new(Language::English).analyse("The Kittens' ponies", |term| terms.push(term.to_owned()));
/// assert_eq!(terms, ["kitten", "poni"]);
/// ```
pub struct Analyzer {
    language: Language,
    stemmer: Option<Stemmer>,
}

impl fmt::Debug for Analyzer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Analyzer({})", self.language.name())
    }
}

impl Analyzer {
    /// The analyzer of a language.
    #[must_use]
    pub fn new(language: Language) -> Self {
        Self { language, stemmer: language.stemmer() }
    }

    /// Its language.
    #[must_use]
    pub fn language(&self) -> Language {
        self.language
    }

    /// Calls `f` with each term of the text, in the order of the words; a term is at most
    /// [`TERM_BYTES_MAX`] bytes and never empty.
    pub fn analyse(&self, text: &str, mut f: impl FnMut(&str)) {
        self.for_each_term(&fold(text), |term, _, _, _| f(term));
    }

    /// As [`Self::positions`], with the hash of each term ([`string_table::hash`]).
    #[cfg_attr(kithdb_small, optimize(speed))]
    pub(super) fn hashed(&self, text: &str, mut f: impl FnMut(&str, u64, u32)) {
        self.for_each_term(&fold(text), |term, hash, position, _| {
            f(term, hash.unwrap_or_else(|| string_table::hash(term)), position);
        });
    }

    /// As [`Self::analyse`], with the number of each term's word, which ascends.
    pub fn positions(&self, text: &str, mut f: impl FnMut(&str, u32)) {
        self.for_each_term(&fold(text), |term, _, position, _| f(term, position));
    }

    /// As [`Self::analyse`], with where each term stands: for highlighting.
    ///
    /// # Complexity
    /// Beside the analysis it looks at every character of a text that is not ASCII, and remembers where it was.
    ///
    /// # Examples
    /// ```
    /// use kithdb::text::{Analyzer, Language};
    ///
    /// let text = "Der Fu\u{df} des Turmes";
    /// let mut found = Vec::new();
    /// Analyzer::new(Language::German)
    ///     .tokens(text, |t| found.push((t.term.to_owned(), t.position, &text[t.start..t.end])));
    /// assert_eq!(found, [("fuss".to_owned(), 1, "Fu\u{df}"), ("turm".to_owned(), 3, "Turmes")]);
    /// ```
    pub fn tokens(&self, text: &str, mut f: impl FnMut(Token<'_>)) {
        let offsets = Offsets::new(text);
        self.for_each_term(&fold(text), |term, _, position, folded| {
            let Range { start, end } = offsets.original(folded);
            f(Token { term, position, start, end });
        });
    }

    /// The last word of a text that was only begun, spelt as terms are but for its stem, and its position.
    pub(super) fn begun(&self, text: &str) -> Option<(u32, String)> {
        let mut last = None;
        let mut position = 0u32;
        for_each_word(&fold(text), |word, _, is_pair| {
            let word = if is_pair { word } else { self.language.without_elision(word) };
            last = Some((position, cut(&self.language.without_marks(&self.language.spelt(word))).to_owned()));
            position += 1;
        });
        last
    }

    /// Stems of words that begin like this one, which is spelt as [`Self::begun`] has it, where the stems do not begin so.
    pub(super) fn stems_of_longer(&self, begun: &str) -> Vec<String> {
        let Some(stemmer) = &self.stemmer else { return Vec::new() };
        let stem = |ending: &&str| self.term(stemmer, cut(&[begun, ending].concat()));
        let mut stems: Vec<String> = endings::of(self.language).iter().map(stem).collect();
        stems.retain(|stem| !stem.is_empty() && !stem.starts_with(begun));
        stems.sort_unstable();
        stems.dedup();
        stems
    }

    /// The terms of a folded text, with their hash where it is known, the number of the word and its bytes in the folded
    /// text.
    #[cfg_attr(kithdb_small, optimize(speed))]
    fn for_each_term(&self, text: &str, mut f: impl FnMut(&str, Option<u64>, u32, Range<usize>)) {
        let mut words = 0u32..;
        let mut next = || words.next().expect("a range without an end");
        let Some(stemmer) = &self.stemmer else {
            return for_each_word(text, |word, range, _| f(cut(word), None, next(), range));
        };
        term_cache::with(|cache| {
            for_each_word(text, |word, range, is_pair| {
                let position = next();
                if is_pair {
                    return f(word, None, position, range);
                }
                let word = self.language.without_elision(word);
                let range = range.end - word.len()..range.end;
                // Cut before stemming, so that no word costs more than its bound.
                match cache.term(self.language, cut(word), |word| self.term(stemmer, word)) {
                    ("", _) => {}
                    (term, hash) => f(term, Some(hash), position, range),
                }
            });
        });
    }

    /// The term of a word; empty for a stop word.
    fn term(&self, stemmer: &Stemmer, word: &str) -> String {
        let word = self.language.spelt(word);
        if self.language.is_stop_word(&word) {
            return String::new();
        }
        match cut(&self.language.without_marks(&stemmer.stem(&word))) {
            "" => word.into_owned(),
            term => term.to_owned(),
        }
    }
}

/// Calls `f` with each word or pair of characters of a folded text, its bytes, and whether it is a pair.
fn for_each_word(text: &str, mut f: impl FnMut(&str, Range<usize>, bool)) {
    if text.is_ascii() {
        return ascii::for_each_word(text, |word, range| f(word, range, false));
    }
    if !cjk::may_be_in(text) {
        return text.unicode_word_indices().for_each(|(at, word)| f(word, at..at + word.len(), false));
    }
    for piece in cjk::pieces(text) {
        match piece {
            Piece::Other(range) => text[range.clone()].unicode_word_indices().for_each(|(at, word)| {
                f(word, range.start + at..range.start + at + word.len(), false);
            }),
            Piece::Run(run) => cjk::for_each_pair(&text[run.clone()], |pair, range| {
                f(pair, run.start + range.start..run.start + range.end, true);
            }),
        }
    }
}

/// NFKC, lower case, and one apostrophe: the typographic one (U+2019) would hide `'s` from the stemmer.
fn fold(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return if text.bytes().any(|b| b.is_ascii_uppercase()) {
            text.to_ascii_lowercase().into()
        } else {
            text.into()
        };
    }
    unicode::nfkc(text).to_lowercase().replace('\u{2019}', "'").into()
}

#[cfg_attr(kithdb_small, optimize(speed))]
fn cut(term: &str) -> &str {
    let end = (0..=term.len().min(TERM_BYTES_MAX)).rev().find(|&at| term.is_char_boundary(at));
    &term[..end.unwrap_or(0)]
}

#[cfg(test)]
#[path = "analysis_tests.rs"]
mod tests;
