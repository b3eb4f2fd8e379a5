//! Rules of auto-links as JSON: what is asked and what is answered have one shape.

use serde::{Deserialize, Serialize};

use crate::collection::{AutoLink, Relinked};

/// A rule that links documents by their metadata.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AutoLinkBody {
    /// The path of the field whose values are ids.
    pub field: String,
    /// The relation of the edges.
    pub relation: String,
    /// That of the edges back; left out, none are made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inverse: Option<String>,
    /// True to make documents, without vector and metadata, of ids that are not there.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub create_target: bool,
}

impl AutoLinkBody {
    /// As the core's rule.
    #[must_use]
    pub fn rule(&self) -> AutoLink {
        let Self { field, relation, inverse, create_target } = self.clone();
        AutoLink { field, relation, inverse, creates: create_target }
    }
}

impl From<&AutoLink> for AutoLinkBody {
    fn from(rule: &AutoLink) -> Self {
        let AutoLink { field, relation, inverse, creates } = rule.clone();
        Self { field, relation, inverse, create_target: creates }
    }
}

/// What applying the rules to a whole collection did.
#[derive(Debug, Clone, Serialize)]
pub struct RelinkAnswer {
    /// Documents that were looked at.
    pub documents: usize,
    /// Edges that were made.
    pub linked: usize,
}

impl From<Relinked> for RelinkAnswer {
    fn from(done: Relinked) -> Self {
        let Relinked { documents, linked } = done;
        Self { documents, linked }
    }
}
