//! Which terms of a dictionary are at most one typo away from a word, found by looking at few of them.
//!
//! Terms come in ascending order, so that each shares its beginning with the one before: the table of distances is kept as
//! far as that goes on. Where no cell of a row is below two, nothing that begins so can match, and the walk goes on behind
//! all of it.
//!
//! Source: Wagner & Fischer, "The string-to-string correction problem", 1974, with swaps of neighbours; pruned along a
//! sorted dictionary as Shang & Merrettal, "Tries for approximate string matching", 1996.

use super::postings::Step;

/// A distance that is too long.
const FAR: u8 = 2;

/// A row of the table: how far the beginning of a term is from the beginnings of the word that are a character shorter, as
/// long, and a character longer. Those of other lengths are far.
type Row = [u8; 3];

/// A character of a term, as far as it was looked at.
#[derive(Debug, Clone, Copy)]
struct Place {
    c: char,
    /// The byte behind it.
    end: usize,
    row: Row,
}

/// A word, and how far the last term that was looked at is from it.
#[derive(Debug)]
pub(super) struct Typos {
    word: Vec<char>,
    first: Row,
    path: Vec<Place>,
}

impl Typos {
    pub(super) fn new(word: &str) -> Self {
        let word: Vec<char> = word.chars().collect();
        let first = [FAR, 0, if word.is_empty() { FAR } else { 1 }];
        Self { word, first, path: Vec::new() }
    }

    /// Whether a term is at most a typo away, and where to go on from it.
    pub(super) fn look(&mut self, term: &str) -> (bool, Step) {
        let known = self.path.iter().zip(term.chars()).take_while(|(place, c)| place.c == *c).count();
        self.path.truncate(known);
        let from = self.path.last().map_or(0, |place| place.end);
        if self.last_row().iter().all(|distance| *distance >= FAR) {
            return (false, Step::Beyond(from));
        }
        for c in term[from..].chars() {
            let end = self.path.last().map_or(0, |place| place.end) + c.len_utf8();
            let row = self.next_row(c);
            self.path.push(Place { c, end, row });
            if row.iter().all(|distance| *distance >= FAR) {
                return (false, Step::Beyond(end));
            }
        }
        let same = (self.word.len() + 1).checked_sub(self.path.len());
        let distance = same.and_then(|at| self.last_row().get(at).copied());
        (distance.is_some_and(|distance| distance < FAR), Step::Next)
    }

    fn last_row(&self) -> Row {
        self.path.last().map_or(self.first, |place| place.row)
    }

    /// The row of what was looked at and a character more.
    fn next_row(&self, c: char) -> Row {
        let before = self.last_row();
        let last = self.path.last().map(|place| place.c);
        let earlier = self.path.len().checked_sub(2).map_or(self.first, |at| self.path[at].row);
        let mut row = [FAR; 3];
        for at in 0..row.len() {
            // How many characters of the word the cell is about.
            let len = self.path.len() + at;
            if len > self.word.len() {
                continue;
            }
            let mut distance = before.get(at + 1).map_or(FAR, |distance| distance + 1);
            if at > 0 {
                distance = distance.min(row[at - 1] + 1);
            }
            if len > 0 {
                distance = distance.min(before[at] + u8::from(self.word[len - 1] != c));
            }
            if len > 1 && last == Some(self.word[len - 1]) && c == self.word[len - 2] {
                distance = distance.min(earlier[at] + 1);
            }
            row[at] = distance.min(FAR);
        }
        row
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::postings::walk_sorted;
    use super::*;
    use crate::base::Rng;

    /// Calls `f` with the terms that match, and says how many were looked at.
    fn walk(terms: &[String], word: &str, f: &mut dyn FnMut(&str)) -> usize {
        let (mut typos, mut visits) = (Typos::new(word), 0);
        let walked = walk_sorted(0..terms.len(), |i| terms[i].as_bytes(), "", &mut |_, term| {
            let (is_match, step) = typos.look(term);
            if is_match {
                f(term);
            }
            visits += 1;
            step
        });
        walked.expect("texts");
        visits
    }

    /// The table of distances as it is written in books.
    fn distance(a: &[char], b: &[char]) -> usize {
        let mut table = vec![vec![0; b.len() + 1]; a.len() + 1];
        for i in 0..=a.len() {
            for j in 0..=b.len() {
                table[i][j] = match (i, j) {
                    (0, n) | (n, 0) => n,
                    _ => {
                        let cost = usize::from(a[i - 1] != b[j - 1]);
                        let mut best =
                            (table[i - 1][j] + 1).min(table[i][j - 1] + 1).min(table[i - 1][j - 1] + cost);
                        if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                            best = best.min(table[i - 2][j - 2] + 1);
                        }
                        best
                    }
                };
            }
        }
        table[a.len()][b.len()]
    }

    fn is_one_typo(a: &str, b: &str) -> bool {
        let chars = |text: &str| text.chars().collect::<Vec<char>>();
        distance(&chars(a), &chars(b)) <= 1
    }

    #[test]
    fn typos_are_one_edit() {
        let is_found = |a: &str, b: &str| Typos::new(a).look(b).0;
        for (a, b) in
            [("giraff", "girafe"), ("wolf", "wlof"), ("wolf", "wolfs"), ("wolf", "olf"), ("wolf", "wolf")]
        {
            assert!(is_found(a, b) && is_found(b, a), "{a} {b}");
        }
        for (a, b) in [("wolf", "lwfo"), ("wolf", "woof2"), ("wolf", "wo"), ("abcd", "badc")] {
            assert!(!is_found(a, b) && !is_found(b, a), "{a} {b}");
        }
    }

    proptest! {
        #[test]
        fn the_terms_found_are_those_that_are_a_typo_away(
            terms in prop::collection::btree_set("[ab\u{e9}]{0,6}", 0..120),
            word in "[ab\u{e9}]{0,6}",
        ) {
            let terms: Vec<String> = terms.into_iter().collect();
            let mut found = Vec::new();
            walk(&terms, &word, &mut |term| found.push(term.to_owned()));
            let expected: Vec<String> =
                terms.iter().filter(|term| is_one_typo(&word, term)).cloned().collect();
            prop_assert_eq!(&found, &expected);
            // Terms that could have been passed over change nothing.
            let mut typos = Typos::new(&word);
            let all: Vec<&String> = terms.iter().filter(|term| typos.look(term).0).collect();
            prop_assert_eq!(all, expected.iter().collect::<Vec<_>>());
        }
    }

    /// So many words of two to five syllables.
    fn dictionary(len: usize) -> Vec<String> {
        let (mut rng, mut terms) = (Rng::new(5), std::collections::BTreeSet::new());
        let mut letter = |of: &str| char::from(of.as_bytes()[rng.below(of.len() as u64) as usize]);
        while terms.len() < len {
            let mut term = String::new();
            while term.len() < 4 || term.len() < 12 && letter("abc") > 'a' {
                term.push(letter("bcdfghjklmnpqrstvwxyz"));
                term.push(letter("aeiou"));
            }
            terms.insert(term);
        }
        terms.into_iter().collect()
    }

    #[test]
    fn few_terms_are_looked_at() {
        let terms = dictionary(100_000);
        for word in ["giraffe", &terms[0], &terms[50_000], &terms[99_999]] {
            let mut matches = 0;
            let visits = walk(&terms, word, &mut |_| matches += 1);
            let expected = terms.iter().filter(|term| is_one_typo(word, term)).count();
            assert_eq!(matches, expected, "{word}");
            assert!(visits < 2_500, "{visits} of 100,000 terms for {word}");
        }
    }
}
