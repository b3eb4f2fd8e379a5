//! int8 codes: a quarter of the bytes of f32, which is what the search of an index waits for.
//!
//! A code is in -127..=127. Each vector has its own scale, so one outlier spoils one vector only and nothing has to be
//! trained; manhattan needs differences of codes and therefore one scale for the segment, around the middle of its
//! components. Distances are estimates; the same bits on every target.
//!
//! # Source
//! Per-vector scalar quantisation as in LVQ (Aguerrebere et al., arXiv 2304.04759), symmetric and without its second
//! level: the stored vectors re-rank.

use super::metric::Metric;
use super::scorer::{Scorer, Space};
use super::stored::at_least_zero;
use crate::base::limits::{DIM_MAX, SLOTS_MAX};
use crate::base::{Error, Pool, Reader, Result, Writer};
use crate::kernels::{CodeQuery, ROW_BLOCK, dot_i8, kernels, l1_i8, prefetch};
use crate::storage::{Blob, Pinned, Section};

/// Section of the parameters: version u8, metric tag u8, dim u32, vectors u32, stride u32, scale f32, middle f32.
pub const PARAMETERS_SECTION: u16 = 1;
/// Section of the rows: each `stride` bytes: codes padded with zeros to a multiple of 16, the row's factors as f32,
/// zeros. Factors: inverse norm of the code (cosine); scale, squared norm (euclidean); scale (dot); none (manhattan).
pub const ROWS_SECTION: u16 = 2;

const VERSION: u8 = 1;
const CODE_MAX: f32 = 127.0;
const ROWS_A_TASK: usize = 1024;

/// What all rows share.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Shape {
    metric: Metric,
    dim: usize,
    n: usize,
    /// Manhattan: what one step of a code is worth; 1 for the others.
    scale: f32,
    /// Manhattan: the component whose code is 0; 0 for the others.
    middle: f32,
}

impl Shape {
    fn padded_dim(self) -> usize {
        self.dim.next_multiple_of(ROW_BLOCK)
    }

    fn stride(self) -> usize {
        let factors = match self.metric {
            Metric::Euclidean => 2,
            Metric::Cosine | Metric::Dot => 1,
            Metric::Manhattan => 0,
        };
        (self.padded_dim() + 4 * factors).next_multiple_of(ROW_BLOCK)
    }

    fn write(self) -> Vec<u8> {
        let mut w = Writer::new();
        w.u8(VERSION);
        w.u8(self.metric.tag());
        w.u32(self.dim as u32);
        w.u32(self.n as u32);
        w.u32(self.stride() as u32);
        w.f32(self.scale);
        w.f32(self.middle);
        w.finish()
    }

    fn read(bytes: &[u8]) -> Result<Self> {
        const OBJECT: &str = "int8 code parameters";
        let refuse = |offset, expected: &str| Err(Error::corrupt(OBJECT, offset, expected));
        let mut r = Reader::new(bytes);
        let of = |e: crate::base::DecodeError| e.within(OBJECT, 0);
        if r.u8().map_err(of)? != VERSION {
            return refuse(0, "version 1");
        }
        let Some(metric) = Metric::from_tag(r.u8().map_err(of)?) else {
            return refuse(1, "the tag of a metric");
        };
        let (dim, n) = (r.u32().map_err(of)? as usize, r.u32().map_err(of)? as usize);
        let stride = r.u32().map_err(of)? as usize;
        let (scale, middle) = (r.f32().map_err(of)?, r.f32().map_err(of)?);
        r.end().map_err(of)?;
        let shape = Self { metric, dim, n, scale, middle };
        if !(1..=DIM_MAX).contains(&dim) || n > SLOTS_MAX {
            return refuse(2, "a dimension and a number of vectors within the limits");
        }
        if stride != shape.stride() {
            return refuse(10, "the stride of this metric and dimension");
        }
        if !(scale.is_finite() && scale > 0.0 && middle.is_finite()) {
            return refuse(14, "a positive scale and a finite middle");
        }
        Ok(shape)
    }

