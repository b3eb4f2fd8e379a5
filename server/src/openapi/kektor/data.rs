//! Keys and values, indexes, vectors, searches.

use serde_json::json;

use super::{about_index, briefly, done, node};
use crate::openapi::operation::{Described, Errors, Group, delete, get, post, put};
use crate::openapi::schema::{
    Fields, Shape, asked, asked_loosely, choice, count, count_in, either, flag, free, integer, list, map,
    named, named_for, number, number_in, text, told,
};

pub fn group() -> Group {
    let mut operations = key_values();
    operations.extend(indexes());
    operations.extend(vectors());
    operations.extend(searches());
    Group {
        name: "KektorDB: data",
        about: "KektorDB's key-value store, indexes and vectors, for its clients. docs/COMPATIBILITY.md tells where \
                it departs.",
        errors: Errors::Kektor,
        operations,
    }
}

fn key_values() -> Vec<Described> {
    let value = told("").must("key", text("")).must("value", text(""));
    let set = || asked_loosely("").must("value", text(""));
    vec![
        get("/kv/{key}", "kektorGetKey", "The value of a key").answers(value).fails(&["unknown_key"]),
        put("/kv/{key}", "kektorPutKey", "Give a key a value")
            .body(set())
            .answers(done())
            .fails(&["invalid_key"]),
        post("/kv/{key}", "kektorSetKey", "Give a key a value")
            .body(set())
            .answers(done())
            .fails(&["invalid_key"]),
        delete("/kv/{key}", "kektorDeleteKey", "Take a key away").answers(done()).fails(&["invalid_key"]),
    ]
}

fn indexes() -> Vec<Described> {
    let one = "/vector/indexes/{name}";
    let create = |path: &str, id| {
        post(path, id, "Make an index")
            .body(new_index())
            .like(json!({"index_name": "films", "metric": "cosine"}))
            .answers(done())
            .fails(&["collection_exists"])
    };
    let rules = || list("", named("KektorAutoLink"));
    let kind = choice("", &["vacuum", "refine"]);
    let exported = told("").must("id", text("")).must("metadata", free(""));
    let page = told("")
        .must("data", list("", exported))
        .must("has_more", flag(""))
        .must("next_offset", count(""))
        .must("total_count", count(""));
    vec![
        get("/vector/indexes", "kektorListIndexes", "The indexes").answers(list("", index())),
        create("/vector/indexes", "kektorPostIndex"),
        create("/vector/actions/create", "kektorCreateIndex"),
        get(one, "kektorGetIndex", "An index").answers(index()),
        delete(one, "kektorDropIndex", "Drop an index").done_with(204),
        post(format!("{one}/config"), "kektorConfigure", "Change when an index is tidied up")
            .body(named("KektorMaintenance"))
            .like(json!({"vacuum_interval": "60s"}))
            .answers(done()),
        get(format!("{one}/auto-links"), "kektorGetAutoLinks", "The rules that link vectors by metadata")
            .answers(told("").must("rules", rules())),
        put(format!("{one}/auto-links"), "kektorSetAutoLinks", "Put rules in the place of those before")
            .body(asked("").must("rules", rules()))
            .answers(done()),
        post(format!("{one}/maintenance"), "kektorMaintain", "Start a vacuum or a refinement")
            .body(asked("").must("type", kind))
            .like(json!({"type": "vacuum"}))
            .answers_with(202, named("KektorTask"))
            .fails_with(429, "too_many_tasks"),
        get(format!("{one}/vectors/{{id}}"), "kektorGetVector", "A vector")
            .answers(node())
            .fails(&["unknown_document"]),
        get(format!("{one}/export"), "kektorExport", "A page of ids and metadata")
            .query("limit", count_in("", 0, 10_000), "How many: 1,000 by default.")
            .query("offset", count(""), "How many to leave out.")
            .answers(page),
        post("/vector/actions/compress", "kektorCompress", "Start giving all of an index other codes")
            .body(
                about_index(asked(""))
                    .must("precision", choice("", &["float32", "float16", "int8", "bits", "pq", "opq"])),
            )
            .answers_with(202, named("KektorTask"))
            .fails_with(429, "too_many_tasks"),
    ]
}

