//! Work that goes on after its request was answered, and that clients ask after.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use kithdb::base::Result;
use serde::Serialize;

/// So many are remembered: the oldest that have ended are forgotten first.
const TASKS_MAX: usize = 1_000;
/// So many run at once: each takes a thread.
const RUNNING_MAX: usize = 32;

/// What clients see of a task.
#[derive(Debug, Clone, Serialize)]
pub struct Task {
    /// Random, so that nobody guesses another's.
    pub id: String,
    /// `running`, `completed` or `failed`.
    pub status: &'static str,
    /// What it is doing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress_message: Option<String>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The collection that it works on.
    #[serde(skip)]
    pub collection: String,
    /// What it does there.
    #[serde(skip)]
    what: String,
}

/// The tasks of a server.
#[derive(Debug, Clone, Default)]
pub struct Tasks(Arc<Mutex<VecDeque<Task>>>);

impl Tasks {
    /// Starts work on a thread that may compute and wait. The task that does the same already is answered instead; where
    /// too many run, none is.
    pub fn start(
        &self,
        collection: &str,
        what: &str,
        work: impl FnOnce() -> Result<()> + Send + 'static,
    ) -> Option<Task> {
        let (id, collection, what) = (random_id(), collection.to_owned(), what.to_owned());
        let (progress_message, error) = (None, None);
        let task = Task { id: id.clone(), status: "running", progress_message, error, collection, what };
        let mut tasks = self.all();
        let running = || tasks.iter().filter(|task| task.status == "running");
        let is_same = |other: &&Task| other.collection == task.collection && other.what == task.what;
        if let Some(same) = running().find(is_same) {
            return Some(same.clone());
        }
        if running().count() >= RUNNING_MAX {
            return None;
        }
        if tasks.len() >= TASKS_MAX
            && let Some(ended) = tasks.iter().position(|task| task.status != "running")
        {
            tasks.remove(ended);
        }
        tasks.push_back(task.clone());
        drop(tasks);
        let this = self.clone();
        tokio::task::spawn_blocking(move || {
            let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
            let error = match outcome {
                Ok(Ok(())) => None,
                Ok(Err(error)) => Some(error.to_string()),
                Err(_) => Some("Internal Server Error".to_owned()),
            };
            if let Some(task) = this.all().iter_mut().find(|task| task.id == id) {
                task.status = if error.is_none() { "completed" } else { "failed" };
                task.error = error;
            }
        });
        Some(task)
    }

    /// What is known of a task.
    pub fn get(&self, id: &str) -> Option<Task> {
        self.all().iter().find(|task| task.id == id).cloned()
    }

    fn all(&self) -> MutexGuard<'_, VecDeque<Task>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Bits of the standard library's random keys, as a UUID of version 4.
fn random_id() -> String {
    let half = || RandomState::new().hash_one(0).to_le_bytes();
    let (low, high) = (half(), half());
    let mut bytes: [u8; 16] = std::array::from_fn(|i| if i < 8 { low[i] } else { high[i - 8] });
    bytes[6] = bytes[6] & 0x0F | 0x40;
    bytes[8] = bytes[8] & 0x3F | 0x80;
    let mut id = String::with_capacity(36);
    for (i, byte) in bytes.iter().enumerate() {
        if [4, 6, 8, 10].contains(&i) {
            id.push('-');
        }
        // Writing to a string does not fail.
        let _ = write!(id, "{byte:02x}");
    }
    id
}
