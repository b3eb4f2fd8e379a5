//! A collection in its storage: recovery, writes, and the switch from one view to the next.
//!
//! The writer's half. Readers share its view and never wait for it. Nothing here waits either: what takes time is
//! queued in the storage, and the caller learns from tickets when it is done.

use std::sync::Arc;

use crate::base::limits::BATCH_MAX;
use crate::base::sync::ArcSwap;
use crate::base::{Change, Clock, Error, Event, Lsn, Observer, Pool, Result, StateError};
use crate::collection::write::{Circumstances, Loading, Resolved, apply, prepare, resolve};
use crate::collection::{CollectionConfig, Mutation, Op, Part, PartView, Settings, View};
use crate::segment::{Derive, Ends, Mender, Segment};
use crate::storage::{Blob, BlobId, Level, Object, Storage, Ticket};
use crate::vectors::Coding;

use super::log;
use super::manifest::{Cut, Manifest};
use super::recover::Manifests;

/// What an engine takes from its host.
#[derive(Clone)]
pub struct Env {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Told of events.
    pub observer: Arc<dyn Observer>,
    /// Threads for building.
    pub pool: Arc<Pool>,
}

/// The writer of a collection.
pub struct Collection {
    pub(super) name: String,
    pub(super) storage: Arc<dyn Storage>,
    pub(super) env: Env,
    pub(super) view: Arc<ArcSwap<View>>,
    /// The log that takes the next frames.
    pub(super) log: u64,
    pub(super) manifest: Manifest,
    /// What the manifest before needs: it stays until the next flip, to fall back on.
    pub(super) previous: Option<Manifest>,
    /// The highest generation of a manifest there is; the next one is above it.
    pub(super) newest: u64,
    /// The number of the next blob, above every one there is: a number is never given twice, or a blob that a manifest
    /// names could be written over.
    pub(super) next_blob: u64,
    /// What had ended in each segment at the cut.
    pub(super) base: Vec<Ends>,
    /// Parts that a running seal will replace; later chunks are not merged into them.
    pub(super) frozen: usize,
    pub(super) job_running: bool,
    /// The bulk import that is the running job.
    pub(super) loading: Option<Loading>,
    /// When the last vacuum was done, since it was opened.
    pub(super) vacuumed_at: i64,
    /// When the last vacuum of the graph was done, since it was opened.
    pub(super) graph_vacuumed_at: i64,
    /// When the last refinement began, or else it was opened.
    pub(super) refined_at: i64,
    /// No job writes more bytes than that.
    pub(super) job_bytes_max: u64,
    /// Why it takes no writes.
    refuses: Option<Refusal>,
}

/// Why a collection takes no writes.
enum Refusal {
    /// One failed.
    Failed(String),
    /// It was opened to be read.
    ReadOnly,
}

/// What recovery found besides the state.
struct Found {
    /// What the logs hold, less its batches, which were applied.
    replay: log::Replay,
    replayed: u64,
    fell_back: bool,
}

/// A batch that was applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Submitted {
    /// Kept when the level's promise is; `None` when it is already.
    pub ticket: Option<Ticket>,
    /// How many documents were there before and were deleted or replaced.
    pub ended: usize,
    /// How many documents were there to be touched.
    pub touched: usize,
    /// How many versions of edges began.
    pub linked: usize,
    /// How many edges were there and ended, or were erased.
    pub unlinked: usize,
}

impl Collection {
    /// Queues a new, empty collection in an empty storage, to be opened once the ticket is kept.
    ///
    /// # Errors
    /// `invalid_parameter` when the config cannot be built.
    pub fn create(storage: &dyn Storage, collection_id: u64, config: CollectionConfig) -> Result<Ticket> {
        config.check()?;
        let manifest = Manifest::first(collection_id, config);
        storage.start_log(manifest.log, log::header(collection_id, manifest.log, Lsn(1)));
        Ok(storage.flip(manifest.generation, manifest.encode()))
    }

    fn assemble(
        storage: Arc<dyn Storage>,
        env: Env,
        name: &str,
        manifest: Manifest,
        view: View,
        base: Vec<Ends>,
    ) -> Self {
        Self {
            name: name.to_owned(),
            storage,
            refined_at: env.clock.now_ns(),
            env,
            view: Arc::new(ArcSwap::from_pointee(view)),
            log: manifest.log,
            newest: manifest.generation,
            next_blob: manifest.next_blob,
            manifest,
            previous: None,
            base,
            frozen: 0,
            job_running: false,
            loading: None,
            vacuumed_at: i64::MIN,
            graph_vacuumed_at: i64::MIN,
            job_bytes_max: u64::MAX,
            refuses: None,
        }
    }

