//! SQLite, with a table and an index of each end; and petgraph, in memory and without history or names of relations.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use petgraph::Direction;
use petgraph::graph::NodeIndex;
use petgraph::stable_graph::StableDiGraph;
use rusqlite::{Connection, params};

use crate::{DEPTH_MAX, Edge, Engine, Result};

/// A file of edges.
pub struct Sqlite(Connection);

impl Sqlite {
    /// Links all edges in one transaction.
    pub fn link(path: &Path, edges: &[Edge]) -> Result<()> {
        let connection = Self::open(path)?.0;
        connection.execute_batch(
            "CREATE TABLE edges (source TEXT NOT NULL, relation TEXT NOT NULL, target TEXT NOT NULL, weight REAL NOT NULL);
             CREATE INDEX by_source ON edges (source, relation); CREATE INDEX by_target ON edges (target, relation); BEGIN;",
        )?;
        {
            let mut insert = connection.prepare("INSERT INTO edges VALUES (?, ?, ?, 1.0)")?;
            for edge in edges {
                insert.execute(params![edge.source, edge.relation, edge.target])?;
            }
        }
        connection.execute_batch("COMMIT")?;
        Ok(())
    }

    /// Opens what was linked.
    pub fn open(path: &Path) -> Result<Self> {
        let connection = Connection::open(path)?;
        connection.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -262144; PRAGMA mmap_size = 1073741824;",
        )?;
        Ok(Self(connection))
    }

    /// What one search from an end adds to what it has reached.
    fn expand(&self, text: &str, frontier: &[String], reached: &mut HashSet<String>) -> Result<Vec<String>> {
        let mut statement = self.0.prepare_cached(text)?;
        let mut next = Vec::new();
        for id in frontier {
            let mut rows = statement.query([id])?;
            while let Some(row) = rows.next()? {
                let far: String = row.get(0)?;
                if reached.insert(far.clone()) {
                    next.push(far);
                }
            }
        }
        Ok(next)
    }
}

impl Engine for Sqlite {
    fn around(&self, id: &str) -> Result<Vec<String>> {
        let text = "WITH one(id) AS (SELECT target FROM edges WHERE source = ?1)
                    SELECT id FROM one WHERE id <> ?1 UNION
                    SELECT target FROM one JOIN edges ON source = one.id WHERE target <> ?1";
        let mut statement = self.0.prepare_cached(text)?;
        let found = statement.query_map([id], |row| row.get(0))?;
        Ok(found.collect::<rusqlite::Result<_>>()?)
    }

    fn path(&self, from: &str, to: &str) -> Result<Option<usize>> {
        const TEXTS: [&str; 2] =
            ["SELECT target FROM edges WHERE source = ?", "SELECT source FROM edges WHERE target = ?"];
        let mut frontiers = [vec![from.to_owned()], vec![to.to_owned()]];
        let mut reached = [HashSet::from([from.to_owned()]), HashSet::from([to.to_owned()])];
        for depth in 1..=DEPTH_MAX {
            let own = usize::from(frontiers[1].len() < frontiers[0].len());
            let next = self.expand(TEXTS[own], &frontiers[own], &mut reached[own])?;
            if next.iter().any(|id| reached[1 - own].contains(id)) {
                return Ok(Some(depth));
            }
            if next.is_empty() {
                return Ok(None);
            }
            frontiers[own] = next;
        }
        Ok(None)
    }
}

/// A graph in memory.
pub struct Memory {
    graph: StableDiGraph<String, ()>,
    nodes: HashMap<String, NodeIndex>,
}

impl Memory {
    /// Of all edges.
    pub fn new(edges: &[Edge]) -> Self {
        let (mut graph, mut nodes) = (StableDiGraph::new(), HashMap::new());
        let mut node = |graph: &mut StableDiGraph<String, ()>, id: &str| {
            *nodes.entry(id.to_owned()).or_insert_with(|| graph.add_node(id.to_owned()))
        };
        for edge in edges {
            let (source, target) = (node(&mut graph, &edge.source), node(&mut graph, &edge.target));
            graph.add_edge(source, target, ());
        }
        Self { graph, nodes }
    }

    fn expand(
        &self,
        frontier: &[NodeIndex],
        direction: Direction,
        reached: &mut HashSet<NodeIndex>,
    ) -> Vec<NodeIndex> {
        let neighbours = frontier.iter().flat_map(|node| self.graph.neighbors_directed(*node, direction));
        neighbours.filter(|node| reached.insert(*node)).collect()
    }
}

impl Engine for Memory {
    fn around(&self, id: &str) -> Result<Vec<String>> {
        let Some(root) = self.nodes.get(id) else { return Ok(Vec::new()) };
        let mut reached = HashSet::from([*root]);
        let one = self.expand(&[*root], Direction::Outgoing, &mut reached);
        let two = self.expand(&one, Direction::Outgoing, &mut reached);
        Ok(one.iter().chain(&two).map(|node| self.graph[*node].clone()).collect())
    }

    fn path(&self, from: &str, to: &str) -> Result<Option<usize>> {
        let (Some(from), Some(to)) = (self.nodes.get(from), self.nodes.get(to)) else { return Ok(None) };
        let mut frontiers = [vec![*from], vec![*to]];
        let mut reached = [HashSet::from([*from]), HashSet::from([*to])];
        for depth in 1..=DEPTH_MAX {
            let own = usize::from(frontiers[1].len() < frontiers[0].len());
            let direction = [Direction::Outgoing, Direction::Incoming][own];
            let next = self.expand(&frontiers[own], direction, &mut reached[own]);
            if next.iter().any(|node| reached[1 - own].contains(node)) {
                return Ok(Some(depth));
            }
            if next.is_empty() {
                return Ok(None);
            }
            frontiers[own] = next;
        }
        Ok(None)
    }
}
