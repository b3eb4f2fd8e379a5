//! Ranking over time: what is old counts less, unless it was used lately or is pinned.
//!
//! A score loses a share of itself that grows with the age of the document: from the moment of the search back to the time in
//! a field, or else to when this version was stored, or to its last touch, if that was later. All candidates are ranked so,
//! before the best are taken. A collection can have a decay of its own, for searches that ask for none: it is one of its
//! settings.

use crate::base::limits::{DECAY_LAYERS_MAX, FIELD_PATH_BYTES_MAX};
use crate::base::time::parse_time;
use crate::base::{DecodeError, Error, Object, Reader, Result, SortedMap, Value, Writer};
use crate::meta::values_of;
use crate::segment::Touch;

use super::facets::check_path;

/// How a score falls with age; `h` is the half-life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DecayModel {
    /// 2^(-age / h)
    Exponential,
    /// 1 - age / h, and 0 from the age of h on.
    Linear,
    /// 1 below the age of h, 0 from there on.
    Step,
    /// exp(-age / (h (1 + ln(1 + touches)))): what is used often is forgotten more slowly (Ebbinghaus, "Memory", 1885).
    Ebbinghaus,
}

impl DecayModel {
    const ALL: [Self; 4] = [Self::Exponential, Self::Linear, Self::Step, Self::Ebbinghaus];

    /// Its name in requests.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Exponential => "exponential",
            Self::Linear => "linear",
            Self::Step => "step",
            Self::Ebbinghaus => "ebbinghaus",
        }
    }

    /// The model of this name.
    ///
    /// # Errors
    /// `invalid_parameter`.
    pub fn parse(name: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|model| model.name() == name)
            .ok_or_else(|| Error::parameter("decay", name, "exponential, linear, step or ebbinghaus"))
    }

    fn tag(self) -> u8 {
        match self {
            Self::Exponential => 1,
            Self::Linear => 2,
            Self::Step => 3,
            Self::Ebbinghaus => 4,
        }
    }

    /// The share of a score that is left. `age` and `half_life` in one unit, the latter above 0.
    ///
    /// # Examples
    /// ```
    /// use kithdb::collection::DecayModel;
    ///
    /// assert_eq!(DecayModel::Exponential.factor(14.0, 7.0, 0), 0.25);
    /// assert_eq!(DecayModel::Linear.factor(3.5, 7.0, 0), 0.5);
    /// assert_eq!(DecayModel::Step.factor(6.9, 7.0, 0), 1.0);
    /// assert!(DecayModel::Ebbinghaus.factor(7.0, 7.0, 9) > DecayModel::Ebbinghaus.factor(7.0, 7.0, 0));
    /// ```
    #[must_use]
    pub fn factor(self, age: f64, half_life: f64, touches: u32) -> f64 {
        let halves = age / half_life;
        match self {
            Self::Exponential => libm::exp2(-halves),
            Self::Linear => (1.0 - halves).max(0.0),
            Self::Step => f64::from(u8::from(halves < 1.0)),
            Self::Ebbinghaus => libm::exp(-halves / (1.0 + libm::log(1.0 + f64::from(touches)))),
        }
    }
}

/// Which decay a search is ranked by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Aging {
    /// That of the collection, if it has one, where something scores and nothing is sorted.
    #[default]
    Collection,
    /// None, whatever the collection has.
    Never,
    /// This one.
    By(Decay),
}

impl Aging {
    /// The decay that the request itself names.
    #[must_use]
    pub fn named(&self) -> Option<&Decay> {
        match self {
            Self::By(decay) => Some(decay),
            Self::Collection | Self::Never => None,
        }
    }
}

/// What is old counts less.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decay {
    /// How scores fall.
    pub model: DecayModel,
    /// Nanoseconds; 0 for no decay.
    pub half_life: i64,
    /// Half-lives by the text of a field, instead; nanoseconds, 0 for no decay.
    pub layers: Option<DecayLayers>,
    /// The field with a document's time: RFC 3339, or seconds since 1970 UTC. `None`, or where it holds neither: when the
    /// version was stored.
    pub time_field: Option<String>,
    /// The field that is `true` for documents that keep their score.
    pub pinned_field: Option<String>,
}

/// Half-lives by the text of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecayLayers {
    /// The field.
    pub field: String,
    /// Nanoseconds by text; 0 for no decay. Other texts have the half-life of all.
    pub half_lives: SortedMap<String, i64>,
}

