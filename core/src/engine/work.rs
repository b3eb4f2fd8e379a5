//! What a job computes, in steps: the blobs of a new segment, or the links of one that is there.
//!
//! Where it pauses never changes what it makes. Rows are read one by one and not kept. When the largest input of a merge
//! has links, they go on in the new segment: the vectors of the others are inserted into them.

use std::ops::Range;
use std::sync::Arc;

use crate::base::{Pool, Result, Slot};
use crate::collection::{Part, View};
use crate::graph::Gathering;
use crate::index::HnswParams;
use crate::index::hnsw::{Builder, Kept};
use crate::segment::{End, Ends, Segment, SegmentBuilder};
use crate::storage::{BlobKind, Section};
use crate::text::Carry;
use crate::text::carry::LEFT_BEHIND;
use crate::vectors::Coding;

use super::collection::derive_with;
use super::jobs::JobProgress;
use super::prune::Pruned;
use super::recode::{Recoding, Relinking};

/// Levels of an index are drawn from this seed, so that the same vectors always give the same links.
const LEVEL_SEED: u64 = 0x6B69_7468;
/// Postings that are taken over in the time of a document.
const POSTINGS_A_DOCUMENT: usize = 64;
/// Links go on when at least one of so many of their vectors does: with fewer, building them anew gives better ones.
const KEPT_SHARE: usize = 2;

/// What is left of a job to be computed.
pub(super) enum Work {
    /// A new segment.
    Rows(Box<Writing>),
    /// Links of a segment, and other codes where it is to have such.
    Links(Box<Relinking>),
    /// Other codes of a segment.
    Codes(Box<Recoding>),
    /// Fewer edges of a segment.
    Edges(Box<Pruned>),
    /// Nothing.
    Done,
}

/// What ended by then is left out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Horizons {
    pub documents: i64,
    pub edges: i64,
}

/// What a job has computed.
pub(super) struct Built {
    pub documents: usize,
    /// What had ended of the new segment's versions: those that are kept as history.
    pub ended: Ends,
    pub blobs: Vec<(BlobKind, Vec<Section>)>,
    /// There was nothing to do.
    pub is_idle: bool,
}

/// A segment that is being written from parts of a view.
pub(super) struct Writing {
    parts: Range<usize>,
    /// What had ended in each.
    ended: Vec<Ends>,
    horizons: Horizons,
    /// The ends of what is kept though it has ended, and what was touched.
    kept: Ends,
    /// The part and the slot that come next.
    at: (usize, u32),
    /// The words of that part, when it has them.
    words: Option<CarriedWords>,
    total: usize,
    builder: SegmentBuilder,
    /// Its edges, until all are there.
    edges: Gathering,
    linking: Linking,
}

/// Words of a part, which follow once its rows are there.
#[derive(Default)]
struct CarriedWords {
    /// The new slot of each of its slots.
    slots: Vec<u32>,
    carry: Carry,
}

enum Linking {
    /// It gets links later, if at all.
    Later,
    /// It gets links once its codes are there, with those of an input or without.
    Wanted(Option<KeptLinks>),
    Building(Box<Builder>),
}

/// Links of this part of the view.
struct KeptLinks {
    part: usize,
    kept: Kept,
    /// How carefully they were built, and others are added.
    params: HnswParams,
}

impl Work {
    /// Links of a segment.
    pub fn links(view: &View, segment: &Arc<Segment>, ef_construction: u32) -> Result<Self> {
        let params = HnswParams { ef_construction: ef_construction as usize, ..index_params(view) };
        Ok(Self::Links(Box::new(Relinking::new(view, segment, params)?)))
    }

    /// Codes of a segment, of the kind that the collection is to have.
    pub fn codes(view: &View, segment: &Arc<Segment>) -> Result<Self> {
        Ok(Self::Codes(Box::new(Recoding::new(segment, view.config.metric, view.config.settings.codes)?)))
    }

    /// A segment of these parts, without what had ended in each by the horizons; `link` asks for links also
    /// where no input has any.
    pub fn rows(
        view: &View,
        parts: Range<usize>,
        ended: Vec<Ends>,
        horizons: Horizons,
        link: bool,
    ) -> Result<Self> {
        let horizon = horizons.documents;
        let parts_with_ends = view.parts[parts.clone()].iter().zip(&ended);
        let total = parts_with_ends.map(|(p, e)| p.part.len() - e.ended_by(horizon)).sum();
        let linking = match kept_links(view, parts.clone(), &ended, horizon)? {
            None if !link => Linking::Later,
            kept => Linking::Wanted(kept),
        };
        let (at, builder, kept) = ((parts.start, 0), SegmentBuilder::default(), Ends::default());
        let (words, edges) = (None, Gathering::default());
        let writing = Writing { parts, ended, horizons, kept, at, words, total, builder, edges, linking };
        Ok(Self::Rows(Box::new(writing)))
    }

