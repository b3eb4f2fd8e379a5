//! The four ways to compare vectors, what a vector must be under each, and the one function that makes scores.

use crate::base::limits::{COMPONENT_MAX, DIM_MAX};
use crate::base::{Error, InputError, Result};
use crate::kernels::dot_f32;

/// Shortest vector with a direction, squared: its components' squares are still normal f32 numbers.
const SQUARED_NORM_MIN: f32 = 1e-30;

/// How vectors are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Metric {
    /// 1 - cos of the angle, 0 to 2.
    Cosine = 1,
    /// The squared Euclidean distance.
    Euclidean = 2,
    /// The inner product, negated.
    Dot = 3,
    /// The sum of absolute differences.
    Manhattan = 4,
}

impl Metric {
    /// Every metric.
    pub const ALL: [Self; 4] = [Self::Cosine, Self::Euclidean, Self::Dot, Self::Manhattan];

    /// Its number in files and logs.
    #[must_use]
    pub fn tag(self) -> u8 {
        self as u8
    }

    /// The metric of a number in a file.
    #[must_use]
    pub fn from_tag(tag: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|metric| metric.tag() == tag)
    }

    /// Its name on every surface.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Cosine => "cosine",
            Self::Euclidean => "euclidean",
            Self::Dot => "dot",
            Self::Manhattan => "manhattan",
        }
    }

    /// The metric of a name; `l2` is euclidean and `l1` is manhattan.
    ///
    /// # Errors
    /// `invalid_parameter` for any other name.
    ///
    /// # Examples
    /// ```
    /// use kithdb::vectors::Metric;
    /// assert_eq!(Metric::parse("l2"), Ok(Metric::Euclidean));
    /// assert_eq!(Metric::parse("hamming").unwrap_err().code(), "invalid_parameter");
    /// ```
    pub fn parse(name: &str) -> Result<Self> {
        match name {
            "cosine" => Ok(Self::Cosine),
            "euclidean" | "l2" => Ok(Self::Euclidean),
            "dot" => Ok(Self::Dot),
            "manhattan" | "l1" => Ok(Self::Manhattan),
            _ => {
                let got = crate::base::ids::shorten(name);
                Err(Error::parameter("metric", got, "cosine, euclidean (l2), dot or manhattan (l1)"))
            }
        }
    }
}

/// Refuses a vector that cannot be stored or searched under a metric; `dim` is that of the collection, once it has one.
///
/// # Errors
/// `dimension_mismatch`; `invalid_vector` for no or too many components, NaN, infinity, a component beyond
/// [`COMPONENT_MAX`] and, under cosine, a vector too short to have a direction.
pub fn check_vector(metric: Metric, dim: Option<usize>, vector: &[f32]) -> Result<()> {
    let refuse = |got: String, expected| Err(InputError::Vector { got, expected }.into());
    if let Some(expected) = dim.filter(|&dim| dim != vector.len()) {
        return Err(InputError::Dimension { expected, got: vector.len() }.into());
    }
    if vector.is_empty() || vector.len() > DIM_MAX {
        return refuse(format!("{} components", vector.len()), "1 to 65536 components");
    }
    // A range holds no NaN.
    let fits = |x: f32| (-COMPONENT_MAX..=COMPONENT_MAX).contains(&x);
    if let Some((i, x)) = vector.iter().enumerate().find(|(_, x)| !fits(**x)) {
        return refuse(format!("{x} at component {i}"), "finite components between -1e15 and 1e15");
    }
    if metric == Metric::Cosine && dot_f32(vector, vector) < SQUARED_NORM_MIN {
        return refuse(
            "a vector of length zero".to_owned(),
            "a length of at least 1e-15 for the cosine metric",
        );
    }
    Ok(())
}

/// The score of a distance: larger is better. Nothing else turns one into the other.
///
/// # Units
/// `1 / (1 + distance)`, in (0, 1], for cosine, euclidean (squared) and manhattan; the inner product itself for dot.
///
/// # Examples
/// ```
/// use kithdb::vectors::{Metric, score};
/// assert_eq!(score(Metric::Euclidean, 0.25), 0.8);
/// assert_eq!(score(Metric::Dot, -3.0), 3.0);
/// ```
#[must_use]
pub fn score(metric: Metric, distance: f32) -> f32 {
    match metric {
        Metric::Cosine | Metric::Euclidean | Metric::Manhattan => 1.0 / (1.0 + distance),
        Metric::Dot => 0.0 - distance,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_and_names_lead_back() {
        for metric in Metric::ALL {
            assert_eq!(Metric::from_tag(metric.tag()), Some(metric));
            assert_eq!(Metric::parse(metric.name()), Ok(metric));
        }
        assert_eq!(Metric::from_tag(0), None);
        assert_eq!(Metric::ALL.map(Metric::tag), [1, 2, 3, 4], "tags are in files and never change");
    }

    #[test]
    fn vectors_that_cannot_be_searched_are_refused() {
        let code = |metric, dim, v: &[f32]| check_vector(metric, dim, v).expect_err("refused").code();
        for metric in Metric::ALL {
            assert_eq!(code(metric, Some(3), &[1.0; 2]), "dimension_mismatch");
            assert_eq!(code(metric, None, &[]), "invalid_vector");
            assert_eq!(code(metric, None, &vec![1.0; DIM_MAX + 1]), "invalid_vector");
            for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1.1e15, -f32::MAX] {
                assert_eq!(code(metric, Some(2), &[1.0, bad]), "invalid_vector");
            }
            check_vector(metric, Some(2), &[1e15, -1e15]).expect("the largest components");
        }
        assert_eq!(code(Metric::Cosine, None, &[0.0, -0.0]), "invalid_vector");
        assert_eq!(code(Metric::Cosine, None, &[1e-20, 1e-40]), "invalid_vector");
        check_vector(Metric::Dot, None, &[0.0]).expect("zero has an inner product with everything");
    }
}
