//! What the vacuum of the graph computes: the edges of one segment without those that nobody can read any more.
//!
//! What ended a version may be in any segment, so that all of them are asked; the memtable is not, as what is in the log
//! alone may be lost. Where no segment knows by itself that anything can go, one after the other is gone through, in steps
//! like those of the writing, until one is found.

use std::sync::Arc;

use crate::base::Result;
use crate::collection::{CollectionConfig, Counters, Part, PartView, View};
use crate::graph::{self, EdgesReader, Pruning};
use crate::segment::Ends;
use crate::storage::{BlobKind, Section};

use super::jobs::JobProgress;
use super::work::Built;

/// What the blobs of a collection tell by themselves.
pub(super) fn sealed(view: &View, base: &[Ends], config: CollectionConfig, counters: Counters) -> View {
    let segments = view.parts.iter().zip(base);
    let parts = segments.map(|(part, ends)| PartView { part: part.part.clone(), ends: ends.clone() });
    View { parts: parts.collect(), config: Arc::new(config), counters, ..view.clone() }
}

/// The edges of one of some segments, being gone through.
pub(super) struct Pruned {
    sealed: View,
    /// The segment that is gone through; nothing could go from those before.
    target: usize,
    /// Those that come next, if nothing can go from it, the next one last.
    next: Vec<usize>,
    /// `None` before its first entry.
    pruning: Option<Pruning>,
    /// Entries of the segments before.
    before: usize,
    /// Entries of all of them.
    total: usize,
    outcome: Outcome,
}

enum Outcome {
    /// Entries are gone through.
    Open,
    /// All were, and some can go.
    Known,
    /// Nothing can go.
    Nothing,
    /// What is left of the segment.
    Built(Vec<(BlobKind, Vec<Section>)>),
}

impl Pruned {
    /// Of the first of these segments, of which there is one at least, from which anything can go.
    pub fn new(sealed: View, targets: &[usize]) -> Self {
        let len = |part: &usize| edges_of(&sealed.parts[*part].part).map_or(0, EdgesReader::len);
        let total = targets.iter().map(len).sum();
        let mut next: Vec<usize> = targets.iter().rev().copied().collect();
        let target = next.pop().unwrap_or_default();
        Self { sealed, target, next, pruning: None, before: 0, total, outcome: Outcome::Open }
    }

    /// Goes through about so many entries, or writes what is left; true when that is done, or nothing can go.
    ///
    /// # Errors
    /// `corrupt`, `not_resident`, after which it can be called again.
    pub fn step(&mut self, budget: usize) -> Result<bool> {
        let Some(edges) = edges_of(&self.sealed.parts[self.target].part) else { return Ok(true) };
        let pruning = match &mut self.pruning {
            Some(pruning) => pruning,
            None => self.pruning.insert(Pruning::new(place(&self.sealed, self.target)?)),
        };
        if matches!(self.outcome, Outcome::Known) {
            let kept = pruning.table(edges)?;
            let blobs =
                if kept.is_empty() { Vec::new() } else { vec![(BlobKind::Edges, graph::sections(&kept))] };
            self.outcome = Outcome::Built(blobs);
            return Ok(true);
        }
        let graph = self.sealed.graph(self.sealed.now(i64::MIN))?;
        if !pruning.step(&graph, edges, budget)? {
            return Ok(false);
        }
        if pruning.left_out() > 0 {
            self.outcome = Outcome::Known;
            return Ok(false);
        }
        let Some(next) = self.next.pop() else {
            self.outcome = Outcome::Nothing;
            return Ok(true);
        };
        self.before += edges.len();
        (self.target, self.pruning) = (next, None);
        Ok(false)
    }

    /// The segment that is gone through.
    pub fn target(&self) -> usize {
        self.target
    }

    pub fn progress(&self) -> JobProgress {
        let done = self.pruning.as_ref().map_or(0, Pruning::done);
        JobProgress { done: self.before + done, total: self.total }
    }

    pub fn into_built(self) -> Built {
        let documents = self.pruning.as_ref().map_or(0, Pruning::done);
        let (blobs, is_idle) = match self.outcome {
            Outcome::Built(blobs) => (blobs, false),
            Outcome::Open | Outcome::Known | Outcome::Nothing => (Vec::new(), true),
        };
        Built { documents, ended: Ends::default(), blobs, is_idle }
    }
}

fn edges_of(part: &Part) -> Option<&EdgesReader> {
    match part {
        Part::Segment(segment) => segment.edges(),
        Part::Chunk(_) => None,
    }
}

/// Where a segment stands among the parts of the graph, which has none without edges.
fn place(sealed: &View, segment: usize) -> Result<usize> {
    let mut place = 0;
    for before in &sealed.parts[..segment] {
        place += usize::from(before.part.edges()?.is_some());
    }
    Ok(place)
}
