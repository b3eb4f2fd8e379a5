//! The whole database: save, and the tasks that run.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use kithdb::engine::JobKind;

use super::ok;
use crate::http::{App, NoBody, PathOf, Problem};

/// Seals what is in memory. Nothing was at risk before: writes are in the log already.
pub async fn save(State(app): State<App>, _: NoBody) -> Result<Response, Problem> {
    app.ok(|db| {
        // One that cannot be saved does not keep the others from it; one that is not open has nothing in memory.
        let mut outcome = Ok(());
        for collection in db.opened()? {
            outcome = outcome.and(collection.run(JobKind::Seal).map(|_| ()));
        }
        outcome.and(db.flush())?;
        Ok::<_, kithdb::base::Error>(ok(Some("Snapshot created")))
    })
    .await
}

/// A task, and how far it has come.
pub async fn task(State(app): State<App>, PathOf(id): PathOf<String>) -> Result<Response, Problem> {
    let found = app.tasks().get(&id);
    let not_found = || Problem::http(StatusCode::NOT_FOUND, "unknown_task", "task not found");
    let mut task = found.ok_or_else(not_found)?;
    app.ok(move |db| {
        if task.status == "running"
            && let Ok(collection) = db.collection(&task.collection)
            && let Some(job) = collection.job()
        {
            let (kind, done, total) = (job.kind.name(), job.progress.done, job.progress.total);
            task.progress_message = Some(format!("{kind}: {done} of {total}"));
        }
        Ok::<_, kithdb::base::Error>(task)
    })
    .await
}
