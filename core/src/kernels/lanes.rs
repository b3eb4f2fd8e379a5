//! The kernels on `wide`: SSE2, AVX2, NEON or wasm simd128 as the target says, the same bits on all of them.
//!
//! Only loads, additions, subtractions, products, shifts and absolute values of `wide` are used: its `mul_add` and
//! `reduce_*` differ between targets.

use bytemuck::cast;
use wide::{f32x8, i8x16, i16x8, i32x4};

const SAME_DIM: &str = "a kernel needs two vectors of one dimension";

/// Four groups of eight lanes; group `g` holds the lanes from `8 g`.
type Groups = [f32x8; 4];

#[inline(always)]
fn sum_f32(a: &[f32], b: &[f32], add: impl Fn(f32x8, f32x8, f32x8) -> f32x8) -> f32 {
    assert_eq!(a.len(), b.len(), "{SAME_DIM}");
    let mut lanes: Groups = [f32x8::ZERO; 4];
    let (a_blocks, a_tail) = a.as_chunks::<32>();
    let (b_blocks, b_tail) = b.as_chunks::<32>();
    for (x, y) in a_blocks.iter().zip(b_blocks) {
        let (x, y): ([[f32; 8]; 4], [[f32; 8]; 4]) = (cast(*x), cast(*y));
        for g in 0..4 {
            lanes[g] = add(lanes[g], f32x8::new(x[g]), f32x8::new(y[g]));
        }
    }
    // Padding with zeros would change no lane, so only the groups that the tail reaches are added to. The loop has a
    // fixed length so that the lanes stay in registers.
    let (a_eights, a_end) = a_tail.as_chunks::<8>();
    let (b_eights, b_end) = b_tail.as_chunks::<8>();
    for (g, group) in lanes.iter_mut().enumerate() {
        if let (Some(x), Some(y)) = (a_eights.get(g), b_eights.get(g)) {
            *group = add(*group, f32x8::new(*x), f32x8::new(*y));
        } else if g == a_eights.len() && !a_end.is_empty() {
            *group = add(*group, f32x8::new(padded(a_end)), f32x8::new(padded(b_end)));
        }
    }
    reduce(lanes)
}

/// Element by element: a copy of unknown length would be a call, and dearer than the whole kernel.
#[inline(always)]
fn padded<T: Copy + Default, const N: usize>(end: &[T]) -> [T; N] {
    std::array::from_fn(|i| end.get(i).copied().unwrap_or_default())
}

/// The tree of `scalar::reduce`: its first two halvings take whole groups.
#[inline(always)]
fn reduce(lanes: Groups) -> f32 {
    let r = ((lanes[0] + lanes[2]) + (lanes[1] + lanes[3])).to_array();
    let (r0, r1, r2, r3) = (r[0] + r[4], r[1] + r[5], r[2] + r[6], r[3] + r[7]);
    (r0 + r2) + (r1 + r3)
}

/// The inner product; see [`super::scalar`].
///
/// # Panics
/// When the dimensions differ.
#[must_use]
#[inline]
pub fn dot_f32(a: &[f32], b: &[f32]) -> f32 {
    sum_f32(a, b, |sum, x, y| sum + x * y)
}

/// The squared Euclidean distance; see [`super::scalar`].
///
/// # Panics
/// When the dimensions differ.
#[must_use]
#[inline]
pub fn squared_l2_f32(a: &[f32], b: &[f32]) -> f32 {
    sum_f32(a, b, |sum, x, y| {
        let d = x - y;
        sum + d * d
    })
}

/// The Manhattan distance; see [`super::scalar`].
///
/// # Panics
/// When the dimensions differ.
#[must_use]
#[inline]
pub fn l1_f32(a: &[f32], b: &[f32]) -> f32 {
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
    (sums[0] + sums[1]).to_array().iter().sum()
}

/// The inner product of int8 codes, exact.
///
/// # Panics
/// When the dimensions differ.
#[must_use]
#[inline]
pub fn dot_i8(a: &[i8], b: &[i8]) -> i32 {
    sum_i8(a, b, |x, y| x.dot(y))
}

/// The Manhattan distance of int8 codes, exact.
///
/// # Panics
/// When the dimensions differ.
#[must_use]
#[inline]
pub fn l1_i8(a: &[i8], b: &[i8]) -> i32 {
    sum_i8(a, b, |x, y| (x - y).abs().dot(i16x8::ONE))
}

#[cfg(test)]
mod tests {
    use super::super::scalar;
    use super::*;
    use crate::base::Rng;
    use proptest::prelude::*;

    type Float = fn(&[f32], &[f32]) -> f32;
    type Int = fn(&[i8], &[i8]) -> i32;

    const FLOATS: [(&str, Float, Float); 3] = [
        ("dot_f32", dot_f32, scalar::dot_f32),
        ("squared_l2_f32", squared_l2_f32, scalar::squared_l2_f32),
        ("l1_f32", l1_f32, scalar::l1_f32),
    ];
    const INTS: [(&str, Int, Int); 2] = [("dot_i8", dot_i8, scalar::dot_i8), ("l1_i8", l1_i8, scalar::l1_i8)];

    /// Mixed magnitudes, so that another order of additions would give other bits.
    fn floats(rng: &mut Rng, dim: usize) -> Vec<f32> {
        let one = |rng: &mut Rng| {
            let scale = [1e-30, 1e-3, 1.0, 1e3, 1e15][rng.below(5) as usize];
            (rng.unit_f32() * 2.0 - 1.0) * scale
        };
        (0..dim).map(|_| one(rng)).collect()
    }

    fn bytes(rng: &mut Rng, dim: usize) -> Vec<i8> {
        (0..dim).map(|_| rng.next_u64() as i8).collect()
    }

    proptest! {
        #[test]
        fn every_kernel_equals_the_specification_bit_for_bit(dim in 0..200usize, seed: u64) {
            let mut rng = Rng::new(seed);
            let (a, b) = (floats(&mut rng, dim), floats(&mut rng, dim));
            for (name, kernel, spec) in FLOATS {
                prop_assert_eq!(kernel(&a, &b).to_bits(), spec(&a, &b).to_bits(), "{} at {}", name, dim);
            }
            let (a, b) = (bytes(&mut rng, dim), bytes(&mut rng, dim));
            for (name, kernel, spec) in INTS {
                prop_assert_eq!(kernel(&a, &b), spec(&a, &b), "{} at {}", name, dim);
            }
        }
    }

    #[test]
    fn the_largest_codes_and_components_do_not_overflow() {
        let (low, high) = (vec![-128i8; 65_536], vec![127i8; 65_536]);
        assert_eq!(dot_i8(&low, &low), 1 << 30);
        assert_eq!(l1_i8(&low, &high), 255 * 65_536);
        let (a, b) = (vec![1e15f32; 65_536], vec![-1e15f32; 65_536]);
        assert!(squared_l2_f32(&a, &b).is_finite());
    }

    #[test]
    #[should_panic(expected = "one dimension")]
    fn different_dimensions_are_a_broken_invariant() {
        let _ = dot_f32(&[1.0], &[1.0, 2.0]);
    }
}
