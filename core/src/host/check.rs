//! Looking at a database that is open: every byte of it, or figures. Writers and readers go on meanwhile.

use std::sync::Arc;

use crate::base::sync::lock;
use crate::base::{Result, StateError};
use crate::engine::Entry;
use crate::engine::stats::Figures;
use crate::engine::verify::{Summary, Visitor, verify_held};
use crate::storage::{FileRoot, OsVfs, ReadOnlyVfs};

use super::collection::CollectionHandle;
use super::db::{Db, Shared};

impl Db {
    /// Checks every byte that anybody could come to read, as `kithdb verify` does, and tells `visitor` of each object.
    /// Jobs of a collection wait while it is checked, and so does dropping it; reads and writes do not. One check runs
    /// at a time, others wait for it.
    ///
    /// # Errors
    /// `io_failed` when the directory cannot be listed, `closed`. Damage is no error.
    pub fn verify(&self, visitor: &mut dyn Visitor) -> Result<Summary> {
        let shared = &self.shared;
        let _one_at_a_time = lock(&shared.checking);
        shared.check_open()?;
        let hold = |entry: Option<&Entry>, check: &mut dyn FnMut()| shared.hold(entry, check);
        let summary = match &shared.directory {
            // Read, not mapped: a disk that fails must not end the process.
            Some(directory) => {
                let vfs = Arc::new(ReadOnlyVfs::copying(Arc::new(OsVfs)));
                let root = FileRoot::open(vfs, directory)?;
                verify_held(&root, &shared.env.pool, visitor, &hold)
            }
            None => verify_held(&*shared.root, &shared.env.pool, visitor, &hold),
        }?;
        shared.check_open()?;
        Ok(summary)
    }

    /// The collections by name, the key-value store's among them once it has a key, each with its figures or why there
    /// are none. Those that are not open are opened.
    ///
    /// # Errors
    /// `closed`.
    pub fn figures(&self) -> Result<Vec<(String, Result<Figures>)>> {
        self.shared.check_open()?;
        let mut told = Vec::new();
        for name in self.shared.names.with_keys() {
            let figures = self.shared.touch_name(&name).and_then(|handle| handle.figures());
            match figures {
                // Dropped meanwhile, before it was touched or since.
                Err(error) if matches!(error.code(), "unknown_collection" | "closed") => {}
                figures => told.push((name, figures)),
            }
        }
        self.shared.check_open()?;
        Ok(told)
    }
}

impl Shared {
    /// Checks while nobody switches a manifest of this collection, or of the catalog.
    fn hold(&self, entry: Option<&Entry>, check: &mut dyn FnMut()) {
        if self.is_closed() {
            return;
        }
        let Some(entry) = entry else {
            let _no_create = lock(&self.catalog);
            return check();
        };
        match self.touch_name(&entry.name) {
            // It was dropped since the catalog was read, and another one made under its name.
            Ok(handle) if handle.id() != entry.collection_id => {}
            Ok(handle) => {
                let _no_job = lock(&handle.job);
                // A drop waits for the job, and has removed its place when it was quicker.
                if !handle.is_closed() {
                    check();
                }
            }
            Err(error) if matches!(error.code(), "unknown_collection" | "closed") => {}
            // Nobody writes to one that cannot be opened.
            Err(_) => check(),
        }
    }
}

impl CollectionHandle {
    fn figures(&self) -> Result<Figures> {
        // Nothing of the storage is asked for while writers wait.
        let known = self.writer()?.known();
        let figures = known.figures();
        // A drop waits for nobody who looks: what failed by that is no damage.
        if self.is_closed() {
            return Err(StateError::Closed { what: "collection" }.into());
        }
        figures
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collection::CollectionConfig;
    use crate::engine::verify::Checked;
    use crate::host::Options;

    /// Drops a collection and makes it again as soon as it is told of another one.
    struct Busy<'a>(&'a Db, bool);

    impl Visitor for Busy<'_> {
        fn checked(&mut self, checked: &Checked) {
            if checked.collection.as_deref() == Some("a") && !std::mem::replace(&mut self.1, true) {
                self.0.drop_collection("b").expect("it is there");
                self.0.create("b", CollectionConfig::default()).expect("its name is free");
            }
        }
    }

    #[test]
    fn a_collection_made_again_meanwhile_is_not_told_to_be_damaged() {
        // While `a` is checked, `b` is dropped and made again: the storage that the catalog named for it has gone, which is
        // no damage, and the new `b` is for the next check.
        let db = Db::in_memory(Options::default()).expect("memory is there");
        for name in ["a", "b"] {
            db.create(name, CollectionConfig::default()).expect("a new name");
        }
        let mut busy = Busy(&db, false);
        let summary = db.verify(&mut busy).expect("listed");
        assert!(busy.1, "it was dropped and made again");
        assert!(summary.is_clean(), "{summary:?}");
    }
}
