//! The terms of a field in memory: each is kept once, under a number, and put in order when somebody asks for that.
//!
//! Numbers are given in the order of the first mention and index whatever is kept of a term beside it. Terms lie one behind
//! the other in one string, so that a new one takes no allocation of its own. The table is probed from a place that the hash
//! tells; hashes have keys of this process, which nobody can choose texts against, and reach no bytes.

use std::collections::HashSet;
use std::hash::BuildHasher;
use std::sync::{LazyLock, OnceLock};

/// Empty: only the keys of its hashes are used.
static KEYS: LazyLock<HashSet<()>> = LazyLock::new(HashSet::new);

/// The hash that a table wants with a term.
pub(super) fn hash(term: &str) -> u64 {
    KEYS.hasher().hash_one(term)
}

/// Terms by number.
#[derive(Debug, Clone, Default)]
pub(super) struct TermTable {
    text: String,
    /// Where each term ends in the text.
    ends: Vec<usize>,
    hashes: Vec<u64>,
    /// A power of two of them, at most three quarters in use: a number and 1, or 0.
    places: Vec<u32>,
    /// The numbers in the order of their terms; made when it is first asked for.
    sorted: OnceLock<Vec<u32>>,
}

impl TermTable {
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The term of a number.
    pub(super) fn term(&self, number: u32) -> &str {
        let at = number as usize;
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        &self.text[start..self.ends[at]]
    }

    /// The [`hash`] of a number's term.
    pub(super) fn hash_of(&self, number: u32) -> u64 {
        self.hashes[number as usize]
    }

    /// The number of a term with this [`hash`].
    pub(super) fn find(&self, term: &str, hash: u64) -> Option<u32> {
        if self.places.is_empty() { None } else { self.probe(term, hash).ok() }
    }

    /// The number of a term with this [`hash`], and whether it is new.
    pub(super) fn number(&mut self, term: &str, hash: u64) -> (u32, bool) {
        if self.places.len() * 3 <= self.len() * 4 {
            self.grow();
        }
        match self.probe(term, hash) {
            Ok(number) => (number, false),
            Err(place) => {
                let number = u32::try_from(self.len()).expect("fewer terms than a part has words");
                self.places[place] = number + 1;
                self.text.push_str(term);
                self.ends.push(self.text.len());
                self.hashes.push(hash);
                self.sorted.take();
                (number, true)
            }
        }
    }

    /// The numbers of all terms, by ascending term.
    pub(super) fn sorted(&self) -> &[u32] {
        self.sorted.get_or_init(|| {
            let mut sorted: Vec<u32> = (0..self.len() as u32).collect();
            sorted.sort_unstable_by_key(|number| self.term(*number));
            sorted
        })
    }

    /// The number of a term, or the place it would have.
    fn probe(&self, term: &str, hash: u64) -> Result<u32, usize> {
        let mask = self.places.len() - 1;
        let mut place = hash as usize & mask;
        loop {
            let Some(number) = self.places[place].checked_sub(1) else { return Err(place) };
            if self.hashes[number as usize] == hash && self.term(number) == term {
                return Ok(number);
            }
            place = (place + 1) & mask;
        }
    }

    fn grow(&mut self) {
        let len = (self.places.len() * 2).max(16);
        self.places.clear();
        self.places.resize(len, 0);
        for (number, hash) in self.hashes.iter().enumerate() {
            let mut place = *hash as usize & (len - 1);
            while self.places[place] > 0 {
                place = (place + 1) & (len - 1);
            }
            self.places[place] = number as u32 + 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_term_keeps_its_number_and_its_order(
            terms in prop::collection::vec("[ab\u{e9}]{1,4}", 0..200),
            hash_bits in 0u32..65,
        ) {
            // Few bits of a hash, so that many terms want one place.
            let hash = |term: &str| hash(term).checked_shr(64 - hash_bits).unwrap_or(0);
            let (mut table, mut expected) = (TermTable::default(), BTreeMap::new());
            for term in &terms {
                let next = expected.len() as u32;
                let number = *expected.entry(term.as_str()).or_insert(next);
                prop_assert_eq!(table.find(term, hash(term)), Some(number).filter(|_| number < next));
                prop_assert_eq!(table.number(term, hash(term)), (number, number == next));
                prop_assert_eq!(table.term(number), term);
            }
            prop_assert_eq!(table.len(), expected.len());
            prop_assert_eq!(table.find("c", hash("c")), None);
            let sorted: Vec<&str> = table.sorted().iter().map(|number| table.term(*number)).collect();
            prop_assert_eq!(sorted, expected.into_keys().collect::<Vec<_>>());
        }
    }
}
