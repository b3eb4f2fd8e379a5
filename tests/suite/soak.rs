//! A busy server for as long as asked: what it takes and how well it finds stay as they are.
//!
//! Four clients search, write, delete and use keys in three collections: a large one with an index, one with text, and
//! one whose documents expire. Ids are used again, so that the live documents stay as many. Small seals are asked for
//! all the time; merges and links follow from them by themselves.
//!
//! Flat means: the median of the last quarter, of the time after a fifth to warm up, is at most a tenth above that of the
//! second quarter, or [`Flat::spare`] where that is more. Of memory that is said of RSS and of what the heap holds
//! ([`HEAP`]); what the allocator keeps beside it, and what is mapped of files, is bounded at any time. Recall is at least
//! 0.95 and falls by no more than 0.01. Files take at most three times what is live and what is not sealed yet, by the
//! median of the last quarter, and never four times.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use kithdb::base::Rng;
use kithdb_tests::preload;
use kithdb_tests::rest_surface::Server;
use serde_json::{Value, json};

const CLIENTS: u64 = 4;
const KEYS: u64 = 4_000;
/// Share of the time in which nothing is compared yet.
const WARM_UP: f64 = 0.2;
const RECALL_MIN: f64 = 0.95;
/// How widely the searches that are compared with exact ones look. On vectors as hard as these the default finds some
/// 0.93 of the nearest in a new index, too.
const EF: usize = 200;
/// What recall may lose from the second quarter to the last.
const RECALL_SPARE: u64 = 10;
/// Disk to live data, mostly, and at any time: a merge keeps its inputs until the flip after its own.
const DISK_FACTOR: u64 = 3;
const DISK_FACTOR_MAX: u64 = 4;

/// Tells twice a second how many bytes the heap holds, in the file that is named.
///
/// RSS says something else, and both must be flat. Threads take turns with seals and merges, and glibc gives every few of
/// them an arena, in which small things that stay keep pages from going back: a leak of a tenth of what is held would not
/// show in it.
const HEAP: &str = r#"
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
static void *tell(void *unused) {
  const char *path = getenv("HEAP_FILE");
  char next[4096];
  snprintf(next, sizeof next, "%s.new", path);
  for (;;) {
    struct mallinfo2 heap = mallinfo2();
    FILE *file = fopen(next, "w");
    if (file) {
      fprintf(file, "%zu", heap.uordblks + heap.hblkhd);
      fclose(file);
      rename(next, path);
    }
    usleep(500000);
  }
  return unused;
}
__attribute__((constructor)) static void begin(void) {
  pthread_t thread;
  pthread_create(&thread, 0, tell, 0);
  pthread_detach(thread);
}
"#;

/// What is resident of program and libraries, at most.
const PROGRAM_BYTES: u64 = 16 << 20;
/// Anonymous memory to the most that the heap was seen to hold.
const HEAP_FACTOR: u64 = 3;

/// A collection of the soak.
struct Kind {
    name: &'static str,
    ids: u64,
    dim: usize,
    /// Documents go by themselves after this time.
    ttl: Option<&'static str>,
}

const KINDS: [Kind; 3] = [
    Kind { name: "large", ids: 20_000, dim: 64, ttl: None },
    Kind { name: "texts", ids: 6_000, dim: 32, ttl: None },
    Kind { name: "brief", ids: 2_000, dim: 16, ttl: Some("10s") },
];
const WORDS: [&str; 12] = [
    "apple", "river", "stone", "cloud", "lamp", "glass", "winter", "garden", "silver", "letter", "music",
    "bread",
];

impl Kind {
    fn path(&self, rest: &str) -> String {
        format!("/v1/collections/{}{rest}", self.name)
    }

    /// Half of each vector is noise, so that the nearest are hard to find: a graph that wears shows.
    fn vector(&self, rng: &mut Rng) -> Vec<f32> {
        let mut centre = Rng::new(rng.below(50));
        (0..self.dim).map(|_| 0.5 * centre.unit_f32() + rng.unit_f32() - 0.75).collect()
    }

