//! Decimal numbers as filters have them: what Rust reads as a number, read by the reader of JSON.
//!
//! Both round to the nearest. That of JSON is there anyway; Rust's own brings a table of ten kilobytes that cannot be
//! compressed, and the browser module would be larger by all of it.

/// The number nearest to a text of digits, with a sign, a point and an exponent where it has them; `None` when it is of
/// another form, or too large.
pub(super) fn decimal(text: &str) -> Option<f64> {
    let (sign, size) = match text.strip_prefix('-') {
        Some(size) => ("-", size),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let (mantissa, exponent) = size.split_once(['e', 'E']).unwrap_or((size, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let power = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    let are_digits = [whole, fraction, power].iter().all(|part| part.bytes().all(|b| b.is_ascii_digit()));
    if !are_digits || power.is_empty() || whole.len() + fraction.len() == 0 {
        return None;
    }
    // JSON has neither leading zeros nor a point without digits on both sides.
    let digits = [whole.trim_start_matches('0'), fraction];
    let [whole, fraction] = digits.map(|digits| if digits.is_empty() { "0" } else { digits });
    serde_json::from_str(&format!("{sign}{whole}.{fraction}e{exponent}")).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::decimal;

    proptest! {
        #[test]
        fn long_texts_are_what_rust_reads(text in "[+-]?[0-9]{0,30}[.]?[0-9]{0,30}(e[+-]?[0-9]{0,3})?") {
            check(&text);
        }

        #[test]
        fn numbers_come_back(number: f64) {
            check(&format!("{number}"));
            check(&format!("{number:e}"));
        }
    }

    fn check(text: &str) {
        let expected = text.parse::<f64>().ok().filter(|x| x.is_finite());
        assert_eq!(decimal(text).map(f64::to_bits), expected.map(f64::to_bits), "{text:?}");
    }

    #[test]
    fn every_short_text_is_what_rust_reads() {
        let mut texts = vec![String::new()];
        check("");
        for _ in 0..6 {
            let longer = |text: &String| b"01+-.e".map(|byte| format!("{text}{}", char::from(byte)));
            texts = texts.iter().flat_map(longer).collect();
            texts.iter().for_each(|text| check(text));
        }
    }

    #[test]
    fn numbers_at_the_ends_of_what_there_is() {
        let zeros = "0".repeat(400);
        for text in [
            "1.7976931348623157e308",
            "1.7976931348623158e308",
            "1.7976931348623159e308",
            "1e309",
            "1e99999999999",
            "0e99999999999",
            "1e-99999999999",
            "5e-324",
            "2.4703282292062327e-324",
            "2.4703282292062328e-324",
            "2.2250738585072011e-308",
            "9007199254740993",
            "9007199254740992.99999999999999999999",
            &format!("1{zeros}e-400"),
            &format!("0.{zeros}1e401"),
            &format!("0.{zeros}1"),
        ] {
            check(text);
        }
    }
}
