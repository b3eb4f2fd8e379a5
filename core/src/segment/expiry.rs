//! When the versions of a part expire: found by slot, and in the order in which they go.

use crate::base::{Key, NEVER, Slot};

use super::row::SharedRow;

/// When the versions of a part expire.
#[derive(Debug, Clone, Default)]
pub struct Expiry {
    /// Slots that expire, ascending.
    pub(super) slots: Vec<u32>,
    /// When each of them does.
    pub(super) times: Vec<i64>,
    /// Places in the two above, the first to expire first, ties by slot.
    pub(super) order: Vec<u32>,
}

impl Expiry {
    /// Of slots, ascending, and when each expires.
    #[must_use]
    pub fn new(expiring: impl Iterator<Item = (u32, i64)>) -> Self {
        let (slots, times): (Vec<u32>, Vec<i64>) = expiring.unzip();
        let mut order: Vec<u32> = (0..slots.len() as u32).collect();
        order.sort_by_key(|&at| (times[at as usize], at));
        Self { slots, times, order }
    }

    /// Of these rows, by slot.
    #[must_use]
    pub fn of(rows: &[SharedRow]) -> Self {
        let times = (0u32..).zip(rows).map(|(slot, row)| (slot, row.expires_at));
        Self::new(times.filter(|(_, time)| *time < NEVER))
    }

    /// The same, borrowed.
    #[must_use]
    pub fn view(&self) -> ExpiryView<'_> {
        ExpiryView { slots: &self.slots, times: &self.times, order: &self.order }
    }
}

/// When the versions of a part expire, by the keys of their documents.
#[derive(Debug, Default)]
pub struct ExpiryByKey(Vec<(Key, i64, Slot)>);

impl ExpiryByKey {
    /// Of these, in any order.
    #[must_use]
    pub fn new(mut expiring: Vec<(Key, i64, Slot)>) -> Self {
        expiring.sort_unstable();
        Self(expiring)
    }

    /// The versions of a document that expire by a time: when each does, and its slot.
    pub fn of(&self, key: Key, time: i64) -> impl Iterator<Item = (i64, Slot)> {
        let own = &self.0[self.0.partition_point(|(other, ..)| *other < key)..];
        own.iter()
            .take_while(move |(other, at, _)| *other == key && *at <= time)
            .map(|(_, at, slot)| (*at, *slot))
    }
}

/// When the versions of a part expire.
#[derive(Debug, Clone, Copy)]
pub struct ExpiryView<'a> {
    slots: &'a [u32],
    times: &'a [i64],
    order: &'a [u32],
}

impl<'a> ExpiryView<'a> {
    /// Slots, ascending; when each expires; places in both, the first to expire first.
    pub(super) fn new(slots: &'a [u32], times: &'a [i64], order: &'a [u32]) -> Self {
        Self { slots, times, order }
    }

    /// When the version in a slot expires; [`NEVER`] when it does not.
    #[must_use]
    pub fn at(self, slot: Slot) -> i64 {
        self.slots.binary_search(&slot.0).map_or(NEVER, |at| self.times[at])
    }

    /// The slots that expire, ascending, and when each does.
    pub fn iter(self) -> impl Iterator<Item = (Slot, i64)> + 'a {
        self.slots.iter().zip(self.times).map(|(slot, time)| (Slot(*slot), *time))
    }

    /// The slots that have expired at a time, the first to expire first.
    pub fn by(self, time: i64) -> impl Iterator<Item = Slot> + 'a {
        self.between(i64::MIN, time)
    }

    /// The slots that expire after `since` and at `time` or before, the first to expire first.
    pub fn between(self, since: i64, time: i64) -> impl Iterator<Item = Slot> + 'a {
        let first = |time: i64| self.order.partition_point(|&at| self.times[at as usize] <= time);
        let due = if since < time { first(since)..first(time) } else { 0..0 };
        self.order[due].iter().map(move |&at| Slot(self.slots[at as usize]))
    }
}
