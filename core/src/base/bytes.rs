//! Little-endian writing and bounds-checked reading of bytes: the only way numbers enter or leave storage.

use super::error::Error;

/// Appends numbers to a growing buffer.
#[derive(Debug, Clone, Default)]
pub struct Writer {
    bytes: Vec<u8>,
}

macro_rules! put {
    ($($name:ident: $type:ty),*) => {$(
        #[doc = concat!("Appends a `", stringify!($type), "`, little-endian.")]
        pub fn $name(&mut self, x: $type) {
            self.bytes.extend_from_slice(&x.to_le_bytes());
        }
    )*};
}

impl Writer {
    /// An empty buffer.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    put!(u8: u8, u16: u16, u32: u32, u64: u64, i64: i64, f32: f32, f64: f64);

    /// Appends an unsigned LEB128 number, 1 to 10 bytes.
    #[cfg_attr(kithdb_small, optimize(speed))]
    #[inline]
    pub fn varint(&mut self, mut x: u64) {
        while x >= 0x80 {
            self.bytes.push(x as u8 | 0x80);
            x >>= 7;
        }
        self.bytes.push(x as u8);
    }

    /// Appends bytes as they are.
    #[cfg_attr(kithdb_small, optimize(speed))]
    pub fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Appends a varint length and the bytes.
    pub fn blob(&mut self, bytes: &[u8]) {
        self.varint(bytes.len() as u64);
        self.raw(bytes);
    }

    /// Appends a varint length and the UTF-8 of the text.
    pub fn str(&mut self, text: &str) {
        self.blob(text.as_bytes());
    }

    /// How much was written.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether nothing was written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// What was written.
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        &self.bytes
    }

    /// What was written.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        self.bytes
    }
}

/// Bytes ended or said something impossible.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected} at offset {offset}")]
pub struct DecodeError {
    /// Where in the bytes that were read.
    pub offset: usize,
    /// What should have stood there.
    pub expected: &'static str,
}

impl DecodeError {
    /// As corruption of `object`, whose bytes began at `base`.
    #[must_use]
    pub fn within(&self, object: &str, base: u64) -> Error {
        Error::corrupt(object, base + self.offset as u64, self.expected)
    }
}

/// Reads numbers from bytes and never past their end.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

macro_rules! take {
    ($($name:ident: $type:ty),*) => {$(
        #[doc = concat!("Reads a `", stringify!($type), "`, little-endian.")]
        ///
        /// # Errors
        /// When the bytes end before it does.
        pub fn $name(&mut self) -> Result<$type, DecodeError> {
            const N: usize = size_of::<$type>();
            let mut raw = [0; N];
            raw.copy_from_slice(self.raw(N, concat!("a ", stringify!($type)))?);
            Ok(<$type>::from_le_bytes(raw))
        }
    )*};
}

impl<'a> Reader<'a> {
    /// Reads from the first of `bytes`.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    take!(u8: u8, u16: u16, u32: u32, u64: u64, i64: i64, f32: f32, f64: f64);

