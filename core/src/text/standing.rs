//! The postings of a term in turn, each with the positions at which the term stands.

use super::blocks::{BLOCK, Block, Decoded};
use super::list::{Form, List, Packed};
use super::memory::Tokens;
use super::positions::{Numbers, StoredPositions};
use crate::base::Result;

/// Where the positions of a list are.
#[derive(Debug)]
pub(super) enum Positions<'a> {
    /// In a segment, by the number of the term.
    Stored(&'a StoredPositions, usize),
    /// In memory.
    Open(Tokens<'a>),
    /// Nobody knows.
    Unknown,
}

/// The postings of a term on their way: forward only.
#[derive(Debug)]
pub(super) struct Standing<'a> {
    from: Source<'a>,
    slot: Option<u32>,
    /// Of the posting that it has come to, once they are asked for; in memory, always.
    positions: Vec<u32>,
}

#[derive(Debug)]
enum Source<'a> {
    Stored(Box<Stored<'a>>),
    Open(Tokens<'a>),
}

#[derive(Debug)]
struct Stored<'a> {
    list: List<'a>,
    of: &'a StoredPositions,
    numbers: Numbers<'a>,
    /// The blocks of the list; none where it is short.
    blocks: Vec<Block>,
    /// The one that is decoded next.
    block: usize,
    decoded: Decoded,
    /// The posting of the decoded block that is next.
    next: usize,
    /// Numbers that were passed over.
    behind: u64,
    /// The frequency of the posting that it has come to, until its positions are read.
    frequency: u32,
}

impl<'a> Standing<'a> {
    /// At no posting yet; `None` where it is not known where the term stands.
    pub(super) fn open(mut list: List<'a>) -> Result<Option<Self>> {
        let from = match std::mem::replace(&mut list.positions, Positions::Unknown) {
            Positions::Unknown => return Ok(None),
            Positions::Open(tokens) => Source::Open(tokens),
            Positions::Stored(of, term) => {
                let blocks = packed(&list).blocks(list.df, list.lengths.n_slots)?;
                let (numbers, decoded) = (of.numbers_of(term)?, Decoded::new());
                let (block, next, behind, frequency) = (0, 0, 0, 0);
                let stored = Stored { list, of, numbers, blocks, block, decoded, next, behind, frequency };
                Source::Stored(Box::new(stored))
            }
        };
        Ok(Some(Self { from, slot: None, positions: Vec::new() }))
    }

    /// Goes to the next posting, and says which slot it is of.
    pub(super) fn advance(&mut self) -> Result<Option<u32>> {
        self.slot = match &mut self.from {
            Source::Stored(stored) => stored.advance()?,
            Source::Open(tokens) => {
                tokens.next(&mut self.positions).map_err(|e| e.within("postings in memory", 0))?
            }
        };
        Ok(self.slot)
    }

    /// The positions of the posting that it has come to, ascending. They are read once.
    pub(super) fn positions(&mut self) -> Result<&[u32]> {
        if let Source::Stored(stored) = &mut self.from {
            stored.positions(&mut self.positions)?;
        }
        Ok(&self.positions)
    }

    /// The positions in a slot, which is above those that were asked for before; none where the term is not there.
    pub(super) fn positions_in(&mut self, slot: u32) -> Result<&[u32]> {
        while self.slot.is_none_or(|at| at < slot) {
            if self.advance()?.is_none() {
                return Ok(&[]);
            }
        }
        if self.slot == Some(slot) { self.positions() } else { Ok(&[]) }
    }
}

impl Stored<'_> {
    fn advance(&mut self) -> Result<Option<u32>> {
        self.behind += u64::from(std::mem::take(&mut self.frequency));
        if self.next == self.decoded.len && !self.decode()? {
            self.pass()?;
            self.numbers.end().map_err(|e| self.of.corrupt(&e))?;
            return Ok(None);
        }
        let (slot, frequency) = (self.decoded.slots[self.next], self.decoded.tfs[self.next]);
        packed(&self.list).length(&self.list.lengths, slot, frequency)?;
        (self.frequency, self.next) = (frequency, self.next + 1);
        Ok(Some(slot))
    }

    /// Decodes the next block; false when there is none.
    fn decode(&mut self) -> Result<bool> {
        let (list, packed) = (&self.list, packed(&self.list));
        if list.df as usize <= BLOCK {
            if self.block > 0 {
                return Ok(false);
            }
            packed.decode_short(list.df, list.lengths.n_slots, &mut self.decoded)?;
        } else {
            let Some(block) = self.blocks.get(self.block) else { return Ok(false) };
            packed.decode(block, &mut self.decoded)?;
        }
        (self.block, self.next) = (self.block + 1, 0);
        Ok(true)
    }

    fn pass(&mut self) -> Result<()> {
        self.numbers.skip(std::mem::take(&mut self.behind)).map_err(|e| self.of.corrupt(&e))
    }

    fn positions(&mut self, into: &mut Vec<u32>) -> Result<()> {
        self.pass()?;
        let frequency = std::mem::take(&mut self.frequency);
        self.numbers.take(frequency, into).map_err(|e| self.of.corrupt(&e))
    }
}

fn packed<'l, 'a>(list: &'l List<'a>) -> &'l Packed<'a> {
    match &list.form {
        Form::Packed(packed) => packed,
        Form::Open(_) => unreachable!("what is stored is packed"),
    }
}
