//! One writer a directory: a lock on its `LOCK` file, which holds the owner's process id.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read, Write};
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

/// Its name.
pub(super) const LOCK: &str = "LOCK";
/// What it holds is no longer than this.
const OWNER_BYTES_MAX: u64 = 32;

fn failed(action: &'static str) -> impl FnOnce(io::Error) -> StorageError {
    move |e| StorageError::Io { action, object: LOCK.to_owned(), cause: e.to_string() }
}

/// Takes the lock of a directory that exists.
///
/// # Errors
/// `database_locked` with the owner's process id, `io_failed`.
pub(super) fn acquire(directory: &Path) -> Result<DirectoryLock> {
    let path = directory.join(LOCK);
    loop {
        let opened = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(&path);
        let mut file = opened.map_err(failed("open"))?;
        match file.try_lock() {
            // The database was deleted meanwhile: this file keeps nobody out.
            Ok(()) if !is_at(&file, &path)? => {}
            Ok(()) => {
                file.set_len(0).map_err(failed("truncate"))?;
                return match write!(file, "{}", std::process::id()) {
                    // The lock holds without the number too, and a full disk is no reason not to read.
                    Err(e) if !matches!(e.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded) => {
                        Err(failed("write")(e).into())
                    }
                    _ => Ok(DirectoryLock(file)),
                };
            }
            Err(TryLockError::WouldBlock) => {
                // What the file names is the last writer, who is gone when this can be had beside others.
                if file.try_lock_shared().is_ok() {
                    let path = directory.display().to_string();
                    return Err(
                        StateError::Locked { path, owner: "unknown, which only reads".to_owned() }.into()
                    );
                }
                return Err(locked(directory, &file));
            }
            Err(TryLockError::Error(e)) => return Err(failed("lock")(e).into()),
        }
    }
}

/// Whether a path still leads to the file that was opened by it.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let opened = file.metadata().map_err(failed("look at"))?;
    match fs::metadata(path) {
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(false),
        there => {
            let there = there.map_err(failed("look at"))?;
            Ok((there.dev(), there.ino()) == (opened.dev(), opened.ino()))
        }
    }
}

/// Whether a path still leads to a file; there is no telling which.
#[cfg(not(unix))]
fn is_at(_: &File, path: &Path) -> Result<bool> {
    Ok(fs::exists(path).map_err(failed("look at"))?)
}

/// Whether a file holds what the one who locks it writes there, or nothing.
pub(super) fn names_an_owner(path: &Path) -> io::Result<bool> {
    let mut owner = Vec::new();
    File::open(path)?.take(OWNER_BYTES_MAX).read_to_end(&mut owner)?;
    Ok(owner.len() < OWNER_BYTES_MAX as usize && owner.iter().all(u8::is_ascii_digit))
}

/// That the one named in the file has the lock.
fn locked(directory: &Path, file: &File) -> Error {
    let mut owner = String::new();
    // The owner may be about to write its id; an empty one is still an answer.
    let read = file.take(OWNER_BYTES_MAX).read_to_string(&mut owner);
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
    let path = directory.join(LOCK);
    loop {
        let file = match File::open(&path) {
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
            opened => opened.map_err(failed("open"))?,
        };
        match file.try_lock_shared() {
            Ok(()) if !is_at(&file, &path)? => {}
            Ok(()) => return Ok(Some(DirectoryLock(file))),
            Err(TryLockError::WouldBlock) => return Err(locked(directory, &file)),
            Err(TryLockError::Error(e)) => return Err(failed("lock")(e).into()),
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_was_removed_under_its_lock_is_known() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join(LOCK);
        let lock = acquire(directory.path()).expect("free");
        assert!(is_at(&lock.0, &path).expect("there"));
        assert!(names_an_owner(&path).expect("there"));
        fs::remove_file(&path).expect("there");
        assert!(!is_at(&lock.0, &path).expect("told"), "it is nowhere");
        let other = acquire(directory.path()).expect("another file, which nobody holds");
        assert!(!is_at(&lock.0, &path).expect("told"), "another has its name");
        assert!(is_at(&other.0, &path).expect("there"));
    }
}
