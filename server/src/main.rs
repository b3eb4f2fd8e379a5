//! The `kithdb` command: serves a database directory over HTTP, loads documents into one, looks after one.

mod commands;
mod events;
mod http;
mod kektor;
mod log;
mod openapi;
mod page;
mod process;
mod profile;
mod ruvector;
#[cfg(test)]
mod tests;
mod v1;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

#[derive(Parser)]
#[command(name = "kithdb", version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve a database directory over HTTP.
    #[command(about = "Serve a database directory over HTTP", after_help = commands::SETTINGS_HELP)]
    Serve(commands::ServeArgs),
    /// Say how `serve` would serve with these arguments, variables and file, and where each setting is from.
    #[command(about = "Say how `serve` would serve, and where each setting is from")]
    CheckConfig(commands::ServeArgs),
    /// Ask a server on this machine whether it is well.
    Health(commands::HealthArgs),
    /// Print what is served as an OpenAPI document.
    Openapi,
    /// Fill a collection from a file of documents, one JSON object a line.
    Load(commands::LoadArgs),
    /// Check every byte of a database directory; changes nothing.
    Verify(commands::VerifyArgs),
    /// Save what a damaged database still holds into a new directory; the old one stays as it is.
    Repair(commands::RepairArgs),
    /// Say what each collection holds and takes; changes nothing.
    Stats(commands::StatsArgs),
    /// Write a collection as JSON lines, which `load` reads; changes nothing.
    Dump(commands::DumpArgs),
    /// Write a collection as one file, which `import` reads; changes nothing.
    Export(commands::ExportArgs),
    /// Make a collection from what `export` wrote.
    Import(commands::ImportArgs),
}

fn main() -> ExitCode {
    kithdb::host::keep_heap_compact();
    let success = |()| ExitCode::SUCCESS;
    // Where 1 says what was found, 2 says that nothing could be found out.
    let layered =
        commands::layered(&Cli::command(), std::env::args_os().collect(), |name| std::env::var_os(name));
    let (args, told) = match layered {
        Ok(layered) => layered,
        Err(message) => {
            log::fail(&message);
            return ExitCode::from(2);
        }
    };
    let (done, failure) = match Cli::parse_from(args).command {
        Command::CheckConfig(args) => (commands::check_config(&args, &told).map(success), 1),
        Command::Health(args) => (commands::health(&args).map(success), 1),
        Command::Openapi => (commands::openapi().map(success), 1),
        Command::Serve(args) => (commands::serve(&args).map(success), 1),
        Command::Load(args) => (commands::load(&args).map(success), 1),
        Command::Verify(args) => (commands::verify(&args), 2),
        Command::Repair(args) => (commands::repair(&args), 2),
        Command::Stats(args) => (commands::stats(&args), 2),
        Command::Dump(args) => (commands::dump(&args), 1),
        Command::Export(args) => (commands::export(&args), 1),
        Command::Import(args) => (commands::import(&args), 1),
    };
    done.unwrap_or_else(|message| {
        log::fail(&message);
        ExitCode::from(failure)
    })
}
