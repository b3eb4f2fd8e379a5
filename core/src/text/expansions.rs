//! The terms that a term of a query stands for beside itself: those that begin so, or are a typo away.

use super::postings::{PostingSource, Step};
use super::query::{Match, QueryTerm};
use super::typos::Typos;
use crate::base::Result;

/// Calls `f` with each term of a field that a term of a query stands for, by ascending term, and with its df in the part.
///
/// # Complexity
/// Looks at the terms that begin so and one more; for a typo, at those few whose beginnings are not too far from the word.
/// Allocates nothing for any of them.
pub(super) fn for_each(
    source: &dyn PostingSource,
    field: &str,
    asked: &QueryTerm,
    f: &mut dyn FnMut(&str, u32),
) -> Result<()> {
    match asked.matches {
        Match::Exact => {
            let df = source.df(field, &asked.term)?;
            if df > 0 {
                f(&asked.term, df);
            }
            Ok(())
        }
        Match::Prefix => source.walk(field, asked.prefix(), &mut |term, df| {
            if !term.starts_with(asked.prefix()) {
                return Step::End;
            }
            f(term, df);
            Step::Next
        }),
        Match::Fuzzy => {
            let mut typos = Typos::new(&asked.term);
            source.walk(field, "", &mut |term, df| {
                let (is_match, step) = typos.look(term);
                if is_match {
                    f(term, df);
                }
                step
            })
        }
    }
}
