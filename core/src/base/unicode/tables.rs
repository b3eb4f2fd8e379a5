//! What Unicode says of characters, unpacked from `characters.bin`.
//!
//! The file is numbers (`varint`), with code points as their distance from the one before:
//!
//! - for each kind (nonspacing marks, punctuation, invisible): how many ranges, then of each the gap before it and its length;
//! - how many ranges have a combining class, then of each the gap, the length and the class;
//! - how many characters have parts, then of each the gap and `4 * parts + form`;
//! - the parts of them all: the zigzag distance from the part at this place of the character before.

use std::ops::RangeInclusive;
use std::sync::LazyLock;

use crate::base::{DecodeError, Reader};

const PACKED: &[u8] = include_bytes!("characters.bin");

/// A character's kind, as far as somebody asks for it.
pub(super) const NONSPACING_MARK: u8 = 1;
pub(super) const PUNCTUATION: u8 = 2;
pub(super) const INVISIBLE: u8 = 3;

/// What becomes of a character that has parts: they are canonical, and NFKC joins them again; 1 where it does not; or they
/// are compatible.
pub(super) const JOINED: u64 = 0;
pub(super) const COMPATIBLE: u64 = 2;

const BLOCK: usize = 128;
const BLOCKS: usize = 0x11_0000 / BLOCK;

/// Whether a text with a character may be in NFKC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Quick {
    #[default]
    Yes,
    No,
    /// It may have to be joined with what is before it.
    Maybe,
}

/// Where the parts of a character stand: the first, and how many.
pub(super) type Parts = (u16, u8);

const NO_PARTS: Parts = (0, 0);

/// More than any character has.
const PARTS_MAX: usize = 32;

/// All that is known of a character.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Record {
    pub kind: u8,
    /// Its combining class: 0 for what is no mark.
    pub class: u8,
    pub quick: Quick,
    pub stands_alone: bool,
    pub canonical: Parts,
    pub compatible: Parts,
}

/// The record of each character: blocks of numbers of records, of which many are block 0.
pub(super) struct Tables {
    blocks: Vec<u16>,
    numbers: Vec<u16>,
    records: Vec<Record>,
    parts: Vec<char>,
    /// Which two characters are one together: the second, the first, and that one; sorted.
    pairs: Vec<(char, char, char)>,
}

