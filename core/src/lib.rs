//! KithDB's core: documents with vectors, words and metadata, searched together, stored durably.
//!
//! The layers and who may import whom stand in ARCHITECTURE.md; `tests/tidy` enforces them.

#![cfg_attr(kithdb_small, feature(optimize_attribute))]

pub mod base;
pub mod collection;
pub mod embed;
pub mod engine;
pub mod graph;
#[cfg(feature = "host")]
pub mod host;
pub mod index;
pub mod kernels;
pub mod meta;
pub mod segment;
pub mod storage;
pub mod text;
pub mod vectors;
pub mod wire;

pub use index::hnsw;

/// Codes of vectors as a library, without a database: int8 here, a bit a component in [`quantize::bits`], product
/// quantisation in [`quantize::pq`], of vectors that a learned rotation has turned or not.
///
/// # Examples
/// ```
/// use kithdb::base::Pool;
/// use kithdb::quantize::{bits, pq};
/// use kithdb::storage::{Blob, BlobId, BlobKind};
/// use kithdb::vectors::{Metric, Scorer};
///
/// let vectors: Vec<f32> = (0..200 * 64).map(|i| (i as f32 * 0.7).sin() + (i % 64) as f32).collect();
/// let query = &vectors[17 * 64..18 * 64];
///
/// let sections = bits::encode(Metric::Euclidean, 64, &vectors, &Pool::single())?;
/// let codes = bits::BitCodes::open(&Blob::in_memory(BlobId::new(1, 1, BlobKind::Bits), &sections)?)?;
/// let mut scratch = bits::BitScratch::default();
/// let scorer = codes.scorer(query, &mut scratch);
/// assert!(scorer.distance(17) <= scorer.bound(17));
///
/// let sections = pq::encode(Metric::Euclidean, 64, 16, &vectors, &Pool::single())?;
/// let codes = pq::PqCodes::open(&Blob::in_memory(BlobId::new(1, 1, BlobKind::Pq), &sections)?)?;
/// let mut scratch = pq::Scratch::default();
/// let scorer = codes.scorer(query, &mut scratch);
/// assert_eq!(scorer.tables().len(), 16 * 200);
/// assert!(scorer.distance(17) < scorer.distance(90));
///
/// let sections = pq::encode_optimised(Metric::Euclidean, 64, 16, &vectors, &Pool::single())?;
/// let codes = pq::PqCodes::open_optimised(&Blob::in_memory(BlobId::new(1, 1, BlobKind::Opq), &sections)?)?;
/// assert_eq!(codes.decode(17).len(), 64);
/// # Ok::<(), kithdb::base::Error>(())
/// ```
pub mod quantize {
    pub use crate::vectors::int8::*;
    pub use crate::vectors::{bits, pq};
}

/// The README's example in Rust is run as it stands there.
#[cfg(all(doctest, feature = "host"))]
#[doc = include_str!("../../README.md")]
struct Readme;
