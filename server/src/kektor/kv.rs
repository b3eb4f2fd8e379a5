//! The key-value store, in this API's shapes.

use axum::extract::State;
use axum::response::Response;
use kithdb::base::{Error, Result, StateError};
use kithdb::wire::{KeyAnswer, parse};
use serde::Deserialize;

use super::ok;
use crate::http::{App, BATCH_BYTES_MAX, JsonBody, NoBody, PathOf, Problem};

#[derive(Deserialize)]
struct SetBody {
    value: String,
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
        let body: SetBody = parse(&body)?;
        db.kv_set(&key, &body.value, None)?;
        Ok::<_, Error>(ok(None))
    })
    .await
}

/// A key that is not there is no error.
pub async fn remove(
    State(app): State<App>,
    PathOf(key): PathOf<String>,
    _: NoBody,
) -> Result<Response, Problem> {
    app.ok(move |db| db.kv_delete(&key, None).map(|_| ok(None))).await
}
