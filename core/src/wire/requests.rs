//! What is asked, from JSON.

use serde::Deserialize;
use serde::de::{Deserializer, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::base::ids::shorten;
use crate::base::limits::{BATCH_MAX, BULK_MAX, DIM_MAX, SCAN_MAX};
use crate::base::time::{parse_span, parse_time};
use crate::base::value::parse_object;
use crate::base::{Clock, Error, InputError, Object, Result, Seq, SortedMap};
use crate::collection::{
    CollectionConfig, Document, EmbedderRef, EstimateRequest, History, Maintenance, Settings, config::WHOLE,
};
use crate::storage::Level;
use crate::text::{Language, Scoring, TextFields, TextSpec};
use crate::vectors::{Coding, Metric, Stored};

use super::auto_links::AutoLinkBody;
use super::objects::Objects;
use super::{DecayChoiceBody, Packed, parse_cursor, up_to};

/// Reads a body. A list is no object in it.
///
/// # Errors
/// `invalid_request` when it is not JSON of this shape, with what was expected.
pub fn parse<'a, T: Deserialize<'a>>(json: &'a [u8]) -> Result<T> {
    let mut reading = serde_json::Deserializer::from_slice(json);
    let body = T::deserialize(Objects(&mut reading)).and_then(|body| reading.end().map(|()| body));
    body.map_err(|e| {
        let got = shorten(&String::from_utf8_lossy(json));
        InputError::Request { got, expected: e.to_string() }.into()
    })
}

/// How a collection is made.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CreateBody {
    /// `cosine` (default), `euclidean`, `dot`, `manhattan`.
    pub metric: Option<String>,
    /// Dimension of the vectors; left out, the first vector decides.
    pub dim: Option<u32>,
    /// Which strings are searched as text; left out, none.
    pub text: Option<TextBody>,
    /// True to embed texts that come without a vector.
    pub embedder: Option<EmbedderBody>,
    /// Neighbours a node of the index keeps.
    pub m: Option<u32>,
    /// How widely the index searches while it is built.
    pub ef_construction: Option<u32>,
    /// How long versions that were replaced or deleted stay readable: `none` (default), `forever`, or a duration such as
    /// `30d`.
    pub history: Option<String>,
    /// When segments are written again.
    pub maintenance: MaintenanceBody,
    /// How the vectors that readers get back are kept: `f32` (default), `f16` or `int8`.
    pub stored: Option<String>,
    /// What the index traverses: `int8` (default), `bits`, `pq` or `opq`.
    pub codes: Option<String>,
    /// Rules that link documents by their metadata; left out, none.
    pub auto_links: Option<Vec<AutoLinkBody>>,
    /// How searches rank over time that do not say so themselves; left out, not at all.
    pub decay: Option<DecayChoiceBody>,
}

/// How a collection is maintained; what is left out stays as it is.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MaintenanceBody {
    /// The share of a segment's versions that have ended from which on it is written again without them: 0.2 by default,
    /// 1 for never.
    pub delete_threshold: Option<f64>,
    /// So much time is between two such writes at least: `1m` by default, `0s` for none by themselves.
    pub vacuum_interval: Option<String>,
    /// Links that were built with a lower `ef_construction` are built anew with this one, in the background: 0, the
    /// default, for never.
    pub refine_ef_construction: Option<u32>,
    /// So much time is between two such jobs at least: `30m` by default, `0s` for none by themselves.
    pub refine_interval: Option<String>,
    /// Versions of edges that ended longer ago are dropped: `0s`, the default, for never.
    pub graph_retention: Option<String>,
    /// So much time is between two jobs that drop them at least: `1m` by default, `0s` for none by themselves.
    pub graph_vacuum_interval: Option<String>,
}

