//! KektorDB's data plane beside single vectors: imports, pages of an index, figures, its page's questions, and what is said
//! where nothing is served yet.

use serde_json::{Value, json};

use super::kektor::{ended, error};
use super::{Answer, Server};

async fn post(server: &Server, path: &str, body: Value) -> Answer {
    server.post(path, &body.to_string()).await
}

async fn server(metric: &str) -> Server {
    let server = Server::new();
    let body = json!({"index_name": "t", "metric": metric, "text_language": "english"});
    assert_eq!(post(&server, "/vector/actions/create", body).await.status, 200);
    server
}

fn numbered(from: usize, to: usize) -> Value {
    (from..to).map(|n| json!({"id": format!("d{n}"), "vector": [n, 1], "metadata": {"n": n}})).collect()
}

#[tokio::test]
async fn an_import_is_a_segment_and_a_commit_merges() {
    let server = server("euclidean").await;
    for (from, to) in [(0, 3), (3, 5)] {
        let body = json!({"index_name": "t", "vectors": numbered(from, to), "more": 1});
        let told = post(&server, "/vector/actions/import", body).await;
        assert_eq!(told.json(), json!({"status": "OK", "vectors_added": to - from}));
    }
    let info = server.get("/v1/collections/t").await.json();
    assert_eq!((&info["segments"], &info["memtable"], &info["documents"]), (&json!(2), &json!(0), &json!(5)));
    let again = json!({"index_name": "t", "vectors": numbered(4, 6)});
    assert_eq!(error(&post(&server, "/vector/actions/import", again.clone()).await).0, 409);
    let mut replaced = again;
    replaced["upsert"] = true.into();
    assert_eq!(post(&server, "/vector/actions/import", replaced).await.status, 200);
    assert_eq!(server.get("/vector/indexes/t").await.json()["vector_count"], 6);
    let committed = post(&server, "/vector/actions/import/commit", json!({"index_name": "t"})).await.json();
    assert_eq!(committed["status"], "OK");
    assert!(committed["message"].as_str().expect("a message").starts_with("Import committed to disk."));
    for _ in 0..100_000 {
        if server.get("/v1/collections/t").await.json()["segments"] != 3 {
            break;
        }
        tokio::task::yield_now().await;
    }
    assert_ne!(server.get("/v1/collections/t").await.json()["segments"], 3);
    assert_eq!(
        error(&post(&server, "/vector/actions/import", json!({"index_name": "t", "vectors": []})).await).0,
        400
    );
    assert_eq!(
        error(&post(&server, "/vector/actions/import/commit", json!({"index_name": "no"})).await).0,
        404
    );
    assert_eq!(error(&post(&server, "/vector/actions/import/commit", json!({})).await).0, 400);
}

#[tokio::test]
async fn an_index_is_exported_in_pages() {
    let server = server("cosine").await;
    let batch = json!({"index_name": "t", "vectors": numbered(0, 5)});
    assert_eq!(post(&server, "/vector/actions/add-batch", batch).await.status, 200);
    assert_eq!(server.post("/system/save", "").await.status, 200);
    let more = json!({"index_name": "t", "vectors": numbered(5, 7)});
    assert_eq!(post(&server, "/vector/actions/add-batch", more).await.status, 200);
    let deleted = json!({"index_name": "t", "id": "d1"});
    assert_eq!(post(&server, "/vector/actions/delete_vector", deleted).await.status, 200);
    let page = async |query: &str| server.get(&format!("/vector/indexes/t/export{query}")).await.json();
    let node = |n: usize| json!({"id": format!("d{n}"), "metadata": {"n": n}});
    let first = page("?limit=3&offset=0").await;
    let expected =
        json!({"data": [node(0), node(2), node(3)], "has_more": true, "next_offset": 3, "total_count": 6});
    assert_eq!(first, expected);
    let last = page("?limit=3&offset=3").await;
    assert_eq!(
        (&last["data"][2], &last["has_more"], &last["next_offset"]),
        (&node(6), &json!(false), &json!(6))
    );
    assert_eq!(page("?offset=6").await["data"], json!([]));
    assert_eq!(page("").await["data"].as_array().map(Vec::len), Some(6));
    assert_eq!(error(&server.get("/vector/indexes/t/export?limit=many").await).0, 400);
    assert_eq!(error(&server.get("/vector/indexes/no/export").await).0, 404);
}

