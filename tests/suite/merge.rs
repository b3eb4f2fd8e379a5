//! Jobs in steps: as long as asked, with true progress.

use std::sync::Arc;

use kithdb::base::value::parse_object;
use kithdb::base::{ManualClock, NoObserver, Pool};
use kithdb::collection::{CollectionConfig, Document, Mutation};
use kithdb::engine::{Database, Env, JobKind};
use kithdb::storage::{Level, MemoryRoot};

#[test]
fn a_job_pauses_after_as_many_documents_as_it_was_asked_for() {
    let env = Env {
        clock: Arc::new(ManualClock::at(5)),
        observer: Arc::new(NoObserver),
        pool: Arc::new(Pool::single()),
    };
    let mut database = Database::open(Arc::new(MemoryRoot::new()), env).expect("opens");
    let staged = database.stage("c", 1, CollectionConfig::default()).expect("staged");
    database.admit(staged);
    let mut collection = database.open_collection("c").expect("opens");
    let document = |i: u32| Document {
        id: format!("d{i}"),
        vector: Some(vec![i as f32 + 1.0, 1.0]),
        metadata: parse_object(&format!(r#"{{"n":{i}}}"#)).expect("JSON"),
        expires_at: None,
    };
    collection
        .submit((0..1_000).map(|i| Mutation::Add(document(i))).collect(), Level::Always)
        .expect("stored");
    for (budget, at_least) in [(1, 1_000), (100, 10)] {
        let mut job = collection.begin(JobKind::Seal).expect("sound").expect("documents");
        let (mut steps, mut last) = (1, job.progress());
        assert_eq!((last.done, last.total), (0, 1_000));
        while !job.step(budget).expect("sound") {
            let progress = job.progress();
            assert!(
                progress.done <= steps * budget && progress.done >= last.done,
                "step {steps}: {progress:?}"
            );
            (steps, last) = (steps + 1, progress);
        }
        assert!((at_least..3 * at_least + 5).contains(&steps), "{steps} steps of {budget}");
        assert_eq!(job.progress().done, 1_000);
        collection.abandon();
    }
}
