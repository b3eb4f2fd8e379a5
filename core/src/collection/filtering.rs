//! Which documents of a part a filter accepts, and what is odd about the words of a filter.

use std::collections::BTreeMap;

use crate::base::{Bitmap, Result};
use crate::meta::{Expr, Filter, FilterStep, Way, eval_with};
use crate::text::{Words, matching};

use super::filter_plan::{FilterPlan, PartFilterPlan};
use super::moment::Moment;
use super::view::{Part, PartView, View};

impl Part {
    /// The slots `within` that a filter accepts; `words` is the text side of the collection. `steps` is told how they were
    /// found.
    ///
    /// # Errors
    /// `corrupt`, `not_resident`; `too_large` for words that are too many for a query.
    pub fn select(
        &self,
        filter: &Expr,
        words: Option<&Words>,
        within: Option<&Bitmap>,
        steps: Option<&mut Vec<FilterStep>>,
    ) -> Result<Bitmap> {
        let chunk = match self {
            Self::Chunk(chunk) => chunk,
            Self::Segment(segment) => {
                let matching = |field: &str, text: &str| self.with_words(words, field, text);
                return segment.columns()?.answer(filter, within, &matching, steps);
            }
        };
        let mut found = BTreeMap::new();
        for (field, text) in filter.matches() {
            found.insert((field, text), self.with_words(words, field, text)?);
        }
        let mut accepted = Bitmap::empty(self.len());
        for (slot, row) in chunk.rows().iter().enumerate() {
            let has_words = |field: &str, text: &str| found[&(field, text)].contains(slot);
            let is_asked = within.is_none_or(|within| within.contains(slot));
            if is_asked && eval_with(filter, &row.metadata, &has_words) {
                accepted.insert(slot);
            }
        }
        if let Some(steps) = steps {
            let postings = (!found.is_empty()).then_some(Way::Postings);
            let ways = postings.into_iter().chain([Way::Documents]).collect();
            let (condition, left) = (filter.to_string(), accepted.count());
            steps.push(FilterStep { condition, estimated: None, left, ways });
        }
        Ok(accepted)
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

impl PartView {
    /// The slots that are there at a moment and that a filter accepts; `None` when that is all of them.
    ///
    /// # Errors
    /// As [`Part::select`].
    pub fn allowed(
        &self,
        filter: Option<&Expr>,
        words: Option<&Words>,
        moment: Moment,
        plan: Option<&mut FilterPlan>,
    ) -> Result<Option<Bitmap>> {
        let visible = self.visible(moment)?;
        let Some(filter) = filter else { return Ok(visible) };
        let Some(plan) = plan else {
            return self.part.select(filter, words, visible.as_ref(), None).map(Some);
        };
        let mut conditions = Vec::new();
        let accepted = self.part.select(filter, words, visible.as_ref(), Some(&mut conditions))?;
        let (documents, found) = (self.part.len(), accepted.count());
        plan.found += found as u64;
        plan.parts.push(PartFilterPlan {
            is_memtable: matches!(self.part, Part::Chunk(_)),
            documents,
            live: visible.as_ref().map_or(documents, Bitmap::count),
            conditions,
            found,
            vectors: None,
        });
        Ok(Some(accepted))
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
