//! `verify`: a sound database is clean, every flipped byte is reported with its file, what a crash leaves is no damage,
//! and nothing is written by looking.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use kithdb::base::{NoObserver, Pool, Rng};
use kithdb::engine::verify::{Check, Checked, State, Summary, Visitor, verify};
use kithdb::host::{Db, Inspection};
use kithdb::storage::sim::Crash;
use kithdb::storage::vfs::Vfs;
use kithdb::storage::{FileRoot, OsVfs, ReadOnlyVfs, SimVfs, StorageRoot};
use kithdb_tests::small_database;

/// Everything that was told.
#[derive(Debug, Default)]
pub struct Told(Vec<Checked>);

impl Visitor for Told {
    fn checked(&mut self, checked: &Checked) {
        self.0.push(checked.clone());
    }
}

/// Verifies through a file system that refuses to write.
pub fn look(vfs: &SimVfs) -> (Vec<Checked>, Summary) {
    let read_only = Arc::new(ReadOnlyVfs::new(Arc::new(vfs.clone())));
    let root = FileRoot::open(read_only, "db").expect("opens");
    let (mut told, calls) = (Told::default(), vfs.calls());
    let summary = verify(&root, &Pool::single(), &mut told).expect("can be listed");
    assert_eq!(vfs.calls(), calls, "nothing was written");
    (told.0, summary)
}

fn sample() -> SimVfs {
    let vfs = SimVfs::new();
    small_database::fill(Arc::new(FileRoot::open(Arc::new(vfs.clone()), "db").expect("opens")));
    vfs
}

#[test]
fn a_sound_database_is_clean_and_every_file_is_told_of() {
    let vfs = sample();
    let (told, summary) = look(&vfs);
    let odd: Vec<_> = told.iter().filter(|checked| checked.state != State::Sound).collect();
    assert!(summary.is_clean() && odd.is_empty(), "{odd:?}");
    let names: BTreeSet<String> = told.iter().map(|checked| format!("db/{}", checked.name())).collect();
    for file in small_database::files(&vfs) {
        assert!(names.contains(&file), "{file} is not told of");
    }
    for kind in ["rows", "codes", "bits", "links", "text", "columns", "ends"] {
        assert!(
            small_database::files(&vfs).iter().any(|file| file.ends_with(kind)),
            "the sample has no {kind}"
        );
    }
    assert_eq!(small_database::files(&vfs).iter().filter(|file| file.contains("c/1/MANIFEST-")).count(), 2);
}

#[test]
fn a_check_in_steps_that_begins_a_storage_anew_tells_the_same() {
    let vfs = sample();
    let damaged = small_database::files(&vfs).into_iter().find(|file| file.ends_with("text"));
    vfs.damage(&damaged.expect("has a text"), |bytes: &mut Vec<u8>| bytes[100] ^= 1);
    let root = FileRoot::open(Arc::new(vfs.clone()), "db").expect("opens");
    let (mut told, pool) = (Told::default(), Pool::single());
    let mut check = Check::new(root.numbers().expect("can be listed"), 0);
    check.catalog(&root, &mut told);
    let mut restarts = 0;
    while let Some(next) = check.next() {
        let before = told.0.len();
        check.enter(&next, &root, &mut told);
        if (0..5).any(|_| check.step(&pool, 1, &mut told).expect("is resident")) {
            continue;
        }
        told.0.truncate(before);
        check.enter(&next, &root, &mut told);
        while !check.step(&pool, 1, &mut told).expect("is resident") {}
        restarts += 1;
    }
    let (whole, summary) = look(&vfs);
    assert_eq!((told.0, check.summary()), (whole, summary));
    assert!(restarts > 0 && summary.damaged == 1, "{restarts} restarts, {summary:?}");
}

/// Flips bits of every byte: all where a file begins and ends, elsewhere those that `bits` says. Each must be reported.
fn flip_every_byte(bits: impl Fn(usize) -> Range<usize>) -> usize {
    const ENDS: usize = 64;
    let vfs = sample();
    let mut flips = 0;
    for file in small_database::files(&vfs) {
        let len = small_database::len(&vfs, &file);
        for at in 0..len {
            let is_end = at < ENDS || at + ENDS >= len;
            for bit in if is_end { 0..8 } else { bits(at) } {
                let flip = |bytes: &mut Vec<u8>| bytes[at] ^= 1 << bit;
                vfs.damage(&file, flip);
                let what = || format!("a flip in {file} of bit {bit} at {at} of {len}");
                assert!(is_reported(&vfs, &file), "{} is not reported", what());
                vfs.damage(&file, flip);
                flips += 1;
            }
        }
    }
    assert!(look(&vfs).1.is_clean(), "all flips were taken back");
    flips
}

