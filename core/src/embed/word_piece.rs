//! WordPiece as BERT has it: text is cleaned and cut at blanks and punctuation, and each word into the longest pieces that
//! the vocabulary has, from its beginning on.
//!
//! # Source
//! Wu et al., arXiv 1609.08144, section 4.1, and Devlin et al., arXiv 1810.04805; token ids equal those of the
//! `tokenizers` library on the same file. Two differences: text that looks like a special token (`[CLS]`) is text, and
//! what a character is says a newer Unicode: words with characters that are younger than the library's may differ.

use std::collections::HashMap;

use crate::base::unicode;

/// What is done to a text before it is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cleaning {
    /// Control characters go, and every blank is a space.
    pub controls: bool,
    /// Chinese characters are words of their own.
    pub chinese: bool,
    /// Accents go.
    pub accents: bool,
    /// All becomes lower case.
    pub lowercase: bool,
}

/// A tokeniser.
#[derive(Debug)]
pub(super) struct WordPiece {
    pub cleaning: Cleaning,
    /// Tokens that begin a word.
    pub beginnings: HashMap<Box<str>, u32>,
    /// Tokens that go on with one, without the prefix that says so.
    pub continuations: HashMap<Box<str>, u32>,
    /// Characters of the longest token.
    pub token_chars_max: usize,
    /// A word of more characters is unknown.
    pub word_chars_max: usize,
    /// The token of a word that cannot be cut.
    pub unknown: u32,
}

impl WordPiece {
    /// The tokens of a text.
    ///
    /// # Complexity
    /// For each character of the text the square of the longest token's that a word can have.
    pub fn tokens(&self, text: &str) -> Vec<u32> {
        let text = self.cleaning.apply(text);
        let mut tokens = Vec::with_capacity(text.len() / 4);
        for part in text.split(char::is_whitespace) {
            for word in part.split_inclusive(is_punctuation) {
                // A mark ends its part, and is a word of its own.
                let mark = word.char_indices().next_back().filter(|&(_, c)| is_punctuation(c));
                let (word, mark) = word.split_at(mark.map_or(word.len(), |(at, _)| at));
                self.cut(word, &mut tokens);
                self.cut(mark, &mut tokens);
            }
        }
        tokens
    }

    fn cut(&self, word: &str, tokens: &mut Vec<u32>) {
        let before = tokens.len();
        if word.chars().nth(self.word_chars_max).is_some() {
            tokens.push(self.unknown);
            return;
        }
        let mut rest = word;
        while !rest.is_empty() {
            let known = if rest.len() == word.len() { &self.beginnings } else { &self.continuations };
            let most = rest.char_indices().nth(self.token_chars_max).map_or(rest.len(), |(at, _)| at);
            let mut ends = rest[..most].char_indices().rev().map(|(at, c)| at + c.len_utf8());
            let longest = ends.find_map(|end| Some((end, *known.get(&rest[..end])?)));
            let Some((end, token)) = longest else {
                tokens.truncate(before);
                tokens.push(self.unknown);
                return;
            };
            tokens.push(token);
            rest = &rest[end..];
        }
    }
}

impl Cleaning {
    /// In the order of the reference, which matters: what a step makes, the next one sees.
    fn apply(self, text: &str) -> String {
        let mut clean = String::with_capacity(text.len());
        for c in text.chars() {
            if self.controls && is_dropped(c) {
                continue;
            }
            let c = if self.controls && c.is_whitespace() { ' ' } else { c };
            if self.chinese && is_chinese(c) {
                clean.extend([' ', c, ' ']);
            } else {
                clean.push(c);
            }
        }
        if self.accents && !clean.is_ascii() {
            clean = unicode::nfd(&clean);
            clean.retain(|c| !unicode::is_nonspacing_mark(c));
        }
        if self.lowercase {
            // Each character by itself: a sigma is the same letter wherever it stands.
            clean = clean.chars().flat_map(char::to_lowercase).collect();
        }
        clean
    }
}

fn is_dropped(c: char) -> bool {
    match c {
        '\t' | '\n' | '\r' => false,
        '\u{fffd}' => true,
        _ if c.is_ascii() => c.is_ascii_control(),
        // What no character is yet stays, as in the reference.
        _ => unicode::is_invisible(c),
    }
}

fn is_punctuation(c: char) -> bool {
    if c.is_ascii() { c.is_ascii_punctuation() } else { unicode::is_punctuation(c) }
}

/// The ideographs, which are no alphabet's letters.
fn is_chinese(c: char) -> bool {
    matches!(c,
        '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{2a6df}'
        | '\u{2a700}'..='\u{2b73f}' | '\u{2b740}'..='\u{2b81f}' | '\u{2b920}'..='\u{2ceaf}' | '\u{2f800}'..='\u{2fa1f}')
}
