//! A database that is opened to be read: beside others who read, as a killed process left it, and with no byte changed.

use std::sync::Arc;

use kithdb::collection::{CollectionConfig, SearchRequest, Settings};
use kithdb::engine::JobKind;
use kithdb::host::{AddMode, Db, Options};
use kithdb::storage::{FileRoot, OsVfs};
use kithdb_tests::small_database::{document, fill, options};

use crate::verify::fingerprint;

fn reading() -> Options {
    Options { read_only: true, ..options() }
}

fn code<T>(done: kithdb::base::Result<T>) -> &'static str {
    done.err().map_or("ok", |error| error.code())
}

#[test]
fn readers_stand_beside_each_other_and_change_nothing() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path();
    // As a kill leaves it: nothing is sealed for closing, and the log holds what was written last.
    fill(Arc::new(FileRoot::open(Arc::new(OsVfs), &path.to_string_lossy()).expect("opens")));
    let before = fingerprint(path);
    let (one, two) = (Db::open(path, reading()).expect("opens"), Db::open(path, reading()).expect("opens"));
    for db in [&one, &two] {
        assert_eq!(db.names().expect("open"), ["main", "side"]);
        let main = db.collection("main").expect("opens");
        assert_eq!(main.info().expect("open").stats.documents, 16);
        assert!(main.get("d33", None).expect("sound").is_some(), "from the log");
        let request = SearchRequest { text: Some("shared".into()), k: 20, ..SearchRequest::default() };
        assert_eq!(main.search(request).expect("sound").hits.len(), 16);
        assert_eq!(db.kv_get("none").expect("sound"), None);
    }
    let main = one.collection("main").expect("open");
    assert_eq!(code(main.add(vec![document(50)], AddMode::Upsert, None)), "read_only");
    assert_eq!(code(main.add_bulk(vec![document(50)], AddMode::Upsert)), "read_only");
    assert_eq!(code(main.delete(vec!["d33".into()], None)), "read_only");
    assert_eq!(code(main.touch(vec!["d33".into()], None)), "read_only");
    assert_eq!(code(main.configure(|_| Ok(Settings::default()), None)), "read_only");
    for kind in JobKind::ALL {
        assert_eq!(code(main.run(kind)), "read_only");
    }
    assert_eq!(code(one.create("new", CollectionConfig::default())), "read_only");
    assert_eq!(code(one.import("new", &main.export().expect("sound"))), "read_only");
    assert_eq!(code(one.drop_collection("side")), "read_only");
    assert_eq!(code(one.kv_set("a", "b", None)), "read_only");
    assert_eq!(code(one.flush()), "ok");
    drop((main, one, two));
    assert_eq!(fingerprint(path), before, "no byte and no time has changed");
}

#[test]
fn a_writer_keeps_readers_out_and_they_it() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path();
    assert_eq!(code(Db::open(path, reading())), "invalid_parameter", "there is nothing to read");
    assert_eq!(code(Db::in_memory(reading())), "invalid_parameter");
    let writer = Db::open(path, options()).expect("opens");
    writer.create("a", CollectionConfig::default()).expect("made");
    assert_eq!(code(Db::open(path, reading())), "database_locked");
    writer.close().expect("closed");
    let before = fingerprint(path);
    let readers = [Db::open(path, reading()).expect("opens"), Db::open(path, reading()).expect("opens")];
    assert_eq!(readers[0].collection("a").expect("opens").info().expect("open").stats.documents, 0);
    assert_eq!(code(Db::open(path, options())), "database_locked");
    drop(readers);
    assert_eq!(fingerprint(path), before, "no byte and no time has changed");
    assert_eq!(code(Db::open(path, options())), "ok");
}