impl DecayLayers {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let offset = r.offset();
        let refuse = |expected| DecodeError { offset, expected };
        let field = r.str()?.to_owned();
        let count = r.count(9)?;
        if count > DECAY_LAYERS_MAX {
            return Err(refuse("layers within limits"));
        }
        let mut half_lives = SortedMap::new();
        for _ in 0..count {
            let layer = r.str()?.to_owned();
            if half_lives.last().is_some_and(|(last, _)| *last >= layer) {
                return Err(refuse("layers in ascending order"));
            }
            half_lives.insert(layer, r.i64()?);
        }
        Ok(Self { field, half_lives })
    }
}

/// What time took from a score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DecayExplanation {
    /// The share that was left.
    pub factor: f64,
    /// What the age was counted from: ns since 1970 UTC.
    pub since: i64,
    /// How often the document was touched.
    pub touches: u32,
}

impl Decay {
    pub(super) fn check(&self) -> Result<()> {
        let layers = self.layers.iter().flat_map(|layers| layers.half_lives.values());
        if let Some(below) = std::iter::once(&self.half_life).chain(layers).find(|life| **life < 0) {
            return Err(Error::parameter("decay", below, "a half-life of at least 0"));
        }
        if let Some(layers) = &self.layers {
            if layers.half_lives.len() > DECAY_LAYERS_MAX {
                let expected = format!("at most {DECAY_LAYERS_MAX} layers");
                return Err(Error::parameter("decay", layers.half_lives.len(), expected));
            }
            if let Some(long) = layers.half_lives.keys().find(|layer| layer.len() > FIELD_PATH_BYTES_MAX) {
                let expected = format!("layers of up to {FIELD_PATH_BYTES_MAX} bytes");
                return Err(Error::parameter("decay", crate::base::ids::shorten(long), expected));
            }
        }
        let layer_field = self.layers.as_ref().map(|layers| &layers.field);
        let fields = [self.time_field.as_ref(), self.pinned_field.as_ref(), layer_field];
        fields.into_iter().flatten().try_for_each(|field| {
            if field.is_empty() {
                return Err(Error::parameter("decay", "an empty field", "the path of a field"));
            }
            check_path("decay", field)
        })
    }

    /// Appends its bytes (docs/FORMAT.md, "Config").
    pub(super) fn encode(&self, w: &mut Writer) {
        let Self { model, half_life, layers, time_field, pinned_field } = self;
        w.u8(model.tag());
        w.i64(*half_life);
        let there = [layers.is_some(), time_field.is_some(), pinned_field.is_some()];
        w.u8((0..3).map(|i| u8::from(there[i]) << i).sum());
        if let Some(DecayLayers { field, half_lives }) = layers {
            w.str(field);
            w.varint(half_lives.len() as u64);
            for (layer, half_life) in half_lives {
                w.str(layer);
                w.i64(*half_life);
            }
        }
        [time_field, pinned_field].into_iter().flatten().for_each(|field| w.str(field));
    }

