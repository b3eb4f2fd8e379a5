//! The collections of a database that a question to one of them may be followed into.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use crate::base::limits::GRAPH_COLLECTIONS_MAX;
use crate::base::{Result, StateError};
use crate::collection::{Others, View};

use super::collection::CollectionHandle;
use super::db::Shared;

/// Which other collections a question may be followed into.
#[derive(Clone, Copy)]
pub enum Among<'a> {
    /// Whichever edges lead to.
    All,
    /// Those that this agrees to, which is asked by name. The others are as if they were not there.
    Those(&'a dyn Fn(&str) -> bool),
}

impl Among<'_> {
    fn includes(self, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Those(agrees) => agrees(name),
        }
    }
}

/// The others of a database: each is opened when it is first come to, and looked at in the state that it had then until
/// this lets go of it. No lock is held.
pub(super) struct Neighbours<'a> {
    asked: &'a CollectionHandle,
    database: Option<Arc<Shared>>,
    among: Among<'a>,
    /// A handle that is held keeps its collection open.
    seen: RefCell<HashMap<String, Option<Seen>>>,
}

type Seen = (Arc<CollectionHandle>, Arc<View>);

impl<'a> Neighbours<'a> {
    pub(super) fn new(asked: &'a CollectionHandle, database: Option<Arc<Shared>>, among: Among<'a>) -> Self {
        Self { asked, database, among, seen: RefCell::default() }
    }

    fn look(&self, name: &str) -> Result<Option<Seen>> {
        let Some(database) = &self.database else {
            return Err(StateError::Closed { what: "database" }.into());
        };
        if !self.among.includes(name) {
            return Ok(None);
        }
        let open = || -> Result<Seen> {
            database.names.find_users(name)?;
            let handle = database.touch_name(name)?;
            let view = handle.view()?;
            Ok((handle, view))
        };
        let opened = open().or_else(|error| {
            database.check_open()?;
            // It was dropped just now, and may have been made again.
            if error.code() == "closed" { open() } else { Err(error) }
        });
        match opened {
            Ok(seen) => Ok(Some(seen)),
            Err(error) if error.code() == "unknown_collection" => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Lets go of all when they are as many as one question may be followed into: the next one comes to its own.
    pub(super) fn let_go_of_many(&mut self) {
        if self.seen.get_mut().len() >= GRAPH_COLLECTIONS_MAX {
            self.seen.get_mut().clear();
        }
    }
}

impl Others for Neighbours<'_> {
    fn asked(&self) -> &str {
        self.asked.name()
    }

    fn view(&self, name: &str) -> Result<Option<Arc<View>>> {
        let view_of = |seen: &Option<Seen>| seen.as_ref().map(|(_, view)| Arc::clone(view));
        if let Some(seen) = self.seen.borrow().get(name) {
            return Ok(view_of(seen));
        }
        let seen = self.look(name)?;
        let view = view_of(&seen);
        self.seen.borrow_mut().insert(name.to_owned(), seen);
        Ok(view)
    }
}
