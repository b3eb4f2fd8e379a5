//! Links that go on in another segment: lists are renumbered, and those that lost neighbours are repaired.
//!
//! # Source
//! Repair: Singh et al., "FreshDiskANN", arXiv 2105.09613, algorithm 4. Our changes: neighbours that are still there stay,
//! and a list is filled up to its old length with the nearest when the choice leaves it shorter. Without this lists thin
//! out from merge to merge: over 20 of them recall@10 on uniform vectors falls by another 0.007. Where a whole
//! neighbourhood is gone, the neighbours of its neighbours are looked at too.

use super::build::{OwnedLayer, select};
use super::layer::{Layer, NONE};
use super::links::Hnsw;
use super::scratch::Near;
use crate::base::Pool;
use crate::vectors::Space;

/// Gone neighbours whose neighbours are looked at, in lists: bounds what a repair costs where much is gone.
const GONE_LISTS_MAX: usize = 2;

/// Links, and which of their vectors go on under which number.
#[derive(Debug)]
pub struct Kept {
    links: Hnsw,
    /// By old number; `NONE` for what is gone.
    new_of: Vec<u32>,
}

impl Kept {
    /// Links of which nothing goes on yet.
    #[must_use]
    pub fn new(links: Hnsw) -> Self {
        let new_of = vec![NONE; links.len()];
        Self { links, new_of }
    }

    /// A vector goes on. New numbers are in the order of the old ones.
    ///
    /// # Panics
    /// When `old` is not one of the linked vectors.
    pub fn set(&mut self, old: u32, new: u32) {
        self.new_of[old as usize] = new;
    }

    /// Old and new numbers of what goes on, ascending.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        (0u32..).zip(&self.new_of).filter(|(_, new)| **new != NONE).map(|(old, new)| (old, *new))
    }

    /// The highest level of each vector that goes on, by its new number; the others have `u8::MAX`.
    pub(super) fn levels(&self, n: usize) -> Vec<u8> {
        let mut levels = vec![u8::MAX; n];
        for level in 0..self.links.level_count() {
            let layer = self.links.layer(level);
            for place in 0..layer.len() as u32 {
                if let Some(new) = self.new_number(&layer, place) {
                    levels[new as usize] = level as u8;
                }
            }
        }
        levels
    }

    /// The new number of the entry, if it goes on.
    pub(super) fn entry(&self) -> Option<u32> {
        Some(self.new_of[self.links.entry() as usize]).filter(|new| *new != NONE)
    }

    fn new_number(&self, layer: &Layer<'_>, place: u32) -> Option<u32> {
        Some(self.new_of[layer.number(place) as usize]).filter(|new| *new != NONE)
    }

    /// The list of a member in the new layer, when it goes on: its place there and those of its neighbours.
    fn renewed<S: Space>(
        &self,
        space: &S,
        old: &Layer<'_>,
        layer: &Layer<'_>,
        place: u32,
    ) -> Option<(u32, Vec<u32>)> {
        let number = self.new_number(old, place)?;
        let place_of = |new: u32| layer.place(new).expect("what goes on is in all of its layers");
        let (mut list, mut gone) = (Vec::with_capacity(layer.width), Vec::new());
        for neighbour in old.neighbours(place) {
            match self.new_number(old, neighbour) {
                Some(new) => list.push(place_of(new)),
                None => gone.push(neighbour),
            }
        }
        if !gone.is_empty() {
            let max = list.len() + gone.len();
            let mut found = Vec::new();
            self.behind(old, gone, |new| found.push(place_of(new)));
            let own = place_of(number);
            found.retain(|place| *place != own && !list.contains(place));
            found.sort_unstable();
            found.dedup();
            let near = |place: u32| Near::new(space.pair(number, layer.number(place)), place);
            let mut candidates: Vec<Near> = found.into_iter().map(near).collect();
            candidates.sort_unstable();
            select(space, layer, &candidates, max, &mut list);
            fill(&mut list, &candidates, max);
        }
        Some((place_of(number), list))
    }

    /// What goes on of the neighbours of gone ones; where that is not even a list's worth, of theirs too.
    fn behind(&self, old: &Layer<'_>, mut gone: Vec<u32>, mut found: impl FnMut(u32)) {
        let (direct, max, mut count) = (gone.len(), gone.len() + GONE_LISTS_MAX * old.width, 0);
        let mut at = 0;
        while at < gone.len() && (at < direct || count < old.width) {
            for neighbour in old.neighbours(gone[at]) {
                match self.new_number(old, neighbour) {
                    Some(new) => {
                        count += 1;
                        found(new);
                    }
                    None if gone.len() < max && !gone.contains(&neighbour) => gone.push(neighbour),
                    None => {}
                }
            }
            at += 1;
        }
    }
}

/// Adds the nearest candidates that a list lacks until it has `len` neighbours.
fn fill(list: &mut Vec<u32>, candidates: &[Near], len: usize) {
    for candidate in candidates {
        if list.len() >= len {
            return;
        }
        if !list.contains(&candidate.place()) {
            list.push(candidate.place());
        }
    }
}

/// Lists that are being carried over, layer by layer from the base up.
#[derive(Debug)]
pub(super) struct Keeping {
    kept: Kept,
    level: usize,
    /// Place of the old layer that comes next.
    at: usize,
    done: usize,
}

impl Keeping {
    pub fn new(kept: Kept) -> Self {
        Self { kept, level: 0, at: 0, done: 0 }
    }

    /// How many vectors have their list in the base layer.
    pub fn done(&self) -> usize {
        self.done
    }

    /// Carries over up to `budget` lists; how many it looked at, 0 when all are done.
    pub fn step<S: Space>(
        &mut self,
        space: &S,
        pool: &Pool,
        layers: &mut [OwnedLayer],
        budget: usize,
    ) -> usize {
        // The layers above may have lost all of their members.
        while self.level < self.kept.links.level_count().min(layers.len()) {
            let old = self.kept.links.layer(self.level);
            let count = budget.min(old.len() - self.at);
            if count > 0 {
                let layer = layers[self.level].view();
                let lists = pool.map(count, |i| self.kept.renewed(space, &old, &layer, (self.at + i) as u32));
                for (place, list) in lists.into_iter().flatten() {
                    layers[self.level].set(place, &list);
                    self.done += usize::from(self.level == 0);
                }
                self.at += count;
                return count;
            }
            (self.level, self.at) = (self.level + 1, 0);
        }
        0
    }
}
