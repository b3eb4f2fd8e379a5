//! Damaged files: every flip and truncation is refused with a typed error or mended, never answered from.

use std::collections::BTreeMap;
use std::ops::Range;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use kithdb::base::value::parse_object;
use kithdb::base::{Event, Observer, Rng};
use kithdb::collection::{CollectionConfig, Document, Mutation, SearchRequest, Settings};
use kithdb::engine::JobKind;
use kithdb::host::{AddMode, Db, Options};
use kithdb::storage::blob::checksum;
use kithdb::storage::sim::Crash;
use kithdb::storage::{FileRoot, Level, SimVfs};
use kithdb::text::{Language, TextFields, TextSpec};
use kithdb::vectors::Coding;
use kithdb_tests::small_database::{edges, len, link, unlink};

#[derive(Default)]
struct Warnings(std::sync::Mutex<Vec<String>>);

impl Observer for Warnings {
    fn event(&self, event: Event) {
        if let Event::Warning { at, message } = event {
            self.0.lock().expect("whole").push(format!("{at}: {message}"));
        }
    }
}

fn open(vfs: &SimVfs, observer: Arc<Warnings>) -> kithdb::base::Result<Db> {
    let options =
        Options { auto_jobs: false, threads: 1, level: Level::Always, observer, ..Options::default() };
    Db::with_root(Arc::new(FileRoot::open(Arc::new(vfs.clone()), "db")?), options)
}

/// A database, and what it answers.
struct Sample {
    vfs: SimVfs,
    /// What each collection answers, whole.
    whole: BTreeMap<&'static str, String>,
    /// Of each log's batches behind the cut: where they end in it, and what its collection answered then. The first
    /// is the end of its header.
    batches: BTreeMap<String, Vec<(usize, String)>>,
}

const COLLECTIONS: [&str; 2] = ["main", "side"];

/// `main` has every kind of blob, ends, and a log with four batches behind the cut; `side` a log; edges in both segments and in the log.
fn sample() -> SimVfs {
    Sample::new().vfs
}

impl Sample {
    fn new() -> Self {
        let vfs = SimVfs::new();
        let db = open(&vfs, Arc::default()).expect("opens");
        let text = TextSpec::new(Language::English, TextFields::TopLevel);
        let config = CollectionConfig { text: Some(text), ..CollectionConfig::default() };
        let settings = Settings { codes: Coding::Bits, ..Settings::default() };
        let in_bits = CollectionConfig { settings, ..config.clone() };
        let main = db.create_with_id("main", 11, in_bits).expect("made");
        let side = db.create_with_id("side", 12, config).expect("made");
        let mut batches = BTreeMap::new();
        let mut note = |name: &str, place: &str| {
            let log = vfs.files().into_iter().rfind(|file| file.starts_with(place)).expect("a log");
            let ends: &mut Vec<_> = batches.entry(log.clone()).or_default();
            ends.push((len(&vfs, &log), answers(&db, name).expect("sound")));
        };
        note("side", "db/c/2/wal-");
        side.add(vec![document(1)], AddMode::Insert, None).expect("stored");
        note("side", "db/c/2/wal-");
        main.add((0..12).map(document).collect(), AddMode::Insert, None).expect("stored");
        let write = |edges: Vec<Mutation>| main.write(edges, None).expect("stored");
        write(vec![link(0, 1), link(0, 2), link(1, 5), link(20, 4)]);
        for kind in [JobKind::Seal, JobKind::Index] {
            assert!(main.run(kind).expect("done"));
        }
        main.delete(vec!["d2".into(), "d5".into()], None).expect("deleted");
        main.add(vec![document(20)], AddMode::Insert, None).expect("stored");
        write(vec![unlink(0, 1, false), unlink(20, 4, true), link(20, 3)]);
        assert!(main.run(JobKind::Seal).expect("done"));
        note("main", "db/c/1/wal-");
        for i in 30..33 {
            main.add(vec![document(i)], AddMode::Insert, None).expect("stored");
            note("main", "db/c/1/wal-");
        }
        write(vec![link(30, 2), unlink(0, 2, false)]);
        note("main", "db/c/1/wal-");
        db.close().expect("closed");
        let db = open(&vfs.after(Crash::Process, &mut Rng::new(0)), Arc::default()).expect("opens");
        let whole = COLLECTIONS.map(|name| (name, answers(&db, name).expect("sound"))).into();
        Self { vfs, whole, batches }
    }

