//! Clients that are slow, idle or too many, over real connections with short limits. Each waits until the server closes:
//! that it does is what is tested, not when.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::routing::get;
use kithdb::collection::CollectionConfig;
use kithdb::host::{Db, Options};
use tokio::sync::oneshot;

use super::coding::packed;
use super::{Server, app_options};
use crate::http::table::Table;
use crate::http::{App, AppOptions, JsonBody, Limits, Problem, accept, coded, need, routes};

/// A server on a port, until it is dropped.
struct Listening {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Listening {
    fn start(limits: Limits) -> Self {
        Self::serving(limits, routes)
    }

    fn serving(limits: Limits, routes: impl FnOnce(App) -> Router + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.set_nonblocking(true).expect("a socket");
        let address = listener.local_addr().expect("bound");
        let (stop, stopped) = oneshot::channel();
        let db = Db::in_memory(Options::default()).expect("memory is there");
        let app = App::new(db, AppOptions { listen: address, limits, ..app_options() });
        let serving = async move {
            let stopped = async { drop(stopped.await) };
            accept(listener, &app, routes(app.clone()), stopped, Duration::from_secs(10))
                .await
                .expect("it listens");
        };
        let runtime = tokio::runtime::Runtime::new().expect("threads");
        let thread = std::thread::spawn(move || runtime.block_on(serving));
        Self { address, stop: Some(stop), thread: Some(thread) }
    }

    fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).expect("it listens")
    }

    fn send(&self, stream: &mut TcpStream, head: &str) {
        stream.write_all(head.replace("HOST", &self.address.to_string()).as_bytes()).expect("sent");
    }

    /// What comes until the server closes.
    fn until_closed(&self, mut stream: TcpStream) -> String {
        let mut answer = Vec::new();
        // A connection that is reset is closed, too.
        drop(stream.read_to_end(&mut answer));
        String::from_utf8(answer).expect("ASCII")
    }

    fn is_served(&self, stream: &mut TcpStream) {
        self.send(stream, "GET /healthz HTTP/1.1\r\nHost: HOST\r\n\r\n");
        let mut answer = Vec::new();
        while !answer.ends_with(br#"{"status":"ok"}"#) {
            let mut piece = [0; 1024];
            let read = stream.read(&mut piece).expect("an answer");
            assert!(read > 0, "closed after {}", String::from_utf8_lossy(&answer));
            answer.extend_from_slice(&piece[..read]);
        }
        assert!(answer.starts_with(b"HTTP/1.1 200 OK\r\n"));
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        drop(self.stop.take());
        drop(self.thread.take().expect("started").join());
    }
}

const SOON: Duration = Duration::from_millis(50);
/// After which a connection is idle: a client that has just connected may take a moment to ask.
const IDLE: Duration = Duration::from_secs(2);
const NEVER: Duration = Duration::from_secs(3_600);

/// Limits that are never reached.
fn patient() -> Limits {
    Limits {
        head_within: NEVER,
        idle_for: NEVER,
        body_window: NEVER,
        answer_window: NEVER,
        ..Limits::default()
    }
}

const POST: &str = "POST /v1/collections HTTP/1.1\r\nHost: HOST\r\nContent-Type: application/json\r\n";

#[test]
fn a_slow_head_is_cut_off_and_an_idle_connection_is_not() {
    let server = Listening::start(Limits { head_within: SOON, ..patient() });
    let mut idle = server.connect();
    let mut used = server.connect();
    server.is_served(&mut used);
    for head in ["G", "GET /healthz HTTP/1.1\r\n", "GET /healthz HTTP/1.1\r\nHost: HOST\r\nX-A: "] {
        let mut slow = server.connect();
        server.send(&mut slow, head);
        assert_eq!(server.until_closed(slow), "", "{head}");
        let mut after_one = server.connect();
        server.is_served(&mut after_one);
        server.send(&mut after_one, head);
        assert_eq!(server.until_closed(after_one), "", "{head}");
    }
    server.is_served(&mut idle);
    server.is_served(&mut used);
}

