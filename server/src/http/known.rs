//! Answers that a browser keeps and asks about again: each has a tag, and who names it is told that nothing changed.

use axum::http::header::{CACHE_CONTROL, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

/// The answer with its tag, or 304 when the request names that tag. The tag is letters, digits and hyphens.
pub fn unless_known(tag: &str, request: &HeaderMap, answer: impl FnOnce() -> Response) -> Response {
    let quoted = format!("\"{tag}\"");
    let mut response =
        if names(request, &quoted) { StatusCode::NOT_MODIFIED.into_response() } else { answer() };
    let headers = response.headers_mut();
    headers.insert(ETAG, HeaderValue::from_str(&quoted).expect("tags are visible ASCII"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

/// Whether the request has this tag in its `If-None-Match`, which is compared weakly (RFC 9110, 13.1.2).
fn names(request: &HeaderMap, quoted: &str) -> bool {
    let lists = request.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let mut tags = lists.flat_map(|list| list.split(',')).map(str::trim);
    tags.any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == quoted)
}
