//! What happened to the slots of a part since it was made: which have ended, when, what words went with them, and how
//! often which were touched.
//!
//! Shared between views: ending a slot copies one page of 4,096 slots, not the whole part.

use std::sync::Arc;

use crate::base::limits::SLOTS_MAX;
use crate::base::{DecodeError, Error, Reader, Result, Seq, Slot, Writer};
use crate::storage::blob::Block;
use crate::storage::{Blob, Section};
use crate::text::TermCounts;

use super::touches::Touches;

/// Ended slots, ascending: slot `u32`, valid_to `i64`, seq `u64`.
const ENTRIES: u16 = 1;
/// What the ended versions said, counted as their part counts it.
const TERMS: u16 = 2;
/// How often versions were touched.
const TOUCHES: u16 = 3;

const PAGE_SLOTS: usize = 4096;
const ENTRY_BYTES: usize = 20;

/// The end of one version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End {
    /// Its slot.
    pub slot: Slot,
    /// From when it is no longer valid: ns since 1970 UTC.
    pub valid_to: i64,
    /// The seq of the operation that ended it.
    pub seq: Seq,
}

/// The ended slots of one part.
#[derive(Debug, Clone, Default)]
pub struct Ends {
    pages: Vec<Option<Arc<Page>>>,
    count: usize,
    /// The earliest and the latest `valid_to`; meaningless while there is none.
    span: (i64, i64),
    /// Merged geometrically, so that adding one document's terms stays cheap.
    terms: Vec<Arc<TermCounts>>,
    /// How often the slots were touched, ended ones included.
    pub touches: Touches,
}

#[derive(Debug, Clone)]
struct Page {
    ended: [u64; PAGE_SLOTS / 64],
    ends: Vec<End>,
}

impl Ends {
    /// Ends a slot.
    ///
    /// # Panics
    /// When it has ended already: a version ends once.
    pub fn end(&mut self, end: End) {
        let (page, bit) = (end.slot.index() / PAGE_SLOTS, end.slot.index() % PAGE_SLOTS);
        if self.pages.len() <= page {
            self.pages.resize(page + 1, None);
        }
        let place = self.pages[page]
            .get_or_insert_with(|| Arc::new(Page { ended: [0; PAGE_SLOTS / 64], ends: Vec::new() }));
        let page = Arc::make_mut(place);
        assert_eq!(page.ended[bit / 64] >> (bit % 64) & 1, 0, "a version ends once");
        page.ended[bit / 64] |= 1 << (bit % 64);
        let at = page.ends.partition_point(|e| e.slot < end.slot);
        page.ends.insert(at, end);
        let (from, to) = if self.count == 0 { (end.valid_to, end.valid_to) } else { self.span };
        self.span = (from.min(end.valid_to), to.max(end.valid_to));
        self.count += 1;
    }

    /// Counts the words of a version that has ended.
    pub fn add_terms(&mut self, terms: TermCounts) {
        if terms.is_empty() {
            return;
        }
        let mut last = Arc::new(terms);
        while let Some(before) = self.terms.pop() {
            if before.len() > 2 * last.len() {
                self.terms.push(before);
                break;
            }
            last = Arc::new(TermCounts::merge(&[&before, &last]));
        }
        self.terms.push(last);
    }

    /// The same ends, with nothing counted of what the versions said.
    #[must_use]
    pub fn without_terms(self) -> Self {
        Self { terms: Vec::new(), ..self }
    }

    /// What the ended versions said.
    #[must_use]
    pub fn terms(&self) -> &[Arc<TermCounts>] {
        &self.terms
    }

    /// How many have ended.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    /// How many things happened: a later state of the same part has more.
    #[must_use]
    pub fn changes(&self) -> u64 {
        self.count as u64 + self.touches.total()
    }

    /// How many had ended by a time.
    #[must_use]
    pub fn ended_by(&self, time: i64) -> usize {
        // All or none of them, where no history is kept or all of it: nobody counts them one by one for that.
        match self.span {
            _ if self.count == 0 => 0,
            (_, latest) if latest <= time => self.count,
            (earliest, _) if earliest > time => 0,
            _ => self.iter().filter(|end| end.valid_to <= time).count(),
        }
    }

