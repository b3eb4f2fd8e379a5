//! The explorer, the API's page, and the engine that runs in a tab: the files of the built `web/explorer/`, of `web/` and of
//! the compiled `js/`, embedded when the server is built. A debug build reads them from there again at each request, so that
//! one sees what one edits.
//!
//! Only names of the embedded table are served; nothing of a request becomes part of a path.

use std::borrow::Cow;
use std::convert::Infallible;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::OnceLock;

use axum::Json;
use axum::extract::State;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Uri};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Serialize;

use crate::http::{App, Origin, PathOf, Problem, tag_of, unchanging_unless_known};

/// Name and content of each file.
const FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/web_files.rs"));

/// The tag of each, once it was asked for.
static TAGS: [OnceLock<String>; FILES.len()] = [const { OnceLock::new() }; FILES.len()];

/// Where the engine's files are, in the table and under `/ui/`, and the one that is imported first.
const ENGINE: &str = "kithdb/";
const ENGINE_ENTRY: &str = "kithdb/browser.js";

/// The files of the explorer, which are built; what is beside them under `/ui/` lies in `web/` as it is.
const EXPLORER_ENTRY: &str = "index.html";
const EXPLORER_FILES: [&str; 3] = ["assets/", EXPLORER_ENTRY, "licenses"];

/// The API's page, whose addresses are relative to `/docs`.
const API_PAGE: &str = "api.html";

const NO_EXPLORER: &str = "<!doctype html><title>KithDB Explorer</title><h1>KithDB</h1><p>The server runs; it was \
     built without its explorer. To have one, type <code>npm run build</code> in the repository.</p>\
     <p>The API is told at <a href=\"../docs\">/docs</a>.</p>";

const NO_PAGE: &str = "<!doctype html><title>KithDB</title><h1>KithDB</h1><p>The server runs; it was built without its \
     pages. To have them, build it where the folder <code>web/</code> lies beside <code>server/</code>.</p>\
     <p>The API is told at <a href=\"openapi.json\">/openapi.json</a>.</p>";

/// What a browser may do with whatever comes from here, beside whom it may ask: this server, and those that were named.
const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
     img-src 'self' data:; font-src 'self'; worker-src 'self'; frame-ancestors 'none'; base-uri 'none'; \
     form-action 'none'; require-trusted-types-for 'script'; trusted-types kith; connect-src 'self'";

const HEADERS: [(&str, &str); 5] = [
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-embedder-policy", "require-corp"),
    ("cross-origin-resource-policy", "same-origin"),
];

/// A file as it is served.
struct File {
    content: Cow<'static, [u8]>,
    tag: Cow<'static, str>,
}

/// What the page asks before it offers to search in the tab, and what it keeps to work without the server.
#[derive(Serialize)]
struct FilesAnswer {
    /// Another one when any file is another, or what the page may ask.
    version: String,
    /// Whether the engine for a tab is among the files.
    engine: bool,
    /// The names under `/ui/`.
    files: Vec<&'static str>,
}

/// The policy of pages that may ask these servers, too.
///
/// # Panics
/// Never: an origin has letters, digits and a few signs only.
pub fn policy(remotes: &[Origin]) -> HeaderValue {
    let mut policy = POLICY.to_owned();
    for origin in remotes {
        policy.push(' ');
        policy.push_str(origin.as_str());
    }
    HeaderValue::try_from(policy).expect("an origin is visible ASCII")
}

/// Adds the headers that keep a browser from doing what nobody asked for, to every answer.
pub async fn secure(policy: HeaderValue, mut response: Response) -> Response {
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    for (name, value) in HEADERS {
        response.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    response
}

/// The explorer's page. Its files have addresses relative to this one, so that a proxy may put all below any path.
pub async fn explorer(headers: HeaderMap) -> Response {
    let file = file(EXPLORER_ENTRY).unwrap_or_else(|| File::of(NO_EXPLORER.as_bytes().into()));
    answer(EXPLORER_ENTRY, file, &headers)
}

/// The API's page, which draws the OpenAPI document.
pub async fn docs(headers: HeaderMap) -> Response {
    let file = file(API_PAGE).unwrap_or_else(|| File::of(NO_PAGE.as_bytes().into()));
    answer(API_PAGE, file, &headers)
}

/// From the root of the server, from `/ui`, and from where the explorer was once: relative, as a proxy's path is not known
/// here.
pub async fn to_explorer(uri: Uri) -> Redirect {
    Redirect::permanent(match uri.path() {
        "/ui/explorer/" => "../",
        "/ui/explorer" => "./",
        _ => "ui/",
    })
}

pub async fn asset(PathOf(name): PathOf<String>, headers: HeaderMap) -> Result<Response, Problem> {
    if name == API_PAGE {
        return Ok(Redirect::permanent("../docs").into_response());
    }
    let file = file(&name).ok_or_else(|| Problem::unknown_route(&format!("/ui/{name}")))?;
    Ok(answer(&name, file, &headers))
}

pub async fn files(State(app): State<App>, headers: HeaderMap) -> Response {
    let files: Vec<&str> = FILES.iter().map(|(name, _)| *name).filter(|name| *name != API_PAGE).collect();
    let mut all = DefaultHasher::new();
    for name in &files {
        (name, file(name).map(|file| file.tag)).hash(&mut all);
    }
    // What is kept of the page is kept with its policy.
    policy(&app.options().remote_origins).hash(&mut all);
    let version = format!("{:016x}", all.finish());
    let list = || {
        let engine = files.contains(&ENGINE_ENTRY);
        Ok::<_, Infallible>(Json(FilesAnswer { version: version.clone(), engine, files }).into_response())
    };
    let Ok(answer) = unchanging_unless_known(&version, &headers, list);
    answer
}

impl File {
    /// Of this content, which is read to know its tag.
    fn of(content: Cow<'static, [u8]>) -> Self {
        let tag = tag_of(&content).into();
        Self { content, tag }
    }
}

/// A file of the table. One that is embedded is read once to know its tag.
fn file(name: &str) -> Option<File> {
    let at = FILES.iter().position(|(known, _)| *known == name)?;
    let (name, embedded) = FILES[at];
    let edited = || {
        let path = if let Some(rest) = name.strip_prefix(ENGINE) {
            format!("js/dist/{rest}")
        } else if EXPLORER_FILES.iter().any(|start| name.starts_with(start)) {
            format!("web/dist/{name}")
        } else {
            format!("web/{name}")
        };
        std::fs::read(format!("{}/../{path}", env!("CARGO_MANIFEST_DIR"))).ok()
    };
    let edited = if cfg!(debug_assertions) { edited() } else { None };
    Some(match edited {
        Some(content) => File::of(content.into()),
        None => {
            let tag = TAGS[at].get_or_init(|| tag_of(embedded));
            File { content: embedded.into(), tag: tag.as_str().into() }
        }
    })
}

/// The file, or the word that the browser has it already. It asks each time, because the next version of the server
/// may have another file under the same name.
fn answer(name: &str, File { content, tag }: File, request: &HeaderMap) -> Response {
    let content_type = [(CONTENT_TYPE, HeaderValue::from_static(type_of(name)))];
    let file = || Ok::<_, Infallible>((content_type, content).into_response());
    let Ok(answer) = unchanging_unless_known(&tag, request, file);
    answer
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
