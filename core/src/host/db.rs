//! A database that many threads share.

use std::path::Path;
use std::sync::{Arc, Weak};

use crate::base::sync::{AtomicBool, Condvar, JoinHandle, Mutex, Ordering, lock};
use crate::base::{Change, Clock, Error, NoObserver, Observer, Pool, Result, StateError, StorageError};
use crate::collection::{CollectionConfig, EmbedderRef, Embedding};
use crate::embed::Embedder;
use crate::engine::database::open_entry;
use crate::engine::repair::Salvaged;
use crate::engine::{Collection, Database, Entry, Env, Staged};
use crate::storage::vfs::Vfs;
use crate::storage::{FileRoot, Level, MemoryRoot, OsVfs, ReadOnlyVfs, Storage, StorageRoot, Ticket};

use super::clock::{SystemClock, draw_id};
use super::collection::CollectionHandle;
use super::inspect::check_database;
use super::jobs;
use super::kv::KeyLocks;
use super::lock::{DirectoryLock, TRIES_MAX, acquire, acquire_shared, tried_too_often};
use super::names::{Named, Names};
use super::sync::{Syncer, report};

/// How a database is opened.
#[derive(Clone)]
pub struct Options {
    /// What a write waits for unless it says otherwise.
    pub level: Level,
    /// Threads for building; 0 for as many as there are cores.
    pub threads: usize,
    /// Opened to be read: nothing in the directory is written, and others may read it at the same time.
    pub read_only: bool,
    /// Seal, index and merge by themselves.
    pub auto_jobs: bool,
    /// A memtable of so many bytes is due to be sealed; writers wait for that before it is four times as large.
    pub seal_bytes: usize,
    /// About how many bytes of memory documents that are not sealed, and jobs, take together at most; `None` for half of
    /// what there is. Files are mapped, and what the system caches of them does not count.
    pub memory_max: Option<u64>,
    /// So many collections stay open when nobody uses them; beyond that the one longest untouched is let go of.
    pub open_collections_max: usize,
    /// So many log files stay open when they are not in use, in a directory.
    pub open_logs_max: usize,
    /// Turns texts into vectors.
    pub embedder: Option<Arc<Embedder>>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Told of events.
    pub observer: Arc<dyn Observer>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            level: Level::default(),
            threads: 0,
            read_only: false,
            auto_jobs: true,
            seal_bytes: 32 << 20,
            memory_max: None,
            open_collections_max: 1024,
            open_logs_max: 256,
            embedder: None,
            clock: Arc::new(SystemClock),
            observer: Arc::new(NoObserver),
        }
    }
}

/// A database that many threads share. Closed when it is dropped, or by [`Db::close`].
pub struct Db {
    pub(super) shared: Arc<Shared>,
    background: Mutex<Vec<JoinHandle<()>>>,
}

/// Locks, in the order they are taken: `checking`, one of `keys`, a collection's `job`, its `recovering`, `catalog`, the `opening` of
/// a name, what [`Names`] locks for a moment, a collection's `writer`.
pub(super) struct Shared {
    this: Weak<Self>,
    pub(super) options: Options,
    pub(super) catalog: Mutex<Database>,
    pub(super) root: Arc<dyn StorageRoot>,
    /// Where it lies; none in memory.
    pub(super) directory: Option<String>,
    /// Held while all of it is checked.
    pub(super) checking: Mutex<()>,
    pub(super) memory_max: u64,
    pub(super) env: Env,
    pub(super) names: Names,
    pub(super) keys: KeyLocks,
    lock: Mutex<Option<DirectoryLock>>,
    closed: AtomicBool,
    pub(super) syncer: Syncer,
    /// True to stop the background threads, which sleep on it.
    pub(super) stop: (Mutex<bool>, Condvar),
}

/// One job writes at most this share of the memory that may be used, of which it takes about twice as much.
pub(super) const JOB_SHARE: u64 = 3;

/// Does queued work until a ticket is kept.
///
/// # Errors
/// What it failed with.
pub(super) fn wait(storage: &dyn Storage, ticket: Ticket) -> Result<()> {
    let mut progress = storage.progress();
    loop {
        match progress.of(ticket) {
            Some(outcome) => return Ok(outcome?),
            None => progress = storage.poll(ticket),
        }
    }
}

/// Makes a directory when it does not exist, and takes its lock; again when somebody deleted it in between.
fn make_and_lock(directory: &Path) -> Result<DirectoryLock> {
    let path = directory.to_string_lossy();
    for _ in 0..TRIES_MAX {
        OsVfs.create_dir(&path).map_err(|e| StorageError::Io {
            action: "create",
            object: path.to_string(),
            cause: e.to_string(),
        })?;
        if let Some(lock) = acquire(directory, directory)? {
            return Ok(lock);
        }
    }
    Err(tried_too_often(directory))
}

