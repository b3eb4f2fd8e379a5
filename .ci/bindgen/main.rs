//! Makes a module for browsers, and the JavaScript that loads it, of what the compiler has linked:
//! `kithdb-bindgen LINKED FOLDER`.

use std::env;

use anyhow::{Result, bail};
use wasm_bindgen_cli_support::Bindgen;

fn main() -> Result<()> {
    let args: Vec<String> = env::args().skip(1).collect();
    let [linked, folder] = &args[..] else {
        bail!("{} arguments were given, and two are expected: the linked module and a folder", args.len());
    };
    // The types are written by hand; after a trap the state is reset to a new instance of the same module.
    Bindgen::new()
        .input_path(linked)
        .web(true)?
        .typescript(false)
        .omit_default_module_path(false)
        .reset_state_function(true)
        .remove_name_section(true)
        .remove_producers_section(true)
        .generate(folder)
}
