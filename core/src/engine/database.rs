//! A database: a catalog of collections, each in a storage of its own.
//!
//! The catalog is the manifest of storage 0. A collection is complete in its storage before the catalog names it, and
//! leaves the catalog before its storage goes; what the catalog does not name is removed at open.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::base::ids::KV_NAME;
use crate::base::limits::COLLECTIONS_MAX;
use crate::base::{DecodeError, Error, Event, InputError, Reader, Result, StateError, check_name};
use crate::collection::CollectionConfig;
use crate::storage::{CATALOG, Object, Storage, StorageRoot, Ticket};

use super::collection::{Collection, Env};
use super::repair::Salvaged;
use super::{envelope, export};

const MAGIC: &[u8; 8] = b"KITHCATL";

/// A collection as the catalog names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The user's name.
    pub name: String,
    /// The number of its storage.
    pub number: u64,
    /// Drawn by the host when it was made.
    pub collection_id: u64,
}

/// The catalog and the storages of a database.
pub struct Database {
    root: Arc<dyn StorageRoot>,
    storage: Arc<dyn Storage>,
    env: Env,
    catalog: Catalog,
    last_change: Option<Change>,
    /// Its collections are opened to be read.
    read_only: bool,
}

/// A change of the catalog, so that it can be taken back.
enum Change {
    Admitted(String),
    Forgot(Entry),
}

/// The bytes that name the collections. Public for the tests that feed bytes to its reader.
#[doc(hidden)]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Catalog {
    generation: u64,
    next_number: u64,
    /// Sorted by name.
    pub(super) entries: Vec<Entry>,
}

/// A collection that is being made: complete in its storage once the ticket is kept, and then to be admitted.
pub struct Staged {
    /// The storage it is in.
    pub storage: Arc<dyn Storage>,
    /// Kept by that storage when the collection is complete there.
    pub ticket: Ticket,
    entry: Entry,
}

impl Staged {
    /// The number of its storage.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.entry.number
    }
}

impl Database {
    /// Opens the catalog, or queues an empty one where there is nothing at all: poll the catalog's storage before
    /// anything else. Storages that the catalog does not name are removed, unless it is an older one that was fallen
    /// back on.
    ///
    /// # Errors
    /// `corrupt`, `unsupported_version`, `io_failed`.
    pub fn open(root: Arc<dyn StorageRoot>, env: Env) -> Result<Self> {
        let storage = root.storage(CATALOG)?;
        let numbers = root.numbers()?;
        let found = read_catalog(&*storage, &env, &numbers)?;
        let is_new = found.is_none();
        let (mut catalog, is_current) = found.unwrap_or_else(|| {
            (Catalog { generation: 0, next_number: CATALOG + 1, entries: Vec::new() }, true)
        });
        let named: BTreeSet<u64> = catalog.entries.iter().map(|entry| entry.number).collect();
        for number in numbers.into_iter().filter(|number| !named.contains(number)) {
            let mut message = format!("storage {number} was left by an interrupted create or drop; removed");
            if is_current {
                root.remove(number)?;
            } else {
                // It may be a collection that the damaged catalog named.
                message = format!("storage {number} is not named by the older catalog and was left alone");
                catalog.next_number = catalog.next_number.max(number + 1);
            }
            env.observer.event(Event::Warning { at: "catalog".to_owned(), message });
        }
        let mut this = Self { root, storage, env, catalog, last_change: None, read_only: false };
        if is_new {
            this.flip();
        }
        Ok(this)
    }

    /// Opens the newest catalog that can be read, to be read: nothing is queued or removed.
    ///
    /// # Errors
    /// `corrupt`, also where there never was a catalog; `unsupported_version`, `io_failed`.
    pub fn open_read_only(root: Arc<dyn StorageRoot>, env: Env) -> Result<Self> {
        let storage = root.storage(CATALOG)?;
        let (catalog, _) = newest_catalog(&*root, &env)?;
        Ok(Self { root, storage, env, catalog, last_change: None, read_only: true })
    }

