//! Where terms stand in their texts, stored beside posting lists and read when a phrase is looked for, or a merge carries
//! them over (docs/FORMAT.md, "text").
//!
//! The list of a term has for each of its postings the position of the first time it stands there, then how many words lie
//! between one time and the next. Blocks of 128 such numbers are bit-packed, what is left over is varints. How many
//! there are, the frequencies of the postings say. Lists come in groups of 32, whose lengths stand before them: one
//! number in eight bytes for each would take more than the positions of rare terms do.
//!
//! What a list says is checked when it is read.

use std::borrow::Cow;
use std::ops::Range;

use super::blocks::{self, BLOCK, WIDTH_MAX};
use super::index::{POSITION_STARTS, POSITIONS};
use crate::base::bytes::le_bytes;
use crate::base::limits::TERM_FREQUENCY_MAX;
use crate::base::{DecodeError, Error, Reader, Result, Writer};
use crate::storage::{Blob, Pinned, Rows, Section};

/// What a text blob of the first version may lack.
pub(super) const SECTIONS: [u16; 2] = [POSITIONS, POSITION_STARTS];

/// Lists of a group.
const GROUP: usize = 32;
/// No group begins with more bytes of lengths.
const LENGTHS_BYTES_MAX: u64 = GROUP as u64 * 10;
/// Where a field has several texts, so many positions lie between the last term of one and the first word of the next.
pub(super) const GAP: u32 = 64;
/// No position is above this.
const POSITION_MAX: u64 = (1 << WIDTH_MAX) - 1;

/// The lists of terms, in the order of the dictionary.
#[derive(Debug, Default)]
pub(super) struct PositionsWriter {
    done: Writer,
    starts: Vec<u64>,
    /// Of the group that is being written.
    terms: usize,
    lengths: Writer,
    lists: Writer,
}

impl PositionsWriter {
    /// Adds the list of the next term: of each posting its first position, then what lies between.
    pub(super) fn push(&mut self, numbers: &[u32]) {
        let before = self.lists.len();
        let (packed, rest) = numbers.as_chunks::<BLOCK>();
        if !packed.is_empty() {
            let mut bodies = Writer::new();
            self.lists.varint(packed.len() as u64);
            packed.iter().for_each(|block| self.lists.u8(blocks::pack(block, &mut bodies)));
            self.lists.raw(bodies.as_slice());
        }
        rest.iter().for_each(|number| self.lists.varint(u64::from(*number)));
        let len = (self.lists.len() - before) as u64;
        self.lengths.varint(len << 1 | u64::from(!packed.is_empty()));
        self.terms += 1;
        if self.terms == GROUP {
            self.end_group();
        }
    }

    fn end_group(&mut self) {
        if self.terms > 0 {
            self.starts.push(self.done.len() as u64);
            self.done.raw(std::mem::take(&mut self.lengths).as_slice());
            self.done.raw(std::mem::take(&mut self.lists).as_slice());
            self.terms = 0;
        }
    }

    /// Its sections of a text blob.
    pub(super) fn finish(mut self) -> [Section; 2] {
        self.end_group();
        let starts = le_bytes(&self.starts);
        [Section::rows(POSITIONS, self.done.finish()), Section::pinned(POSITION_STARTS, starts)]
    }
}

/// The positions of a text blob.
#[derive(Debug, Clone)]
pub(super) struct StoredPositions {
    object: String,
    terms: usize,
    starts: Pinned,
    lists: Rows,
}

impl StoredPositions {
    /// Those of a blob with so many terms, every block of them checked; `None` where it has none.
    ///
    /// # Errors
    /// `corrupt`, `not_resident`.
    pub(super) fn open(blob: &Blob, object: &str, terms: usize) -> Result<Option<Self>> {
        if SECTIONS.iter().all(|section| !blob.has(*section)) {
            return Ok(None);
        }
        let (starts, lists) = (blob.pinned(POSITION_STARTS)?, blob.rows(POSITIONS)?);
        blob.verify_those(|section| SECTIONS.contains(&section))?;
        let numbers = starts.numbers::<u64>()?;
        let is_whole = numbers.len() == terms.div_ceil(GROUP)
            && numbers.first().map_or(lists.is_empty(), |first| *first == 0)
            && numbers.is_sorted()
            && numbers.last().is_none_or(|last| *last <= lists.len());
        if !is_whole {
            return Err(Error::corrupt(object, 0, "a group of positions for every 32 terms"));
        }
        Ok(Some(Self { object: object.to_owned(), terms, starts, lists }))
    }

    /// The list of a term, by its number in the dictionary.
    ///
    /// # Errors
    /// `corrupt`, `not_resident`.
    pub(super) fn numbers_of(&self, term: usize) -> Result<Numbers<'_>> {
        let (group, starts) = (term / GROUP, self.starts.numbers::<u64>()?);
        let start = starts[group];
        let end = starts.get(group + 1).copied().unwrap_or(self.lists.len());
        let terms = GROUP.min(self.terms - group * GROUP);
        let head = self.lists.read(start..end.min(start + LENGTHS_BYTES_MAX))?;
        let list = list_of(&head, terms, term % GROUP, end - start);
        let (range, is_packed) = list.map_err(|e| e.within(&self.object, start))?;
        let start = start + range.start;
        let bytes = self.lists.read(start..start + (range.end - range.start))?;
        Numbers::new(bytes, is_packed).map_err(|e| e.within(&self.object, start))
    }

    /// What is wrong with a list.
    pub(super) fn corrupt(&self, error: &DecodeError) -> Error {
        error.within(&self.object, 0)
    }
}

