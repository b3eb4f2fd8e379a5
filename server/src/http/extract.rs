//! How handlers take a request apart. What cannot be read is a [`Problem`], and no body is read past its limit.

use std::convert::Infallible;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use http_body_util::BodyExt;
use kithdb::base::{Error, InputError};
use kithdb::wire::{PACKED_TYPE, Packed};
use serde::de::DeserializeOwned;

use super::limits::overloaded;
use super::pace::BodyRefused;
use super::problem::Problem;
use super::spare;

/// So many bytes of what a body announces are reserved before they come.
const ANNOUNCED_MAX: usize = 1 << 20;

/// A JSON body of up to `LIMIT` bytes, not parsed yet.
pub struct JsonBody<const LIMIT: usize>(pub Bytes);

/// A body of up to `LIMIT` bytes that is JSON, or JSON with the vectors beside it.
pub struct PackedBody<const LIMIT: usize> {
    bytes: Bytes,
    is_packed: bool,
}

impl<const LIMIT: usize> PackedBody<LIMIT> {
    /// What it holds; a body of JSON has no vectors beside it.
    ///
    /// # Errors
    /// As [`Packed::parse`].
    pub fn parts(&self) -> kithdb::base::Result<(&[u8], Option<Packed<'_>>)> {
        let (json, packed) = if self.is_packed {
            let packed = Packed::parse(&self.bytes)?;
            (packed.json, Some(packed))
        } else {
            (&*self.bytes, None)
        };
        check_object(json).map(|()| (json, packed))
    }
}

/// How documents are answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// As JSON.
    Json,
    /// Packed, because the request accepts one.
    Packed,
}

/// A file of up to `LIMIT` bytes.
pub struct FileBody<const LIMIT: usize>(pub Bytes);

/// A body of up to `LIMIT` bytes of any type, or why it could not be read: for handlers that look at other things first.
pub struct AnyBody<const LIMIT: usize>(pub Result<Bytes, Problem>);

/// No body is expected. One that comes is read and ignored: clients send an empty chunked one, and a connection with
/// an unread body cannot be used again.
pub struct NoBody;

/// Variables of the path, percent-decoded.
pub struct PathOf<T>(pub T);

/// What follows the question mark.
pub struct QueryOf<T>(pub T);

impl<S: Sync, const LIMIT: usize> FromRequest<S> for JsonBody<LIMIT> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        check_type(&parts, "application/json")?;
        let bytes = read(body, LIMIT).await?;
        check_object(&bytes)?;
        Ok(Self(bytes))
    }
}

impl<S: Sync, const LIMIT: usize> FromRequest<S> for FileBody<LIMIT> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        check_type(&parts, "application/octet-stream")?;
        read(body, LIMIT).await.map(Self)
    }
}

impl<S: Sync, const LIMIT: usize> FromRequest<S> for PackedBody<LIMIT> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let is_packed = essence(&parts).eq_ignore_ascii_case(PACKED_TYPE);
        if !is_packed {
            check_type(&parts, "application/json")?;
        }
        Ok(Self { bytes: read(body, LIMIT).await?, is_packed })
    }
}

impl<S: Sync> FromRequestParts<S> for Form {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let lists = parts.headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
        let mut types = lists.flat_map(|list| list.split(',')).map(str::trim);
        Ok(if types.any(|accepted| accepted.eq_ignore_ascii_case(PACKED_TYPE)) {
            Self::Packed
        } else {
            Self::Json
        })
    }
}

impl<S: Sync, const LIMIT: usize> FromRequest<S> for AnyBody<LIMIT> {
    type Rejection = Infallible;

    async fn from_request(request: Request, _: &S) -> Result<Self, Infallible> {
        Ok(Self(read(request.into_body(), LIMIT).await))
    }
}

impl<S: Sync> FromRequest<S> for NoBody {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        read(request.into_body(), 64 << 10).await.map(|_| Self)
    }
}

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for PathOf<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let read: Result<Path<T>, PathRejection> = Path::from_request_parts(parts, state).await;
        read.map(|Path(path)| Self(path)).map_err(|e| invalid(&e.body_text()))
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for QueryOf<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let read: Result<Query<T>, QueryRejection> = Query::from_request_parts(parts, state).await;
        read.map(|Query(query)| Self(query)).map_err(|e| invalid(&e.body_text()))
    }
}

