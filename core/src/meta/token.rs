//! The words of the filter language.

use super::ast::Op;
use crate::base::FilterError;

/// One word of a filter and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    /// Byte offset of its first character.
    pub(super) start: usize,
    /// Byte offset behind its last.
    pub(super) end: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    /// A run of characters that stand without quotes.
    Bare(String),
    /// Text in single or double quotes, without them.
    Quoted(String),
    /// A name in backticks, without them.
    Name(String),
    Op(Op),
    Open,
    Close,
    Comma,
    End,
}

impl Token {
    /// Whether it is this keyword.
    pub(super) fn is(&self, keyword: &str) -> bool {
        matches!(&self.kind, Kind::Bare(word) if word.eq_ignore_ascii_case(keyword))
    }
}

/// Whether a character can stand without quotes. Typographic quotes can't: they are typed by mistake.
pub(super) fn is_bare(c: char) -> bool {
    if c.is_ascii() {
        c.is_ascii_alphanumeric() || "_-.:/@+*%$#~&?".contains(c)
    } else {
        !c.is_whitespace() && !c.is_control() && !('\u{2018}'..='\u{201f}').contains(&c)
    }
}

/// Whether a word, unquoted, is more than a name somewhere in the language, now or soon.
pub(super) fn is_keyword(word: &str) -> bool {
    const KEYWORDS: [&str; 17] = [
        "and", "or", "not", "in", "is", "null", "empty", "true", "false", "exists", "contains", "matches",
        "between", "like", "ilike", "any", "all",
    ];
    KEYWORDS.iter().any(|keyword| word.eq_ignore_ascii_case(keyword))
}

/// The token that begins at `at` or after white space there.
pub(super) fn next(text: &str, at: usize) -> Result<Token, FilterError> {
    let rest = &text[at..];
    let start = at + (rest.len() - rest.trim_start().len());
    let rest = &text[start..];
    let token = |kind, len: usize| Ok(Token { kind, start, end: start + len });
    let Some(first) = rest.chars().next() else { return token(Kind::End, 0) };
    for (sign, op) in [
        ("==", Op::Eq),
        ("=", Op::Eq),
        ("!=", Op::Ne),
        ("<>", Op::Ne),
        ("<=", Op::Le),
        ("<", Op::Lt),
        (">=", Op::Ge),
        (">", Op::Gt),
    ] {
        if rest.starts_with(sign) {
            return token(Kind::Op(op), sign.len());
        }
    }
    match first {
        '(' => token(Kind::Open, 1),
        ')' => token(Kind::Close, 1),
        ',' => token(Kind::Comma, 1),
        '\'' | '"' => quoted(rest, start).and_then(|(inner, len)| token(Kind::Quoted(inner), len)),
        '`' => quoted(rest, start).and_then(|(inner, len)| token(Kind::Name(inner), len)),
        c if is_bare(c) => {
            let len = rest.find(|c| !is_bare(c)).unwrap_or(rest.len());
            token(Kind::Bare(rest[..len].to_owned()), len)
        }
        other => Err(FilterError {
            position: start,
            got: format!("{other:?}"),
            expected: "a field, a value, an operator or a parenthesis".into(),
        }),
    }
}

/// The text between quotes and its length with them. A doubled quote stands for one; a backslash makes a quote or
/// another backslash plain and is itself plain before anything else, as in `'C:\temp'`.
fn quoted(rest: &str, start: usize) -> Result<(String, usize), FilterError> {
    let mut chars = rest.char_indices().peekable();
    let quote = chars.next().map_or('\'', |(_, c)| c);
    let mut inner = String::new();
    while let Some((at, c)) = chars.next() {
        let follows = chars.peek().map(|(_, c)| *c);
        if c == '\\' && matches!(follows, Some('\\' | '\'' | '"' | '`')) {
            inner.extend(chars.next().map(|(_, c)| c));
        } else if c != quote {
            inner.push(c);
        } else if follows == Some(quote) {
            chars.next();
            inner.push(quote);
        } else {
            return Ok((inner, at + 1));
        }
    }
    Err(FilterError {
        position: start,
        got: "a quote that does not end".into(),
        expected: format!("a closing {quote}"),
    })
}
