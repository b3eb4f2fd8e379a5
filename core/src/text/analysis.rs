//! From a text to its terms: normalise (NFKC), lower-case, cut into words, drop stop words, stem.
//!
//! Depends on the text and the language only, so that every platform indexes and asks for the same terms.
//! Words are those of Unicode Annex 29 that hold a letter or a digit.

use std::borrow::Cow;
use std::cell::RefCell;
use std::fmt;

use snowball_stemmers_rs::{Algorithm, Stemmer};
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfkc_quick};
use unicode_segmentation::UnicodeSegmentation;

use super::stop_words::{ENGLISH, ITALIAN, ITALIAN_ELISIONS};
use super::term_cache::TermCache;
use crate::base::limits::TERM_BYTES_MAX;

/// The language of a collection's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Language {
    /// Words as they stand: no stop words, no stems.
    None,
    /// Lucene's 33 stop words, Porter's second stemmer.
    English,
    /// Snowball's stop words and stemmer; elided articles (`l'`, `dell'`) are cut off.
    Italian,
}

impl Language {
    /// Every language.
    pub const ALL: [Self; 3] = [Self::None, Self::English, Self::Italian];

    /// Its number in files.
    #[must_use]
    pub fn tag(self) -> u8 {
        match self {
            Self::None => 0,
            Self::English => 1,
            Self::Italian => 2,
        }
    }

    /// The language of a number in a file.
    #[must_use]
    pub fn from_tag(tag: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.tag() == tag)
    }

    /// Its name, also in requests.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::English => "english",
            Self::Italian => "italian",
        }
    }

    /// The language of this name, in any case.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.name().eq_ignore_ascii_case(name))
    }

    fn stop_words(self) -> &'static [&'static str] {
        match self {
            Self::None => &[],
            Self::English => &ENGLISH,
            Self::Italian => &ITALIAN,
        }
    }
}

thread_local! {
    static TERMS: RefCell<TermCache> = const { RefCell::new(TermCache::new()) };
}

/// Turns texts into terms.
///
/// # Examples
/// ```
/// use kithdb::text::{Analyzer, Language};
///
/// let mut terms = Vec::new();
/// Analyzer::new(Language::English).analyse("The Kittens' ponies", |term| terms.push(term.to_owned()));
/// assert_eq!(terms, ["kitten", "poni"]);
/// ```
pub struct Analyzer {
    language: Language,
    stemmer: Option<Stemmer>,
}

impl fmt::Debug for Analyzer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Analyzer({})", self.language.name())
    }
}

impl Analyzer {
    /// The analyzer of a language.
    #[must_use]
    pub fn new(language: Language) -> Self {
        let stemmer = match language {
            Language::None => None,
            Language::English => Some(Stemmer::create(Algorithm::English)),
            Language::Italian => Some(Stemmer::create(Algorithm::Italian)),
        };
        Self { language, stemmer }
    }

    /// Its language.
    #[must_use]
    pub fn language(&self) -> Language {
        self.language
    }

    /// Calls `f` with each term of the text, in the order of the words; a term is at most
    /// [`TERM_BYTES_MAX`] bytes and never empty.
    pub fn analyse(&self, text: &str, mut f: impl FnMut(&str)) {
        let text = fold(text);
        let Some(stemmer) = &self.stemmer else {
            return text.unicode_words().for_each(|word| f(cut(word)));
        };
        TERMS.with(|shared| {
            // `f` may analyse another text, which then starts with a cache of its own.
            let mut terms = shared.take();
            for word in text.unicode_words() {
                // Cut before stemming, so that no word costs more than its bound.
                let word = cut(self.without_elision(word));
                match terms.term(self.language, word, |word| self.term(stemmer, word)) {
                    "" => {}
                    term => f(term),
                }
            }
            shared.replace(terms);
        });
    }

    /// The term of a word; empty for a stop word.
    fn term(&self, stemmer: &Stemmer, word: &str) -> String {
        if self.language.stop_words().binary_search(&word).is_ok() {
            return String::new();
        }
        match cut(&stemmer.stem(word)) {
            "" => word.to_owned(),
            term => term.to_owned(),
        }
    }

    fn without_elision<'a>(&self, word: &'a str) -> &'a str {
        if self.language != Language::Italian {
            return word;
        }
        match word.split_once('\'') {
            Some((article, rest)) if !rest.is_empty() && ITALIAN_ELISIONS.binary_search(&article).is_ok() => {
                rest
            }
            _ => word,
        }
    }
}

/// NFKC, lower case, and one apostrophe: the typographic one (U+2019) would hide `'s` from the stemmer.
fn fold(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return if text.bytes().any(|b| b.is_ascii_uppercase()) {
            text.to_ascii_lowercase().into()
        } else {
            text.into()
        };
    }
    let normal: Cow<'_, str> = match is_nfkc_quick(text.chars()) {
        IsNormalized::Yes => text.into(),
        _ => text.nfkc().collect::<String>().into(),
    };
    normal.to_lowercase().replace('\u{2019}', "'").into()
}

