//! Which collections there are to be saved.

use std::collections::BTreeSet;

use crate::base::Result;
use crate::engine::database::{Catalog, Entry};
use crate::storage::{CATALOG, Object, StorageRoot};

use super::generations::generations;

/// A collection to be saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Its name; `recovered-<number>` where no catalog tells it.
    pub name: String,
    /// The number of its storage.
    pub number: u64,
    /// Its id, where a catalog tells it.
    pub collection_id: Option<u64>,
}

/// The collections that the newest readable catalog names. Where that is not the current one, or there is none, every
/// other storage that holds a manifest too: it may be a collection that the damaged catalog named, or one that was just
/// being dropped.
///
/// # Errors
/// `unsupported_version` when a later version wrote the catalog; `io_failed`.
pub fn sources(root: &dyn StorageRoot) -> Result<Vec<Source>> {
    let storage = root.storage(CATALOG)?;
    // Without a folder for it there is no catalog, and still what it named.
    let listing = storage.list().unwrap_or_default();
    let catalogs = generations(&*storage, &listing, &Catalog::decode)?;
    let entries = catalogs.readable.into_iter().next().map_or(Vec::new(), |catalog| catalog.entries);
    let mut names: BTreeSet<String> = entries.iter().map(|entry| entry.name.clone()).collect();
    let source =
        |Entry { name, number, collection_id }| Source { name, number, collection_id: Some(collection_id) };
    let mut found: Vec<Source> = entries.into_iter().map(source).collect();
    if catalogs.is_current {
        return Ok(found);
    }
    for number in root.numbers()? {
        let is_manifest = |object: &Object| matches!(object, Object::Manifest(_));
        let listed = root.storage(number)?.list();
        let is_collection = listed.is_ok_and(|listing| listing.objects.iter().any(is_manifest));
        if !is_collection || found.iter().any(|source| source.number == number) {
            continue;
        }
        let mut name = format!("recovered-{number}");
        while !names.insert(name.clone()) {
            name.push('_');
        }
        found.push(Source { name, number, collection_id: None });
    }
    Ok(found)
}
