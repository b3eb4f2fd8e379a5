//! The Node package as a surface: `tests/surfaces/node.mjs` in a process of its own, a line of JSON each way.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use crate::{Failure, Surface, places};

/// A Node process with the package loaded.
pub struct NodeSurface {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl NodeSurface {
    /// Starts it.
    ///
    /// # Panics
    /// When Node or the built package is missing: `npm test` builds it.
    #[must_use]
    pub fn start() -> Self {
        let root = places::root();
        assert!(root.join("js/dist/node.js").exists(), "the Node package is not built: run npm test");
        let mut child = Command::new("node")
            .arg(root.join("tests/surfaces/node.mjs"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node starts");
        let input = child.stdin.take().expect("piped");
        let output = BufReader::new(child.stdout.take().expect("piped"));
        Self { child, input, output }
    }
}

impl Surface for NodeSurface {
    fn name(&self) -> &'static str {
        "node"
    }

    fn call(&mut self, op: &str, args: &Value) -> Result<Value, Failure> {
        writeln!(self.input, "{}", json!({ "op": op, "args": args })).expect("node listens");
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

impl Drop for NodeSurface {
    fn drop(&mut self) {
        // Already gone is as good.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
