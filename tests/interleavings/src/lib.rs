//! The threads of the host in orders that a scheduler chooses: what a machine does once in a million years is done here a
//! few hundred times in every run of CI. What runs is the code of `core/src/host`, `engine` and `storage` itself, over a
//! simulated disk; only its locks, atomics and threads are the scheduler's.

mod disk;
mod hasty;
mod scenarios;

use std::panic::{AssertUnwindSafe, catch_unwind};

use shuttle::scheduler::{PctScheduler, RandomScheduler, Scheduler};
use shuttle::{Config, FailurePersistence, Runner};

pub use scenarios::{SCENARIOS, acknowledged_early};

/// What some threads do at once, and what must be true whatever the order. Panics when it is not.
pub struct Scenario {
    /// Its name.
    pub name: &'static str,
    /// One run.
    pub run: fn(),
}

/// How the next thread is chosen.
#[derive(Debug, Clone, Copy)]
pub enum Order {
    /// At random at every step.
    Random,
    /// By random priorities that change a few times: finds what a handful of switches at the wrong moments do.
    Priorities,
}

/// Switches at unlucky moments that [`Order::Priorities`] tries.
const PRIORITY_CHANGES: usize = 3;
/// A search or a build takes some room.
const STACK_BYTES: usize = 1 << 20;

/// Runs a scenario in so many orders; how many were run.
///
/// # Panics
/// As the scenario does; the schedule is printed then, and with the same seed it comes again.
#[must_use]
pub fn explore(run: fn(), order: Order, seed: u64, schedules: usize) -> usize {
    match order {
        Order::Random => {
            run_all(run, RandomScheduler::new_from_seed(seed, schedules), FailurePersistence::Print)
        }
        Order::Priorities => {
            let scheduler = PctScheduler::new_from_seed(seed, PRIORITY_CHANGES, schedules);
            run_all(run, scheduler, FailurePersistence::Print)
        }
    }
}

/// Whether some order of so many breaks what a run promises.
#[must_use]
pub fn is_broken(run: fn(), seed: u64, schedules: usize) -> bool {
    let scheduler = RandomScheduler::new_from_seed(seed, schedules);
    catch_unwind(AssertUnwindSafe(|| run_all(run, scheduler, FailurePersistence::None))).is_err()
}

fn run_all(run: fn(), scheduler: impl Scheduler + 'static, failure_persistence: FailurePersistence) -> usize {
    let mut config = Config::new();
    config.stack_size = STACK_BYTES;
    config.failure_persistence = failure_persistence;
    config.silence_warnings = true;
    Runner::new(scheduler, config).run(run)
}
