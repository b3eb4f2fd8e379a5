//! The graph of the model: every version of every edge, and when documents went. What is read of the real one, at any
//! moment and in any layout, is compared with what a reader of these lists would say.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use kithdb::base::value::parse_object;
use kithdb::base::{Clock, Key, NEVER, Object};
use kithdb::collection::{LinkRequest, Maintenance, Mutation, Settings, UnlinkRequest, View};
use kithdb::graph::{Components, Direction, Graph, Link, Links, PathRequest, SubgraphRequest};
use kithdb::storage::Level;

use super::{Model, Run, settle};

/// A version of an edge, as the model has it.
#[derive(Debug, Clone, PartialEq)]
pub struct EdgeVersion {
    source: String,
    relation: String,
    target: String,
    from: i64,
    /// When it was ended or replaced; `NEVER` while not.
    until: i64,
    weight: f64,
    properties: Object,
}

impl EdgeVersion {
    /// As rules make one.
    pub fn plain(source: String, relation: String, target: String) -> Self {
        let properties = Object::new();
        Self { source, relation, target, from: 0, until: NEVER, weight: 1.0, properties }
    }

    /// Whether it was made after a time.
    pub fn is_from_after(&self, time: i64) -> bool {
        self.from > time
    }

    fn is(&self, source: &str, relation: &str, target: &str) -> bool {
        self.source == source && self.relation == relation && self.target == target
    }
}

/// An edge as it is compared.
type Plain = (String, String, String, i64, i64, i64);

impl Model {
    /// Whether a document went after a time and by another.
    fn went(&self, id: &str, after: i64, by: i64) -> bool {
        let within = |at: i64| after < at && at <= by;
        let has_expired = self.versions.iter().any(|v| v.id == id && v.ended == NEVER && within(v.expires));
        has_expired || self.went.iter().any(|(gone, at)| gone == id && within(*at))
    }

    fn is_there(&self, edge: &EdgeVersion, time: i64) -> bool {
        let ends = [&edge.source, &edge.target];
        edge.from <= time && time < edge.until && !ends.iter().any(|id| self.went(id, edge.from, time))
    }

    /// The earliest moment at which the graph can be read.
    pub fn graph_earliest(&self) -> i64 {
        let is_kept = self.retention == 0 || !self.had_edges;
        let horizon = if is_kept { i64::MIN } else { self.last - self.retention };
        horizon.max(self.graph_known_from)
    }

    /// Edges are kept so long from now on; what may have been dropped before stays so.
    pub fn retain_edges(&mut self, retention: i64) {
        self.graph_known_from = self.graph_earliest();
        self.retention = retention;
    }

    /// A copy has the versions that can be read.
    pub fn travel_edges(&mut self) {
        self.graph_known_from = self.graph_earliest();
        let (edges, last) = (std::mem::take(&mut self.edges), self.last);
        self.edges =
            edges.into_iter().filter(|edge| self.end_of(edge, last) > self.graph_known_from).collect();
        self.had_edges = !self.edges.is_empty();
    }

    /// The first moment at which a version is not there, as far as is known at a time.
    fn end_of(&self, edge: &EdgeVersion, time: i64) -> i64 {
        let ends = [&edge.source, &edge.target];
        let went =
            self.went.iter().filter(|(id, at)| ends.contains(&id) && *at > edge.from).map(|(_, at)| *at);
        let expired = self.versions.iter().filter(|v| ends.contains(&&v.id) && v.ended == NEVER);
        let expired = expired.map(|v| v.expires).filter(|at| edge.from < *at && *at <= time);
        went.chain(expired).min().unwrap_or(NEVER).min(edge.until)
    }

    fn edges_at(&self, time: i64) -> Vec<&EdgeVersion> {
        self.edges.iter().filter(|edge| self.is_there(edge, time)).collect()
    }

    /// What a rule does with an edge that it names.
    pub fn link_where_none_is(&mut self, edge: EdgeVersion, clock: i64) {
        let time = self.next_time(clock);
        let is_own = |other: &&EdgeVersion| other.is(&edge.source, &edge.relation, &edge.target);
        if !self.edges.iter().filter(is_own).any(|other| self.is_there(other, time)) {
            self.link(edge, clock);
        }
    }

