//! The nearest vectors through the engine: among what a filter allows, after deletes, with the options of a search.

use kithdb::base::value::parse_object;
use kithdb::collection::{CollectionConfig, Document, Mutation, SearchRequest, SearchResponse, parse_filter};
use kithdb::engine::JobKind;
use kithdb::segment::{Plan, Scratch};
use kithdb::storage::Level;

use crate::life::{Life, vector};

const DIM: usize = 16;
const DOCUMENTS: u64 = 12_000;
/// Wide enough for the recall that is asked for, narrow enough that links are followed.
const EF: usize = 96;

fn query(at: u64) -> Vec<f32> {
    vector(77_000_000_000 + at, DIM)
}

fn search(life: &Life, request: SearchRequest) -> SearchResponse {
    let view = life.view();
    let moment = view.moment(None, 5).expect("now");
    view.search(&request, moment, &mut Scratch::default()).expect("sound")
}

fn ids(life: &Life, request: SearchRequest) -> Vec<String> {
    search(life, request).hits.into_iter().map(|hit| hit.id).collect()
}

/// The share of the true ten nearest that searches find among what a filter of each query allows.
fn recall(life: &Life, filter: impl Fn(u64) -> String) -> f64 {
    let (mut right, mut expected) = (0, 0);
    for at in 0..60 {
        let filter = parse_filter(&filter(at)).expect("a filter");
        let request =
            SearchRequest { vector: Some(query(at)), filter, ef: Some(EF), ..SearchRequest::default() };
        let exact = ids(life, SearchRequest { exact: true, ..request.clone() });
        let found = ids(life, request);
        assert_eq!(found.len(), exact.len());
        right += found.iter().filter(|id| exact.contains(id)).count();
        expected += exact.len();
    }
    right as f64 / expected as f64
}

/// The centre that a vector of [`vector`] was drawn around.
fn centre(seed: u64) -> u64 {
    kithdb::base::Rng::new(seed).below(20)
}

/// A linked segment of documents that know their number and the centre of their vector.
fn linked() -> Life {
    let mut life = Life::new(CollectionConfig::default());
    let document = |n: u64| {
        let centre = centre(n * 1_000_000);
        Document {
            id: format!("d{n}"),
            vector: Some(vector(n * 1_000_000, DIM)),
            metadata: parse_object(&format!(r#"{{"n":{n},"h":{},"centre":{centre}}}"#, n * 7919 % 1000))
                .expect("JSON"),
            expires_at: None,
        }
    };
    let batch = (0..DOCUMENTS).map(|n| Mutation::Upsert(document(n))).collect();
    life.collection.submit(batch, Level::Always).expect("stored");
    assert!(life.run(JobKind::Seal) && life.run(JobKind::Index));
    life
}

#[test]
fn filters_of_any_share_find_as_much_as_a_search_without() {
    let life = linked();
    let all = recall(&life, |_| String::new());
    assert!(all > 0.95, "{all}");
    type Of = fn(u64) -> String;
    let filters: [(&str, Of); 7] = [
        ("1/2", |_| "h < 500".to_owned()),
        ("1/10", |_| "h < 100".to_owned()),
        ("1/100", |_| "h < 10".to_owned()),
        ("1/1000", |_| "h < 1".to_owned()),
        ("9/10 and far", |at| format!("centre != {}", centre(77_000_000_000 + at))),
        ("1/20 and near", |at| format!("centre = {}", centre(77_000_000_000 + at))),
        ("1/2 and far", |at| format!("h < 500 AND centre != {}", centre(77_000_000_000 + at))),
    ];
    for (share, filter) in filters {
        let filtered = recall(&life, filter);
        println!("{share}: recall {filtered} of {all}");
        assert!(filtered >= 0.95 * all, "{share}: {filtered} of {all}");
    }
}

#[test]
fn after_deletes_exactly_the_live_are_found_and_a_vacuum_restores_recall() {
    let mut life = linked();
    for share in [50, 90, 99] {
        let gone = |n: &u64| n % 100 < share;
        life.collection
            .submit(
                (0..DOCUMENTS).filter(gone).map(|n| Mutation::Delete(format!("d{n}"))).collect(),
                Level::Os,
            )
            .expect("stored");
        let live = DOCUMENTS - (0..DOCUMENTS).filter(gone).count() as u64;
        for at in 0..20 {
            for k in [10, 1000] {
                let found =
                    ids(&life, SearchRequest { vector: Some(query(at)), k, ..SearchRequest::default() });
                assert_eq!(found.len() as u64, live.min(k as u64), "after {share} %");
                assert!(found.iter().all(|id| id[1..].parse::<u64>().expect("a number") % 100 >= share));
            }
        }
        for n in (0..DOCUMENTS).filter(|n| !gone(n)).step_by(7) {
            let itself =
                SearchRequest { vector: Some(vector(n * 1_000_000, DIM)), k: 1, ..SearchRequest::default() };
            assert_eq!(ids(&life, itself), [format!("d{n}")], "after {share} %");
        }
        if share == 50 {
            assert!(life.run(JobKind::Optimize));
            let restored = recall(&life, |_| String::new());
            let mut fresh = linked_without(gone);
            assert!(fresh.run(JobKind::Seal) && fresh.run(JobKind::Index));
            let built = recall(&fresh, |_| String::new());
            println!("recall {restored} after a vacuum, {built} of a fresh build");
            assert!(restored >= built - 0.005, "{restored} of {built}");
        }
    }
}

/// The documents of [`linked`] that are not gone, not sealed.
fn linked_without(gone: impl Fn(&u64) -> bool) -> Life {
    let mut life = Life::new(CollectionConfig::default());
    let document = |n: u64| {
        let (vector, metadata) = (Some(vector(n * 1_000_000, DIM)), Default::default());
        Mutation::Upsert(Document { id: format!("d{n}"), vector, metadata, expires_at: None })
    };
    let batch = (0..DOCUMENTS).filter(|n| !gone(n)).map(document).collect();
    life.collection.submit(batch, Level::Always).expect("stored");
    life
}

#[test]
fn a_trace_tells_the_plan_and_the_path_and_patience_shortens_it() {
    let life = linked();
    let request =
        SearchRequest { vector: Some(query(3)), ef: Some(EF), trace: true, ..SearchRequest::default() };
    let found = search(&life, request.clone());
    let [part] = &found.trace.expect("asked for")[..] else { panic!("one segment") };
    assert_eq!((part.plan, part.documents), (Plan::Links, DOCUMENTS as usize));
    assert!(part.path.len() >= EF && part.distances < DOCUMENTS as usize / 2, "{} distances", part.distances);
    assert!(part.path.contains(&found.hits[0].id), "the nearest was come across");

    let patient = search(&life, SearchRequest { patience: Some(8), rerank: Some(16), ..request.clone() });
    let [shorter] = &patient.trace.expect("asked for")[..] else { panic!("one segment") };
    assert!(shorter.distances < part.distances, "{} of {}", shorter.distances, part.distances);
    assert_eq!(patient.hits[0], found.hits[0]);

    for (plan, request) in [
        (Plan::Exact, SearchRequest { exact: true, ..request.clone() }),
        (Plan::Codes, SearchRequest { ef: Some(DOCUMENTS as usize / 2), ..request.clone() }),
    ] {
        let trace = search(&life, request).trace.expect("asked for");
        assert_eq!((trace[0].plan, trace[0].distances), (plan, DOCUMENTS as usize));
        assert!(trace[0].path.is_empty());
    }
    assert_eq!(search(&life, SearchRequest { trace: false, ..request }).trace, None);
}
