//! Content codings (RFC 9110, 8.4): bodies that come packed, and answers that are packed where the client takes them so.
//!
//! A packed body is unpacked piece by piece as it is read, so that the limit of its route and the room for all bodies
//! count what comes out; a few bytes that would become many are refused at the limit, and nothing is allocated by what
//! they announce. Answers are packed at the fastest level, and only text: vectors do not become smaller. What never changes is
//! packed once.

use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_compression::Level;
use async_compression::tokio::bufread::{GzipDecoder, GzipEncoder, ZstdDecoder, ZstdEncoder};
use async_compression::zstd::DParameter;
use axum::body::{Body, Bytes, HttpBody as _, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{
    ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG, HeaderMap, VARY,
};
use axum::http::{Extensions, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use futures_util::stream::{BoxStream, StreamExt as _, TryStreamExt as _, once, try_unfold};
use tokio::io::{AsyncBufRead, AsyncRead};
use tokio::sync::OnceCell;
use tokio_util::io::{ReaderStream, StreamReader};

use super::access::Authorized;
use super::app::App;
use super::limits::Reserved;
use super::pace::{BodyRefused, Unpacked};
use super::problem::Problem;

/// A shorter answer is sent as it is, in bytes.
const PACKED_FROM: u64 = 4 << 10;
/// Bytes that are packed or unpacked before others have their turn.
const PIECE: usize = 64 << 10;
/// Memory that a packed body of zstd may ask for, as a power of two: what RFC 9659 grants.
const ZSTD_WINDOW_LOG_MAX: u32 = 23;
/// So many bytes a packed body may be longer than what comes out of it: what was read ahead, and heads of empty members.
const PACKED_AHEAD_MAX: usize = 1 << 20;
/// So many packed answers are kept.
const KEPT_MAX: usize = 1_024;
/// What is packed.
const TEXT: [&str; 6] = [
    "text/",
    "application/json",
    "application/problem+json",
    "application/wasm",
    "application/javascript",
    "image/svg+xml",
];

/// How bytes are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Coding {
    Gzip,
    Zstd,
}

impl Coding {
    /// Those there are, the one that we like best first.
    const ALL: [Self; 2] = [Self::Zstd, Self::Gzip];

    const fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }

    fn is(self, name: &str) -> bool {
        name.eq_ignore_ascii_case(self.name()) || self == Self::Gzip && name.eq_ignore_ascii_case("x-gzip")
    }

    /// Bytes that unpacking takes beside what comes out.
    const fn window(self) -> usize {
        match self {
            Self::Gzip => 32 << 10,
            Self::Zstd => 1 << ZSTD_WINDOW_LOG_MAX,
        }
    }

    fn packing(
        self,
        level: Level,
        plain: impl AsyncBufRead + Send + 'static,
    ) -> Box<dyn AsyncRead + Send + Unpin> {
        match self {
            Self::Gzip => Box::new(Box::pin(GzipEncoder::with_quality(plain, level))),
            Self::Zstd => Box::new(Box::pin(ZstdEncoder::with_quality(plain, level))),
        }
    }

    fn unpacking(self, packed: impl AsyncBufRead + Send + 'static) -> Box<dyn AsyncRead + Send + Unpin> {
        match self {
            Self::Gzip => {
                let mut decoder = GzipDecoder::new(packed);
                decoder.multiple_members(true);
                Box::new(Box::pin(decoder))
            }
            Self::Zstd => {
                let bounds = [DParameter::window_log_max(ZSTD_WINDOW_LOG_MAX)];
                let mut decoder = ZstdDecoder::with_params(packed, &bounds);
                decoder.multiple_members(true);
                Box::new(Box::pin(decoder))
            }
        }
    }
}

/// Unpacks the body of a request, and packs the answer where that makes it shorter and is accepted.
pub async fn coded(State(app): State<App>, request: Request, next: Next) -> Response {
    let coding = if request.method() == Method::HEAD { None } else { accepted(request.headers()) };
    let mut response = next.run(unpacked(request)).await;
    let can_be_packed = can_be_packed(&response);
    // That nothing has changed is said of what may have been packed when it was answered.
    if can_be_packed || response.status() == StatusCode::NOT_MODIFIED {
        response.headers_mut().append(VARY, HeaderValue::from_static("accept-encoding"));
    }
    let Some(coding) = coding.filter(|_| can_be_packed) else { return response };
    if response.extensions().get::<Unchanging>().is_some() {
        return app.packed_once().answer(response, coding).await;
    }
    // Packing takes memory for as long as a client takes to read; beyond that an answer is sent as it is.
    let Some(place) = app.room().packing() else { return response };
    let (mut parts, body) = response.into_parts();
    mark(&mut parts.headers, coding);
    let bytes = body.size_hint().exact().unwrap_or_default() as usize;
    let unpacked = Unpacked { bytes, packed: Arc::default() };
    let pieces = packed(body, coding, Level::Fastest, Arc::clone(&unpacked.packed));
    parts.extensions.insert(unpacked);
    let until_sent = pieces.inspect(move |_| _ = &place);
    Response::from_parts(parts, Body::from_stream(until_sent))
}