    fn document(&self, number: u64, count: u64) -> Value {
        let mut rng = Rng::new(number << 40 ^ count);
        let vector = self.vector(&mut rng);
        let mut words = || WORDS[rng.below(WORDS.len() as u64) as usize];
        let text = format!("{} {} {} count{count}", words(), words(), words());
        let metadata = json!({ "count": count, "group": number % 10, "text": text });
        let mut document = json!({ "id": id(number), "vector": vector, "metadata": metadata });
        if let Some(ttl) = self.ttl {
            document["ttl"] = json!(ttl);
        }
        document
    }

    /// Bytes of a document: what somebody put in.
    fn document_bytes(&self) -> u64 {
        4 * self.dim as u64 + 68
    }
}

fn id(number: u64) -> String {
    format!("d{number:06}")
}

/// What one client knows of its own documents: the count of each, 0 when it was deleted.
struct Client {
    number: u64,
    rng: Rng,
    count: u64,
    documents: Vec<Vec<u64>>,
    /// Own numbers that were deleted: they are written again first.
    deleted: Vec<Vec<u64>>,
    keys: Vec<u64>,
}

/// A server under load.
struct Soak {
    server: Server,
    /// Where it says how much its heap holds.
    heap: PathBuf,
    stop: AtomicBool,
    operations: AtomicU64,
}

const VALUE_BYTES: usize = 300;

/// The value of a key from this write: always as long.
fn value(count: u64) -> String {
    format!("{count:>VALUE_BYTES$}")
}

