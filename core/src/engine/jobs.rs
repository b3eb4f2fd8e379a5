//! Seal, index, recode, refine, merge, both vacuums and optimize: resumable background work that ends in a flip.
//!
//! A job begins under the writer's lock with a snapshot, is built in steps without it, commits (queues blobs and the
//! flip), and is published once the flip is kept. What a job computes depends on its inputs alone: a budget decides
//! where it pauses, never what comes out. What ended while it ran is carried over by seq.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

use crate::base::{AlignedBytes, Change, Error, Event, InputError, Lsn, Pool, Result, Seq};
use crate::collection::{CollectionConfig, Maintenance, Part, PartView, View};
use crate::graph::EdgesReader;
use crate::segment::{End, Ends, SegmentBlobs};
use crate::storage::blob::build;
use crate::storage::{Blob, BlobId, BlobKind, Section, Storage, Ticket};
use crate::vectors::int8;

use super::bulk::Bulk;
use super::collection::{Collection, Env, open_segment, part};
use super::manifest::{Cut, Manifest};
use super::policy::{self, SegmentSize};
use super::prune::{self, Pruned};
use super::work::{Horizons, Work};

/// What kind of job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobKind {
    /// The memtable becomes a segment.
    Seal,
    /// A segment without neighbour lists gets them.
    Index,
    /// Some neighbouring segments become one.
    Merge,
    /// A segment is written again without what has ended in it.
    Vacuum,
    /// The edges of a segment are written again without those that ended too long ago to be read.
    GraphVacuum,
    /// A segment with neighbour lists gets the codes that the settings ask for.
    Recode,
    /// The neighbour lists of a segment are built anew, more carefully, as the settings ask for.
    Refine,
    /// All documents become one segment with neighbour lists. Done only when somebody asks for it.
    Optimize,
}

/// What a query scans of segments without links is bounded by so many times what a memtable may grow to.
const SCANNED_FACTOR: usize = 2;

impl JobKind {
    /// Every kind, in the order in which a host looks what is due.
    pub const ALL: [Self; 8] = [
        Self::Seal,
        Self::Merge,
        Self::Vacuum,
        Self::GraphVacuum,
        Self::Index,
        Self::Recode,
        Self::Refine,
        Self::Optimize,
    ];

    /// The kind of this name.
    ///
    /// # Errors
    /// `invalid_parameter`.
    pub fn parse(name: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|kind| kind.name() == name);
        let expected = "seal, index, merge, vacuum, graph_vacuum, recode, refine or optimize";
        found.ok_or_else(|| Error::parameter("job", crate::base::ids::shorten(name), expected))
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Seal => "seal",
            Self::Index => "index",
            Self::Recode => "recode",
            Self::Refine => "refine",
            Self::Merge => "merge",
            Self::Vacuum => "vacuum",
            Self::GraphVacuum => "graph_vacuum",
            Self::Optimize => "optimize",
        }
    }
}

/// How far a job has come, in documents. One that writes them and links them counts them twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct JobProgress {
    /// Done.
    pub done: usize,
    /// Of how many.
    pub total: usize,
}

/// So many bytes, or more, that only the generation to fall back on needs do not wait for the next flip to go.
const LEFT_BEHIND_MAX: u64 = 1 << 20;

/// What a version that has ended or was touched counts as in bytes that are replayed: its op, and reading it again.
const CHANGE_BYTES: usize = 64;

/// A running job.
pub struct Job {
    kind: JobKind,
    storage: Arc<dyn Storage>,
    snapshot: Arc<View>,
    cut: Cut,
    /// Versions of edges that had ended by then cannot be read any more, whatever of the log is lost.
    edges_kept_from: i64,
    base: Vec<Ends>,
    plan: Plan,
    work: Work,
    pool: Arc<Pool>,
    documents: usize,
    /// Sections of the new blobs, once built.
    built: Vec<(BlobKind, Vec<Section>)>,
    /// What had ended of the new segment's versions: those that are kept as history.
    ended: Ends,
    /// It looked for something to do, and found nothing.
    is_idle: bool,
    /// What a bulk import changes beside the documents it writes.
    bulk: Option<Bulk>,
}

