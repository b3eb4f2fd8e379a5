//! The kernels on `wide`: SSE2, AVX2, NEON or wasm simd128 as the target says, the same bits on all of them.
//!
//! Only loads, additions, subtractions, products, shifts and absolute values of `wide` are used: its `mul_add` and
//! `reduce_*` differ between targets.

use bytemuck::cast;
use half::f16;
use wide::{f32x8, i8x16, i16x8, i32x4};

use super::scalar::SAME_DIM;
use super::{CodeQuery, Kernels, padded};

/// These kernels.
pub(super) static LANES: Kernels = Kernels {
    name: "wide",
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
    dot_bits_rows: super::scalar::dot_bits_rows,
};

/// Four groups of eight lanes; group `g` holds the lanes from `8 g`.
type Groups = [f32x8; 4];

/// A component of a stored vector.
trait Float: Copy + Default {
    fn eight(of: [Self; 8]) -> f32x8;
}

impl Float for f32 {
    #[inline(always)]
    fn eight(of: [Self; 8]) -> f32x8 {
        f32x8::new(of)
    }
}

impl Float for f16 {
    #[inline(always)]
    fn eight(of: [Self; 8]) -> f32x8 {
        f32x8::new(of.map(Self::to_f32))
    }
}

#[inline(always)]
fn sum_f32<T: Float>(a: &[f32], b: &[T], add: impl Fn(f32x8, f32x8, f32x8) -> f32x8) -> f32 {
    assert_eq!(a.len(), b.len(), "{SAME_DIM}");
    let mut lanes: Groups = [f32x8::ZERO; 4];
    let (a_blocks, a_tail) = a.as_chunks::<32>();
    let (b_blocks, b_tail) = b.as_chunks::<32>();
    for (x, y) in a_blocks.iter().zip(b_blocks) {
        let (x, y) = (x.as_chunks::<8>().0, y.as_chunks::<8>().0);
        for g in 0..4 {
            lanes[g] = add(lanes[g], f32x8::new(x[g]), T::eight(y[g]));
        }
    }
    // Padding with zeros would change no lane, so only the groups that the tail reaches are added to. The loop has a
    // fixed length so that the lanes stay in registers.
    let (a_eights, a_end) = a_tail.as_chunks::<8>();
    let (b_eights, b_end) = b_tail.as_chunks::<8>();
    for (g, group) in lanes.iter_mut().enumerate() {
        if let (Some(x), Some(y)) = (a_eights.get(g), b_eights.get(g)) {
            *group = add(*group, f32x8::new(*x), T::eight(*y));
        } else if g == a_eights.len() && !a_end.is_empty() {
            *group = add(*group, f32x8::new(padded(a_end)), T::eight(padded(b_end)));
        }
    }
    reduce(lanes)
}

/// The tree of `scalar::reduce`: its first two halvings take whole groups.
#[inline(always)]
fn reduce(lanes: Groups) -> f32 {
    let r = ((lanes[0] + lanes[2]) + (lanes[1] + lanes[3])).to_array();
    let (r0, r1, r2, r3) = (r[0] + r[4], r[1] + r[5], r[2] + r[6], r[3] + r[7]);
    (r0 + r2) + (r1 + r3)
}

#[inline(always)]
fn add_square(sum: f32x8, x: f32x8, y: f32x8) -> f32x8 {
    let d = x - y;
    sum + d * d
}

/// The inner product; see [`super::scalar`].
#[inline]
#[cfg_attr(kithdb_small, optimize(speed))]
pub(super) fn dot_f32(a: &[f32], b: &[f32]) -> f32 {
    sum_f32(a, b, |sum, x, y| sum + x * y)
}

/// The squared Euclidean distance; see [`super::scalar`].
#[inline]
#[cfg_attr(kithdb_small, optimize(speed))]
pub(super) fn squared_l2_f32(a: &[f32], b: &[f32]) -> f32 {
    sum_f32(a, b, add_square)
}

/// The Manhattan distance; see [`super::scalar`].
#[inline]
#[cfg_attr(kithdb_small, optimize(speed))]
pub(super) fn l1_f32(a: &[f32], b: &[f32]) -> f32 {
    sum_f32(a, b, |sum, x, y| sum + (x - y).abs())
}

/// The inner product with f16; see [`super::scalar`].
#[inline]
#[cfg_attr(kithdb_small, optimize(speed))]
pub(super) fn dot_f16(a: &[f32], b: &[f16]) -> f32 {
    sum_f32(a, b, |sum, x, y| sum + x * y)
}

