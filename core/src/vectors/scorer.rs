//! All that an index knows of vectors: distances between numbered things.

/// Distances of the vectors of a segment to one query.
pub trait Scorer {
    /// How far vector `i` is from the query.
    ///
    /// # Units
    /// That of the metric; smaller is closer, and it may be negative for the inner product.
    ///
    /// # Panics
    /// When `i` is not below the number of vectors.
    fn distance(&self, i: u32) -> f32;

    /// The distances of several, in their order, at the end of `out`.
    ///
    /// # Panics
    /// When a number is not below the number of vectors.
    #[inline]
    fn distances(&self, of: &[u32], out: &mut Vec<f32>) {
        out.extend(of.iter().map(|&i| self.distance(i)));
    }

    /// Asks for what the distance of `i` will read: a search waits for memory more than for arithmetic.
    #[inline]
    fn prefetch(&self, _i: u32) {}
}

impl<F: Fn(u32) -> f32> Scorer for F {
    fn distance(&self, i: u32) -> f32 {
        self(i)
    }
}

/// Distances among the vectors of a segment, for building an index.
pub trait Space: Sync {
    /// Distances to one of the vectors.
    type OfOne<'a>: Scorer
    where
        Self: 'a;

    /// How many vectors.
    fn len(&self) -> usize;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How far two vectors are apart, the same in both directions.
    fn pair(&self, a: u32, b: u32) -> f32;

    /// Vector `i` as a query.
    fn scorer_of(&self, i: u32) -> Self::OfOne<'_>;
}
