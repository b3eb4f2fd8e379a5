//! libFuzzer's program of the target `export`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| kithdb_tests::fuzz::run("export", data));
