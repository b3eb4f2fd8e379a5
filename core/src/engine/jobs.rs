//! Seal, index and merge: resumable background work that ends in a flip.
//!
//! A job begins under the writer's lock with a snapshot, is built in steps without it, commits (queues blobs and the
//! flip), and is published once the flip is kept. What a job computes depends on its inputs alone: a budget decides
//! where it pauses, never what comes out. What ended while it ran is carried over by seq.

use std::sync::Arc;

use crate::base::{AlignedBytes, Error, Event, Lsn, Pool, Result, Seq};
use crate::collection::{Part, PartView, Stats, View};
use crate::segment::{End, Ends, Segment, SegmentBlobs};
use crate::storage::blob::build;
use crate::storage::{BlobId, BlobKind, Section, Storage, Ticket};

use super::collection::{Collection, Env, open_segment, part};
use super::manifest::{Cut, Manifest};
use super::work::Work;

/// What kind of job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobKind {
    /// The memtable becomes a segment.
    Seal,
    /// A segment without neighbour lists gets them.
    Index,
    /// All segments become one.
    Merge,
}

/// Segments without links that hold so many vectors are indexed: scanning them costs more than a millisecond.
const UNLINKED_VECTORS_MAX: usize = 10_000;
/// More segments than these are merged.
const SEGMENTS_MAX: usize = 8;

impl JobKind {
    /// Every kind, in the order in which a host looks what is due.
    pub const ALL: [Self; 3] = [Self::Seal, Self::Merge, Self::Index];

    /// Whether a collection with these figures should have it done. By counted bytes and documents, never by time;
    /// `seal_bytes` is what the host lets a memtable grow to.
    #[must_use]
    pub fn is_due(self, stats: &Stats, seal_bytes: usize) -> bool {
        match self {
            Self::Seal => stats.memtable_bytes > seal_bytes,
            Self::Merge => stats.segments > SEGMENTS_MAX,
            Self::Index => stats.unlinked_vectors > UNLINKED_VECTORS_MAX,
        }
    }

    /// The kind of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Seal => "seal",
            Self::Index => "index",
            Self::Merge => "merge",
        }
    }
}

/// How far a job has come, in documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct JobProgress {
    /// Done.
    pub done: usize,
    /// Of how many.
    pub total: usize,
}

/// A running job.
pub struct Job {
    kind: JobKind,
    storage: Arc<dyn Storage>,
    snapshot: Arc<View>,
    cut: Cut,
    base: Vec<Ends>,
    work: Work,
    pool: Arc<Pool>,
    documents: usize,
    /// Sections of the new blobs, once built.
    built: Vec<(BlobKind, Vec<Section>)>,
    /// What had ended of the new segment's versions: those that are kept as history.
    ended: Ends,
    /// Which existing segment gets the built blobs; `None` for a new one.
    target: Option<usize>,
}

/// A job whose blobs and flip are queued.
pub struct Committed {
    storage: Arc<dyn Storage>,
    env: Env,
    name: String,
    /// The new part, once its blobs were read back.
    fresh: Option<PartView>,
    job: Job,
    manifest: Manifest,
    base: Vec<Ends>,
    new_segment: Option<SegmentBlobs>,
    /// Kept when the flip is durable.
    pub ticket: Ticket,
}

impl Collection {
    /// Takes the snapshot that a job works on. `None` when there is nothing for it to do.
    ///
    /// # Errors
    /// `degraded`; `invalid_parameter` when another job is running.
    pub fn begin(&mut self, kind: JobKind) -> Result<Option<Job>> {
        self.check_writable()?;
        if self.job_running {
            return Err(Error::parameter("job", kind.name(), "no other job of the collection to be running"));
        }
        let view = self.view.load_full();
        let segments = self.manifest.segments.len();
        let (work, target) = match kind {
            // Deletes alone move the cut too, or their log would never end.
            JobKind::Seal if view.lsn > self.manifest.cut.lsn => {
                let ended = view.parts[segments..].iter().map(|part| part.ends.clone()).collect();
                (Work::rows(&view, segments..view.parts.len(), ended), None)
            }
            JobKind::Merge if segments > 1 || self.has_droppable(&view) => {
                (Work::rows(&view, 0..segments, self.base.clone()), None)
            }
            JobKind::Index => match unlinked(&view) {
                Some((target, segment)) => (Work::links(&view, &segment)?, Some(target)),
                None => return Ok(None),
            },
            _ => return Ok(None),
        };
        let cut = if kind == JobKind::Seal { self.cut() } else { self.manifest.cut };
        if kind == JobKind::Seal {
            // Frames behind the cut go to a new log, so that the old one can go with the manifest that needs it.
            self.start_log(self.log + 1, Lsn(cut.lsn.0 + 1));
            self.frozen = view.parts.len();
        }
        self.job_running = true;
        let base = self.base.clone();
        let pool = Arc::clone(&self.env.pool);
        Ok(Some(Job {
            kind,
            storage: Arc::clone(&self.storage),
            snapshot: view,
            cut,
            base,
            work,
            pool,
            documents: 0,
            built: Vec::new(),
            ended: Ends::default(),
            target,
        }))
    }

