//! What is seen of each request from outside: its id, a line in the log when it is asked for or slow, and counts by route,
//! method and kind of status. Nothing that a client chooses becomes a label, so that there is a bounded number of them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use kithdb::host::heap;

use super::app::App;
use super::keys::random;
use super::problem::Problem;
use crate::log::{self, LogLevel};
use crate::process::ProcessFigures;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Longest id that a client may give, in characters.
const REQUEST_ID_MAX: usize = 64;
/// Up to so many seconds each.
const BUCKETS: [f64; 9] = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0];

/// Route, method and kind of status.
type Label = (String, &'static str, &'static str);

/// Counts of requests.
#[derive(Default)]
pub struct Metrics(Mutex<All>);

#[derive(Default, Clone)]
struct All {
    requests: BTreeMap<Label, Counts>,
    /// How many streams were begun, by route. How long one lasts is its client's choice, so that it has no time.
    streams: BTreeMap<String, u64>,
}

#[derive(Default, Clone, Copy)]
struct Counts {
    requests: u64,
    seconds: f64,
    within: [u64; BUCKETS.len()],
}

impl Metrics {
    fn all(&self) -> MutexGuard<'_, All> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self, label: Label, seconds: f64) {
        let mut all = self.all();
        let counts = all.requests.entry(label).or_default();
        counts.requests += 1;
        counts.seconds += seconds;
        for (within, bound) in counts.within.iter_mut().zip(BUCKETS) {
            *within += u64::from(seconds <= bound);
        }
    }

    fn count_stream(&self, route: String) {
        *self.all().streams.entry(route).or_default() += 1;
    }

    /// As Prometheus reads them.
    fn write(&self, text: &mut String) {
        let All { requests, streams } = self.all().clone();
        let name = "kithdb_request_duration_seconds";
        head(text, name, "histogram", "How long requests took until they were answered.");
        for ((route, method, kind), counts) in requests {
            let label = format!("route=\"{route}\",method=\"{method}\",status=\"{kind}\"");
            // Writing to a string does not fail, here and below.
            for (within, bound) in counts.within.iter().zip(BUCKETS) {
                let _ = writeln!(text, "{name}_bucket{{{label},le=\"{bound}\"}} {within}");
            }
            let _ = writeln!(text, "{name}_bucket{{{label},le=\"+Inf\"}} {}", counts.requests);
            let _ = writeln!(text, "{name}_sum{{{label}}} {}", counts.seconds);
            let _ = writeln!(text, "{name}_count{{{label}}} {}", counts.requests);
        }
        let name = "kithdb_event_streams_total";
        head(text, name, "counter", "Streams of events that were begun.");
        for (route, count) in streams {
            let _ = writeln!(text, "{name}{{route=\"{route}\"}} {count}");
        }
    }
}

/// A request that is worked on. It is noted when this is dropped, also when its client left before the answer.
struct Seen {
    app: App,
    begun: Instant,
    route: String,
    method: &'static str,
    id: HeaderValue,
    outcome: Outcome,
}

enum Outcome {
    /// Nobody is left to be answered.
    Gone,
    Answered(StatusCode),
    /// Answered with a stream of events.
    Stream(StatusCode),
}

impl Drop for Seen {
    fn drop(&mut self) {
        let took = self.begun.elapsed();
        let status = match self.outcome {
            Outcome::Gone => "gone",
            Outcome::Answered(ref status) | Outcome::Stream(ref status) => status.as_str(),
        };
        let (is_stream, route) = (matches!(self.outcome, Outcome::Stream(_)), &*self.route);
        let is_slow = !is_stream && took >= self.app.options().slow;
        let level = if is_slow { LogLevel::Warn } else { LogLevel::Debug };
        if log::says(level) {
            let (ms, id) = (format!("{:.1}", took.as_secs_f64() * 1e3), self.id.to_str().unwrap_or_default());
            let (method, request_id) = (("method", self.method), ("request_id", id));
            let facts = [method, ("route", route), ("status", status), ("ms", &*ms), request_id];
            let message = match (is_slow, is_stream) {
                (true, _) => "a slow request",
                (_, true) => "a stream of events begins",
                _ => "a request",
            };
            log::say(level, message, &facts);
        }
        let route = std::mem::take(&mut self.route);
        if is_stream {
            self.app.metrics().count_stream(route);
        } else {
            let label = (route, self.method, kind_of(&self.outcome));
            self.app.metrics().count(label, took.as_secs_f64());
        }
    }
}

