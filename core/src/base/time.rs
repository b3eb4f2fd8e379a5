//! Moments and spans of time, in nanoseconds since 1970 UTC, and how users write them.
//!
//! RFC 3339 is read and written here: the libraries that do it would make the browser module a fifth larger.

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
    text.parse().ok().or_else(|| rfc3339(text)).ok_or_else(refuse)
}

const SECOND: i128 = 1_000_000_000;

/// `2026-11-21T10:00:00.5+01:00`: a date, `T`, a time, any number of digits of its second (those after the ninth are
/// left out), and `Z` or the distance to UTC.
fn rfc3339(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    let number = |from: usize, digits: usize| -> Option<i64> {
        let run = bytes.get(from..from + digits)?;
        run.iter().try_fold(0, |n, b| b.is_ascii_digit().then(|| n * 10 + i64::from(b - b'0')))
    };
    let is = |at: usize, any: &[u8]| bytes.get(at).is_some_and(|b| any.contains(b));
    let shape = is(4, b"-") && is(7, b"-") && is(10, b"Tt ") && is(13, b":") && is(16, b":");
    let (year, month, day) = (number(0, 4)?, number(5, 2)?, number(8, 2)?);
    let (hour, minute, second) = (number(11, 2)?, number(14, 2)?, number(17, 2)?);
    if !shape || !(1..=12).contains(&month) || !(1..=days_in(year, month)).contains(&day) {
        return None;
    }
    // A leap second is the last one of its minute once more.
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let (mut at, mut fraction) = (19, 0);
    if is(19, b".") {
        let digits = bytes[20..].iter().take_while(|b| b.is_ascii_digit()).count();
        let kept = digits.min(9);
        fraction = number(20, kept)? * 10_i64.pow(9 - kept as u32);
        at = 20 + digits;
        if digits == 0 {
            return None;
        }
    }
    let offset = match bytes.get(at)? {
        b'Z' | b'z' if bytes.len() == at + 1 => 0,
        sign @ (b'+' | b'-') if bytes.len() == at + 6 && is(at + 3, b":") => {
            let (hours, minutes) = (number(at + 1, 2)?, number(at + 4, 2)?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            (hours * 60 + minutes) * if *sign == b'+' { 60 } else { -60 }
        }
        _ => return None,
    };
    let seconds =
        days_before(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second.min(59) - offset;
    i64::try_from(i128::from(seconds) * SECOND + i128::from(fraction)).ok()
}

pub(super) fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 to a date of the Gregorian calendar. Years begin in March, so that the leap day is their last,
/// and every 400 of them have the same 146,097 days.
pub(super) fn days_before(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The date that so many days after 1970-01-01 is: year, month, day.
fn date_of(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let years = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * years + years / 4 - years / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (year, month) = (years + era * 400, if month < 10 { month + 3 } else { month - 9 });
    (if month <= 2 { year + 1 } else { year }, month, day)
}

/// A moment in RFC 3339, with as many digits of its second as it takes.
#[must_use]
pub fn format_time(ns: i64) -> String {
    let (seconds, fraction) = (ns.div_euclid(1_000_000_000), ns.rem_euclid(1_000_000_000));
    let (days, of_day) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = date_of(days);
    let (hour, minute, second) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
    let mut text = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}");
    if fraction > 0 {
        text.push_str(format!(".{fraction:09}").trim_end_matches('0'));
    }
    text.push('Z');
    text
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
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_moment_comes_back_from_its_text() {
        for ns in [0, 1, -1, 1_795_251_600_500_000_000, i64::MIN, i64::MAX, 999_999_999] {
            assert_eq!(parse_time("t", &format_time(ns)).expect("written above"), ns, "{}", format_time(ns));
        }
        assert_eq!(format_time(1_000), "1970-01-01T00:00:00.000001Z");
    }

    proptest! {
        #[test]
        fn moments_are_written_and_read_as_a_library_does(ns: i64) {
            let text = format_time(ns);
            let theirs: Timestamp = text.parse().expect("RFC 3339");
            prop_assert_eq!(theirs.as_nanosecond(), i128::from(ns));
            prop_assert_eq!(parse_time("t", &theirs.to_string()).expect("RFC 3339"), ns);
        }

        #[test]
        fn whatever_is_read_as_a_moment_is_one(text in "[0-9]{4}-[01][0-9]-[0-3][0-9][Tt ][0-2][0-9]:[0-6][0-9]:[0-6][0-9](\\.[0-9]{0,9})?([Zz]|[+-][01][0-9]:[0-5][0-9])") {
            let in_range = |t: Timestamp| i64::try_from(t.as_nanosecond()).ok();
            prop_assert_eq!(rfc3339(&text), text.parse().ok().and_then(in_range), "{}", text);
        }

        #[test]
        fn any_text_is_read_or_refused(text: String) {
            let _ = parse_time("t", &text);
            let _ = parse_span("t", &text);
        }
    }

    #[test]
    fn digits_beyond_the_ninth_are_left_out_and_no_zone_is_a_day_away() {
        let ns = parse_time("t", "1970-01-01T00:00:00.0000000019Z").expect("more digits than are kept");
        assert_eq!(ns, 1);
        for bad in ["1970-01-01T00:00:00+24:00", "1970-01-01T00:00:00.Z", "1970-01-01T00:00:00-00:60"] {
            assert_eq!(parse_time("t", bad).expect_err(bad).code(), "invalid_parameter");
        }
    }

    #[test]
    fn what_is_no_moment_is_refused() {
        let cut = &format_time(1_795_251_600_500_000_000);
        for bad in (0..cut.len()).map(|len| &cut[..len]).filter(|text| text.parse::<i64>().is_err()) {
            assert_eq!(parse_time("as_of", bad).expect_err(bad).code(), "invalid_parameter");
        }
        for bad in
            ["yesterday", "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "9999-01-01T00:00:00Z", "1e9"]
        {
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
