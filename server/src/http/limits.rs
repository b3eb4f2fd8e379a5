//! How much at once and how long: connections, requests, bytes of bodies, and how slow a client may be. Beyond that a
//! request is told to come again (503 with `Retry-After`), or its connection is closed.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::http::StatusCode;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::need::Role;
use super::problem::Problem;

/// What is held back, and from when on.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Connections at once.
    pub connections: usize,
    /// Requests at once whose body is here: those that are worked on, and those that wait for it.
    pub requests: usize,
    /// Bytes of all bodies that are held at once.
    pub body_bytes: usize,
    /// Bytes of all answers that are held at once, from when one is written until it is sent. One longer than half of that
    /// has a place beside it, of which there is one.
    pub answer_bytes: usize,
    /// Requests that only read and are worked on at once; 0 for twice as many as there are cores.
    pub readers: usize,
    /// Requests that write and are worked on at once: most of them wait for the disk, together.
    pub writers: usize,
    /// How long the head of a request may take from its first byte on.
    pub head_within: Duration,
    /// How long a connection may be without a request.
    pub idle_for: Duration,
    /// In so much time at least [`Limits::bytes_least`] of a body have to come.
    pub body_window: Duration,
    /// In so much time at least [`Limits::bytes_least`] of an answer have to go, and of a long one a [`WINDOWS_MAX`]th.
    pub answer_window: Duration,
    /// See there.
    pub bytes_least: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 16_384,
            requests: 1_024,
            body_bytes: 1 << 30,
            answer_bytes: 1 << 30,
            readers: 0,
            writers: 128,
            head_within: Duration::from_secs(10),
            idle_for: Duration::from_secs(75),
            body_window: Duration::from_secs(10),
            answer_window: Duration::from_secs(30),
            bytes_least: 1 << 10,
        }
    }
}

impl Limits {
    /// So many bytes have to go in each window while answers of so many are held.
    pub const fn answer_least(&self, held: usize) -> usize {
        let of_held = held.div_ceil(WINDOWS_MAX);
        if of_held > self.bytes_least { of_held } else { self.bytes_least }
    }
}

/// Largest head of a request, in bytes.
pub const HEAD_BYTES_MAX: usize = 32 << 10;
/// An answer that is not longer is always given, in bytes.
pub const SHORT_ANSWER_BYTES: usize = 64 << 10;
/// A client that takes an answer as slowly as it may has it in so many windows.
const WINDOWS_MAX: usize = 120;
/// So many threads are kept for what is short and must not wait behind long work: whose a token is, and what ends a job.
const ASIDE_MAX: usize = 4;
/// So many answers are packed at once: each takes up to a MiB until it is sent.
const PACKED_MAX: usize = 128;
/// So many headers in one.
pub const HEADERS_MAX: usize = 100;

/// What is left of what there is.
pub struct Room {
    limits: Limits,
    requests: Arc<Semaphore>,
    readers: Arc<Semaphore>,
    writers: Arc<Semaphore>,
    aside: Arc<Semaphore>,
    checks: Arc<Semaphore>,
    body_bytes: Arc<AtomicUsize>,
    answer_bytes: Arc<AtomicUsize>,
    /// For one answer that would take more than half of the room for all: it has this place instead, and takes no room from
    /// others, however long it is.
    large: Arc<Semaphore>,
    large_bytes: Arc<AtomicUsize>,
    packing: Arc<Semaphore>,
}

tokio::task_local! {
    /// What the request holds that is being answered.
    pub static HELD: Held;
}

/// What a request holds until all work for it has ended, also when whoever asked has gone before.
#[derive(Clone)]
pub struct Held(Arc<Holding>);

struct Holding {
    role: Role,
    /// Its place among the requests at once, from when it is worked on or waits for that. Who is slow to send a body has
    /// none yet, and keeps nobody out.
    place: OnceLock<OwnedSemaphorePermit>,
    /// What its body takes.
    _body: Option<Reserved>,
}

impl Held {
    /// All that a request holds which needs this role.
    pub fn new(role: Role, body: Option<Reserved>) -> Self {
        Self(Arc::new(Holding { role, place: OnceLock::new(), _body: body }))
    }

    /// What it needs at least, so that what only computes does not wait for what waits for the disk.
    pub fn role(&self) -> Role {
        self.0.role
    }

    /// That of the request that is being answered; `None` outside of one.
    pub fn current() -> Option<Self> {
        HELD.try_with(Self::clone).ok()
    }
}

