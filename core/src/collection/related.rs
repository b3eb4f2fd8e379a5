//! A search and the graph: only what is around some documents is searched, and results come with what they lead to.

use crate::base::limits::{EXPLAIN_MAX, GRAPH_DEPTH_MAX, GRAPH_NODES_MAX, GRAPH_RELATIONS_MAX};
use crate::base::{Bitmap, Error, Result, check_id};
use crate::graph::{Bounds, check_relation, parse_path, split};

use super::elsewhere::Elsewhere;
use super::graph::{Asker, FoundTree, GraphOptions, Ways, check_paths};
use super::moment::Moment;
use super::query::{Hit, SearchRequest};
use super::view::View;

/// Only what is around these documents can be found, themselves included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GraphFilter {
    /// Around which.
    pub roots: Vec<String>,
    /// Along these relations; none stands for all.
    pub relations: Vec<String>,
    /// Which way.
    pub ways: Ways,
    /// How many edges away.
    pub depth: usize,
}

/// What is related to a result: by path, what it leads to.
pub type Connections = Vec<(String, Vec<FoundTree>)>;

/// So many documents are related to one result at most.
const RELATED_MAX: usize = 100;

impl SearchRequest {
    /// Refuses what the graph cannot be asked.
    pub(super) fn check_related(&self) -> Result<()> {
        if let Some(GraphFilter { roots, depth, .. }) = &self.graph_filter {
            if !(1..=GRAPH_NODES_MAX).contains(&roots.len()) {
                let expected = "1 root or more, and no more than documents are answered";
                return Err(Error::parameter("graph_filter", roots.len(), expected));
            }
            roots.iter().try_for_each(|id| check_id(id))?;
            if !(1..=GRAPH_DEPTH_MAX).contains(depth) {
                return Err(Error::parameter("depth", *depth, format!("1 to {GRAPH_DEPTH_MAX}")));
            }
        }
        if let Some(GraphFilter { relations, .. }) = &self.graph_filter {
            relations.iter().try_for_each(|name| check_relation(name))?;
        }
        let paths = self.include_relations.len();
        if paths > GRAPH_RELATIONS_MAX || paths > 0 && self.offset + self.k > EXPLAIN_MAX {
            let expected = format!(
                "at most {GRAPH_RELATIONS_MAX} paths, and offset + k of at most {EXPLAIN_MAX} with them"
            );
            return Err(Error::parameter("include_relations", paths, expected));
        }
        check_paths(&self.include_relations)?;
        self.include_relations.iter().try_for_each(|path| parse_path(path).map(|_| ()))
    }
}

impl SearchRequest {
    /// Whether it may be followed into other collections, where the edges of its own lead there or do not.
    #[must_use]
    pub fn follows(&self, leads_elsewhere: bool) -> bool {
        let names = |filter: &GraphFilter| filter.roots.iter().any(|id| split(id).is_some());
        leads_elsewhere && self.asks_graph() || self.graph_filter.as_ref().is_some_and(names)
    }

    /// Whether it looks at edges at all.
    pub(super) fn asks_graph(&self) -> bool {
        self.graph_filter.is_some() || self.expand.is_some() || !self.include_relations.is_empty()
    }
}

impl View {
    /// Whether any edge that it holds has an end that could be in another collection.
    ///
    /// # Errors
    /// `corrupt`, `not_resident`.
    pub fn leads_elsewhere(&self) -> Result<bool> {
        Ok(self.graph(self.now(i64::MIN))?.leads_elsewhere())
    }

    /// Leaves of what is allowed in each part what a search may find by its graph filter, for which so many edges are
    /// looked at at most; false where the graph goes on beyond that.
    pub(super) fn within<'a>(
        &'a self,
        elsewhere: &'a Elsewhere<'a>,
        (filter, edges_max): (&GraphFilter, usize),
        moment: Moment,
        allowed: &mut [Option<Bitmap>],
    ) -> Result<bool> {
        let options = GraphOptions {
            limit: Some(GRAPH_NODES_MAX),
            depth: Some(filter.depth),
            relations: filter.relations.clone(),
            ways: filter.ways,
            ..GraphOptions::default()
        };
        let asks_elsewhere = filter.roots.iter().any(|id| split(id).is_some());
        let mut asker = Asker::at(elsewhere, &options, moment, false, asks_elsewhere)?;
        asker.edges_max = edges_max;
        let found = asker.subgraph(&filter.roots, None, false)?;
        let mut scopes: Vec<Bitmap> = self.parts.iter().map(|part| Bitmap::empty(part.part.len())).collect();
        // One of another collection is told by a name that a document here may have for its id.
        for node in found.nodes.iter().filter(|node| !node.is_elsewhere) {
            if let Some(place) = self.find_at(&node.id, moment)? {
                scopes[place.part].insert(place.slot.index());
            }
        }
        for (allowed, mut scope) in allowed.iter_mut().zip(scopes) {
            allowed.iter().for_each(|allowed| scope.and(allowed));
            *allowed = Some(scope);
        }
        Ok(!found.truncated)
    }

    /// Gives results what they lead to; false where there is more than is answered.
    pub(super) fn connect<'a>(
        &'a self,
        elsewhere: &'a Elsewhere<'a>,
        request: &SearchRequest,
        moment: Moment,
        hits: &mut [Hit],
    ) -> Result<bool> {
        let options = GraphOptions { limit: Some(RELATED_MAX), ..GraphOptions::default() };
        let asker = Asker::at(elsewhere, &options, moment, request.hydrate_relations, false)?;
        let (mut is_whole, mut left) = (true, Bounds::new(GRAPH_NODES_MAX, request.graph_edges_max));
        for hit in hits {
            let mut own = Bounds { nodes: left.nodes.min(RELATED_MAX), truncated: false, ..left };
            let before = own.nodes;
            let found = asker.traverse_within(&hit.id, &request.include_relations, &mut own)?;
            left = Bounds { nodes: left.nodes - (before - own.nodes), edges: own.edges, truncated: false };
            is_whole &= !found.truncated;
            hit.connections = Some(found.tree.map_or_else(Vec::new, |tree| tree.connections));
        }
        Ok(is_whole)
    }
}
