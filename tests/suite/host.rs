//! Many threads on one database: closing while others write, what a seal of deletes does, what jobs leave behind.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use kithdb::base::value::parse_object;
use kithdb::collection::{CollectionConfig, Document};
use kithdb::engine::JobKind;
use kithdb::host::{AddMode, Db, Options};

fn document(id: String) -> Document {
    let metadata = parse_object(r#"{"a":1}"#).expect("JSON");
    Document { id, vector: Some(vec![1.0, 2.0]), metadata, expires_at: None }
}

/// A job that a caller had started went on after `close` had let go of the directory. When somebody else opened it and
/// sealed, the old job's flip came last and named files that were gone.
#[test]
fn nothing_is_written_once_close_has_returned() {
    let directory = tempfile::tempdir().expect("a directory");
    let acknowledged = Mutex::new(Vec::new());
    for round in 0..25 {
        let db =
            Db::open(directory.path(), Options::default()).unwrap_or_else(|e| panic!("round {round}: {e}"));
        if round == 0 {
            db.create("c", CollectionConfig::default()).expect("made");
        }
        let collection = db.collection("c").unwrap_or_else(|e| panic!("round {round}: {e}"));
        let expected = acknowledged.lock().expect("whole").len();
        assert_eq!(collection.info().expect("open").stats.documents, expected, "round {round}");
        std::thread::scope(|scope| {
            for kind in [JobKind::Seal, JobKind::Merge] {
                let collection = &collection;
                scope.spawn(move || while collection.run(kind).is_ok() {});
            }
            for writer in 0..2 {
                let (collection, acknowledged) = (&collection, &acknowledged);
                scope.spawn(move || {
                    for i in 0.. {
                        let id = format!("{round}-{writer}-{i}");
                        match collection.add(vec![document(id.clone())], AddMode::Insert, None) {
                            Ok(_) => acknowledged.lock().expect("whole").push(id),
                            Err(error) => return assert_eq!(error.code(), "closed"),
                        }
                    }
                });
            }
            std::thread::sleep(Duration::from_millis(3 + round % 7));
            db.close().expect("closed");
            // Before the threads above have even noticed.
            let next =
                Db::open(directory.path(), Options::default()).unwrap_or_else(|e| panic!("{round}: {e}"));
            next.collection("c")
                .unwrap_or_else(|e| panic!("round {round}: {e}"))
                .run(JobKind::Seal)
                .expect("sealed");
            next.close().expect("closed");
        });
    }
    let db = Db::open(directory.path(), Options::default()).expect("opens");
    let collection = db.collection("c").expect("there");
    for id in acknowledged.lock().expect("whole").iter() {
        assert!(collection.get(id, None).expect("sound").is_some(), "{id} was acknowledged");
    }
}

/// Deletes of sealed documents were never sealed themselves, so that their log grew for ever.
#[test]
fn deletes_alone_are_sealed_and_merged_away() {
    let db = Db::in_memory(Options { auto_jobs: false, ..Options::default() }).expect("opens");
    let collection = db.create("c", CollectionConfig::default()).expect("made");
    let ids: Vec<String> = (0..10).map(|i| format!("d{i}")).collect();
    let documents = ids.iter().cloned().map(document).collect();
    collection.add(documents, AddMode::Insert, None).expect("stored");
    assert!(collection.run(JobKind::Seal).expect("sealed"));
    assert!(!collection.run(JobKind::Seal).expect("nothing to do"));
    collection.delete(ids, None).expect("deleted");
    assert!(collection.run(JobKind::Seal).expect("sealed"));
    assert!(collection.run(JobKind::Merge).expect("merged"));
    let stats = collection.info().expect("open").stats;
    assert_eq!((stats.documents, stats.ended, stats.segments), (0, 0, 0));
}

/// Writers of a collection that is not sealed fast enough filled the memory; now they wait, and none fails.
#[test]
fn bytes_that_are_not_sealed_are_bounded_under_four_writers() {
    for auto_jobs in [true, false] {
        let seal_bytes = 32 << 10;
        let db = Db::in_memory(Options { auto_jobs, seal_bytes, ..Options::default() }).expect("opens");
        let collection = db.create("c", CollectionConfig::default()).expect("made");
        let largest = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for writer in 0..4 {
                let (collection, largest) = (&collection, &largest);
                scope.spawn(move || {
                    for i in 0..60 {
                        let batch = (0..20).map(|j| document(format!("{writer}-{i}-{j}"))).collect();
                        collection.add(batch, AddMode::Insert, None).expect("slowed down, never refused");
                        let bytes = collection.info().expect("open").stats.memtable_bytes;
                        largest.fetch_max(bytes, Ordering::Relaxed);
                    }
                });
            }
        });
        let info = collection.info().expect("open");
        assert_eq!(info.stats.documents, 4 * 60 * 20);
        let largest = largest.into_inner();
        assert!(largest <= 4 * seal_bytes && largest > seal_bytes, "{largest} bytes were unsealed");
        assert!(auto_jobs || info.write_waits > 0, "nobody else seals");
        assert!(info.stats.segments > 0);
    }
}

