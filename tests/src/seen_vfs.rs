//! A file system that shows every access by its path, reads included, and counts the files that are open.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use kithdb::storage::BlobSource;
use kithdb::storage::vfs::{Vfs, VfsFile};

type Seen = dyn Fn(&str) -> io::Result<()> + Send + Sync;

/// Files that are open to be written, now and at the most.
#[derive(Debug, Default)]
pub struct Open {
    now: AtomicUsize,
    most: AtomicUsize,
}

impl Open {
    /// How many are open now.
    #[must_use]
    pub fn now(&self) -> usize {
        self.now.load(Ordering::Acquire)
    }

    /// How many were open at once, at the most.
    #[must_use]
    pub fn most(&self) -> usize {
        self.most.load(Ordering::Acquire)
    }
}

/// A file system behind a watcher.
#[derive(Clone)]
pub struct SeenVfs {
    inner: Arc<dyn Vfs>,
    seen: Arc<Seen>,
    /// Files that are open through it.
    pub open: Arc<Open>,
    syncs: bool,
}

impl fmt::Debug for SeenVfs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SeenVfs").field(&self.inner).finish()
    }
}

impl SeenVfs {
    /// Shows `seen` the path of each access before `inner` is asked. What it fails with is the answer.
    pub fn new(inner: Arc<dyn Vfs>, seen: impl Fn(&str) -> io::Result<()> + Send + Sync + 'static) -> Self {
        Self { inner, seen: Arc::new(seen), open: Arc::default(), syncs: true }
    }

    /// Leaves syncs out: for tests that count, on a real disk.
    #[must_use]
    pub fn without_syncs(self) -> Self {
        Self { syncs: false, ..self }
    }

    fn file(&self, path: &str, file: Box<dyn VfsFile>) -> Box<dyn VfsFile> {
        let now = self.open.now.fetch_add(1, Ordering::AcqRel) + 1;
        self.open.most.fetch_max(now, Ordering::AcqRel);
        Box::new(SeenFile { path: path.to_owned(), file, vfs: self.clone() })
    }
}

impl Vfs for SeenVfs {
    fn create_dir(&self, path: &str) -> io::Result<()> {
        (self.seen)(path)?;
        self.inner.create_dir(path)
    }

    fn create(&self, path: &str) -> io::Result<Box<dyn VfsFile>> {
        (self.seen)(path)?;
        Ok(self.file(path, self.inner.create(path)?))
    }

    fn append(&self, path: &str) -> io::Result<Box<dyn VfsFile>> {
        (self.seen)(path)?;
        Ok(self.file(path, self.inner.append(path)?))
    }

    fn read(&self, path: &str, limit: u64) -> io::Result<Vec<u8>> {
        (self.seen)(path)?;
        self.inner.read(path, limit)
    }

    fn map(&self, path: &str) -> io::Result<Arc<dyn BlobSource>> {
        (self.seen)(path)?;
        self.inner.map(path)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        (self.seen)(to)?;
        self.inner.rename(from, to)
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        (self.seen)(path)?;
        self.inner.remove(path)
    }

    fn remove_dir(&self, path: &str) -> io::Result<()> {
        (self.seen)(path)?;
        self.inner.remove_dir(path)
    }

    fn list(&self, path: &str) -> io::Result<Vec<String>> {
        (self.seen)(path)?;
        self.inner.list(path)
    }

    fn sync_dir(&self, path: &str) -> io::Result<()> {
        (self.seen)(path)?;
        if self.syncs { self.inner.sync_dir(path) } else { Ok(()) }
    }
}

#[derive(Debug)]
struct SeenFile {
    path: String,
    file: Box<dyn VfsFile>,
    vfs: SeenVfs,
}

impl Drop for SeenFile {
    fn drop(&mut self) {
        self.vfs.open.now.fetch_sub(1, Ordering::AcqRel);
    }
}

impl VfsFile for SeenFile {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        (self.vfs.seen)(&self.path)?;
        self.file.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        (self.vfs.seen)(&self.path)?;
        if self.vfs.syncs { self.file.sync() } else { Ok(()) }
    }

    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        (self.vfs.seen)(&self.path)?;
        self.file.truncate(len)
    }
}
