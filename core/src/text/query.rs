//! What a query looks for: terms that score, and conditions that decide which documents can be found.

use std::collections::{BTreeMap, BTreeSet};

use super::analysis::Analyzer;
use super::syntax::{self, Clause, Form, Occur};
use crate::base::limits::{CONDITIONS_MAX, EXPANDING_TERMS_MAX, PHRASE_WORDS_MAX, QUERY_TEXT_BYTES_MAX};
use crate::base::{InputError, Result};

/// Terms with fewer characters have no typos: too many others are one away.
pub const FUZZY_CHARS_MIN: usize = 4;

/// Which terms a term of a query stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Match {
    /// Itself.
    Exact,
    /// Itself, those that begin with [`QueryTerm::prefix`], and [`QueryTerm::stems`].
    Prefix,
    /// Itself, and those at most one typo away: a character too many, too few or another one, or two neighbours swapped
    /// (Damerau, "A technique for computer detection and correction of spelling errors", 1964).
    Fuzzy,
}

/// A term of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryTerm {
    /// The analysed term.
    pub term: String,
    /// How often it stands in the query; it counts as often.
    pub count: u32,
    /// The one field it is looked for in; `None` for all that the query does not leave out.
    pub field: Option<String>,
    /// Which terms it stands for.
    pub matches: Match,
    /// The word as it was begun, without its stem.
    begun: String,
    /// Stems of words that begin so, and do not themselves.
    stems: Vec<String>,
}

impl QueryTerm {
    fn new(term: &str, field: Option<&str>, matches: Match) -> Self {
        let is_short = matches == Match::Fuzzy && term.chars().count() < FUZZY_CHARS_MIN;
        let matches = if is_short { Match::Exact } else { matches };
        let field = field.map(str::to_owned);
        let (begun, stems) = (String::new(), Vec::new());
        Self { term: term.to_owned(), count: 1, field, matches, begun, stems }
    }

    /// What words begin with that it stands for.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.begun
    }

    /// Stems of words that begin with the prefix, where the stems do not.
    #[must_use]
    pub fn stems(&self) -> &[String] {
        &self.stems
    }

    /// Whether it stands for the same as another one.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        self.matches == other.matches
            && (&self.term, &self.field, &self.begun) == (&other.term, &other.field, &other.begun)
    }
}

/// What a document must have, or must not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// It must not be there.
    pub is_negative: bool,
    /// Any of these.
    pub phrases: Vec<Phrase>,
}

/// Terms one after another in a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phrase {
    /// The field they are looked for in; `None` for any one that the query does not leave out.
    pub field: Option<String>,
    /// At least one term, each with the number of its word, from 0.
    pub words: Vec<(u32, QueryTerm)>,
}

/// Where a text is looked for, and what turns it into terms.
#[derive(Debug, Clone)]
pub struct Target<'a> {
    /// The field; `None` for all that have no target of their own.
    pub field: Option<String>,
    /// Of the language of its texts.
    pub analyzer: &'a Analyzer,
}

/// Words to look for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    terms: Vec<QueryTerm>,
    conditions: Vec<Condition>,
    /// Fields that terms of all fields are not looked for in: they have terms of their own.
    left_out: BTreeSet<String>,
    /// How many words stand for others, in clauses of any kind.
    expanding: usize,
    /// It says what must not be there, and nothing else.
    only_excludes: bool,
}

impl Query {
    /// The words of a text, looked for in one field or in all.
    ///
    /// # Errors
    /// `too_large` beyond [`QUERY_TEXT_BYTES_MAX`].
    pub fn new(analyzer: &Analyzer, text: &str, field: Option<&str>) -> Result<Self> {
        let mut query = Self::default();
        query.push(analyzer, text, field)?;
        Ok(query)
    }

