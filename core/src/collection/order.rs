//! Documents in an order other than their score's: sorted by fields, or at most a few of each group.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap};
use std::hash::Hash;

use crate::base::limits::SORT_KEYS_MAX;
use crate::base::{Bitmap, Error, Object, Result, Seq, Slot, Value, Writer};
use crate::meta::{Columns, Ranks, order, scalars_of, values_of};

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

/// What is sorted, and which of it stay.
#[derive(Debug, Clone, Copy)]
pub(super) struct Order<'a> {
    pub(super) keys: &'a [SortKey],
    /// Each group has room for a few; `None` for as many as there are.
    pub(super) by: Option<&'a GroupBy>,
    /// How many stay.
    pub(super) wanted: usize,
}

impl View {
    /// The first of some slots of each part, all without a bitmap: by the keys, then by seq.
    ///
    /// # Complexity
    /// One pass over the values of each key, and of the group; of text only that of the first ones of each part is read.
    /// Memory for those that stay of each part.
    ///
    /// # Errors
    /// `corrupt`, `not_resident`.
    pub(super) fn sorted(&self, order: Order<'_>, sets: &[Option<Bitmap>]) -> Result<Vec<Place>> {
        let Order { keys, by, wanted } = order;
        let mut all = Vec::new();
        for (i, (part, set)) in self.parts.iter().zip(sets).enumerate() {
            // What is not among the first of its part cannot be among those of all parts: others of its group come before
            // it, or so many others that none is wanted.
            for (slot, values) in part.part.first_by(order, set.as_ref())? {
                let place = Place { part: i, slot };
                all.push(Sorted { values, seq: part.part.seq(slot)?, place });
            }
        }
        all.sort_by(|a, b| compare(keys, &a.values, &b.values).then(a.seq.cmp(&b.seq)));
        let places = all.into_iter().map(|sorted| sorted.place);
        match by {
            Some(by) => self.grouped(by, places, |place| *place, wanted),
            None => Ok(places.take(wanted).collect()),
        }
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
        let mut groups = Groups::new(by);
        let mut stay = Vec::new();
        for one in places {
            if stay.len() == wanted {
                break;
            }
            let Place { part, slot } = place_of(&one);
            let fields = self.parts[part].part.fields(slot, &[&by.field])?;
            if groups.let_in(&fields) {
                stay.push(one);
            }
        }
        Ok(stay)
    }
}

/// Which groups have room for how many more.
struct Groups<'a> {
    by: &'a GroupBy,
    sizes: HashMap<Vec<u8>, usize>,
}

impl<'a> Groups<'a> {
    fn new(by: &'a GroupBy) -> Self {
        Self { by, sizes: HashMap::new() }
    }

    /// Whether there is room for a document, which takes it.
    fn let_in(&mut self, fields: &Object) -> bool {
        let Some(group) = group_of(fields, &self.by.field) else { return true };
        let size = self.sizes.entry(group).or_default();
        let has_room = *size < self.by.size;
        *size += usize::from(has_room);
        has_room
    }
}

