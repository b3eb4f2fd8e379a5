//! Work that is otherwise done by itself, and what is done when asked: seal, index, recode, merge, vacuum,
//! optimize, flush.

use axum::extract::State;
use axum::response::Response;
use kithdb::base::Result;
use kithdb::engine::JobKind;
use kithdb::host::CollectionHandle;
use serde::Serialize;

use crate::http::{App, NoBody, PathOf, Problem};

#[derive(Serialize)]
struct JobAnswer {
    /// False when there was nothing to do.
    done: bool,
}

#[derive(Serialize)]
struct Nothing {}

pub async fn seal(
    State(app): State<App>,
    PathOf(name): PathOf<String>,
    _: NoBody,
) -> Result<Response, Problem> {
    app.ok(move |db| run(&*db.collection(&name)?, JobKind::Seal)).await
}

/// Indexes every segment that has no index.
pub async fn index(
    State(app): State<App>,
    PathOf(name): PathOf<String>,
    _: NoBody,
) -> Result<Response, Problem> {
    app.ok(move |db| {
        let collection = db.collection(&name)?;
        let mut answer = run(&collection, JobKind::Index)?;
        while answer.done && run(&collection, JobKind::Index)?.done {
            answer.done = true;
        }
        Ok::<_, kithdb::base::Error>(answer)
    })
    .await
}

pub async fn merge(
    State(app): State<App>,
    PathOf(name): PathOf<String>,
    _: NoBody,
) -> Result<Response, Problem> {
    app.ok(move |db| run(&*db.collection(&name)?, JobKind::Merge)).await
}

/// One segment without what has ended in it.
pub async fn vacuum(
    State(app): State<App>,
    PathOf(name): PathOf<String>,
    _: NoBody,
) -> Result<Response, Problem> {
    app.ok(move |db| run(&*db.collection(&name)?, JobKind::Vacuum)).await
}

/// One segment with the codes that the settings ask for.
pub async fn recode(
    State(app): State<App>,
    PathOf(name): PathOf<String>,
    _: NoBody,
) -> Result<Response, Problem> {
    app.ok(move |db| run(&*db.collection(&name)?, JobKind::Recode)).await
}

/// One segment with an index.
pub async fn optimize(
    State(app): State<App>,
    PathOf(name): PathOf<String>,
    _: NoBody,
) -> Result<Response, Problem> {
    app.ok(move |db| run(&*db.collection(&name)?, JobKind::Optimize)).await
}

pub async fn flush(State(app): State<App>, _: NoBody) -> Result<Response, Problem> {
    app.ok(|db| db.flush().map(|()| Nothing {})).await
}

fn run(collection: &CollectionHandle, kind: JobKind) -> Result<JobAnswer> {
    collection.run(kind).map(|done| JobAnswer { done })
}
