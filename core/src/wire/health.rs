//! What a database holds and takes, and how it was found when it was checked.

use serde::Serialize;

use crate::base::{Report, Result, SortedMap};
use crate::engine::stats::{Figures, SegmentFigures};
use crate::engine::verify::{Checked, State, Summary, Visitor};
use crate::storage::BlobKind;

/// Most objects that an answer tells of, and findings of one: a blob that was overwritten has thousands.
const OBJECTS_MAX: usize = 1_000;
const FINDINGS_MAX: usize = 20;

/// What the collections of a database hold and take.
#[derive(Debug, Clone, Serialize)]
pub struct StatsAnswer {
    /// By name; the key-value store's is among them.
    pub collections: Vec<FiguresAnswer>,
}

/// A collection's figures, or why there are none.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum FiguresAnswer {
    /// The figures.
    Read(Box<ReadFigures>),
    /// It cannot be read.
    Unreadable {
        /// Its name.
        name: String,
        /// Why.
        error: Report,
    },
}

/// What a collection holds and takes.
#[derive(Debug, Clone, Serialize)]
pub struct ReadFigures {
    name: String,
    metric: &'static str,
    dim: Option<u32>,
    embedder: Option<String>,
    documents: usize,
    vectors: usize,
    ended: usize,
    segments: Vec<SegmentAnswer>,
    memtable: MemtableAnswer,
    logs: Vec<LogAnswer>,
    generation: u64,
    previous_generation: Option<u64>,
    format_version: u16,
}

#[derive(Debug, Clone, Serialize)]
struct SegmentAnswer {
    slots: usize,
    live: usize,
    /// By kind of blob.
    bytes: SortedMap<&'static str, u64>,
}

#[derive(Debug, Clone, Serialize)]
struct MemtableAnswer {
    documents: usize,
    frames: u64,
    bytes: u64,
    tail_bytes: u64,
}

#[derive(Debug, Clone, Serialize)]
struct LogAnswer {
    generation: u64,
    bytes: u64,
}

impl FiguresAnswer {
    /// Of a collection of this name.
    #[must_use]
    pub fn new(name: &str, figures: &Result<Figures>) -> Self {
        match figures {
            Ok(figures) => Self::Read(Box::new(ReadFigures::new(name, figures))),
            Err(error) => Self::Unreadable { name: name.to_owned(), error: error.report() },
        }
    }
}

impl ReadFigures {
    fn new(name: &str, figures: &Figures) -> Self {
        let bytes_of =
            |blobs: &[(BlobKind, u64)]| blobs.iter().map(|(kind, bytes)| (kind.name(), *bytes)).collect();
        let segment = |segment: &SegmentFigures| SegmentAnswer {
            slots: segment.slots,
            live: segment.live,
            bytes: bytes_of(&segment.blobs),
        };
        Self {
            name: name.to_owned(),
            metric: figures.config.metric.name(),
            dim: figures.dim,
            embedder: figures.config.embedder.as_ref().map(|embedder| embedder.name.clone()),
            documents: figures.documents,
            vectors: figures.vectors,
            ended: figures.ended,
            segments: figures.segments.iter().map(segment).collect(),
            memtable: MemtableAnswer {
                documents: figures.memtable.documents,
                frames: figures.memtable.frames,
                bytes: figures.memtable.bytes,
                tail_bytes: figures.memtable.tail_bytes,
            },
            logs: figures.logs.iter().map(|&(generation, bytes)| LogAnswer { generation, bytes }).collect(),
            generation: figures.generation,
            previous_generation: figures.previous,
            format_version: figures.format_version,
        }
    }
}

/// What a check found.
#[derive(Debug, Clone, Default, Serialize)]
pub struct VerifyAnswer {
    /// Whether nothing is damaged.
    pub clean: bool,
    /// What is not sound, in the order in which it was looked at; of many the first.
    pub objects: Vec<ObjectAnswer>,
    /// How many more there are.
    pub more_objects: usize,
    /// Counts.
    pub summary: SummaryAnswer,
}

impl VerifyAnswer {
    /// When all was looked at.
    #[must_use]
    pub fn finished(mut self, summary: &Summary) -> Self {
        self.clean = summary.is_clean();
        self.summary = summary.into();
        self
    }
}

impl Visitor for VerifyAnswer {
    fn checked(&mut self, checked: &Checked) {
        if checked.state == State::Sound {
            return;
        }
        if self.objects.len() == OBJECTS_MAX {
            self.more_objects += 1;
            return;
        }
        self.objects.push(ObjectAnswer::new(checked, FINDINGS_MAX));
    }
}

/// An object, checked.
#[derive(Debug, Clone, Serialize)]
pub struct ObjectAnswer {
    object: String,
    collection: Option<String>,
    state: &'static str,
    derived: bool,
    bytes: u64,
    findings: Vec<FindingAnswer>,
    /// How many more findings there are; left out for none.
    #[serde(skip_serializing_if = "is_zero")]
    more_findings: usize,
}

#[derive(Debug, Clone, Serialize)]
struct FindingAnswer {
    offset: Option<u64>,
    what: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

impl ObjectAnswer {
    /// With so many findings at most.
    #[must_use]
    pub fn new(checked: &Checked, findings_max: usize) -> Self {
        let told = checked.findings.iter().take(findings_max);
        Self {
            object: checked.name(),
            collection: checked.collection.clone(),
            state: checked.state.name(),
            derived: checked.is_derived(),
            bytes: checked.bytes,
            findings: told.map(|f| FindingAnswer { offset: f.offset, what: f.what.clone() }).collect(),
            more_findings: checked.findings.len().saturating_sub(findings_max),
        }
    }
}

/// Counts of a check.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct SummaryAnswer {
    collections: usize,
    bytes: u64,
    ok: usize,
    damaged: usize,
    derived_damaged: usize,
    unfinished: usize,
    unneeded: usize,
    unknown: usize,
}

impl From<&Summary> for SummaryAnswer {
    fn from(summary: &Summary) -> Self {
        Self {
            collections: summary.collections,
            bytes: summary.bytes,
            ok: summary.sound,
            damaged: summary.damaged,
            derived_damaged: summary.derived_damaged,
            unfinished: summary.unfinished,
            unneeded: summary.unneeded,
            unknown: summary.unknown,
        }
    }
}
