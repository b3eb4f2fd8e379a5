//! What threads do at once, and what must be true of it in every order.

use std::collections::BTreeMap;
use std::sync::Arc;

use kithdb::base::{ManualClock, NoObserver, Object, Value};
use kithdb::collection::{CollectionConfig, Document, View};
use kithdb::engine::JobKind;
use kithdb::host::{AddMode, CollectionHandle, Db, Options};
use kithdb::storage::{Level, StorageRoot};
use shuttle::rand::{Rng, thread_rng};
use shuttle::thread::spawn;

use crate::Scenario;
use crate::disk::Disk;
use crate::hasty::HastyRoot;

/// Every scenario.
pub const SCENARIOS: [Scenario; 7] = [
    Scenario { name: "group-commit", run: group_commit },
    Scenario { name: "failed-sync", run: failed_sync },
    Scenario { name: "view-swap", run: view_swap },
    Scenario { name: "job-and-writes", run: job_and_writes },
    Scenario { name: "job-and-drop", run: job_and_drop },
    Scenario { name: "close", run: close },
    Scenario { name: "open-and-let-go", run: open_and_let_go },
];

fn options() -> Options {
    Options {
        auto_jobs: false,
        threads: 1,
        level: Level::Always,
        clock: Arc::new(ManualClock::at(1_000)),
        observer: Arc::new(NoObserver),
        ..Options::default()
    }
}

fn opened(root: Arc<dyn StorageRoot>) -> (Arc<Db>, Arc<CollectionHandle>) {
    opened_with(root, options())
}

fn opened_with(root: Arc<dyn StorageRoot>, options: Options) -> (Arc<Db>, Arc<CollectionHandle>) {
    let db = Db::with_root(root, options).expect("opens");
    let collection = db.create_with_id("c", 7, CollectionConfig::default()).expect("made");
    (Arc::new(db), collection)
}

fn document(id: &str, n: i64) -> Document {
    let metadata = Object::from_iter([("n".to_owned(), Value::Int(n))]);
    Document { id: id.to_owned(), vector: Some(vec![n as f32 + 1.0, 1.0]), metadata, expires_at: None }
}

fn upsert(collection: &CollectionHandle, id: &str, n: i64) -> bool {
    collection.add(vec![document(id, n)], AddMode::Upsert, None).is_ok()
}

/// The number that each document has in a view, found by looking at all of them; each is there once.
fn state(view: &Arc<View>) -> BTreeMap<String, i64> {
    let now = view.moment(None, 1_000_000).expect("now");
    let rows = view.scan(None, 1_000, now).expect("readable").rows;
    let count = rows.len();
    let number = |row: &Object| match row.get("n") {
        Some(Value::Int(n)) => *n,
        other => panic!("{other:?}"),
    };
    let state: BTreeMap<_, _> = rows.iter().map(|row| (row.id.to_string(), number(&row.metadata))).collect();
    assert_eq!(state.len(), count, "a document is there once");
    for (id, n) in &state {
        let found = view.get(id, now).expect("readable").expect("what a scan finds is found by its id");
        assert_eq!(number(&found.metadata), *n);
    }
    state
}

/// What is found after a power cut now.
fn state_after_power_cut(disk: &Disk) -> BTreeMap<String, i64> {
    let db = Db::with_root(disk.after_power_cut().root(), options()).expect("opens");
    state(&db.collection("c").expect("recovered").view().expect("open"))
}

/// Three writers whose syncs are one: none is told that its write is durable before it is.
fn group_commit() {
    let disk = Disk::new();
    write_at_once(&disk, disk.root());
}

/// The control: a storage whose second writer takes the first one's sync for its own.
pub fn acknowledged_early() {
    let disk = Disk::new();
    write_at_once(&disk, Arc::new(HastyRoot(disk.root())));
}

fn write_at_once(disk: &Disk, root: Arc<dyn StorageRoot>) {
    let (db, collection) = opened(root);
    let writers: Vec<_> = ["first", "second", "third"]
        .into_iter()
        .map(|id| {
            let (collection, disk) = (Arc::clone(&collection), disk.clone());
            spawn(move || {
                for n in 0..2 {
                    let id = format!("{id}-{n}");
                    assert!(upsert(&collection, &id, n));
                    assert!(disk.is_durable(id.as_bytes()), "{id} was acknowledged");
                }
            })
        })
        .collect();
    writers.into_iter().for_each(|writer| writer.join().expect("no panic"));
    assert_eq!(state(&collection.view().expect("open")).len(), 6);
    db.close().expect("closed");
}

