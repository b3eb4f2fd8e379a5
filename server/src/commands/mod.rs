//! What the command line does. A failure is one line that says what to do.

mod load;
mod progress;
mod report;
mod serve;
mod stats;
mod verify;

pub use load::{LoadArgs, load};
pub use serve::{ServeArgs, serve};
pub use stats::{StatsArgs, stats};
pub use verify::{VerifyArgs, verify};