    /// Recovers a collection from its storage.
    ///
    /// # Errors
    /// `corrupt` when primary data is damaged, with the offset; `unsupported_version`; `io_failed`; `not_resident`,
    /// after which it can be called again.
    pub fn open(storage: Arc<dyn Storage>, env: Env, name: &str) -> Result<Self> {
        let (mut this, found) = Self::find(storage, env, name)?;
        this.resume_log(found.replay.open_log, found.replay.unborn, found.replay.last);
        let mut truncated_bytes = 0;
        if let Some((generation, from, bytes)) = found.replay.tail {
            truncated_bytes = bytes;
            this.storage.set_aside(generation, from);
        }
        // What was replayed may not be on the disk yet; after this it is, and later frames can say so.
        this.storage.append(this.log, Vec::new(), found.replay.last, Level::Always);
        if !found.fell_back {
            this.clean();
        }
        let (collection, replayed) = (this.name.clone(), found.replayed);
        this.env.observer.event(Event::Opened { collection, replayed, truncated_bytes });
        Ok(this)
    }

    /// The collection that opening would recover, with nothing queued: what is there stays as it is, and it takes no
    /// writes.
    ///
    /// # Errors
    /// As [`Collection::open`].
    pub fn open_read_only(storage: Arc<dyn Storage>, env: Env, name: &str) -> Result<Self> {
        let (mut this, found) = Self::find(storage, env, name)?;
        this.refuses = Some(Refusal::ReadOnly);
        let (collection, replayed) = (this.name.clone(), found.replayed);
        this.env.observer.event(Event::Opened { collection, replayed, truncated_bytes: 0 });
        Ok(this)
    }

    /// The state that opening would recover, with nothing queued.
    ///
    /// # Errors
    /// As [`Collection::open`].
    pub fn read(storage: Arc<dyn Storage>, env: Env, name: &str) -> Result<Arc<View>> {
        let (this, _) = Self::find(storage, env, name)?;
        Ok(this.view.load_full())
    }

    fn find(storage: Arc<dyn Storage>, env: Env, name: &str) -> Result<(Self, Found)> {
        let listing = storage.list()?;
        for unknown in &listing.unknown {
            let message = format!("{unknown:?} is none of its files and was left alone");
            env.observer.event(Event::Warning { at: name.to_owned(), message });
        }
        let Manifests { current: manifest, previous, newest, fell_back } =
            super::recover::manifests(&*storage, &listing, &env, name)?;
        let (view, base) = super::recover::blobs(&*storage, &env, name, &manifest)?;
        let logs = super::recover::logs(&*storage, &listing, &manifest)?;
        let mut replay = log::replay(manifest.collection_id, manifest.cut.lsn, &logs)?;
        let mut this = Self::assemble(storage, env, name, manifest, view, base);
        this.previous = previous;
        this.newest = newest;
        this.next_blob = listing.objects.iter().fold(this.next_blob, |next, object| match object {
            Object::Blob(number, _) => next.max(number + 1),
            _ => next,
        });
        let replayed = replay.batches.len() as u64;
        for batch in std::mem::take(&mut replay.batches) {
            this.apply(batch.ops, batch.last)?;
        }
        Ok((this, Found { replay, replayed, fell_back }))
    }

    fn resume_log(&mut self, open_log: Option<u64>, unborn: Option<u64>, last: Lsn) {
        match (unborn, open_log) {
            (Some(generation), _) => self.start_log(generation, Lsn(last.0 + 1)),
            (None, Some(generation)) => self.log = generation,
            (None, None) => self.start_log(self.manifest.log, Lsn(last.0 + 1)),
        }
    }

