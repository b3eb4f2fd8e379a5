//! The binary with a token: what it wants of who asks, and what of that survives its death.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

const MASTER: &str = "the-token-of-the-master";
/// In whatever clients say: nothing that is logged or counted has it.
const CANARY: &str = "SECRET-CANARY";

/// A server that is killed when it is dropped.
struct Serving {
    child: Child,
    address: String,
}

impl Serving {
    fn start(data: &Path) -> Self {
        Self::start_with(data, &[], Stdio::inherit())
    }

    fn start_with(data: &Path, args: &[&str], stderr: Stdio) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_kithdb"))
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(data)
            .args(args)
            .env("KITH_TOKEN", MASTER)
            .stdout(Stdio::piped())
            .stderr(stderr)
            .spawn()
            .expect("the binary runs");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line).expect("a line");
        let address = line.trim().rsplit('/').next().expect("an address").to_owned();
        Self { child, address }
    }

    /// Status and body.
    fn ask(&self, token: &str, method: &str, path: &str, body: &str) -> (u16, String) {
        let host = &self.address;
        self.send(
            &format!("{method} {path}"),
            &format!("Host: {host}\r\nAuthorization: Bearer {token}"),
            body,
        )
    }

    /// As [`Self::ask`], with these headers.
    fn send(&self, what: &str, headers: &str, body: &str) -> (u16, String) {
        let mut stream = self.begin(what, headers, body);
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        (status, answer.split_once("\r\n\r\n").expect("a body").1.to_owned())
    }
}

impl Serving {
    fn begin(&self, what: &str, headers: &str, body: &str) -> TcpStream {
        let mut stream = TcpStream::connect(&self.address).expect("it listens");
        let length = body.len();
        let head = format!(
            "{what} HTTP/1.1\r\n{headers}\r\nConnection: close\r\nContent-Type: application/json\r\n\
             Content-Length: {length}\r\n\r\n{body}"
        );
        stream.write_all(head.as_bytes()).expect("sent");
        stream
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // With SIGKILL, so that nothing is left to be done in time.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The values of a field in JSON that has no escapes.
fn field<'a>(json: &'a str, name: &str) -> Vec<&'a str> {
    let quoted = format!("\"{name}\":\"");
    json.split(&quoted).skip(1).filter_map(|rest| rest.split('"').next()).collect()
}

#[test]
fn what_was_revoked_stays_revoked_after_kill_9() {
    let data = tempfile::tempdir().expect("a directory");
    let server = Serving::start(data.path());
    assert_eq!(server.ask("nope", "GET", "/v1/collections", "").0, 401);
    let make = |role: &str| {
        let (status, made) = server.ask(MASTER, "POST", "/v1/keys", &format!(r#"{{"role": "{role}"}}"#));
        assert_eq!(status, 201, "{made}");
        (field(&made, "token")[0].to_owned(), field(&made, "id")[0].to_owned())
    };
    let ((kept, _), (revoked, id)) = (make("read"), make("admin"));
    assert_eq!(server.ask(&revoked, "DELETE", &format!("/v1/keys/{id}"), "").0, 204);
    drop(server);

    let server = Serving::start(data.path());
    assert_eq!(server.ask(&kept, "GET", "/v1/collections", "").0, 200);
    assert_eq!(server.ask(&kept, "POST", "/v1/flush", "").0, 403);
    assert_eq!(server.ask(&revoked, "GET", "/v1/collections", "").0, 401);
    let (status, keys) = server.ask(MASTER, "GET", "/v1/keys", "");
    assert_eq!((status, field(&keys, "role")), (200, vec!["read"]), "{keys}");
    drop(server);

    // Nothing that opens the door is in any file.
    let secret = kept.rsplit('_').next().expect("a secret").as_bytes();
    let mut looked_at = 0;
    let mut directories = vec![data.path().to_owned()];
    while let Some(directory) = directories.pop() {
        for entry in std::fs::read_dir(directory).expect("ours") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                directories.push(path);
                continue;
            }
            let bytes = std::fs::read(&path).expect("ours");
            looked_at += bytes.len();
            assert!(!bytes.windows(secret.len()).any(|window| window == secret), "{}", path.display());
            assert!(!bytes.windows(MASTER.len()).any(|window| window == MASTER.as_bytes()));
        }
    }
    assert!(looked_at > 500, "{looked_at} bytes");
}

