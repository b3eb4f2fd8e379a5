//! The memory that bodies are collected in, one piece of which is kept for the next body.
//!
//! New memory of that size costs a page fault for every 4 KiB of it, and is given back at once: a fifth of all the time that
//! a batch of documents takes as JSON. What is kept is bounded, and there is one of it, however many connections there are.

use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::body::Bytes;

/// So many bytes are kept at most; what a larger body took beyond them is given back.
const KEPT_BYTES_MAX: usize = 4 << 20;

/// That of the bodies of requests.
pub static BODIES: Spare = Spare(Mutex::new(Vec::new()));

/// Memory that is kept while nobody uses it; empty while somebody does.
pub struct Spare(Mutex<Vec<u8>>);

impl Spare {
    /// An empty buffer with room for some bytes: what is kept, if nobody has it.
    pub fn buffer(&self, bytes: usize) -> Vec<u8> {
        let mut buffer = std::mem::take(&mut *self.kept());
        buffer.reserve(bytes);
        buffer
    }

    /// What was collected in a buffer, which is kept once nobody reads it any more.
    pub fn collected(&'static self, buffer: Vec<u8>) -> Bytes {
        Bytes::from_owner(Collected { buffer, spare: self })
    }

    fn kept(&self) -> MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Collected {
    buffer: Vec<u8>,
    spare: &'static Spare,
}

impl AsRef<[u8]> for Collected {
    fn as_ref(&self) -> &[u8] {
        &self.buffer
    }
}

impl Drop for Collected {
    fn drop(&mut self) {
        self.buffer.clear();
        self.buffer.shrink_to(KEPT_BYTES_MAX);
        let mut kept = self.spare.kept();
        if kept.capacity() < self.buffer.capacity() {
            std::mem::swap(&mut *kept, &mut self.buffer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_used_again_once_nobody_reads_it() {
        static SPARE: Spare = Spare(Mutex::new(Vec::new()));
        let mut buffer = SPARE.buffer(100);
        buffer.extend_from_slice(b"abc");
        let place = buffer.as_ptr();
        let whole = SPARE.collected(buffer);
        let part = whole.slice(1..);
        drop(whole);
        assert_eq!(SPARE.kept().capacity(), 0, "a part of it is read");
        assert_eq!(part, "bc");
        drop(part);
        let again = SPARE.buffer(10);
        assert_eq!((again.as_ptr(), again.len()), (place, 0));
    }

    #[test]
    fn the_largest_is_kept_up_to_a_bound() {
        static SPARE: Spare = Spare(Mutex::new(Vec::new()));
        let collect = |bytes: usize| SPARE.collected(vec![1; bytes]);
        for (bytes, kept) in [(10, 10), (1_000, 1_000), (100, 1_000), (3 * KEPT_BYTES_MAX, KEPT_BYTES_MAX)] {
            drop(collect(bytes));
            assert_eq!(SPARE.kept().capacity(), kept, "after {bytes}");
        }
        let both = (collect(10), collect(20));
        drop(both);
        assert_eq!(SPARE.kept().capacity(), KEPT_BYTES_MAX);
    }
}
