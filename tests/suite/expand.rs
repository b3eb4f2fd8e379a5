//! Expansion against a naive reading of its rule: of random documents, edges and searches, now and earlier, in any layout.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use kithdb::base::value::parse_object;
use kithdb::base::{Clock, Object, Rng};
use kithdb::collection::{
    Aging, CollectionConfig, Decay, DecayModel, Document, Expansion, Fusion, GraphFilter, History, Hit,
    LinkRequest, Mutation, SearchRequest, UnlinkRequest, View, Ways, check_searches, parse_filter,
};
use kithdb::engine::JobKind;
use kithdb::segment::Scratch;
use kithdb::storage::Level;
use kithdb::text::{Language, TextFields, TextSpec};
use kithdb::vectors::Metric;

use crate::life::Life;

const SEEDS: u64 = 120;
const SEARCHES: usize = 12;
const IDS: u64 = 24;
const WORDS: [&str; 4] = ["stone", "river", "fern", "owl"];
const RELATIONS: [&str; 3] = ["near", "far", "above"];
const METRICS: [Metric; 3] = [Metric::Cosine, Metric::Euclidean, Metric::Dot];

type Edge = (String, String, String);

/// What is there at a moment.
#[derive(Clone, Default)]
struct State {
    /// When a document that is there expires.
    documents: BTreeMap<String, Option<i64>>,
    edges: BTreeSet<Edge>,
}

/// What a write does to it.
type Effect = Box<dyn FnOnce(&mut State)>;

impl State {
    /// Deleting what is not there does nothing.
    fn delete(&mut self, id: &str) {
        if self.documents.contains_key(id) {
            self.forget(id);
        }
    }

    fn forget(&mut self, id: &str) {
        self.documents.remove(id);
        self.edges.retain(|(source, _, target)| source != id && target != id);
    }

    /// What has expired by a time is not there.
    fn at(mut self, time: i64) -> Self {
        let over: Vec<String> = self
            .documents
            .iter()
            .filter(|(_, expires)| expires.is_some_and(|at| at <= time))
            .map(|(id, _)| id.clone())
            .collect();
        over.iter().for_each(|id| self.forget(id));
        self
    }

    /// The ends that edges lead to from one, and each edge.
    fn around<'a>(&'a self, id: &'a str, expand: &'a Expansion) -> impl Iterator<Item = (&'a str, &'a Edge)> {
        let asked = |relation: &String| expand.relations.is_empty() || expand.relations.contains(relation);
        self.edges.iter().filter(move |edge| asked(&edge.1)).flat_map(move |edge| {
            let out = (expand.ways != Ways::In && edge.0 == id).then_some((&*edge.2, edge));
            let back = (expand.ways != Ways::Out && edge.2 == id).then_some((&*edge.0, edge));
            out.into_iter().chain(back)
        })
    }

    /// How many edges away each end around one is.
    fn distances(&self, from: &str, expand: &Expansion) -> HashMap<String, usize> {
        let mut found = HashMap::from([(from.to_owned(), 0)]);
        let mut queue = VecDeque::from([from.to_owned()]);
        while let Some(id) = queue.pop_front() {
            let depth = found[&id];
            for (far, _) in self.around(&id, expand).filter(|_| depth < expand.depth) {
                if !found.contains_key(far) {
                    found.insert(far.to_owned(), depth + 1);
                    queue.push_back(far.to_owned());
                }
            }
        }
        found
    }
}

/// A collection, and what was there at each time at which something was written.
struct Run {
    rng: Rng,
    life: Life,
    states: Vec<(i64, State)>,
}

impl Run {
    fn new(seed: u64, metric: Metric) -> Self {
        let fields = TextFields::Named(vec!["body".into()]);
        let text = Some(TextSpec::new(Language::English, fields));
        let config =
            CollectionConfig { metric, text, history: History::Forever, ..CollectionConfig::default() };
        Self { rng: Rng::new(seed), life: Life::new(config), states: Vec::new() }
    }