/// A body packed piece by piece, while `done` counts what was packed. Text that says the same again and again becomes next
/// to nothing: what goes in is cut, and others have their turn before each piece, and after each that comes out.
fn packed(
    body: Body,
    coding: Coding,
    level: Level,
    done: Arc<AtomicUsize>,
) -> BoxStream<'static, io::Result<Bytes>> {
    let cut = try_unfold((body.into_data_stream(), Bytes::new()), async |(mut body, mut rest)| {
        tokio::task::yield_now().await;
        while rest.is_empty() {
            let Some(piece) = body.next().await else { return Ok(None) };
            rest = piece.map_err(io::Error::other)?;
        }
        let piece = rest.split_to(rest.len().min(PIECE));
        Ok::<_, io::Error>(Some((piece, (body, rest))))
    });
    let counted = cut.inspect_ok(move |piece: &Bytes| {
        done.fetch_add(piece.len(), Ordering::Relaxed);
    });
    let pieces = ReaderStream::with_capacity(coding.packing(level, StreamReader::new(counted)), PIECE);
    let in_turn = pieces.then(|piece| async {
        tokio::task::yield_now().await;
        piece
    });
    in_turn.boxed()
}

/// In the extensions of an answer that is the same for all who ask, until its tag is another.
#[derive(Debug, Clone, Copy)]
pub struct Unchanging;

/// An answer by its tag, and how it is packed.
type Which = (HeaderValue, Coding);

/// Answers that are packed once: they take no place, whoever asks for them and however often.
#[derive(Default)]
pub struct PackedOnce(Mutex<HashMap<Which, Arc<OnceCell<Bytes>>>>);

impl PackedOnce {
    async fn answer(&self, response: Response, coding: Coding) -> Response {
        let (mut parts, body) = response.into_parts();
        let Some(tag) = parts.headers.get(ETAG).cloned() else { return Response::from_parts(parts, body) };
        let cell = self.cell((tag, coding));
        let pack = async || {
            // Once for all: it may take its time.
            let pieces = packed(body, coding, Level::Default, Arc::default());
            to_bytes(Body::from_stream(pieces), usize::MAX).await
        };
        // Whoever asks meanwhile waits for it.
        let Ok(bytes) = cell.get_or_try_init(pack).await.cloned() else {
            return Problem::internal().into_response();
        };
        mark(&mut parts.headers, coding);
        Response::from_parts(parts, Body::from(bytes))
    }

    fn cell(&self, of: Which) -> Arc<OnceCell<Bytes>> {
        let mut cells = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if cells.len() >= KEPT_MAX && !cells.contains_key(&of) {
            // Only where files are edited while they are served.
            cells.clear();
        }
        Arc::clone(cells.entry(of).or_default())
    }
}

/// Says that an answer is packed, with another tag for other bytes, as strong tags want. `known` takes both for the same.
fn mark(headers: &mut HeaderMap, coding: Coding) {
    headers.remove(CONTENT_LENGTH);
    headers.insert(CONTENT_ENCODING, HeaderValue::from_static(coding.name()));
    let Some(tag) = headers.get(ETAG).and_then(|tag| unmarked(tag.to_str().ok()?)) else { return };
    if let Ok(marked) = HeaderValue::from_str(&marked(tag, coding)) {
        headers.insert(ETAG, marked);
    }
}

fn marked(tag: &str, coding: Coding) -> String {
    format!("\"{tag}-{}\"", coding.name())
}

/// The tag that this one becomes in an answer that is packed as the request likes best.
pub fn tag_if_packed(tag: &str, request: &HeaderMap) -> Option<String> {
    accepted(request).map(|coding| marked(tag, coding))
}

