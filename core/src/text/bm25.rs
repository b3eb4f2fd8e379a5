//! How well a document's words match a query: BM25, each field for itself, summed.
//!
//! Everything is f64 until the sum is rounded to f32 once; `ln` is `libm`'s. A document's terms are added in one
//! order (clauses and terms as the query has them, fields by name), so a score has the same bits on every platform and
//! for every spread of the documents over parts.

use std::collections::BTreeMap;

use super::analysis::Analyzer;
use super::postings::{FieldStats, Posting, PostingSource};
use super::term_counts::TermCounts;
use crate::base::limits::QUERY_TEXT_BYTES_MAX;
use crate::base::{Bitmap, InputError, Result};

/// How fast a repeated term stops counting.
pub const K1: f64 = 1.2;
/// How much the length of a field counts.
pub const B: f64 = 0.75;

/// A term of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryTerm {
    /// The analysed term.
    pub term: String,
    /// How often it stands in the query; it counts as often.
    pub count: u32,
    /// The one field it is looked for in; `None` for all.
    pub field: Option<String>,
}

/// Words to look for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    terms: Vec<QueryTerm>,
}

impl Query {
    /// The words of a text, looked for in one field or in all.
    ///
    /// # Errors
    /// `too_large` beyond [`QUERY_TEXT_BYTES_MAX`].
    pub fn new(analyzer: &Analyzer, text: &str, field: Option<&str>) -> Result<Self> {
        let mut query = Self::default();
        query.push(analyzer, text, field)?;
        Ok(query)
    }

    /// Adds words, which count beside those that are there.
    ///
    /// # Errors
    /// `too_large` beyond [`QUERY_TEXT_BYTES_MAX`].
    pub fn push(&mut self, analyzer: &Analyzer, text: &str, field: Option<&str>) -> Result<()> {
        if text.len() > QUERY_TEXT_BYTES_MAX {
            let (got, limit) = (text.len() as u64, QUERY_TEXT_BYTES_MAX as u64);
            return Err(InputError::TooLarge { what: "query text", got, limit }.into());
        }
        let first = self.terms.len();
        let mut places: BTreeMap<String, usize> = BTreeMap::new();
        analyzer.analyse(text, |term| {
            if let Some(&at) = places.get(term) {
                self.terms[first + at].count += 1;
            } else {
                places.insert(term.to_owned(), places.len());
                let field = field.map(str::to_owned);
                self.terms.push(QueryTerm { term: term.to_owned(), count: 1, field });
            }
        });
        Ok(())
    }

    /// Its distinct terms in the order of their first mention.
    #[must_use]
    pub fn terms(&self) -> &[QueryTerm] {
        &self.terms
    }

    /// Whether it holds no term, as when every word is a stop word.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }
}

/// A term in a field, with the statistics of the collection's live versions.
#[derive(Debug, Clone, PartialEq)]
pub struct Weight {
    /// The field.
    pub field: String,
    /// The term.
    pub term: String,
    /// How often it stands in the query.
    pub count: u32,
    /// Live documents with the term in the field.
    pub df: u64,
    /// Live documents with the field.
    pub documents: u64,
    /// Terms a live document has in the field.
    pub average_length: f64,
    /// ln(1 + (documents - df + 0.5) / (df + 0.5))
    pub idf: f64,
}

impl Weight {
    fn new(query_term: &QueryTerm, field: &str, stats: FieldStats, df: u64) -> Self {
        let df = df.min(stats.documents);
        let (n, d) = (stats.documents as f64, df as f64);
        Self {
            field: field.to_owned(),
            term: query_term.term.clone(),
            count: query_term.count,
            df,
            documents: stats.documents,
            average_length: stats.total_length as f64 / n,
            idf: libm::log(1.0 + (n - d + 0.5) / (d + 0.5)),
        }
    }

    /// What a posting adds to the score of its document; above 0.
    #[must_use]
    pub fn contribution(&self, posting: Posting) -> f64 {
        let (tf, length) = (f64::from(posting.tf), f64::from(posting.field_length));
        let norm = K1 * (1.0 - B + B * (length / self.average_length));
        f64::from(self.count) * self.idf * (tf * (K1 + 1.0) / (tf + norm))
    }
}

/// A query with the collection's statistics, in the order of scoring.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Weights(Vec<Weight>);

impl Weights {
    /// Counts the live versions of a collection: those of all parts less those that have ended.
    ///
    /// # Errors
    /// `corrupt`.
    pub fn gather(query: &Query, parts: &[&dyn PostingSource], ended: &[&TermCounts]) -> Result<Self> {
        let mut fields: BTreeMap<&str, FieldStats> = BTreeMap::new();
        for part in parts {
            for name in part.fields() {
                let (sum, more) = (fields.entry(name).or_default(), part.field_stats(name));
                sum.documents += more.documents;
                sum.total_length += more.total_length;
            }
        }
        for (name, sum) in &mut fields {
            for gone in ended.iter().map(|ended| ended.field_stats(name)) {
                sum.documents = sum.documents.saturating_sub(gone.documents);
                sum.total_length = sum.total_length.saturating_sub(gone.total_length);
            }
        }
        Self::of(query, &fields, |field, term| {
            let mut df = 0u64;
            for part in parts {
                df += u64::from(part.df(field, term)?);
            }
            let gone: u64 = ended.iter().map(|ended| ended.df(field, term)).sum();
            Ok(df.saturating_sub(gone))
        })
    }

