//! Rows out of a damaged rows blob: each is read by itself, so that a damaged block costs the rows that it touches.
//!
//! What can be made again is not read: the order of ids, the lengths of vectors. Keys and seqs are given anew to what
//! is saved. Counts follow from the lengths of sections.

use std::collections::BTreeMap;

use crate::base::limits::{DIM_MAX, SLOTS_MAX};
use crate::base::value::decode_object;
use crate::base::{Error, Key, NEVER, Reader, Result, Seq, Slot, check_id};
use crate::storage::{Blob, Rows};
use crate::vectors::{Metric, Stored, check_vector, inverse_norm};

use super::row::Row;
use super::rows::{
    EXPIRY_SLOTS, EXPIRY_TIMES, ID_BYTES, ID_OFFSETS, INVERSE_NORMS, METADATA, METADATA_OFFSETS, VALID_FROM,
    VECTOR_SLOTS, stored_form, vectors_section,
};

/// Where the vector of a slot is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ordinal {
    None,
    Some(u32),
    /// It may have one: what would tell is damaged.
    Unknown,
}

/// A rows blob of which something may be damaged.
#[derive(Debug)]
pub struct RowsSalvage {
    name: String,
    metric: Metric,
    dim: usize,
    stored: Stored,
    ordinals: Vec<Ordinal>,
    id_offsets: Rows,
    id_bytes: Rows,
    valid_from: Rows,
    /// When slots expire, as far as it can be read.
    expiry: BTreeMap<u32, i64>,
    /// Slots that expire, nobody knows which or when.
    pub unknown_expiry: usize,
    vectors: Rows,
    metadata_offsets: Rows,
    metadata: Rows,
}

impl RowsSalvage {
    /// Finds out how many rows there are and which have vectors.
    ///
    /// # Errors
    /// `corrupt` when sections are missing or their lengths do not go together.
    pub fn open(blob: &Blob, metric: Metric) -> Result<Self> {
        let name = format!("blob {}.rows", blob.id().number);
        let id_offsets = blob.rows(ID_OFFSETS)?;
        let slots = (id_offsets.len() / 8).saturating_sub(1);
        let stored = stored_form(blob);
        let vectors = blob.rows(vectors_section(stored))?;
        let count = blob.rows(INVERSE_NORMS)?.len() / 4;
        let width = vectors.len() / count.max(1);
        let dim = if count == 0 { Some(0) } else { stored.dim(width as usize) };
        let dim = dim.filter(|dim| *dim <= DIM_MAX && count * width == vectors.len());
        let (Some(dim), true) = (dim, slots <= SLOTS_MAX as u64 && count <= slots) else {
            return Err(Error::corrupt(name, 0, "sections whose lengths go together"));
        };
        let (expiry, unknown_expiry) = expiry(blob)?;
        let ordinals = ordinals(&blob.rows(VECTOR_SLOTS)?, slots as usize, count as usize);
        Ok(Self {
            name,
            metric,
            dim,
            stored,
            ordinals,
            id_offsets,
            id_bytes: blob.rows(ID_BYTES)?,
            valid_from: blob.rows(VALID_FROM)?,
            expiry,
            unknown_expiry,
            vectors,
            metadata_offsets: blob.rows(METADATA_OFFSETS)?,
            metadata: blob.rows(METADATA)?,
        })
    }

    /// How many slots.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ordinals.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The id of a slot.
    ///
    /// # Errors
    /// `corrupt`.
    pub fn id(&self, slot: Slot) -> Result<Box<str>> {
        let bytes = self.id_bytes.read(ends(&self.id_offsets, slot)?)?;
        let id = std::str::from_utf8(&bytes)
            .map_err(|_| Error::corrupt(self.name.clone(), 0, "ids that are UTF-8"))?;
        check_id(id)?;
        Ok(id.into())
    }

