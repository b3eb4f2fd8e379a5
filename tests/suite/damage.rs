//! Damaged files: every flip and truncation is refused with a typed error or mended, never answered from.

use std::sync::Arc;

use kithdb::base::value::parse_object;
use kithdb::base::{Event, Observer, Rng};
use kithdb::collection::{CollectionConfig, Document, SearchRequest};
use kithdb::engine::JobKind;
use kithdb::host::{AddMode, Db, Options};
use kithdb::storage::sim::Crash;
use kithdb::storage::{FileRoot, Level, SimVfs};
use kithdb::text::{Language, TextFields, TextSpec};

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

/// A collection with every kind of blob, ends, and a log with three batches behind the cut; and a bystander.
fn sample() -> SimVfs {
    let vfs = SimVfs::new();
    let db = open(&vfs, Arc::default()).expect("opens");
    let text = TextSpec { language: Language::English, fields: TextFields::TopLevel };
    let config = CollectionConfig { text: Some(text), ..CollectionConfig::default() };
    let main = db.create_with_id("main", 11, config).expect("made");
    let side = db.create_with_id("side", 12, CollectionConfig::default()).expect("made");
    side.add(vec![document(1)], AddMode::Insert, None).expect("stored");
    main.add((0..12).map(document).collect(), AddMode::Insert, None).expect("stored");
    for kind in [JobKind::Seal, JobKind::Index] {
        assert!(main.run(kind).expect("done"));
    }
    main.delete(vec!["d2".into(), "d5".into()], None).expect("deleted");
    main.add(vec![document(20)], AddMode::Insert, None).expect("stored");
    assert!(main.run(JobKind::Seal).expect("done"));
    for i in 30..33 {
        main.add(vec![document(i)], AddMode::Insert, None).expect("stored");
    }
    db.close().expect("closed");
    vfs
}

fn document(i: u32) -> Document {
    let metadata = parse_object(&format!(r#"{{"n":{i},"t":"word{} shared"}}"#, i % 4)).expect("JSON");
    Document { id: format!("d{i}"), vector: Some(vec![i as f32 + 1.0, 2.0]), metadata, expires_at: None }
}

/// Everything one can ask of the collection, or the code of the refusal.
fn answers(db: &Db) -> Result<String, String> {
    let main = db.collection("main").map_err(|e| e.code().to_owned())?;
    let ask = || -> kithdb::base::Result<String> {
        let page = main.scan(None, 100, None)?;
        let mut all: Vec<String> =
            page.rows.iter().map(|row| format!("{} {:?}", row.id, row.vector)).collect();
        let requests = [
            SearchRequest { vector: Some(vec![7.0, 2.0]), ..SearchRequest::default() },
            SearchRequest { text: Some("word1".into()), ..SearchRequest::default() },
            SearchRequest { filter: kithdb::collection::parse_filter("n > 8")?, ..SearchRequest::default() },
        ];
        for request in requests {
            let hits = main.search(request)?.hits;
            all.push(hits.iter().map(|hit| format!("{}:{} ", hit.id, hit.score)).collect());
        }
        Ok(all.join("\n"))
    };
    ask().map_err(|e| e.code().to_owned())
}

#[test]
fn no_damage_is_ever_answered_from() {
    let sound = sample();
    let whole = answers(&open(&sound, Arc::default()).expect("opens")).expect("sound");
    let (mut refused, mut mended) = (0, 0);
    for file in sound.files().into_iter().filter(|file| file.contains("db/c/1/")) {
        let mut len = 0;
        sound.damage(&file, |bytes| len = bytes.len());
        let is_log = file.contains("/wal-");
        let cuts = (0..len).step_by(1 + len / 40).map(|at| (at, true));
        let flips = (0..len).step_by(1 + len / 150).map(|at| (at, false));
        for (at, cut) in cuts.chain(flips) {
            let vfs = sound.after(Crash::Process, &mut Rng::new(0));
            vfs.damage(&file, |bytes| if cut { bytes.truncate(at) } else { bytes[at] ^= 4 });
            let warnings = Arc::new(Warnings::default());
            let what = format!("{file}, {} at {at} of {len}", if cut { "cut" } else { "flip" });
            let db = open(&vfs, Arc::clone(&warnings)).unwrap_or_else(|e| panic!("{what}: {e}"));
            assert!(db.collection("side").is_ok(), "{what}: the other collection serves");
            match answers(&db) {
                Ok(got) if got == whole => mended += 1,
                // The last batch of a log is not known to be durable by any later frame, and what was cut off left no
                // trace: such an end counts as torn.
                Ok(got) if is_log => {
                    assert!(!got.contains("d32 ") && (cut || got.contains("d31 ")), "{what}: {got}");
                }
                Ok(got) => panic!("{what}: answered from damaged bytes: {got}"),
                Err(code) => {
                    assert!(["unopenable", "corrupt"].contains(&code.as_str()), "{what}: {code}");
                    refused += 1;
                }
            }
        }
    }
    println!("{refused} refused, {mended} mended or harmless");
    assert!(refused > 300 && mended > 300, "{refused} refused, {mended} mended");
}

#[test]
fn a_lost_derived_blob_is_made_again_and_told() {
    let vfs = sample();
    for ending in [".codes", ".text", ".columns", ".links"] {
        let whole = answers(&open(&vfs, Arc::default()).expect("opens")).expect("sound");
        let less = vfs.after(Crash::Process, &mut Rng::new(0));
        let file = less.files().into_iter().find(|file| file.ends_with(ending)).expect("there is one");
        less.lose(&file);
        let warnings = Arc::new(Warnings::default());
        let db = open(&less, Arc::clone(&warnings)).expect("opens");
        assert_eq!(answers(&db), Ok(whole), "without {file}");
        assert!(warnings.0.lock().expect("whole").iter().any(|w| w.contains("made again")), "{file}");
    }
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
    answers(&db).expect("sound");
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
    assert!(answers(&db).is_ok(), "main is named by the catalog before");
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

/// Every byte of an export is checked before anything of it is stored.
#[test]
fn a_damaged_export_is_refused_and_leaves_nothing() {
    let vfs = sample();
    let db = open(&vfs, Arc::default()).expect("opens");
    let export = db.collection("main").expect("open").export().expect("sound");
    let copy = db.import("copy", &export).expect("sound");
    assert_eq!(copy.export().expect("sound"), export, "an export of an import is the same file");
    let mut refused = 0;
    for at in 0..export.len() {
        let mut bad = export.clone();
        bad[at] ^= 8;
        match db.import("bad", &bad) {
            Err(error) => {
                assert!(["invalid_file", "unsupported_version"].contains(&error.code()), "{at}: {error}");
                refused += 1;
            }
            // The bytes between sections mean nothing.
            Ok(made) => {
                assert_eq!(made.export().expect("sound"), export, "flip at {at}");
                db.drop_collection("bad").expect("dropped");
            }
        }
    }
    assert!(refused * 10 > export.len() * 8, "{refused} of {} refused", export.len());
    for len in (0..export.len()).step_by(7) {
        assert_eq!(
            db.import("bad", &export[..len]).err().expect("cut off").code(),
            "invalid_file",
            "cut at {len}"
        );
    }
    assert_eq!(db.names().expect("open"), ["copy", "main", "side"]);
}
