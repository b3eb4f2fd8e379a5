//! Errors in this API's shape, `{"error": "..."}`, and in its words where clients may look at them.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use kithdb::base::{Error, InputError, StateError};
use serde_json::json;

use crate::http::Problem;

/// Turns the problem in an answer, if there is one, into this API's shape.
pub async fn shape_errors(response: Response) -> Response {
    let Some(problem) = response.extensions().get::<Problem>() else { return response };
    if let Some(text) = refused(problem.code()) {
        return refusal(problem.status(), text);
    }
    let status = match problem.error() {
        Some(Error::Input(InputError::TooLarge { what: "a batch", .. })) => StatusCode::BAD_REQUEST,
        _ => problem.status(),
    };
    (status, Json(json!({"error": message(problem)}))).into_response()
}

/// What it says to who may not ask.
fn refused(code: &str) -> Option<&'static str> {
    Some(match code {
        "missing_token" => "Unauthorized: missing Authorization header",
        "unknown_token" => "Unauthorized: invalid or revoked token",
        "forbidden" => "Forbidden: insufficient permissions for this namespace/action",
        _ => return None,
    })
}

/// That is plain text, with the line end that Go's servers add.
fn refusal(status: StatusCode, text: &str) -> Response {
    let mut response = (status, format!("{text}\n")).into_response();
    if status == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}

fn message(problem: &Problem) -> String {
    if problem.status() == StatusCode::INTERNAL_SERVER_ERROR {
        return "Internal Server Error".to_owned();
    }
    let Some(Error::State(state)) = problem.error() else { return problem.message().to_owned() };
    match state {
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
