//! What one generation of a damaged collection still says: its documents, and what is lost of them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::base::{Error, Key, Result, Seq, Slot};
use crate::collection::linking::Noted;
use crate::collection::{Counters, Op};
use crate::engine::log;
use crate::engine::manifest::Manifest;
use crate::graph::{EdgeSource, EdgeTable, EdgesReader, Gone};
use crate::segment::{Row, RowsSalvage, SegmentBlobs, ends};
use crate::storage::{Blob, BlobId, Listing, Object, Storage};
use crate::vectors::{check_vector, inverse_norm};

/// The documents of a generation and what is lost.
#[derive(Default)]
pub(super) struct State {
    /// By the order of their newest versions.
    rows: BTreeMap<u64, Row>,
    places: HashMap<Box<str>, u64>,
    next: u64,
    pub dim: Option<u32>,
    /// Documents that are lost.
    pub lost: BTreeSet<Box<str>>,
    /// Documents that are lost and whose ids are too.
    pub nameless: usize,
    /// Segments of which nobody knows what they held.
    pub segments: usize,
    /// Ends that cannot be read: documents that were deleted may be back.
    pub ends: usize,
    /// All entries of edges that can be read, their numbers as they were.
    pub edges: EdgeTable,
    /// Blobs of edges that cannot be read.
    pub lost_edges: usize,
    /// Frames of the log that are gone.
    pub frames: u64,
    /// Bytes at the end of the log that belong to no write that was finished.
    pub unfinished_bytes: u64,
    /// What happened, for people.
    pub notes: Vec<String>,
}

impl State {
    /// Reads all that a manifest names and what its logs add.
    ///
    /// `newest_log` is the highest that any manifest names: it was there before that manifest was.
    pub fn of(storage: &dyn Storage, listing: &Listing, manifest: &Manifest, newest_log: u64) -> Self {
        let mut this = Self { dim: manifest.cut.dim, ..Self::default() };
        for blobs in &manifest.segments {
            if let Some(id) = blobs.edges {
                this.edges_of(storage, id);
            }
            if let Err(error) = this.segment(storage, manifest, blobs) {
                this.segments += 1;
                this.notes.push(format!("all of segment {} is lost: {error}", blobs.rows.number));
            }
        }
        this.logs(storage, listing, manifest, newest_log);
        this
    }

    /// Whether nothing is lost.
    pub fn is_whole(&self) -> bool {
        let lost_others = self.ends > 0 || self.frames > 0 || self.lost_edges > 0;
        self.names_its_losses() && self.lost.is_empty() && !lost_others
    }

    /// Whether every document that is lost is known by its id.
    fn names_its_losses(&self) -> bool {
        self.nameless == 0 && self.segments == 0
    }

    /// Its documents in the order of their times, which is the one in which versions begin.
    pub fn into_rows(self) -> impl Iterator<Item = Row> {
        let mut rows: Vec<Row> = self.rows.into_values().collect();
        rows.sort_by_key(|row| row.valid_from);
        let mut last = i64::MIN;
        for row in &mut rows {
            // Two of one time were never written; what is left of a damaged collection may look like it.
            row.valid_from = row.valid_from.max(last.saturating_add(1));
            last = row.valid_from;
        }
        rows.into_iter()
    }

    fn edges_of(&mut self, storage: &dyn Storage, id: BlobId) {
        let read = || {
            let blob = Blob::open(id, storage.blob(id)?)?;
            blob.verify()?;
            EdgesReader::open(&blob)?.table()
        };
        match read() {
            Ok(edges) => self.edges = self.edges.joined(&edges),
            Err(error) => {
                self.lost_edges += 1;
                self.notes.push(format!("the edges of {}.edges are lost: {error}", id.number));
            }
        }
    }

    fn segment(&mut self, storage: &dyn Storage, manifest: &Manifest, blobs: &SegmentBlobs) -> Result<()> {
        let blob = Blob::open_damaged(blobs.rows, storage.blob(blobs.rows)?)?;
        let rows = RowsSalvage::open(&blob, manifest.config.metric)?;
        let mut ended = BTreeSet::new();
        if let Some(id) = blobs.ends {
            let opened =
                storage.blob(id).map_err(Error::from).and_then(|source| Blob::open_damaged(id, source));
            let (found, missing) = opened.map_or((Vec::new(), usize::MAX), |blob| ends::salvage(&blob));
            ended.extend(found.into_iter().map(|end| end.slot));
            if missing > 0 {
                self.ends = self.ends.saturating_add(missing);
                let what = "damaged, so that documents that were deleted or replaced may be back";
                self.notes.push(format!("{}.ends is {what}", id.number));
            }
        }
        if rows.unknown_expiry > 0 {
            self.ends = self.ends.saturating_add(rows.unknown_expiry);
            let what = "when some documents expire cannot be read: they stay";
            self.notes.push(format!("segment {}: {what}", blobs.rows.number));
        }
        for slot in (0..rows.len() as u32).map(Slot).filter(|slot| !ended.contains(slot)) {
            match (rows.row(slot), rows.id(slot)) {
                (Ok(row), _) => self.put(row),
                (Err(_), Ok(id)) => self.lose(id),
                (Err(_), Err(_)) => self.nameless += 1,
            }
        }
        Ok(())
    }