fn new_index() -> Fields {
    about_index(asked(""))
        .may_not_null("metric", choice("euclidean by default.", &["cosine", "euclidean", "dot", "manhattan"]))
        .may_not_null("m", count("Neighbours that a node keeps; 0 for the default."))
        .may_not_null("ef_construction", count("0 for the default."))
        .may_not_null("precision", choice("float32 by default.", &["float32", "float16", "int8"]))
        .may_not_null("text_language", text("How its texts are analysed; empty for not at all."))
        .may("maintenance", named("KektorMaintenance"))
        .may("auto_links", list("", named("KektorAutoLink")))
        .may("memory_config", memory())
}

fn span(about: &str) -> Shape {
    either(about, [text("Such as 60s or 1h30m."), integer("Nanoseconds.")])
}

fn memory() -> Fields {
    let layer =
        asked_loosely("").may("decay_half_life", span("")).may_not_null("pinned_by_default", flag(""));
    asked_loosely("How memories are forgotten.")
        .may_not_null("enabled", flag(""))
        .may("decay_model", text("exponential by default."))
        .may("decay_half_life", span("A week by default."))
        .may("layers", map("", layer))
}

fn maintenance() -> Fields {
    asked_loosely("When an index is tidied up. What is left out stays as it is.")
        .may("vacuum_interval", span(""))
        .may("delete_threshold", number_in("", 0.0, 1.0))
        .may("refine_enabled", flag(""))
        .may("refine_interval", span(""))
        .may("refine_ef_construction", count(""))
        .may("graph_retention", span(""))
        .may("graph_vacuum_interval", span(""))
}

fn index() -> Fields {
    told("")
        .must("name", text(""))
        .must("metric", text(""))
        .must("precision", choice("", &["float32", "float16", "int8"]))
        .must("m", count(""))
        .must("ef_construction", count(""))
        .must("vector_count", count(""))
        .must("text_language", text("Empty for none."))
}

fn vector(fields: Fields) -> Fields {
    fields
        .must("id", text(""))
        .may("vector", list("Null, an empty list and [0.0] mean none.", number("")))
        .may("metadata", free(""))
}

fn vectors() -> Vec<Described> {
    let action = |name: &str, id, summary| post(format!("/vector/actions/{name}"), id, summary);
    let add = vector(about_index(asked("")))
        .may_not_null("pinned", flag("Whether a memory keeps its score."))
        .may_not_null("upsert", flag("Whether one that is there is replaced."));
    let one = || {
        vector(asked(""))
            .may("expires_at", named_for("Time", "Ours: when it goes by itself."))
            .may("ttl", text("Ours: after which time it goes by itself."))
    };
    let many = |fields: Fields| {
        about_index(fields)
            .must("vectors", list("", one()))
            .may_not_null("upsert", flag("Whether those that are there are replaced."))
    };
    let added = || told("").must("status", choice("", &["OK"])).must("vectors_added", count(""));
    let ids = |fields: Fields| about_index(fields).must("ids", list("", text("")));
    vec![
        action("add", "kektorAdd", "Store a vector")
            .body(add)
            .like(json!({"index_name": "films", "id": "moon", "vector": [0.8, 0.3, 0.1], "metadata": {"year": 2009}}))
            .answers(done())
            .fails(&["document_exists"]),
        action("add-batch", "kektorAddBatch", "Store vectors, all or none of them")
            .body(many(asked("")))
            .answers(added())
            .fails(&["document_exists"]),
        action("import", "kektorImport", "Store vectors as a segment").body(many(asked_loosely(""))).answers(added()),
        action("import/commit", "kektorCommit", "Start merging what was imported")
            .body(about_index(asked("")))
            .answers(done()),
        action("get-vectors", "kektorGetVectors", "Vectors in the order of their ids; those that are not there are left out")
            .body(ids(asked("")).may_not_null("compress_context", flag("Texts with single spaces.")))
            .answers(list("", node())),
        action("reinforce", "kektorReinforce", "Count a use of vectors")
            .body(about_index(asked_loosely("")).may_not_null("ids", list("", text(""))))
            .answers(told("").must("status", choice("", &["reinforced"]))),
        action("delete_vector", "kektorDelete", "Delete a vector")
            .body(about_index(asked("")).must("id", text("")))
            .answers(done())
            .fails(&["unknown_document"]),
    ]
}

