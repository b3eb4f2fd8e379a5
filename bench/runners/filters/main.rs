//! The benchmark of filters: KithDB and SQLite count the same documents, in turns, in one process.
//!
//! `kithdb-bench-filters FOLDER DOCUMENTS ROUNDS` stores documents with a category and a size in both, asks how many have
//! one category and a size between two bounds, checks that all say the same, and prints one line of JSON. SQLite is asked
//! twice: with an index of each column, and with one of both columns together.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kithdb::base::{Object, Rng, Value};
use kithdb::collection::{CollectionConfig, Document, SearchRequest};
use kithdb::engine::JobKind;
use kithdb::host::{AddMode, CollectionHandle, Db, Options};
use kithdb::meta::Filter;
use rusqlite::{Connection, params};
use rustix::time::{ClockId, clock_gettime};
use serde_json::json;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const COLLECTION: &str = "things";
/// Documents of one import.
const IMPORT: usize = 20_000;
/// How many categories there are; documents are spread evenly over them.
const CATEGORIES: u64 = 100;
/// Sizes are below this.
const SIZES: u64 = 1_000_000;
/// Queries of one width.
const QUERIES: usize = 100;
/// Widths of a range, as shares of all sizes.
const WIDTHS: [f64; 3] = [0.01, 0.1, 0.5];

/// How many documents have a category, and a size within two bounds.
struct Query {
    category: String,
    low: i64,
    high: i64,
}

/// Something that counts.
trait Engine {
    fn count(&self, query: &Query) -> Result<u64>;
}

struct Kith {
    collection: Arc<CollectionHandle>,
    _db: Db,
}

impl Engine for Kith {
    fn count(&self, query: &Query) -> Result<u64> {
        let Query { category, low, high } = query;
        let filter = Filter::parse(&format!("category = '{category}' AND size BETWEEN {low} AND {high}"))?;
        let request = SearchRequest { filter: Some(filter), k: 1, explain: true, ..SearchRequest::default() };
        Ok(self.collection.search(request)?.filter_plan.ok_or("no plan")?.found)
    }
}

struct Sqlite(Connection);

impl Engine for Sqlite {
    fn count(&self, query: &Query) -> Result<u64> {
        let text = "SELECT COUNT(*) FROM things WHERE category = ? AND size BETWEEN ? AND ?";
        let mut statement = self.0.prepare_cached(text)?;
        let count: i64 =
            statement.query_row(params![query.category, query.low, query.high], |row| row.get(0))?;
        Ok(u64::try_from(count)?)
    }
}

/// Category and size of each document, the same in every run.
fn things(documents: usize) -> impl Iterator<Item = (String, i64)> {
    let mut rng = Rng::new(11);
    (0..documents).map(move |_| (format!("c{}", rng.below(CATEGORIES)), rng.below(SIZES) as i64))
}

fn kith(folder: &Path, documents: usize) -> Result<Kith> {
    let db = Db::open(folder, Options { threads: 1, auto_jobs: false, ..Options::default() })?;
    let collection = db.create(COLLECTION, CollectionConfig::default())?;
    let mut things = things(documents).enumerate();
    loop {
        let document = |(i, (category, size)): (usize, (String, i64))| {
            let metadata = Object::from([
                ("category".to_owned(), Value::Str(category)),
                ("size".to_owned(), Value::Int(size)),
            ]);
            Document { id: i.to_string(), vector: None, metadata, expires_at: None }
        };
        let batch: Vec<Document> = things.by_ref().take(IMPORT).map(document).collect();
        if batch.is_empty() {
            break;
        }
        collection.add_bulk(batch, AddMode::Insert)?;
    }
    collection.run(JobKind::Optimize)?;
    Ok(Kith { collection, _db: db })
}

