//! Mutations with everything resolved: what the log holds and what `apply` applies, now or at recovery.
//!
//! Nothing in an op depends on the machine that applies it: keys and times are decided before it is logged.

use crate::base::limits::{COMPONENT_MAX, DIM_MAX};
use crate::base::value::{decode_object, encode_object};
use crate::base::{DecodeError, Key, Object, Reader, Writer, check_id};
use crate::graph::{Relation, check_relation};

use super::config::Settings;

/// A resolved mutation. Each takes one seq, in the order of the log.
#[derive(Debug, Clone, PartialEq)]
pub enum Op {
    /// A version of a document begins; the one before it, if live, ends.
    Put {
        /// The number of the id, new or known.
        key: Key,
        /// The user's id.
        id: Box<str>,
        /// Since when it is valid: ns since 1970 UTC.
        valid_from: i64,
        /// From when it is no longer valid without anything being done; [`crate::base::NEVER`] for no such time.
        expires_at: i64,
        /// The caller's, rounded to the form that the collection stores.
        vector: Option<Box<[f32]>>,
        /// Canonical metadata.
        metadata: Object,
    },
    /// The live version of a document ends.
    Delete {
        /// The user's id.
        id: Box<str>,
        /// From when it is no longer valid: ns since 1970 UTC.
        valid_to: i64,
    },
    /// The live version of a document was used: it counts, and nothing else changes.
    Touch {
        /// The user's id.
        id: Box<str>,
        /// When: ns since 1970 UTC.
        at: i64,
    },
    /// A version of an edge begins; the one before it, if there, ends.
    Link {
        /// Where it begins: the number of an id, new or known, and the id.
        source: (Key, Box<str>),
        /// What it means: the number of a relation, new or known, and its name.
        relation: (Relation, Box<str>),
        /// Where it leads.
        target: (Key, Box<str>),
        /// Since when it is there: ns since 1970 UTC.
        at: i64,
        /// The caller's, finite.
        weight: f64,
        /// Canonical.
        properties: Object,
    },
    /// The version of an edge that is there ends, or all versions that ever were are forgotten.
    Unlink {
        /// Where it begins.
        source: (Key, Box<str>),
        /// What it means.
        relation: (Relation, Box<str>),
        /// Where it leads.
        target: (Key, Box<str>),
        /// From when it is no longer there: ns since 1970 UTC.
        at: i64,
        /// Whether all its versions are forgotten.
        erase: bool,
    },
    /// The collection has other settings from then on.
    Configure(Settings),
    /// Numbers are given to a bulk import, whose versions are in blobs and not in the log.
    Reserve {
        /// So many seqs, at least 1.
        seqs: u64,
        /// The next new key after it.
        next_key: u32,
        /// The latest time of its versions: ns since 1970 UTC.
        last_time: i64,
        /// The next new number of a relation after it; 0 where it makes no edges.
        next_relation: u32,
    },
}

/// A bulk import takes fewer seqs than that.
const RESERVED_MAX: u64 = 1 << 32;

