//! `kithdb load`: fills a collection from a file of documents, one JSON object a line.
//!
//! Doing it again is quick and changes nothing: a collection that holds as many documents as the file has lines is
//! taken for loaded, and one that holds fewer for the rest of a load that was broken off.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use kithdb::base::Error;
use kithdb::base::limits::{BATCH_MAX, BULK_MAX};
use kithdb::collection::{CollectionConfig, Document, EmbedderRef};
use kithdb::engine::JobKind;
use kithdb::host::{AddMode, CollectionHandle, Db, Options, load_embedder};
use kithdb::text::{Language, TextFields, TextSpec};
use kithdb::wire::{LineBody, parse};

use super::progress::Progress;
use super::report::{StderrObserver, one_line};

/// How documents are written.
struct Way {
    /// So many at once, at the most.
    documents: usize,
    /// Of lines of so many bytes, to bound what a large file takes.
    bytes: usize,
    is_bulk: bool,
}

/// Each batch becomes a segment: nothing goes through the log, and a batch is there whole or not at all.
const AS_SEGMENTS: Way = Way { documents: 500_000, bytes: SEAL_BYTES, is_bulk: true };
const THROUGH_THE_LOG: Way = Way { documents: 5_000, bytes: SEAL_BYTES, is_bulk: false };
const _: () = assert!(THROUGH_THE_LOG.documents <= BATCH_MAX && AS_SEGMENTS.documents <= BULK_MAX);
/// A memtable of so many bytes is sealed.
const SEAL_BYTES: usize = 512 << 20;
/// Longest line: metadata and a vector of the most dimensions.
const LINE_BYTES_MAX: u64 = 4 << 20;

/// Arguments of `kithdb load`.
#[derive(Debug, clap::Args)]
pub struct LoadArgs {
    /// Directory of the database; made when it does not exist.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// The collection; made when it does not exist.
    #[arg(long, value_name = "NAME")]
    collection: String,
    /// Directory of an embedder for documents without a vector.
    #[arg(long, value_name = "DIR")]
    embedder: Option<PathBuf>,
    /// A field that is searched as text (repeatable); without any, all strings at the top level are.
    #[arg(long, value_name = "FIELD")]
    text_field: Vec<String>,
    /// Load again what is loaded already.
    #[arg(long)]
    replace: bool,
    /// Lines of the form {"id": ..., "vector": [...], "metadata": {...}}; the last two may be left out. What
    /// `kithdb dump` writes is read too.
    #[arg(value_name = "FILE.jsonl")]
    file: PathBuf,
}

/// Loads the file.
pub fn load(args: &LoadArgs) -> Result<(), String> {
    let started = Instant::now();
    let total = count_lines(&args.file).map_err(|e| format!("{}: {e}", args.file.display()))?;
    if !args.replace && documents(args).map_err(|e| one_line(&e))? == Some(total) {
        println!("{} holds the {total} documents already", args.collection);
        return Ok(());
    }
    let db = open(args).map_err(|e| one_line(&e))?;
    let collection = create(&db, args).map_err(|e| one_line(&e))?;
    add(&collection, args, total)?;
    let indexed = seal_and_index(&collection).and_then(|()| collection.info());
    let info = indexed.map_err(|e| one_line(&e))?;
    db.close().map_err(|e| one_line(&e))?;
    let seconds = started.elapsed().as_secs_f64();
    println!("loaded {} documents into {} in {seconds:.1} s", info.stats.documents, args.collection);
    Ok(())
}

/// How many documents the collection holds; `None` when there is none. Needs no embedder, which takes time to load.
fn documents(args: &LoadArgs) -> Result<Option<usize>, Error> {
    if !args.data.exists() {
        return Ok(None);
    }
    let options = Options { auto_jobs: false, observer: Arc::new(StderrObserver), ..Options::default() };
    let db = Db::open(&args.data, options)?;
    match db.collection(&args.collection) {
        Ok(collection) => Ok(Some(collection.info()?.stats.documents)),
        Err(error) if error.code() == "unknown_collection" => Ok(None),
        Err(error) => Err(error),
    }
}

fn open(args: &LoadArgs) -> Result<Db, Error> {
    let embedder = args.embedder.as_deref().map(load_embedder).transpose()?;
    let observer = Arc::new(StderrObserver);
    Db::open(&args.data, Options { embedder, observer, auto_jobs: false, ..Options::default() })
}

/// The collection, empty.
fn create(db: &Db, args: &LoadArgs) -> Result<Arc<CollectionHandle>, Error> {
    if db.names()?.contains(&args.collection) {
        db.drop_collection(&args.collection)?;
    }
    let fields = match args.text_field.as_slice() {
        [] => TextFields::TopLevel,
        names => TextFields::Named(names.to_vec()),
    };
    let embedder = db.options().embedder.as_ref();
    let config = CollectionConfig {
        text: Some(TextSpec::new(Language::English, fields)),
        embedder: embedder.map(|e| EmbedderRef { name: e.name().to_owned(), hash: e.hash() }),
        ..CollectionConfig::default()
    };
    db.create(&args.collection, config)
}

