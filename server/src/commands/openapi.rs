//! `kithdb openapi`: what is served, for programs that make clients of it.

use std::io::Write;

use crate::http::routes::declared;
use crate::openapi::text_of_document;

/// Prints the document.
pub fn openapi() -> Result<(), String> {
    let routes = declared().map_err(|e| e.to_string())?;
    std::io::stdout().write_all(text_of_document(&routes).as_bytes()).map_err(|e| format!("stdout: {e}"))
}