impl Db {
    /// Opens the database in a directory, which is made when it does not exist. Only the catalog is read: a collection
    /// is opened and recovered when it is touched, and one that is damaged does not keep the others from opening.
    ///
    /// # Errors
    /// `database_locked`, `io_failed`, `corrupt`, `unsupported_version`; `invalid_parameter` where there is no database to
    /// be read only, and where `LOCK` is a link or a folder.
    pub fn open(directory: &Path, options: Options) -> Result<Self> {
        let path = directory.to_string_lossy();
        if options.read_only {
            check_database(directory)?;
            let lock = acquire_shared(directory)?;
            let root = FileRoot::open(Arc::new(ReadOnlyVfs::new(Arc::new(OsVfs))), &path)?;
            return Self::start(Arc::new(root), options, lock, Some(&path));
        }
        // Before anything is written, the reserve included: it may be another process's.
        let lock = make_and_lock(directory)?;
        let root = FileRoot::open(Arc::new(OsVfs), &path)?.with_open_logs(options.open_logs_max);
        Self::start(Arc::new(root), options, Some(lock), Some(&path))
    }

    /// A database in memory.
    ///
    /// # Errors
    /// `invalid_parameter` when it is to be read only: there is nothing to read.
    pub fn in_memory(options: Options) -> Result<Self> {
        if options.read_only {
            return Err(Error::parameter("read_only", true, "a database in a directory"));
        }
        Self::start(Arc::new(MemoryRoot::new()), options, None, None)
    }

    /// A database in any storage.
    ///
    /// # Errors
    /// As [`Db::open`].
    pub fn with_root(root: Arc<dyn StorageRoot>, options: Options) -> Result<Self> {
        Self::start(root, options, None, None)
    }

    fn start(
        root: Arc<dyn StorageRoot>,
        options: Options,
        lock_file: Option<DirectoryLock>,
        directory: Option<&str>,
    ) -> Result<Self> {
        let threads = match options.threads {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            n => n,
        };
        let env = Env {
            clock: Arc::clone(&options.clock),
            observer: Arc::clone(&options.observer),
            pool: Arc::new(Pool::new(threads)),
        };
        let open = if options.read_only { Database::open_read_only } else { Database::open };
        let database = open(Arc::clone(&root), env.clone())?;
        // Makes a new catalog durable before anything is put beside it.
        let mut progress = database.storage().poll(Ticket::LAST);
        let refused = progress.refused.pop().map(|(_, cause)| cause);
        if let Some(cause) = progress.failed.or(refused) {
            return Err(cause.into());
        }
        let shared = Arc::new_cyclic(|this| Shared {
            keys: KeyLocks::default(),
            names: Names::new(database.entries(), Arc::clone(&options.observer)),
            this: Weak::clone(this),
            memory_max: options.memory_max.unwrap_or_else(|| crate::storage::machine::memory() / 2),
            options,
            catalog: Mutex::new(database),
            root,
            directory: directory.map(str::to_owned),
            checking: Mutex::new(()),
            env,
            lock: Mutex::new(lock_file),
            closed: AtomicBool::new(false),
            syncer: Syncer::default(),
            stop: (Mutex::new(false), Condvar::new()),
        });
        let background = if shared.options.read_only { Vec::new() } else { jobs::spawn(&shared) };
        Ok(Self { shared, background: Mutex::new(background) })
    }

    /// How it was opened.
    #[must_use]
    pub fn options(&self) -> &Options {
        &self.shared.options
    }

    /// Name and hash of the embedder it was opened with.
    #[must_use]
    pub fn embedder_ref(&self) -> Option<EmbedderRef> {
        Embedding(self.shared.options.embedder.clone()).reference()
    }

    /// Makes a collection.
    ///
    /// # Errors
    /// `invalid_name`, `collection_exists`, `invalid_parameter`, `too_large`, `closed`; a failed write.
    pub fn create(&self, name: &str, config: CollectionConfig) -> Result<Arc<CollectionHandle>> {
        self.create_with_id(name, draw_id(&*self.shared.options.clock), config)
    }

    /// Makes a collection with a given id, for tests that compare bytes.
    ///
    /// # Errors
    /// As [`Db::create`].
    pub fn create_with_id(
        &self,
        name: &str,
        collection_id: u64,
        config: CollectionConfig,
    ) -> Result<Arc<CollectionHandle>> {
        self.shared.add(name, |catalog| catalog.stage(name, collection_id, config))
    }

    /// Makes a collection from the bytes of an export.
    ///
    /// # Errors
    /// As [`Db::create`]; `invalid_file`, `unsupported_version`.
    pub fn import(&self, name: &str, bytes: &[u8]) -> Result<Arc<CollectionHandle>> {
        let id = draw_id(&*self.shared.options.clock);
        self.shared.add(name, |catalog| catalog.stage_import(name, id, bytes))
    }