/// The squared Euclidean distance to f16; see [`super::scalar`].
#[inline]
#[cfg_attr(kithdb_small, optimize(speed))]
pub(super) fn squared_l2_f16(a: &[f32], b: &[f16]) -> f32 {
    sum_f32(a, b, add_square)
}

/// The Manhattan distance to f16; see [`super::scalar`].
#[inline]
#[cfg_attr(kithdb_small, optimize(speed))]
pub(super) fn l1_f16(a: &[f32], b: &[f16]) -> f32 {
    sum_f32(a, b, |sum, x, y| sum + (x - y).abs())
}

/// Sixteen int8 as two times eight int16. SSE2 has no widening load, but the even and the odd bytes of a register
/// are two and one shifts away; which of them meet does not matter for an exact sum.
#[inline(always)]
fn widen(bytes: [i8; 16]) -> (i16x8, i16x8) {
    let pairs: i16x8 = cast(i8x16::new(bytes));
    ((pairs << 8) >> 8, pairs >> 8)
}

#[inline(always)]
fn sum_i8(a: &[i8], b: &[i8], term: impl Fn(i16x8, i16x8) -> i32x4) -> i32 {
    assert_eq!(a.len(), b.len(), "{SAME_DIM}");
    let mut sums = [i32x4::ZERO; 2];
    let mut add = |x: [i8; 16], y: [i8; 16]| {
        let ((x_even, x_odd), (y_even, y_odd)) = (widen(x), widen(y));
        sums[0] += term(x_even, y_even);
        sums[1] += term(x_odd, y_odd);
    };
    let (a_blocks, a_end) = a.as_chunks::<16>();
    let (b_blocks, b_end) = b.as_chunks::<16>();
    for (x, y) in a_blocks.iter().zip(b_blocks) {
        add(*x, *y);
    }
    if !a_end.is_empty() {
        add(padded(a_end), padded(b_end));
    }
    // Squares may need all 32 bits; sums wrap, and their bits are right.
    (sums[0] + sums[1]).to_array().iter().fold(0, |sum: i32, lane| sum.wrapping_add(*lane))
}

/// The inner product of int8 codes, exact.
#[inline]
#[cfg_attr(kithdb_small, optimize(speed))]
pub(super) fn dot_i8(a: &[i8], b: &[i8]) -> i32 {
    sum_i8(a, b, |x, y| x.dot(y))
}

/// The squared Euclidean distance of int8 codes, exact.
#[inline]
#[cfg_attr(kithdb_small, optimize(speed))]
pub(super) fn squared_l2_i8(a: &[i8], b: &[i8]) -> u32 {
    sum_i8(a, b, |x, y| (x - y).dot(x - y)) as u32
}

/// The Manhattan distance of int8 codes, exact.
#[inline]
#[cfg_attr(kithdb_small, optimize(speed))]
pub(super) fn l1_i8(a: &[i8], b: &[i8]) -> i32 {
    sum_i8(a, b, |x, y| (x - y).abs().dot(i16x8::ONE))
}

/// How many bits differ; eight bytes at a time.
#[inline(always)]
#[cfg_attr(kithdb_small, optimize(speed))]
pub(super) fn hamming(a: &[u8], b: &[u8]) -> u32 {
    assert_eq!(a.len(), b.len(), "{SAME_DIM}");
    let (a_words, a_end) = a.as_chunks::<8>();
    let (b_words, b_end) = b.as_chunks::<8>();
    let differing = |x: [u8; 8], y: [u8; 8]| (u64::from_le_bytes(x) ^ u64::from_le_bytes(y)).count_ones();
    let words: u32 = a_words.iter().zip(b_words).map(|(x, y)| differing(*x, *y)).sum();
    words + differing(padded(a_end), padded(b_end))
}

/// The inner products of a query with chosen rows.
#[cfg_attr(kithdb_small, optimize(speed))]
pub(super) fn dot_i8_rows(query: &CodeQuery, rows: &[i8], of: &[u32], out: &mut Vec<f32>) {
    let query = query.bytes();
    let row = |i: u32| &rows[i as usize * query.len()..][..query.len()];
    out.extend(of.iter().map(|&i| dot_i8(query, row(i)) as f32));
}

/// The Manhattan distances of a query to chosen rows.
#[cfg_attr(kithdb_small, optimize(speed))]
pub(super) fn l1_i8_rows(query: &CodeQuery, rows: &[i8], of: &[u32], out: &mut Vec<f32>) {
    let query = query.bytes();
    let row = |i: u32| &rows[i as usize * query.len()..][..query.len()];
    out.extend(of.iter().map(|&i| l1_i8(query, row(i)) as f32));
}
