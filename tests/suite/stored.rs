//! Stored forms through the engine: what is read back and found stays the same through every job, export and repair,
//! and refinement of links.

use kithdb::collection::{CollectionConfig, Maintenance, SearchRequest, Settings};
use kithdb::engine::JobKind;
use kithdb::host::{AddMode, Db, RunningKind};
use kithdb::segment::{Scratch, SegmentBlobs};
use kithdb::storage::{Blob, Level, MemoryRoot};
use kithdb::vectors::{Metric, Stored};
use kithdb_tests::small_database;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::life::{Life, vector};

const DIM: usize = 24;
const DOCUMENTS: u64 = 6_000;

fn rounded(metric: Metric, stored: Stored, number: u64) -> Vec<f32> {
    let mut vector = vector(number * 1_000_000, DIM);
    stored.round(metric, &mut vector).expect("within bounds");
    vector
}

/// What is stored of some documents.
fn read(life: &Life) -> Vec<Vec<f32>> {
    let view = life.view();
    let moment = view.moment(None, 5).expect("now");
    let row = |n: u64| view.get(&format!("d{n}"), moment).expect("sound").expect("it is there");
    (0..DOCUMENTS).step_by(97).map(|n| row(n).vector.as_deref().expect("it has one").to_vec()).collect()
}

/// Ids and scores of the nearest.
fn found(life: &Life, exact: bool) -> Vec<(String, u32)> {
    let view = life.view();
    let (moment, mut scratch) = (view.moment(None, 5).expect("now"), Scratch::default());
    let hits = (0..20u64).flat_map(|at| {
        let vector = Some(vector(77_000_000_000 + at, DIM));
        let request = SearchRequest { vector, exact, ..SearchRequest::default() };
        view.search(&request, moment, &mut scratch).expect("sound").hits
    });
    hits.map(|hit| (hit.id, hit.score.to_bits())).collect()
}

#[test]
fn what_was_rounded_is_read_back_and_scored_the_same_in_every_place() {
    for (metric, stored) in Metric::ALL.into_iter().flat_map(|m| Stored::ALL.map(|s| (m, s))) {
        let config = CollectionConfig { metric, stored, ef_construction: 40, ..CollectionConfig::default() };
        let mut life = Life::new(config);
        life.put((0..DOCUMENTS).map(|n| (n, 0)), DIM);
        let expected: Vec<_> = (0..DOCUMENTS).step_by(97).map(|n| rounded(metric, stored, n)).collect();
        let exactly = found(&life, true);
        for at in ["in the memtable", "replayed", "sealed", "linked", "optimized"] {
            match at {
                "replayed" => life.reopen(),
                "sealed" => assert!(life.run(JobKind::Seal)),
                "linked" => assert!(life.run(JobKind::Index)),
                "optimized" => {
                    life.delete(5999..DOCUMENTS);
                    assert!(life.run(JobKind::Optimize));
                }
                _ => {}
            }
            assert!(read(&life) == expected, "{metric:?} {stored:?} {at}");
            let same = exactly == found(&life, true);
            assert!(same || at == "optimized", "{metric:?} {stored:?} {at}");
        }
        let (exactly, by_links) = (found(&life, true), found(&life, false));
        let right = by_links.iter().filter(|hit| exactly.contains(hit)).count();
        assert!(right * 100 >= exactly.len() * 95, "{metric:?} {stored:?}: {right} of {}", exactly.len());
    }
}

/// The reason for other forms: what vectors take on the disk.
#[test]
fn rows_take_the_bytes_that_their_form_promises() {
    let bytes = |stored| {
        let mut life = Life::new(CollectionConfig { stored, ..CollectionConfig::default() });
        life.put((0..1000).map(|n| (n, 0)), DIM);
        assert!(life.run(JobKind::Seal));
        let rows = segment(&life).rows;
        life.collection.storage().blob(rows).expect("there").len() as i64
    };
    let [f32, f16, int8] = Stored::ALL.map(bytes);
    let saved = |stored: Stored| (1000 * (Stored::F32.width(DIM) - stored.width(DIM))) as i64;
    assert!((f32 - f16 - saved(Stored::F16)).abs() < 200, "{f32} {f16}");
    assert!((f32 - int8 - saved(Stored::Int8)).abs() < 200, "{f32} {int8}");
}

fn segment(life: &Life) -> SegmentBlobs {
    let view = life.view();
    let [only] = &view.parts[..] else { panic!("{} parts", view.parts.len()) };
    let kithdb::collection::Part::Segment(segment) = &only.part else { panic!("a memtable") };
    segment.blobs.clone()
}

fn refining(ef_construction: u32, refine_ef_construction: u32) -> CollectionConfig {
    // Nothing is refined here but when it is asked for.
    let maintenance = Maintenance {
        refine_ef_construction,
        refine_interval: 0,
        vacuum_interval: 0,
        ..Maintenance::default()
    };
    let settings = Settings { maintenance, ..Settings::default() };
    CollectionConfig { ef_construction, settings, ..CollectionConfig::default() }
}

