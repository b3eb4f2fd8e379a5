//! Product quantisation: a vector is cut into parts, and of each part the number of the nearest of 256 centres is kept.
//!
//! Four components a byte give a sixteenth of the bytes of f32, for any metric; of few components a few more bytes. A query
//! makes a table of its distances to all centres; the distance to a vector is a sum of what its code names there.
//!
//! Optimised, vectors are rotated before they are cut, by a rotation that is learned from them: the same bytes a vector lose
//! less. Not for manhattan, whose distances a rotation changes.
//!
//! # Source
//! Jegou, Douze and Schmid, "Product quantization for nearest neighbor search", IEEE TPAMI 33 (2011), asymmetric distances;
//! for the rotation see [`super::opq`].

use std::borrow::Cow;
use std::ops::Range;

use super::codes::ReadVectors;
use super::kmeans::{Centres, Difference};
use super::metric::Metric;
use super::opq::{self, LearnedRotation, Learner, ROTATION_SECTION};
use super::scorer::Scorer;
use super::stored::inverse_norm;
use crate::base::limits::{DIM_MAX, SLOTS_MAX};
use crate::base::{DecodeError, Error, Pool, Reader, Result, Rng, Writer};
use crate::kernels::prefetch;
use crate::storage::{Blob, Pinned, Section};

/// Section of the parameters: version u8, metric tag u8, dim u32, vectors u32, parts u32,
/// centres of each part u32; then for each part its centres, f32, component by component.
pub const PARAMETERS_SECTION: u16 = 1;
/// Section of the rows: a byte a part.
pub const ROWS_SECTION: u16 = 2;

const VERSION: u8 = 1;
/// A byte names one.
pub(super) const CENTRES: usize = 256;
/// Components of a part, unless asked for otherwise.
const PART: usize = 4;
/// Vectors of so many components or fewer are short: what centres lose of each part evens out less among so few parts.
const SHORT: usize = 128;
/// Parts for every hundred components of a short vector, where that is more: with them codes are 0.0675 of the bytes of f32.
const PARTS_A_HUNDRED: usize = 27;
/// Vectors that centres are trained on: 64 for each.
const SAMPLE: usize = 64 * CENTRES;
const SEED: u64 = 0x6b69_7468_7071;
/// Vectors that a thread encodes at a time.
const ROWS_A_TASK: usize = 128;
/// Sums of a distance that do not wait for each other.
const SUMS: usize = 4;

/// How many parts a vector of this dimension is cut into, unless asked for otherwise.
#[must_use]
pub fn default_parts(dim: usize) -> usize {
    let parts = dim.div_ceil(PART);
    if dim <= SHORT { parts.max(dim * PARTS_A_HUNDRED / 100) } else { parts }
}

/// Whether a vector of this dimension is cut into so many parts without being asked for otherwise, or once was.
#[must_use]
pub fn is_default(dim: usize, parts: usize) -> bool {
    parts == default_parts(dim) || parts == dim.div_ceil(PART)
}

/// Refuses a metric that optimised codes cannot serve.
///
/// # Errors
/// `invalid_parameter`.
pub fn check_optimised(metric: Metric) -> Result<()> {
    match metric {
        Metric::Cosine | Metric::Euclidean | Metric::Dot => Ok(()),
        Metric::Manhattan => Err(Error::parameter(
            "codes",
            "opq",
            "int8 or pq for the manhattan metric, whose distances a rotation changes",
        )),
    }
}

/// Bytes that are held once for all vectors, whose parts are as many as [`default_parts`] says.
#[must_use]
pub fn shared_bytes(dim: usize, is_optimised: bool) -> usize {
    let rotation = if is_optimised { opq::bytes(&cut(dim, default_parts(dim))) } else { 0 };
    CENTRES * dim * size_of::<f32>() + rotation
}

/// What all rows share.
#[derive(Debug, Clone)]
struct Shape {
    metric: Metric,
    dim: usize,
    n: usize,
    /// What vectors are rotated by before they are cut, where the codes are optimised.
    rotation: Option<LearnedRotation>,
    parts: Vec<Centres>,
}

/// Where part `i` of `parts` lies; they differ by one component at the most.
fn part(dim: usize, parts: usize, i: usize) -> Range<usize> {
    // A browser counts in 32 bits.
    let start = |i: usize| (i as u64 * dim as u64 / parts as u64) as usize;
    start(i)..start(i + 1)
}