fn cut(term: &str) -> &str {
    let end = (0..=term.len().min(TERM_BYTES_MAX)).rev().find(|&at| term.is_char_boundary(at));
    &term[..end.unwrap_or(0)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn terms(language: Language, text: &str) -> Vec<String> {
        let mut terms = Vec::new();
        Analyzer::new(language).analyse(text, |term| terms.push(term.to_owned()));
        terms
    }

    #[test]
    fn english_stems_are_those_of_the_snowball_vocabulary() {
        for (word, stem) in [
            ("consign", "consign"),
            ("consigned", "consign"),
            ("consigning", "consign"),
            ("consignment", "consign"),
            ("consist", "consist"),
            ("consistency", "consist"),
            ("consolation", "consol"),
            ("conspicuously", "conspicu"),
            ("knack", "knack"),
            ("knackeries", "knackeri"),
            ("knightly", "knight"),
            ("knives", "knive"),
            ("knowledge", "knowledg"),
            ("caresses", "caress"),
            ("ponies", "poni"),
            ("ties", "tie"),
            ("cries", "cri"),
            ("gas", "gas"),
            ("gaps", "gap"),
            ("kiwis", "kiwi"),
            ("hopping", "hop"),
            ("hoping", "hope"),
            ("luxuriating", "luxuri"),
            ("generate", "generat"),
            ("general", "general"),
            ("communism", "communism"),
            ("arsenal", "arsenal"),
            ("skies", "sky"),
            ("dying", "die"),
            ("news", "news"),
            ("proceed", "proceed"),
            ("relational", "relat"),
            ("us", "us"),
            ("running", "run"),
            ("happily", "happili"),
        ] {
            assert_eq!(terms(Language::English, word), [stem], "{word}");
        }
    }

    #[test]
    fn italian_stems_are_those_of_the_snowball_vocabulary() {
        for (word, stem) in [
            ("abbandonata", "abbandon"),
            ("abbandonate", "abbandon"),
            ("abbandonati", "abbandon"),
            ("abbandonato", "abbandon"),
            ("abbandonava", "abbandon"),
            ("abbandoner\u{e0}", "abbandon"),
            ("abbandono", "abband"),
            ("pronto", "pront"),
            ("pronuncer\u{e0}", "pronunc"),
            ("pronuncia", "pronunc"),
            ("pronunciation", "pronunciation"),
            ("propaga", "propag"),
            ("propagamento", "propag"),
            ("proporzionale", "proporzional"),
            ("gatti", "gatt"),
            ("gatto", "gatt"),
            ("bellissimo", "bellissim"),
            ("citt\u{e0}", "citt"),
        ] {
            assert_eq!(terms(Language::Italian, word), [stem], "{word}");
        }
    }

    #[test]
    fn stop_words_go_and_articles_are_cut_off() {
        assert_eq!(terms(Language::English, "To be or not to be, THAT is the question"), ["question"]);
        assert_eq!(terms(Language::None, "To be"), ["to", "be"]);
        assert_eq!(terms(Language::Italian, "L\u{2019}acqua dell'isola \u{e8} per tutti"), ["acqua", "isol"]);
        assert_eq!(terms(Language::English, "the dog\u{2019}s bowl"), ["dog", "bowl"]);
    }

    #[test]
    fn a_word_holds_a_letter_or_a_digit() {
        assert_eq!(terms(Language::None, "-- C3PO, 3.14 & (snake_case)!"), ["c3po", "3.14", "snake_case"]);
        assert_eq!(terms(Language::None, "\u{fb01}ne \u{ff21}\u{ff22} \u{212a}"), ["fine", "ab", "k"]);
        assert!(terms(Language::English, " \u{1f600} ... ").is_empty());
    }

    #[test]
    fn composed_and_decomposed_letters_give_the_same_terms() {
        for text in ["citt\u{e0} perch\u{e9} caff\u{e8}", "na\u{ef}ve caf\u{e9}s \u{c5}ngstr\u{f6}m"] {
            let (nfc, nfd) = (text.nfc().collect::<String>(), text.nfd().collect::<String>());
            assert_ne!(nfc, nfd);
            for language in Language::ALL {
                assert_eq!(terms(language, &nfc), terms(language, &nfd));
            }
        }
    }

    #[test]
    fn names_and_tags_come_back() {
        for language in Language::ALL {
            assert_eq!(Language::parse(&language.name().to_uppercase()), Some(language));
            assert_eq!(Language::from_tag(language.tag()), Some(language));
        }
        assert_eq!(Language::parse(""), None);
        assert_eq!(Language::from_tag(200), None);
    }

    proptest! {
        #[test]
        fn terms_of_any_text_are_short_and_never_empty(text in "\\PC{0,200}", long in "[a-z\u{e0}-\u{f0}]{60,200}") {
            for language in Language::ALL {
                for term in terms(language, &text).iter().chain(&terms(language, &long)) {
                    prop_assert!(!term.is_empty() && term.len() <= TERM_BYTES_MAX);
                }
            }
        }
    }
}
