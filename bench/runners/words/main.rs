//! The benchmark of words: KithDB and tantivy index the same texts and answer the same queries, in turns, in one process.
//!
//! `kithdb-bench-words DOCUMENTS FOLDER ROUNDS` reads lines of `{"id", "metadata": {"gloss"}}`, makes both indexes in the
//! folder, each one segment, and prints one line of JSON. Searches run on the thread that asks.

mod kith;
mod peer;

use std::error::Error;
use std::fs;
use std::path::PathBuf;

use kithdb::base::Rng;
use kithdb::text::{Analyzer, Language};
use rustix::time::{ClockId, clock_gettime};
use serde_json::{Value, json};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// How many queries are asked in a round.
const QUERIES: usize = 1000;
/// The most words of one.
const WORDS_MAX: u64 = 4;
/// Results of one.
const K: usize = 10;

/// A text under its id.
struct Gloss {
    id: String,
    text: String,
}

/// What an engine is asked to do.
trait Engine {
    /// Its name among the figures.
    fn name(&self) -> &'static str;
    /// The ids of the best documents that have any of the words, as a user asks for them.
    fn search(&self, words: &str) -> Result<Vec<String>>;
    /// The numbers of the same documents in the index: words and postings alone, no document is read.
    fn rank(&self, words: &str) -> Result<Vec<u32>>;
    /// Bytes of postings, dictionary and lengths.
    fn posting_bytes(&self) -> Result<u64>;
    /// Bytes of where words stand, which phrases need.
    fn position_bytes(&self) -> Result<u64>;
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut next = |what: &str| arguments.next().ok_or(format!("{what} is missing"));
    let (documents, folder) = (PathBuf::from(next("DOCUMENTS")?), PathBuf::from(next("FOLDER")?));
    let rounds = next("ROUNDS")?.parse::<usize>()?.max(1);
    let glosses = read(&documents)?;
    let bytes: usize = glosses.iter().map(|gloss| gloss.text.len()).sum();
    let queries = queries(&glosses);

    let (kith_s, kith) = timed(|| kith::build(&glosses, &folder.join("kithdb")))?;
    let (peer_s, peer) = timed(|| peer::build(&glosses, &folder.join("tantivy")))?;
    let engines: [(&dyn Engine, f64); 2] = [(&kith, kith_s), (&peer, peer_s)];

    let mut searched = [Vec::new(), Vec::new()];
    let mut ranked = [Vec::new(), Vec::new()];
    // The first round warms up.
    for round in 0..=rounds {
        for turn in 0..engines.len() {
            let at = (turn + round) % engines.len();
            let engine = engines[at].0;
            let search = timed(|| queries.iter().try_for_each(|words| engine.search(words).map(drop)))?.0;
            let rank = timed(|| queries.iter().try_for_each(|words| engine.rank(words).map(drop)))?.0;
            if round > 0 {
                searched[at].push(search);
                ranked[at].push(rank);
            }
        }
    }
    let mut figures = json!({
        "documents": glosses.len(), "text_bytes": bytes, "queries": queries.len(), "rounds": rounds,
        "common": common(&queries, &kith, &peer)?,
    });
    for (at, (engine, seconds)) in engines.into_iter().enumerate() {
        figures[engine.name()] = json!({
            "rank_qps": QUERIES as f64 / median(&mut ranked[at]),
            "search_qps": QUERIES as f64 / median(&mut searched[at]),
            "spread": ranked[at][rounds - 1] / ranked[at][0],
            "index_s": seconds,
            "index_mb_per_s": bytes as f64 / seconds / 1e6,
            "posting_bytes": engine.posting_bytes()?,
            "stored_bytes": engine.posting_bytes()? + engine.position_bytes()?,
        });
    }
    println!("{figures}");
    Ok(())
}

/// The middle one; sorts them.
fn median(times: &mut [f64]) -> f64 {
    times.sort_unstable_by(f64::total_cmp);
    times[times.len() / 2]
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

fn read(path: &PathBuf) -> Result<Vec<Gloss>> {
    let text_of = |value: &Value| value.as_str().map(str::to_owned).ok_or("a document without text");
    let gloss = |line: &str| {
        let document: Value = serde_json::from_str(line)?;
        Ok(Gloss { id: text_of(&document["id"])?, text: text_of(&document["metadata"]["gloss"])? })
    };
    fs::read_to_string(path)?.lines().map(gloss).collect()
}

/// One to four words of a gloss each, none of them a stop word; the same in every run.
fn queries(glosses: &[Gloss]) -> Vec<String> {
    let analyzer = Analyzer::new(Language::English);
    let mut rng = Rng::new(7);
    let mut queries = Vec::new();
    while queries.len() < QUERIES {
        let wanted = 1 + rng.below(WORDS_MAX) as usize;
        let gloss = &glosses[rng.below(glosses.len() as u64) as usize];
        let mut words: Vec<&str> = gloss.text.split(|c: char| !c.is_ascii_alphabetic()).collect();
        words.retain(|word| {
            let mut terms = 0;
            analyzer.analyse(word, |_| terms += 1);
            terms > 0 && word.len() > 1
        });
        if words.len() >= wanted {
            let chosen = (0..wanted).map(|_| words.swap_remove(rng.below(words.len() as u64) as usize));
            queries.push(chosen.collect::<Vec<_>>().join(" "));
        }
    }
    queries
}

/// The share of the results of one that the other has too. Lengths are rounded by tantivy, so that it ranks a bit
/// differently.
fn common(queries: &[String], one: &dyn Engine, other: &dyn Engine) -> Result<f64> {
    let (mut both, mut all) = (0, 0);
    for words in queries {
        let (found, others) = (one.search(words)?, other.search(words)?);
        all += found.len();
        both += found.iter().filter(|id| others.contains(id)).count();
    }
    Ok(both as f64 / all as f64)
}