/// A batch that is larger than the bound would otherwise never be written.
#[test]
fn a_batch_larger_than_the_bound_comes_alone() {
    let options = Options { auto_jobs: false, seal_bytes: 100, ..Options::default() };
    let db = Db::in_memory(options).expect("opens");
    let collection = db.create("c", CollectionConfig::default()).expect("made");
    for batch in 0..3 {
        let documents = (0..50).map(|i| document(format!("{batch}-{i}"))).collect();
        collection.add(documents, AddMode::Insert, None).expect("stored");
    }
    let info = collection.info().expect("open");
    assert_eq!((info.stats.documents, info.stats.memtable, info.write_waits), (150, 50, 2));
}

#[test]
fn a_bulk_import_lets_others_write_and_keeps_those_waiting_who_write_its_documents() {
    let db = Db::in_memory(Options { auto_jobs: false, ..Options::default() }).expect("opens");
    let collection = db.create("c", CollectionConfig::default()).expect("made");
    let named = |id: String, by: &str| Document {
        metadata: parse_object(&format!(r#"{{"by":"{by}"}}"#)).expect("JSON"),
        ..document(id)
    };
    let others = AtomicUsize::new(0);
    let imported = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for writer in 0..2 {
            let (collection, others, imported) = (&collection, &others, &imported);
            scope.spawn(move || {
                for i in 0.. {
                    let done = imported.load(Ordering::Acquire) == 5;
                    let batch = vec![named(format!("other{writer}-{i}"), "other")];
                    collection.add(batch, AddMode::Insert, None).expect("stored");
                    others.fetch_add(1, Ordering::Relaxed);
                    let contended = vec![named(format!("d{}", i % 3_000), "writer")];
                    collection.add(contended, AddMode::Upsert, None).expect("stored");
                    if done {
                        return;
                    }
                }
            });
        }
        for round in 0..5 {
            let batch = (0..3_000).map(|i| named(format!("d{i}"), &format!("bulk{round}"))).collect();
            collection.add_bulk(batch, AddMode::Upsert).expect("stored");
            imported.fetch_add(1, Ordering::Release);
        }
    });
    let expected = 3_000 + others.load(Ordering::Relaxed);
    assert_eq!(collection.info().expect("open").stats.documents, expected);
    // Each is of the last import, or of a writer who came after an import.
    for i in 0..3_000 {
        let row = collection.get(&format!("d{i}"), None).expect("sound").expect("imported");
        let by = format!("{:?}", row.metadata["by"]);
        assert!(by.contains("bulk4") || by.contains("writer"), "d{i} is by {by}");
    }
    let rows = collection.view().expect("open").all_rows().expect("sound");
    assert!(rows.windows(2).all(|w| w[0].seq < w[1].seq && w[0].valid_from < w[1].valid_from));
}