    /// Where the catalog is stored.
    #[must_use]
    pub fn storage(&self) -> Arc<dyn Storage> {
        Arc::clone(&self.storage)
    }

    /// The collections, by name.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.catalog.entries
    }

    /// What the catalog says of a collection.
    ///
    /// # Errors
    /// `unknown_collection`.
    pub fn find(&self, name: &str) -> Result<&Entry> {
        let entries = &self.catalog.entries;
        let found = entries.binary_search_by(|entry| entry.name.as_str().cmp(name));
        let at = found.map_err(|_| StateError::UnknownCollection { name: name.to_owned() })?;
        Ok(&entries[at])
    }

    /// Recovers a collection; of a catalog that was opened to be read, only reads what that would find.
    ///
    /// # Errors
    /// `unknown_collection`; as [`open_entry`].
    pub fn open_collection(&self, name: &str) -> Result<Collection> {
        open_entry(&*self.root, &self.env, self.find(name)?, self.read_only)
    }

    /// Queues a new, empty collection. When its ticket is kept, [`Database::admit`] it.
    ///
    /// # Errors
    /// `invalid_name`, `collection_exists`, `too_large`, `invalid_parameter`.
    pub fn stage(&mut self, name: &str, collection_id: u64, config: CollectionConfig) -> Result<Staged> {
        config.check()?;
        check_name(name)?;
        let (entry, storage) = self.reserve(name, collection_id)?;
        let ticket = Collection::create(&*storage, collection_id, config)?;
        Ok(Staged { storage, ticket, entry })
    }

    /// Queues the collection that is the key-value store. When its ticket is kept, [`Database::admit`] it.
    ///
    /// # Errors
    /// `collection_exists`.
    pub fn stage_kv(&mut self, collection_id: u64) -> Result<Staged> {
        let (entry, storage) = self.reserve(KV_NAME, collection_id)?;
        let ticket = Collection::create(&*storage, collection_id, CollectionConfig::default())?;
        Ok(Staged { storage, ticket, entry })
    }

    /// Queues a collection from an export. When its ticket is kept, [`Database::admit`] it.
    ///
    /// # Errors
    /// As [`Database::stage`]; `invalid_file` when the bytes are no export or damaged.
    pub fn stage_import(&mut self, name: &str, collection_id: u64, bytes: &[u8]) -> Result<Staged> {
        let parsed = export::read(bytes)?;
        check_name(name)?;
        let (entry, storage) = self.reserve(name, collection_id)?;
        let ticket = export::stage(&parsed, &*storage, collection_id, &self.env.pool);
        Ok(Staged { storage, ticket, entry })
    }

    /// Queues a collection of what was saved from a damaged one. When its ticket is kept, [`Database::admit`] it.
    ///
    /// # Errors
    /// As [`Database::stage`].
    pub fn stage_salvaged(&mut self, name: &str, collection_id: u64, salvaged: &Salvaged) -> Result<Staged> {
        check_entry_name(name)?;
        let (entry, storage) = self.reserve(name, collection_id)?;
        let ticket = export::stage(&salvaged.documents, &*storage, collection_id, &self.env.pool);
        Ok(Staged { storage, ticket, entry })
    }

    /// Queues the catalog that names a staged collection; when that is kept, the collection can be opened.
    pub fn admit(&mut self, staged: Staged) -> Ticket {
        self.last_change = Some(Change::Admitted(staged.entry.name.clone()));
        let at = self.catalog.entries.partition_point(|entry| entry.name < staged.entry.name);
        self.catalog.entries.insert(at, staged.entry);
        self.flip()
    }

    /// Queues the catalog without a collection; when the ticket is kept, remove the storage of the returned number.
    ///
    /// # Errors
    /// `unknown_collection`.
    pub fn forget(&mut self, name: &str) -> Result<(u64, Ticket)> {
        let entry = self.find(name)?.clone();
        let number = entry.number;
        self.catalog.entries.retain(|entry| entry.number != number);
        self.last_change = Some(Change::Forgot(entry));
        Ok((number, self.flip()))
    }

    /// Takes back the last [`Database::admit`] or [`Database::forget`], whose catalog was refused for want of room.
    pub fn undo(&mut self) {
        let entries = &mut self.catalog.entries;
        match self.last_change.take() {
            Some(Change::Admitted(name)) => entries.retain(|entry| entry.name != name),
            Some(Change::Forgot(entry)) => {
                entries.insert(entries.partition_point(|other| other.name < entry.name), entry);
            }
            None => return,
        }
        // The one that was refused left nothing behind.
        self.catalog.generation -= 1;
    }

    /// Removes the storage of a collection that was forgotten.
    ///
    /// # Errors
    /// `io_failed`; it is removed at the next open then.
    pub fn remove(&self, number: u64) -> Result<()> {
        Ok(self.root.remove(number)?)
    }

    fn reserve(&mut self, name: &str, collection_id: u64) -> Result<(Entry, Arc<dyn Storage>)> {
        if self.find(name).is_ok() {
            return Err(StateError::CollectionExists { name: name.to_owned() }.into());
        }
        let count = self.catalog.entries.iter().filter(|entry| entry.name != KV_NAME).count();
        if count >= COLLECTIONS_MAX && name != KV_NAME {
            let (got, limit) = (count as u64 + 1, COLLECTIONS_MAX as u64);
            return Err(InputError::TooLarge { what: "the number of collections", got, limit }.into());
        }
        let number = self.catalog.next_number;
        self.catalog.next_number += 1;
        let storage = self.root.storage(number)?;
        Ok((Entry { name: name.to_owned(), number, collection_id }, storage))
    }

    fn flip(&mut self) -> Ticket {
        let before = self.catalog.generation;
        self.catalog.generation += 1;
        let ticket = self.storage.flip(self.catalog.generation, self.catalog.encode());
        if before > 1 {
            // The one before stays, to fall back on.
            self.storage.remove(vec![Object::Manifest(before - 1)]);
        }
        ticket
    }
}

