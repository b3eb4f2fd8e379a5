//! What jobs compute for a segment that stays: its links, and codes of another kind.

use std::ops::Range;
use std::sync::Arc;

use crate::base::{Error, Pool, Result};
use crate::collection::View;
use crate::index::HnswParams;
use crate::index::hnsw::Builder;
use crate::segment::{Ends, Segment};
use crate::storage::BlobKind;
use crate::vectors::{CodeEncoder, Codes, Coding, Metric};

use super::jobs::JobProgress;
use super::work::Built;

/// Codes of a segment, made from its vectors.
pub(super) struct Recoding {
    segment: Arc<Segment>,
    encoder: CodeEncoder,
    done: usize,
}

impl Recoding {
    pub fn new(segment: &Arc<Segment>, metric: Metric, coding: Coding) -> Result<Self> {
        let encoder = CodeEncoder::new(coding, metric, segment.rows.dim(), segment.rows.vectors())?;
        Ok(Self { segment: Arc::clone(segment), encoder, done: 0 })
    }

    pub fn step(&mut self, pool: &Pool, budget: usize) -> Result<bool> {
        let rows = &self.segment.rows;
        let read = |ordinals: Range<usize>| rows.vectors_of(ordinals);
        let is_done = self.encoder.step(budget, &read, pool)?;
        self.done = self.encoder.done();
        Ok(is_done)
    }

    pub fn into_built(self) -> Built {
        let (documents, blobs) = (self.segment.rows.vectors(), vec![self.encoder.blob()]);
        Built { documents, ended: Ends::default(), blobs, is_idle: false }
    }

    pub fn progress(&self) -> JobProgress {
        JobProgress { done: self.done, total: self.segment.rows.vectors() }
    }
}

/// Links of a segment. They are made with int8 codes, whatever else a search traverses.
pub(super) struct Relinking {
    segment: Arc<Segment>,
    /// int8 codes for it, where the segment has others; and whether they are all there.
    int8: Option<(Recoding, bool)>,
    builder: Builder,
    is_linked: bool,
    /// The codes that it is to have, where it has others.
    codes: Option<Recoding>,
}

impl Relinking {
    pub fn new(view: &View, segment: &Arc<Segment>, params: HnswParams) -> Result<Self> {
        let (metric, wanted) = (view.config.metric, view.config.settings.codes);
        let has = segment.blobs.coding();
        let recode = |coding| Recoding::new(segment, metric, coding);
        Ok(Self {
            segment: Arc::clone(segment),
            int8: if has == Some(Coding::Int8) { None } else { Some((recode(Coding::Int8)?, false)) },
            builder: Builder::new(segment.rows.vectors(), params)?,
            is_linked: false,
            codes: if has == Some(wanted) { None } else { Some(recode(wanted)?) },
        })
    }

    pub fn step(&mut self, pool: &Pool, budget: usize) -> Result<bool> {
        if let Some((recoding, is_whole @ false)) = &mut self.int8 {
            *is_whole = recoding.step(pool, budget)?;
            return Ok(false);
        }
        if !self.is_linked {
            self.is_linked = match (&self.int8, self.segment.codes()?) {
                (Some((recoding, _)), _) => {
                    let space = recoding.encoder.space().ok_or_else(|| no_codes(&self.segment))?;
                    self.builder.step(&space, pool, budget)
                }
                (None, Some(Codes::Int8(codes))) => self.builder.step(&codes.space(), pool, budget),
                (None, _) => return Err(no_codes(&self.segment)),
            };
            return Ok(self.is_linked && self.codes.is_none());
        }
        self.codes.as_mut().map_or(Ok(true), |recoding| recoding.step(pool, budget))
    }

    pub fn into_built(self) -> Built {
        let mut blobs = vec![(BlobKind::Links, self.builder.sections())];
        blobs.extend(self.codes.map(|recoding| recoding.encoder.blob()));
        Built { documents: self.segment.rows.vectors(), ended: Ends::default(), blobs, is_idle: false }
    }

    pub fn progress(&self) -> JobProgress {
        let vectors = self.segment.rows.vectors();
        let coded = self.codes.as_ref().map_or(0, |recoding| recoding.done);
        let to_code = self.codes.as_ref().map_or(0, |_| vectors);
        JobProgress { done: self.builder.linked() + coded, total: vectors + to_code }
    }
}

fn no_codes(segment: &Segment) -> Error {
    Error::corrupt(format!("blob {}.codes", segment.blobs.rows.number), 0, "to exist")
}
