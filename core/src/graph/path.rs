//! Shortest paths: by the number of edges, searched from both ends, or by the sum of their weights (Dijkstra).

use std::cmp::{Ordering, Reverse};
use std::collections::hash_map::Entry;
use std::collections::{BinaryHeap, HashMap};

use crate::base::number_map::NumberMap;
use crate::base::{Error, Key, Result};

use super::edge::{Direction, Link, Relation};
use super::state::{Graph, Links};

/// From where to where, and along what.
#[derive(Debug, Clone, PartialEq)]
pub struct PathRequest {
    /// Where it begins.
    pub source: Key,
    /// Where it ends.
    pub target: Key,
    /// Along these relations; none stands for all.
    pub relations: Vec<Relation>,
    /// Which ways edges may be followed.
    pub directions: Vec<Direction>,
    /// So many edges at most.
    pub depth: usize,
    /// So many edges are looked at at most.
    pub edges_max: usize,
    /// Whether the sum of weights is to be least, not the number of edges.
    pub weighted: bool,
}

/// A path.
#[derive(Debug, Clone, PartialEq)]
pub struct Path {
    /// The ends it leads through, from the source to the target.
    pub nodes: Vec<Key>,
    /// The edges between them, in that order.
    pub links: Vec<Link>,
    /// The number of edges, or the sum of their weights.
    pub cost: f64,
}

/// The edge by which an end was reached, and which way it was followed; `None` where the search began.
type Way = Option<(Link, Direction)>;

/// From where an end was reached, and which way; `None` where the search began.
type Step = Option<(Key, Direction)>;

/// One side of a search from both ends.
struct Side {
    /// Of each end that was reached: how far it is, and from where.
    reached: NumberMap<Key, (usize, Step)>,
    frontier: Vec<Key>,
    depth: usize,
    directions: Vec<Direction>,
}

impl Side {
    fn new(root: Key, directions: Vec<Direction>) -> Self {
        let reached = NumberMap::from_iter([(root, (0, None))]);
        Self { reached, frontier: vec![root], depth: 0, directions }
    }

    /// The edges from the root to an end, the last one first: of several between two ends the first.
    fn back(&self, graph: &Graph<'_>, relations: &[Relation], mut node: Key) -> Vec<Link> {
        let (mut links, mut found) = (Vec::new(), Links::default());
        while let Some((_, Some((from, direction)))) = self.reached.get(&node) {
            graph.links(*from, *direction, relations, &mut found);
            links.extend(found.iter().find(|link| link.far(*direction) == node));
            node = *from;
        }
        links
    }
}

