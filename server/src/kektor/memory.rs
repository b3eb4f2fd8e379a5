//! Memories: `memory_config`, which is the decay of a collection, and the fields of metadata that it goes by.

use std::collections::BTreeMap;

use kithdb::base::{Clock, Error, Object, Result, SortedMap, Value};
use kithdb::collection::{Decay, DecayLayers, DecayModel, Document, View};
use kithdb::host::CollectionHandle;
use kithdb::segment::SharedRow;
use serde::Deserialize;
use serde_json::Value as Json;

use super::NodeAnswer;
use super::maintenance::duration;

/// When a memory was made: seconds since 1970 UTC.
pub const CREATED_AT: &str = "_created_at";
/// When it was last reinforced, in the same.
const LAST_ACCESSED: &str = "_last_accessed";
/// How often it was.
const ACCESS_COUNT: &str = "_access_count";
/// Whether it keeps its score.
pub const PINNED: &str = "_pinned";
/// What kind it is.
const LAYER: &str = "memory_layer";
/// What kind it is when it does not say.
const LAYER_DEFAULT: &str = "episodic";

/// Half of a score is left after so long where nothing else is said: a week.
const HALF_LIFE: i64 = 7 * 86_400 * SECOND;
const SECOND: i64 = 1_000_000_000;

/// How memories are forgotten. What needs a language model to be done is accepted and left.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct MemoryBody {
    enabled: bool,
    decay_model: Option<String>,
    decay_half_life: Option<Json>,
    layers: Option<BTreeMap<String, LayerBody>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct LayerBody {
    decay_half_life: Option<Json>,
    pinned_by_default: bool,
}

impl MemoryBody {
    /// As the decay of a collection; `None` when it is not enabled.
    pub fn decay(&self) -> Result<Option<Decay>> {
        if !self.enabled {
            return Ok(None);
        }
        let model = self.decay_model.as_deref().filter(|name| !name.is_empty());
        let life = |life: &Option<Json>| life.as_ref().map_or(Ok(0), half_life);
        let half_lives = self.layers.iter().flatten().map(|(layer, body)| {
            // A memory that is pinned is one that does not decay.
            let life = if body.pinned_by_default { 0 } else { life(&body.decay_half_life)? };
            Ok((layer.clone(), life))
        });
        let half_lives = half_lives.collect::<Result<SortedMap<_, _>>>()?;
        Ok(Some(Decay {
            model: model.map_or(Ok(DecayModel::Exponential), DecayModel::parse)?,
            // 0 is its word for the default.
            half_life: Some(life(&self.decay_half_life)?).filter(|life| *life != 0).unwrap_or(HALF_LIFE),
            layers: Some(DecayLayers { field: LAYER.to_owned(), half_lives }),
            time_field: Some(CREATED_AT.to_owned()),
            pinned_field: Some(PINNED.to_owned()),
        }))
    }
}

/// Its clients write days and weeks as well, which Go does not read.
fn half_life(life: &Json) -> Result<i64> {
    let whole = |text: &str, unit, days: i64| {
        text.strip_suffix(unit).and_then(|n| n.parse().ok()).map(|n: i64| (n, days))
    };
    let Some((n, days)) = life.as_str().and_then(|text| whole(text, 'd', 1).or_else(|| whole(text, 'w', 7)))
    else {
        return duration("decay_half_life", life);
    };
    let ns = n.checked_mul(days * 86_400 * SECOND).filter(|ns| *ns >= 0);
    ns.ok_or_else(|| {
        Error::parameter("decay_half_life", life, "a duration such as 72h or 7d, or nanoseconds")
    })
}

/// Whether an index holds memories.
pub fn is_on(view: &View) -> bool {
    let decay = view.config.settings.decay.as_ref();
    decay.is_some_and(|decay| decay.time_field.as_deref() == Some(CREATED_AT))
}

/// Says of a new memory when it was made and what kind it is, unless it does itself.
pub fn mark(view: &View, clock: &dyn Clock, document: &mut Document) {
    if is_on(view) {
        let now = clock.now_ns().div_euclid(SECOND);
        document.metadata.entry(CREATED_AT.to_owned()).or_insert(Value::Int(now));
        document.metadata.entry(LAYER.to_owned()).or_insert_with(|| Value::Str(LAYER_DEFAULT.to_owned()));
    }
}

/// When a memory was made, in ns since 1970 UTC; what does not say so was when it was stored.
pub fn created_at(metadata: &Object, valid_from: i64) -> i64 {
    let seconds = match metadata.get(CREATED_AT) {
        Some(Value::Int(seconds)) => seconds.checked_mul(SECOND),
        Some(Value::Float(seconds)) if seconds.abs() < 9e9 => Some((seconds * 1e9) as i64),
        _ => None,
    };
    seconds.unwrap_or(valid_from)
}

/// Documents as this API shows them, with how often they were reinforced.
pub fn shown(collection: &CollectionHandle, rows: &[SharedRow]) -> Result<Vec<NodeAnswer>> {
    let ids: Vec<String> = rows.iter().map(|row| row.id.to_string()).collect();
    let mut nodes: Vec<NodeAnswer> = rows.iter().map(|row| NodeAnswer::from(&**row)).collect();
    for (node, touch) in nodes.iter_mut().zip(collection.touches(&ids)?) {
        if let Some(touch) = touch {
            let last = touch.last.div_euclid(SECOND);
            node.metadata.insert(LAST_ACCESSED.to_owned(), Value::Int(last));
            node.metadata.insert(ACCESS_COUNT.to_owned(), Value::Int(touch.count.into()));
        }
    }
    Ok(nodes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn decay(body: Json) -> Result<Option<Decay>> {
        serde_json::from_value::<MemoryBody>(body).expect("a shape").decay()
    }

    #[test]
    fn a_memory_config_is_a_decay() {
        assert_eq!(decay(json!({"decay_half_life": "1h"})), Ok(None));
        let plain = decay(json!({"enabled": true})).expect("sound").expect("enabled");
        assert_eq!((plain.model, plain.half_life), (DecayModel::Exponential, HALF_LIFE));
        assert_eq!(plain.pinned_field.as_deref(), Some("_pinned"));
        let layers = json!({"episodic": {"decay_half_life": "1w"}, "procedural": {"pinned_by_default": true},
            "semantic": {"decay_half_life": 5, "auto_summarize": true}, "other": {}});
        let body =
            json!({"enabled": true, "decay_model": "ebbinghaus", "decay_half_life": "30d", "layers": layers});
        let rich = decay(body).expect("sound").expect("enabled");
        assert_eq!((rich.model, rich.half_life), (DecayModel::Ebbinghaus, 30 * 86_400 * SECOND));
        let lives: Vec<_> =
            rich.layers.expect("layers").half_lives.into_iter().map(|(_, life)| life).collect();
        assert_eq!(lives, [HALF_LIFE, 0, 0, 5]);
        for bad in [json!("soon"), json!("-1h"), json!("9999999999999d"), json!(1.5)] {
            assert!(decay(json!({"enabled": true, "decay_half_life": bad})).is_err(), "{bad}");
        }
        assert!(decay(json!({"enabled": true, "decay_model": "sudden"})).is_err());
    }
}
