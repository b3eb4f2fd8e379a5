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

/// Whether this process runs one test and no other; else has one run this test. Threads of other tests take and free
/// pieces, too, and what lies free in the heap is given out before pages are.
fn is_alone(test: &str) -> bool {
    if std::env::var_os(ALONE).is_some() {
        return true;
    }
    let itself = std::env::current_exe().expect("the tests are a program");
    let mut alone = std::process::Command::new(itself);
    let test = format!("storage::mmap::tests::{test}");
    let ended = alone.args(["--exact", &test, "--test-threads=1"]).env(ALONE, "1").status();
    assert!(ended.expect("it can be started").success());
    false
}

#[test]
fn large_pieces_have_pages_of_their_own_though_larger_ones_were_freed() {
    if !is_alone("large_pieces_have_pages_of_their_own_though_larger_ones_were_freed") {
        return;
    }
    drop(std::hint::black_box(vec![1u8; 8 << 20]));
    assert!(with_own_pages() < 8, "the control: glibc does what is to be ended");
    keep_heap_compact();
    drop(std::hint::black_box(vec![1u8; 8 << 20]));
    assert_eq!(with_own_pages(), 8);
}

#[test]
fn the_heap_tells_what_is_taken_and_what_of_it_is_used() {
    if !is_alone("the_heap_tells_what_is_taken_and_what_of_it_is_used") {
        return;
    }
    const PIECE: u64 = 1 << 10;
    const PIECES: u64 = 1 << 10;
    let now = || heap().expect("glibc 2.33 or later");
    let mut pieces = Vec::with_capacity(PIECES as usize);
    let before = now();
    // Small ones, in an arena, and a large one with pages of its own.
    pieces.extend((0..PIECES).map(|_| Vec::<u8>::with_capacity(PIECE as usize)));
    let large = std::hint::black_box(vec![1u8; 8 << 20]);
    let held = now();
    assert!(held.used >= before.used + PIECES * PIECE + (8 << 20), "{before:?} {held:?}");
    drop((std::hint::black_box(pieces), large));
    let after = now();
    assert!(after.used < before.used + PIECE, "{before:?} {after:?}");
    assert!([before, held, after].iter().all(|heap| heap.taken >= heap.used));
}
