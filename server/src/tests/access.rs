//! Who may use which route: every route of the table with every kind of caller.

use std::sync::Arc;

use axum::body::{Body, BodyDataStream, Bytes};
use axum::http::{Method, Request, header};
use futures_util::StreamExt;
use kithdb::base::ManualClock;
use kithdb::host::{Db, Options};
use kithdb::storage::sim::Fault;
use kithdb::storage::{FileRoot, SimVfs};
use tower::ServiceExt;

use super::{Answer, HOST, Server, app_options};
use crate::http::failures::{FAILURES_MAX, Peer, WINDOW};
use crate::http::{App, AppOptions, TokenDigest, need, table};

const MASTER: &str = "the-token-of-the-master";

fn locked() -> Server {
    let db = Db::in_memory(Options::default()).expect("memory is there");
    Server::serving(db, AppOptions { token: Some(TokenDigest::of(MASTER)), ..app_options() })
}

pub fn every_route() -> Vec<table::Route> {
    crate::http::routes::declared().expect("memory is there")
}

/// How a route is asked; one that answers every other way, in a way that none of its path is.
pub fn method_of(route: &table::Route) -> Method {
    route.method.clone().unwrap_or(Method::PATCH)
}

impl Server {
    async fn with_token(&self, token: Option<&str>, method: &Method, path: &str, body: &str) -> Answer {
        let mut request = Request::builder().method(method).uri(path).header(header::HOST, HOST);
        request = request.header(header::CONTENT_TYPE, "application/json");
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        self.send(request.body(body.to_owned().into()).expect("a request")).await
    }
}

/// What a path is with its variables filled in.
pub fn filled(path: &str, verb: &str) -> String {
    let filled = path.replace("{name}", "c").replace("{*file}", "main.js").replace("{*rest}", "x/y/z");
    ["{id}", "{key}", "{verb}"].iter().fold(filled, |path, variable| path.replace(variable, verb))
}

#[tokio::test]
async fn every_route_but_the_public_ones_wants_a_token() {
    let server = locked();
    let public = [
        "/",
        "/ui",
        "/ui/",
        "/ui/files.json",
        "/ui/explorer",
        "/ui/explorer/",
        "/ui/{*file}",
        "/health",
        "/healthz",
        "/readyz",
        "/.well-known/jwks.json",
        "/openapi.json",
        "/docs",
    ];
    for route in every_route() {
        let (path, method) = (filled(&route.path, "x"), &method_of(&route));
        let is_public = public.contains(&route.path.as_str());
        assert_eq!(route.need.role.is_none(), is_public, "{method} {path}");
        for token in [None, Some(""), Some("another"), Some("the-token-of-the-maste"), Some("kith_x_y")] {
            let answer = server.with_token(token, method, &path, "{}").await;
            assert_eq!(answer.status == 401, !is_public, "{method} {path}: {}", answer.status);
            assert_eq!(answer.headers.contains_key(header::WWW_AUTHENTICATE), !is_public);
        }
        let answer = server.with_token(Some(MASTER), method, &path, "{}").await;
        assert!(![401, 403].contains(&answer.status.as_u16()), "{method} {path}: {}", answer.status);
    }
}

#[tokio::test]
async fn what_is_not_served_is_told_to_who_may_ask() {
    let server = locked();
    for (method, path, told) in [
        (Method::GET, "/nowhere", (404, "unknown_route")),
        (Method::PUT, "/v1/collections", (405, "method_not_allowed")),
        (Method::PUT, "/healthz", (405, "method_not_allowed")),
    ] {
        let refused = server.with_token(None, &method, path, "").await;
        assert_eq!(refused.problem(), (401, "missing_token".into()), "{path}");
        let unknown = server.with_token(Some("another"), &method, path, "").await;
        assert_eq!(unknown.problem(), (401, "unknown_token".into()), "{path}");
        let answer = server.with_token(Some(MASTER), &method, path, "").await;
        assert_eq!(answer.problem(), (told.0, told.1.into()), "{path}");
    }
}

