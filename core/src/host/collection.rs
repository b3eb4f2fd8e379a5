//! A collection that many threads share.

use std::fmt;
use std::sync::{Arc, Weak};

use crate::base::sync::{ArcSwap, AtomicBool, AtomicU64, Mutex, MutexGuard, Ordering, lock};
use crate::base::{Clock, Lsn, Pool, Result, Seq, StateError, StorageError};
use crate::collection::{
    CollectionConfig, Document, Embedding, Moment, Mutation, Page, Settings, Stats, Version, View,
};
use crate::engine::{Begun, Collection, Entry, JobKind, Submitted, export};
use crate::segment::{Scratch, SharedRow, Touch};
use crate::storage::{Level, Storage, Ticket};
use crate::wire::InfoAnswer;

use super::db::{Options, Shared, wait};
use super::jobs::Patience;
use super::running::{Compressing, RunningJob};
use super::sync::Syncer;
use super::tasks::Tasks;

/// What becomes of a document whose id is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddMode {
    /// It is an error and nothing is stored.
    Insert,
    /// It replaces the one there.
    Upsert,
}

/// Agrees to a state, or fails.
pub type Check<'a> = &'a dyn Fn(&View, Moment) -> Result<()>;

/// Which version of a document a write is meant for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// Any, or none.
    Whatever,
    /// Any that is there.
    Some,
    /// None: the document is not there.
    None,
    /// One of these.
    OneOf(Vec<Seq>),
}

impl Expected {
    /// Agrees where this version of a document is there.
    ///
    /// # Errors
    /// `version_mismatch`; `corrupt`.
    pub fn check(&self, view: &View, now: Moment, id: &str) -> Result<()> {
        let there = view.get(id, now)?.map(|row| row.seq);
        if self.accepts(there) {
            return Ok(());
        }
        let got = there.map_or("none".to_owned(), |seq| format!("version {}", seq.0));
        Err(StateError::VersionMismatch { id: id.to_owned(), expected: self.to_string(), got }.into())
    }

    fn accepts(&self, there: Option<Seq>) -> bool {
        match self {
            Self::Whatever => true,
            Self::Some => there.is_some(),
            Self::None => there.is_none(),
            Self::OneOf(versions) => there.is_some_and(|seq| versions.contains(&seq)),
        }
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whatever => f.write_str("any version or none"),
            Self::Some => f.write_str("a version"),
            Self::None => f.write_str("none"),
            // Whoever asks named a version of something else.
            Self::OneOf(versions) if versions.is_empty() => {
                f.write_str("a version that this collection never had")
            }
            Self::OneOf(versions) => {
                let named: Vec<String> = versions.iter().map(|seq| seq.0.to_string()).collect();
                write!(f, "version {}", named.join(" or "))
            }
        }
    }
}

/// What a write did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Written {
    /// How many documents were there before and were deleted or replaced.
    pub ended: usize,
    /// How many documents were there to be touched.
    pub touched: usize,
    /// How many versions of edges began.
    pub linked: usize,
    /// How many edges were there and ended, or were erased.
    pub unlinked: usize,
}

/// What a collection is and holds.
#[derive(Debug, Clone)]
pub struct CollectionInfo {
    /// Its name.
    pub name: String,
    /// How it was made.
    pub config: CollectionConfig,
    /// Dimension of its vectors, once known.
    pub dim: Option<u32>,
    /// Figures.
    pub stats: Stats,
    /// The state that all this is of.
    view: Arc<View>,
    /// Writes that waited for a seal since it was opened.
    pub write_waits: u64,
    /// Why it takes no more writes; `None` while it does.
    pub degraded: Option<String>,
}

impl CollectionInfo {
    /// As every surface shows it.
    #[must_use]
    pub fn answer(&self) -> InfoAnswer {
        InfoAnswer {
            write_waits: self.write_waits,
            degraded: self.degraded.clone(),
            ..InfoAnswer::new(&self.name, &self.view)
        }
    }
}

/// Whether an open collection that nobody uses can be closed, to be opened again when it is touched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Leave {
    /// Nothing that was written to it since it was opened would be lost.
    Now,
    /// Once what was written to it is durable.
    AfterSync,
    /// It takes no more writes and says so, or it would be slow to open.
    Never,
}

/// A collection with more bytes in its memtable stays open: opening it would replay all of them.
const REPLAYED_BYTES_MAX: usize = 256 << 10;

