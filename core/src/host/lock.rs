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
/// So often something is tried again that a deletion by somebody else came between.
pub(super) const TRIES_MAX: usize = 16;

/// That something failed for a lock file, which messages name so.
fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StorageError {
    let path = path.to_owned();
    move |e| {
        let denied = e.kind() == ErrorKind::PermissionDenied;
        let advice = if denied { not_let_in(path.parent().unwrap_or(&path)) } else { String::new() };
        StorageError::Io { action, object: path.display().to_string(), cause: format!("{e}{advice}") }
    }
}

/// What to do about a directory that the system keeps this process out of, as it does with a volume that root made.
fn not_let_in(directory: &Path) -> String {
    let directory = directory.display();
    match user() {
        Some(user) => format!(
            "; this runs as user {user}: run it as the user that {directory} belongs to, or give that to user {user} \
             (chown -R {user} {directory})"
        ),
        None => {
            format!(
                "; run this as the user that {directory} belongs to, or give that to the user whom this runs as"
            )
        }
    }
}

/// Whom Linux says that this process belongs to; elsewhere there is no asking without unsafe code.
#[cfg(target_os = "linux")]
fn user() -> Option<u32> {
    use std::os::unix::fs::MetadataExt;
    fs::metadata("/proc/self").ok().map(|process| process.uid())
}

#[cfg(not(target_os = "linux"))]
fn user() -> Option<u32> {
    None
}

/// What to say when others were quicker each time.
pub(super) fn tried_too_often(directory: &Path) -> Error {
    let cause = format!("it was removed meanwhile, {TRIES_MAX} times; see who deletes it, and try again");
    StorageError::Io { action: "lock", object: directory.display().to_string(), cause }.into()
}

/// Takes the lock of a directory, which messages call `named`; `None` when it is not there.
///
/// # Errors
/// `database_locked` with the owner's process id, `invalid_parameter` when `LOCK` is no file, `io_failed`.
pub(super) fn acquire(directory: &Path, named: &Path) -> Result<Option<DirectoryLock>> {
    let path = directory.join(LOCK);
    for _ in 0..TRIES_MAX {
        check_kind(&path, named)?;
        let opened = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(&path);
        let file = match opened {
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
            opened => opened.map_err(failed("open", &named.join(LOCK)))?,
        };
        match file.try_lock() {
            // The database was deleted meanwhile: this file keeps nobody out.
            Ok(()) if !is_at(&file, &path)? => {}
            Ok(()) => return Ok(Some(sign(file, &named.join(LOCK))?)),
            Err(TryLockError::WouldBlock) => {
                // What the file names is the last writer, who is gone when this can be had beside others.
                if file.try_lock_shared().is_ok() {
                    let path = named.display().to_string();
                    return Err(
                        StateError::Locked { path, owner: "unknown, which only reads".to_owned() }.into()
                    );
                }
                return Err(locked(named, &file));
            }
            Err(TryLockError::Error(e)) => return Err(failed("lock", &named.join(LOCK))(e).into()),
        }
    }
    Err(tried_too_often(named))
}

/// Writes into a locked file whose it is; messages name it by this path.
fn sign(mut file: File, path: &Path) -> Result<DirectoryLock> {
    file.set_len(0).map_err(failed("truncate", path))?;
    match write!(file, "{}", std::process::id()) {
        // The lock holds without the number too, and a full disk is no reason not to read.
        Err(e) if !matches!(e.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded) => {
            Err(failed("write", path)(e).into())
        }
        _ => Ok(DirectoryLock(file)),
    }
}

/// Refuses a `LOCK` that is no file before it is opened: a link in a database that was copied from somewhere may lead to
/// anything, which would be written over.
fn check_kind(path: &Path, named: &Path) -> Result<()> {
    match fs::symlink_metadata(path) {
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(()),
        Ok(found) if !found.is_file() => Err(Error::parameter(
            "path",
            named.join(LOCK).display(),
            "a file, and no link or folder; remove it, as nothing of a database is in it, and try again",
        )),
        found => Ok(found.map(drop).map_err(failed("look at", &named.join(LOCK)))?),
    }
}

/// Whether a path still is that of the file that was opened by it, and no link to it.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let opened = file.metadata().map_err(failed("look at", path))?;
    match fs::symlink_metadata(path) {
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(false),
        there => {
            let there = there.map_err(failed("look at", path))?;
            Ok((there.dev(), there.ino()) == (opened.dev(), opened.ino()))
        }
    }
}

/// Whether a path still is that of a file; there is no telling which.
#[cfg(not(unix))]
fn is_at(_: &File, path: &Path) -> Result<bool> {
    match fs::symlink_metadata(path) {
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(false),
        there => Ok(there.map_err(failed("look at", path))?.is_file()),
    }
}