/// What a job does to the parts of its snapshot.
#[derive(Debug, Clone)]
pub(super) enum Plan {
    /// These become one segment.
    Write {
        parts: Range<usize>,
        /// Blobs tell the state at the snapshot from then on, not at the cut before: memtable chunks are among the parts.
        moves_cut: bool,
        /// It gets links, also when none of the parts has any.
        link: bool,
    },
    /// The segment at this index gets links, or others than it has.
    Link { target: usize, ef_construction: u32 },
    /// The segment at this index gets other codes.
    Recode(usize),
    /// The first of the segments at these indexes of whose edges some can go gets fewer.
    Prune(Vec<usize>),
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
    /// The blobs that it wrote.
    made: Vec<BlobId>,
    /// Bytes of the blobs that only the generation before needs, once it is published.
    left_behind: u64,
    /// Kept when the flip is durable.
    pub ticket: Ticket,
}

impl Collection {
    /// Whether a job of this kind should be done. By counted bytes and documents, never by time, but that vacuums and
    /// refinements are as far apart as the collection's settings say; `seal_bytes` is what the host lets a memtable grow to.
    #[must_use]
    pub fn is_due(&self, kind: JobKind, seal_bytes: usize) -> bool {
        let view = self.view.load();
        let sizes = || self.sizes(&view);
        match kind {
            JobKind::Seal => self.replayed_bytes() > seal_bytes || self.is_worn_since_the_cut(&view),
            JobKind::Merge => policy::merge_due(&sizes(), self.job_bytes_max).is_some(),
            JobKind::Vacuum => {
                let due = || policy::vacuum_due(&sizes(), worn_from(&view), self.job_bytes_max);
                self.may_vacuum(&view) && due().is_some()
            }
            JobKind::GraphVacuum => {
                let due = || policy::graph_vacuum_due(&sizes(), worn_from(&view), self.job_bytes_max);
                self.may_vacuum_graph(&view) && due().is_some()
            }
            JobKind::Index => {
                policy::index_due(&sizes(), seal_bytes.saturating_mul(SCANNED_FACTOR)).is_some()
            }
            JobKind::Recode => recode_asked(&view).is_some(),
            JobKind::Refine => self.may_refine(&view) && refine_asked(&view).is_some(),
            JobKind::Optimize => false,
        }
    }

    /// Whether the last vacuum since the opening is long enough ago.
    fn may_vacuum(&self, view: &View) -> bool {
        let Maintenance { vacuum_interval, .. } = view.config.settings.maintenance;
        let since = self.env.clock.now_ns().saturating_sub(self.vacuumed_at);
        vacuum_interval > 0 && since >= vacuum_interval
    }

    /// Whether the last vacuum of the graph since the opening is long enough ago.
    fn may_vacuum_graph(&self, view: &View) -> bool {
        let Maintenance { graph_vacuum_interval, .. } = view.config.settings.maintenance;
        let since = self.env.clock.now_ns().saturating_sub(self.graph_vacuumed_at);
        graph_vacuum_interval > 0 && since >= graph_vacuum_interval
    }

    /// Whether the last refinement, or the opening, is long enough ago.
    fn may_refine(&self, view: &View) -> bool {
        let Maintenance { refine_interval, .. } = view.config.settings.maintenance;
        let since = self.env.clock.now_ns().saturating_sub(self.refined_at);
        refine_interval > 0 && since >= refine_interval
    }

    /// The earliest moment that is kept, as far as blobs tell.
    fn horizon_at_the_cut(&self) -> i64 {
        self.manifest.config.history.horizon(self.manifest.cut.counters.last_time)
    }

