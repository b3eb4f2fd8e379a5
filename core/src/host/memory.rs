//! What a database takes of the memory that it may use, as far as it counts it.

use crate::base::Result;
use crate::storage::huge;

use super::db::{Db, JOB_SHARE};
use super::jobs::UNSEALED_SHARE;

/// What is counted, in bytes, and how much of it there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryUse {
    /// What documents that are not sealed, and jobs, take together at most.
    pub max: u64,
    /// Documents that are not sealed, of the collections that are open.
    pub unsealed: u64,
    /// From here on the largest memtables are sealed.
    pub unsealed_max: u64,
    /// What one job writes at most.
    pub job_max: u64,
    /// Copies of what searches read all over, on huge pages; of all databases of the process, and beside `max`.
    pub copied: u64,
}

impl Db {
    /// What it takes of the memory that it may use. No collection is opened.
    ///
    /// # Errors
    /// `closed`.
    pub fn memory(&self) -> Result<MemoryUse> {
        let max = self.shared.memory_max;
        let unsealed = self.opened()?.iter().map(|handle| handle.unsealed_bytes()).sum();
        let (unsealed_max, job_max) = (max / UNSEALED_SHARE, max / JOB_SHARE);
        Ok(MemoryUse { max, unsealed, unsealed_max, job_max, copied: huge::copied() })
    }
}
