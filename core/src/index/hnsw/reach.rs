//! What can be reached in the base layer, and a way in for what cannot.

use super::build::OwnedLayer;
use super::layer::Layer;
use super::links::Hnsw;
use super::scratch::Scratch;
use super::search::Walk;
use crate::base::Bitmap;
use crate::vectors::Space;

/// So many lists are looked at in less time than finding the neighbours of one vector takes.
const LISTS_A_VECTOR: usize = 32;

/// Looks what can be reached in the base layer, and links what cannot.
#[derive(Debug)]
pub(super) struct Reaching {
    entry: u32,
    reached: Bitmap,
    /// Reached, and its neighbours not looked at yet.
    open: Vec<u32>,
    /// Everything before it is reached.
    next: usize,
    /// The last that was given a way in.
    attached: Option<u32>,
}

impl Reaching {
    pub fn new(entry: u32, n: usize) -> Self {
        let mut reached = Bitmap::empty(n);
        reached.insert(entry as usize);
        Self { entry, reached, open: vec![entry], next: 0, attached: None }
    }

    /// Works for as long as linking `budget` vectors takes, at most; true when all vectors are reached.
    pub fn step<S: Space>(
        &mut self,
        space: &S,
        base: &mut OwnedLayer,
        ef: usize,
        scratch: &mut Scratch,
        budget: usize,
    ) -> bool {
        let mut left = budget.saturating_mul(LISTS_A_VECTOR);
        while left > 0 {
            if let Some(place) = self.open.pop() {
                self.look(&base.view(), place);
                left -= 1;
                continue;
            }
            while self.reached.contains(self.next) {
                self.next += 1;
            }
            if self.next == self.reached.len() {
                return true;
            }
            let lost = self.next as u32;
            self.attach(space, base, lost, ef, scratch);
            self.attached = Some(lost);
            self.reached.insert(self.next);
            self.open.push(lost);
            left = left.saturating_sub(LISTS_A_VECTOR);
        }
        false
    }

    /// Puts a vector that nothing leads to into the list of the nearest that has room and can be reached; where none of
    /// the near has room, as among many copies of one vector, of the last that came in this way, or of any.
    fn attach<S: Space>(
        &self,
        space: &S,
        base: &mut OwnedLayer,
        lost: u32,
        ef: usize,
        scratch: &mut Scratch,
    ) {
        let layer = base.view();
        let scorer = space.scorer_of(lost);
        Walk::new(&scorer).beam(&layer, self.entry, ef, scratch);
        let has_room = |place: &u32| layer.neighbours(*place).count() < layer.width;
        let near = scratch.beam.nearest().iter().map(|near| near.place()).find(has_room);
        let any = || self.reached.iter().map(|place| place as u32).find(has_room);
        // Only where every list that can be reached is full is there none: then a scan alone finds it.
        let Some(place) = near.or(self.attached.filter(has_room)).or_else(any) else { return };
        let mut list: Vec<u32> = layer.neighbours(place).collect();
        list.push(lost);
        base.set(place, &list);
    }

    fn look(&mut self, base: &Layer<'_>, place: u32) {
        for neighbour in base.neighbours(place) {
            if !self.reached.contains(neighbour as usize) {
                self.reached.insert(neighbour as usize);
                self.open.push(neighbour);
            }
        }
    }
}

impl Hnsw {
    /// The vectors that no search can come across, from wherever it enters the base layer. Links that a builder made have
    /// none unless every list is full.
    ///
    /// # Complexity
    /// Reads every list of the base layer once.
    #[must_use]
    pub fn unreachable(&self) -> Vec<u32> {
        if self.is_empty() {
            return Vec::new();
        }
        let mut reaching = Reaching::new(self.entry(), self.len());
        let above = (self.level_count() > 1).then(|| self.layer(1));
        for &number in above.and_then(|layer| layer.members).unwrap_or_default() {
            reaching.reached.insert(number as usize);
            reaching.open.push(number);
        }
        let layer = self.layer(0);
        while let Some(place) = reaching.open.pop() {
            reaching.look(&layer, place);
        }
        (0..self.len() as u32).filter(|place| !reaching.reached.contains(*place as usize)).collect()
    }
}
