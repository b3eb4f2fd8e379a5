//! Access keys, in this API's shapes. A namespace is a collection. Tokens are random and checked against what the server
//! keeps, not signed: nothing is in them, and there is no public key to check one with.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use kithdb::base::Error;
use kithdb::wire::parse;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::http::need::Role;
use crate::http::{App, BODY_BYTES_MAX, JsonBody, Key, Keys, NewKey, NoBody, PathOf, Problem, not_kept};

/// How long a key lasts that is made here, in nanoseconds: 90 days.
const LASTS: i64 = 90 * 24 * 3_600 * 1_000_000_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CreateBody {
    #[serde(default)]
    description: String,
    #[serde(default)]
    role: String,
    #[serde(default)]
    namespaces: Option<Vec<String>>,
    /// What its clients send for one.
    #[serde(default)]
    namespace: Option<String>,
}

#[derive(Serialize)]
struct CreatedAnswer {
    token: String,
    policy: Policy,
    warning: &'static str,
}

#[derive(Serialize)]
struct Policy {
    id: String,
    description: String,
    role: Role,
    namespaces: Vec<String>,
    /// Seconds since 1970 UTC.
    created_at: i64,
}

#[derive(Serialize)]
struct ListAnswer {
    revoked_token_ids: Vec<String>,
    note: &'static str,
    /// Ours: the keys that count.
    keys: Vec<Policy>,
}

impl From<&Key> for Policy {
    fn from(key: &Key) -> Self {
        Self {
            id: key.id.clone(),
            description: key.description.clone(),
            role: key.role,
            namespaces: key.collections.clone(),
            created_at: key.created_at.div_euclid(1_000_000_000),
        }
    }
}

pub async fn create(
    State(app): State<App>,
    JsonBody(body): JsonBody<BODY_BYTES_MAX>,
) -> Result<Response, Problem> {
    let keys = app.clone();
    let made = app.ok(move |db| {
        let CreateBody { description, role, namespaces, namespace } = parse(&body)?;
        let role = Role::parse(&role)?;
        let collections = match (namespaces, namespace) {
            (Some(_), Some(_)) => {
                let expected = "either namespaces or namespace";
                return Err(Error::parameter("namespace", "both", expected).into());
            }
            (Some(many), None) if !many.is_empty() => many,
            (None, Some(one)) if !one.is_empty() => vec![one],
            _ => vec!["*".to_owned()],
        };
        let expires_at = Some(db.options().clock.now_ns().saturating_add(LASTS));
        let (key, token) = keys.keys().make(db, NewKey { description, role, collections, expires_at })?;
        let warning = "Keep this token: it is shown once and expires in 90 days.";
        Ok::<_, Problem>(CreatedAnswer { token, policy: Policy::from(&key), warning })
    });
    // The token is nobody else's.
    Ok(not_kept(made.await?))
}

pub async fn list(State(app): State<App>) -> Result<Response, Problem> {
    let kept = app.with_keys(Keys::read).await?;
    app.ok_aside(move |db| {
        let now = db.options().clock.now_ns();
        let valid = kept.keys.values().filter(|key| !key.has_expired(now));
        Ok::<_, Problem>(ListAnswer {
            revoked_token_ids: kept.revoked.clone(),
            note: "Tokens are not kept, only their digests.",
            keys: valid.map(Policy::from).collect(),
        })
    })
    .await
}

pub async fn revoke(
    State(app): State<App>,
    PathOf(jti): PathOf<String>,
    _: NoBody,
) -> Result<Response, Problem> {
    let id = jti.clone();
    app.with_keys(move |keys, db| keys.revoke(db, &id)).await?;
    Ok(Json(json!({"status": "revoked", "jti": jti})).into_response())
}

/// No token is signed, so that there is no key to check a signature with.
pub async fn jwks() -> Response {
    Json(json!({"keys": []})).into_response()
}