fn sqlite(path: &Path, documents: usize, indexes: &str) -> Result<Sqlite> {
    let connection = Connection::open(path)?;
    connection.execute_batch(
        "PRAGMA cache_size = -262144; PRAGMA mmap_size = 1073741824; BEGIN;
         CREATE TABLE things (id INTEGER PRIMARY KEY, category TEXT NOT NULL, size INTEGER NOT NULL);",
    )?;
    {
        let mut insert = connection.prepare("INSERT INTO things (category, size) VALUES (?, ?)")?;
        for (category, size) in things(documents) {
            insert.execute(params![category, size])?;
        }
    }
    connection.execute_batch(&format!("{indexes} COMMIT; ANALYZE;"))?;
    Ok(Sqlite(connection))
}

fn queries(width: f64) -> Vec<Query> {
    let mut rng = Rng::new(23);
    let span = (SIZES as f64 * width) as i64;
    let query = |_| {
        let low = rng.below(SIZES - span as u64) as i64;
        Query { category: format!("c{}", rng.below(CATEGORIES)), low, high: low + span - 1 }
    };
    (0..QUERIES).map(query).collect()
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut next = |what: &str| arguments.next().ok_or(format!("{what} is missing"));
    let (folder, documents) = (PathBuf::from(next("FOLDER")?), next("DOCUMENTS")?.parse::<usize>()?);
    let rounds = next("ROUNDS")?.parse::<usize>()?.max(1);
    let single = "CREATE INDEX by_category ON things (category); CREATE INDEX by_size ON things (size);";
    let both = "CREATE INDEX by_both ON things (category, size);";
    let (kith_s, kith) = timed(|| kith(&folder.join("kithdb"), documents))?;
    let (single_s, single) = timed(|| sqlite(&folder.join("single.sqlite"), documents, single))?;
    let (both_s, both) = timed(|| sqlite(&folder.join("both.sqlite"), documents, both))?;
    let engines: [(&str, &dyn Engine, f64); 3] =
        [("kithdb", &kith, kith_s), ("sqlite", &single, single_s), ("sqlite_compound", &both, both_s)];

    let mut widths = Vec::new();
    for width in WIDTHS {
        let queries = queries(width);
        let mut found = 0;
        // This warms up, too.
        for query in &queries {
            let counts = engines.iter().map(|(_, engine, _)| engine.count(query));
            let counts = counts.collect::<Result<Vec<u64>>>()?;
            if counts.iter().any(|count| *count != counts[0]) {
                return Err(format!("{} {} to {}: {counts:?}", query.category, query.low, query.high).into());
            }
            found += counts[0];
        }
        let mut times = [const { Vec::new() }; 3];
        for round in 0..rounds {
            for turn in 0..engines.len() {
                let at = (turn + round) % engines.len();
                let ask = || queries.iter().try_for_each(|query| engines[at].1.count(query).map(drop));
                times[at].push(timed(ask)?.0 / QUERIES as f64 * 1e6);
            }
        }
        let mut figures = json!({ "width": width, "found": found / QUERIES as u64 });
        for ((name, ..), times) in engines.iter().zip(&mut times) {
            times.sort_unstable_by(f64::total_cmp);
            figures[name] = json!({ "us": times[rounds / 2], "spread": times[rounds - 1] / times[0] });
        }
        widths.push(figures);
    }
    let build: serde_json::Map<String, serde_json::Value> =
        engines.iter().map(|(name, _, seconds)| ((*name).to_owned(), json!(seconds))).collect();
    let version = rusqlite::version();
    println!(
        "{}",
        json!({ "documents": documents, "rounds": rounds, "queries": QUERIES, "sqlite": version, "build_s": build, "widths": widths })
    );
    Ok(())
}

/// Seconds that all threads of this process have worked on something.
fn timed<T>(work: impl FnOnce() -> Result<T>) -> Result<(f64, T)> {
    let now = || {
        let time = clock_gettime(ClockId::ProcessCPUTime);
        time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
    };
    let start = now();
    let done = work()?;
    Ok((now() - start, done))
}
