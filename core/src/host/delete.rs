//! Deleting a database: the files that are its own by their names, and no others.
//!
//! Whether there is one is told by bytes, before anything is locked or removed: somebody may have folders of the same
//! names. The catalogs go first, an earlier one before a later one, and their pointer last, so that a deletion which was
//! interrupted leaves nothing that opens as a database with some of its collections, and can be asked for again.

use std::fs::{self, File, FileType};
use std::io::{self, ErrorKind, Read};
use std::path::Path;

use crate::base::{Error, Result, StorageError};
use crate::storage::files::{
    CATALOG_FOLDER, COLLECTIONS_FOLDER, CURRENT, LOST_AND_FOUND, RESERVE, is_own, is_tail, place as number_of,
};
use crate::storage::vfs::Vfs;
use crate::storage::{OsVfs, is_reserve};

use super::lock::{LOCK, acquire, names_an_owner};

/// What all files of a storage but for its unfinished ones begin with.
const MAGIC: &[u8; 4] = b"KITH";
/// So many names are told of what is not the database's.
const TOLD_MAX: usize = 3;

/// What is left of the directory of a database that was deleted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Deleted {
    /// What is in it and not the database's, sorted; it stays as it was, and the directory with it.
    pub strangers: Vec<String>,
    /// Why the directory stays though nothing is in it, as the system says it.
    pub kept: Option<String>,
}

impl Deleted {
    /// Why the directory stays, for people; `None` when it went, too.
    #[must_use]
    pub fn remark(&self, directory: &Path) -> Option<String> {
        let directory = directory.display();
        if let Some(cause) = &self.kept {
            return Some(format!(
                "the database in {directory} is deleted; its empty directory stays, as it cannot be removed: {cause}"
            ));
        }
        let (told, more) = self.strangers.split_at(self.strangers.len().min(TOLD_MAX));
        let names = match more.len() {
            _ if told.is_empty() => return None,
            0 => told.join(", "),
            more => format!("{} and {more} more", told.join(", ")),
        };
        Some(format!(
            "the database in {directory} is deleted; its directory stays, as it holds what is not the database's: {names}"
        ))
    }
}

/// Deletes the database in a directory, for good, and the directory, unless something else is in it; `None` when there is no
/// such directory. Symbolic links within it are not followed, and are not the database's.
///
/// # Errors
/// `invalid_parameter` when there is no database in it, or its `LOCK` is a link or a folder; `database_locked` while anybody
/// has it open, but for those who opened it to read only when it had no `LOCK`, as a copy has none: they hold no lock, and it
/// goes under them. Nothing is deleted then. `io_failed`, after which it can be asked for again. Until its last catalog goes,
/// what is left opens with all that was in it. Then it opens as nothing, until the last of its files that tell of it went;
/// from there on who opens it to write begins an empty one.
pub fn delete(directory: &Path) -> Result<Option<Deleted>> {
    let place = match fs::canonicalize(directory) {
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        found => found.map_err(failed("find", directory))?,
    };
    if !place.is_dir() || !holds_database(&place)? {
        return Err(Error::parameter("path", directory.display(), "the directory of a database"));
    }
    let Some(lock) = acquire(&place, directory)? else { return Ok(None) };
    let deleted =
        Deletion { place: &place, remove: &|path| fs::remove_file(path), strangers: Vec::new() }.all()?;
    drop(lock);
    Ok(Some(deleted))
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
    let object = path.display().to_string();
    move |e| StorageError::Io { action, object, cause: e.to_string() }.into()
}

