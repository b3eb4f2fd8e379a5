//! KektorDB's auto-links: given when an index is made, put and told afterwards, and followed by what is added.

use serde_json::{Value, json};

use super::Server;

async fn links(server: &Server, id: &str, relation: &str) -> Value {
    let body = json!({"index_name": "t", "source_id": id, "relation_type": relation});
    server.post("/graph/actions/get-links", &body.to_string()).await.json()["targets"].clone()
}

#[tokio::test]
async fn rules_are_given_told_put_and_followed() {
    let server = Server::new();
    let create = json!({"index_name": "t", "auto_links": [
        {"metadata_field": "project", "relation_type": "belongs_to", "create_node": true}]});
    assert_eq!(server.post("/vector/indexes", &create.to_string()).await.status, 200);
    let path = "/vector/indexes/t/auto-links";
    assert_eq!(server.get(path).await.json(), json!({"rules": create["auto_links"]}));
    let add = json!({"index_name": "t", "id": "a", "vector": [1, 0],
        "metadata": {"project": "kith", "tags": ["x", "y"]}});
    assert_eq!(server.post("/vector/actions/add", &add.to_string()).await.status, 200);
    assert_eq!(links(&server, "a", "belongs_to").await, json!(["kith"]));
    let made = json!({"id": "kith", "vector": [], "metadata": {}});
    assert_eq!(server.get("/vector/indexes/t/vectors/kith").await.json(), made);

    let rules = json!({"rules": [{"metadata_field": "tags", "relation_type": "tagged"}]});
    let put = server.ask("PUT", path, &rules.to_string()).await;
    assert_eq!((put.status.as_u16(), put.json()), (200, json!({"status": "OK"})));
    let told =
        json!({"rules": [{"metadata_field": "tags", "relation_type": "tagged", "create_node": false}]});
    assert_eq!(server.get(path).await.json(), told);
    let properties = json!({"index_name": "t", "node_id": "a", "properties": {"tags": ["y", "z"]}});
    assert_eq!(server.post("/graph/actions/set-node-properties", &properties.to_string()).await.status, 200);
    assert_eq!(links(&server, "a", "tagged").await, json!(["y", "z"]));
    assert_eq!(links(&server, "a", "belongs_to").await, json!(["kith"]), "a rule that is gone ends nothing");
}

#[tokio::test]
async fn rules_that_cannot_be_are_refused() {
    let server = Server::new();
    server.post("/vector/indexes", r#"{"index_name": "t"}"#).await;
    let path = "/vector/indexes/t/auto-links";
    assert_eq!(server.get(path).await.json(), json!({"rules": []}));
    for rules in [
        r#"{"rules": [{"metadata_field": "a", "relation_type": "b.c"}]}"#,
        r#"{"rules": [{"metadata_field": "", "relation_type": "b"}]}"#,
        r#"{"rules": [{"relation_type": "b"}]}"#,
        r#"{"rules": [], "more": 1}"#,
    ] {
        let refused = server.ask("PUT", path, rules).await;
        assert_eq!(refused.status, 400, "{rules}");
        assert!(refused.json()["error"].is_string());
    }
    assert_eq!(server.get("/vector/indexes/none/auto-links").await.status, 404);
}