#[tokio::test]
async fn adding_replaces_when_told_and_zeros_have_no_direction() {
    let server = server("cosine").await;
    let add = async |body: Value| {
        let mut body = body;
        body["index_name"] = "t".into();
        post(&server, "/vector/actions/add", body).await
    };
    assert_eq!(add(json!({"id": "a", "vector": [1, 0], "metadata": {"n": 1}})).await.status, 200);
    assert_eq!(add(json!({"id": "a", "vector": [0, 1]})).await.status, 409);
    assert_eq!(add(json!({"id": "a", "vector": [0, 1], "upsert": true})).await.status, 200);
    let a = server.get("/vector/indexes/t/vectors/a").await.json();
    assert_eq!(a, json!({"id": "a", "vector": [0.0, 1.0], "metadata": {}}));
    assert_eq!(add(json!({"id": "entity", "vector": [0, 0], "pinned": true})).await.status, 200);
    let entity = server.get("/vector/indexes/t/vectors/entity").await.json();
    assert_eq!(entity, json!({"id": "entity", "vector": [], "metadata": {"_pinned": true}}));
    assert_eq!(error(&add(json!({"id": "b", "vector": [0, 0, 0]})).await).0, 400);
    let zeros = json!({"index_name": "t", "query_vector": [0, 0], "filter": "_pinned = true"});
    let found = post(&server, "/vector/actions/search", zeros).await.json();
    assert_eq!(found["results"], json!(["entity"]));
    let batch = json!({"index_name": "t", "vectors": [{"id": "a", "vector": [1, 1]}], "upsert": true});
    assert_eq!(post(&server, "/vector/actions/add-batch", batch).await.status, 200);
}

#[tokio::test]
async fn scores_come_with_what_they_are_made_of() {
    let server = server("euclidean").await;
    let batch = json!({"index_name": "t", "vectors": numbered(0, 4)});
    assert_eq!(post(&server, "/vector/actions/add-batch", batch).await.status, 200);
    let search = async |body: Value| {
        let mut body = body;
        body["index_name"] = "t".into();
        post(&server, "/vector/actions/search-with-scores", body).await
    };
    let found = search(json!({"query_vector": [1, 1], "k": 2})).await.json();
    let result = |id: &str, score: f64| json!({"id": id, "score": score, "score_breakdown": {"similarity": score, "decay_factor": 1.0}});
    assert_eq!(found, json!({"results": [result("d1", 1.0), result("d0", 0.5)]}));
    let many = search(json!({"query_vector": [1, 1], "k": 10_000})).await.json();
    assert_eq!(many["results"][0], json!({"id": "d1", "score": 1.0}));
    let neither = (400, "either query_vector or query_text is required".to_owned());
    assert_eq!(error(&search(json!({})).await), neither);
    let no_embedder = (503, "no embedder available for index 't'".to_owned());
    assert_eq!(error(&search(json!({"query_text": "cats"})).await), no_embedder);
    assert_eq!(error(&search(json!({"query_vector": [1, 1], "k": 10_001})).await).0, 400);
    assert_eq!(error(&search(json!({"query_vector": [1, 1], "alpha": 1})).await).0, 400);
}