    pub(super) fn start_log(&mut self, generation: u64, first: Lsn) {
        let header = log::header(self.manifest.collection_id, generation, first);
        self.storage.start_log(generation, header);
        self.log = generation;
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its threads for building.
    #[must_use]
    pub fn pool(&self) -> Arc<Pool> {
        Arc::clone(&self.env.pool)
    }

    /// Where it is stored.
    #[must_use]
    pub fn storage(&self) -> Arc<dyn Storage> {
        Arc::clone(&self.storage)
    }

    /// Where readers find the current view.
    #[must_use]
    pub fn reader(&self) -> Arc<ArcSwap<View>> {
        Arc::clone(&self.view)
    }

    /// The last frame that was applied.
    #[must_use]
    pub fn lsn(&self) -> Lsn {
        self.view.load().lsn
    }

    /// Checks, logs and applies a batch: all of it or, on an error, nothing. It is visible when this returns and
    /// acknowledged when the ticket is kept.
    ///
    /// # Errors
    /// As [`resolve`]; `invalid_parameter` when [`Collection::is_loading`] any of it; `degraded` after a failed write;
    /// `not_resident`, after which it can be called again.
    pub fn submit(&mut self, batch: Vec<Mutation>, level: Level) -> Result<Submitted> {
        self.check_writable()?;
        if self.is_loading(&batch) {
            return Err(Error::parameter("id", "one of a bulk import", "an id that none is writing"));
        }
        let resolved = self.resolve(batch, BATCH_MAX)?;
        if resolved.ops.is_empty() {
            return Ok(Submitted { ticket: self.ticket_of_what_is_there(level), ..Submitted::default() });
        }
        let changes = self.changes(&resolved);
        let Resolved { ops, ended, touched, linked, unlinked, .. } = resolved;
        let ticket = Some(self.log_and_apply(ops, level)?);
        self.tell(changes);
        Ok(Submitted { ticket, ended, touched, linked, unlinked })
    }

    /// What promises the state as it is: a write that finds nothing to do answers for it, and what made it so may have been
    /// written at a lower level.
    fn ticket_of_what_is_there(&self, level: Level) -> Option<Ticket> {
        let last = self.lsn();
        let is_kept = level == Level::Memory || self.storage.durable() >= last;
        (!is_kept).then(|| self.storage.append(self.log, Vec::new(), last, level))
    }

    /// Gives the collection other settings from now on.
    ///
    /// # Errors
    /// `invalid_parameter`; `degraded` after a failed write.
    pub fn configure(&mut self, settings: Settings, level: Level) -> Result<Ticket> {
        self.check_writable()?;
        let view = self.view.load_full();
        settings.check(view.config.metric)?;
        // What may have been dropped until now stays so, however long edges are kept from now on.
        let settings = Settings { graph_known_from: view.graph_earliest(), ..settings };
        self.log_and_apply(vec![Op::Configure(settings)], level)
    }

    /// Whether a bulk import that is not visible yet writes one of these documents, or of those that they name by the rules:
    /// whoever writes it too waits for that.
    #[must_use]
    pub fn is_loading(&self, batch: &[Mutation]) -> bool {
        let Some(loading) = &self.loading else { return false };
        let view = self.view.load();
        let is_taken = |id: &str| loading.ids.contains(id) || loading.named.contains(id);
        batch.iter().any(|mutation| {
            mutation.ids().any(is_taken)
                || matches!(mutation, Mutation::Relink { .. })
                // What cannot be read is told once it is written.
                || mutation.names(&view).is_ok_and(|names| names.iter().any(|id| is_taken(id)))
        })
    }

    /// Whether a bulk import is being written that is not visible yet.
    #[must_use]
    pub fn has_bulk(&self) -> bool {
        self.loading.is_some()
    }

    pub(super) fn resolve(&self, batch: Vec<Mutation>, batch_max: usize) -> Result<Resolved> {
        let (now, collection, loading) = (self.env.clock.now_ns(), &*self.name, self.loading.as_ref());
        resolve(&self.view.load(), Circumstances { now, collection, batch_max, loading }, batch)
    }

    /// What a batch changes, when somebody wants to be told.
    pub(super) fn changes(&self, resolved: &Resolved) -> Vec<Change> {
        if self.env.observer.wants_changes() { resolved.changes() } else { Vec::new() }
    }

    /// Tells what has changed.
    pub(super) fn tell(&self, changes: Vec<Change>) {
        if !changes.is_empty() {
            self.env.observer.changed(&self.name, changes);
        }
    }

    pub(super) fn log_and_apply(&mut self, ops: Vec<Op>, level: Level) -> Result<Ticket> {
        let view = self.view.load_full();
        let (id, first) = (self.manifest.collection_id, Lsn(view.lsn.0 + 1));
        let (frames, last) = log::frames(id, self.log, first, self.storage.durable(), &ops)?;
        let prepared = prepare(&view, ops)?;
        let ticket = self.storage.append(self.log, frames, last, level);
        self.view.store(Arc::new(apply(&view, prepared, last, self.frozen)));
        Ok(ticket)
    }

    fn apply(&mut self, ops: Vec<Op>, last: Lsn) -> Result<()> {
        let view = self.view.load_full();
        let prepared = prepare(&view, ops)?;
        self.view.store(Arc::new(apply(&view, prepared, last, self.frozen)));
        Ok(())
    }

    /// Applies what its writer has appended to a log since, in one that was opened to be read: the batches that are not here yet.
    /// False when others are missing before them: then nothing of them is applied, and it is to be opened anew.
    ///
    /// # Errors
    /// `corrupt` when they verify and cannot be read.
    pub fn follow(&mut self, log: u64, frames: &[u8]) -> Result<bool> {
        let Some(batches) = log::appended(self.manifest.collection_id, log, self.lsn(), frames)? else {
            return Ok(false);
        };
        for batch in batches {
            self.apply(batch.ops, batch.last)?;
        }
        Ok(true)
    }

    /// Queues a barrier: kept when every write before it is durable.
    ///
    /// # Errors
    /// `degraded` after a failed write: nobody knows then what is durable.
    pub fn sync(&mut self) -> Result<Ticket> {
        self.check_writable()?;
        Ok(self.storage.sync())
    }

    /// Stands in for one that failed: its readers see what this one recovered.
    pub fn take_over(&mut self, failed: &Self) {
        failed.view.store(self.view.load_full());
        self.view = Arc::clone(&failed.view);
    }

    /// Takes no more writes, because one failed; it must be opened again.
    pub fn fail(&mut self, cause: String) {
        self.refuses.get_or_insert(Refusal::Failed(cause));
    }

    /// Whether it takes no more writes, because one failed.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        matches!(self.refuses, Some(Refusal::Failed(_)))
    }

