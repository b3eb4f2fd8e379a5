//! The commands that look after a database directory: what they print, how they end, that they change nothing.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output};

use kithdb::base::value::parse_object;
use kithdb::collection::{CollectionConfig, Document};
use kithdb::engine::JobKind;
use kithdb::host::{AddMode, Db, Options};
use kithdb::text::{Language, TextFields, TextSpec};
use serde_json::Value;

fn kithdb(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_kithdb")).args(args).output().expect("the binary runs")
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// What a command said on standard output, when it ended with this code.
fn said(args: &[&str], code: i32) -> String {
    let output = kithdb(args);
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{args:?}: {errors}");
    assert!(!errors.contains("panicked"), "{errors}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// The one line that a command failed with.
fn failed(args: &[&str], code: i32) -> String {
    let output = kithdb(args);
    let text = String::from_utf8(output.stderr).expect("UTF-8");
    assert_eq!(output.status.code(), Some(code), "{text}");
    assert!(text.starts_with("kithdb: ") && text.lines().count() == 1, "{text}");
    text
}

/// A database of `films`, sealed but for its last document, and an empty `other`.
fn make(data: &Path) {
    let db = Db::open(data, Options { auto_jobs: false, ..Options::default() }).expect("a new database");
    let spec = TextSpec::new(Language::English, TextFields::TopLevel);
    let config = CollectionConfig { text: Some(spec), ..CollectionConfig::default() };
    let films = db.create("films", config).expect("made");
    db.create("other", CollectionConfig::default()).expect("made");
    let film = |id: &str, vector: Option<Vec<f32>>, year: u32| {
        let metadata = parse_object(&format!(r#"{{"year":{year},"plot":"words of {id}"}}"#)).expect("JSON");
        Document { id: id.into(), vector, metadata, expires_at: None }
    };
    let first = vec![film("alien", Some(vec![0.1, -3.5e-7]), 1979), film("up", None, 2009)];
    films.add(first, AddMode::Insert, None).expect("stored");
    films.run(JobKind::Seal).expect("sealed");
    films.add(vec![film("moon", Some(vec![1e15, 2.0]), 2009)], AddMode::Insert, None).expect("stored");
    db.close().expect("closed");
}

/// Names, bytes and times of all files.
fn fingerprint(directory: &Path) -> BTreeMap<String, (Vec<u8>, std::time::SystemTime)> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        let changed = path.metadata().and_then(|m| m.modified()).expect("a time");
        if path.is_dir() {
            found.extend(fingerprint(&path));
        }
        let bytes = if path.is_dir() { Vec::new() } else { std::fs::read(&path).expect("readable") };
        found.insert(text(&path).to_owned(), (bytes, changed));
    }
    found
}

fn flip(file: &Path, at: usize) {
    let mut bytes = std::fs::read(file).expect("readable");
    bytes[at] ^= 1;
    std::fs::write(file, bytes).expect("writable");
}

#[test]
fn verify_ends_with_0_1_or_2() {
    let dir = tempfile::tempdir().expect("a directory");
    let data = dir.path().join("data");
    let nothing = failed(&["verify", "--data", text(&data)], 2);
    assert!(nothing.contains("directory of a database") && !data.exists(), "{nothing}");
    make(&data);
    let clean = said(&["verify", "--data", text(&data)], 0);
    assert!(clean.contains("c/1/1.rows (films): OK, ") && clean.contains("nothing is damaged"), "{clean}");
    assert!(clean.lines().count() > 10, "a line an object: {clean}");

    std::fs::write(data.join("notes.txt"), "not ours").expect("writable");
    flip(&data.join("c/1/1.rows"), 70);
    let damaged = said(&["verify", "--data", text(&data)], 1);
    let expected = "c/1/1.rows (films): DAMAGED: at byte 64, expected a block with the right checksum";
    assert!(damaged.contains(expected) && damaged.contains("notes.txt: unknown, left alone"), "{damaged}");
    assert!(damaged.contains("kithdb repair"), "{damaged}");
    let json: Value =
        serde_json::from_str(&said(&["verify", "--json", "--data", text(&data)], 1)).expect("JSON");
    assert_eq!((&json["clean"], &json["summary"]["damaged"]), (&Value::from(false), &Value::from(1)));
    let objects = json["objects"].as_array().expect("a list");
    let bad = objects.iter().find(|object| object["state"] == "damaged").expect("one");
    assert_eq!((&bad["object"], &bad["findings"][0]["offset"]), (&"c/1/1.rows".into(), &64.into()));
    assert_eq!(json["strangers"], serde_json::json!(["notes.txt"]));
}

#[test]
fn stats_are_a_table_or_json() {
    let dir = tempfile::tempdir().expect("a directory");
    let data = dir.path().join("data");
    make(&data);
    let table = said(&["stats", "--data", text(&data)], 0);
    let lines: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0][..4], ["collection", "documents", "vectors", "dim"]);
    assert_eq!(lines[1][..7], ["films", "3", "2", "2", "0", "1", "0"]);
    assert_eq!(lines[2][..4], ["other", "0", "0", "-"]);
    let json: Value =
        serde_json::from_str(&said(&["stats", "--json", "--data", text(&data)], 0)).expect("JSON");
    let films = &json["collections"][0];
    assert_eq!((&films["documents"], &films["memtable"]["frames"]), (&3.into(), &1.into()));
    assert!(films["segments"][0]["bytes"]["rows"].as_u64() > Some(500), "{films}");

    flip(&data.join("c/1/1.rows"), 70);
    let half = said(&["stats", "--data", text(&data)], 1);
    assert!(half.contains("cannot be read") && half.contains("other"), "{half}");
}

#[test]
fn a_dump_is_loaded_again_and_an_export_imported() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = |name: &str| dir.path().join(name);
    let (data, lines, file) = (path("data"), path("films.jsonl"), path("films.kith"));
    make(&data);
    let dumped = said(&["dump", "--data", text(&data), "films"], 0);
    let first: Value = serde_json::from_str(dumped.lines().next().expect("a line")).expect("JSON");
    assert_eq!((&first["id"], &first["metadata"]["year"]), (&"alien".into(), &1979.into()));
    assert!(first["seq"].is_u64() && first["valid_from"].is_string(), "{first}");
    let told = said(&["dump", "--data", text(&data), "films", text(&lines)], 0);
    assert!(told.starts_with("wrote 3 documents of films"), "{told}");
    assert_eq!(std::fs::read_to_string(&lines).expect("written"), dumped);
    let exported = said(&["export", "--data", text(&data), "films", text(&file)], 0);
    assert!(exported.starts_with("exported 3 documents"), "{exported}");
    for again in [["dump", text(&lines)], ["export", text(&file)]] {
        let refused = failed(&[again[0], "--data", text(&data), "films", again[1]], 1);
        assert!(refused.contains("exists already"), "{refused}");
    }
    assert!(failed(&["dump", "--data", text(&data), "none"], 1).contains("not found"));

    let (loaded, imported) = (path("loaded"), path("imported"));
    said(&["load", "--data", text(&loaded), "--collection", "films", text(&lines)], 0);
    said(&["import", "--data", text(&imported), "copy", text(&file)], 0);
    assert!(
        failed(&["import", "--data", text(&imported), "copy", text(&file)], 1).contains("already exists")
    );
    let read = |data: &Path, name: &str| {
        let db = Db::open(data, Options::default()).expect("opens");
        let rows = db.collection(name).expect("there").scan(None, 100, None).expect("sound").rows;
        rows.iter().map(|r| (r.id.clone(), r.vector.clone(), r.metadata.clone())).collect::<Vec<_>>()
    };
    let original = read(&data, "films");
    assert_eq!(original.len(), 3);
    assert_eq!(read(&loaded, "films"), original);
    assert_eq!(read(&imported, "copy"), original);
    let twice = path("twice.kith");
    said(&["export", "--data", text(&imported), "copy", text(&twice)], 0);
    assert_eq!(std::fs::read(twice).expect("written"), std::fs::read(file).expect("written"));
}

