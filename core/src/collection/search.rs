//! Search over a view: candidates of each part, merged, fused, hydrated.
//!
//! Everything that can be exact does not depend on how documents are laid out in parts: distances and BM25 are
//! computed from the same bits, statistics count live versions, ties break by seq.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};

use crate::base::limits::GRAPH_NODES_MAX;
use crate::base::{Bitmap, Error, Object, Result, Seq, TopK};
use crate::segment::{Scratch, Searched, VectorQuery};
use crate::text::conditions::{Scored, select};
use crate::text::highlight::passage;
use crate::text::{
    PostingSource, Query, Scoring, TermCounts, TermExplanation, Weights, Words, explain as explain_words,
    score as score_words, top,
};
use crate::vectors::{check_vector, score as vector_score};

use super::decay::DecayExplanation;
use super::elsewhere::{Elsewhere, Others};
use super::expansion::Reach;
use super::filter_plan::FilterPlan;
use super::moment::Moment;
use super::order::Order;
use super::query::{
    Explanation, Fusion, Highlight, Highlighted, Hit, PartTrace, SearchRequest, SearchResponse,
    VectorExplanation, WordsExplanation,
};
use super::view::{PartView, Place, View};

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

/// What is told of how a search went, as far as it was asked for.
struct Told<'a> {
    trace: Option<Vec<PartTrace>>,
    filter: Option<FilterPlan>,
    reach: Option<Reach<'a>>,
}

/// A result before it is hydrated.
#[derive(Debug, Clone)]
struct Ranked {
    place: Place,
    score: f32,
    vector: Option<VectorExplanation>,
    words: Option<WordsShare>,
    /// Where the hit's score that it has instead came to it.
    arrival: Option<usize>,
    decay: Option<DecayExplanation>,
}

impl Ranked {
    fn new(place: Place, score: f32) -> Self {
        Self { place, score, vector: None, words: None, arrival: None, decay: None }
    }
}

/// What words gave a result.
#[derive(Debug, Clone)]
struct WordsShare {
    score: f32,
    rank: usize,
    normalised: Option<f32>,
    contribution: f32,
    /// What the score is made of, where that was asked for already; else nothing.
    terms: Vec<TermExplanation>,
}

impl WordsShare {
    /// Words that nothing is fused with.
    fn alone(score: f32, rank: usize) -> Self {
        Self { score, rank, normalised: None, contribution: score, terms: Vec::new() }
    }
}

impl View {
    /// Searches what is there at a moment. Its graph is that of this collection alone.
    ///
    /// # Errors
    /// `invalid_parameter`, `dimension_mismatch`, `invalid_vector`, `too_large`; `corrupt`, `not_resident`.
    pub fn search(
        &self,
        request: &SearchRequest,
        moment: Moment,
        scratch: &mut Scratch,
    ) -> Result<SearchResponse> {
        self.search_among(None, request, moment, scratch)
    }

    /// As [`View::search`], with a graph that is followed into other collections.
    ///
    /// # Errors
    /// As [`View::search`] and [`View::ask_graph_among`].
    pub fn search_among(
        &self,
        others: Option<&dyn Others>,
        request: &SearchRequest,
        moment: Moment,
        scratch: &mut Scratch,
    ) -> Result<SearchResponse> {
        let elsewhere = Elsewhere::new(self, others, request.as_of, moment.time());
        self.search_with(&elsewhere, request, moment, scratch)
    }

