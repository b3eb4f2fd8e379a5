//! How a filter was answered, part by part, and how the search for the nearest vectors heeded it: noted as it was done.

use crate::meta::{Expr, FilterStep};
use crate::segment::{Filtered, Plan, Searched};

/// How a filter was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilterPlan {
    /// The filter, as text that reads back as it.
    pub filter: String,
    /// How many documents it accepts.
    pub found: u64,
    /// Each segment, and each piece of what is not sealed yet, in the order of seq.
    pub parts: Vec<PartFilterPlan>,
}

impl FilterPlan {
    pub(super) fn new(filter: &Expr) -> Self {
        Self { filter: filter.to_string(), found: 0, parts: Vec::new() }
    }
}

/// How a filter was answered in one part of a collection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartFilterPlan {
    /// Whether it is a piece of the memtable, else a segment.
    pub is_memtable: bool,
    /// How many versions it holds.
    pub documents: usize,
    /// How many of them are there at the moment that was asked for.
    pub live: usize,
    /// The conditions in the order in which they were answered.
    pub conditions: Vec<FilterStep>,
    /// How many documents the filter accepts.
    pub found: usize,
    /// How the nearest vectors were found among them; `None` for a search without a vector.
    pub vectors: Option<FilteredVectors>,
}

/// How the nearest vectors were found among what a filter accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FilteredVectors {
    /// How they were found.
    pub plan: Plan,
    /// When the others were left out.
    pub filtered: Filtered,
    /// How many distances were computed.
    pub distances: usize,
}

impl From<&Searched> for FilteredVectors {
    fn from(searched: &Searched) -> Self {
        Self { plan: searched.plan, filtered: searched.filtered, distances: searched.distances }
    }
}
