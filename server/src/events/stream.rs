//! A stream of server-sent events (WHATWG HTML, 9.2) that tells changes from a number on, for as long as its client
//! reads it. It ends when the server does.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream::unfold;
use kithdb::base::Change;
use tokio::sync::watch;

use super::ring::{Batch, Events, Room};
use crate::http::{App, Caller, Problem};

/// A stream with nothing to tell says so once in this time, so that neither side takes the other for gone.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// About so many bytes are written at once.
const CHUNK_BYTES: usize = 64 << 10;

/// How a change is shown: the name of its event, and its data as JSON; `None` where an API has no such event.
pub type Shape = fn(&Batch, &Change) -> Option<(&'static str, String)>;

struct State {
    app: App,
    events: Events,
    shape: Shape,
    asked: Asked,
    /// The number of the next change to tell.
    next: u64,
    /// Batches that were found and are not told to their end; they stay, whatever is forgotten meanwhile.
    batches: VecDeque<Arc<Batch>>,
    changed: watch::Receiver<bool>,
    /// What is to be told before anything else.
    first: Vec<u8>,
    _room: Room,
}

/// Which changes a stream tells.
pub struct Asked {
    /// Those that its client may see.
    pub caller: Caller,
    /// Of these, those of one collection, or of all.
    pub collection: Option<String>,
}

/// The changes from now on, or after the one that the client saw last (`Last-Event-ID`), as far as they are remembered.
///
/// It ends once the key of who asked is revoked or has expired.
///
/// # Errors
/// 503 when there are too many streams, or too many of this key.
pub fn stream(app: &App, headers: &HeaderMap, asked: Asked, shape: Shape) -> Result<Response, Problem> {
    let events = app.events();
    let room = events.admit(asked.caller.key()).ok_or_else(|| {
        let message = "too many streams of events are open; try again later";
        Problem::http(StatusCode::SERVICE_UNAVAILABLE, "too_many_streams", message)
    })?;
    let mut first = b": KithDB tells what is written\n\n".to_vec();
    // Before the number is read: whatever comes after that is seen.
    let changed = events.watch();
    let next = match headers.get("last-event-id").map(|id| seen(events, id)) {
        None => events.next(),
        Some(Some(last)) => last + 1,
        // Of another start of the server: how many there were since is not known.
        Some(None) => {
            lagged(&mut first, None);
            events.oldest()
        }
    };
    let (app, events, batches) = (app.clone(), events.clone(), VecDeque::new());
    let state = State { app, events, shape, asked, next, batches, changed, first, _room: room };
    let told = unfold(state, |mut state| async move {
        let chunk = state.chunk().await?;
        Some((Ok::<_, Infallible>(Bytes::from(chunk)), state))
    });
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        // Proxies that know it pass every event on at once.
        (header::HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")),
    ];
    Ok((headers, Body::from_stream(told)).into_response())
}

/// The number that a client saw last; `None` when it is none of this start of the server.
fn seen(events: &Events, id: &HeaderValue) -> Option<u64> {
    let (start, number) = id.to_str().ok()?.split_once('-')?;
    let number: u64 = number.parse().ok()?;
    (start == start_text(events) && number < events.next()).then_some(number)
}

fn start_text(events: &Events) -> String {
    format!("{:016x}", events.start())
}

/// Tells that changes are forgotten which the client has not seen: how many, where that is known.
fn lagged(out: &mut Vec<u8>, missed: Option<u64>) {
    let missed = missed.map_or("null".to_owned(), |missed| missed.to_string());
    out.extend(format!("event: lagged\ndata: {{\"missed\":{missed}}}\n\n").bytes());
}

impl Asked {
    fn wants(&self, collection: &str) -> bool {
        let is_asked_for = self.collection.as_ref().is_none_or(|wanted| wanted == collection);
        is_asked_for && self.caller.may_use(collection)
    }
}

impl State {
    /// What is to be written next; `None` when the stream ends.
    async fn chunk(&mut self) -> Option<Vec<u8>> {
        let mut out = std::mem::take(&mut self.first);
        loop {
            // Before it is looked what there is: what comes after that is seen by `changed`.
            let has_ended = *self.changed.borrow_and_update();
            if !self.still_let_in() {
                return None;
            }
            self.find(&mut out);
            let is_idle = self.batches.is_empty();
            self.tell(&mut out);
            if !out.is_empty() {
                return Some(out);
            }
            if !is_idle {
                // There was something, and none of it for this stream.
                tokio::task::yield_now().await;
                continue;
            }
            if has_ended {
                return None;
            }
            match tokio::time::timeout(HEARTBEAT, self.changed.changed()).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return None,
                Err(_) => return self.still_let_in().then(|| b": nothing new\n\n".to_vec()),
            }
        }
    }

    fn still_let_in(&self) -> bool {
        self.app.keys().still_let_in(&self.asked.caller, &*self.app.db().options().clock)
    }

    /// Looks for what is to be told, unless there is some.
    fn find(&mut self, out: &mut Vec<u8>) {
        if !self.batches.is_empty() {
            return;
        }
        let found = self.events.from(self.next);
        if found.missed > 0 {
            lagged(out, Some(found.missed));
            self.next += found.missed;
        }
        self.batches = found.batches.into();
    }

    /// Writes what there is, up to about a chunk.
    fn tell(&mut self, out: &mut Vec<u8>) {
        let start = start_text(&self.events);
        while let Some(batch) = self.batches.front() {
            if !self.asked.wants(&batch.collection) {
                self.next = batch.end();
            }
            while self.next < batch.end() {
                if out.len() >= CHUNK_BYTES {
                    return;
                }
                let number = self.next;
                if let Some((name, data)) =
                    (self.shape)(batch, &batch.changes[(number - batch.first) as usize])
                {
                    out.extend(format!("id: {start}-{number}\nevent: {name}\ndata: {data}\n\n").bytes());
                }
                self.next += 1;
            }
            self.batches.pop_front();
        }
    }
}
