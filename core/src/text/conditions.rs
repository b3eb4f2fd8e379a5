//! Which documents of a part have what a query says must be there, or must not.
//!
//! Words are found by postings. Of phrases postings tell which documents have all the words, and positions whether these stand
//! one after another. Where there are no positions it is seen in the texts of those documents.
//!
//! A word that stands for others stands for the same where it must be there as where it scores: up to a number of terms. What
//! must not be there is left out whole, whatever it takes.

use super::Analyzer;
use super::bm25::Weights;
use super::expansions;
use super::phrases::{Word, add_by_positions, is_in_text, is_told_by_positions};
use super::postings::PostingSource;
use super::query::{Condition, Match, Query, QueryTerm};
use crate::base::{Bitmap, Result};

/// Reads the texts of a document: calls its argument with each field and text of a slot.
pub type TextsOf<'a> = dyn FnMut(u32, &mut dyn FnMut(&str, &str)) -> Result<()> + 'a;

/// A query with the terms that score.
#[derive(Debug, Clone, Copy)]
pub struct Scored<'a> {
    /// The query.
    pub query: &'a Query,
    /// Its terms in the collection.
    pub weights: &'a Weights,
}

/// The allowed slots of a part that fulfil a condition of a query.
///
/// # Complexity
/// Reads the postings of each word, and the positions of each word of a phrase; where a segment of an earlier version has none,
/// or the phrase is long, the text of each allowed document that has all words of it.
///
/// # Errors
/// `corrupt`, `not_resident`.
pub fn select<'a>(
    source: &dyn PostingSource,
    asked: Scored<'_>,
    condition: &Condition,
    allowed: Option<&Bitmap>,
    analyzer_of: impl Fn(&str) -> &'a Analyzer,
    texts_of: &mut TextsOf<'_>,
) -> Result<Bitmap> {
    let n_slots = allowed.map_or(source.n_slots() as usize, Bitmap::len);
    let mut selected = Bitmap::empty(n_slots);
    for phrase in &condition.phrases {
        for field in source.fields() {
            let is_asked = match &phrase.field {
                Some(only) => only == field,
                None => !asked.query.leaves_out(field),
            };
            if !is_asked {
                continue;
            }
            let stands_for = |(number, word): &(u32, QueryTerm)| {
                Ok((*number, stands_for(source, asked, condition.is_negative, field, word)?))
            };
            let words = phrase.words.iter().map(stands_for).collect::<Result<Vec<Word>>>()?;
            let found = with_all_words(source, field, &words, allowed, n_slots)?;
            if words.len() == 1 {
                selected.or(&found);
                continue;
            }
            if is_told_by_positions(source, &words)? {
                add_by_positions(source, field, &words, &found, &mut selected)?;
                continue;
            }
            for slot in found.iter().filter(|slot| !selected.contains(*slot)).collect::<Vec<_>>() {
                let mut is_there = false;
                texts_of(slot as u32, &mut |name, text| {
                    is_there = is_there || name == field && is_in_text(analyzer_of(field), text, &words);
                })?;
                if is_there {
                    selected.insert(slot);
                }
            }
        }
    }
    if condition.is_negative {
        let mut others = allowed.map_or_else(|| Bitmap::full(n_slots), Bitmap::clone);
        others.and_not(&selected);
        return Ok(others);
    }
    Ok(selected)
}

/// The terms that a word of a condition stands for in a field, sorted.
fn stands_for(
    source: &dyn PostingSource,
    asked: Scored<'_>,
    is_negative: bool,
    field: &str,
    word: &QueryTerm,
) -> Result<Vec<String>> {
    let mut terms = vec![word.term.clone()];
    if is_negative {
        expansions::for_each(source, field, word, &mut |term, _| terms.push(term.to_owned()))?;
        terms.sort_unstable();
        terms.dedup();
    } else if word.matches != Match::Exact {
        let scored = asked.weights.stands_for(asked.query, word, field);
        terms = scored.into_iter().map(str::to_owned).collect();
    }
    Ok(terms)
}

/// The allowed slots that have each word of a phrase somewhere in a field.
fn with_all_words(
    source: &dyn PostingSource,
    field: &str,
    words: &[Word],
    allowed: Option<&Bitmap>,
    n_slots: usize,
) -> Result<Bitmap> {
    let mut found = allowed.map_or_else(|| Bitmap::full(n_slots), Bitmap::clone);
    for (_, terms) in words {
        let mut slots = Bitmap::empty(n_slots);
        for term in terms {
            source.for_each_posting(field, term, &mut |posting| slots.insert(posting.slot as usize))?;
        }
        found.and(&slots);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::limits::EXPANSIONS_MAX;
    use crate::text::{Language, MemoryPostings, TextFields, TextSpec, Words};

    /// Which texts a query lets through.
    fn found(words: &Words, query: &str, texts: &[&str]) -> Vec<usize> {
        let query = words.parse(query, false, |_| false).expect("short");
        let mut part = MemoryPostings::new();
        for (slot, text) in texts.iter().enumerate() {
            part.push(words.analyzer(), slot as u32, &[("text", text)]);
        }
        let weights = Weights::gather(&query, &[&part], &[], words.scoring()).expect("in memory");
        let asked = Scored { query: &query, weights: &weights };
        let mut allowed = Bitmap::full(texts.len());
        for condition in query.conditions() {
            let mut texts_of = |slot: u32, f: &mut dyn FnMut(&str, &str)| {
                f("text", texts[slot as usize]);
                Ok(())
            };
            let analyzer_of = |_: &str| words.analyzer();
            let selected = select(&part, asked, condition, Some(&allowed), analyzer_of, &mut texts_of)
                .expect("in memory");
            allowed = selected;
        }
        allowed.iter().collect()
    }

    #[test]
    fn a_phrase_is_its_words_in_order_with_as_many_stop_words_between() {
        let words = Words::new(TextSpec::new(Language::English, TextFields::TopLevel));
        let is_in = |phrase: &str, text: &str| found(&words, phrase, &[text]) == [0];
        assert!(is_in("\"long necks\"", "A very long neck."));
        assert!(!is_in("\"long neck\"", "neck, long"));
        assert!(!is_in("\"long neck\"", "long brown neck"));
        assert!(is_in("\"king of england\"", "the kings of England"));
        assert!(is_in("\"king of england\"", "king in england"));
        assert!(!is_in("\"king of england\"", "king england"));
        assert!(is_in("+well-known", "a well known king"));
        assert!(is_in("\"aa bb aa\"", "aa aa bb aa"));
        assert!(is_in("+long-nec*", "long necklace"));
        assert!(!is_in("+long-nec*", "long tail"));
    }

    #[test]
    fn what_must_be_there_is_what_scores_and_what_must_not_is_everything() {
        let words = Words::new(TextSpec::new(Language::None, TextFields::TopLevel));
        // Each word that begins so is in a text of its own, the first ones in two.
        let mut texts: Vec<String> = (0..100).map(|i| format!("a{i:03} all")).collect();
        texts.extend((0..10).map(|i| format!("a{i:03}")));
        texts.push("other".to_owned());
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let scored: Vec<usize> = (0..EXPANSIONS_MAX).chain(100..110).collect();
        assert_eq!(found(&words, "+a0*", &texts), scored);
        let with_two: Vec<usize> = scored.iter().copied().filter(|at| *at < 100).collect();
        assert_eq!(found(&words, "+a0* +all", &texts), with_two);
        assert_eq!(found(&words, "-a0*", &texts), [110]);
        assert_eq!(found(&words, "-\"a050 all\" -a01* +all", &texts).len(), 100 - 11);
    }
}
