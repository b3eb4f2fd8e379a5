//! The key-value store: values of any length whole or not at all, under threads, crashes and damage.

use std::collections::BTreeMap;
use std::sync::Arc;

use kithdb::base::limits::{KV_KEY_BYTES_MAX, KV_OWN_BYTES_MAX, KV_VALUE_BYTES_MAX};
use kithdb::base::{NoObserver, Result, Rng};
use kithdb::collection::CollectionConfig;
use kithdb::engine::JobKind;
use kithdb::host::{Db, Inspection, Options};
use kithdb::storage::sim::{Crash, Fault};
use kithdb::storage::{FileRoot, Level, SimVfs};

/// What the store puts into one document.
const PIECE: usize = 512 << 10;

fn options() -> Options {
    Options { auto_jobs: false, threads: 1, ..Options::default() }
}

fn open(vfs: &SimVfs) -> Result<Db> {
    Db::with_root(Arc::new(FileRoot::open(Arc::new(vfs.clone()), "db")?), options())
}

/// How many documents the store takes.
fn documents(db: &Db) -> usize {
    let opened = db.opened().expect("open");
    let store = opened.iter().find(|collection| collection.name() == "$kv");
    store.map_or(0, |store| store.info().expect("open").stats.documents)
}

#[test]
fn values_of_every_length_come_back_and_leave_nothing_behind() {
    let db = Db::in_memory(options()).expect("opens");
    assert_eq!((db.kv_get("k").expect("none"), documents(&db)), (None, 0));
    assert!(!db.kv_delete("k", None).expect("nothing there"));
    assert_eq!(documents(&db), 0, "reading and deleting makes no store");
    let lengths =
        [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE, 2 * PIECE + 5, KV_VALUE_BYTES_MAX, PIECE + 2, 7];
    for (round, length) in lengths.into_iter().enumerate() {
        // Three bytes each, so that pieces cannot be cut just anywhere.
        let mut value = "\u{20ac}".repeat(length / 3);
        value.push_str(&"x".repeat(length - value.len()));
        assert_eq!(db.kv_set("k", &value, None).expect("stored"), round > 0);
        assert_eq!(db.kv_get("k").expect("sound").as_deref(), Some(&*value), "{length} bytes");
        let pieces = value.len().div_ceil(PIECE).max(1);
        assert!((pieces..=pieces + 1).contains(&documents(&db)), "{} for {length} bytes", documents(&db));
        if round % 3 == 2 {
            let opened = db.opened().expect("open");
            opened[0].run(JobKind::Seal).expect("sealed");
        }
    }
    let long = "x".repeat(KV_VALUE_BYTES_MAX + 1);
    assert_eq!(db.kv_set("k", &long, None).expect_err("too long").code(), "too_large");
    assert_eq!(db.kv_get("k").expect("sound").map(|value| value.len()), Some(7), "and the old one stays");
    let key = "\u{e9}".repeat(KV_KEY_BYTES_MAX / 2);
    db.kv_set(&key, "v", None).expect("as long as a key may be");
    for key in ["", "a\0b", &format!("{key}x")] {
        assert_eq!(db.kv_set(key, "v", None).expect_err("no key").code(), "invalid_key");
        assert_eq!(db.kv_get(key).expect_err("no key").code(), "invalid_key");
        assert_eq!(db.kv_delete(key, None).expect_err("no key").code(), "invalid_key");
    }
    assert!(db.kv_delete("k", None).expect("deleted") && db.kv_delete(&key, None).expect("deleted"));
    assert_eq!((db.kv_get("k").expect("none"), documents(&db)), (None, 0));
}

#[test]
fn pages_of_keys_are_sorted_and_whole_in_any_layout() {
    let db = Db::in_memory(options()).expect("opens");
    let mut expected = BTreeMap::new();
    let mut rng = Rng::new(3);
    for number in 0..500 {
        let key = format!("{}/{}", ["a", "b", "\u{20ac}"][rng.below(3) as usize], rng.below(150));
        if rng.below(4) == 0 {
            assert_eq!(db.kv_delete(&key, None).expect("deleted"), expected.remove(&key).is_some());
        } else {
            db.kv_set(&key, &number.to_string(), None).expect("stored");
            expected.insert(key, number.to_string());
        }
        let opened = db.opened().expect("open");
        match number % 60 {
            20 | 40 => drop(opened[0].run(JobKind::Seal).expect("sealed")),
            59 => drop(opened[0].run(JobKind::Merge).expect("merged")),
            _ => {}
        }
    }
    for prefix in ["", "b/", "b/1", "\u{20ac}/", "zz"] {
        for limit in [1, 7, 10_000] {
            let (mut keys, mut cursor): (Vec<String>, Option<String>) = (Vec::new(), None);
            loop {
                let page = db.kv_list(prefix, cursor.as_deref(), limit).expect("a page");
                assert!(page.keys.len() <= limit);
                keys.extend(page.keys);
                cursor = page.next;
                if cursor.is_none() {
                    break;
                }
            }
            let wanted: Vec<&String> = expected.keys().filter(|key| key.starts_with(prefix)).collect();
            assert_eq!(keys.iter().collect::<Vec<_>>(), wanted, "{prefix:?} by {limit}");
        }
    }
    for (key, value) in &expected {
        assert_eq!(db.kv_get(key).expect("sound").as_ref(), Some(value));
    }
}

