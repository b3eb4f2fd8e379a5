//! Opening reads little, however much there is: counted by what the storage is asked for.

use std::borrow::Cow;
use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use kithdb::base::value::parse_object;
use kithdb::base::{Object, Result, StorageError};
use kithdb::collection::{
    CollectionConfig, Document, GraphOptions, GraphQuestion, LinkRequest, Mutation, SearchRequest,
};
use kithdb::engine::JobKind;
use kithdb::host::{AddMode, Db, Options};
use kithdb::storage::vfs::{Vfs, VfsFile};
use kithdb::storage::{BlobSource, FileRoot, OsVfs, Pinned};
use kithdb::text::{Language, TextFields, TextSpec};

const DOCUMENTS: u32 = 1_000_000;
const BATCH: u32 = 50_000;

/// The system's files, and how many bytes of them were asked for.
#[derive(Debug, Clone)]
struct Counted {
    vfs: OsVfs,
    bytes: Arc<AtomicU64>,
}

#[derive(Debug)]
struct CountedBlob(Arc<dyn BlobSource>, Arc<AtomicU64>);

impl BlobSource for CountedBlob {
    fn len(&self) -> u64 {
        self.0.len()
    }

    fn pinned(&self, range: Range<u64>) -> Result<Pinned, StorageError> {
        self.1.fetch_add(range.end - range.start, Ordering::Relaxed);
        self.0.pinned(range)
    }

    fn rows(&self, range: Range<u64>) -> Result<Cow<'_, [u8]>, StorageError> {
        self.1.fetch_add(range.end - range.start, Ordering::Relaxed);
        self.0.rows(range)
    }
}

impl Vfs for Counted {
    fn create_dir(&self, path: &str) -> io::Result<()> {
        self.vfs.create_dir(path)
    }
    fn create(&self, path: &str) -> io::Result<Box<dyn VfsFile>> {
        self.vfs.create(path)
    }
    fn append(&self, path: &str) -> io::Result<Box<dyn VfsFile>> {
        self.vfs.append(path)
    }
    fn read(&self, path: &str, limit: u64) -> io::Result<Vec<u8>> {
        let read = self.vfs.read(path, limit)?;
        self.bytes.fetch_add(read.len() as u64, Ordering::Relaxed);
        Ok(read)
    }
    fn map(&self, path: &str) -> io::Result<Arc<dyn BlobSource>> {
        Ok(Arc::new(CountedBlob(self.vfs.map(path)?, Arc::clone(&self.bytes))))
    }
    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.vfs.rename(from, to)
    }
    fn remove(&self, path: &str) -> io::Result<()> {
        self.vfs.remove(path)
    }
    fn remove_dir(&self, path: &str) -> io::Result<()> {
        self.vfs.remove_dir(path)
    }
    fn list(&self, path: &str) -> io::Result<Vec<String>> {
        self.vfs.list(path)
    }
    fn sync_dir(&self, path: &str) -> io::Result<()> {
        self.vfs.sync_dir(path)
    }
}

fn open(directory: &tempfile::TempDir, auto_jobs: bool) -> (Db, Arc<AtomicU64>) {
    let bytes = Arc::new(AtomicU64::new(0));
    let vfs = Counted { vfs: OsVfs, bytes: Arc::clone(&bytes) };
    let root = FileRoot::open(Arc::new(vfs), &directory.path().to_string_lossy()).expect("opens");
    let options = Options { auto_jobs, ..Options::default() };
    (Db::with_root(Arc::new(root), options).expect("opens"), bytes)
}