    /// Whether a slot has ended.
    #[must_use]
    pub fn contains(&self, slot: Slot) -> bool {
        let (page, bit) = (slot.index() / PAGE_SLOTS, slot.index() % PAGE_SLOTS);
        self.pages
            .get(page)
            .and_then(Option::as_ref)
            .is_some_and(|page| page.ended[bit / 64] >> (bit % 64) & 1 == 1)
    }

    /// The end of a slot; `None` while it has not ended.
    #[must_use]
    pub fn get(&self, slot: Slot) -> Option<End> {
        let page = self.pages.get(slot.index() / PAGE_SLOTS)?.as_ref()?;
        page.ends.binary_search_by_key(&slot, |end| end.slot).ok().map(|at| page.ends[at])
    }

    /// All ends, by slot.
    pub fn iter(&self) -> impl Iterator<Item = End> + '_ {
        self.pages.iter().flatten().flat_map(|page| page.ends.iter().copied())
    }

    /// Adds the ends of a part that was put behind this one.
    pub fn append(&mut self, other: &Self, offset: u32) {
        for end in other.iter() {
            self.end(End { slot: Slot(end.slot.0 + offset), ..end });
        }
        for terms in &other.terms {
            self.add_terms((**terms).clone());
        }
        for (slot, touch) in other.touches.iter() {
            self.touches.set(Slot(slot.0 + offset), touch);
        }
    }

    /// The sections of an ends blob.
    #[must_use]
    pub fn sections(&self) -> Vec<Section> {
        let mut entries = Writer::new();
        for end in self.iter() {
            entries.u32(end.slot.0);
            entries.i64(end.valid_to);
            entries.u64(end.seq.0);
        }
        let all: Vec<&TermCounts> = self.terms.iter().map(|t| &**t).collect();
        let mut terms = Writer::new();
        TermCounts::merge(&all).encode(&mut terms);
        vec![
            Section::pinned(ENTRIES, entries.finish()),
            Section::pinned(TERMS, terms.finish()),
            Section::pinned(TOUCHES, self.touches.encode()),
        ]
    }

    /// Opens the blob of a part with this many slots.
    ///
    /// # Errors
    /// `corrupt`, `not_resident`.
    pub fn open(blob: &Blob, slots: usize) -> Result<Self> {
        let mut ends = Self::entries(blob, slots)?;
        ends.add_terms(read_terms(blob)?);
        ends.touches = read_touches(blob, slots)?;
        Ok(ends)
    }

    /// Opens it as far as it is sound. When the ends themselves are, words are counted again from the versions (`count`
    /// says what one said), and of the touches those that cannot be read begin anew; `told` hears of either.
    ///
    /// # Errors
    /// `corrupt` when the ends are damaged, or what `count` reads; `not_resident`, `io_failed`.
    pub fn open_mended(
        blob: &Blob,
        slots: usize,
        count: &dyn Fn(Slot) -> Result<TermCounts>,
        told: &dyn Fn(&str, &Error),
    ) -> Result<Self> {
        let mut ends = Self::entries(blob, slots)?;
        match read_terms(blob) {
            Ok(terms) => ends.add_terms(terms),
            Err(error) if error.code() == "corrupt" => {
                told("the words of what has ended were counted again", &error);
                let ended: Vec<Slot> = ends.iter().map(|end| end.slot).collect();
                for slot in ended {
                    ends.add_terms(count(slot)?);
                }
            }
            Err(error) => return Err(error),
        }
        match read_touches(blob, slots) {
            Ok(touches) => ends.touches = touches,
            Err(error) if error.code() == "corrupt" => {
                ends.touches = salvage_touches(blob, slots);
                let kept = ends.touches.iter().count();
                told(&format!("touches are lost, all but those of {kept} documents"), &error);
            }
            Err(error) => return Err(error),
        }
        Ok(ends)
    }

    fn entries(blob: &Blob, slots: usize) -> Result<Self> {
        let name = name(blob);
        let of = |e: DecodeError| e.within(&name, 0);
        let entries = blob.pinned(ENTRIES)?;
        if slots > SLOTS_MAX || !entries.len().is_multiple_of(ENTRY_BYTES) {
            return Err(Error::corrupt(name, 0, "whole entries"));
        }
        let mut ends = Self::default();
        let mut r = Reader::new(&entries);
        let mut least = 0;
        while r.remaining() > 0 {
            let slot = r.u32().map_err(of)?;
            if (slot as usize) < least || slot as usize >= slots {
                return Err(Error::corrupt(name, r.offset() as u64, "ended slots in ascending order"));
            }
            least = slot as usize + 1;
            let (valid_to, seq) = (r.i64().map_err(of)?, Seq(r.u64().map_err(of)?));
            ends.end(End { slot: Slot(slot), valid_to, seq });
        }
        Ok(ends)
    }
}

