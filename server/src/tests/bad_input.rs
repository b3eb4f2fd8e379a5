//! Bad input: a clear error with a stable code, and nothing stored.

use serde_json::json;

use super::Server;

#[tokio::test]
async fn bad_documents_are_refused_whole() {
    let server = Server::with_collection().await;
    let long = format!(r#"{{"id": "{}"}}"#, "x".repeat(1025));
    let table = [
        (r#"{"id": "b", "vector": [1, 2]}"#, 400, "dimension_mismatch"),
        (r#"{"id": "b", "vector": [1, 2, 1e39]}"#, 400, "invalid_vector"),
        (r#"{"id": "b", "vector": [1, 2, -2e15]}"#, 400, "invalid_vector"),
        (r#"{"id": "b", "vector": [0, 0, 0]}"#, 400, "invalid_vector"),
        (r#"{"id": "b", "vector": [1, 2, NaN]}"#, 400, "invalid_request"),
        (r#"{"id": "b", "vector": [1, 2, "3"]}"#, 400, "invalid_request"),
        (r#"{"id": ""}"#, 400, "invalid_id"),
        (&long, 400, "invalid_id"),
        (r#"{"id": "b\u0000"}"#, 400, "invalid_id"),
        (r#"{"id": 7}"#, 400, "invalid_request"),
        (r#"{"id": "b", "metadata": {"x": 1, "x": 2}}"#, 400, "invalid_metadata"),
        (r#"{"id": "b", "metadata": [1]}"#, 400, "invalid_metadata"),
        (r#"{"id": "b", "metdata": {}}"#, 400, "invalid_request"),
    ];
    for (bad, status, code) in table {
        let body = format!(r#"{{"documents": [{{"id": "good", "vector": [1, 2, 3]}}, {bad}]}}"#);
        let refused = server.post("/v1/collections/c/documents", &body).await;
        assert_eq!(refused.problem(), (status, code.into()), "{bad}");
    }
    let scan = server.get("/v1/collections/c/documents").await;
    assert_eq!(scan.json(), json!({"documents": [], "next": null}));
}

#[tokio::test]
async fn bad_searches_say_what_was_expected() {
    let server = Server::with_collection().await;
    let table = [
        (r#"{"vector": [1, 2]}"#, 400, "dimension_mismatch"),
        (r#"{"vector": [1, 2, 1e39]}"#, 400, "invalid_vector"),
        (r#"{"vector": [0, 0, 0]}"#, 400, "invalid_vector"),
        (r#"{"k": 0}"#, 400, "invalid_parameter"),
        (r#"{"k": 10001}"#, 400, "invalid_parameter"),
        (r#"{"alpha": 1.5}"#, 400, "invalid_parameter"),
        (r#"{"alpha": 0.5, "rrf_k": 60}"#, 400, "invalid_parameter"),
        (r#"{"txt": "a"}"#, 400, "invalid_request"),
        ("{", 400, "invalid_request"),
        ("", 400, "invalid_request"),
    ];
    for (body, status, code) in table {
        let refused = server.post("/v1/collections/c/search", body).await;
        assert_eq!(refused.problem(), (status, code.into()), "{body}");
    }
    let filter = server.post("/v1/collections/c/search", r#"{"filter": "year >= 1990 AND"}"#).await;
    assert_eq!(filter.problem(), (400, "invalid_filter".into()));
    assert_eq!(filter.json()["position"], 16);
    assert!(filter.json()["expected"].is_string() && filter.json()["hint"].is_string());
    let tree = r#"{"filter": {"and": [{"field": "year", "op": ">=", "value": 1990}, {"field": "a", "op": "near"}]}}"#;
    let filter = server.post("/v1/collections/c/search", tree).await;
    assert_eq!(filter.problem(), (400, "invalid_filter".into()));
    assert!(filter.json()["message"].as_str().expect("text").contains("at filter.and[1].op: expected =, "));
}

#[tokio::test]
async fn an_unknown_field_in_a_filter_is_a_warning() {
    let server = Server::with_collection().await;
    server
        .post("/v1/collections/c/documents", r#"{"documents": [{"id": "a", "metadata": {"year": 1}}]}"#)
        .await;
    let answer = server.post("/v1/collections/c/search", r#"{"filter": "yaer = 1"}"#).await.json();
    assert_eq!(answer["hits"], json!([]));
    assert!(answer["warnings"][0].as_str().expect("a warning").contains("yaer"));
}

/// A list was read as the fields of a body in their order: `[[1, 0, 0]]` searched for a vector.
#[tokio::test]
async fn a_list_is_no_body() {
    let server = Server::with_collection().await;
    let one = "/v1/collections/c";
    for path in
        [&format!("{one}/search"), &format!("{one}/estimate"), &format!("{one}/documents"), "/v1/kv/get"]
    {
        for list in ["[]", " [[1, 0, 0]]", "[null, null]"] {
            let refused = server.post(path, list).await;
            assert_eq!(refused.problem(), (400, "invalid_request".into()), "{path} {list}");
            assert_eq!(refused.json()["expected"], "an object, not a list");
        }
    }
    server.post("/vector/indexes", r#"{"index_name": "i"}"#).await;
    assert_eq!(server.post("/vector/indexes/i/config", "[]").await.status, 400);
    assert_eq!(server.post("/vector/actions/search", r#"["i"]"#).await.status, 400);
}

#[tokio::test]
async fn names_never_become_paths() {
    let server = Server::with_collection().await;
    for name in ["..%2f", "%2e%2e%2f%2e%2e%2fetc", "c%00", "%5c", "nope", "C"] {
        let info = server.get(&format!("/v1/collections/{name}")).await;
        assert_eq!(info.problem(), (404, "unknown_collection".into()), "{name}");
        let found = server.post(&format!("/v1/collections/{name}/search"), "{}").await;
        assert_eq!(found.problem(), (404, "unknown_collection".into()), "{name}");
    }
    for name in ["", "..", "../x", "a/b", ".hidden", "a b", "-"] {
        let refused = server.post("/v1/collections", &json!({"name": name}).to_string()).await;
        assert_eq!(refused.problem(), (400, "invalid_name".into()), "{name}");
    }
    assert_eq!(server.get("/v1/collections/%ff").await.problem(), (400, "invalid_request".into()));
}

#[tokio::test]
async fn bad_collections_are_refused() {
    let server = Server::new();
    let table = [
        (r#"{"name": "a", "metric": "hamming"}"#, 400, "invalid_parameter"),
        (r#"{"name": "a", "dim": 0}"#, 400, "invalid_parameter"),
        (r#"{"name": "a", "m": 1}"#, 400, "invalid_parameter"),
        (r#"{"name": "a", "text": {"language": "klingon"}}"#, 400, "invalid_parameter"),
        (r#"{"name": "a", "text": {}, "embedder": true}"#, 503, "no_embedder"),
        (r#"{"name": "a", "metrik": "dot"}"#, 400, "invalid_request"),
        (r#"{"metric": "dot"}"#, 400, "invalid_request"),
        (r#"{"name": 7}"#, 400, "invalid_request"),
        ("[]", 400, "invalid_request"),
    ];
    for (body, status, code) in table {
        assert_eq!(server.post("/v1/collections", body).await.problem(), (status, code.into()), "{body}");
    }
    assert_eq!(server.get("/v1/collections/a/documents?limit=0").await.problem().0, 404);
}
