//! `Idempotency-Key`: what changes something under a key is done once. Who asks again under the key, because no answer came,
//! gets the first answer, also when the first is still being worked on; who asks for something else is refused.
//!
//! Answers are remembered by this process, so many and for so long. An answer that tells of a failure of ours is not:
//! asking again may help.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header, request::Parts, response};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::sync::watch;

use super::BATCH_BYTES_MAX;
use super::app::App;
use super::extract::read;
use super::problem::Problem;

/// So many are remembered, the oldest of which are forgotten first.
const KEYS_MAX: usize = 4_096;
/// A longer answer is not remembered, in bytes: those to changes are short.
const ANSWER_BYTES_MAX: usize = 16 << 10;
/// How long one is remembered.
const REMEMBERED_FOR: Duration = Duration::from_secs(3600);
/// Longest key, in bytes.
const KEY_BYTES_MAX: usize = 255;

/// An answer that can be given again.
#[derive(Debug, Clone)]
struct Answered {
    parts: Arc<response::Parts>,
    body: Bytes,
}

/// What became of a request under a key: nothing yet; an answer; or none that is remembered.
type Outcome = Option<Option<Answered>>;

struct Known {
    /// Of all that the request was.
    digest: u64,
    since: Instant,
    outcome: watch::Receiver<Outcome>,
}

/// The keys that are remembered.
#[derive(Clone, Default)]
pub struct Remembered(Arc<Mutex<Table>>, RandomState);

#[derive(Default)]
struct Table {
    known: HashMap<(u64, String), Known>,
    /// From the oldest.
    order: VecDeque<(u64, String)>,
}

enum Turn {
    /// Nobody has asked under this key.
    First(watch::Sender<Outcome>),
    /// Somebody has, for the same.
    Again(watch::Receiver<Outcome>),
    /// Somebody has, for something else.
    Other,
}

impl Remembered {
    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn turn(&self, name: &(u64, String), digest: u64) -> Turn {
        let mut table = self.table();
        let now = Instant::now();
        while let Some(oldest) = table.order.front() {
            let is_over = table.known.get(oldest).is_none_or(|known| now - known.since > REMEMBERED_FOR);
            if !is_over && table.order.len() < KEYS_MAX {
                break;
            }
            if let Some(oldest) = table.order.pop_front() {
                table.known.remove(&oldest);
            }
        }
        if let Some(known) = table.known.get(name) {
            return if known.digest == digest { Turn::Again(known.outcome.clone()) } else { Turn::Other };
        }
        let (tell, outcome) = watch::channel(None);
        table.known.insert(name.clone(), Known { digest, since: now, outcome });
        table.order.push_back(name.clone());
        Turn::First(tell)
    }

    fn forget(&self, name: &(u64, String)) {
        let mut table = self.table();
        table.known.remove(name);
        table.order.retain(|known| known != name);
    }
}

/// Forgets a key whose request ended without an answer to remember, however it ended.
struct Pending {
    keys: Remembered,
    name: (u64, String),
    is_answered: bool,
}

impl Drop for Pending {
    fn drop(&mut self) {
        if !self.is_answered {
            self.keys.forget(&self.name);
        }
    }
}

/// Does what changes something under a key once.
///
/// # Errors
/// 422 for a key under which something else was asked; 400 for one that cannot be a key; 413 for a body that is too
/// large to be compared.
pub async fn once(State(app): State<App>, request: Request, next: Next) -> Result<Response, Problem> {
    let Some(key) = key_of(&request)? else { return Ok(next.run(request).await) };
    let (parts, body) = request.into_parts();
    let body = read(body, BATCH_BYTES_MAX).await?;
    let keys = app.once();
    // A key is its caller's: nobody gets an answer to somebody else.
    let name = (keys.1.hash_one(parts.headers.get(header::AUTHORIZATION)), key);
    loop {
        match keys.turn(&name, digest(keys, &parts, &body)) {
            Turn::Other => return Err(other_request(&name.1)),
            Turn::First(tell) => {
                let request = Request::from_parts(parts, Body::from(body));
                let pending = Pending { keys: keys.clone(), name, is_answered: false };
                // Whoever asked may be gone before it is done: it is done all the same, and remembered.
                let work = tokio::spawn(first(tell, pending, request, next));
                return work.await.map_err(|_| Problem::internal());
            }
            Turn::Again(mut outcome) => {
                let known = outcome.wait_for(Option::is_some).await.ok().and_then(|known| (*known).clone());
                if let Some(Some(answered)) = known {
                    return Ok(answered.again());
                }
                // It ended without an answer to remember: it is done anew.
            }
        }
    }
}

async fn first(tell: watch::Sender<Outcome>, mut pending: Pending, request: Request, next: Next) -> Response {
    let (parts, body) = next.run(request).await.into_parts();
    let is_final = !parts.status.is_server_error() && parts.status != StatusCode::UNAUTHORIZED;
    let is_short = body_len(&body).is_some_and(|len| len <= ANSWER_BYTES_MAX as u64);
    if !is_final || !is_short {
        return Response::from_parts(parts, body);
    }
    let Ok(body) = to_bytes(body, ANSWER_BYTES_MAX).await else { return Problem::internal().into_response() };
    let answered = Answered { parts: Arc::new(parts), body };
    pending.is_answered = true;
    tell.send_replace(Some(Some(answered.clone())));
    answered.response()
}

fn body_len(body: &Body) -> Option<u64> {
    axum::body::HttpBody::size_hint(body).exact()
}

impl Answered {
    fn response(&self) -> Response {
        Response::from_parts((*self.parts).clone(), Body::from(self.body.clone()))
    }

    /// With a word that it is not the first.
    fn again(&self) -> Response {
        let mut response = self.response();
        response.headers_mut().insert("idempotency-replayed", HeaderValue::from_static("true"));
        response
    }
}

/// The key of a request that changes something.
fn key_of(request: &Request) -> Result<Option<String>, Problem> {
    let is_change = matches!(*request.method(), Method::POST | Method::PUT | Method::PATCH | Method::DELETE);
    if !is_change || !request.uri().path().starts_with("/v1/") {
        return Ok(None);
    }
    let Some(key) = request.headers().get("idempotency-key") else { return Ok(None) };
    match key.to_str() {
        Ok(key) if (1..=KEY_BYTES_MAX).contains(&key.len()) => Ok(Some(key.to_owned())),
        _ => {
            let message = "invalid Idempotency-Key";
            let problem = Problem::http(StatusCode::BAD_REQUEST, "invalid_request", message);
            Err(problem.facts("1 to 255 visible ASCII characters", "something else"))
        }
    }
}

/// Of all that says what is asked for.
fn digest(keys: &Remembered, parts: &Parts, body: &Bytes) -> u64 {
    let conditions = [header::CONTENT_TYPE, header::IF_MATCH, header::IF_NONE_MATCH];
    let headers = conditions.map(|name| parts.headers.get(name));
    keys.1.hash_one((&parts.method, parts.uri.path_and_query(), headers, body))
}

fn other_request(key: &str) -> Problem {
    let message = "this Idempotency-Key was sent with another request";
    let problem = Problem::http(StatusCode::UNPROCESSABLE_ENTITY, "idempotency_key_reused", message);
    problem
        .facts("the same request, or another key", kithdb::base::ids::shorten(key))
        .hint("take a new key for each change")
}
