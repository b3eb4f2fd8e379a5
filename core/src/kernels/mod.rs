//! Distances: numbers in, numbers out. [`scalar`] says what they compute, bit by bit; [`lanes`] runs everywhere, and
//! `x86` where the running processor has more than its kind must have.
//!
//! Every implementation gives the bits of the scalar one, on every target, so answers do not depend on the machine.

pub mod lanes;
pub mod scalar;
#[cfg(target_arch = "x86_64")]
mod x86;

mod query;

use half::f16;

pub use scalar::dot_bits;

pub use query::{BLOCK_WORDS, BitQuery, CodeQuery, PLANES, WORD_BITS};

/// Rows of codes are whole blocks of so many components.
pub const ROW_BLOCK: usize = 16;

/// One implementation of every kernel; what each computes stands in [`scalar`].
#[derive(Debug, Clone, Copy)]
pub struct Kernels {
    /// What it runs on.
    pub name: &'static str,
    /// The inner product.
    pub dot_f32: fn(&[f32], &[f32]) -> f32,
    /// The squared Euclidean distance.
    pub squared_l2_f32: fn(&[f32], &[f32]) -> f32,
    /// The Manhattan distance.
    pub l1_f32: fn(&[f32], &[f32]) -> f32,
    /// The inner product with a vector kept as f16.
    pub dot_f16: fn(&[f32], &[f16]) -> f32,
    /// The squared Euclidean distance to a vector kept as f16.
    pub squared_l2_f16: fn(&[f32], &[f16]) -> f32,
    /// The Manhattan distance to a vector kept as f16.
    pub l1_f16: fn(&[f32], &[f16]) -> f32,
    /// The inner product of int8 codes.
    pub dot_i8: fn(&[i8], &[i8]) -> i32,
    /// The squared Euclidean distance of int8 codes.
    pub squared_l2_i8: fn(&[i8], &[i8]) -> u32,
    /// The Manhattan distance of int8 codes.
    pub l1_i8: fn(&[i8], &[i8]) -> i32,
    /// How many bits differ.
    pub hamming: fn(&[u8], &[u8]) -> u32,
    /// The inner products of a query with chosen rows, which are as long as its code.
    pub dot_i8_rows: fn(&CodeQuery, &[i8], &[u32], &mut Vec<f32>),
    /// The Manhattan distances of a query to chosen rows, which are as long as its code.
    pub l1_i8_rows: fn(&CodeQuery, &[i8], &[u32], &mut Vec<f32>),
    /// The inner products of a query with chosen rows of bits.
    pub dot_bits_rows: fn(&BitQuery, &[u8], &[u32], &mut Vec<f32>),
}

/// Every implementation that can run here, the best first.
#[must_use]
pub fn supported() -> Vec<&'static Kernels> {
    #[cfg(target_arch = "x86_64")]
    let first = x86::supported();
    #[cfg(not(target_arch = "x86_64"))]
    let first = std::iter::empty();
    first.chain([&lanes::LANES, &scalar::SCALAR]).collect()
}

/// The implementation that answers use: the best that can run here.
#[cfg(target_arch = "x86_64")]
#[must_use]
#[inline]
pub fn kernels() -> &'static Kernels {
    static BEST: std::sync::OnceLock<&'static Kernels> = std::sync::OnceLock::new();
    BEST.get_or_init(|| supported()[0])
}

/// The implementation that answers use: the one for this target.
#[cfg(not(target_arch = "x86_64"))]
#[must_use]
#[inline(always)]
pub fn kernels() -> &'static Kernels {
    &lanes::LANES
}

/// Defines functions that call the implementation in use: directly where there is but one.
macro_rules! dispatched {
    ($($(#[$doc:meta])* $name:ident($a:ty, $b:ty) -> $out:ty;)*) => {$(
        $(#[$doc])*
        ///
        /// # Panics
        /// When the dimensions differ.
        #[must_use]
        #[inline]
        pub fn $name(a: $a, b: $b) -> $out {
            #[cfg(target_arch = "x86_64")]
            return (kernels().$name)(a, b);
            #[cfg(not(target_arch = "x86_64"))]
            lanes::$name(a, b)
        }
    )*};
}

dispatched! {
    /// The inner product.
    dot_f32(&[f32], &[f32]) -> f32;
    /// The squared Euclidean distance.
    squared_l2_f32(&[f32], &[f32]) -> f32;
    /// The Manhattan distance.
    l1_f32(&[f32], &[f32]) -> f32;
    /// The inner product with a vector kept as f16.
    dot_f16(&[f32], &[f16]) -> f32;
    /// The squared Euclidean distance to a vector kept as f16.
    squared_l2_f16(&[f32], &[f16]) -> f32;
    /// The Manhattan distance to a vector kept as f16.
    l1_f16(&[f32], &[f16]) -> f32;
    /// The inner product of int8 codes, exact.
    dot_i8(&[i8], &[i8]) -> i32;
    /// The squared Euclidean distance of int8 codes, exact.
    squared_l2_i8(&[i8], &[i8]) -> u32;
    /// The Manhattan distance of int8 codes, exact.
    l1_i8(&[i8], &[i8]) -> i32;
    /// How many bits differ.
    hamming(&[u8], &[u8]) -> u32;
}

/// Asks for what will be read soon; nothing where the target has no way to ask.
#[inline(always)]
pub fn prefetch<T>(numbers: &[T]) {
    #[cfg(target_arch = "x86_64")]
    x86::prefetch(numbers);
    #[cfg(not(target_arch = "x86_64"))]
    let _ = numbers;
}

/// Element by element: a copy of unknown length would be a call, and dearer than a whole kernel.
#[inline(always)]
fn padded<T: Copy + Default, const N: usize>(end: &[T]) -> [T; N] {
    std::array::from_fn(|i| end.get(i).copied().unwrap_or_default())
}

#[cfg(test)]
mod tests;
