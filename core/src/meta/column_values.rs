//! Counts, ranks and ranges of the values of a column; equal to [`super::values_of()`] on every document.

use std::cmp::Ordering;

use crate::base::{Bitmap, Result, Value};

use super::ast::Op;
use super::column_builder::number;
use super::columns::{Columns, Path};
use super::tallies::{Tallied, Tallies};
use super::values::{ValueRange, canonical};

/// One value of a column and the slots that have it, ascending; a slot may stand twice.
struct Run<'a> {
    value: RunValue,
    slots: &'a [u32],
}

/// Where a value stands: text is read when it is asked for.
#[derive(Clone, Copy)]
enum RunValue {
    Bool(bool),
    Number(usize),
    Text(usize),
}

/// A place in the order of a column's values, for each slot.
#[derive(Debug)]
pub struct Ranks {
    /// 0 for a slot without a value; equal values have one rank.
    pub by_slot: Vec<u64>,
}

const FALSE: u64 = 1;
const TRUE: u64 = 2;
const FIRST_NUMBER: u64 = 3;

impl Columns {
    /// The values of a path among the allowed slots, and how many slots have each. Reads no text.
    ///
    /// # Errors
    /// `corrupt`.
    pub fn tallies(&self, field: &str, allowed: Option<&Bitmap>) -> Result<Tallies<'_>> {
        let mut counts = Vec::new();
        self.for_each_run(field, &mut |run| {
            let mut last = None;
            let mut is_new = |slot: u32| last.replace(slot) != Some(slot);
            let is_allowed = |slot: u32| allowed.is_none_or(|allowed| allowed.contains(slot as usize));
            let count = run.slots.iter().filter(|&&slot| is_new(slot) && is_allowed(slot)).count();
            if count > 0 {
                let value = match run.value {
                    RunValue::Text(at) => Tallied::Stored(self, at),
                    plain => Tallied::Plain(self.run_value(plain)?),
                };
                counts.push((value, count as u64));
            }
            Ok(())
        })?;
        Ok(Tallies::new(counts))
    }

    /// The rank of the smallest value of each slot, or of the largest.
    ///
    /// # Errors
    /// `corrupt`.
    pub fn ranks(&self, field: &str, largest: bool) -> Result<Ranks> {
        let mut by_slot = vec![0; self.n_slots()];
        let Some(path) = self.path(field) else { return Ok(Ranks { by_slot }) };
        self.for_each_run(field, &mut |run| {
            let rank = rank(path, run.value);
            for &slot in run.slots {
                let known = &mut by_slot[slot as usize];
                if *known == 0 || largest {
                    *known = rank;
                }
            }
            Ok(())
        })?;
        Ok(Ranks { by_slot })
    }

    /// The value of a rank that [`Columns::ranks`] gave.
    ///
    /// # Errors
    /// `corrupt`, `not_resident`.
    pub fn ranked_value(&self, field: &str, rank: u64) -> Result<Option<Value>> {
        let Some(path) = self.path(field) else { return Ok(None) };
        let value = match rank {
            0 => return Ok(None),
            FALSE | TRUE => RunValue::Bool(rank == TRUE),
            _ => {
                let at = (rank - FIRST_NUMBER) as usize;
                match at.checked_sub(path.numbers.len()) {
                    None => RunValue::Number(path.numbers.start + at),
                    Some(at) => RunValue::Text(path.strings.start + at),
                }
            }
        };
        self.run_value(value).map(Some)
    }

    /// The slots that have a value within a range.
    ///
    /// # Errors
    /// `corrupt`, `not_resident`.
    pub fn within_range(&self, field: &str, range: &ValueRange) -> Result<Bitmap> {
        let mut selected = Bitmap::empty(self.n_slots());
        let Some(path) = self.path(field) else { return Ok(selected) };
        let (from, to) = (range.from.as_ref(), range.to.as_ref());
        if let (None | Some(Value::Str(_)), None | Some(Value::Str(_))) = (from, to) {
            let strings_that = |op, text: &Value| match text.as_str() {
                Some(text) => self.strings_that(path, op, text.as_bytes()),
                None => Ok(path.strings.clone()),
            };
            let from = from.map(|from| strings_that(Op::Ge, from)).transpose()?;
            let to = to.map(|to| strings_that(Op::Lt, to)).transpose()?;
            let start = from.map_or(path.strings.start, |found| found.start);
            let end = to.map_or(path.strings.end, |found| found.end);
            self.insert_strings(path, start..end, &mut selected)?;
        } else {
            let from = from.map(|from| self.numbers_that(path, Op::Ge, from)).transpose()?;
            let to = to.map(|to| self.numbers_that(path, Op::Lt, to)).transpose()?;
            let start = from.map_or(path.numbers.start, |found| found.start);
            let end = to.map_or(path.numbers.end, |found| found.end);
            self.insert_numbers(path, start..end, &mut selected)?;
        }
        Ok(selected)
    }

    /// Calls `f` with each distinct value of a path and its slots, in the order of values.
    fn for_each_run<'a>(&'a self, field: &str, f: &mut dyn FnMut(Run<'a>) -> Result<()>) -> Result<()> {
        let Some(path) = self.path(field) else { return Ok(()) };
        let slots = self.slots()?;
        for (value, range) in [(false, &path.falses), (true, &path.trues)] {
            if !range.is_empty() {
                f(Run { value: RunValue::Bool(value), slots: &slots[range.clone()] })?;
            }
        }
        let (bits, kinds) = self.number_bits()?;
        let mut at = path.numbers.start;
        while at < path.numbers.end {
            let first = number(kinds[at], bits[at]);
            let is_equal = |i: usize| {
                kinds[i] == kinds[at] && bits[i] == bits[at]
                    || number(kinds[i], bits[i]).compare_numbers(&first) == Some(Ordering::Equal)
            };
            let end = (at + 1..path.numbers.end).find(|&i| !is_equal(i)).unwrap_or(path.numbers.end);
            let shift = |i: usize| i - path.numbers.start + path.number_slots.start;
            f(Run { value: RunValue::Number(at), slots: &slots[shift(at)..shift(end)] })?;
            at = end;
        }
        for i in path.strings.clone() {
            f(Run { value: RunValue::Text(i), slots: &slots[self.slots_of_strings(path, &(i..i + 1))?] })?;
        }
        Ok(())
    }

    fn run_value(&self, value: RunValue) -> Result<Value> {
        match value {
            RunValue::Bool(value) => Ok(Value::Bool(value)),
            RunValue::Number(at) => {
                let (bits, kinds) = self.number_bits()?;
                Ok(canonical(&number(kinds[at], bits[at])).into_owned())
            }
            RunValue::Text(at) => self.text(at).map(Value::Str),
        }
    }

    /// The text of a string.
    pub(super) fn text(&self, at: usize) -> Result<String> {
        match String::from_utf8(self.string(at)?.into_owned()) {
            Ok(text) => Ok(text),
            Err(_) => self.corrupt("strings of UTF-8"),
        }
    }
}

