//! The class of a database.

use std::path::Path;
use std::sync::Arc;

use kithdb::base::Result;
use kithdb::host::{Db, Options, delete, load_embedder};
use kithdb::wire::{
    CreateBody, FiguresAnswer, InfoAnswer, KeysAnswer, KeysBody, OpenBody, StatsAnswer, VerifyAnswer, parse,
    parse_level, to_json,
};
use napi::bindgen_prelude::AsyncTask;
use napi_derive::napi;

use crate::answers::info_answer;
use crate::arguments;
use crate::collection::NativeCollection;
use crate::work::{Work, js_error, promise};

/// That a database was deleted.
#[napi(object, object_from_js = false)]
pub struct Deletion {
    /// Why its directory stays; nothing when it went, too.
    pub remark: Option<String>,
}

/// An open database.
#[napi]
pub struct NativeDatabase(Arc<Db>);

#[napi]
impl NativeDatabase {
    /// Opens what the JSON of an `OpenBody` says.
    #[napi(catch_unwind)]
    pub fn open(options: String) -> AsyncTask<Work<NativeDatabase>> {
        promise(move || open(&options).map(Self::new))
    }

    /// Deletes the database in a directory; nothing when there is no such directory.
    #[napi(catch_unwind)]
    pub fn delete(path: String) -> AsyncTask<Work<Option<Deletion>>> {
        promise(move || {
            let path = Path::new(&path);
            Ok(delete(path)?.map(|deleted| Deletion { remark: deleted.remark(path) }))
        })
    }

    /// Makes a collection from the JSON of a `CreateBody`.
    #[napi(catch_unwind)]
    pub fn create(&self, name: String, config: String) -> AsyncTask<Work<NativeCollection>> {
        let db = Arc::clone(&self.0);
        promise(move || {
            let config = parse::<CreateBody>(config.as_bytes())?.config(&name, db.embedder_ref())?;
            db.create(&name, config)?;
            NativeCollection::new(&name, db)
        })
    }

    /// A collection that is there.
    #[napi(catch_unwind)]
    pub fn collection(&self, name: String) -> napi::Result<NativeCollection> {
        NativeCollection::new(&name, Arc::clone(&self.0)).map_err(|error| js_error(&error))
    }

    /// The JSON of what all collections are.
    #[napi(catch_unwind)]
    pub fn collections(&self) -> AsyncTask<Work<String>> {
        let db = Arc::clone(&self.0);
        promise(move || infos(&db).map(|infos| to_json(&infos)))
    }

    /// Drops a collection.
    #[napi(catch_unwind, js_name = "drop")]
    pub fn drop_collection(&self, name: String) -> AsyncTask<Work<()>> {
        let db = Arc::clone(&self.0);
        promise(move || db.drop_collection(&name))
    }

    /// Makes a collection from an export.
    #[napi(catch_unwind, js_name = "import")]
    pub fn import_collection(&self, name: String, file: &[u8]) -> AsyncTask<Work<NativeCollection>> {
        let (db, file) = (Arc::clone(&self.0), file.to_vec());
        promise(move || {
            db.import(&name, &file)?;
            NativeCollection::new(&name, db)
        })
    }

    /// The value of a key of the key-value store.
    #[napi(catch_unwind)]
    pub fn kv_get(&self, key: String) -> AsyncTask<Work<Option<String>>> {
        let db = Arc::clone(&self.0);
        promise(move || db.kv_get(&key))
    }

    /// Gives a key its value; true when it had one before.
    #[napi(catch_unwind)]
    pub fn kv_set(&self, key: String, value: String, options: Option<String>) -> AsyncTask<Work<bool>> {
        let db = Arc::clone(&self.0);
        promise(move || kv_set(&db, &key, &value, options.as_deref()))
    }

    /// Takes a key away; true when it was there.
    #[napi(catch_unwind)]
    pub fn kv_delete(&self, key: String, options: Option<String>) -> AsyncTask<Work<bool>> {
        let db = Arc::clone(&self.0);
        promise(move || kv_delete(&db, &key, options.as_deref()))
    }

