//! A collection as one file: its config, the rows of every document, and what is kept of its history.
//!
//! The same documents give the same bytes however they were laid out. Only primary data travels: what is derived is made
//! from it where it arrives, so that a file from elsewhere cannot bring an index that disagrees with its documents.
//! Layout: docs/FORMAT.md, "Exports".

use std::collections::HashMap;
use std::sync::Arc;

use crate::base::limits::DIM_MAX;
use crate::base::{
    AlignedBytes, DecodeError, Error, InputError, Key, Lsn, NEVER, Pool, Reader, Result, Seq, Slot,
    StorageError, Writer, check_id,
};
use crate::collection::{CollectionConfig, Counters, Settings, View};
use crate::graph::{self, Edge, EdgeTable, EdgesReader, Mark};
use crate::segment::{Derive, End, Ends, Row, RowsReader, SegmentBlobs, SharedRow, Touch, derive, rows};
use crate::storage::blob::{FORMAT_VERSION, MIN_READER_VERSION, Resident, build, checksum};
use crate::storage::{Blob, BlobId, BlobKind, Storage, Ticket};
use crate::text::Words;
use crate::vectors::{Coding, check_vector, inverse_norm};

use super::log;
use super::manifest::{Cut, Manifest};

const MAGIC: &[u8; 8] = b"KITHXPRT";
/// The rows of an export belong to no collection.
const ROWS_ID: (u64, u64) = (0, 1);

/// A hundred years before the end of time in nanoseconds: later writes need times above.
const LAST_TIME_MAX: i64 = i64::MAX - 100 * 365 * 86_400 * 1_000_000_000;

fn rows_id() -> BlobId {
    BlobId::new(ROWS_ID.0, ROWS_ID.1, BlobKind::Rows)
}

fn edges_id() -> BlobId {
    BlobId { kind: BlobKind::Edges, ..rows_id() }
}

fn ends_id() -> BlobId {
    BlobId { kind: BlobKind::Ends, ..rows_id() }
}

/// The bytes of a collection: its documents, and what is kept of its history.
///
/// Keys and seqs are counted anew in the order of seq, so that the file tells nothing of what is no longer kept.
///
/// # Errors
/// `corrupt`, `not_resident`.
pub fn write(view: &View) -> Result<Vec<u8>> {
    let (rows, ended) = kept(view)?;
    let edges = kept_edges(view, &rows, ended.count())?;
    let edges = if edges.is_empty() { None } else { Some(build(edges_id(), &graph::sections(&edges))) };
    let edges = edges.as_deref().unwrap_or_default();
    let rows = build(rows_id(), &rows::sections(&rows, view.config.stored));
    let ended = if ended.changes() > 0 { Some(build(ends_id(), &ended.sections())) } else { None };
    let ended = ended.as_deref().unwrap_or_default();
    let mut w = Writer::new();
    w.raw(MAGIC);
    w.u16(FORMAT_VERSION);
    w.u16(MIN_READER_VERSION);
    // A reader of the copy is refused what a reader of the original is.
    let settings = Settings { graph_known_from: view.graph_earliest(), ..view.config.settings.clone() };
    CollectionConfig { settings, ..(*view.config).clone() }.encode(&mut w);
    w.u32(view.dim.unwrap_or(0));
    w.i64(view.earliest());
    w.i64(view.counters.last_time);
    w.u64(rows.len() as u64);
    w.u64(ended.len() as u64);
    w.u64(edges.len() as u64);
    let crc = checksum(0, w.as_slice());
    w.u32(crc);
    w.raw(&rows);
    w.raw(ended);
    w.raw(edges);
    Ok(w.finish())
}

/// All versions of edges that can be read, under the numbers of an export: keys and seqs behind those of its rows.
fn kept_edges(view: &View, rows: &[SharedRow], ended: usize) -> Result<EdgeTable> {
    let mut edges = EdgeTable::default();
    for part in &view.parts {
        if let Some(later) = part.part.edge_table()? {
            edges = edges.joined(&later);
        }
    }
    // The graph tells what expired ends have ended, too.
    let graph = view.graph(view.now(i64::MIN))?;
    let edges = edges.first(i64::MIN).filtered(|edge| {
        let (mut readable, triple) = (false, (edge.source, edge.relation, edge.target));
        graph.each_version(triple, &mut |link, _| readable |= link.seq == edge.seq);
        readable
    });
    Ok(with_keys_of(edges, rows, ended))
}

