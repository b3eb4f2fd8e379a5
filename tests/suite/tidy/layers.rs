//! The import direction of core's modules, read from `crate::` paths and from `super::` paths that climb to
//! the crate's root. ARCHITECTURE.md draws it.

use super::{Source, finding};

/// A module may import those in earlier rows; those in one row don't know each other.
const ROWS: [&[&str]; 10] = [
    &["base"],
    &["kernels"],
    &["storage"],
    &["vectors"],
    &["index", "text", "meta", "graph", "embed"],
    &["segment"],
    &["collection"],
    &["engine"],
    &["wire"],
    &["host"],
];

fn row(module: &str) -> Option<usize> {
    ROWS.iter().position(|row| row.contains(&module))
}

/// Imports that point up or sideways, and modules that the table does not know.
pub fn imports(source: &Source, masked: &str) -> Vec<String> {
    let Some(path) = source.path.strip_prefix("core/src/").filter(|path| *path != "lib.rs") else {
        return vec![];
    };
    let modules = modules_of(path);
    let own = modules[0];
    let Some(own_row) = row(own) else {
        return vec![finding(
            source,
            1,
            &format!("`{own}` has no place among core's modules: put it in one"),
        )];
    };
    let wrong = |to: &str| to != own && row(to).is_none_or(|to_row| to_row >= own_row);
    let describe = |(line, to): (usize, &str)| {
        let what = match row(to) {
            Some(_) => format!("`{own}` may not import `{to}`"),
            None => format!("`crate::{to}` hides where it comes from: name its module"),
        };
        finding(source, line, &what)
    };
    rooted_names(&modules, masked).into_iter().filter(|(_, to)| wrong(to)).map(describe).collect()
}

/// `storage/files.rs` is `[storage, files]`, `storage/mod.rs` is `[storage]`.
fn modules_of(path: &str) -> Vec<&str> {
    let mut parts: Vec<&str> = path.trim_end_matches(".rs").split('/').collect();
    if parts.len() > 1 && parts.last() == Some(&"mod") {
        parts.pop();
    }
    parts
}

struct Token<'a> {
    line: usize,
    text: &'a str,
}

/// Identifiers, `::`, and every other character that is not white space.
fn tokens(masked: &str) -> Vec<Token<'_>> {
    let mut tokens = vec![];
    for (at, mut rest) in masked.lines().enumerate() {
        while let Some(first) = rest.chars().next() {
            let word = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            let len = match first {
                _ if word > 0 => word,
                ':' if rest.starts_with("::") => 2,
                _ => first.len_utf8(),
            };
            if !first.is_whitespace() {
                tokens.push(Token { line: at + 1, text: &rest[..len] });
            }
            rest = &rest[len..];
        }
    }
    tokens
}

/// The first names of all paths that start at the crate's root, with their lines.
fn rooted_names<'a>(modules: &[&str], masked: &'a str) -> Vec<(usize, &'a str)> {
    let tokens = tokens(masked);
    let text = |at: usize| tokens.get(at).map_or("", |token| token.text);
    let mut names = vec![];
    let mut braces = vec![]; // of each open brace, whether it is an inline module's
    for at in 0..tokens.len() {
        let starts_path = text(at + 1) == "::" && (at == 0 || text(at - 1) != "::");
        match text(at) {
            "{" => braces.push(at >= 2 && text(at - 2) == "mod"),
            "}" => _ = braces.pop(),
            "crate" if starts_path => names.extend(names_at(&tokens[at + 2..])),
            "super" if starts_path => {
                let climbs = (0..).take_while(|step| text(at + 2 * step) == "super").count();
                let depth = modules.len() + braces.iter().filter(|inline| **inline).count();
                if climbs >= depth {
                    names.extend(names_at(&tokens[at + 2 * climbs..]));
                }
            }
            _ => {}
        }
    }
    names
}

/// The name at the start of `tokens`, or of `{a::b, c::{d, e}}` the first name of each part: a and c.
fn names_at<'a>(tokens: &[Token<'a>]) -> Vec<(usize, &'a str)> {
    if tokens.first().is_none_or(|token| token.text != "{") {
        return tokens.first().map(|token| (token.line, token.text)).into_iter().collect();
    }
    let mut depth = 0;
    let mut names = vec![];
    for (at, token) in tokens.iter().enumerate() {
        let starts_part = depth == 1 && matches!(tokens[at - 1].text, "{" | ",");
        match token.text {
            "{" => depth += 1,
            "}" => depth -= 1,
            _ if starts_part => names.push((token.line, token.text)),
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::super::masking::mask;
    use super::super::sample;
    use super::imports;

    fn found(path: &str, text: &str) -> Vec<String> {
        imports(&sample(path, text), &mask(text))
    }

    #[test]
    fn import_of_a_lower_module_is_fine() {
        assert_eq!(
            found("core/src/segment/rows.rs", "use crate::{base::Key, index::{self, Hnsw}, text};"),
            [""; 0]
        );
        assert_eq!(
            found("core/src/host/mod.rs", "fn f() { crate::engine::open(super::base::Key) }"),
            [""; 0]
        );
        assert_eq!(found("core/src/base/ids.rs", "use crate::base::limits; use super::limits;"), [""; 0]);
        assert_eq!(found("core/src/lib.rs", "pub use crate::host::open;"), [""; 0]);
        assert_eq!(found("server/src/main.rs", "use crate::routes;"), [""; 0]);
    }

    #[test]
    fn import_of_a_higher_module_is_found() {
        let path = "core/src/storage/files.rs";
        let expected = ["core/src/storage/files.rs:2: `storage` may not import `vectors`"];
        assert_eq!(found(path, "use crate::base;\nuse crate::vectors::Codes;"), expected);
        assert_eq!(found(path, "use crate::{\n    vectors::Codes,\n    base::Key,\n};"), expected);
        assert_eq!(found(path, "\nfn f() -> crate::vectors::Codes {}"), expected);
        assert_eq!(found(path, "\nuse super::super::vectors::Codes;"), expected);
        assert_eq!(found("core/src/base/mod.rs", "use super::{host, base};").len(), 1);
    }

    #[test]
    fn the_five_do_not_import_each_other() {
        assert_eq!(found("core/src/text/bm25.rs", "use crate::meta::Filter;").len(), 1);
        assert_eq!(found("core/src/index/hnsw.rs", "use crate::graph;").len(), 1);
    }

    #[test]
    fn inline_module_is_a_step_on_the_way_up() {
        let inside = "mod tests { use super::super::vectors; }";
        assert_eq!(found("core/src/storage/mod.rs", inside).len(), 1);
        assert_eq!(found("core/src/storage/files.rs", inside), [""; 0], "that is storage::vectors");
        assert_eq!(found("core/src/storage/mod.rs", "mod tests { use super::vectors; }"), [""; 0]);
        assert_eq!(found("core/src/storage/mod.rs", "mod tests {} use super::vectors;").len(), 1);
    }

    #[test]
    fn name_at_the_root_and_unknown_module_are_found() {
        assert_eq!(found("core/src/storage/files.rs", "use crate::Error;").len(), 1);
        assert_eq!(found("core/src/storage/files.rs", "use crate::*;").len(), 1);
        assert_eq!(found("core/src/helpers.rs", "").len(), 1);
    }

    #[test]
    fn comments_and_visibility_are_not_imports() {
        let text = "// crate::host\npub(crate) fn f() {}\npub(super) const S: &str = \"crate::host\";";
        assert_eq!(found("core/src/storage/files.rs", text), [""; 0]);
    }
}