impl MaintenanceBody {
    /// Settings with these changes.
    ///
    /// # Errors
    /// `invalid_parameter`.
    pub fn change(&self, mut settings: Maintenance) -> Result<Maintenance> {
        if let Some(share) = self.delete_threshold {
            // At most a millionth off; what is out of range stays so.
            settings.delete_threshold =
                (share * f64::from(WHOLE)).round().clamp(0.0, f64::from(u32::MAX)) as u32;
        }
        let interval = |name, text: Option<&str>, before| match text {
            None => Ok(before),
            Some("0" | "0s") => Ok(0),
            Some(span) => parse_span(name, span),
        };
        settings.vacuum_interval =
            interval("vacuum_interval", self.vacuum_interval.as_deref(), settings.vacuum_interval)?;
        settings.refine_interval =
            interval("refine_interval", self.refine_interval.as_deref(), settings.refine_interval)?;
        settings.graph_retention =
            interval("graph_retention", self.graph_retention.as_deref(), settings.graph_retention)?;
        settings.graph_vacuum_interval = interval(
            "graph_vacuum_interval",
            self.graph_vacuum_interval.as_deref(),
            settings.graph_vacuum_interval,
        )?;
        settings.refine_ef_construction =
            self.refine_ef_construction.unwrap_or(settings.refine_ef_construction);
        settings.check()?;
        Ok(settings)
    }
}

/// What of a collection is to be changed.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ConfigureBody {
    /// When segments are written again.
    pub maintenance: MaintenanceBody,
    /// What the index traverses: `int8`, `bits`, `pq` or `opq`; left out, what it was.
    pub codes: Option<String>,
    /// Rules that link documents by their metadata, in place of those before; left out, those.
    pub auto_links: Option<Vec<AutoLinkBody>>,
    /// How searches rank over time that do not say so themselves, or `none`; left out, as they did.
    pub decay: Option<DecayChoiceBody>,
    /// A [`Level`] by name; left out, the database's.
    pub durability: Option<String>,
}

impl ConfigureBody {
    /// Settings with these changes.
    ///
    /// # Errors
    /// `invalid_parameter`.
    pub fn change(&self, settings: Settings) -> Result<Settings> {
        let (codes, auto_links) = (self.codes.as_deref(), self.auto_links.as_deref());
        change(settings, &self.maintenance, codes, auto_links, self.decay.as_ref())
    }

    /// What the write waits for.
    ///
    /// # Errors
    /// `invalid_parameter` for another level.
    pub fn level(&self) -> Result<Option<Level>> {
        self.durability.as_deref().map(parse_level).transpose()
    }
}

fn change(
    mut settings: Settings,
    maintenance: &MaintenanceBody,
    codes: Option<&str>,
    auto_links: Option<&[AutoLinkBody]>,
    decay: Option<&DecayChoiceBody>,
) -> Result<Settings> {
    settings.maintenance = maintenance.change(settings.maintenance)?;
    settings.codes = codes.map_or(Ok(settings.codes), Coding::parse)?;
    if let Some(rules) = auto_links {
        settings.auto_links = rules.iter().map(AutoLinkBody::rule).collect();
    }
    if let Some(choice) = decay {
        settings.decay = choice.clone().decay()?;
    }
    Ok(settings)
}

/// How a sample is taken for an estimate.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EstimateBody {
    /// Vectors that are looked at: 10,000 by default.
    pub sample: Option<usize>,
    /// Of these, how many are searched for: 100 by default.
    pub queries: Option<usize>,
    /// How many neighbours of each are compared: 10 by default.
    pub k: Option<usize>,
}

impl EstimateBody {
    /// As the core's request.
    #[must_use]
    pub fn request(&self) -> EstimateRequest {
        let defaults = EstimateRequest::default();
        EstimateRequest {
            sample: self.sample.unwrap_or(defaults.sample),
            queries: self.queries.unwrap_or(defaults.queries),
            k: self.k.unwrap_or(defaults.k),
        }
    }
}

/// The text of a collection.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TextBody {
    /// How words are taken: `english` by default; docs/LANGUAGES.md lists the others.
    pub language: Option<String>,
    /// Which strings: a list of paths, `top_level` (default) or `all`.
    pub fields: Option<FieldsBody>,
    /// Fields in another language, by path.
    pub languages: SortedMap<String, String>,
    /// How long a repeated word goes on counting, 0 to 100: 1.2 by default.
    pub k1: Option<f64>,
    /// How much the length of a field counts, 0 to 1: 0.75 by default.
    pub b: Option<f64>,
    /// How much a field counts, by path: above 0, up to 1000, 1 by default.
    pub weights: SortedMap<String, f64>,
}

