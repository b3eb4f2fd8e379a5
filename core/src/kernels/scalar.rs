//! The specification of every kernel: slow, short, and the oracle that the others must equal bit for bit.
//!
//! # Floats
//! Component `i` belongs to lane `i % 32`. Each lane starts at zero and, in ascending order of `i`, adds its term:
//! for a dot product the product, rounded, then the sum, rounded; never a fused multiply-add. The tail counts as
//! padded with zeros, which changes no lane: a lane is never -0. Then the lanes are halved: lane `l` adds lane
//! `l + 16`, then `l + 8`, `l + 4`, `l + 2`, `l + 1`. What is left in lane 0 is the result.
//!
//! # Integers
//! Exact, so their order does not matter: 65,536 products of two int8 stay below 2^31.

/// How many lanes a float kernel has.
pub const LANES: usize = 32;

/// Adds lanes in the one written order.
#[must_use]
pub fn reduce(mut lanes: [f32; LANES]) -> f32 {
    let mut half = LANES / 2;
    while half > 0 {
        for l in 0..half {
            lanes[l] += lanes[l + half];
        }
        half /= 2;
    }
    lanes[0]
}

fn sum_f32(a: &[f32], b: &[f32], term: impl Fn(f32, f32) -> f32) -> f32 {
    assert_eq!(a.len(), b.len(), "a kernel needs two vectors of one dimension");
    let mut lanes = [0.0; LANES];
    for (i, (&x, &y)) in a.iter().zip(b).enumerate() {
        lanes[i % LANES] += term(x, y);
    }
    reduce(lanes)
}

/// The inner product.
///
/// # Panics
/// When the dimensions differ.
#[must_use]
pub fn dot_f32(a: &[f32], b: &[f32]) -> f32 {
    sum_f32(a, b, |x, y| x * y)
}

/// The squared Euclidean distance.
///
/// # Panics
/// When the dimensions differ.
#[must_use]
pub fn squared_l2_f32(a: &[f32], b: &[f32]) -> f32 {
    sum_f32(a, b, |x, y| (x - y) * (x - y))
}

/// The Manhattan distance.
///
/// # Panics
/// When the dimensions differ.
#[must_use]
pub fn l1_f32(a: &[f32], b: &[f32]) -> f32 {
    sum_f32(a, b, |x, y| (x - y).abs())
}

/// The inner product of int8 codes, exact.
///
/// # Panics
/// When the dimensions differ.
#[must_use]
pub fn dot_i8(a: &[i8], b: &[i8]) -> i32 {
    assert_eq!(a.len(), b.len(), "a kernel needs two vectors of one dimension");
    a.iter().zip(b).map(|(&x, &y)| i32::from(x) * i32::from(y)).sum()
}

/// The Manhattan distance of int8 codes, exact.
///
/// # Panics
/// When the dimensions differ.
#[must_use]
pub fn l1_i8(a: &[i8], b: &[i8]) -> i32 {
    assert_eq!(a.len(), b.len(), "a kernel needs two vectors of one dimension");
    a.iter().zip(b).map(|(&x, &y)| (i32::from(x) - i32::from(y)).abs()).sum()
}