    fn search_with<'a>(
        &'a self,
        elsewhere: &'a Elsewhere<'a>,
        request: &SearchRequest,
        moment: Moment,
        scratch: &mut Scratch,
    ) -> Result<SearchResponse> {
        request.check()?;
        let mut warnings = self.warnings(request)?;
        let request = &*request.settled(&self.config.settings);
        let condition = request.filter.as_ref().and_then(|filter| filter.condition.as_ref());
        let mut told = Told {
            trace: request.trace.then(Vec::new),
            filter: condition.filter(|_| request.explain).map(FilterPlan::new),
            reach: None,
        };
        let allowed = self.allowed(elsewhere, request, moment, &mut told, &mut warnings)?;
        let query = self.words_query(request)?;
        // What only excludes is no query of words; conditions alone score nothing either.
        let scores =
            |query: &&Query| !query.only_excludes() && (!query.is_empty() || query.conditions().is_empty());
        let scoring = query.as_ref().filter(scores);
        let weights = scoring.map(|query| self.weights(query, moment)).transpose()?;
        let allowed = match &query {
            Some(query) => {
                let none = Weights::default();
                self.fulfilling(Scored { query, weights: weights.as_ref().unwrap_or(&none) }, allowed)?
            }
            None => allowed,
        };
        // What words alone ask for; else all that is allowed can be found.
        let sets = match &weights {
            Some(weights) if request.vector.is_none() && request.needs_sets() => {
                Cow::Owned(self.matching_sets(weights, &allowed)?)
            }
            _ => Cow::Borrowed(&allowed),
        };
        // Of what nothing ranks groups are made as it is listed, and of what is sorted whole as it is sorted.
        let is_sorted = request.vector.is_none() && !request.sort.is_empty();
        let is_listed = request.vector.is_none() && weights.is_none();
        let mut ranked = if is_sorted {
            let (keys, by, wanted) = (&*request.sort, request.group_by.as_ref(), request.wanted());
            let places = self.sorted(Order { keys, by, wanted }, &sets)?;
            self.scored(request, weights.as_ref(), places)?
        } else {
            let mut ranked = self.ranked(request, weights.as_ref(), &allowed, scratch, &mut told)?;
            if let Some(expand) = request.expand.as_ref().filter(|_| !is_listed) {
                let hits = ranked.iter().map(|ranked| (ranked.place, ranked.score));
                let reach =
                    self.reach(elsewhere, (expand, request.graph_edges_max), hits, moment, &allowed)?;
                ranked = self.joined(told.reach.insert(reach), ranked)?;
            }
            let ranked = self.aged(request, ranked, moment)?;
            self.in_order(request, ranked)?
        };
        if let Some(by) = request.group_by.as_ref().filter(|_| !is_listed && !is_sorted) {
            ranked = self.grouped(by, ranked.into_iter(), |ranked| ranked.place, request.wanted())?;
        }
        let weights = weights.unwrap_or_default();
        let hits = ranked.into_iter().take(request.wanted()).skip(request.offset);
        let hydrated = |ranked| self.hydrate(request, &weights, ranked, told.reach.as_ref());
        let mut hits = hits.map(hydrated).collect::<Result<Vec<Hit>>>()?;
        if !request.include_relations.is_empty() && !self.connect(elsewhere, request, moment, &mut hits)? {
            warnings.push("some results are related to more than is answered".to_owned());
        }
        let facets = request.facets.iter().map(|facet| self.facet(facet, &sets)).collect::<Result<_>>()?;
        let counts = self.parts.iter().zip(&*sets);
        let count =
            |(part, set): (&PartView, &Option<Bitmap>)| set.as_ref().map_or(part.part.len(), Bitmap::count);
        let total = (!request.facets.is_empty()).then(|| counts.map(count).sum::<usize>() as u64);
        let reach = told.reach.as_ref();
        let truncated = request.expand.as_ref().map(|_| reach.is_some_and(Reach::is_truncated));
        let (trace, filter_plan) = (told.trace, told.filter);
        Ok(SearchResponse { hits, warnings, facets, total, truncated, trace, filter_plan })
    }

    /// What its filters let a search find in each part.
    fn allowed<'a>(
        &'a self,
        elsewhere: &'a Elsewhere<'a>,
        request: &SearchRequest,
        moment: Moment,
        told: &mut Told<'_>,
        warnings: &mut Vec<String>,
    ) -> Result<Vec<Option<Bitmap>>> {
        let condition = request.filter.as_ref().and_then(|filter| filter.condition.as_ref());
        let mut allowed = Vec::with_capacity(self.parts.len());
        for part in &self.parts {
            allowed.push(part.allowed(condition, self.words.as_deref(), moment, told.filter.as_mut())?);
        }
        if let Some(filter) = &request.graph_filter
            && !self.within(elsewhere, (filter, request.graph_edges_max), moment, &mut allowed)?
        {
            let edges = request.graph_edges_max;
            warnings.push(format!(
                "graph_filter reaches more than {GRAPH_NODES_MAX} documents or {edges} edges, and some are left out"
            ));
        }
        Ok(allowed)
    }

    /// The best first: at least as many as are wanted, where there are as many.
    fn ranked(
        &self,
        request: &SearchRequest,
        weights: Option<&Weights>,
        allowed: &[Option<Bitmap>],
        scratch: &mut Scratch,
        told: &mut Told<'_>,
    ) -> Result<Vec<Ranked>> {
        let is_hybrid = request.vector.is_some() && weights.is_some();
        let depth = if is_hybrid || request.reorders() { request.depth() } else { request.wanted() };
        let nearest = match &request.vector {
            Some(vector) => Some(self.nearest(request, vector, depth, allowed, scratch, told)?),
            None => None,
        };
        let matching = weights.map(|weights| self.matching(weights, depth, allowed)).transpose()?;
        let ranked = match (nearest, matching) {
            (Some(nearest), Some(matching)) => {
                let wanted = if request.reorders() { 2 * depth } else { request.wanted() };
                fuse(request.fusion, &nearest, &matching, wanted)
            }
            (Some(nearest), None) => alone(&nearest, true),
            (None, Some(matching)) => alone(&matching, false),
            (None, None) => self.list(request, allowed)?,
        };
        Ok(ranked)
    }

    /// Candidates and what hits lead to, each with the better of its scores.
    fn joined(&self, reach: &Reach<'_>, ranked: Vec<Ranked>) -> Result<Vec<Ranked>> {
        let key = |place: Place| (place.part, place.slot.0);
        let mut all: HashMap<(usize, u32), Ranked> =
            ranked.into_iter().map(|ranked| (key(ranked.place), ranked)).collect();
        for (place, score, arrival) in reach.joining() {
            let fresh = || Ranked::new(place, f32::NEG_INFINITY);
            let ranked = all.entry(key(place)).or_insert_with(fresh);
            if score > ranked.score {
                (ranked.score, ranked.arrival) = (score, Some(arrival));
            }
        }
        let mut best = TopK::new(all.len());
        for ranked in all.into_values() {
            let Place { part, slot } = ranked.place;
            best.push(-ranked.score, self.parts[part].part.seq(slot)?.0, ranked);
        }
        Ok(best.into_sorted().into_iter().map(|(_, ranked)| ranked).collect())
    }

    /// Candidates in the order of what time left of their scores, without those that score too little.
    fn aged(&self, request: &SearchRequest, mut ranked: Vec<Ranked>, moment: Moment) -> Result<Vec<Ranked>> {
        if let Some(decay) = request.decay.named() {
            let paths: Vec<&str> = decay.paths().collect();
            let mut best = TopK::new(ranked.len());
            for mut candidate in ranked {
                let Place { part, slot } = candidate.place;
                let PartView { part, ends } = &self.parts[part];
                let (fields, valid_from) = (part.fields(slot, &paths)?, part.valid_from(slot)?);
                let left = decay.of(&fields, valid_from, ends.touches.get(slot), moment.time());
                candidate.score = left.apply(candidate.score);
                candidate.decay = Some(left);
                best.push(-candidate.score, part.seq(slot)?.0, candidate);
            }
            ranked = best.into_sorted().into_iter().map(|(_, candidate)| candidate).collect();
        }
        if let Some(min) = request.min_score {
            ranked.retain(|ranked| ranked.score >= min);
        }
        Ok(ranked)
    }

    /// Candidates in the order that is asked for.
    fn in_order(&self, request: &SearchRequest, ranked: Vec<Ranked>) -> Result<Vec<Ranked>> {
        if request.sort.is_empty() {
            return Ok(ranked);
        }
        let mut sets: Vec<Option<Bitmap>> =
            self.parts.iter().map(|part| Some(Bitmap::empty(part.part.len()))).collect();
        let mut by_place = HashMap::new();
        for ranked in ranked {
            let Place { part, slot } = ranked.place;
            sets[part].iter_mut().for_each(|set| set.insert(slot.index()));
            by_place.insert((part, slot.0), ranked);
        }
        let order = Order { keys: &request.sort, by: None, wanted: by_place.len() };
        let places = self.sorted(order, &sets)?;
        Ok(places.into_iter().filter_map(|place| by_place.remove(&(place.part, place.slot.0))).collect())
    }

    /// Places with what their words score; 1 without words. A score that is to be explained is the sum of its explanation.
    fn scored(
        &self,
        request: &SearchRequest,
        weights: Option<&Weights>,
        places: Vec<Place>,
    ) -> Result<Vec<Ranked>> {
        if let Some(weights) = weights.filter(|_| request.explain) {
            let explained = |(i, place): (usize, Place)| {
                let Some(postings) = self.parts[place.part].part.postings()? else {
                    return Ok(in_order(i, place, None, Vec::new()));
                };
                let terms = explain_words(postings, weights, place.slot.0)?;
                let sum = terms.iter().fold(0.0, |sum, term| sum + term.contribution);
                let score = (!terms.is_empty()).then_some(sum as f32);
                Ok(in_order(i, place, score, terms))
            };
            return places.into_iter().enumerate().map(explained).collect();
        }
        let mut scores: HashMap<(usize, u32), f32> = HashMap::new();
        if let Some(weights) = weights {
            for (i, part) in self.parts.iter().enumerate() {
                let Some(postings) = part.part.postings()? else { continue };
                let mut asked = Bitmap::empty(part.part.len());
                let of_part = places.iter().filter(|place| place.part == i);
                of_part.for_each(|place| asked.insert(place.slot.index()));
                let found = score_words(postings, weights, Some(&asked))?;
                scores.extend(found.into_iter().map(|(slot, score)| ((i, slot), score)));
            }
        }
        let scored = |(i, place): (usize, Place)| {
            in_order(i, place, scores.get(&(place.part, place.slot.0)).copied(), Vec::new())
        };
        Ok(places.into_iter().enumerate().map(scored).collect())
    }

    /// The allowed slots of each part that have any of the words.
    fn matching_sets(&self, weights: &Weights, allowed: &[Option<Bitmap>]) -> Result<Vec<Option<Bitmap>>> {
        let one = |(part, allowed): (&PartView, &Option<Bitmap>)| {
            let mut set = Bitmap::empty(part.part.len());
            if let Some(postings) = part.part.postings()? {
                for weight in weights.as_slice() {
                    postings.for_each_posting(&weight.field, &weight.term, &mut |posting| {
                        set.insert(posting.slot as usize);
                    })?;
                }
            }
            if let Some(allowed) = allowed {
                set.and(allowed);
            }
            Ok(Some(set))
        };
        self.parts.iter().zip(allowed).map(one).collect()
    }

    fn warnings(&self, request: &SearchRequest) -> Result<Vec<String>> {
        let mut unknown = Vec::new();
        for path in request.paths() {
            let mut known = false;
            for part in &self.parts {
                known = known || part.part.has_path(path)?;
            }
            if !known {
                unknown.push(path);
            }
        }
        let mut warnings: Vec<String> =
            unknown.iter().map(|path| format!("no document has a field {path:?}")).collect();
        if let Some(filter) = &request.filter {
            warnings.extend(self.words_warnings(filter, &unknown)?);
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
        let mut query = if request.plain {
            words.query(text, request.fuzzy)?
        } else {
            let mut fields = BTreeSet::new();
            for part in &self.parts {
                fields.extend(part.part.postings()?.map(PostingSource::fields).unwrap_or_default());
            }
            words.parse(text, request.fuzzy, |name| fields.contains(name))?
        };
        for part in contains {
            query.push(words.analyzer_of(&part.field), &part.text, Some(&part.field))?;
        }
        Ok(Some(query))
    }

    /// The allowed slots of each part that have what a query says must be there, and nothing that must not.
    fn fulfilling(&self, asked: Scored<'_>, mut allowed: Vec<Option<Bitmap>>) -> Result<Vec<Option<Bitmap>>> {
        let Some(words) = &self.words else { return Ok(allowed) };
        for condition in asked.query.conditions() {
            for (part, allowed) in self.parts.iter().zip(&mut allowed) {
                let Some(postings) = part.part.postings()? else {
                    if !condition.is_negative {
                        *allowed = Some(Bitmap::empty(part.part.len()));
                    }
                    continue;
                };
                let mut texts_of = |slot: u32, f: &mut dyn FnMut(&str, &str)| {
                    let metadata = part.part.metadata(crate::base::Slot(slot))?;
                    words.texts(&metadata).iter().for_each(|(field, text)| f(field, text));
                    Ok(())
                };
                let all = Bitmap::full(part.part.len());
                let within = allowed.as_ref().unwrap_or(&all);
                let analyzer_of = |field: &str| words.analyzer_of(field);
                *allowed =
                    Some(select(postings, asked, condition, Some(within), analyzer_of, &mut texts_of)?);
            }
        }
        Ok(allowed)
    }

    fn weights(&self, query: &Query, moment: Moment) -> Result<Weights> {
        let default = Scoring::default();
        let scoring = self.words.as_deref().map_or(&default, Words::scoring);
        if !moment.is_current() {
            let visible = self.parts.iter().map(|part| part.visible(moment));
            let visible = visible.collect::<Result<Vec<Option<Bitmap>>>>()?;
            let mut parts = Vec::new();
            for (part, visible) in self.parts.iter().zip(&visible) {
                parts.extend(part.part.postings()?.map(|postings| (postings, visible.as_ref())));
            }
            return Weights::count(query, &parts, scoring);
        }
        let mut postings: Vec<&dyn PostingSource> = Vec::new();
        for part in &self.parts {
            postings.extend(part.part.postings()?);
        }
        let ended: Vec<&TermCounts> =
            self.parts.iter().flat_map(|part| part.ends.terms()).map(|terms| &**terms).collect();
        Weights::gather(query, &postings, &ended, scoring)
    }

    fn nearest(
        &self,
        request: &SearchRequest,
        vector: &[f32],
        depth: usize,
        allowed: &[Option<Bitmap>],
        scratch: &mut Scratch,
        told: &mut Told<'_>,
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
            if let Some(trace) = &mut told.trace {
                trace.push(self.part_trace(i, &searched)?);
            }
            if let Some(plan) = &mut told.filter {
                plan.parts[i].vectors = Some((&searched).into());
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
            let floor = found.bound().map(|minus: f32| -minus);
            for (slot, score) in top(postings, weights, allowed[i].as_ref(), depth, floor)? {
                let slot = crate::base::Slot(slot);
                let seq = part.part.seq(slot)?;
                found.push(-score, seq.0, (Place { part: i, slot }, seq));
            }
        }
        let candidate =
            |(minus, (place, seq)): (f32, (Place, Seq))| Candidate { place, seq, raw: -minus, score: -minus };
        Ok(found.into_sorted().into_iter().map(candidate).collect())
    }

    /// The first of what is allowed, in the order of seq; of each group as many as are asked for.
    fn list(&self, request: &SearchRequest, allowed: &[Option<Bitmap>]) -> Result<Vec<Ranked>> {
        let places = self.parts.iter().zip(allowed).enumerate().flat_map(|(part, (view, allowed))| {
            let slots =
                (0..view.part.len()).filter(move |slot| allowed.as_ref().is_none_or(|a| a.contains(*slot)));
            slots.map(move |slot| Place { part, slot: crate::base::Slot(slot as u32) })
        });
        let places = match &request.group_by {
            Some(by) => self.grouped(by, places, |place| *place, request.wanted())?,
            None => places.take(request.wanted()).collect(),
        };
        Ok(places.into_iter().map(|place| Ranked::new(place, 1.0)).collect())
    }

    fn highlights(&self, asked: &Highlight, weights: &Weights, metadata: &Object) -> Vec<Highlighted> {
        let Some(words) = &self.words else { return Vec::new() };
        let texts = words.texts(metadata);
        let asked_for = texts
            .iter()
            .filter(|(field, _)| asked.fields.is_empty() || asked.fields.iter().any(|name| name == field));
        let shown = |(field, text): &(Cow<'_, str>, &str)| {
            let of_field = weights.as_slice().iter().filter(|weight| weight.field == *field);
            let weights: HashMap<&str, f64> =
                of_field.map(|weight| (weight.term.as_str(), weight.idf * weight.boost)).collect();
            let weight_of = |term: &str| weights.get(term).copied();
            let parts = passage(words.analyzer_of(field), text, asked.length, weight_of)?;
            Some(Highlighted { field: field.to_string(), parts })
        };
        asked_for.filter_map(shown).collect()
    }

    fn hydrate(
        &self,
        request: &SearchRequest,
        weights: &Weights,
        ranked: Ranked,
        reach: Option<&Reach<'_>>,
    ) -> Result<Hit> {
        let Place { part, slot } = ranked.place;
        let part = &self.parts[part].part;
        let distance = ranked.vector.map(|vector| vector.distance);
        let explanation = if request.explain {
            let words = match (ranked.words, part.postings()?) {
                (Some(share), Some(postings)) => {
                    let WordsShare { score, rank, normalised, contribution, terms } = share;
                    let terms = match terms.is_empty() {
                        true => explain_words(postings, weights, slot.0)?,
                        false => terms,
                    };
                    Some(WordsExplanation { score, rank, normalised, contribution, terms })
                }
                _ => None,
            };
            let graph = ranked.arrival.and_then(|at| Some(reach?.explain(at)));
            Some(Explanation { vector: ranked.vector, words, graph, decay: ranked.decay })
        } else {
            None
        };
        let vector = if request.with_vector { part.vector(slot)? } else { None };
        let (id, metadata) = (part.id(slot)?.to_owned(), part.metadata(slot)?);
        let highlights = request.highlight.as_ref().map(|asked| self.highlights(asked, weights, &metadata));
        let score = ranked.score;
        Ok(Hit { id, score, distance, metadata, vector, explanation, highlights, connections: None })
    }
}

