//! Search.

use axum::extract::State;
use axum::response::Response;
use kithdb::wire::{SearchAnswer, SearchBody, parse};

use crate::http::{App, BODY_BYTES_MAX, JsonBody, PathOf, Problem};

pub async fn search(
    State(app): State<App>,
    PathOf(name): PathOf<String>,
    JsonBody(body): JsonBody<BODY_BYTES_MAX>,
) -> Result<Response, Problem> {
    app.ok(move |db| {
        let collection = db.collection(&name)?;
        let request = parse::<SearchBody>(&body)?.request()?;
        collection.search(request).map(SearchAnswer::from)
    })
    .await
}