/// Whether the file is told of as damaged, with a reason.
fn is_reported(vfs: &SimVfs, file: &str) -> bool {
    let (told, summary) = look(vfs);
    let reported = told.iter().find(|checked| {
        // The end of a log that no later frame knows to be durable counts as an unfinished write.
        let is_tail = file.contains("/wal-") && checked.state == State::Unfinished;
        format!("db/{}", checked.name()) == file && (checked.state == State::Damaged || is_tail)
    });
    reported.is_some_and(|reported| {
        !reported.findings.is_empty() && (!summary.is_clean() || reported.state == State::Unfinished)
    })
}

#[test]
fn every_flipped_byte_is_reported_with_its_file() {
    let flips = flip_every_byte(|at| at % 8..at % 8 + 1);
    println!("{flips} flips reported");
    assert!(flips > 5_000, "{flips}");
}

#[test]
#[ignore = "a minute or two: npm run prove -- every-bit"]
fn every_bit_that_is_flipped_is_reported_with_its_file() {
    let flips = flip_every_byte(|_| 0..8);
    println!("counted: verify flips={flips} unreported=0");
}

/// A log that ends where a batch ends is a log that had no more batches: nothing tells it from one.
#[test]
fn every_cut_is_reported_but_of_a_log_between_batches() {
    let sound = sample();
    let mut silent = BTreeMap::<String, Vec<usize>>::new();
    for file in small_database::files(&sound) {
        for left in 0..small_database::len(&sound, &file) {
            let vfs = sound.after(Crash::Process, &mut Rng::new(0));
            vfs.damage(&file, |bytes| bytes.truncate(left));
            let (_, summary) = look(&vfs);
            if summary.is_clean() && !is_reported(&vfs, &file) {
                silent.entry(file.clone()).or_default().push(left);
            }
        }
    }
    let all_in_logs = silent.keys().all(|file| file.contains("/wal-"));
    // Of the sample's logs the one has five batches behind the cut, the other one.
    let counts: Vec<usize> = silent.values().map(Vec::len).collect();
    assert!(all_in_logs && counts == [5, 1], "not told of: {silent:?}");
}

#[test]
fn a_lost_file_is_reported() {
    let sound = sample();
    for file in small_database::files(&sound) {
        let vfs = sound.after(Crash::Process, &mut Rng::new(0));
        vfs.lose(&file);
        let (told, summary) = look(&vfs);
        let mut older: Vec<_> =
            small_database::files(&sound).into_iter().filter(|f| f.contains("/MANIFEST-")).collect();
        older.retain(|f| !told.iter().any(|checked| format!("db/{}", checked.name()) == *f));
        // The manifest to fall back on is named by nobody; its blobs are.
        if older == [file.clone()] && summary.is_clean() {
            continue;
        }
        assert!(!summary.is_clean(), "{file} is gone and nobody says so");
    }
}

/// Blobs with right checksums that say the wrong thing: what a bug, not a disk, would write.
#[test]
fn a_derived_blob_of_other_rows_is_reported() {
    use kithdb::storage::blob::{Section, build};
    use kithdb::storage::{BlobId, BlobKind};
    let vfs = sample();
    let file = small_database::files(&vfs)
        .into_iter()
        .find(|file| file.ends_with(".columns"))
        .expect("there is one");
    let number = file.rsplit('/').next().and_then(|name| name.split('.').next()).expect("a number");
    let id = BlobId::new(11, number.parse().expect("a number"), BlobKind::Columns);
    vfs.damage(&file, |bytes| {
        let sections: Vec<Section> = (1..=8).map(|section| Section::pinned(section, vec![0; 8])).collect();
        *bytes = build(id, &sections).to_vec();
    });
    let (told, summary) = look(&vfs);
    assert_eq!((summary.damaged, summary.derived_damaged), (1, 1), "{told:?}");
    let damaged = told.iter().find(|checked| checked.state == State::Damaged).expect("one");
    assert!(damaged.findings[0].what.contains("rebuilt bytes differ"), "{damaged:?}");
}

