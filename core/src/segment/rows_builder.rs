//! Writes the rows blob of a segment, row by row: what is known of a row is taken over as it comes, and no row is kept.
//!
//! Layout: docs/FORMAT.md, "rows".

use std::borrow::Cow;

use crate::base::bytes::le_bytes;
use crate::base::value::encode_object;
use crate::base::{NEVER, Writer};
use crate::storage::Section;
use crate::vectors::Stored;

use super::expiry::Expiry;
use super::row::Row;
use super::rows::{
    COUNTS, EXPIRY_ORDER, EXPIRY_SLOTS, EXPIRY_TIMES, ID_BYTES, ID_OFFSETS, ID_ORDER, INVERSE_NORMS, KEYS,
    METADATA, METADATA_OFFSETS, SEQS, VALID_FROM, VECTOR_SLOTS, vectors_section,
};

/// The rows blob of a segment under construction.
#[derive(Debug)]
pub struct RowsBuilder {
    ids: Writer,
    id_ends: Vec<u64>,
    keys: Vec<u32>,
    seqs: Vec<u64>,
    valid_from: Vec<i64>,
    vector_slots: Vec<u32>,
    dim: usize,
    stored: Stored,
    /// Bytes and not numbers, so that they become a section without a copy.
    vectors: Vec<u8>,
    inverse_norms: Vec<f32>,
    metadata: Writer,
    metadata_ends: Vec<u64>,
    /// Slots that expire, and when.
    expiring: Vec<(u32, i64)>,
}

impl RowsBuilder {
    /// For vectors in this form.
    #[must_use]
    pub fn new(stored: Stored) -> Self {
        Self {
            ids: Writer::new(),
            id_ends: vec![0],
            keys: Vec::new(),
            seqs: Vec::new(),
            valid_from: Vec::new(),
            vector_slots: Vec::new(),
            dim: 0,
            stored,
            vectors: Vec::new(),
            inverse_norms: Vec::new(),
            metadata: Writer::new(),
            metadata_ends: vec![0],
            expiring: Vec::new(),
        }
    }

    /// Adds a row behind those before. Its vector was rounded to the form.
    ///
    /// # Panics
    /// When its seq is not above theirs, or its vector has another dimension.
    pub fn push(&mut self, row: &Row) {
        assert!(
            self.seqs.last().is_none_or(|last| *last < row.seq.0),
            "rows are written in the order of seq"
        );
        if let Some(vector) = &row.vector {
            assert!(self.dim == 0 || vector.len() == self.dim, "one dimension a segment");
            self.dim = vector.len();
            self.vector_slots.push(self.len() as u32);
            self.stored.encode(vector, &mut self.vectors);
            self.inverse_norms.push(row.inverse_norm);
        }
        self.ids.raw(row.id.as_bytes());
        self.id_ends.push(self.ids.len() as u64);
        encode_object(&row.metadata, &mut self.metadata);
        self.metadata_ends.push(self.metadata.len() as u64);
        if row.expires_at < NEVER {
            self.expiring.push((self.len() as u32, row.expires_at));
        }
        self.keys.push(row.key.0);
        self.seqs.push(row.seq.0);
        self.valid_from.push(row.valid_from);
    }

    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.seqs.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.seqs.is_empty()
    }

    /// How many of them have a vector.
    #[must_use]
    pub fn vectors(&self) -> usize {
        self.vector_slots.len()
    }

    /// Dimension of the vectors; 0 when there are none.
    #[must_use]
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// A run of vectors, one after another.
    #[must_use]
    pub fn vectors_of(&self, ordinals: std::ops::Range<usize>) -> Cow<'_, [f32]> {
        let row = self.stored.width(self.dim);
        self.stored.decode(&self.vectors[ordinals.start * row..ordinals.end * row], self.dim)
    }

    fn id(&self, slot: u32) -> &[u8] {
        let slot = slot as usize;
        &self.ids.as_slice()[self.id_ends[slot] as usize..self.id_ends[slot + 1] as usize]
    }

    /// The sections of the blob.
    #[must_use]
    pub fn sections(self) -> Vec<Section> {
        let n = self.len();
        let mut order: Vec<u32> = (0..n as u32).collect();
        order.sort_unstable_by(|a, b| self.id(*a).cmp(self.id(*b)).then(a.cmp(b)));
        let counts = [n as u64, self.vectors() as u64, self.dim as u64];
        let expiry = Expiry::new(self.expiring.iter().copied());
        let sparse = if self.vectors() == n { Vec::new() } else { self.vector_slots };
        vec![
            Section::pinned(COUNTS, le_bytes(&counts)),
            Section::pinned(ID_ORDER, le_bytes(&order)),
            Section::pinned(ID_OFFSETS, le_bytes(&self.id_ends)),
            Section::pinned(ID_BYTES, self.ids.finish()),
            Section::pinned(KEYS, le_bytes(&self.keys)),
            Section::pinned(SEQS, le_bytes(&self.seqs)),
            Section::pinned(VALID_FROM, le_bytes(&self.valid_from)),
            Section::pinned(VECTOR_SLOTS, le_bytes(&sparse)),
            Section::rows(vectors_section(self.stored), self.vectors),
            Section::pinned(INVERSE_NORMS, le_bytes(&self.inverse_norms)),
            Section::pinned(METADATA_OFFSETS, le_bytes(&self.metadata_ends)),
            Section::rows(METADATA, self.metadata.finish()),
            Section::pinned(EXPIRY_SLOTS, le_bytes(&expiry.slots)),
            Section::pinned(EXPIRY_TIMES, le_bytes(&expiry.times)),
            Section::pinned(EXPIRY_ORDER, le_bytes(&expiry.order)),
        ]
    }
}
