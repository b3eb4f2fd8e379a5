//! HTTP: connections, the route table, who may ask, what is done once, how bodies are read and errors are told.

mod accept;
mod access;
mod app;
mod coding;
mod cors;
mod extract;
pub mod failures;
mod guard;
mod keys;
mod known;
mod limits;
pub mod need;
mod observe;
mod once;
mod pace;
mod problem;
pub mod routes;
mod spare;
pub mod table;
mod tasks;

pub use accept::{accept, told_to_stop};
pub use access::{Caller, TOKEN_CHARS_MIN, TokenDigest};
pub use app::{App, AppOptions};
#[cfg(test)]
pub use coding::coded;
pub use cors::Origin;
pub use extract::{AnyBody, FileBody, Form, JsonBody, NoBody, PackedBody, PathOf, QueryOf};
pub use keys::{Key, Keys, NewKey};
pub use known::{expected, not_kept, tag_of, unchanging_unless_known, unless_known, version_tag};
pub use limits::{Limits, overloaded};
pub use problem::{Problem, status_of, unless_dropped};
pub use routes::routes;

/// Largest body of most routes, in bytes.
pub const BODY_BYTES_MAX: usize = 1 << 20;
/// Largest body of a route that takes many documents, in bytes.
pub const BATCH_BYTES_MAX: usize = 64 << 20;
/// Largest file that is imported, in bytes.
pub const FILE_BYTES_MAX: usize = 1 << 30;
