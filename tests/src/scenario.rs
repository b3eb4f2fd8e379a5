//! Scenario files: operations with the results they must have, replayed on any surface in any layout.
//!
//! Between steps the runner seals, indexes, merges, vacuums (documents and edges), recodes, refines, optimizes and reopens at random points (seeded): exact answers must not
//! change with how documents are laid out.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use kithdb::base::Rng;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{Surface, places, rounded};

/// A scenario file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What it shows.
    pub about: String,
    /// What is done.
    pub steps: Vec<Step>,
}

/// One operation.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Its name.
    pub op: String,
    /// Its arguments.
    #[serde(default)]
    pub args: Value,
    /// What the result must contain: objects may have more fields; lists must be whole.
    pub ok: Option<Value>,
    /// What the refusal must contain.
    pub error: Option<Value>,
    /// Parts of the result, by JSON pointer, that later arguments name: `"$name"`.
    #[serde(default)]
    pub keep: BTreeMap<String, String>,
}

/// All scenario files, by name.
///
/// # Panics
/// When one cannot be read.
#[must_use]
pub fn all() -> Vec<(String, Scenario)> {
    let folder = places::root().join("tests/contract");
    let mut files: Vec<_> =
        std::fs::read_dir(folder).expect("the folder").map(|f| f.expect("a file")).collect();
    files.sort_by_key(std::fs::DirEntry::file_name);
    let read = |file: &std::fs::DirEntry| {
        let name = file.file_name().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(file.path()).expect("readable");
        let scenario = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{name}: {e}"));
        (name, scenario)
    };
    files.iter().map(read).collect()
}

/// Replays a scenario in a fresh directory; the results of all steps that do not tell of the layout.
///
/// # Panics
/// When a step does not give what it must.
pub fn replay(
    surface: &mut dyn Surface,
    name: &str,
    scenario: &Scenario,
    layout_seed: Option<u64>,
    directory: &Path,
) -> Vec<Value> {
    let open = json!({ "path": directory.to_string_lossy() });
    let mut rng = layout_seed.map(Rng::new);
    let mut results = Vec::new();
    let mut kept: BTreeMap<String, Value> = BTreeMap::new();
    surface.must("open", &open);
    for (number, step) in scenario.steps.iter().enumerate() {
        if let Some(rng) = &mut rng {
            disturb(surface, rng, &open);
        }
        let at =
            format!("{name}, step {number} ({}) on {} with seed {layout_seed:?}", step.op, surface.name());
        if step.op == "wait" {
            // For what goes by itself to be gone.
            std::thread::sleep(Duration::from_millis(step.args["ms"].as_u64().expect("milliseconds")));
            continue;
        }
        let outcome = surface.call(&step.op, &filled(&step.args, &kept));
        match (&step.ok, &step.error, &outcome) {
            (_, Some(expected), Err(failure)) => contains(&failure.report, &filled(expected, &kept), &at),
            (_, Some(expected), Ok(got)) => panic!("{at}: expected {expected}, got {got}"),
            (Some(expected), None, Ok(got)) => contains(got, &filled(expected, &kept), &at),
            (None, None, Ok(_)) => {}
            (_, None, Err(failure)) => panic!("{at}: {}", failure.report),
        }
        for (name, pointer) in &step.keep {
            let found = outcome.as_ref().ok().and_then(|got| got.pointer(pointer));
            kept.insert(format!("${name}"), found.unwrap_or_else(|| panic!("{at}: no {pointer}")).clone());
        }
        if matches!(step.op.as_str(), "add" | "get" | "delete" | "search" | "search_many" | "scan") {
            let mut told = outcome.unwrap_or_else(|failure| json!({ "error": failure.code }));
            forget_parts(&mut told);
            forget_moments(&mut told);
            results.push(rounded(&told));
        }
    }
    surface.must("close", &json!({}));
    results
}

/// What a filter took is told part by part.
fn forget_parts(told: &mut Value) {
    if let Some(parts) = told.pointer_mut("/filter_plan/parts") {
        parts.take();
    }
    let together = told.get_mut("results").and_then(Value::as_array_mut);
    together.into_iter().flatten().for_each(forget_parts);
}

/// Edges that results came with began when they were linked, at another moment each time.
fn forget_moments(told: &mut Value) {
    match told {
        Value::Array(items) => items.iter_mut().for_each(forget_moments),
        Value::Object(fields) => {
            let is_edge = fields.contains_key("relation") && fields.contains_key("created");
            if is_edge {
                fields.remove("created");
            }
            fields.values_mut().for_each(forget_moments);
        }
        _ => {}
    }
}

/// Arguments with what earlier steps kept in its places.
fn filled(args: &Value, kept: &BTreeMap<String, Value>) -> Value {
    match args {
        Value::String(text) => kept.get(text).unwrap_or(args).clone(),
        Value::Array(items) => items.iter().map(|item| filled(item, kept)).collect(),
        Value::Object(fields) => {
            fields.iter().map(|(name, value)| (name.clone(), filled(value, kept))).collect()
        }
        _ => args.clone(),
    }
}

/// One random change of layout, or none.
fn disturb(surface: &mut dyn Surface, rng: &mut Rng, open: &Value) {
    let listed = surface.must("collections", &json!({}));
    let names: Vec<&str> =
        listed["collections"].as_array().expect("a list").iter().filter_map(|c| c["name"].as_str()).collect();
    if rng.below(6) == 0 {
        surface.must("close", &json!({}));
        surface.must("open", open);
    }
    if names.is_empty() {
        return;
    }
    let name = names[rng.below(names.len() as u64) as usize];
    for (op, one_in) in [
        ("seal", 3),
        ("index", 3),
        ("merge", 3),
        ("vacuum", 6),
        ("graph_vacuum", 4),
        ("recode", 6),
        ("refine", 6),
        ("optimize", 9),
    ] {
        if rng.below(one_in) == 0 {
            surface.must(op, &json!({ "name": name }));
        }
    }
}

/// Panics unless `got` contains `expected`: fields may be more, lists must be whole, numbers agree to 1e-6.
fn contains(got: &Value, expected: &Value, at: &str) {
    assert!(matches(got, expected), "{at}:\n  expected {expected}\n  got      {got}");
}

fn matches(got: &Value, expected: &Value) -> bool {
    match (got, expected) {
        (Value::Object(got), Value::Object(expected)) => {
            expected.iter().all(|(key, value)| got.get(key).is_some_and(|got| matches(got, value)))
        }
        (Value::Array(got), Value::Array(expected)) => {
            got.len() == expected.len()
                && got.iter().zip(expected).all(|(got, expected)| matches(got, expected))
        }
        (Value::Number(got), Value::Number(expected)) => {
            let (got, expected) = (got.as_f64().unwrap_or(f64::NAN), expected.as_f64().unwrap_or(f64::NAN));
            (got - expected).abs() <= 1e-6 * expected.abs().max(1.0)
        }
        _ => got == expected,
    }
}
