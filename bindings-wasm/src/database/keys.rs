//! The key-value store of a database: a collection that is made with the first key.

use std::sync::Arc;

use kithdb::base::ids::KV_NAME;
use kithdb::base::{Error, Result};
use kithdb::collection::{Mutation, View, kv};
use kithdb::storage::Level;
use kithdb::wire::{KeysAnswer, KeysBody, parse, to_json};
use serde::Serialize;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use super::{Submitted, Thrown, WasmDatabase, plain};
use crate::arguments::{self, thrown};

#[derive(Serialize)]
struct KeySubmitted {
    ticket: u64,
    ended: usize,
    /// The number of the collection in which keys are; none when there is none yet.
    collection: Option<u64>,
}

#[wasm_bindgen]
impl WasmDatabase {
    /// The value of a key of the key-value store.
    #[wasm_bindgen(js_name = kvGet)]
    pub fn kv_get(&self, key: &str) -> Thrown<Option<String>> {
        let get = || {
            kv::check_key(key)?;
            self.store()?.map_or(Ok(None), |(_, view)| kv::get(&view, key))
        };
        get().map_err(|error: Error| thrown(&error))
    }

    /// Gives a key its value: `{ticket, ended, collection}`. `id` is that of the collection that is made for the first.
    #[wasm_bindgen(js_name = kvSet)]
    pub fn kv_set(&mut self, key: &str, value: &str, id: u64, options: Option<String>) -> Thrown<JsValue> {
        let mut set = || {
            let level = arguments::level(options.as_deref())?;
            kv::check_set(key, value)?;
            if self.store()?.is_none() {
                let staged = self.database.stage_kv(id)?;
                self.admit(KV_NAME, staged)?;
            }
            self.submit_keys(level, |view| kv::set(view, key, value))
        };
        plain(&set().map_err(|error: Error| thrown(&error))?)
    }

    /// Takes a key away: `{ticket, ended, collection}`.
    #[wasm_bindgen(js_name = kvDelete)]
    pub fn kv_delete(&mut self, key: &str, options: Option<String>) -> Thrown<JsValue> {
        let mut delete = || {
            let level = arguments::level(options.as_deref())?;
            kv::check_key(key)?;
            self.submit_keys(level, |view| kv::delete(view, key))
        };
        plain(&delete().map_err(|error: Error| thrown(&error))?)
    }

    /// A page of keys, by the JSON of a `KeysBody`: JSON.
    #[wasm_bindgen(js_name = kvList)]
    pub fn kv_list(&self, request: &str) -> Thrown<String> {
        let list = || {
            let asked: KeysBody = parse(request.as_bytes())?;
            kv::check_limit(asked.limit())?;
            let page = self.store()?.map_or(Ok(Default::default()), |(_, view)| {
                kv::list(&view, &asked.prefix, asked.cursor.as_deref(), asked.limit())
            });
            Ok(to_json(&KeysAnswer::from(page?)))
        };
        list().map_err(|error: Error| thrown(&error))
    }
}

impl WasmDatabase {
    /// The collection that is the key-value store, once there is a key.
    fn store(&self) -> Result<Option<(u64, Arc<View>)>> {
        let Ok(number) = self.number(KV_NAME) else { return Ok(None) };
        Ok(Some((number, self.at(number as f64)?.view())))
    }

    fn submit_keys(
        &mut self,
        level: Option<Level>,
        batch: impl FnOnce(&View) -> Result<Vec<Mutation>>,
    ) -> Result<KeySubmitted> {
        let Some((number, view)) = self.store()? else {
            return Ok(KeySubmitted { ticket: 0, ended: 0, collection: None });
        };
        let Submitted { ticket, ended } = self.submit(number as f64, batch(&view)?, level)?;
        Ok(KeySubmitted { ticket, ended, collection: Some(number) })
    }
}