/// What the newest catalog that can be read names, and whether it is the current one. Nothing is queued or removed.
///
/// # Errors
/// As [`Database::open`]; `corrupt` where there never was a catalog.
pub fn named(root: &dyn StorageRoot, env: &Env) -> Result<(Vec<Entry>, bool)> {
    newest_catalog(root, env).map(|(catalog, is_current)| (catalog.entries, is_current))
}

fn newest_catalog(root: &dyn StorageRoot, env: &Env) -> Result<(Catalog, bool)> {
    let found = read_catalog(&*root.storage(CATALOG)?, env, &root.numbers()?)?;
    found.ok_or_else(|| Error::corrupt("catalog", 0, "to exist"))
}

/// Refuses a name that the catalog never has.
fn check_entry_name(name: &str) -> Result<()> {
    if name == KV_NAME { Ok(()) } else { check_name(name) }
}

/// Recovers the collection that an entry of the catalog names, or only reads what recovery would find. It takes no part in the catalog: many can be recovered
/// at once.
///
/// # Errors
/// `corrupt` when its primary data is damaged, `unsupported_version`, `io_failed`; `not_resident`, after which it can be
/// called again.
pub fn open_entry(root: &dyn StorageRoot, env: &Env, entry: &Entry, read_only: bool) -> Result<Collection> {
    let open = if read_only { Collection::open_read_only } else { Collection::open };
    let opened = open(root.existing(entry.number)?, env.clone(), &entry.name)?;
    if opened.manifest.collection_id != entry.collection_id {
        let object = format!("storage {}", entry.number);
        return Err(Error::corrupt(object, 0, "the collection that the catalog names"));
    }
    Ok(opened)
}

