//! The two background threads of a database: one looks once a second whose writes are to be made durable, one runs
//! jobs that are due.
//!
//! What is due is decided by counted bytes and documents, never by time.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::base::Result;
use crate::base::sync::lock;
use crate::engine::JobKind;

use super::collection::CollectionHandle;
use super::db::Shared;
use super::sync::report;

/// How long what level `everysec` promised may stay unsynced.
const SYNC_EVERY: Duration = Duration::from_secs(1);
/// How often it is looked what is due.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Starts the threads; they end when the database is closed.
pub(super) fn spawn(shared: &Arc<Shared>) -> Vec<JoinHandle<()>> {
    let mut threads = vec![every(shared, SYNC_EVERY, |_, handle| handle.sync_if_due())];
    if shared.options.auto_jobs {
        threads.push(every(shared, LOOK_EVERY, |shared, handle| {
            report(shared, handle, || run_due(shared, handle));
        }));
    }
    threads
}

fn every(
    shared: &Arc<Shared>,
    period: Duration,
    look: fn(&Arc<Shared>, &Arc<CollectionHandle>),
) -> JoinHandle<()> {
    let shared = Arc::clone(shared);
    std::thread::spawn(move || {
        let mut last = Instant::now();
        while !stopped_within(&shared, period.saturating_sub(last.elapsed())) {
            last = Instant::now();
            for handle in shared.handles() {
                // A collection that failed says so to its writers; telling it once more every second helps nobody.
                if !handle.has_failed() && !handle.is_closed() {
                    look(&shared, &handle);
                }
            }
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
    for kind in JobKind::ALL {
        if kind.is_due(&handle.view()?.stats(), shared.options.seal_bytes) {
            outcome = outcome.and(handle.run_while(kind, &go_on).map(|_| ()));
        }
    }
    outcome
}
