//! The route table: every path that is served, in one place, with what it needs of who asks.

use axum::extract::{Request, State};
use axum::middleware::{from_fn_with_state, map_response};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json, Router};
use kithdb::engine::JobKind;
use kithdb::host::{Db, Options};
use tower_http::catch_panic::CatchPanicLayer;

use super::access::caller;
use super::app::{App, AppOptions};
use super::coding::coded;
use super::cors::share;
use super::extract::{NoBody, PathOf};
use super::failures::Peer;
use super::guard::guard;
use super::need::{About, Need, admin, public, read, write};
use super::observe::{metrics, observe};
use super::problem::Problem;
use super::table::{Route, Table};
use crate::kektor::{self, auto_links, graph as edges, indexes, maintenance, nodes, vectors};
use crate::openapi::{self, Document};
use crate::page;
use crate::ruvector::{self, collections as numbered};
use crate::v1::{collections, database, documents, embedder, events, graph, jobs, keys, kv, process, search};

/// About the collection in the path.
const NAMED: About = About::Path("name");
/// About the one that KektorDB's actions name in their body.
const INDEX: About = About::Field("index_name");

/// Everything that is served, behind the guard.
pub fn routes(app: App) -> Router {
    let (router, declared) = table(app.clone()).build();
    let policy = page::policy(&app.options().remote_origins);
    router
        .layer(Extension(Document::of(declared)))
        .fallback(unknown_route)
        .method_not_allowed_fallback(wrong_method)
        .layer(from_fn_with_state(app.clone(), coded))
        .layer(from_fn_with_state(app.clone(), guard))
        .layer(CatchPanicLayer::custom(|_| Problem::internal().into_response()))
        .layer(from_fn_with_state(app.clone(), share))
        .layer(map_response(move |response: Response| page::secure(policy.clone(), response)))
        .layer(from_fn_with_state(app.clone(), observe))
        .with_state(app)
}

/// Every route as it is declared.
///
/// # Errors
/// When there is no memory for a database of nothing.
pub fn declared() -> kithdb::base::Result<Vec<Route>> {
    let app = App::new(Db::in_memory(Options::default())?, AppOptions::at(([127, 0, 0, 1], 0).into()));
    Ok(table(app).build().1)
}

/// Every route. One that is not here is not served; one that is says who may use it.
pub fn table(app: App) -> Table {
    Table::new(app.clone())
        .get("/", public(), page::to_explorer)
        .get("/ui", public(), page::to_explorer)
        .get("/ui/", public(), page::explorer)
        .get("/ui/files.json", public(), page::files)
        .get("/ui/explorer", public(), page::to_explorer)
        .get("/ui/explorer/", public(), page::to_explorer)
        .get("/ui/{*file}", public(), page::asset)
        .get("/healthz", public(), healthz)
        .get("/readyz", public(), readyz)
        .get("/metrics", admin(), metrics)
        .get("/openapi.json", public(), openapi::served)
        .get("/docs", public(), page::docs)
        .get("/v1/collections", read(About::Listed), collections::list)
        .post("/v1/collections", write(About::Field("name")), collections::create)
        .get("/v1/collections/{name}", read(NAMED), collections::info)
        .patch("/v1/collections/{name}", write(NAMED), collections::configure)
        .delete("/v1/collections/{name}", write(NAMED), collections::remove)
        .get("/v1/collections/{name}/documents", read(NAMED), documents::scan)
        .post("/v1/collections/{name}/documents", write(NAMED), documents::add)
        .get("/v1/collections/{name}/documents/{id}", read(NAMED), documents::get)
        .put("/v1/collections/{name}/documents/{id}", write(NAMED), documents::put)
        .delete("/v1/collections/{name}/documents/{id}", write(NAMED), documents::remove)
        .post("/v1/collections/{name}/documents/{id}", DOCUMENTS_VERB, documents::many)
        .get("/v1/collections/{name}/documents/{id}/versions", read(NAMED), documents::versions)
        .post("/v1/collections/{name}/search", read(NAMED), search::search)
        .post("/v1/collections/{name}/search/batch", read(NAMED), search::many)
        .post("/v1/collections/{name}/graph/{verb}", GRAPH_VERB, graph::verb)
        .merge(job_routes(app.clone()))
        .get("/v1/collections/{name}/job", read(NAMED), jobs::running)
        .delete("/v1/collections/{name}/job", write(NAMED), jobs::cancel)
        .post("/v1/collections/{name}/relink", write(NAMED), jobs::relink)
        .post("/v1/collections/{name}/compress", write(NAMED), jobs::compress)
        .post("/v1/collections/{name}/estimate", read(NAMED), jobs::estimate)
        .get("/v1/collections/{name}/export", read(NAMED), collections::export)
        .post("/v1/collections/{name}/import", write(NAMED), collections::import)
        .get("/v1/kv", read(About::Database), kv::list)
        .get("/v1/kv/{key}", read(About::Database), kv::get)
        .put("/v1/kv/{key}", write(About::Database), kv::set)
        .delete("/v1/kv/{key}", write(About::Database), kv::remove)
        .post("/v1/kv/{key}", KEYS_VERB, kv::verb)
        .get("/v1/stats", read(About::Database), database::stats)
        .post("/v1/verify", admin(), database::verify)
        .get("/v1/memory", admin(), process::memory)
        .get("/v1/profile", admin(), process::profile)
        .post("/v1/flush", write(About::Database), database::flush)
        .get("/v1/events", read(About::Listed), events::events)
        .get("/v1/embedder", read(About::Nothing), embedder::info)
        .get("/v1/embedder/model.safetensors", read(About::Nothing), embedder::model)
        .get("/v1/embedder/tokenizer.json", read(About::Nothing), embedder::tokenizer)
        .get("/v1/keys", admin(), keys::list)
        .post("/v1/keys", admin(), keys::create)
        .delete("/v1/keys/{id}", admin(), keys::revoke)
        .get("/.well-known/jwks.json", public(), kektor::auth::jwks)
        .merge(kektor_routes(app.clone()))
        .merge(ruvector_routes(app))
}

