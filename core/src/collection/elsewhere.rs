//! The other collections of a database, as one question sees them: each in one state, opened when an edge leads there.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;
use std::sync::Arc;

use crate::base::Result;
use crate::base::limits::GRAPH_COLLECTIONS_MAX;
use crate::graph::{Beyond, Graph, split};
use crate::segment::SharedRow;

use super::moment::Moment;
use super::view::View;

/// What a question that begins in one collection may see of the others.
pub trait Others {
    /// The name of the collection that is asked.
    fn asked(&self) -> &str;
    /// The state of another collection now. `None` where there is none of that name, and where who asks may not read it:
    /// nothing tells the two apart.
    ///
    /// # Errors
    /// `unopenable`; `not_resident`.
    fn view(&self, name: &str) -> Result<Option<Arc<View>>>;
}

/// Another collection that was come to.
struct Room {
    name: String,
    view: Arc<View>,
}

/// The collections of one question, all at its moment. Place 0 is the one that is asked.
pub(super) struct Elsewhere<'a> {
    asked: &'a View,
    /// `None` where the asked collection is looked at alone.
    others: Option<&'a dyn Others>,
    as_of: Option<i64>,
    clock: i64,
    /// Made when the first is come to.
    rooms: OnceCell<Box<[OnceCell<Room>]>>,
    /// By name the place; `None` for what is not there.
    places: RefCell<HashMap<String, Option<usize>>>,
    is_truncated: Cell<bool>,
}

impl<'a> Elsewhere<'a> {
    /// Of a question to a collection; `None` for it alone.
    pub fn new(asked: &'a View, others: Option<&'a dyn Others>, as_of: Option<i64>, clock: i64) -> Self {
        Self {
            asked,
            others,
            as_of,
            // One time for all of them.
            clock: asked.now(clock).time(),
            rooms: OnceCell::new(),
            places: RefCell::default(),
            is_truncated: Cell::new(false),
        }
    }

    /// The state of the collection that is asked.
    pub fn asked(&self) -> &'a View {
        self.asked
    }

    /// Whether edges lead to more collections than are looked at.
    pub fn is_truncated(&self) -> bool {
        self.is_truncated.get()
    }

    /// The graph of the asked collection, followed into the others where it leads there or where ids that are asked for
    /// may be there.
    ///
    /// # Errors
    /// As [`View::graph`].
    pub fn graph(&'a self, moment: Moment, asks_elsewhere: bool) -> Result<Graph<'a>> {
        let graph = self.asked.graph(moment)?;
        let follows = self.others.is_some() && (asks_elsewhere || graph.leads_elsewhere());
        Ok(if follows { graph.followed(Box::new(Rooms(self))) } else { graph })
    }

    fn view(&self, place: usize) -> &View {
        self.room(place).map_or(self.asked, |room| &*room.view)
    }

    fn name(&self, place: usize) -> &str {
        self.room(place).map_or_else(|| self.others.map_or("", Others::asked), |room| &room.name)
    }

    fn room(&self, place: usize) -> Option<&Room> {
        self.rooms.get()?[place.checked_sub(1)?].get()
    }

    /// The document of the end that is asked for by a name.
    ///
    /// # Errors
    /// As [`Beyond::locate`].
    pub fn named(&self, name: &str) -> Result<Option<SharedRow>> {
        match self.locate(0, name)? {
            Some((place, id)) => self.row(place, id),
            None => Ok(None),
        }
    }

    /// The document of an id in the collection at a place.
    ///
    /// # Errors
    /// `history_gone`, `corrupt`, `not_resident`.
    pub fn row(&self, place: usize, id: &str) -> Result<Option<SharedRow>> {
        let view = self.view(place);
        view.get(id, view.moment(self.as_of, self.clock)?)
    }

    /// Whether vectors of the collection at a place are compared as those of the asked one are.
    pub fn is_alike(&self, place: usize) -> bool {
        let view = self.view(place);
        view.dim == self.asked.dim && view.config.metric == self.asked.config.metric
    }

    /// The place of a collection, which is opened where it is not.
    fn open(&self, name: &str) -> Result<Option<usize>> {
        let Some(others) = self.others else { return Ok(None) };
        if name == others.asked() {
            return Ok(Some(0));
        }
        if let Some(place) = self.places.borrow().get(name) {
            return Ok(*place);
        }
        let rooms = self.rooms.get_or_init(|| (0..GRAPH_COLLECTIONS_MAX).map(|_| OnceCell::new()).collect());
        let vacant = rooms.iter().position(|room| room.get().is_none());
        self.is_truncated.set(self.is_truncated.get() || vacant.is_none());
        // Where there is no room it is not opened.
        let found = match vacant.map(|at| others.view(name).map(|view| (at, view))).transpose()? {
            Some((at, Some(view))) => {
                rooms[at].get_or_init(|| Room { name: name.to_owned(), view });
                Some(at + 1)
            }
            _ => None,
        };
        self.places.borrow_mut().insert(name.to_owned(), found);
        Ok(found)
    }

    fn locate<'n>(&self, place: usize, name: &'n str) -> Result<Option<(usize, &'n str)>> {
        let could_be = self.others.and(split(name)).filter(|(named, _)| *named != self.name(place));
        let Some((collection, id)) = could_be else { return Ok(Some((place, name))) };
        // A document of that very id is meant first.
        let hidden = self.has_document(place, name);
        if let Ok(true) = hidden {
            return Ok(Some((place, name)));
        }
        let at = match (self.open(collection)?, hidden) {
            (Some(at), Ok(_)) => at,
            (None, Ok(_)) => return Ok(None),
            // Documents of that moment are not kept: where nothing else can be meant, it is an end like any other.
            (None, Err(error)) if error.code() == "history_gone" => return Ok(Some((place, name))),
            (_, Err(error)) => return Err(error),
        };
        // From there what it names is not gone after once more: it is one of its own ends only as a document.
        let is_its_own =
            split(id).is_none_or(|(named, _)| named == collection) || self.has_document(at, id)?;
        Ok(is_its_own.then_some((at, id)))
    }

    fn has_document(&self, place: usize, id: &str) -> Result<bool> {
        let view = self.view(place);
        Ok(view.find_at(id, view.moment(self.as_of, self.clock)?)?.is_some())
    }
}

/// What a graph asks of them.
struct Rooms<'a>(&'a Elsewhere<'a>);

impl<'a> Beyond<'a> for Rooms<'a> {
    fn locate<'n>(&self, place: usize, name: &'n str) -> Result<Option<(usize, &'n str)>> {
        self.0.locate(place, name)
    }

    fn has_document(&self, place: usize, id: &str) -> Result<bool> {
        self.0.has_document(place, id)
    }

    fn collection(&self, place: usize) -> &str {
        self.0.name(place)
    }

    fn graph(&self, place: usize) -> Result<Graph<'a>> {
        let view = self.0.view(place);
        view.graph(view.graph_moment(self.0.as_of, self.0.clock))
    }

    fn places_max(&self) -> usize {
        GRAPH_COLLECTIONS_MAX + 1
    }
}
