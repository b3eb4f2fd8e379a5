//! `kithdb serve`: opens a database directory and serves it until it is told to stop.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use kithdb::base::Error;
use kithdb::base::ids::shorten;
use kithdb::host::{Db, Options, load_embedder};
use kithdb::wire;

use super::report::{StderrObserver, one_line};
use super::token::read_token;
use crate::events::Events;
use crate::http::{App, AppOptions, Limits, accept, routes, told_to_stop};

/// How long the last requests and jobs may take after the signal to stop.
const END_WITHIN: Duration = Duration::from_secs(10);

/// Arguments of `kithdb serve`.
#[derive(Debug, clap::Args)]
pub struct ServeArgs {
    /// Directory of the database; made when it does not exist.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Address and port to listen on. One that other machines reach wants a token.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:9091")]
    listen: String,
    /// File with the token that may do everything, for its owner alone to read; else the variable KITH_TOKEN. Without a
    /// token whoever reaches the port may do everything.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// One more name that requests may have as their Host, such as db.example; may be given several times.
    #[arg(long = "allowed-host", value_name = "NAME")]
    allowed_hosts: Vec<String>,
    /// Listen where other machines reach it without a token: everybody there may read and delete everything.
    #[arg(long)]
    insecure_no_auth: bool,
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
    let token = read_token(args.token_file.as_deref())?;
    let address = address(&args.listen)?;
    check_reach(address, token.is_some(), args.insecure_no_auth)?;
    let listener = bind(address)?;
    let listen = listener.local_addr().map_err(|e| e.to_string())?;
    let (embedder, allowed_hosts) = (args.embedder.clone(), args.allowed_hosts.clone());
    let (events, limits) = (Events::new(StderrObserver), Limits::default());
    let db = open(args, events.clone()).map_err(|e| one_line(&e))?;
    let app = App::new(db, AppOptions { listen, embedder, token, allowed_hosts, limits, events });
    let runtime = tokio::runtime::Runtime::new().map_err(|e| format!("cannot start threads: {e}"))?;
    println!("KithDB listens on http://{listen}");
    let served = runtime
        .block_on(async { accept(listener, &app, routes(app.clone()), told_to_stop()?, END_WITHIN).await });
    let closed = app.db().close();
    runtime.shutdown_timeout(END_WITHIN);
    served.map_err(|e| e.to_string()).and(closed.map_err(|e| one_line(&e)))
}

fn open(args: &ServeArgs, events: Events) -> Result<Db, Error> {
    let options = Options {
        level: wire::parse_level(&args.durability)?,
        embedder: args.embedder.as_deref().map(load_embedder).transpose()?,
        observer: Arc::new(events),
        read_only: args.read_only,
        memory_max: args.memory_max.map(|mib| mib << 20),
        ..Options::default()
    };
    Db::open(&args.data, options)
}

fn address(listen: &str) -> Result<SocketAddr, String> {
    let numeric = listen.strip_prefix("localhost:").map(|port| format!("127.0.0.1:{port}"));
    let wanted =
        || format!("--listen wants an address and a port, such as 127.0.0.1:9091; got {}", shorten(listen));
    numeric.as_deref().unwrap_or(listen).parse().map_err(|_| wanted())
}

/// Refuses an address that other machines reach while everybody may do everything, unless that is what is wanted.
fn check_reach(address: SocketAddr, has_token: bool, insecure: bool) -> Result<(), String> {
    if address.ip().is_loopback() || has_token {
        return Ok(());
    }
    if insecure {
        eprintln!(
            "kithdb: warning: {address} is reached from other machines and there is no token: whoever reaches it can \
             read, change and delete everything"
        );
        return Ok(());
    }
    Err(format!(
        "{address} would be reached from other machines, and there is no token; set KITH_TOKEN or --token-file, or \
         listen on 127.0.0.1:{}",
        address.port()
    ))
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
    fn addresses_that_others_reach_want_a_token() {
        for (listen, reached) in [
            ("127.0.0.1:9091", false),
            ("127.0.0.2:0", false),
            ("[::1]:80", false),
            ("localhost:9091", false),
            ("0.0.0.0:9091", true),
            ("[::]:9091", true),
            ("[::ffff:127.0.0.1]:9091", true),
            ("192.168.1.5:80", true),
        ] {
            let address = address(listen).expect(listen);
            assert_eq!(check_reach(address, false, false).is_err(), reached, "{listen}");
            assert_eq!(check_reach(address, true, false), Ok(()), "{listen}");
            assert_eq!(check_reach(address, false, true), Ok(()), "{listen}");
        }
        for listen in ["example.org:80", "9091", "", "localhost"] {
            assert!(address(listen).is_err(), "{listen}");
        }
    }
}
