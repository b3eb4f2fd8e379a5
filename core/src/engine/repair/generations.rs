//! The newest manifests of a storage, or catalogs, that can be read.

use crate::base::{Error, Result};
use crate::storage::{Listing, Object, Storage};

/// Manifests or catalogs that can be read.
pub(super) struct Generations<T> {
    /// At most two, newest first.
    pub readable: Vec<T>,
    /// Whether the first is the one that the pointer names.
    pub is_current: bool,
    /// What cannot be read, for people.
    pub notes: Vec<String>,
}

/// Reads them, up to the one that the pointer names.
///
/// # Errors
/// `unsupported_version` when the newest that is as it was written is of a later version: to write it anew without what
/// only that version knows would lose it.
pub(super) fn generations<T>(
    storage: &dyn Storage,
    listing: &Listing,
    decode: &dyn Fn(u64, &[u8]) -> Result<T>,
) -> Result<Generations<T>> {
    let pointer = storage.current().unwrap_or_default();
    let known = |object: &Object| if let Object::Manifest(n) = object { Some(*n) } else { None };
    let mut listed: Vec<u64> = listing.objects.iter().filter_map(known).collect();
    listed.retain(|generation| pointer.is_none_or(|pointer| *generation <= pointer));
    listed.sort_unstable_by(|a, b| b.cmp(a));
    let mut found = Generations { readable: Vec::new(), is_current: false, notes: Vec::new() };
    if pointer.is_none() {
        found.notes.push("the pointer to the newest generation cannot be read".to_owned());
    }
    for generation in listed {
        let read =
            storage.manifest(generation).map_err(Error::from).and_then(|bytes| decode(generation, &bytes));
        match read {
            Ok(manifest) => {
                found.is_current |= pointer == Some(generation);
                found.readable.push(manifest);
            }
            Err(error) if error.code() == "unsupported_version" && found.readable.is_empty() => {
                return Err(error);
            }
            Err(error) => found.notes.push(error.to_string()),
        }
        if found.readable.len() == 2 {
            break;
        }
    }
    Ok(found)
}
