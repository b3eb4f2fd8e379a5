//! Facets: how many of the documents that a search can find have each value of a field, or one within each range.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use crate::base::limits::{FACET_RANGES_MAX, FACET_VALUES_MAX, FIELD_PATH_BYTES_MAX};
use crate::base::{Bitmap, Error, Result, Value};
use crate::meta::{ValueRange, order, values_of};

use super::view::{Part, View};

/// How many values of a field are told unless a request says otherwise.
pub const FACET_VALUES: usize = 10;

/// A field whose values are counted.
#[derive(Debug, Clone, PartialEq)]
pub struct Facet {
    /// Its path.
    pub field: String,
    /// How many values, the most frequent first.
    pub limit: usize,
    /// Count within these instead; a document counts once in each range that any of its values is in.
    pub ranges: Vec<ValueRange>,
}

impl Facet {
    /// The ten most frequent values of a field.
    #[must_use]
    pub fn new(field: &str) -> Self {
        Self { field: field.to_owned(), limit: FACET_VALUES, ranges: Vec::new() }
    }

    pub(super) fn check(&self) -> Result<()> {
        check_path("facets", &self.field)?;
        if !(1..=FACET_VALUES_MAX).contains(&self.limit) {
            return Err(Error::parameter(
                "facets",
                self.limit,
                format!("a limit of 1 to {FACET_VALUES_MAX}"),
            ));
        }
        if self.ranges.len() > FACET_RANGES_MAX {
            let expected = format!("at most {FACET_RANGES_MAX} ranges");
            return Err(Error::parameter("facets", self.ranges.len(), expected));
        }
        if !self.ranges.iter().all(ValueRange::is_of_one_kind) {
            return Err(Error::parameter("facets", &self.field, "ranges between two numbers or two texts"));
        }
        Ok(())
    }
}

/// Refuses a path that no filter could name.
pub(super) fn check_path(parameter: &'static str, path: &str) -> Result<()> {
    if path.len() > FIELD_PATH_BYTES_MAX {
        let expected = format!("a field of at most {FIELD_PATH_BYTES_MAX} bytes");
        return Err(Error::parameter(parameter, path.len(), expected));
    }
    Ok(())
}

/// The counts of a field.
#[derive(Debug, Clone, PartialEq)]
pub struct FacetCounts {
    /// Its path.
    pub field: String,
    /// The most frequent values, equally frequent ones in the order of values, and how many documents have each.
    pub values: Vec<(Value, u64)>,
    /// How many values there are.
    pub distinct: u64,
    /// The ranges of the request, and how many documents have a value within each.
    pub ranges: Vec<(ValueRange, u64)>,
}

/// A value by its order.
#[derive(Debug)]
struct Ordered(Value);

impl PartialEq for Ordered {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}
impl Eq for Ordered {}
impl PartialOrd for Ordered {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Ordered {
    fn cmp(&self, other: &Self) -> Ordering {
        order(&self.0, &other.0)
    }
}

impl View {
    /// Counts the values of a field among some slots of each part, all without a bitmap.
    ///
    /// # Complexity
    /// One pass over the values of the field in each part; memory for each distinct value that is counted.
    ///
    /// # Errors
    /// `corrupt`, `not_resident`.
    pub(super) fn facet(&self, facet: &Facet, sets: &[Option<Bitmap>]) -> Result<FacetCounts> {
        let field = facet.field.clone();
        if !facet.ranges.is_empty() {
            let mut ranges = Vec::new();
            for range in &facet.ranges {
                let mut count = 0;
                for (part, set) in self.parts.iter().zip(sets) {
                    count += part.part.count_within(&field, range, set.as_ref())?;
                }
                ranges.push((range.clone(), count));
            }
            return Ok(FacetCounts { field, values: Vec::new(), distinct: 0, ranges });
        }
        let mut counts: BTreeMap<Ordered, u64> = BTreeMap::new();
        for (part, set) in self.parts.iter().zip(sets) {
            for (value, count) in part.part.value_counts(&field, set.as_ref())? {
                *counts.entry(Ordered(value)).or_default() += count;
            }
        }
        let distinct = counts.len() as u64;
        let mut values: Vec<(Value, u64)> =
            counts.into_iter().map(|(value, count)| (value.0, count)).collect();
        values.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        values.truncate(facet.limit);
        Ok(FacetCounts { field, values, distinct, ranges: Vec::new() })
    }
}

impl Part {
    fn value_counts(&self, field: &str, set: Option<&Bitmap>) -> Result<Vec<(Value, u64)>> {
        match self {
            Self::Segment(segment) => segment.columns()?.counts(field, set),
            Self::Chunk(chunk) => {
                let rows = chunk.rows().iter().enumerate();
                let found = rows.filter(|(slot, _)| set.is_none_or(|set| set.contains(*slot)));
                Ok(found
                    .flat_map(|(_, row)| values_of(&row.metadata, field))
                    .map(|value| (value, 1))
                    .collect())
            }
        }
    }

    fn count_within(&self, field: &str, range: &ValueRange, set: Option<&Bitmap>) -> Result<u64> {
        match self {
            Self::Segment(segment) => {
                let mut found = segment.columns()?.within_range(field, range)?;
                if let Some(set) = set {
                    found.and(set);
                }
                Ok(found.count() as u64)
            }
            Self::Chunk(chunk) => {
                let rows = chunk.rows().iter().enumerate();
                let in_set = rows.filter(|(slot, _)| set.is_none_or(|set| set.contains(*slot)));
                let is_within =
                    |metadata| values_of(metadata, field).iter().any(|value| range.contains(value));
                Ok(in_set.filter(|(_, row)| is_within(&row.metadata)).count() as u64)
            }
        }
    }
}