#[tokio::test]
async fn its_page_explores_and_searches_by_a_text() {
    let server = server("cosine").await;
    let add = async |id: &str, content: &str| {
        let body = json!({"index_name": "t", "id": id, "vector": [1, 1], "metadata": {"content": content}});
        assert_eq!(post(&server, "/vector/actions/add", body).await.status, 200);
    };
    add("a", "cats  purr").await;
    add("b", "dogs bark").await;
    let link = json!({"index_name": "t", "source_id": "a", "target_id": "b", "relation_type": "next"});
    assert_eq!(post(&server, "/graph/actions/link", link).await.status, 200);
    let b = json!({"id": "b", "vector": [1.0, 1.0], "metadata": {"content": "dogs bark"}});
    let mut a = json!({"id": "a", "vector": [1.0, 1.0], "metadata": {"content": "cats  purr"}, "connections": {"next": [b]}});
    let explored = post(&server, "/ui/explore", json!({"index_name": "t"})).await.json();
    assert_eq!(explored, json!({"results": [a, b]}));
    a["metadata"]["content"] = "cats purr".into();
    let body = json!({"index_name": "t", "limit": 1, "compress_context": true});
    assert_eq!(post(&server, "/ui/explore", body).await.json()["results"], json!([a]));
    let found = post(&server, "/ui/search", json!({"index_name": "t", "query": "dog"})).await.json();
    assert_eq!((&found["results"][0]["id"], &found["results"][0]["node"]), (&json!("b"), &b));
    assert_eq!(error(&post(&server, "/ui/search", json!({"index_name": "t"})).await).0, 400);
    assert_eq!(post(&server, "/vector/indexes", json!({"index_name": "bare"})).await.status, 200);
    assert_eq!(
        error(&post(&server, "/ui/search", json!({"index_name": "bare", "query": "dog"})).await).0,
        503
    );

    let brief = json!({"index_name": "t", "ids": ["a"], "compress_context": true});
    let many = post(&server, "/vector/actions/get-vectors", brief).await.json();
    assert_eq!(many[0]["metadata"]["content"], "cats purr");
}

#[tokio::test]
async fn figures_are_told_and_logs_are_rewritten() {
    let server = server("cosine").await;
    let batch = json!({"index_name": "t", "vectors": numbered(1, 4)});
    assert_eq!(post(&server, "/vector/actions/add-batch", batch).await.status, 200);
    let pinned = json!({"index_name": "t", "id": "p", "vector": null, "pinned": true});
    assert_eq!(post(&server, "/vector/actions/add", pinned).await.status, 200);
    let stats = server.get("/system/stats").await.json();
    assert_eq!((&stats["total_vectors"], &stats["total_indexes"]), (&json!(4), &json!(1)));
    assert_eq!(stats["graph"], json!({"pinned_nodes": 1}));
    assert_eq!(
        (&stats["gardener"]["enabled"], &stats["embedder"]["active"]),
        (&json!(false), &json!("none"))
    );
    assert_ne!(stats["memory"]["aof_size_mb"], 0.0);
    let task = ended(&server, &server.post("/system/aof-rewrite", "").await).await;
    assert_eq!(task["status"], "completed", "{task}");
    assert_eq!(server.get("/system/stats").await.json()["memory"]["aof_size_mb"], 0.0);
    assert_eq!(server.get("/v1/collections/t").await.json()["memtable"], 0);
    let embedder = json!({"active": "none", "model": "", "dimension": 0, "available": false});
    assert_eq!(server.get("/system/embedder/status").await.json(), embedder);
    assert_eq!(server.get("/system/gardener").await.json()["target_indexes"], json!([]));
    assert_eq!(server.get("/system/vectorizers").await.json(), json!([]));
    let trigger = server.post("/system/vectorizers/docs/trigger", "").await;
    assert_eq!(error(&trigger), (404, "vectorizer 'docs' not found".to_owned()));
}

#[tokio::test]
async fn what_is_not_served_yet_says_so() {
    let server = server("cosine").await;
    for (method, path, what) in crate::kektor::later::LATER {
        let path = path.replace("{name}", "t").replace("{id}", "x");
        let answer = server.ask(method.as_str(), &path, "{}").await;
        let (status, message) = error(&answer);
        assert_eq!(status, 501, "{method} {path}");
        assert!(message.starts_with("not implemented: ") && message.contains(what), "{message}");
    }
}
