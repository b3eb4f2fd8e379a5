//! What JavaScript passes, as the core's types.

use kithdb::base::Result;
use kithdb::collection::{Document, SearchRequest};
use kithdb::storage::Level;
use kithdb::wire::{SearchBody, WriteBody, parse, parse_id, parse_metadata};
use napi::bindgen_prelude::{Float32ArraySlice, Utf16String};

/// A document that is not read yet: reading metadata is left to the pool.
pub struct Unread {
    id: Utf16String,
    vector: Option<Vec<f32>>,
    metadata: Option<String>,
}

/// Documents from three arrays of one length; copies the vectors, which JavaScript owns.
pub fn copy(
    ids: Vec<Utf16String>,
    vectors: Vec<Option<Float32ArraySlice<'_>>>,
    metadata: Vec<Option<String>>,
) -> Vec<Unread> {
    let vectors = vectors.into_iter().map(|vector| vector.map(|v| v.to_vec()));
    let parts = ids.into_iter().zip(vectors).zip(metadata);
    parts.map(|((id, vector), metadata)| Unread { id, vector, metadata }).collect()
}

/// Reads documents.
pub fn documents(unread: Vec<Unread>) -> Result<Vec<Document>> {
    let read = |Unread { id, vector, metadata }| {
        Ok(Document { id: parse_id(&id)?, vector, metadata: parse_metadata(metadata.as_deref())? })
    };
    unread.into_iter().map(read).collect()
}

/// Ids, well-formed.
pub fn ids(ids: &[Utf16String]) -> Result<Vec<String>> {
    ids.iter().map(|id| parse_id(id)).collect()
}

/// What a write waits for, from the JSON of its options; none is the database's.
pub fn level(options: Option<&str>) -> Result<Option<Level>> {
    options.map_or(Ok(None), |json| parse::<WriteBody>(json.as_bytes())?.level())
}

/// A search from its JSON, and its vector.
pub fn search(json: &str, vector: Option<&[f32]>) -> Result<SearchRequest> {
    let mut request = parse::<SearchBody>(json.as_bytes())?.request()?;
    if let Some(vector) = vector {
        request.vector = Some(vector.to_vec());
    }
    Ok(request)
}