    /// Makes a collection of what was saved from a damaged one.
    pub(super) fn add_salvaged(&self, name: &str, salvaged: &Salvaged) -> Result<()> {
        let id = draw_id(&*self.shared.options.clock);
        self.shared.add(name, |catalog| catalog.stage_salvaged(name, id, salvaged)).map(|_| ())
    }

    /// A collection. The first touch opens and recovers it, for all who touch it; other names do not wait for that.
    ///
    /// # Errors
    /// `unknown_collection`, `closed`; `unopenable`, with the cause, at each touch. After a failed read or a full disk
    /// each touch tries again; what is damaged is not tried again before the database is opened again.
    pub fn collection(&self, name: &str) -> Result<Arc<CollectionHandle>> {
        self.shared.check_open()?;
        self.shared.names.find_users(name)?;
        self.shared.touch_name(name)
    }

    /// A collection to be opened when it is used: what can be held for long.
    ///
    /// # Errors
    /// `unknown_collection`, `closed`.
    pub fn reference(&self, name: &str) -> Result<Reference> {
        self.shared.check_open()?;
        Ok(Reference { named: self.shared.names.find_users(name)?, database: Weak::clone(&self.shared.this) })
    }

    /// A collection if it is open now; `None` for one that is not, which nothing runs in. It is not opened, and nobody waits
    /// for who opens it.
    ///
    /// # Errors
    /// `unknown_collection`, `closed`.
    pub fn if_open(&self, name: &str) -> Result<Option<Arc<CollectionHandle>>> {
        self.shared.check_open()?;
        Ok(self.shared.names.find_users(name)?.open())
    }

    /// The collections that are open now, the key-value store among them. None is opened.
    ///
    /// # Errors
    /// `closed`.
    pub fn opened(&self) -> Result<Vec<Arc<CollectionHandle>>> {
        self.shared.check_open()?;
        Ok(self.shared.names.open())
    }

    /// The names of all collections, sorted, those that cannot be opened included. None is opened.
    ///
    /// # Errors
    /// `closed`.
    pub fn names(&self) -> Result<Vec<String>> {
        self.shared.check_open()?;
        Ok(self.shared.names.names())
    }

    /// Drops a collection and all its documents. It need not be open, nor be one that can be opened.
    ///
    /// # Errors
    /// `unknown_collection`, `closed`; `disk_full`, when nothing is changed; another failed write.
    pub fn drop_collection(&self, name: &str) -> Result<()> {
        self.shared.check_open()?;
        self.shared.names.find_users(name)?;
        self.shared.check_writable()?;
        let (number, forgotten, removed) = {
            let mut catalog = lock(&self.shared.catalog);
            self.shared.check_open()?;
            let (number, ticket) = catalog.forget(name)?;
            let forgotten = settle_catalog(&mut catalog, ticket)?;
            // Before anybody can make another of this name.
            let removed = self.shared.names.remove(name);
            if forgotten.is_ok() {
                self.shared.tell(name, |at| Change::Dropped { at });
            }
            (number, forgotten, removed)
        };
        // Closed even when that failed: whether the next start still finds it is not known, so nothing is promised.
        if let Some(handle) = removed.and_then(|named| self.shared.names.end(&named)) {
            handle.close();
            handle.let_go();
        }
        forgotten?;
        lock(&self.shared.catalog).remove(number)
    }

    /// Makes every write so far durable. A collection that is not open has none that was acknowledged since the
    /// database was opened.
    ///
    /// # Errors
    /// A failed write; `closed`.
    pub fn flush(&self) -> Result<()> {
        self.shared.check_open()?;
        self.shared.flush()
    }

    /// Ends background work, makes every write durable and lets go of the directory. Handles answer `closed` then.
    ///
    /// # Errors
    /// A failed write.
    pub fn close(&self) -> Result<()> {
        if self.shared.closed.swap(true, Ordering::AcqRel) {
            return Ok(());
        }
        // Who was making or dropping a collection is done with it after this, and nobody begins.
        drop(lock(&self.shared.catalog));
        *lock(&self.shared.stop.0) = true;
        self.shared.stop.1.notify_all();
        for thread in std::mem::take(&mut *lock(&self.background)) {
            // A panic in there was already reported by the panic hook.
            drop(thread.join());
        }
        self.shared.syncer.stop();
        // Who opens a collection after this finds the database closed.
        self.shared.names.wait_for_openers();
        let handles = self.shared.names.open();
        for handle in &handles {
            if self.shared.options.auto_jobs && !self.shared.options.read_only {
                report(&self.shared, handle, || handle.seal_to_close());
            }
            handle.close();
        }
        let flushed = self.shared.flush();
        for handle in &handles {
            handle.let_go();
        }
        lock(&self.shared.lock).take();
        flushed
    }
}

