//! Descending the layers and searching the base by a beam.

use super::layer::Layer;
use super::links::Hnsw;
use super::scratch::{Fresh, Near, Scratch, Visited, nears};
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
    /// Ends the search once the `k` nearest have stayed the same while so many lists of neighbours were looked at.
    /// Default: never.
    pub patience: Option<usize>,
}

impl SearchParams {
    /// `k` hits with the defaults.
    #[must_use]
    pub fn new(k: usize) -> Self {
        Self { k, ef: 64, visits_max: usize::MAX, patience: None }
    }
}

/// What a search found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Found<'s> {
    /// Distance and number of each hit, nearest first. Fewer than the smaller of `k` and the allowed when parts of
    /// the graph were out of reach: then, as with `gave_up`, an exact scan has the answer.
    pub hits: &'s [(f32, u32)],
    /// How many distances were computed: the cost of the search on any machine.
    pub visited: usize,
    /// The search ended because of `visits_max`; the hits are the best until then.
    pub gave_up: bool,
}

/// Since when the `k` nearest have stayed the same; see [`SearchParams::patience`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    k: usize,
    most: usize,
    still: usize,
}

impl Patience {
    /// After one more list: `best` of the beam's are nearer than the best that entered it.
    pub fn is_over(&mut self, best: usize, beam: usize) -> bool {
        self.still = if best < self.k { 0 } else { self.still + 1 };
        self.still >= self.most && beam >= self.k
    }
}

/// Counts distances and, when asked, notes whose neighbours were looked at.
pub(super) struct Walk<'a, S: ?Sized> {
    pub scorer: &'a S,
    pub visited: usize,
    pub visits_max: usize,
    pub trace: Option<&'a mut Vec<u32>>,
}

impl<'a, S: Scorer + ?Sized> Walk<'a, S> {
    /// A walk without bounds.
    pub fn new(scorer: &'a S) -> Self {
        Self { scorer, visited: 0, visits_max: usize::MAX, trace: None }
    }

    #[inline]
    #[cfg_attr(kithdb_small, optimize(speed))]
    fn near(&mut self, layer: &Layer<'_>, place: u32) -> Near {
        self.visited += 1;
        Near::new(self.scorer.distance(layer.number(place)), place)
    }

    /// Computes the distances of the fresh places.
    #[inline]
    #[cfg_attr(kithdb_small, optimize(speed))]
    pub(super) fn compare(&mut self, layer: &Layer<'_>, fresh: &mut Fresh) {
        let Fresh { places, numbers, distances, .. } = fresh;
        self.visited += places.len();
        distances.clear();
        if layer.members.is_none() {
            self.scorer.distances(places, distances);
            return;
        }
        numbers.clear();
        numbers.extend(places.iter().map(|&place| layer.number(place)));
        self.scorer.distances(numbers, distances);
    }

    /// Makes the neighbours fresh that are seen for the first time, and asks for their vectors.
    #[inline]
    #[cfg_attr(kithdb_small, optimize(speed))]
    fn look(&self, layer: &Layer<'_>, here: u32, visited: &mut Visited, fresh: &mut Fresh) {
        visited.fresh(layer.neighbours(here), layer.width + 1, &mut fresh.places);
        for &place in &fresh.places {
            self.scorer.prefetch(layer.number(place));
        }
    }

    pub(super) fn note(&mut self, number: u32) {
        if let Some(trace) = &mut self.trace {
            trace.push(number);
        }
    }

    pub(super) fn spent(&self) -> bool {
        self.visited >= self.visits_max
    }

    /// The place that no neighbour is nearer than.
    #[cfg_attr(kithdb_small, optimize(speed), inline(never))]
    pub fn descend(&mut self, layer: &Layer<'_>, start: u32, fresh: &mut Fresh) -> u32 {
        let mut best = self.near(layer, start);
        loop {
            let here = best.place();
            self.note(layer.number(here));
            fresh.places.clear();
            fresh.places.extend(layer.neighbours(here));
            self.compare(layer, fresh);
            best = fresh.nears().fold(best, Near::min);
            if best.place() == here || self.spent() {
                return best.place();
            }
        }
    }

    /// Leaves the `ef` nearest in the scratch's beam.
    pub fn beam(&mut self, layer: &Layer<'_>, start: u32, ef: usize, scratch: &mut Scratch) {
        self.beam_with(layer, start, (ef, None), scratch);
    }

    /// As [`Self::beam`], with the number of hits and the patience of [`SearchParams`].
    #[cfg_attr(kithdb_small, optimize(speed), inline(never))]
    fn beam_with(
        &mut self,
        layer: &Layer<'_>,
        start: u32,
        (ef, mut patience): (usize, Option<Patience>),
        scratch: &mut Scratch,
    ) {
        let Scratch { visited, beam, fresh, .. } = scratch;
        visited.start(layer.len());
        beam.start(ef);
        visited.first(start);
        beam.offer(self.near(layer, start));
        while let Some(here) = beam.take_next() {
            self.note(layer.number(here.place()));
            self.look(layer, here.place(), visited, fresh);
            if let Some(next) = beam.peek_next() {
                layer.prefetch(next.place());
            }
            self.compare(layer, fresh);
            let Fresh { places, distances, kept, .. } = fresh;
            let best = beam.offer_all(nears(places, distances), kept);
            if patience.as_mut().is_some_and(|patience| patience.is_over(best, beam.len())) {
                return;
            }
            if self.spent() {
                return;
            }
        }
    }
}

impl Hnsw {
    /// The allowed vectors nearest to the scorer's query, approximately. Needs no memory beyond the scratch's once that
    /// has grown.
    ///
    /// # Shapes
    /// `allowed`: of this index's vectors, all when there is none. `trace`: gets the numbers of the vectors whose
    /// neighbours were looked at, in order.
    ///
    /// # Complexity
    /// About `ef` times the links of a vector distances; with a filter more lists of neighbours as fewer are allowed, so
    /// bound it by `visits_max` and scan exactly when the search gives up.
    pub fn search<'s, S: Scorer + ?Sized>(
        &self,
        scorer: &S,
        params: SearchParams,
        allowed: Option<&Bitmap>,
        scratch: &'s mut Scratch,
        trace: Option<&mut Vec<u32>>,
    ) -> Found<'s> {
        scratch.hits.clear();
        let mut walk = Walk { scorer, visited: 0, visits_max: params.visits_max, trace };
        if !self.is_empty() && params.k > 0 {
            let start = self.start(&mut walk, &mut scratch.fresh);
            let (layer, ef) = (self.layer(0), params.ef.max(params.k));
            let patience = params.patience.map(|most| Patience { k: params.k, most, still: 0 });
            match allowed {
                None => walk.beam_with(&layer, start, (ef, patience), scratch),
                Some(allowed) => walk.filtered(&layer, start, (ef, patience), allowed, scratch),
            }
            let nearest = scratch.beam.nearest().iter().take(params.k);
            scratch.hits.extend(nearest.map(|near| (near.distance(), near.place())));
        }
        Found { hits: &scratch.hits, visited: walk.visited, gave_up: walk.spent() && walk.visited > 0 }
    }

    /// Where the base layer is entered: the nearest of the layers above, greedily.
    fn start<S: Scorer + ?Sized>(&self, walk: &mut Walk<'_, S>, fresh: &mut Fresh) -> u32 {
        let mut number = self.entry();
        for level in (1..self.level_count()).rev() {
            let layer = self.layer(level);
            let start =
                layer.place(number).expect("members of a layer are members of those below, checked at open");
            number = layer.number(walk.descend(&layer, start, fresh));
        }
        number
    }
}