#[test]
fn a_slow_body_is_cut_off_however_it_comes() {
    let server = Listening::start(Limits { body_window: SOON, ..patient() });
    for (head, dribbles) in
        [("Content-Length: 100\r\n\r\n{", false), ("Transfer-Encoding: chunked\r\n\r\n", true)]
    {
        let mut slow = server.connect();
        server.send(&mut slow, &format!("{POST}{head}"));
        if dribbles {
            // One byte at a time, for as long as the server takes it.
            while slow.write_all(b"1\r\n \r\n").is_ok() {
                std::thread::yield_now();
                std::thread::sleep(SOON / 10);
            }
        }
        let answer = server.until_closed(slow);
        assert!(answer.is_empty() && dribbles || answer.contains("408 Request Timeout"), "{answer}");
    }
}

#[test]
fn an_answer_that_nobody_reads_is_given_up() {
    let server = Listening::start(Limits { answer_window: SOON, ..patient() });
    let mut deaf = server.connect();
    // More answers than the buffers of both ends hold.
    let asks = "GET /ui/files.json HTTP/1.1\r\nHost: HOST\r\n\r\n".repeat(100);
    let asks = asks.replace("HOST", &server.address.to_string());
    while deaf.write_all(asks.as_bytes()).is_ok() {}
    server.is_served(&mut server.connect());
}

/// A client on a slow line takes an answer of 64 MiB, which the server has at once and hyper holds: it is not idle while
/// bytes wait for it, however long, and is when it has them all.
#[test]
fn a_large_answer_is_sent_to_its_end() {
    const LEN: usize = 64 << 20;
    let server = Listening::serving(Limits { idle_for: IDLE, ..patient() }, |_| {
        Router::new().route("/large", get(|| async { vec![b'a'; LEN] }))
    });
    let mut slow = server.connect();
    server.send(&mut slow, "GET /large HTTP/1.1\r\nHost: HOST\r\n\r\n");
    std::thread::sleep(2 * IDLE);
    let answer = server.until_closed(slow);
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    assert!(head.starts_with("HTTP/1.1 200 OK"), "{head}");
    assert_eq!(body.len(), LEN);
}

/// Two clients ask for long answers and read nothing of them. A third is told to come again as long as they are held, and
/// is served short ones; when the first two have gone there is room again.
#[test]
fn answers_that_nobody_takes_are_bounded() {
    const LEN: usize = 16 << 20;
    let server = Listening::serving(Limits { answer_bytes: LEN + (1 << 10), ..patient() }, |app| {
        let long = |State(app): State<App>| async move {
            app.run(|_| Ok::<_, Problem>(vec![b'a'; LEN])).await.and_then(|bytes| app.body(bytes))
        };
        let short = |State(app): State<App>| async move { app.body(vec![b'a'; 10]) };
        let need = || need::read(need::About::Database);
        let table = Table::new(app.clone()).get("/long", need(), long).get("/short", need(), short);
        table.build().0.with_state(app)
    });
    let ask = |path: &str| {
        let mut stream = server.connect();
        server.send(&mut stream, &format!("GET {path} HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n"));
        stream
    };
    let mut deaf = ask("/long");
    deaf.read_exact(&mut [0; 12]).expect("its head");
    let answer = server.until_closed(ask("/long"));
    assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains("bytes of answers"), "{answer}");
    assert!(server.until_closed(ask("/short")).ends_with("aaaaaaaaaa"));
    drop(deaf);
    // The server notices that it has gone by writing to it.
    while !server.until_closed(ask("/long")).starts_with("HTTP/1.1 200 ") {
        std::thread::yield_now();
    }
}

