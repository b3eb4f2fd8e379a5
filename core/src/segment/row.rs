//! One version of a document, as the memtable holds it and as segments are written from it.

use std::sync::Arc;

use crate::base::value::object_weight;
use crate::base::{Key, Object, Seq};

/// One version of a document.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The user's id.
    pub id: Box<str>,
    /// The number of that id.
    pub key: Key,
    /// Order of this version within the collection.
    pub seq: Seq,
    /// Since when it is valid: nanoseconds since 1970 UTC.
    pub valid_from: i64,
    /// From when it is no longer valid without anything being done; [`crate::base::NEVER`] for no such time.
    pub expires_at: i64,
    /// The caller's, rounded to the form that the collection stores.
    pub vector: Option<Box<[f32]>>,
    /// 1 / length of the vector; 0 without one.
    pub inverse_norm: f32,
    /// Canonical metadata.
    pub metadata: Object,
}

/// Rows are shared between chunks that are merged and views that are read.
pub type SharedRow = Arc<Row>;

impl Row {
    /// About how many bytes it takes, counted the same everywhere: what decides when a memtable is sealed.
    #[must_use]
    pub fn weight(&self) -> usize {
        weight(&self.id, self.vector.as_deref(), &self.metadata)
    }
}

/// About how many bytes a row of these takes.
pub(crate) fn weight(id: &str, vector: Option<&[f32]>, metadata: &Object) -> usize {
    64 + id.len() + vector.map_or(0, |v| v.len() * 4) + object_weight(metadata)
}
