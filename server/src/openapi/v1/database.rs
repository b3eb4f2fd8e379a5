//! The database as a whole: keys and values, figures, events, the embedder, access keys.

use kithdb::base::limits::{KV_KEY_BYTES_MAX, SCAN_MAX};
use serde_json::json;

use super::collections::report;
use crate::openapi::operation::{Described, Errors, Group, delete, get, post, put};
use crate::openapi::schema::{
    Fields, asked, choice, count, count_in, flag, list, map, named, named_for, or_null, text, text_of, told,
};

pub fn groups() -> [Group; 4] {
    let group = |name, about, operations| Group { name, about, errors: Errors::Problem, operations };
    [
        group("key-value", "The key-value store: texts by keys.", key_values()),
        group("database", "The whole database: figures, soundness, durability, its embedder.", database()),
        group("events", "What is written, as it is.", vec![events()]),
        group("access keys", "Tokens for a role, some collections and a time.", keys()),
    ]
}

fn key_values() -> Vec<Described> {
    let value = || told("").must("key", text("")).must("value", text(""));
    let key = || text_of("", 1, KV_KEY_BYTES_MAX);
    let set = || told("").must("replaced", count("1 where the key had a value."));
    let removed = || told("").must("deleted", count("1 where the key had a value."));
    let page = told("")
        .must("keys", list("Sorted by bytes.", text("")))
        .must("next", or_null(text("The cursor of the next page; null after the last.")));
    vec![
        get("/v1/kv", "listKeys", "A page of keys")
            .query("prefix", text(""), "What the keys begin with.")
            .query("cursor", text(""), "The next of an earlier page.")
            .query("limit", count_in("", 1, SCAN_MAX), "How many; 100 by default.")
            .answers(page),
        get("/v1/kv/{key}", "getKey", "The value of a key").answers(value()).fails(&["unknown_key"]),
        put("/v1/kv/{key}", "setKey", "Give a key a value")
            .body(asked("").must("value", text("Up to 16 MiB.")).may("durability", named("Durability")))
            .like(json!({"value": "v1"}))
            .answers(set())
            .fails(&["invalid_key", "degraded", "disk_full"]),
        delete("/v1/kv/{key}", "deleteKey", "Take a key away")
            .query("durability", named("Durability"), "What it waits for.")
            .answers(removed())
            .fails(&["invalid_key", "degraded"]),
        post("/v1/kv/get", "postGetKey", "The value of a key in the body")
            .about("In a body a key can be anything that a key can be; a path cannot hold `..`.")
            .body(asked("").must("key", key()))
            .like(json!({"key": "greeting"}))
            .answers(value())
            .fails(&["unknown_key", "invalid_key"]),
        post("/v1/kv/set", "postSetKey", "Give a key in the body a value")
            .body(asked("").must("key", key()).must("value", text("")).may("durability", named("Durability")))
            .like(json!({"key": "greeting", "value": "hello"}))
            .answers(set())
            .fails(&["invalid_key", "degraded", "disk_full"]),
        post("/v1/kv/delete", "postDeleteKey", "Take a key in the body away")
            .body(asked("").must("key", key()).may("durability", named("Durability")))
            .like(json!({"key": "greeting"}))
            .answers(removed())
            .fails(&["invalid_key", "degraded"]),
    ]
}

fn database() -> Vec<Described> {
    let file = told("").must("bytes", count(""));
    let embedder = told("")
        .must("name", text(""))
        .must("dim", count("Of its vectors."))
        .must("hash", text("Tells two embedders of one name apart."))
        .must("files", map("By name.", file));
    let send = |name: &str, id, summary, kind| {
        let file = get(format!("/v1/embedder/{name}"), id, summary).sends(kind).tagged();
        file.header("If-None-Match", text(""), "A tag that is known.").fails_with(404, "no_embedder")
    };
    vec![
        get("/v1/stats", "getStats", "What each collection holds and takes")
            .answers(told("").must("collections", list("The key-value store's is among them.", figures()))),
        post("/v1/verify", "verify", "Read and check every byte").answers(verified()),
        post("/v1/flush", "flush", "Make durable what was written so far")
            .answers(told("Nothing but that it was done."))
            .fails(&["degraded"]),
        get("/v1/embedder", "getEmbedder", "What embeds texts")
            .answers(embedder)
            .fails_with(404, "no_embedder"),
        send(
            "model.safetensors",
            "getEmbedderModel",
            "Its vectors, so that a tab can embed",
            "application/octet-stream",
        ),
        send("tokenizer.json", "getEmbedderTokenizer", "Its words", "application/json"),
    ]
}

