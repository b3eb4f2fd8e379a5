//! The engine: a database of collections, each with a log, a manifest, recovery and jobs.
//!
//! Deterministic and never waiting: a host gives it time and threads, drives its storages and asks about tickets.

pub mod bulk;
pub mod collection;
pub mod database;
mod envelope;
pub mod export;
pub mod jobs;
pub mod log;
pub mod manifest;
pub mod policy;
mod prune;
mod recode;
mod recover;
pub mod repair;
pub mod stats;
pub mod verify;
mod work;

pub use bulk::{Begun, Confirmation};
pub use collection::{Collection, Env, Submitted};
pub use database::{Database, Entry, Staged};
pub use jobs::{Committed, Job, JobKind, JobProgress};
pub use manifest::Manifest;
