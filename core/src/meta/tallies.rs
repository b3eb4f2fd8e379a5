//! The values of a field in some documents, and how many documents have each: counted part by part and added up, without a
//! text being copied or read, but where the beginnings of two do not tell them apart.

use std::borrow::Cow;
use std::cmp::{Ordering, Reverse};

use crate::base::{Object, Result, Value};

use super::columns::Columns;
use super::values::{order, scalars_of};
use crate::base::string_table::prefix;

/// Values, ascending, each once, with counts above 0.
#[derive(Debug, Default)]
pub struct Tallies<'a>(Vec<(Tallied<'a>, u64)>);

/// A value where it stands.
#[derive(Debug)]
pub(super) enum Tallied<'a> {
    /// A boolean or a number.
    Plain(Value),
    /// Text of a document in memory.
    Text(&'a str),
    /// The text of this number in some columns.
    Stored(&'a Columns, usize),
}

impl Tallied<'_> {
    /// As [`order`] of the values.
    fn order(&self, other: &Self) -> Result<Ordering> {
        match (self, other) {
            (Self::Plain(a), Self::Plain(b)) => return Ok(order(a, b)),
            (Self::Plain(_), _) => return Ok(Ordering::Less),
            (_, Self::Plain(_)) => return Ok(Ordering::Greater),
            (Self::Stored(a, i), Self::Stored(b, j)) if std::ptr::eq(*a, *b) => return Ok(i.cmp(j)),
            _ => {}
        }
        let by_prefix = self.prefix()?.cmp(&other.prefix()?);
        if by_prefix.is_ne() { Ok(by_prefix) } else { Ok(self.bytes()?.cmp(&other.bytes()?)) }
    }

    fn prefix(&self) -> Result<u64> {
        match self {
            Self::Plain(_) => Ok(0),
            Self::Text(text) => Ok(prefix(text.as_bytes())),
            Self::Stored(columns, i) => Ok(columns.string_bounds()?.1[*i]),
        }
    }

    fn bytes(&self) -> Result<Cow<'_, [u8]>> {
        match self {
            Self::Plain(_) => Ok(Cow::Borrowed(&[])),
            Self::Text(text) => Ok(Cow::Borrowed(text.as_bytes())),
            Self::Stored(columns, i) => columns.string(*i),
        }
    }

    fn value(self) -> Result<Value> {
        match self {
            Self::Plain(value) => Ok(value),
            Self::Text(text) => Ok(Value::Str(text.to_owned())),
            Self::Stored(columns, i) => columns.text(i).map(Value::Str),
        }
    }
}

impl<'a> Tallies<'a> {
    pub(super) fn new(counts: Vec<(Tallied<'a>, u64)>) -> Self {
        Self(counts)
    }

    /// Of documents in memory.
    ///
    /// # Complexity
    /// One pass, and sorting the values.
    #[must_use]
    pub fn of(documents: impl Iterator<Item = &'a Object>, path: &str) -> Self {
        let mut values: Vec<Cow<'a, Value>> =
            documents.flat_map(|document| scalars_of(document, path)).collect();
        values.sort_by(|a, b| order(a, b));
        let tally = |same: &[Cow<'a, Value>]| {
            let value = match &same[0] {
                Cow::Borrowed(Value::Str(text)) => Tallied::Text(text),
                other => Tallied::Plain(other.clone().into_owned()),
            };
            (value, same.len() as u64)
        };
        Self(values.chunk_by(|a, b| order(a, b).is_eq()).map(tally).collect())
    }

    /// Those of several parts together.
    ///
    /// # Errors
    /// `corrupt`, `not_resident`.
    pub fn sum(mut parts: Vec<Self>) -> Result<Self> {
        while parts.len() > 1 {
            let mut pairs = std::mem::take(&mut parts).into_iter();
            while let Some(first) = pairs.next() {
                parts.push(match pairs.next() {
                    Some(second) => first.and(second)?,
                    None => first,
                });
            }
        }
        Ok(parts.pop().unwrap_or_default())
    }

    fn and(self, other: Self) -> Result<Self> {
        let (mut a, mut b) = (self.0.into_iter().peekable(), other.0.into_iter().peekable());
        let mut all = Vec::with_capacity(a.len().max(b.len()));
        while let (Some((first, _)), Some((second, _))) = (a.peek(), b.peek()) {
            let (from_a, from_b) = match first.order(second)? {
                Ordering::Less => (a.next(), None),
                Ordering::Greater => (None, b.next()),
                Ordering::Equal => (a.next(), b.next()),
            };
            let count = [&from_a, &from_b].into_iter().flatten().map(|(_, count)| count).sum();
            all.extend(from_a.or(from_b).map(|(value, _)| (value, count)));
        }
        all.extend(a.chain(b));
        Ok(Self(all))
    }

    /// How many values there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The most frequent values, equally frequent ones in their order.
    ///
    /// # Errors
    /// `corrupt`, `not_resident`.
    pub fn most_frequent(mut self, limit: usize) -> Result<Vec<(Value, u64)>> {
        self.0.sort_by_key(|(_, count)| Reverse(*count));
        self.0.truncate(limit);
        self.0.into_iter().map(|(value, count)| Ok((value.value()?, count))).collect()
    }
}
