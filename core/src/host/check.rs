//! Looking at a database that is open: every byte of it, or figures. Writers and readers go on meanwhile.

use std::sync::Arc;

use crate::base::sync::lock;
use crate::base::{Result, StateError};
use crate::engine::stats::{self, Figures};
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
        let hold = |name: Option<&str>, check: &mut dyn FnMut()| shared.hold(name, check);
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
            let figures = self.shared.touch_name(&name).and_then(|handle| handle.figures(&self.shared));
            match figures {
                // Dropped meanwhile.
                Err(error) if error.code() == "unknown_collection" => {}
                figures => told.push((name, figures)),
            }
        }
        self.shared.check_open()?;
        Ok(told)
    }
}

impl Shared {
    /// Checks while nobody switches a manifest of this collection, or of the catalog.
    fn hold(&self, name: Option<&str>, check: &mut dyn FnMut()) {
        if self.is_closed() {
            return;
        }
        let Some(name) = name else {
            let _no_create = lock(&self.catalog);
            return check();
        };
        match self.touch_name(name) {
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
    fn figures(&self, shared: &Shared) -> Result<Figures> {
        let (view, replayed) = {
            let writer = self.writer()?;
            (self.view()?, writer.replayed_bytes())
        };
        if self.is_closed() {
            return Err(StateError::Closed { what: "collection" }.into());
        }
        stats::of_open(&view, &self.storage(), replayed as u64, &shared.env, self.name())
    }
}
