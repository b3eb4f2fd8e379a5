//! The blobs of a segment, opened; and how each derived one is made from rows.

use std::borrow::Cow;
use std::cell::RefCell;
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use crate::base::{Error, Pool, Result, Slot};
use crate::graph::EdgesReader;
use crate::index::Hnsw;
use crate::meta::{Columns, ColumnsBuilder};
use crate::storage::{Blob, BlobId, BlobKind, Section};
use crate::text::{MemoryPostings, PostingSource, TextIndex, Words};
use crate::vectors::{CodeEncoder, Codes, Coding, Metric, Stored, pq};

use super::row::SharedRow;
use super::rows::RowsReader;

/// Which blobs a segment has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentBlobs {
    /// Ids, versions, vectors, metadata.
    pub rows: BlobId,
    /// What had ended at the cut; `None` for nothing.
    pub ends: Option<BlobId>,
    /// Codes; `None` without vectors.
    pub codes: Option<BlobId>,
    /// Neighbour lists; `None` until the index job has run.
    pub links: Option<BlobId>,
    /// Postings; `None` without text.
    pub text: Option<BlobId>,
    /// Columns.
    pub columns: Option<BlobId>,
    /// Edges that came with its documents; primary.
    pub edges: Option<BlobId>,
}

impl SegmentBlobs {
    /// The segment of these new blobs; `None` when there is no primary one among them.
    #[must_use]
    pub fn of(blobs: &[BlobId]) -> Option<Self> {
        let of = |kind| blobs.iter().copied().find(|id| id.kind == kind);
        Some(Self {
            rows: of(BlobKind::Rows)?,
            ends: of(BlobKind::Ends),
            codes: Coding::ALL.into_iter().find_map(|coding| of(coding.blob_kind())),
            links: of(BlobKind::Links),
            text: of(BlobKind::Text),
            columns: of(BlobKind::Columns),
            edges: of(BlobKind::Edges),
        })
    }

    /// What kind of codes it has; `None` without vectors.
    #[must_use]
    pub fn coding(&self) -> Option<Coding> {
        self.codes.and_then(|id| Coding::of_blob(id.kind))
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = BlobId> {
        let Self { rows, ends, codes, links, text, columns, edges } = *self;
        [Some(rows), ends, codes, links, text, columns, edges].into_iter().flatten()
    }
}

/// What making derived blobs takes.
#[derive(Clone, Copy)]
pub struct Derive<'a> {
    /// How distances are measured.
    pub metric: Metric,
    /// What form vectors are stored in.
    pub stored: Stored,
    /// What codes vectors get.
    pub codes: Coding,
    /// The text; `None` without any.
    pub words: Option<&'a Words>,
    /// Threads to use.
    pub pool: &'a Pool,
}

/// A derived blob of a segment with these rows; `None` when they give none.
fn derive_one(rows: &[SharedRow], kind: BlobKind, with: Derive<'_>) -> Option<Vec<Section>> {
    if let Some(coding) = Coding::of_blob(kind) {
        return derive_codes(rows, coding, None, with);
    }
    match kind {
        BlobKind::Text => {
            let words = with.words?;
            let mut postings = MemoryPostings::new();
            for (slot, row) in rows.iter().enumerate() {
                words.push(&mut postings, slot as u32, &row.metadata);
            }
            Some(postings.sections(rows.len() as u32))
        }
        BlobKind::Columns => {
            let mut columns = ColumnsBuilder::new();
            for (slot, row) in rows.iter().enumerate() {
                columns.push(slot as u32, &row.metadata);
            }
            Some(columns.sections(rows.len() as u32))
        }
        _ => None,
    }
}

/// As [`derive_one`] for this blob, which may have been made when short vectors were cut into fewer parts.
pub(crate) fn derive_as(rows: &[SharedRow], blob: &Blob, with: Derive<'_>) -> Option<Vec<Section>> {
    match Codes::open(blob) {
        Ok(codes @ Codes::Pq(_)) => derive_codes(rows, codes.coding(), codes.default_parts(), with),
        _ => derive_one(rows, blob.id().kind, with),
    }
}

/// Vectors that are copied at once to be encoded again.
const DERIVED_AT_ONCE: usize = 4096;

