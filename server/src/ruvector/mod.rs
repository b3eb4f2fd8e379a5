//! ruvector-go's API, whole, so that its clients work unchanged: its paths, shapes, statuses, texts and order of checks
//! over the same functions as `/v1`. A collection of its is one of ours; the number of a vector is a document's id in
//! decimal, read and written as the u64 that it is. docs/COMPATIBILITY.md lists each departure.

mod body;
pub mod collections;
mod errors;
pub mod search;
pub mod vectors;

pub use errors::shape_errors;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use kithdb::host::Db;
use serde::Serialize;

use crate::http::{App, PathOf, Problem};

/// That it was done.
#[derive(Serialize)]
struct StatusAnswer {
    status: String,
}

fn status(status: impl Into<String>) -> StatusAnswer {
    StatusAnswer { status: status.into() }
}

fn refuse(status: StatusCode, message: impl Into<String>) -> Problem {
    Problem::http(status, "invalid_request", message)
}

/// JSON that ends with a newline, as there.
fn line<T: Serialize>(answer: &T) -> Vec<u8> {
    let mut bytes = serde_json::to_vec(answer).expect("numbers and strings are JSON");
    bytes.push(b'\n');
    bytes
}

fn json(code: StatusCode, body: Body) -> Response {
    (code, [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], body).into_response()
}

/// Works with the database, and answers in JSON.
async fn answer<T: Serialize>(
    app: &App,
    code: StatusCode,
    work: impl FnOnce(&Db) -> Result<T, Problem> + Send + 'static,
) -> Result<Response, Problem> {
    let written = app.run(move |db| work(db).map(|answer| line(&answer))).await?;
    Ok(json(code, app.body(written)?))
}

pub async fn health() -> Response {
    json(StatusCode::OK, line(&status("ok")).into())
}

pub async fn wrong_method() -> Problem {
    refuse(StatusCode::METHOD_NOT_ALLOWED, "method not allowed")
}

/// A wrong method, once the collection is found to be there.
pub async fn wrong_method_of_one(State(app): State<App>, PathOf(name): PathOf<String>) -> Problem {
    match app.run(move |db| db.collection(&name)).await {
        Ok(_) => wrong_method().await,
        Err(problem) => problem,
    }
}

pub async fn no_name() -> Problem {
    refuse(StatusCode::BAD_REQUEST, "collection name required")
}

pub async fn nothing_there() -> Problem {
    refuse(StatusCode::NOT_FOUND, "not found")
}
