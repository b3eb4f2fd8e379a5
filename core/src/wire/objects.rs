//! Objects that are never lists. What serde derives for a struct takes a list, too, as its fields in their order: a body
//! would mean something that no document tells, and another thing when a field is added. Here only an object is one,
//! however deep it stands. What is left of a deserializer is passed through.

use std::fmt;

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, EnumAccess, Error, MapAccess, SeqAccess, VariantAccess,
    Visitor,
};

/// A deserializer, a visitor or a seed around one; all that is inside of it reads through one, too.
pub(super) struct Objects<T>(pub T);

/// A field of what serde looks at twice (`untagged`), which reads it from elsewhere.
pub(super) fn within<'de, T: Deserialize<'de>, D: Deserializer<'de>>(d: D) -> Result<T, D::Error> {
    T::deserialize(Objects(d))
}

macro_rules! pass {
    ($($method:ident)*) => {
        $(
            #[inline]
            fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
                self.0.$method(Objects(visitor))
            }
        )*
    };
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Objects<D> {
    type Error = D::Error;

    pass! {
        deserialize_any deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_u8
        deserialize_u16 deserialize_u32 deserialize_u64 deserialize_f32 deserialize_f64 deserialize_char deserialize_str
        deserialize_string deserialize_bytes deserialize_byte_buf deserialize_option deserialize_unit deserialize_seq
        deserialize_map deserialize_identifier deserialize_ignored_any
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_unit_struct(name, Objects(visitor))
    }

    #[inline]
    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_newtype_struct(name, Objects(visitor))
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_tuple(len, Objects(visitor))
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_tuple_struct(name, len, Objects(visitor))
    }

    /// The one that is not passed through.
    #[inline]
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_map(Objects(visitor))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_enum(name, variants, Objects(visitor))
    }

    fn is_human_readable(&self) -> bool {
        self.0.is_human_readable()
    }
}

macro_rules! seen {
    ($($method:ident $kind:ty),*) => {
        $(
            #[inline]
            fn $method<E: Error>(self, value: $kind) -> Result<V::Value, E> {
                self.0.$method(value)
            }
        )*
    };
}

macro_rules! within {
    ($($method:ident $access:ident),*) => {
        $(
            #[inline]
            fn $method<A: $access<'de>>(self, access: A) -> Result<V::Value, A::Error> {
                self.0.$method(Objects(access))
            }
        )*
    };
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Objects<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(f)
    }

    seen!(
        visit_bool bool, visit_i64 i64, visit_u64 u64, visit_f64 f64, visit_str &str, visit_borrowed_str &'de str,
        visit_string String, visit_bytes &[u8], visit_borrowed_bytes &'de [u8], visit_byte_buf Vec<u8>
    );
    within!(visit_seq SeqAccess, visit_map MapAccess, visit_enum EnumAccess);

    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        self.0.visit_none()
    }

    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.0.visit_unit()
    }

    #[inline]
    fn visit_some<D: Deserializer<'de>>(self, inside: D) -> Result<V::Value, D::Error> {
        self.0.visit_some(Objects(inside))
    }

    #[inline]
    fn visit_newtype_struct<D: Deserializer<'de>>(self, inside: D) -> Result<V::Value, D::Error> {
        self.0.visit_newtype_struct(Objects(inside))
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Objects<S> {
    type Value = S::Value;

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<S::Value, D::Error> {
        self.0.deserialize(Objects(from))
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Objects<A> {
    type Error = A::Error;

    #[inline]
    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, A::Error> {
        self.0.next_element_seed(Objects(seed))
    }

    fn size_hint(&self) -> Option<usize> {
        self.0.size_hint()
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Objects<A> {
    type Error = A::Error;

    #[inline]
    fn next_key_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, A::Error> {
        self.0.next_key_seed(Objects(seed))
    }

    #[inline]
    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, A::Error> {
        self.0.next_value_seed(Objects(seed))
    }

    fn size_hint(&self) -> Option<usize> {
        self.0.size_hint()
    }
}

impl<'de, A: EnumAccess<'de>> EnumAccess<'de> for Objects<A> {
    type Error = A::Error;
    type Variant = Objects<A::Variant>;

    fn variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<(T::Value, Self::Variant), A::Error> {
        self.0.variant_seed(Objects(seed)).map(|(value, variant)| (value, Objects(variant)))
    }
}

impl<'de, A: VariantAccess<'de>> VariantAccess<'de> for Objects<A> {
    type Error = A::Error;

    fn unit_variant(self) -> Result<(), A::Error> {
        self.0.unit_variant()
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, A::Error> {
        self.0.newtype_variant_seed(Objects(seed))
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, A::Error> {
        self.0.tuple_variant(len, Objects(visitor))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        self.0.struct_variant(fields, Objects(visitor))
    }
}

#[cfg(test)]
mod tests {
    use crate::wire::{
        AddBody, CreateBody, GraphBody, LinksBody, MaintenanceBody, PutBody, SearchBody, SearchesBody, parse,
    };

    /// A client puts a list where an object belongs, deep in a body: it was read as the fields in their order.
    #[test]
    fn a_list_is_no_object_however_deep_it_stands() {
        macro_rules! refused {
            ($($body:ty, $json:expr;)*) => {
                $(
                    let error = parse::<$body>($json.as_bytes()).err().expect($json);
                    assert_eq!(error.code(), "invalid_request", "{}", $json);
                )*
            };
        }
        refused! {
            AddBody<'_>, r#"{"documents": [["a", [1, 2]]]}"#;
            AddBody<'_>, r#"{"documents": [{"id": "a", "vector": [1]}, ["b"]]}"#;
            AddBody<'_>, r#"[[{"id": "a"}]]"#;
            CreateBody, r#"{"maintenance": [0.5]}"#;
            CreateBody, r#"{"text": ["english"]}"#;
            CreateBody, r#"{"embedder": ["a", 1]}"#;
            CreateBody, r#"{"auto_links": [["parent", "child_of"]]}"#;
            CreateBody, r#"{"decay": ["30d"]}"#;
            LinksBody<'_>, r#"{"edges": [["a", "b", "to"]]}"#;
            GraphBody, r#"{"guide": [[1, 2]]}"#;
            MaintenanceBody, "[0.5]";
            SearchBody, r#"{"vector": [1], "highlight": [1]}"#;
            SearchBody, r#"{"vector": [1], "graph": ["a"]}"#;
            SearchBody, r#"{"vector": [1], "expand": [1]}"#;
            SearchBody, r#"{"vector": [1], "group_by": ["a", 1]}"#;
            SearchBody, r#"{"vector": [1], "sort": [["a", "desc"]]}"#;
            SearchBody, r#"{"vector": [1], "facets": [["a", 3]]}"#;
            SearchBody, r#"{"vector": [1], "facets": [{"field": "a", "ranges": [[1, 2]]}]}"#;
            SearchBody, r#"{"vector": [1], "decay": ["30d"]}"#;
            SearchesBody, r#"{"searches": [[[1, 2]]]}"#;
        }
        // What is a list stays one, and raw JSON stays as it is.
        let put: PutBody<'_> =
            parse(br#"{"vector": [1, 2.5], "metadata": {"a": [1, [2]]}}"#).expect("a body");
        assert_eq!(put.vector.as_deref(), Some(&[1.0, 2.5][..]));
        assert_eq!(put.metadata.map(|raw| raw.get()), Some(r#"{"a": [1, [2]]}"#));
        let trailing = parse::<MaintenanceBody>(b"{} {}").expect_err("one value");
        assert_eq!(trailing.code(), "invalid_request");
    }
}
