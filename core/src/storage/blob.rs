//! The container of every blob: header, sections, checksums of their blocks, directory, footer.
//!
//! A blob is immutable. A section is read *pinned* (whole, aligned, for hot loops) or *by row* (a range at a time).
//! Opening reads header, footer and directory, however large the blob is; each block, and each block of the checksums
//! themselves, is checked at its first touch and then remembered.
//! Layout: docs/FORMAT.md, "Blobs".

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;

use super::blob_kind::BlobKind;
use crate::base::crc32c::crc32c_append;
use crate::base::rng::mix;
use crate::base::{AlignedBytes, Error, Reader, Result, StorageError, Writer};

/// The version of all bytes this crate writes.
pub const FORMAT_VERSION: u16 = 1;
/// The oldest reader that understands them.
pub const MIN_READER_VERSION: u16 = 1;

const MAGIC: &[u8; 8] = b"KITHBLOB";
const END_MAGIC: &[u8; 8] = b"KITHEND1";
const HEADER_BYTES: usize = 64;
const FOOTER_BYTES: usize = 32;
const ENTRY_BYTES: usize = 28;
const SECTION_ALIGN: usize = 64;
/// The checksums of blocks have checksums themselves, one for so many bytes of them, which the directory holds.
const TABLE_BLOCK_BYTES: usize = 4096;
const REQUIRED: u16 = 1;

/// Which blob: its number within the collection, what it holds, and the id that its checksums are seeded with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlobId {
    /// Counted up within the collection.
    pub number: u64,
    /// What it holds.
    pub kind: BlobKind,
    /// Hash of the collection it was written for and its number there.
    pub file_id: u64,
}

impl BlobId {
    /// The id of a blob that is written for this collection.
    #[must_use]
    pub fn new(collection_id: u64, number: u64, kind: BlobKind) -> Self {
        Self { number, kind, file_id: file_id(collection_id, number) }
    }

    fn object(self) -> String {
        format!("blob {}.{}", self.number, self.kind.name())
    }
}

/// The id of the file with this number in this collection.
#[must_use]
pub fn file_id(collection_id: u64, number: u64) -> u64 {
    mix(collection_id ^ mix(number))
}

/// The checksum of bytes that belong to this file and no other.
#[must_use]
pub fn checksum(file_id: u64, bytes: &[u8]) -> u32 {
    crc32c_append((file_id ^ (file_id >> 32)) as u32, bytes)
}

/// The unit of checksum of a section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Block {
    /// 4 KiB: sections read by row.
    Row = 12,
    /// 64 KiB: sections read whole.
    Pinned = 16,
}

/// A typed part of a blob, to be written.
#[derive(Debug)]
pub struct Section {
    /// Its number, unique within the kind of blob.
    pub id: u16,
    /// How it is read.
    pub block: Block,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

impl Section {
    /// A section that is read whole.
    #[must_use]
    pub fn pinned(id: u16, bytes: impl Into<Vec<u8>>) -> Self {
        Self { id, block: Block::Pinned, bytes: bytes.into() }
    }

