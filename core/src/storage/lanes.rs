//! What is queued for a storage in a directory, and what became of each ticket.
//!
//! Two lanes, each worked on in its order by one thread at a time: the *log* lane (logs and their syncs), and the
//! *blob* lane (blobs, flips, removals). A large blob keeps no write to the log waiting; a flip waits for all that was
//! queued before it in either lane. This is bookkeeping only: `files` does the work.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::base::{AlignedBytes, Lsn, StorageError};

use super::{BlobId, Level, Object, Progress, Ticket};

/// Work on logs.
#[derive(Debug)]
pub(super) enum LogWork {
    Start { generation: u64, header: Vec<u8> },
    Append { generation: u64, frames: Vec<u8>, last: Lsn, level: Level },
    SetAside { generation: u64, from: u64 },
    Sync,
}

/// Work on everything else.
#[derive(Debug)]
pub(super) enum BlobWork {
    Put { id: BlobId, bytes: Arc<AlignedBytes> },
    Flip { generation: u64, manifest: Vec<u8> },
    Remove(Vec<Object>),
}

#[derive(Debug, Default)]
pub(super) struct Lanes {
    tickets: u64,
    log: VecDeque<(Ticket, LogWork)>,
    /// The first of the log work that is being done.
    log_first: Option<Ticket>,
    blobs: VecDeque<(Ticket, BlobWork)>,
    blob: Option<Ticket>,
    refused: VecDeque<(Ticket, StorageError)>,
    failed: Option<StorageError>,
}

/// So many refused tickets are remembered: more than one job queues, and only one runs at a time.
const REFUSED_MAX: usize = 32;

impl Lanes {
    fn ticket(&mut self) -> Ticket {
        self.tickets += 1;
        Ticket(self.tickets)
    }

    pub(super) fn queue_log(&mut self, work: LogWork) -> Ticket {
        let ticket = self.ticket();
        self.log.push_back((ticket, work));
        ticket
    }

    pub(super) fn queue_blob(&mut self, work: BlobWork) -> Ticket {
        let ticket = self.ticket();
        self.blobs.push_back((ticket, work));
        ticket
    }

    /// All queued work on logs; nothing once something failed.
    pub(super) fn take_log(&mut self) -> VecDeque<(Ticket, LogWork)> {
        if self.failed.is_some() {
            return VecDeque::new();
        }
        let group = std::mem::take(&mut self.log);
        self.log_first = group.front().map(|(ticket, _)| *ticket);
        group
    }

    /// What was taken is done, or all but the work from a ticket on.
    pub(super) fn end_log(&mut self, outcome: Result<(), (Ticket, StorageError)>) {
        match outcome {
            Ok(()) => self.log_first = None,
            Err((first, cause)) => {
                self.log_first = Some(first);
                self.fail(cause);
            }
        }
    }

    /// The next work on blobs; nothing once something failed.
    pub(super) fn take_blob(&mut self) -> Option<(Ticket, BlobWork)> {
        if self.failed.is_some() {
            return None;
        }
        let next = self.blobs.pop_front()?;
        self.blob = Some(next.0);
        Some(next)
    }

    /// What was taken is done. On a full disk all up to the next flip is refused, and the storage goes on.
    pub(super) fn end_blob(&mut self, outcome: Result<(), StorageError>, was_flip: bool) {
        match outcome {
            Ok(()) => self.blob = None,
            Err(cause @ StorageError::DiskFull { .. }) if self.failed.is_none() => {
                let mut ended = was_flip;
                self.refused.extend(self.blob.take().map(|ticket| (ticket, cause.clone())));
                while !ended && let Some((ticket, work)) = self.blobs.pop_front() {
                    ended = matches!(work, BlobWork::Flip { .. });
                    self.refused.push_back((ticket, cause.clone()));
                }
                // What was to be removed once that flip was done is still needed.
                while matches!(self.blobs.front(), Some((_, BlobWork::Remove(_)))) {
                    let removal = self.blobs.pop_front().map(|(ticket, _)| (ticket, cause.clone()));
                    self.refused.extend(removal);
                }
                let surplus = self.refused.len().saturating_sub(REFUSED_MAX);
                self.refused.drain(..surplus);
            }
            Err(cause) => self.fail(cause),
        }
    }

