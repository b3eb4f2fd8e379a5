//! The benchmark of the graph: KithDB, SQLite and petgraph hold the same edges, in turns, in one process.
//!
//! `kithdb-bench-graph FOLDER EDGES ROUNDS` links the edges of a file, asks what is within two edges of random ends and
//! how far random pairs are apart, checks that all say the same, and prints one line of JSON.

mod kith;
mod peers;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Instant;

use kith::Kith;
use kithdb::base::Rng;
use peers::{Memory, Sqlite};
use serde_json::{Value, json};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Ends whose surroundings are asked for in a round.
const ROOTS: usize = 1_000;
/// Pairs in a round.
const PAIRS: usize = 200;
/// Paths are followed no further.
const DEPTH_MAX: usize = 32;

/// An edge of the file.
struct Edge {
    source: String,
    relation: String,
    target: String,
}

/// Something that answers.
trait Engine {
    /// The ids that one or two edges lead to.
    fn around(&self, id: &str) -> Result<Vec<String>>;
    /// The fewest edges from one to another.
    fn path(&self, from: &str, to: &str) -> Result<Option<usize>>;
}

fn read(path: &Path) -> Result<Vec<Edge>> {
    let text = std::fs::read_to_string(path)?;
    let field = |line: &Value, name: &str| line[name].as_str().map(str::to_owned).ok_or(format!("no {name}"));
    let edge = |line: &str| {
        let line: Value = serde_json::from_str(line)?;
        Ok(Edge {
            source: field(&line, "from")?,
            relation: field(&line, "relation")?,
            target: field(&line, "to")?,
        })
    };
    let mut edges = text.lines().map(edge).collect::<Result<Vec<_>>>()?;
    // A document is not linked to itself.
    edges.retain(|edge| edge.source != edge.target);
    Ok(edges)
}

/// Seconds of each engine for all questions, by round; they take turns.
fn rounds(
    engines: &[&dyn Engine],
    rounds: usize,
    ask: impl Fn(&dyn Engine) -> Result<()>,
) -> Result<Vec<Value>> {
    let mut times = vec![Vec::new(); engines.len()];
    for round in 0..rounds {
        for turn in 0..engines.len() {
            let at = (turn + round) % engines.len();
            let start = Instant::now();
            ask(engines[at])?;
            times[at].push(start.elapsed().as_secs_f64());
        }
    }
    let figure = |mut times: Vec<f64>| {
        times.sort_unstable_by(f64::total_cmp);
        json!({ "s": times[rounds / 2], "spread": times[rounds - 1] / times[0] })
    };
    Ok(times.into_iter().map(figure).collect())
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, answers: Vec<T>) -> Result<T> {
    if answers.iter().any(|answer| *answer != answers[0]) {
        return Err(format!("{what}: {answers:?}").into());
    }
    answers.into_iter().next().ok_or_else(|| "no engine".into())
}

/// Seconds to link all, of both that keep them: in turns, the best of each.
fn link(folder: &Path, edges: &[Edge], rounds: usize) -> Result<(f64, f64)> {
    let (mut kith, mut sqlite) = (f64::INFINITY, f64::INFINITY);
    for round in 0..rounds.min(3) {
        let start = Instant::now();
        Kith::link(&folder.join(format!("kithdb-{round}")), edges)?;
        kith = kith.min(start.elapsed().as_secs_f64());
        let start = Instant::now();
        Sqlite::link(&folder.join(format!("{round}.sqlite")), edges)?;
        sqlite = sqlite.min(start.elapsed().as_secs_f64());
    }
    Ok((kith, sqlite))
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut next = |what: &str| arguments.next().ok_or(format!("{what} is missing"));
    let (folder, path) = (PathBuf::from(next("FOLDER")?), PathBuf::from(next("EDGES")?));
    let count = next("ROUNDS")?.parse::<usize>()?.max(1);
    let edges = read(&path)?;
    let (kith_s, sqlite_s) = link(&folder, &edges, count)?;
    let kept = folder.join("kept");
    let bytes = Kith::keep(&kept, &edges)?;
    let sqlite_path = folder.join("0.sqlite");
    let sqlite_bytes = std::fs::metadata(&sqlite_path)?.len();
    let (kith, sqlite, memory) = (Kith::open(&kept)?, Sqlite::open(&sqlite_path)?, Memory::new(&edges));
    let engines: [&dyn Engine; 3] = [&kith, &sqlite, &memory];

    let mut rng = Rng::new(5);
    let mut id = || &edges[rng.below(edges.len() as u64) as usize].source;
    let roots: Vec<&String> = (0..ROOTS).map(|_| id()).collect();
    let pairs: Vec<(&String, &String)> = (0..PAIRS).map(|_| (id(), id())).collect();
    let (mut found, mut apart, mut ways) = (0, 0, 0);
    for root in &roots {
        let mut answers = engines.iter().map(|engine| engine.around(root)).collect::<Result<Vec<_>>>()?;
        answers.iter_mut().for_each(|answer| answer.sort_unstable());
        found += same(root, answers)?.len();
    }
    for (from, to) in &pairs {
        let answers = engines.iter().map(|engine| engine.path(from, to)).collect::<Result<Vec<_>>>()?;
        if let Some(edges) = same(&format!("{from} to {to}"), answers)? {
            (apart, ways) = (apart + edges, ways + 1);
        }
    }
    let around =
        rounds(&engines, count, |engine| roots.iter().try_for_each(|root| engine.around(root).map(drop)))?;
    let path = rounds(&engines, count, |engine| {
        pairs.iter().try_for_each(|(from, to)| engine.path(from, to).map(drop))
    })?;
    println!(
        "{}",
        json!({
            "edges": edges.len(), "rounds": count, "sqlite": rusqlite::version(),
            "link_s": { "kithdb": kith_s, "sqlite": sqlite_s },
            "bytes": { "kithdb": bytes, "sqlite": sqlite_bytes },
            "around": { "questions": ROOTS, "found": found / ROOTS, "engines": around },
            "path": { "questions": PAIRS, "found": ways, "edges": apart as f64 / f64::from(ways.max(1)), "engines": path },
        })
    );
    Ok(())
}