/// Where each of the parts lies.
fn cut(dim: usize, parts: usize) -> Vec<Range<usize>> {
    (0..parts).map(|i| part(dim, parts, i)).collect()
}

fn difference(metric: Metric) -> Difference {
    if metric == Metric::Manhattan { Difference::Absolute } else { Difference::Squared }
}

/// A component's share of the cosine distance between a query of length 1 and a code's vector.
///
/// That vector is shorter than 1, the more so the more was lost. By half the squared distance to it, codes that lost little
/// come too late; by 1 less the inner product, codes that lost much come too early. It is three quarters of the first and a
/// quarter of the second.
#[inline]
fn angle(x: f32, c: f32) -> f32 {
    (x - c) * (0.625 * x - 0.375 * c)
}

/// The vector as it is compared, but for a rotation.
fn compared(metric: Metric, vector: &[f32], out: &mut Vec<f32>) {
    let scale = if metric == Metric::Cosine { inverse_norm(vector) } else { 1.0 };
    out.clear();
    out.extend(vector.iter().map(|x| x * scale));
}

impl Shape {
    fn write(&self) -> Vec<u8> {
        let mut w = Writer::new();
        w.u8(VERSION);
        w.u8(self.metric.tag());
        w.u32(self.dim as u32);
        w.u32(self.n as u32);
        w.u32(self.parts.len() as u32);
        w.u32(self.parts[0].count() as u32);
        self.parts.iter().flat_map(Centres::components).for_each(|x| w.f32(*x));
        w.finish()
    }

    /// Reads the parameters, which leave out the rotation.
    fn read(bytes: &[u8]) -> Result<Self> {
        const OBJECT: &str = "product quantisation parameters";
        let refuse = |offset, expected: &str| Err(Error::corrupt(OBJECT, offset, expected));
        let of = |e: DecodeError| e.within(OBJECT, 0);
        let mut r = Reader::new(bytes);
        if r.u8().map_err(of)? != VERSION {
            return refuse(0, "version 1");
        }
        let Some(metric) = Metric::from_tag(r.u8().map_err(of)?) else {
            return refuse(1, "the tag of a metric");
        };
        let mut number = || r.u32().map(|n| n as usize).map_err(of);
        let (dim, n, parts, centres) = (number()?, number()?, number()?, number()?);
        if !(1..=DIM_MAX).contains(&dim) || n > SLOTS_MAX {
            return refuse(2, "a dimension and a number of vectors within the limits");
        }
        if !(1..=dim).contains(&parts) || !(1..=CENTRES).contains(&centres) {
            return refuse(10, "as many parts as components at the most, and 1 to 256 centres");
        }
        let all: Vec<f32> = (0..dim * centres).map_while(|_| r.f32().ok()).collect();
        if all.len() < dim * centres || !all.iter().all(|x| x.is_finite()) {
            return refuse(18, "finite centres of every part");
        }
        r.end().map_err(of)?;
        let centres_of = |i| {
            let range = part(dim, parts, i);
            Centres::of(all[range.start * centres..range.end * centres].to_vec(), centres)
        };
        Ok(Self { metric, dim, n, rotation: None, parts: (0..parts).map(centres_of).collect() })
    }

    /// Makes `work.vector` what is compared.
    fn prepare(&self, vector: &[f32], work: &mut Scratch) {
        compared(self.metric, vector, &mut work.vector);
        if let Some(rotation) = &self.rotation {
            rotation.apply(&work.vector, &mut work.distances);
            std::mem::swap(&mut work.vector, &mut work.distances);
        }
    }

    fn encode(&self, vector: &[f32], code: &mut [u8], work: &mut Scratch) {
        self.prepare(vector, work);
        for (i, (byte, centres)) in code.iter_mut().zip(&self.parts).enumerate() {
            let part = &work.vector[part(self.dim, self.parts.len(), i)];
            *byte = centres.nearest(part, difference(self.metric), &mut work.distances) as u8;
        }
    }

    /// Makes `tables` the distances of a vector to every centre.
    fn tabulate(&self, vector: &[f32], work: &mut Scratch) {
        self.prepare(vector, work);
        work.tables.clear();
        for (i, centres) in self.parts.iter().enumerate() {
            let (part, out) = (&work.vector[part(self.dim, self.parts.len(), i)], &mut work.distances);
            match self.metric {
                Metric::Cosine => centres.sums(part, angle, out),
                Metric::Euclidean => centres.sums(part, |x, c| (x - c) * (x - c), out),
                Metric::Dot => centres.sums(part, |x, c| 0.0 - x * c, out),
                Metric::Manhattan => centres.sums(part, |x, c| (x - c).abs(), out),
            }
            work.tables.extend_from_slice(out);
        }
    }
}

