//! Checking a collection: its manifests, segments and logs, and what they say of each other.

use std::collections::{HashMap, HashSet, VecDeque};

use crate::base::{Error, Pool, Result, SortedMap, StorageError};
use crate::collection::{Counters, Op};
use crate::engine::database::Entry;
use crate::engine::log::{self, Replay};
use crate::engine::manifest::Manifest;
use crate::storage::{BlobId, Listing, Object, Storage};
use crate::text::Words;

use super::database::others;
use super::generations::generations;
use super::report::{Finding, Reporter, State, What};
use super::segment::{Facts, SegmentCheck, Segments};

/// A collection that is checked in steps: its manifests, each segment, then its logs and what they say of each other.
pub(super) struct CollectionCheck {
    listing: Listing,
    /// Those in use, the newest first.
    manifests: Vec<Manifest>,
    /// Of the collection as a whole.
    findings: Vec<Finding>,
    words: Option<Words>,
    /// Rows blobs that are not looked at yet, and what belongs to each.
    groups: VecDeque<SegmentCheck>,
    facts: SortedMap<BlobId, Facts>,
}

impl CollectionCheck {
    /// Begins; `entry` is what the catalog says of it.
    pub fn begin(
        storage: &dyn Storage,
        listing: Listing,
        entry: Option<&Entry>,
        reporter: &mut Reporter<'_>,
    ) -> Self {
        reporter.count_collection();
        let manifests = generations(storage, &listing, reporter, false, &Manifest::decode).readable;
        let mut findings = Vec::new();
        for manifest in &manifests {
            if entry.is_some_and(|entry| entry.collection_id != manifest.collection_id) {
                let what = format!(
                    "manifest {} is of another collection than the catalog names",
                    manifest.generation
                );
                findings.push(Finding::new(what));
            }
        }
        let words = manifests.first().and_then(|manifest| manifest.config.text.clone()).map(Words::new);
        let groups = segments(&manifests).into_iter().map(|(rows, others)| SegmentCheck::new(rows, others));
        Self { listing, words, findings, groups: groups.collect(), manifests, facts: SortedMap::new() }
    }

    /// Goes on with a segment; true when all are checked.
    ///
    /// # Errors
    /// `not_resident`, after which it can be called again.
    pub fn step(
        &mut self,
        storage: &dyn Storage,
        pool: &Pool,
        budget: usize,
        reporter: &mut Reporter<'_>,
    ) -> Result<bool> {
        let (Some(segment), Some(manifest)) = (self.groups.front_mut(), self.manifests.first()) else {
            return Ok(true);
        };
        let with = Segments { storage, config: &manifest.config, words: self.words.as_ref(), pool };
        if segment.step(&with, budget, reporter)?
            && let Some(segment) = self.groups.pop_front()
        {
            let rows = segment.rows();
            self.facts.extend(segment.into_facts().map(|facts| (rows, facts)));
        }
        Ok(self.groups.is_empty())
    }

    /// Checks its logs, and what everything says of each other, once all segments are checked.
    pub fn end(mut self, storage: &dyn Storage, reporter: &mut Reporter<'_>) {
        let replays = logs(storage, &self.listing, &self.manifests, reporter);
        for manifest in &self.manifests {
            let of = |what: String| Finding::new(format!("generation {}: {what}", manifest.generation));
            let replay = replays.get(&manifest.generation);
            self.findings.extend(together(manifest, &self.facts, replay).map(of));
        }
        if self.manifests.is_empty() {
            self.findings.push(Finding::new("no manifest can be read, so nothing of it can be opened"));
        }
        unneeded(&self.listing, &self.manifests, reporter);
        others(&self.listing, reporter);
        reporter.judge(What::Whole, 0, self.findings);
    }
}

/// Every segment of the manifests in use, each blob once: its rows, and what belongs to them.
fn segments(manifests: &[Manifest]) -> SortedMap<BlobId, Vec<BlobId>> {
    let mut groups: SortedMap<BlobId, Vec<BlobId>> = SortedMap::new();
    for blobs in manifests.iter().flat_map(|manifest| &manifest.segments) {
        let others = groups.get_or_insert_with(blobs.rows, Vec::new);
        others.extend(blobs.iter().filter(|id| *id != blobs.rows));
        others.sort_unstable();
        others.dedup();
    }
    groups
}

