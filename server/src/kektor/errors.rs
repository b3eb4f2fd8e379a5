//! Errors in this API's shape, `{"error": "..."}`, and in its words where clients may look at them.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use kithdb::base::{Error, InputError, StateError};
use serde_json::json;

use crate::http::Problem;

/// Turns the problem in an answer, if there is one, into this API's shape.
pub async fn shape_errors(response: Response) -> Response {
    let Some(problem) = response.extensions().get::<Problem>() else { return response };
    let status = match problem.error() {
        Some(Error::Input(error)) if matches!(**error, InputError::TooLarge { what: "a batch", .. }) => {
            StatusCode::BAD_REQUEST
        }
        _ => problem.status(),
    };
    let mut shaped = match refused(problem.code()) {
        // With the line end that Go's servers add.
        Some(text) => (status, format!("{text}\n")).into_response(),
        None => (status, Json(json!({"error": message(problem)}))).into_response(),
    };
    problem.tell(&mut shaped);
    shaped
}

/// What it says to who may not ask, which is plain text.
fn refused(code: &str) -> Option<&'static str> {
    Some(match code {
        "missing_token" => "Unauthorized: missing Authorization header",
        "unknown_token" => "Unauthorized: invalid or revoked token",
        "forbidden" => "Forbidden: insufficient permissions for this namespace/action",
        _ => return None,
    })
}

fn message(problem: &Problem) -> String {
    if problem.status() == StatusCode::INTERNAL_SERVER_ERROR {
        return "Internal Server Error".to_owned();
    }
    let Some(Error::State(state)) = problem.error() else { return problem.message().to_owned() };
    match &**state {
        StateError::UnknownCollection { name } => format!("index '{name}' not found"),
        StateError::CollectionExists { name } => format!("index '{name}' already exists"),
        StateError::DocumentExists { id, .. } => format!("ID '{id}' already exists"),
        StateError::UnknownDocument { id, collection } => {
            format!("vector with ID '{id}' not found in index '{collection}'")
        }
        StateError::UnknownKey { .. } => "key not found".to_owned(),
        StateError::NoEmbedder { collection } => format!("no embedder available for index '{collection}'"),
        _ => problem.message().to_owned(),
    }
}
