//! `kithdb dump`, `export` and `import`: a collection as lines of JSON, as one file, and back from such a file.
//!
//! Dump and export change nothing in the database; a file that they write is new and whole, or is not there.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use kithdb::base::{Clock, Error, Seq};
use kithdb::collection::View;
use kithdb::engine::export as file_format;
use kithdb::host::{Db, Inspection, Options, SystemClock};
use kithdb::wire::{DumpEdgeLine, DumpLine};

use super::report::{Counts, StderrObserver, one_line, out};

/// Documents read at once.
const PAGE: usize = 1_000;

/// Arguments of `kithdb dump`.
#[derive(Debug, clap::Args)]
pub struct DumpArgs {
    /// Directory of the database; nothing in it is changed.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// The collection.
    #[arg(value_name = "COLLECTION")]
    collection: String,
    /// Where to; a new file. Left out, standard output.
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
}

/// Arguments of `kithdb export`.
#[derive(Debug, clap::Args)]
pub struct ExportArgs {
    /// Directory of the database; nothing in it is changed.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// The collection.
    #[arg(value_name = "COLLECTION")]
    collection: String,
    /// Where to; a new file.
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// Arguments of `kithdb import`.
#[derive(Debug, clap::Args)]
pub struct ImportArgs {
    /// Directory of the database; made when it does not exist.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Name of the new collection.
    #[arg(value_name = "NAME")]
    name: String,
    /// What an export wrote.
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// Writes a collection as JSON lines.
pub fn dump(args: &DumpArgs) -> Result<ExitCode, String> {
    let view = view(&args.data, &args.collection)?;
    let Some(file) = &args.file else {
        let mut output = BufWriter::new(std::io::stdout().lock());
        return match write_lines(&view, &mut output) {
            // Whoever reads has had enough: `| head`.
            Err(Failed::Writing(e)) if e.kind() == ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
            Err(failed) => Err(failed.text("standard output")),
            Ok(_) => Ok(ExitCode::SUCCESS),
        };
    };
    let count = write_new(file, |output| write_lines(&view, output))?;
    out(&format!("wrote {count} of {} to {}", args.collection, file.display()));
    Ok(ExitCode::SUCCESS)
}

/// Writes a collection as one file.
pub fn export(args: &ExportArgs) -> Result<ExitCode, String> {
    let view = view(&args.data, &args.collection)?;
    let bytes = file_format::write(&view).map_err(|e| one_line(&e))?;
    write_new(&args.file, |output| output.write_all(&bytes).map_err(Failed::Writing))?;
    let (count, len, file) = (view.live(), bytes.len(), args.file.display());
    out(&format!("exported {count} documents of {} to {file}, {len} bytes", args.collection));
    Ok(ExitCode::SUCCESS)
}

/// Makes a collection from what an export wrote.
pub fn import(args: &ImportArgs) -> Result<ExitCode, String> {
    let bytes = std::fs::read(&args.file).map_err(|e| format!("{}: {e}", args.file.display()))?;
    let import = || -> Result<usize, Error> {
        let observer = Arc::new(StderrObserver);
        let db = Db::open(&args.data, Options { observer, auto_jobs: false, ..Options::default() })?;
        let count = db.import(&args.name, &bytes)?.info()?.stats.documents;
        db.close()?;
        Ok(count)
    };
    let count = import().map_err(|e| one_line(&e))?;
    out(&format!("imported {count} documents from {} into {}", args.file.display(), args.name));
    Ok(ExitCode::SUCCESS)
}

fn view(data: &Path, collection: &str) -> Result<Arc<View>, String> {
    let read = || Inspection::open(data, Arc::new(StderrObserver))?.view(collection);
    read().map_err(|e| one_line(&e))
}

/// Why nothing came of it.
enum Failed {
    Reading(Error),
    Writing(std::io::Error),
}

impl Failed {
    fn text(&self, file: &str) -> String {
        match self {
            Self::Reading(error) => one_line(error),
            Self::Writing(error) => format!("{file}: {error}"),
        }
    }
}

/// All live documents and then all edges that are there, in the order of seq, a line each.
fn write_lines(view: &View, output: &mut impl Write) -> Result<Counts, Failed> {
    let (mut cursor, mut documents): (Option<Seq>, usize) = (None, 0);
    let now = view.now(SystemClock.now_ns());
    loop {
        let page = view.scan(cursor, PAGE, now).map_err(Failed::Reading)?;
        for row in &page.rows {
            write_line(&DumpLine::from(&**row), output)?;
        }
        documents += page.rows.len();
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    let edges = view.all_edges(now).map_err(Failed::Reading)?;
    for read in edges.iter() {
        let (seq, edge) = read.map_err(Failed::Reading)?;
        write_line(&DumpEdgeLine::new(seq, edge), output)?;
    }
    output.flush().map_err(Failed::Writing)?;
    Ok(Counts { documents, edges: edges.len() })
}

fn write_line(line: &impl serde::Serialize, output: &mut impl Write) -> Result<(), Failed> {
    serde_json::to_writer(&mut *output, line).map_err(|e| Failed::Writing(e.into()))?;
    output.write_all(b"\n").map_err(Failed::Writing)
}

/// Writes a new file, whole and on the disk; on an error there is none.
fn write_new<T>(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> Result<T, Failed>,
) -> Result<T, String> {
    let name = path.display().to_string();
    let file = OpenOptions::new().write(true).create_new(true).open(path).map_err(|e| match e.kind() {
        ErrorKind::AlreadyExists => format!("{name} exists already and is left as it is; name another file"),
        _ => format!("{name}: {e}"),
    })?;
    let mut output = BufWriter::new(file);
    let written = write(&mut output).and_then(|done| {
        output.flush().and_then(|()| output.get_ref().sync_all()).map_err(Failed::Writing)?;
        Ok(done)
    });
    written.map_err(|failed| {
        // Half a file would be taken for a whole one.
        drop(std::fs::remove_file(path));
        failed.text(&name)
    })
}
