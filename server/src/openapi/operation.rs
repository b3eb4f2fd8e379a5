//! What a route takes and answers, as far as the route table does not say it.

use axum::http::Method;
use serde_json::Value;
use utoipa::openapi::Required;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};

use super::schema::Shape;
use crate::http::status_of;

/// The shape of errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Errors {
    /// problem+json.
    Problem,
    /// KektorDB's: `{"error": "..."}`, and plain text for who may not ask.
    Kektor,
    /// ruvector-go's: `{"error": "..."}`.
    Ruvector,
}

/// Routes that belong together.
pub struct Group {
    /// Its name.
    pub name: &'static str,
    /// What they do.
    pub about: &'static str,
    /// How they refuse.
    pub errors: Errors,
    /// The routes.
    pub operations: Vec<Described>,
}

/// What a body is.
pub enum Body {
    /// JSON; with `packed`, JSON with the vectors beside it as well.
    Json { shape: Box<Shape>, packed: bool, example: Option<Value> },
    /// A file.
    File(&'static str),
}

/// What is answered.
pub enum Content {
    /// Nothing but the status.
    Nothing,
    /// JSON; with `packed`, with the vectors beside it for who accepts that.
    Json { shape: Box<Shape>, packed: bool },
    /// Something else, of one of these types.
    Other(Vec<&'static str>),
}

/// A route, described.
pub struct Described {
    pub method: Method,
    pub path: String,
    pub id: &'static str,
    pub summary: &'static str,
    pub about: &'static str,
    pub parameters: Vec<Parameter>,
    pub body: Option<Body>,
    pub answer: (u16, Content),
    /// Whether it has a tag, and may be answered with 304.
    pub is_tagged: bool,
    /// Whether some of what is asked for is elsewhere, and answered with 308.
    pub has_moved: bool,
    /// Status and code of what it may fail with, beside what every route may.
    pub codes: Vec<(u16, &'static str)>,
}

fn describe(method: Method, path: impl Into<String>, id: &'static str, summary: &'static str) -> Described {
    let (path, parameters, codes) = (path.into(), vec![], vec![]);
    let answer = (200, Content::Nothing);
    Described {
        method,
        path,
        id,
        summary,
        about: "",
        parameters,
        body: None,
        answer,
        is_tagged: false,
        has_moved: false,
        codes,
    }
}

macro_rules! methods {
    ($($name:ident $method:ident),*) => {
        $(
            /// What is asked with this method.
            pub fn $name(path: impl Into<String>, id: &'static str, summary: &'static str) -> Described {
                describe(Method::$method, path, id, summary)
            }
        )*
    };
}

methods!(get GET, post POST, put PUT, patch PATCH, delete DELETE);

impl Described {
    /// With more to be said.
    pub fn about(mut self, about: &'static str) -> Self {
        self.about = about;
        self
    }

    /// With a parameter behind the question mark.
    pub fn query(mut self, name: &'static str, shape: Shape, about: &'static str) -> Self {
        self.parameters.push(parameter(ParameterIn::Query, name, shape, about));
        self
    }

    /// With one that must be given.
    pub fn must_query(mut self, name: &'static str, shape: Shape, about: &'static str) -> Self {
        let mut must = parameter(ParameterIn::Query, name, shape, about);
        must.required = Required::True;
        self.parameters.push(must);
        self
    }

    /// With a header.
    pub fn header(mut self, name: &'static str, shape: Shape, about: &'static str) -> Self {
        self.parameters.push(parameter(ParameterIn::Header, name, shape, about));
        self
    }

    /// With a body of JSON.
    pub fn body(mut self, shape: impl Into<Shape>) -> Self {
        self.body = Some(Body::Json { shape: Box::new(shape.into()), packed: false, example: None });
        self
    }

    /// With a body of JSON, or JSON and vectors.
    pub fn packed_body(mut self, shape: impl Into<Shape>) -> Self {
        self.body = Some(Body::Json { shape: Box::new(shape.into()), packed: true, example: None });
        self
    }

    /// With a body such as this.
    pub fn like(mut self, such: Value) -> Self {
        if let Some(Body::Json { example, .. }) = &mut self.body {
            *example = Some(such);
        }
        self
    }

    /// With a file as its body.
    pub fn file(mut self, content_type: &'static str) -> Self {
        self.body = Some(Body::File(content_type));
        self
    }

    /// Answers JSON.
    pub fn answers(self, shape: impl Into<Shape>) -> Self {
        self.answers_with(200, shape)
    }

    /// Answers JSON with this status.
    pub fn answers_with(mut self, status: u16, shape: impl Into<Shape>) -> Self {
        self.answer = (status, Content::Json { shape: Box::new(shape.into()), packed: false });
        self
    }

    /// Answers JSON, with the vectors beside it for who accepts that.
    pub fn answers_packed(mut self, shape: impl Into<Shape>) -> Self {
        self.answer = (200, Content::Json { shape: Box::new(shape.into()), packed: true });
        self
    }

    /// Answers something else.
    pub fn sends(mut self, content_type: &'static str) -> Self {
        self.answer = (200, Content::Other(vec![content_type]));
        self
    }

    /// Answers that, or something of another type.
    pub fn or_sends(mut self, content_type: &'static str) -> Self {
        if let (_, Content::Other(types)) = &mut self.answer {
            types.push(content_type);
        }
        self
    }

    /// Answers nothing but a status.
    pub fn done_with(mut self, status: u16) -> Self {
        self.answer = (status, Content::Nothing);
        self
    }

    /// Answers with a tag.
    pub fn tagged(mut self) -> Self {
        self.is_tagged = true;
        self
    }

    /// May answer that it is elsewhere.
    pub fn moved(mut self) -> Self {
        self.has_moved = true;
        self
    }

    /// May fail so, too.
    pub fn fails(mut self, codes: &[&'static str]) -> Self {
        self.codes.extend(codes.iter().map(|code| (status_of(code).as_u16(), *code)));
        self
    }

    /// May fail so, with this status.
    pub fn fails_with(mut self, status: u16, code: &'static str) -> Self {
        self.codes.push((status, code));
        self
    }
}

/// A parameter; one of the path is always there.
pub fn parameter(place: ParameterIn, name: &str, shape: Shape, about: &str) -> Parameter {
    let required = if place == ParameterIn::Path { Required::True } else { Required::False };
    let told = (!about.is_empty()).then_some(about);
    let built = ParameterBuilder::new().name(name).parameter_in(place).required(required);
    built.description(told).schema(Some(shape)).build()
}