    /// What had ended of edges by then is not kept, as far as blobs tell.
    fn edges_kept_from_at_the_cut(&self) -> i64 {
        self.manifest.config.edges_kept_from(&self.manifest.cut.counters)
    }

    /// About how many bytes opening would replay: what is in the memtable, and what has ended since the cut.
    #[must_use]
    pub fn replayed_bytes(&self) -> usize {
        let view = self.view.load();
        let changes: u64 = view.parts.iter().map(|part| part.ends.changes()).sum();
        let before: u64 = self.base.iter().map(Ends::changes).sum();
        view.stats().memtable_bytes + changes.saturating_sub(before) as usize * CHANGE_BYTES
    }

    /// A vacuum leaves out what had ended at the cut, so that it has to move before what ended since can go.
    fn is_worn_since_the_cut(&self, view: &View) -> bool {
        let now = view.config.history.horizon(view.counters.last_time);
        let (at_the_cut, from) = (self.horizon_at_the_cut(), worn_from(view));
        let worn = |(part, base): (&PartView, &Ends)| {
            policy::is_worn(part.part.len(), part.ends.ended_by(now), from)
                && !policy::is_worn(part.part.len(), base.ended_by(at_the_cut), from)
        };
        self.may_vacuum(view) && view.parts.iter().zip(&self.base).any(worn)
    }

    fn sizes(&self, view: &View) -> Vec<SegmentSize> {
        let (horizon, edges_from) = (self.horizon_at_the_cut(), self.edges_kept_from_at_the_cut());
        let size = |(part, ended): (&PartView, &Ends)| match &part.part {
            Part::Segment(segment) => Some(SegmentSize {
                bytes: segment.rows.weight(),
                edge_bytes: segment.edges().map_or(0, EdgesReader::weight),
                edges: segment.edges().map_or(0, EdgesReader::len),
                // What cannot be read now is not due; who asks for it is told.
                edges_ended: segment.edges().map_or(0, |edges| edges.ended_by(edges_from).unwrap_or(0)),
                slots: segment.len(),
                ended: ended.ended_by(horizon),
                vectors: segment.rows.vectors(),
                scan_bytes: int8::scan_bytes(view.config.metric, segment.rows.vectors(), segment.rows.dim()),
                is_linked: segment.is_linked(),
            }),
            Part::Chunk(_) => None,
        };
        view.parts.iter().zip(&self.base).filter_map(size).collect()
    }

    /// Bounds what one job writes: of its memory the largest part.
    pub fn bound_jobs(&mut self, bytes_max: u64) {
        self.job_bytes_max = bytes_max;
    }

    fn check_fits(&self, view: &View) -> Result<()> {
        let got: u64 = self.sizes(view).iter().map(|size| size.bytes + size.edge_bytes).sum();
        let limit = self.job_bytes_max;
        if got > limit {
            return Err(
                InputError::TooLarge { what: "what one job is to write, in bytes,", got, limit }.into()
            );
        }
        Ok(())
    }

    /// Where edges are that can go: in the segment in which most have ended, or else in any, where it takes what other
    /// segments hold to tell, and the job has to look.
    fn prune_asked(&self, view: &View, sizes: &[SegmentSize]) -> Option<Plan> {
        if self.edges_kept_from_at_the_cut() == i64::MIN {
            return None;
        }
        let due = policy::graph_vacuum_due(sizes, worn_from(view), self.job_bytes_max);
        let asked = due.or_else(|| policy::graph_vacuum_asked(sizes, self.job_bytes_max));
        if let Some(asked) = asked {
            return Some(Plan::Prune(vec![asked]));
        }
        let fits = |i: &usize| sizes[*i].edges > 0 && sizes[*i].edge_bytes <= self.job_bytes_max;
        let targets: Vec<usize> = (0..sizes.len()).filter(fits).collect();
        (!targets.is_empty()).then_some(Plan::Prune(targets))
    }

