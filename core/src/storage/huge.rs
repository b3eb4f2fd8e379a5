//! Copies of what every search reads all over, on pages of 2 MiB: with pages of 4 KiB, which is all that a mapped file
//! gets, every other read waits for the processor to look up where the page is. Over GloVe (85 MiB of codes and links) a
//! search is 14 % quicker so.
//!
//! Only where the system gives such pages to who asks, for up to a quarter of the memory that the process can have, and
//! while twice as much is free. What is copied stays in the cache of files for as long as the system likes.

use super::blob::Pinned;

#[cfg(target_os = "linux")]
pub(crate) use linux::copied;
/// A copy on huge pages, where there is reason and room for one; and the bytes of all copies, of all databases.
#[cfg(target_os = "linux")]
pub(super) use linux::copy;

/// There are no copies.
#[cfg(not(target_os = "linux"))]
pub(crate) fn copied() -> u64 {
    0
}

/// No copy: the system has no such pages to ask for.
#[cfg(not(target_os = "linux"))]
pub(super) fn copy(_: &Pinned) -> Option<Pinned> {
    None
}

#[cfg(target_os = "linux")]
mod linux {
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::sync::{Arc, Mutex, PoisonError};

    use memmap2::{Advice, MmapMut};

    use super::super::machine;
    use super::Pinned;

    const PAGE: usize = 2 << 20;
    /// Less is not worth a copy.
    const COPIED_MIN: usize = 4 << 20;
    /// All copies together are at most this part of the memory that the process can have.
    const COPIED_PART: u64 = 4;

    /// Bytes of all copies.
    static COPIED: AtomicU64 = AtomicU64::new(0);
    /// Held while one is made, so that copies see each other.
    static COPYING: Mutex<()> = Mutex::new(());

    #[derive(Debug)]
    struct Copy {
        pages: MmapMut,
        len: usize,
    }

    impl AsRef<[u8]> for Copy {
        fn as_ref(&self) -> &[u8] {
            &self.pages[..self.len]
        }
    }

    impl Drop for Copy {
        fn drop(&mut self) {
            COPIED.fetch_sub(self.pages.len() as u64, Ordering::Relaxed);
        }
    }

    pub(crate) fn copied() -> u64 {
        COPIED.load(Ordering::Relaxed)
    }

    pub(in super::super) fn copy(bytes: &Pinned) -> Option<Pinned> {
        let (len, room) = (bytes.len(), bytes.len().next_multiple_of(PAGE));
        if len < COPIED_MIN || !is_given() {
            return None;
        }
        let _one_at_a_time = COPYING.lock().unwrap_or_else(PoisonError::into_inner);
        if copied() + room as u64 > machine::memory() / COPIED_PART || machine::free() < 2 * room as u64 {
            return None;
        }
        let mut pages = MmapMut::map_anon(room).ok()?;
        pages.advise(Advice::HugePage).ok()?;
        pages[..len].copy_from_slice(bytes);
        COPIED.fetch_add(room as u64, Ordering::Relaxed);
        Some(Pinned::new(Arc::new(Copy { pages, len }), 0..len))
    }

    /// Whether the system gives huge pages to who asks: it says `[always]`, `[madvise]` or `[never]`.
    fn is_given() -> bool {
        let told = std::fs::read_to_string("/sys/kernel/mm/transparent_hugepage/enabled");
        told.is_ok_and(|told| told.contains("[always]") || told.contains("[madvise]"))
    }

    #[cfg(test)]
    mod tests {
        use super::*;
        use crate::base::AlignedBytes;

        #[test]
        fn a_copy_has_the_bytes_begins_at_a_cache_line_and_is_counted_while_it_lives() {
            let mut bytes = AlignedBytes::zeroed(COPIED_MIN + 3);
            bytes.as_mut_slice().iter_mut().enumerate().for_each(|(i, byte)| *byte = i as u8);
            let bytes = Pinned::new(Arc::new(bytes), 0..COPIED_MIN + 3);
            assert!(copy(&Pinned::new(Arc::new([1u8; 64]), 0..64)).is_none(), "too little");
            let Some(copy) = copy(&bytes) else {
                let room = 4 * (COPIED_MIN + PAGE) as u64;
                assert!(!is_given() || machine::free() < room || machine::memory() < room, "room for a copy");
                return;
            };
            assert!(*copy == *bytes && copy.as_ptr() != bytes.as_ptr());
            assert_eq!((copy.as_ptr() as usize % 64, copied()), (0, (COPIED_MIN + PAGE) as u64));
            drop(copy);
            assert_eq!(copied(), 0);
        }
    }
}
