//! How much memory there is to be used: that of the machine, or of the container or unit that the process is in.

use std::path::Path;

/// Where control groups are mounted: version 2, and the memory controller of version 1, with the name of the limit.
const MOUNTS: [(&str, &str); 2] =
    [("/sys/fs/cgroup", "memory.max"), ("/sys/fs/cgroup/memory", "memory.limit_in_bytes")];

/// Bytes of memory that this process can have; as many as there are numbers where nothing tells.
pub(crate) fn memory() -> u64 {
    let machine = read("/proc/meminfo").and_then(|text| kib_of(&text, "MemTotal:")).unwrap_or(u64::MAX);
    let groups = read("/proc/self/cgroup").unwrap_or_default();
    let limits = MOUNTS.iter().zip(group_paths(&groups)).flat_map(|((mount, name), group)| {
        // Any group above may have a limit too; in a container the own path may not be there, and its top has it.
        let above = Path::new(&group).ancestors().map(|part| part.to_string_lossy().into_owned());
        let files: Vec<_> = above.map(|part| format!("{mount}{part}/{name}")).collect();
        files.into_iter().filter_map(|file| read(&file)?.trim().parse().ok())
    });
    limits.fold(machine, u64::min)
}

/// Bytes of the machine's memory that can be had now; none where nothing tells.
pub(super) fn free() -> u64 {
    read("/proc/meminfo").and_then(|text| kib_of(&text, "MemAvailable:")).unwrap_or(0)
}

fn read(file: &str) -> Option<String> {
    std::fs::read_to_string(file).ok()
}

/// The paths of the process's groups of version 2 and of the memory controller of version 1, as `/proc/self/cgroup` tells.
fn group_paths(groups: &str) -> [String; 2] {
    let path = |is_it: &dyn Fn(&str) -> bool| {
        let fields = groups.lines().filter_map(|line| line.split_once(':')?.1.split_once(':'));
        fields
            .into_iter()
            .find(|(controllers, _)| is_it(controllers))
            .map_or("/", |(_, path)| path)
            .to_owned()
    };
    [path(&str::is_empty), path(&|controllers| controllers.split(',').any(|name| name == "memory"))]
}

/// Bytes that a line of `/proc/meminfo` tells, which it does in KiB.
fn kib_of(meminfo: &str, name: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix(name))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib << 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_tells_is_read() {
        let meminfo = "Hugepages: 1\nMemTotal:       16384 kB\nMemFree: 3 kB\n";
        assert_eq!(kib_of(meminfo, "MemTotal:"), Some(16 << 20));
        assert_eq!(kib_of("MemTotal: many", "MemTotal:"), None);
        assert!(memory() > 0);
    }

    /// A unit of systemd has its limit at its own path, below where a container has it.
    #[test]
    fn the_own_group_is_found() {
        let second = "0::/system.slice/kithdb.service\n";
        assert_eq!(group_paths(second), ["/system.slice/kithdb.service", "/"]);
        let first = "5:cpu,cpuacct:/x\n4:memory:/docker/abc\n";
        assert_eq!(group_paths(first), ["/", "/docker/abc"]);
    }
}
