//! The numbers that name things inside a collection, and the form of the names users give.

use super::error::{Error, InputError};
use super::limits::{ID_BYTES_MAX, NAME_BYTES_MAX};

/// Given to an external id at its first mention, logged, never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key(pub u32);

/// Order of versions within a collection; breaks every tie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Seq(pub u64);

/// Position of a frame in a collection's log; the first frame is 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Lsn(pub u64);

/// A place in one segment or chunk; never leaves it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Slot(pub u32);

impl Slot {
    /// As an index into the segment's arrays.
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// Refuses a document id that cannot be stored.
///
/// # Errors
/// `invalid_id` when it is empty, longer than [`ID_BYTES_MAX`] or holds a NUL.
pub fn check_id(id: &str) -> Result<(), Error> {
    if id.is_empty() || id.len() > ID_BYTES_MAX || id.contains('\0') {
        let expected = format!("1 to {ID_BYTES_MAX} bytes of UTF-8 without NUL");
        return Err(InputError::Id { got: shorten(id), expected }.into());
    }
    Ok(())
}

/// Refuses a collection name that is not `[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}`.
///
/// # Errors
/// `invalid_name`.
pub fn check_name(name: &str) -> Result<(), Error> {
    let tail_ok = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-');
    let first_ok = name.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric() || b == b'_');
    if !first_ok || name.len() > NAME_BYTES_MAX || !name.bytes().all(tail_ok) {
        let expected = "1 to 128 letters, digits, underscores, dots and hyphens, the first a letter, digit or underscore";
        return Err(InputError::Name { got: shorten(name), expected }.into());
    }
    Ok(())
}

/// The name of the collection that is the key-value store of a database: one that no user can give.
pub const KV_NAME: &str = "$kv";

/// The first 64 characters of outside text, for an error message.
#[must_use]
pub fn shorten(text: &str) -> String {
    let mut short: String = text.chars().take(64).collect();
    if short.len() < text.len() {
        short.push_str("...");
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_be_paths_are_refused() {
        for name in [
            "",
            "..",
            "../x",
            "a/b",
            ".hidden",
            "-x",
            "a b",
            "a\0",
            "\u{e9}t\u{e9}",
            KV_NAME,
            &"x".repeat(129),
        ] {
            assert_eq!(check_name(name).expect_err(name).code(), "invalid_name");
        }
        for name in ["a", "_a", "A.b-c_9", &"x".repeat(128)] {
            check_name(name).expect(name);
        }
    }

    #[test]
    fn ids_may_be_any_text_of_bounded_length() {
        check_id("../../etc/passwd \u{202e}").expect("ids never become paths");
        assert_eq!(check_id("").expect_err("empty").code(), "invalid_id");
        assert_eq!(check_id(&"x".repeat(1025)).expect_err("long").code(), "invalid_id");
        assert_eq!(check_id("a\0b").expect_err("NUL").code(), "invalid_id");
    }
}
