//! What the command line does. A failure is one line that says what to do.

mod load;
mod progress;
mod report;
mod serve;

pub use load::{LoadArgs, load};
pub use serve::{ServeArgs, serve};
