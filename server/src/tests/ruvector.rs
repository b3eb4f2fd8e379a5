//! ruvector-go's API: what its own tests of its server ask for, one by one, then what those of its index and its store
//! ask for, asked over HTTP.

use std::collections::HashSet;

use kithdb::base::Rng;
use serde_json::{Value, json};

use super::{Answer, Server};

const THREE: &str = r#"{"name": "c", "dimension": 3}"#;

/// A server with a collection `c` of three dimensions.
async fn server() -> Server {
    let server = Server::new();
    let made = server.post("/collections", THREE).await;
    assert_eq!(told(&made), (201, json!({"status": "created"})));
    server
}

/// Status and body, checked to be JSON that ends with a newline.
fn told(answer: &Answer) -> (u16, Value) {
    assert_eq!(answer.headers["content-type"], "application/json");
    assert_eq!(answer.body.last(), Some(&b'\n'));
    (answer.status.as_u16(), answer.json())
}

fn error(message: &str) -> Value {
    json!({"error": message})
}

async fn insert(server: &Server, name: &str, vectors: Value) -> (u16, Value) {
    let body = json!({"vectors": vectors}).to_string();
    told(&server.post(&format!("/collections/{name}/vectors"), &body).await)
}

/// Numbers and distances of the nearest.
async fn nearest(server: &Server, name: &str, body: Value) -> Vec<(u64, f64)> {
    let found = server.post(&format!("/collections/{name}/search"), &body.to_string()).await;
    assert_eq!(found.status, 200, "{}", found.json());
    let found = found.json();
    let of =
        |hit: &Value| (hit["id"].as_u64().expect("a number"), hit["distance"].as_f64().expect("a distance"));
    found.as_array().expect("a list").iter().map(of).collect()
}

async fn ids(server: &Server, name: &str, body: Value) -> Vec<u64> {
    nearest(server, name, body).await.into_iter().map(|(id, _)| id).collect()
}

fn three_axes() -> Value {
    json!([{"id": 1, "vector": [1, 0, 0]}, {"id": 2, "vector": [0, 1, 0]}, {"id": 3, "vector": [0, 0, 1]}])
}

/// Vectors of components between -1 and 1, numbered from 0.
fn random(seed: u64, count: usize, dim: usize) -> Vec<Vec<f32>> {
    let mut rng = Rng::new(seed);
    (0..count).map(|_| (0..dim).map(|_| rng.unit_f32() * 2.0 - 1.0).collect()).collect()
}

fn numbered(vectors: &[Vec<f32>]) -> Value {
    vectors.iter().enumerate().map(|(id, vector)| json!({"id": id, "vector": vector})).collect()
}

async fn filled(metric: &str, vectors: &[Vec<f32>]) -> Server {
    let server = Server::new();
    let made = json!({"name": "r", "dimension": vectors[0].len(), "metric": metric, "ef_construction": 100});
    assert_eq!(server.post("/collections", &made.to_string()).await.status, 201);
    let expected = format!("inserted {} vectors", vectors.len());
    assert_eq!(insert(&server, "r", numbered(vectors)).await, (201, json!({"status": expected})));
    server
}

/// A vector of `r`, component by component.
async fn stored(server: &Server, id: usize) -> Vec<f32> {
    let told = server.get(&format!("/collections/r/vectors/{id}")).await.json();
    serde_json::from_value(told["vector"].clone()).expect("numbers")
}

#[tokio::test]
async fn health_is_ok() {
    assert_eq!(told(&Server::new().get("/health").await), (200, json!({"status": "ok"})));
}

#[tokio::test]
async fn health_is_not_posted_to() {
    let refused = Server::new().post("/health", "").await;
    assert_eq!(told(&refused), (405, error("method not allowed")));
}

#[tokio::test]
async fn a_collection_is_created() {
    server().await;
}

