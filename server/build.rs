//! Lists the files for the server to embed: the explorer, which is in `web/dist` once it was built, those of `web/`, which
//! need no build step, and the engine that runs in a tab, which is in `js/dist` once it was compiled. Without the first a
//! plain page is served in its place; without the engine there is no database of the browser, and no explorer at work.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// What is served of `web/`; tests and notes of the page are not.
const PAGE_ENDINGS: [&str; 8] = ["html", "js", "css", "svg", "png", "json", "woff2", "wasm"];
/// What is served of `js/dist`, and the parts of it that are for Node alone.
const ENGINE_ENDINGS: [&str; 2] = ["js", "wasm"];
const FOR_NODE: [&str; 1] = ["node/"];
/// The explorer's page, without which there is none.
const EXPLORER_ENTRY: &str = "index.html";
/// Without one of these there is no engine: the TypeScript is compiled by itself, the core for it where that is possible.
const ENGINE_PARTS: [&str; 2] = ["browser.js", "wasm/kithdb_wasm_bg.wasm"];

fn main() {
    let root = Path::new(&env::var("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("..");
    let mut table = String::from("&[\n");
    let page = page_files(&root.join("web")).into_iter();
    let explorer = explorer_files(&root.join("web/dist"));
    for (name, path) in page.chain(explorer).chain(engine_files(&root.join("js"))) {
        writeln!(table, "    ({name:?}, include_bytes!({path:?})),").expect("a string takes all");
    }
    table.push_str("]\n");
    let out = env::var("OUT_DIR").expect("cargo sets it");
    fs::write(Path::new(&out).join("web_files.rs"), table).expect("cargo's folder can be written");
}

/// The files of the page: each with its name under `/ui/`.
fn page_files(folder: &Path) -> Vec<(String, PathBuf)> {
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut found = vec![];
    for path in entries(folder).into_iter().filter(|path| path.is_file()) {
        let name = file_name(&path);
        let is_page = PAGE_ENDINGS.contains(&ending(&path)) && !name.contains(".test.");
        if is_page && !name.starts_with("package") {
            found.push((name, path));
        }
    }
    found
}

/// The files of the explorer, under `/ui/`; none when it was not built. Whether they change is seen with `web/`.
fn explorer_files(dist: &Path) -> Vec<(String, PathBuf)> {
    let mut found = vec![];
    if dist.join(EXPLORER_ENTRY).is_file() {
        walk(dist, "", &PAGE_ENDINGS, &mut found);
    }
    found
}

/// The files of the engine, under `/ui/kithdb/`; none when it was not compiled.
fn engine_files(js: &Path) -> Vec<(String, PathBuf)> {
    let dist = js.join("dist");
    let mut found = vec![];
    if ENGINE_PARTS.iter().all(|part| dist.join(part).is_file()) {
        walk(&dist, "", &ENGINE_ENDINGS, &mut found);
    } else {
        // A path that does not exist would make cargo run this each time; the folder above changes when it appears.
        println!("cargo::rerun-if-changed={}", if dist.is_dir() { dist.display() } else { js.display() });
    }
    // Each by itself: the addon, which is copied there at each build, is none of our business.
    for (_, path) in &found {
        println!("cargo::rerun-if-changed={}", path.display());
    }
    found.into_iter().map(|(name, path)| (format!("kithdb/{name}"), path)).collect()
}

fn walk(folder: &Path, prefix: &str, endings: &[&str], found: &mut Vec<(String, PathBuf)>) {
    for path in entries(folder) {
        let name = format!("{prefix}{}", file_name(&path));
        if path.is_dir() {
            let inner = format!("{name}/");
            if !FOR_NODE.contains(&&*inner) {
                walk(&path, &inner, endings, found);
            }
        } else if endings.contains(&ending(&path)) && !FOR_NODE.contains(&&*name) {
            found.push((name, path));
        }
    }
}

/// What is in a folder, always in the same order; nothing when it is not there.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn ending(path: &Path) -> &str {
    path.extension().and_then(|ending| ending.to_str()).unwrap_or_default()
}
