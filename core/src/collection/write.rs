//! Writing: mutations are checked and resolved into ops, ops are applied to make the next view.
//!
//! `resolve` refuses or decides everything; `prepare` reads what applying needs; `apply` cannot fail. Recovery
//! prepares and applies the same ops, and arrives at the same state.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::base::limits::AUTO_LINK_EDGES_MAX;
use crate::base::time::format_time;
use crate::base::value::check_object;
use crate::base::{
    Change, Error, InputError, Key, Lsn, NEVER, Object, Result, Seq, Slot, StateError, check_id,
};
use crate::graph::{EdgeTable, Gone, Relation};
use crate::segment::{End, Row};
use crate::text::TermCounts;
use crate::vectors::{check_vector, inverse_norm};

use super::auto_links::{self, AutoLink};
use super::chunk::Chunk;
use super::config::{CollectionConfig, Settings};
use super::linking::{LinkRequest, Linking, Noted, UnlinkRequest};
use super::op::Op;
use super::view::{Part, PartView, Place, View};

/// Chunks are merged up to this many rows and edges, so that a commit copies little and a search visits few chunks.
const CHUNK_ENTRIES_MAX: usize = 8192;

/// So many expired documents are ended with a batch at most.
const EXPIRED_AT_ONCE: usize = 1_000;

/// A document as the user gives it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Document {
    /// The user's id.
    pub id: String,
    /// Its vector; `None` for a document that is found by its words and metadata alone.
    pub vector: Option<Vec<f32>>,
    /// Its metadata, text included.
    pub metadata: Object,
    /// When it goes by itself: ns since 1970 UTC, above the time of the write. `None` for never.
    pub expires_at: Option<i64>,
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
    /// Counts a use of the document with this id; one that is not there is no error.
    Touch(String),
    /// Links two documents, which need not exist yet.
    Link(LinkRequest),
    /// Ends an edge; one that is not there is no error.
    Unlink(UnlinkRequest),
    /// Makes the edges that the rules of the collection name of this document and that are not there; one that is not there
    /// is no error.
    Relink {
        /// The document.
        id: String,
        /// About how many bytes of memtable they take.
        bytes: usize,
    },
}

impl Mutation {
    /// The ids of its documents.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        let (one, other) = match self {
            Self::Add(document) | Self::Upsert(document) => (&document.id, None),
            Self::Delete(id) | Self::Touch(id) | Self::Relink { id, .. } => (id, None),
            Self::Link(link) => (&link.source, Some(&link.target)),
            Self::Unlink(unlink) => (&unlink.source, Some(&unlink.target)),
        };
        std::iter::once(one.as_str()).chain(other.map(String::as_str))
    }

    /// The ids that rules find in the metadata of its document, and in that of the version before.
    ///
    /// # Errors
    /// `corrupt`, `not_resident`.
    pub fn names(&self, view: &View) -> Result<Vec<String>> {
        let rules = &view.config.settings.auto_links;
        let (Self::Add(Document { id, metadata, .. }) | Self::Upsert(Document { id, metadata, .. })) = self
        else {
            return Ok(Vec::new());
        };
        // One that names more is refused.
        let mut names = auto_links::targets(rules, id, metadata, AUTO_LINK_EDGES_MAX);
        if let Some(Place { part, slot }) = view.find_unended(id)?.filter(|_| !rules.is_empty()) {
            let fields = auto_links::fields(rules);
            names.extend(auto_links::targets(
                rules,
                id,
                &*view.parts[part].part.fields(slot, &fields)?,
                usize::MAX,
            ));
        }
        Ok(names)
    }

    /// About how many bytes of memtable it takes.
    #[must_use]
    pub fn weight(&self) -> usize {
        match self {
            Self::Add(document) | Self::Upsert(document) => {
                let Document { id, vector, metadata, .. } = document;
                crate::segment::row::weight(id, vector.as_deref(), metadata)
            }
            Self::Link(link) => link.weight_in_bytes(),
            Self::Relink { bytes, .. } => *bytes,
            Self::Delete(_) | Self::Touch(_) | Self::Unlink(_) => 0,
        }
    }
}

/// The counters that every op moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counters {
    /// The next new key.
    pub next_key: u32,
    /// The next number of a relation; above 0 once there was an edge.
    pub next_relation: u32,
    /// The next seq.
    pub next_seq: u64,
    /// The latest time of any op.
    pub last_time: i64,
    /// When the first version ended, of all that ever did; [`NEVER`] before.
    pub first_end: i64,
    /// What was there before this moment is not known, whatever is kept: the collection came from elsewhere.
    pub known_from: i64,
}

