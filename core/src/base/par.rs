//! Data parallelism whose result does not depend on how many threads do it.

/// Into so many pieces for each thread a map is cut: who is done first takes one from the others. Cut in halves alone, as rayon
/// does, the last piece of a batch of inserts was a quarter of it, for which all other threads waited.
#[cfg(feature = "parallel")]
const PIECES: usize = 64;

/// Pieces of less are not asked for: each makes a state.
#[cfg(feature = "parallel")]
const PIECE_LEAST: usize = 16;

/// A bounded pool of threads, or the calling thread alone.
///
/// Everything here is a map with its results in the order of its inputs: the same for any number of threads.
#[derive(Debug, Default)]
pub struct Pool {
    #[cfg(feature = "parallel")]
    threads: Threads,
}

#[cfg(feature = "parallel")]
#[derive(Debug, Default)]
enum Threads {
    #[default]
    Caller,
    Own(rayon::ThreadPool),
    Global,
}

impl Pool {
    /// The calling thread alone.
    #[must_use]
    pub fn single() -> Self {
        Self::default()
    }

    /// Up to `threads` threads. Where threads cannot be had, the calling thread alone.
    #[must_use]
    pub fn new(threads: usize) -> Self {
        #[cfg(feature = "parallel")]
        if threads > 1 {
            let name = |i| format!("kithdb-{i}");
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).thread_name(name).build();
            return Self { threads: pool.map_or(Threads::Caller, Threads::Own) };
        }
        let _ = threads;
        Self::single()
    }

    /// The threads that the host has given to the whole process: where threads can only be had from outside, as in a
    /// browser.
    #[cfg(feature = "parallel")]
    #[must_use]
    pub fn global() -> Self {
        Self { threads: Threads::Global }
    }

    /// How many threads work at once.
    #[must_use]
    pub fn threads(&self) -> usize {
        #[cfg(feature = "parallel")]
        match &self.threads {
            Threads::Caller => {}
            Threads::Own(pool) => return pool.current_num_threads(),
            Threads::Global => return rayon::current_num_threads(),
        }
        1
    }

    /// Does `f` on one of the threads: its maps begin there at once, where the calling thread would wake one for each and wait
    /// for it.
    pub fn within<T: Send>(&self, f: impl FnOnce() -> T + Send) -> T {
        #[cfg(feature = "parallel")]
        match &self.threads {
            Threads::Caller => {}
            Threads::Own(pool) => return pool.install(f),
            Threads::Global => return rayon::scope(|_| f()),
        }
        f()
    }

    /// `f(0), f(1) ... f(n - 1)`, with a state that `f` may use as scratch, made for each piece that a thread takes.
    pub fn map_with<S, T, N, F>(&self, n: usize, scratch: N, f: F) -> Vec<T>
    where
        T: Send,
        N: Fn() -> S + Sync + Send,
        F: Fn(&mut S, usize) -> T + Sync + Send,
    {
        #[cfg(feature = "parallel")]
        {
            use rayon::prelude::*;
            let spread = || {
                let longest = (n / (rayon::current_num_threads() * PIECES)).max(PIECE_LEAST);
                (0..n).into_par_iter().with_max_len(longest).map_init(&scratch, |s, i| f(s, i)).collect()
            };
            match &self.threads {
                Threads::Caller => {}
                Threads::Own(pool) => return pool.install(spread),
                Threads::Global => return spread(),
            }
        }
        let mut state = scratch();
        (0..n).map(|i| f(&mut state, i)).collect()
    }

    /// `f(0), f(1) ... f(n - 1)`.
    pub fn map<T: Send>(&self, n: usize, f: impl Fn(usize) -> T + Sync + Send) -> Vec<T> {
        self.map_with(n, || (), |(), i| f(i))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_done_within_answers_as_outside_for_several_callers_at_once() {
        for threads in [1, 2, 3] {
            let pool = Pool::new(threads);
            let squares = |from: usize| pool.map(100, move |i| (from + i) * (from + i));
            let nested = |from| pool.within(|| pool.within(|| (squares(from), squares(from + 1))));
            std::thread::scope(|scope| {
                let callers: Vec<_> = (0..4).map(|from| scope.spawn(move || (from, nested(from)))).collect();
                for caller in callers {
                    let (from, found) = caller.join().expect("no caller panics");
                    assert_eq!(found, (squares(from), squares(from + 1)), "{threads} threads");
                }
            });
        }
    }

    #[test]
    fn a_panic_within_reaches_the_caller_and_leaves_the_pool_as_it_was() {
        let pool = Pool::new(2);
        let panics = || pool.within(|| assert!(pool.map(9, |i| i).is_empty(), "as it is meant"));
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(panics)).is_err());
        assert_eq!(pool.within(|| pool.map(3, |i| i)), [0, 1, 2]);
    }
}
