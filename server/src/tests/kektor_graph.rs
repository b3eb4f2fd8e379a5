//! KektorDB's graph actions: its shapes and statuses, and the right thing where it does the wrong one.

use kithdb::collection::CollectionConfig;
use kithdb::host::{Db, Options};
use serde_json::{Value, json};

use super::{Answer, Server};

async fn act(server: &Server, action: &str, mut body: Value) -> Answer {
    if body.get("index_name").is_none() {
        body["index_name"] = "t".into();
    }
    server.post(&format!("/graph/actions/{action}"), &body.to_string()).await
}

/// What an action answers, which goes well.
async fn told(server: &Server, action: &str, body: Value) -> Value {
    let answer = act(server, action, body.clone()).await;
    assert_eq!(answer.status.as_u16(), 200, "{action} {body}: {}", answer.json());
    answer.json()
}

async fn refused(server: &Server, action: &str, body: Value) -> (u16, String) {
    let answer = act(server, action, body.clone()).await;
    let error = answer.json();
    assert_eq!(error.as_object().map(serde_json::Map::len), Some(1), "{action} {body}: {error}");
    (answer.status.as_u16(), error["error"].as_str().expect("a message").to_owned())
}

async fn link(server: &Server, source: &str, relation: &str, target: &str) {
    let body = json!({"source_id": source, "target_id": target, "relation_type": relation});
    let linked = told(server, "link", body).await;
    assert_eq!(linked, json!({"status": "OK", "message": "Link created"}));
}

