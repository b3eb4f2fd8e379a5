//! What the text of a query says: words, and what must or must not be there.
//!
//! `neck`, `"long neck"`, `+neck`, `-neck`, `title:neck`, `gira*`, `girafe~`: a sign, then a field, then a word or a phrase in
//! quotes, without a space between them. Nothing is ever refused: what is none of these is words. A phrase must be there, as
//! what follows a plus must.
//!
//! ```ebnf
//! query  = { clause } ;
//! clause = [ "+" | "-" ] [ field ":" ] ( '"' text '"' | word [ "*" | "~" ] ) ;
//! ```

use std::borrow::Cow;

/// Whether a clause decides which documents can be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occur {
    /// Its words score and exclude nothing.
    May,
    /// Only documents with it are found.
    Must,
    /// Only documents without it are found.
    Not,
}

/// How the words of a clause are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Each for itself; behind a sign, as a phrase.
    Words,
    /// One after another, as they stand.
    Phrase,
    /// Every term that begins so.
    Prefix,
    /// Every term that is at most one typo away.
    Fuzzy,
}

/// A piece of a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clause<'a> {
    /// Whether it must be there.
    pub occur: Occur,
    /// The field it is looked for in; `None` for all.
    pub field: Option<&'a str>,
    /// How its words are looked for.
    pub form: Form,
    /// Its words, without quotes and signs.
    pub text: &'a str,
}

/// The clauses of a query, in order; neighbouring words are one clause. `is_field` tells which names before a colon are
/// fields.
///
/// # Examples
/// ```
/// use kithdb::text::syntax::{Form, Occur, parse};
///
/// let clauses = parse(r#"tall -zebra title:"long neck""#, |name| name == "title");
/// assert_eq!((clauses[0].text, clauses[0].occur), ("tall", Occur::May));
/// assert_eq!((clauses[1].text, clauses[1].occur), ("zebra", Occur::Not));
/// assert_eq!((clauses[2].text, clauses[2].form), ("long neck", Form::Phrase));
/// ```
pub fn parse(text: &str, is_field: impl Fn(&str) -> bool) -> Vec<Clause<'_>> {
    counted(text, is_field).0
}

/// As [`parse`]; tells how many bytes were looked at, too.
fn counted(text: &str, is_field: impl Fn(&str) -> bool) -> (Vec<Clause<'_>>, usize) {
    let (mut clauses, mut looked) = (Vec::new(), 0);
    // Where plain words began that are not yet a clause, and where they end.
    let mut plain: Option<(usize, usize)> = None;
    let mut at = 0;
    while let Some(skip) = find(&text[at..], &mut looked, |c| !c.is_whitespace()) {
        let start = at + skip;
        let (clause, end) = clause(text, start, &is_field, &mut looked);
        if clause.occur == Occur::May && clause.field.is_none() && clause.form == Form::Words {
            plain = Some((plain.map_or(start, |(first, _)| first), end));
        } else {
            clauses.extend(plain.take().map(|(start, end)| words(&text[start..end])));
            clauses.push(clause);
        }
        at = end;
    }
    clauses.extend(plain.map(|(start, end)| words(&text[start..end])));
    (clauses, looked)
}

/// Where a text has the first such character; counts the bytes that were looked at for it.
fn find(text: &str, looked: &mut usize, is_it: impl Fn(char) -> bool) -> Option<usize> {
    let found = text.find(is_it);
    *looked += found.unwrap_or(text.len());
    found
}

/// What a query is about, for an embedder: its words without signs and fields, and without what must not be there.
#[must_use]
pub fn positive(text: &str) -> Cow<'_, str> {
    match &*parse(text, |_| true) {
        [] => Cow::Borrowed(""),
        [Clause { occur: Occur::May, field: None, form: Form::Words, .. }] => Cow::Borrowed(text),
        clauses => {
            let kept = clauses.iter().filter(|clause| clause.occur != Occur::Not).map(|clause| clause.text);
            Cow::Owned(kept.collect::<Vec<_>>().join(" "))
        }
    }
}

fn words(text: &str) -> Clause<'_> {
    Clause { occur: Occur::May, field: None, form: Form::Words, text }
}

