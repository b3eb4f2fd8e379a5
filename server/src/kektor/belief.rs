//! How far memories can be believed: how much those near a query agree, how fresh they are, and what speaks against them.
//!
//! confidence = 0.4 consensus + 0.3 stability + 0.3 friction, each 0 to 1.

use std::collections::BTreeSet;

use kithdb::base::limits::GRAPH_NODES_MAX;
use kithdb::base::{Value, value::check_object};
use kithdb::collection::{DecayModel, Hit, LinkRequest, Mutation, SearchRequest, Ways};
use kithdb::host::Db;
use kithdb::wire::parse;
use serde::{Deserialize, Serialize};

use super::evolution::{CONTENT, IS_HISTORICAL};
use super::graph::edges_at;
use super::{StatusAnswer, embed, given, memory, not_found, ok_saying, refuse, required, unknown_node};
use crate::http::Problem;

const INVALIDATES: &str = "invalidates";
const INVALIDATED_BY: &str = "invalidated_by";
const CONTRADICTS: &str = "contradicts";
const CONTRADICTED_BY: &str = "contradicted_by";

/// Memories that are looked at.
const LIMIT: usize = 10;
const LIMIT_MAX: usize = 50;

const DAY: f64 = 86_400e9;
/// After how many days half of a memory's stability is left, roughly.
const HALF_LIFE_DAYS: f64 = 30.0;
/// From which confidence on a belief is crystallized, and up to which it is volatile.
const CRYSTALLIZED: f64 = 0.85;
const VOLATILE: f64 = 0.40;

#[derive(Deserialize)]
struct BeliefBody {
    index_name: Option<String>,
    query: Option<String>,
    query_vec: Option<Vec<f32>>,
    limit: Option<i64>,
}

#[derive(Serialize)]
struct Consensus {
    score: f64,
    sources: usize,
    vector_variance: f64,
}

#[derive(Serialize)]
struct Stability {
    score: f64,
    avg_age_days: f64,
    total_access: u64,
}

#[derive(Serialize)]
struct Friction {
    score: f64,
    contradictions: usize,
    invalidations: usize,
}

#[derive(Serialize)]
struct Evidence {
    consensus: Consensus,
    stability: Stability,
    friction: Friction,
}

#[derive(Serialize)]
struct Memory {
    id: String,
    content: String,
    /// Cosine similarity to the query, 0 to 1.
    score: f64,
    /// Seconds since 1970 UTC.
    created_at: i64,
    access_count: u32,
    is_historical: bool,
    contradictions: usize,
    invalidations: usize,
    #[serde(skip)]
    vector: Vec<f32>,
    #[serde(skip)]
    age_days: f64,
}

#[derive(Serialize)]
pub struct BeliefAnswer {
    confidence: f64,
    state: &'static str,
    evidence: Evidence,
    caveat: String,
    nodes: Vec<Memory>,
}

/// Assesses what the memories near a query say.
pub fn assess(db: &Db, body: &[u8]) -> Result<BeliefAnswer, Problem> {
    let body: BeliefBody = parse(body)?;
    let [index] = required([("index_name", body.index_name)])?;
    let collection = db.collection(&index)?;
    let text = body.query.filter(|text| !text.is_empty());
    let query = match (given(body.query_vec, &*collection.view()?), text) {
        (Some(vector), _) => vector,
        (None, Some(text)) => embed(db, &collection, &text)?,
        (None, None) => return Err(refuse("either query or query_vec is required")),
    };
    let limit = body.limit.and_then(|limit| usize::try_from(limit).ok()).filter(|limit| *limit > 0);
    let k = limit.unwrap_or(LIMIT).min(LIMIT_MAX);
    let request =
        SearchRequest { vector: Some(query.clone()), k, with_vector: true, ..SearchRequest::default() };
    let hits = collection.search(request)?.hits;
    if hits.is_empty() {
        return Err(not_found("no memories found for the query"));
    }
    let ids: Vec<String> = hits.iter().map(|hit| hit.id.clone()).collect();
    let (rows, touches) = (collection.get_many(&ids, None)?, collection.touches(&ids)?);
    let now = db.options().clock.now_ns();
    let mut nodes = Vec::with_capacity(hits.len());
    for ((hit, row), touch) in hits.into_iter().zip(rows).zip(touches) {
        let stored = row.map_or(now, |row| row.valid_from);
        let touches = touch.map_or(0, |touch| touch.count);
        let against = |relations| against(db, (&index, &hit.id), relations);
        let (contradictions, invalidations) =
            (against([CONTRADICTS, CONTRADICTED_BY])?, against([INVALIDATES, INVALIDATED_BY])?);
        nodes.push(Memory {
            contradictions,
            invalidations,
            ..memory_of(hit, &query, (stored, now), touches)
        });
    }
    Ok(judged(nodes))
}

