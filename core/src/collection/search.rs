//! Search over a view: candidates of each part, merged, fused, hydrated.
//!
//! Everything that can be exact does not depend on how documents are laid out in parts: distances and BM25 are
//! computed from the same bits, statistics count live versions, ties break by seq.

use std::collections::HashMap;

use crate::base::{Bitmap, Error, Result, Seq, TopK};
use crate::meta::Expr;
use crate::segment::{Scratch, Searched, VectorQuery};
use crate::text::{
    PostingSource, Query, TermCounts, Weights, explain as explain_words, score as score_words,
};
use crate::vectors::{check_vector, score as vector_score};

use super::moment::Moment;
use super::query::{
    Explanation, Fusion, Hit, PartTrace, SearchRequest, SearchResponse, VectorExplanation, WordsExplanation,
};
use super::view::{Place, View};

/// Candidates of each side of a hybrid search, whatever k is.
const HYBRID_DEPTH: usize = 200;

/// A candidate of one side, best first in its list.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    place: Place,
    seq: Seq,
    /// Distance of a vector, BM25 of words.
    raw: f32,
    /// Larger is better.
    score: f32,
}

/// A result before it is hydrated.
#[derive(Debug, Clone)]
struct Ranked {
    place: Place,
    score: f32,
    vector: Option<VectorExplanation>,
    words: Option<(f32, usize, f32)>,
}

impl View {
    /// Searches what is there at a moment.
    ///
    /// # Errors
    /// `invalid_parameter`, `dimension_mismatch`, `invalid_vector`, `too_large`; `corrupt`, `not_resident`.
    pub fn search(
        &self,
        request: &SearchRequest,
        moment: Moment,
        scratch: &mut Scratch,
    ) -> Result<SearchResponse> {
        request.check()?;
        let condition = request.filter.as_ref().and_then(|filter| filter.condition.as_ref());
        let warnings = self.warnings(request, condition)?;
        let query = self.words_query(request)?;
        let wants_words = query.is_some();
        let allowed = self.parts.iter().map(|part| part.allowed(condition, moment));
        let allowed = allowed.collect::<Result<Vec<Option<Bitmap>>>>()?;
        let wanted = request.offset + request.k;
        let hybrid = request.vector.is_some() && wants_words;
        let depth = if hybrid { wanted.max(HYBRID_DEPTH) } else { wanted };
        let mut trace = request.trace.then(Vec::new);
        let nearest = match &request.vector {
            Some(vector) => Some(self.nearest(request, vector, depth, &allowed, scratch, trace.as_mut())?),
            None => None,
        };
        let (weights, matching) = match &query {
            Some(query) => {
                let weights = self.weights(query, moment)?;
                let matching = self.matching(&weights, depth, &allowed)?;
                (weights, Some(matching))
            }
            None => (Weights::default(), None),
        };
        let mut ranked = match (nearest, matching) {
            (Some(nearest), Some(matching)) => fuse(request.fusion, &nearest, &matching, wanted),
            (Some(nearest), None) => alone(&nearest, true),
            (None, Some(matching)) => alone(&matching, false),
            (None, None) => self.list(&allowed, wanted)?,
        };
        ranked.truncate(wanted);
        let hits = ranked
            .into_iter()
            .skip(request.offset)
            .map(|ranked| self.hydrate(request, &weights, ranked))
            .collect::<Result<_>>()?;
        Ok(SearchResponse { hits, warnings, trace })
    }

    fn warnings(&self, request: &SearchRequest, condition: Option<&Expr>) -> Result<Vec<String>> {
        let mut paths: Vec<String> =
            condition.map(Expr::paths).unwrap_or_default().into_iter().map(str::to_owned).collect();
        let words = request.filter.iter().flat_map(|filter| &filter.words);
        paths.extend(words.map(|part| part.field.clone()));
        paths.sort_unstable();
        paths.dedup();
        let mut warnings = Vec::new();
        for path in paths {
            let mut known = false;
            for part in &self.parts {
                known = known || part.part.has_path(&path)?;
            }
            if !known {
                warnings.push(format!("no document has a field {path:?}"));
            }
        }
        let asks_words =
            request.text.is_some() || request.filter.as_ref().is_some_and(|f| !f.words.is_empty());
        if asks_words && self.words.is_none() {
            warnings.push("the collection has no text: the words part finds nothing".to_owned());
        }
        Ok(warnings)
    }

