//! A server as a process, and a client that keeps one connection: HTTP/1.1 by hand, so that it takes next to no time of
//! its own.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::Result;

/// A server, until it is dropped.
pub struct Server {
    process: Child,
    address: String,
}

impl Server {
    /// Serves a directory on a port that is free.
    pub fn start(program: &Path, directory: &Path, more: &[&str]) -> Result<Self> {
        let mut command = Command::new(program);
        command.arg("serve").arg("--data").arg(directory).args(["--listen", "127.0.0.1:0"]).args(more);
        let mut process = command.stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        BufReader::new(process.stdout.take().ok_or("no output")?).read_line(&mut line)?;
        let address = line.trim_end().rsplit("http://").next().unwrap_or_default().to_owned();
        Ok(Self { process, address })
    }

    /// Where it listens.
    pub fn address(&self) -> &str {
        &self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // What it holds goes with the benchmark's folder.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// One connection.
pub struct Client {
    stream: BufReader<TcpStream>,
    address: String,
    request: Vec<u8>,
    line: String,
    body: Vec<u8>,
}

impl Client {
    /// Connects.
    pub fn connect(address: &str) -> Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        let stream = BufReader::new(stream);
        let address = address.to_owned();
        Ok(Self { stream, address, request: Vec::new(), line: String::new(), body: Vec::new() })
    }

    /// Asks, and waits for the whole answer, which must be one of success.
    pub fn post(&mut self, path: &str, content_type: &str, body: &[u8]) -> Result<&[u8]> {
        let Self { stream, address, request, line, body: answer } = self;
        request.clear();
        write!(request, "POST {path} HTTP/1.1\r\nhost: {address}\r\ncontent-type: {content_type}\r\n")?;
        write!(request, "content-length: {}\r\n\r\n", body.len())?;
        request.extend_from_slice(body);
        stream.get_mut().write_all(request)?;
        line.clear();
        stream.read_line(line)?;
        let is_success = line.split(' ').nth(1).is_some_and(|status| status.starts_with('2'));
        let status = line.trim_end().to_owned();
        let mut length = 0;
        loop {
            line.clear();
            stream.read_line(line)?;
            let Some((name, value)) = line.trim_end().split_once(':') else { break };
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse()?;
            }
        }
        answer.resize(length, 0);
        stream.read_exact(answer)?;
        if is_success {
            Ok(answer)
        } else {
            Err(format!("{status}: {}", String::from_utf8_lossy(answer)).into())
        }
    }
}
