//! KithDB: a database in a folder, written in bulk and merged into one segment.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use kithdb::base::NoObserver;
use kithdb::collection::{CollectionConfig, Document, SearchRequest};
use kithdb::engine::JobKind;
use kithdb::host::{AddMode, CollectionHandle, Db, Inspection, Options};
use kithdb::storage::blob::Resident;
use kithdb::storage::{Blob, BlobId, BlobKind};
use kithdb::text::{Analyzer, Language, Query, Scoring, TextFields, TextIndex, TextSpec, Weights, top};
use kithdb::wire::parse_metadata;
use serde_json::json;

use crate::{Engine, Gloss, K, Result};

/// Documents of one import.
const IMPORT: usize = 20_000;
const COLLECTION: &str = "words";

pub struct Kith {
    collection: Arc<CollectionHandle>,
    postings: TextIndex,
    analyzer: Analyzer,
    /// Of the text blob, and of its sections of positions.
    text_bytes: u64,
    position_bytes: u64,
    _db: Db,
}

/// Stores all glosses and makes one segment of them.
pub fn build(glosses: &[Gloss], folder: &Path) -> Result<Kith> {
    let options = || Options { threads: 1, auto_jobs: false, ..Options::default() };
    let db = Db::open(folder, options())?;
    let text = Some(TextSpec::new(Language::English, TextFields::TopLevel));
    let collection = db.create(COLLECTION, CollectionConfig { text, ..CollectionConfig::default() })?;
    for glosses in glosses.chunks(IMPORT) {
        let document = |gloss: &Gloss| {
            let metadata = parse_metadata(Some(&json!({ "gloss": gloss.text }).to_string()))?;
            Ok(Document { id: gloss.id.clone(), vector: None, metadata, expires_at: None })
        };
        let documents = glosses.iter().map(document).collect::<Result<_>>()?;
        collection.add_bulk(documents, AddMode::Insert)?;
    }
    collection.run(JobKind::Optimize)?;
    drop(collection);
    db.close()?;
    let figures = Inspection::open(folder, Arc::new(NoObserver))?.figures(COLLECTION)?;
    let blobs = figures.segments.iter().flat_map(|segment| &segment.blobs);
    let text_bytes = blobs.filter(|(kind, _)| *kind == BlobKind::Text).map(|(_, bytes)| bytes).sum();
    let db = Db::open(folder, Options { read_only: true, ..options() })?;
    let (blob, analyzer, collection) =
        (text_blob(folder)?, Analyzer::new(Language::English), db.collection(COLLECTION)?);
    let sections = (0..u16::MAX).filter(|section| TextIndex::is_of_positions(*section));
    let bytes = sections.map(|section| Ok(blob.rows(section)?.len())).collect::<Result<Vec<u64>>>()?;
    let (postings, position_bytes) = (TextIndex::open(&blob)?, bytes.iter().sum());
    Ok(Kith { collection, postings, analyzer, text_bytes, position_bytes, _db: db })
}

/// The one text blob below a folder.
fn text_blob(folder: &Path) -> Result<Blob> {
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == BlobKind::Text.name()) {
                let number = path.file_stem().ok_or("a blob without number")?.to_string_lossy().parse()?;
                let bytes = fs::read(&path)?;
                let file_id = bytes.get(16..24).and_then(|id| id.try_into().ok()).ok_or("a short blob")?;
                let id = BlobId { number, kind: BlobKind::Text, file_id: u64::from_le_bytes(file_id) };
                return Ok(Blob::open(id, Arc::new(Resident::new(Arc::new(bytes))))?);
            }
        }
    }
    Err("no text blob".into())
}

impl Engine for Kith {
    fn name(&self) -> &'static str {
        "kithdb"
    }

    fn search(&self, words: &str) -> Result<Vec<String>> {
        let request = SearchRequest { text: Some(words.to_owned()), k: K, ..SearchRequest::default() };
        Ok(self.collection.search(request)?.hits.into_iter().map(|hit| hit.id).collect())
    }

    fn rank(&self, words: &str) -> Result<Vec<u32>> {
        let query = Query::new(&self.analyzer, words, None)?;
        let weights = Weights::gather(&query, &[&self.postings], &[], &Scoring::default())?;
        Ok(top(&self.postings, &weights, None, K, None)?.into_iter().map(|(slot, _)| slot).collect())
    }

    fn posting_bytes(&self) -> Result<u64> {
        Ok(self.text_bytes - self.position_bytes)
    }

    fn position_bytes(&self) -> Result<u64> {
        Ok(self.position_bytes)
    }
}
