//! The search page: the files of `web/`, embedded when the server is built. A debug build reads them from there again
//! at each request, so that one sees what one edits.
//!
//! Only names of the embedded table are served; nothing of a request becomes part of a path.

use std::borrow::Cow;

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderName, HeaderValue};
use axum::response::{IntoResponse, Redirect, Response};

use crate::http::{PathOf, Problem};

/// Name and content of each file.
const FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/web_files.rs"));

const NO_PAGE: &str = "<!doctype html><title>KithDB</title><h1>KithDB</h1><p>The server runs; it was built without its \
     page. To have one, build it where the folder <code>web/</code> lies beside <code>server/</code>.</p>\
     <p>The API is at <a href=\"/v1/collections\">/v1/collections</a>.</p>";

/// What a browser may do with whatever comes from here.
const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
     img-src 'self' data:; font-src 'self'; connect-src 'self'; worker-src 'self'; frame-ancestors 'none'; \
     base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types kith";

const HEADERS: [(&str, &str); 6] = [
    ("content-security-policy", POLICY),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-embedder-policy", "require-corp"),
    ("cross-origin-resource-policy", "same-origin"),
];

/// Adds the headers that keep a browser from doing what nobody asked for, to every answer.
pub async fn secure(mut response: Response) -> Response {
    for (name, value) in HEADERS {
        response.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    response
}

pub async fn index() -> Response {
    file("index.html").unwrap_or_else(|| page("text/html; charset=utf-8", NO_PAGE.as_bytes().into()))
}

pub async fn to_index() -> Redirect {
    Redirect::permanent("/ui/")
}

pub async fn asset(PathOf(name): PathOf<String>) -> Result<Response, Problem> {
    file(&name).ok_or_else(|| Problem::unknown_route(&format!("/ui/{name}")))
}

fn file(name: &str) -> Option<Response> {
    let (name, embedded) = FILES.iter().find(|(known, _)| *known == name)?;
    let edited = || std::fs::read(format!("{}/../web/{name}", env!("CARGO_MANIFEST_DIR"))).ok();
    let content = if cfg!(debug_assertions) { edited() } else { None };
    Some(page(type_of(name), content.map_or(Cow::Borrowed(*embedded), Cow::Owned)))
}

fn page(content_type: &'static str, content: Cow<'static, [u8]>) -> Response {
    // The next version of the server may have another page under the same name.
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(content_type)),
        (CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    ];
    (headers, content).into_response()
}

fn type_of(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("json") => "application/json",
        Some("woff2") => "font/woff2",
        Some("wasm") => "application/wasm",
        _ => "application/octet-stream",
    }
}
