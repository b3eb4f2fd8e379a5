//! Accepts connections until it is told to stop. Ours and not axum's, whose loop waits for ever for whoever is slow, and
//! takes as many connections as come.

use std::io;
use std::net::TcpListener;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tower_service::Service;

use super::app::App;
use super::failures::Peer;
use super::limits::{HEAD_BYTES_MAX, HEADERS_MAX};
use super::pace::{Answered, Paced, PacedBody, Turns};

/// Pause after a connection could not be accepted, most likely for want of file descriptors.
const RETRY_AFTER: Duration = Duration::from_millis(100);

/// What a connection too many is told.
const FULL: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

/// Serves connections until `stop`; then the requests in flight end, at the latest after `end_within`.
///
/// # Errors
/// When the listener cannot be watched.
pub async fn accept(
    listener: TcpListener,
    app: &App,
    routes: Router,
    stop: impl Future<Output = ()>,
    end_within: Duration,
) -> io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let mut stop = pin!(stop);
    let connections = GracefulShutdown::new();
    let room = Arc::new(Semaphore::new(app.room().limits().connections));
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
        };
        let Ok((stream, address)) = accepted else {
            tokio::time::sleep(RETRY_AFTER).await;
            continue;
        };
        // Answers are small and written whole: waiting to fill packets only delays them.
        drop(stream.set_nodelay(true));
        let Ok(permit) = Arc::clone(&room).try_acquire_owned() else {
            // What does not fit at once is not worth waiting for.
            drop(stream.try_write(FULL));
            continue;
        };
        let connection =
            connections.watch(serve(stream, Peer::at(address.ip()), app.clone(), routes.clone()));
        tokio::spawn(async move {
            // A connection that fails has lost its client: nobody is left to be told.
            drop(connection.await);
            drop(permit);
        });
    }
    drop(listener);
    // Streams of events end by this alone.
    app.events().end();
    drop(tokio::time::timeout(end_within, connections.shutdown()).await);
    Ok(())
}

fn serve(
    stream: TcpStream,
    peer: Peer,
    app: App,
    routes: Router,
) -> impl hyper_util::server::graceful::GracefulConnection<Error = hyper::Error> {
    let (limits, turns) = (*app.room().limits(), Turns::default());
    let stream = Paced::new(stream, limits, turns.clone());
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer);
        turns.begin();
        let (turns, mut routes) = (turns.clone(), routes.clone());
        let reserved = app.room().body();
        async move {
            let answer = routes.call(PacedBody::around(request, limits, &reserved)).await;
            answer.map(|response| Answered::around(response, turns))
        }
    });
    let mut http = http1::Builder::new();
    // Ours are told apart: whoever is idle may be so for longer than the head of a request may take.
    http.header_read_timeout(None).max_headers(HEADERS_MAX).max_header_size(HEAD_BYTES_MAX);
    http.serve_connection(TokioIo::new(stream), service)
}

/// Done when the process is told to end: SIGINT or SIGTERM.
///
/// # Errors
/// When signals cannot be watched.
#[cfg(unix)]
pub fn told_to_stop() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Done when the process is told to end.
///
/// # Errors
/// Never.
#[cfg(not(unix))]
pub fn told_to_stop() -> io::Result<impl Future<Output = ()>> {
    Ok(async { drop(tokio::signal::ctrl_c().await) })
}
