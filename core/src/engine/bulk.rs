//! Bulk import: documents go into the blobs of a segment, not through log and memtable, and one flip makes all of them
//! visible and durable.
//!
//! The batch is resolved and applied where no reader looks, and the state with it is sealed. Its seqs, keys and times are
//! reserved by one op in the log, so that what others write meanwhile comes after it; documents that it writes are theirs
//! again once it is done. After a crash before the flip there is nothing of it but the reservation. A second flip of the
//! same state makes the generation to fall back on hold it too: no log could make up for it.

use std::sync::Arc;

use crate::base::limits::BULK_MAX;
use crate::base::{Change, Error, InputError, Result};
use crate::collection::write::{Aside, Loading, apply_aside, prepare};
use crate::collection::{Counters, Mutation, Op, Place, View};
use crate::segment::End;
use crate::storage::{Level, Ticket};
use crate::text::TermCounts;

use super::collection::Collection;
use super::jobs::{Job, JobKind, Plan};
use super::manifest::{Cut, Manifest};

/// What a bulk import changes beside the documents it writes.
pub(super) struct Bulk {
    /// Ends of versions in the segments before it. Those in the memtable are not in its segment.
    ends: Vec<(Place, End, TermCounts)>,
    /// When the first version ended, with those.
    first_end: i64,
    dim: Option<u32>,
    /// What it changes, to be told when readers see it.
    pub(super) changes: Vec<Change>,
    /// Parts of its snapshot that readers do not see.
    pub(super) hidden_parts: usize,
}

/// A bulk import that has begun.
pub struct Begun {
    /// The job that writes it.
    pub job: Job,
    /// How many documents were there before and will be deleted or replaced.
    pub ended: usize,
}

impl Bulk {
    /// Ends in the next view what it replaces.
    pub(super) fn end_in(&self, next: &mut View) {
        for (place, end, words) in &self.ends {
            let part = &mut next.parts[place.part];
            part.ends.end(*end);
            part.ends.add_terms(words.clone());
        }
        next.counters.first_end = next.counters.first_end.min(self.first_end);
        next.dim = next.dim.or(self.dim);
    }
}

/// The same state under the next generation, queued.
pub struct Confirmation {
    manifest: Manifest,
    /// Kept when it is durable.
    pub ticket: Ticket,
}

impl Collection {
    /// Queues the manifest once more, under the next generation, so that the one to fall back on holds the same. The log
    /// tells nothing of what a bulk import wrote: it has to be there before the import is acknowledged. What a large job
    /// replaced can go then.
    ///
    /// # Errors
    /// `degraded`.
    pub fn confirm(&mut self) -> Result<Confirmation> {
        self.check_writable()?;
        self.newest += 1;
        let (generation, next_blob) = (self.newest, self.next_blob);
        let manifest = Manifest { next_blob, ..self.manifest.clone().next(generation) };
        let ticket = self.storage.flip(manifest.generation, manifest.encode());
        Ok(Confirmation { manifest, ticket })
    }

    /// Takes note that the confirmation is kept.
    pub fn confirmed(&mut self, confirmation: Confirmation) {
        // It may have been recovered meanwhile, and found it.
        if confirmation.manifest.generation == self.manifest.generation + 1 {
            self.previous = Some(std::mem::replace(&mut self.manifest, confirmation.manifest));
            self.clean();
        }
    }

    /// Checks a batch of any size up to [`BULK_MAX`] and begins to write it, with what is in the memtable, as one segment.
    /// All of it is visible and durable once the job's commit is kept, or, on an error, nothing. `None` when there is
    /// nothing to do.
    ///
    /// # Errors
    /// As [`crate::collection::write::resolve`]; `too_large` for more than one job is to write; `invalid_parameter` when
    /// a job is running; `degraded`; `not_resident`, after which it can be called again.
    pub fn begin_bulk(&mut self, batch: Vec<Mutation>) -> Result<Option<Begun>> {
        self.check_writable()?;
        if self.job_running {
            return Err(Error::parameter("job", "bulk", "no other job of the collection to be running"));
        }
        if batch.iter().any(|mutation| {
            matches!(mutation, Mutation::Link(_) | Mutation::Unlink(_) | Mutation::Relink { .. })
        }) {
            return Err(Error::parameter("bulk", "an edge", "documents; edges go through the log"));
        }
        let (got, limit) = (batch.iter().map(|m| m.weight() as u64).sum(), self.job_bytes_max);
        if got > limit {
            return Err(InputError::TooLarge { what: "a bulk import, in bytes,", got, limit }.into());
        }
        let view = self.reader().load_full();
        let resolved = self.resolve(batch, BULK_MAX)?;
        if resolved.ops.is_empty() {
            return Ok(None);
        }
        let changes = self.changes(&resolved);
        let ids = resolved.ops.iter().filter_map(Op::id).map(Box::from).collect();
        let makes_edges = resolved.linked > 0;
        let seqs = resolved.ops.len() as u64;
        let Aside { view: mut written, ends } = apply_aside(&view, prepare(&view, resolved.ops)?);
        let (counters, dim) = (written.counters, written.dim);
        let Counters { next_key, next_relation, last_time, .. } = counters;
        let next_relation = if makes_edges { next_relation } else { 0 };
        let reserve = Op::Reserve { seqs, next_key, last_time, next_relation };
        self.log_and_apply(vec![reserve], Level::Os)?;
        written.lsn = self.lsn();
        let first = self.manifest.segments.len();
        let bulk = Bulk {
            ends: ends.into_iter().filter(|(place, ..)| place.part < first).collect(),
            first_end: counters.first_end,
            dim,
            changes,
            hidden_parts: written.parts.len() - view.parts.len(),
        };
        let plan = Plan::Write { parts: first..written.parts.len(), moves_cut: true, link: false };
        let cut = Cut { lsn: written.lsn, counters, dim };
        let job = self.begin_on(JobKind::Seal, plan, Arc::new(written), cut, Some(bulk))?;
        self.loading = Some(Loading { ids, named: resolved.named, relations: resolved.relations, dim });
        Ok(Some(Begun { job, ended: resolved.ended }))
    }
}
