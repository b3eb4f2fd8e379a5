//! Postings of a segment: written once, read where they lie (docs/FORMAT.md, "Text").
//!
//! Dictionary and lengths are pinned, a posting list is read by row. Sections: 1 fields; terms sorted by (field, term):
//! 2 their bytes, 3 the end of each, 4 df, 5 the end of each posting list; 6 lists (`blocks`); 7 lengths by field; 8 their
//! slots, for fields that few slots have; 9 and 10 where terms stand (`positions`), which are not touched until they are
//! asked for.
//! Everything read from the blob is checked: what opening does not look at is checked when a list is read.

use std::fmt;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use super::blocks;
use super::lengths::{Lengths, Width};
use super::list::{Form, List, Packed};
use super::memory::MemoryField;
use super::positions::{self, PositionsWriter, StoredPositions};
use super::postings::{FieldStats, PostingSource, Step, first_from, walk_sorted};
use super::standing::{Positions, Standing};
use crate::base::bytes::le_bytes;
use crate::base::limits::{SLOTS_MAX, TERM_BYTES_MAX};
use crate::base::{DecodeError, Error, Reader, Result, Writer};
use crate::storage::{Blob, Pinned, Rows, Section};

const FIELDS: u16 = 1;
const TERM_BYTES: u16 = 2;
const TERM_ENDS: u16 = 3;
const DFS: u16 = 4;
const LIST_ENDS: u16 = 5;
const LISTS: u16 = 6;
const LENGTHS: u16 = 7;
const LENGTH_SLOTS: u16 = 8;
pub(super) const POSITIONS: u16 = 9;
pub(super) const POSITION_STARTS: u16 = 10;

const WRITTEN_HERE: &str = "bytes that were written here";

/// Postings of a segment.
#[derive(Debug, Clone)]
pub struct TextIndex {
    object: String,
    n_slots: u32,
    fields: Vec<Field>,
    term_bytes: Pinned,
    term_ends: Pinned,
    dfs: Pinned,
    list_ends: Pinned,
    lists: Rows,
    lengths: Pinned,
    length_slots: Pinned,
    blob: Blob,
    /// Once they were asked for; `None` where there are none, or they are damaged.
    positions: OnceLock<Option<StoredPositions>>,
    damaged: Tell,
}

type Told = dyn Fn(&Error) + Send + Sync;

/// Is told that positions are damaged.
#[derive(Clone, Default)]
struct Tell(Option<Arc<Told>>);

impl fmt::Debug for Tell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tell({})", self.0.is_some())
    }
}

#[derive(Debug, Clone)]
struct Field {
    name: String,
    total_length: u64,
    documents: u64,
    terms: Range<usize>,
    /// Into the section of lengths.
    lengths: Range<usize>,
    width: Width,
    /// Found when the lengths were checked.
    longest: u32,
    /// Into the section of their slots; `None` when every slot has a length.
    slots: Option<Range<usize>>,
}

/// The sections of a text blob: fields sorted by name, each with at least one document.
pub(super) fn write_sections(n_slots: u32, fields: &[(&str, &MemoryField)]) -> Vec<Section> {
    let (mut head, mut term_bytes, mut lists) = (Writer::new(), Writer::new(), Writer::new());
    let (mut term_ends, mut dfs, mut list_ends) = (Vec::new(), Vec::new(), Vec::new());
    let (mut lengths, mut length_slots, mut postings) = (Vec::new(), Vec::new(), Vec::new());
    let (mut positions, mut numbers) = (PositionsWriter::default(), Vec::new());
    head.varint(u64::from(n_slots));
    head.varint(fields.len() as u64);
    for (name, field) in fields {
        head.str(name);
        head.varint(field.slots.len() as u64);
        head.varint(field.total_length);
        head.varint(field.terms.len() as u64);
        let width = Width::of(field.lengths.iter().copied().max().unwrap_or(0));
        head.varint(width.bytes() as u64);
        for &number in field.terms.sorted() {
            let list = &field.lists[number as usize];
            term_bytes.raw(field.terms.string(number).as_bytes());
            postings.clear();
            numbers.clear();
            list.read(field, n_slots, &mut postings, |number| numbers.push(number)).expect(WRITTEN_HERE);
            blocks::write(&postings, &mut lists);
            positions.push(&numbers);
            term_ends.push(term_bytes.len() as u64);
            list_ends.push(lists.len() as u64);
            dfs.push(list.df);
        }
        write_lengths(n_slots, field, width, &mut lengths, &mut length_slots);
    }
    let [positions, position_starts] = positions.finish();
    vec![
        Section::pinned(FIELDS, head.finish()),
        Section::pinned(TERM_BYTES, term_bytes.finish()),
        Section::pinned(TERM_ENDS, le_bytes(&term_ends)),
        Section::pinned(DFS, le_bytes(&dfs)),
        Section::pinned(LIST_ENDS, le_bytes(&list_ends)),
        Section::rows(LISTS, lists.finish()),
        Section::pinned(LENGTHS, lengths),
        Section::pinned(LENGTH_SLOTS, le_bytes(&length_slots)),
        positions,
        position_starts,
    ]
}

