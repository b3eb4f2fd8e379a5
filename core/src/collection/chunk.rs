//! A piece of the memtable: immutable rows in the order of seq, with their words. Searched exactly.

use std::sync::OnceLock;
use std::sync::atomic::AtomicI64;

use crate::base::{Bitmap, Object, Result, Slot};
use crate::graph::EdgeTable;
use crate::segment::{Expiry, ExpiryByKey, Row, SharedRow};
use crate::text::{MemoryPostings, PostingSource, Words};

use super::by_id::ById;

/// Immutable rows in the order of seq.
#[derive(Debug)]
pub struct Chunk {
    rows: Vec<SharedRow>,
    by_id: ById,
    postings: Option<MemoryPostings>,
    edges: EdgeTable,
    expiry: Expiry,
    expiry_by_key: OnceLock<ExpiryByKey>,
    /// All that had expired by this time has ended.
    swept: AtomicI64,
    weight: usize,
}

impl Chunk {
    /// The chunk of these rows, which are in the order of seq, and of the edges that came with them.
    #[must_use]
    pub fn new(rows: Vec<SharedRow>, edges: EdgeTable, words: Option<&Words>) -> Self {
        let postings = words.map(|words| {
            let mut postings = MemoryPostings::new();
            for (slot, row) in rows.iter().enumerate() {
                words.push(&mut postings, slot as u32, &row.metadata);
            }
            postings
        });
        Self::with(rows, edges, postings)
    }

    /// Both chunks as one; `later` follows `self` in seq.
    #[must_use]
    pub fn joined(&self, later: &Self) -> Self {
        let rows: Vec<_> = self.rows.iter().chain(&later.rows).cloned().collect();
        let postings = self.postings.as_ref().zip(later.postings.as_ref()).map(|(a, b)| {
            let mut postings = a.clone();
            postings.append(b, self.rows.len() as u32);
            postings
        });
        let edges = match (self.edges.is_empty(), later.edges.is_empty()) {
            (_, true) => self.edges.clone(),
            (true, false) => later.edges.clone(),
            (false, false) => self.edges.joined(&later.edges),
        };
        Self::with(rows, edges, postings)
    }

    fn with(rows: Vec<SharedRow>, edges: EdgeTable, postings: Option<MemoryPostings>) -> Self {
        let by_id = ById::of(&rows);
        let weight = rows.iter().map(|row| row.weight()).sum::<usize>() + edges.weight();
        let expiry = Expiry::of(&rows);
        let (expiry_by_key, swept) = (OnceLock::new(), AtomicI64::new(i64::MIN));
        Self { rows, by_id, postings, edges, expiry, expiry_by_key, swept, weight }
    }

    /// Its rows, by slot.
    #[must_use]
    pub fn rows(&self) -> &[SharedRow] {
        &self.rows
    }

    /// Its edges.
    #[must_use]
    pub fn edges(&self) -> &EdgeTable {
        &self.edges
    }

    /// How much joining it with another copies: its rows and edges.
    #[must_use]
    pub fn entries(&self) -> usize {
        self.rows.len() + self.edges.len()
    }

    /// The metadata of some slots, all without a bitmap.
    pub fn documents<'a>(&'a self, slots: Option<&Bitmap>) -> impl Iterator<Item = &'a Object> {
        let is_in = move |slot: usize| slots.is_none_or(|slots| slots.contains(slot));
        let rows = self.rows.iter().enumerate();
        rows.filter(move |(slot, _)| is_in(*slot)).map(|(_, row)| &row.metadata)
    }

    /// The row of a slot.
    #[must_use]
    pub fn row(&self, slot: Slot) -> &Row {
        &self.rows[slot.index()]
    }

    /// About how many bytes it takes.
    #[must_use]
    pub fn weight(&self) -> usize {
        self.weight
    }

    /// The newest version of an id.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<Slot> {
        self.slots_of(id).next()
    }

    /// The slots of an id, the newest first.
    pub fn slots_of(&self, id: &str) -> impl Iterator<Item = Slot> {
        self.by_id.slots_of(&self.rows, id).map(Slot)
    }

    /// How many slots hold versions that began at a time or before.
    #[must_use]
    pub fn begun_by(&self, time: i64) -> usize {
        self.rows.partition_point(|row| row.valid_from <= time)
    }

    /// Until when it is known that all that expires has ended.
    pub fn swept(&self) -> &AtomicI64 {
        &self.swept
    }

    /// When the versions expire.
    #[must_use]
    pub fn expiry(&self) -> &Expiry {
        &self.expiry
    }

    /// The same by key, put in order when it is first asked for.
    pub fn expiry_by_key(&self) -> &ExpiryByKey {
        let keyed = |(slot, at)| (self.row(slot).key, at, slot);
        self.expiry_by_key.get_or_init(|| ExpiryByKey::new(self.expiry.view().iter().map(keyed).collect()))
    }

    /// Its words; `None` when the collection has no text.
    #[must_use]
    pub fn postings(&self) -> Option<&dyn PostingSource> {
        self.postings.as_ref().map(|p| p as &dyn PostingSource)
    }

    /// The slot of a seq.
    ///
    /// # Errors
    /// None; as the segment's twin.
    pub fn slot_of(&self, seq: u64) -> Result<Option<Slot>> {
        Ok(self.rows.binary_search_by_key(&seq, |row| row.seq.0).ok().map(|slot| Slot(slot as u32)))
    }
}
