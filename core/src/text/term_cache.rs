//! Remembers which term a word became: stemming takes four fifths of analysis, and texts repeat their words.
//!
//! A term depends on the word and the language only, so what is remembered changes speed and nothing else. The caches belong
//! to the process: as many as are used at a time, and never more than [`CACHES`]. One a thread made a server's memory grow
//! with the threads that had ever analysed a text.

use std::sync::Mutex;

use super::language::Language;
use crate::base::string_table;

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

/// Words remembered at a time; each takes 64 bytes, and more when it is long.
const PLACES: usize = 1 << 14;

/// Bytes of a word and its term together that need no allocation of their own.
const SHORT: usize = 37;

/// One place a hash, the last word that came there.
#[derive(Debug)]
pub(super) struct TermCache {
    n_places: usize,
    places: Vec<Place>,
}

/// A word and its term, one after the other.
#[derive(Debug, Clone)]
struct Place {
    /// Of the term ([`string_table::hash`]).
    hash: u64,
    language: Option<Language>,
    word_len: u8,
    /// Of both together; they are beside when that is more than [`SHORT`].
    len: u8,
    short: [u8; SHORT],
    long: Option<Box<str>>,
}

const EMPTY: Place = Place { hash: 0, language: None, word_len: 0, len: 0, short: [0; SHORT], long: None };

impl Place {
    fn new(language: Language, word: &str, term: &str) -> Self {
        let both = [word, term].concat();
        let mut place = Self {
            hash: string_table::hash(term),
            language: Some(language),
            word_len: word.len() as u8,
            len: both.len() as u8,
            ..EMPTY
        };
        match place.short.get_mut(..both.len()) {
            Some(short) => short.copy_from_slice(both.as_bytes()),
            None => place.long = Some(both.into()),
        }
        place
    }

    #[cfg_attr(kithdb_small, optimize(speed))]
    #[inline]
    fn is_of(&self, language: Language, word: &str) -> bool {
        let word_len = usize::from(self.word_len);
        self.language == Some(language)
            && word_len == word.len()
            && match &self.long {
                None => &self.short[..word_len] == word.as_bytes(),
                Some(long) => &long[..word_len] == word,
            }
    }

    fn term(&self) -> &str {
        let word_len = usize::from(self.word_len);
        match &self.long {
            None => {
                let term = &self.short[word_len..usize::from(self.len)];
                std::str::from_utf8(term).expect("a term was copied there")
            }
            Some(long) => &long[word_len..],
        }
    }
}

impl TermCache {
    /// An empty cache of so many words, a power of two; it allocates when it is first used.
    const fn new(n_places: usize) -> Self {
        Self { n_places, places: Vec::new() }
    }

    /// The term of a word of at most [`crate::base::limits::TERM_BYTES_MAX`] bytes, computed when it is not remembered, and
    /// its [`string_table::hash`]; empty for a stop word.
    pub(super) fn term(
        &mut self,
        language: Language,
        word: &str,
        compute: impl FnOnce(&str) -> String,
    ) -> (&str, u64) {
        if self.places.is_empty() {
            self.places.resize(self.n_places, EMPTY);
        }
        let place = &mut self.places[hash(word.as_bytes()) as usize & (self.n_places - 1)];
        if !place.is_of(language, word) {
            *place = Place::new(language, word, &compute(word));
        }
        (place.term(), place.hash)
    }
}

/// Multiplies eight bytes at a time into each other, and mixes the high bits into the low ones.
fn hash(word: &[u8]) -> u64 {
    const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
    let mix = |hash: u64, eight: u64| {
        let product = (hash ^ eight).wrapping_mul(ODD);
        product ^ (product >> 32)
    };
    let (chunks, rest) = word.as_chunks::<8>();
    let hash = chunks.iter().fold(word.len() as u64, |hash, eight| mix(hash, u64::from_le_bytes(*eight)));
    mix(hash, rest.iter().fold(0, |eight, byte| eight << 8 | u64::from(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_that_takes_the_place_of_another_changes_no_term() {
        let mut cache = TermCache::new(PLACES);
        let mut words: Vec<String> = (0..3 * PLACES).map(|i| format!("word{i}")).collect();
        words.extend((0..64).map(|len| "\u{e9}x".repeat(len)[..len - len % 3].to_owned()));
        for _ in 0..2 {
            for word in &words {
                for language in Language::ALL {
                    let term = format!("{word}-{}", language.name());
                    let found = cache.term(language, word, |word| format!("{word}-{}", language.name()));
                    assert_eq!(found, (&*term, string_table::hash(&term)));
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
                let (term, _) = cache.term(Language::English, "necks", |_| "neck".into());
                [nested(depth - 1), vec![term.to_owned()]].concat()
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
