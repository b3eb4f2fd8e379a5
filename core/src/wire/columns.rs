//! Answers for JavaScript that runs in the same process: JSON for what is text, one array for all vectors.
//!
//! What the Node addon and the browser module hand over; the TypeScript of `js/` makes plain objects of it.

use serde::Serialize;

use crate::collection::{Page, SearchResponse, Version};
use crate::segment::SharedRow;

use super::answers::{DocumentAnswer, ScanAnswer, SearchAnswer, VersionsAnswer};

/// An answer whose vectors stand apart from its JSON.
#[derive(Debug, Clone, PartialEq)]
pub struct Columns {
    /// Everything but the vectors.
    pub json: String,
    /// `None` when there is not one vector.
    pub vectors: Option<Vectors>,
}

/// The vectors of an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Vectors {
    /// Their components, one vector behind the other.
    pub components: Vec<f32>,
    /// The length of each, -1 for none.
    pub lengths: Vec<i32>,
}

/// JSON of a shape of this module.
///
/// # Panics
/// Never: the keys of every shape are strings.
#[must_use]
pub fn to_json(answer: &impl Serialize) -> String {
    serde_json::to_string(answer).expect("the keys of every shape are strings")
}

impl Columns {
    /// Documents, in the order in which they were asked for.
    #[must_use]
    pub fn documents(rows: &[Option<SharedRow>]) -> Self {
        let mut answers: Vec<_> = rows.iter().map(|row| row.as_deref().map(DocumentAnswer::from)).collect();
        let vectors =
            answers.iter_mut().map(|answer| answer.as_mut().and_then(|a| a.vector.take())).collect();
        Self::new(vectors, &answers)
    }

    /// The versions of a document.
    #[must_use]
    pub fn versions(versions: &[Version]) -> Self {
        let VersionsAnswer { mut versions } = versions.into();
        let vectors = versions.iter_mut().map(|version| version.document.vector.take()).collect();
        Self::new(vectors, &versions)
    }

    /// A page of a scan.
    #[must_use]
    pub fn page(page: &Page) -> Self {
        let mut scanned = ScanAnswer::from(page);
        let vectors = scanned.documents.iter_mut().map(|document| document.vector.take()).collect();
        Self::new(vectors, &scanned)
    }

    /// What a search found, by columns: ids, scores, metadata, explanations, warnings, the trace, facets and their total,
    /// highlights, the plan of the filter, connections and whether an expansion was cut short. JavaScript reads that twice as fast as an object for each hit, and reading is
    /// what a small search spends most of its time on.
    #[must_use]
    pub fn found(response: SearchResponse) -> Self {
        let SearchAnswer { mut hits, warnings, facets, total, truncated, trace, filter_plan } =
            SearchAnswer::from(response);
        let vectors = hits.iter_mut().map(|hit| hit.vector.take()).collect();
        let ids: Vec<_> = hits.iter().map(|hit| &hit.id).collect();
        let scores: Vec<_> = hits.iter().map(|hit| hit.score).collect();
        let metadata: Vec<_> = hits.iter().map(|hit| &hit.metadata).collect();
        let explanations: Vec<_> = hits.iter().filter_map(|hit| hit.explanation.as_ref()).collect();
        let highlights: Vec<_> = hits.iter().filter_map(|hit| hit.highlights.as_ref()).collect();
        let connections: Vec<_> = hits.iter().filter_map(|hit| hit.connections.as_ref()).collect();
        let columns = (
            ids,
            scores,
            metadata,
            explanations,
            warnings,
            trace,
            facets,
            total,
            highlights,
            filter_plan,
            connections,
            truncated,
        );
        Self::new(vectors, &columns)
    }

    fn new(vectors: Vec<Option<Vec<f32>>>, rest: &impl Serialize) -> Self {
        let json = to_json(rest);
        if vectors.iter().all(Option::is_none) {
            return Self { json, vectors: None };
        }
        let length = |vector: &Option<Vec<f32>>| {
            vector.as_ref().map_or(-1, |v| i32::try_from(v.len()).expect("a dimension is at most 65536"))
        };
        let lengths = vectors.iter().map(length).collect();
        let components = vectors.into_iter().flatten().flatten().collect();
        Self { json, vectors: Some(Vectors { components, lengths }) }
    }
}
