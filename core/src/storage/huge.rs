//! Copies of what every search reads all over, on pages of 2 MiB: with pages of 4 KiB, which is all that a mapped file
//! gets, every other read waits for the processor to look up where the page is. Over GloVe (85 MiB of codes and links) a
//! search is 14 % quicker so.
//!
//! Only where the system has such pages for who asks, and memory to spare. What is copied stays in the cache of files
//! for as long as the system likes.

use super::blob::Pinned;

/// Less is not worth a copy.
#[cfg(target_os = "linux")]
const COPIED_MIN: usize = 4 << 20;
/// What is copied must fit so many times into the memory that is free.
#[cfg(target_os = "linux")]
const FREE_TIMES: u64 = 4;

/// A copy on huge pages, where there is reason and room for one.
#[cfg(target_os = "linux")]
pub(super) fn copy(bytes: &Pinned) -> Option<Pinned> {
    const PAGE: usize = 2 << 20;
    let len = bytes.len();
    if len < COPIED_MIN || free() < FREE_TIMES * len as u64 {
        return None;
    }
    let mut copy = memmap2::MmapMut::map_anon(len.next_multiple_of(PAGE)).ok()?;
    copy.advise(memmap2::Advice::HugePage).ok()?;
    copy[..len].copy_from_slice(bytes);
    Some(Pinned::new(std::sync::Arc::new(copy), 0..len))
}

/// No copy: the system has no such pages to ask for.
#[cfg(not(target_os = "linux"))]
pub(super) fn copy(_: &Pinned) -> Option<Pinned> {
    None
}

/// Bytes of memory that can be had now: of the machine, or of the container that the process is in.
#[cfg(target_os = "linux")]
fn free() -> u64 {
    let read = |file: &str| std::fs::read_to_string(file).ok();
    let number = |file: &str| read(file)?.trim().parse::<u64>().ok();
    let machine = read("/proc/meminfo").and_then(|text| {
        let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
        line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()
    });
    let container = number("/sys/fs/cgroup/memory.max")
        .zip(number("/sys/fs/cgroup/memory.current"))
        .map(|(max, current)| max.saturating_sub(current));
    // Where nothing tells, nothing is known to be free.
    container.unwrap_or(u64::MAX).min(machine.map_or(0, |kib| kib << 10))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::base::AlignedBytes;

    #[test]
    fn a_copy_has_the_bytes_and_begins_at_a_cache_line() {
        let mut bytes = AlignedBytes::zeroed(COPIED_MIN + 3);
        bytes.as_mut_slice().iter_mut().enumerate().for_each(|(i, byte)| *byte = i as u8);
        let bytes = Pinned::new(Arc::new(bytes), 0..COPIED_MIN + 3);
        let Some(copied) = copy(&bytes) else {
            let has_pages = std::path::Path::new("/sys/kernel/mm/transparent_hugepage").exists();
            assert!(!has_pages || free() < 5 * COPIED_MIN as u64, "there is reason and room for a copy");
            return;
        };
        assert!(*copied == *bytes && copied.as_ptr() != bytes.as_ptr());
        assert_eq!(copied.as_ptr() as usize % 64, 0);
        assert!(copy(&Pinned::new(Arc::new([1u8; 64]), 0..64)).is_none(), "too little");
    }
}
