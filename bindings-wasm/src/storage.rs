//! Storage behind which a store in TypeScript stands: what is written takes effect here at once and is queued as work.
//!
//! Tickets are one sequence for the whole database, and the store commits in their order, so nothing is ever kept before
//! what it depends on. When the store fails, the whole instance goes: it holds what the store does not.
//! Blobs are brought from the store when a collection is opened and held by its segments; here they are remembered
//! weakly, so that what nobody uses any more does not fill the memory.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::{Arc, Mutex, Weak};

use kithdb::base::error::Missing as MissingRange;
use kithdb::base::sync::lock;
use kithdb::base::{AlignedBytes, Error, Lsn, SortedMap, StorageError};
use kithdb::storage::blob::Resident;
use kithdb::storage::{
    BlobId, BlobSource, CATALOG, Level, Listing, Object, Progress, Storage, StorageRoot, Ticket,
};

use crate::work::{Batch, BlobEntry, PIECE_BYTES, Snapshot, StorageSnapshot, Task};

/// The storages of a database, and the work that is queued for the store.
#[derive(Debug, Default)]
pub struct TabRoot {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    places: SortedMap<u64, Place>,
    queue: VecDeque<Queued>,
    tickets: u64,
    kept: u64,
    /// Nothing is stored: every ticket is kept at once.
    volatile: bool,
}

#[derive(Debug)]
struct Queued {
    storage: u64,
    ticket: u64,
    task: Task,
    /// Bytes of a blob that were taken already.
    taken: usize,
}

/// One storage.
#[derive(Debug, Default)]
struct Place {
    manifests: SortedMap<u64, Vec<u8>>,
    /// The bytes of a log are needed until its collection is open.
    logs: SortedMap<u64, Option<Vec<u8>>>,
    blobs: SortedMap<u64, Held>,
    leftovers: Vec<Object>,
    current: Option<u64>,
    durable: Lsn,
    /// Frames that are not known to be durable: the ticket and the last of them.
    unsynced: VecDeque<(u64, Lsn)>,
}

#[derive(Debug)]
struct Held {
    object: Object,
    length: u64,
    /// Until what needs it has been opened.
    strong: Option<Arc<AlignedBytes>>,
    weak: Weak<AlignedBytes>,
    /// While its pieces arrive: how many bytes there are so far.
    arriving: Option<(AlignedBytes, usize)>,
    /// Its pieces are not those that it was listed with.
    lost: bool,
}

impl Held {
    fn new(object: Object, length: u64) -> Self {
        Self { object, length, strong: None, weak: Weak::new(), arriving: None, lost: false }
    }
}

fn absent(object: String) -> StorageError {
    StorageError::Corrupt { object, offset: 0, expected: "to exist".into() }
}

impl TabRoot {
    /// Nothing is stored.
    pub fn volatile() -> Self {
        let root = Self::default();
        lock(&root.state).volatile = true;
        root
    }

    /// What a store holds.
    pub fn restore(snapshot: Snapshot) -> Self {
        let root = Self::default();
        lock(&root.state).places =
            snapshot.storages.into_iter().map(|storage| (storage.number, Place::from(storage))).collect();
        root
    }

    /// What a store holds of one storage now, in place of what was here; nothing of it when it has gone. Blobs that somebody still
    /// holds are not missing.
    pub fn renew(&self, number: u64, snapshot: Snapshot) {
        let mut state = lock(&self.state);
        let before = state.places.remove(&number).unwrap_or_default();
        let Some(stored) = snapshot.storages.into_iter().find(|storage| storage.number == number) else {
            return;
        };
        let mut place = Place::from(stored);
        for (blob, held) in place.blobs.iter_mut() {
            let known = before.blobs.get(blob);
            if let Some(known) =
                known.filter(|known| (known.object, known.length) == (held.object, held.length))
            {
                held.weak = Weak::clone(&known.weak);
            }
        }
        state.places.insert(number, place);
    }

    /// Queues a barrier.
    pub fn sync(&self) -> Ticket {
        lock(&self.state).queue(CATALOG, Task::Sync)
    }

    /// The last ticket that was given.
    pub fn last_ticket(&self) -> Ticket {
        Ticket(lock(&self.state).tickets)
    }

