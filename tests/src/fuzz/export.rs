//! Exports: a file from elsewhere becomes a collection, or is refused and leaves nothing.

use std::sync::Arc;

use kithdb::base::{ManualClock, NoObserver, Pool, Reader};
use kithdb::collection::{CollectionConfig, LinkRequest, Mutation, SearchRequest};
use kithdb::engine::{Database, Env, export};
use kithdb::segment::Scratch;
use kithdb::storage::blob::checksum;
use kithdb::storage::{BlobId, BlobKind, Level, MemoryRoot};

use super::{blob, read_u64, seed, write_u32};
use crate::small_database::document;

/// The first byte: checksums are put right.
const REPAIR: u8 = 1;

pub(super) fn env() -> Env {
    Env {
        clock: Arc::new(ManualClock::at(1_000)),
        observer: Arc::new(NoObserver),
        pool: Arc::new(Pool::single()),
    }
}

pub(super) fn run(data: &[u8]) {
    let Some((choice, bytes)) = data.split_first() else { return };
    let mut bytes = bytes.to_vec();
    if choice & REPAIR != 0 {
        repair(&mut bytes);
    }
    let Some(first) = through(&bytes) else { return };
    let second = through(&first).expect("an export is imported");
    assert!(first == second, "an export of an import is the same file");
}

/// Imports a file and exports what came of it; `None` when it is refused.
fn through(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut database = Database::open(Arc::new(MemoryRoot::new()), env()).expect("in memory");
    let staged = database.stage_import("c", 3, bytes).ok()?;
    database.admit(staged);
    let mut collection = database.open_collection("c").expect("what was checked can be opened");
    let view = collection.reader().load_full();
    let request = SearchRequest { text: Some("shared".into()), ..SearchRequest::default() };
    let moment = view.moment(None, i64::MAX / 2).expect("now is always kept");
    view.search(&request, moment, &mut Scratch::default()).expect("what was checked can be searched");
    let exported = export::write(&view).expect("what was checked can be exported");
    collection.submit(vec![Mutation::Delete("d1".into())], Level::Always).expect("it takes writes");
    Some(exported)
}

/// Gives the head and all blobs the checksums they ask for.
fn repair(bytes: &mut [u8]) -> Option<()> {
    let config = bytes.get(12..)?;
    let mut r = Reader::new(config);
    CollectionConfig::decode(&mut r).ok()?;
    // The dimension and two times stand before the lengths.
    let lengths = 12 + r.offset() + 4 + 16;
    let len = |at: usize| Some(read_u64(bytes, lengths + 8 * at)? as usize);
    let (rows, ends, edges) = (len(0)?, len(1)?, len(2)?);
    let head = lengths + 24;
    let crc = checksum(0, &bytes[..head]);
    write_u32(bytes, head, crc);
    let body = bytes.get_mut(head + 4..)?;
    let (rows, rest) = body.split_at_mut_checked(rows)?;
    let (ends, rest) = rest.split_at_mut_checked(ends)?;
    let id = BlobId::new(0, 1, BlobKind::Rows);
    blob::repair(id, rows);
    blob::repair(BlobId { kind: BlobKind::Ends, ..id }, ends);
    blob::repair(BlobId { kind: BlobKind::Edges, ..id }, rest.get_mut(..edges)?);
    Some(())
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    use kithdb::collection::History;
    use kithdb::text::{Language, TextFields, TextSpec};
    let text = || Some(TextSpec::new(Language::English, TextFields::TopLevel));
    let plain = CollectionConfig { text: text(), ..CollectionConfig::default() };
    let history = CollectionConfig { text: text(), history: History::Forever, ..CollectionConfig::default() };
    let mut all = vec![seed(&[REPAIR], &written(CollectionConfig::default(), &[]))];
    for config in [plain, history] {
        let upsert = |i| Mutation::Upsert(document(i));
        let link = Mutation::Link(LinkRequest {
            source: "d0".into(),
            relation: "near".into(),
            target: "d1".into(),
            inverse: Some("far".into()),
            weight: 0.5,
            properties: document(1).metadata,
        });
        let batches = [vec![upsert(0), upsert(1), link], vec![upsert(1), Mutation::Delete("d0".into())]];
        all.push(seed(&[REPAIR], &written(config, &batches)));
    }
    all.push(seed(&[0], &all[1][1..]));
    all
}

/// The export of a collection after some batches.
fn written(config: CollectionConfig, batches: &[Vec<Mutation>]) -> Vec<u8> {
    let mut database = Database::open(Arc::new(MemoryRoot::new()), env()).expect("in memory");
    let staged = database.stage("c", 3, config).expect("staged");
    database.admit(staged);
    let mut collection = database.open_collection("c").expect("just made");
    for batch in batches {
        collection.submit(batch.clone(), Level::Always).expect("stored");
    }
    export::write(&collection.reader().load()).expect("readable")
}
