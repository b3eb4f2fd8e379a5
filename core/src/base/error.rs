//! Every error of the core, with a stable code, the offending value, what was expected and what to do.
//!
//! One enum per area under [`Error`]. A surface shows [`Error::report`]; it never invents a text of its own.

use std::ops::Range;

use serde::Serialize;

/// Any error of the core. What is wrong is boxed: so an error is passed on in few instructions wherever one may be.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The caller's values are not acceptable; nothing was changed.
    #[error(transparent)]
    Input(Box<InputError>),
    /// A filter cannot be read.
    #[error(transparent)]
    Filter(Box<FilterError>),
    /// A filter that is a tree of JSON cannot be read.
    #[error(transparent)]
    FilterTree(Box<FilterTreeError>),
    /// The database or collection is not in a state to do this.
    #[error(transparent)]
    State(Box<StateError>),
    /// Storage failed, is damaged, or has to fetch something first.
    #[error(transparent)]
    Storage(Box<StorageError>),
}

/// Values that cannot be accepted.
#[expect(missing_docs, reason = "the fields are named in the message above each")]
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum InputError {
    /// A document id is empty, too long or holds a NUL.
    #[error("invalid document id {got:?}: expected {expected}")]
    Id { got: String, expected: String },
    /// A key of the key-value store is empty, too long or holds a NUL.
    #[error("invalid key {got:?}: expected {expected}")]
    Key { got: String, expected: String },
    /// A collection name does not have the form of one.
    #[error("invalid collection name {got:?}: expected {expected}")]
    Name { got: String, expected: &'static str },
    /// A vector has another dimension than the collection.
    #[error("vector dimension mismatch: expected {expected}, got {got}")]
    Dimension { expected: usize, got: usize },
    /// A vector holds a component that cannot be searched.
    #[error("invalid vector: expected {expected}, got {got}")]
    Vector { got: String, expected: &'static str },
    /// Metadata is not canonical JSON.
    #[error("invalid metadata: expected {expected}, got {got}")]
    Metadata { got: String, expected: String },
    /// A parameter is out of range or does not go with the others.
    #[error("invalid {name}: expected {expected}, got {got}")]
    Parameter { name: &'static str, got: String, expected: String },
    /// Something is larger than a limit.
    #[error("{what} is too large: expected at most {limit}, got {got}")]
    TooLarge { what: &'static str, got: u64, limit: u64 },
    /// A request does not have the shape of one.
    #[error("invalid request: {expected}, got {got}")]
    Request { got: String, expected: String },
    /// A file given for import is not one of ours, or is damaged.
    #[error("invalid {what} file: expected {expected}, got {got}")]
    File { what: &'static str, got: String, expected: String },
}

/// A filter that cannot be read.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("invalid filter at position {position}: expected {expected}, got {got}")]
pub struct FilterError {
    /// Byte offset in the filter's text.
    pub position: usize,
    /// What stands there.
    pub got: String,
    /// What could stand there.
    pub expected: String,
}

/// A filter as a tree of JSON that cannot be read.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("invalid filter at {at}: expected {expected}, got {got}")]
pub struct FilterTreeError {
    /// The place in the tree, such as `filter.and[1].op`.
    pub at: String,
    /// What stands there.
    pub got: String,
    /// What could stand there.
    pub expected: String,
}

/// Something is missing, there already, or closed.
#[expect(missing_docs, reason = "the fields are named in the message above each")]
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// No collection has this name.
    #[error("collection {name:?} not found")]
    UnknownCollection { name: String },
    /// A collection has this name already.
    #[error("collection {name:?} already exists")]
    CollectionExists { name: String },
    /// No live document has this id.
    #[error("document {id:?} not found in collection {collection:?}")]
    UnknownDocument { id: String, collection: String },
    /// The key-value store has no such key.
    #[error("key {key:?} not found")]
    UnknownKey { key: String },
    /// A live document has this id already and the caller asked not to replace it.
    #[error("document {id:?} already exists in collection {collection:?}")]
    DocumentExists { id: String, collection: String },
    /// Another process or handle has the database open.
    #[error("database {path:?} is in use by process {owner}")]
    Locked { path: String, owner: String },
    /// A document is not the version that a write was meant for.
    #[error("document {id:?} is not the version that was expected: expected {expected}, got {got}")]
    VersionMismatch { id: String, expected: String, got: String },
    /// The handle was closed.
    #[error("the {what} is closed")]
    Closed { what: &'static str },
    /// Somebody cancelled what was asked for; nothing of it is visible.
    #[error("{what} was cancelled")]
    Cancelled { what: &'static str },
    /// An earlier write failed; the collection takes no more until it is opened again.
    #[error("collection {name:?} is read-only since a write failed: {cause}")]
    Degraded { name: String, cause: String },
    /// The database was opened to be read.
    #[error("the database was opened to be read only")]
    ReadOnly,
    /// The collection's primary data is damaged; the others serve.
    #[error("collection {name:?} cannot be opened: {cause}")]
    Unopenable { name: String, cause: String },
    /// What was there at this moment is no longer kept.
    #[error("what was there at {asked} is no longer kept: history begins at {earliest}")]
    HistoryGone { asked: String, earliest: String },
    /// Text was given to be embedded and no embedder is there.
    #[error("no embedder available for collection {collection:?}")]
    NoEmbedder { collection: String },
    /// Text was given to be embedded, and the embedder that is there is not the collection's.
    #[error(
        "collection {collection:?} has vectors of the embedder {expected}; the database was opened with {got}"
    )]
    OtherEmbedder { collection: String, expected: String, got: String },
}

/// Storage failed, is damaged, or has to fetch something first.
#[expect(missing_docs, reason = "the fields are named in the message above each")]
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum StorageError {
    /// A system call failed.
    #[error("{action} failed for {object}: {cause}")]
    Io { action: &'static str, object: String, cause: String },
    /// There is no space left.
    #[error("no space left to {action} {object}")]
    DiskFull { action: &'static str, object: String },
    /// Bytes are not what was written.
    #[error("{object} is corrupt at offset {offset}: expected {expected}")]
    Corrupt { object: String, offset: u64, expected: String },
    /// A later version wrote this.
    #[error("{object} needs a reader of format {needs}, this one reads up to {reads}")]
    UnsupportedVersion { object: String, needs: u16, reads: u16 },
    /// Bytes must be fetched first; the host fetches them and calls again.
    #[error("{} ranges are not resident", .0.len())]
    NotResident(Vec<Missing>),
}

/// Bytes that a read needs and storage does not hold in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// Number of the blob within its collection.
    pub blob: u64,
    /// The bytes of it.
    pub range: Range<u64>,
}

/// An error as every surface shows it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Stable and meant for programs.
    pub code: &'static str,
    /// Meant for people.
    pub message: String,
    /// What would have been accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// What was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub got: Option<String>,
    /// Byte offset within the given text or file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<u64>,
    /// What to do next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<&'static str>,
}

impl Error {
    /// The stable code of this error, the same in Rust, JavaScript and REST.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Input(e) => e.code(),
            Self::Filter(_) | Self::FilterTree(_) => "invalid_filter",
            Self::State(e) => e.code(),
            Self::Storage(e) => e.code(),
        }
    }

    /// All that a surface shows.
    #[must_use]
    pub fn report(&self) -> Report {
        let (expected, got, position) = match self {
            Self::Input(e) => e.facts(),
            Self::Filter(e) => (Some(e.expected.clone()), Some(e.got.clone()), Some(e.position as u64)),
            Self::FilterTree(e) => (Some(e.expected.clone()), Some(e.got.clone()), None),
            Self::State(e) => e.facts(),
            Self::Storage(e) => e.facts(),
        };
        Report { code: self.code(), message: self.to_string(), expected, got, position, hint: self.hint() }
    }

    fn hint(&self) -> Option<&'static str> {
        Some(match self.code() {
            "unknown_collection" => "create the collection first, or list the collections to see their names",
            "collection_exists" => "choose another name, or delete the collection first",
            "version_mismatch" => "read the document again and decide anew",
            "document_exists" => "use upsert to replace the document",
            "database_locked" => "close the other process, or open another directory",
            "degraded" => "reopen the database to write again; it shows what the storage holds",
            "read_only" => "open the database without read_only, when nobody else has it open",
            "corrupt" | "unopenable" => {
                "restore the collection from an export, or save what is left with kithdb repair; nothing was changed"
            }
            "disk_full" => {
                "free some space or delete documents; reads go on, and writes as soon as there is room"
            }
            "unsupported_version" => "open the database with the version that wrote it, or a newer one",
            "history_gone" => {
                "ask for a later moment; a collection that was made with history keeps what is replaced and deleted"
            }
            "no_embedder" if matches!(self, Self::State(e) if matches!(**e, StateError::OtherEmbedder { .. })) => {
                "start with that embedder, give the vector yourself, or store the texts in a new collection"
            }
            "no_embedder" => "start with an embedder, or give the vector yourself",
            "invalid_filter" if matches!(self, Self::FilterTree(_)) => {
                r#"a condition looks like: {"field": "year", "op": ">=", "value": 1990}"#
            }
            "invalid_filter" => "a filter looks like: year >= 1990 AND (lang = 'en' OR lang = 'it')",
            _ => return None,
        })
    }

    /// What storage says, where it is that which failed.
    #[must_use]
    pub fn storage(&self) -> Option<&StorageError> {
        if let Self::Storage(error) = self { Some(error) } else { None }
    }

    /// What has to be fetched before the call can be repeated.
    #[must_use]
    pub fn missing(&self) -> Option<&[Missing]> {
        if let Some(StorageError::NotResident(missing)) = self.storage() { Some(missing) } else { None }
    }

    /// Short constructor for a parameter out of range.
    pub fn parameter(name: &'static str, got: impl ToString, expected: impl Into<String>) -> Self {
        InputError::Parameter { name, got: got.to_string(), expected: expected.into() }.into()
    }

    /// Short constructor for bytes that are not what was written.
    pub fn corrupt(object: impl Into<String>, offset: u64, expected: impl Into<String>) -> Self {
        StorageError::Corrupt { object: object.into(), offset, expected: expected.into() }.into()
    }
}

macro_rules! from_area {
    ($($variant:ident: $area:ty),+) => {$(
        impl From<$area> for Error {
            #[cold]
            fn from(error: $area) -> Self {
                Self::$variant(Box::new(error))
            }
        }
    )+};
}

from_area!(
    Input: InputError,
    Filter: FilterError,
    FilterTree: FilterTreeError,
    State: StateError,
    Storage: StorageError
);

/// What was expected, what was given, and where.
type Facts = (Option<String>, Option<String>, Option<u64>);

impl InputError {
    fn code(&self) -> &'static str {
        match self {
            Self::Id { .. } => "invalid_id",
            Self::Key { .. } => "invalid_key",
            Self::Name { .. } => "invalid_name",
            Self::Dimension { .. } => "dimension_mismatch",
            Self::Vector { .. } => "invalid_vector",
            Self::Metadata { .. } => "invalid_metadata",
            Self::Parameter { .. } => "invalid_parameter",
            Self::TooLarge { .. } => "too_large",
            Self::Request { .. } => "invalid_request",
            Self::File { .. } => "invalid_file",
        }
    }

    fn facts(&self) -> Facts {
        let (expected, got) = match self {
            Self::Id { got, expected }
            | Self::Key { got, expected }
            | Self::Metadata { got, expected }
            | Self::Parameter { got, expected, .. }
            | Self::Request { got, expected }
            | Self::File { got, expected, .. } => (expected.clone(), got.clone()),
            Self::Name { got, expected } | Self::Vector { got, expected } => {
                ((*expected).to_owned(), got.clone())
            }
            Self::Dimension { expected, got } => (expected.to_string(), got.to_string()),
            Self::TooLarge { got, limit, .. } => (format!("at most {limit}"), got.to_string()),
        };
        (Some(expected), Some(got), None)
    }
}

