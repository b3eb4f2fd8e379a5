//! The edges blob of a segment: which sections it has, and how they are written.
//!
//! Layout: docs/FORMAT.md, "edges".

use crate::base::bytes::le_bytes;
use crate::base::value::encode_object;
use crate::base::{NEVER, Writer};
use crate::storage::Section;

use super::edge::{Edge, Gone, Mark};
use super::packed::section;
use super::table::EdgeTable;

/// Counts: ends, entries, relations, documents that went; entries that have ended, are marks, have a weight, have
/// properties; `u64` each.
pub(super) const COUNTS: u16 = 1;
/// Keys of the ends, ascending.
pub(super) const NODE_KEYS: u16 = 2;
/// Places of the ends, by name.
pub(super) const NODE_ORDER: u16 = 3;
/// Ends of the names in `NODE_NAMES`, after a leading 0.
pub(super) const NODE_NAME_ENDS: u16 = 4;
/// UTF-8 of the names.
pub(super) const NODE_NAMES: u16 = 5;
/// The numbers of relations, each with its name.
pub(super) const RELATIONS: u16 = 6;
/// How many entries begin at the ends before each, and at all.
pub(super) const OUT_STARTS: u16 = 7;
/// Relation of each entry, as a place in `RELATIONS`.
pub(super) const RELATION: u16 = 8;
/// Target of each entry, as a place among the ends.
pub(super) const TARGET: u16 = 9;
/// Seq of each entry.
pub(super) const SEQ: u16 = 10;
/// Since when each entry is.
pub(super) const AT: u16 = 11;
/// How many entries lead to the ends before each, and to all.
pub(super) const IN_STARTS: u16 = 12;
/// Source of each incoming entry, as a place among the ends.
pub(super) const IN_SOURCE: u16 = 13;
/// Place of each incoming entry.
pub(super) const IN_PLACE: u16 = 14;
/// Places of entries that have ended.
pub(super) const ENDED_PLACE: u16 = 15;
/// When they did.
pub(super) const ENDED_AT: u16 = 16;
/// Places of entries that are marks.
pub(super) const MARK_PLACE: u16 = 17;
/// Which: 1 ends a version, 2 erases all.
pub(super) const MARK: u16 = 18;
/// Places of entries whose weight is not 1.
pub(super) const WEIGHT_PLACE: u16 = 19;
/// Their weights: `f64`.
pub(super) const WEIGHT: u16 = 20;
/// Places of entries with properties.
pub(super) const PROPERTIES_PLACE: u16 = 21;
/// Ends of their properties in `PROPERTIES`, after a leading 0.
pub(super) const PROPERTIES_ENDS: u16 = 22;
/// Canonical properties.
pub(super) const PROPERTIES: u16 = 23;
/// Keys of documents that went, ascending.
pub(super) const GONE_KEY: u16 = 24;
/// When.
pub(super) const GONE_AT: u16 = 25;
/// Seq of each.
pub(super) const GONE_SEQ: u16 = 26;

/// The sections of the blob of a table.
///
/// # Panics
/// When an entry's end or relation has no name in the table.
#[must_use]
pub fn sections(table: &EdgeTable) -> Vec<Section> {
    let mut out = nodes(table);
    out.extend(adjacency(table));
    out.extend(sparse(table.edges()));
    let gone = table.gone();
    let column = |id, number: fn(&Gone) -> i64| section(id, gone.iter().map(number));
    out.push(column(GONE_KEY, |gone| i64::from(gone.key.0)));
    out.push(column(GONE_AT, |gone| gone.at));
    out.push(column(GONE_SEQ, |gone| gone.seq.0 as i64));
    out
}

