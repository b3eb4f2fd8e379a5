//! How a filter was answered, noted while it is.

use std::cell::Cell;

use super::columns::Matching;

/// From what a condition was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Runs of sorted values.
    Sorted,
    /// Posting lists of words.
    Postings,
    /// Texts that were held against a pattern.
    Texts,
    /// Documents, one by one.
    Documents,
}

impl Way {
    const ALL: [Self; 4] = [Self::Sorted, Self::Postings, Self::Texts, Self::Documents];

    /// Its name on every surface.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sorted => "sorted",
            Self::Postings => "postings",
            Self::Texts => "texts",
            Self::Documents => "documents",
        }
    }
}

/// One condition of a conjunction, when its turn came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilterStep {
    /// The condition, as text that reads back as it.
    pub condition: String,
    /// How many versions were thought to fulfil it, ended ones included; `None` where documents are looked at one by one.
    pub estimated: Option<usize>,
    /// How many documents fulfilled it and all conditions before it.
    pub left: usize,
    /// What was looked at; nothing for a field that is nowhere.
    pub ways: Vec<Way>,
}

/// What answering a filter from columns takes, and which ways it went.
pub(super) struct Answering<'a> {
    /// Answers `MATCHES`.
    pub(super) matching: &'a Matching<'a>,
    ways: Cell<u8>,
}

impl<'a> Answering<'a> {
    pub(super) fn new(matching: &'a Matching<'a>) -> Self {
        Self { matching, ways: Cell::new(0) }
    }

    pub(super) fn note(&self, way: Way) {
        self.ways.set(self.ways.get() | 1 << way as u8);
    }

    /// The ways that were gone since this was last asked.
    pub(super) fn take(&self) -> Vec<Way> {
        let ways = self.ways.take();
        Way::ALL.into_iter().filter(|way| ways >> *way as u8 & 1 == 1).collect()
    }
}
