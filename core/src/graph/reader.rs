//! An open edges blob: found by either end, read in place.
//!
//! Layout: docs/FORMAT.md, "edges". Nothing but its counts is read before something is asked of it; then what searches
//! rely on is checked, once.

use std::ops::Range;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::base::bytes::numbers;
use crate::base::limits::SLOTS_MAX;
use crate::base::value::decode_object;
use crate::base::{Error, Key, NEVER, Object, Reader, Result, Seq, check_id};
use crate::storage::{Blob, Pinned, Rows};

use super::crossing::split;
use super::edge::{Direction, Edge, Entry, Gone, Mark, Relation, check_relation};
use super::packed::Packed;
use super::sections::{
    AT, COUNTS, ENDED_AT, ENDED_PLACE, GONE_AT, GONE_KEY, GONE_SEQ, IN_PLACE, IN_SOURCE, IN_STARTS, MARK,
    MARK_PLACE, NODE_KEYS, NODE_NAME_ENDS, NODE_NAMES, NODE_ORDER, OUT_STARTS, PROPERTIES, PROPERTIES_ENDS,
    PROPERTIES_PLACE, RELATION, RELATIONS, SEQ, TARGET, WEIGHT, WEIGHT_PLACE,
};
use super::state::EdgeSource;
use super::table::{EdgeTable, by_name, named};

/// An edges blob.
#[derive(Debug)]
pub struct EdgesReader {
    blob: Blob,
    counts: Counts,
    pins: OnceLock<Pins>,
    /// How many entries had ended by a time: what was asked last.
    ended: Mutex<Option<(i64, usize)>>,
}

#[derive(Debug, Clone, Copy)]
struct Counts {
    nodes: usize,
    edges: usize,
    relations: usize,
    gone: usize,
    ended: usize,
    marks: usize,
    weighted: usize,
    with_properties: usize,
}

/// Its sections, checked.
#[derive(Debug)]
pub struct Pins {
    node_keys: Packed,
    node_order: Packed,
    name_ends: Packed,
    names: Pinned,
    relations: Vec<(Relation, Arc<str>)>,
    relations_by_name: Vec<u32>,
    out_starts: Packed,
    relation: Packed,
    target: Packed,
    seq: Packed,
    at: Packed,
    in_starts: Packed,
    in_source: Packed,
    in_place: Packed,
    ended_place: Packed,
    ended_at: Packed,
    mark_place: Packed,
    mark: Pinned,
    weight_place: Packed,
    weight: Pinned,
    properties_place: Packed,
    properties_ends: Packed,
    properties: Rows,
    gone_key: Packed,
    gone_at: Packed,
    gone_seq: Packed,
    /// The first key, where none is left out between it and the last: then no column is read to find one.
    first_key: Option<i64>,
    /// Ends whose names could be those of another collection.
    elsewhere: Vec<Key>,
    object: String,
}

impl EdgesReader {
    /// Opens it: reads its counts.
    ///
    /// # Errors
    /// `corrupt`, `not_resident`.
    pub fn open(blob: &Blob) -> Result<Self> {
        let bad = || Error::corrupt(name(blob), 0, "counts within limits");
        let counts = blob.rows(COUNTS)?;
        let counts = counts.read(0..counts.len())?;
        let mut r = Reader::new(&counts);
        let mut count = || {
            let n = r.u64().ok().and_then(|n| usize::try_from(n).ok());
            n.filter(|n| *n <= SLOTS_MAX).ok_or_else(bad)
        };
        let counts = Counts {
            nodes: count()?,
            edges: count()?,
            relations: count()?,
            gone: count()?,
            ended: count()?,
            marks: count()?,
            weighted: count()?,
            with_properties: count()?,
        };
        r.end().map_err(|_| bad())?;
        Ok(Self { blob: blob.clone(), counts, pins: OnceLock::new(), ended: Mutex::default() })
    }

