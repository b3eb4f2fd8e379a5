//! Keys and values as documents: what the key-value store of a database is made of.
//!
//! The document `0=KEY` holds a value, or the first piece of a long one, whose others are `1=KEY`, `2=KEY` and so on.
//! All of a value are written in one batch and read from one view: nobody sees a part of one.
//!
//! What the host keeps for itself is the document `=NAME`, which no key leads to.

use std::collections::BTreeSet;

use crate::base::ids::shorten;
use crate::base::limits::{KV_KEY_BYTES_MAX, KV_OWN_BYTES_MAX, KV_VALUE_BYTES_MAX, SCAN_MAX};
use crate::base::{Error, InputError, Object, Result, Slot, Value};

use super::view::{Part, View};
use super::write::{Document, Mutation};

/// Bytes of a value in one document, whose metadata is bounded.
const PIECE_BYTES: usize = 512 << 10;
const VALUE: &str = "value";
/// In the first document: how many pieces there are.
const PIECES: &str = "pieces";

/// Keys in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeyPage {
    /// Sorted by bytes.
    pub keys: Vec<String>,
    /// Where the next page begins; `None` after the last.
    pub next: Option<String>,
}

/// Refuses a key that cannot be stored.
///
/// # Errors
/// `invalid_key` when it is empty, longer than [`KV_KEY_BYTES_MAX`] or holds a NUL.
pub fn check_key(key: &str) -> Result<()> {
    if key.is_empty() || key.len() > KV_KEY_BYTES_MAX || key.contains('\0') {
        let expected = format!("1 to {KV_KEY_BYTES_MAX} bytes of UTF-8 without NUL");
        return Err(InputError::Key { got: shorten(key), expected }.into());
    }
    Ok(())
}

/// Refuses a key or a value that cannot be stored.
///
/// # Errors
/// `invalid_key`, `too_large`.
pub fn check_set(key: &str, value: &str) -> Result<()> {
    check_key(key)?;
    if value.len() > KV_VALUE_BYTES_MAX {
        let (got, limit) = (value.len() as u64, KV_VALUE_BYTES_MAX as u64);
        return Err(InputError::TooLarge { what: "a value", got, limit }.into());
    }
    Ok(())
}

/// Refuses a number of keys that is no page.
///
/// # Errors
/// `invalid_parameter`.
pub fn check_limit(limit: usize) -> Result<()> {
    if !(1..=SCAN_MAX).contains(&limit) {
        return Err(Error::parameter("limit", limit, format!("1 to {SCAN_MAX}")));
    }
    Ok(())
}

/// The batch that gives a key its value. `view` tells how long the one is that it has: nobody else may set that key
/// before the batch is written.
///
/// # Errors
/// `invalid_key`, `too_large`; `corrupt`, `not_resident`.
pub fn set(view: &View, key: &str, value: &str) -> Result<Vec<Mutation>> {
    check_set(key, value)?;
    let pieces = pieces(value);
    let mut batch = Vec::new();
    for (number, piece) in pieces.iter().enumerate() {
        let mut metadata = Object::from([(VALUE.to_owned(), Value::Str((*piece).to_owned()))]);
        if number == 0 && pieces.len() > 1 {
            metadata.insert(PIECES.to_owned(), Value::Int(pieces.len() as i64));
        }
        batch.push(Mutation::Upsert(Document {
            id: id(number, key),
            vector: None,
            metadata,
            expires_at: None,
        }));
    }
    let before = count(view, key)?.unwrap_or(0);
    batch.extend((pieces.len()..before).map(|number| Mutation::Delete(id(number, key))));
    Ok(batch)
}

/// The batch that takes a key away: empty when it is not there. As [`set`], nobody else may set that key meanwhile.
///
/// # Errors
/// `invalid_key`; `corrupt`, `not_resident`.
pub fn delete(view: &View, key: &str) -> Result<Vec<Mutation>> {
    check_key(key)?;
    let before = count(view, key)?.unwrap_or(0);
    Ok((0..before).map(|number| Mutation::Delete(id(number, key))).collect())
}

/// The value of a key.
///
/// # Errors
/// `invalid_key`; `corrupt`, `not_resident`.
pub fn get(view: &View, key: &str) -> Result<Option<String>> {
    check_key(key)?;
    let Some(count) = count(view, key)? else { return Ok(None) };
    let mut value = String::new();
    for number in 0..count {
        let row = view.get(&id(number, key), view.now(0))?;
        let piece = row.as_ref().and_then(|row| row.metadata.get(VALUE)).and_then(Value::as_str);
        value.push_str(piece.ok_or_else(|| broken(key, "all pieces of its value"))?);
    }
    Ok(Some(value))
}