fn add(collection: &CollectionHandle, args: &LoadArgs, total: usize) -> Result<(), String> {
    // A bulk import says no line, and may be refused for its size: in small batches the rest is stored, or the line found.
    add_in(collection, args, total, &AS_SEGMENTS)
        .or_else(|_| add_in(collection, args, total, &THROUGH_THE_LOG))
}

fn add_in(collection: &CollectionHandle, args: &LoadArgs, total: usize, way: &Way) -> Result<(), String> {
    let at = |line: usize, what: &str| format!("{}:{line}: {what}", args.file.display());
    let mut reader = BufReader::new(File::open(&args.file).map_err(|e| at(1, &e.to_string()))?);
    let mut progress = Progress::new("adding documents", total);
    // With each document the number of its line.
    let (mut batch, mut lines, mut line) = (Vec::new(), Vec::new(), 0);
    let (mut added, mut expired, mut bytes, mut batch_bytes) = (0, 0, Vec::new(), 0);
    loop {
        bytes.clear();
        let read = read_line(&mut reader, &mut bytes).map_err(|e| at(line + 1, &e))?;
        let is_full = batch.len() == way.documents || batch_bytes >= way.bytes;
        if is_full || (!read && !batch.is_empty()) {
            write(collection, std::mem::take(&mut batch), way)
                .map_err(|(i, e)| at(lines[i], &one_line(&e)))?;
            added += lines.len();
            lines.clear();
            batch_bytes = 0;
        }
        if !read {
            progress.end(added);
            if expired > 0 {
                eprintln!("left out {expired} documents that have expired");
            }
            return Ok(());
        }
        line += 1;
        progress.at(added + batch.len());
        if bytes.trim_ascii().is_empty() {
            continue;
        }
        let document = parse::<LineBody<'_>>(&bytes).and_then(LineBody::document);
        let document = document.map_err(|e| at(line, &one_line(&e)))?;
        if document.expires_at.is_some_and(|time| time <= collection.clock().now_ns()) {
            expired += 1;
            continue;
        }
        batch_bytes += bytes.len();
        batch.push(document);
        lines.push(line);
    }
}

/// Writes a batch. On an error its document is found by writing the batch one by one, unless it is a bulk import.
fn write(collection: &CollectionHandle, batch: Vec<Document>, way: &Way) -> Result<(), (usize, Error)> {
    if way.is_bulk {
        return collection.add_bulk(batch, AddMode::Upsert).map(drop).map_err(|e| (0, e));
    }
    if let Err(error) = collection.add(batch.clone(), AddMode::Upsert, None) {
        for (i, document) in batch.into_iter().enumerate() {
            collection.add(vec![document], AddMode::Upsert, None).map_err(|e| (i, e))?;
        }
        return Err((0, error));
    }
    let full = collection.info().is_ok_and(|info| info.stats.memtable_bytes > SEAL_BYTES);
    if full {
        collection.run(JobKind::Seal).map_err(|e| (0, e))?;
    }
    Ok(())
}

fn seal_and_index(collection: &CollectionHandle) -> Result<(), Error> {
    let mut sealing = Progress::new("sealing", 0);
    collection.run(JobKind::Seal)?;
    sealing.end(0);
    let vectors = collection.info()?.stats.unlinked_vectors;
    if vectors == 0 {
        return Ok(());
    }
    let indexing = std::cell::RefCell::new(Progress::new("indexing vectors", vectors));
    let mut before = 0;
    loop {
        let total = std::cell::Cell::new(0);
        let done = collection.run_watched(JobKind::Index, &|job| {
            total.set(job.total);
            indexing.borrow_mut().at(before + job.done);
        })?;
        before += total.get();
        if !done {
            indexing.into_inner().end(vectors);
            return Ok(());
        }
    }
}

/// Lines that hold something.
fn count_lines(path: &Path) -> std::io::Result<usize> {
    let mut reader = BufReader::with_capacity(1 << 20, File::open(path)?);
    let (mut lines, mut blank) = (0, true);
    loop {
        let bytes = reader.fill_buf()?;
        if bytes.is_empty() {
            return Ok(lines + usize::from(!blank));
        }
        let mut rest = bytes;
        while let Some(end) = rest.iter().position(|b| *b == b'\n') {
            blank &= rest[..end].trim_ascii().is_empty();
            lines += usize::from(!blank);
            blank = true;
            rest = &rest[end + 1..];
        }
        blank &= rest.trim_ascii().is_empty();
        let read = bytes.len();
        reader.consume(read);
    }
}

/// The next line; false at the end of the file.
fn read_line(reader: &mut impl BufRead, line: &mut Vec<u8>) -> Result<bool, String> {
    use std::io::Read;
    let read = reader.by_ref().take(LINE_BYTES_MAX + 1).read_until(b'\n', line).map_err(|e| e.to_string())?;
    if read as u64 > LINE_BYTES_MAX {
        return Err(format!("the line is longer than {LINE_BYTES_MAX} bytes"));
    }
    Ok(read > 0)
}
