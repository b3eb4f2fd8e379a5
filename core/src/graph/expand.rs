//! Scores that go along edges: from some documents to what is around them, less of them at each edge.
//!
//! An end has the best score that leads to it: of equal ones that over the fewest edges, and of these the one that began
//! at the better document. Ends are come to in layers, in each the better documents first, so that the first score of a
//! layer is its best; and what is no better than what an end has already goes no further from there, as whatever it would
//! lead to has as much from the other.

use crate::base::Key;
use crate::base::number_map::NumberMap;

use super::edge::{Direction, Link, Relation};
use super::state::{Graph, Links};

/// From where scores go, along what and how far.
#[derive(Debug, Clone, PartialEq)]
pub struct ExpandRequest {
    /// Where they begin, each end once, and with what score; the largest first.
    pub seeds: Vec<(Key, f64)>,
    /// Along these relations; none stands for all.
    pub relations: Vec<Relation>,
    /// Which ways.
    pub directions: Vec<Direction>,
    /// So many edges away at most.
    pub depth: usize,
    /// The share of a score that an edge leaves, 0 to 1.
    pub damping: f64,
    /// So often an end is come to at most.
    pub arrivals_max: usize,
    /// So many edges are looked at at most.
    pub edges_max: usize,
}

/// An end that was come to with a better score than it had.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Arrival {
    /// Which.
    pub node: Key,
    /// Which of the seeds the score began at.
    pub seed: usize,
    /// What is left of it.
    pub score: f64,
    /// The edge that led here.
    pub link: Link,
    /// Where that edge came from; `None` for a seed.
    before: Option<usize>,
}

/// What scores came to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Expanded {
    arrivals: Vec<Arrival>,
    /// Whether there is more than the bounds allow.
    pub truncated: bool,
}

impl Expanded {
    /// The best arrival at each end, by its place among all of them, in the order of those places. A seed has one only if
    /// that is better than what began there.
    #[must_use]
    pub fn best(&self) -> Vec<usize> {
        let mut last: NumberMap<Key, usize> = NumberMap::default();
        for (i, arrival) in self.arrivals.iter().enumerate() {
            last.insert(arrival.node, i);
        }
        let mut best: Vec<usize> = last.into_values().collect();
        best.sort_unstable();
        best
    }

    /// The arrival at a place that [`Expanded::best`] tells.
    #[must_use]
    pub fn arrival(&self, at: usize) -> &Arrival {
        &self.arrivals[at]
    }

    /// The edges from the seed to an arrival, in order.
    #[must_use]
    pub fn links(&self, at: usize) -> Vec<Link> {
        let mut links = Vec::new();
        let mut next = Some(at);
        while let Some(at) = next {
            links.push(self.arrivals[at].link);
            next = self.arrivals[at].before;
        }
        links.reverse();
        links
    }
}

/// What an edge leaves of a score: one below 0 falls by as large a share of its size.
#[must_use]
pub fn damped(score: f64, damping: f64) -> f64 {
    score - score.abs() * (1.0 - damping)
}

/// An end whose edges are looked at.
struct From {
    node: Key,
    seed: usize,
    score: f64,
    arrival: Option<usize>,
}

impl Graph<'_> {
    /// Lets scores go along edges.
    ///
    /// # Complexity
    /// As many steps as the ends that are come to have edges, each as often as it is.
    #[must_use]
    pub fn expand(&self, request: &ExpandRequest) -> Expanded {
        let mut best: NumberMap<Key, f64> = request.seeds.iter().copied().collect();
        let begin = |(seed, (node, score)): (usize, &(Key, f64))| From {
            node: *node,
            seed,
            score: *score,
            arrival: None,
        };
        let mut layer: Vec<From> = request.seeds.iter().enumerate().map(begin).collect();
        let (mut expanded, mut found, mut looked) = (Expanded::default(), Links::default(), 0);
        for _ in 0..request.depth {
            let mut next = Vec::new();
            for from in layer {
                let score = damped(from.score, request.damping);
                for direction in &request.directions {
                    self.links(from.node, *direction, &request.relations, &mut found);
                    for link in found.iter() {
                        looked += 1;
                        let node = link.far(*direction);
                        let is_better = best.get(&node).is_none_or(|best| score > *best);
                        let is_full = is_better && expanded.arrivals.len() >= request.arrivals_max;
                        if looked > request.edges_max || is_full {
                            expanded.truncated = true;
                            return expanded;
                        }
                        if !is_better {
                            continue;
                        }
                        best.insert(node, score);
                        let (seed, before) = (from.seed, from.arrival);
                        next.push(From { node, seed, score, arrival: Some(expanded.arrivals.len()) });
                        expanded.arrivals.push(Arrival { node, seed, score, link: *link, before });
                    }
                }
            }
            layer = next;
        }
        expanded
    }
}
