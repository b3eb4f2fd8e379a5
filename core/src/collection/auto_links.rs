//! Auto-links: rules that make edges of metadata. What they name is decided when a document is written, so that what is
//! logged are plain edges and recovery asks no rule.
//!
//! A document *names* edges: by each rule, one to every id that its field holds, and one back where the rule says so.
//! Writing a document makes those that are not there, and ends those that its metadata named before, names no longer, and
//! the metadata of the other end does not name either. An edge that is there stays as it is, whoever made it.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use crate::base::ids::shorten;
use crate::base::limits::{AUTO_LINK_BYTES_MAX, AUTO_LINK_EDGES_MAX, AUTO_LINKS_MAX, FIELD_PATH_BYTES_MAX};
use crate::base::{DecodeError, Error, InputError, NEVER, Object, Reader, Result, Value, Writer, check_id};
use crate::graph::{Edge, check_relation};
use crate::meta::scalars_of;

use super::op::Op;
use super::write::Resolver;

/// A rule: what a field of the metadata holds are ids of documents, to which its document is linked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AutoLink {
    /// Its path, as filters take it.
    pub field: String,
    /// The relation of the edges.
    pub relation: String,
    /// That of the edges back; `None` for none.
    pub inverse: Option<String>,
    /// Whether a target that is not there is made: a document without vector and metadata.
    pub creates: bool,
}

/// Refuses rules that cannot be followed.
///
/// # Errors
/// `invalid_parameter`, `too_large`.
pub fn check(rules: &[AutoLink]) -> Result<()> {
    if rules.len() > AUTO_LINKS_MAX {
        let (got, limit) = (rules.len() as u64, AUTO_LINKS_MAX as u64);
        return Err(InputError::TooLarge { what: "the number of auto_links", got, limit }.into());
    }
    for (i, rule) in rules.iter().enumerate() {
        if !(1..=FIELD_PATH_BYTES_MAX).contains(&rule.field.len()) {
            let expected = format!("the path of a field, 1 to {FIELD_PATH_BYTES_MAX} bytes");
            return Err(Error::parameter("field", shorten(&rule.field), expected));
        }
        check_relation(&rule.relation)?;
        rule.inverse.as_deref().map_or(Ok(()), check_relation)?;
        let is_same = |other: &AutoLink| other.field == rule.field && other.relation == rule.relation;
        if rules[..i].iter().any(is_same) {
            let expected = "one rule for a field and a relation";
            return Err(Error::parameter("auto_links", shorten(&rule.field), expected));
        }
    }
    Ok(())
}

/// Appends rules, of which there is one at least (docs/FORMAT.md, "Config").
pub(super) fn encode(rules: &[AutoLink], w: &mut Writer) {
    w.varint(rules.len() as u64);
    for rule in rules {
        w.str(&rule.field);
        w.str(&rule.relation);
        w.u8(u8::from(rule.inverse.is_some()) | u8::from(rule.creates) << 1);
        rule.inverse.iter().for_each(|inverse| w.str(inverse));
    }
}

/// Reads what [`encode`] wrote.
///
/// # Errors
/// When the bytes are not those of rules.
pub(super) fn decode(r: &mut Reader<'_>) -> Result<Vec<AutoLink>, DecodeError> {
    let offset = r.offset();
    let unsound = DecodeError { offset, expected: "rules of auto-links within limits" };
    let n = r.varint()?;
    if !(1..=AUTO_LINKS_MAX as u64).contains(&n) {
        return Err(unsound);
    }
    let mut rules = Vec::new();
    for _ in 0..n {
        let (field, relation) = (r.str()?.to_owned(), r.str()?.to_owned());
        let flags = r.u8()?;
        if flags > 3 {
            return Err(unsound);
        }
        let inverse = if flags & 1 == 1 { Some(r.str()?.to_owned()) } else { None };
        rules.push(AutoLink { field, relation, inverse, creates: flags & 2 == 2 });
    }
    check(&rules).map_err(|_| unsound)?;
    Ok(rules)
}

/// An edge that the metadata of a document names, seen from that document.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Named<'a> {
    relation: &'a str,
    /// The id at the other end.
    other: String,
    /// Whether it leads from there to the document.
    is_back: bool,
}

