//! Checking the blobs of segments: their bytes, and that each derived one is what its rows give.

use std::collections::BTreeMap;

use crate::base::{Error, Pool, Result, Slot, check_id};
use crate::collection::CollectionConfig;
use crate::graph::{self, EdgeTable, EdgesReader};
use crate::index::Hnsw;
use crate::meta::Columns;
use crate::segment::{Derive, End, Ends, RowsReader, SharedRow, derive, derive_one};
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
    pub ends: BTreeMap<BlobId, Ends>,
    /// Its edges.
    pub edges: Option<EdgeTable>,
}

type Sections = BTreeMap<BlobKind, Vec<Section>>;

impl Segments<'_> {
    /// Checks a rows blob and those that belong to it; what is found out about it, when its rows are sound.
    pub fn check(&self, rows_id: BlobId, others: &[BlobId], reporter: &mut Reporter<'_>) -> Option<Facts> {
        let (blob, bytes, mut findings) = self.open(rows_id);
        let mut read = None;
        if let Some(blob) = blob.as_ref().filter(|_| findings.is_empty()) {
            match self.rows(blob, others) {
                Ok((rows, sections)) => {
                    findings.extend(compare(blob, &sections[&BlobKind::Rows]));
                    read = Some((rows, sections));
                }
                Err(error) => findings.push((&error).into()),
            }
        }
        drop(blob);
        reporter.judge(object(rows_id), bytes, findings);
        let (rows, sections) = match &read {
            Some((rows, sections)) => (Some(rows.as_slice()), Some(sections)),
            None => (None, None),
        };
        let mut facts = Facts::default();
        for id in others {
            let (blob, bytes, mut findings) = self.open(*id);
            if let Some(blob) = blob.filter(|_| findings.is_empty()) {
                findings.extend(match id.kind {
                    BlobKind::Ends => match check_ends(&blob, rows, self.words) {
                        Ok((ends, found)) => {
                            facts.ends.insert(*id, ends);
                            found
                        }
                        Err(error) => vec![(&error).into()],
                    },
                    BlobKind::Edges => match EdgesReader::open(&blob).and_then(|edges| edges.table()) {
                        Ok(edges) => {
                            let found = compare(&blob, &graph::sections(&edges));
                            facts.edges = Some(edges);
                            found
                        }
                        Err(error) => vec![(&error).into()],
                    },
                    _ => check_derived(&blob, rows, sections),
                });
            }
            reporter.judge(object(*id), bytes, findings);
        }
        let rows = rows?;
        facts.ids = rows.iter().map(|row| row.id.clone()).collect();
        facts.keys = rows.iter().map(|row| row.key.0).collect();
        facts.seqs = rows.iter().map(|row| row.seq.0).collect();
        facts.latest = rows.iter().map(|row| row.valid_from).max().unwrap_or(i64::MIN);
        let mut vectors = rows.iter().filter_map(|row| row.vector.as_deref());
        facts.dim = vectors.next().map_or(0, <[f32]>::len);
        facts.vectors = rows.iter().filter(|row| row.vector.is_some()).count();
        Some(facts)
    }

    /// Opens a blob and checks every byte of it against its checksums.
    fn open(&self, id: BlobId) -> (Option<Blob>, u64, Vec<Finding>) {
        let source = match self.storage.blob(id) {
            Ok(source) => source,
            Err(error) => return (None, 0, vec![(&Error::from(error)).into()]),
        };
        let len = source.len();
        match Blob::open(id, source).and_then(|blob| Ok((blob.damage()?, blob))) {
            Ok((damage, blob)) => (Some(blob), len, damage.iter().map(Finding::from).collect()),
            Err(error) => (None, len, vec![(&error).into()]),
        }
    }

    /// All rows, each checked as if it were added now, and what they give.
    fn rows(&self, blob: &Blob, others: &[BlobId]) -> Result<(Vec<SharedRow>, Sections)> {
        let reader = RowsReader::open(blob)?;
        let object = || format!("blob {}.rows", blob.id().number);
        let mut rows = Vec::with_capacity(reader.len());
        for slot in (0..reader.len() as u32).map(Slot) {
            let row = reader.row(slot)?;
            let of = |what: &dyn std::fmt::Display| {
                Error::corrupt(object(), 0, format!("a row that could be added; in slot {}: {what}", slot.0))
            };
            check_id(&row.id).map_err(|e| of(&e))?;
            if let Some(vector) = &row.vector {
                check_vector(self.config.metric, Some(reader.dim()), vector).map_err(|e| of(&e))?;
                if !self.config.stored.holds(vector) {
                    return Err(of(&"its vector is none of the form that the collection stores"));
                }
                if inverse_norm(vector).to_bits() != row.inverse_norm.to_bits() {
                    return Err(of(&"its inverse norm is not that of its vector"));
                }
            }
            rows.push(row);
        }
        let (metric, stored, codes) = (self.config.metric, self.config.stored, Coding::Int8);
        let with = Derive { metric, stored, codes, words: self.words, pool: self.pool };
        let mut sections: Sections = derive(&rows, with).into_iter().collect();
        for kind in others.iter().map(|id| id.kind) {
            if Coding::of_blob(kind).is_some() && !sections.contains_key(&kind) {
                sections.extend(derive_one(&rows, kind, with).map(|made| (kind, made)));
            }
        }
        Ok((rows, sections))
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
