//! Metadata: the filter language, and the columns that answer it.
//!
//! [`Filter::parse`] reads a filter, [`eval()`] says what it means for one document; [`Columns`] are only a faster way
//! to the same answer. Imports `storage` and `base`, never `text`.

pub mod answer;
pub mod ast;
pub mod column_builder;
mod column_dates;
pub mod column_values;
pub mod columns;
mod decimal;
pub mod eval;
mod json;
pub mod like;
mod parser;
mod planner;
mod tallies;
mod token;
pub mod values;

pub use answer::{FilterStep, Way};
pub use ast::{Expr, Filter, Literal, Op, WordsPart};
pub use column_builder::ColumnsBuilder;
pub use column_values::Ranks;
pub use columns::{Columns, Matching};
pub use eval::{eval, eval_with, has_path};
pub use like::Pattern;
pub use tallies::Tallies;
pub use values::{ValueRange, leads_to, order, scalars_of, values_of};
