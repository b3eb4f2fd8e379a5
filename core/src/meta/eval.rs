//! What a filter means, for one document: the specification that columns are tested against.
//!
//! - A path `a.b` leads to field `b` of object `a` and to a field named `a.b`; objects in arrays are entered; an array
//!   stands for its elements, also nested ones. So a path can lead to several values.
//! - `=` holds when any value is equal: quoted text and bare words equal strings; an unquoted number equals numbers,
//!   exactly even where i64 and f64 meet, and the string that is written the same; `true` and `false` likewise;
//!   `null` equals an explicit null; `date('...')` equals strings that are dates of the same moment.
//! - `!=` is the complement of `=`: also true where the field is missing. `IN` is `=` with any of its values.
//! - A range holds when any value fulfils it: numbers are compared with numbers, strings with strings by bytes, strings
//!   that are dates with `date('...')` by the moment ([`Date::parse`]), nothing else; a missing field never does.
//! - `BETWEEN` holds when one value is within both bounds; `LIKE` when a string is of the pattern, `ILIKE` whatever its
//!   capitals.
//! - `IS NULL` is an explicit null or a missing field, `IS NOT NULL` the opposite. `CONTAINS` is `=`, `ANY` is `IN`, and `ALL`
//!   is `=` with each of its values.
//! - `IS EMPTY` holds when there is nothing at the path, nor on a path that goes on from it, but nulls and empty strings:
//!   the field is missing, null, an empty string, list or object, or a list of only such. `IS NOT EMPTY` is the opposite.
//! - `EXISTS` holds when the path leads anywhere, be it null or empty.
//! - `MATCHES` holds when a search for the words in the field would find the document. Who evaluates brings the text:
//!   without it, no document matches.

use std::cmp::Ordering;

use super::ast::{Expr, Literal, Op};
use crate::base::limits::FIELD_PATH_BYTES_MAX;
use crate::base::{Date, Object, Value};

/// Whether a document fulfils a condition.
///
/// # Examples
/// ```
/// use kithdb::base::value::parse_object;
/// use kithdb::meta::{Filter, eval};
///
/// let document = parse_object(r#"{"tags": ["tall", "quiet"], "size": {"m": 5.5}}"#)?;
/// let holds = |text: &str| Filter::parse(text).map(|filter| eval(&filter.condition.expect("one"), &document));
/// assert!(holds("tags = tall AND size.m > 5")?);
/// assert!(!holds("tags != quiet")?);
/// assert!(holds("colour != red")?);
/// # Ok::<(), kithdb::base::Error>(())
/// ```
#[must_use]
pub fn eval(expr: &Expr, document: &Object) -> bool {
    eval_with(expr, document, &|_, _| false)
}

/// The same in a collection with text: `has_words` says whether a field of the document has one of some words.
#[must_use]
pub fn eval_with(expr: &Expr, document: &Object, has_words: &dyn Fn(&str, &str) -> bool) -> bool {
    match expr {
        Expr::And(parts) => parts.iter().all(|part| eval_with(part, document, has_words)),
        Expr::Or(parts) => parts.iter().any(|part| eval_with(part, document, has_words)),
        Expr::Not(inner) => !eval_with(inner, document, has_words),
        Expr::Compare { field, op: Op::Ne, value } => !any_scalar(document, field, |v| equal(v, value)),
        Expr::Compare { field, op, value } => any_scalar(document, field, |v| holds(v, *op, value)),
        Expr::In { field, values } => {
            any_scalar(document, field, |v| values.iter().any(|value| equal(v, value)))
        }
        Expr::Between { field, low, high } => {
            any_scalar(document, field, |v| holds(v, Op::Ge, low) && holds(v, Op::Le, high))
        }
        Expr::Like { field, pattern } => {
            any_scalar(document, field, |v| v.as_str().is_some_and(|text| pattern.matches(text)))
        }
        Expr::Exists { field } => has_path(document, field),
        Expr::Empty { field } => !has_content(document, field, FIELD_PATH_BYTES_MAX),
        Expr::Matches { field, text } => has_words(field, text),
    }
}

/// Whether a path leads anywhere in a document, be it null or empty.
#[must_use]
pub fn has_path(document: &Object, path: &str) -> bool {
    any_value(document, path, &mut |_| true)
}

