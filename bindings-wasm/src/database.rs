//! The class that TypeScript sees: a database whose collections go by number.
//!
//! Docs of each method say what it answers; `js/src/wasm/kithdb_wasm.d.ts` is its type. Numbers and tickets cross as
//! f64, which is JavaScript's number: a u64 would be a BigInt.

mod keys;
mod replica;

use std::sync::Arc;

use js_sys::{JsString, Uint8Array};
use kithdb::base::ids::KV_NAME;
use kithdb::base::{Clock, Error, NoObserver, Pool, Result, SortedMap, StateError};
use kithdb::collection::{Embedding, Estimator, Moment, Mutation, View, check_searches};
use kithdb::embed::Embedder;
use kithdb::engine::{Begun, Collection, Database, Entry, Env, Job, JobKind, Manifest, Staged, export};
use kithdb::segment::Scratch;
use kithdb::storage::{Level, Object, StorageRoot};
use kithdb::wire::{
    Columns, ConfigureBody, CreateBody, EstimateAnswer, EstimateBody, FiguresAnswer, GraphAsk, InfoAnswer,
    JobAnswer, LinksBody, OpenBody, ScanBody, StatsAnswer, TouchesAnswer, UnlinksBody, parse, parse_level,
    to_json,
};
use serde::Serialize;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::arguments::{self, answer, thrown};
use crate::clock::BrowserClock;
use crate::others::Neighbours;
use crate::storage::TabRoot;
use crate::tasks::{Stepped, Task, Tasks};
use crate::work::{Missing, Snapshot};

/// A memtable of so many bytes is sealed: less than natively, since a tab has less memory.
const SEAL_BYTES: usize = 8 << 20;

/// No merge writes more: a third of what an instance should take, since its memory never shrinks.
const JOB_BYTES_MAX: u64 = 341 << 20;

/// An open database.
#[wasm_bindgen]
pub struct WasmDatabase {
    root: Arc<TabRoot>,
    database: Database,
    collections: SortedMap<u64, State>,
    /// Of a replica: those whose storage was renewed, which are to be opened anew.
    stale: Vec<u64>,
    embedding: Embedding,
    clock: Arc<dyn Clock>,
    pool: Arc<Pool>,
    level: Level,
    scratch: Scratch,
    /// Estimates that are being made, by their numbers, and how many were begun.
    estimators: SortedMap<u32, Estimator>,
    estimates: u32,
    tasks: Tasks,
}

/// A collection that is open, or why it is not.
enum State {
    Open(Box<Open>),
    Unopenable(Error),
}

struct Open {
    collection: Collection,
    job: Option<Job>,
}

impl Open {
    fn view(&self) -> Arc<View> {
        self.collection.reader().load_full()
    }
}

#[derive(Serialize)]
struct Submitted {
    ticket: u64,
    ended: usize,
}

type Thrown<T> = Result<T, JsValue>;

fn plain(value: &impl Serialize) -> Thrown<JsValue> {
    serde_wasm_bindgen::to_value(value).map_err(JsValue::from)
}

#[wasm_bindgen]
impl WasmDatabase {
    /// In memory, by the JSON of an `OpenBody`.
    pub fn memory(options: &str) -> Thrown<WasmDatabase> {
        Self::start(TabRoot::volatile(), options, Database::open).map_err(|error| thrown(&error))
    }

    /// From what a store holds. No collection is open yet: [`WasmDatabase::missing`] opens them.
    pub fn restore(options: &str, snapshot: JsValue) -> Thrown<WasmDatabase> {
        let snapshot: Snapshot = serde_wasm_bindgen::from_value(snapshot)?;
        Self::start(TabRoot::restore(snapshot), options, Database::open).map_err(|error| thrown(&error))
    }

