//! How the words of a collection are scored: the two numbers of BM25, and how much each field counts.
//!
//! Nothing of it is in postings or impacts, which hold frequencies and lengths: it could be another for each search.

use crate::base::ids::shorten;
use crate::base::limits::{FIELD_WEIGHT_MAX, FIELD_WEIGHT_MIN, FIELD_WEIGHTS_MAX, K1_MAX};
use crate::base::{DecodeError, Error, Reader, Result, SortedMap, Writer};

/// How words are scored.
#[derive(Debug, Clone, PartialEq)]
pub struct Scoring {
    /// How long a repeated term goes on counting: 0 for not at all.
    pub k1: f64,
    /// How much the length of a field counts: 0 for not at all, 1 for all of it.
    pub b: f64,
    /// How much a field counts, by path; 1 for the others.
    pub weights: SortedMap<String, f64>,
}

// What was checked holds no NaN.
impl Eq for Scoring {}

impl Default for Scoring {
    fn default() -> Self {
        Self { k1: 1.2, b: 0.75, weights: SortedMap::new() }
    }
}

impl Scoring {
    /// How much a field counts.
    #[must_use]
    pub fn weight_of(&self, field: &str) -> f64 {
        self.weights.get(field).copied().unwrap_or(1.0)
    }

    /// Refuses numbers that make no score: one that is not above 0, or would round to it.
    ///
    /// # Errors
    /// `invalid_parameter`.
    pub fn check(&self) -> Result<()> {
        // The sign, too: there is one way to write a 0.
        let is_within = |x: f64, most: f64| (0.0..=most).contains(&x) && x.is_sign_positive();
        if !is_within(self.k1, K1_MAX) {
            return Err(Error::parameter("k1", self.k1, format!("0 to {K1_MAX}")));
        }
        if !is_within(self.b, 1.0) {
            return Err(Error::parameter("b", self.b, "0 to 1"));
        }
        if self.weights.len() > FIELD_WEIGHTS_MAX {
            let expected = format!("at most {FIELD_WEIGHTS_MAX} fields");
            return Err(Error::parameter("weights", self.weights.len(), expected));
        }
        let is_weight = |weight: &f64| (FIELD_WEIGHT_MIN..=FIELD_WEIGHT_MAX).contains(weight);
        if let Some((path, weight)) = self.weights.iter().find(|(_, weight)| !is_weight(weight)) {
            let got = format!("{weight} of {:?}", shorten(path));
            let expected = format!("{FIELD_WEIGHT_MIN} to {FIELD_WEIGHT_MAX}");
            return Err(Error::parameter("weights", got, expected));
        }
        Ok(())
    }

    /// Appends its bytes.
    pub(super) fn encode(&self, w: &mut Writer) {
        w.f64(self.k1);
        w.f64(self.b);
        w.varint(self.weights.len() as u64);
        for (path, weight) in &self.weights {
            w.str(path);
            w.f64(*weight);
        }
    }

    /// Reads what [`Scoring::encode`] wrote of one that is not the default.
    pub(super) fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let offset = r.offset();
        let mut scoring = Self { k1: r.f64()?, b: r.f64()?, weights: SortedMap::new() };
        for _ in 0..r.count(9)? {
            let path = r.str()?.to_owned();
            if scoring.weights.last().is_some_and(|(last, _)| *last >= path) {
                return Err(DecodeError { offset, expected: "paths in ascending order" });
            }
            scoring.weights.insert(path, r.f64()?);
        }
        if scoring.check().is_err() || scoring == Self::default() {
            return Err(DecodeError { offset, expected: "numbers of scoring that are not the default" });
        }
        Ok(scoring)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_make_no_score_are_refused() {
        let of = |k1: f64, b: f64, weight: f64| {
            let weights = [("a".to_owned(), weight)].into();
            Scoring { k1, b, weights }.check().is_ok()
        };
        assert!(of(0.0, 0.0, 1e-6) && of(100.0, 1.0, 1000.0) && of(1.2, 0.75, 2.5));
        for k1 in [-0.1, -0.0, 100.1, f64::NAN, f64::INFINITY] {
            assert!(!of(k1, 0.5, 1.0), "{k1}");
        }
        for b in [-0.1, -0.0, 1.1, f64::NAN] {
            assert!(!of(1.0, b, 1.0), "{b}");
        }
        for weight in [0.0, -1.0, 1e-7, 1000.1, f64::NAN, f64::INFINITY] {
            assert!(!of(1.0, 0.5, weight), "{weight}");
        }
        let many = (0..=FIELD_WEIGHTS_MAX).map(|i| (format!("f{i}"), 2.0)).collect();
        assert!(Scoring { weights: many, ..Scoring::default() }.check().is_err());
    }
}
