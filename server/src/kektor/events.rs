//! Events as KektorDB names and shows them; those of every write, batches and imports among them.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use kithdb::base::Change;
use serde::Serialize;

use crate::events::{Asked, Batch, stream};
use crate::http::{App, Caller, Problem};

#[derive(Serialize)]
struct EventAnswer<'a> {
    r#type: &'a str,
    index_name: &'a str,
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    target_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rel_type: Option<&'a str>,
    timestamp: i64,
}

pub async fn events(State(app): State<App>, caller: Caller, headers: HeaderMap) -> Result<Response, Problem> {
    stream(&app, &headers, Asked { caller, collection: None }, show)
}

fn show(batch: &Batch, change: &Change) -> Option<(&'static str, String)> {
    let (name, id, edge, at) = match change {
        Change::Added { id, at } => ("vector.add", id, None, at),
        Change::Replaced { id, at } => ("vector.update", id, None, at),
        Change::Deleted { id, at } => ("vector.delete", id, None, at),
        Change::Touched { id, at } => ("vector.access", id, None, at),
        Change::Linked { source, relation, target, at } => {
            ("edge.create", source, Some((relation, target)), at)
        }
        Change::Unlinked { source, relation, target, at } => {
            ("edge.delete", source, Some((relation, target)), at)
        }
        // It has no events of indexes.
        _ => return None,
    };
    let (relation, target) = edge.unzip();
    let answer = EventAnswer {
        r#type: name,
        index_name: &batch.collection,
        id,
        target_id: target.map(|target| &**target),
        rel_type: relation.map(|relation| &**relation),
        timestamp: *at,
    };
    Some((name, serde_json::to_string(&answer).expect("strings are JSON")))
}
