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

use super::descriptors;
use super::layers::Told;
use super::report::{StderrObserver, one_line, out};
use super::token::read_token;
use crate::events::Events;
use crate::http::{App, AppOptions, Limits, Origin, accept, routes, told_to_stop};
use crate::log::{self, LogFormat, LogLevel};

/// How long the last requests and jobs may take after the signal to stop.
const END_WITHIN: Duration = Duration::from_secs(10);

/// Said at the end of `--help`.
pub const SETTINGS_HELP: &str = "\
Each setting may also be a variable of the environment, KITH_DATA for --data, or stand in the YAML file of --config,
data: DIR. An argument comes before a variable, a variable before the file. KEKTOR_DATA_DIR, KEKTOR_PORT and KEKTOR_TOKEN
are read where KITH_DATA, KITH_LISTEN and KITH_TOKEN are not set. `kithdb check-config` says what comes of it.";

/// Arguments of `kithdb serve`.
#[derive(Debug, clap::Args)]
pub struct ServeArgs {
    /// YAML file with settings, named as the arguments, with _ for -; else the variable KITH_CONFIG.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
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
    #[arg(long, value_name = "NAME")]
    allowed_host: Vec<String>,
    /// One more origin whose pages may ask this server, such as https://app.example; may be given several times. Without a
    /// token its pages may do everything.
    #[arg(long, value_name = "ORIGIN")]
    cors_origin: Vec<Origin>,
    /// One more server that the explorer of this one may ask, by its origin, where this one is a --cors-origin; may be
    /// given several times.
    #[arg(long, value_name = "ORIGIN", value_parser = Origin::in_policy)]
    remote_origin: Vec<Origin>,
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
    /// Connections at once; more are told to come again.
    #[arg(long, value_name = "COUNT", default_value_t = Limits::default().connections)]
    connections_max: usize,
    /// Requests at once, those that wait included; more are told to come again.
    #[arg(long, value_name = "COUNT", default_value_t = Limits::default().requests)]
    requests_max: usize,
    /// How many MiB the bodies of requests take at most, all together.
    #[arg(long, value_name = "MIB", default_value_t = Limits::default().body_bytes >> 20)]
    bodies_max: usize,
    /// How many MiB the answers to requests take at most until they are sent, all together; one longer than half of that
    /// is sent beside them.
    #[arg(long, value_name = "MIB", default_value_t = Limits::default().answer_bytes >> 20)]
    answers_max: usize,
    /// What is written to stderr: error, warn, info, or debug, which has a line for each request.
    #[arg(long, value_name = "LEVEL", default_value = "info")]
    log_level: LogLevel,
    /// How it is written: text, or json, one object a line.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    log_format: LogFormat,
    /// A request that takes longer, in milliseconds, is logged as slow.
    #[arg(long, value_name = "MS", default_value_t = 10_000)]
    slow_request: u64,
}

/// Serves until SIGINT or SIGTERM.
pub fn serve(args: &ServeArgs) -> Result<(), String> {
    log::set_up(args.log_level, args.log_format);
    log::say_panics();
    keep_to_its_user();
    let token = read_token(args.token_file.as_deref())?;
    let address = address(&args.listen)?;
    check_reach(address, token.is_some(), args.insecure_no_auth)?;
    let listener = bind(address)?;
    let listen = listener.local_addr().map_err(|e| e.to_string())?;
    let events = Events::new(StderrObserver);
    let db = open(args, events.clone()).map_err(|e| one_line(&e))?;
    let options = AppOptions {
        listen,
        embedder: args.embedder.clone(),
        token,
        allowed_hosts: args.allowed_host.clone(),
        cors_origins: args.cors_origin.clone(),
        remote_origins: args.remote_origin.clone(),
        limits: descriptors::within(args.limits()),
        events,
        slow: Duration::from_millis(args.slow_request),
    };
    let app = App::new(db, options);
    let runtime = tokio::runtime::Runtime::new().map_err(|e| format!("cannot start threads: {e}"))?;
    println!("KithDB listens on http://{listen}");
    let served = runtime
        .block_on(async { accept(listener, &app, routes(app.clone()), told_to_stop()?, END_WITHIN).await });
    let closed = app.db().close();
    runtime.shutdown_timeout(END_WITHIN);
    served.map_err(|e| e.to_string()).and(closed.map_err(|e| one_line(&e)))
}

