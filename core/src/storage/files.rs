//! Storage in a directory: `catalog/` and `c/<number>/`, each with `CURRENT`, `MANIFEST-n`, `wal-n` and blobs.
//!
//! Names are numbers, never a user's. The order of every publication: bytes, fsync, rename, fsync of the directory,
//! only then the pointer, and only then the removal of what it no longer names (docs/FORMAT.md, "Files").
//! Whoever calls [`Storage::poll`] first does the queued work of all, with one fsync for all: group commit. Logs and
//! blobs are two lanes (`lanes`), so that no write waits for a large blob.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::{Arc, Weak};

use crate::base::limits::MANIFEST_BYTES_MAX;
use crate::base::sync::{AtomicU64, Mutex, Ordering, lock};
use crate::base::{AlignedBytes, Lsn, Reader, StorageError, Writer};

use super::blob::{BlobId, BlobSource, checksum};
use super::blob_kind::BlobKind;
use super::descriptors::{Descriptors, Holder, Lease};
use super::lanes::{BlobWork, Lanes, LogWork};
use super::reserve::Reserve;
use super::vfs::{Vfs, VfsFile};
use super::{CATALOG, Level, Listing, Object, Progress, Storage, StorageRoot, Ticket};

pub(crate) const CURRENT: &str = "CURRENT";
pub(crate) const TEMPORARY: &str = ".tmp";
pub(crate) const LOST_AND_FOUND: &str = "lost+found";
/// The file that keeps room.
pub(crate) const RESERVE: &str = "RESERVE";
/// The folder of the catalog's storage.
pub(crate) const CATALOG_FOLDER: &str = "catalog";
/// The folder that holds those of the collections.
pub(crate) const COLLECTIONS_FOLDER: &str = "c";
/// Storages that hold their log open, unless it is said otherwise: a process may often open 1024 files.
const OPEN_LOGS_MAX: usize = 256;
const POINTER_MAGIC: &[u8; 8] = b"KITHCURR";

/// A database in a directory.
#[derive(Debug)]
pub struct FileRoot {
    vfs: Arc<dyn Vfs>,
    path: String,
    reserve: Arc<Reserve>,
    descriptors: Arc<Descriptors>,
}

impl FileRoot {
    /// The database at this path; the directory is made when it does not exist.
    ///
    /// # Errors
    /// `io_failed` when it cannot be made.
    pub fn open(vfs: Arc<dyn Vfs>, path: &str) -> Result<Self, StorageError> {
        vfs.create_dir(path).map_err(|e| failed("create", path, &e))?;
        let reserve = Arc::new(Reserve::open(Arc::clone(&vfs), path));
        Ok(Self { vfs, path: path.to_owned(), reserve, descriptors: Descriptors::new(OPEN_LOGS_MAX) })
    }

    /// Keeps so many log files open when they are not in use.
    #[must_use]
    pub fn with_open_logs(self, max: usize) -> Self {
        Self { descriptors: Descriptors::new(max), ..self }
    }

    fn storage_in(&self, dir: String) -> Arc<dyn Storage> {
        Arc::new_cyclic(|this: &Weak<FileStorage>| FileStorage {
            this: Weak::clone(this),
            vfs: Arc::clone(&self.vfs),
            dir,
            reserve: Arc::clone(&self.reserve),
            descriptors: Arc::clone(&self.descriptors),
            blobs: Mutex::default(),
            logs: Mutex::default(),
            lanes: Mutex::default(),
            durable: AtomicU64::new(0),
        })
    }

    fn collections(&self) -> String {
        format!("{}/{COLLECTIONS_FOLDER}", self.path)
    }

    fn dir(&self, number: u64) -> String {
        match number {
            CATALOG => format!("{}/{CATALOG_FOLDER}", self.path),
            number => format!("{}/{COLLECTIONS_FOLDER}/{number}", self.path),
        }
    }
}