    /// Files that hold something: the reserve is room.
    fn files(&self) -> Vec<String> {
        self.vfs.files().into_iter().filter(|file| file != "db/RESERVE").collect()
    }

    /// Damages a copy and asks it everything. Panics when an answer is wrong.
    fn judge(&self, damage: &[(&str, Damage)]) -> Outcome {
        let told = format!("{damage:?}");
        let judged = std::panic::catch_unwind(AssertUnwindSafe(|| self.ask(damage)));
        match judged {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(wrong)) => panic!("{told}: {wrong}"),
            Err(_) => panic!("{told}: a panic, see above"),
        }
    }

    fn ask(&self, damage: &[(&str, Damage)]) -> Result<Outcome, String> {
        let vfs = self.vfs.after(Crash::Process, &mut Rng::new(0));
        for (file, change) in damage {
            vfs.damage(file, |bytes| change.apply(bytes));
        }
        let is_hit = |place: &str| damage.iter().any(|(file, _)| file.contains(place));
        let warnings = Arc::new(Warnings::default());
        let db = match open(&vfs, Arc::clone(&warnings)) {
            Ok(db) => db,
            Err(error) if is_hit("/catalog/") && error.code() == "corrupt" => return Ok(Outcome::Refused),
            Err(error) => return Err(format!("nothing opens: {error}")),
        };
        let mut outcome = Outcome::Whole;
        for (number, name) in COLLECTIONS.iter().enumerate() {
            let own = format!("db/c/{}/", number + 1);
            let of_it = match answers(&db, name) {
                Ok(got) if got == self.whole[name] => Outcome::Whole,
                Ok(got) => self.is_torn(damage, &own, &got)?,
                Err(code) => {
                    let is_refused = ["unopenable", "corrupt"].contains(&code.as_str()) && is_hit(&own);
                    let is_told = !warnings.0.lock().expect("whole").is_empty();
                    // The catalog before the last one may not know it yet.
                    let is_unknown = code == "unknown_collection" && is_hit("/catalog/") && is_told;
                    if !is_refused && !is_unknown {
                        return Err(format!("{name} says {code}"));
                    }
                    Outcome::Refused
                }
            };
            outcome = outcome.max(of_it);
        }
        Ok(outcome)
    }

    /// An answer without the last batches is right when each of these was hit: no frame that is whole says that they
    /// were durable, so that they count as torn. All others must be there.
    fn is_torn(&self, damage: &[(&str, Damage)], own: &str, got: &str) -> Result<Outcome, String> {
        let wrong = || format!("answered from damaged bytes: {got}");
        let hit = damage.iter().find(|(file, _)| file.starts_with(own) && self.batches.contains_key(*file));
        let (file, change) = hit.ok_or_else(wrong)?;
        let batches = &self.batches[*file];
        let last = batches.iter().position(|(_, answers)| answers == got).ok_or_else(wrong)?;
        let mut lost = batches[last..].windows(2).map(|pair| pair[0].0..pair[1].0);
        let sound = lost.find(|frame| !change.hits(frame));
        sound.map_or(Ok(Outcome::Torn), |frame| Err(format!("the frame at {frame:?} is sound and lost")))
    }
}

/// What came of damage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    /// Every answer is right.
    Whole,
    /// The end of a log counts as unwritten.
    Torn,
    /// A typed error.
    Refused,
}

/// What is done to a file.
#[derive(Debug, Clone)]
enum Damage {
    /// So many bytes are left.
    Cut(usize),
    /// Bits of one byte are turned over.
    Flip(usize, u8),
    /// A run of bytes is something else.
    Overwrite(usize, Vec<u8>),
    /// Bits of several bytes are turned over.
    Scatter(Vec<(usize, u8)>),
}

