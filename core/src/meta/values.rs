//! The values of a path, in their order: what documents are counted, sorted and grouped by.
//!
//! As in a filter a path can lead to several values, and a list stands for its elements. `null`, empty lists and objects
//! are no values.

use std::borrow::Cow;
use std::cmp::Ordering;

use crate::base::{Object, Value};

use super::eval::visit_scalars;

/// The order of scalars: `false`, `true`, numbers, text by its bytes.
#[must_use]
pub fn order(a: &Value, b: &Value) -> Ordering {
    let kind = |value: &Value| match value {
        Value::Bool(false) => 0,
        Value::Bool(true) => 1,
        Value::Int(_) | Value::Float(_) => 2,
        Value::Str(_) => 3,
        Value::Null | Value::Array(_) | Value::Object(_) => 4,
    };
    match (a, b) {
        (Value::Str(a), Value::Str(b)) => a.cmp(b),
        _ => a.compare_numbers(b).unwrap_or_else(|| kind(a).cmp(&kind(b))),
    }
}

/// The values that a path leads to in a document, ascending, each once.
///
/// # Examples
/// ```
/// use kithdb::base::Value;
/// use kithdb::base::value::parse_object;
/// use kithdb::meta::values_of;
///
/// let document = parse_object(r#"{"tags": ["tall", null, 3, "tall"]}"#)?;
/// assert_eq!(values_of(&document, "tags"), [Value::Int(3), Value::Str("tall".into())]);
/// # Ok::<(), kithdb::base::Error>(())
/// ```
#[must_use]
pub fn values_of(document: &Object, path: &str) -> Vec<Value> {
    scalars_of(document, path).into_iter().map(Cow::into_owned).collect()
}

/// As [`values_of`], without copying those that stand in the document.
#[must_use]
pub fn scalars_of<'a>(document: &'a Object, path: &str) -> Vec<Cow<'a, Value>> {
    let mut values = Vec::new();
    visit_scalars(document, path, &mut |value| {
        if !matches!(value, Value::Null) {
            values.push(canonical(value));
        }
    });
    values.sort_by(|a, b| order(a, b));
    values.dedup();
    values
}

/// Whether a path can lead into a field of the document itself: of an object with those fields alone, it leads to the same
/// values.
#[must_use]
pub fn leads_to(path: &str, field: &str) -> bool {
    path.strip_prefix(field).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// One form for numbers that are equal: an integer wherever there is one.
pub(super) fn canonical(value: &Value) -> Cow<'_, Value> {
    const END: f64 = 9_223_372_036_854_775_808.0;
    match value {
        Value::Float(x) if x.fract() == 0.0 && (-END..END).contains(x) => Cow::Owned(Value::Int(*x as i64)),
        other => Cow::Borrowed(other),
    }
}

/// Values from one bound, included, to another, which is not.
#[derive(Debug, Clone, PartialEq)]
pub struct ValueRange {
    /// A number or text; `None` for no lower bound.
    pub from: Option<Value>,
    /// Of the same kind; `None` for no upper bound.
    pub to: Option<Value>,
}

impl ValueRange {
    /// Whether the bounds, of which there is at least one, are both numbers or both text.
    #[must_use]
    pub fn is_of_one_kind(&self) -> bool {
        let is_text = |value: &Value| match value {
            Value::Str(_) => Some(true),
            Value::Int(_) | Value::Float(_) => Some(false),
            _ => None,
        };
        match (&self.from, &self.to) {
            (None, None) => false,
            (Some(bound), None) | (None, Some(bound)) => is_text(bound).is_some(),
            (Some(from), Some(to)) => is_text(from).is_some() && is_text(from) == is_text(to),
        }
    }

    /// Whether a value is of the bounds' kind and within them.
    #[must_use]
    pub fn contains(&self, value: &Value) -> bool {
        let compare = |bound: &Value| match (value, bound) {
            (Value::Str(a), Value::Str(b)) => Some(a.cmp(b)),
            _ => value.compare_numbers(bound),
        };
        self.from.as_ref().is_none_or(|from| compare(from).is_some_and(Ordering::is_ge))
            && self.to.as_ref().is_none_or(|to| compare(to).is_some_and(Ordering::is_lt))
    }
}