impl Soak {
    fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        let answer = self.server.ask(method, path, Some(body));
        answer.unwrap_or_else(|e| panic!("{method} {path}: {e:?}"))
    }

    /// Fills a database, and starts anew: what filling took is not to hide what grows afterwards.
    fn start(directory: &Path) -> Self {
        Self::of(directory).fill();
        Self::of(directory)
    }

    fn of(directory: &Path) -> Self {
        let beside = directory.parent().expect("in a directory of the test's");
        let (library, heap) =
            (preload::library(beside, "heap", HEAP).expect("cc makes it"), beside.join("held"));
        let variables = [("LD_PRELOAD", library.as_os_str()), ("HEAP_FILE", heap.as_os_str())];
        let server = Server::start_with(directory, &[], &variables).expect("starts");
        let begin = Instant::now();
        while !heap.exists() {
            assert!(
                begin.elapsed() < Duration::from_secs(30),
                "the server does not tell what its heap holds"
            );
            std::thread::sleep(Duration::from_millis(10));
        }
        Self { server, heap, stop: AtomicBool::new(false), operations: AtomicU64::new(0) }
    }

    fn fill(&self) {
        for kind in &KINDS {
            self.ask(
                "POST",
                "/v1/collections",
                &json!({ "name": kind.name, "text": { "fields": ["text"] } }),
            );
            for first in (0..kind.ids).step_by(500) {
                let documents: Vec<Value> = (first..first + 500).map(|n| kind.document(n, 1)).collect();
                self.ask("POST", &kind.path("/documents"), &json!({ "documents": documents }));
            }
        }
        self.fill_keys();
        self.server.stop();
    }

    /// The keys' memtable is sealed when it is large, or when enough of a segment has ended, and nobody can ask for it.
    /// Large values make a segment of all keys, small ones end those in it: from then on a thousand writes make a seal
    /// due. Else it would grow for an hour, and all figures with it.
    fn fill_keys(&self) {
        for large in [true, false, false] {
            for number in 0..KEYS {
                let path = format!("/v1/kv/{}-{}", number % CLIENTS, number / CLIENTS);
                let value = if large { "large ".repeat(2_000) } else { value(1) };
                self.ask("PUT", &path, &json!({ "value": value }));
            }
            // Jobs are looked for a few times a second.
            std::thread::sleep(Duration::from_secs(5));
        }
    }

    /// One of a hundred: 70 searches, 20 writes, 5 deletes, 5 keys.
    fn work(&self, client: &mut Client) {
        while !self.stop.load(Ordering::Relaxed) {
            let at = client.rng.below(KINDS.len() as u64) as usize;
            match client.rng.below(100) {
                0..70 => self.search(&KINDS[at], &mut client.rng),
                70..90 => self.write(at, client),
                90..95 => self.delete(at, client),
                _ => self.key(client),
            }
            self.operations.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn search(&self, kind: &Kind, rng: &mut Rng) {
        let vector = kind.vector(rng);
        let word = WORDS[rng.below(WORDS.len() as u64) as usize];
        let filter = format!("group = {}", rng.below(10));
        let request = match rng.below(4) {
            0 => json!({ "vector": vector }),
            1 => json!({ "text": word }),
            2 => json!({ "vector": vector, "text": word }),
            _ => json!({ "vector": vector, "filter": filter }),
        };
        let answer = self.ask("POST", &kind.path("/search"), &request);
        let hits = answer["hits"].as_array().expect("hits").len();
        assert!(hits == 10 || kind.ttl.is_some(), "{hits} hits of {request} in {}", kind.name);
    }

    fn write(&self, at: usize, client: &mut Client) {
        let kind = &KINDS[at];
        let any = client.rng.below(kind.ids / CLIENTS) * CLIENTS + client.number;
        let number = client.deleted[at].pop().unwrap_or(any);
        client.count += 1;
        let body = json!({ "documents": [kind.document(number, client.count)] });
        self.ask("POST", &kind.path("/documents"), &body);
        client.documents[at][(number / CLIENTS) as usize] = client.count;
    }

    /// A delete for four writes, of which the next writes the document again.
    fn delete(&self, at: usize, client: &mut Client) {
        let kind = &KINDS[at];
        let number = client.rng.below(kind.ids / CLIENTS) * CLIENTS + client.number;
        self.ask("POST", &kind.path("/documents/delete"), &json!({ "ids": [id(number)] }));
        let known = &mut client.documents[at][(number / CLIENTS) as usize];
        if *known > 0 {
            client.deleted[at].push(number);
        }
        *known = 0;
    }

    /// Sets a key, or reads what this client set.
    fn key(&self, client: &mut Client) {
        let at = client.rng.below(KEYS / CLIENTS) as usize;
        let path = format!("/v1/kv/{}-{at}", client.number);
        if client.rng.below(2) == 0 {
            let got = self.server.ask("GET", &path, None).expect("it was set");
            assert_eq!(got["value"], json!(value(client.keys[at])), "{path}");
            return;
        }
        client.count += 1;
        self.ask("PUT", &path, &json!({ "value": value(client.count) }));
        client.keys[at] = client.count;
    }

    /// Seals long before they are due, so that segments come and are merged.
    fn seal(&self) {
        while !self.stop.load(Ordering::Relaxed) {
            for kind in &KINDS {
                self.ask("POST", &kind.path("/seal"), &json!({}));
            }
            pause(Duration::from_secs(3), &self.stop);
        }
    }

    /// Share of the ten nearest that a search finds, of the same queries each time.
    fn recall(&self) -> f64 {
        const QUERIES: usize = 100;
        let mut rng = Rng::new(0);
        let mut found = 0;
        for _ in 0..QUERIES {
            let vector = KINDS[0].vector(&mut rng);
            let ids = |is_exact: bool| -> Vec<String> {
                let request = json!({ "vector": vector, "k": 10, "ef": EF, "exact": is_exact });
                let answer = self.ask("POST", &KINDS[0].path("/search"), &request);
                let hits = answer["hits"].as_array().expect("hits").iter();
                hits.map(|hit| hit["id"].to_string()).collect()
            };
            let nearest = ids(true);
            found += ids(false).iter().filter(|id| nearest.contains(id)).count();
        }
        found as f64 / (10 * QUERIES) as f64
    }

    fn taken(&self) -> Taken {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.server.id())).expect("it runs");
        let count = |what: &str| {
            std::fs::read_dir(format!("/proc/{}/{what}", self.server.id())).expect("it runs").count() as u64
        };
        let held = std::fs::read_to_string(&self.heap).expect("it is renamed into place");
        Taken {
            held: held.parse().expect("a number"),
            rss: kilobytes(&status, "VmRSS:") << 10,
            anonymous: kilobytes(&status, "RssAnon:") << 10,
            threads: count("task"),
            descriptors: count("fd"),
        }
    }

    /// What the server takes, each second until this time or until it is stopped.
    fn watch(&self, until: Instant, taken: &mut Vec<Taken>) {
        while Instant::now() < until && !self.stop.load(Ordering::Relaxed) {
            taken.push(self.taken());
            std::thread::sleep(Duration::from_secs(1));
        }
    }

    fn sample(&self, directory: &Path) -> Sample {
        let infos = KINDS.each_ref().map(|kind| self.server.ask("GET", &kind.path(""), None).expect("info"));
        let number = |info: &Value, field: &str| info[field].as_u64().expect("a number");
        let live =
            KINDS.iter().zip(&infos).map(|(kind, info)| number(info, "documents") * kind.document_bytes());
        let sum = |field: &str| infos.iter().map(|info| number(info, field)).sum();
        Sample {
            taken: self.taken(),
            // The reserve is room, not data.
            disk: bytes_below(directory, &|name| name != "RESERVE"),
            live: live.sum::<u64>() + KEYS * VALUE_BYTES as u64,
            unsealed: bytes_below(directory, &|name| name.starts_with("wal-")),
            documents: sum("documents"),
            segments: sum("segments"),
            indexed: number(&infos[0], "indexed"),
            recall: self.recall(),
        }
    }
}