#[test]
fn threads_that_set_one_key_leave_one_whole_value() {
    let db = Db::in_memory(options()).expect("opens");
    std::thread::scope(|scope| {
        for writer in 0..4_usize {
            let db = &db;
            scope.spawn(move || {
                for round in 0..30 {
                    let letter = ["a", "b", "c", "d"][writer];
                    let value = letter.repeat(1 + (writer + round) % 4 * PIECE);
                    if round % 7 == 6 {
                        db.kv_delete("k", None).expect("deleted");
                    } else {
                        db.kv_set("k", &value, None).expect("stored");
                    }
                    if let Some(value) = db.kv_get("k").expect("never a part of one") {
                        assert!(value.bytes().all(|b| b == value.as_bytes()[0]), "of two writers");
                    }
                }
            });
        }
    });
    db.kv_set("k", "last", None).expect("stored");
    assert_eq!(documents(&db), 1, "no piece of another value is left");
}

/// The key's value at each acknowledgement at level `always`, and the one that was on its way.
fn write(vfs: &SimVfs) -> (Option<String>, Option<String>) {
    let (mut kept, mut tried) = (None, None);
    let run = |kept: &mut Option<String>, tried: &mut Option<String>| -> Result<()> {
        let db = open(vfs)?;
        for (number, pieces) in [1, 3, 2, 0, 4, 1].into_iter().enumerate() {
            *tried = (pieces > 0).then(|| format!("{number}").repeat(pieces * PIECE - 10));
            match &tried {
                Some(value) => drop(db.kv_set("k", value, Some(Level::Always))?),
                None => drop(db.kv_delete("k", Some(Level::Always))?),
            }
            kept.clone_from(tried);
            if number == 2 {
                db.opened()?[0].run(JobKind::Seal)?;
            }
        }
        Ok(())
    };
    // An error is the simulated end.
    drop(run(&mut kept, &mut tried));
    (kept, tried)
}

#[test]
fn after_a_crash_a_key_has_its_last_value_or_the_one_on_its_way_whole() {
    let whole = SimVfs::new();
    let (kept, _) = write(&whole);
    assert!(kept.is_some(), "the workload runs through on a sound disk");
    let mut found_some = 0;
    for call in 1..=whole.calls() {
        let disk = SimVfs::new();
        disk.fail_at(call, Fault::Stop);
        let (kept, tried) = write(&disk);
        for crash in [Crash::Process, Crash::LoseUnsynced, Crash::Tear] {
            let db = open(&disk.after(crash, &mut Rng::new(call))).expect("opens");
            let found = db.kv_get("k").unwrap_or_else(|e| panic!("call {call}, {crash:?}: {e}"));
            let length = found.as_ref().map(String::len);
            assert!(found == kept || found == tried, "call {call}, {crash:?}: {length:?} bytes");
            db.kv_set("k", "after", None).expect("writable");
            assert_eq!(documents(&db), 1, "call {call}, {crash:?}: pieces are left");
            found_some += usize::from(found.is_some());
        }
    }
    assert!(found_some > 50, "{found_some} values were found again");
}

#[test]
fn the_store_is_no_collection_to_anybody_and_is_verified_like_one() {
    let directory = tempfile::tempdir().expect("a directory");
    let db = Db::open(directory.path(), options()).expect("opens");
    db.kv_set("k", "v", None).expect("stored");
    db.create("c", CollectionConfig::default()).expect("made");
    assert_eq!(db.names().expect("open"), ["c"]);
    let refused = |outcome: Result<()>| outcome.expect_err("refused").code();
    assert_eq!(refused(db.collection("$kv").map(drop)), "unknown_collection");
    assert_eq!(refused(db.reference("$kv").map(drop)), "unknown_collection");
    assert_eq!(refused(db.drop_collection("$kv")), "unknown_collection");
    assert_eq!(refused(db.create("$kv", CollectionConfig::default()).map(drop)), "invalid_name");
    let export = db.collection("c").expect("there").export().expect("sound");
    assert_eq!(refused(db.import("$kv", &export).map(drop)), "invalid_name");
    db.own_set("access", "secret", None).expect("stored");
    for key in ["access", "=access", "0=access"] {
        assert_eq!(db.kv_get(key).expect("no such key"), None, "what the host keeps has no key");
        assert!(!db.kv_delete(key, None).expect("nothing there"));
        db.kv_set(key, "a user's", None).expect("stored");
    }
    assert_eq!(db.own_get("access").expect("sound").as_deref(), Some("secret"));
    for key in ["access", "=access", "0=access"] {
        db.kv_delete(key, None).expect("there");
    }
    assert_eq!(db.kv_list("", None, 10).expect("sound").keys, ["k"]);
    let long = "x".repeat(KV_OWN_BYTES_MAX + 1);
    assert_eq!(refused(db.own_set("access", &long, None)), "too_large");
    db.close().expect("closed");
    assert_eq!(refused(db.kv_get("k").map(drop)), "closed");

    let inspection = Inspection::open(directory.path(), Arc::new(NoObserver)).expect("opens");
    assert_eq!(inspection.figures("$kv").expect("sound").documents, 2, "who looks at a directory sees it");
    drop(inspection);
    let saved = tempfile::tempdir().expect("a directory");
    let into = saved.path().join("new");
    kithdb::host::repair(directory.path(), &into, &mut |_| {}).expect("saved");
    let db = Db::open(&into, options()).expect("opens");
    assert_eq!((db.opened().expect("open").len(), db.kv_get("k").expect("sound")), (0, Some("v".to_owned())));
    assert_eq!(db.own_get("access").expect("sound").as_deref(), Some("secret"));
}
