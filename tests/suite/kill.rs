//! kill -9 of the real server while four writers write over HTTP: no acknowledged document may be lost.
//!
//! Each document counts its own writes. After every kill each one must hold the last acknowledged count, or the one
//! that was on its way; deleted ones must be gone, unless their next write was on its way.

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use kithdb::base::Rng;
use kithdb_tests::rest_surface::Server;
use kithdb_tests::rounded;
use serde_json::{Value, json};

const WRITERS: u64 = 4;
const IDS_A_WRITER: u64 = 40;
const DIM: usize = 16;
/// Documents that are acknowledged before a kill, at the least.
const ACKNOWLEDGED_MIN: u64 = 6;

/// What is known of a document: its count when last acknowledged, 0 for deleted, and what was sent since.
#[derive(Debug, Clone, Default)]
struct Known {
    acknowledged: u64,
    sent: Option<u64>,
}

type Documents = HashMap<String, Known>;

fn vector(id: u64, count: u64) -> Vec<f32> {
    let mut rng = Rng::new(id << 32 | count);
    (0..DIM).map(|_| rng.unit_f32() + 0.01).collect()
}

/// Writes until the server is gone.
fn write(server: &Server, writer: u64, documents: &mut Documents, seed: u64, acknowledged: &AtomicU64) {
    let mut rng = Rng::new(seed ^ (writer << 40));
    let mut count = documents.values().flat_map(|k| [k.acknowledged, k.sent.unwrap_or(0)]).max().unwrap_or(0);
    loop {
        count += 1;
        let mut batch = Vec::new();
        for _ in 0..=rng.below(4) {
            let number = writer * IDS_A_WRITER + rng.below(IDS_A_WRITER);
            batch.push((format!("w{number}"), number));
        }
        batch.sort();
        batch.dedup();
        let delete = rng.below(5) == 0;
        let durability = ["always", "everysec", "everysec", "os"][rng.below(4) as usize];
        let next = if delete { 0 } else { count };
        for (id, _) in &batch {
            documents.entry(id.clone()).or_default().sent = Some(next);
        }
        let (path, body) = if delete {
            let ids: Vec<&String> = batch.iter().map(|(id, _)| id).collect();
            ("/v1/collections/k/documents/delete", json!({ "ids": ids, "durability": durability }))
        } else {
            let document = |(id, number): &(String, u64)| json!({ "id": id, "vector": vector(*number, count), "metadata": { "count": count, "text": format!("count{count}") } });
            let all: Vec<Value> = batch.iter().map(document).collect();
            ("/v1/collections/k/documents", json!({ "documents": all, "durability": durability }))
        };
        match server.send("POST", path, Some(body.to_string().as_bytes())) {
            Ok((200, _)) => {
                for (id, _) in &batch {
                    documents.insert(id.clone(), Known { acknowledged: next, sent: None });
                }
                acknowledged.fetch_add(batch.len() as u64, Ordering::Relaxed);
            }
            Ok((status, body)) => panic!("{status}: {}", String::from_utf8_lossy(&body)),
            Err(_) => return,
        }
    }
}

/// Reads everything back and takes note of what in-flight writes became.
fn check(server: &Server, all: &mut [Documents], cycle: u64) {
    let mut live = 0;
    for documents in all.iter_mut() {
        let ids: Vec<String> = documents.keys().cloned().collect();
        let got = server
            .ask("POST", "/v1/collections/k/documents/get", Some(&json!({ "ids": ids })))
            .expect("read");
        for (id, found) in ids.iter().zip(got["documents"].as_array().expect("a list")) {
            let count = found["metadata"]["count"].as_u64().unwrap_or(0);
            let known = documents.get_mut(id).expect("asked for");
            let expected = [Some(known.acknowledged), known.sent];
            assert!(
                expected.contains(&Some(count)),
                "cycle {cycle}: {id} holds {count}, {known:?} was known"
            );
            *known = Known { acknowledged: count, sent: None };
            live += u64::from(count > 0);
            if count > 0 {
                let number: u64 = id[1..].parse().expect("a number");
                let written = json!({ "vector": vector(number, count) });
                assert_eq!(
                    rounded(found)["vector"],
                    rounded(&written)["vector"],
                    "cycle {cycle}: {id}'s vector"
                );
            }
        }
    }
    let info = server.ask("GET", "/v1/collections/k", None).expect("info");
    assert_eq!(info["documents"].as_u64(), Some(live), "cycle {cycle}: documents nobody wrote, or lost ones");
    let page = server.ask("GET", "/v1/collections/k/documents?limit=10000", None).expect("a page");
    assert_eq!(page["documents"].as_array().map(Vec::len), Some(live as usize), "cycle {cycle}");
    find_each(server, page["documents"].as_array().expect("a list"), cycle);
}

