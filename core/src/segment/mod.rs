//! A segment: immutable, checksummed blobs of documents in the order of seq.
//!
//! `rows` is primary; `codes`, `links`, `text` and `columns` are derived and can each be made again from it; `ends`
//! says what has ended and how often the others were touched. Owns writing them, opening them, and finding the nearest vectors of one segment.

mod blobs;
mod builder;
pub mod ends;
mod expiry;
pub mod nearest;
pub mod row;
pub mod rows;
pub mod rows_builder;
mod salvage;
mod touches;

pub(crate) use blobs::derive_as;
pub use blobs::{Derive, Mender, Segment, SegmentBlobs};
pub use builder::{SegmentBuilder, derive};
pub use ends::{End, Ends};
pub use expiry::{Expiry, ExpiryByKey, ExpiryView};
pub use nearest::{Filtered, Nearest, Plan, Scratch, Searched, VectorQuery, default_rerank, scan_codes};
pub use row::{Row, SharedRow};
pub use rows::RowsReader;
pub use rows_builder::RowsBuilder;
pub use salvage::RowsSalvage;
pub use touches::{Touch, Touches};