#[test]
fn memtables_together_and_jobs_are_bounded_by_the_memory_that_may_be_used() {
    let memory_max = Some(256 << 10);
    let db = Db::in_memory(Options { memory_max, ..Options::default() }).expect("opens");
    let collections: Vec<_> =
        (0..8).map(|i| db.create(&format!("c{i}"), CollectionConfig::default()).expect("made")).collect();
    let unsealed =
        || -> usize { collections.iter().map(|c| c.info().expect("open").stats.memtable_bytes).sum() };
    for (round, collection) in (0..5).flat_map(|round| collections.iter().map(move |c| (round, c))) {
        let batch = (0..100).map(|i| document(format!("d{round}-{i}"))).collect();
        collection.add(batch, AddMode::Insert, None).expect("stored");
    }
    // None of them is due to be sealed for itself.
    let ends = std::time::Instant::now() + Duration::from_secs(60);
    while unsealed() > (256 << 10) / 4 {
        assert!(std::time::Instant::now() < ends, "{} bytes are not sealed", unsealed());
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(collections.iter().all(|c| c.info().expect("open").stats.documents == 500));
    let large = db.create("large", CollectionConfig::default()).expect("made");
    for part in 0..2 {
        let batch = (0..1_000).map(|i| document(format!("d{part}-{i}"))).collect();
        large.add(batch, AddMode::Insert, None).expect("stored");
        large.run(JobKind::Seal).expect("sealed");
    }
    let bulk = (0..2_000).map(|i| document(format!("bulk{i}"))).collect();
    assert_eq!(large.add_bulk(bulk, AddMode::Insert).expect_err("as much").code(), "too_large");
    assert_eq!(large.run(JobKind::Optimize).expect_err("two thirds of the memory").code(), "too_large");
    assert!(!large.run(JobKind::Vacuum).expect("nothing has ended"));
}

/// Bytes of the files in a collection's directory, less its logs.
fn bytes_of_blobs(directory: &std::path::Path) -> u64 {
    let files = std::fs::read_dir(directory).expect("its directory").map(|file| file.expect("an entry"));
    let blobs = files.filter(|file| !file.file_name().to_string_lossy().starts_with("wal-"));
    blobs.map(|file| file.metadata().expect("it stays").len()).sum()
}

/// What an optimize had replaced took its room until the next flip: twice the disk, for ever where nobody writes. Ten
/// minutes of a busy server had the old segment of its keys beside the new one most of the time.
#[test]
fn what_a_large_job_replaced_goes_at_once_and_a_small_one_leaves_it_to_fall_back_on() {
    let directory = tempfile::tempdir().expect("a directory");
    let options = Options { auto_jobs: false, ..Options::default() };
    let db = Db::open(directory.path(), options).expect("opened");
    let after_each = |name: &str, place: &str, documents: u64| {
        let collection = db.create(name, CollectionConfig::default()).expect("made");
        for round in 0..2 {
            let of_half = |i: &u64| i % 2 == round;
            let batch: Vec<Document> = (0..documents)
                .filter(of_half)
                .map(|i| Document { vector: Some(vec![i as f32 + 1.0; 64]), ..document(format!("d{i}")) })
                .collect();
            collection.add(batch, AddMode::Insert, None).expect("stored");
            collection.run(JobKind::Seal).expect("sealed");
        }
        let before = bytes_of_blobs(&directory.path().join(place));
        collection.run(JobKind::Optimize).expect("optimized");
        (before, bytes_of_blobs(&directory.path().join(place)))
    };
    let (before, after) = after_each("small", "c/1", 200);
    assert!(after > before * 3 / 2, "{before}, {after}: both generations");
    let (before, after) = after_each("large", "c/2", 10_000);
    // Links are new.
    assert!(after < before * 3 / 2, "{before}, {after}: one of two");
    let names = |at: &str| std::fs::read_dir(directory.path().join(at)).expect("its directory").flatten();
    let manifests = names("c/2").filter(|file| file.file_name().to_string_lossy().starts_with("MANIFEST-"));
    assert_eq!(manifests.count(), 2, "there is one to fall back on");
}
