//! What every handler shares: the database, and the way to call it without holding up other requests.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use kithdb::base::NoObserver;
use kithdb::host::Db;
use kithdb::wire::{Columns, PACKED_TYPE};
use serde::Serialize;
use tokio::sync::OwnedSemaphorePermit;

use super::access::TokenDigest;
use super::coding::PackedOnce;
use super::cors::Origin;
use super::extract::Form;
use super::failures::Failures;
use super::keys::Keys;
use super::limits::{Held, Limits, Reserved, Room};
use super::observe::Metrics;
use super::once::Remembered;
use super::problem::Problem;
use super::tasks::Tasks;
use crate::events::Events;

/// Shared by all requests.
#[derive(Clone)]
pub struct App(Arc<Inner>);

struct Inner {
    db: Db,
    options: AppOptions,
    tasks: Tasks,
    keys: Keys,
    failures: Failures,
    room: Room,
    once: Remembered,
    packed_once: PackedOnce,
    started: Instant,
    metrics: Metrics,
}

/// How a database is served.
#[derive(Clone)]
pub struct AppOptions {
    /// The address that is listened on.
    pub listen: SocketAddr,
    /// The directory that the database's embedder was loaded from.
    pub embedder: Option<PathBuf>,
    /// Of the token that may do everything; `None`: whoever reaches the port may.
    pub token: Option<TokenDigest>,
    /// More names that requests may have as their Host, with a port or with any.
    pub allowed_hosts: Vec<String>,
    /// Origins of other servers' pages that may ask this one.
    pub cors_origins: Vec<Origin>,
    /// Origins of other servers that the pages of this one may ask.
    pub remote_origins: Vec<Origin>,
    /// How much at once, and how long.
    pub limits: Limits,
    /// What is written: the observer that the database was opened with.
    pub events: Events,
    /// A request that takes longer is logged as slow.
    pub slow: Duration,
}

impl AppOptions {
    /// Open to whoever reaches this address, with the limits that there are.
    pub fn at(listen: SocketAddr) -> Self {
        let (limits, events, slow) = (Limits::default(), Events::new(NoObserver), Duration::from_secs(3_600));
        let (allowed_hosts, cors_origins, remote_origins) = (vec![], vec![], vec![]);
        Self {
            listen,
            embedder: None,
            token: None,
            allowed_hosts,
            cors_origins,
            remote_origins,
            limits,
            events,
            slow,
        }
    }
}

impl App {
    /// Serves this database.
    pub fn new(db: Db, options: AppOptions) -> Self {
        let (tasks, keys, once) = (Tasks::default(), Keys::default(), Remembered::default());
        let (failures, packed_once) = (Failures::default(), PackedOnce::default());
        let (room, started, metrics) = (Room::new(options.limits), Instant::now(), Metrics::default());
        Self(Arc::new(Inner {
            db,
            options,
            tasks,
            keys,
            failures,
            room,
            once,
            packed_once,
            started,
            metrics,
        }))
    }

    /// The database.
    pub fn db(&self) -> &Db {
        &self.0.db
    }

    /// How it is served.
    pub fn options(&self) -> &AppOptions {
        &self.0.options
    }

    /// Counts of requests.
    pub fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    /// What there is room for.
    pub fn room(&self) -> &Room {
        &self.0.room
    }

    /// Answers that are packed once.
    pub fn packed_once(&self) -> &PackedOnce {
        &self.0.packed_once
    }

    /// Since when it serves.
    pub fn uptime(&self) -> Duration {
        self.0.started.elapsed()
    }

    /// Work that goes on after its request was answered.
    pub fn tasks(&self) -> &Tasks {
        &self.0.tasks
    }

    /// What is done once.
    pub fn once(&self) -> &Remembered {
        &self.0.once
    }

    /// What was written.
    pub fn events(&self) -> &Events {
        &self.0.options.events
    }

    /// The directory of the embedder.
    pub fn embedder_directory(&self) -> Option<&Path> {
        self.0.options.embedder.as_deref()
    }

    /// The addresses that tokens failed from.
    pub fn failures(&self) -> &Failures {
        &self.0.failures
    }

    /// The keys that tokens are checked against.
    pub fn keys(&self) -> &Keys {
        &self.0.keys
    }

    /// As [`App::run_aside`], with the keys.
    ///
    /// # Errors
    /// As [`App::run`].
    pub async fn with_keys<T, E>(
        &self,
        work: impl FnOnce(&Keys, &Db) -> Result<T, E> + Send + 'static,
    ) -> Result<T, Problem>
    where
        T: Send + 'static,
        E: Into<Problem> + Send + 'static,
    {
        let app = self.clone();
        self.run_aside(move |db| work(app.keys(), db)).await
    }

    /// Works with the database on a thread that may compute and wait.
    ///
    /// # Errors
    /// What `work` fails with; 500 when it panics.
    pub async fn run<T, E>(
        &self,
        work: impl FnOnce(&Db) -> Result<T, E> + Send + 'static,
    ) -> Result<T, Problem>
    where
        T: Send + 'static,
        E: Into<Problem> + Send + 'static,
    {
        self.room().admit()?;
        self.work(self.room().thread().await, work).await
    }

