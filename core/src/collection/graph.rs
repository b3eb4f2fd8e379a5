//! The graph of a view: what of it is there at a moment, asked and answered by ids.

use std::collections::HashSet;
use std::sync::Arc;

use crate::base::ids::shorten;
use crate::base::limits::{GRAPH_DEPTH_MAX, GRAPH_EDGES_MAX, GRAPH_NODES_MAX, GRAPH_RELATIONS_MAX};
use crate::base::time::format_time;
use crate::base::{Error, Key, NEVER, Object, Result, StateError, check_id};
use crate::graph::{
    Bounds, Direction, Expired, Graph, Link, Links, PathRequest, Relation, SubgraphRequest, Tree, When,
    check_relation, parse_path,
};
use crate::segment::{Ends, ExpiryByKey, SharedRow};
use crate::vectors::{PreparedQuery, check_vector, score};

use super::components::ComponentsSearch;
use super::moment::Moment;
use super::view::View;

/// The documents of a view that have expired, and whose end is not noted yet.
struct Expiring<'a> {
    parts: Vec<(&'a ExpiryByKey, &'a Ends)>,
    time: i64,
}

impl Expired for Expiring<'_> {
    fn expired(&self, key: Key) -> Option<i64> {
        let of = |(expiry, ends): &(&ExpiryByKey, &Ends)| {
            expiry.of(key, self.time).find(|(_, slot)| !ends.contains(*slot)).map(|(at, _)| at)
        };
        // At most one version of a document has not ended.
        self.parts.iter().find_map(of)
    }
}

impl View {
    /// The graph at a moment. How long edges are kept is the collection's `graph_retention`, however long versions of
    /// documents are.
    ///
    /// # Errors
    /// `history_gone` when versions of edges that were there then may have been dropped; `corrupt`, `not_resident`.
    pub fn graph(&self, moment: Moment) -> Result<Graph<'_>> {
        let (time, is_current, kept_from) = (moment.time(), moment.is_current(), self.graph_earliest());
        if time < kept_from {
            let (asked, earliest) = (format_time(time), format_time(kept_from));
            return Err(StateError::HistoryGone { asked, earliest }.into());
        }
        let (mut sources, mut parts) = (Vec::new(), Vec::new());
        for part in &self.parts {
            sources.extend(part.part.edges()?);
        }
        for part in self.parts.iter().filter(|_| !sources.is_empty()) {
            let has_expired = part.part.expiry()?.by(time).next().is_some();
            if has_expired {
                parts.push((part.part.expiry_by_key()?, &part.ends));
            }
        }
        let expired: Option<Box<dyn Expired + '_>> =
            if parts.is_empty() { None } else { Some(Box::new(Expiring { parts, time })) };
        Ok(Graph::new(sources, expired, When { time, is_current, kept_from }))
    }

    /// The earliest moment at which the graph can be read. It depends on what was written and on settings, not on what was
    /// dropped already.
    #[must_use]
    pub fn graph_earliest(&self) -> i64 {
        self.config.edges_kept_from(&self.counters)
    }

    /// The moment of a reading of the graph alone; `None` for now, by a clock.
    #[must_use]
    pub fn graph_moment(&self, as_of: Option<i64>, clock: i64) -> Moment {
        as_of.map_or_else(|| self.now(clock), |time| self.at(time))
    }
}

/// Which way edges are followed: out, in, or both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Ways {
    /// From sources to targets.
    #[default]
    Out,
    /// From targets to sources.
    In,
    /// Either way.
    Both,
}

impl Ways {
    /// The way of this name.
    ///
    /// # Errors
    /// `invalid_parameter`.
    pub fn parse(name: &str) -> Result<Self> {
        match name {
            "out" => Ok(Self::Out),
            "in" => Ok(Self::In),
            "both" => Ok(Self::Both),
            _ => Err(Error::parameter("direction", shorten(name), "out, in or both")),
        }
    }

