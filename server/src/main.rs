//! The `kithdb` command: serves a database directory over HTTP.

use std::net::SocketAddr;
use std::path::PathBuf;

use axum::{Json, Router, routing::get};
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "kithdb", version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve a database directory over HTTP.
    Serve {
        /// Directory of the database; made when it does not exist.
        #[arg(long)]
        data: PathBuf,
        /// Loopback address to listen on.
        #[arg(long, default_value = "127.0.0.1:9091")]
        listen: SocketAddr,
    },
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let Cli { command: Command::Serve { data, listen } } = Cli::parse();
    std::fs::create_dir_all(&data)?;
    let routes = Router::new().route("/healthz", get(async || Json(serde_json::json!({"status": "ok"}))));
    let listener = tokio::net::TcpListener::bind(listen).await?;
    println!("KithDB listens on http://{}", listener.local_addr()?);
    axum::serve(listener, routes).await
}
