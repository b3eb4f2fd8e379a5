//! The embedder's files, so that a tab can embed by itself. Their names are fixed and their directory is the one that
//! the server was started with: nothing of a request becomes part of a path, and no path is part of an answer.

use std::collections::BTreeMap;
use std::io::{Error as IoError, ErrorKind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::UNIX_EPOCH;

use axum::Json;
use axum::body::{Body as Answer, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use hyper::body::{Body, Frame, SizeHint};
use kithdb::base::{Error, StorageError};
use kithdb::embed::Embedder;
use serde::Serialize;
use tokio::fs::File;
use tokio::io::{AsyncRead, ReadBuf};

use crate::http::{App, Problem, unless_known};

const MODEL: &str = "model.safetensors";
const TOKENIZER: &str = "tokenizer.json";

/// How much of a file is read at once, in bytes.
const PIECE: u64 = 256 << 10;

#[derive(Serialize)]
struct EmbedderAnswer {
    name: String,
    dim: usize,
    /// Tells two embedders of one name apart.
    hash: String,
    files: BTreeMap<&'static str, FileAnswer>,
}

#[derive(Serialize)]
struct FileAnswer {
    bytes: u64,
}

pub async fn info(State(app): State<App>) -> Result<Response, Problem> {
    let embedder = embedder_of(&app)?;
    let mut files = BTreeMap::new();
    for name in [MODEL, TOKENIZER] {
        let (_, bytes, _) = open(&app, name).await?;
        files.insert(name, FileAnswer { bytes });
    }
    let hash = format!("{:016x}", embedder.hash());
    let name = embedder.name().to_owned();
    Ok(Json(EmbedderAnswer { name, dim: embedder.dim(), hash, files }).into_response())
}

pub async fn model(State(app): State<App>, headers: HeaderMap) -> Result<Response, Problem> {
    send(&app, MODEL, "application/octet-stream", &headers).await
}

pub async fn tokenizer(State(app): State<App>, headers: HeaderMap) -> Result<Response, Problem> {
    send(&app, TOKENIZER, "application/json", &headers).await
}

async fn send(
    app: &App,
    name: &'static str,
    content_type: &'static str,
    request: &HeaderMap,
) -> Result<Response, Problem> {
    let hash = embedder_of(app)?.hash();
    let (file, bytes, changed) = open(app, name).await?;
    let content_type = [(header::CONTENT_TYPE, HeaderValue::from_static(content_type))];
    let body = || Answer::new(Pieces { file, left: bytes, piece: vec![] });
    let tag = format!("{hash:016x}-{bytes:x}-{changed:x}");
    unless_known(&tag, request, || Ok((content_type, body()).into_response()))
}

fn embedder_of(app: &App) -> Result<&Arc<Embedder>, Problem> {
    let missing = || {
        let message = "the server was started without an embedder";
        Problem::http(StatusCode::NOT_FOUND, "no_embedder", message).hint("start it with --embedder DIR")
    };
    app.db().options().embedder.as_ref().filter(|_| app.embedder_directory().is_some()).ok_or_else(missing)
}

/// One of the two files, its length, and when it was last written (ns since 1970 UTC).
async fn open(app: &App, name: &'static str) -> Result<(File, u64, u128), Problem> {
    let failed = |error: IoError| {
        let object = format!("the embedder's {name}");
        Problem::from(Error::from(StorageError::Io { action: "open", object, cause: error.to_string() }))
    };
    let directory = app.embedder_directory().ok_or_else(Problem::internal)?;
    let file = File::open(directory.join(name)).await.map_err(failed)?;
    let metadata = file.metadata().await.map_err(failed)?;
    let changed = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    Ok((file, metadata.len(), changed.map_or(0, |age| age.as_nanos())))
}

/// A file as a body that is read while it is sent.
struct Pieces {
    file: File,
    left: u64,
    piece: Vec<u8>,
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = IoError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, IoError>>> {
        let Self { file, left, piece } = &mut *self;
        if *left == 0 {
            return Poll::Ready(None);
        }
        piece.resize((*left).min(PIECE) as usize, 0);
        let mut buffer = ReadBuf::new(piece);
        if let Err(error) = ready!(Pin::new(file).poll_read(context, &mut buffer)) {
            return Poll::Ready(Some(Err(error)));
        }
        let read = buffer.filled().len();
        if read == 0 {
            // It became shorter meanwhile: the answer must not look whole.
            return Poll::Ready(Some(Err(ErrorKind::UnexpectedEof.into())));
        }
        *left -= read as u64;
        let mut sent = std::mem::take(piece);
        sent.truncate(read);
        Poll::Ready(Some(Ok(Frame::data(sent.into()))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
