//! A collection as one file: its config and the rows of every live document.
//!
//! The same documents give the same bytes however they were laid out. Only primary data travels: what is derived is made
//! from it where it arrives, so that a file from elsewhere cannot bring an index that disagrees with its documents.
//! Layout: docs/FORMAT.md, "Exports".

use std::sync::Arc;

use crate::base::limits::DIM_MAX;
use crate::base::{
    AlignedBytes, DecodeError, Error, InputError, Key, Lsn, Pool, Reader, Result, Seq, Slot, StorageError,
    Writer, check_id,
};
use crate::collection::{CollectionConfig, Counters, View};
use crate::segment::{Derive, Row, RowsReader, SegmentBlobs, SharedRow, derive, rows};
use crate::storage::blob::{FORMAT_VERSION, MIN_READER_VERSION, Resident, build, checksum};
use crate::storage::{Blob, BlobId, BlobKind, Storage, Ticket};
use crate::text::Words;
use crate::vectors::{check_vector, inverse_norm};

use super::log;
use super::manifest::{Cut, Manifest};

const MAGIC: &[u8; 8] = b"KITHXPRT";
/// The rows of an export belong to no collection.
const ROWS_ID: (u64, u64) = (0, 1);

/// A hundred years before the end of time in nanoseconds: later writes need times above.
const VALID_FROM_MAX: i64 = i64::MAX - 100 * 365 * 86_400 * 1_000_000_000;

fn rows_id() -> BlobId {
    BlobId::new(ROWS_ID.0, ROWS_ID.1, BlobKind::Rows)
}

/// The bytes of a collection, as a view shows it.
///
/// Keys and seqs are counted anew in the order of seq, so that the file tells nothing of what was deleted.
///
/// # Errors
/// `corrupt`, `not_resident`.
pub fn write(view: &View) -> Result<Vec<u8>> {
    let all = renumbered(view.all_rows()?.iter().map(|row| (**row).clone()));
    let body = build(rows_id(), &rows::sections(&all));
    let mut w = Writer::new();
    w.raw(MAGIC);
    w.u16(FORMAT_VERSION);
    w.u16(MIN_READER_VERSION);
    view.config.encode(&mut w);
    w.u32(view.dim.unwrap_or(0));
    w.u64(body.len() as u64);
    let crc = checksum(0, w.as_slice());
    w.u32(crc);
    w.raw(&body);
    Ok(w.finish())
}

/// Rows with keys and seqs counted from 0.
pub(super) fn renumbered(rows: impl Iterator<Item = Row>) -> Vec<SharedRow> {
    let numbered = |(row, i): (Row, u32)| Arc::new(Row { key: Key(i), seq: Seq(u64::from(i)), ..row });
    rows.zip(0u32..).map(numbered).collect()
}

/// The documents of a collection that is to be made: from an export that was read and found sound, or saved from a
/// damaged one. Keys and seqs are counted from 0.
pub(super) struct Parsed {
    pub config: CollectionConfig,
    pub dim: Option<u32>,
    pub rows: Vec<SharedRow>,
}

/// Reads an export and checks all of it, as if its documents were added one by one.
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
        return Err(StorageError::UnsupportedVersion { object, needs, reads: FORMAT_VERSION }.into());
    }
    let of = |e: DecodeError| refuse(e.expected, e.offset);
    let mut r = Reader::new(bytes);
    r.raw(12, "a header").map_err(of)?;
    let config = CollectionConfig::decode(&mut r).map_err(of)?;
    let dim = Some(r.u32().map_err(of)?).filter(|dim| *dim > 0);
    let len = r.u64().map_err(of)?;
    let head = r.offset();
    if r.u32().map_err(of)? != checksum(0, &bytes[..head]) {
        return Err(refuse("a head with the right checksum", head));
    }
    let possible = dim.is_none_or(|dim| dim as usize <= DIM_MAX);
    if !possible || (config.dim.is_some() && config.dim != dim) {
        return Err(refuse("the dimension of its config", head));
    }
    let offset = r.offset();
    let len = usize::try_from(len).map_err(|_| refuse("rows of a possible length", offset))?;
    let body = AlignedBytes::copy_of(r.raw(len, "all of its rows").map_err(of)?);
    r.end().map_err(of)?;
    let rows = read_rows(&config, dim, body).map_err(|e| {
        let got = e.to_string();
        Error::from(InputError::File {
            what: "export",
            got,
            expected: "documents that could be added".into(),
        })
    })?;
    Ok(Parsed { config, dim, rows })
}

fn read_rows(config: &CollectionConfig, dim: Option<u32>, body: AlignedBytes) -> Result<Vec<SharedRow>> {
    let blob = Blob::open(rows_id(), Arc::new(Resident::new(Arc::new(body))))?;
    blob.verify()?;
    let reader = RowsReader::open(&blob)?;
    if reader.vectors() > 0 && Some(reader.dim()) != dim.map(|dim| dim as usize) {
        return Err(Error::corrupt("the export", 0, "vectors of the dimension of its head"));
    }
    let mut rows = Vec::with_capacity(reader.len());
    for i in 0..reader.len() as u32 {
        let row = reader.row(Slot(i))?;
        check_id(&row.id)?;
        let is_own = reader.find(&row.id)? == Some(Slot(i));
        if row.valid_from > VALID_FROM_MAX {
            return Err(Error::corrupt("the export", 0, "times that leave room for later ones"));
        }
        if !is_own || row.key != Key(i) || row.seq != Seq(u64::from(i)) {
            return Err(Error::corrupt("the export", 0, "each document once, counted from 0"));
        }
        let mut fresh = (*row).clone();
        if let Some(vector) = &row.vector {
            check_vector(config.metric, dim.map(|dim| dim as usize), vector)?;
            fresh.inverse_norm = inverse_norm(vector);
        }
        rows.push(Arc::new(fresh));
    }
    Ok(rows)
}

/// Queues the blobs, an empty log and the manifest of an imported collection.
pub(super) fn stage(parsed: &Parsed, storage: &dyn Storage, collection_id: u64, pool: &Pool) -> Ticket {
    let Parsed { config, dim, rows } = parsed;
    let words = config.text.clone().map(Words::new);
    let mut manifest = Manifest::first(collection_id, config.clone());
    let last_time = rows.iter().map(|row| row.valid_from).max().unwrap_or(0);
    let counters = Counters { next_key: rows.len() as u32, next_seq: rows.len() as u64, last_time };
    manifest.cut = Cut { lsn: Lsn(0), counters, dim: *dim };
    let mut ids = Vec::new();
    if !rows.is_empty() {
        let with = Derive { metric: config.metric, words: words.as_ref(), pool };
        for (kind, sections) in derive(rows, with) {
            let id = BlobId::new(collection_id, manifest.next_blob, kind);
            manifest.next_blob += 1;
            storage.put(id, Arc::new(build(id, &sections)));
            ids.push(id);
        }
    }
    manifest.segments.extend(SegmentBlobs::of(&ids));
    storage.start_log(manifest.log, log::header(collection_id, manifest.log, Lsn(1)));
    storage.flip(manifest.generation, manifest.encode())
}
