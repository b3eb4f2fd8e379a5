//! The route table: every path that is served, in one place.

use axum::extract::Request;
use axum::middleware::{from_fn_with_state, map_response};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use kithdb::engine::JobKind;
use tower_http::catch_panic::CatchPanicLayer;

use super::app::App;
use super::guard::guard;
use super::problem::Problem;
use crate::kektor::{self, graph as edges, indexes, maintenance, nodes, vectors};
use crate::page;
use crate::v1::{collections, documents, embedder, graph, jobs, kv, search};

/// Everything that is served, behind the guard.
pub fn routes(app: App) -> Router {
    Router::new()
        .route("/", get(page::index))
        .route("/ui", get(page::to_index))
        .route("/ui/", get(page::index))
        .route("/ui/files.json", get(page::files))
        .route("/ui/{*file}", get(page::asset))
        .route("/healthz", get(healthz))
        .route("/v1/collections", get(collections::list).post(collections::create))
        .route(
            "/v1/collections/{name}",
            get(collections::info).patch(collections::configure).delete(collections::remove),
        )
        .route("/v1/collections/{name}/documents", get(documents::scan).post(documents::add))
        .route(
            "/v1/collections/{name}/documents/{id}",
            get(documents::get).delete(documents::remove).post(documents::many),
        )
        .route("/v1/collections/{name}/documents/{id}/versions", get(documents::versions))
        .route("/v1/collections/{name}/search", post(search::search))
        .route("/v1/collections/{name}/graph/{verb}", post(graph::verb))
        .merge(job_routes())
        .route("/v1/collections/{name}/job", get(jobs::running).delete(jobs::cancel))
        .route("/v1/collections/{name}/compress", post(jobs::compress))
        .route("/v1/collections/{name}/estimate", post(jobs::estimate))
        .route("/v1/collections/{name}/export", get(collections::export))
        .route("/v1/collections/{name}/import", post(collections::import))
        .route("/v1/kv", get(kv::list))
        .route("/v1/kv/{key}", get(kv::get).put(kv::set).delete(kv::remove))
        .route("/v1/flush", post(jobs::flush))
        .route("/v1/embedder", get(embedder::info))
        .route("/v1/embedder/model.safetensors", get(embedder::model))
        .route("/v1/embedder/tokenizer.json", get(embedder::tokenizer))
        .merge(kektor_routes())
        .fallback(unknown_route)
        .method_not_allowed_fallback(wrong_method)
        .layer(from_fn_with_state(app.clone(), guard))
        .layer(CatchPanicLayer::custom(|_| Problem::internal().into_response()))
        .layer(map_response(page::secure))
        .with_state(app)
}

/// A path for each kind of job.
fn job_routes() -> Router<App> {
    JobKind::ALL
        .into_iter()
        .map(jobs::route)
        .fold(Router::new(), |router, (path, run)| router.route(&path, run))
}

/// KektorDB's paths, with its shape of errors.
fn kektor_routes() -> Router<App> {
    Router::new()
        .route(
            "/kv/{key}",
            get(kektor::kv::get).put(kektor::kv::set).post(kektor::kv::set).delete(kektor::kv::remove),
        )
        .route("/vector/indexes", get(indexes::list).post(indexes::create))
        .route("/vector/indexes/{name}", get(indexes::info).delete(indexes::remove))
        .route("/vector/indexes/{name}/config", post(maintenance::config))
        .route("/vector/indexes/{name}/maintenance", post(maintenance::trigger))
        .route("/vector/indexes/{name}/vectors/{id}", get(vectors::get))
        .route("/vector/actions/create", post(indexes::create))
        .route("/vector/actions/add", post(vectors::add))
        .route("/vector/actions/add-batch", post(vectors::add_batch))
        .route("/vector/actions/get-vectors", post(vectors::get_many))
        .route("/vector/actions/delete_vector", post(vectors::delete))
        .route("/vector/actions/search", post(kektor::search::search))
        .route("/vector/actions/compress", post(maintenance::compress))
        .merge(kektor_graph_routes())
        .route("/system/tasks/{id}", get(kektor::system::task))
        .route("/system/save", post(kektor::system::save))
        .layer(map_response(kektor::shape_errors))
}

/// The actions of KektorDB's graph.
fn kektor_graph_routes() -> Router<App> {
    Router::new()
        .route("/graph/actions/link", edges::action(edges::link))
        .route("/graph/actions/unlink", edges::action(edges::unlink))
        .route("/graph/actions/get-links", edges::action(edges::get_links))
        .route("/graph/actions/get-incoming", edges::action(edges::get_incoming))
        .route("/graph/actions/get-connections", edges::action(edges::get_connections))
        .route("/graph/actions/get-edges", edges::action(edges::get_edges))
        .route("/graph/actions/get-all-relations", edges::action(edges::get_all_relations))
        .route("/graph/actions/get-all-incoming", edges::action(edges::get_all_incoming))
        .route("/graph/actions/traverse", edges::action(edges::traverse))
        .route("/graph/actions/extract-subgraph", edges::action(edges::extract_subgraph))
        .route("/graph/actions/find-path", edges::action(edges::find_path))
        .route("/graph/actions/set-node-properties", edges::action(nodes::set_properties))
        .route("/graph/actions/get-node-properties", edges::action(nodes::get_properties))
        .route("/graph/actions/search-nodes", edges::action(nodes::search))
}

async fn healthz() -> Response {
    Json(serde_json::json!({"status": "ok"})).into_response()
}

async fn unknown_route(request: Request) -> Problem {
    Problem::unknown_route(request.uri().path())
}

async fn wrong_method(request: Request) -> Problem {
    Problem::wrong_method(request.method(), request.uri().path())
}