    /// The JSON of a page of keys, by the JSON of a `KeysBody`.
    #[napi(catch_unwind)]
    pub fn kv_list(&self, request: String) -> AsyncTask<Work<String>> {
        let db = Arc::clone(&self.0);
        promise(move || kv_list(&db, &request))
    }

    /// The JSON of what all collections hold and take.
    #[napi(catch_unwind)]
    pub fn stats(&self) -> AsyncTask<Work<String>> {
        let db = Arc::clone(&self.0);
        promise(move || {
            let told = db.figures()?;
            let collections = told.iter().map(|(name, figures)| FiguresAnswer::new(name, figures)).collect();
            Ok(to_json(&StatsAnswer { collections }))
        })
    }

    /// Reads every byte: the JSON of what was found.
    #[napi(catch_unwind)]
    pub fn verify(&self) -> AsyncTask<Work<String>> {
        let db = Arc::clone(&self.0);
        promise(move || {
            let mut answer = VerifyAnswer::default();
            let summary = db.verify(&mut answer)?;
            Ok(to_json(&answer.finished(&summary)))
        })
    }

    /// Makes every write so far durable.
    #[napi(catch_unwind)]
    pub fn flush(&self) -> AsyncTask<Work<()>> {
        let db = Arc::clone(&self.0);
        promise(move || db.flush())
    }

    /// Closes it.
    #[napi(catch_unwind)]
    pub fn close(&self) -> AsyncTask<Work<()>> {
        let db = Arc::clone(&self.0);
        promise(move || db.close())
    }

    /// Closes it before it returns.
    #[napi(catch_unwind)]
    pub fn close_sync(&self) -> napi::Result<()> {
        self.0.close().map_err(|error| js_error(&error))
    }
}

impl NativeDatabase {
    pub(crate) fn new(db: Db) -> Self {
        Self(Arc::new(db))
    }

    pub(crate) fn db(&self) -> &Arc<Db> {
        &self.0
    }
}

/// What all collections are and hold.
pub fn infos(db: &Db) -> Result<Vec<InfoAnswer>> {
    let mut infos = Vec::new();
    for name in db.names()? {
        match db.collection(&name).and_then(|collection| collection.info()) {
            Ok(info) => infos.push(info_answer(&info)),
            // Dropped since the names were read.
            Err(error) if matches!(error.code(), "unknown_collection" | "closed") => {}
            Err(error) => return Err(error),
        }
    }
    // Or all of them closed.
    db.names().map(|_| infos)
}

/// Gives a key its value; true when it had one before.
pub fn kv_set(db: &Db, key: &str, value: &str, options: Option<&str>) -> Result<bool> {
    db.kv_set(key, value, arguments::level(options)?)
}

/// Takes a key away; true when it was there.
pub fn kv_delete(db: &Db, key: &str, options: Option<&str>) -> Result<bool> {
    db.kv_delete(key, arguments::level(options)?)
}

/// The JSON of a page of keys.
pub fn kv_list(db: &Db, request: &str) -> Result<String> {
    let asked: KeysBody = parse(request.as_bytes())?;
    let page = db.kv_list(&asked.prefix, asked.cursor.as_deref(), asked.limit())?;
    Ok(to_json(&KeysAnswer::from(page)))
}

/// Opens what the JSON of an `OpenBody` says.
pub fn open(options: &str) -> Result<Db> {
    let OpenBody { path, durability, embedder, threads, memory_max, read_only } = parse(options.as_bytes())?;
    let defaults = Options::default();
    let options = Options {
        level: durability.as_deref().map_or(Ok(defaults.level), parse_level)?,
        embedder: embedder.map(|directory| load_embedder(Path::new(&directory))).transpose()?,
        threads: threads.unwrap_or(defaults.threads),
        memory_max: memory_max.or(defaults.memory_max),
        read_only,
        ..defaults
    };
    match path {
        Some(path) => Db::open(Path::new(&path), options),
        None => Db::in_memory(options),
    }
}
