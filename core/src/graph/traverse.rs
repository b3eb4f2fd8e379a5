//! Following a path of relations from a document, as a tree.

use std::collections::HashSet;

use crate::base::ids::shorten;
use crate::base::limits::{GRAPH_DEPTH_MAX, PATH_BYTES_MAX};
use crate::base::{Error, Key, Result};

use super::edge::{Direction, Link, Relation, check_relation};
use super::state::{Graph, Links};

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Along a relation: `parent`.
    Along(String),
    /// Along a relation, against its direction: `<parent`.
    Against(String),
    /// Along any relation: `*`.
    Any,
    /// Along any relation, as often as the depth allows, each end once: `**`, at the end of a path.
    Deep,
}

/// A document and what a path leads to from it.
#[derive(Debug, Clone, PartialEq)]
pub struct Tree {
    /// The document.
    pub node: Key,
    /// The edge it was reached by; `None` at the root.
    pub link: Option<Link>,
    /// What is reached from it, in the order of the edges.
    pub branches: Vec<Tree>,
}

/// Reads a path such as `parent.child`, `*` or `cites.**`.
///
/// # Errors
/// `invalid_parameter`.
pub fn parse_path(path: &str) -> Result<Vec<Step>> {
    if path.len() > PATH_BYTES_MAX {
        return Err(Error::parameter("path", shorten(path), format!("at most {PATH_BYTES_MAX} bytes")));
    }
    let step = |part: &str| match part {
        "*" => Ok(Step::Any),
        "**" => Ok(Step::Deep),
        name => {
            let (name, is_against) = name.strip_prefix('<').map_or((name, false), |name| (name, true));
            check_relation(name).map_err(|_| {
                let expected = "relations with dots between them, < before one to go against it, * or **";
                Error::parameter("path", shorten(path), expected)
            })?;
            Ok(if is_against { Step::Against(name.to_owned()) } else { Step::Along(name.to_owned()) })
        }
    };
    let steps: Vec<Step> = path.split('.').map(step).collect::<Result<_>>()?;
    if steps.len() > GRAPH_DEPTH_MAX {
        let expected = format!("at most {GRAPH_DEPTH_MAX} steps");
        return Err(Error::parameter("path", shorten(path), expected));
    }
    let before_last = &steps[..steps.len() - 1];
    if before_last.contains(&Step::Deep) {
        return Err(Error::parameter("path", shorten(path), "** at the end of the path only"));
    }
    Ok(steps)
}

/// What is left of the bounds of a question, for all of its paths together.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Places of trees that may still be filled.
    pub nodes: usize,
    /// Edges that may still be looked at.
    pub edges: usize,
    /// Whether there is more.
    pub truncated: bool,
}

/// A step with the numbers of its relations; `None` where no edge ever had it.
struct Resolved {
    direction: Direction,
    relations: Option<Vec<Relation>>,
    is_deep: bool,
}

impl Graph<'_> {
    /// Follows a path from a document; `**` goes `depth` edges far. Ends where the bounds do.
    #[must_use]
    pub fn traverse(&self, root: Key, path: &[Step], depth: usize, bounds: &mut Bounds) -> Tree {
        let path: Vec<Resolved> = path.iter().map(|step| self.resolve(step)).collect();
        Tree { node: root, link: None, branches: self.branches(root, &path, depth, bounds) }
    }

    fn resolve(&self, step: &Step) -> Resolved {
        let along = |name: &str| self.relation(name).map(|relation| vec![relation]);
        let (direction, relations) = match step {
            Step::Along(name) => (Direction::Out, along(name)),
            Step::Against(name) => (Direction::In, along(name)),
            Step::Any | Step::Deep => (Direction::Out, Some(Vec::new())),
        };
        Resolved { direction, relations, is_deep: *step == Step::Deep }
    }

    fn branches(&self, node: Key, path: &[Resolved], depth: usize, bounds: &mut Bounds) -> Vec<Tree> {
        let Some((step, rest)) = path.split_first() else { return Vec::new() };
        if step.is_deep {
            return self.deep(node, depth, bounds);
        }
        let (mut links, mut branches) = (Links::default(), Vec::new());
        if let Some(relations) = step.relations.as_ref().filter(|_| !bounds.truncated) {
            self.links(node, step.direction, relations, &mut links);
            bounds.look(links.len());
        }
        for link in links.iter() {
            if !bounds.take() {
                break;
            }
            let far = link.far(step.direction);
            let below = self.branches(far, rest, depth, bounds);
            branches.push(Tree { node: far, link: Some(*link), branches: below });
        }
        branches
    }

    /// All that can be reached within the depth, each end once and where it is nearest.
    fn deep(&self, root: Key, depth: usize, bounds: &mut Bounds) -> Vec<Tree> {
        // Breadth first, so that an end hangs where it is nearest; then the tree is put together from its leaves.
        let mut found: Vec<(usize, Tree, Vec<Tree>)> = Vec::new();
        let mut seen = HashSet::from([root]);
        let (mut level, mut links) = (vec![(usize::MAX, root)], Links::default());
        for _ in 0..depth {
            let mut next = Vec::new();
            for (parent, node) in level {
                if bounds.truncated {
                    break;
                }
                self.links(node, Direction::Out, &[], &mut links);
                bounds.look(links.len());
                for link in links.iter() {
                    if seen.contains(&link.target) {
                        continue;
                    }
                    if !bounds.take() {
                        break;
                    }
                    seen.insert(link.target);
                    next.push((found.len(), link.target));
                    let tree = Tree { node: link.target, link: Some(*link), branches: Vec::new() };
                    found.push((parent, tree, Vec::new()));
                }
            }
            level = next;
        }
        let mut branches = Vec::new();
        while let Some((parent, mut tree, below)) = found.pop() {
            tree.branches.extend(below.into_iter().rev());
            match found.get_mut(parent) {
                Some((.., beside)) => beside.push(tree),
                None => branches.push(tree),
            }
        }
        branches.reverse();
        branches
    }
}

impl Bounds {
    /// So many places and edges.
    #[must_use]
    pub fn new(nodes: usize, edges: usize) -> Self {
        Self { nodes, edges, truncated: false }
    }

    fn take(&mut self) -> bool {
        self.truncated |= self.nodes == 0;
        self.nodes = self.nodes.saturating_sub(1);
        !self.truncated
    }

    fn look(&mut self, edges: usize) {
        self.truncated |= self.edges < edges;
        self.edges = self.edges.saturating_sub(edges);
    }
}
