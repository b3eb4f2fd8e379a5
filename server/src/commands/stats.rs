//! `kithdb stats`: what each collection holds and takes. Changes nothing.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use kithdb::base::Result;
use kithdb::engine::stats::Figures;
use kithdb::host::Inspection;
use kithdb::storage::BlobKind;
use kithdb::wire::{FiguresAnswer, StatsAnswer};

use super::report::{StderrObserver, one_line, out};

/// Arguments of `kithdb stats`.
#[derive(Debug, clap::Args)]
pub struct StatsArgs {
    /// Directory of the database; nothing in it is changed.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

/// A collection's name, and its figures or why there are none.
type Told = (String, Result<Figures>);

/// Prints figures; ends with 1 when a collection cannot be read.
pub fn stats(args: &StatsArgs) -> std::result::Result<ExitCode, String> {
    let told = read(args).map_err(|e| one_line(&e))?;
    if args.json {
        let collections = told.iter().map(|(name, figures)| FiguresAnswer::new(name, figures)).collect();
        let answer = serde_json::to_value(StatsAnswer { collections }).map_err(|e| e.to_string())?;
        out(&format!("{answer:#}"));
    } else {
        table(&told).iter().for_each(|line| out(line));
    }
    let all_read = told.iter().all(|(_, figures)| figures.is_ok());
    Ok(if all_read { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn read(args: &StatsArgs) -> Result<Vec<Told>> {
    let inspection = Inspection::open(&args.data, Arc::new(StderrObserver))?;
    let names = inspection.entries()?.iter().map(|entry| &entry.name);
    Ok(names.map(|name| (name.clone(), inspection.figures(name))).collect())
}

/// Bytes of all blobs of a kind.
fn bytes_of(figures: &Figures, kind: BlobKind) -> u64 {
    let blobs = figures.segments.iter().flat_map(|segment| &segment.blobs);
    blobs.filter(|(of, _)| *of == kind).map(|(_, bytes)| bytes).sum()
}

fn log_bytes(figures: &Figures) -> u64 {
    figures.logs.iter().map(|(_, bytes)| bytes).sum()
}

/// One row a collection and one in all, then what does not fit a row.
fn table(told: &[Told]) -> Vec<String> {
    let head = ["collection", "documents", "vectors", "dim", "ended", "segments", "indexed", "blobs", "log"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    let mut notes = Vec::new();
    for (name, figures) in told {
        let figures = match figures {
            Ok(figures) => figures,
            Err(error) => {
                rows.push(vec![name.clone(), "cannot be read".to_owned()]);
                notes.push(format!("{name}: {}", one_line(error)));
                continue;
            }
        };
        let is_indexed = |blobs: &[(BlobKind, u64)]| blobs.iter().any(|(kind, _)| *kind == BlobKind::Links);
        let indexed = figures.segments.iter().filter(|segment| is_indexed(&segment.blobs)).count();
        let blobs: u64 = BlobKind::ALL.iter().map(|kind| bytes_of(figures, *kind)).sum();
        let dim = figures.dim.map_or("-".to_owned(), |dim| dim.to_string());
        let counts = [figures.documents, figures.vectors].map(|n| n.to_string());
        let more = [figures.ended, figures.segments.len(), indexed].map(|n| n.to_string());
        let sizes = [blobs, log_bytes(figures)].map(size);
        rows.push([vec![name.clone()], counts.to_vec(), vec![dim], more.to_vec(), sizes.to_vec()].concat());
        notes.extend(details(name, figures));
    }
    let mut lines = aligned(&rows);
    if !notes.is_empty() {
        lines.push(String::new());
        lines.extend(notes);
    }
    lines
}

fn details(name: &str, figures: &Figures) -> Vec<String> {
    let kinds = BlobKind::ALL.map(|kind| (kind.name(), bytes_of(figures, kind)));
    let kinds: Vec<String> = kinds
        .iter()
        .filter(|(_, bytes)| *bytes > 0)
        .map(|(kind, bytes)| format!("{kind} {}", size(*bytes)))
        .collect();
    let memtable = &figures.memtable;
    let embedder = figures.config.embedder.as_ref().map_or("none", |embedder| &embedder.name);
    let previous = figures.previous.map_or("none".to_owned(), |n| n.to_string());
    let mut lines = vec![
        format!(
            "{name}: {} distance, embedder {embedder}, format {}, generation {}, to fall back on {previous}",
            figures.config.metric.name(),
            figures.format_version,
            figures.generation
        ),
        format!(
            "{name}: memtable {} documents, to be replayed from {} frames, {}",
            memtable.documents,
            memtable.frames,
            size(memtable.bytes)
        ),
    ];
    if !kinds.is_empty() {
        lines.push(format!("{name}: {}", kinds.join(", ")));
    }
    if memtable.tail_bytes > 0 {
        lines.push(format!("{name}: {} bytes of an unfinished write behind them", memtable.tail_bytes));
    }
    lines
}

/// Columns: the first to the left, the others to the right.
fn aligned(rows: &[Vec<String>]) -> Vec<String> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let full = rows.iter().filter(|row| row.len() == columns);
    let mut widths = vec![0; columns];
    for row in full {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.len().max(*width);
        }
    }
    widths[0] = rows.iter().map(|row| row[0].len()).max().unwrap_or(0);
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).enumerate().map(|(i, (cell, width))| match i {
            0 => format!("{cell:<width$}"),
            _ => format!("{cell:>width$}"),
        });
        cells.collect::<Vec<_>>().join("  ")
    };
    rows.iter().map(line).collect()
}

/// Bytes for people.
fn size(bytes: u64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let (mut value, mut unit) = (bytes as f64, 0);
    while value >= 1024.0 && unit + 1 < units.len() {
        value /= 1024.0;
        unit += 1;
    }
    if unit == 0 { format!("{bytes} B") } else { format!("{value:.1} {}", units[unit]) }
}
