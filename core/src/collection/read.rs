//! Reading a view without a query: one document, a page of documents, figures.

use crate::base::limits::SCAN_MAX;
use crate::base::{Error, InputError, Result, Seq, Slot};
use crate::segment::SharedRow;

use super::view::{Part, Place, View};

/// A page of a scan.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// Live documents in the order of seq.
    pub rows: Vec<SharedRow>,
    /// Where the next page begins; `None` after the last.
    pub next: Option<Seq>,
}

/// Figures of a collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stats {
    /// Live documents.
    pub documents: usize,
    /// Live documents in the memtable.
    pub memtable: usize,
    /// About how many bytes the memtable takes.
    pub memtable_bytes: usize,
    /// Segments.
    pub segments: usize,
    /// Segments with neighbour lists.
    pub indexed: usize,
    /// Versions that have ended and are still stored.
    pub ended: usize,
    /// Vectors in segments that have no neighbour lists.
    pub unlinked_vectors: usize,
}

impl View {
    /// The live version of a document.
    ///
    /// # Errors
    /// `corrupt`, `not_resident`.
    pub fn get(&self, id: &str) -> Result<Option<SharedRow>> {
        self.find_live(id)?.map(|place| self.row(place)).transpose()
    }

    /// The live versions of documents, in the order of `ids`; `None` for those that are not there.
    ///
    /// # Errors
    /// `too_large` for more than [`SCAN_MAX`] ids; `corrupt`, `not_resident`.
    pub fn get_many(&self, ids: &[String]) -> Result<Vec<Option<SharedRow>>> {
        if ids.len() > SCAN_MAX {
            let (got, limit) = (ids.len() as u64, SCAN_MAX as u64);
            return Err(InputError::TooLarge { what: "a list of ids", got, limit }.into());
        }
        ids.iter().map(|id| self.get(id)).collect()
    }

    /// Up to `limit` live documents after `cursor`, or from the first, in the order of seq.
    ///
    /// # Errors
    /// `invalid_parameter`; `corrupt`, `not_resident`.
    pub fn scan(&self, cursor: Option<Seq>, limit: usize) -> Result<Page> {
        if !(1..=SCAN_MAX).contains(&limit) {
            return Err(Error::parameter("limit", limit, format!("1 to {SCAN_MAX}")));
        }
        let mut rows: Vec<SharedRow> = Vec::new();
        for (i, part) in self.parts.iter().enumerate() {
            for slot in part.part.slot_after(cursor)?..part.part.len() {
                let slot = Slot(slot as u32);
                if part.ends.contains(slot) {
                    continue;
                }
                if rows.len() == limit {
                    return Ok(Page { next: rows.last().map(|row| row.seq), rows });
                }
                rows.push(self.row(Place { part: i, slot })?);
            }
        }
        Ok(Page { rows, next: None })
    }

    /// All live documents, in the order of seq.
    ///
    /// # Errors
    /// `corrupt`, `not_resident`.
    pub fn all_rows(&self) -> Result<Vec<SharedRow>> {
        let mut rows = Vec::with_capacity(self.live());
        for (i, part) in self.parts.iter().enumerate() {
            for slot in (0..part.part.len() as u32).map(Slot).filter(|slot| !part.ends.contains(*slot)) {
                rows.push(self.row(Place { part: i, slot })?);
            }
        }
        Ok(rows)
    }

    /// Figures.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let mut stats = Stats::default();
        for part in &self.parts {
            stats.documents += part.live();
            stats.ended += part.ends.count();
            match &part.part {
                Part::Chunk(chunk) => {
                    stats.memtable += part.live();
                    stats.memtable_bytes += chunk.weight();
                }
                Part::Segment(segment) => {
                    stats.segments += 1;
                    stats.indexed += usize::from(segment.links.is_some());
                    if segment.links.is_none() {
                        stats.unlinked_vectors += segment.rows.vectors();
                    }
                }
            }
        }
        stats
    }
}
