//! The process that serves, for who looks after it: what its memory is, and what its processors' time goes into.

use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use kithdb::base::Error;
use serde::{Deserialize, Serialize};

use crate::http::{App, Problem, QueryOf};
use crate::process::ProcessFigures;
use crate::profile::{Form, Watch};

/// Longest time that is watched, in seconds.
pub const PROFILE_SECONDS_MAX: usize = 60;

#[derive(Serialize)]
struct MemoryAnswer {
    process: ProcessFigures,
    heap: Option<HeapAnswer>,
    database: DatabaseAnswer,
    requests: RequestsAnswer,
}

#[derive(Serialize)]
struct HeapAnswer {
    taken_bytes: u64,
    used_bytes: u64,
    free_bytes: u64,
}

#[derive(Serialize)]
struct DatabaseAnswer {
    memory_bytes_max: u64,
    unsealed_bytes: u64,
    unsealed_bytes_max: u64,
    job_bytes_max: u64,
    copied_bytes: u64,
    collections_open: usize,
}

#[derive(Serialize)]
struct RequestsAnswer {
    in_flight: usize,
    body_bytes: usize,
    body_bytes_max: usize,
    answer_bytes: usize,
    answer_bytes_max: usize,
}

/// What the memory of the process is, and what of it the database and the server count.
pub async fn memory(State(app): State<App>) -> Result<Response, Problem> {
    let ((in_flight, body_bytes, answer_bytes), limits) = (app.room().taken(), *app.room().limits());
    app.ok_aside(move |db| {
        let (used, collections_open) = (db.memory()?, db.opened()?.len());
        let heap = kithdb::host::heap().map(|heap| HeapAnswer {
            taken_bytes: heap.taken,
            used_bytes: heap.used,
            free_bytes: heap.taken.saturating_sub(heap.used),
        });
        let database = DatabaseAnswer {
            memory_bytes_max: used.max,
            unsealed_bytes: used.unsealed,
            unsealed_bytes_max: used.unsealed_max,
            job_bytes_max: used.job_max,
            copied_bytes: used.copied,
            collections_open,
        };
        let (body_bytes_max, answer_bytes_max) = (limits.body_bytes, limits.answer_bytes);
        let requests =
            RequestsAnswer { in_flight, body_bytes, body_bytes_max, answer_bytes, answer_bytes_max };
        Ok::<_, Error>(MemoryAnswer { process: ProcessFigures::now(), heap, database, requests })
    })
    .await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProfileQuery {
    seconds: u64,
    #[serde(default)]
    format: Form,
}

/// Watches for some seconds what the process computes. Whoever goes away ends what they have asked for, and so does the end of
/// the server, which answers what was seen until then.
pub async fn profile(
    State(app): State<App>,
    QueryOf(query): QueryOf<ProfileQuery>,
) -> Result<Response, Problem> {
    let ProfileQuery { seconds, format } = query;
    if !(1..=PROFILE_SECONDS_MAX as u64).contains(&seconds) {
        return Err(Error::parameter("seconds", seconds, format!("1 to {PROFILE_SECONDS_MAX}")).into());
    }
    let watch = Watch::begin(seconds)?;
    let mut ended = app.events().watch();
    tokio::select! {
        () = tokio::time::sleep(Duration::from_secs(seconds)) => {}
        _ = ended.wait_for(|ended| *ended) => {}
    }
    let bytes = app.run_aside(move |_| watch.end().map(|seen| seen.write(format))).await?;
    let kind = HeaderValue::from_static(format.content_type());
    Ok(([(header::CONTENT_TYPE, kind)], app.body(bytes)?).into_response())
}
