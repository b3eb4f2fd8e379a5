//! Lists the files of `web/` for the server to embed. They need no build step; without them a plain page is served.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// What is served; tests and notes of the page are not.
const ENDINGS: [&str; 8] = ["html", "js", "css", "svg", "png", "json", "woff2", "wasm"];

fn main() {
    let folder = Path::new(&env::var("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("../web");
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut files: Vec<PathBuf> =
        fs::read_dir(&folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    files.sort();
    let mut table = String::from("&[\n");
    for path in files.iter().filter(|path| path.is_file()) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let ending = path.extension().unwrap_or_default().to_string_lossy();
        if ENDINGS.contains(&&*ending) && !name.contains(".test.") && !name.starts_with("package") {
            writeln!(table, "    ({name:?}, include_bytes!({path:?})),").expect("a string takes all");
        }
    }
    table.push_str("]\n");
    let out = env::var("OUT_DIR").expect("cargo sets it");
    fs::write(Path::new(&out).join("web_files.rs"), table).expect("cargo's folder can be written");
}
