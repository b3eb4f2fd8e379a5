//! What a check found: per object a state and findings, over all a summary.

use crate::base::{Error, StorageError};
use crate::storage::{BlobKind, CATALOG, Object, files};

/// What was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// The pointer to the manifest that holds.
    Pointer,
    /// A manifest, a log or a blob.
    Object(Object),
    /// Something that was being written under another name.
    Begun(Object),
    /// All of a storage together: what its objects say of each other.
    Whole,
    /// A name that is none of ours.
    Unknown(String),
}

/// How an object was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// As it was written.
    Sound,
    /// Not as it was written.
    Damaged,
    /// Left by a process or a machine that was stopped; opening the database to write mends it.
    Unfinished,
    /// Named by no manifest that is in use; opening the database to write removes it. Not read.
    Unneeded,
    /// None of ours. Not read, and left alone by everybody.
    Unknown,
}

impl State {
    /// Its name, for people and programs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sound => "ok",
            Self::Damaged => "damaged",
            Self::Unfinished => "unfinished",
            Self::Unneeded => "unneeded",
            Self::Unknown => "unknown",
        }
    }
}

/// One thing that is worth telling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Where in the object's bytes, where that can be said.
    pub offset: Option<u64>,
    /// What.
    pub what: String,
}

impl Finding {
    /// Of the object as a whole.
    pub fn new(what: impl Into<String>) -> Self {
        Self { offset: None, what: what.into() }
    }
}

impl From<&Error> for Finding {
    fn from(error: &Error) -> Self {
        match error.storage() {
            Some(StorageError::Corrupt { offset, expected, .. }) => {
                Self { offset: Some(*offset), what: format!("expected {expected}") }
            }
            _ => Self::new(error.to_string()),
        }
    }
}

/// One object, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// Number of the storage that holds it.
    pub storage: u64,
    /// Name of the collection, where the catalog gives it one.
    pub collection: Option<String>,
    /// What it is.
    pub what: What,
    /// How many bytes of it were looked at.
    pub bytes: u64,
    /// How it was found.
    pub state: State,
    /// What is worth telling of it.
    pub findings: Vec<Finding>,
}

impl Checked {
    /// Its path within the database, as the files of a directory are named.
    #[must_use]
    pub fn name(&self) -> String {
        let place = if self.storage == CATALOG { "catalog".into() } else { format!("c/{}", self.storage) };
        match &self.what {
            What::Pointer => format!("{place}/{}", files::CURRENT),
            What::Object(object) => format!("{place}/{}", files::name(*object)),
            What::Begun(object) => format!("{place}/{}{}", files::name(*object), files::TEMPORARY),
            What::Whole => place,
            What::Unknown(name) => format!("{place}/{name}"),
        }
    }

    /// Whether it can be made again from the collection's documents.
    #[must_use]
    pub fn is_derived(&self) -> bool {
        matches!(self.what, What::Object(Object::Blob(_, kind)) if BlobKind::is_derived(kind))
    }
}

/// Is told of objects in the order in which they are checked.
pub trait Visitor {
    /// An object was checked.
    fn checked(&mut self, checked: &Checked);

    /// `done` of about `total` objects are checked.
    fn progress(&mut self, done: usize, total: usize) {
        let _ = (done, total);
    }
}

/// Over all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Summary {
    /// Objects as they were written.
    pub sound: usize,
    /// Objects that are not.
    pub damaged: usize,
    /// Of these, how many can be made again from the documents.
    pub derived_damaged: usize,
    /// Left by somebody who was stopped.
    pub unfinished: usize,
    /// Named by no manifest in use.
    pub unneeded: usize,
    /// None of ours.
    pub unknown: usize,
    /// Bytes that were looked at.
    pub bytes: u64,
    /// Collections that were looked at.
    pub collections: usize,
}

impl Summary {
    /// Whether nothing is damaged.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.damaged == 0
    }
}

/// What was found so far, over all storages.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tally {
    pub summary: Summary,
    /// About how many objects there are, and how many of them are checked.
    pub total: usize,
    pub done: usize,
}

/// Passes on what is found and counts it.
pub(super) struct Reporter<'a> {
    visitor: &'a mut dyn Visitor,
    tally: &'a mut Tally,
    storage: u64,
    collection: Option<String>,
}

impl<'a> Reporter<'a> {
    /// Of the catalog, until a collection is entered.
    pub fn new(visitor: &'a mut dyn Visitor, tally: &'a mut Tally) -> Self {
        Self { visitor, tally, storage: CATALOG, collection: None }
    }

    /// A collection is looked at.
    pub fn count_collection(&mut self) {
        self.tally.summary.collections += 1;
    }

    /// What follows is of this storage.
    pub fn enter(&mut self, storage: u64, collection: Option<&str>) {
        self.storage = storage;
        self.collection = collection.map(str::to_owned);
    }

    pub fn tell(&mut self, what: What, bytes: u64, state: State, findings: Vec<Finding>) {
        let (storage, collection) = (self.storage, self.collection.clone());
        let checked = Checked { storage, collection, what, bytes, state, findings };
        let summary = &mut self.tally.summary;
        *match state {
            State::Sound => &mut summary.sound,
            State::Damaged => &mut summary.damaged,
            State::Unfinished => &mut summary.unfinished,
            State::Unneeded => &mut summary.unneeded,
            State::Unknown => &mut summary.unknown,
        } += 1;
        summary.derived_damaged += usize::from(state == State::Damaged && checked.is_derived());
        summary.bytes += bytes;
        self.visitor.checked(&checked);
        self.tally.done += usize::from(matches!(checked.what, What::Object(_)));
        self.visitor.progress(self.tally.done, self.tally.total);
    }

    /// Sound when nothing was found, else damaged.
    pub fn judge(&mut self, what: What, bytes: u64, findings: Vec<Finding>) {
        let state = if findings.is_empty() { State::Sound } else { State::Damaged };
        self.tell(what, bytes, state, findings);
    }
}
