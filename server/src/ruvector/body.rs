//! Bodies as Go's encoding/json reads them: names in any case, unknown ones ignored, null for nothing, the last of two
//! wins, and what follows the value is not looked at. Numbers of vectors never pass through a float.

use std::fmt;

use axum::body::Bytes;
use axum::http::StatusCode;
use kithdb::base::limits::{BULK_MAX, DIM_MAX};
use kithdb::wire::up_to;
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::refuse;
use crate::http::Problem;

/// Reads a body; whatever is wrong with it, its length included, is told in one text.
pub fn read<T: for<'de> Deserialize<'de>>(body: Result<Bytes, Problem>) -> Result<T, Problem> {
    let invalid = || refuse(StatusCode::BAD_REQUEST, "invalid request body");
    // That the server has no room now, or the client is too slow, is no mistake in the body.
    let is_ours = |problem: &Problem| {
        [StatusCode::SERVICE_UNAVAILABLE, StatusCode::REQUEST_TIMEOUT].contains(&problem.status())
    };
    let bytes = body.map_err(|problem| if is_ours(&problem) { problem } else { invalid() })?;
    T::deserialize(&mut serde_json::Deserializer::from_slice(&bytes)).map_err(|_| invalid())
}

/// Vectors; of more than are taken, one more.
#[derive(Debug, Default)]
pub struct Vectors(pub Vec<VectorBody>);

impl<'de> Deserialize<'de> for Vectors {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        up_to::<BULK_MAX, _, _>(d).map(Self)
    }
}

/// Components of a vector, each a finite f32.
#[derive(Debug, Default)]
pub struct Components(pub Vec<f32>);

macro_rules! bodies {
    ($($(#[$about:meta])* $body:ident { $($field:ident: $type:ty),+ })+) => {$(
        $(#[$about])*
        #[derive(Debug, Default)]
        pub struct $body {
            $(pub $field: $type,)+
        }

        impl<'de> Deserialize<'de> for $body {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                struct Fields;
                impl<'de> Visitor<'de> for Fields {
                    type Value = $body;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str("an object")
                    }

                    fn visit_unit<E>(self) -> Result<$body, E> {
                        Ok($body::default())
                    }

                    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<$body, A::Error> {
                        let mut body = $body::default();
                        while let Some(name) = map.next_key::<String>()? {
                            $(if name.eq_ignore_ascii_case(stringify!($field)) {
                                if let Some(value) = map.next_value::<Option<$type>>()? {
                                    body.$field = value;
                                }
                                continue;
                            })+
                            map.next_value::<IgnoredAny>()?;
                        }
                        Ok(body)
                    }
                }
                d.deserialize_any(Fields)
            }
        }
    )+};
}

bodies! {
    /// A collection to be made.
    CreateBody { name: String, dimension: i64, metric: String, m: i64, ef_construction: i64, ef_search: i64 }
    /// Vectors to be stored.
    InsertBody { vectors: Vectors }
    /// One of them.
    VectorBody { id: u64, vector: Components }
    /// A search.
    SearchBody { vector: Components, k: i64, ef: i64 }
}

impl<'de> Deserialize<'de> for Components {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Numbers;
        impl<'de> Visitor<'de> for Numbers {
            type Value = Components;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of numbers")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Components, A::Error> {
                let mut components = Vec::with_capacity(seq.size_hint().unwrap_or(0).min(DIM_MAX));
                while let Some(x) = seq.next_element::<f64>()? {
                    let component = x as f32;
                    if component.is_infinite() {
                        return Err(A::Error::custom("a number beyond f32"));
                    }
                    components.push(component);
                }
                Ok(Components(components))
            }
        }
        d.deserialize_seq(Numbers)
    }
}
