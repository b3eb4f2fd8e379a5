//! What the suites share: the surfaces by which the product is driven, scenario files, data.

#[cfg(target_os = "linux")]
pub mod block_disk;
pub mod core_surface;
pub mod cranfield;
pub mod fuzz;
pub mod js_surface;
pub mod openapi;
pub mod places;
pub mod preload;
pub mod rest_surface;
pub mod scenario;
pub mod seen_vfs;
pub mod small_database;
pub mod surface;
pub mod watched_vfs;

pub use surface::{Failure, Surface, rounded};

/// The same engine five times: in this process, as an addon, over HTTP, as wasm under Node and in a page of Chromium.
///
/// # Panics
/// When one does not start.
#[must_use]
pub fn every_surface() -> [Box<dyn Surface>; 5] {
    let js = |name| -> Box<dyn Surface> { Box::new(js_surface::JsSurface::start(name)) };
    let core: Box<dyn Surface> = Box::<core_surface::CoreSurface>::default();
    [core, js("node"), Box::<rest_surface::RestSurface>::default(), js("wasm"), js("chromium")]
}

/// These of the arguments.
pub(crate) fn part(args: &serde_json::Value, keys: &[&str]) -> serde_json::Value {
    let given = keys.iter().filter(|key| !args[**key].is_null());
    given.map(|key| ((*key).to_owned(), args[*key].clone())).collect::<serde_json::Map<_, _>>().into()
}
