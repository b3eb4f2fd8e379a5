//! A disk that is full from any call on: what does not fit leaves no trace, reads and deletes go on, and writes do as
//! soon as there is room, without opening anything again.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use kithdb::base::value::parse_object;
use kithdb::base::{Error, Result, Rng, Value};
use kithdb::collection::{CollectionConfig, Document};
use kithdb::engine::JobKind;
use kithdb::host::{AddMode, CollectionHandle, Db, Options};
use kithdb::storage::sim::{Crash, Fault};
use kithdb::storage::{FileRoot, Level, SimVfs};

type Model = BTreeMap<String, i64>;

fn options() -> Options {
    Options { auto_jobs: false, threads: 1, ..Options::default() }
}

fn open(disk: &SimVfs) -> Result<Db> {
    Db::with_root(Arc::new(FileRoot::open(Arc::new(disk.clone()), "db")?), options())
}

fn document(id: &str, n: i64) -> Document {
    let metadata = parse_object(&format!(r#"{{"n":{n}}}"#)).expect("JSON");
    Document { id: id.to_owned(), vector: Some(vec![n as f32, 1.0]), metadata, expires_at: None }
}

fn read(collection: &CollectionHandle) -> Model {
    let page = collection.scan(None, 1000, None).expect("readable");
    let n = |metadata: &kithdb::base::Object| match metadata["n"] {
        Value::Int(n) => n,
        ref other => panic!("{other:?}"),
    };
    page.rows.iter().map(|row| (row.id.to_string(), n(&row.metadata))).collect()
}

/// True when it was done; a refusal says that the disk is full and nothing else.
fn done<T>(outcome: Result<T>, at: &str) -> bool {
    outcome.inspect_err(|error: &Error| assert_eq!(error.code(), "disk_full", "{at}: {error}")).is_ok()
}

/// What was refused while the disk was full.
#[derive(Debug, Default)]
struct Refused {
    writes: usize,
    deletes: usize,
    jobs: usize,
    drops: usize,
}

/// A seeded workload in which every refusal must leave all as it was.
fn work(db: &Db, model: &mut Model, at: &str) -> Refused {
    let mut refused = Refused::default();
    if !done(db.create("c", CollectionConfig::default()), at)
        || !done(db.create("other", CollectionConfig::default()), at)
    {
        refused.writes += 1;
        return refused;
    }
    let collection = db.collection("c").expect("made");
    let mut rng = Rng::new(9);
    for step in 1..=16 {
        let at = format!("{at}, step {step}");
        let level = [Level::Always, Level::Everysec, Level::Os][rng.below(3) as usize];
        if step % 4 == 0 {
            let id = format!("d{}", rng.below(6));
            if done(collection.delete(vec![id.clone()], Some(level)), &at) {
                model.remove(&id);
            } else {
                refused.deletes += 1;
            }
        } else {
            let id = format!("d{}", rng.below(6));
            if done(collection.add(vec![document(&id, step)], AddMode::Upsert, Some(level)), &at) {
                model.insert(id, step);
            } else {
                refused.writes += 1;
            }
        }
        let job = match step {
            5 | 10 => Some(JobKind::Seal),
            7 => Some(JobKind::Index),
            13 => Some(JobKind::Merge),
            _ => None,
        };
        refused.jobs += usize::from(job.is_some_and(|job| !done(collection.run(job), &at)));
        if step == 11 && !done(db.drop_collection("other"), &at) {
            refused.drops += 1;
            assert!(db.collection("other").is_ok(), "{at}: nothing is dropped");
        }
        assert_eq!(read(&collection), *model, "{at}");
    }
    refused
}

#[test]
fn a_disk_that_is_full_from_any_call_on_refuses_writes_and_loses_nothing() {
    let sum = full_at_every_call(0);
    assert!(sum.writes > 1000, "it was full: {sum:?}");
    assert_eq!((sum.deletes, sum.drops), (0, 0), "there is room for these: {sum:?}");
}

/// Somebody else took the room that the reserve gave up: nothing at all can be written, and nothing is lost.
#[test]
fn a_disk_that_stays_full_without_the_reserve_refuses_everything_and_loses_nothing() {
    let sum = full_at_every_call(1 << 20);
    assert!(sum.writes > 500 && sum.deletes > 0 && sum.jobs > 100 && sum.drops > 10, "it was full: {sum:?}");
}

fn full_at_every_call(less: usize) -> Refused {
    let whole = SimVfs::new();
    let opened = {
        drop(open(&whole).expect("opens"));
        whole.calls()
    };
    let whole = SimVfs::new();
    work(&open(&whole).expect("opens"), &mut Model::new(), "a sound disk");
    let mut sum = Refused::default();
    for call in 1..=whole.calls() {
        let at = format!("full from call {call} on");
        let (disk, mut model) = (SimVfs::new(), Model::new());
        disk.fail_at(call, Fault::Full(less));
        let tried = open(&disk);
        if call > opened {
            assert!(tried.is_ok(), "{at}: it was open before");
        }
        let db = match tried {
            Ok(db) => {
                let refused = work(&db, &mut model, &at);
                sum.writes += refused.writes;
                sum.deletes += refused.deletes;
                sum.jobs += refused.jobs;
                sum.drops += refused.drops;
                disk.make_room();
                db
            }
            Err(error) => {
                assert_eq!(error.code(), "disk_full", "{at}: {error}");
                disk.make_room();
                open(&disk).unwrap_or_else(|e| panic!("{at}: {e}"))
            }
        };
        go_on(&disk, &db, model, &at);
    }
    println!("full at each of {} calls: refused {sum:?}", whole.calls());
    sum
}

/// There is room again: everything can be written in the database as it is open, and is there after a crash.
fn go_on(disk: &SimVfs, db: &Db, mut model: Model, at: &str) {
    let collection = db.collection("c").or_else(|_| db.create("c", CollectionConfig::default()));
    let collection = collection.unwrap_or_else(|e| panic!("{at}: {e}"));
    for (i, level) in [Level::Everysec, Level::Always].into_iter().enumerate() {
        let id = format!("after{i}");
        collection
            .add(vec![document(&id, 99)], AddMode::Insert, Some(level))
            .unwrap_or_else(|e| panic!("{at}, there is room again: {e}"));
        model.insert(id, 99);
    }
    for kind in [JobKind::Seal, JobKind::Merge] {
        collection.run(kind).unwrap_or_else(|e| panic!("{at}, there is room again: {e}"));
    }
    collection.add(vec![document("last", 100)], AddMode::Insert, Some(Level::Always)).expect("room");
    model.insert("last".into(), 100);
    assert_eq!(read(&collection), model, "{at}");
    for crash in [Crash::Process, Crash::LoseUnsynced] {
        let left = open(&disk.after(crash, &mut Rng::new(3))).unwrap_or_else(|e| panic!("{at}: {e}"));
        let collection = left.collection("c").unwrap_or_else(|e| panic!("{at}: {e}"));
        assert_eq!(read(&collection), model, "{at}, {crash:?}");
    }
}

/// A file system of a few megabytes, which root can make.
struct Mounted<'a>(&'a Path);

impl<'a> Mounted<'a> {
    fn new(at: &'a Path, megabytes: u32) -> Option<Self> {
        let size = format!("size={megabytes}m");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(at).status();
        mounted.is_ok_and(|status| status.success()).then_some(Self(at))
    }
}

impl Drop for Mounted<'_> {
    fn drop(&mut self) {
        // A mount that is left over is seen by whoever removes the directory.
        drop(Command::new("umount").arg(self.0).status());
    }
}

