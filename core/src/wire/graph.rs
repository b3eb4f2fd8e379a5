//! The graph: what is linked, asked and answered.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::base::ids::shorten;
use crate::base::limits::BATCH_MAX;
use crate::base::time::format_time;
use crate::base::{Error, InputError, Object, Result, SortedMap};
use crate::collection::{
    Connections, FoundEdge, FoundNode, FoundTree, GraphAnswer, GraphOptions, GraphQuestion, Guide,
    LinkRequest, Mutation, UnlinkRequest, Ways,
};
use crate::storage::Level;

use super::requests::{TimeBody, as_of, parse, parse_level, parse_metadata};
use super::up_to;

/// An edge to be made.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkBody<'a> {
    /// Where it begins: an id.
    pub source: String,
    /// What it means.
    pub relation: String,
    /// Where it leads: another id.
    pub target: String,
    /// A relation that leads back, with the same weight and properties.
    #[serde(default)]
    pub inverse: Option<String>,
    /// 1 when left out.
    #[serde(default)]
    pub weight: Option<f64>,
    /// An object; left out, none.
    #[serde(default, borrow)]
    pub properties: Option<&'a RawValue>,
}

impl LinkBody<'_> {
    /// As the core takes it.
    ///
    /// # Errors
    /// `invalid_metadata`.
    pub fn request(self) -> Result<LinkRequest> {
        Ok(LinkRequest {
            properties: parse_metadata(self.properties.map(RawValue::get))?,
            source: self.source,
            relation: self.relation,
            target: self.target,
            inverse: self.inverse,
            weight: self.weight.unwrap_or(1.0),
        })
    }
}

/// Edges to be made, all or none of them.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinksBody<'a> {
    /// Which.
    #[serde(borrow, deserialize_with = "up_to::<BATCH_MAX, _, _>")]
    pub edges: Vec<LinkBody<'a>>,
    /// A [`Level`] by name; left out, the database's.
    #[serde(default)]
    pub durability: Option<String>,
}

impl LinksBody<'_> {
    /// As a batch, and what it waits for.
    ///
    /// # Errors
    /// `invalid_parameter`, `invalid_metadata`, `too_large`.
    pub fn batch(self) -> Result<(Vec<Mutation>, Option<Level>)> {
        check_batch(self.edges.len())?;
        let link = |body: LinkBody<'_>| body.request().map(Mutation::Link);
        let batch = self.edges.into_iter().map(link).collect::<Result<_>>()?;
        Ok((batch, self.durability.as_deref().map(parse_level).transpose()?))
    }
}

/// An edge to be ended.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnlinkBody {
    /// Where it begins.
    pub source: String,
    /// What it means.
    pub relation: String,
    /// Where it leads.
    pub target: String,
    /// A relation that leads back, which ends too.
    #[serde(default)]
    pub inverse: Option<String>,
    /// Whether its history goes with it.
    #[serde(default)]
    pub erase: bool,
}

/// Edges to be ended, all or none of them.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnlinksBody {
    /// Which.
    #[serde(deserialize_with = "up_to::<BATCH_MAX, _, _>")]
    pub edges: Vec<UnlinkBody>,
    /// A [`Level`] by name; left out, the database's.
    #[serde(default)]
    pub durability: Option<String>,
}

impl UnlinksBody {
    /// As a batch, and what it waits for.
    ///
    /// # Errors
    /// `invalid_parameter`, `too_large`.
    pub fn batch(self) -> Result<(Vec<Mutation>, Option<Level>)> {
        check_batch(self.edges.len())?;
        let unlink = |body: UnlinkBody| {
            let UnlinkBody { source, relation, target, inverse, erase } = body;
            Mutation::Unlink(UnlinkRequest { source, relation, target, inverse, erase })
        };
        let batch = self.edges.into_iter().map(unlink).collect();
        Ok((batch, self.durability.as_deref().map(parse_level).transpose()?))
    }
}

fn check_batch(count: usize) -> Result<()> {
    if count > BATCH_MAX {
        let (got, limit) = (count as u64, BATCH_MAX as u64);
        return Err(InputError::TooLarge { what: "a batch of edges", got, limit }.into());
    }
    Ok(())
}