    /// How many of its entries had ended by a time, as far as it knows. Counted once for each time that is asked for.
    ///
    /// # Errors
    /// `corrupt`, `not_resident`.
    pub fn ended_by(&self, time: i64) -> Result<usize> {
        if self.counts.ended == 0 || time == i64::MIN {
            return Ok(0);
        }
        let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, count)) = ended.filter(|(asked, _)| *asked == time) {
            return Ok(count);
        }
        let count = self.pins()?.ended_at.iter().filter(|at| *at <= time).count();
        *ended = Some((time, count));
        Ok(count)
    }

    /// How many entries it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.counts.edges
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.counts.edges == 0
    }

    /// How many bytes it takes.
    #[must_use]
    pub fn weight(&self) -> u64 {
        self.blob.len()
    }

    /// What can be searched, checked when it is first asked for.
    ///
    /// # Errors
    /// `corrupt`, `not_resident`.
    pub fn pins(&self) -> Result<&Pins> {
        if let Some(pins) = self.pins.get() {
            return Ok(pins);
        }
        let pins = Pins::open(&self.blob, self.counts)?;
        Ok(self.pins.get_or_init(|| pins))
    }

    /// All of it, as a table.
    ///
    /// # Errors
    /// `corrupt`, `not_resident`.
    pub fn table(&self) -> Result<EdgeTable> {
        self.told(self.pins()?.edges(0..self.len())?)
    }

    /// The entries from a place on: about so many, all of each edge. By source, relation, target, seq.
    ///
    /// # Errors
    /// `corrupt`, `not_resident`.
    pub(super) fn edges(&self, from: usize, count: usize) -> Result<Vec<Edge>> {
        let pins = self.pins()?;
        pins.edges(from..pins.end_of_edge(from.saturating_add(count).min(self.len())))
    }

    /// These of its entries, with the names and relations that they mention, and what went.
    ///
    /// # Errors
    /// `corrupt`, `not_resident`.
    pub(super) fn with_entries(&self, edges: Vec<Edge>) -> Result<EdgeTable> {
        Ok(self.told(edges)?.without_strays())
    }

    fn told(&self, edges: Vec<Edge>) -> Result<EdgeTable> {
        Ok(EdgeTable::new(edges, self.names()?, self.relation_names()?.to_vec(), self.gone()?))
    }

    /// The names of its ends, by key.
    ///
    /// # Errors
    /// `corrupt`, `not_resident`.
    pub(super) fn names(&self) -> Result<Vec<(Key, Arc<str>)>> {
        self.pins()?.names()
    }

    /// The names of its relations, by number.
    ///
    /// # Errors
    /// `corrupt`, `not_resident`.
    pub(super) fn relation_names(&self) -> Result<&[(Relation, Arc<str>)]> {
        Ok(&self.pins()?.relations)
    }

    /// Documents that went, by key and seq.
    ///
    /// # Errors
    /// `corrupt`, `not_resident`.
    pub(super) fn gone(&self) -> Result<Vec<Gone>> {
        Ok(self.pins()?.gone().collect())
    }
}

fn name(blob: &Blob) -> String {
    format!("blob {}.edges", blob.id().number)
}

impl Pins {
    fn open(blob: &Blob, counts: Counts) -> Result<Self> {
        let Counts { nodes, edges, relations, gone, ended, marks, weighted, with_properties } = counts;
        let column = |section, len| Packed::open(blob, section, len);
        let relations = dictionary(blob, relations)?;
        let pins = Self {
            node_keys: column(NODE_KEYS, nodes)?,
            node_order: column(NODE_ORDER, nodes)?,
            name_ends: column(NODE_NAME_ENDS, nodes + 1)?,
            names: blob.pinned(NODE_NAMES)?,
            relations_by_name: by_name(&relations),
            relations,
            out_starts: column(OUT_STARTS, nodes + 1)?,
            relation: column(RELATION, edges)?,
            target: column(TARGET, edges)?,
            seq: column(SEQ, edges)?,
            at: column(AT, edges)?,
            in_starts: column(IN_STARTS, nodes + 1)?,
            in_source: column(IN_SOURCE, edges)?,
            in_place: column(IN_PLACE, edges)?,
            ended_place: column(ENDED_PLACE, ended)?,
            ended_at: column(ENDED_AT, ended)?,
            mark_place: column(MARK_PLACE, marks)?,
            mark: blob.pinned(MARK)?,
            weight_place: column(WEIGHT_PLACE, weighted)?,
            weight: blob.pinned(WEIGHT)?,
            properties_place: column(PROPERTIES_PLACE, with_properties)?,
            properties_ends: column(PROPERTIES_ENDS, with_properties + 1)?,
            properties: blob.rows(PROPERTIES)?,
            gone_key: column(GONE_KEY, gone)?,
            gone_at: column(GONE_AT, gone)?,
            gone_seq: column(GONE_SEQ, gone)?,
            first_key: None,
            elsewhere: Vec::new(),
            object: name(blob),
        };
        pins.check(counts)?;
        let first_key = pins.node_keys.consecutive_from();
        let pins = Self { first_key, ..pins };
        let is_elsewhere = |node: &usize| split(pins.node_name(*node)).is_some();
        let elsewhere = (0..nodes).filter(is_elsewhere).map(|node| pins.key(node)).collect();
        Ok(Self { elsewhere, ..pins })
    }