impl Tables {
    pub(super) fn get() -> &'static Self {
        static TABLES: LazyLock<Tables> =
            LazyLock::new(|| Tables::unpack(&mut Reader::new(PACKED)).expect("a test reads this file"));
        &TABLES
    }

    #[inline]
    pub(super) fn record(&self, c: char) -> &Record {
        let (block, place) = (c as usize / BLOCK, c as usize % BLOCK);
        &self.records[usize::from(self.numbers[usize::from(self.blocks[block]) * BLOCK + place])]
    }

    #[inline]
    pub(super) fn parts(&self, (start, len): Parts) -> &[char] {
        &self.parts[usize::from(start)..][..usize::from(len)]
    }

    pub(super) fn joined(&self, first: char, second: char) -> Option<char> {
        if self.record(second).quick != Quick::Maybe {
            return None;
        }
        let found = self.pairs.binary_search_by_key(&(second, first), |&(second, first, _)| (second, first));
        found.ok().map(|at| self.pairs[at].2)
    }

    fn unpack(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let ordinary = Record { stands_alone: true, ..Record::default() };
        let mut tables = Self {
            blocks: vec![0; BLOCKS],
            numbers: vec![0; BLOCK],
            records: vec![ordinary],
            parts: Vec::new(),
            pairs: Vec::new(),
        };
        for kind in [NONSPACING_MARK, PUNCTUATION, INVISIBLE] {
            let mut next = 0;
            for _ in 0..r.varint()? {
                for c in range(r, &mut next)? {
                    tables.set(c, Record { kind, ..*tables.record(c) });
                }
            }
        }
        let mut next = 0;
        for _ in 0..r.varint()? {
            let (range, class) = (range(r, &mut next)?, r.varint()? as u8);
            for c in range {
                tables.set(c, Record { class, stands_alone: false, ..*tables.record(c) });
            }
        }
        let heads = tables.decompositions(r)?;
        r.end()?;
        tables.find_pairs(&heads);
        for (c, _) in heads {
            let record = *tables.record(c);
            let first = tables.record(tables.parts(record.compatible)[0]);
            let stands_alone = first.class == 0 && first.quick == Quick::Yes;
            // What begins with a part that may be joined may be joined itself.
            let quick = if record.quick == Quick::Yes { first.quick } else { record.quick };
            tables.set(c, Record { quick, stands_alone, ..record });
        }
        Ok(tables)
    }

    /// Reads the parts of characters: these, and the form of each.
    fn decompositions(&mut self, r: &mut Reader<'_>) -> Result<Vec<(char, u64)>, DecodeError> {
        let (mut heads, mut next) = (Vec::new(), 0);
        for _ in 0..r.varint()? {
            next += r.varint()? as u32;
            heads.push((code(next), r.varint()?));
            next += 1;
        }
        let mut before = [0u32; PARTS_MAX];
        for (c, head) in &mut heads {
            let (start, len) = (self.parts.len(), *head >> 2);
            for place in &mut before[..len as usize] {
                let distance = r.varint()? as u32;
                *place = place.wrapping_add((distance >> 1) ^ (distance & 1).wrapping_neg());
                self.parts.push(code(*place));
            }
            *head &= 3;
            let compatible = (start as u16, len as u8);
            let canonical = if *head == COMPATIBLE { NO_PARTS } else { compatible };
            let quick = if *head == JOINED { Quick::Yes } else { Quick::No };
            self.set(*c, Record { canonical, compatible, quick, ..*self.record(*c) });
        }
        for &(c, form) in &heads {
            if form != COMPATIBLE {
                self.replace_parts(c);
            }
        }
        Ok(heads)
    }

    /// Sees to canonical parts of which some have compatible ones.
    fn replace_parts(&mut self, c: char) {
        let record = *self.record(c);
        let parts = self.parts(record.canonical).to_vec();
        if parts.iter().all(|&part| self.record(part).compatible == NO_PARTS) {
            return;
        }
        let start = self.parts.len();
        for part in parts {
            match self.record(part).compatible {
                NO_PARTS => self.parts.push(part),
                (from, len) => {
                    self.parts.extend_from_within(usize::from(from)..usize::from(from) + usize::from(len))
                }
            }
        }
        let compatible = (start as u16, (self.parts.len() - start) as u8);
        self.set(c, Record { compatible, quick: Quick::No, ..record });
    }

    /// Finds of which two each character is joined: its last part, and what the others are together.
    fn find_pairs(&mut self, heads: &[(char, u64)]) {
        for len in 2..PARTS_MAX {
            let mut found = Vec::new();
            for &(c, _) in heads.iter().filter(|(_, form)| *form == JOINED) {
                let Record { canonical, quick: Quick::Yes, .. } = *self.record(c) else { continue };
                let [first, marks @ .., last] = self.parts(canonical) else { continue };
                if marks.len() + 2 == len {
                    let before = marks.iter().try_fold(*first, |before, mark| self.joined(before, *mark));
                    found.extend(before.map(|before| (*last, before, c)));
                }
            }
            for (second, ..) in &found {
                self.set(
                    *second,
                    Record { quick: Quick::Maybe, stands_alone: false, ..*self.record(*second) },
                );
            }
            self.pairs.append(&mut found);
            self.pairs.sort_unstable();
        }
        for jamo in ['\u{1161}'..='\u{1175}', '\u{11a8}'..='\u{11c2}'].into_iter().flatten() {
            self.set(jamo, Record { quick: Quick::Maybe, stands_alone: false, ..*self.record(jamo) });
        }
    }

    /// Gives a character its record. Those without parts share theirs, of which there are a hundred.
    fn set(&mut self, c: char, record: Record) {
        let (block, place) = (c as usize / BLOCK, c as usize % BLOCK);
        if self.blocks[block] == 0 {
            self.blocks[block] = (self.numbers.len() / BLOCK) as u16;
            self.numbers.resize(self.numbers.len() + BLOCK, 0);
        }
        let number = usize::from(self.blocks[block]) * BLOCK + place;
        let before = usize::from(self.numbers[number]);
        if self.records[before].compatible != NO_PARTS {
            self.records[before] = record;
            return;
        }
        let shared = if record.compatible == NO_PARTS {
            self.records.iter().position(|one| *one == record)
        } else {
            None
        };
        self.numbers[number] = shared.unwrap_or(self.records.len()) as u16;
        if shared.is_none() {
            self.records.push(record);
        }
    }
}

/// Reads a range: the gap before it, behind `next`, and its length.
fn range(r: &mut Reader<'_>, next: &mut u32) -> Result<RangeInclusive<char>, DecodeError> {
    let start = *next + r.varint()? as u32;
    *next = start + r.varint()? as u32;
    Ok(code(start)..=code(*next - 1))
}

fn code(code: u32) -> char {
    char::from_u32(code).expect("a test compares every character")
}
