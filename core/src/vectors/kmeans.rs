//! Centres of points in a few dimensions: what product quantisation is trained with.
//!
//! The same points and seed give the same centres, bit by bit, on every target.
//!
//! # Source
//! Lloyd's iterations from the seeding of Arthur and Vassilvitskii, "k-means++", SODA 2007.

use crate::base::Rng;

/// Rounds of Lloyd's: afterwards hardly a point changes its centre.
const ROUNDS: usize = 10;

/// How points differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Difference {
    /// The sum of squares.
    Squared,
    /// The sum of differences.
    Absolute,
}

/// Centres, side by side for comparing a point with all of them at once.
#[derive(Debug, Clone)]
pub struct Centres {
    /// `[dim, count]`.
    components: Vec<f32>,
    count: usize,
}

impl Centres {
    /// Trains up to `count` centres for these points; as many as there are points when those are fewer.
    ///
    /// # Shapes
    /// `points`: `[n, dim]`, row-major, `n` above 0.
    #[must_use]
    pub fn train(points: &[f32], dim: usize, count: usize, by: Difference, rng: &mut Rng) -> Self {
        let n = points.len() / dim;
        let point = |i: usize| &points[i * dim..(i + 1) * dim];
        let mut centres = Self::seeded(&point, n, count.min(n), by, rng);
        let mut distances = Vec::new();
        for _ in 0..ROUNDS {
            let mut sums = vec![0.0f64; centres.components.len()];
            let mut counts = vec![0u32; centres.count];
            for i in 0..n {
                let nearest = centres.nearest(point(i), by, &mut distances);
                counts[nearest] += 1;
                for (d, x) in point(i).iter().enumerate() {
                    sums[d * centres.count + nearest] += f64::from(*x);
                }
            }
            for (at, sum) in sums.iter().enumerate() {
                // A centre that nothing is near stays where it is.
                if counts[at % centres.count] > 0 {
                    centres.components[at] = (sum / f64::from(counts[at % centres.count])) as f32;
                }
            }
        }
        centres
    }

    /// Points far from those that were taken before are the likelier to be taken.
    fn seeded<'p>(
        point: &impl Fn(usize) -> &'p [f32],
        n: usize,
        count: usize,
        by: Difference,
        rng: &mut Rng,
    ) -> Self {
        let dim = point(0).len();
        let mut centres = Self { components: vec![0.0; dim * count], count };
        let mut nearest = vec![f64::MAX; n];
        let mut taken = rng.below(n as u64) as usize;
        for at in 0..count {
            for (d, x) in point(taken).iter().enumerate() {
                centres.components[d * count + at] = *x;
            }
            let centre = point(taken);
            for (i, nearest) in nearest.iter_mut().enumerate() {
                let distance = f64::from(difference(point(i), centre, by));
                *nearest = nearest.min(distance);
            }
            let sum: f64 = nearest.iter().sum();
            let mut left = f64::from(rng.unit_f32()) * sum;
            // Without any distance all points are the same, and it does not matter which is taken.
            taken = nearest
                .iter()
                .position(|distance| {
                    left -= distance;
                    left < 0.0
                })
                .unwrap_or(0);
        }
        centres
    }

    /// Centres that were written before.
    ///
    /// # Shapes
    /// `components`: `[dim, count]`.
    #[must_use]
    pub fn of(components: Vec<f32>, count: usize) -> Self {
        Self { components, count }
    }

    /// How many.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    /// `[dim, count]`.
    #[must_use]
    pub fn components(&self) -> &[f32] {
        &self.components
    }

    /// How far each centre is from a point, in place of what `out` held.
    ///
    /// # Shapes
    /// `point`: `[dim]`; `out`: `[count]` afterwards.
    pub fn distances(&self, point: &[f32], by: Difference, out: &mut Vec<f32>) {
        match by {
            Difference::Squared => self.sums(point, |x, c| (x - c) * (x - c), out),
            Difference::Absolute => self.sums(point, |x, c| (x - c).abs(), out),
        }
    }

    /// For each centre the sum of `term` over its components and those of a point, in order.
    pub fn sums(&self, point: &[f32], term: impl Fn(f32, f32) -> f32, out: &mut Vec<f32>) {
        out.clear();
        out.resize(self.count, 0.0);
        for (&x, centres) in point.iter().zip(self.components.chunks_exact(self.count)) {
            out.iter_mut().zip(centres).for_each(|(sum, &c)| *sum += term(x, c));
        }
    }

    /// The centre nearest to a point; of several the first.
    #[cfg_attr(kithdb_small, optimize(speed))]
    pub fn nearest(&self, point: &[f32], by: Difference, distances: &mut Vec<f32>) -> usize {
        self.distances(point, by, distances);
        least(distances)
    }
}

/// The place of the least number; of several the first.
fn least(numbers: &[f32]) -> usize {
    const LANES: usize = 16;
    let (blocks, end) = numbers.as_chunks::<LANES>();
    let mut lanes = [f32::MAX; LANES];
    for block in blocks {
        for (lane, x) in lanes.iter_mut().zip(block) {
            *lane = if *x < *lane { *x } else { *lane };
        }
    }
    let min = lanes.iter().chain(end).fold(f32::MAX, |min, &x| if x < min { x } else { min });
    numbers.iter().position(|x| *x == min).unwrap_or(0)
}

fn difference(a: &[f32], b: &[f32], by: Difference) -> f32 {
    a.iter().zip(b).fold(0.0, |sum, (x, y)| {
        sum + match by {
            Difference::Squared => (x - y) * (x - y),
            Difference::Absolute => (x - y).abs(),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separate_heaps_each_get_a_centre() {
        let mut rng = Rng::new(3);
        let heaps = [[0.0, 0.0], [10.0, 0.0], [0.0, 10.0], [10.0, 10.0]];
        let points: Vec<f32> =
            (0..400).flat_map(|i| heaps[i % 4].map(|x| x + rng.unit_f32() - 0.5)).collect();
        for by in [Difference::Squared, Difference::Absolute] {
            let centres = Centres::train(&points, 2, 4, by, &mut Rng::new(1));
            for heap in heaps {
                let mut distances = Vec::new();
                let nearest = centres.nearest(&heap, by, &mut distances);
                assert!(
                    distances[nearest] < 0.1,
                    "{by:?}: {heap:?} is {} from its centre",
                    distances[nearest]
                );
            }
        }
    }

    #[test]
    fn fewer_points_than_centres_are_centres_themselves() {
        let points = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let centres = Centres::train(&points, 2, 256, Difference::Squared, &mut Rng::new(1));
        let mut distances = Vec::new();
        assert_eq!(centres.count(), 3);
        for point in points.chunks_exact(2) {
            let nearest = centres.nearest(point, Difference::Squared, &mut distances);
            assert_eq!(distances[nearest], 0.0);
        }
    }

    #[test]
    fn points_that_are_all_the_same_are_no_trouble() {
        let centres = Centres::train(&[7.0; 40], 2, 4, Difference::Squared, &mut Rng::new(1));
        assert_eq!(centres.nearest(&[7.0, 7.0], Difference::Squared, &mut Vec::new()), 0);
    }

    #[test]
    fn the_least_is_the_first_of_equals_wherever_it_stands() {
        for len in [1, 15, 16, 17, 40] {
            for at in 0..len {
                let mut numbers = vec![3.0; len];
                numbers[at] = 1.0;
                numbers[len - 1] = 1.0;
                assert_eq!(least(&numbers), at.min(len - 1));
            }
        }
    }
}