/// Names, hashes and times of all files below a directory.
pub fn fingerprint(directory: &Path) -> BTreeMap<String, (Vec<u8>, SystemTime)> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        let changed = path.metadata().and_then(|m| m.modified()).expect("a time");
        if path.is_dir() {
            found.extend(fingerprint(&path));
        }
        let bytes = if path.is_dir() { Vec::new() } else { std::fs::read(&path).expect("readable") };
        found.insert(path.display().to_string(), (bytes, changed));
    }
    found
}

#[test]
fn looking_changes_no_file_and_keeps_writers_out() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path();
    assert_eq!(open(path).err().expect("nothing there").code(), "invalid_parameter");
    assert!(fingerprint(path).is_empty());
    let root = FileRoot::open(Arc::new(OsVfs), &path.to_string_lossy()).expect("opens");
    small_database::fill(Arc::new(root));
    Db::open(path, small_database::options()).expect("opens").close().expect("closed");
    // What recovery would change: a torn tail, something begun, a storage without a name, and a name of another.
    let log = path.join("c/2/wal-1");
    let mut torn = std::fs::read(&log).expect("readable");
    torn.extend([7; 5]);
    std::fs::write(&log, torn).expect("writable");
    std::fs::write(path.join("c/1/99.rows.tmp"), "begun").expect("writable");
    std::fs::write(path.join("notes.txt"), "not ours").expect("writable");
    OsVfs.create_dir(&path.join("c/7").to_string_lossy()).expect("made");
    let before = fingerprint(path);
    {
        let one = open(path).expect("opens");
        let beside = open(path).expect("readers stand beside each other");
        assert_eq!(beside.strangers().expect("listed"), ["notes.txt"]);
        let mut told = Told::default();
        let summary = one.verify(&mut told).expect("listed");
        assert_eq!((summary.damaged, summary.unfinished, summary.unneeded), (0, 2, 1), "{:?}", told.0);
        for name in ["main", "side"] {
            let figures = one.figures(name).expect("sound");
            assert_eq!(figures.documents, one.view(name).expect("sound").all_rows().expect("sound").len());
        }
        assert_eq!(one.figures("side").expect("sound").memtable.tail_bytes, 5);
        assert_eq!(one.view("other").map(drop).expect_err("there is none").code(), "unknown_collection");
        let refused = Db::open(path, small_database::options()).err().expect("somebody reads");
        assert_eq!(refused.code(), "database_locked");
        assert!(refused.to_string().contains("only reads"), "{refused}");
    }
    assert_eq!(fingerprint(path), before);
    let db = Db::open(path, small_database::options()).expect("nobody reads any more");
    let refused = open(path).err().expect("somebody writes");
    assert!(refused.to_string().contains(&std::process::id().to_string()), "{refused}");
    db.close().expect("closed");
}

fn open(path: &Path) -> kithdb::base::Result<Inspection> {
    Inspection::open(path, Arc::new(NoObserver))
}

#[test]
fn figures_count_what_is_there() {
    let directory = tempfile::tempdir().expect("a directory");
    let root = FileRoot::open(Arc::new(OsVfs), &directory.path().to_string_lossy()).expect("opens");
    small_database::fill(Arc::new(root));
    let inspection = open(directory.path()).expect("opens");
    let main = inspection.figures("main").expect("sound");
    let rows = inspection.view("main").expect("sound").all_rows().expect("sound");
    assert_eq!((main.documents, main.dim), (rows.len(), Some(2)));
    assert_eq!(main.vectors, rows.iter().filter(|row| row.vector.is_some()).count());
    let segments: Vec<_> = main.segments.iter().map(|s| (s.slots, s.live, s.blobs.len())).collect();
    assert_eq!(segments, [(12, 9, 7), (3, 3, 5)]);
    assert_eq!((main.memtable.documents, main.memtable.frames), (4, 5));
    let file = |name: &str| directory.path().join("c/1").join(name).metadata().expect("there").len();
    let (log, bytes) = *main.logs.last().expect("one");
    assert_eq!(bytes, file(&format!("wal-{log}")));
    assert_eq!(main.memtable.bytes, bytes - 40);
    for segment in &main.segments {
        assert!(segment.blobs.iter().all(|(_, bytes)| *bytes > 0));
    }
    assert_eq!(main.previous.map(|previous| previous + 1), Some(main.generation));
    assert_eq!(main.format_version, 1);
}