/// Every log of the manifests in use, and what each manifest's recovery would replay.
fn logs(
    storage: &dyn Storage,
    listing: &Listing,
    manifests: &[Manifest],
    reporter: &mut Reporter<'_>,
) -> SortedMap<u64, Replay> {
    let Some(first) = manifests.iter().map(|manifest| manifest.log).min() else { return SortedMap::new() };
    let mut found: SortedMap<u64, (State, Vec<Finding>)> = SortedMap::new();
    let mut bytes = Vec::new();
    let mut expected = first;
    for object in &listing.objects {
        let Object::Log(generation) = *object else { continue };
        if generation < first {
            continue;
        }
        for missing in expected..generation {
            found.insert(missing, (State::Damaged, vec![Finding::new("expected to exist")]));
        }
        expected = generation + 1;
        match storage.log(generation) {
            Ok(log) => bytes.push((generation, log)),
            Err(error) => {
                let told = vec![(&Error::from(error)).into()];
                found.insert(generation, (State::Damaged, told));
            }
        }
    }
    // The log that a manifest names is durable before the manifest.
    for manifest in manifests.iter().filter(|manifest| manifest.log >= expected) {
        found.insert(manifest.log, (State::Damaged, vec![Finding::new("expected to exist")]));
    }
    let mut replays = SortedMap::new();
    if found.is_empty() {
        for manifest in manifests {
            let from = bytes.partition_point(|(generation, _)| *generation < manifest.log);
            match log::replay(manifest.collection_id, manifest.cut.lsn, &bytes[from..]) {
                Ok(replay) => {
                    left_over(&replay, &mut found);
                    replays.insert(manifest.generation, replay);
                }
                Err(error) => blame(&error, &bytes[from..], &mut found),
            }
        }
    }
    for (generation, log) in &bytes {
        let (state, findings) = found.remove(generation).unwrap_or((State::Sound, Vec::new()));
        reporter.tell(What::Object(Object::Log(*generation)), log.len() as u64, state, findings);
    }
    for (generation, (state, findings)) in found {
        reporter.tell(What::Object(Object::Log(generation)), 0, state, findings);
    }
    replays
}

/// What a stopped machine leaves at the end of a log.
fn left_over(replay: &Replay, found: &mut SortedMap<u64, (State, Vec<Finding>)>) {
    let told = match (replay.tail, replay.unborn) {
        (Some((generation, at, bytes)), _) => {
            let what = format!("the last {bytes} bytes are an unfinished write, which opening sets aside");
            (generation, Finding { offset: Some(at), what })
        }
        (None, Some(generation)) => (generation, Finding::new("was being started when the machine stopped")),
        (None, None) => return,
    };
    found.get_or_insert_with(told.0, || (State::Unfinished, vec![told.1]));
}

/// Puts an error down to the log that it names, or to the last.
fn blame(error: &Error, logs: &[(u64, Vec<u8>)], found: &mut SortedMap<u64, (State, Vec<Finding>)>) {
    let named = match error.storage() {
        Some(StorageError::Corrupt { object, .. } | StorageError::UnsupportedVersion { object, .. }) => {
            logs.iter().map(|(generation, _)| *generation).find(|n| *object == format!("log {n}"))
        }
        _ => None,
    };
    let Some(generation) = named.or(logs.last().map(|(generation, _)| *generation)) else { return };
    let (state, findings) = found.get_or_insert_with(generation, || (State::Damaged, Vec::new()));
    *state = State::Damaged;
    let finding = Finding::from(error);
    if !findings.contains(&finding) {
        findings.push(finding);
    }
}

