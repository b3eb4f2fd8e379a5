//! Writing edges: which versions begin and which end is decided before anything is logged.
//!
//! An edge that is there as it is asked for stays as it is. One with another weight or other properties ends where its
//! next version begins. One whose end went is not there, so that linking it again begins a version.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use crate::base::value::{check_object, object_weight};
use crate::base::{Error, Key, NEVER, Object, Result, Seq, check_id};
use crate::graph::{Edge, EdgeTable, Gone, Graph, Mark, Relation, check_relation};

use super::op::Op;
use super::view::View;
use super::write::{Counters, Loading, Resolver};

/// An edge as the user asks for it.
#[derive(Debug, Clone, PartialEq)]
pub struct LinkRequest {
    /// Where it begins: an id.
    pub source: String,
    /// What it means.
    pub relation: String,
    /// Where it leads: another id.
    pub target: String,
    /// A relation that leads back, with the same weight and properties.
    pub inverse: Option<String>,
    /// Finite; 1 by default.
    pub weight: f64,
    /// Whatever the user wants to say of it.
    pub properties: Object,
}

impl LinkRequest {
    /// About how many bytes of memtable it takes.
    pub(super) fn weight_in_bytes(&self) -> usize {
        let once = size_of::<Edge>() + self.source.len() + self.target.len();
        let once = once + self.relation.len() + object_weight(&self.properties);
        once * (1 + usize::from(self.inverse.is_some()))
    }
}

/// The end of an edge, as the user asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnlinkRequest {
    /// Where it begins.
    pub source: String,
    /// What it means.
    pub relation: String,
    /// Where it leads.
    pub target: String,
    /// A relation that leads back, which ends too.
    pub inverse: Option<String>,
    /// Whether its history goes with it.
    pub erase: bool,
}

/// One edge: source, relation, target.
type Triple = (Key, Relation, Key);

/// The version of an edge that is there.
#[derive(Debug, Clone)]
struct Current {
    created: i64,
    weight: f64,
    properties: Option<Arc<Object>>,
}

/// What a batch knows of edges: from the view, and from its own mutations.
pub(super) struct Linking<'a> {
    /// `None` as long as there never was an edge.
    graph: Option<Graph<'a>>,
    names: HashMap<String, Key>,
    relations: HashMap<String, Relation>,
    next_relation: u32,
    /// What the batch gave numbers to has these or higher ones.
    first_key: Key,
    first_relation: Relation,
    /// Edges that the batch wrote: what is there, and whether anything ever was.
    written: HashMap<Triple, (Option<Current>, bool)>,
    /// When documents went in the batch.
    gone: HashMap<Key, i64>,
}

impl<'a> Linking<'a> {
    pub fn new(view: &'a View, now: i64, loading: Option<&Loading>) -> Result<Self> {
        let next_relation = view.counters.next_relation;
        let graph = if next_relation > 0 { Some(view.graph(view.now(now))?) } else { None };
        // What a bulk import has named has its number already, though nobody sees it yet.
        let relations = loading.map(|loading| loading.relations.clone()).unwrap_or_default();
        Ok(Self {
            graph,
            names: HashMap::new(),
            relations,
            next_relation,
            first_key: Key(view.counters.next_key),
            first_relation: Relation(next_relation),
            written: HashMap::new(),
            gone: HashMap::new(),
        })
    }

    /// The key of an id that is an end of an edge, as far as that is known.
    pub fn key(&self, id: &str) -> Option<Key> {
        let own = || self.graph.as_ref().and_then(|graph| graph.key(id));
        self.names.get(id).copied().or_else(own)
    }

    /// The key of an id that the batch has met as an end.
    pub fn met(&self, id: &str) -> Option<Key> {
        self.names.get(id).copied()
    }

    /// The numbers of relations that were given or asked for.
    pub fn into_relations(self) -> HashMap<String, Relation> {
        self.relations
    }

    /// Remembers the key of an id.
    pub fn name(&mut self, id: &str, key: Key) {
        self.names.insert(id.to_owned(), key);
    }

    /// A document went at a time.
    pub fn gone(&mut self, key: Key, at: i64) {
        if self.next_relation > 0 {
            self.gone.insert(key, at);
        }
    }