    fn corrupt<T>(&self, expected: &str) -> Result<T> {
        Err(Error::corrupt(self.object.clone(), 0, expected))
    }

    /// What reading relies on: places are within bounds, and what is searched by halving ascends.
    fn check(&self, counts: Counts) -> Result<()> {
        let ascends = |column: &Packed, limit: i64| {
            let mut last = -1;
            column.iter().all(|n| std::mem::replace(&mut last, n) < n && (0..limit).contains(&n))
        };
        let rises = |column: &Packed, end: usize| {
            let mut last = 0;
            let is_rising = column.iter().all(|n| std::mem::replace(&mut last, n) <= n);
            is_rising && column.get(0) == 0 && column.get(column.len() - 1) == end as i64
        };
        let within = |column: &Packed, limit: usize| column.iter().all(|n| (0..limit as i64).contains(&n));
        let Counts { nodes, edges, relations, marks, weighted, .. } = counts;
        if ![&self.node_keys, &self.seq, &self.gone_seq].into_iter().all(Packed::can_be_distinct) {
            return self.corrupt("as many keys and seqs as it counts");
        }
        if !ascends(&self.node_keys, i64::from(u32::MAX)) || !within(&self.node_order, nodes) {
            return self.corrupt("keys in ascending order");
        }
        if !rises(&self.name_ends, self.names.len()) {
            return self.corrupt("names one behind the other");
        }
        let names = (0..nodes).map(|node| (self.name_ends.place(node), self.name_ends.place(node + 1)));
        for (from, to) in names {
            if std::str::from_utf8(&self.names[from..to]).is_err() {
                return self.corrupt("names in UTF-8");
            }
        }
        let is_sound = rises(&self.out_starts, edges)
            && rises(&self.in_starts, edges)
            && within(&self.relation, relations)
            && within(&self.target, nodes)
            && within(&self.in_source, nodes)
            && within(&self.in_place, edges)
            && self.seq.iter().all(|seq| seq >= 0);
        if !is_sound {
            return self.corrupt("entries between ends that are there");
        }
        let few = [&self.ended_place, &self.mark_place, &self.weight_place, &self.properties_place];
        if !few.into_iter().all(|places| ascends(places, edges as i64)) {
            return self.corrupt("places of entries in ascending order");
        }
        let is_mark = |mark: &u8| matches!(mark, 1 | 2);
        let weights = numbers::<f64>(&self.weight).map_or(0, <[f64]>::len);
        if self.mark.len() != marks || !self.mark.iter().all(is_mark) || weights != weighted {
            return self.corrupt("marks and weights");
        }
        let properties = usize::try_from(self.properties.len()).unwrap_or(usize::MAX);
        if !rises(&self.properties_ends, properties) {
            return self.corrupt("properties one behind the other");
        }
        let keys = self.gone_key.iter();
        if !keys.zip(self.gone_key.iter().skip(1)).all(|(a, b)| a <= b) {
            return self.corrupt("documents that went in the order of their keys");
        }
        Ok(())
    }

    fn node(&self, key: Key) -> Option<usize> {
        let Some(first) = self.first_key else { return self.node_keys.find(i64::from(key.0)) };
        let node = usize::try_from(i64::from(key.0) - first).ok();
        node.filter(|node| *node < self.node_keys.len())
    }

    fn key(&self, node: usize) -> Key {
        let key = self.first_key.map_or_else(|| self.node_keys.get(node), |first| first + node as i64);
        Key(key as u32)
    }

    fn node_name(&self, node: usize) -> &str {
        let (from, to) = (self.name_ends.place(node), self.name_ends.place(node + 1));
        std::str::from_utf8(&self.names[from..to]).unwrap_or_default()
    }

    fn number(&self, place: usize) -> Relation {
        self.relations[self.relation.place(place)].0
    }

    /// The place of the relation of this number among its names.
    fn relation_place(&self, relation: Relation) -> Option<usize> {
        self.relations.binary_search_by_key(&relation, |(number, _)| *number).ok()
    }

    fn until(&self, place: usize) -> i64 {
        self.ended_place.find(place as i64).map_or(NEVER, |i| self.ended_at.get(i))
    }

    fn mark(&self, place: usize) -> Mark {
        match self.mark_place.find(place as i64).map(|i| self.mark[i]) {
            None => Mark::Link,
            Some(1) => Mark::Unlink,
            Some(_) => Mark::Erase,
        }
    }

