//! The order in which the conditions of a conjunction are answered: those that leave few documents first, and those
//! that must read texts last, and then only texts of documents that are left.
//!
//! An order changes no answer. What a condition is worth is known from the lengths of sorted runs, which cost two binary
//! searches; that of dates, once they were sorted.

use super::answer::{Answering, FilterStep};
use super::ast::{Expr, Literal, Op};
use super::columns::{Columns, Path};
use crate::base::{Bitmap, Result, Value};

impl Columns {
    /// About how many documents fulfil a condition: exact for one comparison of fields with one value a document.
    /// `MATCHES`, which columns know nothing of, and patterns are taken for as many as they could be at most.
    ///
    /// # Complexity
    /// Two binary searches for each value of the condition; the first date of a field reads those of its texts that can be
    /// dates.
    ///
    /// # Errors
    /// `corrupt`, `not_resident`.
    pub fn estimate(&self, expr: &Expr) -> Result<usize> {
        let n = match expr {
            Expr::And(parts) => {
                let mut least = self.n_slots();
                for part in parts {
                    least = least.min(self.estimate(part)?);
                }
                least
            }
            Expr::Or(parts) => {
                let mut sum = 0usize;
                for part in parts {
                    sum = sum.saturating_add(self.estimate(part)?);
                }
                sum
            }
            Expr::Not(inner) => self.n_slots() - self.estimate(inner)?,
            Expr::Compare { field, op: Op::Ne, value } => {
                self.n_slots() - self.n_slots().min(self.estimate_compare(field, Op::Eq, value)?)
            }
            Expr::Compare { field, op, value } => self.estimate_compare(field, *op, value)?,
            Expr::In { field, values } => {
                let mut sum = 0usize;
                for value in values {
                    sum = sum.saturating_add(self.estimate_compare(field, Op::Eq, value)?);
                }
                sum
            }
            Expr::Between { field, low, high } => {
                let from = self.estimate_compare(field, Op::Ge, low)?;
                from.min(self.estimate_compare(field, Op::Le, high)?)
            }
            Expr::Like { field, pattern } => match self.path(field) {
                Some(path) => {
                    let strings = self.strings_from(path, pattern.prefix().as_bytes())?;
                    self.slots_of_strings(path, &strings)?.len()
                }
                None => 0,
            },
            Expr::Exists { field } => self.estimate_exists(field),
            Expr::Empty { field } => self.n_slots() - self.n_slots().min(self.estimate_exists(field)),
            Expr::Matches { .. } => self.n_slots(),
        };
        Ok(n.min(self.n_slots()))
    }

    fn estimate_exists(&self, field: &str) -> usize {
        let present = |path: &Path| path.present.as_ref().map_or(self.n_slots(), |range| range.len());
        self.path(field).map_or(0, present)
    }

    fn estimate_compare(&self, field: &str, op: Op, value: &Literal) -> Result<usize> {
        let Some(path) = self.path(field) else { return Ok(0) };
        let strings = |op: Op, text: &str| {
            let found = self.strings_that(path, op, text.as_bytes())?;
            Ok(self.slots_of_strings(path, &found)?.len())
        };
        match value {
            Literal::Null => Ok(path.nulls.len()),
            Literal::Text(text) => strings(op, text),
            Literal::Date { date, .. } => self.count_dates(path, op, *date),
            Literal::Plain { value, text } => {
                let alike = if op == Op::Eq { strings(op, text)? } else { 0 };
                Ok(alike
                    + match value {
                        Value::Bool(false) => path.falses.len(),
                        Value::Bool(true) => path.trues.len(),
                        value => self.numbers_that(path, op, value)?.len(),
                    })
            }
        }
    }

    /// The slots whose documents fulfil all of some conditions, of those `within`. Each condition is told to `steps` as it
    /// is answered; those that come when none is left are not.
    pub(super) fn select_all(
        &self,
        parts: &[Expr],
        within: Option<&Bitmap>,
        answering: &Answering<'_>,
        mut steps: Option<&mut Vec<FilterStep>>,
    ) -> Result<Bitmap> {
        let mut order = Vec::with_capacity(parts.len());
        for part in parts {
            order.push((reads(part), self.estimate(part)?, part));
        }
        order.sort_by_key(|(reads, n, _)| (*reads, *n));
        let mut left = within.cloned();
        for (_, estimated, part) in order {
            let selected = self.select_within(part, left.as_ref(), answering)?;
            let and = match left {
                None => selected,
                Some(mut left) => {
                    left.and(&selected);
                    left
                }
            };
            if let Some(steps) = &mut steps {
                let (condition, ways) = (part.to_string(), answering.take());
                steps.push(FilterStep { condition, estimated: Some(estimated), left: and.count(), ways });
            }
            let is_over = and.words().iter().all(|word| *word == 0);
            left = Some(and);
            if is_over {
                break;
            }
        }
        Ok(left.unwrap_or_else(|| Bitmap::full(self.n_slots())))
    }
}

/// How much a condition reads that is not in memory: nothing, posting lists, or every text of a field.
fn reads(expr: &Expr) -> u8 {
    match expr {
        Expr::And(parts) | Expr::Or(parts) => parts.iter().map(reads).max().unwrap_or(0),
        Expr::Not(inner) => reads(inner),
        Expr::Like { .. } => 2,
        Expr::Matches { .. } => 1,
        _ => 0,
    }
}
