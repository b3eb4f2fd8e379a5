//! Blobs: the container, and the reader of each kind with what is asked of it later.

use std::sync::Arc;

use kithdb::base::{AlignedBytes, Bitmap, Pool, Slot};
use kithdb::graph::{self, Direction, EdgeSource, EdgesReader};
use kithdb::index::hnsw::{Builder, Kept};
use kithdb::index::{Hnsw, Scratch, SearchParams};
use kithdb::kernels::CodeQuery;
use kithdb::meta::{Columns, Filter};
use kithdb::segment::{Ends, RowsReader, RowsSalvage, SharedRow, rows};
use kithdb::storage::blob::{Block, Resident, build, checksum};
use kithdb::storage::{Blob, BlobId, BlobKind, Section};
use kithdb::text::conditions::{Scored, select};
use kithdb::text::{PostingSource, Query, TermCounts, TextIndex, Weights, score, top};
use kithdb::vectors::bits::BitScratch;
use kithdb::vectors::{Codes, Int8Codes, Metric, Scorer, Space, pq};

use super::{read_u32, read_u64, seed, seeds, write_u32};

const HEADER_BYTES: usize = 64;
const FOOTER_BYTES: usize = 32;
const ENTRY_BYTES: usize = 28;
const TABLE_BLOCK_BYTES: usize = 4096;

/// Bits of the second byte: the bytes are a whole blob and not a list of sections; its checksums are put right.
const WHOLE: u8 = 1;
const REPAIR: u8 = 2;

/// More slots are not asked for one by one: an input has few, whatever it says.
const SLOTS_MAX: usize = 4096;

pub(super) fn run(data: &[u8]) {
    let Some((&[kind, form], bytes)) = data.split_first_chunk::<2>() else { return };
    let id = id(BlobKind::ALL[usize::from(kind) % BlobKind::ALL.len()]);
    let blob = if form & WHOLE == 0 {
        build(id, &read_sections(bytes))
    } else {
        let mut blob = AlignedBytes::copy_of(bytes);
        if form & REPAIR != 0 {
            repair(id, blob.as_mut_slice());
        }
        blob
    };
    let source = Arc::new(Resident::new(Arc::new(blob)));
    if let Ok(blob) = Blob::open_damaged(id, source.clone()) {
        ask(&blob);
    }
    if let Ok(blob) = Blob::open(id, source) {
        let sound = blob.verify().is_ok();
        let damage = blob.damage().expect("it is in memory");
        assert!(sound || !damage.is_empty(), "what does not verify is damage");
        ask(&blob);
    }
}

fn id(kind: BlobKind) -> BlobId {
    BlobId::new(7, 1, kind)
}

fn opened(id: BlobId, sections: &[Section]) -> Blob {
    Blob::in_memory(id, sections).expect("built here")
}

fn ask(blob: &Blob) {
    match blob.id().kind {
        BlobKind::Rows => ask_rows(blob),
        BlobKind::Codes => ask_codes(blob),
        BlobKind::Bits | BlobKind::Pq | BlobKind::Opq => ask_other_codes(blob),
        BlobKind::Links => ask_links(blob),
        BlobKind::Text => ask_text(blob),
        BlobKind::Columns => ask_columns(blob),
        BlobKind::Edges => ask_edges(blob),
        BlobKind::Ends => ask_ends(blob),
    }
}

fn ask_rows(blob: &Blob) {
    if let Ok(salvage) = RowsSalvage::open(blob, Metric::Cosine) {
        for slot in (0..salvage.len().min(SLOTS_MAX) as u32).map(Slot) {
            drop((salvage.id(slot), salvage.row(slot)));
        }
    }
    let Ok(reader) = RowsReader::open(blob) else { return };
    if reader.check().is_err() {
        return;
    }
    let mut found: Vec<SharedRow> = Vec::new();
    for slot in (0..reader.len() as u32).map(Slot) {
        let id = reader.id(slot).expect("checked");
        let newest = reader.find(id).expect("checked").expect("it is there");
        assert!(newest >= slot && reader.id(newest) == Ok(id), "the newest version of an id is found");
        assert!(reader.slots_of(id).expect("checked").contains(&slot));
        drop((reader.key(slot), reader.ordinal(slot)));
        let from = reader.valid_from(slot).expect("checked");
        assert_eq!(reader.begun_by(from).expect("checked"), slot.index() + 1);
        found.extend(reader.row(slot));
    }
    let expiry = reader.expiry().expect("checked");
    assert!(expiry.by(i64::MAX).all(|slot| slot.index() < reader.len()));
    // What could be read is written and read again.
    let written = rows::sections(&found, reader.stored());
    let again = RowsReader::open(&opened(blob.id(), &written)).expect("written above");
    let slots = (0..again.len() as u32).map(Slot);
    let found: Vec<_> = slots.map(|slot| again.row(slot).expect("written above")).collect();
    assert_eq!(bytes(&rows::sections(&found, reader.stored())), bytes(&written));
}

