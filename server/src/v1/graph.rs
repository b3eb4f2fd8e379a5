//! The graph of a collection: edges made and ended, and questions to it.

use axum::extract::State;
use axum::http::Method;
use axum::response::Response;
use kithdb::base::{Error, Result};
use kithdb::host::Among;
use kithdb::wire::{GraphAsk, LinksBody, UnlinksBody, parse};
use serde::Serialize;

use crate::http::{App, BATCH_BYTES_MAX, Caller, JsonBody, PathOf, Problem};

#[derive(Serialize)]
struct LinkedAnswer {
    linked: usize,
}

#[derive(Serialize)]
struct UnlinkedAnswer {
    unlinked: usize,
}

/// `graph/link`, `unlink`, and a path for each question.
pub async fn verb(
    State(app): State<App>,
    caller: Caller,
    PathOf((name, verb)): PathOf<(String, String)>,
    JsonBody(body): JsonBody<BATCH_BYTES_MAX>,
) -> Result<Response, Problem> {
    match verb.as_str() {
        "link" => {
            app.ok(move |db| {
                let (batch, level) = parse::<LinksBody<'_>>(&body)?.batch()?;
                let done = db.collection(&name)?.write(batch, level)?;
                Ok::<_, Error>(LinkedAnswer { linked: done.linked })
            })
            .await
        }
        "unlink" => {
            app.ok(move |db| {
                let (batch, level) = parse::<UnlinksBody>(&body)?.batch()?;
                let done = db.collection(&name)?.write(batch, level)?;
                Ok::<_, Error>(UnlinkedAnswer { unlinked: done.unlinked })
            })
            .await
        }
        "edges" | "traverse" | "subgraph" | "path" | "components" => {
            app.ok(move |db| {
                let ask = GraphAsk::parse(&verb, &body)?;
                let among = Some(Among::Those(&|name| caller.may_use(name)));
                let found = db.collection(&name)?.ask_graph_among(among, &ask.question, &ask.options)?;
                Ok::<_, Error>(ask.answer(found))
            })
            .await
        }
        _ => Err(Problem::wrong_method(&Method::POST, &format!("/v1/collections/{name}/graph/{verb}"))),
    }
}
