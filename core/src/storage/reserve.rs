//! Room that is kept for when the disk is full: one file for a database, given up so that deletes, flips and removals
//! can still be written, and made again before anything else is.

use std::io;
use std::sync::Arc;

use crate::base::StorageError;
use crate::base::sync::{Mutex, lock};

use super::files::{RESERVE, failed};
use super::vfs::Vfs;

/// How much room it keeps: a few hundred deletes, or the manifests of a few hundred segments.
const BYTES: usize = 1 << 20;

/// While it is made it is this long.
const MAKING_BYTES: usize = 2 * BYTES;
/// So much of a file is looked at.
#[cfg(feature = "host")]
const LOOK_BYTES: usize = 512;

/// Whether a file may be a reserve, or one that was being made: by its length and its first bytes.
///
/// # Errors
/// As the system says.
#[cfg(feature = "host")]
pub(crate) fn is_reserve(path: &std::path::Path) -> io::Result<bool> {
    let mut file = std::fs::File::open(path)?;
    let mut first = [0; LOOK_BYTES];
    if !(LOOK_BYTES as u64..=MAKING_BYTES as u64).contains(&file.metadata()?.len()) {
        return Ok(false);
    }
    io::Read::read_exact(&mut file, &mut first)?;
    Ok(first == [0; LOOK_BYTES])
}

#[derive(Debug)]
pub(super) struct Reserve {
    vfs: Arc<dyn Vfs>,
    dir: String,
    is_there: Mutex<bool>,
}

impl Reserve {
    /// The reserve of the database in this directory, made when it is not there and there is room.
    pub(super) fn open(vfs: Arc<dyn Vfs>, dir: &str) -> Self {
        let this = Self { vfs, dir: dir.to_owned(), is_there: Mutex::new(false) };
        let found = this.vfs.append(&this.path()).and_then(|file| file.len());
        *lock(&this.is_there) = found.is_ok_and(|len| len == BYTES as u64);
        // Without it everything but deletes is refused until there is room for it.
        drop(this.restore());
        this
    }

    fn path(&self) -> String {
        format!("{}/{RESERVE}", self.dir)
    }

    /// Gives the room up; false when that was done before.
    pub(super) fn release(&self) -> bool {
        let mut is_there = lock(&self.is_there);
        let was_there = std::mem::replace(&mut *is_there, false);
        was_there && self.vfs.remove(&self.path()).is_ok()
    }

    /// Makes it again when it was given up.
    ///
    /// # Errors
    /// `disk_full`; `io_failed`.
    pub(super) fn restore(&self) -> Result<(), StorageError> {
        let mut is_there = lock(&self.is_there);
        if *is_there {
            return Ok(());
        }
        let made = self.make();
        if made.is_err() {
            // A piece of it is of no use. What cannot be removed is written over the next time.
            drop(self.vfs.remove(&self.path()));
        }
        *is_there = made.is_ok();
        made.map_err(|e| failed("keep", "the reserve of the database", &e))
    }

    fn make(&self) -> io::Result<()> {
        let mut file = self.vfs.create(&self.path())?;
        // As much again has to be free, or the disk would be full again with the next write.
        file.write_all(&vec![0; MAKING_BYTES])?;
        file.truncate(BYTES as u64)?;
        file.sync()
    }
}
