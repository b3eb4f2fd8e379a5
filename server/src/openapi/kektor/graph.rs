//! The graph's actions, and memories that take the place of others.

use serde_json::json;

use super::{about_index, briefly, done, node, truncated};
use crate::openapi::operation::{Described, Errors, Group, post};
use crate::openapi::schema::{
    Fields, asked_loosely, choice, count, flag, free, integer, list, map, named, number, text, told,
};

pub fn group() -> Group {
    let mut operations = edges();
    operations.extend(reading());
    operations.extend(walks());
    operations.extend(nodes());
    operations.extend(memories());
    Group {
        name: "KektorDB: graph",
        about: "KektorDB's graph and its memories.",
        errors: Errors::Kektor,
        operations,
    }
}

fn action(name: &str, id: &'static str, summary: &'static str) -> Described {
    post(format!("/graph/actions/{name}"), id, summary)
}

fn body() -> Fields {
    about_index(asked_loosely(""))
}

fn edges() -> Vec<Described> {
    let edge = || {
        body()
            .must("source_id", text(""))
            .must("relation_type", text(""))
            .must("target_id", text(""))
            .may("inverse_relation_type", text("A relation that leads back."))
    };
    let link = edge().may("weight", number("1 by default.")).may("props", free(""));
    vec![
        action("link", "kektorLink", "Link two nodes")
            .body(link)
            .like(json!({"index_name": "films", "source_id": "up", "relation_type": "inspired", "target_id": "moon"}))
            .answers(done()),
        action("unlink", "kektorUnlink", "End an edge")
            .body(edge().may("hard_delete", flag("Whether its history goes with it.")))
            .answers(done()),
    ]
}

fn reading() -> Vec<Described> {
    let from = || body().must("source_id", text("")).must("relation_type", text(""));
    let to = || body().must("target_id", text("")).must("relation_type", text(""));
    let at = || body().must("node_id", text(""));
    let short = told("")
        .must("t", text("The other end."))
        .must("c", integer("Since when: ns since 1970 UTC."))
        .may("d", integer("Until when, if it ended since."))
        .must("w", number("Its weight."))
        .may("p", free("Its properties."));
    let one_of_both = body()
        .may("source_id", text("Where direction is out."))
        .may("target_id", text("Where direction is in."))
        .must("relation_type", text(""))
        .may("direction", choice("out by default.", &["", "out", "in"]))
        .may("at_time", integer("ns since 1970 UTC; 0 for now."));
    let links = told("")
        .must("source_id", text(""))
        .must("relation_type", text(""))
        .must("targets", list("", text("")));
    let incoming = told("")
        .must("target_id", text(""))
        .must("relation_type", text(""))
        .must("sources", list("", text("")));
    let relations = || {
        truncated(
            told("").must("node_id", text("")).must("relations", map("Ids by relation.", list("", text("")))),
        )
    };
    vec![
        action("get-links", "kektorGetLinks", "Where the edges of a relation lead")
            .body(from())
            .answers(truncated(links)),
        action("get-incoming", "kektorGetIncoming", "Where the edges of a relation come from")
            .body(to())
            .answers(truncated(incoming)),
        action(
            "get-connections",
            "kektorGetConnections",
            "The documents that the edges of a relation lead to",
        )
        .body(from())
        .answers(truncated(told("").must("results", list("", node())))),
        action("get-edges", "kektorGetEdges", "The edges of a relation at a node")
            .body(one_of_both)
            .answers(truncated(told("").must("edges", list("", short)))),
        action("get-all-relations", "kektorGetAllRelations", "Where all edges lead, by relation")
            .body(at())
            .answers(relations()),
        action("get-all-incoming", "kektorGetAllIncoming", "Where all edges come from, by relation")
            .body(at())
            .answers(relations()),
    ]
}

fn walks() -> Vec<Described> {
    let edge = || {
        told("")
            .must("source", text(""))
            .must("target", text(""))
            .must("relation", text(""))
            .must("dir", choice("", &["out"]))
    };
    let at = |fields: Fields| {
        fields.may("max_depth", integer("How far.")).may("at_time", integer("ns since 1970 UTC; 0 for now."))
    };
    let traverse = body().must("source_id", text("")).may("paths", list("Such as parent.child.", text("")));
    let around = body()
        .must("root_id", text(""))
        .must("relations", list("At least one.", text("")))
        .may("guide_vector", list("", number("")))
        .may("semantic_threshold", number("The largest distance: 0.5 by default."));
    let path =
        body().must("source_id", text("")).must("target_id", text("")).may("relations", list("", text("")));
    let inner = told("").must("id", text("")).must("metadata", free(""));
    let subgraph =
        told("").must("root_id", text("")).must("nodes", list("", inner)).must("edges", list("", edge()));
    let found = told("")
        .must("source", text(""))
        .must("target", text(""))
        .must("path", list("Ids, from the source to the target.", text("")))
        .must("edges", list("", edge()));
    vec![
        action("traverse", "kektorTraverse", "A document and what paths lead to from it")
            .body(briefly(traverse))
            .answers(truncated(told("").must("result", named("KektorTree"))))
            .fails(&["unknown_document"]),
        action("extract-subgraph", "kektorSubgraph", "What is around a node")
            .body(briefly(at(around)))
            .answers(truncated(subgraph)),
        action("find-path", "kektorFindPath", "A shortest path")
            .body(at(path))
            .answers(found)
            .fails_with(404, "unknown"),
    ]
}