fn derive_codes(
    rows: &[SharedRow],
    coding: Coding,
    parts: Option<usize>,
    with: Derive<'_>,
) -> Option<Vec<Section>> {
    let vectors: Vec<&[f32]> = rows.iter().filter_map(|row| row.vector.as_deref()).collect();
    let read = |range: Range<usize>| Ok(Cow::Owned(vectors[range].concat()));
    let dim = vectors.first()?.len();
    let parts = parts.unwrap_or_else(|| pq::default_parts(dim));
    let mut encoder = CodeEncoder::cut(coding, with.metric, dim, vectors.len(), parts).ok()?;
    while !encoder.step(DERIVED_AT_ONCE, &read, with.pool).ok()? {}
    Some(encoder.blob().1)
}

/// Is told of a blob and what is wrong with it.
pub type Tell = Arc<dyn Fn(BlobId, &Error) + Send + Sync>;

/// What making derived blobs again takes, and who is told of it.
#[derive(Clone)]
pub struct Mender {
    /// How distances are measured.
    pub metric: Metric,
    /// The text; `None` without any.
    pub words: Option<Arc<Words>>,
    /// Threads to use.
    pub pool: Arc<Pool>,
    /// Told of a derived blob that is damaged: it was made again in memory, links were left out, or phrases are looked for in
    /// texts, and the next merge writes it anew.
    pub damaged: Tell,
}

impl fmt::Debug for Mender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mender").field("metric", &self.metric).finish_non_exhaustive()
    }
}

/// A segment. Its blobs are open; what they hold is read, and checked, when it is first asked for.
#[derive(Debug)]
pub struct Segment {
    /// Which blobs it is made of.
    pub blobs: SegmentBlobs,
    /// Ids, versions, vectors, metadata.
    pub rows: RowsReader,
    /// How many bytes each blob takes, in the order of [`SegmentBlobs::iter`]; 0 for one that is lost or damaged.
    pub lens: Vec<(BlobKind, u64)>,
    mender: Mender,
    codes: Derived<Codes>,
    /// `None` inside when they are damaged.
    links: Derived<Option<Hnsw>>,
    text: Derived<TextIndex>,
    columns: Derived<Columns>,
    edges: Option<EdgesReader>,
}

/// A derived blob.
#[derive(Debug)]
struct Derived<T> {
    /// The blob, or why it could not be opened; `None` when there is none.
    blob: Option<(BlobId, Result<Blob>)>,
    read: OnceLock<T>,
}

impl<T> Derived<T> {
    /// A blob that is lost, or damaged so that it cannot be opened, is told of at once.
    fn open(id: Option<BlobId>, load: &dyn Fn(BlobId) -> Result<Blob>, mender: &Mender) -> Result<Self> {
        let blob = id.map(|id| (id, load(id)));
        if let Some((id, Err(error))) = &blob {
            if !is_damage(error) {
                return Err(error.clone());
            }
            (mender.damaged)(*id, error);
        }
        Ok(Self { blob, read: OnceLock::new() })
    }
}

impl Segment {
    /// Opens the blobs; `load` opens one. Reads their headers and directories.
    ///
    /// # Errors
    /// `corrupt` when the primary blob is damaged, `unsupported_version`, `not_resident`, `io_failed`.
    pub fn open(blobs: SegmentBlobs, load: &dyn Fn(BlobId) -> Result<Blob>, mender: Mender) -> Result<Self> {
        let lens = RefCell::new(Vec::new());
        // What it takes is told later, when nobody may have to wait for the storage.
        let load = |id: BlobId| {
            let blob = load(id)?;
            lens.borrow_mut().push((id, blob.len()));
            Ok(blob)
        };
        let mut this = Self {
            rows: RowsReader::open(&load(blobs.rows)?)?,
            codes: Derived::open(blobs.codes, &load, &mender)?,
            links: Derived::open(blobs.links, &load, &mender)?,
            text: Derived::open(blobs.text, &load, &mender)?,
            columns: Derived::open(blobs.columns, &load, &mender)?,
            edges: blobs.edges.map(|id| EdgesReader::open(&load(id)?)).transpose()?,
            lens: Vec::new(),
            blobs,
            mender,
        };
        // Who opens the ends refuses damaged ones.
        this.blobs.ends.and_then(|id| load(id).ok());
        let lens = lens.into_inner();
        let len = |id: BlobId| lens.iter().find(|(loaded, _)| *loaded == id).map_or(0, |(_, len)| *len);
        this.lens = this.blobs.iter().map(|id| (id.kind, len(id))).collect();
        Ok(this)
    }

