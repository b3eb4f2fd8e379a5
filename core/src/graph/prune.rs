//! Leaving out of a part what nobody can read any more: versions that ended too long ago, and marks that end nothing.
//!
//! A version that is left out may be what ends one that an older part holds: then a mark stays in its place.

use crate::base::{Key, Result};

use super::edge::{Edge, Mark, Relation};
use super::reader::EdgesReader;
use super::state::Graph;
use super::table::EdgeTable;

/// A part that is being gone through.
#[derive(Debug)]
pub struct Pruning {
    /// Which of the graph's parts it is.
    part: usize,
    next: usize,
    kept: Vec<Edge>,
    left_out: usize,
}

impl Pruning {
    /// Of one of the parts of a graph.
    #[must_use]
    pub fn new(part: usize) -> Self {
        Self { part, next: 0, kept: Vec::new(), left_out: 0 }
    }

    /// Goes through about so many more entries of the part, which this reads; true when all were. The graph tells which
    /// versions can be read.
    ///
    /// # Errors
    /// `corrupt`, `not_resident`, after which it can be called again.
    pub fn step(&mut self, graph: &Graph<'_>, part: &EdgesReader, budget: usize) -> Result<bool> {
        let edges = part.edges(self.next, budget.max(1))?;
        for own in edges.chunk_by(|a, b| triple(a) == triple(b)) {
            self.take(graph, triple(&own[0]), own);
        }
        self.next += edges.len();
        Ok(self.next == part.len())
    }

    /// Takes what stays of the entries of one edge.
    fn take(&mut self, graph: &Graph<'_>, triple: (Key, Relation, Key), entries: &[Edge]) {
        let mut readable = Vec::new();
        let counts = graph.each_version(triple, &mut |link, _| readable.push(link.seq));
        let has_older = self.part > 0 && counts[self.part - 1] > 0;
        let first = self.kept.len();
        for edge in entries {
            match edge.mark {
                Mark::Link if readable.contains(&edge.seq) => self.kept.push(edge.clone()),
                // What it ends in this part knows so already.
                _ if !has_older || self.kept.len() > first && edge.mark != Mark::Erase => self.left_out += 1,
                Mark::Link => {
                    let (mark, weight, until) = (Mark::Unlink, 1.0, crate::base::NEVER);
                    self.kept.push(Edge { mark, weight, until, properties: None, ..edge.clone() });
                    self.left_out += 1;
                }
                Mark::Unlink | Mark::Erase => self.kept.push(edge.clone()),
            }
        }
    }

    /// How many entries were gone through.
    #[must_use]
    pub fn done(&self) -> usize {
        self.next
    }

    /// How many entries were left out, or became marks.
    #[must_use]
    pub fn left_out(&self) -> usize {
        self.left_out
    }

    /// What stays of the part, once all of it was gone through.
    ///
    /// # Errors
    /// `corrupt`, `not_resident`.
    pub fn table(&self, part: &EdgesReader) -> Result<EdgeTable> {
        let kept = part.with_entries(self.kept.clone())?;
        // In the first part all that went is told by the entries.
        Ok(if self.part == 0 { kept.first(i64::MIN) } else { kept })
    }
}

fn triple(edge: &Edge) -> (Key, Relation, Key) {
    (edge.source, edge.relation, edge.target)
}