#[test]
#[ignore = "mounts a file system, which takes root: npm run prove -- disk-full"]
fn a_real_disk_of_a_few_megabytes_fills_and_empties() {
    let directory = tempfile::tempdir().expect("a directory");
    let sizes = 4..12;
    let (disks, mut documents) = (sizes.len(), 0);
    for megabytes in sizes {
        let mounted = Mounted::new(directory.path(), megabytes).expect("root can mount a tmpfs");
        let counted = fill(&directory.path().join("db"), &directory.path().join("filler"));
        println!("{megabytes} MiB: {counted} documents until it was full, all there and more after");
        documents += counted;
        drop(mounted);
    }
    println!("counted: disk-full disks={disks} documents={documents} lost=0");
}

/// Fills the file system twice; how many documents fitted.
fn fill(path: &Path, filler: &Path) -> usize {
    std::fs::write(filler, vec![1; 1 << 20]).expect("room");
    let db = Db::open(path, options()).expect("opens");
    let collection = db.create("c", CollectionConfig::default()).expect("made");
    let mut model = Model::new();
    let mut fitted = 0;
    for round in 0..2 {
        for i in 0.. {
            let id = format!("{round}-{i}");
            let mut big = document(&id, i);
            big.vector = Some(vec![1.0; 4096]);
            if !done(collection.add(vec![big], AddMode::Insert, None), "filling") {
                break;
            }
            model.insert(id, i);
        }
        assert_eq!(read(&collection), model, "reads go on");
        assert!(model.len() > fitted, "writes went on when there was room");
        fitted = model.len();
        // Not one more byte, but for what the reserve left.
        let first = model.keys().next().cloned().expect("some fitted");
        collection.delete(vec![first.clone()], Some(Level::Always)).expect("deletes go on");
        model.remove(&first);
        if round == 0 {
            // Makes room for three quarters of the filler and the reserve.
            std::fs::remove_file(filler).expect("there");
        }
    }
    db.close().expect("closed");
    // What is left of the room goes too: it still opens and is read.
    let mut rest = std::fs::File::create(filler).expect("a name");
    while std::io::Write::write_all(&mut rest, &[1; 4096]).is_ok() {}
    let db = Db::open(path, options()).expect("a full disk is opened");
    let collection = db.collection("c").expect("opens");
    assert_eq!(read(&collection), model);
    assert!(!done(collection.add(vec![document("no", 1)], AddMode::Insert, None), "full"));
    drop(rest);
    std::fs::remove_file(filler).expect("there");
    collection.delete(model.keys().cloned().collect(), None).expect("deleted");
    collection.run(JobKind::Seal).expect("sealed");
    collection.run(JobKind::Merge).expect("merged");
    assert_eq!(read(&collection), Model::new());
    fitted
}