    /// Hands the next queued work to `take`: whole tasks, or pieces of blobs, of about so many bytes.
    pub fn take_work<T>(&self, bytes: usize, take: impl FnOnce(&Batch<'_>) -> T) -> Option<T> {
        let mut state = lock(&self.state);
        let (mut taken, mut size): (Vec<(Queued, usize)>, _) = (Vec::new(), 0);
        while let Some(mut next) = state.queue.pop_front() {
            let offset = next.taken;
            let piece = next.task.len() - offset;
            let is_blob = matches!(next.task, Task::Blob { .. });
            size += if is_blob { piece.min(PIECE_BYTES) } else { piece };
            next.taken = if is_blob { offset + piece.min(PIECE_BYTES) } else { next.task.len() };
            if next.taken < next.task.len()
                && let Task::Blob { blob, kind, bytes } = &next.task
            {
                let task = Task::Blob { blob: *blob, kind: *kind, bytes: Arc::clone(bytes) };
                state.queue.push_front(Queued { task, ..next });
            }
            taken.push((next, offset));
            if size >= bytes {
                break;
            }
        }
        if taken.is_empty() {
            return None;
        }
        let done = |(queued, _): &&(Queued, usize)| queued.taken >= queued.task.len();
        let before = taken[0].0.ticket - 1;
        let batch = Batch {
            ticket: taken.iter().rfind(done).map_or(before, |(queued, _)| queued.ticket),
            strict: taken.iter().any(|(queued, _)| queued.task.is_strict()),
            work: taken.iter().map(|(queued, offset)| queued.task.work(queued.storage, *offset)).collect(),
        };
        Some(take(&batch))
    }

    /// The store has committed everything up to this ticket, to the disk when it was strict.
    pub fn kept(&self, ticket: u64, strict: bool) {
        let mut state = lock(&self.state);
        state.kept = state.kept.max(ticket);
        if strict {
            for place in state.places.values_mut() {
                while let Some((_, last)) = place.unsynced.front().filter(|(appended, _)| *appended <= ticket)
                {
                    place.durable = *last;
                    place.unsynced.pop_front();
                }
            }
        }
    }

    /// Brings a piece of a blob: `fill` writes its bytes to their place, so that they are copied once.
    pub fn provide(
        &self,
        number: u64,
        blob: u64,
        piece: Range<u64>,
        total: u64,
        fill: impl FnOnce(&mut [u8]),
    ) -> Result<(), Error> {
        let mut state = lock(&self.state);
        let unfit = || {
            Error::corrupt(
                format!("storage {number}, blob {blob}"),
                piece.start,
                "the bytes it was listed with",
            )
        };
        let held = state.places.get_mut(&number).and_then(|place| place.blobs.get_mut(&blob));
        let held = held.filter(|held| held.length == total).ok_or_else(unfit)?;
        // What no memory can hold is not what was stored.
        let len = usize::try_from(total).ok().filter(|len| *len <= isize::MAX as usize).ok_or_else(unfit)?;
        let (mut buffer, there) = held.arriving.take().unwrap_or_else(|| (AlignedBytes::zeroed(len), 0));
        let end = usize::try_from(piece.end).map_err(|_| unfit())?;
        if there as u64 != piece.start || end > buffer.len() {
            return Err(unfit());
        }
        fill(&mut buffer.as_mut_slice()[there..end]);
        let there = end;
        if there == buffer.len() {
            held.strong = Some(Arc::new(buffer));
        } else {
            held.arriving = Some((buffer, there));
        }
        Ok(())
    }

    /// Whether a blob has to be brought before it can be read; its length.
    pub fn is_missing(&self, number: u64, blob: u64) -> Option<u64> {
        let state = lock(&self.state);
        let held = state.places.get(&number)?.blobs.get(&blob)?;
        (held.strong.is_none() && held.weak.strong_count() == 0).then_some(held.length)
    }

    /// The store has not brought what it listed: reading it is an error from now on.
    pub fn lose(&self, number: u64, blob: u64) {
        let mut state = lock(&self.state);
        if let Some(held) = state.places.get_mut(&number).and_then(|place| place.blobs.get_mut(&blob)) {
            held.lost = true;
        }
    }

    /// Forgets the bytes of what nobody holds: what is needed of it is brought again.
    pub fn forget(&self, number: u64) {
        if let Some(place) = lock(&self.state).places.get_mut(&number) {
            for held in place.blobs.values_mut() {
                held.arriving = None;
                if let Some(bytes) = held.strong.take() {
                    held.weak = Arc::downgrade(&bytes);
                }
            }
        }
    }

    /// A collection was opened, or a job of it was published: what it uses it holds itself from now on.
    pub fn release(&self, number: u64) {
        if let Some(place) = lock(&self.state).places.get_mut(&number) {
            place.logs.values_mut().for_each(|bytes| *bytes = None);
            for held in place.blobs.values_mut() {
                // What nobody holds was damaged and made again in memory: a job reads it once more.
                if let Some(bytes) = held.strong.take_if(|bytes| Arc::strong_count(bytes) > 1) {
                    held.weak = Arc::downgrade(&bytes);
                }
            }
        }
    }
}

impl State {
    fn queue(&mut self, storage: u64, task: Task) -> Ticket {
        self.tickets += 1;
        if self.volatile {
            self.kept = self.tickets;
        } else {
            self.queue.push_back(Queued { storage, ticket: self.tickets, task, taken: 0 });
        }
        Ticket(self.tickets)
    }
}

impl From<StorageSnapshot> for Place {
    fn from(stored: StorageSnapshot) -> Self {
        let held = |entry: &BlobEntry| Some((entry.blob, Held::new(entry.object()?, entry.length)));
        Self {
            manifests: stored.manifests.into_iter().map(|m| (m.generation, m.bytes.into_vec())).collect(),
            logs: stored.logs.into_iter().map(|log| (log.generation, Some(log.bytes.into_vec()))).collect(),
            blobs: stored.blobs.iter().filter_map(held).collect(),
            leftovers: stored.leftovers.iter().filter_map(BlobEntry::object).collect(),
            current: stored.current,
            ..Self::default()
        }
    }
}

impl StorageRoot for TabRoot {
    fn storage(&self, number: u64) -> Result<Arc<dyn Storage>, StorageError> {
        lock(&self.state).places.get_or_insert_with(number, Place::default);
        Ok(Arc::new(TabStorage { number, state: Arc::clone(&self.state) }))
    }