/// What a server makes is for its user alone, wherever the directory lies: it asks others for a token, so that they must
/// not read the files either.
#[cfg(unix)]
fn keep_to_its_user() {
    use rustix::fs::Mode;
    rustix::process::umask(Mode::RWXG | Mode::RWXO);
}

/// Access lists are inherited from the directory here.
#[cfg(not(unix))]
fn keep_to_its_user() {}

impl ServeArgs {
    fn limits(&self) -> Limits {
        let (connections, requests) = (self.connections_max, self.requests_max);
        let bytes = |mib: usize| mib.saturating_mul(1 << 20);
        let (body_bytes, answer_bytes) = (bytes(self.bodies_max), bytes(self.answers_max));
        Limits { connections, requests, body_bytes, answer_bytes, ..Limits::default() }
    }

    /// Every setting with its value, as the file has it. No secret is among them.
    fn settings(&self) -> [(&'static str, String); 18] {
        let text = |value: &str| serde_json::Value::from(value).to_string();
        let path =
            |path: &Option<PathBuf>| path.as_ref().map_or("null".into(), |p| text(&p.to_string_lossy()));
        let list = |values: Vec<String>| format!("[{}]", values.join(", "));
        let hosts = list(self.allowed_host.iter().map(|host| text(host)).collect());
        let origins = |all: &[Origin]| list(all.iter().map(|origin| text(origin.as_str())).collect());
        let log_level = format!("{:?}", self.log_level).to_ascii_lowercase();
        [
            ("data", text(&self.data.to_string_lossy())),
            ("listen", text(&self.listen)),
            ("token_file", path(&self.token_file)),
            ("allowed_host", hosts),
            ("cors_origin", origins(&self.cors_origin)),
            ("remote_origin", origins(&self.remote_origin)),
            ("insecure_no_auth", self.insecure_no_auth.to_string()),
            ("embedder", path(&self.embedder)),
            ("durability", text(&self.durability)),
            ("memory_max", self.memory_max.map_or("null".into(), |mib| mib.to_string())),
            ("read_only", self.read_only.to_string()),
            ("connections_max", self.connections_max.to_string()),
            ("requests_max", self.requests_max.to_string()),
            ("bodies_max", self.bodies_max.to_string()),
            ("answers_max", self.answers_max.to_string()),
            ("log_level", log_level),
            ("log_format", format!("{:?}", self.log_format).to_ascii_lowercase()),
            ("slow_request", self.slow_request.to_string()),
        ]
    }
}

/// Says how `serve` would serve, without doing it: a file for `--config`, with where each setting is from.
pub fn check_config(args: &ServeArgs, told: &[Told]) -> Result<(), String> {
    wire::parse_level(&args.durability).map_err(|e| one_line(&e))?;
    let token = read_token(args.token_file.as_deref())?;
    check_reach(address(&args.listen)?, token.is_some(), args.insecure_no_auth)?;
    out(if token.is_some() {
        "# a token is set"
    } else {
        "# no token is set: whoever reaches the port may do everything"
    });
    for (key, value) in args.settings() {
        let source = told.iter().find(|told| told.key == key).map_or("the default", |told| &told.source);
        out(&format!("{key}: {value} # {source}"));
    }
    Ok(())
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
        let message = format!(
            "{address} is reached from other machines and there is no token: whoever reaches it can read, change and \
             delete everything"
        );
        log::say(LogLevel::Error, &message, &[]);
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
