//! The binary with a token: what it wants of who asks, and what of that survives its death.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

const MASTER: &str = "the-token-of-the-master";

/// A server that is killed when it is dropped.
struct Serving {
    child: Child,
    address: String,
}

impl Serving {
    fn start(data: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_kithdb"))
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(data)
            .env("KITH_TOKEN", MASTER)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the binary runs");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line).expect("a line");
        let address = line.trim().rsplit('/').next().expect("an address").to_owned();
        Self { child, address }
    }

    /// Status and body.
    fn ask(&self, token: &str, method: &str, path: &str, body: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.address).expect("it listens");
        let (host, length) = (&self.address, body.len());
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        stream.write_all(head.as_bytes()).expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        (status, answer.split_once("\r\n\r\n").expect("a body").1.to_owned())
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
