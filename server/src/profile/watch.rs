//! Watches the stacks of all threads: a timer of the process sends a signal for each so much of the processors' time that was
//! taken, and whichever thread runs then notes its stack. One that waits is not seen.
//!
//! The crate's handler takes no memory and no lock that it would wait for. What it may not interrupt is the unwinder's own
//! code, so that time within the C library is left out, as the crate's authors advise.

use std::time::Duration;

use axum::http::StatusCode;
use pprof::{ProfilerGuard, ProfilerGuardBuilder};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::Seen;
use crate::http::{Problem, overloaded};

/// How often in a second of one processor. No round number, so that what happens once in some milliseconds is neither always
/// seen nor never.
const HERTZ_MAX: u64 = 99;
/// About so many stacks are noted at most, however many processors there are and however long it is: each takes four KiB.
const LOOKS_MAX: u64 = 12_000;
/// Libraries that may not be interrupted, of Linux and of macOS.
const LEFT_OUT: [&str; 7] = ["libc", "libgcc", "pthread", "vdso", "libsystem_", "libunwind", "libdyld"];

/// There is one timer in a process.
static ALONE: Semaphore = Semaphore::const_new(1);

/// The process is watched while this lives.
pub struct Watch {
    // Dropped first: who watches next finds the timer unused.
    watching: ProfilerGuard<'static>,
    hertz: u64,
    _alone: SemaphorePermit<'static>,
}

impl Watch {
    /// Begins to watch, for about so many seconds.
    ///
    /// # Errors
    /// `overloaded` while another watches; `internal` where the system refuses a file for what has no place in memory.
    pub fn begin(seconds: u64) -> Result<Self, Problem> {
        let alone = ALONE.try_acquire().map_err(|_| overloaded("profiles at once"))?;
        let cores = std::thread::available_parallelism().map_or(1, usize::from) as u64;
        let hertz = (LOOKS_MAX / (seconds * cores).max(1)).clamp(1, HERTZ_MAX);
        let builder = ProfilerGuardBuilder::default().frequency(hertz as i32).blocklist(&LEFT_OUT);
        let watching = builder.build().map_err(|error| match error {
            // What the crate could not end it says runs for ever.
            pprof::Error::Running => stuck(),
            _ => failed(),
        })?;
        Ok(Self { watching, hertz, _alone: alone })
    }

    /// What was seen. Takes a while: names are looked up in what may be a large file.
    ///
    /// # Errors
    /// `internal` when what was noted cannot be read again.
    pub fn end(self) -> Result<Seen, Problem> {
        // Dropped from the last one on.
        let Self { _alone, watching, hertz } = self;
        let noted = watching.report().build_unresolved().map_err(|_| failed())?;
        // Nothing is noted while names are looked up.
        drop(watching);
        let mut seen = Seen::new(Duration::from_secs(1) / hertz as u32, noted.timing.duration);
        for (stack, count) in noted.data {
            // Threads go by their names, of which there are many of one kind.
            let stack = pprof::Frames::from(stack);
            let outermost_first = stack.frames.iter().rev().flat_map(|inlined| inlined.iter().rev());
            let mut names: Vec<String> = outermost_first.map(pprof::Symbol::name).collect();
            let ours = names.iter().rposition(|name| !is_of_watching(name)).map_or(0, |last| last + 1);
            names.truncate(ours);
            let count = u64::try_from(count).unwrap_or(0);
            seen.add(std::iter::once(stack.thread_name_or_id()).chain(names), count);
        }
        Ok(seen)
    }
}

/// What notes a stack is in it too.
fn is_of_watching(name: &str) -> bool {
    ["backtrace::", "<backtrace::", "pprof::", "<pprof::"].iter().any(|of| name.starts_with(of))
}

fn stuck() -> Problem {
    let message = "an earlier profile could not be ended, as the system gave no temporary file";
    let problem = Problem::http(StatusCode::INTERNAL_SERVER_ERROR, "internal", message);
    problem.hint("restart the server, with a directory for temporary files that it may write to (TMPDIR)")
}

fn failed() -> Problem {
    let message = "the system gave no temporary file, which it takes to see what the server computes";
    let problem = Problem::http(StatusCode::INTERNAL_SERVER_ERROR, "internal", message);
    problem.hint("give the server a directory for temporary files that it may write to (TMPDIR)")
}
