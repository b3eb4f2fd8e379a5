//! Words: how a text becomes terms, where the terms stand, and how well they match a query.
//!
//! The text of a document is a list of named fields. Documents are indexed in *parts* (a memtable chunk, a segment)
//! with slots from 0; the statistics of BM25 are those of all parts less what has ended, so that a score does not
//! depend on how documents are spread over parts. Imports `storage` and `base`, never `meta`.

pub mod analysis;
mod ascii;
mod blocks;
pub mod bm25;
pub mod carry;
mod cjk;
pub mod conditions;
mod cursor;
mod endings;
mod expansions;
pub mod highlight;
mod impacts;
pub mod index;
pub mod language;
mod lengths;
pub mod list;
pub mod matching;
pub mod memory;
mod offsets;
mod phrases;
mod positions;
pub mod postings;
pub mod query;
pub mod scoring;
pub mod spec;
mod standing;
mod stop_words;
pub mod syntax;
mod term_cache;
pub mod term_counts;
pub mod top;
mod typos;
pub mod words;

pub use analysis::{Analyzer, Token};
pub use bm25::{TermExplanation, Weight, Weights, explain, score};
pub use carry::Carry;
pub use index::TextIndex;
pub use language::Language;
pub use list::List;
pub use matching::matching;
pub use memory::MemoryPostings;
pub use postings::{FieldStats, Posting, PostingSource, Step};
pub use query::{Condition, Match, Phrase, Query, QueryTerm, Target};
pub use scoring::Scoring;
pub use spec::{TextFields, TextSpec};
pub use term_counts::TermCounts;
pub use top::top;
pub use words::Words;
