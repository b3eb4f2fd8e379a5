//! How well a document's words match a query: BM25, each field for itself, summed.
//!
//! Everything is f64 until the sum is rounded to f32 once; `ln` is `libm`'s. A document's terms are added in one
//! order (clauses and terms as the query has them, fields by name), so a score has the same bits on every platform and
//! for every spread of the documents over parts.

use std::collections::BTreeMap;

use super::expansions;
use super::postings::{FieldStats, Posting, PostingSource};
use super::query::{Match, Query, QueryTerm};
use super::scoring::Scoring;
use super::term_counts::TermCounts;
use crate::base::{Bitmap, Result};

/// How much a term counts that is a typo away from the query's.
pub const TYPO_BOOST: f64 = 0.5;

/// A term in a field, with the statistics of the collection's live versions.
#[derive(Debug, Clone, PartialEq)]
pub struct Weight {
    /// The field.
    pub field: String,
    /// The term.
    pub term: String,
    /// How often it stands in the query.
    pub count: u32,
    /// 1; less for a term that is a typo away from the query's.
    pub boost: f64,
    /// How much the field counts.
    pub weight: f64,
    /// [`Scoring::k1`].
    pub k1: f64,
    /// [`Scoring::b`].
    pub b: f64,
    /// Live documents with the term in the field.
    pub df: u64,
    /// Live documents with the field.
    pub documents: u64,
    /// Terms a live document has in the field.
    pub average_length: f64,
    /// ln(1 + (documents - df + 0.5) / (df + 0.5))
    pub idf: f64,
    /// Which of the query's terms stands for it.
    asked: usize,
}

/// A term of a query, and which one it is.
#[derive(Debug, Clone, Copy)]
struct Asked<'a> {
    term: &'a QueryTerm,
    number: usize,
}

impl Weight {
    fn new(asked: &Asked<'_>, field: &str, stats: FieldStats, df: u64, scoring: &Scoring) -> Self {
        let df = df.min(stats.documents);
        let (n, d) = (stats.documents as f64, df as f64);
        Self {
            field: field.to_owned(),
            term: asked.term.term.clone(),
            count: asked.term.count,
            boost: 1.0,
            weight: scoring.weight_of(field),
            k1: scoring.k1,
            b: scoring.b,
            df,
            documents: stats.documents,
            average_length: stats.total_length as f64 / n,
            idf: libm::log(1.0 + (n - d + 0.5) / (d + 0.5)),
            asked: asked.number,
        }
    }

    /// What a posting adds to the score of its document; above 0.
    #[must_use]
    pub fn contribution(&self, posting: Posting) -> f64 {
        let norm = self.norm(f64::from(posting.field_length));
        self.saturated(f64::from(posting.tf), norm)
    }

    /// How much a frequency has to stand against in a field of this length.
    pub(super) fn norm(&self, length: f64) -> f64 {
        self.k1 * (1.0 - self.b + self.b * (length / self.average_length))
    }

    /// What does not depend on the document.
    pub(super) fn scale(&self) -> f64 {
        f64::from(self.count) * self.boost * self.weight * self.idf
    }

    /// What a term of this frequency adds to a score.
    #[inline]
    pub(super) fn saturated(&self, tf: f64, norm: f64) -> f64 {
        self.scale() * (tf * (self.k1 + 1.0) / (tf + norm))
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
    pub fn gather(
        query: &Query,
        parts: &[&dyn PostingSource],
        ended: &[&TermCounts],
        scoring: &Scoring,
    ) -> Result<Self> {
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
        let part_fields = parts.iter().copied();
        Self::of(query, &fields, part_fields, scoring, |field, term| {
            let mut df = 0u64;
            for part in parts {
                df += u64::from(part.df(field, term)?);
            }
            let gone: u64 = ended.iter().map(|ended| ended.df(field, term)).sum();
            Ok(df.saturating_sub(gone))
        })
    }

    /// The weight of each term in each field it is looked for in; `df` counts the documents that have it there.
    fn of<'a>(
        query: &Query,
        fields: &BTreeMap<&str, FieldStats>,
        parts: impl Iterator<Item = &'a dyn PostingSource> + Clone,
        scoring: &Scoring,
        df: impl Fn(&str, &str) -> Result<u64>,
    ) -> Result<Self> {
        let mut weights = Vec::new();
        for (number, term) in query.terms().iter().enumerate() {
            let asked = Asked { term, number };
            for (name, stats) in fields {
                let is_asked = match &term.field {
                    Some(only) => only == name,
                    None => !query.leaves_out(name),
                };
                if !is_asked || stats.documents == 0 || stats.total_length == 0 {
                    continue;
                }
                if term.matches == Match::Exact {
                    let df = df(name, &term.term)?;
                    weights.extend((df > 0).then(|| Weight::new(&asked, name, *stats, df, scoring)));
                } else {
                    let found = expansions::chosen(term, name, parts.clone(), &df)?;
                    weights.extend(expand(&asked, name, *stats, scoring, found));
                }
            }
        }
        Ok(Self(weights))
    }

