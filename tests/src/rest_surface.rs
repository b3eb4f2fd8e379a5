//! The server as a surface: the real program in a process of its own, asked over HTTP.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use crate::openapi::{Answered, Document};
use crate::{Failure, Surface, part, places};

/// A running server, or none before `open`.
#[derive(Default)]
pub struct RestSurface {
    server: Option<Server>,
}

/// A server process.
pub struct Server {
    child: Mutex<Child>,
    /// `http://127.0.0.1:PORT`
    pub address: String,
    agent: ureq::Agent,
}

impl Server {
    /// Starts it on a free port and waits for its address.
    ///
    /// # Errors
    /// What it printed when it ended instead.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start(data: &Path, more: &[&str]) -> Result<Self, String> {
        Self::start_with(data, more, &[])
    }

    /// Starts it with these variables in its environment, too.
    ///
    /// # Errors
    /// What it printed when it ended instead.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start_with(data: &Path, more: &[&str], variables: &[(&str, &OsStr)]) -> Result<Self, String> {
        let mut child = Command::new(places::server())
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(data)
            .args(more)
            .envs(variables.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let mut output = BufReader::new(child.stdout.take().expect("piped"));
        let mut line = String::new();
        while output.read_line(&mut line).expect("UTF-8") > 0 {
            if let Some(at) = line.find("http://") {
                let address = line[at..].split_whitespace().next().unwrap_or_default().trim_end_matches('/');
                let agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
                // The rest of what it prints must not fill the pipes.
                let mut errors = child.stderr.take().expect("piped");
                std::thread::spawn(move || drop(output.read_to_string(&mut String::new())));
                std::thread::spawn(move || drop(errors.read_to_string(&mut String::new())));
                return Ok(Self { address: address.to_owned(), child: Mutex::new(child), agent });
            }
            line.clear();
        }
        let mut printed = String::new();
        child.stderr.take().expect("piped").read_to_string(&mut printed).expect("UTF-8");
        child.wait().expect("it ended");
        Err(printed)
    }

    fn child(&self) -> MutexGuard<'_, Child> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The id of its process.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child().id()
    }

    /// Kills it as `kill -9` does.
    ///
    /// # Panics
    /// When it cannot be killed.
    pub fn kill(&self) {
        let mut child = self.child();
        child.kill().expect("killed");
        child.wait().expect("gone");
    }

    /// Asks it to end, and waits.
    ///
    /// # Panics
    /// When it cannot be asked.
    pub fn stop(&self) {
        let mut child = self.child();
        // The shell's own command: a bare system has no program of this name.
        let asked = Command::new("sh").args(["-c", "kill -TERM \"$0\"", &child.id().to_string()]).status();
        assert!(asked.is_ok_and(|status| status.success()), "sh can send a signal");
        child.wait().expect("gone");
    }

    /// Sends a request; status and body.
    ///
    /// # Errors
    /// When no answer comes.
    ///
    /// # Panics
    /// When it is not what docs/openapi.json tells of.
    pub fn send(&self, method: &str, path: &str, body: Option<&[u8]>) -> Result<(u16, Vec<u8>), String> {
        let url = format!("{}{path}", self.address);
        let kind = if path.ends_with("/import") { "application/octet-stream" } else { "application/json" };
        let request = ureq::http::Request::builder().method(method).uri(url).header("content-type", kind);
        let sent = match body {
            Some(body) => self.agent.run(request.body(body).expect("a request")),
            None => self.agent.run(request.body(()).expect("a request")),
        };
        let mut response = sent.map_err(|e| e.to_string())?;
        let status = response.status().as_u16();
        let kind = response.headers().get("content-type").and_then(|kind| kind.to_str().ok());
        let content_type = kind.unwrap_or_default().to_owned();
        let body =
            response.body_mut().with_config().limit(1 << 30).read_to_vec().map_err(|e| e.to_string())?;
        let path = path.split('?').next().unwrap_or_default();
        let answered = Answered { method, path, status, content_type: &content_type, body: &body };
        if let Err(differs) = document().check_answer(&answered) {
            panic!("docs/openapi.json: {differs}");
        }
        Ok((status, body))
    }

    /// Sends JSON and reads JSON.
    ///
    /// # Errors
    /// What the server refused.
    ///
    /// # Panics
    /// When no answer comes or it is not JSON.
    pub fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value, Failure> {
        let text = body.map(Value::to_string);
        let (status, answer) =
            self.send(method, path, text.as_deref().map(str::as_bytes)).expect("an answer");
        let value = if answer.is_empty() {
            json!({})
        } else {
            let text = String::from_utf8_lossy(&answer);
            serde_json::from_slice(&answer)
                .unwrap_or_else(|e| panic!("{method} {path}: {status}: {e}: {text}"))
        };
        if (200..300).contains(&status) { Ok(value) } else { Err(Failure::new(value)) }
    }
}