impl Op {
    /// The id of its document; `None` where it is of none.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        match self {
            Self::Put { id, .. } | Self::Delete { id, .. } | Self::Touch { id, .. } => Some(id),
            Self::Link { .. } | Self::Unlink { .. } | Self::Configure(_) | Self::Reserve { .. } => None,
        }
    }

    /// Appends its bytes (docs/FORMAT.md, "Ops").
    pub fn encode(&self, w: &mut Writer) {
        match self {
            Self::Put { key, id, valid_from, expires_at, vector, metadata } => {
                w.u8(1);
                w.u32(key.0);
                w.str(id);
                w.i64(*valid_from);
                w.i64(*expires_at);
                w.varint(vector.as_ref().map_or(0, |v| v.len() as u64));
                vector.iter().flat_map(|v| v.iter()).for_each(|x| w.f32(*x));
                encode_object(metadata, w);
            }
            Self::Delete { id, valid_to } => {
                w.u8(2);
                w.str(id);
                w.i64(*valid_to);
            }
            Self::Reserve { seqs, next_key, last_time, next_relation } => {
                w.u8(if *next_relation == 0 { 3 } else { 8 });
                w.u64(*seqs);
                w.u32(*next_key);
                w.i64(*last_time);
                if *next_relation > 0 {
                    w.u32(*next_relation);
                }
            }
            Self::Configure(settings) => {
                w.u8(5);
                settings.encode(w);
            }
            Self::Link { source, relation, target, at, weight, properties } => {
                w.u8(6);
                encode_edge(source, relation, target, *at, w);
                w.f64(*weight);
                encode_object(properties, w);
            }
            Self::Unlink { source, relation, target, at, erase } => {
                w.u8(7);
                encode_edge(source, relation, target, *at, w);
                w.u8(u8::from(*erase));
            }
            Self::Touch { id, at } => {
                w.u8(4);
                w.str(id);
                w.i64(*at);
            }
        }
    }

    /// Reads what [`Op::encode`] wrote.
    ///
    /// # Errors
    /// When the bytes are not those of an op.
    pub fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let offset = r.offset();
        Ok(match r.u8()? {
            1 => {
                let (key, id) = (Key(r.u32()?), id(r)?);
                let (valid_from, expires_at) = (r.i64()?, r.i64()?);
                let dim = r.count(4)?;
                let vector = (0..dim).map(|_| r.f32()).collect::<Result<Box<[f32]>, _>>()?;
                let sound = dim <= DIM_MAX && vector.iter().all(|x| x.abs() <= COMPONENT_MAX);
                if !sound || key.0 == u32::MAX || expires_at <= valid_from {
                    return Err(DecodeError { offset, expected: "a key, times and a vector within limits" });
                }
                let vector = (dim > 0).then_some(vector);
                Self::Put { key, id, valid_from, expires_at, vector, metadata: decode_object(r)? }
            }
            2 => Self::Delete { id: id(r)?, valid_to: r.i64()? },
            tag @ (3 | 8) => {
                let (seqs, next_key, last_time) = (r.u64()?, r.u32()?, r.i64()?);
                let next_relation = if tag == 8 { r.u32()? } else { 0 };
                if seqs == 0 || seqs >= RESERVED_MAX || tag == 8 && next_relation == 0 {
                    return Err(DecodeError { offset, expected: "numbers of a bulk import" });
                }
                Self::Reserve { seqs, next_key, last_time, next_relation }
            }
            4 => Self::Touch { id: id(r)?, at: r.i64()? },
            5 => Self::Configure(Settings::decode(r)?),
            tag @ (6 | 7) => {
                let EdgeOf { source, relation, target, at } = edge(r)?;
                let offset = r.offset();
                if tag == 6 {
                    let (weight, properties) = (r.f64()?, decode_object(r)?);
                    if !weight.is_finite() {
                        return Err(DecodeError { offset, expected: "a finite weight" });
                    }
                    Self::Link { source, relation, target, at, weight, properties }
                } else {
                    let erase = match r.u8()? {
                        flag @ (0 | 1) => flag == 1,
                        _ => return Err(DecodeError { offset, expected: "0 or 1" }),
                    };
                    Self::Unlink { source, relation, target, at, erase }
                }
            }
            _ => return Err(DecodeError { offset, expected: "the tag of an op" }),
        })
    }
}

type Named<N> = (N, Box<str>);

/// What ops of edges begin with.
struct EdgeOf {
    source: Named<Key>,
    relation: Named<Relation>,
    target: Named<Key>,
    at: i64,
}

fn encode_edge(
    source: &Named<Key>,
    relation: &Named<Relation>,
    target: &Named<Key>,
    at: i64,
    w: &mut Writer,
) {
    for (key, id) in [source, target] {
        w.u32(key.0);
        w.str(id);
    }
    w.u32(relation.0.0);
    w.str(&relation.1);
    w.i64(at);
}

fn edge(r: &mut Reader<'_>) -> Result<EdgeOf, DecodeError> {
    let offset = r.offset();
    let source = (Key(r.u32()?), id(r)?);
    let target = (Key(r.u32()?), id(r)?);
    let relation = (Relation(r.u32()?), Box::from(r.str()?));
    let are_numbers = source.0.0 < u32::MAX && target.0.0 < u32::MAX && relation.0.0 < u32::MAX;
    let is_sound = are_numbers && source.0 != target.0 && source.1 != target.1;
    if !is_sound || check_relation(&relation.1).is_err() {
        return Err(DecodeError { offset, expected: "an edge between two documents" });
    }
    Ok(EdgeOf { source, relation, target, at: r.i64()? })
}