fn rank(path: &Path, value: RunValue) -> u64 {
    match value {
        RunValue::Bool(value) => {
            if value {
                TRUE
            } else {
                FALSE
            }
        }
        RunValue::Number(at) => FIRST_NUMBER + (at - path.numbers.start) as u64,
        RunValue::Text(at) => FIRST_NUMBER + (path.numbers.len() + at - path.strings.start) as u64,
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;
    use std::collections::BTreeSet;
    use std::ops::Range;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

    use proptest::prelude::*;

    use super::super::columns::tests::{columns, documents};
    use super::super::{ColumnsBuilder, order, values_of};
    use super::*;
    use crate::base::{AlignedBytes, Object, StorageError};
    use crate::storage::blob::{BlobSource, Pinned, Resident, build};
    use crate::storage::{Blob, BlobId, BlobKind};

    proptest! {
        #[test]
        fn counts_ranks_and_ranges_are_those_of_the_documents(documents in documents(), odd: bool) {
            let columns = columns(&documents);
            let mut allowed = Bitmap::empty(documents.len());
            (usize::from(odd)..documents.len()).step_by(2).for_each(|slot| allowed.insert(slot));
            for field in ["a", "b", "a.b", "", "missing"] {
                let all: Vec<Vec<Value>> = documents.iter().map(|document| values_of(document, field)).collect();
                let mut expected: Vec<(Value, u64)> = Vec::new();
                for slot in allowed.iter() {
                    for value in &all[slot] {
                        match expected.iter_mut().find(|(known, _)| known == value) {
                            Some((_, count)) => *count += 1,
                            None => expected.push((value.clone(), 1)),
                        }
                    }
                }
                expected.sort_by(|a, b| order(&a.0, &b.0));
                expected.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
                let stored = columns.tallies(field, Some(&allowed)).expect("in memory");
                prop_assert_eq!(stored.len(), expected.len());
                prop_assert_eq!(stored.most_frequent(usize::MAX).expect("in memory"), expected.clone());
                let of_half = |half: usize| {
                    Tallies::of(allowed.iter().filter(|slot| slot % 4 / 2 == half).map(|slot| &documents[slot]), field)
                };
                let sum = Tallies::sum(vec![of_half(0), of_half(1)]).expect("in memory");
                prop_assert_eq!(sum.most_frequent(3).expect("in memory"), expected[..expected.len().min(3)].to_vec());
                // Each document twice: as a column has it and as it is.
                let doubled = vec![of_half(1), columns.tallies(field, Some(&allowed)).expect("in memory"), of_half(0)];
                expected.iter_mut().for_each(|(_, count)| *count *= 2);
                let sum = Tallies::sum(doubled).expect("in memory");
                prop_assert_eq!(sum.most_frequent(usize::MAX).expect("in memory"), expected);
                for largest in [false, true] {
                    let ranks = columns.ranks(field, largest).expect("in memory").by_slot;
                    for (slot, values) in all.iter().enumerate() {
                        let value = if largest { values.last() } else { values.first() };
                        let found = columns.ranked_value(field, ranks[slot]).expect("in memory");
                        prop_assert_eq!(found.as_ref(), value);
                    }
                    for (a, b) in (0..all.len()).flat_map(|a| (0..all.len()).map(move |b| (a, b))) {
                        let value = |slot: usize| if largest { all[slot].last() } else { all[slot].first() };
                        if let (Some(x), Some(y)) = (value(a), value(b)) {
                            prop_assert_eq!(ranks[a].cmp(&ranks[b]), order(x, y));
                        }
                    }
                }
                check_ranges(&columns, field, &all)?;
            }
        }
    }

    fn check_ranges(columns: &Columns, field: &str, all: &[Vec<Value>]) -> Result<(), TestCaseError> {
        let bounds = ["", "abcdefgh", "b"].map(|text| Some(Value::Str(text.into())));
        let numbers = [Value::Int(-1), Value::Float(2.5), Value::Int(1 << 53)].map(Some);
        for bounds in [bounds.to_vec(), numbers.to_vec()] {
            let with_none = || bounds.iter().cloned().chain([None]);
            for range in
                with_none().flat_map(|from| with_none().map(move |to| ValueRange { from: from.clone(), to }))
            {
                if !range.is_of_one_kind() {
                    continue;
                }
                let found: BTreeSet<usize> =
                    columns.within_range(field, &range).expect("in memory").iter().collect();
                let expected =
                    (0..all.len()).filter(|&slot| all[slot].iter().any(|value| range.contains(value)));
                prop_assert_eq!(found, expected.collect::<BTreeSet<usize>>());
            }
        }
        Ok(())
    }

    /// Counts how often a range is read.
    #[derive(Debug)]
    struct Counting(Resident<AlignedBytes>, AtomicUsize);

    impl BlobSource for Counting {
        fn len(&self) -> u64 {
            self.0.len()
        }

        fn pinned(&self, range: Range<u64>) -> Result<Pinned, StorageError> {
            self.0.pinned(range)
        }

        fn rows(&self, range: Range<u64>) -> Result<Cow<'_, [u8]>, StorageError> {
            self.1.fetch_add(1, Relaxed);
            self.0.rows(range)
        }
    }

    #[test]
    fn long_texts_are_counted_without_being_read() {
        let open = |first: usize| {
            let mut builder = ColumnsBuilder::new();
            for slot in 0..1000 {
                let text = format!("{:08} {}", (first + slot) / 2, "a long text ".repeat(100));
                let document = Object::from([("text".to_owned(), Value::Str(text))]);
                builder.push(slot as u32, &document);
            }
            let id = BlobId::new(1, 1, BlobKind::Columns);
            let bytes = Resident::new(Arc::new(build(id, &builder.sections(1000))));
            let source = Arc::new(Counting(bytes, AtomicUsize::new(0)));
            let columns = Columns::open(&Blob::open(id, Arc::clone(&source) as _).expect("sound"));
            (columns.expect("sound"), source)
        };
        let (one, other) = (open(0), open(5000));
        let reads = || one.1.1.load(Relaxed) + other.1.1.load(Relaxed);
        let before = reads();
        let parts = [&one, &other].map(|(columns, _)| columns.tallies("text", None).expect("sound"));
        let sum = Tallies::sum(parts.into()).expect("sound");
        assert_eq!((sum.len(), reads() - before), (1000, 0));
        let found = sum.most_frequent(3).expect("sound");
        assert!(
            found.iter().all(|(text, count)| text.as_str().is_some_and(|t| t.len() > 1000) && *count == 2)
        );
        assert!(reads() - before <= 2 * 3, "checked and read once each");
    }
}