/// A sync fails: all who wait for it are told, nobody who was told before is wrong, and nothing is written after it.
fn failed_sync() {
    let disk = Disk::new();
    let (db, collection) = opened(disk.root());
    disk.fail_syncs_after(i64::from(thread_rng().gen_range(0..4u8)));
    let writers: Vec<_> = ["first", "second", "third"]
        .into_iter()
        .map(|id| {
            let (collection, disk) = (Arc::clone(&collection), disk.clone());
            spawn(move || {
                let mut kept = Vec::new();
                let mut failed = false;
                for n in 0..2 {
                    let id = format!("{id}-{n}");
                    if upsert(&collection, &id, n) {
                        assert!(!failed, "a writer that was told of a failure is not told of success");
                        assert!(disk.is_durable(id.as_bytes()), "{id} was acknowledged");
                        kept.push(id);
                    } else {
                        failed = true;
                    }
                }
                kept
            })
        })
        .collect();
    let kept: Vec<String> = writers.into_iter().flat_map(|writer| writer.join().expect("no panic")).collect();
    let found = state_after_power_cut(&disk);
    assert!(kept.iter().all(|id| found.contains_key(id)), "{kept:?} were acknowledged, {found:?} is there");
    // Six writes want at least two syncs, and at most three succeeded.
    if kept.len() < 6 {
        let info = collection.info().expect("readers go on");
        assert!(info.degraded.is_some(), "it says why it takes no more writes");
        assert!(!upsert(&collection, "later", 0), "nothing is written after a failed sync");
        let seen = state(&collection.view().expect("open"));
        assert!(kept.iter().all(|id| seen.contains_key(id)), "what was acknowledged is still read");
    }
    // A failed sync is told once more.
    drop(db.close());
}

/// Readers while views are switched by writes, a seal and a merge, and blobs are removed: every view is whole, an old one
/// stays readable, and each is as new as all that was acknowledged before it was taken.
fn view_swap() {
    let disk = Disk::new();
    let (db, collection) = opened(disk.root());
    for id in ["a", "b", "c"] {
        assert!(upsert(&collection, id, 0));
    }
    collection.run(JobKind::Seal).expect("sealed");
    assert!(upsert(&collection, "a", 1));
    let (old, before) = {
        let view = collection.view().expect("open");
        (Arc::clone(&view), state(&view))
    };
    let jobs = {
        let collection = Arc::clone(&collection);
        spawn(move || {
            collection.run(JobKind::Seal).expect("sealed");
            collection.run(JobKind::Optimize).expect("merged");
        })
    };
    let writer = {
        let collection = Arc::clone(&collection);
        spawn(move || {
            for n in 2..4 {
                assert!(upsert(&collection, "a", n));
                let seen = state(&collection.view().expect("open"));
                assert_eq!(seen["a"], n, "a writer reads what it wrote");
            }
        })
    };
    let reader = {
        let collection = Arc::clone(&collection);
        spawn(move || {
            let mut last = 0;
            for _ in 0..3 {
                let seen = state(&collection.view().expect("open"));
                assert_eq!(seen.keys().collect::<Vec<_>>(), ["a", "b", "c"], "a view is whole");
                assert!(seen["a"] >= last, "a later view is not older");
                last = seen["a"];
            }
        })
    };
    [jobs, writer, reader].into_iter().for_each(|thread| thread.join().expect("no panic"));
    assert_eq!(state(&old), before, "a view that is held does not change");
    assert_eq!(state(&collection.view().expect("open"))["a"], 3);
    db.close().expect("closed");
    assert_eq!(state_after_power_cut(&disk)["a"], 3);
}

/// A seal and a merge that end while documents are written and deleted: nothing comes back and nothing is lost, in memory
/// and after a power cut.
fn job_and_writes() {
    let disk = Disk::new();
    let (db, collection) = opened(disk.root());
    for (n, id) in (0..).zip(["a", "b", "c", "d"]) {
        assert!(upsert(&collection, id, n));
    }
    let jobs = {
        let collection = Arc::clone(&collection);
        spawn(move || {
            for kind in [JobKind::Seal, JobKind::Seal, JobKind::Optimize] {
                collection.run(kind).expect("done");
            }
        })
    };
    let deletes = {
        let collection = Arc::clone(&collection);
        spawn(move || {
            for id in ["a", "b"] {
                let written = collection.delete(vec![id.to_owned()], None).expect("deleted");
                assert_eq!(written.ended, 1);
            }
            assert!(upsert(&collection, "b", 10));
        })
    };
    let upserts = {
        let collection = Arc::clone(&collection);
        spawn(move || {
            assert!(upsert(&collection, "c", 11));
            assert!(upsert(&collection, "e", 12));
        })
    };
    [jobs, deletes, upserts].into_iter().for_each(|thread| thread.join().expect("no panic"));
    let expected: BTreeMap<String, i64> =
        [("b", 10), ("c", 11), ("d", 3), ("e", 12)].into_iter().map(|(id, n)| (id.to_owned(), n)).collect();
    assert_eq!(state(&collection.view().expect("open")), expected);
    assert_eq!(state_after_power_cut(&disk), expected, "everything was acknowledged");
    db.close().expect("closed");
}