    /// Works on, for about `budget` documents; what was built, at the end.
    ///
    /// # Errors
    /// `corrupt`, `not_resident`, after which it can be called again.
    pub fn step(&mut self, view: &View, pool: &Pool, budget: usize) -> Result<Option<Built>> {
        let is_built = match self {
            Self::Done => return Ok(None),
            Self::Rows(writing) => writing.step(view, pool, budget)?,
            Self::Links(relinking) => relinking.step(pool, budget)?,
            Self::Codes(recoding) => recoding.step(pool, budget)?,
            Self::Edges(pruned) => pruned.step(budget)?,
        };
        if !is_built {
            return Ok(None);
        }
        Ok(match std::mem::replace(self, Self::Done) {
            Self::Done => None,
            Self::Rows(writing) => Some(writing.into_built()),
            Self::Links(relinking) => Some(relinking.into_built()),
            Self::Codes(recoding) => Some(recoding.into_built()),
            Self::Edges(pruned) => Some(pruned.into_built()),
        })
    }

    /// How far it has come; `None` when it is done.
    pub fn progress(&self) -> Option<JobProgress> {
        match self {
            Self::Done => None,
            Self::Rows(writing) => Some(writing.progress()),
            Self::Links(relinking) => Some(relinking.progress()),
            Self::Codes(recoding) => Some(recoding.progress()),
            Self::Edges(pruned) => Some(pruned.progress()),
        }
    }
}

impl Writing {
    fn step(&mut self, view: &View, pool: &Pool, budget: usize) -> Result<bool> {
        if self.at.0 < self.parts.end {
            self.read(view, pool, budget)?;
            return Ok(false);
        }
        if self.builder.is_empty() {
            return Ok(true);
        }
        if !self.builder.finish(budget, derive_with(view, self.codes(view), pool)) {
            return Ok(false);
        }
        self.link(view, pool, budget)
    }

    fn read(&mut self, view: &View, pool: &Pool, budget: usize) -> Result<()> {
        let with = derive_with(view, self.codes(view), pool);
        let mut left = budget.max(1);
        while self.at.0 < self.parts.end {
            let (at, slot) = (self.at.0, Slot(self.at.1));
            let part = &view.parts[at].part;
            if slot.index() == 0
                && self.words.is_none()
                && let Some(postings) = part.postings()?
                && postings.has_positions()?
            {
                self.words = Some(CarriedWords::default());
            }
            if slot.index() == part.len() {
                if !self.carry_words(part, budget)? || left == 0 {
                    return Ok(());
                }
                let (taken, is_all) = self.take_edges(part, left)?;
                left = left.saturating_sub(taken);
                if is_all {
                    self.at = (at + 1, 0);
                }
                continue;
            }
            let end = self.ended[at - self.parts.start].get(slot);
            let mut new = LEFT_BEHIND;
            if end.is_none_or(|end| end.valid_to > self.horizons.documents) {
                if left == 0 {
                    return Ok(());
                }
                let row = part.row(slot)?;
                if let Some(end) = end {
                    let words = view.words.as_ref().map(|words| words.count(&row.metadata));
                    self.kept.end(End { slot: Slot(self.builder.len() as u32), ..end });
                    self.kept.add_terms(words.unwrap_or_default());
                }
                if let Some(touch) = self.ended[at - self.parts.start].touches.get(slot) {
                    self.kept.touches.set(Slot(self.builder.len() as u32), touch);
                }
                if row.vector.is_some() {
                    self.linking.note(at, part, slot, self.builder.vectors())?;
                }
                new = self.builder.len() as u32;
                match self.words {
                    Some(_) => self.builder.push_without_words(&row, with),
                    None => self.builder.push(&row, with),
                }
                left -= 1;
            }
            if let Some(words) = &mut self.words {
                words.slots.push(new);
            }
            self.at.1 += 1;
        }
        let edges = std::mem::take(&mut self.edges).into_table();
        let is_first = self.parts.start == 0;
        self.builder.set_edges(if is_first { edges.first(self.horizons.edges) } else { edges });
        Ok(())
    }

    /// Takes over words of the part that was read; true once all are there.
    fn carry_words(&mut self, part: &Part, budget: usize) -> Result<bool> {
        if let (Some(words), Some(postings)) = (&mut self.words, part.postings()?) {
            let budget = budget.saturating_mul(POSTINGS_A_DOCUMENT);
            if !self.builder.carry_words(&mut words.carry, postings, &words.slots, budget)? {
                return Ok(false);
            }
        }
        self.words = None;
        Ok(true)
    }

