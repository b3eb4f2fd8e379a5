//! 1-bit codes: a thirtieth of the bytes of f32, for vectors of some hundred components.
//!
//! A vector is taken relative to the centre of its segment and rotated; the signs of what comes out are its code, and three
//! numbers a row turn the code's inner product with a query into an estimate of the distance, with a bound of its error.
//! The estimate is unbiased and its error falls with the root of the dimension: below 300 components or so it takes many
//! candidates more to find the nearest, above it few.
//!
//! Cosine, euclidean and dot products alone: signs say nothing of sums of differences.
//!
//! # Source
//! Gao and Long, "RaBitQ: quantizing high-dimensional vectors with a theoretical error bound for approximate nearest
//! neighbor search", SIGMOD 2024 (arXiv 2405.12497), sections 3.2 (estimator, bound) and 3.3 (queries of four bits).

use std::borrow::Cow;
use std::ops::Range;

use super::codes::ReadVectors;
use super::metric::Metric;
use super::rotation::Rotation;
use super::scorer::Scorer;
use super::stored::{at_least_zero, inverse_norm};
use crate::base::limits::{DIM_MAX, SLOTS_MAX};
use crate::base::{Error, Pool, Reader, Result, Writer};
use crate::kernels::{BitQuery, dot_bits, dot_f32, kernels, l1_f32, prefetch};
use crate::storage::{Blob, Pinned, Section};

/// Section of the parameters: version u8, metric tag u8, dim u32, vectors u32, then the centre, f32 each.
pub const PARAMETERS_SECTION: u16 = 1;
/// Section of the rows: the signs of the rotated vector, 1 for one that is not negative, the first in the lowest bit; then
/// as f32 what is added, what the inner product is multiplied with, and the error of one standard deviation.
pub const ROWS_SECTION: u16 = 2;

const VERSION: u8 = 1;
/// Standard deviations that a bound covers: 19 of 20 estimates, with room for the rounding of the query.
const DEVIATIONS: f32 = 2.1;
/// The largest component of a query's code.
const QUERY_MAX: f32 = 7.0;
const FACTORS: usize = 3;
/// Vectors whose sums are one term of the whole sum: part of the format.
const ROWS_A_TASK: usize = 1024;
/// Vectors that a thread encodes at a time.
const ENCODED_A_TASK: usize = 128;

/// Refuses a metric that signs cannot serve.
///
/// # Errors
/// `invalid_parameter`.
pub fn check_metric(metric: Metric) -> Result<()> {
    match metric {
        Metric::Cosine | Metric::Euclidean | Metric::Dot => Ok(()),
        Metric::Manhattan => Err(Error::parameter(
            "codes",
            "bits",
            "int8 or pq for the manhattan metric, which signs say nothing of",
        )),
    }
}

/// What all rows share.
#[derive(Debug, Clone)]
struct Shape {
    metric: Metric,
    n: usize,
    centre: Vec<f32>,
    rotation: Rotation,
}

/// Memory that encoding a vector uses.
#[derive(Debug, Default)]
struct Work {
    vector: Vec<f32>,
    rotated: Vec<f32>,
    zeros: Vec<f32>,
}

impl Shape {
    fn stride(&self) -> usize {
        self.rotation.padded_dim() / 8 + 4 * FACTORS
    }

    fn write(&self) -> Vec<u8> {
        let mut w = Writer::new();
        w.u8(VERSION);
        w.u8(self.metric.tag());
        w.u32(self.centre.len() as u32);
        w.u32(self.n as u32);
        self.centre.iter().for_each(|x| w.f32(*x));
        w.finish()
    }

    fn read(bytes: &[u8]) -> Result<Self> {
        const OBJECT: &str = "1-bit code parameters";
        let refuse = |offset, expected: &str| Err(Error::corrupt(OBJECT, offset, expected));
        let mut r = Reader::new(bytes);
        let of = |e: crate::base::DecodeError| e.within(OBJECT, 0);
        if r.u8().map_err(of)? != VERSION {
            return refuse(0, "version 1");
        }
        let metric = Metric::from_tag(r.u8().map_err(of)?).filter(|metric| check_metric(*metric).is_ok());
        let Some(metric) = metric else {
            return refuse(1, "the tag of a metric that signs can serve");
        };
        let (dim, n) = (r.u32().map_err(of)? as usize, r.u32().map_err(of)? as usize);
        if !(1..=DIM_MAX).contains(&dim) || n > SLOTS_MAX {
            return refuse(2, "a dimension and a number of vectors within the limits");
        }
        let centre = (0..dim).map(|_| r.f32()).collect::<Result<Vec<f32>, _>>().map_err(of)?;
        r.end().map_err(of)?;
        if !centre.iter().all(|x| x.is_finite()) {
            return refuse(10, "a finite centre");
        }
        Ok(Self { metric, n, centre, rotation: Rotation::new(dim) })
    }