    /// Queues the blobs of a built job and the flip to them.
    ///
    /// # Errors
    /// `degraded`; what the storage failed with that the job began on.
    ///
    /// # Panics
    /// When the job is not built.
    pub fn commit(&mut self, mut job: Job) -> Result<Committed> {
        assert!(matches!(job.work, Work::Done), "a job is built before it is committed");
        self.check_writable()?;
        self.check_same(&job.storage)?;
        let mut manifest = self.manifest.clone();
        manifest.generation = self.newest + 1;
        self.newest = manifest.generation;
        manifest.cut = job.cut;
        manifest.next_blob = self.next_blob;
        let mut base = self.base.clone();
        if job.kind == JobKind::Seal {
            manifest.log = self.log;
            for (i, segment) in manifest.segments.iter_mut().enumerate() {
                let ends = job.snapshot.parts[i].ends.clone();
                if ends.count() > base[i].count() {
                    let id = BlobId::new(manifest.collection_id, manifest.next_blob, BlobKind::Ends);
                    manifest.next_blob += 1;
                    self.storage.put(id, Arc::new(build(id, &ends.sections())));
                    segment.ends = Some(id);
                }
                base[i] = ends;
            }
        }
        let blobs = self.put_all(&mut manifest, std::mem::take(&mut job.built));
        let new_segment = if let Some(target) = job.target {
            manifest.segments[target].links = blobs.first().copied();
            Some(manifest.segments[target].clone())
        } else {
            if job.kind == JobKind::Merge {
                manifest.segments.clear();
                base.clear();
            }
            let made = SegmentBlobs::of(&blobs);
            manifest.segments.extend(made.clone());
            base.extend(made.as_ref().map(|_| job.ended.clone()));
            made
        };
        let ticket = self.storage.flip(manifest.generation, manifest.encode());
        self.next_blob = manifest.next_blob;
        let (storage, env, name) = (Arc::clone(&self.storage), self.env.clone(), self.name.clone());
        Ok(Committed { storage, env, name, fresh: None, job, manifest, base, new_segment, ticket })
    }

    /// Whether any version ended before the earliest moment that is kept.
    fn has_droppable(&self, view: &View) -> bool {
        let horizon = view.config.history.horizon(view.counters.last_time);
        self.base.iter().flat_map(Ends::iter).any(|end| end.valid_to <= horizon)
    }

    fn put_all(&self, manifest: &mut Manifest, built: Vec<(BlobKind, Vec<Section>)>) -> Vec<BlobId> {
        let mut ids = Vec::new();
        for (kind, sections) in built {
            let id = BlobId::new(manifest.collection_id, manifest.next_blob, kind);
            manifest.next_blob += 1;
            let bytes: AlignedBytes = build(id, &sections);
            self.storage.put(id, Arc::new(bytes));
            ids.push(id);
        }
        ids
    }

