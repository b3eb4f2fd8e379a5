//! KektorDB's memories: what is old counts less, memories that take the place of others, and how far they are believed.

use std::sync::Arc;

use kithdb::base::ManualClock;
use kithdb::host::Options;
use serde_json::{Value, json};

use super::{Answer, Server};

const SECOND: i64 = 1_000_000_000;
const DAY: i64 = 86_400 * SECOND;

/// A server whose clock stands still, and an index of memories on it.
async fn server() -> (Server, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::at(100 * DAY));
    let server = Server::with_options(Options { clock: clock.clone(), ..Options::default() }, None);
    let layers = json!({"episodic": {"decay_half_life": "24h"}, "semantic": {"decay_half_life": "2d"},
        "procedural": {"pinned_by_default": true}});
    let memory =
        json!({"enabled": true, "decay_model": "exponential", "decay_half_life": "4d", "layers": layers});
    let body =
        json!({"index_name": "m", "metric": "cosine", "text_language": "english", "memory_config": memory});
    assert_eq!(post(&server, "/vector/actions/create", body).await.status, 200);
    (server, clock)
}

async fn post(server: &Server, path: &str, body: Value) -> Answer {
    server.post(path, &body.to_string()).await
}

async fn add(server: &Server, id: &str, metadata: Value) {
    let body = json!({"index_name": "m", "id": id, "vector": [1, 0], "metadata": metadata});
    assert_eq!(post(server, "/vector/actions/add", body).await.status, 200, "{id}");
}

/// Ids with the share of their scores that is left.
async fn shares(server: &Server) -> Vec<(String, f64)> {
    let body = json!({"index_name": "m", "query_vector": [1, 0], "k": 10});
    let answer = post(server, "/vector/actions/search-with-scores", body).await.json();
    let results = answer["results"].as_array().expect("results").clone();
    let share = |result: &Value| {
        let parts = &result["score_breakdown"];
        assert_eq!(parts["similarity"], 1.0, "{result}");
        let factor = parts["decay_factor"].as_f64().expect("a factor");
        // Scores are f32.
        assert_eq!(Some(f64::from(factor as f32)), result["score"].as_f64(), "{result}");
        (result["id"].as_str().expect("an id").to_owned(), factor)
    };
    results.iter().map(share).collect()
}

#[tokio::test]
async fn what_is_old_counts_less_unless_it_is_pinned_or_was_used() {
    let (server, clock) = server().await;
    add(&server, "plain", json!({})).await;
    let plain = server.get("/vector/indexes/m/vectors/plain").await.json()["metadata"].clone();
    assert_eq!(plain, json!({"_created_at": 8_640_000, "memory_layer": "episodic"}));
    add(&server, "semantic", json!({"memory_layer": "semantic"})).await;
    add(&server, "procedural", json!({"memory_layer": "procedural"})).await;
    add(&server, "other", json!({"memory_layer": "other"})).await;
    let pinned = json!({"index_name": "m", "id": "pinned", "vector": [1, 0], "pinned": true});
    assert_eq!(post(&server, "/vector/actions/add", pinned).await.status, 200);
    add(&server, "long ago", json!({"_created_at": 8_640_000 - 86_400})).await;
    clock.advance(2 * DAY);
    let expected = [
        ("procedural", 1.0),
        ("pinned", 1.0),
        ("other", 0.707),
        ("semantic", 0.5),
        ("plain", 0.25),
        ("long ago", 0.125),
    ];
    let rounded = async || {
        let round = |(id, share): (String, f64)| (id, (share * 1000.0).round() / 1000.0);
        shares(&server).await.into_iter().map(round).collect::<Vec<_>>()
    };
    let owned = |list: &[(&str, f64)]| list.iter().map(|(id, x)| ((*id).to_owned(), *x)).collect::<Vec<_>>();
    assert_eq!(rounded().await, owned(&expected));
    // Searches rank by the same scores.
    let search = json!({"index_name": "m", "query_vector": [1, 0], "k": 3});
    let ids = post(&server, "/vector/actions/search", search).await.json()["results"].clone();
    assert_eq!(ids, json!(["procedural", "pinned", "other"]));

    let used = json!({"index_name": "m", "ids": ["plain", "plain", "nobody"], "by": "test"});
    let reinforced = post(&server, "/vector/actions/reinforce", used).await;
    assert_eq!((reinforced.status.as_u16(), reinforced.json()), (200, json!({"status": "reinforced"})));
    assert_eq!(rounded().await[0], ("plain".to_owned(), 1.0));
    let plain = server.get("/vector/indexes/m/vectors/plain").await.json()["metadata"].clone();
    assert_eq!((&plain["_access_count"], &plain["_last_accessed"]), (&json!(2), &json!(102 * 86_400)));
}