fn nodes(table: &EdgeTable) -> Vec<Section> {
    let (names, relations) = (table.names(), table.relation_names());
    let has = |is_so: fn(&Edge) -> bool| table.edges().iter().filter(|edge| is_so(edge)).count();
    let counts = [
        names.len(),
        table.edges().len(),
        relations.len(),
        table.gone().len(),
        has(has_ended),
        has(is_mark),
        has(is_weighted),
        has(has_properties),
    ];
    let counts = counts.map(|n| n as u64);
    let (mut text, mut ends) = (Writer::new(), vec![0]);
    for (_, name) in names {
        text.raw(name.as_bytes());
        ends.push(text.len() as i64);
    }
    let by_name = table.by_name();
    let mut dictionary = Writer::new();
    for (number, name) in relations {
        dictionary.u32(number.0);
        dictionary.str(name);
    }
    vec![
        Section::pinned(COUNTS, le_bytes(&counts)),
        section(NODE_KEYS, names.iter().map(|(key, _)| i64::from(key.0))),
        section(NODE_ORDER, by_name.iter().map(|place| i64::from(*place))),
        section(NODE_NAME_ENDS, ends.into_iter()),
        Section::pinned(NODE_NAMES, text.finish()),
        Section::pinned(RELATIONS, dictionary.finish()),
    ]
}

fn adjacency(table: &EdgeTable) -> Vec<Section> {
    let (edges, names) = (table.edges(), table.names());
    let node = |key| {
        let place = names.binary_search_by_key(&key, |(key, _)| *key);
        place.expect("each end has its name") as i64
    };
    let relation = |edge: &Edge| {
        let place = table.relation_names().binary_search_by_key(&edge.relation, |(number, _)| *number);
        place.expect("each relation has its name") as i64
    };
    let incoming = || table.incoming().iter().map(|place| &edges[*place as usize]);
    let out_starts = starts(names.len(), edges.iter().map(|edge| node(edge.source)));
    let in_starts = starts(names.len(), incoming().map(|edge| node(edge.target)));
    vec![
        section(OUT_STARTS, out_starts.into_iter()),
        section(RELATION, edges.iter().map(relation)),
        section(TARGET, edges.iter().map(|edge| node(edge.target))),
        section(SEQ, edges.iter().map(|edge| edge.seq.0 as i64)),
        section(AT, edges.iter().map(|edge| edge.at)),
        section(IN_STARTS, in_starts.into_iter()),
        section(IN_SOURCE, incoming().map(|edge| node(edge.source))),
        section(IN_PLACE, table.incoming().iter().map(|place| i64::from(*place))),
    ]
}

/// Of places in ascending order, how many are below each of `0..=n`.
fn starts(n: usize, places: impl Iterator<Item = i64>) -> Vec<i64> {
    let mut starts = vec![0i64; n + 1];
    places.for_each(|place| starts[place as usize + 1] += 1);
    for i in 1..=n {
        starts[i] += starts[i - 1];
    }
    starts
}

fn has_ended(edge: &Edge) -> bool {
    edge.until < NEVER
}

fn is_mark(edge: &Edge) -> bool {
    edge.mark != Mark::Link
}

fn is_weighted(edge: &Edge) -> bool {
    edge.weight.to_bits() != 1f64.to_bits()
}

fn has_properties(edge: &Edge) -> bool {
    edge.properties.is_some()
}

/// What few entries have.
fn sparse(edges: &[Edge]) -> Vec<Section> {
    let places = |has: fn(&Edge) -> bool| {
        let found = edges.iter().zip(0i64..).filter(move |(edge, _)| has(edge));
        found.map(|(_, place)| place)
    };
    let marks = edges.iter().filter_map(|edge| match edge.mark {
        Mark::Link => None,
        Mark::Unlink => Some(1),
        Mark::Erase => Some(2),
    });
    let weights: Vec<f64> = edges.iter().filter(|e| is_weighted(e)).map(|edge| edge.weight).collect();
    let (mut properties, mut ends) = (Writer::new(), vec![0]);
    for own in edges.iter().filter_map(|edge| edge.properties.as_deref()) {
        encode_object(own, &mut properties);
        ends.push(properties.len() as i64);
    }
    vec![
        section(ENDED_PLACE, places(has_ended)),
        section(ENDED_AT, edges.iter().map(|edge| edge.until).filter(|until| *until < NEVER)),
        section(MARK_PLACE, places(is_mark)),
        Section::pinned(MARK, marks.collect::<Vec<u8>>()),
        section(WEIGHT_PLACE, places(is_weighted)),
        Section::pinned(WEIGHT, le_bytes(&weights)),
        section(PROPERTIES_PLACE, places(has_properties)),
        section(PROPERTIES_ENDS, ends.into_iter()),
        Section::rows(PROPERTIES, properties.finish()),
    ]
}