/// Up to `limit` keys that begin with `prefix` and come after `cursor`, sorted by bytes.
///
/// # Complexity
/// Looks at every key once.
///
/// # Errors
/// `invalid_parameter`; `corrupt`, `not_resident`.
pub fn list(view: &View, prefix: &str, cursor: Option<&str>, limit: usize) -> Result<KeyPage> {
    check_limit(limit)?;
    let mut first: BTreeSet<String> = BTreeSet::new();
    let mut more = false;
    let mut consider = |id: &str| {
        let key = id.strip_prefix("0=").filter(|key| key.starts_with(prefix));
        let Some(key) = key.filter(|key| cursor.is_none_or(|cursor| *key > cursor)) else { return };
        if first.len() == limit && first.last().is_some_and(|last| key > last.as_str()) {
            more = true;
            return;
        }
        first.insert(key.to_owned());
        if first.len() > limit {
            first.pop_last();
            more = true;
        }
    };
    for part in &view.parts {
        for slot in (0..part.part.len() as u32).map(Slot).filter(|slot| !part.ends.contains(*slot)) {
            match &part.part {
                Part::Chunk(chunk) => consider(&chunk.row(slot).id),
                Part::Segment(segment) => consider(segment.rows.id(slot)?),
            }
        }
    }
    let keys: Vec<String> = first.into_iter().collect();
    Ok(KeyPage { next: keys.last().filter(|_| more).cloned(), keys })
}

/// The batch that stores what the host keeps for itself under this name.
///
/// # Errors
/// `too_large` beyond [`KV_OWN_BYTES_MAX`].
pub fn set_own(name: &str, value: &str) -> Result<Vec<Mutation>> {
    if value.len() > KV_OWN_BYTES_MAX {
        let (got, limit) = (value.len() as u64, KV_OWN_BYTES_MAX as u64);
        return Err(InputError::TooLarge { what: "what the server keeps for itself", got, limit }.into());
    }
    let metadata = Object::from([(VALUE.to_owned(), Value::Str(value.to_owned()))]);
    Ok(vec![Mutation::Upsert(Document { id: own_id(name), vector: None, metadata, expires_at: None })])
}

/// What the host keeps for itself under this name.
///
/// # Errors
/// `corrupt`, `not_resident`.
pub fn get_own(view: &View, name: &str) -> Result<Option<String>> {
    let Some(row) = view.get(&own_id(name), view.now(0))? else { return Ok(None) };
    let value = row.metadata.get(VALUE).and_then(Value::as_str);
    value.map(|value| Some(value.to_owned())).ok_or_else(|| broken(name, "a value"))
}

fn own_id(name: &str) -> String {
    format!("={name}")
}

fn id(number: usize, key: &str) -> String {
    format!("{number}={key}")
}

/// In how many documents the value of a key is; `None` when it has none.
fn count(view: &View, key: &str) -> Result<Option<usize>> {
    let Some(place) = view.find_unended(&id(0, key))? else { return Ok(None) };
    let metadata = view.parts[place.part].part.metadata(place.slot)?;
    let most = KV_VALUE_BYTES_MAX / (PIECE_BYTES - 4) + 1;
    match metadata.get(PIECES) {
        None => Ok(Some(1)),
        Some(Value::Int(count)) if (1..=most as i64).contains(count) => Ok(Some(*count as usize)),
        Some(_) => Err(broken(key, "a count of pieces")),
    }
}

fn broken(key: &str, expected: &str) -> Error {
    Error::corrupt(format!("key {:?}", shorten(key)), 0, expected)
}

/// The value in pieces that fit a document, cut at characters; an empty value is one piece.
fn pieces(value: &str) -> Vec<&str> {
    let (mut pieces, mut rest) = (Vec::new(), value);
    while rest.len() > PIECE_BYTES {
        let at = (0..=PIECE_BYTES).rev().find(|at| rest.is_char_boundary(*at)).unwrap_or_default();
        let (piece, after) = rest.split_at(at);
        pieces.push(piece);
        rest = after;
    }
    pieces.push(rest);
    pieces
}
