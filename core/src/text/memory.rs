//! Postings that grow: of a memtable chunk, and of a segment that is being written.
//!
//! A list is kept as bytes, so that two parts are joined by copying bytes, and a million short documents take a few dozen
//! megabytes. Terms are numbered as they come and put in order when a walk or a blob asks for it.

use std::collections::BTreeMap;

use super::analysis::Analyzer;
use super::carry::LEFT_BEHIND;
use super::index::write_sections;
use super::lengths::{Lengths, Width};
use super::list::{Form, List};
use super::positions::GAP;
use super::postings::{FieldStats, Posting, PostingSource, Step, first_from, walk_sorted};
use super::standing::Positions;
use crate::base::bytes::le_bytes;
use crate::base::string_table::{StringTable, hash};
use crate::base::{DecodeError, Reader, Result, Writer};
use crate::storage::Section;

/// Postings in memory; documents are added in the order of their slots.
///
/// # Examples
/// ```
/// use kithdb::text::{Analyzer, Language, MemoryPostings, PostingSource};
///
/// let mut postings = MemoryPostings::new();
/// postings.push(&Analyzer::new(Language::English), 0, &[("title", "a long neck"), ("text", "The giraffe's neck")]);
/// assert_eq!(postings.df("text", "neck")?, 1);
/// assert_eq!(postings.field_stats("title").total_length, 2);
/// # Ok::<(), kithdb::base::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct MemoryPostings {
    n_slots: u32,
    fields: BTreeMap<String, MemoryField>,
}

#[derive(Debug, Clone, Default)]
pub(super) struct MemoryField {
    /// Slots with at least one term, ascending, and how many terms.
    pub(super) slots: Vec<u32>,
    pub(super) lengths: Vec<u32>,
    pub(super) total_length: u64,
    pub(super) terms: StringTable,
    /// By the number of the term.
    pub(super) lists: Vec<PostingList>,
    /// Where the words of a further text of the last slot begin.
    next_position: u32,
}

/// Where one term stands, from a first place to a last. Each further one takes a varint: in the same slot twice the words that
/// lie between, and 1; in another one twice the gap between the slots, and then its position. A term that stands in one
/// place needs no allocation.
#[derive(Debug, Clone)]
pub(super) struct PostingList {
    pub(super) df: u32,
    pub(super) first: u32,
    first_position: u32,
    last: u32,
    last_position: u32,
    bytes: Writer,
}

/// A list that is carried over from another part.
#[derive(Debug)]
pub(super) struct CarriedList<'a> {
    field: &'a mut MemoryField,
    term: &'a str,
    /// Of the term, once a slot came along.
    number: Option<u32>,
}

/// The postings of a list in turn, each with its positions.
#[derive(Debug, Clone)]
pub(super) struct Tokens<'a> {
    rest: Reader<'a>,
    next: Option<(u32, u32)>,
}

impl MemoryPostings {
    /// Of no documents.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a document: its text as (field name, text). A field that stands twice is one longer text.
    ///
    /// # Panics
    /// When the slot is not above all earlier ones.
    pub fn push(&mut self, analyzer: &Analyzer, slot: u32, text: &[(&str, &str)]) {
        self.push_by(|_| analyzer, slot, text);
    }

