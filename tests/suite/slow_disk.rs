//! A disk on which one call hangs, or one sync fails: whoever does not need it goes on.

use std::io::ErrorKind;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use kithdb::base::Rng;
use kithdb::base::value::parse_object;
use kithdb::collection::{CollectionConfig, Document};
use kithdb::engine::JobKind;
use kithdb::host::{AddMode, CollectionHandle, Db, Options};
use kithdb::storage::sim::Crash;
use kithdb::storage::{FileRoot, Level, SimVfs};
use kithdb_tests::watched_vfs::{Call, WatchedVfs};

/// Far longer than anything here takes; only a hang is longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where calls wait while it is shut.
#[derive(Default)]
struct Gate {
    is_shut: Mutex<bool>,
    changed: Condvar,
}

impl Gate {
    fn set(&self, is_shut: bool) {
        *self.is_shut.lock().expect("whole") = is_shut;
        self.changed.notify_all();
    }

    fn pass(&self) {
        let guard = self.is_shut.lock().expect("whole");
        drop(self.changed.wait_while(guard, |is_shut| *is_shut).expect("whole"));
    }
}

/// Opens a gate in the end, a panic included, so that nobody hangs there for ever.
struct Opened<'a>(&'a Gate);

impl Drop for Opened<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

/// A database on a disk where the calls that `hangs` names wait at the gate, and all are told of.
fn database(
    disk: &SimVfs,
    gate: &Arc<Gate>,
    hangs: fn(Call, &str) -> bool,
) -> (Db, Receiver<(Call, String)>) {
    let (told, calls): (Sender<(Call, String)>, _) = channel();
    let (told, gate) = (Mutex::new(told), Arc::clone(gate));
    let vfs = WatchedVfs::new(disk, move |call, path| {
        // Nobody listens any more at the end of a test.
        drop(told.lock().expect("whole").send((call, path.to_owned())));
        if hangs(call, path) {
            gate.pass();
        }
        Ok(())
    });
    let root = Arc::new(FileRoot::open(Arc::new(vfs), "db").expect("a simulated disk"));
    let options = Options { auto_jobs: false, threads: 1, ..Options::default() };
    (Db::with_root(root, options).expect("opens"), calls)
}

fn document(id: &str) -> Document {
    let metadata = parse_object(r#"{"a":1}"#).expect("JSON");
    Document { id: id.to_owned(), vector: Some(vec![1.0, 2.0]), metadata, expires_at: None }
}

fn add(collection: &CollectionHandle, id: &str, level: Level) {
    collection.add(vec![document(id)], AddMode::Insert, Some(level)).expect("stored");
}

/// Waits until the disk is asked for this.
fn expect_call(calls: &Receiver<(Call, String)>, call: Call, ending: &str) {
    loop {
        let (kind, path) = calls.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("no {call:?} of {ending}"));
        if kind == call && path.ends_with(ending) {
            return;
        }
    }
}

/// A blob put was done between appends, so that a write waited for as long as 100 MB take to be written and synced.
#[test]
fn writes_are_acknowledged_while_a_blob_is_being_written() {
    for hanging in [Call::Create, Call::Write, Call::Sync] {
        let (disk, gate) = (SimVfs::new(), Arc::new(Gate::default()));
        let hangs: fn(Call, &str) -> bool = match hanging {
            Call::Create => |call, path| call == Call::Create && path.ends_with(".rows.tmp"),
            Call::Write => |call, path| call == Call::Write && path.ends_with(".rows.tmp"),
            _ => |call, path| call == Call::Sync && path.ends_with(".rows.tmp"),
        };
        let (db, calls) = database(&disk, &gate, hangs);
        let collection = db.create("c", CollectionConfig::default()).expect("made");
        add(&collection, "before", Level::Always);
        gate.set(true);
        let sealed = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let _opened_in_the_end = Opened(&gate);
            scope.spawn(|| {
                assert!(collection.run(JobKind::Seal).expect("sealed"));
                sealed.store(true, Ordering::Release);
            });
            expect_call(&calls, hanging, ".rows.tmp");
            let (done, acknowledged) = channel();
            let writer = &collection;
            scope.spawn(move || {
                for i in 0..10 {
                    add(writer, &format!("e{i}"), Level::Everysec);
                    add(writer, &format!("a{i}"), Level::Always);
                }
                writer.flush().expect("flushed");
                done.send(()).expect("somebody waits");
            });
            let outcome = acknowledged.recv_timeout(PATIENCE);
            let sealed_meanwhile = sealed.load(Ordering::Acquire);
            assert!(outcome.is_ok(), "20 writes wait for {hanging:?} of a blob");
            assert!(!sealed_meanwhile, "the blob hangs");
        });
        assert_eq!(collection.info().expect("open").stats.memtable, 20);
        drop(db);
        let (db, _calls) = database(&disk, &gate, |_, _| false);
        let collection = db.collection("c").expect("there");
        assert_eq!(collection.info().expect("open").stats.documents, 21);
    }
}

