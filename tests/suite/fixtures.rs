//! Databases that released versions of the format wrote, opened on every surface: what they hold must never change.
//!
//! `KITH_WRITE_FIXTURES=1` writes that of the current version anew, which is right only before it is released.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use kithdb::base::value::parse_object;
use kithdb::base::{ManualClock, NoObserver, Object, SortedMap};
use kithdb::collection::{
    AutoLink, CollectionConfig, Decay, DecayLayers, DecayModel, Document, History, LinkRequest, Maintenance,
    Mutation, SearchRequest, Settings, UnlinkRequest,
};
use kithdb::engine::JobKind;
use kithdb::host::{AddMode, CollectionHandle, Db, Inspection, Options};
use kithdb::storage::{FileRoot, OsVfs};
use kithdb::vectors::{Coding, Metric, Stored};
use kithdb_tests::core_surface::CoreSurface;
use kithdb_tests::js_surface::JsSurface;
use kithdb_tests::rest_surface::RestSurface;
use kithdb_tests::scenario::{Scenario, replay};
use kithdb_tests::{Surface, places, small_database};

use crate::verify::{Told, fingerprint};

const CURRENT: &str = "format-1";
/// Of the same version, with text blobs that do not say where words stand: written before these did, and never again.
const WITHOUT_POSITIONS: &str = "format-1-without-positions";

fn folder(name: &str) -> PathBuf {
    places::root().join("tests/fixtures").join(name)
}

