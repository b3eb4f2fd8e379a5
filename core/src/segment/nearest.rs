//! The nearest vectors of one segment: by its links, by a scan of its codes, or exactly; and which of the three.

use crate::base::{Bitmap, Result, Slot, TopK};
use crate::index::{Hnsw, SearchParams, flat, hnsw};
use crate::kernels::{CodeQuery, prefetch};
use crate::vectors::bits::BitScratch;
use crate::vectors::{Codes, Coding, Metric, PreparedQuery, Scorer, pq};

use super::blobs::Segment;

/// So few allowed vectors are compared with their stored form at once: cheaper than any estimate and exact.
const EXACT_BELOW: usize = 4096;
/// At least so many candidates of an estimate are compared with their stored form.
const RERANK_MIN: usize = 64;
/// How widely links are searched at least, unless asked otherwise.
const EF_MIN: usize = 96;
/// Candidates whose stored forms are asked for before the first of them is compared.
const RERANK_ROWS: usize = 8;
/// Bytes of each that are asked for. Of 768 dimensions all: the first eight lines alone, after which the processor reads on by itself,
/// took up to a tenth longer.
const RERANK_PREFETCH: usize = 3072;
/// Vectors read at once by an exact scan.
const SCAN_ROWS: usize = 256;
/// A scan of so many codes takes as long as a search by links of 16 that is one wide: a search looks at 17 vectors or so
/// for each, and each takes it three times as long.
const SCANNED_PER_EF: usize = 56;
/// The links that such figures were measured with; they grow with links.
const MEASURED_LINKS: usize = 16;
/// Below this share of allowed vectors (1 in ...) too few are found behind neighbours that are not.
const LINKS_SHARE: usize = 64;
/// A filtered search that computes more distances than an unfiltered one would, and half as many again, is in a region
/// where little is allowed: a scan is better.
const FILTERED_VISITS_PER_EF: usize = 32;
/// The same, for the way there.
const FILTERED_VISITS_MIN: usize = 1000;
/// Where at most one vector in so many is not allowed, it is looked at like all others and left out at the end.
const LEFT_OUT_SHARE: usize = 8;

/// What is looked for among vectors.
#[derive(Debug, Clone)]
pub struct VectorQuery {
    /// The query.
    pub prepared: PreparedQuery,
    /// How many.
    pub k: usize,
    /// How widely an index searches; at least `k`. Default: 96, or as many as are compared with their stored form.
    pub ef: Option<usize>,
    /// How many candidates of an estimate are compared with their stored form; at least `k`. Default: 64, or
    /// two, four or eight times `k` for codes of int8, bits or by product quantisation.
    pub rerank: Option<usize>,
    /// See [`SearchParams::patience`].
    pub patience: Option<usize>,
    /// Compare with every allowed vector.
    pub exact: bool,
    /// Note which vectors were looked at.
    pub trace: bool,
}

impl VectorQuery {
    /// A query in the form that distances take, with the defaults.
    #[must_use]
    pub fn new(metric: Metric, vector: &[f32], k: usize) -> Self {
        let prepared = PreparedQuery::new(metric, vector);
        Self { prepared, k, ef: None, rerank: None, patience: None, exact: false, trace: false }
    }
}

/// Memory that searches use again: one for each thread that searches.
#[derive(Debug, Default)]
pub struct Scratch {
    links: hnsw::Scratch,
    int8: CodeQuery,
    bits: BitScratch,
    pq: pq::Scratch,
    /// A vector that is stored in another form.
    decoded: Vec<f32>,
}

/// How the nearest of some vectors were found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plan {
    /// Every allowed vector was compared.
    Exact,
    /// The codes of all allowed were scanned, then the best compared.
    Codes,
    /// Links were followed, then the best compared.
    Links,
}

impl Plan {
    /// Its name on every surface.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Codes => "codes",
            Self::Links => "links",
        }
    }
}

/// When vectors that are not allowed were left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filtered {
    /// First: only the allowed were compared.
    Before,
    /// On the way: links were followed from allowed to allowed, through others where they must be.
    During,
    /// At the end: links were followed as if all were allowed.
    After,
}

impl Filtered {
    /// Its name on every surface.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::During => "during",
            Self::After => "after",
        }
    }
}

/// What a search of one part did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Searched {
    /// How the nearest were found.
    pub plan: Plan,
    /// When those that are not allowed were left out.
    pub filtered: Filtered,
    /// How many distances were computed: the cost on any machine.
    pub distances: usize,
    /// Of the allowed, whose neighbours were looked at, in order, when a trace was asked for.
    pub path: Vec<Slot>,
}

impl Searched {
    /// Every allowed vector was compared.
    #[must_use]
    pub fn exactly(distances: usize) -> Self {
        Self { plan: Plan::Exact, filtered: Filtered::Before, distances, path: Vec::new() }
    }
}

