//! A disk whose every write and flush is noted: one file behind FUSE, on which a loop device and a file system stand.
//!
//! A power cut keeps all that was written before the last flush that was done, and of what was written after it any
//! part, in sectors. The newest of several writes to a sector wins among those that are kept: a file system that wants
//! an order between them waits for a flush.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, UNIX_EPOCH};

use fuser::{
    BackgroundSession, Errno, FileAttr, FileHandle, FileType, Filesystem, FopenFlags, Generation, INodeNo,
    LockOwner, OpenFlags, ReplyAttr, ReplyData, ReplyEmpty, ReplyEntry, ReplyOpen, ReplyWrite, Request,
    WriteFlags,
};
use kithdb::base::Rng;

/// What a disk writes whole or not at all.
const SECTOR: usize = 512;
const NAME: &str = "disk.img";
const FILE: INodeNo = INodeNo(2);
/// The kernel may ask once and for all: nobody else changes anything.
const FOREVER: Duration = Duration::from_secs(1 << 20);

/// What the disk was asked to do.
#[derive(Debug)]
enum Act {
    Write { offset: usize, bytes: Box<[u8]> },
    Flush,
}

#[derive(Debug)]
struct Entry {
    at: Instant,
    act: Act,
}

#[derive(Debug, Default)]
struct State {
    bytes: Vec<u8>,
    log: Vec<Entry>,
}

type Shared = Arc<Mutex<State>>;

fn locked(shared: &Shared) -> MutexGuard<'_, State> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A disk that is served.
#[derive(Debug)]
pub struct BlockDisk {
    shared: Shared,
    start: Vec<u8>,
    session: Option<BackgroundSession>,
    directory: tempfile::TempDir,
}

impl BlockDisk {
    /// Serves a disk that holds these bytes.
    ///
    /// # Errors
    /// As the system says: no FUSE, or no right to mount.
    pub fn serve(image: &[u8]) -> io::Result<Self> {
        let shared = Shared::new(Mutex::new(State { bytes: image.to_vec(), log: Vec::new() }));
        let directory = tempfile::tempdir()?;
        let served = Served { shared: Arc::clone(&shared) };
        let session = fuser::spawn_mount(served, directory.path(), &fuser::Config::default())?;
        Ok(Self { shared, start: image.to_vec(), session: Some(session), directory })
    }

    /// The file that is the disk.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.directory.path().join(NAME)
    }

    /// How much it was asked to do so far.
    #[must_use]
    pub fn position(&self) -> usize {
        locked(&self.shared).log.len()
    }

    /// What it was asked to do until now. It goes on without noting.
    #[must_use]
    pub fn recorded(&mut self) -> Recording {
        let log = std::mem::take(&mut locked(&self.shared).log);
        Recording { start: std::mem::take(&mut self.start), log, end: Instant::now() }
    }
}

impl Drop for BlockDisk {
    fn drop(&mut self) {
        // A loop device lets go of its file a moment after it was unmounted.
        for _ in 0..100 {
            if unmount(self.directory.path(), &[]) {
                break;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        if let Some(session) = self.session.take() {
            drop(session.umount_and_join());
        }
    }
}

fn unmount(path: &Path, options: &[&str]) -> bool {
    let done = Command::new("umount").args(options).arg(path).stderr(Stdio::null()).status();
    done.is_ok_and(|status| status.success())
}

/// The life of a disk, to be cut off at any of its flushes.
#[derive(Debug)]
pub struct Recording {
    start: Vec<u8>,
    log: Vec<Entry>,
    end: Instant,
}

/// What becomes of the writes that no flush followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// All are lost.
    All,
    /// Each is kept or lost, in any order.
    Writes,
    /// Each of their sectors is kept or lost: torn writes.
    Sectors,
    /// Those after some moment are lost, and one is torn.
    Tail,
    /// None is lost.
    None,
}

/// All of them.
pub const LOSSES: [Loss; 5] = [Loss::All, Loss::Writes, Loss::Sectors, Loss::Tail, Loss::None];

/// Where power is cut: right before the flush that would have come next.
#[derive(Debug, Clone, Copy)]
pub struct PowerCut {
    /// So many entries are durable.
    pub durable: usize,
    /// So many entries had come.
    pub position: usize,
    /// When.
    pub at: Instant,
}

impl Recording {
    /// How many bytes were written.
    #[must_use]
    pub fn written(&self) -> usize {
        let len = |entry: &Entry| if let Act::Write { bytes, .. } = &entry.act { bytes.len() } else { 0 };
        self.log.iter().map(len).sum()
    }

