//! Writes the columns of a segment: for each path of the metadata its values, sorted, with their slots.
//!
//! Sections (docs/FORMAT.md, "Columns"): 1 paths and counts; 2 slots, for each path those that have it (unless all do),
//! null, false, true, number by number, string by string; numbers sorted by value, then slot: 3 bits, 4 kinds; distinct
//! strings of a path sorted by bytes: 5 bytes (read by row: metadata may hold long texts), 6 the end of each, 7 the
//! first eight bytes of each as a big-endian number, 8 the end of its slots.

use std::collections::BTreeMap;

use crate::base::bytes::le_bytes;
use crate::base::limits::FIELD_PATH_BYTES_MAX;
use crate::base::string_table::{StringTable, hash, prefix};
use crate::base::{Object, Value, Writer};
use crate::storage::Section;

pub(super) const PATHS: u16 = 1;
pub(super) const SLOTS: u16 = 2;
pub(super) const NUMBERS: u16 = 3;
pub(super) const NUMBER_KINDS: u16 = 4;
pub(super) const STRING_BYTES: u16 = 5;
pub(super) const STRING_ENDS: u16 = 6;
pub(super) const STRING_PREFIXES: u16 = 7;
pub(super) const STRING_SLOT_ENDS: u16 = 8;

pub(super) const INT: u8 = 0;
pub(super) const FLOAT: u8 = 1;

/// Gathers the metadata of documents in the order of their slots.
#[derive(Debug, Default)]
pub struct ColumnsBuilder {
    /// One above the last slot.
    n_slots: u32,
    /// The number of each path.
    numbers: BTreeMap<String, usize>,
    paths: Vec<Path>,
}

#[derive(Debug, Default)]
struct Path {
    present: Vec<u32>,
    nulls: Vec<u32>,
    falses: Vec<u32>,
    trues: Vec<u32>,
    numbers: Vec<Number>,
    strings: StringTable,
    /// The last slot of each string, by number.
    last_slots: Vec<u32>,
    /// Each string of each slot, by number; as they came.
    string_slots: Vec<(u32, u32)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Number {
    bits: u64,
    kind: u8,
    slot: u32,
}

/// The number of these bits.
pub(super) fn number(kind: u8, bits: u64) -> Value {
    if kind == INT { Value::Int(bits as i64) } else { Value::Float(f64::from_bits(bits)) }
}

fn add(slots: &mut Vec<u32>, slot: u32) {
    if slots.last() != Some(&slot) {
        slots.push(slot);
    }
}

impl ColumnsBuilder {
    /// Of no documents.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a document.
    ///
    /// # Panics
    /// When the slot is not above all earlier ones.
    pub fn push(&mut self, slot: u32, document: &Object) {
        assert!(slot >= self.n_slots, "slot {slot} is not above those before it");
        self.n_slots = slot + 1;
        self.add_fields(slot, document, &mut String::new(), false);
    }

    fn add_fields(&mut self, slot: u32, fields: &Object, path: &mut String, nested: bool) {
        let outer = path.len();
        for (name, value) in fields {
            if nested {
                path.push('.');
            }
            path.push_str(name);
            // No filter can name a longer path, nor one that goes on from it.
            if path.len() <= FIELD_PATH_BYTES_MAX {
                let number = self.number(path);
                add(&mut self.paths[number].present, slot);
                self.add_value(slot, value, number, path);
            }
            path.truncate(outer);
        }
    }

    fn add_value(&mut self, slot: u32, value: &Value, number: usize, path: &mut String) {
        let at = &mut self.paths[number];
        match value {
            Value::Null => add(&mut at.nulls, slot),
            Value::Bool(false) => add(&mut at.falses, slot),
            Value::Bool(true) => add(&mut at.trues, slot),
            Value::Int(x) => at.numbers.push(Number { bits: *x as u64, kind: INT, slot }),
            Value::Float(x) => at.numbers.push(Number { bits: x.to_bits(), kind: FLOAT, slot }),
            Value::Str(text) => at.add_string(slot, text),
            Value::Array(items) => items.iter().for_each(|item| self.add_value(slot, item, number, path)),
            Value::Object(fields) => self.add_fields(slot, fields, path, true),
        }
    }