    /// As [`Self::push`], each field with an analyzer of its own.
    ///
    /// # Panics
    /// When the slot is not above all earlier ones.
    #[cfg_attr(kithdb_small, optimize(speed))]
    pub fn push_by<'a>(
        &mut self,
        analyzer_of: impl Fn(&str) -> &'a Analyzer,
        slot: u32,
        text: &[(&str, &str)],
    ) {
        assert!(slot >= self.n_slots, "slot {slot} is not above those before it");
        self.n_slots = slot + 1;
        for (name, text) in text {
            if !self.fields.contains_key(*name) {
                self.fields.insert((*name).to_owned(), MemoryField::default());
            }
            let Some(field) = self.fields.get_mut(*name) else { continue };
            let (mut length, mut last) = (0u32, 0);
            // What stood in another text of the field never stands in front of this one.
            let first = if field.slots.last() == Some(&slot) { field.next_position } else { 0 };
            analyzer_of(name).hashed(text, |term, hash, position| {
                length += 1;
                last = first + position;
                match field.terms.number(term, hash) {
                    (_, true) => field.lists.push(PostingList::new(slot, last)),
                    (number, false) => field.lists[number as usize].add(slot, last),
                }
            });
            field.add_length(slot, length);
            if length > 0 {
                field.next_position = last + GAP;
            }
        }
    }

    /// Adds the documents of another part behind these; its slot 0 becomes `slot_offset`.
    ///
    /// # Complexity
    /// One hash lookup a term of `other` and a copy of its bytes; nothing of `self` is touched otherwise.
    ///
    /// # Panics
    /// When `slot_offset` is below [`PostingSource::n_slots`] of this part.
    pub fn append(&mut self, other: &Self, slot_offset: u32) {
        assert!(slot_offset >= self.n_slots, "parts follow one another");
        self.n_slots = slot_offset + other.n_slots;
        for (name, from) in &other.fields {
            let field = self.fields.entry(name.clone()).or_default();
            field.slots.extend(from.slots.iter().map(|slot| slot + slot_offset));
            field.lengths.extend_from_slice(&from.lengths);
            field.total_length += from.total_length;
            for (number, list) in (0..).zip(&from.lists) {
                let (term, hash) = (from.terms.string(number), from.terms.hash_of(number));
                match field.terms.number(term, hash) {
                    (_, true) => field.lists.push(list.moved(slot_offset)),
                    (number, false) => field.lists[number as usize].append(list, slot_offset),
                }
            }
        }
    }

    /// The postings as the sections of a text blob, for a segment of `n_slots` slots.
    ///
    /// # Panics
    /// When a slot is not below `n_slots`.
    #[must_use]
    pub fn sections(&self, n_slots: u32) -> Vec<Section> {
        assert!(self.n_slots <= n_slots, "{} slots do not fit {n_slots}", self.n_slots);
        let fields = self.fields.iter().filter(|(_, field)| !field.slots.is_empty());
        write_sections(n_slots, &fields.map(|(name, field)| (name.as_str(), field)).collect::<Vec<_>>())
    }

    /// Takes over how many terms the documents of a part have in a field.
    pub(super) fn carry_lengths(
        &mut self,
        field: &str,
        part: &dyn PostingSource,
        slots: &[u32],
    ) -> Result<()> {
        let into = self.fields.entry(field.to_owned()).or_default();
        part.for_each_length(field, &mut |slot, length| {
            let slot = slots[slot as usize];
            if slot != LEFT_BEHIND {
                self.n_slots = self.n_slots.max(slot + 1);
                into.add_length(slot, length);
            }
        })
    }

    /// Takes over where a term stands in a field, whose lengths are there, slot after slot.
    pub(super) fn carried_list<'a>(&'a mut self, field: &str, term: &'a str) -> CarriedList<'a> {
        let field = self.fields.get_mut(field).expect("its lengths came first");
        CarriedList { field, term, number: None }
    }

    fn list_of<'a>(&self, field: &'a MemoryField, list: &'a PostingList) -> Result<List<'a>> {
        let mut postings = Vec::with_capacity(list.df as usize);
        let read = list.read(field, self.n_slots, &mut postings, |_| {});
        read.map_err(|e| e.within("postings in memory", 0))?;
        let (df, lengths, form) = (list.df, field.lengths(self.n_slots), Form::Open(postings));
        Ok(List { df, lengths, form, positions: Positions::Open(list.tokens()) })
    }

    fn find(&self, field: &str, term: &str) -> Option<(&MemoryField, &PostingList)> {
        let field = self.fields.get(field)?;
        field.terms.find(term, hash(term)).map(|number| (field, &field.lists[number as usize]))
    }
}

impl CarriedList<'_> {
    /// Adds the positions of the term in a slot, which is above those before it.
    pub(super) fn push(&mut self, slot: u32, positions: &[u32]) {
        let Some((&first, others)) = positions.split_first() else { return };
        let lists = &mut self.field.lists;
        let (number, is_new) = match self.number {
            Some(number) => (number, false),
            None => self.field.terms.number(self.term, hash(self.term)),
        };
        if is_new {
            lists.push(PostingList::new(slot, first));
        } else {
            lists[number as usize].add(slot, first);
        }
        self.number = Some(number);
        let list = &mut lists[number as usize];
        others.iter().for_each(|position| list.add(slot, *position));
    }
}

impl MemoryField {
    fn lengths(&self, n_slots: u32) -> Lengths<'_> {
        // Nobody counts the longest: it only decides what is worth computing beforehand.
        let (slots, bytes) = (Some(&*self.slots), le_bytes(&self.lengths));
        Lengths { n_slots, slots, bytes, width: Width::Four, longest: 0 }
    }

    fn add_length(&mut self, slot: u32, length: u32) {
        self.total_length += u64::from(length);
        match self.lengths.last_mut() {
            Some(last) if self.slots.last() == Some(&slot) => *last += length,
            _ if length == 0 => {}
            _ => {
                self.slots.push(slot);
                self.lengths.push(length);
            }
        }
    }
}

impl PostingList {
    fn new(slot: u32, position: u32) -> Self {
        let bytes = Writer::new();
        Self { df: 1, first: slot, first_position: position, last: slot, last_position: position, bytes }
    }

    /// Adds a place behind the last one.
    #[cfg_attr(kithdb_small, optimize(speed))]
    fn add(&mut self, slot: u32, position: u32) {
        if slot == self.last {
            self.bytes.varint(u64::from(position - self.last_position - 1) << 1 | 1);
        } else {
            self.begin(slot, position);
            self.last = slot;
            self.df += 1;
        }
        self.last_position = position;
    }