fn name(blob: &Blob) -> String {
    format!("blob {}.ends", blob.id().number)
}

fn read_terms(blob: &Blob) -> Result<TermCounts> {
    let name = name(blob);
    let terms = blob.pinned(TERMS)?;
    let mut r = Reader::new(&terms);
    let read = TermCounts::decode(&mut r).and_then(|counts| r.end().map(|()| counts));
    read.map_err(|e| e.within(&name, 0))
}

fn read_touches(blob: &Blob, slots: usize) -> Result<Touches> {
    Touches::decode(&blob.pinned(TOUCHES)?, slots).map_err(|e| e.within(&name(blob), 0))
}

/// The touches in the blocks that are sound.
fn salvage_touches(blob: &Blob, slots: usize) -> Touches {
    // Blocks hold whole entries.
    const BLOCK_BYTES: u64 = 1 << Block::Pinned as u32;
    let Ok(rows) = blob.rows(TOUCHES) else { return Touches::default() };
    let mut sound = Vec::new();
    for start in (0..rows.len()).step_by(BLOCK_BYTES as usize) {
        if let Ok(block) = rows.read(start..rows.len().min(start + BLOCK_BYTES)) {
            sound.extend_from_slice(&block);
        }
    }
    Touches::decode(&sound, slots).unwrap_or_default()
}

/// The ends that a damaged blob still tells, and how many more it had.
#[must_use]
pub fn salvage(blob: &Blob) -> (Vec<End>, usize) {
    let Ok(entries) = blob.rows(ENTRIES) else { return (Vec::new(), usize::MAX) };
    let count = entries.len() / ENTRY_BYTES as u64;
    let read = |i: u64| {
        let bytes = entries.read(i * ENTRY_BYTES as u64..(i + 1) * ENTRY_BYTES as u64).ok()?;
        let mut r = Reader::new(&bytes);
        Some(End { slot: Slot(r.u32().ok()?), valid_to: r.i64().ok()?, seq: Seq(r.u64().ok()?) })
    };
    let found: Vec<End> = (0..count).filter_map(read).collect();
    let missing = count as usize - found.len();
    (found, missing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_copy_does_not_see_later_ends() {
        let mut now = Ends::default();
        now.end(End { slot: Slot(5_000), valid_to: 1, seq: Seq(9) });
        let before = now.clone();
        now.end(End { slot: Slot(4_999), valid_to: 2, seq: Seq(10) });
        assert!(!before.contains(Slot(4_999)) && now.contains(Slot(4_999)));
        assert_eq!(now.iter().map(|e| e.slot.0).collect::<Vec<_>>(), [4_999, 5_000]);
        assert_eq!(now.get(Slot(4_999)).map(|e| e.valid_to), Some(2));
        assert_eq!(now.get(Slot(5_001)), None);
        let mut shifted = Ends::default();
        shifted.append(&now, 10);
        assert!(shifted.contains(Slot(5_010)) && shifted.count() == 2);
    }
}