#[tokio::test]
async fn a_memory_config_is_read_or_refused() {
    let server = Server::new();
    let create = async |name: &str, memory: Value| {
        post(&server, "/vector/indexes", json!({"index_name": name, "memory_config": memory}))
            .await
            .status
            .as_u16()
    };
    assert_eq!(create("off", json!({"enabled": false, "decay_half_life": "1h"})).await, 200);
    assert_eq!(server.get("/v1/collections/off").await.json()["decay"], Value::Null);
    let rich = json!({"enabled": true, "consolidation": {"similarity_threshold": 0.9}});
    assert_eq!(create("on", rich).await, 200);
    let decay = json!({"model": "exponential", "half_life": "7d", "layers": {"field": "memory_layer", "half_lives": {}},
        "time_field": "_created_at", "pinned_field": "_pinned"});
    assert_eq!(server.get("/v1/collections/on").await.json()["decay"], decay);
    assert_eq!(create("bad", json!({"enabled": true, "decay_model": "sudden"})).await, 400);
    assert_eq!(create("bad", json!({"enabled": true, "decay_half_life": "soon"})).await, 400);
}

#[tokio::test]
async fn a_memory_evolves_and_the_chain_is_told() {
    let (server, clock) = server().await;
    add(&server, "a", json!({"content": "the sky is green", "topic": "sky"})).await;
    add(&server, "b", json!({})).await;
    let link = json!({"index_name": "m", "source_id": "b", "target_id": "a", "relation_type": "mentions", "weight": 0.5});
    assert_eq!(post(&server, "/graph/actions/link", link).await.status, 200);
    clock.advance(DAY);
    let body = json!({"index_name": "m", "old_id": "a", "reason": "looked up", "new_vector": [0, 1],
        "new_content": "the sky is blue", "new_metadata": {"sure": true}});
    let evolved = post(&server, "/vector/actions/evolve", body).await.json();
    let new_id = format!("evolved_a_{}", 101 * DAY);
    let message = format!("Memory a evolved into {new_id}");
    assert_eq!(evolved, json!({"new_id": new_id, "old_id": "a", "status": "evolved", "message": message}));
    let new = server.get(&format!("/vector/indexes/m/vectors/{new_id}")).await.json();
    let metadata = json!({"content": "the sky is blue", "topic": "sky", "sure": true, "memory_layer": "episodic",
        "_created_at": 101 * 86_400});
    assert_eq!((&new["vector"], &new["metadata"]), (&json!([0.0, 1.0]), &metadata));
    let old = server.get("/vector/indexes/m/vectors/a").await.json();
    assert_eq!((&old["vector"], &old["metadata"]["_is_historical"]), (&json!([1.0, 0.0]), &json!(true)));
    let links = json!({"index_name": "m", "source_id": "b", "relation_type": "mentions"});
    let links = post(&server, "/graph/actions/get-links", links).await.json();
    assert_eq!(links["targets"], json!(["a", new_id]));

    let chain = async |id: &str, direction: &str| {
        let body = json!({"index_name": "m", "memory_id": id, "direction": direction});
        post(&server, "/vector/actions/get-evolution", body).await
    };
    let first = json!({"memory_id": "a", "content": "the sky is green", "created_at": 8_640_000, "superseded_by": new_id,
        "evolution_reason": "looked up", "is_current": false});
    let last = json!({"memory_id": new_id, "content": "the sky is blue", "created_at": 101 * 86_400, "evolves_from": "a",
        "is_current": true});
    let backward = chain(&new_id, "backward").await.json();
    assert_eq!(backward, json!({"evolution_chain": [last, first], "total_steps": 2}));
    assert_eq!(chain("a", "forward").await.json()["evolution_chain"], json!([first, last]));
    assert_eq!(chain("a", "").await.json()["total_steps"], 1);
    assert_eq!(chain("nobody", "").await.status, 404);
    assert_eq!(chain("a", "sideways").await.status, 400);
    let wrong = [
        (json!({"index_name": "m", "old_id": "a", "reason": "r"}), 400),
        (json!({"index_name": "m", "old_id": "a", "new_vector": [1, 0]}), 400),
        (json!({"index_name": "m", "old_id": "nobody", "reason": "r", "new_vector": [1, 0]}), 404),
        (json!({"index_name": "m", "old_id": "a", "reason": "r", "new_content": "no embedder"}), 503),
        (json!({"index_name": "none", "old_id": "a", "reason": "r", "new_vector": [1, 0]}), 404),
    ];
    for (body, status) in wrong {
        assert_eq!(post(&server, "/vector/actions/evolve", body.clone()).await.status, status, "{body}");
    }
}

