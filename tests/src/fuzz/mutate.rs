//! Changes of an input, the same for a seed on every machine: what libFuzzer does with coverage, without it.

use kithdb::base::Rng;

/// Bytes and numbers at which decoders go wrong.
const ODD_BYTES: [u8; 8] = [0, 1, 0x7F, 0x80, 0xFF, b'"', b'\\', b'('];
const ODD_NUMBERS: [u64; 8] =
    [0, 1, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, u64::MAX, i64::MAX as u64, 1 << 63];

/// One to four changes of an input; `other` lends it bytes.
#[must_use]
pub fn mutate(input: &[u8], other: &[u8], rng: &mut Rng) -> Vec<u8> {
    let mut bytes = input.to_vec();
    for _ in 0..=rng.below(4) {
        change(&mut bytes, other, rng);
    }
    bytes
}

fn change(bytes: &mut Vec<u8>, other: &[u8], rng: &mut Rng) {
    let at = rng.below(bytes.len() as u64 + 1) as usize;
    let odd = |rng: &mut Rng| ODD_BYTES[rng.below(8) as usize];
    match rng.below(8) {
        0 => bytes.truncate(at),
        1 => bytes.insert(at, odd(rng)),
        2 if at < bytes.len() => drop(bytes.remove(at)),
        3 if at < bytes.len() => bytes[at] ^= 1 << rng.below(8),
        4 if at < bytes.len() => bytes[at] = odd(rng),
        5 => {
            let number = ODD_NUMBERS[rng.below(8) as usize].to_le_bytes();
            let width = [2, 4, 8][rng.below(3) as usize];
            bytes.iter_mut().skip(at).zip(&number[..width]).for_each(|(byte, odd)| *byte = *odd);
        }
        6 => {
            let from = rng.below(other.len() as u64 + 1) as usize;
            let len = rng.below(32) as usize;
            let lent: Vec<u8> = other[from..].iter().take(len).copied().collect();
            bytes.splice(at..at, lent);
        }
        _ => {
            let end = (at + rng.below(16) as usize).min(bytes.len());
            let twice = bytes[at..end].to_vec();
            bytes.splice(at..at, twice);
        }
    }
}
