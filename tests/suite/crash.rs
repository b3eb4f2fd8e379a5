//! A simulated disk is stopped at every call that changes it, or lets one call fail; then it is read back.
//!
//! After each crash the collection must hold exactly a state it was in after some batch, no earlier than the last
//! acknowledged one whose level promises to survive that crash, and must take writes again. Batches are written between
//! the calls by which a job's blobs are stored, as they are when two threads are at it.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::sync::{Arc, Mutex};

use kithdb::base::value::parse_object;
use kithdb::base::{ManualClock, NoObserver, Object, Pool, Result, Rng, Value};
use kithdb::collection::{
    AutoLink, CollectionConfig, Document, LinkRequest, Maintenance, Mutation, Relinking, Settings,
    UnlinkRequest, View,
};
use kithdb::engine::{Begun, Collection, Database, Env, JobKind};
use kithdb::graph::{Direction, Links};
use kithdb::host::{AddMode, Db, Options};
use kithdb::storage::sim::{Crash, Fault};
use kithdb::storage::vfs::Vfs;
use kithdb::storage::{FileRoot, Level, SimVfs, Storage, Ticket};
use kithdb::vectors::Coding;
use kithdb_tests::watched_vfs::WatchedVfs;

/// Documents, edges (`d1>d2`) and edges that a rule made (`d1~d2`), and the number each holds.
type State = BTreeMap<String, i64>;

const BATCHES: i64 = 14;
const IDS: u64 = 9;

fn env() -> Env {
    Env {
        clock: Arc::new(ManualClock::at(1_000)),
        observer: Arc::new(NoObserver),
        pool: Arc::new(Pool::single()),
    }
}

fn settle(storage: &dyn Storage, ticket: Ticket) -> Result<()> {
    Ok(storage.poll(ticket).of(ticket).expect("polling settles what was queued")?)
}

fn open(vfs: &SimVfs) -> Result<Database> {
    open_on(Arc::new(vfs.clone()))
}

fn open_on(vfs: Arc<dyn Vfs>) -> Result<Database> {
    let database = Database::open(Arc::new(FileRoot::open(vfs, "db")?), env())?;
    database.storage().poll(Ticket::LAST).failed.map_or(Ok(database), |cause| Err(cause.into()))
}

fn create(database: &mut Database) -> Result<()> {
    let config = CollectionConfig { text: Some(text()), ..CollectionConfig::default() };
    let staged = database.stage("c", 7, config)?;
    settle(&*staged.storage, staged.ticket)?;
    let ticket = database.admit(staged);
    settle(&*database.storage(), ticket)
}

fn text() -> kithdb::text::TextSpec {
    kithdb::text::TextSpec::new(kithdb::text::Language::English, kithdb::text::TextFields::TopLevel)
}

fn run_job(collection: &mut Collection, kind: JobKind) -> Result<()> {
    let Some(mut job) = collection.begin(kind)? else { return Ok(()) };
    while !job.step(100)? {}
    if job.is_idle() {
        collection.abandon();
        return Ok(());
    }
    let mut committed = collection.commit(job)?;
    settle(&*collection.storage(), committed.ticket)?;
    collection.publish(&mut committed)
}

/// What a run did before it stopped.
#[derive(Default)]
struct History {
    /// The state after each batch that was tried; the first is empty.
    states: Vec<State>,
    /// The last batch that a killed process must not lose: acknowledged at any level but `memory`, or written before
    /// one that was. And the last that a power cut must not take: acknowledged at level `always`, flushed or sealed.
    written: usize,
    durable: usize,
    finished: bool,
}

/// A workload under way.
struct Run {
    collection: Collection,
    history: History,
    rng: Rng,
    /// A job's blobs are being stored, and batches come between its calls.
    between: bool,
    /// Documents are linked by their metadata.
    has_rule: bool,
}

impl Run {
    fn batch(&mut self) -> Result<()> {
        let number = self.history.states.len() as i64;
        let mut state = self.history.states.last().cloned().unwrap_or_default();
        let mut batch: Vec<Mutation> =
            (0..=self.rng.below(3)).map(|_| self.mutation(number, &mut state)).collect();
        batch.extend((0..self.rng.below(3)).map(|_| edge(&mut self.rng, number, &mut state)));
        self.write(batch, state)
    }

