//! Nearest neighbours among an allowed set: exactly by [`flat`], approximately by [`hnsw`].
//!
//! Sees distances and a bitmap, never metadata or a metric.

pub mod flat;
pub mod hnsw;

pub use hnsw::{Found, Hnsw, HnswParams, Scratch, SearchParams};
