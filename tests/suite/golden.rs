//! The same operations and jobs give the same bytes: with one thread and with two, in wasm, today and tomorrow.

use std::sync::Arc;

use kithdb::base::rng::mix;
use kithdb::base::value::parse_object;
use kithdb::base::{ManualClock, NoObserver, Pool, Rng};
use kithdb::collection::{CollectionConfig, Document, LinkRequest, Mutation, Settings};
use kithdb::engine::{Collection, Database, Env, JobKind, export};
use kithdb::storage::{FileRoot, Level, Object, SimVfs, Storage, Ticket};
use kithdb::text::{Language, TextFields, TextSpec};
use kithdb::vectors::{Coding, Metric, Stored};
use kithdb::wire::{AutoLinkBody, CreateBody};
use kithdb_tests::Surface;
use kithdb_tests::js_surface::JsSurface;
use serde_json::json;

/// Changes with the format (then FORMAT_VERSION, docs/FORMAT.md and this change in one commit), with the history below, and
/// with how links are chosen.
const GOLDEN: [(&str, &str, &str, u64); 12] = [
    ("cosine", "f32", "int8", 0xe3275c5782060070),
    ("cosine", "f32", "bits", 0x0e0f7e468b87dec5),
    ("euclidean", "f32", "int8", 0x4d2320eac64d7b67),
    ("euclidean", "f32", "bits", 0xa6f3588a7feede9d),
    ("euclidean", "f32", "opq", 0x3dea299259695b6b),
    ("dot", "f32", "int8", 0xb19430a8dd3a00e4),
    ("dot", "f32", "pq", 0x8704bf6135e1e400),
    ("manhattan", "f32", "int8", 0x66f304409b82bf03),
    ("manhattan", "f32", "pq", 0xa5fde24239b7936d),
    ("cosine", "f16", "int8", 0x9df67bf0f7850e86),
    ("euclidean", "int8", "bits", 0x0a8e321435c86f22),
    ("manhattan", "int8", "int8", 0x221102b96dcaf03b),
];

/// The first of these with rules that link documents by their metadata.
const WITH_RULES: u64 = 0xc90e9d2c3abed03e;

/// The same without rules, with edges that are not kept for ever, and with a decay.
const WITH_RETENTION: u64 = 0xb041708490eb9224;

fn settle(storage: &dyn Storage, ticket: Ticket) {
    storage.poll(ticket).of(ticket).expect("settled").expect("kept");
}

fn run_job(collection: &mut Collection, kind: JobKind, budget: usize) {
    let mut job = collection.begin(kind).expect("writable").expect("something to do");
    while !job.step(budget).expect("sound") {}
    let mut committed = collection.commit(job).expect("writable");
    settle(&*collection.storage(), committed.ticket);
    collection.publish(&mut committed).expect("readable");
}

/// The id of the collection and the time at which everything happens.
const COLLECTION_ID: u64 = 0xC0_FFEE;
const NOW_MS: i64 = 1_700_000_000_000;

/// A step of the fixed history.
enum Step {
    Upsert(Vec<Document>),
    Link(Vec<LinkRequest>),
    Delete(Vec<String>),
    Job(JobKind),
}

/// Three rounds of writes, each sealed and indexed, then two neighbours merged, and everything into one.
fn history() -> Vec<Step> {
    let mut rng = Rng::new(1);
    let mut steps = Vec::new();
    for round in 0..3u64 {
        steps.push(Step::Upsert((0..360).map(|i| document(&mut rng, round, i)).collect()));
        steps.push(Step::Link((0..300).map(|i| link(&mut rng, i)).collect()));
        steps.push(Step::Delete((0..40).map(|_| id(&mut rng)).collect()));
        steps.extend([Step::Job(JobKind::Seal), Step::Job(JobKind::Index)]);
    }
    steps.extend([Step::Job(JobKind::Merge), Step::Job(JobKind::Optimize)]);
    steps
}

fn config(metric: &str, stored: &str, codes: &str) -> CollectionConfig {
    let codes = Coding::parse(codes).expect("codes");
    CollectionConfig {
        metric: Metric::parse(metric).expect("a metric"),
        stored: Stored::parse(stored).expect("a form"),
        text: Some(TextSpec::new(Language::English, TextFields::TopLevel)),
        ef_construction: 40,
        settings: Settings { codes, ..Settings::default() },
        ..CollectionConfig::default()
    }
}

