//! Power cuts of a block device: the real server writes to an ext4 whose disk notes every write and flush.
//!
//! Afterwards the disk is made again as it was at many flushes, with any part of what was written after them; the file
//! system replays its journal, the database is looked at and opened, and must hold what was promised. The control runs
//! the same without fsync, and must lose writes.

mod history;
mod names;

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use kithdb::base::{NoObserver, Rng, Value};
use kithdb::collection::{Document, SearchRequest};
use kithdb::engine::JobKind;
use kithdb::engine::verify::{self, Checked, Visitor};
use kithdb::host::{AddMode, CollectionHandle, Db, Inspection, Options};
use kithdb::storage::Level;
use kithdb_tests::block_disk::{BlockDisk, LOSSES, LoopMount, Loss, PowerCut, Recording, make_ext4, ran};
use kithdb_tests::preload;
use kithdb_tests::rest_surface::Server;
use serde_json::{Value as Json, json};

use history::{EVERY_SECOND, Findings, IDS_A_WRITER, Op, Promised, Stamp, State, Writer, check, vector};
use names::Brief;

const MEGABYTES: usize = 48;
/// Collections, their writers, and the levels of these: in the second, nothing but the syncer makes anything durable.
const COLLECTIONS: [(&str, [u64; 2], &[Level]); 2] = [
    ("mixed", [0, 1], &[Level::Always, Level::Always, Level::Everysec, Level::Os]),
    ("late", [2, 3], &[Level::Everysec]),
];
/// Journals only what the file system is made of; and lets data be written after what names it.
const OPTIONS: [&str; 2] = ["data=ordered", "data=writeback"];
/// Writes and collections of a round, at the least: on a slow machine it takes longer.
const ACKNOWLEDGED_MIN: u64 = 100;
const NAMES_MIN: u64 = 10;
/// So much of a recording is kept in memory.
const RECORDED_MAX: usize = 1 << 30;

/// The load on a server.
struct Load<'a> {
    server: &'a Server,
    disk: &'a BlockDisk,
    order: AtomicU64,
    stop: AtomicBool,
    begun: Instant,
    acknowledged: AtomicU64,
    /// Collections that were made and filled.
    names: AtomicU64,
    /// Milliseconds of the slowest answer to a write that waited for its fsync.
    fsync_ms: AtomicU64,
}

impl Load<'_> {
    /// Whether enough was done that power cuts find something which was promised at each level.
    fn is_enough(&self, plan: &Plan<'_>) -> bool {
        let least = |count: &AtomicU64, least: u64| count.load(Ordering::Relaxed) >= least;
        let fsync = Duration::from_millis(self.fsync_ms.load(Ordering::Relaxed));
        self.begun.elapsed() >= plan.pause.max(2 * (EVERY_SECOND + fsync))
            && least(&self.acknowledged, ACKNOWLEDGED_MIN)
            && (!plan.has_jobs || least(&self.names, NAMES_MIN))
    }

    fn stamp(&self) -> Stamp {
        let order = self.order.fetch_add(1, Ordering::SeqCst);
        Stamp { order, position: self.disk.position(), at: Instant::now() }
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Writes until it is stopped.
    fn write(&self, collection: &str, number: u64, levels: &[Level], writer: &mut Writer, seed: u64) {
        let mut rng = Rng::new(seed ^ (number << 40));
        // What an earlier round sent and lost must not be taken for what this one sends.
        let mut count = seed << 24;
        while !self.stopped() {
            count += 1;
            let mut ids: Vec<String> = (0..=rng.below(4))
                .map(|_| format!("w{:03}", number * IDS_A_WRITER + rng.below(IDS_A_WRITER)))
                .collect();
            ids.sort();
            ids.dedup();
            let is_delete = rng.below(5) == 0;
            let level = levels[rng.below(levels.len() as u64) as usize];
            let mut op = Op { number: count, ids, is_delete, level, sent: self.stamp(), acknowledged: None };
            let (path, body) = request(collection, &op);
            let answer = self.server.send("POST", &path, Some(body.to_string().as_bytes()));
            let (status, said) = answer.expect("the server answers");
            assert_eq!(status, 200, "{}", String::from_utf8_lossy(&said));
            let answered = self.stamp();
            op.acknowledged = Some(answered);
            if level == Level::Always {
                let took = (answered.at - op.sent.at).as_millis() as u64;
                self.fsync_ms.fetch_max(took, Ordering::Relaxed);
            }
            self.acknowledged.fetch_add(1, Ordering::Relaxed);
            writer.ops.push(op);
        }
    }

    /// Jobs at random, as a busy server has them.
    fn disturb(&self, seed: u64) {
        let mut rng = Rng::new(seed);
        while !self.stopped() {
            let job = ["seal", "seal", "index", "merge", "optimize"][rng.below(5) as usize];
            let collection = COLLECTIONS[rng.below(2) as usize].0;
            let path = format!("/v1/collections/{collection}/{job}");
            self.server.ask("POST", &path, None).unwrap_or_else(|e| panic!("{path}: {e:?}"));
            std::thread::sleep(Duration::from_millis(rng.below(80)));
        }
    }
}