impl StorageRoot for FileRoot {
    fn storage(&self, number: u64) -> Result<Arc<dyn Storage>, StorageError> {
        let dir = self.dir(number);
        let io = |action| move |e: io::Error| failed(action, "the database's directory", &e);
        self.vfs.create_dir(&dir).map_err(io("create"))?;
        if number != CATALOG {
            self.vfs.sync_dir(&self.collections()).map_err(io("sync"))?;
        }
        self.vfs.sync_dir(&self.path).map_err(io("sync"))?;
        Ok(self.storage_in(dir))
    }

    fn existing(&self, number: u64) -> Result<Arc<dyn Storage>, StorageError> {
        Ok(self.storage_in(self.dir(number)))
    }

    fn remove(&self, number: u64) -> Result<(), StorageError> {
        let dir = self.dir(number);
        self.vfs.remove_dir(&dir).map_err(|e| failed("remove", &dir, &e))?;
        let above = self.collections();
        self.vfs.sync_dir(&above).map_err(|e| failed("sync", &above, &e))
    }

    fn check_room(&self) -> Result<(), StorageError> {
        self.reserve.restore()
    }

    fn numbers(&self) -> Result<Vec<u64>, StorageError> {
        let dir = self.collections();
        let names = match self.vfs.list(&dir) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => Vec::new(),
            found => found.map_err(|e| failed("list", &dir, &e))?,
        };
        let mut numbers: Vec<u64> = names.iter().filter_map(|name| place(name)).collect();
        numbers.sort_unstable();
        Ok(numbers)
    }
}

/// The logs that are open: one, but for a moment; none while it was not in use and others needed the descriptor.
#[derive(Debug, Default)]
struct Logs {
    /// By generation.
    open: BTreeMap<u64, OpenLog>,
    /// There while one is open.
    lease: Option<Lease>,
}

impl Logs {
    fn close(&mut self) {
        self.open.clear();
        self.lease = None;
    }
}

#[derive(Debug)]
struct OpenLog {
    file: Box<dyn VfsFile>,
    /// Bytes of whole frames in it.
    len: u64,
    written: Lsn,
    unsynced: bool,
}

/// One collection in a directory. Locks, in the order they are taken: `blobs`, `logs`, `lanes`.
#[derive(Debug)]
struct FileStorage {
    this: Weak<Self>,
    vfs: Arc<dyn Vfs>,
    dir: String,
    reserve: Arc<Reserve>,
    descriptors: Arc<Descriptors>,
    /// Held by who works on the blob lane.
    blobs: Mutex<()>,
    /// Held by who works on the log lane.
    logs: Mutex<Logs>,
    /// Held for a moment only, never while anything is read or written.
    lanes: Mutex<Lanes>,
    durable: AtomicU64,
}

/// After a failed sync nobody knows what is durable, whatever the cause: it is never a matter of room.
fn unsynced(object: &str, error: &io::Error) -> StorageError {
    StorageError::Io { action: "sync", object: object.to_owned(), cause: error.to_string() }
}

pub(super) fn failed(action: &'static str, object: &str, error: &io::Error) -> StorageError {
    let object = object.to_owned();
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            StorageError::DiskFull { action, object }
        }
        _ => StorageError::Io { action, object, cause: error.to_string() },
    }
}

pub(crate) fn name(object: Object) -> String {
    match object {
        Object::Manifest(n) => format!("MANIFEST-{n}"),
        Object::Log(n) => format!("wal-{n}"),
        Object::Blob(n, kind) => format!("{n}.{}", kind.name()),
    }
}

/// The object of a name; only the exact name that [`name`] gives counts.
fn object(text: &str) -> Option<Object> {
    let found = if let Some(n) = text.strip_prefix("MANIFEST-") {
        Object::Manifest(n.parse().ok()?)
    } else if let Some(n) = text.strip_prefix("wal-") {
        Object::Log(n.parse().ok()?)
    } else {
        let (n, ending) = text.split_once('.')?;
        let kind = BlobKind::ALL.into_iter().find(|kind| kind.name() == ending)?;
        Object::Blob(n.parse().ok()?, kind)
    };
    (name(found) == text).then_some(found)
}