/// Requests with the canary wherever a client can say something. Answers never show the token.
fn sing(server: &Serving) {
    let document =
        format!(r#"{{"id": "{CANARY}", "metadata": {{"text": "{CANARY}"}}, "vector": [7319.5, 1]}}"#);
    let documents = format!(r#"{{"documents": [{document}]}}"#);
    let (of_v1, of_name) =
        (format!("/v1/collections/{CANARY}"), format!(r#"{{"name": "{CANARY}", "dim": 2}}"#));
    let index = format!(r#"{{"index_name": "{CANARY}", "id": "{CANARY}", "metadata": {{"a": "{CANARY}"}}}}"#);
    for (method, path, body) in [
        ("POST", "/v1/collections", &*of_name),
        ("POST", &format!("{of_v1}/documents"), &documents),
        ("POST", &format!("{of_v1}/documents"), CANARY),
        ("PUT", &format!("{of_v1}/documents/{CANARY}"), &document),
        ("GET", &format!("{of_v1}/documents/{CANARY}?{CANARY}={CANARY}"), ""),
        ("POST", &format!("{of_v1}/search"), &format!(r#"{{"text": "{CANARY}", "k": 3}}"#)),
        ("POST", &format!("{of_v1}/search"), &format!(r#"{{"filter": "{CANARY} ="}}"#)),
        ("POST", &format!("{of_v1}/graph/{CANARY}"), &index),
        ("PUT", &format!("/v1/kv/{CANARY}"), CANARY),
        ("POST", &format!("/kv/{CANARY}"), &format!(r#"{{"value": "{CANARY}"}}"#)),
        ("POST", "/vector/actions/add", &index),
        ("POST", "/vector/actions/search", &index),
        ("POST", "/graph/actions/link", &index),
        ("GET", &format!("/vector/indexes/{CANARY}"), ""),
        ("POST", &format!("/collections/{CANARY}/vectors"), &documents),
        ("GET", &format!("/collections/{CANARY}/{CANARY}"), ""),
        ("GET", &format!("/{CANARY}"), ""),
        (CANARY, "/v1/stats", ""),
        ("GET", &format!("/ui/{CANARY}"), ""),
    ] {
        for token in [MASTER, CANARY, ""] {
            let (_, answer) = server.ask(token, method, path, body);
            assert!(!answer.contains(MASTER), "{answer}");
        }
    }
    let (host, bearer) = (&server.address, format!("Authorization: Bearer {MASTER}"));
    for headers in [
        format!("Host: {CANARY}\r\n{bearer}"),
        format!("Host: {host}\r\nOrigin: http://{CANARY}\r\n{bearer}"),
        format!("Host: {host}\r\nX-Request-Id: {CANARY} {CANARY}\r\n{bearer}"),
        format!("Host: {host}\r\nIdempotency-Key: {CANARY}\r\nCookie: {CANARY}\r\n{bearer}"),
        format!("Host: {host}\r\nAuthorization: Basic {CANARY}"),
    ] {
        let (_, answer) = server.send("POST /v1/flush", &headers, "");
        assert!(!answer.contains(MASTER), "{answer}");
    }
}

#[test]
fn nothing_that_clients_say_is_logged_or_counted() {
    for format in ["text", "json"] {
        let dir = tempfile::tempdir().expect("a directory");
        let log = std::fs::File::create(dir.path().join("log")).expect("a file");
        let args = ["--log-level=debug", "--log-format", format, "--slow-request=0"];
        let server = Serving::start_with(&dir.path().join("data"), &args, log.into());
        sing(&server);
        let (_, made) = server.ask(MASTER, "POST", "/v1/keys", r#"{"role": "admin"}"#);
        let key = field(&made, "token")[0];
        let (status, figures) = server.ask(key, "GET", "/metrics", "");
        assert_eq!(status, 200, "{figures}");
        drop(server);

        let log = std::fs::read_to_string(dir.path().join("log")).expect("ours");
        let secret = key.rsplit('_').next().expect("a secret");
        for text in [&log, &figures] {
            for said in [CANARY, MASTER, secret, "7319.5"] {
                assert!(!text.contains(said), "{said} in\n{text}");
            }
        }
        assert!(log.lines().count() > 60 && log.contains("/v1/collections/{name}/documents/{id}"), "{log}");
    }
}

#[test]
fn a_stream_is_never_slow_and_has_no_time() {
    let dir = tempfile::tempdir().expect("a directory");
    let log = std::fs::File::create(dir.path().join("log")).expect("a file");
    let args = ["--log-level=debug", "--log-format=json", "--slow-request=0"];
    let server = Serving::start_with(&dir.path().join("data"), &args, log.into());
    let headers = format!("Host: {}\r\nAuthorization: Bearer {MASTER}", server.address);
    for path in ["/v1/events", "/events/stream"] {
        let stream = server.begin(&format!("GET {path}"), &headers, "");
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).expect("a line");
        assert!(line.starts_with("HTTP/1.1 200 "), "{line}");
    }
    assert_eq!(server.ask("another", "GET", "/v1/events", "").0, 401);
    let (_, figures) = server.ask(MASTER, "GET", "/metrics", "");
    for path in ["/v1/events", "/events/stream"] {
        let begun = format!("kithdb_event_streams_total{{route=\"{path}\"}} 1");
        assert!(figures.lines().any(|line| line == begun), "{figures}");
    }
    let timed = |path: &str| figures.matches(&format!("_count{{route=\"{path}\"")).count();
    // The one that was refused is an ordinary request.
    assert_eq!((timed("/v1/events"), timed("/events/stream")), (1, 0), "{figures}");
    drop(server);

    let log = std::fs::read_to_string(dir.path().join("log")).expect("ours");
    let of = |path: &str, level: &str| {
        let is_its = |line: &&str| field(line, "route") == [path] && field(line, "level") == [level];
        log.lines().filter(is_its).map(|line| field(line, "message")[0]).collect::<Vec<_>>()
    };
    assert_eq!(of("/events/stream", "debug"), ["a stream of events begins"], "{log}");
    assert_eq!(of("/events/stream", "warning"), [""; 0], "{log}");
    assert_eq!(of("/v1/events", "debug"), ["a stream of events begins"], "{log}");
    assert_eq!(of("/v1/events", "warning"), ["a slow request"], "{log}");
}
