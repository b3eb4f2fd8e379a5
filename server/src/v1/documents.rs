//! Documents: add, get, delete, one or many; pages of them.

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::response::{IntoResponse, Response};
use kithdb::base::{Error, Result, StateError};
use kithdb::collection::Version;
use kithdb::host::{AddMode, Db};
use kithdb::segment::SharedRow;
use kithdb::wire::{
    AddBody, ChangeBody, Columns, DocumentAnswer, GetBody, IdsBody, PutBody, ScanAnswer, TimeBody,
    TouchesAnswer, VersionsAnswer, as_of, parse, parse_cursor, parse_level, to_json,
};
use serde::{Deserialize, Serialize};

use crate::http::{
    App, BATCH_BYTES_MAX, Form, JsonBody, NoBody, PackedBody, PathOf, Problem, QueryOf, expected,
    unless_known, version_tag,
};

#[derive(Serialize)]
struct AddAnswer {
    written: usize,
    replaced: usize,
}

#[derive(Serialize)]
struct DeleteAnswer {
    deleted: usize,
}

#[derive(Serialize)]
struct TouchedAnswer {
    touched: usize,
}

#[derive(Serialize)]
struct ManyAnswer {
    /// In the order of the ids; null for one that is not there.
    documents: Vec<Option<DocumentAnswer>>,
}

impl From<Vec<Option<SharedRow>>> for ManyAnswer {
    fn from(rows: Vec<Option<SharedRow>>) -> Self {
        Self { documents: rows.iter().map(|row| row.as_deref().map(DocumentAnswer::from)).collect() }
    }
}

/// Which document.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct IdBody {
    id: String,
}

/// Which page of documents.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScanQuery {
    limit: Option<usize>,
    cursor: Option<String>,
    as_of: Option<String>,
}

/// When a document is looked at.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GetQuery {
    as_of: Option<String>,
}

/// What a delete waits for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RemoveQuery {
    durability: Option<String>,
}

/// The moment of a query string; `None` for now.
fn moment(text: Option<String>) -> Result<Option<i64>> {
    as_of(text.map(TimeBody::Text).as_ref())
}

pub async fn add(
    State(app): State<App>,
    PathOf(name): PathOf<String>,
    body: PackedBody<BATCH_BYTES_MAX>,
) -> Result<Response, Problem> {
    app.ok(move |db| {
        let collection = db.collection(&name)?;
        let (json, packed) = body.parts()?;
        let mut body: AddBody<'_> = parse(json)?;
        packed.map_or(Ok(()), |packed| body.attach(packed))?;
        let mode = if body.replaces()? { AddMode::Upsert } else { AddMode::Insert };
        let (level, bulk) = (body.level()?, body.bulk);
        let documents = body.documents(&*db.options().clock)?;
        let written = documents.len();
        let done =
            if bulk { collection.add_bulk(documents, mode) } else { collection.add(documents, mode, level) };
        let replaced = done?.ended;
        Ok::<_, Error>(AddAnswer { written, replaced })
    })
    .await
}

/// A document, with its version as tag.
pub async fn get(
    State(app): State<App>,
    PathOf((name, id)): PathOf<(String, String)>,
    QueryOf(query): QueryOf<GetQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let found = app.run(move |db| {
        let collection = db.collection(&name)?;
        let found = collection.get(&id, moment(query.as_of)?)?;
        let row = found.ok_or(StateError::UnknownDocument { id, collection: name })?;
        let tag = version_tag(collection.id(), row.seq);
        Ok::<_, Error>((tag, to_json(&DocumentAnswer::from(&*row))))
    });
    let (tag, json) = found.await?;
    let kind = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
    unless_known(&tag, &headers, || Ok((kind, app.body(json.into())?).into_response()))
}