    /// # Errors
    /// `degraded`, `read_only`.
    pub(super) fn check_writable(&self) -> Result<()> {
        match &self.refuses {
            Some(Refusal::Failed(cause)) => {
                Err(StateError::Degraded { name: self.name.clone(), cause: cause.clone() }.into())
            }
            Some(Refusal::ReadOnly) => Err(StateError::ReadOnly.into()),
            None => Ok(()),
        }
    }

    /// A job that began before the collection was recovered is of no use after.
    ///
    /// # Errors
    /// What the storage it began on failed with.
    pub(super) fn check_same(&self, storage: &Arc<dyn Storage>) -> Result<()> {
        match storage.progress().failed {
            Some(cause) if !Arc::ptr_eq(&self.storage, storage) => Err(cause.into()),
            _ => Ok(()),
        }
    }

    /// The state now, as a cut.
    pub(super) fn cut(&self) -> Cut {
        let view = self.view.load();
        Cut { lsn: view.lsn, counters: view.counters, dim: view.dim }
    }

    /// Queues the removal of everything that neither this manifest nor the one before it needs.
    pub fn clean(&self) {
        let Ok(listing) = self.storage.list() else { return };
        let mut keep = self.manifest.objects();
        keep.extend(self.previous.iter().flat_map(Manifest::objects));
        let first_log = self.previous.as_ref().map_or(self.manifest.log, |p| p.log.min(self.manifest.log));
        let is_stale = |object: &Object| match object {
            Object::Log(generation) => *generation < first_log,
            other => !keep.contains(other),
        };
        let stale: Vec<_> = listing.objects.into_iter().chain(listing.leftovers).filter(is_stale).collect();
        if !stale.is_empty() {
            self.storage.remove(stale);
        }
    }
}

/// What making the derived blobs of this collection takes, with these codes.
pub(super) fn derive_with<'a>(view: &'a View, codes: Coding, pool: &'a Pool) -> Derive<'a> {
    let (metric, stored) = (view.config.metric, view.config.stored);
    Derive { metric, stored, codes, words: view.words.as_deref(), pool }
}

/// Opens a segment; the observer is told when something in it turns out to be damaged.
pub(super) fn open_segment(
    storage: &dyn Storage,
    env: &Env,
    name: &str,
    view: &View,
    blobs: crate::segment::SegmentBlobs,
) -> Result<Segment> {
    let load = |id: BlobId| Blob::open(id, storage.blob(id)?);
    let (observer, at) = (Arc::clone(&env.observer), name.to_owned());
    let damaged = move |id: BlobId, error: &Error| {
        let kind = id.kind.name();
        let message = format!(
            "blob {}.{kind} is damaged, and was made again from its rows or passed over: {error}",
            id.number
        );
        observer.event(Event::Warning { at: at.clone(), message });
    };
    let (words, pool) = (view.words.clone(), Arc::clone(&env.pool));
    let mender = Mender { metric: view.config.metric, words, pool, damaged: Arc::new(damaged) };
    Segment::open(blobs, &load, mender)
}

/// A part for a segment with what had ended in it.
pub(super) fn part(segment: Segment, ends: Ends) -> PartView {
    PartView { part: Part::Segment(Arc::new(segment)), ends }
}