    fn id(&mut self) -> String {
        format!("d{}", self.rng.below(IDS))
    }

    fn document(&mut self, id: String, expires_at: Option<i64>) -> Document {
        let words: Vec<&str> = (0..self.rng.below(4)).map(|_| WORDS[self.rng.below(4) as usize]).collect();
        let json =
            format!(r#"{{"n":{},"kind":{},"body":"{}"}}"#, &id[1..], self.rng.below(3), words.join(" "));
        let vector = (self.rng.below(3) > 0).then(|| (0..2).map(|_| self.rng.unit_f32() - 0.4).collect());
        Document { id, vector, metadata: parse_object(&json).expect("JSON"), expires_at }
    }

    /// Writes something, and notes what is there after it.
    fn write(&mut self) {
        let now = self.life.clock.now_ns();
        let id = self.id();
        let (mutation, effect): (Mutation, Effect) = match self.rng.below(16) {
            0 => (Mutation::Delete(id.clone()), Box::new(move |state| state.delete(&id))),
            1..5 => {
                let expires = (self.rng.below(5) == 0).then(|| now + 5 + self.rng.below(40) as i64);
                let upsert = Mutation::Upsert(self.document(id.clone(), expires));
                (upsert, Box::new(move |state| _ = state.documents.insert(id, expires)))
            }
            kind => {
                // Some ends are no documents.
                let target = if self.rng.below(5) == 0 { "x".to_owned() } else { self.id() };
                let relation = RELATIONS[self.rng.below(3) as usize].to_owned();
                if target == id {
                    return;
                }
                let (source, inverse) = (id.clone(), None);
                let edge = (id, relation.clone(), target.clone());
                if kind == 5 {
                    let unlink = UnlinkRequest { source, relation, target, inverse, erase: false };
                    (Mutation::Unlink(unlink), Box::new(move |state| _ = state.edges.remove(&edge)))
                } else {
                    let (weight, properties) = (1.0, Object::new());
                    let link = LinkRequest { source, relation, target, inverse, weight, properties };
                    (Mutation::Link(link), Box::new(move |state| _ = state.edges.insert(edge)))
                }
            }
        };
        self.life.collection.submit(vec![mutation], Level::Always).expect("stored");
        let time = self.life.view().counters.last_time;
        let mut state = self.states.last().map(|(_, state)| state.clone()).unwrap_or_default().at(time);
        effect(&mut state);
        self.states.push((time, state));
        self.life.clock.advance(1 + self.rng.below(5) as i64);
        let kind = [JobKind::Seal, JobKind::Merge][self.rng.below(2) as usize];
        if self.rng.below(12) == 0 {
            self.life.run(kind);
        }
    }

    /// A search that is not expanded, and how it is.
    fn search(&mut self) -> (SearchRequest, Expansion) {
        let word = WORDS[self.rng.below(4) as usize];
        let (has_vector, has_text) = [(true, false), (false, true), (true, true)][self.rng.below(3) as usize];
        let text = if self.rng.below(4) == 0 { format!("{word} -owl") } else { word.to_owned() };
        let filter = ["", "", "kind != 1", "n > 6"][self.rng.below(4) as usize];
        let around = self.id();
        let graph_filter = (self.rng.below(5) == 0).then(|| GraphFilter {
            roots: vec![around],
            relations: Vec::new(),
            ways: Ways::Both,
            depth: 2,
        });
        let request = SearchRequest {
            vector: has_vector.then(|| vec![self.rng.unit_f32(), self.rng.unit_f32() - 0.5]),
            text: has_text.then_some(text),
            filter: parse_filter(filter).expect("sound"),
            graph_filter,
            fusion: if self.rng.below(3) == 0 { Fusion::ReciprocalRank { k: 5 } } else { Fusion::Alpha(0.4) },
            k: 1_000,
            exact: true,
            explain: true,
            ..SearchRequest::default()
        };
        let expand = Expansion {
            relations: RELATIONS[..self.rng.below(3) as usize].iter().map(|&name| name.to_owned()).collect(),
            ways: [Ways::Out, Ways::In, Ways::Both][self.rng.below(3) as usize],
            depth: 1 + self.rng.below(3) as usize,
            damping: self.rng.below(5) as f64 / 4.0,
            hits: 1 + self.rng.below(6) as usize,
            limit: 100_000,
        };
        (request, expand)
    }
}

/// So many edges take this of a score.
fn damped(score: f32, damping: f64, edges: usize) -> f64 {
    (0..edges).fold(f64::from(score), |score, _| score - score.abs() * (1.0 - damping))
}

/// What may be found of what is there, by its filters and what its text excludes.
fn may_be_found(view: &View, request: &SearchRequest, time: i64) -> BTreeSet<String> {
    let excludes = request.text.as_ref().is_some_and(|text| text.ends_with("-owl"));
    let all = SearchRequest {
        vector: None,
        text: excludes.then(|| "-owl".to_owned()),
        explain: false,
        ..request.clone()
    };
    found(view, &all, time).into_iter().map(|hit| hit.id).collect()
}

fn found(view: &View, request: &SearchRequest, time: i64) -> Vec<Hit> {
    let moment = view.moment(request.as_of, time).expect("kept");
    let response = view.search(request, moment, &mut Scratch::default());
    response.unwrap_or_else(|error| panic!("{request:?}: {error}")).hits
}

/// The score of each document, as the rule has it.
fn expected(
    state: &State,
    hits: &[Hit],
    allowed: &BTreeSet<String>,
    expand: &Expansion,
) -> HashMap<String, f32> {
    let mut scores: HashMap<String, f32> = hits.iter().map(|hit| (hit.id.clone(), hit.score)).collect();
    for hit in hits.iter().take(expand.hits) {
        for (id, depth) in state.distances(&hit.id, expand) {
            let score = damped(hit.score, expand.damping, depth) as f32;
            if depth > 0 && allowed.contains(&id) {
                let own = scores.entry(id).or_insert(f32::NEG_INFINITY);
                *own = own.max(score);
            }
        }
    }
    scores
}

/// An explanation is that of the score, and of edges that are there.
fn check_explained(state: &State, expand: &Expansion, plain: &[Hit], hit: &Hit, at: &str) {
    let told = hit.explanation.as_ref().expect("asked for");
    let contributions =
        [told.vector.map(|part| part.contribution), told.words.as_ref().map(|part| part.contribution)];
    let own: f32 = contributions.into_iter().flatten().sum();
    let Some(graph) = &told.graph else {
        return assert_eq!(hit.score, own, "{at}: {hit:?}");
    };
    let is_candidate = contributions.iter().any(Option::is_some);
    assert_eq!(hit.score, graph.contribution, "{at}: {hit:?}");
    assert!(!is_candidate || graph.contribution > own, "{at}: {hit:?}");
    assert_eq!(graph.damping, expand.damping, "{at}");
    assert_eq!(graph.contribution, damped(graph.score, graph.damping, graph.edges.len()) as f32, "{at}");
    let rank = plain.iter().take(expand.hits).position(|from| from.id == graph.hit).expect("of the best");
    assert_eq!(plain[rank].score, graph.score, "{at}");
    let mut reached = graph.hit.as_str();
    for edge in &graph.edges {
        let triple = (edge.source.clone(), edge.relation.clone(), edge.target.clone());
        let step = state.around(reached, expand).find(|(_, own)| **own == triple);
        reached = step.unwrap_or_else(|| panic!("{at}: {triple:?} leads on from {reached}")).0;
    }
    assert_eq!(reached, hit.id, "{at}");
    // Of ways that leave as much the shortest is told, and of these that of the best hit.
    let score = damped(graph.score, graph.damping, graph.edges.len());
    let ways = plain.iter().take(expand.hits).enumerate().filter_map(|(other, from)| {
        let depth = *state.distances(&from.id, expand).get(&hit.id).filter(|depth| **depth > 0)?;
        (damped(from.score, expand.damping, depth) == score).then_some((depth, other))
    });
    assert_eq!(ways.min(), Some((graph.edges.len(), rank)), "{at}: {graph:?}");
}

/// Compares an expanded search with the rule; how many came by the graph, and over how many edges the furthest.
fn check(run: &mut Run, seed: u64, n: usize) -> (usize, usize) {
    let (request, expand) = run.search();
    let view = run.life.view();
    let now = run.life.clock.now_ns().max(view.counters.last_time);
    let past = run.rng.below(3) == 0;
    let chosen = if past { run.rng.below(run.states.len() as u64) as usize } else { run.states.len() - 1 };
    let (time, state) = run.states[chosen].clone();
    let as_of = past.then_some(time);
    let state = state.at(if past { time } else { now });
    let request = SearchRequest { as_of, ..request };
    let at = format!("seed {seed}, search {n}: {request:?} {expand:?}");
    let plain = found(&view, &request, now);
    let allowed = may_be_found(&view, &request, now);
    let expanded = SearchRequest { expand: Some(expand.clone()), ..request.clone() };
    let hits = found(&view, &expanded, now);
    let told: HashMap<String, f32> = hits.iter().map(|hit| (hit.id.clone(), hit.score)).collect();
    assert_eq!(told, expected(&state, &plain, &allowed, &expand), "{at}");
    let moment = view.moment(request.as_of, now).expect("kept");
    let order = |hit: &Hit| {
        let place = view.find_at(&hit.id, moment).expect("sound").expect("there");
        (-hit.score, view.parts[place.part].part.seq(place.slot).expect("sound"))
    };
    assert!(hits.iter().map(order).is_sorted(), "{at}");
    hits.iter().for_each(|hit| check_explained(&state, &expand, &plain, hit, &at));
    // A page of it is a part of it, and time takes its share of what joined like of the rest.
    let (offset, k) = (run.rng.below(5) as usize, 1 + run.rng.below(5) as usize);
    let page = found(&view, &SearchRequest { offset, k, ..expanded.clone() }, now);
    assert_eq!(page, hits.iter().skip(offset).take(k).cloned().collect::<Vec<_>>(), "{at}");
    let decay = Decay {
        model: DecayModel::Exponential,
        half_life: 50,
        layers: None,
        time_field: None,
        pinned_field: None,
    };
    for hit in found(&view, &SearchRequest { decay: Aging::By(decay), ..expanded }, now) {
        let left = hit.explanation.as_ref().and_then(|told| told.decay).expect("asked for");
        let score = f64::from(told[&hit.id]);
        assert_eq!(hit.score, (score - score.abs() * (1.0 - left.factor)) as f32, "{at}: {hit:?}");
    }
    let by_graph = hits.iter().filter_map(|hit| hit.explanation.as_ref()?.graph.as_ref());
    let edges: Vec<usize> = by_graph.map(|graph| graph.edges.len()).collect();
    (edges.len(), edges.into_iter().max().unwrap_or(0))
}

#[test]
fn neighbours_join_with_the_best_score_that_leads_to_them() {
    let (mut joined, mut furthest) = (0, 0);
    for seed in 0..SEEDS {
        let metric = METRICS[seed as usize % 3];
        let mut run = Run::new(seed, metric);
        for _ in 0..80 {
            run.write();
        }
        for n in 0..SEARCHES {
            let (count, edges) = check(&mut run, seed, n);
            (joined, furthest) = (joined + count, furthest.max(edges));
        }
    }
    println!("counted: by graph={joined} edges at most={furthest}");
    assert!(joined > 1_000 && furthest == 3, "{joined} {furthest}");
}

#[test]
fn expansion_ends_at_its_bounds_and_says_so() {
    let mut run = Run::new(1, Metric::Euclidean);
    let document = |n: u64| Document {
        id: format!("d{n}"),
        vector: None,
        metadata: parse_object(if n == 0 { r#"{"body":"stone"}"# } else { "{}" }).expect("JSON"),
        expires_at: None,
    };
    let link = |n: u64| {
        let (source, relation, target) = ("d0".to_owned(), "near".to_owned(), format!("d{n}"));
        let (inverse, weight, properties) = (None, 1.0, Object::new());
        Mutation::Link(LinkRequest { source, relation, target, inverse, weight, properties })
    };
    let batch = (0..10).map(document).map(Mutation::Upsert).chain((1..10).map(link)).collect();
    run.life.collection.submit(batch, Level::Always).expect("stored");
    let view = run.life.view();
    let moment = view.moment(None, run.life.clock.now_ns()).expect("now");
    for limit in [1, 8, 9] {
        let (text, expand) = (Some("stone".to_owned()), Some(Expansion { limit, ..Expansion::default() }));
        let request = SearchRequest { text, expand, k: 100, ..SearchRequest::default() };
        let response = view.search(&request, moment, &mut Scratch::default()).expect("sound");
        let ids: Vec<String> = response.hits.iter().map(|hit| hit.id.clone()).collect();
        let nearest: Vec<String> = (0..=limit).map(|n| format!("d{n}")).collect();
        assert_eq!((ids, response.truncated), (nearest, Some(limit < 9)), "{limit}");
    }
}

/// Each search of a batch once looked at as many edges as one alone may, a thousand times as many together: to expand, and
/// later still to know where it may look.
#[test]
fn a_batch_asks_the_graph_within_one_budget_and_says_so() {
    const EDGES: u64 = 10_001;
    let mut run = Run::new(1, Metric::Euclidean);
    let metadata = parse_object(r#"{"body":"stone"}"#).expect("JSON");
    let hub = Mutation::Upsert(Document { id: "hub".to_owned(), metadata, ..Document::default() });
    let link = |n: u64| {
        let (source, relation, target) = ("hub".to_owned(), "near".to_owned(), format!("x{n}"));
        let (inverse, weight, properties) = (None, 1.0, Object::new());
        Mutation::Link(LinkRequest { source, relation, target, inverse, weight, properties })
    };
    let batch = std::iter::once(hub).chain((0..EDGES).map(link)).collect();
    run.life.collection.submit(batch, Level::Always).expect("stored");
    let view = run.life.view();
    let moment = view.moment(None, run.life.clock.now_ns()).expect("now");
    let expand = Some(Expansion { limit: 100_000, ..Expansion::default() });
    let request = SearchRequest { text: Some("stone".to_owned()), expand, k: 1, ..SearchRequest::default() };
    for (searches, is_truncated) in [(1, false), (999, false), (1_000, true)] {
        let mut requests = vec![request.clone(); searches];
        check_searches(&mut requests).expect("few enough");
        let found = view.search(&requests[searches - 1], moment, &mut Scratch::default()).expect("sound");
        assert_eq!(found.truncated, Some(is_truncated), "one of {searches}");
    }
    let (roots, relations, ways) = (vec!["hub".to_owned()], Vec::new(), Ways::Out);
    let graph_filter = Some(GraphFilter { roots, relations, ways, depth: 1 });
    let request = SearchRequest { graph_filter, expand: None, ..request };
    let asks_nothing = SearchRequest { graph_filter: None, ..request.clone() };
    for (asking, warnings) in [(999, 0), (1_000, 1)] {
        let mut requests = vec![asks_nothing.clone(); 1_000];
        requests[..asking].fill(request.clone());
        check_searches(&mut requests).expect("few enough");
        let found = view.search(&requests[0], moment, &mut Scratch::default()).expect("sound");
        assert_eq!(found.warnings.len(), warnings, "one of {asking}");
    }
}
