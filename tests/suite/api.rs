//! docs/API.md: its curl lines are answered with what stands behind them, and there is one for each route of `/v1`.

use std::collections::BTreeSet;
use std::process::Command;

use kithdb_tests::openapi::Document;
use kithdb_tests::places;
use kithdb_tests::rest_surface::Server;
use serde_json::Value;

/// Between what two commands print.
const MARK: &str = "\n=====\n";
/// Stands for anything in an answer.
const ANYTHING: &str = "...";

/// A command and what it prints.
struct Line {
    command: String,
    answer: String,
}

fn read(path: &str) -> String {
    std::fs::read_to_string(places::root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// The commands of a page in their order. One goes on to the next line while a quote is open.
fn lines(page: &str) -> Vec<Line> {
    let blocks = page.split("\n```sh\n").skip(1).filter_map(|rest| rest.split("\n```").next());
    let mut found: Vec<Line> = vec![];
    for line in blocks.flat_map(str::lines) {
        match (line.strip_prefix("# "), found.last_mut()) {
            (Some(answer), Some(last)) => last.answer += &format!("{answer}\n"),
            (None, Some(last)) if last.command.matches('\'').count() % 2 == 1 => {
                last.command += &format!("\n{line}");
            }
            _ => found.push(Line { command: line.to_owned(), answer: String::new() }),
        }
    }
    found
}

/// Whether a text is what is told, with anything in the place of the dots.
fn is_told(text: &str, told: &str) -> bool {
    let (mut parts, mut rest) = (told.split(ANYTHING), text);
    let Some(begin) = parts.next() else { return false };
    let Some(behind) = rest.strip_prefix(begin) else { return false };
    rest = behind;
    let parts: Vec<&str> = parts.collect();
    let Some((last, between)) = parts.split_last() else { return rest.is_empty() };
    for part in between {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

#[test]
fn every_curl_line_is_answered_as_the_page_says() {
    let data = tempfile::tempdir().expect("a directory");
    let server = Server::start(&data.path().join("db"), &[]).expect("starts");
    let lines = lines(&read("docs/API.md"));
    let script: String = lines.iter().map(|line| format!("{}\nprintf '{MARK}'\n", line.command)).collect();
    let script = script.replace("http://127.0.0.1:9091", &server.address);
    let output = Command::new("bash").args(["-c", &script]).current_dir(data.path()).output().expect("bash");
    let printed = String::from_utf8(output.stdout).expect("UTF-8");
    let printed: Vec<&str> = printed.split(MARK).collect();
    assert_eq!(printed.len(), lines.len() + 1, "{}", String::from_utf8_lossy(&output.stderr));
    for (Line { command, answer }, printed) in lines.iter().zip(printed) {
        let (printed, answer) = (printed.replace('\r', ""), answer.trim());
        assert!(is_told(printed.trim(), answer), "{command}\nprints: {printed}\nthe page: {answer}");
    }
}

#[test]
fn every_route_of_v1_has_a_curl_line() {
    let text = read("docs/openapi.json");
    let (document, json) = (Document::new(&text), serde_json::from_str::<Value>(&text).expect("JSON"));
    let paths = json["paths"].as_object().expect("paths").iter();
    let of_v1 = paths.filter(|(path, _)| path.starts_with("/v1/"));
    let all: BTreeSet<(String, String)> = of_v1
        .flat_map(|(path, item)| {
            let methods = item.as_object().expect("operations").keys();
            methods.map(move |method| (method.to_uppercase(), path.clone()))
        })
        .collect();
    let told: BTreeSet<(String, String)> =
        lines(&read("docs/API.md")).iter().filter_map(|line| asked(&document, &line.command)).collect();
    let untold: Vec<_> = all.difference(&told).collect();
    assert!(untold.is_empty(), "docs/API.md has no curl line for {untold:?}");
}

/// What a curl line asks for.
fn asked(document: &Document, command: &str) -> Option<(String, String)> {
    let url = command.split("$api").nth(1)?.split([' ', '"', '?']).next()?;
    let named = command.split(" -X ").nth(1).and_then(|rest| rest.split(' ').next());
    let method =
        named.unwrap_or(if command.contains(" -d ") || command.contains(" --data") { "POST" } else { "GET" });
    // What a command takes from another one stands for a variable.
    let path = format!("/v1{}", url.split("$(").next()?);
    let path = if path.ends_with('/') { format!("{path}x") } else { path };
    let (known, _) = document.operation(method, &path)?;
    Some((method.to_owned(), known.to_owned()))
}
