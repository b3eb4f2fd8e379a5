//! Byte-pair encoding as SentencePiece does it: characters first, then the merge of the lowest rank, leftmost first.
//!
//! # Source
//! Sennrich et al., arXiv 1508.07909; token ids equal those of the `tokenizers` library on the same file. One
//! difference: text that looks like a special token (`<s>`, also HTML) is text.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::base::number_map::NumberMap;

/// One change to the text before it is cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Normalize {
    /// Put before any text that is not empty.
    Prepend(String),
    /// Every occurrence of the first becomes the second.
    Replace(String, String),
}

/// What two neighbouring tokens become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Merge {
    /// Lower ranks merge first.
    pub rank: u32,
    /// The token they become.
    pub token: u32,
}

/// A tokeniser.
#[derive(Debug)]
pub(super) struct Bpe {
    pub steps: Vec<Normalize>,
    /// Tokens of one character.
    pub chars: NumberMap<char, u32>,
    /// Tokens of the 256 bytes, for characters without one; none when the vocabulary lacks any of them.
    pub bytes: Option<Box<[u32; 256]>>,
    /// The token of a character that has none and no bytes.
    pub unknown: Option<u32>,
    pub merges: NumberMap<(u32, u32), Merge>,
}

/// A token in the row of those that remain; merged ones are unlinked.
#[derive(Debug, Clone, Copy)]
struct Symbol {
    token: u32,
    previous: u32,
    next: u32,
    gone: bool,
}

const END: u32 = u32::MAX;

impl Bpe {
    /// The tokens of a text.
    ///
    /// # Complexity
    /// `n log n` in the text's characters.
    pub fn tokens(&self, text: &str) -> Vec<u32> {
        let mut text = text.to_owned();
        for step in &self.steps {
            match step {
                Normalize::Prepend(prefix) if !text.is_empty() => text.insert_str(0, prefix),
                Normalize::Prepend(_) => (),
                Normalize::Replace(from, to) => text = text.replace(from, to),
            }
        }
        self.merged(&self.characters(&text))
    }

    fn characters(&self, text: &str) -> Vec<u32> {
        let mut tokens = Vec::with_capacity(text.len());
        let mut after_unknown = false;
        for c in text.chars() {
            let was_unknown = std::mem::take(&mut after_unknown);
            if let Some(&token) = self.chars.get(&c) {
                tokens.push(token);
            } else if let Some(bytes) = &self.bytes {
                let utf8 = &mut [0; 4];
                tokens.extend(c.encode_utf8(utf8).bytes().map(|byte| bytes[usize::from(byte)]));
            } else {
                // One for a run of unknown characters.
                after_unknown = true;
                tokens.extend(self.unknown.filter(|_| !was_unknown));
            }
        }
        tokens
    }

    fn merged(&self, tokens: &[u32]) -> Vec<u32> {
        let len = tokens.len() as u32;
        let symbol = |(i, &token): (u32, &u32)| {
            let next = if i + 1 < len { i + 1 } else { END };
            Symbol { token, previous: i.wrapping_sub(1), next, gone: false }
        };
        let mut row: Vec<Symbol> = (0..len).zip(tokens).map(symbol).collect();
        // What could merge: rank, place of the left one, and the token they become.
        let mut could = BinaryHeap::with_capacity(tokens.len());
        let offer = |could: &mut BinaryHeap<_>, row: &[Symbol], left: u32| {
            let next = row[left as usize].next;
            if next != END
                && let Some(merge) = self.merges.get(&(row[left as usize].token, row[next as usize].token))
            {
                could.push(Reverse((merge.rank, left, merge.token)));
            }
        };
        (0..len).for_each(|left| offer(&mut could, &row, left));
        while let Some(Reverse((_, left, token))) = could.pop() {
            let Symbol { token: own, previous, next: right, gone } = row[left as usize];
            if gone || right == END {
                continue;
            }
            // The neighbours may have changed since; then this is another merge, offered on its own.
            let other = row[right as usize];
            if self.merges.get(&(own, other.token)).is_none_or(|merge| merge.token != token) {
                continue;
            }
            row[left as usize] = Symbol { token, previous, next: other.next, gone: false };
            row[right as usize].gone = true;
            if other.next != END {
                row[other.next as usize].previous = left;
            }
            if previous != END {
                offer(&mut could, &row, previous);
            }
            offer(&mut could, &row, left);
        }
        row.iter().filter(|symbol| !symbol.gone).map(|symbol| symbol.token).collect()
    }
}