/// Refuses a list, which would be read as the fields of a body in their order.
fn check_object(json: &[u8]) -> kithdb::base::Result<()> {
    if json.trim_ascii_start().starts_with(b"[") {
        let got = kithdb::base::ids::shorten(&String::from_utf8_lossy(json));
        return Err(InputError::Request { got, expected: "an object, not a list".to_owned() }.into());
    }
    Ok(())
}

/// Refuses what cannot be read.
pub fn invalid(message: &str) -> Problem {
    Problem::http(StatusCode::BAD_REQUEST, "invalid_request", format!("invalid request: {message}"))
}

fn content_type(parts: &Parts) -> &str {
    parts.headers.get(header::CONTENT_TYPE).map_or("", |value| value.to_str().unwrap_or_default())
}

/// The content type without its parameters.
fn essence(parts: &Parts) -> &str {
    content_type(parts).split(';').next().unwrap_or_default().trim()
}

/// Refuses other types. A form that another site posts cannot have this one.
fn check_type(parts: &Parts, expected: &'static str) -> Result<(), Problem> {
    if essence(parts).eq_ignore_ascii_case(expected) {
        return Ok(());
    }
    let message = format!("send the body as content-type {expected}");
    let got = content_type(parts);
    let problem = Problem::http(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", message);
    Err(problem.facts(expected, if got.is_empty() { "none" } else { got }))
}

fn too_slow() -> Problem {
    let message = "the body came too slowly";
    Problem::http(StatusCode::REQUEST_TIMEOUT, "too_slow", message)
}

fn unknown_coding(got: &str) -> Problem {
    let message = "send the body as it is, or packed as gzip or zstd";
    let problem = Problem::http(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", message);
    problem.facts("content-encoding gzip or zstd, or none", kithdb::base::ids::shorten(got))
}

/// All of a body.
///
/// # Errors
/// 413 past the limit, 400 when it ends early or is not packed as it says, 415 when it is packed in an unknown way.
pub async fn read(body: Body, limit: usize) -> Result<Bytes, Problem> {
    let announced = body.size_hint().lower();
    if announced > limit as u64 {
        return Err(too_large(announced, limit));
    }
    let mut pieces = Pieces { body, limit, count: 0 };
    // Most bodies are one piece, which is taken as it is.
    let Some(first) = pieces.next().await? else { return Ok(Bytes::new()) };
    if pieces.body.is_end_stream() {
        return Ok(first);
    }
    // Each piece is let go of before the next is read: the connection reads into the same memory again and again, which
    // is quicker than keeping them all and copying them at the end.
    let mut whole = spare::BODIES.buffer(first.len().max((announced as usize).min(ANNOUNCED_MAX)));
    whole.extend(&first);
    drop(first);
    while let Some(piece) = pieces.next().await? {
        whole.extend(&piece);
    }
    Ok(whole.into_bytes())
}

/// A body that is read.
struct Pieces {
    body: Body,
    limit: usize,
    count: usize,
}

impl Pieces {
    async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
        while let Some(frame) = self.body.frame().await {
            // What is no data comes behind it, and means nothing here.
            let Ok(piece) = frame.map_err(|e| refused(&e))?.into_data() else { continue };
            self.count += piece.len();
            if self.count > self.limit {
                return Err(too_large(self.count as u64, self.limit));
            }
            if !piece.is_empty() {
                return Ok(Some(piece));
            }
        }
        Ok(None)
    }
}

fn too_large(got: u64, limit: usize) -> Problem {
    let error = InputError::TooLarge { what: "the body of a request", got, limit: limit as u64 };
    Problem::from(Error::from(error))
}

/// Why a body could not be read.
fn refused(error: &axum::Error) -> Problem {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        match error.downcast_ref::<BodyRefused>() {
            Some(BodyRefused::NoRoom) => return overloaded("bytes of bodies"),
            Some(BodyRefused::TooSlow) => return too_slow(),
            Some(BodyRefused::Coding(got)) => return unknown_coding(got),
            Some(BodyRefused::NotPacked) => return invalid("the body is not what its content-encoding says"),
            None => cause = error.source(),
        }
    }
    invalid("the body ended early")
}