/// Edges under the keys of rows, of which so many have ended; other ends get the keys behind these.
pub(super) fn with_keys_of(edges: EdgeTable, rows: &[SharedRow], ended: usize) -> EdgeTable {
    let mut keys: HashMap<&str, Key> = rows.iter().map(|row| (&*row.id, row.key)).collect();
    let mut next = rows.iter().map(|row| row.key.0 + 1).max().unwrap_or(0);
    let names: Vec<String> = edges.names().iter().map(|(_, name)| name.to_string()).collect();
    for name in &names {
        keys.entry(name).or_insert_with(|| {
            next += 1;
            Key(next - 1)
        });
    }
    edges.renumbered(|name| keys[name], (rows.len() + ended) as u64)
}

/// Every version that is kept, and the ends of those that have ended, counted anew.
fn kept(view: &View) -> Result<(Vec<SharedRow>, Ends)> {
    let earliest = view.earliest();
    let mut rows: Vec<(SharedRow, Option<End>, Option<Touch>)> = Vec::new();
    for part in &view.parts {
        for slot in (0..part.part.len() as u32).map(Slot) {
            let end = part.ends.get(slot);
            if end.is_none_or(|end| end.valid_to > earliest) {
                rows.push((part.part.row(slot)?, end, part.ends.touches.get(slot)));
            }
        }
    }
    let seqs = rows.iter().flat_map(|(row, end, _)| [Some(row.seq), end.map(|end| end.seq)]);
    let mut seqs: Vec<Seq> = seqs.flatten().collect();
    seqs.sort_unstable();
    seqs.dedup();
    let counted = |seq: Seq| Seq(seqs.partition_point(|s| *s < seq) as u64);
    let mut keys: HashMap<Key, Key> = HashMap::new();
    let (mut counted_rows, mut ended) = (Vec::with_capacity(rows.len()), Ends::default());
    for (slot, (row, end, touch)) in (0u32..).map(Slot).zip(rows) {
        let next = Key(keys.len() as u32);
        let key = *keys.entry(row.key).or_insert(next);
        if let Some(end) = end {
            ended.end(End { slot, seq: counted(end.seq), ..end });
            ended.add_terms(view.words.as_ref().map(|w| w.count(&row.metadata)).unwrap_or_default());
        }
        if let Some(touch) = touch {
            ended.touches.set(slot, touch);
        }
        counted_rows.push(Arc::new(Row { key, seq: counted(row.seq), ..(*row).clone() }));
    }
    Ok((counted_rows, ended))
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
    /// Which of the rows are history.
    pub ended: Ends,
    /// Its edges, all versions of them.
    pub edges: EdgeTable,
    /// The earliest moment that can be asked for.
    pub earliest: i64,
    /// Of the last write.
    pub last_time: i64,
}

impl Parsed {
    /// Of documents without a history, and of which nobody knows what was there before them.
    pub fn without_history(
        mut config: CollectionConfig,
        dim: Option<u32>,
        rows: Vec<SharedRow>,
        edges: EdgeTable,
    ) -> Self {
        let of_edge = |edge: &Edge| if edge.until < NEVER { edge.at.max(edge.until) } else { edge.at };
        let times = rows.iter().map(|row| row.valid_from).chain(edges.edges().iter().map(of_edge));
        let last_time = times.max().unwrap_or(0);
        // What was written last may be lost.
        config.settings.graph_known_from = config.settings.graph_known_from.min(last_time);
        Self { config, dim, rows, ended: Ends::default(), edges, earliest: last_time, last_time }
    }
}

