//! Links a batch whose neighbours are all found: its lists are written, then the ends of its links go into the lists of
//! those they point at, grouped by whose list changes. A group reads and writes one list alone, so that groups may be
//! done at once or one by one.

use super::build::{OwnedLayer, select};
use super::layer::Layer;
use super::scratch::Near;
use crate::base::Pool;
use crate::vectors::Space;

/// For each layer of a new vector, from the base up: its place there and the places of its neighbours.
pub(super) type Neighbours = Vec<(u32, Vec<u32>)>;

/// Choosing so many lists anew costs about as much as finding the neighbours of one vector.
const LISTS_A_VECTOR: usize = 8;

/// `source` becomes a neighbour of `target`, both places of a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Reverse {
    target: u32,
    source: u32,
}

/// A batch that is being linked.
#[derive(Debug)]
pub(super) struct Batch {
    found: Vec<Neighbours>,
    /// The layer that is begun after this one.
    next_level: usize,
    /// Links of the layer under way, and how many of them are done.
    reverse: Vec<Reverse>,
    done: usize,
}

impl Batch {
    pub fn new(found: Vec<Neighbours>) -> Self {
        Self { found, next_level: 0, reverse: Vec::new(), done: 0 }
    }

    pub fn len(&self) -> usize {
        self.found.len()
    }

    /// Works for as long as finding the neighbours of `budget` vectors takes, about; what is left of the budget, or
    /// `None` when there is still something to do.
    pub fn step<S: Space>(
        &mut self,
        space: &S,
        pool: &Pool,
        layers: &mut [OwnedLayer],
        budget: usize,
    ) -> Option<usize> {
        let mut left = budget.saturating_mul(LISTS_A_VECTOR);
        loop {
            if self.done == self.reverse.len() {
                if self.next_level == layers.len() {
                    return Some(left / LISTS_A_VECTOR);
                }
                self.begin(&mut layers[self.next_level]);
                continue;
            }
            if left == 0 {
                return None;
            }
            left -= self.link(space, pool, &mut layers[self.next_level - 1], left);
        }
    }

    /// Writes the lists of the batch in the next layer.
    fn begin(&mut self, layer: &mut OwnedLayer) {
        self.reverse.clear();
        self.done = 0;
        for (source, list) in self.found.iter().filter_map(|levels| levels.get(self.next_level)) {
            layer.set(*source, list);
            self.reverse.extend(list.iter().map(|&target| Reverse { target, source: *source }));
        }
        self.reverse.sort_unstable();
        self.next_level += 1;
    }

    /// Changes up to `max` lists; how many.
    fn link<S: Space>(&mut self, space: &S, pool: &Pool, layer: &mut OwnedLayer, max: usize) -> usize {
        let open = self.reverse[self.done..].chunk_by(|a, b| a.target == b.target);
        let groups: Vec<&[Reverse]> = open.take(max).collect();
        let view = layer.view();
        let lists = pool.map_with(groups.len(), Vec::new, |near, i| merged(space, &view, groups[i], near));
        for (group, list) in groups.iter().zip(&lists) {
            layer.set(group[0].target, list);
            self.done += group.len();
        }
        lists.len()
    }
}

/// The target's list with the sources of its group: appended where there is room, chosen anew where there is not. Memory is
/// asked for once a list: threads wait for one another there.
fn merged<S: Space>(space: &S, layer: &Layer<'_>, group: &[Reverse], candidates: &mut Vec<Near>) -> Vec<u32> {
    let target = group[0].target;
    let before = layer.list(target);
    let mut list = Vec::with_capacity(before.len() + group.len());
    list.extend_from_slice(before);
    list.extend(group.iter().map(|reverse| reverse.source));
    if list.len() <= layer.width {
        return list;
    }
    let number = layer.number(target);
    let near = |&place: &u32| Near::new(space.pair(number, layer.number(place)), place);
    candidates.clear();
    candidates.extend(list.iter().map(near));
    candidates.sort_unstable();
    list.clear();
    select(space, layer, candidates, layer.width, &mut list);
    list
}
