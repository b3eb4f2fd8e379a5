//! The same operations and jobs give the same bytes: with one thread and with two, today and tomorrow.

use std::sync::Arc;

use kithdb::base::rng::mix;
use kithdb::base::value::parse_object;
use kithdb::base::{ManualClock, NoObserver, Pool, Rng};
use kithdb::collection::{CollectionConfig, Document, Mutation};
use kithdb::engine::{Collection, Database, Env, JobKind, export};
use kithdb::storage::{FileRoot, Level, Object, SimVfs, Storage, Ticket};
use kithdb::text::{Language, TextFields, TextSpec};
use kithdb::vectors::Metric;

/// Changes with the format only: then FORMAT_VERSION, docs/FORMAT.md and this change in one commit.
const GOLDEN: [(&str, u64); 4] = [
    ("cosine", 0xebb10dbce76e383a),
    ("euclidean", 0xe2aa6ddeca7e4061),
    ("dot", 0x152b6b90793bf2c8),
    ("manhattan", 0xdfa6d2159e3877d3),
];

fn settle(storage: &dyn Storage, ticket: Ticket) {
    storage.poll().of(ticket).expect("settled").expect("kept");
}

fn run_job(collection: &mut Collection, kind: JobKind, budget: usize) {
    let mut job = collection.begin(kind).expect("writable").expect("something to do");
    while !job.step(budget).expect("sound") {}
    let mut committed = collection.commit(job).expect("writable");
    settle(&*collection.storage(), committed.ticket);
    collection.publish(&mut committed).expect("readable");
}

/// A hash of every blob, and of the export, of a fixed history.
fn bytes_of(metric: Metric, threads: usize, budget: usize) -> u64 {
    let env = Env {
        clock: Arc::new(ManualClock::at(1_700_000_000_000_000_000)),
        observer: Arc::new(NoObserver),
        pool: Arc::new(Pool::new(threads)),
    };
    let vfs = SimVfs::new();
    let root = FileRoot::open(Arc::new(vfs.clone()), "db").expect("opens");
    let mut database = Database::open(Arc::new(root), env).expect("opens");
    let text = TextSpec { language: Language::English, fields: TextFields::TopLevel };
    let config =
        CollectionConfig { metric, text: Some(text), ef_construction: 40, ..CollectionConfig::default() };
    let staged = database.stage("golden", 0xC0FFEE, config).expect("staged");
    settle(&*staged.storage, staged.ticket);
    let ticket = database.admit(staged);
    settle(&*database.storage(), ticket);
    let mut collection = database.open_collection("golden").expect("opens");
    let mut rng = Rng::new(1);
    for round in 0..3u64 {
        let batch: Vec<Mutation> = (0..400).map(|i| mutation(&mut rng, round, i)).collect();
        let submitted = collection.submit(batch, Level::Always).expect("stored");
        settle(&*collection.storage(), submitted.ticket.expect("ops"));
        run_job(&mut collection, JobKind::Seal, budget);
        run_job(&mut collection, JobKind::Index, budget);
    }
    run_job(&mut collection, JobKind::Merge, budget);
    run_job(&mut collection, JobKind::Index, budget);
    let storage = collection.storage();
    let mut hash = 0;
    for object in storage.list().expect("listed").objects {
        if matches!(object, Object::Blob(..)) {
            let file = vfs.files().into_iter().find(|f| f.ends_with(&file_name(object))).expect("there");
            vfs.damage(&file, |bytes| hash = digest(hash, bytes));
        }
    }
    let exported = export::write(&collection.reader().load()).expect("sound");
    digest(hash, &exported)
}

fn file_name(object: Object) -> String {
    let Object::Blob(number, kind) = object else { panic!("a blob") };
    format!("/{number}.{}", kind.name())
}

fn digest(hash: u64, bytes: &[u8]) -> u64 {
    bytes.chunks(8).fold(mix(hash ^ bytes.len() as u64), |hash, chunk| {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        mix(hash ^ u64::from_le_bytes(word))
    })
}

fn mutation(rng: &mut Rng, round: u64, i: u64) -> Mutation {
    let id = format!("id{}", rng.below(900));
    if rng.below(10) == 0 {
        return Mutation::Delete(id);
    }
    let vector = (rng.below(8) > 0).then(|| (0..24).map(|_| rng.unit_f32() * 2.0 - 1.0).collect());
    let words = ["alpha", "beta", "running", "foxes", "quickly", "stone"];
    let word = |rng: &mut Rng| words[rng.below(6) as usize];
    let body = format!("{} {} {}", word(rng), word(rng), word(rng));
    let json = format!(
        r#"{{"body":"{body}","n":{i},"round":{round}.5,"tags":["{}"],"odd":{}}}"#,
        word(rng),
        i % 2 == 1
    );
    Mutation::Upsert(Document { id, vector, metadata: parse_object(&json).expect("JSON") })
}

#[test]
fn blobs_are_the_same_for_any_number_of_threads_and_any_budget() {
    for (name, golden) in GOLDEN {
        let metric = Metric::parse(name).expect("a metric");
        let one = bytes_of(metric, 1, usize::MAX);
        assert_eq!(one, bytes_of(metric, 2, 37), "{name}: two threads and small steps");
        assert_eq!(one, golden, "{name}: the bytes changed; {one:#018x}");
    }
}
