//! Documents.

use kithdb::base::limits::{BATCH_MAX, BULK_MAX, DIM_MAX, ID_BYTES_MAX, SCAN_MAX};
use serde_json::json;

use crate::openapi::operation::{Described, Errors, Group, delete, get, post, put};
use crate::openapi::schema::{
    Fields, Shape, asked, choice, count, count_in, either, flag, free, integer, list, list_to, named,
    named_for, number, or_null, text, text_like, text_of, told,
};

pub fn group() -> Group {
    Group {
        name: "documents",
        about: "Documents: stored, read and deleted, one or many; their versions; pages of them.",
        errors: Errors::Problem,
        operations: one_and_all().into_iter().chain(many()).collect(),
    }
}

/// What a write may fail with.
const WRITING: [&str; 7] = [
    "invalid_id",
    "invalid_vector",
    "dimension_mismatch",
    "invalid_metadata",
    "degraded",
    "disk_full",
    "no_embedder",
];

const ALL: &str = "/v1/collections/{name}/documents";

fn deleted() -> Fields {
    told("").must("deleted", count("Documents that were there."))
}

fn one_and_all() -> Vec<Described> {
    let all = ALL;
    let written = told("")
        .must("written", count("Documents that were stored."))
        .must("replaced", count("Of these, those that took the place of another version."));
    let page = told("")
        .must("documents", list("In the order in which they were stored.", named("Document")))
        .must("next", or_null(text("The cursor of the next page; null after the last.")));
    let limit = count_in("", 1, SCAN_MAX);
    vec![
        get(all, "scanDocuments", "A page of documents")
            .query("limit", limit, "How many; 100 by default.")
            .query("cursor", text(""), "The next of an earlier page.")
            .query("as_of", text(""), "Documents as they were then: RFC 3339, or nanoseconds since 1970 UTC.")
            .answers_packed(page)
            .fails(&["history_gone"]),
        post(all, "addDocuments", "Store documents, all or none of them")
            .packed_body(add())
            .like(json!({"documents": [
                {"id": "moon", "vector": [0.8, 0.3, 0.1], "metadata": {"plot": "A man alone in space", "year": 2009}},
            ]}))
            .answers(written)
            .fails(&WRITING)
            .fails(&["document_exists"]),
        get(format!("{all}/{{id}}"), "getDocument", "A document")
            .query("as_of", text(""), "As it was then.")
            .header("If-None-Match", text(""), "A tag that is known: 304 when it is still this one.")
            .answers(named("Document"))
            .tagged()
            .fails(&["unknown_document", "history_gone"]),
        put(format!("{all}/{{id}}"), "putDocument", "Store a document, if it is the version that is expected")
            .header("If-Match", text(""), "The tag that it has to have; * for any.")
            .header("If-None-Match", text(""), "* for none: it may not be there.")
            .body(put_body())
            .like(json!({"vector": [0.9, 0.1, 0.3], "metadata": {"year": 1979}}))
            .answers(told("").must("written", count("1.")).must("replaced", count("1 where it was there.")))
            .fails(&WRITING)
            .fails(&["version_mismatch"]),
        delete(format!("{all}/{{id}}"), "deleteDocument", "Delete a document")
            .query("durability", named("Durability"), "What it waits for.")
            .header("If-Match", text(""), "The tag that it has to have; * for any.")
            .answers(deleted())
            .fails(&["version_mismatch", "degraded"]),
    ]
}

fn many() -> Vec<Described> {
    let all = ALL;
    let ids = || list_to("Ids of documents.", SCAN_MAX, text(""));
    let changed = || {
        let ids = list_to("Ids of documents.", BATCH_MAX, text(""));
        asked("").must("ids", ids).may("durability", named("Durability"))
    };
    let documents =
        list("In the order of the ids; null for one that is not there.", or_null(named("Document")));
    let touches =
        list("In the order of the ids; null for one that never was, or is not there.", or_null(touch()));
    vec![
        get(format!("{all}/{{id}}/versions"), "getVersions", "The versions of a document, the newest first")
            .answers(versions()),
        post(format!("{all}/get"), "getDocuments", "Documents by their ids")
            .about("In the body an id can be anything that an id can be; a path cannot hold `..`.")
            .body(asked("").must("ids", ids()).may("as_of", named_for("Time", "As they were then.")))
            .like(json!({"ids": ["moon", "up"]}))
            .answers_packed(told("").must("documents", documents))
            .fails(&["history_gone"]),
        post(format!("{all}/versions"), "postVersions", "The versions of a document by its id")
            .body(asked("").must("id", text("")))
            .like(json!({"id": "moon"}))
            .answers_packed(versions()),
        post(format!("{all}/delete"), "deleteDocuments", "Delete documents by their ids")
            .body(changed())
            .like(json!({"ids": ["moon"]}))
            .answers(deleted())
            .fails(&["degraded"]),
        post(format!("{all}/touch"), "touchDocuments", "Note that documents were used")
            .body(changed())
            .like(json!({"ids": ["moon"]}))
            .answers(told("").must("touched", count("Documents that were there.")))
            .fails(&["degraded", "disk_full"]),
        post(format!("{all}/touches"), "getTouches", "How often documents were used")
            .body(asked("").must("ids", ids()))
            .like(json!({"ids": ["moon"]}))
            .answers(told("").must("touches", touches)),
    ]
}

fn document() -> Fields {
    told("A document.")
        .must("id", text("Its id."))
        .must("vector", or_null(vector("Its vector; null without one.")))
        .must("metadata", free("Whatever JSON can hold."))
}

fn versions() -> Fields {
    let version = document()
        .must("valid_from", text("Since when it is there."))
        .must("valid_to", or_null(text("The first moment at which it is not; null for no such moment.")));
    told("").must("versions", list("The newest first.", version))
}

fn touch() -> Fields {
    told("").must("count", count("How often since it was last stored.")).must("last", text("When last."))
}

/// A vector.
pub fn vector(about: &str) -> Shape {
    list_to(about, DIM_MAX, number(""))
}

fn life(fields: Fields) -> Fields {
    fields
        .may("vector", vector("Its vector."))
        .may("metadata", free("Whatever JSON can hold, up to 1 MiB."))
        .may("expires_at", named_for("Time", "When it goes by itself."))
        .may("ttl", text("After which time it goes by itself, such as 1h; instead of expires_at."))
}

fn put_body() -> Fields {
    life(asked("")).may("durability", named("Durability"))
}

fn add() -> Fields {
    let new = life(asked("A document to be stored.").must("id", text_of("Its id.", 1, ID_BYTES_MAX)));
    let bulk = "True to store them as a segment, not through the log: for many at once. Durable when it is answered.";
    asked("")
        .must("documents", list_to("Up to 50,000, or a million with bulk.", BULK_MAX, new))
        .may("mode", choice("upsert by default; insert refuses ids that are there.", &["upsert", "insert"]))
        .may("durability", named("Durability"))
        .may_not_null("bulk", flag(bulk))
}

pub fn schemas() -> Vec<(&'static str, Shape)> {
    let moment = either(
        "A moment: RFC 3339, or nanoseconds since 1970 UTC.",
        [integer("Nanoseconds since 1970 UTC."), text("RFC 3339, or nanoseconds in decimal.")],
    );
    let durability = "What a write waits for; left out, what the server was started with.";
    let name = text_like("The name of a collection.", "^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$");
    vec![
        ("Document", document().into()),
        ("Time", moment),
        ("Durability", choice(durability, &["memory", "os", "everysec", "always"])),
        ("Name", name),
    ]
}
