//! The blobs of a segment, made in steps: rows are taken in one by one, then each blob is finished.
//!
//! Where it pauses never changes what it makes. Rows are not kept: what they give is, in the form it has in a blob.

use crate::base::Result;
use crate::graph::{self, EdgeTable};
use crate::meta::ColumnsBuilder;
use crate::storage::{BlobKind, Section};
use crate::text::{Carry, MemoryPostings, PostingSource};
use crate::vectors::{CodeEncoder, Coding, Extent, Int8Encoder, Int8Space, Metric};

use super::blobs::Derive;
use super::row::{Row, SharedRow};
use super::rows_builder::RowsBuilder;

/// The blobs of a segment under construction, except `links` and `ends`.
#[derive(Debug, Default)]
pub struct SegmentBuilder {
    len: usize,
    vectors: usize,
    /// There from the first row on.
    rows: Option<RowsBuilder>,
    extent: Extent,
    /// What links are made with, and what is written unless other codes are asked for.
    codes: Option<Int8Encoder>,
    other_codes: Option<CodeEncoder>,
    postings: MemoryPostings,
    columns: ColumnsBuilder,
    edges: EdgeTable,
    finished: Finished,
}

/// The blobs that are finished. Codes are so when all vectors are encoded.
#[derive(Debug, Default)]
struct Finished {
    has_other_codes: bool,
    text: Option<Vec<Section>>,
    columns: Option<Vec<Section>>,
    rows: Option<Vec<Section>>,
}

impl SegmentBuilder {
    /// Adds a row; they come in the order of seq, before anything is finished.
    ///
    /// # Panics
    /// When it is out of order or has a vector of another dimension.
    pub fn push(&mut self, row: &Row, with: Derive<'_>) {
        if let Some(words) = with.words {
            words.push(&mut self.postings, self.len as u32, &row.metadata);
        }
        self.push_without_words(row, with);
    }

    /// As [`Self::push`], for a row whose words are carried over ([`Self::carry_words`]).
    ///
    /// # Panics
    /// As [`Self::push`].
    pub fn push_without_words(&mut self, row: &Row, with: Derive<'_>) {
        let slot = self.len as u32;
        if let Some(vector) = &row.vector {
            self.vectors += 1;
            if with.metric == Metric::Manhattan {
                self.extent.widen(vector);
            }
        }
        self.columns.push(slot, &row.metadata);
        self.rows.get_or_insert_with(|| RowsBuilder::new(with.stored)).push(row);
        self.len += 1;
    }

    /// Takes over words of a part whose rows were pushed without, before others are pushed: see [`Carry::step`].
    ///
    /// # Errors
    /// As [`Carry::step`].
    pub fn carry_words(
        &mut self,
        carry: &mut Carry,
        part: &dyn PostingSource,
        slots: &[u32],
        budget: usize,
    ) -> Result<bool> {
        carry.step(part, slots, &mut self.postings, budget)
    }

    /// Gives it its edges.
    pub fn set_edges(&mut self, edges: EdgeTable) {
        self.edges = edges;
    }

    /// How many rows it was given.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether it was given neither rows nor edges.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0 && self.edges.is_empty()
    }

    /// How many of the rows have a vector.
    #[must_use]
    pub fn vectors(&self) -> usize {
        self.vectors
    }

    /// Works on, once all rows are there: encodes about `budget` vectors or finishes one blob; true when all are.
    pub fn finish(&mut self, budget: usize, with: Derive<'_>) -> bool {
        let n = self.len as u32;
        if self.encode(budget, with) || self.encode_otherwise(budget, with) {
            return false;
        }
        let finished = &mut self.finished;
        if with.words.is_some() && finished.text.is_none() {
            finished.text = Some(std::mem::take(&mut self.postings).sections(n));
        } else if finished.columns.is_none() {
            finished.columns = Some(std::mem::take(&mut self.columns).sections(n));
        } else if finished.rows.is_none() {
            let rows = self.rows.take().unwrap_or_else(|| RowsBuilder::new(with.stored));
            finished.rows = Some(rows.sections());
        }
        finished.rows.is_some()
    }

    /// Encodes some vectors; false when there was nothing left to encode.
    fn encode(&mut self, budget: usize, with: Derive<'_>) -> bool {
        let (extent, n) = (self.extent, self.vectors);
        let Some(rows) = self.rows.as_ref().filter(|_| n > 0) else { return false };
        let dim = rows.dim();
        let codes = self.codes.get_or_insert_with(|| Int8Encoder::new(with.metric, dim, n, extent));
        let done = codes.encoded();
        let count = budget.max(1).min(n - done);
        if count > 0 {
            let vectors = rows.vectors_of(done..done + count);
            codes.push(count, |i| &vectors[i * dim..(i + 1) * dim], with.pool);
        }
        count > 0
    }

    /// Encodes some vectors by other codes than int8; false when there was nothing left to encode.
    fn encode_otherwise(&mut self, budget: usize, with: Derive<'_>) -> bool {
        let n = self.vectors;
        let is_left = n > 0 && with.codes != Coding::Int8 && !self.finished.has_other_codes;
        let Some(rows) = self.rows.as_ref().filter(|_| is_left) else { return false };
        let encoder = self.other_codes.get_or_insert_with(|| {
            let made = CodeEncoder::new(with.codes, with.metric, rows.dim(), n);
            made.expect("settings are checked against the metric before they are taken")
        });
        let read = |ordinals| Ok(rows.vectors_of(ordinals));
        let done = encoder.step(budget, &read, with.pool);
        self.finished.has_other_codes = done.expect("vectors in memory are read without fail");
        true
    }

    /// Distances among its vectors, by ordinal, once all are encoded; `None` without vectors.
    #[must_use]
    pub fn space(&self) -> Option<Int8Space<'_>> {
        self.codes.as_ref().map(Int8Encoder::space)
    }

    /// The sections of every blob.
    ///
    /// # Panics
    /// When not all are finished.
    #[must_use]
    pub fn into_blobs(self) -> Vec<(BlobKind, Vec<Section>)> {
        let Finished { text, columns, rows, .. } = self.finished;
        let whole = "blobs are taken once all are finished";
        let mut blobs = vec![(BlobKind::Rows, rows.expect(whole))];
        blobs.extend(match self.other_codes {
            Some(codes) => Some(codes.blob()),
            None => self.codes.map(|codes| (BlobKind::Codes, codes.sections())),
        });
        blobs.extend(text.map(|text| (BlobKind::Text, text)));
        blobs.push((BlobKind::Columns, columns.expect(whole)));
        if !self.edges.is_empty() {
            blobs.push((BlobKind::Edges, graph::sections(&self.edges)));
        }
        blobs
    }
}

/// The sections of every blob of a segment with these rows, except `links` and `ends`.
#[must_use]
pub fn derive(rows: &[SharedRow], with: Derive<'_>) -> Vec<(BlobKind, Vec<Section>)> {
    let mut builder = SegmentBuilder::default();
    rows.iter().for_each(|row| builder.push(row, with));
    while !builder.finish(usize::MAX, with) {}
    builder.into_blobs()
}
