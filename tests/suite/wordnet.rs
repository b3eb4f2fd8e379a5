//! The demo's promise on its real data: a reverse dictionary that finds the word for a description.

use std::io::{BufRead, BufReader};

use kithdb::collection::{Document, SearchRequest};
use kithdb::engine::JobKind;
use kithdb::host::{AddMode, Db, Options, load_embedder};
use kithdb::wire::{CreateBody, DocumentBody, parse};
use kithdb_tests::places;

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
            parse::<DocumentBody<'_>>(line.as_bytes()).and_then(DocumentBody::document).expect("a document")
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
