//! The last changes, in batches, numbered from 1 since the server was started.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use kithdb::base::{Change, Event, Observer, check_name};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

/// So many changes are remembered, or those of the last batch alone when it has more.
const REMEMBERED_MAX: usize = 65_536;
/// So many streams are open at once.
const STREAMS_MAX: usize = 256;
/// Of them so many of one key, so that none keeps the others out.
pub const STREAMS_OF_KEY_MAX: usize = 32;
/// So many batches are handed out at once.
const BATCHES_AT_ONCE: usize = 64;

/// What one write changed.
#[derive(Debug)]
pub struct Batch {
    /// The number of its first change.
    pub first: u64,
    /// Where.
    pub collection: String,
    /// What, in the order in which it was done.
    pub changes: Vec<Change>,
}

impl Batch {
    /// The number after that of its last change.
    pub fn end(&self) -> u64 {
        self.first + self.changes.len() as u64
    }
}

/// The changes of a database: give it to the database as its observer.
#[derive(Clone)]
pub struct Events(Arc<Inner>);

struct Inner {
    ring: Mutex<Ring>,
    /// Marked as changed when there is something new; true once no more will come.
    has_ended: watch::Sender<bool>,
    streams: Arc<Semaphore>,
    /// How many are open of each key that has some.
    of_keys: Mutex<HashMap<String, usize>>,
    /// Tells the numbers of this start of the server from those of another.
    start: u64,
    /// Told of everything else.
    next: Box<dyn Observer>,
}

struct Ring {
    batches: VecDeque<Arc<Batch>>,
    count: usize,
    /// The number of the next change.
    next: u64,
}

/// What there is from a number on.
pub struct Found {
    /// So many changes before them are forgotten.
    pub missed: u64,
    /// The next batches, of which the first may begin before the number asked for.
    pub batches: Vec<Arc<Batch>>,
}

impl Events {
    /// None yet; what is no change goes to `next`.
    pub fn new(next: impl Observer + 'static) -> Self {
        Self(Arc::new(Inner {
            ring: Mutex::new(Ring { batches: VecDeque::new(), count: 0, next: 1 }),
            has_ended: watch::Sender::new(false),
            streams: Arc::new(Semaphore::new(STREAMS_MAX)),
            of_keys: Mutex::default(),
            start: RandomState::new().hash_one(0),
            next: Box::new(next),
        }))
    }

    /// The number of the next change.
    pub fn next(&self) -> u64 {
        self.ring().next
    }

    /// Which start of the server the numbers are of.
    pub fn start(&self) -> u64 {
        self.0.start
    }

    /// The oldest number that is remembered, or the next one.
    pub fn oldest(&self) -> u64 {
        self.ring().oldest()
    }

    /// What there is from a number on, some batches of it.
    pub fn from(&self, number: u64) -> Found {
        let ring = self.ring();
        let missed = ring.oldest().saturating_sub(number);
        let after = ring.batches.partition_point(|batch| batch.end() <= number);
        let batches = ring.batches.iter().skip(after).take(BATCHES_AT_ONCE).cloned().collect();
        Found { missed, batches }
    }

    /// Sees when something is new.
    pub fn watch(&self) -> watch::Receiver<bool> {
        self.0.has_ended.subscribe()
    }

    /// Room for one more stream, of this key or of nobody's, until it is dropped; none when there are too many.
    pub fn admit(&self, key: Option<&str>) -> Option<Room> {
        let permit = Arc::clone(&self.0.streams).try_acquire_owned().ok()?;
        if let Some(key) = key {
            let mut of_keys = self.of_keys();
            let open = of_keys.entry(key.to_owned()).or_default();
            if *open >= STREAMS_OF_KEY_MAX {
                return None;
            }
            *open += 1;
        }
        Some(Room { events: self.clone(), key: key.map(str::to_owned), _permit: permit })
    }

