//! Patterns of `LIKE`: `%` stands for any characters, `_` for one, and a backslash makes either plain.

/// A pattern that texts are held against, from their beginning to their end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    ignores_case: bool,
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece {
    Any,
    One,
    Char(char),
}

impl Pattern {
    /// The pattern of a text; `ignores_case` for `ILIKE`, which lower-cases both sides.
    #[must_use]
    pub fn new(text: &str, ignores_case: bool) -> Self {
        let lowered = if ignores_case { text.to_lowercase() } else { text.to_owned() };
        let mut pieces = Vec::new();
        let mut chars = lowered.chars().peekable();
        while let Some(c) = chars.next() {
            let piece = match c {
                '%' => Piece::Any,
                '_' => Piece::One,
                '\\' => Piece::Char(chars.next_if(|c| matches!(c, '%' | '_')).unwrap_or('\\')),
                c => Piece::Char(c),
            };
            // Several % are one.
            if piece != Piece::Any || pieces.last() != Some(&Piece::Any) {
                pieces.push(piece);
            }
        }
        Self { text: text.to_owned(), ignores_case, pieces }
    }

    /// As it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether capitals and small letters are the same.
    #[must_use]
    pub fn ignores_case(&self) -> bool {
        self.ignores_case
    }

    /// What every text that it matches begins with.
    #[must_use]
    pub fn prefix(&self) -> String {
        if self.ignores_case {
            return String::new();
        }
        let plain = self.pieces.iter().map_while(|piece| match piece {
            Piece::Char(c) => Some(*c),
            Piece::Any | Piece::One => None,
        });
        plain.collect()
    }

    /// Whether a text is of this pattern.
    ///
    /// # Complexity
    /// At most the product of the lengths of text and pattern.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        if self.ignores_case { self.matches_chars(&text.to_lowercase()) } else { self.matches_chars(text) }
    }

    fn matches_chars(&self, text: &str) -> bool {
        let (mut at, mut rest) = (0, text.chars());
        // The last % that was passed, and what was left of the text when it had taken as little as it could.
        let mut retry = None;
        loop {
            let before = rest.clone();
            match (self.pieces.get(at), rest.next()) {
                (Some(Piece::Any), _) => {
                    rest = before.clone();
                    retry = Some((at, before));
                    at += 1;
                    continue;
                }
                (Some(Piece::One), Some(_)) => {
                    at += 1;
                    continue;
                }
                (Some(Piece::Char(wanted)), Some(c)) if *wanted == c => {
                    at += 1;
                    continue;
                }
                (None, None) => return true,
                _ => {}
            }
            // The % takes one more character, and everything behind it is tried again.
            let Some((any, mut from)) = retry.take() else { return false };
            if from.next().is_none() {
                return false;
            }
            (at, rest) = (any + 1, from.clone());
            retry = Some((any, from));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn wildcards_stand_for_characters() {
        for (pattern, yes, no) in [
            ("abc", vec!["abc"], vec!["ab", "abcd", "Abc", ""]),
            ("ab%", vec!["ab", "abc", "abab"], vec!["a", "cab"]),
            ("%ab", vec!["ab", "cab", "abab"], vec!["abc"]),
            ("%a%b%", vec!["ab", "xaxbx", "aabb"], vec!["ba", "a"]),
            ("a_c", vec!["abc", "a\u{e0}c"], vec!["ac", "abbc"]),
            ("100\\%", vec!["100%"], vec!["1000", "100\\%"]),
            ("a\\b", vec!["a\\b"], vec!["ab"]),
            ("%", vec!["", "a"], vec![]),
            ("", vec![""], vec!["a"]),
        ] {
            let pattern = Pattern::new(pattern, false);
            assert!(yes.iter().all(|text| pattern.matches(text)), "{pattern:?}");
            assert!(!no.iter().any(|text| pattern.matches(text)), "{pattern:?}");
        }
        assert!(Pattern::new("\u{c0}b%", true).matches("\u{e0}BC"));
        assert_eq!(Pattern::new("ab\\%c%d", false).prefix(), "ab%c");
        assert_eq!(Pattern::new("ab%", true).prefix(), "");
    }

    /// The definition, by trying everything.
    fn by_definition(pieces: &[Piece], text: &[char]) -> bool {
        match pieces {
            [] => text.is_empty(),
            [Piece::Any, rest @ ..] => (0..=text.len()).any(|taken| by_definition(rest, &text[taken..])),
            [piece, rest @ ..] => match text {
                [c, left @ ..] => {
                    (*piece == Piece::One || *piece == Piece::Char(*c)) && by_definition(rest, left)
                }
                [] => false,
            },
        }
    }

    proptest! {
        #[test]
        fn matching_is_what_the_definition_says(pattern in "[ab%_]{0,8}", text in "[ab]{0,8}") {
            let pattern = Pattern::new(&pattern, false);
            let chars: Vec<char> = text.chars().collect();
            prop_assert_eq!(pattern.matches(&text), by_definition(&pattern.pieces, &chars));
            prop_assert!(!pattern.matches(&text) || text.starts_with(&pattern.prefix()));
        }
    }

    #[test]
    fn a_pattern_of_many_wildcards_ends() {
        let pattern = Pattern::new(&"%a".repeat(400), false);
        assert!(!pattern.matches(&"a".repeat(399)));
        assert!(pattern.matches(&"a".repeat(4000)));
    }
}
