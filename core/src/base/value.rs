//! Canonical metadata values: the same document gives the same bytes from Rust, JavaScript and JSON.
//!
//! Object keys are sorted by bytes, duplicates are refused; an integer that fits i64, and an integral double up to
//! 2^53, is an [`Value::Int`], any other number a [`Value::Float`]; -0 is 0; NaN and infinities are refused.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::bytes::{DecodeError, Reader, Writer};
use super::error::{Error, InputError};
use super::limits::{METADATA_BYTES_MAX, METADATA_DEPTH_MAX};

/// Metadata: a JSON object.
pub type Object = BTreeMap<String, Value>;

/// A canonical JSON value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A finite number that is not an integer up to 2^53.
    Float(f64),
    /// Text.
    Str(String),
    /// A list.
    Array(Vec<Value>),
    /// Fields, sorted by name.
    Object(Object),
}

const INTEGRAL_MAX: f64 = 9_007_199_254_740_992.0;

impl Value {
    /// The canonical form of a number; `None` for NaN and infinities.
    #[must_use]
    pub fn number(x: f64) -> Option<Self> {
        if !x.is_finite() {
            None
        } else if x.fract() == 0.0 && x.abs() <= INTEGRAL_MAX {
            Some(Self::Int(x as i64))
        } else {
            Some(Self::Float(x))
        }
    }

    /// The text of a string.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        if let Self::Str(text) = self { Some(text) } else { None }
    }

    /// The order of two numbers, exact even where i64 and f64 meet; `None` when one is no number.
    #[must_use]
    pub fn compare_numbers(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Int(a), Self::Int(b)) => Some(a.cmp(b)),
            (Self::Float(a), Self::Float(b)) => a.partial_cmp(b),
            (Self::Int(a), Self::Float(b)) => Some(compare_int_float(*a, *b)),
            (Self::Float(a), Self::Int(b)) => Some(compare_int_float(*b, *a).reverse()),
            _ => None,
        }
    }

    fn depth(&self) -> usize {
        match self {
            Self::Array(items) => 1 + items.iter().map(Self::depth).max().unwrap_or(0),
            Self::Object(fields) => 1 + object_depth(fields),
            _ => 0,
        }
    }

    /// Appends its canonical bytes (docs/FORMAT.md, "Values").
    pub fn encode(&self, w: &mut Writer) {
        match self {
            Self::Null => w.u8(0),
            Self::Bool(b) => w.u8(1 + u8::from(*b)),
            Self::Int(x) => {
                w.u8(3);
                w.i64(*x);
            }
            Self::Float(x) => {
                w.u8(4);
                w.f64(*x);
            }
            Self::Str(text) => {
                w.u8(5);
                w.str(text);
            }
            Self::Array(items) => {
                w.u8(6);
                w.varint(items.len() as u64);
                items.iter().for_each(|item| item.encode(w));
            }
            Self::Object(fields) => {
                w.u8(7);
                encode_object(fields, w);
            }
        }
    }

    fn decode(r: &mut Reader<'_>, depth: usize) -> Result<Self, DecodeError> {
        let offset = r.offset();
        let refuse = |expected| Err(DecodeError { offset, expected });
        let tag = r.u8()?;
        if tag >= 6 && depth >= METADATA_DEPTH_MAX {
            return refuse("a value nested less deeply");
        }
        Ok(match tag {
            0 => Self::Null,
            tag @ (1 | 2) => Self::Bool(tag == 2),
            3 => Self::Int(r.i64()?),
            4 => match Self::number(r.f64()?) {
                Some(x @ Self::Float(_)) => x,
                _ => return refuse("a float in canonical form"),
            },
            5 => Self::Str(r.str()?.to_owned()),
            6 => {
                let n = r.count(1)?;
                Self::Array((0..n).map(|_| Self::decode(r, depth + 1)).collect::<Result<_, _>>()?)
            }
            7 => Self::Object(decode_object_at(r, depth + 1)?),
            _ => return refuse("the tag of a value"),
        })
    }
}

fn object_depth(fields: &Object) -> usize {
    fields.values().map(Value::depth).max().unwrap_or(0)
}

fn compare_int_float(a: i64, b: f64) -> Ordering {
    // Every i64 lies in [-2^63, 2^63); a float outside decides at once, one inside splits into integer and rest.
    if b >= 9_223_372_036_854_775_808.0 {
        Ordering::Less
    } else if b < -9_223_372_036_854_775_808.0 {
        Ordering::Greater
    } else {
        let whole = b.trunc();
        a.cmp(&(whole as i64)).then(if b > whole {
            Ordering::Less
        } else if b < whole {
            Ordering::Greater
        } else {
            Ordering::Equal
        })
    }
}

