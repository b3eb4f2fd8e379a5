//! Who may do what: the token of a request, and whether it is enough for a route. A server that was started without a
//! token is open to whoever reaches its port, which only this machine does.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use axum::body::Body;
use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{FromRequestParts, RawPathParams, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use serde::Deserializer as _;
use serde::de::{Error as _, IgnoredAny, MapAccess, Visitor};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq;

use super::app::App;
use super::extract::{invalid, read};
use super::failures::Peer;
use super::keys::{self, Keys, to_hex};
use super::limits::{HELD, Held, Reserved};
use super::need::{About, Need, Role};
use super::problem::Problem;
use super::{BATCH_BYTES_MAX, guard};

/// A token has at least so many characters.
pub const TOKEN_CHARS_MIN: usize = 16;

/// What is kept of a token: nobody can use it from a file or from memory.
#[derive(Clone, Copy)]
pub struct TokenDigest([u8; 32]);

impl TokenDigest {
    /// The digest of a token.
    pub fn of(token: &str) -> Self {
        Self(Sha256::digest(token.as_bytes()).into())
    }

    /// As it is kept.
    pub fn to_hex(self) -> String {
        to_hex(&self.0)
    }

    /// What was kept; `None` when it is none.
    pub fn from_hex(digits: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        if digits.len() != 64 || !digits.is_ascii() {
            return None;
        }
        for (i, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&digits[2 * i..2 * i + 2], 16).ok()?;
        }
        Some(Self(bytes))
    }

    /// Whether it is the same, in a time that does not tell how much of it is.
    pub fn is(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

/// Who asks, as the handlers see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    role: Role,
    /// `None`: every collection.
    collections: Option<Vec<String>>,
    /// The id of the key; `None` for who asks without one.
    key: Option<String>,
}

impl Caller {
    /// Who may do everything.
    pub const fn master() -> Self {
        Self { role: Role::Admin, collections: None, key: None }
    }

    /// Who asks with a key: `None` for every collection.
    pub const fn of_key(role: Role, collections: Option<Vec<String>>, key: String) -> Self {
        Self { role, collections, key: Some(key) }
    }

    /// The id of the key; `None` for who asks without one.
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// Whether it may use this collection.
    pub fn may_use(&self, collection: &str) -> bool {
        self.collections.as_ref().is_none_or(|names| names.iter().any(|name| name == collection))
    }
}

/// Routes that list collections take it to leave some out.
impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        // It is there wherever a route was declared.
        parts.extensions.get::<Self>().cloned().ok_or_else(Problem::internal)
    }
}

/// In the extensions of an answer to who was found to be allowed to ask.
#[derive(Debug, Clone, Copy)]
pub struct Authorized;

/// Lets a request through to its route when whoever asks may use it.
///
/// # Errors
/// 401 without a token, or with one that is not known; 403 when it is not enough.
pub async fn authorize(
    State((app, need)): State<(App, Need)>,
    variables: Result<RawPathParams, RawPathParamsRejection>,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let variables = variables.map_err(|e| invalid(&e.body_text()))?;
    let variable = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value);
    if let Some(role) = need.role_for(variable) {
        guard::check_site(app.options(), request.headers(), request.uri().path())?;
        let caller = caller(&app, request.headers(), Peer::of(request.extensions())).await?;
        if caller.role < role {
            return Err(forbidden(format!("this needs the role {role}"), role.name(), caller.role.name()));
        }
        let narrow = caller.collections.is_some();
        let about = match need.about {
            About::Path(name) => variable(name).map(str::to_owned),
            About::Field(field) if narrow => {
                let named;
                (request, named) = field_of(request, field).await?;
                named
            }
            _ => None,
        };
        match about {
            Some(name) if !caller.may_use(&name) => {
                return Err(forbidden("this key is not for that collection".into(), "", &name));
            }
            None if narrow && !matches!(need.about, About::Listed | About::Nothing) => {
                return Err(forbidden("this needs a key for all collections".into(), "*", "some of them"));
            }
            _ => {}
        }
        request.extensions_mut().insert(caller);
        let held = Held::new(role, request.extensions().get::<Reserved>().cloned());
        let mut answer = HELD.scope(held, next.run(request)).await;
        answer.extensions_mut().insert(Authorized);
        return Ok(answer);
    }
    Ok(next.run(request).await)
}

