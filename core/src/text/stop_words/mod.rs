//! Words that are not searched for, one file a language, each sorted by bytes.
//!
//! The lists are Snowball's, as PostgreSQL distributes them too, but for English. Each is one string, with a blank behind
//! every word: pointers to words take more room in a module than the words.

/// The words of a list as one string.
macro_rules! list {
    ($($word:literal),+ $(,)?) => { concat!($($word, " "),+) };
}

mod dutch;
mod english;
mod french;
mod german;
mod italian;
mod portuguese;
mod russian;
mod spanish;
mod swedish;

pub(super) use dutch::DUTCH;
pub(super) use english::ENGLISH;
pub(super) use french::{FRENCH, FRENCH_ELISIONS};
pub(super) use german::GERMAN;
pub(super) use italian::{ITALIAN, ITALIAN_ELISIONS};
pub(super) use portuguese::PORTUGUESE;
pub(super) use russian::RUSSIAN;
pub(super) use spanish::SPANISH;
pub(super) use swedish::SWEDISH;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_sorted_and_without_duplicates() {
        let stop_words = [DUTCH, ENGLISH, FRENCH, GERMAN, ITALIAN, PORTUGUESE, RUSSIAN, SPANISH, SWEDISH];
        for list in stop_words.into_iter().chain([FRENCH_ELISIONS, ITALIAN_ELISIONS]) {
            let words: Vec<&str> = list.split(' ').filter(|word| !word.is_empty()).collect();
            assert!(words.windows(2).all(|pair| pair[0] < pair[1]));
            assert_eq!(words.iter().map(|word| word.len() + 1).sum::<usize>(), list.len());
        }
    }
}