#[tokio::test]
async fn a_collection_needs_a_name() {
    let refused = Server::new().post("/collections", r#"{"dimension": 3}"#).await;
    assert_eq!(told(&refused), (400, error("name is required")));
}

#[tokio::test]
async fn a_collection_needs_a_dimension() {
    for dimension in ["0", "-3", "null"] {
        let body = format!(r#"{{"name": "c", "dimension": {dimension}}}"#);
        let refused = Server::new().post("/collections", &body).await;
        assert_eq!(told(&refused), (400, error("dimension must be positive")), "{dimension}");
    }
}

#[tokio::test]
async fn a_metric_must_be_known() {
    for metric in ["hamming", "Cosine"] {
        let body = json!({"name": "c", "dimension": 3, "metric": metric}).to_string();
        let refused = Server::new().post("/collections", &body).await;
        assert_eq!(told(&refused), (400, error(&format!("unknown distance metric: {metric:?}"))));
    }
}

#[tokio::test]
async fn a_name_is_taken_once() {
    let again = server().await.post("/collections", THREE).await;
    assert_eq!(told(&again), (409, error("collection \"c\" already exists")));
}

#[tokio::test]
async fn collections_are_listed() {
    let server = Server::new();
    assert_eq!(told(&server.get("/collections").await), (200, json!([])));
    for (name, dimension) in [("b", 4), ("a", 2)] {
        server.post("/collections", &json!({"name": name, "dimension": dimension}).to_string()).await;
    }
    let listed = json!([
        {"name": "a", "dimension": 2, "size": 0, "max_level": -1},
        {"name": "b", "dimension": 4, "size": 0, "max_level": -1},
    ]);
    assert_eq!(told(&server.get("/collections").await), (200, listed));
    assert_eq!(told(&server.ask("PUT", "/collections", "").await), (405, error("method not allowed")));
}

#[tokio::test]
async fn a_collection_is_described() {
    let server = server().await;
    insert(&server, "c", three_axes()).await;
    let info = json!({"name": "c", "dimension": 3, "size": 3, "max_level": 0});
    assert_eq!(told(&server.get("/collections/c").await), (200, info.clone()));
    assert_eq!(told(&server.get("/collections/c/").await), (200, info));
}

#[tokio::test]
async fn a_collection_that_is_not_there_is_not_described() {
    let missing = (404, error("collection \"no\" not found"));
    let server = Server::new();
    assert_eq!(told(&server.get("/collections/no").await), missing);
    assert_eq!(
        told(&server.get("/collections/..%2Fno").await),
        (404, error("collection \"../no\" not found"))
    );
}

#[tokio::test]
async fn a_collection_is_deleted() {
    let server = server().await;
    assert_eq!(told(&server.ask("DELETE", "/collections/c", "").await), (200, json!({"status": "deleted"})));
    assert_eq!(server.get("/collections/c").await.status, 404);
    assert_eq!(told(&server.ask("PATCH", "/collections/c", "").await), (405, error("method not allowed")));
    assert_eq!(told(&server.get("/collections/").await), (400, error("collection name required")));
    assert_eq!(told(&server.get("/collections/c/points").await), (404, error("not found")));
}

#[tokio::test]
async fn a_collection_that_is_not_there_is_not_deleted() {
    let missing = Server::new().ask("DELETE", "/collections/no", "").await;
    assert_eq!(told(&missing), (404, error("collection \"no\" not found")));
}

#[tokio::test]
async fn vectors_are_inserted() {
    let server = server().await;
    assert_eq!(insert(&server, "c", three_axes()).await, (201, json!({"status": "inserted 3 vectors"})));
    let one = json!([{"id": 4, "vector": [1, 1, 1]}]);
    assert_eq!(insert(&server, "c", one).await, (201, json!({"status": "inserted 1 vectors"})));
}

#[tokio::test]
async fn vectors_are_not_inserted_into_nothing() {
    let missing = (404, error("collection \"no\" not found"));
    let server = server().await;
    assert_eq!(insert(&server, "no", three_axes()).await, missing);
    // The collection is looked for before the method is looked at.
    assert_eq!(told(&server.get("/collections/no/vectors").await), missing);
    assert_eq!(told(&server.get("/collections/c/vectors").await), (405, error("method not allowed")));
}

#[tokio::test]
async fn no_vectors_are_not_inserted() {
    assert_eq!(insert(&server().await, "c", json!([])).await, (400, error("no vectors provided")));
}

#[tokio::test]
async fn a_vector_comes_back() {
    let server = server().await;
    insert(&server, "c", json!([{"id": 42, "vector": [0.5, -2, 3]}])).await;
    let vector = json!({"id": 42, "vector": [0.5, -2.0, 3.0]});
    assert_eq!(told(&server.get("/collections/c/vectors/42").await), (200, vector.clone()));
    assert_eq!(told(&server.get("/collections/c/vectors/0042").await), (200, vector));
}

#[tokio::test]
async fn a_vector_that_is_not_there_does_not_come_back() {
    let server = server().await;
    assert_eq!(told(&server.get("/collections/c/vectors/7").await), (404, error("vector not found")));
    let missing = (404, error("collection \"no\" not found"));
    assert_eq!(told(&server.get("/collections/no/vectors/x").await), missing);
    let method = (405, error("method not allowed"));
    assert_eq!(told(&server.post("/collections/c/vectors/7", "").await), method);
}

#[tokio::test]
async fn a_vector_is_deleted_once() {
    let server = server().await;
    insert(&server, "c", three_axes()).await;
    let deleted = server.ask("DELETE", "/collections/c/vectors/2", "").await;
    assert_eq!(told(&deleted), (200, json!({"status": "deleted"})));
    let again = server.ask("DELETE", "/collections/c/vectors/2", "").await;
    assert_eq!(told(&again), (404, error("vector not found")));
    assert_eq!(server.get("/collections/c/vectors/2").await.status, 404);
}

#[tokio::test]
async fn the_nearest_comes_first() {
    let server = server().await;
    let vectors = json!([{"id": 1, "vector": [1, 0, 0]}, {"id": 2, "vector": [0.9, 0.1, 0]},
        {"id": 3, "vector": [0, 1, 0]}]);
    insert(&server, "c", vectors).await;
    let found = nearest(&server, "c", json!({"vector": [1, 0, 0], "k": 2})).await;
    assert_eq!(found.iter().map(|(id, _)| *id).collect::<Vec<_>>(), [1, 2]);
    assert!(found[0].1.abs() < 1e-6 && found[1].1 > 0.0, "{found:?}");
}

#[tokio::test]
async fn nothing_is_found_in_nothing() {
    let missing = Server::new().post("/collections/no/search", r#"{"vector": [1], "k": 1}"#).await;
    assert_eq!(told(&missing), (404, error("collection \"no\" not found")));
}

#[tokio::test]
async fn some_must_be_wanted() {
    let server = server().await;
    for body in [r#"{"vector": [1, 0, 0], "k": 0}"#, r#"{"vector": [1, 0, 0]}"#, r#"{"k": -1}"#] {
        let refused = server.post("/collections/c/search", body).await;
        assert_eq!(told(&refused), (400, error("k must be positive")), "{body}");
    }
}

#[tokio::test]
async fn searches_are_posted() {
    // The method is looked at before the collection is looked for.
    for name in ["c", "no"] {
        let refused = server().await.get(&format!("/collections/{name}/search")).await;
        assert_eq!(told(&refused), (405, error("method not allowed")));
    }
}

#[tokio::test]
async fn an_index_has_its_parameters() {
    let server = Server::new();
    let body = r#"{"name": "c", "dimension": 3, "m": 32, "ef_construction": 400, "ef_search": 100}"#;
    assert_eq!(server.post("/collections", body).await.status, 201);
    let info = server.get("/v1/collections/c").await.json();
    assert_eq!((&info["m"], &info["ef_construction"]), (&json!(32), &json!(400)), "{info}");
    let none = r#"{"name": "d", "dimension": 3, "m": 0, "ef_construction": -1, "ef_search": 0}"#;
    assert_eq!(server.post("/collections", none).await.status, 201);
    let info = server.get("/v1/collections/d").await.json();
    assert_eq!((&info["m"], &info["ef_construction"]), (&json!(16), &json!(200)), "{info}");
}

#[tokio::test]
async fn a_number_is_decimal() {
    let server = server().await;
    for id in ["abc", "-1", "+1", "1.0", "1e3", "0x1", "18446744073709551616"] {
        let refused = server.get(&format!("/collections/c/vectors/{id}")).await;
        assert_eq!(told(&refused), (400, error("invalid vector ID")), "{id}");
    }
}

#[tokio::test]
async fn numbers_are_whole_64_bits() {
    let server = server().await;
    let largest = [u64::MAX, u64::MAX - 1, (1 << 53) + 1];
    let vectors: Value = largest.iter().map(|id| json!({"id": id, "vector": [1, 0, 0]})).collect();
    assert_eq!(insert(&server, "c", vectors).await.0, 201);
    for id in largest {
        let told = server.get(&format!("/collections/c/vectors/{id}")).await.json();
        assert_eq!(told["id"].as_u64(), Some(id));
    }
    assert_eq!(ids(&server, "c", json!({"vector": [1, 0, 0], "k": 9})).await, largest);
    let document = format!("/v1/collections/c/documents/{}", u64::MAX);
    assert_eq!(server.get(&document).await.json()["id"], u64::MAX.to_string());
}

#[tokio::test]
async fn bodies_are_read_as_there() {
    let server = Server::new();
    let body = r#"{"NAME": "c", "Dimension": 2, "colour": [{}], "metric": null} and more"#;
    assert_eq!(server.post("/collections", body).await.status, 201);
    let vectors = r#"{"Vectors": [{"ID": 1, "Vector": [1, 0], "meta": {}}, {"vector": [0, 1]}]}"#;
    assert_eq!(server.post("/collections/c/vectors", vectors).await.status, 201);
    // A number that is left out is 0.
    assert_eq!(server.get("/collections/c/vectors/0").await.json()["vector"], json!([0.0, 1.0]));
    let invalid = (400, error("invalid request body"));
    for body in ["", "{", "[]", r#"{"name": 1}"#, r#"{"name": "d", "dimension": 2.5}"#] {
        assert_eq!(told(&server.post("/collections", body).await), invalid, "{body}");
    }
    for id in ["-1", "1.5", "\"1\"", "18446744073709551616"] {
        let body = format!(r#"{{"vectors": [{{"id": {id}, "vector": [1, 0]}}]}}"#);
        assert_eq!(told(&server.post("/collections/c/vectors", &body).await), invalid, "{id}");
    }
    let beyond = r#"{"vectors": [{"id": 9, "vector": [1e39, 0]}]}"#;
    assert_eq!(told(&server.post("/collections/c/vectors", beyond).await), invalid);
    let large = format!(r#"{{"vector": [1, 0], "k": 1, "pad": "{}"}}"#, "x".repeat(1 << 20));
    assert_eq!(told(&server.post("/collections/c/search", &large).await), invalid);
}

#[tokio::test]
async fn what_cannot_be_inserted_says_which_and_why() {
    let server = server().await;
    insert(&server, "c", json!([{"id": 1, "vector": [1, 0, 0]}])).await;
    let good = json!({"id": 2, "vector": [0, 1, 0]});
    let table = [
        (json!([good, {"id": 3, "vector": [1, 2]}]), "ID 3: dimension mismatch: got 2, want 3"),
        (json!([good, {"id": 4, "vector": [1, 2, 3, 4]}]), "ID 4: dimension mismatch: got 4, want 3"),
        (json!([good, {"id": 7}]), "ID 7: dimension mismatch: got 0, want 3"),
        (
            json!([good, {"id": 5, "vector": [1, 0, 0]}, {"id": 5, "vector": [1, 0, 0]}]),
            "ID 5: duplicate ID in batch",
        ),
        (json!([good, {"id": 1, "vector": [1, 0, 0]}]), "ID 1: vector ID 1 already exists"),
    ];
    for (vectors, why) in table {
        assert_eq!(insert(&server, "c", vectors).await, (400, error(&format!("index insert {why}"))));
    }
    // All or nothing.
    assert_eq!(server.get("/collections/c").await.json()["size"], 1);
    let mismatch = server.post("/collections/c/search", r#"{"vector": [1, 2], "k": 1}"#).await;
    assert_eq!(told(&mismatch), (400, error("dimension mismatch: got 2, want 3")));
}

#[tokio::test]
async fn distances_are_those_of_the_metric() {
    let server = Server::new();
    let table = [
        ("cosine", [1.0, 0.0], [-1.0, 0.0], 2.0),
        ("euclidean", [0.0, 0.0], [3.0, 4.0], 5.0),
        ("l2", [0.0, 0.0], [3.0, 4.0], 5.0),
        ("dot", [4.0, 5.0], [3.0, 4.0], -32.0),
        ("manhattan", [0.0, 0.0], [3.0, 4.0], 7.0),
        ("l1", [0.0, 0.0], [3.0, 4.0], 7.0),
    ];
    for (metric, stored, query, distance) in table {
        let made = json!({"name": metric, "dimension": 2, "metric": metric}).to_string();
        assert_eq!(server.post("/collections", &made).await.status, 201, "{metric}");
        insert(&server, metric, json!([{"id": 1, "vector": stored}])).await;
        let found = nearest(&server, metric, json!({"vector": query, "k": 1})).await;
        assert_eq!(found, [(1, distance)], "{metric}");
    }
}

#[tokio::test]
async fn searches_take_any_number() {
    let server = server().await;
    assert_eq!(ids(&server, "c", json!({"vector": [1, 0, 0], "k": 5})).await, [0; 0]);
    insert(&server, "c", three_axes()).await;
    let query = |k: i64, ef: i64| json!({"vector": [0, 1, 0.5], "k": k, "ef": ef});
    for (k, ef) in [(3, 0), (3, -7), (3, 1), (1_000_000_000, 0), (1_000_000_000, i64::MAX)] {
        assert_eq!(ids(&server, "c", query(k, ef)).await, [2, 3, 1], "{k} {ef}");
    }
}

#[tokio::test]
async fn a_collection_is_the_same_in_v1() {
    let server = Server::new();
    server.post("/v1/collections", r#"{"name": "c", "metric": "dot"}"#).await;
    let empty = json!({"name": "c", "dimension": 0, "size": 0, "max_level": -1});
    assert_eq!(told(&server.get("/collections/c").await), (200, empty));
    assert_eq!(ids(&server, "c", json!({"vector": [1, 0], "k": 5})).await, [0; 0]);
    let documents: Vec<Value> =
        (0..40).map(|n| json!({"id": format!("note-{n}"), "vector": [9, n]})).collect();
    let others = json!([{"id": "7", "vector": [1, 2]}, {"id": "07", "vector": [2, 2]}, {"id": "8"}]);
    for documents in [json!(documents), others] {
        let body = json!({"documents": documents}).to_string();
        assert_eq!(server.post("/v1/collections/c/documents", &body).await.status, 200);
    }
    insert(&server, "c", json!([{"id": 9, "vector": [0, 1]}])).await;
    assert_eq!(server.get("/collections/c").await.json()["dimension"], 2);
    // Ids that are no numbers do not stand in the way of those that are.
    assert_eq!(ids(&server, "c", json!({"vector": [1, 1], "k": 2})).await, [7, 9]);
    assert_eq!(told(&server.get("/collections/c/vectors/8").await), (404, error("vector not found")));
    let found = server.post("/v1/collections/c/search", r#"{"vector": [0, 1], "filter": "x = 1"}"#).await;
    assert_eq!(found.json()["hits"], json!([]));
    assert_eq!(server.get("/v1/collections/c/documents/9").await.json()["vector"], json!([0.0, 1.0]));
}

/// The nearest by looking at all of them.
fn oracle(metric: &str, vectors: &[Vec<f32>], query: &[f32], k: usize) -> HashSet<u64> {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
    let distance = |vector: &Vec<f32>| match metric {
        "cosine" => 1.0 - dot(vector, query) / (dot(vector, vector) * dot(query, query)).sqrt(),
        _ => dot(vector, vector) - 2.0 * dot(vector, query),
    };
    let mut all: Vec<(f64, u64)> = vectors.iter().map(distance).zip(0..).collect();
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    all.iter().take(k).map(|(_, id)| *id).collect()
}

/// Of 20 queries, the share of the `k` nearest that was found.
async fn recall(server: &Server, metric: &str, vectors: &[Vec<f32>], k: usize) -> f64 {
    let mut found = 0;
    for query in random(99, 20, vectors[0].len()) {
        let hits = nearest(server, "r", json!({"vector": query, "k": k, "ef": 50})).await;
        assert!(hits.is_sorted_by(|a, b| a.1 <= b.1));
        let expected = oracle(metric, vectors, &query, k);
        found += hits.iter().filter(|(id, _)| expected.contains(id)).count();
    }
    found as f64 / (20 * k) as f64
}

#[tokio::test]
async fn most_of_the_nearest_are_found() {
    for (metric, count, dim, k) in [("euclidean", 500, 32, 10), ("cosine", 300, 64, 5)] {
        let vectors = random(7, count, dim);
        let server = filled(metric, &vectors).await;
        let unsealed = recall(&server, metric, &vectors, k).await;
        assert_eq!(server.post("/v1/collections/r/optimize", "").await.status, 200);
        let linked = recall(&server, metric, &vectors, k).await;
        assert!(unsealed >= 0.99 && linked >= 0.99, "{metric}: {unsealed} {linked}");
        let max_level = server.get("/collections/r").await.json()["max_level"].as_i64();
        assert!(max_level.is_some_and(|level| level >= 1), "{max_level:?}");
    }
}

#[tokio::test]
async fn a_stored_vector_is_its_own_nearest() {
    let vectors = random(3, 2_000, 64);
    let server = filled("cosine", &vectors).await;
    for id in [0, 999, 1_999] {
        let found = nearest(&server, "r", json!({"vector": vectors[id], "k": 1})).await;
        assert!(found[0].0 == id as u64 && found[0].1.abs() < 1e-6, "{found:?}");
        assert_eq!(stored(&server, id).await, vectors[id]);
    }
    for ef in [5, 200] {
        assert_eq!(ids(&server, "r", json!({"vector": vectors[17], "k": 1, "ef": ef})).await, [17]);
    }
}

#[tokio::test]
async fn the_far_one_is_not_among_the_near_ones() {
    let server = filled(
        "euclidean",
        &[[0, 0], [1, 0], [0, 1], [1, 1], [10, 10]].map(|v| v.map(|x| x as f32).to_vec()),
    )
    .await;
    let near = ids(&server, "r", json!({"vector": [0.5, 0.4], "k": 4})).await;
    assert_eq!(near.iter().collect::<HashSet<_>>(), [0, 1, 2, 3].iter().collect());
    let far: Value = (10..109).map(|id| json!({"id": id, "vector": [100 + id, 50]})).collect();
    assert_eq!(insert(&server, "r", far).await.0, 201);
    assert_eq!(ids(&server, "r", json!({"vector": [10, 10], "k": 1})).await, [4]);
}

#[tokio::test]
async fn what_is_deleted_is_not_found() {
    let vectors = random(5, 50, 16);
    let server = filled("euclidean", &vectors).await;
    assert_eq!(server.post("/v1/collections/r/optimize", "").await.status, 200);
    for id in (0..50).step_by(2) {
        let deleted = server.ask("DELETE", &format!("/collections/r/vectors/{id}"), "").await;
        assert_eq!(deleted.status, 200, "{id}");
    }
    let left: HashSet<u64> = (0..50).filter(|id| id % 2 == 1).collect();
    for query in &vectors {
        let found = ids(&server, "r", json!({"vector": query, "k": 50})).await;
        assert_eq!(found.into_iter().collect::<HashSet<_>>(), left);
    }
    for id in (1..50).step_by(2) {
        server.ask("DELETE", &format!("/collections/r/vectors/{id}"), "").await;
    }
    assert_eq!(ids(&server, "r", json!({"vector": vectors[0], "k": 50})).await, [0; 0]);
    let info = server.get("/collections/r").await.json();
    assert_eq!((&info["size"], &info["max_level"]), (&json!(0), &json!(-1)));
    assert_eq!(insert(&server, "r", numbered(&vectors[..1])).await.0, 201);
    assert_eq!(ids(&server, "r", json!({"vector": vectors[9], "k": 50})).await, [0]);
}

#[tokio::test]
async fn collections_are_there_after_a_restart() {
    let directory = tempfile::tempdir().expect("a directory");
    let vectors = random(11, 100, 128);
    let query = json!({"vector": vectors[40], "k": 10});
    let before = {
        let server = Server::on(directory.path());
        for name in ["r", "empty"] {
            let made = json!({"name": name, "dimension": 128, "metric": "manhattan"}).to_string();
            assert_eq!(server.post("/collections", &made).await.status, 201);
        }
        assert_eq!(insert(&server, "r", numbered(&vectors)).await.0, 201);
        assert_eq!(server.ask("DELETE", "/collections/r/vectors/41", "").await.status, 200);
        nearest(&server, "r", query.clone()).await
    };
    let server = Server::on(directory.path());
    let listed = json!([{"name": "empty", "dimension": 128, "size": 0, "max_level": -1},
        {"name": "r", "dimension": 128, "size": 99, "max_level": 0}]);
    assert_eq!(told(&server.get("/collections").await), (200, listed));
    assert_eq!(nearest(&server, "r", query).await, before);
    assert_eq!(server.get("/collections/r/vectors/41").await.status, 404);
    for (id, vector) in vectors.iter().enumerate().filter(|(id, _)| *id != 41) {
        assert_eq!(stored(&server, id).await, *vector);
    }
    let mismatch = insert(&server, "empty", json!([{"id": 1, "vector": [1]}])).await;
    assert_eq!(mismatch, (400, error("index insert ID 1: dimension mismatch: got 1, want 128")));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_insert_and_search_at_once() {
    let server = std::sync::Arc::new(filled("euclidean", &random(13, 1, 16)).await);
    let vectors = random(17, 50, 16);
    let mut tasks = tokio::task::JoinSet::new();
    for (id, vector) in vectors.iter().cloned().enumerate() {
        let server = server.clone();
        tasks.spawn(async move {
            let one = json!([{"id": 1_000 + id, "vector": vector}]);
            assert_eq!(insert(&server, "r", one).await, (201, json!({"status": "inserted 1 vectors"})));
        });
    }
    for query in vectors.iter().take(20) {
        let (server, body) = (server.clone(), json!({"vector": query, "k": 5}));
        tasks.spawn(async move {
            assert!(!nearest(&server, "r", body).await.is_empty());
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.expect("no task panics");
    }
    for (id, vector) in vectors.iter().enumerate() {
        assert_eq!(ids(&server, "r", json!({"vector": vector, "k": 1})).await, [1_000 + id as u64]);
    }
    assert_eq!(server.get("/collections/r").await.json()["size"], 51);
}

#[tokio::test]
async fn what_is_too_large_is_refused_before_it_takes_room() {
    let server = Server::new();
    for dimension in [65_537, 200_000, i64::MAX] {
        let body = json!({"name": "big", "dimension": dimension}).to_string();
        let refused = server.post("/collections", &body).await;
        assert_eq!(refused.status, 400, "{}", refused.json());
    }
    for name in ["..", "../x", "a/b", ".hidden"] {
        let body = json!({"name": name, "dimension": 3}).to_string();
        assert_eq!(server.post("/collections", &body).await.status, 400, "{name}");
    }
    assert_eq!(told(&server.get("/collections").await), (200, json!([])));
    // Vectors of three bytes each: no more of them are held than are taken.
    assert_eq!(server.post("/collections", THREE).await.status, 201);
    let body = format!(r#"{{"vectors": [{}]}}"#, vec!["{}"; kithdb::base::limits::BULK_MAX + 2].join(","));
    let refused = server.post("/collections/c/vectors", &body).await;
    assert_eq!(refused.status, 413, "{}", refused.json());
}
