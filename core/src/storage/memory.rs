//! Storage in memory: for databases that need not last, and, with [`MemoryRoot::cold`], the model of a tab.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::base::error::Missing;
use crate::base::sync::{Mutex, lock};
use crate::base::{AlignedBytes, Lsn, StorageError};

use super::blob::{BlobId, BlobSource, Resident};
use super::{CATALOG, Level, Listing, Object, Progress, Storage, StorageRoot, Ticket};

/// A database in memory.
#[derive(Debug, Default)]
pub struct MemoryRoot {
    places: Mutex<BTreeMap<u64, Arc<MemoryStorage>>>,
    cold: bool,
}

impl MemoryRoot {
    /// Everything is at hand at once.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Blobs answer `not_resident` until they are fetched, as they do in a browser that has just been opened.
    #[must_use]
    pub fn cold() -> Self {
        Self { cold: true, ..Self::default() }
    }

    /// Makes ranges resident, as the host of a cold storage does between two calls.
    pub fn fetch(&self, number: u64, missing: &[Missing]) {
        if let Some(place) = lock(&self.places).get(&number) {
            lock(&place.state).resident.extend(missing.iter().map(|m| m.blob));
        }
    }
}

impl StorageRoot for MemoryRoot {
    fn storage(&self, number: u64) -> Result<Arc<dyn Storage>, StorageError> {
        let cold = self.cold;
        let place = lock(&self.places)
            .entry(number)
            .or_insert_with(|| Arc::new(MemoryStorage { state: Mutex::default(), cold }))
            .clone();
        Ok(place)
    }

    fn remove(&self, number: u64) -> Result<(), StorageError> {
        lock(&self.places).remove(&number);
        Ok(())
    }

    fn numbers(&self) -> Result<Vec<u64>, StorageError> {
        Ok(lock(&self.places).keys().copied().filter(|n| *n != CATALOG).collect())
    }
}

/// One collection in memory.
#[derive(Debug)]
struct MemoryStorage {
    state: Mutex<State>,
    cold: bool,
}

#[derive(Debug, Default)]
struct State {
    manifests: BTreeMap<u64, Vec<u8>>,
    logs: BTreeMap<u64, Vec<u8>>,
    blobs: BTreeMap<Object, Arc<AlignedBytes>>,
    current: Option<u64>,
    durable: Lsn,
    tickets: u64,
    resident: BTreeSet<u64>,
}

fn absent(object: impl Into<String>) -> StorageError {
    StorageError::Corrupt { object: object.into(), offset: 0, expected: "to exist".into() }
}

impl MemoryStorage {
    fn change(&self, f: impl FnOnce(&mut State)) -> Ticket {
        let mut state = lock(&self.state);
        f(&mut state);
        state.tickets += 1;
        Ticket(state.tickets)
    }
}

impl Storage for MemoryStorage {
    fn start_log(&self, generation: u64, header: Vec<u8>) -> Ticket {
        self.change(|s| {
            s.logs.insert(generation, header);
        })
    }

    fn append(&self, generation: u64, frames: Vec<u8>, last: Lsn, _: Level) -> Ticket {
        self.change(|s| {
            s.logs.entry(generation).or_default().extend(frames);
            s.durable = last;
        })
    }

    fn set_aside(&self, generation: u64, from: u64) -> Ticket {
        self.change(|s| s.logs.entry(generation).or_default().truncate(from as usize))
    }

    fn put(&self, id: BlobId, bytes: Arc<AlignedBytes>) -> Ticket {
        self.change(|s| {
            s.blobs.insert(Object::Blob(id.number, id.kind), bytes);
        })
    }

    fn flip(&self, generation: u64, manifest: Vec<u8>) -> Ticket {
        self.change(|s| {
            s.manifests.insert(generation, manifest);
            s.current = Some(generation);
        })
    }

    fn remove(&self, objects: Vec<Object>) -> Ticket {
        self.change(|s| {
            for object in objects {
                match object {
                    Object::Manifest(n) => drop(s.manifests.remove(&n)),
                    Object::Log(n) => drop(s.logs.remove(&n)),
                    Object::Blob(..) => drop(s.blobs.remove(&object)),
                }
            }
        })
    }

    fn sync(&self) -> Ticket {
        self.change(|_| {})
    }

    fn poll(&self, _: Ticket) -> Progress {
        self.progress()
    }

    fn progress(&self) -> Progress {
        Progress { kept: Ticket(lock(&self.state).tickets), ..Progress::default() }
    }

    fn durable(&self) -> Lsn {
        lock(&self.state).durable
    }

    fn list(&self) -> Result<Listing, StorageError> {
        let state = lock(&self.state);
        let mut objects: Vec<_> = state.blobs.keys().copied().collect();
        objects.extend(state.manifests.keys().map(|n| Object::Manifest(*n)));
        objects.extend(state.logs.keys().map(|n| Object::Log(*n)));
        objects.sort_unstable();
        Ok(Listing { objects, ..Listing::default() })
    }

    fn current(&self) -> Result<Option<u64>, StorageError> {
        Ok(lock(&self.state).current)
    }

    fn manifest(&self, generation: u64) -> Result<Vec<u8>, StorageError> {
        let found = lock(&self.state).manifests.get(&generation).cloned();
        found.ok_or_else(|| absent(format!("manifest {generation}")))
    }

    fn log(&self, generation: u64) -> Result<Vec<u8>, StorageError> {
        let found = lock(&self.state).logs.get(&generation).cloned();
        found.ok_or_else(|| absent(format!("log {generation}")))
    }

    fn blob(&self, id: BlobId) -> Result<Arc<dyn BlobSource>, StorageError> {
        let state = lock(&self.state);
        let bytes = state.blobs.get(&Object::Blob(id.number, id.kind)).cloned();
        let bytes = bytes.ok_or_else(|| absent(format!("blob {}", id.number)))?;
        if self.cold && !state.resident.contains(&id.number) {
            let missing = Missing { blob: id.number, range: 0..bytes.len() as u64 };
            return Err(StorageError::NotResident(vec![missing]));
        }
        Ok(Arc::new(Resident::new(bytes)))
    }
}
