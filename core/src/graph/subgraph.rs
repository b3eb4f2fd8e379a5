//! What is around some documents, breadth first.

use crate::base::number_map::NumberSet;
use crate::base::{Key, Result, Seq};

use super::edge::{Direction, Link, Relation};
use super::state::{Graph, Links};

/// How far, and along what.
#[derive(Debug, Clone, PartialEq)]
pub struct SubgraphRequest {
    /// Where it begins.
    pub roots: Vec<Key>,
    /// Along these relations; none stands for all.
    pub relations: Vec<Relation>,
    /// Which ways.
    pub directions: Vec<Direction>,
    /// So many edges away at most.
    pub depth: usize,
    /// So many ends at most, the roots among them.
    pub nodes_max: usize,
    /// So many edges are told at most; `None` when none is of interest.
    pub links_max: Option<usize>,
    /// So many edges are looked at at most.
    pub edges_max: usize,
}

/// What was reached.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reached {
    /// The ends, each with its distance in edges, the nearest first.
    pub nodes: Vec<(Key, usize)>,
    /// The edges between them that were come across, each once.
    pub links: Vec<Link>,
    /// Whether there is more than the bounds allow.
    pub truncated: bool,
}

/// Most subgraphs are no larger.
const FEW: usize = 200;

impl Graph<'_> {
    /// What is around the roots. `admits` is asked once for each end that is come across, but for the roots: what it
    /// refuses is no part of the result and leads nowhere.
    ///
    /// # Complexity
    /// As many steps as the ends reached have edges.
    ///
    /// # Errors
    /// Those of `admits`.
    pub fn subgraph(
        &self,
        request: &SubgraphRequest,
        admits: &mut dyn FnMut(Key) -> Result<bool>,
    ) -> Result<Reached> {
        let mut walk = Walk {
            request,
            admits,
            reached: Reached::default(),
            seen: NumberSet::default(),
            refused: NumberSet::default(),
        };
        walk.seen.reserve(request.nodes_max.min(FEW));
        walk.reached.nodes.reserve(request.nodes_max.min(FEW));
        for root in &request.roots {
            if walk.seen.insert(*root) {
                walk.reached.nodes.push((*root, 0));
            }
        }
        let (mut told, mut found, mut looked): (NumberSet<(u32, Seq)>, Links, usize) = Default::default();
        let mut neighbours = Vec::new();
        // One way only, each edge is come across once.
        let is_met_once = request.directions.len() < 2;
        let mut next = 0;
        while let Some(&(node, depth)) = walk.reached.nodes.get(next) {
            next += 1;
            if depth == request.depth {
                break;
            }
            for direction in &request.directions {
                let Some(links_max) = request.links_max else {
                    self.neighbours(node, *direction, &request.relations, &mut found, &mut neighbours);
                    for far in &neighbours {
                        looked += 1;
                        if looked > request.edges_max {
                            walk.reached.truncated = true;
                            return Ok(walk.reached);
                        }
                        walk.takes(*far, depth + 1)?;
                    }
                    continue;
                };
                self.links(node, *direction, &request.relations, &mut found);
                for link in found.iter() {
                    looked += 1;
                    if looked > request.edges_max {
                        walk.reached.truncated = true;
                        return Ok(walk.reached);
                    }
                    if !walk.takes(link.far(*direction), depth + 1)?
                        || !is_met_once && !told.insert(link.order())
                    {
                        continue;
                    }
                    if walk.reached.links.len() >= links_max {
                        walk.reached.truncated = true;
                        return Ok(walk.reached);
                    }
                    walk.reached.links.push(*link);
                }
            }
        }
        Ok(walk.reached)
    }
}

/// A search on its way.
struct Walk<'a> {
    request: &'a SubgraphRequest,
    admits: &'a mut dyn FnMut(Key) -> Result<bool>,
    reached: Reached,
    seen: NumberSet<Key>,
    refused: NumberSet<Key>,
}

impl Walk<'_> {
    /// Comes across an end; whether it is part of the result.
    fn takes(&mut self, far: Key, depth: usize) -> Result<bool> {
        if self.refused.contains(&far) {
            return Ok(false);
        }
        if !self.seen.insert(far) {
            return Ok(true);
        }
        // Whatever does not fit is not asked about: there may be more.
        let has_room = self.reached.nodes.len() < self.request.nodes_max;
        self.reached.truncated |= !has_room;
        if !has_room || !(self.admits)(far)? {
            self.seen.remove(&far);
            self.refused.insert(far);
            return Ok(false);
        }
        self.reached.nodes.push((far, depth));
        Ok(true)
    }
}
