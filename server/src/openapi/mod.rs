//! The OpenAPI document: what each route takes and answers is described here, grouped as the routes are; methods, paths
//! and who may ask come from the route table. A description without a route, or a route without one, fails a test.

mod document;
mod kektor;
mod operation;
mod operations;
mod ruvector;
mod schema;
mod v1;

pub use document::{Document, served, text_of_document};
#[cfg(test)]
pub use document::{descriptions, document, plain, route_of};