fn ask_edges(blob: &Blob) {
    let Ok(reader) = EdgesReader::open(blob) else { return };
    let Ok(pins) = reader.pins() else { return };
    let (mut nodes, mut entries) = (Vec::new(), Vec::new());
    pins.nodes(&mut nodes);
    for key in nodes {
        let name = pins.name_of(key).expect("an end has a name");
        assert!(pins.key_of(name).is_none_or(|found| pins.name_of(found).is_some()));
        assert!(pins.gone_after(key, 0).is_none_or(|at| at > 0));
        for direction in [Direction::Out, Direction::In] {
            entries.clear();
            pins.entries(key, direction, None, &mut entries);
            for entry in &entries {
                drop((pins.weight_of(entry.place), pins.properties_of(entry.place)));
                let mut own = Vec::new();
                pins.entries_of(key, entry.relation, entry.other, &mut own);
                assert!(own.iter().all(|own| own.other == entry.other));
            }
        }
    }
    // What could be read is written and read again.
    let Ok(table) = reader.table() else { return };
    let written = graph::sections(&table);
    let again = EdgesReader::open(&opened(blob.id(), &written)).expect("written above");
    assert_eq!(bytes(&graph::sections(&again.table().expect("written above"))), bytes(&written));
}

fn ask_codes(blob: &Blob) {
    let Ok(codes) = Int8Codes::open(blob) else { return };
    let (query, space) = (vec![0.5; codes.dim()], codes.space());
    let mut code = CodeQuery::default();
    let scorer = codes.scorer(&query, &mut code);
    for i in 0..codes.len().min(16) as u32 {
        scorer.prefetch(i);
        assert_eq!(scorer.distance(i).to_bits(), scorer.distance(i).to_bits());
        assert_eq!(space.pair(i, 0).to_bits(), space.scorer_of(i).distance(0).to_bits());
    }
}

fn ask_other_codes(blob: &Blob) {
    let mut found = Vec::new();
    match Codes::open(blob) {
        Ok(Codes::Bits(codes)) => {
            let mut scratch = BitScratch::default();
            let scorer = codes.scorer(&vec![0.5; codes.dim()], &mut scratch);
            for i in 0..codes.len().min(16) as u32 {
                scorer.prefetch(i);
                found.extend([scorer.distance(i), scorer.bound(i)]);
            }
        }
        Ok(Codes::Pq(codes)) => {
            let mut scratch = pq::Scratch::default();
            let scorer = codes.scorer(&vec![0.5; codes.dim()], &mut scratch);
            for i in 0..codes.len().min(16) as u32 {
                scorer.prefetch(i);
                found.push(scorer.distance(i));
                assert_eq!(codes.decode(i).len(), codes.dim());
            }
        }
        Ok(Codes::Int8(_)) => panic!("another kind of blob"),
        Err(_) => {}
    }
    drop(found);
}

/// Distances between numbers, so that links can be used without vectors.
struct Numbers(usize);

impl Space for Numbers {
    type OfOne<'a> = Box<dyn Fn(u32) -> f32>;

    fn len(&self) -> usize {
        self.0
    }

    fn pair(&self, a: u32, b: u32) -> f32 {
        a.abs_diff(b) as f32
    }

    fn scorer_of(&self, i: u32) -> Self::OfOne<'_> {
        Box::new(move |other| i.abs_diff(other) as f32)
    }
}

fn ask_links(blob: &Blob) {
    let Ok(links) = Hnsw::open(blob) else { return };
    let (n, mut scratch) = (links.len(), Scratch::new());
    let query = |i: u32| (i % 7) as f32;
    let found = links.search(&query, SearchParams::new(5), None, &mut scratch, None);
    assert!(found.hits.iter().all(|(_, i)| (*i as usize) < n));
    let mut allowed = Bitmap::empty(n);
    (0..n).step_by(3).for_each(|i| allowed.insert(i));
    let some = links.search(&query, SearchParams::new(5), Some(&allowed), &mut scratch, None);
    assert!(some.hits.iter().all(|(_, i)| i.is_multiple_of(3)));
    let params = links.params();
    // A build is as long as these say; a merge takes them from the config.
    if n == 0 || n > 64 || params.ef_construction > 64 {
        return;
    }
    // Links go on in a merge that loses every fifth vector and has two more.
    let (mut kept, mut next) = (Kept::new(links), 0);
    for old in (0..n as u32).filter(|old| old % 5 != 4) {
        kept.set(old, next);
        next += 1;
    }
    let n = next as usize + 2;
    let (space, pool) = (Numbers(n), Pool::single());
    let mut builder = Builder::keep(n, params, kept).expect("parameters that were accepted");
    while !builder.step(&space, &pool, 16) {}
    let again = Hnsw::open(&opened(blob.id(), &builder.sections())).expect("built here");
    assert_eq!(again.len(), n);
}

