//! What is answered, as JSON.

use serde::Serialize;

use crate::base::time::{format_span, format_time};
use crate::base::{Error, Object, Report, Result, Seq, SortedMap, Value};
use crate::collection::kv::KeyPage;
use crate::collection::{
    CollectionConfig, Decay, Estimate, Explanation, FacetCounts, GraphExplanation, Highlighted, History, Hit,
    Maintenance, Page, PartTrace, PassedEdge, SearchResponse, Version, View, config::WHOLE,
};
use crate::engine::JobProgress;
use crate::meta::ValueRange;
use crate::segment::{Row, Touch};
use crate::text::TextFields;

use super::auto_links::AutoLinkBody;
use super::graph::{self, TreeAnswer};
use super::plan::FilterPlanAnswer;

/// An error: what [`Report`] says, and its code once more under the name that HTTP clients look for.
#[derive(Debug, Clone, Serialize)]
pub struct ErrorAnswer {
    /// The message.
    pub error: String,
    /// Code, message and the rest.
    #[serde(flatten)]
    pub report: Report,
}

impl From<&Error> for ErrorAnswer {
    fn from(error: &Error) -> Self {
        let report = error.report();
        Self { error: report.message.clone(), report }
    }
}

/// A document.
#[derive(Debug, Clone, Serialize)]
pub struct DocumentAnswer {
    /// Its id.
    pub id: String,
    /// Its vector; null without one.
    pub vector: Option<Vec<f32>>,
    /// Its metadata.
    pub metadata: Object,
}

impl From<&Row> for DocumentAnswer {
    fn from(row: &Row) -> Self {
        let vector = row.vector.as_deref().map(<[f32]>::to_vec);
        Self { id: row.id.to_string(), vector, metadata: row.metadata.clone() }
    }
}

/// A key and its value.
#[derive(Debug, Clone, Serialize)]
pub struct KeyAnswer {
    /// The key.
    pub key: String,
    /// Its value.
    pub value: String,
}

/// A page of keys.
#[derive(Debug, Clone, Serialize)]
pub struct KeysAnswer {
    /// Sorted by bytes.
    pub keys: Vec<String>,
    /// What to ask for the next page with; null after the last.
    pub next: Option<String>,
}

impl From<KeyPage> for KeysAnswer {
    fn from(page: KeyPage) -> Self {
        Self { keys: page.keys, next: page.next }
    }
}

/// A version of a document.
#[derive(Debug, Clone, Serialize)]
pub struct VersionAnswer {
    /// What it held.
    #[serde(flatten)]
    pub document: DocumentAnswer,
    /// Since when it is there.
    pub valid_from: String,
    /// The first moment at which it is not; null for no such moment.
    pub valid_to: Option<String>,
}

impl From<&Version> for VersionAnswer {
    fn from(version: &Version) -> Self {
        Self {
            document: (&*version.row).into(),
            valid_from: format_time(version.row.valid_from),
            valid_to: version.valid_to.map(format_time),
        }
    }
}

/// The versions of a document.
#[derive(Debug, Clone, Serialize)]
pub struct VersionsAnswer {
    /// The newest first.
    pub versions: Vec<VersionAnswer>,
}

impl From<&[Version]> for VersionsAnswer {
    fn from(versions: &[Version]) -> Self {
        Self { versions: versions.iter().map(VersionAnswer::from).collect() }
    }
}

/// How often a document was touched.
#[derive(Debug, Clone, Serialize)]
pub struct TouchAnswer {
    /// How often since it was last stored.
    pub count: u32,
    /// When last.
    pub last: String,
}

/// How often documents were touched.
#[derive(Debug, Clone, Serialize)]
pub struct TouchesAnswer {
    /// In the order of the ids; null for one that never was, or is not there.
    pub touches: Vec<Option<TouchAnswer>>,
}

