//! What the process that serves has of the system, as far as the system tells.

use serde::Serialize;

/// `None` where the system does not tell.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct ProcessFigures {
    /// Bytes of it that are in memory.
    pub resident_bytes: Option<u64>,
    /// The most that ever were.
    pub resident_most_bytes: Option<u64>,
    /// Those of them that lie in files: the program, and what is mapped of the database.
    pub mapped_bytes: Option<u64>,
    /// Those that were put out of memory.
    pub swapped_bytes: Option<u64>,
    /// Threads.
    pub threads: Option<u64>,
    /// Open files and connections.
    pub descriptors: Option<u64>,
    /// So many of these there may be.
    pub descriptors_max: Option<u64>,
}

impl ProcessFigures {
    /// As it is now.
    pub fn now() -> Self {
        let told = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        Self { descriptors: descriptors(), descriptors_max: descriptors_max(), ..Self::of_status(&told) }
    }

    /// As Linux tells it.
    fn of_status(status: &str) -> Self {
        let number = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
            let mut words = line.split_ascii_whitespace();
            let count: u64 = words.next()?.parse().ok()?;
            Some(if words.next() == Some("kB") { count << 10 } else { count })
        };
        Self {
            resident_bytes: number("VmRSS"),
            resident_most_bytes: number("VmHWM"),
            mapped_bytes: number("RssFile"),
            swapped_bytes: number("VmSwap"),
            threads: number("Threads"),
            ..Self::default()
        }
    }
}

/// Linux lists them in one place, macOS in the other. The list is open while it is read, and counts itself.
fn descriptors() -> Option<u64> {
    let list = ["/proc/self/fd", "/dev/fd"].iter().find_map(|place| std::fs::read_dir(place).ok())?;
    Some((list.count() as u64).saturating_sub(1))
}

#[cfg(unix)]
fn descriptors_max() -> Option<u64> {
    rustix::process::getrlimit(rustix::process::Resource::Nofile).current
}

#[cfg(not(unix))]
fn descriptors_max() -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_linux_tells_is_read_as_bytes() {
        let told = "Name:\tkithdb\nVmHWM:\t    20 kB\nVmRSS:\t    16 kB\nRssFile:\t  4 kB\nThreads:\t7\n";
        let figures = ProcessFigures::of_status(told);
        assert_eq!((figures.resident_bytes, figures.resident_most_bytes), (Some(16 << 10), Some(20 << 10)));
        assert_eq!((figures.mapped_bytes, figures.threads), (Some(4 << 10), Some(7)));
        assert_eq!(figures.swapped_bytes, None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn all_of_it_is_told_on_linux() {
        let held: Vec<_> = (0..100).map(|_| std::fs::File::open("/proc/self/status")).collect();
        let now = ProcessFigures::now();
        assert!(now.resident_most_bytes >= now.resident_bytes && now.resident_bytes > now.mapped_bytes);
        assert!(now.threads > Some(0) && now.swapped_bytes.is_some(), "{now:?}");
        assert!(
            now.descriptors >= Some(held.len() as u64) && now.descriptors <= now.descriptors_max,
            "{now:?}"
        );
    }
}
