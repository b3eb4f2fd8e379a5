//! The document put together: of each route what the table says of it and what is described.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use axum::Extension;
use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::response::{IntoResponse, Response};
use kithdb::base::limits::{ID_BYTES_MAX, KV_KEY_BYTES_MAX};
use kithdb::wire::PACKED_TYPE;
use serde::Serialize;
use serde_json::ser::PrettyFormatter;
use utoipa::openapi::path::{Operation, OperationBuilder, Parameter, ParameterIn, Paths};
use utoipa::openapi::request_body::{RequestBody, RequestBodyBuilder};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{
    ComponentsBuilder, Content, ContentBuilder, HttpMethod, InfoBuilder, LicenseBuilder, OpenApi,
    OpenApiBuilder, Ref, Required, Response as Answer, ResponseBuilder,
};

use super::operation::{Body, Content as Sent, Described, Errors, Group, parameter};
use super::schema::{Shape, count, named, text, text_of};
use super::{kektor, operations, ruvector, v1};
use crate::http::need::{About, Need, Role};
use crate::http::table::Route;
use crate::http::{Problem, tag_of, unchanging_unless_known};

const JSON: &str = "application/json";
const PROBLEM: &str = "application/problem+json";

/// The security scheme's name.
const TOKEN: &str = "token";

/// Answers that refuse, each once, by name: most routes share them.
type Refusals = BTreeMap<String, Answer>;

type Writing = Box<dyn FnOnce() -> (Bytes, String) + Send>;

/// The document as it is served, and its tag: written when it is first asked for, and shared by all answers.
#[derive(Clone)]
pub struct Document(Arc<LazyLock<(Bytes, String), Writing>>);

impl Document {
    /// Of these routes.
    pub fn of(routes: Vec<Route>) -> Self {
        Self(Arc::new(LazyLock::new(Box::new(move || {
            let text = Bytes::from(document(&routes).to_json().expect("strings and numbers are JSON"));
            let tag = tag_of(&text);
            (text, tag)
        }))))
    }
}

/// Serves the document. Nothing of the database is in it.
pub async fn served(
    Extension(document): Extension<Document>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (text, tag) = LazyLock::force(&document.0);
    let json = [(header::CONTENT_TYPE, HeaderValue::from_static(JSON))];
    unchanging_unless_known(tag, &headers, || Ok((json, text.clone()).into_response()))
}

/// The document as text for people.
///
/// # Panics
/// Never: it is strings and numbers.
pub fn text_of_document(routes: &[Route]) -> String {
    let mut text = vec![];
    let by_one = PrettyFormatter::with_indent(b" ");
    let mut json = serde_json::Serializer::with_formatter(&mut text, by_one);
    document(routes).serialize(&mut json).expect("strings and numbers are JSON");
    text.push(b'\n');
    String::from_utf8(text).expect("JSON is UTF-8")
}

fn groups() -> Vec<Group> {
    let mut groups = v1::groups();
    groups.push(operations::group());
    groups.extend(kektor::groups());
    groups.push(ruvector::group());
    groups
}

/// Every description, whether a route serves it or not.
#[cfg(test)]
pub fn descriptions() -> Vec<Described> {
    groups().into_iter().flat_map(|group| group.operations).collect()
}

/// What is served by these routes. A description that none of them serves is left out; a test looks for one.
pub fn document(routes: &[Route]) -> OpenApi {
    let groups = groups();
    let tag = |group: &Group| TagBuilder::new().name(group.name).description(Some(group.about)).build();
    let tags: Vec<_> = groups.iter().map(tag).collect();
    let (mut paths, mut refusals) = (Paths::new(), Refusals::new());
    for Group { name, errors, operations, .. } in groups {
        for described in operations {
            let Some(route) = route_of(routes, &described.method, &described.path) else { continue };
            let (path, method) = (described.path.clone(), http_method(&described.method));
            let role = route.need.role_for(|variable| filled(route, variable, &path));
            let making = Making { need: &route.need, role, errors };
            let operation = making.operation(name, described, &mut refusals);
            paths.add_path_operation(path, vec![method], operation);
        }
    }
    let license =
        LicenseBuilder::new().name("Apache-2.0 OR MIT").identifier(Some("Apache-2.0 OR MIT")).build();
    let info = InfoBuilder::new()
        .title("KithDB")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "A hybrid search database: vectors, words, filters and a graph. Its own API is /v1; beside it are the \
             paths of KektorDB's data plane and of ruvector-go, for their clients.",
        ))
        .license(Some(license));
    let document = OpenApiBuilder::new().info(info.build()).paths(paths).tags(Some(tags));
    document.components(Some(components(refusals))).build()
}

fn components(refusals: Refusals) -> utoipa::openapi::Components {
    let about = "A server that was started with a token wants it, or the token of an access key. The roles of a key \
                 are read, write and admin, each with what comes before it; a key may be for some collections only.";
    let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(about)).build();
    let schemas = [operations::schemas(), v1::schemas(), kektor::schemas()];
    let components = ComponentsBuilder::new().security_scheme(TOKEN, SecurityScheme::Http(scheme));
    let components = refusals.into_iter().fold(components, |all, (name, told)| all.response(name, told));
    schemas.into_iter().flatten().fold(components, |all, (name, shape)| all.schema(name, shape)).build()
}