/// A choice of text fields.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum FieldsBody {
    /// `top_level` or `all`.
    Choice(String),
    /// Paths.
    Named(Vec<String>),
}

/// The embedder of a collection.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum EmbedderBody {
    /// True for the one the database was opened with.
    Default(bool),
    /// By name, which must be that one's.
    Named(String),
}

impl CreateBody {
    /// As the core's config. `embedder`: name and hash of the one that is there.
    ///
    /// # Errors
    /// `invalid_parameter`; `no_embedder` when one is asked for that is not there.
    pub fn config(&self, name: &str, embedder: Option<EmbedderRef>) -> Result<CollectionConfig> {
        let defaults = CollectionConfig::default();
        let missing = || Error::from(crate::base::StateError::NoEmbedder { collection: name.to_owned() });
        let embedder = match &self.embedder {
            None | Some(EmbedderBody::Default(false)) => None,
            Some(EmbedderBody::Default(true)) => Some(embedder.ok_or_else(missing)?),
            Some(EmbedderBody::Named(wanted)) => {
                Some(embedder.filter(|there| there.name == *wanted).ok_or_else(missing)?)
            }
        };
        let text = self.text.as_ref().map(TextBody::spec).transpose()?;
        if embedder.is_some() && text.is_none() {
            return Err(Error::parameter("embedder", "no text", "a collection with text"));
        }
        let config = CollectionConfig {
            metric: self.metric.as_deref().map_or(Ok(defaults.metric), Metric::parse)?,
            dim: self.dim,
            stored: self.stored.as_deref().map_or(Ok(defaults.stored), Stored::parse)?,
            text,
            embedder,
            links_max: self.m.unwrap_or(defaults.links_max),
            ef_construction: self.ef_construction.unwrap_or(defaults.ef_construction),
            history: self.history.as_deref().map_or(Ok(defaults.history), parse_history)?,
            settings: change(
                defaults.settings,
                &self.maintenance,
                self.codes.as_deref(),
                self.auto_links.as_deref(),
                self.decay.as_ref(),
            )?,
        };
        config.check()?;
        Ok(config)
    }
}

/// How long history is kept, from its name or a duration.
fn parse_history(text: &str) -> Result<History> {
    match text {
        "none" => Ok(History::None),
        "forever" => Ok(History::Forever),
        span => parse_span("history", span)
            .map(History::For)
            .map_err(|_| Error::parameter("history", shorten(text), "none, forever or a duration like 30d")),
    }
}

/// A moment as JSON gives it: text, or nanoseconds since 1970 UTC as an integer.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum TimeBody {
    /// Nanoseconds since 1970 UTC.
    Ns(i64),
    /// RFC 3339, or nanoseconds in decimal.
    Text(String),
}

impl TimeBody {
    /// Nanoseconds since 1970 UTC.
    ///
    /// # Errors
    /// `invalid_parameter` of this name.
    pub fn ns(&self, name: &'static str) -> Result<i64> {
        match self {
            Self::Ns(ns) => Ok(*ns),
            Self::Text(text) => parse_time(name, text),
        }
    }
}

/// The moment that a reader asks for; `None` for now.
///
/// # Errors
/// `invalid_parameter`.
pub fn as_of(body: Option<&TimeBody>) -> Result<Option<i64>> {
    body.map(|time| time.ns("as_of")).transpose()
}

impl TextBody {
    fn spec(&self) -> Result<TextSpec> {
        let parse = |parameter, name: &str| {
            Language::parse(name).ok_or_else(|| Error::parameter(parameter, shorten(name), Language::NAMES))
        };
        let language =
            self.language.as_deref().map_or(Ok(Language::English), |name| parse("language", name))?;
        let languages =
            self.languages.iter().map(|(path, name)| Ok((path.clone(), parse("languages", name)?)));
        let languages = languages.collect::<Result<_>>()?;
        let fields = match &self.fields {
            None => TextFields::TopLevel,
            Some(FieldsBody::Named(names)) => TextFields::Named(names.clone()),
            Some(FieldsBody::Choice(choice)) => match choice.as_str() {
                "top_level" => TextFields::TopLevel,
                "all" => TextFields::All,
                other => return Err(Error::parameter("fields", other, "top_level, all or a list of paths")),
            },
        };
        let defaults = Scoring::default();
        let scoring = Scoring {
            k1: self.k1.unwrap_or(defaults.k1),
            b: self.b.unwrap_or(defaults.b),
            weights: self.weights.clone(),
        };
        Ok(TextSpec { language, fields, languages, scoring })
    }
}

