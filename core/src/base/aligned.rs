//! Bytes that begin at a cache line, so that they can be read as numbers and by SIMD without copying.

const ALIGN: usize = 64;

/// A buffer whose first byte is at an address divisible by 64.
#[derive(Debug)]
pub struct AlignedBytes {
    block: Vec<u64>,
    start: usize,
    len: usize,
}

impl AlignedBytes {
    /// `len` zeros.
    #[must_use]
    pub fn zeroed(len: usize) -> Self {
        let block = vec![0u64; (len + ALIGN).div_ceil(8)];
        let start = (ALIGN - block.as_ptr() as usize % ALIGN) % ALIGN;
        Self { block, start, len }
    }

    /// A copy of `bytes`.
    #[must_use]
    pub fn copy_of(bytes: &[u8]) -> Self {
        let mut copy = Self::zeroed(bytes.len());
        copy.as_mut_slice().copy_from_slice(bytes);
        copy
    }

    /// The bytes, to be written.
    pub fn as_mut_slice(&mut self) -> &mut [u8] {
        &mut bytemuck::cast_slice_mut(&mut self.block)[self.start..self.start + self.len]
    }
}

impl std::ops::Deref for AlignedBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &bytemuck::cast_slice(&self.block)[self.start..self.start + self.len]
    }
}

impl AsRef<[u8]> for AlignedBytes {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starts_at_a_cache_line_and_keeps_its_bytes() {
        for len in [0, 1, 63, 64, 65, 1000] {
            let bytes: Vec<u8> = (0..len).map(|i| i as u8).collect();
            let copy = AlignedBytes::copy_of(&bytes);
            assert_eq!(copy.as_ptr() as usize % ALIGN, 0);
            assert_eq!(&copy[..], &bytes[..]);
        }
    }
}
