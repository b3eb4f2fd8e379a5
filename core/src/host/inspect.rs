//! A database directory opened to be looked at: nothing in it is written, not even the lock file.
//!
//! It is opened beside others who only read, and not beside a writer: files go and come under a writer's hand, so that
//! what one read would belong to no one state.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::base::{Error, Observer, Pool, Result, StateError, StorageError};
use crate::collection::View;
use crate::engine::database::{self, Entry};
use crate::engine::stats::Figures;
use crate::engine::verify::{Summary, Visitor, verify};
use crate::engine::{Collection, Env};
use crate::storage::files::{CATALOG_FOLDER, COLLECTIONS_FOLDER, RESERVE, place};
use crate::storage::{FileRoot, OsVfs, ReadOnlyVfs, Storage, StorageRoot};

use super::clock::SystemClock;
use super::lock::{DirectoryLock, LOCK, acquire_shared};

/// Refuses a directory in which there never was a database.
///
/// # Errors
/// `invalid_parameter`.
pub(super) fn check_database(directory: &Path) -> Result<()> {
    let is_there = |name: &str| directory.join(name).is_dir();
    if !is_there(CATALOG_FOLDER) && !is_there(COLLECTIONS_FOLDER) {
        return Err(Error::parameter("data", directory.display(), "the directory of a database"));
    }
    Ok(())
}

/// A database that is only read. Writers are kept out until this is dropped.
pub struct Inspection {
    pub(super) directory: PathBuf,
    root: FileRoot,
    /// Read once: there may be thousands, and each is asked for by name.
    entries: Result<Vec<Entry>>,
    pub(super) env: Env,
    _lock: Option<DirectoryLock>,
}

impl Inspection {
    /// Opens a directory to be read.
    ///
    /// # Errors
    /// `database_locked` while somebody has it open to write, `invalid_parameter` when there is no database, `io_failed`.
    pub fn open(directory: &Path, observer: Arc<dyn Observer>) -> Result<Self> {
        check_database(directory)?;
        let lock = acquire_shared(directory)?;
        let vfs = Arc::new(ReadOnlyVfs::new(Arc::new(OsVfs)));
        let root = FileRoot::open(vfs, &directory.to_string_lossy())?;
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let env = Env { clock: Arc::new(SystemClock), observer, pool: Arc::new(Pool::new(threads)) };
        let entries = database::named(&root, &env).map(|(entries, _)| entries);
        Ok(Self { directory: directory.to_owned(), root, entries, env, _lock: lock })
    }

    /// Checks every byte that anybody could come to read, and tells `visitor` of each object.
    ///
    /// # Errors
    /// `io_failed` when the directory cannot be listed. Damage is no error.
    pub fn verify(&self, visitor: &mut dyn Visitor) -> Result<Summary> {
        verify(&self.failing_root()?, &self.env.pool, visitor)
    }

    /// The same directory, for a disk that may fail: blobs are read, not mapped.
    pub(super) fn failing_root(&self) -> Result<FileRoot> {
        let vfs = Arc::new(ReadOnlyVfs::copying(Arc::new(OsVfs)));
        Ok(FileRoot::open(vfs, &self.directory.to_string_lossy())?)
    }

    /// The collections, by name.
    ///
    /// # Errors
    /// `corrupt` when no catalog can be read, `io_failed`.
    pub fn entries(&self) -> Result<&[Entry]> {
        self.entries.as_deref().map_err(Clone::clone)
    }

    /// The state of a collection, as opening it would recover it.
    ///
    /// # Errors
    /// `unknown_collection`; as [`Collection::open`].
    pub fn view(&self, name: &str) -> Result<Arc<View>> {
        Collection::read(self.storage(name)?, self.env.clone(), name)
    }

    /// Figures of a collection.
    ///
    /// # Errors
    /// `unknown_collection`; as [`Collection::open`].
    pub fn figures(&self, name: &str) -> Result<Figures> {
        Figures::read(&self.storage(name)?, &self.env, name)
    }

    fn storage(&self, name: &str) -> Result<Arc<dyn Storage>> {
        let entry = self.entries()?.iter().find(|entry| entry.name == name);
        let entry = entry.ok_or_else(|| StateError::UnknownCollection { name: name.to_owned() })?;
        Ok(self.root.storage(entry.number)?)
    }

    /// Names in the directory, outside any collection, that are none of ours; sorted. They are left alone.
    ///
    /// # Errors
    /// `io_failed`.
    pub fn strangers(&self) -> Result<Vec<String>> {
        let names = |folder: &Path| -> Result<Vec<String>> {
            let failed = |e: std::io::Error| StorageError::Io {
                action: "list",
                object: folder.display().to_string(),
                cause: e.to_string(),
            };
            let mut names = Vec::new();
            for entry in std::fs::read_dir(folder).map_err(failed)? {
                names.push(entry.map_err(failed)?.file_name().to_string_lossy().into_owned());
            }
            Ok(names)
        };
        let mut found = names(&self.directory)?;
        found.retain(|name| ![LOCK, RESERVE, CATALOG_FOLDER, COLLECTIONS_FOLDER].contains(&name.as_str()));
        let places = self.directory.join(COLLECTIONS_FOLDER);
        if places.is_dir() {
            let others = names(&places)?.into_iter().filter(|name| place(name).is_none());
            found.extend(others.map(|name| format!("{COLLECTIONS_FOLDER}/{name}")));
        }
        found.sort_unstable();
        Ok(found)
    }
}
