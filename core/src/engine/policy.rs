//! What is due: pure functions over the sizes of neighbouring segments, by counted bytes and versions, never by time.
//!
//! Segments are merged when neighbours of about one size have gathered, so that each merge makes the segment that a
//! document is in at least two and a half times as large, and its bytes are written again only as often as that can happen. A segment is linked when it would
//! be the largest of the next merge, which keeps its links; the others are scanned until then.

use std::ops::Range;

use crate::collection::config::WHOLE;

/// What is known of a segment, in the order of seq.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SegmentSize {
    /// About how many bytes its rows take.
    pub bytes: u64,
    /// How many bytes its edges take: a merge copies all of them, whatever has ended of its versions.
    pub edge_bytes: u64,
    /// Versions of edges and marks in it.
    pub edges: usize,
    /// Of these, how many had ended at the cut, as far as the segment knows, and are not kept.
    pub edges_ended: usize,
    /// Versions in it.
    pub slots: usize,
    /// Of these, how many had ended at the cut and are not kept as history: what a merge leaves out.
    pub ended: usize,
    /// How many of the versions have a vector.
    pub vectors: usize,
    /// Bytes of its codes, which a query scans while there are no links.
    pub scan_bytes: usize,
    /// Whether it has links.
    pub is_linked: bool,
}

/// So many neighbours are merged at least,
const MERGED_MIN: usize = 4;
/// and only where the largest is at most this share of their sum. Tried over 4,000 equal seals: at most half of it writes
/// each byte 8.7 times, a third 11 times with a segment more on average, this 6.9 times.
const LARGEST_SHARE: (u64, u64) = (2, 5);
/// With more segments than these the two neighbours are merged that cost least, whatever their sizes.
const SEGMENTS_MAX: usize = 8;
/// So few ended versions are left where they are, until their segment is merged for another reason.
const ENDED_MIN: usize = 1_000;
/// Segments with fewer vectors are scanned: that takes about a millisecond.
const LINKED_MIN: usize = 10_000;
/// Neighbours that differ by no more than this factor will be merged with each other.
const TIER: u64 = 2;

impl SegmentSize {
    /// Bytes that a merge would copy.
    fn live_bytes(&self) -> u64 {
        let live = (self.slots - self.ended) as u64;
        let rows = u128::from(self.bytes) * u128::from(live) / u128::from(self.slots.max(1) as u64);
        rows as u64 + self.edge_bytes
    }

    fn needs_links(&self) -> bool {
        !self.is_linked && self.vectors > 0
    }
}

/// Whether a segment with so many slots is to be written again once so many have ended: more than the share `threshold`,
/// in millionths.
pub(super) fn is_worn(slots: usize, ended: usize, threshold: u32) -> bool {
    ended >= ENDED_MIN && ended as u128 * u128::from(WHOLE) > slots as u128 * u128::from(threshold)
}

/// The neighbours that are to be merged now, of no more than `bytes_max` together.
#[must_use]
pub fn merge_due(sizes: &[SegmentSize], bytes_max: u64) -> Option<Range<usize>> {
    // Those that are too large to be merged with another of their size stay, however many there are.
    let mergeable = sizes.iter().filter(|size| size.live_bytes() <= bytes_max / 2).count();
    let crowded = || if mergeable > SEGMENTS_MAX { cheapest_pair(sizes, bytes_max) } else { None };
    cheapest_tier(sizes, bytes_max).or_else(crowded)
}

/// The segment that is to be written again now, without what has ended in it; of no more than `bytes_max` then.
#[must_use]
pub fn vacuum_due(sizes: &[SegmentSize], threshold: u32, bytes_max: u64) -> Option<usize> {
    let is_due = |i: &usize| {
        is_worn(sizes[*i].slots, sizes[*i].ended, threshold) && sizes[*i].live_bytes() <= bytes_max
    };
    (0..sizes.len()).filter(is_due).min_by_key(|&i| sizes[i].live_bytes())
}

/// The segment to write again when somebody asks for it: the one in which most has ended.
#[must_use]
pub fn vacuum_asked(sizes: &[SegmentSize], bytes_max: u64) -> Option<usize> {
    let has_ended = (0..sizes.len()).filter(|&i| sizes[i].ended > 0 && sizes[i].live_bytes() <= bytes_max);
    has_ended.max_by_key(|&i| (sizes[i].ended, std::cmp::Reverse(i)))
}