    pub(super) fn directions(self) -> &'static [Direction] {
        match self {
            Self::Out => &[Direction::Out],
            Self::In => &[Direction::In],
            Self::Both => &[Direction::Out, Direction::In],
        }
    }
}

/// What every reading of the graph can ask for.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GraphOptions {
    /// As of which moment, ns since 1970 UTC; `None` for now.
    pub as_of: Option<i64>,
    /// Whether documents come with their ids.
    pub hydrate: bool,
    /// At most so many ends or edges are answered; `None` for 1,000.
    pub limit: Option<usize>,
    /// How many edges one behind the other are followed.
    pub depth: Option<usize>,
    /// Along these relations; none stands for all.
    pub relations: Vec<String>,
    /// Which way.
    pub ways: Ways,
}

/// Only what is near a vector is of interest.
#[derive(Debug, Clone, PartialEq)]
pub struct Guide {
    /// Near to what.
    pub vector: Vec<f32>,
    /// The least score, as a search by the vector alone would give it.
    pub threshold: f32,
}

/// A question to the graph.
#[derive(Debug, Clone, PartialEq)]
pub enum GraphQuestion {
    /// The edges at a document.
    Edges {
        /// Whose.
        id: String,
        /// Whether versions that have ended are told as well.
        history: bool,
    },
    /// What paths of relations lead to.
    Traverse {
        /// From where.
        id: String,
        /// Such as `parent.child`.
        paths: Vec<String>,
    },
    /// What is around some documents.
    Subgraph {
        /// Around which.
        ids: Vec<String>,
        /// Only along what is near a vector.
        guide: Option<Guide>,
        /// Whether edges are told, or ends alone.
        with_edges: bool,
    },
    /// A shortest path.
    Path {
        /// From where.
        source: String,
        /// To where.
        target: String,
        /// Whether the sum of weights is to be least, not the number of edges.
        weighted: bool,
    },
    /// What hangs together, and what has the most edges.
    Components,
}

/// An edge as it is answered.
#[derive(Debug, Clone, PartialEq)]
pub struct FoundEdge {
    /// Where it begins.
    pub source: String,
    /// What it means.
    pub relation: String,
    /// Where it leads.
    pub target: String,
    /// The caller's.
    pub weight: f64,
    /// The caller's; `None` for none.
    pub properties: Option<Arc<Object>>,
    /// Since when it is there: ns since 1970 UTC.
    pub created: i64,
    /// The first moment at which it is not; `None` for none.
    pub ended: Option<i64>,
}

impl FoundEdge {
    /// # Errors
    /// `corrupt`, `not_resident`.
    pub(super) fn of(graph: &Graph<'_>, link: &Link) -> Result<Self> {
        Ok(Self {
            source: graph.name(link.source).to_owned(),
            relation: graph.relation_name(link.relation).to_owned(),
            target: graph.name(link.target).to_owned(),
            weight: graph.weight(link),
            properties: graph.properties(link)?,
            created: link.created,
            ended: (link.until < NEVER).then_some(link.until),
        })
    }
}

/// An end as it is answered.
#[derive(Debug, Clone, PartialEq)]
pub struct FoundNode {
    /// Its id.
    pub id: String,
    /// How many edges away it is.
    pub depth: usize,
    /// Its document, where it was asked for and is there.
    pub row: Option<SharedRow>,
}

/// A document and what paths lead to from it.
#[derive(Debug, Clone, PartialEq)]
pub struct FoundTree {
    /// The document.
    pub node: FoundNode,
    /// The edge it was reached by; `None` at the root.
    pub edge: Option<FoundEdge>,
    /// By the path, or what is left of it, what it leads to.
    pub connections: Vec<(String, Vec<FoundTree>)>,
}

/// What the graph answers. What a question does not ask for is empty.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GraphAnswer {
    /// The ends that were found, in the order in which they were.
    pub nodes: Vec<FoundNode>,
    /// The edges between them.
    pub edges: Vec<FoundEdge>,
    /// What a traversal found.
    pub tree: Option<FoundTree>,
    /// The number of edges of a path, or the sum of their weights; `None` where there is no path.
    pub cost: Option<f64>,
    /// Of each component the id that was mentioned first, and how many ends hang together; the largest first.
    pub components: Vec<(String, usize)>,
    /// The ends with the most edges, and how many.
    pub degrees: Vec<(String, usize)>,
    /// Whether there is more than the bounds allow.
    pub truncated: bool,
}

