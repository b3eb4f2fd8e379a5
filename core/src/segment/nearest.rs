//! The nearest vectors of one segment: by its links, by a scan of its codes, or exactly.

use crate::base::{Bitmap, Result, Slot, TopK};
use crate::index::{Scratch, SearchParams, flat};
use crate::vectors::{Metric, PreparedQuery};

use super::blobs::Segment;
use super::rows::floats;

/// So few allowed vectors are compared with their stored form at once: cheaper than any estimate and exact.
const EXACT_BELOW: usize = 4096;
/// At least so many candidates of an estimate are compared with their stored form.
const RERANK_MIN: usize = 64;
/// Vectors read at once by an exact scan.
const SCAN_ROWS: usize = 256;
/// Below this share of allowed vectors (1 in ...) a scan of their codes beats the links.
const LINKS_SHARE: usize = 50;

/// What is looked for among vectors.
#[derive(Debug, Clone)]
pub struct VectorQuery {
    /// The query.
    pub prepared: PreparedQuery,
    /// How many.
    pub k: usize,
    /// How widely an index searches; at least `k` is used.
    pub ef: usize,
    /// Compare with every allowed vector.
    pub exact: bool,
}

impl VectorQuery {
    /// The query in the form that distances take.
    #[must_use]
    pub fn new(metric: Metric, vector: &[f32], k: usize, ef: usize, exact: bool) -> Self {
        Self { prepared: PreparedQuery::new(metric, vector), k, ef: ef.max(k), exact }
    }
}

/// Where the nearest vectors of all parts are gathered: distance, then seq, then what the caller attaches.
pub type Nearest = TopK<(usize, Slot)>;

impl Segment {
    /// Offers the nearest allowed vectors to `found`; `part` tells segments apart there.
    ///
    /// # Shapes
    /// `allowed`: by slot; `None` for all.
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
        if self.rows.vectors() == 0 {
            return Ok(());
        }
        let by_ordinal = self.by_ordinal(allowed)?;
        let allowed = by_ordinal.as_ref().or(allowed);
        let count = allowed.map_or(self.rows.vectors(), Bitmap::count);
        let candidates = match self.codes()? {
            Some(codes) if !query.exact && count > EXACT_BELOW => {
                let rerank = RERANK_MIN.max(2 * query.k);
                let scorer = codes.scorer(query.prepared.vector());
                let by_links = self.links()?.filter(|_| count * LINKS_SHARE >= self.rows.vectors());
                let params = SearchParams { k: rerank, ef: query.ef.max(rerank), visits_max: count };
                let searched = by_links
                    .map(|links| links.search(&scorer, params, allowed, scratch, None))
                    .filter(|searched| !searched.gave_up && searched.hits.len() >= query.k.min(count));
                searched.map_or_else(|| flat::search(&scorer, codes.len(), rerank, allowed), |s| s.hits)
            }
            _ => return self.nearest_exactly(query, allowed, part, found),
        };
        let (norms, seqs) = (self.rows.inverse_norms()?, self.rows.seqs()?);
        for (_, ordinal) in candidates {
            let norm = norms[ordinal as usize];
            let distance = self.rows.with_vector(ordinal, |v| query.prepared.distance(v, norm))?;
            let slot = self.slot_of_ordinal(ordinal)?;
            found.push(distance, seqs[slot.index()], (part, slot));
        }
        Ok(())
    }

    fn nearest_exactly(
        &self,
        query: &VectorQuery,
        allowed: Option<&Bitmap>,
        part: usize,
        found: &mut Nearest,
    ) -> Result<()> {
        let (norms, seqs, dim) = (self.rows.inverse_norms()?, self.rows.seqs()?, self.rows.dim());
        let n = self.rows.vectors();
        for start in (0..n).step_by(SCAN_ROWS) {
            let end = (start + SCAN_ROWS).min(n);
            let is_allowed = |ordinal: &usize| allowed.is_none_or(|a| a.contains(*ordinal));
            if !(start..end).any(|ordinal| is_allowed(&ordinal)) {
                continue;
            }
            let bytes = self.rows.vector_bytes(start..end)?;
            let vectors = floats(&bytes);
            for ordinal in (start..end).filter(is_allowed) {
                let row = &vectors[(ordinal - start) * dim..(ordinal - start + 1) * dim];
                let distance = query.prepared.distance(row, norms[ordinal]);
                let slot = self.slot_of_ordinal(ordinal as u32)?;
                found.push(distance, seqs[slot.index()], (part, slot));
            }
        }
        Ok(())
    }

    /// What is allowed, counted in vectors; `None` when that is the same or all are.
    fn by_ordinal(&self, allowed: Option<&Bitmap>) -> Result<Option<Bitmap>> {
        let (Some(allowed), Some(slots)) = (allowed, self.rows.vector_slots()?) else { return Ok(None) };
        let mut ordinals = Bitmap::empty(slots.len());
        for (ordinal, slot) in slots.iter().enumerate() {
            if allowed.contains(*slot as usize) {
                ordinals.insert(ordinal);
            }
        }
        Ok(Some(ordinals))
    }

    fn slot_of_ordinal(&self, ordinal: u32) -> Result<Slot> {
        Ok(Slot(self.rows.vector_slots()?.map_or(ordinal, |slots| slots[ordinal as usize])))
    }
}