    fn logs(&mut self, storage: &dyn Storage, listing: &Listing, manifest: &Manifest, newest_log: u64) {
        let mut logs = Vec::new();
        for object in &listing.objects {
            let Object::Log(generation) = *object else { continue };
            if generation < manifest.log {
                continue;
            }
            match storage.log(generation) {
                Ok(bytes) => logs.push((generation, bytes)),
                Err(error) => self.notes.push(format!("log {generation} is lost: {error}")),
            }
        }
        let is_cut_short = logs.last().is_none_or(|(generation, _)| *generation < newest_log);
        if is_cut_short {
            self.notes.push(format!("log {newest_log} is lost, and with it what was written last"));
        }
        let found = log::salvage(manifest.collection_id, manifest.cut.lsn, &logs);
        self.frames = found.missing_frames.max(u64::from(is_cut_short));
        self.unfinished_bytes = found.unread_bytes;
        let seqs =
            self.edges.edges().iter().map(|edge| edge.seq).chain(self.edges.gone().iter().map(|g| g.seq));
        let mut seq = seqs.max().unwrap_or_default();
        let (mut noted, mut ends_of_edges) = (Noted::default(), HashMap::new());
        for op in found.ops {
            seq.0 += 1;
            match op {
                Op::Delete { id, valid_to } => {
                    let key = ends_of_edges.get(&*id).copied().or_else(|| self.edges.key_of(&id));
                    noted.gone.extend(key.map(|key| Gone { key, seq, at: valid_to }));
                    self.delete(&id);
                }
                Op::Link { ref source, ref target, .. } | Op::Unlink { ref source, ref target, .. } => {
                    let named = [source, target].map(|(key, id)| (id.clone(), *key));
                    ends_of_edges.extend(named);
                    noted.take(op, seq, &mut Counters::default());
                }
                Op::Touch { .. } | Op::Configure(_) | Op::Reserve { .. } => {}
                Op::Put { id, valid_from, expires_at, vector, metadata, .. } => {
                    let dim = self.dim.map(|dim| dim as usize);
                    let (metric, stored) = (manifest.config.metric, manifest.config.stored);
                    let fits = |v: &[f32]| check_vector(metric, dim, v).is_ok() && stored.holds(v);
                    if !vector.as_deref().is_none_or(fits) {
                        self.lose(id);
                        continue;
                    }
                    self.dim = self.dim.or(vector.as_ref().map(|v| v.len() as u32));
                    let inverse_norm = vector.as_deref().map_or(0.0, inverse_norm);
                    let (key, seq) = (Key(0), Seq(0));
                    self.put(Row { id, key, seq, valid_from, expires_at, vector, inverse_norm, metadata });
                }
            }
        }
        self.edges = self.edges.salvaged(&noted.into_table());
    }

    /// A newer version than any before.
    fn put(&mut self, row: Row) {
        self.delete(&row.id);
        self.places.insert(row.id.clone(), self.next);
        self.rows.insert(self.next, row);
        self.next += 1;
    }

    fn delete(&mut self, id: &str) {
        self.lost.remove(id);
        if let Some(place) = self.places.remove(id) {
            self.rows.remove(&place);
        }
    }

    /// The newest version of a document is lost, and an older one is not it.
    fn lose(&mut self, id: Box<str>) {
        self.delete(&id);
        self.lost.insert(id);
    }

    /// Takes from the generation before what this one has lost. Both tell of the same state: the blobs of the one before
    /// and its logs lead up to now. So what only that one has, this one has lost, when no delete can be missing there.
    pub fn fill(&mut self, before: Self) -> usize {
        if before.frames > 0 || before.ends > 0 {
            return 0;
        }
        let all_are_named = before.names_its_losses();
        if self.lost_edges > before.lost_edges {
            (self.edges, self.lost_edges) = (before.edges.clone(), before.lost_edges);
        }
        let is_missing = |id: &str, this: &Self| {
            !this.places.contains_key(id) && (this.lost.contains(id) || !this.names_its_losses())
        };
        let mut filled = 0;
        for row in before.rows.into_values() {
            if is_missing(&row.id, self) {
                if !self.lost.remove(&row.id) {
                    self.nameless = self.nameless.saturating_sub(1);
                }
                self.places.insert(row.id.clone(), self.next);
                self.rows.insert(self.next, row);
                self.next += 1;
                filled += 1;
            }
        }
        if all_are_named {
            self.lost = before.lost.into_iter().filter(|id| !self.places.contains_key(id)).collect();
            (self.nameless, self.segments) = (0, 0);
        }
        // Versions begin one after the other, so their times give back the order.
        let mut rows: Vec<Row> = std::mem::take(&mut self.rows).into_values().collect();
        rows.sort_by_key(|row| row.valid_from);
        self.rows = (0..).zip(rows).collect();
        self.places = self.rows.iter().map(|(place, row)| (row.id.clone(), *place)).collect();
        filled
    }
}