    /// The vector as it is compared, relative to the centre, rotated, in `work.rotated`; and what its inner product with
    /// the centre is before that.
    #[cfg_attr(kithdb_small, optimize(speed))]
    fn rotate(&self, vector: &[f32], work: &mut Work) {
        let scale = if self.metric == Metric::Cosine { inverse_norm(vector) } else { 1.0 };
        work.vector.clear();
        work.vector.extend(vector.iter().zip(&self.centre).map(|(x, c)| x * scale - c));
        self.rotation.apply(&work.vector, &mut work.rotated);
    }

    /// Writes the code of a vector and its factors.
    #[cfg_attr(kithdb_small, optimize(speed))]
    fn encode(&self, vector: &[f32], row: &mut [u8], work: &mut Work) {
        self.rotate(vector, work);
        let Work { vector: residual, rotated, zeros } = work;
        let (bits, factors) = row.split_at_mut(rotated.len() / 8);
        for (byte, components) in bits.iter_mut().zip(rotated.chunks_exact(8)) {
            let bit = |(i, x): (usize, &f32)| u8::from(*x >= 0.0) << i;
            *byte = components.iter().enumerate().map(bit).fold(0, |all, bit| all | bit);
        }
        zeros.resize(rotated.len(), 0.0);
        let (squared, sum) = (dot_f32(rotated, rotated), l1_f32(rotated, zeros));
        let scale = if sum > 0.0 { squared / sum } else { 0.0 };
        // The part of the vector that its signs do not say: f of the paper is sum / sqrt(squared * d).
        let d = rotated.len() as f32;
        let unsaid = at_least_zero(scale * scale * d - squared);
        let error = (unsaid / (d - 1.0)).sqrt();
        let (add, times) = match self.metric {
            Metric::Cosine => (0.5 * squared, 1.0),
            Metric::Euclidean => (squared, 2.0),
            Metric::Dot | Metric::Manhattan => (0.0 - dot_f32(residual, &self.centre), 1.0),
        };
        for (place, factor) in factors.chunks_exact_mut(4).zip([add, times * scale, times * error]) {
            place.copy_from_slice(&factor.to_le_bytes());
        }
    }
}

/// Encodes the vectors of a segment, a few at a time; where it pauses never changes what it makes.
#[derive(Debug)]
pub struct BitEncoder {
    shape: Shape,
    sums: Vec<f64>,
    /// How many vectors are in the sums.
    summed: usize,
    rows: Vec<u8>,
}

impl BitEncoder {
    /// For `n` vectors of this dimension.
    ///
    /// # Errors
    /// `invalid_parameter` for a metric that signs cannot serve.
    ///
    /// # Panics
    /// When the dimension or the number of vectors is not within the limits.
    pub fn new(metric: Metric, dim: usize, n: usize) -> Result<Self> {
        check_metric(metric)?;
        assert!((1..=DIM_MAX).contains(&dim) && n <= SLOTS_MAX, "checked when the vectors were accepted");
        let shape = Shape { metric, n, centre: vec![0.0; dim], rotation: Rotation::new(dim) };
        Ok(Self { shape, sums: vec![0.0; dim], summed: 0, rows: Vec::new() })
    }

    /// How many vectors are encoded.
    #[must_use]
    pub fn encoded(&self) -> usize {
        self.rows.len() / self.shape.stride()
    }

