//! One version of an edge, and the marks that end versions which older parts hold.

use std::sync::Arc;

use crate::base::ids::shorten;
use crate::base::limits::RELATION_BYTES_MAX;
use crate::base::{Error, Key, Object, Result, Seq};

/// The number of a relation's name: given at its first mention, logged, never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Relation(pub u32);

/// Which way edges are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Direction {
    /// From a source to its targets.
    #[default]
    Out,
    /// From a target to its sources.
    In,
}

impl Direction {
    /// The other way.
    #[must_use]
    pub fn reversed(self) -> Self {
        match self {
            Self::Out => Self::In,
            Self::In => Self::Out,
        }
    }
}

/// What an entry of a part does to the edge of its source, relation and target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mark {
    /// A version begins, and the one before ends.
    Link,
    /// The version before, which an older part holds, ends.
    Unlink,
    /// All versions before are as if they had never been.
    Erase,
}

/// An entry of a part: a version of an edge, or a mark.
#[derive(Debug, Clone, PartialEq)]
pub struct Edge {
    /// Where it begins.
    pub source: Key,
    /// What it means.
    pub relation: Relation,
    /// Where it leads.
    pub target: Key,
    /// Its place in the order of the collection.
    pub seq: Seq,
    /// What it is.
    pub mark: Mark,
    /// Since when: ns since 1970 UTC.
    pub at: i64,
    /// The first moment at which the version is not there any more, as far as its part knows; [`crate::base::NEVER`] for
    /// none, and in marks.
    pub until: i64,
    /// The caller's; 1 by default.
    pub weight: f64,
    /// Canonical; `None` for none.
    pub properties: Option<Arc<Object>>,
}

impl Edge {
    /// What the entries of a part are sorted by.
    pub(super) fn order(&self) -> (Key, Relation, Key, Seq) {
        (self.source, self.relation, self.target, self.seq)
    }

    /// What the incoming entries of a part are sorted by.
    pub(super) fn incoming_order(&self) -> (Key, Relation, Key, Seq) {
        (self.target, self.relation, self.source, self.seq)
    }
}

/// A document was deleted or expired: edges that it was an end of are not there from then on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Gone {
    /// Whose.
    pub key: Key,
    /// Its place in the order of the collection.
    pub seq: Seq,
    /// Since when: ns since 1970 UTC.
    pub at: i64,
}

/// An entry as it is found from one of its ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// What it means.
    pub relation: Relation,
    /// The other end.
    pub other: Key,
    /// Its place in the order of the collection.
    pub seq: Seq,
    /// What it is.
    pub mark: Mark,
    /// Since when.
    pub at: i64,
    /// Until when, as far as its part knows.
    pub until: i64,
    /// Where the part keeps it.
    pub place: u32,
}

/// A version of an edge that is there at the moment of a [`super::Graph`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// Where it begins.
    pub source: Key,
    /// What it means.
    pub relation: Relation,
    /// Where it leads.
    pub target: Key,
    /// Its place in the order of the collection.
    pub seq: Seq,
    /// Since when it is there.
    pub created: i64,
    /// The first moment at which it is not; [`crate::base::NEVER`] for none that is known.
    pub until: i64,
    /// The collection that keeps it, by its place; 0 for the one that is asked.
    pub(super) of: u32,
    /// Which part keeps it.
    pub(super) part: u32,
    /// Where it does.
    pub(super) place: u32,
}

impl Link {
    /// What edges of one end are told by: those that the asked collection keeps before others, each as they were made.
    #[must_use]
    pub fn order(&self) -> (u32, Seq) {
        (self.of, self.seq)
    }

    /// The end that is found when it is followed this way.
    #[must_use]
    pub fn far(&self, direction: Direction) -> Key {
        match direction {
            Direction::Out => self.target,
            Direction::In => self.source,
        }
    }
}

/// Refuses the name of a relation that cannot be stored, or that a path could not name.
///
/// # Errors
/// `invalid_parameter`.
pub fn check_relation(name: &str) -> Result<()> {
    let is_sound = (1..=RELATION_BYTES_MAX).contains(&name.len())
        && !name.contains(['\0', '.', '*'])
        && !name.starts_with('<');
    if is_sound {
        return Ok(());
    }
    let expected =
        format!("1 to {RELATION_BYTES_MAX} bytes of UTF-8 without NUL, dots and asterisks, and not < first");
    Err(Error::parameter("relation", shorten(name), expected))
}
