//! Remembers which term a word became: stemming takes four fifths of analysis, and texts repeat their words.
//!
//! A term depends on the word and the language only, so what is remembered changes speed and nothing else. The caches belong
//! to the process: as many as are used at a time, and never more than [`CACHES`]. One a thread made a server's memory grow
//! with the threads that had ever analysed a text.

use std::sync::Mutex;

use super::language::Language;

/// Texts that are analysed at a time with a cache; more than these go without.
const CACHES: usize = 8;

static SHARED: [Mutex<TermCache>; CACHES] = [const { Mutex::new(TermCache::new(PLACES)) }; CACHES];

/// Calls `f` with a cache that nobody else uses. It never waits: when all are in use, the cache remembers one word.
pub(super) fn with<R>(f: impl FnOnce(&mut TermCache) -> R) -> R {
    // A cache that a panic left half changed is not used again.
    match SHARED.iter().find_map(|cache| cache.try_lock().ok()) {
        Some(mut cache) => f(&mut cache),
        None => f(&mut TermCache::new(1)),
    }
}

/// Words remembered at a time; each takes some 60 bytes.
const PLACES: usize = 1 << 14;

/// One place a hash, the last word that came there.
#[derive(Debug)]
pub(super) struct TermCache {
    n_places: usize,
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
    /// An empty cache of so many words; it allocates when it is first used.
    const fn new(n_places: usize) -> Self {
        Self { n_places, places: Vec::new() }
    }

    /// The term of a word, computed when it is not remembered; empty for a stop word.
    pub(super) fn term<'a>(
        &'a mut self,
        language: Language,
        word: &str,
        compute: impl FnOnce(&str) -> String,
    ) -> &'a str {
        if self.places.is_empty() {
            self.places.resize(self.n_places, None);
        }
        let place = &mut self.places[hash(word) as usize % self.n_places];
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
        let mut cache = TermCache::new(PLACES);
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
    fn texts_within_texts_are_analysed_though_all_caches_are_in_use() {
        fn nested(depth: usize) -> Vec<String> {
            if depth == 0 {
                return Vec::new();
            }
            with(|cache| {
                let term = cache.term(Language::English, "necks", |_| "neck".into()).to_owned();
                [nested(depth - 1), vec![term]].concat()
            })
        }
        assert_eq!(nested(2 * CACHES), vec!["neck"; 2 * CACHES]);
    }

    #[test]
    fn a_word_that_repeats_is_computed_once() {
        let mut cache = TermCache::new(PLACES);
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
