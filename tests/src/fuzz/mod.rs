//! What is done with bytes from outside by every decoder there is: nothing may panic, hang or take memory without bound,
//! and what is read and written again is the same.
//!
//! A target is a function of bytes. libFuzzer calls it (`fuzz/`, `npm run prove -- fuzz`), and so does
//! `tests/suite/fuzz_corpus.rs` with what fuzzing found, the seeds, and changes of both. A decoder would answer almost
//! anything with "wrong checksum", so the harness puts checksums right before it asks.

mod blob;
mod embedder;
mod export;
mod filter;
mod log;
mod manifest;
mod mutate;
mod seeds;
mod text;
mod time;
mod wire;

pub use mutate::mutate;

/// Bytes from outside, and what is done with them.
pub struct Target {
    /// Its name: of the folder of its corpus, and of libFuzzer's program.
    pub name: &'static str,
    /// Panics when a promise is broken.
    pub run: fn(&[u8]),
    /// Sound inputs, made by the engine.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

/// Every target.
pub const TARGETS: [Target; 9] = [
    Target { name: "log", run: log::run, seeds: log::seeds },
    Target { name: "blob", run: blob::run, seeds: blob::seeds },
    Target { name: "manifest", run: manifest::run, seeds: manifest::seeds },
    Target { name: "export", run: export::run, seeds: export::seeds },
    Target { name: "filter", run: filter::run, seeds: filter::seeds },
    Target { name: "wire", run: wire::run, seeds: wire::seeds },
    Target { name: "text", run: text::run, seeds: text::seeds },
    Target { name: "time", run: time::run, seeds: time::seeds },
    Target { name: "embedder", run: embedder::run, seeds: embedder::seeds },
];

/// Runs a target by name.
///
/// # Panics
/// When there is none, or when a promise is broken.
pub fn run(name: &str, data: &[u8]) {
    let target = TARGETS.iter().find(|target| target.name == name).expect("a target");
    (target.run)(data);
}

/// A seed: the bytes that choose, and what they choose for.
fn seed(choice: &[u8], bytes: &[u8]) -> Vec<u8> {
    [choice, bytes].concat()
}

/// Puts a number where it belongs, if that is within the bytes.
fn write_u32(bytes: &mut [u8], at: usize, number: u32) {
    if let Some(place) = bytes.get_mut(at..at + 4) {
        place.copy_from_slice(&number.to_le_bytes());
    }
}

fn read_u64(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..at.checked_add(8)?)?.try_into().ok().map(u64::from_le_bytes)
}

fn read_u32(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at.checked_add(4)?)?.try_into().ok().map(u32::from_le_bytes)
}
