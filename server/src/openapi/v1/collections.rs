//! Collections and the work that is done on them.

use kithdb::base::limits::{
    AUTO_LINKS_MAX, EF_CONSTRUCTION_MAX, ESTIMATE_K_MAX, ESTIMATE_QUERIES_MAX, ESTIMATE_SAMPLE_MAX,
};
use kithdb::engine::JobKind;
use serde_json::json;

use crate::openapi::operation::{Described, Errors, Group, delete, get, patch, post};
use crate::openapi::schema::{
    Fields, Shape, any, asked, choice, count, count_in, either, flag, list, list_to, map, named, named_for,
    number, or_null, text, told,
};

const FILE: &str = "application/octet-stream";

pub fn groups() -> [Group; 2] {
    let collections = Group {
        name: "collections",
        about: "Collections: made, described, changed, dropped, exported and imported.",
        errors: Errors::Problem,
        operations: collections(),
    };
    let jobs = Group {
        name: "jobs",
        about: "Work that is otherwise done by itself, and what is done when asked. Each answers when it is done.",
        errors: Errors::Problem,
        operations: jobs(),
    };
    [collections, jobs]
}

fn collections() -> Vec<Described> {
    let one = "/v1/collections/{name}";
    vec![
        get("/v1/collections", "listCollections", "Every collection that the key may use").answers(
            told("")
                .must("collections", list("Those that can be opened.", named("Collection")))
                .may("unopenable", list("Those that are damaged, and how.", unopenable())),
        ),
        post("/v1/collections", "createCollection", "Make a collection")
            .body(create())
            .like(json!({"name": "films", "metric": "cosine", "text": {"language": "english"}}))
            .answers_with(201, named("Collection"))
            .fails(&["collection_exists", "no_embedder"]),
        get(one, "getCollection", "What a collection is and holds").answers(named("Collection")),
        patch(one, "configureCollection", "Change how a collection is maintained")
            .about("What is left out stays as it is.")
            .body(configure())
            .like(json!({"maintenance": {"vacuum_interval": "5m"}, "codes": "bits"}))
            .answers(named("Collection")),
        delete(one, "dropCollection", "Drop a collection and all that is in it").done_with(204),
        get(format!("{one}/export"), "exportCollection", "A collection as one file").sends(FILE),
        post(format!("{one}/import"), "importCollection", "Make a collection of such a file")
            .file(FILE)
            .answers_with(201, named("Collection"))
            .fails(&["collection_exists", "invalid_file", "unsupported_version", "corrupt", "invalid_name"]),
    ]
}

/// What a job does, in a line.
fn job_summary(kind: JobKind) -> &'static str {
    match kind {
        JobKind::Seal => "Make a segment of what is in the memtable",
        JobKind::Index => "Give a segment without neighbour lists some",
        JobKind::Merge => "Make one of some neighbouring segments",
        JobKind::Vacuum => "Write a segment again without what has ended in it",
        JobKind::GraphVacuum => "Write the edges of a segment again without those that ended long ago",
        JobKind::Recode => "Give a segment the codes that the settings ask for",
        JobKind::Refine => "Build the neighbour lists of a segment anew, more carefully",
        JobKind::Optimize => "Make one segment with neighbour lists of all documents",
    }
}

fn jobs() -> Vec<Described> {
    let one = "/v1/collections/{name}";
    let job = |kind: JobKind| {
        let done = told("").must("done", flag("False when there was nothing to do."));
        let run = post(format!("{one}/{}", kind.name()), kind.name(), job_summary(kind)).answers(done);
        run.fails(&["cancelled", "degraded", "disk_full"])
    };
    let running = told("The job that runs.")
        .must("kind", text("What kind."))
        .must("done", count("How far it has come, in documents; what is written and linked counts twice."))
        .must("total", count("Of how many."));
    let compress =
        asked("").must("codes", choice("What the index is to traverse.", &["int8", "bits", "pq", "opq"]));
    let relinked = told("")
        .must("documents", count("Documents that were looked at."))
        .must("linked", count("Edges that were made."));
    let mut all: Vec<Described> = JobKind::ALL.into_iter().map(job).collect();
    all.extend([
        get(format!("{one}/job"), "getJob", "The job that runs, and how far it has come")
            .answers(told("").must("job", or_null(running))),
        delete(format!("{one}/job"), "cancelJob", "Have the job that runs end without having done anything")
            .answers(told("").must("cancelled", flag("False when no job runs that can be cancelled."))),
        post(format!("{one}/relink"), "relink", "Apply the rules of auto-links to what is there")
            .answers(relinked)
            .fails(&["cancelled", "degraded", "disk_full"]),
        post(format!("{one}/compress"), "compress", "Give the whole collection other codes")
            .body(compress)
            .like(json!({"codes": "int8"}))
            .answers(told("Nothing but that it was done."))
            .fails(&["cancelled", "degraded", "disk_full"]),
        post(format!("{one}/estimate"), "estimate", "What other codes and stored forms would take and find")
            .body(estimate_body())
            .like(json!({"sample": 1000}))
            .answers(estimate()),
    ]);
    all
}

