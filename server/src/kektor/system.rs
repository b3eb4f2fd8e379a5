//! The whole database: save, rewrite, the tasks that run, figures.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use kithdb::collection::{Facet, SearchRequest};
use kithdb::engine::JobKind;
use kithdb::host::{CollectionHandle, Db};
use serde::Serialize;

use super::maintenance::too_many;
use super::{memory, not_found, ok};
use crate::http::{App, NoBody, PathOf, Problem, unless_dropped};
use crate::process::ProcessFigures;

/// Seals what is in memory. Nothing was at risk before: writes are in the log already.
pub async fn save(State(app): State<App>, _: NoBody) -> Result<Response, Problem> {
    app.ok(|db| {
        // One that cannot be saved does not keep the others from it; one that is not open has nothing in memory.
        let mut outcome = Ok(());
        for collection in db.opened()? {
            let sealed = unless_dropped(collection.run(JobKind::Seal)).unwrap_or(Ok(false));
            outcome = outcome.and(sealed.map(|_| ()));
        }
        outcome.and(db.flush().map_err(Problem::from))?;
        Ok::<_, Problem>(ok(Some("Snapshot created")))
    })
    .await
}

/// A task, and how far it has come.
pub async fn task(State(app): State<App>, PathOf(id): PathOf<String>) -> Result<Response, Problem> {
    let found = app.tasks().get(&id);
    let not_found = || Problem::http(StatusCode::NOT_FOUND, "unknown_task", "task not found");
    let mut task = found.ok_or_else(not_found)?;
    app.ok(move |db| {
        if task.status == "running"
            && let Ok(collection) = db.collection(&task.collection)
            && let Some(job) = collection.job()
        {
            let (kind, done, total) = (job.kind.name(), job.progress.done, job.progress.total);
            task.progress_message = Some(format!("{kind}: {done} of {total}"));
        }
        Ok::<_, kithdb::base::Error>(task)
    })
    .await
}

/// Starts sealing what is in memory, after which no log holds it, and writing again what has ended in segments. Only what is
/// open: what is not has nothing in memory.
pub async fn rewrite(State(app): State<App>, _: NoBody) -> Result<Response, Problem> {
    let started = app.clone();
    app.answer(StatusCode::ACCEPTED, move |db| {
        let collections = db.opened()?;
        let work = move || {
            for collection in collections {
                match sealed_and_vacuumed(&collection) {
                    // Dropped meanwhile: nothing of it is left to be written again.
                    Err(error) if error.code() == "closed" => {}
                    done => done?,
                }
            }
            Ok(())
        };
        started.tasks().start("", "aof-rewrite", work).ok_or_else(too_many)
    })
    .await
}

fn sealed_and_vacuumed(collection: &CollectionHandle) -> kithdb::base::Result<()> {
    collection.run(JobKind::Seal)?;
    while collection.run(JobKind::Vacuum)? {}
    Ok(())
}

#[derive(Serialize)]
struct StatsAnswer {
    uptime_seconds: u64,
    total_vectors: usize,
    total_indexes: usize,
    graph: GraphFigures,
    gardener: GardenerAnswer,
    memory: MemoryFigures,
    embedder: EmbedderAnswer,
}

#[derive(Serialize)]
struct GraphFigures {
    pinned_nodes: u64,
}

#[derive(Serialize)]
struct MemoryFigures {
    /// What the process takes; left out where the system does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    heap_alloc_mb: Option<f64>,
    /// What is in memory and in logs, and in no segment.
    aof_size_mb: f64,
}

/// There is no gardener here: nothing thinks by itself.
#[derive(Default, Serialize)]
struct GardenerAnswer {
    enabled: bool,
    mode: &'static str,
    interval: &'static str,
    last_think_time: &'static str,
    total_reflections: u64,
    contradictions_pending: u64,
    merged_today: u64,
    decayed_total: u64,
    target_indexes: [String; 0],
}

#[derive(Serialize)]
struct EmbedderAnswer {
    /// `static` or `none`.
    active: &'static str,
    model: String,
    dimension: usize,
    available: bool,
}

impl EmbedderAnswer {
    fn of(db: &Db) -> Self {
        let embedder = db.options().embedder.as_ref();
        Self {
            active: if embedder.is_some() { "static" } else { "none" },
            model: embedder.map(|embedder| embedder.name().to_owned()).unwrap_or_default(),
            dimension: embedder.map_or(0, |embedder| embedder.dim()),
            available: embedder.is_some(),
        }
    }
}

const MIB: f64 = 1_048_576.0;

/// Figures of the database.
pub async fn stats(State(app): State<App>) -> Result<Response, Problem> {
    let uptime_seconds = app.uptime().as_secs();
    app.ok(move |db| {
        let (mut total_vectors, mut unsealed, mut pinned_nodes, names) = (0, 0, 0, db.names()?);
        for collection in names.iter().filter_map(|name| db.collection(name).ok()) {
            let counted = || Ok::<_, kithdb::base::Error>((collection.view()?.stats(), pinned(&collection)?));
            let Some((stats, pinned)) = unless_dropped(counted()).transpose()? else { continue };
            total_vectors += stats.documents;
            unsealed += stats.memtable_bytes;
            pinned_nodes += pinned;
        }
        let resident = ProcessFigures::now().resident_bytes;
        let heap_alloc_mb = resident.map(|bytes| bytes as f64 / MIB);
        let memory = MemoryFigures { heap_alloc_mb, aof_size_mb: unsealed as f64 / MIB };
        Ok::<_, Problem>(StatsAnswer {
            uptime_seconds,
            total_vectors,
            total_indexes: names.len(),
            graph: GraphFigures { pinned_nodes },
            gardener: GardenerAnswer::default(),
            memory,
            embedder: EmbedderAnswer::of(db),
        })
    })
    .await
}

/// How many memories keep their score whatever their age.
fn pinned(collection: &CollectionHandle) -> kithdb::base::Result<u64> {
    let filter = kithdb::collection::parse_filter(&format!("{} = true", memory::PINNED))?;
    let facets = vec![Facet::new(memory::PINNED)];
    let request = SearchRequest { filter, facets, k: 1, ..SearchRequest::default() };
    Ok(collection.search(request)?.total.unwrap_or(0))
}

pub async fn gardener(State(app): State<App>) -> Result<Response, Problem> {
    app.ok(|_| Ok::<_, Problem>(GardenerAnswer::default())).await
}

pub async fn embedder(State(app): State<App>) -> Result<Response, Problem> {
    app.ok(|db| Ok::<_, Problem>(EmbedderAnswer::of(db))).await
}

/// There are no vectorizers here.
pub async fn vectorizers(State(app): State<App>) -> Result<Response, Problem> {
    app.ok(|_| Ok::<_, Problem>([(); 0])).await
}

pub async fn trigger_vectorizer(PathOf(name): PathOf<String>, _: NoBody) -> Problem {
    not_found(&format!("vectorizer '{}' not found", kithdb::base::ids::shorten(&name)))
}
