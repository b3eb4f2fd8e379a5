//! Named immutable blobs, append-only logs and one atomic pointer: all that the engine asks of a disk.
//!
//! Core never waits: [`Storage::append`], [`Storage::put`] and [`Storage::flip`] queue; the host calls
//! [`Storage::poll`], which does the work, and asks what became of a [`Ticket`]. Reads answer at once or say
//! `not_resident`, and the host fetches and calls the same function again. One trait serves memory, files and,
//! in a browser, IndexedDB.

pub mod blob;
mod blob_kind;
mod descriptors;
pub mod files;
#[cfg(feature = "host")]
pub(crate) mod huge;
mod lanes;
#[cfg(feature = "host")]
pub(crate) mod machine;
pub mod memory;
#[cfg(feature = "host")]
pub mod mmap;
pub mod range_checksums;
pub mod read_only;
mod reserve;
pub mod sim;
pub mod vfs;

use std::sync::Arc;

pub use blob::{Blob, BlobId, BlobSource, Pinned, Rows, Section};
pub use blob_kind::BlobKind;
pub use files::FileRoot;
pub use memory::MemoryRoot;
#[cfg(feature = "host")]
pub use mmap::OsVfs;
pub use read_only::ReadOnlyVfs;
#[cfg(feature = "host")]
pub(crate) use reserve::is_reserve;
pub use sim::SimVfs;

use crate::base::{AlignedBytes, Lsn, StorageError};

/// What must be true of a write before it is acknowledged. Whatever the level, a log is written in order and never has
/// a hole, so that what a crash takes is its end; and a flush, a seal and closing make all of it durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Level {
    /// Applied, and written to the operating system soon after: the end of the process may take the last writes.
    Memory,
    /// Written to the operating system, which decides when it is on the disk: survives `kill -9`.
    Os,
    /// Written to the operating system, and on the disk within a second or so: survives `kill -9`; a power cut may
    /// take the last second, never anything in the middle.
    #[default]
    Everysec,
    /// On the disk: survives a power cut.
    Always,
}

impl Level {
    /// Every level, from the one that promises least.
    pub const ALL: [Self; 4] = [Self::Memory, Self::Os, Self::Everysec, Self::Always];

    /// The level of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.name() == name)
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Os => "os",
            Self::Everysec => "everysec",
            Self::Always => "always",
        }
    }
}

/// Asks later whether a queued piece of work was done. Later tickets of one storage are larger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Ticket(pub u64);

impl Ticket {
    /// Stands for everything that was queued so far, where a ticket is polled for.
    pub const LAST: Self = Self(u64::MAX);
}

/// How far a storage has come. Work on logs is done in the order it was queued, and so are blobs, flips and removals;
/// a storage may do the ones beside the others, but a flip or a removal only after all that was queued before it.
#[derive(Debug, Clone, Default)]
pub struct Progress {
    /// Every ticket up to this one was kept, but for those that are pending.
    pub kept: Ticket,
    /// Blobs, flips and removals up to there that are not done.
    pub pending: Vec<Ticket>,
    /// The last of those that were not done because the disk is full. They left nothing behind; others go on.
    pub refused: Vec<(Ticket, StorageError)>,
    /// Why the storage does nothing more, until it is opened again: what is not kept never will be.
    pub failed: Option<StorageError>,
}

impl Progress {
    /// What became of a ticket; `None` while it is still queued.
    #[must_use]
    pub fn of(&self, ticket: Ticket) -> Option<Result<(), StorageError>> {
        if let Some((_, cause)) = self.refused.iter().find(|(refused, _)| *refused == ticket) {
            return Some(Err(cause.clone()));
        }
        if ticket <= self.kept && !self.pending.contains(&ticket) {
            return Some(Ok(()));
        }
        self.failed.clone().map(Err)
    }
}

/// Something that a storage holds under a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Object {
    /// A manifest, by generation.
    Manifest(u64),
    /// A log, by generation.
    Log(u64),
    /// A blob, by number and kind.
    Blob(u64, BlobKind),
}

