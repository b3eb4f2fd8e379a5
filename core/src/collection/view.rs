//! What a reader holds: an immutable, consistent state of a collection.
//!
//! A view is a list of parts (segments and memtable chunks) whose seqs ascend and do not overlap, each with what has
//! ended in it. Applying a commit group makes a new view that shares nearly everything with the last.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use crate::base::{Bitmap, Key, Lsn, Object, Result, Seq, Slot};
use crate::graph::{EdgeSource, EdgeTable, EdgesReader};
use crate::meta::leads_to;
use crate::segment::{
    Ends, ExpiryByKey, ExpiryView, Nearest, Scratch, Searched, Segment, SharedRow, VectorQuery,
};
use crate::text::{PostingSource, Words};

use super::chunk::Chunk;
use super::config::CollectionConfig;
use super::moment::Moment;
use super::write::Counters;

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
    /// The counters after it.
    pub counters: Counters,
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
        let counters = Counters::default();
        Self { config, words, dim, parts: Vec::new(), lsn: Lsn(0), counters }
    }

    /// The newest version of an id, ended or not.
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

    /// The newest version of an id, if it has not ended; it may have expired.
    ///
    /// # Errors
    /// `corrupt`.
    pub fn find_unended(&self, id: &str) -> Result<Option<Place>> {
        Ok(self.find(id)?.filter(|place| !self.parts[place.part].ends.contains(place.slot)))
    }

    /// The version of an id that is there at a moment.
    ///
    /// # Errors
    /// `corrupt`.
    pub fn find_at(&self, id: &str, moment: Moment) -> Result<Option<Place>> {
        for (i, part) in self.parts.iter().enumerate().rev() {
            let found = if moment.is_current() {
                part.part.find(id)?
            } else {
                part.part.find_begun(id, moment.time())?
            };
            // What began before it has ended by then.
            if let Some(slot) = found {
                let is_visible = part.is_visible(slot, moment)?;
                return Ok(is_visible.then_some(Place { part: i, slot }));
            }
        }
        Ok(None)
    }

    /// Every version of an id that is still stored, the newest first.
    ///
    /// # Errors
    /// `corrupt`.
    pub fn places_of(&self, id: &str) -> Result<Vec<Place>> {
        let mut places = Vec::new();
        for (part, view) in self.parts.iter().enumerate().rev() {
            places.extend(view.part.slots_of(id)?.into_iter().map(|slot| Place { part, slot }));
        }
        Ok(places)
    }

    /// Reads and checks everything that otherwise is when it is first asked for.
    ///
    /// # Errors
    /// `corrupt`, `io_failed`, `not_resident`, after which it can be called again.
    pub fn warm(&self) -> Result<()> {
        for part in &self.parts {
            if let Part::Segment(segment) = &part.part {
                segment.warm()?;
            }
        }
        Ok(())
    }

    /// All of the version at a place.
    ///
    /// # Errors
    /// `corrupt`, `not_resident`.
    pub fn row(&self, place: Place) -> Result<SharedRow> {
        self.parts[place.part].part.row(place.slot)
    }

    /// How many documents have not ended; some may have expired.
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

    /// How many documents have not ended; some may have expired.
    #[must_use]
    pub fn live(&self) -> usize {
        self.part.len() - self.ends.count()
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

    /// The newest version of an id within the part that began at a time or before.
    ///
    /// # Errors
    /// `corrupt`.
    pub fn find_begun(&self, id: &str, time: i64) -> Result<Option<Slot>> {
        match self {
            Self::Chunk(chunk) => Ok(chunk.slots_of(id).find(|slot| chunk.row(*slot).valid_from <= time)),
            Self::Segment(segment) => segment.rows.find_within(id, segment.rows.begun_by(time)?),
        }
    }

    /// The slots of an id, the newest first.
    ///
    /// # Errors
    /// `corrupt`.
    pub fn slots_of(&self, id: &str) -> Result<Vec<Slot>> {
        match self {
            Self::Chunk(chunk) => Ok(chunk.slots_of(id).collect()),
            Self::Segment(segment) => segment.rows.slots_of(id),
        }
    }

    /// How many slots hold versions that began at a time or before: the first ones.
    ///
    /// # Errors
    /// `corrupt`.
    pub fn begun_by(&self, time: i64) -> Result<usize> {
        match self {
            Self::Chunk(chunk) => Ok(chunk.begun_by(time)),
            Self::Segment(segment) => segment.rows.begun_by(time),
        }
    }

    /// Since when the version in a slot is valid.
    ///
    /// # Errors
    /// `corrupt`.
    pub fn valid_from(&self, slot: Slot) -> Result<i64> {
        match self {
            Self::Chunk(chunk) => Ok(chunk.row(slot).valid_from),
            Self::Segment(segment) => segment.rows.valid_from(slot),
        }
    }

    /// When the versions expire.
    ///
    /// # Errors
    /// `corrupt`.
    pub fn expiry(&self) -> Result<ExpiryView<'_>> {
        match self {
            Self::Chunk(chunk) => Ok(chunk.expiry().view()),
            Self::Segment(segment) => segment.rows.expiry(),
        }
    }

    /// When the versions expire, by key.
    ///
    /// # Errors
    /// `corrupt`.
    pub fn expiry_by_key(&self) -> Result<&ExpiryByKey> {
        match self {
            Self::Chunk(chunk) => Ok(chunk.expiry_by_key()),
            Self::Segment(segment) => segment.rows.expiry_by_key(),
        }
    }

    /// Until when it is known that all that expires has ended: what has ended once stays so in every later view.
    pub fn swept(&self) -> &AtomicI64 {
        match self {
            Self::Chunk(chunk) => chunk.swept(),
            Self::Segment(segment) => segment.rows.swept(),
        }
    }

    /// When the version in a slot expires; [`crate::base::NEVER`] when it does not.
    ///
    /// # Errors
    /// `corrupt`.
    pub fn expires_at(&self, slot: Slot) -> Result<i64> {
        Ok(self.expiry()?.at(slot))
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

    /// The id of a slot.
    ///
    /// # Errors
    /// `corrupt`.
    pub fn id(&self, slot: Slot) -> Result<&str> {
        match self {
            Self::Chunk(chunk) => Ok(&chunk.row(slot).id),
            Self::Segment(segment) => segment.rows.id(slot),
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

    /// How many of its versions have a vector.
    #[must_use]
    pub fn vectors(&self) -> usize {
        match self {
            Self::Chunk(chunk) => chunk.rows().iter().filter(|row| row.vector.is_some()).count(),
            Self::Segment(segment) => segment.rows.vectors(),
        }
    }

    /// Whether a slot has a vector.
    ///
    /// # Errors
    /// `corrupt`.
    pub fn has_vector(&self, slot: Slot) -> Result<bool> {
        match self {
            Self::Chunk(chunk) => Ok(chunk.row(slot).vector.is_some()),
            Self::Segment(segment) => Ok(segment.rows.ordinal(slot)?.is_some()),
        }
    }

    /// The vector of a slot; `None` without one.
    ///
    /// # Errors
    /// `corrupt`, `not_resident`.
    pub fn vector(&self, slot: Slot) -> Result<Option<Vec<f32>>> {
        match self {
            Self::Chunk(chunk) => Ok(chunk.row(slot).vector.as_deref().map(<[f32]>::to_vec)),
            Self::Segment(segment) => segment.rows.vector(slot),
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

    /// What the metadata of a slot has at some paths: at least the fields that they can lead to, and of a segment no others.
    ///
    /// # Errors
    /// `corrupt`, `not_resident`.
    pub fn fields(&self, slot: Slot, paths: &[&str]) -> Result<Cow<'_, Object>> {
        match self {
            Self::Chunk(chunk) => Ok(Cow::Borrowed(&chunk.row(slot).metadata)),
            Self::Segment(_) if paths.is_empty() => Ok(Cow::Owned(Object::new())),
            Self::Segment(segment) => {
                let is_wanted = |field: &str| paths.iter().any(|path| leads_to(path, field));
                segment.rows.fields(slot, is_wanted).map(Cow::Owned)
            }
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
            Self::Segment(segment) => Ok(segment.columns()?.has_path(path)),
        }
    }

    /// The words of the part; `None` without text.
    ///
    /// # Errors
    /// `corrupt`, `not_resident`.
    pub fn postings(&self) -> Result<Option<&dyn PostingSource>> {
        match self {
            Self::Chunk(chunk) => Ok(chunk.postings()),
            Self::Segment(segment) => Ok(segment.text()?.map(|text| text as &dyn PostingSource)),
        }
    }

    /// The edges that came with its documents; `None` for none.
    ///
    /// # Errors
    /// `corrupt`, `not_resident`.
    pub fn edges(&self) -> Result<Option<&dyn EdgeSource>> {
        match self {
            Self::Chunk(chunk) => {
                let edges = chunk.edges();
                Ok(Some(edges).filter(|edges| !edges.is_empty()).map(|edges| edges as &dyn EdgeSource))
            }
            Self::Segment(segment) => {
                let pins = segment.edges().map(EdgesReader::pins).transpose()?;
                Ok(pins.map(|pins| pins as &dyn EdgeSource))
            }
        }
    }

    /// All of its edges, as a table.
    ///
    /// # Errors
    /// `corrupt`, `not_resident`.
    pub fn edge_table(&self) -> Result<Option<Cow<'_, EdgeTable>>> {
        match self {
            Self::Chunk(chunk) => {
                Ok(Some(chunk.edges()).filter(|edges| !edges.is_empty()).map(Cow::Borrowed))
            }
            Self::Segment(segment) => {
                Ok(segment.edges().map(EdgesReader::table).transpose()?.map(Cow::Owned))
            }
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
    ) -> Result<Searched> {
        match self {
            Self::Segment(segment) => segment.nearest(query, allowed, scratch, part, found),
            Self::Chunk(chunk) => {
                let mut distances = 0;
                for (slot, row) in chunk.rows().iter().enumerate() {
                    if let Some(vector) = &row.vector
                        && allowed.is_none_or(|allowed| allowed.contains(slot))
                    {
                        let distance = query.prepared.distance(vector, row.inverse_norm);
                        found.push(distance, row.seq.0, (part, Slot(slot as u32)));
                        distances += 1;
                    }
                }
                Ok(Searched::exactly(distances))
            }
        }
    }
}
