//! When a reader looks: now, or at an earlier moment.
//!
//! A version is there from its `valid_from` until it ended or expired. The newest write of a collection is its own
//! clock: what is read at that time or later is its current state, less what has expired by then.

use std::sync::atomic::Ordering;

use crate::base::time::format_time;
use crate::base::{Bitmap, Result, Slot, StateError};

use super::view::{PartView, View};

/// When a reader looks at a view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    time: i64,
    /// No write came later.
    is_current: bool,
}

impl Moment {
    /// Nanoseconds since 1970 UTC.
    #[must_use]
    pub fn time(self) -> i64 {
        self.time
    }

    /// Whether nothing was written later.
    #[must_use]
    pub fn is_current(self) -> bool {
        self.is_current
    }
}

impl View {
    /// Now, by a clock: what is there, less what has expired.
    #[must_use]
    pub fn now(&self, clock: i64) -> Moment {
        Moment { time: clock.max(self.counters.last_time), is_current: true }
    }

    /// The moment that a reader asks for; `None` for now, by a clock.
    ///
    /// # Errors
    /// `history_gone` when versions that were there then may have been dropped.
    pub fn moment(&self, as_of: Option<i64>, clock: i64) -> Result<Moment> {
        let Some(time) = as_of else { return Ok(self.now(clock)) };
        let earliest = self.earliest();
        if time < earliest {
            let (asked, earliest) = (format_time(time), format_time(earliest));
            return Err(StateError::HistoryGone { asked, earliest }.into());
        }
        Ok(self.at(time))
    }

    /// A moment, whether all that was there then is kept or not.
    pub(super) fn at(&self, time: i64) -> Moment {
        Moment { time, is_current: time >= self.counters.last_time }
    }

    /// The earliest moment that can be asked for. It depends on what was written, not on what was dropped already.
    #[must_use]
    pub fn earliest(&self) -> i64 {
        let horizon = self.config.history.horizon(self.counters.last_time);
        // As long as nothing has ended that may be dropped, everything is there.
        let kept_from = if self.counters.first_end > horizon { i64::MIN } else { horizon };
        kept_from.max(self.counters.known_from)
    }
}

impl View {
    /// The ids of up to `limit` documents that have expired by a time and have not ended: the next write ends them.
    ///
    /// # Errors
    /// `corrupt`.
    pub fn expired(&self, time: i64, limit: usize) -> Result<Vec<String>> {
        let mut ids = Vec::new();
        for part in &self.parts {
            let (found, swept) = (ids.len(), part.part.swept());
            let due = part.part.expiry()?.between(swept.load(Ordering::Relaxed), time);
            for slot in due.filter(|slot| !part.ends.contains(*slot)) {
                if ids.len() == limit {
                    return Ok(ids);
                }
                ids.push(part.part.id(slot)?.to_owned());
            }
            if ids.len() == found {
                swept.fetch_max(time, Ordering::Relaxed);
            }
        }
        Ok(ids)
    }
}

impl PartView {
    /// Whether the version in a slot is there at a moment.
    ///
    /// # Errors
    /// `corrupt`.
    pub fn is_visible(&self, slot: Slot, moment: Moment) -> Result<bool> {
        let time = moment.time;
        if self.part.expires_at(slot)? <= time {
            return Ok(false);
        }
        if moment.is_current {
            return Ok(!self.ends.contains(slot));
        }
        let has_begun = self.part.valid_from(slot)? <= time;
        Ok(has_begun && self.ends.get(slot).is_none_or(|end| end.valid_to > time))
    }

    /// The slots of the versions that are there at a moment; `None` for all.
    ///
    /// # Errors
    /// `corrupt`.
    pub fn visible(&self, moment: Moment) -> Result<Option<Bitmap>> {
        let (slots, time) = (self.part.len(), moment.time);
        let begun = if moment.is_current { slots } else { self.part.begun_by(time)? };
        let expiry = self.part.expiry()?;
        if self.ends.count() == 0 && begun == slots && expiry.by(time).next().is_none() {
            return Ok(None);
        }
        let mut visible = Bitmap::full(slots);
        (begun..slots).for_each(|slot| visible.remove(slot));
        for end in self.ends.iter().filter(|end| moment.is_current || end.valid_to <= time) {
            visible.remove(end.slot.index());
        }
        expiry.by(time).for_each(|slot| visible.remove(slot.index()));
        Ok(Some(visible))
    }
}
