//! Lines of JSON: what `kithdb dump` writes of documents and edges, and what `kithdb load` reads.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::base::ids::shorten;
use crate::base::time::format_time;
use crate::base::{Error, NEVER, Object, Result, Seq};
use crate::collection::{Document, FoundEdge, LinkRequest};
use crate::segment::Row;

use super::answers::DocumentAnswer;
use super::graph::LinkBody;
use super::requests::{TimeBody, components, parse_metadata};

/// A line of a file to be loaded: a document or an edge, or what `kithdb dump` wrote of one.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LineBody<'a> {
    /// The id of a document.
    #[serde(default)]
    pub id: Option<String>,
    /// Its vector.
    #[serde(default, deserialize_with = "components")]
    pub vector: Option<Vec<f32>>,
    /// Its metadata.
    #[serde(default, borrow)]
    pub metadata: Option<&'a RawValue>,
    /// When it goes by itself.
    #[serde(default)]
    pub expires_at: Option<TimeBody>,
    /// An edge, and no document.
    #[serde(default, borrow)]
    pub edge: Option<LinkBody<'a>>,
    /// Which version a dump took it from; the one that is loaded is new.
    #[serde(default)]
    pub seq: Option<u64>,
    /// Likewise, of a document.
    #[serde(default)]
    pub valid_from: Option<TimeBody>,
    /// Likewise, of an edge.
    #[serde(default)]
    pub created: Option<TimeBody>,
}

/// What a line holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Line {
    /// A document.
    Document(Document),
    /// An edge.
    Edge(LinkRequest),
}

impl LineBody<'_> {
    /// As the core takes it.
    ///
    /// # Errors
    /// `invalid_metadata`; `invalid_parameter` for a line that is neither or both.
    pub fn line(self) -> Result<Line> {
        let refuse = |name, got: &str, expected| Err(Error::parameter(name, shorten(got), expected));
        match (self.id, self.edge) {
            (Some(id), None) => {
                let metadata = parse_metadata(self.metadata.map(RawValue::get))?;
                let expires_at = self.expires_at.map(|time| time.ns("expires_at")).transpose()?;
                Ok(Line::Document(Document { id, vector: self.vector, metadata, expires_at }))
            }
            (None, Some(edge)) => {
                if self.vector.is_some() || self.metadata.is_some() || self.expires_at.is_some() {
                    return refuse("edge", "with what documents have", "an edge alone");
                }
                edge.request().map(Line::Edge)
            }
            (Some(id), Some(_)) => refuse("id", &id, "a document or an edge, not both on one line"),
            (None, None) => refuse("id", "nothing", "the id of a document, or an edge"),
        }
    }
}

/// A document as `kithdb dump` writes it: what [`LineBody`] reads, and which version it is.
#[derive(Debug, Clone, Serialize)]
pub struct DumpLine {
    /// What is loaded again.
    #[serde(flatten)]
    pub document: DocumentAnswer,
    /// Order of this version within the collection.
    pub seq: u64,
    /// Since when it is valid.
    pub valid_from: String,
    /// When it goes by itself; left out when it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
}

impl From<&Row> for DumpLine {
    fn from(row: &Row) -> Self {
        let expires_at = (row.expires_at < NEVER).then(|| format_time(row.expires_at));
        let valid_from = format_time(row.valid_from);
        Self { document: row.into(), seq: row.seq.0, valid_from, expires_at }
    }
}

/// An edge as `kithdb dump` writes it: what [`LineBody`] reads, and which version it is.
#[derive(Debug, Clone, Serialize)]
pub struct DumpEdgeLine {
    /// What is linked again.
    pub edge: DumpEdge,
    /// Order of this version within the collection.
    pub seq: u64,
    /// Since when it is there.
    pub created: String,
}

/// An edge under the names of a request to link it.
#[derive(Debug, Clone, Serialize)]
pub struct DumpEdge {
    /// Where it begins.
    pub source: String,
    /// What it means.
    pub relation: String,
    /// Where it leads.
    pub target: String,
    /// The caller's.
    pub weight: f64,
    /// The caller's; left out where there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub properties: Option<Object>,
}

impl DumpEdgeLine {
    /// An edge and its place in the order of the collection.
    #[must_use]
    pub fn new(seq: Seq, edge: FoundEdge) -> Self {
        let FoundEdge { source, relation, target, weight, properties, created, .. } = edge;
        let properties = properties.as_deref().cloned();
        let edge = DumpEdge { source, relation, target, weight, properties };
        Self { edge, seq: seq.0, created: format_time(created) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{parse, to_json};

    fn line(json: &str) -> Result<Line> {
        parse::<LineBody<'_>>(json.as_bytes()).and_then(LineBody::line)
    }

    #[test]
    fn a_line_is_a_document_or_an_edge() {
        let Ok(Line::Document(document)) = line(r#"{"id": "a", "metadata": {"edge": 1}, "seq": 3}"#) else {
            panic!("a document")
        };
        assert_eq!(document.id, "a");
        let Ok(Line::Edge(edge)) =
            line(r#"{"edge": {"source": "a", "relation": "r", "target": "b"}, "created": 5}"#)
        else {
            panic!("an edge")
        };
        assert_eq!((&*edge.source, &*edge.target, edge.weight), ("a", "b", 1.0));
        let edge = r#""edge": {"source": "a", "relation": "r", "target": "b"}"#;
        for bad in
            ["{}".to_owned(), format!(r#"{{"id": "a", {edge}}}"#), format!(r#"{{"vector": [1], {edge}}}"#)]
        {
            assert_eq!(line(&bad).expect_err("neither or both").code(), "invalid_parameter", "{bad}");
        }
        assert_eq!(line(r#"{"edge": {"source": "a"}}"#).expect_err("no edge").code(), "invalid_request");
    }

    #[test]
    fn a_dumped_edge_is_the_request_that_made_it() {
        let found = FoundEdge {
            source: "a".to_owned(),
            relation: "r".to_owned(),
            target: "b".to_owned(),
            weight: 0.1,
            properties: Some(crate::base::value::parse_object(r#"{"n": 1}"#).expect("JSON").into()),
            created: 1,
            ended: None,
        };
        let json = to_json(&DumpEdgeLine::new(Seq(7), found.clone()));
        let Ok(Line::Edge(edge)) = line(&json) else { panic!("{json}") };
        assert_eq!((edge.source, edge.relation, edge.target), (found.source, found.relation, found.target));
        assert_eq!((edge.weight, Some(edge.properties.into()), edge.inverse), (0.1, found.properties, None));
    }
}
