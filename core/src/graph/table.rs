//! Entries in memory, sorted for both directions: the edges of a memtable chunk, and what a segment is written from.

use std::collections::HashMap;
use std::sync::Arc;

use crate::base::number_map::NumberMap;
use crate::base::value::object_weight;
use crate::base::{Key, NEVER, Seq};

use super::crossing::split;
use super::edge::{Direction, Edge, Entry, Gone, Mark, Relation};
use super::state::EdgeSource;

/// Entries in memory. Each end and each relation of an entry has its name here.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EdgeTable {
    /// By source, relation, target, seq.
    edges: Vec<Edge>,
    /// Places of edges, by target, relation, source, seq.
    incoming: Vec<u32>,
    /// By key.
    names: Vec<(Key, Arc<str>)>,
    keys: HashMap<Arc<str>, Key>,
    /// Of each source the place of its first edge.
    outgoing: NumberMap<Key, u32>,
    /// Whether all entries are versions that have not ended.
    is_plain: bool,
    /// By number.
    relations: Vec<(Relation, Arc<str>)>,
    /// Places of relations, by name.
    relations_by_name: Vec<u32>,
    /// By key and seq.
    gone: Vec<Gone>,
    /// Ends whose names could be those of another collection.
    elsewhere: Vec<Key>,
}

impl EdgeTable {
    /// Of these, in any order; names may be told more than once.
    #[must_use]
    pub fn new(
        edges: Vec<Edge>,
        names: Vec<(Key, Arc<str>)>,
        relations: Vec<(Relation, Arc<str>)>,
        gone: Vec<Gone>,
    ) -> Self {
        let mut table = Self { edges, names, relations, gone, ..Self::default() };
        table.arrange();
        table
    }

    fn arrange(&mut self) {
        // The sorts are stable and know runs: joining two tables costs a merge.
        self.edges.sort_by_key(Edge::order);
        settle(&mut self.edges);
        let mut incoming: Vec<u32> = (0..self.edges.len() as u32).collect();
        incoming.sort_unstable_by_key(|place| self.edges[*place as usize].incoming_order());
        self.incoming = incoming;
        self.names.sort_by_key(|(key, _)| *key);
        self.names.dedup_by_key(|(key, _)| *key);
        self.outgoing.clear();
        for (place, edge) in (0..).zip(&self.edges) {
            self.outgoing.entry(edge.source).or_insert(place);
        }
        self.keys = self.names.iter().map(|(key, name)| (Arc::clone(name), *key)).collect();
        let is_elsewhere = |(_, name): &&(Key, Arc<str>)| split(name).is_some();
        self.elsewhere = self.names.iter().filter(is_elsewhere).map(|(key, _)| *key).collect();
        self.relations.sort_by_key(|(number, _)| *number);
        self.relations.dedup_by_key(|(number, _)| *number);
        self.relations_by_name = by_name(&self.relations);
        self.gone.sort();
        self.gone.dedup();
        let is_there = |edge: &Edge| edge.mark == Mark::Link && edge.until == NEVER;
        self.is_plain = self.gone.is_empty() && self.edges.iter().all(is_there);
    }

    /// Both as one; `later` follows in seq.
    #[must_use]
    pub fn joined(&self, later: &Self) -> Self {
        fn chained<T: Clone>(a: &[T], b: &[T]) -> Vec<T> {
            a.iter().chain(b).cloned().collect()
        }
        Self::new(
            chained(&self.edges, &later.edges),
            chained(&self.names, &later.names),
            chained(&self.relations, &later.relations),
            chained(&self.gone, &later.gone),
        )
    }