    /// The code of a vector, into zeroed bytes, and its factors.
    #[cfg_attr(kithdb_small, optimize(speed))]
    fn encode(self, vector: &[f32], codes: &mut [i8]) -> Factors {
        assert_eq!(vector.len(), self.dim, "a vector of another dimension reached the encoder");
        let scale = if self.metric == Metric::Manhattan { self.scale } else { largest(vector) / CODE_MAX };
        // In f64, where the inverse of the smallest f32 is still finite.
        let (inverse, middle) = (1.0 / f64::from(scale), f64::from(self.middle));
        if scale > 0.0 {
            for (code, &x) in codes.iter_mut().zip(vector) {
                let steps = (f64::from(x) - middle) * inverse;
                *code = (steps + 0.5f64.copysign(steps)).clamp(-127.0, 127.0) as i8;
            }
        }
        match self.metric {
            Metric::Cosine => {
                let squared = dot_i8(codes, codes) as f32;
                Factors(if squared > 0.0 { 1.0 / squared.sqrt() } else { 0.0 }, 0.0)
            }
            Metric::Euclidean => Factors(scale, dot_i8(codes, codes) as f32 * scale * scale),
            Metric::Dot => Factors(scale, 0.0),
            Metric::Manhattan => Factors(0.0, 0.0),
        }
    }

    #[inline]
    #[cfg_attr(kithdb_small, optimize(speed))]
    fn distance(self, a: (&[i8], Factors), b: (&[i8], Factors)) -> f32 {
        let product = match self.metric {
            Metric::Cosine | Metric::Euclidean | Metric::Dot => dot_i8(a.0, b.0),
            Metric::Manhattan => l1_i8(a.0, b.0),
        };
        self.distance_of(product as f32, a.1, b.1)
    }

    /// The distance of what the kernel says of two codes.
    #[inline]
    fn distance_of(self, product: f32, a: Factors, b: Factors) -> f32 {
        match self.metric {
            Metric::Cosine => at_least_zero(1.0 - product * (a.0 * b.0)),
            Metric::Euclidean => at_least_zero((a.1 + b.1) - 2.0 * (product * (a.0 * b.0))),
            Metric::Dot => 0.0 - product * (a.0 * b.0),
            Metric::Manhattan => product * self.scale,
        }
    }
}

/// How many bytes an exact scan of the codes of so many vectors reads.
#[must_use]
pub fn scan_bytes(metric: Metric, n: usize, dim: usize) -> usize {
    n * Shape { metric, dim, n, scale: 1.0, middle: 0.0 }.stride()
}

/// What a row carries beside its code.
#[derive(Debug, Clone, Copy)]
struct Factors(f32, f32);

fn largest(vector: &[f32]) -> f32 {
    vector.iter().fold(0.0, |max, x| if x.abs() > max { x.abs() } else { max })
}

/// The smallest and the largest component of some vectors.
#[derive(Debug, Clone, Copy)]
pub struct Extent(f32, f32);

impl Default for Extent {
    fn default() -> Self {
        Self(f32::MAX, f32::MIN)
    }
}

impl Extent {
    /// Takes more components in.
    pub fn widen(&mut self, components: &[f32]) {
        for &x in components {
            self.0 = if x < self.0 { x } else { self.0 };
            self.1 = if x > self.1 { x } else { self.1 };
        }
    }

    fn joined(self, other: Self) -> Self {
        Self(self.0.min(other.0), self.1.max(other.1))
    }

    /// What one step of a code is worth when all are to have one, and the component whose code is 0.
    fn scale_and_middle(self) -> (f32, f32) {
        let Self(low, high) = self;
        if low > high {
            return (1.0, 0.0);
        }
        let scale = (high - low) / (2.0 * CODE_MAX);
        (if scale > 0.0 { scale } else { 1.0 }, low + (high - low) / 2.0)
    }
}