    /// Reads and checks everything that otherwise is when it is first asked for.
    ///
    /// # Errors
    /// As [`Segment::open`].
    pub fn warm(&self) -> Result<()> {
        self.rows.check()?;
        self.codes()?;
        self.links()?;
        self.text()?.map_or(Ok(false), PostingSource::has_positions)?;
        self.columns()?;
        self.edges.as_ref().map_or(Ok(()), |edges| edges.pins().map(|_| ()))
    }

    /// Its edges; `None` when none came with its documents.
    #[must_use]
    pub fn edges(&self) -> Option<&EdgesReader> {
        self.edges.as_ref()
    }

    /// Codes; `None` without vectors.
    ///
    /// # Errors
    /// `corrupt` when the primary blob is damaged, `not_resident`, `io_failed`.
    pub fn codes(&self) -> Result<Option<&Codes>> {
        let own = (self.rows.vectors(), self.rows.dim(), self.mender.metric);
        self.derived(&self.codes, &|blob| {
            let codes = Codes::open(blob)?;
            let fits = (codes.len(), codes.dim(), codes.metric()) == own;
            fitting(blob, codes, fits)
        })
    }

    /// Neighbour lists; `None` until the index job has run.
    ///
    /// # Errors
    /// `not_resident`.
    pub fn links(&self) -> Result<Option<&Hnsw>> {
        let Some((id, blob)) = &self.links.blob else { return Ok(None) };
        if self.links.read.get().is_none() {
            let found = match blob.clone().and_then(|blob| Hnsw::open(&blob)) {
                Ok(links) if links.len() == self.rows.vectors() => Ok(links),
                Ok(_) => Err(Error::corrupt("links", 0, "one node a vector")),
                Err(error) if !is_damage(&error) => return Err(error),
                Err(error) => Err(error),
            };
            if let (Ok(_), Err(error)) = (blob, &found) {
                (self.mender.damaged)(*id, error);
            }
            self.links.read.get_or_init(|| found.ok());
        }
        Ok(self.links.read.get().and_then(Option::as_ref))
    }

    /// Whether it has neighbour lists, as far as is known: those that were not read yet may be damaged.
    #[must_use]
    pub fn is_linked(&self) -> bool {
        let is_there = self.links.blob.as_ref().is_some_and(|(_, blob)| blob.is_ok());
        is_there && self.links.read.get().is_none_or(Option::is_some)
    }

    /// Postings; `None` without text.
    ///
    /// # Errors
    /// As [`Segment::codes`].
    pub fn text(&self) -> Result<Option<&TextIndex>> {
        // Where words stand is checked when a phrase asks for it, and seen in texts where it is damaged.
        let is_asked = |section| !TextIndex::is_of_positions(section);
        self.derived_by(&self.text, &is_asked, &|blob| {
            let (damaged, id) = (Arc::clone(&self.mender.damaged), blob.id());
            let text = TextIndex::open(blob)?.telling(Arc::new(move |error| damaged(id, error)));
            let fits = text.n_slots() as usize == self.rows.len();
            fitting(blob, text, fits)
        })
    }

    /// Columns.
    ///
    /// # Errors
    /// As [`Segment::codes`].
    pub fn columns(&self) -> Result<&Columns> {
        let open = |blob: &Blob| {
            let columns = Columns::open(blob)?;
            let fits = columns.n_slots() == self.rows.len();
            fitting(blob, columns, fits)
        };
        if let Some(columns) = self.derived(&self.columns, &open)? {
            return Ok(columns);
        }
        let columns = open(&self.again(BlobId { kind: BlobKind::Columns, ..self.blobs.rows })?)?;
        Ok(self.columns.read.get_or_init(|| columns))
    }

