//! KithDB: edges through the log, merged into one segment, read from a database that was opened anew.

use std::path::Path;
use std::sync::Arc;

use kithdb::base::Object;
use kithdb::collection::{CollectionConfig, GraphOptions, GraphQuestion, LinkRequest, Mutation, Ways};
use kithdb::engine::JobKind;
use kithdb::host::{CollectionHandle, Db, Options};
use kithdb::storage::Level;

use crate::{Edge, Engine, Result};

const COLLECTION: &str = "wordnet";
/// Edges of one batch.
const BATCH: usize = 20_000;
/// As many ends as an answer may have.
const NODES_MAX: usize = 100_000;

/// A collection of edges.
pub struct Kith {
    collection: Arc<CollectionHandle>,
    db: Db,
}

impl Kith {
    /// Links all edges, until the last is acknowledged at `everysec`.
    pub fn link(folder: &Path, edges: &[Edge]) -> Result<()> {
        // What it takes to close is not what a writer waits for.
        std::mem::forget(Self::linked(folder, edges)?);
        Ok(())
    }

    /// Links all edges and makes one segment of them; bytes of its blob.
    pub fn keep(folder: &Path, edges: &[Edge]) -> Result<u64> {
        let Self { collection, db } = Self::linked(folder, edges)?;
        collection.run(JobKind::Optimize)?;
        db.close()?;
        edges_bytes(&folder.join("c/1"))
    }

    fn linked(folder: &Path, edges: &[Edge]) -> Result<Self> {
        let db = Db::open(folder, Options::default())?;
        let collection = db.create(COLLECTION, CollectionConfig::default())?;
        for edges in edges.chunks(BATCH) {
            let link = |edge: &Edge| {
                Mutation::Link(LinkRequest {
                    source: edge.source.clone(),
                    relation: edge.relation.clone(),
                    target: edge.target.clone(),
                    inverse: None,
                    weight: 1.0,
                    properties: Object::new(),
                })
            };
            collection.write(edges.iter().map(link).collect(), Some(Level::Everysec))?;
        }
        Ok(Self { collection, db })
    }

    /// Opens what was linked.
    pub fn open(folder: &Path) -> Result<Self> {
        let db = Db::open(folder, Options { threads: 1, ..Options::default() })?;
        Ok(Self { collection: db.collection(COLLECTION)?, db })
    }

    fn options(depth: usize) -> GraphOptions {
        GraphOptions {
            limit: Some(NODES_MAX),
            depth: Some(depth),
            ways: Ways::Out,
            ..GraphOptions::default()
        }
    }
}

impl Engine for Kith {
    fn around(&self, id: &str) -> Result<Vec<String>> {
        let question = GraphQuestion::Subgraph { ids: vec![id.to_owned()], guide: None, with_edges: false };
        let answer = self.collection.ask_graph(&question, &Self::options(2))?;
        if answer.truncated {
            return Err(format!("{id}: too much is around it").into());
        }
        Ok(answer.nodes.into_iter().map(|node| node.id).filter(|found| found != id).collect())
    }

    fn path(&self, from: &str, to: &str) -> Result<Option<usize>> {
        let (source, target) = (from.to_owned(), to.to_owned());
        let question = GraphQuestion::Path { source, target, weighted: false };
        let answer = self.collection.ask_graph(&question, &Self::options(crate::DEPTH_MAX))?;
        Ok(answer.cost.map(|edges| edges as usize))
    }
}

/// Bytes of the newest blob of edges.
fn edges_bytes(folder: &Path) -> Result<u64> {
    let mut newest = (0, 0);
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|kind| kind == "edges") {
            let number = path.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.parse().ok());
            newest = newest.max((number.unwrap_or(0), path.metadata()?.len()));
        }
    }
    Ok(newest.1)
}
