//! A file system through which nothing can be written: for looking at a database and leaving it as it is.

use std::io;
use std::sync::Arc;

use crate::base::AlignedBytes;

use super::blob::{BlobSource, Resident};
use super::vfs::{Vfs, VfsFile};

/// What reads, but never writes.
#[derive(Debug)]
pub struct ReadOnlyVfs {
    inner: Arc<dyn Vfs>,
    copying: bool,
}

impl ReadOnlyVfs {
    /// Blobs are mapped, as in a database that is open.
    #[must_use]
    pub fn new(inner: Arc<dyn Vfs>) -> Self {
        Self { inner, copying: false }
    }

    /// Blobs are read, not mapped: on a disk that fails, a map ends the process, and a read is an error.
    #[must_use]
    pub fn copying(inner: Arc<dyn Vfs>) -> Self {
        Self { inner, copying: true }
    }
}

fn refused<T>() -> io::Result<T> {
    Err(io::Error::new(io::ErrorKind::ReadOnlyFilesystem, "opened to be read only"))
}

impl Vfs for ReadOnlyVfs {
    /// Nothing: a directory that is not there is noticed when it is read.
    fn create_dir(&self, _: &str) -> io::Result<()> {
        Ok(())
    }

    fn create(&self, _: &str) -> io::Result<Box<dyn VfsFile>> {
        refused()
    }

    fn append(&self, _: &str) -> io::Result<Box<dyn VfsFile>> {
        refused()
    }

    fn read(&self, path: &str, limit: u64) -> io::Result<Vec<u8>> {
        self.inner.read(path, limit)
    }

    fn map(&self, path: &str) -> io::Result<Arc<dyn BlobSource>> {
        if !self.copying {
            return self.inner.map(path);
        }
        let bytes = AlignedBytes::copy_of(&self.inner.read(path, u64::MAX)?);
        Ok(Arc::new(Resident::new(Arc::new(bytes))))
    }

    fn rename(&self, _: &str, _: &str) -> io::Result<()> {
        refused()
    }

    fn remove(&self, _: &str) -> io::Result<()> {
        refused()
    }

    fn remove_dir(&self, _: &str) -> io::Result<()> {
        refused()
    }

    fn list(&self, path: &str) -> io::Result<Vec<String>> {
        self.inner.list(path)
    }

    /// Nothing: there is nothing of ours to make durable.
    fn sync_dir(&self, _: &str) -> io::Result<()> {
        Ok(())
    }
}
