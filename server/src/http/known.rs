//! Answers with a tag: who names it when asking again is told that nothing changed, and who names it when changing
//! something is refused when something did (RFC 9110, 13).

use std::hash::{DefaultHasher, Hash, Hasher};

use axum::http::header::{CACHE_CONTROL, ETAG, HeaderName, IF_MATCH, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use kithdb::base::{Error, InputError, Result, Seq};
use kithdb::host::Expected;

use super::coding::unmarked;

/// The answer with its tag, or 304 when the request names that tag. The tag is letters, digits and hyphens.
///
/// # Errors
/// What `answer` fails with.
pub fn unless_known<E>(
    tag: &str,
    request: &HeaderMap,
    answer: impl FnOnce() -> std::result::Result<Response, E>,
) -> std::result::Result<Response, E> {
    let quoted = format!("\"{tag}\"");
    let mut response = if names(request, tag) { StatusCode::NOT_MODIFIED.into_response() } else { answer()? };
    let headers = response.headers_mut();
    headers.insert(ETAG, HeaderValue::from_str(&quoted).expect("tags are visible ASCII"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    Ok(response)
}

/// The tag of what is always the same until its content is another.
pub fn tag_of(content: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    content.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

/// The answer, which neither a browser nor a proxy may keep.
pub fn not_kept(mut answer: Response) -> Response {
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

/// Whether the request has this tag in its `If-None-Match`, which is compared weakly (RFC 9110, 13.1.2).
fn names(request: &HeaderMap, known: &str) -> bool {
    let mut tags = tags(request, &IF_NONE_MATCH);
    tags.any(|tag| tag == "*" || unmarked(tag.strip_prefix("W/").unwrap_or(tag)) == Some(known))
}

fn tags<'a>(request: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    let lists = request.get_all(name).iter().filter_map(|value| value.to_str().ok());
    lists.flat_map(|list| list.split(',')).map(str::trim)
}

/// The tag of a version of a document. Another collection that gets the same name has other tags.
pub fn version_tag(collection: u64, seq: Seq) -> String {
    format!("{collection:x}-{:x}", seq.0)
}

/// Which version of a document of this collection a change is meant for: by `If-Match`, or `If-None-Match: *` for none.
///
/// # Errors
/// `invalid_request` for other tags in `If-None-Match`: no change depends on a version that is not there.
pub fn expected(request: &HeaderMap, collection: u64) -> Result<Expected> {
    if let Some(tag) = tags(request, &IF_NONE_MATCH).find(|tag| *tag != "*") {
        let expected = "If-None-Match of a change to be *".to_owned();
        return Err(Error::from(InputError::Request { got: kithdb::base::ids::shorten(tag), expected }));
    }
    if request.contains_key(IF_NONE_MATCH) {
        return Ok(Expected::None);
    }
    if !request.contains_key(IF_MATCH) {
        return Ok(Expected::Whatever);
    }
    if tags(request, &IF_MATCH).any(|tag| tag == "*") {
        return Ok(Expected::Some);
    }
    // A weak tag, or one that is none of ours, is that of no version.
    let seq = |tag: &str| {
        let (own, seq) = unmarked(tag)?.split_once('-')?;
        let own = u64::from_str_radix(own, 16).ok()?;
        (own == collection).then(|| u64::from_str_radix(seq, 16).ok().map(Seq))?
    };
    Ok(Expected::OneOf(tags(request, &IF_MATCH).filter_map(seq).collect()))
}
