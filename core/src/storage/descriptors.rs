//! How many storages of a database hold log files open: beyond a budget, those longest unused close theirs.
//!
//! A file with unsynced bytes is synced before it is closed: an error that the system keeps for whoever has it open would
//! be lost otherwise. Files that are synced go first, so that a write seldom waits for the disk of another collection.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Weak};

use crate::base::sync::{Mutex, lock};

/// What holds files open and can close them.
pub(super) trait Holder: Send + Sync + fmt::Debug {
    /// Closes them unless somebody is using them; those with unsynced bytes only when told so. True when they are closed.
    fn close_idle(&self, even_unsynced: bool) -> bool;
}

/// Who holds files open, and how many may.
#[derive(Debug)]
pub(super) struct Descriptors {
    max: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    uses: u64,
    /// By their last use.
    holders: BTreeMap<u64, Weak<dyn Holder>>,
}

/// Kept by a holder for as long as it has a file open.
#[derive(Debug)]
pub(super) struct Lease {
    of: Arc<Descriptors>,
    last_use: u64,
}

impl Drop for Lease {
    fn drop(&mut self) {
        lock(&self.of.state).holders.remove(&self.last_use);
    }
}

impl Descriptors {
    pub(super) fn new(max: usize) -> Arc<Self> {
        Arc::new(Self { max, state: Mutex::default() })
    }

    /// A lease for who uses its files now; the one it had before is to be dropped.
    pub(super) fn lease(self: &Arc<Self>, holder: Weak<dyn Holder>) -> Lease {
        let mut state = lock(&self.state);
        state.uses += 1;
        let last_use = state.uses;
        state.holders.insert(last_use, holder);
        Lease { of: Arc::clone(self), last_use }
    }

    /// Has files closed until the budget is kept. Files in use stay open: it is exceeded by as many as there are threads
    /// at work, at the most. The caller holds no lock of a storage.
    pub(super) fn keep_within(&self) {
        for even_unsynced in [false, true] {
            let (mut surplus, holders) = {
                let state = lock(&self.state);
                let surplus = state.holders.len().saturating_sub(self.max);
                if surplus == 0 {
                    return;
                }
                (surplus, state.holders.values().cloned().collect::<Vec<_>>())
            };
            for holder in holders {
                if surplus > 0 && holder.upgrade().is_some_and(|holder| holder.close_idle(even_unsynced)) {
                    surplus -= 1;
                }
            }
        }
    }
}
