//! Moments and spans of time, in nanoseconds since 1970 UTC, and how users write them.

use jiff::Timestamp;

use super::error::Error;
use super::ids::shorten;

/// Later than every moment.
pub const NEVER: i64 = i64::MAX;

/// A moment as users give it: RFC 3339 (`2026-11-21T10:00:00Z`), or nanoseconds since 1970 UTC in decimal.
///
/// # Errors
/// `invalid_parameter` of this name.
///
/// # Examples
/// ```
/// use kithdb::base::time::{format_time, parse_time};
///
/// let time = parse_time("as_of", "2026-11-21T10:00:00.5+01:00")?;
/// assert_eq!(format_time(time), "2026-11-21T09:00:00.5Z");
/// assert_eq!(parse_time("as_of", "1795251600500000000")?, time);
/// # Ok::<(), kithdb::base::Error>(())
/// ```
pub fn parse_time(name: &'static str, text: &str) -> Result<i64, Error> {
    let refuse = || {
        let expected = "a time like 2026-11-21T10:00:00Z, or nanoseconds since 1970 UTC";
        Error::parameter(name, format!("{:?}", shorten(text)), expected)
    };
    if let Ok(ns) = text.parse::<i64>() {
        return Ok(ns);
    }
    let parsed: Timestamp = text.parse().map_err(|_| refuse())?;
    i64::try_from(parsed.as_nanosecond()).map_err(|_| refuse())
}

/// A moment in RFC 3339, with as many digits of its second as it takes.
#[must_use]
pub fn format_time(ns: i64) -> String {
    // Every i64 is between the years 1677 and 2262, which all can be written.
    Timestamp::from_nanosecond(i128::from(ns)).map_or_else(|_| ns.to_string(), |time| time.to_string())
}

/// Units of a span and how many nanoseconds each has.
const UNITS: [(&str, i64); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
    ("d", 86_400_000_000_000),
    ("w", 604_800_000_000_000),
];

/// A span of time as users give it: whole numbers with units, `90s`, `1h30m`, `30d`. At least a nanosecond.
///
/// # Units
/// Nanoseconds.
///
/// # Errors
/// `invalid_parameter` of this name.
pub fn parse_span(name: &'static str, text: &str) -> Result<i64, Error> {
    let refuse = || {
        let expected = "a duration like 90s, 1h30m or 30d (units ns, us, ms, s, m, h, d, w)";
        Error::parameter(name, format!("{:?}", shorten(text)), expected)
    };
    let (mut total, mut rest) = (0i64, text);
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, after) = rest.split_at(digits);
        let letters = after.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (unit, after) = after.split_at(letters);
        let number: i64 = number.parse().map_err(|_| refuse())?;
        let (_, ns) = UNITS.into_iter().find(|(known, _)| *known == unit).ok_or_else(refuse)?;
        total = number.checked_mul(ns).and_then(|ns| total.checked_add(ns)).ok_or_else(refuse)?;
        rest = after;
    }
    if (1..NEVER).contains(&total) { Ok(total) } else { Err(refuse()) }
}

/// A span in the largest units that divide it: `1h30m`.
#[must_use]
pub fn format_span(mut ns: i64) -> String {
    let mut text = String::new();
    // Weeks are said in days.
    for (unit, size) in UNITS.into_iter().rev().skip(1) {
        if ns >= size {
            text.push_str(&format!("{}{unit}", ns / size));
            ns %= size;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_moment_comes_back_from_its_text() {
        for ns in [0, 1, -1, 1_795_251_600_500_000_000, i64::MIN, i64::MAX, 999_999_999] {
            assert_eq!(parse_time("t", &format_time(ns)).expect("written above"), ns, "{}", format_time(ns));
        }
        assert_eq!(format_time(1_000), "1970-01-01T00:00:00.000001Z");
    }

    #[test]
    fn what_is_no_moment_is_refused() {
        for bad in ["", "yesterday", "2026-11-21", "2026-13-01T00:00:00Z", "9999-01-01T00:00:00Z", "1e9"] {
            assert_eq!(parse_time("as_of", bad).expect_err(bad).code(), "invalid_parameter");
        }
    }

    #[test]
    fn spans_add_up_and_come_back() {
        assert_eq!(parse_span("ttl", "1h30m").expect("a span"), 5_400_000_000_000);
        assert_eq!(parse_span("ttl", "2w").expect("a span"), 14 * 86_400_000_000_000);
        for text in ["90s", "1d", "1h30m", "5ms", "1ns"] {
            let ns = parse_span("ttl", text).expect(text);
            assert_eq!(parse_span("ttl", &format_span(ns)).expect("written above"), ns);
        }
        assert_eq!(format_span(90_000_000_000), "1m30s");
        for bad in ["", "0s", "s", "5", "-1s", "1y", "1.5h", "1h 30m", "9999999w"] {
            assert_eq!(parse_span("ttl", bad).expect_err(bad).code(), "invalid_parameter");
        }
    }
}
