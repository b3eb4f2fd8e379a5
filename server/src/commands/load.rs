//! `kithdb load`: fills a collection from a file of documents and edges, one JSON object a line.
//!
//! Doing it again is quick and changes nothing: a collection that holds as many documents and edges as the file has, or
//! more, is taken for loaded, and one that holds fewer of either for the rest of a load that was broken off.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use kithdb::base::Error;
use kithdb::base::limits::{BATCH_MAX, BULK_MAX};
use kithdb::collection::{CollectionConfig, Document, EmbedderRef, LinkRequest, Mutation};
use kithdb::engine::JobKind;
use kithdb::host::{AddMode, CollectionHandle, Db, Options, load_embedder};
use kithdb::text::{Language, TextFields, TextSpec};
use kithdb::wire::{Line, LineBody, parse};

use super::progress::Progress;
use super::report::{Counts, StderrObserver, one_line};

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
/// So many edges are linked at once, at the most, of lines of so many bytes.
const EDGES: usize = 20_000;
const EDGES_BYTES: usize = 64 << 20;
const _: () = assert!(EDGES <= BATCH_MAX);
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
    /// Lines of the form {"id": ..., "vector": [...], "metadata": {...}}, of which the last two may be left out, or
    /// {"edge": {"source": ..., "relation": ..., "target": ...}}. What `kithdb dump` writes is read too.
    #[arg(value_name = "FILE.jsonl")]
    file: PathBuf,
}

/// Loads the file.
pub fn load(args: &LoadArgs) -> Result<(), String> {
    let started = Instant::now();
    let total = count_lines(&args.file)?;
    let held = if args.replace { None } else { held(args).map_err(|e| one_line(&e))? };
    match held {
        Some(held) if held == total => println!("{} holds the {total} already", args.collection),
        // What was added to what was loaded is nobody's to take away.
        Some(held) if held.documents >= total.documents && held.edges >= total.edges => {
            println!(
                "{} holds {held}, as many as the file or more: --replace loads it again",
                args.collection
            );
        }
        _ => return fill(args, total, started),
    }
    Ok(())
}

/// Loads it, in place of what the collection holds.
fn fill(args: &LoadArgs, total: Counts, started: Instant) -> Result<(), String> {
    let db = open(args).map_err(|e| one_line(&e))?;
    let collection = create(&db, args).map_err(|e| one_line(&e))?;
    add(&collection, args, total)?;
    let loaded = seal_and_index(&collection).and_then(|()| counts(&collection)).map_err(|e| one_line(&e))?;
    db.close().map_err(|e| one_line(&e))?;
    let seconds = started.elapsed().as_secs_f64();
    println!("loaded {loaded} into {} in {seconds:.1} s", args.collection);
    Ok(())
}

/// What the collection holds; `None` when there is none. Needs no embedder, which takes time to load.
fn held(args: &LoadArgs) -> Result<Option<Counts>, Error> {
    if !args.data.exists() {
        return Ok(None);
    }
    let options = Options { auto_jobs: false, observer: Arc::new(StderrObserver), ..Options::default() };
    let db = Db::open(&args.data, options)?;
    match db.collection(&args.collection) {
        Ok(collection) => counts(&collection).map(Some),
        Err(error) if error.code() == "unknown_collection" => Ok(None),
        Err(error) => Err(error),
    }
}

fn counts(collection: &CollectionHandle) -> Result<Counts, Error> {
    let (view, now) = collection.at(None)?;
    Ok(Counts { documents: collection.info()?.stats.documents, edges: view.all_edges(now)?.len() })
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

fn add(collection: &CollectionHandle, args: &LoadArgs, total: Counts) -> Result<(), String> {
    // A bulk import says no line, and may be refused for its size: in small batches the rest is stored, or the line found.
    let in_way = |way| Loading::new(collection, &args.file, way).read(total);
    in_way(&AS_SEGMENTS).or_else(|_| in_way(&THROUGH_THE_LOG))
}

/// A file that is being written to a collection.
struct Loading<'a> {
    collection: &'a CollectionHandle,
    file: &'a Path,
    way: &'a Way,
    documents: Gathered<Document>,
    edges: Gathered<LinkRequest>,
    /// Lines that were written.
    written: usize,
    /// Documents that were left out.
    expired: usize,
}

/// What is to be written next, each with the number of its line.
struct Gathered<T> {
    batch: Vec<T>,
    lines: Vec<usize>,
    bytes: usize,
}

impl<T> Gathered<T> {
    fn new() -> Self {
        Self { batch: Vec::new(), lines: Vec::new(), bytes: 0 }
    }

    fn push(&mut self, one: T, line: usize, bytes: usize) {
        self.batch.push(one);
        self.lines.push(line);
        self.bytes += bytes;
    }

    fn is_full(&self, count: usize, bytes: usize) -> bool {
        self.batch.len() == count || self.bytes >= bytes
    }
}

impl<'a> Loading<'a> {
    fn new(collection: &'a CollectionHandle, file: &'a Path, way: &'a Way) -> Self {
        let (documents, edges) = (Gathered::new(), Gathered::new());
        Self { collection, file, way, documents, edges, written: 0, expired: 0 }
    }

    fn at(&self, line: usize, what: &str) -> String {
        at(self.file, line, what)
    }