impl Parsed {
    /// The counters behind all of it.
    fn counters(&self) -> Counters {
        let Self { rows, ended, edges, earliest, last_time, .. } = self;
        let seqs = rows.iter().map(|row| row.seq).chain(ended.iter().map(|end| end.seq));
        let seqs = seqs.chain(edges.edges().iter().map(|edge| edge.seq));
        let keys = rows.iter().map(|row| row.key).chain(edges.names().iter().map(|(key, _)| *key));
        let relations = edges.relation_names().iter().map(|(number, _)| number.0.saturating_add(1));
        Counters {
            next_key: keys.map(|key| key.0.saturating_add(1)).max().unwrap_or(0),
            next_relation: relations.max().unwrap_or(0),
            next_seq: seqs.map(|seq| seq.0.saturating_add(1)).max().unwrap_or(0),
            last_time: *last_time,
            first_end: ended.iter().map(|end| end.valid_to).min().unwrap_or(NEVER),
            known_from: *earliest,
        }
    }
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
    let (earliest, last_time) = (r.i64().map_err(of)?, r.i64().map_err(of)?);
    let (rows_len, ended_len) = (r.u64().map_err(of)?, r.u64().map_err(of)?);
    let edges_len = r.u64().map_err(of)?;
    let head = r.offset();
    if r.u32().map_err(of)? != checksum(0, &bytes[..head]) {
        return Err(refuse("a head with the right checksum", head));
    }
    let possible = dim.is_none_or(|dim| dim as usize <= DIM_MAX);
    if !possible || (config.dim.is_some() && config.dim != dim) {
        return Err(refuse("the dimension of its config", head));
    }
    let graph_earliest = config.settings.graph_known_from;
    if last_time > LAST_TIME_MAX || earliest.max(graph_earliest) > last_time {
        return Err(refuse("times that leave room for later ones", head));
    }
    let mut body = |len: u64, what| {
        let len = usize::try_from(len).map_err(|_| refuse("a possible length", head))?;
        r.raw(len, what).map(AlignedBytes::copy_of).map_err(of)
    };
    let body = [
        body(rows_len, "all of its rows")?,
        body(ended_len, "all of its ends")?,
        body(edges_len, "all of its edges")?,
    ];
    r.end().map_err(of)?;
    let (ended, edges) = (Ends::default(), EdgeTable::default());
    let parsed = Parsed { config, dim, rows: Vec::new(), ended, edges, earliest, last_time };
    read_body(parsed, body).map_err(|e| {
        let got = e.to_string();
        Error::from(InputError::File {
            what: "export",
            got,
            expected: "documents that could be added".into(),
        })
    })
}

fn read_body(mut parsed: Parsed, [rows, ended, edges]: [AlignedBytes; 3]) -> Result<Parsed> {
    let open = |id: BlobId, bytes: AlignedBytes| -> Result<Blob> {
        let blob = Blob::open(id, Arc::new(Resident::new(Arc::new(bytes))))?;
        // Bytes that mean nothing are as they are written, too: a collection has one export.
        blob.damage()?.into_iter().next().map_or(Ok(blob), Err)
    };
    let blob = open(rows_id(), rows)?;
    let reader = RowsReader::open(&blob)?;
    let dim = parsed.dim.map(|dim| dim as usize);
    if reader.vectors() > 0 && Some(reader.dim()) != dim {
        return Err(Error::corrupt("the export", 0, "vectors of the dimension of its head"));
    }
    let words = parsed.config.text.clone().map(Words::new);
    if !ended.is_empty() {
        parsed.ended = Ends::open(&open(ends_id(), ended)?, reader.len())?.without_terms();
    }
    if !edges.is_empty() {
        parsed.edges = EdgesReader::open(&open(edges_id(), edges)?)?.table()?;
    }
    for slot in (0..reader.len() as u32).map(Slot) {
        let row = reader.row(slot)?;
        check_id(&row.id)?;
        let mut fresh = (*row).clone();
        if let Some(vector) = &row.vector {
            check_vector(parsed.config.metric, dim, vector)?;
            if !parsed.config.stored.holds(vector) {
                return Err(Error::corrupt("the export", 0, "vectors of the form that its head tells"));
            }
            fresh.inverse_norm = inverse_norm(vector);
        }
        if parsed.ended.contains(slot) {
            let said = words.as_ref().map(|words| words.count(&row.metadata));
            parsed.ended.add_terms(said.unwrap_or_default());
        }
        parsed.rows.push(Arc::new(fresh));
    }
    check_history(&parsed)?;
    check_edges(&parsed)?;
    Ok(parsed)
}

