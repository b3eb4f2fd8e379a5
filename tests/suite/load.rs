//! `kithdb load`: what it says, what it stores, and how.

use std::fmt::Write;
use std::path::Path;
use std::process::Command;

use kithdb::collection::{CollectionConfig, LinkRequest, Mutation, UnlinkRequest};
use kithdb::host::{AddMode, CollectionHandle, Db, Options};
use kithdb::wire::{GraphAsk, LineBody, parse};
use kithdb_tests::places;

/// Runs it; whether it succeeded, and what it printed.
fn load(data: &Path, file: &Path, more: &[&str]) -> (bool, String) {
    let output = Command::new(places::server())
        .args(["load", "--collection", "c", "--data"])
        .arg(data)
        .args(more)
        .arg(file)
        .output()
        .expect("it starts");
    let told = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&told).into_owned())
}

fn line(number: usize) -> String {
    format!("{{\"id\": \"d{number}\", \"vector\": [{number}, 1], \"metadata\": {{\"n\": {number}}}}}")
}

fn opened(data: &Path) -> Db {
    Db::open(data, Options { auto_jobs: false, ..Options::default() }).expect("opens")
}

/// What the verbs of reading answer, but for when edges were made.
fn asked(collection: &CollectionHandle) -> String {
    let questions = [
        ("edges", r#"{"id": "d1", "direction": "both"}"#),
        ("traverse", r#"{"id": "d1", "paths": ["next.**", "<next", "*"], "hydrate": true}"#),
        ("subgraph", r#"{"ids": ["d2", "nowhere"], "depth": 3, "direction": "both", "with_vector": true}"#),
        ("path", r#"{"source": "d1", "target": "d6", "weighted": true}"#),
        ("components", "{}"),
    ];
    let answers = questions.map(|(verb, json)| {
        let ask = GraphAsk::parse(verb, json.as_bytes()).expect("a question");
        let answer = ask.answer(collection.ask_graph(&ask.question, &ask.options).expect("answered"));
        let mut answer = serde_json::to_value(answer).expect("JSON");
        without_times(&mut answer);
        answer.to_string()
    });
    answers.join("\n")
}

fn without_times(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::Object(fields) => {
            fields.remove("created");
            fields.values_mut().for_each(without_times);
        }
        serde_json::Value::Array(items) => items.iter_mut().for_each(without_times),
        _ => {}
    }
}

/// Documents in a row, with edges that were replaced, ended and made anew, and ends that are no documents.
fn linked(data: &Path) -> String {
    let db = opened(data);
    let made = db.create("c", CollectionConfig::default()).expect("made");
    let document = |number: usize| {
        let line = parse::<LineBody<'_>>(line(number).as_bytes()).and_then(LineBody::line);
        let Ok(kithdb::wire::Line::Document(document)) = line else { panic!("a document") };
        document
    };
    made.add((0..8).map(document).collect(), AddMode::Upsert, None).expect("stored");
    let link = |source: &str, target: &str, weight, properties: &str| {
        Mutation::Link(LinkRequest {
            source: source.to_owned(),
            relation: if weight < 4.0 { "next" } else { "far" }.to_owned(),
            target: target.to_owned(),
            inverse: None,
            weight,
            properties: kithdb::base::value::parse_object(properties).expect("JSON"),
        })
    };
    let row = (0..7).map(|n| link(&format!("d{n}"), &format!("d{}", n + 1), 0.1 * n as f64, "{}"));
    made.write(row.collect(), None).expect("linked");
    made.write(vec![link("d1", "d2", 2.5, r#"{"why": ["x", 1]}"#), link("d1", "d6", 4.5, "{}")], None)
        .expect("linked");
    made.write(vec![link("d2", "nowhere", 0.0, "{}"), link("nowhere", "d3", 0.25, "{}")], None)
        .expect("linked");
    let unlink = UnlinkRequest {
        source: "d5".to_owned(),
        relation: "next".to_owned(),
        target: "d6".to_owned(),
        inverse: None,
        erase: false,
    };
    made.write(vec![Mutation::Unlink(unlink)], None).expect("unlinked");
    made.delete(vec!["d4".to_owned()], None).expect("deleted");
    let told = asked(&made);
    db.close().expect("closed");
    told
}

#[test]
fn edges_go_through_a_dump_and_a_load() {
    let directory = tempfile::tempdir().expect("a directory");
    let at = |name: &str| directory.path().join(name);
    let before = linked(&at("db"));
    let output = Command::new(places::server())
        .args(["dump", "--data"])
        .args([at("db").as_path(), Path::new("c"), &at("lines.jsonl")])
        .output()
        .expect("it starts");
    let said = String::from_utf8_lossy(&output.stdout);
    // Of the 7 in a row one was ended and two went with a document.
    assert!(said.contains("wrote 7 documents and 7 edges of c"), "{said}");
    let (succeeded, told) = load(&at("copy"), &at("lines.jsonl"), &[]);
    assert!(succeeded && told.contains("loaded 7 documents and 7 edges into c"), "{told}");
    let db = opened(&at("copy"));
    assert_eq!(asked(&db.collection("c").expect("loaded")), before);
    db.close().expect("closed");
    let again = load(&at("copy"), &at("lines.jsonl"), &[]);
    assert!(again.0 && again.1.contains("holds the 7 documents and 7 edges already"), "{}", again.1);
    // Backwards, each edge comes before its ends.
    let lines = std::fs::read_to_string(at("lines.jsonl")).expect("written");
    let backwards: Vec<&str> = lines.lines().rev().collect();
    std::fs::write(at("back.jsonl"), backwards.join("\n")).expect("written");
    let (succeeded, told) = load(&at("back"), &at("back.jsonl"), &[]);
    assert!(succeeded && told.contains("loaded 7 documents and 7 edges into c"), "{told}");
}

/// Loading again compared edges too: one that was made by hand since made the counts differ, and the collection was dropped.
#[test]
fn what_was_added_since_a_load_is_still_there_after_loading_again() {
    let directory = tempfile::tempdir().expect("a directory");
    let (data, file) = (directory.path().join("db"), directory.path().join("lines.jsonl"));
    std::fs::write(&file, [line(1), line(2)].join("\n")).expect("written");
    assert!(load(&data, &file, &[]).0);
    let db = opened(&data);
    let collection = db.collection("c").expect("loaded");
    let link = LinkRequest {
        source: "d1".to_owned(),
        relation: "next".to_owned(),
        target: "d2".to_owned(),
        inverse: None,
        weight: 1.0,
        properties: kithdb::base::Object::new(),
    };
    collection.write(vec![Mutation::Link(link)], None).expect("linked");
    drop(collection);
    db.close().expect("closed");
    let (succeeded, told) = load(&data, &file, &[]);
    assert!(
        succeeded && told.contains("holds 2 documents and 1 edges") && told.contains("--replace"),
        "{told}"
    );
    let (succeeded, told) = load(&data, &file, &["--replace"]);
    assert!(succeeded && told.contains("loaded 2 documents"), "{told}");
}

#[test]
fn an_edge_that_cannot_be_linked_is_named() {
    let directory = tempfile::tempdir().expect("a directory");
    let (data, file) = (directory.path().join("db"), directory.path().join("lines.jsonl"));
    let edge = |target: &str| {
        format!("{{\"edge\": {{\"source\": \"d1\", \"relation\": \"r\", \"target\": {target}}}}}")
    };
    for (bad, what) in [
        (edge("\"d1\""), "another document"),
        (edge("7"), "string"),
        ("{\"edge\": {\"source\": \"d1\"}}".to_owned(), "relation"),
        ("{\"id\": \"d9\", \"edge\": {}}".to_owned(), "source"),
    ] {
        let lines = [line(1), edge("\"d2\""), bad.clone(), line(2)].join("\n");
        std::fs::write(&file, lines).expect("written");
        let (succeeded, told) = load(&data, &file, &[]);
        assert!(!succeeded && told.contains("lines.jsonl:3:") && told.contains(what), "{bad}: {told}");
    }
}

#[test]
fn a_file_becomes_a_segment_and_nothing_goes_through_the_log() {
    const LINES: usize = 12_000;
    let directory = tempfile::tempdir().expect("a directory");
    let (data, file) = (directory.path().join("db"), directory.path().join("lines.jsonl"));
    let mut lines = String::new();
    (0..LINES).for_each(|number| writeln!(lines, "{}", line(number % (LINES - 10))).expect("a string"));
    std::fs::write(&file, lines).expect("written");
    let (succeeded, told) = load(&data, &file, &[]);
    assert!(succeeded && told.contains(&format!("loaded {} documents into c", LINES - 10)), "{told}");
    let db = opened(&data);
    let info = db.collection("c").expect("loaded").info().expect("open");
    assert_eq!((info.stats.documents, info.stats.segments), (LINES - 10, 1));
    assert_eq!(info.stats.unlinked_vectors, 0, "the vectors are indexed");
    db.close().expect("closed");
    let logs = std::fs::read_dir(data.join("c/1")).expect("there").flatten();
    let logs = logs.filter(|entry| entry.file_name().to_string_lossy().starts_with("wal-"));
    let bytes: u64 = logs.map(|entry| entry.metadata().expect("a file").len()).sum();
    assert!(bytes < 1_000, "{bytes} bytes of logs");
}

/// A bulk import says only that it was refused; which line it was is found by writing the others one by one.
#[test]
fn a_line_that_cannot_be_stored_is_named() {
    let directory = tempfile::tempdir().expect("a directory");
    let (data, file) = (directory.path().join("db"), directory.path().join("lines.jsonl"));
    let bad = "{\"id\": \"bad\", \"vector\": [1, 2, 3]}";
    std::fs::write(&file, [&line(1), &line(2), bad, &line(4)].map(|line| format!("{line}\n")).concat())
        .expect("written");
    let (succeeded, told) = load(&data, &file, &[]);
    assert!(!succeeded && told.contains("lines.jsonl:3:"), "{told}");
    let db = opened(&data);
    assert_eq!(db.collection("c").expect("made").info().expect("open").stats.documents, 2, "those before it");
    db.drop_collection("c").expect("dropped");
    db.create("c", CollectionConfig::default()).expect("made");
    db.close().expect("closed");
    std::fs::write(&file, format!("{}\n", line(1))).expect("written");
    assert!(load(&data, &file, &[]).0);
    let again = load(&data, &file, &[]);
    assert!(again.0 && again.1.contains("already"), "{}", again.1);
}