    /// What was saved of a collection whose logs may tell again what its blobs do: each op once, in the order of their times,
    /// which no two ops share.
    #[must_use]
    pub fn salvaged(&self, logged: &Self) -> Self {
        let mut edges: Vec<Edge> = self.edges.iter().chain(&logged.edges).cloned().collect();
        // A version before the mark that may have been left in its place.
        let rank = |edge: &Edge| edge.mark != Mark::Link;
        edges.sort_by_key(|edge| (edge.source, edge.relation, edge.target, edge.at, rank(edge)));
        edges.dedup_by(|again, edge| {
            let is_same = (again.source, again.relation, again.target, again.at)
                == (edge.source, edge.relation, edge.target, edge.at);
            if is_same {
                edge.until = edge.until.min(again.until);
            }
            is_same
        });
        edges.sort_by_key(|edge| edge.at);
        (0..).zip(&mut edges).for_each(|(seq, edge)| edge.seq = Seq(seq));
        let joined = |a: &[Gone], b: &[Gone]| a.iter().chain(b).copied().collect();
        let mut gone: Vec<Gone> = joined(&self.gone, &logged.gone);
        gone.sort_by_key(|gone| (gone.key, gone.at));
        gone.dedup_by_key(|gone| (gone.key, gone.at));
        let names = self.names.iter().chain(&logged.names).cloned().collect();
        let relations = self.relations.iter().chain(&logged.relations).cloned().collect();
        Self::new(edges, names, relations, gone)
    }

    /// Those of its entries that are asked for, without names that none of them mentions.
    #[must_use]
    pub fn filtered(self, is_kept: impl Fn(&Edge) -> bool) -> Self {
        let edges = self.edges.iter().filter(|edge| is_kept(edge)).cloned().collect();
        let Self { names, relations, gone, .. } = self;
        Self::new(edges, names, relations, gone).without_strays()
    }

    /// As the first part of a collection: there is nothing before it that marks could end, and edges whose end went
    /// have ended. `horizon`: versions that had ended by then are left out.
    #[must_use]
    pub fn first(self, horizon: i64) -> Self {
        let Self { mut edges, names, relations, gone, .. } = self;
        edges.retain(|edge| edge.mark == Mark::Link);
        for edge in &mut edges {
            let ends = [edge.source, edge.target];
            let went = ends.into_iter().filter_map(|key| first_after(&gone, key, edge.at)).min();
            edge.until = edge.until.min(went.unwrap_or(NEVER));
        }
        edges.retain(|edge| edge.until > horizon);
        Self::new(edges, names, relations, Vec::new()).without_strays()
    }

    /// The same under other numbers: keys as `key` gives them to names, relations counted from 0, and seqs from `first_seq`
    /// on.
    #[must_use]
    pub fn renumbered(self, mut key: impl FnMut(&str) -> Key, first_seq: u64) -> Self {
        let Self { mut edges, names, relations, mut gone, .. } = self;
        let names: Vec<(Key, Key, Arc<str>)> =
            names.into_iter().map(|(old, name)| (old, key(&name), name)).collect();
        let renamed = |old: Key| names.binary_search_by_key(&old, |(old, ..)| *old).map(|at| names[at].1);
        let number = |old: Relation| relations.partition_point(|(number, _)| *number < old) as u32;
        // What went and was no end has no name, and says nothing.
        gone.retain(|gone| renamed(gone.key).is_ok());
        let mut seqs: Vec<Seq> = edges.iter().map(|e| e.seq).chain(gone.iter().map(|g| g.seq)).collect();
        seqs.sort_unstable();
        seqs.dedup();
        let counted = |seq: Seq| Seq(first_seq + seqs.partition_point(|s| *s < seq) as u64);
        for edge in &mut edges {
            (edge.source, edge.target) =
                (renamed(edge.source).unwrap_or(edge.source), renamed(edge.target).unwrap_or(edge.target));
            (edge.relation, edge.seq) = (Relation(number(edge.relation)), counted(edge.seq));
        }
        for gone in &mut gone {
            (gone.key, gone.seq) = (renamed(gone.key).unwrap_or(gone.key), counted(gone.seq));
        }
        let named = names.into_iter().map(|(_, new, name)| (new, name)).collect();
        let relations = (0..).map(Relation).zip(relations.into_iter().map(|(_, name)| name)).collect();
        Self::new(edges, named, relations, gone)
    }

