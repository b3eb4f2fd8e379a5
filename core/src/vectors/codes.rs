//! What the index of a segment traverses: codes of one kind, whichever it is.

use std::borrow::Cow;
use std::ops::Range;

use super::bits::{self, BitCodes, BitEncoder};
use super::int8::{Extent, Int8Codes, Int8Encoder, Int8Space};
use super::metric::Metric;
use super::pq::{self, PqCodes, PqEncoder};
use crate::base::{Error, Pool, Result};
use crate::storage::{Blob, BlobKind, Section};

/// Reads a run of vectors, one after another: `[len, dim]`.
pub type ReadVectors<'a> = &'a (dyn Fn(Range<usize>) -> Result<Cow<'a, [f32]>> + 'a);

/// A kind of codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[repr(u8)]
pub enum Coding {
    /// A byte a component: [`super::int8`].
    #[default]
    Int8 = 1,
    /// A bit a component: [`super::bits`].
    Bits = 2,
    /// A quarter of a byte a component: [`super::pq`].
    Pq = 3,
    /// The same of vectors that are rotated first: [`super::opq`].
    Opq = 4,
}

impl Coding {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Int8, Self::Bits, Self::Pq, Self::Opq];

    /// Its number in files.
    #[must_use]
    pub fn tag(self) -> u8 {
        self as u8
    }

    /// The kind of a number in a file.
    #[must_use]
    pub fn from_tag(tag: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|coding| coding.tag() == tag)
    }

    /// Its name on every surface.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Int8 => "int8",
            Self::Bits => "bits",
            Self::Pq => "pq",
            Self::Opq => "opq",
        }
    }

    /// The kind of this name.
    ///
    /// # Errors
    /// `invalid_parameter`.
    pub fn parse(name: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|coding| coding.name() == name);
        found.ok_or_else(|| {
            Error::parameter("codes", crate::base::ids::shorten(name), "int8, bits, pq or opq")
        })
    }

    /// Refuses a metric that it cannot serve.
    ///
    /// # Errors
    /// `invalid_parameter`.
    pub fn check(self, metric: Metric) -> Result<()> {
        match self {
            Self::Int8 | Self::Pq => Ok(()),
            Self::Bits => bits::check_metric(metric),
            Self::Opq => pq::check_optimised(metric),
        }
    }

    /// The kind of blob that holds them.
    #[must_use]
    pub fn blob_kind(self) -> BlobKind {
        match self {
            Self::Int8 => BlobKind::Codes,
            Self::Bits => BlobKind::Bits,
            Self::Pq => BlobKind::Pq,
            Self::Opq => BlobKind::Opq,
        }
    }

    /// Bytes that are held once for all vectors of a segment, however many there are.
    #[must_use]
    pub fn shared_bytes(self, dim: usize) -> usize {
        match self {
            Self::Int8 | Self::Bits => 0,
            Self::Pq | Self::Opq => pq::shared_bytes(dim, self == Self::Opq),
        }
    }

    /// The codes that such a blob holds.
    #[must_use]
    pub fn of_blob(kind: BlobKind) -> Option<Self> {
        Self::ALL.into_iter().find(|coding| coding.blob_kind() == kind)
    }
}

/// The codes of a segment.
#[derive(Debug, Clone)]
pub enum Codes {
    /// A byte a component.
    Int8(Int8Codes),
    /// A bit a component.
    Bits(BitCodes),
    /// A quarter of a byte a component, optimised or not.
    Pq(PqCodes),
}

impl Codes {
    /// Reads and checks codes of the kind that the blob is of.
    ///
    /// # Errors
    /// `corrupt` when the sections do not fit each other.
    pub fn open(blob: &Blob) -> Result<Self> {
        match Coding::of_blob(blob.id().kind) {
            Some(Coding::Int8) => Int8Codes::open(blob).map(Self::Int8),
            Some(Coding::Bits) => BitCodes::open(blob).map(Self::Bits),
            Some(Coding::Pq) => PqCodes::open(blob).map(Self::Pq),
            Some(Coding::Opq) => PqCodes::open_optimised(blob).map(Self::Pq),
            None => Err(Error::corrupt("codes", 0, "a blob of codes")),
        }
    }