/// "Ingest fast, refine later": links that were built carelessly become, byte for byte, those of a careful build; and a
/// merge keeps them so.
#[test]
fn refined_links_are_those_that_a_careful_build_makes() {
    let build = |config| {
        let mut life = Life::new(config);
        life.put((0..DOCUMENTS).map(|n| (n, 0)), DIM);
        assert!(life.run(JobKind::Seal) && life.run(JobKind::Index));
        life
    };
    let links = |life: &Life| {
        let id = segment(life).links.expect("it is linked");
        let blob = Blob::open(id, life.collection.storage().blob(id).expect("there")).expect("sound");
        let section = |section| {
            let rows = blob.rows(section).expect("there");
            rows.read(0..rows.len()).expect("sound").into_owned()
        };
        (1..=4).map(section).collect::<Vec<_>>()
    };
    let careful = build(refining(100, 0));
    let mut quick = build(refining(4, 100));
    let (quickly, carefully) = (quick.recall(DIM), careful.recall(DIM));
    assert!(quickly < carefully - 0.05, "else nothing is shown: {quickly} and {carefully}");
    assert!(quick.run(JobKind::Refine));
    assert!(!quick.run(JobKind::Refine), "it is done");
    assert!(links(&quick) == links(&careful), "section by section");
    assert_eq!(quick.recall(DIM), carefully);
    assert_eq!(found(&quick, false), found(&careful, false));
    quick.reopen();
    assert!(!quick.run(JobKind::Refine), "it is still known");

    // A merge keeps the better links and adds to them with the same care: nothing is left to refine.
    quick.put((DOCUMENTS..DOCUMENTS + 500).map(|n| (n, 0)), DIM);
    assert!(quick.run(JobKind::Seal) && quick.run(JobKind::Merge));
    assert!(quick.recall(DIM) >= carefully - 0.02, "{}", quick.recall(DIM));
    assert!(!quick.run(JobKind::Refine), "it is as careful as before");
    quick.check("merged");
}

#[test]
fn refinement_is_due_by_its_interval_and_not_at_all_without_one() {
    let mut life = Life::new(refining(4, 50));
    life.put((0..DOCUMENTS).map(|n| (n, 0)), DIM);
    assert!(life.run(JobKind::Seal) && life.run(JobKind::Index));
    assert!(!life.collection.is_due(JobKind::Refine, usize::MAX), "never by itself");
    let mut settings = life.view().config.settings.clone();
    settings.maintenance.refine_interval = 1;
    life.collection.configure(settings, Level::Always).expect("fine");
    assert!(!life.collection.is_due(JobKind::Refine, usize::MAX), "no time has passed since it was opened");
    life.clock.advance(1);
    assert!(life.collection.is_due(JobKind::Refine, usize::MAX));
    assert!(life.run(JobKind::Refine));
    life.clock.advance(9);
    assert!(!life.collection.is_due(JobKind::Refine, usize::MAX), "there is nothing left to refine");
}

/// A job that is cancelled leaves everything as it was, and can be run again; a seal, which writers wait for, goes on.
#[test]
fn a_job_tells_how_far_it_is_and_ends_when_it_is_cancelled() {
    let db = Db::with_root(Arc::new(MemoryRoot::new()), small_database::options()).expect("opens");
    let config = CollectionConfig { ef_construction: 40, ..CollectionConfig::default() };
    let collection = db.create("c", config).expect("made");
    let documents = (0..DOCUMENTS).map(|n| kithdb::collection::Document {
        id: format!("d{n}"),
        vector: Some(vector(n * 1_000_000, DIM)),
        metadata: kithdb::base::Object::default(),
        expires_at: None,
    });
    collection.add(documents.collect(), AddMode::Insert, None).expect("stored");
    assert!(collection.job().is_none() && !collection.cancel_job());
    let refused = AtomicUsize::new(0);
    let sealed = collection.run_watched(JobKind::Seal, &|_| {
        assert!(!collection.cancel_job());
        refused.fetch_add(1, Ordering::Relaxed);
    });
    assert!(sealed.expect("it goes on") && refused.into_inner() > 0);

    let cancelled = collection.run_watched(JobKind::Index, &|progress| {
        let job = collection.job().expect("it runs");
        assert_eq!((job.kind, job.progress), (RunningKind::Job(JobKind::Index), progress));
        assert!(collection.cancel_job());
    });
    assert_eq!(cancelled.expect_err("it was cancelled").code(), "cancelled");
    assert!(collection.job().is_none());
    assert_eq!(collection.info().expect("open").stats.indexed, 0);
    assert!(collection.run(JobKind::Index).expect("it can be done again"));
    assert_eq!(collection.info().expect("open").stats.indexed, 1);

    // What was to be compressed and is cancelled has the codes that it had, now and from now on.
    let compressed = (0..50).find_map(|_| {
        let (compressed, is_cancelled) = std::thread::scope(|scope| {
            let compressing = scope.spawn(|| collection.compress(kithdb::vectors::Coding::Pq));
            let mut is_cancelled = false;
            while !is_cancelled && !compressing.is_finished() {
                is_cancelled = collection.cancel_job();
                std::thread::yield_now();
            }
            (compressing.join().expect("no panic"), is_cancelled)
        });
        if is_cancelled {
            return Some(compressed);
        }
        // On a busy machine it may be done before this thread has its turn.
        compressed.expect("nobody cancelled it");
        collection.compress(kithdb::vectors::Coding::Int8).expect("as it was");
        None
    });
    let compressed = compressed.expect("one of fifty is cancelled");
    assert_eq!(compressed.expect_err("it was cancelled").code(), "cancelled");
    assert_eq!(collection.info().expect("open").config.settings.codes, kithdb::vectors::Coding::Int8);
    collection.compress(kithdb::vectors::Coding::Pq).expect("and now it may");
    assert!(!collection.run(JobKind::Recode).expect("open"), "all is done");
}