/// The number of the collection whose folder has this name; only the exact name counts.
pub(crate) fn place(text: &str) -> Option<u64> {
    text.parse().ok().filter(|number: &u64| *number != CATALOG && number.to_string() == text)
}

/// Whether a storage gives a file in its folder this name.
#[cfg(feature = "host")]
pub(crate) fn is_own(text: &str) -> bool {
    let whole = text.strip_suffix(TEMPORARY).unwrap_or(text);
    whole == CURRENT || object(whole).is_some()
}

/// Whether a storage gives this name to what it cuts off a log, in `lost+found`.
#[cfg(feature = "host")]
pub(crate) fn is_tail(text: &str) -> bool {
    text.rsplit_once('-').is_some_and(|(log_name, at)| {
        let is_number = at.parse().is_ok_and(|number: u64| number.to_string() == at);
        is_number && matches!(object(log_name), Some(Object::Log(_)))
    })
}

impl FileStorage {
    fn path(&self, name: &str) -> String {
        format!("{}/{name}", self.dir)
    }

    /// Does queued work on logs, with one fsync at the end when anybody asked for it: group commit.
    fn drain_log(&self) {
        let mut logs = lock(&self.logs);
        let group = lock(&self.lanes).take_log();
        if group.is_empty() {
            return;
        }
        let outcome = self.write_group(&mut logs, group);
        lock(&self.lanes).end_log(outcome);
        let holder = Weak::clone(&self.this);
        logs.lease = (!logs.open.is_empty()).then(|| self.descriptors.lease(holder));
        drop(logs);
        self.descriptors.keep_within();
    }

    /// Closes the logs. After a failure nothing is synced any more, and nothing more is written.
    fn close_logs(&self, logs: &mut Logs) {
        if self.progress().failed.is_none()
            && let Err(cause) = self.sync_logs(logs)
        {
            lock(&self.lanes).fail(cause);
        }
        logs.close();
    }

    /// On an error says from which ticket on nothing is kept.
    fn write_group(
        &self,
        logs: &mut Logs,
        group: VecDeque<(Ticket, LogWork)>,
    ) -> Result<(), (Ticket, StorageError)> {
        let mut first_to_sync = None;
        for (ticket, work) in group {
            let wants_sync = match self.write(logs, work) {
                Ok(wants_sync) => wants_sync,
                // What was written before it is whole and can be kept.
                Err(cause @ StorageError::DiskFull { .. }) => {
                    let synced = first_to_sync.map_or(Ok(()), |_| self.sync_logs(logs));
                    return Err(
                        synced.map_or_else(|e| (first_to_sync.unwrap_or(ticket), e), |()| (ticket, cause))
                    );
                }
                Err(cause) => return Err((first_to_sync.unwrap_or(ticket), cause)),
            };
            first_to_sync = first_to_sync.or(wants_sync.then_some(ticket));
        }
        match first_to_sync {
            Some(first) => self.sync_logs(logs).map_err(|cause| (first, cause)),
            None => Ok(()),
        }
    }

    /// Does work on a log; true when it is to be synced.
    fn write(&self, logs: &mut Logs, work: LogWork) -> Result<bool, StorageError> {
        match work {
            LogWork::Start { generation, header } => self.start(logs, generation, &header)?,
            LogWork::Append { generation, frames, last, level } => {
                let log = self.open_log(logs, generation)?;
                log.unsynced = true;
                if let Err(e) = log.file.write_all(&frames) {
                    return Err(self.take_back(log, failed("write", "the log", &e)));
                }
                log.len += frames.len() as u64;
                log.written = last;
                return Ok(level == Level::Always);
            }
            LogWork::SetAside { generation, from } => self.cut_off(logs, generation, from)?,
            LogWork::Sync => return Ok(true),
        }
        Ok(false)
    }