/// A tag without its quotes, and without the coding of the answer that it stood in.
pub fn unmarked(tag: &str) -> Option<&str> {
    let tag = tag.strip_prefix('"')?.strip_suffix('"')?;
    let of = |coding: Coding| tag.strip_suffix(coding.name())?.strip_suffix('-');
    Some(Coding::ALL.into_iter().find_map(of).unwrap_or(tag))
}

fn can_be_packed(response: &Response) -> bool {
    let kind = response.headers().get(CONTENT_TYPE).map_or("", |kind| kind.to_str().unwrap_or_default());
    // The length of a stream is not known, and it must not wait for more to come. That of an answer to HEAD is only told.
    let told = response.headers().get(CONTENT_LENGTH).and_then(|bytes| bytes.to_str().ok()?.parse().ok());
    let is_long = told.or(response.body().size_hint().exact()).is_some_and(|bytes| bytes >= PACKED_FROM);
    // Else whoever reaches the port takes the places of others.
    let may_be = |of: &Extensions| of.get::<Authorized>().is_some() || of.get::<Unchanging>().is_some();
    is_long
        && may_be(response.extensions())
        && !response.headers().contains_key(CONTENT_ENCODING)
        && TEXT.iter().any(|text| kind.starts_with(text))
}

/// The coding that a request likes best; `None` for none of ours.
fn accepted(headers: &HeaderMap) -> Option<Coding> {
    let lists = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let mut weights = [None; Coding::ALL.len()];
    let mut of_others = 0.0;
    for told in lists.flat_map(|list| list.split(',')) {
        let (name, weight) = told.split_once(';').map_or((told, 1.0), |(name, rest)| (name, weight_of(rest)));
        let name = name.trim();
        if name == "*" {
            of_others = weight;
        }
        let of_ours = Coding::ALL.iter().zip(&mut weights).find(|(coding, _)| coding.is(name));
        of_ours.into_iter().for_each(|(_, known)| *known = Some(weight));
    }
    let weighed = Coding::ALL.into_iter().zip(weights.map(|known| known.unwrap_or(of_others)));
    // The first of equals.
    let best = weighed.rev().max_by(|(_, one), (_, other)| one.total_cmp(other));
    best.filter(|(_, weight)| *weight > 0.0).map(|(coding, _)| coding)
}

/// What stands behind the semicolon; what cannot be read is no wish.
fn weight_of(parameter: &str) -> f32 {
    let text = parameter.trim().trim_start_matches(['q', 'Q']).trim_start().strip_prefix('=');
    text.and_then(|text| text.trim().parse().ok())
        .filter(|weight| (0.0..=1.0).contains(weight))
        .unwrap_or(0.0)
}

/// The request with its body as handlers read it. How it was packed is found wrong only where it is read: who may not
/// ask is told that first.
fn unpacked(request: Request) -> Request {
    let (mut parts, body) = request.into_parts();
    let told: Vec<_> = parts.headers.get_all(CONTENT_ENCODING).iter().collect();
    let named = match *told {
        [] => return Request::from_parts(parts, body),
        [one] => one.to_str().unwrap_or_default().trim().to_owned(),
        _ => "several codings".to_owned(),
    };
    if named.eq_ignore_ascii_case("identity") {
        return Request::from_parts(parts, body);
    }
    parts.headers.remove(CONTENT_ENCODING);
    parts.headers.remove(CONTENT_LENGTH);
    let body = match Coding::ALL.into_iter().find(|coding| coding.is(&named)) {
        Some(coding) => unpack(body, coding, parts.extensions.get::<Reserved>().cloned()),
        None => Body::from_stream(once(async { Err::<Bytes, _>(BodyRefused::Coding(named)) })),
    };
    Request::from_parts(parts, body)
}

/// Room that is given back when this is dropped.
struct Lent {
    reserved: Option<Reserved>,
    bytes: usize,
}

impl Lent {
    const fn of(reserved: Option<Reserved>) -> Self {
        Self { reserved, bytes: 0 }
    }

    /// Gives back what there is, and has so many bytes to give back that were taken.
    fn turn(&mut self, bytes: usize) {
        let before = std::mem::replace(&mut self.bytes, bytes);
        self.reserved.iter().for_each(|reserved| reserved.give(before));
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        self.turn(0);
    }
}

/// A body that is being unpacked.
struct Unpacking {
    pieces: ReaderStream<Box<dyn AsyncRead + Send + Unpin>>,
    /// Bytes that came out of it.
    out: Arc<AtomicUsize>,
    /// Those are held for as long as the request is.
    reserved: Option<Reserved>,
    /// What unpacking takes beside them.
    window: Lent,
    /// How much that will be.
    window_bytes: usize,
}

