//! How often the versions of a part were touched, and when last: what ranking by use reads. A touch makes no version.
//!
//! Shared between views, as ends are: touching a slot copies one page of 4,096 slots.

use std::sync::Arc;

use crate::base::{DecodeError, Reader, Slot, Writer};

const PAGE_SLOTS: usize = 4096;
const ENTRY_BYTES: usize = 16;

/// How often a version was touched, and when last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Touch {
    /// How often, at least once; beyond 2^32 - 1 it is no longer counted.
    pub count: u32,
    /// When last: ns since 1970 UTC.
    pub last: i64,
}

/// What was touched of one part.
#[derive(Debug, Clone, Default)]
pub struct Touches {
    /// Ascending slots, by page.
    pages: Vec<Arc<Vec<(Slot, Touch)>>>,
    /// All counts together.
    total: u64,
}

impl Touches {
    /// How often all versions together were touched.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.total
    }

    /// How often a version was touched; `None` for never.
    #[must_use]
    pub fn get(&self, slot: Slot) -> Option<Touch> {
        let page = self.pages.get(slot.index() / PAGE_SLOTS)?;
        page.binary_search_by_key(&slot, |(slot, _)| *slot).ok().map(|at| page[at].1)
    }

    /// Touches a version once more.
    pub fn add(&mut self, slot: Slot, at: i64) {
        let before = self.get(slot).map_or(0, |touch| touch.count);
        self.set(slot, Touch { count: before.saturating_add(1), last: at });
    }

    /// Says how often a version was touched.
    pub fn set(&mut self, slot: Slot, touch: Touch) {
        let number = slot.index() / PAGE_SLOTS;
        if self.pages.len() <= number {
            self.pages.resize(number + 1, Arc::default());
        }
        let page = Arc::make_mut(&mut self.pages[number]);
        self.total += u64::from(touch.count);
        match page.binary_search_by_key(&slot, |(slot, _)| *slot) {
            Ok(at) => {
                self.total -= u64::from(page[at].1.count);
                page[at].1 = touch;
            }
            Err(at) => page.insert(at, (slot, touch)),
        }
    }

    /// All of them, by slot.
    pub fn iter(&self) -> impl Iterator<Item = (Slot, Touch)> + '_ {
        self.pages.iter().flat_map(|page| page.iter().copied())
    }

    /// Entries, ascending: slot `u32`, count `u32`, last `i64`.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut w = Writer::new();
        for (slot, touch) in self.iter() {
            w.u32(slot.0);
            w.u32(touch.count);
            w.i64(touch.last);
        }
        w.finish()
    }

    /// Reads what [`Touches::encode`] wrote, of a part with so many slots.
    ///
    /// # Errors
    /// When the bytes are not those of touches.
    pub fn decode(bytes: &[u8], slots: usize) -> Result<Self, DecodeError> {
        if !bytes.len().is_multiple_of(ENTRY_BYTES) {
            return Err(DecodeError { offset: 0, expected: "whole entries" });
        }
        let (mut touches, mut least) = (Self::default(), 0);
        let mut r = Reader::new(bytes);
        while r.remaining() > 0 {
            let offset = r.offset();
            let (slot, touch) = (Slot(r.u32()?), Touch { count: r.u32()?, last: r.i64()? });
            if slot.index() < least || slot.index() >= slots || touch.count == 0 {
                return Err(DecodeError { offset, expected: "touched slots in ascending order" });
            }
            least = slot.index() + 1;
            touches.set(slot, touch);
        }
        Ok(touches)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_copy_does_not_see_later_touches() {
        let mut now = Touches::default();
        now.add(Slot(5_000), 1);
        let before = now.clone();
        now.add(Slot(5_000), 3);
        now.add(Slot(2), 4);
        assert_eq!(before.get(Slot(5_000)), Some(Touch { count: 1, last: 1 }));
        assert_eq!(now.get(Slot(5_000)), Some(Touch { count: 2, last: 3 }));
        assert_eq!((before.total(), now.total(), now.get(Slot(5_001))), (1, 3, None));
    }

    #[test]
    fn touches_come_back_and_what_cannot_be_is_refused() {
        let mut touches = Touches::default();
        (0..3).for_each(|i| touches.add(Slot(i * 4_096), i64::from(i)));
        let bytes = touches.encode();
        let again = Touches::decode(&bytes, 8_193).expect("written above");
        assert_eq!(again.iter().collect::<Vec<_>>(), touches.iter().collect::<Vec<_>>());
        assert_eq!(again.total(), 3);
        assert!(Touches::decode(&bytes, 8_192).is_err(), "a slot that is not there");
        assert!(Touches::decode(&bytes[..15], 8_193).is_err(), "half an entry");
        assert!(Touches::decode(&bytes[16..].repeat(2), 8_193).is_err(), "a slot twice");
    }
}
