//! The small file that names the blobs and the log position that make up the state of a collection.
//!
//! Layout: docs/FORMAT.md, "Manifests". Written whole, read whole, checked whole.

use crate::base::limits::{COUNT_END, DIM_MAX};
use crate::base::{DecodeError, Lsn, Reader, Result};
use crate::collection::{CollectionConfig, Counters};
use crate::segment::SegmentBlobs;
use crate::storage::blob::FORMAT_VERSION;
use crate::storage::{BlobId, BlobKind, Object};
use crate::vectors::Coding;

use super::envelope;

const MAGIC: &[u8; 8] = b"KITHMANI";

/// The state up to which blobs, not the log, tell what is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cut {
    /// The last frame that is in the blobs.
    pub lsn: Lsn,
    /// Counters after it.
    pub counters: Counters,
    /// Dimension of the vectors, once known.
    pub dim: Option<u32>,
}

/// What a collection's state is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// The version of the format that it is written in; what encodes it writes the newest.
    pub format_version: u16,
    /// Counts flips.
    pub generation: u64,
    /// Drawn by the host when the collection was made.
    pub collection_id: u64,
    /// What the collection is.
    pub config: CollectionConfig,
    /// Up to where blobs tell the state.
    pub cut: Cut,
    /// The first log that holds frames behind the cut.
    pub log: u64,
    /// The number of the next blob.
    pub next_blob: u64,
    /// Segments in the order of seq.
    pub segments: Vec<SegmentBlobs>,
}

impl Manifest {
    /// The manifest of a new, empty collection.
    #[must_use]
    pub fn first(collection_id: u64, config: CollectionConfig) -> Self {
        let cut = Cut { dim: config.dim, ..Cut::default() };
        Self {
            format_version: FORMAT_VERSION,
            generation: 1,
            collection_id,
            config,
            cut,
            log: 1,
            next_blob: 1,
            segments: Vec::new(),
        }
    }

    /// The same, to be written as this generation.
    #[must_use]
    pub fn next(self, generation: u64) -> Self {
        Self { format_version: FORMAT_VERSION, generation, ..self }
    }

    /// Everything it needs, besides logs after its first.
    #[must_use]
    pub fn objects(&self) -> Vec<Object> {
        let blobs = self.segments.iter().flat_map(SegmentBlobs::iter);
        let mut objects: Vec<_> = blobs.map(|id| Object::Blob(id.number, id.kind)).collect();
        objects.push(Object::Manifest(self.generation));
        objects
    }

    /// Its bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut w = envelope::begin(MAGIC, self.generation);
        w.u64(self.collection_id);
        self.config.encode(&mut w);
        let Cut { lsn, counters, dim } = self.cut;
        w.u64(lsn.0);
        w.u32(counters.next_key);
        w.u32(counters.next_relation);
        w.u64(counters.next_seq);
        w.i64(counters.last_time);
        w.i64(counters.first_end);
        w.i64(counters.known_from);
        w.u32(dim.unwrap_or(0));
        w.u64(self.log);
        w.u64(self.next_blob);
        w.varint(self.segments.len() as u64);
        for segment in &self.segments {
            let blobs: Vec<BlobId> = segment.iter().collect();
            w.u8(blobs.len() as u8);
            for id in blobs {
                w.u16(id.kind as u16);
                w.u64(id.number);
                w.u64(id.file_id);
            }
        }
        envelope::end(w, self.generation)
    }

    /// Reads what [`Manifest::encode`] wrote for this generation.
    ///
    /// # Errors
    /// `corrupt`, `unsupported_version`.
    pub fn decode(generation: u64, bytes: &[u8]) -> Result<Self> {
        let object = format!("manifest {generation}");
        let mut r = Reader::new(envelope::open(MAGIC, generation, &object, bytes)?);
        let read = |r: &mut Reader<'_>| {
            let manifest = Self::read(r, generation)?;
            r.end().map(|()| manifest)
        };
        let manifest = read(&mut r).map_err(|e| e.within(&object, 20))?;
        Ok(Self { format_version: envelope::format_version(bytes), ..manifest })
    }

    /// What bytes say whose checksum or head is wrong: for saving a collection, and for nothing else. Any field may be
    /// wrong.
    ///
    /// # Errors
    /// `corrupt` when they cannot be read as a manifest at all.
    pub fn decode_damaged(generation: u64, bytes: &[u8]) -> Result<Self> {
        let object = format!("manifest {generation}");
        let mut r = Reader::new(envelope::body_of_damaged(&object, bytes)?);
        Self::read(&mut r, generation)
            .and_then(|found| r.end().map(|()| found))
            .map_err(|e| e.within(&object, 20))
    }

    fn read(r: &mut Reader<'_>, generation: u64) -> Result<Self, DecodeError> {
        let collection_id = r.u64()?;
        let config = CollectionConfig::decode(r)?;
        let lsn = Lsn(r.u64()?);
        let (next_key, next_relation, next_seq) = (r.u32()?, r.u32()?, r.u64()?);
        let (last_time, first_end, known_from) = (r.i64()?, r.i64()?, r.i64()?);
        let counters = Counters { next_key, next_relation, next_seq, last_time, first_end, known_from };
        let offset = r.offset();
        let dim = Some(r.u32()?).filter(|dim| *dim > 0);
        if dim.is_some_and(|dim| dim as usize > DIM_MAX) {
            return Err(DecodeError { offset, expected: "a dimension within limits" });
        }
        let (log, next_blob) = (r.u64()?, r.u64()?);
        if [generation, lsn.0, next_seq, log, next_blob].iter().any(|count| *count >= COUNT_END) {
            return Err(DecodeError { offset, expected: "counts that leave room for later ones" });
        }
        let n = r.count(19)?;
        let segments = (0..n).map(|_| read_segment(r, next_blob)).collect::<Result<_, _>>()?;
        let cut = Cut { lsn, counters, dim };
        let format_version = FORMAT_VERSION;
        Ok(Self { format_version, generation, collection_id, config, cut, log, next_blob, segments })
    }
}

