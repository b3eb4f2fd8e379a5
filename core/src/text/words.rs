//! The text of a collection at work: its spec and its analyser.

use crate::base::Object;

use super::{Analyzer, MemoryPostings, TermCounts, TextSpec};

/// A text spec ready for use.
#[derive(Debug)]
pub struct Words {
    spec: TextSpec,
    analyzer: Analyzer,
}

impl Words {
    /// Ready for documents of this spec.
    #[must_use]
    pub fn new(spec: TextSpec) -> Self {
        let analyzer = Analyzer::new(spec.language);
        Self { spec, analyzer }
    }

    /// What turns texts and queries into terms.
    #[must_use]
    pub fn analyzer(&self) -> &Analyzer {
        &self.analyzer
    }

    /// Adds the words of a document.
    pub fn push(&self, postings: &mut MemoryPostings, slot: u32, metadata: &Object) {
        let texts = self.spec.texts(metadata);
        let texts: Vec<(&str, &str)> = texts.iter().map(|(field, text)| (&**field, *text)).collect();
        postings.push(&self.analyzer, slot, &texts);
    }

    /// The words of a document, counted.
    #[must_use]
    pub fn count(&self, metadata: &Object) -> TermCounts {
        let texts = self.spec.texts(metadata);
        let texts: Vec<(&str, &str)> = texts.iter().map(|(field, text)| (&**field, *text)).collect();
        TermCounts::of_document(&self.analyzer, &texts)
    }
}
