//! The codes of queries, made ready for kernels that compare them with many rows.

/// An int8 code, also as int16, which x86 multiplies. Kept from one query to the next.
#[derive(Debug, Clone, Default)]
pub struct CodeQuery {
    bytes: Vec<i8>,
    wide: Vec<i16>,
}

impl CodeQuery {
    /// Makes it `len` zeros and gives them to `fill`.
    pub fn set<T>(&mut self, len: usize, fill: impl FnOnce(&mut [i8]) -> T) -> T {
        self.bytes.clear();
        self.bytes.resize(len, 0);
        let result = fill(&mut self.bytes);
        self.wide.clear();
        self.wide.extend(self.bytes.iter().map(|&x| i16::from(x)));
        result
    }

    /// The code.
    #[must_use]
    #[inline]
    pub fn bytes(&self) -> &[i8] {
        &self.bytes
    }

    /// The code, each component as int16.
    #[must_use]
    #[inline]
    pub fn wide(&self) -> &[i16] {
        &self.wide
    }
}

/// Bits of a component of a [`BitQuery`].
pub const PLANES: usize = 4;
/// Bits of a row that are compared at once.
pub const WORD_BITS: usize = 64;

/// A query for rows of bits: components in -8..=7, kept as planes of their bits. Kept from one query to the next.
#[derive(Debug, Clone, Default)]
pub struct BitQuery {
    /// For each word of a row the words of the planes, the lowest bit first; the last plane counts -8.
    planes: Vec<[u64; PLANES]>,
    stride: usize,
}

impl BitQuery {
    /// Takes these components; rows have as many bits, and `stride` bytes with what stands behind them.
    ///
    /// # Panics
    /// When they are not whole words or longer than a row.
    pub fn set(&mut self, components: &[i8], stride: usize) {
        assert!(
            components.len().is_multiple_of(WORD_BITS) && components.len() / 8 <= stride,
            "whole words of a row"
        );
        self.stride = stride;
        self.planes.clear();
        self.planes.extend(components.chunks_exact(WORD_BITS).map(|word| {
            let plane = |plane: usize| {
                let bit = |(i, x): (usize, &i8)| (u64::from(*x as u8 >> plane) & 1) << i;
                word.iter().enumerate().map(bit).fold(0, |all, bit| all | bit)
            };
            std::array::from_fn(plane)
        }));
    }

    /// For each word of a row the words of the planes.
    #[must_use]
    #[inline]
    pub fn planes(&self) -> &[[u64; PLANES]] {
        &self.planes
    }

    /// Bytes from one row to the next.
    #[must_use]
    #[inline]
    pub fn stride(&self) -> usize {
        self.stride
    }
}