    /// A section that is read a range at a time.
    #[must_use]
    pub fn rows(id: u16, bytes: impl Into<Vec<u8>>) -> Self {
        Self { id, block: Block::Row, bytes: bytes.into() }
    }
}

/// The bytes of a blob with these sections.
#[must_use]
pub fn build(id: BlobId, sections: &[Section]) -> AlignedBytes {
    let (mut entries, mut checksums) = (Writer::new(), Writer::new());
    let mut end = HEADER_BYTES;
    for section in sections {
        entries.u16(section.id);
        entries.u16(REQUIRED);
        entries.u32(section.block as u32);
        entries.u64(end as u64);
        entries.u64(section.bytes.len() as u64);
        entries.u32((checksums.len() / 4) as u32);
        for block in section.bytes.chunks(1 << section.block as u32) {
            checksums.u32(checksum(id.file_id, block));
        }
        end = (end + section.bytes.len()).next_multiple_of(SECTION_ALIGN);
    }
    let table_at = end;
    let mut roots = Writer::new();
    for block in checksums.as_slice().chunks(TABLE_BLOCK_BYTES) {
        roots.u32(checksum(id.file_id, block));
    }
    let directory_at = (table_at + checksums.len()).next_multiple_of(SECTION_ALIGN);
    let directory_len = entries.len() + roots.len();
    let mut blob = AlignedBytes::zeroed(directory_at + directory_len + FOOTER_BYTES);
    let out = blob.as_mut_slice();
    out[..HEADER_BYTES].copy_from_slice(&header(id, sections.len()));
    let mut at = HEADER_BYTES;
    for section in sections {
        out[at..at + section.bytes.len()].copy_from_slice(&section.bytes);
        at = (at + section.bytes.len()).next_multiple_of(SECTION_ALIGN);
    }
    out[directory_at..directory_at + entries.len()].copy_from_slice(entries.as_slice());
    out[table_at..table_at + checksums.len()].copy_from_slice(checksums.as_slice());
    out[directory_at + entries.len()..directory_at + directory_len].copy_from_slice(roots.as_slice());
    let directory_crc = checksum(id.file_id, &out[directory_at..directory_at + directory_len]);
    let mut footer = Writer::new();
    footer.u64(directory_at as u64);
    footer.u64(directory_len as u64);
    footer.u32(directory_crc);
    footer.raw(END_MAGIC);
    let crc = checksum(id.file_id, footer.as_slice());
    footer.u32(crc);
    out[directory_at + directory_len..].copy_from_slice(footer.as_slice());
    blob
}

fn header(id: BlobId, sections: usize) -> Vec<u8> {
    let mut w = Writer::new();
    w.raw(MAGIC);
    w.u16(FORMAT_VERSION);
    w.u16(MIN_READER_VERSION);
    w.u16(id.kind as u16);
    w.u16(sections as u16);
    w.u64(id.file_id);
    w.raw(&[0; HEADER_BYTES - 28]);
    let crc = checksum(id.file_id, w.as_slice());
    w.u32(crc);
    w.finish()
}

/// Bytes of a blob as its storage holds them.
pub trait BlobSource: Send + Sync + fmt::Debug {
    /// How many bytes.
    fn len(&self) -> u64;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A range, kept for as long as the result lives.
    ///
    /// # Errors
    /// `not_resident` when the bytes must be fetched first.
    fn pinned(&self, range: Range<u64>) -> Result<Pinned, StorageError>;

    /// As [`BlobSource::pinned`], of what every search reads all over: it may be a copy where that is quicker.
    ///
    /// # Errors
    /// `not_resident` when the bytes must be fetched first.
    fn hot(&self, range: Range<u64>) -> Result<Pinned, StorageError> {
        self.pinned(range)
    }

    /// A range, read now.
    ///
    /// # Errors
    /// `not_resident` when the bytes must be fetched first.
    fn rows(&self, range: Range<u64>) -> Result<Cow<'_, [u8]>, StorageError>;
}

/// Bytes that stay where they are for as long as this lives; the first is at an address divisible by 64 when the
/// range began at such an offset of the blob.
#[derive(Clone)]
pub struct Pinned {
    bytes: Bytes,
}

/// What [`Bytes`] keeps alive.
struct Owner(Arc<dyn AsRef<[u8]> + Send + Sync>);

impl AsRef<[u8]> for Owner {
    fn as_ref(&self) -> &[u8] {
        (*self.0).as_ref()
    }
}

impl Pinned {
    /// A range of shared bytes.
    ///
    /// # Panics
    /// When the range is not within the bytes.
    #[must_use]
    pub fn new(owner: Arc<dyn AsRef<[u8]> + Send + Sync>, range: Range<usize>) -> Self {
        Self { bytes: Bytes::from_owner(Owner(owner)).slice(range) }
    }

