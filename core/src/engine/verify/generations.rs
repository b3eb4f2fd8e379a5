//! The pointer and the manifests of a storage: which hold, which are kept to fall back on, which do not count.

use crate::base::{Error, Result};
use crate::storage::{Listing, Object, Storage};

use super::report::{Finding, Reporter, State, What};

/// Manifests that are in use.
pub(super) struct Generations<T> {
    /// The newest that can be read and the one before it, newest first.
    pub readable: Vec<T>,
    /// Whether the first of them is the one that the pointer names.
    pub is_current: bool,
}

/// Reads the pointer and every manifest that is in use. `unborn` says that nothing was ever complete here, so that a
/// missing pointer is no damage.
pub(super) fn generations<T>(
    storage: &dyn Storage,
    listing: &Listing,
    reporter: &mut Reporter<'_>,
    unborn: bool,
    decode: &dyn Fn(u64, &[u8]) -> Result<T>,
) -> Generations<T> {
    let known = |object: &Object| if let Object::Manifest(n) = object { Some(*n) } else { None };
    let mut listed: Vec<u64> = listing.objects.iter().filter_map(known).collect();
    listed.sort_unstable_by(|a, b| b.cmp(a));
    let pointer = storage.current();
    let named = pointer.as_ref().ok().copied().flatten();
    match &pointer {
        Ok(Some(_)) => reporter.judge(What::Pointer, 20, Vec::new()),
        Ok(None) if unborn && listed.iter().all(|n| *n == 1) => {
            let what = "the database was being made when the machine stopped";
            reporter.tell(What::Pointer, 0, State::Unfinished, vec![Finding::new(what)]);
        }
        Ok(None) => {
            reporter.judge(
                What::Pointer,
                20,
                vec![Finding::new("expected a pointer with the right checksum")],
            );
        }
        Err(error) => reporter.judge(What::Pointer, 0, vec![(&Error::from(error.clone())).into()]),
    }
    if let Some(named) = named
        && !listed.contains(&named)
    {
        let what = What::Object(Object::Manifest(named));
        reporter.judge(what, 0, vec![Finding::new("expected to exist: the pointer names it")]);
    }
    let mut found = Generations { readable: Vec::new(), is_current: false };
    for generation in listed {
        let what = What::Object(Object::Manifest(generation));
        if named.is_some_and(|named| generation > named) {
            let told = vec![Finding::new("was never switched to")];
            reporter.tell(what, 0, State::Unfinished, told);
            continue;
        }
        if found.readable.len() == 2 {
            reporter.tell(what, 0, State::Unneeded, Vec::new());
            continue;
        }
        let bytes = storage.manifest(generation);
        let len = bytes.as_ref().map_or(0, Vec::len) as u64;
        match bytes.map_err(Error::from).and_then(|bytes| decode(generation, &bytes)) {
            Ok(manifest) => {
                found.is_current |= named == Some(generation);
                found.readable.push(manifest);
                reporter.judge(what, len, Vec::new());
            }
            Err(error) => reporter.judge(what, len, vec![(&error).into()]),
        }
    }
    found
}
