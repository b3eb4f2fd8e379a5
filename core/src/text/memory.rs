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
use super::postings::{FieldStats, Posting, PostingSource, Step, first_from, walk_sorted};
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
}

/// Postings of one term: `tf (gap tf)*` as varints, from `first` to `last`. The last tf, which may still grow,
/// stands beside them, so that a term of one document needs no allocation.
#[derive(Debug, Clone)]
pub(super) struct PostingList {
    pub(super) df: u32,
    pub(super) first: u32,
    last: u32,
    last_tf: u32,
    bytes: Writer,
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
            let mut length = 0u32;
            analyzer_of(name).hashed(text, |term, hash| {
                length += 1;
                match field.terms.number(term, hash) {
                    (_, true) => field.lists.push(PostingList::new(slot)),
                    (number, false) => field.lists[number as usize].count(slot),
                }
            });
            field.add_length(slot, length);
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

    /// Takes over postings of a term in a field, whose lengths are there.
    pub(super) fn carry_list(&mut self, field: &str, term: &str, postings: &[Posting]) {
        let (Some(field), Some((first, others))) = (self.fields.get_mut(field), postings.split_first())
        else {
            return;
        };
        let list = match field.terms.number(term, hash(term)) {
            (number, true) => {
                field.lists.push(PostingList { last_tf: first.tf, ..PostingList::new(first.slot) });
                &mut field.lists[number as usize]
            }
            (number, false) => {
                let list = &mut field.lists[number as usize];
                list.add(first.slot, first.tf);
                list
            }
        };
        others.iter().for_each(|posting| list.add(posting.slot, posting.tf));
    }

    fn list_of<'a>(&self, field: &'a MemoryField, list: &PostingList) -> Result<List<'a>> {
        let mut postings = Vec::with_capacity(list.df as usize);
        list.read(field, self.n_slots, &mut postings).map_err(|e| e.within("postings in memory", 0))?;
        let (df, lengths, form) = (list.df, field.lengths(self.n_slots), Form::Open(postings));
        Ok(List { df, lengths, form })
    }

    fn find(&self, field: &str, term: &str) -> Option<(&MemoryField, &PostingList)> {
        let field = self.fields.get(field)?;
        field.terms.find(term, hash(term)).map(|number| (field, &field.lists[number as usize]))
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
    fn new(slot: u32) -> Self {
        Self { df: 1, first: slot, last: slot, last_tf: 1, bytes: Writer::new() }
    }

    fn count(&mut self, slot: u32) {
        if slot == self.last {
            self.last_tf += 1;
        } else {
            self.add(slot, 1);
        }
    }

    /// Adds a slot that is above the last one.
    fn add(&mut self, slot: u32, tf: u32) {
        self.close(slot);
        self.last = slot;
        self.last_tf = tf;
        self.df += 1;
    }

    fn append(&mut self, other: &Self, slot_offset: u32) {
        self.close(other.first + slot_offset);
        self.bytes.raw(other.bytes.as_slice());
        self.last = other.last + slot_offset;
        self.last_tf = other.last_tf;
        self.df += other.df;
    }

    fn moved(&self, slot_offset: u32) -> Self {
        Self { first: self.first + slot_offset, last: self.last + slot_offset, ..self.clone() }
    }

    /// Writes the last tf and the gap to the slot that comes now.
    fn close(&mut self, next_slot: u32) {
        self.bytes.varint(u64::from(self.last_tf));
        self.bytes.varint(u64::from(next_slot - self.last));
    }

    /// Adds its postings to `into`; `n_slots` bounds the slots of the field.
    pub(super) fn read(
        &self,
        field: &MemoryField,
        n_slots: u32,
        into: &mut Vec<Posting>,
    ) -> Result<(), DecodeError> {
        let lengths = field.lengths(n_slots);
        let mut r = Reader::new(self.bytes.as_slice());
        let mut slot = self.first;
        for left in (0..self.df).rev() {
            let tf = if left == 0 { self.last_tf } else { r.varint()? as u32 };
            let field_length = lengths.get(slot).expect("a slot with a term has a length");
            into.push(Posting { slot, tf, field_length });
            if left > 0 {
                slot += r.varint()? as u32;
            }
        }
        Ok(())
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
