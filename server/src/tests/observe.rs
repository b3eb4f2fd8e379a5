//! What is seen of requests: ids and metrics.

use axum::body::Body;
use axum::http::{Request, header};

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
    for i in 0..50 {
        server.get(&format!("/v1/collections/secret-{i}")).await;
        server.get(&format!("/nowhere/secret-{i}?secret")).await;
        server.ask(&format!("SECRET{i}"), "/healthz", "").await;
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
    assert!(text.lines().count() < 100);
}
