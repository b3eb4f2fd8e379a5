//! The graph's actions: edges made, ended and read from either end, paths, and what is around a node.

use std::collections::BTreeMap;
use std::pin::Pin;

use axum::extract::State;
use axum::response::Response;
use kithdb::base::limits::{GRAPH_DEPTH_MAX, GRAPH_NODES_MAX, SCAN_MAX};
use kithdb::base::{Error, Object};
use kithdb::collection::{
    FoundEdge, FoundTree, GraphAnswer, GraphOptions, GraphQuestion, Guide, LinkRequest, Mutation,
    UnlinkRequest, Ways,
};
use kithdb::host::Db;
use kithdb::vectors::{Metric, score};
use kithdb::wire::{parse, parse_metadata};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{NodeAnswer, StatusAnswer, brief, ok, refuse, required};
use crate::http::{App, BODY_BYTES_MAX, JsonBody, Problem};

/// How far it looks around a node at most.
const DEPTH_MAX: i64 = 5;

/// The largest distance from a guide's vector where none is given: the Python client leaves it out for this.
const SEMANTIC_THRESHOLD: f32 = 0.5;

/// What a path is searched along where no relations are given.
const PATH_RELATIONS: [&str; 6] = ["related_to", "mentions", "parent", "child", "next", "prev"];

type Answering = Pin<Box<dyn Future<Output = Result<Response, Problem>> + Send>>;

/// The handler of an action.
pub fn action<T: Serialize + 'static>(
    act: fn(&Db, &[u8]) -> Result<T, Problem>,
) -> impl Fn(State<App>, JsonBody<BODY_BYTES_MAX>) -> Answering + Clone + Send + Sync + 'static {
    move |State(app), JsonBody(body)| Box::pin(async move { app.ok(move |db| act(db, &body)).await })
}

/// What actions on edges take. Null is left out, and what is not known is left alone: clients send more.
#[derive(Deserialize)]
struct EdgeBody<'a> {
    index_name: Option<String>,
    source_id: Option<String>,
    target_id: Option<String>,
    relation_type: Option<String>,
    inverse_relation_type: Option<String>,
    weight: Option<f64>,
    #[serde(borrow)]
    props: Option<&'a RawValue>,
    hard_delete: Option<bool>,
    direction: Option<String>,
    at_time: Option<i64>,
}

impl EdgeBody<'_> {
    /// Index, source, relation and target; that a node is not linked to itself is checked here.
    fn edge(&mut self) -> Result<[String; 4], Problem> {
        let edge = required([
            ("index_name", self.index_name.take()),
            ("source_id", self.source_id.take()),
            ("relation_type", self.relation_type.take()),
            ("target_id", self.target_id.take()),
        ])?;
        if edge[1] == edge[3] {
            return Err(refuse("cannot link a node to itself (source_id equals target_id)"));
        }
        Ok(edge)
    }

    /// Index, node and relation, seen from the source or the target.
    fn end(&mut self, way: Ways) -> Result<[String; 3], Problem> {
        let end = match way {
            Ways::In => ("target_id", self.target_id.take()),
            _ => ("source_id", self.source_id.take()),
        };
        let (index, relation) = (self.index_name.take(), self.relation_type.take());
        required([("index_name", index), end, ("relation_type", relation)])
    }

    fn inverse(&mut self) -> Option<String> {
        self.inverse_relation_type.take().filter(|relation| !relation.is_empty())
    }
}

/// Links two nodes.
pub fn link(db: &Db, body: &[u8]) -> Result<StatusAnswer, Problem> {
    let mut body: EdgeBody<'_> = parse(body)?;
    let [index, source, relation, target] = body.edge()?;
    let properties = parse_metadata(body.props.map(RawValue::get))?;
    let weight = body.weight.filter(|weight| *weight != 0.0).unwrap_or(1.0);
    let link = LinkRequest { source, relation, target, inverse: body.inverse(), weight, properties };
    db.collection(&index)?.write(vec![Mutation::Link(link)], None)?;
    Ok(ok(Some("Link created")))
}

/// Ends an edge; one that is not there is no error.
pub fn unlink(db: &Db, body: &[u8]) -> Result<StatusAnswer, Problem> {
    let mut body: EdgeBody<'_> = parse(body)?;
    let [index, source, relation, target] = body.edge()?;
    let erase = body.hard_delete.unwrap_or_default();
    let unlink = UnlinkRequest { source, relation, target, inverse: body.inverse(), erase };
    db.collection(&index)?.write(vec![Mutation::Unlink(unlink)], None)?;
    Ok(ok(Some("Link removed")))
}

