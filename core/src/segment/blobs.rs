//! The blobs of a segment, opened; and how each derived one is made from rows.

use std::sync::Arc;

use crate::base::{AlignedBytes, Error, Pool, Result, Slot};
use crate::index::Hnsw;
use crate::meta::{Columns, ColumnsBuilder};
use crate::storage::blob::{Resident, build};
use crate::storage::{Blob, BlobId, BlobKind, Section};
use crate::text::{MemoryPostings, PostingSource, TextIndex, Words};
use crate::vectors::{Int8Codes, Metric, int8};

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
}

impl SegmentBlobs {
    /// The segment of these new blobs; `None` when there is no primary one among them.
    #[must_use]
    pub fn of(blobs: &[BlobId]) -> Option<Self> {
        let of = |kind| blobs.iter().copied().find(|id| id.kind == kind);
        Some(Self {
            rows: of(BlobKind::Rows)?,
            ends: of(BlobKind::Ends),
            codes: of(BlobKind::Codes),
            links: of(BlobKind::Links),
            text: of(BlobKind::Text),
            columns: of(BlobKind::Columns),
        })
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = BlobId> {
        let Self { rows, ends, codes, links, text, columns } = *self;
        [Some(rows), ends, codes, links, text, columns].into_iter().flatten()
    }
}

/// What making derived blobs takes.
#[derive(Clone, Copy)]
pub struct Derive<'a> {
    /// How distances are measured.
    pub metric: Metric,
    /// The text; `None` without any.
    pub words: Option<&'a Words>,
    /// Threads to use.
    pub pool: &'a Pool,
}

/// A derived blob of a segment with these rows; `None` when they give none.
fn derive_one(rows: &[SharedRow], kind: BlobKind, with: Derive<'_>) -> Option<Vec<Section>> {
    match kind {
        BlobKind::Codes => {
            let vectors: Vec<&[f32]> = rows.iter().filter_map(|row| row.vector.as_deref()).collect();
            let dim = vectors.first()?.len();
            Some(int8::encode(with.metric, dim, vectors.len(), |i| vectors[i], with.pool))
        }
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

/// A segment ready to be searched.
#[derive(Debug)]
pub struct Segment {
    /// Which blobs it is made of.
    pub blobs: SegmentBlobs,
    /// Ids, versions, vectors, metadata.
    pub rows: RowsReader,
    /// Codes; `None` without vectors.
    pub codes: Option<Int8Codes>,
    /// Neighbour lists; `None` until the index job has run.
    pub links: Option<Hnsw>,
    /// Postings; `None` without text.
    pub text: Option<TextIndex>,
    /// Columns.
    pub columns: Columns,
}

/// A segment as it was found.
#[derive(Debug)]
pub struct Opened {
    /// Ready to be searched.
    pub segment: Segment,
    /// Derived blobs that were damaged, and what was wrong. They were made again in memory, links were left out; the
    /// next merge writes them anew.
    pub damaged: Vec<(BlobId, Error)>,
}

impl Segment {
    /// Opens the blobs; `load` opens one.
    ///
    /// # Errors
    /// `corrupt` when the primary blob is damaged, `unsupported_version`, `not_resident`, `io_failed`.
    pub fn open(
        blobs: SegmentBlobs,
        load: &dyn Fn(BlobId) -> Result<Blob>,
        with: Derive<'_>,
    ) -> Result<Opened> {
        let rows = RowsReader::open(&load(blobs.rows)?)?;
        let mut damaged = Vec::new();
        let mut again = Again { rows: &rows, with, all: None };
        let open_codes = |blob: &Blob| {
            let codes = Int8Codes::open(blob)?;
            let fits =
                (codes.len(), codes.dim(), codes.metric()) == (rows.vectors(), rows.dim(), with.metric);
            fitting(blob, codes, fits)
        };
        let open_text = |blob: &Blob| {
            let text = TextIndex::open(blob)?;
            let fits = text.n_slots() as usize == rows.len();
            fitting(blob, text, fits)
        };
        let open_columns = |blob: &Blob| {
            let columns = Columns::open(blob)?;
            let fits = columns.n_slots() == rows.len();
            fitting(blob, columns, fits)
        };
        let codes = or_rebuild(blobs.codes, load, &open_codes, &mut again, &mut damaged)?;
        let text = or_rebuild(blobs.text, load, &open_text, &mut again, &mut damaged)?;
        let columns = match or_rebuild(blobs.columns, load, &open_columns, &mut again, &mut damaged)? {
            Some(columns) => columns,
            None => Columns::open(&again.blob(blobs.rows, BlobKind::Columns)?)?,
        };
        let links = match blobs.links.map(|id| load(id).and_then(|blob| Hnsw::open(&blob))) {
            Some(Ok(links)) if links.len() == rows.vectors() => Some(links),
            Some(Err(error)) if !is_damage(&error) => return Err(error),
            Some(found) => {
                let error = found.err().unwrap_or_else(|| Error::corrupt("links", 0, "one node a vector"));
                damaged.extend(blobs.links.map(|id| (id, error)));
                None
            }
            None => None,
        };
        Ok(Opened { segment: Self { blobs, rows, codes, links, text, columns }, damaged })
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

fn or_rebuild<T>(
    id: Option<BlobId>,
    load: &dyn Fn(BlobId) -> Result<Blob>,
    open: &dyn Fn(&Blob) -> Result<T>,
    again: &mut Again<'_>,
    damaged: &mut Vec<(BlobId, Error)>,
) -> Result<Option<T>> {
    let Some(id) = id else { return Ok(None) };
    match load(id).and_then(|blob| blob.verify().and_then(|()| open(&blob))) {
        Ok(opened) => Ok(Some(opened)),
        Err(error) if is_damage(&error) => {
            damaged.push((id, error));
            Ok(Some(open(&again.blob(id, id.kind)?)?))
        }
        Err(error) => Err(error),
    }
}

/// Makes derived blobs again from the primary one.
struct Again<'a> {
    rows: &'a RowsReader,
    with: Derive<'a>,
    all: Option<Vec<SharedRow>>,
}

impl Again<'_> {
    fn blob(&mut self, id: BlobId, kind: BlobKind) -> Result<Blob> {
        if self.all.is_none() {
            let slots = 0..self.rows.len() as u32;
            self.all = Some(slots.map(|slot| self.rows.row(Slot(slot))).collect::<Result<_>>()?);
        }
        let rows = self.all.as_deref().unwrap_or_default();
        let sections = derive_one(rows, kind, self.with).unwrap_or_default();
        let id = BlobId { kind, ..id };
        let bytes: AlignedBytes = build(id, &sections);
        Blob::open(id, Arc::new(Resident::new(Arc::new(bytes))))
    }
}
