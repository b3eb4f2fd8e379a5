//! The best documents of a part, without scoring those that cannot be among them.
//!
//! Slots are gone through in windows that end where a block of a list ends. In each window the terms are split: those
//! whose bounds together do not reach what is wanted cannot alone bring a document in, so only the others are scanned, and
//! what they find is looked up in the rest, the most promising first, as long as it can still get in.
//!
//! The answer is that of [`super::score`] sorted, bit for bit. A score is an f64 sum in the order of the weights, rounded
//! once; here sums are taken in whatever order is quick, and where that order could show in the f32, which hardly ever
//! happens, the sum is taken again in the right one.
//!
//! Source: Turtle & Flood, "Query evaluation: strategies and optimizations", 1995 (MaxScore); Ding & Suel, "Faster top-k
//! document retrieval using block-max indexes", SIGIR 2011; windows as in Lucene 9's `MaxScoreBulkScorer`.

use std::ops::Range;
use std::rc::Rc;

use super::bm25::{Weight, Weights};
use super::cursor::{Cursor, Norms, norms};
use super::postings::PostingSource;
use crate::base::{Bitmap, Result, TopK};

/// The most slots of a window in which several lists are scanned: their sums stay in the first cache of a core.
const WINDOW: u32 = 4096;

/// The same for more than [`LISTS_FEW`] lists, where what each window costs besides scanning would be most of it.
const WINDOW_OF_MANY: u32 = 1 << 16;

/// So many lists are sorted for each window without further thought.
const LISTS_FEW: usize = 8;

/// The filter leads when it allows so many times fewer documents than there are postings.
const FILTER_LEADS: u64 = 8;

/// The `k` best documents of a part, the best first, equal ones by ascending slot.
///
/// With a floor, documents whose score is below it may be missing.
///
/// # Units
/// As [`super::score`].
///
/// # Complexity
/// Decodes the blocks of postings that can hold one of the best, and the tables of all.
///
/// # Errors
/// `corrupt`, `not_resident`.
///
/// # Examples
/// ```
/// use kithdb::text::{Analyzer, Language, MemoryPostings, Query, Scoring, Weights, top};
///
/// let analyzer = Analyzer::new(Language::English);
/// let mut part = MemoryPostings::new();
/// for (slot, text) in ["a tall quadruped", "a quadruped", "an instrument"].iter().enumerate() {
///     part.push(&analyzer, slot as u32, &[("text", text)]);
/// }
/// let query = Query::new(&analyzer, "quadrupeds", None)?;
/// let weights = Weights::gather(&query, &[&part], &[], &Scoring::default())?;
/// let best = top(&part, &weights, None, 1, None)?;
/// assert_eq!(best[0].0, 1);
/// # Ok::<(), kithdb::base::Error>(())
/// ```
///
/// # Source
/// Turtle & Flood 1995; Ding & Suel 2011.
pub fn top(
    source: &dyn PostingSource,
    weights: &Weights,
    allowed: Option<&Bitmap>,
    k: usize,
    floor: Option<f32>,
) -> Result<Vec<(u32, f32)>> {
    counted(source, weights, allowed, k, floor).map(|(best, _)| best)
}

/// How many blocks a search met, and how many of them it decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Decodes {
    pub(super) blocks: usize,
    pub(super) decoded: usize,
}

/// As [`top`]; tells what it took, too.
pub(super) fn counted(
    source: &dyn PostingSource,
    weights: &Weights,
    allowed: Option<&Bitmap>,
    k: usize,
    floor: Option<f32>,
) -> Result<(Vec<(u32, f32)>, Decodes)> {
    if k == 0 {
        return Ok((Vec::new(), Decodes { blocks: 0, decoded: 0 }));
    }
    let mut search = Search::new(cursors(source, weights)?, allowed, k, floor);
    match allowed {
        Some(allowed) if search.is_led_by(allowed) => search.follow(allowed)?,
        _ => search.run(source.n_slots())?,
    }
    let cursors = &search.cursors;
    let decodes = Decodes {
        blocks: cursors.iter().map(Cursor::len).sum(),
        decoded: cursors.iter().map(|cursor| cursor.decodes).sum(),
    };
    let best = search.best.into_sorted().into_iter().map(|(minus, slot)| (slot, -minus)).collect();
    Ok((best, decodes))
}