/// The segment whose edges are to be written again now, without those that have ended; of no more than `bytes_max`.
#[must_use]
pub fn graph_vacuum_due(sizes: &[SegmentSize], threshold: u32, bytes_max: u64) -> Option<usize> {
    let is_due = |i: &usize| {
        is_worn(sizes[*i].edges, sizes[*i].edges_ended, threshold) && sizes[*i].edge_bytes <= bytes_max
    };
    (0..sizes.len()).filter(is_due).min_by_key(|&i| sizes[i].edge_bytes)
}

/// The segment whose edges to write again when somebody asks for it: the one in which most have ended.
#[must_use]
pub fn graph_vacuum_asked(sizes: &[SegmentSize], bytes_max: u64) -> Option<usize> {
    let has_ended = |i: &usize| sizes[*i].edges_ended > 0 && sizes[*i].edge_bytes <= bytes_max;
    (0..sizes.len()).filter(has_ended).max_by_key(|&i| (sizes[i].edges_ended, std::cmp::Reverse(i)))
}

/// The neighbours to merge when somebody asks for a merge: those that are due, else the cheapest pair, else the one
/// segment, if anything in it has ended.
#[must_use]
pub fn merge_asked(sizes: &[SegmentSize], bytes_max: u64) -> Option<Range<usize>> {
    let single = || (sizes.len() == 1 && sizes[0].ended > 0).then_some(0..1);
    merge_due(sizes, bytes_max).or_else(|| cheapest_pair(sizes, bytes_max)).or_else(single)
}

/// The cheapest run of neighbours of about one size.
fn cheapest_tier(sizes: &[SegmentSize], bytes_max: u64) -> Option<Range<usize>> {
    let mut best: Option<(u64, Range<usize>)> = None;
    for start in 0..sizes.len() {
        let (mut sum, mut largest) = (0, 0);
        for (i, size) in sizes.iter().enumerate().skip(start) {
            let bytes = size.live_bytes();
            (sum, largest) = (sum + bytes, largest.max(bytes));
            let is_tier = i + 1 - start >= MERGED_MIN && LARGEST_SHARE.1 * largest <= LARGEST_SHARE.0 * sum;
            if is_tier && sum <= bytes_max && best.as_ref().is_none_or(|(least, _)| sum < *least) {
                best = Some((sum, start..i + 1));
            }
        }
    }
    best.map(|(_, range)| range)
}

fn cheapest_pair(sizes: &[SegmentSize], bytes_max: u64) -> Option<Range<usize>> {
    let cost = |i: &usize| sizes[*i].live_bytes() + sizes[i + 1].live_bytes();
    let pairs = (0..sizes.len().saturating_sub(1)).filter(|i| cost(i) <= bytes_max);
    pairs.min_by_key(cost).map(|i| i..i + 2)
}

/// The segment that is to be linked now. `scan_bytes_max` bounds what a query scans of segments without links.
#[must_use]
pub fn index_due(sizes: &[SegmentSize], scan_bytes_max: usize) -> Option<usize> {
    let worth = |i: &usize| sizes[*i].needs_links() && sizes[*i].vectors > LINKED_MIN;
    if let Some(first) = (0..sizes.len()).find(|i| worth(i) && !has_linked_twin(sizes, *i)) {
        return Some(first);
    }
    let scanned: usize = sizes.iter().filter(|size| size.needs_links()).map(|size| size.scan_bytes).sum();
    if scanned > scan_bytes_max { largest_unlinked(sizes) } else { None }
}

/// The segment to link when somebody asks for an index: the one that is due, else the largest.
#[must_use]
pub fn index_asked(sizes: &[SegmentSize]) -> Option<usize> {
    index_due(sizes, usize::MAX).or_else(|| largest_unlinked(sizes))
}

fn largest_unlinked(sizes: &[SegmentSize]) -> Option<usize> {
    let unlinked = (0..sizes.len()).filter(|&i| sizes[i].needs_links());
    unlinked.max_by_key(|&i| (sizes[i].vectors, std::cmp::Reverse(i)))
}