fn http_method(method: &Method) -> HttpMethod {
    match *method {
        Method::POST => HttpMethod::Post,
        Method::PUT => HttpMethod::Put,
        Method::PATCH => HttpMethod::Patch,
        Method::DELETE => HttpMethod::Delete,
        _ => HttpMethod::Get,
    }
}

/// The route that serves a path of the document: the one of this path, or the one whose variable stands for its verb.
pub fn route_of<'a>(routes: &'a [Route], method: &Method, path: &str) -> Option<&'a Route> {
    let served: Vec<&Route> = routes.iter().filter(|route| route.method.as_ref() == Some(method)).collect();
    let is_served = |route: &Route| {
        let (ours, theirs) = (route.path.split('/'), path.split('/'));
        ours.clone().count() == theirs.clone().count()
            && ours.zip(theirs).all(|(ours, theirs)| ours == theirs || ours.starts_with('{'))
    };
    let exact = served.iter().find(|route| plain(&route.path) == path);
    exact.or_else(|| served.iter().find(|route| is_served(route))).copied()
}

/// A path without the star of a variable that takes the rest of it.
pub fn plain(path: &str) -> String {
    path.replace("{*", "{")
}

/// What a path of the document has in the place of a variable of the route's.
fn filled<'a>(route: &Route, variable: &str, path: &'a str) -> Option<&'a str> {
    let wanted = format!("{{{variable}}}");
    route.path.split('/').zip(path.split('/')).find(|(ours, _)| *ours == wanted).map(|(_, theirs)| theirs)
}

/// What the table says of a route.
struct Making<'a> {
    need: &'a Need,
    role: Option<Role>,
    errors: Errors,
}

impl Making<'_> {
    fn operation(&self, tag: &str, described: Described, refusals: &mut Refusals) -> Operation {
        let is_idempotent = self.role == Some(Role::Write) && described.path.starts_with("/v1/");
        let failures = self.failures(&described, is_idempotent);
        let Described { path, id, summary, about, parameters, body, answer, is_tagged, has_moved, .. } =
            described;
        let mut parameters: Vec<Parameter> = variables(&path).into_iter().chain(parameters).collect();
        if is_idempotent {
            let about =
                "What is asked under a key is done once: asked again, it is answered with the first answer.";
            parameters.push(parameter(ParameterIn::Header, "Idempotency-Key", text_of("", 1, 255), about));
        }
        let needs = self.needs();
        let told = if about.is_empty() { needs } else { format!("{about}\n\n{needs}") };
        let mut operation = OperationBuilder::new()
            .tag(tag)
            .summary(Some(summary))
            .description(Some(told))
            .operation_id((!id.is_empty()).then_some(id))
            .parameters((!parameters.is_empty()).then_some(parameters))
            .request_body(body.map(request))
            .securities(Some(self.role.map(|role| SecurityRequirement::new(TOKEN, [role.name()]))));
        operation = operation.response(answer.0.to_string(), sent(answer.0, answer.1, is_tagged));
        if is_tagged {
            operation = operation.response("304", Answer::new("It is still the one of the tag."));
        }
        if has_moved {
            operation = operation.response("308", sent(308, Sent::Nothing, false));
        }
        for (status, codes) in failures {
            operation = operation.response(status.to_string(), self.refused(status, &codes, refusals));
        }
        operation.response("default", self.refused(0, &[], refusals)).build()
    }

    /// The name of an answer that refuses.
    fn refused(&self, status: u16, codes: &[&str], refusals: &mut Refusals) -> Ref {
        let name = match status {
            0 => format!("{:?}", self.errors),
            _ => format!("{:?}.{status}.{}", self.errors, codes.join(".")),
        };
        refusals.entry(name.clone()).or_insert_with(|| self.refusal(status, codes));
        Ref::from_response_name(name)
    }

    /// Who may ask, in words.
    fn needs(&self) -> String {
        let Some(role) = self.role else { return "Anybody may ask, without a token.".to_owned() };
        let about = match self.need.about {
            About::Database => "for all collections",
            About::Path(_) => "for the collection in the path",
            About::Field(_) => "for the collection that the body names",
            About::Nothing => "for any collection",
            About::Listed => "for any collection; what the key may not use is left out",
        };
        format!("Needs the role {role} {about}.")
    }

    /// Status and codes of what it may be refused with.
    fn failures(&self, described: &Described, is_idempotent: bool) -> BTreeMap<u16, Vec<&'static str>> {
        let mut codes = vec![(403, "forbidden_host"), (403, "forbidden_origin")];
        if self.role.is_some() {
            codes.extend([
                (401, "missing_token"),
                (401, "unknown_token"),
                (429, "too_many_failures"),
                (403, "forbidden"),
                (503, "overloaded"),
            ]);
        }
        if matches!(self.need.about, About::Path(_)) {
            codes.extend([(404, "unknown_collection"), (503, "unopenable")]);
        }
        if matches!(self.need.about, About::Field(_)) {
            codes.push((404, "unknown_collection"));
        }
        if described.body.is_some() {
            codes.extend([
                (400, "invalid_request"),
                (400, "invalid_parameter"),
                (408, "too_slow"),
                (413, "too_large"),
            ]);
        }
        let is_json = matches!(described.body, Some(Body::Json { .. }));
        if described.body.is_some() && !(is_json && self.errors == Errors::Ruvector) {
            codes.push((415, "unsupported_media_type"));
        }
        if !described.parameters.is_empty() {
            codes.extend([(400, "invalid_request"), (400, "invalid_parameter")]);
        }
        if is_idempotent {
            codes.push((422, "idempotency_key_reused"));
        }
        let mut by_status: BTreeMap<u16, Vec<&'static str>> = BTreeMap::new();
        for (status, code) in codes.into_iter().chain(described.codes.iter().copied()) {
            let known = by_status.entry(status).or_default();
            if !known.contains(&code) {
                known.push(code);
            }
        }
        by_status.remove(&described.answer.0);
        by_status
    }

    /// An answer that refuses. The checks before a route, and a failure of ours, are told as everywhere.
    fn refusal(&self, status: u16, codes: &[&str]) -> Answer {
        let told = if codes.is_empty() { "Another error.".to_owned() } else { codes.join(", ") };
        let answer = ResponseBuilder::new().description(told);
        let own =
            |answer: ResponseBuilder, kind: &str| answer.content(kind, Content::new(Some(named("Error"))));
        let plain = |answer: ResponseBuilder| answer.content("text/plain", Content::new(Some(text(""))));
        let answer = match (self.errors, status) {
            (Errors::Problem, _) => answer,
            (Errors::Kektor, 401) => return plain(answer).build(),
            (Errors::Kektor, 403) => plain(answer),
            (_, 0 | 403) => own(answer, JSON),
            _ => return own(answer, JSON).build(),
        };
        answer.content(PROBLEM, Content::new(Some(named("Problem")))).build()
    }
}

