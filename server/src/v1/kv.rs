//! The key-value store: get, set and delete a key; pages of keys.

use axum::extract::State;
use axum::response::Response;
use kithdb::base::{Error, Result, StateError};
use kithdb::wire::{KeyAnswer, KeySetBody, KeysAnswer, KeysBody, WriteBody, parse};
use serde::Serialize;

use crate::http::{App, BATCH_BYTES_MAX, JsonBody, NoBody, PathOf, Problem, QueryOf};

#[derive(Serialize)]
struct SetAnswer {
    replaced: usize,
}

#[derive(Serialize)]
struct DeleteAnswer {
    deleted: usize,
}

pub async fn get(State(app): State<App>, PathOf(key): PathOf<String>) -> Result<Response, Problem> {
    app.ok(move |db| match db.kv_get(&key)? {
        Some(value) => Ok(KeyAnswer { key, value }),
        None => Err(Error::from(StateError::UnknownKey { key })),
    })
    .await
}

pub async fn set(
    State(app): State<App>,
    PathOf(key): PathOf<String>,
    JsonBody(body): JsonBody<BATCH_BYTES_MAX>,
) -> Result<Response, Problem> {
    app.ok(move |db| {
        let body: KeySetBody = parse(&body)?;
        let replaced = db.kv_set(&key, &body.value, body.level()?)?;
        Ok::<_, Error>(SetAnswer { replaced: usize::from(replaced) })
    })
    .await
}

pub async fn remove(
    State(app): State<App>,
    PathOf(key): PathOf<String>,
    QueryOf(query): QueryOf<WriteBody>,
    _: NoBody,
) -> Result<Response, Problem> {
    app.ok(move |db| {
        let deleted = db.kv_delete(&key, query.level()?)?;
        Ok::<_, Error>(DeleteAnswer { deleted: usize::from(deleted) })
    })
    .await
}

pub async fn list(State(app): State<App>, QueryOf(query): QueryOf<KeysBody>) -> Result<Response, Problem> {
    app.ok(move |db| {
        let page = db.kv_list(&query.prefix, query.cursor.as_deref(), query.limit())?;
        Ok::<_, Error>(KeysAnswer::from(page))
    })
    .await
}