    /// Makes a committed job's result visible, after its ticket was kept.
    ///
    /// # Errors
    /// `corrupt`, `io_failed` when the new blobs cannot be read back; `not_resident`, after which it can be called
    /// again.
    pub fn publish(&mut self, committed: &mut Committed) -> Result<()> {
        self.check_same(&committed.storage)?;
        let view = self.view.load_full();
        let mut next = (*view).clone();
        committed.open()?;
        let mut fresh = committed.fresh.take();
        let job = &committed.job;
        if let (Some(target), Some(fresh)) = (job.target, &mut fresh) {
            next.parts[target].part = fresh.part.clone();
        } else {
            let old = job.replaced();
            if let Some(fresh) = &mut fresh {
                for i in old.clone() {
                    carry_over(&view.parts[i], &job.ends_before(i), fresh, &view)?;
                }
            }
            next.parts.splice(old, fresh);
        }
        self.view.store(Arc::new(next));
        self.previous = Some(std::mem::replace(&mut self.manifest, committed.manifest.clone()));
        self.base = std::mem::take(&mut committed.base);
        self.end_job();
        self.clean();
        let (collection, job) = (self.name.clone(), committed.job.kind.name());
        let documents = committed.job.documents as u64;
        self.env.observer.event(Event::JobDone { collection, job, documents });
        Ok(())
    }

    /// Forgets a job that will not be committed; nothing of it is visible.
    pub fn abandon(&mut self) {
        self.end_job();
    }

    fn end_job(&mut self) {
        self.job_running = false;
        self.frozen = 0;
    }
}

/// The first segment that has vectors and no links, and where it is.
fn unlinked(view: &View) -> Option<(usize, Arc<Segment>)> {
    view.parts.iter().enumerate().find_map(|(at, part)| match &part.part {
        Part::Segment(segment) if segment.links.is_none() && segment.codes.is_some() => {
            Some((at, Arc::clone(segment)))
        }
        _ => None,
    })
}

/// Ends in the new part what ended in an old one since the job's snapshot.
fn carry_over(old: &PartView, before: &Ends, fresh: &mut PartView, view: &View) -> Result<()> {
    for end in old.ends.iter().filter(|end| !before.contains(end.slot)) {
        let seq: Seq = old.part.seq(end.slot)?;
        let slot = fresh.part.slot_of(seq)?.ok_or_else(|| {
            Error::corrupt("a new segment", 0, format!("the version {} of an old one", seq.0))
        })?;
        fresh.ends.end(End { slot, ..end });
        if let Some(words) = &view.words {
            fresh.ends.add_terms(words.count(&old.part.metadata(end.slot)?));
        }
    }
    Ok(())
}

impl Committed {
    /// Where its blobs and its flip are queued.
    #[must_use]
    pub fn storage(&self) -> Arc<dyn Storage> {
        Arc::clone(&self.storage)
    }

    /// Reads the new blobs back and checks them, after the ticket was kept. [`Collection::publish`] does it where it was
    /// not done; done before, no writer waits for it.
    ///
    /// # Errors
    /// `corrupt`, `io_failed`; `not_resident`, after which it can be called again.
    pub fn open(&mut self) -> Result<()> {
        if let (Some(blobs), None) = (&self.new_segment, &self.fresh) {
            let view = &self.job.snapshot;
            let segment = open_segment(&*self.storage, &self.env, &self.name, view, blobs.clone())?;
            self.fresh = Some(part(segment, self.job.ended.clone()));
        }
        Ok(())
    }
}

impl Job {
    /// What kind of job it is.
    #[must_use]
    pub fn kind(&self) -> JobKind {
        self.kind
    }

    /// The parts of the snapshot that the job's segment replaces.
    fn replaced(&self) -> std::ops::Range<usize> {
        match self.kind {
            JobKind::Seal => self.base.len()..self.snapshot.parts.len(),
            _ => 0..self.base.len(),
        }
    }

    /// What is not in the job's segment because it had ended.
    fn ends_before(&self, part: usize) -> Ends {
        match self.kind {
            JobKind::Seal => self.snapshot.parts[part].ends.clone(),
            _ => self.base[part].clone(),
        }
    }

    /// Works on, for about `budget` documents; true when it is built.
    ///
    /// # Errors
    /// `corrupt`, `not_resident`, after which it can be called again.
    pub fn step(&mut self, budget: usize) -> Result<bool> {
        if let Some(built) = self.work.step(&self.snapshot, &self.pool, budget)? {
            self.documents = built.documents;
            self.built = built.blobs;
            self.ended = built.ended;
        }
        Ok(matches!(self.work, Work::Done))
    }

    /// How far it has come.
    #[must_use]
    pub fn progress(&self) -> JobProgress {
        let done = JobProgress { done: self.documents, total: self.documents };
        self.work.progress().unwrap_or(done)
    }
}
