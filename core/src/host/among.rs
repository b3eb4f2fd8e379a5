//! The collections of a database that a question to one of them may be followed into.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use crate::base::Result;
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

/// The others of a database: each is opened when it is first come to, and looked at in the state that it had then for as
/// long as this is held. No lock is.
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
        let Some(database) = self.database.as_ref().filter(|_| self.among.includes(name)) else {
            return Ok(None);
        };
        let opened = database.names.find_users(name).and_then(|_| database.touch_name(name));
        match opened.and_then(|handle| Ok((handle.view()?, handle))) {
            Ok((view, handle)) => Ok(Some((handle, view))),
            // It is not there, or was dropped just now.
            Err(error) if matches!(error.code(), "unknown_collection" | "closed") => Ok(None),
            Err(error) => Err(error),
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