    /// The number of a relation, if it has one.
    fn relation(&mut self, name: &str) -> Option<Relation> {
        if let Some(relation) = self.relations.get(name) {
            return Some(*relation);
        }
        let found = self.graph.as_ref()?.relation(name)?;
        self.relations.insert(name.to_owned(), found);
        Some(found)
    }

    /// The number of a relation, which is given to it now if it has none.
    fn new_relation(&mut self, name: &str) -> Result<Relation> {
        if let Some(relation) = self.relation(name) {
            return Ok(relation);
        }
        if self.next_relation == u32::MAX {
            return Err(Error::parameter("relation", "one more", "fewer relations"));
        }
        let number = Relation(self.next_relation);
        self.next_relation += 1;
        self.relations.insert(name.to_owned(), number);
        Ok(number)
    }

    /// The version of an edge that is there, and whether there ever was one.
    fn current(&self, triple: Triple) -> Result<(Option<Current>, bool)> {
        let (source, relation, target) = triple;
        let (current, ever) = match (self.written.get(&triple), &self.graph) {
            (Some(written), _) => written.clone(),
            (None, None) => return Ok((None, false)),
            // An end, or a relation, that came with this batch.
            (None, Some(_)) if source.max(target) >= self.first_key || relation >= self.first_relation => {
                return Ok((None, false));
            }
            (None, Some(graph)) => match graph.find(source, relation, target) {
                (None, ever) => (None, ever),
                (Some(link), ever) => {
                    let (weight, properties) = (graph.weight(&link), graph.properties(&link)?);
                    (Some(Current { created: link.created, weight, properties }), ever)
                }
            },
        };
        let went = |current: &Current| {
            let gone = [source, target].map(|key| self.gone.get(&key).copied());
            gone.into_iter().flatten().any(|at| at > current.created)
        };
        Ok((current.filter(|current| !went(current)), ever))
    }
}

impl Resolver<'_> {
    /// Decides a link and, where it is asked for, the one that leads back.
    pub(super) fn link(&mut self, link: LinkRequest) -> Result<()> {
        let LinkRequest { source, relation, target, inverse, weight, properties } = link;
        check_ends(&source, &target)?;
        if !weight.is_finite() {
            return Err(Error::parameter("weight", weight, "a finite number"));
        }
        let properties = check_object(properties)?;
        if let Some(inverse) = inverse {
            self.link_one(&source, &relation, &target, weight, &properties)?;
            return self.link_one(&target, &inverse, &source, weight, &properties);
        }
        self.link_one(&source, &relation, &target, weight, &properties)
    }

    /// The version of an edge that is there when the next op is, and whether there ever was one.
    fn current(&self, triple: Triple, ends: [&str; 2]) -> Result<(Option<Current>, bool)> {
        let (current, ever) = self.edges.current(triple)?;
        let Some(current) = current else { return Ok((None, ever)) };
        let now = self.next_time();
        for id in ends {
            let end = self.expires_at(id)?;
            if current.created < end && end <= now {
                return Ok((None, ever));
            }
        }
        Ok((Some(current), ever))
    }

    fn link_one(
        &mut self,
        source: &str,
        relation: &str,
        target: &str,
        weight: f64,
        properties: &Object,
    ) -> Result<()> {
        check_relation(relation)?;
        let number = self.edges.new_relation(relation)?;
        let triple = (self.key(source)?, number, self.key(target)?);
        let properties = Some(properties).filter(|properties| !properties.is_empty());
        let (current, _) = self.current(triple, [source, target])?;
        let is_same = |current: &Current| {
            current.weight.to_bits() == weight.to_bits() && current.properties.as_deref() == properties
        };
        if !current.is_some_and(|current| is_same(&current)) {
            self.begin_edge(triple, [source, relation, target], weight, properties);
        }
        Ok(())
    }

    /// Makes an edge, unless there is one: then it stays, whatever its weight and properties.
    pub(super) fn link_where_none_is(&mut self, [source, relation, target]: [&str; 3]) -> Result<()> {
        let number = self.edges.new_relation(relation)?;
        let triple = (self.key(source)?, number, self.key(target)?);
        if self.current(triple, [source, target])?.0.is_none() {
            self.begin_edge(triple, [source, relation, target], 1.0, None);
        }
        Ok(())
    }

    /// A version of an edge begins with the next op.
    fn begin_edge(
        &mut self,
        triple: Triple,
        [source, relation, target]: [&str; 3],
        weight: f64,
        properties: Option<&Object>,
    ) {
        let at = self.next_time();
        self.time = at;
        let kept = properties.cloned().map(Arc::new);
        self.edges.written.insert(triple, (Some(Current { created: at, weight, properties: kept }), true));
        self.out.linked += 1;
        self.out.ops.push(Op::Link {
            source: (triple.0, source.into()),
            relation: (triple.1, relation.into()),
            target: (triple.2, target.into()),
            at,
            weight,
            properties: properties.cloned().unwrap_or_default(),
        });
    }

    /// Decides the end of an edge and, where it is asked for, of the one that leads back.
    pub(super) fn unlink(&mut self, unlink: &UnlinkRequest) -> Result<()> {
        let UnlinkRequest { source, relation, target, inverse, erase } = unlink;
        check_ends(source, target)?;
        self.unlink_one(source, relation, target, *erase)?;
        inverse.as_ref().map_or(Ok(()), |inverse| self.unlink_one(target, inverse, source, *erase))
    }

    pub(super) fn unlink_one(
        &mut self,
        source: &str,
        relation: &str,
        target: &str,
        erase: bool,
    ) -> Result<()> {
        check_relation(relation)?;
        let Some(number) = self.edges.relation(relation) else { return Ok(()) };
        let (Some(from), Some(to)) = (self.key_of_known(source)?, self.key_of_known(target)?) else {
            return Ok(());
        };
        let triple = (from, number, to);
        let (current, ever) = self.current(triple, [source, target])?;
        if !(current.is_some() || erase && ever) {
            return Ok(());
        }
        let at = self.next_time();
        self.time = at;
        self.edges.written.insert(triple, (None, !erase));
        self.out.unlinked += 1;
        let (source, target) = ((from, source.into()), (to, target.into()));
        self.out.ops.push(Op::Unlink { source, relation: (number, relation.into()), target, at, erase });
        Ok(())
    }
}