    /// The weight of each term in each field it is looked for in; `df` counts the documents that have it there.
    fn of(
        query: &Query,
        fields: &BTreeMap<&str, FieldStats>,
        df: impl Fn(&str, &str) -> Result<u64>,
    ) -> Result<Self> {
        let mut weights = Vec::new();
        for term in query.terms() {
            for (name, stats) in fields {
                if term.field.as_deref().is_some_and(|only| only != *name) {
                    continue;
                }
                let df = df(name, &term.term)?;
                if df > 0 && stats.documents > 0 && stats.total_length > 0 {
                    weights.push(Weight::new(term, name, *stats, df));
                }
            }
        }
        Ok(Self(weights))
    }

    /// Counts some versions of a collection one by one: those of each part that a bitmap by slot allows, all without one.
    ///
    /// # Complexity
    /// Reads every length of every field that is asked for, and every posting of the query's terms.
    ///
    /// # Errors
    /// `corrupt`, `not_resident`.
    pub fn count(query: &Query, parts: &[(&dyn PostingSource, Option<&Bitmap>)]) -> Result<Self> {
        let is_in = |allowed: Option<&Bitmap>, slot: u32| allowed.is_none_or(|a| a.contains(slot as usize));
        let mut fields: BTreeMap<&str, FieldStats> = BTreeMap::new();
        for (part, allowed) in parts {
            for name in part.fields() {
                let sum = fields.entry(name).or_default();
                part.for_each_length(name, &mut |slot, length| {
                    if is_in(*allowed, slot) {
                        sum.documents += 1;
                        sum.total_length += u64::from(length);
                    }
                })?;
            }
        }
        Self::of(query, &fields, |field, term| {
            let mut df = 0u64;
            for (part, allowed) in parts {
                let mut count = |posting: Posting| df += u64::from(is_in(*allowed, posting.slot));
                part.for_each_posting(field, term, &mut count)?;
            }
            Ok(df)
        })
    }

    /// One entry a (term, field) that a live document has.
    #[must_use]
    pub fn as_slice(&self) -> &[Weight] {
        &self.0
    }
}

/// The score of every allowed document of a part that has a term of the query, by ascending slot.
///
/// # Units
/// BM25, above 0, larger is better.
///
/// # Errors
/// `corrupt`, `not_resident`.
///
/// # Examples
/// ```
/// use kithdb::text::{Analyzer, Language, MemoryPostings, Query, TermCounts, Weights, score};
///
/// let analyzer = Analyzer::new(Language::English);
/// let mut part = MemoryPostings::new();
/// part.push(&analyzer, 0, &[("text", "a tall quadruped")]);
/// part.push(&analyzer, 1, &[("text", "an instrument")]);
/// let query = Query::new(&analyzer, "quadrupeds", None)?;
/// let weights = Weights::gather(&query, &[&part], &[])?;
/// let scores = score(&part, &weights, None)?;
/// assert_eq!(scores.len(), 1);
/// assert_eq!(scores[0].0, 0);
/// # Ok::<(), kithdb::base::Error>(())
/// ```
pub fn score(
    source: &dyn PostingSource,
    weights: &Weights,
    allowed: Option<&Bitmap>,
) -> Result<Vec<(u32, f32)>> {
    // Zeroed pages are mapped when they are first touched: a rare term does not pay for the whole part.
    let mut sums = vec![0f64; source.n_slots() as usize];
    let mut touched = Vec::new();
    for weight in &weights.0 {
        source.for_each_posting(&weight.field, &weight.term, &mut |posting| {
            if allowed.is_some_and(|allowed| !allowed.contains(posting.slot as usize)) {
                return;
            }
            let sum = &mut sums[posting.slot as usize];
            if *sum == 0.0 {
                touched.push(posting.slot);
            }
            *sum += weight.contribution(posting);
        })?;
    }
    touched.sort_unstable();
    Ok(touched.into_iter().map(|slot| (slot, sums[slot as usize] as f32)).collect())
}

/// What one term in one field adds to a score.
#[derive(Debug, Clone, PartialEq)]
pub struct TermExplanation {
    /// The term, its field and the statistics.
    pub weight: Weight,
    /// How often the document has the term in the field.
    pub tf: u32,
    /// How many terms the field has in the document.
    pub length: u32,
    /// What this adds to the score.
    pub contribution: f64,
}

/// The parts of a document's score, in the order in which they are added; their f64 sum, rounded once to f32, is the
/// score.
///
/// # Errors
/// `corrupt`, `not_resident`.
pub fn explain(source: &dyn PostingSource, weights: &Weights, slot: u32) -> Result<Vec<TermExplanation>> {
    let mut parts = Vec::new();
    for weight in &weights.0 {
        source.for_each_posting(&weight.field, &weight.term, &mut |posting| {
            if posting.slot == slot {
                parts.push(TermExplanation {
                    weight: weight.clone(),
                    tf: posting.tf,
                    length: posting.field_length,
                    contribution: weight.contribution(posting),
                });
            }
        })?;
    }
    Ok(parts)
}

#[cfg(test)]
#[path = "bm25_tests.rs"]
mod tests;