    fn append(&mut self, other: &Self, slot_offset: u32) {
        self.begin(other.first + slot_offset, other.first_position);
        self.bytes.raw(other.bytes.as_slice());
        self.last = other.last + slot_offset;
        self.last_position = other.last_position;
        self.df += other.df;
    }

    fn moved(&self, slot_offset: u32) -> Self {
        Self { first: self.first + slot_offset, last: self.last + slot_offset, ..self.clone() }
    }

    /// Writes the first place in a slot that comes now.
    #[cfg_attr(kithdb_small, optimize(speed))]
    fn begin(&mut self, slot: u32, position: u32) {
        self.bytes.varint(u64::from(slot - self.last) << 1);
        self.bytes.varint(u64::from(position));
    }

    fn tokens(&self) -> Tokens<'_> {
        let rest = Reader::new(self.bytes.as_slice());
        Tokens { rest, next: Some((self.first, self.first_position)) }
    }

    /// Adds its postings to `into`, and calls `f` with the first position of each and with how many words lie between that and
    /// the next; `n_slots` bounds the slots of the field.
    pub(super) fn read(
        &self,
        field: &MemoryField,
        n_slots: u32,
        into: &mut Vec<Posting>,
        mut f: impl FnMut(u32),
    ) -> Result<(), DecodeError> {
        let lengths = field.lengths(n_slots);
        let (mut tokens, mut positions) = (self.tokens(), Vec::new());
        while let Some(slot) = tokens.next(&mut positions)? {
            let field_length = lengths.get(slot).expect("a slot with a term has a length");
            into.push(Posting { slot, tf: positions.len() as u32, field_length });
            let mut next = 0;
            for position in &positions {
                f(position - next);
                next = position + 1;
            }
        }
        Ok(())
    }
}

impl Tokens<'_> {
    /// The slot of the next posting, and its positions.
    pub(super) fn next(&mut self, positions: &mut Vec<u32>) -> Result<Option<u32>, DecodeError> {
        positions.clear();
        let Some((slot, mut last)) = self.next.take() else { return Ok(None) };
        positions.push(last);
        while self.rest.remaining() > 0 {
            let step = self.rest.varint()?;
            if step & 1 == 0 {
                self.next = Some((slot + (step >> 1) as u32, self.rest.varint()? as u32));
                break;
            }
            last += (step >> 1) as u32 + 1;
            positions.push(last);
        }
        Ok(Some(slot))
    }
}

impl PostingSource for MemoryPostings {
    fn n_slots(&self) -> u32 {
        self.n_slots
    }

    fn fields(&self) -> Vec<&str> {
        self.fields
            .iter()
            .filter(|(_, field)| !field.slots.is_empty())
            .map(|(name, _)| name.as_str())
            .collect()
    }

    fn field_stats(&self, field: &str) -> FieldStats {
        self.fields.get(field).map_or_else(FieldStats::default, |field| FieldStats {
            documents: field.slots.len() as u64,
            total_length: field.total_length,
        })
    }

    fn for_each_length(&self, field: &str, f: &mut dyn FnMut(u32, u32)) -> Result<()> {
        if let Some(field) = self.fields.get(field) {
            field.lengths(self.n_slots).for_each(f);
        }
        Ok(())
    }

    fn has_positions(&self) -> Result<bool> {
        Ok(true)
    }

    fn df(&self, field: &str, term: &str) -> Result<u32> {
        Ok(self.find(field, term).map_or(0, |(_, list)| list.df))
    }

    fn walk(&self, field: &str, from: &str, f: &mut dyn FnMut(&str, u32) -> Step) -> Result<()> {
        let Some(MemoryField { terms, lists, .. }) = self.fields.get(field) else { return Ok(()) };
        let numbers = terms.sorted();
        let term = |i: usize| terms.string(numbers[i]).as_bytes();
        let walked =
            walk_sorted(0..numbers.len(), term, from, &mut |i, term| f(term, lists[numbers[i] as usize].df));
        walked.expect("terms are texts");
        Ok(())
    }

    fn list(&self, field: &str, term: &str) -> Result<Option<List<'_>>> {
        self.find(field, term).map(|(field, list)| self.list_of(field, list)).transpose()
    }

    fn for_each_list(
        &self,
        field: &str,
        from: &str,
        f: &mut dyn FnMut(&str, List<'_>) -> Result<bool>,
    ) -> Result<()> {
        let Some(field) = self.fields.get(field) else { return Ok(()) };
        let numbers = field.terms.sorted();
        let first = first_from(0..numbers.len(), |i| field.terms.string(numbers[i]) < from);
        for &number in &numbers[first..] {
            let list = self.list_of(field, &field.lists[number as usize])?;
            if !f(field.terms.string(number), list)? {
                break;
            }
        }
        Ok(())
    }
}
