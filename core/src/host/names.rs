//! The collections of a database by name: each closed until it is touched, then opened once for all who touch it.
//!
//! Opening a database reads its catalog and nothing of a collection. Who touches a name opens its collection; others who
//! touch it meanwhile wait for that, and nobody waits for another name. There is never more than one handle that writes:
//! one is let go of only when nobody else holds it, and before it can be opened again.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::ids::KV_NAME;
use crate::base::sync::{AtomicU64, AtomicUsize, Mutex, Ordering, lock};
use crate::base::{Error, Event, Observer, Result, StateError, StorageError};
use crate::engine::Entry;

use super::collection::{CollectionHandle, Leave};

/// All collections that the catalog names.
pub(super) struct Names {
    by_name: Mutex<BTreeMap<String, Arc<Named>>>,
    observer: Arc<dyn Observer>,
    touches: AtomicU64,
    open_count: AtomicUsize,
}

/// A collection that the catalog names. Locks, in the order they are taken: `opening`, `state`.
pub(super) struct Named {
    entry: Entry,
    /// Held by who opens it, lets go of it or drops it.
    opening: Mutex<()>,
    /// Held for a moment only.
    state: Mutex<State>,
    /// When it was last touched, as a count of touches.
    touched: AtomicU64,
}

enum State {
    Closed,
    Open(Arc<CollectionHandle>),
    /// Why it could not be opened when it was last tried.
    Unopenable(Error),
    Dropped,
}

impl Names {
    pub(super) fn new(entries: &[Entry], observer: Arc<dyn Observer>) -> Self {
        let by_name = entries.iter().map(|entry| (entry.name.clone(), Named::new(entry.clone())));
        Self {
            by_name: Mutex::new(by_name.collect()),
            observer,
            touches: AtomicU64::new(0),
            open_count: AtomicUsize::new(0),
        }
    }

    /// All names that users gave, sorted. None is opened.
    pub(super) fn names(&self) -> Vec<String> {
        lock(&self.by_name).keys().filter(|name| *name != KV_NAME).cloned().collect()
    }

    /// The names of all collections, that of the key-value store among them; sorted.
    pub(super) fn with_keys(&self) -> Vec<String> {
        lock(&self.by_name).keys().cloned().collect()
    }

    /// All collections. None is opened.
    pub(super) fn all(&self) -> Vec<Arc<Named>> {
        lock(&self.by_name).values().cloned().collect()
    }

    /// Those that are open now.
    pub(super) fn open(&self) -> Vec<Arc<CollectionHandle>> {
        lock(&self.by_name).values().filter_map(|named| named.open()).collect()
    }

    pub(super) fn insert(&self, entry: Entry) {
        lock(&self.by_name).insert(entry.name.clone(), Named::new(entry));
    }

    /// Takes a name away, before another collection can get it. What [`Names::end`] ends is left to the caller.
    pub(super) fn remove(&self, name: &str) -> Option<Arc<Named>> {
        lock(&self.by_name).remove(name)
    }

    /// Ends a collection whose name was taken away: waits for who opens it, and answers its handle when it was open.
    pub(super) fn end(&self, named: &Named) -> Option<Arc<CollectionHandle>> {
        let _nobody_opens_it = lock(&named.opening);
        match std::mem::replace(&mut *lock(&named.state), State::Dropped) {
            State::Open(handle) => {
                self.open_count.fetch_sub(1, Ordering::Relaxed);
                Some(handle)
            }
            _ => None,
        }
    }

    /// Waits for those who are opening a collection now.
    pub(super) fn wait_for_openers(&self) {
        for named in self.all() {
            drop(lock(&named.opening));
        }
    }

    /// The collection to which a user gave a name.
    ///
    /// # Errors
    /// `unknown_collection`.
    pub(super) fn find_users(&self, name: &str) -> Result<Arc<Named>> {
        if name == KV_NAME {
            return Err(StateError::UnknownCollection { name: name.to_owned() }.into());
        }
        self.find(name)
    }

    /// What the catalog names so.
    ///
    /// # Errors
    /// `unknown_collection`.
    pub(super) fn find(&self, name: &str) -> Result<Arc<Named>> {
        let found = lock(&self.by_name).get(name).cloned();
        found.ok_or_else(|| StateError::UnknownCollection { name: name.to_owned() }.into())
    }

