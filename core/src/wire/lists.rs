//! Lists of a bounded length: what is read of one never takes more room than the largest that is accepted.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, SeqAccess, Visitor};

/// Reads a list of up to `MAX` values, and of a longer one `MAX + 1`: enough for who checks how many there are to refuse
/// it. What comes after them is passed over.
///
/// # Errors
/// What is wrong with a value.
pub fn up_to<'de, const MAX: usize, T: Deserialize<'de>, D: Deserializer<'de>>(
    d: D,
) -> Result<Vec<T>, D::Error> {
    struct UpTo<const MAX: usize, T>(PhantomData<T>);
    impl<'de, const MAX: usize, T: Deserialize<'de>> Visitor<'de> for UpTo<MAX, T> {
        type Value = Vec<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a sequence")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<T>, A::Error> {
            let mut values = Vec::new();
            while values.len() <= MAX
                && let Some(value) = seq.next_element()?
            {
                values.push(value);
            }
            while seq.next_element::<IgnoredAny>()?.is_some() {}
            Ok(values)
        }
    }
    d.deserialize_seq(UpTo::<MAX, T>(PhantomData))
}

#[cfg(test)]
mod tests {
    use crate::base::limits::{BATCH_MAX, BULK_MAX, FACETS_MAX, SCAN_MAX, SEARCHES_MAX, SORT_KEYS_MAX};
    use crate::wire::{
        AddBody, ChangeBody, GetBody, IdsBody, LinksBody, SearchBody, SearchesBody, UnlinksBody, parse,
    };

    /// A client sends ten times as many searches, ids, edges or documents as are taken: of each list as many are held
    /// as it takes to refuse it, however long it is. One that is as long as it may be is read whole.
    #[test]
    fn no_more_of_a_list_is_held_than_is_taken() {
        fn list(field: &str, value: &str, count: usize) -> String {
            format!("{{\"{field}\": [{}]}}", vec![value; count].join(","))
        }
        macro_rules! held {
            ($body:ty, $field:ident, $value:expr, $max:expr) => {
                for count in [0, $max, $max + 1, 2 * $max, 10 * $max] {
                    let json = list(stringify!($field), $value, count);
                    let body: $body = parse(json.as_bytes()).expect("a sound body");
                    assert_eq!(body.$field.len(), count.min($max + 1), "{count} {}", stringify!($body));
                }
                let broken =
                    format!("{}}}", list(stringify!($field), $value, 2 * $max).trim_end_matches("]}"));
                assert!(parse::<$body>(broken.as_bytes()).is_err(), "what is passed over is JSON too");
            };
        }
        held!(SearchesBody, searches, "{}", SEARCHES_MAX);
        held!(GetBody, ids, "\"\"", SCAN_MAX);
        held!(IdsBody, ids, "\"\"", SCAN_MAX);
        held!(ChangeBody, ids, "\"\"", BATCH_MAX);
        held!(UnlinksBody, edges, r#"{"source":"","relation":"","target":""}"#, BATCH_MAX);
        held!(LinksBody<'_>, edges, r#"{"source":"","relation":"","target":""}"#, BATCH_MAX);
        held!(SearchBody, facets, "\"\"", FACETS_MAX);
        held!(SearchBody, sort, "\"\"", SORT_KEYS_MAX);
        let json = list("documents", r#"{"id":""}"#, BULK_MAX + 2);
        let body: AddBody<'_> = parse(json.as_bytes()).expect("a sound body");
        assert_eq!(body.documents.len(), BULK_MAX + 1);
    }
}
