//! Pages of other origins: which may ask, and what they are told.

use axum::body::Body;
use axum::http::{Request, header};
use kithdb::host::{Db, Options};

use super::{Answer, HOST, Server, app_options};
use crate::http::{AppOptions, TokenDigest};

const NAMED: &str = "https://app.example";
const TOKEN: &str = "a-token-of-some-length";

fn server(token: Option<&str>) -> Server {
    let db = Db::in_memory(Options::default()).expect("memory is there");
    let cors_origins = vec![NAMED.parse().expect("an origin")];
    let remote_origins = vec!["https://db.example:9091".parse().expect("an origin")];
    let token = token.map(TokenDigest::of);
    Server::serving(db, AppOptions { cors_origins, remote_origins, token, ..app_options() })
}

fn ask(method: &str, path: &str, origin: Option<&str>) -> axum::http::request::Builder {
    let request = Request::builder().method(method).uri(path).header(header::HOST, HOST);
    let request = request.header("sec-fetch-site", "cross-site");
    match origin {
        Some(origin) => request.header(header::ORIGIN, origin),
        None => request,
    }
}

async fn send(server: &Server, request: axum::http::request::Builder) -> Answer {
    server.send_unchecked(request.body(Body::empty()).expect("a request")).await
}

#[tokio::test]
async fn a_page_that_was_named_asks_and_reads() {
    let server = server(None);
    let answer = send(&server, ask("GET", "/v1/collections", Some(NAMED))).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header(header::ACCESS_CONTROL_ALLOW_ORIGIN), NAMED);
    for name in ["etag", "retry-after", "x-request-id"] {
        assert!(answer.header(header::ACCESS_CONTROL_EXPOSE_HEADERS).contains(name), "{name}");
    }
    assert!(!answer.headers.contains_key(header::ACCESS_CONTROL_ALLOW_CREDENTIALS));
    let varies = |answer: &Answer| answer.headers.get_all(header::VARY).iter().any(|name| name == "origin");
    assert!(varies(&answer));
    // A cache that keeps what this machine asked for must not give it to a page.
    let own = send(&server, Request::get("/v1/collections").header(header::HOST, HOST)).await;
    assert_eq!((own.status.as_u16(), own.header(header::ACCESS_CONTROL_ALLOW_ORIGIN)), (200, ""));
    assert!(varies(&own));
    // What is wrong is for it to read, too.
    let wrong = send(&server, ask("GET", "/v1/collections/none", Some(NAMED))).await;
    assert_eq!((wrong.status.as_u16(), wrong.header(header::ACCESS_CONTROL_ALLOW_ORIGIN)), (404, NAMED));
}

#[tokio::test]
async fn a_browser_is_told_what_a_page_may_send() {
    let server = server(Some(TOKEN));
    // A browser sends no token with it.
    let asked = ask("OPTIONS", "/v1/collections/c/documents/d", Some(NAMED));
    let answer = send(&server, asked.header(header::ACCESS_CONTROL_REQUEST_METHOD, "PUT")).await;
    assert_eq!((answer.status.as_u16(), answer.body.len()), (204, 0));
    assert_eq!(answer.header(header::ACCESS_CONTROL_ALLOW_ORIGIN), NAMED);
    assert!(answer.header(header::ACCESS_CONTROL_ALLOW_METHODS).contains("PUT"));
    for name in ["authorization", "content-type", "idempotency-key", "if-match"] {
        assert!(answer.header(header::ACCESS_CONTROL_ALLOW_HEADERS).contains(name), "{name}");
    }
    // What it then sends is refused without a token, so that it can be told why.
    let refused = send(&server, ask("GET", "/v1/collections", Some(NAMED))).await;
    assert_eq!((refused.status.as_u16(), refused.header(header::ACCESS_CONTROL_ALLOW_ORIGIN)), (401, NAMED));
    let token =
        ask("GET", "/v1/collections", Some(NAMED)).header(header::AUTHORIZATION, format!("Bearer {TOKEN}"));
    assert_eq!(send(&server, token).await.status, 200);
}

#[tokio::test]
async fn nobody_else_is_let_in_nor_anywhere_else() {
    let server = server(None);
    for origin in ["https://evil.example", "http://app.example", "https://app.example:8443", "null", "*"] {
        let asked = ask("GET", "/v1/collections", Some(origin));
        let preflight = ask("OPTIONS", "/v1/collections", Some(origin));
        let preflight = preflight.header(header::ACCESS_CONTROL_REQUEST_METHOD, "POST");
        for request in [asked, preflight] {
            let answer = send(&server, request).await;
            assert_eq!(answer.problem(), (403, "forbidden_origin".into()), "{origin}");
            assert_eq!(answer.header(header::ACCESS_CONTROL_ALLOW_ORIGIN), "", "{origin}");
        }
    }
    let twice = ask("GET", "/v1/collections", Some(NAMED)).header(header::ORIGIN, "https://evil.example");
    assert_eq!(send(&server, twice).await.status, 403);
    for path in ["/vector/indexes", "/kv/a", "/collections", "/system/stats", "/auth/keys", "/ui/", "/v1"] {
        let answer = send(&server, ask("GET", path, Some(NAMED))).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header(header::ACCESS_CONTROL_ALLOW_ORIGIN)),
            (403, ""),
            "{path}"
        );
    }
    // A page without an Origin is none that was named.
    assert_eq!(send(&server, ask("GET", "/v1/collections", None)).await.status, 403);
}

#[tokio::test]
async fn the_explorer_may_ask_the_servers_that_were_named() {
    let policy = |answer: &Answer| answer.header(header::CONTENT_SECURITY_POLICY).to_owned();
    let named = policy(&send(&server(None), Request::get("/ui/").header(header::HOST, HOST)).await);
    assert!(named.ends_with("connect-src 'self' https://db.example:9091"), "{named}");
    let none = policy(&Server::new().get("/ui/").await);
    assert!(none.ends_with("connect-src 'self'"), "{none}");
}