/// Bytes that are not sealed are bounded by so many times what is due to be sealed.
const UNSEALED_FACTOR: usize = 4;

/// A collection that many threads share. Locks, in the order they are taken: `job`, `recovering`, the catalog of the
/// database, `writer`, `storage`; `compressing`, `running` and `tasks` for a moment, with none behind them.
pub struct CollectionHandle {
    entry: Entry,
    /// The last frame that was replayed when it was opened.
    opened_at: Lsn,
    pub(super) writer: Mutex<Collection>,
    view: Arc<ArcSwap<View>>,
    /// That of the writer; held for a moment only.
    storage: Mutex<Arc<dyn Storage>>,
    /// Held by who recovers it after a failed write.
    recovering: Mutex<()>,
    /// Held while a job runs: one at a time.
    pub(super) job: Mutex<()>,
    /// What is known of it; held for a moment only.
    pub(super) running: Mutex<Option<RunningJob>>,
    /// While it is compressed; to be cancelled when it says so.
    pub(super) compressing: Mutex<Option<Compressing>>,
    /// What else runs over the whole of it; held for a moment only.
    pub(super) tasks: Mutex<Tasks>,
    /// Reused between searches, so that a search allocates little.
    pub(super) scratch: Mutex<Vec<Scratch>>,
    clock: Arc<dyn Clock>,
    pub(super) embedding: Embedding,
    level: Level,
    unsealed_bytes_max: usize,
    write_waits: AtomicU64,
    pub(super) pool: Arc<Pool>,
    /// The last frame that is to be durable within a second.
    promised: AtomicU64,
    /// It waits for the syncer, which is to sync it too.
    pub(super) is_asked: AtomicBool,
    /// How long jobs that failed by themselves are left alone, and, last, ending what has expired.
    pub(super) patience: Mutex<[Patience; JobKind::ALL.len() + 1]>,
    wants_sync: AtomicBool,
    closed: AtomicBool,
    this: Weak<Self>,
    pub(super) database: Weak<Shared>,
}

impl CollectionHandle {
    pub(super) fn new(
        collection: Collection,
        entry: Entry,
        options: &Options,
        database: &Weak<Shared>,
    ) -> Arc<Self> {
        Arc::new_cyclic(|this| Self {
            this: Weak::clone(this),
            entry,
            opened_at: collection.lsn(),
            view: collection.reader(),
            storage: Mutex::new(collection.storage()),
            recovering: Mutex::new(()),
            pool: collection.pool(),
            writer: Mutex::new(collection),
            job: Mutex::new(()),
            running: Mutex::new(None),
            compressing: Mutex::new(None),
            tasks: Mutex::default(),
            scratch: Mutex::default(),
            clock: Arc::clone(&options.clock),
            embedding: Embedding(options.embedder.clone()),
            level: options.level,
            unsealed_bytes_max: options.seal_bytes.saturating_mul(UNSEALED_FACTOR),
            write_waits: AtomicU64::new(0),
            // What was replayed when it was opened is synced like what is written now.
            promised: AtomicU64::new(u64::MAX),
            is_asked: AtomicBool::new(false),
            patience: Mutex::default(),
            wants_sync: AtomicBool::new(false),
            closed: AtomicBool::new(false),
            database: Weak::clone(database),
        })
    }