#[test]
fn looking_changes_nothing_and_waits_for_no_writer() {
    let dir = tempfile::tempdir().expect("a directory");
    let (data, file) = (dir.path().join("data"), dir.path().join("films.kith"));
    make(&data);
    let log = data.join("c/1/wal-2");
    let torn = [std::fs::read(&log).expect("readable"), b"torn".to_vec()].concat();
    std::fs::write(&log, torn).expect("writable");
    let before = fingerprint(&data);
    let commands: [&[&str]; 4] =
        [&["verify"], &["stats"], &["dump", "films"], &["export", "films", text(&file)]];
    for command in commands {
        let args = [command, &["--data", text(&data)]].concat();
        said(&args, 0);
        assert_eq!(fingerprint(&data), before, "{command:?} changed something");
        drop(std::fs::remove_file(&file));
    }
    let tail = said(&["verify", "--data", text(&data)], 0);
    assert!(tail.contains("wal-2 (films): unfinished: at byte") && tail.contains("last 4 bytes"), "{tail}");
    let db = Db::open(&data, Options::default()).expect("opens");
    for (command, code) in commands.iter().zip([2, 2, 1, 1]) {
        let refused = failed(&[command, &["--data", text(&data)][..]].concat(), code);
        assert!(refused.contains("in use by process"), "{refused}");
    }
    db.close().expect("closed");
    assert!(!file.exists());
}

