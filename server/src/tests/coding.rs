//! Packed bodies and answers.

use async_compression::tokio::bufread::{GzipDecoder, GzipEncoder, ZstdDecoder, ZstdEncoder};
use axum::body::{Body, HttpBody as _};
use axum::http::{Request, header};
use axum::response::Response;
use futures_util::TryStreamExt as _;
use tokio::io::AsyncRead;
use tokio_util::io::ReaderStream;

use super::{Answer, HOST, Server};
use crate::http::BODY_BYTES_MAX;

pub async fn packed(coding: &str, plain: &[u8]) -> Vec<u8> {
    if coding == "gzip" { read(GzipEncoder::new(plain)).await } else { read(ZstdEncoder::new(plain)).await }
}

async fn unpacked(coding: &str, bytes: &[u8]) -> Vec<u8> {
    if coding == "gzip" { read(GzipDecoder::new(bytes)).await } else { read(ZstdDecoder::new(bytes)).await }
}

async fn read(from: impl AsyncRead) -> Vec<u8> {
    let pieces = ReaderStream::new(from);
    let all = pieces.try_fold(vec![], async |mut all, piece| {
        all.extend_from_slice(&piece);
        Ok(all)
    });
    all.await.expect("sound bytes")
}

/// What is asked without the check of the answer's form, which reads no packed one.
async fn ask(server: &Server, method: &str, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Answer {
    let mut request = Request::builder().method(method).uri(path).header(header::HOST, HOST);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    server.send_unchecked(request.body(Body::from(body)).expect("a request")).await
}

async fn send(server: &Server, path: &str, coding: &str, body: Vec<u8>) -> Answer {
    let headers = [("content-type", "application/json"), ("content-encoding", coding)];
    ask(server, "POST", path, &headers, body).await
}

#[tokio::test]
async fn a_long_answer_is_packed_for_who_takes_it() {
    let server = Server::new();
    let plain = server.get("/openapi.json").await;
    assert_eq!(plain.header(header::VARY), "accept-encoding");
    assert!(!plain.headers.contains_key(header::CONTENT_ENCODING));
    for coding in ["gzip", "zstd"] {
        let accepted = [("accept-encoding", coding)];
        let answer = ask(&server, "GET", "/openapi.json", &accepted, vec![]).await;
        assert_eq!(answer.header(header::CONTENT_ENCODING), coding);
        assert_eq!(answer.header(header::VARY), "accept-encoding");
        // It was packed before it is sent.
        assert_eq!(answer.header(header::CONTENT_LENGTH), answer.body.len().to_string());
        assert!(answer.body.len() * 4 < plain.body.len(), "{} of {}", answer.body.len(), plain.body.len());
        assert!(unpacked(coding, &answer.body).await == plain.body);
        // Other bytes have another tag, which is taken for the same when it comes back.
        let tag = answer.header(header::ETAG).to_owned();
        assert_ne!(tag, plain.header(header::ETAG));
        let unchanged = server.get_unless("/openapi.json", &tag).await;
        assert_eq!((unchanged.status.as_u16(), unchanged.header(header::ETAG)), (304, &*tag));
        assert_eq!(unchanged.header(header::VARY), "accept-encoding");
        let head = ask(&server, "HEAD", "/openapi.json", &accepted, vec![]).await;
        assert!(!head.headers.contains_key(header::CONTENT_ENCODING));
        assert_eq!(head.header(header::VARY), "accept-encoding");
        let short = ask(&server, "GET", "/healthz", &accepted, vec![]).await;
        assert_eq!(short.body, br#"{"status":"ok"}"#);
        let stream = ask(&server, "GET", "/v1/events", &accepted, vec![]).await;
        assert_eq!(stream.status, 200);
        assert!(!stream.headers.contains_key(header::CONTENT_ENCODING));
    }
}

/// A cache that has both answers is told which of them the request would get, and one that has another which it has.
#[tokio::test]
async fn nothing_changed_is_said_of_the_answer_that_is_known() {
    let server = Server::new();
    let plain = server.get("/openapi.json").await.header(header::ETAG).to_owned();
    let of = |coding: &str| plain.replace("\"", "") + "-" + coding;
    let (gzip, zstd) = (format!("\"{}\"", of("gzip")), format!("\"{}\"", of("zstd")));
    for (accepted, known, told) in [
        ("gzip", format!("{plain}, {gzip}"), &gzip),
        ("gzip", format!("{gzip}, {plain}, {zstd}"), &gzip),
        ("zstd, gzip", format!("{plain}, W/{zstd}"), &zstd),
        ("identity", format!("{gzip}, {plain}"), &plain),
        ("identity", format!("\"other\", {zstd}, {gzip}"), &zstd),
        ("gzip", plain.clone(), &plain),
        ("gzip", "*".to_owned(), &plain),
    ] {
        let headers = [("accept-encoding", accepted), ("if-none-match", &*known)];
        for method in ["GET", "HEAD"] {
            let answer = ask(&server, method, "/openapi.json", &headers, vec![]).await;
            assert_eq!((answer.status.as_u16(), answer.header(header::ETAG)), (304, &**told), "{known}");
            assert_eq!(answer.header(header::VARY), "accept-encoding");
        }
    }
}

#[tokio::test]
async fn the_tag_of_a_packed_document_is_good_for_a_change() {
    let server = Server::with_collection().await;
    let document = format!(r#"{{"metadata": {{"text": "{}"}}}}"#, "a ".repeat(4_000));
    let path = "/v1/collections/c/documents/a";
    assert_eq!(server.ask("PUT", path, &document).await.status, 200);
    let answer = ask(&server, "GET", path, &[("accept-encoding", "gzip")], vec![]).await;
    let tag = answer.header(header::ETAG).to_owned();
    assert!(tag.ends_with("-gzip\""), "{tag}");
    let change = [("content-type", "application/json"), ("if-match", &*tag)];
    assert_eq!(ask(&server, "PUT", path, &change, document.clone().into()).await.status, 200);
    assert_eq!(ask(&server, "PUT", path, &change, document.into()).await.status, 412);
}

#[tokio::test]
async fn a_packed_body_is_read_as_what_it_holds() {
    let server = Server::new();
    for (i, coding) in ["gzip", "zstd", "GZIP", "identity"].into_iter().enumerate() {
        let body = format!(r#"{{"name": "c{i}", "dim": 3}}"#).into_bytes();
        let body = if coding == "identity" { body } else { packed(&coding.to_lowercase(), &body).await };
        assert_eq!(send(&server, "/v1/collections", coding, body).await.status, 201, "{coding}");
    }
    // KektorDB's actions are asked which collection they are about before a handler reads them.
    let body = packed("gzip", br#"{"index_name": "c0", "id": "a", "vector": [1, 2, 3]}"#).await;
    assert_eq!(send(&server, "/vector/actions/add", "gzip", body).await.status, 200);
    assert_eq!(server.get("/v1/collections/c0/documents/a").await.status, 200);
}

#[tokio::test]
async fn a_body_that_is_not_packed_as_it_says_is_refused() {
    let server = Server::new();
    let plain = br#"{"name": "c", "dim": 3}"#;
    let whole = packed("gzip", plain).await;
    let mut garbled = whole.clone();
    let last = garbled.len() - 5;
    garbled[last] ^= 1;
    let followed = [&*whole, b"more"].concat();
    for (coding, body, told) in [
        ("gzip", plain.to_vec(), (400, "invalid_request")),
        ("zstd", plain.to_vec(), (400, "invalid_request")),
        ("zstd", whole.clone(), (400, "invalid_request")),
        ("gzip", whole[..whole.len() - 1].to_vec(), (400, "invalid_request")),
        ("gzip", garbled, (400, "invalid_request")),
        ("gzip", followed, (400, "invalid_request")),
        ("br", plain.to_vec(), (415, "unsupported_media_type")),
        ("gzip, gzip", whole, (415, "unsupported_media_type")),
    ] {
        let refused = send(&server, "/v1/collections", coding, body).await;
        assert_eq!(refused.problem(), (told.0, told.1.to_owned()), "{coding}");
    }
    assert_eq!(server.get("/v1/collections/c").await.status, 404);
}

/// A thousandth of what it becomes: the limit is that of what comes out.
#[tokio::test]
async fn a_bomb_is_refused_at_the_limit_of_its_route() {
    let server = Server::new();
    let bomb = vec![b' '; 2 * BODY_BYTES_MAX];
    for coding in ["gzip", "zstd"] {
        let packed = packed(coding, &bomb).await;
        assert!(packed.len() < 4_096);
        let refused = send(&server, "/v1/collections", coding, packed).await;
        assert_eq!(refused.problem(), (413, "too_large".into()), "{coding}");
    }
    // Members that hold nothing, one behind the other: much that comes in, and nothing that comes out.
    let empty = packed("gzip", b"").await.repeat(100_000);
    let refused = send(&server, "/v1/collections", "gzip", empty).await;
    assert_eq!(refused.problem(), (400, "invalid_request".into()));
}

/// Ten bytes of zstd can ask for any memory. 8 MiB are given, whatever comes after.
#[tokio::test]
async fn a_body_cannot_ask_for_more_memory_than_there_is_for_one() {
    let server = Server::new();
    for (window_log, status) in [(23, 201), (24, 400), (27, 400), (41, 400)] {
        let body = format!(r#"{{"name": "of-{window_log}", "dim": 3}}"#);
        let block = (body.len() as u32) << 3 | 1;
        let mut frame = vec![0x28, 0xB5, 0x2F, 0xFD, 0, (window_log - 10) << 3];
        frame.extend_from_slice(&block.to_le_bytes()[..3]);
        frame.extend_from_slice(body.as_bytes());
        assert_eq!(send(&server, "/v1/collections", "zstd", frame).await.status, status, "{window_log}");
    }
}

/// All places to pack answers are taken by answers that are not sent yet: the page's files take none, however many ask.
#[tokio::test]
async fn what_everybody_may_fetch_is_packed_once() {
    let server = Server::with_collection().await;
    let document = format!(r#"{{"metadata": {{"text": "{}"}}}}"#, "a ".repeat(4_000));
    let path = "/v1/collections/c/documents/a";
    assert_eq!(server.ask("PUT", path, &document).await.status, 200);
    let unsent = async |path: &str| {
        let request = Request::get(path).header(header::HOST, HOST).header(header::ACCEPT_ENCODING, "gzip");
        let request = request.body(Body::empty()).expect("a request");
        tower::ServiceExt::oneshot(server.0.clone(), request).await.expect("a router never fails")
    };
    let is_packed = |answer: &Response| answer.headers().contains_key(header::CONTENT_ENCODING);
    let mut held = vec![];
    for _ in 0..200 {
        held.push(unsent("/openapi.json").await);
        assert!(is_packed(&held[held.len() - 1]));
    }
    for _ in 0..128 {
        held.push(unsent(path).await);
        assert!(is_packed(&held[held.len() - 1]), "{}", held.len());
    }
    assert!(!is_packed(&unsent(path).await));
    let document = unsent("/openapi.json").await;
    assert!(is_packed(&document));
    // Its length is known, as it is packed already.
    assert!(document.body().size_hint().exact().is_some());
}