    /// Writes a batch that leads to a state.
    fn write(&mut self, batch: Vec<Mutation>, state: State) -> Result<()> {
        let level = [Level::Memory, Level::Os, Level::Everysec, Level::Always, Level::Always]
            [self.rng.below(5) as usize];
        self.history.states.push(state);
        let submitted = self.collection.submit(batch, level)?;
        let Some(ticket) = submitted.ticket.filter(|_| level != Level::Memory) else { return Ok(()) };
        settle(&*self.collection.storage(), ticket)?;
        self.kept(level == Level::Always, self.history.states.len() - 1);
        Ok(())
    }

    /// Documents as a segment: there whole once the flip is kept, or not at all.
    fn bulk(&mut self) -> Result<()> {
        let number = self.history.states.len() as i64;
        let mut state = self.history.states.last().cloned().unwrap_or_default();
        let batch = (0..20).map(|_| self.mutation(number, &mut state)).collect();
        self.history.states.push(state);
        let Some(Begun { mut job, .. }) = self.collection.begin_bulk(batch)? else { return Ok(()) };
        while !job.step(100)? {}
        let mut committed = self.collection.commit(job)?;
        settle(&*self.collection.storage(), committed.ticket)?;
        self.collection.publish(&mut committed)?;
        let confirmation = self.collection.confirm()?;
        settle(&*self.collection.storage(), confirmation.ticket)?;
        self.collection.confirmed(confirmation);
        self.kept(true, self.history.states.len() - 1);
        Ok(())
    }

    /// What gets links from now on gets these codes.
    fn configure(&mut self, codes: Coding) -> Result<()> {
        let maintenance =
            Maintenance { refine_ef_construction: 250, graph_retention: 1, ..Maintenance::default() };
        let settings = Settings { maintenance, codes, ..self.settings() };
        let ticket = self.collection.configure(settings, Level::Always)?;
        settle(&*self.collection.storage(), ticket)
    }

    fn settings(&self) -> Settings {
        self.collection.reader().load().config.settings.clone()
    }

    /// Documents are linked by their metadata from now on, and those that are there in one batch after another.
    fn relink(&mut self) -> Result<()> {
        let rule = AutoLink { field: "to".into(), relation: "ref".into(), inverse: None, creates: false };
        let settings = Settings { auto_links: vec![rule], ..self.settings() };
        let ticket = self.collection.configure(settings, Level::Always)?;
        settle(&*self.collection.storage(), ticket)?;
        self.kept(true, self.history.states.len() - 1);
        self.has_rule = true;
        let mut work = Relinking::new(&self.collection.reader().load());
        loop {
            let view = self.collection.reader().load_full();
            let Some(batch) = work.step(&view, 1_000, 2)? else { return Ok(()) };
            let mut state = self.history.states.last().cloned().unwrap_or_default();
            for id in batch.iter().flat_map(Mutation::ids) {
                let row = view.get(id, view.now(1_000))?.expect("it was found a moment ago");
                state.extend(named(id, &row.metadata));
            }
            self.write(batch, state)?;
        }
    }

