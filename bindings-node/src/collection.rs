//! The class of a collection.

use std::sync::Arc;

use kithdb::base::Result;
use kithdb::engine::JobKind;
use kithdb::host::{AddMode, Among, CollectionHandle, Db, Reference};
use kithdb::wire::{
    Columns, ConfigureBody, EstimateAnswer, EstimateBody, GraphAsk, JobAnswer, LinksBody, RelinkAnswer,
    ScanBody, TouchesAnswer, UnlinksBody, parse, parse_id, to_json,
};
use napi::bindgen_prelude::{AsyncTask, Float32ArraySlice, Uint8Array, Utf16String};
use napi_derive::napi;

use crate::answers::{self, Answer};
use crate::arguments::{self, Unread};
use crate::work::{Work, js_error, promise};

/// A collection of an open database. What is not open is opened on the thread that works with it.
#[napi]
pub struct NativeCollection {
    reference: Reference,
    /// A database that nobody else refers to stays open for as long as one of its collections is there.
    _database: Arc<Db>,
}

impl NativeCollection {
    pub(crate) fn new(name: &str, database: Arc<Db>) -> Result<Self> {
        Ok(Self { reference: database.reference(name)?, _database: database })
    }

    /// Does it before it returns.
    pub(crate) fn now<T>(&self, job: impl FnOnce(&CollectionHandle) -> Result<T>) -> napi::Result<T> {
        self.reference.open().and_then(|handle| job(&handle)).map_err(|error| js_error(&error))
    }

    fn later<T>(
        &self,
        job: impl FnOnce(&CollectionHandle) -> Result<T> + Send + 'static,
    ) -> AsyncTask<Work<T>>
    where
        T: napi::bindgen_prelude::ToNapiValue + napi::bindgen_prelude::TypeName + Send + 'static,
    {
        let reference = self.reference.clone();
        promise(move || job(&*reference.open()?))
    }
}

#[napi]
impl NativeCollection {
    /// The JSON of what it is and holds.
    #[napi(catch_unwind)]
    pub fn info(&self) -> AsyncTask<Work<String>> {
        self.later(|handle| Ok(answers::info(&handle.info()?)))
    }

    /// Stores documents and answers how many were replaced. The arrays have one length.
    #[napi(catch_unwind)]
    pub fn write(
        &self,
        ids: Vec<Utf16String>,
        vectors: Vec<Option<Float32ArraySlice<'_>>>,
        metadata: Vec<Option<String>>,
        lives: Vec<Option<String>>,
        upsert: bool,
        options: Option<String>,
    ) -> AsyncTask<Work<u32>> {
        let documents = arguments::copy(ids, vectors, metadata, lives);
        self.later(move |handle| write(handle, documents, upsert, options.as_deref()))
    }

    /// Deletes documents and answers how many were there.
    #[napi(catch_unwind)]
    pub fn delete(&self, ids: Vec<Utf16String>, options: Option<String>) -> AsyncTask<Work<u32>> {
        self.later(move |handle| delete(handle, &ids, options.as_deref()))
    }

    /// Counts a use of documents and answers how many were there.
    #[napi(catch_unwind)]
    pub fn touch(&self, ids: Vec<Utf16String>, options: Option<String>) -> AsyncTask<Work<u32>> {
        self.later(move |handle| {
            let level = arguments::level(options.as_deref())?;
            handle.touch(arguments::ids(&ids)?, level).map(|written| count(written.touched))
        })
    }

    /// The JSON of how often documents were touched.
    #[napi(catch_unwind)]
    pub fn touches(&self, ids: Vec<Utf16String>) -> AsyncTask<Work<String>> {
        self.later(move |handle| {
            let touches = handle.touches(&arguments::ids(&ids)?)?;
            Ok(to_json(&TouchesAnswer::from(touches)))
        })
    }

    /// Makes edges, by the JSON of a `LinksBody`, and answers how many versions began.
    #[napi(catch_unwind)]
    pub fn link(&self, edges: String) -> AsyncTask<Work<u32>> {
        self.later(move |handle| link(handle, &edges))
    }

