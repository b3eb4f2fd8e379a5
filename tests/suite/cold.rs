//! The seam that a browser needs: storage that answers "not yet". The host fetches and calls the same function again.

use std::sync::Arc;

use kithdb::base::value::parse_object;
use kithdb::base::{ManualClock, NoObserver, Pool, Result};
use kithdb::collection::{CollectionConfig, Document, Mutation, SearchRequest};
use kithdb::engine::verify::Check;
use kithdb::engine::{Collection, Database, Env, JobKind};
use kithdb::segment::Scratch;
use kithdb::storage::{Level, MemoryRoot, StorageRoot};
use kithdb::wire::VerifyAnswer;

/// Calls `f` again after every fetch; how many fetches it took.
fn until_resident<T>(root: &MemoryRoot, mut f: impl FnMut() -> Result<T>) -> (T, usize) {
    for fetches in 0..50 {
        match f() {
            Ok(done) => return (done, fetches),
            Err(error) => match error.missing() {
                Some(missing) => root.fetch(1, missing),
                None => panic!("{error}"),
            },
        }
    }
    panic!("fetching never ended");
}

fn env() -> Env {
    Env {
        clock: Arc::new(ManualClock::at(5)),
        observer: Arc::new(NoObserver),
        pool: Arc::new(Pool::single()),
    }
}

fn seal(root: &MemoryRoot, collection: &mut Collection) -> usize {
    let mut job = collection.begin(JobKind::Seal).expect("writable").expect("documents");
    while !until_resident(root, || job.step(10)).0 {}
    let mut committed = collection.commit(job).expect("writable");
    until_resident(root, || collection.publish(&mut committed)).1
}

#[test]
fn everything_works_when_blobs_have_to_be_fetched_first() {
    let root = Arc::new(MemoryRoot::cold());
    let mut database = Database::open(root.clone(), env()).expect("opens");
    let staged = database.stage("c", 1, CollectionConfig::default()).expect("staged");
    database.admit(staged);
    let mut collection = database.open_collection("c").expect("empty: nothing to fetch");
    let document = |i: u32| Document {
        id: format!("d{i}"),
        vector: Some(vec![i as f32 + 1.0, 1.0]),
        metadata: parse_object(&format!(r#"{{"n":{i}}}"#)).expect("JSON"),
        expires_at: None,
    };
    let batch = (0..20).map(|i| Mutation::Add(document(i))).collect();
    collection.submit(batch, Level::Always).expect("stored");
    assert!(seal(&root, &mut collection) > 0, "new blobs are read back, so they had to be fetched");
    collection.submit(vec![Mutation::Delete("d3".into())], Level::Always).expect("deleted");
    drop(collection);

    let (reopened, _) = until_resident(&root, || database.open_collection("c"));
    let view = reopened.reader().load_full();
    let request = SearchRequest { vector: Some(vec![4.0, 1.0]), k: 2, ..SearchRequest::default() };
    let (found, _) = until_resident(&root, || view.search(&request, view.now(0), &mut Scratch::default()));
    let ids: Vec<_> = found.hits.iter().map(|hit| hit.id.as_str()).collect();
    assert_eq!(ids, ["d4", "d2"]);
}

#[test]
fn a_check_asks_for_each_blob_once() {
    let root = Arc::new(MemoryRoot::cold());
    let mut database = Database::open(root.clone(), env()).expect("opens");
    let staged = database.stage("c", 1, CollectionConfig::default()).expect("staged");
    database.admit(staged);
    let mut collection = database.open_collection("c").expect("empty: nothing to fetch");
    let document = |i: u32| {
        let metadata = parse_object(&format!(r#"{{"n":{i}}}"#)).expect("JSON");
        Document { id: format!("d{i}"), vector: Some(vec![i as f32 + 1.0]), metadata, expires_at: None }
    };
    let batch = (0..20).map(|i| Mutation::Add(document(i))).collect();
    collection.submit(batch, Level::Always).expect("stored");
    let mut job = collection.begin(JobKind::Seal).expect("writable").expect("documents");
    while !job.step(10).expect("in memory") {}
    collection.commit(job).expect("writable");

    let (mut answer, mut asked) = (VerifyAnswer::default(), 0);
    let mut check = Check::new(root.numbers().expect("in memory"), 0);
    check.catalog(&*root, &mut answer);
    while let Some(next) = check.next() {
        check.enter(&next, &*root, &mut answer);
        loop {
            let (done, fetches) = until_resident(&root, || check.step(&Pool::single(), 3, &mut answer));
            asked += fetches;
            if done {
                break;
            }
        }
    }
    let answer = answer.finished(&check.summary());
    assert!(answer.clean && answer.objects.is_empty(), "{answer:?}");
    assert_eq!((asked, check.summary().collections), (3, 1), "rows, codes and columns");
}
