//! What the entries of several parts say of a moment: the one rule of reading the graph.
//!
//! Of an edge's entries up to the moment the newest decides, and an erasure hides all before it. A version is there from
//! its beginning until the next entry, and no longer than both ends are: an end that was deleted or expired after it
//! began ends it. What ends never existed is no matter.

use std::ops::Deref;
use std::sync::Arc;

use crate::base::{Key, NEVER, Object, Result};

use super::crossing::Crossing;
use super::edge::{Direction, Entry, Link, Mark, Relation};

/// The entries of one part.
pub trait EdgeSource: Send + Sync {
    /// Appends the entries at an end, of one relation or of all, by relation, other end and seq.
    fn entries(&self, node: Key, direction: Direction, relation: Option<Relation>, out: &mut Vec<Entry>);
    /// Appends the other ends of the entries at an end, in the same order.
    fn neighbours(&self, node: Key, direction: Direction, relation: Option<Relation>, out: &mut Vec<Key>);
    /// Whether all entries are versions that have not ended, as far as this part knows.
    fn is_plain(&self) -> bool;
    /// The weight of the entry at a place.
    fn weight_of(&self, place: u32) -> f64;
    /// The properties of the entry at a place.
    ///
    /// # Errors
    /// `corrupt`, `not_resident`.
    fn properties_of(&self, place: u32) -> Result<Option<Arc<Object>>>;
    /// The key of an end of an entry.
    fn key_of(&self, name: &str) -> Option<Key>;
    /// The name of an end of an entry.
    fn name_of(&self, key: Key) -> Option<&str>;
    /// The names of its entries' relations, by number.
    fn relations(&self) -> &[(Relation, Arc<str>)];
    /// The number of a relation of its entries.
    fn relation_of(&self, name: &str) -> Option<Relation>;
    /// The first time after `at` at which a document went, as far as this part knows.
    fn gone_after(&self, key: Key, at: i64) -> Option<i64>;
    /// Whether any document went.
    fn has_gone(&self) -> bool;
    /// The ends that may be in another collection, by their names; ascending.
    fn elsewhere(&self) -> &[Key];
    /// Appends the keys of all ends.
    fn nodes(&self, out: &mut Vec<Key>);
    /// Appends the entries of one edge, by seq.
    fn entries_of(&self, source: Key, relation: Relation, target: Key, out: &mut Vec<Entry>);
}

/// Edges at an end, and what finding them takes: filled again and again, it allocates nothing.
#[derive(Debug, Default)]
pub struct Links {
    found: Vec<Link>,
    entries: Vec<Entry>,
    /// How many of the entries are of each part or of those before it.
    ends: Vec<usize>,
    order: Vec<u32>,
}

impl Deref for Links {
    type Target = [Link];

    fn deref(&self) -> &[Link] {
        &self.found
    }
}

/// Documents that have expired, and whose end is not noted yet.
pub trait Expired {
    /// When this one did; `None` when it has not, or its end is noted.
    fn expired(&self, key: Key) -> Option<i64>;
}

/// When a graph is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct When {
    /// Nanoseconds since 1970 UTC.
    pub time: i64,
    /// Nothing was written later.
    pub is_current: bool,
    /// Versions that had ended by then are as if they had never been, whether a part still has them or not.
    pub kept_from: i64,
}

/// The graph of a collection at a moment.
pub struct Graph<'a> {
    /// In the order of seq.
    parts: Vec<&'a dyn EdgeSource>,
    /// The only part there is, where all of its entries are there: nothing has to be decided.
    pub(super) plain: Option<&'a dyn EdgeSource>,
    /// Asked of the ends that a question comes across; `None` where nothing has expired.
    expired: Option<Box<dyn Expired + 'a>>,
    has_gone: bool,
    when: When,
    /// Its way into other collections; `None` where it is looked at alone.
    pub(super) crossing: Option<Box<Crossing<'a>>>,
}

impl<'a> Graph<'a> {
    /// Of parts in the order of seq, at a moment.
    #[must_use]
    pub fn new(parts: Vec<&'a dyn EdgeSource>, expired: Option<Box<dyn Expired + 'a>>, when: When) -> Self {
        let has_gone = expired.is_some() || parts.iter().any(|part| part.has_gone());
        let plain = match &*parts {
            [part] if when.is_current && !has_gone && part.is_plain() => Some(*part),
            _ => None,
        };
        Self { parts, plain, expired, has_gone, when, crossing: None }
    }

