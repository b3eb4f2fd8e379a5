//! Remembers which term a word became: stemming takes four fifths of analysis, and texts repeat their words.
//!
//! A term depends on the word and the language only, so what is remembered changes speed and nothing else.

use super::analysis::Language;

/// Words remembered at a time; each takes some 60 bytes.
const PLACES: usize = 1 << 14;

/// One place a hash, the last word that came there.
#[derive(Debug, Default)]
pub(super) struct TermCache {
    places: Vec<Option<Entry>>,
}

#[derive(Debug, Clone)]
struct Entry {
    /// The word and its term, one after the other.
    text: Box<str>,
    word_len: usize,
    language: Language,
}

impl TermCache {
    /// An empty cache; it allocates when it is first used.
    pub(super) const fn new() -> Self {
        Self { places: Vec::new() }
    }

    /// The term of a word, computed when it is not remembered; empty for a stop word.
    pub(super) fn term<'a>(
        &'a mut self,
        language: Language,
        word: &str,
        compute: impl FnOnce(&str) -> String,
    ) -> &'a str {
        if self.places.is_empty() {
            self.places.resize(PLACES, None);
        }
        let place = &mut self.places[hash(word) as usize % PLACES];
        let known =
            place.take_if(|entry| entry.language == language && &entry.text[..entry.word_len] == word);
        let entry = known.unwrap_or_else(|| Entry {
            text: [word, &compute(word)].concat().into(),
            word_len: word.len(),
            language,
        });
        let entry = place.insert(entry);
        &entry.text[entry.word_len..]
    }
}

/// FNV-1a, its high bits mixed into the low ones.
fn hash(word: &str) -> u64 {
    let hash = word
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325, |h: u64, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
    hash ^ (hash >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_that_takes_the_place_of_another_changes_no_term() {
        let mut cache = TermCache::new();
        let words: Vec<String> = (0..3 * PLACES).map(|i| format!("word{i}")).collect();
        for _ in 0..2 {
            for word in &words {
                for language in Language::ALL {
                    let term = cache.term(language, word, |word| format!("{word}-{}", language.name()));
                    assert_eq!(term, format!("{word}-{}", language.name()));
                }
            }
        }
    }

    #[test]
    fn a_word_that_repeats_is_computed_once() {
        let mut cache = TermCache::new();
        let mut computed = 0;
        for _ in 0..5 {
            cache.term(Language::English, "necks", |_| {
                computed += 1;
                "neck".into()
            });
        }
        assert_eq!(computed, 1);
    }
}