    /// What tells it from every other collection, one of the same name that was dropped included.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.entry.collection_id
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.entry.name
    }

    /// Its clock.
    #[must_use]
    pub fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    /// The state now; it does not change while it is held.
    ///
    /// # Errors
    /// `closed`.
    pub fn view(&self) -> Result<Arc<View>> {
        if self.is_closed() {
            return Err(StateError::Closed { what: "collection" }.into());
        }
        Ok(self.view.load_full())
    }

    /// What it is and holds.
    ///
    /// # Errors
    /// `closed`.
    pub fn info(&self) -> Result<CollectionInfo> {
        let view = self.view()?;
        let (config, stats) = ((*view.config).clone(), view.stats());
        Ok(CollectionInfo {
            name: self.entry.name.clone(),
            config,
            dim: view.dim,
            stats,
            view: Arc::clone(&view),
            write_waits: self.write_waits.load(Ordering::Relaxed),
            degraded: self.storage().progress().failed.map(|cause| cause.to_string()),
        })
    }

    /// Stores documents, all or, on an error, none; those without a vector are embedded when the collection names an
    /// embedder. `None` for the level takes the database's.
    ///
    /// # Errors
    /// As [`crate::collection::write::resolve`]; `no_embedder`; a failed write, `degraded`, `closed`.
    pub fn add(&self, documents: Vec<Document>, mode: AddMode, level: Option<Level>) -> Result<Written> {
        self.write(self.mutations(documents, mode)?, level)
    }

    /// Stores many documents, all or, on an error, none, as [`CollectionHandle::add`] does, but as a segment and not
    /// through the log: quicker, visible all at once, and durable when this returns. Others go on meanwhile; who writes
    /// one of these documents waits.
    ///
    /// # Errors
    /// As [`CollectionHandle::add`].
    pub fn add_bulk(&self, documents: Vec<Document>, mode: AddMode) -> Result<Written> {
        self.check_writable()?;
        let batch = self.mutations(documents, mode)?;
        if let Some(database) = self.database.upgrade() {
            database.root.check_room()?;
        }
        let _one_at_a_time = lock(&self.job);
        let begun = self.writer()?.begin_bulk(batch)?;
        let Some(Begun { job, ended }) = begun else { return Ok(Written::default()) };
        let is_closing = || self.database.upgrade().is_none_or(|database| database.is_closed());
        if !self.complete(job, &|_| !self.is_closed() && !is_closing())? {
            return Err(StateError::Closed { what: "collection" }.into());
        }
        Ok(Written { ended, ..Written::default() })
    }

    /// Stores or deletes one document, if it is a version that is expected. `change` is what becomes of it: `None` when it
    /// is deleted.
    ///
    /// # Errors
    /// `version_mismatch`; as [`CollectionHandle::add`] and [`CollectionHandle::delete`].
    pub fn change_if(
        &self,
        id: &str,
        expected: &Expected,
        change: Option<Document>,
        level: Option<Level>,
    ) -> Result<Written> {
        let batch = match change {
            Some(document) => self.mutations(vec![document], AddMode::Upsert)?,
            None => vec![Mutation::Delete(id.to_owned())],
        };
        self.write_if(batch, level, Some(&|view, now| expected.check(view, now, id)))
    }

    fn mutations(&self, mut documents: Vec<Document>, mode: AddMode) -> Result<Vec<Mutation>> {
        let config = Arc::clone(&self.view()?.config);
        self.embedding.fill(self.name(), &config, &self.pool, &mut documents)?;
        let mutation = match mode {
            AddMode::Insert => Mutation::Add,
            AddMode::Upsert => Mutation::Upsert,
        };
        Ok(documents.into_iter().map(mutation).collect())
    }

    /// Deletes documents; those that are not there are no error.
    ///
    /// # Errors
    /// `invalid_id`; a failed write, `degraded`, `closed`.
    pub fn delete(&self, ids: Vec<String>, level: Option<Level>) -> Result<Written> {
        self.write(ids.into_iter().map(Mutation::Delete).collect(), level)
    }

    /// Counts a use of documents, which ranking can take into account; those that are not there are no error.
    ///
    /// # Errors
    /// As [`CollectionHandle::delete`].
    pub fn touch(&self, ids: Vec<String>, level: Option<Level>) -> Result<Written> {
        self.write(ids.into_iter().map(Mutation::Touch).collect(), level)
    }

    /// Gives the collection other settings from now on; `change` gets the settings that it has.
    ///
    /// # Errors
    /// `invalid_parameter`; a failed write, `degraded`, `closed`.
    pub fn configure(
        &self,
        change: impl FnOnce(Settings) -> Result<Settings>,
        level: Option<Level>,
    ) -> Result<()> {
        let level = level.unwrap_or(self.level);
        self.check_writable()?;
        if let Some(database) = self.database.upgrade() {
            database.root.check_room()?;
        }
        let (ticket, storage) = {
            let mut writer = self.writer_alone()?;
            let ticket = writer.configure(change(self.view.load().config.settings.clone())?, level)?;
            self.promise(&writer, level);
            (ticket, writer.storage())
        };
        self.settle(&storage, Some(ticket), level)
    }

    /// Applies a batch, all of it or, on an error, nothing.
    ///
    /// # Errors
    /// As [`crate::collection::write::resolve`]; a failed write, `degraded`, `closed`.
    pub fn write(&self, batch: Vec<Mutation>, level: Option<Level>) -> Result<Written> {
        self.write_if(batch, level, None)
    }

    /// As [`CollectionHandle::write`], if a check agrees to the state that the batch meets: nobody writes in between.
    ///
    /// # Errors
    /// What the check fails with; as [`CollectionHandle::write`].
    pub fn write_if(
        &self,
        batch: Vec<Mutation>,
        level: Option<Level>,
        check: Option<Check<'_>>,
    ) -> Result<Written> {
        let level = level.unwrap_or(self.level);
        self.check_writable()?;
        if batch.iter().all(|mutation| matches!(mutation, Mutation::Delete(_))) {
            // The first that does not fit has the room released that is kept for deletes.
            return match self.write_once(batch.clone(), level, check) {
                Err(error) if matches!(error.storage(), Some(StorageError::DiskFull { .. })) => {
                    self.write_once(batch, level, check)
                }
                done => done,
            };
        }
        if let Some(database) = self.database.upgrade() {
            database.root.check_room()?;
        }
        self.write_once(batch, level, check)
    }

    fn write_once(&self, batch: Vec<Mutation>, level: Level, check: Option<Check<'_>>) -> Result<Written> {
        let (submitted, storage) = {
            let mut writer = self.writer_for(&batch)?;
            if let Some(check) = check {
                let (view, now) = self.at(None)?;
                check(&view, now)?;
            }
            let submitted = writer.submit(batch, level)?;
            self.promise(&writer, level);
            (submitted, writer.storage())
        };
        self.settle(&storage, submitted.ticket, level)?;
        let Submitted { ended, touched, linked, unlinked, .. } = submitted;
        Ok(Written { ended, touched, linked, unlinked })
    }

    /// Takes note that what was written is to be durable within a second.
    fn promise(&self, writer: &Collection, level: Level) {
        if level == Level::Everysec {
            self.promised.fetch_max(writer.lsn().0, Ordering::AcqRel);
        }
    }

    /// Waits for what a level promises.
    fn settle(&self, storage: &Arc<dyn Storage>, ticket: Option<Ticket>, level: Level) -> Result<()> {
        match ticket {
            Some(_) if level == Level::Memory => {
                // Nothing that is written to a storage that has failed would be found again.
                if let Some(cause) = storage.progress().failed {
                    self.fall_back(storage);
                    return Err(cause.into());
                }
                self.ask();
                Ok(())
            }
            Some(ticket) => self.wait(storage, ticket),
            None => Ok(()),
        }
    }

    /// The writer, once no bulk import is being written: what follows is not to be mixed with it.
    fn writer_alone(&self) -> Result<MutexGuard<'_, Collection>> {
        loop {
            let writer = self.writer()?;
            if !writer.has_bulk() {
                return Ok(writer);
            }
            drop(writer);
            drop(lock(&self.job));
        }
    }

    /// The writer, once there is room for a batch and no bulk import that writes the same documents.
    fn writer_for(&self, batch: &[Mutation]) -> Result<MutexGuard<'_, Collection>> {
        loop {
            let writer = self.writer_with_room(batch.iter().map(Mutation::weight).sum())?;
            if !writer.is_loading(batch) {
                return Ok(writer);
            }
            drop(writer);
            drop(lock(&self.job));
        }
    }

    /// The writer, once so many bytes more may be unsealed: who comes when there are too many waits for the job that
    /// runs, and seals when none does.
    fn writer_with_room(&self, bytes: usize) -> Result<MutexGuard<'_, Collection>> {
        let mut waits = false;
        loop {
            let writer = self.writer()?;
            if self.fits(bytes) {
                return Ok(writer);
            }
            drop(writer);
            if !std::mem::replace(&mut waits, true) {
                self.write_waits.fetch_add(1, Ordering::Relaxed);
            }
            let _one_at_a_time = lock(&self.job);
            if !self.fits(bytes) {
                self.run_alone(JobKind::Seal, &|_| !self.is_closed())?;
            }
        }
    }

    /// About how many bytes its memtable takes.
    pub(super) fn unsealed_bytes(&self) -> u64 {
        self.view.load().stats().memtable_bytes as u64
    }

    /// Whether writers will soon wait for a seal.
    pub(super) fn is_crowded(&self) -> bool {
        self.view.load().stats().memtable_bytes > self.unsealed_bytes_max / 2
    }

    /// A batch that is larger than the bound comes alone.
    fn fits(&self, bytes: usize) -> bool {
        let unsealed = self.view.load().stats().memtable_bytes;
        bytes == 0 || unsealed == 0 || unsealed + bytes <= self.unsealed_bytes_max
    }

    /// The state now and the moment that a reader asks for; `None` for now.
    ///
    /// # Errors
    /// `history_gone`, `closed`.
    pub fn at(&self, as_of: Option<i64>) -> Result<(Arc<View>, Moment)> {
        let view = self.view()?;
        let moment = view.moment(as_of, self.clock.now_ns())?;
        Ok((view, moment))
    }

    /// A document, as it is now or was at a moment.
    ///
    /// # Errors
    /// `history_gone`, `closed`, `corrupt`.
    pub fn get(&self, id: &str, as_of: Option<i64>) -> Result<Option<SharedRow>> {
        let (view, moment) = self.at(as_of)?;
        view.get(id, moment)
    }

    /// Documents in the order of `ids`, as they are now or were at a moment; `None` for those that are not there.
    ///
    /// # Errors
    /// `too_large`, `history_gone`, `closed`, `corrupt`.
    pub fn get_many(&self, ids: &[String], as_of: Option<i64>) -> Result<Vec<Option<SharedRow>>> {
        let (view, moment) = self.at(as_of)?;
        view.get_many(ids, moment)
    }

    /// How often documents were touched since they were last stored, in the order of `ids`; `None` for never.
    ///
    /// # Errors
    /// `too_large`, `closed`, `corrupt`.
    pub fn touches(&self, ids: &[String]) -> Result<Vec<Option<Touch>>> {
        let (view, now) = self.at(None)?;
        view.touches(ids, now)
    }

    /// The versions of a document that are kept, the newest first.
    ///
    /// # Errors
    /// `closed`, `corrupt`.
    pub fn versions(&self, id: &str) -> Result<Vec<Version>> {
        self.view()?.versions(id)
    }

    /// Up to `limit` documents after `cursor`, in the order of seq, as they are now or were at a moment.
    ///
    /// # Errors
    /// `invalid_parameter`, `history_gone`, `closed`, `corrupt`.
    pub fn scan(&self, cursor: Option<Seq>, limit: usize, as_of: Option<i64>) -> Result<Page> {
        let (view, moment) = self.at(as_of)?;
        view.scan(cursor, limit, moment)
    }

    /// Ends documents that have expired, though nobody writes.
    pub(super) fn expire_due(&self) -> Result<()> {
        if !self.view()?.expired(self.clock.now_ns(), 1)?.is_empty() {
            self.write(Vec::new(), None)?;
        }
        Ok(())
    }

    /// Whether a job of this kind should be done; `seal_bytes` is what a memtable may grow to.
    pub(super) fn is_due(&self, kind: JobKind, seal_bytes: usize) -> Result<bool> {
        Ok(self.writer()?.is_due(kind, seal_bytes))
    }

    /// Seals what the next opening would otherwise replay, unless that is quick or a job is running.
    pub(super) fn seal_to_close(&self) -> Result<()> {
        let Ok(_one_at_a_time) = self.job.try_lock() else { return Ok(()) };
        if self.has_failed() || self.is_closed() || self.writer()?.replayed_bytes() <= REPLAYED_BYTES_MAX {
            return Ok(());
        }
        self.run_alone(JobKind::Seal, &|_| true).map(|_| ())
    }

    /// The collection as one file.
    ///
    /// # Errors
    /// `closed`, `corrupt`.
    pub fn export(&self) -> Result<Vec<u8>> {
        export::write(&*self.view()?)
    }

    /// Has the syncer make durable what waits for it.
    pub(super) fn sync_if_due(&self) {
        if self.promised.load(Ordering::Acquire) > self.storage().durable().0 {
            self.sync_soon();
        }
    }

    /// Has the syncer make everything durable.
    pub(super) fn sync_soon(&self) {
        self.wants_sync.store(true, Ordering::Release);
        self.ask();
    }

    /// Whether it can be closed, asked by who holds the only handle.
    pub(super) fn leave(&self) -> Leave {
        let (view, storage) = (self.view.load(), self.storage());
        let replayed = lock(&self.writer).replayed_bytes();
        if storage.progress().failed.is_some() || replayed > REPLAYED_BYTES_MAX {
            Leave::Never
        } else if view.lsn == self.opened_at || view.lsn <= storage.durable() {
            Leave::Now
        } else {
            Leave::AfterSync
        }
    }

    /// Writes what is queued, so that who waits for it is told before its place goes, and closes what its storage holds
    /// open.
    pub(super) fn let_go(&self) {
        let storage = self.storage();
        storage.poll(Ticket::default());
        storage.let_go();
    }

    /// Has the syncer write what is queued, and sync it when that is wanted.
    fn ask(&self) {
        if let (Some(database), Some(this)) = (self.database.upgrade(), self.this.upgrade()) {
            Syncer::ask(&database, this);
        }
    }

    /// Writes what is queued, makes it durable when that is due, and does what was left to be done, unless a job is at
    /// it.
    pub(super) fn tend(&self) -> Result<()> {
        if self.wants_sync.swap(false, Ordering::AcqRel) {
            // From then on it is known which frame is to be durable.
            if self.promised.load(Ordering::Acquire) == u64::MAX {
                self.promised.store(lock(&self.writer).lsn().0, Ordering::Release);
            }
            self.flush()?;
        }
        let storage = self.storage();
        if let Some(cause) = storage.poll(Ticket::default()).failed {
            let error = cause.into();
            self.fall_back(&storage);
            return Err(error);
        }
        if let Ok(_no_job) = self.job.try_lock()
            && !storage.progress().pending.is_empty()
        {
            storage.poll(Ticket::LAST);
        }
        Ok(())
    }

    /// Makes every write so far durable.
    ///
    /// # Errors
    /// A failed write, now or earlier.
    pub fn flush(&self) -> Result<()> {
        let (ticket, storage) = {
            let mut writer = lock(&self.writer);
            (writer.sync()?, writer.storage())
        };
        self.wait(&storage, ticket)
    }

    /// Before the disk is asked for room.
    fn check_writable(&self) -> Result<()> {
        self.database.upgrade().map_or(Ok(()), |database| database.check_writable())
    }

    /// Whether a write failed since it was opened.
    pub(super) fn has_failed(&self) -> bool {
        self.storage().progress().failed.is_some()
    }

    /// Takes no more writes and no more jobs, and waits for what runs: after this nobody writes to the storage
    /// but [`CollectionHandle::flush`]. The caller holds no lock.
    pub(super) fn close(&self) {
        {
            let _no_write_between = lock(&self.writer);
            self.closed.store(true, Ordering::Release);
        }
        drop(lock(&self.job));
        drop(lock(&self.recovering));
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// The writer, if the collection is open: asked under the lock, so that nothing is written once it is closed.
    pub(super) fn writer(&self) -> Result<MutexGuard<'_, Collection>> {
        let writer = lock(&self.writer);
        self.view()?;
        Ok(writer)
    }

    pub(super) fn storage(&self) -> Arc<dyn Storage> {
        Arc::clone(&lock(&self.storage))
    }

    /// Does queued work until a ticket of this storage is kept.
    pub(super) fn wait(&self, storage: &Arc<dyn Storage>, ticket: Ticket) -> Result<()> {
        wait(&**storage, ticket).inspect_err(|_| {
            if storage.progress().failed.is_some() {
                self.fall_back(storage);
            }
        })
    }

    /// After a failed write: readers see what the storage holds. When there was no room, what did not fit left nothing
    /// behind, and writing goes on in the storage opened anew. After anything else nothing more is written until the
    /// database is opened again: a failed fsync is never tried a second time. A write that was answered with an error
    /// may be among what the log holds then: its outcome is unknown, as after a lost connection.
    fn fall_back(&self, failed: &Arc<dyn Storage>) {
        let Some(database) = self.database.upgrade() else { return };
        let _once = lock(&self.recovering);
        if !Arc::ptr_eq(&self.storage(), failed) || lock(&self.writer).has_failed() {
            return;
        }
        failed.stop();
        // Asked now: the ticket that brought us here may be one that was refused for room while something worse failed.
        let Some(cause) = failed.progress().failed else { return };
        if self.is_closed() {
            // It may have been dropped, and its place be removed.
            lock(&self.writer).fail(cause.to_string());
            return;
        }
        let recovered = database.recover(&self.entry);
        let mut writer = lock(&self.writer);
        let mut goes_on = matches!(cause, StorageError::DiskFull { .. });
        match recovered {
            Ok(mut recovered) => {
                recovered.take_over(&writer);
                *writer = recovered;
            }
            Err(_) => goes_on = false,
        }
        if goes_on {
            self.promised.store(u64::MAX, Ordering::Release);
            *lock(&self.storage) = writer.storage();
        } else {
            writer.fail(cause.to_string());
        }
    }
}
