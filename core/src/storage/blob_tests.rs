//! Blobs with every kind of damage.

use super::*;

fn sample(id: BlobId) -> AlignedBytes {
    let big: Vec<u8> = (0..10_000u32).flat_map(u32::to_le_bytes).collect();
    build(id, &[Section::pinned(1, vec![7; 100]), Section::rows(2, big), Section::pinned(3, Vec::new())])
}

fn open(id: BlobId, bytes: AlignedBytes) -> Result<Blob> {
    Blob::open(id, Arc::new(Resident::new(Arc::new(bytes))))
}

#[test]
fn sections_come_back() {
    let id = BlobId::new(42, 3, BlobKind::Rows);
    let blob = open(id, sample(id)).expect("just built");
    assert_eq!(&blob.pinned(1).expect("written")[..], &[7; 100]);
    assert_eq!(blob.pinned(2).expect("written").numbers::<u32>().expect("aligned")[9_999], 9_999);
    assert_eq!(&*blob.rows(2).expect("written").read(4..8).expect("within"), 1u32.to_le_bytes());
    assert!(blob.pinned(3).expect("written").is_empty());
    assert!(blob.pinned(4).is_err());
    assert!(blob.rows(2).expect("written").read(0..40_001).is_err());
    blob.verify().expect("sound");
    assert_eq!(blob.damage().expect("readable"), []);
}

#[test]
fn every_bad_block_is_found_and_bytes_that_no_checksum_covers_too() {
    let id = BlobId::new(42, 3, BlobKind::Rows);
    let mut bad = sample(id);
    let second = (64 + 100usize).next_multiple_of(64);
    for at in [64, 64 + 100, second + 4096, second + 2 * 4096] {
        bad.as_mut_slice()[at] ^= 1;
    }
    let damage = open(id, bad).expect("its directory is sound").damage().expect("readable");
    let offsets: Vec<_> = damage.iter().filter_map(|error| error.report().position).collect();
    let found = [64, second as u64 + 4096, second as u64 + 2 * 4096, 64 + 100];
    assert_eq!(offsets, found);
}

#[test]
fn every_flipped_bit_and_every_truncation_is_detected() {
    let id = BlobId::new(42, 3, BlobKind::Rows);
    let sound = build(id, &[Section::pinned(1, vec![7; 100]), Section::rows(2, vec![1; 600])]);
    let padding = 64 + 100..64 + 128;
    let table = (64 + 128 + 600usize).next_multiple_of(64);
    let gaps = [padding, 64 + 128 + 600..table, table + 2 * 4..(table + 2 * 4).next_multiple_of(64)];
    for at in (0..sound.len()).filter(|at| !gaps.iter().any(|gap| gap.contains(at))) {
        for bit in 0..8 {
            let mut bad = AlignedBytes::copy_of(&sound);
            bad.as_mut_slice()[at] ^= 1 << bit;
            let found = open(id, bad).and_then(|blob| blob.verify());
            let code = found.expect_err("a flipped bit must not go unnoticed").code();
            assert_eq!(code, "corrupt", "at {at}");
        }
    }
    for len in 0..sound.len() {
        assert!(open(id, AlignedBytes::copy_of(&sound[..len])).is_err(), "cut at {len}");
    }
}

#[test]
fn a_blob_without_header_or_footer_gives_the_blocks_that_are_sound() {
    let id = BlobId::new(42, 3, BlobKind::Codes);
    let big: Vec<u8> = (0..10_000u32).flat_map(u32::to_le_bytes).collect();
    let sound = build(id, &[Section::pinned(1, vec![7; 100]), Section::rows(2, big)]);
    let table = 192 + 40_000;
    for at in [12, 14, 20, table + 5, sound.len() - 30, sound.len() - 1] {
        let mut bad = AlignedBytes::copy_of(&sound);
        bad.as_mut_slice()[at] ^= 1;
        bad.as_mut_slice()[192 + 4096] ^= 1;
        let opened = open(id, AlignedBytes::copy_of(&bad));
        assert!(opened.and_then(|blob| blob.verify()).is_err(), "flip at {at}");
        let blob = Blob::open_damaged(id, Arc::new(Resident::new(Arc::new(bad)))).expect("found");
        let rows = blob.rows(2).expect("there");
        assert!(rows.read(4096..4100).is_err(), "block 1 is damaged");
        assert_eq!(&*rows.read(36_864..36_868).expect("block 9 is sound"), 9_216u32.to_le_bytes());
        let first_is_sound = at != table + 5;
        assert_eq!(rows.read(0..4).is_ok(), first_is_sound, "flip at {at}");
    }
}

#[test]
fn a_blob_of_another_file_is_refused() {
    let id = BlobId::new(42, 3, BlobKind::Rows);
    for other in [BlobId::new(43, 3, BlobKind::Rows), BlobId::new(42, 4, BlobKind::Rows)] {
        assert_eq!(open(other, sample(id)).expect_err("not its own").code(), "corrupt");
    }
}

/// The directory once held every checksum, so that opening a blob of a gigabyte read a megabyte.
#[test]
fn opening_reads_no_more_of_a_large_blob_than_of_a_small_one() {
    #[derive(Debug)]
    struct Counting(Resident<AlignedBytes>, AtomicU64);
    impl BlobSource for Counting {
        fn len(&self) -> u64 {
            self.0.len()
        }
        fn pinned(&self, range: Range<u64>) -> Result<Pinned, StorageError> {
            self.1.fetch_add(range.end - range.start, Ordering::Relaxed);
            self.0.pinned(range)
        }
        fn rows(&self, range: Range<u64>) -> Result<Cow<'_, [u8]>, StorageError> {
            self.1.fetch_add(range.end - range.start, Ordering::Relaxed);
            self.0.rows(range)
        }
    }
    let id = BlobId::new(42, 3, BlobKind::Rows);
    let read = |len: usize| {
        let bytes = build(id, &[Section::pinned(1, vec![7; 100]), Section::rows(2, vec![1; len])]);
        let source = Arc::new(Counting(Resident::new(Arc::new(bytes)), AtomicU64::new(0)));
        let blob = Blob::open(id, Arc::<Counting>::clone(&source)).expect("sound");
        let opened = source.1.load(Ordering::Relaxed);
        blob.rows(2).expect("there").read(len as u64 - 1..len as u64).expect("sound");
        (opened, source.1.load(Ordering::Relaxed) - opened)
    };
    let (small, large) = (read(100), read(64 << 20));
    assert_eq!(large.0 - small.0, 16 * 4, "64 MiB have 17 blocks of checksums");
    assert!(large.1 <= 4096 + 4096 + 4 + 1, "one block of checksums and one of rows: {}", large.1);
}

#[test]
fn a_damaged_checksum_of_checksums_is_told_and_costs_no_rows_when_saving() {
    let id = BlobId::new(42, 3, BlobKind::Rows);
    let mut bad = sample(id);
    let root = bad.len() - FOOTER_BYTES - 2;
    bad.as_mut_slice()[root] ^= 1;
    assert!(open(id, AlignedBytes::copy_of(&bad)).is_err(), "the directory has a checksum");
    let blob = Blob::open_damaged(id, Arc::new(Resident::new(Arc::new(bad)))).expect("found");
    assert_eq!(blob.damage().expect("readable"), []);
}