    /// The key of an end; `None` for what no edge ever had as its end.
    #[must_use]
    pub fn key(&self, name: &str) -> Option<Key> {
        self.parts.iter().rev().find_map(|part| part.key_of(name))
    }

    /// The name of an end; empty for what no edge ever had as its end.
    #[must_use]
    pub fn name(&self, key: Key) -> &'a str {
        self.parts.iter().rev().find_map(|part| part.name_of(key)).unwrap_or_default()
    }

    /// Whether the name of any end could be one of another collection.
    #[must_use]
    pub fn leads_elsewhere(&self) -> bool {
        self.parts.iter().any(|part| !part.elsewhere().is_empty())
    }

    pub(super) fn may_be_elsewhere(&self, key: Key) -> bool {
        self.parts.iter().any(|part| part.elsewhere().binary_search(&key).is_ok())
    }

    /// The number of a relation; `None` for one that no edge ever had. One that only another collection has is given a
    /// number where the graph is followed there.
    #[must_use]
    pub fn relation(&self, name: &str) -> Option<Relation> {
        match &self.crossing {
            None => self.own_relation(name),
            Some(crossing) => Some(crossing.relation(self, name)),
        }
    }

    pub(super) fn own_relation(&self, name: &str) -> Option<Relation> {
        self.parts.iter().rev().find_map(|part| part.relation_of(name))
    }

    /// The name of a relation; empty for one that no edge ever had.
    #[must_use]
    pub fn relation_name(&self, relation: Relation) -> &'a str {
        let of = |part: &&'a dyn EdgeSource| {
            let (part, names) = (*part, part.relations());
            let at = names.binary_search_by_key(&relation, |(number, _)| *number).ok()?;
            Some(&*part.relations()[at].1)
        };
        self.parts.iter().rev().find_map(of).unwrap_or_default()
    }

    /// All ends of edges that there ever were, ascending.
    #[must_use]
    pub fn nodes(&self) -> Vec<Key> {
        let mut nodes = Vec::new();
        self.parts.iter().for_each(|part| part.nodes(&mut nodes));
        nodes.sort_unstable();
        nodes.dedup();
        nodes
    }

    /// Replaces `out` by the edges that are there at an end, of these relations or, when there are none, of all: by
    /// relation and other end. Relations ascend.
    ///
    /// # Complexity
    /// As many steps as the end has entries, and a search in each part.
    pub fn links(&self, node: Key, direction: Direction, relations: &[Relation], out: &mut Links) {
        match &self.crossing {
            None => self.own_links(node, direction, relations, out),
            Some(crossing) => out.found = crossing.links(self, node, direction, relations, false),
        }
    }

    /// As [`Graph::links`], of what this graph keeps, wherever it leads.
    pub(super) fn own_links(&self, node: Key, direction: Direction, relations: &[Relation], out: &mut Links) {
        let mut found = std::mem::take(&mut out.found);
        found.clear();
        self.each(node, direction, relations, out, &mut |link, is_there| {
            if is_there {
                found.push(link);
            }
        });
        out.found = found;
    }

    /// Replaces `out` by what the edges of [`Graph::links`] lead to, in their order.
    pub fn neighbours(
        &self,
        node: Key,
        direction: Direction,
        relations: &[Relation],
        with: &mut Links,
        out: &mut Vec<Key>,
    ) {
        out.clear();
        match (self.plain, relations) {
            (Some(part), []) => part.neighbours(node, direction, None, out),
            (Some(part), [one]) => part.neighbours(node, direction, Some(*one), out),
            _ => {
                self.links(node, direction, relations, with);
                out.extend(with.iter().map(|link| link.far(direction)));
            }
        }
    }

    /// All edges that are there, by seq.
    #[must_use]
    pub fn all(&self) -> Vec<Link> {
        let (mut all, mut links) = (Vec::new(), Links::default());
        for node in self.nodes() {
            self.links(node, Direction::Out, &[], &mut links);
            all.extend_from_slice(&links);
        }
        all.sort_unstable_by_key(|link| link.seq);
        all
    }

    /// Every version of the edges at an end that began by the moment, ended or not: by relation, other end and seq.
    #[must_use]
    pub fn history(&self, node: Key, direction: Direction, relations: &[Relation]) -> Vec<Link> {
        match &self.crossing {
            None => self.own_history(node, direction, relations),
            Some(crossing) => crossing.links(self, node, direction, relations, true),
        }
    }

    pub(super) fn own_history(&self, node: Key, direction: Direction, relations: &[Relation]) -> Vec<Link> {
        let mut found = Vec::new();
        self.each(node, direction, relations, &mut Links::default(), &mut |link, _| found.push(link));
        found
    }

    fn each(
        &self,
        node: Key,
        direction: Direction,
        relations: &[Relation],
        with: &mut Links,
        found: &mut dyn FnMut(Link, bool),
    ) {
        let Links { entries, ends, order, .. } = with;
        entries.clear();
        ends.clear();
        match relations {
            [] => self.gather(node, direction, None, entries, ends),
            [one] => self.gather(node, direction, Some(*one), entries, ends),
            several => {
                self.gather(node, direction, None, entries, ends);
                // Which part an entry is of is counted by what is before it.
                let mut kept = 0;
                let mut from = 0;
                for end in ends.iter_mut() {
                    for i in from..*end {
                        if several.binary_search(&entries[i].relation).is_ok() {
                            entries.swap(kept, i);
                            kept += 1;
                        }
                    }
                    from = std::mem::replace(end, kept);
                }
                entries.truncate(kept);
            }
        }
        let part_of = |i: usize| ends.partition_point(|end| *end <= i) as u32;
        order.clear();
        order.extend(0..entries.len() as u32);
        let is_of_one = ends.first().is_none_or(|_| part_of(0) == part_of(entries.len().saturating_sub(1)));
        if !is_of_one {
            order.sort_unstable_by_key(|i| {
                let entry = &entries[*i as usize];
                (entry.relation, entry.other, entry.seq)
            });
        }
        let same = |a: u32, b: u32| {
            let (a, b) = (&entries[a as usize], &entries[b as usize]);
            a.relation == b.relation && a.other == b.other
        };
        for group in order.chunk_by(|a, b| same(*a, *b)) {
            self.decide(node, direction, group, entries, &part_of, found);
        }
    }

    fn gather(
        &self,
        node: Key,
        direction: Direction,
        relation: Option<Relation>,
        entries: &mut Vec<Entry>,
        ends: &mut Vec<usize>,
    ) {
        for part in &self.parts {
            part.entries(node, direction, relation, entries);
            ends.push(entries.len());
        }
    }

    /// The versions of one edge, by its entries in the order of seq.
    fn decide(
        &self,
        node: Key,
        direction: Direction,
        group: &[u32],
        entries: &[Entry],
        part_of: &dyn Fn(usize) -> u32,
        found: &mut dyn FnMut(Link, bool),
    ) {
        let erased = group.iter().rposition(|i| entries[*i as usize].mark == Mark::Erase);
        let group = &group[erased.map_or(0, |at| at + 1)..];
        for (i, at) in group.iter().enumerate() {
            let entry = &entries[*at as usize];
            if entry.mark != Mark::Link || (entry.at > self.when.time && !self.when.is_current) {
                continue;
            }
            let next = group.get(i + 1).map_or(NEVER, |next| entries[*next as usize].at);
            let mut until = entry.until.min(next);
            if self.has_gone {
                let went = [node, entry.other].map(|key| self.gone_after(key, entry.at));
                until = until.min(went[0]).min(went[1]);
            }
            if until <= self.when.kept_from {
                continue;
            }
            let (source, target) = match direction {
                Direction::Out => (node, entry.other),
                Direction::In => (entry.other, node),
            };
            let link = Link {
                source,
                relation: entry.relation,
                target,
                seq: entry.seq,
                created: entry.at,
                until,
                of: 0,
                part: part_of(*at as usize),
                place: entry.place,
            };
            found(link, until > self.when.time);
        }
    }

    /// The first time after `at` at which a document went; [`NEVER`] for none.
    fn gone_after(&self, key: Key, at: i64) -> i64 {
        let noted = self.parts.iter().filter_map(|part| part.gone_after(key, at)).min();
        let expired = self.expired.as_ref().and_then(|expired| expired.expired(key));
        let expired = expired.filter(|expired| *expired > at);
        noted.into_iter().chain(expired).min().unwrap_or(NEVER)
    }

    /// The weight of an edge.
    #[must_use]
    pub fn weight(&self, link: &Link) -> f64 {
        self.keeper(link).weight_of(link.place)
    }

    /// The properties of an edge; `None` for none.
    ///
    /// # Errors
    /// `corrupt`, `not_resident`.
    pub fn properties(&self, link: &Link) -> Result<Option<Arc<Object>>> {
        self.keeper(link).properties_of(link.place)
    }

    /// The part that keeps an edge, of whatever collection.
    fn keeper(&self, link: &Link) -> &dyn EdgeSource {
        let graph = self.crossing.as_ref().and_then(|crossing| crossing.graph_of(link.of));
        graph.unwrap_or(self).parts[link.part as usize]
    }

    /// The version of one edge that is there, and whether there ever was one.
    #[must_use]
    pub fn find(&self, source: Key, relation: Relation, target: Key) -> (Option<Link>, bool) {
        let (mut there, mut ever) = (None, false);
        self.each_version((source, relation, target), &mut |link, is_there| {
            ever = true;
            if is_there {
                there = Some(link);
            }
        });
        (there, ever)
    }

    /// Tells the versions of one edge: a search in each part, whatever its ends have besides. How many entries of it the
    /// parts up to each have.
    pub fn each_version(
        &self,
        (source, relation, target): (Key, Relation, Key),
        found: &mut dyn FnMut(Link, bool),
    ) -> Vec<usize> {
        let (mut entries, mut ends) = (Vec::new(), Vec::with_capacity(self.parts.len()));
        for part in &self.parts {
            part.entries_of(source, relation, target, &mut entries);
            ends.push(entries.len());
        }
        let order: Vec<u32> = (0..entries.len() as u32).collect();
        let part_of = |i: usize| ends.partition_point(|end| *end <= i) as u32;
        self.decide(source, Direction::Out, &order, &entries, &part_of, found);
        ends
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::base::Seq;
    use crate::graph::{Edge, EdgeTable};

    /// Documents that have expired, which counts how often it is asked.
    struct Counted<'a>(&'a Cell<usize>);

    impl Expired for Counted<'_> {
        fn expired(&self, key: Key) -> Option<i64> {
            self.0.set(self.0.get() + 1);
            (key.0 % 10 == 3).then_some(50)
        }
    }

    /// A row of so many documents, each linked to the next.
    fn row(count: u32) -> EdgeTable {
        let edge = |n: u32| Edge {
            source: Key(n),
            relation: Relation(0),
            target: Key(n + 1),
            seq: Seq(u64::from(n)),
            mark: Mark::Link,
            at: 1,
            until: NEVER,
            weight: 1.0,
            properties: None,
        };
        let names = (0..=count).map(|n| (Key(n), format!("d{n}").into())).collect();
        EdgeTable::new((0..count).map(edge).collect(), names, vec![(Relation(0), "next".into())], Vec::new())
    }

    /// Every question once walked all documents that had expired, however few it came across.
    #[test]
    fn a_question_asks_of_the_ends_that_it_touches() {
        let (table, asked) = (row(10_000), Cell::new(0));
        let when = When { time: 100, is_current: true, kept_from: i64::MIN };
        let graph = Graph::new(vec![&table], Some(Box::new(Counted(&asked))), when);
        let mut links = Links::default();
        graph.links(Key(4), Direction::Out, &[], &mut links);
        assert_eq!((links.len(), asked.get()), (1, 2));
        graph.links(Key(2), Direction::Out, &[], &mut links);
        assert_eq!((links.len(), asked.get()), (0, 4), "its other end has expired");
        assert_eq!(graph.find(Key(7), Relation(0), Key(8)).0.map(|link| link.seq), Some(Seq(7)));
        assert_eq!(asked.get(), 6);
    }

    #[test]
    fn what_ended_before_what_is_kept_never_was() {
        let table = row(20);
        let asked = Cell::new(0);
        let at = |kept_from| When { time: 100, is_current: true, kept_from };
        let versions = |kept_from| {
            let graph = Graph::new(vec![&table], Some(Box::new(Counted(&asked))), at(kept_from));
            (graph.history(Key(2), Direction::Out, &[]).len(), graph.find(Key(2), Relation(0), Key(3)).1)
        };
        assert_eq!((versions(49), versions(50)), ((1, true), (0, false)));
    }
}
