//! Surfaces in JavaScript: a script of `tests/surfaces/` in a Node process of its own, a line of JSON each way.
//!
//! `node` is the addon, `remote` the package's client with a server of its own, `wasm` the browser's engine under Node,
//! `chromium` the browser's engine in a real page: in the page itself, in a Worker, as the follower of a writer and in the origin
//! private file system, by turns.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use crate::{Failure, Surface, places};

/// A Node process that runs `tests/surfaces/NAME.mjs`.
pub struct JsSurface {
    name: &'static str,
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl JsSurface {
    /// Starts it.
    ///
    /// # Panics
    /// When Node or the built package is missing: `npm test` builds it.
    #[must_use]
    pub fn start(name: &'static str) -> Self {
        let root = places::root();
        assert!(root.join("js/dist/node/node.js").exists(), "the npm package is not built: run npm test");
        let mut child = Command::new("node")
            .arg(root.join(format!("tests/surfaces/{name}.mjs")))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node starts");
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().expect("piped"));
        Self { name, child, input, output }
    }
}

impl Surface for JsSurface {
    fn name(&self) -> &'static str {
        self.name
    }

    fn call(&mut self, op: &str, args: &Value) -> Result<Value, Failure> {
        let input = self.input.as_mut().expect("open until it is dropped");
        writeln!(input, "{}", json!({ "op": op, "args": args })).expect("node listens");
        let mut line = String::new();
        self.output.read_line(&mut line).expect("node answers");
        let mut answer: Value = serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e}: {line}"));
        if answer.get("error").is_some() {
            Err(Failure::new(answer["error"].take()))
        } else {
            Ok(answer["ok"].take())
        }
    }
}

impl Drop for JsSurface {
    fn drop(&mut self) {
        // The end of its input ends the script, and with it the browser that it may have started.
        drop(self.input.take());
        drop(self.child.wait());
    }
}
