//! Following a graph into other collections of its database, and back.
//!
//! An end may be in another collection. Seen from the graph that is asked, each has one key all the same: its own, or one
//! that it is given for the time of a question. At an end are the edges that the asked graph keeps and those that the
//! graph of the end's own collection does: no other graph is looked at for it, and nothing is written twice. What an edge
//! leads to in another collection is there while that collection has a document or an edge of that id.

use std::borrow::Cow;
use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::sync::Arc;

use crate::base::{Error, Key, Result, check_name};

use super::edge::{Direction, Link, Relation};
use super::state::{Graph, Links};

/// What stands between the name of a collection and an id in it.
const BETWEEN: &str = "::";

/// The collection and the id in it that an end's name could stand for.
#[must_use]
pub fn split(name: &str) -> Option<(&str, &str)> {
    let (collection, id) = name.split_once(BETWEEN)?;
    (!id.is_empty() && check_name(collection).is_ok()).then_some((collection, id))
}

/// The collections that a graph can be followed into, each by a place that it keeps. The one that is asked has place 0.
pub trait Beyond<'a> {
    /// Where the end is that the collection at a place calls so, and its id there. `None` where it is nowhere: in no
    /// collection that can be looked at.
    ///
    /// # Errors
    /// What opening a collection failed with; `history_gone`, `corrupt`, `not_resident`.
    fn locate<'n>(&self, place: usize, name: &'n str) -> Result<Option<(usize, &'n str)>>;
    /// Whether the collection at a place has a document of this id at the moment.
    ///
    /// # Errors
    /// `history_gone`, `corrupt`, `not_resident`.
    fn has_document(&self, place: usize, id: &str) -> Result<bool>;
    /// The name of the collection at a place that [`Beyond::locate`] told.
    fn collection(&self, place: usize) -> &str;
    /// The graph of the collection at a place that [`Beyond::locate`] told.
    ///
    /// # Errors
    /// `history_gone`, `corrupt`, `not_resident`.
    fn graph(&self, place: usize) -> Result<Graph<'a>>;
    /// Places are below this.
    fn places_max(&self) -> usize;
}

/// An end that the asked graph has no key of.
#[derive(Debug, Clone)]
enum End {
    /// In the collection at a place, by its id there.
    At(usize, Arc<str>),
    /// In no collection that can be looked at, by its name.
    Nowhere(Arc<str>),
}

/// What was found out for a question.
#[derive(Debug, Default)]
struct Known {
    /// Ends that were given keys: from the highest number down, which no collection comes to.
    ends: Vec<End>,
    keys: HashMap<usize, HashMap<Arc<str>, Key>>,
    nowhere: HashMap<Arc<str>, Key>,
    /// What an end of a graph is, seen from the asked one; `None` for what is not there.
    seen: HashMap<(usize, Key), Option<Key>>,
    /// Relations that the asked graph has no number of, from the highest number down.
    relations: Vec<Arc<str>>,
    relations_by_name: HashMap<Arc<str>, Relation>,
}

/// A graph's way into others.
pub(super) struct Crossing<'a> {
    beyond: Box<dyn Beyond<'a> + 'a>,
    /// By place; that of the asked one stays empty.
    graphs: Box<[OnceCell<Graph<'a>>]>,
    known: RefCell<Known>,
    /// What went wrong first.
    failed: RefCell<Option<Error>>,
}

/// Edges that are asked for at an end.
#[derive(Clone, Copy)]
struct Wanted<'r> {
    direction: Direction,
    relations: &'r [Relation],
    /// Whether versions that have ended are, too.
    history: bool,
}

impl<'a> Graph<'a> {
    /// The same, followed into other collections.
    #[must_use]
    pub fn followed(mut self, beyond: Box<dyn Beyond<'a> + 'a>) -> Self {
        // Each end is to be looked at.
        self.plain = None;
        self.crossing = Some(Box::new(Crossing {
            graphs: (0..beyond.places_max()).map(|_| OnceCell::new()).collect(),
            beyond,
            known: RefCell::default(),
            failed: RefCell::default(),
        }));
        self
    }

    /// Whether anything was answered with less than there is, because what it is in could not be read: to be asked once a
    /// question was answered.
    ///
    /// # Errors
    /// What reading failed with.
    pub fn settled(&self) -> Result<()> {
        let failed = self.crossing.as_ref().and_then(|crossing| crossing.failed.borrow_mut().take());
        failed.map_or(Ok(()), Err)
    }

