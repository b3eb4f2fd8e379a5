//! What threads share and wait with: the standard library's, or, with the feature `shuttle`, that of a scheduler which
//! chooses who runs next. Only `tests/interleavings` asks for that one; it runs the code of the engine and of the host as
//! it is, in orders that a machine would take once in a million years.
//!
//! What never waits and orders nothing, such as a count or a cache that is filled once, uses the standard library.

#[cfg(not(feature = "shuttle"))]
mod real {
    pub use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize};
    pub use std::sync::{Condvar, Mutex, MutexGuard};

    pub use arc_swap::ArcSwap;
    #[cfg(feature = "host")]
    pub use std::thread::{JoinHandle, spawn};

    /// Whether a thread has ended, so that nobody needs to wait for it.
    #[cfg(feature = "host")]
    pub fn is_finished(thread: &JoinHandle<()>) -> bool {
        thread.is_finished()
    }
}

#[cfg(feature = "shuttle")]
mod scheduled {
    pub use shuttle::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize};
    pub use shuttle::sync::{Condvar, Mutex, MutexGuard};
    #[cfg(feature = "host")]
    pub use shuttle::thread::{JoinHandle, spawn};
    use std::sync::Arc;

    use super::lock;

    /// Whether a thread has ended: the scheduler does not say, so somebody waits for it.
    #[cfg(feature = "host")]
    pub fn is_finished(_: &JoinHandle<()>) -> bool {
        false
    }

    /// A pointer that is switched at once: `arc_swap` is not one that a scheduler can follow.
    #[derive(Debug)]
    pub struct ArcSwap<T>(Mutex<Arc<T>>);

    impl<T> ArcSwap<T> {
        /// Points at this.
        pub fn new(value: Arc<T>) -> Self {
            Self(Mutex::new(value))
        }

        /// Points at a new one.
        pub fn from_pointee(value: T) -> Self {
            Self::new(Arc::new(value))
        }

        /// What it points at.
        pub fn load(&self) -> Arc<T> {
            self.load_full()
        }

        /// What it points at.
        pub fn load_full(&self) -> Arc<T> {
            Arc::clone(&lock(&self.0))
        }

        /// Has it point at something else.
        pub fn store(&self, value: Arc<T>) {
            // What it pointed at may be the last of its kind, and ends without the lock.
            let before = std::mem::replace(&mut *lock(&self.0), value);
            drop(before);
        }
    }
}

#[cfg(not(feature = "shuttle"))]
pub use real::*;
#[cfg(feature = "shuttle")]
pub use scheduled::*;

pub use std::sync::atomic::Ordering;

/// Takes a lock whose data stays sound even when a panic unwound while it was held.
pub fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
