//! Checking a whole database: its catalog, then each collection.

use std::sync::Arc;

use crate::base::{Pool, Result};
use crate::engine::database::{Catalog, Entry};
use crate::storage::{CATALOG, Listing, Storage, StorageRoot};

use super::collection;
use super::generations::generations;
use super::report::{Finding, Reporter, State, Summary, Visitor, What};

/// Checks everything that the storages of a database hold. Nothing is queued, written or removed.
///
/// Derived blobs are made again from their rows and compared, but for `links`, whose making takes as long as indexing:
/// their checksums and every number in them are checked.
///
/// # Errors
/// When the storages cannot be listed. What is damaged is no error, it is told to `visitor`.
pub fn verify(root: &dyn StorageRoot, pool: &Pool, visitor: &mut dyn Visitor) -> Result<Summary> {
    verify_held(root, pool, visitor, &|_, check| check())
}

/// Calls what it is given while nobody switches the manifest of a collection, or of the catalog.
pub type Hold<'a> = &'a dyn Fn(Option<&Entry>, &mut dyn FnMut());

/// As [`verify`], of a database that others write to. `hold` calls what it is given while nobody switches the manifest
/// of this collection, or, for none, of the catalog; it does not call it for a collection that has gone, though another
/// has its name by then.
///
/// # Errors
/// As [`verify`].
pub fn verify_held(
    root: &dyn StorageRoot,
    pool: &Pool,
    visitor: &mut dyn Visitor,
    hold: Hold<'_>,
) -> Result<Summary> {
    let numbers = root.numbers()?;
    let open = |number| -> Result<(Arc<dyn Storage>, Listing)> {
        let storage = root.existing(number)?;
        let listing = storage.list()?;
        Ok((storage, listing))
    };
    let mut objects = 0;
    for number in numbers.iter().chain([&CATALOG]) {
        objects += open(*number).map_or(0, |(_, listing)| listing.objects.len());
    }
    let mut reporter = Reporter::new(visitor, objects);
    let (mut entries, mut is_current) = (Vec::new(), false);
    hold(None, &mut || match open(CATALOG) {
        Ok((storage, listing)) => {
            (entries, is_current) = catalog(&*storage, &listing, &mut reporter, numbers.is_empty());
        }
        Err(error) => reporter.judge(What::Whole, 0, vec![(&error).into()]),
    });
    for entry in &entries {
        hold(Some(entry), &mut || {
            reporter.enter(entry.number, Some(&entry.name));
            match open(entry.number) {
                Ok((storage, listing)) => {
                    collection::check(&*storage, &listing, Some(entry), pool, &mut reporter);
                }
                Err(error) => reporter.judge(What::Whole, 0, vec![(&error).into()]),
            }
        });
    }
    for number in numbers {
        if entries.iter().any(|entry| entry.number == number) {
            continue;
        }
        reporter.enter(number, None);
        if is_current {
            let what = "left by an interrupted create or drop";
            reporter.tell(What::Whole, 0, State::Unneeded, vec![Finding::new(what)]);
        } else if let Ok((storage, listing)) = open(number) {
            // It may be a collection that the damaged catalog named.
            collection::check(&*storage, &listing, None, pool, &mut reporter);
        }
    }
    Ok(reporter.summary)
}

/// The collections that the newest readable catalog names, and whether it is the current one.
fn catalog(
    storage: &dyn Storage,
    listing: &Listing,
    reporter: &mut Reporter<'_>,
    unborn: bool,
) -> (Vec<Entry>, bool) {
    let found = generations(storage, listing, reporter, unborn, &Catalog::decode);
    others(listing, reporter);
    let is_current = found.is_current || unborn && found.readable.is_empty();
    (found.readable.into_iter().next().map_or(Vec::new(), |catalog| catalog.entries), is_current)
}

/// What is in a storage and counts for nothing.
pub(super) fn others(listing: &Listing, reporter: &mut Reporter<'_>) {
    for object in &listing.leftovers {
        let told = vec![Finding::new("was being written when the machine stopped")];
        reporter.tell(What::Begun(*object), 0, State::Unfinished, told);
    }
    for name in &listing.unknown {
        reporter.tell(What::Unknown(name.clone()), 0, State::Unknown, Vec::new());
    }
}
