//! KithDB as a Node addon: three classes, which the TypeScript of `js/` wraps; nobody else calls them.
//!
//! Texts, requests and metadata cross as JSON in the shapes of `kithdb::wire`, vectors as typed arrays, errors as a
//! JS error whose message is the JSON of a report. What is called async runs on libuv's pool; its arguments are
//! copied before the call returns. No panic reaches Node.

mod answers;
mod arguments;
mod collection;
mod database;
mod inspection;
mod sync;
mod work;
