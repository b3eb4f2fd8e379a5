//! What is seen of each request from outside: its id, a line in the log when it is asked for or slow, and counts by route,
//! method and kind of status. Nothing that a client chooses becomes a label, so that there is a bounded number of them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::app::App;
use super::keys::random;
use super::problem::Problem;
use crate::log::{self, LogLevel};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Longest id that a client may give, in characters.
const REQUEST_ID_MAX: usize = 64;
/// Up to so many seconds each.
const BUCKETS: [f64; 9] = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0];

/// Route, method and the first digit of the status.
type Label = (String, &'static str, u16);

/// Counts of requests that were answered.
#[derive(Default)]
pub struct Metrics(Mutex<BTreeMap<Label, Counts>>);

#[derive(Default, Clone, Copy)]
struct Counts {
    requests: u64,
    seconds: f64,
    within: [u64; BUCKETS.len()],
}

impl Metrics {
    fn count(&self, label: Label, seconds: f64) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let counts = all.entry(label).or_default();
        counts.requests += 1;
        counts.seconds += seconds;
        for (within, bound) in counts.within.iter_mut().zip(BUCKETS) {
            *within += u64::from(seconds <= bound);
        }
    }

    /// As Prometheus reads them.
    fn write(&self, text: &mut String) {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        head(text, "kithdb_request_duration_seconds", "histogram", "How long requests took.");
        for ((route, method, class), counts) in all {
            let label = format!("route=\"{route}\",method=\"{method}\",status=\"{class}xx\"");
            let name = "kithdb_request_duration_seconds";
            // Writing to a string does not fail, here and below.
            for (within, bound) in counts.within.iter().zip(BUCKETS) {
                let _ = writeln!(text, "{name}_bucket{{{label},le=\"{bound}\"}} {within}");
            }
            let _ = writeln!(text, "{name}_bucket{{{label},le=\"+Inf\"}} {}", counts.requests);
            let _ = writeln!(text, "{name}_sum{{{label}}} {}", counts.seconds);
            let _ = writeln!(text, "{name}_count{{{label}}} {}", counts.requests);
        }
    }
}

/// Gives a request its id, or keeps the one it has, and notes how it went.
pub async fn observe(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let id = id_of(request.headers()).or_else(|| random::<8>().ok());
    let id = id.and_then(|id| HeaderValue::from_str(&id).ok()).unwrap_or(HeaderValue::from_static("none"));
    request.headers_mut().insert(REQUEST_ID, id.clone());
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let method = name_of(request.method());
    let mut response = next.run(request).await;
    let (took, status) = (begun.elapsed(), response.status().as_u16());
    let slow = took >= app.options().slow;
    let level = if slow { LogLevel::Warn } else { LogLevel::Debug };
    if log::says(level) {
        let (status, took) = (status.to_string(), format!("{:.1}", took.as_secs_f64() * 1e3));
        let message = if slow { "a slow request" } else { "a request" };
        let id = id.to_str().unwrap_or_default();
        let facts = [
            ("method", method),
            ("route", &*route),
            ("status", &*status),
            ("ms", &*took),
            ("request_id", id),
        ];
        log::say(level, message, &facts);
    }
    app.metrics().count((route, method, status / 100), took.as_secs_f64());
    response.headers_mut().insert(REQUEST_ID, id);
    response
}

/// The id that a client gave, where it is one that can stand in a log.
fn id_of(headers: &HeaderMap) -> Option<String> {
    let id = headers.get(REQUEST_ID)?.to_str().ok()?;
    let is_sound = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    ((1..=REQUEST_ID_MAX).contains(&id.len()) && id.bytes().all(is_sound)).then(|| id.to_owned())
}

fn name_of(method: &Method) -> &'static str {
    let all = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    all.into_iter().find(|name| *name == method.as_str()).unwrap_or("other")
}

fn head(text: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

/// The counts, and what the server holds now.
pub async fn metrics(State(app): State<App>) -> Result<Response, Problem> {
    let (names, opened) =
        app.run(|db| Ok::<_, kithdb::base::Error>((db.names()?.len(), db.opened()?.len()))).await?;
    let mut text = String::new();
    app.metrics().write(&mut text);
    let (requests, body_bytes) = app.room().taken();
    for (name, help, value) in [
        ("kithdb_collections", "Collections there are.", names),
        ("kithdb_collections_open", "Collections that are open, the key-value store among them.", opened),
        ("kithdb_requests_in_flight", "Requests that are worked on or wait for it.", requests),
        ("kithdb_request_body_bytes", "Bytes of bodies that are held.", body_bytes),
    ] {
        head(&mut text, name, "gauge", help);
        let _ = writeln!(text, "{name} {value}");
    }
    let content_type = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    Ok(([(header::CONTENT_TYPE, content_type)], text).into_response())
}