/// Who asks.
///
/// # Errors
/// 401; 429 where too many tokens failed from there; 503 when it cannot be found out.
pub async fn caller(app: &App, headers: &HeaderMap, peer: Option<Peer>) -> Result<Caller, Problem> {
    let Some(master) = &app.options().token else { return Ok(Caller::master()) };
    let mut given = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(first), None) = (given.next(), given.next()) else {
        return Err(unauthorized("missing_token", "this server wants a token"));
    };
    let token = first.to_str().ok().and_then(bearer);
    let Some(token) = token else {
        return Err(unauthorized(
            "missing_token",
            "the Authorization header is not of the form Bearer TOKEN",
        ));
    };
    if let Some(left) = peer.and_then(|peer| app.failures().wait(peer, token)) {
        return Err(too_many_failures(left));
    }
    match known(app, master, token).await? {
        Some(caller) => {
            peer.inspect(|peer| app.failures().succeeded(*peer, token));
            Ok(caller)
        }
        None => {
            peer.inspect(|peer| app.failures().failed(*peer));
            Err(unauthorized("unknown_token", "this token is not known, was revoked, or has expired"))
        }
    }
}

/// Whose token it is.
async fn known(app: &App, master: &TokenDigest, token: &str) -> Result<Option<Caller>, Problem> {
    if master.is(&TokenDigest::of(token)) {
        return Ok(Some(Caller::master()));
    }
    if keys::id_of(token).is_some() {
        let kept = match app.keys().known() {
            Some(known) => known,
            None => app.with_keys(Keys::read).await?,
        };
        return Ok(kept.caller(token, &*app.db().options().clock));
    }
    Ok(None)
}

fn too_many_failures(left: Duration) -> Problem {
    let message = "too many unknown tokens came from this address: its tokens are not looked at for a while";
    Problem::http(StatusCode::TOO_MANY_REQUESTS, "too_many_failures", message)
        .hint("wait as long as Retry-After says, and look where the token is from")
        .retry_after(left)
}

fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn unauthorized(code: &'static str, message: &str) -> Problem {
    Problem::http(StatusCode::UNAUTHORIZED, code, message).hint("send the header Authorization: Bearer TOKEN")
}

fn forbidden(message: String, expected: &str, got: &str) -> Problem {
    let problem = Problem::http(StatusCode::FORBIDDEN, "forbidden", message);
    if expected.is_empty() { problem } else { problem.facts(expected, kithdb::base::ids::shorten(got)) }
}

/// The request, read, and the text that a field of its JSON object has.
async fn field_of(request: Request, field: &'static str) -> Result<(Request, Option<String>), Problem> {
    let (parts, body) = request.into_parts();
    let bytes = read(body, BATCH_BYTES_MAX).await?;
    let mut json = serde_json::Deserializer::from_slice(&bytes);
    let text = json.deserialize_map(FieldOf(field)).and_then(|text| json.end().map(|()| text));
    let text = text.map_err(|e| invalid(&e.to_string()))?;
    Ok((Request::from_parts(parts, Body::from(bytes)), text))
}

/// Reads one field of an object and passes over the rest. What a handler could read in another way is refused: a list in
/// place of an object, and a field that is there twice.
struct FieldOf(&'static str);

impl<'de> Visitor<'de> for FieldOf {
    type Value = Option<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(key) = object.next_key::<Cow<'de, str>>()? {
            if key != self.0 {
                object.next_value::<IgnoredAny>()?;
            } else if found.replace(object.next_value::<Option<String>>()?).is_some() {
                return Err(A::Error::custom(format!("duplicate field `{}`", self.0)));
            }
        }
        Ok(found.flatten())
    }
}
