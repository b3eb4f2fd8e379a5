//! Streams of what was written.

use axum::body::{Body, BodyDataStream};
use axum::http::{Request, header};
use futures_util::StreamExt;
use kithdb::base::{Change, Observer};
use serde_json::{Value, json};

use super::{HOST, Server};

/// A stream that is read.
struct Stream {
    chunks: BodyDataStream,
    text: String,
}

/// An event: its id, name and data.
type Told = (String, String, Value);

async fn open(server: &Server, path: &str, after: Option<&str>) -> Stream {
    let mut request = Request::get(path).header(header::HOST, HOST);
    if let Some(id) = after {
        request = request.header("last-event-id", id);
    }
    let request = request.body(Body::empty()).expect("a request");
    let response = tower::ServiceExt::oneshot(server.0.clone(), request).await.expect("a router never fails");
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    assert_eq!(response.headers()["cache-control"], "no-store");
    Stream { chunks: response.into_body().into_data_stream(), text: String::new() }
}

impl Stream {
    /// The next event; `None` at the end.
    async fn next(&mut self) -> Option<Told> {
        loop {
            let Some((block, rest)) = self.text.split_once("\n\n") else {
                let chunk = self.chunks.next().await?.expect("nothing fails in memory");
                self.text.push_str(std::str::from_utf8(&chunk).expect("UTF-8"));
                continue;
            };
            let (block, rest) = (block.to_owned(), rest.to_owned());
            self.text = rest;
            if block.starts_with(':') {
                continue;
            }
            let line =
                |name: &str| block.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
            let data = serde_json::from_str(line("data: ")).expect("JSON");
            return Some((line("id: ").to_owned(), line("event: ").to_owned(), data));
        }
    }

    /// The names and ids of so many events.
    async fn names(&mut self, count: usize) -> Vec<String> {
        let mut names = Vec::new();
        for _ in 0..count {
            let (_, name, data) = self.next().await.expect("an event");
            names.push(format!("{name} {}", data["id"].as_str().unwrap_or_default()));
        }
        names
    }
}