/// Appends an object's canonical bytes, without a tag.
pub fn encode_object(fields: &Object, w: &mut Writer) {
    w.varint(fields.len() as u64);
    for (name, value) in fields {
        w.str(name);
        value.encode(w);
    }
}

/// Reads what [`encode_object`] wrote and accepts nothing else.
///
/// # Errors
/// When the bytes end, nest too deeply, or are not canonical.
pub fn decode_object(r: &mut Reader<'_>) -> Result<Object, DecodeError> {
    decode_object_at(r, 1)
}

/// As [`decode_object`], but passes over the fields that are not wanted, and what is in them.
///
/// # Errors
/// When the bytes end, nest too deeply, or what is wanted is not canonical.
pub fn decode_fields(r: &mut Reader<'_>, is_wanted: impl Fn(&str) -> bool) -> Result<Object, DecodeError> {
    let mut fields = Object::new();
    for _ in 0..r.count(2)? {
        let name = r.str()?;
        if is_wanted(name) {
            fields.insert(name.to_owned(), Value::decode(r, 1)?);
        } else {
            skip(r, 1)?;
        }
    }
    Ok(fields)
}

/// Passes over a value.
fn skip(r: &mut Reader<'_>, depth: usize) -> Result<(), DecodeError> {
    let offset = r.offset();
    let tag = r.u8()?;
    if tag >= 6 && depth >= METADATA_DEPTH_MAX {
        return Err(DecodeError { offset, expected: "a value nested less deeply" });
    }
    match tag {
        0..=2 => Ok(()),
        3 | 4 => r.u64().map(drop),
        5 => r.blob().map(drop),
        6 => (0..r.count(1)?).try_for_each(|_| skip(r, depth + 1)),
        7 => (0..r.count(2)?).try_for_each(|_| {
            r.blob()?;
            skip(r, depth + 1)
        }),
        _ => Err(DecodeError { offset, expected: "the tag of a value" }),
    }
}

fn decode_object_at(r: &mut Reader<'_>, depth: usize) -> Result<Object, DecodeError> {
    let mut fields = Object::new();
    for _ in 0..r.count(2)? {
        let offset = r.offset();
        let name = r.str()?;
        if fields.last_key_value().is_some_and(|(last, _)| last.as_str() >= name) {
            return Err(DecodeError { offset, expected: "field names in ascending order" });
        }
        let name = name.to_owned();
        fields.insert(name, Value::decode(r, depth)?);
    }
    Ok(fields)
}

/// Reads metadata from JSON text, exactly.
///
/// # Errors
/// `invalid_metadata` when the text is not a JSON object, repeats a field, nests too deeply or is too large.
pub fn parse_object(json: &str) -> Result<Object, Error> {
    let refuse = |expected: String, got: String| Error::from(InputError::Metadata { got, expected });
    match serde_json::from_str::<Value>(json) {
        Ok(Value::Object(fields)) => check_object(fields),
        Ok(_) => Err(refuse("a JSON object".into(), super::ids::shorten(json))),
        Err(e) => Err(refuse("canonical JSON".into(), e.to_string())),
    }
}

/// Refuses metadata that is nested too deeply or too large.
///
/// # Errors
/// `invalid_metadata`, `too_large`.
pub fn check_object(fields: Object) -> Result<Object, Error> {
    let depth = 1 + object_depth(&fields);
    if depth > METADATA_DEPTH_MAX {
        let expected = format!("at most {METADATA_DEPTH_MAX} levels of nesting");
        return Err(InputError::Metadata { got: format!("{depth} levels"), expected }.into());
    }
    let mut w = Writer::new();
    encode_object(&fields, &mut w);
    if w.len() > METADATA_BYTES_MAX {
        let (got, limit) = (w.len() as u64, METADATA_BYTES_MAX as u64);
        return Err(InputError::TooLarge { what: "metadata", got, limit }.into());
    }
    Ok(fields)
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => s.serialize_unit(),
            Self::Bool(b) => s.serialize_bool(*b),
            Self::Int(x) => s.serialize_i64(*x),
            Self::Float(x) => s.serialize_f64(*x),
            Self::Str(text) => s.serialize_str(text),
            Self::Array(items) => s.collect_seq(items),
            Self::Object(fields) => {
                let mut map = s.serialize_map(Some(fields.len()))?;
                for (name, value) in fields {
                    map.serialize_entry(name, value)?;
                }
                map.end()
            }
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        d.deserialize_any(CanonicalVisitor)
    }
}

struct CanonicalVisitor;

