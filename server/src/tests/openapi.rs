//! The OpenAPI document: it has every route and no other, it is the one that is committed, and what the server's tests
//! ask and are answered is what it tells of.

use std::collections::{BTreeSet, HashSet};
use std::path::Path;
use std::sync::LazyLock;

use axum::http::{StatusCode, header};
use serde_json::Value;

use super::access::every_route;
use super::told::{Answered, Document};
use super::{Answer, Server};
use crate::openapi::{document, plain, route_of, text_of_document};

/// What no client asks for: the document cannot say a path that takes the rest, nor one that is refused whatever is asked.
const NOT_TOLD: [&str; 2] = ["/collections/", "/collections/{name}/{rest}"];

static TOLD: LazyLock<Document> = LazyLock::new(|| Document::new(&text_of_document(&every_route())));

/// Holds an answer of a test against the document.
pub fn check_answer(method: &str, path: &str, answer: &Answer) {
    let (status, body) = (answer.status.as_u16(), &*answer.body);
    let content_type = answer.header(header::CONTENT_TYPE);
    let told = TOLD.check_answer(&Answered { method, path, status, content_type, body });
    assert_eq!(told, Ok(()));
}

/// Holds a body that was accepted against it.
pub fn check_body(method: &str, path: &str, body: &str, status: StatusCode) {
    let path = path.split('?').next().unwrap_or_default();
    // ruvector-go's bodies are read as Go reads them, which no schema can tell: names in any case, the last of two.
    if status.is_success() && !body.is_empty() && !path.starts_with("/collections") {
        let told = TOLD.check_body(method, path, body.as_bytes());
        assert_eq!(told, Ok(()));
    }
}

#[test]
fn the_committed_document_is_the_one_that_is_served() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/openapi.json");
    let text = text_of_document(&every_route());
    if std::env::var_os("KITH_WRITE_OPENAPI").is_some() {
        std::fs::write(&path, &text).expect("writable");
    }
    let committed = std::fs::read_to_string(&path).expect("readable");
    assert!(committed == text, "docs/openapi.json is old: KITH_WRITE_OPENAPI=1 with this test writes it");
}

#[test]
fn the_document_has_every_route_and_no_other() {
    let routes = every_route();
    let json = serde_json::to_value(document(&routes)).expect("JSON");
    let paths = json["paths"].as_object().expect("paths");
    let mut described = HashSet::new();
    for (path, item) in paths {
        for method in item.as_object().expect("operations").keys() {
            let method = method.to_uppercase().parse().expect("a method");
            let route = route_of(&routes, &method, path).expect("a route");
            described.insert((Some(method), plain(&route.path)));
        }
    }
    for route in &routes {
        let path = plain(&route.path);
        // What it says to other methods is told with the path.
        let is_told = match &route.method {
            Some(_) => described.contains(&(route.method.clone(), path.clone())),
            None => paths.contains_key(&path) || NOT_TOLD.contains(&&*path),
        };
        assert!(is_told, "{:?} {path} is not described in server/src/openapi", route.method);
    }
}

/// A description whose path is misspelt would be left out of the document.
#[test]
fn every_description_has_a_route() {
    let routes = every_route();
    for described in crate::openapi::descriptions() {
        let (method, path) = (&described.method, &described.path);
        assert!(route_of(&routes, method, path).is_some(), "{method} {path} is described and not served");
    }
}

#[test]
fn examples_are_as_the_schemas_have_them_and_ids_are_different() {
    let json: Value = serde_json::from_str(&text_of_document(&every_route())).expect("JSON");
    let (mut ids, mut examples) = (BTreeSet::new(), 0);
    for (path, item) in json["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("operations") {
            if let Some(id) = operation["operationId"].as_str() {
                assert!(ids.insert(id.to_owned()), "two operations are {id}");
            }
            let Some(example) = operation.pointer("/requestBody/content/application~1json/example") else {
                continue;
            };
            let told = TOLD.check_body(method, path, example.to_string().as_bytes());
            assert_eq!(told, Ok(()), "the example");
            examples += 1;
        }
    }
    assert!(examples > 20, "{examples} examples");
}

#[tokio::test]
async fn the_document_is_served_and_is_fetched_once() {
    let server = Server::new();
    let served = server.get("/openapi.json").await;
    assert_eq!(served.json()["openapi"], "3.1.0");
    let tag = served.header(header::ETAG);
    assert_eq!(server.get_unless("/openapi.json", tag).await.status, 304);
    let page = String::from_utf8(server.get("/docs").await.body).expect("text");
    // Below any path of a proxy: nothing in it is named from the root of a host.
    assert!(page.contains("ui/api.js") && !page.contains("=\"/"), "{page}");
    assert_eq!(server.get("/ui/api.html").await.header(header::LOCATION), "../docs");
}