/// Whatever was to be done is done when the thing is not there.
fn unless_absent(done: io::Result<()>) -> io::Result<()> {
    match done {
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

/// What a directory holds, sorted; nothing when there is none.
fn list(folder: &Path) -> Result<Vec<(String, FileType)>> {
    if !fs::symlink_metadata(folder).is_ok_and(|found| found.is_dir()) {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed("list", folder))? {
        let entry = entry.map_err(failed("list", folder))?;
        let kind = entry.file_type().map_err(failed("list", folder))?;
        found.push((entry.file_name().to_string_lossy().into_owned(), kind));
    }
    found.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    Ok(found)
}

/// Whether there is any file in it that is a database's by its name and its first bytes, or nothing but what a database
/// begins with and ends with.
fn holds_database(place: &Path) -> Result<bool> {
    let is_storage = |folder: &Path| -> Result<bool> {
        let is_ours = |(name, kind): &(String, FileType)| {
            kind.is_file() && is_own(name) && begins_with_magic(&folder.join(name))
        };
        Ok(list(folder)?.iter().any(is_ours))
    };
    if is_storage(&place.join(CATALOG_FOLDER))? {
        return Ok(true);
    }
    let collections = place.join(COLLECTIONS_FOLDER);
    for (name, kind) in list(&collections)? {
        if kind.is_dir() && number_of(&name).is_some() && is_storage(&collections.join(name))? {
            return Ok(true);
        }
    }
    Ok(is_husk(place, &list(place)?))
}

/// Whether nothing is left but what a database begins with and ends with, as only a database has it. Beside a reserve
/// anything may be; a number in a `LOCK` is nothing that others do not write.
fn is_husk(place: &Path, entries: &[(String, FileType)]) -> bool {
    let is_file = |wanted: &str| entries.iter().any(|(name, kind)| name == wanted && kind.is_file());
    if !is_file(LOCK) || !names_an_owner(&place.join(LOCK)).unwrap_or(false) {
        return false;
    }
    if is_file(RESERVE) && is_reserve(&place.join(RESERVE)).unwrap_or(false) {
        return true;
    }
    entries.iter().all(|(name, kind)| match name.as_str() {
        LOCK => true,
        CATALOG_FOLDER | COLLECTIONS_FOLDER => {
            kind.is_dir() && list(&place.join(name)).is_ok_and(|found| found.is_empty())
        }
        _ => false,
    })
}

fn begins_with_magic(path: &Path) -> bool {
    let mut first = [0; MAGIC.len()];
    File::open(path).and_then(|mut file| file.read_exact(&mut first)).is_ok() && first == *MAGIC
}

/// A deletion that is under way, under the lock of the directory.
struct Deletion<'a> {
    place: &'a Path,
    /// Removes a file.
    remove: &'a dyn Fn(&Path) -> io::Result<()>,
    strangers: Vec<String>,
}

impl Deletion<'_> {
    fn all(mut self) -> Result<Deleted> {
        self.catalogs()?;
        for (name, kind) in list(&self.place.join(COLLECTIONS_FOLDER))? {
            let path = format!("{COLLECTIONS_FOLDER}/{name}");
            if kind.is_dir() && number_of(&name).is_some() {
                self.storage(&path)?;
            } else {
                self.strangers.push(path);
            }
        }
        self.folder(COLLECTIONS_FOLDER)?;
        self.storage(CATALOG_FOLDER)?;
        for (name, kind) in list(self.place)? {
            match name.as_str() {
                RESERVE if kind.is_file() => self.file(RESERVE)?,
                // Once it is gone, somebody else may begin a database here: it is the last.
                LOCK if kind.is_file() => {}
                // They are there for what is in them, which was told.
                CATALOG_FOLDER | COLLECTIONS_FOLDER if kind.is_dir() => {}
                _ => self.strangers.push(name),
            }
        }
        self.file(LOCK)?;
        self.strangers.sort_unstable();
        let kept = match fs::remove_dir(self.place) {
            Err(e) if matches!(e.kind(), ErrorKind::DirectoryNotEmpty | ErrorKind::NotFound) => None,
            Err(e) => Some(e.to_string()),
            Ok(()) => None,
        };
        sync(self.place)?;
        self.place.parent().map_or(Ok(()), sync)?;
        Ok(Deleted { strangers: self.strangers, kept })
    }

    /// Removes the catalogs, an earlier one before a later one, and leaves the pointer that names the last.
    fn catalogs(&mut self) -> Result<()> {
        let catalog = self.place.join(CATALOG_FOLDER);
        let mut files = list(&catalog)?;
        files.retain(|(name, kind)| kind.is_file() && is_own(name) && name != CURRENT);
        // The number of a later one is not shorter.
        files.sort_by_key(|(name, _)| name.len());
        for (name, _) in files {
            self.file(&format!("{CATALOG_FOLDER}/{name}"))?;
            // Before the next, or a crash might leave an earlier one alone, with fewer collections in it.
            sync(&catalog)?;
        }
        Ok(())
    }

    /// Removes a storage's files, and its folder when nothing is left there.
    fn storage(&mut self, folder: &str) -> Result<()> {
        for (name, kind) in list(&self.place.join(folder))? {
            let path = format!("{folder}/{name}");
            if kind.is_file() && is_own(&name) {
                self.file(&path)?;
            } else if kind.is_dir() && name == LOST_AND_FOUND {
                self.tails(&path)?;
            } else {
                self.strangers.push(path);
            }
        }
        self.folder(folder)
    }

    /// Removes what a storage cut off its logs.
    fn tails(&mut self, folder: &str) -> Result<()> {
        for (name, kind) in list(&self.place.join(folder))? {
            let path = format!("{folder}/{name}");
            if kind.is_file() && is_tail(&name) {
                self.file(&path)?;
            } else {
                self.strangers.push(path);
            }
        }
        self.folder(folder)
    }

    fn file(&self, name: &str) -> Result<()> {
        let path = self.place.join(name);
        unless_absent((self.remove)(&path)).map_err(failed("remove", &path))
    }

    /// Removes a folder, unless it holds something, or is none.
    fn folder(&self, name: &str) -> Result<()> {
        let path = self.place.join(name);
        match unless_absent(fs::remove_dir(&path)) {
            Err(e) if matches!(e.kind(), ErrorKind::DirectoryNotEmpty | ErrorKind::NotADirectory) => Ok(()),
            done => done.map_err(failed("remove", &path)),
        }
    }
}