    /// The bytes as little-endian numbers.
    ///
    /// # Errors
    /// `corrupt` when their length or alignment does not fit.
    pub fn numbers<T: bytemuck::AnyBitPattern>(&self) -> Result<&[T]> {
        crate::base::bytes::numbers(self).map_err(|e| e.within("section", 0))
    }
}

impl std::ops::Deref for Pinned {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl fmt::Debug for Pinned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pinned({} bytes)", self.bytes.len())
    }
}

/// An open blob.
#[derive(Debug, Clone)]
pub struct Blob {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    id: BlobId,
    source: Arc<dyn BlobSource>,
    entries: Vec<Entry>,
    /// Where the checksums of blocks are, and the checksum of each block of them; `None` to take them as they are.
    table: Range<u64>,
    roots: Option<Vec<u32>>,
    table_checked: Bits,
    /// One bit a block: set once its checksum was found right.
    checked: Bits,
}

/// What was found right, so that it is checked once.
#[derive(Debug)]
struct Bits(Vec<AtomicU64>);

impl Bits {
    fn new(len: usize) -> Self {
        Self((0..len.div_ceil(64)).map(|_| AtomicU64::new(0)).collect())
    }

    fn get(&self, at: usize) -> bool {
        self.0[at / 64].load(Ordering::Relaxed) >> (at % 64) & 1 == 1
    }

    fn set(&self, at: usize) {
        self.0[at / 64].fetch_or(1 << (at % 64), Ordering::Relaxed);
    }
}

#[derive(Debug, Clone)]
struct Entry {
    id: u16,
    block_bits: u32,
    range: Range<u64>,
    first_checksum: usize,
}

impl Blob {
    /// A blob of these sections that is in memory alone.
    ///
    /// # Errors
    /// As [`Blob::open`], for more sections than a blob may have.
    pub fn in_memory(id: BlobId, sections: &[Section]) -> Result<Self> {
        Self::open(id, Arc::new(Resident::new(Arc::new(build(id, sections)))))
    }

    /// Reads header, footer and directory.
    ///
    /// # Errors
    /// `corrupt` when any of them is not what was written for this id; `unsupported_version` for a later format.
    pub fn open(id: BlobId, source: Arc<dyn BlobSource>) -> Result<Self> {
        let corrupt = |offset: u64, expected: &str| Err(Error::corrupt(id.object(), offset, expected));
        let len = source.len();
        if len < (HEADER_BYTES + FOOTER_BYTES) as u64 {
            return corrupt(len, "a whole blob");
        }
        let head = source.rows(0..HEADER_BYTES as u64)?;
        check_header(id, &head)?;
        let footer_at = len - FOOTER_BYTES as u64;
        let footer = source.rows(footer_at..len)?;
        let (at, dir_crc) = read_footer(id, footer_at, &footer)?;
        let directory = source.rows(at..footer_at)?;
        if checksum(id.file_id, &directory) != dir_crc {
            return corrupt(at, "a directory with the right checksum");
        }
        let sections = u16::from_le_bytes([head[14], head[15]]);
        let directory =
            read_directory(id.kind, sections, at, &directory).map_err(|e| e.within(&id.object(), at))?;
        drop((head, footer));
        Ok(Self::with(id, source, directory))
    }