fn figures() -> Fields {
    let segment = told("")
        .must("slots", count("Versions."))
        .must("live", count("Those that are there."))
        .must("bytes", map("By kind of blob.", count("")));
    let memtable = told("")
        .must("documents", count(""))
        .must("frames", count("Of the log."))
        .must("bytes", count("Of these."))
        .must("tail_bytes", count("Behind the last whole frame."));
    let log = told("").must("generation", count("")).must("bytes", count(""));
    // Either the figures, or why there are none.
    told("")
        .must("name", text(""))
        .may("error", report(told("Why it cannot be read; then there are no figures.")))
        .may("metric", text(""))
        .may("dim", or_null(count("")))
        .may("embedder", or_null(text("")))
        .may("documents", count(""))
        .may("vectors", count(""))
        .may("ended", count("Versions that have ended and are still stored."))
        .may("segments", list("", segment))
        .may("memtable", memtable)
        .may("logs", list("", log))
        .may("generation", count("Of its manifest."))
        .may("previous_generation", or_null(count("")))
        .may("format_version", count(""))
}

fn verified() -> Fields {
    let finding = told("").must("offset", or_null(count("In the object."))).must("what", text(""));
    let object = told("")
        .must("object", text("Its file."))
        .must("collection", or_null(text("")))
        .must("state", text("Such as damaged, unfinished or unknown."))
        .must("derived", flag("Whether it can be built anew."))
        .must("bytes", count(""))
        .must("findings", list("", finding))
        .may("more_findings", count("How many more there are."));
    let counted =
        ["collections", "bytes", "ok", "damaged", "derived_damaged", "unfinished", "unneeded", "unknown"];
    let summary = counted.into_iter().fold(told("Counts."), |fields, name| fields.must(name, count("")));
    told("")
        .must("clean", flag("Whether nothing is damaged."))
        .must("objects", list("What is not sound; of many the first.", object))
        .must("more_objects", count("How many more there are."))
        .must("summary", summary)
}

fn events() -> Described {
    get("/v1/events", "streamEvents", "A stream of what is written")
        .about(
            "Server-sent events: collection.created and dropped, document.added, replaced, deleted and touched, \
             edge.linked and unlinked, with JSON as data (docs/EVENTS.md). It goes on until its client leaves.",
        )
        .query("collection", text(""), "Of one collection; left out, of all that the key may use.")
        .header("Last-Event-ID", text(""), "The event that was seen last: what came since is told first.")
        .sends("text/event-stream")
        .fails_with(503, "too_many_streams")
}

fn keys() -> Vec<Described> {
    let role = || choice("Each includes what comes before it.", &["read", "write", "admin"]);
    let key = || {
        told("An access key.")
            .must("id", text("The part of its token that is no secret."))
            .must("description", text("What it is for."))
            .must("role", role())
            .must("collections", list("Where; * for everywhere.", text("")))
            .must("created_at", text(""))
            .must("expires_at", or_null(text("Null for never.")))
    };
    let new = asked("")
        .must("role", role())
        .may("collections", list("All, where it is left out.", text("")))
        .may_not_null("description", text("What it is for, up to 256 bytes."))
        .may("expires_at", named_for("Time", "From when on it is worth nothing."))
        .may("ttl", text("How long it lasts, such as 30d; instead of expires_at."));
    let made = told("").must("token", text("Told once: only its digest is kept.")).must("key", key());
    vec![
        get("/v1/keys", "listAccessKeys", "The access keys").answers(told("").must("keys", list("", key()))),
        post("/v1/keys", "createAccessKey", "Make an access key")
            .body(new)
            .like(json!({"role": "read", "collections": ["films"], "ttl": "30d"}))
            .answers_with(201, made)
            .fails(&["too_large"]),
        delete("/v1/keys/{id}", "revokeAccessKey", "Revoke an access key")
            .done_with(204)
            .fails(&["unknown_access_key"]),
    ]
}