/// Whether a segment has one of the two at the most.
fn is_same(one: BlobKind, other: BlobKind) -> bool {
    one == other || (Coding::of_blob(one).is_some() && Coding::of_blob(other).is_some())
}

fn read_segment(r: &mut Reader<'_>, next_blob: u64) -> Result<SegmentBlobs, DecodeError> {
    let offset = r.offset();
    let mut blobs: Vec<BlobId> = Vec::new();
    for _ in 0..r.u8()? {
        let kind =
            BlobKind::from_number(r.u16()?).ok_or(DecodeError { offset, expected: "a kind of blob" })?;
        let id = BlobId { kind, number: r.u64()?, file_id: r.u64()? };
        if blobs.iter().any(|before| is_same(before.kind, kind)) || id.number >= next_blob {
            return Err(DecodeError { offset, expected: "one blob of a kind, with a number that was given" });
        }
        blobs.push(id);
    }
    SegmentBlobs::of(&blobs).ok_or(DecodeError { offset, expected: "a rows blob" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Manifest {
        let blob = |number, kind| BlobId::new(9, number, kind);
        let mut manifest = Manifest::first(9, CollectionConfig::default());
        manifest.generation = 4;
        manifest.next_blob = 8;
        manifest.segments.push(SegmentBlobs {
            rows: blob(1, BlobKind::Rows),
            ends: Some(blob(7, BlobKind::Ends)),
            codes: None,
            links: None,
            text: Some(blob(2, BlobKind::Text)),
            columns: Some(blob(3, BlobKind::Columns)),
            edges: Some(blob(4, BlobKind::Edges)),
        });
        manifest
    }

    /// What is counted on from a manifest would wrap to 0 at the end of all numbers, or panic where arithmetic is checked.
    #[test]
    fn counts_that_leave_no_room_for_later_ones_are_refused() {
        let counts: [fn(&mut Manifest) -> &mut u64; 4] =
            [|m| &mut m.cut.lsn.0, |m| &mut m.cut.counters.next_seq, |m| &mut m.log, |m| &mut m.next_blob];
        for count in counts {
            let mut manifest = sample();
            *count(&mut manifest) = COUNT_END;
            let code = Manifest::decode(4, &manifest.encode()).expect_err("no room").code();
            assert_eq!(code, "corrupt");
            *count(&mut manifest) = COUNT_END - 1;
            assert_eq!(Manifest::decode(4, &manifest.encode()), Ok(manifest));
        }
    }

    #[test]
    fn comes_back_and_no_flipped_bit_or_truncation_does() {
        let bytes = sample().encode();
        assert_eq!(Manifest::decode(4, &bytes).expect("written above"), sample());
        assert!(Manifest::decode(5, &bytes).is_err(), "another generation's");
        for at in 0..bytes.len() {
            let mut bad = bytes.clone();
            bad[at] ^= 0x10;
            assert!(Manifest::decode(4, &bad).is_err(), "flip at {at}");
            assert!(Manifest::decode(4, &bytes[..at]).is_err(), "cut at {at}");
        }
    }
}
