//! What the command line does. A failure is one line that says what to do.

mod descriptors;
mod health;
mod layers;
mod load;
mod openapi;
mod progress;
mod repair;
mod report;
mod serve;
mod stats;
mod token;
mod transfer;
mod verify;

pub use health::{HealthArgs, health};
pub use layers::layered;
pub use load::{LoadArgs, load};
pub use openapi::openapi;
pub use repair::{RepairArgs, repair};
pub use serve::{SETTINGS_HELP, ServeArgs, check_config, serve};
pub use stats::{StatsArgs, stats};
pub use transfer::{DumpArgs, ExportArgs, ImportArgs, dump, export, import};
pub use verify::{VerifyArgs, verify};