impl Damage {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Cut(len) => bytes.truncate(*len),
            Self::Flip(at, mask) => bytes[*at] ^= mask,
            Self::Overwrite(at, new) => bytes[*at..at + new.len()].copy_from_slice(new),
            Self::Scatter(flips) => flips.iter().for_each(|(at, mask)| bytes[*at] ^= mask),
        }
    }

    fn hits(&self, range: &Range<usize>) -> bool {
        match self {
            Self::Cut(len) => *len < range.end,
            Self::Flip(at, _) => range.contains(at),
            Self::Overwrite(at, new) => *at < range.end && at + new.len() > range.start,
            Self::Scatter(flips) => flips.iter().any(|(at, _)| range.contains(at)),
        }
    }

    fn any(rng: &mut Rng, len: usize) -> Self {
        let bytes = 2 + rng.below(15) as usize;
        let mut at = || rng.below(len as u64) as usize;
        match at() % 4 {
            0 => Self::Cut(at()),
            1 => {
                let start = at();
                let filling = [None, Some(0), Some(0xff)][at() % 3];
                let new = (start..len.min(start + 8 * bytes)).map(|_| filling.unwrap_or_else(|| at() as u8));
                Self::Overwrite(start, new.collect())
            }
            _ => Self::Scatter((0..bytes).map(|_| (at(), 1 + (at() % 255) as u8)).collect()),
        }
    }
}