/// A question to the graph, all of its parameters; which of them it takes depends on the verb.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GraphBody {
    /// `edges`, `traverse`: whose.
    pub id: Option<String>,
    /// `edges`: whether versions that have ended are told as well.
    pub history: bool,
    /// `traverse`: such as `parent.child`.
    pub paths: Vec<String>,
    /// `subgraph`: around which.
    pub ids: Vec<String>,
    /// `subgraph`: only along what is near a vector.
    pub guide: Option<GuideBody>,
    /// `subgraph`: whether edges are told (default), or ends alone, which takes less time.
    pub with_edges: Option<bool>,
    /// `path`: from where.
    pub source: Option<String>,
    /// `path`: to where.
    pub target: Option<String>,
    /// `path`: whether the sum of weights is to be least, not the number of edges.
    pub weighted: bool,
    /// Along these relations; left out, all.
    pub relations: Vec<String>,
    /// `out` (default), `in` or `both`.
    pub direction: Option<String>,
    /// How many edges one behind the other are followed.
    pub depth: Option<usize>,
    /// At most so many ends or edges are answered: 1,000 when left out.
    pub limit: Option<usize>,
    /// The graph as it was then; left out, as it is now.
    pub as_of: Option<TimeBody>,
    /// Whether documents come with their ids.
    pub hydrate: bool,
    /// Whether they come with their vectors.
    pub with_vector: bool,
}

/// What a subgraph is guided by.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GuideBody {
    /// Near to what.
    pub vector: Vec<f32>,
    /// The least score, as a search by the vector alone would give it.
    pub threshold: f32,
}

/// A question as the core takes it.
#[derive(Debug, Clone, PartialEq)]
pub struct GraphAsk {
    /// What is asked.
    pub question: GraphQuestion,
    /// How.
    pub options: GraphOptions,
    /// Whether documents come with their vectors.
    pub with_vector: bool,
}

impl GraphAsk {
    /// The question of a verb and its JSON.
    ///
    /// # Errors
    /// `invalid_request`, `invalid_parameter`.
    pub fn parse(verb: &str, json: &[u8]) -> Result<Self> {
        let body: GraphBody = parse(json)?;
        let need = |name: &'static str, value: Option<String>| {
            value.ok_or_else(|| Error::parameter(name, "nothing", "an id"))
        };
        let question = match verb {
            "edges" => GraphQuestion::Edges { id: need("id", body.id)?, history: body.history },
            "traverse" => GraphQuestion::Traverse { id: need("id", body.id)?, paths: body.paths },
            "subgraph" => {
                let ids = body.ids.into_iter().chain(body.id).collect();
                let guide = body.guide.map(|GuideBody { vector, threshold }| Guide { vector, threshold });
                GraphQuestion::Subgraph { ids, guide, with_edges: body.with_edges.unwrap_or(true) }
            }
            "path" => GraphQuestion::Path {
                source: need("source", body.source)?,
                target: need("target", body.target)?,
                weighted: body.weighted,
            },
            "components" => GraphQuestion::Components,
            _ => {
                let expected = "edges, traverse, subgraph, path or components";
                return Err(Error::parameter("verb", shorten(verb), expected));
            }
        };
        let options = GraphOptions {
            as_of: as_of(body.as_of.as_ref())?,
            hydrate: body.hydrate || body.with_vector,
            limit: body.limit,
            depth: body.depth,
            relations: body.relations,
            ways: body.direction.as_deref().map_or(Ok(Ways::Out), Ways::parse)?,
        };
        Ok(Self { question, options, with_vector: body.with_vector })
    }

    /// The answer in its JSON shape.
    #[must_use]
    pub fn answer(&self, found: GraphAnswer) -> GraphReply {
        let GraphAnswer { nodes, edges, tree, cost, components, degrees, truncated } = found;
        let with = (self.options.hydrate, self.with_vector);
        let nodes = || nodes.iter().map(|node| NodeAnswer::of(node, with)).collect::<Vec<_>>();
        let edges = || edges.iter().map(EdgeAnswer::from).collect::<Vec<_>>();
        match &self.question {
            GraphQuestion::Edges { .. } => GraphReply::Edges { edges: edges(), nodes: nodes(), truncated },
            GraphQuestion::Traverse { .. } => {
                let tree = tree.as_ref().map(|tree| Box::new(TreeAnswer::of(tree, Some(with))));
                GraphReply::Traverse { result: tree, truncated }
            }
            GraphQuestion::Subgraph { .. } => {
                GraphReply::Subgraph { nodes: nodes(), edges: edges(), truncated }
            }
            GraphQuestion::Path { .. } => {
                GraphReply::Path { nodes: nodes(), edges: edges(), cost, truncated }
            }
            GraphQuestion::Components => {
                let component = |(first, len)| ComponentAnswer { first, len };
                let degree = |(id, edges)| DegreeAnswer { id, edges };
                GraphReply::Components {
                    components: components.into_iter().map(component).collect(),
                    degrees: degrees.into_iter().map(degree).collect(),
                    truncated,
                }
            }
        }
    }
}

