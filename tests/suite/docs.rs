//! What docs/FORMAT.md and docs/GLOSSARY.md say of the code is there, and what the code writes is in them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use kithdb::storage::BlobKind;

/// Where the sections of each kind of blob are numbered.
const SECTIONS: [(BlobKind, &str); 10] = [
    (BlobKind::Rows, "core/src/segment/rows.rs"),
    (BlobKind::Codes, "core/src/vectors/int8.rs"),
    (BlobKind::Links, "core/src/index/hnsw/links.rs"),
    (BlobKind::Text, "core/src/text/index.rs"),
    (BlobKind::Columns, "core/src/meta/column_builder.rs"),
    (BlobKind::Edges, "core/src/graph/sections.rs"),
    (BlobKind::Ends, "core/src/segment/ends.rs"),
    (BlobKind::Bits, "core/src/vectors/bits.rs"),
    (BlobKind::Pq, "core/src/vectors/pq.rs"),
    (BlobKind::Opq, "core/src/vectors/opq.rs"),
];
/// Constants of the container itself, which number no section.
const CONTAINER: &str = "core/src/storage/blob.rs";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// Every Rust source of core: its path from the root, and its text.
fn core_sources() -> Vec<(String, String)> {
    let (mut folders, mut sources) = (vec!["core/src".to_owned()], vec![]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(root().join(&folder)).expect("readable") {
            let entry = entry.expect("readable");
            let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
            if entry.file_type().expect("readable").is_dir() {
                folders.push(path);
            } else if path.ends_with(".rs") {
                let text = read(&path);
                sources.push((path, text));
            }
        }
    }
    sources
}

/// Headings of a page as anchors: without case, as a link would name them.
fn headings(page: &str) -> BTreeSet<String> {
    page.lines()
        .filter_map(|line| line.strip_prefix('#'))
        .map(|h| anchor(h.trim_start_matches('#')))
        .collect()
}

fn anchor(heading: &str) -> String {
    heading.trim().to_lowercase().replace(' ', "-")
}

/// The text under a heading, up to the next one.
fn under<'a>(page: &'a str, heading: &str) -> &'a str {
    let start = page.find(&format!("\n### {heading}\n")).unwrap_or_else(|| panic!("no heading {heading}"));
    let body = &page[start + heading.len() + 6..];
    &body[..body.find("\n#").unwrap_or(body.len())]
}

/// Constants of type u16: in core these number sections.
fn numbers(source: &str) -> Vec<(String, u16)> {
    let number = |line: &str| {
        let (name, value) = line.split_once("const ")?.1.split_once(": u16 = ")?;
        Some((name.trim_end_matches("_SECTION").to_owned(), value.trim_end_matches(';').parse().ok()?))
    };
    source.lines().filter_map(number).collect()
}

#[test]
fn every_kind_and_section_is_documented() {
    let page = read("docs/FORMAT.md");
    assert_eq!(SECTIONS.map(|(kind, _)| kind), BlobKind::ALL, "a kind without a file here");
    for (kind, path) in SECTIONS {
        let row = format!("| `{}` | {} |", kind.name(), kind as u16);
        assert!(page.contains(&row), "docs/FORMAT.md has no line {row}");
        let (body, sections) = (under(&page, kind.name()), numbers(&read(path)));
        assert!(!sections.is_empty(), "{path} numbers no section any more");
        for (name, id) in &sections {
            let row = format!("| {id} | `{name}` |");
            assert!(body.contains(&row), "docs/FORMAT.md, \"{}\", has no line {row} ({path})", kind.name());
        }
        let is_section = |line: &&str| line.split(" | ").nth(1).is_some_and(|cell| cell.starts_with('`'));
        let documented = body.lines().filter(is_section).count();
        assert_eq!(
            documented,
            sections.len(),
            "docs/FORMAT.md, \"{}\", has more sections than {path}",
            kind.name()
        );
    }
    for (path, text) in core_sources() {
        let known = path == CONTAINER || SECTIONS.iter().any(|(_, known)| *known == path);
        assert!(known || numbers(&text).is_empty(), "{path} numbers sections that this test does not know");
    }
}

#[test]
fn every_magic_is_documented() {
    let page = read("docs/FORMAT.md");
    let mut count = 0;
    for (path, text) in core_sources() {
        for magic in text.split("b\"KITH").skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(page.contains(&format!("`KITH{magic}`")), "docs/FORMAT.md lacks KITH{magic} of {path}");
            count += 1;
        }
    }
    assert!(count >= 7, "{count} magics: the search is broken");
}

#[test]
fn every_reference_from_code_names_a_heading() {
    let known = headings(&read("docs/FORMAT.md"));
    let mut count = 0;
    for (path, text) in core_sources() {
        for rest in text.split("docs/FORMAT.md, \"").skip(1) {
            let name = rest.split('"').next().unwrap_or_default();
            assert!(known.contains(&anchor(name)), "{path} names \"{name}\", which docs/FORMAT.md lacks");
            count += 1;
        }
    }
    assert!(count >= 10, "{count} references: the search is broken");
}

#[test]
fn every_file_and_function_that_the_pages_name_exists() {
    let mut count = 0;
    for page in ["docs/FORMAT.md", "docs/GLOSSARY.md"] {
        let text = read(page);
        let quoted = text.split('`').skip(1).step_by(2);
        for name in quoted.filter(|name| ["core/", "tests/"].iter().any(|top| name.starts_with(top))) {
            let (path, item) = name.split_once("::").unwrap_or((name, ""));
            let source = read(path);
            for word in item.split("::").filter(|word| !word.is_empty()) {
                let kinds = ["fn", "struct", "enum"];
                let declared = kinds.iter().any(|kind| {
                    let opening = format!("{kind} {word}");
                    source.match_indices(&opening).any(|(at, _)| {
                        let next = source[at + opening.len()..].chars().next();
                        next.is_none_or(|c| !c.is_alphanumeric() && c != '_')
                    })
                });
                assert!(declared, "{page}: {path} declares no {word}");
            }
            count += 1;
        }
    }
    assert!(count >= 60, "{count} names: the search is broken");
}

#[test]
fn glossary_is_sorted_and_complete() {
    let text = read("docs/GLOSSARY.md");
    let rows = text.lines().filter(|line| line.starts_with("| ")).skip(1);
    let words: Vec<&str> = rows.filter_map(|row| row[2..].split(" | ").next()).collect();
    assert!(words.is_sorted_by(|a, b| a < b), "words in alphabetical order, each once");
    for kind in BlobKind::ALL.into_iter().filter(|kind| !["rows", "text"].contains(&kind.name())) {
        assert!(words.contains(&kind.name()), "the glossary lacks {}", kind.name());
    }
}
