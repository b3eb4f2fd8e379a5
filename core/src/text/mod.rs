//! Words: how a text becomes terms, where the terms stand, and how well they match a query.
//!
//! Imports `storage` and `base`, never `meta`.

pub mod analysis;
mod stop_words;

pub use analysis::{Analyzer, Language};
