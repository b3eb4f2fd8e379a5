//! Errors in this API's shape, `{"error": "..."}` and a newline, and in its words.

use axum::http::{HeaderValue, header};
use axum::response::Response;
use kithdb::base::{Error, InputError, StateError};
use serde::Serialize;

use super::line;
use crate::http::Problem;

#[derive(Serialize)]
struct ErrorAnswer {
    error: String,
}

/// Turns the problem in an answer, if there is one, into this API's shape.
pub async fn shape_errors(response: Response) -> Response {
    let Some(problem) = response.extensions().get::<Problem>() else { return response };
    let body = line(&ErrorAnswer { error: message(problem) });
    let (mut parts, _) = response.into_parts();
    parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, body.into())
}

fn message(problem: &Problem) -> String {
    problem.error().map_or_else(|| problem.message().to_owned(), text)
}

/// What it says of an error.
pub fn text(error: &Error) -> String {
    match error {
        Error::State(state) => match &**state {
            StateError::UnknownCollection { name } => format!("collection {name:?} not found"),
            StateError::CollectionExists { name } => format!("collection {name:?} already exists"),
            StateError::DocumentExists { id, .. } => {
                format!("index insert ID {id}: vector ID {id} already exists")
            }
            StateError::UnknownDocument { .. } => "vector not found".to_owned(),
            _ => error.to_string(),
        },
        Error::Input(input) => match **input {
            InputError::Dimension { expected, got } => {
                format!("dimension mismatch: got {got}, want {expected}")
            }
            _ => error.to_string(),
        },
        error => error.to_string(),
    }
}