/// The lists of all terms that the part has, in the order of the weights.
fn cursors<'a>(source: &'a dyn PostingSource, weights: &'a Weights) -> Result<Vec<Cursor<'a>>> {
    let mut known: Vec<(&Weight, Norms)> = Vec::new();
    let mut cursors = Vec::new();
    for weight in weights.as_slice() {
        let Some(list) = source.list(&weight.field, &weight.term)? else { continue };
        let is_alike = |other: &Weight| {
            other.field == weight.field && other.average_length.to_bits() == weight.average_length.to_bits()
        };
        let norms = match known.iter().find(|(other, _)| is_alike(other)) {
            Some((_, norms)) => Rc::clone(norms),
            None => {
                let norms = norms(weight, &list);
                known.push((weight, Rc::clone(&norms)));
                norms
            }
        };
        cursors.push(Cursor::new(weight, list, norms)?);
    }
    Ok(cursors)
}

struct Search<'a> {
    cursors: Vec<Cursor<'a>>,
    allowed: Option<&'a Bitmap>,
    best: TopK<u32>,
    /// Only scores from here on are wanted.
    cut: f32,
    /// A sum below this, in any order, rounds to less than the cut.
    least: f64,
    /// How far sums of the same gains in different orders can be apart, as a share of them.
    rounding: f64,
    /// Cursors by ascending bound, those that have ended left out.
    order: Vec<usize>,
    /// What the terms up to each of `order` can add together.
    bounds: Vec<f64>,
    /// The most slots of a window in which several lists are scanned.
    span: u32,
    /// Of such a window, each slot's sum, and a bit of those that have one.
    sums: Vec<f64>,
    touched: Vec<u64>,
}

impl<'a> Search<'a> {
    fn new(cursors: Vec<Cursor<'a>>, allowed: Option<&'a Bitmap>, k: usize, floor: Option<f32>) -> Self {
        let (order, bounds) = ((0..cursors.len()).collect(), Vec::with_capacity(cursors.len()));
        // A sum of n numbers is off by less than n * 2^-53 of itself; a bound of eight roundings more.
        let rounding = (cursors.len() + 8) as f64 * f64::EPSILON;
        let (best, cut, least) = (TopK::new(k), 0.0, 0.0);
        let span = if cursors.len() > LISTS_FEW { WINDOW_OF_MANY } else { WINDOW };
        let (sums, touched) = (Vec::new(), Vec::new());
        let mut search =
            Self { cursors, allowed, best, cut, least, rounding, order, bounds, span, sums, touched };
        search.raise(floor.unwrap_or(0.0));
        search
    }

    /// Wants scores from here on.
    fn raise(&mut self, cut: f32) {
        if cut > self.cut {
            // What is below the middle between the cut and the number before it is rounded down.
            let middle = (f64::from(cut) + f64::from(cut.next_down())) / 2.0;
            (self.cut, self.least) = (cut, middle * (1.0 - 2.0 * self.rounding));
        }
    }

    /// The least score that is held, once `k` are.
    fn worst(&self) -> Option<f32> {
        self.best.bound().map(|minus| -minus)
    }

    /// From here on slots come after all that are held, so that an equal score comes too late.
    fn pass(&mut self) {
        if let Some(worst) = self.worst() {
            self.raise(worst.next_up());
        }
    }

    fn is_led_by(&self, allowed: &Bitmap) -> bool {
        let postings: u64 = self.cursors.iter().map(|cursor| u64::from(cursor.df())).sum();
        (allowed.count() as u64).saturating_mul(FILTER_LEADS) < postings
    }

