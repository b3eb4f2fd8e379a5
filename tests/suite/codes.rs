//! Codes of every kind through the engine: what they find, how a collection goes from one to another, and that nothing
//! else changes by it.

use std::ops::Range;
use std::sync::Arc;

use kithdb::base::Rng;
use kithdb::base::value::parse_object;
use kithdb::collection::{CollectionConfig, Document, Maintenance, Mutation, Part, SearchRequest, Settings};
use kithdb::engine::JobKind;
use kithdb::host::{AddMode, CollectionHandle, Db};
use kithdb::segment::{Plan, Scratch, SegmentBlobs};
use kithdb::storage::{FileRoot, Level, SimVfs};
use kithdb::vectors::{Coding, Metric};
use kithdb_tests::small_database;

use crate::life::Life;

const DIM: usize = 64;
const DOCUMENTS: u64 = 6_000;

/// As embeddings are: a dozen numbers decide what all components are.
fn vector(seed: u64) -> Vec<f32> {
    const DECIDING: usize = 12;
    let numbers = |seed, count| {
        let mut rng = Rng::new(seed);
        (0..count).map(|_| rng.unit_f32() - 0.5).collect::<Vec<f32>>()
    };
    let deciding = numbers(seed, DECIDING);
    let map = numbers(1, DIM * DECIDING);
    let rows = map.chunks_exact(DECIDING);
    rows.map(|row| row.iter().zip(&deciding).map(|(a, b)| a * b).sum::<f32>() + 0.05).collect()
}

