//! Words as a condition: which documents have one of them, whatever they would score.

use crate::base::{Bitmap, Result};

use super::analysis::Analyzer;
use super::postings::PostingSource;
use super::query::Query;

/// Marks the slots of a part in whose field stands at least one of the words of a text: those that a search for the text
/// in this field would find. A text of stop words only marks none.
///
/// # Errors
/// `too_large` for a text that is too long for a query; `corrupt`, `not_resident`.
///
/// # Panics
/// When `found` has fewer slots than the part.
///
/// # Examples
/// ```
/// use kithdb::base::Bitmap;
/// use kithdb::text::{Analyzer, Language, MemoryPostings, matching};
///
/// let analyzer = Analyzer::new(Language::English);
/// let mut part = MemoryPostings::new();
/// part.push(&analyzer, 0, &[("text", "a tall quadruped")]);
/// part.push(&analyzer, 1, &[("text", "an instrument")]);
/// let mut found = Bitmap::empty(2);
/// matching(&part, &analyzer, "text", "quadrupeds of the plains", &mut found)?;
/// assert_eq!(found.iter().collect::<Vec<_>>(), [0]);
/// # Ok::<(), kithdb::base::Error>(())
/// ```
pub fn matching(
    source: &dyn PostingSource,
    analyzer: &Analyzer,
    field: &str,
    text: &str,
    found: &mut Bitmap,
) -> Result<()> {
    for term in Query::new(analyzer, text, Some(field))?.terms() {
        source.for_each_posting(field, &term.term, &mut |posting| found.insert(posting.slot as usize))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::text::{Language, MemoryPostings, Scoring, Weights, score};

    proptest! {
        #[test]
        fn what_matches_is_what_a_search_in_the_field_finds(
            documents in prop::collection::vec("((cat|cats|dog|the|of) ){0,4}", 0..12),
            text in "((cat|dogs|the|bird) ){0,3}",
            stray in "((cat|dog) ){0,2}",
        ) {
            let analyzer = Analyzer::new(Language::English);
            let mut part = MemoryPostings::new();
            for (slot, document) in (0..).zip(&documents) {
                part.push(&analyzer, slot, &[("body", document), ("other", &stray)]);
            }
            let mut found = Bitmap::empty(documents.len());
            matching(&part, &analyzer, "body", &text, &mut found).expect("in memory");
            let query = Query::new(&analyzer, &text, Some("body")).expect("short");
            let weights = Weights::gather(&query, &[&part], &[], &Scoring::default()).expect("in memory");
            let scored = score(&part, &weights, None).expect("in memory");
            let scored: Vec<usize> = scored.into_iter().map(|(slot, _)| slot as usize).collect();
            prop_assert_eq!(found.iter().collect::<Vec<_>>(), scored);
        }
    }
}
