//! Small libraries in C that a server is started with, in place of or beside what the system gives it (`LD_PRELOAD`).

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::block_disk::ran;

/// Compiles one into a directory; the path of the library.
///
/// # Errors
/// When it cannot be written, or `cc` is missing or refuses it.
pub fn library(directory: &Path, name: &str, source: &str) -> Result<PathBuf, String> {
    let (code, library) = (directory.join(format!("{name}.c")), directory.join(format!("{name}.so")));
    std::fs::write(&code, source).map_err(|e| e.to_string())?;
    ran(Command::new("cc").args(["-shared", "-fPIC", "-pthread", "-o"]).arg(&library).arg(&code))?;
    Ok(library)
}