    /// The words of a text, looked for where the targets say; `fuzzy` looks for each with a typo, too.
    ///
    /// # Errors
    /// `too_large` beyond [`QUERY_TEXT_BYTES_MAX`] or [`EXPANDING_TERMS_MAX`].
    pub fn plain(targets: &[Target<'_>], text: &str, fuzzy: bool) -> Result<Self> {
        check_length(text)?;
        let mut query = Self::default();
        let form = if fuzzy { Form::Fuzzy } else { Form::Words };
        query.push_clause(targets, Clause { occur: Occur::May, field: None, form, text });
        query.check()?;
        Ok(query)
    }

    /// What a text of the syntax of queries ([`syntax`]) asks for. `fuzzy` looks for each of its words with a typo, too, but
    /// for phrases and what must not be there. `targets_of` says where a text is looked for that is to be in one field, or in
    /// any.
    ///
    /// # Errors
    /// `too_large` beyond [`QUERY_TEXT_BYTES_MAX`], [`EXPANDING_TERMS_MAX`], [`CONDITIONS_MAX`] or [`PHRASE_WORDS_MAX`].
    ///
    /// # Examples
    /// ```
    /// use kithdb::text::{Language, TextFields, TextSpec, Words};
    ///
    /// let words = Words::new(TextSpec::new(Language::English, TextFields::TopLevel));
    /// let query = words.parse("tall +necks -zebra", false, |_| false)?;
    /// assert_eq!(query.terms().len(), 2);
    /// assert_eq!(query.conditions().len(), 2);
    /// # Ok::<(), kithdb::base::Error>(())
    /// ```
    pub fn parse<'a>(
        targets_of: impl Fn(Option<&str>) -> Vec<Target<'a>>,
        is_field: impl Fn(&str) -> bool,
        text: &str,
        fuzzy: bool,
    ) -> Result<Self> {
        check_length(text)?;
        let mut query = Self::default();
        let clauses = syntax::parse(text, is_field);
        query.only_excludes = !clauses.is_empty() && clauses.iter().all(|clause| clause.occur == Occur::Not);
        for mut clause in clauses {
            if fuzzy && clause.form == Form::Words && clause.occur != Occur::Not {
                clause.form = Form::Fuzzy;
            }
            query.push_clause(&targets_of(clause.field), clause);
            query.check()?;
        }
        Ok(query)
    }

    /// Adds words, which count beside those that are there.
    ///
    /// # Errors
    /// `too_large` beyond [`QUERY_TEXT_BYTES_MAX`].
    pub fn push(&mut self, analyzer: &Analyzer, text: &str, field: Option<&str>) -> Result<()> {
        check_length(text)?;
        self.only_excludes = false;
        let target = Target { field: field.map(str::to_owned), analyzer };
        self.push_clause(&[target], Clause { occur: Occur::May, field, form: Form::Words, text });
        Ok(())
    }

    /// Refuses what would take long to answer.
    fn check(&self) -> Result<()> {
        let limited = |what, got: usize, limit: usize| {
            let (got, limit) = (got as u64, limit as u64);
            if got > limit { Err(InputError::TooLarge { what, got, limit }.into()) } else { Ok(()) }
        };
        limited("words of a query with * or ~", self.expanding, EXPANDING_TERMS_MAX)?;
        limited("conditions of a query", self.conditions.len(), CONDITIONS_MAX)?;
        let phrases = self.conditions.last().map_or(&[][..], |condition| &condition.phrases);
        let longest = phrases.iter().map(|phrase| phrase.words.len()).max().unwrap_or(0);
        limited("words of a phrase", longest, PHRASE_WORDS_MAX)
    }