    /// After a write for which there was no room: the log ends with its last whole frame, as if nothing had been tried.
    fn take_back(&self, log: &mut OpenLog, cause: StorageError) -> StorageError {
        if !matches!(cause, StorageError::DiskFull { .. }) {
            return cause;
        }
        self.reserve.release();
        match log.file.truncate(log.len) {
            Ok(()) => cause,
            Err(e) => StorageError::Io { action: "truncate", object: "the log".into(), cause: e.to_string() },
        }
    }

    /// Does something small; on a full disk once more with the room that was kept for it.
    fn with_reserve(&self, work: impl Fn() -> Result<(), StorageError>) -> Result<(), StorageError> {
        match work() {
            Err(StorageError::DiskFull { .. }) if self.reserve.release() => work(),
            done => done,
        }
    }

    /// Does queued work on blobs and manifests. Writers to the log go on meanwhile.
    fn drain_blobs(&self) {
        let _one_at_a_time = lock(&self.blobs);
        loop {
            let Some((_, work)) = lock(&self.lanes).take_blob() else { return };
            let was_flip = matches!(work, BlobWork::Flip { .. });
            let outcome = self.store(work);
            lock(&self.lanes).end_blob(outcome, was_flip);
        }
    }

    fn store(&self, work: BlobWork) -> Result<(), StorageError> {
        if let BlobWork::Put { id, bytes } = &work {
            let name = name(Object::Blob(id.number, id.kind));
            return self.with_reserve(|| self.publish(&name, bytes));
        }
        // A manifest names a log that was started before it, and a log goes only when nothing is queued for it.
        self.drain_log();
        if let Some(cause) = self.progress().failed {
            return Err(cause);
        }
        match work {
            BlobWork::Put { .. } => Ok(()),
            BlobWork::Flip { generation, manifest } => {
                self.with_reserve(|| self.switch(generation, &manifest))
            }
            BlobWork::Remove(objects) => self.take_away(&objects),
        }
    }

    fn switch(&self, generation: u64, manifest: &[u8]) -> Result<(), StorageError> {
        self.publish(&name(Object::Manifest(generation)), manifest)?;
        self.sync_dir()?;
        self.publish(CURRENT, &pointer(generation))?;
        self.sync_dir()
    }

    fn start(&self, logs: &mut Logs, generation: u64, header: &[u8]) -> Result<(), StorageError> {
        self.sync_logs(logs)?;
        logs.open.clear();
        let path = self.path(&name(Object::Log(generation)));
        let of = |action| move |e: io::Error| failed(action, "a new log", &e);
        self.with_reserve(|| {
            let mut file = self.vfs.create(&path).map_err(of("create"))?;
            file.write_all(header).map_err(of("write"))?;
            file.sync().map_err(|e| unsynced("a new log", &e))
        })?;
        self.sync_dir()?;
        self.open_log(logs, generation)?;
        Ok(())
    }

