//! The passage of a text that shows best why it was found, with the words that were.

use std::collections::HashMap;
use std::ops::Range;

use super::Analyzer;

/// How many bytes a passage has, about, unless a request says otherwise.
pub const PASSAGE_BYTES: usize = 160;

/// What a cut passage begins or ends with.
const ELLIPSIS: &str = "\u{2026}";

/// A word that was looked for.
struct Mark {
    range: Range<usize>,
    /// Which term, as a number of its own.
    term: usize,
    weight: f64,
}

/// The passage with the heaviest different terms, the first of these: pieces in turn, the first without a match, the second
/// one with, and so on. `None` when the text has none of the terms. `weight_of` says how much a term counts, `None` for one
/// that was not looked for.
///
/// # Shapes
/// The pieces, but for an ellipsis where the passage does not begin or end with the text, are a part of the text of about
/// `length` bytes, longer only for a longer word.
///
/// # Complexity
/// An analysis of the text, and one pass over its matches.
///
/// # Examples
/// ```
/// use kithdb::text::{Analyzer, Language, highlight::passage};
///
/// let analyzer = Analyzer::new(Language::English);
/// let found = passage(&analyzer, "Giraffes have long necks.", 160, |term| (term == "neck").then_some(1.0));
/// assert_eq!(found.expect("it is there"), ["Giraffes have long ", "necks", "."]);
/// ```
pub fn passage(
    analyzer: &Analyzer,
    text: &str,
    length: usize,
    weight_of: impl Fn(&str) -> Option<f64>,
) -> Option<Vec<String>> {
    let marks = marks(analyzer, text, weight_of);
    let within = best(&marks, length)?;
    let range = around(text, within, length);
    let mut pieces = Vec::new();
    let mut plain = String::from(if range.start > 0 { ELLIPSIS } else { "" });
    let mut at = range.start;
    for mark in marks.iter().map(|mark| &mark.range) {
        if mark.start < at && mark.end > at && pieces.len() % 2 == 0 && !pieces.is_empty() {
            // Pairs of characters overlap: they are one match.
            let last = pieces.len() - 1;
            pieces[last] = format!("{}{}", pieces[last], &text[at..mark.end.min(range.end)]);
            at = mark.end.min(range.end);
        } else if mark.start >= at && mark.end <= range.end {
            plain.push_str(&text[at..mark.start]);
            if plain.is_empty() && !pieces.is_empty() {
                let last = pieces.len() - 1;
                pieces[last].push_str(&text[mark.clone()]);
            } else {
                pieces.push(std::mem::take(&mut plain));
                pieces.push(text[mark.clone()].to_owned());
            }
            at = mark.end;
        }
    }
    plain.push_str(&text[at..range.end]);
    plain.push_str(if range.end < text.len() { ELLIPSIS } else { "" });
    if !plain.is_empty() {
        pieces.push(plain);
    }
    Some(pieces)
}

fn marks(analyzer: &Analyzer, text: &str, weight_of: impl Fn(&str) -> Option<f64>) -> Vec<Mark> {
    let mut terms: HashMap<String, usize> = HashMap::new();
    let mut marks = Vec::new();
    analyzer.tokens(text, |token| {
        let Some(weight) = weight_of(token.term) else { return };
        let next = terms.len();
        let term = *terms.entry(token.term.to_owned()).or_insert(next);
        marks.push(Mark { range: token.start..token.end, term, weight });
    });
    marks
}

/// From the first to the last match of the best passage; `None` without a match.
fn best(marks: &[Mark], length: usize) -> Option<Range<usize>> {
    let mut best: Option<(f64, usize, Range<usize>)> = None;
    // How often each term is between `first` and `end`, and how much the different ones weigh.
    let (mut counts, mut weight, mut end) = (HashMap::<usize, usize>::new(), 0.0, 0);
    for (i, first) in marks.iter().enumerate() {
        while end < marks.len() && (end <= i || marks[end].range.end <= first.range.start + length) {
            let count = counts.entry(marks[end].term).or_default();
            weight += if *count == 0 { marks[end].weight } else { 0.0 };
            *count += 1;
            end += 1;
        }
        if best.as_ref().is_none_or(|(heaviest, most, _)| (weight, end - i) > (*heaviest, *most)) {
            best = Some((weight, end - i, first.range.start..marks[end - 1].range.end));
        }
        if let Some(count) = counts.get_mut(&first.term) {
            *count -= 1;
            weight -= if *count == 0 { first.weight } else { 0.0 };
        }
    }
    best.map(|(_, _, range)| range)
}