#[test]
fn repair_saves_into_a_new_directory_and_says_what_is_lost() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = |name: &str| dir.path().join(name);
    let (data, whole, half) = (path("data"), path("whole"), path("half"));
    make(&data);
    let repair = |new: &Path, code| said(&["repair", "--data", text(&data), "--into", text(new)], code);
    let told = repair(&whole, 0);
    assert!(told.contains("films: saved 3 documents from generation 2"), "{told}");
    assert!(told.contains("2 of 2 collections are whole, nothing is lost"), "{told}");
    said(&["verify", "--data", text(&whole)], 0);
    let refused = failed(&["repair", "--data", text(&data), "--into", text(&whole)], 2);
    assert!(refused.contains("new or empty"), "{refused}");
    let inside = failed(&["repair", "--data", text(&data), "--into", text(&data.join("new"))], 2);
    assert!(inside.contains("outside the damaged database") && !data.join("new").exists(), "{inside}");

    // The metadata of the sealed documents, and the log that they came from.
    for (file, needle) in [("c/1/1.rows", "words of up"), ("c/1/wal-1", "words of up")] {
        let bytes = std::fs::read(data.join(file)).expect("readable");
        let at = bytes.windows(needle.len()).position(|part| part == needle.as_bytes()).expect("there");
        flip(&data.join(file), at);
    }
    let before = fingerprint(&data);
    let told = repair(&half, 1);
    for lost in
        ["films: LOST document \"alien\"", "films: LOST document \"up\"", "1 of 2 collections are whole"]
    {
        assert!(told.contains(lost), "{told}");
    }
    let more = path("more");
    let json = said(&["repair", "--json", "--data", text(&data), "--into", text(&more)], 1);
    let json: Value = serde_json::from_str(&json).expect("JSON");
    let films = &json["collections"][0];
    assert_eq!((&json["whole"], &films["documents"]), (&false.into(), &1.into()));
    assert_eq!(films["lost"]["ids"], serde_json::json!(["alien", "up"]));
    assert_eq!(fingerprint(&data), before);
    said(&["verify", "--data", text(&more)], 0);
    let left = said(&["dump", "--data", text(&half), "films"], 0);
    assert!(left.lines().count() == 1 && left.contains("moon"), "{left}");
}
