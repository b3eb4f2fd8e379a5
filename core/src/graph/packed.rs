//! Columns of whole numbers, each as its distance from the least in as few bytes as the farthest needs.
//!
//! Layout: docs/FORMAT.md, "Packed columns". Any number is read in one step, so that searching a column needs no copy.

use crate::base::{Error, Result, Writer};
use crate::storage::{Blob, Pinned, Section};

const HEAD_BYTES: usize = 16;
/// A number is read as eight bytes, of which it takes the first.
const TAIL_BYTES: usize = 8;

/// The section of a column.
pub(super) fn section(id: u16, numbers: impl Iterator<Item = i64> + Clone) -> Section {
    let least = numbers.clone().min().unwrap_or(0);
    let distance = |number: i64| number.wrapping_sub(least) as u64;
    let most = numbers.clone().map(distance).max().unwrap_or(0);
    let width = (64 - most.leading_zeros()).div_ceil(8) as usize;
    let mut w = Writer::new();
    w.i64(least);
    w.u64(width as u64);
    numbers.for_each(|number| w.raw(&distance(number).to_le_bytes()[..width]));
    w.raw(&[0; TAIL_BYTES]);
    Section::pinned(id, w.finish())
}

/// An open column.
#[derive(Debug)]
pub(super) struct Packed {
    bytes: Pinned,
    least: i64,
    width: usize,
    mask: u64,
    len: usize,
}

impl Packed {
    /// The column in a section, of so many numbers.
    ///
    /// # Errors
    /// `corrupt`, `not_resident`.
    pub fn open(blob: &Blob, section: u16, len: usize) -> Result<Self> {
        let bytes = blob.pinned(section)?;
        let bad = || {
            let object = format!("blob {}.{}", blob.id().number, blob.id().kind.name());
            Error::corrupt(object, 0, format!("a column of {len} numbers in section {section}"))
        };
        let head = |at: usize| -> Option<[u8; 8]> { bytes.get(at..at + 8)?.try_into().ok() };
        let least = i64::from_le_bytes(head(0).ok_or_else(bad)?);
        let width = u64::from_le_bytes(head(8).ok_or_else(bad)?) as usize;
        let whole = width.checked_mul(len).and_then(|n| n.checked_add(HEAD_BYTES + TAIL_BYTES));
        if width > 8 || whole != Some(bytes.len()) {
            return Err(bad());
        }
        let mask = if width == 8 { u64::MAX } else { (1 << (8 * width)) - 1 };
        Ok(Self { bytes, least, width, mask, len })
    }

    /// How many numbers there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether so many different numbers can be in it: what counts more than its bytes can tell apart is refused before
    /// anything is made of it.
    pub fn can_be_distinct(&self) -> bool {
        self.width == 8 || self.len as u64 <= 1 << (8 * self.width)
    }

    /// The number at an index below [`Packed::len`].
    pub fn get(&self, index: usize) -> i64 {
        debug_assert!(index < self.len);
        let at = HEAD_BYTES + index * self.width;
        let mut raw = [0; 8];
        raw.copy_from_slice(&self.bytes[at..at + 8]);
        self.least.wrapping_add((u64::from_le_bytes(raw) & self.mask) as i64)
    }

    /// The number at an index, of those that count or name places.
    pub fn place(&self, index: usize) -> usize {
        self.get(index) as usize
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = i64> {
        (0..self.len).map(|i| self.get(i))
    }

    /// How many numbers at the beginning of an ascending run of the column fulfil a condition, counted from the column's
    /// first.
    pub fn partition(&self, within: std::ops::Range<usize>, holds: impl Fn(i64) -> bool) -> usize {
        let (mut low, mut high) = (within.start, within.end);
        while low < high {
            let middle = low + (high - low) / 2;
            if holds(self.get(middle)) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    /// The first number of an ascending column, where each is one more than the one before.
    pub fn consecutive_from(&self) -> Option<i64> {
        let last = self.get(self.len.checked_sub(1)?);
        let span = last.wrapping_sub(self.least) as u64;
        (span == self.len as u64 - 1).then_some(self.least)
    }

    /// The index of a number in an ascending column.
    pub fn find(&self, number: i64) -> Option<usize> {
        // Where no number is left out, it is where it should be.
        let guess = number.wrapping_sub(self.least) as u64;
        if guess < self.len as u64 && self.get(guess as usize) == number {
            return Some(guess as usize);
        }
        let at = self.partition(0..self.len, |n| n < number);
        (at < self.len && self.get(at) == number).then_some(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::{BlobId, BlobKind};
    use proptest::prelude::*;

    fn open(numbers: &[i64]) -> Packed {
        let id = BlobId::new(1, 1, BlobKind::Edges);
        let blob = Blob::in_memory(id, &[section(1, numbers.iter().copied())]).expect("just built");
        Packed::open(&blob, 1, numbers.len()).expect("just built")
    }

    #[test]
    fn a_column_takes_as_many_bytes_as_its_span() {
        for (numbers, width) in [
            (vec![], 0),
            (vec![7; 5], 0),
            (vec![-1, 254], 1),
            (vec![0, 256], 2),
            (vec![i64::MIN, i64::MAX], 8),
        ] {
            assert_eq!(open(&numbers).width, width, "{numbers:?}");
        }
    }

    proptest! {
        #[test]
        fn numbers_come_back_and_are_found(mut numbers: Vec<i64>) {
            prop_assert_eq!(open(&numbers).iter().collect::<Vec<_>>(), numbers.clone());
            numbers.sort_unstable();
            numbers.dedup();
            let column = open(&numbers);
            for (i, number) in numbers.iter().enumerate() {
                prop_assert_eq!(column.find(*number), Some(i));
            }
        }

        #[test]
        fn what_is_consecutive_is_known_as_such(
            first in -1_000i64..1_000,
            steps in prop::collection::vec(1i64..3, 0..5),
        ) {
            let numbers: Vec<i64> = (0..steps.len()).map(|n| first + steps[..n].iter().sum::<i64>()).collect();
            let is_consecutive = numbers.windows(2).all(|two| two[1] == two[0] + 1);
            let expected = numbers.first().copied().filter(|_| is_consecutive);
            prop_assert_eq!(open(&numbers).consecutive_from(), expected);
        }
    }
}
