//! CRC-32C, of Castagnoli's polynomial: the crate of that name where a processor helps it, and the same sums by a table
//! that is made when it is first asked for where none does.
//!
//! The crate carries its table as bytes. They have no order that could be compressed, and the browser module would be
//! larger by all of them.

#[cfg(not(target_family = "wasm"))]
pub use ::crc32c::{crc32c, crc32c_append};
#[cfg(target_family = "wasm")]
pub use by_table::{crc32c, crc32c_append};

#[cfg(any(test, target_family = "wasm"))]
mod by_table {
    use std::sync::LazyLock;

    /// The polynomial without its highest power; the bit of `x^31` is the lowest.
    const POLYNOMIAL: u32 = 0x82F6_3B78;

    /// At `[i][byte]`: what a byte adds to a checksum when `i` bytes follow it.
    static TABLE: LazyLock<[[u32; 256]; 8]> = LazyLock::new(table);

    fn table() -> [[u32; 256]; 8] {
        let bit = |crc: u32, _| if crc & 1 == 1 { crc >> 1 ^ POLYNOMIAL } else { crc >> 1 };
        let first: [u32; 256] = std::array::from_fn(|byte| (0..8).fold(byte as u32, bit));
        let mut table = [first; 8];
        for i in 1..8 {
            table[i] = table[i - 1].map(|crc| first[crc as usize & 255] ^ crc >> 8);
        }
        table
    }

    /// The checksum of bytes.
    #[must_use]
    pub fn crc32c(bytes: &[u8]) -> u32 {
        crc32c_append(0, bytes)
    }

    /// The checksum of what `crc` is the checksum of with these bytes behind it.
    #[must_use]
    #[cfg_attr(kithdb_small, optimize(speed), inline(never))]
    pub fn crc32c_append(crc: u32, bytes: &[u8]) -> u32 {
        let table = &*TABLE;
        let (words, end) = bytes.as_chunks::<8>();
        let mut crc = !crc;
        for word in words {
            // Byte by byte: what takes them apart in a loop is not unrolled where all is compiled for size, and they go
            // through memory.
            let [a, b, c, d, e, f, g, h] = *word;
            let [low, high] = [u32::from_le_bytes([a, b, c, d]) ^ crc, u32::from_le_bytes([e, f, g, h])];
            crc = (table[7][(low & 255) as usize]
                ^ table[6][(low >> 8 & 255) as usize]
                ^ table[5][(low >> 16 & 255) as usize]
                ^ table[4][(low >> 24) as usize])
                ^ (table[3][(high & 255) as usize]
                    ^ table[2][(high >> 8 & 255) as usize]
                    ^ table[1][(high >> 16 & 255) as usize]
                    ^ table[0][(high >> 24) as usize]);
        }
        !end.iter().fold(crc, |crc, byte| table[0][(crc as u8 ^ byte) as usize] ^ crc >> 8)
    }
}

#[cfg(test)]
mod tests {
    use super::{by_table, crc32c, crc32c_append};
    use crate::base::Rng;

    #[test]
    fn the_table_gives_the_sums_of_the_crate() {
        let mut rng = Rng::new(7);
        let bytes: Vec<u8> = (0..300).map(|_| rng.below(256) as u8).collect();
        for start in 0..20 {
            for end in start..=bytes.len() {
                let (of, before) = (&bytes[start..end], rng.below(1 << 32) as u32);
                assert_eq!(by_table::crc32c(of), crc32c(of), "{start}..{end}");
                assert_eq!(
                    by_table::crc32c_append(before, of),
                    crc32c_append(before, of),
                    "{start}..{end} behind {before:x}"
                );
            }
        }
    }

    /// From RFC 3720, B.4.
    #[test]
    fn known_sums() {
        for sum in [crc32c, by_table::crc32c] {
            assert_eq!(sum(&[0; 32]), 0x8A91_36AA);
            assert_eq!(sum(&[0xFF; 32]), 0x62A8_AB43);
            assert_eq!(sum(b"123456789"), 0xE306_9283);
        }
    }
}
