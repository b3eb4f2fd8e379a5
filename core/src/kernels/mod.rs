//! Distances: numbers in, numbers out. [`scalar`] says what they compute, bit by bit; [`lanes`] is what runs.
//!
//! Every implementation gives the bits of the scalar one, on every target, so answers do not depend on the machine.

pub mod lanes;
pub mod scalar;

pub use lanes::{dot_f32, dot_i8, l1_f32, l1_i8, squared_l2_f32};
