//! A storage that is wrong on purpose: who finds another thread at work takes its own ticket for kept. A test that does not
//! notice it would notice nothing.

use std::sync::Arc;

use kithdb::base::{AlignedBytes, Lsn, StorageError};
use kithdb::storage::{BlobId, BlobSource, Level, Listing, Object, Progress, Storage, StorageRoot, Ticket};
use shuttle::sync::atomic::{AtomicUsize, Ordering};

pub(crate) struct HastyRoot(pub Arc<dyn StorageRoot>);

impl StorageRoot for HastyRoot {
    fn storage(&self, number: u64) -> Result<Arc<dyn Storage>, StorageError> {
        Ok(Arc::new(Hasty { inner: self.0.storage(number)?, pollers: AtomicUsize::new(0) }))
    }

    fn existing(&self, number: u64) -> Result<Arc<dyn Storage>, StorageError> {
        Ok(Arc::new(Hasty { inner: self.0.existing(number)?, pollers: AtomicUsize::new(0) }))
    }

    fn remove(&self, number: u64) -> Result<(), StorageError> {
        self.0.remove(number)
    }

    fn numbers(&self) -> Result<Vec<u64>, StorageError> {
        self.0.numbers()
    }
}

struct Hasty {
    inner: Arc<dyn Storage>,
    pollers: AtomicUsize,
}

impl Storage for Hasty {
    fn start_log(&self, generation: u64, header: Vec<u8>) -> Ticket {
        self.inner.start_log(generation, header)
    }

    fn append(&self, generation: u64, frames: Vec<u8>, last: Lsn, level: Level) -> Ticket {
        self.inner.append(generation, frames, last, level)
    }

    fn set_aside(&self, generation: u64, from: u64) -> Ticket {
        self.inner.set_aside(generation, from)
    }

    fn put(&self, id: BlobId, bytes: Arc<AlignedBytes>) -> Ticket {
        self.inner.put(id, bytes)
    }

    fn flip(&self, generation: u64, manifest: Vec<u8>) -> Ticket {
        self.inner.flip(generation, manifest)
    }

    fn remove(&self, objects: Vec<Object>) -> Ticket {
        self.inner.remove(objects)
    }

    fn sync(&self) -> Ticket {
        self.inner.sync()
    }

    fn poll(&self, ticket: Ticket) -> Progress {
        let others = self.pollers.fetch_add(1, Ordering::SeqCst);
        let progress = if others == 0 {
            self.inner.poll(ticket)
        } else {
            Progress { kept: ticket, pending: Vec::new(), ..self.inner.progress() }
        };
        self.pollers.fetch_sub(1, Ordering::SeqCst);
        progress
    }

    fn progress(&self) -> Progress {
        self.inner.progress()
    }

    fn stop(&self) {
        self.inner.stop();
    }

    fn let_go(&self) {
        self.inner.let_go();
    }

    fn durable(&self) -> Lsn {
        self.inner.durable()
    }

    fn list(&self) -> Result<Listing, StorageError> {
        self.inner.list()
    }

    fn current(&self) -> Result<Option<u64>, StorageError> {
        self.inner.current()
    }

    fn manifest(&self, generation: u64) -> Result<Vec<u8>, StorageError> {
        self.inner.manifest(generation)
    }

    fn log(&self, generation: u64) -> Result<Vec<u8>, StorageError> {
        self.inner.log(generation)
    }

    fn blob(&self, id: BlobId) -> Result<Arc<dyn BlobSource>, StorageError> {
        self.inner.blob(id)
    }
}
