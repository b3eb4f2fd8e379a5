//! A small database with everything in it that a storage can hold, for tests that damage it.

use std::sync::Arc;

use kithdb::base::value::parse_object;
use kithdb::base::{ManualClock, NoObserver};
use kithdb::collection::{
    CollectionConfig, Document, GraphOptions, GraphQuestion, LinkRequest, Mutation, Settings, UnlinkRequest,
    Ways,
};
use kithdb::engine::JobKind;
use kithdb::host::{AddMode, CollectionHandle, Db, Options};
use kithdb::storage::{Level, SimVfs, StorageRoot};
use kithdb::text::{Language, TextFields, TextSpec};
use kithdb::vectors::Coding;

/// How it is opened: always the same, so that its bytes are.
#[must_use]
pub fn options() -> Options {
    Options {
        auto_jobs: false,
        threads: 1,
        level: Level::Always,
        clock: Arc::new(ManualClock::at(1_000)),
        observer: Arc::new(NoObserver),
        ..Options::default()
    }
}

/// The document with this number: every third has no vector.
///
/// # Panics
/// Never: its metadata is JSON.
#[must_use]
pub fn document(i: u32) -> Document {
    let metadata = parse_object(&format!(r#"{{"n":{i},"t":"word{} shared"}}"#, i % 4)).expect("JSON");
    let vector = (!i.is_multiple_of(3)).then(|| vec![i as f32 + 1.0, 2.0]);
    Document { id: format!("d{i}"), vector, metadata, expires_at: None }
}

/// The edge between two documents: some have a weight, some properties.
#[must_use]
pub fn link(source: u32, target: u32) -> Mutation {
    let json = if source.is_multiple_of(2) { format!(r#"{{"n":{target}}}"#) } else { "{}".to_owned() };
    Mutation::Link(LinkRequest {
        source: format!("d{source}"),
        relation: if target.is_multiple_of(2) { "near" } else { "after" }.to_owned(),
        target: format!("d{target}"),
        inverse: (source == 1).then(|| "before".to_owned()),
        weight: if target > 3 { 0.5 } else { 1.0 },
        properties: parse_object(&json).expect("JSON"),
    })
}

/// The end of such an edge.
#[must_use]
pub fn unlink(source: u32, target: u32, erase: bool) -> Mutation {
    let Mutation::Link(LinkRequest { source, relation, target, .. }) = link(source, target) else {
        unreachable!("a link is one")
    };
    Mutation::Unlink(UnlinkRequest { source, relation, target, inverse: None, erase })
}

/// All that the graph says of some documents, one line an edge.
///
/// # Errors
/// As the graph's.
pub fn edges(collection: &CollectionHandle) -> kithdb::base::Result<String> {
    let mut told = String::new();
    let options = GraphOptions { ways: Ways::Both, ..GraphOptions::default() };
    for id in ["d0", "d1", "d2", "d20", "d30", "nowhere"] {
        let question = GraphQuestion::Edges { id: id.to_owned(), history: true };
        for edge in collection.ask_graph(&question, &options)?.edges {
            told.push_str(&format!("{edge:?}\n"));
        }
    }
    Ok(told)
}

fn write(collection: &CollectionHandle, edges: Vec<Mutation>) {
    collection.write(edges, None).expect("stored");
}

fn add(collection: &CollectionHandle, numbers: std::ops::Range<u32>) {
    collection.add(numbers.map(document).collect(), AddMode::Upsert, None).expect("stored");
}

/// Fills an empty storage. `main` (storage 1) has a merged and indexed segment with 1-bit codes, in which documents have
/// ended, a second segment, edges in both, two generations, and five batches in its log, of which the last is not known to be durable by any later
/// frame; `side` (storage 2) has two documents in its log.
///
/// # Panics
/// When anything of it fails.
pub fn fill(root: Arc<dyn StorageRoot>) {
    let db = Db::with_root(root, options()).expect("opens");
    let text = TextSpec::new(Language::English, TextFields::TopLevel);
    let config = CollectionConfig { text: Some(text), ..CollectionConfig::default() };
    let main = db.create_with_id("main", 11, config).expect("made");
    let side = db.create_with_id("side", 12, CollectionConfig::default()).expect("made");
    side.add(vec![document(1), document(2)], AddMode::Insert, None).expect("stored");
    let run = |kind| assert!(main.run(kind).expect("done"), "there was work");
    add(&main, 0..6);
    write(&main, vec![link(0, 1), link(0, 2), link(1, 5), link(2, 99)]);
    run(JobKind::Seal);
    write(&main, vec![unlink(0, 1, false), link(30, 2), link(1, 0)]);
    add(&main, 5..12);
    run(JobKind::Seal);
    run(JobKind::Merge);
    main.configure(|old| Ok(Settings { codes: Coding::Bits, ..old }), None).expect("written");
    run(JobKind::Index);
    main.delete(vec!["d2".into(), "d4".into()], None).expect("deleted");
    add(&main, 20..23);
    write(&main, vec![unlink(1, 5, false), unlink(30, 2, true), link(20, 3), link(20, 4)]);
    run(JobKind::Seal);
    add(&main, 30..32);
    write(&main, vec![link(30, 20), unlink(20, 3, false), unlink(0, 2, true)]);
    main.delete(vec!["d7".into()], None).expect("deleted");
    add(&main, 32..33);
    add(&main, 33..34);
    db.close().expect("closed");
}

/// The files that hold something of a database in `db`: its reserve is room, not data.
#[must_use]
pub fn files(vfs: &SimVfs) -> Vec<String> {
    vfs.files().into_iter().filter(|file| file != "db/RESERVE").collect()
}

/// How long a file is.
///
/// # Panics
/// When there is none of this name.
#[must_use]
pub fn len(vfs: &SimVfs, file: &str) -> usize {
    let mut len = 0;
    vfs.damage(file, |bytes| len = bytes.len());
    len
}