    fn plan(&self, kind: JobKind, view: &View) -> Option<Plan> {
        let write = |parts, moves_cut, link| Some(Plan::Write { parts, moves_cut, link });
        // Deletes alone move the cut too, or their log would never end.
        let (segments, is_behind) = (self.manifest.segments.len(), view.lsn > self.manifest.cut.lsn);
        let sizes = self.sizes(view);
        let link = |target| Plan::Link { target, ef_construction: view.config.ef_construction };
        match kind {
            JobKind::Seal if is_behind => write(segments..view.parts.len(), true, false),
            JobKind::Seal => None,
            JobKind::Merge => {
                policy::merge_asked(&sizes, self.job_bytes_max).and_then(|window| write(window, false, false))
            }
            JobKind::Vacuum => {
                let due = policy::vacuum_due(&sizes, worn_from(view), self.job_bytes_max);
                let asked = || policy::vacuum_asked(&sizes, self.job_bytes_max);
                due.or_else(asked).and_then(|i| write(i..i + 1, false, false))
            }
            JobKind::GraphVacuum => self.prune_asked(view, &sizes),
            JobKind::Index => policy::index_asked(&sizes).map(link),
            JobKind::Refine => refine_asked(view),
            JobKind::Optimize if is_behind => write(0..view.parts.len(), true, true),
            JobKind::Optimize if segments > 1 || sizes.iter().any(|size| size.ended > 0) => {
                write(0..segments, false, true)
            }
            JobKind::Recode => recode_asked(view).map(Plan::Recode),
            JobKind::Optimize => {
                policy::index_asked(&sizes).map(link).or_else(|| recode_asked(view).map(Plan::Recode))
            }
        }
    }

    /// Takes the snapshot that a job works on. `None` when there is nothing for it to do; a vacuum of the graph may find
    /// so itself ([`Job::is_idle`]).
    ///
    /// # Errors
    /// `degraded`; `invalid_parameter` when another job is running; `too_large` when everything is too large to be
    /// optimized; `corrupt`.
    pub fn begin(&mut self, kind: JobKind) -> Result<Option<Job>> {
        self.check_writable()?;
        if self.job_running {
            return Err(Error::parameter("job", kind.name(), "no other job of the collection to be running"));
        }
        let view = self.view.load_full();
        let Some(plan) = self.plan(kind, &view) else { return Ok(None) };
        if kind == JobKind::Optimize && matches!(plan, Plan::Write { .. }) {
            self.check_fits(&view)?;
        }
        let cut = if plan.moves_cut() { self.cut() } else { self.manifest.cut };
        if kind == JobKind::Refine {
            // One that is cancelled, or gives way to writers, has had its turn.
            self.refined_at = self.env.clock.now_ns();
        }
        self.begin_on(kind, plan, view, cut, None).map(Some)
    }

    /// Begins what was planned on a snapshot, whose blobs will tell the state at `cut`.
    pub(super) fn begin_on(
        &mut self,
        kind: JobKind,
        plan: Plan,
        snapshot: Arc<View>,
        cut: Cut,
        bulk: Option<Bulk>,
    ) -> Result<Job> {
        let (pool, storage) = (Arc::clone(&self.env.pool), Arc::clone(&self.storage));
        let (base, moves_cut) = (self.base.clone(), plan.moves_cut());
        // The config of the cut that its blobs will tell: a change behind it may be lost with the end of the log.
        let config = if moves_cut { &*snapshot.config } else { &self.manifest.config };
        let edges_kept_from = config.edges_kept_from(&cut.counters);
        let mut job = Job {
            kind,
            storage,
            edges_kept_from,
            snapshot,
            cut,
            base,
            plan,
            work: Work::Done,
            pool,
            documents: 0,
            built: Vec::new(),
            ended: Ends::default(),
            is_idle: false,
            bulk,
        };
        job.work = job.first_work(&self.manifest.config)?;
        if moves_cut {
            // Frames behind the cut go to a new log, so that the old one can go with the manifest that needs it.
            self.start_log(self.log + 1, Lsn(cut.lsn.0 + 1));
            self.frozen = self.view.load().parts.len();
        }
        self.job_running = true;
        Ok(job)
    }