fn equal(value: &Value, literal: &Literal) -> bool {
    match literal {
        Literal::Null => matches!(value, Value::Null),
        Literal::Text(text) => value.as_str() == Some(text),
        Literal::Date { date, .. } => date_of(value) == Some(*date),
        Literal::Plain { value: plain, text } => {
            value == plain
                || value.compare_numbers(plain) == Some(Ordering::Equal)
                || value.as_str() == Some(text)
        }
    }
}

fn holds(value: &Value, op: Op, literal: &Literal) -> bool {
    let order = match literal {
        Literal::Null => None,
        Literal::Text(text) => value.as_str().map(|value| value.cmp(text)),
        Literal::Plain { value: plain, .. } => value.compare_numbers(plain),
        Literal::Date { date, .. } => date_of(value).map(|value| value.cmp(date)),
    };
    match op {
        Op::Eq => equal(value, literal),
        Op::Ne => !equal(value, literal),
        Op::Lt => order == Some(Ordering::Less),
        Op::Le => order.is_some_and(Ordering::is_le),
        Op::Gt => order == Some(Ordering::Greater),
        Op::Ge => order.is_some_and(Ordering::is_ge),
    }
}

fn date_of(value: &Value) -> Option<Date> {
    value.as_str().and_then(Date::parse)
}

fn any_scalar(document: &Object, path: &str, test: impl Fn(&Value) -> bool) -> bool {
    any_value(document, path, &mut |value| any_element(value, &test))
}

fn any_element(value: &Value, test: &impl Fn(&Value) -> bool) -> bool {
    match value {
        Value::Array(items) => items.iter().any(|item| any_element(item, test)),
        Value::Object(_) => false,
        scalar => test(scalar),
    }
}

/// Calls `f` with each scalar that a path leads to, `null` included.
pub(super) fn visit_scalars<'a>(document: &'a Object, path: &str, f: &mut impl FnMut(&'a Value)) {
    any_value(document, path, &mut |value| {
        visit_elements(value, f);
        false
    });
}

fn visit_elements<'a>(value: &'a Value, f: &mut impl FnMut(&'a Value)) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| visit_elements(item, f)),
        Value::Object(_) => {}
        scalar => f(scalar),
    }
}

/// Whether any value that the path leads to passes. Each value has one path, so none is visited twice.
fn any_value<'a>(document: &'a Object, path: &str, test: &mut impl FnMut(&'a Value) -> bool) -> bool {
    if path.len() > FIELD_PATH_BYTES_MAX {
        return false;
    }
    document.get(path).is_some_and(&mut *test)
        || path.match_indices('.').any(|(dot, _)| {
            document.get(&path[..dot]).is_some_and(|value| any_inside(value, &path[dot + 1..], test))
        })
}

/// Whether there is more than nulls and empty strings at a path, or anything on a path that goes on from it and is at
/// most `room` bytes long: longer ones have no columns.
fn has_content(fields: &Object, path: &str, room: usize) -> bool {
    fields.iter().filter(|(name, _)| name.len() <= room).any(|(name, value)| match name.strip_prefix(path) {
        Some("") => is_filled(value, room - name.len()),
        Some(further) if further.starts_with('.') => true,
        _ => path
            .strip_prefix(name.as_str())
            .and_then(|rest| rest.strip_prefix('.'))
            .is_some_and(|rest| has_content_inside(value, rest, room - name.len())),
    })
}

/// Whether a value is more than null or an empty string, or a list of those; `room` is left for the path of a field.
fn is_filled(value: &Value, room: usize) -> bool {
    match value {
        Value::Null => false,
        Value::Str(text) => !text.is_empty(),
        Value::Array(items) => items.iter().any(|item| is_filled(item, room)),
        Value::Object(fields) => fields.keys().any(|name| name.len() < room),
        Value::Bool(_) | Value::Int(_) | Value::Float(_) => true,
    }
}

fn has_content_inside(value: &Value, path: &str, room: usize) -> bool {
    match value {
        Value::Object(fields) => room > 0 && has_content(fields, path, room - 1),
        Value::Array(items) => items.iter().any(|item| has_content_inside(item, path, room)),
        _ => false,
    }
}

fn any_inside<'a>(value: &'a Value, path: &str, test: &mut impl FnMut(&'a Value) -> bool) -> bool {
    match value {
        Value::Object(fields) => any_value(fields, path, test),
        Value::Array(items) => items.iter().any(|item| any_inside(item, path, test)),
        _ => false,
    }
}
