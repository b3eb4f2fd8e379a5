//! The k smallest of a stream, with ties broken by an order the caller gives.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// Keeps the `k` entries with the smallest distance; equal distances are ordered by `tie`, smaller first.
///
/// Memory grows with what is pushed, never with `k`.
#[derive(Debug)]
pub struct TopK<T> {
    k: usize,
    heap: BinaryHeap<Entry<T>>,
}

#[derive(Debug)]
struct Entry<T> {
    distance: f32,
    tie: u64,
    item: T,
}

impl<T> Entry<T> {
    fn order(&self, other: &Self) -> Ordering {
        self.distance.total_cmp(&other.distance).then(self.tie.cmp(&other.tie))
    }
}

impl<T> PartialEq for Entry<T> {
    fn eq(&self, other: &Self) -> bool {
        self.order(other) == Ordering::Equal
    }
}
impl<T> Eq for Entry<T> {}
impl<T> PartialOrd for Entry<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl<T> Ord for Entry<T> {
    #[cfg_attr(kithdb_small, optimize(speed))]
    fn cmp(&self, other: &Self) -> Ordering {
        self.order(other)
    }
}

impl<T> TopK<T> {
    /// An empty selection of `k`.
    #[must_use]
    pub fn new(k: usize) -> Self {
        Self { k, heap: BinaryHeap::new() }
    }

    /// Offers an entry; NaN distances are the farthest.
    #[cfg_attr(kithdb_small, optimize(speed))]
    #[inline]
    pub fn push(&mut self, distance: f32, tie: u64, item: T) {
        let entry = Entry { distance, tie, item };
        if self.heap.len() < self.k {
            self.heap.push(entry);
        } else if let Some(mut worst) = self.heap.peek_mut()
            && entry < *worst
        {
            *worst = entry;
        }
    }

    /// The distance beyond which nothing enters any more, once `k` entries are held.
    #[must_use]
    pub fn bound(&self) -> Option<f32> {
        if self.heap.len() < self.k { None } else { self.heap.peek().map(|e| e.distance) }
    }

    /// Nearest first.
    #[must_use]
    pub fn into_sorted(self) -> Vec<(f32, T)> {
        self.heap.into_sorted_vec().into_iter().map(|e| (e.distance, e.item)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_go_to_the_smaller_tie_whatever_the_order_of_arrival() {
        for order in [[3, 1, 2], [2, 3, 1], [1, 2, 3]] {
            let mut top = TopK::new(2);
            for tie in order {
                top.push(0.5, tie, tie);
            }
            assert_eq!(top.into_sorted(), [(0.5, 1), (0.5, 2)]);
        }
    }

    #[test]
    fn zero_k_keeps_nothing_and_huge_k_allocates_nothing() {
        let mut none = TopK::new(0);
        none.push(1.0, 1, ());
        assert!(none.into_sorted().is_empty());
        let mut all = TopK::new(usize::MAX);
        all.push(1.0, 1, ());
        assert_eq!(all.into_sorted().len(), 1);
    }
}