/// What the graph answers, by verb.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum GraphReply {
    /// Edges at a document, in the order in which they were made, and their other ends.
    Edges {
        /// The edges.
        edges: Vec<EdgeAnswer>,
        /// Each other end once.
        nodes: Vec<NodeAnswer>,
        /// Whether there are more.
        truncated: bool,
    },
    /// What paths lead to.
    Traverse {
        /// The document and what hangs below it.
        result: Option<Box<TreeAnswer>>,
        /// Whether there is more.
        truncated: bool,
    },
    /// What is around documents, the nearest first.
    Subgraph {
        /// The ends.
        nodes: Vec<NodeAnswer>,
        /// The edges between them.
        edges: Vec<EdgeAnswer>,
        /// Whether there is more.
        truncated: bool,
    },
    /// A path, from its source to its target; empty where there is none.
    Path {
        /// The ends it leads through.
        nodes: Vec<NodeAnswer>,
        /// The edges between them, in that order.
        edges: Vec<EdgeAnswer>,
        /// The number of edges, or the sum of their weights; null where there is no path.
        cost: Option<f64>,
        /// Whether the search ended at its bounds.
        truncated: bool,
    },
    /// What hangs together.
    Components {
        /// The largest first.
        components: Vec<ComponentAnswer>,
        /// The ends with the most edges.
        degrees: Vec<DegreeAnswer>,
        /// Whether there are more components.
        truncated: bool,
    },
}

/// An edge.
#[derive(Debug, Clone, Serialize)]
pub struct EdgeAnswer {
    /// Where it begins.
    pub source: String,
    /// What it means.
    pub relation: String,
    /// Where it leads.
    pub target: String,
    /// The caller's.
    pub weight: f64,
    /// The caller's; left out where there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub properties: Option<Object>,
    /// Since when it is there.
    pub created: String,
    /// The first moment at which it is not; null for none.
    pub ended: Option<String>,
}

impl From<&FoundEdge> for EdgeAnswer {
    fn from(edge: &FoundEdge) -> Self {
        Self {
            source: edge.source.clone(),
            relation: edge.relation.clone(),
            target: edge.target.clone(),
            weight: edge.weight,
            properties: edge.properties.as_deref().cloned(),
            created: format_time(edge.created),
            ended: edge.ended.map(format_time),
        }
    }
}

/// An end of edges.
#[derive(Debug, Clone, Serialize)]
pub struct NodeAnswer {
    /// Its id.
    pub id: String,
    /// How many edges away it is.
    pub depth: usize,
    /// The metadata of its document, where documents were asked for; null for one that is not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Option<Object>>,
    /// The vector of its document, where vectors were asked for; null for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vector: Option<Option<Vec<f32>>>,
}

impl NodeAnswer {
    fn of(node: &FoundNode, (hydrate, with_vector): (bool, bool)) -> Self {
        let row = node.row.as_deref();
        let metadata = || row.map(|row| row.metadata.clone());
        let vector = || row.and_then(|row| row.vector.as_deref().map(<[f32]>::to_vec));
        Self {
            id: node.id.clone(),
            depth: node.depth,
            metadata: hydrate.then(metadata),
            vector: with_vector.then(vector),
        }
    }
}

/// A document and what paths lead to from it.
#[derive(Debug, Clone, Serialize)]
pub struct TreeAnswer {
    /// The document.
    #[serde(flatten)]
    pub node: NodeAnswer,
    /// The edge it was reached by; left out at the root.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edge: Option<EdgeAnswer>,
    /// By the path, or what is left of it, what it leads to; left out where nothing is.
    #[serde(skip_serializing_if = "SortedMap::is_empty")]
    pub connections: SortedMap<String, Vec<TreeAnswer>>,
}

/// What a result leads to, by path.
pub(super) fn connections(found: &Connections) -> SortedMap<String, Vec<TreeAnswer>> {
    let answer = |trees: &[FoundTree]| trees.iter().map(|tree| TreeAnswer::of(tree, None)).collect();
    found.iter().map(|(path, trees)| (path.clone(), answer(trees))).collect()
}

impl TreeAnswer {
    /// With documents and vectors, or with the documents that are there.
    fn of(tree: &FoundTree, with: Option<(bool, bool)>) -> Self {
        let below = |(path, trees): &(String, Vec<FoundTree>)| {
            (path.clone(), trees.iter().map(|tree| Self::of(tree, with)).collect())
        };
        Self {
            node: NodeAnswer::of(&tree.node, with.unwrap_or((tree.node.row.is_some(), false))),
            edge: tree.edge.as_ref().map(EdgeAnswer::from),
            connections: tree.connections.iter().map(below).collect(),
        }
    }
}

/// Documents that hang together.
#[derive(Debug, Clone, Serialize)]
pub struct ComponentAnswer {
    /// The id of the one that was mentioned first.
    pub first: String,
    /// How many they are.
    pub len: usize,
}

/// An end and how many edges it has.
#[derive(Debug, Clone, Serialize)]
pub struct DegreeAnswer {
    /// Its id.
    pub id: String,
    /// Both ways counted.
    pub edges: usize,
}