    /// Opens what a damaged blob still holds: for saving it, and for nothing else. Header, footer and the directory's own
    /// checksum are taken into account where they are sound; what is read is checked block by block all the same, so
    /// that a wrong directory gives errors, never other bytes.
    ///
    /// # Errors
    /// `corrupt` when no directory is found.
    pub fn open_damaged(id: BlobId, source: Arc<dyn BlobSource>) -> Result<Self> {
        let len = source.len();
        if len < (HEADER_BYTES + FOOTER_BYTES) as u64 {
            return Err(Error::corrupt(id.object(), len, "a whole blob"));
        }
        let head = source.rows(0..HEADER_BYTES as u64)?;
        // Writers write every section that they know.
        let sections = match check_header(id, &head) {
            Ok(()) => u16::from_le_bytes([head[14], head[15]]),
            Err(_) => id.kind.sections_max(),
        };
        let footer_at = len - FOOTER_BYTES as u64;
        let footer = source.rows(footer_at..len)?;
        let places = match read_footer(id, footer_at, &footer) {
            Ok((at, _)) => at..at + 1,
            Err(_) => HEADER_BYTES as u64..footer_at,
        };
        // A directory counts its own checksums, so that hardly anything else can be read as one.
        for at in places.step_by(SECTION_ALIGN) {
            let directory = source.rows(at..footer_at)?;
            if let Ok(found) = read_directory(id.kind, sections, at, &directory) {
                drop((head, footer, directory));
                // A wrong checksum of checksums would take a thousand blocks with it that are sound.
                return Ok(Self::with(id, source, Directory { roots: None, ..found }));
            }
        }
        Err(Error::corrupt(id.object(), footer_at, "a directory"))
    }

    fn with(id: BlobId, source: Arc<dyn BlobSource>, directory: Directory) -> Self {
        let Directory { entries, table, roots } = directory;
        let checked = Bits::new((table.end - table.start) as usize / 4);
        let table_checked = Bits::new(roots.as_ref().map_or(0, Vec::len));
        Self { inner: Arc::new(Inner { id, source, entries, table, roots, table_checked, checked }) }
    }

    /// Which blob this is.
    #[must_use]
    pub fn id(&self) -> BlobId {
        self.inner.id
    }