    fn push_clause(&mut self, targets: &[Target<'_>], clause: Clause<'_>) {
        let mut phrases = Vec::new();
        for target in targets {
            let mut words = words(target, clause);
            self.expanding += words.iter().filter(|(_, term)| term.matches != Match::Exact).count();
            if clause.occur != Occur::Not {
                self.add_terms(&words);
            }
            if let Some(&(first, _)) = words.first() {
                words.iter_mut().for_each(|(position, _)| *position -= first);
                phrases.push(Phrase { field: target.field.clone(), words });
            }
        }
        if targets.len() > 1 {
            self.left_out.extend(targets.iter().filter_map(|target| target.field.clone()));
        }
        if clause.occur != Occur::May && !phrases.is_empty() {
            let condition = Condition { is_negative: clause.occur == Occur::Not, phrases };
            if !self.conditions.contains(&condition) {
                self.conditions.push(condition);
            }
        }
    }

    /// Adds terms; those that stand twice in a clause are one that counts twice.
    fn add_terms(&mut self, words: &[(u32, QueryTerm)]) {
        let first = self.terms.len();
        let mut places: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for (_, term) in words {
            if let Some(&at) = places.get(&(&*term.term, term.prefix())) {
                self.terms[first + at].count += 1;
            } else {
                places.insert((&term.term, term.prefix()), places.len());
                self.terms.push(term.clone());
            }
        }
    }

    /// Its distinct terms in the order of their first mention.
    #[must_use]
    pub fn terms(&self) -> &[QueryTerm] {
        &self.terms
    }

    /// What decides which documents can be found.
    #[must_use]
    pub fn conditions(&self) -> &[Condition] {
        &self.conditions
    }

    /// Whether terms of all fields are not looked for in this one.
    #[must_use]
    pub fn leaves_out(&self, field: &str) -> bool {
        self.left_out.contains(field)
    }

    /// Whether it only says what must not be there: then it asks for all the rest, as no query would.
    #[must_use]
    pub fn only_excludes(&self) -> bool {
        self.only_excludes
    }

    /// Whether it holds no term, as when every word is a stop word.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }
}

/// The terms of a clause, with the numbers of their words.
fn words(target: &Target<'_>, clause: Clause<'_>) -> Vec<(u32, QueryTerm)> {
    let matches = match clause.form {
        Form::Words | Form::Phrase | Form::Prefix => Match::Exact,
        Form::Fuzzy => Match::Fuzzy,
    };
    let field = target.field.as_deref();
    let mut words: Vec<(u32, QueryTerm)> = Vec::new();
    target.analyzer.positions(clause.text, |term, position| {
        words.push((position, QueryTerm::new(term, field, matches)));
    });
    if clause.form == Form::Prefix
        && let Some((position, begun)) = target.analyzer.begun(clause.text)
    {
        // What was begun may be a stop word so far, which is no term.
        if words.last().is_none_or(|(at, _)| *at != position) {
            words.push((position, QueryTerm::new(&begun, field, Match::Exact)));
        }
        let (_, last) = words.last_mut().expect("just seen");
        last.matches = Match::Prefix;
        last.stems = target.analyzer.stems_of_longer(&begun);
        last.begun = begun;
    }
    words
}

fn check_length(text: &str) -> Result<()> {
    if text.len() > QUERY_TEXT_BYTES_MAX {
        let (got, limit) = (text.len() as u64, QUERY_TEXT_BYTES_MAX as u64);
        return Err(InputError::TooLarge { what: "query text", got, limit }.into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{Language, TextFields, TextSpec, Words};

    #[test]
    fn a_word_that_is_begun_is_found_by_what_it_begins_with_and_by_its_stem() {
        let words = Words::new(TextSpec::new(Language::English, TextFields::TopLevel));
        let query = |text: &str| words.parse(text, false, |_| false).expect("short");
        let giraffes = &query("giraffes*").terms[0];
        assert_eq!(
            (&*giraffes.term, giraffes.prefix(), giraffes.matches),
            ("giraff", "giraffes", Match::Prefix)
        );
        let the = &query("th*").terms[0];
        assert_eq!((&*the.term, the.prefix()), ("th", "th"));
        assert_eq!(query("the*").terms[0].prefix(), "the");
        assert!(query("+the -of").conditions.is_empty());
    }

    #[test]
    fn what_would_take_long_is_refused() {
        let words = Words::new(TextSpec::new(Language::None, TextFields::TopLevel));
        let parse =
            |text: &str, fuzzy| words.parse(text, fuzzy, |_| false).map(|query| query.conditions.len());
        assert_eq!(parse(&"+same ".repeat(1_000), false), Ok(1));
        for (text, fuzzy) in [
            ("a* ".repeat(1_000), false),
            ("-a* ".repeat(1_000), false),
            ((0..1_000).map(|i| format!("word{i} ")).collect(), true),
            ((0..1_000).map(|i| format!("+word{i} ")).collect(), false),
            (format!("\"{}\"", "a b ".repeat(1_000)), false),
        ] {
            assert_eq!(parse(&text, fuzzy).expect_err("too much").code(), "too_large", "{}", &text[..12]);
        }
        assert!(parse(&"a ".repeat(10_000), false).is_ok());
    }
}