impl From<Vec<Option<Touch>>> for TouchesAnswer {
    fn from(touches: Vec<Option<Touch>>) -> Self {
        let answer = |touch: Touch| TouchAnswer { count: touch.count, last: format_time(touch.last) };
        Self { touches: touches.into_iter().map(|touch| touch.map(answer)).collect() }
    }
}

/// A page of documents.
#[derive(Debug, Clone, Serialize)]
pub struct ScanAnswer {
    /// In the order in which they were stored.
    pub documents: Vec<DocumentAnswer>,
    /// The cursor of the next page; null after the last.
    pub next: Option<String>,
}

impl From<&Page> for ScanAnswer {
    fn from(page: &Page) -> Self {
        let documents = page.rows.iter().map(|row| DocumentAnswer::from(&**row)).collect();
        Self { documents, next: page.next.map(encode_cursor) }
    }
}

/// A cursor, for people to pass on and not to look into.
#[must_use]
pub fn encode_cursor(seq: Seq) -> String {
    format!("{:x}", seq.0)
}

/// Reads a cursor back.
///
/// # Errors
/// `invalid_parameter`.
pub fn parse_cursor(cursor: &str) -> Result<Seq> {
    u64::from_str_radix(cursor, 16).map(Seq).map_err(|_| {
        Error::parameter("cursor", crate::base::ids::shorten(cursor), "the next of an earlier page")
    })
}

/// What a collection is and holds.
#[derive(Debug, Clone, Serialize)]
pub struct InfoAnswer {
    /// Its name.
    pub name: String,
    /// How distances are measured.
    pub metric: &'static str,
    /// Dimension of its vectors; null until the first.
    pub dim: Option<u32>,
    /// How its text is analysed; null without text.
    pub language: Option<&'static str>,
    /// Which strings are its text: `top_level`, `all` or paths; null without text.
    pub fields: Option<serde_json::Value>,
    /// Fields in another language, by path; left out without any.
    #[serde(skip_serializing_if = "SortedMap::is_empty")]
    pub languages: SortedMap<String, &'static str>,
    /// How long a repeated word goes on counting; null without text.
    pub k1: Option<f64>,
    /// How much the length of a field counts; null without text.
    pub b: Option<f64>,
    /// How much a field counts, by path; left out when all count the same.
    #[serde(skip_serializing_if = "SortedMap::is_empty")]
    pub weights: SortedMap<String, f64>,
    /// What embeds its texts; null for nothing.
    pub embedder: Option<String>,
    /// Neighbours a node of the index keeps.
    pub m: u32,
    /// How widely the index searches while it is built.
    pub ef_construction: u32,
    /// How long versions that were replaced or deleted stay readable: `none`, `forever` or a duration.
    pub history: String,
    /// When segments are written again.
    pub maintenance: MaintenanceAnswer,
    /// How the vectors that readers get back are kept: `f32`, `f16` or `int8`.
    pub stored: &'static str,
    /// What the index traverses: `int8`, `bits`, `pq` or `opq`.
    pub codes: &'static str,
    /// Rules that link documents by their metadata; left out without any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub auto_links: Vec<AutoLinkBody>,
    /// How searches rank over time that do not say so themselves; null for not at all.
    pub decay: Option<DecaySettingAnswer>,
    /// The earliest moment that can be read; null when that is any.
    pub earliest: Option<String>,
    /// The earliest moment at which the graph can be read; null when that is any.
    pub graph_earliest: Option<String>,
    /// Live documents.
    pub documents: usize,
    /// Live documents in the memtable.
    pub memtable: usize,
    /// About how many bytes the memtable takes.
    pub memtable_bytes: usize,
    /// Segments.
    pub segments: usize,
    /// Segments with an index.
    pub indexed: usize,
    /// Versions that have ended and are still stored.
    pub ended: usize,
    /// Writes that waited for a seal since it was opened.
    pub write_waits: u64,
    /// Why it takes no more writes; null while it does.
    pub degraded: Option<String>,
}

