//! `kithdb health`: whether a server answers, for what watches containers, which have no other program to ask with.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// How long the server may take for each step.
const WITHIN: Duration = Duration::from_secs(3);

/// Arguments of `kithdb health`.
#[derive(Debug, clap::Args)]
pub struct HealthArgs {
    /// Where the server listens, on this machine.
    #[arg(value_name = "ADDRESS:PORT", default_value = "127.0.0.1:9091")]
    address: SocketAddr,
}

/// Done when the server answers that it is well.
pub fn health(args: &HealthArgs) -> Result<(), String> {
    let answer = ask(args.address).map_err(|e| format!("{} does not answer: {e}", args.address))?;
    let first = answer.lines().next().unwrap_or_default();
    if first.starts_with("HTTP/1.1 200 ") {
        Ok(())
    } else {
        Err(format!("{} answers: {first}", args.address))
    }
}

fn ask(address: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, WITHIN)?;
    stream.set_read_timeout(Some(WITHIN))?;
    stream.set_write_timeout(Some(WITHIN))?;
    write!(stream, "GET /healthz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.take(64 << 10).read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
