//! A random rotation in n log n steps: signs are flipped and Hadamard transforms mix what they reach.
//!
//! It spreads what a vector holds over all of its components, whatever the data, so that their signs alone say much. It
//! keeps lengths and angles, but for rounding; the same bits on every target.
//!
//! # Source
//! Rounds of random signs and Hadamard transforms as in Ailon and Chazelle, "The fast Johnson-Lindenstrauss transform",
//! SIAM J. Comput. 39 (2009). Where the dimension is no power of two, rounds take turns between its first and its last
//! part, and a step of Kac's walk (each component with its partner half a vector away) mixes the two.

use crate::base::Rng;
use crate::base::limits::DIM_MAX;

/// Rotated vectors are padded to whole words of bits.
const WORD: usize = 64;
const ROUNDS: usize = 4;
/// What the signs are drawn from, with the dimension.
const SEED: u64 = 0x6b69_7468_726f_7461;

/// The rotation of vectors of one dimension: always the same one.
#[derive(Debug, Clone)]
pub struct Rotation {
    dim: usize,
    /// One bit a component and round: whether its sign is flipped.
    flips: Vec<u64>,
}

impl Rotation {
    /// The rotation for this dimension.
    ///
    /// # Panics
    /// When the dimension is not within the limits.
    #[must_use]
    pub fn new(dim: usize) -> Self {
        assert!((1..=DIM_MAX).contains(&dim), "checked when the vectors were accepted");
        let mut rng = Rng::new(SEED ^ dim as u64);
        let words = dim.div_ceil(WORD) * ROUNDS;
        Self { dim, flips: (0..words).map(|_| rng.next_u64()).collect() }
    }

    /// How many components a rotated vector has: the dimension, up to the next multiple of 64.
    #[must_use]
    pub fn padded_dim(&self) -> usize {
        self.dim.next_multiple_of(WORD)
    }

    /// Makes `out` the rotated vector.
    ///
    /// # Shapes
    /// `vector`: `[dim]`; `out`: `[padded_dim]` afterwards.
    ///
    /// # Panics
    /// When the vector has another dimension.
    pub fn apply(&self, vector: &[f32], out: &mut Vec<f32>) {
        assert_eq!(vector.len(), self.dim, "a vector of another dimension reached the rotation");
        let padded = self.padded_dim();
        out.clear();
        out.extend_from_slice(vector);
        out.resize(padded, 0.0);
        let part = 1 << padded.ilog2();
        let scale = 1.0 / (part as f32).sqrt();
        for (round, flips) in self.flips.chunks_exact(padded / WORD).enumerate() {
            flip(out, flips);
            let start = if round % 2 == 0 { 0 } else { padded - part };
            hadamard(&mut out[start..start + part]);
            out[start..start + part].iter_mut().for_each(|x| *x *= scale);
            if part < padded {
                walk(out);
            }
        }
    }
}

fn flip(vector: &mut [f32], flips: &[u64]) {
    for (word, components) in flips.iter().zip(vector.chunks_exact_mut(WORD)) {
        for (bit, x) in components.iter_mut().enumerate() {
            let sign = ((word >> bit & 1) as u32) << 31;
            *x = f32::from_bits(x.to_bits() ^ sign);
        }
    }
}

/// The Hadamard transform without its scale; the length is a power of two.
fn hadamard(vector: &mut [f32]) {
    let mut half = 1;
    while half < vector.len() {
        for pair in vector.chunks_exact_mut(2 * half) {
            let (low, high) = pair.split_at_mut(half);
            butterfly(low, high);
        }
        half *= 2;
    }
}

/// One step of Kac's walk: every component is turned by an eighth of a circle with its partner.
fn walk(vector: &mut [f32]) {
    let (low, high) = vector.split_at_mut(vector.len() / 2);
    butterfly(low, high);
    vector.iter_mut().for_each(|x| *x *= std::f32::consts::FRAC_1_SQRT_2);
}

fn butterfly(low: &mut [f32], high: &mut [f32]) {
    for (a, b) in low.iter_mut().zip(high) {
        (*a, *b) = (*a + *b, *a - *b);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::{dot_f32, squared_l2_f32};

    fn rotated(vector: &[f32]) -> Vec<f32> {
        let mut out = vec![7.0; 3];
        Rotation::new(vector.len()).apply(vector, &mut out);
        out
    }

    #[test]
    fn distances_and_angles_stay() {
        let mut rng = Rng::new(4);
        for dim in [1usize, 2, 63, 64, 65, 100, 128, 192, 300, 768, 1000, 1024] {
            let mut vector = || (0..dim).map(|_| rng.unit_f32() - 0.5).collect::<Vec<f32>>();
            let (a, b) = (vector(), vector());
            let (x, y) = (rotated(&a), rotated(&b));
            assert_eq!(x.len(), dim.next_multiple_of(64));
            let scale = dot_f32(&a, &a).max(dot_f32(&b, &b));
            assert!((dot_f32(&a, &b) - dot_f32(&x, &y)).abs() < 1e-5 * scale, "dim {dim}");
            assert!((squared_l2_f32(&a, &b) - squared_l2_f32(&x, &y)).abs() < 1e-5 * scale, "dim {dim}");
        }
    }

    /// What one component holds must not stay in a few: a sign says nothing of a component that is nearly zero.
    #[test]
    fn one_component_is_spread_over_all() {
        for dim in [64, 100, 384, 768, 1000] {
            for place in [0, dim / 2, dim - 1] {
                let mut vector = vec![0.0; dim];
                vector[place] = 1.0;
                let out = rotated(&vector);
                let largest = out.iter().fold(0.0f32, |max, x| max.max(x.abs()));
                let even = 1.0 / (out.len() as f32).sqrt();
                assert!(largest < 6.0 * even, "dim {dim}, component {place}: {largest} for {even}");
            }
        }
    }
}