/// A sample of documents is found by its own vector, its own word and its own field.
fn find_each(server: &Server, documents: &[Value], cycle: u64) {
    for document in documents.iter().step_by(1 + documents.len() / 8) {
        let id = &document["id"];
        let text = &document["metadata"]["text"];
        let filter = format!("count = {}", document["metadata"]["count"]);
        for request in [
            json!({ "vector": document["vector"], "k": 1 }),
            json!({ "text": text, "k": 100 }),
            json!({ "filter": filter, "k": 100 }),
        ] {
            let answer = server.ask("POST", "/v1/collections/k/search", Some(&request)).expect("searched");
            let found = answer["hits"].as_array().expect("hits").iter().any(|hit| hit["id"] == *id);
            assert!(found, "cycle {cycle}: {id} is not found by {request}");
        }
    }
}

/// Jobs at random, as a busy server has them.
fn disturb(server: &Server, stop: &AtomicBool, seed: u64) {
    let mut rng = Rng::new(seed);
    while !stop.load(Ordering::Relaxed) {
        let job = ["seal", "index", "merge", "optimize"][rng.below(4) as usize];
        if server.send("POST", &format!("/v1/collections/k/{job}"), Some(b"{}")).is_err() {
            return;
        }
    }
}

/// Writes for a while and kills the server; how many documents were acknowledged.
fn cycle(data: &Path, all: &mut [Documents], number: u64) -> u64 {
    let server = Server::start(data, &[]).unwrap_or_else(|printed| panic!("cycle {number}: {printed}"));
    if number == 0 {
        let body = json!({ "name": "k", "text": { "fields": ["text"] }, "ef_construction": 20 });
        server.ask("POST", "/v1/collections", Some(&body)).expect("made");
    } else {
        check(&server, all, number);
    }
    let pause = Duration::from_millis(20 + Rng::new(number).below(160));
    let (stop, acknowledged) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        let (server_ref, stop_ref, acknowledged) = (&server, &stop, &acknowledged);
        let writers: Vec<_> = all
            .iter_mut()
            .enumerate()
            .map(|(writer, documents)| {
                scope.spawn(move || write(server_ref, writer as u64, documents, number, acknowledged))
            })
            .collect();
        scope.spawn(move || disturb(server_ref, stop_ref, number));
        std::thread::sleep(pause);
        // A machine with much to do may not have come to it. A writer that has ended found something wrong, and so does whoever
        // counts, where a server answers nobody.
        let deadline = Instant::now() + Duration::from_secs(120);
        while acknowledged.load(Ordering::Relaxed) < ACKNOWLEDGED_MIN
            && Instant::now() < deadline
            && !writers.iter().any(|writer| writer.is_finished())
        {
            std::thread::sleep(Duration::from_millis(1));
        }
        server_ref.kill();
        writers.into_iter().for_each(|writer| writer.join().expect("a writer"));
        stop.store(true, Ordering::Relaxed);
    });
    acknowledged.into_inner()
}

fn cycles(mut more: impl FnMut(u64) -> bool) {
    let data = tempfile::tempdir().expect("a directory");
    let mut all = vec![Documents::new(); WRITERS as usize];
    let (mut number, mut acknowledged) = (0, 0);
    while more(number) {
        acknowledged += cycle(data.path(), &mut all, number);
        number += 1;
    }
    let server = Server::start(data.path(), &[]).expect("starts");
    check(&server, &mut all, number);
    println!("counted: kill kills={number} acknowledged={acknowledged} lost=0");
    assert!(acknowledged > number * 5, "the writers were busy");
}

#[test]
fn a_hundred_kills_lose_no_acknowledged_document() {
    cycles(|number| number < 100);
}

#[test]
#[ignore = "as long as KITH_PROVE_SECONDS: npm run prove -- kill --for 10m"]
fn kills_for_as_long_as_asked() {
    let seconds = std::env::var("KITH_PROVE_SECONDS").ok().and_then(|s| s.parse().ok()).unwrap_or(60);
    let end = Instant::now() + Duration::from_secs(seconds);
    cycles(|_| Instant::now() < end);
}
