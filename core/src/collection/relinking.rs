//! The rules of auto-links applied to what is there already: batches of ordinary writes, one after another.
//!
//! What is written meanwhile follows the rules by itself, so that it is enough to look at what was there at the beginning.
//! A batch makes edges that are not there, and nothing else: whoever is interrupted can begin again.

use crate::base::limits::AUTO_LINK_EDGES_MAX;
use crate::base::{Result, Seq, Slot};
use crate::graph::Edge;

use super::auto_links::{fields, targets};
use super::view::View;
use super::write::Mutation;

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Relinked {
    /// Documents that were looked at.
    pub documents: usize,
    /// Edges that were made.
    pub linked: usize,
}

/// A walk over the documents of a collection, in the order of seq.
#[derive(Debug, Clone)]
pub struct Relinking {
    /// The last document that was looked at.
    at: Option<Seq>,
    /// Where those begin that follow the rules by themselves.
    until: Seq,
    done: usize,
    total: usize,
}

impl Relinking {
    /// Over all documents of a view.
    #[must_use]
    pub fn new(view: &View) -> Self {
        Self { at: None, until: Seq(view.counters.next_seq), done: 0, total: view.live() }
    }

    /// What is to be written next, for about `budget` versions of the state now: nothing, perhaps. `None` at the end.
    ///
    /// # Errors
    /// `corrupt`, `not_resident`, after which it can be called again.
    pub fn step(&mut self, view: &View, clock: i64, budget: usize) -> Result<Option<Vec<Mutation>>> {
        let (rules, now) = (&view.config.settings.auto_links, view.now(clock));
        if rules.is_empty() {
            return Ok(None);
        }
        let fields = fields(rules);
        let (mut batch, mut edges) = (Vec::new(), 0);
        let (mut at, mut looked, mut done) = (self.at, 0, 0);
        'parts: for part in &view.parts {
            for slot in (part.part.slot_after(at)?..part.part.len()).map(|slot| Slot(slot as u32)) {
                let seq = part.part.seq(slot)?;
                if seq >= self.until || looked == budget.max(1) || edges > AUTO_LINK_EDGES_MAX {
                    break 'parts;
                }
                (at, looked) = (Some(seq), looked + 1);
                if !part.is_visible(slot, now)? {
                    continue;
                }
                done += 1;
                let id = part.part.id(slot)?.to_owned();
                let named = targets(rules, &id, &*part.part.fields(slot, &fields)?, AUTO_LINK_EDGES_MAX);
                // One that names more is passed over.
                if (1..=AUTO_LINK_EDGES_MAX).contains(&named.len()) {
                    let bytes =
                        named.iter().map(|other| size_of::<Edge>() + id.len() + other.len()).sum::<usize>();
                    edges += named.len();
                    batch.push(Mutation::Relink { id, bytes });
                }
            }
        }
        if at == self.at {
            return Ok(None);
        }
        (self.at, self.done) = (at, self.done + done);
        Ok(Some(batch))
    }

    /// How many documents were looked at, of how many.
    #[must_use]
    pub fn progress(&self) -> (usize, usize) {
        (self.done, self.total.max(self.done))
    }
}
