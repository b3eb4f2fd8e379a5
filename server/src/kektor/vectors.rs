//! Vectors, which are our documents: add, import, get, export, reinforce, delete.

use axum::extract::State;
use axum::response::Response;
use kithdb::base::limits::{BATCH_MAX, BULK_MAX, SCAN_MAX};
use kithdb::base::{Error, Object, Result, StateError, Value};
use kithdb::collection::{Document, View};
use kithdb::engine::JobKind;
use kithdb::host::{AddMode, Db};
use kithdb::wire::{DocumentBody, parse, up_to};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{NodeAnswer, brief, given, memory, ok, refuse, required};
use crate::http::{App, BATCH_BYTES_MAX, BODY_BYTES_MAX, JsonBody, PathOf, Problem, QueryOf};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AddBody<'a> {
    #[serde(default)]
    index_name: String,
    #[serde(default)]
    id: String,
    #[serde(default)]
    vector: Option<Vec<f32>>,
    #[serde(default, borrow)]
    metadata: Option<&'a RawValue>,
    #[serde(default)]
    pinned: bool,
    #[serde(default)]
    upsert: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BatchBody<'a> {
    #[serde(default)]
    index_name: String,
    #[serde(borrow, deserialize_with = "up_to::<BATCH_MAX, _, _>")]
    vectors: Vec<DocumentBody<'a>>,
    #[serde(default)]
    upsert: bool,
}

/// As a batch; what else it says is left alone.
#[derive(Deserialize)]
struct ImportBody<'a> {
    #[serde(default)]
    index_name: String,
    #[serde(default, borrow, deserialize_with = "up_to::<BULK_MAX, _, _>")]
    vectors: Vec<DocumentBody<'a>>,
    #[serde(default)]
    upsert: bool,
}

