//! Saving what a damaged database still holds. Reads only; what was saved is stored as new collections elsewhere.
//!
//! A document is saved whole, in its newest version, or not at all. What the newest generation has lost is taken from
//! the one before, whose blobs and logs are kept until the next flip.

mod collection;
mod generations;
mod sources;
mod state;

pub use collection::{Losses, Salvaged, salvage};
pub use sources::{Source, sources};
