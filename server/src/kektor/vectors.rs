//! Vectors, which are our documents: add, get, delete.

use axum::extract::State;
use axum::response::Response;
use kithdb::base::{Clock, Result, StateError};
use kithdb::collection::Document;
use kithdb::host::AddMode;
use kithdb::wire::{DocumentBody, parse};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{NodeAnswer, given, not_yet, ok, refuse};
use crate::http::{App, BATCH_BYTES_MAX, BODY_BYTES_MAX, JsonBody, PathOf, Problem};

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
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BatchBody<'a> {
    #[serde(default)]
    index_name: String,
    #[serde(borrow)]
    vectors: Vec<DocumentBody<'a>>,
}

#[derive(Serialize)]
struct BatchAnswer {
    status: &'static str,
    vectors_added: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct IdsBody {
    index_name: String,
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

pub async fn add(
    State(app): State<App>,
    JsonBody(body): JsonBody<BATCH_BYTES_MAX>,
) -> Result<Response, Problem> {
    app.ok(move |db| {
        let AddBody { index_name, id, vector, metadata } = parse(&body)?;
        if index_name.is_empty() || id.is_empty() {
            return Err(refuse("missing fields: index_name, id, or vector"));
        }
        let document = document(
            DocumentBody { id, vector, metadata, expires_at: None, ttl: None },
            &*db.options().clock,
        )?;
        db.collection(&index_name)?.add(vec![document], AddMode::Insert, None)?;
        Ok(ok(None))
    })
    .await
}

pub async fn add_batch(
    State(app): State<App>,
    JsonBody(body): JsonBody<BATCH_BYTES_MAX>,
) -> Result<Response, Problem> {
    app.ok(move |db| {
        let BatchBody { index_name, vectors } = parse(&body)?;
        let collection = db.collection(&index_name)?;
        let documents = vectors
            .into_iter()
            .map(|body| document(body, &*db.options().clock))
            .collect::<Result<Vec<_>>>()?;
        let vectors_added = documents.len();
        collection.add(documents, AddMode::Insert, None)?;
        Ok::<_, Problem>(BatchAnswer { status: "OK", vectors_added })
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
        not_yet(compress_context, "compress_context")?;
        let rows = db.collection(&index_name)?.get_many(&ids, None)?;
        Ok::<_, Problem>(rows.iter().flatten().map(|row| NodeAnswer::from(&**row)).collect::<Vec<_>>())
    })
    .await
}

pub async fn get(
    State(app): State<App>,
    PathOf((name, id)): PathOf<(String, String)>,
) -> Result<Response, Problem> {
    app.ok(move |db| {
        let found = db.collection(&name)?.get(&id, None)?;
        let row = found.ok_or(StateError::UnknownDocument { id, collection: name })?;
        Ok::<_, kithdb::base::Error>(NodeAnswer::from(&*row))
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
        Ok::<_, kithdb::base::Error>(ok(None))
    })
    .await
}

fn document(mut body: DocumentBody<'_>, clock: &dyn Clock) -> Result<Document> {
    body.vector = given(body.vector);
    body.document(clock)
}
