//! What other stored forms and codes would take and find, told from a sample before anybody decides.
//!
//! The sample is evenly spaced over what is live; a part of it is held out as queries. For each choice the sample is
//! encoded as a segment would be, and the nearest that it finds are compared with the nearest by the vectors as they
//! are. Where it pauses never changes what it answers.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use crate::base::limits::{ESTIMATE_BYTES_MAX, ESTIMATE_K_MAX, ESTIMATE_QUERIES_MAX, ESTIMATE_SAMPLE_MAX};
use crate::base::{Error, Pool, Result, Slot, TopK};
use crate::segment::{Scratch, default_rerank, scan_codes};
use crate::storage::{Blob, BlobId};
use crate::vectors::{CodeEncoder, Codes, Coding, Metric, PreparedQuery, Stored, inverse_norm};

use super::view::View;

/// How a sample is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EstimateRequest {
    /// Vectors that are looked at, at least two; all when there are fewer, and no more than 256 MiB of them.
    pub sample: usize,
    /// Of these, how many are searched for among the others.
    pub queries: usize,
    /// How many neighbours of each are compared.
    pub k: usize,
}

impl Default for EstimateRequest {
    fn default() -> Self {
        Self { sample: 10_000, queries: 100, k: 10 }
    }
}

impl EstimateRequest {
    /// Refuses what would take too long or tell nothing.
    ///
    /// # Errors
    /// `invalid_parameter`.
    pub fn check(&self) -> Result<()> {
        for (name, got, least, most) in [
            ("sample", self.sample, 2, ESTIMATE_SAMPLE_MAX),
            ("queries", self.queries, 1, ESTIMATE_QUERIES_MAX),
            ("k", self.k, 1, ESTIMATE_K_MAX),
        ] {
            if !(least..=most).contains(&got) {
                return Err(Error::parameter(name, got, format!("{least} to {most}")));
            }
        }
        Ok(())
    }
}

/// What one choice would take and find.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Choice<T> {
    /// What would be chosen.
    pub choice: T,
    /// Bytes of all vectors.
    pub bytes: u64,
    /// The share of the nearest that were found; `None` when it cannot be used with the metric or these vectors.
    pub recall: Option<f64>,
}

/// What each choice would take and find.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimate {
    /// Vectors there are, those of versions that have ended included.
    pub vectors: usize,
    /// Of these, how many were looked at.
    pub sample: usize,
    /// Of these, how many were searched for.
    pub queries: usize,
    /// How many neighbours of each were compared.
    pub k: usize,
    /// Codes: what a search holds in memory beside links.
    pub codes: Vec<Choice<Coding>>,
    /// Stored forms: what is on the disk.
    pub stored: Vec<Choice<Stored>>,
}

/// An estimate that is being made, a step at a time.
#[derive(Debug)]
pub struct Estimator {
    view: Arc<View>,
    request: EstimateRequest,
    metric: Metric,
    dim: usize,
    /// Every how many-th live vector is taken, and how many were passed.
    stride: usize,
    passed: usize,
    /// The part and the slot that come next.
    at: (usize, u32),
    total: usize,
    /// The vectors that are searched, and the queries.
    base: Vec<f32>,
    norms: Vec<f32>,
    queries: Vec<PreparedQuery>,
    taken: usize,
    truth: Vec<Vec<u32>>,
    /// The base in the stored form that is looked at, its norms, and what was found among it so far.
    rounded: Option<(Vec<f32>, Vec<f32>)>,
    found: Vec<Vec<u32>>,
    encoder: Option<CodeEncoder>,
    /// Codes of the sample, how many bytes all would take, and what was found by them so far.
    encoded: Option<(Codes, u64)>,
    codes: Vec<Choice<Coding>>,
    stored: Vec<Choice<Stored>>,
    scratch: Scratch,
}