fn request(collection: &str, op: &Op) -> (String, Json) {
    let path = format!("/v1/collections/{collection}/documents");
    if op.is_delete {
        return (format!("{path}/delete"), json!({ "ids": op.ids, "durability": op.level.name() }));
    }
    let document = |id: &String| {
        let metadata = json!({ "count": op.number, "text": format!("count{}", op.number) });
        json!({ "id": id, "vector": vector(id, op.number), "metadata": metadata })
    };
    let documents: Vec<Json> = op.ids.iter().map(document).collect();
    (path, json!({ "documents": documents, "durability": op.level.name() }))
}

/// What a round of load left.
struct Round {
    recording: Recording,
    /// From here on the collections are there.
    from: usize,
    writers: Vec<Writer>,
    briefs: Vec<Brief>,
    /// The slowest answer to a write that waited for its fsync.
    fsync: Duration,
}

impl Round {
    fn acknowledged(&self) -> usize {
        self.writers.iter().flat_map(|w| &w.ops).filter(|op| op.acknowledged.is_some()).count()
    }
}

/// How a round goes.
struct Plan<'a> {
    number: u64,
    /// Of the mount.
    options: &'a str,
    /// A library that the server is to load first.
    preload: Option<&'a Path>,
    level: Level,
    /// Whether jobs run. Without them all that the file system has to keep is logs, once the collections are there.
    has_jobs: bool,
    /// As long as it goes on at the least.
    pause: Duration,
}

/// Makes the collections, and drops what the round before left of those that come and go.
fn prepare(server: &Server) {
    let list = server.ask("GET", "/v1/collections", None).expect("a list");
    let names: Vec<&str> =
        list["collections"].as_array().expect("a list").iter().filter_map(|c| c["name"].as_str()).collect();
    for name in names.iter().filter(|name| name.starts_with(names::PREFIX)) {
        server.ask("DELETE", &format!("/v1/collections/{name}"), None).expect("dropped");
    }
    for (name, ..) in COLLECTIONS.iter().filter(|(name, ..)| !names.contains(name)) {
        let body = json!({ "name": name, "text": { "fields": ["text"] }, "ef_construction": 20 });
        server.ask("POST", "/v1/collections", Some(&body)).expect("made");
    }
}

