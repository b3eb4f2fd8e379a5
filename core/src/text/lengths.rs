//! The lengths of a field, found by slot.

use std::ops::Range;

/// How many bytes a length takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Width {
    One = 1,
    Two = 2,
    Four = 4,
}

impl Width {
    const ALL: [Self; 3] = [Self::One, Self::Two, Self::Four];

    pub(super) fn bytes(self) -> usize {
        self as usize
    }

    /// The narrowest that holds this length.
    pub(super) fn of(longest: u32) -> Self {
        match longest {
            0..=0xFF => Self::One,
            0x100..=0xFFFF => Self::Two,
            _ => Self::Four,
        }
    }

    pub(super) fn from_bytes(bytes: u64) -> Option<Self> {
        Self::ALL.into_iter().find(|width| width.bytes() as u64 == bytes)
    }

    /// Whether a field of so many documents takes less when the slots that have it are listed than when all slots have a
    /// length, 0 for those that lack the field.
    pub(super) fn is_listed(self, documents: u64, n_slots: u64) -> bool {
        documents * (self.bytes() as u64 + 4) < n_slots * self.bytes() as u64
    }
}

/// The lengths of a field, found by slot.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lengths<'a> {
    pub(super) n_slots: u32,
    /// Which slots have the field, ascending; `None` when every slot has a length, 0 where it lacks the field.
    pub(super) slots: Option<&'a [u32]>,
    /// Little-endian numbers.
    pub(super) bytes: &'a [u8],
    pub(super) width: Width,
    /// No length is above this.
    pub(super) longest: u32,
}

impl Lengths<'_> {
    /// The length in a place of the list.
    #[inline]
    #[cfg_attr(kithdb_small, optimize(speed))]
    pub(super) fn at(&self, i: usize) -> Option<u32> {
        match self.width {
            Width::One => self.bytes.get(i).map(|&byte| u32::from(byte)),
            Width::Two => self.bytes.as_chunks().0.get(i).map(|two| u32::from(u16::from_le_bytes(*two))),
            Width::Four => self.bytes.as_chunks().0.get(i).map(|four| u32::from_le_bytes(*four)),
        }
    }

    fn len(&self) -> usize {
        self.bytes.len() / self.width.bytes()
    }

    /// Calls `f` with each slot that has the field and its length.
    pub(super) fn for_each(&self, f: &mut dyn FnMut(u32, u32)) {
        for i in 0..self.len() {
            let slot = self.slots.map_or(i as u32, |slots| slots[i]);
            if let Some(length) = self.at(i).filter(|&length| length > 0) {
                f(slot, length);
            }
        }
    }

    /// The length at a slot that has the field.
    #[inline]
    #[cfg_attr(kithdb_small, optimize(speed))]
    pub(super) fn get(&self, slot: u32) -> Option<u32> {
        let at = match self.slots {
            None => slot as usize,
            Some(slots) => {
                let window = self.window(slot);
                window.start + slots.get(window)?.binary_search(&slot).ok()?
            }
        };
        self.at(at).filter(|&length| length > 0)
    }

    /// Where a slot can stand: slots are distinct, so at most `slot` of them come before it and at most
    /// `n_slots - 1 - slot` after it. The fuller the field, the narrower the search.
    fn window(&self, slot: u32) -> Range<usize> {
        let (len, slot) = (self.len(), slot as usize);
        let absent = (self.n_slots as usize).saturating_sub(len);
        slot.saturating_sub(absent).min(len)..(slot + 1).min(len)
    }
}
