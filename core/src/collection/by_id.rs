//! The slots of a chunk by the ids of their rows: what every write asks of every chunk.

use std::collections::HashMap;

use hashbrown::HashTable;

use crate::base::string_table::hash;
use crate::segment::SharedRow;

/// The slots of each id.
#[derive(Debug)]
pub(super) struct ById {
    /// Of each id the newest slot.
    newest: HashTable<u32>,
    /// From a slot to the one before it of the same id: few ids have more than one.
    before: HashMap<u32, u32>,
}

impl ById {
    /// Of rows by slot, the newest last.
    pub fn of(rows: &[SharedRow]) -> Self {
        let hash_of = |slot: &u32| hash(&rows[*slot as usize].id);
        let mut all = Self { newest: HashTable::with_capacity(rows.len()), before: HashMap::new() };
        for slot in 0..rows.len() as u32 {
            let same = |other: &u32| rows[*other as usize].id == rows[slot as usize].id;
            match all.newest.find_mut(hash_of(&slot), same) {
                Some(newest) => {
                    all.before.insert(slot, *newest);
                    *newest = slot;
                }
                None => {
                    all.newest.insert_unique(hash_of(&slot), slot, hash_of);
                }
            }
        }
        all
    }

    /// The slots of an id among the same rows, the newest first.
    pub fn slots_of(&self, rows: &[SharedRow], id: &str) -> impl Iterator<Item = u32> {
        let newest = self.newest.find(hash(id), |slot| &*rows[*slot as usize].id == id);
        std::iter::successors(newest.copied(), |slot| self.before.get(slot).copied())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::base::{Key, NEVER, Object, Seq};
    use crate::segment::Row;

    fn row(id: &str) -> SharedRow {
        SharedRow::new(Row {
            id: id.into(),
            key: Key(0),
            seq: Seq(0),
            valid_from: 0,
            expires_at: NEVER,
            vector: None,
            inverse_norm: 0.0,
            metadata: Object::new(),
        })
    }

    proptest! {
        #[test]
        fn slots_of_an_id_are_told_from_the_newest(ids in prop::collection::vec("[a-d]{0,2}", 0..40)) {
            let rows: Vec<SharedRow> = ids.iter().map(|id| row(id)).collect();
            let by_id = ById::of(&rows);
            for id in ids.iter().map(String::as_str).chain(["none"]) {
                let naive = (0..ids.len() as u32).rev().filter(|slot| ids[*slot as usize] == id);
                prop_assert_eq!(by_id.slots_of(&rows, id).collect::<Vec<_>>(), naive.collect::<Vec<_>>());
            }
        }
    }
}