    /// Counts some versions of a collection one by one: those of each part that a bitmap by slot allows, all without one.
    ///
    /// # Complexity
    /// Reads every length of every field that is asked for, and of the query's terms the blocks of postings that hold an
    /// allowed slot.
    ///
    /// # Errors
    /// `corrupt`, `not_resident`.
    pub fn count(
        query: &Query,
        parts: &[(&dyn PostingSource, Option<&Bitmap>)],
        scoring: &Scoring,
    ) -> Result<Self> {
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
        let part_fields = parts.iter().map(|(part, _)| *part);
        Self::of(query, &fields, part_fields, scoring, |field, term| {
            let mut df = 0u64;
            for (part, allowed) in parts {
                df += part.df_in(field, term, *allowed)?;
            }
            Ok(df)
        })
    }

    /// What a term of the query stands for in a field: the terms that score, sorted.
    #[must_use]
    pub fn stands_for(&self, query: &Query, asked: &QueryTerm, field: &str) -> Vec<&str> {
        let is_asked = |weight: &&Weight| weight.field == field && query.terms()[weight.asked].is_like(asked);
        let mut terms: Vec<&str> = self.0.iter().filter(is_asked).map(|weight| &*weight.term).collect();
        terms.sort_unstable();
        terms.dedup();
        terms
    }

    /// One entry a (term, field) that a live document has.
    #[must_use]
    pub fn as_slice(&self) -> &[Weight] {
        &self.0
    }
}

/// What a term of a query stands for in a field.
///
/// A term that is a typo away counts half, and never as rarer than the term itself: else misspellings, which are rare,
/// would come first.
fn expand(
    asked: &Asked<'_>,
    field: &str,
    stats: FieldStats,
    scoring: &Scoring,
    found: Vec<(u64, String)>,
) -> impl Iterator<Item = Weight> {
    let exact = found.iter().find(|(_, term)| *term == asked.term.term).map_or(0, |(df, _)| *df);
    found.into_iter().map(move |(df, term)| {
        let is_typo = asked.term.matches == Match::Fuzzy && term != asked.term.term;
        let weight = Weight::new(asked, field, stats, if is_typo { df.max(exact) } else { df }, scoring);
        Weight { term, boost: if is_typo { TYPO_BOOST } else { 1.0 }, ..weight }
    })
}

/// The score of every allowed document of a part that has a term of the query, by ascending slot.
///
/// # Complexity
/// Decodes the blocks of postings that can hold an allowed slot.
///
/// # Units
/// BM25, above 0, larger is better.
///
/// # Errors
/// `corrupt`, `not_resident`.
///
/// # Examples
/// ```
/// use kithdb::text::{Analyzer, Language, MemoryPostings, Query, Scoring, Weights, score};
///
/// let analyzer = Analyzer::new(Language::English);
/// let mut part = MemoryPostings::new();
/// part.push(&analyzer, 0, &[("text", "a tall quadruped")]);
/// part.push(&analyzer, 1, &[("text", "an instrument")]);
/// let query = Query::new(&analyzer, "quadrupeds", None)?;
/// let weights = Weights::gather(&query, &[&part], &[], &Scoring::default())?;
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
        source.for_each_posting_in(&weight.field, &weight.term, allowed, &mut |posting| {
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
        if let Some(posting) = source.posting(&weight.field, &weight.term, slot)? {
            parts.push(TermExplanation {
                weight: weight.clone(),
                tf: posting.tf,
                length: posting.field_length,
                contribution: weight.contribution(posting),
            });
        }
    }
    Ok(parts)
}

#[cfg(test)]
#[path = "bm25_tests.rs"]
mod tests;