    /// Reads an unsigned LEB128 number; only its shortest form is accepted.
    ///
    /// # Errors
    /// When the bytes end, the number passes 64 bits, or a shorter form exists.
    #[cfg_attr(kithdb_small, optimize(speed))]
    #[inline]
    pub fn varint(&mut self) -> Result<u64, DecodeError> {
        let start = self.at;
        let mut x = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.u8()?;
            let low = u64::from(byte & 0x7F);
            if low << shift >> shift != low {
                break;
            }
            x |= low << shift;
            if byte < 0x80 {
                if byte == 0 && shift > 0 {
                    break;
                }
                return Ok(x);
            }
        }
        Err(DecodeError { offset: start, expected: "a varint in its shortest form" })
    }

    /// Reads a varint that counts things of at least `unit` bytes each, all of them still to come.
    ///
    /// # Errors
    /// When fewer bytes remain than the count needs: nothing is allocated for a count that lies.
    pub fn count(&mut self, unit: usize) -> Result<usize, DecodeError> {
        let offset = self.at;
        let n = self.varint()?;
        match usize::try_from(n) {
            Ok(n) if n.checked_mul(unit.max(1)).is_some_and(|need| need <= self.remaining()) => Ok(n),
            _ => Err(DecodeError { offset, expected: "a count that fits the remaining bytes" }),
        }
    }

    /// Reads `n` bytes.
    ///
    /// # Errors
    /// When fewer remain.
    #[cfg_attr(kithdb_small, optimize(speed))]
    pub fn raw(&mut self, n: usize, expected: &'static str) -> Result<&'a [u8], DecodeError> {
        match self.at.checked_add(n).and_then(|end| self.bytes.get(self.at..end)) {
            Some(raw) => {
                self.at += n;
                Ok(raw)
            }
            None => Err(DecodeError { offset: self.at, expected }),
        }
    }

    /// Reads a varint length and as many bytes.
    ///
    /// # Errors
    /// When fewer remain.
    pub fn blob(&mut self) -> Result<&'a [u8], DecodeError> {
        let n = self.count(1)?;
        self.raw(n, "bytes of the given length")
    }

    /// Reads a varint length and as many bytes of UTF-8.
    ///
    /// # Errors
    /// When fewer remain or they are not UTF-8.
    pub fn str(&mut self) -> Result<&'a str, DecodeError> {
        let offset = self.at;
        let raw = self.blob()?;
        std::str::from_utf8(raw).map_err(|_| DecodeError { offset, expected: "UTF-8 text" })
    }

    /// How many bytes are still to come.
    #[must_use]
    pub fn remaining(&self) -> usize {
        self.bytes.len() - self.at
    }

    /// Offset of the next byte.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.at
    }

    /// Asserts that all was read.
    ///
    /// # Errors
    /// When bytes remain.
    pub fn end(&self) -> Result<(), DecodeError> {
        if self.remaining() == 0 {
            Ok(())
        } else {
            Err(DecodeError { offset: self.at, expected: "the end of the bytes" })
        }
    }
}

/// Numbers as their little-endian bytes.
#[must_use]
pub fn le_bytes<T: bytemuck::NoUninit>(numbers: &[T]) -> &[u8] {
    const { assert!(cfg!(target_endian = "little"), "big-endian targets need a copying twin of this") };
    bytemuck::cast_slice(numbers)
}

/// Aligned little-endian bytes as numbers, without copying.
///
/// # Errors
/// When their length or alignment does not fit.
#[cfg_attr(kithdb_small, optimize(speed))]
#[inline]
pub fn numbers<T: bytemuck::AnyBitPattern>(bytes: &[u8]) -> Result<&[T], DecodeError> {
    bytemuck::try_cast_slice(bytes)
        .map_err(|_| DecodeError { offset: 0, expected: "aligned numbers of the section's type" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn varints_come_back_and_end_where_they_end(x: u64) {
            let mut w = Writer::new();
            w.varint(x);
            let mut r = Reader::new(w.as_slice());
            prop_assert_eq!(r.varint().expect("written above"), x);
            prop_assert!(r.end().is_ok());
        }

        #[test]
        fn any_bytes_decode_or_fail_cleanly(bytes: Vec<u8>) {
            let mut r = Reader::new(&bytes);
            while r.blob().is_ok() && r.remaining() > 0 {}
            let _ = Reader::new(&bytes).varint();
        }
    }

    #[test]
    fn long_forms_of_short_numbers_are_refused() {
        assert!(Reader::new(&[0x80, 0x00]).varint().is_err());
        assert!(Reader::new(&[0xFF; 11]).varint().is_err());
        assert_eq!(Reader::new(&[0x00]).varint(), Ok(0));
    }

    #[test]
    fn a_count_is_checked_before_anything_is_allocated() {
        let mut w = Writer::new();
        w.varint(u64::MAX);
        assert!(Reader::new(w.as_slice()).count(8).is_err());
    }
}
