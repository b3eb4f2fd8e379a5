//! Checksums of many ranges of the same bytes: one pass over all of them, then each range at the same small cost.
//!
//! A CRC is linear: what a range adds to one follows from the checksums of the two prefixes that differ by it. Who looks
//! for something that has a checksum at every offset would read the same bytes as often as there are offsets.

use std::ops::Range;
use std::sync::LazyLock;

use crate::base::crc32c::crc32c_append;

/// The polynomial of crc32c without its highest power; the bit of `x^31` is the lowest.
const POLYNOMIAL: u32 = 0x82F6_3B78;
const ONE: u32 = 1 << 31;
/// A checksum is kept for each prefix of so many bytes: an eighth of the bytes are held in all.
const STEP: usize = 32;

/// `x^(8 * d * 256^i)` at `[i][d]`: what a checksum is multiplied with when `d * 256^i` bytes follow. Made when it is first
/// asked for: it cannot be compressed, and the browser module would be larger by all of it.
static POWERS: LazyLock<[[u32; 256]; 8]> = LazyLock::new(powers);

fn powers() -> [[u32; 256]; 8] {
    let mut powers = [[ONE; 256]; 8];
    let mut base = ONE >> 8;
    for powers in &mut powers {
        for d in 1..256 {
            powers[d] = times(powers[d - 1], base);
        }
        base = times(powers[255], base);
    }
    powers
}

/// The product of two polynomials, reduced.
fn times(a: u32, mut b: u32) -> u32 {
    let (mut product, mut power) = (0, 0);
    while power < 32 {
        if a & (ONE >> power) != 0 {
            product ^= b;
        }
        b = if b & 1 == 1 { b >> 1 ^ POLYNOMIAL } else { b >> 1 };
        power += 1;
    }
    product
}

/// A checksum as it counts when so many bytes follow.
fn moved(crc: u32, len: usize) -> u32 {
    let digits = (len as u64).to_le_bytes();
    let digits = digits.iter().zip(&*POWERS).filter(|(digit, _)| **digit > 0);
    digits.fold(crc, |crc, (digit, powers)| times(crc, powers[usize::from(*digit)]))
}

/// The checksums of all ranges of some bytes.
pub struct RangeChecksums<'a> {
    bytes: &'a [u8],
    /// Of the first `STEP * i` bytes.
    prefixes: Vec<u32>,
    read: u64,
}

impl<'a> RangeChecksums<'a> {
    /// Reads all bytes once.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        let mut prefixes = vec![0];
        let mut crc = 0;
        for step in bytes.chunks_exact(STEP) {
            crc = crc32c_append(crc, step);
            prefixes.push(crc);
        }
        Self { bytes, prefixes, read: bytes.len() as u64 }
    }

    /// How many bytes were read, in all.
    #[must_use]
    pub fn read(&self) -> u64 {
        self.read
    }

    /// The checksum of what `crc` is the checksum of with the bytes of a range behind it.
    ///
    /// # Complexity
    /// Reads at most 62 bytes, however long the range is.
    ///
    /// # Panics
    /// When the range is not within the bytes.
    pub fn append(&mut self, crc: u32, range: Range<usize>) -> u32 {
        let (before, with) = (self.prefix(range.start), self.prefix(range.end));
        moved(crc ^ before, range.len()) ^ with
    }

    fn prefix(&mut self, end: usize) -> u32 {
        let begin = end / STEP * STEP;
        self.read += (end - begin) as u64;
        crc32c_append(self.prefixes[end / STEP], &self.bytes[begin..end])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Rng;

    #[test]
    fn every_range_has_the_checksum_that_reading_it_gives() {
        let mut rng = Rng::new(3);
        let bytes: Vec<u8> = (0..70_000).map(|_| rng.below(256) as u8).collect();
        let mut sums = RangeChecksums::new(&bytes);
        let mut check = |range: Range<usize>, crc: u32| {
            let read = crc32c_append(crc, &bytes[range.clone()]);
            assert_eq!(sums.append(crc, range.clone()), read, "{range:?} behind {crc:x}");
        };
        (0..=130).for_each(|start| (start..=130).for_each(|end| check(start..end, 0)));
        for _ in 0..2_000 {
            let (a, b) = (rng.below(70_001) as usize, rng.below(70_001) as usize);
            check(a.min(b)..a.max(b), rng.below(1 << 32) as u32);
        }
        check(0..70_000, 1);
    }

    /// No bytes are as long: the powers are compared with each other.
    #[test]
    fn long_ranges_move_a_checksum_as_their_halves_do() {
        for len in [255, 256, 65_535, 1 << 24, (1 << 32) + 7, 1 << 40] {
            assert_eq!(moved(0x1234_5678, 2 * len), moved(moved(0x1234_5678, len), len), "{len}");
        }
    }

    #[test]
    fn a_long_range_is_read_no_more_than_a_short_one() {
        let bytes = vec![7; 1 << 20];
        let mut sums = RangeChecksums::new(&bytes);
        assert_eq!(sums.read(), 1 << 20);
        sums.append(0, 31..(1 << 20) - 1);
        assert_eq!(sums.read(), (1 << 20) + 62);
    }
}