impl Named<'_> {
    /// About what its edge takes in a memtable, whether it begins or ends.
    fn bytes(&self, id: &str) -> usize {
        size_of::<Edge>() + id.len() + self.other.len() + self.relation.len()
    }

    fn ends<'e>(&'e self, id: &'e str) -> [&'e str; 2] {
        if self.is_back { [&self.other, id] } else { [id, &self.other] }
    }
}

/// What a value names: itself as text. Null and what is too long or empty to be an id name nothing, nor does a document
/// name itself.
fn target<'v>(value: &'v Value, id: &str) -> Option<Cow<'v, str>> {
    let text = match value {
        Value::Str(text) => Cow::Borrowed(text.as_str()),
        Value::Bool(is_true) => Cow::Borrowed(if *is_true { "true" } else { "false" }),
        Value::Int(number) => Cow::Owned(number.to_string()),
        Value::Float(number) => Cow::Owned(number.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => return None,
    };
    (check_id(&text).is_ok() && text != id).then_some(text)
}

/// Calls for every edge that a document names, by rule and in the order of values, and for one that several rules name as
/// often; says whether its other end is to be made. Ends when `f` says false.
fn each_named<'r>(
    rules: &'r [AutoLink],
    id: &str,
    metadata: &Object,
    f: &mut impl FnMut(Named<'r>, bool) -> bool,
) {
    for rule in rules {
        for value in scalars_of(metadata, &rule.field) {
            let Some(other) = target(&value, id).map(Cow::into_owned) else { continue };
            let relation = rule.relation.as_str();
            let back = rule.inverse.as_deref().map(|relation| (relation, other.clone()));
            if !f(Named { relation, other, is_back: false }, rule.creates) {
                return;
            }
            if let Some((relation, other)) = back
                && !f(Named { relation, other, is_back: true }, false)
            {
                return;
            }
        }
    }
}

/// The paths that rules look at.
pub(super) fn fields(rules: &[AutoLink]) -> Vec<&str> {
    rules.iter().map(|rule| rule.field.as_str()).collect()
}

/// The ids that a document names, as often as it does: the first so many, and one more where there are more.
pub(super) fn targets(rules: &[AutoLink], id: &str, metadata: &Object, max: usize) -> Vec<String> {
    let mut found = Vec::new();
    each_named(rules, id, metadata, &mut |named, _| {
        found.push(named.other);
        found.len() <= max
    });
    found
}