impl Counters {
    pub(super) fn reserve(&mut self, seqs: u64, next_key: u32, last_time: i64) {
        self.next_seq += seqs;
        self.next_key = self.next_key.max(next_key);
        self.last_time = self.last_time.max(last_time);
    }
}

impl Default for Counters {
    fn default() -> Self {
        Self {
            next_key: 0,
            next_relation: 0,
            next_seq: 0,
            last_time: 0,
            first_end: NEVER,
            known_from: i64::MIN,
        }
    }
}

/// What a batch will do, decided.
#[derive(Debug, Default)]
pub struct Resolved {
    /// The ops; empty when there is nothing to do.
    pub ops: Vec<Op>,
    /// Which of the ops store a version in the place of one that is there: ascending.
    pub replacing: Vec<usize>,
    /// How many documents were there before and are deleted or replaced.
    pub ended: usize,
    /// How many documents were there to be touched.
    pub touched: usize,
    /// How many versions of edges began.
    pub linked: usize,
    /// How many edges were there and ended, or were erased.
    pub unlinked: usize,
    /// The ids that documents of the batch name by the rules, or named before.
    pub named: HashSet<Box<str>>,
    /// Numbers of relations that the batch gave or used.
    pub relations: HashMap<String, Relation>,
}

impl Resolved {
    /// What it will change, in its order, for whoever is told.
    #[must_use]
    pub fn changes(&self) -> Vec<Change> {
        let mut replacing = self.replacing.iter().peekable();
        let change = |(i, op): (usize, &Op)| {
            Some(match op {
                Op::Put { id, valid_from, .. } => {
                    let (id, at) = (id.clone(), *valid_from);
                    match replacing.next_if_eq(&&i) {
                        Some(_) => Change::Replaced { id, at },
                        None => Change::Added { id, at },
                    }
                }
                Op::Delete { id, valid_to } => Change::Deleted { id: id.clone(), at: *valid_to },
                Op::Touch { id, at } => Change::Touched { id: id.clone(), at: *at },
                Op::Link { source, relation, target, at, .. } => {
                    let [source, relation, target] = [&source.1, &relation.1, &target.1].map(Clone::clone);
                    Change::Linked { source, relation, target, at: *at }
                }
                Op::Unlink { source, relation, target, at, .. } => {
                    let [source, relation, target] = [&source.1, &relation.1, &target.1].map(Clone::clone);
                    Change::Unlinked { source, relation, target, at: *at }
                }
                Op::Configure(_) | Op::Reserve { .. } => return None,
            })
        };
        self.ops.iter().enumerate().filter_map(change).collect()
    }
}

/// What is known of an id, from the view or from earlier mutations of the batch.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known {
    key: Key,
    has_ended: bool,
    expires_at: i64,
    /// Which op of the batch stored it; `None` for one before.
    put: Option<usize>,
}

impl Known {
    pub(super) fn is_there(self, time: i64) -> bool {
        !self.has_ended && self.expires_at > time
    }
}

/// What resolving takes besides the state and the batch.
#[derive(Debug, Clone, Copy)]
pub struct Circumstances<'a> {
    /// The clock's time.
    pub now: i64,
    /// The name of the collection, for errors.
    pub collection: &'a str,
    /// Most documents in the batch.
    pub batch_max: usize,
    /// A bulk import that is being written.
    pub loading: Option<&'a Loading>,
}

/// What a bulk import that is not visible yet will change.
#[derive(Debug, Clone, Default)]
pub struct Loading {
    /// The ids of its documents: others do not write them meanwhile.
    pub ids: HashSet<Box<str>>,
    /// The ids that its documents name by the rules, or named before: nor do others write these or make edges to them.
    pub named: HashSet<Box<str>>,
    /// The numbers of its relations.
    pub relations: HashMap<String, Relation>,
    /// The dimension of its vectors.
    pub dim: Option<u32>,
}