impl Estimator {
    /// For the vectors of a view.
    ///
    /// # Errors
    /// `invalid_parameter` for a request out of range, and for a collection with fewer than two vectors.
    pub fn new(view: Arc<View>, request: EstimateRequest) -> Result<Self> {
        request.check()?;
        let total: usize = view.parts.iter().map(|part| part.part.vectors()).sum();
        let dim = view.dim.unwrap_or(0).max(1) as usize;
        let sample = request.sample.min(ESTIMATE_BYTES_MAX / (4 * dim)).max(2);
        let request = EstimateRequest { sample, ..request };
        if total < 2 {
            return Err(too_few(total));
        }
        Ok(Self {
            request,
            metric: view.config.metric,
            dim,
            stride: total.div_ceil(request.sample),
            passed: 0,
            at: (0, 0),
            total,
            base: Vec::new(),
            norms: Vec::new(),
            queries: Vec::new(),
            taken: 0,
            truth: Vec::new(),
            rounded: None,
            found: Vec::new(),
            encoder: None,
            encoded: None,
            codes: Vec::new(),
            stored: Vec::new(),
            scratch: Scratch::default(),
            view,
        })
    }

    /// Looks at about `budget` vectors; true when everything is known.
    ///
    /// # Errors
    /// `corrupt`, `not_resident`, after which it can be called again.
    pub fn step(&mut self, budget: usize, pool: &Pool) -> Result<bool> {
        let budget = budget.max(1);
        if self.at.0 < self.view.parts.len() {
            self.take(budget)?;
        } else if self.truth.len() < self.queries.len() {
            self.compare(budget);
        } else if let Some(coding) = Coding::ALL.get(self.codes.len()) {
            self.encode(*coding, budget, pool)?;
        } else if let Some(stored) = Stored::ALL.get(self.stored.len()) {
            self.round(*stored, budget);
        } else {
            return Ok(true);
        }
        Ok(false)
    }

    /// What is known at the end.
    #[must_use]
    pub fn into_estimate(self) -> Estimate {
        let Self { total, taken, queries, request, codes, stored, .. } = self;
        Estimate { vectors: total, sample: taken, queries: queries.len(), k: request.k, codes, stored }
    }

    /// How many vectors are searched among.
    fn len(&self) -> usize {
        self.base.len() / self.dim.max(1)
    }

    /// Reads the sample.
    fn take(&mut self, budget: usize) -> Result<()> {
        let view = Arc::clone(&self.view);
        // Of so many in the sample one is a query: at most half of them.
        let every = (self.request.sample.min(self.total) / self.request.queries).max(2);
        let mut left = budget;
        while let Some(part) = view.parts.get(self.at.0) {
            let slot = Slot(self.at.1);
            if slot.index() == part.part.len() {
                self.at = (self.at.0 + 1, 0);
                continue;
            }
            if left == 0 {
                return Ok(());
            }
            let is_live = part.part.has_vector(slot)? && !part.ends.contains(slot);
            let is_wanted = self.passed.is_multiple_of(self.stride) && self.taken < self.request.sample;
            if is_live
                && is_wanted
                && let Some(vector) = part.part.vector(slot)?
            {
                if self.taken % every == every / 2 && self.queries.len() < self.request.queries {
                    self.queries.push(PreparedQuery::new(self.metric, &vector));
                } else {
                    self.norms.push(norm(self.metric, &vector));
                    self.base.extend_from_slice(&vector);
                }
                self.taken += 1;
            }
            self.passed += usize::from(is_live);
            left -= 1;
            self.at.1 += 1;
        }
        // All but two may have ended.
        if self.queries.is_empty() { Err(too_few(self.taken)) } else { Ok(()) }
    }

    /// Finds the nearest of some queries.
    fn compare(&mut self, budget: usize) {
        let next = self.next(self.truth.len(), budget);
        let found: Vec<_> = next.map(|i| self.nearest(i, &self.base, &self.norms, self.all())).collect();
        self.truth.extend(found);
    }

    /// The queries that come next, each as dear as the whole sample.
    fn next(&self, done: usize, budget: usize) -> Range<usize> {
        done..self.queries.len().min(done + (budget / self.len().max(1)).max(1))
    }

    fn all(&self) -> Range<u32> {
        0..self.len() as u32
    }

    /// The nearest of a query among some of these vectors.
    fn nearest(
        &self,
        query: usize,
        vectors: &[f32],
        norms: &[f32],
        among: impl Iterator<Item = u32>,
    ) -> Vec<u32> {
        let mut top = TopK::new(self.request.k);
        for i in among {
            let at = i as usize;
            let row = &vectors[at * self.dim..(at + 1) * self.dim];
            top.push(self.queries[query].distance(row, norms[at]), u64::from(i), i);
        }
        top.into_sorted().into_iter().map(|(_, i)| i).collect()
    }