/// The edges that a document names, each once, and whether its other end is to be made.
///
/// # Errors
/// `too_large`.
fn named<'r>(rules: &'r [AutoLink], id: &str, metadata: &Object) -> Result<Vec<(Named<'r>, bool)>> {
    let (mut all, mut places): (Vec<(Named<'r>, bool)>, HashMap<Named<'r>, usize>) = Default::default();
    each_named(rules, id, metadata, &mut |named, creates| {
        let place = *places.entry(named.clone()).or_insert(all.len());
        match all.get_mut(place) {
            Some((_, before)) => *before |= creates,
            None => all.push((named, creates)),
        }
        all.len() <= AUTO_LINK_EDGES_MAX
    });
    if all.len() > AUTO_LINK_EDGES_MAX {
        let (got, limit) = (all.len() as u64, AUTO_LINK_EDGES_MAX as u64);
        let what = "the number of edges that auto_links make of a document";
        return Err(InputError::TooLarge { what, got, limit }.into());
    }
    Ok(all)
}

/// What the rules say of a version of a document that takes the place of another, or of none.
#[derive(Debug, Default)]
pub(super) struct Change<'a> {
    wanted: Vec<(Named<'a>, bool)>,
    /// What only the version before named.
    left: Vec<Named<'a>>,
}

impl<'a> Resolver<'a> {
    fn rules(&self) -> &'a [AutoLink] {
        &self.view.config.settings.auto_links
    }

    /// What a version of a document changes of the edges that it names; to be asked before it is resolved.
    ///
    /// # Errors
    /// `too_large`; `corrupt`, `not_resident`.
    pub(super) fn named_change(&mut self, id: &str, metadata: &Object) -> Result<Change<'a>> {
        let rules = self.rules();
        if rules.is_empty() {
            return Ok(Change::default());
        }
        let wanted = named(rules, id, metadata)?;
        let mut left: Vec<Named<'a>> = Vec::new();
        if let Some(before) = self.metadata_of(id, rules)? {
            let mut seen: HashSet<Named<'a>> = wanted.iter().map(|(named, _)| named.clone()).collect();
            let mut bytes = 0;
            each_named(rules, id, &before, &mut |named, _| {
                if seen.insert(named.clone()) {
                    bytes += named.bytes(id);
                    left.push(named);
                }
                self.named_bytes + bytes <= AUTO_LINK_BYTES_MAX
            });
            drop(before);
            self.take_room(bytes)?;
        }
        Ok(Change { wanted, left })
    }

    /// Ends and makes the edges that a change names.
    ///
    /// # Errors
    /// `too_large`; `corrupt`, `not_resident`.
    pub(super) fn follow(&mut self, id: &str, change: Change<'a>) -> Result<()> {
        for named in &change.left {
            self.out.named.insert(named.other.as_str().into());
            if !self.is_named_from_there(id, named)? {
                let [source, target] = named.ends(id);
                self.unlink_one(source, named.relation, target, false)?;
            }
        }
        for (named, creates) in &change.wanted {
            self.out.named.insert(named.other.as_str().into());
            if *creates {
                self.create_end(&named.other)?;
            }
            let ([source, target], before) = (named.ends(id), self.out.linked);
            self.link_where_none_is([source, named.relation, target])?;
            if self.out.linked > before {
                self.take_room(named.bytes(id))?;
            }
        }
        Ok(())
    }

    /// Makes the edges that a document names and that are not there. One that names more than a document may is passed over:
    /// it was stored before the rules, and those after it have theirs to be followed.
    ///
    /// # Errors
    /// `invalid_id`, `too_large`; `corrupt`, `not_resident`.
    pub(super) fn relink(&mut self, id: &str) -> Result<()> {
        check_id(id)?;
        let rules = self.rules();
        let Some(metadata) = self.metadata_of(id, rules)? else { return Ok(()) };
        match named(rules, id, &metadata) {
            Ok(wanted) => self.follow(id, Change { wanted, left: Vec::new() }),
            Err(Error::Input(error)) if matches!(*error, InputError::TooLarge { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Whether the document at the other end names the same edge.
    fn is_named_from_there(&self, id: &str, edge: &Named<'a>) -> Result<bool> {
        let rules = self.rules();
        let could = rules.iter().any(|rule| match edge.is_back {
            true => rule.relation == edge.relation,
            false => rule.inverse.as_deref() == Some(edge.relation),
        });
        if !could {
            return Ok(false);
        }
        let Some(metadata) = self.metadata_of(&edge.other, rules)? else { return Ok(false) };
        let seen = Named { relation: edge.relation, other: id.to_owned(), is_back: !edge.is_back };
        let mut is_named = false;
        each_named(rules, &edge.other, &metadata, &mut |named, _| {
            is_named = named == seen;
            !is_named
        });
        Ok(is_named)
    }

    /// Makes a document without vector and metadata, unless it is there or the batch stores it later.
    fn create_end(&mut self, id: &str) -> Result<()> {
        let (at, known) = (self.next_time(), self.known(id)?);
        let is_to_come = self.to_come.get(id).is_some_and(|count| *count > 0);
        if is_to_come || known.is_some_and(|known| known.is_there(at)) {
            return Ok(());
        }
        self.take_room(crate::segment::row::weight(id, None, &Object::new()))?;
        let key = self.begin_version(id, known, at, NEVER)?;
        let (id, metadata) = (id.into(), Object::new());
        self.out.ops.push(Op::Put { key, id, valid_from: at, expires_at: NEVER, vector: None, metadata });
        Ok(())
    }

    /// What rules make of a batch is bounded, as its documents are.
    fn take_room(&mut self, bytes: usize) -> Result<()> {
        self.named_bytes += bytes;
        if self.named_bytes > AUTO_LINK_BYTES_MAX {
            let (got, limit) = (self.named_bytes as u64, AUTO_LINK_BYTES_MAX as u64);
            let what = "what auto_links make of a batch, in bytes,";
            return Err(InputError::TooLarge { what, got, limit }.into());
        }
        Ok(())
    }
}
