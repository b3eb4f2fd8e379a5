//! The languages of texts: their names, and what each does to a word.
//!
//! A word meets, in this order: the elision, the spelling, the stop words, the stemmer, and the loss of marks that
//! people leave out. The stemmer sees the accents it tells apart, which go behind it, and no others. What
//! English, Italian and `none` make of a word must never change: files hold their terms. docs/LANGUAGES.md tells users.

use std::borrow::Cow;
use std::sync::OnceLock;

use snowball_stemmers_rs::{Algorithm, Stemmer};

use super::stop_words::{
    DUTCH, ENGLISH, FRENCH, FRENCH_ELISIONS, GERMAN, ITALIAN, ITALIAN_ELISIONS, PORTUGUESE, RUSSIAN, SPANISH,
    SWEDISH,
};
use crate::base::unicode::decompose;

/// The words of a list, once it has been cut.
type WordList = OnceLock<Box<[&'static str]>>;

fn words(cut: &'static WordList, list: &'static str) -> &'static [&'static str] {
    cut.get_or_init(|| list.split_ascii_whitespace().collect())
}

/// The language of a collection's text, or of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Language {
    /// Words as they stand: no stop words, no stems.
    None,
    /// Lucene's 33 stop words, Porter's second stemmer.
    English,
    /// Snowball's stop words and stemmer; elided articles (`l'`, `dell'`) are cut off.
    Italian,
    /// Snowball's stop words and stemmer, to which `ue` is an umlaut and sharp s two; marks go.
    German,
    /// Snowball's stop words and stemmer; elisions (`l'`, `qu'`) are cut off, ligatures opened, accents go.
    French,
    /// Snowball's stop words and stemmer; accents go, n with a tilde stays.
    Spanish,
    /// Snowball's stop words and stemmer; accents and cedillas go.
    Portuguese,
    /// Snowball's stop words, the stemmer of Kraaij and Pohlmann; accents go.
    Dutch,
    /// Snowball's stop words and stemmer; its letters are its own, no mark goes.
    Swedish,
    /// Snowball's stop words and stemmer; yo is ye.
    Russian,
}

impl Language {
    /// Every language.
    pub const ALL: [Self; 10] = [
        Self::None,
        Self::English,
        Self::Italian,
        Self::German,
        Self::French,
        Self::Spanish,
        Self::Portuguese,
        Self::Dutch,
        Self::Swedish,
        Self::Russian,
    ];

    /// The names that [`Self::parse`] takes, for messages.
    pub const NAMES: &'static str =
        "none, english, italian, german, french, spanish, portuguese, dutch, swedish or russian";

    /// Its number in files.
    #[must_use]
    pub fn tag(self) -> u8 {
        match self {
            Self::None => 0,
            Self::English => 1,
            Self::Italian => 2,
            Self::German => 3,
            Self::French => 4,
            Self::Spanish => 5,
            Self::Portuguese => 6,
            Self::Dutch => 7,
            Self::Swedish => 8,
            Self::Russian => 9,
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
            Self::German => "german",
            Self::French => "french",
            Self::Spanish => "spanish",
            Self::Portuguese => "portuguese",
            Self::Dutch => "dutch",
            Self::Swedish => "swedish",
            Self::Russian => "russian",
        }
    }

    /// Its code of ISO 639-1; none for [`Self::None`].
    #[must_use]
    pub fn code(self) -> Option<&'static str> {
        Some(match self {
            Self::None => return None,
            Self::English => "en",
            Self::Italian => "it",
            Self::German => "de",
            Self::French => "fr",
            Self::Spanish => "es",
            Self::Portuguese => "pt",
            Self::Dutch => "nl",
            Self::Swedish => "sv",
            Self::Russian => "ru",
        })
    }

    /// The language of this name or code, in any case.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let is_its = |its: &str| its.eq_ignore_ascii_case(name);
        Self::ALL.into_iter().find(|language| is_its(language.name()) || language.code().is_some_and(is_its))
    }

    /// What cuts a word to its stem; `None` leaves words as they stand.
    pub(super) fn stemmer(self) -> Option<Stemmer> {
        let algorithm = match self {
            Self::None => return None,
            Self::English => Algorithm::English,
            Self::Italian => Algorithm::Italian,
            Self::German => Algorithm::German,
            Self::French => Algorithm::French,
            Self::Spanish => Algorithm::Spanish,
            Self::Portuguese => Algorithm::Portuguese,
            Self::Dutch => Algorithm::Dutch,
            Self::Swedish => Algorithm::Swedish,
            Self::Russian => Algorithm::Russian,
        };
        Some(Stemmer::create(algorithm))
    }

    /// Whether a word is one that is not searched for.
    pub(super) fn is_stop_word(self, word: &str) -> bool {
        self.stop_words().binary_search(&word).is_ok()
    }

    fn stop_words(self) -> &'static [&'static str] {
        static LISTS: [WordList; Language::ALL.len()] = [const { OnceLock::new() }; Language::ALL.len()];
        words(
            &LISTS[self as usize],
            match self {
                Self::None => "",
                Self::English => ENGLISH,
                Self::Italian => ITALIAN,
                Self::German => GERMAN,
                Self::French => FRENCH,
                Self::Spanish => SPANISH,
                Self::Portuguese => PORTUGUESE,
                Self::Dutch => DUTCH,
                Self::Swedish => SWEDISH,
                Self::Russian => RUSSIAN,
            },
        )
    }

    /// The word behind its article, as `acqua` of `l'acqua`.
    pub(super) fn without_elision(self, word: &str) -> &str {
        static LISTS: [WordList; 2] = [const { OnceLock::new() }; 2];
        let elisions = match self {
            Self::Italian => words(&LISTS[0], ITALIAN_ELISIONS),
            Self::French => words(&LISTS[1], FRENCH_ELISIONS),
            _ => return word,
        };
        match word.split_once('\'') {
            Some((article, rest)) if !rest.is_empty() && elisions.binary_search(&article).is_ok() => rest,
            _ => word,
        }
    }

    /// A word in the letters that stop words and stemmer know: ligatures opened, and no marks but theirs.
    pub(super) fn spelt(self, word: &str) -> Cow<'_, str> {
        if word.is_ascii() {
            return word.into();
        }
        match self {
            Self::None | Self::English | Self::Italian | Self::Swedish => word.into(),
            Self::Russian => word.replace('\u{451}', "\u{435}").into(),
            Self::German => plain(word, GERMAN_LETTERS),
            Self::French => plain(&word.replace('\u{153}', "oe").replace('\u{e6}', "ae"), FRENCH_LETTERS)
                .into_owned()
                .into(),
            Self::Spanish => plain(word, SPANISH_LETTERS),
            Self::Portuguese => plain(word, PORTUGUESE_LETTERS),
            Self::Dutch => plain(word, DUTCH_LETTERS),
        }
    }

    /// A stem without the marks that people leave out when they type.
    pub(super) fn without_marks(self, stem: &str) -> Cow<'_, str> {
        match self {
            Self::None | Self::English | Self::Italian | Self::Swedish | Self::Russian => stem.into(),
            Self::Spanish => plain(stem, "\u{f1}"),
            Self::German | Self::French | Self::Portuguese | Self::Dutch => plain(stem, ""),
        }
    }
}