#[tokio::test]
async fn beliefs_are_assessed() {
    let (server, _) = server().await;
    add(&server, "a", json!({"content": "it rains"})).await;
    add(&server, "b", json!({})).await;
    let assess = async |body: Value| post(&server, "/vector/actions/belief-assessment", body).await;
    let query = json!({"index_name": "m", "query_vec": [2, 0], "limit": 5});
    let told = assess(query.clone()).await.json();
    assert_eq!((&told["state"], &told["confidence"]), (&json!("crystallized"), &json!(1.0)));
    let node = json!({"id": "a", "content": "it rains", "score": 1.0, "created_at": 8_640_000, "access_count": 0,
        "is_historical": false, "contradictions": 0, "invalidations": 0});
    assert_eq!(told["nodes"][0], node);
    assert_eq!(told["evidence"]["consensus"], json!({"score": 1.0, "sources": 2, "vector_variance": 0.0}));

    let against = json!({"index_name": "m", "target_id": "a", "reason": "the sun shines"});
    let noted = post(&server, "/graph/actions/invalidate", against.clone()).await.json();
    assert_eq!(noted, json!({"status": "OK", "message": "Node a has been invalidated"}));
    let told = assess(query).await.json();
    assert_eq!((&told["state"], &told["nodes"][0]["invalidations"]), (&json!("crystallized"), &json!(1)));
    assert_eq!(told["evidence"]["friction"], json!({"score": 0.5, "contradictions": 0, "invalidations": 1}));
    // Who invalidates is not invalidated by it.
    let b = json!({"index_name": "m", "source_id": "b", "target_id": "a"});
    assert_eq!(post(&server, "/graph/actions/invalidate", b).await.status, 200);
    let told = assess(json!({"index_name": "m", "query_vec": [1, 0]})).await.json();
    assert_eq!((&told["state"], &told["nodes"][1]["invalidations"]), (&json!("contested"), &json!(0)));

    assert_eq!(assess(json!({"index_name": "m"})).await.status, 400);
    assert_eq!(assess(json!({"index_name": "m", "query": "rain"})).await.status, 503);
    assert_eq!(assess(json!({"index_name": "none", "query_vec": [1, 0]})).await.status, 404);
    let nobody = json!({"index_name": "m", "target_id": "nobody"});
    assert_eq!(post(&server, "/graph/actions/invalidate", nobody).await.status, 404);
    let itself = json!({"index_name": "m", "target_id": "a", "source_id": "a"});
    assert_eq!(post(&server, "/graph/actions/invalidate", itself).await.status, 400);
}
