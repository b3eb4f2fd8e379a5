//! Runs KithDB for the vector benchmarks, through the whole engine: a database in a directory, a collection that was
//! written in bulk imports and merged into one segment, its views, filters and documents.
//!
//! A request is a line of JSON on stdin, its answer a line on stdout; `bench/vectors/runner.mjs` says what both hold.

mod build;
mod codes;

use std::error::Error;
use std::fs;
use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use kithdb::base::NoObserver;
use kithdb::collection::{CollectionConfig, SearchRequest, Settings};
use kithdb::host::{CollectionHandle, Db, Inspection, Options};
use kithdb::meta::Filter;
use kithdb::storage::BlobKind;
use kithdb::vectors::Coding;
use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const COLLECTION: &str = "vectors";

/// What can be asked; the fields are those of every runner.
#[derive(Deserialize)]
#[serde(tag = "op", rename_all = "lowercase")]
enum Request {
    Build {
        data: PathBuf,
        folder: PathBuf,
        m: u32,
        ef_construction: u32,
        threads: usize,
        codes: Option<String>,
    },
    Load {
        data: PathBuf,
        folder: PathBuf,
        delete: Option<usize>,
    },
    Search(Search),
    Codes {
        data: PathBuf,
        k: usize,
        efs: Vec<usize>,
    },
    Memory,
}

/// All queries of the data set, one after the other.
#[derive(Deserialize)]
struct Search {
    k: usize,
    ef: usize,
    /// Answer what was found, too.
    #[serde(default)]
    ids: bool,
    /// Only documents whose field is below this.
    below: Option<usize>,
    /// Compare with every vector.
    #[serde(default)]
    exact: bool,
    /// How many candidates are compared with their vectors.
    rerank: Option<usize>,
}

/// What is answered; each op fills its own fields.
#[derive(Serialize, Default)]
struct Answer {
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(flatten)]
    times: Option<Times>,
    /// Of a search: the middle one of the queries, by the clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    p50_us: Option<f64>,
    /// Of a build: what writing the documents took of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    write: Option<Times>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ids: Option<Vec<u32>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    codes: Option<Vec<codes::Row>>,
    /// Codes and links, which an index holds in memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resident: Option<u64>,
}

#[derive(Serialize, Clone, Copy)]
struct Times {
    wall_s: f64,
    cpu_s: f64,
}

/// What `set.json` says of a data set.
#[derive(Deserialize)]
struct Set {
    metric: String,
    dim: usize,
}

/// What is open for searches.
struct Loaded {
    collection: Arc<CollectionHandle>,
    queries: Vec<Vec<f32>>,
    bytes: u64,
    _db: Db,
}

fn main() -> Result<()> {
    let mut loaded = None;
    for line in std::io::stdin().lock().lines() {
        let answered =
            serde_json::from_str(&line?).map_err(Into::into).and_then(|asked| answer(asked, &mut loaded));
        let answer = answered.unwrap_or_else(|e| Answer { error: Some(e.to_string()), ..Answer::default() });
        let mut out = std::io::stdout().lock();
        serde_json::to_writer(&mut out, &answer)?;
        out.write_all(b"\n")?;
        out.flush()?;
    }
    Ok(())
}

fn answer(request: Request, loaded: &mut Option<Loaded>) -> Result<Answer> {
    match request {
        Request::Build { data, folder, m, ef_construction, threads, codes } => {
            let codes = codes.as_deref().map_or(Ok(Coding::default()), Coding::parse)?;
            let settings = Settings { codes, ..Settings::default() };
            let config =
                CollectionConfig { links_max: m, ef_construction, settings, ..CollectionConfig::default() };
            build::build(&data, &folder, config, threads)
        }
        Request::Load { data, folder, delete } => {
            *loaded = Some(load(&data, &folder, delete)?);
            Ok(Answer::default())
        }
        Request::Search(asked) => search(loaded.as_ref().ok_or("nothing is loaded")?, &asked),
        Request::Codes { data, k, efs } => {
            let loaded = loaded.as_ref().ok_or("nothing is loaded")?;
            let codes = Some(codes::compare(loaded, &data, k, &efs)?);
            Ok(Answer { codes, ..Answer::default() })
        }
        Request::Memory => {
            let bytes = loaded.as_ref().map(|loaded| loaded.bytes);
            Ok(Answer { bytes, resident: Some(resident()?), ..Answer::default() })
        }
    }
}

