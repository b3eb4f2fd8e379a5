//! All edges of a moment, one after another: what a dump writes behind the documents.

use crate::base::{Result, Seq};
use crate::graph::{Graph, Link};

use super::graph::FoundEdge;
use super::moment::Moment;
use super::view::View;

/// All edges that are there at a moment, in the order in which they were made.
pub struct AllEdges<'a> {
    graph: Graph<'a>,
    links: Vec<Link>,
}

impl View {
    /// All edges that are there at a moment. They take some bytes each until they are read; their names and properties do
    /// not.
    ///
    /// # Errors
    /// `corrupt`, `not_resident`.
    pub fn all_edges(&self, moment: Moment) -> Result<AllEdges<'_>> {
        let graph = self.graph(moment)?;
        Ok(AllEdges { links: graph.all(), graph })
    }
}

impl AllEdges<'_> {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.links.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.links.is_empty()
    }

    /// Reads them, each with its place in the order of the collection.
    ///
    /// # Errors
    /// `corrupt`, `not_resident`.
    pub fn iter(&self) -> impl Iterator<Item = Result<(Seq, FoundEdge)>> {
        self.links.iter().map(|link| Ok((link.seq, FoundEdge::of(&self.graph, link)?)))
    }
}
