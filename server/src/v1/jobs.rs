//! Work that is otherwise done by itself, and what is done when asked: jobs, compress, estimate; and what runs.

use axum::extract::State;
use axum::response::Response;
use kithdb::base::Result;
use kithdb::engine::JobKind;
use kithdb::vectors::Coding;
use kithdb::wire::{EstimateAnswer, EstimateBody, JobAnswer, RelinkAnswer, parse};
use serde::{Deserialize, Serialize};

use crate::http::{App, BODY_BYTES_MAX, JsonBody, NoBody, PathOf, Problem};

#[derive(Serialize)]
struct DoneAnswer {
    /// False when there was nothing to do.
    done: bool,
}

#[derive(Serialize)]
struct RunningAnswer {
    /// Null for none.
    job: Option<JobAnswer>,
}

#[derive(Serialize)]
struct CancelAnswer {
    /// False when no job runs that can be cancelled.
    cancelled: bool,
}

#[derive(Serialize)]
struct Nothing {}

/// Runs a job of this kind.
pub async fn run(
    kind: JobKind,
    State(app): State<App>,
    PathOf(name): PathOf<String>,
) -> Result<Response, Problem> {
    app.ok(move |db| {
        let done = db.collection(&name)?.run(kind)?;
        Ok::<_, kithdb::base::Error>(DoneAnswer { done })
    })
    .await
}

/// The job that runs, and how far it has come. A collection that is not open runs none, and is not opened for that: few
/// threads answer this.
pub async fn running(State(app): State<App>, PathOf(name): PathOf<String>) -> Result<Response, Problem> {
    app.ok_aside(move |db| {
        let job = db.if_open(&name)?.and_then(|collection| collection.job());
        let job = job.map(|job| JobAnswer::new(job.kind.name(), job.progress));
        Ok::<_, kithdb::base::Error>(RunningAnswer { job })
    })
    .await
}

/// Applies the rules of auto-links to what is there.
pub async fn relink(
    State(app): State<App>,
    PathOf(name): PathOf<String>,
    _: NoBody,
) -> Result<Response, Problem> {
    app.ok(move |db| db.collection(&name)?.relink().map(RelinkAnswer::from)).await
}

/// Has the job that runs end without having done anything.
pub async fn cancel(
    State(app): State<App>,
    PathOf(name): PathOf<String>,
    _: NoBody,
) -> Result<Response, Problem> {
    app.ok_aside(move |db| {
        let cancelled = db.if_open(&name)?.is_some_and(|collection| collection.cancel_job());
        Ok::<_, kithdb::base::Error>(CancelAnswer { cancelled })
    })
    .await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CompressBody {
    codes: String,
}

/// Other codes for the whole collection, before it answers.
pub async fn compress(
    State(app): State<App>,
    PathOf(name): PathOf<String>,
    JsonBody(body): JsonBody<BODY_BYTES_MAX>,
) -> Result<Response, Problem> {
    app.ok(move |db| {
        let body: CompressBody = parse(&body)?;
        db.collection(&name)?.compress(Coding::parse(&body.codes)?).map(|()| Nothing {})
    })
    .await
}

/// What other codes and stored forms would take and find.
pub async fn estimate(
    State(app): State<App>,
    PathOf(name): PathOf<String>,
    JsonBody(body): JsonBody<BODY_BYTES_MAX>,
) -> Result<Response, Problem> {
    app.ok(move |db| {
        let body: EstimateBody = parse(&body)?;
        db.collection(&name)?.estimate(body.request()).map(EstimateAnswer::from)
    })
    .await
}
