//! The jobs of a shared collection: one at a time, with its progress for whoever asks, until it is done or cancelled.

use crate::base::sync::lock;
use crate::base::{Error, Result, StateError};
use crate::collection::{Estimate, EstimateRequest, Estimator, Settings};
use crate::engine::{Job, JobKind, JobProgress};
use crate::storage::Ticket;
use crate::vectors::Coding;

use super::collection::CollectionHandle;

/// What runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunningKind {
    /// A job.
    Job(JobKind),
    /// The rules of auto-links are applied to what is there.
    Relink,
    /// It is looked what hangs together.
    Components,
}

impl RunningKind {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Job(kind) => kind.name(),
            Self::Relink => "relink",
            Self::Components => "components",
        }
    }
}

/// A job that runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunningJob {
    /// What kind.
    pub kind: RunningKind,
    /// How far it has come.
    pub progress: JobProgress,
    /// Whether it was asked to end.
    pub is_cancelled: bool,
}

/// A collection that is being given other codes, segment by segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Compressing {
    is_cancelled: bool,
}

impl CollectionHandle {
    /// Runs a job to its end; false when there was nothing to do.
    ///
    /// # Errors
    /// A failed write, `degraded`, `closed`, `corrupt`.
    pub fn run(&self, kind: JobKind) -> Result<bool> {
        self.run_watched(kind, &|_| {})
    }

    /// As [`CollectionHandle::run`]; tells `watch` every few thousand documents how far it has come.
    ///
    /// # Errors
    /// As [`CollectionHandle::run`].
    pub fn run_watched(&self, kind: JobKind, watch: &dyn Fn(JobProgress)) -> Result<bool> {
        let done = self.run_while(kind, &|progress| {
            watch(progress);
            !self.is_closed()
        })?;
        self.view()?;
        Ok(done)
    }

    /// The job that runs now: a relink or a look for components that somebody asked for, else a job of the storage.
    #[must_use]
    pub fn job(&self) -> Option<RunningJob> {
        let task = lock(&self.tasks).first();
        task.or_else(|| *lock(&self.running))
    }

    /// Has the running job end without having done anything, and a compression that it belongs to: whoever waits for it
    /// gets `cancelled`. What a relink has linked stays. False when none runs, or one that writers wait for: a seal, or one
    /// that is almost done.
    pub fn cancel_job(&self) -> bool {
        if lock(&self.tasks).cancel() {
            return true;
        }
        if let Some(compressing) = lock(&self.compressing).as_mut() {
            compressing.is_cancelled = true;
            let mut running = lock(&self.running);
            running
                .iter_mut()
                .filter(|job| job.kind == RunningKind::Job(JobKind::Recode))
                .for_each(|job| job.is_cancelled = true);
            return true;
        }
        let mut running = lock(&self.running);
        let Some(job) = running.as_mut().filter(|job| job.kind != RunningKind::Job(JobKind::Seal)) else {
            return false;
        };
        job.is_cancelled = true;
        true
    }

    /// Runs a job to its end, or until `go_on` says no.
    pub(super) fn run_while(&self, kind: JobKind, go_on: &dyn Fn(JobProgress) -> bool) -> Result<bool> {
        let _one_at_a_time = lock(&self.job);
        self.run_alone(kind, go_on)
    }

    /// As [`CollectionHandle::run_while`], for who holds `job`.
    pub(super) fn run_alone(&self, kind: JobKind, go_on: &dyn Fn(JobProgress) -> bool) -> Result<bool> {
        let begun = self.writer()?.begin(kind)?;
        begun.map_or(Ok(false), |job| self.complete(job, go_on))
    }