    /// The key of an end by the name that the asked collection has for it; `None` for what is not there, and for what no
    /// edge ever had as its end. With `history` it need not be there any more.
    ///
    /// # Errors
    /// As [`Beyond::locate`].
    pub fn end(&self, name: &str, history: bool) -> Result<Option<Key>> {
        let Some(crossing) = &self.crossing else { return Ok(self.key(name)) };
        match crossing.beyond.locate(0, name)? {
            // An edge of another collection may lead to what no edge of this one does.
            Some((0, id)) => Ok(Some(crossing.key(self, 0, id))),
            Some((place, id)) if history || crossing.is_there(self, place, id)? => {
                Ok(Some(crossing.key(self, place, id)))
            }
            None if history => Ok(Some(crossing.nowhere(name))),
            _ => Ok(None),
        }
    }

    /// The name of an end as the asked collection has it.
    #[must_use]
    pub fn told(&self, key: Key) -> Cow<'a, str> {
        match self.crossing.as_ref().and_then(|crossing| Some((crossing, crossing.end(key)?))) {
            None => Cow::Borrowed(self.name(key)),
            Some((crossing, end)) => Cow::Owned(crossing.name(&end)),
        }
    }

    /// The name of a relation, of whatever collection it is.
    #[must_use]
    pub fn told_relation(&self, relation: Relation) -> Cow<'a, str> {
        match self.crossing.as_ref().and_then(|crossing| crossing.relation_name(relation)) {
            None => Cow::Borrowed(self.relation_name(relation)),
            Some(name) => Cow::Owned(name.as_ref().to_owned()),
        }
    }

    /// Whether an end is in another collection than the one that is asked.
    #[must_use]
    pub fn is_elsewhere(&self, key: Key) -> bool {
        let end = self.crossing.as_ref().and_then(|crossing| crossing.end(key));
        matches!(end, Some(End::At(place, _)) if place != 0)
    }

    /// In which collection an end is, and its id there; `None` for one that is nowhere.
    #[must_use]
    pub fn place(&self, key: Key) -> Option<(usize, Cow<'a, str>)> {
        match self.crossing.as_ref().and_then(|crossing| crossing.end(key)) {
            None => Some((0, Cow::Borrowed(self.name(key)))),
            Some(End::At(place, id)) => Some((place, Cow::Owned(id.as_ref().to_owned()))),
            Some(End::Nowhere(_)) => None,
        }
    }
}