    /// What one link does, at the next time; true when a version began.
    fn link(&mut self, edge: EdgeVersion, clock: i64) -> bool {
        let time = self.next_time(clock);
        let is_own = |other: &EdgeVersion| other.is(&edge.source, &edge.relation, &edge.target);
        let current = self.edges.iter().position(|other| is_own(other) && self.is_there(other, time));
        let is_same = |at: usize| {
            let current = &self.edges[at];
            current.weight == edge.weight && current.properties == edge.properties
        };
        if current.is_some_and(is_same) {
            return false;
        }
        for other in self.edges.iter_mut().filter(|other| is_own(other)) {
            other.until = other.until.min(time);
        }
        self.edges.push(EdgeVersion { from: time, ..edge });
        self.had_edges = true;
        self.last = time;
        true
    }

    /// What one unlink does, at the next time; true when it did anything.
    pub fn unlink(
        &mut self,
        (source, relation, target): (&str, &str, &str),
        erase: bool,
        (clock, kept_from): (i64, i64),
    ) -> bool {
        let time = self.next_time(clock);
        let is_own = |edge: &EdgeVersion| edge.is(source, relation, target);
        let is_there = self.edges.iter().any(|edge| is_own(edge) && self.is_there(edge, time));
        let ever = self.edges.iter().any(|edge| is_own(edge) && self.end_of(edge, time) > kept_from);
        if !(is_there || erase && ever) {
            return false;
        }
        for edge in self.edges.iter_mut().filter(|edge| is_own(edge)) {
            edge.until = edge.until.min(time);
        }
        self.edges.retain(|edge| !(erase && is_own(edge)));
        self.last = time;
        true
    }
}

impl Run {
    /// An end: a document's id, or one that never is a document's.
    fn node(&mut self) -> String {
        if self.rng.below(5) == 0 { format!("x{}", self.rng.below(3)) } else { self.id() }
    }

    fn two_ends(&mut self) -> (String, String) {
        loop {
            let (source, target) = (self.node(), self.node());
            if source != target {
                return (source, target);
            }
        }
    }

    fn relation(&mut self) -> String {
        ["near", "far", "above"][self.rng.below(3) as usize].to_owned()
    }