/// Writes by every API, each kind of change.
async fn write_all(server: &Server) {
    let posts = [
        ("/v1/collections", r#"{"name": "c", "dim": 2}"#),
        ("/v1/collections/c/documents", r#"{"documents": [{"id": "1", "vector": [1, 0]}, {"id": "2"}]}"#),
        ("/v1/collections/c/documents", r#"{"documents": [{"id": "2"}, {"id": "3"}], "bulk": true}"#),
        ("/v1/collections/c/documents/touch", r#"{"ids": ["1", "none"]}"#),
        (
            "/collections/c/vectors",
            r#"{"vectors": [{"id": 4, "vector": [0, 1]}, {"id": 5, "vector": [1, 1]}]}"#,
        ),
        ("/vector/actions/add", r#"{"index_name": "c", "id": "6", "vector": [2, 1]}"#),
        (
            "/graph/actions/link",
            r#"{"index_name": "c", "source_id": "1", "target_id": "2", "relation_type": "r"}"#,
        ),
        (
            "/graph/actions/unlink",
            r#"{"index_name": "c", "source_id": "1", "target_id": "2", "relation_type": "r"}"#,
        ),
        ("/v1/collections/c/documents/delete", r#"{"ids": ["2", "3"]}"#),
    ];
    for (path, body) in posts {
        let done = server.post(path, body).await;
        assert!(done.status.is_success(), "{path}: {}", done.json());
    }
    // Refused, and so not told.
    assert_eq!(server.post("/vector/actions/add", r#"{"index_name": "c", "id": "6"}"#).await.status, 409);
    assert_eq!(server.ask("PUT", "/v1/kv/k", r#"{"value": "v"}"#).await.status, 200);
    assert_eq!(server.ask("DELETE", "/v1/collections/c", "").await.status, 204);
}

#[tokio::test]
async fn every_write_is_told_in_its_order() {
    let server = Server::new();
    let mut ours = open(&server, "/v1/events", None).await;
    let mut theirs = open(&server, "/events/stream", None).await;
    write_all(&server).await;
    let told = ours.names(14).await;
    let expected = [
        "collection.created ",
        "document.added 1",
        "document.added 2",
        "document.replaced 2",
        "document.added 3",
        "document.touched 1",
        "document.added 4",
        "document.added 5",
        "document.added 6",
        "edge.linked 1",
        "edge.unlinked 1",
        "document.deleted 2",
        "document.deleted 3",
        "collection.dropped ",
    ];
    assert_eq!(told, expected);
    let told = theirs.names(12).await;
    let expected = [
        "vector.add 1",
        "vector.add 2",
        "vector.update 2",
        "vector.add 3",
        "vector.access 1",
        "vector.add 4",
        "vector.add 5",
        "vector.add 6",
        "edge.create 1",
        "edge.delete 1",
        "vector.delete 2",
        "vector.delete 3",
    ];
    assert_eq!(told, expected);
}

#[tokio::test]
async fn events_have_the_shape_of_their_api() {
    let server = Server::with_collection().await;
    let mut ours = open(&server, "/v1/events", None).await;
    let mut theirs = open(&server, "/events/stream", None).await;
    let link = r#"{"index_name": "c", "source_id": "a", "target_id": "b", "relation_type": "cites"}"#;
    assert_eq!(server.post("/graph/actions/link", link).await.status, 200);
    let (id, name, mut data) = ours.next().await.expect("an event");
    let at = data["at"].take();
    assert!(at.as_str().is_some_and(|at| at.ends_with('Z')), "{at}");
    let expected = json!({"collection": "c", "id": "a", "relation": "cites", "target": "b", "at": null});
    assert_eq!((&*name, data), ("edge.linked", expected));
    let (same, name, mut data) = theirs.next().await.expect("an event");
    assert!(data["timestamp"].take().is_i64());
    let expected = json!({"type": "edge.create", "index_name": "c", "id": "a", "target_id": "b",
        "rel_type": "cites", "timestamp": null});
    assert_eq!((&*name, data), ("edge.create", expected));
    assert_eq!(same, id);
}

fn added(count: usize) -> Vec<Change> {
    (0..count).map(|n| Change::Added { id: n.to_string().into(), at: 0 }).collect()
}

#[tokio::test]
async fn a_client_goes_on_after_what_it_saw_last() {
    let server = Server::new();
    let events = &server.1;
    let mut stream = open(&server, "/v1/events", None).await;
    events.changed("c", added(3));
    let (first, ..) = stream.next().await.expect("an event");
    drop(stream);
    events.changed("d", added(1));
    let mut stream = open(&server, "/v1/events", Some(&first)).await;
    assert_eq!(stream.names(3).await, ["document.added 1", "document.added 2", "document.added 0"]);
    // Ids of another start of the server, of what was not told yet, and none at all.
    let start = first.split_once('-').expect("a number").0;
    for id in ["0123456789abcdef-1", &format!("{start}-99"), "x"] {
        let mut stream = open(&server, "/v1/events", Some(id)).await;
        let lagged = (String::new(), "lagged".to_owned(), json!({"missed": null}));
        assert_eq!(stream.next().await, Some(lagged), "{id}");
        assert_eq!(stream.names(1).await, ["document.added 0"]);
    }
    let mut stream = open(&server, "/v1/events?collection=d", Some(&first)).await;
    let (_, _, data) = stream.next().await.expect("an event");
    assert_eq!(data["collection"], "d");
}

#[tokio::test]
async fn a_slow_reader_is_told_what_it_missed() {
    let server = Server::new();
    let events = &server.1;
    let mut stream = open(&server, "/v1/events", None).await;
    events.changed("c", added(10));
    assert_eq!(stream.names(1).await, ["document.added 0"]);
    // Nobody reads meanwhile, and nobody waits for that.
    for _ in 0..10 {
        events.changed("c", added(20_000));
    }
    // What it had begun to read is told to its end.
    stream.names(9).await;
    let (id, name, data) = stream.next().await.expect("an event");
    assert_eq!((&*id, &*name, data), ("", "lagged", json!({"missed": 140_000})));
    let told = stream.names(60_000).await;
    assert_eq!(told.last().map(String::as_str), Some("document.added 19999"));
}

#[tokio::test(start_paused = true)]
async fn a_quiet_stream_has_a_heartbeat() {
    let server = Server::new();
    let mut stream = open(&server, "/v1/events", None).await;
    let mut comments = Vec::new();
    for _ in 0..3 {
        let chunk = stream.chunks.next().await.expect("a stream without end").expect("nothing fails");
        comments.push(String::from_utf8(chunk.to_vec()).expect("UTF-8"));
    }
    let quiet = ": nothing new\n\n";
    assert_eq!(comments[1..], [quiet, quiet]);
    assert!(comments[0].starts_with(": ") && comments[0].ends_with("\n\n"));
}

#[tokio::test]
async fn streams_end_with_the_server() {
    let server = Server::new();
    let events = &server.1;
    let mut stream = open(&server, "/v1/events", None).await;
    let mut idle = open(&server, "/events/stream", None).await;
    events.changed("c", added(2));
    assert_eq!(stream.names(1).await, ["document.added 0"]);
    events.end();
    assert_eq!(stream.names(1).await, ["document.added 1"]);
    assert_eq!(stream.next().await, None);
    assert_eq!(idle.names(2).await.len(), 2);
    assert_eq!(idle.next().await, None);
}

#[tokio::test]
async fn there_are_not_more_streams_than_are_allowed() {
    let server = Server::new();
    let mut streams = Vec::new();
    for _ in 0..256 {
        streams.push(open(&server, "/v1/events", None).await);
    }
    let refused = server.get("/v1/events").await;
    assert_eq!(refused.problem(), (503, "too_many_streams".into()));
    let refused = server.get("/events/stream").await;
    assert_eq!(refused.status, 503);
    streams.pop();
    open(&server, "/v1/events", None).await;
    assert_eq!(server.get("/v1/events?colour=red").await.problem(), (400, "invalid_request".into()));
}