/// So many are answered where no limit is given.
const LIMIT: usize = 1_000;

impl View {
    /// Asks the graph.
    ///
    /// # Errors
    /// `invalid_id`, `invalid_parameter`, `dimension_mismatch`, `invalid_vector`; `history_gone` where documents are asked
    /// for that are not kept; `corrupt`, `not_resident`.
    pub fn ask_graph(
        &self,
        question: &GraphQuestion,
        options: &GraphOptions,
        clock: i64,
    ) -> Result<GraphAnswer> {
        let asker = || Asker::new(self, options, clock);
        match question {
            GraphQuestion::Edges { id, history } => asker()?.edges(id, *history),
            GraphQuestion::Traverse { id, paths } => asker()?.traverse(id, paths),
            GraphQuestion::Subgraph { ids, guide, with_edges } => {
                asker()?.subgraph(ids, guide.as_ref(), *with_edges)
            }
            GraphQuestion::Path { source, target, weighted } => asker()?.path(source, target, *weighted),
            GraphQuestion::Components => {
                let mut found = ComponentsSearch::new(self, options, clock)?;
                while !found.step(self, usize::MAX)? {}
                found.answer(self)
            }
        }
    }
}

/// Refuses paths that stand twice: each would be followed.
pub(super) fn check_paths(paths: &[String]) -> Result<()> {
    let mut seen = HashSet::new();
    let twice = paths.iter().find(|path| !seen.insert(path.as_str()));
    twice.map_or(Ok(()), |path| Err(Error::parameter("paths", shorten(path), "each path once")))
}

/// Refuses relations that no edge can have, and too many.
pub(super) fn check_relations(names: &[String]) -> Result<()> {
    if names.len() > GRAPH_RELATIONS_MAX {
        let expected = format!("at most {GRAPH_RELATIONS_MAX} relations");
        return Err(Error::parameter("relations", names.len(), expected));
    }
    names.iter().try_for_each(|name| check_relation(name))
}

/// The relations of these names, ascending; `None` where none of those that are asked for is any edge's.
pub(super) fn known_relations(graph: &Graph<'_>, names: &[String]) -> Option<Vec<Relation>> {
    let mut known: Vec<Relation> = names.iter().filter_map(|name| graph.relation(name)).collect();
    known.sort_unstable();
    known.dedup();
    (names.is_empty() || !known.is_empty()).then_some(known)
}

/// One question at work.
pub(super) struct Asker<'a> {
    view: &'a View,
    pub graph: Graph<'a>,
    pub moment: Moment,
    /// When documents are looked at; `None` where they are not asked for.
    documents: Option<Moment>,
    options: &'a GraphOptions,
    /// `None` where none of the relations that are asked for is any edge's.
    relations: Option<Vec<Relation>>,
    pub limit: usize,
}

impl<'a> Asker<'a> {
    pub fn new(view: &'a View, options: &'a GraphOptions, clock: i64) -> Result<Self> {
        let documents = options.hydrate.then(|| view.moment(options.as_of, clock)).transpose()?;
        Self::at(view, options, view.graph_moment(options.as_of, clock), documents)
    }

    /// Of the graph at a moment; of documents at another, or of none.
    pub fn at(
        view: &'a View,
        options: &'a GraphOptions,
        moment: Moment,
        documents: Option<Moment>,
    ) -> Result<Self> {
        let limit = options.limit.unwrap_or(LIMIT);
        if !(1..=GRAPH_NODES_MAX).contains(&limit) {
            return Err(Error::parameter("limit", limit, format!("1 to {GRAPH_NODES_MAX}")));
        }
        check_relations(&options.relations)?;
        let graph = view.graph(moment)?;
        let relations = known_relations(&graph, &options.relations);
        Ok(Self { view, graph, moment, documents, options, relations, limit })
    }

