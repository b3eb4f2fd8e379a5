//! Documents in an order other than their score's: sorted by fields, or at most a few of each group.

use std::cmp::Ordering;
use std::collections::{BinaryHeap, HashMap};

use crate::base::limits::SORT_KEYS_MAX;
use crate::base::{Bitmap, Error, Result, Seq, Slot, Value, Writer};
use crate::meta::{order, scalars_of, values_of};

use super::facets::check_path;
use super::view::{Part, Place, View};

/// A field to sort by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SortKey {
    /// Its path. Of several values the smallest counts, or the largest when descending; documents without one come last.
    pub field: String,
    /// From the largest to the smallest.
    pub descending: bool,
}

/// At most a few results of each value of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupBy {
    /// Its path. Documents with the same values are a group; one without a value is a group of its own.
    pub field: String,
    /// How many of a group.
    pub size: usize,
}

pub(super) fn check_sort(keys: &[SortKey]) -> Result<()> {
    if keys.len() > SORT_KEYS_MAX {
        return Err(Error::parameter("sort", keys.len(), format!("at most {SORT_KEYS_MAX} fields")));
    }
    keys.iter().try_for_each(|key| check_path("sort", &key.field))
}

/// A document and what it is sorted by.
struct Sorted {
    values: Vec<Option<Value>>,
    seq: Seq,
    place: Place,
}

impl View {
    /// The first `wanted` of some slots of each part, all without a bitmap: by the keys, then by seq.
    ///
    /// # Complexity
    /// One pass over the values of each key; of text only that of the first ones of each part is read.
    ///
    /// # Errors
    /// `corrupt`, `not_resident`.
    pub(super) fn sorted(
        &self,
        keys: &[SortKey],
        sets: &[Option<Bitmap>],
        wanted: usize,
    ) -> Result<Vec<Place>> {
        let mut all = Vec::new();
        for (i, (part, set)) in self.parts.iter().zip(sets).enumerate() {
            for (slot, values) in part.part.first_by(keys, set.as_ref(), wanted)? {
                let place = Place { part: i, slot };
                all.push(Sorted { values, seq: part.part.seq(slot)?, place });
            }
        }
        all.sort_by(|a, b| compare(keys, &a.values, &b.values).then(a.seq.cmp(&b.seq)));
        all.truncate(wanted);
        Ok(all.into_iter().map(|sorted| sorted.place).collect())
    }

    /// Of some places, in their order, the first `wanted` when each group has room for a few.
    ///
    /// # Complexity
    /// Memory for each group of those that stay.
    ///
    /// # Errors
    /// `corrupt`, `not_resident`.
    pub(super) fn grouped<T>(
        &self,
        by: &GroupBy,
        places: impl Iterator<Item = T>,
        place_of: impl Fn(&T) -> Place,
        wanted: usize,
    ) -> Result<Vec<T>> {
        let mut groups: HashMap<Vec<u8>, usize> = HashMap::new();
        let mut stay = Vec::new();
        for one in places {
            if stay.len() == wanted {
                break;
            }
            let Place { part, slot } = place_of(&one);
            let fields = self.parts[part].part.fields(slot, &[&by.field])?;
            let values = scalars_of(&fields, &by.field);
            if !values.is_empty() {
                let mut key = Writer::new();
                values.iter().for_each(|value| value.encode(&mut key));
                let count = groups.entry(key.finish()).or_default();
                *count += 1;
                if *count > by.size {
                    continue;
                }
            }
            stay.push(one);
        }
        Ok(stay)
    }
}

fn compare(keys: &[SortKey], a: &[Option<Value>], b: &[Option<Value>]) -> Ordering {
    let one = |(key, (a, b)): (&SortKey, (&Option<Value>, &Option<Value>))| match (a, b) {
        (Some(a), Some(b)) if key.descending => order(b, a),
        (Some(a), Some(b)) => order(a, b),
        // What has no value comes last, whatever the direction.
        (a, b) => b.is_some().cmp(&a.is_some()),
    };
    keys.iter().zip(a.iter().zip(b)).map(one).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
}

type Values = Vec<Option<Value>>;

impl Part {
    /// The first `wanted` slots of a set by the keys, then by slot, with their values.
    fn first_by(&self, keys: &[SortKey], set: Option<&Bitmap>, wanted: usize) -> Result<Vec<(Slot, Values)>> {
        let slots = (0..self.len()).filter(|slot| set.is_none_or(|set| set.contains(*slot)));
        let Self::Segment(segment) = self else {
            let mut all = Vec::new();
            for slot in slots {
                let row = self.row(Slot(slot as u32))?;
                let value = |key: &SortKey| {
                    let mut values = values_of(&row.metadata, &key.field).into_iter();
                    if key.descending { values.next_back() } else { values.next() }
                };
                all.push((Slot(slot as u32), keys.iter().map(value).collect::<Values>()));
            }
            all.sort_by(|a, b| compare(keys, &a.1, &b.1));
            all.truncate(wanted);
            return Ok(all);
        };
        let columns = segment.columns()?;
        let ranks = keys.iter().map(|key| columns.ranks(&key.field, key.descending));
        let ranks = ranks.collect::<Result<Vec<_>>>()?;
        let mut first: BinaryHeap<([u64; SORT_KEYS_MAX], usize)> = BinaryHeap::new();
        for slot in slots {
            let mut places = [0; SORT_KEYS_MAX];
            for ((place, key), ranks) in places.iter_mut().zip(keys).zip(&ranks) {
                *place = match ranks.by_slot[slot] {
                    0 => u64::MAX,
                    rank if key.descending => u64::MAX - 1 - rank,
                    rank => rank,
                };
            }
            if first.len() < wanted {
                first.push((places, slot));
            } else if let Some(mut last) = first.peek_mut()
                && (places, slot) < *last
            {
                *last = (places, slot);
            }
        }
        let with_values = |(_, slot): ([u64; SORT_KEYS_MAX], usize)| {
            let value = |(key, ranks): (&SortKey, &crate::meta::Ranks)| {
                columns.ranked_value(&key.field, ranks.by_slot[slot])
            };
            let values = keys.iter().zip(&ranks).map(value).collect::<Result<_>>()?;
            Ok((Slot(slot as u32), values))
        };
        first.into_sorted_vec().into_iter().map(with_values).collect()
    }
}