/// Checks a batch and decides everything in it. Nothing changes. What has expired ends with it: it is gone for readers
/// already, and now the statistics of words and the storage take note.
///
/// # Errors
/// The first mutation that cannot be done: `invalid_id`, `dimension_mismatch`, `invalid_vector`, `invalid_metadata`,
/// `invalid_parameter` for a document that would have expired, `document_exists`, `too_large`; `corrupt`.
pub fn resolve(view: &View, with: Circumstances<'_>, batch: Vec<Mutation>) -> Result<Resolved> {
    let Circumstances { now, collection, batch_max, loading } = with;
    if batch.len() > batch_max {
        let (got, limit) = (batch.len() as u64, batch_max as u64);
        return Err(InputError::TooLarge { what: "a batch", got, limit }.into());
    }
    let (next_key, time) = (view.counters.next_key, view.counters.last_time);
    let dim = view.dim.or(loading.and_then(|loading| loading.dim)).map(|dim| dim as usize);
    let out = Resolved::default();
    let edges = Linking::new(view, now, loading)?;
    let (touched, to_come, named_bytes) = (HashMap::new(), stores_to_come(view, &batch), 0);
    let mut resolver =
        Resolver { view, now, collection, touched, to_come, edges, dim, next_key, time, named_bytes, out };
    for id in view.expired(now, EXPIRED_AT_ONCE)? {
        if loading.is_none_or(|loading| !loading.ids.contains(id.as_str())) {
            resolver.expire(id)?;
        }
    }
    for mutation in batch {
        match mutation {
            Mutation::Add(document) => resolver.put(document, false)?,
            Mutation::Upsert(document) => resolver.put(document, true)?,
            Mutation::Delete(id) => resolver.delete(id)?,
            Mutation::Touch(id) => resolver.touch(id)?,
            Mutation::Link(link) => resolver.link(link)?,
            Mutation::Unlink(unlink) => resolver.unlink(&unlink)?,
            Mutation::Relink { id, .. } => resolver.relink(&id)?,
        }
    }
    Ok(Resolved { relations: resolver.edges.into_relations(), ..resolver.out })
}

/// How often a batch stores each document; empty where no rule wants to know it.
fn stores_to_come(view: &View, batch: &[Mutation]) -> HashMap<String, usize> {
    let mut to_come = HashMap::new();
    if view.config.settings.auto_links.iter().any(|rule| rule.creates) {
        for mutation in batch {
            if let Mutation::Add(document) | Mutation::Upsert(document) = mutation {
                *to_come.entry(document.id.clone()).or_default() += 1;
            }
        }
    }
    to_come
}

pub(super) struct Resolver<'a> {
    pub(super) view: &'a View,
    now: i64,
    collection: &'a str,
    touched: HashMap<String, Known>,
    /// How often the rest of the batch stores a document, where rules make documents.
    pub(super) to_come: HashMap<String, usize>,
    pub(super) edges: Linking<'a>,
    dim: Option<usize>,
    next_key: u32,
    /// That of the last op.
    pub(super) time: i64,
    /// What rules made of the batch so far.
    pub(super) named_bytes: usize,
    pub(super) out: Resolved,
}

impl<'a> Resolver<'a> {
    /// The time of the next op.
    pub(super) fn next_time(&self) -> i64 {
        self.now.max(self.time + 1)
    }

    pub(super) fn known(&self, id: &str) -> Result<Option<Known>> {
        if let Some(found) = self.touched.get(id) {
            return Ok(Some(*found));
        }
        let Some(Place { part, slot }) = self.view.find(id)? else { return Ok(None) };
        let part = &self.view.parts[part];
        let (key, expires_at) = (part.part.key(slot)?, part.part.expires_at(slot)?);
        Ok(Some(Known { key, has_ended: part.ends.contains(slot), expires_at, put: None }))
    }