/// Stores a document under the id of the path, if it is the version that the request expects.
pub async fn put(
    State(app): State<App>,
    PathOf((name, id)): PathOf<(String, String)>,
    headers: HeaderMap,
    JsonBody(body): JsonBody<BATCH_BYTES_MAX>,
) -> Result<Response, Problem> {
    app.ok(move |db| {
        let collection = db.collection(&name)?;
        let body: PutBody<'_> = parse(&body)?;
        let level = body.level()?;
        let document = body.document(id.clone(), &*db.options().clock)?;
        let expected = expected(&headers, collection.id())?;
        let replaced = collection.change_if(&id, &expected, Some(document), level)?.ended;
        Ok::<_, Error>(AddAnswer { written: 1, replaced })
    })
    .await
}

/// The versions of a document that are kept, the newest first.
pub async fn versions(
    State(app): State<App>,
    PathOf((name, id)): PathOf<(String, String)>,
) -> Result<Response, Problem> {
    app.ok(move |db| db.collection(&name)?.versions(&id).map(|found| VersionsAnswer::from(&*found))).await
}

pub async fn remove(
    State(app): State<App>,
    PathOf((name, id)): PathOf<(String, String)>,
    QueryOf(query): QueryOf<RemoveQuery>,
    headers: HeaderMap,
    _: NoBody,
) -> Result<Response, Problem> {
    app.ok(move |db| {
        let level = query.durability.as_deref().map(parse_level).transpose()?;
        let collection = db.collection(&name)?;
        let expected = expected(&headers, collection.id())?;
        let deleted = collection.change_if(&id, &expected, None, level)?.ended;
        Ok::<_, Error>(DeleteAnswer { deleted })
    })
    .await
}

/// `documents/get`, `versions`, `delete`, `touch` and `touches`. One route for all, because these are ids as well.
pub async fn many(
    State(app): State<App>,
    PathOf((name, verb)): PathOf<(String, String)>,
    form: Form,
    JsonBody(body): JsonBody<BATCH_BYTES_MAX>,
) -> Result<Response, Problem> {
    match verb.as_str() {
        "get" => {
            let found = move |db: &Db| {
                let body: GetBody = parse(&body)?;
                db.collection(&name)?.get_many(&body.ids, as_of(body.as_of.as_ref())?)
            };
            app.shown(form, found, ManyAnswer::from, |rows| vec![Columns::documents(&rows)]).await
        }
        "versions" => {
            let found = move |db: &Db| db.collection(&name)?.versions(&parse::<IdBody>(&body)?.id);
            let as_json = |found: Vec<Version>| VersionsAnswer::from(&*found);
            app.shown(form, found, as_json, |found| vec![Columns::versions(&found)]).await
        }
        "delete" => {
            app.ok(move |db| {
                let body = parse::<ChangeBody>(&body)?;
                let level = body.level()?;
                db.collection(&name)?.delete(body.ids, level).map(|done| DeleteAnswer { deleted: done.ended })
            })
            .await
        }
        "touch" => {
            app.ok(move |db| {
                let body = parse::<ChangeBody>(&body)?;
                let level = body.level()?;
                db.collection(&name)?
                    .touch(body.ids, level)
                    .map(|done| TouchedAnswer { touched: done.touched })
            })
            .await
        }
        "touches" => {
            app.ok(move |db| {
                db.collection(&name)?.touches(&parse::<IdsBody>(&body)?.ids).map(TouchesAnswer::from)
            })
            .await
        }
        _ => Err(Problem::wrong_method(&Method::POST, &format!("/v1/collections/{name}/documents/{verb}"))),
    }
}

pub async fn scan(
    State(app): State<App>,
    PathOf(name): PathOf<String>,
    form: Form,
    QueryOf(query): QueryOf<ScanQuery>,
) -> Result<Response, Problem> {
    let page = move |db: &Db| {
        let cursor = query.cursor.as_deref().map(parse_cursor).transpose()?;
        db.collection(&name)?.scan(cursor, query.limit.unwrap_or(100), moment(query.as_of)?)
    };
    app.shown(form, page, |page| ScanAnswer::from(&page), |page| vec![Columns::page(&page)]).await
}
