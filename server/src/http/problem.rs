//! Errors as answers: problem+json (RFC 9457) with the core's report in it, the status chosen by its code.

use std::time::Duration;

use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use kithdb::base::{Error, Report};
use kithdb::wire::ErrorAnswer;
use serde::Serialize;

/// Why a request was not done.
#[derive(Debug, Clone)]
pub struct Problem(Box<Inner>);

#[derive(Debug, Clone)]
struct Inner {
    status: StatusCode,
    report: Report,
    error: Option<Error>,
    /// When to ask again.
    retry_after: Option<Duration>,
}

#[derive(Serialize)]
struct Body {
    r#type: &'static str,
    title: &'static str,
    status: u16,
    #[serde(flatten)]
    answer: ErrorAnswer,
}

/// The HTTP status of an error's code.
pub fn status_of(code: &str) -> StatusCode {
    match code {
        "too_large" => StatusCode::PAYLOAD_TOO_LARGE,
        "cancelled" => StatusCode::CONFLICT,
        "no_embedder" | "degraded" | "closed" | "unopenable" => StatusCode::SERVICE_UNAVAILABLE,
        "disk_full" => StatusCode::INSUFFICIENT_STORAGE,
        "history_gone" => StatusCode::GONE,
        "read_only" => StatusCode::FORBIDDEN,
        "version_mismatch" => StatusCode::PRECONDITION_FAILED,
        "dimension_mismatch" => StatusCode::BAD_REQUEST,
        code if code.starts_with("invalid_") => StatusCode::BAD_REQUEST,
        code if code.starts_with("unknown_") => StatusCode::NOT_FOUND,
        code if code.ends_with("_exists") => StatusCode::CONFLICT,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let report = error.report();
        Self(Box::new(Inner {
            status: status_of(report.code),
            report,
            error: Some(error),
            retry_after: None,
        }))
    }
}

impl Problem {
    /// One that only HTTP has.
    pub fn http(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        let (expected, got, position, hint) = (None, None, None, None);
        let report = Report { code, message: message.into(), expected, got, position, hint };
        Self(Box::new(Inner { status, report, error: None, retry_after: None }))
    }

    /// With what was expected and given.
    pub fn facts(mut self, expected: impl Into<String>, got: impl Into<String>) -> Self {
        self.0.report.expected = Some(expected.into());
        self.0.report.got = Some(got.into());
        self
    }

    /// With what to do next.
    pub fn hint(mut self, hint: &'static str) -> Self {
        self.0.report.hint = Some(hint);
        self
    }

    /// With how long to wait before asking again.
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.0.retry_after = Some(wait);
        self
    }

    /// Its status.
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// Puts the headers into an answer that clients are to go by.
    pub fn tell(&self, response: &mut Response) {
        if let Some(wait) = self.0.retry_after {
            // Whole seconds, so that asking then is not too early.
            let seconds = wait.as_millis().div_ceil(1_000) as u64;
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        let told = match self.status() {
            StatusCode::UNAUTHORIZED => (header::WWW_AUTHENTICATE, "Bearer"),
            StatusCode::REQUEST_TIMEOUT => (header::CONNECTION, "close"),
            _ => return,
        };
        response.headers_mut().insert(told.0, HeaderValue::from_static(told.1));
    }

    /// Its stable code.
    pub fn code(&self) -> &'static str {
        self.0.report.code
    }

    /// What it says to people.
    pub fn message(&self) -> &str {
        &self.0.report.message
    }

    /// The core's error that it shows; none for those that only HTTP has.
    pub fn error(&self) -> Option<&Error> {
        self.0.error.as_ref()
    }

    /// A mistake of ours; what it was stands on stderr, not in the answer.
    pub fn internal() -> Self {
        Self::http(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the server failed; its log says how")
    }

    /// This path is served, but not so.
    pub fn wrong_method(method: &Method, path: &str) -> Self {
        let message = format!("{path} is not served with {method}");
        Self::http(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", message)
    }

    /// No route has this path.
    pub fn unknown_route(path: &str) -> Self {
        Self::http(StatusCode::NOT_FOUND, "unknown_route", format!("nothing is served at {path}"))
    }
}

/// What is told of one of several collections; nothing where it was dropped since they were listed.
pub fn unless_dropped<T, E: Into<Problem>>(told: Result<T, E>) -> Option<Result<T, Problem>> {
    match told.map_err(Into::into) {
        Err(problem) if matches!(problem.code(), "unknown_collection" | "closed") => None,
        told => Some(told),
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Inner { status, report, .. } = &*self.0;
        let answer = ErrorAnswer { error: report.message.clone(), report: report.clone() };
        let title = status.canonical_reason().unwrap_or_default();
        let body = Body { r#type: "about:blank", title, status: status.as_u16(), answer };
        let json = HeaderValue::from_static("application/problem+json");
        let bytes = serde_json::to_vec(&body).expect("strings and numbers are JSON");
        let mut response = (*status, [(header::CONTENT_TYPE, json)], bytes).into_response();
        self.tell(&mut response);
        // For layers that show it in another shape.
        response.extensions_mut().insert(self);
        response
    }
}

#[cfg(test)]
mod tests {
    use kithdb::base::StateError;

    use super::*;

    #[test]
    fn a_collection_that_was_dropped_is_left_out() {
        // Its name was read, and it was dropped before it was looked at; any other failure is told.
        let closed = || Err::<(), _>(Error::from(StateError::Closed { what: "collection" }));
        assert!(unless_dropped(closed()).is_none());
        assert!(unless_dropped(Err::<(), _>(Problem::unknown_route("/x"))).is_some_and(|told| told.is_err()));
        assert!(unless_dropped(Ok::<_, Error>(1)).is_some_and(|told| told.is_ok_and(|one| one == 1)));
    }

    #[test]
    fn every_code_has_its_status() {
        let table = [
            (
                400,
                "invalid_id invalid_name dimension_mismatch invalid_vector invalid_metadata invalid_parameter",
            ),
            (400, "invalid_request invalid_file invalid_filter invalid_key"),
            (404, "unknown_collection unknown_document unknown_key unknown_route"),
            (409, "collection_exists document_exists cancelled"),
            (403, "read_only"),
            (410, "history_gone"),
            (412, "version_mismatch"),
            (413, "too_large"),
            (500, "io_failed corrupt not_resident unsupported_version internal"),
            (503, "no_embedder degraded closed unopenable"),
            (507, "disk_full"),
        ];
        for (status, codes) in table {
            for code in codes.split(' ') {
                assert_eq!(status_of(code).as_u16(), status, "{code}");
            }
        }
    }
}
