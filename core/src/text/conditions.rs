//! Which documents of a part have what a query says must be there, or must not.
//!
//! Words are found by postings. Of phrases postings tell which documents have all the words; whether these stand one after
//! another is seen in the text itself, of which only those documents are read.

use super::Analyzer;
use super::expansions;
use super::postings::PostingSource;
use super::query::{Condition, Match, Phrase, Query, QueryTerm};
use crate::base::{Bitmap, Result};

/// Reads the texts of a document: calls its argument with each field and text of a slot.
pub type TextsOf<'a> = dyn FnMut(u32, &mut dyn FnMut(&str, &str)) -> Result<()> + 'a;

/// The allowed slots of a part that fulfil a condition of a query.
///
/// # Complexity
/// Reads the postings of each word, and the text of each allowed document that has all words of a phrase.
///
/// # Errors
/// `corrupt`, `not_resident`.
pub fn select<'a>(
    source: &dyn PostingSource,
    query: &Query,
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
                None => !query.leaves_out(field),
            };
            if !is_asked {
                continue;
            }
            let found = with_all_words(source, field, phrase, allowed, n_slots)?;
            if phrase.words.len() == 1 {
                selected.or(&found);
                continue;
            }
            for slot in found.iter().filter(|slot| !selected.contains(*slot)).collect::<Vec<_>>() {
                let mut is_there = false;
                texts_of(slot as u32, &mut |name, text| {
                    is_there =
                        is_there || name == field && has_phrase(analyzer_of(field), text, &phrase.words);
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

/// The allowed slots that have each word of a phrase somewhere in a field.
fn with_all_words(
    source: &dyn PostingSource,
    field: &str,
    phrase: &Phrase,
    allowed: Option<&Bitmap>,
    n_slots: usize,
) -> Result<Bitmap> {
    let mut found = allowed.map_or_else(|| Bitmap::full(n_slots), Bitmap::clone);
    for (_, term) in &phrase.words {
        found.and(&slots_of(source, field, term, n_slots)?);
    }
    Ok(found)
}

fn slots_of(source: &dyn PostingSource, field: &str, asked: &QueryTerm, n_slots: usize) -> Result<Bitmap> {
    let mut slots = Bitmap::empty(n_slots);
    let mut terms = vec![asked.term.clone()];
    if asked.matches != Match::Exact {
        expansions::for_each(source, field, asked, &mut |term, _| {
            if term != asked.term {
                terms.push(term.to_owned());
            }
        })?;
    }
    for term in terms {
        source.for_each_posting(field, &term, &mut |posting| slots.insert(posting.slot as usize))?;
    }
    Ok(slots)
}

/// Whether a text has these terms, each as many words behind the first as it is in the phrase.
fn has_phrase(analyzer: &Analyzer, text: &str, phrase: &[(u32, QueryTerm)]) -> bool {
    let mut terms: Vec<(u32, Option<usize>)> = Vec::new();
    let is_word = |term: &str, asked: &QueryTerm| {
        term == asked.term
            || asked.matches != Match::Exact && term.starts_with(asked.prefix()) && asked.is_match(term)
    };
    let mut words: Vec<String> = Vec::new();
    analyzer.positions(text, |term, position| {
        let known = phrase.iter().any(|(_, asked)| is_word(term, asked));
        terms.push((position, known.then_some(words.len())));
        if known {
            words.push(term.to_owned());
        }
    });
    let at = |position: u32| {
        let at = terms.binary_search_by_key(&position, |(position, _)| *position).ok()?;
        terms[at].1.map(|word| &*words[word])
    };
    let begins = |first: u32| {
        phrase.iter().all(|(offset, asked)| at(first + offset).is_some_and(|term| is_word(term, asked)))
    };
    terms.iter().any(|(position, word)| word.is_some() && begins(*position))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{Language, TextFields, TextSpec, Words};

    #[test]
    fn a_phrase_is_its_words_in_order_with_as_many_stop_words_between() {
        let words = Words::new(TextSpec::new(Language::English, TextFields::TopLevel));
        let is_in = |phrase: &str, text: &str| {
            let query = words.parse(phrase, false, |_| false).expect("short");
            has_phrase(words.analyzer(), text, &query.conditions()[0].phrases[0].words)
        };
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
}
