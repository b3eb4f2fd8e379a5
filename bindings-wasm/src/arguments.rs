//! What JavaScript passes, as the core's types, and the core's answers and errors as JavaScript's.

use std::ops::Range;

use js_sys::{Float32Array, Int32Array, JsString, Object, Reflect, Uint8Array};
use kithdb::base::{Clock, Error, Report, Result};
use kithdb::collection::{Document, SearchRequest};
use kithdb::storage::Level;
use kithdb::wire::{
    Columns, LifeBody, ReadBody, SearchBody, Vectors, WriteBody, parse, parse_id, parse_metadata,
};
use wasm_bindgen::JsValue;

/// The error as JavaScript gets it: a message that is the JSON of a report.
pub fn thrown(error: &Error) -> JsValue {
    let report: Report = error.report();
    js_sys::Error::new(&serde_json::to_string(&report).unwrap_or(report.message)).into()
}

/// Documents from arrays of one length, the vectors one behind the other. `lives` may be empty; `clock` is what a time
/// to live counts from.
pub fn documents(
    names: &[JsString],
    vectors: &[f32],
    lengths: &[i32],
    metadata: &[JsValue],
    lives: &[JsValue],
    clock: &dyn Clock,
) -> Result<Vec<Document>> {
    let mut rest = vectors;
    let mut documents = Vec::with_capacity(names.len());
    for (i, ((name, length), metadata)) in names.iter().zip(lengths).zip(metadata).enumerate() {
        let vector = usize::try_from(*length).ok().map(|length| {
            let (vector, after) = rest.split_at(length);
            rest = after;
            vector.to_vec()
        });
        let metadata = parse_metadata(metadata.as_string().as_deref())?;
        let life = lives.get(i).and_then(JsValue::as_string);
        let end = |life: String| parse::<LifeBody>(life.as_bytes())?.end(clock);
        documents.push(Document { id: id(name)?, vector, metadata, expires_at: life.map_or(Ok(None), end)? });
    }
    Ok(documents)
}

/// The range of a blob that these bytes are.
pub fn piece(offset: f64, bytes: &Uint8Array) -> Range<u64> {
    let start = offset as u64;
    start..start.saturating_add(u64::from(bytes.length()))
}

/// Ids, well-formed.
pub fn ids(names: &[JsString]) -> Result<Vec<String>> {
    names.iter().map(id).collect()
}

/// An id, well-formed.
pub fn id(name: &JsString) -> Result<String> {
    if name.is_valid_utf16() {
        return Ok(String::from(name));
    }
    let units: Vec<u16> = name.iter().collect();
    parse_id(&units)
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
pub fn search(json: &str, vector: Option<Vec<f32>>) -> Result<SearchRequest> {
    let mut request = parse::<SearchBody>(json.as_bytes())?.request()?;
    request.vector = vector.or(request.vector);
    Ok(request)
}

/// Searches from the JSON of each; vectors as those of [`documents`].
pub fn searches(requests: &[String], vectors: &[f32], lengths: &[i32]) -> Result<Vec<SearchRequest>> {
    let mut rest = vectors;
    let mut searches = Vec::with_capacity(requests.len());
    for (json, length) in requests.iter().zip(lengths) {
        let vector = usize::try_from(*length).ok().map(|length| {
            let (vector, after) = rest.split_at(length);
            rest = after;
            vector.to_vec()
        });
        searches.push(search(json, vector)?);
    }
    Ok(searches)
}

/// An answer as a plain object: `json` and, when there are any, `vectors` and `lengths`.
pub fn answer(columns: Columns) -> JsValue {
    let answer = Object::new();
    let set = |name: &str, value: &JsValue| {
        let done = Reflect::set(&answer, &name.into(), value);
        debug_assert!(done.is_ok(), "a new object takes every property");
    };
    set("json", &columns.json.into());
    if let Some(Vectors { components, lengths }) = columns.vectors {
        set("vectors", &Float32Array::from(&components[..]));
        set("lengths", &Int32Array::from(&lengths[..]));
    }
    answer.into()
}
