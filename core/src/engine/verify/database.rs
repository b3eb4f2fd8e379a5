//! Checking a whole database: its catalog, then each collection.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::base::{Pool, Result};
use crate::engine::database::{Catalog, Entry};
use crate::storage::{CATALOG, Listing, Storage, StorageRoot};

use super::collection::CollectionCheck;
use super::generations::generations;
use super::report::{Finding, Reporter, State, Summary, Tally, Visitor, What};

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
    let mut objects = 0;
    for number in numbers.iter().chain([&CATALOG]) {
        objects += listed(root, *number).map_or(0, |(_, listing)| listing.objects.len());
    }
    let mut check = Check::new(numbers, objects);
    hold(None, &mut || check.catalog(root, visitor));
    while let Some(next) = check.next() {
        let mut looked = Ok(());
        let mut look = || {
            check.enter(&next, root, visitor);
            looked = check.rest(pool, visitor);
        };
        match &next.entry {
            Some(entry) => hold(Some(entry), &mut look),
            None => look(),
        }
        looked?;
    }
    Ok(check.summary())
}

/// A check in steps, for who cannot have all storages at hand at once: the catalog, then one storage after the other.
pub struct Check {
    /// Storages of collections that were listed, and are not looked at yet.
    numbers: VecDeque<u64>,
    /// Collections that the catalog names and that are not looked at yet, in its order.
    entries: VecDeque<Entry>,
    is_current: bool,
    tally: Tally,
    /// As it was before the storage that is looked at.
    before: Tally,
    now: Option<Now>,
}

/// A storage that is looked at.
struct Now {
    next: Next,
    storage: Arc<dyn Storage>,
    collection: CollectionCheck,
}

/// What is to be looked at.
#[derive(Debug, Clone)]
pub struct Next {
    /// The number of its storage.
    pub number: u64,
    /// What the catalog says of it; `None` where it does not name it.
    pub entry: Option<Entry>,
}

impl Check {
    /// Of a database with the storages of collections of these numbers, which hold about so many objects.
    #[must_use]
    pub fn new(numbers: Vec<u64>, objects: usize) -> Self {
        let tally = Tally { total: objects, ..Tally::default() };
        let (numbers, entries) = (numbers.into(), VecDeque::new());
        Self { numbers, entries, is_current: false, tally, before: tally, now: None }
    }

    /// Begins: checks the catalog, which `root` holds.
    pub fn catalog(&mut self, root: &dyn StorageRoot, visitor: &mut dyn Visitor) {
        let unborn = self.numbers.is_empty();
        let mut reporter = Reporter::new(visitor, &mut self.tally);
        match listed(root, CATALOG) {
            Ok((storage, listing)) => {
                let (entries, is_current) = catalog(&*storage, &listing, &mut reporter, unborn);
                self.numbers.retain(|number| entries.iter().all(|entry| entry.number != *number));
                (self.entries, self.is_current) = (entries.into(), is_current);
            }
            Err(error) => reporter.judge(What::Whole, 0, vec![(&error).into()]),
        }
    }

    /// What is to be looked at next; `None` at the end.
    #[expect(clippy::should_implement_trait, reason = "what it gives is looked at between two calls")]
    pub fn next(&mut self) -> Option<Next> {
        if let Some(entry) = self.entries.pop_front() {
            return Some(Next { number: entry.number, entry: Some(entry) });
        }
        self.numbers.pop_front().map(|number| Next { number, entry: None })
    }

    /// Begins to look at it; `root` holds it. What was told of a storage that was entered and not left is taken back, so that
    /// one that has changed meanwhile can be entered once more; the visitor has to forget it, too.
    pub fn enter(&mut self, next: &Next, root: &dyn StorageRoot, visitor: &mut dyn Visitor) {
        if self.now.take().is_some() {
            self.tally = self.before;
        }
        self.before = self.tally;
        let mut reporter = Reporter::new(visitor, &mut self.tally);
        reporter.enter(next.number, next.entry.as_ref().map(|entry| entry.name.as_str()));
        if next.entry.is_none() && self.is_current {
            let what = "left by an interrupted create or drop";
            return reporter.tell(What::Whole, 0, State::Unneeded, vec![Finding::new(what)]);
        }
        match listed(root, next.number) {
            Ok((storage, listing)) => {
                // Without an entry it may be a collection that the damaged catalog named.
                let collection =
                    CollectionCheck::begin(&*storage, listing, next.entry.as_ref(), &mut reporter);
                self.now = Some(Now { next: next.clone(), storage, collection });
            }
            Err(error) if next.entry.is_some() => reporter.judge(What::Whole, 0, vec![(&error).into()]),
            Err(_) => {}
        }
    }

    /// Takes back what was told of the storage that was entered, which has gone.
    pub fn leave(&mut self) {
        if self.now.take().is_some() {
            self.tally = self.before;
        }
    }

    /// Reads about so many rows of what was entered, or looks at one blob; true when all of it is checked.
    ///
    /// # Errors
    /// `not_resident`, after which it can be called again.
    pub fn step(&mut self, pool: &Pool, budget: usize, visitor: &mut dyn Visitor) -> Result<bool> {
        let Some(Now { next, storage, collection }) = &mut self.now else { return Ok(true) };
        let mut reporter = Reporter::new(visitor, &mut self.tally);
        reporter.enter(next.number, next.entry.as_ref().map(|entry| entry.name.as_str()));
        if !collection.step(&**storage, pool, budget, &mut reporter)? {
            return Ok(false);
        }
        if let Some(Now { storage, collection, .. }) = self.now.take() {
            collection.end(&*storage, &mut reporter);
        }
        Ok(true)
    }

    fn rest(&mut self, pool: &Pool, visitor: &mut dyn Visitor) -> Result<()> {
        while !self.step(pool, usize::MAX, visitor)? {}
        Ok(())
    }

    /// How many objects are checked, of about how many.
    #[must_use]
    pub const fn progress(&self) -> (usize, usize) {
        (self.tally.done, self.tally.total)
    }

    /// Over all that was looked at.
    #[must_use]
    pub const fn summary(&self) -> Summary {
        self.tally.summary
    }
}

/// A storage and what it holds.
fn listed(root: &dyn StorageRoot, number: u64) -> Result<(Arc<dyn Storage>, Listing)> {
    let storage = root.existing(number)?;
    let listing = storage.list()?;
    Ok((storage, listing))
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