/// Chapters of a book, one after the other; `c3` has no document.
async fn server() -> Server {
    let server = Server::new();
    server.post("/vector/indexes", r#"{"index_name": "t"}"#).await;
    let vectors = json!([{"id": "book", "vector": [0, 0], "metadata": {"title": "Book"}},
        {"id": "c1", "vector": [1, 0], "metadata": {"n": 1}}, {"id": "c2", "vector": [9, 0], "metadata": {"n": 2}}]);
    let batch = json!({"index_name": "t", "vectors": vectors}).to_string();
    assert_eq!(server.post("/vector/actions/add-batch", &batch).await.status, 200);
    for chapter in ["c1", "c2", "c3"] {
        let body = json!({"source_id": chapter, "target_id": "book", "relation_type": "parent",
            "inverse_relation_type": "child", "weight": 0.5, "props": {"by": "hand"}});
        told(&server, "link", body).await;
    }
    link(&server, "c1", "next", "c2").await;
    link(&server, "c2", "next", "c3").await;
    server
}

#[tokio::test]
async fn edges_are_read_from_both_ends() {
    let server = server().await;
    let links = told(&server, "get-links", json!({"source_id": "book", "relation_type": "child"})).await;
    let expected = json!({"source_id": "book", "relation_type": "child", "targets": ["c1", "c2", "c3"]});
    assert_eq!(links, expected);
    let incoming = told(&server, "get-incoming", json!({"target_id": "c2", "relation_type": "next"})).await;
    assert_eq!(incoming, json!({"target_id": "c2", "relation_type": "next", "sources": ["c1"]}));
    let none = told(&server, "get-links", json!({"source_id": "nobody", "relation_type": "child"})).await;
    assert_eq!(none["targets"], json!([]));
    let connected =
        told(&server, "get-connections", json!({"source_id": "book", "relation_type": "child"})).await;
    let expected = json!({"results": [{"id": "c1", "vector": [1.0, 0.0], "metadata": {"n": 1}},
        {"id": "c2", "vector": [9.0, 0.0], "metadata": {"n": 2}}]});
    assert_eq!(connected, expected, "a target without a document is left out");
    let all = told(&server, "get-all-relations", json!({"node_id": "c1"})).await;
    assert_eq!(all, json!({"node_id": "c1", "relations": {"next": ["c2"], "parent": ["book"]}}));
    let all = told(&server, "get-all-incoming", json!({"node_id": "c1"})).await;
    assert_eq!(all, json!({"node_id": "c1", "relations": {"child": ["book"]}}));
    assert_eq!(told(&server, "get-all-incoming", json!({"node_id": "x"})).await["relations"], json!({}));
}

#[tokio::test]
async fn edges_have_short_keys_and_a_history() {
    let server = server().await;
    let parent = json!({"source_id": "c1", "relation_type": "parent"});
    let edges = told(&server, "get-edges", parent.clone()).await;
    let edge = &edges["edges"][0];
    let created = edge["c"].as_i64().expect("ns");
    assert_eq!(edges, json!({"edges": [{"t": "book", "c": created, "w": 0.5, "p": {"by": "hand"}}]}));
    let incoming = json!({"target_id": "book", "relation_type": "parent", "direction": "in", "at_time": 0});
    let incoming = told(&server, "get-edges", incoming).await;
    assert_eq!((&incoming["edges"][0]["t"], &incoming["edges"][2]["t"]), (&json!("c1"), &json!("c3")));

    let edge = json!({"source_id": "c1", "target_id": "book", "relation_type": "parent",
        "inverse_relation_type": "child"});
    let done = told(&server, "unlink", edge.clone()).await;
    assert_eq!(done, json!({"status": "OK", "message": "Link removed"}));
    assert_eq!(told(&server, "get-edges", parent.clone()).await, json!({"edges": []}));
    let children = told(&server, "get-links", json!({"source_id": "book", "relation_type": "child"})).await;
    assert_eq!(children["targets"], json!(["c2", "c3"]), "the edge back went with it");
    let mut then = parent;
    then["at_time"] = created.into();
    let edges = told(&server, "get-edges", then.clone()).await;
    assert!(edges["edges"][0]["d"].as_i64().expect("ns") > created, "{edges}");
    let mut edge = edge;
    edge["hard_delete"] = true.into();
    told(&server, "unlink", edge.clone()).await;
    assert_eq!(told(&server, "get-edges", then).await, json!({"edges": []}), "its history went with it");
    told(&server, "unlink", edge).await;
}

#[tokio::test]
async fn paths_are_traversed_as_trees() {
    let server = server().await;
    let paths = json!(["next.parent", "next.next", "cites"]);
    let found = told(&server, "traverse", json!({"source_id": "c1", "paths": paths})).await;
    let book = json!({"id": "book", "vector": [0.0, 0.0], "metadata": {"title": "Book"}});
    let (c1, c2) = (json!({"n": 1}), json!({"n": 2}));
    let c3 = json!({"id": "c3", "vector": [], "metadata": {}});
    let expected = json!({"result": {"id": "c1", "vector": [1.0, 0.0], "metadata": c1, "connections": {
        "next.parent": [{"id": "c2", "vector": [9.0, 0.0], "metadata": c2, "connections": {"parent": [book]}}],
        "next.next": [{"id": "c2", "vector": [9.0, 0.0], "metadata": c2, "connections": {"next": [c3]}}]}}});
    assert_eq!(found, expected);
    let alone = told(&server, "traverse", json!({"source_id": "book", "paths": null, "extra": 1})).await;
    assert_eq!(alone, json!({"result": book}));
    let missing = refused(&server, "traverse", json!({"source_id": "c3", "paths": ["parent"]})).await;
    assert_eq!(missing, (404, "vector with ID 'c3' not found in index 't'".into()));
    assert_eq!(refused(&server, "traverse", json!({"source_id": "c1", "paths": ["a..b"]})).await.0, 400);
}

#[tokio::test]
async fn subgraphs_tell_every_edge_once() {
    let server = server().await;
    let around = async |body: Value| {
        let mut body = body;
        body["root_id"] = "c1".into();
        body["relations"] = json!(["next", "parent"]);
        told(&server, "extract-subgraph", body).await
    };
    let edge = |source: &str, relation: &str, target: &str| json!({"source": source, "target": target, "relation": relation, "dir": "out"});
    let near = around(json!({})).await;
    let nodes = json!([{"id": "c1", "metadata": {"n": 1}}, {"id": "book", "metadata": {"title": "Book"}},
        {"id": "c2", "metadata": {"n": 2}}]);
    let edges = [edge("c1", "parent", "book"), edge("c1", "next", "c2")];
    assert_eq!((&near["root_id"], &near["nodes"]), (&json!("c1"), &nodes));
    let told_edges = near["edges"].as_array().expect("a list");
    assert_eq!(told_edges.len(), 2);
    assert!(edges.iter().all(|edge| told_edges.contains(edge)), "{near}");
    let far = around(json!({"max_depth": 99})).await;
    assert_eq!(
        (far["nodes"].as_array().map(Vec::len), far["edges"].as_array().map(Vec::len)),
        (Some(4), Some(5))
    );
    assert!(far["nodes"].as_array().expect("a list").contains(&json!({"id": "c3", "metadata": {}})), "{far}");
    assert_eq!(far.get("truncated"), None);
    // The threshold is the largest distance.
    let guided = around(json!({"guide_vector": [0, 0], "semantic_threshold": 1.5, "max_depth": 2})).await;
    assert_eq!(guided["nodes"].as_array().map(Vec::len), Some(2), "{guided}");
    let guided = around(json!({"guide_vector": [0, 0.5], "max_depth": 2})).await;
    assert_eq!(guided["nodes"].as_array().map(Vec::len), Some(2), "0.5 where it is left out: {guided}");
    let before = around(json!({"at_time": 1})).await;
    assert_eq!(
        (before["edges"].as_array().map(Vec::len), &before["nodes"][0]["id"]),
        (Some(0), &json!("c1"))
    );

    let empty = refused(&server, "extract-subgraph", json!({"root_id": "c1", "relations": []})).await;
    assert_eq!(empty, (400, "relations are required".into()));
    let wrong = json!({"root_id": "c1", "relations": ["next"], "guide_vector": [1]});
    assert_eq!(refused(&server, "extract-subgraph", wrong).await.0, 400);
    let below =
        json!({"root_id": "c1", "relations": ["next"], "guide_vector": [1, 0], "semantic_threshold": -2});
    assert_eq!(refused(&server, "extract-subgraph", below).await.0, 400);
}

#[tokio::test]
async fn paths_are_found_with_all_their_edges() {
    let server = server().await;
    let found = told(&server, "find-path", json!({"source_id": "c1", "target_id": "c3"})).await;
    let edges: Vec<Value> = found["edges"].as_array().expect("a list").clone();
    assert_eq!((&found["source"], &found["target"]), (&json!("c1"), &json!("c3")));
    let path = found["path"].as_array().expect("a list");
    assert_eq!((path.len(), edges.len()), (3, 2), "{found}");
    for (at, edge) in edges.iter().enumerate() {
        assert_eq!(
            (&edge["source"], &edge["target"], &edge["dir"]),
            (&path[at], &path[at + 1], &json!("out"))
        );
    }
    let next = json!({"source_id": "c1", "target_id": "c3", "relations": ["next"]});
    assert_eq!(told(&server, "find-path", next.clone()).await["path"], json!(["c1", "c2", "c3"]));
    let not_found = (404, "path not found".to_owned());
    let back = json!({"source_id": "c3", "target_id": "c1", "relations": ["next"]});
    assert_eq!(refused(&server, "find-path", back).await, not_found);
    let mut near = next.clone();
    near["max_depth"] = 1.into();
    assert_eq!(refused(&server, "find-path", near).await, not_found, "one round finds one edge");
    let mut early = next;
    early["at_time"] = 1.into();
    assert_eq!(refused(&server, "find-path", early).await, not_found);
    link(&server, "c1", "cites", "x").await;
    let other = json!({"source_id": "c1", "target_id": "x"});
    assert_eq!(refused(&server, "find-path", other).await, not_found, "no relation of the usual ones");
    // Four rounds from both ends, where no depth is asked for.
    for n in 0..8 {
        link(&server, &format!("n{n}"), "next", &format!("n{}", n + 1)).await;
    }
    let seven = told(&server, "find-path", json!({"source_id": "n0", "target_id": "n7"})).await;
    assert_eq!(seven["edges"].as_array().map(Vec::len), Some(7));
    let eight = json!({"source_id": "n0", "target_id": "n8"});
    assert_eq!(refused(&server, "find-path", eight.clone()).await, not_found);
    let mut far = eight;
    far["max_depth"] = 1_000_000.into();
    assert_eq!(told(&server, "find-path", far).await["edges"].as_array().map(Vec::len), Some(8));
}

#[tokio::test]
async fn properties_are_added_read_and_searched() {
    let server = server().await;
    let set = told(&server, "set-node-properties", json!({"node_id": "c3", "properties": {"n": 3}})).await;
    assert_eq!(set, json!({"node_id": "c3", "properties": {"n": 3}, "status": "created"}));
    let set =
        told(&server, "set-node-properties", json!({"node_id": "c1", "properties": {"x": "y", "n": 7}}))
            .await;
    assert_eq!(set, json!({"node_id": "c1", "properties": {"n": 7, "x": "y"}, "status": "updated"}));
    let got = told(&server, "get-node-properties", json!({"node_id": "c1"})).await;
    assert_eq!(got, json!({"node_id": "c1", "properties": {"n": 7, "x": "y"}}));
    let vectors = server.get("/vector/indexes/t/vectors/c1").await.json();
    assert_eq!(vectors["vector"], json!([1.0, 0.0]), "its vector stays");
    let links = told(&server, "get-links", json!({"source_id": "c1", "relation_type": "next"})).await;
    assert_eq!(links["targets"], json!(["c2"]), "its edges stay");
    let missing = refused(&server, "get-node-properties", json!({"node_id": "q"})).await;
    assert_eq!(missing, (404, "vector with ID 'q' not found in index 't'".into()));

    let nodes = told(&server, "search-nodes", json!({"property_filter": "n > 2"})).await;
    let expected =
        json!([{"id": "c3", "properties": {"n": 3}}, {"id": "c1", "properties": {"n": 7, "x": "y"}}]);
    assert_eq!(nodes, json!({"nodes": expected}));
    let one = told(&server, "search-nodes", json!({"property_filter": "n > 0", "limit": 1})).await;
    assert_eq!(one["nodes"].as_array().map(Vec::len), Some(1));
    let all = told(&server, "search-nodes", json!({"limit": 0})).await;
    assert_eq!(all["nodes"].as_array().map(Vec::len), Some(4));
    assert_eq!(
        told(&server, "search-nodes", json!({"property_filter": "n = 9"})).await,
        json!({"nodes": []})
    );
    assert_eq!(refused(&server, "search-nodes", json!({"property_filter": "n IN"})).await.0, 400);
    assert_eq!(refused(&server, "search-nodes", json!({"limit": 10_001})).await.0, 400);
}

#[tokio::test]
async fn properties_set_at_once_are_all_there() {
    let server = server().await;
    let set = async |key: &str| {
        told(&server, "set-node-properties", json!({"node_id": "m", "properties": {key: 1}})).await
    };
    tokio::join!(set("a"), set("b"), set("c"), set("d"));
    let got = told(&server, "get-node-properties", json!({"node_id": "m"})).await;
    assert_eq!(got["properties"], json!({"a": 1, "b": 1, "c": 1, "d": 1}));
}

#[tokio::test]
async fn searches_look_around_nodes_and_tell_what_results_lead_to() {
    let server = server().await;
    let search = async |mut body: Value| {
        body["index_name"] = "t".into();
        server.post("/vector/actions/search", &body.to_string()).await
    };
    let around = json!({"root_id": "book", "relations": ["parent"], "direction": "in"});
    let found = search(json!({"query_vector": [9, 0], "graph_filter": around})).await;
    assert_eq!(found.json(), json!({"results": ["c2", "c1", "book"]}));
    let out = json!({"root_id": "c1", "relations": ["next"], "max_depth": 99});
    let found = search(json!({"filter": "n > 0", "graph_filter": out})).await;
    assert_eq!(found.json(), json!({"results": ["c1", "c2"]}));

    let request = json!({"query_vector": [1, 0], "k": 1, "include_relations": ["next.parent", "cites"],
        "hydrate_relations": true});
    let book = json!({"id": "book", "vector": [0.0, 0.0], "metadata": {"title": "Book"}});
    let c2 =
        json!({"id": "c2", "vector": [9.0, 0.0], "metadata": {"n": 2}, "connections": {"parent": [book]}});
    let node =
        json!({"id": "c1", "vector": [1.0, 0.0], "metadata": {"n": 1}, "connections": {"next.parent": [c2]}});
    let expected = json!({"results": [{"id": "c1", "score": 1.0, "node": node}]});
    assert_eq!(search(request.clone()).await.json(), expected);
    let mut bare = request;
    bare["hydrate_relations"] = false.into();
    let bare = search(bare).await.json();
    let next = &bare["results"][0]["node"]["connections"]["next.parent"][0];
    assert_eq!((&next["id"], &next["metadata"]), (&json!("c2"), &json!({})), "{bare}");

    for filter in [json!({}), json!({"root_id": "a", "hops": 1}), json!({"root_id": "a", "direction": "up"})]
    {
        let refused = search(json!({"query_vector": [1, 0], "graph_filter": filter})).await;
        assert_eq!(refused.status.as_u16(), 400, "{filter}");
    }
}

#[tokio::test]
async fn a_deleted_node_takes_its_edges_along() {
    let server = server().await;
    let deleted = server.post("/vector/actions/delete_vector", r#"{"index_name": "t", "id": "c2"}"#).await;
    assert_eq!(deleted.status, 200);
    let links = told(&server, "get-links", json!({"source_id": "book", "relation_type": "child"})).await;
    assert_eq!(links["targets"], json!(["c1", "c3"]));
    let path = json!({"source_id": "c1", "target_id": "c3", "relations": ["next"]});
    assert_eq!(refused(&server, "find-path", path).await.0, 404);
}

#[tokio::test]
async fn mistakes_are_told_as_such() {
    let server = server().await;
    let itself = json!({"source_id": "a", "target_id": "a", "relation_type": "r"});
    let message = "cannot link a node to itself (source_id equals target_id)";
    assert_eq!(refused(&server, "link", itself).await, (400, message.into()));
    let edge = json!({"source_id": "a", "target_id": "b", "relation_type": "r"});
    for (action, body) in [
        ("link", json!({"source_id": "a", "target_id": "b"})),
        ("link", json!({"source_id": "a", "target_id": "b", "relation_type": "a.b"})),
        ("link", json!({"source_id": "a", "target_id": "b", "relation_type": "r", "props": [1]})),
        ("link", json!({"source_id": "a", "target_id": "b", "relation_type": "r", "weight": "heavy"})),
        ("unlink", json!({"source_id": "", "target_id": "b", "relation_type": "r"})),
        ("get-links", json!({"source_id": "a"})),
        ("get-incoming", json!({"source_id": "a", "relation_type": "r"})),
        ("get-connections", json!({"relation_type": "r"})),
        ("get-edges", json!({"source_id": "a", "relation_type": "r", "direction": "in"})),
        ("get-edges", json!({"source_id": "a", "relation_type": "r", "direction": "up"})),
        ("traverse", json!({"paths": []})),
        ("extract-subgraph", json!({"relations": ["r"]})),
        ("find-path", json!({"source_id": "a"})),
        ("get-all-relations", json!({})),
        ("get-all-incoming", json!({"node_id": null})),
        ("set-node-properties", json!({"node_id": "a", "properties": 1})),
        ("get-node-properties", json!({})),
        ("search-nodes", json!({"index_name": ""})),
    ] {
        assert_eq!(refused(&server, action, body.clone()).await.0, 400, "{action} {body}");
    }
    let required = refused(&server, "link", json!({})).await.1;
    assert_eq!(required, "index_name, source_id, relation_type, target_id are required");
    for (action, body) in [
        ("link", edge.clone()),
        ("unlink", edge),
        ("get-all-relations", json!({"node_id": "a"})),
        ("search-nodes", json!({})),
    ] {
        let mut body = body;
        body["index_name"] = "no".into();
        assert_eq!(refused(&server, action, body).await, (404, "index 'no' not found".into()), "{action}");
    }
}

/// A write of properties reads the document first. Another writer's came in between and was taken back: a lock kept only the
/// requests of this route from each other, not those of others.
#[test]
fn properties_that_many_set_at_once_are_all_kept() {
    let db = Db::in_memory(Options::default()).expect("memory is there");
    db.create("c", CollectionConfig::default()).expect("made");
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let db = &db;
            scope.spawn(move || {
                for i in 0..25 {
                    let body = format!(
                        r#"{{"index_name": "c", "node_id": "n", "properties": {{"p{thread}_{i}": 1}}}}"#
                    );
                    crate::kektor::nodes::set_properties(db, body.as_bytes())
                        .unwrap_or_else(|e| panic!("{}", e.code()));
                }
            });
        }
    });
    let row = db.collection("c").expect("there").get("n", None).expect("sound").expect("there");
    assert_eq!(row.metadata.len(), 100);
}
