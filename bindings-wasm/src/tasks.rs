//! Work over a whole collection in steps: the rules of auto-links applied to what is there, and components. A step that
//! fails ends its task.

use std::sync::Arc;

use kithdb::base::{Error, Result, SortedMap, StateError};
use kithdb::collection::{ComponentsSearch, Relinked, Relinking, View};
use kithdb::engine::JobProgress;
use kithdb::wire::{GraphAsk, JobAnswer, RelinkAnswer, to_json};
use serde::Serialize;

/// A task between two steps.
pub enum Task {
    /// Makes the edges that the rules name.
    Relink { collection: u64, work: Relinking, linked: usize },
    /// Looks what hangs together.
    Components { view: Arc<View>, ask: Box<GraphAsk>, found: Box<ComponentsSearch> },
}

/// What a step did.
#[derive(Default, Serialize)]
pub struct Stepped {
    /// Kept when what it wrote is; 0 for nothing.
    pub ticket: u64,
    /// The JSON of the answer, at the end.
    pub answer: Option<String>,
}

impl Task {
    /// Of a kind, over a collection in a state.
    pub fn begin(collection: u64, view: Arc<View>, kind: &str, request: &str, clock: i64) -> Result<Self> {
        if kind == "relink" {
            return Ok(Self::Relink { collection, work: Relinking::new(&view), linked: 0 });
        }
        let ask = GraphAsk::parse(kind, request.as_bytes())?;
        let found = Box::new(ComponentsSearch::new(&view, &ask.options, clock)?);
        Ok(Self::Components { view, ask: Box::new(ask), found })
    }

    /// What is answered once all steps were done.
    pub fn ended(&mut self) -> Result<Stepped> {
        let answer = match self {
            Self::Relink { work, linked, .. } => {
                let done = Relinked { documents: work.progress().0, linked: *linked };
                to_json(&RelinkAnswer::from(done))
            }
            Self::Components { view, ask, found } => to_json(&ask.answer(found.answer(view)?)),
        };
        Ok(Stepped { ticket: 0, answer: Some(answer) })
    }

    fn progress(&self) -> String {
        let (kind, (done, total)) = match self {
            Self::Relink { work, .. } => ("relink", work.progress()),
            Self::Components { found, .. } => ("components", found.progress()),
        };
        to_json(&JobAnswer::new(kind, JobProgress { done, total }))
    }
}

/// The tasks of a database, by number.
#[derive(Default)]
pub struct Tasks {
    running: SortedMap<u32, Task>,
    begun: u32,
}

impl Tasks {
    /// Gives a task its number.
    pub fn add(&mut self, task: Task) -> u32 {
        self.begun += 1;
        self.running.insert(self.begun, task);
        self.begun
    }

    /// Takes a task out for a step.
    pub fn take(&mut self, number: u32) -> Result<Task> {
        self.running.remove(&number).ok_or_else(gone)
    }

    /// Puts it back.
    pub fn put_back(&mut self, number: u32, task: Task) {
        self.running.insert(number, task);
    }

    /// Forgets a task.
    pub fn end(&mut self, number: u32) {
        self.running.remove(&number);
    }

    /// The JSON of how far a task has come.
    pub fn progress(&self, number: u32) -> Result<String> {
        self.running.get(&number).map(Task::progress).ok_or_else(gone)
    }
}

fn gone() -> Error {
    StateError::Closed { what: "task" }.into()
}