/// The edges at a node, in the order in which they were made.
pub fn edges_at(
    db: &Db,
    (index, id): (&str, &str),
    relation: Option<&str>,
    (ways, limit): (Ways, usize),
    as_of: Option<i64>,
) -> Result<GraphAnswer, Error> {
    let question = GraphQuestion::Edges { id: id.to_owned(), history: false };
    let relations = relation.map(str::to_owned).into_iter().collect();
    let options = GraphOptions { as_of, limit: Some(limit), relations, ways, ..GraphOptions::default() };
    db.collection(index)?.ask_graph(&question, &options)
}

fn ids(answer: GraphAnswer) -> Vec<String> {
    answer.nodes.into_iter().map(|node| node.id).collect()
}

#[derive(Serialize)]
pub struct LinksAnswer {
    source_id: String,
    relation_type: String,
    targets: Vec<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    truncated: bool,
}

/// Where the edges of a relation lead.
pub fn get_links(db: &Db, body: &[u8]) -> Result<LinksAnswer, Problem> {
    let mut body: EdgeBody<'_> = parse(body)?;
    let [index, source_id, relation_type] = body.end(Ways::Out)?;
    let what = (Ways::Out, GRAPH_NODES_MAX);
    let found = edges_at(db, (&index, &source_id), Some(&relation_type), what, None)?;
    let truncated = found.truncated;
    Ok(LinksAnswer { source_id, relation_type, targets: ids(found), truncated })
}

#[derive(Serialize)]
pub struct IncomingAnswer {
    target_id: String,
    relation_type: String,
    sources: Vec<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    truncated: bool,
}

/// Where the edges of a relation come from.
pub fn get_incoming(db: &Db, body: &[u8]) -> Result<IncomingAnswer, Problem> {
    let mut body: EdgeBody<'_> = parse(body)?;
    let [index, target_id, relation_type] = body.end(Ways::In)?;
    let what = (Ways::In, GRAPH_NODES_MAX);
    let found = edges_at(db, (&index, &target_id), Some(&relation_type), what, None)?;
    let truncated = found.truncated;
    Ok(IncomingAnswer { target_id, relation_type, sources: ids(found), truncated })
}

#[derive(Serialize)]
pub struct ConnectionsAnswer {
    results: Vec<NodeAnswer>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    truncated: bool,
}

/// The documents that the edges of a relation lead to; targets without one are left out.
pub fn get_connections(db: &Db, body: &[u8]) -> Result<ConnectionsAnswer, Problem> {
    let mut body: EdgeBody<'_> = parse(body)?;
    let [index, source_id, relation_type] = body.end(Ways::Out)?;
    let what = (Ways::Out, SCAN_MAX);
    let found = edges_at(db, (&index, &source_id), Some(&relation_type), what, None)?;
    let truncated = found.truncated;
    let rows = db.collection(&index)?.get_many(&ids(found), None)?;
    let results = rows.iter().flatten().map(|row| NodeAnswer::from(&**row)).collect();
    Ok(ConnectionsAnswer { results, truncated })
}

/// An edge in its short form.
#[derive(Serialize)]
struct ShortEdge {
    /// The other end.
    t: String,
    /// Since when: ns since 1970 UTC.
    c: i64,
    /// Until when, if it ended since.
    #[serde(skip_serializing_if = "Option::is_none")]
    d: Option<i64>,
    /// Its weight.
    w: f64,
    /// Its properties.
    #[serde(skip_serializing_if = "Option::is_none")]
    p: Option<Object>,
}

#[derive(Serialize)]
pub struct EdgesAnswer {
    edges: Vec<ShortEdge>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    truncated: bool,
}

/// The edges of a relation at a node, now or as of a moment.
pub fn get_edges(db: &Db, body: &[u8]) -> Result<EdgesAnswer, Problem> {
    let mut body: EdgeBody<'_> = parse(body)?;
    let way = match body.direction.as_deref() {
        None | Some("" | "out") => Ways::Out,
        Some("in") => Ways::In,
        Some(_) => return Err(refuse("direction must be out or in")),
    };
    let [index, id, relation] = body.end(way)?;
    let what = (way, GRAPH_NODES_MAX);
    let found = edges_at(db, (&index, &id), Some(&relation), what, moment(body.at_time))?;
    let short = |edge: FoundEdge| ShortEdge {
        t: if way == Ways::In { edge.source } else { edge.target },
        c: edge.created,
        d: edge.ended,
        w: edge.weight,
        p: edge.properties.as_deref().cloned(),
    };
    let truncated = found.truncated;
    Ok(EdgesAnswer { edges: found.edges.into_iter().map(short).collect(), truncated })
}

/// 0 is its word for now.
fn moment(at_time: Option<i64>) -> Option<i64> {
    at_time.filter(|time| *time != 0)
}