#[derive(Serialize)]
struct BatchAnswer {
    status: &'static str,
    vectors_added: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CommitBody {
    index_name: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct IdsBody {
    index_name: String,
    #[serde(deserialize_with = "up_to::<SCAN_MAX, _, _>")]
    ids: Vec<String>,
    #[serde(default)]
    compress_context: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct IdBody {
    index_name: String,
    id: String,
}

fn mode(upsert: bool) -> AddMode {
    if upsert { AddMode::Upsert } else { AddMode::Insert }
}

pub async fn add(
    State(app): State<App>,
    JsonBody(body): JsonBody<BATCH_BYTES_MAX>,
) -> Result<Response, Problem> {
    app.ok(move |db| {
        let AddBody { index_name, id, vector, metadata, pinned, upsert } = parse(&body)?;
        if index_name.is_empty() || id.is_empty() {
            return Err(refuse("missing fields: index_name, id, or vector"));
        }
        let collection = db.collection(&index_name)?;
        let body = DocumentBody { id, vector, metadata, expires_at: None, ttl: None };
        let mut document = document(db, &*collection.view()?, body)?;
        if pinned {
            document.metadata.insert(memory::PINNED.to_owned(), Value::Bool(true));
        }
        collection.add(vec![document], mode(upsert), None)?;
        Ok(ok(None))
    })
    .await
}

pub async fn add_batch(
    State(app): State<App>,
    JsonBody(body): JsonBody<BATCH_BYTES_MAX>,
) -> Result<Response, Problem> {
    app.ok(move |db| {
        let BatchBody { index_name, vectors, upsert } = parse(&body)?;
        let collection = db.collection(&index_name)?;
        let documents = documents(db, &*collection.view()?, vectors)?;
        let vectors_added = documents.len();
        collection.add(documents, mode(upsert), None)?;
        Ok::<_, Problem>(BatchAnswer { status: "OK", vectors_added })
    })
    .await
}

/// Stores vectors as a segment: durable and visible when it is answered.
pub async fn import(
    State(app): State<App>,
    JsonBody(body): JsonBody<BATCH_BYTES_MAX>,
) -> Result<Response, Problem> {
    app.ok(move |db| {
        let ImportBody { index_name, vectors, upsert } = parse(&body)?;
        if index_name.is_empty() || vectors.is_empty() {
            return Err(refuse("missing index_name or vectors"));
        }
        let collection = db.collection(&index_name)?;
        let documents = documents(db, &*collection.view()?, vectors)?;
        let vectors_added = documents.len();
        collection.add_bulk(documents, mode(upsert))?;
        Ok(BatchAnswer { status: "OK", vectors_added })
    })
    .await
}

/// Starts merging what was imported. Nothing waits for it: every import is durable already.
pub async fn commit(
    State(app): State<App>,
    JsonBody(body): JsonBody<BODY_BYTES_MAX>,
) -> Result<Response, Problem> {
    let started = app.clone();
    app.ok(move |db| {
        let CommitBody { index_name } = parse(&body)?;
        let [index] = required([("index_name", Some(index_name))])?;
        let collection = db.collection(&index)?;
        // The merges that are due after this one come by themselves, as this one would where too many tasks run.
        drop(started.tasks().start(&index, "merge", move || collection.run(JobKind::Merge).map(|_| ())));
        Ok::<_, Problem>(ok(Some("Import committed to disk. Merging started in background.")))
    })
    .await
}

/// In the order of the ids; those that are not there are left out.
pub async fn get_many(
    State(app): State<App>,
    JsonBody(body): JsonBody<BATCH_BYTES_MAX>,
) -> Result<Response, Problem> {
    app.ok(move |db| {
        let IdsBody { index_name, ids, compress_context } = parse(&body)?;
        let collection = db.collection(&index_name)?;
        let rows: Vec<_> = collection.get_many(&ids, None)?.into_iter().flatten().collect();
        let mut nodes = memory::shown(&collection, &rows)?;
        nodes.iter_mut().for_each(|node| brief::shorten(compress_context, &mut node.metadata));
        Ok::<_, Problem>(nodes)
    })
    .await
}

pub async fn get(
    State(app): State<App>,
    PathOf((name, id)): PathOf<(String, String)>,
) -> Result<Response, Problem> {
    app.ok(move |db| {
        let collection = db.collection(&name)?;
        let row = collection.get(&id, None)?.ok_or(StateError::UnknownDocument { id, collection: name })?;
        Ok::<_, Error>(memory::shown(&collection, &[row])?.into_iter().next())
    })
    .await
}

#[derive(Debug, Deserialize)]
pub struct ExportQuery {
    limit: Option<usize>,
    offset: Option<usize>,
}

#[derive(Serialize)]
struct ExportAnswer {
    data: Vec<ExportedNode>,
    has_more: bool,
    next_offset: usize,
    total_count: usize,
}

#[derive(Serialize)]
struct ExportedNode {
    id: String,
    metadata: Object,
}

/// Vectors a page where nobody says how many.
const EXPORT_DEFAULT: usize = 1_000;

/// A page of ids and metadata, in the order in which they were stored.
pub async fn export(
    State(app): State<App>,
    PathOf(name): PathOf<String>,
    QueryOf(query): QueryOf<ExportQuery>,
) -> Result<Response, Problem> {
    app.ok(move |db| {
        let collection = db.collection(&name)?;
        let (view, now) = collection.at(None)?;
        let offset = query.offset.unwrap_or(0);
        let limit = query.limit.filter(|limit| *limit > 0).unwrap_or(EXPORT_DEFAULT).min(SCAN_MAX);
        let rows = view.scan_from(offset, limit, now)?;
        let (next_offset, total_count) = (offset + rows.len(), view.stats().documents);
        let exported = |NodeAnswer { id, metadata, .. }| ExportedNode { id, metadata };
        let data = memory::shown(&collection, &rows)?.into_iter().map(exported).collect();
        let has_more = rows.len() == limit && next_offset < total_count;
        Ok::<_, Error>(ExportAnswer { data, has_more, next_offset, total_count })
    })
    .await
}

#[derive(Deserialize)]
struct ReinforceBody {
    index_name: Option<String>,
    #[serde(default)]
    ids: Vec<String>,
}

#[derive(Serialize)]
pub struct ReinforcedAnswer {
    status: &'static str,
}

/// Counts a use of vectors; those that are not there are left out.
pub async fn reinforce(
    State(app): State<App>,
    JsonBody(body): JsonBody<BODY_BYTES_MAX>,
) -> Result<Response, Problem> {
    app.ok(move |db| {
        let ReinforceBody { index_name, ids } = parse(&body)?;
        let [index] = required([("index_name", index_name)])?;
        db.collection(&index)?.touch(ids, None)?;
        Ok::<_, Problem>(ReinforcedAnswer { status: "reinforced" })
    })
    .await
}

pub async fn delete(
    State(app): State<App>,
    JsonBody(body): JsonBody<BODY_BYTES_MAX>,
) -> Result<Response, Problem> {
    app.ok(move |db| {
        let IdBody { index_name, id } = parse(&body)?;
        let deleted = db.collection(&index_name)?.delete(vec![id.clone()], None)?.ended;
        if deleted == 0 {
            return Err(StateError::UnknownDocument { id, collection: index_name }.into());
        }
        Ok::<_, Error>(ok(None))
    })
    .await
}

fn documents(db: &Db, view: &View, bodies: Vec<DocumentBody<'_>>) -> Result<Vec<Document>> {
    bodies.into_iter().map(|body| document(db, view, body)).collect()
}

fn document(db: &Db, view: &View, mut body: DocumentBody<'_>) -> Result<Document> {
    let clock = &*db.options().clock;
    body.vector = given(body.vector, view);
    let mut document = body.document(clock)?;
    memory::mark(view, clock, &mut document);
    Ok(document)
}
