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
/// Words of a row that the widest registers hold.
pub const BLOCK_WORDS: usize = 8;

/// A query for rows of bits: components in -8..=7, kept as planes of their bits. Kept from one query to the next.
#[derive(Debug, Clone, Default)]
pub struct BitQuery {
    /// For each word of a row the words of the planes, the lowest bit first; the last plane counts -8.
    planes: Vec<[u64; PLANES]>,
    /// The same by blocks of words: of each plane its words, and zeros where the last block is longer than a row.
    blocks: Vec<[[u64; BLOCK_WORDS]; PLANES]>,
    stride: usize,
}

/// The lowest bit of each of eight bytes, the first byte's in the lowest bit.
fn lowest_bits(bytes: u64) -> u64 {
    // Byte i is moved to bit 56 + i; nothing else gets there, so that nothing is carried.
    (bytes & 0x0101_0101_0101_0101).wrapping_mul(0x0102_0408_1020_4080) >> 56
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
        self.planes.extend(components.as_chunks::<WORD_BITS>().0.iter().map(|word| {
            let mut planes = [0; PLANES];
            for (i, eight) in word.as_chunks::<8>().0.iter().enumerate() {
                let bytes = u64::from_le_bytes(eight.map(|x| x as u8));
                for (plane, bits) in planes.iter_mut().enumerate() {
                    *bits |= lowest_bits(bytes >> plane) << (8 * i);
                }
            }
            planes
        }));
        self.blocks.clear();
        self.blocks.extend(self.planes.chunks(BLOCK_WORDS).map(|words| {
            let word = |plane: usize, at: usize| words.get(at).map_or(0, |planes| planes[plane]);
            std::array::from_fn(|plane| std::array::from_fn(|at| word(plane, at)))
        }));
    }

    /// For each word of a row the words of the planes.
    #[must_use]
    #[inline]
    pub fn planes(&self) -> &[[u64; PLANES]] {
        &self.planes
    }

    /// For each block of words of a row the words of each plane.
    #[must_use]
    #[inline]
    pub fn blocks(&self) -> &[[[u64; BLOCK_WORDS]; PLANES]] {
        &self.blocks
    }

    /// Bytes from one row to the next.
    #[must_use]
    #[inline]
    pub fn stride(&self) -> usize {
        self.stride
    }
}