fn ask_text(blob: &Blob) {
    let Ok(text) = TextIndex::open(blob) else { return };
    let terms = terms(blob);
    for field in text.fields() {
        let mut lengths = 0;
        text.for_each_length(field, &mut |slot, length| {
            assert!(slot < text.n_slots());
            lengths += u64::from(length);
        })
        .expect("checked");
        assert_eq!(lengths, text.field_stats(field).total_length);
        for term in &terms {
            let (df, mut count) = (text.df(field, term).expect("checked"), 0);
            let read = text.for_each_posting(field, term, &mut |posting| {
                assert!(posting.slot < text.n_slots() && posting.tf <= posting.field_length);
                count += 1;
            });
            assert!(count <= df && (read.is_err() || count == df));
            for slot in [0, text.n_slots() / 2, text.n_slots().saturating_sub(1)] {
                if let Ok(Some(posting)) = text.posting(field, term, slot) {
                    assert!(posting.slot == slot && posting.tf <= posting.field_length);
                }
            }
        }
    }
    let (told, checked) = (text.has_positions(), text.check_positions());
    assert!(told != Ok(false) || checked.is_err() || !blob.has(9), "what is sound is told");
    if text.n_slots() as usize <= SLOTS_MAX {
        ask_phrase(&text);
        let words = seeds::words();
        let query = Query::new(words.analyzer(), "shared kittens", None).expect("short");
        if let Ok(weights) = Weights::gather(&query, &[&text], &[&TermCounts::new()], words.scoring()) {
            let (all, best) = (score(&text, &weights, None), top(&text, &weights, None, 3, None));
            if let (Ok(all), Ok(best)) = (all, best) {
                // Impacts that lie can hide a document, and never make a score.
                assert!(best.iter().all(|one| all.contains(one)) && best.len() <= all.len().min(3));
            }
        }
    }
}

/// A phrase finds what has its words, whatever positions say; without any, each of these is read.
fn ask_phrase(text: &TextIndex) {
    let words = seeds::words();
    let query = words.parse("\"shared kittens\"", false, |_| false).expect("short");
    let (weights, n_slots) = (Weights::default(), text.n_slots() as usize);
    let (asked, allowed) = (Scored { query: &query, weights: &weights }, Bitmap::full(n_slots));
    for condition in query.conditions() {
        let mut read = 0;
        let mut texts_of = |slot: u32, f: &mut dyn FnMut(&str, &str)| {
            assert!((slot as usize) < n_slots);
            read += 1;
            f("t", "shared kittens");
            Ok(())
        };
        let analyzer_of = |_: &str| words.analyzer();
        let found = select(text, asked, condition, Some(&allowed), analyzer_of, &mut texts_of);
        assert!(read == 0 || text.has_positions() == Ok(false));
        drop(found);
    }
}

/// The terms that the sections 2 and 3 of a text blob spell.
fn terms(blob: &Blob) -> Vec<String> {
    let (Ok(bytes), Ok(ends)) = (blob.pinned(2), blob.pinned(3)) else { return Vec::new() };
    let mut start = 0;
    let mut terms = Vec::new();
    for end in ends.chunks_exact(8).take(256).filter_map(|end| read_u64(end, 0)) {
        if let Some(Ok(term)) = bytes.get(start..end as usize).map(std::str::from_utf8) {
            terms.push(term.to_owned());
        }
        start = end as usize;
    }
    terms
}

fn ask_columns(blob: &Blob) {
    let Ok(columns) = Columns::open(blob) else { return };
    if columns.n_slots() > SLOTS_MAX {
        return;
    }
    for text in [
        "n >= 0",
        "t = 'shared' OR s = 4",
        "NOT deep.y = true",
        "tags IN ('a', 'b3')",
        "EXISTS(deep.x)",
        "e != null",
    ] {
        let condition = Filter::parse(text).expect("a filter").condition.expect("a condition");
        drop(columns.select(&condition));
    }
}

