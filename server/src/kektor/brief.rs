//! `compress_context`: texts in fewer characters, for readers who pay for each. Runs of white space become one space. No
//! word is left out: a text without its "not" says something else.

use kithdb::base::{Object, Value};

/// Shortens the texts of a document where that is asked for; what is stored stays as it is.
pub fn shorten(asked: bool, metadata: &mut Object) {
    if asked {
        metadata.values_mut().for_each(shorten_value);
    }
}

fn shorten_value(value: &mut Value) {
    match value {
        Value::Str(text) => *text = text.split_whitespace().collect::<Vec<_>>().join(" "),
        Value::Array(values) => values.iter_mut().for_each(shorten_value),
        Value::Object(fields) => fields.values_mut().for_each(shorten_value),
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) => {}
    }
}
