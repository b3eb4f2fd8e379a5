//! Answers with a tag: who names it when asking again is told that nothing changed, and who names it when changing
//! something is refused when something did (RFC 9110, 13).

use std::hash::{DefaultHasher, Hash, Hasher};

use axum::http::header::{CACHE_CONTROL, ETAG, HeaderName, IF_MATCH, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use kithdb::base::{Error, InputError, Result, Seq};
use kithdb::host::Expected;

use super::coding::{Unchanging, tag_if_packed, unmarked};

/// The answer with its tag, or 304 when the request names that tag, with the tag that it names: by it a cache finds which of
/// its answers is still good. The tag is letters, digits and hyphens.
///
/// # Errors
/// What `answer` fails with.
pub fn unless_known<E>(
    tag: &str,
    request: &HeaderMap,
    answer: impl FnOnce() -> std::result::Result<Response, E>,
) -> std::result::Result<Response, E> {
    let (quoted, mut response) = match named(request, tag) {
        Some(named) => (named, StatusCode::NOT_MODIFIED.into_response()),
        None => (quoted(tag), answer()?),
    };
    let headers = response.headers_mut();
    headers.insert(ETAG, HeaderValue::from_str(&quoted).expect("tags are visible ASCII"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    Ok(response)
}

/// As [`unless_known`], for what is no secret and the same for all who ask; its tag is that of its content.
///
/// # Errors
/// What `answer` fails with.
pub fn unchanging_unless_known<E>(
    tag: &str,
    request: &HeaderMap,
    answer: impl FnOnce() -> std::result::Result<Response, E>,
) -> std::result::Result<Response, E> {
    let mut response = unless_known(tag, request, answer)?;
    response.extensions_mut().insert(Unchanging);
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

fn quoted(tag: &str) -> String {
    format!("\"{tag}\"")
}

/// This tag as the request has it in its `If-None-Match`, which is compared weakly (RFC 9110, 13.1.2): with the mark of the
/// coding that it takes, where that is among several.
fn named(request: &HeaderMap, tag: &str) -> Option<String> {
    let plain = quoted(tag);
    let named = tags(request, &IF_NONE_MATCH).map(|named| match named.strip_prefix("W/").unwrap_or(named) {
        "*" => &*plain,
        named => named,
    });
    let named: Vec<&str> = named.filter(|named| unmarked(named) == Some(tag)).collect();
    let packed = tag_if_packed(tag, request);
    let best = [packed.as_deref(), Some(&*plain), named.first().copied()];
    best.into_iter().flatten().find(|best| named.contains(best)).map(str::to_owned)
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
