//! Its collections, which are ours: list, create, describe, delete.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use kithdb::collection::{CollectionConfig, Part};
use kithdb::host::CollectionHandle;
use kithdb::vectors::Metric;
use serde::Serialize;

use super::body::{CreateBody, read};
use super::{answer, refuse, status};
use crate::http::{AnyBody, App, BODY_BYTES_MAX, Caller, NoBody, PathOf, Problem, unless_dropped};

#[derive(Serialize)]
struct InfoAnswer {
    name: String,
    dimension: u32,
    size: usize,
    max_level: i64,
}

pub async fn list(State(app): State<App>, caller: Caller) -> Result<Response, Problem> {
    answer(&app, StatusCode::OK, move |db| {
        let names = db.names()?.into_iter().filter(|name| caller.may_use(name));
        let open = names.filter_map(|name| db.collection(&name).ok());
        open.filter_map(|collection| unless_dropped(describe(&collection)))
            .collect::<Result<Vec<_>, Problem>>()
    })
    .await
}

pub async fn create(
    State(app): State<App>,
    caller: Caller,
    AnyBody(body): AnyBody<BODY_BYTES_MAX>,
) -> Result<Response, Problem> {
    answer(&app, StatusCode::CREATED, move |db| {
        let body: CreateBody = read(body)?;
        // Looked at before by the name `name` alone, which counts here in any case of its letters.
        if !caller.may_use(&body.name) {
            let message = "this key is not for that collection";
            return Err(Problem::http(StatusCode::FORBIDDEN, "forbidden", message));
        }
        db.create(&body.name, config(&body)?)?;
        Ok(status("created"))
    })
    .await
}

pub async fn info(State(app): State<App>, PathOf(name): PathOf<String>) -> Result<Response, Problem> {
    answer(&app, StatusCode::OK, move |db| describe(&*db.collection(&name)?)).await
}

pub async fn remove(
    State(app): State<App>,
    PathOf(name): PathOf<String>,
    _: NoBody,
) -> Result<Response, Problem> {
    answer(&app, StatusCode::OK, move |db| {
        db.drop_collection(&name)?;
        Ok(status("deleted"))
    })
    .await
}

/// `ef_search` is not kept: a search without `ef` is as wide as anywhere.
fn config(body: &CreateBody) -> Result<CollectionConfig, Problem> {
    let bad = |message: String| refuse(StatusCode::BAD_REQUEST, message);
    if body.name.is_empty() {
        return Err(bad("name is required".to_owned()));
    }
    if body.dimension <= 0 {
        return Err(bad("dimension must be positive".to_owned()));
    }
    let defaults = CollectionConfig::default();
    let metric = match &*body.metric {
        "" => defaults.metric,
        name => Metric::parse(name).map_err(|_| bad(format!("unknown distance metric: {name:?}")))?,
    };
    // What no u32 holds is beyond our limits too, which tell so.
    let count = |given: i64| u32::try_from(given).unwrap_or(u32::MAX);
    let or = |given: i64, default: u32| if given <= 0 { default } else { count(given) };
    Ok(CollectionConfig {
        metric,
        dim: Some(count(body.dimension)),
        links_max: or(body.m, defaults.links_max),
        ef_construction: or(body.ef_construction, defaults.ef_construction),
        ..defaults
    })
}

fn describe(collection: &CollectionHandle) -> Result<InfoAnswer, Problem> {
    let (view, stats) = (collection.view()?, collection.info()?.stats);
    let mut max_level = if stats.documents == 0 { -1 } else { 0 };
    for part in &view.parts {
        if let Part::Segment(segment) = &part.part
            && let Some(links) = segment.links()?
            && stats.documents > 0
        {
            max_level = max_level.max(links.level_count() as i64 - 1);
        }
    }
    let dimension = view.dim.or(view.config.dim).unwrap_or(0);
    Ok(InfoAnswer { name: collection.name().to_owned(), dimension, size: stats.documents, max_level })
}