/// Whether a neighbour that it will be merged with has links and is about as large: a merge keeps the links of one.
fn has_linked_twin(sizes: &[SegmentSize], i: usize) -> bool {
    let own = sizes[i].bytes;
    let is_near = |size: &&SegmentSize| size.bytes <= TIER * own;
    let is_twin = |size: &SegmentSize| size.is_linked && TIER * size.bytes >= own;
    let mut before = sizes[..i].iter().rev().take_while(is_near);
    let mut after = sizes[i + 1..].iter().take_while(is_near);
    before.any(is_twin) || after.any(is_twin)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(bytes: u64) -> SegmentSize {
        let n = bytes as usize;
        SegmentSize { bytes, slots: n, vectors: n, scan_bytes: n, ..SegmentSize::default() }
    }

    fn sizes(bytes: &[u64]) -> Vec<SegmentSize> {
        bytes.iter().map(|&bytes| of(bytes)).collect()
    }

    #[test]
    fn neighbours_of_one_size_are_merged_and_a_large_one_is_left_alone() {
        assert_eq!(merge_due(&sizes(&[5, 5, 5]), u64::MAX), None);
        assert_eq!(merge_due(&sizes(&[5, 5, 5, 5]), u64::MAX), Some(0..4));
        assert_eq!(merge_due(&sizes(&[100, 5, 5, 5]), u64::MAX), None);
        assert_eq!(merge_due(&sizes(&[100, 5, 5, 5, 5]), u64::MAX), Some(1..5));
        assert_eq!(merge_due(&sizes(&[9, 9, 9, 9, 1, 1, 1, 1]), u64::MAX), Some(4..8), "the cheapest first");
        assert_eq!(merge_due(&sizes(&[128, 64, 32, 16, 8, 4, 2, 1]), u64::MAX), None);
        assert_eq!(merge_due(&sizes(&[256, 128, 64, 32, 16, 8, 4, 2, 1]), u64::MAX), Some(7..9), "too many");
        assert_eq!(merge_due(&[], u64::MAX), None);
    }

    #[test]
    fn a_segment_of_which_much_has_ended_is_written_again() {
        let worn = |slots, ended| SegmentSize { ended, ..of(slots) };
        let fifth = WHOLE / 5;
        assert_eq!(vacuum_due(&[worn(10_000, 2_000)], fifth, u64::MAX), None);
        assert_eq!(vacuum_due(&[worn(10_000, 2_001)], fifth, u64::MAX), Some(0));
        assert_eq!(vacuum_due(&[worn(10_000, 2_001)], WHOLE / 2, u64::MAX), None);
        assert_eq!(vacuum_due(&[worn(10_000, 10_000)], WHOLE, u64::MAX), None, "never");
        assert_eq!(vacuum_due(&[worn(100, 100)], fifth, u64::MAX), None, "too little to gain");
        assert_eq!(vacuum_due(&[of(100_000), worn(10_000, 2_001)], fifth, u64::MAX), Some(1));
        assert_eq!(vacuum_asked(&[of(9), worn(9, 1), worn(9, 2), worn(9, 2)], u64::MAX), Some(2));
        assert_eq!(vacuum_asked(&[of(9)], u64::MAX), None);
    }

    #[test]
    fn edges_of_which_many_have_ended_are_written_again() {
        let worn = |edges, edges_ended| SegmentSize { edges, edges_ended, edge_bytes: edges as u64, ..of(9) };
        let fifth = WHOLE / 5;
        assert_eq!(graph_vacuum_due(&[worn(10_000, 2_000)], fifth, u64::MAX), None);
        assert_eq!(graph_vacuum_due(&[worn(90_000, 30_000), worn(10_000, 2_001)], fifth, u64::MAX), Some(1));
        assert_eq!(graph_vacuum_due(&[worn(10_000, 2_001)], fifth, 9_999), None, "too large for one job");
        assert_eq!(graph_vacuum_due(&[worn(100, 100)], fifth, u64::MAX), None, "too little to gain");
        assert_eq!(graph_vacuum_asked(&[worn(9, 1), worn(9, 2), worn(9, 2)], u64::MAX), Some(1));
        assert_eq!(graph_vacuum_asked(&[worn(9, 0)], u64::MAX), None);
    }

    #[test]
    fn nothing_larger_than_the_bound_is_written() {
        assert_eq!(merge_due(&sizes(&[9, 9, 9, 9]), 35), None);
        assert_eq!(merge_due(&sizes(&[9, 9, 9, 9]), 36), Some(0..4));
        assert_eq!(merge_due(&sizes(&[90, 90, 9, 9, 9, 9, 90, 9, 9]), 40), Some(2..6));
        let large: Vec<u64> = [60; 12].into_iter().chain([3, 2]).collect();
        assert_eq!(merge_due(&sizes(&large), 100), None, "what cannot be merged does not crowd");
        assert_eq!(merge_asked(&sizes(&[30, 20, 30]), 50), Some(0..2));
        assert_eq!(merge_asked(&sizes(&[30, 20, 30]), 49), None);
        let worn = SegmentSize { ended: 6_000, ..of(10_000) };
        assert_eq!(vacuum_due(&[worn], WHOLE / 5, 4_000), Some(0));
        assert_eq!(vacuum_due(&[worn], WHOLE / 5, 3_999), None);
    }

    #[test]
    fn who_asks_for_merges_gets_to_one_segment_without_ended_versions() {
        let mut sizes = sizes(&[70, 1, 30, 2, 9]);
        sizes[2].ended = 3;
        let mut merges = 0;
        while let Some(window) = merge_asked(&sizes, u64::MAX) {
            let live: u64 = sizes[window.clone()].iter().map(SegmentSize::live_bytes).sum();
            sizes.splice(window, [of(live)]);
            merges += 1;
        }
        assert_eq!((sizes, merges), (vec![of(109)], 4));
        assert_eq!(merge_asked(&[SegmentSize { ended: 1, ..of(5) }], u64::MAX), Some(0..1));
    }

    #[test]
    fn links_are_built_where_a_merge_keeps_them_or_a_scan_is_too_long() {
        let large = of(20_000);
        let linked = SegmentSize { is_linked: true, ..large };
        let huge = SegmentSize { is_linked: true, ..of(100_000) };
        let max = 100_000;
        assert_eq!(index_due(&[of(9_000), of(9_000)], max), None, "small");
        assert_eq!(index_due(&[large], max), Some(0));
        assert_eq!(index_due(&[huge, large], max), Some(1));
        assert_eq!(index_due(&[huge, linked, large, large], max), None, "they will be merged");
        assert_eq!(index_due(&[huge, linked, large, large], 39_999), Some(2), "a query scans too much");
        assert_eq!(index_due(&[large, of(9_000), linked], max), None);
        assert_eq!(index_due(&[of(9_000), of(9_100)], 18_000), Some(1));
        assert_eq!(index_asked(&[huge, of(5), of(6)]), Some(2));
        assert_eq!(index_asked(&[huge, SegmentSize { vectors: 0, ..of(5) }]), None);
    }

    /// Seals of these sizes, each followed by the merges that are due: the most segments there were, and how many bytes
    /// the merges wrote for each byte that was sealed.
    fn run(seals: impl Iterator<Item = u64>) -> (usize, f64) {
        let (mut sizes, mut sealed, mut written, mut most) = (Vec::new(), 0, 0, 0);
        for seal in seals {
            sizes.push(of(seal));
            sealed += seal;
            while let Some(window) = merge_due(&sizes, u64::MAX) {
                let sum: u64 = sizes[window.clone()].iter().map(SegmentSize::live_bytes).sum();
                written += sum;
                sizes.splice(window, [of(sum)]);
            }
            most = most.max(sizes.len());
        }
        (most, written as f64 / sealed as f64)
    }

    #[test]
    fn long_runs_of_equal_seals_stay_a_handful_and_are_seldom_written_again() {
        for (seals, amplification_max) in [(100, 3.5), (1_000, 6.0), (4_000, 7.5)] {
            let (most, amplification) = run(std::iter::repeat_n(32, seals));
            assert!(most <= SEGMENTS_MAX && amplification <= amplification_max, "{seals}: {amplification}");
        }
    }

    proptest! {
        #[test]
        fn runs_of_any_seals_stay_a_handful(seals in prop::collection::vec(1u64..1_000, 1..400)) {
            let n = seals.len();
            let (most, amplification) = run(seals.into_iter());
            prop_assert!(most <= SEGMENTS_MAX);
            let amplification_max = 3.0 + f64::from(n.ilog2());
            prop_assert!(amplification <= amplification_max, "{amplification} for {n} seals");
        }

        #[test]
        fn a_window_is_within_the_segments(
            all in prop::collection::vec((0u64..1_000_000, 0usize..5_000), 0..20),
        ) {
            let one = |&(bytes, ended)| SegmentSize { ended, slots: 5_000, ..of(bytes) };
            let sizes: Vec<SegmentSize> = all.iter().map(one).collect();
            for window in [merge_due(&sizes, u64::MAX), merge_asked(&sizes, u64::MAX)].into_iter().flatten() {
                prop_assert!(window.start < window.end && window.end <= sizes.len());
            }
            prop_assert!(index_due(&sizes, 0).is_none_or(|i| sizes[i].needs_links()));
            prop_assert_eq!(merge_asked(&sizes, u64::MAX).is_none(), sizes.is_empty() || sizes.len() == 1 && sizes[0].ended == 0);
        }
    }
}
