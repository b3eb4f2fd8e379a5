//! Stored forms: how the vector that a reader gets back is kept.
//!
//! A vector is rounded when it is written, to what its form can hold; from then on nothing changes it: encoding what was
//! decoded gives the same bytes. So every reader sees the same vector, wherever it is at the time.

use std::borrow::Cow;

use half::f16;
use half::slice::{HalfBitsSliceExt, HalfFloatSliceExt};

use super::metric::{Metric, check_vector};
use super::stored::PreparedQuery;
use crate::base::bytes::{le_bytes, numbers};
use crate::base::limits::COMPONENT_MAX;
use crate::base::{Error, InputError, Result};
use crate::kernels::{dot_f16, l1_f16, squared_l2_f16};

/// How the vector that a reader gets back is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[repr(u8)]
pub enum Stored {
    /// The caller's bits: four bytes a component.
    #[default]
    F32 = 1,
    /// IEEE half precision: two bytes a component, of eleven significant bits.
    F16 = 2,
    /// A byte a component, and for each vector a scale: the largest component is 127 of it.
    Int8 = 3,
}

/// int8 stands for -127 to 127 scales.
const STEPS: f32 = 127.0;
/// A scale has sixteen significant bits: its product with any step is an f32 exactly, so that nothing is rounded twice.
const SCALE_BITS_CUT: u32 = 0xFF;
/// Bytes of a scale.
const SCALE: usize = 4;

impl Stored {
    /// Every form.
    pub const ALL: [Self; 3] = [Self::F32, Self::F16, Self::Int8];

    /// Its number in files.
    #[must_use]
    pub fn tag(self) -> u8 {
        self as u8
    }

    /// The form of a number in a file.
    #[must_use]
    pub fn from_tag(tag: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|form| form.tag() == tag)
    }

    /// Its name on every surface.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
            Self::Int8 => "int8",
        }
    }

    /// The form of this name.
    ///
    /// # Errors
    /// `invalid_parameter`.
    pub fn parse(name: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|form| form.name() == name);
        found.ok_or_else(|| Error::parameter("stored", crate::base::ids::shorten(name), "f32, f16 or int8"))
    }

    /// Bytes of a vector of this dimension.
    #[must_use]
    pub fn width(self, dim: usize) -> usize {
        match self {
            Self::F32 => dim * 4,
            Self::F16 => dim * 2,
            Self::Int8 => dim + SCALE,
        }
    }

    /// The dimension of vectors that take so many bytes each; `None` when none does.
    #[must_use]
    pub fn dim(self, width: usize) -> Option<usize> {
        let dim = match self {
            Self::F32 => width / 4,
            Self::F16 => width / 2,
            Self::Int8 => width.checked_sub(SCALE)?,
        };
        (self.width(dim) == width).then_some(dim)
    }

    /// Rounds a vector that passed [`check_vector`] to what this form holds.
    ///
    /// # Errors
    /// `invalid_vector` when what is left of it could not be searched: a component beyond 65,504 has no f16, and one
    /// that is all but zero is zero.
    pub fn round(self, metric: Metric, vector: &mut [f32]) -> Result<()> {
        match self {
            Self::F32 => return Ok(()),
            Self::F16 => {
                for (i, x) in vector.iter_mut().enumerate() {
                    let rounded = f16::from_f32(*x);
                    if !rounded.is_finite() {
                        let expected = "components between -65504 and 65504, the largest that f16 can store";
                        return Err(
                            InputError::Vector { got: format!("{x} at component {i}"), expected }.into()
                        );
                    }
                    *x = rounded.to_f32();
                }
            }
            Self::Int8 => {
                let scale = scale_of(vector);
                vector.iter_mut().for_each(|x| *x = f32::from(step_of(*x, scale)) * scale);
            }
        }
        check_vector(metric, None, vector)
    }

    /// Whether it holds this vector as it is.
    #[must_use]
    pub fn holds(self, vector: &[f32]) -> bool {
        match self {
            Self::F32 => true,
            Self::F16 => vector.iter().all(|x| f16::from_f32(*x).to_f32().to_bits() == x.to_bits()),
            Self::Int8 => {
                let scale = scale_of(vector);
                vector.iter().all(|x| (f32::from(step_of(*x, scale)) * scale).to_bits() == x.to_bits())
            }
        }
    }

    /// Appends the bytes of a vector that was rounded to this form.
    pub fn encode(self, vector: &[f32], out: &mut Vec<u8>) {
        match self {
            Self::F32 => out.extend_from_slice(le_bytes(vector)),
            Self::F16 => out.extend(vector.iter().flat_map(|x| f16::from_f32(*x).to_le_bytes())),
            Self::Int8 => {
                let scale = scale_of(vector);
                out.extend_from_slice(&scale.to_le_bytes());
                out.extend(vector.iter().map(|x| step_of(*x, scale) as u8));
            }
        }
    }

    /// Vectors of this dimension, one after another: `[n, dim]`. Copied only where it must be.
    #[must_use]
    pub fn decode(self, bytes: &[u8], dim: usize) -> Cow<'_, [f32]> {
        if self == Self::F32 {
            return floats(bytes);
        }
        let mut decoded = Vec::new();
        self.decode_into(bytes, dim, &mut decoded);
        Cow::Owned(decoded)
    }

    fn decode_into(self, bytes: &[u8], dim: usize, out: &mut Vec<f32>) {
        out.clear();
        match self {
            Self::F32 => out.extend_from_slice(&floats(bytes)),
            Self::F16 => {
                let halves = halves(bytes);
                out.resize(halves.len(), 0.0);
                halves.convert_to_f32_slice(out);
            }
            Self::Int8 => {
                for row in bytes.chunks_exact(dim + SCALE) {
                    let (scale, steps) = row.split_at(SCALE);
                    let scale = f32::from_le_bytes([scale[0], scale[1], scale[2], scale[3]]);
                    out.extend(steps.iter().map(|step| f32::from(*step as i8) * scale));
                }
            }
        }
    }
}