/// Codes under construction: vectors are encoded a run at a time, in their order.
#[derive(Debug)]
pub struct Int8Encoder {
    shape: Shape,
    rows: Vec<u8>,
}

impl Int8Encoder {
    /// For `n` vectors of `dim` components, all of them within `extent`; only manhattan asks for it.
    ///
    /// # Panics
    /// When `dim` or `n` is beyond its limit.
    #[must_use]
    pub fn new(metric: Metric, dim: usize, n: usize, extent: Extent) -> Self {
        assert!((1..=DIM_MAX).contains(&dim) && n <= SLOTS_MAX, "checked when the vectors were accepted");
        let (scale, middle) = match metric {
            Metric::Manhattan => extent.scale_and_middle(),
            Metric::Cosine | Metric::Euclidean | Metric::Dot => (1.0, 0.0),
        };
        let shape = Shape { metric, dim, n, scale, middle };
        Self { shape, rows: Vec::with_capacity(n * shape.stride()) }
    }

    /// How many vectors are encoded.
    #[must_use]
    pub fn encoded(&self) -> usize {
        self.rows.len() / self.shape.stride()
    }

    /// Encodes the next `count` vectors; the same bytes for any number of threads and any runs.
    ///
    /// # Shapes
    /// `row(i)`, for `i` below `count`: `dim` components that passed [`super::check_vector`].
    ///
    /// # Panics
    /// When a row has another dimension.
    pub fn push<'a>(&mut self, count: usize, row: impl Fn(usize) -> &'a [f32] + Sync + Send, pool: &Pool) {
        let shape = self.shape;
        let (stride, padded) = (shape.stride(), shape.padded_dim());
        let parts = pool.map(count.div_ceil(ROWS_A_TASK), |task| {
            let rows = task * ROWS_A_TASK..count.min((task + 1) * ROWS_A_TASK);
            let mut bytes = vec![0u8; rows.len() * stride];
            for (i, out) in rows.zip(bytes.chunks_exact_mut(stride)) {
                let (codes, factors) = out.split_at_mut(padded);
                let Factors(first, second) = shape.encode(row(i), bytemuck::cast_slice_mut(codes));
                for (place, factor) in factors.chunks_exact_mut(4).zip([first, second]) {
                    place.copy_from_slice(&factor.to_le_bytes());
                }
            }
            bytes
        });
        parts.iter().for_each(|part| self.rows.extend_from_slice(part));
    }

    /// Distances among the vectors, of which all are encoded.
    ///
    /// # Panics
    /// When some are not.
    #[must_use]
    pub fn space(&self) -> Int8Space<'_> {
        assert_eq!(self.encoded(), self.shape.n, "distances are asked for once all are encoded");
        Int8Space::new(self.shape, &self.rows)
    }

    /// The sections of a blob.
    ///
    /// # Panics
    /// When some vectors are not encoded.
    #[must_use]
    pub fn sections(self) -> Vec<Section> {
        assert_eq!(self.encoded(), self.shape.n, "codes are written once all are there");
        let parameters = Section::pinned(PARAMETERS_SECTION, self.shape.write());
        vec![parameters, Section::pinned(ROWS_SECTION, self.rows)]
    }
}

/// The sections of a blob with the codes of `n` vectors; the same bytes for any number of threads.
///
/// # Shapes
/// `row(i)`, for `i` below `n`: vector `i`, `dim` components that passed [`super::check_vector`].
///
/// # Panics
/// When a row has another dimension, or `dim` or `n` is beyond its limit.
#[cfg_attr(kithdb_small, optimize(speed))]
pub fn encode<'a>(
    metric: Metric,
    dim: usize,
    n: usize,
    row: impl Fn(usize) -> &'a [f32] + Sync + Send,
    pool: &Pool,
) -> Vec<Section> {
    let extent = if metric == Metric::Manhattan { extent_of(n, &row, pool) } else { Extent::default() };
    let mut encoder = Int8Encoder::new(metric, dim, n, extent);
    encoder.push(n, row, pool);
    encoder.sections()
}

