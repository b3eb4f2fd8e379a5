//! The README's examples are the files in `examples/`, and they do what it says.

use std::process::Command;

use kithdb_tests::places;
use kithdb_tests::rest_surface::Server;

#[test]
fn the_readme_shows_the_examples_as_they_are() {
    let readme = std::fs::read_to_string(places::root().join("README.md")).expect("there");
    for file in ["node.mjs", "rest.sh"] {
        let example = std::fs::read_to_string(places::root().join("examples").join(file)).expect("there");
        assert!(readme.contains(&example), "examples/{file} differs from the README");
    }
}

#[test]
fn the_http_example_finds_what_it_shows() {
    let data = tempfile::tempdir().expect("a directory");
    let server = Server::start(data.path(), &[]).expect("starts");
    let output = Command::new("sh")
        .arg(places::root().join("examples/rest.sh"))
        .env("KITHDB_URL", &server.address)
        .output()
        .expect("sh");
    let printed = String::from_utf8_lossy(&output.stdout);
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{printed}{told}");
    let last = printed.lines().last().expect("a result");
    let answer: serde_json::Value = serde_json::from_str(last).expect("JSON");
    let ids: Vec<&str> =
        answer["hits"].as_array().expect("hits").iter().filter_map(|h| h["id"].as_str()).collect();
    assert_eq!(ids, ["moon", "up"], "{last}");
}
