//! A posting list on its way through one search: which block stands at a slot, what it can add, what its postings add.
//!
//! Slots are asked for in ascending order. A block is decoded when a posting of it is needed, its gains are computed when
//! it is scanned, and neither is done for a block that its bound rules out.

use std::rc::Rc;

use super::blocks::{self, BLOCK, Block, Decoded};
use super::bm25::Weight;
use super::impacts;
use super::list::{Form, List, Packed};
use super::postings::Posting;
use crate::base::{DecodeError, Result};

/// The least that a bound is raised by: what rounding can add to a gain beyond the gain of a better pair.
const ROUNDING: f64 = 1.0 + 1e-14;

/// Norms of short lengths, computed once for all terms of a field.
pub(super) type Norms = Rc<[f64]>;

/// So many norms are computed beforehand.
const NORMS_MAX: u32 = 256;

/// The norms of the lengths that a list can have.
pub(super) fn norms(weight: &Weight, list: &List<'_>) -> Norms {
    (0..=list.lengths.longest.min(NORMS_MAX - 1)).map(|length| weight.norm(f64::from(length))).collect()
}

/// A block of a list and what it can add.
#[derive(Debug)]
struct Bounded {
    first: u32,
    last: u32,
    /// No gain of it is above this.
    bound: f64,
    source: Source,
}

/// Where the postings of a block are.
#[derive(Debug)]
enum Source {
    Packed(Block),
    /// So many postings from this one on, of a list in memory.
    Open(usize, usize),
    /// Decoded and scored when the list was opened.
    Ready,
}

/// Postings of a block, decoded, and what each adds.
#[derive(Debug)]
struct Scored {
    decoded: Decoded,
    gains: [f64; BLOCK],
}

