//! What a collection takes and holds, read from its storage without opening it to write.

use std::sync::Arc;

use crate::base::{Lsn, Result, Slot};
use crate::collection::{CollectionConfig, Part, View};
use crate::storage::{BlobKind, Object, Storage};

use super::collection::{Collection, Env};
use super::log;
use super::recover;

/// A segment and its blobs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SegmentFigures {
    /// Versions in it.
    pub slots: usize,
    /// Of these, live ones.
    pub live: usize,
    /// Bytes of each blob, by kind.
    pub blobs: Vec<(BlobKind, u64)>,
}

/// What recovery would replay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MemtableFigures {
    /// Live documents that it would make.
    pub documents: usize,
    /// Frames of the logs behind the cut.
    pub frames: u64,
    /// Bytes of them.
    pub bytes: u64,
    /// Bytes of an unfinished write behind them, which opening sets aside.
    pub tail_bytes: u64,
}

/// Figures of a collection.
#[derive(Debug, Clone, PartialEq)]
pub struct Figures {
    /// How it was made.
    pub config: CollectionConfig,
    /// Dimension of its vectors, once known.
    pub dim: Option<u32>,
    /// Live documents.
    pub documents: usize,
    /// Of these, how many have a vector.
    pub vectors: usize,
    /// Versions that have ended and are still stored.
    pub ended: usize,
    /// Its segments, in the order of seq.
    pub segments: Vec<SegmentFigures>,
    /// What is in no segment yet.
    pub memtable: MemtableFigures,
    /// Logs: generation and bytes. Those that only an older manifest needs are among them.
    pub logs: Vec<(u64, u64)>,
    /// The manifest that holds.
    pub generation: u64,
    /// The one that is kept to fall back on.
    pub previous: Option<u64>,
    /// Version of the format that the manifest was written in.
    pub format_version: u16,
}

impl Figures {
    /// Reads them. Nothing is queued or changed.
    ///
    /// # Errors
    /// As [`Collection::open`].
    pub fn read(storage: &Arc<dyn Storage>, env: &Env, name: &str) -> Result<Self> {
        let view = Collection::read(Arc::clone(storage), env.clone(), name)?;
        let listing = storage.list()?;
        let found = recover::manifests(&**storage, &listing, env, name)?;
        let manifest = found.current;
        let replay = log::replay(
            manifest.collection_id,
            manifest.cut.lsn,
            &recover::logs(&**storage, &listing, &manifest)?,
        )?;
        let mut logs = Vec::new();
        for object in &listing.objects {
            if let Object::Log(generation) = object {
                logs.push((*generation, storage.log(*generation)?.len() as u64));
            }
        }
        let stats = view.stats();
        Ok(Self {
            config: manifest.config.clone(),
            dim: view.dim,
            documents: stats.documents,
            vectors: vectors(&view)?,
            ended: stats.ended,
            segments: segments(&view),
            memtable: MemtableFigures {
                documents: stats.memtable,
                frames: replay.last.0.saturating_sub(manifest.cut.lsn.0),
                bytes: replay.bytes,
                tail_bytes: replay.tail.map_or(0, |(_, _, bytes)| bytes),
            },
            logs,
            generation: manifest.generation,
            previous: found.previous.map(|manifest| manifest.generation),
            format_version: manifest.format_version,
        })
    }
}

/// What the writer of an open collection knows of it at one moment, asked of nobody else: a storage may take its time.
pub struct Known {
    view: Arc<View>,
    storage: Arc<dyn Storage>,
    cut: Lsn,
    replayed_bytes: u64,
    generation: u64,
    previous: Option<u64>,
    format_version: u16,
}

impl Known {
    /// The figures of that moment. Takes as long as looking at each segment and listing the storage, and needs no writer.
    ///
    /// # Errors
    /// `corrupt`, `io_failed`.
    pub fn figures(self) -> Result<Figures> {
        let Self { view, storage, cut, replayed_bytes, generation, previous, format_version } = self;
        let mut logs = Vec::new();
        for object in &storage.list()?.objects {
            // In a tab only the store has them; elsewhere one may have gone since it was listed.
            if let Object::Log(generation) = object
                && let Ok(log) = storage.log(*generation)
            {
                logs.push((*generation, log.len() as u64));
            }
        }
        let stats = view.stats();
        Ok(Figures {
            config: (*view.config).clone(),
            dim: view.dim,
            documents: stats.documents,
            vectors: vectors(&view)?,
            ended: stats.ended,
            segments: segments(&view),
            memtable: MemtableFigures {
                documents: stats.memtable,
                frames: view.lsn.0.saturating_sub(cut.0),
                bytes: replayed_bytes,
                tail_bytes: 0,
            },
            logs,
            generation,
            previous,
            format_version,
        })
    }
}

impl Collection {
    /// What is known of it now.
    #[must_use]
    pub fn known(&self) -> Known {
        Known {
            view: self.reader().load_full(),
            storage: self.storage(),
            cut: self.manifest.cut.lsn,
            replayed_bytes: self.replayed_bytes() as u64,
            generation: self.manifest.generation,
            previous: self.previous.as_ref().map(|manifest| manifest.generation),
            format_version: self.manifest.format_version,
        }
    }
}

/// Live documents that have a vector.
fn vectors(view: &View) -> Result<usize> {
    let mut count = 0;
    for part in &view.parts {
        match &part.part {
            Part::Chunk(chunk) => {
                let counts = |slot: &Slot| !part.ends.contains(*slot) && chunk.row(*slot).vector.is_some();
                count += (0..chunk.rows().len() as u32).map(Slot).filter(counts).count();
            }
            Part::Segment(segment) => {
                count += segment.rows.vectors();
                for end in part.ends.iter() {
                    count -= usize::from(segment.rows.ordinal(end.slot)?.is_some());
                }
            }
        }
    }
    Ok(count)
}

fn segments(view: &View) -> Vec<SegmentFigures> {
    let mut found = Vec::new();
    for part in &view.parts {
        let Part::Segment(segment) = &part.part else { continue };
        let blobs = segment.lens.clone();
        found.push(SegmentFigures { slots: segment.len(), live: part.live(), blobs });
    }
    found
}
