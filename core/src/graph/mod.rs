//! The property graph: edges between documents with their history, and what is read from them.
//!
//! An edge is directed and typed by its relation; it has a weight and properties, and versions that follow one another.
//! Nothing is mutated: a later part of a collection holds a version or a mark that ends what older parts hold, and
//! reading decides ([`Graph`]). So jobs that rewrite parts never race with writers. Documents are known by their keys.

mod components;
mod crossing;
mod edge;
mod expand;
mod gathering;
mod packed;
mod path;
mod prune;
mod reader;
mod sections;
mod state;
mod subgraph;
mod table;
mod traverse;

pub use components::{Component, Components};
pub use crossing::{Beyond, split};
pub use edge::{Direction, Edge, Entry, Gone, Link, Mark, Relation, check_relation};
pub use expand::{Arrival, ExpandRequest, Expanded, damped};
pub use gathering::Gathering;
pub use path::{Path, PathRequest};
pub use prune::Pruning;
pub use reader::EdgesReader;
pub use sections::sections;
pub use state::{EdgeSource, Expired, Graph, Links, When};
pub use subgraph::{Reached, SubgraphRequest};
pub use table::EdgeTable;
pub use traverse::{Bounds, Step, Tree, parse_path};
