//! A collection as one file: its config, its counters and the blobs of one segment with every live document.
//!
//! The same documents give the same bytes however they were laid out. Layout: docs/FORMAT.md, "Exports".

use std::sync::Arc;

use crate::base::{AlignedBytes, DecodeError, Error, InputError, Lsn, Pool, Reader, Result, Writer};
use crate::collection::{CollectionConfig, Counters, View};
use crate::segment::{Row, RowsReader, SegmentBlobs, SharedRow, derive};
use crate::storage::blob::{FORMAT_VERSION, MIN_READER_VERSION, Resident, build, checksum, read_file_id};
use crate::storage::{Blob, BlobId, BlobKind, Storage, Ticket};

use super::collection::derive_with;
use super::log;
use super::manifest::{Cut, Manifest};

const MAGIC: &[u8; 8] = b"KITHXPRT";
/// Blobs of an export belong to no collection: their file ids come from this one.
const NO_COLLECTION: u64 = 0;

/// The bytes of a collection, as a view shows it.
///
/// Keys and seqs are counted anew in the order of seq, so that the file tells nothing of what was deleted.
///
/// # Errors
/// `corrupt`, `not_resident`.
pub fn write(view: &View, pool: &Pool) -> Result<Vec<u8>> {
    let mut last_time = i64::MIN;
    let rows: Vec<SharedRow> = view
        .all_rows()?
        .into_iter()
        .zip(0u32..)
        .map(|(row, i)| {
            last_time = last_time.max(row.valid_from);
            let (key, seq) = (crate::base::Key(i), crate::base::Seq(u64::from(i)));
            Arc::new(Row { key, seq, ..(*row).clone() })
        })
        .collect();
    let mut w = Writer::new();
    w.raw(MAGIC);
    w.u16(FORMAT_VERSION);
    w.u16(MIN_READER_VERSION);
    view.config.encode(&mut w);
    w.u32(view.dim.unwrap_or(0));
    w.u64(rows.len() as u64);
    w.i64(if rows.is_empty() { 0 } else { last_time });
    let blobs = if rows.is_empty() { Vec::new() } else { derive(&rows, derive_with(view, pool)) };
    w.u8(blobs.len() as u8);
    let mut bodies = Vec::new();
    for ((kind, sections), number) in blobs.into_iter().zip(1..) {
        let body = build(BlobId::new(NO_COLLECTION, number, kind), &sections);
        w.u16(kind as u16);
        w.u64(body.len() as u64);
        bodies.push(body);
    }
    let crc = checksum(NO_COLLECTION, w.as_slice());
    w.u32(crc);
    bodies.iter().for_each(|body| w.raw(body));
    Ok(w.finish())
}

/// An export that was read and found sound.
pub(super) struct Parsed {
    config: CollectionConfig,
    dim: Option<u32>,
    documents: u64,
    last_time: i64,
    blobs: Vec<(BlobKind, Arc<AlignedBytes>)>,
}

/// Reads an export and checks all of it.
///
/// # Errors
/// `invalid_file`, `unsupported_version`.
pub(super) fn read(bytes: &[u8]) -> Result<Parsed> {
    let refuse = |expected: &str, offset: usize| -> Error {
        let got = format!("something else at offset {offset}");
        InputError::File { what: "export", got, expected: expected.to_owned() }.into()
    };
    if bytes.len() < 16 || &bytes[..8] != MAGIC {
        return Err(refuse("an exported collection", 0));
    }
    let needs = u16::from_le_bytes([bytes[10], bytes[11]]);
    if needs > FORMAT_VERSION {
        let object = "the export".to_owned();
        return Err(
            crate::base::StorageError::UnsupportedVersion { object, needs, reads: FORMAT_VERSION }.into()
        );
    }
    let of = |e: DecodeError| refuse(e.expected, e.offset);
    let mut r = Reader::new(bytes);
    r.raw(12, "a header").map_err(of)?;
    let config = CollectionConfig::decode(&mut r).map_err(of)?;
    let dim = Some(r.u32().map_err(of)?).filter(|dim| *dim > 0);
    let (documents, last_time) = (r.u64().map_err(of)?, r.i64().map_err(of)?);
    let mut table = Vec::new();
    for _ in 0..r.u8().map_err(of)? {
        let kind = BlobKind::from_number(r.u16().map_err(of)?).ok_or_else(|| refuse("a kind", r.offset()))?;
        table.push((kind, r.u64().map_err(of)?));
    }
    let head = r.offset();
    if r.u32().map_err(of)? != checksum(NO_COLLECTION, &bytes[..head]) {
        return Err(refuse("a head with the right checksum", head));
    }
    let (mut blobs, mut rows) = (Vec::new(), 0);
    for (kind, len) in table {
        let offset = r.offset();
        let len = usize::try_from(len).map_err(|_| refuse("the length of a blob", offset))?;
        let body = Arc::new(AlignedBytes::copy_of(r.raw(len, "a whole blob").map_err(of)?));
        rows += check_blob(kind, &body).map_err(|_| refuse("a sound blob", offset))?;
        blobs.push((kind, body));
    }
    r.end().map_err(of)?;
    if documents > u64::from(u32::MAX) || rows != documents {
        return Err(refuse("as many rows as documents", head));
    }
    Ok(Parsed { config, dim, documents, last_time, blobs })
}

/// Checks every block of a blob; how many rows it holds when it is the primary one.
fn check_blob(kind: BlobKind, body: &Arc<AlignedBytes>) -> Result<u64> {
    let id = BlobId { number: 0, kind, file_id: read_file_id(kind, body)? };
    let blob = Blob::open(id, Arc::new(Resident::new(Arc::clone(body))))?;
    blob.verify()?;
    if kind == BlobKind::Rows { Ok(RowsReader::open(&blob)?.len() as u64) } else { Ok(0) }
}

/// Queues the blobs, an empty log and the manifest of an imported collection.
pub(super) fn stage(parsed: Parsed, storage: &dyn Storage, collection_id: u64) -> Result<Ticket> {
    let Parsed { config, dim, documents, last_time, blobs } = parsed;
    let mut manifest = Manifest::first(collection_id, config);
    manifest.cut = Cut {
        lsn: Lsn(0),
        counters: Counters { next_key: documents as u32, next_seq: documents, last_time },
        dim,
    };
    let mut ids = Vec::new();
    for (kind, body) in blobs {
        let id = BlobId { number: manifest.next_blob, kind, file_id: read_file_id(kind, &body)? };
        manifest.next_blob += 1;
        storage.put(id, body);
        ids.push(id);
    }
    manifest.segments.extend(SegmentBlobs::of(&ids));
    storage.start_log(manifest.log, log::header(collection_id, manifest.log, Lsn(1)));
    Ok(storage.flip(manifest.generation, manifest.encode()))
}
