//! What is asked of a collection and what it answers.

use std::borrow::Cow;

use crate::base::limits::{
    EF_MAX, EXPLAIN_MAX, FACETS_MAX, GRAPH_EDGES_MAX, HIGHLIGHT_FIELDS_MAX, K_MAX, PASSAGE_BYTES_MAX,
    QUERY_TEXT_BYTES_MAX, RESULTS_MAX, SEARCHES_MAX,
};
use crate::base::{Error, InputError, Object, Result};
use crate::meta::Filter;
use crate::segment::Plan;
use crate::text::TermExplanation;
use crate::text::highlight::PASSAGE_BYTES;

use super::config::Settings;
use super::decay::{Aging, Decay, DecayExplanation};
use super::expansion::{Expansion, GraphExplanation};
use super::facets::{Facet, FacetCounts, check_path};
use super::filter_plan::FilterPlan;
use super::order::{GroupBy, SortKey, check_sort};
use super::related::{Connections, GraphFilter};

/// How many candidates there are unless a request says otherwise or wants more results.
const CANDIDATES: usize = 200;
/// Candidates for each result, at least, where some of a group are left out.
const CANDIDATES_A_GROUP: usize = 10;

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
    /// Take the text as it stands: no signs, fields or quotes ([`crate::text::syntax`]).
    pub plain: bool,
    /// Look for words with a typo, too.
    pub fuzzy: bool,
    /// Show where the words stand.
    pub highlight: Option<Highlight>,
    /// Search what was there at this moment, ns since 1970 UTC; `None` for now.
    pub as_of: Option<i64>,
    /// What may be found. Its `CONTAINS(field, 'words')` join the words part.
    pub filter: Option<Filter>,
    /// Only what is around some documents can be found.
    pub graph_filter: Option<GraphFilter>,
    /// What the best hits are linked to joins the candidates.
    pub expand: Option<Expansion>,
    /// What results come with: what these paths of relations lead to, such as `parent.child`.
    pub include_relations: Vec<String>,
    /// Whether that comes with its documents.
    pub hydrate_relations: bool,
    /// How many edges it looks at at most to know where it may look, another such number to expand its hits, and another
    /// for what they come with. The searches of a batch have as many together.
    pub graph_edges_max: usize,
    /// How many results.
    pub k: usize,
    /// How many of the best to leave out.
    pub offset: usize,
    /// How many of the best of each list are fused, grouped, sorted or expanded; `None` for 200, or as many as results are wanted,
    /// ten times as many with `group_by`. Words or a filter alone are sorted whole, and so are their groups.
    pub candidates: Option<usize>,
    /// Leave out what scores less.
    pub min_score: Option<f32>,
    /// What is old counts less: all candidates are ranked so before the best are taken.
    pub decay: Aging,
    /// At most a few results of each value of a field.
    pub group_by: Option<GroupBy>,
    /// The order of the results; empty for the best first.
    pub sort: Vec<SortKey>,
    /// Count the values of these fields in all that can be found: the documents that match words when those are asked for
    /// alone, else all that the filter accepts.
    pub facets: Vec<Facet>,
    /// How widely an index searches; `None` chooses by `k`.
    pub ef: Option<usize>,
    /// How the parts are fused.
    pub fusion: Fusion,
    /// How many candidates of an index are compared with their stored vectors; `None` for 64, or two, four or eight times
    /// the results for codes of int8, bits or pq and opq.
    pub rerank: Option<usize>,
    /// End the search of an index once its best candidates have stayed the same for so many steps; `None` for never.
    pub patience: Option<usize>,
    /// Compare with every vector instead of asking an index.
    pub exact: bool,
    /// Tell how the nearest vectors were found.
    pub trace: bool,
    /// Say of each result why it came, and how the filter was answered.
    pub explain: bool,
    /// Return vectors too.
    pub with_vector: bool,
}

