//! What JavaScript gets: JSON for what is text, one array for all vectors.

use kithdb::collection::{Page, SearchResponse};
use kithdb::host::CollectionInfo;
use kithdb::segment::SharedRow;
use kithdb::wire::{DocumentAnswer, InfoAnswer, ScanAnswer, SearchAnswer};
use napi::bindgen_prelude::{Float32Array, Int32Array};
use napi_derive::napi;

/// An answer whose vectors stand apart from its JSON.
#[napi(object, object_from_js = false)]
pub struct Answer {
    /// Everything but the vectors.
    pub json: String,
    /// The vectors one behind the other; nothing when there are none.
    pub vectors: Option<Float32Array>,
    /// The length of each vector, -1 for none; nothing when there are none.
    pub lengths: Option<Int32Array>,
}

/// JSON of a shape of `kithdb::wire`.
pub fn to_json(answer: &impl serde::Serialize) -> String {
    serde_json::to_string(answer).expect("the keys of every shape are strings")
}

/// What a collection is and holds.
pub fn info(info: &CollectionInfo) -> String {
    to_json(&info_answer(info))
}

/// What a collection is and holds, as its shape.
pub fn info_answer(info: &CollectionInfo) -> InfoAnswer {
    InfoAnswer::new(&info.name, &info.config, info.dim, &info.stats)
}

/// Documents, in the order in which they were asked for.
pub fn documents(rows: &[Option<SharedRow>]) -> Answer {
    let mut answers: Vec<_> = rows.iter().map(|row| row.as_deref().map(DocumentAnswer::from)).collect();
    let vectors = answers.iter_mut().map(|answer| answer.as_mut().and_then(|a| a.vector.take())).collect();
    answer(vectors, &answers)
}

/// A page of a scan.
pub fn page(page: &Page) -> Answer {
    let mut scanned = ScanAnswer::from(page);
    let vectors = scanned.documents.iter_mut().map(|document| document.vector.take()).collect();
    answer(vectors, &scanned)
}

/// What a search found, by columns: ids, scores, metadata, explanations and, last, the warnings. Node reads that
/// twice as fast as an object for each hit, and reading is what a small search spends most of its time on.
pub fn found(response: SearchResponse) -> Answer {
    let SearchAnswer { mut hits, warnings } = SearchAnswer::from(response);
    let vectors = hits.iter_mut().map(|hit| hit.vector.take()).collect();
    let ids: Vec<_> = hits.iter().map(|hit| &hit.id).collect();
    let scores: Vec<_> = hits.iter().map(|hit| hit.score).collect();
    let metadata: Vec<_> = hits.iter().map(|hit| &hit.metadata).collect();
    let explanations: Vec<_> = hits.iter().filter_map(|hit| hit.explanation.as_ref()).collect();
    answer(vectors, &(ids, scores, metadata, explanations, warnings))
}

fn answer(vectors: Vec<Option<Vec<f32>>>, rest: &impl serde::Serialize) -> Answer {
    let json = to_json(rest);
    if vectors.iter().all(Option::is_none) {
        return Answer { json, vectors: None, lengths: None };
    }
    let length = |vector: &Option<Vec<f32>>| {
        vector.as_ref().map_or(-1, |v| i32::try_from(v.len()).expect("a dimension is at most 65536"))
    };
    let lengths: Vec<i32> = vectors.iter().map(length).collect();
    let flat: Vec<f32> = vectors.into_iter().flatten().flatten().collect();
    Answer { json, vectors: Some(flat.into()), lengths: Some(lengths.into()) }
}