/// The lengths of a field: of the slots that are listed, or of all of them.
fn write_lengths(
    n_slots: u32,
    field: &MemoryField,
    width: Width,
    lengths: &mut Vec<u8>,
    length_slots: &mut Vec<u32>,
) {
    let mut push = |length: u32| lengths.extend_from_slice(&length.to_le_bytes()[..width.bytes()]);
    if width.is_listed(field.slots.len() as u64, u64::from(n_slots)) {
        field.lengths.iter().for_each(|length| push(*length));
        length_slots.extend_from_slice(&field.slots);
        return;
    }
    let mut next = 0;
    for (&slot, &length) in field.slots.iter().zip(&field.lengths) {
        (next..slot).for_each(|_| push(0));
        push(length);
        next = slot + 1;
    }
    (next..n_slots).for_each(|_| push(0));
}

impl TextIndex {
    /// Opens the text blob of a segment.
    ///
    /// # Complexity
    /// One pass over dictionary and lengths; posting lists are not touched.
    ///
    /// # Errors
    /// `corrupt` when the sections do not fit one another; `not_resident`.
    pub fn open(blob: &Blob) -> Result<Self> {
        let object = format!("text blob {}", blob.id().number);
        let head = blob.pinned(FIELDS)?;
        let (n_slots, fields) = read_fields(&head).map_err(|e| e.within(&object, 0))?;
        let mut index = Self {
            object,
            n_slots,
            fields,
            term_bytes: blob.pinned(TERM_BYTES)?,
            term_ends: blob.pinned(TERM_ENDS)?,
            dfs: blob.pinned(DFS)?,
            list_ends: blob.pinned(LIST_ENDS)?,
            lists: blob.rows(LISTS)?,
            lengths: blob.pinned(LENGTHS)?,
            length_slots: blob.pinned(LENGTH_SLOTS)?,
            blob: blob.clone(),
            positions: OnceLock::new(),
            damaged: Tell::default(),
        };
        index.check_dictionary()?;
        index
            .check_lengths()?
            .into_iter()
            .zip(&mut index.fields)
            .for_each(|(longest, field)| field.longest = longest);
        Ok(index)
    }

    /// Has this called when positions turn out to be damaged: then phrases are looked for in texts.
    #[must_use]
    pub fn telling(mut self, damaged: Arc<dyn Fn(&Error) + Send + Sync>) -> Self {
        self.damaged = Tell(Some(damaged));
        self
    }

    /// Whether a section holds where terms stand: nothing else needs it, and blobs of earlier versions lack it.
    #[must_use]
    pub fn is_of_positions(section: u16) -> bool {
        positions::SECTIONS.contains(&section)
    }

    /// Checks where terms stand: every byte of it, and that every list can be read.
    ///
    /// # Errors
    /// `corrupt`, `not_resident`.
    pub fn check_positions(&self) -> Result<()> {
        let Some(positions) = self.stored_positions()? else { return Ok(()) };
        for field in &self.fields {
            for i in field.terms.clone() {
                let list = List { positions: Positions::Stored(&positions, i), ..self.list_of(field, i)? };
                let Some(mut standing) = Standing::open(list)? else { continue };
                while standing.advance()?.is_some() {
                    standing.positions()?;
                }
            }
        }
        Ok(())
    }

    fn stored_positions(&self) -> Result<Option<StoredPositions>> {
        StoredPositions::open(&self.blob, &self.object, self.dfs.numbers::<u32>()?.len())
    }

    fn corrupt<T>(&self, expected: &str) -> Result<T> {
        Err(Error::corrupt(&self.object, 0, expected))
    }

