//! Writing: mutations are checked and resolved into ops, ops are applied to make the next view.
//!
//! `resolve` refuses or decides everything; `prepare` reads what applying needs; `apply` cannot fail. Recovery
//! prepares and applies the same ops, and arrives at the same state.

use std::collections::HashMap;
use std::sync::Arc;

use crate::base::limits::BATCH_MAX;
use crate::base::value::check_object;
use crate::base::{Error, InputError, Key, Lsn, Object, Result, Seq, StateError, check_id};
use crate::segment::{End, Row};
use crate::text::TermCounts;
use crate::vectors::{check_vector, inverse_norm};

use super::chunk::Chunk;
use super::op::Op;
use super::view::{Part, PartView, Place, View};

/// Chunks are merged up to this many rows, so that a commit copies little and a search visits few chunks.
const CHUNK_ROWS_MAX: usize = 8192;

/// A document as the user gives it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Document {
    /// The user's id.
    pub id: String,
    /// Its vector; `None` for a document that is found by its words and metadata alone.
    pub vector: Option<Vec<f32>>,
    /// Its metadata, text included.
    pub metadata: Object,
}

/// A change that a user asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum Mutation {
    /// Stores a document; an id that is there already is an error.
    Add(Document),
    /// Stores a document, replacing the one with its id.
    Upsert(Document),
    /// Deletes the document with this id; one that is not there is no error.
    Delete(String),
}

impl Mutation {
    /// About how many bytes of memtable it takes.
    #[must_use]
    pub fn weight(&self) -> usize {
        match self {
            Self::Add(document) | Self::Upsert(document) => {
                let Document { id, vector, metadata } = document;
                crate::segment::row::weight(id, vector.as_deref(), metadata)
            }
            Self::Delete(_) => 0,
        }
    }
}

/// The counters that every op moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// The next new key.
    pub next_key: u32,
    /// The next seq.
    pub next_seq: u64,
    /// The latest time of any op.
    pub last_time: i64,
}

/// What a batch will do, decided.
#[derive(Debug, Default)]
pub struct Resolved {
    /// The ops; empty when there is nothing to do.
    pub ops: Vec<Op>,
    /// How many documents were there before and are deleted or replaced.
    pub ended: usize,
}

/// Checks a batch and decides everything in it. Nothing changes.
///
/// # Errors
/// The first mutation that cannot be done: `invalid_id`, `dimension_mismatch`, `invalid_vector`, `invalid_metadata`,
/// `document_exists`, `too_large`; `corrupt`.
pub fn resolve(
    view: &View,
    counters: Counters,
    now: i64,
    collection: &str,
    batch: Vec<Mutation>,
) -> Result<Resolved> {
    if batch.len() > BATCH_MAX {
        let (got, limit) = (batch.len() as u64, BATCH_MAX as u64);
        return Err(InputError::TooLarge { what: "a batch", got, limit }.into());
    }
    let mut out = Resolved::default();
    let mut dim = view.dim.map(|dim| dim as usize);
    let (mut next_key, mut time) = (counters.next_key, counters.last_time);
    // What earlier mutations of this batch did to an id: its key, and whether it is live.
    let mut touched: HashMap<String, (Key, bool)> = HashMap::new();
    for mutation in batch {
        let (document, replace) = match mutation {
            Mutation::Add(document) => (document, false),
            Mutation::Upsert(document) => (document, true),
            Mutation::Delete(id) => {
                check_id(&id)?;
                if let Some((key, true)) = known(view, &touched, &id)? {
                    time = now.max(time + 1);
                    touched.insert(id.clone(), (key, false));
                    out.ops.push(Op::Delete { id: id.into(), valid_to: time });
                    out.ended += 1;
                }
                continue;
            }
        };
        let Document { id, vector, metadata } = document;
        check_id(&id)?;
        if let Some(vector) = &vector {
            check_vector(view.config.metric, dim, vector)?;
            dim = Some(vector.len());
        }
        let metadata = check_object(metadata)?;
        let known = known(view, &touched, &id)?;
        if let Some((_, true)) = known {
            if !replace {
                return Err(StateError::DocumentExists { id, collection: collection.to_owned() }.into());
            }
            out.ended += 1;
        }
        let key = match known {
            Some((key, _)) => key,
            None if next_key == u32::MAX => {
                let limit = u64::from(u32::MAX);
                return Err(InputError::TooLarge { what: "the number of ids", got: limit + 1, limit }.into());
            }
            None => {
                next_key += 1;
                Key(next_key - 1)
            }
        };
        time = now.max(time + 1);
        touched.insert(id.clone(), (key, true));
        let vector = vector.map(Vec::into_boxed_slice);
        out.ops.push(Op::Put { key, id: id.into(), valid_from: time, vector, metadata });
    }
    Ok(out)
}