/// The newest catalog that can be read, and whether it is the current one; `None` where there never was one.
fn read_catalog(storage: &dyn Storage, env: &Env, numbers: &[u64]) -> Result<Option<(Catalog, bool)>> {
    let listing = storage.list()?;
    let current = storage.current()?;
    let mut generations: Vec<u64> = listing
        .objects
        .iter()
        .filter_map(|object| if let Object::Manifest(n) = object { Some(*n) } else { None })
        .filter(|n| current.is_none_or(|current| *n <= current))
        .collect();
    generations.sort_unstable_by(|a, b| b.cmp(a));
    let mut first_error = None;
    let newest = generations.first().copied().unwrap_or(0);
    for generation in generations {
        match storage.manifest(generation).map_err(Error::from).and_then(|b| Catalog::decode(generation, &b))
        {
            Ok(mut catalog) => {
                let is_current = first_error.is_none() && current == Some(generation);
                // The next one gets a number above the damaged one, which stays as it is.
                catalog.generation = newest;
                return Ok(Some((catalog, is_current)));
            }
            Err(error) if error.code() == "unsupported_version" => return Err(error),
            Err(error) => {
                let message = format!("{error}; falling back to the catalog before");
                env.observer.event(Event::Warning { at: "catalog".to_owned(), message });
                first_error.get_or_insert(error);
            }
        }
    }
    match (first_error, current) {
        (Some(error), _) => Err(error),
        (None, Some(named)) => Err(Error::corrupt(format!("catalog {named}"), 0, "to exist")),
        // The empty catalog is durable before the first collection is made.
        (None, None) if !numbers.is_empty() => {
            Err(Error::corrupt("catalog", 0, "to exist beside collections"))
        }
        (None, None) => Ok(None),
    }
}

impl Catalog {
    /// Its bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut w = envelope::begin(MAGIC, self.generation);
        w.u64(self.next_number);
        w.varint(self.entries.len() as u64);
        for Entry { name, number, collection_id } in &self.entries {
            w.str(name);
            w.u64(*number);
            w.u64(*collection_id);
        }
        envelope::end(w, self.generation)
    }

    fn is_sound(&self) -> bool {
        let mut numbers: Vec<u64> = self.entries.iter().map(|entry| entry.number).collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers.len() == self.entries.len()
            // The key-value store is one more.
            && self.entries.len() <= COLLECTIONS_MAX + 1
            && numbers.iter().all(|n| *n > CATALOG && *n < self.next_number)
            && self.entries.iter().all(|entry| check_entry_name(&entry.name).is_ok())
            && self.entries.windows(2).all(|w| w[0].name < w[1].name)
    }

    /// Reads what [`Catalog::encode`] wrote for this generation.
    ///
    /// # Errors
    /// `corrupt`, `unsupported_version`.
    pub fn decode(generation: u64, bytes: &[u8]) -> Result<Self> {
        let object = format!("catalog {generation}");
        let mut r = Reader::new(envelope::open(MAGIC, generation, &object, bytes)?);
        let read = |r: &mut Reader<'_>| -> Result<Self, DecodeError> {
            let next_number = r.u64()?;
            let entry = |r: &mut Reader<'_>| {
                Ok(Entry { name: r.str()?.to_owned(), number: r.u64()?, collection_id: r.u64()? })
            };
            let entries = (0..r.count(17)?).map(|_| entry(r)).collect::<Result<_, _>>()?;
            r.end()?;
            Ok(Self { generation, next_number, entries })
        };
        let catalog = read(&mut r).map_err(|e| e.within(&object, 20))?;
        if catalog.is_sound() {
            Ok(catalog)
        } else {
            Err(Error::corrupt(object, 20, "names in order and numbers that were given"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_catalog_comes_back_and_no_flipped_bit_does() {
        let entry = |name: &str, number| Entry { name: name.to_owned(), number, collection_id: 7 };
        let catalog = Catalog { generation: 3, next_number: 9, entries: vec![entry("a", 1), entry("b", 8)] };
        let bytes = catalog.encode();
        assert_eq!(Catalog::decode(3, &bytes).expect("written above"), catalog);
        for at in 0..bytes.len() {
            let mut bad = bytes.clone();
            bad[at] ^= 1;
            assert!(Catalog::decode(3, &bad).is_err(), "flip at {at}");
        }
    }
}