/// Where a list of a group lies, and whether it has packed blocks.
fn list_of(head: &[u8], terms: usize, at: usize, group_len: u64) -> Result<(Range<u64>, bool), DecodeError> {
    let mut r = Reader::new(head);
    let (mut end, mut found) = (0u64, None);
    for i in 0..terms {
        let length = r.varint()?;
        let start = end;
        // Two lengths below 2^63 do not pass 64 bits, and the sum is within the group from one to the next.
        end += length >> 1;
        if end > group_len {
            return Err(DecodeError { offset: r.offset(), expected: "lists within their group" });
        }
        if i == at {
            found = Some((start..end, length & 1 == 1));
        }
    }
    let lengths = r.offset() as u64;
    match found {
        Some((range, is_packed)) if lengths + end == group_len => {
            Ok((lengths + range.start..lengths + range.end, is_packed))
        }
        _ => Err(DecodeError { offset: 0, expected: "lists that fill their group" }),
    }
}

/// The numbers of a list, read one after another.
#[derive(Debug)]
pub(super) struct Numbers<'a> {
    bytes: Cow<'a, [u8]>,
    /// Where the widths of the packed blocks are that were not come to yet.
    widths: Range<usize>,
    /// Where the next block or varint begins.
    at: usize,
    block: [u32; BLOCK],
    /// How many of the block were not read yet.
    left: usize,
}

const TOO_FEW: &str = "as many positions as the frequencies of the postings";

impl<'a> Numbers<'a> {
    fn new(bytes: Cow<'a, [u8]>, is_packed: bool) -> Result<Self, DecodeError> {
        let (mut widths, mut at) = (0..0, 0);
        if is_packed {
            let mut r = Reader::new(&bytes);
            let n = r.count(1)?;
            widths = r.offset()..r.offset() + n;
            at = widths.end;
            let refuse = |expected| Err(DecodeError { offset: widths.start, expected });
            if n == 0 || bytes[widths.clone()].iter().any(|width| *width > WIDTH_MAX) {
                return refuse("packed blocks, and widths of them");
            }
            let packed_bytes = |width: &u8| blocks::packed_bytes(*width) as u64;
            // More than 2^32 bytes can be claimed where addresses have 32 bits.
            let packed: u64 = bytes[widths.clone()].iter().map(packed_bytes).sum();
            if packed > (bytes.len() - at) as u64 {
                return refuse("packed blocks within their list");
            }
        }
        Ok(Self { bytes, widths, at, block: [0; BLOCK], left: 0 })
    }

    /// No more numbers than this are left.
    fn left_max(&self) -> u64 {
        BLOCK as u64 * self.widths.len() as u64 + (self.left + self.bytes.len() - self.at) as u64
    }

    fn next(&mut self) -> Result<u32, DecodeError> {
        if self.left == 0 && !self.widths.is_empty() {
            let end = self.at + blocks::packed_bytes(self.bytes[self.widths.start]);
            blocks::unpack(&self.bytes[self.at..end], self.bytes[self.widths.start], &mut self.block);
            (self.widths.start, self.at, self.left) = (self.widths.start + 1, end, BLOCK);
        }
        if self.left > 0 {
            self.left -= 1;
            return Ok(self.block[BLOCK - 1 - self.left]);
        }
        let (offset, mut r) = (self.at, Reader::new(&self.bytes[self.at..]));
        let refuse = |expected| Err(DecodeError { offset, expected });
        match r.varint() {
            Ok(number) if number <= POSITION_MAX => {
                self.at += r.offset();
                Ok(number as u32)
            }
            Ok(_) => refuse("a position that a text can have"),
            Err(_) => refuse(TOO_FEW),
        }
    }

    /// Passes over numbers; of packed blocks it looks at nothing but their widths.
    pub(super) fn skip(&mut self, mut n: u64) -> Result<(), DecodeError> {
        while n > 0 {
            if self.left > 0 {
                let some = n.min(self.left as u64);
                self.left -= some as usize;
                n -= some;
            } else if n >= BLOCK as u64 && !self.widths.is_empty() {
                self.at += blocks::packed_bytes(self.bytes[self.widths.start]);
                self.widths.start += 1;
                n -= BLOCK as u64;
            } else {
                self.next()?;
                n -= 1;
            }
        }
        Ok(())
    }

    /// The positions of the next posting, whose frequency is given.
    pub(super) fn take(&mut self, frequency: u32, into: &mut Vec<u32>) -> Result<(), DecodeError> {
        into.clear();
        let refuse = |expected| Err(DecodeError { offset: self.at, expected });
        if u64::from(frequency) > self.left_max().min(TERM_FREQUENCY_MAX) {
            return refuse(TOO_FEW);
        }
        let mut next = 0u64;
        for _ in 0..frequency {
            let position = next + u64::from(self.next()?);
            if position > POSITION_MAX {
                return Err(DecodeError { offset: self.at, expected: "a position that a text can have" });
            }
            into.push(position as u32);
            next = position + 1;
        }
        Ok(())
    }

    /// Refuses what has more numbers than were read.
    pub(super) fn end(&self) -> Result<(), DecodeError> {
        if self.left_max() == 0 { Ok(()) } else { Err(DecodeError { offset: self.at, expected: TOO_FEW }) }
    }
}
