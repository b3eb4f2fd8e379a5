//! The beam over allowed vectors only. Where a neighbour is not allowed, its neighbours take its place: distances are
//! computed of allowed vectors alone, for as long as the search finds its way among them.
//!
//! # Source
//! ACORN-1 (Patel et al., arXiv 2403.04871). Our changes: lists are filled up to the length of an unfiltered one and not
//! further; and where nothing allowed is in reach, bridges of vectors that are not allowed are crossed, nearest first.

use std::cmp::Reverse;

use super::layer::Layer;
use super::scratch::{Fresh, Near, Scratch, nears};
use super::search::{Patience, Walk};
use crate::base::Bitmap;
use crate::vectors::Scorer;

/// So many lists ahead are asked for.
const LISTS_AHEAD: usize = 4;

impl<S: Scorer + ?Sized> Walk<'_, S> {
    /// Leaves the `ef` nearest allowed in the scratch's beam.
    #[cfg_attr(kithdb_small, optimize(speed), inline(never))]
    pub(super) fn filtered(
        &mut self,
        layer: &Layer<'_>,
        start: u32,
        (ef, mut patience): (usize, Option<Patience>),
        allowed: &Bitmap,
        scratch: &mut Scratch,
    ) {
        scratch.visited.start(layer.len());
        scratch.beam.start(ef);
        scratch.bridges.clear();
        scratch.visited.first(start);
        scratch.fresh.places.clear();
        scratch.fresh.places.push(start);
        scratch.fresh.behind.clear();
        self.compare(layer, &mut scratch.fresh);
        for near in scratch.fresh.nears() {
            if allowed.contains(near.place() as usize) {
                scratch.beam.offer(near);
            } else {
                scratch.bridges.push(Reverse(near));
            }
        }
        while let Some(here) = next(scratch) {
            self.note(layer.number(here));
            self.look_through(layer, here, allowed, scratch);
            if let Some(next) = scratch.beam.peek_next() {
                layer.prefetch(next.place());
            }
            self.compare(layer, &mut scratch.fresh);
            let Scratch { beam, fresh: Fresh { places, distances, kept, .. }, .. } = scratch;
            let best = beam.offer_all(nears(places, distances), kept);
            if patience.as_mut().is_some_and(|patience| patience.is_over(best, scratch.beam.len())) {
                return;
            }
            if scratch.fresh.places.is_empty() && !scratch.beam.is_full() {
                self.bridge(layer, scratch);
            }
            if self.spent() {
                return;
            }
        }
    }

    /// Makes the allowed neighbours fresh, and those behind disallowed ones until all of them are as many as it has neighbours.
    fn look_through(&self, layer: &Layer<'_>, here: u32, allowed: &Bitmap, scratch: &mut Scratch) {
        let Scratch { visited, fresh, .. } = scratch;
        fresh.places.clear();
        fresh.behind.clear();
        let (mut degree, mut count) = (0, 0);
        for place in layer.neighbours(here) {
            degree += 1;
            if !allowed.contains(place as usize) {
                fresh.behind.push(place);
                continue;
            }
            count += 1;
            if visited.first(place) {
                self.scorer.prefetch(layer.number(place));
                fresh.places.push(place);
            }
        }
        for (at, &through) in fresh.behind.iter().enumerate() {
            if count >= degree {
                break;
            }
            if let Some(&soon) = fresh.behind.get(at + LISTS_AHEAD) {
                layer.prefetch(soon);
            }
            for place in layer.neighbours(through) {
                if allowed.contains(place as usize) {
                    count += 1;
                    if visited.first(place) {
                        self.scorer.prefetch(layer.number(place));
                        fresh.places.push(place);
                    }
                }
            }
        }
    }

    /// Nothing allowed is fresh here: the disallowed neighbours become bridges.
    fn bridge(&mut self, layer: &Layer<'_>, scratch: &mut Scratch) {
        let Scratch { visited, fresh, bridges, .. } = scratch;
        let (places, behind) = (&mut fresh.places, &fresh.behind);
        places.extend(behind.iter().filter(|place| visited.first(**place)));
        self.compare(layer, fresh);
        bridges.extend(fresh.nears().map(Reverse));
    }
}

/// Whose neighbours are looked at next: the nearest of the beam; without one, while the beam has room, a bridge.
fn next(scratch: &mut Scratch) -> Option<u32> {
    let Scratch { beam, bridges, .. } = scratch;
    match beam.take_next() {
        None if !beam.is_full() => bridges.pop().map(|Reverse(near)| near.place()),
        near => near.map(Near::place),
    }
}