/// The values of a path as bytes; `None` without one.
fn group_of(fields: &Object, path: &str) -> Option<Vec<u8>> {
    let values = scalars_of(fields, path);
    let mut key = Writer::new();
    values.iter().for_each(|value| value.encode(&mut key));
    (!values.is_empty()).then(|| key.finish())
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
/// Where the values of each key stand among those of a segment.
type Places = [u64; SORT_KEYS_MAX];

impl Part {
    /// The first slots of a set in an order, then by slot, with the values of its keys.
    fn first_by(&self, order: Order<'_>, set: Option<&Bitmap>) -> Result<Vec<(Slot, Values)>> {
        let Order { keys, by, wanted } = order;
        let slots = (0..self.len()).filter(|slot| set.is_none_or(|set| set.contains(*slot)));
        let Self::Segment(segment) = self else { return self.first_of_rows(order, slots) };
        let columns = segment.columns()?;
        let ranks = keys.iter().map(|key| columns.ranks(&key.field, key.descending));
        let ranks = ranks.collect::<Result<Vec<_>>>()?;
        let places = |slot: usize| {
            let mut places = [0; SORT_KEYS_MAX];
            for ((place, key), ranks) in places.iter_mut().zip(keys).zip(&ranks) {
                *place = match ranks.by_slot[slot] {
                    0 => u64::MAX,
                    rank if key.descending => u64::MAX - 1 - rank,
                    rank => rank,
                };
            }
            (places, slot)
        };
        let slots = slots.map(places);
        let first = match by {
            Some(by) => self.first_of_groups(by, columns, slots, wanted)?,
            None => first_of(slots, wanted),
        };
        let with_values = |slot: usize| {
            let value =
                |(key, ranks): (&SortKey, &Ranks)| columns.ranked_value(&key.field, ranks.by_slot[slot]);
            let values = keys.iter().zip(&ranks).map(value).collect::<Result<_>>()?;
            Ok((Slot(slot as u32), values))
        };
        first.into_iter().map(with_values).collect()
    }

    /// As [`Self::first_by`], by the documents themselves.
    fn first_of_rows(
        &self,
        order: Order<'_>,
        slots: impl Iterator<Item = usize>,
    ) -> Result<Vec<(Slot, Values)>> {
        let mut all = Vec::new();
        for slot in slots {
            let slot = Slot(slot as u32);
            let row = self.row(slot)?;
            let value = |key: &SortKey| {
                let mut values = values_of(&row.metadata, &key.field).into_iter();
                if key.descending { values.next_back() } else { values.next() }
            };
            all.push((slot, order.keys.iter().map(value).collect::<Values>()));
        }
        all.sort_by(|a, b| compare(order.keys, &a.1, &b.1));
        if let Some(by) = order.by {
            let (mut groups, mut stay) = (Groups::new(by), Vec::new());
            for one in all {
                if stay.len() < order.wanted && groups.let_in(&self.row(one.0)?.metadata) {
                    stay.push(one);
                }
            }
            return Ok(stay);
        }
        all.truncate(order.wanted);
        Ok(all)
    }

    /// The first slots of a segment, of each group as many as are asked for.
    fn first_of_groups(
        &self,
        by: &GroupBy,
        columns: &Columns,
        slots: impl Iterator<Item = (Places, usize)>,
        wanted: usize,
    ) -> Result<Vec<usize>> {
        let (smallest, largest) = (columns.ranks(&by.field, false)?, columns.ranks(&by.field, true)?);
        let group = |slot: usize| -> Result<Option<Group>> {
            Ok(match (smallest.by_slot[slot], largest.by_slot[slot]) {
                (0, _) => None,
                (one, same) if one == same => Some(Group::One(one)),
                _ => {
                    let slot = Slot(slot as u32);
                    group_of(&*self.fields(slot, &[&by.field])?, &by.field).map(Group::Several)
                }
            })
        };
        let mut first = FirstOfGroups::new(by.size, wanted);
        for entry in slots {
            if first.may_come(&entry) {
                first.push(entry, group(entry.1)?);
            }
        }
        Ok(first.kept.into_keys().map(|(_, slot)| slot).collect())
    }
}

/// The least of some slots by their places.
fn first_of(slots: impl Iterator<Item = (Places, usize)>, wanted: usize) -> Vec<usize> {
    let mut first: BinaryHeap<(Places, usize)> = BinaryHeap::new();
    for entry in slots {
        if first.len() < wanted {
            first.push(entry);
        } else if let Some(mut last) = first.peek_mut()
            && entry < *last
        {
            *last = entry;
        }
    }
    first.into_sorted_vec().into_iter().map(|(_, slot)| slot).collect()
}

/// What documents of a segment have in common.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Group {
    /// A value, by its rank.
    One(u64),
    /// Values, as bytes.
    Several(Vec<u8>),
}

/// The least of what comes in any order, and no more than so many of a group. What has no group is never too many.
///
/// The least come to be the same as if all were sorted and taken one by one while their groups have room: what gives way is
/// the last of a group that is too large, or of all (Rado, "Note on independence functions", 1957: the sets that are
/// allowed are the independent ones of a matroid, in which the greedy choice is the best).
#[derive(Debug)]
struct FirstOfGroups<T, G> {
    size: usize,
    wanted: usize,
    kept: BTreeMap<T, Option<G>>,
    groups: HashMap<G, BTreeSet<T>>,
}

impl<T: Ord + Copy, G: Hash + Eq + Clone> FirstOfGroups<T, G> {
    fn new(size: usize, wanted: usize) -> Self {
        Self { size, wanted, kept: BTreeMap::new(), groups: HashMap::new() }
    }

    /// Whether it would stay if its group had room.
    fn may_come(&self, one: &T) -> bool {
        self.kept.len() < self.wanted || self.kept.last_key_value().is_some_and(|(last, _)| one < last)
    }

    fn push(&mut self, one: T, group: Option<G>) {
        if let Some(group) = &group {
            let of_group = self.groups.entry(group.clone()).or_default();
            of_group.insert(one);
            if of_group.len() > self.size
                && let Some(last) = of_group.pop_last()
            {
                if last == one {
                    return;
                }
                self.kept.remove(&last);
            }
        }
        self.kept.insert(one, group);
        if self.kept.len() > self.wanted
            && let Some((last, Some(group))) = self.kept.pop_last()
            && let Some(of_group) = self.groups.get_mut(&group)
        {
            of_group.remove(&last);
            if of_group.is_empty() {
                self.groups.remove(&group);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn those_that_stay_are_those_that_are_taken_in_order(
            groups in prop::collection::vec(prop::option::of(0..5u8), 0..60),
            order in prop::collection::vec(any::<u16>(), 60),
            size in 1..4usize,
            wanted in 1..12usize,
        ) {
            let all = || groups.iter().zip(&order).enumerate().map(|(i, (group, at))| ((*at, i), *group));
            let mut first = FirstOfGroups::new(size, wanted);
            all().for_each(|(one, group)| {
                if first.may_come(&one) {
                    first.push(one, group);
                }
            });
            let mut sorted: Vec<_> = all().collect();
            sorted.sort_unstable();
            let (mut sizes, mut expected) = (BTreeMap::new(), Vec::new());
            for (one, group) in sorted {
                let size_of = sizes.entry(group).or_insert(0);
                *size_of += 1;
                if group.is_none() || *size_of <= size {
                    expected.push(one);
                }
            }
            expected.truncate(wanted);
            prop_assert!(first.groups.values().all(|of_group| !of_group.is_empty()));
            prop_assert_eq!(first.kept.into_keys().collect::<Vec<_>>(), expected);
        }
    }
}
