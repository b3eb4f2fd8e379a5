//! The few calls that files need, so that a simulation can stand in for the operating system.

use std::fmt;
use std::io;
use std::sync::Arc;

use super::blob::BlobSource;

/// A file system, or what acts as one. Paths are made by this crate, with `/`, and never from a user's names.
pub trait Vfs: Send + Sync + fmt::Debug {
    /// Makes a directory and those above it.
    ///
    /// # Errors
    /// As the system says.
    fn create_dir(&self, path: &str) -> io::Result<()>;

    /// Makes an empty file, or empties the one there is.
    ///
    /// # Errors
    /// As the system says.
    fn create(&self, path: &str) -> io::Result<Box<dyn VfsFile>>;

    /// Opens a file to append to it.
    ///
    /// # Errors
    /// As the system says.
    fn append(&self, path: &str) -> io::Result<Box<dyn VfsFile>>;

    /// Reads a whole file of at most `limit` bytes.
    ///
    /// # Errors
    /// As the system says; `InvalidData` when the file is larger.
    fn read(&self, path: &str, limit: u64) -> io::Result<Vec<u8>>;

    /// The bytes of an immutable file.
    ///
    /// # Errors
    /// As the system says.
    fn map(&self, path: &str) -> io::Result<Arc<dyn BlobSource>>;

    /// Gives a file another name, replacing what has it.
    ///
    /// # Errors
    /// As the system says.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a file; one that is not there is no error.
    ///
    /// # Errors
    /// As the system says.
    fn remove(&self, path: &str) -> io::Result<()>;

    /// Removes a directory and all in it; one that is not there is no error.
    ///
    /// # Errors
    /// As the system says.
    fn remove_dir(&self, path: &str) -> io::Result<()>;

    /// Names in a directory, sorted.
    ///
    /// # Errors
    /// As the system says.
    fn list(&self, path: &str) -> io::Result<Vec<String>>;

    /// Makes the names in a directory durable.
    ///
    /// # Errors
    /// As the system says.
    fn sync_dir(&self, path: &str) -> io::Result<()>;
}

/// An open file.
pub trait VfsFile: Send + fmt::Debug {
    /// Writes all of the bytes at the end.
    ///
    /// # Errors
    /// As the system says; some of the bytes may have been written.
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Makes what was written durable.
    ///
    /// # Errors
    /// As the system says; then nobody knows what is durable, and it must not be tried again.
    fn sync(&mut self) -> io::Result<()>;

    /// How long the file is.
    ///
    /// # Errors
    /// As the system says.
    fn len(&self) -> io::Result<u64>;

    /// Whether there is nothing in it.
    ///
    /// # Errors
    /// As the system says.
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }

    /// Cuts the file off.
    ///
    /// # Errors
    /// As the system says.
    fn truncate(&mut self, len: u64) -> io::Result<()>;
}