    /// Their kind.
    #[must_use]
    pub fn coding(&self) -> Coding {
        match self {
            Self::Int8(_) => Coding::Int8,
            Self::Bits(_) => Coding::Bits,
            Self::Pq(codes) if codes.is_optimised() => Coding::Opq,
            Self::Pq(_) => Coding::Pq,
        }
    }

    /// Into how many parts each is cut, where that is or was so without being asked for otherwise.
    #[must_use]
    pub fn default_parts(&self) -> Option<usize> {
        match self {
            Self::Pq(codes) => Some(codes.parts()).filter(|parts| pq::is_default(codes.dim(), *parts)),
            _ => None,
        }
    }

    /// How many vectors.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Int8(codes) => codes.len(),
            Self::Bits(codes) => codes.len(),
            Self::Pq(codes) => codes.len(),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Their dimension.
    #[must_use]
    pub fn dim(&self) -> usize {
        match self {
            Self::Int8(codes) => codes.dim(),
            Self::Bits(codes) => codes.dim(),
            Self::Pq(codes) => codes.dim(),
        }
    }

    /// What they estimate.
    #[must_use]
    pub fn metric(&self) -> Metric {
        match self {
            Self::Int8(codes) => codes.metric(),
            Self::Bits(codes) => codes.metric(),
            Self::Pq(codes) => codes.metric(),
        }
    }
}

/// Encodes the vectors of a segment, a few at a time; where it pauses never changes what it makes.
#[derive(Debug)]
pub enum CodeEncoder {
    /// A byte a component.
    Int8(Box<Int8Steps>),
    /// A bit a component.
    Bits(Box<BitEncoder>),
    /// A quarter of a byte a component, optimised or not.
    Pq(Box<PqEncoder>),
}

/// int8 codes, for which manhattan looks at all vectors first.
#[derive(Debug)]
pub struct Int8Steps {
    metric: Metric,
    dim: usize,
    n: usize,
    extent: Extent,
    widened: usize,
    encoder: Option<Int8Encoder>,
}

impl CodeEncoder {
    /// For `n` vectors of this dimension.
    ///
    /// # Errors
    /// `invalid_parameter` for a metric that these codes cannot serve.
    pub fn new(coding: Coding, metric: Metric, dim: usize, n: usize) -> Result<Self> {
        Self::cut(coding, metric, dim, n, pq::default_parts(dim))
    }

    /// As [`CodeEncoder::new`]; codes that are cut into parts have so many.
    ///
    /// # Errors
    /// As [`CodeEncoder::new`]; `invalid_parameter` for a number of parts that the dimension does not have.
    pub fn cut(coding: Coding, metric: Metric, dim: usize, n: usize, parts: usize) -> Result<Self> {
        Ok(match coding {
            Coding::Int8 => {
                let widened = if metric == Metric::Manhattan { 0 } else { n };
                let extent = Extent::default();
                Self::Int8(Box::new(Int8Steps { metric, dim, n, extent, widened, encoder: None }))
            }
            Coding::Bits => Self::Bits(Box::new(BitEncoder::new(metric, dim, n)?)),
            Coding::Pq => Self::Pq(Box::new(PqEncoder::new(metric, dim, n, parts)?)),
            Coding::Opq => Self::Pq(Box::new(PqEncoder::optimised(metric, dim, n, parts)?)),
        })
    }

    /// Looks at about `budget` vectors; true when all are encoded.
    ///
    /// # Errors
    /// What reading vectors fails with, after which it can be called again.
    pub fn step(&mut self, budget: usize, read: ReadVectors<'_>, pool: &Pool) -> Result<bool> {
        match self {
            Self::Int8(steps) => steps.step(budget, read, pool),
            Self::Bits(encoder) => encoder.step(budget, read, pool),
            Self::Pq(encoder) => encoder.step(budget, read, pool),
        }
    }