    fn start(
        root: TabRoot,
        options: &str,
        open: fn(Arc<dyn StorageRoot>, Env) -> Result<Database>,
    ) -> Result<Self> {
        let OpenBody { durability, read_only, .. } = parse(options.as_bytes())?;
        if read_only {
            return Err(Error::parameter("read_only", true, "a database in a directory"));
        }
        let level = durability.as_deref().map_or(Ok(Level::default()), parse_level)?;
        #[cfg(feature = "threads")]
        let pool = Arc::new(Pool::global());
        #[cfg(not(feature = "threads"))]
        let pool = Arc::new(Pool::single());
        let clock: Arc<dyn Clock> = Arc::new(BrowserClock);
        let root = Arc::new(root);
        let database = open(Arc::clone(&root) as Arc<dyn StorageRoot>, env(&clock, &pool))?;
        let (collections, stale, embedding) = (SortedMap::new(), Vec::new(), Embedding::default());
        let scratch = Scratch::default();
        let (estimators, estimates, tasks) = (SortedMap::new(), 0, Tasks::default());
        Ok(Self {
            root,
            database,
            collections,
            stale,
            embedding,
            clock,
            pool,
            level,
            scratch,
            estimators,
            estimates,
            tasks,
        })
    }

    /// What turns texts into vectors, from its two files. Before the first collection is opened or made.
    #[wasm_bindgen(js_name = setEmbedder)]
    pub fn set_embedder(&mut self, name: &str, model: &[u8], tokenizer: &[u8]) -> Thrown<()> {
        let loaded = Embedder::load(name, model, tokenizer).map_err(|error| thrown(&error))?;
        self.embedding = Embedding(Some(Arc::new(loaded)));
        Ok(())
    }

    /// Opens the collections whose blobs are here; an array of the blobs that the others need.
    pub fn missing(&mut self) -> Thrown<JsValue> {
        let mut missing = Vec::new();
        let closed: Vec<_> = self
            .database
            .entries()
            .iter()
            .filter(|e| !self.collections.contains_key(&e.number) || self.stale.contains(&e.number))
            .cloned()
            .collect();
        for entry in closed {
            let Err(error) = self.open(&entry.name, entry.number) else { continue };
            if let Some(ranges) = error.missing() {
                let named = ranges.iter().map(|range| range.blob);
                missing.extend(self.needed(entry.number, named.collect()));
            } else {
                self.stale.retain(|stale| *stale != entry.number);
                self.collections.insert(entry.number, State::Unopenable(error));
            }
        }
        plain(&missing)
    }

    fn open(&mut self, name: &str, number: u64) -> Result<()> {
        let mut collection = self.database.open_collection(name)?;
        collection.bound_jobs(JOB_BYTES_MAX);
        // Afterwards its bytes go, and nobody could fetch them while a search waits.
        collection.reader().load().warm()?;
        self.root.release(number);
        self.collections.insert(number, State::Open(Box::new(Open { collection, job: None })));
        self.stale.retain(|stale| *stale != number);
        Ok(())
    }

    /// All blobs that the manifest names, where it can be read: brought at once, a collection is opened twice, not once
    /// for each.
    fn needed(&self, number: u64, named: Vec<u64>) -> Vec<Missing> {
        let manifest = || -> Result<Manifest> {
            let storage = self.root.storage(number)?;
            let current = storage.current()?.unwrap_or(0);
            Manifest::decode(current, &storage.manifest(current)?)
        };
        let blob = |object: Object| if let Object::Blob(blob, _) = object { Some(blob) } else { None };
        let mut blobs: Vec<u64> = manifest().map_or_else(
            |_| named.clone(),
            |manifest| manifest.objects().into_iter().filter_map(blob).chain(named.clone()).collect(),
        );
        blobs.sort_unstable();
        blobs.dedup();
        let missing =
            |blob: u64| Some(Missing { storage: number, blob, length: self.root.is_missing(number, blob)? });
        blobs.into_iter().filter_map(missing).collect()
    }

