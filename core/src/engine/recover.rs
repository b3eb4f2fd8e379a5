//! Finding the state of a collection in its storage: which manifest, which blobs, which logs.

use std::sync::Arc;

use crate::base::{Error, Event, Result, Slot};
use crate::collection::View;
use crate::segment::{Ends, Segment};
use crate::storage::{Blob, Listing, Object, Storage};
use crate::text::TermCounts;

use super::collection::{Env, open_segment, part};
use super::manifest::Manifest;

/// Which manifests a collection has.
pub(super) struct Manifests {
    /// The newest that can be read.
    pub current: Manifest,
    /// The one before it.
    pub previous: Option<Manifest>,
    /// The highest generation there is, readable or not.
    pub newest: u64,
    /// The pointer's own manifest could not be read: nothing is to be removed, it may be evidence.
    pub fell_back: bool,
}

/// Finds the manifests. The pointer's comes first; where it cannot be read, the one before is taken, whose logs and
/// blobs are kept until the next flip for just this.
pub(super) fn manifests(
    storage: &dyn Storage,
    listing: &Listing,
    env: &Env,
    name: &str,
) -> Result<Manifests> {
    let current = storage.current()?;
    let known = |object: &Object| match object {
        Object::Manifest(generation) => Some(*generation),
        _ => None,
    };
    let mut generations: Vec<u64> = listing.objects.iter().filter_map(known).collect();
    // A manifest above the pointer was never switched to.
    generations.retain(|generation| current.is_none_or(|current| *generation <= current));
    generations.sort_unstable_by(|a, b| b.cmp(a));
    if generations.is_empty() {
        return Err(Error::corrupt("collection", 0, "a manifest"));
    }
    let mut first_error = None;
    let mut found: Vec<Manifest> = Vec::new();
    let newest = generations[0].max(current.unwrap_or(0));
    for generation in generations {
        let read = storage.manifest(generation).map_err(Error::from);
        match read.and_then(|bytes| Manifest::decode(generation, &bytes)) {
            Ok(manifest) => found.push(manifest),
            Err(error) if error.code() == "unsupported_version" => return Err(error),
            Err(error) if found.is_empty() => {
                let message = format!("{error}; falling back to the manifest before");
                env.observer.event(Event::Warning { at: name.to_owned(), message });
                first_error.get_or_insert(error);
            }
            Err(_) => {}
        }
        if found.len() == 2 {
            break;
        }
    }
    let mut found = found.into_iter();
    let Some(manifest) = found.next() else {
        return Err(first_error.unwrap_or_else(|| Error::corrupt("collection", 0, "a readable manifest")));
    };
    let fell_back = current != Some(manifest.generation);
    if fell_back && first_error.is_none() {
        let message = format!("the pointer does not name manifest {}, which is used", manifest.generation);
        env.observer.event(Event::Warning { at: name.to_owned(), message });
    }
    Ok(Manifests { current: manifest, previous: found.next(), newest, fell_back })
}

/// The state at the cut, and what had ended in each segment.
pub(super) fn blobs(
    storage: &dyn Storage,
    env: &Env,
    name: &str,
    manifest: &Manifest,
) -> Result<(View, Vec<Ends>)> {
    let mut view = View::empty(Arc::new(manifest.config.clone()));
    view.lsn = manifest.cut.lsn;
    view.dim = manifest.cut.dim;
    view.counters = manifest.cut.counters;
    let mut base = Vec::new();
    for blobs in &manifest.segments {
        let segment = open_segment(storage, env, name, &view, blobs.clone())?;
        let ends = match blobs.ends {
            Some(id) => ends(&Blob::open(id, storage.blob(id)?)?, &segment, env, name, &view)?,
            None => Ends::default(),
        };
        base.push(ends.clone());
        view.parts.push(part(segment, ends));
    }
    Ok((view, base))
}

/// What had ended in a segment. Only the ends themselves keep a collection from opening when they are damaged.
fn ends(blob: &Blob, segment: &Segment, env: &Env, name: &str, view: &View) -> Result<Ends> {
    let count = |slot: Slot| {
        let words = view.words.as_ref();
        words.map_or(Ok(TermCounts::default()), |words| Ok(words.count(&segment.rows.metadata(slot)?)))
    };
    let told = |what: &str, error: &Error| {
        let message = format!("blob {}.ends: {what}: {error}", blob.id().number);
        env.observer.event(Event::Warning { at: name.to_owned(), message });
    };
    Ends::open_mended(blob, segment.len(), &count, &told)
}

/// The logs that hold frames behind the cut, in order and without a gap.
pub(super) fn logs(
    storage: &dyn Storage,
    listing: &Listing,
    manifest: &Manifest,
) -> Result<Vec<(u64, Vec<u8>)>> {
    let mut logs = Vec::new();
    let mut expected = manifest.log;
    for object in &listing.objects {
        let Object::Log(generation) = *object else { continue };
        if generation < manifest.log {
            continue;
        }
        if generation != expected {
            return Err(Error::corrupt(format!("log {expected}"), 0, "to exist"));
        }
        logs.push((generation, storage.log(generation)?));
        expected += 1;
    }
    if logs.is_empty() {
        return Err(Error::corrupt(format!("log {expected}"), 0, "to exist"));
    }
    Ok(logs)
}
