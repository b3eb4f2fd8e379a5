//! Documents: add, get, delete, one or many; pages of them.

use axum::extract::State;
use axum::http::Method;
use axum::response::Response;
use kithdb::base::{Result, StateError};
use kithdb::host::AddMode;
use kithdb::wire::{
    AddBody, ChangeBody, DocumentAnswer, GetBody, IdsBody, ScanAnswer, TimeBody, TouchesAnswer,
    VersionsAnswer, as_of, parse, parse_cursor, parse_level,
};
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
struct TouchedAnswer {
    touched: usize,
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
    as_of: Option<String>,
}

/// When a document is looked at.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GetQuery {
    as_of: Option<String>,
}

/// What a delete waits for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RemoveQuery {
    durability: Option<String>,
}

/// The moment of a query string; `None` for now.
fn moment(text: Option<String>) -> Result<Option<i64>> {
    as_of(text.map(TimeBody::Text).as_ref())
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
        let (level, bulk) = (body.level()?, body.bulk);
        let documents = body.documents(&*db.options().clock)?;
        let written = documents.len();
        let done =
            if bulk { collection.add_bulk(documents, mode) } else { collection.add(documents, mode, level) };
        let replaced = done?.ended;
        Ok::<_, kithdb::base::Error>(AddAnswer { written, replaced })
    })
    .await
}

pub async fn get(
    State(app): State<App>,
    PathOf((name, id)): PathOf<(String, String)>,
    QueryOf(query): QueryOf<GetQuery>,
) -> Result<Response, Problem> {
    app.ok(move |db| {
        let found = db.collection(&name)?.get(&id, moment(query.as_of)?)?;
        let row = found.ok_or(StateError::UnknownDocument { id, collection: name })?;
        Ok::<_, kithdb::base::Error>(DocumentAnswer::from(&*row))
    })
    .await
}

/// The versions of a document that are kept, the newest first.
pub async fn versions(
    State(app): State<App>,
    PathOf((name, id)): PathOf<(String, String)>,
) -> Result<Response, Problem> {
    app.ok(move |db| db.collection(&name)?.versions(&id).map(|found| VersionsAnswer::from(&*found))).await
}

pub async fn remove(
    State(app): State<App>,
    PathOf((name, id)): PathOf<(String, String)>,
    QueryOf(query): QueryOf<RemoveQuery>,
    _: NoBody,
) -> Result<Response, Problem> {
    app.ok(move |db| {
        let level = query.durability.as_deref().map(parse_level).transpose()?;
        db.collection(&name)?.delete(vec![id], level).map(|done| DeleteAnswer { deleted: done.ended })
    })
    .await
}

/// `documents/get`, `delete`, `touch` and `touches`. One route for all, because these are ids as well.
pub async fn many(
    State(app): State<App>,
    PathOf((name, verb)): PathOf<(String, String)>,
    JsonBody(body): JsonBody<BATCH_BYTES_MAX>,
) -> Result<Response, Problem> {
    match verb.as_str() {
        "get" => app.ok(move |db| get_many(&*db.collection(&name)?, &parse::<GetBody>(&body)?)).await,
        "delete" => {
            app.ok(move |db| {
                let body = parse::<ChangeBody>(&body)?;
                let level = body.level()?;
                db.collection(&name)?.delete(body.ids, level).map(|done| DeleteAnswer { deleted: done.ended })
            })
            .await
        }
        "touch" => {
            app.ok(move |db| {
                let body = parse::<ChangeBody>(&body)?;
                let level = body.level()?;
                db.collection(&name)?
                    .touch(body.ids, level)
                    .map(|done| TouchedAnswer { touched: done.touched })
            })
            .await
        }
        "touches" => {
            app.ok(move |db| {
                db.collection(&name)?.touches(&parse::<IdsBody>(&body)?.ids).map(TouchesAnswer::from)
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
        let page = db.collection(&name)?.scan(cursor, query.limit.unwrap_or(100), moment(query.as_of)?)?;
        Ok::<_, kithdb::base::Error>(ScanAnswer::from(&page))
    })
    .await
}

fn get_many(collection: &kithdb::host::CollectionHandle, body: &GetBody) -> Result<ManyAnswer> {
    let rows = collection.get_many(&body.ids, as_of(body.as_of.as_ref())?)?;
    Ok(ManyAnswer { documents: rows.iter().map(|row| row.as_deref().map(DocumentAnswer::from)).collect() })
}