/// An export is longer than all the room that there is for answers: it is sent all the same, again and again.
#[tokio::test]
async fn an_export_longer_than_all_room_is_sent() {
    let limits = Limits { answer_bytes: 1 << 10, ..Limits::default() };
    let db = Db::in_memory(Options::default()).expect("memory is there");
    let server = Server::serving(db, AppOptions { limits, ..app_options() });
    assert_eq!(server.post("/v1/collections", r#"{"name": "c"}"#).await.status, 201);
    for i in 0..8 {
        // Digits that a file does not hold in less.
        let noise: String = (0..4_000_u64)
            .map(|n| format!("{:x}", (n + i * 4_000).wrapping_mul(0x9E37_79B9_7F4A_7C15)))
            .collect();
        let document = format!(r#"{{"metadata": {{"text": "{noise}"}}}}"#);
        let put = server.ask("PUT", &format!("/v1/collections/c/documents/{i}"), &document).await;
        assert_eq!(put.status, 200);
    }
    for _ in 0..2 {
        let exported = server.get("/v1/collections/c/export").await;
        assert_eq!(exported.status, 200);
        assert!(exported.body.len() > 64 << 10, "{}", exported.body.len());
    }
}

/// All threads that work are held by long work, and others wait for them: keys are read, a job is looked for and cancelled,
/// and the figures are told all the same.
#[test]
fn long_work_holds_up_neither_a_token_nor_a_cancel() {
    let (release, released) = mpsc::channel::<()>();
    let released = Arc::new(Mutex::new(released));
    let (begun, is_begun) = mpsc::channel();
    let server = Listening::serving(Limits { readers: 1, writers: 1, ..patient() }, move |app| {
        drop(app.db().create("c", CollectionConfig::default()).expect("made"));
        let work = move |State(app): State<App>| async move {
            let done = app.run(move |_| {
                let _ = begun.send(());
                drop(released.lock().map(|released| released.recv()));
                Ok::<_, Problem>(())
            });
            done.await.map(|()| "done")
        };
        let both = || need::About::Database;
        let table = Table::new(app.clone()).get("/read", need::read(both()), work.clone()).get(
            "/write",
            need::write(both()),
            work,
        );
        table.build().0.with_state(app.clone()).merge(routes(app))
    });
    let ask = |what: &str| {
        let mut stream = server.connect();
        server.send(&mut stream, &format!("{what} HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n"));
        stream
    };
    let working = [ask("GET /read"), ask("GET /write")];
    (0..2).for_each(|_| is_begun.recv().expect("both are worked on"));
    let waiting = [ask("GET /read"), ask("GET /write")];
    for (what, told) in [
        ("GET /v1/keys", r#"{"keys":[]}"#),
        ("GET /v1/collections/c/job", r#"{"job":null}"#),
        ("DELETE /v1/collections/c/job", r#"{"cancelled":false}"#),
        ("GET /metrics", "\nkithdb_answer_bytes 0\n"),
    ] {
        let answer = server.until_closed(ask(what));
        assert!(answer.contains(told), "{what}: {answer}");
    }
    drop(release);
    for stream in working.into_iter().chain(waiting) {
        assert!(server.until_closed(stream).ends_with("done"));
    }
}

/// A client sends 900 bytes to be worked on and goes away, with a key for its change and without: the work goes on, and
/// so what it holds is not given to others, who are told to come again, until it has ended.
#[test]
fn who_goes_away_leaves_its_work_counted() {
    for (key, limits) in [
        ("", Limits { body_bytes: 1_000, ..patient() }),
        ("Idempotency-Key: k\r\n", Limits { body_bytes: 1_000, ..patient() }),
        ("", Limits { requests: 1, ..patient() }),
        ("Idempotency-Key: k\r\n", Limits { requests: 1, ..patient() }),
    ] {
        let (begun, is_begun) = mpsc::channel();
        let (gone, is_gone) = mpsc::channel();
        let (release, released) = mpsc::channel::<()>();
        let released = Arc::new(Mutex::new(released));
        let server = Listening::serving(limits, move |app| {
            let work = move |State(app): State<App>, JsonBody(body): JsonBody<1_000>| async move {
                let done = app.run(move |_| {
                    let _ = begun.send(());
                    // The first waits here until the other end is dropped; nobody else does.
                    drop(released.try_lock().map(|released| released.recv()));
                    drop(body);
                    Ok::<_, Problem>(())
                });
                done.await.map(|()| "done")
            };
            let table = Table::new(app.clone()).post("/v1/work", need::write(need::About::Database), work);
            // Dropped after all that is inside, when the client is noticed to have gone.
            let watch = from_fn(move |request: Request, next: Next| {
                let gone = Gone(gone.clone());
                async move {
                    let _gone = gone;
                    next.run(request).await
                }
            });
            table.build().0.layer(watch).with_state(app)
        });
        // Dropped before the server, which waits for the work.
        let held_back = release;
        let head = POST.replace("/v1/collections", "/v1/work") + "Connection: close\r\n";
        let ask = |key: &str| {
            let mut client = server.connect();
            let body = " ".repeat(900);
            server.send(&mut client, &format!("{head}{key}Content-Length: 900\r\n\r\n{body}"));
            client
        };
        let first = ask(key);
        is_begun.recv().expect("begun");
        drop(first);
        is_gone.recv().expect("gone");
        let refused = server.until_closed(ask(""));
        assert!(refused.starts_with("HTTP/1.1 503 ") && refused.contains("overloaded"), "{key}: {refused}");
        drop(held_back);
        // The thread of the first may take a moment to give back what it held.
        while !server.until_closed(ask("")).starts_with("HTTP/1.1 200 ") {
            std::thread::yield_now();
        }
    }
}

/// Says when it is dropped.
struct Gone(mpsc::Sender<()>);

impl Drop for Gone {
    fn drop(&mut self) {
        // Nobody waits for those that are answered.
        let _ = self.0.send(());
    }
}

#[test]
fn an_idle_connection_is_closed_in_time() {
    let server = Listening::start(Limits { idle_for: IDLE, ..patient() });
    assert_eq!(server.until_closed(server.connect()), "");
    let mut used = server.connect();
    server.is_served(&mut used);
    assert_eq!(server.until_closed(used), "");
}

#[test]
fn many_idle_connections_are_served_and_more_than_the_limit_are_told() {
    let server = Listening::start(Limits { connections: 200, ..patient() });
    let mut idle: Vec<TcpStream> = (0..200).map(|_| server.connect()).collect();
    for stream in &mut idle {
        server.is_served(stream);
    }
    let answer = server.until_closed(server.connect());
    assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains("Retry-After: 1"), "{answer}");
    for stream in &mut idle {
        server.is_served(stream);
    }
}

/// One place for work, and clients that send half of a body and wait: they have no place yet, so that who comes after
/// them is served.
#[test]
fn who_is_slow_to_send_a_body_keeps_nobody_out() {
    let server = Listening::start(Limits { requests: 1, ..patient() });
    let slow: Vec<TcpStream> = (0..20)
        .map(|_| {
            let mut slow = server.connect();
            server.send(&mut slow, &format!("{POST}Content-Length: 100\r\n\r\n{{"));
            slow
        })
        .collect();
    let mut after = server.connect();
    server.send(&mut after, "GET /v1/kv HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n");
    let answer = server.until_closed(after);
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    drop(slow);
}

#[test]
fn bytes_beyond_what_there_is_room_for_are_told_to_come_again() {
    let server = Listening::start(Limits { body_bytes: 1_000, ..patient() });
    let mut large = server.connect();
    let body = format!("{POST}Connection: close\r\nContent-Length: 1001\r\n\r\n{}", " ".repeat(1_001));
    server.send(&mut large, &body);
    let answer = server.until_closed(large);
    assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains("bytes of bodies"), "{answer}");
    assert!(answer.contains("retry-after: 1"), "{answer}");
    let mut small = server.connect();
    server.send(
        &mut small,
        &format!("{POST}Connection: close\r\nContent-Length: 13\r\n\r\n{{\"name\": \"c\"}}"),
    );
    assert!(server.until_closed(small).starts_with("HTTP/1.1 201 "));
}

#[test]
fn a_body_without_room_or_in_time_is_no_mistake_of_ruvectors_clients() {
    // A client of ruvector-go's sends a sound body while there is no room for it, and another one stops in the middle:
    // they are told to come again and that it took too long, in that API's shape, not that the body is wrong.
    let head = POST.replace("/v1/collections", "/collections");
    let full = Listening::start(Limits { body_bytes: 1_000, ..patient() });
    let mut large = full.connect();
    let body = format!("{head}Connection: close\r\nContent-Length: 1001\r\n\r\n{}", " ".repeat(1_001));
    full.send(&mut large, &body);
    let answer = full.until_closed(large);
    assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains("retry-after: 1"), "{answer}");
    assert!(answer.contains(r#"{"error":"the server has as many bytes of bodies"#), "{answer}");

    let strict = Listening::start(Limits { body_window: SOON, ..patient() });
    let mut slow = strict.connect();
    strict.send(&mut slow, &format!("{head}Content-Length: 100\r\n\r\n{{"));
    let answer = strict.until_closed(slow);
    assert!(answer.starts_with("HTTP/1.1 408 ") && answer.contains(r#"{"error":"#), "{answer}");
}

#[test]
fn heads_that_are_too_large_or_mean_two_things_are_refused() {
    let server = Listening::start(Limits::default());
    let many = "X-A: b\r\n".repeat(101);
    let long = format!("X-A: {}\r\n", "b".repeat(33 << 10));
    for (headers, status) in [
        (many.as_str(), "431"),
        (&long, "431"),
        ("Content-Length: 1\r\nContent-Length: 2\r\n", "400"),
        ("Transfer-Encoding: xchunked\r\n", "400"),
        ("X-A : b\r\n", "400"),
        ("X-A: b\r\n c\r\n", "400"),
        ("X-A: \0\r\n", "400"),
    ] {
        let mut stream = server.connect();
        let head = format!("GET /healthz HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n{headers}\r\n");
        // It may be refused before all of it is sent.
        let head = head.replace("HOST", &server.address.to_string());
        drop(stream.write_all(head.as_bytes()));
        let answer = server.until_closed(stream);
        // Where more was sent than is read, the answer may be lost with the connection.
        let is_lost = headers.len() > 32 << 10 && answer.is_empty();
        assert!(is_lost || answer.starts_with(&format!("HTTP/1.1 {status} ")), "{headers:.40}: {answer}");
        assert!(answer.matches("HTTP/1.1").count() <= 1, "{headers:.40}: {answer}");
    }
}

/// A packed body counts as what it becomes, while it does: this one is let in by its length alone.
#[test]
fn what_comes_out_of_a_packed_body_takes_room() {
    let server = Listening::start(Limits { body_bytes: 200_000, ..patient() });
    let runtime = tokio::runtime::Runtime::new().expect("threads");
    let packed = runtime.block_on(packed("gzip", &[b' '; 1 << 19]));
    let mut stream = server.connect();
    let headers = format!("Content-Encoding: gzip\r\nConnection: close\r\nContent-Length: {}", packed.len());
    server.send(&mut stream, &format!("{POST}{headers}\r\n\r\n"));
    stream.write_all(&packed).expect("sent");
    let answer = server.until_closed(stream);
    assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains("bytes of bodies"), "{answer}");
}

/// Two packed bodies are worked on at once where there is room for what came out of both, and for unpacking one at a time.
#[test]
fn a_packed_body_takes_what_came_out_of_it_while_it_is_worked_on() {
    let (release, released) = mpsc::channel::<()>();
    let released = Arc::new(Mutex::new(released));
    let (begun, is_begun) = mpsc::channel();
    let server = Listening::serving(Limits { body_bytes: (8 << 20) + 4_000, ..patient() }, |app| {
        let work = move |State(app): State<App>, JsonBody(body): JsonBody<1_000>| async move {
            let held = app.clone();
            let done = app.run(move |_| {
                let _ = begun.send(held.room().taken().1);
                drop(released.lock().map(|released| released.recv()));
                drop(body);
                Ok::<_, Problem>(())
            });
            done.await.map(|()| "done")
        };
        let table = Table::new(app.clone()).post("/v1/work", need::write(need::About::Database), work);
        table.build().0.layer(from_fn_with_state(app.clone(), coded)).with_state(app)
    });
    let runtime = tokio::runtime::Runtime::new().expect("threads");
    let body = runtime.block_on(packed("zstd", &[b' '; 1_000]));
    let head =
        POST.replace("/v1/collections", "/v1/work") + "Connection: close\r\nContent-Encoding: zstd\r\n";
    let clients: Vec<TcpStream> = [1_000, 2_000]
        .into_iter()
        .map(|held| {
            let mut client = server.connect();
            server.send(&mut client, &format!("{head}Content-Length: {}\r\n\r\n", body.len()));
            client.write_all(&body).expect("sent");
            assert_eq!(is_begun.recv().expect("begun"), held);
            client
        })
        .collect();
    drop(release);
    for client in clients {
        assert!(server.until_closed(client).ends_with("done"));
    }
}
