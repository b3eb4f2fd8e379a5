//! The key-value store over `/v1`, and in KektorDB's shapes.

use serde_json::{Value, json};

use super::{Answer, Server};

fn told(answer: &Answer) -> (u16, Value) {
    (answer.status.as_u16(), answer.json())
}

#[tokio::test]
async fn keys_are_set_read_listed_and_deleted() {
    let server = Server::new();
    let missing = server.get("/v1/kv/a").await;
    assert_eq!((missing.status.as_u16(), &missing.json()["code"]), (404, &json!("unknown_key")));
    let set = server.ask("PUT", "/v1/kv/a%2Fb", r#"{"value": "1", "durability": "always"}"#).await;
    assert_eq!(told(&set), (200, json!({"replaced": 0})));
    let set = server.ask("PUT", "/v1/kv/a%2Fb", r#"{"value": "2"}"#).await;
    assert_eq!(told(&set), (200, json!({"replaced": 1})));
    assert_eq!(told(&server.get("/v1/kv/a%2Fb").await), (200, json!({"key": "a/b", "value": "2"})));
    server.ask("PUT", "/v1/kv/c", r#"{"value": ""}"#).await;
    assert_eq!(server.get("/v1/kv").await.json(), json!({"keys": ["a/b", "c"], "next": null}));
    assert_eq!(server.get("/v1/kv?limit=1").await.json(), json!({"keys": ["a/b"], "next": "a/b"}));
    assert_eq!(server.get("/v1/kv?prefix=c&cursor=a%2Fb").await.json(), json!({"keys": ["c"], "next": null}));
    let deleted = server.ask("DELETE", "/v1/kv/c?durability=os", "").await;
    assert_eq!(told(&deleted), (200, json!({"deleted": 1})));
    assert_eq!(told(&server.ask("DELETE", "/v1/kv/c", "").await), (200, json!({"deleted": 0})));
    assert_eq!(server.get("/v1/collections").await.json(), json!({"collections": []}));
}

#[tokio::test]
async fn what_is_no_key_or_value_is_refused() {
    let server = Server::new();
    let long = format!("/v1/kv/{}", "x".repeat(1001));
    for (method, path, body, status, code) in [
        ("PUT", "/v1/kv/a", r#"{"value": 1}"#, 400, "invalid_request"),
        ("PUT", "/v1/kv/a", r#"{"value": "\ud800"}"#, 400, "invalid_request"),
        ("PUT", "/v1/kv/a", r#"{"value": "x", "ttl": 1}"#, 400, "invalid_request"),
        ("PUT", "/v1/kv/a", r#"{"value": "x", "durability": "soon"}"#, 400, "invalid_parameter"),
        ("PUT", "/v1/kv/a%00", r#"{"value": "x"}"#, 400, "invalid_key"),
        ("PUT", &long, r#"{"value": "x"}"#, 400, "invalid_key"),
        ("GET", &long, "", 400, "invalid_key"),
        ("GET", "/v1/kv?limit=0", "", 400, "invalid_parameter"),
        ("GET", "/v1/kv?from=a", "", 400, "invalid_request"),
        ("DELETE", "/v1/kv/a?durability=soon", "", 400, "invalid_parameter"),
        ("GET", "/v1/collections/%24kv", "", 404, "unknown_collection"),
    ] {
        let answer = server.ask(method, path, body).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["code"]), (status, &json!(code)), "{path} {body}");
    }
    let large = json!({"value": "x".repeat((16 << 20) + 1)}).to_string();
    let answer = server.ask("PUT", "/v1/kv/a", &large).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["code"]), (413, &json!("too_large")));
}

#[tokio::test]
async fn kektordb_keys_have_its_shape() {
    let server = Server::new();
    assert_eq!(told(&server.get("/kv/a").await), (404, json!({"error": "key not found"})));
    assert_eq!(told(&server.ask("DELETE", "/kv/a", "").await), (200, json!({"status": "OK"})));
    for (method, value) in [("POST", "one"), ("PUT", "two")] {
        let set = server.ask(method, "/kv/a", &json!({"value": value}).to_string()).await;
        assert_eq!(told(&set), (200, json!({"status": "OK"})));
        assert_eq!(told(&server.get("/kv/a").await), (200, json!({"key": "a", "value": value})));
    }
    for body in [r#"{"value": 1}"#, r#"{"value": null}"#, "{}", "no"] {
        let refused = server.ask("PUT", "/kv/a", body).await;
        assert_eq!(refused.status.as_u16(), 400, "{body}");
        assert!(refused.json()["error"].is_string(), "{body}");
    }
    assert_eq!(server.get("/v1/kv/a").await.json()["value"], "two", "it is the same store");
    assert_eq!(told(&server.ask("DELETE", "/kv/a", "").await), (200, json!({"status": "OK"})));
    assert_eq!(server.get("/kv/a").await.status.as_u16(), 404);
    assert_eq!(server.get("/vector/indexes").await.json(), json!([]), "it is no index");
}
