//! The other collections of a database, as a question that begins in one of them sees them.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use kithdb::base::Result;
use kithdb::collection::{Others, View};

/// Each in one state for as long as this is held.
pub struct Neighbours<'a> {
    asked: &'a str,
    look: &'a dyn Fn(&str) -> Result<Option<Arc<View>>>,
    seen: RefCell<HashMap<String, Option<Arc<View>>>>,
}

impl<'a> Neighbours<'a> {
    /// Of the collection that is asked; `look` tells the state of another by its name.
    pub fn new(asked: &'a str, look: &'a dyn Fn(&str) -> Result<Option<Arc<View>>>) -> Self {
        Self { asked, look, seen: RefCell::default() }
    }
}

impl Others for Neighbours<'_> {
    fn asked(&self) -> &str {
        self.asked
    }

    fn view(&self, name: &str) -> Result<Option<Arc<View>>> {
        if let Some(seen) = self.seen.borrow().get(name) {
            return Ok(seen.clone());
        }
        let view = (self.look)(name)?;
        self.seen.borrow_mut().insert(name.to_owned(), view.clone());
        Ok(view)
    }
}
