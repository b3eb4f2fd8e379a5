//! Whether the words of a phrase stand one after another: seen by the positions of their terms, or in the text itself.

use super::Analyzer;
use super::positions::GAP;
use super::postings::{PostingSource, first_from};
use super::standing::Standing;
use crate::base::limits::EXPANSIONS_MAX;
use crate::base::{Bitmap, Error, Result};

/// A word of a phrase: its number, and the terms that it stands for, sorted.
pub(super) type Word = (u32, Vec<String>);

/// Whether positions tell where a phrase stands: they do not tell the last word of a text from the first of the next one
/// where these are so far apart, and words that stand for any number of terms would take any memory.
pub(super) fn is_told_by_positions(source: &dyn PostingSource, phrase: &[Word]) -> Result<bool> {
    let is_short = phrase.last().is_none_or(|(number, _)| *number < GAP);
    let is_bounded = phrase.iter().all(|(_, terms)| terms.len() <= EXPANSIONS_MAX);
    Ok(is_short && is_bounded && source.has_positions()?)
}

/// Adds the slots, of those that have each word somewhere in a field, where they stand one after another.
///
/// # Complexity
/// One pass over the postings of each term. Of positions those are decoded that stand in these slots, and what shares a
/// block with them; memory for those of one slot.
pub(super) fn add_by_positions(
    source: &dyn PostingSource,
    field: &str,
    phrase: &[Word],
    found: &Bitmap,
    selected: &mut Bitmap,
) -> Result<()> {
    if found.first_from(0).is_none() {
        return Ok(());
    }
    let mut words = Vec::with_capacity(phrase.len());
    for (number, terms) in phrase {
        let mut standing = Vec::with_capacity(terms.len());
        for term in terms {
            let Some(list) = source.list(field, term)? else { continue };
            let unknown = || Error::corrupt("postings", 0, "positions of every term");
            standing.push(Standing::open(list)?.ok_or_else(unknown)?);
        }
        words.push((*number, standing));
    }
    let (mut starts, mut here): (Vec<u32>, Vec<u32>) = (Vec::new(), Vec::new());
    for slot in found.iter() {
        if selected.contains(slot) {
            continue;
        }
        for (i, (number, terms)) in words.iter_mut().enumerate() {
            here.clear();
            for term in terms.iter_mut() {
                here.extend_from_slice(term.positions_in(slot as u32)?);
            }
            if terms.len() > 1 {
                here.sort_unstable();
            }
            if i == 0 {
                std::mem::swap(&mut starts, &mut here);
            } else {
                let mut at = 0;
                starts.retain(|start| {
                    let wanted = start + *number;
                    at = first_from(at..here.len(), |i| here[i] < wanted);
                    here.get(at) == Some(&wanted)
                });
            }
            if starts.is_empty() {
                break;
            }
        }
        if !starts.is_empty() {
            selected.insert(slot);
        }
    }
    Ok(())
}

/// Whether a text has these words, each as many words behind the first as it is in the phrase.
pub(super) fn is_in_text(analyzer: &Analyzer, text: &str, phrase: &[Word]) -> bool {
    let mut found: Vec<(u32, Option<usize>)> = Vec::new();
    let is_word =
        |term: &str, terms: &[String]| terms.binary_search_by(|known| known.as_str().cmp(term)).is_ok();
    let mut known: Vec<String> = Vec::new();
    analyzer.positions(text, |term, position| {
        let is_known = phrase.iter().any(|(_, terms)| is_word(term, terms));
        found.push((position, is_known.then_some(known.len())));
        if is_known {
            known.push(term.to_owned());
        }
    });
    let at = |position: u32| {
        let at = found.binary_search_by_key(&position, |(position, _)| *position).ok()?;
        found[at].1.map(|word| &*known[word])
    };
    let begins = |first: u32| {
        phrase.iter().all(|(offset, terms)| at(first + offset).is_some_and(|term| is_word(term, terms)))
    };
    found.iter().any(|(position, word)| word.is_some() && begins(*position))
}

#[cfg(test)]
#[path = "phrases_tests.rs"]
mod tests;
