//! libFuzzer's program of the target `filter`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| kithdb_tests::fuzz::run("filter", data));