    /// Reads what [`Decay::encode`] wrote.
    ///
    /// # Errors
    /// When the bytes are not those of a decay.
    pub(super) fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let offset = r.offset();
        let refuse = |expected| DecodeError { offset, expected };
        let tag = r.u8()?;
        let model = DecayModel::ALL.into_iter().find(|model| model.tag() == tag);
        let model = model.ok_or_else(|| refuse("a model of decay"))?;
        let half_life = r.i64()?;
        let there = r.u8()?;
        if there > 7 {
            return Err(refuse("parts of a decay"));
        }
        let layers = if there & 1 == 0 { None } else { Some(DecayLayers::decode(r)?) };
        let mut field =
            |bit| if there & bit == 0 { Ok(None) } else { r.str().map(|field| Some(field.to_owned())) };
        let decay = Self { model, half_life, layers, time_field: field(2)?, pinned_field: field(4)? };
        decay.check().map_err(|_| refuse("a decay within limits"))?;
        Ok(decay)
    }

    /// The fields it reads.
    pub(super) fn paths(&self) -> impl Iterator<Item = &str> {
        let layers = self.layers.as_ref().map(|layers| &layers.field);
        [self.time_field.as_ref(), self.pinned_field.as_ref(), layers]
            .into_iter()
            .flatten()
            .map(String::as_str)
    }

    /// What time leaves of a document's score. `now` and `valid_from`: ns since 1970 UTC.
    pub(super) fn of(
        &self,
        metadata: &Object,
        valid_from: i64,
        touch: Option<Touch>,
        now: i64,
    ) -> DecayExplanation {
        // What was touched after the moment that is asked for was not by then.
        let touch = touch.filter(|touch| touch.last <= now);
        let stored =
            self.time_field.as_deref().and_then(|field| time_of(metadata, field)).unwrap_or(valid_from);
        let since = touch.map_or(stored, |touch| touch.last.max(stored));
        let touches = touch.map_or(0, |touch| touch.count);
        let is_pinned = self
            .pinned_field
            .as_deref()
            .is_some_and(|field| values_of(metadata, field).contains(&Value::Bool(true)));
        let half_life = self.half_life_of(metadata);
        let factor = if is_pinned || half_life == 0 {
            1.0
        } else {
            let age = (i128::from(now) - i128::from(since)).max(0);
            self.model.factor(age as f64, half_life as f64, touches)
        };
        DecayExplanation { factor, since, touches }
    }

    fn half_life_of(&self, metadata: &Object) -> i64 {
        let Some(layers) = &self.layers else { return self.half_life };
        let values = values_of(metadata, &layers.field);
        let of_layer = values.iter().filter_map(|value| layers.half_lives.get(value.as_str()?)).next();
        of_layer.copied().unwrap_or(self.half_life)
    }
}

impl DecayExplanation {
    /// The score that is left: one below 0 falls by as large a share of its size.
    pub(super) fn apply(self, score: f32) -> f32 {
        let score = f64::from(score);
        (score - score.abs() * (1.0 - self.factor)) as f32
    }
}

/// The time that stands in a field; the latest of several.
fn time_of(metadata: &Object, field: &str) -> Option<i64> {
    let ns = |value: &Value| match value {
        Value::Int(seconds) => seconds.checked_mul(1_000_000_000),
        Value::Float(seconds) if seconds.abs() < 9e9 => Some((seconds * 1e9) as i64),
        // Digits alone would be nanoseconds.
        Value::Str(text) if text.contains('-') => parse_time("decay", text).ok(),
        _ => None,
    };
    values_of(metadata, field).iter().filter_map(ns).max()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::value::parse_object;

    const DAY: i64 = 86_400_000_000_000;

    fn decay() -> Decay {
        Decay {
            model: DecayModel::Exponential,
            half_life: DAY,
            layers: Some(DecayLayers {
                field: "layer".into(),
                half_lives: SortedMap::from([("long".into(), 2 * DAY), ("for ever".into(), 0)]),
            }),
            time_field: Some("at".into()),
            pinned_field: Some("pinned".into()),
        }
    }

    #[test]
    fn age_is_counted_from_the_latest_use_and_pins_and_layers_hold_it_up() {
        let now = 10 * DAY;
        let of = |json: &str, touch| decay().of(&parse_object(json).expect("an object"), 8 * DAY, touch, now);
        assert_eq!(of("{}", None), DecayExplanation { factor: 0.25, since: 8 * DAY, touches: 0 });
        assert_eq!(of(r#"{"at": 777600}"#, None).factor, 0.5);
        assert_eq!(of(r#"{"at": "1970-01-10T00:00:00Z"}"#, None).factor, 0.5);
        assert_eq!(of(r#"{"at": "once"}"#, None).factor, 0.25);
        assert_eq!(of("{}", Some(Touch { count: 3, last: 10 * DAY })).factor, 1.0);
        assert_eq!(of("{}", Some(Touch { count: 3, last: 11 * DAY })).touches, 0);
        assert_eq!(of(r#"{"pinned": true}"#, None).factor, 1.0);
        assert_eq!(of(r#"{"layer": "long"}"#, None).factor, 0.5);
        assert_eq!(of(r#"{"layer": "for ever"}"#, None).factor, 1.0);
        assert_eq!(of(r#"{"layer": "other"}"#, None).factor, 0.25);
        assert_eq!(of(r#"{"at": 9999999}"#, None).factor, 1.0, "what is to come is new");
    }

    #[test]
    fn a_score_below_zero_falls_too() {
        let half = DecayExplanation { factor: 0.5, since: 0, touches: 0 };
        assert_eq!((half.apply(2.0), half.apply(-2.0)), (1.0, -3.0));
    }
}
