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

/// What a write changed, as readers see it. Times are those of the change: ns since 1970 UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "id: the document's; source, relation, target: the edge's; at: when")]
#[non_exhaustive]
pub enum Change {
    /// The collection was made, empty or from a file.
    Created { at: i64 },
    /// The collection was dropped, with all that was in it.
    Dropped { at: i64 },
    /// A document is there that was not.
    Added { id: Box<str>, at: i64 },
    /// A document has another version.
    Replaced { id: Box<str>, at: i64 },
    /// A document is gone: it was deleted, or had expired, which the next write takes note of.
    Deleted { id: Box<str>, at: i64 },
    /// A document was used.
    Touched { id: Box<str>, at: i64 },
    /// A version of an edge began.
    Linked { source: Box<str>, relation: Box<str>, target: Box<str>, at: i64 },
    /// An edge ended, or was forgotten. Those that end with a document are not told one by one.
    Unlinked { source: Box<str>, relation: Box<str>, target: Box<str>, at: i64 },
}

/// Told of events. Must not call back into the core.
pub trait Observer: Send + Sync {
    /// Called as it happens, on whatever thread it happens.
    fn event(&self, event: Event);

    /// Whether it wants to be told of changes, which are collected for it alone.
    fn wants_changes(&self) -> bool {
        false
    }

    /// Called with what a batch changed, in its order, when readers see it and before another write of the collection: it
    /// holds that up, and must not wait. What a storage then fails to keep is taken back without a word.
    fn changed(&self, _collection: &str, _changes: Vec<Change>) {}
}

/// Tells nobody.
#[derive(Debug, Default)]
pub struct NoObserver;

impl Observer for NoObserver {
    fn event(&self, _: Event) {}
}