#[derive(Deserialize)]
struct NodeBody {
    index_name: Option<String>,
    node_id: Option<String>,
}

#[derive(Serialize)]
pub struct RelationsAnswer {
    node_id: String,
    relations: BTreeMap<String, Vec<String>>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    truncated: bool,
}

fn relations(db: &Db, body: &[u8], ways: Ways) -> Result<RelationsAnswer, Problem> {
    let NodeBody { index_name, node_id } = parse(body)?;
    let [index, node_id] = required([("index_name", index_name), ("node_id", node_id)])?;
    let found = edges_at(db, (&index, &node_id), None, (ways, GRAPH_NODES_MAX), None)?;
    let mut relations: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for edge in found.edges {
        let far = if ways == Ways::In { edge.source } else { edge.target };
        relations.entry(edge.relation).or_default().push(far);
    }
    Ok(RelationsAnswer { node_id, relations, truncated: found.truncated })
}

/// Where all edges lead, by relation.
pub fn get_all_relations(db: &Db, body: &[u8]) -> Result<RelationsAnswer, Problem> {
    relations(db, body, Ways::Out)
}

/// Where all edges come from, by relation.
pub fn get_all_incoming(db: &Db, body: &[u8]) -> Result<RelationsAnswer, Problem> {
    relations(db, body, Ways::In)
}

/// What the actions take that go further than one edge.
#[derive(Deserialize)]
struct WalkBody {
    index_name: Option<String>,
    source_id: Option<String>,
    target_id: Option<String>,
    root_id: Option<String>,
    paths: Option<Vec<String>>,
    relations: Option<Vec<String>>,
    max_depth: Option<i64>,
    at_time: Option<i64>,
    guide_vector: Option<Vec<f32>>,
    semantic_threshold: Option<f32>,
    compress_context: Option<bool>,
}

#[derive(Serialize)]
pub struct TreeAnswer {
    #[serde(flatten)]
    node: NodeAnswer,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    connections: BTreeMap<String, Vec<TreeAnswer>>,
}

impl TreeAnswer {
    /// A node and, by path, what it leads to; a path that leads nowhere is left out.
    pub fn new(node: NodeAnswer, connections: Vec<(String, Vec<FoundTree>)>) -> Self {
        let below = |(path, trees): (String, Vec<FoundTree>)| {
            (!trees.is_empty()).then(|| (path, trees.into_iter().map(Self::from).collect()))
        };
        Self { node, connections: connections.into_iter().filter_map(below).collect() }
    }

    /// Shortens the texts of all nodes where that is asked for.
    pub fn shorten(&mut self, asked: bool) {
        brief::shorten(asked, &mut self.node.metadata);
        // Trees are as deep as paths have steps.
        self.connections.values_mut().flatten().for_each(|below| below.shorten(asked));
    }
}

impl From<FoundTree> for TreeAnswer {
    fn from(tree: FoundTree) -> Self {
        let FoundTree { node, connections, .. } = tree;
        let (id, row) = (node.id, node.row);
        let none = || NodeAnswer { id, vector: Vec::new(), metadata: Object::new() };
        Self::new(row.as_deref().map_or_else(none, NodeAnswer::from), connections)
    }
}

#[derive(Serialize)]
pub struct TraverseAnswer {
    result: TreeAnswer,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    truncated: bool,
}

/// A document and what paths lead to from it.
pub fn traverse(db: &Db, body: &[u8]) -> Result<TraverseAnswer, Problem> {
    let WalkBody { index_name, source_id, paths, compress_context, .. } = parse(body)?;
    let [index, id] = required([("index_name", index_name), ("source_id", source_id)])?;
    let collection = db.collection(&index)?;
    let row = collection.get(&id, None)?.ok_or_else(|| super::unknown_node(&id, &index))?;
    let paths = paths.unwrap_or_default();
    let mut answer =
        TraverseAnswer { result: TreeAnswer::new(NodeAnswer::from(&*row), Vec::new()), truncated: false };
    if !paths.is_empty() {
        let question = GraphQuestion::Traverse { id, paths };
        let options = GraphOptions { hydrate: true, limit: Some(SCAN_MAX), ..GraphOptions::default() };
        let found = collection.ask_graph(&question, &options)?;
        answer.truncated = found.truncated;
        if let Some(tree) = found.tree {
            answer.result = tree.into();
        }
    }
    answer.result.shorten(compress_context.unwrap_or_default());
    Ok(answer)
}

#[derive(Serialize)]
struct SubgraphNode {
    id: String,
    metadata: Object,
}

#[derive(Serialize)]
struct LongEdge {
    source: String,
    target: String,
    relation: String,
    dir: &'static str,
}

