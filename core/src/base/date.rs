//! Dates and times in text, as moments that can be compared: what a filter's `date('...')` and a document's text mean.
//!
//! ISO 8601 in its extended form: `2024-05-01`, and with `T` or a space a time `10:00`, `10:00:30` or `10:00:30.5`, then `Z`,
//! a distance to UTC such as `+02:00`, or nothing, which is UTC. A date alone is its first moment. The years are those of
//! four digits.

use super::time::{days_before, days_in};

/// The longest text that is a date.
const BYTES_MAX: usize = "2024-05-01T10:00:00.123456789+02:00".len();
/// The shortest.
const BYTES_MIN: usize = "2024-05-01".len();

/// A moment between the years 0 and 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    /// Since 1970 UTC.
    seconds: i64,
    /// Of the second; below a billion.
    nanos: u32,
}

impl Date {
    /// The moment that a text means; `None` when it is no date.
    ///
    /// # Examples
    /// ```
    /// use kithdb::base::Date;
    ///
    /// assert_eq!(Date::parse("2024-05-01"), Date::parse("2024-05-01T02:00+02:00"));
    /// assert!(Date::parse("2024-05-01T10:00:00Z") < Date::parse("2024-05-01 10:00:00.5"));
    /// assert_eq!(Date::parse("1 May 2024"), None);
    /// ```
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        if !Self::has_length(bytes.len()) {
            return None;
        }
        let mut rest = Digits(bytes);
        let (year, month) = (rest.number(4)?, rest.after(b"-")?.number(2)?);
        let day = rest.after(b"-")?.number(2)?;
        if !(1..=12).contains(&month) || !(1..=days_in(year, month)).contains(&day) {
            return None;
        }
        let midnight = days_before(year, month, day) * 86_400;
        if rest.0.is_empty() {
            return Some(Self { seconds: midnight, nanos: 0 });
        }
        let (hour, minute) = (rest.after(b"Tt ")?.number(2)?, rest.after(b":")?.number(2)?);
        let second = if rest.begins(b":") { rest.after(b":")?.number(2)? } else { 0 };
        // A leap second is the last one of its minute once more.
        if hour > 23 || minute > 59 || second > 60 {
            return None;
        }
        let nanos = if bytes.len() - rest.0.len() == 19 && rest.begins(b".") { rest.fraction()? } else { 0 };
        let of_day = hour * 3_600 + minute * 60 + second.min(59);
        Some(Self { seconds: midnight + of_day - rest.offset()?, nanos })
    }

    /// Whether a text of so many bytes can be a date.
    #[must_use]
    pub fn has_length(bytes: usize) -> bool {
        (BYTES_MIN..=BYTES_MAX).contains(&bytes)
    }

    /// Whether a text can be a date whose first eight bytes these are.
    #[must_use]
    pub fn begins_with(first: [u8; 8]) -> bool {
        first.iter().enumerate().all(|(i, b)| if i == 4 || i == 7 { *b == b'-' } else { b.is_ascii_digit() })
    }
}

/// What is left of a text.
struct Digits<'a>(&'a [u8]);

