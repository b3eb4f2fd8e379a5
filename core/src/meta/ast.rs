//! A filter as a tree, and as text again.
//!
//! ```text
//! filter     = [ or ] ;
//! or         = and { "OR" and } ;
//! and        = not { "AND" not } ;
//! not        = "NOT" not | "(" or ")" | comparison ;
//! comparison = field ( "=" | "==" | "!=" | "<>" | "<" | "<=" | ">" | ">=" ) value
//!            | field [ "NOT" ] "IN" list
//!            | field [ "NOT" ] "BETWEEN" value "AND" value       (* both included *)
//!            | field [ "NOT" ] ( "LIKE" | "ILIKE" ) quoted        (* % is any text, _ any character *)
//!            | field "IS" [ "NOT" ] "NULL"                        (* missing, or null *)
//!            | field "IS" [ "NOT" ] "EMPTY"                       (* missing, null, '', [] or {} *)
//!            | field [ "NOT" ] "CONTAINS" value                   (* an element of a list, or the value *)
//!            | field [ "NOT" ] ( "ANY" | "ALL" ) list             (* some, or each, of them is an element *)
//!            | "EXISTS" "(" field ")"
//!            | "MATCHES" "(" field "," words ")"                   (* one of the words, as a search finds them *)
//!            | "CONTAINS" "(" field "," words ")" ;                (* under OR or NOT the same as MATCHES *)
//! list       = "(" value { "," value } ")" ;
//! field      = bare | quoted | "`" name "`" ;                      (* a.b is field b of object a *)
//! value      = quoted | number | "true" | "false" | "null" | date | bare ;
//! date       = "date" "(" ( quoted | bare ) ")" ;                  (* 2024-05-01, 2024-05-01T10:00:00+02:00: a moment *)
//! words      = quoted | bare ;
//! quoted     = "'" text "'" | '"' text '"' ;                       (* '' or \' is a quote in the text *)
//! ```
//! Keywords have any case, and none inside quotes. A bare value that is no number, boolean or null is text.
//! In the top `AND`, `CONTAINS(field, words)` is the words part of a hybrid query: it scores and excludes nothing.

use std::fmt;

use super::decimal::decimal;
use super::like::Pattern;
use super::token::{is_bare, is_keyword};
use crate::base::{Date, Result, Value};

/// What a search asks of metadata, and the words it asks for.
///
/// # Examples
/// ```
/// use kithdb::meta::Filter;
///
/// let filter = Filter::parse("year>=1990 and (lang=en OR lang='it') AND CONTAINS(content, 'long neck')")?;
/// assert_eq!(filter.words[0].text, "long neck");
/// let condition = filter.condition.expect("there is one");
/// assert_eq!(condition.to_string(), "year >= 1990 AND (lang = 'en' OR lang = 'it')");
/// # Ok::<(), kithdb::base::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Filter {
    /// What a document must fulfil; `None` lets all pass.
    pub condition: Option<Expr>,
    /// What documents are scored by.
    pub words: Vec<WordsPart>,
}

/// `CONTAINS(field, 'words')`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WordsPart {
    /// The text field to look in.
    pub field: String,
    /// The words to look for.
    pub text: String,
}

/// A condition on one document's metadata; [`super::eval()`] says what it means.
#[derive(Debug, Clone, PartialEq)]
pub enum Expr {
    /// All of them.
    And(Vec<Expr>),
    /// At least one of them.
    Or(Vec<Expr>),
    /// Not this.
    Not(Box<Expr>),
    /// A field compared with a value.
    Compare {
        /// Its path, `a.b` for field `b` of object `a`.
        field: String,
        /// How.
        op: Op,
        /// With what.
        value: Literal,
    },
    /// A field equals one of these.
    In {
        /// Its path.
        field: String,
        /// Compared as by [`Op::Eq`].
        values: Vec<Literal>,
    },
    /// A field is within bounds, both included.
    Between {
        /// Its path.
        field: String,
        /// A number, text or a date.
        low: Literal,
        /// The same.
        high: Literal,
    },
    /// A field is text of a pattern.
    Like {
        /// Its path.
        field: String,
        /// Held against the whole of it.
        pattern: Pattern,
    },
    /// A field is there, even if null or empty.
    Exists {
        /// Its path.
        field: String,
    },
    /// A field is missing, or there is nothing in it.
    Empty {
        /// Its path.
        field: String,
    },
    /// A text field has at least one of these words, as a search finds them.
    Matches {
        /// The text field.
        field: String,
        /// The words.
        text: String,
    },
}

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// `=`
    Eq,
    /// `!=`
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
}

