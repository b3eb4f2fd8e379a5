//! Rules that link documents by their metadata: what the model does not reach. Bulk imports beside other writers, bounds,
//! and tasks that are told and cancelled.

use std::sync::Arc;

use kithdb::base::value::parse_object;
use kithdb::base::{Clock, ManualClock, NoObserver, Pool};
use kithdb::collection::{
    AutoLink, CollectionConfig, Document, GraphOptions, GraphQuestion, Mutation, Settings, View, Ways,
};
use kithdb::engine::{Begun, Collection, Database, Env};
use kithdb::host::{AddMode, CollectionHandle, Db, Options, RunningKind};
use kithdb::storage::{FileRoot, Level, SimVfs, Storage, Ticket};

fn rule(field: &str, relation: &str, inverse: Option<&str>) -> AutoLink {
    let (field, relation) = (field.to_owned(), relation.to_owned());
    AutoLink { field, relation, inverse: inverse.map(str::to_owned), creates: true }
}

fn config() -> CollectionConfig {
    let auto_links = vec![rule("to", "to", None), rule("by", "by", Some("made"))];
    CollectionConfig { settings: Settings { auto_links, ..Settings::default() }, ..Default::default() }
}

fn document(id: &str, json: &str) -> Document {
    let metadata = parse_object(json).expect("JSON");
    Document { id: id.to_owned(), metadata, ..Document::default() }
}

fn settle(storage: &dyn Storage) {
    assert!(storage.poll(Ticket::LAST).failed.is_none());
}

fn open(vfs: &SimVfs) -> Database {
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(1_000));
    let env = Env { clock, observer: Arc::new(NoObserver), pool: Arc::new(Pool::single()) };
    let database = Database::open(Arc::new(FileRoot::open(Arc::new(vfs.clone()), "db").expect("opens")), env);
    let database = database.expect("opens");
    settle(&*database.storage());
    database
}

fn collection(vfs: &SimVfs) -> Collection {
    let mut database = open(vfs);
    let staged = database.stage("main", 7, config()).expect("staged");
    settle(&*staged.storage);
    database.admit(staged);
    settle(&*database.storage());
    database.open_collection("main").expect("opens")
}

/// The edges at a document, as `source relation target`.
fn edges(view: &View, id: &str) -> Vec<String> {
    let question = GraphQuestion::Edges { id: id.to_owned(), history: false };
    let options = GraphOptions { ways: Ways::Both, ..GraphOptions::default() };
    let found = view.ask_graph(&question, &options, 1_000).expect("sound").edges;
    found.iter().map(|edge| format!("{} {} {}", edge.source, edge.relation, edge.target)).collect()
}

