//! `/v1`: the verbs of the TypeScript interface over HTTP. The JSON shapes are those of `kithdb::wire`.

pub mod collections;
pub mod database;
pub mod documents;
pub mod embedder;
pub mod events;
pub mod graph;
pub mod jobs;
pub mod keys;
pub mod kv;
pub mod process;
pub mod search;