fn memory_of(hit: Hit, query: &[f32], (stored, now): (i64, i64), access_count: u32) -> Memory {
    let Hit { id, metadata, vector, .. } = hit;
    let vector = vector.unwrap_or_default();
    let created = memory::created_at(&metadata, stored);
    Memory {
        id,
        content: metadata.get(CONTENT).and_then(Value::as_str).unwrap_or_default().to_owned(),
        score: 1.0 - distance(query, &vector),
        created_at: created.div_euclid(1_000_000_000),
        access_count,
        is_historical: metadata.get(IS_HISTORICAL) == Some(&Value::Bool(true)),
        contradictions: 0,
        invalidations: 0,
        age_days: (now as f64 - created as f64).max(0.0) / DAY,
        vector,
    }
}

/// How many others say so, by an edge to it or by its own edge to them.
fn against(db: &Db, node: (&str, &str), [to, from]: [&str; 2]) -> Result<usize, Problem> {
    let mut others = BTreeSet::new();
    for (relation, ways) in [(to, Ways::In), (from, Ways::Out)] {
        let found = edges_at(db, node, Some(relation), (ways, GRAPH_NODES_MAX), None)?;
        others.extend(found.edges.into_iter().map(|e| if ways == Ways::In { e.source } else { e.target }));
    }
    Ok(others.len())
}

fn judged(nodes: Vec<Memory>) -> BeliefAnswer {
    let count = nodes.len() as f64;
    let vectors: Vec<&[f32]> = nodes.iter().map(|node| &*node.vector).collect();
    let (agreement, vector_variance) = agreement(&vectors);
    let left =
        |node: &Memory| DecayModel::Ebbinghaus.factor(node.age_days, HALF_LIFE_DAYS, node.access_count);
    let stability = Stability {
        score: nodes.iter().map(left).sum::<f64>() / count,
        avg_age_days: nodes.iter().map(|node| node.age_days).sum::<f64>() / count,
        total_access: nodes.iter().map(|node| u64::from(node.access_count)).sum(),
    };
    let contradictions = nodes.iter().map(|node| node.contradictions).sum();
    let invalidations = nodes.iter().map(|node| node.invalidations).sum();
    let penalty = 0.2 * contradictions as f64 + 0.5 * invalidations as f64;
    let friction = Friction { score: (1.0 - penalty).max(0.0), contradictions, invalidations };
    let sum = 0.4 * agreement + 0.3 * stability.score + 0.3 * friction.score;
    let confidence = sum.clamp(0.0, 1.0);
    let has_friction = contradictions + invalidations > 0;
    let (state, caveat) = if confidence >= CRYSTALLIZED {
        ("crystallized", "Well established: what is known of it agrees and is fresh or often used.")
    } else if invalidations > 0 {
        ("contested", "It was invalidated: look at what speaks against it before using it.")
    } else if has_friction {
        ("contested", "It is contradicted: whether it is true is in dispute.")
    } else if confidence <= VOLATILE {
        ("volatile", "What is known of it is old and seldom used, or does not agree: do not rely on it.")
    } else {
        ("stable", "Reliable on the whole; more confirmation would help.")
    };
    let noted = if has_friction && state == "crystallized" { " Some of it is disputed." } else { "" };
    let sources = nodes.len();
    let consensus = Consensus { score: agreement, sources, vector_variance };
    let evidence = Evidence { consensus, stability, friction };
    BeliefAnswer { confidence, state, evidence, caveat: format!("{caveat}{noted}"), nodes }
}

