//! The simulated disk, with a point before every call at which another thread may go on, and syncs that fail when asked.

use std::io;
use std::sync::Arc;

use kithdb::base::Rng;
use kithdb::storage::sim::Crash;
use kithdb::storage::vfs::{Vfs, VfsFile};
use kithdb::storage::{BlobSource, FileRoot, SimVfs, StorageRoot};
use shuttle::sync::atomic::{AtomicI64, AtomicU64, Ordering};

/// A disk that several threads use.
#[derive(Debug, Clone)]
pub(crate) struct Disk {
    vfs: SimVfs,
    points: Arc<AtomicU64>,
    /// This many more syncs of logs succeed; below zero all do.
    syncs_left: Arc<AtomicI64>,
}

impl Disk {
    pub fn new() -> Self {
        Self { vfs: SimVfs::new(), points: Arc::default(), syncs_left: Arc::new(AtomicI64::new(-1)) }
    }

    /// After so many more syncs of a log one fails, and so do all after it.
    pub fn fail_syncs_after(&self, count: i64) {
        self.syncs_left.store(count, Ordering::SeqCst);
    }

    pub fn root(&self) -> Arc<dyn StorageRoot> {
        Arc::new(FileRoot::open(Arc::new(self.clone()), "db").expect("a simulated disk"))
    }

    /// What is left when the machine stops now and loses all that was not synced.
    pub fn after_power_cut(&self) -> Self {
        Self { vfs: self.vfs.after(Crash::LoseUnsynced, &mut Rng::new(1)), ..Self::new() }
    }

    /// Whether a log of the collection would hold these bytes after a power cut now.
    pub fn is_durable(&self, bytes: &[u8]) -> bool {
        let vfs = self.after_power_cut().vfs;
        let logs = vfs.files().into_iter().filter(|file| file.contains("/wal-"));
        logs.into_iter().any(|log| {
            let found = vfs.read(&log, u64::MAX).expect("it is there");
            found.windows(bytes.len()).any(|window| window == bytes)
        })
    }

    /// Files of collections, which a drop takes with it.
    pub fn collection_files(&self) -> Vec<String> {
        self.vfs.files().into_iter().filter(|file| file.starts_with("db/c/")).collect()
    }

    /// Another thread may go on here.
    fn point(&self) {
        self.points.fetch_add(1, Ordering::SeqCst);
    }

    fn sync_log(&self) -> io::Result<()> {
        let left = self.syncs_left.load(Ordering::SeqCst);
        if left == 0 {
            return Err(io::Error::other("the disk is broken"));
        }
        self.syncs_left.store((left - 1).max(-1), Ordering::SeqCst);
        Ok(())
    }
}

#[derive(Debug)]
struct File {
    disk: Disk,
    is_log: bool,
    inner: Box<dyn VfsFile>,
}

impl Disk {
    fn file(&self, path: &str, inner: Box<dyn VfsFile>) -> Box<dyn VfsFile> {
        Box::new(File { disk: self.clone(), is_log: path.contains("/wal-"), inner })
    }
}

impl Vfs for Disk {
    fn create_dir(&self, path: &str) -> io::Result<()> {
        self.vfs.create_dir(path)
    }

    fn create(&self, path: &str) -> io::Result<Box<dyn VfsFile>> {
        self.point();
        Ok(self.file(path, self.vfs.create(path)?))
    }

    fn append(&self, path: &str) -> io::Result<Box<dyn VfsFile>> {
        self.point();
        Ok(self.file(path, self.vfs.append(path)?))
    }

    fn read(&self, path: &str, limit: u64) -> io::Result<Vec<u8>> {
        self.point();
        self.vfs.read(path, limit)
    }

    fn map(&self, path: &str) -> io::Result<Arc<dyn BlobSource>> {
        self.point();
        self.vfs.map(path)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.point();
        self.vfs.rename(from, to)
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        self.point();
        self.vfs.remove(path)
    }

    fn remove_dir(&self, path: &str) -> io::Result<()> {
        self.point();
        self.vfs.remove_dir(path)
    }

    fn list(&self, path: &str) -> io::Result<Vec<String>> {
        self.vfs.list(path)
    }

    fn sync_dir(&self, path: &str) -> io::Result<()> {
        self.point();
        self.vfs.sync_dir(path)
    }
}

impl VfsFile for File {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.disk.point();
        self.inner.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.disk.point();
        if self.is_log {
            self.disk.sync_log()?;
        }
        self.inner.sync()?;
        self.disk.point();
        Ok(())
    }

    fn len(&self) -> io::Result<u64> {
        self.inner.len()
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        self.disk.point();
        self.inner.truncate(len)
    }
}
