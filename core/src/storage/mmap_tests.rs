//! What the heap does with large pieces.

use super::*;

const PAGE: usize = 4 << 10;

/// How many of some pieces of the heap, each larger than [`OWN_PAGES_BYTES`], have pages of their own: there a piece
/// begins two words behind the beginning of a page.
fn with_own_pages() -> usize {
    let pieces: Vec<Vec<u8>> = (0..8).map(|_| Vec::with_capacity(2 * OWN_PAGES_BYTES as usize)).collect();
    pieces.iter().filter(|piece| piece.as_ptr() as usize % PAGE == 2 * size_of::<usize>()).count()
}

/// Set in the process that has the heap to itself.
const ALONE: &str = "KITH_TEST_ALONE";
const ITSELF: &str =
    "storage::mmap::tests::large_pieces_have_pages_of_their_own_though_larger_ones_were_freed";

// Threads of other tests free pieces, too, and what lies free in the heap is given out before pages are: so a process
// of its own.
#[test]
fn large_pieces_have_pages_of_their_own_though_larger_ones_were_freed() {
    if std::env::var_os(ALONE).is_none() {
        let itself = std::env::current_exe().expect("the tests are a program");
        let mut alone = std::process::Command::new(itself);
        let ended = alone.args(["--exact", ITSELF, "--test-threads=1"]).env(ALONE, "1").status();
        assert!(ended.expect("it can be started").success());
        return;
    }
    drop(std::hint::black_box(vec![1u8; 8 << 20]));
    assert!(with_own_pages() < 8, "the control: glibc does what is to be ended");
    keep_heap_compact();
    drop(std::hint::black_box(vec![1u8; 8 << 20]));
    assert_eq!(with_own_pages(), 8);
}