/// The OpenAPI document, as it is committed.
fn document() -> &'static Document {
    static DOCUMENT: LazyLock<Document> = LazyLock::new(|| {
        let text = std::fs::read_to_string(places::root().join("docs/openapi.json"));
        Document::new(&text.expect("docs/openapi.json"))
    });
    &DOCUMENT
}

impl Drop for Server {
    fn drop(&mut self) {
        let mut child = self.child();
        // Already gone is as good.
        drop(child.kill());
        drop(child.wait());
    }
}

impl RestSurface {
    /// The running server.
    ///
    /// # Panics
    /// Before `open`.
    #[must_use]
    pub fn server(&self) -> &Server {
        self.server.as_ref().expect("open comes first")
    }

    fn open(&mut self, args: &Value) -> Result<Value, Failure> {
        let path = PathBuf::from(args["path"].as_str().expect("a path"));
        let mut more = Vec::new();
        for (key, flag) in [("embedder", "--embedder"), ("durability", "--durability")] {
            if let Some(value) = args[key].as_str() {
                more.extend([flag, value]);
            }
        }
        let started = Server::start(&path, &more);
        self.server = Some(started.map_err(|printed| Failure::new(json!({ "message": printed })))?);
        Ok(json!({}))
    }
}

impl Surface for RestSurface {
    fn name(&self) -> &'static str {
        "rest"
    }

    fn call(&mut self, op: &str, args: &Value) -> Result<Value, Failure> {
        let name = args["name"].as_str().unwrap_or_default();
        let collection = format!("/v1/collections/{}", percent(name));
        let part = |keys: &[&str]| part(args, keys);
        match op {
            "open" => return self.open(args),
            "close" => {
                self.server.take().expect("open comes first").stop();
                return Ok(json!({}));
            }
            _ => {}
        }
        let server = self.server();
        match op {
            "create" => {
                let mut body = if args["config"].is_null() { json!({}) } else { args["config"].clone() };
                body["name"] = json!(name);
                server.ask("POST", "/v1/collections", Some(&body))
            }
            "drop" => server.ask("DELETE", &collection, None),
            "collections" => server.ask("GET", "/v1/collections", None),
            "info" => server.ask("GET", &collection, None),
            "add" => {
                let body = part(&["documents", "mode", "durability", "bulk"]);
                server.ask("POST", &format!("{collection}/documents"), Some(&body))
            }
            "get" => {
                server.ask("POST", &format!("{collection}/documents/get"), Some(&part(&["ids", "as_of"])))
            }
            "versions" => {
                let id = percent(args["id"].as_str().expect("an id"));
                server.ask("GET", &format!("{collection}/documents/{id}/versions"), None)
            }
            "touch" | "touches" | "delete" => {
                let body = part(&["ids", "durability"]);
                server.ask("POST", &format!("{collection}/documents/{op}"), Some(&body))
            }
            "search" => server.ask("POST", &format!("{collection}/search"), Some(&args["request"])),
            "search_many" => {
                server.ask("POST", &format!("{collection}/search/batch"), Some(&part(&["searches"])))
            }
            "stats" => server.ask("GET", "/v1/stats", None),
            "link" | "unlink" | "edges" | "traverse" | "subgraph" | "path" | "components" => {
                let body =
                    if op.ends_with("link") { &part(&["edges", "durability"]) } else { &args["request"] };
                server.ask("POST", &format!("{collection}/graph/{op}"), Some(body))
            }
            "scan" => server.ask("GET", &format!("{collection}/documents?{}", page(args)), None),
            "configure" => {
                let change = part(&["maintenance", "codes", "auto_links", "decay", "durability"]);
                server.ask("PATCH", &collection, Some(&change))
            }
            "job" => server.ask("GET", &format!("{collection}/job"), None),
            "cancel_job" => server.ask("DELETE", &format!("{collection}/job"), None),
            "estimate" => server.ask(
                "POST",
                &format!("{collection}/estimate"),
                Some(&part(&["sample", "queries", "k"])),
            ),
            "compress" => {
                server.ask("POST", &format!("{collection}/compress"), Some(&part(&["codes"])))?;
                server.ask("GET", &collection, None)
            }
            "relink" | "seal" | "index" | "merge" | "vacuum" | "graph_vacuum" | "recode" | "refine"
            | "optimize" => server.ask("POST", &format!("{collection}/{op}"), None),
            "export" | "import" => carry(server, &collection, op, args),
            op if op.starts_with("kv_") => on_keys(server, op, args),
            other => panic!("no operation {other}"),
        }
    }
}

