//! Exact distances of a query to vectors as they are stored.
//!
//! Cosine leaves the stored bits alone: an inverse norm a row stands beside them.

use super::metric::Metric;
use super::scorer::Scorer;
use crate::kernels::{dot_f32, l1_f32, squared_l2_f32};

/// One over the length of a vector that passed [`super::check_vector`] for cosine; finite and positive.
#[must_use]
pub fn inverse_norm(row: &[f32]) -> f32 {
    1.0 / dot_f32(row, row).sqrt()
}

/// A query made ready for exact distances.
#[derive(Debug, Clone)]
pub struct PreparedQuery {
    metric: Metric,
    vector: Vec<f32>,
    inverse_norm: f32,
}

impl PreparedQuery {
    /// Keeps a copy of a vector that passed [`super::check_vector`].
    #[must_use]
    pub fn new(metric: Metric, vector: &[f32]) -> Self {
        let inverse_norm = if metric == Metric::Cosine { inverse_norm(vector) } else { 1.0 };
        Self { metric, vector: vector.to_vec(), inverse_norm }
    }

    /// The metric of its distances.
    #[must_use]
    pub fn metric(&self) -> Metric {
        self.metric
    }

    /// The vector, as it was given.
    #[must_use]
    pub fn vector(&self) -> &[f32] {
        &self.vector
    }

    /// The exact distance to a stored row; the same bits on every target.
    ///
    /// # Shapes
    /// `row`: the query's dimension. `inverse_norm`: that of the row for cosine, ignored by the others.
    ///
    /// # Units
    /// 1 - cos (0 or more), squared L2, the negated inner product, or L1.
    ///
    /// # Panics
    /// When the row has another dimension.
    #[must_use]
    #[cfg_attr(kithdb_small, optimize(speed))]
    #[inline]
    pub fn distance(&self, row: &[f32], inverse_norm: f32) -> f32 {
        match self.metric {
            Metric::Cosine | Metric::Dot => self.of_product(dot_f32(&self.vector, row), inverse_norm),
            Metric::Euclidean => squared_l2_f32(&self.vector, row),
            Metric::Manhattan => l1_f32(&self.vector, row),
        }
    }

    /// The distance for cosine or dot, from the inner product with the row.
    pub(super) fn of_product(&self, product: f32, inverse_norm: f32) -> f32 {
        if self.metric == Metric::Cosine {
            at_least_zero(1.0 - product * self.inverse_norm * inverse_norm)
        } else {
            // Subtracted from zero, not negated: a distance is never -0, which would sort before 0.
            0.0 - product
        }
    }
}

/// Rounding may leave a distance a little below zero.
pub(super) fn at_least_zero(distance: f32) -> f32 {
    if distance > 0.0 { distance } else { 0.0 }
}

/// Exact distances of stored rows to a query.
#[derive(Debug, Clone)]
pub struct RowScorer<'q, F> {
    query: &'q PreparedQuery,
    row: F,
}

impl<'q, F> RowScorer<'q, F> {
    /// `row(i)` gives row `i` and its inverse norm.
    #[must_use]
    pub fn new(query: &'q PreparedQuery, row: F) -> Self {
        Self { query, row }
    }
}

impl<'r, F: Fn(u32) -> (&'r [f32], f32)> Scorer for RowScorer<'_, F> {
    #[cfg_attr(kithdb_small, optimize(speed))]
    #[inline]
    fn distance(&self, i: u32) -> f32 {
        let (row, inverse_norm) = (self.row)(i);
        self.query.distance(row, inverse_norm)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_those_of_the_definitions() {
        let (q, row) = ([1.0, 0.0, 2.0], [0.0, 3.0, 4.0]);
        let distance = |metric| PreparedQuery::new(metric, &q).distance(&row, inverse_norm(&row));
        assert_eq!(distance(Metric::Dot), -8.0);
        assert_eq!(distance(Metric::Euclidean), 14.0);
        assert_eq!(distance(Metric::Manhattan), 6.0);
        let cos = 8.0 / (5f32.sqrt() * 5.0);
        assert!((distance(Metric::Cosine) - (1.0 - cos)).abs() < 1e-6);
    }

    #[test]
    fn cosine_ignores_length_even_at_the_limits() {
        for scale in [1e-14f32, 1.0, 1e15] {
            for other in [1e-14f32, 1.0, 1e15] {
                let q = PreparedQuery::new(Metric::Cosine, &[scale; 300]);
                let mut row = vec![other; 300];
                assert!(q.distance(&row, inverse_norm(&row)) < 1e-5);
                row[..150].fill(-other);
                assert!((q.distance(&row, inverse_norm(&row)) - 1.0).abs() < 1e-5);
            }
        }
    }

    #[test]
    fn an_orthogonal_inner_product_is_plus_zero() {
        let q = PreparedQuery::new(Metric::Dot, &[1.0, 0.0]);
        assert_eq!(q.distance(&[0.0, 1.0], 1.0).to_bits(), 0);
    }
}
