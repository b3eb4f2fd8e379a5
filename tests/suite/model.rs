//! Random histories against a naive model: every read, now and at earlier moments, in whatever layout jobs and reopening
//! left. The seed of a failure is in its message.

mod edges;
mod rules;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use kithdb::base::{Clock, ManualClock, NEVER, NoObserver, Object, Pool, Rng, Value};
use kithdb::collection::{
    AutoLink, CollectionConfig, Document, Fusion, History, Mutation, SearchRequest, Settings, View,
    parse_filter,
};
use kithdb::engine::{Begun, Collection, Database, Env, JobKind, export};
use kithdb::segment::Row;
use kithdb::segment::Scratch;
use kithdb::storage::{FileRoot, Level, SimVfs, Storage, Ticket};
use kithdb::text::{Language, TextFields, TextSpec};
use kithdb::vectors::{Metric, Stored};

use edges::EdgeVersion;

const OPS: usize = 60;
const WORDS: [&str; 5] = ["stone", "river", "moss", "fern", "owl"];

const SEQUENCES: u64 = 2_000;

/// A version, as the model has it.
#[derive(Debug, Clone, PartialEq)]
struct Version {
    id: String,
    from: i64,
    expires: i64,
    /// When it was replaced or deleted, or had expired by then; `NEVER` while neither.
    ended: i64,
    n: i64,
    words: Vec<usize>,
    vector: Option<[f32; 2]>,
    /// What rules look at.
    metadata: Object,
}

impl Version {
    fn is_at(&self, time: i64) -> bool {
        self.from <= time && time < self.ended.min(self.expires)
    }
}

/// Every version that ever was, in the order in which they began.
#[derive(Clone)]
struct Model {
    versions: Vec<Version>,
    /// In the order in which they began.
    edges: Vec<EdgeVersion>,
    /// Which documents were deleted or had expired, and when: edges they were an end of are not there since.
    went: Vec<(String, i64)>,
    history: History,
    last: i64,
    /// Nothing is known of what was before.
    known_from: i64,
    rules: Vec<AutoLink>,
    /// Likewise, of the graph.
    graph_known_from: i64,
    /// How long versions of edges are kept; 0 for ever.
    retention: i64,
    /// Whether there ever was an edge.
    had_edges: bool,
}

impl Model {
    fn next_time(&self, clock: i64) -> i64 {
        clock.max(self.last + 1)
    }

    /// What a write does first: it ends what has expired.
    fn expire(&mut self, clock: i64) {
        let unended = self.versions.iter_mut().filter(|v| v.ended == NEVER && v.expires <= clock);
        for version in unended {
            self.last = clock.max(self.last + 1);
            version.ended = version.expires;
            self.went.push((version.id.clone(), version.expires));
        }
    }

    /// The version that is there, or has expired, ends; and the document goes, unless another version follows.
    fn end(&mut self, id: &str, time: i64, follows: bool) {
        for version in self.versions.iter_mut().filter(|v| v.id == id && v.ended == NEVER) {
            version.ended = time.min(version.expires);
            if !follows || version.ended < time {
                self.went.push((id.to_owned(), version.ended));
            }
        }
        self.last = time;
    }

    fn at(&self, time: i64) -> Vec<&Version> {
        self.versions.iter().filter(|v| v.is_at(time)).collect()
    }

    fn earliest(&self) -> i64 {
        let horizon = match self.history {
            History::None => self.last,
            History::For(span) => self.last - span,
            History::Forever => i64::MIN,
        };
        let first = self.versions.iter().map(|v| v.ended).min().unwrap_or(NEVER);
        let kept_from = if first > horizon { i64::MIN } else { horizon };
        kept_from.max(self.known_from)
    }

    /// A copy has what was kept.
    fn travel(&mut self) {
        self.known_from = self.earliest();
        self.travel_edges();
        self.versions.retain(|v| v.ended > self.known_from);
    }
}

struct Run {
    seed: u64,
    rng: Rng,
    clock: Arc<ManualClock>,
    vfs: SimVfs,
    database: Database,
    collection: Collection,
    model: Model,
}

fn settle(storage: &dyn Storage) {
    let progress = storage.poll(Ticket::LAST);
    assert!(progress.failed.is_none(), "{:?}", progress.failed);
}

fn open(vfs: &SimVfs, clock: &Arc<ManualClock>) -> Database {
    let clock: Arc<dyn Clock> = Arc::<ManualClock>::clone(clock);
    let env = Env { clock, observer: Arc::new(NoObserver), pool: Arc::new(Pool::single()) };
    let root = FileRoot::open(Arc::new(vfs.clone()), "db").expect("opens");
    let database = Database::open(Arc::new(root), env).expect("opens");
    settle(&*database.storage());
    database
}

