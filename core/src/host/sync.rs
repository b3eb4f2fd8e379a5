//! Writing and syncing in the background, by as many threads as slow disks take: none waits for another collection.
//! Threads come when there is more to do than others are free for, and go when there is nothing for a while.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use crate::base::sync::{Condvar, JoinHandle, Mutex, Ordering, is_finished, lock, spawn};
use crate::base::{Event, Result};

use super::collection::CollectionHandle;
use super::db::Shared;

/// Threads that write and sync, at most: so many collections may hang on a slow disk before others wait.
const WORKERS_MAX: usize = 16;

/// A thread that has had nothing to do for so long ends.
const IDLE_MAX: Duration = Duration::from_secs(5);

/// Collections that have something to be written or synced, and the threads that do it.
#[derive(Default)]
pub(super) struct Syncer {
    queue: Mutex<Queue>,
    changed: Condvar,
}

#[derive(Default)]
struct Queue {
    due: VecDeque<Arc<CollectionHandle>>,
    idle: usize,
    /// Threads that have not ended.
    live: usize,
    workers: Vec<JoinHandle<()>>,
    stopped: bool,
}

impl Syncer {
    /// Has a collection tended soon; one that waits already waits once.
    pub(super) fn ask(shared: &Arc<Shared>, handle: Arc<CollectionHandle>) {
        if handle.is_asked.swap(true, Ordering::AcqRel) {
            return;
        }
        let mut queue = lock(&shared.syncer.queue);
        if queue.stopped {
            return;
        }
        queue.due.push_back(handle);
        if queue.idle < queue.due.len() && queue.live < WORKERS_MAX {
            queue.live += 1;
            queue.workers.retain(|worker| !is_finished(worker));
            let shared = Arc::clone(shared);
            queue.workers.push(spawn(move || shared.syncer.work(&shared)));
        }
        shared.syncer.changed.notify_one();
    }

    fn work(&self, shared: &Shared) {
        while let Some(handle) = self.next() {
            // What is asked from here on is not done yet.
            handle.is_asked.store(false, Ordering::Release);
            report(shared, &handle, || handle.tend());
        }
    }

    /// Waits for a collection; `None` when the thread that asks is to end.
    fn next(&self) -> Option<Arc<CollectionHandle>> {
        let mut queue = lock(&self.queue);
        queue.idle += 1;
        let is_idle = |queue: &mut Queue| !queue.stopped && queue.due.is_empty();
        let waited = self.changed.wait_timeout_while(queue, IDLE_MAX, is_idle);
        let (mut queue, _) = waited.unwrap_or_else(std::sync::PoisonError::into_inner);
        queue.idle -= 1;
        // Who asks from here on finds it gone, and begins another.
        let next = if queue.stopped { None } else { queue.due.pop_front() };
        queue.live -= usize::from(next.is_none());
        next
    }

    /// Ends the threads.
    pub(super) fn stop(&self) {
        let workers = {
            let mut queue = lock(&self.queue);
            queue.stopped = true;
            queue.due.clear();
            std::mem::take(&mut queue.workers)
        };
        self.changed.notify_all();
        for worker in workers {
            // A panic in there was already reported by the panic hook.
            drop(worker.join());
        }
    }
}

/// Does background work for a collection and tells the observer when it fails. A panic must not end the work of the
/// other collections.
pub(super) fn report(shared: &Shared, handle: &CollectionHandle, work: impl FnOnce() -> Result<()>) {
    let message = match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(())) => return,
        Ok(Err(error)) if error.code() == "closed" => return,
        Ok(Err(error)) => format!("background work failed: {error}"),
        Err(_) => "background work panicked".to_owned(),
    };
    shared.options.observer.event(Event::Warning { at: handle.name().to_owned(), message });
}
