//! The graph's nodes, which are our documents: their properties, which are metadata.

use kithdb::base::{NEVER, Object};
use kithdb::collection::{Document, SearchRequest, parse_filter};
use kithdb::host::{Db, Expected};
use kithdb::wire::{parse, parse_metadata};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{brief, memory, required, unknown_node};
use crate::http::Problem;

#[derive(Deserialize)]
struct PropertiesBody<'a> {
    index_name: Option<String>,
    node_id: Option<String>,
    #[serde(borrow)]
    properties: Option<&'a RawValue>,
    compress_context: Option<bool>,
}

#[derive(Serialize)]
pub struct PropertiesAnswer {
    node_id: String,
    properties: Object,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'static str>,
}

/// So often a document that others write at the same time is read again.
const TRIES_MAX: usize = 100;

/// Does what reads a document and writes it again, and again as long as others write it in between.
///
/// # Errors
/// Those of `change`.
pub fn until_alone<T>(mut change: impl FnMut() -> Result<T, Problem>) -> Result<T, Problem> {
    for _ in 1..TRIES_MAX {
        match change() {
            Err(problem) if problem.code() == "version_mismatch" => {}
            done => return done,
        }
    }
    change()
}

/// Adds to the properties of a node; one that is not there is made, without a vector.
pub fn set_properties(db: &Db, body: &[u8]) -> Result<PropertiesAnswer, Problem> {
    let PropertiesBody { index_name, node_id, properties, .. } = parse(body)?;
    let [index, node_id] = required([("index_name", index_name), ("node_id", node_id)])?;
    let properties = parse_metadata(properties.map(RawValue::get))?;
    let collection = db.collection(&index)?;
    until_alone(|| {
        let mut document = Document { id: node_id.clone(), ..Document::default() };
        let (status, expected) = match collection.get(&node_id, None)? {
            Some(row) => {
                document.vector = row.vector.as_deref().map(<[f32]>::to_vec);
                document.metadata = row.metadata.clone();
                document.expires_at = Some(row.expires_at).filter(|time| *time < NEVER);
                ("updated", Expected::OneOf(vec![row.seq]))
            }
            None => ("created", Expected::None),
        };
        document.metadata.extend(properties.clone());
        if expected == Expected::None {
            memory::mark(&*collection.view()?, &*db.options().clock, &mut document);
        }
        let properties = document.metadata.clone();
        collection.change_if(&node_id, &expected, Some(document), None)?;
        Ok(PropertiesAnswer { node_id: node_id.clone(), properties, status: Some(status) })
    })
}

/// The properties of a node.
pub fn get_properties(db: &Db, body: &[u8]) -> Result<PropertiesAnswer, Problem> {
    let PropertiesBody { index_name, node_id, compress_context, .. } = parse(body)?;
    let [index, node_id] = required([("index_name", index_name), ("node_id", node_id)])?;
    let collection = db.collection(&index)?;
    let row = collection.get(&node_id, None)?.ok_or_else(|| unknown_node(&node_id, &index))?;
    let shown = memory::shown(&collection, &[row])?.pop();
    let mut properties = shown.map(|node| node.metadata).unwrap_or_default();
    brief::shorten(compress_context.unwrap_or_default(), &mut properties);
    Ok(PropertiesAnswer { node_id, properties, status: None })
}

#[derive(Deserialize)]
struct SearchBody {
    index_name: Option<String>,
    property_filter: Option<String>,
    limit: Option<i64>,
    compress_context: Option<bool>,
}

#[derive(Serialize)]
struct FoundNode {
    id: String,
    properties: Object,
}

#[derive(Serialize)]
pub struct SearchAnswer {
    nodes: Vec<FoundNode>,
}

/// The nodes whose properties a filter accepts, in the order in which they were stored.
pub fn search(db: &Db, body: &[u8]) -> Result<SearchAnswer, Problem> {
    let SearchBody { index_name, property_filter, limit, compress_context } = parse(body)?;
    let is_brief = compress_context.unwrap_or_default();
    let [index] = required([("index_name", index_name)])?;
    let filter = parse_filter(property_filter.as_deref().unwrap_or_default())?;
    let limit = limit.filter(|limit| *limit > 0).unwrap_or(10);
    let k = usize::try_from(limit).unwrap_or(usize::MAX);
    let request = SearchRequest { filter, k, ..SearchRequest::default() };
    let hits = db.collection(&index)?.search(request)?.hits;
    let node = |mut hit: kithdb::collection::Hit| {
        brief::shorten(is_brief, &mut hit.metadata);
        FoundNode { id: hit.id, properties: hit.metadata }
    };
    Ok(SearchAnswer { nodes: hits.into_iter().map(node).collect() })
}
