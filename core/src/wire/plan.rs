//! How a filter was answered, as JSON.

use serde::Serialize;

use crate::collection::{FilterPlan, FilteredVectors, PartFilterPlan};
use crate::meta::{FilterStep, Way};

/// How a filter was answered.
#[derive(Debug, Clone, Serialize)]
pub struct FilterPlanAnswer {
    /// The filter as text.
    pub filter: String,
    /// How many documents it accepts.
    pub found: u64,
    /// Each segment, and each piece of the memtable.
    pub parts: Vec<PartPlanAnswer>,
}

/// How a filter was answered in one part of a collection.
#[derive(Debug, Clone, Serialize)]
pub struct PartPlanAnswer {
    /// `segment` or `memtable`.
    part: &'static str,
    /// How many versions it holds.
    documents: usize,
    /// How many of them are there.
    live: usize,
    /// In the order in which they were answered.
    conditions: Vec<StepAnswer>,
    /// How many documents the filter accepts.
    found: usize,
    /// How the nearest vectors were found among them; left out without a vector.
    #[serde(skip_serializing_if = "Option::is_none")]
    vectors: Option<FilteredVectorsAnswer>,
}

#[derive(Debug, Clone, Serialize)]
struct StepAnswer {
    condition: String,
    estimated: Option<usize>,
    left: usize,
    how: Vec<&'static str>,
}

#[derive(Debug, Clone, Serialize)]
struct FilteredVectorsAnswer {
    plan: &'static str,
    filtered: &'static str,
    distances: usize,
}

impl From<FilterPlan> for FilterPlanAnswer {
    fn from(plan: FilterPlan) -> Self {
        let FilterPlan { filter, found, parts } = plan;
        Self { filter, found, parts: parts.into_iter().map(PartPlanAnswer::from).collect() }
    }
}

impl From<PartFilterPlan> for PartPlanAnswer {
    fn from(part: PartFilterPlan) -> Self {
        let PartFilterPlan { is_memtable, documents, live, conditions, found, vectors } = part;
        let step = |FilterStep { condition, estimated, left, ways }| {
            let how = ways.into_iter().map(Way::name).collect();
            StepAnswer { condition, estimated, left, how }
        };
        let searched = |FilteredVectors { plan, filtered, distances }| FilteredVectorsAnswer {
            plan: plan.name(),
            filtered: filtered.name(),
            distances,
        };
        Self {
            part: if is_memtable { "memtable" } else { "segment" },
            documents,
            live,
            conditions: conditions.into_iter().map(step).collect(),
            found,
            vectors: vectors.map(searched),
        }
    }
}