    fn remove(&self, number: u64) -> Result<(), StorageError> {
        let mut state = lock(&self.state);
        state.places.remove(&number);
        state.queue(number, Task::RemoveStorage);
        Ok(())
    }

    fn numbers(&self) -> Result<Vec<u64>, StorageError> {
        Ok(lock(&self.state).places.keys().copied().filter(|number| *number != CATALOG).collect())
    }
}

/// One storage of a [`TabRoot`].
#[derive(Debug)]
struct TabStorage {
    number: u64,
    state: Arc<Mutex<State>>,
}

impl TabStorage {
    fn change(&self, task: Task, apply: impl FnOnce(&mut Place, u64)) -> Ticket {
        let mut state = lock(&self.state);
        let ticket = state.queue(self.number, task);
        apply(state.places.get_or_insert_with(self.number, Place::default), ticket.0);
        ticket
    }

    fn read<T>(&self, read: impl FnOnce(&Place) -> T) -> T {
        read(lock(&self.state).places.get_or_insert_with(self.number, Place::default))
    }
}

impl Storage for TabStorage {
    fn start_log(&self, generation: u64, header: Vec<u8>) -> Ticket {
        self.change(Task::Log { generation, header: header.clone() }, |place, _| {
            place.logs.insert(generation, Some(header));
        })
    }

    fn append(&self, generation: u64, frames: Vec<u8>, last: Lsn, level: Level) -> Ticket {
        let strict = level == Level::Always;
        let copy =
            self.read(|place| matches!(place.logs.get(&generation), Some(Some(_)))).then(|| frames.clone());
        let task = if frames.is_empty() { Task::Sync } else { Task::Append { generation, frames, strict } };
        let volatile = lock(&self.state).volatile;
        self.change(task, |place, ticket| {
            if let (Some(copy), Some(Some(bytes))) = (copy, place.logs.get_mut(&generation)) {
                bytes.extend(copy);
            }
            if volatile {
                place.durable = last;
            } else {
                place.unsynced.push_back((ticket, last));
            }
        })
    }