/// Opens the database, to be read unless the last of every so many documents are to be deleted first.
fn load(data: &Path, folder: &Path, delete: Option<usize>) -> Result<Loaded> {
    let queries = rows(&data.join("queries.f32"), set(data)?.dim)?;
    let figures = Inspection::open(folder, Arc::new(NoObserver))?.figures(COLLECTION)?;
    let blobs = figures.segments.iter().flat_map(|segment| &segment.blobs);
    let held = blobs.filter(|(kind, _)| *kind == BlobKind::Links || Coding::of_blob(*kind).is_some());
    let bytes = held.map(|(_, bytes)| bytes).sum();
    let read_only = delete.is_none();
    let db = Db::open(folder, Options { threads: 1, read_only, auto_jobs: false, ..Options::default() })?;
    let collection = db.collection(COLLECTION)?;
    if let Some(every) = delete.filter(|every| *every > 0) {
        let ids: Vec<_> = (every - 1..figures.documents).step_by(every).map(|n| n.to_string()).collect();
        collection.delete(ids, None)?;
    }
    Ok(Loaded { collection, queries, bytes, _db: db })
}

/// Asks every query. Ids are made numbers again after the clock has stopped.
fn search(loaded: &Loaded, asked: &Search) -> Result<Answer> {
    let &Search { k, ef, exact, rerank, .. } = asked;
    let filter = asked.below.map(|below| Filter::parse(&format!("c < {below}"))).transpose()?;
    let mut found = Vec::with_capacity(loaded.queries.len() * k);
    let mut each = Vec::with_capacity(loaded.queries.len());
    let timer = Timer::start();
    for query in &loaded.queries {
        let start = Instant::now();
        let (vector, filter) = (Some(query.clone()), filter.clone());
        let request =
            SearchRequest { vector, filter, k, ef: Some(ef), exact, rerank, ..SearchRequest::default() };
        found.extend(loaded.collection.search(request)?.hits.into_iter().map(|hit| hit.id));
        each.push(start.elapsed());
    }
    let times = Some(timer.times());
    each.sort_unstable();
    let p50_us = each.get(each.len() / 2).map(|time| time.as_secs_f64() * 1e6);
    let numbers = || found.iter().map(|id| id.parse()).collect::<std::result::Result<_, _>>();
    let ids = if asked.ids { Some(numbers()?) } else { None };
    Ok(Answer { times, ids, p50_us, ..Answer::default() })
}

struct Timer(Instant, f64);

impl Timer {
    fn start() -> Self {
        Self(Instant::now(), cpu())
    }

    fn times(&self) -> Times {
        Times { wall_s: self.0.elapsed().as_secs_f64(), cpu_s: cpu() - self.1 }
    }
}

/// Seconds that all threads of this process have worked.
fn cpu() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// Bytes of memory that this process holds, mapped files included.
fn resident() -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? * 1024)
}

fn set(data: &Path) -> Result<Set> {
    Ok(serde_json::from_slice(&fs::read(data.join("set.json"))?)?)
}

fn rows(path: &Path, dim: usize) -> Result<Vec<Vec<f32>>> {
    let row = |bytes: &[u8]| bytes.as_chunks().0.iter().map(|four| f32::from_le_bytes(*four)).collect();
    Ok(fs::read(path)?.chunks_exact(4 * dim).map(row).collect())
}
