//! The `kithdb` command: serves a database directory over HTTP, loads documents into one.

mod commands;
mod http;
mod kektor;
mod page;
#[cfg(test)]
mod tests;
mod v1;

use std::process::ExitCode;

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
    Serve(commands::ServeArgs),
    /// Fill a collection from a file of documents, one JSON object a line.
    Load(commands::LoadArgs),
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Serve(args) => commands::serve(&args),
        Command::Load(args) => commands::load(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("kithdb: {message}");
            ExitCode::FAILURE
        }
    }
}
