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

#[test]
fn settings_are_checked_and_told_with_where_they_are_from() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("kithdb.yaml");
    let run = |text: &str, args: &[&str]| {
        std::fs::write(&file, text).expect("a file");
        let mut command = Command::new(env!("CARGO_BIN_EXE_kithdb"));
        command.args(["check-config", "--config"]).arg(&file).args(args);
        command.env_remove("KEKTOR_TOKEN").env("KITH_TOKEN", "SECRET-CANARY-OF-THE-MASTER");
        command.env("KEKTOR_PORT", "9300").output().expect("the binary runs")
    };
    let output = run("data: /from/file\nlog_level: debug\n", &["--durability=os"]);
    let said = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for line in [
        "# a token is set",
        "data: \"/from/file\" # line 1 of the file",
        "listen: \"127.0.0.1:9300\" # KEKTOR_PORT",
        "durability: \"os\" # an argument",
        "log_level: debug # line 2 of the file",
        "requests_max: 1024 # the default",
    ] {
        assert!(said.lines().any(|found| found == line), "{line} in\n{said}");
    }
    assert!(!said.contains("CANARY") && !dir.path().join("LOCK").exists());
    // What it says is a file that says the same.
    let again = String::from_utf8(run(&said, &[]).stdout).expect("UTF-8");
    let values = |said: &str| -> Vec<String> {
        said.lines().map(|line| line.split(" # ").next().unwrap_or_default().to_owned()).collect()
    };
    assert_eq!(values(&again), values(&said));

    let output = run("data: x\nlisten_on: 1\n", &[]);
    let text = String::from_utf8(output.stderr).expect("UTF-8");
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(text.contains("line 2") && text.contains("did you mean listen?"), "{text}");
}