impl PreparedQuery {
    /// The exact distance to a vector in the form that it is stored in: that to what [`Stored::decode`] gives.
    /// `decoded` is memory to use.
    ///
    /// # Shapes
    /// `bytes`: [`Stored::width`] of the query's dimension.
    #[must_use]
    pub fn distance_stored(
        &self,
        form: Stored,
        bytes: &[u8],
        inverse_norm: f32,
        decoded: &mut Vec<f32>,
    ) -> f32 {
        match form {
            Stored::F32 => self.distance(&floats(bytes), inverse_norm),
            Stored::F16 => {
                let (row, query) = (halves(bytes), self.vector());
                match self.metric() {
                    Metric::Cosine | Metric::Dot => self.of_product(dot_f16(query, &row), inverse_norm),
                    Metric::Euclidean => squared_l2_f16(query, &row),
                    Metric::Manhattan => l1_f16(query, &row),
                }
            }
            Stored::Int8 => {
                form.decode_into(bytes, self.vector().len(), decoded);
                self.distance(decoded, inverse_norm)
            }
        }
    }
}

/// Of the largest component 127, rounded up to few enough bits; never so small that products are no normal numbers, nor so
/// large that a component may not be stored.
fn scale_of(vector: &[f32]) -> f32 {
    let largest = vector.iter().fold(0f32, |largest, x| largest.max(x.abs()));
    let scale = (largest / STEPS).max(f32::MIN_POSITIVE);
    let most = f32::from_bits((COMPONENT_MAX / STEPS).to_bits() & !SCALE_BITS_CUT);
    f32::from_bits((scale.to_bits() + SCALE_BITS_CUT) & !SCALE_BITS_CUT).min(most)
}

fn step_of(x: f32, scale: f32) -> i8 {
    // A cast saturates, and is that of -127 at the least.
    (x / scale).round_ties_even() as i8
}

/// Bytes of a row section as f32, copied only where they are not aligned.
#[cfg_attr(kithdb_small, optimize(speed))]
#[inline]
fn floats(bytes: &[u8]) -> Cow<'_, [f32]> {
    match numbers(bytes) {
        Ok(aligned) => Cow::Borrowed(aligned),
        Err(_) => {
            Cow::Owned(bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect())
        }
    }
}