impl Unpacking {
    fn reserve(&self, bytes: usize) -> Result<(), BodyRefused> {
        let has_room = self.reserved.as_ref().is_none_or(|reserved| reserved.take(bytes));
        if has_room { Ok(()) } else { Err(BodyRefused::NoRoom) }
    }
}

fn unpack(body: Body, coding: Coding, reserved: Option<Reserved>) -> Body {
    let out = Arc::new(AtomicUsize::new(0));
    let (counted, mut came) = (Arc::clone(&out), 0);
    // A piece is asked for when the one before it has been unpacked.
    let mut ahead = Lent::of(reserved.clone());
    let packed = body.into_data_stream().map_err(io::Error::other).and_then(move |piece| {
        ahead.turn(piece.len());
        came += piece.len();
        // Else a body of empty members would go on for ever.
        let goes_on = came <= counted.load(Ordering::Relaxed) + PACKED_AHEAD_MAX;
        std::future::ready(if goes_on { Ok(piece) } else { Err(io::ErrorKind::InvalidData.into()) })
    });
    let pieces = ReaderStream::with_capacity(coding.unpacking(StreamReader::new(packed)), PIECE);
    let (window, window_bytes) = (Lent::of(reserved.clone()), coding.window());
    let unpacking = Unpacking { pieces, out, reserved, window, window_bytes };
    Body::from_stream(try_unfold(unpacking, async |mut unpacking| {
        tokio::task::yield_now().await;
        if unpacking.window.bytes == 0 {
            unpacking.reserve(unpacking.window_bytes)?;
            unpacking.window.turn(unpacking.window_bytes);
        }
        let Some(piece) = unpacking.pieces.next().await else { return Ok(None) };
        let piece = piece.map_err(told)?;
        unpacking.out.fetch_add(piece.len(), Ordering::Relaxed);
        unpacking.reserve(piece.len())?;
        Ok::<_, axum::BoxError>(Some((piece, unpacking)))
    }))
}

/// What the body under it failed with; or that it is not packed as it says.
fn told(error: io::Error) -> axum::BoxError {
    if error.get_ref().is_some_and(|cause| cause.is::<axum::Error>()) {
        error.into()
    } else {
        BodyRefused::NotPacked.into()
    }
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::task::Context;

    use futures_util::stream::{Stream as _, poll_fn};

    use super::*;

    /// Eight MiB that become a few KiB: others have their turn after each 64 KiB of them.
    #[tokio::test]
    async fn packing_lets_others_have_their_turn() {
        const LEN: usize = 8 << 20;
        for coding in Coding::ALL {
            let done = Arc::new(AtomicUsize::new(0));
            let mut pieces = packed(Body::from(vec![b'a'; LEN]), coding, Level::Fastest, Arc::clone(&done));
            let (mut turns, mut out) = (0, 0);
            let poll = |context: &mut Context<'_>| {
                let before = done.load(Ordering::Relaxed);
                let polled = Pin::new(&mut pieces).poll_next(context);
                assert!(done.load(Ordering::Relaxed) <= before + PIECE);
                turns += usize::from(polled.is_pending());
                polled
            };
            let mut each = poll_fn(poll);
            while let Some(piece) = each.next().await {
                out += piece.expect("it is packed").len();
            }
            drop(each);
            assert!(turns >= LEN / PIECE, "{turns}");
            assert!(out < LEN / 100, "{out}");
        }
    }

    #[test]
    fn the_coding_that_is_liked_best_is_taken() {
        let of = |told: &'static str| {
            let headers = HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static(told))]);
            accepted(&headers).map(Coding::name)
        };
        for (told, taken) in [
            ("gzip, deflate", Some("gzip")),
            ("gzip, deflate, br, zstd", Some("zstd")),
            ("GZIP;q=1.0, zstd;q=0.5", Some("gzip")),
            ("x-gzip", Some("gzip")),
            ("*", Some("zstd")),
            ("*;q=0.1, zstd;q=0", Some("gzip")),
            ("identity", None),
            ("gzip;q=0", None),
            ("gzip;q=2, zstd;q=nan", None),
            ("identity;q=0, *;q=0", None),
            ("br, deflate", None),
            ("", None),
        ] {
            assert_eq!(of(told), taken, "{told}");
        }
        assert_eq!(accepted(&HeaderMap::new()), None);
    }
}