/// The parameters of a path.
fn variables(path: &str) -> Vec<Parameter> {
    let variable = |segment: &str| Some(segment.strip_prefix('{')?.strip_suffix('}')?.to_owned());
    let is_collection = ["/v1/collections/", "/vector/indexes/", "/collections/"];
    let is_collection = is_collection.iter().any(|of| path.starts_with(of));
    let shape = |name: &str| -> (Shape, &str) {
        match name {
            "name" if is_collection => (named("Name"), "The collection."),
            "id" if path.starts_with("/collections/") => (count(""), "The vector's number."),
            "id" if is_collection => (text_of("", 1, ID_BYTES_MAX), "The document's id."),
            "key" => (text_of("", 1, KV_KEY_BYTES_MAX), "The key."),
            _ => (text_of("", 1, ID_BYTES_MAX), ""),
        }
    };
    let of = |name: String| {
        let (shape, about) = shape(&name);
        parameter(ParameterIn::Path, &name, shape, about)
    };
    path.split('/').filter_map(variable).map(of).collect()
}

fn request(body: Body) -> RequestBody {
    let request = RequestBodyBuilder::new().required(Some(Required::True));
    match body {
        Body::File(kind) => request.content(kind, Content::new::<Shape>(None)).build(),
        Body::Json { shape, packed, example } => {
            let json = ContentBuilder::new().schema(Some(*shape)).example(example).build();
            let request = request.content(JSON, json);
            if packed { request.content(PACKED_TYPE, packed_content()).build() } else { request.build() }
        }
    }
}

/// JSON with the vectors beside it, as core's `wire::packed` tells.
fn packed_content() -> Content {
    let about = "JSON with the vectors beside it: lengths as u32, the JSON, the vectors' components as f32, all \
                 little-endian.";
    Content::new(Some(text(about)))
}

fn sent(status: u16, content: Sent, is_tagged: bool) -> Answer {
    let answer = ResponseBuilder::new().description(match status {
        201 => "It was made.",
        202 => "It was started.",
        204 => "It was done.",
        308 => "It is elsewhere.",
        404 => "There is none.",
        501 => "It is not served.",
        _ => "The answer.",
    });
    let answer = match content {
        Sent::Nothing if status == 501 => answer.content(JSON, Content::new(Some(named("Error")))),
        Sent::Nothing => answer,
        Sent::Other(kinds) => {
            kinds.iter().fold(answer, |answer, kind| answer.content(*kind, Content::new::<Shape>(None)))
        }
        Sent::Json { shape, packed } => {
            let answer = answer.content(JSON, Content::new(Some(*shape)));
            if packed { answer.content(PACKED_TYPE, packed_content()) } else { answer }
        }
    };
    let tag = utoipa::openapi::Header::new(text("Names this version."));
    if is_tagged { answer.header("ETag", tag).build() } else { answer.build() }
}