fn halves(bytes: &[u8]) -> Cow<'_, [f16]> {
    match numbers::<u16>(bytes) {
        Ok(aligned) => Cow::Borrowed(aligned.reinterpret_cast()),
        Err(_) => Cow::Owned(bytes.chunks_exact(2).map(|b| f16::from_le_bytes([b[0], b[1]])).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::inverse_norm;
    use proptest::prelude::*;

    /// Components of any size that may be stored.
    fn vectors() -> impl Strategy<Value = Vec<f32>> {
        let component = prop_oneof![
            4 => -1f32..1.0,
            2 => -1e15f32..1e15,
            1 => prop::num::f32::SUBNORMAL | prop::num::f32::ZERO,
            1 => -1e-30f32..1e-30,
        ];
        prop::collection::vec(component, 1..70)
    }

    #[test]
    fn tags_and_names_lead_back() {
        for form in Stored::ALL {
            assert_eq!(Stored::from_tag(form.tag()), Some(form));
            assert_eq!(Stored::parse(form.name()), Ok(form));
            assert_eq!(form.dim(form.width(7)), Some(7));
        }
        assert_eq!((Stored::F16.dim(5), Stored::Int8.dim(3)), (None, None));
        assert_eq!(Stored::parse("float64").expect_err("no form").code(), "invalid_parameter");
    }

    proptest! {
        /// A vector that was rounded is read back as it is, from any form, at any alignment.
        #[test]
        fn what_was_rounded_stays(mut vector in vectors(), metric in prop::sample::select(Metric::ALL.to_vec())) {
            for form in Stored::ALL {
                if check_vector(metric, None, &vector).is_err() || form.round(metric, &mut vector).is_err() {
                    continue;
                }
                prop_assert!(form.holds(&vector), "{form:?}");
                let mut bytes = vec![0];
                form.encode(&vector, &mut bytes);
                prop_assert_eq!(bytes.len() - 1, form.width(vector.len()));
                let same = |a: &[f32], b: &[f32]| a.iter().zip(b).all(|(x, y)| x.to_bits() == y.to_bits());
                prop_assert!(same(&form.decode(&bytes[1..], vector.len()), &vector), "{form:?}");
                let query: Vec<f32> = vector.iter().map(|x| x * 0.5 + 0.1).collect();
                let (query, norm) = (PreparedQuery::new(metric, &query), inverse_norm(&vector));
                let stored = query.distance_stored(form, &bytes[1..], norm, &mut Vec::new());
                prop_assert_eq!(stored.to_bits(), query.distance(&vector, norm).to_bits());
            }
        }

        /// No component is further from what it was than half a step.
        #[test]
        fn rounding_is_to_the_nearest(vector in prop::collection::vec(-1f32..1.0, 1..70)) {
            let (mut half, mut byte) = (vector.clone(), vector.clone());
            Stored::F16.round(Metric::Dot, &mut half).expect("within bounds");
            Stored::Int8.round(Metric::Dot, &mut byte).expect("within bounds");
            let largest = vector.iter().fold(0f32, |largest, x| largest.max(x.abs()));
            for i in 0..vector.len() {
                prop_assert!((half[i] - vector[i]).abs() <= vector[i].abs() / 2048.0 + 1e-7);
                prop_assert!((byte[i] - vector[i]).abs() <= largest / 127.0 * 0.501);
            }
        }
    }

    #[test]
    fn what_a_form_cannot_hold_is_refused() {
        let code = |form: Stored, vector: &[f32]| {
            form.round(Metric::Cosine, &mut vector.to_vec()).expect_err("refused").code()
        };
        assert_eq!(code(Stored::F16, &[1.0, 65_520.0]), "invalid_vector");
        assert_eq!(code(Stored::F16, &[1e-9, 1e-9]), "invalid_vector", "it would be zero");
        let mut largest = [65_504.0, -1e15];
        Stored::F16.round(Metric::Dot, &mut largest[..1]).expect("the largest f16");
        Stored::Int8.round(Metric::Cosine, &mut largest).expect("any size");
        assert_eq!(largest[0], 0.0, "beside what is so much larger");
        assert!(largest[1] <= -9.999e14, "{}", largest[1]);
        let mut zero = [0.0, -0.0];
        Stored::Int8.round(Metric::Euclidean, &mut zero).expect("zero is at a distance of everything");
        assert_eq!(zero.map(f32::to_bits), [0, 0]);
    }
}