fn estimate_body() -> Fields {
    asked("")
        .may("sample", count_in("Vectors that are looked at: 10,000 by default.", 1, ESTIMATE_SAMPLE_MAX))
        .may(
            "queries",
            count_in("Of these, how many are searched for: 100 by default.", 1, ESTIMATE_QUERIES_MAX),
        )
        .may("k", count_in("How many neighbours of each are compared: 10 by default.", 1, ESTIMATE_K_MAX))
}

fn estimate() -> Fields {
    let choice = |what: &'static str, kinds: &[&str], bytes: &str| {
        told("").must(what, choice("", kinds)).must("bytes", count(bytes)).must(
            "recall",
            or_null(number("The share of the nearest that were found; null when it cannot be.")),
        )
    };
    let codes = choice("codes", &["int8", "bits", "pq", "opq"], "Of memory, for all vectors, beside links.");
    let stored = choice("stored", &["f32", "f16", "int8"], "On the disk, for all vectors.");
    told("")
        .must("vectors", count("Vectors there are, those of versions that have ended included."))
        .must("sample", count("Of these, how many were looked at."))
        .must("queries", count("Of these, how many were searched for."))
        .must("k", count("How many neighbours of each were compared."))
        .must("codes", list("What an index would traverse.", codes))
        .must("stored", list("How vectors would be kept.", stored))
}

fn unopenable() -> Fields {
    report(told("").must("name", text("Its name.")).must("error", text("The message.")))
}

/// With what an error says.
pub fn report(fields: Fields) -> Fields {
    fields
        .must("code", text("What went wrong; it does not change from version to version."))
        .must("message", text("For people."))
        .may("expected", text("What would have been right."))
        .may("got", text("What came instead."))
        .may("position", count("Where in a filter or a query, in bytes."))
        .may("hint", text("What to do."))
}

/// Settings that can be changed later.
fn settings(fields: Fields) -> Fields {
    fields
        .may_not_null("maintenance", named_for("Maintenance", "When segments are written again."))
        .may("codes", choice("What the index traverses: int8 by default.", &["int8", "bits", "pq", "opq"]))
        .may(
            "auto_links",
            list_to("Rules that link documents by their metadata.", AUTO_LINKS_MAX, named("AutoLink")),
        )
        .may("decay", named_for("DecayChoice", "How searches rank over time that do not say so themselves."))
}

fn create() -> Fields {
    let ef_max = EF_CONSTRUCTION_MAX as usize;
    settings(asked("").must("name", named("Name")))
        .may("metric", metric("How distances are measured: cosine by default."))
        .may("dim", count_in("Dimension of the vectors; left out, the first vector decides.", 1, 65_536))
        .may("text", named_for("TextSettings", "Which strings are searched as text; left out, none."))
        .may(
            "embedder",
            either("True, or a name, to embed texts that come without a vector.", [flag(""), text("")]),
        )
        .may("m", count("Neighbours that a node of the index keeps."))
        .may("ef_construction", count_in("How widely the index searches while it is built.", 1, ef_max))
        .may(
            "history",
            text("How long versions that were replaced or deleted stay readable: none (default), forever, or a duration such as 30d."),
        )
        .may(
            "stored",
            choice("How the vectors that readers get back are kept: f32 by default.", &["f32", "f16", "int8"]),
        )
}

fn configure() -> Fields {
    settings(asked("")).may("durability", named("Durability"))
}