    /// The handle of a collection, opened with `open` when it is not open.
    ///
    /// # Errors
    /// `closed` when it was dropped; `unopenable` with the cause. After one that may pass, a failed read or a full disk,
    /// every touch tries again; damage stays until the database is opened again.
    pub(super) fn touch(
        &self,
        named: &Named,
        open: impl FnOnce(&Entry) -> Result<Arc<CollectionHandle>>,
    ) -> Result<Arc<CollectionHandle>> {
        named.touched.store(self.touches.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
        if let Some(handle) = named.known()? {
            return Ok(handle);
        }
        let _once = lock(&named.opening);
        if let Some(handle) = named.known()? {
            return Ok(handle);
        }
        match open(&named.entry) {
            Ok(handle) => {
                *lock(&named.state) = State::Open(Arc::clone(&handle));
                self.open_count.fetch_add(1, Ordering::Relaxed);
                Ok(handle)
            }
            Err(error) if error.code() == "closed" => Err(error),
            Err(cause) => Err(self.cannot_be_opened(named, cause)),
        }
    }

    fn cannot_be_opened(&self, named: &Named, cause: Error) -> Error {
        let mut state = lock(&named.state);
        // Told once, however often it is touched.
        if !matches!(&*state, State::Unopenable(before) if *before == cause) {
            let message = format!("cannot be opened: {cause}");
            self.observer.event(Event::Warning { at: named.entry.name.clone(), message });
        }
        let error = named.unopenable(&cause);
        *state = State::Unopenable(cause);
        error
    }

    /// When more than `max` are open: lets go of collections that nobody uses, longest untouched first. An eighth more
    /// goes, so that all names are not looked through at every touch. Answers those that could go if they were synced.
    pub(super) fn let_go(&self, max: usize) -> Vec<Arc<CollectionHandle>> {
        let mut surplus = self.open_count.load(Ordering::Relaxed).saturating_sub(max);
        if surplus == 0 {
            return Vec::new();
        }
        surplus += max / 8;
        let mut idle = self.all();
        idle.retain(|named| named.is_idle());
        idle.sort_unstable_by_key(|named| named.touched.load(Ordering::Relaxed));
        let mut unsynced = Vec::new();
        for named in idle {
            if surplus == 0 {
                break;
            }
            match named.let_go() {
                Leave::Now => {
                    self.open_count.fetch_sub(1, Ordering::Relaxed);
                    surplus -= 1;
                }
                Leave::AfterSync => {
                    unsynced.extend(named.open());
                    surplus -= 1;
                }
                Leave::Never => {}
            }
        }
        unsynced
    }
}

impl Named {
    fn new(entry: Entry) -> Arc<Self> {
        let (opening, state) = (Mutex::new(()), Mutex::new(State::Closed));
        Arc::new(Self { entry, opening, state, touched: AtomicU64::new(0) })
    }

    /// Its handle, when it is open.
    pub(super) fn open(&self) -> Option<Arc<CollectionHandle>> {
        if let State::Open(handle) = &*lock(&self.state) { Some(Arc::clone(handle)) } else { None }
    }

    /// Its handle; `None` when it is to be opened.
    fn known(&self) -> Result<Option<Arc<CollectionHandle>>> {
        match &*lock(&self.state) {
            State::Open(handle) => Ok(Some(Arc::clone(handle))),
            State::Closed => Ok(None),
            State::Unopenable(cause) if may_pass(cause) => Ok(None),
            State::Unopenable(cause) => Err(self.unopenable(cause)),
            State::Dropped => Err(StateError::Closed { what: "collection" }.into()),
        }
    }

    fn unopenable(&self, cause: &Error) -> Error {
        StateError::Unopenable { name: self.entry.name.clone(), cause: cause.to_string() }.into()
    }

    /// Whether it is open and nobody else holds its handle: whoever wants it has to lock `state`.
    fn is_idle(&self) -> bool {
        matches!(&*lock(&self.state), State::Open(handle) if Arc::strong_count(handle) == 1)
    }

    fn let_go(&self) -> Leave {
        let Ok(_nobody_opens_it) = self.opening.try_lock() else { return Leave::Never };
        let mut state = lock(&self.state);
        let leave = match &*state {
            State::Open(handle) if Arc::strong_count(handle) == 1 => handle.leave(),
            _ => Leave::Never,
        };
        if leave == Leave::Now {
            *state = State::Closed;
        }
        leave
    }
}

/// Whether what kept a collection from being opened may be over the next time.
fn may_pass(cause: &Error) -> bool {
    matches!(cause.storage(), Some(StorageError::Io { .. } | StorageError::DiskFull { .. }))
}
