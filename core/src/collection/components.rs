//! Components and degrees of a graph, a step at a time. Where it pauses never changes what it answers.

use crate::base::{Key, Result};
use crate::graph::Components;

use super::elsewhere::Elsewhere;
use super::graph::{Asker, GraphAnswer, GraphOptions};
use super::moment::Moment;
use super::view::View;

/// The search for what hangs together in one state.
#[derive(Debug)]
pub struct ComponentsSearch {
    moment: Moment,
    limit: usize,
    found: Components,
}

impl ComponentsSearch {
    /// Over the graph of a view.
    ///
    /// # Errors
    /// As [`View::ask_graph`].
    pub fn new(view: &View, options: &GraphOptions, clock: i64) -> Result<Self> {
        let alone = Elsewhere::new(view, None, options.as_of, clock);
        let asker = Asker::new(&alone, options, clock, false)?;
        Ok(Self { moment: asker.moment, limit: asker.limit, found: Components::new(&asker.graph) })
    }

    /// Looks at the edges of up to so many more ends of the same view; true when all were.
    ///
    /// # Errors
    /// `corrupt`, `not_resident`, after which it can be called again.
    pub fn step(&mut self, view: &View, budget: usize) -> Result<bool> {
        Ok(self.found.step(&view.graph(self.moment)?, budget))
    }

    /// How many ends were looked at, of how many.
    #[must_use]
    pub fn progress(&self) -> (usize, usize) {
        self.found.progress()
    }

    /// What was found in the view, once all was looked at.
    ///
    /// # Errors
    /// `corrupt`, `not_resident`, after which it can be called again.
    pub fn answer(&mut self, view: &View) -> Result<GraphAnswer> {
        let graph = view.graph(self.moment)?;
        let named = |key: Key, count: usize| (graph.name(key).to_owned(), count);
        let components = self.found.components();
        let degrees = self.found.degrees(self.limit + 1);
        let truncated = components.len() > self.limit || degrees.len() > self.limit;
        let components = components.into_iter().take(self.limit);
        Ok(GraphAnswer {
            components: components.map(|component| named(component.first, component.len)).collect(),
            degrees: degrees.into_iter().take(self.limit).map(|(key, n)| named(key, n)).collect(),
            truncated,
            ..GraphAnswer::default()
        })
    }
}
