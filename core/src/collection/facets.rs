//! Facets: how many of the documents that a search can find have each value of a field, or one within each range.

use crate::base::limits::{FACET_RANGES_MAX, FACET_VALUES_MAX, FIELD_PATH_BYTES_MAX};
use crate::base::{Bitmap, Error, Result, Value};
use crate::meta::{Tallies, ValueRange, scalars_of};

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

impl View {
    /// Counts the values of a field among some slots of each part, all without a bitmap.
    ///
    /// # Complexity
    /// One pass over the values of the field in each part; memory for each distinct value that is counted, not for its text.
    ///
    /// # Errors
    /// `corrupt`, `not_resident`.
    pub(super) fn facet(&self, facet: &Facet, sets: &[Option<Bitmap>]) -> Result<FacetCounts> {
        let field = facet.field.clone();
        if !facet.ranges.is_empty() {
            let mut ranges: Vec<_> = facet.ranges.iter().map(|range| (range.clone(), 0)).collect();
            for (part, set) in self.parts.iter().zip(sets) {
                part.part.count_within(&field, &mut ranges, set.as_ref())?;
            }
            return Ok(FacetCounts { field, values: Vec::new(), distinct: 0, ranges });
        }
        let tallies = self.parts.iter().zip(sets).map(|(part, set)| part.part.tallies(&field, set.as_ref()));
        let tallies = Tallies::sum(tallies.collect::<Result<_>>()?)?;
        let distinct = tallies.len() as u64;
        let values = tallies.most_frequent(facet.limit)?;
        Ok(FacetCounts { field, values, distinct, ranges: Vec::new() })
    }
}

impl Part {
    fn tallies(&self, field: &str, set: Option<&Bitmap>) -> Result<Tallies<'_>> {
        match self {
            Self::Segment(segment) => segment.columns()?.tallies(field, set),
            Self::Chunk(chunk) => Ok(Tallies::of(chunk.documents(set), field)),
        }
    }

    /// Adds to each range how many documents have a value within it.
    fn count_within(
        &self,
        field: &str,
        ranges: &mut [(ValueRange, u64)],
        set: Option<&Bitmap>,
    ) -> Result<()> {
        match self {
            Self::Segment(segment) => {
                let columns = segment.columns()?;
                for (range, count) in ranges {
                    let mut found = columns.within_range(field, range)?;
                    if let Some(set) = set {
                        found.and(set);
                    }
                    *count += found.count() as u64;
                }
            }
            Self::Chunk(chunk) => {
                for document in chunk.documents(set) {
                    let values = scalars_of(document, field);
                    for (range, count) in &mut *ranges {
                        *count += u64::from(values.iter().any(|value| range.contains(value)));
                    }
                }
            }
        }
        Ok(())
    }
}