fn nodes() -> Vec<Described> {
    let properties = || told("").must("node_id", text("")).must("properties", free(""));
    let set = body().must("node_id", text("")).may("properties", free(""));
    let search = body().may("property_filter", text("")).may("limit", integer("10 by default."));
    let found = told("").must("id", text("")).must("properties", free(""));
    vec![
        action("set-node-properties", "kektorSetProperties", "Add to the properties of a node")
            .body(set)
            .answers(properties().must("status", choice("", &["updated", "created"]))),
        action("get-node-properties", "kektorGetProperties", "The properties of a node")
            .body(briefly(body().must("node_id", text(""))))
            .answers(properties())
            .fails(&["unknown_document"]),
        action("search-nodes", "kektorSearchNodes", "The nodes whose properties a filter accepts")
            .body(briefly(search))
            .answers(told("").must("nodes", list("", found)))
            .fails(&["invalid_filter"]),
    ]
}

fn memories() -> Vec<Described> {
    let evolve = body()
        .must("old_id", text(""))
        .must("reason", text(""))
        .may("new_vector", list("Or new_content, to be embedded.", number("")))
        .may("new_content", text(""))
        .may("new_metadata", free(""));
    let evolved = told("")
        .must("new_id", text(""))
        .must("old_id", text(""))
        .must("status", choice("", &["evolved"]))
        .must("message", text(""));
    let chain = body()
        .must("memory_id", text(""))
        .may("direction", choice("backward by default.", &["", "backward", "forward"]));
    let step = told("")
        .must("memory_id", text(""))
        .may("content", text(""))
        .must("created_at", integer("Seconds since 1970 UTC."))
        .may("evolves_from", text(""))
        .may("superseded_by", text(""))
        .may("evolution_reason", text(""))
        .must("is_current", flag(""));
    let chained = told("").must("evolution_chain", list("", step)).must("total_steps", count(""));
    let belief = body()
        .may("query", text("Or query_vec."))
        .may("query_vec", list("", number("")))
        .may("limit", integer("10 by default, at most 50."));
    let invalidate = body()
        .must("target_id", text(""))
        .may("source_id", text("system by default."))
        .may("reason", text(""));
    vec![
        post("/vector/actions/evolve", "kektorEvolve", "Make a memory that takes the place of another")
            .body(evolve)
            .answers(evolved)
            .fails(&["unknown_document", "no_embedder"]),
        post(
            "/vector/actions/get-evolution",
            "kektorGetEvolution",
            "What a memory was before, or became since",
        )
        .body(chain)
        .answers(chained)
        .fails(&["unknown_document"]),
        post("/vector/actions/belief-assessment", "kektorAssess", "How far memories can be believed")
            .body(belief)
            .answers(assessed())
            .fails(&["no_embedder"])
            .fails_with(404, "unknown"),
        action("invalidate", "kektorInvalidate", "Note that something speaks against a memory")
            .body(invalidate)
            .answers(done())
            .fails(&["unknown_document"]),
    ]
}

fn assessed() -> Fields {
    let consensus =
        told("").must("score", number("")).must("sources", count("")).must("vector_variance", number(""));
    let stability =
        told("").must("score", number("")).must("avg_age_days", number("")).must("total_access", count(""));
    let friction =
        told("").must("score", number("")).must("contradictions", count("")).must("invalidations", count(""));
    let evidence =
        told("").must("consensus", consensus).must("stability", stability).must("friction", friction);
    let memory = told("")
        .must("id", text(""))
        .must("content", text(""))
        .must("score", number("Cosine similarity to the query."))
        .must("created_at", integer("Seconds since 1970 UTC."))
        .must("access_count", count(""))
        .must("is_historical", flag(""))
        .must("contradictions", count(""))
        .must("invalidations", count(""));
    told("")
        .must("confidence", number("0 to 1."))
        .must("state", choice("", &["crystallized", "stable", "volatile", "contested"]))
        .must("evidence", evidence)
        .must("caveat", text(""))
        .must("nodes", list("", memory))
}
