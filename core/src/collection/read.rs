//! Reading a view without a query: one document, a page of documents, figures.

use crate::base::limits::SCAN_MAX;
use crate::base::{Error, InputError, NEVER, Result, Seq, Slot};
use crate::segment::{SharedRow, Touch};

use super::moment::Moment;
use super::view::{Part, Place, View};

/// A page of a scan.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// Documents in the order of seq.
    pub rows: Vec<SharedRow>,
    /// Where the next page begins; `None` after the last.
    pub next: Option<Seq>,
}

/// So many versions of a document are listed.
pub const VERSIONS_MAX: usize = 1_000;

/// One of the versions of a document.
#[derive(Debug, Clone, PartialEq)]
pub struct Version {
    /// What it holds.
    pub row: SharedRow,
    /// The first moment at which it is no longer there: when it was replaced or deleted, or when it expires. `None` for
    /// no such moment.
    pub valid_to: Option<i64>,
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

fn check_count(ids: &[String]) -> Result<()> {
    if ids.len() > SCAN_MAX {
        let (got, limit) = (ids.len() as u64, SCAN_MAX as u64);
        return Err(InputError::TooLarge { what: "a list of ids", got, limit }.into());
    }
    Ok(())
}

impl View {
    /// The version of a document that is there at a moment.
    ///
    /// # Errors
    /// `corrupt`, `not_resident`.
    pub fn get(&self, id: &str, moment: Moment) -> Result<Option<SharedRow>> {
        self.find_at(id, moment)?.map(|place| self.row(place)).transpose()
    }

    /// The versions of documents that are there at a moment, in the order of `ids`; `None` for those that are not.
    ///
    /// # Errors
    /// `too_large` for more than [`SCAN_MAX`] ids; `corrupt`, `not_resident`.
    pub fn get_many(&self, ids: &[String], moment: Moment) -> Result<Vec<Option<SharedRow>>> {
        check_count(ids)?;
        ids.iter().map(|id| self.get(id, moment)).collect()
    }

    /// How often documents were touched since they were last stored, and when last, in the order of `ids`; `None` for those
    /// that never were, or are not there. There is no history of it.
    ///
    /// # Errors
    /// `too_large` for more than [`SCAN_MAX`] ids; `corrupt`, `not_resident`.
    pub fn touches(&self, ids: &[String], now: Moment) -> Result<Vec<Option<Touch>>> {
        check_count(ids)?;
        let touched = |place: Place| self.parts[place.part].ends.touches.get(place.slot);
        ids.iter().map(|id| Ok(self.find_at(id, now)?.and_then(touched))).collect()
    }

    /// The versions of a document that are kept, the newest first and at most [`VERSIONS_MAX`], those that ended before
    /// the earliest moment that can be asked for left out.
    ///
    /// # Errors
    /// `corrupt`, `not_resident`.
    pub fn versions(&self, id: &str) -> Result<Vec<Version>> {
        let earliest = self.earliest();
        let mut versions = Vec::new();
        for place in self.places_of(id)?.into_iter().take(VERSIONS_MAX) {
            let row = self.row(place)?;
            let end = self.parts[place.part].ends.get(place.slot).map_or(row.expires_at, |end| end.valid_to);
            if end > earliest {
                versions.push(Version { row, valid_to: (end < NEVER).then_some(end) });
            }
        }
        Ok(versions)
    }

    /// Up to `limit` documents that are there at a moment, after `cursor` or from the first, in the order of seq.
    ///
    /// # Errors
    /// `invalid_parameter`; `corrupt`, `not_resident`.
    pub fn scan(&self, cursor: Option<Seq>, limit: usize, moment: Moment) -> Result<Page> {
        if !(1..=SCAN_MAX).contains(&limit) {
            return Err(Error::parameter("limit", limit, format!("1 to {SCAN_MAX}")));
        }
        let mut rows: Vec<SharedRow> = Vec::new();
        for (i, part) in self.parts.iter().enumerate() {
            for slot in part.part.slot_after(cursor)?..part.part.len() {
                let slot = Slot(slot as u32);
                if !part.is_visible(slot, moment)? {
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

    /// Up to `limit` documents that are there at a moment, after the first `offset`, in the order of seq. Which come before
    /// is found out without reading them.
    ///
    /// # Errors
    /// `invalid_parameter`; `corrupt`, `not_resident`.
    pub fn scan_from(&self, offset: usize, limit: usize, moment: Moment) -> Result<Vec<SharedRow>> {
        if !(1..=SCAN_MAX).contains(&limit) {
            return Err(Error::parameter("limit", limit, format!("1 to {SCAN_MAX}")));
        }
        let (mut rows, mut before) = (Vec::new(), 0);
        for (i, part) in self.parts.iter().enumerate() {
            for slot in (0..part.part.len() as u32).map(Slot) {
                if !part.is_visible(slot, moment)? {
                    continue;
                }
                if before < offset {
                    before += 1;
                    continue;
                }
                rows.push(self.row(Place { part: i, slot })?);
                if rows.len() == limit {
                    return Ok(rows);
                }
            }
        }
        Ok(rows)
    }

    /// All documents that have not ended, in the order of seq; some may have expired.
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
                    stats.indexed += usize::from(segment.is_linked());
                    if !segment.is_linked() {
                        stats.unlinked_vectors += segment.rows.vectors();
                    }
                }
            }
        }
        stats
    }
}
