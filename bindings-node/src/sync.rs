//! The verbs that scripts may wait for: the same as those that answer a promise, done before they return.

use std::sync::Arc;

use kithdb::wire::{CreateBody, parse, to_json};
use napi::bindgen_prelude::{Float32ArraySlice, Utf16String};
use napi_derive::napi;

use crate::answers::{self, Answer};
use crate::arguments;
use crate::collection::{self, NativeCollection};
use crate::database::{self, NativeDatabase};
use crate::work::js_error;

#[napi]
impl NativeDatabase {
    /// As `open`.
    #[napi(catch_unwind)]
    pub fn open_sync(options: String) -> napi::Result<NativeDatabase> {
        database::open(&options).map(Self::new).map_err(|error| js_error(&error))
    }

    /// As `create`.
    #[napi(catch_unwind)]
    pub fn create_sync(&self, name: String, config: String) -> napi::Result<NativeCollection> {
        let create = || {
            let config = parse::<CreateBody>(config.as_bytes())?.config(&name, self.db().embedder_ref())?;
            self.db().create(&name, config)?;
            NativeCollection::new(&name, Arc::clone(self.db()))
        };
        create().map_err(|error| js_error(&error))
    }

    /// As `collections`.
    #[napi(catch_unwind)]
    pub fn collections_sync(&self) -> napi::Result<String> {
        database::infos(self.db()).map(|infos| to_json(&infos)).map_err(|error| js_error(&error))
    }

    /// As `drop`.
    #[napi(catch_unwind)]
    pub fn drop_sync(&self, name: String) -> napi::Result<()> {
        self.db().drop_collection(&name).map_err(|error| js_error(&error))
    }

    /// As `kv_get`.
    #[napi(catch_unwind)]
    pub fn kv_get_sync(&self, key: String) -> napi::Result<Option<String>> {
        self.db().kv_get(&key).map_err(|error| js_error(&error))
    }

    /// As `kv_set`.
    #[napi(catch_unwind)]
    pub fn kv_set_sync(&self, key: String, value: String, options: Option<String>) -> napi::Result<bool> {
        database::kv_set(self.db(), &key, &value, options.as_deref()).map_err(|error| js_error(&error))
    }

    /// As `kv_delete`.
    #[napi(catch_unwind)]
    pub fn kv_delete_sync(&self, key: String, options: Option<String>) -> napi::Result<bool> {
        database::kv_delete(self.db(), &key, options.as_deref()).map_err(|error| js_error(&error))
    }

    /// As `kv_list`.
    #[napi(catch_unwind)]
    pub fn kv_list_sync(&self, request: String) -> napi::Result<String> {
        database::kv_list(self.db(), &request).map_err(|error| js_error(&error))
    }
}

#[napi]
impl NativeCollection {
    /// As `info`.
    #[napi(catch_unwind)]
    pub fn info_sync(&self) -> napi::Result<String> {
        self.now(|handle| Ok(answers::info(&handle.info()?)))
    }

    /// As `write`.
    #[napi(catch_unwind)]
    pub fn write_sync(
        &self,
        ids: Vec<Utf16String>,
        vectors: Vec<Option<Float32ArraySlice<'_>>>,
        metadata: Vec<Option<String>>,
        lives: Vec<Option<String>>,
        upsert: bool,
        options: Option<String>,
    ) -> napi::Result<u32> {
        let documents = arguments::copy(ids, vectors, metadata, lives);
        self.now(|handle| collection::write(handle, documents, upsert, options.as_deref()))
    }

    /// As `delete`.
    #[napi(catch_unwind)]
    pub fn delete_sync(&self, ids: Vec<Utf16String>, options: Option<String>) -> napi::Result<u32> {
        self.now(|handle| collection::delete(handle, &ids, options.as_deref()))
    }

    /// As `link`.
    #[napi(catch_unwind)]
    pub fn link_sync(&self, edges: String) -> napi::Result<u32> {
        self.now(|handle| collection::link(handle, &edges))
    }

    /// As `unlink`.
    #[napi(catch_unwind)]
    pub fn unlink_sync(&self, edges: String) -> napi::Result<u32> {
        self.now(|handle| collection::unlink(handle, &edges))
    }

    /// As `graph`.
    #[napi(catch_unwind)]
    pub fn graph_sync(&self, verb: String, question: String) -> napi::Result<String> {
        self.now(|handle| collection::graph(handle, &verb, &question))
    }

    /// As `get`.
    #[napi(catch_unwind)]
    pub fn get_sync(&self, ids: Vec<Utf16String>, options: Option<String>) -> napi::Result<Answer> {
        self.now(|handle| collection::get(handle, &ids, options.as_deref()))
    }

    /// As `scan`.
    #[napi(catch_unwind)]
    pub fn scan_sync(&self, request: String) -> napi::Result<Answer> {
        self.now(|handle| collection::scan(handle, &request))
    }
}
