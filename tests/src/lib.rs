//! What the suites share: the surfaces by which the product is driven, scenario files, data.

pub mod core_surface;
pub mod cranfield;
pub mod js_surface;

pub mod places;
pub mod rest_surface;
pub mod scenario;
pub mod surface;

pub use surface::{Failure, Surface, rounded};