/// How a collection is maintained.
#[derive(Debug, Clone, Serialize)]
pub struct MaintenanceAnswer {
    /// The share of a segment's versions that have ended from which on it is written again without them.
    pub delete_threshold: f64,
    /// So much time is between two such writes at least; `0s` for none by themselves.
    pub vacuum_interval: String,
    /// Links that were built with a lower `ef_construction` are built anew with this one; 0 for never.
    pub refine_ef_construction: u32,
    /// So much time is between two such jobs at least; `0s` for none by themselves.
    pub refine_interval: String,
    /// Versions of edges that ended longer ago are dropped; `0s` for never.
    pub graph_retention: String,
    /// So much time is between two jobs that drop them at least; `0s` for none by themselves.
    pub graph_vacuum_interval: String,
}

impl From<Maintenance> for MaintenanceAnswer {
    fn from(settings: Maintenance) -> Self {
        Self {
            delete_threshold: f64::from(settings.delete_threshold) / f64::from(WHOLE),
            vacuum_interval: span_or_zero(settings.vacuum_interval),
            refine_ef_construction: settings.refine_ef_construction,
            refine_interval: span_or_zero(settings.refine_interval),
            graph_retention: span_or_zero(settings.graph_retention),
            graph_vacuum_interval: span_or_zero(settings.graph_vacuum_interval),
        }
    }
}

fn span_or_zero(span: i64) -> String {
    if span == 0 { "0s".to_owned() } else { format_span(span) }
}

