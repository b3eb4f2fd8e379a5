//! The exact scan: every allowed vector, no index. The oracle of the others and their way out.

use crate::base::{Bitmap, TopK};
use crate::vectors::Scorer;

/// Vectors that are compared at once, after their bytes were asked for.
const BATCH: usize = 32;

/// The `k` allowed vectors with the smallest distances, nearest first; ties go to the smaller number.
///
/// # Shapes
/// `n` vectors; `allowed`: of those, all when there is none. Result: distance and number of each.
///
/// # Complexity
/// One distance for each allowed vector.
///
/// # Examples
/// ```
/// let near = kithdb::index::flat::search(&|i: u32| i as f32, 10, 2, None);
/// assert_eq!(near, [(0.0, 0), (1.0, 1)]);
/// ```
#[cfg_attr(kithdb_small, optimize(speed), inline(never))]
pub fn search<S: Scorer + ?Sized>(
    scorer: &S,
    n: usize,
    k: usize,
    allowed: Option<&Bitmap>,
) -> Vec<(f32, u32)> {
    let mut top = TopK::new(k);
    let (mut numbers, mut distances) = (Vec::with_capacity(BATCH), Vec::with_capacity(BATCH));
    let mut offer = |numbers: &mut Vec<u32>| {
        distances.clear();
        scorer.distances(numbers, &mut distances);
        for (&i, &distance) in numbers.iter().zip(&distances) {
            if top.bound().is_none_or(|bound| distance.total_cmp(&bound).is_le()) {
                top.push(distance, u64::from(i), i);
            }
        }
        numbers.clear();
    };
    let mut take = |i: usize| {
        scorer.prefetch(i as u32);
        numbers.push(i as u32);
        if numbers.len() == BATCH {
            offer(&mut numbers);
        }
    };
    match allowed {
        None => (0..n).for_each(&mut take),
        Some(allowed) => allowed.iter().take_while(|&i| i < n).for_each(&mut take),
    }
    offer(&mut numbers);
    top.into_sorted()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_allowed_vectors_below_n_are_found_and_ties_go_to_the_smaller() {
        let mut allowed = Bitmap::empty(20);
        [1, 5, 7, 15].into_iter().for_each(|i| allowed.insert(i));
        let constant = |_: u32| 2.0;
        assert_eq!(search(&constant, 10, 2, Some(&allowed)), [(2.0, 1), (2.0, 5)]);
        assert_eq!(search(&constant, 10, 9, Some(&allowed)).len(), 3);
        assert!(search(&constant, 0, 9, None).is_empty());
    }
}
