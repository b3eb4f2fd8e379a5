//! What JavaScript gets: JSON for what is text, one array for all vectors.

use kithdb::host::CollectionInfo;
use kithdb::wire::{Columns, InfoAnswer, Vectors, to_json};
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

impl From<Columns> for Answer {
    fn from(Columns { json, vectors }: Columns) -> Self {
        match vectors {
            Some(Vectors { components, lengths }) => {
                Self { json, vectors: Some(components.into()), lengths: Some(lengths.into()) }
            }
            None => Self { json, vectors: None, lengths: None },
        }
    }
}

/// What a collection is and holds.
pub fn info(info: &CollectionInfo) -> String {
    to_json(&info_answer(info))
}

/// What a collection is and holds, as its shape.
pub fn info_answer(info: &CollectionInfo) -> InfoAnswer {
    info.answer()
}