    /// Queues the blobs of a built job and the flip to them.
    ///
    /// # Errors
    /// `degraded`; what the storage failed with that the job began on.
    ///
    /// # Panics
    /// When the job is not built, or is idle.
    pub fn commit(&mut self, mut job: Job) -> Result<Committed> {
        assert!(matches!(job.work, Work::Done) && !job.is_idle, "a job is built before it is committed");
        self.check_writable()?;
        self.check_same(&job.storage)?;
        self.newest += 1;
        let mut manifest = self.manifest.clone().next(self.newest);
        manifest.cut = job.cut;
        manifest.next_blob = self.next_blob;
        let mut base = self.base.clone();
        let parts = job.replaced();
        if job.plan.moves_cut() {
            manifest.log = self.log;
            manifest.config = (*job.snapshot.config).clone();
            for (i, segment) in manifest.segments.iter_mut().enumerate().filter(|(i, _)| !parts.contains(i)) {
                let ends = job.snapshot.parts[i].ends.clone();
                if ends.changes() > base[i].changes() {
                    let id = BlobId::new(manifest.collection_id, manifest.next_blob, BlobKind::Ends);
                    manifest.next_blob += 1;
                    self.storage.put(id, Arc::new(build(id, &ends.sections())));
                    segment.ends = Some(id);
                }
                base[i] = ends;
            }
        }
        let made = self.put_all(&mut manifest, std::mem::take(&mut job.built));
        let new_segment = if let Some(target) = job.plan.changed() {
            let segment = &mut manifest.segments[target];
            if matches!(job.plan, Plan::Prune(_)) {
                segment.edges = None;
            }
            for id in made.iter().copied() {
                let place = match id.kind {
                    BlobKind::Links => &mut segment.links,
                    BlobKind::Edges => &mut segment.edges,
                    _ => &mut segment.codes,
                };
                *place = Some(id);
            }
            Some(segment.clone())
        } else {
            let new = SegmentBlobs::of(&made);
            let segments = parts.start.min(base.len())..parts.end.min(base.len());
            manifest.segments.splice(segments.clone(), new.clone());
            base.splice(segments, new.as_ref().map(|_| job.ended.clone()));
            new
        };
        let ticket = self.storage.flip(manifest.generation, manifest.encode());
        self.next_blob = manifest.next_blob;
        let (storage, env, name) = (Arc::clone(&self.storage), self.env.clone(), self.name.clone());
        Ok(Committed {
            storage,
            env,
            name,
            fresh: None,
            job,
            left_behind: self.left_behind(&manifest),
            manifest,
            base,
            new_segment,
            made,
            ticket,
        })
    }