/// A range and what is around it, up to a length, in whole words where there are spaces.
fn around(text: &str, within: Range<usize>, length: usize) -> Range<usize> {
    if text.len() <= length {
        return 0..text.len();
    }
    let spare = length.saturating_sub(within.len());
    // What follows a match says more about it than what was before.
    let before = if within.start <= spare / 3 { within.start } else { spare / 3 };
    let after = (spare - before).min(text.len() - within.end);
    let before = (spare - after).min(within.start);
    let floor = |mut at: usize| {
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let (from, to) = (floor(within.start - before), floor(within.end + after));
    let is_cut = |at: usize| {
        let (left, right) = (text[..at].chars().next_back(), text[at..].chars().next());
        left.zip(right).is_some_and(|(left, right)| !left.is_whitespace() && !right.is_whitespace())
    };
    let space =
        |range: Range<usize>| text[range.clone()].find(char::is_whitespace).map(|at| range.start + at);
    let start = if is_cut(from) { space(from..within.start).unwrap_or(from) } else { from };
    let end = if is_cut(to) {
        text[within.end..to].rfind(char::is_whitespace).map_or(to, |at| within.end + at)
    } else {
        to
    };
    let start = start + (text[start..within.start].len() - text[start..within.start].trim_start().len());
    start..end.max(within.end)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::text::Language;

    fn shown(language: Language, text: &str, length: usize, terms: &[&str]) -> String {
        let weight = |term: &str| terms.iter().position(|t| *t == term).map(|at| 1.0 + at as f64);
        passage(&Analyzer::new(language), text, length, weight)
            .map_or("none".into(), |pieces| pieces.join("|"))
    }

    #[test]
    fn the_heaviest_words_are_shown_with_what_is_around_them() {
        let text =
            "A giraffe is tall. It eats leaves of acacia trees all day long. Its long neck is a wonder.";
        assert_eq!(shown(Language::English, text, 200, &["zebra"]), "none");
        assert_eq!(
            shown(Language::English, text, 200, &["neck", "giraff"]),
            "A |giraffe| is tall. It eats leaves of acacia trees all day long. Its long |neck| is a wonder."
        );
        assert_eq!(
            shown(Language::English, text, 40, &["giraff", "neck", "long"]),
            "\u{2026}all day |long|. Its |long| |neck| is a wonder."
        );
        assert_eq!(shown(Language::English, text, 5, &["giraff"]), "\u{2026}|giraffe|\u{2026}");
    }

    #[test]
    fn pairs_of_characters_that_overlap_are_one_match() {
        let text = "\u{6771}\u{4eac}\u{30bf}\u{30ef}\u{30fc}";
        let terms = ["\u{6771}\u{4eac}", "\u{4eac}\u{30bf}"];
        assert_eq!(shown(Language::None, text, 100, &terms), "|\u{6771}\u{4eac}\u{30bf}|\u{30ef}\u{30fc}");
    }

    proptest! {
        #[test]
        fn every_passage_is_a_part_of_the_text_and_every_second_piece_a_match(
            text in "[ab\u{df}\u{fb01}\u{6771}\u{4eac} .\u{301}]{0,40}",
            length in 1usize..30,
        ) {
            let analyzer = Analyzer::new(Language::German);
            let is_term = |term: &str| term.contains('a') || term.contains('\u{6771}') || term.contains('f');
            let found = passage(&analyzer, &text, length, |term| is_term(term).then_some(1.0));
            let mut any = false;
            analyzer.analyse(&text, |term| any |= is_term(term));
            prop_assert_eq!(found.is_some(), any);
            if let Some(pieces) = found {
                prop_assert!(pieces.len() >= 2);
                let joined = pieces.concat();
                let inner = joined.strip_prefix(ELLIPSIS).unwrap_or(&joined);
                prop_assert!(text.contains(inner.strip_suffix(ELLIPSIS).unwrap_or(inner)), "{joined:?}");
                prop_assert!(pieces.iter().skip(1).all(|piece| !piece.is_empty()));
            }
        }
    }
}
