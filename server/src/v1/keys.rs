//! Access keys: made, listed, revoked.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use kithdb::base::time::format_time;
use kithdb::wire::{LifeBody, TimeBody, parse};
use serde::{Deserialize, Serialize};

use crate::http::need::Role;
use crate::http::{App, BODY_BYTES_MAX, JsonBody, Key, Keys, NewKey, NoBody, PathOf, Problem, not_kept};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewKeyBody {
    role: String,
    /// All, where it is left out.
    #[serde(default)]
    collections: Option<Vec<String>>,
    #[serde(default)]
    description: String,
    #[serde(default)]
    expires_at: Option<TimeBody>,
    #[serde(default)]
    ttl: Option<String>,
}

#[derive(Serialize)]
struct ListAnswer {
    keys: Vec<AccessKeyAnswer>,
}

#[derive(Serialize)]
struct MadeAnswer {
    /// Told once: only its digest is kept.
    token: String,
    key: AccessKeyAnswer,
}

#[derive(Serialize)]
struct AccessKeyAnswer {
    id: String,
    description: String,
    role: Role,
    collections: Vec<String>,
    created_at: String,
    /// Null for never.
    expires_at: Option<String>,
}

impl From<&Key> for AccessKeyAnswer {
    fn from(key: &Key) -> Self {
        Self {
            id: key.id.clone(),
            description: key.description.clone(),
            role: key.role,
            collections: key.collections.clone(),
            created_at: format_time(key.created_at),
            expires_at: key.expires_at.map(format_time),
        }
    }
}

pub async fn create(
    State(app): State<App>,
    JsonBody(body): JsonBody<BODY_BYTES_MAX>,
) -> Result<Response, Problem> {
    let keys = app.clone();
    let made = app.answer(StatusCode::CREATED, move |db| {
        let NewKeyBody { role, collections, description, expires_at, ttl } = parse(&body)?;
        let role = Role::parse(&role)?;
        let expires_at = LifeBody { expires_at, ttl }.end(&*db.options().clock)?;
        let collections = collections.unwrap_or_else(|| vec!["*".to_owned()]);
        let new = NewKey { description, role, collections, expires_at };
        let (key, token) = keys.keys().make(db, new)?;
        Ok::<_, Problem>(MadeAnswer { token, key: AccessKeyAnswer::from(&key) })
    });
    // The token is nobody else's.
    Ok(not_kept(made.await?))
}

/// Those that have expired are listed until the next is made.
pub async fn list(State(app): State<App>) -> Result<Response, Problem> {
    let kept = app.with_keys(Keys::read).await?;
    app.ok_aside(move |_| {
        let keys = kept.keys.values().map(AccessKeyAnswer::from).collect();
        Ok::<_, Problem>(ListAnswer { keys })
    })
    .await
}

/// One that was revoked before is no error.
pub async fn revoke(
    State(app): State<App>,
    PathOf(id): PathOf<String>,
    _: NoBody,
) -> Result<StatusCode, Problem> {
    app.with_keys(move |keys, db| keys.revoke(db, &id)).await?;
    Ok(StatusCode::NO_CONTENT)
}