    fn set_aside(&self, generation: u64, from: u64) -> Ticket {
        self.change(Task::SetAside { generation, from }, |place, _| {
            if let Some(Some(bytes)) = place.logs.get_mut(&generation) {
                bytes.truncate(from as usize);
            }
        })
    }

    fn put(&self, id: BlobId, bytes: Arc<AlignedBytes>) -> Ticket {
        let object = Object::Blob(id.number, id.kind);
        let task = Task::Blob { blob: id.number, kind: id.kind, bytes: Arc::clone(&bytes) };
        self.change(task, |place, _| {
            let mut held = Held::new(object, bytes.len() as u64);
            held.strong = Some(bytes);
            place.blobs.insert(id.number, held);
        })
    }

    fn flip(&self, generation: u64, manifest: Vec<u8>) -> Ticket {
        self.change(Task::Flip { generation, manifest: manifest.clone() }, |place, _| {
            place.manifests.insert(generation, manifest);
            place.current = Some(generation);
        })
    }

    fn remove(&self, objects: Vec<Object>) -> Ticket {
        for object in objects {
            self.change(Task::Remove(object), |place, _| {
                match object {
                    Object::Manifest(generation) => drop(place.manifests.remove(&generation)),
                    Object::Log(generation) => drop(place.logs.remove(&generation)),
                    Object::Blob(blob, _) => drop(place.blobs.remove(&blob)),
                }
                place.leftovers.retain(|leftover| *leftover != object);
            });
        }
        Ticket(lock(&self.state).tickets)
    }

    fn sync(&self) -> Ticket {
        self.change(Task::Sync, |_, _| {})
    }

    fn poll(&self, _: Ticket) -> Progress {
        self.progress()
    }

    fn progress(&self) -> Progress {
        Progress { kept: Ticket(lock(&self.state).kept), ..Progress::default() }
    }

    fn durable(&self) -> Lsn {
        self.read(|place| place.durable)
    }

    fn list(&self) -> Result<Listing, StorageError> {
        self.read(|place| {
            let mut objects: Vec<_> = place.blobs.values().map(|held| held.object).collect();
            objects.extend(place.manifests.keys().map(|generation| Object::Manifest(*generation)));
            objects.extend(place.logs.keys().map(|generation| Object::Log(*generation)));
            objects.sort_unstable();
            let mut leftovers = place.leftovers.clone();
            leftovers.sort_unstable();
            Ok(Listing { objects, leftovers, unknown: Vec::new() })
        })
    }

    fn current(&self) -> Result<Option<u64>, StorageError> {
        Ok(self.read(|place| place.current))
    }

    fn manifest(&self, generation: u64) -> Result<Vec<u8>, StorageError> {
        self.read(|place| place.manifests.get(&generation).cloned())
            .ok_or_else(|| absent(format!("manifest {generation}")))
    }

    fn log(&self, generation: u64) -> Result<Vec<u8>, StorageError> {
        self.read(|place| place.logs.get(&generation).cloned().flatten())
            .ok_or_else(|| absent(format!("log {generation}")))
    }

    fn blob(&self, id: BlobId) -> Result<Arc<dyn BlobSource>, StorageError> {
        self.read(|place| {
            let held =
                place.blobs.get(&id.number).filter(|held| held.object == Object::Blob(id.number, id.kind));
            let name = || format!("blob {}.{}", id.number, id.kind.name());
            let held = held.ok_or_else(|| absent(name()))?;
            if held.lost {
                let expected = format!("{} bytes in pieces that follow one another", held.length);
                return Err(StorageError::Corrupt { object: name(), offset: 0, expected });
            }
            match held.strong.clone().or_else(|| held.weak.upgrade()) {
                Some(bytes) => Ok(Arc::new(Resident::new(bytes)) as Arc<dyn BlobSource>),
                None => {
                    let missing = MissingRange { blob: id.number, range: 0..held.length };
                    Err(StorageError::NotResident(vec![missing]))
                }
            }
        })
    }
}
