//! `/v1`: batches of searches, vectors beside JSON, and the database as a whole.

use axum::body::Body;
use axum::http::{Request, header};
use kithdb::wire::{Columns, PACKED_TYPE, Packed, Vectors};
use serde_json::json;

use super::{Answer, HOST, Server};

impl Server {
    /// Sends vectors beside JSON and wants them so.
    async fn packed(&self, path: &str, json: &str, vectors: Vectors) -> Answer {
        let mut body = vec![];
        Columns { json: json.to_owned(), vectors: Some(vectors) }.write_packed(&mut body);
        let request = Request::post(path).header(header::HOST, HOST).header(header::ACCEPT, PACKED_TYPE);
        let request = request.header(header::CONTENT_TYPE, PACKED_TYPE);
        self.send(request.body(Body::from(body)).expect("a request")).await
    }
}

fn vectors(all: &[Option<&[f32]>]) -> Vectors {
    let length = |vector: &Option<&[f32]>| vector.map_or(-1, |vector| vector.len() as i32);
    let components = all.iter().flatten().flat_map(|vector| vector.iter().copied()).collect();
    Vectors { components, lengths: all.iter().map(length).collect() }
}

#[tokio::test]
async fn vectors_cross_beside_json_to_the_last_bit() {
    let server = Server::with_collection().await;
    let third = [1.0 / 3.0, f32::MIN_POSITIVE, -0.1];
    let documents = r#"{"documents": [{"id": "a", "metadata": {"n": 1}}, {"id": "b"}]}"#;
    let path = "/v1/collections/c/documents";
    let added = server.packed(path, documents, vectors(&[Some(&third), None])).await;
    assert_eq!(added.json(), json!({"written": 2, "replaced": 0}));
    let got = server.packed(&format!("{path}/get"), "", vectors(&[])).await;
    assert_eq!(got.problem(), (415, "unsupported_media_type".into()));

    let search = r#"{"k": 1, "with_vector": true}"#;
    let found = server.packed("/v1/collections/c/search", search, vectors(&[Some(&third)])).await;
    assert_eq!(found.header(header::CONTENT_TYPE), PACKED_TYPE);
    let packed = Packed::parse(&found.body).expect("a packed body");
    assert_eq!(packed.vectors, [Some(third.to_vec())]);
    let columns: serde_json::Value = serde_json::from_slice(packed.json).expect("JSON");
    assert_eq!(columns[0], json!(["a"]));

    for (json, given) in [
        (documents, vectors(&[Some(&third)])),
        (r#"{"documents": [{"id": "c", "vector": [1, 2, 3]}]}"#, vectors(&[None])),
        ("{}", vectors(&[])),
    ] {
        assert_eq!(
            server.packed(path, json, given).await.problem(),
            (400, "invalid_request".into()),
            "{json}"
        );
    }
    let wrong = server.packed(path, r#"{"documents": [{"id": "c"}]}"#, vectors(&[Some(&[1.0])])).await;
    assert_eq!(wrong.problem(), (400, "dimension_mismatch".into()));
}

#[tokio::test]
async fn searches_are_answered_together() {
    let server = Server::with_collection().await;
    let documents = r#"{"documents": [{"id": "a", "vector": [1, 0, 0]}, {"id": "b", "vector": [0, 1, 0]}]}"#;
    server.post("/v1/collections/c/documents", documents).await;
    let body = r#"{"searches": [{"vector": [1, 0, 0], "k": 1}, {"vector": [0, 1, 0], "k": 1}]}"#;
    let found = server.post("/v1/collections/c/search/batch", body).await.json();
    let ids: Vec<_> = [0, 1].map(|i| found["results"][i]["hits"][0]["id"].clone()).to_vec();
    assert_eq!(ids, [json!("a"), json!("b")]);
    let wrong = server.post("/v1/collections/c/search/batch", r#"{"searches": [{"vector": [1]}]}"#).await;
    assert_eq!(wrong.problem(), (400, "dimension_mismatch".into()));
    let many = format!(r#"{{"searches": [{}]}}"#, vec!["{}"; 1001].join(","));
    let refused = server.post("/v1/collections/c/search/batch", &many).await;
    assert_eq!(refused.problem(), (413, "too_large".into()));
}

#[tokio::test]
async fn a_database_is_counted_and_checked() {
    let server = Server::with_collection().await;
    server.post("/v1/collections/c/documents", r#"{"documents": [{"id": "a"}, {"id": "b"}]}"#).await;
    server.ask("PUT", "/v1/kv/k", r#"{"value": "v"}"#).await;
    server.post("/v1/collections/c/seal", "").await;
    let stats = server.get("/v1/stats").await.json();
    assert_eq!(stats["collections"][0]["name"], "$kv");
    let figures = &stats["collections"][1];
    assert_eq!((&figures["name"], &figures["documents"]), (&json!("c"), &json!(2)));
    assert!(figures["segments"][0]["bytes"]["rows"].as_u64().is_some_and(|bytes| bytes > 0), "{stats}");
    let verified = server.post("/v1/verify", "").await.json();
    assert_eq!(
        (&verified["clean"], &verified["summary"]["damaged"]),
        (&json!(true), &json!(0)),
        "{verified}"
    );
    assert_eq!(verified["summary"]["collections"], 2);
}

#[tokio::test]
async fn keys_that_no_path_can_hold_are_told_in_a_body() {
    let server = Server::new();
    let set = server.post("/v1/kv/set", r#"{"key": "..", "value": "v", "durability": "always"}"#).await;
    assert_eq!(set.json(), json!({"replaced": 0}));
    let got = server.post("/v1/kv/get", r#"{"key": ".."}"#).await.json();
    assert_eq!(got, json!({"key": "..", "value": "v"}));
    assert_eq!(server.post("/v1/kv/delete", r#"{"key": ".."}"#).await.json(), json!({"deleted": 1}));
    assert_eq!(server.post("/v1/kv/get", r#"{"key": ".."}"#).await.problem(), (404, "unknown_key".into()));
    for (verb, body) in [("set", r#"{"key": "a"}"#), ("delete", r#"{"key": "a", "value": "v"}"#)] {
        let refused = server.post(&format!("/v1/kv/{verb}"), body).await;
        assert_eq!(refused.problem(), (400, "invalid_parameter".into()));
    }
    assert_eq!(server.post("/v1/kv/other", "{}").await.problem(), (405, "method_not_allowed".into()));
}
