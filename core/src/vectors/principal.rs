//! The principal axes of points: directions at right angles, in each of which they vary on their own.
//!
//! In f64, every sum in a written order: the same bits on every target.
//!
//! # Source
//! Hestenes, "Inversion of matrices by biorthogonalization and related results", J. SIAM 6 (1958): rows are turned in pairs
//! until all are at right angles. The rows of a symmetric matrix end as its axes, each as long as the variance along it.

/// Eight or so are enough; then hardly anything is turned any more.
const SWEEPS_MAX: usize = 30;
/// Two rows whose inner product is no larger, in parts of their lengths, are at right angles.
const RIGHT_ANGLE: f64 = 1e-12;
/// A little of the identity, in parts of the mean variance: where nothing varies the axes are the components themselves.
const IDENTITY: f64 = 1e-6;
/// Sums of an inner product that do not wait for each other.
const SUMS: usize = 8;

/// A direction of length 1, and how much points vary along it.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    /// The variance, with what was added so that none is zero.
    pub variance: f64,
    /// `[dim]`.
    pub direction: Vec<f64>,
}

/// The axes of points with this covariance, at right angles to each other; in no order. `None` when nothing varies.
///
/// # Shapes
/// `covariance`: `[dim, dim]`, symmetric.
///
/// # Complexity
/// Eight times `dim` cubed or so.
///
/// # Panics
/// When the matrix is not square.
#[must_use]
pub fn axes(covariance: &[f64], dim: usize) -> Option<Vec<Axis>> {
    assert_eq!(covariance.len(), dim * dim, "a square matrix");
    let trace: f64 = (0..dim).map(|i| covariance[i * dim + i]).sum();
    let mean = trace / dim as f64;
    if !mean.is_normal() {
        return None;
    }
    // Neither very large nor very small numbers overflow on the way.
    let mut rows: Vec<Vec<f64>> =
        covariance.chunks_exact(dim).map(|row| row.iter().map(|x| x / mean).collect()).collect();
    (0..dim).for_each(|i| rows[i][i] += IDENTITY);
    for _ in 0..SWEEPS_MAX {
        if !sweep(&mut rows) {
            break;
        }
    }
    let axis = |row: Vec<f64>| {
        let length = inner(&row, &row).sqrt();
        Axis { variance: length * mean, direction: row.iter().map(|x| x / length).collect() }
    };
    Some(rows.into_iter().map(axis).collect())
}

/// Turns every pair of rows once; whether any was not at right angles.
fn sweep(rows: &mut [Vec<f64>]) -> bool {
    let mut squares: Vec<f64> = rows.iter().map(|row| inner(row, row)).collect();
    let mut has_turned = false;
    for i in 0..rows.len() {
        let (head, tail) = rows.split_at_mut(i + 1);
        let a = &mut head[i];
        for (b, j) in tail.iter_mut().zip(i + 1..) {
            let product = inner(a, b);
            if product.abs() <= RIGHT_ANGLE * (squares[i] * squares[j]).sqrt() {
                continue;
            }
            has_turned = true;
            let half = (squares[j] - squares[i]) / (2.0 * product);
            let tangent = 1.0f64.copysign(half) / (half.abs() + (1.0 + half * half).sqrt());
            let cos = 1.0 / (1.0 + tangent * tangent).sqrt();
            let sin = cos * tangent;
            for (x, y) in a.iter_mut().zip(b.iter_mut()) {
                (*x, *y) = (cos * *x - sin * *y, sin * *x + cos * *y);
            }
            squares[i] -= tangent * product;
            squares[j] += tangent * product;
        }
    }
    has_turned
}

fn inner(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; SUMS];
    let (a, b) = (a.chunks(SUMS), b.chunks(SUMS));
    for (a, b) in a.zip(b) {
        sums.iter_mut().zip(a.iter().zip(b)).for_each(|(sum, (x, y))| *sum += x * y);
    }
    let [a, b, c, d, e, f, g, h] = sums;
    ((a + b) + (c + d)) + ((e + f) + (g + h))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Rng;

    /// The covariance of points that vary by `spread` along random directions at right angles.
    fn covariance(spread: &[f64], seed: u64) -> (Vec<f64>, Vec<Vec<f64>>) {
        let (dim, mut rng) = (spread.len(), Rng::new(seed));
        let mut directions: Vec<Vec<f64>> = Vec::new();
        while directions.len() < dim {
            let mut row: Vec<f64> = (0..dim).map(|_| f64::from(rng.unit_f32()) - 0.5).collect();
            for _ in 0..2 {
                for other in &directions {
                    let along = inner(&row, other);
                    row.iter_mut().zip(other).for_each(|(x, y)| *x -= along * y);
                }
            }
            let length = inner(&row, &row).sqrt();
            directions.push(row.iter().map(|x| x / length).collect());
        }
        let at =
            |i: usize, j: usize| directions.iter().zip(spread).map(|(d, s)| d[i] * s * d[j]).sum::<f64>();
        let matrix = (0..dim * dim).map(|k| at(k / dim, k % dim)).collect();
        (matrix, directions)
    }

    #[test]
    fn the_axes_of_a_known_spread_are_found_again() {
        for dim in [1usize, 2, 9, 40] {
            let spread: Vec<f64> = (0..dim).map(|i| 10.0 / (i + 1) as f64).collect();
            let (matrix, directions) = covariance(&spread, 3);
            let found = axes(&matrix, dim).expect("it varies");
            for (direction, spread) in directions.iter().zip(&spread) {
                let along = |axis: &&Axis| inner(&axis.direction, direction).abs() > 1.0 - 1e-6;
                let axis = found.iter().find(along).expect("one of the axes");
                assert!((axis.variance / spread - 1.0).abs() < 1e-3, "{} for {spread}", axis.variance);
            }
        }
    }

    #[test]
    fn axes_are_at_right_angles_even_where_little_varies() {
        for seen in [1, 5, 30] {
            let spread: Vec<f64> = (0..30).map(|i| if i < seen { 1e-40 } else { 0.0 }).collect();
            let (matrix, _) = covariance(&spread, 4);
            let found = axes(&matrix, 30).expect("it varies");
            for (i, a) in found.iter().enumerate() {
                for (j, b) in found.iter().enumerate() {
                    let wanted = if i == j { 1.0 } else { 0.0 };
                    assert!((inner(&a.direction, &b.direction) - wanted).abs() < 1e-9, "{seen}: {i}, {j}");
                }
            }
        }
    }

    #[test]
    fn points_that_are_all_the_same_have_none() {
        assert_eq!(axes(&[0.0; 16], 4), None);
        assert_eq!(axes(&[], 0), None);
    }
}
