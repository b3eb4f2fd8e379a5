//! Schemas in few words. Fields of a body that may be left out may be null as well, and others are refused; fields of an
//! answer that may be left out are never null unless they say so.

use serde_json::Value;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{
    AdditionalProperties, AnyOfBuilder, ArrayBuilder, Object, ObjectBuilder, RefBuilder, Schema, SchemaType,
    Type,
};

/// A schema, or the name of one.
pub type Shape = RefOr<Schema>;

fn of_type(kind: Type, about: &str) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(SchemaType::new(kind)).description(said(about))
}

/// What is said of a schema, if anything.
fn said(about: &str) -> Option<&str> {
    (!about.is_empty()).then_some(about)
}

/// Text.
pub fn text(about: &str) -> Shape {
    of_type(Type::String, about).into()
}

/// Text of so many characters.
pub fn text_of(about: &str, min: usize, max: usize) -> Shape {
    of_type(Type::String, about).min_length(Some(min)).max_length(Some(max)).into()
}

/// Text of a form.
pub fn text_like(about: &str, pattern: &str) -> Shape {
    of_type(Type::String, about).pattern(Some(pattern)).into()
}

/// A number.
pub fn number(about: &str) -> Shape {
    of_type(Type::Number, about).into()
}

/// A number between two.
pub fn number_in(about: &str, from: f64, to: f64) -> Shape {
    of_type(Type::Number, about).minimum(Some(from)).maximum(Some(to)).into()
}

/// An integer, which may be negative.
pub fn integer(about: &str) -> Shape {
    of_type(Type::Integer, about).into()
}

/// How many.
pub fn count(about: &str) -> Shape {
    of_type(Type::Integer, about).minimum(Some(0_usize)).into()
}

/// How many, between two.
pub fn count_in(about: &str, from: usize, to: usize) -> Shape {
    of_type(Type::Integer, about).minimum(Some(from)).maximum(Some(to)).into()
}

/// True or false.
pub fn flag(about: &str) -> Shape {
    of_type(Type::Boolean, about).into()
}

/// One of these texts.
pub fn choice(about: &str, of: &[&str]) -> Shape {
    of_type(Type::String, about).enum_values(Some(of.iter().copied())).into()
}

/// Whatever JSON can say.
pub fn any(about: &str) -> Shape {
    ObjectBuilder::new().schema_type(SchemaType::AnyValue).description(said(about)).into()
}

/// A list.
pub fn list(about: &str, of: impl Into<Shape>) -> Shape {
    let of: Shape = of.into();
    ArrayBuilder::new().items(of).description(said(about)).into()
}

/// A list of so many at most.
pub fn list_to(about: &str, most: usize, of: impl Into<Shape>) -> Shape {
    let of: Shape = of.into();
    ArrayBuilder::new().items(of).description(said(about)).max_items(Some(most)).into()
}

/// Values by names that the caller chose.
pub fn map(about: &str, of: impl Into<Shape>) -> Shape {
    let of: Shape = of.into();
    of_type(Type::Object, about).additional_properties(Some(of)).into()
}

/// An object of any fields.
pub fn free(about: &str) -> Shape {
    of_type(Type::Object, about).into()
}

/// One of these.
pub fn either<const N: usize>(about: &str, of: [Shape; N]) -> Shape {
    of.into_iter().fold(AnyOfBuilder::new().description(said(about)), AnyOfBuilder::item).into()
}

/// The schema of this name.
pub fn named(name: &str) -> Shape {
    RefBuilder::new().ref_location_from_schema_name(name).into()
}

/// The schema of this name, and what it is here.
pub fn named_for(name: &str, about: &str) -> Shape {
    RefBuilder::new().ref_location_from_schema_name(name).description(said(about)).into()
}

/// The same, or null.
pub fn or_null(shape: impl Into<Shape>) -> Shape {
    let with_null = |kind: SchemaType| match kind {
        SchemaType::Type(kind) => SchemaType::Array(vec![kind, Type::Null]),
        other => other,
    };
    match shape.into() {
        RefOr::T(Schema::Object(mut object)) => {
            object.schema_type = with_null(object.schema_type);
            object.enum_values.iter_mut().for_each(|values| values.push(Value::Null));
            object.into()
        }
        RefOr::T(Schema::Array(mut array)) => {
            array.schema_type = with_null(array.schema_type);
            array.into()
        }
        RefOr::T(Schema::AnyOf(mut any_of)) => {
            any_of.items.push(null());
            RefOr::T(Schema::AnyOf(any_of))
        }
        other => AnyOfBuilder::new().item(other).item(null()).into(),
    }
}

fn null() -> Shape {
    Object::with_type(Type::Null).into()
}

/// An object with known fields.
pub struct Fields {
    object: ObjectBuilder,
    is_asked: bool,
}

/// A body: fields that are not known are refused.
pub fn asked(about: &str) -> Fields {
    let closed = AdditionalProperties::FreeForm(false);
    Fields { object: of_type(Type::Object, about).additional_properties(Some(closed)), is_asked: true }
}

/// A body whose other fields are passed over.
pub fn asked_loosely(about: &str) -> Fields {
    Fields { object: of_type(Type::Object, about), is_asked: true }
}

/// An answer.
pub fn told(about: &str) -> Fields {
    Fields { object: of_type(Type::Object, about), is_asked: false }
}

impl Fields {
    /// With a field that is always there.
    pub fn must(mut self, name: &str, shape: impl Into<Shape>) -> Self {
        self.object = self.object.property(name, shape.into()).required(name);
        self
    }

    /// With a field that may be left out.
    pub fn may(mut self, name: &str, shape: impl Into<Shape>) -> Self {
        let shape = if self.is_asked { or_null(shape) } else { shape.into() };
        self.object = self.object.property(name, shape);
        self
    }

    /// With a field that may be left out, but is not null.
    pub fn may_not_null(mut self, name: &str, shape: impl Into<Shape>) -> Self {
        self.object = self.object.property(name, shape.into());
        self
    }
}

impl From<Fields> for Shape {
    fn from(fields: Fields) -> Self {
        fields.object.into()
    }
}
