//! The two background threads of a database: one looks once a second whose writes are to be made durable, one runs
//! jobs that are due.
//!
//! What is due is decided by counted bytes and documents; vacuums and refinements are also so far apart in time as the
//! settings of a collection say.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::base::Result;
use crate::base::sync::{JoinHandle, lock, spawn as spawn_thread};
use crate::engine::JobKind;

use super::collection::CollectionHandle;
use super::db::Shared;
use super::sync::report;

/// How long what level `everysec` promised may stay unsynced.
const SYNC_EVERY: Duration = Duration::from_secs(1);
/// How often it is looked what is due.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// A job that fails is tried again after 2^n looks, this n at the most: half a minute.
const FAILURES_MAX: u32 = 7;

/// How long a job that failed by itself is left alone: trying at every look would fill a disk, or a processor, with work
/// that is thrown away.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Patience {
    failures: u32,
    looks: u32,
}

impl Patience {
    /// Whether it may be tried now; to be asked once a look.
    fn is_over(&mut self) -> bool {
        let is_over = self.looks == 0;
        self.looks = self.looks.saturating_sub(1);
        is_over
    }

    /// As [`Patience::learn`]; what somebody cancelled is left alone as long as what failed most often.
    fn learn_of(&mut self, ran: &Result<()>) {
        self.learn(ran.is_ok());
        if ran.as_ref().is_err_and(|error| error.code() == "cancelled") {
            self.looks = 1 << FAILURES_MAX;
        }
    }

    fn learn(&mut self, succeeded: bool) {
        self.failures = if succeeded { 0 } else { (self.failures + 1).min(FAILURES_MAX) };
        self.looks = if succeeded { 0 } else { 1 << self.failures };
    }
}

/// Starts the threads; they end when the database is closed.
pub(super) fn spawn(shared: &Arc<Shared>) -> Vec<JoinHandle<()>> {
    let sync = |_: &Arc<Shared>, handle: &Arc<CollectionHandle>| handle.sync_if_due();
    let mut threads = vec![every(shared, SYNC_EVERY, sync, Shared::let_go)];
    if shared.options.auto_jobs {
        let run = |shared: &Arc<Shared>, handle: &Arc<CollectionHandle>| {
            report(shared, handle, || run_due(shared, handle))
        };
        threads.push(every(shared, LOOK_EVERY, run, seal_for_room));
    }
    threads
}

/// Looks at every collection that is open, and then at all of them together.
fn every(
    shared: &Arc<Shared>,
    period: Duration,
    look: fn(&Arc<Shared>, &Arc<CollectionHandle>),
    look_at_all: fn(&Shared),
) -> JoinHandle<()> {
    let shared = Arc::clone(shared);
    spawn_thread(move || {
        let mut last = Instant::now();
        while !stopped_within(&shared, period.saturating_sub(last.elapsed())) {
            last = Instant::now();
            for named in shared.names.all() {
                let Some(handle) = named.open() else { continue };
                // A collection that failed says so to its writers; telling it once more every second helps nobody.
                if !handle.has_failed() && !handle.is_closed() {
                    look(&shared, &handle);
                }
            }
            look_at_all(&shared);
        }
    })
}

/// Sleeps; true when the database is closing.
fn stopped_within(shared: &Shared, time: Duration) -> bool {
    let (stop, changed) = &shared.stop;
    let waited = changed.wait_timeout_while(lock(stop), time, |stop| !*stop);
    waited.map_or(true, |(stop, _)| *stop)
}

fn run_due(shared: &Shared, handle: &CollectionHandle) -> Result<()> {
    if shared.root.check_room().is_err() {
        // Whoever asks for a job may try; by itself none takes the last room.
        return Ok(());
    }
    let go_on = |_| !shared.is_closed() && !handle.is_closed();
    // One that fails does not keep the others from running.
    let mut outcome = Ok(());
    if lock(&handle.patience)[JobKind::ALL.len()].is_over() {
        outcome = handle.expire_due();
        lock(&handle.patience)[JobKind::ALL.len()].learn(outcome.is_ok());
    }
    for (i, kind) in JobKind::ALL.into_iter().enumerate() {
        let is_due = handle.is_due(kind, shared.options.seal_bytes)?;
        if is_due && lock(&handle.patience)[i].is_over() {
            // Refining can wait for its next time, writers cannot wait for it.
            let is_in_the_way = || kind == JobKind::Refine && handle.is_crowded();
            let ran = handle.run_while(kind, &|progress| go_on(progress) && !is_in_the_way()).map(|_| ());
            let was_cancelled = ran.as_ref().is_err_and(|error| error.code() == "cancelled");
            lock(&handle.patience)[i].learn_of(&ran);
            if !was_cancelled {
                outcome = outcome.and(ran);
            }
        }
    }
    outcome
}

/// Where a seal stands among the kinds of jobs.
const SEAL: usize = 0;

/// Memtables together take at most this share of the memory that may be used.
pub(super) const UNSEALED_SHARE: u64 = 4;

/// Seals the largest memtables, until all together take no more than their share of the memory.
fn seal_for_room(shared: &Shared) {
    let max = shared.memory_max / UNSEALED_SHARE;
    let mut open: Vec<_> =
        shared.names.open().into_iter().map(|handle| (handle.unsealed_bytes(), handle)).collect();
    let mut unsealed: u64 = open.iter().map(|(bytes, _)| *bytes).sum();
    if unsealed <= max || shared.root.check_room().is_err() {
        return;
    }
    open.sort_unstable_by_key(|(bytes, _)| std::cmp::Reverse(*bytes));
    for (bytes, handle) in open {
        if unsealed <= max || bytes == 0 {
            return;
        }
        let is_patient = || lock(&handle.patience)[SEAL].is_over();
        if !handle.has_failed() && !handle.is_closed() && is_patient() {
            let go_on = |_| !shared.is_closed() && !handle.is_closed();
            let sealed = handle.run_while(JobKind::Seal, &go_on).map(|_| ());
            lock(&handle.patience)[SEAL].learn(sealed.is_ok());
            report(shared, &handle, || sealed);
        }
        unsealed -= bytes;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_that_fails_is_left_alone_longer_each_time() {
        let mut patience = Patience::default();
        let mut tries = Vec::new();
        for look in 0..1000 {
            if patience.is_over() {
                tries.push(look);
                patience.learn(false);
            }
        }
        assert_eq!(tries[..6], [0, 3, 8, 17, 34, 67]);
        assert_eq!(tries[tries.len() - 1] - tries[tries.len() - 2], 129);
        patience.learn(true);
        assert!(patience.is_over());
    }
}
