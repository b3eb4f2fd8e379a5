//! Words that may not stand in a source, and the places that may have them nevertheless. What needs types to
//! be recognised (floating-point methods, say) is banned by clippy.toml instead.

use super::{Source, finding};

/// A banned word: looked for in Rust code under `within`, but not in the files that start with one of `except`.
struct Ban {
    word: &'static str,
    within: &'static str,
    except: &'static [&'static str],
    why: &'static str,
}

const fn in_core(word: &'static str, except: &'static [&'static str], why: &'static str) -> Ban {
    Ban { word, within: "core/src/", except, why }
}

const HOST: &[&str] = &["core/src/host/"];
const FILES: &[&str] = &["core/src/host/", "core/src/storage/"];
const CLOCK: &str = "core takes its clock as an argument; only the host reads one";
const LAYOUT: &str =
    "its order of additions differs between targets: reduce through an array in one written tree";
const SURFACE: &str = "only the surfaces know about this";

const BANS: &[Ban] = &[
    Ban {
        word: "unsafe",
        within: "",
        except: &["core/src/kernels/", "core/src/storage/mmap.rs"],
        why: "unsafe belongs in core's kernels and storage/mmap.rs only",
    },
    in_core("Instant", HOST, CLOCK),
    in_core("SystemTime", HOST, CLOCK),
    in_core(
        "std::thread",
        &["core/src/host/", "core/src/base/par.rs", "core/src/base/sync.rs"],
        "threads belong to the host, base::par and base::sync",
    ),
    in_core("rayon", &["core/src/base/par.rs"], "go through base::par, which keeps the order of results"),
    in_core("std::env", HOST, "only the host reads the environment"),
    in_core("std::fs", FILES, "files are the storage's"),
    in_core("std::net", &[], "core opens no socket"),
    in_core("std::process", HOST, "core starts and ends no process"),
    in_core("RandomState", &["core/src/host/clock.rs"], "core takes its seeds as arguments"),
    in_core("println!", &[], "report to the Observer"),
    in_core("eprintln!", &[], "report to the Observer"),
    in_core("mul_add", &[], "fused on some targets only: multiply, then add"),
    in_core("reduce_add", &[], LAYOUT),
    in_core("reduce_mul", &[], LAYOUT),
    in_core("napi", &[], SURFACE),
    in_core("wasm_bindgen", &[], SURFACE),
    in_core("tokio", &[], SURFACE),
    in_core("axum", &[], SURFACE),
];

/// Banned words in the code of a Rust file.
pub fn banned(source: &Source, masked: &str) -> Vec<String> {
    // Core's tests may read data and print; they may not be unsafe.
    let is_test = source.path.ends_with("tests.rs");
    let applies = |ban: &&Ban| {
        source.path.starts_with(ban.within)
            && !(is_test && ban.within == "core/src/")
            && !ban.except.iter().any(|place| source.path.starts_with(place))
    };
    let bans: Vec<&Ban> = BANS.iter().filter(applies).collect();
    let find = |(at, line): (usize, &str)| {
        let hits = bans.iter().filter(|ban| has_word(line, ban.word));
        hits.map(|ban| finding(source, at + 1, &format!("`{}`: {}", ban.word, ban.why))).collect::<Vec<_>>()
    };
    masked.lines().enumerate().flat_map(find).collect()
}

/// Marks of unfinished work, in any language, comments included. They are spelt in two halves to be allowed here.
pub fn left_overs(source: &Source) -> Vec<String> {
    let marks = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X"), concat!("HA", "CK")];
    let find = |(at, line): (usize, &str)| {
        let mark = marks.into_iter().find(|mark| has_word(line, mark))?;
        Some(finding(source, at + 1, &format!("{mark}: do it now or open an issue")))
    };
    source.text.lines().enumerate().filter_map(find).collect()
}

/// Whether `word` stands in `line` and not as a part of a longer word.
fn has_word(line: &str, word: &str) -> bool {
    let inside = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word)
        .any(|(at, _)| !line[..at].ends_with(inside) && !line[at + word.len()..].starts_with(inside))
}

#[cfg(test)]
mod tests {
    use super::super::masking::mask;
    use super::super::sample;
    use super::{banned, has_word, left_overs};

    fn found(path: &str, text: &str) -> usize {
        banned(&sample(path, text), &mask(text)).len()
    }

    #[test]
    fn unsafe_is_found_outside_its_two_places() {
        let text = "fn f() { unsafe { g() } }";
        assert_eq!(found("core/src/storage/files.rs", text), 1);
        assert_eq!(found("server/src/main.rs", text), 1);
        assert_eq!(found("core/src/storage/mmap.rs", text), 0);
        assert_eq!(found("core/src/kernels/x86.rs", text), 0);
        assert_eq!(
            found("server/src/main.rs", "#![deny(unsafe_code)] // unsafe\nconst S: &str = \"unsafe\";"),
            0
        );
    }

    #[test]
    fn clock_threads_and_environment_are_found_below_the_host() {
        let text = "use std::time::Instant;\nfn f() { std::thread::spawn(g); std::env::var(\"A\"); }";
        assert_eq!(found("core/src/engine/mod.rs", text), 3);
        assert_eq!(found("core/src/host/mod.rs", text), 0);
        assert_eq!(found("server/src/main.rs", text), 0);
    }

    #[test]
    fn sums_that_differ_between_targets_are_found() {
        assert_eq!(
            found("core/src/kernels/lanes.rs", "let s = v.reduce_add();\nlet t = a.mul_add(b, c);"),
            2
        );
        assert_eq!(found("core/src/kernels/lanes.rs", "let s = reduce_added(v);"), 0);
    }

    #[test]
    fn unfinished_work_is_found_in_comments_too() {
        let marked = concat!("fn f() {} // TO", "DO: more");
        assert_eq!(left_overs(&sample("a.rs", marked)).len(), 1);
        assert_eq!(left_overs(&sample("a.ts", marked)).len(), 1);
        assert_eq!(left_overs(&sample("a.rs", "// nothing left to do")), [""; 0]);
    }

    #[test]
    fn part_of_a_longer_word_is_another_word() {
        assert!(has_word("a.mul_add(b)", "mul_add") && has_word("unsafe", "unsafe"));
        assert!(!has_word("mul_add_all()", "mul_add") && !has_word("not_unsafe", "unsafe"));
    }
}