fn document(i: u32) -> Document {
    let metadata = parse_object(&format!(r#"{{"n":{i},"t":"word{} shared"}}"#, i % 4)).expect("JSON");
    Document { id: format!("d{i}"), vector: Some(vec![i as f32 + 1.0, 2.0]), metadata, expires_at: None }
}

/// Everything one can ask of a collection, or the code of the refusal.
fn answers(db: &Db, name: &str) -> Result<String, String> {
    let collection = db.collection(name).map_err(|e| e.code().to_owned())?;
    let ask = || -> kithdb::base::Result<String> {
        let page = collection.scan(None, 100, None)?;
        let mut all: Vec<String> =
            page.rows.iter().map(|row| format!("{} {:?} {:?}", row.id, row.vector, row.metadata)).collect();
        let requests = [
            SearchRequest { vector: Some(vec![7.0, 2.0]), ..SearchRequest::default() },
            SearchRequest { text: Some("word1".into()), ..SearchRequest::default() },
            SearchRequest { text: Some("\"word2 shared\"".into()), ..SearchRequest::default() },
            SearchRequest { filter: kithdb::collection::parse_filter("n > 8")?, ..SearchRequest::default() },
        ];
        for request in requests {
            let hits = collection.search(request)?.hits;
            all.push(hits.iter().map(|hit| format!("{}:{} ", hit.id, hit.score)).collect());
        }
        all.push(edges(&collection)?);
        Ok(all.join("\n"))
    };
    ask().map_err(|e| e.code().to_owned())
}

/// How often what came of damage.
#[derive(Default)]
struct Counts(BTreeMap<&'static str, usize>);

impl Counts {
    fn add(&mut self, outcome: Outcome) {
        let name = match outcome {
            Outcome::Whole => "whole",
            Outcome::Torn => "torn",
            Outcome::Refused => "refused",
        };
        *self.0.entry(name).or_default() += 1;
    }

    fn of(&self, name: &str) -> usize {
        self.0.get(name).copied().unwrap_or_default()
    }

    fn all(&self) -> usize {
        self.0.values().sum()
    }
}

/// The control: the same questions see a batch that is lost though nothing hit it.
#[test]
fn a_wrong_answer_is_noticed() {
    let sample = Sample::new();
    let log = sample.batches.keys().next().expect("a log");
    sample.vfs.damage(log, |bytes| bytes.truncate(bytes.len() - 1));
    let elsewhere = [(log.as_str(), Damage::Flip(0, 0))];
    assert!(sample.ask(&[]).is_err() && sample.ask(&elsewhere).is_err());
    assert_eq!(sample.ask(&[(log, Damage::Cut(41))]), Ok(Outcome::Torn), "all of these frames were hit");
}

#[test]
fn a_file_cut_to_any_length_is_never_answered_from() {
    let sample = Sample::new();
    let mut counts = Counts::default();
    for file in sample.files() {
        for left in 0..len(&sample.vfs, &file) {
            counts.add(sample.judge(&[(&file, Damage::Cut(left))]));
        }
    }
    println!("{} cuts: {:?}", counts.all(), counts.0);
    assert!(counts.of("refused") > 1_000 && counts.of("whole") > 1_000 && counts.of("torn") > 100);
}

/// Flips bits of every byte: all where a file begins and ends, elsewhere those that `bits` says.
fn flip(sample: &Sample, bits: impl Fn(usize) -> Range<usize>) -> Counts {
    // Headers of blobs are the longest, footers follow the directory.
    const ENDS: usize = 64;
    let mut counts = Counts::default();
    for file in sample.files() {
        let len = len(&sample.vfs, &file);
        for at in 0..len {
            let is_end = at < ENDS || at + ENDS >= len;
            for bit in if is_end { 0..8 } else { bits(at) } {
                counts.add(sample.judge(&[(&file, Damage::Flip(at, 1 << bit))]));
            }
        }
    }
    counts
}

#[test]
fn no_flipped_byte_is_ever_answered_from() {
    let counts = flip(&Sample::new(), |at| at % 8..at % 8 + 1);
    println!("{} flips: {:?}", counts.all(), counts.0);
    assert!(counts.of("refused") > 1_000 && counts.of("whole") > 1_000 && counts.of("torn") > 100);
}

/// Changes at random in one to three files at once.
fn scatter(sample: &Sample, seed: u64, counts: &mut Counts) {
    let mut rng = Rng::new(seed);
    let files = sample.files();
    let mut chosen: Vec<&str> =
        (0..=rng.below(3)).map(|_| files[rng.below(files.len() as u64) as usize].as_str()).collect();
    chosen.sort_unstable();
    chosen.dedup();
    let damage: Vec<_> =
        chosen.into_iter().map(|file| (file, Damage::any(&mut rng, len(&sample.vfs, file)))).collect();
    counts.add(sample.judge(&damage));
}

#[test]
fn no_scattered_change_is_ever_answered_from() {
    let sample = Sample::new();
    let mut counts = Counts::default();
    (0..1_000).for_each(|seed| scatter(&sample, seed, &mut counts));
    println!("{} changes: {:?}", counts.all(), counts.0);
    assert!(counts.of("refused") > 200 && counts.of("whole") > 200);
}

#[test]
#[ignore = "minutes, and as long as KITH_PROVE_SECONDS: npm run prove -- every-bit --for 10m"]
fn every_bit_that_is_flipped_and_any_scattered_change_is_never_answered_from() {
    let seconds = std::env::var("KITH_PROVE_SECONDS").ok().and_then(|s| s.parse().ok()).unwrap_or(60);
    let end = std::time::Instant::now() + std::time::Duration::from_secs(seconds);
    let sample = Sample::new();
    let flips = flip(&sample, |_| 0..8);
    let mut scattered = Counts::default();
    // Each run goes on with others.
    let first = u64::from(std::process::id()) << 32;
    for seed in first.. {
        if scattered.all() >= 10_000 && std::time::Instant::now() > end {
            break;
        }
        scatter(&sample, seed, &mut scattered);
    }
    println!("flips: {:?}, scattered changes: {:?}", flips.0, scattered.0);
    println!("counted: damage flips={} scattered={} wrong=0", flips.all(), scattered.all());
}

#[test]
fn a_lost_derived_blob_is_made_again_and_told() {
    let vfs = sample();
    for ending in [".codes", ".bits", ".text", ".columns", ".links"] {
        let whole = answers(&open(&vfs, Arc::default()).expect("opens"), "main").expect("sound");
        let less = vfs.after(Crash::Process, &mut Rng::new(0));
        let file = less.files().into_iter().find(|file| file.ends_with(ending)).expect("there is one");
        less.lose(&file);
        let warnings = Arc::new(Warnings::default());
        let db = open(&less, Arc::clone(&warnings)).expect("opens");
        assert_eq!(answers(&db, "main"), Ok(whole), "without {file}");
        assert!(warnings.0.lock().expect("whole").iter().any(|w| w.contains("made again")), "{file}");
    }
}

/// A flipped bit in the counts of touches, or in the words of what had ended, once kept a collection from opening though
/// no document was hit.
#[test]
fn damaged_touches_are_lost_and_told_and_nothing_else_is() {
    let ids: Vec<String> = (0..12).map(|i| format!("d{i}")).collect();
    let vfs = SimVfs::new();
    let db = open(&vfs, Arc::default()).expect("opens");
    let text = TextSpec::new(Language::English, TextFields::TopLevel);
    let config = CollectionConfig { text: Some(text), ..CollectionConfig::default() };
    let main = db.create("main", config).expect("made");
    main.add((0..12).map(document).collect(), AddMode::Insert, None).expect("stored");
    assert!(main.run(JobKind::Seal).expect("done"));
    main.delete(vec!["d2".into(), "d5".into()], None).expect("deleted");
    main.touch(vec!["d1".into(), "d7".into(), "d7".into()], None).expect("counted");
    main.add((20..23).map(document).collect(), AddMode::Insert, None).expect("stored");
    assert!(main.run(JobKind::Seal).expect("done"));
    let whole = (answers(&db, "main").expect("sound"), main.touches(&ids).expect("sound"));
    db.close().expect("closed");
    let ends = vfs.files().into_iter().rfind(|file| file.ends_with(".ends")).expect("there");
    let (mut lost, mut mended, mut refused) = (0, 0, 0);
    for at in 0..len(&vfs, &ends) {
        let bad = vfs.after(Crash::Process, &mut Rng::new(0));
        bad.damage(&ends, |bytes| bytes[at] ^= 4);
        let warnings = Arc::new(Warnings::default());
        let db = open(&bad, Arc::clone(&warnings)).expect("opens");
        let answered = answers(&db, "main");
        let told = warnings.0.lock().expect("whole").join("\n");
        if answered == Err("unopenable".into()) {
            refused += 1;
            continue;
        }
        assert_eq!(answered.as_ref(), Ok(&whole.0), "a flip at {at}");
        let main = db.collection("main").expect("open");
        let touches = main.touches(&ids).expect("read");
        if touches != whole.1 {
            assert!(touches.iter().all(Option::is_none), "a flip at {at} made other counts: {touches:?}");
            assert!(told.contains("touches are lost"), "a flip at {at}: {told}");
            lost += 1;
        } else if told.contains("counted again") {
            mended += 1;
        }
        main.touch(vec!["d7".into()], None).expect("counted");
        main.run(JobKind::Optimize).expect("done");
        db.close().expect("closed");
        let warnings = Arc::new(Warnings::default());
        let db = open(&bad, Arc::clone(&warnings)).expect("opens");
        assert_eq!(answers(&db, "main").as_ref(), Ok(&whole.0), "written anew after a flip at {at}");
        let count = db.collection("main").expect("open").touches(&["d7".into()]).expect("read")[0];
        assert_eq!(count.map(|touch| touch.count), Some(if touches == whole.1 { 3 } else { 1 }));
        assert_eq!(warnings.0.lock().expect("whole").join("\n"), "", "after a flip at {at}");
    }
    assert_eq!(lost, 2 * 16, "each byte of the two entries");
    assert!(mended > 20 && refused > 2 * 20, "{mended} mended, {refused} refused");
}

#[test]
fn files_of_others_are_left_alone_and_told() {
    use kithdb::storage::vfs::Vfs;
    let vfs = sample();
    for name in ["notes.txt", "wal-01", "17.rows.bak", "MANIFEST-x"] {
        vfs.create(&format!("db/c/1/{name}")).expect("made");
    }
    let warnings = Arc::new(Warnings::default());
    let db = open(&vfs, Arc::clone(&warnings)).expect("opens");
    answers(&db, "main").expect("sound");
    db.close().expect("closed");
    let told = warnings.0.lock().expect("whole").join("\n");
    for name in ["notes.txt", "wal-01", "17.rows.bak", "MANIFEST-x"] {
        assert!(told.contains(name), "{name} is not told of in {told}");
        assert!(vfs.files().contains(&format!("db/c/1/{name}")), "{name} is gone");
    }
}

/// A damaged catalog once made open fall back to the one before, and then remove the newest collection's directory,
/// because the older catalog does not name it.
#[test]
fn a_damaged_catalog_costs_no_collection_its_files() {
    let sound = sample();
    let newest = sound.files().into_iter().rfind(|file| file.contains("/catalog/MANIFEST-")).expect("there");
    let vfs = sound.after(Crash::Process, &mut Rng::new(0));
    vfs.damage(&newest, |bytes| bytes[20] ^= 1);
    let warnings = Arc::new(Warnings::default());
    let db = open(&vfs, Arc::clone(&warnings)).expect("the catalog before is sound");
    assert!(answers(&db, "main").is_ok(), "main is named by the catalog before");
    assert_eq!(db.collection("side").map(drop).expect_err("side is not").code(), "unknown_collection");
    db.create("side", CollectionConfig::default()).expect("a new one gets a place of its own");
    db.close().expect("closed");
    assert!(vfs.files().iter().any(|file| file.starts_with("db/c/2/wal-")), "the old one is still there");
    assert!(warnings.0.lock().expect("whole").iter().any(|w| w.contains("left alone")));

    let vfs = sound.after(Crash::Process, &mut Rng::new(0));
    for file in vfs.files().into_iter().filter(|file| file.contains("/catalog/")) {
        vfs.lose(&file);
    }
    assert_eq!(open(&vfs, Arc::default()).err().expect("collections without a catalog").code(), "corrupt");
    assert!(vfs.files().iter().any(|file| file.starts_with("db/c/1/wal-")), "nothing was removed");
}

/// The version was once looked at before the checksum: a flipped bit in it made the newest catalog one of a later
/// version, and the whole database was refused though the catalog before was sound.
#[test]
fn a_flipped_version_is_damage_and_a_later_version_is_left_alone() {
    let sound = sample();
    for place in ["db/catalog/MANIFEST-", "db/c/1/MANIFEST-"] {
        let newest = sound.files().into_iter().rfind(|file| file.starts_with(place)).expect("there");
        for bit in 0..32 {
            let vfs = sound.after(Crash::Process, &mut Rng::new(0));
            vfs.damage(&newest, |bytes| bytes[8 + bit / 8] ^= 1 << (bit % 8));
            let warnings = Arc::new(Warnings::default());
            let db = open(&vfs, Arc::clone(&warnings)).expect("the one before is sound");
            assert!(answers(&db, "main").is_ok(), "bit {bit} in {newest}");
            assert!(warnings.0.lock().expect("whole").iter().any(|w| w.contains("falling back")));
        }
        let vfs = sound.after(Crash::Process, &mut Rng::new(0));
        let generation = newest[place.len()..].parse().expect("a number");
        vfs.damage(&newest, |bytes| {
            bytes[10] += 1;
            let body = bytes.len() - 4;
            let crc = checksum(generation, &bytes[..body]);
            bytes[body..].copy_from_slice(&crc.to_le_bytes());
        });
        let error = match open(&vfs, Arc::default()) {
            Err(error) => error.code().to_owned(),
            Ok(db) => answers(&db, "main").expect_err("of a later version"),
        };
        let expected = if place.contains("catalog") { "unsupported_version" } else { "unopenable" };
        assert_eq!(error, expected, "{newest}");
    }
}

/// Every byte of an export is checked before anything of it is stored.
#[test]
fn a_damaged_export_is_refused_and_leaves_nothing() {
    let vfs = sample();
    let db = open(&vfs, Arc::default()).expect("opens");
    let export = db.collection("main").expect("open").export().expect("sound");
    let copy = db.import("copy", &export).expect("sound");
    assert_eq!(copy.export().expect("sound"), export, "an export of an import is the same file");
    for at in 0..export.len() {
        let mut bad = export.clone();
        bad[at] ^= 8;
        let error = db.import("bad", &bad).err().unwrap_or_else(|| panic!("the flip at {at} is accepted"));
        assert!(["invalid_file", "unsupported_version"].contains(&error.code()), "{at}: {error}");
    }
    for len in (0..export.len()).step_by(7) {
        assert_eq!(
            db.import("bad", &export[..len]).err().expect("cut off").code(),
            "invalid_file",
            "cut at {len}"
        );
    }
    assert_eq!(db.names().expect("open"), ["copy", "main", "side"]);
}