/// What a manifest, its segments and its logs say of each other.
fn together<'a>(
    manifest: &'a Manifest,
    facts: &'a SortedMap<BlobId, Facts>,
    replay: Option<&'a Replay>,
) -> impl Iterator<Item = String> {
    let mut found = Vec::new();
    let counters = manifest.cut.counters;
    let mut live = HashSet::new();
    let mut owners: HashMap<u32, &str> = HashMap::new();
    let mut least = 0;
    for blobs in &manifest.segments {
        let number = blobs.rows.number;
        let Some(segment) = facts.get(&blobs.rows) else { continue };
        let wanted = [
            (blobs.codes.is_some(), segment.vectors > 0, "codes"),
            (blobs.text.is_some(), manifest.config.text.is_some(), "text"),
            (blobs.columns.is_some(), true, "columns"),
        ];
        for (is, _, kind) in wanted.iter().filter(|(is, should, _)| is != should) {
            let what = if *is { "names, though they give none," } else { "does not name" };
            found.push(format!("the manifest {what} the {kind} of {number}.rows"));
        }
        if segment.vectors > 0 && manifest.cut.dim.is_none_or(|dim| dim as usize != segment.dim) {
            found.push(format!("{number}.rows has vectors of {} dimensions", segment.dim));
        }
        if segment.seqs.first().is_some_and(|seq| *seq < least) {
            found.push(format!("{number}.rows begins at a seq of the segment before"));
        }
        least = segment.seqs.last().map_or(least, |seq| seq + 1);
        let ends = blobs.ends.and_then(|id| segment.ends.get(&id));
        let ended = |slot: usize| ends.is_some_and(|ends| ends.contains(crate::base::Slot(slot as u32)));
        for (slot, id) in segment.ids.iter().enumerate() {
            if !ended(slot) && !live.insert(&**id) {
                found.push(format!("document {id:?} is live twice, the second time in {number}.rows"));
            }
            if *owners.entry(segment.keys[slot]).or_insert(id) != &**id {
                found.push(format!("key {} is that of two ids, one of them {id:?}", segment.keys[slot]));
            }
        }
        if let Some(edges) = &segment.edges {
            for (key, name) in edges.names() {
                if *owners.entry(key.0).or_insert(name) != &**name {
                    found.push(format!("key {} is that of two ids, one of them {name:?}", key.0));
                }
            }
            let Counters { next_key, next_relation, next_seq, last_time, .. } = counters;
            let fault = edges.fault(next_key, next_relation, next_seq, last_time);
            found.extend(fault.map(|expected| format!("{number}.edges: expected {expected}")));
        }
        let last_end = ends.iter().flat_map(|ends| ends.iter()).map(|end| end.seq.0).max();
        let latest_end = ends.iter().flat_map(|ends| ends.iter()).map(|end| end.valid_to).max();
        if least.max(last_end.map_or(0, |seq| seq + 1)) > counters.next_seq
            || segment.latest.max(latest_end.unwrap_or(i64::MIN)) > counters.last_time
            || segment.keys.iter().any(|key| *key >= counters.next_key)
        {
            found.push(format!("the manifest's counters are behind {number}.rows"));
        }
    }
    let ops = replay.iter().flat_map(|replay| replay.batches.iter().flat_map(|batch| &batch.ops));
    found.extend(check_ops(manifest, ops, &mut owners));
    found.into_iter()
}

/// What a log says against the state before it.
fn check_ops<'a>(
    manifest: &Manifest,
    ops: impl Iterator<Item = &'a Op>,
    owners: &mut HashMap<u32, &'a str>,
) -> Option<String> {
    let (mut time, mut dim) = (manifest.cut.counters.last_time, manifest.cut.dim);
    for op in ops {
        let at = match op {
            Op::Put { valid_from, .. } => *valid_from,
            Op::Delete { valid_to, .. } => *valid_to,
            Op::Touch { at, .. } | Op::Link { at, .. } | Op::Unlink { at, .. } => *at,
            Op::Configure(settings) => match settings.check(manifest.config.metric) {
                Ok(()) => continue,
                Err(error) => {
                    return Some(format!("the log has settings that the metric cannot have: {error}"));
                }
            },
            Op::Reserve { last_time, .. } => *last_time,
        };
        if at <= time {
            return Some(format!("an op of the log is of time {at}, not after the one before"));
        }
        time = at;
        let (named, vector) = match op {
            Op::Put { key, id, vector, .. } => ([Some((*key, id)), None], vector.as_deref()),
            Op::Link { source, target, .. } | Op::Unlink { source, target, .. } => {
                ([Some((source.0, &source.1)), Some((target.0, &target.1))], None)
            }
            _ => continue,
        };
        for (key, id) in named.into_iter().flatten() {
            if *owners.entry(key.0).or_insert(id) != &**id {
                return Some(format!("the log gives key {} to {id:?}, which another id has", key.0));
            }
        }
        if let (Some(vector), Op::Put { id, .. }) = (vector, op) {
            let own = vector.len() as u32;
            if *dim.get_or_insert(own) != own {
                return Some(format!("the log has a vector of {own} dimensions, of {id:?}"));
            }
        }
    }
    None
}

/// Blobs and logs that no manifest in use names.
fn unneeded(listing: &Listing, manifests: &[Manifest], reporter: &mut Reporter<'_>) {
    let needed: HashSet<Object> = manifests.iter().flat_map(Manifest::objects).collect();
    let first_log = manifests.iter().map(|manifest| manifest.log).min().unwrap_or(0);
    for object in &listing.objects {
        let is_needed = match object {
            Object::Manifest(_) => true,
            Object::Log(generation) => *generation >= first_log && !manifests.is_empty(),
            blob @ Object::Blob(..) => needed.contains(blob),
        };
        if !is_needed {
            reporter.tell(What::Object(*object), 0, State::Unneeded, Vec::new());
        }
    }
}
