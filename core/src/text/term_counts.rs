//! Document frequencies and lengths of a set of documents: what is subtracted for the documents that have ended.

use std::collections::BTreeMap;

use super::analysis::Analyzer;
use super::postings::FieldStats;
use crate::base::limits::TERM_BYTES_MAX;
use crate::base::{DecodeError, Reader, Writer};

/// For each field how much text, for each (field, term) how many documents.
///
/// # Examples
/// ```
/// use kithdb::text::{Analyzer, Language, TermCounts};
///
/// let analyzer = Analyzer::new(Language::English);
/// let mut ended = TermCounts::of_document(&analyzer, &[("text", "a neck, a long neck")]);
/// ended.add(&TermCounts::of_document(&analyzer, &[("text", "giraffe")]));
/// assert_eq!(ended.df("text", "neck"), 1);
/// assert_eq!(ended.field_stats("text").documents, 2);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TermCounts {
    fields: BTreeMap<String, FieldCounts>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct FieldCounts {
    stats: FieldStats,
    df: BTreeMap<Box<str>, u64>,
}

impl TermCounts {
    /// Of no documents.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Of one document, its text as (field name, text); agrees with [`super::MemoryPostings::push`].
    #[must_use]
    pub fn of_document(analyzer: &Analyzer, text: &[(&str, &str)]) -> Self {
        Self::of_document_by(|_| analyzer, text)
    }

    /// As [`Self::of_document`], each field with an analyzer of its own.
    #[must_use]
    pub fn of_document_by<'a>(analyzer_of: impl Fn(&str) -> &'a Analyzer, text: &[(&str, &str)]) -> Self {
        let mut counts = Self::default();
        for (name, text) in text {
            let field = counts.fields.entry((*name).to_owned()).or_default();
            analyzer_of(name).analyse(text, |term| {
                field.stats.documents = 1;
                field.stats.total_length += 1;
                if !field.df.contains_key(term) {
                    field.df.insert(term.into(), 1);
                }
            });
        }
        counts.fields.retain(|_, field| field.stats.documents > 0);
        counts
    }

    /// Adds the documents of another set, which must be other documents.
    pub fn add(&mut self, other: &Self) {
        for (name, from) in &other.fields {
            let field = self.fields.entry(name.clone()).or_default();
            field.stats.documents += from.stats.documents;
            field.stats.total_length += from.stats.total_length;
            for (term, n) in &from.df {
                match field.df.get_mut(term) {
                    Some(count) => *count += n,
                    None => {
                        field.df.insert(term.clone(), *n);
                    }
                }
            }
        }
    }

    /// The sum of several sets.
    #[must_use]
    pub fn merge(parts: &[&Self]) -> Self {
        let mut sum = Self::default();
        parts.iter().for_each(|part| sum.add(part));
        sum
    }

    /// How many (field, term) pairs it counts.
    #[must_use]
    pub fn len(&self) -> usize {
        self.fields.values().map(|field| field.df.len()).sum()
    }

    /// Whether no document has a term.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// How many documents have the term in the field.
    #[must_use]
    pub fn df(&self, field: &str, term: &str) -> u64 {
        self.fields.get(field).and_then(|field| field.df.get(term)).copied().unwrap_or(0)
    }

    /// How much text the field holds.
    #[must_use]
    pub fn field_stats(&self, field: &str) -> FieldStats {
        self.fields.get(field).map(|field| field.stats).unwrap_or_default()
    }

    /// Appends its bytes (docs/FORMAT.md, "Term counts").
    pub fn encode(&self, w: &mut Writer) {
        w.varint(self.fields.len() as u64);
        for (name, field) in &self.fields {
            w.str(name);
            w.varint(field.stats.documents);
            w.varint(field.stats.total_length);
            w.varint(field.df.len() as u64);
            for (term, n) in &field.df {
                w.str(term);
                w.varint(*n);
            }
        }
    }

    /// Reads what [`Self::encode`] wrote and accepts nothing else.
    ///
    /// # Errors
    /// When the bytes end or are not in order.
    pub fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut counts = Self::default();
        for _ in 0..r.count(4)? {
            let offset = r.offset();
            let refuse = |expected| Err(DecodeError { offset, expected });
            let name = r.str()?.to_owned();
            if counts.fields.last_key_value().is_some_and(|(last, _)| *last >= name) {
                return refuse("field names in ascending order");
            }
            let stats = FieldStats { documents: r.varint()?, total_length: r.varint()? };
            if stats.documents == 0 || stats.total_length < stats.documents {
                return refuse("a field with at least one term a document");
            }
            let mut df = BTreeMap::<Box<str>, u64>::new();
            for _ in 0..r.count(2)? {
                let term = r.str()?;
                let n = r.varint()?;
                let ascending = df.last_key_value().is_none_or(|(last, _)| **last < *term);
                if !ascending || term.is_empty() || term.len() > TERM_BYTES_MAX {
                    return refuse("short terms in ascending order");
                }
                if n == 0 || n > stats.documents {
                    return refuse("a document frequency within the documents of the field");
                }
                df.insert(term.into(), n);
            }
            counts.fields.insert(name, FieldCounts { stats, df });
        }
        Ok(counts)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Language, MemoryPostings, PostingSource};
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn counts_agree_with_postings_and_come_back_from_bytes(
            documents in prop::collection::vec((0..3usize, "[ab ]{0,12}", "[a-c ]{0,9}"), 0..12),
        ) {
            let analyzer = Analyzer::new(Language::None);
            let (mut postings, mut counts) = (MemoryPostings::new(), TermCounts::new());
            for (slot, (field, one, two)) in documents.iter().enumerate() {
                let text = [(["x", "y", "z"][*field], one.as_str()), ("y", two.as_str())];
                postings.push(&analyzer, slot as u32, &text);
                counts.add(&TermCounts::of_document(&analyzer, &text));
            }
            for field in ["x", "y", "z"] {
                prop_assert_eq!(postings.field_stats(field), counts.field_stats(field));
                for term in ["a", "b", "ab", "c", "ca"] {
                    let df = postings.df(field, term).expect("in memory");
                    prop_assert_eq!(u64::from(df), counts.df(field, term));
                }
            }
            let mut w = Writer::new();
            counts.encode(&mut w);
            let mut r = Reader::new(w.as_slice());
            prop_assert_eq!(&TermCounts::decode(&mut r).expect("written above"), &counts);
            prop_assert!(r.end().is_ok());
            for len in 0..w.len() {
                let _ = TermCounts::decode(&mut Reader::new(&w.as_slice()[..len]));
            }
        }

        #[test]
        fn any_bytes_decode_or_fail_cleanly(bytes: Vec<u8>) {
            let _ = TermCounts::decode(&mut Reader::new(&bytes));
        }
    }
}
