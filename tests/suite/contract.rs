//! Scenario files on every surface: the same answers, in any layout, to the last bit.

use std::sync::atomic::{AtomicUsize, Ordering};

use kithdb_tests::core_surface::CoreSurface;
use kithdb_tests::js_surface::JsSurface;
use kithdb_tests::rest_surface::RestSurface;
use kithdb_tests::scenario::{Scenario, all, replay};
use kithdb_tests::{Surface, every_surface, rounded};
use serde_json::{Value, json};

/// How many random layouts each scenario is replayed in on the core.
const CORE_LAYOUTS: u64 = 25;
/// How many on surfaces where each takes a process.
const PROCESS_LAYOUTS: u64 = 3;
/// How many scenarios are replayed beside each other: they wait for the disk, or for a process, as much as they compute.
const BESIDE: usize = 4;
/// How many in JavaScript, where each takes a Node or a browser of its own.
const BESIDE_IN_JAVASCRIPT: usize = 2;

fn core(name: &str, scenario: &Scenario, seed: Option<u64>) -> Vec<Value> {
    let directory = tempfile::tempdir().expect("a directory");
    let mut surface = CoreSurface::default();
    surface.manual_jobs = true;
    replay(&mut surface, name, scenario, seed, directory.path())
}

/// Hands every scenario to one of so many threads, each of which has a surface of its own, or whatever it starts with.
fn for_each<S>(
    threads: usize,
    start: impl Fn() -> S + Sync,
    replay: impl Fn(&mut S, &str, &Scenario) + Sync,
) {
    let (all, next) = (all(), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let mut state = start();
                while let Some((name, scenario)) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
                    replay(&mut state, name, scenario);
                }
            });
        }
    });
    assert!(next.into_inner() >= all.len(), "all were replayed");
}

#[test]
fn scenarios_hold_on_core_in_any_layout() {
    for_each(
        BESIDE,
        || (),
        |(), name, scenario| {
            let plain = core(name, scenario, None);
            for seed in 0..CORE_LAYOUTS {
                assert_eq!(core(name, scenario, Some(seed)), plain, "{name}: seed {seed} changes an answer");
            }
        },
    );
}

#[test]
fn scenarios_give_the_same_answers_over_http() {
    for_each(
        BESIDE,
        || (),
        |(), name, scenario| {
            let plain = core(name, scenario, None);
            for seed in [None].into_iter().chain((0..PROCESS_LAYOUTS).map(Some)) {
                let directory = tempfile::tempdir().expect("a directory");
                let got = replay(&mut RestSurface::default(), name, scenario, seed, directory.path());
                assert_eq!(got, plain, "{name}: REST differs from core, seed {seed:?}");
            }
        },
    );
}

fn in_javascript(surface: &'static str) {
    for_each(
        BESIDE_IN_JAVASCRIPT,
        || JsSurface::start(surface),
        |surface, name, scenario| {
            let plain = core(name, scenario, None);
            for seed in [None].into_iter().chain((0..PROCESS_LAYOUTS).map(Some)) {
                let directory = tempfile::tempdir().expect("a directory");
                let got = replay(surface, name, scenario, seed, directory.path());
                assert_eq!(got, plain, "{name}: {} differs from core, seed {seed:?}", surface.name());
            }
        },
    );
}

#[test]
fn scenarios_give_the_same_answers_in_node() {
    in_javascript("node");
}

#[test]
fn scenarios_give_the_same_answers_over_a_connection() {
    in_javascript("remote");
}

#[test]
fn scenarios_give_the_same_answers_in_wasm_under_node() {
    in_javascript("wasm");
}

#[test]
fn scenarios_give_the_same_answers_in_chromium() {
    in_javascript("chromium");
}

/// What a collection answers, told by one surface.
fn answers(surface: &mut dyn Surface, name: &str) -> Vec<Value> {
    let requests = [
        json!({ "vector": [0.3, 0.7, -0.2], "k": 5, "explain": true }),
        json!({ "text": "seven", "k": 5 }),
        json!({ "filter": "n > 3 AND n <= 9" }),
        json!({ "vector": [1, 1, 1], "text": "odd number", "filter": "n != 4", "k": 20 }),
    ];
    let mut told = vec![surface.must("scan", &json!({ "name": name, "limit": 100 }))];
    told.extend(requests.iter().map(|r| surface.must("search", &json!({ "name": name, "request": r }))));
    // Cursors and seqs are counted anew by an export; documents and scores are not.
    told[0]["next"] = Value::Null;
    told.iter().map(rounded).collect()
}

#[test]
fn a_collection_exported_by_one_surface_opens_in_the_others() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = |name: &str| directory.path().join(name).to_string_lossy().into_owned();
    let mut surfaces = every_surface();
    let words = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"];
    let mut original = Vec::new();
    for surface in &mut surfaces {
        let from = surface.name();
        surface.must("open", &json!({ "path": path(from) }));
        surface.must("create", &json!({ "name": "numbers", "config": { "text": {} } }));
        let document = |n: usize| {
            let parity = if n % 2 == 1 { "odd" } else { "even" };
            let text = format!("{} is an {parity} number", words[n]);
            json!({ "id": words[n], "vector": [n as f32 + 0.5, 1.0 - n as f32, 0.25], "metadata": { "n": n, "text": text } })
        };
        let all: Vec<Value> = (0..words.len()).map(document).collect();
        surface.must("add", &json!({ "name": "numbers", "documents": all }));
        surface.must("delete", &json!({ "name": "numbers", "ids": ["two"] }));
        surface.must("export", &json!({ "name": "numbers", "file": path(&format!("{from}.kith")) }));
        original = answers(&mut **surface, "numbers");
    }
    for surface in &mut surfaces {
        for from in ["core", "node", "rest", "wasm", "chromium"] {
            let name = format!("from-{from}");
            let file = path(&format!("{from}.kith"));
            surface.must("import", &json!({ "name": name, "file": file }));
            let told = answers(&mut **surface, &name);
            assert_eq!(told, original, "exported by {from}, opened by {}", surface.name());
        }
        surface.must("close", &json!({}));
    }
}