fn id(r: &mut Reader<'_>) -> Result<Box<str>, DecodeError> {
    let offset = r.offset();
    let id = r.str()?;
    check_id(id).map_err(|_| DecodeError { offset, expected: "a document id" })?;
    Ok(id.into())
}

#[cfg(test)]
mod tests {
    use super::super::auto_links::AutoLink;
    use super::super::config::Maintenance;
    use super::super::decay::{Decay, DecayLayers, DecayModel};
    use super::*;
    use crate::base::value::parse_object;
    use crate::vectors::Coding;
    use proptest::prelude::*;

    #[test]
    fn ops_come_back() {
        let metadata = parse_object(r#"{"a":[1,2.5,null],"b":"x"}"#).expect("canonical");
        let put = |vector| Op::Put {
            key: Key(7),
            id: "a".into(),
            valid_from: -1,
            expires_at: crate::base::NEVER,
            vector,
            metadata: metadata.clone(),
        };
        let ops = [
            put(Some([1.0, -0.0].into())),
            put(None),
            Op::Delete { id: "b".into(), valid_to: i64::MAX },
            Op::Touch { id: "c".into(), at: -5 },
            Op::Reserve { seqs: 9, next_key: 8, last_time: 7, next_relation: 0 },
            Op::Reserve { seqs: 9, next_key: 8, last_time: 7, next_relation: 6 },
            Op::Link {
                source: (Key(1), "a".into()),
                relation: (Relation(0), "cites".into()),
                target: (Key(2), "b".into()),
                at: 7,
                weight: -0.5,
                properties: metadata,
            },
            Op::Unlink {
                source: (Key(1), "a".into()),
                relation: (Relation(0), "cites".into()),
                target: (Key(2), "b".into()),
                at: 9,
                erase: true,
            },
        ];
        come_back(&ops);
    }

    fn come_back(ops: &[Op]) {
        let mut w = Writer::new();
        ops.iter().for_each(|op| op.encode(&mut w));
        let mut r = Reader::new(w.as_slice());
        for op in ops {
            assert_eq!(&Op::decode(&mut r).expect("written above"), op);
        }
        assert!(r.end().is_ok());
    }

    #[test]
    fn settings_come_back() {
        let rule = |field: &str, inverse: Option<&str>, creates| AutoLink {
            field: field.to_owned(),
            relation: "to".to_owned(),
            inverse: inverse.map(str::to_owned),
            creates,
        };
        let layers =
            DecayLayers { field: "layer".into(), half_lives: [("a".into(), 0), ("b".into(), 7)].into() };
        let decay = Decay {
            model: DecayModel::Linear,
            half_life: 9,
            layers: Some(layers),
            time_field: None,
            pinned_field: Some("pinned".into()),
        };
        come_back(&[
            Op::Configure(Settings {
                maintenance: Maintenance {
                    delete_threshold: 7,
                    vacuum_interval: 0,
                    refine_ef_construction: 4096,
                    refine_interval: 5,
                    ..Maintenance::default()
                },
                codes: Coding::Bits,
                decay: Some(decay),
                ..Settings::default()
            }),
            Op::Configure(Settings {
                maintenance: Maintenance { graph_retention: 8, ..Maintenance::default() },
                graph_known_from: -9,
                auto_links: vec![rule("d", None, true)],
                ..Settings::default()
            }),
            Op::Configure(Settings {
                maintenance: Maintenance { graph_retention: 8, ..Maintenance::default() },
                graph_known_from: -9,
                ..Settings::default()
            }),
            Op::Configure(Settings {
                auto_links: vec![rule("a.b", None, false), rule("c", Some("back"), true)],
                ..Settings::default()
            }),
        ]);
    }

    proptest! {
        #[test]
        fn any_bytes_decode_or_fail_cleanly(bytes: Vec<u8>) {
            let _ = Op::decode(&mut Reader::new(&bytes));
        }
    }
}