/// Encodes the vectors of a segment, a few at a time; where it pauses never changes what it makes.
#[derive(Debug)]
pub struct PqEncoder {
    /// With the parts that are trained.
    shape: Shape,
    parts: usize,
    /// What learns the rotation, until it has.
    learner: Option<Learner>,
    /// The vectors that centres are trained on, as they are compared.
    sample: Vec<f32>,
    rows: Vec<u8>,
}

impl PqEncoder {
    /// For `n` vectors of this dimension, each cut into `parts`, 1 to `dim`.
    ///
    /// # Errors
    /// `invalid_parameter` for a number of parts that the dimension does not have.
    ///
    /// # Panics
    /// When the dimension or the number of vectors is not within the limits.
    pub fn new(metric: Metric, dim: usize, n: usize, parts: usize) -> Result<Self> {
        assert!((1..=DIM_MAX).contains(&dim) && n <= SLOTS_MAX, "checked when the vectors were accepted");
        if !(1..=dim).contains(&parts) {
            return Err(Error::parameter("parts", parts, format!("1 to {dim}, the dimension")));
        }
        let shape = Shape { metric, dim, n, rotation: None, parts: Vec::new() };
        Ok(Self { shape, parts, learner: None, sample: Vec::new(), rows: Vec::new() })
    }

    /// The same for optimised codes.
    ///
    /// # Errors
    /// `invalid_parameter` for a metric that a rotation changes, and for a number of parts that the dimension does not
    /// have or is too small for it: a part has 256 components at the most.
    ///
    /// # Panics
    /// When the dimension or the number of vectors is not within the limits.
    pub fn optimised(metric: Metric, dim: usize, n: usize, parts: usize) -> Result<Self> {
        check_optimised(metric)?;
        let encoder = Self::new(metric, dim, n, parts)?;
        let least = opq::parts_min(dim);
        if parts < least {
            let expected = format!("{least} to {dim}, so that no part is much longer than 256 components");
            return Err(Error::parameter("parts", parts, expected));
        }
        Ok(Self { learner: Some(Learner::new(cut(dim, parts))), ..encoder })
    }

    /// Whether the codes are to be optimised.
    #[must_use]
    pub fn is_optimised(&self) -> bool {
        self.learner.is_some() || self.shape.rotation.is_some()
    }

    /// How many vectors are encoded.
    #[must_use]
    pub fn encoded(&self) -> usize {
        self.rows.len() / self.parts
    }

    /// Looks at about `budget` vectors; true when all are encoded.
    ///
    /// # Errors
    /// What reading vectors fails with, after which it can be called again.
    pub fn step(&mut self, budget: usize, read: ReadVectors<'_>, pool: &Pool) -> Result<bool> {
        let (dim, n) = (self.shape.dim, self.shape.n);
        if self.shape.parts.len() < self.parts {
            if self.sample.is_empty() {
                self.sample = sample(self.shape.metric, dim, n, read)?;
            }
            if let Some(learner) = &mut self.learner {
                if let Some(rotation) = learner.step(&self.sample, pool) {
                    rotation.apply_to_all(&mut self.sample, pool);
                    (self.learner, self.shape.rotation) = (None, Some(rotation));
                }
                return Ok(false);
            }
            self.train(pool.threads(), pool);
            return Ok(false);
        }
        self.sample = Vec::new();
        let encoded = self.encoded();
        if encoded < n {
            let taken = encoded..n.min(encoded.saturating_add(budget.max(1)));
            self.encode(&read(taken.clone())?, pool);
            return Ok(taken.end == n);
        }
        Ok(true)
    }

    /// Trains the centres of the next parts.
    fn train(&mut self, count: usize, pool: &Pool) {
        let (dim, parts, by) = (self.shape.dim, self.parts, difference(self.shape.metric));
        let (first, sample) = (self.shape.parts.len(), &self.sample);
        let count = count.min(parts - first);
        let trained = pool.map(count, |i| {
            let range = part(dim, parts, first + i);
            if sample.is_empty() {
                // Nothing to train on: one centre, so that the blob has its form.
                return Centres::of(vec![0.0; range.len()], 1);
            }
            let points = opq::components_of(sample, dim, &range);
            Centres::train(&points, range.len(), CENTRES, by, &mut Rng::new(SEED ^ (first + i) as u64))
        });
        self.shape.parts.extend(trained);
    }

