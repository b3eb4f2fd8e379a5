//! `Idempotency-Key`: what changes something under a key is done once. Who asks again under the key, because no answer came,
//! gets the first answer, also when the first is still being worked on; who asks for something else is refused.
//!
//! Answers are remembered by this process, so many and for so long. One that asking again may change, a failure of ours or
//! a request that came too slowly, is not. Nor is any to who looks after the server: access keys are secrets.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header, request::Parts, response};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::sync::watch;
use tokio::time::Instant;

use super::BATCH_BYTES_MAX;
use super::app::App;
use super::extract::read;
use super::limits::{HELD, Held};
use super::need::Role;
use super::problem::Problem;

/// So many answers are remembered. Beyond that the oldest is forgotten of the caller who has most.
const KEYS_MAX: usize = 4_096;
/// A longer answer is not remembered, in bytes: those to changes are short.
const ANSWER_BYTES_MAX: usize = 16 << 10;
/// How long one is remembered, from when it was given.
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

/// A key and its caller: nobody gets an answer to somebody else.
type Name = (u64, String);

struct Known {
    /// Of all that the request was.
    digest: u64,
    outcome: watch::Receiver<Outcome>,
}

/// The keys that are remembered.
#[derive(Clone, Default)]
pub struct Remembered(Arc<Mutex<Table>>, RandomState);

#[derive(Default)]
struct Table {
    callers: HashMap<u64, Asked>,
    /// How many answers all of them have.
    answered: usize,
}

/// What one caller has asked under keys.
#[derive(Default)]
struct Asked {
    /// Answered and not: what is still being worked on stays until it ends, however long and however many there are.
    known: HashMap<String, Known>,
    /// The answered ones and since when, from the oldest.
    answered: VecDeque<(Instant, String)>,
}

enum Turn {
    /// Nobody has asked under this key.
    First(watch::Sender<Outcome>),
    /// Somebody has, for the same.
    Again(watch::Receiver<Outcome>),
    /// Somebody has, for something else.
    Other,
}

impl Asked {
    fn forget_oldest(&mut self) {
        if let Some((_, oldest)) = self.answered.pop_front() {
            self.known.remove(&oldest);
        }
    }
}

impl Table {
    /// Forgets what is over, and the oldest where there are too many.
    fn shrink(&mut self) {
        for asked in self.callers.values_mut() {
            while asked.answered.front().is_some_and(|(since, _)| since.elapsed() > REMEMBERED_FOR) {
                asked.forget_oldest();
                self.answered -= 1;
            }
        }
        while self.answered > KEYS_MAX {
            let Some(most) = self.callers.values_mut().max_by_key(|asked| asked.answered.len()) else {
                break;
            };
            most.forget_oldest();
            self.answered -= 1;
        }
        self.callers.retain(|_, asked| !asked.known.is_empty());
    }
}

impl Remembered {
    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn turn(&self, (caller, key): &Name, digest: u64) -> Turn {
        let mut table = self.table();
        table.shrink();
        let asked = table.callers.entry(*caller).or_default();
        if let Some(known) = asked.known.get(key) {
            return if known.digest == digest { Turn::Again(known.outcome.clone()) } else { Turn::Other };
        }
        let (tell, outcome) = watch::channel(None);
        asked.known.insert(key.clone(), Known { digest, outcome });
        Turn::First(tell)
    }

    /// From now on it may be forgotten.
    fn answered(&self, (caller, key): &Name) {
        let mut table = self.table();
        let asked = table.callers.entry(*caller).or_default();
        asked.answered.push_back((Instant::now(), key.clone()));
        table.answered += 1;
        table.shrink();
    }

    fn forget(&self, (caller, key): &Name) {
        if let Some(asked) = self.table().callers.get_mut(caller) {
            asked.known.remove(key);
        }
    }
}

/// A key whose request has not ended. Where it ends without an answer to remember, however it ends, the key is forgotten:
/// until then nothing else takes it out of the table, and no other request comes into its place.
struct Pending {
    keys: Remembered,
    name: Name,
    is_answered: bool,
}

