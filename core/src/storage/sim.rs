//! A simulated disk: what was not made durable can be lost, torn or kept at a crash, and any call can fail.
//!
//! Files are append-only, so a file's durable bytes are a prefix of it. Names become durable when their directory is
//! synced. A crash keeps a random part of everything else, which is what disks and journals do.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::base::{AlignedBytes, Rng};

use super::blob::{BlobSource, Resident};
use super::vfs::{Vfs, VfsFile};

/// What a crash does to what was not made durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Crash {
    /// The process was killed: the operating system still has everything.
    Process,
    /// Power was cut: all of it is gone.
    LoseUnsynced,
    /// Power was cut: of each file a random prefix is left, of the names a random part.
    Tear,
    /// As `Tear`, and the torn end of each file reads as zeros.
    ZeroTail,
}

/// A call that fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// This call and every later one fails: the machine stopped here.
    Stop,
    /// This call fails once, with this kind; a write leaves the first half of its bytes.
    Once(io::ErrorKind),
    /// From this call on no more bytes fit than there are then, less so many, until [`SimVfs::make_room`].
    Full(usize),
}

/// A disk in memory.
#[derive(Debug, Clone, Default)]
pub struct SimVfs {
    disk: Arc<Mutex<Disk>>,
}

#[derive(Debug, Default)]
struct Disk {
    inodes: Vec<Inode>,
    names: BTreeMap<String, usize>,
    durable_names: BTreeMap<String, usize>,
    calls: u64,
    fault: Option<(u64, Fault)>,
    capacity: Option<usize>,
}

#[derive(Debug, Clone, Default)]
struct Inode {
    /// Shared with the disks that are what a crash leaves of this one, until one of them changes it: tests make tens of
    /// thousands of these, each with a reserve of 1 MiB.
    bytes: Arc<Vec<u8>>,
    durable: usize,
}

impl Inode {
    fn truncate(&mut self, len: usize) {
        if len < self.bytes.len() {
            Arc::make_mut(&mut self.bytes).truncate(len);
        }
    }
}