    /// Builds, commits and publishes a job, for who holds `job`; false when `go_on` said no.
    pub(super) fn complete(&self, mut job: Job, go_on: &dyn Fn(JobProgress) -> bool) -> Result<bool> {
        let _abandoned_unless_published = Running(self);
        let (what, kind) = (job.kind(), RunningKind::Job(job.kind()));
        *lock(&self.running) = Some(RunningJob { kind, progress: job.progress(), is_cancelled: false });
        loop {
            let is_built = job.step(STEP_DOCUMENTS)?;
            let mut running = lock(&self.running);
            if running.is_some_and(|running| running.is_cancelled) {
                return Err(StateError::Cancelled { what: what.name() }.into());
            }
            // Once it is built it is too late to cancel it.
            let progress = job.progress();
            *running = if is_built { None } else { Some(RunningJob { kind, progress, is_cancelled: false }) };
            drop(running);
            if is_built {
                break;
            }
            if !go_on(progress) {
                return Ok(false);
            }
        }
        if job.is_idle() {
            return Ok(false);
        }
        let is_bulk = job.is_bulk();
        let mut committed = self.writer()?.commit(job)?;
        let storage = committed.storage();
        let kept = self.wait(&storage, committed.ticket);
        if kept.is_err() && storage.progress().failed.is_none() {
            // The disk is full: what was stored of it before goes again.
            lock(&self.writer).clean();
            storage.poll(Ticket::LAST);
        }
        kept?;
        let published = committed.open().and_then(|()| lock(&self.writer).publish(&mut committed));
        if is_bulk && let Err(error) = &published {
            // The storage holds what nobody sees: no write may follow that does not know of it.
            lock(&self.writer).fail(error.to_string());
        }
        if is_bulk {
            self.confirm()?;
        }
        published?;
        if !is_bulk && committed.wants_confirmation() {
            committed.check()?;
            self.confirm()?;
        }
        // What the manifest before the last one needed goes now.
        storage.poll(Ticket::LAST);
        Ok(true)
    }

    /// Has the generation to fall back on hold what was published too. Where there is no room for it, there will be at the
    /// next flip.
    fn confirm(&self) -> Result<()> {
        let (confirmation, storage) = {
            let mut writer = lock(&self.writer);
            (writer.confirm()?, writer.storage())
        };
        match self.wait(&storage, confirmation.ticket) {
            Ok(()) => lock(&self.writer).confirmed(confirmation),
            Err(error) if storage.progress().failed.is_some() => return Err(error),
            Err(_) => {}
        }
        Ok(())
    }

    /// Has every segment take these codes, now and from now on. When it is cancelled, those that have them already get
    /// back the others, in the background.
    ///
    /// # Errors
    /// As [`CollectionHandle::run`]; `invalid_parameter` for codes that cannot serve the metric, and while the collection
    /// is being compressed; `cancelled`.
    pub fn compress(&self, codes: Coding) -> Result<()> {
        {
            let mut compressing = lock(&self.compressing);
            if compressing.is_some() {
                return Err(Error::parameter("compress", codes.name(), "no other compression to be running"));
            }
            *compressing = Some(Compressing::default());
        }
        let compressed = self.recode_all(codes);
        if compressed.is_err() {
            *lock(&self.compressing) = None;
        }
        compressed
    }

    fn recode_all(&self, codes: Coding) -> Result<()> {
        let mut before = codes;
        let change = |settings: Settings| {
            before = settings.codes;
            Ok(Settings { codes, ..settings })
        };
        self.configure(change, None)?;
        loop {
            let is_cancelled = || lock(&self.compressing).is_some_and(|compressing| compressing.is_cancelled);
            let ran = if is_cancelled() { Ok(true) } else { self.run(JobKind::Recode) };
            // Looked at and ended at once: nobody may be told that it is cancelled once it is done.
            let mut compressing = lock(&self.compressing);
            if compressing.is_some_and(|compressing| compressing.is_cancelled) {
                drop(compressing);
                self.configure(|settings| Ok(Settings { codes: before, ..settings }), None)?;
                return Err(StateError::Cancelled { what: "compress" }.into());
            }
            if matches!(ran, Ok(false)) {
                *compressing = None;
                return Ok(());
            }
            drop(compressing);
            ran?;
        }
    }

    /// Tells from a sample what other stored forms and codes would take and find.
    ///
    /// # Errors
    /// As [`Estimator::new`]; `closed`, `corrupt`.
    pub fn estimate(&self, request: EstimateRequest) -> Result<Estimate> {
        let mut estimator = Estimator::new(self.view()?, request)?;
        while !estimator.step(STEP_DOCUMENTS, &self.pool)? {
            self.view()?;
        }
        Ok(estimator.into_estimate())
    }
}

/// A job that has begun: forgotten when it ends in any way but being published, a panic included.
struct Running<'a>(&'a CollectionHandle);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        *lock(&self.0.running) = None;
        lock(&self.0.writer).abandon();
    }
}

/// Documents a job works on before it looks whether it should stop.
const STEP_DOCUMENTS: usize = 2_000;
