//! Checking all that a database holds, changing nothing: every byte that any reader could come to read.
//!
//! Pure over the storages; what is found goes to a [`Visitor`] as it is found, one object after the other.

mod collection;
mod database;
mod generations;
mod report;
mod segment;

pub use database::{Check, Next, verify, verify_held};
pub use report::{Checked, Finding, State, Summary, Visitor, What};