    /// Ends edges, by the JSON of an `UnlinksBody`, and answers how many were there.
    #[napi(catch_unwind)]
    pub fn unlink(&self, edges: String) -> AsyncTask<Work<u32>> {
        self.later(move |handle| unlink(handle, &edges))
    }

    /// The JSON of what the graph answers to a question of this verb.
    #[napi(catch_unwind)]
    pub fn graph(&self, verb: String, question: String) -> AsyncTask<Work<String>> {
        self.later(move |handle| graph(handle, &verb, &question))
    }

    /// Documents by their ids, in one consistent state; how, by the JSON of a `ReadBody`.
    #[napi(catch_unwind)]
    pub fn get(&self, ids: Vec<Utf16String>, options: Option<String>) -> AsyncTask<Work<Answer>> {
        self.later(move |handle| get(handle, &ids, options.as_deref()))
    }

    /// The versions of a document that are kept, the newest first.
    #[napi(catch_unwind)]
    pub fn versions(&self, id: Utf16String) -> AsyncTask<Work<Answer>> {
        self.later(move |handle| Ok(Columns::versions(&handle.versions(&parse_id(&id)?)?).into()))
    }

    /// A page of documents, by the JSON of a `ScanBody`.
    #[napi(catch_unwind)]
    pub fn scan(&self, request: String) -> AsyncTask<Work<Answer>> {
        self.later(move |handle| scan(handle, &request))
    }

    /// Searches, by the JSON of a `SearchBody` and its vector.
    #[napi(catch_unwind)]
    pub fn search(&self, request: String, vector: Option<&[f32]>) -> AsyncTask<Work<Answer>> {
        let vector = vector.map(<[f32]>::to_vec);
        self.later(move |handle| {
            let request = arguments::search(&request, vector.as_deref())?;
            Ok(Columns::found(handle.search_among(Some(Among::All), request)?).into())
        })
    }

    /// Searches for many at once, by the JSON of a `SearchBody` and a vector, or none, for each.
    #[napi(catch_unwind)]
    pub fn search_many(
        &self,
        requests: Vec<String>,
        vectors: Vec<Option<Float32ArraySlice<'_>>>,
    ) -> AsyncTask<Work<Vec<Answer>>> {
        let vectors: Vec<_> = vectors.into_iter().map(|vector| vector.map(|v| v.to_vec())).collect();
        self.later(move |handle| {
            let read = |(request, vector): (&String, &Option<Vec<f32>>)| {
                arguments::search(request, vector.as_deref())
            };
            let requests = requests.iter().zip(&vectors).map(read).collect::<Result<_>>()?;
            let found = handle.search_many_among(Some(Among::All), requests)?;
            Ok(found.into_iter().map(|found| Columns::found(found).into()).collect())
        })
    }

    /// Searches before it returns.
    #[napi(catch_unwind)]
    pub fn search_sync(&self, request: String, vector: Option<&[f32]>) -> napi::Result<Answer> {
        let search = |request| self.reference.open()?.search_among(Some(Among::All), request);
        let response = arguments::search(&request, vector).and_then(search);
        response.map(|found| Columns::found(found).into()).map_err(|error| js_error(&error))
    }

    /// Runs a job of the kind of this name; false when there is nothing to do.
    #[napi(catch_unwind)]
    pub fn run(&self, kind: String) -> AsyncTask<Work<bool>> {
        self.later(move |handle| handle.run(JobKind::parse(&kind)?))
    }

    /// Applies the rules of auto-links to what is there: the JSON of what that did.
    #[napi(catch_unwind)]
    pub fn relink(&self) -> AsyncTask<Work<String>> {
        self.later(|handle| Ok(to_json(&RelinkAnswer::from(handle.relink()?))))
    }

    /// The JSON of the job that runs; nothing for none.
    #[napi(catch_unwind)]
    pub fn job(&self) -> napi::Result<Option<String>> {
        let handle = self.reference.open().map_err(|error| js_error(&error))?;
        Ok(handle.job().map(|job| to_json(&JobAnswer::new(job.kind.name(), job.progress))))
    }