fn extent_of<'a>(n: usize, row: impl Fn(usize) -> &'a [f32] + Sync + Send, pool: &Pool) -> Extent {
    let parts = pool.map(n.div_ceil(ROWS_A_TASK), |task| {
        let mut extent = Extent::default();
        (task * ROWS_A_TASK..n.min((task + 1) * ROWS_A_TASK)).for_each(|i| extent.widen(row(i)));
        extent
    });
    parts.into_iter().fold(Extent::default(), Extent::joined)
}

/// The codes of a segment's vectors.
#[derive(Debug, Clone)]
pub struct Int8Codes {
    shape: Shape,
    rows: Pinned,
}

impl Int8Codes {
    /// Checks the parameters and pins the rows.
    ///
    /// # Errors
    /// `corrupt` when the sections do not fit each other; `not_resident`.
    pub fn open(blob: &Blob) -> Result<Self> {
        let shape = Shape::read(&blob.pinned(PARAMETERS_SECTION)?)?;
        let rows = blob.hot(ROWS_SECTION)?;
        if shape.n.checked_mul(shape.stride()) != Some(rows.len()) {
            return Err(Error::corrupt("int8 codes", 0, format!("{} rows", shape.n)));
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

    /// The metric of their distances.
    #[must_use]
    pub fn metric(&self) -> Metric {
        self.shape.metric
    }

    /// Distances to a query that passed [`super::check_vector`]. `code` is overwritten; it is the caller's so that one
    /// query after the other needs no memory of its own.
    ///
    /// # Panics
    /// When the query has another dimension.
    #[must_use]
    pub fn scorer<'a>(&'a self, query: &[f32], code: &'a mut CodeQuery) -> Int8Scorer<'a> {
        let padded = self.shape.padded_dim();
        let factors = code.set(self.shape.stride(), |bytes| self.shape.encode(query, &mut bytes[..padded]));
        Int8Scorer { space: self.space(), code, factors }
    }

    /// Distances among the vectors.
    #[must_use]
    pub fn space(&self) -> Int8Space<'_> {
        Int8Space::new(self.shape, &self.rows)
    }
}

/// The codes, borrowed for as long as a search or build takes.
#[derive(Debug, Clone, Copy)]
pub struct Int8Space<'a> {
    shape: Shape,
    stride: usize,
    padded_dim: usize,
    rows: &'a [i8],
}

impl<'a> Int8Space<'a> {
    fn new(shape: Shape, rows: &'a [u8]) -> Self {
        let (stride, padded_dim) = (shape.stride(), shape.padded_dim());
        Self { shape, stride, padded_dim, rows: bytemuck::cast_slice(rows) }
    }

    #[inline]
    fn row(&self, i: u32) -> (&'a [i8], Factors) {
        let row = &self.rows[i as usize * self.stride..][..self.stride];
        let (codes, factors) = row.split_at(self.padded_dim);
        let factor = |at: usize| match factors.get(at..at + 4) {
            Some(&[a, b, c, d]) => f32::from_le_bytes([a as u8, b as u8, c as u8, d as u8]),
            _ => 0.0,
        };
        (codes, Factors(factor(0), factor(4)))
    }

    /// What row `i` carries beside its code.
    #[inline]
    fn factors(&self, i: u32) -> Factors {
        self.row(i).1
    }

    /// The distances of rows to a code that is zero where rows have their factors.
    #[inline]
    #[cfg_attr(kithdb_small, optimize(speed))]
    fn distances(&self, code: &CodeQuery, factors: Factors, of: &[u32], out: &mut Vec<f32>) {
        let start = out.len();
        match self.shape.metric {
            Metric::Cosine | Metric::Euclidean | Metric::Dot => {
                (kernels().dot_i8_rows)(code, self.rows, of, out);
            }
            Metric::Manhattan => (kernels().l1_i8_rows)(code, self.rows, of, out),
        }
        for (product, &i) in out[start..].iter_mut().zip(of) {
            *product = self.shape.distance_of(*product, factors, self.factors(i));
        }
    }