fn ask_ends(blob: &Blob) {
    let Ok(ends) = Ends::open(blob, SLOTS_MAX) else { return };
    assert!(ends.iter().all(|end| ends.contains(end.slot) && ends.get(end.slot) == Some(end)));
    assert_eq!(ends.ended_by(i64::MAX), ends.count());
    let written = ends.sections();
    let again = Ends::open(&opened(blob.id(), &written), SLOTS_MAX).expect("written above");
    assert_eq!(bytes(&again.sections()), bytes(&written));
}

fn bytes(sections: &[Section]) -> Vec<&[u8]> {
    sections.iter().map(|section| section.bytes.as_slice()).collect()
}

/// Sections as an input lists them: id and, in its highest bit, how it is read, u8; length u16; bytes.
fn read_sections(mut bytes: &[u8]) -> Vec<Section> {
    let mut sections = Vec::new();
    while let Some((&[id, low, high], rest)) = bytes.split_first_chunk::<3>() {
        let len = usize::from(u16::from_le_bytes([low, high])).min(rest.len());
        let block = if id & 0x80 == 0 { Block::Pinned } else { Block::Row };
        sections.push(Section { id: u16::from(id & 0x7F), block, bytes: rest[..len].to_vec() });
        bytes = &rest[len..];
    }
    sections
}

fn list(sections: &[Section]) -> Vec<u8> {
    let mut out = Vec::new();
    for section in sections {
        out.push(section.id as u8 | if section.block == Block::Row { 0x80 } else { 0 });
        out.extend((section.bytes.len() as u16).to_le_bytes());
        out.extend(&section.bytes);
    }
    out
}

/// Gives a blob the checksums it asks for, as far as they are within it: header, blocks, table, directory, footer.
pub(super) fn repair(id: BlobId, blob: &mut [u8]) {
    let Some(footer_at) = blob.len().checked_sub(FOOTER_BYTES).filter(|at| *at >= HEADER_BYTES) else {
        return;
    };
    let crc = checksum(id.file_id, &blob[..HEADER_BYTES - 4]);
    write_u32(blob, HEADER_BYTES - 4, crc);
    let (at, len) = (read_u64(blob, footer_at), read_u64(blob, footer_at + 8));
    let at = at.unwrap_or_default();
    if at.checked_add(len.unwrap_or_default()) == Some(footer_at as u64) {
        repair_blocks(id, blob, at as usize);
        let crc = checksum(id.file_id, &blob[at as usize..footer_at]);
        write_u32(blob, footer_at + 16, crc);
    }
    let crc = checksum(id.file_id, &blob[footer_at..footer_at + FOOTER_BYTES - 4]);
    write_u32(blob, footer_at + FOOTER_BYTES - 4, crc);
}

fn repair_blocks(id: BlobId, blob: &mut [u8], directory_at: usize) -> Option<()> {
    let sections = usize::from(blob[14]) | usize::from(blob[15]) << 8;
    let (mut checksums, mut end) = (Vec::new(), HEADER_BYTES);
    for entry in (0..sections).map(|i| directory_at + i * ENTRY_BYTES) {
        let bits = read_u32(blob, entry + 4)?;
        let (start, len) = (read_u64(blob, entry + 8)? as usize, read_u64(blob, entry + 16)? as usize);
        let bytes = blob.get(start..start.checked_add(len)?)?;
        checksums.extend(bytes.chunks(1 << bits.clamp(9, 24)).map(|block| checksum(id.file_id, block)));
        end = start + len;
    }
    let table_at = end.next_multiple_of(64);
    for (i, crc) in checksums.iter().enumerate() {
        write_u32(blob, table_at + i * 4, *crc);
    }
    let table = blob.get(table_at..table_at + checksums.len() * 4)?.to_vec();
    for (i, block) in table.chunks(TABLE_BLOCK_BYTES).enumerate() {
        write_u32(blob, directory_at + sections * ENTRY_BYTES + i * 4, checksum(id.file_id, block));
    }
    Some(())
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for (numbers, metric) in [(0..5, Metric::Cosine), (0..2, Metric::Manhattan), (3..4, Metric::Dot)] {
        for (kind, sections) in seeds::sections(&seeds::rows(numbers), metric) {
            let number = BlobKind::ALL.iter().position(|other| *other == kind).expect("a kind") as u8;
            all.push(seed(&[number, 0], &list(&sections)));
            all.push(seed(&[number, WHOLE | REPAIR], &build(id(kind), &sections)));
        }
    }
    all
}
