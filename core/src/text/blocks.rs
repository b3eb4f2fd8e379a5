//! How the postings of a term are stored: blocks of 128, bit-packed, behind a table to skip them by (docs/FORMAT.md,
//! "text").
//!
//! A list of one block is varints alone. A longer one begins with an entry a block: the last slot, the width of a gap and
//! of a frequency, and the impacts; then follow the blocks. What a block says is checked when it is decoded: slots ascend
//! by construction, since gaps are stored less one, and end where the entry says.
//!
//! Packing is that of Lemire & Boytsov, "Decoding billions of integers per second through vectorization", 2015: value i
//! lies in lane i mod 4 of a 128-bit register, so that four are unpacked at a time.

use wide::u32x4;

use super::impacts;
use super::postings::Posting;
use crate::base::{DecodeError, Reader, Writer};

/// Postings of a block.
pub(super) const BLOCK: usize = 128;
/// Bytes of an entry of the table.
pub(super) const ENTRY_BYTES: usize = 6 + impacts::BYTES;
/// Slots and frequencies are below 2^31, as `SLOTS_MAX` and the size of a document bound them.
pub(super) const WIDTH_MAX: u8 = 31;
/// Bytes of 128 values of one bit.
const BIT_BYTES: usize = BLOCK / 8;

/// Where a block lies in its list, and what it can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Block {
    /// Its first byte.
    start: usize,
    /// The byte behind its last one.
    end: usize,
    /// No slot of it is below this.
    pub(super) first: u32,
    /// Its last slot.
    pub(super) last: u32,
    /// How many postings it has.
    pub(super) len: usize,
    gap_width: u8,
    tf_width: u8,
    pub(super) impacts: [u8; impacts::BYTES],
}

/// The postings of one block, decoded.
#[derive(Debug, Clone)]
pub(super) struct Decoded {
    pub(super) len: usize,
    pub(super) slots: [u32; BLOCK],
    pub(super) tfs: [u32; BLOCK],
}

impl Decoded {
    pub(super) fn new() -> Self {
        Self { len: 0, slots: [0; BLOCK], tfs: [0; BLOCK] }
    }
}

/// The fewest bytes that a list of so many postings takes.
pub(super) fn bytes_min(df: u32) -> u64 {
    let (df, block) = (u64::from(df), BLOCK as u64);
    if df <= block { df } else { df.div_ceil(block) * ENTRY_BYTES as u64 + df % block }
}

/// Appends a list; slots ascend, and each has a frequency of at least 1.
///
/// # Panics
/// When a slot or a frequency does not fit 31 bits.
pub(super) fn write(postings: &[Posting], w: &mut Writer) {
    if postings.len() <= BLOCK {
        return write_varints(postings, 0, w);
    }
    let mut bodies = Writer::new();
    let mut next = 0;
    for block in postings.chunks(BLOCK) {
        let (gap_width, tf_width) = if block.len() == BLOCK {
            write_packed(block, next, &mut bodies)
        } else {
            write_varints(block, next, &mut bodies);
            (0, 0)
        };
        let last = block[block.len() - 1].slot;
        next = last + 1;
        w.u32(last);
        w.u8(gap_width);
        w.u8(tf_width);
        w.raw(&impacts::of_block(block));
    }
    w.raw(bodies.as_slice());
}

/// For each posting twice the gap, and 1 more when a frequency above 1 follows, less 2.
fn write_varints(postings: &[Posting], mut next: u32, w: &mut Writer) {
    for &Posting { slot, tf, .. } in postings {
        w.varint(u64::from(slot - next) << 1 | u64::from(tf > 1));
        if tf > 1 {
            w.varint(u64::from(tf) - 2);
        }
        next = slot + 1;
    }
}

fn write_packed(postings: &[Posting], mut next: u32, w: &mut Writer) -> (u8, u8) {
    let (mut gaps, mut tfs) = ([0; BLOCK], [0; BLOCK]);
    for (posting, (gap, tf)) in postings.iter().zip(gaps.iter_mut().zip(&mut tfs)) {
        *gap = posting.slot - next;
        *tf = posting.tf - 1;
        next = posting.slot + 1;
    }
    (pack(&gaps, w), pack(&tfs, w))
}

/// Appends values in as few bits as hold the largest of them, and says how many.
pub(super) fn pack(values: &[u32; BLOCK], w: &mut Writer) -> u8 {
    let width = 32 - values.iter().fold(0, |all, value| all | value).leading_zeros();
    assert!(width <= u32::from(WIDTH_MAX), "slots and frequencies are below 2^31");
    let mut lanes = [[0u32; 4]; 32];
    for (row, values) in values.as_chunks::<4>().0.iter().enumerate() {
        let (word, shift) = place(row, width);
        for (lane, value) in values.iter().enumerate() {
            lanes[word][lane] |= value << shift;
            if shift + width > 32 {
                lanes[word + 1][lane] |= value >> (32 - shift);
            }
        }
    }
    for word in &lanes[..width as usize] {
        word.iter().for_each(|lane| w.u32(*lane));
    }
    width as u8
}

/// In which word of its lane a row of values begins, and at which bit.
#[inline]
fn place(row: usize, width: u32) -> (usize, u32) {
    let bit = row as u32 * width;
    ((bit / 32) as usize, bit % 32)
}

/// How many bytes 128 values of so many bits take.
pub(super) fn packed_bytes(width: u8) -> usize {
    BIT_BYTES * usize::from(width)
}

