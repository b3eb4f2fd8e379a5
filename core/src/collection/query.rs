//! What is asked of a collection and what it answers.

use crate::base::limits::{EF_MAX, EXPLAIN_MAX, K_MAX, QUERY_TEXT_BYTES_MAX};
use crate::base::{Error, InputError, Object, Result};
use crate::meta::Filter;
use crate::segment::Plan;
use crate::text::TermExplanation;

/// How two lists become one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Fusion {
    /// `alpha` x vector + (1 - `alpha`) x words, each list min-max normalised; a missing side is 0.
    Alpha(f32),
    /// Sum of 1 / (`k` + rank) (Cormack, Clarke and Buettcher, "Reciprocal Rank Fusion", 2009).
    ReciprocalRank {
        /// Damps the first ranks; 60 in the paper.
        k: u32,
    },
}

impl Default for Fusion {
    fn default() -> Self {
        Self::Alpha(0.5)
    }
}

/// A search: nearest vectors, matching words, or both fused, among what a filter accepts.
///
/// Without vector and text it lists what the filter accepts, in the order of seq.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchRequest {
    /// The vector part.
    pub vector: Option<Vec<f32>>,
    /// The words part, over all text fields.
    pub text: Option<String>,
    /// Search what was there at this moment, ns since 1970 UTC; `None` for now.
    pub as_of: Option<i64>,
    /// What may be found. Its `CONTAINS(field, 'words')` join the words part.
    pub filter: Option<Filter>,
    /// How many results.
    pub k: usize,
    /// How many of the best to leave out.
    pub offset: usize,
    /// How widely an index searches; `None` chooses by `k`.
    pub ef: Option<usize>,
    /// How the parts are fused.
    pub fusion: Fusion,
    /// How many candidates of an index are compared with their stored vectors; `None` for 64, or two, four or eight times
    /// the results for codes of int8, bits or pq.
    pub rerank: Option<usize>,
    /// End the search of an index once its best candidates have stayed the same for so many steps; `None` for never.
    pub patience: Option<usize>,
    /// Compare with every vector instead of asking an index.
    pub exact: bool,
    /// Tell how the nearest vectors were found.
    pub trace: bool,
    /// Say of each result why it came.
    pub explain: bool,
    /// Return vectors too.
    pub with_vector: bool,
}

impl Default for SearchRequest {
    fn default() -> Self {
        Self {
            vector: None,
            text: None,
            as_of: None,
            filter: None,
            k: 10,
            offset: 0,
            ef: None,
            fusion: Fusion::default(),
            rerank: None,
            patience: None,
            exact: false,
            trace: false,
            explain: false,
            with_vector: false,
        }
    }
}

impl SearchRequest {
    /// Refuses what cannot be searched; the vector is checked against the collection.
    ///
    /// # Errors
    /// `invalid_parameter`, `too_large`.
    pub fn check(&self) -> Result<()> {
        if !(1..=K_MAX).contains(&self.k) {
            return Err(Error::parameter("k", self.k, format!("1 to {K_MAX}")));
        }
        if self.offset.saturating_add(self.k) > K_MAX {
            return Err(Error::parameter("offset", self.offset, format!("offset + k of at most {K_MAX}")));
        }
        if self.explain && self.offset + self.k > EXPLAIN_MAX {
            return Err(Error::parameter(
                "k",
                self.k,
                format!("offset + k of at most {EXPLAIN_MAX} with explain"),
            ));
        }
        let widths = [("ef", self.ef), ("rerank", self.rerank), ("patience", self.patience)];
        for (name, width) in widths.into_iter().filter_map(|(name, width)| Some((name, width?))) {
            if !(1..=EF_MAX).contains(&width) {
                return Err(Error::parameter(name, width, format!("1 to {EF_MAX}")));
            }
        }
        if let Fusion::Alpha(alpha) = self.fusion
            && !(0.0..=1.0).contains(&alpha)
        {
            return Err(Error::parameter("alpha", alpha, "0 to 1"));
        }
        if let Fusion::ReciprocalRank { k } = self.fusion
            && !(1..=1_000_000).contains(&k)
        {
            return Err(Error::parameter("rrf_k", k, "1 to 1000000"));
        }
        let got = self.text.as_ref().map_or(0, String::len);
        if got > QUERY_TEXT_BYTES_MAX {
            let (got, limit) = (got as u64, QUERY_TEXT_BYTES_MAX as u64);
            return Err(InputError::TooLarge { what: "the text of a query", got, limit }.into());
        }
        Ok(())
    }
}

/// A result.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// The document's id.
    pub id: String,
    /// Larger is better; what it means depends on the parts of the query.
    pub score: f32,
    /// The document's metadata.
    pub metadata: Object,
    /// The document's vector, when asked for.
    pub vector: Option<Vec<f32>>,
    /// Why it came, when asked for.
    pub explanation: Option<Explanation>,
}

/// Why a result came.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Explanation {
    /// The vector part; `None` when it was not among the nearest.
    pub vector: Option<VectorExplanation>,
    /// The words part; `None` when no word matched well enough.
    pub words: Option<WordsExplanation>,
}

/// The vector part of a score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct VectorExplanation {
    /// Smaller is closer.
    pub distance: f32,
    /// The distance as a score.
    pub score: f32,
    /// 1 for the nearest of its list.
    pub rank: usize,
    /// What it adds to the final score.
    pub contribution: f32,
}

/// The words part of a score.
#[derive(Debug, Clone, PartialEq)]
pub struct WordsExplanation {
    /// BM25.
    pub score: f32,
    /// 1 for the best of its list.
    pub rank: usize,
    /// What it adds to the final score.
    pub contribution: f32,
    /// Each matched term.
    pub terms: Vec<TermExplanation>,
}

/// How the nearest vectors of one part of a collection were found: of a segment, or of what is not sealed yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartTrace {
    /// How many versions it holds.
    pub documents: usize,
    /// How they were found.
    pub plan: Plan,
    /// How many distances were computed.
    pub distances: usize,
    /// Of the documents that may be found, those whose neighbours were looked at, in order.
    pub path: Vec<String>,
}

/// What a search answers.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SearchResponse {
    /// The best first.
    pub hits: Vec<Hit>,
    /// What was odd about the query, such as a filter on a field that no document has.
    pub warnings: Vec<String>,
    /// How the nearest vectors were found, part by part, when asked for.
    pub trace: Option<Vec<PartTrace>>,
}
