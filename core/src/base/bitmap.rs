//! A fixed set of slots, one bit each.

/// A set of numbers below `len`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bitmap {
    words: Vec<u64>,
    len: usize,
}

impl Bitmap {
    /// No number below `len`.
    #[must_use]
    pub fn empty(len: usize) -> Self {
        Self { words: vec![0; len.div_ceil(64)], len }
    }

    /// Every number below `len`.
    #[must_use]
    pub fn full(len: usize) -> Self {
        let mut all = Self { words: vec![u64::MAX; len.div_ceil(64)], len };
        all.clear_tail();
        all
    }

    /// The bound of its numbers.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether no number can be in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Adds a number.
    ///
    /// # Panics
    /// When it is not below `len`.
    #[cfg_attr(kithdb_small, optimize(speed))]
    #[inline]
    pub fn insert(&mut self, i: usize) {
        assert!(i < self.len, "{i} is not below {}", self.len);
        self.words[i / 64] |= 1 << (i % 64);
    }

    /// Takes a number out.
    ///
    /// # Panics
    /// When it is not below `len`.
    pub fn remove(&mut self, i: usize) {
        assert!(i < self.len, "{i} is not below {}", self.len);
        self.words[i / 64] &= !(1 << (i % 64));
    }

    /// Whether a number is in it; one at or above `len` is not.
    #[must_use]
    #[cfg_attr(kithdb_small, optimize(speed))]
    #[inline]
    pub fn contains(&self, i: usize) -> bool {
        self.words.get(i / 64).is_some_and(|w| w >> (i % 64) & 1 == 1)
    }

    /// Keeps what is in both.
    ///
    /// # Panics
    /// When the bounds differ.
    #[cfg_attr(kithdb_small, optimize(speed))]
    pub fn and(&mut self, other: &Self) {
        assert_eq!(self.len, other.len);
        self.words.iter_mut().zip(&other.words).for_each(|(a, b)| *a &= b);
    }

    /// Adds what is in the other.
    ///
    /// # Panics
    /// When the bounds differ.
    #[cfg_attr(kithdb_small, optimize(speed))]
    pub fn or(&mut self, other: &Self) {
        assert_eq!(self.len, other.len);
        self.words.iter_mut().zip(&other.words).for_each(|(a, b)| *a |= b);
    }

    /// Takes out what is in the other.
    ///
    /// # Panics
    /// When the bounds differ.
    #[cfg_attr(kithdb_small, optimize(speed))]
    pub fn and_not(&mut self, other: &Self) {
        assert_eq!(self.len, other.len);
        self.words.iter_mut().zip(&other.words).for_each(|(a, b)| *a &= !b);
    }

    /// Turns every bit over.
    pub fn invert(&mut self) {
        self.words.iter_mut().for_each(|w| *w = !*w);
        self.clear_tail();
    }

    /// How many numbers are in it.
    #[must_use]
    pub fn count(&self) -> usize {
        self.words.iter().map(|w| w.count_ones() as usize).sum()
    }

    /// Its numbers, ascending.
    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.words.iter().enumerate().flat_map(|(i, &word)| {
            std::iter::successors((word != 0).then_some(word), |w| {
                let rest = w & (w - 1);
                (rest != 0).then_some(rest)
            })
            .map(move |w| i * 64 + w.trailing_zeros() as usize)
        })
    }

    /// The first of its numbers that is not below `i`.
    #[must_use]
    #[cfg_attr(kithdb_small, optimize(speed))]
    pub fn first_from(&self, i: usize) -> Option<usize> {
        let at = i / 64;
        let first = self.words.get(at)? & (u64::MAX << (i % 64));
        if first != 0 {
            return Some(at * 64 + first.trailing_zeros() as usize);
        }
        let rest = self.words[at + 1..].iter().position(|word| *word != 0)? + at + 1;
        Some(rest * 64 + self.words[rest].trailing_zeros() as usize)
    }

    /// The bits, 64 numbers a word.
    #[must_use]
    pub fn words(&self) -> &[u64] {
        &self.words
    }

    fn clear_tail(&mut self) {
        if !self.len.is_multiple_of(64)
            && let Some(last) = self.words.last_mut()
        {
            *last &= (1 << (self.len % 64)) - 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn behaves_like_a_set() {
        let mut rng = super::super::Rng::new(1);
        for len in [0usize, 1, 63, 64, 65, 200] {
            let (mut bits, mut set) = (Bitmap::empty(len), BTreeSet::new());
            for _ in 0..len {
                let i = rng.below(len as u64) as usize;
                bits.insert(i);
                set.insert(i);
            }
            assert_eq!(bits.iter().collect::<Vec<_>>(), set.iter().copied().collect::<Vec<_>>());
            assert_eq!(bits.count(), set.len());
            for i in 0..len + 130 {
                assert_eq!(bits.first_from(i), set.range(i..).next().copied());
            }
            bits.invert();
            assert_eq!(bits.count(), len - set.len());
            bits.or(&Bitmap::full(len));
            assert_eq!(bits, Bitmap::full(len));
        }
    }
}
