//! What JavaScript passes, as the core's types.

use kithdb::base::{Clock, Error, Result};
use kithdb::collection::{Document, SearchRequest};
use kithdb::storage::Level;
use kithdb::wire::{LifeBody, ReadBody, SearchBody, WriteBody, parse, parse_id, parse_metadata};
use napi::bindgen_prelude::{Float32ArraySlice, Utf16String};

/// A document that is not read yet: reading metadata is left to the pool.
pub struct Unread {
    id: Utf16String,
    vector: Option<Vec<f32>>,
    metadata: Option<String>,
    life: Option<String>,
}

/// Documents from arrays of one length; copies the vectors, which JavaScript owns. `lives` may be empty.
pub fn copy(
    ids: Vec<Utf16String>,
    vectors: Vec<Option<Float32ArraySlice<'_>>>,
    metadata: Vec<Option<String>>,
    lives: Vec<Option<String>>,
) -> Vec<Unread> {
    let vectors = vectors.into_iter().map(|vector| vector.map(|v| v.to_vec()));
    let lives = lives.into_iter().chain(std::iter::repeat(None));
    let parts = ids.into_iter().zip(vectors).zip(metadata).zip(lives);
    parts.map(|(((id, vector), metadata), life)| Unread { id, vector, metadata, life }).collect()
}

/// Reads documents; `clock` is what a time to live counts from.
pub fn documents(unread: Vec<Unread>, clock: &dyn Clock) -> Result<Vec<Document>> {
    let end = |life: &str| parse::<LifeBody>(life.as_bytes())?.end(clock);
    let read = |Unread { id, vector, metadata, life }| {
        let expires_at = life.as_deref().map_or(Ok(None), end)?;
        Ok(Document {
            id: parse_id(&id)?,
            vector,
            metadata: parse_metadata(metadata.as_deref())?,
            expires_at,
        })
    };
    unread.into_iter().map(read).collect()
}

/// Ids, well-formed.
pub fn ids(ids: &[Utf16String]) -> Result<Vec<String>> {
    ids.iter().map(|id| parse_id(id)).collect()
}

/// What a write waits for, from the JSON of its options, none being what the database was opened with; and whether
/// documents are stored in bulk.
pub fn how(options: Option<&str>) -> Result<(Option<Level>, bool)> {
    let body: WriteBody = options.map_or(Ok(WriteBody::default()), |json| parse(json.as_bytes()))?;
    Ok((body.level()?, body.bulk))
}

/// What a write waits for, where nothing can be stored in bulk.
pub fn level(options: Option<&str>) -> Result<Option<Level>> {
    match how(options)? {
        (_, true) => Err(Error::parameter("bulk", true, "a write of documents")),
        (level, false) => Ok(level),
    }
}

/// As of which moment is read, from the JSON of a `ReadBody`; none is now.
pub fn as_of(options: Option<&str>) -> Result<Option<i64>> {
    let body: ReadBody = options.map_or(Ok(ReadBody::default()), |json| parse(json.as_bytes()))?;
    kithdb::wire::as_of(body.as_of.as_ref())
}

/// A search from its JSON, and its vector.
pub fn search(json: &str, vector: Option<&[f32]>) -> Result<SearchRequest> {
    let mut request = parse::<SearchBody>(json.as_bytes())?.request()?;
    if let Some(vector) = vector {
        request.vector = Some(vector.to_vec());
    }
    Ok(request)
}
