//! Who may ask, and in what form.

use axum::body::Body;
use axum::http::{Request, header};

use kithdb::host::{Db, Options};

use super::{HOST, Server, app_options};
use crate::http::AppOptions;

fn request(headers: &[(header::HeaderName, &str)]) -> Request<Body> {
    let mut request = Request::builder().uri("/v1/collections");
    for (name, value) in headers {
        request = request.header(name, *value);
    }
    request.body(Body::empty()).expect("a request")
}

#[tokio::test]
async fn only_our_own_host_is_served() {
    let server = Server::new();
    for host in [HOST, "localhost:9091", "LocalHost:9091", "[::1]:9091"] {
        assert_eq!(server.send(request(&[(header::HOST, host)])).await.status, 200, "{host}");
    }
    let others = [
        "",
        "evil.example:9091",
        "localhost",
        "localhost:80",
        "127.0.0.1:9092",
        "localhost:9091.evil",
        "::1",
    ];
    for host in others {
        let refused = server.send(request(&[(header::HOST, host)])).await;
        assert_eq!(refused.problem(), (403, "forbidden_host".into()), "{host}");
    }
    assert_eq!(server.send(request(&[])).await.problem(), (403, "forbidden_host".into()));
    let twice = [(header::HOST, HOST), (header::HOST, HOST)];
    assert_eq!(server.send(request(&twice)).await.problem(), (403, "forbidden_host".into()));
}

#[tokio::test]
async fn pages_of_other_sites_are_refused() {
    let server = Server::new();
    for (origin, status) in [
        ("http://127.0.0.1:9091", 200),
        ("https://127.0.0.1:9091", 403),
        ("http://localhost:9091", 403),
        ("http://evil.example", 403),
        ("null", 403),
    ] {
        let answer = server.send(request(&[(header::HOST, HOST), (header::ORIGIN, origin)])).await;
        assert_eq!(answer.status, status, "{origin}");
        assert!(!answer.headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN));
    }
}

#[tokio::test]
async fn bodies_have_a_type_and_a_limit() {
    let server = Server::with_collection().await;
    for content_type in ["", "text/plain", "application/x-www-form-urlencoded", "application/jsonx"] {
        let request = Request::post("/v1/collections").header(header::HOST, HOST);
        let request = request.header(header::CONTENT_TYPE, content_type);
        let answer = server.send(request.body("{}".into()).expect("a request")).await;
        assert_eq!(answer.problem(), (415, "unsupported_media_type".into()), "{content_type}");
    }
    let request = Request::post("/v1/collections/c/search").header(header::HOST, HOST);
    let request = request.header(header::CONTENT_TYPE, "Application/JSON; charset=utf-8");
    assert_eq!(server.send(request.body("{}".into()).expect("a request")).await.status, 200);

    let long = " ".repeat((1 << 20) + 1);
    assert_eq!(server.post("/v1/collections/c/search", &long).await.problem(), (413, "too_large".into()));
    let batch = format!("{}{{\"documents\": []}}", " ".repeat(2 << 20));
    assert_eq!(server.post("/v1/collections/c/documents", &batch).await.status, 200);
}

#[tokio::test]
async fn every_answer_carries_the_headers_of_the_page() {
    let server = Server::new();
    for path in ["/", "/ui/", "/v1/collections", "/nowhere"] {
        let headers = server.get(path).await.headers;
        assert_eq!(headers["x-content-type-options"], "nosniff", "{path}");
        assert!(
            headers["content-security-policy"].to_str().expect("ASCII").starts_with("default-src 'none'")
        );
        assert_eq!(headers["cross-origin-embedder-policy"], "require-corp");
    }
    assert_eq!(server.get("/ui/").await.headers[header::CONTENT_TYPE], "text/html; charset=utf-8");
}

/// A server on an address that others reach.
fn public(listen: &str) -> Server {
    let db = Db::in_memory(Options::default()).expect("memory is there");
    let allowed_hosts = vec!["db.example".to_owned(), "search.example:443".to_owned()];
    let listen = listen.parse().expect("an address");
    Server::serving(db, AppOptions { listen, allowed_hosts, ..app_options() })
}

#[tokio::test]
async fn names_are_served_that_were_allowed_and_addresses_that_are_listened_on() {
    for (listen, host, status) in [
        ("0.0.0.0:9091", "192.168.1.5:9091", 200),
        ("0.0.0.0:9091", "localhost:8080", 200),
        ("[::]:9091", "[2001:db8::1]:8080", 200),
        ("0.0.0.0:9091", "0.0.0.0:9091", 403),
        ("0.0.0.0:9091", "rebound.example:9091", 403),
        ("192.168.1.5:9091", "192.168.1.5:9091", 200),
        ("192.168.1.5:9091", "192.168.1.5:80", 403),
        ("192.168.1.5:9091", "192.168.1.6:9091", 403),
        ("192.168.1.5:9091", "DB.example:9091", 200),
        ("192.168.1.5:9091", "db.example", 200),
        ("192.168.1.5:9091", "search.example:443", 200),
        ("192.168.1.5:9091", "search.example", 403),
    ] {
        let answer = public(listen).send(request(&[(header::HOST, host)])).await;
        assert_eq!(answer.status, status, "{listen} {host}");
    }
    for (origin, host, status) in [
        ("https://db.example", "db.example", 200),
        ("http://db.example", "db.example", 200),
        ("https://evil.example", "db.example", 403),
        ("https://192.168.1.5:9091", "192.168.1.5:9091", 403),
    ] {
        let asked = request(&[(header::HOST, host), (header::ORIGIN, origin)]);
        assert_eq!(public("192.168.1.5:9091").send(asked).await.status, status, "{origin}");
    }
}

#[tokio::test]
async fn what_a_browser_says_comes_from_another_site_is_refused() {
    let server = Server::new();
    let fetch_site = header::HeaderName::from_static("sec-fetch-site");
    for (site, status) in [("same-origin", 200), ("none", 200), ("same-site", 200), ("cross-site", 403)] {
        let answer = server.send(request(&[(header::HOST, HOST), (fetch_site.clone(), site)])).await;
        assert_eq!(answer.status, status, "{site}");
    }
    // A link on another page may open ours.
    let page = Request::get("/ui/").header(header::HOST, HOST).header("sec-fetch-site", "cross-site");
    assert_eq!(server.send(page.body(Body::empty()).expect("a request")).await.status, 200);
}
