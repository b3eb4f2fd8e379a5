//! The rules of an index that link its vectors by their metadata.

use axum::extract::State;
use axum::response::Response;
use kithdb::base::Result;
use kithdb::collection::{AutoLink, Settings};
use kithdb::wire::parse;
use serde::{Deserialize, Serialize};

use super::ok;
use crate::http::{App, BODY_BYTES_MAX, JsonBody, PathOf, Problem};

/// A rule. It makes no edges back.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AutoLinkBody {
    metadata_field: String,
    relation_type: String,
    /// Whether targets that are not there are made.
    #[serde(default)]
    create_node: bool,
}

impl AutoLinkBody {
    /// As ours.
    pub fn rule(&self) -> AutoLink {
        AutoLink {
            field: self.metadata_field.clone(),
            relation: self.relation_type.clone(),
            inverse: None,
            creates: self.create_node,
        }
    }
}

impl From<&AutoLink> for AutoLinkBody {
    fn from(rule: &AutoLink) -> Self {
        Self {
            metadata_field: rule.field.clone(),
            relation_type: rule.relation.clone(),
            create_node: rule.creates,
        }
    }
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct RulesBody {
    rules: Vec<AutoLinkBody>,
}

/// Puts these rules in the place of those before.
pub async fn set(
    State(app): State<App>,
    PathOf(name): PathOf<String>,
    JsonBody(body): JsonBody<BODY_BYTES_MAX>,
) -> Result<Response, Problem> {
    app.ok(move |db| {
        let body: RulesBody = parse(&body)?;
        let auto_links = body.rules.iter().map(AutoLinkBody::rule).collect();
        db.collection(&name)?.configure(|before| Ok(Settings { auto_links, ..before }), None)?;
        Ok::<_, Problem>(ok(None))
    })
    .await
}

/// The rules.
pub async fn get(State(app): State<App>, PathOf(name): PathOf<String>) -> Result<Response, Problem> {
    app.ok(move |db| {
        let info = db.collection(&name)?.info()?;
        let rules = info.config.settings.auto_links.iter().map(AutoLinkBody::from).collect();
        Ok::<_, Problem>(RulesBody { rules })
    })
    .await
}
