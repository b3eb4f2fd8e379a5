//! Manifests, catalogs and pointers: what recovery and repair read first.

use kithdb::base::Lsn;
use kithdb::collection::{CollectionConfig, EmbedderRef, History};
use kithdb::engine::Manifest;
use kithdb::engine::database::{Catalog, Database};
use kithdb::engine::manifest::Cut;
use kithdb::segment::SegmentBlobs;
use kithdb::storage::blob::checksum;
use kithdb::storage::files::{pointer, read_pointer};
use kithdb::storage::{BlobId, BlobKind, CATALOG, MemoryRoot, StorageRoot};
use kithdb::text::{Language, Scoring, TextFields, TextSpec};

use super::{export, seed, write_u32};

const GENERATION: u64 = 2;

/// What the bytes are: the first byte without its highest bit, which asks for a right checksum.
const MANIFEST: u8 = 0;
const CATALOG_FILE: u8 = 1;
const POINTER: u8 = 2;
const REPAIR: u8 = 0x80;

pub(super) fn run(data: &[u8]) {
    let Some((choice, bytes)) = data.split_first() else { return };
    let mut bytes = bytes.to_vec();
    let seed = if choice & !REPAIR == POINTER { 0 } else { GENERATION };
    if choice & REPAIR != 0
        && let Some(at) = bytes.len().checked_sub(4)
    {
        let crc = checksum(seed, &bytes[..at]);
        write_u32(&mut bytes, at, crc);
    }
    match choice & !REPAIR {
        MANIFEST => manifest(&bytes),
        CATALOG_FILE => {
            if let Ok(catalog) = Catalog::decode(GENERATION, &bytes) {
                assert_eq!(Catalog::decode(GENERATION, &catalog.encode()), Ok(catalog));
            }
        }
        _ => {
            if let Some(generation) = read_pointer(&bytes) {
                assert_eq!(pointer(generation), bytes);
            }
        }
    }
}

fn manifest(bytes: &[u8]) {
    // Only for repair: anything in it may be wrong.
    drop(Manifest::decode_damaged(GENERATION, bytes));
    if let Ok(manifest) = Manifest::decode(GENERATION, bytes) {
        assert_eq!(Manifest::decode(GENERATION, &manifest.encode()), Ok(manifest));
    }
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    let mut spec = TextSpec::new(Language::Italian, TextFields::Named(vec!["a.b".into(), "t".into()]));
    spec.languages.insert("t".into(), Language::Russian);
    spec.scoring = Scoring { k1: 0.9, b: 0.4, weights: [("t".to_owned(), 2.0)].into() };
    let config = CollectionConfig {
        dim: Some(3),
        text: Some(spec),
        embedder: Some(EmbedderRef { name: "words".into(), hash: 5 }),
        history: History::For(1_000),
        ..CollectionConfig::default()
    };
    let mut full = Manifest::first(9, config);
    full.generation = GENERATION;
    full.cut = Cut { lsn: Lsn(7), ..full.cut };
    full.next_blob = 8;
    let ids: Vec<_> = (1..).zip(BlobKind::ALL).map(|(n, kind)| BlobId::new(9, n, kind)).collect();
    full.segments.extend([SegmentBlobs::of(&ids), SegmentBlobs::of(&ids[..1])].into_iter().flatten());
    let mut plain = Manifest::first(9, CollectionConfig::default());
    plain.generation = GENERATION;
    vec![
        seed(&[MANIFEST | REPAIR], &full.encode()),
        seed(&[MANIFEST | REPAIR], &plain.encode()),
        seed(&[MANIFEST], &plain.encode()),
        seed(&[CATALOG_FILE | REPAIR], &catalog()),
        seed(&[POINTER | REPAIR], &pointer(GENERATION)),
        seed(&[POINTER], &pointer(GENERATION)),
    ]
}

/// A catalog of one collection, as the engine wrote it.
fn catalog() -> Vec<u8> {
    let root = std::sync::Arc::new(MemoryRoot::new());
    let mut database = Database::open(root.clone(), export::env()).expect("in memory");
    let staged = database.stage("first", 5, CollectionConfig::default()).expect("staged");
    database.admit(staged);
    root.storage(CATALOG).and_then(|storage| storage.manifest(GENERATION)).expect("just written")
}
