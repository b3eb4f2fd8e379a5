//! `kithdb load`: what it says, what it stores, and how.

use std::fmt::Write;
use std::path::Path;
use std::process::Command;

use kithdb::collection::CollectionConfig;
use kithdb::host::{Db, Options};
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
