//! What the process has of the operating system: its files, and how the heap takes and gives back memory. Immutable blobs
//! are mapped read-only; nothing that is written is ever mapped.

use std::borrow::Cow;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::ops::Range;
use std::sync::Arc;

use memmap2::Mmap;

use super::StorageError;
use super::blob::{BlobSource, Pinned, Resident};
use super::huge;
use super::vfs::{Vfs, VfsFile};

/// Pieces of the heap of so many bytes and more have pages of their own, which go back when they are freed. A search of a
/// million documents takes and frees some of a few hundred KiB: new pages for each would double what it takes.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const OWN_PAGES_BYTES: libc::c_int = 1 << 20;
/// So many free bytes may stay at the end of what smaller pieces lie in.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const FREE_BYTES_MAX: libc::c_int = 2 << 20;

/// Has the heap of this process give back what is freed; for a program of our own, before it allocates much.
///
/// glibc raises both figures by itself, to the largest piece that was ever freed, up to 32 MiB, and to twice that. From
/// then on large pieces lie between small ones that stay, in the arenas of all threads, and what is resident grows while
/// what is held does not. Setting them ends that. Other systems' heaps are left as they are.
pub fn keep_heap_compact() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    for (parameter, bytes) in
        [(libc::M_MMAP_THRESHOLD, OWN_PAGES_BYTES), (libc::M_TRIM_THRESHOLD, FREE_BYTES_MAX)]
    {
        #[expect(unsafe_code, reason = "the heap is C's")]
        // SAFETY: glibc knows both parameters and takes any number up to 32 MiB for them. It sets numbers that `free`
        // itself changes from any thread, and moves no piece that is in use.
        let is_set = unsafe { libc::mallopt(parameter, bytes) };
        debug_assert_eq!(is_set, 1, "parameter {parameter}");
    }
}

/// What the heap of this process takes, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heap {
    /// What it has of the system: what is given out, and what lies free in it.
    pub taken: u64,
    /// What is given out.
    pub used: u64,
}

/// What the heap takes, over all of its arenas; `None` where it does not tell.
#[must_use]
pub fn heap() -> Option<Heap> {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    return heap_of_glibc();
    #[cfg(not(all(target_os = "linux", target_env = "gnu")))]
    None
}

/// By `mallinfo2`, which is looked up when it is asked for: a program linked against it would not start with a glibc
/// before 2.33, whose own figures are of 32 bits.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn heap_of_glibc() -> Option<Heap> {
    #[expect(unsafe_code, reason = "the heap is C's")]
    // SAFETY: the name ends with a zero, and a handle of null looks it up among what the program has loaded.
    let address = unsafe { libc::dlsym(std::ptr::null_mut(), c"mallinfo2".as_ptr()) };
    if address.is_null() {
        return None;
    }
    #[expect(unsafe_code, reason = "the heap is C's")]
    // SAFETY: glibc declares the one function of this name as `struct mallinfo2 mallinfo2(void)`, and may be asked from any
    // thread: it takes the lock of each arena in turn.
    let told =
        unsafe { std::mem::transmute::<*mut libc::c_void, extern "C" fn() -> libc::mallinfo2>(address)() };
    let (taken, used) = (told.arena + told.hblkhd, told.uordblks + told.hblkhd);
    Some(Heap { taken: taken as u64, used: used as u64 })
}

/// The file system of this machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct OsVfs;

#[derive(Debug)]
struct OsFile(File);

/// A database that was copied from somewhere could have links in place of its files, which lead to those of others.
fn refuse_link(path: &str) -> io::Result<()> {
    if fs::symlink_metadata(path).is_ok_and(|kind| kind.is_symlink()) {
        let why = "a symbolic link, through which nothing is written: put the file itself in its place";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
    }
    Ok(())
}

impl Vfs for OsVfs {
    fn create_dir(&self, path: &str) -> io::Result<()> {
        fs::create_dir_all(path)
    }