    fn check_dictionary(&self) -> Result<()> {
        let (ends, dfs) = (self.term_ends.numbers::<u64>()?, self.dfs.numbers::<u32>()?);
        let list_ends = self.list_ends.numbers::<u64>()?;
        let n = self.fields.last().map_or(0, |field| field.terms.end);
        if ends.len() != n || dfs.len() != n || list_ends.len() != n {
            return self.corrupt("as many entries as the fields have terms");
        }
        if ends.last().copied().unwrap_or(0) != self.term_bytes.len() as u64
            || list_ends.last().copied().unwrap_or(0) != self.lists.len()
        {
            return self.corrupt("terms and lists that fill their sections");
        }
        for field in &self.fields {
            let mut last: &[u8] = &[];
            for i in field.terms.clone() {
                let (start, df) = (before(ends, i), u64::from(dfs[i]));
                if ends[i] <= start || ends[i] > self.term_bytes.len() as u64 {
                    return self.corrupt("terms one after another");
                }
                let term = &self.term_bytes[start as usize..ends[i] as usize];
                if term <= last || term.len() > TERM_BYTES_MAX {
                    return self.corrupt("short terms in ascending order");
                }
                last = term;
                // So no df can ask for more than the list and the lengths have.
                let list_len = list_ends[i].checked_sub(before(list_ends, i));
                if df == 0
                    || df > field.documents
                    || list_len.is_none_or(|len| len < blocks::bytes_min(dfs[i]))
                {
                    return self.corrupt("a posting list as long as its document frequency asks");
                }
            }
        }
        Ok(())
    }

    /// Checks the lengths of each field and finds the longest.
    fn check_lengths(&self) -> Result<Vec<u32>> {
        let slots = self.length_slots.numbers::<u32>()?;
        let listed = self.fields.iter().filter_map(|field| field.slots.as_ref()).next_back();
        if self.lengths.len() != self.fields.last().map_or(0, |field| field.lengths.end)
            || slots.len() != listed.map_or(0, |range| range.end)
        {
            return self.corrupt("one length a document of a field, or one a slot");
        }
        let mut all = Vec::with_capacity(self.fields.len());
        for field in &self.fields {
            let (mut sum, mut documents, mut longest) = (0u64, 0, 0);
            self.lengths_of(field)?.for_each(&mut |_, length| {
                sum += u64::from(length);
                documents += 1;
                longest = longest.max(length);
            });
            if sum != field.total_length || documents != field.documents {
                return self.corrupt("lengths that add up");
            }
            let slots = &slots[field.slots.clone().unwrap_or(0..0)];
            if !slots.is_sorted_by(|a, b| a < b) || slots.last().is_some_and(|&slot| slot >= self.n_slots) {
                return self.corrupt("slots of lengths in ascending order");
            }
            all.push(longest);
        }
        Ok(all)
    }

    fn field(&self, name: &str) -> Option<&Field> {
        self.fields.binary_search_by(|field| field.name.as_str().cmp(name)).ok().map(|i| &self.fields[i])
    }

    /// The number of a term in the dictionary.
    fn find(&self, field: &Field, term: &str) -> Result<Option<usize>> {
        let ends = self.term_ends.numbers::<u64>()?;
        let (mut low, mut high) = (field.terms.start, field.terms.end);
        while low < high {
            let middle = low + (high - low) / 2;
            let at = &self.term_bytes[before(ends, middle) as usize..ends[middle] as usize];
            match at.cmp(term.as_bytes()) {
                std::cmp::Ordering::Equal => return Ok(Some(middle)),
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        Ok(None)
    }

    /// The list of a term, by its number in the dictionary.
    fn list_of(&self, field: &Field, i: usize) -> Result<List<'_>> {
        let ends = self.list_ends.numbers::<u64>()?;
        let start = before(ends, i);
        let bytes = self.lists.read(start..ends[i])?;
        let form = Form::Packed(Packed { bytes, object: &self.object, start });
        let (df, lengths) = (self.dfs.numbers::<u32>()?[i], self.lengths_of(field)?);
        let positions = match self.positions.get() {
            Some(Some(stored)) => Positions::Stored(stored, i),
            _ => Positions::Unknown,
        };
        Ok(List { df, lengths, form, positions })
    }

    fn lengths_of(&self, field: &Field) -> Result<Lengths<'_>> {
        let bytes = &self.lengths[field.lengths.clone()];
        let slots = match &field.slots {
            None => None,
            Some(range) => Some(&self.length_slots.numbers::<u32>()?[range.clone()]),
        };
        let (n_slots, width, longest) = (self.n_slots, field.width, field.longest);
        Ok(Lengths { n_slots, slots, bytes, width, longest })
    }
}

/// Where entry `i` begins: at the end of the one before it.
fn before(ends: &[u64], i: usize) -> u64 {
    if i == 0 { 0 } else { ends[i - 1] }
}

fn advance(from: usize, by: u64) -> Option<usize> {
    from.checked_add(usize::try_from(by).ok()?)
}

