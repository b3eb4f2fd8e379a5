//! The text of a collection at work: its spec and its analysers.

use std::borrow::Cow;

use crate::base::{Object, Result, SortedMap};

use super::query::Target;
use super::{Analyzer, MemoryPostings, Query, Scoring, TermCounts, TextSpec};

/// A text spec ready for use.
#[derive(Debug)]
pub struct Words {
    spec: TextSpec,
    analyzer: Analyzer,
    /// Of the fields in another language than the rest.
    apart: SortedMap<String, Analyzer>,
}

impl Words {
    /// Ready for documents of this spec.
    #[must_use]
    pub fn new(spec: TextSpec) -> Self {
        let analyzer = Analyzer::new(spec.language);
        let others = spec.languages.iter().filter(|(_, language)| **language != spec.language);
        let apart = others.map(|(field, language)| (field.clone(), Analyzer::new(*language))).collect();
        Self { spec, analyzer, apart }
    }

    /// What turns texts into terms where no field is named: that of the collection's language.
    #[must_use]
    pub fn analyzer(&self) -> &Analyzer {
        &self.analyzer
    }

    /// How well they match.
    #[must_use]
    pub fn scoring(&self) -> &Scoring {
        &self.spec.scoring
    }

    /// The texts of a document, by field.
    #[must_use]
    pub fn texts<'a>(&self, metadata: &'a Object) -> Vec<(Cow<'a, str>, &'a str)> {
        self.spec.texts(metadata)
    }

    /// What turns the texts of a field, and what is looked for in it, into terms.
    #[must_use]
    pub fn analyzer_of(&self, field: &str) -> &Analyzer {
        self.apart.get(field).unwrap_or(&self.analyzer)
    }

    /// Fields in another language than the rest, sorted, each with what turns its texts into terms.
    pub fn apart(&self) -> impl Iterator<Item = (&str, &Analyzer)> {
        self.apart.iter().map(|(field, analyzer)| (field.as_str(), analyzer))
    }

    /// The words of a text, looked for in every field in the field's language; `fuzzy` with a typo, too.
    ///
    /// # Errors
    /// `too_large`.
    pub fn query(&self, text: &str, fuzzy: bool) -> Result<Query> {
        Query::plain(&self.targets(None), text, fuzzy)
    }

    /// What a text of the syntax of queries asks for ([`Query::parse`]).
    ///
    /// # Errors
    /// `too_large`.
    pub fn parse(&self, text: &str, fuzzy: bool, is_field: impl Fn(&str) -> bool) -> Result<Query> {
        Query::parse(|field| self.targets(field), is_field, text, fuzzy)
    }

    fn targets(&self, field: Option<&str>) -> Vec<Target<'_>> {
        let target = |field: &str, analyzer| Target { field: Some(field.to_owned()), analyzer };
        if let Some(field) = field {
            return vec![target(field, self.analyzer_of(field))];
        }
        let all = Target { field: None, analyzer: &self.analyzer };
        std::iter::once(all).chain(self.apart().map(|(field, analyzer)| target(field, analyzer))).collect()
    }

    /// Adds the words of a document.
    pub fn push(&self, postings: &mut MemoryPostings, slot: u32, metadata: &Object) {
        let texts = self.spec.texts(metadata);
        let texts: Vec<(&str, &str)> = texts.iter().map(|(field, text)| (&**field, *text)).collect();
        postings.push_by(|field| self.analyzer_of(field), slot, &texts);
    }

    /// The words of a document, counted.
    #[must_use]
    pub fn count(&self, metadata: &Object) -> TermCounts {
        let texts = self.spec.texts(metadata);
        let texts: Vec<(&str, &str)> = texts.iter().map(|(field, text)| (&**field, *text)).collect();
        TermCounts::of_document_by(|field| self.analyzer_of(field), &texts)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Language, PostingSource, TextFields, Weights, score};
    use super::*;
    use crate::base::value::parse_object;

    fn words(languages: &[(&str, Language)]) -> Words {
        let mut spec = TextSpec::new(Language::English, TextFields::All);
        spec.languages = languages.iter().map(|(field, language)| ((*field).to_owned(), *language)).collect();
        Words::new(spec)
    }

    fn found(words: &Words, query: &Query) -> Vec<u32> {
        let mut part = MemoryPostings::new();
        let documents = [
            r#"{"t":"The houses","de":"Die H\u00e4user"}"#,
            r#"{"t":"the die","o":{"fr":"l'\u00e9l\u00e8ve"}}"#,
        ];
        for (slot, document) in documents.iter().enumerate() {
            let document = parse_object(document).expect("an object");
            words.push(&mut part, slot as u32, &document);
            let mut counts = MemoryPostings::new();
            words.push(&mut counts, 0, &document);
            for field in ["t", "de", "o.fr"] {
                assert_eq!(counts.field_stats(field), words.count(&document).field_stats(field));
            }
        }
        let weights = Weights::gather(query, &[&part], &[], words.scoring()).expect("in memory");
        score(&part, &weights, None).expect("in memory").iter().map(|(slot, _)| *slot).collect()
    }

    #[test]
    fn each_field_is_searched_in_its_language() {
        let words = words(&[("de", Language::German), ("o.fr", Language::French), ("en", Language::English)]);
        assert_eq!(words.apart().map(|(field, _)| field).collect::<Vec<_>>(), ["de", "o.fr"]);
        let search = |text| found(&words, &words.query(text, false).expect("short"));
        assert_eq!(search("haus"), [0], "a German stem");
        assert_eq!(search("house"), [0], "an English stem");
        assert_eq!(search("eleve"), [1]);
        // A stop word in German, a term in English: only there.
        assert_eq!(search("die"), [1]);
    }

    #[test]
    fn one_language_leaves_queries_as_they_were() {
        let words = words(&[("en", Language::English)]);
        let query = words.query("long necks", false).expect("short");
        assert_eq!(query, Query::new(words.analyzer(), "long necks", None).expect("short"));
    }
}
