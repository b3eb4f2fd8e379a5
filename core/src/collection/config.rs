//! What a collection is: decided when it is made, stored in every manifest. Only its [`Settings`] can be changed later.

use crate::base::limits::{DIM_MAX, EF_CONSTRUCTION_MAX};
use crate::base::{DecodeError, Error, Reader, Result, Writer};
use crate::text::TextSpec;
use crate::vectors::{Coding, Metric, Stored};

use super::auto_links::{self, AutoLink};
use super::decay::Decay;
use super::write::Counters;

/// Which embedder makes the vectors of a collection; core stores its name and hash, never the model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmbedderRef {
    /// Its name.
    pub name: String,
    /// Hash of its table and tokenizer.
    pub hash: u64,
}

/// How long versions that have ended stay readable. Time is that of the collection: its last write is its now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum History {
    /// Not at all: the next seal or merge drops them.
    #[default]
    None,
    /// So many nanoseconds, more than 0.
    For(i64),
    /// For ever.
    Forever,
}

impl History {
    /// The earliest moment that stays readable when the last write was at `last_time`.
    #[must_use]
    pub fn horizon(self, last_time: i64) -> i64 {
        match self {
            Self::None => last_time,
            Self::For(time) => last_time.saturating_sub(time),
            Self::Forever => i64::MIN,
        }
    }

    fn encoded(self) -> i64 {
        match self {
            Self::None => 0,
            Self::For(time) => time,
            Self::Forever => i64::MAX,
        }
    }

    fn decoded(time: i64) -> Option<Self> {
        match time {
            0 => Some(Self::None),
            i64::MAX => Some(Self::Forever),
            time if time > 0 => Some(Self::For(time)),
            _ => None,
        }
    }
}

/// When segments are written again for what has ended in them. The names are KektorDB's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Maintenance {
    /// The share, in millionths, of a segment's versions that have ended from which on it is written again without them.
    /// KektorDB's default of a tenth would copy nine versions for each that goes; a fifth copies four.
    pub delete_threshold: u32,
    /// So many nanoseconds are between two such writes at least; 0 for none by themselves.
    pub vacuum_interval: i64,
    /// Links that were built with a lower `ef_construction` are built anew with this one, in the background; 0 for never.
    pub refine_ef_construction: u32,
    /// So many nanoseconds are between two such jobs at least; 0 for none by themselves.
    pub refine_interval: i64,
    /// Versions of edges that ended longer ago than so many nanoseconds are dropped; 0 for never.
    pub graph_retention: i64,
    /// So many nanoseconds are between two jobs that drop them at least; 0 for none by themselves.
    pub graph_vacuum_interval: i64,
}

/// Millionths of a whole.
pub const WHOLE: u32 = 1_000_000;

impl Default for Maintenance {
    fn default() -> Self {
        Self {
            delete_threshold: WHOLE / 5,
            vacuum_interval: 60_000_000_000,
            refine_ef_construction: 0,
            refine_interval: 30 * 60_000_000_000,
            graph_retention: 0,
            graph_vacuum_interval: 60_000_000_000,
        }
    }
}

impl Maintenance {
    /// Refuses what cannot be done.
    ///
    /// # Errors
    /// `invalid_parameter`.
    pub fn check(self) -> Result<()> {
        if !(1..=WHOLE).contains(&self.delete_threshold) {
            let got = f64::from(self.delete_threshold) / f64::from(WHOLE);
            return Err(Error::parameter("delete_threshold", got, "a share above 0, up to 1"));
        }
        for (name, span) in [
            ("vacuum_interval", self.vacuum_interval),
            ("refine_interval", self.refine_interval),
            ("graph_retention", self.graph_retention),
            ("graph_vacuum_interval", self.graph_vacuum_interval),
        ] {
            if span < 0 {
                return Err(Error::parameter(name, span, "a duration, or 0 for never"));
            }
        }
        if self.refine_ef_construction > EF_CONSTRUCTION_MAX {
            let expected = format!("1 to {EF_CONSTRUCTION_MAX}, or 0 for never");
            return Err(Error::parameter("refine_ef_construction", self.refine_ef_construction, expected));
        }
        Ok(())
    }
}

/// What can be changed after a collection was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// When segments are written again.
    pub maintenance: Maintenance,
    /// What the index of a segment traverses. Segments that have other codes are encoded again one by one.
    pub codes: Coding,
    /// How edges are made of the metadata of what is written from then on.
    pub auto_links: Vec<AutoLink>,
    /// The graph before this moment cannot be read, however long versions are kept from now on: they may have been
    /// dropped under settings before these. The engine sets it.
    pub graph_known_from: i64,
    /// How searches rank over time that do not say so themselves.
    pub decay: Option<Decay>,
}