fn rules() -> serde_json::Value {
    json!([
        { "field": "tags", "relation": "tagged", "inverse": "has", "create_target": true },
        { "field": "n", "relation": "near" },
    ])
}

fn config_with_rules() -> CollectionConfig {
    let rules: Vec<AutoLinkBody> = serde_json::from_value(rules()).expect("rules");
    let config = config("cosine", "f32", "int8");
    let auto_links = rules.iter().map(AutoLinkBody::rule).collect();
    CollectionConfig { settings: Settings { auto_links, ..config.settings }, ..config }
}

/// So short that what edges were before goes with seals and merges.
fn retention() -> serde_json::Value {
    json!({
        "maintenance": { "graph_retention": "300ns", "graph_vacuum_interval": "5m" },
        "decay": {
            "model": "ebbinghaus", "half_life": "7d", "time_field": "n", "pinned_field": "odd",
            "layers": { "field": "tags", "half_lives": { "alpha": "0s", "stone": "1h30m" } },
        },
    })
}

fn config_with_retention() -> CollectionConfig {
    let body: CreateBody = serde_json::from_value(retention()).expect("settings");
    let settings = body.config("golden", None).expect("settings").settings;
    CollectionConfig { settings, ..config("cosine", "f32", "int8") }
}

/// A hash of every blob, and of the export, after the fixed history.
fn bytes_of(config: &CollectionConfig, threads: usize, budget: usize) -> u64 {
    let env = Env {
        clock: Arc::new(ManualClock::at(NOW_MS * 1_000_000)),
        observer: Arc::new(NoObserver),
        pool: Arc::new(Pool::new(threads)),
    };
    let vfs = SimVfs::new();
    let root = FileRoot::open(Arc::new(vfs.clone()), "db").expect("opens");
    let mut database = Database::open(Arc::new(root), env).expect("opens");
    let staged = database.stage("golden", COLLECTION_ID, config.clone()).expect("staged");
    settle(&*staged.storage, staged.ticket);
    let ticket = database.admit(staged);
    settle(&*database.storage(), ticket);
    let mut collection = database.open_collection("golden").expect("opens");
    for step in history() {
        let batch: Vec<Mutation> = match step {
            Step::Upsert(documents) => documents.into_iter().map(Mutation::Upsert).collect(),
            Step::Link(links) => links.into_iter().map(Mutation::Link).collect(),
            Step::Delete(ids) => ids.into_iter().map(Mutation::Delete).collect(),
            Step::Job(kind) => {
                run_job(&mut collection, kind, budget);
                continue;
            }
        };
        let submitted = collection.submit(batch, Level::Always).expect("stored");
        settle(&*collection.storage(), submitted.ticket.expect("ops"));
    }
    let storage = collection.storage();
    // What the last job has replaced is removed.
    assert!(storage.poll(Ticket::LAST).failed.is_none());
    let mut hash = 0;
    for object in storage.list().expect("listed").objects {
        if matches!(object, Object::Blob(..)) {
            let file = vfs.files().into_iter().find(|f| f.ends_with(&file_name(object))).expect("there");
            vfs.damage(&file, |bytes| hash = digest(hash, bytes));
        }
    }
    let exported = export::write(&collection.reader().load()).expect("sound");
    digest(hash, &exported)
}

/// The same in the wasm module under Node: `tests/surfaces/golden.mjs` answers with the paths of its files.
fn bytes_in_wasm(surface: &mut JsSurface, mut config: serde_json::Value) -> u64 {
    let directory = tempfile::tempdir().expect("a directory");
    config["text"] = json!({});
    config["ef_construction"] = json!(40);
    surface.must("create", &json!({ "id": COLLECTION_ID, "now": NOW_MS, "config": config }));
    for step in history() {
        match step {
            Step::Upsert(documents) => {
                let plain = |d: &Document| json!({ "id": d.id, "vector": d.vector, "metadata": d.metadata });
                let documents: Vec<_> = documents.iter().map(plain).collect();
                surface.must("upsert", &json!({ "documents": documents }))
            }
            Step::Link(links) => {
                let plain = |l: &LinkRequest| {
                    let [source, relation, target] = [&l.source, &l.relation, &l.target];
                    let properties = serde_json::to_value(&l.properties).expect("an object");
                    json!({ "source": source, "relation": relation, "target": target, "weight": l.weight, "properties": properties })
                };
                surface.must("link", &json!({ "edges": links.iter().map(plain).collect::<Vec<_>>() }))
            }
            Step::Delete(ids) => surface.must("delete", &json!({ "ids": ids })),
            Step::Job(kind) => surface.must("job", &json!({ "kind": kind.name() })),
        };
    }
    let told = surface.must("files", &json!({ "folder": directory.path().to_string_lossy() }));
    let files: Vec<String> = serde_json::from_value(told["files"].clone()).expect("paths");
    files.iter().fold(0, |hash, path| digest(hash, &std::fs::read(path).expect("readable")))
}