/// An import gives numbers to relations that nobody sees before it is done. Who makes edges of the same relation meanwhile
/// takes the same number, and who writes an end of its edges waits.
#[test]
fn an_import_shares_its_relations_with_who_writes_meanwhile() {
    let vfs = SimVfs::new();
    let mut main = collection(&vfs);
    let imported = ["a", "b"].map(|id| Mutation::Upsert(document(id, r#"{"to": ["x", "y"]}"#)));
    let Begun { mut job, .. } = main.begin_bulk(imported.to_vec()).expect("sound").expect("documents");
    settle(&*main.storage());
    for (id, json) in [("a", "{}"), ("x", "{}"), ("c", r#"{"to": "y"}"#), ("c", r#"{"by": "b"}"#)] {
        assert!(main.is_loading(&[Mutation::Upsert(document(id, json))]), "{id} {json}");
    }
    let free = vec![Mutation::Upsert(document("c", r#"{"to": "d", "by": "e"}"#))];
    assert!(!main.is_loading(&free));
    assert_eq!(main.submit(free, Level::Os).expect("stored").linked, 3);
    while !job.step(1).expect("sound") {}
    let mut committed = main.commit(job).expect("writable");
    settle(&*main.storage());
    main.publish(&mut committed).expect("sound");
    let again = open(&vfs).open_collection("main").expect("opens");
    for view in [main.reader().load_full(), again.reader().load_full()] {
        assert_eq!(edges(&view, "a"), ["a to x", "a to y"]);
        assert_eq!(edges(&view, "y"), ["a to y", "b to y"]);
        assert_eq!(edges(&view, "c"), ["c to d", "c by e", "e made c"]);
        assert_eq!(view.counters.next_relation, 3, "each relation once");
        assert_eq!(view.live(), 7, "a, b, c and the targets");
    }
}

/// What an import that was broken off has reserved stays unused, and its relations are there for others.
#[test]
fn nothing_is_left_of_the_edges_of_an_import_that_was_broken_off() {
    let vfs = SimVfs::new();
    let mut main = collection(&vfs);
    let imported = vec![Mutation::Upsert(document("a", r#"{"by": "x"}"#))];
    main.begin_bulk(imported).expect("sound").expect("documents");
    settle(&*main.storage());
    drop(main);
    let mut main = open(&vfs).open_collection("main").expect("opens");
    assert_eq!((main.reader().load().live(), edges(&main.reader().load(), "a")), (0, vec![]));
    main.submit(vec![Mutation::Upsert(document("b", r#"{"by": "x"}"#))], Level::Os).expect("stored");
    settle(&*main.storage());
    let again = open(&vfs).open_collection("main").expect("opens");
    for view in [main.reader().load_full(), again.reader().load_full()] {
        assert_eq!(edges(&view, "x"), ["b by x", "x made b"]);
    }
}

/// A target that the batch stores later is not made: an insert of it would be refused.
#[test]
fn a_batch_may_name_what_it_stores_later() {
    let vfs = SimVfs::new();
    let mut main = collection(&vfs);
    let batch = vec![
        Mutation::Add(document("a", r#"{"to": ["b", "c"]}"#)),
        Mutation::Add(document("b", r#"{"n": 1}"#)),
        Mutation::Delete("c".to_owned()),
    ];
    main.submit(batch, Level::Os).expect("stored");
    let view = main.reader().load_full();
    assert_eq!(edges(&view, "a"), ["a to b"], "c went, and its edge with it");
    let b = view.get("b", view.now(2_000)).expect("sound").expect("stored");
    assert_eq!(b.metadata, parse_object(r#"{"n": 1}"#).expect("JSON"));
}

/// Both ends name one edge: it stays for as long as one of them does.
#[test]
fn an_edge_stays_while_one_of_its_ends_names_it() {
    let vfs = SimVfs::new();
    let mut main = collection(&vfs);
    let friends = vec![rule("friends", "friend", Some("friend"))];
    main.configure(Settings { auto_links: friends, ..Settings::default() }, Level::Os).expect("sound");
    let mut store = |id: &str, friends: &str| {
        let json = format!(r#"{{"friends": {friends}}}"#);
        main.submit(vec![Mutation::Upsert(document(id, &json))], Level::Os).expect("stored");
        edges(&main.reader().load(), "a")
    };
    let both = ["a friend b", "b friend a"];
    assert_eq!(store("a", r#"["b"]"#), both);
    assert_eq!(store("b", r#""a""#), both);
    assert_eq!(store("a", "[]"), both, "b says so still");
    assert_eq!(store("b", "null"), [""; 0]);
}

#[test]
fn what_rules_make_is_bounded() {
    let vfs = SimVfs::new();
    let mut main = collection(&vfs);
    let many: Vec<String> = (0..10_001).map(|n| n.to_string()).collect();
    let before = main.lsn();
    let mut store = |json: String| main.submit(vec![Mutation::Upsert(document("a", &json))], Level::Os);
    let refused = store(format!(r#"{{"to": [{}]}}"#, many.join(","))).expect_err("too many");
    assert_eq!(refused.code(), "too_large");
    assert_eq!(store(format!(r#"{{"to": [{}]}}"#, many[..10_000].join(","))).expect("stored").linked, 10_000);
    let twice = store(format!(r#"{{"by": [{}]}}"#, many[..5_001].join(","))).expect_err("there and back");
    assert_eq!(twice.code(), "too_large");
    assert_eq!(main.lsn().0, before.0 + 1, "what was refused left no trace");
    let rules = (0..33).map(|n| rule(&format!("f{n}"), "to", None)).collect();
    let refused = main.configure(Settings { auto_links: rules, ..Settings::default() }, Level::Os);
    assert_eq!(refused.expect_err("too many rules").code(), "too_large");
}

/// Does something again and again until it is cancelled by who sees it run; the code of its error.
fn cancelled_while_running(
    main: &Arc<CollectionHandle>,
    kind: RunningKind,
    work: impl Fn(&CollectionHandle) -> Option<&'static str> + Send + 'static,
) -> &'static str {
    let worker = std::thread::spawn({
        let main = Arc::clone(main);
        move || {
            loop {
                if let Some(code) = work(&main) {
                    return code;
                }
            }
        }
    });
    while !worker.is_finished() {
        if main.job().is_some_and(|job| job.kind == kind && job.progress.total > 0) {
            main.cancel_job();
        }
        std::thread::yield_now();
    }
    assert!(main.job().is_none() && !main.cancel_job());
    worker.join().expect("it ended")
}

#[test]
fn a_relink_and_a_look_for_components_are_told_and_cancelled() {
    let db = Db::in_memory(Options::default()).expect("opens");
    let main = db.create("main", CollectionConfig::default()).expect("made");
    let documents = (0..40_000).map(|n| document(&format!("d{n}"), &format!(r#"{{"to": "d{}"}}"#, n / 2)));
    main.add_bulk(documents.collect(), AddMode::Insert).expect("stored");
    let auto_links = vec![AutoLink { creates: false, ..rule("to", "to", None) }];
    main.configure(|before| Ok(Settings { auto_links, ..before }), None).expect("sound");
    let relink = |main: &CollectionHandle| main.relink().err().map(|error| error.code());
    assert_eq!(cancelled_while_running(&main, RunningKind::Relink, relink), "cancelled");
    let rest = main.relink().expect("done");
    assert_eq!(rest.documents, 40_000);
    assert_eq!(main.relink().expect("done").linked, 0, "all is linked");
    let ask = |main: &CollectionHandle| main.ask_graph(&GraphQuestion::Components, &GraphOptions::default());
    let look = move |main: &CollectionHandle| ask(main).err().map(|error| error.code());
    assert_eq!(cancelled_while_running(&main, RunningKind::Components, look), "cancelled");
    let found = ask(&main).expect("done");
    assert_eq!(found.components, [("d0".to_owned(), 40_000)]);
}