    /// The cuts after this position, in their order: one before each flush, and one at the end.
    #[must_use]
    pub fn cuts(&self, from: usize) -> Vec<PowerCut> {
        let mut durable = 0;
        let mut cuts = Vec::new();
        for (position, entry) in self.log.iter().enumerate().filter(|(_, e)| matches!(e.act, Act::Flush)) {
            if position >= from {
                cuts.push(PowerCut { durable, position, at: entry.at });
            }
            durable = position + 1;
        }
        cuts.push(PowerCut { durable, position: self.log.len(), at: self.end });
        cuts
    }

    /// The disk as it is found after a power cut.
    #[must_use]
    pub fn after(&self, cut: PowerCut, loss: Loss, rng: &mut Rng) -> Vec<u8> {
        let mut image = self.start.clone();
        let writes = |range: std::ops::Range<usize>| {
            self.log[range].iter().filter_map(|entry| match &entry.act {
                Act::Write { offset, bytes } => Some((*offset, bytes)),
                Act::Flush => None,
            })
        };
        let mut write =
            |offset: usize, bytes: &[u8]| image[offset..offset + bytes.len()].copy_from_slice(bytes);
        for (offset, bytes) in writes(0..cut.durable) {
            write(offset, bytes);
        }
        let pending: Vec<_> = writes(cut.durable..cut.position).collect();
        let last = rng.below(pending.len() as u64 + 1) as usize;
        // Few, half or most of them.
        let share = 1 + rng.below(7);
        for (number, (offset, bytes)) in pending.into_iter().enumerate() {
            let is_torn = loss == Loss::Sectors || (loss == Loss::Tail && number == last);
            let is_kept = match loss {
                Loss::None | Loss::Sectors => true,
                Loss::Writes => rng.below(8) < share,
                Loss::Tail => number <= last,
                Loss::All => false,
            };
            for (at, sector) in bytes.chunks(SECTOR).enumerate().filter(|_| is_kept) {
                if !is_torn || rng.below(8) < share {
                    write(offset + at * SECTOR, sector);
                }
            }
        }
        image
    }
}

/// What the kernel asks.
struct Served {
    shared: Shared,
}

impl Served {
    fn attributes(&self, inode: INodeNo) -> FileAttr {
        let size = locked(&self.shared).bytes.len() as u64;
        let is_file = inode == FILE;
        FileAttr {
            ino: inode,
            size: if is_file { size } else { 0 },
            blocks: size / SECTOR as u64,
            atime: UNIX_EPOCH,
            mtime: UNIX_EPOCH,
            ctime: UNIX_EPOCH,
            crtime: UNIX_EPOCH,
            kind: if is_file { FileType::RegularFile } else { FileType::Directory },
            perm: if is_file { 0o600 } else { 0o700 },
            nlink: 1,
            uid: 0,
            gid: 0,
            rdev: 0,
            blksize: 4096,
            flags: 0,
        }
    }
}

impl Filesystem for Served {
    fn lookup(&self, _: &Request, _: INodeNo, name: &OsStr, reply: ReplyEntry) {
        if name == NAME {
            reply.entry(&FOREVER, &self.attributes(FILE), Generation(0));
        } else {
            reply.error(Errno::ENOENT);
        }
    }

    fn getattr(&self, _: &Request, inode: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        reply.attr(&FOREVER, &self.attributes(inode));
    }

    /// Past the page cache: a write is seen when it is made.
    fn open(&self, _: &Request, _: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        reply.opened(FileHandle(0), FopenFlags::FOPEN_DIRECT_IO);
    }

    fn read(
        &self,
        _: &Request,
        _: INodeNo,
        _: FileHandle,
        offset: u64,
        size: u32,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        let state = locked(&self.shared);
        let start = (offset as usize).min(state.bytes.len());
        let end = (start + size as usize).min(state.bytes.len());
        reply.data(&state.bytes[start..end]);
    }

    fn write(
        &self,
        _: &Request,
        _: INodeNo,
        _: FileHandle,
        offset: u64,
        data: &[u8],
        _: WriteFlags,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        let offset = offset as usize;
        let mut state = locked(&self.shared);
        let Some(place) = state.bytes.get_mut(offset..offset + data.len()) else {
            return reply.error(Errno::ENOSPC);
        };
        place.copy_from_slice(data);
        state.log.push(Entry { at: Instant::now(), act: Act::Write { offset, bytes: data.into() } });
        reply.written(data.len() as u32);
    }

    /// One thread answers all requests, so what was noted before was answered before: this flush covers it.
    fn fsync(&self, _: &Request, _: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        locked(&self.shared).log.push(Entry { at: Instant::now(), act: Act::Flush });
        reply.ok();
    }

