//! The demo's promise on its real data: a reverse dictionary that finds the word for a description.

use std::io::{BufRead, BufReader};

use kithdb::collection::{Document, SearchRequest};
use kithdb::engine::JobKind;
use kithdb::host::{AddMode, Db, Options, SystemClock, load_embedder};
use kithdb::wire::{CreateBody, DocumentBody, parse};
use kithdb_tests::js_surface::JsSurface;
use kithdb_tests::rest_surface::RestSurface;
use kithdb_tests::{Surface, places, rounded};
use serde_json::{Value, json};

/// WordNet 3.1, as its documentation counts.
const SYNSETS: usize = 117_791;
const RELATIONS: usize = 378_203;

#[test]
fn descriptions_find_their_words() {
    let (Some(documents), Some(edges), Some(model)) = (
        places::cached("wordnet/documents.jsonl"),
        places::cached("wordnet/edges.jsonl"),
        places::cached("embedder/wordllama-256"),
    ) else {
        eprintln!("skipped: npm test fetches WordNet and the embedder");
        return;
    };
    let lines =
        |path| BufReader::new(std::fs::File::open(path).expect("there")).lines().map(|l| l.expect("UTF-8"));
    assert_eq!(lines(edges).count(), RELATIONS);
    let options = Options {
        embedder: Some(load_embedder(&model).expect("sound")),
        auto_jobs: false,
        ..Options::default()
    };
    let db = Db::in_memory(options).expect("opens");
    let body: CreateBody = parse(br#"{"text":{"fields":["gloss"]},"embedder":true}"#).expect("a config");
    let wordnet =
        db.create("wordnet", body.config("wordnet", db.embedder_ref()).expect("valid")).expect("made");
    let all: Vec<Document> = lines(documents)
        .map(|line| {
            parse::<DocumentBody<'_>>(line.as_bytes())
                .and_then(|body| body.document(&SystemClock))
                .expect("a document")
        })
        .collect();
    assert_eq!(all.len(), SYNSETS);
    for batch in all.chunks(20_000) {
        wordnet.add(batch.to_vec(), AddMode::Insert, None).expect("stored");
    }
    let first = |text: &str| {
        let request = SearchRequest { text: Some(text.to_owned()), k: 1, ..SearchRequest::default() };
        let response = wordnet.search(request).expect("searched");
        format!("{:?}", response.hits[0].metadata["lemmas"])
    };
    let check = || {
        let giraffe = first("Very tall quadruped with a long neck that lives in Africa");
        assert!(giraffe.contains("\"giraffe\""), "{giraffe}");
        let barometer = first("instrument for measuring atmospheric pressure");
        assert!(barometer.contains("\"barometer\""), "{barometer}");
    };
    check();
    assert!(wordnet.run(JobKind::Seal).expect("sealed"));
    check();
    assert_eq!(wordnet.info().expect("open").stats.documents, SYNSETS);
}

/// The server stores, embeds, seals, indexes and merges; the tab imports the export and derives the rest. After that no
/// answer tells which of the two it comes from.
#[test]
fn what_the_server_exports_answers_alike_in_a_tab() {
    const DOCUMENTS: usize = 5_000;
    const QUERIES: usize = 200;
    let (Some(documents), Some(model)) =
        (places::cached("wordnet/documents.jsonl"), places::cached("embedder/wordllama-256"))
    else {
        eprintln!("skipped: npm test fetches WordNet and the embedder");
        return;
    };
    let lines = BufReader::new(std::fs::File::open(documents).expect("there")).lines();
    let all: Vec<Value> = lines
        .step_by(7)
        .take(DOCUMENTS + QUERIES)
        .map(|line| serde_json::from_str(&line.expect("UTF-8")).expect("JSON"))
        .collect();
    let directory = tempfile::tempdir().expect("a directory");
    let path = |name: &str| directory.path().join(name).to_string_lossy().into_owned();
    let open = |name: &str| json!({ "path": path(name), "embedder": model.to_string_lossy() });
    let (file, name) = (path("exported.kith"), json!({ "name": "words" }));
    let mut server = RestSurface::default();
    server.must("open", &open("server"));
    let config = json!({ "text": { "fields": ["gloss"] }, "embedder": true });
    server.must("create", &json!({ "name": "words", "config": config }));
    for batch in all[..DOCUMENTS].chunks(DOCUMENTS / 2) {
        server.must("add", &json!({ "name": "words", "documents": batch }));
        server.must("seal", &name);
    }
    for job in ["merge", "index"] {
        assert_eq!(server.must(job, &name)["done"], true, "{job}");
    }
    server.must("export", &json!({ "name": "words", "file": file }));

    let mut tab = JsSurface::start("chromium");
    tab.must("open", &open("tab"));
    tab.must("import", &json!({ "name": "words", "file": file }));
    assert_eq!(tab.must("index", &name)["done"], true);
    let mut found = 0;
    for document in &all[DOCUMENTS..] {
        let gloss: Vec<&str> =
            document["metadata"]["gloss"].as_str().expect("a gloss").split(' ').take(6).collect();
        // A gloss is a text, not a query: its quotes and hyphens ask for nothing.
        let text = gloss.join(" ");
        let request = json!({ "text": text, "plain": true, "k": 10, "explain": true, "with_vector": true });
        let ask = json!({ "name": "words", "request": request });
        let (there, here) = (server.must("search", &ask), tab.must("search", &ask));
        assert_eq!(rounded(&here), rounded(&there), "{request}");
        found += here["hits"].as_array().map_or(0, Vec::len);
    }
    assert_eq!(found, QUERIES * 10);
    assert_eq!(tab.must("info", &name)["indexed"], 1);
    tab.must("close", &json!({}));
}
