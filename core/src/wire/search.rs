//! What a search asks for, from JSON.

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, Visitor};

use crate::base::ids::shorten;
use crate::base::limits::{FACETS_MAX, SEARCHES_MAX, SORT_KEYS_MAX};
use crate::base::time::parse_span;
use crate::base::{Error, InputError, Result, SortedMap, Value};
use crate::collection::{
    Aging, Decay, DecayLayers, DecayModel, Expansion, Facet, Fusion, GraphFilter, GroupBy, Highlight,
    SearchRequest, SortKey, Ways, facets::FACET_VALUES,
};
use crate::meta::ValueRange;

use super::requests::{TimeBody, as_of, components};
use super::{FilterBody, Packed, up_to};

/// A search.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SearchBody {
    /// The vector part.
    #[serde(deserialize_with = "components")]
    pub vector: Option<Vec<f32>>,
    /// The words part, and the vector part when the collection has an embedder.
    pub text: Option<String>,
    /// Take the text as it stands, without signs, fields and quotes.
    pub plain: Option<bool>,
    /// Look for words with a typo, too.
    pub fuzzy: Option<bool>,
    /// True to show where the words stand: a passage of each text; or which passages.
    pub highlight: Option<HighlightBody>,
    /// What was there then; left out, what is there now.
    pub as_of: Option<TimeBody>,
    /// What may be found.
    pub filter: Option<FilterBody>,
    /// How many results; default 10.
    pub k: Option<u64>,
    /// How many of the best to leave out.
    pub offset: Option<u64>,
    /// How many of the best of each list are fused, grouped, sorted or expanded; default 200, or as many as results are wanted, ten
    /// times as many with `group_by`. Words or a filter alone are sorted whole, and so are their groups.
    pub candidates: Option<u64>,
    /// Leave out what scores less.
    pub min_score: Option<f32>,
    /// What is old counts less; left out, as the collection says.
    pub decay: Option<DecayChoiceBody>,
    /// At most a few results of each value of a field.
    pub group_by: Option<GroupByBody>,
    /// The order of the results; left out, the best first.
    #[serde(deserialize_with = "up_to::<SORT_KEYS_MAX, _, _>")]
    pub sort: Vec<SortBody>,
    /// Fields whose values are counted in all that can be found.
    #[serde(deserialize_with = "up_to::<FACETS_MAX, _, _>")]
    pub facets: Vec<FacetBody>,
    /// How widely an index searches.
    pub ef: Option<u64>,
    /// Share of the vector part, 0 to 1; default 0.5.
    pub alpha: Option<f32>,
    /// Fuse by reciprocal rank with this k instead of by `alpha`.
    pub rrf_k: Option<u32>,
    /// How many candidates of an index are compared with their stored vectors; default 64, or two, four or eight times the
    /// results for codes of int8, bits or pq and opq.
    pub rerank: Option<u64>,
    /// End the search of an index once its best candidates have stayed the same for so many steps; default never.
    pub patience: Option<u64>,
    /// Compare with every vector.
    pub exact: Option<bool>,
    /// Tell how the nearest vectors were found.
    pub trace: Option<bool>,
    /// Say of each result why it came.
    pub explain: Option<bool>,
    /// Only what is around some documents can be found.
    pub graph_filter: Option<GraphFilterBody>,
    /// What the best hits are linked to joins them, with a share of their scores.
    pub expand: Option<ExpandBody>,
    /// What results come with: what these paths of relations lead to, such as `parent.child`.
    pub include_relations: Vec<String>,
    /// Whether that comes with its documents.
    pub hydrate_relations: Option<bool>,
    /// Return vectors too.
    pub with_vector: Option<bool>,
}

/// Searches to be answered together.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SearchesBody {
    /// The searches.
    #[serde(deserialize_with = "up_to::<SEARCHES_MAX, _, _>")]
    pub searches: Vec<SearchBody>,
}