fn searches() -> Vec<Described> {
    let around = asked("Only what is around a node can be found.")
        .must("root_id", text(""))
        .may("relations", list("", text("")))
        .may("direction", choice("out by default.", &["out", "in", "both"]))
        .may("max_depth", integer("1 to 5."));
    let asked_for = about_index(asked(""))
        .may("k", count("10 by default."))
        .may("query_vector", list("", number("")))
        .may("query_text", text("Embedded, where the index has an embedder."))
        .may("filter", text("With CONTAINS for the words part."))
        .may("ef_search", count("0 for the default."))
        .may("alpha", number_in("Share of the vector part: 0.5 by default.", 0.0, 1.0))
        .may("include_relations", list("", text("")))
        .may_not_null("hydrate_relations", flag(""))
        .may_not_null("hydrate", flag("Nodes instead of ids."))
        .may("graph_filter", around)
        .may_not_null("compress_context", flag("Texts with single spaces."));
    let results = either(
        "Ids, or results where nodes were asked for.",
        [list("", text("")), list("", named("KektorResult"))],
    );
    let breakdown = told("").must("similarity", number("")).must("decay_factor", number(""));
    let scored = told("").must("id", text("")).must("score", number("")).may("score_breakdown", breakdown);
    let by_scores = about_index(asked(""))
        .may("k", count("10 by default."))
        .may("query_vector", list("", number("")))
        .may("query_text", text(""));
    let found = || told("").must("results", list("", named("KektorResult")));
    let asked_by_page = about_index(asked_loosely(""))
        .must("query", text(""))
        .may("k", count(""))
        .may_not_null("include_relations", list("", text("")))
        .may_not_null("hydrate", flag(""));
    vec![
        post("/vector/actions/search", "kektorSearch", "Search an index")
            .body(asked_for)
            .like(json!({"index_name": "films", "query_vector": [1, 0.2, 0.2], "k": 2}))
            .answers(told("").must("results", results))
            .fails(&["dimension_mismatch", "invalid_filter", "no_embedder"]),
        post(
            "/vector/actions/search-with-scores",
            "kektorSearchScores",
            "The nearest vectors with their scores",
        )
        .body(by_scores)
        .answers(told("").must("results", list("", scored)))
        .fails(&["dimension_mismatch", "no_embedder"]),
        post("/ui/explore", "kektorExplore", "Nodes, and what they lead to")
            .body(briefly(about_index(asked_loosely("")).may("limit", integer("200 by default."))))
            .answers(told("").must("results", list("", named("KektorTree")))),
        post("/ui/search", "kektorUiSearch", "What a text finds")
            .body(asked_by_page)
            .answers(found())
            .fails(&["no_embedder"]),
    ]
}

pub fn schemas() -> Vec<(&'static str, Shape)> {
    let tree = node().may("connections", map("By path.", list("", named("KektorTree"))));
    let result = told("").must("id", text("")).must("score", number("")).must("node", named("KektorTree"));
    let rule = asked("")
        .must("metadata_field", text(""))
        .must("relation_type", text(""))
        .may_not_null("create_node", flag("Whether targets that are not there are made."));
    let task = told("Work that goes on.")
        .must("id", text(""))
        .must("status", choice("", &["running", "completed", "failed"]))
        .may("progress_message", text(""))
        .may("error", text("Why it failed."));
    vec![
        ("KektorTree", tree.into()),
        ("KektorResult", result.into()),
        ("KektorAutoLink", rule.into()),
        ("KektorMaintenance", maintenance().into()),
        ("KektorTask", task.into()),
    ]
}