    /// Looks up every allowed slot.
    fn follow(&mut self, allowed: &Bitmap) -> Result<()> {
        self.arrange(|cursor| cursor.max);
        for slot in allowed.iter() {
            self.pass();
            let all = self.order.len();
            self.candidate(slot as u32, 0.0, all)?;
        }
        Ok(())
    }

    #[cfg_attr(kithdb_small, optimize(speed), inline(never))]
    fn run(&mut self, n_slots: u32) -> Result<()> {
        let mut from = 0;
        while let Some(window) = self.window(from, n_slots) {
            self.arrange(|cursor| cursor.bound_before(window.end));
            from = window.end;
            if self.is_hopeless() {
                continue;
            }
            match self.order.len() - self.lookups() {
                1 => self.scan_one(window)?,
                _ => {
                    // Rarely, by rounding, another split than that which the window was made for.
                    from = from.min(window.start + self.span);
                    self.scan_many(window.start..from)?;
                }
            }
        }
        Ok(())
    }

    /// Whether all lists together cannot bring a document in.
    fn is_hopeless(&self) -> bool {
        self.bounds.last().is_none_or(|all| *all < self.least)
    }

    /// The next window from a slot on: it begins where a list that must be scanned can have a posting, and ends where the
    /// block of one ends, as far as is known.
    #[cfg_attr(kithdb_small, optimize(speed))]
    fn window(&mut self, from: u32, n_slots: u32) -> Option<Range<u32>> {
        self.pass();
        let mut start = self.start(from)?;
        if let Some(allowed) = self.allowed {
            start = self.start(allowed.first_from(start as usize)? as u32)?;
        }
        let scanned = &self.order[self.lookups()..];
        let end = scanned.iter().map(|&i| self.cursors[i].last() + 1).min()?;
        // Many lists that end here and there must not make a window each.
        let end = if scanned.len() > 1 { end.clamp(start + self.span / 4, start + self.span) } else { end };
        let window = start..end.clamp(start + 1, n_slots);
        self.advance(start);
        Some(window)
    }

    /// The first slot from one on that a list can have that must be scanned; `None` when no document can get in any more.
    #[cfg_attr(kithdb_small, optimize(speed))]
    fn start(&mut self, from: u32) -> Option<u32> {
        self.advance(from);
        self.arrange(|cursor| cursor.max);
        if self.is_hopeless() {
            return None;
        }
        let scanned = &self.order[self.lookups()..];
        scanned.iter().map(|&i| self.cursors[i].next()).min().map(|next| next.max(from))
    }

    /// Advances all lists and leaves those out that have ended.
    #[cfg_attr(kithdb_small, optimize(speed))]
    fn advance(&mut self, slot: u32) {
        let cursors = &mut self.cursors;
        self.order.retain(|&i| cursors[i].advance(slot));
    }

