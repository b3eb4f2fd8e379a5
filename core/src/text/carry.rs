//! Postings of one part on their way into another, in steps: a merge takes them over instead of analysing texts again.
//!
//! Terms come in the order of the dictionary, each with all its postings, so that what is carried is the same wherever it
//! pauses, and the same as if each text had been analysed.

use super::memory::MemoryPostings;
use super::postings::PostingSource;
use super::standing::Standing;
use crate::base::{Error, Result};

/// Stands for a slot that does not come along.
pub const LEFT_BEHIND: u32 = u32::MAX;

/// How far the postings of a part have come.
#[derive(Debug, Default)]
pub struct Carry {
    /// The field that is being carried, by its place in the part.
    field: usize,
    /// Where its terms go on, once its lengths are there.
    from: Option<String>,
}

impl Carry {
    /// Carries on, for about `budget` postings; true once all are there. `slots` has the new slot of each of the part's, or
    /// [`LEFT_BEHIND`]; new slots ascend, and are above all that `into` had before.
    ///
    /// # Errors
    /// `corrupt`; `not_resident`, after which it can be called again.
    ///
    /// # Panics
    /// When `slots` are fewer than the part has, or it does not know where terms stand ([`PostingSource::has_positions`]).
    pub fn step(
        &mut self,
        part: &dyn PostingSource,
        slots: &[u32],
        into: &mut MemoryPostings,
        budget: usize,
    ) -> Result<bool> {
        assert!(part.has_positions()?, "what is carried has positions");
        let fields = part.fields();
        let mut left = budget.max(1);
        while let Some(field) = fields.get(self.field) {
            if self.from.is_none() {
                into.carry_lengths(field, part, slots)?;
            }
            let next = self.from.get_or_insert_default();
            let from = next.clone();
            part.for_each_list(field, &from, &mut |term, list| {
                if left == 0 {
                    return Ok(false);
                }
                left = left.saturating_sub(list.df as usize);
                let unknown = || Error::corrupt("postings", 0, "positions of every term");
                // It has all its bytes then: what is carried of a list is never carried again.
                let mut standing = Standing::open(list)?.ok_or_else(unknown)?;
                let mut carried = into.carried_list(field, term);
                while let Some(slot) = standing.advance()? {
                    let slot = slots[slot as usize];
                    if slot != LEFT_BEHIND {
                        carried.push(slot, standing.positions()?);
                    }
                }
                // The least text behind this one.
                next.clear();
                next.push_str(term);
                next.push('\0');
                Ok(true)
            })?;
            if left == 0 {
                return Ok(false);
            }
            (self.field, self.from) = (self.field + 1, None);
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Analyzer, Language, TextIndex};
    use super::*;
    use crate::storage::{Blob, BlobId, BlobKind};
    use proptest::prelude::*;

    type Text = Vec<(&'static str, String)>;

    fn push(postings: &mut MemoryPostings, slot: u32, text: &Text) {
        let text: Vec<(&str, &str)> = text.iter().map(|(field, text)| (*field, text.as_str())).collect();
        postings.push(&Analyzer::new(Language::None), slot, &text);
    }

    fn texts() -> impl Strategy<Value = Vec<(Text, bool)>> {
        let text = prop::collection::vec((prop::sample::select(vec!["x", "y", "z"]), "[ab ]{0,12}"), 0..3);
        prop::collection::vec((text, any::<bool>()), 0..200)
    }

    proptest! {
        #[test]
        fn what_is_carried_is_what_analysing_gives(parts in prop::collection::vec(texts(), 1..4), budget in 1..50usize) {
            let (mut carried, mut analysed, mut next) = (MemoryPostings::new(), MemoryPostings::new(), 0);
            for (number, texts) in parts.iter().enumerate() {
                let (mut part, mut slots) = (MemoryPostings::new(), Vec::new());
                for (slot, (text, is_kept)) in texts.iter().enumerate() {
                    push(&mut part, slot as u32, text);
                    slots.push(if *is_kept { next } else { LEFT_BEHIND });
                    if *is_kept {
                        push(&mut analysed, next, text);
                        next += 1;
                    }
                }
                // Every other part lies in a segment.
                let sections = part.sections(texts.len() as u32);
                let blob = Blob::in_memory(BlobId::new(1, 1, BlobKind::Text), &sections);
                let index = TextIndex::open(&blob.expect("written above")).expect("written above");
                let part: &dyn PostingSource = if number % 2 == 0 { &part } else { &index };
                let mut carry = Carry::default();
                while !carry.step(part, &slots, &mut carried, budget).expect("all is there") {}
            }
            let bytes = |postings: &MemoryPostings| format!("{:?}", postings.sections(next));
            prop_assert_eq!(bytes(&carried), bytes(&analysed));
        }
    }
}