/// A result by its place in an order that is not its score's.
fn in_order(at: usize, place: Place, score: Option<f32>, terms: Vec<TermExplanation>) -> Ranked {
    let words = score.map(|score| WordsShare { terms, ..WordsShare::alone(score, at + 1) });
    Ranked { words, ..Ranked::new(place, score.unwrap_or(1.0)) }
}

fn explain_vector(
    candidate: Candidate,
    rank: usize,
    normalised: Option<f32>,
    contribution: f32,
) -> VectorExplanation {
    VectorExplanation { distance: candidate.raw, score: candidate.score, rank, normalised, contribution }
}

/// One list alone: its scores are the final ones.
fn alone(list: &[Candidate], is_vector: bool) -> Vec<Ranked> {
    let ranked = |(i, c): (usize, &Candidate)| Ranked {
        vector: is_vector.then(|| explain_vector(*c, i + 1, None, c.score)),
        words: (!is_vector).then(|| WordsShare::alone(c.score, i + 1)),
        ..Ranked::new(c.place, c.score)
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
    // What each brings: on the scale of its list, and as a share of the score.
    let shares = |list: &[Candidate], share: f32| -> Vec<(Option<f32>, f32)> {
        match fusion {
            Fusion::Alpha(_) => normalised(list).into_iter().map(|norm| (Some(norm), share * norm)).collect(),
            Fusion::ReciprocalRank { k } => {
                (1..=list.len()).map(|rank| (None, 1.0 / (k as f32 + rank as f32))).collect()
            }
        }
    };
    let alpha = if let Fusion::Alpha(alpha) = fusion { alpha } else { 1.0 };
    let mut all: HashMap<(usize, u32), (Seq, Ranked)> = HashMap::new();
    let place_of = |c: &Candidate| (c.place.part, c.place.slot.0);
    for (i, (c, (norm, part))) in nearest.iter().zip(shares(nearest, alpha)).enumerate() {
        let vector = Some(explain_vector(*c, i + 1, norm, part));
        all.insert(place_of(c), (c.seq, Ranked { vector, ..Ranked::new(c.place, part) }));
    }
    for (i, (c, (normalised, contribution))) in matching.iter().zip(shares(matching, 1.0 - alpha)).enumerate()
    {
        let (_, ranked) = all.entry(place_of(c)).or_insert((c.seq, Ranked::new(c.place, 0.0)));
        ranked.score += contribution;
        let terms = Vec::new();
        ranked.words = Some(WordsShare { score: c.score, rank: i + 1, normalised, contribution, terms });
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
