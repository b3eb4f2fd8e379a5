//! What a search needs beside links and query, kept from one search to the next so that nothing is allocated.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// A distance and a place as one number that sorts by distance, then place. NaN is the farthest.
///
/// The lowest bit is free for a mark: places are below 2^31.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Near(u64);

impl Near {
    #[inline]
    pub fn new(distance: f32, place: u32) -> Self {
        let bits = if distance.is_nan() { f32::INFINITY.to_bits() + 1 } else { distance.to_bits() };
        let ordered = if bits >> 31 == 1 { !bits } else { bits | 1 << 31 };
        Self(u64::from(ordered) << 32 | u64::from(place) << 1)
    }

    #[inline]
    pub fn distance(self) -> f32 {
        let ordered = (self.0 >> 32) as u32;
        f32::from_bits(if ordered >> 31 == 1 { ordered & !(1 << 31) } else { !ordered })
    }

    #[inline]
    pub fn place(self) -> u32 {
        self.0 as u32 >> 1
    }

    fn marked(self) -> bool {
        self.0 & 1 == 1
    }
}

/// The nearest so far, sorted, each marked once its neighbours were looked at.
#[derive(Debug, Default)]
pub(super) struct Beam {
    nearest: Vec<Near>,
    ef: usize,
    /// Everything before it is marked.
    next: usize,
}

impl Beam {
    #[cfg_attr(kithdb_small, optimize(speed))]
    pub fn start(&mut self, ef: usize) {
        self.nearest.clear();
        self.ef = ef;
        self.next = 0;
    }

    /// Offers one; nothing enters beyond the `ef` nearest. How many are nearer than it, when it entered.
    #[inline]
    #[cfg_attr(kithdb_small, optimize(speed))]
    pub fn offer(&mut self, near: Near) -> usize {
        if self.is_full() {
            if self.nearest.last().is_some_and(|&last| near >= last) {
                return usize::MAX;
            }
            self.nearest.pop();
        }
        let at = self.nearest.partition_point(|&other| other < near);
        self.nearest.insert(at, near);
        self.next = self.next.min(at);
        at
    }

    /// Offers several; how many are nearer than the best that entered.
    #[inline]
    #[cfg_attr(kithdb_small, optimize(speed))]
    pub fn offer_all(&mut self, nears: impl Iterator<Item = Near>, kept: &mut Vec<Near>) -> usize {
        // Those that cannot enter are sorted out first, without branches: most of them, which ones nobody can foresee.
        let bound =
            if self.is_full() { self.nearest.last().copied() } else { None }.unwrap_or(Near(u64::MAX));
        let mut count = 0;
        kept.clear();
        kept.resize(nears.size_hint().1.unwrap_or_default() + 1, bound);
        for near in nears {
            kept[count] = near;
            count += usize::from(near < bound);
        }
        kept[..count].iter().fold(usize::MAX, |best, near| best.min(self.offer(*near)))
    }

    pub fn len(&self) -> usize {
        self.nearest.len()
    }

    /// Marks and returns the nearest that is not marked yet.
    #[inline]
    pub fn take_next(&mut self) -> Option<Near> {
        let next = self.peek_next()?;
        self.nearest[self.next].0 |= 1;
        Some(next)
    }

    /// The nearest that is not marked yet.
    #[inline]
    pub fn peek_next(&mut self) -> Option<Near> {
        while self.nearest.get(self.next).is_some_and(|near| near.marked()) {
            self.next += 1;
        }
        self.nearest.get(self.next).copied()
    }

    pub fn is_full(&self) -> bool {
        self.nearest.len() >= self.ef
    }

    pub fn nearest(&self) -> &[Near] {
        &self.nearest
    }
}

/// Which places were seen: a bit each, so that they stay in the nearest caches, and which words of bits to forget.
#[derive(Debug, Default)]
pub(super) struct Visited {
    words: Vec<u64>,
    /// Begins with the words that have bits; longer than `words` by one.
    touched: Vec<u32>,
    count: usize,
}

impl Visited {
    #[cfg_attr(kithdb_small, optimize(speed))]
    pub fn start(&mut self, len: usize) {
        for word in &self.touched[..self.count] {
            self.words[*word as usize] = 0;
        }
        self.count = 0;
        let words = len.div_ceil(64);
        if self.words.len() < words {
            self.words.resize(words, 0);
            // One more: a word is written before it is known whether it counts.
            self.touched.resize(words + 1, 0);
        }
    }