    /// Documents and edges are gathered apart: in which order they are written is no matter, as ends need not exist.
    fn read(mut self, total: Counts) -> Result<(), String> {
        let mut reader = BufReader::new(File::open(self.file).map_err(|e| self.at(1, &e.to_string()))?);
        let what = if total.edges > 0 { "adding documents and edges" } else { "adding documents" };
        let mut progress = Progress::new(what, total.documents + total.edges);
        let (mut line, mut bytes) = (0, Vec::new());
        loop {
            bytes.clear();
            let is_read = read_line(&mut reader, &mut bytes).map_err(|e| self.at(line + 1, &e))?;
            if !is_read || self.documents.is_full(self.way.documents, self.way.bytes) {
                self.write_documents()?;
            }
            if !is_read || self.edges.is_full(EDGES, EDGES_BYTES) {
                self.write_edges()?;
            }
            if !is_read {
                progress.end(self.written);
                if self.expired > 0 {
                    eprintln!("left out {} documents that have expired", self.expired);
                }
                return Ok(());
            }
            line += 1;
            progress.at(self.written + self.documents.batch.len() + self.edges.batch.len());
            if !bytes.trim_ascii().is_empty() {
                self.take(line, &bytes)?;
            }
        }
    }

    fn take(&mut self, line: usize, bytes: &[u8]) -> Result<(), String> {
        let read = parse::<LineBody<'_>>(bytes).and_then(LineBody::line);
        match read.map_err(|e| self.at(line, &one_line(&e)))? {
            Line::Document(document) => {
                let now = self.collection.clock().now_ns();
                if document.expires_at.is_some_and(|time| time <= now) {
                    self.expired += 1;
                } else {
                    self.documents.push(document, line, bytes.len());
                }
            }
            Line::Edge(edge) => self.edges.push(edge, line, bytes.len()),
        }
        Ok(())
    }

    fn write_documents(&mut self) -> Result<(), String> {
        let Gathered { batch, lines, .. } = std::mem::replace(&mut self.documents, Gathered::new());
        if batch.is_empty() {
            return Ok(());
        }
        if self.way.is_bulk {
            let added = self.collection.add_bulk(batch, AddMode::Upsert);
            added.map_err(|e| self.at(lines[0], &one_line(&e)))?;
        } else {
            let add = |batch| self.collection.add(batch, AddMode::Upsert, None).map(drop);
            self.write(batch, &lines, add)?;
        }
        self.written += lines.len();
        Ok(())
    }

    fn write_edges(&mut self) -> Result<(), String> {
        let Gathered { batch, lines, .. } = std::mem::replace(&mut self.edges, Gathered::new());
        if !batch.is_empty() {
            let link = |batch: Vec<LinkRequest>| {
                let batch = batch.into_iter().map(Mutation::Link).collect();
                self.collection.write(batch, None).map(drop)
            };
            self.write(batch, &lines, link)?;
        }
        self.written += lines.len();
        Ok(())
    }

    /// Writes a batch through the log. On an error its line is found by writing one by one.
    fn write<T: Clone>(
        &self,
        batch: Vec<T>,
        lines: &[usize],
        write: impl Fn(Vec<T>) -> Result<(), Error>,
    ) -> Result<(), String> {
        if let Err(error) = write(batch.clone()) {
            for (one, line) in batch.into_iter().zip(lines) {
                write(vec![one]).map_err(|e| self.at(*line, &one_line(&e)))?;
            }
            return Err(self.at(lines[0], &one_line(&error)));
        }
        let sealed = if self.collection.info().is_ok_and(|info| info.stats.memtable_bytes > SEAL_BYTES) {
            self.collection.run(JobKind::Seal).map(drop)
        } else {
            Ok(())
        };
        sealed.map_err(|e| self.at(lines[0], &one_line(&e)))
    }
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

fn at(file: &Path, line: usize, what: &str) -> String {
    format!("{}:{line}: {what}", file.display())
}

/// What the file holds. A line that cannot be read counts as a document: loading tells what is wrong with it.
fn count_lines(path: &Path) -> Result<Counts, String> {
    let mut reader =
        BufReader::with_capacity(1 << 20, File::open(path).map_err(|e| at(path, 1, &e.to_string()))?);
    let (mut counts, mut line, mut number) = (Counts::default(), Vec::new(), 0);
    loop {
        line.clear();
        number += 1;
        if !read_line(&mut reader, &mut line).map_err(|e| at(path, number, &e))? {
            return Ok(counts);
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        // To read every line would take as long as loading them.
        let may_be_edge = line.windows(EDGE.len()).any(|part| part == EDGE);
        let read = || parse::<LineBody<'_>>(&line).and_then(LineBody::line);
        match may_be_edge.then(read) {
            Some(Ok(Line::Edge(edge))) => counts.edges += 1 + usize::from(edge.inverse.is_some()),
            _ => counts.documents += 1,
        }
    }
}

/// What a line with an edge has somewhere.
const EDGE: &[u8] = b"\"edge\"";

/// The next line; false at the end of the file.
fn read_line(reader: &mut impl BufRead, line: &mut Vec<u8>) -> Result<bool, String> {
    use std::io::Read;
    let read = reader.by_ref().take(LINE_BYTES_MAX + 1).read_until(b'\n', line).map_err(|e| e.to_string())?;
    if read as u64 > LINE_BYTES_MAX {
        return Err(format!("the line is longer than {LINE_BYTES_MAX} bytes"));
    }
    Ok(read > 0)
}