    fn encode(&mut self, vectors: &[f32], pool: &Pool) {
        let (shape, dim, parts) = (&self.shape, self.shape.dim, self.parts);
        let tasks: Vec<&[f32]> = vectors.chunks(ROWS_A_TASK * dim).collect();
        let coded = pool.map_with(tasks.len(), Scratch::default, |work, task| {
            let mut bytes = vec![0u8; tasks[task].len() / dim * parts];
            let vectors = tasks[task].chunks_exact(dim);
            vectors.zip(bytes.chunks_exact_mut(parts)).for_each(|(v, code)| shape.encode(v, code, work));
            bytes
        });
        coded.iter().for_each(|part| self.rows.extend_from_slice(part));
    }

    /// The sections of a blob with the codes.
    ///
    /// # Panics
    /// When not all vectors are encoded.
    #[must_use]
    pub fn sections(self) -> Vec<Section> {
        assert_eq!(self.rows.len(), self.shape.n * self.parts, "codes are written once all are there");
        let parameters = Section::pinned(PARAMETERS_SECTION, self.shape.write());
        let rotation = self.shape.rotation.map(|by| Section::pinned(ROTATION_SECTION, by.write()));
        [parameters, Section::pinned(ROWS_SECTION, self.rows)].into_iter().chain(rotation).collect()
    }
}

/// Vectors evenly spread over all, as they are compared.
fn sample(metric: Metric, dim: usize, n: usize, read: ReadVectors<'_>) -> Result<Vec<f32>> {
    let count = n.min(SAMPLE);
    let (mut vectors, mut vector) = (Vec::with_capacity(count * dim), Vec::new());
    for i in 0..count {
        let at = (i as u64 * n as u64 / count as u64) as usize;
        compared(metric, &read(at..at + 1)?, &mut vector);
        vectors.extend_from_slice(&vector);
    }
    Ok(vectors)
}

/// The sections of a blob with the codes of these vectors, which train their centres; the same for any number of threads.
///
/// # Shapes
/// `vectors`: `[n, dim]`, row-major. Each is cut into `parts`, 1 to `dim`.
///
/// # Errors
/// `invalid_parameter` for a number of parts that the dimension does not have.
///
/// # Panics
/// When the dimension or the number of vectors is not within the limits.
pub fn encode(
    metric: Metric,
    dim: usize,
    parts: usize,
    vectors: &[f32],
    pool: &Pool,
) -> Result<Vec<Section>> {
    encode_by(PqEncoder::new(metric, dim, vectors.len() / dim, parts)?, vectors, pool)
}

/// As [`encode`], for optimised codes.
///
/// # Shapes
/// As of [`encode`].
///
/// # Errors
/// As [`PqEncoder::optimised`].
///
/// # Panics
/// When the dimension or the number of vectors is not within the limits.
pub fn encode_optimised(
    metric: Metric,
    dim: usize,
    parts: usize,
    vectors: &[f32],
    pool: &Pool,
) -> Result<Vec<Section>> {
    encode_by(PqEncoder::optimised(metric, dim, vectors.len() / dim, parts)?, vectors, pool)
}

fn encode_by(mut encoder: PqEncoder, vectors: &[f32], pool: &Pool) -> Result<Vec<Section>> {
    let dim = encoder.shape.dim;
    let read = |range: Range<usize>| Ok(Cow::Borrowed(&vectors[range.start * dim..range.end * dim]));
    while !encoder.step(usize::MAX, &read, pool)? {}
    Ok(encoder.sections())
}

/// The codes of a segment by product quantisation.
#[derive(Debug, Clone)]
pub struct PqCodes {
    shape: Shape,
    rows: Pinned,
}

/// What a scorer makes of a query. Kept from one query to the next.
#[derive(Debug, Default)]
pub struct Scratch {
    vector: Vec<f32>,
    distances: Vec<f32>,
    tables: Vec<f32>,
}

impl PqCodes {
    /// Reads and checks codes.
    ///
    /// # Errors
    /// `corrupt` when the sections do not fit each other.
    pub fn open(blob: &Blob) -> Result<Self> {
        Self::open_with(blob, Shape::read(&blob.pinned(PARAMETERS_SECTION)?)?)
    }

