//! The terms that a term of a query stands for: itself, and those that begin so or are a typo away.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::postings::{PostingSource, Step};
use super::query::{Match, QueryTerm};
use super::typos::Typos;
use crate::base::Result;
use crate::base::limits::EXPANSIONS_MAX;

/// Calls `f` with each term of a part's field that a term of a query stands for beside itself, and with its df in the part.
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
        Match::Exact => Ok(()),
        Match::Prefix => {
            source.walk(field, asked.prefix(), &mut |term, df| {
                if !term.starts_with(asked.prefix()) {
                    return Step::End;
                }
                f(term, df);
                Step::Next
            })?;
            for term in asked.stems() {
                let df = source.df(field, term)?;
                if df > 0 {
                    f(term, df);
                }
            }
            Ok(())
        }
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

/// The terms of a field that a term of a query stands for, each with its df, which `df` counts: those of most documents, up
/// to [`EXPANSIONS_MAX`], and always the term itself where a document has it.
///
/// # Complexity
/// Asks for the df of the term itself, and of others as long as one of them can be among those of most documents: the df
/// that the parts have of a term, ended documents included, is the most that it can be.
pub(super) fn chosen<'a>(
    asked: &QueryTerm,
    field: &str,
    parts: impl Iterator<Item = &'a dyn PostingSource>,
    df: impl Fn(&str, &str) -> Result<u64>,
) -> Result<Vec<(u64, String)>> {
    let mut most: BTreeMap<String, u64> = BTreeMap::new();
    for part in parts {
        for_each(part, field, asked, &mut |term, df| match most.get_mut(term) {
            Some(sum) => *sum += u64::from(df),
            None => {
                most.insert(term.to_owned(), u64::from(df));
            }
        })?;
    }
    most.remove(&asked.term);
    let mut others: Vec<(Reverse<u64>, String)> =
        most.into_iter().map(|(term, most)| (Reverse(most), term)).collect();
    others.sort_unstable();
    let own = df(field, &asked.term)?;
    let mut found: Vec<(Reverse<u64>, String)> = Vec::new();
    found.extend((own > 0).then(|| (Reverse(own), asked.term.clone())));
    for (most, term) in others {
        let last = found.last().filter(|_| found.len() >= EXPANSIONS_MAX);
        if last.is_some_and(|(df, last)| (df, last) < (&most, &term)) {
            break;
        }
        let df = df(field, &term)?;
        if df > 0 {
            let entry = (Reverse(df), term);
            let at = found.partition_point(|before| *before < entry);
            found.insert(at, entry);
            found.truncate(EXPANSIONS_MAX);
        }
    }
    if own > 0 && !found.iter().any(|(_, term)| *term == asked.term) {
        // The word as it was written is never left out.
        found.truncate(EXPANSIONS_MAX - 1);
        found.push((Reverse(own), asked.term.clone()));
    }
    Ok(found.into_iter().map(|(Reverse(df), term)| (df, term)).collect())
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::text::{Language, MemoryPostings, Query, TextFields, TextSpec, Words};

    fn words() -> Words {
        Words::new(TextSpec::new(Language::None, TextFields::TopLevel))
    }

    fn part(words: &Words, texts: &[String]) -> MemoryPostings {
        let mut part = MemoryPostings::new();
        for (slot, text) in (0..).zip(texts) {
            part.push(words.analyzer(), slot, &[("text", text)]);
        }
        part
    }

    fn query(words: &Words, text: &str) -> Query {
        words.parse(text, false, |_| false).expect("short")
    }

    proptest! {
        #[test]
        fn those_of_most_documents_are_chosen_and_the_word_itself(
            texts in prop::collection::vec("([a-d]{1,4} ){0,12}", 0..60),
            cut in 0usize..60,
            ended in prop::collection::vec(any::<bool>(), 60),
            asked in "[ab]{1,2}",
        ) {
            let words = words();
            let (first, second) = texts.split_at(cut.min(texts.len()));
            let parts = [part(&words, first), part(&words, second)];
            let df = |term: &str| {
                let live = texts.iter().zip(&ended).filter(|(_, ended)| !**ended);
                live.filter(|(text, _)| text.split(' ').any(|word| word == term)).count() as u64
            };
            let query = query(&words, &format!("{asked}*"));
            let sources = parts.iter().map(|part| part as &dyn PostingSource);
            let found = chosen(&query.terms()[0], "text", sources, |_, term| Ok(df(term))).expect("in memory");

            let all: BTreeSet<&str> = texts.iter().flat_map(|text| text.split(' ')).collect();
            let matches = all.into_iter().filter(|word| word.starts_with(&asked) && df(word) > 0);
            let mut expected: Vec<(u64, String)> = matches.map(|word| (df(word), word.to_owned())).collect();
            expected.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
            if let Some(at) = expected.iter().position(|(_, word)| *word == asked)
                && at >= EXPANSIONS_MAX
            {
                expected.swap(at, EXPANSIONS_MAX - 1);
            }
            expected.truncate(EXPANSIONS_MAX);
            prop_assert_eq!(found, expected);
        }
    }

    #[test]
    fn no_more_are_counted_than_can_be_among_the_chosen() {
        let words = words();
        // Term i stands in i texts.
        let text = |slot: usize| (slot + 1..=400).map(|i| format!("a{i:03} ")).collect::<String>();
        let part = part(&words, &(0..400).map(text).collect::<Vec<_>>());
        let (query, counted) = (query(&words, "a*"), Cell::new(0));
        let parts = || [&part as &dyn PostingSource].into_iter();
        let of_most = |_: &str, term: &str| {
            counted.set(counted.get() + 1);
            part.df("text", term).map(u64::from)
        };
        let found = chosen(&query.terms()[0], "text", parts(), of_most).expect("in memory");
        assert_eq!((found.len(), &*found[0].1, counted.get()), (EXPANSIONS_MAX, "a400", EXPANSIONS_MAX + 1));
        // Half of the documents have ended: more terms can still be among the chosen.
        counted.set(0);
        let half = |field: &str, term: &str| Ok(of_most(field, term)? / 2);
        let found = chosen(&query.terms()[0], "text", parts(), half).expect("in memory");
        assert_eq!((found.len(), &*found[0].1), (EXPANSIONS_MAX, "a400"));
        assert!(counted.get() < 250, "{}", counted.get());
    }
}