    /// Looks at about `budget` vectors; true when all are encoded.
    ///
    /// # Errors
    /// What reading vectors fails with, after which it can be called again.
    pub fn step(&mut self, budget: usize, read: ReadVectors<'_>, pool: &Pool) -> Result<bool> {
        let n = self.shape.n;
        if self.summed < n {
            let taken = chunk(self.summed, n, budget);
            self.sum(&read(taken.clone())?, pool);
            self.summed = taken.end;
            if self.summed == n {
                self.shape.centre = self.sums.iter().map(|sum| (sum / n as f64) as f32).collect();
            }
            return Ok(false);
        }
        if self.encoded() < n {
            let taken = chunk(self.encoded(), n, budget);
            self.encode(&read(taken.clone())?, pool);
            return Ok(taken.end == n);
        }
        Ok(true)
    }

    /// Adds vectors to the sums: those of a task among themselves first, so that it does not matter how many come at once.
    fn sum(&mut self, vectors: &[f32], pool: &Pool) {
        let (dim, metric) = (self.sums.len(), self.shape.metric);
        let tasks: Vec<&[f32]> = vectors.chunks(ROWS_A_TASK * dim).collect();
        let parts = pool.map(tasks.len(), |task| {
            let mut sums = vec![0.0f64; dim];
            for vector in tasks[task].chunks_exact(dim) {
                let scale = if metric == Metric::Cosine { inverse_norm(vector) } else { 1.0 };
                sums.iter_mut().zip(vector).for_each(|(sum, x)| *sum += f64::from(x * scale));
            }
            sums
        });
        for part in &parts {
            self.sums.iter_mut().zip(part).for_each(|(sum, x)| *sum += x);
        }
    }

    #[cfg_attr(kithdb_small, optimize(speed))]
    fn encode(&mut self, vectors: &[f32], pool: &Pool) {
        let (shape, dim, stride) = (&self.shape, self.sums.len(), self.shape.stride());
        let tasks: Vec<&[f32]> = vectors.chunks(ENCODED_A_TASK * dim).collect();
        let parts = pool.map_with(tasks.len(), Work::default, |work, task| {
            let mut bytes = vec![0u8; tasks[task].len() / dim * stride];
            let vectors = tasks[task].chunks_exact(dim);
            vectors.zip(bytes.chunks_exact_mut(stride)).for_each(|(v, row)| shape.encode(v, row, work));
            bytes
        });
        parts.iter().for_each(|part| self.rows.extend_from_slice(part));
    }

    /// The sections of a blob with the codes.
    ///
    /// # Panics
    /// When not all vectors are encoded.
    #[must_use]
    pub fn sections(self) -> Vec<Section> {
        assert_eq!(
            self.rows.len(),
            self.shape.n * self.shape.stride(),
            "codes are written once all are there"
        );
        let parameters = Section::pinned(PARAMETERS_SECTION, self.shape.write());
        vec![parameters, Section::pinned(ROWS_SECTION, self.rows)]
    }
}

/// The next vectors to look at: about as many as the budget says, whole tasks until the last.
fn chunk(start: usize, n: usize, budget: usize) -> Range<usize> {
    let count = budget.clamp(1, n).next_multiple_of(ROWS_A_TASK);
    start..n.min(start + count)
}

/// The sections of a blob with the codes of these vectors; the same for any number of threads.
///
/// # Shapes
/// `vectors`: `[n, dim]`, row-major.
///
/// # Errors
/// `invalid_parameter` for a metric that signs cannot serve.
///
/// # Panics
/// When the dimension or the number of vectors is not within the limits.
#[cfg_attr(kithdb_small, optimize(speed))]
pub fn encode(metric: Metric, dim: usize, vectors: &[f32], pool: &Pool) -> Result<Vec<Section>> {
    let mut encoder = BitEncoder::new(metric, dim, vectors.len() / dim)?;
    let read = |range: Range<usize>| Ok(Cow::Borrowed(&vectors[range.start * dim..range.end * dim]));
    while !encoder.step(usize::MAX, &read, pool)? {}
    Ok(encoder.sections())
}

/// The 1-bit codes of a segment.
#[derive(Debug, Clone)]
pub struct BitCodes {
    shape: Shape,
    rows: Pinned,
}

/// What a scorer makes of a query. Kept from one query to the next.
#[derive(Debug, Default)]
pub struct BitScratch {
    work: Work,
    code: Vec<i8>,
    query: BitQuery,
}

