//! What is around some documents, breadth first.

use std::collections::HashSet;

use crate::base::{Key, Result, Seq};

use super::edge::{Direction, Link, Relation};
use super::state::Graph;

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
    /// So many edges are told at most.
    pub links_max: usize,
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
        let mut reached = Reached::default();
        let (mut seen, mut refused): (HashSet<Key>, HashSet<Key>) = (HashSet::new(), HashSet::new());
        for root in &request.roots {
            if seen.insert(*root) {
                reached.nodes.push((*root, 0));
            }
        }
        let (mut told, mut found, mut looked): (HashSet<Seq>, Vec<Link>, usize) = Default::default();
        let mut next = 0;
        while let Some(&(node, depth)) = reached.nodes.get(next) {
            next += 1;
            if depth == request.depth {
                break;
            }
            for direction in &request.directions {
                self.links(node, *direction, &request.relations, &mut found);
                for link in &found {
                    looked += 1;
                    if looked > request.edges_max {
                        reached.truncated = true;
                        return Ok(reached);
                    }
                    let far = link.far(*direction);
                    if !seen.contains(&far) {
                        if refused.contains(&far) {
                            continue;
                        }
                        // Whatever does not fit is not asked about: there may be more.
                        if reached.nodes.len() >= request.nodes_max {
                            reached.truncated = true;
                            refused.insert(far);
                            continue;
                        }
                        if !admits(far)? {
                            refused.insert(far);
                            continue;
                        }
                        seen.insert(far);
                        reached.nodes.push((far, depth + 1));
                    }
                    if !told.insert(link.seq) {
                        continue;
                    }
                    if reached.links.len() >= request.links_max {
                        reached.truncated = true;
                        return Ok(reached);
                    }
                    reached.links.push(*link);
                }
            }
        }
        Ok(reached)
    }
}
