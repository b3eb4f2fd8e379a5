//! A database that another instance writes: read here, and kept up by what that one has stored.
//!
//! Frames that were appended to a log are applied as they come. Whatever else changes a storage (a seal, a merge, a bulk import)
//! ends in another manifest: the storage is taken anew then, and what of its blobs is still in use is not brought again.

use std::sync::Arc;

use kithdb::base::Result;
use kithdb::engine::Database;
use kithdb::storage::{CATALOG, StorageRoot};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use super::{State, Thrown, WasmDatabase, env};
use crate::arguments::thrown;
use crate::storage::TabRoot;
use crate::work::Snapshot;

#[wasm_bindgen]
impl WasmDatabase {
    /// From what a store holds that another instance writes to. Nothing of it is opened yet, as after `restore`, and nothing is
    /// ever queued.
    pub fn replica(options: &str, snapshot: JsValue) -> Thrown<WasmDatabase> {
        let snapshot: Snapshot = serde_wasm_bindgen::from_value(snapshot)?;
        Self::start(TabRoot::restore(snapshot), options, Database::open_read_only)
            .map_err(|error| thrown(&error))
    }

    /// Applies frames that were appended to a log of a storage; false when they do not go on from what is here: then it is to be
    /// renewed.
    pub fn follow(&mut self, storage: f64, log: f64, frames: &[u8]) -> Thrown<bool> {
        let number = storage as u64;
        // What is applied to one that is being renewed would go with it.
        if self.stale.contains(&number) {
            return Ok(false);
        }
        match self.collections.get_mut(&number) {
            Some(State::Open(open)) => {
                open.collection.follow(log as u64, frames).map_err(|error| thrown(&error))
            }
            // Whoever asks for it is told so until it has another manifest.
            Some(State::Unopenable(_)) => Ok(true),
            None => Ok(false),
        }
    }

    /// Takes a storage as it is now, by a snapshot that holds it alone, or nothing when it has gone. Until
    /// [`WasmDatabase::missing`] has opened it, it answers as before.
    pub fn renew(&mut self, storage: f64, snapshot: JsValue) -> Thrown<()> {
        let snapshot: Snapshot = serde_wasm_bindgen::from_value(snapshot)?;
        self.root.renew(storage as u64, snapshot);
        if storage as u64 != CATALOG {
            self.stale.push(storage as u64);
            return Ok(());
        }
        let mut catalog = || -> Result<()> {
            self.database = Database::open_read_only(
                Arc::clone(&self.root) as Arc<dyn StorageRoot>,
                env(&self.clock, &self.pool),
            )?;
            let names = |number: &u64| self.database.entries().iter().any(|entry| entry.number == *number);
            self.collections.retain(|number, _| names(number));
            self.stale.retain(names);
            Ok(())
        };
        catalog().map_err(|error| thrown(&error))
    }
}
