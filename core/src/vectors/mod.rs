//! Stored forms and codes of vectors, and how far they are from a query.
//!
//! Inside, everything is a distance: f32, smaller is closer. [`metric::score`] turns one into a score, at the edge.

pub mod bits;
pub mod codes;
pub mod form;
pub mod int8;
pub mod kmeans;
pub mod metric;
pub mod opq;
pub mod pq;
pub mod principal;
pub mod rotation;
pub mod scorer;
pub mod stored;

pub use codes::{CodeEncoder, Codes, Coding, ReadVectors};
pub use form::Stored;
pub use int8::{Extent, Int8Codes, Int8Encoder, Int8Scorer, Int8Space};
pub use metric::{Metric, check_vector, score};
pub use scorer::{Scorer, Space};
pub use stored::{PreparedQuery, RowScorer, inverse_norm};