    /// How many bytes it has.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.inner.source.len()
    }

    /// Whether it has none; a blob always has a header.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether it has this section.
    #[must_use]
    pub fn has(&self, section: u16) -> bool {
        self.inner.entry(section).is_ok()
    }

    /// A section, whole and checked.
    ///
    /// # Errors
    /// `corrupt` when it is missing or damaged, `not_resident` when it must be fetched first.
    pub fn pinned(&self, section: u16) -> Result<Pinned> {
        self.pinned_by(section, |source, range| source.pinned(range))
    }

    /// A section that every search reads all over, whole and checked; see [`BlobSource::hot`].
    ///
    /// # Errors
    /// As [`Blob::pinned`].
    pub fn hot(&self, section: u16) -> Result<Pinned> {
        self.pinned_by(section, |source, range| source.hot(range))
    }

    fn pinned_by(
        &self,
        section: u16,
        pin: impl FnOnce(&dyn BlobSource, Range<u64>) -> Result<Pinned, StorageError>,
    ) -> Result<Pinned> {
        let entry = self.inner.entry(section)?;
        let bytes = pin(&*self.inner.source, entry.range.clone())?;
        self.inner.check_blocks(entry, 0..bytes.len() as u64, |range| {
            Ok(Cow::Borrowed(&bytes[range.start as usize..range.end as usize]))
        })?;
        Ok(bytes)
    }

    /// A section to be read a range at a time.
    ///
    /// # Errors
    /// `corrupt` when it is missing.
    pub fn rows(&self, section: u16) -> Result<Rows> {
        let entry = self.inner.entry(section)?.clone();
        Ok(Rows { inner: Arc::clone(&self.inner), entry })
    }

    /// Checks every block of every section.
    ///
    /// # Errors
    /// `corrupt` with the offset of the first bad block.
    pub fn verify(&self) -> Result<()> {
        self.verify_those(|_| true)
    }

    /// As [`Blob::verify`], of some sections.
    ///
    /// # Errors
    /// As [`Blob::verify`].
    pub fn verify_those(&self, is_meant: impl Fn(u16) -> bool) -> Result<()> {
        for entry in self.inner.entries.iter().filter(|entry| is_meant(entry.id)) {
            let rows = Rows { inner: Arc::clone(&self.inner), entry: entry.clone() };
            rows.read(0..rows.len())?;
        }
        Ok(())
    }

    /// Everything in it that is not as it was written: each block with another checksum, and bytes between sections,
    /// which no checksum covers, that are not the zeros they were.
    ///
    /// # Errors
    /// What keeps it from being read.
    pub fn damage(&self) -> Result<Vec<Error>> {
        let mut found = Vec::new();
        for entry in &self.inner.entries {
            let rows = Rows { inner: Arc::clone(&self.inner), entry: entry.clone() };
            for start in (0..rows.len()).step_by(1 << entry.block_bits) {
                match rows.read(start..(start + (1 << entry.block_bits)).min(rows.len())) {
                    Ok(_) => {}
                    Err(error) if matches!(error.storage(), Some(StorageError::Corrupt { .. })) => {
                        found.push(error)
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        let table = &self.inner.table;
        let used = self.inner.entries.iter().map(|entry| entry.range.clone()).chain([table.clone()]);
        let ends: Vec<u64> = used.clone().map(|range| range.end).collect();
        let mut end = HEADER_BYTES as u64;
        for (i, start) in used.map(|range| range.start).chain([self.directory_at()]).enumerate() {
            let gap = self.inner.source.rows(end..start)?;
            if let Some(at) = gap.iter().position(|byte| *byte != 0) {
                let expected = "zeros between sections, which nobody reads";
                found.push(Error::corrupt(self.inner.id.object(), end + at as u64, expected));
            }
            end = ends.get(i).copied().unwrap_or(end);
        }
        Ok(found)
    }

    fn directory_at(&self) -> u64 {
        self.inner.table.end.next_multiple_of(SECTION_ALIGN as u64)
    }

    /// Where a section begins.
    ///
    /// # Errors
    /// `corrupt` when it is missing.
    pub fn offset_of(&self, section: u16) -> Result<u64> {
        Ok(self.inner.entry(section)?.range.start)
    }

    /// All the bytes, as they are stored.
    ///
    /// # Errors
    /// `not_resident` when they must be fetched first.
    pub fn bytes(&self) -> Result<Pinned> {
        Ok(self.inner.source.pinned(0..self.len())?)
    }
}

impl Inner {
    fn entry(&self, section: u16) -> Result<&Entry> {
        self.entries
            .iter()
            .find(|entry| entry.id == section)
            .ok_or_else(|| Error::corrupt(self.id.object(), 0, format!("a section {section}")))
    }

    /// Checks the blocks that a range of a section touches, each once. `read` gives bytes of the section.
    fn check_blocks<'a>(
        &self,
        entry: &Entry,
        range: Range<u64>,
        read: impl Fn(Range<u64>) -> Result<Cow<'a, [u8]>>,
    ) -> Result<()> {
        let section_len = entry.range.end - entry.range.start;
        let first = range.start >> entry.block_bits;
        let last = range.end.div_ceil(1 << entry.block_bits);
        for block in first..last {
            let index = entry.first_checksum + block as usize;
            if self.checked.get(index) {
                continue;
            }
            let start = block << entry.block_bits;
            let end = (start + (1 << entry.block_bits)).min(section_len);
            if checksum(self.id.file_id, &read(start..end)?) != self.checksum_of(index)? {
                let offset = entry.range.start + start;
                return Err(Error::corrupt(self.id.object(), offset, "a block with the right checksum"));
            }
            self.checked.set(index);
        }
        Ok(())
    }

    /// What the checksum of a block must be.
    fn checksum_of(&self, index: usize) -> Result<u32> {
        let at = self.table.start + index as u64 * 4;
        if let Some(roots) = &self.roots {
            let block = index * 4 / TABLE_BLOCK_BYTES;
            if !self.table_checked.get(block) {
                let start = self.table.start + (block * TABLE_BLOCK_BYTES) as u64;
                let end = (start + TABLE_BLOCK_BYTES as u64).min(self.table.end);
                if checksum(self.id.file_id, &self.source.rows(start..end)?) != roots[block] {
                    let expected = "checksums with the right checksum";
                    return Err(Error::corrupt(self.id.object(), start, expected));
                }
                self.table_checked.set(block);
            }
        }
        let bytes = self.source.rows(at..at + 4)?;
        Ok(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }
}

fn check_header(id: BlobId, head: &[u8]) -> Result<()> {
    let of = |e: crate::base::DecodeError| e.within(&id.object(), 0);
    let corrupt = |offset: u64, expected: &str| Err(Error::corrupt(id.object(), offset, expected));
    let mut r = Reader::new(head);
    if r.raw(8, "the magic").map_err(of)? != MAGIC {
        return corrupt(0, "the magic of a blob");
    }
    r.u16().map_err(of)?;
    let needs = r.u16().map_err(of)?;
    if r.u16().map_err(of)? != id.kind as u16 {
        return corrupt(12, "the kind that the manifest names");
    }
    r.u16().map_err(of)?;
    if r.u64().map_err(of)? != id.file_id {
        return corrupt(16, "the file id that the manifest names");
    }
    let crc_at = HEADER_BYTES - 4;
    let stored = u32::from_le_bytes([head[crc_at], head[crc_at + 1], head[crc_at + 2], head[crc_at + 3]]);
    if stored != checksum(id.file_id, &head[..crc_at]) {
        return corrupt(crc_at as u64, "a header with the right checksum");
    }
    // Only now: a flipped bit is damage, not a later version.
    if needs > FORMAT_VERSION {
        let object = id.object();
        return Err(StorageError::UnsupportedVersion { object, needs, reads: FORMAT_VERSION }.into());
    }
    Ok(())
}

/// Where the directory begins, and its checksum.
fn read_footer(id: BlobId, footer_at: u64, footer: &[u8]) -> Result<(u64, u32)> {
    let corrupt = |expected: &str| Err(Error::corrupt(id.object(), footer_at, expected));
    let of = |e: crate::base::DecodeError| e.within(&id.object(), footer_at);
    let mut r = Reader::new(footer);
    let (at, dir_len) = (r.u64().map_err(of)?, r.u64().map_err(of)?);
    let dir_crc = r.u32().map_err(of)?;
    let magic_ok = r.raw(8, "the end mark").map_err(of)? == END_MAGIC;
    if !magic_ok || r.u32().map_err(of)? != checksum(id.file_id, &footer[..FOOTER_BYTES - 4]) {
        return corrupt("a footer with the right checksum");
    }
    if at.checked_add(dir_len) != Some(footer_at) {
        return corrupt("a directory that ends at the footer");
    }
    Ok((at, dir_crc))
}

/// What a directory says.
struct Directory {
    entries: Vec<Entry>,
    table: Range<u64>,
    roots: Option<Vec<u32>>,
}

fn read_directory(
    kind: BlobKind,
    sections: u16,
    directory_at: u64,
    bytes: &[u8],
) -> Result<Directory, crate::base::DecodeError> {
    let mut r = Reader::new(bytes);
    let mut entries = Vec::new();
    let mut blocks = 0u64;
    let mut end = HEADER_BYTES as u64;
    for _ in 0..sections {
        let offset = r.offset();
        let refuse = |expected| Err(crate::base::DecodeError { offset, expected });
        let (id, flags, block_bits) = (r.u16()?, r.u16()?, r.u32()?);
        let (start, len, first) = (r.u64()?, r.u64()?, r.u32()?);
        if flags & !REQUIRED != 0 || entries.iter().any(|entry: &Entry| entry.id == id) {
            return refuse("known flags and each section once");
        }
        if flags & REQUIRED != 0 && id > kind.sections_max() {
            return refuse("required sections that this version knows");
        }
        if !(9..=24).contains(&block_bits) {
            return refuse("a block size between 512 bytes and 16 MiB");
        }
        match start.checked_add(len) {
            Some(stop) if start >= end && stop <= directory_at && start.is_multiple_of(64) => end = stop,
            _ => return refuse("sections that follow one another before the directory"),
        }
        if u64::from(first) != blocks {
            return refuse("checksums in the order of sections");
        }
        blocks += len.div_ceil(1 << block_bits);
        entries.push(Entry { id, block_bits, range: start..start + len, first_checksum: first as usize });
    }
    let table_at = end.next_multiple_of(SECTION_ALIGN as u64);
    let table = table_at..table_at + blocks * 4;
    let roots = (blocks * 4).div_ceil(TABLE_BLOCK_BYTES as u64);
    let follows = table.end.next_multiple_of(SECTION_ALIGN as u64) == directory_at;
    if !follows || r.remaining() as u64 != roots * 4 {
        let expected = "one checksum a block, before the directory";
        return Err(crate::base::DecodeError { offset: r.offset(), expected });
    }
    debug_assert_eq!(r.offset(), sections as usize * ENTRY_BYTES);
    let roots = (0..roots).map(|_| r.u32()).collect::<Result<_, _>>()?;
    Ok(Directory { entries, table, roots: Some(roots) })
}

/// A section read a range at a time.
#[derive(Debug, Clone)]
pub struct Rows {
    inner: Arc<Inner>,
    entry: Entry,
}

impl Rows {
    /// How many bytes the section has.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.entry.range.end - self.entry.range.start
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes of a range of the section, checked.
    ///
    /// # Errors
    /// `corrupt` when the range is not within the section or a block is damaged; `not_resident`.
    pub fn read(&self, range: Range<u64>) -> Result<Cow<'_, [u8]>> {
        if range.start > range.end || range.end > self.len() {
            let expected = format!("a range within {} bytes", self.len());
            return Err(Error::corrupt(self.inner.id.object(), self.entry.range.start, expected));
        }
        let base = self.entry.range.start;
        let source = &self.inner.source;
        self.inner
            .check_blocks(&self.entry, range.clone(), |r| Ok(source.rows(base + r.start..base + r.end)?))?;
        Ok(source.rows(base + range.start..base + range.end)?)
    }
}

/// A blob whose bytes are all in memory.
#[derive(Debug)]
pub struct Resident<B>(Arc<B>);

impl<B: AsRef<[u8]> + Send + Sync + fmt::Debug + 'static> Resident<B> {
    /// Shares the bytes.
    #[must_use]
    pub fn new(bytes: Arc<B>) -> Self {
        Self(bytes)
    }

    fn range(&self, range: Range<u64>) -> Result<Range<usize>, StorageError> {
        let len = (*self.0).as_ref().len() as u64;
        if range.start > range.end || range.end > len {
            let expected = format!("a range within {len} bytes");
            return Err(StorageError::Corrupt { object: "blob".into(), offset: len, expected });
        }
        Ok(range.start as usize..range.end as usize)
    }
}

impl<B: AsRef<[u8]> + Send + Sync + fmt::Debug + 'static> BlobSource for Resident<B> {
    fn len(&self) -> u64 {
        (*self.0).as_ref().len() as u64
    }

    fn pinned(&self, range: Range<u64>) -> Result<Pinned, StorageError> {
        let range = self.range(range)?;
        Ok(Pinned::new(Arc::clone(&self.0) as Arc<dyn AsRef<[u8]> + Send + Sync>, range))
    }

    fn rows(&self, range: Range<u64>) -> Result<Cow<'_, [u8]>, StorageError> {
        Ok(Cow::Borrowed(&(*self.0).as_ref()[self.range(range)?]))
    }
}

#[cfg(test)]
#[path = "blob_tests.rs"]
mod tests;