/// 1 - variance / (largest distance of two)^2, and the variance: the mean of squared cosine distances to the mean.
fn agreement(vectors: &[&[f32]]) -> (f64, f64) {
    let dim = vectors.first().map_or(0, |vector| vector.len());
    let mean: Vec<f32> = (0..dim)
        .map(|i| {
            (vectors.iter().map(|vector| f64::from(vector[i])).sum::<f64>() / vectors.len() as f64) as f32
        })
        .collect();
    let squares = vectors.iter().map(|vector| distance(vector, &mean).powi(2));
    let variance = squares.sum::<f64>() / vectors.len().max(1) as f64;
    let pairs = vectors
        .iter()
        .enumerate()
        .flat_map(|(i, one)| vectors[i + 1..].iter().map(move |other| (one, other)));
    let widest = pairs.map(|(one, other)| distance(one, other)).fold(0.0, f64::max);
    let score = if widest == 0.0 { 1.0 } else { 1.0 - (variance / (widest * widest)).min(1.0) };
    (score, variance)
}

/// 1 - cosine, 0 to 1; what has no direction is as far as can be.
fn distance(a: &[f32], b: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum::<f64>();
    let norms = (dot(a, a) * dot(b, b)).sqrt();
    if norms == 0.0 || a.len() != b.len() { 1.0 } else { (1.0 - dot(a, b) / norms).clamp(0.0, 1.0) }
}

#[derive(Deserialize)]
struct InvalidateBody {
    index_name: Option<String>,
    target_id: Option<String>,
    source_id: Option<String>,
    reason: Option<String>,
}

/// Notes that something speaks against a memory.
pub fn invalidate(db: &Db, body: &[u8]) -> Result<StatusAnswer, Problem> {
    let body: InvalidateBody = parse(body)?;
    let [index, target] = required([("index_name", body.index_name), ("target_id", body.target_id)])?;
    let collection = db.collection(&index)?;
    if collection.get(&target, None)?.is_none() {
        return Err(unknown_node(&target, &index));
    }
    let source = body.source_id.filter(|source| !source.is_empty()).unwrap_or_else(|| "system".to_owned());
    if source == target {
        return Err(refuse("a node cannot invalidate itself (source_id equals target_id)"));
    }
    let now = db.options().clock.now_ns().div_euclid(1_000_000_000);
    let reason = body.reason.filter(|reason| !reason.is_empty());
    let reason = reason.map(|reason| ("reason".to_owned(), Value::Str(reason)));
    let stamped = std::iter::once(("timestamp".to_owned(), Value::Int(now)));
    let link = LinkRequest {
        source,
        relation: INVALIDATES.to_owned(),
        target: target.clone(),
        inverse: Some(INVALIDATED_BY.to_owned()),
        weight: 1.0,
        properties: check_object(stamped.chain(reason).collect())?,
    };
    collection.write(vec![Mutation::Link(link)], None)?;
    Ok(ok_saying(format!("Node {target} has been invalidated")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory(vector: Vec<f32>, age_days: f64, access_count: u32, invalidations: usize) -> Memory {
        Memory {
            id: String::new(),
            content: String::new(),
            score: 1.0,
            created_at: 0,
            access_count,
            is_historical: false,
            contradictions: 0,
            invalidations,
            vector,
            age_days,
        }
    }

    #[test]
    fn what_agrees_and_is_fresh_is_believed() {
        let fresh = judged(vec![memory(vec![1.0, 0.0], 0.0, 0, 0), memory(vec![2.0, 0.0], 0.0, 0, 0)]);
        assert_eq!((fresh.state, fresh.confidence), ("crystallized", 1.0));
        let contested = judged(vec![memory(vec![1.0, 0.0], 30.0, 0, 1)]);
        assert_eq!((contested.state, contested.evidence.friction.score), ("contested", 0.5));
        let old = judged(vec![memory(vec![1.0, 0.0], 3_000.0, 0, 0)]);
        assert_eq!(old.state, "stable");
        assert!((old.confidence - 0.7).abs() < 1e-9, "{}", old.confidence);
        let used = judged(vec![memory(vec![1.0, 0.0], 30.0, 9, 0)]);
        assert!(used.evidence.stability.score > 0.5);
    }

    #[test]
    fn agreement_is_measured_against_the_widest_pair() {
        let (score, variance) = agreement(&[&[1.0, 0.0], &[0.0, 1.0]]);
        let off = 1.0 - std::f64::consts::FRAC_1_SQRT_2;
        assert!((variance - off * off).abs() < 1e-6, "{variance}");
        assert!((score - (1.0 - off * off)).abs() < 1e-6, "{score}");
        assert_eq!(agreement(&[&[1.0, 0.0]]), (1.0, 0.0));
    }
}