/// Whether a file holds what the one who locks it writes there.
pub(super) fn names_an_owner(path: &Path) -> io::Result<bool> {
    let mut owner = Vec::new();
    File::open(path)?.take(OWNER_BYTES_MAX).read_to_end(&mut owner)?;
    let may_be = !owner.is_empty() && owner.len() < OWNER_BYTES_MAX as usize;
    Ok(may_be && owner.iter().all(u8::is_ascii_digit))
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
/// `database_locked` with the writer's process id, `invalid_parameter` when `LOCK` is no file, `io_failed`.
pub(super) fn acquire_shared(directory: &Path) -> Result<Option<DirectoryLock>> {
    let path = directory.join(LOCK);
    for _ in 0..TRIES_MAX {
        check_kind(&path, directory)?;
        let file = match File::open(&path) {
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
            opened => opened.map_err(failed("open", &path))?,
        };
        match file.try_lock_shared() {
            Ok(()) if !is_at(&file, &path)? => {}
            Ok(()) => return Ok(Some(DirectoryLock(file))),
            Err(TryLockError::WouldBlock) => return Err(locked(directory, &file)),
            Err(TryLockError::Error(e)) => return Err(failed("lock", &path)(e).into()),
        }
    }
    Err(tried_too_often(directory))
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn taken(directory: &Path) -> DirectoryLock {
        acquire(directory, directory).expect("free").expect("a directory")
    }

    #[test]
    fn a_file_that_was_removed_under_its_lock_is_known() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join(LOCK);
        let lock = taken(directory.path());
        assert!(is_at(&lock.0, &path).expect("there"));
        assert!(names_an_owner(&path).expect("there"));
        fs::remove_file(&path).expect("there");
        assert!(!is_at(&lock.0, &path).expect("told"), "it is nowhere");
        let other = taken(directory.path());
        assert!(!is_at(&lock.0, &path).expect("told"), "another has its name");
        assert!(is_at(&other.0, &path).expect("there"));
    }

    #[test]
    fn what_a_link_leads_to_is_not_written_over() {
        let directory = tempfile::tempdir().expect("a directory");
        let (place, important) = (directory.path().join("films"), directory.path().join("important"));
        fs::create_dir(&place).expect("made");
        fs::write(&important, "mine").expect("written");
        symlink(&important, place.join(LOCK)).expect("linked");
        let refused = [
            acquire(&place, Path::new("films")).expect_err("a link"),
            acquire_shared(&place).expect_err("a link"),
        ];
        for error in refused {
            assert_eq!(error.code(), "invalid_parameter", "{error}");
            assert!(error.to_string().contains("films/LOCK"), "{error}");
        }
        let opened = OpenOptions::new().write(true).open(place.join(LOCK)).expect("as before the check");
        assert!(!is_at(&opened, &place.join(LOCK)).expect("told"), "a link that was put there meanwhile");
        assert_eq!(fs::read(&important).expect("there"), b"mine");
        fs::remove_file(place.join(LOCK)).expect("removed");
        // Not one that is not there either, nor a folder.
        symlink(directory.path().join("new"), place.join(LOCK)).expect("linked");
        assert_eq!(acquire(&place, &place).expect_err("a link").code(), "invalid_parameter");
        assert!(!directory.path().join("new").exists());
        fs::remove_file(place.join(LOCK)).expect("removed");
        fs::create_dir(place.join(LOCK)).expect("made");
        assert_eq!(acquire(&place, &place).expect_err("a folder").code(), "invalid_parameter");
    }

    #[test]
    fn who_is_kept_out_is_told_where_and_what_to_do() {
        let told = failed("open", Path::new("films/LOCK"))(ErrorKind::PermissionDenied.into()).to_string();
        assert!(told.starts_with("open failed for films/LOCK: "), "{told}");
        assert!(told.contains("run") && told.contains("the user that films belongs to"), "{told}");
        if let Some(user) = user() {
            assert!(told.contains(&format!("chown -R {user} films")), "{told}");
        }
        let told = failed("open", Path::new("films/LOCK"))(ErrorKind::ReadOnlyFilesystem.into()).to_string();
        assert!(told.contains("films/LOCK") && !told.contains("belongs"), "{told}");
    }

    #[test]
    fn there_is_no_lock_where_no_directory_is() {
        let directory = tempfile::tempdir().expect("a directory");
        let gone = directory.path().join("gone");
        assert!(acquire(&gone, &gone).expect("told").is_none());
        assert!(!gone.exists());
    }
}