    /// Bytes of the blobs that this manifest no longer names. Logs are not among them: what was sealed can be read in two
    /// places until the next flip.
    fn left_behind(&self, next: &Manifest) -> u64 {
        let named: HashSet<BlobId> = next.segments.iter().flat_map(SegmentBlobs::iter).collect();
        let left =
            self.manifest.segments.iter().flat_map(SegmentBlobs::iter).filter(|id| !named.contains(id));
        left.map(|id| self.storage.blob(id).map_or(0, |blob| blob.len())).sum()
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
        if let Err(cause) = self.check_same(&committed.storage) {
            // It was recovered since, from the flip that this job had kept: what a bulk import stored is there.
            let is_found = self.manifest.generation >= committed.manifest.generation;
            if !(committed.job.is_bulk() && is_found) {
                return Err(cause);
            }
            self.tell(committed.take_changes());
            return Ok(());
        }
        let view = self.view.load_full();
        let mut next = (*view).clone();
        committed.open()?;
        let mut fresh = committed.fresh.take();
        let job = &committed.job;
        if let (Some(target), Some(fresh)) = (job.plan.changed(), &mut fresh) {
            next.parts[target].part = fresh.part.clone();
        } else {
            let old = job.shown();
            if let Some(fresh) = &mut fresh {
                for i in old.clone() {
                    carry_over(&view.parts[i], &job.ends_before(i), fresh, &view)?;
                }
            }
            next.parts.splice(old, fresh);
        }
        if let Some(bulk) = &job.bulk {
            bulk.end_in(&mut next);
        }
        self.view.store(Arc::new(next));
        self.previous = Some(std::mem::replace(&mut self.manifest, committed.manifest.clone()));
        self.base = std::mem::take(&mut committed.base);
        self.end_job();
        match job.kind {
            JobKind::Vacuum => self.vacuumed_at = self.env.clock.now_ns(),
            JobKind::GraphVacuum => self.graph_vacuumed_at = self.env.clock.now_ns(),
            _ => {}
        }
        self.clean();
        let (collection, job) = (self.name.clone(), committed.job.kind.name());
        let documents = committed.job.documents as u64;
        self.env.observer.event(Event::JobDone { collection, job, documents });
        self.tell(committed.take_changes());
        Ok(())
    }

    /// Forgets a job that will not be committed; nothing of it is visible.
    pub fn abandon(&mut self) {
        self.end_job();
    }

    fn end_job(&mut self) {
        self.job_running = false;
        self.loading = None;
        self.frozen = 0;
    }
}

/// A segment with links whose codes are not those that the settings ask for.
fn recode_asked(view: &View) -> Option<usize> {
    let wanted = view.config.settings.codes;
    view.parts.iter().position(|part| match &part.part {
        Part::Segment(segment) => {
            segment.is_linked() && segment.blobs.coding().is_some_and(|coding| coding != wanted)
        }
        Part::Chunk(_) => false,
    })
}

/// A segment whose links were built less carefully than the settings ask for: the one where it is worst.
fn refine_asked(view: &View) -> Option<Plan> {
    let wanted = view.config.settings.maintenance.refine_ef_construction;
    if wanted == 0 {
        return None;
    }
    let built_with = |part: &PartView| match &part.part {
        // Links that cannot be read say nothing, and are made again when they are needed.
        Part::Segment(segment) => segment.links().ok().flatten().map(|links| links.params().ef_construction),
        Part::Chunk(_) => None,
    };
    let built = view.parts.iter().enumerate().filter_map(|(i, part)| Some((built_with(part)?, i)));
    let (_, target) = built.filter(|(ef, _)| *ef < wanted as usize).min()?;
    Some(Plan::Link { target, ef_construction: wanted })
}

fn worn_from(view: &View) -> u32 {
    view.config.settings.maintenance.delete_threshold
}

