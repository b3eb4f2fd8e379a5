//! Checking the blobs of segments: their bytes, and that each derived one is what its rows give.

use crate::base::{Error, Pool, Result, Slot, SortedMap, StorageError, check_id};
use crate::collection::CollectionConfig;
use crate::graph::{self, EdgeTable, EdgesReader};
use crate::index::Hnsw;
use crate::meta::Columns;
use crate::segment::{Derive, End, Ends, RowsReader, SegmentBuilder, SharedRow, derive_as};
use crate::storage::{Blob, BlobId, BlobKind, Object, Section, Storage};
use crate::text::{TextIndex, Words};
use crate::vectors::{Codes, Coding, check_vector, inverse_norm};

use super::report::{Finding, Reporter, What};

/// What checks the blobs of one collection.
pub(super) struct Segments<'a> {
    pub storage: &'a dyn Storage,
    pub config: &'a CollectionConfig,
    pub words: Option<&'a Words>,
    pub pool: &'a Pool,
}

/// What the collection's other checks need of a segment.
#[derive(Default)]
pub(super) struct Facts {
    pub ids: Vec<Box<str>>,
    pub keys: Vec<u32>,
    pub seqs: Vec<u64>,
    pub latest: i64,
    pub vectors: usize,
    pub dim: usize,
    /// Every ends blob that a manifest in use names for it.
    pub ends: SortedMap<BlobId, Ends>,
    /// Its edges.
    pub edges: Option<EdgeTable>,
}

type Sections = SortedMap<BlobKind, Vec<Section>>;

/// A rows blob and those that belong to it, checked in steps.
pub(super) struct SegmentCheck {
    rows: BlobId,
    others: Vec<BlobId>,
    /// How many of the others are checked.
    done: usize,
    stage: Stage,
    facts: Facts,
}

enum Stage {
    /// The rows blob is to be opened.
    Begin,
    /// What is in it is read.
    Rows(Box<RowsCheck>),
    /// The others are compared with it, unless it is damaged.
    Others(Option<Whole>),
}

/// All rows of a sound blob, and what they give.
struct Whole {
    rows: Vec<SharedRow>,
    sections: Sections,
}

impl SegmentCheck {
    pub fn new(rows: BlobId, others: Vec<BlobId>) -> Self {
        Self { rows, others, done: 0, stage: Stage::Begin, facts: Facts::default() }
    }

    /// The rows blob.
    pub fn rows(&self) -> BlobId {
        self.rows
    }

    /// Reads about so many rows, encodes so many vectors, or looks at one blob; true when all is checked.
    ///
    /// # Errors
    /// `not_resident`, after which it can be called again.
    pub fn step(&mut self, with: &Segments<'_>, budget: usize, reporter: &mut Reporter<'_>) -> Result<bool> {
        match &mut self.stage {
            Stage::Begin => {
                let (blob, bytes, mut findings) = with.open(self.rows)?;
                self.stage =
                    match blob.filter(|_| findings.is_empty()).map(|blob| RowsCheck::new(blob, bytes)) {
                        Some(Ok(rows)) => Stage::Rows(Box::new(rows)),
                        Some(Err(error)) if is_absent(&error) => return Err(error),
                        other => {
                            findings.extend(other.and_then(Result::err).map(|error| (&error).into()));
                            reporter.judge(object(self.rows), bytes, findings);
                            Stage::Others(None)
                        }
                    };
            }
            Stage::Rows(rows) => {
                let found = rows.step(with, budget)?;
                let Some(findings) = found else { return Ok(false) };
                reporter.judge(object(self.rows), rows.bytes, findings);
                let Stage::Rows(rows) = std::mem::replace(&mut self.stage, Stage::Others(None)) else {
                    return Ok(false);
                };
                self.stage = Stage::Others(rows.whole);
            }
            Stage::Others(whole) => {
                let Some(id) = self.others.get(self.done) else { return Ok(true) };
                let (blob, bytes, mut findings) = with.open(*id)?;
                if let Some(blob) = blob.filter(|_| findings.is_empty()) {
                    findings.extend(with.other(&blob, whole.as_mut(), &mut self.facts));
                }
                reporter.judge(object(*id), bytes, findings);
                self.done += 1;
            }
        }
        Ok(false)
    }

    /// What was found out about it, once all is checked and when its rows are sound.
    pub fn into_facts(self) -> Option<Facts> {
        let Stage::Others(Some(Whole { rows, .. })) = self.stage else { return None };
        let mut facts = self.facts;
        facts.ids = rows.iter().map(|row| row.id.clone()).collect();
        facts.keys = rows.iter().map(|row| row.key.0).collect();
        facts.seqs = rows.iter().map(|row| row.seq.0).collect();
        facts.latest = rows.iter().map(|row| row.valid_from).max().unwrap_or(i64::MIN);
        let mut vectors = rows.iter().filter_map(|row| row.vector.as_deref());
        facts.dim = vectors.next().map_or(0, <[f32]>::len);
        facts.vectors = rows.iter().filter(|row| row.vector.is_some()).count();
        Some(facts)
    }
}

