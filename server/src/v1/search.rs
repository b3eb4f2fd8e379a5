//! Search.

use axum::extract::State;
use axum::response::Response;
use kithdb::collection::SearchResponse;
use kithdb::host::{Among, Db};
use kithdb::wire::{Columns, SearchAnswer, SearchBody, SearchesAnswer, SearchesBody, parse};

use crate::http::{App, BATCH_BYTES_MAX, BODY_BYTES_MAX, Caller, Form, PackedBody, PathOf, Problem};

pub async fn search(
    State(app): State<App>,
    caller: Caller,
    PathOf(name): PathOf<String>,
    form: Form,
    body: PackedBody<BODY_BYTES_MAX>,
) -> Result<Response, Problem> {
    let work = move |db: &Db| {
        let collection = db.collection(&name)?;
        let (json, packed) = body.parts()?;
        let mut asked: SearchBody = parse(json)?;
        packed.map_or(Ok(()), |packed| asked.attach(packed))?;
        collection.search_among(Some(Among::Those(&|name| caller.may_use(name))), asked.request()?)
    };
    app.shown(form, work, SearchAnswer::from, |found| vec![Columns::found(found)]).await
}

/// Many searches at once, in one state.
pub async fn many(
    State(app): State<App>,
    caller: Caller,
    PathOf(name): PathOf<String>,
    form: Form,
    body: PackedBody<BATCH_BYTES_MAX>,
) -> Result<Response, Problem> {
    let work = move |db: &Db| {
        let collection = db.collection(&name)?;
        let (json, packed) = body.parts()?;
        let requests = parse::<SearchesBody>(json)?.requests(packed)?;
        collection.search_many_among(Some(Among::Those(&|name| caller.may_use(name))), requests)
    };
    let columns = |found: Vec<SearchResponse>| found.into_iter().map(Columns::found).collect();
    app.shown(form, work, SearchesAnswer::from, columns).await
}