/// The figures of an open database were once asked of its storage while its writers waited: a disk that was slow to look at a
/// blob held every write.
#[test]
fn writes_go_on_while_figures_wait_for_the_disk() {
    let (disk, gate) = (SimVfs::new(), Arc::new(Gate::default()));
    let (db, calls) = database(&disk, &gate, |call, _| call == Call::Look);
    let collection = db.create("c", CollectionConfig::default()).expect("made");
    add(&collection, "sealed", Level::Always);
    assert!(collection.run(JobKind::Seal).expect("sealed"));
    gate.set(true);
    while calls.try_recv().is_ok() {}
    std::thread::scope(|scope| {
        let _opened_in_the_end = Opened(&gate);
        let (told, figures) = channel();
        let (asked, writer) = (&db, &collection);
        scope.spawn(move || told.send(asked.figures().expect("open")).expect("somebody waits"));
        expect_call(&calls, Call::Look, "");
        let (done, acknowledged) = channel();
        scope.spawn(move || {
            add(writer, "meanwhile", Level::Always);
            done.send(()).expect("somebody waits");
        });
        assert!(acknowledged.recv_timeout(PATIENCE).is_ok(), "a write waits for who looks at the disk");
        assert!(figures.try_recv().is_err(), "the disk hangs");
        gate.set(false);
        let figures = figures.recv_timeout(PATIENCE).expect("told");
        let own = figures.iter().find(|(name, _)| name == "c").expect("listed");
        let own = own.1.as_ref().expect("sound");
        assert!(own.segments[0].blobs.iter().all(|(_, bytes)| *bytes > 0), "{own:?}");
    });
}

/// What was dropped while its figures were asked for was listed with an error, as if it were damaged.
#[test]
fn figures_leave_out_what_is_dropped_while_they_wait_for_the_disk() {
    let (disk, gate) = (SimVfs::new(), Arc::new(Gate::default()));
    let (db, calls) = database(&disk, &gate, |call, path| call == Call::Look && path.contains("/c/1"));
    for name in ["dropped", "kept"] {
        let collection = db.create(name, CollectionConfig::default()).expect("made");
        add(&collection, "sealed", Level::Always);
        assert!(collection.run(JobKind::Seal).expect("sealed"));
    }
    gate.set(true);
    while calls.try_recv().is_ok() {}
    std::thread::scope(|scope| {
        let _opened_in_the_end = Opened(&gate);
        let (told, figures) = channel();
        let asked = &db;
        scope.spawn(move || told.send(asked.figures().expect("open")).expect("somebody waits"));
        expect_call(&calls, Call::Look, "");
        db.drop_collection("dropped").expect("dropped");
        gate.set(false);
        let figures = figures.recv_timeout(PATIENCE).expect("told");
        assert!(matches!(&figures[..], [(name, Ok(_))] if name == "kept"), "{figures:?}");
    });
}

/// One thread synced all collections in turn, so that the second of `everysec` was as long as the slowest took.
#[test]
fn a_sync_that_hangs_makes_no_other_collection_late() {
    let (disk, gate) = (SimVfs::new(), Arc::new(Gate::default()));
    let (db, calls) = database(&disk, &gate, |call, path| {
        call == Call::Sync && !path.contains("/c/4/") && path.contains("/wal-")
    });
    let slow: Vec<_> = ["a", "b", "c"]
        .map(|name| db.create(name, CollectionConfig::default()).expect("made"))
        .into_iter()
        .collect();
    let quick = db.create("quick", CollectionConfig::default()).expect("made");
    gate.set(true);
    while calls.try_recv().is_ok() {}
    std::thread::scope(|scope| {
        for collection in &slow {
            scope.spawn(|| add(collection, "one", Level::Always));
        }
        let _opened_in_the_end = Opened(&gate);
        let mut hanging = Vec::new();
        while hanging.len() < slow.len() {
            let (call, path) = calls.recv_timeout(PATIENCE).expect("each is synced, whatever the others do");
            let is_slow = path.contains("/wal-") && !path.contains("/c/4/");
            if call == Call::Sync && is_slow && !hanging.contains(&path) {
                hanging.push(path);
            }
        }
        for round in 0..3 {
            add(&quick, &format!("two {round}"), Level::Everysec);
            expect_call(&calls, Call::Sync, "/c/4/wal-1");
        }
    });
    db.close().expect("closed");
}

