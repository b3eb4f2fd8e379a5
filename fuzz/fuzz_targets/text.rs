//! libFuzzer's program of the target `text`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| kithdb_tests::fuzz::run("text", data));