    fn open_log<'a>(&self, logs: &'a mut Logs, generation: u64) -> Result<&'a mut OpenLog, StorageError> {
        use std::collections::btree_map::Entry;
        match logs.open.entry(generation) {
            Entry::Occupied(log) => Ok(log.into_mut()),
            Entry::Vacant(place) => {
                let path = self.path(&name(Object::Log(generation)));
                let of = |e: io::Error| failed("open", "the log", &e);
                let file = self.vfs.append(&path).map_err(of)?;
                let len = file.len().map_err(of)?;
                Ok(place.insert(OpenLog { file, len, written: Lsn(0), unsynced: false }))
            }
        }
    }

    /// Keeps the tail in `lost+found` before cutting it off.
    fn cut_off(&self, logs: &mut Logs, generation: u64, from: u64) -> Result<(), StorageError> {
        let of = |action| move |e: io::Error| failed(action, "the log's tail", &e);
        let log_name = name(Object::Log(generation));
        let whole = self.vfs.read(&self.path(&log_name), u64::MAX).map_err(of("read"))?;
        let aside = self.path(LOST_AND_FOUND);
        self.vfs.create_dir(&aside).map_err(of("create"))?;
        let kept = format!("{aside}/{log_name}-{from}");
        self.with_reserve(|| {
            let mut file = self.vfs.create(&kept).map_err(of("create"))?;
            file.write_all(whole.get(from as usize..).unwrap_or_default()).map_err(of("write"))?;
            file.sync().map_err(|e| unsynced("the log's tail", &e))
        })?;
        self.vfs.sync_dir(&aside).map_err(|e| unsynced("the log's tail", &e))?;
        self.sync_dir()?;
        let log = self.open_log(logs, generation)?;
        log.file.truncate(from).map_err(of("truncate"))?;
        log.len = from;
        log.file.sync().map_err(|e| unsynced("the log's tail", &e))
    }

    /// Writes a file under another name, makes it durable, then gives it its own.
    fn publish(&self, name: &str, bytes: &[u8]) -> Result<(), StorageError> {
        let (path, temporary) = (self.path(name), self.path(&format!("{name}{TEMPORARY}")));
        let of = |action| move |e: io::Error| failed(action, name, &e);
        let written = || {
            let mut file = self.vfs.create(&temporary).map_err(of("create"))?;
            file.write_all(bytes).map_err(of("write"))?;
            file.sync().map_err(|e| unsynced(name, &e))?;
            drop(file);
            self.vfs.rename(&temporary, &path).map_err(of("rename"))
        };
        written().inspect_err(|cause| {
            if matches!(cause, StorageError::DiskFull { .. }) {
                // Its room is needed; what cannot be removed is a leftover that the next open removes.
                drop(self.vfs.remove(&temporary));
            }
        })
    }

    fn take_away(&self, objects: &[Object]) -> Result<(), StorageError> {
        for &object in objects {
            if let Object::Log(generation) = object {
                let mut logs = lock(&self.logs);
                logs.open.remove(&generation);
                if logs.open.is_empty() {
                    logs.lease = None;
                }
            }
            let name = name(object);
            for leftover in [format!("{name}{TEMPORARY}"), name] {
                self.vfs.remove(&self.path(&leftover)).map_err(|e| failed("remove", &leftover, &e))?;
            }
        }
        self.sync_dir()
    }

    fn sync_dir(&self) -> Result<(), StorageError> {
        self.vfs.sync_dir(&self.dir).map_err(|e| unsynced("a directory", &e))
    }

    fn sync_logs(&self, logs: &mut Logs) -> Result<(), StorageError> {
        for log in logs.open.values_mut().filter(|log| log.unsynced) {
            log.file.sync().map_err(|e| unsynced("the log", &e))?;
            log.unsynced = false;
            self.durable.fetch_max(log.written.0, Ordering::Release);
        }
        Ok(())
    }
}

/// The bytes of `CURRENT` that name a generation. Public for the tests that feed bytes to its reader.
#[doc(hidden)]
#[must_use]
pub fn pointer(generation: u64) -> Vec<u8> {
    let mut w = Writer::new();
    w.raw(POINTER_MAGIC);
    w.u64(generation);
    let crc = checksum(0, w.as_slice());
    w.u32(crc);
    w.finish()
}

/// The generation that the bytes of `CURRENT` name; public like [`pointer`].
#[doc(hidden)]
#[must_use]
pub fn read_pointer(bytes: &[u8]) -> Option<u64> {
    let mut r = Reader::new(bytes);
    let magic_ok = r.raw(8, "magic").ok()? == POINTER_MAGIC;
    let generation = r.u64().ok()?;
    let crc_ok = r.u32().ok()? == checksum(0, &bytes[..16]);
    (magic_ok && crc_ok && r.end().is_ok()).then_some(generation)
}

impl Holder for FileStorage {
    fn close_idle(&self, even_unsynced: bool) -> bool {
        let Ok(mut logs) = self.logs.try_lock() else { return false };
        if !even_unsynced && logs.open.values().any(|log| log.unsynced) {
            return false;
        }
        self.close_logs(&mut logs);
        true
    }
}

impl Storage for FileStorage {
    fn start_log(&self, generation: u64, header: Vec<u8>) -> Ticket {
        lock(&self.lanes).queue_log(LogWork::Start { generation, header })
    }

