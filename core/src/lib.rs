//! KithDB's core: documents with vectors, words and metadata, searched together, stored durably.
//!
//! The layers and who may import whom stand in ARCHITECTURE.md; `tests/tidy` enforces them.

pub mod base;
pub mod collection;
pub mod embed;
pub mod engine;
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
pub use vectors::int8 as quantize;

/// The README's example in Rust is run as it stands there.
#[cfg(all(doctest, feature = "host"))]
#[doc = include_str!("../../README.md")]
struct Readme;