    /// What is wrong with it as the edges of a whole collection whose next numbers are these, if anything is.
    #[must_use]
    pub fn fault(
        &self,
        next_key: u32,
        next_relation: u32,
        next_seq: u64,
        last_time: i64,
    ) -> Option<&'static str> {
        let is_sound = |edge: &Edge| {
            let ends = [edge.source, edge.target];
            edge.source != edge.target
                && ends.iter().all(|key| key.0 < next_key && self.name_of(*key).is_some())
                && self.relations.binary_search_by_key(&edge.relation, |(number, _)| *number).is_ok()
        };
        if !self.edges.iter().all(is_sound) || self.relations.iter().any(|(n, _)| n.0 >= next_relation) {
            return Some("edges between two documents, by a relation, all with a name");
        }
        let mut relations: Vec<&Arc<str>> = self.relations.iter().map(|(_, name)| name).collect();
        relations.sort_unstable();
        let is_twice = self.keys.len() < self.names.len() || relations.windows(2).any(|two| two[0] == two[1]);
        if is_twice {
            return Some("ends and relations each under one number");
        }
        let in_time = |edge: &Edge| {
            let has_ended = edge.until < NEVER;
            edge.at <= last_time && edge.until > edge.at && (!has_ended || edge.until <= last_time)
        };
        if !self.edges.iter().all(in_time) || self.gone.iter().any(|gone| gone.at > last_time) {
            return Some("edges that end after they began, and not later than the last write");
        }
        if self.edges.iter().any(|edge| edge.seq.0 >= next_seq || !edge.weight.is_finite()) {
            return Some("edges with a seq that was given and a finite weight");
        }
        None
    }

    /// Without names that no entry mentions.
    pub(super) fn without_strays(mut self) -> Self {
        let mut keys: Vec<Key> = self.edges.iter().flat_map(|edge| [edge.source, edge.target]).collect();
        keys.sort_unstable();
        keys.dedup();
        self.names.retain(|(key, _)| keys.binary_search(key).is_ok());
        let mut numbers: Vec<Relation> = self.edges.iter().map(|edge| edge.relation).collect();
        numbers.sort_unstable();
        numbers.dedup();
        self.relations.retain(|(number, _)| numbers.binary_search(number).is_ok());
        self.arrange();
        self
    }

    /// Its entries, by source, relation, target, seq.
    #[must_use]
    pub fn edges(&self) -> &[Edge] {
        &self.edges
    }

    /// Places of its entries, by target, relation, source, seq.
    pub(super) fn incoming(&self) -> &[u32] {
        &self.incoming
    }

    /// The names of ends, by key.
    #[must_use]
    pub fn names(&self) -> &[(Key, Arc<str>)] {
        &self.names
    }

    /// Places of names, by name.
    pub(super) fn by_name(&self) -> Vec<u32> {
        by_name(&self.names)
    }

    /// The names of relations, by number.
    #[must_use]
    pub fn relation_names(&self) -> &[(Relation, Arc<str>)] {
        &self.relations
    }

    /// Documents that went, by key and seq.
    #[must_use]
    pub fn gone(&self) -> &[Gone] {
        &self.gone
    }

    /// Whether nothing is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.edges.is_empty() && self.gone.is_empty()
    }

    /// How many entries there are, documents that went among them.
    #[must_use]
    pub fn len(&self) -> usize {
        self.edges.len() + self.gone.len()
    }

    /// About how many bytes it takes. A map has room for twice what is in it, and a byte for each place.
    #[must_use]
    pub fn weight(&self) -> usize {
        let properties = |edge: &Edge| edge.properties.as_ref().map_or(0, |p| 64 + object_weight(p));
        let edges: usize = self.edges.iter().map(|edge| size_of::<Edge>() + 4 + properties(edge)).sum();
        let names: usize = self.names.iter().map(|(_, name)| 28 + name.len()).sum();
        let relations: usize = self.relations.iter().map(|(_, name)| 24 + name.len()).sum();
        let maps = self.keys.len() * 2 * (size_of::<(Arc<str>, Key)>() + 1)
            + self.outgoing.len() * 2 * (size_of::<(Key, u32)>() + 1);
        edges + names + relations + maps + self.gone.len() * size_of::<Gone>()
    }
}

