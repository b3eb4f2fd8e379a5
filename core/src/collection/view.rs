//! What a reader holds: an immutable, consistent state of a collection.
//!
//! A view is a list of parts (segments and memtable chunks) whose seqs ascend and do not overlap, each with what has
//! ended in it. Applying a commit group makes a new view that shares nearly everything with the last.

use std::sync::Arc;

use crate::base::{Bitmap, Key, Lsn, Object, Result, Seq, Slot};
use crate::index::Scratch;
use crate::meta::{Expr, eval};
use crate::segment::{Ends, Nearest, Segment, SharedRow, VectorQuery};
use crate::text::{PostingSource, Words};

use super::chunk::Chunk;
use super::config::CollectionConfig;

/// Documents stored together.
#[derive(Debug, Clone)]
pub enum Part {
    /// A piece of the memtable.
    Chunk(Arc<Chunk>),
    /// Immutable blobs.
    Segment(Arc<Segment>),
}

/// A part and what has ended in it.
#[derive(Debug, Clone)]
pub struct PartView {
    /// The documents.
    pub part: Part,
    /// Which of them have ended.
    pub ends: Ends,
}

/// A consistent state of a collection.
#[derive(Debug, Clone)]
pub struct View {
    /// What the collection is.
    pub config: Arc<CollectionConfig>,
    /// Its text side at work; `None` without text.
    pub words: Option<Arc<Words>>,
    /// Dimension of its vectors, once known.
    pub dim: Option<u32>,
    /// Parts in the order of seq.
    pub parts: Vec<PartView>,
    /// The last frame that is in it.
    pub lsn: Lsn,
}

/// Where a version of a document stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Index of the part.
    pub part: usize,
    /// Slot in it.
    pub slot: Slot,
}

impl View {
    /// An empty state.
    #[must_use]
    pub fn empty(config: Arc<CollectionConfig>) -> Self {
        let words = config.text.clone().map(|spec| Arc::new(Words::new(spec)));
        let dim = config.dim;
        Self { config, words, dim, parts: Vec::new(), lsn: Lsn(0) }
    }

    /// The newest version of an id, live or not.
    ///
    /// # Errors
    /// `corrupt`.
    pub fn find(&self, id: &str) -> Result<Option<Place>> {
        for (part, view) in self.parts.iter().enumerate().rev() {
            if let Some(slot) = view.part.find(id)? {
                return Ok(Some(Place { part, slot }));
            }
        }
        Ok(None)
    }

    /// The live version of an id.
    ///
    /// # Errors
    /// `corrupt`.
    pub fn find_live(&self, id: &str) -> Result<Option<Place>> {
        Ok(self.find(id)?.filter(|place| !self.parts[place.part].ends.contains(place.slot)))
    }

    /// All of the version at a place.
    ///
    /// # Errors
    /// `corrupt`, `not_resident`.
    pub fn row(&self, place: Place) -> Result<SharedRow> {
        self.parts[place.part].part.row(place.slot)
    }

    /// How many documents are live.
    #[must_use]
    pub fn live(&self) -> usize {
        self.parts.iter().map(PartView::live).sum()
    }
}

impl PartView {
    /// A part in which nothing has ended.
    #[must_use]
    pub fn new(part: Part) -> Self {
        Self { part, ends: Ends::default() }
    }

    /// How many documents are live.
    #[must_use]
    pub fn live(&self) -> usize {
        self.part.len() - self.ends.count()
    }

    /// The live slots that a filter accepts; `None` when that is all of them.
    ///
    /// # Errors
    /// `corrupt`, `not_resident`.
    pub fn allowed(&self, filter: Option<&Expr>) -> Result<Option<Bitmap>> {
        let live = (self.ends.count() > 0).then(|| self.ends.live(self.part.len()));
        let Some(filter) = filter else { return Ok(live) };
        let mut accepted = self.part.select(filter)?;
        if let Some(live) = live {
            accepted.and(&live);
        }
        Ok(Some(accepted))
    }
}

impl Part {
    /// How many slots.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Chunk(chunk) => chunk.rows().len(),
            Self::Segment(segment) => segment.len(),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The newest version of an id within the part.
    ///
    /// # Errors
    /// `corrupt`.
    pub fn find(&self, id: &str) -> Result<Option<Slot>> {
        match self {
            Self::Chunk(chunk) => Ok(chunk.find(id)),
            Self::Segment(segment) => segment.rows.find(id),
        }
    }

