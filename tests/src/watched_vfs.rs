//! A disk whose every changing call is shown first to a watcher, which may wait, work on, or let it fail.

use std::fmt;
use std::io;
use std::sync::Arc;

use kithdb::storage::vfs::{Vfs, VfsFile};
use kithdb::storage::{BlobSource, SimVfs};

/// A call that changes a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// A file is made.
    Create,
    /// A file is written to.
    Write,
    /// A file is synced.
    Sync,
    /// A file is cut off.
    Truncate,
    /// A file gets this name.
    Rename,
    /// A file, or a directory, is removed.
    Remove,
    /// A directory is made or synced.
    Directory,
    /// A file or a directory is looked at.
    Look,
}

type Watcher = dyn Fn(Call, &str) -> io::Result<()> + Send + Sync;

/// A simulated disk behind a watcher.
#[derive(Clone)]
pub struct WatchedVfs {
    disk: SimVfs,
    watch: Arc<Watcher>,
}

impl fmt::Debug for WatchedVfs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WatchedVfs").field(&self.disk).finish()
    }
}

impl WatchedVfs {
    /// Shows `watch` each call and its path before the disk is asked. What it fails with is the answer.
    pub fn new(disk: &SimVfs, watch: impl Fn(Call, &str) -> io::Result<()> + Send + Sync + 'static) -> Self {
        Self { disk: disk.clone(), watch: Arc::new(watch) }
    }

    fn file(&self, path: &str, file: Box<dyn VfsFile>) -> Box<dyn VfsFile> {
        Box::new(WatchedFile { path: path.to_owned(), file, watch: Arc::clone(&self.watch) })
    }
}

impl Vfs for WatchedVfs {
    fn create_dir(&self, path: &str) -> io::Result<()> {
        (self.watch)(Call::Directory, path)?;
        self.disk.create_dir(path)
    }

    fn create(&self, path: &str) -> io::Result<Box<dyn VfsFile>> {
        (self.watch)(Call::Create, path)?;
        Ok(self.file(path, self.disk.create(path)?))
    }

    fn append(&self, path: &str) -> io::Result<Box<dyn VfsFile>> {
        Ok(self.file(path, self.disk.append(path)?))
    }

    fn read(&self, path: &str, limit: u64) -> io::Result<Vec<u8>> {
        (self.watch)(Call::Look, path)?;
        self.disk.read(path, limit)
    }

    fn map(&self, path: &str) -> io::Result<Arc<dyn BlobSource>> {
        (self.watch)(Call::Look, path)?;
        self.disk.map(path)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        (self.watch)(Call::Rename, to)?;
        self.disk.rename(from, to)
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        (self.watch)(Call::Remove, path)?;
        self.disk.remove(path)
    }

    fn remove_dir(&self, path: &str) -> io::Result<()> {
        (self.watch)(Call::Remove, path)?;
        self.disk.remove_dir(path)
    }

    fn list(&self, path: &str) -> io::Result<Vec<String>> {
        (self.watch)(Call::Look, path)?;
        self.disk.list(path)
    }

    fn sync_dir(&self, path: &str) -> io::Result<()> {
        (self.watch)(Call::Directory, path)?;
        self.disk.sync_dir(path)
    }
}

struct WatchedFile {
    path: String,
    file: Box<dyn VfsFile>,
    watch: Arc<Watcher>,
}

impl fmt::Debug for WatchedFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WatchedFile").field(&self.path).finish()
    }
}

impl VfsFile for WatchedFile {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        (self.watch)(Call::Write, &self.path)?;
        self.file.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        (self.watch)(Call::Sync, &self.path)?;
        self.file.sync()
    }

    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        (self.watch)(Call::Truncate, &self.path)?;
        self.file.truncate(len)
    }
}