/// Places of names, by name.
pub(super) fn by_name<N>(names: &[(N, Arc<str>)]) -> Vec<u32> {
    let mut places: Vec<u32> = (0..names.len() as u32).collect();
    places.sort_unstable_by(|a, b| names[*a as usize].1.cmp(&names[*b as usize].1));
    places
}

/// What has this name, by places that [`by_name`] gave.
pub(super) fn named<N: Copy>(names: &[(N, Arc<str>)], places: &[u32], name: &str) -> Option<N> {
    let at = places.binary_search_by(|place| (*names[*place as usize].1).cmp(name)).ok()?;
    Some(names[places[at] as usize].0)
}

/// The first time after `at` at which a document went.
pub(super) fn first_after(gone: &[Gone], key: Key, at: i64) -> Option<i64> {
    let from = gone.partition_point(|gone| gone.key < key);
    // In the order of seq, and so of time but for documents that expired before their end was noted.
    gone[from..].iter().take_while(|gone| gone.key == key).map(|gone| gone.at).filter(|went| *went > at).min()
}

/// Within a part, each version ends where the next begins, and marks are kept only for what older parts hold.
fn settle(edges: &mut Vec<Edge>) {
    let mut kept = 0;
    let mut start = 0;
    for i in 0..edges.len() {
        let triple = |edge: &Edge| (edge.source, edge.relation, edge.target);
        if kept == start || triple(&edges[kept - 1]) != triple(&edges[i]) {
            start = kept;
        }
        let (mark, at) = (edges[i].mark, edges[i].at);
        match mark {
            Mark::Erase => kept = start,
            Mark::Link | Mark::Unlink if kept > start => {
                let before = &mut edges[kept - 1];
                if before.mark == Mark::Link {
                    before.until = before.until.min(at);
                }
                if mark == Mark::Unlink {
                    continue;
                }
            }
            _ => {}
        }
        edges.swap(kept, i);
        kept += 1;
    }
    edges.truncate(kept);
}

impl EdgeSource for EdgeTable {
    fn entries(&self, node: Key, direction: Direction, relation: Option<Relation>, out: &mut Vec<Entry>) {
        let (low, high) = (relation.unwrap_or(Relation(0)), relation.unwrap_or(Relation(u32::MAX)));
        match direction {
            Direction::Out => {
                let Some(&first) = self.outgoing.get(&node) else { return };
                let is_before = |edge: &Edge| edge.source == node && edge.relation < low;
                let from = first as usize + self.edges[first as usize..].partition_point(is_before);
                let own = |edge: &&Edge| edge.source == node && edge.relation <= high;
                let found = self.edges[from..].iter().take_while(own).zip(from as u32..);
                out.extend(found.map(|(edge, place)| entry(place, edge, edge.target)));
            }
            Direction::In => {
                let edge = |place: u32| &self.edges[place as usize];
                let order = |place: u32| (edge(place).target, edge(place).relation);
                let from = self.incoming.partition_point(|place| order(*place) < (node, low));
                let own = |place: &&u32| edge(**place).target == node && edge(**place).relation <= high;
                let found = self.incoming[from..].iter().take_while(own);
                out.extend(found.map(|place| entry(*place, edge(*place), edge(*place).source)));
            }
        }
    }

    fn neighbours(&self, node: Key, direction: Direction, relation: Option<Relation>, out: &mut Vec<Key>) {
        let mut entries = Vec::new();
        self.entries(node, direction, relation, &mut entries);
        out.extend(entries.iter().map(|entry| entry.other));
    }

    fn is_plain(&self) -> bool {
        self.is_plain
    }

    fn weight_of(&self, place: u32) -> f64 {
        self.edges[place as usize].weight
    }

