//! The exact scan: every allowed vector, no index. The oracle of the others and their way out.

use crate::base::{Bitmap, TopK};
use crate::vectors::Scorer;

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
pub fn search<S: Scorer + ?Sized>(
    scorer: &S,
    n: usize,
    k: usize,
    allowed: Option<&Bitmap>,
) -> Vec<(f32, u32)> {
    let mut top = TopK::new(k);
    let mut offer = |i: usize| top.push(scorer.distance(i as u32), i as u64, i as u32);
    match allowed {
        None => (0..n).for_each(&mut offer),
        Some(allowed) => allowed.iter().take_while(|&i| i < n).for_each(&mut offer),
    }
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