/// Reads what [`pack`] wrote with a width of at most [`WIDTH_MAX`].
#[inline]
#[cfg_attr(kithdb_small, optimize(speed))]
pub(super) fn unpack(bytes: &[u8], width: u8, values: &mut [u32; BLOCK]) {
    let width = u32::from(width);
    if width == 0 {
        return values.fill(0);
    }
    let word = |word: &[u8; 16]| -> u32x4 { bytemuck::pod_read_unaligned(word) };
    let (words, mask) = (bytes.as_chunks::<16>().0, u32x4::splat((1 << width) - 1));
    for (row, values) in values.as_chunks_mut::<4>().0.iter_mut().enumerate() {
        let (at, shift) = place(row, width);
        let mut four = word(&words[at]) >> shift;
        if shift + width > 32 {
            four |= word(&words[at + 1]) << (32 - shift);
        }
        *values = (four & mask).to_array();
    }
}

/// The blocks of a list of more than one.
///
/// # Complexity
/// Reads the table alone.
pub(super) fn read_table(bytes: &[u8], df: u32, n_slots: u32) -> Result<Vec<Block>, DecodeError> {
    let refuse = |offset, expected| Err(DecodeError { offset, expected });
    let n = (df as usize).div_ceil(BLOCK);
    let Some(entries) = bytes.get(..n * ENTRY_BYTES) else {
        return refuse(0, "an entry for each block of the list");
    };
    let (mut blocks, mut start, mut first) = (Vec::with_capacity(n), entries.len(), 0u32);
    for (i, entry) in entries.as_chunks::<ENTRY_BYTES>().0.iter().enumerate() {
        let offset = i * ENTRY_BYTES;
        let [a, b, c, d, gap_width, tf_width, impacts @ ..] = *entry;
        let (last, len) = (u32::from_le_bytes([a, b, c, d]), BLOCK.min(df as usize - i * BLOCK));
        if last >= n_slots || u64::from(last) + 1 < u64::from(first) + len as u64 {
            return refuse(offset, "a last slot with room for those before it");
        }
        let end = if len == BLOCK {
            start + BIT_BYTES * (usize::from(gap_width) + usize::from(tf_width))
        } else {
            bytes.len()
        };
        let widths_max = if len == BLOCK { WIDTH_MAX } else { 0 };
        if gap_width > widths_max || tf_width > widths_max {
            return refuse(offset, "widths of a packed block, and none of one in varints");
        }
        if end > bytes.len() {
            return refuse(offset, "a block within the list");
        }
        blocks.push(Block { start, end, first, last, len, gap_width, tf_width, impacts });
        (start, first) = (end, last + 1);
    }
    if start == bytes.len() { Ok(blocks) } else { refuse(start, "the end of the list") }
}

/// Decodes a block of a list that [`read_table`] read.
#[inline]
#[cfg_attr(kithdb_small, optimize(speed))]
pub(super) fn decode(bytes: &[u8], block: &Block, into: &mut Decoded) -> Result<(), DecodeError> {
    let end = if block.len == BLOCK {
        let (gaps, tfs) = bytes[block.start..block.end].split_at(BIT_BYTES * usize::from(block.gap_width));
        unpack(gaps, block.gap_width, &mut into.slots);
        unpack(tfs, block.tf_width, &mut into.tfs);
        into.tfs.iter_mut().for_each(|tf| *tf += 1);
        into.len = BLOCK;
        // 128 gaps below 2^31 cannot pass 64 bits, so that checking the last slot checks all.
        into.slots.iter_mut().fold(u64::from(block.first), |next, gap| {
            let slot = next + u64::from(*gap);
            *gap = slot as u32;
            slot + 1
        })
    } else {
        let mut r = Reader::new(&bytes[block.start..block.end]);
        let shifted = |e: DecodeError| DecodeError { offset: block.start + e.offset, ..e };
        read_varints(&mut r, block.len, block.first, into).map_err(shifted)?
    };
    if end == u64::from(block.last) + 1 {
        Ok(())
    } else {
        Err(DecodeError { offset: block.start, expected: "a block that ends at its last slot" })
    }
}

/// Decodes a list of one block, with slots below `n_slots`.
pub(super) fn decode_short(
    bytes: &[u8],
    df: u32,
    n_slots: u32,
    into: &mut Decoded,
) -> Result<(), DecodeError> {
    let end = read_varints(&mut Reader::new(bytes), (df as usize).min(BLOCK), 0, into)?;
    if end <= u64::from(n_slots) {
        Ok(())
    } else {
        Err(DecodeError { offset: 0, expected: "slots of the segment" })
    }
}

/// Reads so many postings and nothing more; answers what follows the last slot.
#[cfg_attr(kithdb_small, optimize(speed))]
fn read_varints(r: &mut Reader<'_>, len: usize, first: u32, into: &mut Decoded) -> Result<u64, DecodeError> {
    let mut next = u64::from(first);
    into.len = 0;
    for (slot, tf) in into.slots.iter_mut().zip(&mut into.tfs).take(len) {
        let offset = r.offset();
        let refuse = |expected| Err(DecodeError { offset, expected });
        let step = r.varint()?;
        next += step >> 1;
        if next >= 1 << WIDTH_MAX {
            return refuse("a slot that a segment can have");
        }
        *slot = next as u32;
        *tf = 1;
        if step & 1 == 1 {
            let more = r.varint()?;
            if more > (1 << WIDTH_MAX) - 2 {
                return refuse("a term frequency that a field can have");
            }
            *tf = more as u32 + 2;
        }
        next += 1;
    }
    r.end()?;
    into.len = len;
    Ok(next)
}

#[cfg(test)]
#[path = "blocks_tests.rs"]
mod tests;
