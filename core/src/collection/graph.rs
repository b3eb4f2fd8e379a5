//! The graph of a view: what of it is there at a moment, asked and answered by ids.

use std::collections::HashSet;
use std::sync::Arc;

use crate::base::ids::shorten;
use crate::base::limits::{GRAPH_DEPTH_MAX, GRAPH_EDGES_MAX, GRAPH_NODES_MAX, GRAPH_RELATIONS_MAX};
use crate::base::time::format_time;
use crate::base::{Error, Key, NEVER, Object, Result, StateError, check_id};
use crate::graph::{
    Bounds, Direction, Expired, Graph, Link, Links, PathRequest, Reached, Relation, SubgraphRequest, Tree,
    When, check_relation, parse_path, split,
};
use crate::segment::{Ends, ExpiryByKey, SharedRow};
use crate::vectors::{PreparedQuery, check_vector, score};

use super::components::ComponentsSearch;
use super::elsewhere::{Elsewhere, Others};
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
            source: graph.told(link.source).into_owned(),
            relation: graph.told_relation(link.relation).into_owned(),
            target: graph.told(link.target).into_owned(),
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
    /// Whether it is in another collection; what is asked for by its name is taken for a node of this one.
    pub is_elsewhere: bool,
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

impl GraphQuestion {
    /// Whether an id that it names may be one of another collection.
    fn names_elsewhere(&self) -> bool {
        let is_elsewhere = |id: &String| split(id).is_some();
        match self {
            Self::Edges { id, .. } | Self::Traverse { id, .. } => is_elsewhere(id),
            Self::Subgraph { ids, .. } => ids.iter().any(is_elsewhere),
            Self::Path { source, target, .. } => is_elsewhere(source) || is_elsewhere(target),
            Self::Components => false,
        }
    }
}

impl View {
    /// Asks the graph of this collection alone: ends in others are ends like those that are no documents.
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
        self.ask_graph_among(None, question, options, clock)
    }

    /// Asks the graph, which is followed into other collections. What hangs together is looked for in this one alone.
    ///
    /// # Errors
    /// As [`View::ask_graph`]; `unopenable`, and `history_gone` where another collection does not keep that moment.
    pub fn ask_graph_among(
        &self,
        others: Option<&dyn Others>,
        question: &GraphQuestion,
        options: &GraphOptions,
        clock: i64,
    ) -> Result<GraphAnswer> {
        let elsewhere = Elsewhere::new(self, others, options.as_of, clock);
        let asker = || Asker::new(&elsewhere, options, clock, question.names_elsewhere());
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
    elsewhere: &'a Elsewhere<'a>,
    pub graph: Graph<'a>,
    pub moment: Moment,
    /// Whether documents are asked for.
    hydrates: bool,
    options: &'a GraphOptions,
    /// `None` where none of the relations that are asked for is any edge's.
    relations: Option<Vec<Relation>>,
    pub limit: usize,
    /// So many edges are looked at at most.
    pub edges_max: usize,
}

impl<'a> Asker<'a> {
    pub fn new(
        elsewhere: &'a Elsewhere<'a>,
        options: &'a GraphOptions,
        clock: i64,
        asks_elsewhere: bool,
    ) -> Result<Self> {
        let view = elsewhere.asked();
        if options.hydrate {
            view.moment(options.as_of, clock)?;
        }
        let moment = view.graph_moment(options.as_of, clock);
        Self::at(elsewhere, options, moment, options.hydrate, asks_elsewhere)
    }

    /// Of the graph at a moment, with documents or without.
    pub fn at(
        elsewhere: &'a Elsewhere<'a>,
        options: &'a GraphOptions,
        moment: Moment,
        hydrates: bool,
        asks_elsewhere: bool,
    ) -> Result<Self> {
        let limit = options.limit.unwrap_or(LIMIT);
        if !(1..=GRAPH_NODES_MAX).contains(&limit) {
            return Err(Error::parameter("limit", limit, format!("1 to {GRAPH_NODES_MAX}")));
        }
        check_relations(&options.relations)?;
        let graph = elsewhere.graph(moment, asks_elsewhere)?;
        let relations = known_relations(&graph, &options.relations);
        let edges_max = GRAPH_EDGES_MAX;
        Ok(Self { elsewhere, graph, moment, hydrates, options, relations, limit, edges_max })
    }