    /// As [`App::run`], on one of a few threads that are kept for what is short: long work on all others does not hold it up.
    ///
    /// # Errors
    /// As [`App::run`].
    pub async fn run_aside<T, E>(
        &self,
        work: impl FnOnce(&Db) -> Result<T, E> + Send + 'static,
    ) -> Result<T, Problem>
    where
        T: Send + 'static,
        E: Into<Problem> + Send + 'static,
    {
        self.work(self.room().aside().await, work).await
    }

    async fn work<T, E>(
        &self,
        thread: Option<OwnedSemaphorePermit>,
        work: impl FnOnce(&Db) -> Result<T, E> + Send + 'static,
    ) -> Result<T, Problem>
    where
        T: Send + 'static,
        E: Into<Problem> + Send + 'static,
    {
        let app = self.clone();
        // Held by the work: whoever goes away does not end it.
        let holds = (thread, Held::current());
        let work = move || {
            let _holds = holds;
            work(app.db())
        };
        match tokio::task::spawn_blocking(work).await {
            Ok(done) => done.map_err(Into::into),
            Err(_) => Err(Problem::internal()),
        }
    }

    /// Bytes as the body of an answer, counted until the last of them is sent.
    ///
    /// # Errors
    /// 503 where answers that are being sent take all the room that there is for them.
    pub fn body(&self, bytes: Vec<u8>) -> Result<Body, Problem> {
        let held = self.room().answer(bytes.len())?;
        Ok(Body::from(Bytes::from_owner(Counted { bytes, _held: held })))
    }

    /// As [`App::run`], and answers with the outcome as JSON, written on that thread too.
    ///
    /// # Errors
    /// As [`App::run`].
    pub async fn answer<T, E>(
        &self,
        status: StatusCode,
        work: impl FnOnce(&Db) -> Result<T, E> + Send + 'static,
    ) -> Result<Response, Problem>
    where
        T: Serialize,
        E: Into<Problem> + Send + 'static,
    {
        let body = self.run(written(work)).await?;
        self.json(status, body)
    }

    /// As [`App::ok`], by [`App::run_aside`].
    ///
    /// # Errors
    /// As [`App::run`].
    pub async fn ok_aside<T, E>(
        &self,
        work: impl FnOnce(&Db) -> Result<T, E> + Send + 'static,
    ) -> Result<Response, Problem>
    where
        T: Serialize,
        E: Into<Problem> + Send + 'static,
    {
        let body = self.run_aside(written(work)).await?;
        self.json(StatusCode::OK, body)
    }

    /// As [`App::ok`], for what reads every byte there is: one at a time, beside all other work.
    ///
    /// # Errors
    /// As [`App::run`].
    pub async fn ok_alone<T, E>(
        &self,
        work: impl FnOnce(&Db) -> Result<T, E> + Send + 'static,
    ) -> Result<Response, Problem>
    where
        T: Serialize,
        E: Into<Problem> + Send + 'static,
    {
        self.room().admit()?;
        let body = self.work(self.room().check().await, written(work)).await?;
        self.json(StatusCode::OK, body)
    }

    fn json(&self, status: StatusCode, body: Vec<u8>) -> Result<Response, Problem> {
        let json = HeaderValue::from_static("application/json");
        Ok((status, [(header::CONTENT_TYPE, json)], self.body(body)?).into_response())
    }

    /// As [`App::answer`] with status 200.
    ///
    /// # Errors
    /// As [`App::run`].
    pub async fn ok<T, E>(
        &self,
        work: impl FnOnce(&Db) -> Result<T, E> + Send + 'static,
    ) -> Result<Response, Problem>
    where
        T: Serialize,
        E: Into<Problem> + Send + 'static,
    {
        self.answer(StatusCode::OK, work).await
    }

    /// As [`App::ok`], in the form that was asked for: packed bodies follow one another.
    ///
    /// # Errors
    /// As [`App::run`].
    pub async fn shown<T, A, E>(
        &self,
        form: Form,
        work: impl FnOnce(&Db) -> Result<T, E> + Send + 'static,
        as_json: fn(T) -> A,
        as_columns: fn(T) -> Vec<Columns>,
    ) -> Result<Response, Problem>
    where
        T: 'static,
        A: Serialize + 'static,
        E: Into<Problem> + Send + 'static,
    {
        if form == Form::Json {
            return self.ok(move |db| work(db).map(as_json)).await;
        }
        let packed = move |db: &Db| {
            let mut body = vec![];
            work(db)
                .map(|done| as_columns(done).iter().for_each(|columns| columns.write_packed(&mut body)))?;
            Ok::<_, E>(body)
        };
        let body = self.run(packed).await?;
        Ok(([(header::CONTENT_TYPE, HeaderValue::from_static(PACKED_TYPE))], self.body(body)?)
            .into_response())
    }
}

/// The outcome as JSON.
fn written<T, E>(
    work: impl FnOnce(&Db) -> Result<T, E> + Send + 'static,
) -> impl FnOnce(&Db) -> Result<Vec<u8>, Problem> + Send + 'static
where
    T: Serialize,
    E: Into<Problem> + Send + 'static,
{
    |db| {
        let outcome = work(db).map_err(Into::into)?;
        serde_json::to_vec(&outcome).map_err(|_| Problem::internal())
    }
}

/// The bytes of an answer, which count until they are gone.
struct Counted {
    bytes: Vec<u8>,
    _held: Reserved,
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}
