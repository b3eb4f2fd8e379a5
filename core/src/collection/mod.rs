//! A collection: documents with vectors, words and metadata; its views, writes and searches.
//!
//! Readers hold a [`View`], which never changes. Writers resolve mutations into [`Op`]s and apply them to make the
//! next view. Where ops and blobs are stored is the engine's business.

pub mod all_edges;
pub mod auto_links;
mod by_id;
pub mod chunk;
pub mod components;
pub mod config;
pub mod decay;
mod elsewhere;
pub mod embedding;
pub mod estimate;
pub mod expansion;
pub mod facets;
pub mod filter_plan;
pub mod filtering;
pub mod graph;
pub mod kv;
pub mod linking;
pub mod moment;
pub mod op;
pub mod order;
pub mod query;
pub mod read;
pub mod related;
pub mod relinking;
pub mod search;
pub mod view;
pub mod write;

pub use all_edges::AllEdges;
pub use auto_links::AutoLink;
pub use components::ComponentsSearch;
pub use config::{CollectionConfig, EmbedderRef, History, Maintenance, Settings};
pub use decay::{Aging, Decay, DecayExplanation, DecayLayers, DecayModel};
pub use elsewhere::Others;
pub use embedding::Embedding;
pub use estimate::{Estimate, EstimateRequest, Estimator};
pub use expansion::{Expansion, GraphExplanation, PassedEdge};
pub use facets::{Facet, FacetCounts};
pub use filter_plan::{FilterPlan, FilteredVectors, PartFilterPlan};
pub use graph::{FoundEdge, FoundNode, FoundTree, GraphAnswer, GraphOptions, GraphQuestion, Guide, Ways};
pub use linking::{LinkRequest, UnlinkRequest};
pub use moment::Moment;
pub use op::Op;
pub use order::{GroupBy, SortKey};
pub use query::{
    Explanation, Fusion, Highlight, Highlighted, Hit, PartTrace, SearchRequest, SearchResponse,
    VectorExplanation, WordsExplanation, check_searches,
};
pub use read::{Page, Stats, Version};
pub use related::{Connections, GraphFilter};
pub use relinking::{Relinked, Relinking};
pub use search::parse_filter;
pub use view::{Part, PartView, Place, View};
pub use write::{Counters, Document, Mutation};
