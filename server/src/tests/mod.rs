//! The router without a port: what is asked and answered, on a database in memory.

mod access;
mod bad_input;
mod coding;
mod cors;
mod database;
mod embedder;
mod events;
mod guard;
mod kektor;
mod kektor_auto_links;
mod kektor_contracts;
mod kektor_data;
mod kektor_graph;
mod kektor_memory;
mod kv;
mod observe;
mod once;
mod openapi;
mod page;
mod process;
mod ruvector;
mod slow;
/// A file of the suites, which are no dependency: with theirs the core would be built once more for these tests.
#[path = "../../../tests/src/openapi.rs"]
mod told;
mod v1;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, HeaderName, Request, StatusCode, header};
use kithdb::base::Error;
use kithdb::host::{Db, Options, load_embedder};
use serde_json::Value;
use tower::ServiceExt;

use crate::events::Events;
use crate::http::{App, AppOptions, routes};

const HOST: &str = "127.0.0.1:9091";

fn app_options() -> AppOptions {
    AppOptions::at(HOST.parse().expect("an address"))
}

/// A server in memory.
struct Server(Router, Events);

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Server {
    fn new() -> Self {
        Self::with_options(Options::default(), None)
    }

    /// One with the embedder of this directory.
    fn with_embedder(directory: &Path) -> Self {
        let embedder = Some(load_embedder(directory).expect("a sound embedder"));
        Self::with_options(Options { embedder, ..Options::default() }, Some(directory.to_owned()))
    }

    fn with_options(options: Options, embedder: Option<PathBuf>) -> Self {
        Self::opening(options, embedder, Db::in_memory)
    }

    fn opening(
        options: Options,
        embedder: Option<PathBuf>,
        open: impl FnOnce(Options) -> Result<Db, Error>,
    ) -> Self {
        let app = AppOptions { embedder, ..app_options() };
        let db = open(Options { observer: Arc::new(app.events.clone()), ..options });
        Self::serving(db.expect("a database"), app)
    }

    fn serving(db: Db, options: AppOptions) -> Self {
        let events = options.events.clone();
        Self(routes(App::new(db, options)), events)
    }

    /// One that serves a directory; what it holds is closed with it.
    fn on(directory: &Path) -> Self {
        Self::opening(Options::default(), None, |options| Db::open(directory, options))
    }

    /// One with a collection `c` of three dimensions, with English text.
    async fn with_collection() -> Self {
        let server = Self::new();
        let made = server.post("/v1/collections", r#"{"name": "c", "dim": 3, "text": {}}"#).await;
        assert_eq!(made.status, 201);
        server
    }

    async fn send(&self, request: Request<Body>) -> Answer {
        let (method, path) = (request.method().to_string(), request.uri().path().to_owned());
        let answer = self.send_unchecked(request).await;
        if !answer.is_stream() {
            openapi::check_answer(&method, &path, &answer);
        }
        answer
    }

    /// Does not hold the answer against the document.
    async fn send_unchecked(&self, request: Request<Body>) -> Answer {
        let (parts, body) = self.0.clone().oneshot(request).await.expect("a router never fails").into_parts();
        let mut answer = Answer { status: parts.status, headers: parts.headers, body: vec![] };
        // A stream does not end by itself.
        if !answer.is_stream() {
            answer.body = to_bytes(body, usize::MAX).await.expect("an answer in memory").to_vec();
        }
        answer
    }

    async fn ask(&self, method: &str, path: &str, body: &str) -> Answer {
        let request = Request::builder().method(method).uri(path).header(header::HOST, HOST);
        let request = request.header(header::CONTENT_TYPE, "application/json");
        let answer = self.send(request.body(body.to_owned().into()).expect("a request")).await;
        openapi::check_body(method, path, body, answer.status);
        answer
    }

    async fn post(&self, path: &str, body: &str) -> Answer {
        self.ask("POST", path, body).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, "").await
    }

    /// Asks again for what is known under this tag.
    async fn get_unless(&self, path: &str, tag: &str) -> Answer {
        let request = Request::get(path).header(header::HOST, HOST).header(header::IF_NONE_MATCH, tag);
        self.send(request.body(Body::empty()).expect("a request")).await
    }
}

impl Answer {
    fn is_stream(&self) -> bool {
        self.header(header::CONTENT_TYPE) == "text/event-stream"
    }

    fn header(&self, name: HeaderName) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("ASCII"))
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }

    /// Status and code of a problem, checked to be a whole one.
    fn problem(&self) -> (u16, String) {
        let body = self.json();
        assert_eq!(self.headers[header::CONTENT_TYPE], "application/problem+json", "{body}");
        assert_eq!(body["status"], self.status.as_u16());
        assert_eq!(body["type"], "about:blank");
        assert!(
            body["title"].is_string() && body["message"].is_string() && body["error"].is_string(),
            "{body}"
        );
        (self.status.as_u16(), body["code"].as_str().expect("a code").to_owned())
    }
}
