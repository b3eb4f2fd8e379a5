//! Moments and spans of time as users write them.

use kithdb::base::time::{format_span, format_time, parse_span, parse_time};

pub(super) fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(ns) = parse_time("t", text) {
        assert_eq!(parse_time("t", &format_time(ns)), Ok(ns), "{text}");
    }
    if let Ok(ns) = parse_span("t", text) {
        assert_eq!(parse_span("t", &format_span(ns)), Ok(ns), "{text}");
    }
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    let texts = [
        "2026-11-21T10:00:00.5+01:00",
        "1969-12-31 23:59:60Z",
        "2024-02-29t00:00:00.123456789999z",
        "1677-09-21T00:12:43.145224192Z",
        "2262-04-11T23:47:16.854775807-23:59",
        "-9223372036854775808",
        "30d",
        "1h30m",
        "500ms",
    ];
    texts.map(|text| text.as_bytes().to_vec()).to_vec()
}
