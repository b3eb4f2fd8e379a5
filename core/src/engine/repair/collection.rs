//! Saving one collection: the newest generation that can be read, mended by the one before.

use crate::base::{Error, Lsn, Result};
use crate::collection::CollectionConfig;
use crate::engine::export::{Parsed, renumbered, with_keys_of};
use crate::engine::log;
use crate::engine::manifest::Manifest;
use crate::storage::{Listing, Object, Storage};

use super::generations::{Generations, generations};
use super::state::State;

/// What is lost of a collection.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Losses {
    /// Documents whose ids can still be read, sorted.
    pub ids: Vec<String>,
    /// Documents whose ids are lost too, at most.
    pub nameless: usize,
    /// Segments of which nobody knows what they held.
    pub segments: usize,
    /// Frames of the log, each of which held some writes.
    pub frames: u64,
    /// Ends that cannot be read: so many deleted or replaced documents may be back; `usize::MAX` for nobody knows.
    pub ends: usize,
    /// Blobs of edges that cannot be read.
    pub edges: usize,
    /// No manifest is as it was written: how the collection was made may be wrong, and what was deleted may be back.
    pub settings: bool,
}

impl Losses {
    /// Whether nothing is lost.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

/// What was saved of a collection, to be stored anew.
pub struct Salvaged {
    pub(in crate::engine) documents: Parsed,
    /// The generation it was saved from.
    pub generation: u64,
    /// What is lost.
    pub losses: Losses,
    /// Bytes at the end of the log that are an unfinished write, or a finished one that is damaged: nobody can tell.
    pub unfinished_bytes: u64,
    /// What happened, for people.
    pub notes: Vec<String>,
}

impl Salvaged {
    /// How many documents were saved.
    #[must_use]
    pub fn count(&self) -> usize {
        self.documents.rows.len()
    }

    /// How the collection was made.
    #[must_use]
    pub fn config(&self) -> &CollectionConfig {
        &self.documents.config
    }
}

/// Saves what a storage still holds of a collection. Nothing is queued or changed. `collection_id` is what the catalog
/// says, where one can be read.
///
/// # Errors
/// `corrupt` when nothing tells what the collection is; `unsupported_version`; `io_failed`.
pub fn salvage(storage: &dyn Storage, collection_id: Option<u64>) -> Result<Salvaged> {
    let listing = storage.list()?;
    let Generations { readable, mut notes, .. } = generations(storage, &listing, &Manifest::decode)?;
    let newest_log = readable.iter().map(|manifest| manifest.log).max().unwrap_or(0);
    let mut readable = readable.into_iter();
    let (manifest, is_guessed) = match readable.next() {
        Some(manifest) => (manifest, false),
        None => (guessed(storage, &listing, collection_id, &mut notes)?, true),
    };
    let mut generation = manifest.generation;
    let mut state = State::of(storage, &listing, &manifest, newest_log);
    let before = readable.next().filter(|_| !state.is_whole());
    let before =
        before.map(|manifest| (manifest.generation, State::of(storage, &listing, &manifest, newest_log)));
    match before {
        Some((previous, before)) if before.is_whole() => {
            notes.append(&mut state.notes);
            notes.push(format!("generation {previous} is whole and was taken instead"));
            (generation, state) = (previous, before);
        }
        Some((previous, before)) => {
            notes.append(&mut state.notes);
            let filled = state.fill(before);
            if filled > 0 {
                notes.push(format!("{filled} documents were taken from generation {previous}"));
            }
        }
        None => notes.append(&mut state.notes),
    }
    let losses = Losses {
        ids: state.lost.iter().map(|id| id.to_string()).collect(),
        nameless: state.nameless,
        segments: state.segments,
        frames: state.frames,
        ends: state.ends,
        edges: state.lost_edges,
        settings: is_guessed,
    };
    let unfinished_bytes = state.unfinished_bytes;
    let dim = state.dim.or(manifest.config.dim);
    let edges = std::mem::take(&mut state.edges).first(i64::MIN);
    let rows = renumbered(state.into_rows());
    let edges = with_keys_of(edges, &rows, 0);
    let documents = Parsed::without_history(manifest.config, dim, rows, edges);
    Ok(Salvaged { documents, generation, losses, unfinished_bytes, notes })
}

/// Where no manifest is as it was written: what the newest that can be made out says, or else a collection with default
/// settings that has nothing but its logs. All logs are replayed from their beginning, which comes to the same end.
fn guessed(
    storage: &dyn Storage,
    listing: &Listing,
    collection_id: Option<u64>,
    notes: &mut Vec<String>,
) -> Result<Manifest> {
    let known = |object: &Object| if let Object::Manifest(n) = object { Some(*n) } else { None };
    let made_out = listing.objects.iter().filter_map(known).rev().find_map(|generation| {
        let bytes = storage.manifest(generation).ok()?;
        Manifest::decode_damaged(generation, &bytes).ok()
    });
    let mut manifest = match (made_out, collection_id) {
        (Some(manifest), id) => Manifest { collection_id: id.unwrap_or(manifest.collection_id), ..manifest },
        (None, Some(id)) => {
            notes.push("no manifest tells which blobs count: only its logs are read".to_owned());
            Manifest::first(id, CollectionConfig::default())
        }
        (None, None) => return Err(Error::corrupt("collection", 0, "a manifest or a catalog that names it")),
    };
    let what = "metric, text, dimension and embedder may be wrong, and deleted documents may be back";
    notes.push(format!("its manifest is damaged: {what}"));
    (manifest.config.dim, manifest.cut.dim, manifest.cut.lsn) = (None, None, Lsn(0));
    let logs = listing.objects.iter().find_map(|o| if let Object::Log(n) = o { Some(*n) } else { None });
    if let Some(first) = logs {
        manifest.log = first;
        let bytes = storage.log(first).unwrap_or_default();
        let lsn = log::first_lsn(manifest.collection_id, first, &bytes).unwrap_or(Lsn(1));
        manifest.cut.lsn = Lsn(lsn.0 - 1);
    }
    Ok(manifest)
}