impl Default for Settings {
    fn default() -> Self {
        let (maintenance, codes, auto_links, decay) = Default::default();
        Self { maintenance, codes, auto_links, graph_known_from: i64::MIN, decay }
    }
}

/// Beside the tag of codes: rules of auto-links follow.
const HAS_AUTO_LINKS: u8 = 0x80;
/// Likewise: how long edges are kept follows, before those.
const HAS_RETENTION: u8 = 0x40;
/// Beside the tag of codes: a decay follows, behind the rules.
const HAS_DECAY: u8 = 0x10;

impl Settings {
    /// Refuses what cannot be done for this metric.
    ///
    /// # Errors
    /// `invalid_parameter`.
    pub fn check(&self, metric: Metric) -> Result<()> {
        self.maintenance.check()?;
        self.codes.check(metric)?;
        auto_links::check(&self.auto_links)?;
        self.decay.as_ref().map_or(Ok(()), Decay::check)
    }

    /// Appends its bytes (docs/FORMAT.md, "Manifests").
    pub fn encode(&self, w: &mut Writer) {
        let Maintenance {
            delete_threshold, vacuum_interval, refine_ef_construction, refine_interval, ..
        } = self.maintenance;
        w.u32(delete_threshold);
        w.i64(vacuum_interval);
        w.u32(refine_ef_construction);
        w.i64(refine_interval);
        let retention = Some(self.retention()).filter(|own| *own != Self::default().retention());
        let flag = |is_there: bool, flag| if is_there { flag } else { 0 };
        let flags = flag(retention.is_some(), HAS_RETENTION)
            | flag(!self.auto_links.is_empty(), HAS_AUTO_LINKS)
            | flag(self.decay.is_some(), HAS_DECAY);
        w.u8(self.codes.tag() | flags);
        retention.into_iter().flatten().for_each(|number| w.i64(number));
        if !self.auto_links.is_empty() {
            auto_links::encode(&self.auto_links, w);
        }
        self.decay.iter().for_each(|decay| decay.encode(w));
    }

    /// How long edges are kept, as it is stored.
    fn retention(&self) -> [i64; 3] {
        let Maintenance { graph_retention, graph_vacuum_interval, .. } = self.maintenance;
        [graph_retention, graph_vacuum_interval, self.graph_known_from]
    }

    /// Reads what [`Settings::encode`] wrote.
    ///
    /// # Errors
    /// When the bytes are not those of settings.
    pub fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let offset = r.offset();
        let maintenance = Maintenance {
            delete_threshold: r.u32()?,
            vacuum_interval: r.i64()?,
            refine_ef_construction: r.u32()?,
            refine_interval: r.i64()?,
            ..Maintenance::default()
        };
        let tag = r.u8()?;
        let codes = Coding::from_tag(tag & !(HAS_AUTO_LINKS | HAS_RETENTION | HAS_DECAY));
        let codes = codes.ok_or(DecodeError { offset, expected: "a kind of codes" })?;
        let mut settings = Self { maintenance, codes, ..Self::default() };
        if tag & HAS_RETENTION != 0 {
            settings.maintenance.graph_retention = r.i64()?;
            settings.maintenance.graph_vacuum_interval = r.i64()?;
            settings.graph_known_from = r.i64()?;
            if settings.retention() == Self::default().retention() {
                return Err(DecodeError { offset, expected: "a retention other than for ever" });
            }
        }
        let checked = settings.maintenance.check();
        checked.map_err(|_| DecodeError { offset, expected: "settings within limits" })?;
        if tag & HAS_AUTO_LINKS != 0 {
            settings.auto_links = auto_links::decode(r)?;
        }
        if tag & HAS_DECAY != 0 {
            settings.decay = Some(Decay::decode(r)?);
        }
        Ok(settings)
    }
}

/// What a collection is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CollectionConfig {
    /// How distances are measured.
    pub metric: Metric,
    /// Dimension of the vectors; `None` leaves it to the first vector.
    pub dim: Option<u32>,
    /// How the vectors that readers get back are kept.
    pub stored: Stored,
    /// Which strings are searched as text; `None` for none.
    pub text: Option<TextSpec>,
    /// What embeds texts that come without a vector.
    pub embedder: Option<EmbedderRef>,
    /// Neighbours a node of the index keeps in its upper layers; twice as many in its base layer.
    pub links_max: u32,
    /// How widely the index searches for neighbours while it is built.
    pub ef_construction: u32,
    /// How long versions that have ended stay readable.
    pub history: History,
    /// What can be changed later.
    pub settings: Settings,
}

