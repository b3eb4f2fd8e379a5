//! What KektorDB serves above its data plane, and this server does not yet: 501, rather than an answer that is none.

use axum::http::{Method, StatusCode};

use crate::http::need::{About, read, write};
use crate::http::table::Table;
use crate::http::{App, NoBody, Problem};

/// Method, path, and what is asked for there.
pub const LATER: [(Method, &str, &str); 20] = [
    (Method::GET, "/vector/indexes/{name}/reflections", "reflections"),
    (Method::POST, "/vector/indexes/{name}/reflections/{id}/resolve", "reflections"),
    (Method::POST, "/vector/indexes/{name}/cognitive/think", "the cognitive engine"),
    (Method::POST, "/sessions", "sessions"),
    (Method::POST, "/sessions/{id}/end", "sessions"),
    (Method::GET, "/users", "user profiles"),
    (Method::GET, "/users/{id}/profile", "user profiles"),
    (Method::POST, "/transfer/memory", "the transfer of memories"),
    (Method::POST, "/compile", "the knowledge compiler"),
    (Method::GET, "/compile/status", "the knowledge compiler"),
    (Method::GET, "/compile/templates", "the knowledge compiler"),
    (Method::POST, "/compile/validate", "the knowledge compiler"),
    (Method::GET, "/artifacts", "compiled artifacts"),
    (Method::GET, "/artifact/{name}", "compiled artifacts"),
    (Method::GET, "/artifact/{name}/history", "compiled artifacts"),
    (Method::GET, "/artifact/{name}/at", "compiled artifacts"),
    (Method::GET, "/artifact/{name}/diff", "compiled artifacts"),
    (Method::GET, "/artifact/{name}/stale", "compiled artifacts"),
    (Method::POST, "/rag/retrieve", "retrieval by a pipeline"),
    (Method::POST, "/rag/retrieve-adaptive", "retrieval by a pipeline"),
];

/// The paths that say so, to who may look or write anything.
pub fn routes(app: App) -> Table {
    LATER.into_iter().fold(Table::new(app), |table, (method, path, what)| {
        let refuse = move |_: NoBody| async move { refusal(what) };
        let is_named = path.starts_with("/vector/indexes/{name}");
        let about = if is_named { About::Path("name") } else { About::Nothing };
        if method == Method::GET {
            table.get(path, read(about), refuse)
        } else {
            table.post(path, write(about), refuse)
        }
    })
}

fn refusal(what: &str) -> Problem {
    let message = format!("not implemented: KithDB does not serve {what}; its own API is at /v1");
    Problem::http(StatusCode::NOT_IMPLEMENTED, "not_implemented", message)
}