    /// Brings a piece of a blob; its pieces come in order.
    pub fn provide(
        &self,
        storage: f64,
        blob: f64,
        offset: f64,
        total: f64,
        bytes: &Uint8Array,
    ) -> Thrown<()> {
        let piece = arguments::piece(offset, bytes);
        self.root
            .provide(storage as u64, blob as u64, piece, total as u64, |place| bytes.copy_to(place))
            .map_err(|error| thrown(&error))
    }

    /// Makes a collection from the JSON of a `CreateBody`; a ticket. `id` is drawn by the caller.
    pub fn create(&mut self, name: &str, config: &str, id: u64) -> Thrown<f64> {
        let mut create = || {
            let config = parse::<CreateBody>(config.as_bytes())?.config(name, self.embedding.reference())?;
            let staged = self.database.stage(name, id, config)?;
            self.admit(name, staged)
        };
        create().map_err(|error| thrown(&error))
    }

    /// Makes a collection from an export; a ticket.
    #[wasm_bindgen(js_name = import)]
    pub fn import_collection(&mut self, name: &str, file: &[u8], id: u64) -> Thrown<f64> {
        let staged = self.database.stage_import(name, id, file);
        staged.and_then(|staged| self.admit(name, staged)).map_err(|error| thrown(&error))
    }

    fn admit(&mut self, name: &str, staged: Staged) -> Result<f64> {
        self.database.admit(staged);
        let number = self.number(name)?;
        self.open(name, number)?;
        Ok(self.root.last_ticket().0 as f64)
    }

    /// Drops a collection; a ticket.
    #[wasm_bindgen(js_name = drop)]
    pub fn drop_collection(&mut self, name: &str) -> Thrown<f64> {
        let mut drop_it = || {
            self.users_number(name)?;
            let (number, _) = self.database.forget(name)?;
            self.collections.remove(&number);
            self.database.remove(number)?;
            Ok(self.root.last_ticket().0 as f64)
        };
        drop_it().map_err(|error: Error| thrown(&error))
    }

    /// The number of a collection, for ever its own.
    pub fn collection(&self, name: &str) -> Thrown<f64> {
        let number = || {
            let number = self.users_number(name)?;
            match self.collections.get(&number) {
                Some(State::Unopenable(error)) => {
                    let (name, cause) = (name.to_owned(), error.to_string());
                    Err(StateError::Unopenable { name, cause }.into())
                }
                _ => Ok(number as f64),
            }
        };
        number().map_err(|error: Error| thrown(&error))
    }

    fn number(&self, name: &str) -> Result<u64> {
        Ok(self.database.find(name)?.number)
    }

    /// The number of a collection to which a user gave this name.
    fn users_number(&self, name: &str) -> Result<u64> {
        if name == KV_NAME {
            return Err(StateError::UnknownCollection { name: name.to_owned() }.into());
        }
        self.number(name)
    }

    /// The JSON of what all collections are.
    pub fn collections(&self) -> Thrown<String> {
        let info = |entry: &Entry| {
            self.collection(&entry.name)?;
            self.at(entry.number as f64).map(info).map_err(|error| thrown(&error))
        };
        let users = self.database.entries().iter().filter(|entry| entry.name != KV_NAME);
        let infos = users.map(info).collect::<Thrown<Vec<_>>>()?;
        Ok(to_json(&infos))
    }

    /// The JSON of what a collection is and holds.
    pub fn info(&self, c: f64) -> Thrown<String> {
        self.at(c).map(|open| to_json(&info(open))).map_err(|error| thrown(&error))
    }

    fn at(&self, c: f64) -> Result<&Open> {
        match self.collections.get(&(c as u64)) {
            Some(State::Open(open)) => Ok(open),
            Some(State::Unopenable(error)) => Err(error.clone()),
            None => Err(StateError::Closed { what: "collection" }.into()),
        }
    }

