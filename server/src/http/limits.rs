//! How much at once and how long: connections, requests, bytes of bodies, and how slow a client may be. Beyond that a
//! request is told to come again (503 with `Retry-After`), or its connection is closed.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
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
    /// Requests at once that are past their head: those that are worked on, and those that wait for it.
    pub requests: usize,
    /// Bytes of all bodies that are held at once.
    pub body_bytes: usize,
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
    /// In so much time at least [`Limits::bytes_least`] of an answer have to go.
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

/// Largest head of a request, in bytes.
pub const HEAD_BYTES_MAX: usize = 32 << 10;
/// So many headers in one.
pub const HEADERS_MAX: usize = 100;

/// What is left of what there is.
pub struct Room {
    limits: Limits,
    requests: Arc<Semaphore>,
    readers: Arc<Semaphore>,
    writers: Arc<Semaphore>,
    body_bytes: Arc<AtomicUsize>,
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
    /// Its place among the requests at once.
    _place: OwnedSemaphorePermit,
    /// What its body takes.
    _body: Option<Reserved>,
}

impl Held {
    /// All that a request holds which needs this role.
    pub fn new(role: Role, place: OwnedSemaphorePermit, body: Option<Reserved>) -> Self {
        Self(Arc::new(Holding { role, _place: place, _body: body }))
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
        Self { limits, requests, readers, writers, body_bytes: Arc::default() }
    }

    /// The limits.
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Room for one more request, held until it is answered.
    ///
    /// # Errors
    /// 503 where there is none.
    pub fn admit(&self) -> Result<OwnedSemaphorePermit, Problem> {
        Arc::clone(&self.requests).try_acquire_owned().map_err(|_| overloaded("requests at once"))
    }

    /// Requests that are past their head, and bytes of bodies that are held.
    pub fn taken(&self) -> (usize, usize) {
        let requests = self.limits.requests.saturating_sub(self.requests.available_permits());
        (requests, self.body_bytes.load(Ordering::Relaxed))
    }

    /// Waits for a thread to work on a request.
    pub async fn thread(&self) -> Option<OwnedSemaphorePermit> {
        let reads = HELD.try_with(|held| held.role() == Role::Read).unwrap_or(false);
        let threads = if reads { &self.readers } else { &self.writers };
        // Nobody closes them.
        Arc::clone(threads).acquire_owned().await.ok()
    }

    /// Room for the body of a request; none is taken yet.
    pub fn body(&self) -> Reserved {
        let (all, limit) = (Arc::clone(&self.body_bytes), self.limits.body_bytes);
        Reserved(Arc::new(Reservation { all, limit, taken: AtomicUsize::new(0) }))
    }
}

/// What the body of one request takes, given back when the last who holds this is gone.
#[derive(Clone)]
pub struct Reserved(Arc<Reservation>);

struct Reservation {
    all: Arc<AtomicUsize>,
    limit: usize,
    taken: AtomicUsize,
}

impl Reserved {
    /// Takes so many bytes more; false when there is no room for them.
    pub fn take(&self, bytes: usize) -> bool {
        let Reservation { all, limit, taken } = &*self.0;
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
