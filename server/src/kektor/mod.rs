//! KektorDB's API, as far as it goes yet, so that its clients work unchanged: its paths, shapes and statuses over the
//! same functions as `/v1`. Where its behaviour is a defect the shape stays and the right thing is done;
//! docs/COMPATIBILITY.md lists each departure.

pub mod auth;
pub mod auto_links;
mod errors;
pub mod events;
pub mod graph;
pub mod indexes;
pub mod kv;
pub mod maintenance;
pub mod nodes;
pub mod search;
pub mod system;
pub mod vectors;

pub use errors::shape_errors;

use axum::http::StatusCode;
use kithdb::base::{Error, Object, Result, StateError};
use kithdb::segment::Row;
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
    message: Option<&'static str>,
}

const fn ok(message: Option<&'static str>) -> StatusAnswer {
    StatusAnswer { status: "OK", message }
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

/// Refuses what is not done yet rather than leaving it out of the answer silently.
fn not_yet(asked: bool, what: &str) -> Result<(), Problem> {
    if asked { Err(refuse(format!("{what} is not supported yet; leave it out"))) } else { Ok(()) }
}

/// Null, an empty list, and the `[0.0]` that the Python client sends for `None`, all mean: no vector.
fn given(vector: Option<Vec<f32>>) -> Option<Vec<f32>> {
    vector.filter(|vector| !vector.is_empty() && vector.as_slice() != [0.0])
}