    fn at_mut(&mut self, c: f64) -> Result<&mut Open> {
        match self.collections.get_mut(&(c as u64)) {
            Some(State::Open(open)) => Ok(open),
            Some(State::Unopenable(error)) => Err(error.clone()),
            None => Err(StateError::Closed { what: "collection" }.into()),
        }
    }

    /// Stores documents: `{ticket, ended}`, how many were replaced. The arrays have one length; the vectors stand one
    /// behind the other, with -1 as the length of none.
    #[expect(
        clippy::too_many_arguments,
        reason = "arrays of numbers cross quickly one by one, slowly as an object"
    )]
    pub fn write(
        &mut self,
        c: f64,
        ids: Vec<JsString>,
        vectors: &[f32],
        lengths: &[i32],
        metadata: Vec<JsValue>,
        lives: Vec<JsValue>,
        upsert: bool,
        options: Option<String>,
    ) -> Thrown<JsValue> {
        let mut write = || {
            let (level, bulk) = arguments::how(options.as_deref())?;
            let mut documents =
                arguments::documents(&ids, vectors, lengths, &metadata, &lives, &*self.clock)?;
            let open = self.at(c)?;
            self.embedding.fill(open.collection.name(), &open.view().config, &self.pool, &mut documents)?;
            let mutation = if upsert { Mutation::Upsert } else { Mutation::Add };
            let batch = documents.into_iter().map(mutation).collect();
            if bulk { self.submit_bulk(c, batch) } else { self.submit(c, batch, level) }
        };
        plain(&write().map_err(|error| thrown(&error))?)
    }

    /// Deletes documents: `{ticket, ended}`, how many were there.
    pub fn delete(&mut self, c: f64, ids: Vec<JsString>, options: Option<String>) -> Thrown<JsValue> {
        let mut delete = || {
            let level = arguments::level(options.as_deref())?;
            self.submit(c, arguments::ids(&ids)?.into_iter().map(Mutation::Delete).collect(), level)
        };
        plain(&delete().map_err(|error| thrown(&error))?)
    }

    /// Counts a use of documents: `{ticket, ended}`, how many were there.
    pub fn touch(&mut self, c: f64, ids: Vec<JsString>, options: Option<String>) -> Thrown<JsValue> {
        let mut touch = || {
            let level = arguments::level(options.as_deref())?.unwrap_or(self.level);
            let batch = arguments::ids(&ids)?.into_iter().map(Mutation::Touch).collect();
            let submitted = self.at_mut(c)?.collection.submit(batch, level)?;
            let ticket = submitted.ticket.map_or(0, |ticket| ticket.0);
            Ok(Submitted { ticket, ended: submitted.touched })
        };
        plain(&touch().map_err(|error: Error| thrown(&error))?)
    }

    /// Makes edges, by the JSON of a `LinksBody`: `{ticket, ended}`, how many versions began.
    pub fn link(&mut self, c: f64, edges: &str) -> Thrown<JsValue> {
        let mut link = || {
            let (batch, level) = parse::<LinksBody<'_>>(edges.as_bytes())?.batch()?;
            let level = level.unwrap_or(self.level);
            let submitted = self.at_mut(c)?.collection.submit(batch, level)?;
            let ticket = submitted.ticket.map_or(0, |ticket| ticket.0);
            Ok(Submitted { ticket, ended: submitted.linked })
        };
        plain(&link().map_err(|error: Error| thrown(&error))?)
    }

    /// Ends edges, by the JSON of an `UnlinksBody`: `{ticket, ended}`, how many were there.
    pub fn unlink(&mut self, c: f64, edges: &str) -> Thrown<JsValue> {
        let mut unlink = || {
            let (batch, level) = parse::<UnlinksBody>(edges.as_bytes())?.batch()?;
            let level = level.unwrap_or(self.level);
            let submitted = self.at_mut(c)?.collection.submit(batch, level)?;
            let ticket = submitted.ticket.map_or(0, |ticket| ticket.0);
            Ok(Submitted { ticket, ended: submitted.unlinked })
        };
        plain(&unlink().map_err(|error: Error| thrown(&error))?)
    }

    /// The JSON of what the graph answers to a question of this verb.
    pub fn graph(&self, c: f64, verb: &str, question: &str) -> Thrown<String> {
        let ask = || {
            let ask = GraphAsk::parse(verb, question.as_bytes())?;
            let (open, clock) = (self.at(c)?, self.clock.now_ns());
            let look = |name: &str| self.other(name);
            let others = Neighbours::new(open.collection.name(), &look);
            let found = open.view().ask_graph_among(Some(&others), &ask.question, &ask.options, clock)?;
            Ok(to_json(&ask.answer(found)))
        };
        ask().map_err(|error: Error| thrown(&error))
    }

    /// The JSON of how often documents were touched.
    pub fn touches(&self, c: f64, ids: Vec<JsString>) -> Thrown<String> {
        let touches = || {
            let (view, now) = self.look(c, None)?;
            Ok(to_json(&TouchesAnswer::from(view.touches(&arguments::ids(&ids)?, now)?)))
        };
        touches().map_err(|error: Error| thrown(&error))
    }

    /// In one call, which takes about as long as storing and sealing the batch would. A job that is between two steps is
    /// broken off.
    fn submit_bulk(&mut self, c: f64, batch: Vec<Mutation>) -> Result<Submitted> {
        let open = self.at_mut(c)?;
        if open.job.take().is_some() {
            // What it was to do will be due again.
            open.collection.abandon();
        }
        let begun = open.collection.begin_bulk(batch)?;
        let Some(Begun { mut job, ended }) = begun else { return Ok(Submitted { ticket: 0, ended: 0 }) };
        let collection = &mut open.collection;
        let write = |collection: &mut Collection| {
            while !job.step(usize::MAX)? {}
            let mut committed = collection.commit(job)?;
            collection.publish(&mut committed).inspect_err(|error| collection.fail(error.to_string()))?;
            let confirmation = collection.confirm()?;
            collection.confirmed(confirmation);
            Ok(())
        };
        let written: Result<()> = write(collection);
        if written.is_err() {
            collection.abandon();
        }
        written?;
        self.root.release(c as u64);
        Ok(Submitted { ticket: self.root.last_ticket().0, ended })
    }

    fn submit(&mut self, c: f64, batch: Vec<Mutation>, level: Option<Level>) -> Result<Submitted> {
        let level = level.unwrap_or(self.level);
        let submitted = self.at_mut(c)?.collection.submit(batch, level)?;
        Ok(Submitted { ticket: submitted.ticket.map_or(0, |ticket| ticket.0), ended: submitted.ended })
    }

    /// Documents by their ids, in one consistent state: `{json, vectors, lengths}`.
    pub fn get(&self, c: f64, ids: Vec<JsString>, options: Option<String>) -> Thrown<JsValue> {
        let get = || {
            let (view, moment) = self.look(c, arguments::as_of(options.as_deref())?)?;
            Ok(Columns::documents(&view.get_many(&arguments::ids(&ids)?, moment)?))
        };
        get().map(answer).map_err(|error: Error| thrown(&error))
    }

    /// The versions of a document that are kept, the newest first: `{json, vectors, lengths}`.
    pub fn versions(&self, c: f64, id: JsString) -> Thrown<JsValue> {
        let versions = || Ok(Columns::versions(&self.at(c)?.view().versions(&arguments::id(&id)?)?));
        versions().map(answer).map_err(|error: Error| thrown(&error))
    }

    /// The state of a collection by its name; `None` where there is none.
    fn other(&self, name: &str) -> Result<Option<Arc<View>>> {
        if name == KV_NAME {
            return Ok(None);
        }
        let Ok(entry) = self.database.find(name) else { return Ok(None) };
        match self.collections.get(&entry.number) {
            Some(State::Open(open)) => Ok(Some(open.view())),
            Some(State::Unopenable(error)) => {
                let (name, cause) = (name.to_owned(), error.to_string());
                Err(StateError::Unopenable { name, cause }.into())
            }
            None => Ok(None),
        }
    }

    /// The state of a collection and the moment that a reader asks for.
    fn look(&self, c: f64, as_of: Option<i64>) -> Result<(Arc<View>, Moment)> {
        let view = self.at(c)?.view();
        let moment = view.moment(as_of, self.clock.now_ns())?;
        Ok((view, moment))
    }

    /// A page of documents, by the JSON of a `ScanBody`: `{json, vectors, lengths}`.
    pub fn scan(&self, c: f64, request: &str) -> Thrown<JsValue> {
        let scan = || {
            let (cursor, limit, as_of) = parse::<ScanBody>(request.as_bytes())?.page()?;
            let (view, moment) = self.look(c, as_of)?;
            Ok(Columns::page(&view.scan(cursor, limit, moment)?))
        };
        scan().map(answer).map_err(|error: Error| thrown(&error))
    }

    /// Searches, by the JSON of a `SearchBody` and its vector: `{json, vectors, lengths}`, by columns.
    pub fn search(&mut self, c: f64, request: &str, vector: Option<Vec<f32>>) -> Thrown<JsValue> {
        let search = || {
            let mut request = arguments::search(request, vector)?;
            let (view, moment) = self.look(c, request.as_of)?;
            let open = self.at(c)?;
            request.check()?;
            self.embedding.ask(open.collection.name(), &view.config, &mut request)?;
            let mut scratch = std::mem::take(&mut self.scratch);
            let look = |name: &str| self.other(name);
            let others = Neighbours::new(self.at(c)?.collection.name(), &look);
            let found = view.search_among(Some(&others), &request, moment, &mut scratch);
            self.scratch = scratch;
            found.map(Columns::found)
        };
        search().map(answer).map_err(|error| thrown(&error))
    }

    /// Searches for many at once, by the JSON of a `SearchBody` for each; the vectors stand one behind the other, with -1
    /// as the length of none: an array of `{json, vectors, lengths}`, by columns.
    #[wasm_bindgen(js_name = searchMany)]
    pub fn search_many(
        &mut self,
        c: f64,
        requests: Vec<String>,
        vectors: &[f32],
        lengths: &[i32],
    ) -> Thrown<Vec<JsValue>> {
        let mut search = || {
            let mut requests = arguments::searches(&requests, vectors, lengths)?;
            check_searches(&mut requests)?;
            let open = self.at(c)?;
            let (view, now) = (open.view(), self.clock.now_ns());
            let mut found = Vec::with_capacity(requests.len());
            for request in &mut requests {
                request.check()?;
                self.embedding.ask(open.collection.name(), &view.config, request)?;
            }
            let mut scratch = std::mem::take(&mut self.scratch);
            let look = |name: &str| self.other(name);
            let others = Neighbours::new(self.at(c)?.collection.name(), &look);
            for request in &requests {
                let moment = view.moment(request.as_of, now)?;
                let answer = view.search_among(Some(&others), request, moment, &mut scratch);
                found.push(answer.map(Columns::found)?);
            }
            self.scratch = scratch;
            Ok(found)
        };
        let found = search().map_err(|error: Error| thrown(&error))?;
        Ok(found.into_iter().map(answer).collect())
    }

    /// The JSON of what all collections hold and take.
    pub fn stats(&self) -> String {
        let figures = |entry: &Entry| {
            let figures = self.at(entry.number as f64).and_then(|open| open.collection.known().figures());
            FiguresAnswer::new(&entry.name, &figures)
        };
        to_json(&StatsAnswer { collections: self.database.entries().iter().map(figures).collect() })
    }

    /// A collection as one file.
    #[wasm_bindgen(js_name = export)]
    pub fn export_collection(&self, c: f64) -> Thrown<Vec<u8>> {
        self.at(c).and_then(|open| export::write(&open.view())).map_err(|error| thrown(&error))
    }

    /// Changes the settings of a collection, by the JSON of a `ConfigureBody`; a ticket.
    pub fn configure(&mut self, c: f64, change: &str) -> Thrown<f64> {
        let mut configure = || {
            let body: ConfigureBody = parse(change.as_bytes())?;
            let level = body.level()?.unwrap_or(self.level);
            let settings = body.change(self.at(c)?.view().config.settings.clone())?;
            Ok(self.at_mut(c)?.collection.configure(settings, level)?.0 as f64)
        };
        configure().map_err(|error: Error| thrown(&error))
    }

    /// What should be done next to a collection: the name of a kind of job, or nothing.
    pub fn due(&self, c: f64) -> Thrown<Option<String>> {
        let open = self.at(c).map_err(|error| thrown(&error))?;
        let due = JobKind::ALL.into_iter().find(|kind| open.collection.is_due(*kind, SEAL_BYTES));
        Ok(due.map(|kind| kind.name().to_owned()))
    }

    /// Begins a job; false when there is nothing for it to do.
    pub fn begin(&mut self, c: f64, kind: &str) -> Thrown<bool> {
        let mut begin = || {
            let kind = JobKind::parse(kind)?;
            let open = self.at_mut(c)?;
            open.job = open.collection.begin(kind)?;
            Ok(open.job.is_some())
        };
        begin().map_err(|error: Error| thrown(&error))
    }

    /// Works on the job for about so many documents; true when it is built.
    pub fn step(&mut self, c: f64, documents: usize) -> Thrown<bool> {
        let step = |open: &mut Open| open.job.as_mut().map_or(Ok(true), |job| job.step(documents));
        self.at_mut(c).and_then(step).map_err(|error| thrown(&error))
    }

    /// The JSON of the job that runs; nothing for none.
    pub fn job(&self, c: f64) -> Thrown<Option<String>> {
        let open = self.at(c).map_err(|error| thrown(&error))?;
        Ok(open.job.as_ref().map(|job| to_json(&JobAnswer::new(job.kind().name(), job.progress()))))
    }

    /// Begins to find out what other codes and stored forms would take and find, by the JSON of an `EstimateBody`; its
    /// number.
    #[wasm_bindgen(js_name = beginEstimate)]
    pub fn begin_estimate(&mut self, c: f64, request: &str) -> Thrown<u32> {
        let begin = || {
            let body: EstimateBody = parse(request.as_bytes())?;
            Estimator::new(self.at(c)?.view(), body.request())
        };
        let estimator = begin().map_err(|error: Error| thrown(&error))?;
        self.estimates += 1;
        self.estimators.insert(self.estimates, estimator);
        Ok(self.estimates)
    }

    /// Works on an estimate for about so many vectors; its JSON once it is known.
    #[wasm_bindgen(js_name = stepEstimate)]
    pub fn step_estimate(&mut self, estimate: u32, vectors: usize) -> Thrown<Option<String>> {
        let unknown = || Error::from(StateError::Closed { what: "estimate" });
        let estimator = self.estimators.get_mut(&estimate).ok_or_else(|| thrown(&unknown()))?;
        if !estimator.step(vectors, &self.pool).map_err(|error| thrown(&error))? {
            return Ok(None);
        }
        let known = self.estimators.remove(&estimate).map(Estimator::into_estimate);
        Ok(known.map(|known| to_json(&EstimateAnswer::from(known))))
    }

    /// Begins a task over a whole collection, of the kind `relink` or `components`, by the JSON of what is asked; its number.
    #[wasm_bindgen(js_name = beginTask)]
    pub fn begin_task(&mut self, c: f64, kind: &str, request: &str) -> Thrown<u32> {
        let begin = || Task::begin(c as u64, self.at(c)?.view(), kind, request, self.clock.now_ns());
        let task = begin().map_err(|error: Error| thrown(&error))?;
        Ok(self.tasks.add(task))
    }

    /// Works on a task for about so many documents: `{ticket, answer}`, its JSON once it is done.
    #[wasm_bindgen(js_name = stepTask)]
    pub fn step_task(&mut self, task: u32, documents: usize) -> Thrown<JsValue> {
        let mut step = || {
            let mut found = self.tasks.take(task)?;
            let stepped = match &mut found {
                Task::Relink { collection, work, linked } => {
                    let collection = *collection as f64;
                    let (view, clock) = (self.at(collection)?.view(), self.clock.now_ns());
                    match work.step(&view, clock, documents)? {
                        Some(batch) => {
                            let level = self.level;
                            let submitted = self.at_mut(collection)?.collection.submit(batch, level)?;
                            *linked += submitted.linked;
                            Stepped { ticket: submitted.ticket.map_or(0, |ticket| ticket.0), answer: None }
                        }
                        None => found.ended()?,
                    }
                }
                Task::Components { view, found: search, .. } => match search.step(view, documents)? {
                    false => Stepped::default(),
                    true => found.ended()?,
                },
            };
            if stepped.answer.is_none() {
                self.tasks.put_back(task, found);
            }
            Ok(stepped)
        };
        plain(&step().map_err(|error: Error| thrown(&error))?)
    }

    /// The JSON of how far a task has come.
    #[wasm_bindgen(js_name = taskProgress)]
    pub fn task_progress(&self, task: u32) -> Thrown<String> {
        self.tasks.progress(task).map_err(|error| thrown(&error))
    }

    /// Forgets a task.
    #[wasm_bindgen(js_name = endTask)]
    pub fn end_task(&mut self, task: u32) {
        self.tasks.end(task);
    }

    /// Makes what the job has built visible; a ticket, or nothing when it found nothing to do.
    pub fn finish(&mut self, c: f64) -> Thrown<Option<f64>> {
        let finish = |open: &mut Open| {
            let Some(job) = open.job.take() else { return Ok(true) };
            if job.is_idle() {
                open.collection.abandon();
                return Ok(false);
            }
            let mut committed = open.collection.commit(job)?;
            open.collection.publish(&mut committed)?;
            if committed.wants_confirmation() {
                let confirmation = open.collection.confirm()?;
                open.collection.confirmed(confirmation);
            }
            Ok(true)
        };
        let has_finished = self.at_mut(c).and_then(finish).map_err(|error| thrown(&error))?;
        self.root.release(c as u64);
        Ok(has_finished.then(|| self.root.last_ticket().0 as f64))
    }

    /// Forgets the job.
    pub fn abandon(&mut self, c: f64) -> Thrown<()> {
        let open = self.at_mut(c).map_err(|error| thrown(&error))?;
        open.job = None;
        open.collection.abandon();
        self.root.release(c as u64);
        Ok(())
    }

    /// A ticket that is kept when everything before it is on the disk.
    pub fn sync(&self) -> f64 {
        self.root.sync().0 as f64
    }

    /// The next queued work, about so many bytes of it: `{ticket, strict, work}`; nothing when there is none.
    #[wasm_bindgen(js_name = takeWork)]
    pub fn take_work(&self, bytes: usize) -> Thrown<JsValue> {
        self.root.take_work(bytes, |batch| plain(batch)).unwrap_or(Ok(JsValue::UNDEFINED))
    }

    /// The store has committed everything up to this ticket.
    pub fn kept(&self, ticket: f64, strict: bool) {
        self.root.kept(ticket as u64, strict);
    }
}

fn env(clock: &Arc<dyn Clock>, pool: &Arc<Pool>) -> Env {
    Env { clock: Arc::clone(clock), observer: Arc::new(NoObserver), pool: Arc::clone(pool) }
}

fn info(open: &Open) -> InfoAnswer {
    let view = open.view();
    InfoAnswer::new(open.collection.name(), &view)
}