/// A document to be stored.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DocumentBody<'a> {
    /// The user's id.
    pub id: String,
    /// Its vector.
    #[serde(default, deserialize_with = "components")]
    pub vector: Option<Vec<f32>>,
    /// Its metadata.
    #[serde(default, borrow)]
    pub metadata: Option<&'a RawValue>,
    /// As [`LifeBody::expires_at`].
    #[serde(default)]
    pub expires_at: Option<TimeBody>,
    /// As [`LifeBody::ttl`].
    #[serde(default)]
    pub ttl: Option<String>,
}

/// How long a document is to live.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LifeBody {
    /// When it goes by itself.
    pub expires_at: Option<TimeBody>,
    /// After which time it goes by itself, such as `1h`; instead of `expires_at`.
    pub ttl: Option<String>,
}

impl LifeBody {
    /// When the document goes by itself; `clock` is what a `ttl` counts from.
    ///
    /// # Errors
    /// `invalid_parameter` for a time that cannot be.
    pub fn end(self, clock: &dyn Clock) -> Result<Option<i64>> {
        match (self.expires_at, self.ttl) {
            (Some(_), Some(_)) => Err(Error::parameter("ttl", "both", "either ttl or expires_at")),
            (Some(time), None) => time.ns("expires_at").map(Some),
            (None, Some(span)) => Ok(Some(clock.now_ns().saturating_add(parse_span("ttl", &span)?))),
            (None, None) => Ok(None),
        }
    }
}

impl DocumentBody<'_> {
    /// As the core's document; `clock` is what a `ttl` counts from.
    ///
    /// # Errors
    /// `invalid_metadata`; `invalid_parameter` for a time that cannot be.
    pub fn document(self, clock: &dyn Clock) -> Result<Document> {
        let metadata = parse_metadata(self.metadata.map(RawValue::get))?;
        let expires_at = LifeBody { expires_at: self.expires_at, ttl: self.ttl }.end(clock)?;
        Ok(Document { id: self.id, vector: self.vector, metadata, expires_at })
    }
}

/// A document to be stored under an id that is told elsewhere.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PutBody<'a> {
    /// Its vector.
    #[serde(deserialize_with = "components")]
    pub vector: Option<Vec<f32>>,
    /// Its metadata.
    #[serde(borrow)]
    pub metadata: Option<&'a RawValue>,
    /// As [`LifeBody::expires_at`].
    pub expires_at: Option<TimeBody>,
    /// As [`LifeBody::ttl`].
    pub ttl: Option<String>,
    /// A [`Level`] by name; left out, the database's.
    pub durability: Option<String>,
}

impl PutBody<'_> {
    /// What the write waits for.
    ///
    /// # Errors
    /// `invalid_parameter` for another level.
    pub fn level(&self) -> Result<Option<Level>> {
        self.durability.as_deref().map(parse_level).transpose()
    }

    /// As the core's document; `clock` is what a `ttl` counts from.
    ///
    /// # Errors
    /// As [`DocumentBody::document`].
    pub fn document(self, id: String, clock: &dyn Clock) -> Result<Document> {
        let Self { vector, metadata, expires_at, ttl, durability: _ } = self;
        DocumentBody { id, vector, metadata, expires_at, ttl }.document(clock)
    }
}

/// Metadata from JSON; none is an empty object.
///
/// # Errors
/// `invalid_metadata`.
pub fn parse_metadata(json: Option<&str>) -> Result<Object> {
    match json {
        None | Some("null") => Ok(Object::new()),
        Some(json) => parse_object(json),
    }
}

/// Numbers are read exactly as f64 and then rounded to f32, as JavaScript does; one too large becomes an infinity,
/// which the core refuses by name.
pub(super) fn components<'de, D: Deserializer<'de>>(d: D) -> Result<Option<Vec<f32>>, D::Error> {
    struct Components;
    impl<'de> Visitor<'de> for Components {
        type Value = Option<Vec<f32>>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a list of numbers")
        }

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
            let mut vector = Vec::with_capacity(seq.size_hint().unwrap_or(0).min(DIM_MAX));
            while let Some(x) = seq.next_element::<f64>()? {
                vector.push(x as f32);
            }
            Ok(Some(vector))
        }
    }
    d.deserialize_any(Components)
}

