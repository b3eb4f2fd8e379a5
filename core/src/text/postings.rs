//! What every form of postings can be asked, in memory or in a segment.

use std::ops::Range;

use crate::base::Result;

/// A term in one field of one document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Posting {
    /// The slot of the document in its part.
    pub slot: u32,
    /// How often the term stands in the field, at least 1.
    pub tf: u32,
    /// How many terms the field has in this document.
    pub field_length: u32,
}

/// How much text a field holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FieldStats {
    /// Documents with at least one term in the field.
    pub documents: u64,
    /// Terms of the field in all of them, with repetition.
    pub total_length: u64,
}

/// The postings of one part.
pub trait PostingSource: Send + Sync {
    /// The bound of its slots.
    fn n_slots(&self) -> u32;

    /// The names of its fields, ascending by bytes.
    fn fields(&self) -> Vec<&str>;

    /// How much text a field holds; nothing when the part does not know it.
    fn field_stats(&self, field: &str) -> FieldStats;

    /// Calls `f` with the slot of each document that has the field, and with how many terms it has there; by ascending
    /// slot.
    ///
    /// # Errors
    /// `corrupt`, `not_resident`.
    fn for_each_length(&self, field: &str, f: &mut dyn FnMut(u32, u32)) -> Result<()>;

    /// How many documents of the part, ended ones included, have the term in the field.
    ///
    /// # Errors
    /// `corrupt`.
    fn df(&self, field: &str, term: &str) -> Result<u32>;

    /// Calls `f` with the postings of the term in the field, by ascending slot.
    ///
    /// # Errors
    /// `corrupt`; `not_resident` when a posting list must be fetched first, and `f` has then not been called.
    fn for_each_posting(&self, field: &str, term: &str, f: &mut dyn FnMut(Posting)) -> Result<()>;
}

/// The lengths of a field, found by slot.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lengths<'a> {
    pub(super) n_slots: u32,
    /// Which slots have the field, ascending; `None` when all have it.
    pub(super) slots: Option<&'a [u32]>,
    pub(super) lengths: &'a [u32],
}

impl Lengths<'_> {
    /// Calls `f` with each slot that has the field and its length.
    pub(super) fn for_each(&self, f: &mut dyn FnMut(u32, u32)) {
        match self.slots {
            None => (0..).zip(self.lengths).for_each(|(slot, length)| f(slot, *length)),
            Some(slots) => slots.iter().zip(self.lengths).for_each(|(slot, length)| f(*slot, *length)),
        }
    }

    /// The length at a slot that has the field.
    pub(super) fn get(&self, slot: u32) -> Option<u32> {
        let Some(slots) = self.slots else { return self.lengths.get(slot as usize).copied() };
        let window = self.window(slot);
        let at = window.start + slots.get(window)?.binary_search(&slot).ok()?;
        self.lengths.get(at).copied()
    }

    /// Where a slot can stand: slots are distinct, so at most `slot` of them come before it and at most
    /// `n_slots - 1 - slot` after it. The fuller the field, the narrower the search.
    fn window(&self, slot: u32) -> Range<usize> {
        let absent = (self.n_slots as usize).saturating_sub(self.lengths.len());
        let slot = slot as usize;
        slot.saturating_sub(absent).min(self.lengths.len())..(slot + 1).min(self.lengths.len())
    }
}