/// Serves a disk, mounts it and lets the server work on it for a while.
fn round(image: &[u8], bases: &[State], plan: &Plan<'_>) -> Round {
    let mut disk = BlockDisk::serve(image).expect("FUSE serves");
    let mount = LoopMount::new(&disk.path(), plan.options).expect("mounted");
    let variables: Vec<(&str, &OsStr)> =
        plan.preload.map(|path| ("LD_PRELOAD", path.as_os_str())).into_iter().collect();
    let server =
        Server::start_with(&mount.path().join("db"), &["--durability", plan.level.name()], &variables)
            .expect("starts");
    prepare(&server);
    if !plan.has_jobs {
        ran(Command::new("sync").arg("-f").arg(mount.path())).expect("synced");
    }
    let from = disk.position();
    let mut writers: Vec<Writer> =
        bases.iter().map(|base| Writer { base: base.clone(), ops: Vec::new() }).collect();
    let load = Load {
        server: &server,
        disk: &disk,
        order: AtomicU64::new(0),
        stop: AtomicBool::new(false),
        begun: Instant::now(),
        acknowledged: AtomicU64::new(0),
        names: AtomicU64::new(0),
        fsync_ms: AtomicU64::new(0),
    };
    let briefs = std::thread::scope(|scope| {
        let load = &load;
        let writing: Vec<_> = writers
            .iter_mut()
            .enumerate()
            .map(|(number, writer)| {
                let (name, _, levels) = COLLECTIONS[number / 2];
                scope.spawn(move || load.write(name, number as u64, levels, writer, plan.number))
            })
            .collect();
        let briefs = plan.has_jobs.then(|| {
            scope.spawn(move || load.disturb(plan.number));
            scope.spawn(move || names::come_and_go(load))
        });
        let all = || briefs.iter().map(|b| b.is_finished()).chain(writing.iter().map(|w| w.is_finished()));
        // Who has ended before it was told to found something wrong.
        while !load.is_enough(plan) && !all().any(|is_over| is_over) {
            std::thread::sleep(Duration::from_millis(50));
        }
        load.stop.store(true, Ordering::Relaxed);
        briefs.map_or_else(Vec::new, |briefs| briefs.join().expect("made and dropped"))
    });
    let recording = disk.recorded();
    server.kill();
    assert!(recording.written() < RECORDED_MAX, "{} bytes in one round", recording.written());
    let took = |op: &Op| op.acknowledged.map(|answer| answer.at - op.sent.at);
    let synced = writers.iter().flat_map(|w| &w.ops).filter(|op| op.level == Level::Always);
    let fsync = synced.filter_map(took).max().unwrap_or_default();
    Round { recording, from, writers, briefs, fsync }
}

/// What an image showed.
struct Seen {
    findings: Findings,
    promised: Promised,
    /// What the writers find there, and go on from.
    found: Vec<State>,
}

/// Looks at a disk after a power cut as its owner would: verify, open, read, write, close, verify.
fn look(image: &[u8], round: &Round, cut: &PowerCut, options: &str) -> Seen {
    let mut seen = Seen {
        findings: Findings::default(),
        promised: Promised::default(),
        found: vec![State::new(); round.writers.len()],
    };
    for writer in &round.writers {
        let (_, promised) = writer.promised(cut, round.fsync);
        seen.promised.always += promised.always;
        seen.promised.everysec += promised.everysec;
    }
    if let Err(problem) = look_at_disk(image, round, cut, options, &mut seen) {
        // Nothing can be read: nothing that was promised is there.
        seen.findings.lost = seen.promised.always + seen.promised.everysec;
        seen.findings.told.push(problem);
    }
    seen
}

fn look_at_disk(
    image: &[u8],
    round: &Round,
    cut: &PowerCut,
    options: &str,
    seen: &mut Seen,
) -> Result<(), String> {
    let file = tempfile::NamedTempFile::new().map_err(|e| e.to_string())?;
    std::fs::write(file.path(), image).map_err(|e| e.to_string())?;
    let mount = LoopMount::new(file.path(), options)?;
    let path = mount.path().join("db");
    is_undamaged(&path)?;
    let db_options = || Options { auto_jobs: false, threads: 1, level: Level::Always, ..Options::default() };
    let db = Db::open(&path, db_options()).map_err(|e| e.to_string())?;
    let mut held = Vec::new();
    for (name, numbers, _) in COLLECTIONS {
        let collection = db.collection(name).map_err(|e| format!("{name}: {e}"))?;
        let found = read(&collection).map_err(|e| format!("{name}: {e}"))?;
        let of = |number: &u64| (*number, &round.writers[*number as usize]);
        let findings = check(&numbers.each_ref().map(of), &found, cut, round.fsync);
        seen.findings.lost += findings.lost;
        seen.findings.told.extend(findings.told.into_iter().map(|told| format!("{name}: {told}")));
        for (id, count) in &found {
            let owner = id[1..].parse::<u64>().map_or(0, |number| number / IDS_A_WRITER) as usize;
            if let Some(state) = seen.found.get_mut(owner) {
                state.insert(id.clone(), *count);
            }
        }
        held.push((name, found));
    }
    let (names, wrong) = names::check(&db, &round.briefs, cut)?;
    seen.promised.names += names;
    seen.findings.lost += wrong.len() as u64;
    seen.findings.told.extend(wrong);
    goes_on(&db, &mut held).map_err(|e| e.to_string())?;
    is_undamaged(&path)?;
    let db = Db::open(&path, db_options()).map_err(|e| e.to_string())?;
    for (name, expected) in held {
        let again = read(&*db.collection(name).map_err(|e| e.to_string())?)?;
        if again != expected {
            return Err(format!("{name}: reads otherwise when it is opened again"));
        }
    }
    db.close().map_err(|e| e.to_string())
}

