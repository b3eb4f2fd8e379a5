//! The graph's nodes, which are our documents: their properties, which are metadata.

use std::sync::{Mutex, MutexGuard, PoisonError};

use kithdb::base::{NEVER, Object};
use kithdb::collection::{Document, SearchRequest, parse_filter};
use kithdb::host::{AddMode, Db};
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

/// Held while properties are read and written, so that two requests do not take each other's back.
static CHANGING: Mutex<()> = Mutex::new(());

/// Held while documents are read to be written again.
pub fn changing() -> MutexGuard<'static, ()> {
    CHANGING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Adds to the properties of a node; one that is not there is made, without a vector.
pub fn set_properties(db: &Db, body: &[u8]) -> Result<PropertiesAnswer, Problem> {
    let PropertiesBody { index_name, node_id, properties, .. } = parse(body)?;
    let [index, node_id] = required([("index_name", index_name), ("node_id", node_id)])?;
    let properties = parse_metadata(properties.map(RawValue::get))?;
    let collection = db.collection(&index)?;
    let _one_at_a_time = changing();
    let before = collection.get(&node_id, None)?;
    let status = if before.is_some() { "updated" } else { "created" };
    let mut document = Document { id: node_id.clone(), ..Document::default() };
    if let Some(row) = before {
        document.vector = row.vector.as_deref().map(<[f32]>::to_vec);
        document.metadata = row.metadata.clone();
        document.expires_at = Some(row.expires_at).filter(|time| *time < NEVER);
    }
    document.metadata.extend(properties);
    if status == "created" {
        memory::mark(&*collection.view()?, &*db.options().clock, &mut document);
    }
    let properties = document.metadata.clone();
    let mode = if status == "created" { AddMode::Insert } else { AddMode::Upsert };
    collection.add(vec![document], mode, None)?;
    Ok(PropertiesAnswer { node_id, properties, status: Some(status) })
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