#[tokio::test]
async fn kektors_paths_refuse_in_its_words() {
    let server = locked();
    let refused = server.with_token(None, &Method::GET, "/vector/indexes", "").await;
    assert_eq!(refused.status, 401);
    assert_eq!(refused.body, b"Unauthorized: missing Authorization header\n");
    assert_eq!(refused.header(header::CONTENT_TYPE), "text/plain; charset=utf-8");
    let refused = server.with_token(Some("x"), &Method::POST, "/graph/actions/link", "{}").await;
    assert_eq!(
        (refused.status.as_u16(), &*refused.body),
        (401, &b"Unauthorized: invalid or revoked token\n"[..])
    );
}

#[tokio::test]
async fn a_token_comes_in_one_header_of_one_form() {
    let server = locked();
    let ask = |values: &[&str]| {
        let mut request = Request::get("/v1/collections").header(header::HOST, HOST);
        for value in values {
            request = request.header(header::AUTHORIZATION, *value);
        }
        request.body(Body::empty()).expect("a request")
    };
    let bearer = format!("Bearer {MASTER}");
    assert_eq!(server.send(ask(&[&bearer])).await.status, 200);
    assert_eq!(server.send(ask(&[&format!("bearer {MASTER}")])).await.status, 200);
    for values in
        [&[][..], &[MASTER], &[&bearer, &bearer], &["Basic dXNlcg=="], &["Bearer"], &["Bearer \u{e9}"]]
    {
        let refused = server.send(ask(values)).await;
        assert_eq!(refused.problem(), (401, "missing_token".into()), "{values:?}");
    }
    let refused = server.with_token(Some("SECRET-CANARY"), &Method::GET, "/v1/collections", "").await;
    assert!(!String::from_utf8_lossy(&refused.body).contains("CANARY"));
}

/// A guesser on one address is told to wait, and its right guess with it; a client that had asked from there before goes on.
#[tokio::test(start_paused = true)]
async fn whoever_guesses_tokens_is_told_to_wait() {
    let server = locked();
    let other = key(&server, "read", "*").await;
    let ask = async |token: &str, from: [u8; 4], path: &str| {
        let request = Request::get(path).header(header::HOST, HOST);
        let mut request = request
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .body(Body::empty())
            .expect("a request");
        request.extensions_mut().insert(Peer::at(from.into()));
        server.send(request).await
    };
    let (guesser, neighbour) = ([192, 0, 2, 1], [192, 0, 2, 2]);
    assert_eq!(ask(&other, guesser, "/v1/kv").await.status, 200);
    for i in 0..FAILURES_MAX {
        let guess = format!("a-guess-of-many-{i}");
        assert_eq!(ask(&guess, guesser, "/v1/collections").await.status, 401, "{i}");
    }
    for path in ["/v1/collections", "/nowhere"] {
        let refused = ask(MASTER, guesser, path).await;
        assert_eq!(refused.problem(), (429, "too_many_failures".into()), "{path}");
        assert_eq!(refused.header(header::RETRY_AFTER), "60", "{path}");
    }
    let refused = ask("another", guesser, "/vector/indexes").await;
    assert_eq!((refused.status.as_u16(), refused.header(header::RETRY_AFTER)), (429, "60"));
    assert_eq!(ask(&other, guesser, "/v1/kv").await.status, 200);
    assert_eq!(ask(MASTER, neighbour, "/v1/kv").await.status, 200);
    assert_eq!(ask(MASTER, guesser, "/healthz").await.status, 200, "what wants no token is answered");
    tokio::time::advance(WINDOW).await;
    assert_eq!(ask(MASTER, guesser, "/v1/kv").await.status, 200);
    assert_eq!(ask("another", guesser, "/v1/kv").await.status, 401);
}