    /// A batch of links and unlinks.
    pub fn edges(&mut self) {
        let (clock, kept_from) = (self.clock.now_ns(), self.model.graph_earliest());
        self.model.expire(clock);
        let (mut batch, mut linked, mut unlinked) = (Vec::new(), 0, 0);
        for _ in 0..=self.rng.below(4) {
            let ((source, target), relation) = (self.two_ends(), self.relation());
            let inverse = (self.rng.below(4) == 0).then(|| self.relation());
            if self.rng.below(4) == 0 {
                let erase = self.rng.below(4) == 0;
                let back = inverse.as_ref().map(|inverse| (&*target, &**inverse, &*source));
                for triple in [Some((&*source, &*relation, &*target)), back].into_iter().flatten() {
                    unlinked += usize::from(self.model.unlink(triple, erase, (clock, kept_from)));
                }
                batch.push(Mutation::Unlink(UnlinkRequest { source, relation, target, inverse, erase }));
                continue;
            }
            let weight = self.rng.below(3) as f64 / 2.0;
            let n = self.rng.below(3);
            let json = if n == 0 { "{}".to_owned() } else { format!(r#"{{"n":{n}}}"#) };
            let properties = parse_object(&json).expect("JSON");
            let edge = |source: &str, relation: &str, target: &str| EdgeVersion {
                source: source.to_owned(),
                relation: relation.to_owned(),
                target: target.to_owned(),
                from: 0,
                until: NEVER,
                weight,
                properties: properties.clone(),
            };
            linked += usize::from(self.model.link(edge(&source, &relation, &target), clock));
            if let Some(inverse) = &inverse {
                linked += usize::from(self.model.link(edge(&target, inverse, &source), clock));
            }
            batch.push(Mutation::Link(LinkRequest { source, relation, target, inverse, weight, properties }));
        }
        let done = self.collection.submit(batch, Level::Os).expect("stored");
        assert_eq!((done.linked, done.unlinked), (linked, unlinked));
        settle(&*self.collection.storage());
    }

    /// Edges are kept for another time from now on.
    pub fn retain(&mut self) {
        let graph_retention = if self.rng.below(4) == 0 { 0 } else { 1 + self.rng.below(300) as i64 };
        let settings = self.collection.reader().load().config.settings.clone();
        let maintenance = Maintenance { graph_retention, ..settings.maintenance };
        self.collection.configure(Settings { maintenance, ..settings }, Level::Os).expect("stored");
        settle(&*self.collection.storage());
        self.model.retain_edges(graph_retention);
    }

    /// Every reading of the graph at a moment.
    pub fn look_at_edges(&mut self, view: &View, as_of: Option<i64>, clock: i64) {
        let time = as_of.unwrap_or(clock.max(self.model.last));
        let earliest = self.model.graph_earliest();
        assert_eq!(view.graph_earliest(), earliest);
        let graph = match view.graph(view.graph_moment(as_of, clock)) {
            Ok(graph) => graph,
            Err(error) => {
                assert_eq!(error.code(), "history_gone");
                assert!(time < earliest, "{as_of:?}: {error}");
                return;
            }
        };
        assert!(time >= earliest, "{time} is gone, the graph begins at {earliest}");
        let there: Vec<EdgeVersion> = self.model.edges_at(time).into_iter().cloned().collect();
        let mut names: Vec<String> =
            (0..12).map(|i| format!("id{i}")).chain((0..3).map(|i| format!("x{i}"))).collect();
        names.extend(["7".to_owned(), "true".to_owned()]);
        for name in &names {
            for direction in [Direction::Out, Direction::In] {
                let wanted = if self.rng.below(2) == 0 { Some(self.relation()) } else { None };
                self.neighbours(&graph, &there, name, direction, wanted.as_deref(), time);
                self.past(&graph, name, direction, (time, earliest));
            }
        }
        let (source, target) = (names[self.rng.below(15) as usize].clone(), names[3].clone());
        let ways = [vec![Direction::Out], vec![Direction::In], vec![Direction::Out, Direction::In]];
        let ways = &ways[self.rng.below(3) as usize];
        self.around(&graph, &there, &source, ways, time);
        self.between(&graph, &there, [&source, &target], ways, time);
        self.together(&graph, &there, time);
    }

    /// Every version that can be read and began by then.
    fn past(&self, graph: &Graph<'_>, name: &str, direction: Direction, (time, earliest): (i64, i64)) {
        let model = &self.model;
        let own = |edge: &&EdgeVersion| {
            let end = if direction == Direction::Out { &edge.source } else { &edge.target };
            end == name && (edge.from <= time || time >= model.last) && model.end_of(edge, time) > earliest
        };
        let plain = |e: &EdgeVersion| {
            (e.source.clone(), e.relation.clone(), e.target.clone(), e.from, model.end_of(e, time))
        };
        let mut expected: Vec<_> = model.edges.iter().filter(own).map(plain).collect();
        let found = graph.key(name).map(|key| graph.history(key, direction, &[])).unwrap_or_default();
        let name_of = |key| graph.name(key).to_owned();
        let mut found: Vec<_> = found
            .iter()
            .map(|link| {
                let relation = graph.relation_name(link.relation).to_owned();
                (name_of(link.source), relation, name_of(link.target), link.created, link.until)
            })
            .collect();
        expected.sort();
        found.sort();
        assert_eq!(found, expected, "versions {direction:?} of {name} as of {time}, from {earliest}");
    }

    fn neighbours(
        &self,
        graph: &Graph<'_>,
        there: &[EdgeVersion],
        name: &str,
        direction: Direction,
        wanted: Option<&str>,
        time: i64,
    ) {
        let own = |edge: &&EdgeVersion| {
            let end = if direction == Direction::Out { &edge.source } else { &edge.target };
            end == name && wanted.is_none_or(|wanted| edge.relation == wanted)
        };
        let number = |edge: &EdgeVersion| match edge.properties.get("n") {
            Some(kithdb::base::Value::Int(n)) => *n,
            _ => 0,
        };
        let expected: BTreeSet<Plain> = there
            .iter()
            .filter(own)
            .map(|e| {
                let doubled = (e.weight * 2.0) as i64;
                (e.source.clone(), e.relation.clone(), e.target.clone(), e.from, doubled, number(e))
            })
            .collect();
        let (mut found, mut links) = (BTreeSet::new(), Links::default());
        let relations = match wanted.map(|wanted| graph.relation(wanted)) {
            Some(None) => None,
            Some(Some(relation)) => Some(vec![relation]),
            None => Some(Vec::new()),
        };
        if let (Some(key), Some(relations)) = (graph.key(name), relations) {
            let (mut with, mut far) = (Links::default(), Vec::new());
            graph.links(key, direction, &relations, &mut links);
            graph.neighbours(key, direction, &relations, &mut with, &mut far);
            let expected: Vec<Key> = links.iter().map(|link| link.far(direction)).collect();
            assert_eq!(far, expected, "what the edges of {name} lead to, at {time}");
        }
        for link in links.iter() {
            let properties = graph.properties(link).expect("sound");
            let n = match properties.as_ref().and_then(|properties| properties.get("n")) {
                Some(kithdb::base::Value::Int(n)) => *n,
                _ => 0,
            };
            let (source, target) = (graph.name(link.source).to_owned(), graph.name(link.target).to_owned());
            let relation = graph.relation_name(link.relation).to_owned();
            found.insert((source, relation, target, link.created, (graph.weight(link) * 2.0) as i64, n));
        }
        assert_eq!(found.len(), links.len(), "each once: {links:?}");
        assert_eq!(found, expected, "{direction:?} of {name} along {wanted:?} at {time}");
    }

    /// Distances by a naive breadth-first search.
    fn distances(there: &[EdgeVersion], from: &str, ways: &[Direction]) -> BTreeMap<String, usize> {
        let mut distances = BTreeMap::from([(from.to_owned(), 0)]);
        let mut queue = VecDeque::from([from.to_owned()]);
        while let Some(node) = queue.pop_front() {
            let next = distances[&node] + 1;
            for edge in there {
                let far = [
                    (Direction::Out, &edge.source, &edge.target),
                    (Direction::In, &edge.target, &edge.source),
                ];
                for (_, _, far) in far.iter().filter(|(way, near, _)| ways.contains(way) && **near == node) {
                    if !distances.contains_key(*far) {
                        distances.insert((*far).clone(), next);
                        queue.push_back((*far).clone());
                    }
                }
            }
        }
        distances
    }

    fn around(
        &mut self,
        graph: &Graph<'_>,
        there: &[EdgeVersion],
        root: &str,
        ways: &[Direction],
        time: i64,
    ) {
        let Some(key) = graph.key(root) else { return };
        let depth = self.rng.below(4) as usize;
        let request = SubgraphRequest {
            roots: vec![key],
            relations: Vec::new(),
            directions: ways.to_vec(),
            depth,
            nodes_max: 100,
            links_max: Some(10_000),
            edges_max: 10_000,
        };
        let reached = graph.subgraph(&request, &mut |_| Ok(true)).expect("sound");
        assert!(!reached.truncated);
        let found: BTreeMap<String, usize> =
            reached.nodes.iter().map(|(key, depth)| (graph.name(*key).to_owned(), *depth)).collect();
        let mut expected = Self::distances(there, root, ways);
        expected.retain(|_, distance| *distance <= depth);
        assert_eq!(found, expected, "around {root}, {depth} deep, at {time}");
        let ends = SubgraphRequest { links_max: None, ..request.clone() };
        let alone = graph.subgraph(&ends, &mut |_| Ok(true)).expect("sound");
        assert_eq!((alone.nodes, alone.links.len()), (reached.nodes, 0), "ends alone are the same");
        let few = SubgraphRequest { nodes_max: 2, ..request };
        let bounded = graph.subgraph(&few, &mut |_| Ok(true)).expect("sound");
        assert_eq!(bounded.truncated, expected.len() > 2, "what is left out is told");
    }

    fn between(
        &mut self,
        graph: &Graph<'_>,
        there: &[EdgeVersion],
        [source, target]: [&str; 2],
        ways: &[Direction],
        time: i64,
    ) {
        let (Some(from), Some(to)) = (graph.key(source), graph.key(target)) else { return };
        let request = PathRequest {
            source: from,
            target: to,
            relations: Vec::new(),
            directions: ways.to_vec(),
            depth: 20,
            edges_max: 10_000,
            weighted: false,
        };
        let expected = Self::distances(there, source, ways).get(target).copied();
        let (path, _) = graph.path(&request).expect("sound");
        assert_eq!(path.as_ref().map(|path| path.links.len()), expected, "{source} to {target} at {time}");
        let few = PathRequest { weighted: true, depth: 1 + self.rng.below(4) as usize, ..request.clone() };
        let bounded = graph.path(&few).expect("sound").0.map(|path| path.cost);
        let naive = Self::lightest(there, [source, target], ways, few.depth);
        assert_eq!(bounded, naive, "{source} to {target} in {} edges at {time}", few.depth);
        let weighted = PathRequest { weighted: true, ..request };
        let (light, _) = graph.path(&weighted).expect("sound");
        assert_eq!(light.is_some(), expected.is_some());
        let sum = |links: &[Link]| links.iter().map(|link| graph.weight(link)).sum::<f64>();
        if let (Some(path), Some(light)) = (path, light) {
            for path in [&path, &light] {
                let is_whole = path.nodes.windows(2).zip(&path.links).all(|(ends, link)| {
                    [link.source, link.target] == *ends || [link.target, link.source] == *ends
                });
                assert!(is_whole && path.nodes[0] == from && path.nodes[path.nodes.len() - 1] == to);
            }
            assert_eq!(light.cost, sum(&light.links));
            assert!(light.cost <= sum(&path.links), "no lighter than the one with the fewest edges");
        }
    }

    /// The least sum of weights over so many edges, all ways tried.
    fn lightest(
        there: &[EdgeVersion],
        [from, to]: [&str; 2],
        ways: &[Direction],
        depth: usize,
    ) -> Option<f64> {
        let mut costs = BTreeMap::from([(from.to_owned(), 0.0)]);
        for _ in 0..depth {
            let before = costs.clone();
            for edge in there {
                let steps = [
                    (Direction::Out, &edge.source, &edge.target),
                    (Direction::In, &edge.target, &edge.source),
                ];
                for (_, near, far) in steps.into_iter().filter(|(way, ..)| ways.contains(way)) {
                    let Some(cost) = before.get(near).map(|cost| cost + edge.weight) else { continue };
                    let known = costs.entry(far.clone()).or_insert(cost);
                    *known = known.min(cost);
                }
            }
        }
        costs.get(to).copied()
    }

    fn together(&self, graph: &Graph<'_>, there: &[EdgeVersion], time: i64) {
        let mut components = Components::new(graph);
        while !components.step(graph, 2) {}
        let mut sizes: Vec<usize> = components.components().iter().map(|found| found.len).collect();
        sizes.sort_unstable();
        let both = [Direction::Out, Direction::In];
        let ends: BTreeSet<&String> = there.iter().flat_map(|edge| [&edge.source, &edge.target]).collect();
        let mut expected: BTreeMap<String, usize> = BTreeMap::new();
        for end in ends {
            let own = Self::distances(there, end, &both);
            expected.insert(own.keys().next().expect("itself").clone(), own.len());
        }
        let mut expected: Vec<usize> = expected.into_values().collect();
        expected.sort_unstable();
        assert_eq!(sizes, expected, "components at {time}");
    }
}