    /// An answer, once everything that it is made of could be read.
    fn whole(&self, mut answer: GraphAnswer) -> Result<GraphAnswer> {
        self.graph.settled()?;
        answer.truncated |= self.elsewhere.is_truncated();
        Ok(answer)
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

    /// An end by the name that is asked for.
    fn named(&self, id: &str, depth: usize) -> Result<FoundNode> {
        let row = if self.hydrates { self.elsewhere.named(id)? } else { None };
        Ok(FoundNode { id: id.to_owned(), depth, row, is_elsewhere: false })
    }

    fn node(&self, key: Key, depth: usize) -> Result<FoundNode> {
        let row = if self.hydrates { self.row(key)? } else { None };
        let is_elsewhere = self.graph.is_elsewhere(key);
        Ok(FoundNode { id: self.graph.told(key).into_owned(), depth, row, is_elsewhere })
    }

    fn row(&self, key: Key) -> Result<Option<SharedRow>> {
        let Some((place, id)) = self.graph.place(key) else { return Ok(None) };
        self.elsewhere.row(place, &id)
    }

    fn edges(&self, id: &str, history: bool) -> Result<GraphAnswer> {
        check_id(id)?;
        let mut answer = GraphAnswer::default();
        let (Some(key), Some(relations)) = (self.graph.end(id, history)?, &self.relations) else {
            return self.whole(answer);
        };
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
        // As they were made; those that the asked collection keeps before those that another does.
        links.sort_by_key(|(link, _)| link.order());
        answer.truncated = links.len() > self.limit;
        links.truncate(self.limit);
        let mut seen = HashSet::new();
        for (link, far) in &links {
            answer.edges.push(self.edge(link)?);
            if seen.insert(*far) {
                answer.nodes.push(self.node(*far, 1)?);
            }
        }
        self.whole(answer)
    }

    pub fn traverse(&self, id: &str, paths: &[String]) -> Result<GraphAnswer> {
        self.traverse_within(id, paths, &mut Bounds::new(self.limit, self.edges_max))
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
        let mut root = FoundTree { node: self.named(id, 0)?, edge: None, connections: Vec::new() };
        let mut answer = GraphAnswer::default();
        for path in paths {
            let steps = parse_path(path)?;
            let branches = match self.graph.end(id, false)? {
                Some(key) => self.branches(&self.graph.traverse(key, &steps, depth, bounds), path, 1)?,
                None => Vec::new(),
            };
            root.connections.push((path.clone(), branches));
        }
        answer.truncated = bounds.truncated;
        answer.tree = Some(root);
        self.whole(answer)
    }

    /// What hangs below a tree; below each of it what is left of the path.
    fn branches(&self, tree: &Tree, path: &str, depth: usize) -> Result<Vec<FoundTree>> {
        let rest = path.split_once('.').map(|(_, rest)| rest);
        let is_deep = path == "**" || path.starts_with("**.");
        let mut found = Vec::with_capacity(tree.branches.len());
        for branch in &tree.branches {
            let node = self.node(branch.node, depth)?;
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
            edges_max: self.edges_max,
        }
    }

    pub fn subgraph(&self, ids: &[String], guide: Option<&Guide>, with_edges: bool) -> Result<GraphAnswer> {
        if !(1..=self.limit).contains(&ids.len()) {
            return Err(Error::parameter("ids", ids.len(), "1 or more, and no more than limit"));
        }
        ids.iter().try_for_each(|id| check_id(id))?;
        let mut seen = HashSet::new();
        let ids: Vec<&String> = ids.iter().filter(|id| seen.insert(id.as_str())).collect();
        let mut roots = Vec::with_capacity(ids.len());
        for id in &ids {
            roots.extend(self.graph.end(id, false)?);
        }
        let unknown = ids.len() - roots.len();
        let mut request = self.request(roots, self.depth(1)?, with_edges);
        request.nodes_max -= unknown;
        let reached = match guide {
            None => self.graph.subgraph(&request, &mut |_| Ok(true))?,
            Some(guide) => self.guided(&request, guide)?,
        };
        let mut answer = GraphAnswer { truncated: reached.truncated, ..GraphAnswer::default() };
        // What no edge names is there all the same, in its place.
        answer.nodes.reserve(ids.len() + reached.nodes.len());
        for id in &ids {
            answer.nodes.push(self.named(id, 0)?);
        }
        for (key, depth) in reached.nodes.iter().filter(|(_, depth)| *depth > 0) {
            answer.nodes.push(self.node(*key, *depth)?);
        }
        answer.edges = reached.links.iter().map(|link| self.edge(link)).collect::<Result<_>>()?;
        self.whole(answer)
    }

    /// What is reached through documents that are near a vector, as far as vectors are compared in the same way.
    fn guided(&self, request: &SubgraphRequest, guide: &Guide) -> Result<Reached> {
        let view = self.elsewhere.asked();
        let metric = view.config.metric;
        check_vector(metric, view.dim.map(|dim| dim as usize), &guide.vector)?;
        view.moment(self.options.as_of, self.moment.time())?;
        let prepared = PreparedQuery::new(metric, &guide.vector);
        self.graph.subgraph(request, &mut |key| {
            let is_alike = self.graph.place(key).is_some_and(|(place, _)| self.elsewhere.is_alike(place));
            let Some(row) = self.row(key)?.filter(|_| is_alike) else { return Ok(false) };
            let Some(vector) = &row.vector else { return Ok(false) };
            let distance = prepared.distance(vector, row.inverse_norm);
            Ok(score(metric, distance) >= guide.threshold)
        })
    }

    fn path(&self, source: &str, target: &str, weighted: bool) -> Result<GraphAnswer> {
        check_id(source)?;
        check_id(target)?;
        let depth = self.depth(16)?;
        let mut answer = GraphAnswer::default();
        if source == target {
            // Whether any edge names it or not.
            answer.nodes.push(self.named(source, 0)?);
            answer.cost = Some(0.0);
            return self.whole(answer);
        }
        let (Some(from), Some(to), Some(relations)) =
            (self.graph.end(source, false)?, self.graph.end(target, false)?, &self.relations)
        else {
            return self.whole(answer);
        };
        let request = PathRequest {
            source: from,
            target: to,
            relations: relations.clone(),
            directions: self.options.ways.directions().to_vec(),
            depth,
            edges_max: self.edges_max,
            weighted,
        };
        let found = self.graph.path(&request);
        self.graph.settled()?;
        let (path, truncated) = found?;
        answer.truncated = truncated;
        if let Some(path) = path {
            for (depth, key) in path.nodes.iter().enumerate() {
                answer.nodes.push(self.node(*key, depth)?);
            }
            answer.edges = path.links.iter().map(|link| self.edge(link)).collect::<Result<_>>()?;
            answer.cost = Some(path.cost);
        }
        self.whole(answer)
    }
}