    /// Sorts the lists by what each can add, and adds it up.
    #[cfg_attr(kithdb_small, optimize(speed))]
    #[inline]
    fn arrange(&mut self, bound: impl Fn(&Cursor<'_>) -> f64) {
        let Self { cursors, order, bounds, .. } = self;
        bounds.clear();
        bounds.resize(cursors.len(), 0.0);
        order.iter().for_each(|&i| bounds[i] = bound(&cursors[i]));
        order.sort_unstable_by(|a, b| bounds[*a].total_cmp(&bounds[*b]).then(a.cmp(b)));
        let mut sum = 0.0;
        let sums = order.iter().map(|&i| {
            sum += bounds[i];
            sum
        });
        *bounds = sums.collect();
    }

    /// How many of the first lists cannot bring a document in.
    fn lookups(&self) -> usize {
        self.bounds.iter().take_while(|all| **all < self.least).count()
    }

    /// One list leads through the window.
    #[cfg_attr(kithdb_small, optimize(speed))]
    fn scan_one(&mut self, window: Range<u32>) -> Result<()> {
        let lookups = self.order.len() - 1;
        let rest = if lookups > 0 { self.bounds[lookups - 1] } else { 0.0 };
        let leader = self.order[lookups];
        // A run is copied out, so that other lists can be asked while it is gone through: at most a block.
        let (mut found, least) = (Vec::new(), self.least - rest);
        self.cursors[leader].scan(window, least, |slots, gains| {
            let wanted = slots.iter().zip(gains).filter(|(_, gain)| **gain >= least);
            found.extend(wanted.map(|(slot, gain)| (*slot, *gain)));
            Ok(least)
        })?;
        for (slot, gain) in found {
            if gain + rest >= self.least && self.is_allowed(slot) {
                self.candidate(slot, gain, lookups)?;
            }
        }
        Ok(())
    }

    /// Several lists are added up, then each document that can still get in is looked up in the others.
    #[cfg_attr(kithdb_small, optimize(speed))]
    fn scan_many(&mut self, window: Range<u32>) -> Result<()> {
        let lookups = self.lookups();
        let rest = if lookups > 0 { self.bounds[lookups - 1] } else { 0.0 };
        let (mut sums, mut touched) = (std::mem::take(&mut self.sums), std::mem::take(&mut self.touched));
        sums.resize(self.span as usize, 0.0);
        touched.resize(sums.len() / 64, 0);
        for &i in &self.order[lookups..] {
            self.cursors[i].scan(window.clone(), 0.0, |slots, gains| {
                for (slot, gain) in slots.iter().zip(gains) {
                    let at = (slot - window.start) as usize;
                    touched[at / 64] |= 1 << (at % 64);
                    sums[at] += gain;
                }
                Ok(0.0)
            })?;
        }
        for (i, word) in touched.iter_mut().enumerate().take(window.len().div_ceil(64)) {
            let mut bits = std::mem::take(word);
            while bits != 0 {
                let at = i * 64 + bits.trailing_zeros() as usize;
                bits &= bits - 1;
                let (slot, sum) = (window.start + at as u32, std::mem::take(&mut sums[at]));
                if sum + rest >= self.least && self.is_allowed(slot) {
                    self.candidate(slot, sum, lookups)?;
                }
            }
        }
        (self.sums, self.touched) = (sums, touched);
        Ok(())
    }

    #[inline]
    fn is_allowed(&self, slot: u32) -> bool {
        self.allowed.is_none_or(|allowed| allowed.contains(slot as usize))
    }

    /// A document with what the scanned lists add; the first `lookups` of the order are still to be asked.
    #[cfg_attr(kithdb_small, optimize(speed))]
    #[inline]
    fn candidate(&mut self, slot: u32, sum: f64, lookups: usize) -> Result<()> {
        let mut sum = sum;
        for at in (0..lookups).rev() {
            if sum + self.bounds[at] < self.least {
                return Ok(());
            }
            let rest = if at > 0 { self.bounds[at - 1] } else { 0.0 };
            let cursor = &mut self.cursors[self.order[at]];
            cursor.advance(slot);
            if sum + rest + cursor.bound_at(slot) < self.least {
                return Ok(());
            }
            sum += cursor.gain_at(slot)?;
        }
        if sum < self.least || sum == 0.0 {
            return Ok(());
        }
        let (low, high) = ((sum * (1.0 - self.rounding)) as f32, (sum * (1.0 + self.rounding)) as f32);
        let score = if low.to_bits() == high.to_bits() { low } else { self.score(slot)? };
        if score >= self.cut {
            self.best.push(-score, u64::from(slot), slot);
            if let Some(worst) = self.worst() {
                self.raise(worst);
            }
        }
        Ok(())
    }

    /// The score of a document, added up in the order of the weights.
    fn score(&self, slot: u32) -> Result<f32> {
        let mut sum = 0.0;
        for cursor in &self.cursors {
            sum += cursor.gain_anywhere(slot)?.unwrap_or(0.0);
        }
        Ok(sum as f32)
    }
}

#[cfg(test)]
#[path = "top_tests.rs"]
mod tests;