impl<'de> Visitor<'de> for CanonicalVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, d: D) -> Result<Value, D::Error> {
        Value::deserialize(d)
    }

    fn visit_bool<E>(self, x: bool) -> Result<Value, E> {
        Ok(Value::Bool(x))
    }

    fn visit_i64<E>(self, x: i64) -> Result<Value, E> {
        Ok(Value::Int(x))
    }

    fn visit_u64<E: de::Error>(self, x: u64) -> Result<Value, E> {
        i64::try_from(x).map_or_else(|_| self.visit_f64(x as f64), |x| Ok(Value::Int(x)))
    }

    fn visit_f64<E: de::Error>(self, x: f64) -> Result<Value, E> {
        Value::number(x).ok_or_else(|| E::custom(format!("{x} is not a finite number")))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Str(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(Value::Str(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut fields = Object::new();
        while let Some((name, value)) = map.next_entry::<String, Value>()? {
            if fields.contains_key(&name) {
                return Err(de::Error::custom(format!("field {name:?} stands twice")));
            }
            fields.insert(name, value);
        }
        Ok(Value::Object(fields))
    }
}

/// About how many bytes an object takes in memory.
#[must_use]
pub fn object_weight(fields: &Object) -> usize {
    fields.iter().map(|(name, value)| name.len() + value_weight(value)).sum()
}

fn value_weight(value: &Value) -> usize {
    match value {
        Value::Str(text) => 24 + text.len(),
        Value::Array(items) => 24 + items.iter().map(value_weight).sum::<usize>(),
        Value::Object(fields) => 24 + object_weight(fields),
        _ => 24,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            any::<i64>().prop_map(Value::Int),
            any::<f64>().prop_filter_map("finite", Value::number),
            ".{0,8}".prop_map(Value::Str),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
                prop::collection::btree_map(".{0,4}", inner, 0..4).prop_map(Value::Object),
            ]
        })
    }

    proptest! {
        #[test]
        fn bytes_and_json_both_come_back(fields in prop::collection::btree_map(".{0,6}", values(), 0..6)) {
            let mut w = Writer::new();
            encode_object(&fields, &mut w);
            let mut r = Reader::new(w.as_slice());
            prop_assert_eq!(&decode_object(&mut r).expect("written above"), &fields);
            prop_assert!(r.end().is_ok());
            let mut r = Reader::new(w.as_slice());
            let is_wanted = |name: &str| name.len() % 2 == 1;
            let wanted: Object = fields.clone().into_iter().filter(|(name, _)| is_wanted(name)).collect();
            prop_assert_eq!(decode_fields(&mut r, is_wanted).expect("written above"), wanted);
            prop_assert!(r.end().is_ok());
            let json = serde_json::to_string(&Value::Object(fields.clone())).expect("finite");
            prop_assert_eq!(parse_object(&json).expect("written above"), fields);
        }

        #[test]
        fn integers_and_floats_compare_exactly(a: i64, b in any::<f64>().prop_filter("finite", |b| b.is_finite())) {
            let order = Value::Int(a).compare_numbers(&Value::Float(b)).expect("numbers");
            let wide = i128::from(a).cmp(&(b.floor() as i128)).then(if b.fract() == 0.0 {
                Ordering::Equal
            } else {
                Ordering::Less
            });
            prop_assert_eq!(order, wide);
        }

        #[test]
        fn any_bytes_decode_or_fail_cleanly(bytes: Vec<u8>) {
            let whole = decode_object(&mut Reader::new(&bytes));
            let passed = decode_fields(&mut Reader::new(&bytes), |_| false);
            prop_assert!(whole.is_err() || passed.is_ok());
        }
    }

    #[test]
    fn numbers_take_their_canonical_form() {
        let fields =
            parse_object(r#"{"a":1.0,"b":-0.0,"c":1e300,"d":9007199254740993,"e":18446744073709551615}"#)
                .expect("numbers");
        assert_eq!(fields["a"], Value::Int(1));
        assert_eq!(fields["b"], Value::Int(0));
        assert_eq!(fields["c"], Value::Float(1e300));
        assert_eq!(fields["d"], Value::Int(9_007_199_254_740_993));
        assert_eq!(fields["e"], Value::Float(18_446_744_073_709_551_615.0));
    }

    #[test]
    fn what_is_not_canonical_is_refused() {
        let deep = format!("{{\"a\":{}1{}}}", "[".repeat(40), "]".repeat(40));
        for bad in [r#"{"a":1,"a":2}"#, r#"{"a":"\ud800"}"#, r#"{"a":1e999}"#, "[1]", "{", &deep] {
            assert_eq!(parse_object(bad).expect_err(bad).code(), "invalid_metadata");
        }
    }
}
