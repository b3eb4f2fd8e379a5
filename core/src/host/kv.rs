//! The key-value store of a database: a collection that no user can name, made at the first write and opened at the
//! first touch. Its log, seal, merge, recovery and export are those of every collection.

use std::sync::Arc;

use crate::base::Result;
use crate::base::crc32c::crc32c;
use crate::base::ids::KV_NAME;
use crate::base::sync::{Mutex, MutexGuard, lock};
use crate::collection::kv::{self, KeyPage};
use crate::storage::Level;

use super::clock::draw_id;
use super::collection::CollectionHandle;
use super::db::Db;

/// Who writes a key holds one of these: how long the value is that is replaced must be known until it is.
#[derive(Debug)]
pub(super) struct KeyLocks([Mutex<()>; 64]);

impl Default for KeyLocks {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Mutex::new(())))
    }
}

impl KeyLocks {
    fn hold(&self, key: &str) -> MutexGuard<'_, ()> {
        lock(&self.0[crc32c(key.as_bytes()) as usize % self.0.len()])
    }
}

impl Db {
    /// The value of a key of the key-value store.
    ///
    /// # Errors
    /// `invalid_key`; as [`Db::collection`] and [`CollectionHandle::get`].
    pub fn kv_get(&self, key: &str) -> Result<Option<String>> {
        kv::check_key(key)?;
        match self.store()? {
            Some(store) => kv::get(&*store.view()?, key),
            None => Ok(None),
        }
    }

    /// Gives a key its value, all of it or, on an error, nothing; true when it had one before. `None` for the level takes
    /// the database's.
    ///
    /// # Errors
    /// `invalid_key`, `too_large`; as [`Db::collection`] and [`CollectionHandle::write`].
    pub fn kv_set(&self, key: &str, value: &str, level: Option<Level>) -> Result<bool> {
        kv::check_set(key, value)?;
        let _alone = self.shared.keys.hold(key);
        let store = match self.store()? {
            Some(store) => store,
            None => self.make_store()?,
        };
        let batch = kv::set(&*store.view()?, key, value)?;
        Ok(store.write(batch, level)?.ended > 0)
    }

    /// Takes a key away; true when it was there.
    ///
    /// # Errors
    /// `invalid_key`; as [`Db::collection`] and [`CollectionHandle::write`].
    pub fn kv_delete(&self, key: &str, level: Option<Level>) -> Result<bool> {
        kv::check_key(key)?;
        let _alone = self.shared.keys.hold(key);
        let Some(store) = self.store()? else { return Ok(false) };
        let batch = kv::delete(&*store.view()?, key)?;
        Ok(store.write(batch, level)?.ended > 0)
    }

    /// Up to `limit` keys that begin with `prefix` and come after `cursor`, sorted by bytes.
    ///
    /// # Complexity
    /// Looks at every key once.
    ///
    /// # Errors
    /// `invalid_parameter`; as [`Db::collection`].
    pub fn kv_list(&self, prefix: &str, cursor: Option<&str>, limit: usize) -> Result<KeyPage> {
        kv::check_limit(limit)?;
        match self.store()? {
            Some(store) => kv::list(&*store.view()?, prefix, cursor, limit),
            None => Ok(KeyPage::default()),
        }
    }

    /// What the host keeps for itself under this name. No key of a user leads there.
    ///
    /// # Errors
    /// As [`Db::kv_get`].
    pub fn own_get(&self, name: &str) -> Result<Option<String>> {
        match self.store()? {
            Some(store) => kv::get_own(&*store.view()?, name),
            None => Ok(None),
        }
    }

    /// Keeps something for the host, all of it or, on an error, nothing. Where it stands no key of a user leads.
    ///
    /// # Errors
    /// `too_large`; as [`Db::kv_set`].
    pub fn own_set(&self, name: &str, value: &str, level: Option<Level>) -> Result<()> {
        let batch = kv::set_own(name, value)?;
        let store = match self.store()? {
            Some(store) => store,
            None => self.make_store()?,
        };
        store.write(batch, level).map(|_| ())
    }

    fn store(&self) -> Result<Option<Arc<CollectionHandle>>> {
        self.shared.check_open()?;
        match self.shared.touch_name(KV_NAME) {
            Err(error) if error.code() == "unknown_collection" => Ok(None),
            found => found.map(Some),
        }
    }

    fn make_store(&self) -> Result<Arc<CollectionHandle>> {
        let id = draw_id(&*self.shared.options.clock);
        match self.shared.add(KV_NAME, |catalog| catalog.stage_kv(id)) {
            // Somebody else's first key came before.
            Err(error) if error.code() == "collection_exists" => self.shared.touch_name(KV_NAME),
            made => made,
        }
    }
}
