//! KektorDB's API, its data plane, so that its clients work unchanged: its paths, shapes and statuses over the
//! same functions as `/v1`. Where its behaviour is a defect the shape stays and the right thing is done;
//! docs/COMPATIBILITY.md lists each departure.

pub mod auth;
pub mod auto_links;
pub mod belief;
mod brief;
mod errors;
pub mod events;
pub mod evolution;
pub mod explore;
pub mod graph;
pub mod indexes;
pub mod kv;
pub mod later;
pub mod maintenance;
mod memory;
pub mod nodes;
pub mod search;
pub mod system;
pub mod vectors;

pub use errors::shape_errors;

use std::borrow::Cow;

use axum::http::StatusCode;
use kithdb::base::{Error, Object, Result, StateError};
use kithdb::collection::View;
use kithdb::host::{CollectionHandle, Db};
use kithdb::segment::Row;
use kithdb::vectors::Metric;
use serde::Serialize;

use crate::http::Problem;

/// A document as this API shows it. Without a vector it has an empty one: its clients expect a list.
#[derive(Debug, Serialize)]
pub struct NodeAnswer {
    id: String,
    vector: Vec<f32>,
    metadata: Object,
}

impl From<&Row> for NodeAnswer {
    fn from(row: &Row) -> Self {
        let vector = row.vector.as_deref().map(<[f32]>::to_vec).unwrap_or_default();
        Self { id: row.id.to_string(), vector, metadata: row.metadata.clone() }
    }
}

/// That it was done.
#[derive(Debug, Serialize)]
pub struct StatusAnswer {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Cow<'static, str>>,
}

fn ok(message: Option<&'static str>) -> StatusAnswer {
    StatusAnswer { status: "OK", message: message.map(Cow::Borrowed) }
}

fn ok_saying(message: String) -> StatusAnswer {
    StatusAnswer { status: "OK", message: Some(Cow::Owned(message)) }
}

fn refuse(message: impl Into<String>) -> Problem {
    Problem::http(StatusCode::BAD_REQUEST, "invalid_request", message)
}

fn not_found(message: &str) -> Problem {
    Problem::http(StatusCode::NOT_FOUND, "unknown", message)
}

fn unknown_node(id: &str, index: &str) -> Problem {
    Error::from(StateError::UnknownDocument { id: id.to_owned(), collection: index.to_owned() }).into()
}

/// The values of fields that must be there and not be empty.
fn required<const N: usize>(fields: [(&str, Option<String>); N]) -> Result<[String; N], Problem> {
    let names = fields.each_ref().map(|(name, _)| *name);
    let values = fields.map(|(_, value)| value.unwrap_or_default());
    if values.iter().any(String::is_empty) {
        let are = if N > 1 { " are" } else { "" };
        return Err(refuse(format!("{}{are} required", names.join(", "))));
    }
    Ok(values)
}

/// Null, an empty list, and the `[0.0]` that the Python client sends for `None`, all mean: no vector. So does one of zeros
/// where only directions are compared.
fn given(vector: Option<Vec<f32>>, view: &View) -> Option<Vec<f32>> {
    let fits = |len: usize| view.dim.is_none_or(|dim| dim as usize == len);
    vector.filter(|vector| {
        let is_zero = vector.iter().all(|x| *x == 0.0);
        let has_no_direction = is_zero && view.config.metric == Metric::Cosine && fits(vector.len());
        !vector.is_empty() && vector.as_slice() != [0.0] && !has_no_direction
    })
}

/// The vector of a text, by the index's own embedder.
fn embed(db: &Db, collection: &CollectionHandle, text: &str) -> Result<Vec<f32>, Problem> {
    let view = collection.view()?;
    let wanted = view.config.embedder.as_ref().map(|reference| reference.hash);
    let embedder = db.options().embedder.as_ref().filter(|embedder| Some(embedder.hash()) == wanted);
    let missing = || Error::from(StateError::NoEmbedder { collection: collection.name().to_owned() });
    let vector = embedder.ok_or_else(missing)?.embed(text);
    vector.ok_or_else(|| refuse("the text has no word that has a vector"))
}
