//! The postings of one term in one field of a part, opened.

use std::borrow::Cow;

use super::blocks::{self, BLOCK, Block, Decoded};
use super::lengths::Lengths;
use super::postings::Posting;
use super::standing::Positions;
use crate::base::{Bitmap, DecodeError, Result};

/// The postings of one term in one field of a part; all bytes that they need are there.
#[derive(Debug)]
pub struct List<'a> {
    pub(super) df: u32,
    pub(super) lengths: Lengths<'a>,
    pub(super) form: Form<'a>,
    pub(super) positions: Positions<'a>,
}

#[derive(Debug)]
pub(super) enum Form<'a> {
    /// As bytes of a segment.
    Packed(Packed<'a>),
    /// As postings of memory.
    Open(Vec<Posting>),
}

/// A list as it is stored.
#[derive(Debug)]
pub(super) struct Packed<'a> {
    pub(super) bytes: Cow<'a, [u8]>,
    /// What the bytes belong to, and where in it they begin.
    pub(super) object: &'a str,
    pub(super) start: u64,
}

impl Packed<'_> {
    /// What is wrong with the list.
    pub(super) fn corrupt(&self, error: &DecodeError) -> crate::base::Error {
        error.within(self.object, self.start)
    }

    /// Its blocks; none when it is short.
    pub(super) fn blocks(&self, df: u32, n_slots: u32) -> Result<Vec<Block>> {
        if df as usize <= BLOCK {
            return Ok(Vec::new());
        }
        blocks::read_table(&self.bytes, df, n_slots).map_err(|e| self.corrupt(&e))
    }

    #[cfg_attr(kithdb_small, optimize(speed))]
    pub(super) fn decode(&self, block: &Block, into: &mut Decoded) -> Result<()> {
        blocks::decode(&self.bytes, block, into).map_err(|e| self.corrupt(&e))
    }

    /// All of a list that is short.
    pub(super) fn decode_short(&self, df: u32, n_slots: u32, into: &mut Decoded) -> Result<()> {
        blocks::decode_short(&self.bytes, df, n_slots, into).map_err(|e| self.corrupt(&e))
    }

    /// The length of the field that a posting stands in.
    #[cfg_attr(kithdb_small, optimize(speed))]
    #[inline]
    pub(super) fn length(&self, lengths: &Lengths<'_>, slot: u32, tf: u32) -> Result<u32> {
        let refuse = |expected| Err(self.corrupt(&DecodeError { offset: 0, expected }));
        match lengths.get(slot) {
            None => refuse("slots that have the field"),
            Some(length) if tf == 0 || tf > length => {
                refuse("term frequencies within the length of the field")
            }
            Some(length) => Ok(length),
        }
    }
}

impl List<'_> {
    /// Calls `f` with each posting, by ascending slot.
    ///
    /// # Errors
    /// `corrupt`.
    pub fn for_each(&self, f: &mut dyn FnMut(Posting)) -> Result<()> {
        self.for_each_in(&|_, _| true, f)
    }

    /// The posting of a slot. Decodes one block at most.
    ///
    /// # Errors
    /// `corrupt`.
    #[cfg_attr(kithdb_small, optimize(speed))]
    pub fn find(&self, slot: u32) -> Result<Option<Posting>> {
        let mut found = None;
        let is_in = |first, last| (first..=last).contains(&slot);
        self.for_each_in(&is_in, &mut |posting| {
            if posting.slot == slot {
                found = Some(posting);
            }
        })?;
        Ok(found)
    }

    /// How many of its slots are in a set. Blocks that have none of them are not decoded.
    ///
    /// # Errors
    /// `corrupt`.
    pub fn count_in(&self, allowed: &Bitmap) -> Result<u64> {
        let mut count = 0;
        self.for_each_of(allowed, &mut |_| count += 1)?;
        Ok(count)
    }

    /// Calls `f` with each posting whose slot is in a set, by ascending slot. Blocks that have none of them are not decoded.
    ///
    /// # Errors
    /// `corrupt`.
    pub fn for_each_of(&self, allowed: &Bitmap, f: &mut dyn FnMut(Posting)) -> Result<()> {
        let is_in = |first, last| allowed.first_from(first as usize).is_some_and(|at| at <= last as usize);
        self.for_each_in(&is_in, &mut |posting| {
            if allowed.contains(posting.slot as usize) {
                f(posting);
            }
        })
    }

    /// Calls `f` with the postings of the blocks that are wanted, each told by the lowest slot it can have and its last
    /// one; with all of a list that has no blocks.
    #[cfg_attr(kithdb_small, optimize(speed))]
    fn for_each_in(&self, is_wanted: &dyn Fn(u32, u32) -> bool, f: &mut dyn FnMut(Posting)) -> Result<()> {
        let packed = match &self.form {
            Form::Open(postings) => {
                postings.iter().for_each(|posting| f(*posting));
                return Ok(());
            }
            Form::Packed(packed) => packed,
        };
        let n_slots = self.lengths.n_slots;
        let mut decoded = Decoded::new();
        let mut tell = |decoded: &Decoded| -> Result<()> {
            for (&slot, &tf) in decoded.slots.iter().zip(&decoded.tfs).take(decoded.len) {
                let field_length = packed.length(&self.lengths, slot, tf)?;
                f(Posting { slot, tf, field_length });
            }
            Ok(())
        };
        if self.df as usize <= BLOCK {
            packed.decode_short(self.df, n_slots, &mut decoded)?;
            return tell(&decoded);
        }
        for block in packed.blocks(self.df, n_slots)? {
            if is_wanted(block.first, block.last) {
                packed.decode(&block, &mut decoded)?;
                tell(&decoded)?;
            }
        }
        Ok(())
    }
}
