//! The binary: what it prints and how it ends when it cannot start, and that it loads and serves.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output};

use kithdb::host::{Db, Options};

fn kithdb(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kithdb"));
    command.env_remove("KITH_TOKEN").args(args).output().expect("the binary runs")
}

fn serve(data: &Path, listen: &str) -> Output {
    kithdb(&["serve", "--data", data.to_str().expect("UTF-8"), "--listen", listen])
}

/// The one line of a failure.
fn failure(output: &Output) -> String {
    let text = String::from_utf8(output.stderr.clone()).expect("UTF-8");
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(text.starts_with("kithdb: ") && !text.contains("panicked"), "{text}");
    text
}

#[test]
fn a_port_in_use_is_said_with_another_to_try() {
    let data = tempfile::tempdir().expect("a directory");
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("bound");
    let text = failure(&serve(data.path(), &address.to_string()));
    assert!(text.contains("in use") && text.contains("--listen 127.0.0.1:"), "{text}");
}

#[test]
fn an_address_that_others_reach_wants_a_token() {
    let data = tempfile::tempdir().expect("a directory");
    let text = failure(&serve(data.path(), "0.0.0.0:9091"));
    assert!(text.contains("KITH_TOKEN") && text.contains("127.0.0.1:9091"), "{text}");
    assert!(failure(&serve(data.path(), "nonsense")).contains("127.0.0.1:9091"));
}

#[test]
fn a_directory_in_use_names_its_owner() {
    let data = tempfile::tempdir().expect("a directory");
    let _db = Db::open(data.path(), Options::default()).expect("a new database");
    let text = failure(&serve(data.path(), "127.0.0.1:0"));
    assert!(text.contains("in use by process") && text.contains(&std::process::id().to_string()), "{text}");
}

#[test]
fn loading_twice_loads_once_and_a_bad_line_is_named() {
    let dir = tempfile::tempdir().expect("a directory");
    let (data, file) = (dir.path().join("data"), dir.path().join("documents.jsonl"));
    let lines =
        "{\"id\": \"a\", \"vector\": [1, 2]}\n\n{\"id\": \"b\", \"metadata\": {\"gloss\": \"tall\"}}\n";
    std::fs::write(&file, lines).expect("a file");
    let path = |path: &Path| path.to_str().expect("UTF-8").to_owned();
    let (data_arg, file_arg) = (path(&data), path(&file));
    let args = ["load", "--data", &data_arg, "--collection", "c", "--text-field", "gloss", &file_arg];
    let said = |output: Output| {
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    assert!(said(kithdb(&args)).starts_with("loaded 2 documents into c"));
    assert!(said(kithdb(&args)).contains("holds the 2 documents already"));

    std::fs::write(&file, format!("{lines}{{\"id\": \"c\", \"vector\": [1]}}\n")).expect("a file");
    let output = kithdb(&args);
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stderr).expect("UTF-8");
    assert!(text.contains("documents.jsonl:4: vector dimension mismatch"), "{text}");
}