    /// The metadata of the document that is there when the next op is: the fields, at least, that rules look at.
    pub(super) fn metadata_of(&self, id: &str, rules: &[AutoLink]) -> Result<Option<Cow<'_, Object>>> {
        let Some(known) = self.known(id)?.filter(|known| known.is_there(self.next_time())) else {
            return Ok(None);
        };
        if let Some(op) = known.put {
            let Op::Put { metadata, .. } = &self.out.ops[op] else { return Ok(None) };
            return Ok(Some(Cow::Borrowed(metadata)));
        }
        let Some(Place { part, slot }) = self.view.find(id)? else { return Ok(None) };
        self.view.parts[part].part.fields(slot, &auto_links::fields(rules)).map(Some)
    }

    fn put(&mut self, document: Document, replace: bool) -> Result<()> {
        let Document { id, mut vector, metadata, expires_at } = document;
        check_id(&id)?;
        if let Some(vector) = &mut vector {
            let config = &self.view.config;
            check_vector(config.metric, self.dim, vector)?;
            config.stored.round(config.metric, vector)?;
            self.dim = Some(vector.len());
        }
        let metadata = check_object(metadata)?;
        let (valid_from, expires_at) = (self.next_time(), expires_at.unwrap_or(NEVER));
        if expires_at <= valid_from {
            let expected = format!("a time after that of the write, {}", format_time(valid_from));
            return Err(Error::parameter("expires_at", format_time(expires_at), expected));
        }
        let known = self.known(&id)?;
        if known.is_some_and(|known| known.is_there(valid_from)) {
            if !replace {
                let collection = self.collection.to_owned();
                return Err(StateError::DocumentExists { id, collection }.into());
            }
            self.out.ended += 1;
            self.out.replacing.push(self.out.ops.len());
        }
        if let Some(count) = self.to_come.get_mut(&id) {
            *count -= 1;
        }
        let change = self.named_change(&id, &metadata)?;
        let key = self.begin_version(&id, known, valid_from, expires_at)?;
        let (vector, name) = (vector.map(Vec::into_boxed_slice), id.as_str().into());
        self.out.ops.push(Op::Put { key, id: name, valid_from, expires_at, vector, metadata });
        self.follow(&id, change)
    }

    /// A version of a document begins with the next op; its key.
    pub(super) fn begin_version(
        &mut self,
        id: &str,
        known: Option<Known>,
        at: i64,
        expires_at: i64,
    ) -> Result<Key> {
        let key = match known {
            Some(known) => known.key,
            None => self.key_of_end(id)?,
        };
        if let Some(known) = known.filter(|known| !known.has_ended && known.expires_at < at) {
            self.edges.gone(key, known.expires_at);
        }
        self.time = at;
        let put = Some(self.out.ops.len());
        self.touched.insert(id.to_owned(), Known { key, has_ended: false, expires_at, put });
        Ok(key)
    }

    /// The key of an id, which is given to it now if nothing has mentioned it.
    pub(super) fn key(&mut self, id: &str) -> Result<Key> {
        if let Some(key) = self.edges.met(id) {
            return Ok(key);
        }
        let key = match self.known(id)? {
            Some(known) => known.key,
            None => self.key_of_end(id)?,
        };
        self.edges.name(id, key);
        Ok(key)
    }

    /// When the version of a document that has not ended expires; [`NEVER`] when it does not, or there is none.
    pub(super) fn expires_at(&self, id: &str) -> Result<i64> {
        let known = self.known(id)?.filter(|known| !known.has_ended);
        Ok(known.map_or(NEVER, |known| known.expires_at))
    }

    /// The key of an id that something has mentioned.
    pub(super) fn key_of_known(&self, id: &str) -> Result<Option<Key>> {
        Ok(self.known(id)?.map(|known| known.key).or_else(|| self.edges.key(id)))
    }

    /// The key of an id that is no document's.
    fn key_of_end(&mut self, id: &str) -> Result<Key> {
        if let Some(key) = self.edges.key(id) {
            return Ok(key);
        }
        self.new_key()
    }

    fn new_key(&mut self) -> Result<Key> {
        if self.next_key == u32::MAX {
            let limit = u64::from(u32::MAX);
            return Err(InputError::TooLarge { what: "the number of ids", got: limit + 1, limit }.into());
        }
        self.next_key += 1;
        Ok(Key(self.next_key - 1))
    }

    fn delete(&mut self, id: String) -> Result<()> {
        check_id(&id)?;
        if let Some(known) = self.known(&id)?
            && known.is_there(self.next_time())
        {
            self.end(id, known);
            self.out.ended += 1;
        }
        Ok(())
    }

    fn touch(&mut self, id: String) -> Result<()> {
        check_id(&id)?;
        let at = self.next_time();
        if self.known(&id)?.is_some_and(|known| known.is_there(at)) {
            self.time = at;
            self.out.touched += 1;
            self.out.ops.push(Op::Touch { id: id.into(), at });
        }
        Ok(())
    }

    fn expire(&mut self, id: String) -> Result<()> {
        if let Some(known) = self.known(&id)? {
            self.end(id, known);
        }
        Ok(())
    }

    fn end(&mut self, id: String, known: Known) {
        self.time = self.next_time();
        // What has expired went then, not when it is noted.
        self.edges.gone(known.key, self.time.min(known.expires_at));
        self.touched.insert(id.clone(), Known { has_ended: true, ..known });
        self.out.ops.push(Op::Delete { id: id.into(), valid_to: self.time });
    }
}

