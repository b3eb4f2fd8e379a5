//! What the vacuum of the graph computes: the edges of one segment without those that nobody can read any more.
//!
//! What ended a version may be in any segment, so that all of them are asked; the memtable is not, as what is in the log
//! alone may be lost.

use std::sync::Arc;

use crate::base::Result;
use crate::collection::{CollectionConfig, Counters, PartView, View};
use crate::graph::{self, EdgeTable, Pruning};
use crate::segment::Ends;
use crate::storage::BlobKind;

use super::jobs::JobProgress;
use super::work::Built;

/// What the blobs of a collection tell by themselves.
pub(super) fn sealed(view: &View, base: &[Ends], config: CollectionConfig, counters: Counters) -> View {
    let segments = view.parts.iter().zip(base);
    let parts = segments.map(|(part, ends)| PartView { part: part.part.clone(), ends: ends.clone() });
    View { parts: parts.collect(), config: Arc::new(config), counters, ..view.clone() }
}

/// Whether anything of the edges of a segment can go.
pub(super) fn leaves_out(sealed: &View, target: usize) -> Result<bool> {
    let mut pruned = Pruned::new(sealed.clone(), target)?;
    while !pruned.step(AT_ONCE)? {
        if pruned.pruning.left_out() > 0 {
            return Ok(true);
        }
    }
    Ok(pruned.pruning.left_out() > 0)
}

const AT_ONCE: usize = 4_096;

/// The edges of a segment, being gone through.
pub(super) struct Pruned {
    sealed: View,
    table: EdgeTable,
    pruning: Pruning,
}

impl Pruned {
    pub fn new(sealed: View, target: usize) -> Result<Self> {
        let edges = sealed.parts[target].part.edge_table()?.unwrap_or_default().into_owned();
        // The graph has no part without edges.
        let mut part = 0;
        for before in &sealed.parts[..target] {
            part += usize::from(before.part.edges()?.is_some());
        }
        Ok(Self { sealed, table: edges, pruning: Pruning::new(part) })
    }

    pub fn step(&mut self, budget: usize) -> Result<bool> {
        let graph = self.sealed.graph(self.sealed.now(i64::MIN))?;
        Ok(self.pruning.step(&graph, &self.table, budget))
    }

    pub fn progress(&self) -> JobProgress {
        JobProgress { done: self.pruning.done(), total: self.table.edges().len() }
    }

    pub fn into_built(self) -> Built {
        let documents = self.table.edges().len();
        let kept = self.pruning.into_table(&self.table);
        let blobs =
            if kept.is_empty() { Vec::new() } else { vec![(BlobKind::Edges, graph::sections(&kept))] };
        Built { documents, ended: Ends::default(), blobs }
    }
}