impl<'a> Crossing<'a> {
    /// The graph at a place, if it was asked already.
    pub(super) fn graph_of(&self, place: u32) -> Option<&Graph<'a>> {
        self.graphs.get(place as usize)?.get()
    }

    /// Edges at an end, in the order of [`Graph::links`]: those that the asked graph keeps first.
    pub(super) fn links(
        &self,
        asked: &Graph<'a>,
        node: Key,
        direction: Direction,
        relations: &[Relation],
        history: bool,
    ) -> Vec<Link> {
        let (mut found, wanted) = (Vec::new(), Wanted { direction, relations, history });
        if self.failed.borrow().is_some() {
            return found;
        }
        if let Err(error) = self.collect(asked, node, wanted, &mut found) {
            self.failed.borrow_mut().get_or_insert(error);
            found.clear();
        }
        found
    }

    fn collect(&self, asked: &Graph<'a>, node: Key, wanted: Wanted<'_>, found: &mut Vec<Link>) -> Result<()> {
        let Some(end) = self.end(node) else {
            return self.take(asked, (0, asked, node), node, wanted, found);
        };
        let name = self.name(&end);
        let is_own = match (&end, self.beyond.locate(0, &name)?) {
            (End::At(place, _), Some((at, _))) => at == *place,
            (End::At(..), None) => false,
            (End::Nowhere(_), _) => true,
        };
        if let Some(key) = asked.key(&name).filter(|_| is_own) {
            self.take(asked, (0, asked, key), node, wanted, found)?;
        }
        let End::At(place, id) = end else { return Ok(()) };
        if place == 0 {
            return Ok(());
        }
        let graph = self.graph(place)?;
        let known = |relation: &Relation| graph.relation(&asked.told_relation(*relation));
        let mut relations: Vec<Relation> = wanted.relations.iter().filter_map(known).collect();
        relations.sort_unstable();
        if let Some(key) = graph.key(&id).filter(|_| wanted.relations.is_empty() || !relations.is_empty()) {
            self.take(asked, (place, graph, key), node, Wanted { relations: &relations, ..wanted }, found)?;
        }
        Ok(())
    }

    /// Takes the edges that one graph keeps at an end, as the asked graph sees them.
    fn take(
        &self,
        asked: &Graph<'a>,
        (place, graph, key): (usize, &Graph<'a>, Key),
        near: Key,
        wanted: Wanted<'_>,
        found: &mut Vec<Link>,
    ) -> Result<()> {
        let Wanted { direction, relations, history } = wanted;
        let mut own = Links::default();
        let kept = if history {
            Cow::Owned(graph.own_history(key, direction, relations))
        } else {
            graph.own_links(key, direction, relations, &mut own);
            Cow::Borrowed(&*own)
        };
        for link in kept.iter() {
            let Some(far) = self.seen(asked, (place, graph), link.far(direction), history)? else { continue };
            let (source, target) = match direction {
                Direction::Out => (near, far),
                Direction::In => (far, near),
            };
            let relation = match place {
                0 => link.relation,
                _ => self.relation(asked, graph.relation_name(link.relation)),
            };
            found.push(Link { source, target, relation, of: place as u32, ..*link });
        }
        Ok(())
    }

    /// What an end of a graph is, seen from the asked one.
    fn seen(
        &self,
        asked: &Graph<'a>,
        (place, graph): (usize, &Graph<'a>),
        key: Key,
        history: bool,
    ) -> Result<Option<Key>> {
        if place == 0 && !graph.may_be_elsewhere(key) {
            return Ok(Some(key));
        }
        if !history && let Some(seen) = self.known.borrow().seen.get(&(place, key)) {
            return Ok(*seen);
        }
        let name = graph.name(key);
        let seen = match self.beyond.locate(place, name)? {
            Some((0, _)) if place == 0 => Some(key),
            Some((at, id)) if at == place || history || self.is_there(asked, at, id)? => {
                Some(self.key(asked, at, id))
            }
            None if history => Some(self.nowhere(name)),
            _ => None,
        };
        if !history {
            self.known.borrow_mut().seen.insert((place, key), seen);
        }
        Ok(seen)
    }

    /// Whether a collection has a document or an edge of an id. Where the edge leads does not matter.
    fn is_there(&self, asked: &Graph<'a>, place: usize, id: &str) -> Result<bool> {
        if self.beyond.has_document(place, id)? {
            return Ok(true);
        }
        let graph = if place == 0 { asked } else { self.graph(place)? };
        let Some(key) = graph.key(id) else { return Ok(false) };
        let mut links = Links::default();
        Ok([Direction::Out, Direction::In].into_iter().any(|direction| {
            graph.own_links(key, direction, &[], &mut links);
            !links.is_empty()
        }))
    }

    fn graph(&self, place: usize) -> Result<&Graph<'a>> {
        if let Some(graph) = self.graphs[place].get() {
            return Ok(graph);
        }
        let graph = self.beyond.graph(place)?;
        Ok(self.graphs[place].get_or_init(|| graph))
    }

    /// The end that was given a key.
    fn end(&self, key: Key) -> Option<End> {
        self.known.borrow().ends.get((u32::MAX - key.0) as usize).cloned()
    }

    /// The key of an end: the asked graph's, or one that it is given now.
    fn key(&self, asked: &Graph<'a>, place: usize, id: &str) -> Key {
        if place == 0
            && let Some(key) = asked.key(id)
        {
            return key;
        }
        let mut known = self.known.borrow_mut();
        if let Some(key) = known.keys.get(&place).and_then(|keys| keys.get(id)) {
            return *key;
        }
        let id: Arc<str> = Arc::from(id);
        let key = known.give(End::At(place, Arc::clone(&id)));
        known.keys.entry(place).or_default().insert(id, key);
        key
    }

    fn nowhere(&self, name: &str) -> Key {
        let mut known = self.known.borrow_mut();
        if let Some(key) = known.nowhere.get(name) {
            return *key;
        }
        let name: Arc<str> = Arc::from(name);
        let key = known.give(End::Nowhere(Arc::clone(&name)));
        known.nowhere.insert(name, key);
        key
    }

    fn name(&self, end: &End) -> String {
        match end {
            End::At(0, id) | End::Nowhere(id) => id.as_ref().to_owned(),
            End::At(place, id) => format!("{}{BETWEEN}{id}", self.beyond.collection(*place)),
        }
    }

    /// The number of a relation: the asked graph's, or one that it is given now.
    pub(super) fn relation(&self, asked: &Graph<'a>, name: &str) -> Relation {
        if let Some(relation) = asked.own_relation(name) {
            return relation;
        }
        let known = &mut *self.known.borrow_mut();
        if let Some(relation) = known.relations_by_name.get(name) {
            return *relation;
        }
        let (relation, name) = (Relation(u32::MAX - known.relations.len() as u32), Arc::<str>::from(name));
        known.relations.push(Arc::clone(&name));
        known.relations_by_name.insert(name, relation);
        relation
    }

    fn relation_name(&self, relation: Relation) -> Option<Arc<str>> {
        self.known.borrow().relations.get((u32::MAX - relation.0) as usize).cloned()
    }
}

impl Known {
    fn give(&mut self, end: End) -> Key {
        self.ends.push(end);
        Key(u32::MAX - (self.ends.len() - 1) as u32)
    }
}
