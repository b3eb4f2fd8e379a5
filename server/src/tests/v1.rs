//! `/v1`: what goes in comes out.

use axum::http::{Request, header};
use serde_json::json;

use super::{HOST, Server};

const TWO: &str = r#"{"documents": [
    {"id": "a/b", "vector": [1, 0, 0], "metadata": {"title": "a tall tree", "year": 1990}},
    {"id": "get", "metadata": {"title": "a long road", "year": 2001}}]}"#;

#[tokio::test]
async fn documents_come_back_as_they_were_given() {
    let server = Server::with_collection().await;
    let added = server.post("/v1/collections/c/documents", TWO).await;
    assert_eq!(added.json(), json!({"written": 2, "replaced": 0}));
    let again = server.post("/v1/collections/c/documents", TWO).await;
    assert_eq!(again.json(), json!({"written": 2, "replaced": 2}));

    let one =
        json!({"id": "a/b", "vector": [1.0, 0.0, 0.0], "metadata": {"title": "a tall tree", "year": 1990}});
    let other = json!({"id": "get", "vector": null, "metadata": {"title": "a long road", "year": 2001}});
    assert_eq!(server.get("/v1/collections/c/documents/a%2Fb").await.json(), one);
    assert_eq!(server.get("/v1/collections/c/documents/get").await.json(), other);
    let many = server.post("/v1/collections/c/documents/get", r#"{"ids": ["get", "no", "a/b"]}"#).await;
    assert_eq!(many.json(), json!({"documents": [other, null, one]}));
    let page = server.get("/v1/collections/c/documents?limit=1").await.json();
    assert_eq!(page["documents"], json!([one]));
    let next = format!("/v1/collections/c/documents?cursor={}", page["next"].as_str().expect("a cursor"));
    assert_eq!(server.get(&next).await.json(), json!({"documents": [other], "next": null}));

    let get = "/v1/collections/c/documents/get";
    let refused = server.ask("DELETE", &format!("{get}?durability=soon"), "").await;
    assert_eq!(refused.problem(), (400, "invalid_parameter".into()));
    let deleted = server.ask("DELETE", &format!("{get}?durability=always"), "").await;
    assert_eq!(deleted.json(), json!({"deleted": 1}));
    let deleted = server.post("/v1/collections/c/documents/delete", r#"{"ids": ["get", "a/b"]}"#).await;
    assert_eq!(deleted.json(), json!({"deleted": 1}));
}

#[tokio::test]
async fn searches_are_the_same_after_every_job() {
    let server = Server::with_collection().await;
    server.post("/v1/collections/c/documents", TWO).await;
    let query = r#"{"text": "tall", "vector": [1, 0, 0], "filter": "year < 2000", "explain": true}"#;
    // Where the filter was answered is the one thing that a seal changes.
    let apart = |mut found: serde_json::Value| {
        let part = found["filter_plan"]["parts"].take()[0]["part"].take();
        (part, found)
    };
    let (part, before) = apart(server.post("/v1/collections/c/search", query).await.json());
    assert_eq!((part, &before["filter_plan"]["found"]), (json!("memtable"), &json!(1)));
    assert_eq!(before["hits"][0]["id"], "a/b");
    assert_eq!(before["hits"].as_array().map(Vec::len), Some(1));
    assert_eq!(before["hits"][0]["explanation"]["words"]["terms"][0]["term"], "tall");
    let jobs = [
        ("seal", true),
        ("seal", false),
        ("index", true),
        ("index", false),
        ("merge", false),
        ("optimize", false),
    ];
    for (job, done) in jobs {
        let answer = server.post(&format!("/v1/collections/c/{job}"), "").await;
        assert_eq!(answer.json(), json!({"done": done}), "{job}");
        let (part, after) = apart(server.post("/v1/collections/c/search", query).await.json());
        assert_eq!((part, &after), (json!("segment"), &before), "{job}");
    }
    assert_eq!(server.post("/v1/flush", "").await.json(), json!({}));
}

#[tokio::test]
async fn an_export_becomes_a_collection_elsewhere() {
    let server = Server::with_collection().await;
    server.post("/v1/collections/c/documents", TWO).await;
    let file = server.get("/v1/collections/c/export").await;
    assert_eq!(file.headers[header::CONTENT_TYPE], "application/octet-stream");
    let request = |name: &str, body: Vec<u8>| {
        let request = Request::post(format!("/v1/collections/{name}/import")).header(header::HOST, HOST);
        request.header(header::CONTENT_TYPE, "application/octet-stream").body(body.into()).expect("a request")
    };
    let other = Server::new();
    let imported = other.send(request("d", file.body.clone())).await;
    assert_eq!((imported.status.as_u16(), imported.json()["documents"].as_u64()), (201, Some(2)));
    assert_eq!(other.get("/v1/collections/d/documents/get").await.status, 200);
    assert_eq!(
        other.send(request("d", file.body.clone())).await.problem(),
        (409, "collection_exists".into())
    );
    let torn = file.body[..file.body.len() / 2].to_vec();
    let (status, code) = other.send(request("e", torn)).await.problem();
    assert!(status >= 400 && code != "internal", "{status} {code}");
    assert_eq!(other.get("/v1/collections/e").await.problem(), (404, "unknown_collection".into()));
}

#[tokio::test]
async fn collections_are_made_listed_and_dropped() {
    let server = Server::with_collection().await;
    let list = server.get("/v1/collections").await.json();
    assert_eq!(list["collections"][0]["name"], "c");
    assert_eq!(list["collections"][0]["metric"], "cosine");
    let again = server.post("/v1/collections", r#"{"name": "c"}"#).await;
    assert_eq!(again.problem(), (409, "collection_exists".into()));
    assert_eq!(server.ask("DELETE", "/v1/collections/c", "").await.status, 204);
    assert_eq!(server.get("/v1/collections/c").await.problem(), (404, "unknown_collection".into()));
    assert_eq!(server.get("/v1/collections").await.json(), json!({"collections": []}));
}

#[tokio::test]
async fn insert_refuses_what_is_there() {
    let server = Server::with_collection().await;
    server.post("/v1/collections/c/documents", TWO).await;
    let body = r#"{"mode": "insert", "durability": "always", "documents": [{"id": "new"}, {"id": "get"}]}"#;
    let refused = server.post("/v1/collections/c/documents", body).await;
    assert_eq!(refused.problem(), (409, "document_exists".into()));
    assert_eq!(
        server.get("/v1/collections/c/documents/new").await.problem(),
        (404, "unknown_document".into())
    );
}

#[tokio::test]
async fn what_is_not_served_is_a_problem_too() {
    let server = Server::with_collection().await;
    assert_eq!(server.get("/v2").await.problem(), (404, "unknown_route".into()));
    let wrong = server.ask("PUT", "/v1/collections", "{}").await;
    assert_eq!(wrong.problem(), (405, "method_not_allowed".into()));
    assert!(wrong.headers[header::ALLOW].to_str().expect("ASCII").contains("POST"));
    let wrong = server.post("/v1/collections/c/documents/other", "{}").await;
    assert_eq!(wrong.problem(), (405, "method_not_allowed".into()));
}

/// A collection that nobody has touched runs no job, and is not opened to be asked for one: few threads answer that.
#[tokio::test]
async fn asking_for_a_job_opens_no_collection() {
    let directory = tempfile::tempdir().expect("a directory");
    let server = Server::on(directory.path());
    assert_eq!(server.post("/v1/collections", r#"{"name": "c"}"#).await.status, 201);
    drop(server);
    let server = Server::on(directory.path());
    assert_eq!(server.get("/v1/collections/c/job").await.json(), json!({"job": null}));
    assert_eq!(server.ask("DELETE", "/v1/collections/c/job", "").await.json(), json!({"cancelled": false}));
    for method in ["GET", "DELETE"] {
        let missing = server.ask(method, "/v1/collections/other/job", "").await;
        assert_eq!(missing.problem(), (404, "unknown_collection".into()), "{method}");
    }
    let figures = String::from_utf8(server.get("/metrics").await.body).expect("text");
    assert!(figures.contains("\nkithdb_collections_open 0\n"), "{figures}");
    assert_eq!(server.get("/v1/collections/c").await.status, 200);
    let figures = String::from_utf8(server.get("/metrics").await.body).expect("text");
    assert!(figures.contains("\nkithdb_collections_open 1\n"), "{figures}");
}
