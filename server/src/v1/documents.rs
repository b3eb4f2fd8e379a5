//! Documents: add, get, delete, one or many; pages of them.

use axum::extract::State;
use axum::http::Method;
use axum::response::Response;
use kithdb::base::{Result, StateError};
use kithdb::host::AddMode;
use kithdb::wire::{AddBody, DocumentAnswer, IdsBody, ScanAnswer, parse, parse_cursor};
use serde::{Deserialize, Serialize};

use crate::http::{App, BATCH_BYTES_MAX, JsonBody, NoBody, PathOf, Problem, QueryOf};

#[derive(Serialize)]
struct AddAnswer {
    written: usize,
    replaced: usize,
}

#[derive(Serialize)]
struct DeleteAnswer {
    deleted: usize,
}

#[derive(Serialize)]
struct ManyAnswer {
    /// In the order of the ids; null for one that is not there.
    documents: Vec<Option<DocumentAnswer>>,
}

/// Which page of documents.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScanQuery {
    limit: Option<usize>,
    cursor: Option<String>,
}

pub async fn add(
    State(app): State<App>,
    PathOf(name): PathOf<String>,
    JsonBody(body): JsonBody<BATCH_BYTES_MAX>,
) -> Result<Response, Problem> {
    app.ok(move |db| {
        let collection = db.collection(&name)?;
        let body: AddBody<'_> = parse(&body)?;
        let mode = if body.replaces()? { AddMode::Upsert } else { AddMode::Insert };
        let level = body.level()?;
        let documents = body.documents()?;
        let written = documents.len();
        let replaced = collection.add(documents, mode, level)?.ended;
        Ok::<_, kithdb::base::Error>(AddAnswer { written, replaced })
    })
    .await
}

pub async fn get(
    State(app): State<App>,
    PathOf((name, id)): PathOf<(String, String)>,
) -> Result<Response, Problem> {
    app.ok(move |db| {
        let found = db.collection(&name)?.get(&id)?;
        let row = found.ok_or(StateError::UnknownDocument { id, collection: name })?;
        Ok::<_, kithdb::base::Error>(DocumentAnswer::from(&*row))
    })
    .await
}

pub async fn remove(
    State(app): State<App>,
    PathOf((name, id)): PathOf<(String, String)>,
    _: NoBody,
) -> Result<Response, Problem> {
    app.ok(move |db| {
        db.collection(&name)?.delete(vec![id], None).map(|done| DeleteAnswer { deleted: done.ended })
    })
    .await
}

/// `documents/get` and `documents/delete`. One route for both, because `get` and `delete` are ids as well.
pub async fn many(
    State(app): State<App>,
    PathOf((name, verb)): PathOf<(String, String)>,
    JsonBody(body): JsonBody<BATCH_BYTES_MAX>,
) -> Result<Response, Problem> {
    match verb.as_str() {
        "get" => app.ok(move |db| get_many(&*db.collection(&name)?, &parse::<IdsBody>(&body)?.ids)).await,
        "delete" => {
            app.ok(move |db| {
                let ids = parse::<IdsBody>(&body)?.ids;
                db.collection(&name)?.delete(ids, None).map(|done| DeleteAnswer { deleted: done.ended })
            })
            .await
        }
        _ => Err(Problem::wrong_method(&Method::POST, &format!("/v1/collections/{name}/documents/{verb}"))),
    }
}

pub async fn scan(
    State(app): State<App>,
    PathOf(name): PathOf<String>,
    QueryOf(query): QueryOf<ScanQuery>,
) -> Result<Response, Problem> {
    app.ok(move |db| {
        let cursor = query.cursor.as_deref().map(parse_cursor).transpose()?;
        let page = db.collection(&name)?.scan(cursor, query.limit.unwrap_or(100))?;
        Ok::<_, kithdb::base::Error>(ScanAnswer::from(&page))
    })
    .await
}

fn get_many(collection: &kithdb::host::CollectionHandle, ids: &[String]) -> Result<ManyAnswer> {
    let rows = collection.view()?.get_many(ids)?;
    Ok(ManyAnswer { documents: rows.iter().map(|row| row.as_deref().map(DocumentAnswer::from)).collect() })
}