fn metric(about: &str) -> Shape {
    choice(about, &["cosine", "euclidean", "dot", "manhattan"])
}

fn collection() -> Fields {
    let described = told("What a collection is and holds.")
        .must("name", text("Its name."))
        .must("metric", metric("How distances are measured."))
        .must("dim", or_null(count("Dimension of its vectors; null until the first.")))
        .must("language", or_null(text("How its text is analysed; null without text.")))
        .must("fields", any("Which strings are its text: top_level, all or paths; null without text."))
        .may("languages", map("Fields in another language, by path.", text("")))
        .must("k1", or_null(number("How long a repeated word goes on counting; null without text.")))
        .must("b", or_null(number("How much the length of a field counts; null without text.")))
        .may("weights", map("How much a field counts, by path.", number("")))
        .must("embedder", or_null(text("What embeds its texts; null for nothing.")))
        .must("m", count("Neighbours that a node of the index keeps."))
        .must("ef_construction", count("How widely the index searches while it is built."))
        .must("history", text("How long versions stay readable: none, forever or a duration."))
        .must("maintenance", maintenance(true))
        .must("stored", choice("How vectors are kept.", &["f32", "f16", "int8"]))
        .must("codes", choice("What the index traverses.", &["int8", "bits", "pq", "opq"]))
        .may("auto_links", list("Rules that link documents by their metadata.", named("AutoLink")))
        .must("decay", or_null(named("Decay")));
    described
        .must("earliest", or_null(text("The earliest moment that can be read; null when that is any.")))
        .must("graph_earliest", or_null(text("The same of the graph.")))
        .must("documents", count("Live documents."))
        .must("memtable", count("Live documents in the memtable."))
        .must("memtable_bytes", count("About how many bytes the memtable takes."))
        .must("segments", count("Segments."))
        .must("indexed", count("Segments with an index."))
        .must("ended", count("Versions that have ended and are still stored."))
        .must("write_waits", count("Writes that waited for a seal since it was opened."))
        .must("degraded", or_null(text("Why it takes no more writes; null while it does.")))
}

fn maintenance(is_told: bool) -> Fields {
    let fields = if is_told { told("How it is maintained.") } else { asked("") };
    let with = |fields: Fields, name: &str, shape: Shape| {
        if is_told { fields.must(name, shape) } else { fields.may(name, shape) }
    };
    [
        ("delete_threshold", number("The share of ended versions from which on a segment is written again.")),
        (
            "vacuum_interval",
            text("So much time is between two such writes at least; 0s for none by themselves."),
        ),
        (
            "refine_ef_construction",
            count("Links built with a lower one are built anew with it; 0 for never."),
        ),
        ("refine_interval", text("So much time is between two such jobs at least; 0s for none.")),
        ("graph_retention", text("Versions of edges that ended longer ago are dropped; 0s for never.")),
        ("graph_vacuum_interval", text("So much time is between two jobs that drop them at least.")),
    ]
    .into_iter()
    .fold(fields, |fields, (name, shape)| with(fields, name, shape))
}

fn text_settings() -> Fields {
    let fields = either(
        "top_level (default), all, or paths.",
        [choice("", &["top_level", "all"]), list("", text(""))],
    );
    asked("The text of a collection.")
        .may("language", text("How words are taken: english by default."))
        .may("fields", fields)
        .may_not_null("languages", map("Fields in another language, by path.", text("")))
        .may("k1", number("How long a repeated word goes on counting, 0 to 100: 1.2 by default."))
        .may("b", number("How much the length of a field counts, 0 to 1: 0.75 by default."))
        .may_not_null("weights", map("How much a field counts, by path: above 0, up to 1000.", number("")))
}

fn auto_link() -> Fields {
    asked("A rule that links documents by their metadata.")
        .must("field", text("The path of the field whose values are ids."))
        .must("relation", text("The relation of the edges."))
        .may("inverse", text("That of the edges back; left out, none are made."))
        .may_not_null("create_target", flag("True to make documents of ids that are not there."))
}

pub fn schemas() -> Vec<(&'static str, Shape)> {
    vec![
        ("Collection", collection().into()),
        ("Maintenance", maintenance(false).into()),
        ("TextSettings", text_settings().into()),
        ("AutoLink", auto_link().into()),
    ]
}
