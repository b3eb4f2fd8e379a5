//! A collection in memory that lives long: written to, sealed, merged, opened anew, and a model of what it should hold.

use std::collections::BTreeMap;
use std::sync::Arc;

use kithdb::base::value::parse_object;
use kithdb::base::{ManualClock, NoObserver, Pool, Rng, Value};
use kithdb::collection::{CollectionConfig, Document, Mutation, SearchRequest, View};
use kithdb::engine::{Collection, Database, Env, JobKind, JobProgress};
use kithdb::segment::Scratch;
use kithdb::storage::{Level, MemoryRoot, Ticket};

/// What a memtable may grow to: seals are asked for here, but what a query scans follows from it.
pub const SEAL_BYTES: usize = 4 << 20;

/// A collection in memory, which can be opened anew, and what it should hold.
pub struct Life {
    database: Database,
    pub clock: Arc<ManualClock>,
    pub collection: Collection,
    pub model: BTreeMap<String, i64>,
    /// Bytes that jobs have written.
    pub jobs: usize,
}

pub fn job(
    collection: &mut Collection,
    kind: JobKind,
    budget: usize,
    mut between: impl FnMut(&mut Collection),
) -> bool {
    let Some(mut job) = collection.begin(kind).expect("sound") else { return false };
    let mut last = job.progress();
    loop {
        let is_built = job.step(budget).expect("sound");
        let JobProgress { done, total } = job.progress();
        assert!(done <= total && total <= last.total && done * last.total >= last.done * total, "it goes on");
        last = JobProgress { done, total };
        if is_built {
            break;
        }
    }
    assert_eq!(last.done, last.total);
    if job.is_idle() {
        collection.abandon();
        return false;
    }
    between(collection);
    let mut committed = collection.commit(job).expect("writable");
    collection.publish(&mut committed).expect("readable");
    true
}

pub fn vector(seed: u64, dim: usize) -> Vec<f32> {
    let mut rng = Rng::new(seed);
    let centre = rng.below(20);
    let mut of_centre = Rng::new(1000 + centre);
    (0..dim).map(|_| of_centre.unit_f32() + 0.5 * rng.unit_f32()).collect()
}

impl Life {
    pub fn new(config: CollectionConfig) -> Self {
        let clock = Arc::new(ManualClock::at(5));
        let env = Env {
            clock: Arc::clone(&clock) as Arc<dyn kithdb::base::Clock>,
            observer: Arc::new(NoObserver),
            pool: Arc::new(Pool::new(2)),
        };
        let mut database = Database::open(Arc::new(MemoryRoot::new()), env).expect("opens");
        let staged = database.stage("c", 1, config).expect("staged");
        database.admit(staged);
        let collection = database.open_collection("c").expect("opens");
        Self { database, clock, collection, model: BTreeMap::new(), jobs: 0 }
    }

    pub fn put(&mut self, numbers: impl Iterator<Item = (u64, i64)>, dim: usize) {
        let document = |(number, n): (u64, i64)| Document {
            id: format!("d{number}"),
            vector: Some(vector(number * 1_000_000 + n as u64, dim)),
            metadata: parse_object(&format!(r#"{{"n":{n}}}"#)).expect("JSON"),
            expires_at: None,
        };
        let documents: Vec<Document> = numbers
            .map(|(number, n)| {
                self.model.insert(format!("d{number}"), n);
                document((number, n))
            })
            .collect();
        let batch = documents.into_iter().map(Mutation::Upsert).collect();
        self.collection.submit(batch, Level::Always).expect("stored");
    }

    pub fn delete(&mut self, numbers: impl Iterator<Item = u64>) {
        let ids: Vec<String> = numbers.map(|number| format!("d{number}")).collect();
        self.model.retain(|id, _| !ids.contains(id));
        let batch = ids.into_iter().map(Mutation::Delete).collect();
        self.collection.submit(batch, Level::Always).expect("stored");
    }

    pub fn run(&mut self, kind: JobKind) -> bool {
        self.jobs += 1;
        job(&mut self.collection, kind, 500, |_| ())
    }

    /// Everything that is due, as a host does it.
    pub fn run_due(&mut self) -> Vec<JobKind> {
        let mut ran = Vec::new();
        while let Some(kind) = JobKind::ALL.into_iter().find(|kind| self.collection.is_due(*kind, SEAL_BYTES))
        {
            assert!(self.run(kind), "{kind:?} is due, so there is something to do");
            ran.push(kind);
            assert!(ran.len() < 20, "what is due ends: {ran:?}");
        }
        ran
    }

    pub fn reopen(&mut self) {
        let storage = self.collection.storage();
        assert!(storage.poll(Ticket::LAST).failed.is_none());
        self.collection = self.database.open_collection("c").expect("opens");
    }

    pub fn view(&self) -> Arc<View> {
        self.collection.reader().load_full()
    }

    /// All documents are there, each once, in the order of seq.
    pub fn check(&self, at: &str) {
        let view = self.view();
        let rows = view.all_rows().expect("sound");
        assert!(rows.windows(2).all(|w| w[0].seq < w[1].seq), "{at}");
        let n = |value: &Value| match value {
            Value::Int(n) => *n,
            other => panic!("{other:?}"),
        };
        let found: Vec<(String, i64)> =
            rows.iter().map(|row| (row.id.to_string(), n(&row.metadata["n"]))).collect();
        assert_eq!(found.len(), self.model.len(), "{at}");
        assert_eq!(found.into_iter().collect::<BTreeMap<_, _>>(), self.model, "{at}");
        assert_eq!(view.stats().documents, self.model.len(), "{at}");
    }

    /// The share of the true ten nearest that a search finds.
    pub fn recall(&self, dim: usize) -> f64 {
        let (view, mut scratch, mut right) = (self.view(), Scratch::default(), 0);
        let moment = view.moment(None, 5).expect("now");
        for query in 0..50 {
            let mut ids = |exact| {
                let vector = Some(vector(77_000_000_000 + query, dim));
                let request = SearchRequest { vector, k: 10, exact, ..SearchRequest::default() };
                let found = view.search(&request, moment, &mut scratch).expect("searched");
                found.hits.iter().map(|hit| hit.id.to_string()).collect::<Vec<_>>()
            };
            let exact = ids(true);
            right += ids(false).iter().filter(|id| exact.contains(id)).count();
        }
        right as f64 / 500.0
    }
}
