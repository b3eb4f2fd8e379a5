//! `kithdb serve`: opens a database directory and serves it until it is told to stop.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use kithdb::base::Error;
use kithdb::host::{Db, Options, load_embedder};
use kithdb::wire;

use super::report::{StderrObserver, one_line};
use crate::http::{App, accept, routes};

/// How long the last requests and jobs may take after the signal to stop.
const END_WITHIN: Duration = Duration::from_secs(10);

/// Arguments of `kithdb serve`.
#[derive(Debug, clap::Args)]
pub struct ServeArgs {
    /// Directory of the database; made when it does not exist.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Loopback address and port to listen on.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:9091")]
    listen: String,
    /// Directory of an embedder, which turns texts into vectors.
    #[arg(long, value_name = "DIR")]
    embedder: Option<PathBuf>,
    /// What a write waits for unless it says otherwise: memory, os, everysec or always.
    #[arg(long, value_name = "LEVEL", default_value = "everysec")]
    durability: String,
    /// About how many MiB of memory documents that are not sealed, and jobs, take at most; left out, half of what there is.
    #[arg(long, value_name = "MIB", value_parser = clap::value_parser!(u64).range(16..1 << 32))]
    memory_max: Option<u64>,
    /// Serve what is there and write nothing; others may read the directory at the same time.
    #[arg(long)]
    read_only: bool,
}

/// Serves until SIGINT or SIGTERM.
pub fn serve(args: &ServeArgs) -> Result<(), String> {
    let listener = bind(loopback(&args.listen)?)?;
    let listen = listener.local_addr().map_err(|e| e.to_string())?;
    let app = App::new(open(args).map_err(|e| one_line(&e))?, listen, args.embedder.clone());
    let runtime = tokio::runtime::Runtime::new().map_err(|e| format!("cannot start threads: {e}"))?;
    println!("KithDB listens on http://{listen}");
    let served = runtime.block_on(accept(listener, routes(app.clone()), END_WITHIN));
    let closed = app.db().close();
    runtime.shutdown_timeout(END_WITHIN);
    served.map_err(|e| e.to_string()).and(closed.map_err(|e| one_line(&e)))
}

fn open(args: &ServeArgs) -> Result<Db, Error> {
    let options = Options {
        level: wire::parse_level(&args.durability)?,
        embedder: args.embedder.as_deref().map(load_embedder).transpose()?,
        observer: Arc::new(StderrObserver),
        read_only: args.read_only,
        memory_max: args.memory_max.map(|mib| mib << 20),
        ..Options::default()
    };
    Db::open(&args.data, options)
}

/// The address to listen on. Only this machine's own are served until there is authentication.
fn loopback(listen: &str) -> Result<SocketAddr, String> {
    let numeric = listen.strip_prefix("localhost:").map(|port| format!("127.0.0.1:{port}"));
    let address: SocketAddr =
        numeric.as_deref().unwrap_or(listen).parse().map_err(|_| {
            format!("--listen wants an address and a port, such as 127.0.0.1:9091; got {listen}")
        })?;
    if !address.ip().is_loopback() {
        return Err(format!(
            "--listen {listen} would be reachable from other machines, and there is no authentication yet; \
             listen on 127.0.0.1:{} instead",
            address.port()
        ));
    }
    Ok(address)
}

fn bind(address: SocketAddr) -> Result<TcpListener, String> {
    let listener = TcpListener::bind(address).map_err(|e| match e.kind() {
        ErrorKind::AddrInUse => {
            let other = SocketAddr::new(address.ip(), address.port().checked_add(1).unwrap_or(9091));
            format!("port {} is in use; choose another: kithdb serve --listen {other}", address.port())
        }
        _ => format!("cannot listen on {address}: {e}"),
    })?;
    listener.set_nonblocking(true).map_err(|e| e.to_string())?;
    Ok(listener)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_addresses_are_listened_on() {
        for listen in ["127.0.0.1:9091", "127.0.0.2:0", "[::1]:80", "localhost:9091"] {
            assert!(loopback(listen).is_ok(), "{listen}");
        }
        for listen in ["0.0.0.0:9091", "[::]:9091", "192.168.1.5:80", "example.org:80", "9091", ""] {
            assert!(loopback(listen).is_err(), "{listen}");
        }
    }
}
