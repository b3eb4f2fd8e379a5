//! Work over a whole collection that is no job of its storage: the rules of auto-links applied to what is there, and what
//! hangs together in the graph. It is told and cancelled as jobs are.

use crate::base::sync::lock;
use crate::base::{Error, Result, StateError};
use crate::collection::{ComponentsSearch, GraphAnswer, GraphOptions, Relinked, Relinking};
use crate::engine::JobProgress;

use super::collection::CollectionHandle;
use super::running::{RunningJob, RunningKind};

/// What runs, in the order in which it was begun.
#[derive(Debug, Default)]
pub(super) struct Tasks {
    begun: u64,
    running: Vec<(u64, RunningJob)>,
}

impl Tasks {
    /// The one that was begun first.
    pub fn first(&self) -> Option<RunningJob> {
        self.running.first().map(|(_, task)| *task)
    }

    /// Has that one end; false when there is none.
    pub fn cancel(&mut self) -> bool {
        let first = self.running.first_mut();
        first.is_some_and(|(_, task)| {
            task.is_cancelled = true;
            true
        })
    }
}

/// A task that has begun: forgotten when it ends in any way.
struct Running<'a> {
    handle: &'a CollectionHandle,
    number: u64,
}

impl<'a> Running<'a> {
    fn begin(handle: &'a CollectionHandle, kind: RunningKind) -> Self {
        Self::begin_in(&mut lock(&handle.tasks), handle, kind)
    }

    /// Begins it unless one of its kind runs.
    fn begin_alone(handle: &'a CollectionHandle, kind: RunningKind) -> Option<Self> {
        // Held from the look on: of two that come at once one is refused.
        let mut tasks = lock(&handle.tasks);
        let is_free = tasks.running.iter().all(|(_, task)| task.kind != kind);
        is_free.then(|| Self::begin_in(&mut tasks, handle, kind))
    }

    fn begin_in(tasks: &mut Tasks, handle: &'a CollectionHandle, kind: RunningKind) -> Self {
        tasks.begun += 1;
        let number = tasks.begun;
        tasks
            .running
            .push((number, RunningJob { kind, progress: JobProgress::default(), is_cancelled: false }));
        Self { handle, number }
    }

    /// Tells how far it has come; an error when it is to end.
    fn tell(&self, (done, total): (usize, usize)) -> Result<()> {
        self.handle.view()?;
        let mut tasks = lock(&self.handle.tasks);
        let own = tasks.running.iter_mut().find(|(number, _)| *number == self.number);
        let Some((_, task)) = own else { return Ok(()) };
        task.progress = JobProgress { done, total };
        if task.is_cancelled {
            return Err(StateError::Cancelled { what: task.kind.name() }.into());
        }
        Ok(())
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        lock(&self.handle.tasks).running.retain(|(number, _)| *number != self.number);
    }
}

/// Documents that are looked at in one step, and linked in one batch.
const STEP_DOCUMENTS: usize = 1_000;
/// Ends of edges that are looked at in one step.
const STEP_ENDS: usize = 5_000;

impl CollectionHandle {
    /// Makes the edges that the rules name of the documents that are there, a batch after another. When it is cancelled, or
    /// the process ends, what was made stays, and it can be begun again.
    ///
    /// # Errors
    /// As [`CollectionHandle::write`]; `invalid_parameter` while it runs already; `cancelled`.
    pub fn relink(&self) -> Result<Relinked> {
        let mut work = Relinking::new(&*self.view()?);
        let task = Running::begin_alone(self, RunningKind::Relink)
            .ok_or_else(|| Error::parameter("relink", self.name(), "no other relink to be running"))?;
        let mut linked = 0;
        task.tell(work.progress())?;
        while let Some(batch) = work.step(&*self.view()?, self.clock().now_ns(), STEP_DOCUMENTS)? {
            if !batch.is_empty() {
                linked += self.write(batch, None)?.linked;
            }
            task.tell(work.progress())?;
        }
        Ok(Relinked { documents: work.progress().0, linked })
    }

    /// What hangs together, in steps between which it can be cancelled.
    pub(super) fn components(&self, options: &GraphOptions) -> Result<GraphAnswer> {
        let view = self.view()?;
        let mut found = ComponentsSearch::new(&view, options, self.clock().now_ns())?;
        let task = Running::begin(self, RunningKind::Components);
        task.tell(found.progress())?;
        while !found.step(&view, STEP_ENDS)? {
            task.tell(found.progress())?;
        }
        found.answer(&view)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collection::CollectionConfig;
    use crate::host::{Db, Options};

    #[test]
    fn of_many_relinks_at_once_one_begins() {
        // Eight threads begin the same work at once, again and again: each time one of them does, and the others are
        // refused until it has ended.
        let db = Db::in_memory(Options::default()).expect("memory is there");
        let handle = db.create("c", CollectionConfig::default()).expect("a new name");
        let all = std::sync::Barrier::new(8);
        for _ in 0..200 {
            let begun: usize = std::thread::scope(|scope| {
                let begin = || {
                    all.wait();
                    let task = Running::begin_alone(&handle, RunningKind::Relink);
                    all.wait();
                    usize::from(task.is_some())
                };
                let threads: Vec<_> = (0..8).map(|_| scope.spawn(begin)).collect();
                threads.into_iter().map(|thread| thread.join().expect("it ends")).sum()
            });
            assert_eq!(begun, 1);
        }
    }
}
