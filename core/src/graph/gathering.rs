//! The edges of several parts, taken over piece by piece and put in order once.

use std::sync::Arc;

use crate::base::{Key, Result};

use super::edge::{Edge, Gone, Relation};
use super::reader::EdgesReader;
use super::table::EdgeTable;

/// Edges that are to become one table.
#[derive(Debug, Default)]
pub struct Gathering {
    edges: Vec<Edge>,
    names: Vec<(Key, Arc<str>)>,
    relations: Vec<(Relation, Arc<str>)>,
    gone: Vec<Gone>,
    /// How many entries were taken of the part that is being taken.
    taken: usize,
}

impl Gathering {
    /// Takes a whole part, which follows in seq those before.
    pub fn push(&mut self, part: &EdgeTable) {
        self.edges.extend_from_slice(part.edges());
        self.names.extend_from_slice(part.names());
        self.relations.extend_from_slice(part.relation_names());
        self.gone.extend_from_slice(part.gone());
    }

    /// Takes about so many entries more of a part, which follows in seq those before; how many it were, and whether that
    /// was all of it.
    ///
    /// # Errors
    /// `corrupt`, `not_resident`, after which it can be called again.
    pub fn take(&mut self, part: &EdgesReader, budget: usize) -> Result<(usize, bool)> {
        let edges = part.edges(self.taken, budget.max(1))?;
        let (count, is_all) = (edges.len(), self.taken + edges.len() == part.len());
        if is_all {
            // Before anything changes: what fails here is tried again.
            let names = part.names()?;
            self.names.extend(names);
            self.relations.extend_from_slice(part.relation_names()?);
            self.gone.extend(part.gone()?);
        }
        self.edges.extend(edges);
        self.taken = if is_all { 0 } else { self.taken + count };
        Ok((count, is_all))
    }

    /// All of them.
    #[must_use]
    pub fn into_table(self) -> EdgeTable {
        EdgeTable::new(self.edges, self.names, self.relations, self.gone)
    }
}