/// A posting list on its way through one search.
pub(super) struct Cursor<'a> {
    weight: &'a Weight,
    list: List<'a>,
    norms: Norms,
    blocks: Vec<Bounded>,
    /// The block that the search has come to.
    at: usize,
    /// Which block is decoded, and which has its gains.
    decoded: Option<usize>,
    scored: Option<usize>,
    postings: Box<Scored>,
    /// No posting of the decoded block before this one is needed any more.
    position: usize,
    /// No gain of the list is above this.
    pub(super) max: f64,
    /// How many blocks were decoded.
    pub(super) decodes: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(weight: &'a Weight, list: List<'a>, norms: Norms) -> Result<Self> {
        let postings = Box::new(Scored { decoded: Decoded::new(), gains: [0.0; BLOCK] });
        let (at, position, max, decodes) = (0, 0, 0.0, 0);
        let (decoded, scored, blocks) = (None, None, Vec::new());
        let mut cursor =
            Self { weight, list, norms, blocks, at, decoded, scored, postings, position, max, decodes };
        cursor.blocks = cursor.open()?;
        cursor.max = cursor.blocks.iter().fold(0.0, |max: f64, block| max.max(block.bound));
        Ok(cursor)
    }

    fn open(&mut self) -> Result<Vec<Bounded>> {
        let (df, n_slots) = (self.list.df, self.list.lengths.n_slots);
        let packed = match &self.list.form {
            Form::Open(postings) => return Ok(self.open_memory(postings)),
            Form::Packed(packed) => packed,
        };
        if df as usize > BLOCK {
            let bounded = |block: Block| {
                let gain = |(tf, length): (u64, u64)| self.gain(tf as f64, length);
                let bound = impacts::pairs(&block.impacts).map(gain).fold(0.0, f64::max) * ROUNDING;
                Bounded { first: block.first, last: block.last, bound, source: Source::Packed(block) }
            };
            return Ok(packed.blocks(df, n_slots)?.into_iter().map(bounded).collect());
        }
        packed.decode_short(df, n_slots, &mut self.postings.decoded)?;
        self.decodes += 1;
        (self.decoded, self.scored) = (Some(0), Some(0));
        let bound = score(&mut self.postings, self.weight, &self.list, &self.norms, packed)?;
        let Decoded { len, slots, .. } = &self.postings.decoded;
        Ok(vec![Bounded { first: slots[0], last: slots[len - 1], bound, source: Source::Ready }])
    }

    fn open_memory(&self, postings: &[Posting]) -> Vec<Bounded> {
        let bounded = |(i, block): (usize, &[Posting])| {
            let gains = block.iter().map(|posting| self.weight.contribution(*posting));
            let bound = gains.fold(0.0, f64::max);
            let source = Source::Open(i * BLOCK, block.len());
            Bounded { first: block[0].slot, last: block[block.len() - 1].slot, bound, source }
        };
        postings.chunks(BLOCK).enumerate().map(bounded).collect()
    }

    fn gain(&self, tf: f64, length: u64) -> f64 {
        let known = usize::try_from(length).ok().and_then(|length| self.norms.get(length));
        let norm = known.copied().unwrap_or_else(|| self.weight.norm(length as f64));
        self.weight.saturated(tf, norm)
    }

    /// How many blocks the list has.
    pub(super) fn len(&self) -> usize {
        self.blocks.len()
    }

    pub(super) fn df(&self) -> u32 {
        self.list.df
    }

    /// Goes to the block that can hold a slot or what comes next after it; false when there is none.
    #[inline]
    pub(super) fn advance(&mut self, slot: u32) -> bool {
        let Some(rest) = self.blocks.get(self.at..) else { return false };
        let near = rest.iter().take(4).take_while(|block| block.last < slot).count();
        self.at += match near {
            4 => 4 + rest[4..].partition_point(|block| block.last < slot),
            near => near,
        };
        self.at < self.blocks.len()
    }

    /// No posting at or after the slot that the cursor was advanced to comes before this.
    #[inline]
    pub(super) fn next(&self) -> u32 {
        match &self.postings.decoded {
            decoded if self.decoded == Some(self.at) && self.position < decoded.len => {
                decoded.slots[self.position]
            }
            _ => self.blocks[self.at].first,
        }
    }

    /// The last slot of the block that the cursor is at.
    #[inline]
    pub(super) fn last(&self) -> u32 {
        self.blocks[self.at].last
    }

    /// No gain of a slot below `end` is above this.
    #[inline]
    pub(super) fn bound_before(&self, end: u32) -> f64 {
        let here = self.blocks[self.at..].iter().take_while(|block| block.first < end);
        here.fold(0.0, |bound, block| bound.max(block.bound))
    }

    /// No gain at a slot that the cursor was advanced to is above this.
    #[inline]
    pub(super) fn bound_at(&self, slot: u32) -> f64 {
        self.blocks.get(self.at).filter(|block| block.first <= slot).map_or(0.0, |block| block.bound)
    }

    /// What the term adds at a slot that the cursor was advanced to.
    #[inline]
    pub(super) fn gain_at(&mut self, slot: u32) -> Result<f64> {
        if self.blocks.get(self.at).is_none_or(|block| block.first > slot) {
            return Ok(0.0);
        }
        self.decode()?;
        self.skip_to(slot);
        let decoded = &self.postings.decoded;
        if self.position >= decoded.len || decoded.slots[self.position] != slot {
            return Ok(0.0);
        }
        if self.scored == Some(self.at) {
            return Ok(self.postings.gains[self.position]);
        }
        let Form::Packed(packed) = &self.list.form else { unreachable!("gains of memory are there at once") };
        let tf = decoded.tfs[self.position];
        let length = packed.length(&self.list.lengths, slot, tf)?;
        let gain = self.gain(f64::from(tf), u64::from(length));
        if gain > self.blocks[self.at].bound {
            return Err(packed.corrupt(&BEYOND));
        }
        Ok(gain)
    }

    /// Calls `f` with the slots of a range and their gains, a run of a block at a time. Blocks whose gains are all below
    /// `least` are left out, where `f` may raise what it answered last.
    #[inline]
    pub(super) fn scan(
        &mut self,
        range: std::ops::Range<u32>,
        mut least: f64,
        mut f: impl FnMut(&[u32], &[f64]) -> Result<f64>,
    ) -> Result<()> {
        while let Some(block) = self.blocks.get(self.at)
            && block.first < range.end
        {
            let last = block.last;
            if block.bound >= least {
                self.score()?;
                self.skip_to(range.start);
                let Scored { decoded, gains } = &*self.postings;
                let rest = &decoded.slots[self.position..decoded.len];
                let n = if last < range.end { rest.len() } else { rest.partition_point(|s| *s < range.end) };
                let run = self.position..self.position + n;
                self.position = run.end;
                least = f(&decoded.slots[run.clone()], &gains[run])?;
            }
            if last >= range.end {
                break;
            }
            self.at += 1;
        }
        Ok(())
    }

    /// Goes forward in the decoded block.
    #[inline]
    #[cfg_attr(kithdb_small, optimize(speed))]
    fn skip_to(&mut self, slot: u32) {
        let decoded = &self.postings.decoded;
        if decoded.slots[..decoded.len].get(self.position).is_some_and(|s| *s < slot) {
            let rest = &decoded.slots[self.position..decoded.len];
            self.position += rest.partition_point(|s| *s < slot);
        }
    }

    #[cfg_attr(kithdb_small, optimize(speed))]
    fn decode(&mut self) -> Result<()> {
        if self.decoded == Some(self.at) {
            return Ok(());
        }
        (self.decoded, self.scored, self.position) = (None, None, 0);
        let into = &mut self.postings;
        match (&self.blocks[self.at].source, &self.list.form) {
            (Source::Packed(block), Form::Packed(packed)) => {
                packed.decode(block, &mut into.decoded)?;
                into.decoded.len = block.len;
            }
            (Source::Open(first, len), Form::Open(postings)) => {
                for (i, posting) in postings[*first..first + len].iter().enumerate() {
                    into.decoded.slots[i] = posting.slot;
                    into.gains[i] = self.weight.contribution(*posting);
                }
                into.decoded.len = *len;
                self.scored = Some(self.at);
            }
            _ => unreachable!("a list of one block is decoded when it is opened"),
        }
        self.decodes += 1;
        self.decoded = Some(self.at);
        Ok(())
    }

    #[cfg_attr(kithdb_small, optimize(speed))]
    fn score(&mut self) -> Result<()> {
        self.decode()?;
        if self.scored == Some(self.at) {
            return Ok(());
        }
        let Form::Packed(packed) = &self.list.form else { return Ok(()) };
        let best = score(&mut self.postings, self.weight, &self.list, &self.norms, packed)?;
        if best > self.blocks[self.at].bound {
            return Err(packed.corrupt(&BEYOND));
        }
        self.scored = Some(self.at);
        Ok(())
    }

    /// What the term adds at a slot, wherever the cursor is.
    pub(super) fn gain_anywhere(&self, slot: u32) -> Result<Option<f64>> {
        Ok(match &self.list.form {
            Form::Packed(_) => self.list.find(slot)?,
            Form::Open(postings) => {
                postings.binary_search_by_key(&slot, |posting| posting.slot).ok().map(|i| postings[i])
            }
        }
        .map(|posting| self.weight.contribution(posting)))
    }
}

const BEYOND: DecodeError = DecodeError { offset: 0, expected: "postings within the impacts of their block" };

/// Computes the gains of all decoded postings, and the largest of them.
#[cfg_attr(kithdb_small, optimize(speed))]
fn score(
    postings: &mut Scored,
    weight: &Weight,
    list: &List<'_>,
    norms: &[f64],
    packed: &Packed<'_>,
) -> Result<f64> {
    let Scored { decoded: Decoded { len, slots, tfs }, gains } = postings;
    for ((&slot, &tf), gain) in slots.iter().zip(tfs.iter()).zip(gains.iter_mut()).take(*len) {
        let length = packed.length(&list.lengths, slot, tf)?;
        *gain = match norms.get(length as usize) {
            Some(norm) => *norm,
            None => weight.norm(f64::from(length)),
        };
    }
    let mut best = 0.0f64;
    for (&tf, gain) in tfs.iter().zip(gains.iter_mut()).take(*len) {
        *gain = weight.saturated(f64::from(tf), *gain);
        best = best.max(*gain);
    }
    debug_assert!(*len <= blocks::BLOCK);
    Ok(best)
}
