//! KithDB as a WebAssembly module: a database, and a check of what is stored, which the TypeScript of `js/` wraps; nobody else
//! calls them.
//!
//! Every call is synchronous. Texts, requests and metadata cross as JSON in the shapes of `kithdb::wire`, vectors as
//! typed arrays, errors as a JS error whose message is the JSON of a report. What has to be stored is queued as *work*
//! that TypeScript takes, commits to its store in order and reports as kept. A panic throws its text; it, a trap or
//! memory that ran out leaves the instance unusable, and TypeScript makes another from the store.

mod arguments;
mod check;
mod clock;
mod database;
mod others;
mod storage;
mod tasks;
mod work;

use wasm_bindgen::prelude::wasm_bindgen;

#[cfg(feature = "threads")]
pub use wasm_bindgen_rayon::init_thread_pool;

/// Makes panics say why: without it they are traps like any other.
#[wasm_bindgen(start)]
fn start() {
    std::panic::set_hook(Box::new(|panic| wasm_bindgen::throw_str(&panic.to_string())));
}