/// Gives a request its id, or keeps the one it has, and notes how it went.
pub async fn observe(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let id = id_of(request.headers()).or_else(|| random::<8>().ok());
    let id = id.and_then(|id| HeaderValue::from_str(&id).ok()).unwrap_or(HeaderValue::from_static("none"));
    request.headers_mut().insert(REQUEST_ID, id.clone());
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let (method, begun) = (name_of(request.method()), Instant::now());
    let mut seen = Seen { app, begun, route, method, id: id.clone(), outcome: Outcome::Gone };
    let mut response = next.run(request).await;
    let is_stream = response.headers().get(header::CONTENT_TYPE).is_some_and(|of| of == "text/event-stream");
    let answered = if is_stream { Outcome::Stream } else { Outcome::Answered };
    seen.outcome = answered(response.status());
    response.headers_mut().insert(REQUEST_ID, id);
    response
}

fn kind_of(outcome: &Outcome) -> &'static str {
    let (Outcome::Answered(status) | Outcome::Stream(status)) = outcome else { return "gone" };
    match status.as_u16() / 100 {
        1 => "1xx",
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        _ => "5xx",
    }
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
    let told = app.run_aside(|db| {
        let (names, opened) = (db.names()?.len(), db.opened()?.len());
        Ok::<_, kithdb::base::Error>((names, opened, db.memory()?, ProcessFigures::now(), heap()))
    });
    let (names, opened, memory, process, heap) = told.await?;
    let mut text = String::new();
    app.metrics().write(&mut text);
    let (requests, body_bytes, answer_bytes) = app.room().taken();
    let known = |count: usize| Some(count as u64);
    for (name, help, value) in [
        ("kithdb_event_streams_open", "Streams of events that are open.", known(app.events().open())),
        ("kithdb_collections", "Collections there are.", known(names)),
        (
            "kithdb_collections_open",
            "Collections that are open, the key-value store among them.",
            known(opened),
        ),
        ("kithdb_requests_in_flight", "Requests that are worked on or wait for it.", known(requests)),
        ("kithdb_request_body_bytes", "Bytes of bodies that are held.", known(body_bytes)),
        ("kithdb_answer_bytes", "Bytes of answers that are written and not sent.", known(answer_bytes)),
        (
            "kithdb_memory_max_bytes",
            "What documents that are not sealed, and jobs, may take.",
            Some(memory.max),
        ),
        (
            "kithdb_unsealed_bytes",
            "Documents that are not sealed, of open collections.",
            Some(memory.unsealed),
        ),
        ("kithdb_copied_bytes", "Copies on huge pages of what searches read all over.", Some(memory.copied)),
        ("kithdb_heap_taken_bytes", "What C's heap has of the system.", heap.map(|heap| heap.taken)),
        ("kithdb_heap_used_bytes", "What of it is given out.", heap.map(|heap| heap.used)),
        ("process_resident_memory_bytes", "Bytes of the process in memory.", process.resident_bytes),
        (
            "kithdb_resident_file_bytes",
            "Bytes of these that are of files, which the system takes back where it needs room.",
            process.mapped_bytes,
        ),
        ("process_threads", "Threads of the process.", process.threads),
        ("process_open_fds", "Open files and connections of the process.", process.descriptors),
        ("process_max_fds", "So many of them there may be.", process.descriptors_max),
    ] {
        // What the system does not tell is left out.
        let Some(value) = value else { continue };
        head(&mut text, name, "gauge", help);
        let _ = writeln!(text, "{name} {value}");
    }
    let content_type = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    Ok(([(header::CONTENT_TYPE, content_type)], text).into_response())
}