    /// Has the job that runs end without having done anything; false when there is none to cancel.
    #[napi(catch_unwind)]
    pub fn cancel_job(&self) -> napi::Result<bool> {
        self.reference.open().map(|handle| handle.cancel_job()).map_err(|error| js_error(&error))
    }

    /// The JSON of what other codes and stored forms would take and find, by that of an `EstimateBody`.
    #[napi(catch_unwind)]
    pub fn estimate(&self, request: String) -> AsyncTask<Work<String>> {
        self.later(move |handle| {
            let body: EstimateBody = parse(request.as_bytes())?;
            Ok(to_json(&EstimateAnswer::from(handle.estimate(body.request())?)))
        })
    }

    /// Changes its settings, by the JSON of a `ConfigureBody`.
    #[napi(catch_unwind)]
    pub fn configure(&self, change: String) -> AsyncTask<Work<()>> {
        self.later(move |handle| {
            let body: ConfigureBody = parse(change.as_bytes())?;
            handle.configure(|settings| body.change(settings), body.level()?)
        })
    }

    /// The collection as one file.
    #[napi(catch_unwind, js_name = "export")]
    pub fn export_collection(&self) -> AsyncTask<Work<Uint8Array>> {
        self.later(|handle| handle.export().map(Uint8Array::new))
    }
}

/// Stores documents and answers how many were replaced.
pub fn write(
    handle: &CollectionHandle,
    documents: Vec<Unread>,
    upsert: bool,
    options: Option<&str>,
) -> Result<u32> {
    let mode = if upsert { AddMode::Upsert } else { AddMode::Insert };
    let (level, bulk) = arguments::how(options)?;
    let documents = arguments::documents(documents, handle.clock())?;
    let written = if bulk { handle.add_bulk(documents, mode) } else { handle.add(documents, mode, level) };
    Ok(count(written?.ended))
}

/// Deletes documents and answers how many were there.
pub fn delete(handle: &CollectionHandle, ids: &[Utf16String], options: Option<&str>) -> Result<u32> {
    let level = arguments::level(options)?;
    handle.delete(arguments::ids(ids)?, level).map(|written| count(written.ended))
}

/// Makes edges and answers how many versions began.
pub fn link(handle: &CollectionHandle, edges: &str) -> Result<u32> {
    let (batch, level) = parse::<LinksBody<'_>>(edges.as_bytes())?.batch()?;
    handle.write(batch, level).map(|written| count(written.linked))
}

/// Ends edges and answers how many were there.
pub fn unlink(handle: &CollectionHandle, edges: &str) -> Result<u32> {
    let (batch, level) = parse::<UnlinksBody>(edges.as_bytes())?.batch()?;
    handle.write(batch, level).map(|written| count(written.unlinked))
}

/// The JSON of what the graph answers to a question of this verb.
pub fn graph(handle: &CollectionHandle, verb: &str, question: &str) -> Result<String> {
    let ask = GraphAsk::parse(verb, question.as_bytes())?;
    let found = handle.ask_graph_among(Some(Among::All), &ask.question, &ask.options)?;
    Ok(to_json(&ask.answer(found)))
}

/// Documents by their ids, in one consistent state.
pub fn get(handle: &CollectionHandle, ids: &[Utf16String], options: Option<&str>) -> Result<Answer> {
    let as_of = arguments::as_of(options)?;
    let rows = handle.get_many(&arguments::ids(ids)?, as_of)?;
    Ok(Columns::documents(&rows).into())
}

/// A page of documents.
pub fn scan(handle: &CollectionHandle, request: &str) -> Result<Answer> {
    let (cursor, limit, as_of) = parse::<ScanBody>(request.as_bytes())?.page()?;
    Ok(Columns::page(&handle.scan(cursor, limit, as_of)?).into())
}

/// A count of documents, of which there are fewer than slots.
fn count(documents: usize) -> u32 {
    u32::try_from(documents).expect("a batch is at most a million documents")
}