    /// How many vectors are encoded.
    #[must_use]
    pub fn done(&self) -> usize {
        match self {
            Self::Int8(steps) => steps.encoder.as_ref().map_or(0, Int8Encoder::encoded),
            Self::Bits(encoder) => encoder.encoded(),
            Self::Pq(encoder) => encoder.encoded(),
        }
    }

    /// Distances among the vectors once all are encoded, where these codes have such: int8 does.
    #[must_use]
    pub fn space(&self) -> Option<Int8Space<'_>> {
        match self {
            Self::Int8(steps) => steps.encoder.as_ref().map(Int8Encoder::space),
            Self::Bits(_) | Self::Pq(_) => None,
        }
    }

    /// The kind of the blob, and its sections.
    ///
    /// # Panics
    /// When not all vectors are encoded.
    #[must_use]
    pub fn blob(self) -> (BlobKind, Vec<Section>) {
        match self {
            Self::Int8(steps) => {
                let encoder = steps.encoder.expect("codes are written once all are there");
                (BlobKind::Codes, encoder.sections())
            }
            Self::Bits(encoder) => (BlobKind::Bits, encoder.sections()),
            Self::Pq(encoder) => {
                let kind = if encoder.is_optimised() { BlobKind::Opq } else { BlobKind::Pq };
                (kind, encoder.sections())
            }
        }
    }
}

impl Int8Steps {
    fn step(&mut self, budget: usize, read: ReadVectors<'_>, pool: &Pool) -> Result<bool> {
        let Self { metric, dim, n, extent, .. } = *self;
        let next = |from: usize| from..n.min(from.saturating_add(budget.max(1)));
        if self.widened < n {
            let taken = next(self.widened);
            self.extent.widen(&read(taken.clone())?);
            self.widened = taken.end;
            return Ok(false);
        }
        let encoder = self.encoder.get_or_insert_with(|| Int8Encoder::new(metric, dim, n, extent));
        let taken = next(encoder.encoded());
        let vectors = read(taken.clone())?;
        encoder.push(taken.len(), |i| &vectors[i * dim..(i + 1) * dim], pool);
        Ok(taken.end == n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_names_and_blobs_lead_back() {
        for coding in Coding::ALL {
            assert_eq!(Coding::from_tag(coding.tag()), Some(coding));
            assert_eq!(Coding::parse(coding.name()), Ok(coding));
            assert_eq!(Coding::of_blob(coding.blob_kind()), Some(coding));
        }
        assert_eq!(Coding::parse("float").expect_err("no codes").code(), "invalid_parameter");
        assert_eq!(Coding::of_blob(BlobKind::Rows), None);
    }

    /// A job gives its encoder a few vectors at a time, on any number of threads.
    #[test]
    fn the_bytes_do_not_depend_on_how_many_are_looked_at_at_once() {
        let mut rng = crate::base::Rng::new(2);
        let (dim, n) = (12, 3000);
        let vectors: Vec<f32> = (0..dim * n).map(|_| rng.unit_f32() - 0.3).collect();
        let read = |range: Range<usize>| Ok(Cow::Borrowed(&vectors[range.start * dim..range.end * dim]));
        for (coding, metric) in Coding::ALL.iter().flat_map(|c| Metric::ALL.map(|m| (*c, m))) {
            if coding.check(metric).is_err() {
                continue;
            }
            let bytes = |budget, pool: &Pool| {
                let mut encoder = CodeEncoder::new(coding, metric, dim, n).expect("it serves the metric");
                while !encoder.step(budget, &read, pool).expect("in memory") {}
                let (kind, sections) = encoder.blob();
                assert_eq!(kind, coding.blob_kind());
                sections.into_iter().map(|section| section.bytes).collect::<Vec<_>>()
            };
            let whole = bytes(usize::MAX, &Pool::single());
            assert!(whole == bytes(700, &Pool::new(2)), "{coding:?} {metric:?}");
        }
    }
}