/// What applying needs and had to be read.
#[derive(Debug)]
pub struct Prepared {
    rows: Vec<Arc<Row>>,
    /// Ends of versions that were there before, with their words.
    ends: Vec<(Place, End, TermCounts)>,
    /// Ends of versions that the same batch brought: index into `rows`.
    own_ends: Vec<(usize, End, TermCounts)>,
    /// Touches of versions that were there before, and of the batch's own.
    touches: Vec<(Place, i64)>,
    own_touches: Vec<(usize, i64)>,
    edges: EdgeTable,
    settings: Option<Settings>,
    counters: Counters,
    dim: Option<u32>,
}

/// Reads what applying these ops needs. Nothing changes.
///
/// # Errors
/// `corrupt`, `not_resident`.
pub fn prepare(view: &View, ops: Vec<Op>) -> Result<Prepared> {
    let mut counters = view.counters;
    let (mut rows, mut ends, mut own_ends) = (Vec::new(), Vec::new(), Vec::new());
    let (mut touches, mut own_touches, mut settings) = (Vec::new(), Vec::new(), None);
    let mut newest: HashMap<Box<str>, Option<usize>> = HashMap::new();
    let (mut dim, mut noted) = (view.dim, Noted::default());
    for op in ops {
        let seq = Seq(counters.next_seq);
        let (id, time) = match &op {
            Op::Put { id, valid_from, .. } => (id.clone(), *valid_from),
            Op::Delete { id, valid_to } => (id.clone(), *valid_to),
            Op::Touch { id, at } => {
                match newest.get(id) {
                    Some(None) => {}
                    Some(Some(index)) => own_touches.push((*index, *at)),
                    None => touches.extend(view.find_unended(id)?.map(|place| (place, *at))),
                }
                counters.reserve(1, 0, *at);
                continue;
            }
            Op::Link { .. } | Op::Unlink { .. } => {
                noted.take(op, seq, &mut counters);
                continue;
            }
            Op::Configure(changed) => {
                settings = Some(fitting(changed.clone(), view)?);
                counters.reserve(1, 0, i64::MIN);
                continue;
            }
            Op::Reserve { seqs, next_key, last_time, next_relation } => {
                counters.reserve(*seqs, *next_key, *last_time);
                counters.next_relation = counters.next_relation.max(*next_relation);
                continue;
            }
        };
        counters.next_seq += 1;
        counters.last_time = counters.last_time.max(time);
        let (is_delete, has_edges) = (matches!(op, Op::Delete { .. }), counters.next_relation > 0);
        // What has expired before ended then.
        let mut end_at = |slot, expires_at: i64, key: Key| {
            let valid_to = time.min(expires_at);
            counters.first_end = counters.first_end.min(valid_to);
            if has_edges && (is_delete || valid_to < time) {
                noted.gone.push(Gone { key, seq, at: valid_to });
            }
            End { slot, valid_to, seq }
        };
        match newest.get(&id) {
            Some(None) => {}
            Some(Some(index)) => {
                let row: &Arc<Row> = &rows[*index];
                let end = end_at(Slot(*index as u32), row.expires_at, row.key);
                own_ends.push((*index, end, words_of(view, row)));
            }
            None => {
                if let Some((place, expires_at, key, words)) = unended(view, &id)? {
                    ends.push((place, end_at(place.slot, expires_at, key), words));
                }
            }
        }
        let Op::Put { key, id, valid_from, expires_at, vector, metadata } = op else {
            newest.insert(id, None);
            continue;
        };
        counters.next_key = counters.next_key.max(key.0 + 1);
        dim = dim_with(dim, vector.as_deref(), &view.config)?;
        let inverse_norm = vector.as_ref().map_or(0.0, |v| inverse_norm(v));
        newest.insert(id.clone(), Some(rows.len()));
        rows.push(Arc::new(Row { id, key, seq, valid_from, expires_at, vector, inverse_norm, metadata }));
    }
    let edges = noted.into_table();
    Ok(Prepared { rows, ends, own_ends, touches, own_touches, edges, settings, counters, dim })
}