impl Room {
    /// All of it.
    pub fn new(limits: Limits) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let readers = if limits.readers == 0 { 2 * cores.max(2) } else { limits.readers };
        let of = |count: usize| Arc::new(Semaphore::new(count));
        let (requests, readers, writers) = (of(limits.requests), of(readers), of(limits.writers));
        let (aside, checks, large, packing) = (of(ASIDE_MAX), of(1), of(1), of(PACKED_MAX));
        let (body_bytes, answer_bytes, large_bytes) = Default::default();
        Self {
            limits,
            requests,
            readers,
            writers,
            aside,
            checks,
            body_bytes,
            answer_bytes,
            large,
            large_bytes,
            packing,
        }
    }

    /// The limits.
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Room for the request that is being answered to be worked on, held until it is; one that has it already keeps it.
    ///
    /// # Errors
    /// 503 where there is none.
    pub fn admit(&self) -> Result<(), Problem> {
        let Some(held) = Held::current().filter(|held| held.0.place.get().is_none()) else { return Ok(()) };
        let place = Arc::clone(&self.requests).try_acquire_owned();
        let place = place.map_err(|_| overloaded("requests at once"))?;
        // Two pieces of work of one request may come here at once: one place is enough.
        drop(held.0.place.set(place));
        Ok(())
    }

    /// Requests that are worked on or wait for it, and bytes of bodies and of answers that are held.
    pub fn taken(&self) -> (usize, usize, usize) {
        let requests = self.limits.requests.saturating_sub(self.requests.available_permits());
        let of = |bytes: &AtomicUsize| bytes.load(Ordering::Relaxed);
        (requests, of(&self.body_bytes), of(&self.answer_bytes) + of(&self.large_bytes))
    }

    /// A place for an answer that is packed while it is sent; `None` where there is none.
    pub fn packing(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.packing).try_acquire_owned().ok()
    }

    /// Waits for a thread to work on a request.
    pub async fn thread(&self) -> Option<OwnedSemaphorePermit> {
        let reads = HELD.try_with(|held| held.role() == Role::Read).unwrap_or(false);
        let threads = if reads { &self.readers } else { &self.writers };
        // Nobody closes them.
        Arc::clone(threads).acquire_owned().await.ok()
    }

    /// As [`Room::thread`], of those that are kept for what is short.
    pub async fn aside(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.aside).acquire_owned().await.ok()
    }

    /// Waits until nobody else has every byte checked: one does so at a time, and who waits for it takes no thread.
    pub async fn check(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.checks).acquire_owned().await.ok()
    }

    /// Room for an answer of so many bytes, until the last of them is sent. A short one always has its room: it may tell
    /// what was written. One that is longer than half of all room, or all of it, is sent beside the others, one at a time.
    ///
    /// # Errors
    /// 503 where there is none.
    pub fn answer(&self, bytes: usize) -> Result<Reserved, Problem> {
        let full = || overloaded("bytes of answers");
        if bytes > (self.limits.answer_bytes / 2).max(SHORT_ANSWER_BYTES) {
            let place = Arc::clone(&self.large).try_acquire_owned().map_err(|_| full())?;
            let reserved = Reserved::of(&self.large_bytes, usize::MAX, Some(place));
            reserved.add(bytes);
            return Ok(reserved);
        }
        let reserved = Reserved::of(&self.answer_bytes, self.limits.answer_bytes, None);
        let has_room = reserved.add(bytes) || bytes <= SHORT_ANSWER_BYTES;
        if has_room { Ok(reserved) } else { Err(full()) }
    }

    /// Room for the body of a request; none is taken yet.
    pub fn body(&self) -> Reserved {
        Reserved::of(&self.body_bytes, self.limits.body_bytes, None)
    }
}

/// What the body of one request, or one answer, takes, given back when the last who holds this is gone.
#[derive(Clone)]
pub struct Reserved(Arc<Reservation>);

struct Reservation {
    all: Arc<AtomicUsize>,
    limit: usize,
    taken: AtomicUsize,
    _place: Option<OwnedSemaphorePermit>,
}

impl Reserved {
    fn of(all: &Arc<AtomicUsize>, limit: usize, place: Option<OwnedSemaphorePermit>) -> Self {
        let all = Arc::clone(all);
        Self(Arc::new(Reservation { all, limit, taken: AtomicUsize::new(0), _place: place }))
    }

    /// Takes so many bytes more; false when there is no room for them, and then takes none.
    pub fn take(&self, bytes: usize) -> bool {
        let has_room = self.add(bytes);
        if !has_room {
            self.give(bytes);
        }
        has_room
    }

    /// Gives back so many of the bytes that were taken.
    pub fn give(&self, bytes: usize) {
        self.0.taken.fetch_sub(bytes, Ordering::Relaxed);
        self.0.all.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Takes so many bytes more; whether there was room for them.
    fn add(&self, bytes: usize) -> bool {
        let Reservation { all, limit, taken, .. } = &*self.0;
        taken.fetch_add(bytes, Ordering::Relaxed);
        all.fetch_add(bytes, Ordering::Relaxed) + bytes <= *limit
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.all.fetch_sub(*self.taken.get_mut(), Ordering::Relaxed);
    }
}

/// Come again.
pub fn overloaded(what: &str) -> Problem {
    let message = format!("the server has as many {what} as it takes; try again");
    Problem::http(StatusCode::SERVICE_UNAVAILABLE, "overloaded", message).retry_after(Duration::from_secs(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A backup that is longer than all room for answers is sent beside the others, and keeps none of them out.
    #[test]
    fn the_longest_answer_has_a_place_of_its_own() {
        const ALL: usize = 1 << 20;
        let room = Room::new(Limits { answer_bytes: ALL, ..Limits::default() });
        let longest = room.answer(5 * ALL).ok();
        assert!(longest.is_some() && room.answer(5 * ALL).is_err());
        let others = [room.answer(ALL / 2).ok(), room.answer(ALL / 2).ok()];
        assert!(others.iter().all(Option::is_some) && room.answer(ALL / 2).is_err());
        assert!(room.answer(SHORT_ANSWER_BYTES).is_ok());
        assert_eq!(room.taken().2, 6 * ALL);
        drop((longest, others));
        assert_eq!(room.taken().2, 0);
        assert!(room.answer(5 * ALL).is_ok());
    }
}
