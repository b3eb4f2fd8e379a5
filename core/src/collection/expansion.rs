//! Expansion of a search: what its best hits are linked to joins them, with a share of their scores.
//!
//! The rule stands in docs/GRAPH.md. Scores go along the edges of the moment that is searched ([`Graph::expand`]), through
//! whatever these lead to; what may be found joins the candidates, before time takes its share and groups are made.

use crate::base::limits::{EXPAND_HITS_MAX, GRAPH_DEPTH_MAX, GRAPH_NODES_MAX};
use crate::base::{Bitmap, Error, Result};
use crate::graph::{ExpandRequest, Expanded, Graph, Link};

use super::elsewhere::Elsewhere;
use super::graph::{Ways, check_relations, known_relations};
use super::moment::Moment;
use super::view::{Place, View};

/// What the best hits are linked to joins the candidates.
#[derive(Debug, Clone, PartialEq)]
pub struct Expansion {
    /// Along these relations; none stands for all.
    pub relations: Vec<String>,
    /// Which way.
    pub ways: Ways,
    /// How many edges away.
    pub depth: usize,
    /// The share of a score that an edge leaves.
    pub damping: f64,
    /// How many of the best hits.
    pub hits: usize,
    /// How often documents and other ends are come to at most.
    pub limit: usize,
}

impl Default for Expansion {
    fn default() -> Self {
        Self { relations: Vec::new(), ways: Ways::Out, depth: 1, damping: 0.5, hits: 10, limit: 1_000 }
    }
}

impl Expansion {
    pub(super) fn check(&self) -> Result<()> {
        let counts = [
            ("depth", self.depth, GRAPH_DEPTH_MAX),
            ("hits", self.hits, EXPAND_HITS_MAX),
            ("limit", self.limit, GRAPH_NODES_MAX),
        ];
        for (name, got, most) in counts {
            if !(1..=most).contains(&got) {
                return Err(Error::parameter(name, got, format!("1 to {most}")));
            }
        }
        if !(0.0..=1.0).contains(&self.damping) {
            return Err(Error::parameter("damping", self.damping, "0 to 1"));
        }
        check_relations(&self.relations)
    }
}

/// What a hit lent a result, and by which way.
#[derive(Debug, Clone, PartialEq)]
pub struct GraphExplanation {
    /// The id of the hit.
    pub hit: String,
    /// The hit's score, before time took its share.
    pub score: f32,
    /// The share that each edge left.
    pub damping: f64,
    /// The edges from the hit to the result, in order.
    pub edges: Vec<PassedEdge>,
    /// What is left of the hit's score, which is the result's.
    pub contribution: f32,
}

/// An edge that a score went along, one way or the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PassedEdge {
    /// Where it begins.
    pub source: String,
    /// What it means.
    pub relation: String,
    /// Where it leads.
    pub target: String,
}

/// What the hits of a search lead to.
pub(super) struct Reach<'a> {
    graph: Graph<'a>,
    expanded: Expanded,
    /// The hits that edges name, the best first, with their scores.
    hits: Vec<(&'a str, f32)>,
    damping: f64,
    /// What may be found of it, and the place of its arrival.
    joining: Vec<(Place, usize)>,
}

impl Reach<'_> {
    /// Whether there is more than was looked at.
    pub fn is_truncated(&self) -> bool {
        self.expanded.truncated
    }

    /// Each document that joins, its score, and what explains it.
    pub fn joining(&self) -> impl Iterator<Item = (Place, f32, usize)> {
        self.joining.iter().map(|(place, at)| (*place, self.score(*at), *at))
    }

    fn score(&self, at: usize) -> f32 {
        // A large score below 0 may have grown beyond what f32 holds.
        self.expanded.arrival(at).score.max(f64::from(f32::MIN)) as f32
    }

    pub fn explain(&self, at: usize) -> GraphExplanation {
        let (hit, score) = self.hits[self.expanded.arrival(at).seed];
        let passed = |link: &Link| PassedEdge {
            source: self.graph.told(link.source).into_owned(),
            relation: self.graph.told_relation(link.relation).into_owned(),
            target: self.graph.told(link.target).into_owned(),
        };
        GraphExplanation {
            hit: hit.to_owned(),
            score,
            damping: self.damping,
            edges: self.expanded.links(at).iter().map(passed).collect(),
            contribution: self.score(at),
        }
    }
}

impl View {
    /// What hits lead to, the best first, among what may be found in each part; so many edges are looked at at most.
    ///
    /// # Errors
    /// `invalid_parameter`, `history_gone`; `corrupt`, `not_resident`.
    pub(super) fn reach<'a>(
        &'a self,
        elsewhere: &'a Elsewhere<'a>,
        (expand, edges_max): (&Expansion, usize),
        ranked: impl Iterator<Item = (Place, f32)>,
        moment: Moment,
        allowed: &[Option<Bitmap>],
    ) -> Result<Reach<'a>> {
        let graph = elsewhere.graph(moment, false)?;
        let relations = known_relations(&graph, &expand.relations);
        let (mut hits, mut seeds) = (Vec::new(), Vec::new());
        for (place, score) in ranked.take(expand.hits) {
            let id = self.parts[place.part].part.id(place.slot)?;
            if let Some(key) = graph.key(id) {
                hits.push((id, score));
                seeds.push((key, f64::from(score)));
            }
        }
        let expanded = relations.map(|relations| {
            graph.expand(&ExpandRequest {
                seeds,
                relations,
                directions: expand.ways.directions().to_vec(),
                depth: expand.depth,
                damping: expand.damping,
                arrivals_max: expand.limit,
                edges_max,
            })
        });
        let mut expanded = expanded.unwrap_or_default();
        graph.settled()?;
        expanded.truncated |= elsewhere.is_truncated();
        let mut joining = Vec::new();
        for at in expanded.best() {
            // What is elsewhere hands scores on and is found by nobody.
            let Some((0, id)) = graph.place(expanded.arrival(at).node) else { continue };
            let Some(place) = self.find_at(&id, moment)? else { continue };
            if allowed[place.part].as_ref().is_none_or(|allowed| allowed.contains(place.slot.index())) {
                joining.push((place, at));
            }
        }
        Ok(Reach { graph, expanded, hits, damping: expand.damping, joining })
    }
}
