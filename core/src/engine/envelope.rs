//! What a manifest and a catalog have around them: a magic, versions, a generation and a checksum.

use crate::base::limits::MANIFEST_BYTES_MAX;
use crate::base::{Error, Result, StorageError, Writer};
use crate::storage::blob::{FORMAT_VERSION, MIN_READER_VERSION, checksum};

const HEAD_BYTES: usize = 20;
const CHECKSUM_BYTES: usize = 4;

/// Begins the bytes of a file of this kind and generation.
pub(super) fn begin(magic: &[u8; 8], generation: u64) -> Writer {
    let mut w = Writer::new();
    w.raw(magic);
    w.u16(FORMAT_VERSION);
    w.u16(MIN_READER_VERSION);
    w.u64(generation);
    w
}

/// Ends them with their checksum.
pub(super) fn end(mut w: Writer, generation: u64) -> Vec<u8> {
    let crc = checksum(generation, w.as_slice());
    w.u32(crc);
    w.finish()
}

/// What stands between head and checksum.
///
/// # Errors
/// `corrupt`, `unsupported_version`.
pub(super) fn open<'a>(magic: &[u8; 8], generation: u64, object: &str, bytes: &'a [u8]) -> Result<&'a [u8]> {
    let corrupt = |offset: usize, what: &str| Err(Error::corrupt(object, offset as u64, what));
    if bytes.len() < HEAD_BYTES + CHECKSUM_BYTES || bytes.len() > MANIFEST_BYTES_MAX || &bytes[..8] != magic {
        return corrupt(0, "a whole file of its kind");
    }
    let (body, crc) = bytes.split_at(bytes.len() - CHECKSUM_BYTES);
    if checksum(generation, body).to_le_bytes() != crc {
        return corrupt(body.len(), "the right checksum");
    }
    // Only now: a flipped bit in a version is damage, and there is a generation before to fall back on.
    let needs = u16::from_le_bytes([bytes[10], bytes[11]]);
    if needs > FORMAT_VERSION {
        let object = object.to_owned();
        return Err(StorageError::UnsupportedVersion { object, needs, reads: FORMAT_VERSION }.into());
    }
    if body[12..HEAD_BYTES] != generation.to_le_bytes() {
        return corrupt(12, "the generation of its name");
    }
    Ok(&body[HEAD_BYTES..])
}

/// The version that wrote bytes that [`open`] accepted.
pub(super) fn format_version(bytes: &[u8]) -> u16 {
    bytes.get(8..10).map_or(0, |version| u16::from_le_bytes([version[0], version[1]]))
}

/// What stands between where head and checksum should be.
///
/// # Errors
/// `corrupt` when there are too few bytes.
pub(super) fn body_of_damaged<'a>(object: &str, bytes: &'a [u8]) -> Result<&'a [u8]> {
    let end = bytes.len().saturating_sub(CHECKSUM_BYTES);
    bytes.get(HEAD_BYTES..end).ok_or_else(|| Error::corrupt(object, 0, "a whole file of its kind"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIND: &[u8; 8] = b"ENVELOPE";

    fn written() -> Vec<u8> {
        let mut w = begin(KIND, 7);
        w.u64(1);
        end(w, 7)
    }

    fn code(bytes: &[u8]) -> &'static str {
        open(KIND, 7, "test", bytes).expect_err("changed").code()
    }

    #[test]
    fn a_version_with_a_wrong_checksum_is_damage_and_with_the_right_one_a_later_version() {
        let whole = written();
        assert_eq!(open(KIND, 7, "test", &whole).expect("as it was written").len(), 8);
        for bit in 0..32 {
            let mut bad = whole.clone();
            bad[8 + bit / 8] ^= 1 << (bit % 8);
            assert_eq!(code(&bad), "corrupt", "bit {bit} of the versions");
        }
        let mut later = whole[..whole.len() - CHECKSUM_BYTES].to_vec();
        later[10] += 1;
        let crc = checksum(7, &later);
        later.extend(crc.to_le_bytes());
        assert_eq!(code(&later), "unsupported_version");
    }
}