/// The decay of a collection, as it is asked for.
#[derive(Debug, Clone, Serialize)]
pub struct DecaySettingAnswer {
    model: &'static str,
    half_life: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    layers: Option<LayersAnswer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time_field: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pinned_field: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
struct LayersAnswer {
    field: String,
    half_lives: SortedMap<String, String>,
}

impl From<&Decay> for DecaySettingAnswer {
    fn from(decay: &Decay) -> Self {
        let layers = decay.layers.as_ref().map(|layers| LayersAnswer {
            field: layers.field.clone(),
            half_lives: layers
                .half_lives
                .iter()
                .map(|(text, life)| (text.clone(), span_or_zero(*life)))
                .collect(),
        });
        Self {
            model: decay.model.name(),
            half_life: span_or_zero(decay.half_life),
            layers,
            time_field: decay.time_field.clone(),
            pinned_field: decay.pinned_field.clone(),
        }
    }
}

impl InfoAnswer {
    /// Of a collection with this name, in this state.
    #[must_use]
    pub fn new(name: &str, view: &View) -> Self {
        let (config, stats): (&CollectionConfig, _) = (&view.config, view.stats());
        let (earliest, graph_earliest) = (view.earliest(), view.graph_earliest());
        let fields = config.text.as_ref().map(|text| match &text.fields {
            TextFields::TopLevel => "top_level".into(),
            TextFields::All => "all".into(),
            TextFields::Named(names) => names.clone().into(),
        });
        let languages = config.text.iter().flat_map(|text| &text.languages);
        let scoring = config.text.as_ref().map(|text| &text.scoring);
        Self {
            name: name.to_owned(),
            metric: config.metric.name(),
            dim: view.dim,
            language: config.text.as_ref().map(|text| text.language.name()),
            fields,
            languages: languages.map(|(path, language)| (path.clone(), language.name())).collect(),
            k1: scoring.map(|scoring| scoring.k1),
            b: scoring.map(|scoring| scoring.b),
            weights: scoring.map(|scoring| scoring.weights.clone()).unwrap_or_default(),
            embedder: config.embedder.as_ref().map(|embedder| embedder.name.clone()),
            m: config.links_max,
            ef_construction: config.ef_construction,
            history: match config.history {
                History::None => "none".to_owned(),
                History::Forever => "forever".to_owned(),
                History::For(span) => format_span(span),
            },
            maintenance: config.settings.maintenance.into(),
            stored: config.stored.name(),
            codes: config.settings.codes.name(),
            auto_links: config.settings.auto_links.iter().map(AutoLinkBody::from).collect(),
            decay: config.settings.decay.as_ref().map(DecaySettingAnswer::from),
            earliest: (earliest > i64::MIN).then(|| format_time(earliest)),
            graph_earliest: (graph_earliest > i64::MIN).then(|| format_time(graph_earliest)),
            documents: stats.documents,
            memtable: stats.memtable,
            memtable_bytes: stats.memtable_bytes,
            segments: stats.segments,
            indexed: stats.indexed,
            ended: stats.ended,
            write_waits: 0,
            degraded: None,
        }
    }
}

/// The job of a collection that runs now.
#[derive(Debug, Clone, Serialize)]
pub struct JobAnswer {
    /// What kind.
    pub kind: &'static str,
    /// How far it has come, in documents; what is written and linked counts twice.
    pub done: usize,
    /// Of how many.
    pub total: usize,
}

impl JobAnswer {
    /// Of a job of this kind that has come so far.
    #[must_use]
    pub fn new(kind: &'static str, progress: JobProgress) -> Self {
        Self { kind, done: progress.done, total: progress.total }
    }
}

/// What other stored forms and codes would take and find.
#[derive(Debug, Clone, Serialize)]
pub struct EstimateAnswer {
    /// Vectors there are, those of versions that have ended included.
    pub vectors: usize,
    /// Of these, how many were looked at.
    pub sample: usize,
    /// Of these, how many were searched for.
    pub queries: usize,
    /// How many neighbours of each were compared.
    pub k: usize,
    /// What an index would traverse.
    pub codes: Vec<CodesChoice>,
    /// How vectors would be kept.
    pub stored: Vec<StoredChoice>,
}

/// What codes would take and find.
#[derive(Debug, Clone, Serialize)]
pub struct CodesChoice {
    /// `int8`, `bits`, `pq` or `opq`.
    pub codes: &'static str,
    /// Bytes of memory for all vectors, beside links.
    pub bytes: u64,
    /// The share of the nearest that were found; null when they cannot serve the metric.
    pub recall: Option<f64>,
}

/// What a stored form would take and find.
#[derive(Debug, Clone, Serialize)]
pub struct StoredChoice {
    /// `f32`, `f16` or `int8`.
    pub stored: &'static str,
    /// Bytes on the disk for all vectors.
    pub bytes: u64,
    /// The share of the nearest that were found; null when it cannot hold these vectors.
    pub recall: Option<f64>,
}

impl From<Estimate> for EstimateAnswer {
    fn from(estimate: Estimate) -> Self {
        let Estimate { vectors, sample, queries, k, codes, stored } = estimate;
        let codes = codes.into_iter().map(|choice| CodesChoice {
            codes: choice.choice.name(),
            bytes: choice.bytes,
            recall: choice.recall,
        });
        let stored = stored.into_iter().map(|choice| StoredChoice {
            stored: choice.choice.name(),
            bytes: choice.bytes,
            recall: choice.recall,
        });
        Self { vectors, sample, queries, k, codes: codes.collect(), stored: stored.collect() }
    }
}

/// What a search answers.
#[derive(Debug, Clone, Serialize)]
pub struct SearchAnswer {
    /// The best first.
    pub hits: Vec<HitAnswer>,
    /// What was odd about the query.
    pub warnings: Vec<String>,
    /// The counts of each field that was asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub facets: Vec<FacetAnswer>,
    /// How many documents facets were counted in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// Whether there is more around the hits than was looked at, when they were to be expanded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub truncated: Option<bool>,
    /// How the nearest vectors were found, part by part, when asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace: Option<Vec<PartTraceAnswer>>,
    /// How the filter was answered, when results are explained.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter_plan: Option<FilterPlanAnswer>,
}

/// What searches answer that were asked together.
#[derive(Debug, Clone, Serialize)]
pub struct SearchesAnswer {
    /// In the order of the searches.
    pub results: Vec<SearchAnswer>,
}

impl From<Vec<SearchResponse>> for SearchesAnswer {
    fn from(responses: Vec<SearchResponse>) -> Self {
        Self { results: responses.into_iter().map(SearchAnswer::from).collect() }
    }
}

/// The counts of a field: of its values, or within ranges.
#[derive(Debug, Clone, Serialize)]
pub struct FacetAnswer {
    field: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    values: Option<Vec<ValueCount>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    distinct: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ranges: Option<Vec<RangeCount>>,
}

#[derive(Debug, Clone, Serialize)]
struct ValueCount {
    value: Value,
    count: u64,
}

#[derive(Debug, Clone, Serialize)]
struct RangeCount {
    from: Option<Value>,
    to: Option<Value>,
    count: u64,
}

impl From<FacetCounts> for FacetAnswer {
    fn from(counts: FacetCounts) -> Self {
        let FacetCounts { field, values, distinct, ranges } = counts;
        if ranges.is_empty() {
            let values = values.into_iter().map(|(value, count)| ValueCount { value, count }).collect();
            return Self { field, values: Some(values), distinct: Some(distinct), ranges: None };
        }
        let count = |(range, count): (ValueRange, u64)| RangeCount { from: range.from, to: range.to, count };
        Self { field, values: None, distinct: None, ranges: Some(ranges.into_iter().map(count).collect()) }
    }
}

/// How the nearest vectors of one part of a collection were found.
#[derive(Debug, Clone, Serialize)]
pub struct PartTraceAnswer {
    /// How many versions it holds.
    pub documents: usize,
    /// `exact`: all were compared; `codes`: the codes of all were, then the best; `links`: links were followed.
    pub plan: &'static str,
    /// How many distances were computed.
    pub distances: usize,
    /// Of the documents that may be found, those whose neighbours were looked at, in order.
    pub path: Vec<String>,
}

impl From<PartTrace> for PartTraceAnswer {
    fn from(trace: PartTrace) -> Self {
        let PartTrace { documents, plan, distances, path } = trace;
        Self { documents, plan: plan.name(), distances, path }
    }
}

/// A result.
#[derive(Debug, Clone, Serialize)]
pub struct HitAnswer {
    /// The document's id.
    pub id: String,
    /// Larger is better.
    pub score: f64,
    /// Its metadata.
    pub metadata: Object,
    /// Its vector, when asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vector: Option<Vec<f32>>,
    /// Why it came, when asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explanation: Option<ExplanationAnswer>,
    /// Where the words stand, when asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub highlights: Option<Vec<HighlightAnswer>>,
    /// What it leads to, by path, when asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connections: Option<SortedMap<String, Vec<TreeAnswer>>>,
}

/// A passage of a text, in pieces: one without a match, which may be empty, one with, and so on.
#[derive(Debug, Clone, Serialize)]
pub struct HighlightAnswer {
    field: String,
    parts: Vec<String>,
}

/// Why a result came.
#[derive(Debug, Clone, Serialize)]
pub struct ExplanationAnswer {
    vector: Option<VectorAnswer>,
    words: Option<WordsAnswer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    graph: Option<GraphShareAnswer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    decay: Option<DecayAnswer>,
}

#[derive(Debug, Clone, Serialize)]
struct GraphShareAnswer {
    hit: String,
    score: f64,
    damping: f64,
    edges: Vec<PassedEdgeAnswer>,
    contribution: f64,
}

#[derive(Debug, Clone, Serialize)]
struct PassedEdgeAnswer {
    source: String,
    relation: String,
    target: String,
}

impl From<GraphExplanation> for GraphShareAnswer {
    fn from(share: GraphExplanation) -> Self {
        let GraphExplanation { hit, score, damping, edges, contribution } = share;
        let passed = |PassedEdge { source, relation, target }| PassedEdgeAnswer { source, relation, target };
        let edges = edges.into_iter().map(passed).collect();
        Self { hit, score: score.into(), damping, edges, contribution: contribution.into() }
    }
}

#[derive(Debug, Clone, Serialize)]
struct DecayAnswer {
    factor: f64,
    since: String,
    touches: u32,
}

#[derive(Debug, Clone, Serialize)]
struct VectorAnswer {
    distance: f64,
    score: f64,
    rank: usize,
    /// Left out where lists were not fused by `alpha`.
    #[serde(skip_serializing_if = "Option::is_none")]
    normalised: Option<f64>,
    contribution: f64,
}

#[derive(Debug, Clone, Serialize)]
struct WordsAnswer {
    score: f64,
    rank: usize,
    /// Left out where lists were not fused by `alpha`.
    #[serde(skip_serializing_if = "Option::is_none")]
    normalised: Option<f64>,
    contribution: f64,
    terms: Vec<TermAnswer>,
}

#[derive(Debug, Clone, Serialize)]
struct TermAnswer {
    term: String,
    field: String,
    tf: u32,
    df: u64,
    documents: u64,
    length: u32,
    average_length: f64,
    idf: f64,
    /// More than 1 for a term that stands in the query so often.
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<u32>,
    /// Less than 1 for a term that is a typo away.
    #[serde(skip_serializing_if = "Option::is_none")]
    boost: Option<f64>,
    /// How much the field counts, where that is not 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    weight: Option<f64>,
    contribution: f64,
}

impl From<SearchResponse> for SearchAnswer {
    fn from(response: SearchResponse) -> Self {
        let SearchResponse { hits, warnings, facets, total, truncated, trace, filter_plan } = response;
        let trace = trace.map(|parts| parts.into_iter().map(PartTraceAnswer::from).collect());
        let facets = facets.into_iter().map(FacetAnswer::from).collect();
        let filter_plan = filter_plan.map(FilterPlanAnswer::from);
        let hits = hits.into_iter().map(HitAnswer::from).collect();
        Self { hits, warnings, facets, total, truncated, trace, filter_plan }
    }
}

impl From<Hit> for HitAnswer {
    fn from(hit: Hit) -> Self {
        // The distance is shown with the rest of the explanation.
        let Hit { id, score, distance: _, metadata, vector, explanation, highlights, connections } = hit;
        let shown = |Highlighted { field, parts }| HighlightAnswer { field, parts };
        let highlights = highlights.map(|all| all.into_iter().map(shown).collect());
        let explanation = explanation.map(ExplanationAnswer::from);
        let connections = connections.as_ref().map(graph::connections);
        Self { id, score: score.into(), metadata, vector, explanation, highlights, connections }
    }
}

impl From<Explanation> for ExplanationAnswer {
    fn from(explanation: Explanation) -> Self {
        let vector = explanation.vector.map(|v| VectorAnswer {
            distance: v.distance.into(),
            score: v.score.into(),
            rank: v.rank,
            normalised: v.normalised.map(f64::from),
            contribution: v.contribution.into(),
        });
        let words = explanation.words.map(|w| WordsAnswer {
            score: w.score.into(),
            rank: w.rank,
            normalised: w.normalised.map(f64::from),
            contribution: w.contribution.into(),
            terms: w.terms.into_iter().map(term).collect(),
        });
        let decay = explanation.decay.map(|left| DecayAnswer {
            factor: left.factor,
            since: format_time(left.since),
            touches: left.touches,
        });
        let graph = explanation.graph.map(GraphShareAnswer::from);
        Self { vector, words, graph, decay }
    }
}

fn term(explained: crate::text::TermExplanation) -> TermAnswer {
    let crate::text::TermExplanation { weight, tf, length, contribution } = explained;
    TermAnswer {
        term: weight.term,
        field: weight.field,
        tf,
        df: weight.df,
        documents: weight.documents,
        length,
        average_length: weight.average_length,
        idf: weight.idf,
        count: (weight.count > 1).then_some(weight.count),
        boost: (weight.boost < 1.0).then_some(weight.boost),
        weight: (weight.weight != 1.0).then_some(weight.weight),
        contribution,
    }
}