impl Default for SearchRequest {
    fn default() -> Self {
        Self {
            vector: None,
            text: None,
            plain: false,
            fuzzy: false,
            highlight: None,
            as_of: None,
            filter: None,
            k: 10,
            offset: 0,
            candidates: None,
            min_score: None,
            decay: Aging::default(),
            group_by: None,
            sort: Vec::new(),
            facets: Vec::new(),
            ef: None,
            fusion: Fusion::default(),
            rerank: None,
            patience: None,
            exact: false,
            trace: false,
            explain: false,
            graph_filter: None,
            expand: None,
            include_relations: Vec::new(),
            hydrate_relations: false,
            graph_edges_max: GRAPH_EDGES_MAX,
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
        self.check_related()?;
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
        self.check_order()?;
        let got = self.text.as_ref().map_or(0, String::len);
        if got > QUERY_TEXT_BYTES_MAX {
            let (got, limit) = (got as u64, QUERY_TEXT_BYTES_MAX as u64);
            return Err(InputError::TooLarge { what: "the text of a query", got, limit }.into());
        }
        Ok(())
    }
}

/// Refuses searches that would take too long or too much memory together. The edges that one of them may look at are
/// shared evenly by all that ask the graph, so that what each finds depends on the batch and not on which is quicker.
///
/// # Errors
/// `too_large`.
pub fn check_searches(requests: &mut [SearchRequest]) -> Result<()> {
    let results = requests.iter().fold(0_usize, |sum, request| sum.saturating_add(request.k));
    let bounds =
        [("a batch of searches", requests.len(), SEARCHES_MAX), ("k of all searches", results, RESULTS_MAX)];
    for (what, got, limit) in bounds {
        if got > limit {
            return Err(InputError::TooLarge { what, got: got as u64, limit: limit as u64 }.into());
        }
    }
    let asking = requests.iter().filter(|request| request.asks_graph()).count().max(1);
    for request in requests {
        request.graph_edges_max = request.graph_edges_max.min(GRAPH_EDGES_MAX / asking);
    }
    Ok(())
}

impl SearchRequest {
    fn check_order(&self) -> Result<()> {
        if let Some(candidates) = self.candidates
            && !(1..=K_MAX).contains(&candidates)
        {
            return Err(Error::parameter("candidates", candidates, format!("1 to {K_MAX}")));
        }
        if let Some(min) = self.min_score
            && !min.is_finite()
        {
            return Err(Error::parameter("min_score", min, "a number"));
        }
        let decay = self.decay.named();
        if decay.is_some() && !self.scores() {
            return Err(Error::parameter("decay", "a filter alone", "a vector or words, which score"));
        }
        if let Some(Highlight { fields, .. }) = &self.highlight
            && fields.len() > HIGHLIGHT_FIELDS_MAX
        {
            let expected = format!("at most {HIGHLIGHT_FIELDS_MAX} fields");
            return Err(Error::parameter("highlight", fields.len(), expected));
        }
        if decay.is_some() && !self.sort.is_empty() {
            return Err(Error::parameter("decay", "with sort", "either decay or sort"));
        }
        if self.min_score.is_some() && !self.sort.is_empty() {
            return Err(Error::parameter("min_score", "with sort", "either min_score or sort"));
        }
        if let Some(Highlight { length, .. }) = &self.highlight
            && !(1..=PASSAGE_BYTES_MAX).contains(length)
        {
            let expected = format!("a length of 1 to {PASSAGE_BYTES_MAX}");
            return Err(Error::parameter("highlight", length, expected));
        }
        if let Some(by) = &self.group_by {
            check_path("group_by", &by.field)?;
            if !(1..=K_MAX).contains(&by.size) {
                return Err(Error::parameter("group_by", by.size, format!("a size of 1 to {K_MAX}")));
            }
        }
        if self.facets.len() > FACETS_MAX {
            return Err(Error::parameter(
                "facets",
                self.facets.len(),
                format!("at most {FACETS_MAX} fields"),
            ));
        }
        decay.map_or(Ok(()), Decay::check)?;
        self.check_expand()?;
        self.facets.iter().try_for_each(Facet::check)?;
        check_sort(&self.sort)
    }

    fn check_expand(&self) -> Result<()> {
        let Some(expand) = &self.expand else { return Ok(()) };
        if !self.scores() {
            return Err(Error::parameter("expand", "a filter alone", "a vector or words, which score"));
        }
        if !self.sort.is_empty() {
            return Err(Error::parameter("expand", "with sort", "either expand or sort"));
        }
        expand.check()
    }

    /// Whether anything of it scores: a filter alone does not.
    fn scores(&self) -> bool {
        let contains = || self.filter.as_ref().is_some_and(|filter| !filter.words.is_empty());
        self.vector.is_some() || self.text.is_some() || contains()
    }

    /// The request with what it leaves to the collection.
    pub(super) fn settled(&self, settings: &Settings) -> Cow<'_, Self> {
        match &settings.decay {
            Some(decay) if self.decay == Aging::Collection && self.scores() && self.sort.is_empty() => {
                Cow::Owned(Self { decay: Aging::By(decay.clone()), ..self.clone() })
            }
            _ => Cow::Borrowed(self),
        }
    }

    /// How many results are wanted, those that are left out at first included.
    pub(super) fn wanted(&self) -> usize {
        self.offset + self.k
    }