    /// What a derived blob holds, checked whole; where it is damaged, it is made again from the rows.
    fn derived<'a, T>(
        &'a self,
        derived: &'a Derived<T>,
        open: &dyn Fn(&Blob) -> Result<T>,
    ) -> Result<Option<&'a T>> {
        self.derived_by(derived, &|_| true, open)
    }

    /// As [`Self::derived`], of the sections that are asked for.
    fn derived_by<'a, T>(
        &'a self,
        derived: &'a Derived<T>,
        is_asked: &dyn Fn(u16) -> bool,
        open: &dyn Fn(&Blob) -> Result<T>,
    ) -> Result<Option<&'a T>> {
        let Some((id, blob)) = &derived.blob else { return Ok(None) };
        if let Some(read) = derived.read.get() {
            return Ok(Some(read));
        }
        let checked = blob.clone().and_then(|blob| blob.verify_those(is_asked).and_then(|()| open(&blob)));
        let read = match checked {
            Ok(read) => read,
            Err(error) if is_damage(&error) => {
                let read = open(&self.again(*id)?)?;
                if blob.is_ok() {
                    (self.mender.damaged)(*id, &error);
                }
                read
            }
            Err(error) => return Err(error),
        };
        Ok(Some(derived.read.get_or_init(|| read)))
    }

    fn again(&self, id: BlobId) -> Result<Blob> {
        let slots = 0..self.rows.len() as u32;
        let rows: Vec<SharedRow> = slots.map(|slot| self.rows.row(Slot(slot))).collect::<Result<_>>()?;
        let Mender { metric, words, pool, .. } = &self.mender;
        let (metric, stored, words) = (*metric, self.rows.stored(), words.as_deref());
        let with = Derive { metric, stored, codes: Coding::Int8, words, pool };
        let sections = derive_one(&rows, id.kind, with).unwrap_or_default();
        Blob::in_memory(id, &sections)
    }

    /// How many slots.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The slot of a seq.
    ///
    /// # Errors
    /// `corrupt`.
    pub fn slot_of(&self, seq: u64) -> Result<Option<Slot>> {
        Ok(self.rows.seqs()?.binary_search(&seq).ok().map(|slot| Slot(slot as u32)))
    }
}

/// A derived blob that was made from these rows and no others.
fn fitting<T>(blob: &Blob, opened: T, fits: bool) -> Result<T> {
    let object = || format!("blob {}.{}", blob.id().number, blob.id().kind.name());
    if fits { Ok(opened) } else { Err(Error::corrupt(object(), 0, "what its rows give")) }
}

/// Damage that making the blob again mends; anything else is for the caller.
fn is_damage(error: &Error) -> bool {
    matches!(error.code(), "corrupt" | "io_failed")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Key, NEVER, Object, Seq};
    use crate::segment::Row;

    /// Short vectors were cut into fewer parts before; `verify` would have called what was written then damaged.
    #[test]
    fn codes_are_made_again_in_as_many_parts_as_they_have() {
        const DIM: usize = 64;
        let vectors: Vec<f32> = (0..300 * DIM).map(|i| ((i * i) % 97) as f32).collect();
        let row = |vector: &[f32]| Row {
            id: "d".into(),
            key: Key(0),
            seq: Seq(0),
            valid_from: 0,
            expires_at: NEVER,
            vector: Some(vector.into()),
            inverse_norm: 1.0,
            metadata: Object::new(),
        };
        let rows: Vec<SharedRow> = vectors.chunks(DIM).map(|vector| Arc::new(row(vector))).collect();
        let pool = Pool::single();
        let metric = Metric::Euclidean;
        let with = Derive { metric, stored: Stored::F32, codes: Coding::Int8, words: None, pool: &pool };
        for (parts, is_made) in [(16, true), (pq::default_parts(DIM), true), (8, false)] {
            let sections = pq::encode(metric, DIM, parts, &vectors, &pool).expect("encodes");
            let id = BlobId::new(1, 1, BlobKind::Pq);
            let blob = Blob::in_memory(id, &sections).expect("opens");
            let made = derive_as(&rows, &blob, with).expect("there are vectors");
            let bytes =
                |all: &[Section]| all.iter().map(|section| section.bytes.to_vec()).collect::<Vec<_>>();
            assert_eq!(bytes(&made) == bytes(&sections), is_made, "{parts} parts");
        }
    }
}
