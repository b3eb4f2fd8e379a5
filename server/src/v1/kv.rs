//! The key-value store: get, set and delete a key; pages of keys.

use axum::extract::State;
use axum::http::Method;
use axum::response::Response;
use kithdb::base::{Error, Result, StateError};
use kithdb::wire::{KeyAnswer, KeySetBody, KeysAnswer, KeysBody, WriteBody, parse, parse_level};
use serde::{Deserialize, Serialize};

use crate::http::{App, BATCH_BYTES_MAX, JsonBody, NoBody, PathOf, Problem, QueryOf};

#[derive(Serialize)]
struct SetAnswer {
    replaced: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum KeyChanged {
    Replaced(usize),
    Deleted(usize),
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

/// Which key.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyBody {
    key: String,
}

/// A key to be changed.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyChangeBody {
    key: String,
    #[serde(default)]
    value: Option<String>,
    #[serde(default)]
    durability: Option<String>,
}

/// `kv/get`, `set` and `delete`, with the key in the body: no path can hold `..`. One route for all, because these are
/// keys as well.
pub async fn verb(
    State(app): State<App>,
    PathOf(verb): PathOf<String>,
    JsonBody(body): JsonBody<BATCH_BYTES_MAX>,
) -> Result<Response, Problem> {
    match verb.as_str() {
        "get" => {
            app.ok(move |db| {
                let KeyBody { key } = parse(&body)?;
                let value = db.kv_get(&key)?.ok_or(StateError::UnknownKey { key: key.clone() })?;
                Ok::<_, Error>(KeyAnswer { key, value })
            })
            .await
        }
        "set" | "delete" => {
            app.ok(move |db| {
                let KeyChangeBody { key, value, durability } = parse(&body)?;
                let level = durability.as_deref().map(parse_level).transpose()?;
                Ok::<_, Error>(match (verb.as_str(), value) {
                    ("set", Some(value)) => {
                        KeyChanged::Replaced(usize::from(db.kv_set(&key, &value, level)?))
                    }
                    ("delete", None) => KeyChanged::Deleted(usize::from(db.kv_delete(&key, level)?)),
                    (_, value) => {
                        let got = if value.is_some() { "one" } else { "none" };
                        return Err(Error::parameter("value", got, "one to set a key, none to delete it"));
                    }
                })
            })
            .await
        }
        _ => Err(Problem::wrong_method(&Method::POST, &format!("/v1/kv/{verb}"))),
    }
}

pub async fn list(State(app): State<App>, QueryOf(query): QueryOf<KeysBody>) -> Result<Response, Problem> {
    app.ok(move |db| {
        let page = db.kv_list(&query.prefix, query.cursor.as_deref(), query.limit())?;
        Ok::<_, Error>(KeysAnswer::from(page))
    })
    .await
}
