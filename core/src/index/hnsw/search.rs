//! Descending the layers and searching the base by a beam, with or without a filter.

use std::cmp::Reverse;

use super::layer::Layer;
use super::links::Hnsw;
use super::scratch::{Near, Scratch};
use crate::base::Bitmap;
use crate::vectors::Scorer;

/// What is searched for and how far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SearchParams {
    /// How many hits.
    pub k: usize,
    /// Width of the beam; at least `k` is used. Default 64.
    pub ef: usize,
    /// Most distances to compute before giving up. Default: no bound.
    pub visits_max: usize,
}

impl SearchParams {
    /// `k` hits with the defaults.
    #[must_use]
    pub fn new(k: usize) -> Self {
        Self { k, ef: 64, visits_max: usize::MAX }
    }
}

/// What a search found.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// Distance and number of each hit, nearest first. Fewer than the smaller of `k` and the allowed when parts of
    /// the graph were out of reach: then, as with `gave_up`, an exact scan has the answer.
    pub hits: Vec<(f32, u32)>,
    /// How many distances were computed: the cost of the search on any machine.
    pub visited: usize,
    /// The search ended because of `visits_max`; the hits are the best until then.
    pub gave_up: bool,
}

/// Counts distances and, when asked, notes whose neighbours were looked at.
pub(super) struct Walk<'a, S: ?Sized> {
    pub scorer: &'a S,
    pub visited: usize,
    pub visits_max: usize,
    pub trace: Option<&'a mut Vec<u32>>,
}

impl<S: Scorer + ?Sized> Walk<'_, S> {
    #[inline]
    fn near(&mut self, layer: &Layer<'_>, place: u32) -> Near {
        self.visited += 1;
        Near::new(self.scorer.distance(layer.number(place)), place)
    }

    /// Lets the loads of vectors overlap, which are about to be compared: a search waits for memory more than for
    /// arithmetic.
    #[inline]
    fn touch(&self, layer: &Layer<'_>, places: &[u32]) {
        let sum = places.iter().fold(0, |sum, &place| sum ^ self.scorer.touch(layer.number(place)));
        std::hint::black_box(sum);
    }

    fn note(&mut self, number: u32) {
        if let Some(trace) = &mut self.trace {
            trace.push(number);
        }
    }

    fn spent(&self) -> bool {
        self.visited >= self.visits_max
    }

    /// The place that no neighbour is nearer than.
    pub fn descend(&mut self, layer: &Layer<'_>, start: u32) -> u32 {
        let mut best = self.near(layer, start);
        loop {
            let here = best.place();
            self.note(layer.number(here));
            for place in layer.neighbours(here) {
                best = best.min(self.near(layer, place));
            }
            if best.place() == here || self.spent() {
                return best.place();
            }
        }
    }

    /// Leaves the `ef` nearest in the scratch's beam.
    pub fn beam(&mut self, layer: &Layer<'_>, start: u32, ef: usize, scratch: &mut Scratch) {
        let Scratch { visited, beam, fresh, .. } = scratch;
        visited.start(layer.len());
        beam.start(ef);
        visited.first(start);
        beam.offer(self.near(layer, start));
        while let Some(here) = beam.take_next() {
            self.note(layer.number(here.place()));
            fresh.clear();
            fresh.extend(layer.neighbours(here.place()).filter(|&place| visited.first(place)));
            self.touch(layer, fresh);
            for &place in &*fresh {
                beam.offer(self.near(layer, place));
            }
            if self.spent() {
                return;
            }
        }
    }

    /// As [`Self::beam`], walking through all but keeping only the allowed.
    fn filtered(
        &mut self,
        layer: &Layer<'_>,
        start: u32,
        ef: usize,
        allowed: &Bitmap,
        scratch: &mut Scratch,
    ) {
        let Scratch { visited, beam, frontier, fresh } = scratch;
        visited.start(layer.len());
        beam.start(ef);
        frontier.clear();
        fresh.clear();
        visited.first(start);
        fresh.push(start);
        loop {
            self.touch(layer, fresh);
            for &place in &*fresh {
                let near = self.near(layer, place);
                if beam.bound().is_none_or(|bound| near < bound) {
                    frontier.push(Reverse(near));
                    if allowed.contains(place as usize) {
                        beam.offer(near);
                    }
                }
            }
            match frontier.pop() {
                Some(Reverse(here)) if !self.spent() && beam.bound().is_none_or(|bound| here < bound) => {
                    self.note(layer.number(here.place()));
                    fresh.clear();
                    fresh.extend(layer.neighbours(here.place()).filter(|&place| visited.first(place)));
                }
                _ => return,
            }
        }
    }
}

impl Hnsw {
    /// The allowed vectors nearest to the scorer's query, approximately.
    ///
    /// # Shapes
    /// `allowed`: of this index's vectors, all when there is none. `trace`: gets the numbers of the vectors whose
    /// neighbours were looked at, in order.
    ///
    /// # Complexity
    /// About `ef` times the links of a vector distances; with a filter as much more as fewer are allowed, so bound it
    /// by `visits_max` and scan exactly when the search gives up.
    pub fn search<S: Scorer + ?Sized>(
        &self,
        scorer: &S,
        params: SearchParams,
        allowed: Option<&Bitmap>,
        scratch: &mut Scratch,
        trace: Option<&mut Vec<u32>>,
    ) -> Found {
        let mut walk = Walk { scorer, visited: 0, visits_max: params.visits_max, trace };
        if self.is_empty() || params.k == 0 {
            return Found { hits: Vec::new(), visited: 0, gave_up: false };
        }
        let mut number = self.entry();
        for level in (1..self.level_count()).rev() {
            let layer = self.layer(level);
            let start =
                layer.place(number).expect("members of a layer are members of those below, checked at open");
            number = layer.number(walk.descend(&layer, start));
        }
        let (layer, ef) = (self.layer(0), params.ef.max(params.k));
        match allowed {
            None => walk.beam(&layer, number, ef, scratch),
            Some(allowed) => walk.filtered(&layer, number, ef, allowed, scratch),
        }
        let nearest = scratch.beam.nearest();
        let hits = nearest.iter().take(params.k).map(|near| (near.distance(), near.place())).collect();
        Found { hits, visited: walk.visited, gave_up: walk.spent() }
    }
}