    #[inline]
    fn prefetch(&self, i: u32) {
        prefetch(&self.rows[i as usize * self.stride..][..self.stride]);
    }
}

impl Space for Int8Space<'_> {
    type OfOne<'s>
        = Int8OfOne<'s>
    where
        Self: 's;

    fn len(&self) -> usize {
        self.shape.n
    }

    #[cfg_attr(kithdb_small, optimize(speed))]
    fn pair(&self, a: u32, b: u32) -> f32 {
        self.shape.distance(self.row(a), self.row(b))
    }

    fn scorer_of(&self, i: u32) -> Int8OfOne<'_> {
        let (row, factors) = self.row(i);
        let mut code = CodeQuery::default();
        code.set(self.stride, |bytes| bytes[..row.len()].copy_from_slice(row));
        Int8OfOne { space: *self, code, factors }
    }
}

/// Distances to one of the vectors.
#[derive(Debug, Clone)]
pub struct Int8OfOne<'a> {
    space: Int8Space<'a>,
    code: CodeQuery,
    factors: Factors,
}

/// Distances to a query.
#[derive(Debug, Clone)]
pub struct Int8Scorer<'a> {
    space: Int8Space<'a>,
    code: &'a CodeQuery,
    factors: Factors,
}

macro_rules! scores {
    ($($name:ident),*) => {$(
        impl Scorer for $name<'_> {
            #[inline]
            #[cfg_attr(kithdb_small, optimize(speed))]
            fn distance(&self, i: u32) -> f32 {
                let code = &self.code.bytes()[..self.space.padded_dim];
                self.space.shape.distance((code, self.factors), self.space.row(i))
            }

            #[inline]
            #[cfg_attr(kithdb_small, optimize(speed))]
            fn distances(&self, of: &[u32], out: &mut Vec<f32>) {
                self.space.distances(&self.code, self.factors, of, out);
            }

            #[inline]
            fn prefetch(&self, i: u32) {
                self.space.prefetch(i);
            }
        }
    )*};
}

scores!(Int8OfOne, Int8Scorer);

#[cfg(test)]
mod tests {
    use super::super::stored::{PreparedQuery, inverse_norm};
    use super::*;
    use crate::base::Rng;
    use crate::storage::{BlobId, BlobKind};

    fn reopen(sections: &[Section]) -> Result<Int8Codes> {
        let id = BlobId::new(1, 1, BlobKind::Codes);
        Int8Codes::open(&Blob::in_memory(id, sections)?)
    }

    fn vectors(n: usize, dim: usize, scale: f32) -> Vec<Vec<f32>> {
        let mut rng = Rng::new(9);
        let one = |rng: &mut Rng| (rng.unit_f32() * 2.0 - 1.0) * scale;
        (0..n).map(|_| (0..dim).map(|_| one(&mut rng)).collect()).collect()
    }

    fn encoded(metric: Metric, vectors: &[Vec<f32>], pool: &Pool) -> Vec<Section> {
        encode(metric, vectors[0].len(), vectors.len(), |i| &vectors[i], pool)
    }

