//! Metadata: the filter language, and the columns that answer it.
//!
//! [`Filter::parse`] reads a filter, [`eval()`] says what it means for one document; [`Columns`] are only a faster way
//! to the same answer. Imports `storage` and `base`, never `text`.

pub mod ast;
pub mod column_builder;
pub mod columns;
pub mod eval;
pub mod like;
mod parser;
mod token;

pub use ast::{Expr, Filter, Literal, Op, WordsPart};
pub use column_builder::ColumnsBuilder;
pub use columns::Columns;
pub use eval::{eval, has_path};
pub use like::Pattern;