impl BitCodes {
    /// Reads and checks codes.
    ///
    /// # Errors
    /// `corrupt` when the sections do not fit each other.
    pub fn open(blob: &Blob) -> Result<Self> {
        let shape = Shape::read(&blob.pinned(PARAMETERS_SECTION)?)?;
        let rows = blob.hot(ROWS_SECTION)?;
        if shape.n.checked_mul(shape.stride()) != Some(rows.len()) {
            return Err(Error::corrupt("1-bit codes", 0, format!("{} rows", shape.n)));
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
        self.shape.centre.len()
    }

    /// What they estimate.
    #[must_use]
    pub fn metric(&self) -> Metric {
        self.shape.metric
    }

    /// Estimates of distances to a query.
    ///
    /// # Panics
    /// When the query has another dimension.
    #[must_use]
    pub fn scorer<'a>(&'a self, query: &[f32], scratch: &'a mut BitScratch) -> BitScorer<'a> {
        let shape = &self.shape;
        assert_eq!(query.len(), shape.centre.len(), "a query of another dimension reached the codes");
        let BitScratch { work, code, query: bits } = scratch;
        shape.rotate(query, work);
        let squared = dot_f32(&work.rotated, &work.rotated);
        let largest = work.rotated.iter().fold(0.0f32, |max, x| max.max(x.abs()));
        let step = largest / QUERY_MAX;
        let inverse = if step > 0.0 { 1.0 / step } else { 0.0 };
        code.clear();
        code.extend(work.rotated.iter().map(|x| {
            let steps = x * inverse;
            (steps + 0.5f32.copysign(steps)).clamp(-QUERY_MAX, QUERY_MAX) as i8
        }));
        bits.set(code, shape.stride());
        let add = match shape.metric {
            Metric::Cosine => 0.5 * squared,
            Metric::Euclidean => squared,
            Metric::Dot | Metric::Manhattan => 0.0 - dot_f32(query, &shape.centre),
        };
        let sum = code.iter().map(|&x| i32::from(x)).sum::<i32>() as f32;
        BitScorer { rows: &self.rows, query: bits, add, step, sum, length: squared.sqrt() }
    }
}

/// Distances to one query.
#[derive(Debug, Clone, Copy)]
pub struct BitScorer<'a> {
    rows: &'a [u8],
    query: &'a BitQuery,
    /// What is added to every distance.
    add: f32,
    /// What one step of the query's code is worth.
    step: f32,
    /// The sum of the query's code.
    sum: f32,
    /// The length of the query relative to the centre.
    length: f32,
}

impl BitScorer<'_> {
    fn row(&self, i: u32) -> &[u8] {
        &self.rows[i as usize * self.query.stride()..][..self.query.stride()]
    }

    #[inline]
    fn factor(&self, i: u32, factor: usize) -> f32 {
        let row = self.row(i);
        let at = row.len() - 4 * (FACTORS - factor);
        f32::from_le_bytes(std::array::from_fn(|byte| row[at + byte]))
    }

    /// How far the estimate of `i` may be from the distance, in 19 cases of 20.
    ///
    /// # Panics
    /// When `i` is not below the number of vectors.
    #[must_use]
    pub fn bound(&self, i: u32) -> f32 {
        DEVIATIONS * self.factor(i, 2) * self.length
    }

    #[inline]
    fn distance_of(&self, i: u32, dot: f32) -> f32 {
        let product = self.step * (2.0 * dot - self.sum);
        // An estimate may be below 0 where no distance is: raised to it, all that are near would be equally so.
        (self.factor(i, 0) + self.add) - self.factor(i, 1) * product
    }
}

impl Scorer for BitScorer<'_> {
    #[cfg_attr(kithdb_small, optimize(speed))]
    fn distance(&self, i: u32) -> f32 {
        self.distance_of(i, dot_bits(self.query, self.rows, i) as f32)
    }

    #[inline]
    #[cfg_attr(kithdb_small, optimize(speed))]
    fn distances(&self, of: &[u32], out: &mut Vec<f32>) {
        let start = out.len();
        (kernels().dot_bits_rows)(self.query, self.rows, of, out);
        for (dot, &i) in out[start..].iter_mut().zip(of) {
            *dot = self.distance_of(i, *dot);
        }
    }

    #[inline]
    fn prefetch(&self, i: u32) {
        prefetch(self.row(i));
    }
}

#[cfg(test)]
#[path = "bits_tests.rs"]
mod tests;