    fn depth(&self, default: usize) -> Result<usize> {
        let depth = self.options.depth.unwrap_or(default);
        if !(1..=GRAPH_DEPTH_MAX).contains(&depth) {
            return Err(Error::parameter("depth", depth, format!("1 to {GRAPH_DEPTH_MAX}")));
        }
        Ok(depth)
    }

    fn edge(&self, link: &Link) -> Result<FoundEdge> {
        FoundEdge::of(&self.graph, link)
    }

    fn node(&self, id: &str, depth: usize) -> Result<FoundNode> {
        let row = self.documents.map_or(Ok(None), |moment| self.view.get(id, moment))?;
        Ok(FoundNode { id: id.to_owned(), depth, row })
    }

    fn edges(&self, id: &str, history: bool) -> Result<GraphAnswer> {
        check_id(id)?;
        let mut answer = GraphAnswer::default();
        let (Some(key), Some(relations)) = (self.graph.key(id), &self.relations) else { return Ok(answer) };
        let (mut links, mut found) = (Vec::new(), Links::default());
        for direction in self.options.ways.directions() {
            let far = |link: &Link| (*link, link.far(*direction));
            if history {
                links.extend(self.graph.history(key, *direction, relations).iter().map(far));
            } else {
                self.graph.links(key, *direction, relations, &mut found);
                links.extend(found.iter().map(far));
            }
        }
        // As they were made.
        links.sort_by_key(|(link, _)| link.seq);
        answer.truncated = links.len() > self.limit;
        links.truncate(self.limit);
        let mut seen = HashSet::new();
        for (link, far) in &links {
            answer.edges.push(self.edge(link)?);
            if seen.insert(*far) {
                answer.nodes.push(self.node(self.graph.name(*far), 1)?);
            }
        }
        Ok(answer)
    }

    pub fn traverse(&self, id: &str, paths: &[String]) -> Result<GraphAnswer> {
        self.traverse_within(id, paths, &mut Bounds::new(self.limit, GRAPH_EDGES_MAX))
    }

    /// As [`Asker::traverse`], within what other questions have left.
    pub fn traverse_within(&self, id: &str, paths: &[String], bounds: &mut Bounds) -> Result<GraphAnswer> {
        check_id(id)?;
        if !(1..=GRAPH_RELATIONS_MAX).contains(&paths.len()) {
            let expected = format!("1 to {GRAPH_RELATIONS_MAX} paths");
            return Err(Error::parameter("paths", paths.len(), expected));
        }
        check_paths(paths)?;
        let depth = self.depth(3)?;
        let mut root = FoundTree { node: self.node(id, 0)?, edge: None, connections: Vec::new() };
        let mut answer = GraphAnswer::default();
        for path in paths {
            let steps = parse_path(path)?;
            let branches = match self.graph.key(id) {
                Some(key) => self.branches(&self.graph.traverse(key, &steps, depth, bounds), path, 1)?,
                None => Vec::new(),
            };
            root.connections.push((path.clone(), branches));
        }
        answer.truncated = bounds.truncated;
        answer.tree = Some(root);
        Ok(answer)
    }

    /// What hangs below a tree; below each of it what is left of the path.
    fn branches(&self, tree: &Tree, path: &str, depth: usize) -> Result<Vec<FoundTree>> {
        let rest = path.split_once('.').map(|(_, rest)| rest);
        let is_deep = path == "**" || path.starts_with("**.");
        let mut found = Vec::with_capacity(tree.branches.len());
        for branch in &tree.branches {
            let node = self.node(self.graph.name(branch.node), depth)?;
            let edge = branch.link.as_ref().map(|link| self.edge(link)).transpose()?;
            let below = if is_deep { Some(path) } else { rest };
            let mut connections = Vec::new();
            if let Some(below) = below.filter(|_| !branch.branches.is_empty()) {
                connections.push((below.to_owned(), self.branches(branch, below, depth + 1)?));
            }
            found.push(FoundTree { node, edge, connections });
        }
        Ok(found)
    }

