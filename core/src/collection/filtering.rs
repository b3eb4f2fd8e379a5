//! Which documents of a part a filter accepts, and what is odd about the words of a filter.

use std::collections::BTreeMap;

use crate::base::{Bitmap, Result};
use crate::meta::{Expr, Filter, eval_with};
use crate::text::{Words, matching};

use super::view::{Part, View};

impl Part {
    /// The slots that a filter accepts; `words` is the text side of the collection.
    ///
    /// # Errors
    /// `corrupt`, `not_resident`; `too_large` for words that are too many for a query.
    pub fn select(&self, filter: &Expr, words: Option<&Words>) -> Result<Bitmap> {
        match self {
            Self::Chunk(chunk) => {
                let mut found = BTreeMap::new();
                for (field, text) in filter.matches() {
                    found.insert((field, text), self.with_words(words, field, text)?);
                }
                let mut accepted = Bitmap::empty(self.len());
                for (slot, row) in chunk.rows().iter().enumerate() {
                    let has_words = |field: &str, text: &str| found[&(field, text)].contains(slot);
                    if eval_with(filter, &row.metadata, &has_words) {
                        accepted.insert(slot);
                    }
                }
                Ok(accepted)
            }
            Self::Segment(segment) => {
                segment.columns()?.select_with(filter, &|field, text| self.with_words(words, field, text))
            }
        }
    }

    /// The slots that have one of the words of a text in a field.
    fn with_words(&self, words: Option<&Words>, field: &str, text: &str) -> Result<Bitmap> {
        let mut found = Bitmap::empty(self.len());
        if let (Some(words), Some(postings)) = (words, self.postings()?) {
            matching(postings, words.analyzer_of(field), field, text, &mut found)?;
        }
        Ok(found)
    }
}

impl View {
    /// What is odd about the words of a filter, of those fields that documents have.
    pub(super) fn words_warnings(&self, filter: &Filter, unknown: &[&str]) -> Result<Vec<String>> {
        let matches = filter.condition.as_ref().map(Expr::matches).unwrap_or_default();
        if self.words.is_none() {
            let warning = "the collection has no text: MATCHES holds for no document".to_owned();
            return Ok(if matches.is_empty() { Vec::new() } else { vec![warning] });
        }
        let mut fields: Vec<&str> = matches.into_iter().map(|(field, _)| field).collect();
        fields.extend(filter.words.iter().map(|part| part.field.as_str()));
        fields.sort_unstable();
        fields.dedup();
        fields.retain(|field| !unknown.contains(field));
        let mut warnings = Vec::new();
        for field in fields {
            if !self.has_text_in(field)? {
                warnings.push(format!("no document has text in the field {field:?}"));
            }
        }
        Ok(warnings)
    }

    fn has_text_in(&self, field: &str) -> Result<bool> {
        for part in &self.parts {
            if part.part.postings()?.is_some_and(|postings| postings.fields().contains(&field)) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