    /// Encodes some vectors; then looks what some queries find by these codes.
    fn encode(&mut self, coding: Coding, budget: usize, pool: &Pool) -> Result<()> {
        if coding.check(self.metric).is_err() {
            self.codes.push(Choice { choice: coding, bytes: 0, recall: None });
            return Ok(());
        }
        let Some((codes, bytes)) = self.encoded.take() else {
            return self.encode_sample(coding, budget, pool);
        };
        let mut scratch = std::mem::take(&mut self.scratch);
        let rerank = default_rerank(coding, self.request.k);
        let found = self.next(self.found.len(), budget).map(|query| {
            let candidates = scan_codes(&codes, self.queries[query].vector(), rerank, &mut scratch);
            self.nearest(query, &self.base, &self.norms, candidates.into_iter().map(|(_, i)| i))
        });
        let found: Vec<_> = found.collect();
        self.found.extend(found);
        self.scratch = scratch;
        if self.found.len() < self.queries.len() {
            self.encoded = Some((codes, bytes));
            return Ok(());
        }
        let recall = recall(&self.truth, std::mem::take(&mut self.found).into_iter());
        self.codes.push(Choice { choice: coding, bytes, recall: Some(recall) });
        Ok(())
    }

    fn encode_sample(&mut self, coding: Coding, budget: usize, pool: &Pool) -> Result<()> {
        let mut encoder = match self.encoder.take() {
            Some(encoder) => encoder,
            None => CodeEncoder::new(coding, self.metric, self.dim, self.len())?,
        };
        let read =
            |range: Range<usize>| Ok(Cow::Borrowed(&self.base[range.start * self.dim..range.end * self.dim]));
        if !encoder.step(budget, &read, pool)? {
            self.encoder = Some(encoder);
            return Ok(());
        }
        let (kind, sections) = encoder.blob();
        let shared = coding.shared_bytes(self.dim);
        let size: usize = sections.iter().map(|section| section.bytes.len()).sum();
        let of_sample = size.saturating_sub(shared) as u128;
        let bytes = shared as u128 + of_sample * self.total as u128 / self.len().max(1) as u128;
        let codes = Codes::open(&Blob::in_memory(BlobId::new(0, 1, kind), &sections)?)?;
        self.encoded = Some((codes, bytes as u64));
        Ok(())
    }

    /// Rounds the sample; then looks what some queries find.
    fn round(&mut self, stored: Stored, budget: usize) {
        let bytes = stored.width(self.dim) as u64 * self.total as u64;
        let Some((rounded, norms)) = self.rounded.take() else {
            let mut rounded = self.base.clone();
            let fits = |row: &mut [f32]| stored.round(self.metric, row).is_ok();
            let holds_queries = self.queries.iter().all(|query| fits(&mut query.vector().to_vec()));
            let fits = holds_queries && rounded.chunks_exact_mut(self.dim).all(fits);
            if fits {
                let norms = rounded.chunks_exact(self.dim).map(|row| norm(self.metric, row)).collect();
                self.rounded = Some((rounded, norms));
            } else {
                self.stored.push(Choice { choice: stored, bytes, recall: None });
            }
            return;
        };
        let next = self.next(self.found.len(), budget);
        let found: Vec<_> = next.map(|i| self.nearest(i, &rounded, &norms, self.all())).collect();
        self.found.extend(found);
        if self.found.len() < self.queries.len() {
            self.rounded = Some((rounded, norms));
            return;
        }
        let recall = recall(&self.truth, std::mem::take(&mut self.found).into_iter());
        self.stored.push(Choice { choice: stored, bytes, recall: Some(recall) });
    }
}

fn too_few(vectors: usize) -> Error {
    Error::parameter("estimate", format!("{vectors} vectors"), "a collection with two vectors or more")
}

fn norm(metric: Metric, row: &[f32]) -> f32 {
    if metric == Metric::Cosine { inverse_norm(row) } else { 1.0 }
}

/// The share of the truth that was found.
fn recall(truth: &[Vec<u32>], found: impl Iterator<Item = Vec<u32>>) -> f64 {
    let wanted: usize = truth.iter().map(Vec::len).sum();
    let right = |(truth, found): (&Vec<u32>, Vec<u32>)| found.iter().filter(|i| truth.contains(i)).count();
    let found: usize = truth.iter().zip(found).map(right).sum();
    if wanted == 0 { 1.0 } else { found as f64 / wanted as f64 }
}
