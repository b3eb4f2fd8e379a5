//! The graph of a collection.

use kithdb::base::limits::BATCH_MAX;
use serde_json::json;

use super::documents::vector;
use crate::openapi::operation::{Described, Errors, Group, post};
use crate::openapi::schema::{
    Fields, Shape, asked, choice, count, flag, free, list, list_to, map, named, named_for, number, or_null,
    text, told,
};

pub fn group() -> Group {
    Group {
        name: "graph",
        about: "Edges between documents: made and ended, and questions to them, now or at a moment.",
        errors: Errors::Problem,
        operations: operations(),
    }
}

fn operations() -> Vec<Described> {
    let path = |verb: &str| format!("/v1/collections/{{name}}/graph/{verb}");
    let made = |edge: Fields| {
        let edges = list_to("All or none of them.", BATCH_MAX, edge);
        asked("").must("edges", edges).may("durability", named("Durability"))
    };
    let ends = || list("", named("Node"));
    let edges = || list("", named("Edge"));
    let truncated = |fields: Fields| fields.must("truncated", flag("Whether there is more."));
    let component = told("")
        .must("first", text("The id of the one that was mentioned first."))
        .must("len", count("How many they are."));
    let degree = told("").must("id", text("")).must("edges", count("Both ways counted."));
    let components = told("")
        .must("components", list("The largest first.", component))
        .must("degrees", list("The ends with the most edges.", degree));
    let cost = or_null(number("The number of edges, or the sum of weights; null where there is no path."));
    vec![
        post(path("link"), "link", "Make edges")
            .body(made(link()))
            .like(json!({"edges": [{"source": "up", "relation": "inspired", "target": "moon"}]}))
            .answers(told("").must("linked", count("Edges that were made or changed.")))
            .fails(&["invalid_id", "invalid_metadata", "degraded", "disk_full"]),
        post(path("unlink"), "unlink", "End edges")
            .body(made(unlink()))
            .like(json!({"edges": [{"source": "up", "relation": "inspired", "target": "moon"}]}))
            .answers(told("").must("unlinked", count("Edges that were there.")))
            .fails(&["invalid_id", "degraded"]),
        asking(path("edges"), "getEdges", "The edges at a document, and their other ends")
            .like(json!({"id": "up", "direction": "both"}))
            .answers(truncated(told("").must("edges", edges()).must("nodes", ends()))),
        asking(path("traverse"), "traverse", "What paths of relations lead to")
            .like(json!({"id": "up", "paths": ["inspired"]}))
            .answers(truncated(told("").must("result", or_null(named("Tree"))))),
        asking(path("subgraph"), "getSubgraph", "What is around documents, the nearest first")
            .like(json!({"ids": ["up"], "depth": 2}))
            .answers(truncated(told("").must("nodes", ends()).must("edges", edges()))),
        asking(path("path"), "findPath", "A shortest path, from its source to its target")
            .like(json!({"source": "up", "target": "moon"}))
            .answers(truncated(told("").must("nodes", ends()).must("edges", edges()).must("cost", cost))),
        asking(path("components"), "getComponents", "What hangs together")
            .like(json!({}))
            .answers(truncated(components)),
    ]
}

/// A question; which of its fields it takes depends on the verb, and what it does not take is not looked at.
fn asking(path: String, id: &'static str, summary: &'static str) -> Described {
    post(path, id, summary).body(named("Question")).fails(&["unknown_document", "history_gone", "cancelled"])
}

fn question() -> Fields {
    let guide = asked("Only along what is near a vector.")
        .must("vector", vector("Near to what."))
        .must("threshold", number("The least score, as a search by the vector alone would give it."));
    asked("A question to the graph; which fields it takes depends on the verb.")
        .may("id", text("edges, traverse: whose."))
        .may_not_null("history", flag("edges: whether versions that have ended are told as well."))
        .may_not_null("paths", list("traverse: such as parent.child.", text("")))
        .may_not_null("ids", list("subgraph: around which.", text("")))
        .may("guide", guide)
        .may("with_edges", flag("subgraph: whether edges are told: true by default."))
        .may("source", text("path: from where."))
        .may("target", text("path: to where."))
        .may_not_null("weighted", flag("path: whether the sum of weights is to be least."))
        .may_not_null("relations", list("Along these relations; left out, all.", text("")))
        .may("direction", choice("out by default.", &["out", "in", "both"]))
        .may("depth", count("How many edges one behind the other are followed: 1 to 32."))
        .may("limit", count("At most so many ends or edges: 1,000 by default, 100,000 at most."))
        .may("as_of", named_for("Time", "The graph as it was then."))
        .may_not_null("hydrate", flag("Whether documents come with their ids."))
        .may_not_null("with_vector", flag("Whether they come with their vectors."))
}

fn ends(fields: Fields) -> Fields {
    fields
        .must("source", text("Where it begins: an id, or collection::id of another collection."))
        .must("relation", text("What it means."))
        .must("target", text("Where it leads: another id, or collection::id."))
}

fn link() -> Fields {
    ends(asked("An edge to be made."))
        .may("inverse", text("A relation that leads back, with the same weight and properties."))
        .may("weight", number("1 by default."))
        .may("properties", free("Whatever JSON can hold."))
}

fn unlink() -> Fields {
    ends(asked("An edge to be ended."))
        .may("inverse", text("A relation that leads back, which ends too."))
        .may_not_null("erase", flag("Whether its history goes with it."))
}

fn edge() -> Fields {
    ends(told("An edge."))
        .must("weight", number(""))
        .may("properties", free("Left out where there are none."))
        .must("created", text("Since when it is there."))
        .must("ended", or_null(text("The first moment at which it is not; null for none.")))
}

fn node(fields: Fields) -> Fields {
    fields
        .must("id", text(""))
        .must("depth", count("How many edges away it is."))
        .may("metadata", or_null(free("Of its document, where documents were asked for; null for none.")))
        .may("vector", or_null(vector("Where vectors were asked for; null for none.")))
}

fn tree() -> Fields {
    node(told("A document and what paths lead to from it."))
        .may("edge", named_for("Edge", "That it was reached by; left out at the root."))
        .may(
            "connections",
            map("By the path, or what is left of it, what it leads to.", list("", named("Tree"))),
        )
}

pub fn schemas() -> Vec<(&'static str, Shape)> {
    vec![
        ("Question", question().into()),
        ("Edge", edge().into()),
        ("Node", node(told("An end of edges.")).into()),
        ("Tree", tree().into()),
    ]
}