    fn create(&self, path: &str) -> io::Result<Box<dyn VfsFile>> {
        refuse_link(path)?;
        Ok(Box::new(OsFile(File::create(path)?)))
    }

    fn append(&self, path: &str) -> io::Result<Box<dyn VfsFile>> {
        refuse_link(path)?;
        Ok(Box::new(OsFile(OpenOptions::new().append(true).open(path)?)))
    }

    fn read(&self, path: &str, limit: u64) -> io::Result<Vec<u8>> {
        let file = File::open(path)?;
        let len = file.metadata()?.len();
        if len > limit {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the file is larger than it may be"));
        }
        let mut bytes = Vec::with_capacity(len as usize);
        file.take(limit).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn map(&self, path: &str) -> io::Result<Arc<dyn BlobSource>> {
        let file = File::open(path)?;
        if file.metadata()?.len() == 0 {
            return Ok(Arc::new(Resident::new(Arc::new(Bytes(None)))));
        }
        #[expect(unsafe_code, reason = "mapping is unsafe because another process could change the file")]
        // SAFETY: blobs are written under a temporary name and never changed after they get their own; the
        // database's lock keeps other writers of ours out. Every read is within the length at mapping.
        let map = unsafe { Mmap::map(&file)? };
        Ok(Arc::new(Mapped(Resident::new(Arc::new(Bytes(Some(map)))))))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        ignore_absent(fs::remove_file(path))
    }

    fn remove_dir(&self, path: &str) -> io::Result<()> {
        ignore_absent(fs::remove_dir_all(path))
    }

    fn list(&self, path: &str) -> io::Result<Vec<String>> {
        let entries = fs::read_dir(path)?.collect::<io::Result<Vec<_>>>()?;
        let mut names: Vec<_> =
            entries.iter().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort_unstable();
        Ok(names)
    }

    fn sync_dir(&self, path: &str) -> io::Result<()> {
        File::open(path)?.sync_all()
    }
}

fn ignore_absent(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

impl VfsFile for OsFile {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }
}

/// A mapped file.
#[derive(Debug)]
struct Mapped(Resident<Bytes>);

impl BlobSource for Mapped {
    fn len(&self) -> u64 {
        self.0.len()
    }

    fn pinned(&self, range: Range<u64>) -> Result<Pinned, StorageError> {
        self.0.pinned(range)
    }

    fn hot(&self, range: Range<u64>) -> Result<Pinned, StorageError> {
        let mapped = self.0.pinned(range)?;
        Ok(huge::copy(&mapped).unwrap_or(mapped))
    }

    fn rows(&self, range: Range<u64>) -> Result<Cow<'_, [u8]>, StorageError> {
        self.0.rows(range)
    }
}

#[derive(Debug)]
struct Bytes(Option<Mmap>);

impl AsRef<[u8]> for Bytes {
    fn as_ref(&self) -> &[u8] {
        self.0.as_deref().unwrap_or_default()
    }
}

#[cfg(all(test, target_os = "linux", target_env = "gnu"))]
#[path = "mmap_tests.rs"]
mod tests;

#[cfg(all(test, unix))]
mod links {
    use super::*;

    /// What is to be a file of ours was a link to another one, which was cut to nothing when the database was opened.
    #[test]
    fn nothing_is_written_through_links() {
        let folder = tempfile::tempdir().expect("a folder");
        let [own, other] = ["RESERVE", "other"].map(|name| folder.path().join(name));
        fs::write(&other, "theirs").expect("written");
        std::os::unix::fs::symlink(&other, &own).expect("linked");
        let own = own.to_str().expect("UTF-8");
        for outcome in [OsVfs.create(own).map(drop), OsVfs.append(own).map(drop)] {
            assert_eq!(outcome.expect_err("a link").kind(), io::ErrorKind::InvalidInput);
        }
        assert_eq!(fs::read(&other).expect("there"), b"theirs");
    }
}
