//! Search, with `CONTAINS` in the filter for the words part.

use axum::extract::State;
use axum::response::Response;
use kithdb::base::{Error, StateError};
use kithdb::collection::{Fusion, GraphFilter, Hit, SearchRequest, Ways, parse_filter};
use kithdb::wire::parse;
use serde::{Deserialize, Serialize};

use super::graph::{TreeAnswer, depth_of};
use super::{NodeAnswer, given, not_yet, refuse};
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
struct ResultAnswer {
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
        let hits = collection.search(request(body, hydrate)?).map_err(Problem::from)?.hits;
        let results = if hydrate {
            Results::Nodes(hits.into_iter().map(result).collect())
        } else {
            Results::Ids(hits.into_iter().map(|hit| hit.id).collect())
        };
        Ok::<_, Problem>(SearchAnswer { results })
    })
    .await
}

fn request(body: SearchBody, hydrate: bool) -> Result<SearchRequest, Problem> {
    not_yet(body.compress_context, "compress_context")?;
    let filter = parse_filter(body.filter.as_deref().unwrap_or_default())?;
    let text = body.query_text.filter(|text| !text.is_empty());
    let has_words = text.is_some() || filter.as_ref().is_some_and(|filter| !filter.words.is_empty());
    // Its clients search by words alone with a vector of zeros.
    let only_words = |vector: &[f32]| has_words && vector.iter().all(|x| *x == 0.0);
    let defaults = SearchRequest::default();
    Ok(SearchRequest {
        vector: given(body.query_vector).filter(|vector| !only_words(vector)),
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

fn result(hit: Hit) -> ResultAnswer {
    let Hit { id, score, metadata, vector, connections, .. } = hit;
    let node = NodeAnswer { id: id.clone(), vector: vector.unwrap_or_default(), metadata };
    ResultAnswer { id, score: score.into(), node: TreeAnswer::new(node, connections.unwrap_or_default()) }
}