fn known(view: &View, touched: &HashMap<String, (Key, bool)>, id: &str) -> Result<Option<(Key, bool)>> {
    if let Some(found) = touched.get(id) {
        return Ok(Some(*found));
    }
    let Some(place) = view.find(id)? else { return Ok(None) };
    let part = &view.parts[place.part];
    Ok(Some((part.part.key(place.slot)?, !part.ends.contains(place.slot))))
}

/// What applying needs and had to be read.
#[derive(Debug)]
pub struct Prepared {
    rows: Vec<Arc<Row>>,
    /// Ends of versions that were there before, with their words.
    ends: Vec<(Place, End, TermCounts)>,
    /// Ends of versions that the same batch brought: index into `rows`.
    own_ends: Vec<(usize, End, TermCounts)>,
    counters: Counters,
    dim: Option<u32>,
}

/// Reads what applying these ops needs. Nothing changes.
///
/// # Errors
/// `corrupt`, `not_resident`.
pub fn prepare(view: &View, mut counters: Counters, ops: Vec<Op>) -> Result<Prepared> {
    let (mut rows, mut ends, mut own_ends) = (Vec::new(), Vec::new(), Vec::new());
    let mut newest: HashMap<Box<str>, Option<usize>> = HashMap::new();
    let mut dim = view.dim;
    for op in ops {
        let seq = Seq(counters.next_seq);
        counters.next_seq += 1;
        let (id, time) = match &op {
            Op::Put { id, valid_from, .. } => (id.clone(), *valid_from),
            Op::Delete { id, valid_to } => (id.clone(), *valid_to),
        };
        counters.last_time = counters.last_time.max(time);
        let end_at = |slot| End { slot, valid_to: time, seq };
        match newest.get(&id) {
            Some(None) => {}
            Some(Some(index)) => {
                let row: &Arc<Row> = &rows[*index];
                own_ends.push((*index, end_at(crate::base::Slot(*index as u32)), words_of(view, row)));
            }
            None => {
                if let Some(place) = view.find_live(&id)? {
                    let metadata = view.parts[place.part].part.metadata(place.slot)?;
                    let words = view.words.as_ref().map(|w| w.count(&metadata)).unwrap_or_default();
                    ends.push((place, end_at(place.slot), words));
                }
            }
        }
        let Op::Put { key, id, valid_from, vector, metadata } = op else {
            newest.insert(id, None);
            continue;
        };
        counters.next_key = counters.next_key.max(key.0 + 1);
        let own_dim = vector.as_ref().map(|v| v.len() as u32);
        if own_dim.is_some_and(|own| dim.is_some_and(|dim| dim != own)) {
            return Err(Error::corrupt("log", 0, "vectors of one dimension"));
        }
        dim = dim.or(own_dim);
        let inverse_norm = vector.as_ref().map_or(0.0, |v| inverse_norm(v));
        newest.insert(id.clone(), Some(rows.len()));
        rows.push(Arc::new(Row { id, key, seq, valid_from, vector, inverse_norm, metadata }));
    }
    Ok(Prepared { rows, ends, own_ends, counters, dim })
}

fn words_of(view: &View, row: &Row) -> TermCounts {
    view.words.as_ref().map(|words| words.count(&row.metadata)).unwrap_or_default()
}

/// The next view. Chunks before `frozen` are being sealed and stay as they are.
#[must_use]
pub fn apply(view: &View, prepared: Prepared, last: Lsn, frozen: usize) -> (View, Counters) {
    let Prepared { rows, ends, own_ends, counters, dim } = prepared;
    let mut next = view.clone();
    next.lsn = last;
    next.dim = dim;
    for (place, end, words) in ends {
        let part = &mut next.parts[place.part];
        part.ends.end(end);
        part.ends.add_terms(words);
    }
    if !rows.is_empty() {
        let chunk = Chunk::new(rows, view.words.as_deref());
        let mut part = PartView::new(Part::Chunk(Arc::new(chunk)));
        for (_, end, words) in own_ends {
            part.ends.end(end);
            part.ends.add_terms(words);
        }
        next.parts.push(part);
        merge_chunks(&mut next.parts, frozen);
    }
    (next, counters)
}

/// Merges the newest chunks while the one before is no larger, as a binary counter carries.
fn merge_chunks(parts: &mut Vec<PartView>, frozen: usize) {
    while parts.len() >= frozen + 2 {
        let [.., before, last] = parts.as_slice() else { return };
        let (Part::Chunk(a), Part::Chunk(b)) = (&before.part, &last.part) else { return };
        let (a_rows, b_rows) = (a.rows().len(), b.rows().len());
        if a_rows > b_rows || a_rows + b_rows > CHUNK_ROWS_MAX {
            return;
        }
        let mut ends = before.ends.clone();
        ends.append(&last.ends, a_rows as u32);
        let joined = PartView { part: Part::Chunk(Arc::new(a.joined(b))), ends };
        parts.truncate(parts.len() - 2);
        parts.push(joined);
    }
}
