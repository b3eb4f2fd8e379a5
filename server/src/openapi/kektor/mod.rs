//! KektorDB's paths. Bodies are read as its own server reads them: null is nothing.

mod data;
mod graph;
mod system;

use super::operation::Group;
use super::schema::{Fields, Shape, choice, flag, free, list, number, text, told};

/// The routes.
pub fn groups() -> Vec<Group> {
    vec![data::group(), graph::group(), system::group(), system::later()]
}

/// Schemas that several of them share, by name.
pub fn schemas() -> Vec<(&'static str, Shape)> {
    data::schemas()
}

fn node() -> Fields {
    told("A node: a document.")
        .must("id", text(""))
        .must("vector", list("Empty for one without.", number("")))
        .must("metadata", free(""))
}

/// That it was done.
fn done() -> Fields {
    told("").must("status", choice("", &["OK"])).may("message", text(""))
}

/// With the index that it is about.
fn about_index(fields: Fields) -> Fields {
    fields.must("index_name", text("The index."))
}

/// With a word that texts are to be told with less white space.
fn briefly(fields: Fields) -> Fields {
    fields.may("compress_context", flag("Texts with single spaces."))
}

/// With a word that there was more than is told.
fn truncated(fields: Fields) -> Fields {
    fields.may("truncated", flag("True where there is more."))
}
