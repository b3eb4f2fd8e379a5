//! The JSON shapes of the TypeScript interface, once for all surfaces: REST's bodies, what crosses into the Node addon
//! and the browser module, and the steps of scenario files. Converts them to the core's types and back, by hand.
//!
//! Names are those of JSON and TypeScript. Scores are widened to f64, so that every surface prints the same digits;
//! components of vectors are f32. Nothing here does work of its own.

mod answers;
mod auto_links;
mod columns;
mod filter;
mod graph;
mod health;
mod lines;
mod lists;
mod objects;
mod packed;
mod plan;
mod requests;
mod search;

pub use answers::{
    DocumentAnswer, ErrorAnswer, EstimateAnswer, HitAnswer, InfoAnswer, JobAnswer, KeyAnswer, KeysAnswer,
    MaintenanceAnswer, ScanAnswer, SearchAnswer, SearchesAnswer, TouchAnswer, TouchesAnswer, VersionAnswer,
    VersionsAnswer, encode_cursor, parse_cursor,
};
pub use auto_links::{AutoLinkBody, RelinkAnswer};
pub use columns::{Columns, Vectors, to_json};
pub use filter::FilterBody;
pub use graph::{
    ComponentAnswer, DegreeAnswer, EdgeAnswer, GraphAsk, GraphBody, GraphReply, GuideBody, LinkBody,
    LinksBody, NodeAnswer, TreeAnswer, UnlinkBody, UnlinksBody,
};
pub use health::{FiguresAnswer, ObjectAnswer, StatsAnswer, SummaryAnswer, VerifyAnswer};
pub use lines::{DumpEdgeLine, DumpLine, Line, LineBody};
pub use lists::up_to;
pub use packed::{PACKED_TYPE, Packed};
pub use plan::{FilterPlanAnswer, PartPlanAnswer};
pub use requests::{
    AddBody, ChangeBody, ConfigureBody, CreateBody, DocumentBody, EmbedderBody, EstimateBody, FieldsBody,
    GetBody, IdsBody, KeySetBody, KeysBody, LifeBody, MaintenanceBody, NamedCreateBody, OpenBody, PutBody,
    ReadBody, ScanBody, TextBody, TimeBody, WriteBody, as_of, parse, parse_id, parse_level, parse_metadata,
};
pub use search::{
    BoundBody, DecayBody, DecayChoiceBody, ExpandBody, FacetBody, GraphFilterBody, GroupByBody,
    HighlightBody, LayersBody, RangeBody, SearchBody, SearchesBody, SortBody,
};