/// Every kind of file, op and section that version 1 has.
fn write(directory: &Path) {
    let root = || Arc::new(FileRoot::open(Arc::new(OsVfs), &directory.to_string_lossy()).expect("opens"));
    small_database::fill(root());
    let options = Options { clock: Arc::new(ManualClock::at(2_000)), ..small_database::options() };
    let db = Db::with_root(root(), options).expect("opens");
    let config =
        CollectionConfig { metric: Metric::Euclidean, history: History::Forever, ..Default::default() };
    let kept = db.create_with_id("kept", 13, config).expect("made");
    let document = |id: &str, n: i64, expires_at| Document {
        id: id.to_owned(),
        vector: Some(vec![n as f32, 0.5]),
        metadata: parse_object(&format!(r#"{{"n":{n},"deep":{{"list":[1,2.5,null,true,"x"]}}}}"#))
            .expect("JSON"),
        expires_at,
    };
    let add = |documents| kept.add(documents, AddMode::Upsert, None).expect("stored");
    add(vec![
        document("a", 1, None),
        document("b", 2, None),
        document("year-2100", 3, Some(4_102_444_800_000_000_000)),
    ]);
    kept.touch(vec!["a".into(), "a".into(), "b".into()], None).expect("counted");
    add(vec![document("b", 4, None)]);
    assert!(kept.run(JobKind::Seal).expect("sealed"));
    kept.add_bulk(vec![document("a", 5, None), document("c", 6, None)], AddMode::Upsert).expect("stored");
    kept.touch(vec!["c".into()], None).expect("counted");
    // A segment with each kind of codes; the collection beside it has int8.
    for codes in [Coding::Bits, Coding::Pq] {
        let maintenance = Maintenance { vacuum_interval: 0, ..Maintenance::default() };
        kept.configure(|_| Ok(Settings { maintenance, codes, ..Settings::default() }), None)
            .expect("written");
        assert!(kept.run(JobKind::Index).expect("linked"));
    }
    kept.delete(vec!["b".into()], None).expect("deleted");
    add(vec![document("d", 7, None)]);
    let link = |source: &str, target: &str, weight| {
        let (relation, inverse, properties) = ("near".to_owned(), None, Object::new());
        let (source, target) = (source.to_owned(), target.to_owned());
        Mutation::Link(LinkRequest { source, relation, target, inverse, weight, properties })
    };
    kept.write(vec![link("a", "d", 0.5), link("d", "nowhere", 1.0)], None).expect("stored");
    kept.write(vec![link("a", "d", 0.75)], None).expect("stored");
    // Vectors in forms other than the callers'.
    for (number, stored) in [(14, Stored::F16), (15, Stored::Int8)] {
        let config = CollectionConfig { metric: Metric::Euclidean, stored, ..Default::default() };
        let rounded = db.create_with_id(stored.name(), number, config).expect("made");
        rounded.add(vec![document("a", 127, None)], AddMode::Upsert, None).expect("stored");
        assert!(rounded.run(JobKind::Seal).expect("sealed"));
        rounded.add(vec![document("b", 3, None)], AddMode::Upsert, None).expect("stored");
    }
    // Codes of pieces of turned vectors, beside those of pieces in `kept`.
    let maintenance = Maintenance { vacuum_interval: 0, ..Maintenance::default() };
    let settings = Settings { maintenance, codes: Coding::Opq, ..Settings::default() };
    let config = CollectionConfig { metric: Metric::Euclidean, settings, ..Default::default() };
    let turned = db.create_with_id("opq", 18, config).expect("made");
    let documents = (0..3).map(|n| document(&format!("t{n}"), n, None)).collect();
    turned.add(documents, AddMode::Upsert, None).expect("stored");
    for job in [JobKind::Seal, JobKind::Index] {
        assert!(turned.run(job).expect("sealed and linked"));
    }
    link_by_rules(&db);
    db.kv_set("greeting", "hello", None).expect("stored");
    age(&db);
    std::fs::write(directory.join("kept.kith"), kept.export().expect("sound")).expect("written");
    db.close().expect("closed");
    std::fs::remove_file(directory.join("RESERVE")).expect("room that the next opening makes again");
}

/// Edges of rules in a segment, in one of a bulk import, and in the log; and rules that came later.
fn link_by_rules(db: &Db) {
    let rule = |field: &str, inverse: Option<&str>, creates| AutoLink {
        field: field.to_owned(),
        relation: field.to_owned(),
        inverse: inverse.map(str::to_owned),
        creates,
    };
    let settings = Settings { auto_links: vec![rule("by", Some("made"), true)], ..Settings::default() };
    let config = CollectionConfig { settings, ..Default::default() };
    let ruled = db.create_with_id("ruled", 16, config).expect("made");
    let document = |id: &str, json: &str| Document {
        id: id.to_owned(),
        metadata: parse_object(json).expect("JSON"),
        ..Document::default()
    };
    let add = |document| ruled.add(vec![document], AddMode::Upsert, None).expect("stored");
    add(document("a", r#"{"by":["x","y"]}"#));
    assert!(ruled.run(JobKind::Seal).expect("sealed"));
    let later = vec![rule("by", Some("made"), true), rule("to", None, false)];
    ruled.configure(|old| Ok(Settings { auto_links: later, ..old }), None).expect("written");
    let imported = vec![document("b", r#"{"to":["a",7]}"#), document("c", r#"{"by":"z"}"#)];
    ruled.add_bulk(imported, AddMode::Insert).expect("stored");
    add(document("a", r#"{"by":"x","to":"c"}"#));
}

/// A retention of edges and a decay with all that it can have in a manifest, and others in the log.
fn age(db: &Db) {
    let half_lives = SortedMap::from([("always".to_owned(), 0), ("long".to_owned(), 5_400_000_000_000)]);
    let decay = Decay {
        model: DecayModel::Step,
        half_life: 7 * 86_400_000_000_000,
        layers: Some(DecayLayers { field: "layer".to_owned(), half_lives }),
        time_field: Some("at".to_owned()),
        pinned_field: Some("pinned".to_owned()),
    };
    let kept_for = |graph_retention| Maintenance { graph_retention, ..Maintenance::default() };
    let settings = Settings { maintenance: kept_for(3), decay: Some(decay), ..Settings::default() };
    let config = CollectionConfig { metric: Metric::Euclidean, settings, ..Default::default() };
    let aged = db.create_with_id("aged", 17, config).expect("made");
    let document = |(n, (id, json)): (usize, (&str, &str))| Document {
        id: id.to_owned(),
        vector: Some(vec![n as f32, 0.0]),
        metadata: parse_object(json).expect("JSON"),
        expires_at: None,
    };
    let documents =
        [("old", r#"{"at":5}"#), ("pin", r#"{"at":5,"pinned":true}"#), ("new", r#"{"at":9000000000}"#)];
    aged.add(documents.into_iter().enumerate().map(document).collect(), AddMode::Insert, None)
        .expect("stored");
    let (source, relation) = (|| "old".to_owned(), || "near".to_owned());
    let link = |target: &str, weight| {
        let (target, inverse, properties) = (target.to_owned(), None, Object::new());
        Mutation::Link(LinkRequest {
            source: source(),
            relation: relation(),
            target,
            inverse,
            weight,
            properties,
        })
    };
    let unlink = |target: &str| {
        let (target, inverse, erase) = (target.to_owned(), None, false);
        Mutation::Unlink(UnlinkRequest { source: source(), relation: relation(), target, inverse, erase })
    };
    let weights = [1.0, 2.0, 3.0, 4.0].map(|weight| link("pin", weight));
    aged.write(weights.into(), None).expect("stored");
    aged.write(vec![link("new", 1.0), unlink("new")], None).expect("stored");
    assert!(aged.run(JobKind::Seal).expect("sealed"));
    aged.write(vec![link("new", 2.0)], None).expect("stored");
    let decay = Decay {
        model: DecayModel::Exponential,
        half_life: 86_400_000_000_000,
        layers: None,
        time_field: None,
        pinned_field: Some("pinned".to_owned()),
    };
    let later = |old| Ok(Settings { maintenance: kept_for(1_000), decay: Some(decay), ..old });
    aged.configure(later, None).expect("written");
    aged.write(vec![link("pin", 5.0)], None).expect("stored");
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("made");
    for entry in std::fs::read_dir(from).expect("listed") {
        let path = entry.expect("listed").path();
        let target = to.join(path.file_name().expect("named"));
        if path.is_dir() {
            copy(&path, &target);
        } else {
            std::fs::copy(&path, &target).expect("copied");
        }
    }
}

/// Replays the questions of a fixture on a copy of it. `DB/` stands for where that is.
fn ask(surface: &mut dyn Surface, name: &str) {
    let text = std::fs::read_to_string(folder(name).join("questions.json")).expect("readable");
    let directory = tempfile::tempdir().expect("a directory");
    let database = directory.path().join("db");
    copy(&folder(name).join("db"), &database);
    let text = text.replace("DB/", &format!("{}/", database.display()));
    let scenario: Scenario = serde_json::from_str(&text).expect("a scenario");
    replay(surface, name, &scenario, None, &database);
}

#[test]
fn fixtures_are_read_on_every_surface() {
    if std::env::var_os("KITH_WRITE_FIXTURES").is_some() {
        let database = folder(CURRENT).join("db");
        drop(std::fs::remove_dir_all(&database));
        write(&database);
    }
    let mut names: Vec<String> = std::fs::read_dir(places::root().join("tests/fixtures"))
        .expect("listed")
        .map(|entry| entry.expect("listed").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort_unstable();
    assert_eq!(names, [CURRENT, WITHOUT_POSITIONS], "one of every form that was written");
    for name in &names {
        ask(&mut CoreSurface::default(), name);
        ask(&mut RestSurface::default(), name);
        for surface in ["node", "wasm"] {
            ask(&mut JsSurface::start(surface), name);
        }
    }
}

/// How many sections the text blobs of `main` have.
fn text_sections(database: &Path) -> Vec<u16> {
    let files = std::fs::read_dir(database.join("c/1")).expect("listed");
    let texts = files
        .map(|file| file.expect("listed").path())
        .filter(|path| path.extension().is_some_and(|e| e == "text"));
    let sections = |path: PathBuf| {
        let bytes = std::fs::read(path).expect("readable");
        u16::from_le_bytes([bytes[14], bytes[15]])
    };
    texts.map(sections).collect()
}

#[test]
fn a_merge_gives_positions_to_what_had_none() {
    let directory = tempfile::tempdir().expect("a directory");
    copy(&folder(WITHOUT_POSITIONS).join("db"), directory.path());
    let before = text_sections(directory.path());
    assert!(!before.is_empty() && before.iter().all(|sections| *sections == 8), "{before:?}");
    let db = Db::open(directory.path(), small_database::options()).expect("opens");
    let main = db.collection("main").expect("opens");
    let request = || SearchRequest { text: Some("\"word1 shared\"".into()), ..SearchRequest::default() };
    let hits = |main: &CollectionHandle| main.search(request()).expect("sound").hits;
    let found = hits(&main);
    assert!(found.len() > 1);
    assert!(main.run(JobKind::Optimize).expect("merged"));
    assert_eq!(hits(&main), found);
    drop(main);
    db.close().expect("closed");
    assert!(text_sections(directory.path()).contains(&10));
    let mut told = Told::default();
    let inspection = Inspection::open(directory.path(), Arc::new(NoObserver)).expect("opens");
    assert_eq!(inspection.verify(&mut told).expect("listed").damaged, 0, "{told:?}");
}

#[test]
fn fixtures_are_small_and_sound_and_reading_changes_none() {
    [CURRENT, WITHOUT_POSITIONS].into_iter().for_each(is_small_and_sound);
}

fn is_small_and_sound(name: &str) {
    let database = folder(name).join("db");
    let before = fingerprint(&database);
    assert!(before.values().map(|(bytes, _)| bytes.len()).sum::<usize>() <= 200 << 10);
    let mut told = Told::default();
    let inspection = Inspection::open(&database, Arc::new(NoObserver)).expect("opens");
    let summary = inspection.verify(&mut told).expect("listed");
    assert_eq!((summary.damaged, summary.unfinished, summary.unneeded), (0, 0, 0), "{told:?}");
    let db = Db::open(&database, Options { read_only: true, ..small_database::options() }).expect("opens");
    // What was written before there were such codes has none of them.
    let all = ["aged", "f16", "int8", "kept", "main", "opq", "ruled", "side"];
    let held = all.into_iter().filter(|held| *held != "opq" || name == CURRENT);
    assert_eq!(db.names().expect("open"), held.clone().collect::<Vec<_>>());
    for name in held {
        assert!(db.collection(name).expect("opens").info().expect("open").stats.documents > 1);
    }
    db.close().expect("closed");
    assert_eq!(fingerprint(&database), before);
}