impl From<FoundEdge> for LongEdge {
    fn from(edge: FoundEdge) -> Self {
        let FoundEdge { source, target, relation, .. } = edge;
        Self { source, target, relation, dir: "out" }
    }
}

#[derive(Serialize)]
pub struct SubgraphAnswer {
    root_id: String,
    nodes: Vec<SubgraphNode>,
    edges: Vec<LongEdge>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    truncated: bool,
}

/// What is around a node, along some relations, whichever way they lead.
pub fn extract_subgraph(db: &Db, body: &[u8]) -> Result<SubgraphAnswer, Problem> {
    let body: WalkBody = parse(body)?;
    let is_brief = body.compress_context.unwrap_or_default();
    let [index, root_id] = required([("index_name", body.index_name), ("root_id", body.root_id)])?;
    let relations = body.relations.unwrap_or_default();
    if relations.is_empty() {
        return Err(refuse("relations are required"));
    }
    let collection = db.collection(&index)?;
    let guide = body.guide_vector.filter(|vector| !vector.is_empty());
    let guide = match guide {
        None => None,
        Some(vector) => {
            // Its threshold is a distance, the largest; ours is a score, the least.
            let metric = collection.info()?.config.metric;
            let distance = body.semantic_threshold.unwrap_or(SEMANTIC_THRESHOLD);
            if distance < 0.0 && metric != Metric::Dot {
                return Err(refuse("semantic_threshold must be a distance of 0 or more"));
            }
            Some(Guide { vector, threshold: score(metric, distance) })
        }
    };
    let question = GraphQuestion::Subgraph { ids: vec![root_id.clone()], guide, with_edges: true };
    let options = GraphOptions {
        as_of: moment(body.at_time),
        limit: Some(SCAN_MAX),
        depth: Some(depth_of(body.max_depth)),
        relations,
        ways: Ways::Both,
        ..GraphOptions::default()
    };
    let mut found = collection.ask_graph(&question, &options)?;
    let (edges, truncated) = (std::mem::take(&mut found.edges), found.truncated);
    let ids = ids(found);
    // Documents as they are now, whenever the edges are of.
    let rows = collection.get_many(&ids, None)?;
    let node = |(id, row): (String, Option<_>)| {
        let mut metadata = metadata(row.as_deref());
        brief::shorten(is_brief, &mut metadata);
        SubgraphNode { id, metadata }
    };
    Ok(SubgraphAnswer {
        root_id,
        nodes: ids.into_iter().zip(rows).map(node).collect(),
        edges: edges.into_iter().map(LongEdge::from).collect(),
        truncated,
    })
}

/// How far around a node: 1 to 5 edges, as there.
pub fn depth_of(max_depth: Option<i64>) -> usize {
    max_depth.unwrap_or_default().clamp(1, DEPTH_MAX) as usize
}

fn metadata(row: Option<&kithdb::segment::Row>) -> Object {
    row.map(|row| row.metadata.clone()).unwrap_or_default()
}

#[derive(Serialize)]
pub struct PathAnswer {
    source: String,
    target: String,
    path: Vec<String>,
    edges: Vec<LongEdge>,
}

/// A shortest path along edges from a source to a target.
pub fn find_path(db: &Db, body: &[u8]) -> Result<PathAnswer, Problem> {
    let body: WalkBody = parse(body)?;
    let ends =
        [("index_name", body.index_name), ("source_id", body.source_id), ("target_id", body.target_id)];
    let [index, source, target] = required(ends)?;
    let relations = body.relations.filter(|relations| !relations.is_empty());
    // It searches so many rounds from both ends, which meet in the last at the latest.
    let rounds = body.max_depth.filter(|depth| *depth > 0).unwrap_or(4).min(GRAPH_DEPTH_MAX as i64) as usize;
    let options = GraphOptions {
        as_of: moment(body.at_time),
        depth: Some((2 * rounds - 1).min(GRAPH_DEPTH_MAX)),
        relations: relations.unwrap_or_else(|| PATH_RELATIONS.map(str::to_owned).to_vec()),
        ..GraphOptions::default()
    };
    let question = GraphQuestion::Path { source: source.clone(), target: target.clone(), weighted: false };
    let mut found = db.collection(&index)?.ask_graph(&question, &options)?;
    if found.cost.is_none() && found.truncated {
        return Err(refuse("too many edges to look at: name fewer relations, or a smaller max_depth"));
    }
    if found.cost.is_none() {
        return Err(super::not_found("path not found"));
    }
    let edges = std::mem::take(&mut found.edges).into_iter().map(LongEdge::from).collect();
    Ok(PathAnswer { source, target, path: ids(found), edges })
}
