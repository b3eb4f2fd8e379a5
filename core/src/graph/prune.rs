//! Leaving out of a part what nobody can read any more: versions that ended too long ago, and marks that end nothing.
//!
//! A version that is left out may be what ends one that an older part holds: then a mark stays in its place.

use crate::base::Key;

use super::edge::{Edge, Mark, Relation};
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

    /// Goes through the edges of so many more entries of the part, whose table this is; true when all were. The graph tells
    /// which versions can be read.
    pub fn step(&mut self, graph: &Graph<'_>, table: &EdgeTable, budget: usize) -> bool {
        let edges = table.edges();
        let until = self.next.saturating_add(budget.max(1)).min(edges.len());
        while self.next < until {
            let triple = triple(&edges[self.next]);
            let rest = &edges[self.next..];
            let own = &rest[..rest.partition_point(|edge| self::triple(edge) == triple)];
            self.take(graph, triple, own);
            self.next += own.len();
        }
        self.next == edges.len()
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

    /// What stays of the part.
    #[must_use]
    pub fn into_table(self, table: &EdgeTable) -> EdgeTable {
        let kept = table.with_entries(self.kept);
        // In the first part all that went is told by the entries.
        if self.part == 0 { kept.first(i64::MIN) } else { kept }
    }
}

fn triple(edge: &Edge) -> (Key, Relation, Key) {
    (edge.source, edge.relation, edge.target)
}