    fn properties_of(&self, place: u32) -> crate::base::Result<Option<Arc<crate::base::Object>>> {
        Ok(self.edges[place as usize].properties.clone())
    }

    fn key_of(&self, name: &str) -> Option<Key> {
        self.keys.get(name).copied()
    }

    fn name_of(&self, key: Key) -> Option<&str> {
        let at = self.names.binary_search_by_key(&key, |(key, _)| *key).ok()?;
        Some(&self.names[at].1)
    }

    fn relations(&self) -> &[(Relation, Arc<str>)] {
        &self.relations
    }

    fn relation_of(&self, name: &str) -> Option<Relation> {
        named(&self.relations, &self.relations_by_name, name)
    }

    fn gone_after(&self, key: Key, at: i64) -> Option<i64> {
        first_after(&self.gone, key, at)
    }

    fn has_gone(&self) -> bool {
        !self.gone.is_empty()
    }

    fn elsewhere(&self) -> &[Key] {
        &self.elsewhere
    }

    fn nodes(&self, out: &mut Vec<Key>) {
        out.extend(self.names.iter().map(|(key, _)| *key));
    }

    fn entries_of(&self, source: Key, relation: Relation, target: Key, out: &mut Vec<Entry>) {
        let Some(&first) = self.outgoing.get(&source) else { return };
        let triple = (source, relation, target);
        let of = |edge: &Edge| (edge.source, edge.relation, edge.target);
        let from = first as usize + self.edges[first as usize..].partition_point(|edge| of(edge) < triple);
        let found = self.edges[from..].iter().zip(from as u32..).take_while(|(edge, _)| of(edge) == triple);
        out.extend(found.map(|(edge, place)| entry(place, edge, edge.target)));
    }
}

fn entry(place: u32, edge: &Edge, other: Key) -> Entry {
    let Edge { relation, seq, mark, at, until, .. } = *edge;
    Entry { relation, other, seq, mark, at, until, place }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edge(seq: u64, mark: Mark, at: i64) -> Edge {
        let (source, relation, target) = (Key(0), Relation(0), Key(1));
        Edge {
            source,
            relation,
            target,
            seq: Seq(seq),
            mark,
            at,
            until: NEVER,
            weight: at as f64,
            properties: None,
        }
    }

    fn table(edges: Vec<Edge>) -> EdgeTable {
        let names = [(Key(0), "a"), (Key(1), "b")].map(|(key, name)| (key, Arc::from(name))).to_vec();
        EdgeTable::new(edges, names, vec![(Relation(0), "r".into())], Vec::new())
    }

    /// A repair that has to guess the manifest replays all logs, though blobs hold what they tell. Versions were doubled,
    /// and the second of one began after the first of the next.
    #[test]
    fn what_blobs_and_logs_both_tell_is_there_once() {
        let ops = |first: u64| {
            let marks = [(Mark::Link, 5), (Mark::Unlink, 7), (Mark::Link, 9), (Mark::Link, 11)];
            (first..).zip(marks).map(|(seq, (mark, at))| edge(seq, mark, at)).collect::<Vec<_>>()
        };
        let saved = table(ops(0)).salvaged(&table(ops(100)));
        let told = |table: &EdgeTable| -> Vec<(i64, i64, f64)> {
            table.edges().iter().map(|edge| (edge.at, edge.until, edge.weight)).collect()
        };
        assert_eq!(told(&saved), [(5, 7, 5.0), (9, 11, 9.0), (11, NEVER, 11.0)]);
        // A blob in which a mark stands for a version, and logs that have the version.
        let pruned = table(vec![edge(0, Mark::Unlink, 5), edge(2, Mark::Link, 9)]);
        assert_eq!(told(&pruned.salvaged(&table(ops(100)))), told(&saved));
        let erased =
            table(ops(0)).salvaged(&table(vec![edge(100, Mark::Erase, 10), edge(101, Mark::Link, 11)]));
        assert_eq!(told(&erased.first(i64::MIN)), [(11, NEVER, 11.0)]);
    }
}