/// That what only looks is asked with GET or is in this list: the rest needs more than reading.
#[test]
fn routes_that_change_something_need_more_than_reading() {
    let looks = [
        "/v1/collections/{name}/search",
        "/v1/collections/{name}/search/batch",
        "/v1/collections/{name}/estimate",
        "/vector/actions/get-vectors",
        "/vector/actions/search",
        "/vector/actions/search-with-scores",
        "/vector/actions/get-evolution",
        "/vector/actions/belief-assessment",
        "/ui/explore",
        "/ui/search",
        "/graph/actions/get-links",
        "/graph/actions/get-incoming",
        "/graph/actions/get-connections",
        "/graph/actions/get-edges",
        "/graph/actions/get-all-relations",
        "/graph/actions/get-all-incoming",
        "/graph/actions/traverse",
        "/graph/actions/extract-subgraph",
        "/graph/actions/find-path",
        "/graph/actions/get-node-properties",
        "/graph/actions/search-nodes",
        "/collections/{name}/search",
    ];
    for route in every_route() {
        let (method, table::Route { path, need, .. }) = (method_of(&route), route);
        let is_refused = method == Method::PATCH && !path.starts_with("/v1/");
        let at_least = match () {
            () if ["/system/", "/auth/", "/v1/keys", "/metrics", "/v1/memory", "/v1/profile"]
                .iter()
                .any(|of| path.starts_with(of)) =>
            {
                need::Role::Admin
            }
            () if method == Method::GET || is_refused || looks.contains(&path.as_str()) => need::Role::Read,
            () => need::Role::Write,
        };
        if let Some(role) = need.role {
            assert!(role >= at_least, "{method} {path} needs {role}");
        }
        // What a key for one collection may ask is about the one that is named.
        let named = ["/v1/collections/{name}", "/vector/indexes/{name}", "/collections/{name}"];
        let is_named = named.iter().any(|named| path.starts_with(named));
        assert_eq!(is_named, need.about == need::About::Path("name"), "{method} {path}");
    }
}

#[test]
#[should_panic(expected = "GET /v1/x/{id} has no name to go by")]
fn a_need_goes_by_what_the_path_has() {
    let db = Db::in_memory(Options::default()).expect("memory is there");
    let table = table::Table::new(App::new(db, app_options()));
    drop(table.get("/v1/x/{id}", need::read(need::About::Path("name")), async || "x"));
}