    #[test]
    fn estimates_are_near_the_exact_distances() {
        for metric in Metric::ALL {
            for (dim, scale) in [(1, 1.0), (16, 1e6), (100, 1.0), (257, 1e-6)] {
                let all = vectors(40, dim, scale);
                let codes = reopen(&encoded(metric, &all, &Pool::single())).expect("just encoded");
                let exact = |q: &PreparedQuery, v: &[f32]| q.distance(v, inverse_norm(v));
                for query in &all {
                    let mut code = CodeQuery::default();
                    let (q, scorer) = (PreparedQuery::new(metric, query), codes.scorer(query, &mut code));
                    let spread = all.iter().map(|v| exact(&q, v).abs()).fold(0.0, f32::max);
                    for (i, v) in all.iter().enumerate() {
                        let error = (scorer.distance(i as u32) - exact(&q, v)).abs();
                        assert!(error <= 0.02 * spread, "{metric:?} dim {dim}: {error} of {spread}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_pair_is_as_far_in_both_directions_and_as_a_query() {
        for metric in Metric::ALL {
            let all = vectors(20, 33, 1.0);
            let codes = reopen(&encoded(metric, &all, &Pool::single())).expect("just encoded");
            let space = codes.space();
            for (a, b) in (0..20).flat_map(|a| (0..20).map(move |b| (a, b))) {
                let pair = space.pair(a, b).to_bits();
                assert_eq!(pair, space.pair(b, a).to_bits());
                assert_eq!(pair, space.scorer_of(a).distance(b).to_bits());
                let (mut code, mut several) = (CodeQuery::default(), Vec::new());
                let scorer = codes.scorer(&all[a as usize], &mut code);
                assert_eq!(pair, scorer.distance(b).to_bits());
                scorer.distances(&[a, b], &mut several);
                space.scorer_of(a).distances(&[b], &mut several);
                assert_eq!([pair, pair], [several[1].to_bits(), several[2].to_bits()]);
            }
        }
    }

    #[test]
    fn extreme_vectors_keep_finite_distances() {
        let rows = [1e15, -1e15, 1e-14, 0.0, 1e-42, 3.0].map(|x| vec![x; 300]).to_vec();
        for metric in Metric::ALL {
            let fits = |v: &&Vec<f32>| super::super::check_vector(metric, None, v).is_ok();
            let all: Vec<Vec<f32>> = rows.iter().filter(fits).cloned().collect();
            let codes = reopen(&encoded(metric, &all, &Pool::single())).expect("just encoded");
            for query in &all {
                let mut code = CodeQuery::default();
                let scorer = codes.scorer(query, &mut code);
                assert!((0..all.len() as u32).all(|i| scorer.distance(i).is_finite()), "{metric:?}");
            }
        }
    }

    #[test]
    fn the_bytes_are_the_same_for_any_number_of_threads() {
        for metric in Metric::ALL {
            let all = vectors(3000, 20, 1.0);
            let bytes = |pool| encoded(metric, &all, &pool).into_iter().map(|s| s.bytes).collect::<Vec<_>>();
            assert_eq!(bytes(Pool::single()), bytes(Pool::new(3)));
        }
    }

    #[test]
    fn sections_that_do_not_fit_each_other_are_refused() {
        let sound = || encoded(Metric::Euclidean, &vectors(5, 20, 1.0), &Pool::single());
        reopen(&sound()).expect("sound");
        type Damage = fn(&mut [Section]);
        let damages: [Damage; 8] = [
            |s| s[1].bytes.truncate(10),
            |s| s[1].bytes.push(0),
            |s| s[0].bytes.truncate(21),
            |s| s[0].bytes[0] = 2,
            |s| s[0].bytes[1] = 9,
            |s| s[0].bytes[2..6].copy_from_slice(&0u32.to_le_bytes()),
            |s| s[0].bytes[10..14].copy_from_slice(&16u32.to_le_bytes()),
            |s| s[0].bytes[14..18].copy_from_slice(&f32::NAN.to_le_bytes()),
        ];
        for (i, damage) in damages.iter().enumerate() {
            let mut sections = sound();
            damage(&mut sections);
            assert_eq!(reopen(&sections).expect_err("damaged").code(), "corrupt", "damage {i}");
        }
    }

    #[test]
    fn no_vectors_at_all_are_fine() {
        let sections = encode(Metric::Manhattan, 4, 0, |_| &[], &Pool::single());
        assert!(reopen(&sections).expect("empty").is_empty());
    }
}