fn check_ends(source: &str, target: &str) -> Result<()> {
    check_id(source)?;
    check_id(target)?;
    if source == target {
        let expected = "another document than the source";
        return Err(Error::parameter("target", crate::base::ids::shorten(target), expected));
    }
    Ok(())
}

/// What the ops of a batch say of edges.
#[derive(Debug, Default)]
pub struct Noted {
    edges: Vec<Edge>,
    names: Interned<Key>,
    relations: Interned<Relation>,
    /// Documents that went.
    pub gone: Vec<Gone>,
}

impl Noted {
    /// Takes an op of an edge; others say nothing of edges.
    pub fn take(&mut self, op: Op, seq: Seq, counters: &mut Counters) {
        let (source, relation, target, at, mark, weight, properties) = match op {
            Op::Link { source, relation, target, at, weight, properties } => {
                (source, relation, target, at, Mark::Link, weight, properties)
            }
            Op::Unlink { source, relation, target, at, erase } => {
                let mark = if erase { Mark::Erase } else { Mark::Unlink };
                (source, relation, target, at, mark, 1.0, Object::new())
            }
            _ => return,
        };
        counters.reserve(1, source.0.0.max(target.0.0) + 1, at);
        counters.next_relation = counters.next_relation.max(relation.0.0 + 1);
        self.names.note(&source);
        self.names.note(&target);
        self.relations.note(&relation);
        let properties = (!properties.is_empty()).then(|| Arc::new(properties));
        let (source, relation, target, until) = (source.0, relation.0, target.0, NEVER);
        self.edges.push(Edge { source, relation, target, seq, mark, at, until, weight, properties });
    }

    /// As a table of the batch.
    #[must_use]
    pub fn into_table(self) -> EdgeTable {
        if self.edges.is_empty() && self.gone.is_empty() {
            return EdgeTable::default();
        }
        EdgeTable::new(self.edges, self.names.into_vec(), self.relations.into_vec(), self.gone)
    }
}

/// Names by number, each kept once.
#[derive(Debug)]
struct Interned<N>(HashMap<N, Arc<str>>);

impl<N> Default for Interned<N> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<N: Copy + Eq + Hash> Interned<N> {
    fn note(&mut self, (number, name): &(N, Box<str>)) {
        self.0.entry(*number).or_insert_with(|| Arc::from(&**name));
    }

    fn into_vec(self) -> Vec<(N, Arc<str>)> {
        self.0.into_iter().collect()
    }
}