    fn append(&self, generation: u64, frames: Vec<u8>, last: Lsn, level: Level) -> Ticket {
        lock(&self.lanes).queue_log(LogWork::Append { generation, frames, last, level })
    }

    fn set_aside(&self, generation: u64, from: u64) -> Ticket {
        lock(&self.lanes).queue_log(LogWork::SetAside { generation, from })
    }

    fn put(&self, id: BlobId, bytes: Arc<AlignedBytes>) -> Ticket {
        lock(&self.lanes).queue_blob(BlobWork::Put { id, bytes })
    }

    fn flip(&self, generation: u64, manifest: Vec<u8>) -> Ticket {
        lock(&self.lanes).queue_blob(BlobWork::Flip { generation, manifest })
    }

    fn remove(&self, objects: Vec<Object>) -> Ticket {
        lock(&self.lanes).queue_blob(BlobWork::Remove(objects))
    }

    fn sync(&self) -> Ticket {
        lock(&self.lanes).queue_log(LogWork::Sync)
    }

    fn poll(&self, ticket: Ticket) -> Progress {
        self.drain_log();
        // What is still open then is in the other lane.
        if self.progress().of(ticket).is_none() {
            self.drain_blobs();
        }
        self.progress()
    }

    fn progress(&self) -> Progress {
        lock(&self.lanes).progress()
    }

    fn stop(&self) {
        let cause = || StorageError::Io {
            action: "write",
            object: "a storage".into(),
            cause: "it was stopped".into(),
        };
        lock(&self.lanes).halt(cause());
        drop(lock(&self.blobs));
        lock(&self.logs).close();
    }

    fn let_go(&self) {
        self.close_logs(&mut lock(&self.logs));
    }

    fn durable(&self) -> Lsn {
        Lsn(self.durable.load(Ordering::Acquire))
    }

    fn list(&self) -> Result<Listing, StorageError> {
        let names = self.vfs.list(&self.dir).map_err(|e| match e.kind() {
            io::ErrorKind::NotFound => {
                let expected = "its directory to exist".to_owned();
                StorageError::Corrupt { object: "a storage".to_owned(), offset: 0, expected }
            }
            _ => failed("list", "a directory", &e),
        })?;
        let mut listing = Listing::default();
        for text in names {
            let begun = text.strip_suffix(TEMPORARY);
            match (object(begun.unwrap_or(&text)), begun) {
                (Some(found), None) => listing.objects.push(found),
                (Some(found), Some(_)) => listing.leftovers.push(found),
                (None, _) if begun.unwrap_or(&text) == CURRENT || text == LOST_AND_FOUND => {}
                (None, _) => listing.unknown.push(text),
            }
        }
        listing.objects.sort_unstable();
        listing.leftovers.sort_unstable();
        Ok(listing)
    }

    fn current(&self) -> Result<Option<u64>, StorageError> {
        match self.vfs.read(&self.path(CURRENT), 64) {
            Ok(bytes) => Ok(read_pointer(&bytes)),
            Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::InvalidData) => Ok(None),
            Err(e) => Err(failed("read", CURRENT, &e)),
        }
    }

    fn manifest(&self, generation: u64) -> Result<Vec<u8>, StorageError> {
        let name = name(Object::Manifest(generation));
        let read = self.vfs.read(&self.path(&name), MANIFEST_BYTES_MAX as u64);
        read.map_err(|e| failed("read", &name, &e))
    }

    fn log(&self, generation: u64) -> Result<Vec<u8>, StorageError> {
        let name = name(Object::Log(generation));
        self.vfs.read(&self.path(&name), u64::MAX).map_err(|e| failed("read", &name, &e))
    }

    fn blob(&self, id: BlobId) -> Result<Arc<dyn BlobSource>, StorageError> {
        let name = name(Object::Blob(id.number, id.kind));
        self.vfs.map(&self.path(&name)).map_err(|e| failed("open", &name, &e))
    }
}