impl Run {
    fn new(seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let clock = Arc::new(ManualClock::at(1_000));
        let vfs = SimVfs::new();
        let mut database = open(&vfs, &clock);
        let history = match rng.below(3) {
            0 => History::None,
            1 => History::For(1 + rng.below(400) as i64),
            _ => History::Forever,
        };
        let metric = [Metric::Euclidean, Metric::Dot, Metric::Manhattan][rng.below(3) as usize];
        let text = Some(TextSpec::new(Language::None, TextFields::TopLevel));
        let stored = Stored::ALL[rng.below(3) as usize];
        let rules = rules::some(&mut rng);
        let settings = Settings { auto_links: rules.clone(), ..Settings::default() };
        let config =
            CollectionConfig { metric, stored, text, history, settings, ..CollectionConfig::default() };
        let staged = database.stage("main", seed, config).expect("staged");
        settle(&*staged.storage);
        database.admit(staged);
        settle(&*database.storage());
        let collection = database.open_collection("main").expect("opens");
        let (edges, went) = (Vec::new(), Vec::new());
        let model = Model {
            versions: Vec::new(),
            edges,
            went,
            history,
            last: 0,
            known_from: i64::MIN,
            rules,
            graph_known_from: i64::MIN,
            retention: 0,
            had_edges: false,
        };
        Self { seed, rng, clock, vfs, database, collection, model }
    }

    fn step(&mut self) {
        match self.rng.below(28) {
            0..9 => self.upsert(),
            9..12 => self.delete(),
            12 => self.clock.advance(self.rng.below(200) as i64),
            13 => self.job(JobKind::Seal),
            14 => self.job(JobKind::Merge),
            15 => self.job(JobKind::Index),
            16 if self.rng.below(3) == 0 => self.job(JobKind::Optimize),
            16 => self.reopen(),
            17 => self.bulk(),
            18..22 => self.edges(),
            22 => self.configure(),
            23 => self.relink(),
            24 => self.job(JobKind::GraphVacuum),
            25 => self.retain(),
            _ => self.check(),
        }
        self.agree("a step");
    }

    /// There were as many ops as the model knows of.
    fn agree(&self, after: &str) {
        let last = self.collection.reader().load().counters.last_time;
        assert_eq!(self.model.last, last, "the time of the last op, after {after}");
    }

    /// Any id but those that a bulk import is writing, which are not all.
    fn id(&mut self) -> String {
        loop {
            let id = format!("id{}", self.rng.below(12));
            if !self.collection.is_loading(&[Mutation::Delete(id.clone())]) {
                return id;
            }
        }
    }

    fn upsert(&mut self) {
        let count = 1 + self.rng.below(3);
        let batch = self.batch(count);
        self.collection.submit(batch, Level::Os).expect("stored");
        settle(&*self.collection.storage());
        self.agree("an upsert");
    }

    /// A vector as the collection stores it.
    fn rounded(&self, mut vector: [f32; 2]) -> [f32; 2] {
        let view = self.collection.reader().load_full();
        view.config.stored.round(view.config.metric, &mut vector).expect("small numbers");
        vector
    }

    /// Documents, which the model has from then on.
    fn batch(&mut self, count: u64) -> Vec<Mutation> {
        let clock = self.clock.now_ns();
        self.model.expire(clock);
        let planned: Vec<(String, Object)> = (0..count).map(|_| self.planned()).collect();
        let mut batch = Vec::new();
        for (at, (id, mut metadata)) in planned.iter().cloned().enumerate() {
            let (n, count) = (self.rng.below(6) as i64, self.rng.below(4));
            let words: Vec<usize> = (0..count).map(|_| self.rng.below(5) as usize).collect();
            let vector =
                (self.rng.below(4) > 0).then(|| [self.rng.below(9) as f32, self.rng.below(9) as f32 - 4.0]);
            let from = self.model.next_time(clock);
            let expires = if self.rng.below(4) == 0 { from + 1 + self.rng.below(150) as i64 } else { NEVER };
            let body: Vec<&str> = words.iter().map(|w| WORDS[*w]).collect();
            metadata.insert("body".to_owned(), Value::Str(body.join(" ")));
            metadata.insert("n".to_owned(), Value::Int(n));
            batch.push(Mutation::Upsert(Document {
                id: id.clone(),
                vector: vector.map(|v| v.to_vec()),
                metadata: metadata.clone(),
                expires_at: (expires < NEVER).then_some(expires),
            }));
            let before = self.model.metadata_at(&id, from);
            self.model.end(&id, from, true);
            let vector = vector.map(|vector| self.rounded(vector));
            let version = Version { id: id.clone(), from, expires, ended: NEVER, n, words, vector, metadata };
            self.model.versions.push(version);
            let to_come: Vec<&str> = planned[at + 1..].iter().map(|(id, _)| id.as_str()).collect();
            self.model.follow(&id, before, &to_come, clock);
        }
        batch
    }

