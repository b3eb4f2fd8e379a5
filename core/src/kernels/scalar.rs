//! The specification of every kernel: slow, short, and the oracle that the others must equal bit for bit.
//!
//! # Floats
//! Component `i` belongs to lane `i % 32`. Each lane starts at zero and, in ascending order of `i`, adds its term:
//! for a dot product the product, rounded, then the sum, rounded; never a fused multiply-add. The tail counts as
//! padded with zeros, which changes no lane: a lane is never -0. Then the lanes are halved: lane `l` adds lane
//! `l + 16`, then `l + 8`, `l + 4`, `l + 2`, `l + 1`. What is left in lane 0 is the result.
//!
//! # Integers
//! Exact, so their order does not matter: of 65,536 components the products of two int8 stay below 2^31, and the squares
//! of their differences below 2^32.

use half::f16;

use super::{BitQuery, CodeQuery, Kernels, PLANES};

/// How many lanes a float kernel has.
pub const LANES: usize = 32;

/// What kernels say to vectors of different lengths.
pub(super) const SAME_DIM: &str = "a kernel needs two vectors of one dimension";

/// The specification as an implementation like the others.
pub(super) static SCALAR: Kernels = Kernels {
    name: "scalar",
    dot_f32,
    squared_l2_f32,
    l1_f32,
    dot_f16,
    squared_l2_f16,
    l1_f16,
    dot_i8,
    squared_l2_i8,
    l1_i8,
    hamming,
    dot_i8_rows,
    l1_i8_rows,
    dot_bits_rows,
};

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

fn sum_f32<T: Copy + Into<f32>>(a: &[f32], b: &[T], term: impl Fn(f32, f32) -> f32) -> f32 {
    assert_eq!(a.len(), b.len(), "{SAME_DIM}");
    let mut lanes = [0.0; LANES];
    for (i, (&x, &y)) in a.iter().zip(b).enumerate() {
        lanes[i % LANES] += term(x, y.into());
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

/// The inner product with a vector kept as f16, each of whose components is an f32 exactly.
///
/// # Panics
/// When the dimensions differ.
#[must_use]
pub fn dot_f16(a: &[f32], b: &[f16]) -> f32 {
    sum_f32(a, b, |x, y| x * y)
}

/// The squared Euclidean distance to a vector kept as f16.
///
/// # Panics
/// When the dimensions differ.
#[must_use]
pub fn squared_l2_f16(a: &[f32], b: &[f16]) -> f32 {
    sum_f32(a, b, |x, y| (x - y) * (x - y))
}

/// The Manhattan distance to a vector kept as f16.
///
/// # Panics
/// When the dimensions differ.
#[must_use]
pub fn l1_f16(a: &[f32], b: &[f16]) -> f32 {
    sum_f32(a, b, |x, y| (x - y).abs())
}

fn sum_i8(a: &[i8], b: &[i8], term: impl Fn(i32, i32) -> i32) -> i32 {
    assert_eq!(a.len(), b.len(), "{SAME_DIM}");
    a.iter().zip(b).map(|(&x, &y)| term(x.into(), y.into())).sum()
}

/// The inner product of int8 codes, exact.
///
/// # Panics
/// When the dimensions differ.
#[must_use]
pub fn dot_i8(a: &[i8], b: &[i8]) -> i32 {
    sum_i8(a, b, |x, y| x * y)
}

/// The squared Euclidean distance of int8 codes, exact.
///
/// # Panics
/// When the dimensions differ.
#[must_use]
pub fn squared_l2_i8(a: &[i8], b: &[i8]) -> u32 {
    assert_eq!(a.len(), b.len(), "{SAME_DIM}");
    a.iter().zip(b).map(|(&x, &y)| u32::from(x.abs_diff(y)).pow(2)).sum()
}

/// The Manhattan distance of int8 codes, exact.
///
/// # Panics
/// When the dimensions differ.
#[must_use]
pub fn l1_i8(a: &[i8], b: &[i8]) -> i32 {
    sum_i8(a, b, |x, y| (x - y).abs())
}

/// How many bits differ.
///
/// # Panics
/// When the lengths differ.
#[must_use]
pub fn hamming(a: &[u8], b: &[u8]) -> u32 {
    assert_eq!(a.len(), b.len(), "{SAME_DIM}");
    a.iter().zip(b).map(|(x, y)| (x ^ y).count_ones()).sum()
}

/// The inner products of a query with chosen rows, in their order, at the end of `out`: exact, then rounded to f32.
///
/// # Shapes
/// `rows`: `[n, len]` for a query code of `len` components; `of`: numbers below `n`.
///
/// # Panics
/// When a number is not below `n`.
pub fn dot_i8_rows(query: &CodeQuery, rows: &[i8], of: &[u32], out: &mut Vec<f32>) {
    let len = query.bytes().len();
    out.extend(of.iter().map(|&i| dot_i8(query.bytes(), &rows[i as usize * len..][..len]) as f32));
}

/// The Manhattan distances of a query to chosen rows, as [`dot_i8_rows`].
///
/// # Panics
/// When a number is not below `n`.
pub fn l1_i8_rows(query: &CodeQuery, rows: &[i8], of: &[u32], out: &mut Vec<f32>) {
    let len = query.bytes().len();
    out.extend(of.iter().map(|&i| l1_i8(query.bytes(), &rows[i as usize * len..][..len]) as f32));
}

/// For chosen rows of bits, the sums of the query's components where a bit is set, as [`dot_i8_rows`].
///
/// # Shapes
/// `rows`: `[n, stride]`, each beginning with the bits, the first in the lowest bit of the first byte.
///
/// # Panics
/// When a number is not below `n`.
#[cfg_attr(kithdb_small, optimize(speed))]
pub fn dot_bits_rows(query: &BitQuery, rows: &[u8], of: &[u32], out: &mut Vec<f32>) {
    out.extend(of.iter().map(|&i| dot_bits(query, rows, i) as f32));
}

/// One row of [`dot_bits_rows`], to be compiled for whatever counts bits.
///
/// # Panics
/// When the number is not that of a row.
#[must_use]
#[inline(always)]
#[cfg_attr(kithdb_small, optimize(speed))]
pub fn dot_bits(query: &BitQuery, rows: &[u8], i: u32) -> i32 {
    let row = &rows[i as usize * query.stride()..][..8 * query.planes().len()];
    let mut counts = [0; PLANES];
    for (word, planes) in row.as_chunks::<8>().0.iter().zip(query.planes()) {
        for (count, plane) in counts.iter_mut().zip(planes) {
            *count += (u64::from_le_bytes(*word) & plane).count_ones() as i32;
        }
    }
    let [one, two, four, eight] = counts;
    one + 2 * two + 4 * four - 8 * eight
}