    /// The words of the request; `None` when it asks for none.
    fn words_query(&self, request: &SearchRequest) -> Result<Option<Query>> {
        let contains = request.filter.as_ref().map_or(&[][..], |filter| &filter.words);
        if request.text.is_none() && contains.is_empty() {
            return Ok(None);
        }
        let Some(words) = &self.words else { return Ok(Some(Query::default())) };
        let text = request.text.as_deref().unwrap_or_default();
        let mut query = Query::new(words.analyzer(), text, None)?;
        for part in contains {
            query.push(words.analyzer(), &part.text, Some(&part.field))?;
        }
        Ok(Some(query))
    }

    fn weights(&self, query: &Query, moment: Moment) -> Result<Weights> {
        if !moment.is_current() {
            let visible = self.parts.iter().map(|part| part.visible(moment));
            let visible = visible.collect::<Result<Vec<Option<Bitmap>>>>()?;
            let mut parts = Vec::new();
            for (part, visible) in self.parts.iter().zip(&visible) {
                parts.extend(part.part.postings()?.map(|postings| (postings, visible.as_ref())));
            }
            return Weights::count(query, &parts);
        }
        let mut postings: Vec<&dyn PostingSource> = Vec::new();
        for part in &self.parts {
            postings.extend(part.part.postings()?);
        }
        let ended: Vec<&TermCounts> =
            self.parts.iter().flat_map(|part| part.ends.terms()).map(|terms| &**terms).collect();
        Weights::gather(query, &postings, &ended)
    }

    fn nearest(
        &self,
        request: &SearchRequest,
        vector: &[f32],
        depth: usize,
        allowed: &[Option<Bitmap>],
        scratch: &mut Scratch,
        mut trace: Option<&mut Vec<PartTrace>>,
    ) -> Result<Vec<Candidate>> {
        check_vector(self.config.metric, self.dim.map(|dim| dim as usize), vector)?;
        let query = VectorQuery {
            rerank: request.rerank,
            patience: request.patience,
            exact: request.exact,
            trace: request.trace,
            ef: request.ef,
            ..VectorQuery::new(self.config.metric, vector, depth)
        };
        let mut found = TopK::new(depth);
        for (i, part) in self.parts.iter().enumerate() {
            let searched = part.part.nearest(&query, allowed[i].as_ref(), scratch, i, &mut found)?;
            if let Some(trace) = &mut trace {
                trace.push(self.part_trace(i, &searched)?);
            }
        }
        let candidate = |(distance, (part, slot)): (f32, (usize, crate::base::Slot))| {
            let score = vector_score(self.config.metric, distance);
            let seq = self.parts[part].part.seq(slot)?;
            Ok(Candidate { place: Place { part, slot }, seq, raw: distance, score })
        };
        found.into_sorted().into_iter().map(candidate).collect()
    }

    fn part_trace(&self, part: usize, searched: &Searched) -> Result<PartTrace> {
        let id = |&slot| self.parts[part].part.id(slot).map(str::to_owned);
        let path = searched.path.iter().map(id).collect::<Result<_>>()?;
        let (plan, distances, documents) = (searched.plan, searched.distances, self.parts[part].part.len());
        Ok(PartTrace { documents, plan, distances, path })
    }

    fn matching(
        &self,
        weights: &Weights,
        depth: usize,
        allowed: &[Option<Bitmap>],
    ) -> Result<Vec<Candidate>> {
        let mut found = TopK::new(depth);
        for (i, part) in self.parts.iter().enumerate() {
            let Some(postings) = part.part.postings()? else { continue };
            for (slot, score) in score_words(postings, weights, allowed[i].as_ref())? {
                let slot = crate::base::Slot(slot);
                let seq = part.part.seq(slot)?;
                found.push(-score, seq.0, (Place { part: i, slot }, seq));
            }
        }
        let candidate =
            |(minus, (place, seq)): (f32, (Place, Seq))| Candidate { place, seq, raw: -minus, score: -minus };
        Ok(found.into_sorted().into_iter().map(candidate).collect())
    }