fn document(i: u32) -> Document {
    let metadata = parse_object(&format!(r#"{{"n":{i}}}"#)).expect("JSON");
    Document { id: format!("d{i}"), vector: Some(vec![i as f32 + 1.0, 1.0]), metadata, expires_at: None }
}

/// Opening once read and checked every byte of every derived blob, and all ids.
#[test]
fn a_million_documents_open_within_a_megabyte_of_reads() {
    let directory = tempfile::tempdir().expect("a directory");
    let (db, _) = open(&directory, false);
    let text = Some(TextSpec::new(Language::None, TextFields::TopLevel));
    let main = db.create("main", CollectionConfig { text, ..CollectionConfig::default() }).expect("made");
    for from in (0..DOCUMENTS).step_by(BATCH as usize) {
        let documents = (from..from + BATCH).map(document).collect();
        main.add(documents, AddMode::Insert, None).expect("stored");
        if (from / BATCH) % 5 == 4 {
            main.run(JobKind::Seal).expect("sealed");
        }
    }
    drop(main);
    db.close().expect("closed");

    let (db, bytes) = open(&directory, false);
    let main = db.collection("main").expect("opens");
    assert_eq!(main.info().expect("there").stats.documents, DOCUMENTS as usize);
    let opened = bytes.load(Ordering::Relaxed);
    println!("{DOCUMENTS} documents: {opened} bytes read to open and count them");
    assert!(opened < 1 << 20, "{opened} bytes");

    let row = main.get("d777777", None).expect("sound").expect("there");
    assert_eq!(row.vector.as_deref(), Some(&[777_778.0, 1.0][..]));
    let request = SearchRequest { vector: Some(vec![1.0, 1.0]), k: 1, ..SearchRequest::default() };
    assert_eq!(main.search(request).expect("sound").hits[0].id, "d0");
}

/// A close once left everything that was not sealed to be replayed.
#[test]
fn a_clean_close_leaves_little_to_be_replayed() {
    let directory = tempfile::tempdir().expect("a directory");
    let (db, _) = open(&directory, true);
    let main = db.create("main", CollectionConfig::default()).expect("made");
    main.add((0..BATCH).map(document).collect(), AddMode::Insert, None).expect("stored");
    drop(main);
    db.close().expect("closed");
    let (db, bytes) = open(&directory, false);
    let main = db.collection("main").expect("opens");
    assert_eq!(main.info().expect("there").stats.documents, BATCH as usize);
    let opened = bytes.load(Ordering::Relaxed);
    assert!(opened < 1 << 20, "{opened} bytes");
}

/// What is read before the first question does not grow with the edges; the first question checks them.
#[test]
fn two_hundred_thousand_edges_open_within_a_kilobyte_of_reads_for_each_blob() {
    const EDGES: u32 = 200_000;
    let directory = tempfile::tempdir().expect("a directory");
    let (db, _) = open(&directory, false);
    let main = db.create("main", CollectionConfig::default()).expect("made");
    let link = |i: u32| {
        Mutation::Link(LinkRequest {
            source: format!("n{}", i / 2),
            relation: "next".into(),
            target: format!("n{}", i / 2 + 1 + i % 2),
            inverse: None,
            weight: 1.0,
            properties: Object::new(),
        })
    };
    for from in (0..EDGES).step_by(BATCH as usize) {
        main.write((from..from + BATCH).map(link).collect(), None).expect("linked");
    }
    main.run(JobKind::Seal).expect("sealed");
    drop(main);
    db.close().expect("closed");

    let (db, bytes) = open(&directory, false);
    let main = db.collection("main").expect("opens");
    main.info().expect("there");
    let opened = bytes.load(Ordering::Relaxed);
    let question = GraphQuestion::Subgraph { ids: vec!["n7".into()], guide: None, with_edges: false };
    let answer = main.ask_graph(&question, &GraphOptions::default()).expect("sound");
    assert_eq!(answer.nodes.len(), 3);
    let asked = bytes.load(Ordering::Relaxed) - opened;
    println!("{EDGES} edges: {opened} bytes read to open, {asked} to ask for the first time");
    assert!(opened < 16 << 10, "{opened} bytes");
    assert!(asked / u64::from(EDGES) <= 40, "{asked} bytes for {EDGES} edges");
}