/// A document id from a string of JavaScript, which may hold half a character.
///
/// # Errors
/// `invalid_id`.
pub fn parse_id(units: &[u16]) -> Result<String> {
    String::from_utf16(units).map_err(|_| {
        let got = shorten(&String::from_utf16_lossy(units));
        InputError::Id { got, expected: "text without lone surrogates".into() }.into()
    })
}

/// How a write is done.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WriteBody {
    /// What it waits for: a [`Level`] by name; left out, what the database was opened with.
    pub durability: Option<String>,
    /// True to store documents as a segment, not through the log: for many at once. Durable when it is answered.
    pub bulk: bool,
}

impl WriteBody {
    /// As the core's level.
    ///
    /// # Errors
    /// `invalid_parameter`.
    pub fn level(&self) -> Result<Option<Level>> {
        self.durability.as_deref().map(parse_level).transpose()
    }
}

/// A value for a key.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeySetBody {
    /// The value.
    pub value: String,
    /// A [`Level`] by name; left out, the database's.
    #[serde(default)]
    pub durability: Option<String>,
}

impl KeySetBody {
    /// The level, when one was given.
    ///
    /// # Errors
    /// `invalid_parameter`.
    pub fn level(&self) -> Result<Option<Level>> {
        self.durability.as_deref().map(parse_level).transpose()
    }
}

/// Which page of keys.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct KeysBody {
    /// What the keys begin with; left out, all do.
    pub prefix: String,
    /// The `next` of an earlier page.
    pub cursor: Option<String>,
    /// How many keys; default 100.
    pub limit: Option<usize>,
}

impl KeysBody {
    /// How many keys.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.limit.unwrap_or(SCAN_DEFAULT)
    }
}

/// A level of durability from its name.
///
/// # Errors
/// `invalid_parameter`.
pub fn parse_level(name: &str) -> Result<Level> {
    let known = "memory, os, everysec or always";
    Level::parse(name).ok_or_else(|| Error::parameter("durability", shorten(name), known))
}

/// How a database is opened by the process that asks for it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OpenBody {
    /// Its directory; left out, it lives in memory.
    pub path: Option<String>,
    /// What a write waits for unless it says otherwise: `memory`, `os`, `everysec` (default) or `always`.
    pub durability: Option<String>,
    /// The directory of the embedder.
    pub embedder: Option<String>,
    /// Threads for building; left out, as many as there are cores.
    pub threads: Option<usize>,
    /// About how many bytes of memory documents that are not sealed, and jobs, take at most; left out, half of what there
    /// is.
    pub memory_max: Option<u64>,
    /// True to read only, beside others who do.
    pub read_only: bool,
}

/// A page of a scan.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ScanBody {
    /// How many documents; default 100.
    pub limit: Option<usize>,
    /// The `next` of an earlier page.
    pub cursor: Option<String>,
    /// Documents as they were then; left out, as they are now.
    pub as_of: Option<TimeBody>,
}

impl ScanBody {
    /// The place to go on from, how many documents, and as of which moment.
    ///
    /// # Errors
    /// `invalid_parameter`.
    pub fn page(&self) -> Result<(Option<Seq>, usize, Option<i64>)> {
        let cursor = self.cursor.as_deref().map(parse_cursor).transpose()?;
        Ok((cursor, self.limit.unwrap_or(SCAN_DEFAULT), as_of(self.as_of.as_ref())?))
    }
}

/// Documents of a page when nobody says how many.
const SCAN_DEFAULT: usize = 100;

/// Documents to be stored.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddBody<'a> {
    /// The documents.
    #[serde(borrow, deserialize_with = "up_to::<BULK_MAX, _, _>")]
    pub documents: Vec<DocumentBody<'a>>,
    /// `upsert` (default) or `insert`.
    #[serde(default)]
    pub mode: Option<String>,
    /// A [`Level`] by name; left out, the database's.
    #[serde(default)]
    pub durability: Option<String>,
    /// As [`WriteBody::bulk`].
    #[serde(default)]
    pub bulk: bool,
}