/// What `POST .../documents/{id}` does depends on the word in the place of the id.
const DOCUMENTS_VERB: Need = write(NAMED).but_reads("id", &["get", "versions", "touches"]);
/// What `POST /v1/kv/{key}` does depends on the word in the place of the key.
const KEYS_VERB: Need = write(About::Database).but_reads("key", &["get"]);
/// As does the graph on its verb.
const GRAPH_VERB: Need =
    write(NAMED).but_reads("verb", &["edges", "traverse", "subgraph", "path", "components"]);

/// A path for each kind of job.
fn job_routes(app: App) -> Table {
    JobKind::ALL.into_iter().fold(Table::new(app), |table, kind| {
        let path = format!("/v1/collections/{{name}}/{}", kind.name());
        let run = move |app: State<App>, name: PathOf<String>, _: NoBody| jobs::run(kind, app, name);
        table.post(&path, write(NAMED), run)
    })
}

/// KektorDB's paths, with its shape of errors.
fn kektor_routes(app: App) -> Table {
    Table::new(app.clone())
        .get("/kv/{key}", read(About::Database), kektor::kv::get)
        .put("/kv/{key}", write(About::Database), kektor::kv::set)
        .post("/kv/{key}", write(About::Database), kektor::kv::set)
        .delete("/kv/{key}", write(About::Database), kektor::kv::remove)
        .get("/vector/indexes", read(About::Listed), indexes::list)
        .post("/vector/indexes", write(INDEX), indexes::create)
        .get("/vector/indexes/{name}", read(NAMED), indexes::info)
        .delete("/vector/indexes/{name}", write(NAMED), indexes::remove)
        .post("/vector/indexes/{name}/config", write(NAMED), maintenance::config)
        .get("/vector/indexes/{name}/auto-links", read(NAMED), auto_links::get)
        .put("/vector/indexes/{name}/auto-links", write(NAMED), auto_links::set)
        .post("/vector/indexes/{name}/maintenance", write(NAMED), maintenance::trigger)
        .get("/vector/indexes/{name}/vectors/{id}", read(NAMED), vectors::get)
        .get("/vector/indexes/{name}/export", read(NAMED), vectors::export)
        .post("/vector/actions/create", write(INDEX), indexes::create)
        .post("/vector/actions/add", write(INDEX), vectors::add)
        .post("/vector/actions/add-batch", write(INDEX), vectors::add_batch)
        .post("/vector/actions/import", write(INDEX), vectors::import)
        .post("/vector/actions/import/commit", write(INDEX), vectors::commit)
        .post("/vector/actions/get-vectors", read(INDEX), vectors::get_many)
        .post("/vector/actions/reinforce", write(INDEX), vectors::reinforce)
        .post("/vector/actions/delete_vector", write(INDEX), vectors::delete)
        .post("/vector/actions/search", read(INDEX), kektor::search::search)
        .post("/vector/actions/search-with-scores", read(INDEX), kektor::search::search_with_scores)
        .post("/vector/actions/compress", write(INDEX), maintenance::compress)
        .merge(kektor_graph_routes(app.clone()))
        .merge(kektor_memory_routes(app.clone()))
        .post("/ui/explore", read(INDEX), edges::action(kektor::explore::explore))
        .post("/ui/search", read(INDEX), edges::action(kektor::explore::search))
        .merge(kektor_system_routes(app.clone()))
        .get("/auth/keys", admin(), kektor::auth::list)
        .post("/auth/keys", admin(), kektor::auth::create)
        .delete("/auth/keys/{id}", admin(), kektor::auth::revoke)
        .get("/events/stream", read(About::Listed), kektor::events::events)
        .merge(kektor::later::routes(app))
        .wrap(|router| router.layer(map_response(kektor::shape_errors)))
}

/// Memories that take the place of others, and how far they are believed.
fn kektor_memory_routes(app: App) -> Table {
    Table::new(app)
        .post("/vector/actions/evolve", write(INDEX), edges::action(kektor::evolution::evolve))
        .post("/vector/actions/get-evolution", read(INDEX), edges::action(kektor::evolution::get_evolution))
        .post("/vector/actions/belief-assessment", read(INDEX), edges::action(kektor::belief::assess))
        .post("/graph/actions/invalidate", write(INDEX), edges::action(kektor::belief::invalidate))
}