    /// Reads and checks optimised codes.
    ///
    /// # Errors
    /// `corrupt` when the sections do not fit each other.
    pub fn open_optimised(blob: &Blob) -> Result<Self> {
        let shape = Shape::read(&blob.pinned(PARAMETERS_SECTION)?)?;
        let (parts, least) = (shape.parts.len(), opq::parts_min(shape.dim));
        if parts < least || check_optimised(shape.metric).is_err() {
            let expected = format!("{least} parts at least, and a metric that a rotation does not change");
            return Err(Error::corrupt("optimised product quantisation codes", 0, expected));
        }
        let rotation = LearnedRotation::read(&blob.pinned(ROTATION_SECTION)?, &cut(shape.dim, parts))?;
        Self::open_with(blob, Shape { rotation: Some(rotation), ..shape })
    }

    fn open_with(blob: &Blob, shape: Shape) -> Result<Self> {
        let rows = blob.hot(ROWS_SECTION)?;
        let corrupt = |expected: String| Err(Error::corrupt("product quantisation codes", 0, expected));
        if shape.n.checked_mul(shape.parts.len()) != Some(rows.len()) {
            return corrupt(format!("{} rows", shape.n));
        }
        let centres = shape.parts[0].count();
        if centres < CENTRES && rows.iter().any(|code| usize::from(*code) >= centres) {
            return corrupt(format!("numbers of centres below {centres}"));
        }
        Ok(Self { shape, rows })
    }

    /// How many vectors.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shape.n
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.shape.n == 0
    }

    /// Their dimension.
    #[must_use]
    pub fn dim(&self) -> usize {
        self.shape.dim
    }

    /// What they estimate.
    #[must_use]
    pub fn metric(&self) -> Metric {
        self.shape.metric
    }

    /// Whether vectors were rotated before they were cut.
    #[must_use]
    pub fn is_optimised(&self) -> bool {
        self.shape.rotation.is_some()
    }

    /// Bytes of a code.
    #[must_use]
    pub fn parts(&self) -> usize {
        self.shape.parts.len()
    }

    /// The vector that a code stands for: that of its centres, of length 1 or so for cosine.
    ///
    /// # Panics
    /// When `i` is not below the number of vectors.
    #[must_use]
    pub fn decode(&self, i: u32) -> Vec<f32> {
        let code = &self.rows[i as usize * self.parts()..][..self.parts()];
        let parts = code.iter().zip(&self.shape.parts);
        let rotated: Vec<f32> = parts
            .flat_map(|(&at, c)| c.components().iter().skip(at.into()).step_by(c.count()))
            .copied()
            .collect();
        self.shape.rotation.as_ref().map_or_else(|| rotated.clone(), |by| by.undo(&rotated))
    }

    /// Distances to a query, by a table of its distances to every centre.
    ///
    /// # Panics
    /// When the query has another dimension.
    #[must_use]
    pub fn scorer<'a>(&'a self, query: &[f32], scratch: &'a mut Scratch) -> PqScorer<'a> {
        assert_eq!(query.len(), self.shape.dim, "a query of another dimension reached the codes");
        self.shape.tabulate(query, scratch);
        PqScorer {
            rows: &self.rows,
            parts: self.parts(),
            tables: &scratch.tables,
            centres: self.shape.parts[0].count(),
        }
    }
}

/// Distances to one query.
#[derive(Debug, Clone, Copy)]
pub struct PqScorer<'a> {
    rows: &'a [u8],
    parts: usize,
    /// `[parts, centres]`.
    tables: &'a [f32],
    centres: usize,
}

impl<'a> PqScorer<'a> {
    /// How far the query is from each centre of each part, `[parts, centres]`.
    #[must_use]
    pub fn tables(&self) -> &'a [f32] {
        self.tables
    }

    #[inline]
    fn row(&self, i: u32) -> &[u8] {
        &self.rows[i as usize * self.parts..][..self.parts]
    }
}

impl Scorer for PqScorer<'_> {
    #[inline]
    #[cfg_attr(kithdb_small, optimize(speed))]
    fn distance(&self, i: u32) -> f32 {
        let mut sums = [0.0; SUMS];
        for (part, (&code, table)) in
            self.row(i).iter().zip(self.tables.chunks_exact(self.centres)).enumerate()
        {
            sums[part % SUMS] += table[usize::from(code)];
        }
        let [a, b, c, d] = sums;
        (a + b) + (c + d)
    }

    #[inline]
    fn prefetch(&self, i: u32) {
        prefetch(self.row(i));
    }
}

#[cfg(test)]
#[path = "pq_tests.rs"]
mod tests;
