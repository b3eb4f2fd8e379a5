//! The nearest vectors through the engine: among what a filter allows, after deletes, with the options of a search.

use kithdb::base::value::parse_object;
use kithdb::collection::{CollectionConfig, Document, Mutation, SearchRequest, SearchResponse, parse_filter};
use kithdb::engine::JobKind;
use kithdb::segment::{Plan, Scratch};
use kithdb::storage::Level;

use crate::life::{Life, vector};

const DIM: usize = 8;
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
    recall_and_links(life, filter).0
}

/// As [`recall`], and how many of the searches were answered by links.
fn recall_and_links(life: &Life, filter: impl Fn(u64) -> String) -> (f64, usize) {
    let (mut right, mut expected, mut by_links) = (0, 0, 0);
    for at in 0..60 {
        let filter = parse_filter(&filter(at)).expect("a filter");
        let request =
            SearchRequest { vector: Some(query(at)), filter, ef: Some(EF), ..SearchRequest::default() };
        let exact = ids(life, SearchRequest { exact: true, ..request.clone() });
        let found = search(life, SearchRequest { trace: true, ..request });
        by_links += usize::from(found.trace.expect("asked for")[0].plan == Plan::Links);
        let found: Vec<String> = found.hits.into_iter().map(|hit| hit.id).collect();
        assert_eq!(found.len(), exact.len());
        right += found.iter().filter(|id| exact.contains(id)).count();
        expected += exact.len();
    }
    (right as f64 / expected as f64, by_links)
}

/// Two of the twenty centres that [`vector`] draws around are a region.
fn region(seed: u64) -> u64 {
    kithdb::base::Rng::new(seed).below(20) / 2
}

fn region_of_query(at: u64) -> u64 {
    region(77_000_000_000 + at)
}

fn config() -> CollectionConfig {
    CollectionConfig { ef_construction: 60, ..CollectionConfig::default() }
}

/// A linked segment of documents that know their number and in which of ten regions their vector is.
fn linked(documents: u64) -> Life {
    let mut life = Life::new(config());
    let document = |n: u64| {
        let region = region(n * 1_000_000);
        Document {
            id: format!("d{n}"),
            vector: Some(vector(n * 1_000_000, DIM)),
            metadata: parse_object(&format!(r#"{{"h":{},"region":{region}}}"#, n * 7919 % 1000))
                .expect("JSON"),
            expires_at: None,
        }
    };
    for begin in (0..documents).step_by(20_000) {
        let batch = (begin..documents.min(begin + 20_000)).map(|n| Mutation::Upsert(document(n))).collect();
        life.collection.submit(batch, Level::Always).expect("stored");
    }
    assert!(life.run(JobKind::Seal) && life.run(JobKind::Index));
    life
}

#[test]
fn filters_of_any_share_find_as_much_as_a_search_without() {
    let life = linked(60_000);
    let (all, by_links) = recall_and_links(&life, |_| String::new());
    assert!(all > 0.95 && by_links == 60, "{all}");
    type Of = fn(u64) -> String;
    // With the least number of the 60 searches that links must have answered.
    let filters: [(&str, usize, Of); 8] = [
        ("1/2", 60, |_| "h < 500".to_owned()),
        ("1/10", 60, |_| "h < 100".to_owned()),
        ("1/100", 0, |_| "h < 10".to_owned()),
        ("1/1000", 0, |_| "h < 1".to_owned()),
        ("9/10, far", 1, |at| format!("region != {}", region_of_query(at))),
        ("1/2, far", 1, |at| format!("h < 556 AND region != {}", region_of_query(at))),
        ("1/10, near", 50, |at| format!("region = {}", region_of_query(at))),
        ("1/10, far", 0, |at| format!("region = {}", (region_of_query(at) + 5) % 10)),
    ];
    for (share, least, filter) in filters {
        let (filtered, by_links) = recall_and_links(&life, filter);
        println!("{share}: recall {filtered} of {all}, {by_links} of 60 by links");
        assert!(filtered >= 0.95 * all, "{share}: {filtered} of {all}");
        assert!(by_links >= least, "{share}: {by_links} of 60 by links");
    }
}

#[test]
fn after_deletes_exactly_the_live_are_found_and_a_vacuum_restores_recall() {
    let mut life = linked(DOCUMENTS);
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
    let mut life = Life::new(config());
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
    let life = linked(DOCUMENTS);
    let request =
        SearchRequest { vector: Some(query(3)), ef: Some(EF), trace: true, ..SearchRequest::default() };
    let found = search(&life, request.clone());
    let [part] = &found.trace.expect("asked for")[..] else { panic!("one segment") };
    assert_eq!((part.plan, part.documents), (Plan::Links, DOCUMENTS as usize));
    assert!(part.path.len() >= EF && part.distances < DOCUMENTS as usize / 2, "{} distances", part.distances);
    assert!(part.path.contains(&found.hits[0].id), "the nearest was come across");

    for filter in [None, parse_filter("h < 600").expect("a filter")] {
        let asked = SearchRequest { filter, ..request.clone() };
        let patient = SearchRequest { patience: Some(8), rerank: Some(16), ..asked.clone() };
        let (long, short) = (search(&life, asked), search(&life, patient));
        let distances = |found: &SearchResponse| found.trace.as_ref().expect("asked for")[0].distances;
        assert!(distances(&short) < distances(&long), "{} of {}", distances(&short), distances(&long));
        assert_eq!(short.hits[0], long.hits[0]);
    }

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