/// A collection as a file, out or in.
fn carry(server: &Server, collection: &str, op: &str, args: &Value) -> Result<Value, Failure> {
    let file = args["file"].as_str().expect("a file");
    let read = |bytes: &[u8]| -> Value { serde_json::from_slice(bytes).expect("JSON") };
    if op == "export" {
        let (status, bytes) = server.send("GET", &format!("{collection}/export"), None).expect("an answer");
        if status != 200 {
            return Err(Failure::new(read(&bytes)));
        }
        std::fs::write(file, bytes).expect("writable");
        return Ok(json!({}));
    }
    let bytes = std::fs::read(file).expect("readable");
    let (status, answer) =
        server.send("POST", &format!("{collection}/import"), Some(&bytes)).expect("an answer");
    if status == 201 { Ok(read(&answer)) } else { Err(Failure::new(read(&answer))) }
}

fn on_keys(server: &Server, op: &str, args: &Value) -> Result<Value, Failure> {
    let path = format!("/v1/kv/{}", percent(args["key"].as_str().unwrap_or_default()));
    let level = args["durability"].as_str();
    match op {
        "kv_get" => match server.ask("GET", &path, None) {
            Err(failure) if failure.code == "unknown_key" => Ok(json!({ "value": null })),
            found => found.map(|answer| json!({ "value": answer["value"] })),
        },
        "kv_set" => {
            let mut body = json!({ "value": args["value"] });
            if let Some(level) = level {
                body["durability"] = json!(level);
            }
            server.ask("PUT", &path, Some(&body))
        }
        "kv_delete" => {
            let level = level.map(|level| format!("?durability={level}")).unwrap_or_default();
            server.ask("DELETE", &format!("{path}{level}"), None)
        }
        _ => {
            let text = |name: &str| Some(format!("{name}={}&", percent(args[name].as_str()?)));
            let limit = args["limit"].as_u64().map(|limit| format!("limit={limit}"));
            let query: String = [text("prefix"), text("cursor"), limit].into_iter().flatten().collect();
            server.ask("GET", &format!("/v1/kv?{query}"), None)
        }
    }
}

/// A path segment, with everything but letters and digits escaped.
fn percent(text: &str) -> String {
    text.bytes()
        .map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect()
}

/// The query string of a page of documents.
fn page(args: &Value) -> String {
    let limit = args["limit"].as_u64().unwrap_or(100);
    let cursor = args["cursor"].as_str().map(|c| format!("&cursor={c}")).unwrap_or_default();
    let as_of = args["as_of"].as_str().map(|t| format!("&as_of={}", percent(t))).unwrap_or_default();
    format!("limit={limit}{cursor}{as_of}")
}