/// A rows blob that is being read: each row is checked as if it were added now, and what all of them give is made again.
struct RowsCheck {
    blob: Blob,
    bytes: u64,
    reader: RowsReader,
    rows: Vec<SharedRow>,
    builder: SegmentBuilder,
    /// Once all is read and made.
    whole: Option<Whole>,
}

impl RowsCheck {
    fn new(blob: Blob, bytes: u64) -> Result<Self> {
        let reader = RowsReader::open(&blob)?;
        let rows = Vec::with_capacity(reader.len());
        Ok(Self { blob, bytes, reader, rows, builder: SegmentBuilder::default(), whole: None })
    }

    /// What was found, at the end.
    ///
    /// # Errors
    /// `not_resident`, after which it can be called again.
    fn step(&mut self, with: &Segments<'_>, budget: usize) -> Result<Option<Vec<Finding>>> {
        let derive = with.derive();
        let left = self.reader.len() - self.rows.len();
        for _ in 0..left.min(budget.max(1)) {
            match self.row(with, Slot(self.rows.len() as u32)) {
                Ok(row) => {
                    self.builder.push(&row, derive);
                    self.rows.push(row);
                }
                Err(error) if is_absent(&error) => return Err(error),
                Err(error) => return Ok(Some(vec![(&error).into()])),
            }
        }
        if left > 0 || !self.builder.finish(budget, derive) {
            return Ok(None);
        }
        let mut sections: Sections = std::mem::take(&mut self.builder).into_blobs().into_iter().collect();
        let findings = compare(&self.blob, &sections.remove(&BlobKind::Rows).unwrap_or_default());
        self.whole = Some(Whole { rows: std::mem::take(&mut self.rows), sections });
        Ok(Some(findings))
    }

    /// A row that could be added.
    fn row(&self, with: &Segments<'_>, slot: Slot) -> Result<SharedRow> {
        let row = self.reader.row(slot)?;
        let of = |what: &dyn std::fmt::Display| {
            let object = format!("blob {}.rows", self.blob.id().number);
            Error::corrupt(object, 0, format!("a row that could be added; in slot {}: {what}", slot.0))
        };
        check_id(&row.id).map_err(|e| of(&e))?;
        if let Some(vector) = &row.vector {
            check_vector(with.config.metric, Some(self.reader.dim()), vector).map_err(|e| of(&e))?;
            if !with.config.stored.holds(vector) {
                return Err(of(&"its vector is none of the form that the collection stores"));
            }
            if inverse_norm(vector).to_bits() != row.inverse_norm.to_bits() {
                return Err(of(&"its inverse norm is not that of its vector"));
            }
        }
        Ok(row)
    }
}

/// Whether what was to be read is to be brought first.
fn is_absent(error: &Error) -> bool {
    error.missing().is_some()
}

impl Segments<'_> {
    fn derive(&self) -> Derive<'_> {
        let (metric, stored, codes) = (self.config.metric, self.config.stored, Coding::Int8);
        Derive { metric, stored, codes, words: self.words, pool: self.pool }
    }

    /// Checks a blob beside the rows; what the collection's other checks need of it is put into `facts`.
    fn other(&self, blob: &Blob, mut whole: Option<&mut Whole>, facts: &mut Facts) -> Vec<Finding> {
        let (id, kind) = (blob.id(), blob.id().kind);
        if let Some(Whole { rows, sections }) = whole.as_deref_mut()
            && Coding::of_blob(kind).is_some()
            && !sections.contains_key(&kind)
        {
            sections.extend(derive_as(rows, blob, self.derive()).map(|made| (kind, made)));
        }
        let rows = whole.as_ref().map(|whole| whole.rows.as_slice());
        match kind {
            BlobKind::Ends => match check_ends(blob, rows, self.words) {
                Ok((ends, found)) => {
                    facts.ends.insert(id, ends);
                    found
                }
                Err(error) => vec![(&error).into()],
            },
            BlobKind::Edges => match EdgesReader::open(blob).and_then(|edges| edges.table()) {
                Ok(edges) => {
                    let found = compare(blob, &graph::sections(&edges));
                    facts.edges = Some(edges);
                    found
                }
                Err(error) => vec![(&error).into()],
            },
            _ => check_derived(blob, rows, whole.as_ref().map(|whole| &whole.sections)),
        }
    }

    /// Opens a blob and checks every byte of it against its checksums.
    ///
    /// # Errors
    /// `not_resident`, after which it can be called again.
    fn open(&self, id: BlobId) -> Result<(Option<Blob>, u64, Vec<Finding>)> {
        let source = match self.storage.blob(id) {
            Err(error @ StorageError::NotResident(_)) => return Err(error.into()),
            Err(error) => return Ok((None, 0, vec![(&Error::from(error)).into()])),
            Ok(source) => source,
        };
        let len = source.len();
        match Blob::open(id, source).and_then(|blob| Ok((blob.damage()?, blob))) {
            Ok((damage, blob)) => Ok((Some(blob), len, damage.iter().map(Finding::from).collect())),
            Err(error) if is_absent(&error) => Err(error),
            Err(error) => Ok((None, len, vec![(&error).into()])),
        }
    }
}