    /// Takes about so many edges of a part; how many it were, and whether that was the last of them.
    fn take_edges(&mut self, part: &Part, budget: usize) -> Result<(usize, bool)> {
        match part {
            Part::Chunk(chunk) => {
                self.edges.push(chunk.edges());
                Ok((chunk.edges().edges().len(), true))
            }
            Part::Segment(segment) => {
                segment.edges().map_or(Ok((0, true)), |edges| self.edges.take(edges, budget))
            }
        }
    }

    /// A segment that has no links is small or waits for them, which are made with int8 codes.
    fn codes(&self, view: &View) -> Coding {
        if matches!(self.linking, Linking::Later) { Coding::Int8 } else { view.config.settings.codes }
    }

    fn link(&mut self, view: &View, pool: &Pool, budget: usize) -> Result<bool> {
        let Some(space) = self.builder.space() else { return Ok(true) };
        match &mut self.linking {
            Linking::Later => Ok(true),
            Linking::Wanted(from) => {
                let n = self.builder.vectors();
                let builder = match from.take() {
                    Some(from) => Builder::keep(n, from.params, from.kept)?,
                    None => Builder::new(n, index_params(view))?,
                };
                self.linking = Linking::Building(Box::new(builder));
                Ok(false)
            }
            Linking::Building(builder) => Ok(builder.step(&space, pool, budget)),
        }
    }

    fn into_built(self) -> Built {
        let (versions, ended) = (self.builder.len(), self.kept);
        let mut blobs = if self.builder.is_empty() { Vec::new() } else { self.builder.into_blobs() };
        if ended.changes() > 0 {
            blobs.push((BlobKind::Ends, ended.sections()));
        }
        if let Linking::Building(builder) = self.linking {
            blobs.push((BlobKind::Links, builder.sections()));
        }
        Built { documents: versions - ended.count(), ended, blobs, is_idle: false }
    }

    /// A document counts once when it is read and once more when it is linked.
    fn progress(&self) -> JobProgress {
        let is_read = self.at.0 == self.parts.end;
        let vectors = if is_read { self.builder.vectors() } else { self.total };
        let (linked, to_link) = match &self.linking {
            Linking::Later => (0, 0),
            Linking::Wanted(_) => (0, vectors),
            Linking::Building(builder) => (builder.linked(), vectors),
        };
        JobProgress { done: self.builder.len() + linked, total: self.total + to_link }
    }
}

impl Linking {
    /// A vector of a part gets this ordinal.
    fn note(&mut self, at: usize, part: &Part, slot: Slot, ordinal: usize) -> Result<()> {
        if let (Self::Wanted(Some(from)), Part::Segment(segment)) = (self, part)
            && from.part == at
            && let Some(old) = segment.rows.ordinal(slot)?
        {
            from.kept.set(old, ordinal as u32);
        }
        Ok(())
    }
}

/// The links that go on: those of the part that has the most live vectors of all with links.
fn kept_links(view: &View, parts: Range<usize>, ended: &[Ends], horizon: i64) -> Result<Option<KeptLinks>> {
    let mut best: Option<(usize, KeptLinks)> = None;
    for (part, ended) in parts.zip(ended) {
        let Part::Segment(segment) = &view.parts[part].part else { continue };
        let Some(links) = segment.links()?.filter(|links| can_go_on(links.params(), view)) else {
            continue;
        };
        let mut live = links.len();
        for end in ended.iter().filter(|end| end.valid_to <= horizon) {
            live -= usize::from(segment.rows.ordinal(end.slot)?.is_some());
        }
        let is_worth = live > 0 && live * KEPT_SHARE >= links.len();
        if is_worth && best.as_ref().is_none_or(|(most, _)| live > *most) {
            let (kept, params) = (Kept::new(links.clone()), links.params());
            best = Some((live, KeptLinks { part, kept, params }));
        }
    }
    Ok(best.map(|(_, kept)| kept))
}

/// Links that were built as the collection asks for, or refined since, go on.
fn can_go_on(params: HnswParams, view: &View) -> bool {
    let own = index_params(view);
    let at_least = HnswParams { ef_construction: params.ef_construction.max(own.ef_construction), ..own };
    params == at_least
}

fn index_params(view: &View) -> HnswParams {
    HnswParams {
        links_max: view.config.links_max as usize,
        ef_construction: view.config.ef_construction as usize,
        seed: LEVEL_SEED,
    }
}