    /// A bulk import, while others write other documents; or the process is killed before it is done, and nothing of it
    /// is there but the time that it took.
    fn bulk(&mut self) {
        let before = self.model.clone();
        let count = 1 + self.rng.below(6);
        let batch = self.batch(count);
        let Begun { mut job, .. } = self.collection.begin_bulk(batch).expect("writable").expect("documents");
        settle(&*self.collection.storage());
        self.agree("the beginning of an import");
        let (budget, is_killed) = (1 + self.rng.below(3) as usize, self.rng.below(4) == 0);
        let all: Vec<String> = (0..12).map(|i| format!("id{i}")).collect();
        // One that named a document of the import waits for it, whatever it is to name.
        let is_free = |id: &String| {
            let document = Document { id: id.clone(), ..Document::default() };
            !self.collection.is_loading(&[Mutation::Upsert(document)])
        };
        let others_write = !is_killed && all.iter().any(is_free);
        while !job.step(budget).expect("sound") {
            if others_write && self.rng.below(3) == 0 {
                self.upsert();
                self.delete();
            }
        }
        if is_killed {
            // What it reserved stays so, numbers of relations too.
            let (last, had_edges) = (self.model.last, self.model.had_edges);
            self.model = Model { last, had_edges, ..before };
            return self.open_again();
        }
        let mut committed = self.collection.commit(job).expect("writable");
        settle(&*self.collection.storage());
        self.collection.publish(&mut committed).expect("sound");
        settle(&*self.collection.storage());
    }

    fn delete(&mut self) {
        let clock = self.clock.now_ns();
        self.model.expire(clock);
        let id = self.id();
        let time = self.model.next_time(clock);
        let is_there = self.model.versions.iter().any(|v| v.id == id && v.is_at(time));
        let done = self.collection.submit(vec![Mutation::Delete(id.clone())], Level::Os).expect("stored");
        assert_eq!(done.ended, usize::from(is_there), "{id} at {time}");
        if is_there {
            self.model.end(&id, time, false);
        }
        settle(&*self.collection.storage());
    }

    fn job(&mut self, kind: JobKind) {
        let Some(mut job) = self.collection.begin(kind).expect("writable") else { return };
        let budget = 1 + self.rng.below(5) as usize;
        let mut wrote = false;
        while !job.step(budget).expect("sound") {
            if self.rng.below(8) == 0 && !wrote {
                wrote = true;
                self.upsert();
                self.delete();
            }
        }
        if job.is_idle() {
            return self.collection.abandon();
        }
        let mut committed = self.collection.commit(job).expect("writable");
        settle(&*self.collection.storage());
        self.collection.publish(&mut committed).expect("sound");
        settle(&*self.collection.storage());
    }

    fn reopen(&mut self) {
        if self.rng.below(4) == 0 {
            return self.travel();
        }
        self.open_again();
    }

    fn open_again(&mut self) {
        self.vfs = self.vfs.clone();
        self.database = open(&self.vfs, &self.clock);
        self.collection = self.database.open_collection("main").expect("opens");
        settle(&*self.collection.storage());
    }

    /// The collection as a file, in another database.
    fn travel(&mut self) {
        let bytes = export::write(&self.collection.reader().load()).expect("sound");
        self.vfs = SimVfs::new();
        self.database = open(&self.vfs, &self.clock);
        let staged = self.database.stage_import("main", self.seed + 1, &bytes).expect("sound");
        settle(&*staged.storage);
        self.database.admit(staged);
        settle(&*self.database.storage());
        self.collection = self.database.open_collection("main").expect("opens");
        let again = export::write(&self.collection.reader().load()).expect("sound");
        assert_eq!(bytes, again, "an export of an import is the same file");
        self.model.travel();
    }

    fn check(&mut self) {
        let clock = self.clock.now_ns();
        let view = self.collection.reader().load_full();
        self.look(&view, None, clock);
        for _ in 0..2 {
            let span = (clock.max(self.model.last) - 900) as u64;
            let time = 900 + self.rng.below(span) as i64;
            self.look(&view, Some(time), clock);
        }
        let id = self.id();
        self.look_at_versions(&view, &id);
    }