/// Waits until a change of the catalog is kept. One that was refused for want of room is taken back: the outer error.
/// The inner one is that of a storage that failed; what the next start finds is not known then.
fn settle_catalog(catalog: &mut Database, ticket: Ticket) -> Result<Result<()>> {
    let storage = catalog.storage();
    let kept = wait(&*storage, ticket);
    if kept.is_err() && storage.progress().failed.is_none() {
        catalog.undo();
        return kept.map(Ok);
    }
    Ok(kept)
}

/// A collection that is opened when it is used. Holding this keeps neither the collection nor the database open.
#[derive(Clone)]
pub struct Reference {
    named: Arc<Named>,
    database: Weak<Shared>,
}

impl Reference {
    /// The collection, opened where it is not. Hold it for as long as it is worked with: meanwhile it stays open.
    ///
    /// # Errors
    /// `closed` when it was dropped or the database is closed; `unopenable` as [`Db::collection`].
    pub fn open(&self) -> Result<Arc<CollectionHandle>> {
        let database = self.database.upgrade().ok_or(StateError::Closed { what: "database" })?;
        database.touch(&self.named)
    }
}

impl Drop for Db {
    fn drop(&mut self) {
        // Nobody is left to be told of an error; what was acknowledged is safe either way.
        drop(self.close());
    }
}

impl Shared {
    pub(super) fn check_open(&self) -> Result<()> {
        if self.is_closed() {
            return Err(StateError::Closed { what: "database" }.into());
        }
        Ok(())
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    pub(super) fn touch_name(&self, name: &str) -> Result<Arc<CollectionHandle>> {
        self.touch(&*self.names.find(name)?).or_else(|error| {
            // It was dropped since.
            if error.code() == "closed" {
                self.names.find(name)?;
            }
            Err(error)
        })
    }

    fn touch(&self, named: &Named) -> Result<Arc<CollectionHandle>> {
        let mut opens = false;
        let handle = self.names.touch(named, |entry| {
            self.check_open()?;
            opens = true;
            let opened = self.recover(entry)?;
            Ok(CollectionHandle::new(opened, entry.clone(), &self.options, &self.this))
        })?;
        if opens {
            // Those that are to be synced before they can go are seen to once a second.
            self.names.let_go(self.options.open_collections_max);
        }
        Ok(handle)
    }

    /// Lets go of collections beyond the budget that nobody uses, and has those synced that can go then.
    pub(super) fn let_go(&self) {
        for handle in self.names.let_go(self.options.open_collections_max) {
            handle.sync_soon();
        }
    }

    /// What the storage of a collection holds.
    pub(super) fn recover(&self, entry: &Entry) -> Result<Collection> {
        let mut opened = open_entry(&*self.root, &self.env, entry, self.options.read_only)?;
        opened.bound_jobs(self.memory_max / JOB_SHARE);
        Ok(opened)
    }

    /// # Errors
    /// `read_only`.
    pub(super) fn check_writable(&self) -> Result<()> {
        if self.options.read_only { Err(StateError::ReadOnly.into()) } else { Ok(()) }
    }

    /// Tells what became of a collection, when somebody wants to be told.
    fn tell(&self, collection: &str, change: impl FnOnce(i64) -> Change) {
        let Options { observer, clock, .. } = &self.options;
        if observer.wants_changes() {
            observer.changed(collection, vec![change(clock.now_ns())]);
        }
    }

    fn flush(&self) -> Result<()> {
        if self.options.read_only {
            // Nothing was written.
            return Ok(());
        }
        let mut outcome = Ok(());
        for handle in self.names.open() {
            outcome = outcome.and(handle.flush());
        }
        outcome
    }

    pub(super) fn add(
        &self,
        name: &str,
        stage: impl FnOnce(&mut Database) -> Result<Staged>,
    ) -> Result<Arc<CollectionHandle>> {
        self.check_open()?;
        self.check_writable()?;
        self.root.check_room()?;
        let mut catalog = lock(&self.catalog);
        self.check_open()?;
        let staged = stage(&mut catalog)?;
        let number = staged.number();
        let kept = wait(&*staged.storage, staged.ticket).and_then(|()| {
            let ticket = catalog.admit(staged);
            settle_catalog(&mut catalog, ticket)
        });
        if kept.is_err() {
            // No catalog names it, and what it takes would not be given back before the next start.
            drop(catalog.remove(number));
        }
        kept??;
        self.names.insert(catalog.find(name)?.clone());
        self.tell(name, |at| Change::Created { at });
        drop(catalog);
        self.touch_name(name)
    }
}
