//! What the compiler does not check about the sources: who imports whom, where `unsafe` may be, how a file
//! opens, how long it is, and words that have no place in it. Every rule returns its findings, so that a rule
//! can be shown to fail on a bad sample.

mod layers;
mod masking;
mod words;

use std::path::{Path, PathBuf};
use std::process::Command;

use masking::mask;

/// Longest file, tests and tables apart.
const LINES_MAX: usize = 800;

/// One file: its path from the repository's root with `/`, and its text.
struct Source {
    path: String,
    text: String,
}

impl Source {
    fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// Whether the file holds tests or data rather than code: the bound on length is not for these.
    fn is_test_or_table(&self) -> bool {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        let folders = ["tests/", "js/test/", "core/tests/", "server/tests/"];
        folders.iter().any(|folder| self.path.starts_with(folder))
            || name.ends_with("tests.rs")
            || name.contains(".test.")
            || name.contains("table")
    }
}

/// A finding: `path:line: what is wrong and what to do`.
fn finding(source: &Source, line: usize, what: &str) -> String {
    format!("{}:{line}: {what}", source.path)
}

fn check(source: &Source) -> Vec<String> {
    let mut findings = [opening(source), length(source), words::left_overs(source)].concat();
    if source.is_rust() {
        let masked = mask(&source.text);
        findings.extend(ascii(source));
        findings.extend(words::banned(source, &masked));
        findings.extend(layers::imports(source, &masked));
    }
    findings
}

/// A file opens by saying what it owns.
fn opening(source: &Source) -> Vec<String> {
    let first = source.text.lines().find(|line| !line.starts_with("#!")).unwrap_or_default();
    let (opens, wanted) = match source.path.rsplit('.').next() {
        Some("rs") => (first.starts_with("//! "), "//!"),
        Some("sh" | "py") => (first.starts_with("# ") || first.starts_with("\"\"\""), "#"),
        _ => (first.starts_with("// ") || first.starts_with("/*"), "//"),
    };
    if opens {
        vec![]
    } else {
        vec![finding(source, 1, &format!("open the file with `{wanted}` and what it owns"))]
    }
}

/// No file grows past what one can hold in one's head. The unit tests at its end don't count.
fn length(source: &Source) -> Vec<String> {
    if source.is_test_or_table() {
        return vec![];
    }
    let lines: Vec<&str> = source.text.lines().collect();
    let tests =
        |pair: &[&str]| pair[0].trim() == "#[cfg(test)]" && pair[1].trim_end().ends_with("mod tests {");
    let count = lines.windows(2).position(tests).unwrap_or(lines.len());
    if count <= LINES_MAX {
        return vec![];
    }
    vec![finding(
        source,
        LINES_MAX,
        &format!("{count} lines; {LINES_MAX} are the most: it does two things, part them"),
    )]
}

/// Rust sources are ASCII, so that what looks the same is the same.
fn ascii(source: &Source) -> Vec<String> {
    let lines = source.text.lines().enumerate().filter(|(_, line)| !line.is_ascii());
    lines.map(|(at, _)| finding(source, at + 1, "write what is not ASCII as \\u{...}")).collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The repository's own sources: what git tracks or would track; in an unpacked archive, all but the built folders.
fn sources() -> Vec<Source> {
    let listed = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .ok()
        .filter(|output| output.status.success() && !output.stdout.is_empty());
    let paths: Vec<String> = match listed {
        Some(output) => String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect(),
        None => {
            let mut paths = vec![];
            walk(&root(), "", &mut paths);
            paths
        }
    };
    let known = ["rs", "ts", "tsx", "js", "mjs", "sh", "py"];
    let is_source = |path: &String| path.rsplit_once('.').is_some_and(|(_, ending)| known.contains(&ending));
    // A file that git lists may have been deleted a moment ago.
    let read =
        |path: String| std::fs::read_to_string(root().join(&path)).ok().map(|text| Source { path, text });
    paths.into_iter().filter(is_source).filter_map(read).collect()
}

fn walk(folder: &Path, prefix: &str, paths: &mut Vec<String>) {
    let entries = std::fs::read_dir(folder).expect("the repository is readable");
    for entry in entries.map(|entry| entry.expect("the repository is readable")) {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name == ".git" || name == "target" || name == "node_modules" || name == "dist" {
            continue;
        }
        let path = format!("{prefix}{name}");
        if entry.file_type().expect("the repository is readable").is_dir() {
            walk(&entry.path(), &format!("{path}/"), paths);
        } else {
            paths.push(path);
        }
    }
}

#[test]
fn sources_are_tidy() {
    let sources = sources();
    let has = |path: &str| sources.iter().any(|source| source.path == path);
    assert!(has("core/src/lib.rs") && has("tests/suite/tidy.rs"), "the sources were not found");
    let findings: Vec<String> = sources.iter().flat_map(check).collect();
    assert!(findings.is_empty(), "{} findings:\n{}", findings.len(), findings.join("\n"));
}

#[test]
fn walk_finds_what_git_lists() {
    let mut paths = vec![];
    walk(&root(), "", &mut paths);
    for source in sources() {
        assert!(paths.contains(&source.path), "{} was not found by walking", source.path);
    }
}

/// A sample for the tests of the rules.
fn sample(path: &str, text: &str) -> Source {
    Source { path: path.into(), text: text.into() }
}

#[test]
fn file_without_an_opening_is_found() {
    assert_eq!(opening(&sample("core/src/base/a.rs", "//! Owns.\nuse a;\n")), [""; 0]);
    assert_eq!(opening(&sample("core/src/base/a.rs", "use a;\n//! Owns.\n")).len(), 1);
    assert_eq!(opening(&sample("js/src/a.ts", "// Owns.\n")), [""; 0]);
    assert_eq!(opening(&sample("js/src/a.ts", "import a from 'a';\n")).len(), 1);
    assert_eq!(opening(&sample("a.sh", "#!/bin/sh\n# Owns.\n")), [""; 0]);
    assert_eq!(opening(&sample("a.sh", "#!/bin/sh\nset -e\n")).len(), 1);
    assert_eq!(opening(&sample("a.rs", "")).len(), 1);
}

#[test]
fn long_file_is_found_unless_it_is_tests_or_a_table() {
    let long = "a\n".repeat(LINES_MAX + 1);
    assert_eq!(length(&sample("core/src/base/a.rs", &long)).len(), 1);
    assert_eq!(length(&sample("core/src/base/a.rs", &"a\n".repeat(LINES_MAX))), [""; 0]);
    assert_eq!(length(&sample("core/src/text/fold_table.rs", &long)), [""; 0]);
    let unit_tests = format!("a\n#[cfg(test)]\nmod tests {{\n{long}}}\n");
    assert_eq!(length(&sample("core/src/base/a.rs", &unit_tests)), [""; 0]);
}

#[test]
fn letter_that_is_not_ascii_is_found() {
    assert_eq!(ascii(&sample("a.rs", "//! fine\n// caf\u{e9}\n")).len(), 1);
    assert_eq!(ascii(&sample("a.rs", "//! \\u{e9}\n")), [""; 0]);
}