/// What a storage holds.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    /// Objects, sorted.
    pub objects: Vec<Object>,
    /// Objects that an interrupted write began under another name, and that may not exist; sorted.
    pub leftovers: Vec<Object>,
    /// Names that are none of ours; they are left alone.
    pub unknown: Vec<String>,
}

/// The place of one collection, or of a database's catalog.
pub trait Storage: Send + Sync {
    /// Queues a new, empty log with this header; every earlier log is made durable first.
    fn start_log(&self, generation: u64, header: Vec<u8>) -> Ticket;

    /// Queues frames for the end of a log; `last` is the position of the last of them.
    fn append(&self, generation: u64, frames: Vec<u8>, last: Lsn, level: Level) -> Ticket;

    /// Queues cutting a log's unsynced tail off at a byte offset; the tail is kept aside, not destroyed.
    fn set_aside(&self, generation: u64, from: u64) -> Ticket;

    /// Queues a blob; it is durable before any flip queued later.
    fn put(&self, id: BlobId, bytes: Arc<AlignedBytes>) -> Ticket;

    /// Queues the atomic switch to a manifest.
    fn flip(&self, generation: u64, manifest: Vec<u8>) -> Ticket;

    /// Queues the removal of objects that no manifest in use names.
    fn remove(&self, objects: Vec<Object>) -> Ticket;

    /// Queues a barrier: all frames queued before it are durable when it is kept.
    fn sync(&self) -> Ticket;

    /// Does the queued work that a ticket needs, or, where another caller is at it, waits for that; then tells how far
    /// it has come. [`Ticket::LAST`] needs everything.
    fn poll(&self, ticket: Ticket) -> Progress;

    /// How far it has come, without doing anything.
    fn progress(&self) -> Progress;

    /// Has it do nothing more, and waits until what is being done has ended; for a storage that failed, before its
    /// place is opened once more.
    fn stop(&self) {}

    /// Closes what it holds open, once that is synced; what is needed is opened again.
    fn let_go(&self) {}

    /// The last frame known to be durable.
    fn durable(&self) -> Lsn;

    /// What it holds.
    ///
    /// # Errors
    /// When it cannot be listed.
    fn list(&self) -> Result<Listing, StorageError>;

    /// The generation that the pointer names; `None` when there is no readable pointer.
    ///
    /// # Errors
    /// When reading fails otherwise.
    fn current(&self) -> Result<Option<u64>, StorageError>;

    /// A whole manifest.
    ///
    /// # Errors
    /// When it cannot be read.
    fn manifest(&self, generation: u64) -> Result<Vec<u8>, StorageError>;

    /// A whole log.
    ///
    /// # Errors
    /// When it cannot be read.
    fn log(&self, generation: u64) -> Result<Vec<u8>, StorageError>;

    /// The bytes of a blob.
    ///
    /// # Errors
    /// When it is missing or cannot be read.
    fn blob(&self, id: BlobId) -> Result<Arc<dyn BlobSource>, StorageError>;
}

/// The place of a database: a [`Storage`] for each number.
pub trait StorageRoot: Send + Sync {
    /// The storage of this number, made when it does not exist. [`CATALOG`] is the catalog's.
    ///
    /// # Errors
    /// When it cannot be made or opened.
    fn storage(&self, number: u64) -> Result<Arc<dyn Storage>, StorageError>;

    /// The storage of a number that was made earlier. Nothing is made: one that is lost is found to be so when it is read.
    ///
    /// # Errors
    /// When it cannot be opened.
    fn existing(&self, number: u64) -> Result<Arc<dyn Storage>, StorageError> {
        self.storage(number)
    }

    /// Removes the storage of this number and all it holds.
    ///
    /// # Errors
    /// When that fails.
    fn remove(&self, number: u64) -> Result<(), StorageError>;

    /// Whether there is room for more than deletes and flips. Where it had run out, looks again.
    ///
    /// # Errors
    /// `disk_full`; `io_failed`.
    fn check_room(&self) -> Result<(), StorageError> {
        Ok(())
    }

    /// The numbers that hold something, sorted, without the catalog's.
    ///
    /// # Errors
    /// When they cannot be listed.
    fn numbers(&self) -> Result<Vec<u64>, StorageError>;
}

/// The number of the catalog's storage.
pub const CATALOG: u64 = 0;