    fn flush(&self, _: &Request, _: INodeNo, _: FileHandle, _: LockOwner, reply: ReplyEmpty) {
        reply.ok();
    }
}

/// An ext4 of so many MiB.
///
/// # Errors
/// In one line, what is missing.
pub fn make_ext4(megabytes: usize) -> Result<Vec<u8>, String> {
    let file = tempfile::NamedTempFile::new().map_err(|e| e.to_string())?;
    let mut command = Command::new("mkfs.ext4");
    // Nothing is left to be done by the kernel once it is mounted.
    command.args(["-q", "-F", "-b", "4096", "-E", "lazy_itable_init=0,lazy_journal_init=0,nodiscard"]);
    ran(command.arg(file.path()).arg(format!("{megabytes}M")))?;
    std::fs::read(file.path()).map_err(|e| e.to_string())
}

/// Runs a program; what it printed when it failed, in one line.
///
/// # Errors
/// That line.
pub fn ran(command: &mut Command) -> Result<(), String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).output().map_err(|e| format!("{name}: {e}"))?;
    let printed = String::from_utf8_lossy(&output.stderr).trim().replace('\n', " ");
    if output.status.success() { Ok(()) } else { Err(format!("{name}: {printed}")) }
}

/// A file system in a file, mounted on a directory of its own by a loop device.
#[derive(Debug)]
pub struct LoopMount {
    directory: tempfile::TempDir,
}

impl LoopMount {
    /// Mounts it, which replays its journal; `options` are those of its kind.
    ///
    /// # Errors
    /// In one line, what is missing.
    pub fn new(image: &Path, options: &str) -> Result<Self, String> {
        let directory = tempfile::tempdir().map_err(|e| e.to_string())?;
        let options = format!("loop,{options}");
        ran(Command::new("mount").args(["-t", "ext4", "-o", &options]).arg(image).arg(directory.path()))?;
        Ok(Self { directory })
    }

    /// Where it is mounted.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.directory.path()
    }
}

impl Drop for LoopMount {
    fn drop(&mut self) {
        // Whoever was killed a moment ago may hold it for a moment more. The loop device goes with the mount.
        for _ in 0..100 {
            if unmount(self.path(), &[]) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        unmount(self.path(), &["-l"]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Four sectors: the first two are flushed, then the second and third are written.
    fn recording() -> Recording {
        let write = |sector: usize, sectors: usize, byte: u8| Act::Write {
            offset: sector * SECTOR,
            bytes: vec![byte; sectors * SECTOR].into(),
        };
        let acts = [write(0, 2, 1), Act::Flush, write(1, 2, 2), Act::Flush, write(3, 1, 3)];
        let log = acts.into_iter().map(|act| Entry { at: Instant::now(), act }).collect();
        Recording { start: vec![0; 4 * SECTOR], log, end: Instant::now() }
    }

    /// What each sector holds; a torn one would hold two things.
    fn sectors(image: &[u8]) -> Vec<u8> {
        assert!(image.chunks(SECTOR).all(|sector| sector.iter().all(|byte| *byte == sector[0])));
        image.chunks(SECTOR).map(|sector| sector[0]).collect()
    }

    #[test]
    fn a_power_cut_keeps_what_was_flushed_and_any_part_of_the_rest() {
        let recording = recording();
        let cuts = recording.cuts(0);
        let places: Vec<_> = cuts.iter().map(|cut| (cut.durable, cut.position)).collect();
        assert_eq!(places, [(0, 1), (2, 3), (4, 5)]);
        assert_eq!(recording.cuts(2).len(), 2);
        let mut rng = Rng::new(1);
        let mut after = |at: usize, loss: Loss| sectors(&recording.after(cuts[at], loss, &mut rng));
        assert_eq!(after(0, Loss::All), [0, 0, 0, 0]);
        assert_eq!(after(1, Loss::All), [1, 1, 0, 0]);
        assert_eq!(after(2, Loss::All), [1, 2, 2, 0]);
        assert_eq!(after(2, Loss::None), [1, 2, 2, 3]);
        let mut seen = |loss: Loss| -> std::collections::BTreeSet<Vec<u8>> {
            (0..200).map(|_| after(1, loss)).collect()
        };
        let whole = [vec![1, 1, 0, 0], vec![1, 2, 2, 0]];
        assert_eq!(seen(Loss::Writes), whole.clone().into());
        let torn = [vec![1, 1, 2, 0], vec![1, 2, 0, 0]];
        let any: std::collections::BTreeSet<_> = whole.into_iter().chain(torn).collect();
        assert_eq!(seen(Loss::Sectors), any);
        assert_eq!(seen(Loss::Tail), any);
    }
}
