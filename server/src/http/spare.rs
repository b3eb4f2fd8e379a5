//! The memory that bodies are collected in: one piece of it is used again and again.
//!
//! New memory of that size costs a page fault for every 4 KiB of it, and is given back at once: a fifth of all the time that
//! a batch of documents takes as JSON. There is one such piece, however many connections there are, and one body has it at a
//! time: who sends little and slowly cannot collect more of it than it has bytes.

use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::body::Bytes;

/// So many bytes are kept at most; what a larger body took beyond them is given back.
const KEPT_BYTES_MAX: usize = 4 << 20;

/// That of the bodies of requests.
pub static BODIES: Spare = Spare::new();

/// Memory that is here while nobody has it.
pub struct Spare(Mutex<Option<Vec<u8>>>);

impl Spare {
    const fn new() -> Self {
        Self(Mutex::new(Some(Vec::new())))
    }

    /// An empty buffer with room for some bytes: the memory that is used again, if nobody has it.
    pub fn buffer(&'static self, bytes: usize) -> Buffer {
        let (mut collected, lender) = match self.kept().take() {
            Some(kept) => (kept, Some(self)),
            None => (Vec::new(), None),
        };
        collected.reserve(bytes);
        Buffer { collected, lender }
    }

    fn kept(&self) -> MutexGuard<'_, Option<Vec<u8>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is collected of a body. Its memory goes back once nobody reads it any more, also when the body ends early.
pub struct Buffer {
    collected: Vec<u8>,
    lender: Option<&'static Spare>,
}

impl Buffer {
    /// Appends a piece.
    pub fn extend(&mut self, piece: &[u8]) {
        self.collected.extend_from_slice(piece);
    }

    /// All of it.
    pub fn into_bytes(self) -> Bytes {
        Bytes::from_owner(self)
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        &self.collected
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if let Some(lender) = self.lender {
            self.collected.clear();
            self.collected.shrink_to(KEPT_BYTES_MAX);
            *lender.kept() = Some(std::mem::take(&mut self.collected));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn collect(spare: &'static Spare, bytes: usize) -> Bytes {
        let mut buffer = spare.buffer(0);
        buffer.extend(&vec![1; bytes]);
        buffer.into_bytes()
    }

    fn capacity(spare: &Spare) -> Option<usize> {
        spare.kept().as_ref().map(Vec::capacity)
    }

    #[test]
    fn memory_is_used_again_once_nobody_reads_it() {
        static SPARE: Spare = Spare::new();
        let mut buffer = SPARE.buffer(100);
        buffer.extend(b"abc");
        let place = buffer.as_ref().as_ptr();
        let whole = buffer.into_bytes();
        let part = whole.slice(1..);
        drop(whole);
        assert_eq!(capacity(&SPARE), None, "a part of it is read");
        assert_eq!(part, "bc");
        drop(part);
        let mut again = SPARE.buffer(10);
        assert_eq!(again.as_ref(), b"", "nothing of the last body is in it");
        again.extend(b"d");
        assert_eq!(again.as_ref().as_ptr(), place);
        // A body that ends early gives it back, too.
        drop(again);
        assert!(capacity(&SPARE).is_some_and(|kept| kept >= 100));
    }

    #[test]
    fn one_body_has_it_at_a_time_and_it_does_not_grow_beyond_a_bound() {
        // One large body after the other, each followed by a small one that did not end, each took as much as the large one had.
        static SPARE: Spare = Spare::new();
        drop(collect(&SPARE, 3 * KEPT_BYTES_MAX));
        assert_eq!(capacity(&SPARE), Some(KEPT_BYTES_MAX));
        let small = SPARE.buffer(1);
        drop(collect(&SPARE, KEPT_BYTES_MAX));
        let other = SPARE.buffer(1);
        assert!(other.lender.is_none() && other.collected.capacity() < 100);
        drop((small, other));
        assert_eq!(capacity(&SPARE), Some(KEPT_BYTES_MAX));
    }
}