    fn entry(&self, place: usize, other: usize) -> Entry {
        Entry {
            relation: self.number(place),
            other: self.key(other),
            seq: Seq(self.seq.get(place) as u64),
            mark: if self.mark_place.len() == 0 { Mark::Link } else { self.mark(place) },
            at: self.at.get(place),
            until: if self.ended_place.len() == 0 { NEVER } else { self.until(place) },
            place: place as u32,
        }
    }

    fn out(&self, node: usize) -> Range<usize> {
        self.out_starts.place(node)..self.out_starts.place(node + 1)
    }

    /// Where the entries at an end stand, of one relation or of all: places of edges, or in what tells those that lead in.
    fn own(&self, node: Key, direction: Direction, relation: Option<Relation>) -> Range<usize> {
        let Some(node) = self.node(node) else { return 0..0 };
        let own = match direction {
            Direction::Out => self.out(node),
            Direction::In => self.in_starts.place(node)..self.in_starts.place(node + 1),
        };
        let Some(relation) = relation else { return own };
        let Some(wanted) = self.relation_place(relation).map(|place| place as i64) else { return 0..0 };
        match direction {
            Direction::Out => {
                let from = self.relation.partition(own.clone(), |n| n < wanted);
                from..self.relation.partition(from..own.end, |n| n <= wanted)
            }
            Direction::In => {
                let relation = |place: i64| self.relation.get(place as usize);
                let from = self.in_place.partition(own.clone(), |place| relation(place) < wanted);
                from..self.in_place.partition(from..own.end, |place| relation(place) <= wanted)
            }
        }
    }

    fn gone(&self) -> impl Iterator<Item = Gone> {
        let gone = |i: usize| Gone {
            key: Key(self.gone_key.get(i) as u32),
            seq: Seq(self.gone_seq.get(i) as u64),
            at: self.gone_at.get(i),
        };
        (0..self.gone_key.len()).map(gone)
    }

    /// The node whose outgoing entries this place is among.
    fn source(&self, place: usize) -> usize {
        let all = 0..self.out_starts.len();
        self.out_starts.partition(all, |start| start <= place as i64).saturating_sub(1)
    }

    /// The entries at these places.
    fn edges(&self, places: Range<usize>) -> Result<Vec<Edge>> {
        let mut edges = Vec::with_capacity(places.len());
        let mut node = self.source(places.start);
        for place in places {
            while self.out(node).end <= place {
                node += 1;
            }
            edges.push(Edge {
                source: self.key(node),
                relation: self.number(place),
                target: self.key(self.target.place(place)),
                seq: Seq(self.seq.get(place) as u64),
                mark: self.mark(place),
                at: self.at.get(place),
                until: self.until(place),
                weight: self.weight_of(place as u32),
                properties: self.properties_of(place as u32)?,
            });
        }
        Ok(edges)
    }

    /// The first place from this one on at which the entries of another edge begin.
    fn end_of_edge(&self, place: usize) -> usize {
        let len = self.target.len();
        if !(1..len).contains(&place) {
            return place.min(len);
        }
        let own = place - 1;
        let is_own = |other: &usize| {
            self.relation.get(*other) == self.relation.get(own)
                && self.target.get(*other) == self.target.get(own)
        };
        let end = self.out(self.source(own)).end;
        (place..end).find(|other| !is_own(other)).unwrap_or(end.max(place))
    }

    /// The names of its ends, by key.
    fn names(&self) -> Result<Vec<(Key, Arc<str>)>> {
        let mut names = Vec::with_capacity(self.node_keys.len());
        for node in 0..self.node_keys.len() {
            let name = self.node_name(node);
            check_id(name)?;
            names.push((self.key(node), Arc::from(name)));
        }
        Ok(names)
    }
}

fn dictionary(blob: &Blob, count: usize) -> Result<Vec<(Relation, Arc<str>)>> {
    let bytes = blob.pinned(RELATIONS)?;
    let bad = || Error::corrupt(name(blob), 0, "relations by number, each with its name");
    let mut r = Reader::new(&bytes);
    let mut relations: Vec<(Relation, Arc<str>)> = Vec::new();
    for _ in 0..count {
        let number = Relation(r.u32().map_err(|_| bad())?);
        let name = r.str().map_err(|_| bad())?;
        if relations.last().is_some_and(|(last, _)| *last >= number) || check_relation(name).is_err() {
            return Err(bad());
        }
        relations.push((number, name.into()));
    }
    r.end().map_err(|_| bad())?;
    Ok(relations)
}