    /// Nothing more is begun. The first cause stays, but for a full disk: one may go on after that, and never after
    /// anything else.
    pub(super) fn fail(&mut self, cause: StorageError) {
        if !matches!(cause, StorageError::DiskFull { .. }) && self.is_full() {
            self.failed = None;
        }
        self.halt(cause);
    }

    /// Nothing more is begun, for a reason that is no failure; one that there is stays.
    pub(super) fn halt(&mut self, cause: StorageError) {
        self.failed.get_or_insert(cause);
    }

    fn is_full(&self) -> bool {
        matches!(self.failed, Some(StorageError::DiskFull { .. }))
    }

    pub(super) fn progress(&self) -> Progress {
        let queued = self.log.front().map(|(ticket, _)| *ticket);
        // What was queued after a failure is never taken, so it is never kept either.
        let undone = self.log_first.or(queued).map_or(self.tickets, |ticket| ticket.0 - 1);
        let blobs = self.blob.into_iter().chain(self.blobs.iter().map(|(ticket, _)| *ticket));
        let pending = blobs.filter(|ticket| ticket.0 <= undone).collect();
        let refused = self.refused.iter().cloned().collect();
        Progress { kept: Ticket(undone), pending, refused, failed: self.failed.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sync(lanes: &mut Lanes) -> Ticket {
        lanes.queue_log(LogWork::Sync)
    }

    fn remove(lanes: &mut Lanes) -> Ticket {
        lanes.queue_blob(BlobWork::Remove(Vec::new()))
    }

    fn broken() -> StorageError {
        StorageError::Io { action: "write", object: "it".into(), cause: "broken".into() }
    }

    #[test]
    fn a_log_ticket_is_kept_while_a_blob_ticket_before_it_is_pending() {
        let mut lanes = Lanes::default();
        let (first, blob, second) = (sync(&mut lanes), remove(&mut lanes), sync(&mut lanes));
        assert_eq!(lanes.progress().of(first), None);
        assert_eq!(lanes.take_log().len(), 2);
        lanes.end_log(Ok(()));
        assert_eq!((lanes.progress().of(first), lanes.progress().of(second)), (Some(Ok(())), Some(Ok(()))));
        assert_eq!(lanes.progress().of(blob), None);
        assert_eq!(lanes.take_blob().expect("queued").0, blob);
        assert_eq!(lanes.progress().of(blob), None);
        lanes.end_blob(Ok(()), false);
        assert_eq!(lanes.progress().of(blob), Some(Ok(())));
    }

    #[test]
    fn nothing_queued_behind_a_failure_in_either_lane_is_ever_kept() {
        for log_fails in [true, false] {
            let mut lanes = Lanes::default();
            let (kept, failing) = (sync(&mut lanes), sync(&mut lanes));
            let blob = remove(&mut lanes);
            if log_fails {
                lanes.take_log();
                lanes.end_log(Err((failing, broken())));
            } else {
                lanes.take_log();
                lanes.end_log(Ok(()));
                lanes.take_blob();
                lanes.end_blob(Err(broken()), false);
            }
            let later = [sync(&mut lanes), remove(&mut lanes)];
            assert!(lanes.take_log().is_empty() && lanes.take_blob().is_none());
            let progress = lanes.progress();
            assert_eq!(progress.of(kept), Some(Ok(())));
            assert_eq!(progress.of(failing).expect("settled").is_err(), log_fails);
            for ticket in [blob, later[0], later[1]] {
                assert_eq!(progress.of(ticket), Some(Err(broken())), "{ticket:?} of {progress:?}");
            }
        }
    }
}