/// Refuses edges that could not have been made.
fn check_edges(parsed: &Parsed) -> Result<()> {
    let refuse = |expected: &str| Err(Error::corrupt("the export", 0, expected));
    let counters = parsed.counters();
    let Counters { next_key, next_relation, next_seq, last_time, .. } = counters;
    // As many of each as there can be, so that nothing runs out after the import.
    let most = parsed.rows.len() + parsed.edges.names().len();
    let is_counted = next_key as usize <= most && next_relation as usize <= parsed.edges.edges().len();
    if !is_counted || next_seq > (parsed.rows.len() + parsed.ended.count() + parsed.edges.len()) as u64 {
        return refuse("keys, relations and seqs counted from 0");
    }
    let keys: HashMap<&str, Key> = parsed.rows.iter().map(|row| (&*row.id, row.key)).collect();
    let rows_keys = parsed.rows.iter().map(|row| row.key.0 + 1).max().unwrap_or(0);
    let is_own =
        |(key, name): &(Key, Arc<str>)| keys.get(&**name).map_or(key.0 >= rows_keys, |own| own == key);
    if !parsed.edges.names().iter().all(is_own) {
        return refuse("ends of edges with the keys of their documents, or behind these");
    }
    if !parsed.edges.gone().is_empty() || parsed.edges.edges().iter().any(|edge| edge.mark != Mark::Link) {
        return refuse("versions of edges, and nothing that ends others");
    }
    parsed.edges.fault(next_key, next_relation, next_seq, last_time).map_or(Ok(()), refuse)
}

/// Refuses versions that no sequence of writes would leave.
fn check_history(parsed: &Parsed) -> Result<()> {
    let refuse = |expected: &str| Err(Error::corrupt("the export", 0, expected));
    // Of each id: its key, and from when on there can be a next version.
    let mut known: HashMap<&str, (Key, i64)> = HashMap::new();
    let (mut last, seqs) = (i64::MIN, (parsed.rows.len() + parsed.ended.count()) as u64);
    for (slot, row) in (0u32..).map(Slot).zip(&parsed.rows) {
        let end = parsed.ended.get(slot);
        if row.valid_from <= last && slot.0 > 0 || row.valid_from > parsed.last_time {
            return refuse("versions in the order of their times");
        }
        last = row.valid_from;
        let next = Key(known.len() as u32);
        let (key, free_from) = *known.entry(&row.id).or_insert((next, i64::MIN));
        if row.key != key || row.valid_from < free_from {
            return refuse("each document once at a time, with a key counted from 0");
        }
        if row.expires_at <= row.valid_from {
            return refuse("versions that begin before they expire");
        }
        if row.seq.0 >= seqs || end.is_some_and(|end| end.seq.0 >= seqs) {
            return refuse("seqs counted from 0");
        }
        let valid_to = end.map_or(NEVER, |end| end.valid_to);
        let follows = |end: End| end.seq > row.seq && end.valid_to > row.valid_from;
        if !end.is_none_or(follows) || valid_to < NEVER && valid_to > parsed.last_time {
            return refuse("versions that end after they began");
        }
        known.insert(&row.id, (key, valid_to));
    }
    if parsed.ended.touches.iter().any(|(_, touch)| touch.last > parsed.last_time) {
        return refuse("uses not later than the last write");
    }
    Ok(())
}

/// Queues the blobs, an empty log and the manifest of an imported collection.
pub(super) fn stage(parsed: &Parsed, storage: &dyn Storage, collection_id: u64, pool: &Pool) -> Ticket {
    let Parsed { config, dim, rows, ended, edges, .. } = parsed;
    let words = config.text.clone().map(Words::new);
    let mut manifest = Manifest::first(collection_id, config.clone());
    manifest.cut = Cut { lsn: Lsn(0), counters: parsed.counters(), dim: *dim };
    let mut ids = Vec::new();
    if !rows.is_empty() || !edges.is_empty() {
        let with = Derive {
            metric: config.metric,
            stored: config.stored,
            codes: Coding::Int8,
            words: words.as_ref(),
            pool,
        };
        for (kind, sections) in derive(rows, with) {
            let id = BlobId::new(collection_id, manifest.next_blob, kind);
            manifest.next_blob += 1;
            storage.put(id, Arc::new(build(id, &sections)));
            ids.push(id);
        }
        if !edges.is_empty() {
            let id = BlobId::new(collection_id, manifest.next_blob, BlobKind::Edges);
            manifest.next_blob += 1;
            storage.put(id, Arc::new(build(id, &graph::sections(edges))));
            ids.push(id);
        }
        if ended.changes() > 0 {
            let id = BlobId::new(collection_id, manifest.next_blob, BlobKind::Ends);
            manifest.next_blob += 1;
            storage.put(id, Arc::new(build(id, &ended.sections())));
            ids.push(id);
        }
    }
    manifest.segments.extend(SegmentBlobs::of(&ids));
    storage.start_log(manifest.log, log::header(collection_id, manifest.log, Lsn(1)));
    storage.flip(manifest.generation, manifest.encode())
}
