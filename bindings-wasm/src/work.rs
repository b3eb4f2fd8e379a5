//! What crosses between this module and the store of TypeScript: what is stored, and what is to be stored, in order.

use std::sync::Arc;

use kithdb::base::AlignedBytes;
use kithdb::storage::{BlobKind, Object};
use serde::{Deserialize, Serialize};
use serde_bytes::{ByteBuf, Bytes};

/// A piece of a blob is at most so long: a record larger than a browser's message limit cannot be stored.
pub const PIECE_BYTES: usize = 4 << 20;

/// What a store holds when it is opened.
#[derive(Debug, Default, Deserialize)]
pub struct Snapshot {
    /// Each storage.
    pub storages: Vec<StorageSnapshot>,
}

/// What one storage holds.
#[derive(Debug, Deserialize)]
pub struct StorageSnapshot {
    /// Its number; 0 is the catalog.
    pub number: u64,
    /// The generation that the pointer names.
    pub current: Option<u64>,
    /// Manifests.
    pub manifests: Vec<Numbered>,
    /// Logs, each record behind the one before.
    pub logs: Vec<Numbered>,
    /// Complete blobs.
    pub blobs: Vec<BlobEntry>,
    /// Blobs that were begun and not completed.
    pub leftovers: Vec<BlobEntry>,
}

/// Bytes under a generation.
#[derive(Debug, Deserialize)]
pub struct Numbered {
    /// The generation.
    pub generation: u64,
    /// The bytes.
    pub bytes: ByteBuf,
}

/// A blob in a store.
#[derive(Debug, Deserialize)]
pub struct BlobEntry {
    /// Its number.
    pub blob: u64,
    /// Number of its kind.
    #[serde(rename = "type")]
    pub kind: u16,
    /// Its length; 0 when it is not complete.
    #[serde(default)]
    pub length: u64,
}

impl BlobEntry {
    /// As the core names it; `None` for a kind of a later version.
    pub fn object(&self) -> Option<Object> {
        BlobKind::from_number(self.kind).map(|kind| Object::Blob(self.blob, kind))
    }
}

/// A blob that has to be brought before a collection can be opened.
#[derive(Debug, Serialize)]
pub struct Missing {
    /// Which storage.
    pub storage: u64,
    /// Which blob.
    pub blob: u64,
    /// How long it is.
    pub length: u64,
}

/// Something queued.
#[derive(Debug)]
pub enum Task {
    Log { generation: u64, header: Vec<u8> },
    Append { generation: u64, frames: Vec<u8>, strict: bool },
    SetAside { generation: u64, from: u64 },
    Blob { blob: u64, kind: BlobKind, bytes: Arc<AlignedBytes> },
    Flip { generation: u64, manifest: Vec<u8> },
    Remove(Object),
    RemoveStorage,
    Sync,
}

impl Task {
    /// Whether a store must have it on the disk before it reports it kept.
    pub fn is_strict(&self) -> bool {
        match self {
            Self::Append { strict, .. } => *strict,
            Self::Remove(_) | Self::RemoveStorage => false,
            _ => true,
        }
    }

    /// Bytes to be stored.
    pub fn len(&self) -> usize {
        match self {
            Self::Log { header: bytes, .. }
            | Self::Append { frames: bytes, .. }
            | Self::Flip { manifest: bytes, .. } => bytes.len(),
            Self::Blob { bytes, .. } => bytes.len(),
            _ => 0,
        }
    }

    /// As the store gets it; of a blob, the piece that begins at `offset`.
    pub fn work(&self, storage: u64, offset: usize) -> Work<'_> {
        match self {
            Self::Log { generation, header } => {
                Work::Log { storage, generation: *generation, bytes: Bytes::new(header) }
            }
            Self::Append { generation, frames, .. } => {
                Work::Append { storage, generation: *generation, bytes: Bytes::new(frames) }
            }
            Self::SetAside { generation, from } => {
                Work::SetAside { storage, generation: *generation, from: *from }
            }
            Self::Blob { blob, kind, bytes } => {
                let total = bytes.len();
                let piece = &bytes[offset..total.min(offset + PIECE_BYTES)];
                let (blob, kind) = (*blob, *kind as u16);
                Work::Blob { storage, blob, kind_number: kind, offset, total, bytes: Bytes::new(piece) }
            }
            Self::Flip { generation, manifest } => {
                Work::Flip { storage, generation: *generation, bytes: Bytes::new(manifest) }
            }
            Self::Remove(Object::Manifest(generation)) => {
                Work::RemoveManifest { storage, generation: *generation }
            }
            Self::Remove(Object::Log(generation)) => Work::RemoveLog { storage, generation: *generation },
            Self::Remove(Object::Blob(blob, kind)) => {
                Work::RemoveBlob { storage, blob: *blob, kind_number: *kind as u16 }
            }
            Self::RemoveStorage => Work::RemoveStorage { storage },
            Self::Sync => Work::Sync,
        }
    }
}

/// Something to be stored, as a plain object.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum Work<'a> {
    /// A new log and its header.
    Log { storage: u64, generation: u64, bytes: &'a Bytes },
    /// Frames for the end of a log.
    Append { storage: u64, generation: u64, bytes: &'a Bytes },
    /// The end of a log, from an offset on, is to be kept elsewhere.
    SetAside { storage: u64, generation: u64, from: u64 },
    /// A piece of a blob; the last one completes it.
    Blob {
        storage: u64,
        blob: u64,
        #[serde(rename = "type")]
        kind_number: u16,
        offset: usize,
        total: usize,
        bytes: &'a Bytes,
    },
    /// A manifest, and the pointer to it.
    Flip { storage: u64, generation: u64, bytes: &'a Bytes },
    /// A manifest is not needed any more.
    RemoveManifest { storage: u64, generation: u64 },
    /// A log is not needed any more.
    RemoveLog { storage: u64, generation: u64 },
    /// A blob is not needed any more.
    RemoveBlob {
        storage: u64,
        blob: u64,
        #[serde(rename = "type")]
        kind_number: u16,
    },
    /// A whole storage is not needed any more.
    RemoveStorage { storage: u64 },
    /// Nothing to be stored; what was is to be on the disk.
    Sync,
}

/// Work for one transaction.
#[derive(Debug, Serialize)]
pub struct Batch<'a> {
    /// The last ticket that is kept when all of it is committed.
    pub ticket: u64,
    /// Whether it must be on the disk then.
    pub strict: bool,
    /// In the order in which it is to be done.
    pub work: Vec<Work<'a>>,
}
