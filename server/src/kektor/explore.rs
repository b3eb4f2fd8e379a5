//! What KektorDB's own page asks for: nodes with what they lead to, and a search by a text.

use kithdb::base::limits::EXPLAIN_MAX;
use kithdb::base::{Error, StateError};
use kithdb::collection::SearchRequest;
use kithdb::host::Db;
use kithdb::wire::parse;
use serde::{Deserialize, Serialize};

use super::graph::TreeAnswer;
use super::required;
use super::search::{ResultAnswer, node, result};
use crate::http::Problem;

/// What nodes are told to lead to.
const RELATIONS: [&str; 6] = ["next", "prev", "parent", "child", "mentions", "mentioned_in"];
/// Nodes that are told where nobody says how many.
const LIMIT: usize = 200;

#[derive(Deserialize)]
struct ExploreBody {
    index_name: Option<String>,
    limit: Option<i64>,
    compress_context: Option<bool>,
}

#[derive(Serialize)]
pub struct ResultsAnswer<T> {
    results: Vec<T>,
}

/// The first nodes of an index, in the order in which they were stored, and what they lead to.
pub fn explore(db: &Db, body: &[u8]) -> Result<ResultsAnswer<TreeAnswer>, Problem> {
    let ExploreBody { index_name, limit, compress_context } = parse(body)?;
    let [index] = required([("index_name", index_name)])?;
    let collection = db.collection(&index)?;
    let limit = limit.and_then(|limit| usize::try_from(limit).ok()).filter(|limit| *limit > 0);
    let request = SearchRequest {
        k: limit.unwrap_or(LIMIT).min(EXPLAIN_MAX),
        with_vector: true,
        include_relations: RELATIONS.map(str::to_owned).to_vec(),
        hydrate_relations: true,
        ..SearchRequest::default()
    };
    let is_brief = compress_context.unwrap_or_default();
    let hits = collection.search(request)?.hits;
    let results = hits.into_iter().map(|hit| node(hit, is_brief)).collect();
    Ok(ResultsAnswer { results })
}

#[derive(Deserialize)]
struct SearchBody {
    index_name: Option<String>,
    query: Option<String>,
    k: Option<usize>,
    #[serde(default)]
    include_relations: Vec<String>,
    #[serde(default)]
    hydrate: bool,
}

/// What a text finds: by its vector where the index has an embedder, and by its words where it has text.
pub fn search(db: &Db, body: &[u8]) -> Result<ResultsAnswer<ResultAnswer>, Problem> {
    let body: SearchBody = parse(body)?;
    let [index, query] = required([("index_name", body.index_name), ("query", body.query)])?;
    let collection = db.collection(&index)?;
    let config = collection.info()?.config;
    if config.embedder.is_none() && config.text.is_none() {
        return Err(Error::from(StateError::NoEmbedder { collection: index }).into());
    }
    let defaults = SearchRequest::default();
    let request = SearchRequest {
        text: Some(query),
        plain: true,
        k: body.k.filter(|k| *k > 0).unwrap_or(defaults.k),
        with_vector: true,
        include_relations: body.include_relations,
        hydrate_relations: body.hydrate,
        ..defaults
    };
    let hits = collection.search(request)?.hits;
    Ok(ResultsAnswer { results: hits.into_iter().map(|hit| result(hit, false)).collect() })
}
