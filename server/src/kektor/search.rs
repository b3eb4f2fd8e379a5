//! Search, with `CONTAINS` in the filter for the words part; by a vector alone, with what its scores are made of.

use axum::extract::State;
use axum::response::Response;
use kithdb::base::limits::EXPLAIN_MAX;
use kithdb::base::{Error, StateError};
use kithdb::collection::{Fusion, GraphFilter, Hit, SearchRequest, View, Ways, parse_filter};
use kithdb::wire::parse;
use serde::{Deserialize, Serialize};

use super::graph::{TreeAnswer, depth_of};
use super::{NodeAnswer, embed, given, refuse, required};
use crate::http::{App, BODY_BYTES_MAX, JsonBody, Problem};

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct SearchBody {
    index_name: String,
    k: Option<usize>,
    query_vector: Option<Vec<f32>>,
    query_text: Option<String>,
    filter: Option<String>,
    ef_search: Option<usize>,
    alpha: Option<f32>,
    include_relations: Option<Vec<String>>,
    hydrate_relations: bool,
    hydrate: bool,
    graph_filter: Option<GraphFilterBody>,
    compress_context: bool,
}

/// Only what is around a node can be found.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct GraphFilterBody {
    root_id: Option<String>,
    relations: Option<Vec<String>>,
    direction: Option<String>,
    max_depth: Option<i64>,
}

impl GraphFilterBody {
    fn filter(self) -> Result<GraphFilter, Problem> {
        let root = self.root_id.filter(|root| !root.is_empty());
        let root = root.ok_or_else(|| refuse("graph_filter: root_id is required"))?;
        let direction = self.direction.filter(|direction| !direction.is_empty());
        Ok(GraphFilter {
            roots: vec![root],
            relations: self.relations.unwrap_or_default(),
            ways: direction.as_deref().map_or(Ok(Ways::Out), Ways::parse)?,
            depth: depth_of(self.max_depth),
        })
    }
}

#[derive(Serialize)]
struct SearchAnswer {
    results: Results,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Results {
    Ids(Vec<String>),
    Nodes(Vec<ResultAnswer>),
}

#[derive(Serialize)]
pub struct ResultAnswer {
    id: String,
    score: f64,
    node: TreeAnswer,
}

pub async fn search(
    State(app): State<App>,
    JsonBody(body): JsonBody<BODY_BYTES_MAX>,
) -> Result<Response, Problem> {
    app.ok(move |db| {
        let body: SearchBody = parse(&body)?;
        let collection = db.collection(&body.index_name)?;
        let is_related = body.include_relations.as_ref().is_some_and(|paths| !paths.is_empty());
        let hydrate = body.hydrate || body.hydrate_relations || is_related;
        let asks_text = body.query_text.as_ref().is_some_and(|text| !text.is_empty());
        if asks_text && collection.info()?.config.embedder.is_none() {
            return Err(Error::from(StateError::NoEmbedder { collection: body.index_name }).into());
        }
        let is_brief = body.compress_context;
        let request = request(body, &*collection.view()?, hydrate)?;
        let hits = collection.search(request).map_err(Problem::from)?.hits;
        let results = if hydrate {
            Results::Nodes(hits.into_iter().map(|hit| result(hit, is_brief)).collect())
        } else {
            Results::Ids(hits.into_iter().map(|hit| hit.id).collect())
        };
        Ok::<_, Problem>(SearchAnswer { results })
    })
    .await
}

fn request(body: SearchBody, view: &View, hydrate: bool) -> Result<SearchRequest, Problem> {
    let filter = parse_filter(body.filter.as_deref().unwrap_or_default())?;
    let text = body.query_text.filter(|text| !text.is_empty());
    let has_words = text.is_some() || filter.as_ref().is_some_and(|filter| !filter.words.is_empty());
    // Its clients search by words alone with a vector of zeros.
    let only_words = |vector: &[f32]| has_words && vector.iter().all(|x| *x == 0.0);
    let defaults = SearchRequest::default();
    Ok(SearchRequest {
        vector: given(body.query_vector, view).filter(|vector| !only_words(vector)),
        text,
        filter,
        // Its texts are words and nothing else.
        plain: true,
        k: body.k.unwrap_or(defaults.k),
        ef: body.ef_search.filter(|ef| *ef > 0),
        fusion: body.alpha.map_or(defaults.fusion, Fusion::Alpha),
        with_vector: hydrate,
        graph_filter: body.graph_filter.map(GraphFilterBody::filter).transpose()?,
        include_relations: body.include_relations.unwrap_or_default(),
        hydrate_relations: body.hydrate_relations,
        ..defaults
    })
}

/// A result with its node, and what that leads to.
pub fn result(hit: Hit, is_brief: bool) -> ResultAnswer {
    let Hit { id, score, .. } = hit;
    let hit = Hit { id: id.clone(), ..hit };
    ResultAnswer { id, score: score.into(), node: node(hit, is_brief) }
}

/// The node of a hit.
pub fn node(hit: Hit, is_brief: bool) -> TreeAnswer {
    let Hit { id, metadata, vector, connections, .. } = hit;
    let node = NodeAnswer { id, vector: vector.unwrap_or_default(), metadata };
    let mut tree = TreeAnswer::new(node, connections.unwrap_or_default());
    tree.shorten(is_brief);
    tree
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct ScoresBody {
    index_name: String,
    k: Option<usize>,
    query_vector: Option<Vec<f32>>,
    query_text: Option<String>,
}

#[derive(Serialize)]
struct ScoresAnswer {
    results: Vec<ScoredId>,
}

#[derive(Serialize)]
struct ScoredId {
    id: String,
    score: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    score_breakdown: Option<Breakdown>,
}

#[derive(Serialize)]
struct Breakdown {
    similarity: f64,
    decay_factor: f64,
}

/// The nearest vectors with their scores, and what those are made of: how near, and how old.
pub async fn search_with_scores(
    State(app): State<App>,
    JsonBody(body): JsonBody<BODY_BYTES_MAX>,
) -> Result<Response, Problem> {
    app.ok(move |db| {
        let ScoresBody { index_name, k, query_vector, query_text } = parse(&body)?;
        let [index] = required([("index_name", Some(index_name))])?;
        let collection = db.collection(&index)?;
        let text = query_text.filter(|text| !text.is_empty());
        let vector = match (given(query_vector, &*collection.view()?), text) {
            (Some(vector), _) => vector,
            (None, Some(text)) => embed(db, &collection, &text)?,
            (None, None) => return Err(refuse("either query_vector or query_text is required")),
        };
        let defaults = SearchRequest::default();
        let k = k.unwrap_or(defaults.k);
        let request = SearchRequest { vector: Some(vector), k, explain: k <= EXPLAIN_MAX, ..defaults };
        let hits = collection.search(request)?.hits;
        Ok(ScoresAnswer { results: hits.into_iter().map(scored).collect() })
    })
    .await
}

fn scored(hit: Hit) -> ScoredId {
    let breakdown = |part: &kithdb::collection::Explanation| {
        let similarity = part.vector.as_ref()?.score.into();
        Some(Breakdown { similarity, decay_factor: part.decay.map_or(1.0, |decay| decay.factor) })
    };
    let score_breakdown = hit.explanation.as_ref().and_then(breakdown);
    ScoredId { id: hit.id, score: hit.score.into(), score_breakdown }
}