/// Letters with marks that the stemmer of the language tells from those without; Portuguese also has one in stop words.
const GERMAN_LETTERS: &str = "\u{e4}\u{f6}\u{fc}";
const FRENCH_LETTERS: &str = "\u{e0}\u{e2}\u{e7}\u{e8}\u{e9}\u{ea}\u{eb}\u{ee}\u{ef}\u{f4}\u{f9}\u{fb}";
const SPANISH_LETTERS: &str = "\u{e1}\u{e9}\u{ed}\u{f1}\u{f3}\u{fa}\u{fc}";
const PORTUGUESE_LETTERS: &str = "\u{e0}\u{e1}\u{e2}\u{e3}\u{e7}\u{e9}\u{ea}\u{ed}\u{f3}\u{f4}\u{f5}\u{fa}";
const DUTCH_LETTERS: &str = "\u{e0}\u{e1}\u{e2}\u{e4}\u{e8}\u{e9}\u{ea}\u{eb}\u{ec}\u{ed}\u{ee}\u{ef}\u{f2}\u{f3}\u{f4}\u{f6}\u{f9}\u{fa}\u{fb}\u{fc}";

/// Latin letters without their marks, but for those that are kept.
fn plain<'a>(word: &'a str, kept: &str) -> Cow<'a, str> {
    if word.is_ascii() {
        return word.into();
    }
    let mut bare = String::with_capacity(word.len());
    for c in word.chars() {
        if !matches!(c, '\u{c0}'..='\u{24f}' | '\u{1e00}'..='\u{1eff}') || kept.contains(c) {
            bare.push(c);
        } else {
            decompose(c, |part| {
                if !matches!(part, '\u{300}'..='\u{36f}') {
                    bare.push(part);
                }
            });
        }
    }
    bare.into()
}

#[cfg(test)]
#[path = "stemmer_tests.rs"]
mod stemmer_tests;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_codes_and_tags_come_back() {
        for language in Language::ALL {
            assert_eq!(Language::parse(&language.name().to_uppercase()), Some(language));
            assert_eq!(Language::from_tag(language.tag()), Some(language));
            assert!(Language::NAMES.contains(language.name()));
            if let Some(code) = language.code() {
                assert_eq!(Language::parse(&code.to_uppercase()), Some(language));
            }
        }
        assert_eq!(Language::parse(""), None);
        assert_eq!(Language::parse("klingon"), None);
        assert_eq!(Language::from_tag(200), None);
    }

    #[test]
    fn tags_are_those_of_files() {
        assert_eq!(Language::ALL.map(Language::tag), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    }

    #[test]
    fn stop_words_are_spelt_as_they_are_looked_for() {
        for language in Language::ALL {
            for word in language.stop_words() {
                assert_eq!(language.spelt(word), *word);
            }
        }
    }

    #[test]
    fn marks_go_where_the_language_can_do_without() {
        let word = "\u{e9}\u{e7}\u{f1}\u{e5}\u{1ec7}";
        assert_eq!(Language::French.without_marks(word), "ecnae");
        assert_eq!(Language::French.spelt(word), "\u{e9}\u{e7}nae");
        assert_eq!(Language::German.spelt("caf\u{e9} \u{fc}\u{df}"), "cafe \u{fc}\u{df}");
        assert_eq!(Language::Spanish.without_marks(word), "ec\u{f1}ae");
        assert_eq!(Language::Swedish.without_marks(word), word);
        assert_eq!(Language::Italian.without_marks(word), word);
        // Letters of other scripts are made of parts too: Hangul, Japanese, Cyrillic.
        for word in ["\u{d55c}", "\u{304c}", "\u{439}"] {
            assert_eq!(Language::French.without_marks(word), word);
        }
    }
}