impl SearchesBody {
    /// As the core's requests; `packed` holds the vectors that came beside them.
    ///
    /// # Errors
    /// As [`SearchBody::attach`] and [`SearchBody::request`]; `too_large`.
    pub fn requests(self, packed: Option<Packed<'_>>) -> Result<Vec<SearchRequest>> {
        let mut searches = self.searches;
        if searches.len() > SEARCHES_MAX {
            let (got, limit) = (searches.len() as u64, SEARCHES_MAX as u64);
            return Err(InputError::TooLarge { what: "a batch of searches", got, limit }.into());
        }
        if let Some(packed) = packed {
            let vectors = packed.vectors_of(searches.len())?;
            for (search, vector) in searches.iter_mut().zip(vectors) {
                search.give(vector)?;
            }
        }
        searches.into_iter().map(SearchBody::request).collect()
    }
}

/// A number of things that a browser's 32 bits may be too few for.
fn count(name: &'static str, value: Option<u64>) -> Result<Option<usize>> {
    let fits = |value: u64| {
        usize::try_from(value).map_err(|_| Error::parameter(name, value, format!("at most {}", usize::MAX)))
    };
    value.map(fits).transpose()
}

/// Around which documents a search looks.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GraphFilterBody {
    /// One document, or several as `roots`.
    pub root: Option<String>,
    /// Several documents.
    #[serde(default)]
    pub roots: Vec<String>,
    /// Along these relations; left out, all.
    #[serde(default)]
    pub relations: Vec<String>,
    /// `out` (default), `in` or `both`.
    pub direction: Option<String>,
    /// How many edges away: 1 when left out.
    pub depth: Option<usize>,
}

impl GraphFilterBody {
    fn filter(self) -> Result<GraphFilter> {
        let ways = self.direction.as_deref().map_or(Ok(Ways::Out), Ways::parse)?;
        let roots = self.roots.into_iter().chain(self.root).collect();
        Ok(GraphFilter { roots, relations: self.relations, ways, depth: self.depth.unwrap_or(1) })
    }
}

/// How hits are expanded. What is left out is as [`Expansion::default`] has it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpandBody {
    /// Along these relations; left out, all.
    #[serde(default)]
    pub relations: Vec<String>,
    /// `out` (default), `in` or `both`.
    pub direction: Option<String>,
    /// How many edges away: 1 when left out.
    pub depth: Option<u64>,
    /// The share of a score that an edge leaves, 0 to 1; default 0.5.
    pub damping: Option<f64>,
    /// How many of the best hits are expanded; default 10.
    pub hits: Option<u64>,
    /// How often documents and other ends are come to at most; default 1,000.
    pub limit: Option<u64>,
}

impl ExpandBody {
    fn expansion(self) -> Result<Expansion> {
        let defaults = Expansion::default();
        Ok(Expansion {
            relations: self.relations,
            ways: self.direction.as_deref().map_or(Ok(Ways::Out), Ways::parse)?,
            depth: count("depth", self.depth)?.unwrap_or(defaults.depth),
            damping: self.damping.unwrap_or(defaults.damping),
            hits: count("hits", self.hits)?.unwrap_or(defaults.hits),
            limit: count("limit", self.limit)?.unwrap_or(defaults.limit),
        })
    }
}

impl SearchBody {
    /// Gives it the vector that came beside it.
    ///
    /// # Errors
    /// `invalid_request` when it has one already, or several came.
    pub fn attach(&mut self, packed: Packed<'_>) -> Result<()> {
        self.give(packed.vectors_of(1)?.pop().flatten())
    }

    fn give(&mut self, vector: Option<Vec<f32>>) -> Result<()> {
        if self.vector.is_some() && vector.is_some() {
            let expected = "a packed vector or one in the search".to_owned();
            return Err(InputError::Request { got: "both".into(), expected }.into());
        }
        self.vector = self.vector.take().or(vector);
        Ok(())
    }