/// Does to the new part what was done to an old one since the job's snapshot: ends what ended, counts touches.
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
    for (slot, touch) in
        old.ends.touches.iter().filter(|(slot, touch)| before.touches.get(*slot) != Some(*touch))
    {
        // What had ended before is not in the new part, and was not touched since.
        if let Some(slot) = fresh.part.slot_of(old.part.seq(slot)?)? {
            fresh.ends.touches.set(slot, touch);
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

    /// Whether the generation to fall back on should be made to hold the same, by [`Collection::confirm`], once it is
    /// published: a bulk import has to be there, and what a large job replaced would else take its room until the next
    /// flip, which may never come.
    #[must_use]
    pub fn wants_confirmation(&self) -> bool {
        self.job.is_bulk() || self.left_behind >= LEFT_BEHIND_MAX
    }

    /// Reads what cannot be made again of the new segment, and checks it: before what it was made from goes.
    ///
    /// # Errors
    /// `corrupt`, `io_failed`.
    pub fn check(&self) -> Result<()> {
        let cannot_be_made_again =
            |id: &BlobId| matches!(id.kind, BlobKind::Rows | BlobKind::Ends | BlobKind::Edges);
        for id in self.made.iter().copied().filter(cannot_be_made_again) {
            Blob::open(id, self.storage.blob(id)?)?.verify()?;
        }
        Ok(())
    }

    fn take_changes(&mut self) -> Vec<Change> {
        self.job.bulk.as_mut().map(|bulk| std::mem::take(&mut bulk.changes)).unwrap_or_default()
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
            segment.warm()?;
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

    /// Whether it is a bulk import: once its flip is kept, its storage holds what readers do not see before it is
    /// published.
    #[must_use]
    pub fn is_bulk(&self) -> bool {
        self.bulk.is_some()
    }

    /// Whether it looked for something to do and found nothing, once it is built: it is abandoned then, not committed.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.is_idle
    }

    /// The parts of the snapshot that the job's segment replaces.
    fn replaced(&self) -> Range<usize> {
        match &self.plan {
            Plan::Write { parts, .. } => parts.clone(),
            Plan::Link { .. } | Plan::Recode(_) | Plan::Prune(_) => 0..0,
        }
    }

    /// Those of them that readers see: what a bulk import writes they do not see yet.
    fn shown(&self) -> Range<usize> {
        let parts = self.replaced();
        parts.start..parts.end - self.bulk.as_ref().map_or(0, |bulk| bulk.hidden_parts)
    }

    /// What is not in the job's segment because it had ended.
    fn ends_before(&self, part: usize) -> Ends {
        if self.plan.moves_cut() { self.snapshot.parts[part].ends.clone() } else { self.base[part].clone() }
    }

    /// `config` is that of the cut, unless the job moves it.
    fn first_work(&self, config: &CollectionConfig) -> Result<Work> {
        match &self.plan {
            Plan::Write { parts, link, .. } => {
                let ended = parts.clone().map(|part| self.ends_before(part)).collect();
                // What the cut does not know yet may be lost with the end of the log, and history must not go for it.
                let horizon = self.snapshot.config.history.horizon(self.cut.counters.last_time);
                let horizons = Horizons { documents: horizon, edges: self.edges_kept_from };
                Work::rows(&self.snapshot, parts.clone(), ended, horizons, *link)
            }
            Plan::Prune(targets) => {
                let sealed = prune::sealed(&self.snapshot, &self.base, config.clone(), self.cut.counters);
                Ok(Work::Edges(Box::new(Pruned::new(sealed, targets))))
            }
            Plan::Link { target, ef_construction } => match &self.snapshot.parts[*target].part {
                Part::Segment(segment) => Work::links(&self.snapshot, segment, *ef_construction),
                Part::Chunk(_) => Ok(Work::Done),
            },
            Plan::Recode(target) => match &self.snapshot.parts[*target].part {
                Part::Segment(segment) => Work::codes(&self.snapshot, segment),
                Part::Chunk(_) => Ok(Work::Done),
            },
        }
    }

    /// Works on, for about `budget` documents; true when it is built.
    ///
    /// # Errors
    /// `corrupt`, `not_resident`, after which it can be called again.
    pub fn step(&mut self, budget: usize) -> Result<bool> {
        if let Work::Edges(pruned) = &self.work {
            self.plan = Plan::Prune(vec![pruned.target()]);
        }
        if let Some(built) = self.work.step(&self.snapshot, &self.pool, budget)? {
            self.documents = built.documents;
            self.built = built.blobs;
            self.ended = built.ended;
            self.is_idle = built.is_idle;
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

impl Plan {
    fn moves_cut(&self) -> bool {
        matches!(self, Self::Write { moves_cut: true, .. })
    }

    /// The segment that stays and gets other blobs.
    fn changed(&self) -> Option<usize> {
        match self {
            Self::Write { .. } => None,
            Self::Link { target, .. } | Self::Recode(target) => Some(*target),
            Self::Prune(targets) => targets.first().copied(),
        }
    }
}
