//! What the core asks of its host: the time, and somebody to tell.

use std::sync::atomic::{AtomicI64, Ordering};

/// The time, from outside. Core never reads a clock itself.
pub trait Clock: Send + Sync {
    /// Nanoseconds since 1970 UTC.
    fn now_ns(&self) -> i64;
}

/// A clock that stands still until it is moved, for tests and replays.
#[derive(Debug, Default)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// A clock that shows `now_ns`.
    #[must_use]
    pub fn at(now_ns: i64) -> Self {
        Self(AtomicI64::new(now_ns))
    }

    /// Moves it forward.
    pub fn advance(&self, ns: i64) {
        self.0.fetch_add(ns, Ordering::Relaxed);
    }
}

impl Clock for ManualClock {
    fn now_ns(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What happened inside, for logs and figures. Core writes no log itself.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// A collection was opened.
    Opened {
        /// Its name.
        collection: String,
        /// Frames of the log that were applied.
        replayed: u64,
        /// Bytes of an unsynced tail that were set aside.
        truncated_bytes: u64,
    },
    /// Something is odd and was left alone.
    Warning {
        /// Where: a collection or the database.
        at: String,
        /// What, in words.
        message: String,
    },
    /// A job ended.
    JobDone {
        /// Which collection.
        collection: String,
        /// `seal`, `index`, `merge` or `optimize`.
        job: &'static str,
        /// Documents it wrote or linked.
        documents: u64,
    },
}

/// Told of events. Must not call back into the core.
pub trait Observer: Send + Sync {
    /// Called as it happens, on whatever thread it happens.
    fn event(&self, event: Event);
}

/// Tells nobody.
#[derive(Debug, Default)]
pub struct NoObserver;

impl Observer for NoObserver {
    fn event(&self, _: Event) {}
}
