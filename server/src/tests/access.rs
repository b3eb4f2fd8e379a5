//! Who may use which route: every route of the table with every kind of caller.

use axum::body::Body;
use axum::http::{Method, Request, header};
use kithdb::host::{Db, Options};

use super::{Answer, HOST, Server, app_options};
use crate::http::{App, AppOptions, TokenDigest, need, table};

const MASTER: &str = "the-token-of-the-master";

fn locked() -> Server {
    let db = Db::in_memory(Options::default()).expect("memory is there");
    Server::serving(db, AppOptions { token: Some(TokenDigest::of(MASTER)), ..app_options() })
}

fn every_route() -> Vec<table::Route> {
    let db = Db::in_memory(Options::default()).expect("memory is there");
    crate::http::routes::table(App::new(db, app_options())).build().1
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
fn filled(path: &str, verb: &str) -> String {
    path.replace("{name}", "c").replace("{*file}", "main.js").replace("{id}", verb).replace("{verb}", verb)
}

#[tokio::test]
async fn every_route_but_the_public_ones_wants_a_token() {
    let server = locked();
    let public = ["/", "/ui", "/ui/", "/ui/files.json", "/ui/{*file}", "/healthz", "/readyz"];
    for route in every_route() {
        let (path, method) = (filled(&route.path, "x"), &route.method);
        let is_public = public.contains(&route.path.as_str());
        assert_eq!(route.need.role.is_none(), is_public, "{method} {path}");
        for token in [None, Some(""), Some("another"), Some("the-token-of-the-maste")] {
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

/// That what only looks is asked with GET or is in this list: the rest needs more than reading.
#[test]
fn routes_that_change_something_need_more_than_reading() {
    let looks = [
        "/v1/collections/{name}/search",
        "/v1/collections/{name}/estimate",
        "/vector/actions/get-vectors",
        "/vector/actions/search",
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
    ];
    for table::Route { method, path, need } in every_route() {
        let at_least = match () {
            () if path.starts_with("/system/") || path.starts_with("/auth/") => need::Role::Admin,
            () if method == Method::GET || looks.contains(&path.as_str()) => need::Role::Read,
            () => need::Role::Write,
        };
        if let Some(role) = need.role {
            assert!(role >= at_least, "{method} {path} needs {role}");
        }
        // What a key for one collection may ask is about the one that is named.
        let is_named =
            path.starts_with("/v1/collections/{name}") || path.starts_with("/vector/indexes/{name}");
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
