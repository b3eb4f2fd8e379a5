//! `/v1`: the verbs of the TypeScript interface.

mod collections;
mod database;
mod documents;
mod graph;
mod process;
mod search;

use super::operation::Group;
use super::schema::{Fields, Shape, count, text, told};

/// The routes.
pub fn groups() -> Vec<Group> {
    let [collections, jobs] = collections::groups();
    let [kv, database, events, keys] = database::groups();
    let [documents, search, graph] = [documents::group(), search::group(), graph::group()];
    vec![collections, documents, search, graph, jobs, kv, database, process::group(), events, keys]
}

/// Schemas that several of them share, by name.
pub fn schemas() -> Vec<(&'static str, Shape)> {
    let of = [collections::schemas(), documents::schemas(), search::schemas(), graph::schemas()];
    of.into_iter().flatten().collect()
}

/// An error as an answer.
pub fn problem() -> Fields {
    let fields = told("An error: problem+json (RFC 9457) with a code.")
        .must("type", text("about:blank"))
        .must("title", text("The status in words."))
        .must("status", count("The status."))
        .must("error", text("The message, under the name that some clients look for."));
    collections::report(fields)
}