/// A collection is dropped, and made again, while a job runs in it and documents are written to it: who still has the old
/// one is told so, and the new one has nothing of it.
fn job_and_drop() {
    let disk = Disk::new();
    let (db, collection) = opened(disk.root());
    assert!(upsert(&collection, "a", 0));
    let jobs = {
        let collection = Arc::clone(&collection);
        spawn(move || {
            let outcome = collection.run(JobKind::Seal).and_then(|_| collection.run(JobKind::Optimize));
            if let Err(error) = outcome {
                assert_eq!(error.code(), "closed");
            }
        })
    };
    let writer = {
        let collection = Arc::clone(&collection);
        spawn(move || {
            for n in 0..2 {
                if let Err(error) = collection.add(vec![document("b", n)], AddMode::Upsert, None) {
                    assert_eq!(error.code(), "closed");
                }
            }
        })
    };
    let dropper = {
        let db = Arc::clone(&db);
        spawn(move || {
            db.drop_collection("c").expect("dropped");
            let again = db.create_with_id("c", 8, CollectionConfig::default()).expect("the name is free");
            assert!(upsert(&again, "new", 1));
        })
    };
    [jobs, writer, dropper].into_iter().for_each(|thread| thread.join().expect("no panic"));
    let closed = collection.view().expect_err("it was dropped");
    assert_eq!(closed.code(), "closed");
    let left = disk.collection_files();
    assert!(left.iter().all(|file| file.starts_with("db/c/2/")), "{left:?}");
    assert_eq!(state_after_power_cut(&disk).into_keys().collect::<Vec<_>>(), ["new"]);
    db.close().expect("closed");
}

/// A database is closed while a job runs and writes of every level come: what was answered before is durable afterwards,
/// and nothing is written once closing has ended.
fn close() {
    let disk = Disk::new();
    let (db, collection) = opened(disk.root());
    assert!(upsert(&collection, "a", 0));
    let jobs = {
        let collection = Arc::clone(&collection);
        spawn(move || drop(collection.run(JobKind::Seal)))
    };
    let level = Level::ALL[thread_rng().gen_range(0..Level::ALL.len())];
    let writer = {
        let collection = Arc::clone(&collection);
        spawn(move || {
            let write = |n| collection.add(vec![document("b", n)], AddMode::Upsert, Some(level));
            // How many were answered, and then none.
            (0..3).take_while(|n| write(*n).inspect_err(|e| assert_eq!(e.code(), "closed")).is_ok()).count()
                as i64
        })
    };
    let closer = {
        let db = Arc::clone(&db);
        spawn(move || db.close().expect("closed"))
    };
    closer.join().expect("no panic");
    let at_close = disk.collection_files();
    jobs.join().expect("no panic");
    let answered = writer.join().expect("no panic");
    assert_eq!(disk.collection_files(), at_close, "nothing is made once closing has ended");
    let found = state_after_power_cut(&disk);
    assert_eq!(found.get("b").copied(), (answered > 0).then_some(answered - 1), "level {}", level.name());
}

/// Only one collection may stay open: each is let go of while others open it, write to it and let go of it again. There are
/// never two handles that write, or one would not see what the other wrote.
fn open_and_let_go() {
    let disk = Disk::new();
    let (db, collection) = opened_with(disk.root(), Options { open_collections_max: 1, ..options() });
    drop(collection);
    drop(db.create_with_id("other", 8, CollectionConfig::default()).expect("made"));
    let writer = |name: &'static str, id: &'static str| {
        let db = Arc::clone(&db);
        spawn(move || {
            for n in 0..2 {
                let collection = db.collection(name).expect("it opens");
                assert!(upsert(&collection, id, n));
                let seen = state(&collection.view().expect("open"));
                assert_eq!(seen.get(id), Some(&n), "a writer reads what it wrote");
            }
        })
    };
    let writers = [writer("c", "a"), writer("c", "b"), writer("other", "x")];
    writers.into_iter().for_each(|writer| writer.join().expect("no panic"));
    let expected = [("a".to_owned(), 1), ("b".to_owned(), 1)];
    assert_eq!(state(&db.collection("c").expect("it opens").view().expect("open")), expected.clone().into());
    assert_eq!(state_after_power_cut(&disk), expected.into());
    db.close().expect("closed");
}
