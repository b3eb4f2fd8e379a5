//! Events: what was written, as it is.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use kithdb::base::Change;
use kithdb::base::time::format_time;
use serde::{Deserialize, Serialize};

use crate::events::{Asked, Batch, stream};
use crate::http::{App, Caller, Problem, QueryOf};

/// Of which collection.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventsQuery {
    collection: Option<String>,
}

#[derive(Serialize)]
struct ChangeAnswer<'a> {
    collection: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    relation: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<&'a str>,
    at: String,
}

pub async fn events(
    State(app): State<App>,
    caller: Caller,
    QueryOf(query): QueryOf<EventsQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let asked = Asked { caller, collection: query.collection };
    stream(&app, &headers, asked, show)
}

fn show(batch: &Batch, change: &Change) -> Option<(&'static str, String)> {
    let (name, id, edge, at) = match change {
        Change::Created { at } => ("collection.created", None, None, at),
        Change::Dropped { at } => ("collection.dropped", None, None, at),
        Change::Added { id, at } => ("document.added", Some(id), None, at),
        Change::Replaced { id, at } => ("document.replaced", Some(id), None, at),
        Change::Deleted { id, at } => ("document.deleted", Some(id), None, at),
        Change::Touched { id, at } => ("document.touched", Some(id), None, at),
        Change::Linked { source, relation, target, at } => {
            ("edge.linked", Some(source), Some((relation, target)), at)
        }
        Change::Unlinked { source, relation, target, at } => {
            ("edge.unlinked", Some(source), Some((relation, target)), at)
        }
        _ => return None,
    };
    let (relation, target) = edge.unzip();
    let answer = ChangeAnswer {
        collection: &batch.collection,
        id: id.map(|id| &**id),
        relation: relation.map(|relation| &**relation),
        target: target.map(|target| &**target),
        at: format_time(*at),
    };
    Some((name, serde_json::to_string(&answer).expect("strings are JSON")))
}
