//! What every form of postings can be asked, in memory or in a segment.

use std::ops::Range;
use std::str::Utf8Error;

use super::list::List;
use crate::base::{Bitmap, Result};

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

/// Where a walk through a dictionary goes on from a term.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// With the next one.
    Next,
    /// With the first one that does not begin with so many of its first bytes, which end with a character.
    Beyond(usize),
    /// Not at all.
    End,
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

    /// Whether it is known where terms stand: always, but in segments of earlier versions.
    ///
    /// # Errors
    /// `not_resident`.
    fn has_positions(&self) -> Result<bool>;

    /// How many documents of the part, ended ones included, have the term in the field.
    ///
    /// # Errors
    /// `corrupt`.
    fn df(&self, field: &str, term: &str) -> Result<u32>;

    /// Calls `f` with terms of the field, those of ended documents included, in ascending order: with the first that is not
    /// below `from`, then with those that `f` asks for. It gets the df of each, too.
    ///
    /// # Errors
    /// `corrupt`.
    fn walk(&self, field: &str, from: &str, f: &mut dyn FnMut(&str, u32) -> Step) -> Result<()>;

    /// The postings of the term in the field; `None` when there are none. Memory decodes them, a segment does not yet.
    ///
    /// # Errors
    /// `corrupt`; `not_resident` when they must be fetched first.
    fn list(&self, field: &str, term: &str) -> Result<Option<List<'_>>>;

    /// Calls `f` with each term of the field that is not below `from`, in ascending order, and with its postings, until it says
    /// that it wants no more.
    ///
    /// # Errors
    /// `corrupt`; `not_resident` when a list must be fetched first, after `f` was called with those before it; what `f` answers.
    fn for_each_list(
        &self,
        field: &str,
        from: &str,
        f: &mut dyn FnMut(&str, List<'_>) -> Result<bool>,
    ) -> Result<()>;

    /// Calls `f` with the postings of the term in the field, by ascending slot.
    ///
    /// # Errors
    /// `corrupt`; `not_resident` when a posting list must be fetched first, and `f` has then not been called.
    fn for_each_posting(&self, field: &str, term: &str, f: &mut dyn FnMut(Posting)) -> Result<()> {
        self.list(field, term)?.map_or(Ok(()), |list| list.for_each(f))
    }

    /// As [`Self::for_each_posting`], for the slots of a set; for all without one.
    ///
    /// # Errors
    /// As [`Self::for_each_posting`].
    fn for_each_posting_in(
        &self,
        field: &str,
        term: &str,
        allowed: Option<&Bitmap>,
        f: &mut dyn FnMut(Posting),
    ) -> Result<()> {
        let Some(allowed) = allowed else { return self.for_each_posting(field, term, f) };
        self.list(field, term)?.map_or(Ok(()), |list| list.for_each_of(allowed, f))
    }

    /// The posting of the term in the field at a slot.
    ///
    /// # Errors
    /// `corrupt`, `not_resident`.
    fn posting(&self, field: &str, term: &str, slot: u32) -> Result<Option<Posting>> {
        self.list(field, term)?.map_or(Ok(None), |list| list.find(slot))
    }

    /// How many documents among some slots have the term in the field; among all without a set.
    ///
    /// # Errors
    /// `corrupt`, `not_resident`.
    fn df_in(&self, field: &str, term: &str, allowed: Option<&Bitmap>) -> Result<u64> {
        let Some(allowed) = allowed else { return self.df(field, term).map(u64::from) };
        self.list(field, term)?.map_or(Ok(0), |list| list.count_in(allowed))
    }
}

/// As [`PostingSource::walk`], through terms of these numbers, which ascend; `f` gets the number of each.
pub(super) fn walk_sorted<'a>(
    numbers: Range<usize>,
    term: impl Fn(usize) -> &'a [u8],
    from: &str,
    f: &mut dyn FnMut(usize, &str) -> Step,
) -> Result<(), Utf8Error> {
    let mut at = first_from(numbers.clone(), |i| term(i) < from.as_bytes());
    while at < numbers.end {
        let here = std::str::from_utf8(term(at))?;
        at = match f(at, here) {
            Step::Next => at + 1,
            Step::Beyond(len) => {
                first_from(at + 1..numbers.end, |i| term(i).starts_with(&here.as_bytes()[..len]))
            }
            Step::End => return Ok(()),
        };
    }
    Ok(())
}

/// The first of some numbers for which something is no longer so, that is so for all before it. Looks at few of them: the
/// nearer it is, the fewer.
pub(super) fn first_from(numbers: Range<usize>, is_so: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut step) = (numbers.start, 1);
    while low + step <= numbers.end && is_so(low + step - 1) {
        low += step;
        step *= 2;
    }
    let mut high = (low + step - 1).min(numbers.end);
    while low < high {
        let middle = low + (high - low) / 2;
        if is_so(middle) { low = middle + 1 } else { high = middle }
    }
    low
}
