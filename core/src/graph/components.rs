//! Connected components: which documents hang together, whichever way the edges lead.

use std::collections::HashMap;

use crate::base::Key;

use super::edge::Direction;
use super::state::{Graph, Links};

/// Documents that hang together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Component {
    /// The one of them that was mentioned first.
    pub first: Key,
    /// How many they are, 2 or more.
    pub len: usize,
}

/// The search for components, in steps. Union by least key, with path halving.
#[derive(Debug)]
pub struct Components {
    nodes: Vec<Key>,
    parents: Vec<u32>,
    degrees: Vec<u32>,
    next: usize,
}

impl Components {
    /// Over all ends of a graph.
    #[must_use]
    pub fn new(graph: &Graph<'_>) -> Self {
        let nodes = graph.nodes();
        let parents = (0..nodes.len() as u32).collect();
        Self { degrees: vec![0; nodes.len()], nodes, parents, next: 0 }
    }

    /// Looks at the edges of up to so many more ends of the same graph; true when all were.
    pub fn step(&mut self, graph: &Graph<'_>, budget: usize) -> bool {
        let mut links = Links::default();
        let until = self.next.saturating_add(budget.max(1)).min(self.nodes.len());
        for at in self.next..until {
            graph.links(self.nodes[at], Direction::Out, &[], &mut links);
            for link in links.iter() {
                let Ok(other) = self.nodes.binary_search(&link.target) else { continue };
                self.degrees[at] += 1;
                self.degrees[other] += 1;
                let (a, b) = (self.root(at as u32), self.root(other as u32));
                self.parents[a.max(b) as usize] = a.min(b);
            }
        }
        self.next = until;
        until == self.nodes.len()
    }

    /// How many ends were looked at, of how many.
    #[must_use]
    pub fn progress(&self) -> (usize, usize) {
        (self.next, self.nodes.len())
    }

    fn root(&mut self, mut at: u32) -> u32 {
        while self.parents[at as usize] != at {
            let above = self.parents[self.parents[at as usize] as usize];
            self.parents[at as usize] = above;
            at = above;
        }
        at
    }

    /// The components, the largest first, ties by the key of their first.
    #[must_use]
    pub fn components(&mut self) -> Vec<Component> {
        let mut sizes: HashMap<u32, usize> = HashMap::new();
        for at in 0..self.nodes.len() as u32 {
            *sizes.entry(self.root(at)).or_default() += 1;
        }
        let component = |(at, len): (u32, usize)| Component { first: self.nodes[at as usize], len };
        let mut found: Vec<Component> = sizes.into_iter().map(component).filter(|c| c.len > 1).collect();
        found.sort_unstable_by_key(|component| (std::cmp::Reverse(component.len), component.first));
        found
    }

    /// The ends with the most edges, both ways counted, ties by key.
    #[must_use]
    pub fn degrees(&self, limit: usize) -> Vec<(Key, usize)> {
        let own = self.nodes.iter().copied().zip(self.degrees.iter().map(|degree| *degree as usize));
        let mut found: Vec<(Key, usize)> = own.filter(|(_, degree)| *degree > 0).collect();
        found.sort_unstable_by_key(|(key, degree)| (std::cmp::Reverse(*degree), *key));
        found.truncate(limit);
        found
    }
}