    fn request(&self, roots: Vec<Key>, depth: usize, with_edges: bool) -> SubgraphRequest {
        SubgraphRequest {
            roots,
            relations: self.relations.clone().unwrap_or_default(),
            directions: self.options.ways.directions().to_vec(),
            depth: if self.relations.is_some() { depth } else { 0 },
            nodes_max: self.limit,
            links_max: with_edges.then_some(GRAPH_NODES_MAX),
            edges_max: GRAPH_EDGES_MAX,
        }
    }

    pub fn subgraph(&self, ids: &[String], guide: Option<&Guide>, with_edges: bool) -> Result<GraphAnswer> {
        if !(1..=self.limit).contains(&ids.len()) {
            return Err(Error::parameter("ids", ids.len(), "1 or more, and no more than limit"));
        }
        ids.iter().try_for_each(|id| check_id(id))?;
        let mut seen = HashSet::new();
        let ids: Vec<&String> = ids.iter().filter(|id| seen.insert(id.as_str())).collect();
        let roots: Vec<Key> = ids.iter().filter_map(|id| self.graph.key(id)).collect();
        let unknown = ids.len() - roots.len();
        let mut request = self.request(roots, self.depth(1)?, with_edges);
        request.nodes_max -= unknown;
        let reached = match guide {
            None => self.graph.subgraph(&request, &mut |_| Ok(true))?,
            Some(guide) => {
                let metric = self.view.config.metric;
                check_vector(metric, self.view.dim.map(|dim| dim as usize), &guide.vector)?;
                let moment = self.view.moment(self.options.as_of, self.moment.time())?;
                let prepared = PreparedQuery::new(metric, &guide.vector);
                self.graph.subgraph(&request, &mut |key| {
                    let Some(row) = self.view.get(self.graph.name(key), moment)? else {
                        return Ok(false);
                    };
                    let Some(vector) = &row.vector else { return Ok(false) };
                    let distance = prepared.distance(vector, row.inverse_norm);
                    Ok(score(metric, distance) >= guide.threshold)
                })?
            }
        };
        let mut answer = GraphAnswer { truncated: reached.truncated, ..GraphAnswer::default() };
        // What no edge names is there all the same, in its place.
        answer.nodes.reserve(ids.len() + reached.nodes.len());
        for id in &ids {
            answer.nodes.push(self.node(id, 0)?);
        }
        for (key, depth) in reached.nodes.iter().filter(|(_, depth)| *depth > 0) {
            answer.nodes.push(self.node(self.graph.name(*key), *depth)?);
        }
        answer.edges = reached.links.iter().map(|link| self.edge(link)).collect::<Result<_>>()?;
        Ok(answer)
    }

    fn path(&self, source: &str, target: &str, weighted: bool) -> Result<GraphAnswer> {
        check_id(source)?;
        check_id(target)?;
        let depth = self.depth(16)?;
        let mut answer = GraphAnswer::default();
        if source == target {
            // Whether any edge names it or not.
            answer.nodes.push(self.node(source, 0)?);
            answer.cost = Some(0.0);
            return Ok(answer);
        }
        let (Some(from), Some(to), Some(relations)) =
            (self.graph.key(source), self.graph.key(target), &self.relations)
        else {
            return Ok(answer);
        };
        let request = PathRequest {
            source: from,
            target: to,
            relations: relations.clone(),
            directions: self.options.ways.directions().to_vec(),
            depth,
            edges_max: GRAPH_EDGES_MAX,
            weighted,
        };
        let (path, truncated) = self.graph.path(&request)?;
        answer.truncated = truncated;
        if let Some(path) = path {
            for (depth, key) in path.nodes.iter().enumerate() {
                answer.nodes.push(self.node(self.graph.name(*key), depth)?);
            }
            answer.edges = path.links.iter().map(|link| self.edge(link)).collect::<Result<_>>()?;
            answer.cost = Some(path.cost);
        }
        Ok(answer)
    }
}