    fn of_keys(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        self.0.of_keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many streams are open.
    pub fn open(&self) -> usize {
        STREAMS_MAX.saturating_sub(self.0.streams.available_permits())
    }

    /// Has every stream end once it has told what there is.
    pub fn end(&self) {
        self.0.has_ended.send_replace(true);
    }

    fn ring(&self) -> MutexGuard<'_, Ring> {
        self.0.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Room for a stream.
pub struct Room {
    events: Events,
    key: Option<String>,
    _permit: OwnedSemaphorePermit,
}

impl Drop for Room {
    fn drop(&mut self) {
        let Some(key) = &self.key else { return };
        let mut of_keys = self.events.of_keys();
        if let Some(open) = of_keys.get_mut(key) {
            *open -= 1;
            if *open == 0 {
                of_keys.remove(key);
            }
        }
    }
}

impl Ring {
    fn oldest(&self) -> u64 {
        self.batches.front().map_or(self.next, |batch| batch.first)
    }

    /// Takes a batch in, and gives back those that are forgotten for it.
    fn push(&mut self, collection: &str, changes: Vec<Change>) -> Vec<Arc<Batch>> {
        let (first, collection) = (self.next, collection.to_owned());
        self.next += changes.len() as u64;
        self.count += changes.len();
        self.batches.push_back(Arc::new(Batch { first, collection, changes }));
        let mut forgotten = Vec::new();
        while self.count > REMEMBERED_MAX && self.batches.len() > 1 {
            let oldest = self.batches.pop_front().expect("there are several");
            self.count -= oldest.changes.len();
            forgotten.push(oldest);
        }
        forgotten
    }
}

impl Observer for Events {
    fn event(&self, event: Event) {
        self.0.next.event(event);
    }

    fn wants_changes(&self) -> bool {
        true
    }

    fn changed(&self, collection: &str, changes: Vec<Change>) {
        // What is stored for ourselves, such as keys and values, has a name that nobody can give.
        if changes.is_empty() || check_name(collection).is_err() {
            return;
        }
        let forgotten = self.ring().push(collection, changes);
        // Freed without the lock.
        drop(forgotten);
        self.0.has_ended.send_modify(|_| ());
    }
}

#[cfg(test)]
mod tests {
    use kithdb::base::NoObserver;

    use super::*;

    fn added(count: usize) -> Vec<Change> {
        (0..count).map(|n| Change::Added { id: n.to_string().into(), at: 0 }).collect()
    }

    #[test]
    fn the_oldest_batches_are_forgotten_and_counted() {
        let events = Events::new(NoObserver);
        assert_eq!((events.next(), events.oldest()), (1, 1));
        for _ in 0..3 {
            events.changed("c", added(REMEMBERED_MAX / 2));
        }
        let half = REMEMBERED_MAX as u64 / 2;
        assert_eq!((events.next(), events.oldest()), (3 * half + 1, half + 1));
        assert_eq!(events.from(1).missed, half);
        assert_eq!(events.from(half + 1).missed, 0);
        assert_eq!(events.from(2 * half).batches.len(), 2);
        assert_eq!(events.from(2 * half + 1).batches.len(), 1);
        assert!(events.from(3 * half + 1).batches.is_empty());

        // A batch that is larger than all that is remembered is there until the next one comes.
        events.changed("c", added(2 * REMEMBERED_MAX));
        assert_eq!(events.from(1).missed, 3 * half);
        assert_eq!(events.from(1).batches[0].changes.len(), 2 * REMEMBERED_MAX);
        events.changed("c", added(1));
        assert_eq!(events.from(1).missed, 7 * half);
    }

    #[test]
    fn a_key_does_not_take_all_streams() {
        // One key opens as many streams as it gets; others still get one, and so does it once it has closed one.
        let events = Events::new(NoObserver);
        let mut open: Vec<_> = (0..STREAMS_OF_KEY_MAX).map(|_| events.admit(Some("a"))).collect();
        assert!(open.iter().all(Option::is_some));
        assert!(events.admit(Some("a")).is_none());
        assert!(events.admit(Some("b")).is_some() && events.admit(None).is_some());
        open.pop();
        assert!(events.admit(Some("a")).is_some());
        drop(open);
        assert!(events.of_keys().is_empty());
    }

    #[test]
    fn what_is_stored_for_ourselves_is_not_told() {
        let events = Events::new(NoObserver);
        events.changed("$kv", added(1));
        events.changed("c", Vec::new());
        assert_eq!(events.next(), 1);
    }
}