    fn mutation(&mut self, number: i64, state: &mut State) -> Mutation {
        let rng = &mut self.rng;
        let id = format!("d{}", rng.below(IDS));
        if rng.below(4) == 0 {
            if state.remove(&id).is_some() {
                state.retain(|key, _| {
                    key.split_once(['>', '~']).is_none_or(|(from, to)| from != id && to != id)
                });
            }
            return Mutation::Delete(id);
        }
        state.insert(id.clone(), number);
        let [a, b] = [rng.below(IDS), rng.below(IDS)];
        let json = format!(r#"{{"n":{number},"t":"batch {number} of {id}","to":["d{a}","d{b}"]}}"#);
        let metadata = parse_object(&json).expect("JSON");
        if self.has_rule {
            state.retain(|key, _| key.split_once('~').is_none_or(|(from, _)| from != id));
            state.extend(named(&id, &metadata));
        }
        let vector = (self.rng.below(3) > 0).then(|| vec![number as f32, 1.0]);
        Mutation::Upsert(Document { id, vector, metadata, expires_at: None })
    }

    fn flush(&mut self) -> Result<()> {
        let ticket = self.collection.sync()?;
        settle(&*self.collection.storage(), ticket)?;
        self.kept(true, self.history.states.len() - 1);
        Ok(())
    }

    /// All batches up to this one are written, or even durable.
    fn kept(&mut self, is_durable: bool, batch: usize) {
        self.history.written = self.history.written.max(batch);
        if is_durable {
            self.history.durable = self.history.durable.max(batch);
        }
    }
}

type Shared = Arc<Mutex<Option<Run>>>;

/// Runs `f` on the workload, which the watcher of the disk may borrow between two such calls.
fn with<T>(run: &Shared, f: impl FnOnce(&mut Run) -> T) -> T {
    f(run.lock().expect("one thread").as_mut().expect("begun"))
}

fn run_job_between(run: &Shared, kind: JobKind) -> Result<()> {
    let begun = with(run, |run| -> Result<_> {
        let job = run.collection.begin(kind)?;
        Ok((job, run.history.states.len() - 1))
    })?;
    let (Some(mut job), before) = begun else { return Ok(()) };
    while !job.step(100)? {}
    if job.is_idle() {
        with(run, |run| run.collection.abandon());
        return Ok(());
    }
    let mut committed = with(run, |run| {
        run.between = true;
        run.collection.commit(job)
    })?;
    let storage = with(run, |run| run.collection.storage());
    let kept = settle(&*storage, committed.ticket);
    with(run, |run| run.between = false);
    kept?;
    with(run, |run| -> Result<()> {
        run.collection.publish(&mut committed)?;
        if matches!(kind, JobKind::Seal | JobKind::Optimize) {
            // Everything before the cut is in durable blobs now.
            run.kept(true, before);
        }
        Ok(())
    })?;
    storage.poll(Ticket::LAST).failed.map_or(Ok(()), |cause| Err(cause.into()))
}

/// A seeded workload, until it ends or the disk fails. While a job's blobs are stored other batches are written, or
/// not, before each of the calls.
fn workload(vfs: &SimVfs, run: &Shared, seed: u64) -> Result<()> {
    let watched = {
        let run = Arc::clone(run);
        WatchedVfs::new(vfs, move |_, path| {
            if path.ends_with(".tmp") {
                write_between(&run);
            }
            Ok(())
        })
    };
    let mut database = open_on(Arc::new(watched))?;
    create(&mut database)?;
    let collection = database.open_collection("c")?;
    let history = History { states: vec![State::new()], ..History::default() };
    *run.lock().expect("one thread") =
        Some(Run { collection, history, rng: Rng::new(seed), between: false, has_rule: false });
    for number in 1..=BATCHES {
        with(run, Run::batch)?;
        match number {
            4 | 7 | 11 => run_job_between(run, JobKind::Seal)?,
            3 => with(run, Run::relink)?,
            6 => with(run, Run::flush)?,
            12 => {
                with(run, Run::flush)?;
                run_job_between(run, JobKind::Refine)?;
            }
            5 => with(run, |run| run.configure(Coding::Bits))?,
            8 => run_job_between(run, JobKind::Index)?,
            9 => {
                with(run, |run| run.configure(Coding::Opq))?;
                run_job_between(run, JobKind::Recode)?;
                run_job_between(run, JobKind::Merge)?;
                run_job_between(run, JobKind::GraphVacuum)?;
            }
            10 => with(run, Run::bulk)?,
            13 => run_job_between(run, JobKind::Optimize)?,
            _ => {}
        }
    }
    with(run, |run| run.history.finished = true);
    Ok(())
}

fn write_between(run: &Shared) {
    // Not while a batch is being written already, nor where no job stores anything.
    let Ok(mut run) = run.try_lock() else { return };
    if let Some(run) = run.as_mut()
        && run.between
        && run.rng.below(3) == 0
    {
        // The disk may have failed; then everything fails from now on, the job too.
        drop(run.batch());
    }
}

/// The edges that the rule makes of a document.
fn named(id: &str, metadata: &Object) -> Vec<(String, i64)> {
    let Some(Value::Array(others)) = metadata.get("to") else { panic!("{metadata:?}") };
    let others = others.iter().filter_map(Value::as_str).filter(|other| *other != id);
    others.map(|other| (format!("{id}~{other}"), 1)).collect()
}

/// An edge between two documents, which need not be there, or the end of one.
fn edge(rng: &mut Rng, number: i64, state: &mut State) -> Mutation {
    let from = rng.below(IDS);
    let (source, target) = (format!("d{from}"), format!("d{}", (from + 1 + rng.below(IDS - 1)) % IDS));
    let (relation, key) = ("next".to_owned(), format!("{source}>{target}"));
    if rng.below(4) == 0 {
        state.remove(&key);
        let erase = rng.below(2) == 0;
        return Mutation::Unlink(UnlinkRequest { source, relation, target, inverse: None, erase });
    }
    state.insert(key, number);
    let (weight, properties) = (number as f64, Object::new());
    Mutation::Link(LinkRequest { source, relation, target, inverse: None, weight, properties })
}

/// The edges that are there now, and the weight of each.
fn read_edges(view: &View) -> State {
    let graph = view.graph(view.now(1_000)).expect("sound");
    let (mut state, mut back, mut links) = (State::new(), 0, Links::default());
    for key in graph.nodes() {
        graph.links(key, Direction::In, &[], &mut links);
        back += links.len();
        graph.links(key, Direction::Out, &[], &mut links);
        for link in links.iter() {
            let mark = if graph.relation_name(link.relation) == "ref" { '~' } else { '>' };
            let name = format!("{}{mark}{}", graph.name(link.source), graph.name(link.target));
            assert!(state.insert(name, graph.weight(link) as i64).is_none(), "each edge once");
        }
    }
    assert_eq!(back, state.len(), "the same edges from both ends");
    state
}

fn read(collection: &Collection) -> State {
    let view = collection.reader().load_full();
    let rows = view.all_rows().expect("sound");
    assert_eq!(rows.len(), view.live());
    let documents = rows
        .iter()
        .map(|row| {
            let Value::Int(n) = row.metadata["n"] else { panic!("{:?}", row.metadata) };
            assert!(
                view.find_unended(&row.id).expect("sound").is_some(),
                "{} is listed and not found",
                row.id
            );
            (row.id.to_string(), n)
        })
        .chain(read_edges(&view));
    documents.collect()
}

fn record(vfs: &SimVfs, seed: u64) -> History {
    let run = Shared::default();
    // An error is the simulated end; what was done before it is in the history.
    drop(workload(vfs, &run, seed));
    let run = run.lock().expect("one thread").take();
    run.map_or_else(|| History { states: vec![State::new()], ..History::default() }, |run| run.history)
}

/// Opens what a crash left, checks it, writes to it and opens it once more.
fn check(left: &SimVfs, history: &History, least: usize, at: &str) {
    let (told, summary) = super::verify::look(left);
    assert!(summary.is_clean(), "{at}: what a crash leaves is no damage: {told:?}");
    let database = open(left).unwrap_or_else(|e| panic!("{at}: {e}"));
    if database.entries().is_empty() {
        assert_eq!(least, 0, "{at}: the collection is gone");
        return;
    }
    let mut collection = database.open_collection("c").unwrap_or_else(|e| panic!("{at}: {e}"));
    let found = read(&collection);
    let known = history.states.iter().rposition(|state| *state == found);
    let known = known.unwrap_or_else(|| panic!("{at}: never was in the state {found:?}"));
    assert!(known >= least, "{at}: acknowledged batch {least} is lost, {known} is what is left");
    let metadata = parse_object(r#"{"n":99}"#).expect("JSON");
    let more = Document { id: "after".into(), vector: None, metadata, expires_at: None };
    let submitted = collection.submit(vec![Mutation::Upsert(more)], Level::Always).expect("writable");
    settle(&*collection.storage(), submitted.ticket.expect("one op")).expect("kept");
    run_job(&mut collection, JobKind::Seal).expect("sealed");
    drop(collection);
    let again = open(left).expect("opens").open_collection("c").expect("opens");
    let mut expected = found;
    expected.insert("after".into(), 99);
    assert_eq!(read(&again), expected, "{at}: after one more write");
}

/// Of the first workload, and how many there are.
const SEED: u64 = 42;
const SEEDS: u64 = 16;

const CRASHES: [Crash; 4] = [Crash::Process, Crash::LoseUnsynced, Crash::Tear, Crash::ZeroTail];

/// Stops the workload of a seed at every call; how many recoveries that made.
fn stop_at_every_call(seed: u64) -> usize {
    let whole = SimVfs::new();
    let full = record(&whole, seed);
    assert!(full.finished, "the workload runs through on a sound disk");
    let mut recoveries = 0;
    for call in 1..=whole.calls() {
        let vfs = SimVfs::new();
        vfs.fail_at(call, Fault::Stop);
        let history = record(&vfs, seed);
        for crash in CRASHES {
            let least = if crash == Crash::Process { history.written } else { history.durable };
            let left = vfs.after(crash, &mut Rng::new(call));
            check(&left, &history, least, &format!("seed {seed} stopped at call {call}, {crash:?}"));
            recoveries += 1;
        }
    }
    recoveries
}

#[test]
fn every_acknowledged_write_survives_a_stop_at_every_call() {
    let recoveries: usize = (SEED..SEED + SEEDS).map(stop_at_every_call).sum();
    println!("{recoveries} recoveries, all acknowledged writes found");
    assert!(recoveries > 1_000 * SEEDS as usize);
}

#[test]
#[ignore = "takes as long as it is given: npm run prove -- stop-at-calls --for 40m"]
fn every_acknowledged_write_survives_stop_at_calls_of_many_workloads() {
    let seconds = std::env::var("KITH_PROVE_SECONDS").ok().and_then(|s| s.parse().ok()).unwrap_or(60);
    let end = std::time::Instant::now() + std::time::Duration::from_secs(seconds);
    // Each run goes on with others.
    let first = SEED + (u64::from(std::process::id()) << 32);
    let (mut recoveries, mut seed) = (0, first);
    while std::time::Instant::now() < end {
        seed += 1;
        recoveries += stop_at_every_call(seed);
    }
    println!("counted: stop-at-calls recoveries={recoveries} workloads={} lost=0", seed - first);
}

#[test]
fn a_crash_during_recovery_changes_nothing() {
    let calls = {
        let vfs = SimVfs::new();
        record(&vfs, SEED);
        vfs.calls()
    };
    for call in (1..=calls).step_by(3) {
        let vfs = SimVfs::new();
        vfs.fail_at(call, Fault::Stop);
        let history = record(&vfs, SEED);
        let left = vfs.after(Crash::Tear, &mut Rng::new(call));
        for inner in 1..12 {
            let again = left.after(Crash::Process, &mut Rng::new(inner));
            again.fail_at(inner, Fault::Stop);
            if let Ok(database) = open(&again)
                && let Ok(collection) = database.open_collection("c")
            {
                collection.storage().poll(Ticket::LAST);
            }
            let twice = again.after(Crash::Tear, &mut Rng::new(inner));
            let at = format!("stopped at call {call}, then at {inner} of recovery");
            check(&twice, &history, history.durable, &at);
        }
    }
}

#[test]
fn a_call_that_fails_loses_nothing_acknowledged() {
    let calls = {
        let vfs = SimVfs::new();
        record(&vfs, SEED);
        vfs.calls()
    };
    for kind in [ErrorKind::Other, ErrorKind::StorageFull] {
        for call in 1..=calls {
            let vfs = SimVfs::new();
            vfs.fail_at(call, Fault::Once(kind));
            let history = record(&vfs, SEED);
            let left = vfs.after(Crash::Process, &mut Rng::new(call));
            check(&left, &history, history.written, &format!("{kind:?} at call {call}"));
        }
    }
}

#[test]
fn a_disk_that_loses_what_was_synced_is_noticed() {
    // The control: with fsync ignored the same checks must fail, else they prove nothing.
    let vfs = SimVfs::new();
    let history = record(&vfs, SEED);
    let left = vfs.after(Crash::Process, &mut Rng::new(1));
    let log = left.files().into_iter().rfind(|f| f.contains("/wal-")).expect("a log");
    left.damage(&log, |bytes| bytes.truncate(40));
    let failed = std::panic::catch_unwind(|| check(&left, &history, history.written, "control"));
    assert!(failed.is_err(), "losing the durable end of the log must be noticed");
}

/// A merge once dropped history by the time of a write that was not durable yet. When a power cut took that write, a moment
/// that could be asked for again had lost its versions.
#[test]
fn history_does_not_go_for_a_write_that_a_power_cut_takes() {
    let vfs = SimVfs::new();
    let clock = Arc::new(ManualClock::at(1_000));
    let open = |vfs: &SimVfs| {
        let env = Env { clock: Arc::<ManualClock>::clone(&clock), ..env() };
        let root = FileRoot::open(Arc::new(vfs.clone()), "db").expect("opens");
        Database::open(Arc::new(root), env).expect("opens")
    };
    let mut database = open(&vfs);
    database.storage().poll(Ticket::LAST);
    let config = CollectionConfig { history: kithdb::collection::History::For(100), ..Default::default() };
    let staged = database.stage("c", 7, config).expect("staged");
    settle(&*staged.storage, staged.ticket).expect("kept");
    let ticket = database.admit(staged);
    settle(&*database.storage(), ticket).expect("kept");
    let mut collection = database.open_collection("c").expect("opens");
    let put = |collection: &mut Collection, id: &str, n: i64, level| {
        let metadata = parse_object(&format!(r#"{{"n":{n}}}"#)).expect("JSON");
        let document = Document { id: id.into(), vector: None, metadata, expires_at: None };
        let submitted = collection.submit(vec![Mutation::Upsert(document)], level).expect("stored");
        settle(&*collection.storage(), submitted.ticket.expect("an op")).expect("kept");
    };
    put(&mut collection, "x", 1, Level::Always);
    run_job(&mut collection, JobKind::Seal).expect("sealed");
    clock.advance(50);
    put(&mut collection, "x", 2, Level::Always);
    run_job(&mut collection, JobKind::Seal).expect("sealed");
    clock.advance(10_000);
    put(&mut collection, "later", 3, Level::Os);
    run_job(&mut collection, JobKind::Merge).expect("merged");
    collection.storage().poll(Ticket::LAST);
    drop((collection, database));

    let left = vfs.after(Crash::LoseUnsynced, &mut Rng::new(1));
    let collection = open(&left).open_collection("c").expect("opens");
    let view = collection.reader().load_full();
    assert!(view.find("later").expect("sound").is_none(), "the power cut takes the last write");
    let moment = view.moment(Some(1_020), 20_000).expect("it is kept");
    let row = view.get("x", moment).expect("sound").expect("it was there");
    assert_eq!(row.metadata["n"], Value::Int(1));
}

/// A delete of what was not there any more was once answered at once, at any level: a power cut brought back a document
/// that had been deleted at a lower level before, though its absence had been promised since.
#[test]
fn a_write_that_finds_nothing_to_do_promises_what_it_found() {
    let vfs = SimVfs::new();
    let open = |vfs: &SimVfs| {
        let root = FileRoot::open(Arc::new(vfs.clone()), "db").expect("opens");
        let options = Options { auto_jobs: false, threads: 1, ..Options::default() };
        Db::with_root(Arc::new(root), options).expect("opens")
    };
    let db = open(&vfs);
    let collection = db.create("c", CollectionConfig::default()).expect("made");
    let document = Document { id: "a".into(), ..Document::default() };
    collection.add(vec![document], AddMode::Insert, Some(Level::Always)).expect("stored");
    assert_eq!(collection.delete(vec!["a".into()], Some(Level::Os)).expect("deleted").ended, 1);
    assert_eq!(collection.delete(vec!["a".into()], Some(Level::Always)).expect("nothing to do").ended, 0);
    let left = vfs.after(Crash::LoseUnsynced, &mut Rng::new(1));
    let found = open(&left).collection("c").expect("opens").get("a", None).expect("sound");
    assert_eq!(found, None);
}
