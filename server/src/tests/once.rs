//! `Idempotency-Key`: a change is done once under a key, and tags: a change is done to the version that was meant.

use axum::body::Body;
use axum::http::{HeaderName, Request, StatusCode, header};
use kithdb::host::{Db, Options};
use serde_json::json;

use super::{Answer, HOST, Server, app_options};
use crate::http::table::Table;
use crate::http::{App, Problem, need};

const DOCUMENTS: &str = "/v1/collections/c/documents";

impl Server {
    async fn keyed(&self, method: &str, path: &str, key: &str, body: &str) -> Answer {
        let name = HeaderName::from_static("idempotency-key");
        self.with_header(method, path, name, key, body).await
    }

    async fn with_header(
        &self,
        method: &str,
        path: &str,
        name: HeaderName,
        value: &str,
        body: &str,
    ) -> Answer {
        let request = Request::builder().method(method).uri(path).header(header::HOST, HOST);
        let request = request.header(header::CONTENT_TYPE, "application/json").header(name, value);
        self.send(request.body(Body::from(body.to_owned())).expect("a request")).await
    }
}

fn is_replayed(answer: &Answer) -> bool {
    answer.headers.contains_key("idempotency-replayed")
}

#[tokio::test]
async fn a_change_is_done_once_under_a_key() {
    let server = Server::with_collection().await;
    let body = r#"{"mode": "insert", "documents": [{"id": "a"}]}"#;
    let first = server.keyed("POST", DOCUMENTS, "k1", body).await;
    assert_eq!((first.json(), is_replayed(&first)), (json!({"written": 1, "replaced": 0}), false));
    let again = server.keyed("POST", DOCUMENTS, "k1", body).await;
    assert_eq!((again.json(), is_replayed(&again)), (json!({"written": 1, "replaced": 0}), true));
    // What is remembered has been sent.
    let figures = String::from_utf8(server.get("/metrics").await.body).expect("text");
    assert!(figures.contains("\nkithdb_answer_bytes 0\n"), "{figures}");
    // Another key, or none, asks for another change.
    assert_eq!(server.keyed("POST", DOCUMENTS, "k2", body).await.problem(), (409, "document_exists".into()));
    assert_eq!(server.post(DOCUMENTS, body).await.problem(), (409, "document_exists".into()));
    // A refusal is an answer, too.
    let refused = server.keyed("POST", DOCUMENTS, "k2", body).await;
    assert_eq!((refused.problem(), is_replayed(&refused)), ((409, "document_exists".into()), true));
    // Touching counts each time; under a key once.
    for _ in 0..3 {
        let touched = server.keyed("POST", "/v1/collections/c/documents/touch", "k3", r#"{"ids": ["a"]}"#);
        assert_eq!(touched.await.json(), json!({"touched": 1}));
    }
    let touches = server.post("/v1/collections/c/documents/touches", r#"{"ids": ["a"]}"#).await.json();
    assert_eq!(touches["touches"][0]["count"], 1);
}

#[tokio::test]
async fn a_key_is_for_one_request() {
    let server = Server::with_collection().await;
    let body = r#"{"documents": [{"id": "a"}]}"#;
    assert_eq!(server.keyed("POST", DOCUMENTS, "k", body).await.status, 200);
    for (method, path, other) in [
        ("POST", DOCUMENTS, r#"{"documents": [{"id": "b"}]}"#),
        ("POST", "/v1/collections/d/documents", body),
        ("DELETE", "/v1/collections/c", ""),
    ] {
        let refused = server.keyed(method, path, "k", other).await;
        assert_eq!(refused.problem(), (422, "idempotency_key_reused".into()), "{method} {path}");
    }
    assert_eq!(server.get("/v1/collections/c/documents/b").await.status, 404);
    for key in ["", &"k".repeat(256)] {
        assert_eq!(
            server.keyed("POST", DOCUMENTS, key, body).await.problem(),
            (400, "invalid_request".into())
        );
    }
    // Reading has no need of keys, and they are not looked at.
    let page = server.keyed("GET", DOCUMENTS, "k", "").await;
    assert_eq!((page.status.as_u16(), is_replayed(&page)), (200, false));
}

#[tokio::test]
async fn who_asks_again_before_it_is_done_gets_the_same_answer() {
    let server = Server::with_collection().await;
    let body = r#"{"mode": "insert", "documents": [{"id": "a"}]}"#;
    let ask = || server.keyed("POST", DOCUMENTS, "k", body);
    let (a, b, c, d) = tokio::join!(ask(), ask(), ask(), ask());
    let answers = [a, b, c, d];
    assert!(answers.iter().all(|answer| answer.json() == json!({"written": 1, "replaced": 0})));
    assert_eq!(answers.iter().filter(|answer| is_replayed(answer)).count(), 3);
}

/// A client that sends a key with everything reads what it has just written, not what it read before: what reads is read
/// anew, also where it is posted.
#[tokio::test]
async fn reading_is_not_remembered() {
    let server = Server::with_collection().await;
    server.ask("PUT", "/v1/kv/k", r#"{"value": "old"}"#).await;
    server.post(DOCUMENTS, r#"{"documents": [{"id": "a", "metadata": {"n": 1}}]}"#).await;
    let asks = [
        ("/v1/collections/c/documents/get", r#"{"ids": ["a"]}"#),
        ("/v1/collections/c/search", r#"{"filter": "n < 10"}"#),
        ("/v1/kv/get", r#"{"key": "k"}"#),
    ];
    for (path, body) in asks {
        let read = server.keyed("POST", path, path, body).await;
        assert!(
            read.status == 200 && !read.body.is_empty(),
            "{path}: {}",
            String::from_utf8_lossy(&read.body)
        );
    }
    server.ask("PUT", "/v1/kv/k", r#"{"value": "new"}"#).await;
    server.post(DOCUMENTS, r#"{"documents": [{"id": "a", "metadata": {"n": 2}}]}"#).await;
    for (path, body) in asks {
        let (again, now) = (server.keyed("POST", path, path, body).await, server.post(path, body).await);
        assert_eq!((again.json(), is_replayed(&again)), (now.json(), false), "{path}");
    }
}

/// Under one key two access keys are made: their tokens are shown once, and neither kept here nor by what is in between.
#[tokio::test]
async fn tokens_are_not_remembered() {
    let server = Server::new();
    let mut tokens = vec![];
    for _ in 0..2 {
        let made = server.keyed("POST", "/v1/keys", "k", r#"{"role": "read"}"#).await;
        assert_eq!((made.status.as_u16(), made.header(header::CACHE_CONTROL)), (201, "no-store"));
        tokens.push(made.json()["token"].to_string());
    }
    assert_ne!(tokens[0], tokens[1]);
    let made = server.keyed("POST", "/auth/keys", "k", r#"{"role": "read"}"#).await;
    assert_eq!((made.status.as_u16(), made.header(header::CACHE_CONTROL)), (200, "no-store"));
}

/// Somebody cancels a job, a client is too slow or asks too often, and tries again under its key: it is done then. Where
/// something is in its way, it is told so again.
#[tokio::test]
async fn a_refusal_that_passes_is_not_remembered() {
    let passing = [
        (409, "cancelled"),
        (408, "too_slow"),
        (429, "too_many"),
        (401, "unknown_token"),
        (503, "overloaded"),
    ];
    let lasting = [(409, "document_exists"), (404, "unknown_collection"), (412, "version_mismatch")];
    for ((status, code), is_remembered) in
        passing.map(|refusal| (refusal, false)).into_iter().chain(lasting.map(|refusal| (refusal, true)))
    {
        let refusing = move || async move {
            let status = StatusCode::from_u16(status).expect("a status");
            Problem::http(status, code, "not now")
        };
        let db = Db::in_memory(Options::default()).expect("memory is there");
        let app = App::new(db, app_options());
        let table = Table::new(app.clone()).post("/v1/change", need::write(need::About::Database), refusing);
        let server = Server(table.build().0.with_state(app.clone()), app.events().clone());
        for is_again in [false, true] {
            let refused = server.keyed("POST", "/v1/change", "k", "{}").await;
            assert_eq!(refused.problem(), (status, code.to_owned()));
            assert_eq!(is_replayed(&refused), is_again && is_remembered, "{code}");
        }
    }
}

#[tokio::test]
async fn a_document_has_its_version_as_tag() {
    let server = Server::with_collection().await;
    let path = "/v1/collections/c/documents/a";
    let put = |body: &'static str| server.ask("PUT", path, body);
    assert_eq!(put(r#"{"metadata": {"n": 1}}"#).await.json(), json!({"written": 1, "replaced": 0}));
    let first = server.get(path).await;
    let tag = first.header(header::ETAG).to_owned();
    assert_eq!(first.json(), json!({"id": "a", "vector": null, "metadata": {"n": 1}}));
    let known = server.get_unless(path, &tag).await;
    assert_eq!((known.status.as_u16(), known.body.len()), (304, 0));
    // What a merge or a touch does is no other version.
    server.post("/v1/collections/c/documents/touch", r#"{"ids": ["a"]}"#).await;
    server.post("/v1/collections/c/seal", "").await;
    assert_eq!(server.get(path).await.header(header::ETAG), tag);

    assert_eq!(put(r#"{"metadata": {"n": 2}}"#).await.json(), json!({"written": 1, "replaced": 1}));
    assert_eq!(server.get_unless(path, &tag).await.status, 200);
    let stale = [("PUT", r#"{"metadata": {"n": 3}}"#), ("DELETE", "")];
    for (method, body) in stale {
        for tag in [tag.as_str(), "\"nonsense\"", "W/\"0-0\""] {
            let refused = server.with_header(method, path, header::IF_MATCH, tag, body).await;
            assert_eq!(refused.problem(), (412, "version_mismatch".into()), "{method} {tag}");
        }
    }
    let newest = server.get(path).await.header(header::ETAG).to_owned();
    let either = format!("{tag}, {newest}");
    let replaced =
        server.with_header("PUT", path, header::IF_MATCH, &either, r#"{"metadata": {"n": 3}}"#).await;
    assert_eq!(replaced.json(), json!({"written": 1, "replaced": 1}));
    let refused = server.with_header("PUT", path, header::IF_NONE_MATCH, "*", "{}").await;
    assert_eq!(refused.problem(), (412, "version_mismatch".into()));
    let refused = server.with_header("PUT", path, header::IF_NONE_MATCH, &newest, "{}").await;
    assert_eq!(refused.problem(), (400, "invalid_request".into()));
    let deleted = server.with_header("DELETE", path, header::IF_MATCH, "*", "").await;
    assert_eq!(deleted.json(), json!({"deleted": 1}));
    let refused = server.with_header("DELETE", path, header::IF_MATCH, "*", "").await;
    assert_eq!(refused.problem(), (412, "version_mismatch".into()));
    let made = server.with_header("PUT", path, header::IF_NONE_MATCH, "*", "{}").await;
    assert_eq!(made.json(), json!({"written": 1, "replaced": 0}));
}

#[tokio::test]
async fn another_collection_of_the_same_name_has_other_tags() {
    let server = Server::with_collection().await;
    let path = "/v1/collections/c/documents/a";
    server.ask("PUT", path, r#"{"metadata": {"n": 1}}"#).await;
    let tag = server.get(path).await.header(header::ETAG).to_owned();
    server.ask("DELETE", "/v1/collections/c", "").await;
    server.post("/v1/collections", r#"{"name": "c"}"#).await;
    server.ask("PUT", path, r#"{"metadata": {"n": 2}}"#).await;
    let other = server.get_unless(path, &tag).await;
    assert_eq!((other.status.as_u16(), other.json()["metadata"]["n"].as_i64()), (200, Some(2)));
    // Who means a version of the other is told so, and not that no version was expected.
    for tag in [&*tag, "\"nonsense\""] {
        let refused = server.with_header("PUT", path, header::IF_MATCH, tag, "{}").await;
        assert_eq!(refused.json()["expected"], "a version that this collection never had", "{tag}");
    }
}