fn file_name(object: Object) -> String {
    let Object::Blob(number, kind) = object else { panic!("a blob") };
    format!("/{number}.{}", kind.name())
}

fn digest(hash: u64, bytes: &[u8]) -> u64 {
    bytes.chunks(8).fold(mix(hash ^ bytes.len() as u64), |hash, chunk| {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        mix(hash ^ u64::from_le_bytes(word))
    })
}

fn id(rng: &mut Rng) -> String {
    format!("id{}", rng.below(900))
}

/// Some have another weight, some properties; some replace others.
fn link(rng: &mut Rng, i: u64) -> LinkRequest {
    let source = id(rng);
    let target = loop {
        let target = id(rng);
        if target != source {
            break target;
        }
    };
    let relation = ["near", "after"][rng.below(2) as usize].to_owned();
    let weight = if rng.below(3) == 0 { 0.5 } else { 1.0 };
    let json = if i.is_multiple_of(5) { format!(r#"{{"n":{i}}}"#) } else { "{}".to_owned() };
    let properties = parse_object(&json).expect("JSON");
    LinkRequest { source, relation, target, inverse: None, weight, properties }
}

fn document(rng: &mut Rng, round: u64, i: u64) -> Document {
    let id = id(rng);
    let vector = (rng.below(8) > 0).then(|| (0..24).map(|_| rng.unit_f32() * 2.0 - 1.0).collect());
    let words = ["alpha", "beta", "running", "foxes", "quickly", "stone"];
    let word = |rng: &mut Rng| words[rng.below(6) as usize];
    let body = format!("{} {} {}", word(rng), word(rng), word(rng));
    let json = format!(
        r#"{{"body":"{body}","n":{i},"round":{round}.5,"tags":["{}"],"odd":{}}}"#,
        word(rng),
        i % 2 == 1
    );
    Document { id, vector, metadata: parse_object(&json).expect("JSON"), expires_at: None }
}

#[test]
fn blobs_are_the_same_for_any_number_of_threads_and_any_budget() {
    let told = GOLDEN.map(|(metric, stored, codes, _)| {
        let config = config(metric, stored, codes);
        let one = bytes_of(&config, 1, usize::MAX);
        for budget in [1, 7, 37] {
            let two = bytes_of(&config, 2, budget);
            assert_eq!(one, two, "{metric}, {stored}, {codes}: two threads and steps of {budget}");
        }
        (metric, stored, codes, one)
    });
    let more =
        [("rules", config_with_rules()), ("a retention", config_with_retention())].map(|(what, config)| {
            let one = bytes_of(&config, 1, usize::MAX);
            assert_eq!(one, bytes_of(&config, 2, 7), "with {what}: two threads and steps of 7");
            one
        });
    // All at once: whoever changes the bytes reads the new ones here.
    let told = (told, more);
    assert_eq!(told, (GOLDEN, [WITH_RULES, WITH_RETENTION]), "the bytes changed: {told:#018x?}");
}

#[test]
fn blobs_written_in_wasm_are_the_same() {
    let mut surface = JsSurface::start("golden");
    for (metric, stored, codes, golden) in GOLDEN {
        let config = json!({ "metric": metric, "stored": stored, "codes": codes });
        let wasm = bytes_in_wasm(&mut surface, config);
        assert_eq!(wasm, golden, "{metric}, {stored}, {codes}: wasm writes other bytes; {wasm:#018x}");
    }
    let wasm = bytes_in_wasm(&mut surface, json!({ "auto_links": rules() }));
    assert_eq!(wasm, WITH_RULES, "with rules: wasm writes other bytes; {wasm:#018x}");
    let wasm = bytes_in_wasm(&mut surface, retention());
    assert_eq!(wasm, WITH_RETENTION, "with a retention: wasm writes other bytes; {wasm:#018x}");
}