    /// All of a slot, with key and seq 0.
    ///
    /// # Errors
    /// `corrupt` when any of it is damaged.
    pub fn row(&self, slot: Slot) -> Result<Row> {
        let range = ends(&self.metadata_offsets, slot)?;
        let bytes = self.metadata.read(range.clone())?;
        let mut r = Reader::new(&bytes);
        let of = |e: crate::base::DecodeError| e.within(&self.name, range.start);
        let metadata = decode_object(&mut r).map_err(of)?;
        r.end().map_err(of)?;
        let vector = self.vector(slot)?;
        let inverse_norm = vector.as_deref().map_or(0.0, inverse_norm);
        let valid_from = i64::from_le_bytes(number(&self.valid_from, slot.index())?);
        let expires_at = self.expiry.get(&slot.0).copied().unwrap_or(NEVER);
        Ok(Row {
            id: self.id(slot)?,
            key: Key(0),
            seq: Seq(0),
            valid_from,
            expires_at,
            vector,
            inverse_norm,
            metadata,
        })
    }

    fn vector(&self, slot: Slot) -> Result<Option<Box<[f32]>>> {
        let ordinal = match self.ordinals[slot.index()] {
            Ordinal::None => return Ok(None),
            Ordinal::Some(ordinal) => u64::from(ordinal),
            Ordinal::Unknown => {
                return Err(Error::corrupt(self.name.clone(), 0, "to know which slots have vectors"));
            }
        };
        let width = self.stored.width(self.dim) as u64;
        let bytes = self.vectors.read(ordinal * width..(ordinal + 1) * width)?;
        let vector: Box<[f32]> = self.stored.decode(&bytes, self.dim).into();
        check_vector(self.metric, Some(self.dim), &vector)?;
        Ok(Some(vector))
    }
}

/// The vector of each slot. Where a block of the list is damaged, the slots between its neighbours are unknown.
fn ordinals(list: &Rows, slots: usize, vectors: usize) -> Vec<Ordinal> {
    if vectors == slots {
        return (0..slots as u32).map(Ordinal::Some).collect();
    }
    let mut found = vec![Ordinal::None; slots];
    let (mut next, mut doubtful) = (0, false);
    let mut settle = |found: &mut Vec<Ordinal>, slot: usize, doubtful: bool| {
        if doubtful {
            found[next.min(slot)..slot].fill(Ordinal::Unknown);
        }
        next = slot + 1;
    };
    for ordinal in 0..vectors {
        match number(list, ordinal).map(u32::from_le_bytes) {
            Ok(slot) if (slot as usize) < slots => {
                settle(&mut found, slot as usize, doubtful);
                found[slot as usize] = Ordinal::Some(ordinal as u32);
                doubtful = false;
            }
            _ => doubtful = true,
        }
    }
    settle(&mut found, slots, doubtful);
    found
}

/// When slots expire, as far as it can be read, and of how many it cannot.
fn expiry(blob: &Blob) -> Result<(BTreeMap<u32, i64>, usize)> {
    let (slots, times) = (blob.rows(EXPIRY_SLOTS)?, blob.rows(EXPIRY_TIMES)?);
    let entry = |i: usize| -> Result<(u32, i64)> {
        Ok((u32::from_le_bytes(number(&slots, i)?), i64::from_le_bytes(number(&times, i)?)))
    };
    let count = slots.len() as usize / 4;
    let found: BTreeMap<u32, i64> = (0..count).filter_map(|i| entry(i).ok()).collect();
    let unknown = count - found.len();
    Ok((found, unknown))
}

/// The number at an index of a section.
fn number<const N: usize>(section: &Rows, index: usize) -> Result<[u8; N]> {
    let at = (index * N) as u64;
    let bytes = section.read(at..at + N as u64)?;
    let mut number = [0; N];
    number.copy_from_slice(&bytes);
    Ok(number)
}

/// The bytes of a slot, between its end and that of the slot before.
fn ends(offsets: &Rows, slot: Slot) -> Result<std::ops::Range<u64>> {
    let start = u64::from_le_bytes(number(offsets, slot.index())?);
    Ok(start..u64::from_le_bytes(number(offsets, slot.index() + 1)?))
}