/// Level `memory` promises nothing, so it waits for nothing; what it wrote stands in the log before what came later.
#[test]
fn a_write_at_level_memory_waits_for_no_disk() {
    let (disk, gate) = (SimVfs::new(), Arc::new(Gate::default()));
    let (db, calls) = database(&disk, &gate, |call, path| call == Call::Write && path.contains("/wal-"));
    let collection = db.create("c", CollectionConfig::default()).expect("made");
    gate.set(true);
    {
        let _opened_in_the_end = Opened(&gate);
        for i in 0..20 {
            add(&collection, &format!("m{i}"), Level::Memory);
        }
        assert_eq!(collection.info().expect("open").stats.documents, 20);
        // Nobody else writes here: it is written by itself.
        expect_call(&calls, Call::Write, "/c/1/wal-1");
    }
    add(&collection, "last", Level::Os);
    let left = disk.after(Crash::Process, &mut Rng::new(1));
    let (db, _calls) = database(&left, &gate, |_, _| false);
    assert_eq!(db.collection("c").expect("there").info().expect("open").stats.documents, 21);
}

/// Level `os` leaves it to the operating system when bytes reach the disk; a flush does not.
#[test]
fn level_os_is_synced_by_a_flush_and_by_no_timer() {
    let (disk, gate) = (SimVfs::new(), Arc::new(Gate::default()));
    let (db, calls) = database(&disk, &gate, |_, _| false);
    let collections = ["a", "b"].map(|name| db.create(name, CollectionConfig::default()).expect("made"));
    // The header of the log, and what opening left.
    expect_call(&calls, Call::Sync, "/c/1/wal-1");
    expect_call(&calls, Call::Sync, "/c/1/wal-1");
    for i in 0..3 {
        add(&collections[0], &format!("o{i}"), Level::Os);
        add(&collections[1], &format!("e{i}"), Level::Everysec);
        loop {
            let (call, path) = calls.recv_timeout(PATIENCE).expect("the other one is synced each second");
            assert!(call != Call::Sync || !path.contains("/c/1/"), "synced by the timer");
            if call == Call::Sync && path.contains("/c/2/") {
                break;
            }
        }
    }
    db.flush().expect("flushed");
    expect_call(&calls, Call::Sync, "/c/1/wal-1");
    let left = disk.after(Crash::LoseUnsynced, &mut Rng::new(1));
    let (db, _calls) = database(&left, &gate, |_, _| false);
    assert_eq!(db.collection("a").expect("there").info().expect("open").stats.documents, 3);
}

/// After a failed fsync nobody knows what is on the disk, and a second one may answer that all is well.
#[test]
fn a_sync_that_fails_ends_the_writes_of_its_collection_and_of_no_other() {
    for level in [Level::Always, Level::Everysec] {
        let disk = SimVfs::new();
        let (fails, syncs) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let watch = {
            let (fails, syncs) = (Arc::clone(&fails), Arc::clone(&syncs));
            WatchedVfs::new(&disk, move |call, path| {
                if call == Call::Sync && path.contains("/c/1/wal-") && fails.load(Ordering::Acquire) {
                    syncs.fetch_add(1, Ordering::AcqRel);
                    return Err(ErrorKind::StorageFull.into());
                }
                Ok(())
            })
        };
        let root = Arc::new(FileRoot::open(Arc::new(watch), "db").expect("a simulated disk"));
        let options = Options { auto_jobs: false, threads: 1, ..Options::default() };
        let db = Db::with_root(root, options).expect("opens");
        let [bad, good] =
            ["bad", "good"].map(|name| db.create(name, CollectionConfig::default()).expect("made"));
        add(&bad, "before", Level::Always);
        fails.store(true, Ordering::Release);
        if level == Level::Always {
            let failed = bad.add(vec![document("lost")], AddMode::Insert, Some(level));
            assert_eq!(failed.expect_err("not durable").code(), "io_failed");
        } else {
            // Acknowledged when it is written; the flush is the first to know.
            add(&bad, "written", level);
            assert!(["io_failed", "degraded"].contains(&bad.flush().expect_err("not durable").code()));
        }
        for _ in 0..3 {
            let refused = bad.add(vec![document("later")], AddMode::Insert, None).expect_err("read-only");
            assert_eq!(refused.code(), "degraded");
            assert!(refused.to_string().contains("sync failed for the log"), "says why: {refused}");
            assert_eq!(bad.delete(vec!["before".into()], None).expect_err("read-only").code(), "degraded");
            assert_eq!(bad.run(JobKind::Seal).expect_err("read-only").code(), "degraded");
            assert_eq!(bad.flush().expect_err("nobody knows").code(), "degraded");
            add(&good, &format!("{}", syncs.load(Ordering::Acquire)), Level::Always);
            good.delete(vec!["1".into()], None).expect("goes on");
        }
        assert!(bad.get("before", None).expect("readable").is_some());
        assert!(bad.info().expect("open").degraded.is_some_and(|cause| cause.contains("sync failed")));
        assert_eq!(good.info().expect("open").degraded, None);
        assert!(db.close().is_err());
        assert_eq!(syncs.load(Ordering::Acquire), 1, "a failed sync is never tried again");
        let (db, _calls) = database(&disk, &Arc::default(), |_, _| false);
        add(&db.collection("bad").expect("there"), "later", Level::Always);
    }
}