impl Op {
    /// Its sign.
    #[must_use]
    pub fn sign(self) -> &'static str {
        match self {
            Self::Eq => "=",
            Self::Ne => "!=",
            Self::Lt => "<",
            Self::Le => "<=",
            Self::Gt => ">",
            Self::Ge => ">=",
        }
    }
}

/// What a field is compared with.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// `null`
    Null,
    /// Text: quoted, or a bare word.
    Text(String),
    /// An unquoted number, `true` or `false`. It also equals the string that is written so: `n=5` finds `"5"`.
    Plain {
        /// The number or boolean.
        value: Value,
        /// As it was written.
        text: String,
    },
    /// `date('2024-05-01')`: a moment, compared with strings that are dates.
    Date {
        /// The moment.
        date: Date,
        /// As it was written.
        text: String,
    },
}

/// What can be compared with one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bound {
    Number,
    Text,
    Date,
}

impl Bound {
    /// What a bound beside this one has to be.
    pub(super) fn expected(self) -> &'static str {
        match self {
            Self::Number => "a number, as the lower bound",
            Self::Text => "text, as the lower bound",
            Self::Date => "a date, as the lower bound",
        }
    }
}

impl Literal {
    /// What it is as the bound of a range; `None` when it can be none.
    pub(super) fn bound(&self) -> Option<Bound> {
        match self {
            Self::Null => None,
            Self::Plain { value, .. } => value.compare_numbers(value).map(|_| Bound::Number),
            Self::Text(_) => Some(Bound::Text),
            Self::Date { .. } => Some(Bound::Date),
        }
    }

    /// The date of a text; `None` when it is no date.
    #[must_use]
    pub fn date(text: &str) -> Option<Self> {
        Date::parse(text).map(|date| Self::Date { date, text: text.to_owned() })
    }

    /// What an unquoted value means.
    #[must_use]
    pub fn bare(text: &str) -> Self {
        let plain = |value| Self::Plain { value, text: text.to_owned() };
        if text.eq_ignore_ascii_case("null") {
            Self::Null
        } else if text.eq_ignore_ascii_case("true") {
            plain(Value::Bool(true))
        } else if text.eq_ignore_ascii_case("false") {
            plain(Value::Bool(false))
        } else {
            number(text).map_or_else(|| Self::Text(text.to_owned()), plain)
        }
    }
}

/// A decimal number in its canonical form. `1e999`, which is none, stays text.
fn number(text: &str) -> Option<Value> {
    text.parse().map(Value::Int).ok().or_else(|| Value::number(decimal(text)?))
}

impl Filter {
    /// Reads a filter; one of white space only lets all pass.
    ///
    /// # Errors
    /// `invalid_filter` with the position, what stands there and what could; also beyond the limits of length,
    /// nesting and number of comparisons.
    pub fn parse(text: &str) -> Result<Self> {
        super::parser::parse(text)
    }
}

impl Expr {
    /// All of `parts`, with nested `And`s opened; `None` when there are none.
    #[must_use]
    pub fn and(parts: Vec<Self>) -> Option<Self> {
        let open = |part| if let Self::And(inner) = part { inner } else { vec![part] };
        let mut all: Vec<Self> = parts.into_iter().flat_map(open).collect();
        if all.len() > 1 { Some(Self::And(all)) } else { all.pop() }
    }

    /// Any of `parts`, with nested `Or`s opened; `None` when there are none.
    #[must_use]
    pub fn or(parts: Vec<Self>) -> Option<Self> {
        let open = |part| if let Self::Or(inner) = part { inner } else { vec![part] };
        let mut all: Vec<Self> = parts.into_iter().flat_map(open).collect();
        if all.len() > 1 { Some(Self::Or(all)) } else { all.pop() }
    }

    /// The fields it names, sorted, each once.
    #[must_use]
    pub fn paths(&self) -> Vec<&str> {
        let mut paths = Vec::new();
        self.collect_paths(&mut paths);
        paths.sort_unstable();
        paths.dedup();
        paths
    }

