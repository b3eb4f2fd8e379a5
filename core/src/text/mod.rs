//! Words: how a text becomes terms, where the terms stand, and how well they match a query.
//!
//! The text of a document is a list of named fields. Documents are indexed in *parts* (a memtable chunk, a segment)
//! with slots from 0; the statistics of BM25 are those of all parts less what has ended, so that a score does not
//! depend on how documents are spread over parts. Imports `storage` and `base`, never `meta`.

pub mod analysis;
pub mod bm25;
pub mod index;
pub mod memory;
pub mod postings;
pub mod spec;
mod stop_words;
mod term_cache;
pub mod term_counts;
pub mod words;

pub use analysis::{Analyzer, Language};
pub use bm25::{Query, QueryTerm, TermExplanation, Weight, Weights, explain, score};
pub use index::TextIndex;
pub use memory::MemoryPostings;
pub use postings::{FieldStats, Posting, PostingSource};
pub use spec::{TextFields, TextSpec};
pub use term_counts::TermCounts;
pub use words::Words;
