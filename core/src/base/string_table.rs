//! Distinct strings, each kept once under a number, and put in order when somebody asks for that.
//!
//! Numbers are given in the order of the first mention and index whatever is kept of a string beside it. Strings lie one
//! behind the other, so that a new one takes no allocation of its own. The table is probed from a place that the hash tells;
//! hashes are kept, so that growing reads no string. They have keys of this process, which nobody can choose strings
//! against, and reach no bytes.

use std::collections::HashSet;
use std::hash::BuildHasher;
use std::sync::{LazyLock, OnceLock};

/// Empty: only the keys of its hashes are used.
static KEYS: LazyLock<HashSet<()>> = LazyLock::new(HashSet::new);

/// The hash that a table wants with a string.
#[must_use]
#[cfg_attr(kithdb_small, optimize(speed))]
#[inline]
pub fn hash(string: &str) -> u64 {
    KEYS.hasher().hash_one(string)
}

/// Strings by number.
///
/// # Examples
/// ```
/// use kithdb::base::string_table::{StringTable, hash};
///
/// let mut table = StringTable::default();
/// assert_eq!(table.number("neck", hash("neck")), (0, true));
/// assert_eq!(table.number("long", hash("long")), (1, true));
/// assert_eq!(table.number("neck", hash("neck")), (0, false));
/// assert_eq!(table.sorted(), [1, 0]);
/// ```
#[derive(Debug, Clone, Default)]
pub struct StringTable {
    text: String,
    entries: Vec<Entry>,
    /// A power of two of them, at most three quarters in use: a number and 1, or 0.
    places: Vec<u32>,
    /// The numbers in the order of their strings; made when it is first asked for.
    sorted: OnceLock<Vec<u32>>,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    hash: u64,
    /// Where the string ends in the text.
    end: usize,
}

impl StringTable {
    /// How many strings there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The string of a number.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    #[cfg_attr(kithdb_small, optimize(speed))]
    #[inline]
    pub fn string(&self, number: u32) -> &str {
        let at = number as usize;
        let start = if at == 0 { 0 } else { self.entries[at - 1].end };
        &self.text[start..self.entries[at].end]
    }

    /// The [`hash`] of a number's string.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn hash_of(&self, number: u32) -> u64 {
        self.entries[number as usize].hash
    }

    /// The number of a string with this [`hash`].
    #[must_use]
    pub fn find(&self, string: &str, hash: u64) -> Option<u32> {
        if self.places.is_empty() { None } else { self.probe(string, hash).ok() }
    }

    /// The number of a string with this [`hash`], and whether it is new.
    ///
    /// # Panics
    /// When there would be more than numbers.
    pub fn number(&mut self, string: &str, hash: u64) -> (u32, bool) {
        if self.places.len() * 3 <= self.len() * 4 {
            self.grow();
        }
        match self.probe(string, hash) {
            Ok(number) => (number, false),
            Err(place) => {
                let number = u32::try_from(self.len() + 1).expect("fewer strings than numbers") - 1;
                self.places[place] = number + 1;
                self.text.push_str(string);
                self.entries.push(Entry { hash, end: self.text.len() });
                self.sorted.take();
                (number, true)
            }
        }
    }

    /// The numbers of all strings, by ascending string.
    pub fn sorted(&self) -> &[u32] {
        self.sorted.get_or_init(|| {
            // The first bytes decide nearly always, and lie side by side.
            let mut sorted: Vec<(u64, u32)> = (0..self.len() as u32)
                .map(|number| (prefix(self.string(number).as_bytes()), number))
                .collect();
            sorted.sort_unstable_by(|(a, i), (b, j)| {
                a.cmp(b).then_with(|| self.string(*i).cmp(self.string(*j)))
            });
            sorted.into_iter().map(|(_, number)| number).collect()
        })
    }

    /// The number of a string, or the place it would have.
    #[cfg_attr(kithdb_small, optimize(speed))]
    fn probe(&self, string: &str, hash: u64) -> Result<u32, usize> {
        let mask = self.places.len() - 1;
        let mut place = hash as usize & mask;
        loop {
            let Some(number) = self.places[place].checked_sub(1) else { return Err(place) };
            if self.entries[number as usize].hash == hash && self.string(number) == string {
                return Ok(number);
            }
            place = (place + 1) & mask;
        }
    }

    fn grow(&mut self) {
        let len = (self.places.len() * 2).max(16);
        self.places.clear();
        self.places.resize(len, 0);
        for (number, entry) in (1..).zip(&self.entries) {
            let mut place = entry.hash as usize & (len - 1);
            while self.places[place] > 0 {
                place = (place + 1) & (len - 1);
            }
            self.places[place] = number;
        }
    }
}

/// The first eight bytes as a number that is ordered like them.
#[must_use]
pub fn prefix(bytes: &[u8]) -> u64 {
    let mut first = [0; 8];
    let len = bytes.len().min(8);
    first[..len].copy_from_slice(&bytes[..len]);
    u64::from_be_bytes(first)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_string_keeps_its_number_and_its_order(
            strings in prop::collection::vec("[ab\u{e9}\u{0}]{0,10}", 0..200),
            hash_bits in 0u32..65,
        ) {
            // Few bits of a hash, so that many strings want one place.
            let hash = |string: &str| hash(string).checked_shr(64 - hash_bits).unwrap_or(0);
            let (mut table, mut expected) = (StringTable::default(), BTreeMap::new());
            for string in &strings {
                let next = expected.len() as u32;
                let number = *expected.entry(string.as_str()).or_insert(next);
                let known = Some(number).filter(|_| number < next);
                prop_assert_eq!(table.find(string, hash(string)), known);
                prop_assert_eq!(table.number(string, hash(string)), (number, number == next));
                prop_assert_eq!((table.string(number), table.hash_of(number)), (string.as_str(), hash(string)));
            }
            prop_assert_eq!(table.len(), expected.len());
            prop_assert_eq!(table.find("c", hash("c")), None);
            let sorted: Vec<&str> = table.sorted().iter().map(|number| table.string(*number)).collect();
            prop_assert_eq!(sorted, expected.into_keys().collect::<Vec<_>>());
        }
    }
}
