//! KektorDB's contract for its clients: what each of them may ask of one index, in this order, and what it relies on in the
//! answer. The cases that need its cognitive engine and its compiler are answered with 501 ([`super::kektor_data`]).

use serde_json::{Value, json};

use super::Server;

/// What a client relies on.
enum Expect {
    /// These members.
    Members(&'static [&'static str]),
    /// A list of so many.
    List(usize),
    /// A list in this member that has this.
    Has(&'static str, &'static str),
    /// Nothing but the status.
    Nothing,
}

use Expect::{Has, List, Members, Nothing};

/// A method, a path, a body if any, the status, and what is relied on.
type Case = (&'static str, &'static str, Value, u16, Expect);

fn writes() -> Vec<Case> {
    let create = json!({"index_name": "t", "metric": "cosine", "precision": "float32", "m": 16, "ef_construction": 200,
        "text_language": "english"});
    let memory = json!({"index_name": "t", "id": "memory", "vector": [0.1, 0.2, 0.3, 0.4],
        "metadata": {"content": "a memory", "type": "memory"}});
    let entity = json!({"index_name": "t", "id": "entity", "vector": [0, 0, 0, 0],
        "metadata": {"name": "Python", "type": "entity", "entity_id": "entity"}});
    let batch = json!({"index_name": "t", "vectors": [
        {"id": "two", "vector": [0.15, 0.25, 0.35, 0.45], "metadata": {"content": "one of a batch"}},
        {"id": "three", "vector": [0.2, 0.3, 0.4, 0.5], "metadata": {"content": "another"}}]});
    vec![
        ("GET", "/healthz", Value::Null, 200, Members(&["status"])),
        ("POST", "/vector/actions/create", create, 200, Nothing),
        ("GET", "/vector/indexes", Value::Null, 200, List(1)),
        (
            "GET",
            "/vector/indexes/t",
            Value::Null,
            200,
            Members(&["name", "metric", "precision", "vector_count"]),
        ),
        ("POST", "/vector/actions/add", memory, 200, Nothing),
        ("POST", "/vector/actions/add", entity, 200, Nothing),
        ("POST", "/vector/actions/add-batch", batch, 200, Members(&["status"])),
        ("GET", "/vector/indexes/t/vectors/memory", Value::Null, 200, Members(&["id", "vector", "metadata"])),
    ]
}

fn searches() -> Vec<Case> {
    let vector = json!([0.1, 0.2, 0.3, 0.4]);
    let search = "/vector/actions/search";
    vec![
        (
            "POST",
            "/vector/actions/get-vectors",
            json!({"index_name": "t", "ids": ["memory", "two"]}),
            200,
            List(2),
        ),
        (
            "POST",
            search,
            json!({"index_name": "t", "query_vector": vector, "k": 5}),
            200,
            Has("results", "memory"),
        ),
        (
            "POST",
            "/vector/actions/search-with-scores",
            json!({"index_name": "t", "query_vector": vector, "k": 3}),
            200,
            Members(&["results"]),
        ),
        (
            "POST",
            search,
            json!({"index_name": "t", "query_vector": [], "filter": "type='memory'", "k": 10}),
            200,
            Has("results", "memory"),
        ),
    ]
}

fn graph() -> Vec<Case> {
    let link = json!({"index_name": "t", "source_id": "memory", "target_id": "entity", "relation_type": "mentions",
        "inverse_relation_type": "mentioned_in"});
    let out = json!({"index_name": "t", "source_id": "memory", "relation_type": "mentions"});
    let back = json!({"index_name": "t", "target_id": "memory", "relation_type": "mentioned_in"});
    let around = json!({"index_name": "t", "root_id": "memory", "relations": ["mentions"], "max_depth": 2});
    let path =
        json!({"index_name": "t", "source_id": "memory", "target_id": "entity", "relations": ["mentions"]});
    let node = |id: &str| json!({"index_name": "t", "node_id": id});
    let change = json!({"index_name": "t", "node_id": "memory", "properties": {"content": "changed"}});
    vec![
        ("POST", "/graph/actions/link", link.clone(), 200, Nothing),
        ("POST", "/graph/actions/get-links", out, 200, Has("targets", "entity")),
        ("POST", "/graph/actions/get-incoming", back, 200, Has("sources", "entity")),
        ("POST", "/graph/actions/get-all-relations", node("memory"), 200, Members(&["relations"])),
        ("POST", "/graph/actions/get-all-incoming", node("entity"), 200, Members(&["relations"])),
        ("POST", "/graph/actions/extract-subgraph", around, 200, Members(&["root_id", "nodes", "edges"])),
        ("POST", "/graph/actions/find-path", path, 200, Members(&["path", "edges"])),
        ("POST", "/graph/actions/set-node-properties", change, 200, Nothing),
        ("POST", "/graph/actions/get-node-properties", node("memory"), 200, Members(&["properties"])),
        ("POST", "/graph/actions/unlink", link, 200, Nothing),
    ]
}

fn system() -> Vec<Case> {
    let rules = json!({"rules": [{"metadata_field": "project", "relation_type": "belongs_to"}]});
    let embedder: &[&str] = &["active", "model", "dimension", "available"];
    vec![
        (
            "POST",
            "/vector/actions/reinforce",
            json!({"index_name": "t", "ids": ["memory"]}),
            200,
            Members(&["status"]),
        ),
        ("POST", "/system/save", Value::Null, 200, Nothing),
        ("POST", "/vector/indexes/t/config", json!({"vacuum_interval": "300s"}), 200, Nothing),
        ("PUT", "/vector/indexes/t/auto-links", rules, 200, Nothing),
        ("GET", "/vector/indexes/t/auto-links", Value::Null, 200, Members(&["rules"])),
        (
            "GET",
            "/vector/indexes/t/export?limit=10&offset=0",
            Value::Null,
            200,
            Members(&["data", "has_more"]),
        ),
        ("POST", "/vector/actions/delete_vector", json!({"index_name": "t", "id": "three"}), 200, Nothing),
        ("GET", "/system/embedder/status", Value::Null, 200, Members(embedder)),
        ("DELETE", "/vector/indexes/t", Value::Null, 204, Nothing),
        ("GET", "/vector/indexes/t", Value::Null, 404, Members(&["error"])),
    ]
}

#[tokio::test]
async fn its_clients_find_what_they_rely_on() {
    let server = Server::new();
    for (method, path, body, status, expect) in
        [writes(), searches(), graph(), system()].into_iter().flatten()
    {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let answer = server.ask(method, path, &body).await;
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        assert_eq!(answer.status, status, "{method} {path} {body}: {text}");
        match expect {
            Members(names) => {
                let answer = answer.json();
                assert!(names.iter().all(|name| !answer[*name].is_null()), "{method} {path}: {text}");
            }
            List(len) => assert_eq!(answer.json().as_array().map(Vec::len), Some(len), "{path}: {text}"),
            Has(member, id) => {
                let list = answer.json()[member].as_array().cloned().unwrap_or_default();
                assert!(list.contains(&id.into()), "{path}: {text}");
            }
            Nothing => {}
        }
    }
}