impl Drop for Pending {
    fn drop(&mut self) {
        if self.is_answered {
            self.keys.answered(&self.name);
        } else {
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
    let name = (keys.1.hash_one(parts.headers.get(header::AUTHORIZATION)), key);
    loop {
        match keys.turn(&name, digest(keys, &parts, &body)) {
            Turn::Other => return Err(other_request(&name.1)),
            Turn::First(tell) => {
                let request = Request::from_parts(parts, Body::from(body));
                let pending = Pending { keys: keys.clone(), name, is_answered: false };
                // Whoever asked may be gone before it is done: it is done all the same, and remembered.
                // Until then it holds what it would hold otherwise.
                let held = Held::current().ok_or_else(Problem::internal)?;
                let work = tokio::spawn(HELD.scope(held, first(tell, pending, request, next)));
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
    let is_short = body_len(&body).is_some_and(|len| len <= ANSWER_BYTES_MAX as u64);
    if !is_final(&parts) || !is_short {
        return Response::from_parts(parts, body);
    }
    let Ok(body) = to_bytes(body, ANSWER_BYTES_MAX).await else { return Problem::internal().into_response() };
    // A copy: what an answer takes of the room for all of them is given back when it is sent, not when it is forgotten.
    let answered = Answered { parts: Arc::new(parts), body: Bytes::copy_from_slice(&body) };
    pending.is_answered = true;
    tell.send_replace(Some(Some(answered.clone())));
    answered.response()
}

/// Whether asking again would be answered in the same way. A failure of ours passes; so does what a client was too slow
/// or too often for, what somebody cancelled, and what a token was not good for.
fn is_final(parts: &response::Parts) -> bool {
    let is_cancelled = parts.extensions.get::<Problem>().is_some_and(|problem| problem.code() == "cancelled");
    let passes = [StatusCode::UNAUTHORIZED, StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_MANY_REQUESTS]
        .contains(&parts.status);
    !(parts.status.is_server_error() || passes || is_cancelled)
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

/// The key of a request that changes what is stored. What reads is read anew each time, also where it is posted.
fn key_of(request: &Request) -> Result<Option<String>, Problem> {
    let is_change = Held::current().is_some_and(|held| held.role() == Role::Write);
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

#[cfg(test)]
mod tests {
    use super::*;

    const TWICE: Duration = REMEMBERED_FOR.saturating_mul(2);

    fn name(caller: u64, key: usize) -> Name {
        (caller, key.to_string())
    }

    /// Asks, as somebody who is the first to.
    fn begin(keys: &Remembered, name: &Name) -> (watch::Sender<Outcome>, Pending) {
        let Turn::First(tell) = keys.turn(name, 1) else { panic!("{name:?} is known") };
        (tell, Pending { keys: keys.clone(), name: name.clone(), is_answered: false })
    }

    fn answer(keys: &Remembered, name: &Name) {
        let (tell, mut pending) = begin(keys, name);
        let parts = Arc::new(Response::new(()).into_parts().0);
        tell.send_replace(Some(Some(Answered { parts, body: Bytes::new() })));
        pending.is_answered = true;
    }

    fn is_known(keys: &Remembered, name: &Name) -> bool {
        keys.table().callers.get(&name.0).is_some_and(|asked| asked.known.contains_key(&name.1))
    }

    /// A slow import is asked for again while its caller's other keys fill the table, and after an hour: it is not begun a
    /// second time. When it fails it is forgotten, and asked for anew it is the newer request's alone.
    #[tokio::test(start_paused = true)]
    async fn what_is_worked_on_is_not_forgotten() {
        let keys = Remembered::default();
        let slow = name(1, usize::MAX);
        let (tell, pending) = begin(&keys, &slow);
        for key in 0..KEYS_MAX + 10 {
            answer(&keys, &name(1, key));
            assert!(matches!(keys.turn(&slow, 1), Turn::Again(_)), "after {key}");
        }
        tokio::time::advance(TWICE).await;
        assert!(matches!(keys.turn(&slow, 1), Turn::Again(_)));
        assert!(matches!(keys.turn(&slow, 2), Turn::Other));
        drop((pending, tell));
        let (_tell, _pending) = begin(&keys, &slow);
        assert!(matches!(keys.turn(&slow, 1), Turn::Again(_)));
    }

    /// A retry comes when the table is full: it finds its own answer, which looking for it does not push out.
    #[test]
    fn asking_again_forgets_nothing() {
        let keys = Remembered::default();
        (0..KEYS_MAX).for_each(|key| answer(&keys, &name(1, key)));
        for key in 0..KEYS_MAX {
            assert!(matches!(keys.turn(&name(1, key), 1), Turn::Again(_)), "{key}");
        }
    }

    /// One caller sends ten thousand keys: what it loses are its own, not the few of another.
    #[test]
    fn a_caller_with_many_keys_forgets_its_own() {
        let keys = Remembered::default();
        (0..100).for_each(|key| answer(&keys, &name(2, key)));
        (0..10_000).for_each(|key| answer(&keys, &name(1, key)));
        assert!((0..100).all(|key| is_known(&keys, &name(2, key))));
        let oldest = 10_000 - (KEYS_MAX - 100);
        assert!((0..10_000).all(|key| is_known(&keys, &name(1, key)) == (key >= oldest)));
        assert_eq!(keys.table().answered, KEYS_MAX);
    }

    /// An answer that took two hours is remembered for one more, and then gone with its caller.
    #[tokio::test(start_paused = true)]
    async fn an_answer_is_remembered_from_when_it_was_given() {
        let keys = Remembered::default();
        let (tell, mut pending) = begin(&keys, &name(1, 1));
        tokio::time::advance(TWICE).await;
        tell.send_replace(Some(None));
        pending.is_answered = true;
        drop(pending);
        tokio::time::advance(REMEMBERED_FOR).await;
        assert!(matches!(keys.turn(&name(1, 1), 1), Turn::Again(_)));
        tokio::time::advance(Duration::from_secs(1)).await;
        keys.table().shrink();
        assert!(keys.table().callers.is_empty());
        assert_eq!(keys.table().answered, 0);
    }
}