/// The token of a new key.
async fn key(server: &Server, role: &str, collections: &str) -> String {
    let body = format!(r#"{{"role": "{role}", "collections": ["{collections}"]}}"#);
    let made = server.with_token(Some(MASTER), &Method::POST, "/v1/keys", &body).await;
    assert_eq!(made.status, 201);
    made.json()["token"].as_str().expect("a token").to_owned()
}

#[tokio::test]
async fn every_route_lets_those_keys_in_that_are_enough_and_no_other() {
    let server = locked();
    let collections = r#"{"name": "c"}"#;
    server.with_token(Some(MASTER), &Method::POST, "/v1/collections", collections).await;
    let mut callers = Vec::new();
    for (role, name) in
        [(need::Role::Read, "read"), (need::Role::Write, "write"), (need::Role::Admin, "admin")]
    {
        for collections in ["*", "c", "other"] {
            callers.push((role, collections, key(&server, name, collections).await));
        }
    }
    let (mut let_in, mut refused) = (0, 0);
    for route in every_route() {
        let looks = route.need.looks.map_or(&["x"][..], |(_, verbs)| verbs);
        for verb in looks.iter().chain(&["delete", "unlink"]) {
            let (path, method) = (filled(&route.path, verb), &method_of(&route));
            let Some(mut needed) = route.need.role else { continue };
            if looks.contains(verb) && route.need.looks.is_some() {
                needed = need::Role::Read;
            }
            for (role, collections, token) in &callers {
                let may_there = match route.need.about {
                    need::About::Database => *collections == "*",
                    need::About::Path(_) | need::About::Field(_) => *collections != "other",
                    need::About::Nothing | need::About::Listed => true,
                };
                let body = match route.need.about {
                    need::About::Field(field) => format!(r#"{{"{field}": "c"}}"#),
                    _ => "{}".to_owned(),
                };
                let answer = server.with_token(Some(token), method, &path, &body).await;
                let is_in = ![401, 403].contains(&answer.status.as_u16());
                let told = format!("{method} {path} with {role} for {collections}: {}", answer.status);
                assert_eq!(is_in, *role >= needed && may_there, "{told}");
                *if is_in { &mut let_in } else { &mut refused } += 1;
            }
        }
    }
    assert!(let_in > 200 && refused > 200, "{let_in} let in, {refused} refused");
}

#[tokio::test]
async fn a_key_for_one_collection_sees_no_other() {
    let server = locked();
    for name in ["c", "d"] {
        let body = format!(r#"{{"name": "{name}"}}"#);
        server.with_token(Some(MASTER), &Method::POST, "/v1/collections", &body).await;
    }
    let token = key(&server, "write", "c").await;
    let ask = async |method: Method, path: &str, body: &str| {
        server.with_token(Some(&token), &method, path, body).await
    };
    let list = ask(Method::GET, "/v1/collections", "").await.json();
    assert_eq!(list["collections"].as_array().map(Vec::len), Some(1));
    assert_eq!(list["collections"][0]["name"], "c");
    let list = ask(Method::GET, "/vector/indexes", "").await.json();
    assert_eq!((list.as_array().map(Vec::len), &list[0]["name"]), (Some(1), &serde_json::json!("c")));
    assert_eq!(ask(Method::DELETE, "/v1/collections/d", "").await.problem(), (403, "forbidden".into()));
    assert_eq!(ask(Method::DELETE, "/v1/collections/%64", "").await.problem(), (403, "forbidden".into()));
    assert_eq!(ask(Method::GET, "/v1/kv", "").await.problem(), (403, "forbidden".into()));
    // What names another one, in whatever way a handler might read it.
    let get = "/vector/actions/get-vectors";
    assert_eq!(ask(Method::POST, get, r#"{"index_name": "c", "ids": ["x"]}"#).await.status, 200);
    for (body, status) in [
        (r#"{"index_name": "d", "ids": ["x"]}"#, 403),
        (r#"{"index_n\u0061me": "d", "ids": ["x"]}"#, 403),
        (r#"{"ids": ["x"]}"#, 403),
        (r#"{"index_name": null, "ids": ["x"]}"#, 403),
        (r#"{"index_name": "c", "index_name": "d", "ids": ["x"]}"#, 400),
        (r#"{"index_name": "d", "index_n\u0061me": "c", "ids": ["x"]}"#, 400),
        (r#"["c", ["x"]]"#, 400),
        (r#"{"index_name": "c", "ids": ["x"]} {"index_name": "d"}"#, 400),
        (r#"{"index_name": ["c"], "ids": ["x"]}"#, 400),
        ("", 400),
    ] {
        assert_eq!(ask(Method::POST, get, body).await.status, status, "{body}");
    }
    for (body, status) in [
        (r#"{"name": "c", "NAME": "e", "dimension": 2}"#, 403),
        (r#"{"name": "c", "Name": null, "nAmE": "e", "dimension": 2}"#, 403),
        (r#"{"NAME": "e", "name": "c", "dimension": 2}"#, 409),
    ] {
        assert_eq!(ask(Method::POST, "/collections", body).await.status, status, "{body}");
    }
    let made = server.with_token(Some(MASTER), &Method::GET, "/v1/collections/e", "").await;
    assert_eq!(made.status, 404);
    let forbidden = ask(Method::POST, get, r#"{"index_name": "d", "ids": []}"#).await;
    assert_eq!(forbidden.body, b"Forbidden: insufficient permissions for this namespace/action\n");
}

/// Every route that follows edges, by every role: what a key is not for is as if it were not there, whether it is or not.
#[tokio::test]
async fn a_key_for_one_collection_follows_no_edge_into_another() {
    let server = locked();
    let ask = async |token: &str, path: &str, body: &str| {
        server.with_token(Some(token), &Method::POST, &format!("/v1/collections{path}"), body).await
    };
    for name in ["c", "d"] {
        ask(MASTER, "", &format!(r#"{{"name": "{name}"}}"#)).await;
    }
    ask(
        MASTER,
        "/c/documents",
        r#"{"documents": [{"id": "x", "vector": [1, 0]}, {"id": "back", "vector": [0, 1]}]}"#,
    )
    .await;
    ask(MASTER, "/d/documents", r#"{"documents": [{"id": "y", "metadata": {"secret": "CANARY"}}]}"#).await;
    let edges = r#"{"edges": [{"source": "x", "relation": "to", "target": "d::y"},
        {"source": "x", "relation": "to", "target": "nowhere::y"}, {"source": "d::y", "relation": "to", "target": "back"}]}"#;
    assert_eq!(ask(MASTER, "/c/graph/link", edges).await.json()["linked"], 3);
    let asked = [
        ("/c/graph/edges", r#"{"id": "x", "hydrate": true}"#),
        ("/c/graph/edges", r#"{"id": "d::y", "hydrate": true}"#),
        ("/c/graph/traverse", r#"{"id": "x", "paths": ["to.to", "**"], "hydrate": true}"#),
        ("/c/graph/subgraph", r#"{"ids": ["x"], "depth": 3, "hydrate": true}"#),
        ("/c/graph/path", r#"{"source": "x", "target": "back", "hydrate": true}"#),
        (
            "/c/search",
            r#"{"vector": [1, 0], "k": 1, "include_relations": ["**"], "hydrate_relations": true}"#,
        ),
        (
            "/c/search",
            r#"{"vector": [1, 0], "k": 2, "expand": {"depth": 2, "hits": 1, "damping": 1}, "explain": true}"#,
        ),
        ("/c/search", r#"{"graph_filter": {"root": "x", "depth": 2}}"#),
        ("/c/search/batch", r#"{"searches": [{"graph_filter": {"root": "x", "depth": 2}}]}"#),
    ];
    let missing: Vec<(&str, String)> =
        asked.iter().map(|(path, body)| (*path, body.replace("d::y", "nowhere::y"))).collect();
    let shown = |answer: Answer| String::from_utf8(answer.body.to_vec()).expect("JSON");
    for role in ["read", "write", "admin"] {
        let (narrow, wide) = (key(&server, role, "c").await, key(&server, role, "*").await);
        for ((path, body), (_, nowhere)) in asked.iter().zip(&missing) {
            let told = shown(ask(&narrow, path, body).await);
            let of_nothing = shown(ask(&narrow, path, nowhere).await);
            assert!(!told.contains("CANARY") && !told.contains("\"d::y\""), "{path} {body}: {told}");
            assert_eq!(told, of_nothing, "{path} {body}: no other answer than of what does not exist");
            let all = shown(ask(&wide, path, body).await);
            assert_ne!(told, all, "{path} {body}: whoever may read both is told more");
        }
        let whole = shown(ask(&wide, "/c/graph/edges", r#"{"id": "x", "hydrate": true}"#).await);
        assert!(whole.contains("CANARY"), "{whole}");
    }
}

#[tokio::test]
async fn a_stream_of_events_ends_with_its_key() {
    // A key is given away and reads the events; once it is revoked, or its time is over, what is written then is not told
    // to it any more, while the stream of who may still read goes on.
    let clock = Arc::new(ManualClock::at(1_000_000_000));
    let options = Options { clock: clock.clone(), ..Options::default() };
    let app = AppOptions { token: Some(TokenDigest::of(MASTER)), ..app_options() };
    let db = Db::in_memory(Options { observer: Arc::new(app.events.clone()), ..options });
    let server = Server::serving(db.expect("memory is there"), app);
    let ask = async |method: Method, path: &str, body: &str| {
        server.with_token(Some(MASTER), &method, path, body).await
    };
    let made = ask(Method::POST, "/v1/keys", r#"{"role": "read"}"#).await.json();
    let expiring = ask(Method::POST, "/v1/keys", r#"{"role": "read", "ttl": "1h"}"#).await.json();
    let open = async |token: &str| {
        let request = Request::get("/v1/events").header(header::HOST, HOST);
        let request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        let request = request.body(Body::empty()).expect("a request");
        let response = server.0.clone().oneshot(request).await.expect("a router never fails");
        assert_eq!(response.status(), 200);
        let mut chunks = response.into_body().into_data_stream();
        chunks.next().await.expect("it begins").expect("in memory");
        chunks
    };
    let mut revoked = open(made["token"].as_str().expect("a token")).await;
    let mut expired = open(expiring["token"].as_str().expect("a token")).await;
    let mut masters = open(MASTER).await;
    ask(Method::POST, "/v1/collections", r#"{"name": "before"}"#).await;
    for stream in [&mut revoked, &mut expired, &mut masters] {
        assert!(String::from_utf8_lossy(&told(stream).await.expect("a change")).contains("before"));
    }
    let path = format!("/v1/keys/{}", made["key"]["id"].as_str().expect("an id"));
    assert_eq!(ask(Method::DELETE, &path, "").await.status, 204);
    clock.advance(2 * 3_600 * 1_000_000_000);
    ask(Method::POST, "/v1/collections", r#"{"name": "after"}"#).await;
    assert_eq!((told(&mut revoked).await, told(&mut expired).await), (None, None));
    assert!(String::from_utf8_lossy(&told(&mut masters).await.expect("a change")).contains("after"));
}

#[tokio::test]
async fn a_key_is_revoked_while_the_disk_is_full() {
    // A key leaks while the disk is full. Revoking it answers that it could not be kept, and still nobody gets in with it;
    // once there is room it is revoked again, and stays so when the server is started again.
    let disk = SimVfs::new();
    let start = || {
        let root = FileRoot::open(Arc::new(disk.clone()), "db").expect("a directory");
        let options = Options { auto_jobs: false, ..Options::default() };
        let db = Db::with_root(Arc::new(root), options).expect("it opens");
        Server::serving(db, AppOptions { token: Some(TokenDigest::of(MASTER)), ..app_options() })
    };
    let server = start();
    let made = server.with_token(Some(MASTER), &Method::POST, "/v1/keys", r#"{"role": "read"}"#).await.json();
    let (token, id) = (made["token"].as_str().expect("a token"), made["key"]["id"].as_str().expect("an id"));
    let path = format!("/v1/keys/{id}");
    let revoke = async || server.with_token(Some(MASTER), &Method::DELETE, &path, "").await;
    let ask = async |server: &Server| server.with_token(Some(token), &Method::GET, "/v1/kv", "").await.status;
    assert_eq!(ask(&server).await, 200);

    disk.fail_at(disk.calls() + 1, Fault::Full(1 << 20));
    for _ in 0..2 {
        let refused = revoke().await;
        assert_eq!(refused.problem(), (507, "disk_full".into()));
        let hint = refused.json()["hint"].as_str().expect("a hint").to_owned();
        assert!(hint.contains("until the server is started again"), "{hint}");
        assert_eq!(ask(&server).await, 401);
    }
    disk.make_room();
    assert_eq!(revoke().await.status, 204);
    drop(server);
    assert_eq!(ask(&start()).await, 401);
}

async fn told(stream: &mut BodyDataStream) -> Option<Bytes> {
    stream.next().await.map(|chunk| chunk.expect("nothing fails in memory"))
}

#[tokio::test]
async fn keys_are_made_listed_and_revoked() {
    let server = locked();
    let ask = async |method: Method, path: &str, body: &str| {
        server.with_token(Some(MASTER), &method, path, body).await
    };
    let made =
        ask(Method::POST, "/v1/keys", r#"{"role": "read", "description": "a page", "ttl": "1h"}"#).await;
    let (token, id) = (made.json()["token"].clone(), made.json()["key"]["id"].clone());
    let (token, id) = (token.as_str().expect("a token"), id.as_str().expect("an id"));
    assert!(token.starts_with(&format!("kith_{id}_")) && token.len() > 100, "{token}");
    let list = ask(Method::GET, "/v1/keys", "").await;
    assert!(!String::from_utf8_lossy(&list.body).contains(token));
    let list = list.json();
    assert_eq!((&list["keys"][0]["id"], &list["keys"][0]["role"]), (&id.into(), &"read".into()));
    assert_eq!(list["keys"][0]["collections"], serde_json::json!(["*"]));
    assert!(list["keys"][0]["expires_at"].is_string());

    let with_key =
        async |token: &str| server.with_token(Some(token), &Method::GET, "/v1/kv", "").await.status;
    assert_eq!(with_key(token).await, 200);
    let other = format!("{}{}", &token[..token.len() - 1], if token.ends_with('0') { '1' } else { '0' });
    for wrong in [&other, &token[..token.len() - 1], &format!("{token}0"), &format!("kith_{id}_"), id] {
        assert_eq!(with_key(wrong).await, 401, "{wrong}");
    }
    for _ in 0..2 {
        assert_eq!(ask(Method::DELETE, &format!("/v1/keys/{id}"), "").await.status, 204);
        assert_eq!(with_key(token).await, 401);
    }
    assert_eq!(ask(Method::DELETE, "/v1/keys/nope", "").await.problem(), (404, "unknown_access_key".into()));
    assert_eq!(ask(Method::GET, "/v1/kv", "").await.json()["keys"], serde_json::json!([]));
    let long = "x".repeat(257);
    for bad in [
        r#"{}"#,
        r#"{"role": "root"}"#,
        r#"{"role": "read", "collections": []}"#,
        r#"{"role": "read", "collections": ["../x"]}"#,
        r#"{"role": "read", "expires_at": 5}"#,
        r#"{"role": "read", "ttl": "1h", "expires_at": "2999-01-01T00:00:00Z"}"#,
        r#"{"role": "read", "colections": ["c"]}"#,
        &format!(r#"{{"role": "read", "description": "{long}"}}"#),
    ] {
        assert_eq!(ask(Method::POST, "/v1/keys", bad).await.status, 400, "{bad}");
    }
}

#[tokio::test]
async fn a_key_is_worth_nothing_from_its_end_on() {
    let clock = Arc::new(ManualClock::at(1_000));
    let db = Db::in_memory(Options { clock: clock.clone(), ..Options::default() }).expect("memory is there");
    let server = Server::serving(db, AppOptions { token: Some(TokenDigest::of(MASTER)), ..app_options() });
    let body = r#"{"role": "read", "expires_at": 2000}"#;
    let made = server.with_token(Some(MASTER), &Method::POST, "/v1/keys", body).await.json();
    let token = made["token"].as_str().expect("a token");
    for (passes, status) in [(999, 200), (1, 401), (1_000, 401)] {
        clock.advance(passes);
        let answer = server.with_token(Some(token), &Method::GET, "/v1/kv", "").await;
        assert_eq!(answer.status, status, "{passes} later");
    }
}

#[tokio::test]
async fn kektors_keys_are_made_with_either_field_and_revoked() {
    let server = locked();
    let ask = async |method: Method, path: &str, body: &str| {
        server.with_token(Some(MASTER), &method, path, body).await
    };
    for (body, namespaces) in [
        (r#"{"description": "d", "role": "read", "namespaces": ["a", "b"]}"#, serde_json::json!(["a", "b"])),
        (r#"{"role": "write", "namespace": "a"}"#, serde_json::json!(["a"])),
        (r#"{"role": "admin"}"#, serde_json::json!(["*"])),
    ] {
        let made = ask(Method::POST, "/auth/keys", body).await;
        assert_eq!((made.status.as_u16(), &made.json()["policy"]["namespaces"]), (200, &namespaces));
        let made = made.json();
        assert!(made["policy"]["created_at"].is_i64() && made["warning"].is_string());
        let (token, id) =
            (made["token"].as_str().expect("a token"), made["policy"]["id"].as_str().expect("an id"));
        let path = "/vector/indexes/a";
        assert_eq!(server.with_token(Some(token), &Method::GET, path, "").await.status, 404);
        let revoked = ask(Method::DELETE, &format!("/auth/keys/{id}"), "").await;
        assert_eq!(revoked.json(), serde_json::json!({"status": "revoked", "jti": id}));
        assert_eq!(server.with_token(Some(token), &Method::GET, path, "").await.status, 401);
        let list = ask(Method::GET, "/auth/keys", "").await.json();
        assert!(
            list["revoked_token_ids"].as_array().expect("ids").contains(&id.into())
                && list["note"].is_string()
        );
    }
    let refused = ask(Method::POST, "/auth/keys", r#"{"role": "root"}"#).await;
    assert_eq!((refused.status.as_u16(), refused.json()["error"].is_string()), (400, true));
    let jwks = server.with_token(None, &Method::GET, "/.well-known/jwks.json", "").await;
    assert_eq!(jwks.json(), serde_json::json!({"keys": []}));
}