    /// The first of what is allowed, in the order of seq.
    fn list(&self, allowed: &[Option<Bitmap>], wanted: usize) -> Result<Vec<Ranked>> {
        let mut listed = Vec::new();
        for (i, part) in self.parts.iter().enumerate() {
            let slots = (0..part.part.len()).filter(|s| allowed[i].as_ref().is_none_or(|a| a.contains(*s)));
            for slot in slots.take(wanted - listed.len()) {
                let place = Place { part: i, slot: crate::base::Slot(slot as u32) };
                listed.push(Ranked { place, score: 1.0, vector: None, words: None });
            }
        }
        Ok(listed)
    }

    fn hydrate(&self, request: &SearchRequest, weights: &Weights, ranked: Ranked) -> Result<Hit> {
        let Place { part, slot } = ranked.place;
        let part = &self.parts[part].part;
        let explanation = if request.explain {
            let words = match (ranked.words, part.postings()?) {
                (Some((score, rank, contribution)), Some(postings)) => {
                    let terms = explain_words(postings, weights, slot.0)?;
                    Some(WordsExplanation { score, rank, contribution, terms })
                }
                _ => None,
            };
            Some(Explanation { vector: ranked.vector, words })
        } else {
            None
        };
        let vector = if request.with_vector { part.vector(slot)? } else { None };
        let (id, metadata) = (part.id(slot)?.to_owned(), part.metadata(slot)?);
        Ok(Hit { id, score: ranked.score, metadata, vector, explanation })
    }
}

fn explain_vector(candidate: Candidate, rank: usize, contribution: f32) -> VectorExplanation {
    VectorExplanation { distance: candidate.raw, score: candidate.score, rank, contribution }
}

/// One list alone: its scores are the final ones.
fn alone(list: &[Candidate], is_vector: bool) -> Vec<Ranked> {
    let ranked = |(i, c): (usize, &Candidate)| Ranked {
        place: c.place,
        score: c.score,
        vector: is_vector.then(|| explain_vector(*c, i + 1, c.score)),
        words: (!is_vector).then_some((c.score, i + 1, c.score)),
    };
    list.iter().enumerate().map(ranked).collect()
}

/// Scores of a list between 0 and 1; all 1 when they are equal.
fn normalised(list: &[Candidate]) -> Vec<f32> {
    let best = list.first().map_or(0.0, |c| c.score);
    let range = best - list.last().map_or(0.0, |c| c.score);
    let norm = |c: &Candidate| if range > 0.0 { 1.0 - (best - c.score) / range } else { 1.0 };
    list.iter().map(norm).collect()
}

/// Both lists as one, the best first, ties by seq.
fn fuse(fusion: Fusion, nearest: &[Candidate], matching: &[Candidate], wanted: usize) -> Vec<Ranked> {
    let contributions = |list: &[Candidate], share: f32| -> Vec<f32> {
        match fusion {
            Fusion::Alpha(_) => normalised(list).into_iter().map(|norm| share * norm).collect(),
            Fusion::ReciprocalRank { k } => (1..=list.len()).map(|r| 1.0 / (k as f32 + r as f32)).collect(),
        }
    };
    let alpha = if let Fusion::Alpha(alpha) = fusion { alpha } else { 1.0 };
    let mut all: HashMap<(usize, u32), (Seq, Ranked)> = HashMap::new();
    let place_of = |c: &Candidate| (c.place.part, c.place.slot.0);
    for (i, (c, part)) in nearest.iter().zip(contributions(nearest, alpha)).enumerate() {
        let vector = Some(explain_vector(*c, i + 1, part));
        all.insert(place_of(c), (c.seq, Ranked { place: c.place, score: part, vector, words: None }));
    }
    for (i, (c, part)) in matching.iter().zip(contributions(matching, 1.0 - alpha)).enumerate() {
        let fresh = Ranked { place: c.place, score: 0.0, vector: None, words: None };
        let (_, ranked) = all.entry(place_of(c)).or_insert((c.seq, fresh));
        ranked.score += part;
        ranked.words = Some((c.score, i + 1, part));
    }
    let mut top = TopK::new(wanted);
    for (seq, ranked) in all.into_values() {
        top.push(-ranked.score, seq.0, ranked);
    }
    top.into_sorted().into_iter().map(|(_, ranked)| ranked).collect()
}

/// Refuses a filter and says so at once, for callers that only have its text.
///
/// # Errors
/// `invalid_filter` with the position.
pub fn parse_filter(text: &str) -> Result<Option<crate::meta::Filter>, Error> {
    if text.trim().is_empty() { Ok(None) } else { crate::meta::Filter::parse(text).map(Some) }
}