    fn number(&mut self, path: &str) -> usize {
        if let Some(number) = self.numbers.get(path) {
            return *number;
        }
        self.numbers.insert(path.to_owned(), self.paths.len());
        self.paths.push(Path::default());
        self.paths.len() - 1
    }

    /// The columns as the sections of a columns blob, for a segment of `n_slots` slots.
    ///
    /// # Panics
    /// When a slot is not below `n_slots`.
    #[must_use]
    pub fn sections(mut self, n_slots: u32) -> Vec<Section> {
        assert!(self.n_slots <= n_slots, "{} slots do not fit {n_slots}", self.n_slots);
        let mut out = Output::default();
        out.head.varint(u64::from(n_slots));
        out.head.varint(self.paths.len() as u64);
        for (name, number) in self.numbers {
            out.add_path(&name, std::mem::take(&mut self.paths[number]), n_slots);
        }
        vec![
            Section::pinned(PATHS, out.head.finish()),
            Section::pinned(SLOTS, le_bytes(&out.slots)),
            Section::pinned(NUMBERS, le_bytes(&out.numbers)),
            Section::pinned(NUMBER_KINDS, out.number_kinds),
            Section::rows(STRING_BYTES, out.string_bytes),
            Section::pinned(STRING_ENDS, le_bytes(&out.string_ends)),
            Section::pinned(STRING_PREFIXES, le_bytes(&out.string_prefixes)),
            Section::pinned(STRING_SLOT_ENDS, le_bytes(&out.string_slot_ends)),
        ]
    }
}

impl Path {
    fn add_string(&mut self, slot: u32, text: &str) {
        let (number, is_new) = self.strings.number(text, hash(text));
        if is_new {
            self.last_slots.push(slot);
        } else if std::mem::replace(&mut self.last_slots[number as usize], slot) == slot {
            return;
        }
        self.string_slots.push((number, slot));
    }
}

#[derive(Default)]
struct Output {
    head: Writer,
    slots: Vec<u32>,
    numbers: Vec<u64>,
    number_kinds: Vec<u8>,
    string_bytes: Vec<u8>,
    string_ends: Vec<u64>,
    string_prefixes: Vec<u64>,
    string_slot_ends: Vec<u64>,
}

impl Output {
    fn add_path(&mut self, name: &str, mut path: Path, n_slots: u32) {
        path.numbers.sort_unstable_by(|a, b| {
            let order = number(a.kind, a.bits).compare_numbers(&number(b.kind, b.bits));
            order.expect("both are numbers").then(a.slot.cmp(&b.slot)).then(a.kind.cmp(&b.kind))
        });
        path.numbers.dedup();

        self.head.str(name);
        for count in [
            path.present.len(),
            path.nulls.len(),
            path.falses.len(),
            path.trues.len(),
            path.numbers.len(),
            path.strings.len(),
            path.string_slots.len(),
        ] {
            self.head.varint(count as u64);
        }
        if path.present.len() < n_slots as usize {
            self.slots.extend(path.present);
        }
        for list in [path.nulls, path.falses, path.trues] {
            self.slots.extend(list);
        }
        self.slots.extend(path.numbers.iter().map(|number| number.slot));
        self.numbers.extend(path.numbers.iter().map(|number| number.bits));
        self.number_kinds.extend(path.numbers.iter().map(|number| number.kind));
        self.add_strings(&path.strings, &path.string_slots);
    }

    fn add_strings(&mut self, strings: &StringTable, string_slots: &[(u32, u32)]) {
        // How many slots each string has, then where its next one goes.
        let mut places = vec![0usize; strings.len()];
        string_slots.iter().for_each(|(number, _)| places[*number as usize] += 1);
        let mut end = self.slots.len();
        for &number in strings.sorted() {
            let text = strings.string(number).as_bytes();
            self.string_bytes.extend_from_slice(text);
            self.string_ends.push(self.string_bytes.len() as u64);
            self.string_prefixes.push(prefix(text));
            let count = std::mem::replace(&mut places[number as usize], end);
            end += count;
            self.string_slot_ends.push(end as u64);
        }
        self.slots.resize(end, 0);
        for (number, slot) in string_slots {
            let place = &mut places[*number as usize];
            self.slots[*place] = *slot;
            *place += 1;
        }
    }
}