fn object(id: BlobId) -> What {
    What::Object(Object::Blob(id.number, id.kind))
}

/// Where a blob differs from what it should hold.
fn compare(blob: &Blob, sections: &[Section]) -> Vec<Finding> {
    let differs = |section: &Section| -> Result<Option<Finding>> {
        let rows = blob.rows(section.id)?;
        let stored = rows.read(0..rows.len())?;
        if *stored == section.bytes[..] {
            return Ok(None);
        }
        let at = stored.iter().zip(&section.bytes).position(|(a, b)| a != b);
        let at = at.unwrap_or(stored.len().min(section.bytes.len())) as u64;
        let what = format!("rebuilt bytes differ, in section {}", section.id);
        Ok(Some(Finding { offset: Some(blob.offset_of(section.id)? + at), what }))
    };
    // Blobs of earlier versions have no positions.
    let lacks_positions = blob.id().kind == BlobKind::Text
        && !sections.iter().any(|s| TextIndex::is_of_positions(s.id) && blob.has(s.id));
    let expected = sections.iter().filter(|s| !(lacks_positions && TextIndex::is_of_positions(s.id)));
    let found = expected.map(|s| differs(s).unwrap_or_else(|e| Some((&e).into())));
    found.flatten().collect()
}

/// With sound rows a derived blob is compared with what they give; without, it is opened, which checks that all in it is
/// possible.
fn check_derived(blob: &Blob, rows: Option<&[SharedRow]>, sections: Option<&Sections>) -> Vec<Finding> {
    let kind = blob.id().kind;
    let opened = match (kind, sections) {
        (BlobKind::Links, _) => Hnsw::open(blob).map(|links| {
            let vectors = rows.map(|rows| rows.iter().filter(|row| row.vector.is_some()).count());
            let fits = vectors.is_none_or(|vectors| vectors == links.len());
            if !fits {
                return Some(Finding::new("expected one node for each vector of its rows"));
            }
            let lost = links.unreachable().len();
            (lost > 0).then(|| {
                Finding::new(format!(
                    "{lost} vectors that no search by links can come across; the next merge mends that"
                ))
            })
        }),
        (_, Some(sections)) => match sections.get(&kind) {
            Some(sections) => return compare(blob, sections),
            None => Ok(Some(Finding::new("expected not to exist: its rows give nothing of this kind"))),
        },
        (kind, None) if Coding::of_blob(kind).is_some() => Codes::open(blob).map(|_| None),
        (BlobKind::Text, None) => {
            TextIndex::open(blob).and_then(|text| text.check_positions()).map(|()| None)
        }
        _ => Columns::open(blob).map(|_| None),
    };
    opened.unwrap_or_else(|error| Some((&error).into())).into_iter().collect()
}

fn check_ends(
    blob: &Blob,
    rows: Option<&[SharedRow]>,
    words: Option<&Words>,
) -> Result<(Ends, Vec<Finding>)> {
    let Some(rows) = rows else {
        return Ok((Ends::open(blob, crate::base::limits::SLOTS_MAX)?, Vec::new()));
    };
    let ends = Ends::open(blob, rows.len())?;
    let (mut again, mut too_early) = (Ends::default(), None);
    for end in ends.iter() {
        let row = &rows[end.slot.index()];
        if end.seq <= row.seq || end.valid_to <= row.valid_from {
            too_early =
                Some(Finding::new(format!("the version in slot {} ends before it begins", end.slot.0)));
        }
        again.end(End { ..end });
        again.add_terms(words.map(|words| words.count(&row.metadata)).unwrap_or_default());
    }
    for (slot, touch) in ends.touches.iter() {
        if touch.last < rows[slot.index()].valid_from {
            let what = format!("the version in slot {} was touched before it began", slot.0);
            too_early = Some(Finding::new(what));
        }
        again.touches.set(slot, touch);
    }
    let mut found = compare(blob, &again.sections());
    found.extend(too_early);
    Ok((ends, found))
}
