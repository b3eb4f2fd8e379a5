//! How many connections the files leave room for that a process may have open. Where connections took all of them, the
//! next log could not be opened, and its collection would take no more writes.

use crate::http::Limits;

/// Files that are kept for the database: its logs, of which it holds up to 256 open, the files of writes and jobs at work
/// beyond them, and what the process has open anyway.
const KEPT: u64 = 512;
/// So many connections are taken even where that leaves less.
const CONNECTIONS_LEAST: usize = 16;

/// The limits to serve with. Raises the soft limit of open files to the hard one, and takes fewer connections where that
/// is too low for all of them, which is said on stderr.
pub fn within(mut limits: Limits) -> Limits {
    if let Some(files) = raised()
        && let connections = connections_within(files)
        && connections < limits.connections
    {
        eprintln!(
            "kithdb: warning: this process may have {files} files open, so at most {connections} connections are taken \
             at once, not {}; raise its limit of open files (ulimit -n, LimitNOFILE=) to {} for all of them",
            limits.connections,
            limits.connections as u64 + KEPT
        );
        limits.connections = connections;
    }
    limits
}

/// How many connections there is room for beside the files that are kept.
fn connections_within(files: u64) -> usize {
    usize::try_from(files.saturating_sub(KEPT)).unwrap_or(usize::MAX).max(CONNECTIONS_LEAST)
}

/// How many files may be open, once the soft limit is raised as far as it goes; `None` for no limit.
#[cfg(unix)]
fn raised() -> Option<u64> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current == maximum || setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).is_ok() {
        return maximum;
    }
    // Some systems take less than they tell.
    current
}

/// Sockets are no files here.
#[cfg(not(unix))]
fn raised() -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_room_for_logs() {
        // On a machine that lets a process have 1,024 files open, clients that connect and do nothing take half of them;
        // the other half is left for logs. Where there is room for all connections, all are taken.
        assert_eq!(connections_within(1_024), 512);
        assert_eq!(connections_within(20_000), 19_488);
        assert_eq!(
            connections_within(Limits::default().connections as u64 + KEPT),
            Limits::default().connections
        );
        for few in [0, 64, KEPT, KEPT + 1] {
            assert_eq!(connections_within(few), CONNECTIONS_LEAST, "{few}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn as_many_files_as_may_be_are_asked_for() {
        // The soft limit is what counts when a log is opened: it is the hard one from the start on, or what is told.
        let told = within(Limits::default()).connections;
        let now = rustix::process::getrlimit(rustix::process::Resource::Nofile);
        assert_eq!(raised(), now.current);
        let room = now.current.map_or(usize::MAX, connections_within);
        assert_eq!(told, room.min(Limits::default().connections));
    }
}
