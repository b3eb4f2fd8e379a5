//! One writer a directory: a lock on its `LOCK` file, which holds the owner's process id.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read, Write};
use std::path::Path;

use crate::base::{Error, Result, StateError, StorageError};

/// Held for as long as the database is open; the system lets go of it when the process ends in any way.
#[derive(Debug)]
pub(super) struct DirectoryLock(File);

impl Drop for DirectoryLock {
    fn drop(&mut self) {
        // Closing the file is not enough: a child process that is just being started has it open too.
        drop(self.0.unlock());
    }
}

/// Takes the lock of a directory that exists.
///
/// # Errors
/// `database_locked` with the owner's process id, `io_failed`.
pub(super) fn acquire(directory: &Path) -> Result<DirectoryLock> {
    let io = |action| {
        move |e: std::io::Error| StorageError::Io { action, object: "LOCK".to_owned(), cause: e.to_string() }
    };
    let path = directory.join("LOCK");
    let mut file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(path)
        .map_err(io("open"))?;
    match file.try_lock() {
        Ok(()) => {
            file.set_len(0).map_err(io("truncate"))?;
            match write!(file, "{}", std::process::id()) {
                // The lock holds without the number too, and a full disk is no reason not to read.
                Err(e) if !matches!(e.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded) => {
                    Err(io("write")(e).into())
                }
                _ => Ok(DirectoryLock(file)),
            }
        }
        Err(TryLockError::WouldBlock) => {
            // What the file names is the last writer, who is gone when this can be had beside others.
            if file.try_lock_shared().is_ok() {
                let path = directory.display().to_string();
                return Err(StateError::Locked { path, owner: "unknown, which only reads".to_owned() }.into());
            }
            Err(locked(directory, &file))
        }
        Err(TryLockError::Error(e)) => Err(io("lock")(e).into()),
    }
}

/// That the one named in the file has the lock.
fn locked(directory: &Path, file: &File) -> Error {
    let mut owner = String::new();
    // The owner may be about to write its id; an empty one is still an answer.
    let read = file.take(32).read_to_string(&mut owner);
    if read.is_err() || owner.trim().is_empty() {
        owner = "unknown".to_owned();
    }
    StateError::Locked { path: directory.display().to_string(), owner }.into()
}

/// Takes the lock of those who only read, beside others of them; `None` where no database was ever opened to write and
/// there is no lock file. Nothing is written, not even who reads.
///
/// # Errors
/// `database_locked` with the writer's process id, `io_failed`.
pub(super) fn acquire_shared(directory: &Path) -> Result<Option<DirectoryLock>> {
    let io = |action| {
        move |e: std::io::Error| StorageError::Io { action, object: "LOCK".to_owned(), cause: e.to_string() }
    };
    let file = match File::open(directory.join("LOCK")) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        opened => opened.map_err(io("open"))?,
    };
    match file.try_lock_shared() {
        Ok(()) => Ok(Some(DirectoryLock(file))),
        Err(TryLockError::WouldBlock) => Err(locked(directory, &file)),
        Err(TryLockError::Error(e)) => Err(io("lock")(e).into()),
    }
}
