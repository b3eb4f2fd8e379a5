//! What is seen of requests: ids and metrics.

use std::collections::BTreeSet;
use std::convert::Infallible;

use axum::body::Body;
use axum::http::{Request, header};

use super::access::{every_route, filled, method_of};
use super::{HOST, Server};

#[tokio::test]
async fn a_request_keeps_its_id_or_gets_one() {
    let server = Server::new();
    let ask = async |id: &str| {
        let request = Request::get("/healthz").header(header::HOST, HOST).header("x-request-id", id);
        let answer = server.send(request.body(Body::empty()).expect("a request")).await;
        answer.headers["x-request-id"].to_str().expect("ASCII").to_owned()
    };
    assert_eq!(ask("trace-1.a_B").await, "trace-1.a_B");
    for odd in ["", "a b", "a\"b", "{}", &"x".repeat(65)] {
        let given = ask(odd).await;
        assert!(given.len() == 16 && given.bytes().all(|byte| byte.is_ascii_hexdigit()), "{odd}: {given}");
    }
    assert_ne!(ask("").await, ask("").await);
    // Where no route is, and where the request is refused, too.
    assert!(server.get("/nowhere").await.headers.contains_key("x-request-id"));
    let refused = Request::get("/").body(Body::empty()).expect("a request");
    assert!(server.send(refused).await.headers.contains_key("x-request-id"));
}

#[tokio::test]
async fn metrics_are_counted_by_route_and_not_by_what_clients_say() {
    let server = Server::with_collection().await;
    let mut lines = BTreeSet::new();
    for i in 0..50 {
        server.get(&format!("/v1/collections/secret-{i}")).await;
        server.get(&format!("/nowhere/secret-{i}?secret")).await;
        server.ask(&format!("SECRET{i}"), "/healthz", "").await;
        let told = server.get("/metrics").await.body;
        // What is asked counts itself from then on.
        lines.extend((i > 0).then(|| told.split(|byte| *byte == b'\n').count()));
    }
    let answer = server.get("/metrics").await;
    assert_eq!(answer.header(header::CONTENT_TYPE), "text/plain; version=0.0.4; charset=utf-8");
    let text = String::from_utf8(answer.body).expect("UTF-8");
    let counts = |line: &str| assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
    let of = "kithdb_request_duration_seconds_count";
    counts(&format!("{of}{{route=\"/v1/collections/{{name}}\",method=\"GET\",status=\"4xx\"}} 50"));
    counts(&format!("{of}{{route=\"none\",method=\"GET\",status=\"4xx\"}} 50"));
    counts(&format!("{of}{{route=\"/healthz\",method=\"other\",status=\"4xx\"}} 50"));
    counts(&format!("{of}{{route=\"/v1/collections\",method=\"POST\",status=\"2xx\"}} 1"));
    counts("kithdb_collections 1");
    assert!(!text.to_ascii_lowercase().contains("secret"), "{text}");
    assert_eq!(lines.len(), 1, "{lines:?}: as many however often clients ask\n{text}");
}

#[tokio::test]
async fn every_route_is_counted_under_its_pattern() {
    let server = Server::with_collection().await;
    let routes = every_route();
    for route in &routes {
        let path = filled(&route.path, "secret");
        server.ask(method_of(route).as_str(), &path, "{}").await;
        server.ask("SECRET", &path, "{}").await;
    }
    server.get("/secret").await;
    let text = String::from_utf8(server.get("/metrics").await.body).expect("UTF-8");
    assert!(!text.to_ascii_lowercase().contains("secret"), "{text}");
    let label = |line: &str| {
        line.split_once("route=\"").and_then(|(_, rest)| Some(rest.split_once('"')?.0.to_owned()))
    };
    let found: BTreeSet<String> = text.lines().filter_map(label).collect();
    let all = routes.into_iter().map(|route| route.path).chain(["none".to_owned()]);
    let expected: BTreeSet<String> = all.collect();
    assert_eq!(found, expected);
    assert!(text.contains("kithdb_event_streams_total{route=\"/v1/events\"} 1"), "{text}");
    assert!(text.contains("\nkithdb_event_streams_open 0\n"), "{text}");
}

#[tokio::test]
async fn a_request_whose_client_left_is_counted() {
    let server = Server::with_collection().await;
    let body = Body::from_stream(futures_util::stream::pending::<Result<Vec<u8>, Infallible>>());
    let request = Request::post("/v1/collections").header(header::HOST, HOST);
    let request = request.header(header::CONTENT_TYPE, "application/json").body(body).expect("a request");
    let asked = tower::ServiceExt::oneshot(server.0.clone(), request);
    // Dropped while its body is waited for.
    assert!(futures_util::FutureExt::now_or_never(asked).is_none());
    let text = String::from_utf8(server.get("/metrics").await.body).expect("UTF-8");
    let line = "_count{route=\"/v1/collections\",method=\"POST\",status=\"gone\"} 1";
    assert!(text.contains(line), "{text}");
}

/// Documents of both APIs, and what a collection is, are counted from when they are written until they are sent.
#[tokio::test]
async fn an_answer_that_is_not_sent_is_counted() {
    let server = Server::with_collection().await;
    server.post("/v1/collections/c/documents", r#"{"documents": [{"id": "1", "vector": [1, 0, 0]}]}"#).await;
    let held = async || {
        let figures = String::from_utf8(server.get("/metrics").await.body).expect("UTF-8");
        let line = figures.lines().find_map(|line| line.strip_prefix("kithdb_answer_bytes "));
        line.expect("is told").to_owned()
    };
    for path in ["/v1/collections/c/documents/1", "/v1/collections/c", "/collections/c/vectors/1"] {
        let whole = server.get(path).await.body.len();
        let request = Request::get(path).header(header::HOST, HOST).body(Body::empty()).expect("a request");
        let unsent = tower::ServiceExt::oneshot(server.0.clone(), request).await;
        assert_eq!(held().await, whole.to_string(), "{path}");
        drop(unsent);
        assert_eq!(held().await, "0", "{path}");
    }
}