impl StateError {
    fn code(&self) -> &'static str {
        match self {
            Self::UnknownCollection { .. } => "unknown_collection",
            Self::CollectionExists { .. } => "collection_exists",
            Self::UnknownDocument { .. } => "unknown_document",
            Self::UnknownKey { .. } => "unknown_key",
            Self::DocumentExists { .. } => "document_exists",
            Self::VersionMismatch { .. } => "version_mismatch",
            Self::Locked { .. } => "database_locked",
            Self::Closed { .. } => "closed",
            Self::Cancelled { .. } => "cancelled",
            Self::Degraded { .. } => "degraded",
            Self::ReadOnly => "read_only",
            Self::Unopenable { .. } => "unopenable",
            Self::HistoryGone { .. } => "history_gone",
            Self::NoEmbedder { .. } | Self::OtherEmbedder { .. } => "no_embedder",
        }
    }

    fn facts(&self) -> Facts {
        match self {
            Self::HistoryGone { asked, earliest } => {
                (Some(format!("{earliest} or later")), Some(asked.clone()), None)
            }
            Self::VersionMismatch { expected, got, .. } | Self::OtherEmbedder { expected, got, .. } => {
                (Some(expected.clone()), Some(got.clone()), None)
            }
            _ => (None, None, None),
        }
    }
}

impl StorageError {
    fn code(&self) -> &'static str {
        match self {
            Self::Io { .. } => "io_failed",
            Self::DiskFull { .. } => "disk_full",
            Self::Corrupt { .. } => "corrupt",
            Self::UnsupportedVersion { .. } => "unsupported_version",
            Self::NotResident(_) => "not_resident",
        }
    }

    fn facts(&self) -> Facts {
        match self {
            Self::Corrupt { offset, expected, .. } => (Some(expected.clone()), None, Some(*offset)),
            Self::UnsupportedVersion { needs, reads, .. } => {
                (Some(format!("format {reads} or older")), Some(format!("format {needs}")), None)
            }
            _ => (None, None, None),
        }
    }
}