    /// The fields and texts of its [`Expr::Matches`], sorted, each once.
    #[must_use]
    pub fn matches(&self) -> Vec<(&str, &str)> {
        let mut matches = Vec::new();
        self.collect_matches(&mut matches);
        matches.sort_unstable();
        matches.dedup();
        matches
    }

    fn collect_matches<'a>(&'a self, matches: &mut Vec<(&'a str, &'a str)>) {
        match self {
            Self::And(parts) | Self::Or(parts) => parts.iter().for_each(|part| part.collect_matches(matches)),
            Self::Not(inner) => inner.collect_matches(matches),
            Self::Matches { field, text } => matches.push((field, text)),
            _ => {}
        }
    }

    fn collect_paths<'a>(&'a self, paths: &mut Vec<&'a str>) {
        match self {
            Self::And(parts) | Self::Or(parts) => parts.iter().for_each(|part| part.collect_paths(paths)),
            Self::Not(inner) => inner.collect_paths(paths),
            Self::Compare { field, .. }
            | Self::In { field, .. }
            | Self::Between { field, .. }
            | Self::Like { field, .. }
            | Self::Exists { field }
            | Self::Empty { field }
            | Self::Matches { field, .. } => paths.push(field),
        }
    }

    /// How tightly its outermost operator binds.
    fn rank(&self) -> u8 {
        match self {
            Self::Or(_) => 0,
            Self::And(_) => 1,
            _ => 2,
        }
    }

    fn fmt_within(&self, f: &mut fmt::Formatter<'_>, rank: u8) -> fmt::Result {
        if self.rank() < rank { write!(f, "({self})") } else { write!(f, "{self}") }
    }
}

impl fmt::Display for Expr {
    /// The text that [`Filter::parse`] reads as this.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::And(parts) | Self::Or(parts) => {
                let (word, rank) = if self.rank() == 0 { (" OR ", 1) } else { (" AND ", 2) };
                for (i, part) in parts.iter().enumerate() {
                    f.write_str(if i > 0 { word } else { "" })?;
                    part.fmt_within(f, rank)?;
                }
                Ok(())
            }
            Self::Not(inner) => {
                f.write_str("NOT ")?;
                inner.fmt_within(f, 2)
            }
            Self::Compare { field, op, value } => write!(f, "{} {} {value}", Name(field), op.sign()),
            Self::In { field, values } => {
                write!(f, "{} IN (", Name(field))?;
                for (i, value) in values.iter().enumerate() {
                    write!(f, "{}{value}", if i > 0 { ", " } else { "" })?;
                }
                f.write_str(")")
            }
            Self::Between { field, low, high } => write!(f, "{} BETWEEN {low} AND {high}", Name(field)),
            Self::Like { field, pattern } => {
                let word = if pattern.ignores_case() { "ILIKE" } else { "LIKE" };
                write!(f, "{} {word} {}", Name(field), Literal::Text(pattern.text().to_owned()))
            }
            Self::Exists { field } => write!(f, "EXISTS({})", Name(field)),
            Self::Empty { field } => write!(f, "{} IS EMPTY", Name(field)),
            Self::Matches { field, text } => {
                write!(f, "MATCHES({}, {})", Name(field), Literal::Text(text.clone()))
            }
        }
    }
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Plain { text, .. } => f.write_str(text),
            Self::Text(text) => write!(f, "'{}'", text.replace('\\', "\\\\").replace('\'', "''")),
            Self::Date { text, .. } => write!(f, "date('{text}')"),
        }
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rank = u8::from(!self.words.is_empty());
        if let Some(condition) = &self.condition {
            condition.fmt_within(f, rank)?;
        }
        for (i, part) in self.words.iter().enumerate() {
            f.write_str(if i > 0 || self.condition.is_some() { " AND " } else { "" })?;
            write!(f, "CONTAINS({}, {})", Name(&part.field), Literal::Text(part.text.clone()))?;
        }
        Ok(())
    }
}

/// A field as it is written: bare when nothing else could be meant.
struct Name<'a>(&'a str);

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.0.is_empty() && self.0.chars().all(is_bare) && !is_keyword(self.0) {
            f.write_str(self.0)
        } else {
            write!(f, "`{}`", self.0.replace('\\', "\\\\").replace('`', "``"))
        }
    }
}