    fn look(&mut self, view: &View, as_of: Option<i64>, clock: i64) {
        self.look_at_edges(view, as_of, clock);
        let earliest = self.model.earliest();
        let moment = match view.moment(as_of, clock) {
            Ok(moment) => moment,
            Err(error) => {
                assert_eq!(error.code(), "history_gone");
                assert!(as_of.expect("now is always there") < earliest, "{as_of:?}: {error}");
                return;
            }
        };
        let time = as_of.unwrap_or(clock.max(self.model.last));
        assert!(as_of.is_none() || time >= earliest, "{time} is gone, history begins at {earliest}");
        let there: Vec<Version> = self.model.at(time).into_iter().cloned().collect();
        let mut scanned = Vec::new();
        let mut cursor = None;
        loop {
            let page = view.scan(cursor, 1 + self.rng.below(4) as usize, moment).expect("sound");
            scanned.extend(page.rows.iter().map(|row| plain(row)));
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        let expected: Vec<_> = there.iter().map(plain_of).collect();
        assert_eq!(scanned, expected, "scan at {time}");
        for i in 0..12 {
            let id = format!("id{i}");
            let found = view.get(&id, moment).expect("sound").map(|row| plain(&row));
            assert_eq!(found, there.iter().find(|v| v.id == id).map(plain_of), "get {id} at {time}");
        }
        self.search(view, moment, &there);
        self.words(view, moment, time, &there);
        self.phrase(view, moment, time, &there);
    }

    fn search(&mut self, view: &View, moment: kithdb::collection::Moment, there: &[Version]) {
        if view.dim.is_none() {
            return;
        }
        let query = [self.rng.below(9) as f32 + 0.5, self.rng.below(9) as f32 - 4.0];
        let bound = self.rng.below(6) as i64;
        let request = SearchRequest {
            vector: Some(query.to_vec()),
            filter: parse_filter(&format!("n >= {bound}")).expect("a filter"),
            k: 50,
            exact: self.rng.below(2) == 0,
            ..SearchRequest::default()
        };
        let found = view.search(&request, moment, &mut Scratch::default()).expect("sound");
        let ids: BTreeSet<&str> = found.hits.iter().map(|hit| hit.id.as_str()).collect();
        let matching = there.iter().filter(|v| v.n >= bound && v.vector.is_some());
        assert_eq!(ids, matching.map(|v| v.id.as_str()).collect(), "nearest with n >= {bound}");
        let distance = |v: &Version| {
            let [a, b] = v.vector.expect("found by it");
            match view.config.metric {
                Metric::Euclidean => (a - query[0]).powi(2) + (b - query[1]).powi(2),
                Metric::Manhattan => (a - query[0]).abs() + (b - query[1]).abs(),
                _ => -(a * query[0] + b * query[1]),
            }
        };
        let of = |id: &str| there.iter().find(|v| v.id == id).map(distance).expect("checked above");
        assert!(found.hits.windows(2).all(|w| of(&w[0].id) <= of(&w[1].id)), "{found:?}");
    }

    /// BM25, written down once more.
    fn words(&mut self, view: &View, moment: kithdb::collection::Moment, time: i64, there: &[Version]) {
        let word = self.rng.below(5) as usize;
        let request = SearchRequest {
            text: Some(WORDS[word].to_owned()),
            fusion: Fusion::default(),
            k: 50,
            ..SearchRequest::default()
        };
        let found = view.search(&request, moment, &mut Scratch::default()).expect("sound");
        // Now, what has expired counts until a write ends it.
        let counted: Vec<&Version> = match time >= self.model.last {
            true => self.model.versions.iter().filter(|v| v.ended == NEVER).collect(),
            false => there.iter().collect(),
        };
        let tf = |v: &Version| v.words.iter().filter(|w| **w == word).count() as f64;
        let with_words: Vec<_> = counted.iter().filter(|v| !v.words.is_empty()).collect();
        let n = with_words.len() as f64;
        let average = with_words.iter().map(|v| v.words.len()).sum::<usize>() as f64 / n;
        let df = with_words.iter().filter(|v| tf(v) > 0.0).count() as f64;
        let idf = (1.0 + (n - df + 0.5) / (df + 0.5)).ln();
        let score = |v: &Version| {
            let norm = 1.2 * (1.0 - 0.75 + 0.75 * v.words.len() as f64 / average);
            idf * tf(v) * 2.2 / (tf(v) + norm)
        };
        let expected: BTreeMap<&str, f64> =
            there.iter().filter(|v| tf(v) > 0.0).map(|v| (v.id.as_str(), score(v))).collect();
        let ids: BTreeSet<&str> = found.hits.iter().map(|hit| hit.id.as_str()).collect();
        assert_eq!(ids, expected.keys().copied().collect(), "{} at {time}", WORDS[word]);
        for hit in &found.hits {
            let (got, expected) = (f64::from(hit.score), expected[hit.id.as_str()]);
            assert!((got - expected).abs() < 1e-5, "{} scores {got}, not {expected}, at {time}", hit.id);
        }
    }

    /// Words of a document, or any, one after another; a document has them so or not.
    fn phrase(&mut self, view: &View, moment: kithdb::collection::Moment, time: i64, there: &[Version]) {
        let taken = self.rng.below(2 * there.len() as u64 + 1) as usize;
        let phrase = match there.get(taken).map(|version| &version.words) {
            Some(words) if words.len() > 1 => words[words.len() - 2..].to_vec(),
            _ => (0..2 + self.rng.below(2)).map(|_| self.rng.below(5) as usize).collect(),
        };
        let is_negative = self.rng.below(3) == 0;
        let spelt: Vec<&str> = phrase.iter().map(|word| WORDS[*word]).collect();
        let text = format!("{}\"{}\"", if is_negative { "-" } else { "" }, spelt.join(" "));
        let request = SearchRequest { text: Some(text.clone()), k: 50, ..SearchRequest::default() };
        let found = view.search(&request, moment, &mut Scratch::default()).expect("sound");
        let ids: BTreeSet<&str> = found.hits.iter().map(|hit| hit.id.as_str()).collect();
        let has = |version: &&Version| version.words.windows(phrase.len()).any(|words| *words == *phrase);
        let expected = there.iter().filter(|version| has(version) != is_negative);
        assert_eq!(ids, expected.map(|v| v.id.as_str()).collect(), "{text} at {time}");
    }

    fn look_at_versions(&self, view: &View, id: &str) {
        let earliest = self.model.earliest();
        let own = self.model.versions.iter().rev().filter(|v| v.id == id);
        let kept = own.filter(|v| v.ended.min(v.expires) > earliest);
        let expected: Vec<_> = kept.map(|v| (plain_of(v), v.from, v.ended.min(v.expires))).collect();
        let found = view.versions(id).expect("sound");
        let found: Vec<_> =
            found.iter().map(|v| (plain(&v.row), v.row.valid_from, v.valid_to.unwrap_or(NEVER))).collect();
        assert_eq!(found, expected, "versions of {id}");
    }
}

/// The number of a document that a rule made.
const MADE: i64 = -1;

type Plain = (String, i64, usize, Option<Vec<f32>>);

fn plain(row: &Row) -> Plain {
    let (n, body) = match (row.metadata.get("n"), row.metadata.get("body")) {
        (Some(Value::Int(n)), Some(Value::Str(body))) => (*n, body.as_str()),
        (None, None) => (MADE, ""),
        _ => panic!("{:?}", row.metadata),
    };
    (row.id.to_string(), n, body.split_whitespace().count(), row.vector.as_deref().map(<[f32]>::to_vec))
}

fn plain_of(version: &Version) -> Plain {
    (version.id.clone(), version.n, version.words.len(), version.vector.map(|v| v.to_vec()))
}

fn replay(seed: u64) {
    let run = std::panic::catch_unwind(|| {
        let mut run = Run::new(seed);
        (0..OPS).for_each(|_| run.step());
        run.check();
    });
    assert!(run.is_ok(), "sequence {seed} failed, see above");
}

#[test]
fn random_histories_read_as_the_model_says() {
    (0..SEQUENCES).for_each(replay);
    println!("{SEQUENCES} sequences of {OPS} steps");
}

#[test]
#[ignore = "takes as long as it is given: npm run prove -- model --for 40m"]
fn many_random_histories_read_as_the_model_says() {
    let seconds = std::env::var("KITH_PROVE_SECONDS").ok().and_then(|s| s.parse().ok()).unwrap_or(60);
    let end = std::time::Instant::now() + std::time::Duration::from_secs(seconds);
    // Each run goes on with others.
    let mut seed = std::process::id() as u64 * 1_000_000_007;
    let first = seed;
    while std::time::Instant::now() < end {
        seed += 1;
        replay(seed);
    }
    println!("counted: model sequences={} steps={} wrong=0", seed - first, (seed - first) * OPS as u64);
}
