//! Where in a text a piece of its folded form came from.
//!
//! Folding changes lengths: NFKC joins and splits characters, lower case is longer or shorter, an apostrophe becomes
//! one byte. The text is cut where NFKC joins nothing across; such a group stands for what it became, whole.

use std::ops::Range;

use crate::base::unicode::{nfkc, stands_alone};

/// Positions of a folded text in the original.
#[derive(Debug)]
pub(super) enum Offsets {
    /// Both are as long, as in ASCII.
    Same,
    /// Where each group starts, (folded, original), ascending; the ends last.
    Groups(Vec<(usize, usize)>),
}

impl Offsets {
    /// Of a text and what [`super::analysis::fold`] makes of it.
    pub(super) fn new(text: &str) -> Self {
        if text.is_ascii() {
            return Self::Same;
        }
        let mut groups = Vec::new();
        let (mut folded, mut start) = (0, 0);
        while start < text.len() {
            let group = first_group(&text[start..]);
            groups.push((folded, start));
            folded += nfkc(group).chars().map(folded_len).sum::<usize>();
            start += group.len();
        }
        groups.push((folded, start));
        Self::Groups(groups)
    }

    /// The bytes of the original that became these of the folded text: whole groups.
    pub(super) fn original(&self, folded: Range<usize>) -> Range<usize> {
        let Self::Groups(groups) = self else { return folded };
        // Groups that became nothing stand before the one that starts at the same place.
        let first = groups.partition_point(|(at, _)| *at <= folded.start).saturating_sub(1);
        let end = groups.partition_point(|(at, _)| *at < folded.end).min(groups.len() - 1);
        groups[first].1..groups[end].1
    }
}

/// The first characters of a text, up to the next that neither joins nor moves before what stands there.
fn first_group(text: &str) -> &str {
    let end = text.char_indices().skip(1).find(|(_, c)| stands_alone(*c)).map_or(text.len(), |(at, _)| at);
    &text[..end]
}

/// How long a character is in lower case, with one apostrophe. A sigma is as long at the end of a word as within.
fn folded_len(c: char) -> usize {
    if c == '\u{2019}' { 1 } else { c.to_lowercase().map(char::len_utf8).sum() }
}