/// The clause that begins at `start`, and where it ends. Looks no further than that, but for a quote that is never closed.
fn clause<'a>(
    text: &'a str,
    start: usize,
    is_field: &impl Fn(&str) -> bool,
    looked: &mut usize,
) -> (Clause<'a>, usize) {
    let rest = &text[start..];
    let begins = |rest: &str| rest.starts_with(|c: char| c.is_alphanumeric() || is_quote(c));
    let (occur, signed) = match rest.as_bytes()[0] {
        b'+' if begins(&rest[1..]) => (Occur::Must, 1),
        b'-' if begins(&rest[1..]) => (Occur::Not, 1),
        _ => (Occur::May, 0),
    };
    let phrase = |field: Option<&'a str>, from: usize, looked: &mut usize| {
        let (inner, end) = quoted(&rest[from..], looked)?;
        let occur = if occur == Occur::May { Occur::Must } else { occur };
        Some((Clause { occur, field, form: Form::Phrase, text: inner }, start + from + end))
    };
    if let Some(found) = phrase(None, signed, looked) {
        return found;
    }
    let colon = find(&rest[signed..], looked, |c| c == ':' || c.is_whitespace()).map(|at| signed + at);
    let named = colon.filter(|at| rest[*at..].starts_with(':')).map(|at| &rest[signed..at]);
    let field = named.filter(|name| begins(&rest[signed + name.len() + 1..]) && is_field(name));
    let from = signed + field.map_or(0, |name| name.len() + 1);
    if let Some(found) = field.and_then(|_| phrase(field, from, looked)) {
        return found;
    }
    let space = find(&rest[from..], looked, char::is_whitespace).map_or(rest.len(), |at| from + at);
    let word = &rest[from..space];
    let suffixed = |suffix| word.strip_suffix(suffix).filter(|word| word.ends_with(char::is_alphanumeric));
    let (form, text) = match (suffixed('*'), suffixed('~')) {
        (Some(word), _) => (Form::Prefix, word),
        (None, Some(word)) => (Form::Fuzzy, word),
        (None, None) => (Form::Words, word),
    };
    (Clause { occur, field, form, text }, start + space)
}

fn is_quote(c: char) -> bool {
    matches!(c, '"' | '\u{201c}' | '\u{201d}' | '\u{201e}')
}

/// What stands between the quote that a text begins with and the next one, and where that ends; `None` when there are not
/// both.
fn quoted<'a>(text: &'a str, looked: &mut usize) -> Option<(&'a str, usize)> {
    let inner = text.strip_prefix(is_quote)?;
    let len = find(inner, looked, is_quote)?;
    let behind = inner[len..].strip_prefix(is_quote)?;
    Some((&inner[..len], text.len() - behind.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(text: &str) -> String {
        let one = |clause: &Clause<'_>| {
            let sign = match clause.occur {
                Occur::May => "",
                Occur::Must => "+",
                Occur::Not => "-",
            };
            let field = clause.field.map_or(String::new(), |field| format!("{field}:"));
            let form = match clause.form {
                Form::Words => "",
                Form::Phrase => "\"",
                Form::Prefix => "*",
                Form::Fuzzy => "~",
            };
            format!("{sign}{field}[{}]{form}", clause.text)
        };
        parse(text, |name| name == "title").iter().map(one).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn signs_fields_quotes_and_suffixes_are_read() {
        for (text, expected) in [
            ("", ""),
            (" long  neck ", "[long  neck]"),
            ("a +b -c d e", "[a] +[b] -[c] [d e]"),
            ("\"long neck\" x", "+[long neck]\" [x]"),
            ("-\"long neck\"", "-[long neck]\""),
            ("title:neck -title:\"a b\"c", "title:[neck] -title:[a b]\" [c]"),
            ("gira* +girafe~ -title:a*", "[gira]* +[girafe]~ -title:[a]*"),
            ("\u{201e}lang hals\u{201c}", "+[lang hals]\""),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_operator_is_words() {
        for text in [
            "a - b",
            "c++ --help -",
            "note: this",
            "http://title",
            "5 \"inch",
            "* ~ +",
            "title: x",
            "well-known e.g.",
        ] {
            assert_eq!(shown(text), format!("[{text}]"));
        }
        assert_eq!(shown("title:"), "[title:]");
    }

    #[test]
    fn an_embedder_reads_what_is_asked_for_only() {
        assert_eq!(positive("tall animals"), "tall animals");
        assert_eq!(positive("+tall -zebra \"long neck\" gira*"), "tall long neck gira");
        assert_eq!(positive("-zebra"), "");
        // The name of the field stayed where nothing else was asked for.
        assert_eq!(positive("title:neck"), "neck");
        assert_eq!(positive("title: neck"), "title: neck");
        assert_eq!(positive("-title:\"long neck\" title:tall"), "tall");
    }

    #[test]
    fn each_byte_is_looked_at_a_few_times_however_the_text_is_made() {
        for piece in [
            "\"a\"",
            "+\"a\"",
            "-a:\"b\"",
            "a:\"b c\"",
            "\"",
            "a\"",
            "\"a",
            ":",
            "a:",
            "a:b",
            "+a",
            "\u{201e}",
            "a ",
        ] {
            for last in ["", " ", "\"", " \"a", " a:\"b"] {
                let text = piece.repeat(2_000) + last;
                let (_, looked) = counted(&text, |name| name == "a");
                assert!(looked <= 5 * text.len(), "{looked} bytes of {} for {piece}{last}", text.len());
            }
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_and_every_clause_is_a_piece_of_it(text in "[ab +:\"*~\u{201c}\u{e9}-]{0,24}") {
            let range = text.as_bytes().as_ptr_range();
            for clause in parse(&text, |name| name == "a") {
                let piece = clause.text.as_bytes().as_ptr_range();
                prop_assert!(range.start <= piece.start && piece.end <= range.end);
            }
            let _ = positive(&text);
        }
    }
}