    /// As the core's request.
    ///
    /// # Errors
    /// As [`FilterBody::filter`]; `invalid_parameter` when `alpha` and `rrf_k` are both given.
    pub fn request(self) -> Result<SearchRequest> {
        let fusion = match (self.alpha, self.rrf_k) {
            (Some(_), Some(k)) => return Err(Error::parameter("rrf_k", k, "either alpha or rrf_k")),
            (Some(alpha), None) => Fusion::Alpha(alpha),
            (None, Some(k)) => Fusion::ReciprocalRank { k },
            (None, None) => Fusion::default(),
        };
        let defaults = SearchRequest::default();
        Ok(SearchRequest {
            vector: self.vector,
            text: self.text,
            plain: self.plain.unwrap_or(false),
            fuzzy: self.fuzzy.unwrap_or(false),
            highlight: self.highlight.map(HighlightBody::highlight).transpose()?.flatten(),
            as_of: as_of(self.as_of.as_ref())?,
            filter: self.filter.as_ref().map_or(Ok(None), FilterBody::filter)?,
            k: count("k", self.k)?.unwrap_or(defaults.k),
            offset: count("offset", self.offset)?.unwrap_or(0),
            candidates: count("candidates", self.candidates)?,
            min_score: self.min_score,
            decay: self.decay.map_or(Ok(Aging::default()), DecayChoiceBody::aging)?,
            group_by: self.group_by.map(GroupByBody::group_by).transpose()?,
            sort: self.sort.into_iter().map(SortBody::key).collect(),
            facets: self.facets.into_iter().map(FacetBody::facet).collect::<Result<_>>()?,
            ef: count("ef", self.ef)?,
            fusion,
            rerank: count("rerank", self.rerank)?,
            patience: count("patience", self.patience)?,
            exact: self.exact.unwrap_or(false),
            trace: self.trace.unwrap_or(false),
            explain: self.explain.unwrap_or(false),
            graph_filter: self.graph_filter.map(GraphFilterBody::filter).transpose()?,
            expand: self.expand.map(ExpandBody::expansion).transpose()?,
            include_relations: self.include_relations,
            graph_edges_max: defaults.graph_edges_max,
            hydrate_relations: self.hydrate_relations.unwrap_or(false),
            with_vector: self.with_vector.unwrap_or(false),
        })
    }
}

/// Whether passages are shown, and which.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum HighlightBody {
    /// True for all texts.
    Is(bool),
    /// Some of them.
    Of {
        /// Text fields; left out, all.
        #[serde(default)]
        fields: Vec<String>,
        /// About how many bytes of each; default 160.
        #[serde(default)]
        length: Option<u64>,
    },
}

impl HighlightBody {
    fn highlight(self) -> Result<Option<Highlight>> {
        Ok(match self {
            Self::Is(is) => is.then(Highlight::default),
            Self::Of { fields, length } => {
                let length = count("highlight", length)?.unwrap_or(Highlight::default().length);
                Some(Highlight { fields, length })
            }
        })
    }
}

/// Whether what is old counts less, from JSON.
#[derive(Debug, Clone)]
pub enum DecayChoiceBody {
    /// `none`.
    Named(String),
    /// By so much.
    By(DecayBody),
}

/// By hand: what is wrong with a decay is told, where serde would say that nothing fits.
impl<'de> Deserialize<'de> for DecayChoiceBody {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Choice;
        impl<'de> Visitor<'de> for Choice {
            type Value = DecayChoiceBody;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("\"none\", or a model and a half_life")
            }

            fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
                Ok(DecayChoiceBody::Named(name.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<Self::Value, A::Error> {
                DecayBody::deserialize(MapAccessDeserializer::new(fields)).map(DecayChoiceBody::By)
            }
        }
        d.deserialize_any(Choice)
    }
}

impl DecayChoiceBody {
    fn aging(self) -> Result<Aging> {
        Ok(self.decay()?.map_or(Aging::Never, Aging::By))
    }

    /// The decay; `None` for none.
    ///
    /// # Errors
    /// `invalid_parameter`.
    pub fn decay(self) -> Result<Option<Decay>> {
        match self {
            Self::By(body) => body.decay().map(Some),
            Self::Named(name) if name == "none" => Ok(None),
            Self::Named(name) => {
                Err(Error::parameter("decay", shorten(&name), "none, or a model and a half_life"))
            }
        }
    }
}

/// What is old counts less, from JSON.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecayBody {
    /// `exponential`, `linear`, `step` or `ebbinghaus`.
    pub model: String,
    /// A duration such as `7d`; `0s` for no decay.
    pub half_life: String,
    /// Half-lives of kinds of documents.
    #[serde(default)]
    pub layers: Option<LayersBody>,
    /// The field with a document's time.
    #[serde(default)]
    pub time_field: Option<String>,
    /// The field that is true for documents that keep their score.
    #[serde(default)]
    pub pinned_field: Option<String>,
}