impl Default for CollectionConfig {
    fn default() -> Self {
        Self {
            metric: Metric::Cosine,
            dim: None,
            stored: Stored::F32,
            text: None,
            embedder: None,
            links_max: 16,
            ef_construction: 200,
            history: History::None,
            settings: Settings::default(),
        }
    }
}

impl CollectionConfig {
    /// The earliest moment at which the graph can be read after writes that moved the counters so far: versions of edges
    /// that had ended by then may be dropped.
    #[must_use]
    pub fn edges_kept_from(&self, counters: &Counters) -> i64 {
        let Settings { maintenance: Maintenance { graph_retention, .. }, graph_known_from, .. } =
            self.settings;
        // As long as there was no edge, nothing can have been dropped.
        let is_kept = graph_retention == 0 || counters.next_relation == 0;
        let horizon = if is_kept { i64::MIN } else { counters.last_time.saturating_sub(graph_retention) };
        // No file can say that what is there now is not known.
        horizon.max(graph_known_from).min(counters.last_time)
    }

    /// Refuses what cannot be built.
    ///
    /// # Errors
    /// `invalid_parameter`.
    pub fn check(&self) -> Result<()> {
        if let Some(dim) = self.dim
            && !(1..=DIM_MAX as u32).contains(&dim)
        {
            return Err(Error::parameter("dim", dim, format!("1 to {DIM_MAX}")));
        }
        if !(2..=256).contains(&self.links_max) {
            return Err(Error::parameter("m", self.links_max, "2 to 256"));
        }
        if !(1..=EF_CONSTRUCTION_MAX).contains(&self.ef_construction) {
            let expected = format!("1 to {EF_CONSTRUCTION_MAX}");
            return Err(Error::parameter("ef_construction", self.ef_construction, expected));
        }
        if let History::For(time) = self.history
            && (time <= 0 || time == i64::MAX)
        {
            return Err(Error::parameter("history", time, "a duration above 0"));
        }
        self.text.as_ref().map_or(Ok(()), TextSpec::check)?;
        self.settings.check(self.metric)
    }

    /// Appends its bytes (docs/FORMAT.md, "Manifests").
    pub fn encode(&self, w: &mut Writer) {
        w.u8(self.metric.tag());
        w.u8(self.stored.tag());
        w.u32(self.dim.unwrap_or(0));
        w.u32(self.links_max);
        w.u32(self.ef_construction);
        w.i64(self.history.encoded());
        self.settings.encode(w);
        w.u8(u8::from(self.text.is_some()));
        self.text.iter().for_each(|text| text.encode(w));
        w.u8(u8::from(self.embedder.is_some()));
        if let Some(embedder) = &self.embedder {
            w.str(&embedder.name);
            w.u64(embedder.hash);
        }
    }

    /// Reads what [`CollectionConfig::encode`] wrote.
    ///
    /// # Errors
    /// When the bytes are not those of a config.
    pub fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let offset = r.offset();
        let metric = Metric::from_tag(r.u8()?).ok_or(DecodeError { offset, expected: "a metric" })?;
        let stored = Stored::from_tag(r.u8()?).ok_or(DecodeError { offset, expected: "a stored form" })?;
        let dim = Some(r.u32()?).filter(|dim| *dim > 0);
        let (links_max, ef_construction) = (r.u32()?, r.u32()?);
        let expected = "a retention of history";
        let history = History::decoded(r.i64()?).ok_or(DecodeError { offset, expected })?;
        let settings = Settings::decode(r)?;
        let flag = |r: &mut Reader<'_>| match r.u8()? {
            flag @ (0 | 1) => Ok(flag == 1),
            _ => Err(DecodeError { offset, expected: "0 or 1" }),
        };
        let text = if flag(r)? { Some(TextSpec::decode(r)?) } else { None };
        let embedder =
            if flag(r)? { Some(EmbedderRef { name: r.str()?.to_owned(), hash: r.u64()? }) } else { None };
        let config =
            Self { metric, dim, stored, text, embedder, links_max, ef_construction, history, settings };
        config.check().map_err(|_| DecodeError { offset, expected: "a config within limits" })?;
        Ok(config)
    }
}