fn read_fields(bytes: &[u8]) -> Result<(u32, Vec<Field>), DecodeError> {
    let mut r = Reader::new(bytes);
    let n_slots = r.varint()?;
    if n_slots > SLOTS_MAX as u64 {
        return Err(DecodeError { offset: 0, expected: "a possible number of slots" });
    }
    let (mut terms, mut lengths, mut slots) = (0usize, 0usize, 0usize);
    let mut fields: Vec<Field> = Vec::new();
    for _ in 0..r.count(5)? {
        let offset = r.offset();
        let refuse = |expected| Err(DecodeError { offset, expected });
        let name = r.str()?.to_owned();
        if fields.last().is_some_and(|last| last.name >= name) {
            return refuse("field names in ascending order");
        }
        let (documents, total_length, n_terms) = (r.varint()?, r.varint()?, r.varint()?);
        if documents == 0 || documents > n_slots || n_terms == 0 {
            return refuse("a field with terms in at most all slots");
        }
        let Some(width) = Width::from_bytes(r.varint()?) else {
            return refuse("lengths of 1, 2 or 4 bytes");
        };
        let listed = width.is_listed(documents, n_slots);
        let lengths_bytes = (if listed { documents } else { n_slots }) * width.bytes() as u64;
        let (terms_next, lengths_next) = (advance(terms, n_terms), advance(lengths, lengths_bytes));
        let slots_next = advance(slots, if listed { documents } else { 0 });
        let (Some(terms_end), Some(lengths_end), Some(slots_end)) = (terms_next, lengths_next, slots_next)
        else {
            return refuse("counts that can be addressed");
        };
        fields.push(Field {
            name,
            total_length,
            documents,
            terms: terms..terms_end,
            lengths: lengths..lengths_end,
            width,
            longest: 0,
            slots: listed.then_some(slots..slots_end),
        });
        (terms, lengths, slots) = (terms_end, lengths_end, slots_end);
    }
    r.end()?;
    Ok((n_slots as u32, fields))
}

impl PostingSource for TextIndex {
    fn n_slots(&self) -> u32 {
        self.n_slots
    }

    fn fields(&self) -> Vec<&str> {
        self.fields.iter().map(|field| field.name.as_str()).collect()
    }

    fn field_stats(&self, field: &str) -> FieldStats {
        self.field(field).map_or_else(FieldStats::default, |field| FieldStats {
            documents: field.documents,
            total_length: field.total_length,
        })
    }

    fn for_each_length(&self, field: &str, f: &mut dyn FnMut(u32, u32)) -> Result<()> {
        if let Some(field) = self.field(field) {
            self.lengths_of(field)?.for_each(f);
        }
        Ok(())
    }

    fn has_positions(&self) -> Result<bool> {
        if self.positions.get().is_none() {
            let stored = match self.stored_positions() {
                Ok(stored) => stored,
                Err(error) if matches!(error.code(), "corrupt" | "io_failed") => {
                    if let Tell(Some(damaged)) = &self.damaged {
                        damaged(&error);
                    }
                    None
                }
                Err(error) => return Err(error),
            };
            self.positions.get_or_init(|| stored);
        }
        Ok(self.positions.get().is_some_and(Option::is_some))
    }

    fn df(&self, field: &str, term: &str) -> Result<u32> {
        match self.field(field) {
            None => Ok(0),
            Some(field) => Ok(match self.find(field, term)? {
                None => 0,
                Some(i) => self.dfs.numbers::<u32>()?[i],
            }),
        }
    }

    fn walk(&self, field: &str, from: &str, f: &mut dyn FnMut(&str, u32) -> Step) -> Result<()> {
        let Some(field) = self.field(field) else { return Ok(()) };
        let (ends, dfs) = (self.term_ends.numbers::<u64>()?, self.dfs.numbers::<u32>()?);
        let term = |i: usize| &self.term_bytes[before(ends, i) as usize..ends[i] as usize];
        match walk_sorted(field.terms.clone(), term, from, &mut |i, term| f(term, dfs[i])) {
            Ok(()) => Ok(()),
            Err(_) => self.corrupt("terms of UTF-8"),
        }
    }

    fn list(&self, field: &str, term: &str) -> Result<Option<List<'_>>> {
        let Some(field) = self.field(field) else { return Ok(None) };
        self.find(field, term)?.map(|i| self.list_of(field, i)).transpose()
    }

    fn for_each_list(
        &self,
        field: &str,
        from: &str,
        f: &mut dyn FnMut(&str, List<'_>) -> Result<bool>,
    ) -> Result<()> {
        let Some(field) = self.field(field) else { return Ok(()) };
        let ends = self.term_ends.numbers::<u64>()?;
        let term = |i: usize| &self.term_bytes[before(ends, i) as usize..ends[i] as usize];
        for i in first_from(field.terms.clone(), |i| term(i) < from.as_bytes())..field.terms.end {
            let Ok(term) = std::str::from_utf8(term(i)) else { return self.corrupt("terms of UTF-8") };
            if !f(term, self.list_of(field, i)?)? {
                break;
            }
        }
        Ok(())
    }
}
