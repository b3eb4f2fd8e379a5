//! Every decoder of bytes from outside against the committed corpus of fuzzing, the seeds of its targets, and changes of
//! both: no panic, and what is read and written again is the same. `npm run prove -- fuzz` looks for more.

use std::path::PathBuf;

use kithdb::base::Rng;
use kithdb_tests::fuzz::{TARGETS, Target, mutate};
use kithdb_tests::places;

/// Changed inputs a target, besides the corpus.
const MUTANTS: usize = 10_000;

fn corpus(target: &Target) -> Vec<Vec<u8>> {
    let folder: PathBuf = places::root().join("fuzz/corpus").join(target.name);
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("readable").path()).collect();
    files.sort();
    assert!(!files.is_empty(), "{} is empty", folder.display());
    let mut inputs = (target.seeds)();
    inputs.extend(files.iter().map(|file| std::fs::read(file).expect("readable")));
    inputs
}

/// Says which input it was when a target panics: a file, so that it can be kept in the corpus.
fn run(target: &Target, input: &[u8]) {
    let Err(panic) = std::panic::catch_unwind(|| (target.run)(input)) else { return };
    let path = std::env::temp_dir().join(format!("kithdb-fuzz-{}-{}", target.name, std::process::id()));
    std::fs::write(&path, input).expect("writable");
    eprintln!("target {}: the input is {}", target.name, path.display());
    std::panic::resume_unwind(panic);
}

fn replay(target: &Target) -> usize {
    let inputs = corpus(target);
    inputs.iter().for_each(|input| run(target, input));
    let mut rng = Rng::new(20_261_121);
    for _ in 0..MUTANTS {
        let one = &inputs[rng.below(inputs.len() as u64) as usize];
        let other = &inputs[rng.below(inputs.len() as u64) as usize];
        run(target, &mutate(one, other, &mut rng));
    }
    inputs.len() + MUTANTS
}

#[test]
fn no_decoder_panics_on_the_corpus_or_on_changes_of_it() {
    for target in &TARGETS {
        let executions = replay(target);
        println!("counted: fuzz-{} executions={executions} crashes=0", target.name);
    }
}