/// Half-lives by the text of a field, from JSON.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LayersBody {
    /// The field.
    pub field: String,
    /// Durations by text; `0s` for no decay.
    pub half_lives: SortedMap<String, String>,
}

impl DecayBody {
    fn decay(self) -> Result<Decay> {
        let span = |text: &str| if matches!(text, "0" | "0s") { Ok(0) } else { parse_span("decay", text) };
        let layers = self.layers.map(|LayersBody { field, half_lives }| {
            let lives = half_lives.into_iter().map(|(layer, life)| Ok((layer, span(&life)?)));
            Ok::<_, Error>(DecayLayers { field, half_lives: lives.collect::<Result<_>>()? })
        });
        Ok(Decay {
            model: DecayModel::parse(&self.model)?,
            half_life: span(&self.half_life)?,
            layers: layers.transpose()?,
            time_field: self.time_field,
            pinned_field: self.pinned_field,
        })
    }
}

/// What results are grouped by: a field, of which each value comes once, or with how often it may come.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum GroupByBody {
    /// A field; one result of each value.
    Field(String),
    /// A field and how many of each value.
    Sized {
        /// Its path.
        field: String,
        /// How many results of each value; default 1.
        #[serde(default)]
        size: Option<u64>,
    },
}

impl GroupByBody {
    fn group_by(self) -> Result<GroupBy> {
        Ok(match self {
            Self::Field(field) => GroupBy { field, size: 1 },
            Self::Sized { field, size } => GroupBy { field, size: count("group_by", size)?.unwrap_or(1) },
        })
    }
}

/// What results are sorted by: a field, ascending, or with its direction.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum SortBody {
    /// A field, ascending.
    Field(String),
    /// A field and its direction.
    Directed {
        /// Its path.
        field: String,
        /// From the largest to the smallest.
        #[serde(default)]
        descending: bool,
    },
}

impl SortBody {
    fn key(self) -> SortKey {
        match self {
            Self::Field(field) => SortKey { field, descending: false },
            Self::Directed { field, descending } => SortKey { field, descending },
        }
    }
}

/// What is counted: a field's values, or ranges of them.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum FacetBody {
    /// The ten most frequent values of a field.
    Field(String),
    /// As many values, or these ranges.
    Detailed {
        /// Its path.
        field: String,
        /// How many values; default 10.
        #[serde(default)]
        limit: Option<u64>,
        /// Count within these instead.
        #[serde(default, deserialize_with = "super::objects::within")]
        ranges: Vec<RangeBody>,
    },
}

/// From a bound, included, to another, which is not: two numbers or two texts.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RangeBody {
    /// Left out, there is no lower bound.
    #[serde(default)]
    pub from: Option<BoundBody>,
    /// Left out, there is no upper bound.
    #[serde(default)]
    pub to: Option<BoundBody>,
}

/// A bound of a range.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum BoundBody {
    /// An integer.
    Int(i64),
    /// Another number.
    Float(f64),
    /// Text.
    Text(String),
}

impl BoundBody {
    fn value(self) -> Result<Value> {
        match self {
            Self::Int(x) => Ok(Value::Int(x)),
            Self::Float(x) => Value::number(x).ok_or_else(|| Error::parameter("facets", x, "a number")),
            Self::Text(text) => Ok(Value::Str(text)),
        }
    }
}

impl FacetBody {
    fn facet(self) -> Result<Facet> {
        let (field, limit, ranges) = match self {
            Self::Field(field) => return Ok(Facet::new(&field)),
            Self::Detailed { field, limit, ranges } => (field, limit, ranges),
        };
        let limit = count("facets", limit)?.unwrap_or(FACET_VALUES);
        let range = |range: RangeBody| {
            let from = range.from.map(BoundBody::value).transpose()?;
            Ok(ValueRange { from, to: range.to.map(BoundBody::value).transpose()? })
        };
        Ok(Facet { field, limit, ranges: ranges.into_iter().map(range).collect::<Result<_>>()? })
    }
}
