//! How much memory there is to be used: that of the machine, or of the container that the process is in.

/// Bytes of memory that this process can have; as many as there are numbers where nothing tells.
pub(super) fn available() -> u64 {
    let machine = read("/proc/meminfo").and_then(|text| total_of(&text)).unwrap_or(u64::MAX);
    let container = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"]
        .into_iter()
        .filter_map(|file| read(file)?.trim().parse().ok());
    container.fold(machine, u64::min)
}

fn read(file: &str) -> Option<String> {
    std::fs::read_to_string(file).ok()
}

/// The total that `/proc/meminfo` tells, which it does in KiB.
fn total_of(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib << 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_is_read() {
        let meminfo = "Hugepages: 1\nMemTotal:       16384 kB\nMemFree: 3 kB\n";
        assert_eq!(total_of(meminfo), Some(16 << 20));
        assert_eq!(total_of("MemTotal: many"), None);
        assert!(available() > 0);
    }
}
