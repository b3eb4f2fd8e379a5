//! What a native process adds to the engine: a clock, threads, the fsync timer, the job runner, a lock file.
//!
//! The one place with time and threads; what the Node addon and the server share. Every handle here can be shared
//! between threads: writers of one collection take turns, readers wait for nobody.

mod among;
mod asking;
mod check;
mod clock;
mod collection;
mod db;
mod delete;
mod embedder;
mod inspect;
mod jobs;
mod kv;
mod lock;
mod memory;
mod names;
mod repair;
mod running;
mod sync;
mod tasks;

pub use among::Among;
pub use clock::SystemClock;
pub use collection::{AddMode, Check, CollectionHandle, CollectionInfo, Expected, Written};
pub use db::{Db, Options, Reference};
pub use delete::{Deleted, delete};
pub use embedder::load_embedder;
pub use inspect::Inspection;
pub use memory::MemoryUse;
pub use repair::{Rescued, Saved, repair};
pub use running::{RunningJob, RunningKind};

pub use crate::storage::mmap::{Heap, heap, keep_heap_compact};