    /// How many of the best of a list are looked at where more than the wanted are.
    pub(super) fn depth(&self) -> usize {
        let per_result = if self.group_by.is_some() { CANDIDATES_A_GROUP } else { 1 };
        let default = (self.wanted() * per_result).max(CANDIDATES);
        self.candidates.unwrap_or(default).max(self.wanted()).min(K_MAX)
    }

    /// Whether more than the best decide which results there are, or in which order.
    pub(super) fn reorders(&self) -> bool {
        let ranks_anew = self.decay.named().is_some() || self.expand.is_some();
        self.group_by.is_some() || !self.sort.is_empty() || ranks_anew
    }

    /// Whether all that can be found has to be known.
    pub(super) fn needs_sets(&self) -> bool {
        !self.facets.is_empty() || !self.sort.is_empty()
    }

    /// The fields that its filter, facets and order name.
    pub(super) fn paths(&self) -> Vec<&str> {
        let condition = self.filter.as_ref().and_then(|filter| filter.condition.as_ref());
        let words = self.filter.iter().flat_map(|filter| &filter.words).map(|part| &*part.field);
        let mut paths: Vec<&str> = condition.map(crate::meta::Expr::paths).unwrap_or_default();
        paths.extend(words);
        paths.extend(self.facets.iter().map(|facet| &*facet.field));
        paths.extend(self.sort.iter().map(|key| &*key.field));
        paths.extend(self.decay.named().into_iter().flat_map(Decay::paths));
        paths.extend(self.group_by.iter().map(|by| &*by.field));
        paths.sort_unstable();
        paths.dedup();
        paths
    }
}

/// A result.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// The document's id.
    pub id: String,
    /// Larger is better; what it means depends on the parts of the query.
    pub score: f32,
    /// How far its vector is from that of the query, smaller is closer; `None` when it was not among the nearest.
    pub distance: Option<f32>,
    /// The document's metadata.
    pub metadata: Object,
    /// The document's vector, when asked for.
    pub vector: Option<Vec<f32>>,
    /// Why it came, when asked for.
    pub explanation: Option<Explanation>,
    /// A passage of each text that has some of the words, when asked for.
    pub highlights: Option<Vec<Highlighted>>,
    /// What it leads to, by path, when asked for.
    pub connections: Option<Connections>,
}

/// Which passages of texts are shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Highlight {
    /// Of these text fields; empty for all.
    pub fields: Vec<String>,
    /// About how many bytes of each.
    pub length: usize,
}

impl Default for Highlight {
    fn default() -> Self {
        Self { fields: Vec::new(), length: PASSAGE_BYTES }
    }
}

/// A passage of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Highlighted {
    /// The text field.
    pub field: String,
    /// Its pieces in turn: one without a match, which may be empty, one with, and so on.
    pub parts: Vec<String>,
}

/// Why a result came: in f32, its score is the sum of what both parts contribute, or what the graph does, less what time
/// took of it. With none of them, which is a filter alone, it is 1.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Explanation {
    /// The vector part; `None` when it was not among the nearest.
    pub vector: Option<VectorExplanation>,
    /// The words part; `None` when no word matched well enough.
    pub words: Option<WordsExplanation>,
    /// The hit that lent it its score, when hits were expanded and that was more than the sum of both.
    pub graph: Option<GraphExplanation>,
    /// What time left of it, when scores were to fall with age.
    pub decay: Option<DecayExplanation>,
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
    /// The score on the scale of its list, from 0 for the worst to 1 for the best, where lists were fused by `alpha`.
    pub normalised: Option<f32>,
    /// What it adds to the final score.
    pub contribution: f32,
}

/// The words part of a score.
#[derive(Debug, Clone, PartialEq)]
pub struct WordsExplanation {
    /// BM25.
    pub score: f32,
    /// 1 for the best of its list; its place among the results where these are sorted.
    pub rank: usize,
    /// The score on the scale of its list, from 0 for the worst to 1 for the best, where lists were fused by `alpha`.
    pub normalised: Option<f32>,
    /// What it adds to the final score.
    pub contribution: f32,
    /// Each matched term; the sum of what they contribute, in their order and rounded once to f32, is `score`.
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
    /// The fields whose values were to be counted.
    pub facets: Vec<FacetCounts>,
    /// How many documents facets were counted in, when some were asked for, whatever they score.
    pub total: Option<u64>,
    /// Whether there is more around the hits than was looked at, when they were to be expanded.
    pub truncated: Option<bool>,
    /// How the nearest vectors were found, part by part, when asked for.
    pub trace: Option<Vec<PartTrace>>,
    /// How the filter was answered, when there is one and results were to be explained.
    pub filter_plan: Option<FilterPlan>,
}