/// What KektorDB tells of itself.
fn kektor_system_routes(app: App) -> Table {
    Table::new(app)
        .get("/system/tasks/{id}", admin(), kektor::system::task)
        .post("/system/save", admin(), kektor::system::save)
        .post("/system/aof-rewrite", admin(), kektor::system::rewrite)
        .get("/system/stats", admin(), kektor::system::stats)
        .get("/system/gardener", admin(), kektor::system::gardener)
        .get("/system/embedder/status", admin(), kektor::system::embedder)
        .get("/system/vectorizers", admin(), kektor::system::vectorizers)
        .post("/system/vectorizers/{name}/trigger", admin(), kektor::system::trigger_vectorizer)
}

/// The actions of KektorDB's graph.
fn kektor_graph_routes(app: App) -> Table {
    Table::new(app)
        .post("/graph/actions/link", write(INDEX), edges::action(edges::link))
        .post("/graph/actions/unlink", write(INDEX), edges::action(edges::unlink))
        .post("/graph/actions/get-links", read(INDEX), edges::action(edges::get_links))
        .post("/graph/actions/get-incoming", read(INDEX), edges::action(edges::get_incoming))
        .post("/graph/actions/get-connections", read(INDEX), edges::action(edges::get_connections))
        .post("/graph/actions/get-edges", read(INDEX), edges::action(edges::get_edges))
        .post("/graph/actions/get-all-relations", read(INDEX), edges::action(edges::get_all_relations))
        .post("/graph/actions/get-all-incoming", read(INDEX), edges::action(edges::get_all_incoming))
        .post("/graph/actions/traverse", read(INDEX), edges::action(edges::traverse))
        .post("/graph/actions/extract-subgraph", read(INDEX), edges::action(edges::extract_subgraph))
        .post("/graph/actions/find-path", read(INDEX), edges::action(edges::find_path))
        .post("/graph/actions/set-node-properties", write(INDEX), edges::action(nodes::set_properties))
        .post("/graph/actions/get-node-properties", read(INDEX), edges::action(nodes::get_properties))
        .post("/graph/actions/search-nodes", read(INDEX), edges::action(nodes::search))
}

/// ruvector-go's paths, with its shape of errors. What it says to another method, or below a collection, differs by path.
fn ruvector_routes(app: App) -> Table {
    Table::new(app)
        .get("/health", public(), ruvector::health)
        .other("/health", public(), ruvector::wrong_method)
        .get("/collections", read(About::Listed), numbered::list)
        .post("/collections", write(About::Field("name")), numbered::create)
        .other("/collections", read(About::Nothing), ruvector::wrong_method)
        .other("/collections/", read(About::Nothing), ruvector::no_name)
        .get("/collections/{name}", read(NAMED), numbered::info)
        .delete("/collections/{name}", write(NAMED), numbered::remove)
        .other("/collections/{name}", read(NAMED), ruvector::wrong_method)
        .get("/collections/{name}/", read(NAMED), numbered::info)
        .delete("/collections/{name}/", write(NAMED), numbered::remove)
        .other("/collections/{name}/", read(NAMED), ruvector::wrong_method)
        .post("/collections/{name}/vectors", write(NAMED), ruvector::vectors::insert)
        .other("/collections/{name}/vectors", read(NAMED), ruvector::wrong_method_of_one)
        .get("/collections/{name}/vectors/{id}", read(NAMED), ruvector::vectors::get)
        .delete("/collections/{name}/vectors/{id}", write(NAMED), ruvector::vectors::remove)
        .other("/collections/{name}/vectors/{id}", read(NAMED), ruvector::vectors::wrong_method)
        .post("/collections/{name}/search", read(NAMED), ruvector::search::search)
        .other("/collections/{name}/search", read(NAMED), ruvector::wrong_method)
        .other("/collections/{name}/{*rest}", read(NAMED), ruvector::nothing_there)
        .wrap(|router| router.layer(map_response(ruvector::shape_errors)))
}

async fn healthz() -> Response {
    Json(serde_json::json!({"status": "ok"})).into_response()
}

/// Whether requests are served: no longer once the database is being closed.
async fn readyz(State(app): State<App>) -> Result<Response, Problem> {
    app.db().names()?;
    Ok(Json(serde_json::json!({"status": "ready"})).into_response())
}

/// Said to those only who may ask for what there is.
async fn unknown_route(State(app): State<App>, request: Request) -> Problem {
    let unknown = Problem::unknown_route(request.uri().path());
    caller(&app, request.headers(), Peer::of(request.extensions())).await.err().unwrap_or(unknown)
}

async fn wrong_method(State(app): State<App>, request: Request) -> Problem {
    let wrong = Problem::wrong_method(request.method(), request.uri().path());
    caller(&app, request.headers(), Peer::of(request.extensions())).await.err().unwrap_or(wrong)
}