impl AddBody<'_> {
    /// Whether ids that are there already are replaced.
    ///
    /// # Errors
    /// `invalid_parameter` for another mode.
    pub fn replaces(&self) -> Result<bool> {
        match self.mode.as_deref() {
            None | Some("upsert") => Ok(true),
            Some("insert") => Ok(false),
            Some(other) => Err(Error::parameter("mode", shorten(other), "upsert or insert")),
        }
    }

    /// What the write waits for.
    ///
    /// # Errors
    /// `invalid_parameter` for another level.
    pub fn level(&self) -> Result<Option<Level>> {
        self.durability.as_deref().map(parse_level).transpose()
    }

    /// Gives the documents the vectors that came beside them.
    ///
    /// # Errors
    /// `invalid_request` when there is not one for each, or a document has one already; `too_large`.
    pub fn attach(&mut self, packed: Packed<'_>) -> Result<()> {
        if self.documents.len() > BULK_MAX {
            let (got, limit) = (self.documents.len() as u64, BULK_MAX as u64);
            return Err(InputError::TooLarge { what: "a batch", got, limit }.into());
        }
        let vectors = packed.vectors_of(self.documents.len())?;
        for (document, vector) in self.documents.iter_mut().zip(vectors) {
            if document.vector.is_some() {
                let expected = "packed vectors or those in the documents".to_owned();
                return Err(InputError::Request { got: "both".into(), expected }.into());
            }
            document.vector = vector;
        }
        Ok(())
    }

    /// As the core's documents; `clock` is what a `ttl` counts from.
    ///
    /// # Errors
    /// As [`DocumentBody::document`].
    pub fn documents(self, clock: &dyn Clock) -> Result<Vec<Document>> {
        self.documents.into_iter().map(|document| document.document(clock)).collect()
    }
}

/// Ids of documents.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdsBody {
    /// The ids.
    #[serde(deserialize_with = "up_to::<SCAN_MAX, _, _>")]
    pub ids: Vec<String>,
}

/// Documents to be deleted or touched.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangeBody {
    /// Their ids.
    #[serde(deserialize_with = "up_to::<BATCH_MAX, _, _>")]
    pub ids: Vec<String>,
    /// A [`Level`] by name; left out, the database's.
    #[serde(default)]
    pub durability: Option<String>,
}

impl ChangeBody {
    /// The level, when one was given.
    ///
    /// # Errors
    /// `invalid_parameter`.
    pub fn level(&self) -> Result<Option<Level>> {
        self.durability.as_deref().map(parse_level).transpose()
    }
}

/// Documents to be read.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GetBody {
    /// Their ids.
    #[serde(deserialize_with = "up_to::<SCAN_MAX, _, _>")]
    pub ids: Vec<String>,
    /// As they were then; left out, as they are now.
    #[serde(default)]
    pub as_of: Option<TimeBody>,
}

/// How documents are read.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReadBody {
    /// As they were then; left out, as they are now.
    pub as_of: Option<TimeBody>,
}

/// A collection to be made: its name, and beside it what [`CreateBody`] has.
#[derive(Debug, Clone)]
pub struct NamedCreateBody {
    /// Its name.
    pub name: String,
    /// How it is made.
    pub create: CreateBody,
}

impl NamedCreateBody {
    /// Reads a body. (By hand: serde can flatten a shape or refuse unknown fields, not both.)
    ///
    /// # Errors
    /// `invalid_request`.
    pub fn parse(json: &[u8]) -> Result<Self> {
        let refuse = |expected: String| {
            let got = shorten(&String::from_utf8_lossy(json));
            Error::from(InputError::Request { got, expected })
        };
        let mut fields: serde_json::Map<String, serde_json::Value> = parse(json)?;
        let Some(serde_json::Value::String(name)) = fields.remove("name") else {
            return Err(refuse("missing field `name`, a string".into()));
        };
        let create = CreateBody::deserialize(serde_json::Value::Object(fields));
        Ok(Self { name, create: create.map_err(|e| refuse(e.to_string()))? })
    }
}