/// Where what is found in a part goes.
struct Found<'a> {
    part: usize,
    found: &'a mut Nearest,
    decoded: &'a mut Vec<f32>,
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
    ) -> Result<Searched> {
        if self.rows.vectors() == 0 {
            return Ok(Searched::exactly(0));
        }
        let by_ordinal = self.by_ordinal(allowed)?;
        let allowed = by_ordinal.as_ref().or(allowed);
        let count = allowed.map_or(self.rows.vectors(), Bitmap::count);
        let codes = match self.codes()? {
            Some(codes) if !query.exact && count > EXACT_BELOW => codes,
            _ => {
                let found = Found { part, found, decoded: &mut scratch.decoded };
                return self.nearest_exactly(query, allowed, found);
            }
        };
        let Scratch { links, int8, bits, pq, decoded } = scratch;
        let coding = codes.coding();
        let (vector, found_in) = (query.prepared.vector(), Found { part, found, decoded });
        match codes {
            Codes::Int8(codes) => {
                self.nearest_by(&codes.scorer(vector, int8), coding, query, allowed, links, found_in)
            }
            Codes::Bits(codes) => {
                self.nearest_by(&codes.scorer(vector, bits), coding, query, allowed, links, found_in)
            }
            Codes::Pq(codes) => {
                self.nearest_by(&codes.scorer(vector, pq), coding, query, allowed, links, found_in)
            }
        }
    }

    /// By estimates, then by the stored forms of the best of them.
    fn nearest_by<S: Scorer>(
        &self,
        scorer: &S,
        coding: Coding,
        query: &VectorQuery,
        allowed: Option<&Bitmap>,
        scratch: &mut hnsw::Scratch,
        mut found: Found<'_>,
    ) -> Result<Searched> {
        let vectors = self.rows.vectors();
        let count = allowed.map_or(vectors, Bitmap::count);
        let rerank = query.rerank.map_or(default_rerank(coding, query.k), |rerank| rerank.max(query.k));
        let ef = query.ef.unwrap_or(EF_MIN.max(rerank)).max(query.k);
        let mut searched = Searched { plan: Plan::Codes, ..Searched::exactly(0) };
        let count_of = allowed.map(|_| count);
        if let Some(links) = self.links()?.filter(|links| links_pay(links, count_of, ef)) {
            let wanted = rerank.min(ef);
            let is_allowed = |ordinal: u32| allowed.is_none_or(|allowed| allowed.contains(ordinal as usize));
            for (params, filter) in by_links(links, allowed, count, wanted, ef) {
                let (params, mut path) = (SearchParams { patience: query.patience, ..params }, Vec::new());
                let trace = query.trace.then_some(&mut path);
                let found_by_links = links.search(scorer, params, filter, scratch, trace);
                searched.distances += found_by_links.visited;
                let hits = found_by_links.hits.iter().copied().filter(|hit| is_allowed(hit.1)).take(wanted);
                // More are allowed than the beam holds: a search that ran dry has missed some.
                if !found_by_links.gave_up && hits.clone().count() == wanted {
                    searched.plan = Plan::Links;
                    searched.filtered = if filter.is_some() { Filtered::During } else { Filtered::After };
                    let seen = path.into_iter().filter(|ordinal| is_allowed(*ordinal));
                    searched.path =
                        seen.map(|ordinal| self.slot_of_ordinal(ordinal)).collect::<Result<_>>()?;
                    self.rerank(query, hits, &mut found)?;
                    return Ok(searched);
                }
            }
        }
        searched.distances += count;
        let scanned = flat::search(scorer, vectors, rerank, allowed);
        self.rerank(query, scanned.into_iter(), &mut found)?;
        Ok(searched)
    }

    /// Compares candidates with their stored form.
    #[cfg_attr(kithdb_small, optimize(speed), inline(never))]
    fn rerank(
        &self,
        query: &VectorQuery,
        candidates: impl Iterator<Item = (f32, u32)>,
        Found { part, found, decoded }: &mut Found<'_>,
    ) -> Result<()> {
        let (norms, seqs) = (self.rows.inverse_norms()?, self.rows.seqs()?);
        let mut ordinals = candidates.map(|(_, ordinal)| ordinal);
        loop {
            let mut rows = [const { None }; RERANK_ROWS];
            for (row, ordinal) in rows.iter_mut().zip(&mut ordinals) {
                let bytes = self.rows.vector_bytes(ordinal as usize..ordinal as usize + 1)?;
                prefetch(&bytes[..bytes.len().min(RERANK_PREFETCH)]);
                *row = Some((ordinal, bytes));
            }
            if rows[0].is_none() {
                return Ok(());
            }
            for (ordinal, bytes) in rows.iter().flatten() {
                let (stored, norm) = (self.rows.stored(), norms[*ordinal as usize]);
                let distance = query.prepared.distance_stored(stored, bytes, norm, decoded);
                let slot = self.slot_of_ordinal(*ordinal)?;
                found.push(distance, seqs[slot.index()], (*part, slot));
            }
        }
    }

    #[cfg_attr(kithdb_small, optimize(speed), inline(never))]
    fn nearest_exactly(
        &self,
        query: &VectorQuery,
        allowed: Option<&Bitmap>,
        Found { part, found, decoded }: Found<'_>,
    ) -> Result<Searched> {
        let (norms, seqs) = (self.rows.inverse_norms()?, self.rows.seqs()?);
        let (stored, width) = (self.rows.stored(), self.rows.stored().width(self.rows.dim()));
        let (n, mut distances) = (self.rows.vectors(), 0);
        for start in (0..n).step_by(SCAN_ROWS) {
            let end = (start + SCAN_ROWS).min(n);
            let is_allowed = |ordinal: &usize| allowed.is_none_or(|a| a.contains(*ordinal));
            if !(start..end).any(|ordinal| is_allowed(&ordinal)) {
                continue;
            }
            let bytes = self.rows.vector_bytes(start..end)?;
            for ordinal in (start..end).filter(is_allowed) {
                let row = &bytes[(ordinal - start) * width..(ordinal - start + 1) * width];
                let distance = query.prepared.distance_stored(stored, row, norms[ordinal], decoded);
                let slot = self.slot_of_ordinal(ordinal as u32)?;
                found.push(distance, seqs[slot.index()], (part, slot));
                distances += 1;
            }
        }
        Ok(Searched::exactly(distances))
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

    #[cfg_attr(kithdb_small, optimize(speed))]
    #[inline]
    fn slot_of_ordinal(&self, ordinal: u32) -> Result<Slot> {
        Ok(Slot(self.rows.vector_slots()?.map_or(ordinal, |slots| slots[ordinal as usize])))
    }
}