impl Digits<'_> {
    fn begins(&self, any: &[u8]) -> bool {
        self.0.first().is_some_and(|b| any.contains(b))
    }

    /// What follows one of some characters.
    fn after(&mut self, any: &[u8]) -> Option<&mut Self> {
        self.begins(any).then(|| {
            self.0 = &self.0[1..];
            self
        })
    }

    /// A number of so many digits.
    fn number(&mut self, digits: usize) -> Option<i64> {
        let (run, rest) = self.0.split_at_checked(digits)?;
        self.0 = rest;
        run.iter().try_fold(0, |n, b| b.is_ascii_digit().then(|| n * 10 + i64::from(b - b'0')))
    }

    /// A point and one to nine digits of a second.
    fn fraction(&mut self) -> Option<u32> {
        self.after(b".")?;
        let digits = self.0.iter().take_while(|b| b.is_ascii_digit()).count();
        if !(1..=9).contains(&digits) {
            return None;
        }
        let value = u32::try_from(self.number(digits)?).ok()?;
        Some(value * 10_u32.pow(9 - digits as u32))
    }

    /// How many seconds a time of here is before that of UTC; all that is left of the text.
    fn offset(&mut self) -> Option<i64> {
        let sign = match self.0 {
            [] | [b'Z' | b'z'] => return Some(0),
            [b'+', ..] => 1,
            _ => -1,
        };
        let (hours, minutes) = (self.after(b"+-")?.number(2)?, self.after(b":")?.number(2)?);
        (hours < 24 && minutes < 60 && self.0.is_empty()).then_some(sign * (hours * 60 + minutes) * 60)
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::super::time::parse_time;
    use super::*;

    fn of(text: &str) -> Option<(i64, u32)> {
        Date::parse(text).map(|date| (date.seconds, date.nanos))
    }

    proptest! {
        #[test]
        fn dates_are_the_moments_that_others_read(
            text in "[0-2][0-9]{3}-[01][0-9]-[0-3][0-9][T ][0-2][0-9]:[0-5][0-9](:[0-6][0-9](\\.[0-9]{1,9})?)?(Z|[+-][01][0-9]:[0-5][0-9])",
        ) {
            let with_seconds = if text.as_bytes()[16] == b':' { text.clone() } else { format!("{}:00{}", &text[..16], &text[16..]) };
            let expected: Option<Timestamp> = with_seconds.parse().ok();
            let ns = of(&text).map(|(seconds, nanos)| i128::from(seconds) * 1_000_000_000 + i128::from(nanos));
            prop_assert_eq!(ns, expected.map(Timestamp::as_nanosecond), "{}", &text);
            if let Some(time) = Date::parse(&text).and_then(|_| parse_time("t", &with_seconds).ok()) {
                prop_assert_eq!(ns, Some(i128::from(time)), "the moment of other times of the product");
            }
        }

        #[test]
        fn any_text_is_read_or_not_and_what_is_read_can_be_told_by_its_beginning(text in "\\PC{0,40}|[0-9TZ:+ .-]{8,36}|2024-0[0-9]-0[0-9][0-9TZ:+ .-]{0,25}") {
            if Date::parse(&text).is_some() {
                let mut first = [0; 8];
                first.copy_from_slice(&text.as_bytes()[..8]);
                prop_assert!(Date::begins_with(first) && Date::has_length(text.len()));
            }
        }
    }

    #[test]
    fn what_a_text_leaves_out_is_zero_and_the_zone_is_utc() {
        let may = 1_714_521_600;
        for (text, seconds, nanos) in [
            ("2024-05-01", may, 0),
            ("2024-05-01T00:00", may, 0),
            ("2024-05-01 10:00:30", may + 36_030, 0),
            ("2024-05-01t10:00:30.25z", may + 36_030, 250_000_000),
            ("2024-05-01T10:00+02:00", may + 8 * 3600, 0),
            ("2024-05-01T10:00:00.123456789-00:30", may + 36_000 + 1800, 123_456_789),
            ("1969-12-31T23:59:60Z", -1, 0),
            ("0000-01-01", -62_167_219_200, 0),
            ("9999-12-31T23:59:59.999999999-23:59", 253_402_300_799 + 86_340, 999_999_999),
        ] {
            assert_eq!(of(text), Some((seconds, nanos)), "{text}");
        }
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in [
            "",
            "2024",
            "2024-05",
            "2024-5-1",
            "20240501",
            "2024-02-30",
            "2023-02-29",
            "2024-13-01",
            "2024-00-01",
            "2024-05-00",
            "+2024-05-01",
            "2024-05-01T",
            "2024-05-01T10",
            "2024-05-01T24:00",
            "2024-05-01T10:60",
            "2024-05-01T10:00.5",
            "2024-05-01T10:00:61Z",
            "2024-05-01T10:00:00.Z",
            "2024-05-01T10:00:00.1234567890",
            "2024-05-01T10:00+0200",
            "2024-05-01T10:00+24:00",
            "2024-05-01T10:00+02:60",
            "2024-05-01T10:00+02:00 ",
            "2024-05-01Z",
            " 2024-05-01",
            "2024-05-01T10:00:00*02:00",
            "2024\u{2d}05\u{2010}01",
        ] {
            assert_eq!(Date::parse(text), None, "{text}");
        }
    }
}