impl Graph<'_> {
    /// A shortest path; `None` where there is none within the bounds, and whether these were reached. Of paths that are
    /// as short, the same one is always found.
    ///
    /// # Errors
    /// `invalid_parameter` for a negative weight on the way of a weighted search, and where all that lead there are heavier
    /// than any number.
    pub fn path(&self, request: &PathRequest) -> Result<(Option<Path>, bool)> {
        if request.source == request.target {
            return Ok((Some(Path { nodes: vec![request.source], links: Vec::new(), cost: 0.0 }), false));
        }
        if request.weighted { self.lightest(request) } else { Ok(self.fewest(request)) }
    }

    fn fewest(&self, request: &PathRequest) -> (Option<Path>, bool) {
        let back = request.directions.iter().map(|direction| direction.reversed()).collect();
        let mut sides =
            [Side::new(request.source, request.directions.clone()), Side::new(request.target, back)];
        let (mut links, mut neighbours, mut looked) = (Links::default(), Vec::new(), 0);
        while sides[0].depth + sides[1].depth < request.depth {
            // The side that has fewer ends to go on from. What leads into an end may be kept where nobody looks for it once
            // several collections are come to: then from the source alone.
            let is_back = self.crossing.is_none() && sides[1].frontier.len() < sides[0].frontier.len();
            let own = usize::from(is_back);
            let (mut next, mut met): (Vec<Key>, Option<(usize, Key)>) = (Vec::new(), None);
            let frontier = std::mem::take(&mut sides[own].frontier);
            if frontier.is_empty() {
                return (None, false);
            }
            let depth = sides[own].depth + 1;
            for node in frontier {
                for direction in sides[own].directions.clone() {
                    self.neighbours(node, direction, &request.relations, &mut links, &mut neighbours);
                    looked += neighbours.len();
                    if looked > request.edges_max {
                        return (None, true);
                    }
                    for &far in &neighbours {
                        let Entry::Vacant(place) = sides[own].reached.entry(far) else { continue };
                        place.insert((depth, Some((node, direction))));
                        next.push(far);
                        if let Some((beyond, _)) = sides[1 - own].reached.get(&far)
                            && met.is_none_or(|met| (depth + beyond, far) < met)
                        {
                            met = Some((depth + beyond, far));
                        }
                    }
                }
            }
            if let Some((_, middle)) = met {
                let mut links = sides[0].back(self, &request.relations, middle);
                links.reverse();
                links.extend(sides[1].back(self, &request.relations, middle));
                let cost = links.len() as f64;
                return (Some(along(request.source, links, cost)), false);
            }
            (sides[own].frontier, sides[own].depth) = (next, depth);
        }
        (None, false)
    }

    /// Of each end the lightest way in so many edges is kept: a dearer one with fewer edges may be what the depth allows.
    fn lightest(&self, request: &PathRequest) -> Result<(Option<Path>, bool)> {
        // By cost, then fewer edges, then the end's key.
        let mut queue = BinaryHeap::from([Reverse((Cost(0.0), 0usize, request.source))]);
        let mut best: HashMap<(Key, usize), (Cost, Way)> =
            HashMap::from([((request.source, 0), (Cost(0.0), None))]);
        // The fewest edges with which an end was left: with as many or more it is not left again, at no less cost.
        let mut left: HashMap<Key, usize> = HashMap::new();
        let (mut links, mut looked, mut overflows) = (Links::default(), 0, false);
        while let Some(Reverse((cost, hops, node))) = queue.pop() {
            if left.get(&node).is_some_and(|fewest| *fewest <= hops) {
                continue;
            }
            left.insert(node, hops);
            if node == request.target {
                let mut back = Vec::new();
                let mut at = (node, hops);
                while let Some((_, Some((link, direction)))) = best.get(&at) {
                    back.push(*link);
                    at = (link.far(direction.reversed()), at.1 - 1);
                }
                back.reverse();
                return Ok((Some(along(request.source, back, cost.0)), false));
            }
            if hops == request.depth {
                continue;
            }
            for direction in &request.directions {
                self.links(node, *direction, &request.relations, &mut links);
                looked += links.len();
                if looked > request.edges_max {
                    return Ok((None, true));
                }
                for link in links.iter() {
                    let next = Cost(cost.0 + self.cost(link)?);
                    // There is no number for such a sum. Whatever has one is lighter.
                    if !next.0.is_finite() {
                        overflows = true;
                        continue;
                    }
                    let (far, hops) = (link.far(*direction), hops + 1);
                    let is_left = left.get(&far).is_some_and(|fewest| *fewest <= hops);
                    if !is_left && best.get(&(far, hops)).is_none_or(|(least, _)| next < *least) {
                        best.insert((far, hops), (next, Some((*link, *direction))));
                        queue.push(Reverse((next, hops, far)));
                    }
                }
            }
        }
        if overflows {
            let expected = format!("sums of weights up to {:e}; ask for the fewest edges instead", f64::MAX);
            return Err(Error::parameter("weighted", "a sum of weights beyond", expected));
        }
        Ok((None, false))
    }

    /// What an edge adds to the sum of weights.
    fn cost(&self, link: &Link) -> Result<f64> {
        let weight = self.weight(link);
        if weight < 0.0 {
            let expected = "weights of 0 or more on the way; ask for the fewest edges instead";
            return Err(Error::parameter("weighted", weight, expected));
        }
        Ok(weight)
    }
}

/// A path along edges, each of which may be followed either way.
fn along(source: Key, links: Vec<Link>, cost: f64) -> Path {
    let mut nodes = vec![source];
    for link in links.iter() {
        let last = nodes[nodes.len() - 1];
        nodes.push(if link.source == last { link.target } else { link.source });
    }
    Path { nodes, links, cost }
}

/// A sum of weights, which is never NaN.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Cost(f64);

impl Eq for Cost {}

impl PartialOrd for Cost {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Cost {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}