fn document(n: u64) -> Document {
    let metadata = parse_object(r#"{"n":0}"#).expect("JSON");
    Document { id: format!("d{n}"), vector: Some(vector(n)), metadata, expires_at: None }
}

fn put(life: &mut Life, numbers: Range<u64>) {
    life.model.extend(numbers.clone().map(|n| (format!("d{n}"), 0)));
    let batch = numbers.map(|n| Mutation::Upsert(document(n))).collect();
    life.collection.submit(batch, Level::Always).expect("stored");
}

fn settings(codes: Coding) -> Settings {
    // What is deleted here stays until something is asked to take it out.
    Settings {
        maintenance: Maintenance { vacuum_interval: 0, ..Maintenance::default() },
        codes,
        ..Settings::default()
    }
}

fn config(metric: Metric, codes: Coding) -> CollectionConfig {
    CollectionConfig { metric, ef_construction: 60, settings: settings(codes), ..CollectionConfig::default() }
}

/// The share of the true ten nearest of thirty queries that a search by links finds.
fn recall(life: &Life) -> f64 {
    let view = life.view();
    let moment = view.moment(None, 5).expect("now");
    let (mut scratch, mut right) = (Scratch::default(), 0);
    for at in 0..30 {
        let vector = Some(vector(77_000_000_000 + at));
        let request = SearchRequest { vector, ef: Some(96), trace: true, ..SearchRequest::default() };
        let mut ids = |exact| {
            let found = view.search(&SearchRequest { exact, ..request.clone() }, moment, &mut scratch);
            let found = found.expect("sound");
            let by_links = found.trace.expect("asked for").iter().any(|part| part.plan == Plan::Links);
            assert_eq!(by_links, !exact, "a search that is to be exact is, another goes by links");
            found.hits.into_iter().map(|hit| hit.id).collect::<Vec<_>>()
        };
        let (exact, found) = (ids(true), ids(false));
        right += found.iter().filter(|id| exact.contains(id)).count();
    }
    right as f64 / 300.0
}

/// What the codes of the only segment are.
fn coding(life: &Life) -> Option<Coding> {
    segment(life).coding()
}

fn segment(life: &Life) -> SegmentBlobs {
    let view = life.view();
    let [only] = &view.parts[..] else { panic!("{} parts", view.parts.len()) };
    segment_of(&only.part).clone()
}

fn segment_of(part: &Part) -> &SegmentBlobs {
    let Part::Segment(segment) = part else { panic!("a memtable") };
    &segment.blobs
}

#[test]
fn segments_get_the_codes_that_the_settings_ask_for_one_by_one_and_back() {
    let mut life = Life::new(config(Metric::Cosine, Coding::Int8));
    put(&mut life, 0..DOCUMENTS);
    assert!(life.run(JobKind::Seal) && life.run(JobKind::Index));
    let before = recall(&life);
    for codes in [Coding::Bits, Coding::Pq, Coding::Opq, Coding::Int8] {
        life.collection.configure(settings(codes), Level::Always).expect("cosine is served by all");
        assert!(life.collection.is_due(JobKind::Recode, usize::MAX));
        life.delete(std::iter::once(codes.tag().into()));
        assert!(life.run(JobKind::Recode), "{codes:?}");
        assert!(!life.run(JobKind::Recode), "it has these codes");
        assert_eq!(coding(&life), Some(codes));
        assert!(recall(&life) >= 0.95, "{codes:?}");
        life.reopen();
        assert_eq!(coding(&life), Some(codes), "opened again");
        life.check(codes.name());
    }
    assert_eq!(recall(&life), before, "back where it was");
}

#[test]
fn merges_and_vacuums_write_the_codes_that_are_asked_for() {
    for codes in [Coding::Bits, Coding::Pq] {
        let mut life = Life::new(config(Metric::Euclidean, codes));
        put(&mut life, 0..DOCUMENTS);
        assert!(life.run(JobKind::Seal) && life.run(JobKind::Index));
        assert_eq!(coding(&life), Some(codes), "what gets links gets these codes");
        put(&mut life, DOCUMENTS..DOCUMENTS + 3_000);
        life.delete((0..DOCUMENTS).filter(|n| n % 3 == 0));
        assert!(life.run(JobKind::Seal) && life.run(JobKind::Merge));
        assert_eq!(coding(&life), Some(codes), "merged");
        assert!(recall(&life) >= 0.95, "{codes:?}");
        life.check(codes.name());
        life.delete((0..DOCUMENTS).filter(|n| n % 3 == 1));
        put(&mut life, 2 * DOCUMENTS..3 * DOCUMENTS);
        assert!(life.run(JobKind::Seal) && life.run(JobKind::Vacuum));
        let codings: Vec<_> = life.view().parts.iter().map(|part| segment_of(&part.part).coding()).collect();
        assert_eq!(codings, [Some(codes), Some(Coding::Int8)], "written again, and new without links");
        life.check(codes.name());
    }
}

/// Links are made with int8 codes, which a segment that has lost its links may not have.
#[test]
fn a_segment_of_other_codes_that_has_lost_its_links_gets_them_again() {
    for codes in [Coding::Bits, Coding::Pq] {
        let vfs = SimVfs::new();
        let open = || {
            let root = FileRoot::open(Arc::new(vfs.clone()), "db").expect("opens");
            Db::with_root(Arc::new(root), small_database::options()).expect("opens")
        };
        let db = open();
        let collection = db.create("c", config(Metric::Cosine, codes)).expect("made");
        let documents = (0..DOCUMENTS).map(document).collect();
        collection.add(documents, AddMode::Insert, None).expect("stored");
        assert!(collection.run(JobKind::Optimize).expect("linked"));
        let request =
            |at: u64| SearchRequest { vector: Some(vector(77_000_000_000 + at)), ..SearchRequest::default() };
        let ids = |collection: &CollectionHandle| -> Vec<Vec<String>> {
            let found = (0..20).map(|at| collection.search(request(at)).expect("sound").hits);
            found.map(|hits| hits.into_iter().map(|hit| hit.id).collect()).collect()
        };
        let before = ids(&collection);
        drop(collection);
        db.close().expect("closed");
        let links = vfs.files().into_iter().find(|file| file.ends_with(".links")).expect("it has links");
        vfs.lose(&links);
        let db = open();
        let collection = db.collection("c").expect("opens");
        assert!(collection.run(JobKind::Index).expect("linked"), "{codes:?}");
        assert!(!collection.run(JobKind::Recode).expect("sound"), "its codes stay");
        assert_eq!(ids(&collection), before, "{codes:?}: the links are those that it had");
    }
}

/// More results need more candidates, the more so the worse the codes: by default they are looked for.
#[test]
fn many_results_are_found_as_well_as_few() {
    for codes in Coding::ALL {
        let mut life = Life::new(config(Metric::Euclidean, codes));
        put(&mut life, 0..4 * DOCUMENTS);
        assert!(life.run(JobKind::Optimize));
        let view = life.view();
        let (moment, mut scratch) = (view.moment(None, 5).expect("now"), Scratch::default());
        let mut right = 0;
        for at in 0..10 {
            let vector = Some(vector(77_000_000_000 + at));
            let mut ids = |exact| {
                let request =
                    SearchRequest { vector: vector.clone(), k: 40, exact, ..SearchRequest::default() };
                let found = view.search(&request, moment, &mut scratch).expect("sound");
                found.hits.into_iter().map(|hit| hit.id).collect::<Vec<_>>()
            };
            let (exact, found) = (ids(true), ids(false));
            right += found.iter().filter(|id| exact.contains(id)).count();
        }
        assert!(right >= 380, "{codes:?}: {right} of 400");
    }
}

#[test]
fn a_metric_that_codes_cannot_serve_is_refused_whenever_they_are_asked_for() {
    let asked = config(Metric::Manhattan, Coding::Bits);
    assert_eq!(asked.check().expect_err("signs").code(), "invalid_parameter");
    let mut life = Life::new(config(Metric::Manhattan, Coding::Int8));
    for codes in [Coding::Bits, Coding::Opq] {
        let refused = life.collection.configure(settings(codes), Level::Always);
        assert_eq!(refused.expect_err("not for manhattan").code(), "invalid_parameter");
    }
}

/// Bytes of what a search traverses: the reason for codes at all.
#[test]
fn codes_take_the_bytes_that_they_promise() {
    // int8: a byte a component and a factor, up to the next sixteen. The centres of product quantisation are as large as
    // 256 vectors.
    let floats = DIM as u64 * 4;
    let rotation = DIM as u64 * floats;
    for (codes, each, once) in [
        (Coding::Int8, 80, 0),
        (Coding::Bits, 8 + 12, 0),
        (Coding::Pq, 17, 256 * floats),
        (Coding::Opq, 17, 256 * floats + rotation),
    ] {
        let mut life = Life::new(config(Metric::Cosine, codes));
        put(&mut life, 0..DOCUMENTS);
        assert!(life.run(JobKind::Optimize));
        let blob = segment(&life).codes.expect("it has vectors");
        assert_eq!(blob.kind, codes.blob_kind());
        let bytes = life.collection.storage().blob(blob).expect("there").len();
        let least = DOCUMENTS * each + once;
        assert!((least..least + least / 100 + 2000).contains(&bytes), "{codes:?}: {bytes}");
    }
}