fn pause(time: Duration, stop: &AtomicBool) {
    let end = Instant::now() + time;
    while Instant::now() < end && !stop.load(Ordering::Relaxed) {
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn kilobytes(status: &str, name: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("Linux says so");
    line.split_whitespace().next().and_then(|number| number.parse().ok()).expect("a number")
}

/// Bytes of the files of some names below a directory, but of files that go while one looks.
fn bytes_below(path: &Path, is_counted: &dyn Fn(&str) -> bool) -> u64 {
    let Ok(entries) = std::fs::read_dir(path) else { return 0 };
    let bytes = |entry: std::fs::DirEntry| {
        let path = entry.path();
        match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => bytes_below(&path, is_counted),
            Ok(metadata) if is_counted(&entry.file_name().to_string_lossy()) => metadata.len(),
            _ => 0,
        }
    };
    entries.flatten().map(bytes).sum()
}

/// What the server's process takes.
#[derive(Debug, Clone, Copy)]
struct Taken {
    /// By the heap.
    held: u64,
    rss: u64,
    anonymous: u64,
    threads: u64,
    descriptors: u64,
}

/// What a look at the server shows.
#[derive(Debug, Clone)]
struct Sample {
    taken: Taken,
    disk: u64,
    /// Bytes of the live documents and keys.
    live: u64,
    /// Bytes of logs.
    unsealed: u64,
    documents: u64,
    segments: u64,
    /// Of the large collection.
    indexed: u64,
    recall: f64,
}

impl Sample {
    fn print(&self, second: u64) {
        let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
        println!(
            "{second:>6} s: {:.1} MiB held, RSS {:.0} MiB ({:.0} anonymous), {} threads, {} descriptors, disk {:.1} MiB of {:.1} live \
             and {:.1} unsealed, {} documents, {} segments ({} linked), recall {:.3}",
            mib(self.taken.held),
            mib(self.taken.rss),
            mib(self.taken.anonymous),
            self.taken.threads,
            self.taken.descriptors,
            mib(self.disk),
            mib(self.live),
            mib(self.unsealed),
            self.documents,
            self.segments,
            self.indexed,
            self.recall
        );
    }
}

/// A figure that has to stay flat.
struct Flat {
    name: &'static str,
    of: fn(&Taken) -> u64,
    /// So much more is no growth: a tenth of a few descriptors is none.
    spare: u64,
}

const FLAT: [Flat; 4] = [
    Flat { name: "RSS", of: |taken| taken.rss, spare: 4 << 20 },
    Flat { name: "bytes held", of: |taken| taken.held, spare: 1 << 20 },
    Flat { name: "threads", of: |taken| taken.threads, spare: 4 },
    Flat { name: "descriptors", of: |taken| taken.descriptors, spare: 8 },
];

fn median<T>(samples: &[T], of: fn(&T) -> u64) -> u64 {
    let mut all: Vec<u64> = samples.iter().map(of).collect();
    all.sort_unstable();
    all[all.len() / 2]
}

/// The second and the last quarter of what was taken at equal times, after the time to warm up.
fn quarters<T>(all: &[T]) -> (&[T], &[T]) {
    let warm = warm(all);
    let quarter = warm.len() / 4;
    (&warm[quarter..2 * quarter], &warm[warm.len() - quarter..])
}

fn warm<T>(all: &[T]) -> &[T] {
    &all[(all.len() as f64 * WARM_UP).ceil() as usize..]
}

/// What is wrong with a run, of which these were taken at equal times.
fn judge(taken: &[Taken], samples: &[Sample]) -> Vec<String> {
    let mut wrong = Vec::new();
    let (second, last) = quarters(taken);
    for flat in &FLAT {
        let (before, after) = (median(second, flat.of), median(last, flat.of));
        println!("{}: the median of the second quarter is {before}, of the last {after}", flat.name);
        if after > before + (before / 10).max(flat.spare) {
            wrong.push(format!("{} grew from {before} to {after}", flat.name));
        }
    }
    let (second, last) = quarters(samples);
    let per_mille = |sample: &Sample| (sample.recall * 1000.0) as u64;
    let before = median(second, per_mille);
    let after = median(last, per_mille);
    if after + RECALL_SPARE < before {
        wrong.push(format!("recall fell from {before} to {after} of a thousand"));
    }
    let most = taken.iter().map(|taken| taken.held).max().unwrap_or_default();
    let anonymous = warm(taken).iter().map(|taken| taken.anonymous).max().unwrap_or_default();
    println!("at most {most} bytes were held, and {anonymous} anonymous");
    if anonymous > HEAP_FACTOR * most {
        wrong.push(format!("{anonymous} bytes of anonymous memory, of which {most} were held at most"));
    }
    let percent = |sample: &Sample| 100 * sample.disk / (sample.live + sample.unsealed);
    let disk = median(last, percent);
    if disk > 100 * DISK_FACTOR {
        wrong.push(format!("files take {disk} % of what is live"));
    }
    for (number, sample) in warm(samples).iter().enumerate() {
        if sample.disk > DISK_FACTOR_MAX * (sample.live + sample.unsealed) {
            wrong.push(format!("sample {number}: {} bytes on disk", sample.disk));
        }
        let mapped = sample.taken.rss - sample.taken.anonymous;
        if mapped > sample.disk + PROGRAM_BYTES {
            wrong.push(format!("sample {number}: {mapped} bytes mapped of files of {}", sample.disk));
        }
        if sample.recall < RECALL_MIN {
            wrong.push(format!("sample {number}: recall {}", sample.recall));
        }
    }
    wrong
}

/// Every document is as its client left it.
fn check(soak: &Soak, clients: &[Client]) -> u64 {
    let mut looked_at = 0;
    for (at, kind) in KINDS.iter().enumerate().filter(|(_, kind)| kind.ttl.is_none()) {
        for client in clients {
            let own: Vec<(String, u64)> = client.documents[at]
                .iter()
                .enumerate()
                .map(|(i, count)| (id(i as u64 * CLIENTS + client.number), *count))
                .collect();
            for part in own.chunks(500) {
                let ids: Vec<&String> = part.iter().map(|(id, _)| id).collect();
                let got = soak.ask("POST", &kind.path("/documents/get"), &json!({ "ids": ids }));
                for ((id, count), found) in part.iter().zip(got["documents"].as_array().expect("a list")) {
                    let found = found["metadata"]["count"].as_u64().unwrap_or(0);
                    assert_eq!(found, *count, "{id} of {}", kind.name);
                    looked_at += 1;
                }
            }
        }
    }
    looked_at
}

fn clients() -> Vec<Client> {
    let client = |number| Client {
        number,
        rng: Rng::new(number),
        count: 1,
        documents: KINDS.iter().map(|kind| vec![1; (kind.ids / CLIENTS) as usize]).collect(),
        deleted: vec![Vec::new(); KINDS.len()],
        keys: vec![1; (KEYS / CLIENTS) as usize],
    };
    (0..CLIENTS).map(client).collect()
}

#[test]
#[ignore = "as long as KITH_PROVE_SECONDS, better with an optimised server: npm run prove -- soak --for 10m"]
fn a_busy_server_takes_no_more_and_finds_no_less_in_a_soak() {
    let seconds = std::env::var("KITH_PROVE_SECONDS").ok().and_then(|s| s.parse().ok()).unwrap_or(60);
    let directory = tempfile::tempdir().expect("a directory");
    let data = directory.path().join("db");
    let soak = Soak::start(&data);
    let mut clients = clients();
    let (mut samples, mut taken) = (Vec::new(), Vec::new());
    let begin = Instant::now();
    // Twenty samples at the least, so that a quarter is a few.
    let every = Duration::from_secs(30).min(Duration::from_secs(seconds) / 20);
    std::thread::scope(|scope| {
        let soak = &soak;
        let working: Vec<_> =
            clients.iter_mut().map(|client| scope.spawn(move || soak.work(client))).collect();
        scope.spawn(move || soak.seal());
        // A client that is gone has found something wrong.
        while begin.elapsed() < Duration::from_secs(seconds)
            && !working.iter().any(|client| client.is_finished())
        {
            soak.watch(Instant::now() + every, &mut taken);
            let sample = soak.sample(&data);
            sample.print(begin.elapsed().as_secs());
            samples.push(sample);
        }
        soak.stop.store(true, Ordering::Relaxed);
    });
    let looked_at = check(&soak, &clients);
    let wrong = judge(&taken, &samples);
    let least = samples.iter().map(|sample| (sample.recall * 1000.0) as u64).min().unwrap_or_default();
    println!(
        "counted: soak seconds={seconds} operations={} documents={looked_at} lost=0 recall-per-mille={least}",
        soak.operations.load(Ordering::Relaxed)
    );
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The control: what grows is told.
#[test]
fn a_soak_whose_figures_grow_is_noticed() {
    let same = Taken { held: 20 << 20, rss: 75 << 20, anonymous: 60 << 20, threads: 10, descriptors: 20 };
    let sample = |disk: u64, recall: f64| Sample {
        taken: same,
        disk,
        live: 10,
        unsealed: 0,
        documents: 1,
        segments: 1,
        indexed: 1,
        recall,
    };
    let flat = [same; 20];
    let samples = vec![sample(30, 0.99); 20];
    assert_eq!(judge(&flat, &samples), [""; 0]);
    let growing = |grow: fn(&mut Taken, u64)| {
        let taken: Vec<Taken> = (0..20)
            .map(|number| {
                let mut taken = same;
                grow(&mut taken, number);
                taken
            })
            .collect();
        judge(&taken, &samples).len()
    };
    assert_eq!(growing(|taken, number| taken.rss += (3 * number) << 20), 1);
    assert_eq!(growing(|taken, number| taken.held += number << 19), 1);
    assert_eq!(
        growing(|taken, number| taken.anonymous += number),
        1,
        "three times what is held is the bound"
    );
    assert_eq!(growing(|taken, number| taken.threads += number), 1);
    assert_eq!(growing(|taken, number| taken.descriptors += 2 * number), 1);
    assert_eq!(judge(&flat, &vec![sample(31, 0.99); 20]).len(), 1, "mostly three times at the most");
    assert_eq!(
        judge(&flat, &vec![sample(41, 0.94); 20]).len(),
        1 + 2 * 16,
        "never four times, nor so few found"
    );
    let mut mapped = samples.clone();
    mapped[10].taken.rss = mapped[10].taken.anonymous + PROGRAM_BYTES + 31;
    assert_eq!(judge(&flat, &mapped).len(), 1, "more than there is in files");
    let worse: Vec<Sample> = (0..20).map(|number| sample(30, 0.99 - 0.002 * f64::from(number))).collect();
    assert_eq!(judge(&flat, &worse).len(), 1, "still above the floor, and falling");
}
