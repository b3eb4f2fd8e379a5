//! Small documents with everything in them that a document can have, and what the engine makes of them.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use kithdb::base::value::parse_object;
use kithdb::base::{Key, NEVER, Object, Pool, Seq, Slot};
use kithdb::collection::Op;
use kithdb::graph::{self, Edge, EdgeTable, Gone, Mark, Relation};
use kithdb::index::HnswParams;
use kithdb::index::hnsw::build;
use kithdb::segment::{Derive, End, Ends, Row, SharedRow, derive};
use kithdb::storage::{BlobKind, Section};
use kithdb::text::{Language, TextFields, TextSpec, Words};
use kithdb::vectors::{CodeEncoder, Coding, Metric, Stored, int8, inverse_norm};

/// The words of the seeds' documents.
pub(super) fn words() -> Words {
    Words::new(TextSpec::new(Language::English, TextFields::TopLevel))
}

fn metadata(i: u32) -> Object {
    let json = match i % 3 {
        0 => format!(
            r#"{{"n":{i},"t":"word{i} shared kittens","tags":["a","b{i}"],"deep":{{"x":null,"y":[true,false]}}}}"#
        ),
        1 => format!(r#"{{"n":{i}.5,"t":"shared \u00e9t\u00e9","s":"{i}"}}"#),
        _ => r#"{"n":-9007199254740993,"e":[],"o":{}}"#.to_owned(),
    };
    parse_object(&json).expect("JSON")
}

fn vector(i: u32) -> Option<Box<[f32]>> {
    (i % 4 != 3).then(|| Box::from([i as f32 + 1.0, -2.0, 0.5]))
}

/// Documents of three ids: later ones are versions of earlier ones.
fn id(i: u32) -> Box<str> {
    format!("d{}", i % 3).into()
}

pub(super) fn put(i: u32) -> Op {
    Op::Put {
        key: Key(i % 3),
        id: id(i),
        valid_from: i64::from(i) * 10,
        expires_at: if i.is_multiple_of(2) { NEVER } else { 1_000 },
        vector: vector(i),
        metadata: metadata(i),
    }
}

pub(super) fn delete(i: u32) -> Op {
    Op::Delete { id: id(i), valid_to: i64::from(i) * 10 + 5 }
}

/// Rows as a segment holds them.
pub(super) fn rows(numbers: std::ops::Range<u32>) -> Vec<SharedRow> {
    let row = |i: u32| {
        let vector = vector(i);
        Arc::new(Row {
            id: id(i),
            key: Key(i % 3),
            seq: Seq(u64::from(i) * 2),
            valid_from: i64::from(i) * 10,
            expires_at: if i.is_multiple_of(2) { NEVER } else { 1_000 + i64::from(i) },
            inverse_norm: vector.as_deref().map_or(0.0, inverse_norm),
            vector,
            metadata: metadata(i),
        })
    };
    numbers.map(row).collect()
}

/// What had ended among rows of so many slots: every third but the last.
pub(super) fn ends(rows: &[SharedRow]) -> Ends {
    let (mut ends, words) = (Ends::default(), words());
    for (slot, row) in rows.iter().enumerate().take(rows.len().saturating_sub(1)).step_by(3) {
        ends.end(End { slot: Slot(slot as u32), valid_to: row.valid_from + 5, seq: Seq(row.seq.0 + 1) });
        ends.add_terms(words.count(&row.metadata));
    }
    ends
}

/// A link of two of the documents, and the end of another.
pub(super) fn link(i: u32) -> Op {
    let (source, relation, target) = triple(i);
    let at = i64::from(i) * 10 + 7;
    let properties = if i.is_multiple_of(2) { metadata(i) } else { Object::new() };
    Op::Link { source, relation, target, at, weight: f64::from(i), properties }
}

pub(super) fn unlink(i: u32) -> Op {
    let (source, relation, target) = triple(i);
    Op::Unlink { source, relation, target, at: i64::from(i) * 10 + 8, erase: i.is_multiple_of(2) }
}

type Named<N> = (N, Box<str>);

fn triple(i: u32) -> (Named<Key>, Named<Relation>, Named<Key>) {
    ((Key(i % 3), id(i)), (Relation(i % 2), format!("r{}", i % 2).into()), (Key((i + 1) % 3), id(i + 1)))
}

/// Edges of every kind: open, ended, with a weight, with properties, marks, and a document that went.
fn edges() -> EdgeTable {
    let edge = |i: u32, mark: Mark, until: i64| Edge {
        source: Key(i % 3),
        relation: Relation(i % 2),
        target: Key((i + 1) % 3),
        seq: Seq(u64::from(i)),
        mark,
        at: i64::from(i) * 10,
        until,
        weight: if i == 2 { 0.5 } else { 1.0 },
        properties: (i == 3).then(|| Arc::new(metadata(i))),
    };
    let entries = vec![
        edge(0, Mark::Link, NEVER),
        edge(1, Mark::Unlink, NEVER),
        edge(2, Mark::Link, 25),
        edge(3, Mark::Link, NEVER),
        edge(4, Mark::Erase, NEVER),
    ];
    let names = (0..3).map(|i| (Key(i), Arc::from(&*id(i)))).collect();
    let relations = (0..2).map(|i| (Relation(i), Arc::from(format!("r{i}")))).collect();
    EdgeTable::new(entries, names, relations, vec![Gone { key: Key(2), seq: Seq(9), at: 90 }])
}

/// The sections of every kind of blob of a segment with these rows.
pub(super) fn sections(rows: &[SharedRow], metric: Metric) -> Vec<(BlobKind, Vec<Section>)> {
    let (pool, words) = (Pool::single(), words());
    let mut blobs = derive(
        rows,
        Derive { metric, stored: Stored::F32, codes: Coding::Int8, words: Some(&words), pool: &pool },
    );
    let vectors: Vec<&[f32]> = rows.iter().filter_map(|row| row.vector.as_deref()).collect();
    let read = |range: Range<usize>| Ok(Cow::Owned(vectors[range].concat()));
    for coding in [Coding::Bits, Coding::Pq, Coding::Opq] {
        if let Ok(mut encoder) = CodeEncoder::new(coding, metric, 3, vectors.len()) {
            while !encoder.step(usize::MAX, &read, &pool).expect("in memory") {}
            blobs.push(encoder.blob());
        }
    }
    let mut encoder = int8::Int8Encoder::new(metric, 3, vectors.len(), extent(&vectors));
    encoder.push(vectors.len(), |i| vectors[i], &pool);
    let params = HnswParams { links_max: 2, ef_construction: 8, seed: 1 };
    let links = build(&encoder.space(), params, &pool, &mut |_, _| {}).expect("parameters within limits");
    blobs.push((BlobKind::Links, links));
    blobs.push((BlobKind::Edges, graph::sections(&edges())));
    blobs.push((BlobKind::Ends, ends(rows).sections()));
    blobs
}

fn extent(vectors: &[&[f32]]) -> int8::Extent {
    let mut extent = int8::Extent::default();
    vectors.iter().for_each(|vector| extent.widen(vector));
    extent
}
