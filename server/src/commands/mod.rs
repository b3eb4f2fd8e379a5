//! What the command line does. A failure is one line that says what to do.

mod report;
mod serve;

pub use serve::{ServeArgs, serve};
