//! Vectors, which are our documents: insert, get, delete. A document's id is the number in decimal.

use std::collections::HashSet;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use kithdb::base::limits::{BATCH_MAX, BULK_MAX};
use kithdb::base::{Error, InputError};
use kithdb::collection::Document;
use kithdb::host::{AddMode, CollectionHandle};
use kithdb::vectors::check_vector;
use serde::Serialize;

use super::body::{InsertBody, VectorBody, Vectors, read};
use super::{answer, errors, refuse, status};
use crate::http::{AnyBody, App, NoBody, PathOf, Problem};

/// Largest body of an insert, in bytes.
const INSERT_BYTES_MAX: usize = 100 << 20;

#[derive(Serialize)]
struct VectorAnswer {
    id: u64,
    vector: Vec<f32>,
}

/// All vectors or none.
pub async fn insert(
    State(app): State<App>,
    PathOf(name): PathOf<String>,
    AnyBody(body): AnyBody<INSERT_BYTES_MAX>,
) -> Result<Response, Problem> {
    answer(&app, StatusCode::CREATED, move |db| {
        let collection = db.collection(&name)?;
        let InsertBody { vectors: Vectors(vectors) } = read(body)?;
        if vectors.is_empty() {
            return Err(refuse(StatusCode::BAD_REQUEST, "no vectors provided"));
        }
        if vectors.len() > BULK_MAX {
            let (got, limit) = (vectors.len() as u64, BULK_MAX as u64);
            return Err(Error::from(InputError::TooLarge { what: "a batch", got, limit }).into());
        }
        check(&collection, &vectors)?;
        let count = vectors.len();
        let documents = vectors.into_iter().map(document).collect();
        let done = match count > BATCH_MAX {
            true => collection.add_bulk(documents, AddMode::Insert),
            false => collection.add(documents, AddMode::Insert, None),
        };
        done.map_err(|error| match error.code() {
            "document_exists" => refuse(StatusCode::BAD_REQUEST, errors::text(&error)),
            _ => error.into(),
        })?;
        Ok(status(format!("inserted {count} vectors")))
    })
    .await
}

pub async fn get(
    State(app): State<App>,
    PathOf((name, id)): PathOf<(String, String)>,
) -> Result<Response, Problem> {
    answer(&app, StatusCode::OK, move |db| {
        let collection = db.collection(&name)?;
        let id = number(&id)?;
        let row = collection.get(&id.to_string(), None)?;
        let vector = row.and_then(|row| row.vector.as_deref().map(<[f32]>::to_vec));
        vector.map(|vector| VectorAnswer { id, vector }).ok_or_else(unknown)
    })
    .await
}

pub async fn remove(
    State(app): State<App>,
    PathOf((name, id)): PathOf<(String, String)>,
    _: NoBody,
) -> Result<Response, Problem> {
    answer(&app, StatusCode::OK, move |db| {
        let collection = db.collection(&name)?;
        let id = number(&id)?.to_string();
        if collection.delete(vec![id], None)?.ended == 0 {
            return Err(unknown());
        }
        Ok(status("deleted"))
    })
    .await
}

/// A wrong method, once collection and number are found to be sound.
pub async fn wrong_method(
    State(app): State<App>,
    PathOf((name, id)): PathOf<(String, String)>,
) -> Result<Response, Problem> {
    app.run(move |db| {
        db.collection(&name)?;
        number(&id)
    })
    .await?;
    Err(super::wrong_method().await)
}

fn unknown() -> Problem {
    refuse(StatusCode::NOT_FOUND, "vector not found")
}

/// The number of a document's id, when it is the id of one: decimal, without signs and leading zeros.
pub fn number_of_id(id: &str) -> Option<u64> {
    id.parse().ok().filter(|number: &u64| number.to_string() == id)
}

/// A number in a path, as Go's `ParseUint` reads it.
fn number(text: &str) -> Result<u64, Problem> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit()).then_some(text);
    let number = digits.and_then(|digits| digits.parse().ok());
    number.ok_or_else(|| refuse(StatusCode::BAD_REQUEST, "invalid vector ID"))
}

fn document(body: VectorBody) -> Document {
    Document { id: body.id.to_string(), vector: Some(body.vector.0), ..Document::default() }
}

/// Refuses vectors that cannot be stored together, by their numbers.
fn check(collection: &CollectionHandle, vectors: &[VectorBody]) -> Result<(), Problem> {
    let view = collection.view()?;
    let first = vectors.first().map(|first| first.vector.0.len());
    let dim = view.dim.or(view.config.dim).map(|dim| dim as usize).or(first);
    let mut ids = HashSet::with_capacity(vectors.len());
    for VectorBody { id, vector } in vectors {
        let refuse = |why: &str| refuse(StatusCode::BAD_REQUEST, format!("index insert ID {id}: {why}"));
        check_vector(view.config.metric, dim, &vector.0).map_err(|error| refuse(&errors::text(&error)))?;
        if !ids.insert(*id) {
            return Err(refuse("duplicate ID in batch"));
        }
    }
    Ok(())
}
