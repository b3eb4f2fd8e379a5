//! Named immutable blobs, append-only logs and one atomic pointer: all that the engine asks of a disk.

pub mod blob;

pub use blob::{Blob, BlobId, BlobKind, Pinned, Rows, Section};
