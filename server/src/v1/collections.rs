//! Collections: list, create, describe, drop, export, import.

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use kithdb::base::{Error, Result};
use kithdb::collection::EmbedderRef;
use kithdb::host::{CollectionHandle, Db};
use kithdb::wire::{ConfigureBody, ErrorAnswer, InfoAnswer, NamedCreateBody, parse};
use serde::Serialize;

use crate::http::{App, BODY_BYTES_MAX, Caller, FILE_BYTES_MAX, FileBody, JsonBody, NoBody, PathOf, Problem};

#[derive(Serialize)]
struct ListAnswer {
    collections: Vec<InfoAnswer>,
    /// Those that are damaged, and how; left out when all is well.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unopenable: Vec<Unopenable>,
}

#[derive(Serialize)]
struct Unopenable {
    name: String,
    #[serde(flatten)]
    why: ErrorAnswer,
}

/// Those that whoever asks may use.
pub async fn list(State(app): State<App>, caller: Caller) -> Result<Response, Problem> {
    app.ok(move |db| {
        let mut answer = ListAnswer { collections: vec![], unopenable: vec![] };
        for name in db.names()?.into_iter().filter(|name| caller.may_use(name)) {
            match db.collection(&name).and_then(|collection| info_of(&collection)) {
                Ok(info) => answer.collections.push(info),
                Err(error) if error.code() == "unopenable" => {
                    answer.unopenable.push(Unopenable { name, why: ErrorAnswer::from(&error) });
                }
                // Dropped since the names were read.
                Err(error) if matches!(error.code(), "unknown_collection" | "closed") => {}
                Err(error) => return Err(error),
            }
        }
        Ok(answer)
    })
    .await
}

pub async fn create(
    State(app): State<App>,
    JsonBody(body): JsonBody<BODY_BYTES_MAX>,
) -> Result<Response, Problem> {
    app.answer(StatusCode::CREATED, move |db| {
        let NamedCreateBody { name, create } = NamedCreateBody::parse(&body)?;
        let config = create.config(&name, embedder_of(db))?;
        info_of(&*db.create(&name, config)?)
    })
    .await
}

pub async fn info(State(app): State<App>, PathOf(name): PathOf<String>) -> Result<Response, Problem> {
    app.ok(move |db| info_of(&*db.collection(&name)?)).await
}

/// Changes how a collection is maintained, and answers what it is then.
pub async fn configure(
    State(app): State<App>,
    PathOf(name): PathOf<String>,
    JsonBody(body): JsonBody<BODY_BYTES_MAX>,
) -> Result<Response, Problem> {
    app.ok(move |db| {
        let body: ConfigureBody = parse(&body)?;
        let collection = db.collection(&name)?;
        collection.configure(|settings| body.change(settings), body.level()?)?;
        info_of(&collection)
    })
    .await
}

pub async fn remove(
    State(app): State<App>,
    PathOf(name): PathOf<String>,
    _: NoBody,
) -> Result<StatusCode, Problem> {
    app.run(move |db| db.drop_collection(&name)).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub async fn export(State(app): State<App>, PathOf(name): PathOf<String>) -> Result<Response, Problem> {
    let bytes = app.run(move |db| db.collection(&name)?.export()).await?;
    let file = HeaderValue::from_static("application/octet-stream");
    Ok(([(header::CONTENT_TYPE, file)], app.body(bytes)?).into_response())
}

pub async fn import(
    State(app): State<App>,
    PathOf(name): PathOf<String>,
    FileBody(bytes): FileBody<FILE_BYTES_MAX>,
) -> Result<Response, Problem> {
    app.answer(StatusCode::CREATED, move |db| info_of(&*db.import(&name, &bytes)?)).await
}

fn info_of(collection: &CollectionHandle) -> Result<InfoAnswer> {
    let info = collection.info()?;
    Ok::<_, Error>(info.answer())
}

/// Name and hash of the embedder that the database was opened with.
fn embedder_of(db: &Db) -> Option<EmbedderRef> {
    let embedder = db.options().embedder.as_ref()?;
    Some(EmbedderRef { name: embedder.name().to_owned(), hash: embedder.hash() })
}