impl SimVfs {
    /// An empty disk.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many calls changed the disk so far.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.disk().calls
    }

    /// Lets the call with this number fail.
    pub fn fail_at(&self, call: u64, fault: Fault) {
        self.disk().fault = Some((call, fault));
    }

    /// Lets everything fit again.
    pub fn make_room(&self) {
        let mut disk = self.disk();
        (disk.fault, disk.capacity) = (None, None);
    }

    /// The disk as it is found after a crash now.
    #[must_use]
    pub fn after(&self, crash: Crash, rng: &mut Rng) -> Self {
        let disk = self.disk();
        let mut names = if crash == Crash::Process { disk.names.clone() } else { disk.durable_names.clone() };
        if matches!(crash, Crash::Tear | Crash::ZeroTail) {
            for (name, inode) in &disk.names {
                if rng.below(2) == 0 {
                    names.insert(name.clone(), *inode);
                }
            }
            names.retain(|name, _| disk.names.contains_key(name) || rng.below(2) == 0);
        }
        let mut after = Disk::default();
        for (name, inode) in names {
            let mut file = disk.inodes[inode].clone();
            let pending = file.bytes.len() - file.durable;
            match crash {
                Crash::Process => {}
                Crash::LoseUnsynced => file.truncate(file.durable),
                Crash::Tear => file.truncate(file.durable + rng.below(pending as u64 + 1) as usize),
                Crash::ZeroTail => {
                    let kept = file.durable + rng.below(pending as u64 + 1) as usize;
                    if kept < file.bytes.len() {
                        Arc::make_mut(&mut file.bytes)[kept..].fill(0);
                    }
                }
            }
            file.durable = file.bytes.len();
            after.names.insert(name, after.inodes.len());
            after.inodes.push(file);
        }
        after.durable_names = after.names.clone();
        Self { disk: Arc::new(Mutex::new(after)) }
    }

    /// Names of all files, sorted.
    #[must_use]
    pub fn files(&self) -> Vec<String> {
        self.disk().names.keys().cloned().collect()
    }

    /// Changes the bytes of a file where they lie, as a failing disk would.
    ///
    /// # Panics
    /// When there is no such file.
    pub fn damage(&self, path: &str, change: impl FnOnce(&mut Vec<u8>)) {
        let mut disk = self.disk();
        let inode = disk.names[path];
        change(Arc::make_mut(&mut disk.inodes[inode].bytes));
        let len = disk.inodes[inode].bytes.len();
        disk.inodes[inode].durable = len;
    }

    /// Removes a file behind everybody's back.
    pub fn lose(&self, path: &str) {
        let mut disk = self.disk();
        disk.names.remove(path);
        disk.durable_names.remove(path);
    }

    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.disk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Disk {
    /// Counts a call; says whether it fails.
    fn call(&mut self) -> io::Result<()> {
        self.calls += 1;
        match self.fault {
            Some((at, Fault::Stop)) if self.calls >= at => Err(io::Error::other("the machine stopped")),
            Some((at, Fault::Once(kind))) if self.calls == at => Err(io::Error::from(kind)),
            Some((at, Fault::Full(less))) if self.calls == at => {
                self.capacity = Some(self.used().saturating_sub(less));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn used(&self) -> usize {
        self.names.values().map(|inode| self.inodes[*inode].bytes.len()).sum()
    }

    /// How many more bytes fit.
    fn room(&self) -> usize {
        self.capacity.map_or(usize::MAX, |capacity| capacity.saturating_sub(self.used()))
    }

    fn inode(&self, path: &str) -> io::Result<usize> {
        self.names.get(path).copied().ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    }
}

impl Vfs for SimVfs {
    fn create_dir(&self, _: &str) -> io::Result<()> {
        self.disk().call()
    }

    fn create(&self, path: &str) -> io::Result<Box<dyn VfsFile>> {
        let mut disk = self.disk();
        disk.call()?;
        if disk.room() == 0 && !disk.names.contains_key(path) {
            return Err(io::Error::from(io::ErrorKind::StorageFull));
        }
        disk.inodes.push(Inode::default());
        let inode = disk.inodes.len() - 1;
        disk.names.insert(path.to_owned(), inode);
        Ok(Box::new(SimFile { disk: self.clone(), inode }))
    }

    fn append(&self, path: &str) -> io::Result<Box<dyn VfsFile>> {
        let inode = self.disk().inode(path)?;
        Ok(Box::new(SimFile { disk: self.clone(), inode }))
    }

    fn read(&self, path: &str, limit: u64) -> io::Result<Vec<u8>> {
        let disk = self.disk();
        let bytes = &disk.inodes[disk.inode(path)?].bytes;
        if bytes.len() as u64 > limit {
            return Err(io::Error::from(io::ErrorKind::InvalidData));
        }
        Ok(bytes.to_vec())
    }

    fn map(&self, path: &str) -> io::Result<Arc<dyn BlobSource>> {
        let disk = self.disk();
        let bytes = AlignedBytes::copy_of(&disk.inodes[disk.inode(path)?].bytes);
        Ok(Arc::new(Resident::new(Arc::new(bytes))))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut disk = self.disk();
        disk.call()?;
        let inode = disk.inode(from)?;
        disk.names.remove(from);
        disk.names.insert(to.to_owned(), inode);
        Ok(())
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        let mut disk = self.disk();
        disk.call()?;
        disk.names.remove(path);
        Ok(())
    }

    fn remove_dir(&self, path: &str) -> io::Result<()> {
        let mut disk = self.disk();
        disk.call()?;
        let prefix = format!("{path}/");
        disk.names.retain(|name, _| !name.starts_with(&prefix));
        Ok(())
    }

    fn list(&self, path: &str) -> io::Result<Vec<String>> {
        let prefix = format!("{path}/");
        let disk = self.disk();
        let mut names: Vec<String> = disk
            .names
            .keys()
            .filter_map(|name| name.strip_prefix(&prefix))
            .map(|rest| rest.split('/').next().unwrap_or(rest).to_owned())
            .collect();
        names.dedup();
        Ok(names)
    }

    fn sync_dir(&self, path: &str) -> io::Result<()> {
        let mut disk = self.disk();
        disk.call()?;
        let prefix = format!("{path}/");
        let within = |name: &String| name.strip_prefix(&prefix).is_some_and(|rest| !rest.contains('/'));
        let Disk { names, durable_names, .. } = &mut *disk;
        // A directory that was removed takes its files with it once the directory above is synced.
        let is_left = |name: &str| {
            let rest = name.strip_prefix(&prefix).unwrap_or(name);
            let top = rest.split_once('/').map(|(top, _)| format!("{prefix}{top}/"));
            top.is_none_or(|top| names.keys().any(|n| n.starts_with(&top)))
        };
        durable_names.retain(|name, _| {
            !name.starts_with(&prefix)
                || (if within(name) { names.contains_key(name) } else { is_left(name) })
        });
        durable_names.extend(names.iter().filter(|(n, _)| within(n)).map(|(n, i)| (n.clone(), *i)));
        Ok(())
    }
}

#[derive(Debug)]
struct SimFile {
    disk: SimVfs,
    inode: usize,
}

impl VfsFile for SimFile {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut disk = self.disk.disk();
        let mut outcome = disk.call();
        let mut written = if outcome.is_ok() { bytes.len() } else { bytes.len() / 2 };
        if written > disk.room() {
            written = disk.room();
            outcome = Err(io::Error::from(io::ErrorKind::StorageFull));
        }
        Arc::make_mut(&mut disk.inodes[self.inode].bytes).extend_from_slice(&bytes[..written]);
        outcome
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut disk = self.disk.disk();
        disk.call()?;
        let inode = &mut disk.inodes[self.inode];
        inode.durable = inode.bytes.len();
        Ok(())
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.disk.disk().inodes[self.inode].bytes.len() as u64)
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        let mut disk = self.disk.disk();
        disk.call()?;
        let inode = &mut disk.inodes[self.inode];
        inode.truncate(len as usize);
        inode.durable = inode.durable.min(inode.bytes.len());
        Ok(())
    }
}