/// Makes what was removed from a directory stay removed.
fn sync(folder: &Path) -> Result<()> {
    let synced = OsVfs.sync_dir(&folder.to_string_lossy());
    unless_absent(synced).map_err(failed("sync", folder))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::collection::{CollectionConfig, Document};
    use crate::host::{AddMode, Db, Options};
    use crate::storage::Level;

    fn options() -> Options {
        Options { threads: 1, auto_jobs: false, level: Level::Os, ..Options::default() }
    }

    /// Two collections, of which one was sealed, in several generations of the catalog.
    fn fill(place: &Path) {
        let db = Db::open(place, options()).expect("opens");
        for name in ["one", "two"] {
            let collection = db.create(name, CollectionConfig::default()).expect("made");
            let document = Document { id: "a".into(), ..Document::default() };
            collection.add(vec![document], AddMode::Insert, None).expect("stored");
        }
        db.collection("one").expect("opens").run(crate::engine::JobKind::Seal).expect("sealed");
        db.close().expect("closed");
    }

    fn names(place: &Path) -> Vec<String> {
        list(place).expect("listed").into_iter().map(|(name, _)| name).collect()
    }

    #[test]
    fn a_database_goes_with_its_directory_and_only_a_database() {
        let directory = tempfile::tempdir().expect("a directory");
        let place = directory.path().join("films");
        assert_eq!(delete(&place).expect("nothing there"), None);
        fill(&place);
        assert_eq!(delete(&place).expect("deleted"), Some(Deleted::default()));
        assert_eq!(delete(&place).expect("nothing there"), None);
        // Folders of the same names, and a file.
        fs::create_dir_all(place.join("catalog")).expect("made");
        fs::create_dir_all(place.join("c/1")).expect("made");
        for (name, bytes) in
            [("catalog/CURRENT", "KIT"), ("c/1/1.rows", "mine"), ("c/1/a.rows", "KITH"), ("LOCK", "7")]
        {
            fs::write(place.join(name), bytes).expect("written");
        }
        for path in [&place, &place.join("LOCK"), directory.path()] {
            let error = delete(path).expect_err("no database");
            assert_eq!(error.code(), "invalid_parameter", "{error}");
        }
        assert_eq!(fs::read(place.join("LOCK")).expect("there"), b"7", "nothing was written");
        assert_eq!(names(&place.join("c/1")), ["1.rows", "a.rows"]);
    }

    #[test]
    fn what_is_not_the_databases_stays_and_is_told() {
        let directory = tempfile::tempdir().expect("a directory");
        let place = directory.path().join("films");
        fill(&place);
        fs::create_dir_all(place.join("c/1/lost+found")).expect("made");
        fs::write(place.join("c/1/lost+found/wal-1-40"), "a tail").expect("written");
        fs::write(place.join("c/1/2.rows.tmp"), "unfinished").expect("written");
        let strangers =
            ["c/01", "c/1/lost+found/wal-1", "c/1/notes.txt", "c/2/wal-03", "catalog/x", "notes.txt"];
        for name in strangers {
            fs::write(place.join(name), name).expect("written");
        }
        let deleted = delete(&place).expect("deleted").expect("there was one");
        assert_eq!(deleted.strangers, strangers);
        let remark = deleted.remark(Path::new("films")).expect("it stays");
        assert!(remark.ends_with("c/01, c/1/lost+found/wal-1, c/1/notes.txt and 3 more"), "{remark}");
        assert_eq!(names(&place), ["c", "catalog", "notes.txt"]);
        assert_eq!(names(&place.join("c/1")), ["lost+found", "notes.txt"]);
        for name in strangers {
            assert_eq!(fs::read(place.join(name)).expect("there"), name.as_bytes());
        }
        assert_eq!(delete(&place).expect_err("there is none any more").code(), "invalid_parameter");
    }

    #[cfg(unix)]
    #[test]
    fn links_are_not_followed_within_it() {
        let directory = tempfile::tempdir().expect("a directory");
        let (place, other) = (directory.path().join("films"), directory.path().join("other"));
        fill(&place);
        fill(&other);
        fs::rename(place.join("c/1"), other.join("kept")).expect("moved");
        std::os::unix::fs::symlink(other.join("kept"), place.join("c/1")).expect("linked");
        let deleted = delete(&place).expect("deleted").expect("there was one");
        assert_eq!(deleted.strangers, ["c/1"]);
        assert!(names(&other.join("kept")).contains(&CURRENT.to_owned()));
    }

    #[test]
    fn what_others_may_have_written_is_no_database() {
        let directory = tempfile::tempdir().expect("a directory");
        let place = directory.path();
        let zeros = vec![0; 1 << 20];
        let refused: [(&str, &[u8]); 3] = [("", &zeros), ("7", b"mine"), ("7", b"")];
        for (lock, reserve) in refused {
            fs::write(place.join(LOCK), lock).expect("written");
            fs::write(place.join(RESERVE), reserve).expect("written");
            assert_eq!(delete(place).expect_err("no database").code(), "invalid_parameter");
            assert_eq!(fs::read(place.join(LOCK)).expect("there"), lock.as_bytes());
            assert_eq!(fs::read(place.join(RESERVE)).expect("there"), reserve);
        }
        // What a deletion leaves that ended just before its end.
        fs::write(place.join(RESERVE), &zeros).expect("written");
        fs::write(place.join("notes.txt"), "mine").expect("written");
        let deleted = delete(place).expect("a rest").expect("there was one");
        assert_eq!(deleted.strangers, ["notes.txt"]);
        assert_eq!(names(place), ["notes.txt"]);
    }

    #[cfg(unix)]
    #[test]
    fn what_a_link_in_place_of_the_lock_leads_to_stays() {
        let directory = tempfile::tempdir().expect("a directory");
        let (place, important) = (directory.path().join("films"), directory.path().join("important"));
        fill(&place);
        fs::write(&important, "mine").expect("written");
        fs::remove_file(place.join(LOCK)).expect("removed");
        std::os::unix::fs::symlink(&important, place.join(LOCK)).expect("linked");
        assert_eq!(delete(&place).expect_err("a link").code(), "invalid_parameter");
        for read_only in [false, true] {
            let opened = Db::open(&place, Options { read_only, ..options() });
            assert!(opened.is_err_and(|error| error.code() == "invalid_parameter"));
        }
        assert_eq!(fs::read(&important).expect("there"), b"mine");
        fs::remove_file(place.join(LOCK)).expect("removed");
        assert_eq!(delete(&place).expect("deleted"), Some(Deleted::default()), "nothing went before");
    }

    #[test]
    fn nobody_loses_what_he_has_open() {
        let directory = tempfile::tempdir().expect("a directory");
        let place = directory.path().join("films");
        fill(&place);
        for read_only in [false, true] {
            let db = Db::open(&place, Options { read_only, ..options() }).expect("opens");
            assert_eq!(delete(&place).expect_err("open").code(), "database_locked");
            assert_eq!(db.names().expect("open"), ["one", "two"]);
            assert!(db.collection("one").expect("opens").get("a", None).expect("sound").is_some());
        }
        assert_eq!(delete(&place).expect("deleted"), Some(Deleted::default()));
    }

    /// A deletion that ends before any of its removals: what is left is all of the database, or does not open.
    #[test]
    fn what_was_interrupted_never_opens_with_less_in_it() {
        let directory = tempfile::tempdir().expect("a directory");
        let place = directory.path().join("films");
        let (mut opened, mut refused) = (0, 0);
        for budget in 0.. {
            fill(&place);
            let left = Cell::new(budget);
            let remove = |path: &Path| match left.get() {
                0 => Err(io::Error::other("interrupted")),
                n => {
                    left.set(n - 1);
                    fs::remove_file(path)
                }
            };
            let deletion = Deletion { place: &place, remove: &remove, strangers: Vec::new() };
            let ended = deletion.all();
            let is_over = ended.is_ok();
            assert!(is_over || ended.is_err_and(|error| error.code() == "io_failed"));
            if is_over {
                break;
            }
            // Looked at in a way that changes nothing: what is left is to be deleted afterwards.
            match Db::open(&place, Options { read_only: true, ..options() }) {
                Ok(db) => {
                    opened += 1;
                    for name in db.names().expect("open") {
                        assert!(
                            db.collection(&name).expect("whole").get("a", None).expect("sound").is_some()
                        );
                    }
                    assert_eq!(db.names().expect("open"), ["one", "two"], "{budget}");
                }
                Err(error) => {
                    refused += 1;
                    assert!(["corrupt", "invalid_parameter"].contains(&error.code()), "{error}");
                }
            }
            assert_eq!(delete(&place).expect("a database's rest"), Some(Deleted::default()), "{budget}");
        }
        assert!(opened > 0 && refused > 5, "{opened} and {refused}");
        assert!(!place.exists());
    }
}