/// What a power cut leaves takes writes and jobs.
fn goes_on(db: &Db, held: &mut [(&str, State)]) -> kithdb::base::Result<()> {
    for (name, state) in held {
        let collection = db.collection(name)?;
        let metadata = kithdb::base::value::parse_object(r#"{"count":7,"text":"count7"}"#)?;
        let vector = Some(vector("w999", 7));
        let more = Document { id: "w999".into(), vector, metadata, expires_at: None };
        collection.add(vec![more], AddMode::Insert, Some(Level::Always))?;
        collection.run(JobKind::Seal)?;
        state.insert("w999".into(), 7);
    }
    db.close()
}

/// What is damaged.
#[derive(Default)]
struct Damage(Vec<Checked>);

impl Visitor for Damage {
    fn checked(&mut self, checked: &Checked) {
        self.0.extend((checked.state == verify::State::Damaged).then(|| checked.clone()));
    }
}

fn is_undamaged(path: &Path) -> Result<(), String> {
    let inspection = Inspection::open(path, std::sync::Arc::new(NoObserver)).map_err(|e| e.to_string())?;
    let mut told = Damage::default();
    let summary = inspection.verify(&mut told).map_err(|e| e.to_string())?;
    if summary.is_clean() { Ok(()) } else { Err(format!("damaged: {:?}", told.0)) }
}

/// All that a collection holds; that each document is as it was written, and is found by what it is.
fn read(collection: &CollectionHandle) -> Result<State, String> {
    let page = collection.scan(None, 1_000, None).map_err(|e| e.to_string())?;
    let mut found = State::new();
    for row in &page.rows {
        let Value::Int(count) = row.metadata["count"] else {
            return Err(format!("{}: {:?}", row.id, row.metadata));
        };
        let count = count as u64;
        if row.vector.as_deref() != Some(&vector(&row.id, count)[..])
            || row.metadata["text"] != Value::Str(format!("count{count}"))
        {
            return Err(format!("{} of {count} is not as it was written", row.id));
        }
        if found.insert(row.id.to_string(), count).is_some() {
            return Err(format!("{} is there twice", row.id));
        }
    }
    let live = collection.info().map_err(|e| e.to_string())?.stats.documents;
    if live != found.len() {
        return Err(format!("{live} documents are counted, {} listed", found.len()));
    }
    for (id, count) in found.iter().step_by(1 + found.len() / 8) {
        let requests = [
            SearchRequest { vector: Some(vector(id, *count)), k: 1, ..SearchRequest::default() },
            SearchRequest { text: Some(format!("count{count}")), k: 100, ..SearchRequest::default() },
        ];
        for request in requests {
            let answer = collection.search(request).map_err(|e| e.to_string())?;
            if !answer.hits.iter().any(|hit| *hit.id == **id) {
                return Err(format!("{id} of {count} is not found"));
            }
        }
    }
    Ok(found)
}

/// Sums over images.
#[derive(Default)]
struct Sum {
    images: u64,
    acknowledged: u64,
    promised: Promised,
    lost: u64,
    told: Vec<String>,
}

/// Cuts the power of a round at some of its flushes; the image of the last, and what is on it.
fn cut(round: &Round, options: &str, images: u64, rng: &mut Rng, sum: &mut Sum) -> (Vec<u8>, Vec<State>) {
    let cuts = round.recording.cuts(round.from);
    sum.acknowledged += round.acknowledged() as u64;
    let mut last = (Vec::new(), Vec::new());
    for number in 0..images {
        // The end of the round is always among them: there, the most was promised.
        let at = if number == 0 { cuts.len() - 1 } else { rng.below(cuts.len() as u64) as usize };
        let loss: Loss = LOSSES[(number % LOSSES.len() as u64) as usize];
        let image = round.recording.after(cuts[at], loss, rng);
        let seen = look(&image, round, &cuts[at], options);
        sum.images += 1;
        sum.promised.always += seen.promised.always;
        sum.promised.everysec += seen.promised.everysec;
        sum.promised.names += seen.promised.names;
        sum.lost += seen.findings.lost;
        let place = format!("{options}, flush {at} of {}, {loss:?}", cuts.len());
        sum.told.extend(seen.findings.told.into_iter().map(|told| format!("{place}: {told}")));
        last = (image, seen.found);
    }
    last
}

/// Rounds of load, each on the disk that the last power cut of the one before left.
fn cut_power(pause: Duration, images: u64, mut more: impl FnMut(u64) -> bool) {
    let (mut sum, mut rng) = (Sum::default(), Rng::new(4));
    let mut image = make_ext4(MEGABYTES).expect("made");
    let mut bases = vec![State::new(); 4];
    let mut number = 0;
    while more(number) {
        let options = OPTIONS[number as usize % OPTIONS.len()];
        let level = [Level::Everysec, Level::Always][number as usize / 2 % 2];
        let plan = Plan { number, options, preload: None, level, has_jobs: true, pause };
        let round = round(&image, &bases, &plan);
        (image, bases) = cut(&round, options, images, &mut rng, &mut sum);
        assert!(sum.told.is_empty(), "{} lost: {:#?}", sum.lost, sum.told);
        number += 1;
    }
    let Promised { always, everysec, names } = sum.promised;
    println!(
        "counted: power-cut images={} acknowledged={} promised-always={always} promised-everysec={everysec} \
         promised-names={names} lost={}",
        sum.images, sum.acknowledged, sum.lost
    );
    assert!(
        always > sum.images && everysec > sum.images && names > sum.images,
        "hardly anything was promised"
    );
}

/// What this machine lacks, in one line.
fn missing() -> Option<String> {
    let tried = || -> Result<(), String> {
        let disk = BlockDisk::serve(&make_ext4(8)?).map_err(|e| format!("FUSE: {e}"))?;
        LoopMount::new(&disk.path(), OPTIONS[0]).map(drop)
    };
    tried().err()
}

#[test]
fn no_promised_write_is_lost_by_twenty_power_cuts() {
    if let Some(missing) = missing() {
        eprintln!("skipped: power cuts need FUSE, loop devices, ext4 and root: {missing}");
        return;
    }
    cut_power(Duration::from_secs(4), 7, |number| number < 3);
}

#[test]
#[ignore = "as long as KITH_PROVE_SECONDS: npm run prove -- power-cuts --for 40m"]
fn no_promised_write_is_lost_by_power_cuts_for_as_long_as_asked() {
    let seconds = std::env::var("KITH_PROVE_SECONDS").ok().and_then(|s| s.parse().ok()).unwrap_or(60);
    let end = Instant::now() + Duration::from_secs(seconds);
    cut_power(Duration::from_secs(6), 20, |_| Instant::now() < end);
}

/// A library with which every sync succeeds and none is done.
const NO_SYNC: &str = "
int fsync(int fd) { (void)fd; return 0; }
int fdatasync(int fd) { (void)fd; return 0; }
int msync(void *start, unsigned long len, int flags) { (void)start; (void)len; (void)flags; return 0; }
";

/// The control: what is not synced is lost, and these checks see it.
#[test]
fn a_server_whose_fsync_does_nothing_loses_promised_writes() {
    let directory = tempfile::tempdir().expect("a directory");
    let library = preload::library(directory.path(), "no_sync", NO_SYNC);
    let (Ok(library), None) = (&library, missing()) else {
        let missing = [library.err(), missing()].into_iter().flatten().collect::<Vec<_>>().join("; ");
        eprintln!("skipped: the control needs cc, FUSE, loop devices, ext4 and root: {missing}");
        return;
    };
    // The file system's own commits come every second, so that there are flushes to cut at.
    let options = "data=ordered,commit=1";
    let (pause, level) = (Duration::from_secs(2), Level::Everysec);
    for has_jobs in [true, false] {
        let plan = Plan { number: 1, options, preload: Some(library), level, has_jobs, pause };
        let round = round(&make_ext4(MEGABYTES).expect("made"), &vec![State::new(); 4], &plan);
        let mut sum = Sum::default();
        cut(&round, options, 3, &mut Rng::new(1), &mut sum);
        println!("without fsync {} promised writes are lost in {} images", sum.lost, sum.images);
        assert!(sum.lost > 0, "nothing is lost without fsync: the power cuts prove nothing");
        // With jobs it is mostly whole databases; without them these are whole but for the end of their logs.
        let short = sum.told.iter().filter(|told| told.contains("were promised")).count();
        assert!(has_jobs || short > 0, "{:#?}", sum.told);
    }
}
