//! Memories that change: a new one takes the place of an old one, which stays and says so.
//!
//! `old -superseded_by-> new` and back `new -evolves_from-> old`, both with the reason; the old one is marked as historical.

use kithdb::base::{Error, NEVER, StateError, Value};
use kithdb::collection::{
    Document, FoundEdge, GraphAnswer, GraphOptions, GraphQuestion, LinkRequest, Mutation, View, Ways,
};
use kithdb::host::{CollectionHandle, Db, Expected};
use kithdb::wire::{parse, parse_metadata};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::graph::edges_at;
use super::nodes::until_alone;
use super::{embed, given, memory, refuse, required, unknown_node};
use crate::http::Problem;

const SUPERSEDED_BY: &str = "superseded_by";
const EVOLVES_FROM: &str = "evolves_from";
/// True for a memory that another one superseded.
pub const IS_HISTORICAL: &str = "_is_historical";
/// What a memory says.
pub const CONTENT: &str = "content";

/// So many steps of a chain are told.
const STEPS_MAX: usize = 100;
/// So many edges that lead to the old memory are copied.
const COPIED_MAX: usize = 10_000;

#[derive(Deserialize)]
struct EvolveBody<'a> {
    index_name: Option<String>,
    old_id: Option<String>,
    reason: Option<String>,
    new_vector: Option<Vec<f32>>,
    new_content: Option<String>,
    #[serde(borrow)]
    new_metadata: Option<&'a RawValue>,
}

#[derive(Serialize)]
pub struct EvolveAnswer {
    new_id: String,
    old_id: String,
    status: &'static str,
    message: String,
}

/// Makes a memory that takes the place of another: with its metadata, and what leads to it.
pub fn evolve(db: &Db, body: &[u8]) -> Result<EvolveAnswer, Problem> {
    let body: EvolveBody<'_> = parse(body)?;
    let named = [("index_name", body.index_name), ("old_id", body.old_id), ("reason", body.reason)];
    let [index, old_id, reason] = required(named)?;
    let collection = db.collection(&index)?;
    let view = collection.view()?;
    let content = body.new_content.filter(|content| !content.is_empty());
    let vector = match (given(body.new_vector, &view), &content) {
        (Some(vector), _) => vector,
        (None, Some(content)) => embed(db, &collection, content)?,
        (None, None) => return Err(refuse("either new_content or new_vector is required")),
    };
    let new_metadata = parse_metadata(body.new_metadata.map(RawValue::get))?;
    until_alone(|| {
        let row = collection.get(&old_id, None)?.ok_or_else(|| unknown_node(&old_id, &index))?;
        let clock = &*db.options().clock;
        let mut new = Document {
            id: new_id(&old_id, clock.now_ns()),
            vector: Some(vector.clone()),
            metadata: row.metadata.clone(),
            expires_at: Some(row.expires_at).filter(|time| *time < NEVER),
        };
        new.metadata.retain(|name, _| ![IS_HISTORICAL, memory::CREATED_AT].contains(&name.as_str()));
        new.metadata.extend(content.clone().map(|content| (CONTENT.to_owned(), Value::Str(content))));
        new.metadata.extend(new_metadata.clone());
        memory::mark(&view, clock, &mut new);
        let mut old = Document { id: old_id.clone(), metadata: row.metadata.clone(), ..new.clone() };
        old.vector = row.vector.as_deref().map(<[f32]>::to_vec);
        old.metadata.insert(IS_HISTORICAL.to_owned(), Value::Bool(true));
        let new_id = new.id.clone();
        let superseded = LinkRequest {
            source: old_id.clone(),
            relation: SUPERSEDED_BY.to_owned(),
            target: new_id.clone(),
            inverse: Some(EVOLVES_FROM.to_owned()),
            weight: 1.0,
            properties: [("reason".to_owned(), Value::Str(reason.clone()))].into(),
        };
        let mut batch = vec![Mutation::Add(new), Mutation::Upsert(old), Mutation::Link(superseded)];
        let before = leading_to(&*collection.view()?, &old_id, clock.now_ns())?;
        batch.extend(copied(&before, &old_id, &new_id)?);
        let expected = Expected::OneOf(vec![row.seq]);
        let check = |view: &View, now| {
            expected.check(view, now, &old_id)?;
            check_same(view, &old_id, clock.now_ns(), &before)
        };
        collection.write_if(batch, None, Some(&check))?;
        let message = format!("Memory {old_id} evolved into {new_id}");
        Ok(EvolveAnswer { new_id, old_id: old_id.clone(), status: "evolved", message })
    })
}

/// The id of the memory that takes the place of this one. Of one that took another's place already the first of them is
/// named, so that ids do not grow.
fn new_id(old_id: &str, now: i64) -> String {
    let first = || {
        let (first, number) = old_id.strip_prefix("evolved_")?.rsplit_once('_')?;
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        (is_number && !first.is_empty()).then_some(first)
    };
    format!("evolved_{}_{now}", first().unwrap_or(old_id))
}

/// What leads to the old memory leads to the new one too.
fn copied(found: &GraphAnswer, old_id: &str, new_id: &str) -> Result<Vec<Mutation>, Problem> {
    if found.truncated {
        return Err(refuse(format!("more than {COPIED_MAX} edges lead to {old_id}")));
    }
    let is_kept = |edge: &FoundEdge| ![SUPERSEDED_BY, EVOLVES_FROM].contains(&edge.relation.as_str());
    let link = |FoundEdge { source, relation, weight, properties, .. }| {
        let properties = properties.as_deref().cloned().unwrap_or_default();
        Mutation::Link(LinkRequest {
            source,
            relation,
            target: new_id.to_owned(),
            inverse: None,
            weight,
            properties,
        })
    };
    Ok(found.edges.iter().filter(|edge| is_kept(edge)).cloned().map(link).collect())
}