/// Whether following links is cheaper than a scan of the codes, where so many are `allowed`, or all.
fn links_pay(links: &Hnsw, allowed: Option<usize>, ef: usize) -> bool {
    let (n, count) = (links.len(), allowed.unwrap_or(links.len()));
    count > per_ef(SCANNED_PER_EF, ef, links) && count * LINKS_SHARE >= n
}

/// The vectors that codes estimate to be nearest, by a scan of all.
pub fn scan_codes(codes: &Codes, vector: &[f32], k: usize, scratch: &mut Scratch) -> Vec<(f32, u32)> {
    match codes {
        Codes::Int8(codes) => flat::search(&codes.scorer(vector, &mut scratch.int8), codes.len(), k, None),
        Codes::Bits(codes) => flat::search(&codes.scorer(vector, &mut scratch.bits), codes.len(), k, None),
        Codes::Pq(codes) => flat::search(&codes.scorer(vector, &mut scratch.pq), codes.len(), k, None),
    }
}

/// How many candidates of an estimate are compared with their stored form, unless a query says otherwise.
#[must_use]
pub fn default_rerank(coding: Coding, k: usize) -> usize {
    RERANK_MIN.max(rerank_per_k(coding) * k)
}

/// Among so many times as many candidates the nearest are: the worse an estimate, the more.
fn rerank_per_k(coding: Coding) -> usize {
    match coding {
        Coding::Int8 => 2,
        Coding::Bits => 4,
        Coding::Pq | Coding::Opq => 8,
    }
}

fn per_ef(measured: usize, ef: usize, links: &Hnsw) -> usize {
    measured * ef * links.params().links_max / MEASURED_LINKS
}

/// How links are searched for `wanted` candidates, one after the other until that many were found; with each what the
/// search itself looks out for. What is found must be filtered anyway.
fn by_links<'a>(
    links: &Hnsw,
    allowed: Option<&'a Bitmap>,
    count: usize,
    wanted: usize,
    ef: usize,
) -> impl Iterator<Item = (SearchParams, Option<&'a Bitmap>)> {
    let n = links.len();
    // A browser counts in 32 bits.
    let wider = (ef as u64 * n as u64).div_ceil(count as u64) as usize + 1;
    let (k, ef_of_all) = if allowed.is_some() { (wider, wider) } else { (wanted, ef) };
    let of_all = SearchParams { ef: ef_of_all, visits_max: n, ..SearchParams::new(k) };
    let most = per_ef(FILTERED_VISITS_PER_EF, ef, links) + FILTERED_VISITS_MIN;
    let filtered = SearchParams { ef, visits_max: count.min(most), ..SearchParams::new(wanted) };
    let few_left_out = (n - count) * LEFT_OUT_SHARE <= n;
    let first = few_left_out.then_some((of_all, None));
    first.into_iter().chain(allowed.map(|allowed| (filtered, Some(allowed))))
}