impl EdgeSource for Pins {
    fn entries(&self, node: Key, direction: Direction, relation: Option<Relation>, out: &mut Vec<Entry>) {
        let own = self.own(node, direction, relation);
        match direction {
            Direction::Out => out.extend(own.map(|place| self.entry(place, self.target.place(place)))),
            Direction::In => {
                out.extend(own.map(|i| self.entry(self.in_place.place(i), self.in_source.place(i))));
            }
        }
    }

    fn neighbours(&self, node: Key, direction: Direction, relation: Option<Relation>, out: &mut Vec<Key>) {
        let far = match direction {
            Direction::Out => &self.target,
            Direction::In => &self.in_source,
        };
        out.extend(self.own(node, direction, relation).map(|at| self.key(far.place(at))));
    }

    fn is_plain(&self) -> bool {
        self.mark_place.len() == 0 && self.ended_place.len() == 0 && self.gone_key.len() == 0
    }

    fn weight_of(&self, place: u32) -> f64 {
        let Some(i) = self.weight_place.find(i64::from(place)) else { return 1.0 };
        numbers::<f64>(&self.weight).map_or(1.0, |weights| weights[i])
    }

    fn properties_of(&self, place: u32) -> Result<Option<Arc<Object>>> {
        let Some(i) = self.properties_place.find(i64::from(place)) else { return Ok(None) };
        let range = self.properties_ends.get(i) as u64..self.properties_ends.get(i + 1) as u64;
        let bytes = self.properties.read(range)?;
        let mut r = Reader::new(&bytes);
        let read = decode_object(&mut r).and_then(|read| r.end().map(|()| read));
        read.map(|read| Some(Arc::new(read))).map_err(|e| e.within(&self.object, 0))
    }

    fn key_of(&self, name: &str) -> Option<Key> {
        let own = |i: usize| self.node_name(self.node_order.place(i));
        let (mut low, mut high) = (0, self.node_order.len());
        while low < high {
            let middle = low + (high - low) / 2;
            match own(middle).cmp(name) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Equal => return Some(self.key(self.node_order.place(middle))),
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        None
    }

    fn name_of(&self, key: Key) -> Option<&str> {
        self.node(key).map(|node| self.node_name(node))
    }

    fn relations(&self) -> &[(Relation, Arc<str>)] {
        &self.relations
    }

    fn relation_of(&self, name: &str) -> Option<Relation> {
        named(&self.relations, &self.relations_by_name, name)
    }

    fn gone_after(&self, key: Key, at: i64) -> Option<i64> {
        let wanted = i64::from(key.0);
        let all = 0..self.gone_key.len();
        let from = self.gone_key.partition(all.clone(), |key| key < wanted);
        let to = self.gone_key.partition(from..all.end, |key| key <= wanted);
        (from..to).map(|i| self.gone_at.get(i)).filter(|went| *went > at).min()
    }

    fn has_gone(&self) -> bool {
        self.gone_key.len() > 0
    }

    fn elsewhere(&self) -> &[Key] {
        &self.elsewhere
    }

    fn nodes(&self, out: &mut Vec<Key>) {
        out.extend(self.node_keys.iter().map(|key| Key(key as u32)));
    }

    fn entries_of(&self, source: Key, relation: Relation, target: Key, out: &mut Vec<Entry>) {
        let found = (self.node(source), self.relation_place(relation), self.node(target));
        let (Some(node), Some(relation), Some(target)) = found else { return };
        let (relation, wanted) = (relation as i64, target as i64);
        let own = self.out(node);
        let from = self.relation.partition(own.clone(), |n| n < relation);
        let to = self.relation.partition(from..own.end, |n| n <= relation);
        let first = self.target.partition(from..to, |n| n < wanted);
        let last = self.target.partition(first..to, |n| n <= wanted);
        out.extend((first..last).map(|place| self.entry(place, target)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::bytes::le_bytes;
    use crate::graph::sections;
    use crate::storage::{BlobId, BlobKind, Section};

    /// Columns of no width take no bytes, whatever they count: counts that nothing stands for once had gigabytes asked
    /// for.
    #[test]
    fn counts_that_no_bytes_stand_for_are_refused() {
        let mut all = sections(&EdgeTable::default());
        let counts = [0u64, 1 << 31, 0, 0, 0, 0, 0, 0];
        all[0] = Section::pinned(COUNTS, le_bytes(&counts));
        let blob = Blob::in_memory(BlobId::new(1, 1, BlobKind::Edges), &all).expect("built here");
        let reader = EdgesReader::open(&blob).expect("counts within limits");
        assert_eq!(reader.table().expect_err("no such edges").code(), "corrupt");
    }
}