/// The version of an id that has not ended: when it expires, its key and its words.
fn unended(view: &View, id: &str) -> Result<Option<(Place, i64, Key, TermCounts)>> {
    let Some(place) = view.find_unended(id)? else { return Ok(None) };
    let part = &view.parts[place.part].part;
    let words = match &view.words {
        Some(words) => words.count(&part.metadata(place.slot)?),
        None => TermCounts::default(),
    };
    Ok(Some((place, part.expires_at(place.slot)?, part.key(place.slot)?, words)))
}

/// The dimension of a collection that has a vector more.
fn dim_with(dim: Option<u32>, vector: Option<&[f32]>, config: &CollectionConfig) -> Result<Option<u32>> {
    let Some(vector) = vector else { return Ok(dim) };
    if dim.is_some_and(|dim| dim as usize != vector.len()) {
        return Err(Error::corrupt("log", 0, "vectors of one dimension"));
    }
    if !config.stored.holds(vector) {
        return Err(Error::corrupt("log", 0, "vectors of the form that the collection stores"));
    }
    Ok(dim.or(Some(vector.len() as u32)))
}

/// Settings that `configure` would have taken.
fn fitting(settings: Settings, view: &View) -> Result<Settings> {
    let fits = settings.check(view.config.metric);
    fits.map(|()| settings).map_err(|_| Error::corrupt("log", 0, "settings that fit the metric"))
}

fn words_of(view: &View, row: &Row) -> TermCounts {
    view.words.as_ref().map(|words| words.count(&row.metadata)).unwrap_or_default()
}

/// The next view. Chunks before `frozen` are being sealed and stay as they are.
#[must_use]
pub fn apply(view: &View, prepared: Prepared, last: Lsn, frozen: usize) -> View {
    let Prepared { rows, ends, own_ends, touches, own_touches, edges, settings, counters, dim } = prepared;
    let mut next = view.clone();
    next.lsn = last;
    next.dim = dim;
    next.counters = counters;
    if let Some(settings) = settings {
        next.config = Arc::new(CollectionConfig { settings, ..(*next.config).clone() });
    }
    for (place, end, words) in ends {
        let part = &mut next.parts[place.part];
        part.ends.end(end);
        part.ends.add_terms(words);
    }
    for (place, at) in touches {
        next.parts[place.part].ends.touches.add(place.slot, at);
    }
    if !rows.is_empty() || !edges.is_empty() {
        let chunk = Chunk::new(rows, edges, view.words.as_deref());
        let mut part = PartView::new(Part::Chunk(Arc::new(chunk)));
        for (_, end, words) in own_ends {
            part.ends.end(end);
            part.ends.add_terms(words);
        }
        for (index, at) in own_touches {
            part.ends.touches.add(Slot(index as u32), at);
        }
        next.parts.push(part);
        merge_chunks(&mut next.parts, frozen);
    }
    next
}

/// A batch that readers do not see yet: the state with it, and what it ends of what they see.
#[derive(Debug)]
pub struct Aside {
    /// The state with the batch as its last part, whose words are not counted: it is to be written, not searched.
    pub view: View,
    /// Ends of versions that readers see, with their words.
    pub ends: Vec<(Place, End, TermCounts)>,
}

/// Applies a batch where no reader looks.
#[must_use]
pub fn apply_aside(view: &View, prepared: Prepared) -> Aside {
    let ends = prepared.ends.clone();
    // Without words the chunk counts none.
    let unsearched = View { words: None, ..view.clone() };
    let applied = apply(&unsearched, prepared, view.lsn, view.parts.len());
    Aside { view: View { words: view.words.clone(), ..applied }, ends }
}

/// Merges the newest chunks while the one before is no larger, as a binary counter carries.
fn merge_chunks(parts: &mut Vec<PartView>, frozen: usize) {
    while parts.len() >= frozen + 2 {
        let [.., before, last] = parts.as_slice() else { return };
        let (Part::Chunk(a), Part::Chunk(b)) = (&before.part, &last.part) else { return };
        let (a_entries, b_entries) = (a.entries(), b.entries());
        if a_entries > b_entries || a_entries + b_entries > CHUNK_ENTRIES_MAX {
            return;
        }
        let mut ends = before.ends.clone();
        ends.append(&last.ends, a.rows().len() as u32);
        let joined = PartView { part: Part::Chunk(Arc::new(a.joined(b))), ends };
        parts.truncate(parts.len() - 2);
        parts.push(joined);
    }
}
