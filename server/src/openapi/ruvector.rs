//! ruvector-go's paths.

use serde_json::json;

use super::operation::{Described, Errors, Group, delete, get, post};
use super::schema::{Fields, asked_loosely, choice, count, integer, list, number, text, told};

pub fn group() -> Group {
    Group {
        name: "ruvector-go",
        about: "ruvector-go's API, for its clients: collections, and vectors by number. docs/COMPATIBILITY.md tells \
                where it departs. Names of fields count in any case of their letters.",
        errors: Errors::Ruvector,
        operations: operations(),
    }
}

fn operations() -> Vec<Described> {
    let one = "/collections/{name}";
    let done = || told("").must("status", text("That it was done."));
    let number_of = || count("Its number, up to 2^64 - 1.");
    let new = asked_loosely("")
        .must("name", text(""))
        .must("dimension", integer("More than 0."))
        .may("metric", choice("cosine by default.", &["", "cosine", "euclidean", "dot", "manhattan"]))
        .may("m", integer("Neighbours that a node of the index keeps."))
        .may("ef_construction", integer("How widely the index searches while it is built."))
        .may("ef_search", integer("Is not kept."));
    let vector = || asked_loosely("").must("id", number_of()).must("vector", list("", number("")));
    let asked = asked_loosely("")
        .must("vector", list("", number("")))
        .must("k", integer("How many; more than 0."))
        .may("ef", integer("How widely the index searches."));
    let found = told("").must("id", number_of()).must("distance", number("Smaller is nearer."));
    vec![
        get("/health", "health", "Whether the process lives").answers(done()),
        get("/collections", "ruvectorList", "The collections").answers(list("", info())),
        post("/collections", "ruvectorCreate", "Make a collection")
            .body(new)
            .like(json!({"name": "numbers", "dimension": 3, "metric": "euclidean"}))
            .answers_with(201, done())
            .fails(&["collection_exists"]),
        get(one, "ruvectorInfo", "What a collection is").answers(info()),
        delete(one, "ruvectorDrop", "Drop a collection").answers(done()),
        get(format!("{one}/"), "ruvectorInfoSlash", "What a collection is").answers(info()),
        delete(format!("{one}/"), "ruvectorDropSlash", "Drop a collection").answers(done()),
        post(format!("{one}/vectors"), "ruvectorInsert", "Store vectors, all or none of them")
            .body(asked_loosely("").must("vectors", list("At least one.", vector())))
            .like(json!({"vectors": [{"id": 1, "vector": [1, 2, 3]}]}))
            .answers_with(201, done())
            .fails(&["dimension_mismatch", "degraded", "disk_full"]),
        get(format!("{one}/vectors/{{id}}"), "ruvectorGet", "A vector")
            .answers(told("").must("id", number_of()).must("vector", list("", number(""))))
            .fails(&["unknown_document"]),
        delete(format!("{one}/vectors/{{id}}"), "ruvectorDelete", "Delete a vector")
            .answers(done())
            .fails(&["unknown_document", "degraded"]),
        post(format!("{one}/search"), "ruvectorSearch", "The nearest vectors")
            .body(asked)
            .like(json!({"vector": [1, 2, 3], "k": 2}))
            .answers(list("The nearest first.", found))
            .fails(&["dimension_mismatch", "invalid_vector"]),
    ]
}

fn info() -> Fields {
    told("")
        .must("name", text(""))
        .must("dimension", count(""))
        .must("size", count("Vectors there are."))
        .must("max_level", integer("Of the index; -1 for none."))
}
