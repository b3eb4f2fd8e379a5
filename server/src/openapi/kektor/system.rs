//! What KektorDB tells of itself, its access keys, its events; and what is not served.

use axum::http::Method;
use serde_json::json;

use super::done;
use crate::kektor::later::LATER;
use crate::openapi::operation::{Content, Described, Errors, Group, delete, get, post};
use crate::openapi::schema::{
    Fields, asked, choice, count, flag, integer, list, list_to, named, number, text, told,
};

pub fn group() -> Group {
    let mut operations = system();
    operations.extend(keys());
    Group {
        name: "KektorDB: system",
        about: "KektorDB's figures, tasks, access keys and events.",
        errors: Errors::Kektor,
        operations,
    }
}

/// What KektorDB serves above its data plane.
pub fn later() -> Group {
    let refused = |(method, path, what): (Method, &'static str, &'static str)| Described {
        method,
        answer: (501, Content::Nothing),
        ..get(path, "", what)
    };
    Group {
        name: "KektorDB: not served",
        about: "What KektorDB serves above its data plane, and this server does not: 501.",
        errors: Errors::Kektor,
        operations: LATER.into_iter().map(refused).collect(),
    }
}

fn system() -> Vec<Described> {
    vec![
        get("/system/tasks/{id}", "kektorGetTask", "A task, and how far it has come")
            .answers(named("KektorTask"))
            .fails(&["unknown_task"]),
        post("/system/save", "kektorSave", "Seal what is in memory").answers(done()),
        post("/system/aof-rewrite", "kektorRewrite", "Start sealing and writing again what has ended")
            .answers_with(202, named("KektorTask"))
            .fails_with(429, "too_many_tasks"),
        get("/system/stats", "kektorStats", "Figures of the database").answers(stats()),
        get("/system/gardener", "kektorGardener", "There is none").answers(gardener()),
        get("/system/embedder/status", "kektorEmbedder", "What embeds texts").answers(embedder()),
        get("/system/vectorizers", "kektorVectorizers", "There are none").answers(list_to("", 0, text(""))),
        post("/system/vectorizers/{name}/trigger", "kektorTriggerVectorizer", "There is none")
            .answers_with(404, named("Error")),
        get("/events/stream", "kektorEvents", "A stream of what is written")
            .about("Server-sent events, which go on until their client leaves.")
            .header("Last-Event-ID", text(""), "The event that was seen last.")
            .sends("text/event-stream")
            .fails_with(503, "too_many_streams"),
        get("/.well-known/jwks.json", "jwks", "No token is signed: there is no key")
            .answers(told("").must("keys", list_to("", 0, text("")))),
    ]
}

fn stats() -> Fields {
    let memory = told("")
        .may("heap_alloc_mb", number("What the process takes."))
        .must("aof_size_mb", number("What is in no segment."));
    told("")
        .must("uptime_seconds", count(""))
        .must("total_vectors", count(""))
        .must("total_indexes", count(""))
        .must("graph", told("").must("pinned_nodes", count("")))
        .must("gardener", gardener())
        .must("memory", memory)
        .must("embedder", embedder())
}

fn gardener() -> Fields {
    let fields = ["mode", "interval", "last_think_time"]
        .into_iter()
        .fold(told("").must("enabled", flag("")), |fields, name| fields.must(name, text("")));
    ["total_reflections", "contradictions_pending", "merged_today", "decayed_total"]
        .into_iter()
        .fold(fields, |fields, name| fields.must(name, count("")))
        .must("target_indexes", list("", text("")))
}

fn embedder() -> Fields {
    told("")
        .must("active", choice("", &["static", "none"]))
        .must("model", text(""))
        .must("dimension", count(""))
        .must("available", flag(""))
}

fn keys() -> Vec<Described> {
    let role = || choice("", &["read", "write", "admin"]);
    let policy = || {
        told("")
            .must("id", text(""))
            .must("description", text(""))
            .must("role", role())
            .must("namespaces", list("Indexes; * for all.", text("")))
            .must("created_at", integer("Seconds since 1970 UTC."))
    };
    let new = asked("")
        .must("role", role())
        .may_not_null("description", text(""))
        .may("namespaces", list("All, where there are none.", text("")))
        .may("namespace", text("One; instead of namespaces."));
    let listed = told("")
        .must("revoked_token_ids", list("", text("")))
        .must("note", text(""))
        .must("keys", list("", policy()));
    vec![
        get("/auth/keys", "kektorListKeys", "The access keys").answers(listed),
        post("/auth/keys", "kektorCreateKey", "Make an access key")
            .body(new)
            .like(json!({"role": "read", "namespace": "films"}))
            .answers(told("").must("token", text("")).must("policy", policy()).must("warning", text(""))),
        delete("/auth/keys/{id}", "kektorRevokeKey", "Revoke an access key")
            .answers(told("").must("status", choice("", &["revoked"])).must("jti", text("")))
            .fails(&["unknown_access_key"]),
    ]
}