/// The edges that lead to a memory.
fn leading_to(view: &View, id: &str, now: i64) -> Result<GraphAnswer, Error> {
    let question = GraphQuestion::Edges { id: id.to_owned(), history: false };
    let options = GraphOptions { limit: Some(COPIED_MAX), ways: Ways::In, ..GraphOptions::default() };
    view.ask_graph(&question, &options, now)
}

/// Agrees where the same edges lead to a memory as did before.
///
/// # Errors
/// `version_mismatch`.
fn check_same(view: &View, id: &str, now: i64, before: &GraphAnswer) -> Result<(), Error> {
    let there = leading_to(view, id, now)?;
    if (&there.edges, there.truncated) == (&before.edges, before.truncated) {
        return Ok(());
    }
    let (expected, got) = ("the edges that led to it".to_owned(), "others".to_owned());
    Err(StateError::VersionMismatch { id: id.to_owned(), expected, got }.into())
}

#[derive(Deserialize)]
struct ChainBody {
    index_name: Option<String>,
    memory_id: Option<String>,
    direction: Option<String>,
}

#[derive(Serialize)]
struct Step {
    memory_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<String>,
    /// Seconds since 1970 UTC.
    created_at: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    evolves_from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    superseded_by: Option<String>,
    /// Why it was superseded.
    #[serde(skip_serializing_if = "Option::is_none")]
    evolution_reason: Option<String>,
    is_current: bool,
}

#[derive(Serialize)]
pub struct ChainAnswer {
    evolution_chain: Vec<Step>,
    total_steps: usize,
}

/// What a memory was before, or became since, step by step.
pub fn get_evolution(db: &Db, body: &[u8]) -> Result<ChainAnswer, Problem> {
    let body: ChainBody = parse(body)?;
    let [index, id] = required([("index_name", body.index_name), ("memory_id", body.memory_id)])?;
    let is_forward = match body.direction.as_deref() {
        None | Some("" | "backward") => false,
        Some("forward") => true,
        Some(_) => return Err(refuse("direction must be backward or forward")),
    };
    let collection = db.collection(&index)?;
    let mut chain: Vec<Step> = Vec::new();
    let mut next = Some(id.clone());
    while let Some(id) = next.take()
        && chain.len() < STEPS_MAX
        && chain.iter().all(|step| step.memory_id != id)
        && let Some(step) = step(db, &collection, &id)?
    {
        next = if is_forward { step.superseded_by.clone() } else { step.evolves_from.clone() };
        chain.push(step);
    }
    if chain.is_empty() {
        return Err(unknown_node(&id, &index));
    }
    let total_steps = chain.len();
    Ok(ChainAnswer { evolution_chain: chain, total_steps })
}

fn step(db: &Db, collection: &CollectionHandle, id: &str) -> Result<Option<Step>, Problem> {
    let Some(row) = collection.get(id, None)? else { return Ok(None) };
    let newest = |relation| -> Result<Option<FoundEdge>, Problem> {
        let found = edges_at(db, (collection.name(), id), Some(relation), (Ways::Out, COPIED_MAX), None)?;
        Ok(found.edges.into_iter().next_back())
    };
    let after = newest(SUPERSEDED_BY)?;
    let reason = after.as_ref().and_then(|edge| edge.properties.as_ref()?.get("reason")?.as_str());
    Ok(Some(Step {
        memory_id: id.to_owned(),
        content: row.metadata.get(CONTENT).and_then(Value::as_str).map(str::to_owned),
        created_at: memory::created_at(&row.metadata, row.valid_from).div_euclid(1_000_000_000),
        evolves_from: newest(EVOLVES_FROM)?.map(|edge| edge.target),
        evolution_reason: reason.map(str::to_owned),
        is_current: after.is_none(),
        superseded_by: after.map(|edge| edge.target),
    }))
}

#[cfg(test)]
mod tests {
    use kithdb::collection::CollectionConfig;
    use kithdb::host::Options;

    use super::*;

    #[test]
    fn an_edge_that_comes_meanwhile_has_it_done_again() {
        // The edges to a memory are read to be copied; before the copies are written somebody links another document to it.
        // The write is refused then, and done again with that edge too.
        let db = Db::in_memory(Options::default()).expect("memory is there");
        let collection = db.create("m", CollectionConfig::default()).expect("a new name");
        let clock = &*db.options().clock;
        let link = |source: &str| {
            Mutation::Link(LinkRequest {
                source: source.to_owned(),
                relation: "mentions".to_owned(),
                target: "a".to_owned(),
                inverse: None,
                weight: 1.0,
                properties: kithdb::base::Object::new(),
            })
        };
        let read = || leading_to(&collection.view().expect("open"), "a", clock.now_ns()).expect("readable");
        let write = |before: &GraphAnswer| {
            let check = |view: &View, _| check_same(view, "a", clock.now_ns(), before);
            let batch = copied(before, "a", "new").expect("few edges");
            collection.write_if(batch, None, Some(&check)).map(|written| written.linked)
        };
        collection.write(vec![link("b")], None).expect("linked");
        let before = read();
        collection.write(vec![link("c")], None).expect("linked");
        assert_eq!(write(&before).map_err(|error| error.code()), Err("version_mismatch"));
        assert_eq!(write(&read()), Ok(2));
    }

    #[test]
    fn ids_do_not_grow() {
        assert_eq!(new_id("a", 7), "evolved_a_7");
        assert_eq!(new_id("evolved_a_7", 8), "evolved_a_8");
        assert_eq!(new_id("evolved_a_b", 8), "evolved_evolved_a_b_8");
        assert_eq!(new_id("evolved__7", 8), "evolved_evolved__7_8");
    }
}
