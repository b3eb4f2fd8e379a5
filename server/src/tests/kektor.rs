//! KektorDB's API: its shapes and statuses, and the right thing where it does the wrong one.

use serde_json::{Value, json};

use super::{Answer, Server};

async fn server() -> Server {
    let server = Server::new();
    let body = r#"{"index_name": "t", "metric": "cosine", "text_language": "english"}"#;
    let made = server.post("/vector/actions/create", body).await;
    assert_eq!(
        (made.status.as_u16(), made.json()),
        (200, json!({"status": "OK", "message": "Index created"}))
    );
    server
}

async fn add(server: &Server, id: &str, vector: Value, metadata: Value) -> Answer {
    let body = json!({"index_name": "t", "id": id, "vector": vector, "metadata": metadata});
    server.post("/vector/actions/add", &body.to_string()).await
}

pub(super) fn error(answer: &Answer) -> (u16, String) {
    let body = answer.json();
    assert_eq!(answer.headers["content-type"], "application/json");
    assert_eq!(body.as_object().map(serde_json::Map::len), Some(1), "{body}");
    (answer.status.as_u16(), body["error"].as_str().expect("a message").to_owned())
}

#[tokio::test]
async fn indexes_have_its_shape() {
    let server = Server::new();
    assert_eq!(server.get("/vector/indexes").await.json(), json!([]));
    assert_eq!(server.post("/vector/indexes", r#"{"index_name": "t", "m": 0}"#).await.status, 200);
    let index = json!({"name": "t", "metric": "euclidean", "precision": "float32", "m": 16, "ef_construction": 200,
        "vector_count": 0, "text_language": ""});
    assert_eq!(server.get("/vector/indexes").await.json(), json!([index]));
    assert_eq!(server.get("/vector/indexes/t").await.json(), index);
    let again = server.post("/vector/indexes", r#"{"index_name": "t"}"#).await;
    assert_eq!(error(&again), (409, "index 't' already exists".into()));
    assert_eq!(error(&server.post("/vector/indexes", "{}").await), (400, "index_name required".into()));
    let int8 = server.post("/vector/indexes", r#"{"index_name": "u", "precision": "int8"}"#).await;
    assert_eq!(int8.status, 200);
    assert_eq!(server.get("/vector/indexes/u").await.json()["precision"], "int8");
    assert_eq!(server.ask("DELETE", "/vector/indexes/u", "").await.status, 204);
    let odd = server.post("/vector/indexes", r#"{"index_name": "u", "precision": "float64"}"#).await;
    assert_eq!(error(&odd).0, 400);
    assert_eq!(error(&server.post("/vector/indexes", r#"{"index_name": "u", "foo": 1}"#).await).0, 400);
    let deleted = server.ask("DELETE", "/vector/indexes/t", "").await;
    assert_eq!((deleted.status.as_u16(), deleted.body.len()), (204, 0));
    assert_eq!(error(&server.get("/vector/indexes/t").await), (404, "index 't' not found".into()));
}

/// A task that was started ends; how.
pub(super) async fn ended(server: &Server, started: &Answer) -> Value {
    assert_eq!(started.status, 202);
    let id = started.json()["id"].as_str().expect("an id").to_owned();
    loop {
        let task = server.get(&format!("/system/tasks/{id}")).await.json();
        if task["status"] != "running" {
            return task;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn indexes_are_maintained_and_compressed_by_tasks() {
    let server = server().await;
    for n in 0..6 {
        assert_eq!(add(&server, &format!("d{n}"), json!([1, n]), json!({})).await.status, 200);
    }
    let config = r#"{"vacuum_interval": "2m", "refine_enabled": true, "refine_ef_construction": 300, "refine_batch_size": 7}"#;
    let told = server.post("/vector/indexes/t/config", config).await;
    assert_eq!(told.json(), json!({"status": "OK", "message": "Configuration updated"}));
    let expected = json!({"delete_threshold": 0.2, "vacuum_interval": "2m", "refine_ef_construction": 300,
        "refine_interval": "30m", "graph_retention": "0s", "graph_vacuum_interval": "1m"});
    assert_eq!(server.get("/v1/collections/t").await.json()["maintenance"], expected);
    let bad = server.post("/vector/indexes/t/config", r#"{"vacuum_interval": "soon"}"#).await;
    assert_eq!(error(&bad).0, 400);
    assert_eq!(error(&server.post("/vector/indexes/none/config", "{}").await).0, 404);

    assert_eq!(server.post("/v1/collections/t/optimize", "").await.status, 200);
    for body in [r#"{"type": "refine"}"#, r#"{"type": "vacuum"}"#] {
        let task = ended(&server, &server.post("/vector/indexes/t/maintenance", body).await).await;
        assert_eq!(task["status"], "completed", "{task}");
    }
    let odd = server.post("/vector/indexes/t/maintenance", r#"{"type": "dust"}"#).await;
    assert_eq!(error(&odd), (400, "invalid maintenance type".into()));
    let kinds = [("bits", "bits"), ("float16", "int8"), ("pq", "pq"), ("opq", "opq"), ("int8", "int8")];
    for (precision, codes) in kinds {
        let body = json!({"index_name": "t", "precision": precision}).to_string();
        let task = ended(&server, &server.post("/vector/actions/compress", &body).await).await;
        assert_eq!(task["status"], "completed", "{task}");
        assert_eq!(server.get("/v1/collections/t").await.json()["codes"], codes);
    }
    let body = r#"{"index_name": "t", "precision": "float8"}"#;
    assert_eq!(error(&server.post("/vector/actions/compress", body).await).0, 400);
    assert_eq!(error(&server.get("/system/tasks/none").await), (404, "task not found".into()));
}

#[tokio::test]
async fn vectors_are_added_and_returned_in_the_order_asked() {
    let server = server().await;
    let added = add(&server, "a", json!([3.0, 4.0]), json!({"n": 1})).await;
    assert_eq!((added.status.as_u16(), added.json()), (200, json!({"status": "OK"})));
    assert_eq!(
        error(&add(&server, "a", json!([1, 1]), json!({})).await),
        (409, "ID 'a' already exists".into())
    );
    let mismatch = (400, "vector dimension mismatch: expected 2, got 3".into());
    assert_eq!(error(&add(&server, "b", json!([1, 2, 3]), json!({})).await), mismatch);
    for (id, none) in [("x", json!([0.0])), ("y", json!(null)), ("z", json!([]))] {
        assert_eq!(add(&server, id, none, json!({})).await.status, 200, "{id}");
    }
    let batch =
        r#"{"index_name": "t", "vectors": [{"id": "c", "vector": [1, 0]}, {"id": "d", "vector": null}]}"#;
    let added = server.post("/vector/actions/add-batch", batch).await;
    assert_eq!(added.json(), json!({"status": "OK", "vectors_added": 2}));
    assert_eq!(
        error(&server.post("/vector/actions/add-batch", batch).await),
        (409, "ID 'c' already exists".into())
    );

    let a = json!({"id": "a", "vector": [3.0, 4.0], "metadata": {"n": 1}});
    assert_eq!(server.get("/vector/indexes/t/vectors/a").await.json(), a);
    let missing = (404, "vector with ID 'q' not found in index 't'".into());
    assert_eq!(error(&server.get("/vector/indexes/t/vectors/q").await), missing);
    let many = r#"{"index_name": "t", "ids": ["d", "q", "a"]}"#;
    let many = server.post("/vector/actions/get-vectors", many).await;
    assert_eq!(many.json(), json!([{"id": "d", "vector": [], "metadata": {}}, a]));

    let body = r#"{"index_name": "t", "id": "a"}"#;
    assert_eq!(server.post("/vector/actions/delete_vector", body).await.json(), json!({"status": "OK"}));
    assert_eq!(error(&server.post("/vector/actions/delete_vector", body).await).0, 404);
    let nowhere = server.post("/vector/actions/delete_vector", r#"{"index_name": "no", "id": "a"}"#).await;
    assert_eq!(error(&nowhere), (404, "index 'no' not found".into()));
}

#[tokio::test]
async fn searches_answer_ids_or_nodes() {
    let server = server().await;
    add(&server, "cat", json!([1, 0]), json!({"content": "cats purr", "n": 5})).await;
    add(&server, "dog", json!([0, 1]), json!({"content": "dogs bark", "n": 7})).await;
    let search = async |body: Value| {
        let mut body = body;
        body["index_name"] = "t".into();
        server.post("/vector/actions/search", &body.to_string()).await
    };
    let ids = async |body: Value| search(body).await.json()["results"].clone();
    assert_eq!(ids(json!({"k": 1, "query_vector": [1, 0]})).await, json!(["cat"]));
    let hybrid = json!({"query_vector": [1, 0], "filter": "n > 4 AND CONTAINS(content, 'dogs')", "alpha": 0});
    assert_eq!(ids(hybrid).await[0], "dog");
    // A vector of zeros means: by words alone.
    let words = json!({"query_vector": [0, 0], "filter": "CONTAINS(content, 'dogs')"});
    assert_eq!(ids(words).await[0], "dog");
    assert_eq!(ids(json!({"filter": "n = 7", "k": 10})).await, json!(["dog"]));
    assert_eq!(ids(json!({"filter": "n = 8"})).await, json!([]));
    let nodes = ids(json!({"k": 1, "query_vector": [1, 0], "hydrate": true})).await;
    let node = json!({"id": "cat", "vector": [1.0, 0.0], "metadata": {"content": "cats purr", "n": 5}});
    assert_eq!(nodes, json!([{"id": "cat", "score": 1.0, "node": node}]));

    assert_eq!(error(&search(json!({"filter": "n IN"})).await).0, 400);
    assert_eq!(error(&search(json!({"query_vector": [1, 2, 3]})).await).0, 400);
    assert_eq!(error(&search(json!({"k": 10_001})).await).0, 400);
    let no_embedder = (503, "no embedder available for index 't'".into());
    assert_eq!(error(&search(json!({"query_text": "cats"})).await), no_embedder);
}

#[tokio::test]
async fn save_seals_and_health_is_told() {
    let server = server().await;
    add(&server, "a", json!([1, 0]), json!({})).await;
    let saved = server.post("/system/save", "").await;
    assert_eq!(saved.json(), json!({"status": "OK", "message": "Snapshot created"}));
    assert_eq!(server.get("/v1/collections/t").await.json()["segments"], 1);
    assert_eq!(server.get("/healthz").await.json(), json!({"status": "ok"}));
}