    /// Whether this is the first time.
    #[inline]
    #[cfg_attr(kithdb_small, optimize(speed))]
    pub fn first(&mut self, place: u32) -> bool {
        // Without branches: about every other neighbour was seen before, which no processor can foresee.
        let (at, bit) = (place / 64, 1 << (place % 64));
        let word = &mut self.words[at as usize];
        self.touched[self.count] = at;
        self.count += usize::from(*word == 0);
        let first = *word & bit == 0;
        *word |= bit;
        first
    }

    /// Puts those that are seen for the first time into `fresh`, in their order.
    #[inline]
    #[cfg_attr(kithdb_small, optimize(speed))]
    pub fn fresh(&mut self, places: impl Iterator<Item = u32>, most: usize, fresh: &mut Vec<u32>) {
        fresh.clear();
        fresh.resize(most, 0);
        let mut count = 0;
        for place in places {
            fresh[count] = place;
            count += usize::from(self.first(place));
        }
        fresh.truncate(count);
    }
}

/// Memory that searches use again.
///
/// One for each thread that searches; it may go from one index to another and grows to the largest.
#[derive(Debug, Default)]
pub struct Scratch {
    pub(super) visited: Visited,
    pub(super) beam: Beam,
    /// Filtered searches: what is not allowed and may lead to what is.
    pub(super) bridges: BinaryHeap<Reverse<Near>>,
    pub(super) fresh: Fresh,
    pub(super) hits: Vec<(f32, u32)>,
}

/// Places that are about to be compared with the query.
#[derive(Debug, Default)]
pub(super) struct Fresh {
    pub places: Vec<u32>,
    /// Their vectors, in a layer where these are other numbers.
    pub numbers: Vec<u32>,
    pub distances: Vec<f32>,
    /// Those of them that may enter the beam.
    pub kept: Vec<Near>,
    /// Filtered searches: neighbours that are not allowed.
    pub behind: Vec<u32>,
}

impl Fresh {
    /// What was compared.
    #[inline]
    pub fn nears(&self) -> impl Iterator<Item = Near> + '_ {
        nears(&self.places, &self.distances)
    }
}

#[inline]
pub(super) fn nears(places: &[u32], distances: &[f32]) -> impl Iterator<Item = Near> {
    places.iter().zip(distances).map(|(&place, &distance)| Near::new(distance, place))
}

impl Scratch {
    /// Empty: the first search grows it.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_sorts_by_distance_then_place_and_gives_both_back() {
        let distances = [f32::NEG_INFINITY, -1e15, -1.0, 0.0, 1e-45, 1.0, 1e30, f32::INFINITY];
        let mut all = Vec::new();
        for distance in distances {
            for place in [0, 1, (1 << 31) - 1] {
                let near = Near::new(distance, place);
                assert_eq!((near.distance(), near.place()), (distance, place));
                all.push(near);
            }
        }
        assert!(all.is_sorted());
        assert!(Near::new(f32::NAN, 0) > all[all.len() - 1]);
        assert!(Near::new(-f32::NAN, 0) > all[all.len() - 1]);
    }

    #[test]
    fn the_beam_keeps_the_nearest_and_hands_each_out_once() {
        let mut beam = Beam::default();
        beam.start(3);
        for (distance, place) in [(5.0, 1), (1.0, 2), (3.0, 3), (4.0, 4)] {
            beam.offer(Near::new(distance, place));
        }
        assert_eq!(beam.take_next().map(Near::place), Some(2));
        assert_eq!(beam.take_next().map(Near::place), Some(3));
        beam.offer(Near::new(0.5, 5));
        assert_eq!(beam.take_next().map(Near::place), Some(5));
        assert_eq!(beam.take_next().map(Near::place), None, "4 was pushed out");
        assert_eq!(beam.nearest().iter().map(|n| n.place()).collect::<Vec<_>>(), [5, 2, 3]);
    }

    #[test]
    fn visited_forgets_and_grows() {
        let mut visited = Visited::default();
        for len in [3, 64, 65, 1000, 3] {
            visited.start(len);
            for place in (0..len as u32).rev() {
                assert!(visited.first(place) && !visited.first(place), "{place} of {len}");
            }
        }
    }
}