    /// All of a slot.
    ///
    /// # Errors
    /// `corrupt`, `not_resident`.
    pub fn row(&self, slot: Slot) -> Result<SharedRow> {
        match self {
            Self::Chunk(chunk) => Ok(Arc::clone(&chunk.rows()[slot.index()])),
            Self::Segment(segment) => segment.rows.row(slot),
        }
    }

    /// The key of a slot.
    ///
    /// # Errors
    /// `corrupt`.
    pub fn key(&self, slot: Slot) -> Result<Key> {
        match self {
            Self::Chunk(chunk) => Ok(chunk.row(slot).key),
            Self::Segment(segment) => segment.rows.key(slot),
        }
    }

    /// The seq of a slot.
    ///
    /// # Errors
    /// `corrupt`.
    pub fn seq(&self, slot: Slot) -> Result<Seq> {
        match self {
            Self::Chunk(chunk) => Ok(chunk.row(slot).seq),
            Self::Segment(segment) => Ok(Seq(segment.rows.seqs()?[slot.index()])),
        }
    }

    /// The slot of a seq.
    ///
    /// # Errors
    /// `corrupt`.
    pub fn slot_of(&self, seq: Seq) -> Result<Option<Slot>> {
        match self {
            Self::Chunk(chunk) => chunk.slot_of(seq.0),
            Self::Segment(segment) => segment.slot_of(seq.0),
        }
    }

    /// The first slot whose seq is above `seq`; the first of all without one.
    ///
    /// # Errors
    /// `corrupt`.
    pub fn slot_after(&self, seq: Option<Seq>) -> Result<usize> {
        let Some(seq) = seq else { return Ok(0) };
        match self {
            Self::Chunk(chunk) => Ok(chunk.rows().partition_point(|row| row.seq <= seq)),
            Self::Segment(segment) => Ok(segment.rows.seqs()?.partition_point(|s| *s <= seq.0)),
        }
    }

    /// The metadata of a slot.
    ///
    /// # Errors
    /// `corrupt`, `not_resident`.
    pub fn metadata(&self, slot: Slot) -> Result<Object> {
        match self {
            Self::Chunk(chunk) => Ok(chunk.row(slot).metadata.clone()),
            Self::Segment(segment) => segment.rows.metadata(slot),
        }
    }

    /// The slots that a filter accepts.
    ///
    /// # Errors
    /// `corrupt`, `not_resident`.
    pub fn select(&self, filter: &Expr) -> Result<Bitmap> {
        match self {
            Self::Chunk(chunk) => {
                let mut accepted = Bitmap::empty(chunk.rows().len());
                for (slot, row) in chunk.rows().iter().enumerate() {
                    if eval(filter, &row.metadata) {
                        accepted.insert(slot);
                    }
                }
                Ok(accepted)
            }
            Self::Segment(segment) => segment.columns.select(filter),
        }
    }

    /// Whether any document has a field of this path.
    ///
    /// # Errors
    /// `corrupt`.
    pub fn has_path(&self, path: &str) -> Result<bool> {
        match self {
            Self::Chunk(chunk) => {
                Ok(chunk.rows().iter().any(|row| crate::meta::has_path(&row.metadata, path)))
            }
            Self::Segment(segment) => Ok(segment.columns.has_path(path)),
        }
    }

    /// The words of the part; `None` without text.
    #[must_use]
    pub fn postings(&self) -> Option<&dyn PostingSource> {
        match self {
            Self::Chunk(chunk) => chunk.postings(),
            Self::Segment(segment) => segment.text.as_ref().map(|text| text as &dyn PostingSource),
        }
    }

    /// Offers the nearest allowed vectors to `found`.
    ///
    /// # Errors
    /// `corrupt`, `not_resident`.
    pub fn nearest(
        &self,
        query: &VectorQuery,
        allowed: Option<&Bitmap>,
        scratch: &mut Scratch,
        part: usize,
        found: &mut Nearest,
    ) -> Result<()> {
        match self {
            Self::Segment(segment) => segment.nearest(query, allowed, scratch, part, found),
            Self::Chunk(chunk) => {
                for (slot, row) in chunk.rows().iter().enumerate() {
                    if let Some(vector) = &row.vector
                        && allowed.is_none_or(|allowed| allowed.contains(slot))
                    {
                        let distance = query.prepared.distance(vector, row.inverse_norm);
                        found.push(distance, row.seq.0, (part, Slot(slot as u32)));
                    }
                }
                Ok(())
            }
        }
    }
}
