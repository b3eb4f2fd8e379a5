//! Answers a filter from sorted values, without looking at documents; equals [`super::eval()`] on every one of them.
//!
//! Layout: [`super::column_builder`]. Opening checks all that is pinned; only the bytes of strings are read later, a few
//! in each binary search, and none where the pinned first eight bytes decide.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use super::answer::{Answering, FilterStep, Way};
use super::ast::{Expr, Literal, Op};
use super::column_builder::{
    FLOAT, INT, NUMBER_KINDS, NUMBERS, PATHS, SLOTS, STRING_BYTES, STRING_ENDS, STRING_PREFIXES,
    STRING_SLOT_ENDS, number,
};
use super::column_dates::Dates;
use super::like::Pattern;
use crate::base::limits::SLOTS_MAX;
use crate::base::string_table::prefix;
use crate::base::{Bitmap, DecodeError, Error, Reader, Result, Value};
use crate::storage::{Blob, Pinned, Rows};

/// Answers `MATCHES`: the slots in whose field stands one of some words.
pub type Matching<'a> = dyn Fn(&str, &str) -> Result<Bitmap> + 'a;

/// A text that more documents have is held against a pattern without looking whether one of them is wanted.
const MANY: usize = 64;

/// The metadata of a segment, by path.
#[derive(Debug, Clone)]
pub struct Columns {
    object: String,
    n_slots: usize,
    paths: Vec<Path>,
    slots: Pinned,
    numbers: Pinned,
    number_kinds: Pinned,
    string_bytes: Rows,
    string_ends: Pinned,
    string_prefixes: Pinned,
    string_slot_ends: Pinned,
}

/// Ranges of one path in the sections.
#[derive(Debug, Clone)]
pub(super) struct Path {
    name: String,
    /// Slots that have it; `None` when all do.
    pub(super) present: Option<Range<usize>>,
    pub(super) nulls: Range<usize>,
    pub(super) falses: Range<usize>,
    pub(super) trues: Range<usize>,
    pub(super) number_slots: Range<usize>,
    string_slots: Range<usize>,
    pub(super) numbers: Range<usize>,
    pub(super) strings: Range<usize>,
    /// Those of the strings that are dates, once they were asked for.
    pub(super) dates: Arc<OnceLock<Dates>>,
}

impl Columns {
    /// Opens the columns blob of a segment.
    ///
    /// # Complexity
    /// One pass over everything but the bytes of strings.
    ///
    /// # Errors
    /// `corrupt` when the sections do not fit one another; `not_resident`.
    pub fn open(blob: &Blob) -> Result<Self> {
        let object = format!("columns blob {}", blob.id().number);
        let (n_slots, paths) = read_paths(&blob.pinned(PATHS)?).map_err(|e| e.within(&object, 0))?;
        let columns = Self {
            object,
            n_slots,
            paths,
            slots: blob.pinned(SLOTS)?,
            numbers: blob.pinned(NUMBERS)?,
            number_kinds: blob.pinned(NUMBER_KINDS)?,
            string_bytes: blob.rows(STRING_BYTES)?,
            string_ends: blob.pinned(STRING_ENDS)?,
            string_prefixes: blob.pinned(STRING_PREFIXES)?,
            string_slot_ends: blob.pinned(STRING_SLOT_ENDS)?,
        };
        columns.check_slots()?;
        columns.check_numbers()?;
        columns.check_strings()?;
        Ok(columns)
    }

    /// The bound of its slots.
    #[must_use]
    pub fn n_slots(&self) -> usize {
        self.n_slots
    }

    /// Whether any document, ended ones included, has this path.
    #[must_use]
    pub fn has_path(&self, path: &str) -> bool {
        self.path(path).is_some()
    }

    /// The slots whose documents fulfil a condition, in a collection without text.
    ///
    /// # Errors
    /// `corrupt`, `not_resident`.
    pub fn select(&self, expr: &Expr) -> Result<Bitmap> {
        self.select_with(expr, &|_, _| Ok(Bitmap::empty(self.n_slots)))
    }

    /// The same in a collection with text: `matching` gives the slots in whose field stands one of some words.
    ///
    /// # Errors
    /// `corrupt`, `not_resident`; what `matching` answers.
    pub fn select_with(&self, expr: &Expr, matching: &Matching<'_>) -> Result<Bitmap> {
        self.answer(expr, None, matching, None)
    }

    /// The slots `within` whose documents fulfil a condition; `steps` is told how that was found out.
    ///
    /// # Errors
    /// `corrupt`, `not_resident`; what `matching` answers.
    pub fn answer(
        &self,
        expr: &Expr,
        within: Option<&Bitmap>,
        matching: &Matching<'_>,
        steps: Option<&mut Vec<FilterStep>>,
    ) -> Result<Bitmap> {
        let parts = if let Expr::And(parts) = expr { parts } else { std::slice::from_ref(expr) };
        self.select_all(parts, within, &Answering::new(matching), steps)
    }

    /// The slots whose documents fulfil a condition, of those `within`: of the others, any may be among them.
    pub(super) fn select_within(
        &self,
        expr: &Expr,
        within: Option<&Bitmap>,
        answering: &Answering<'_>,
    ) -> Result<Bitmap> {
        if self.is_in_runs(expr) {
            answering.note(Way::Sorted);
        }
        match expr {
            Expr::And(parts) => self.select_all(parts, within, answering, None),
            Expr::Or(parts) => {
                let mut any = Bitmap::empty(self.n_slots);
                for part in parts {
                    any.or(&self.select_within(part, within, answering)?);
                }
                Ok(any)
            }
            Expr::Not(inner) => {
                let mut selected = self.select_within(inner, within, answering)?;
                selected.invert();
                Ok(selected)
            }
            Expr::Compare { field, op: Op::Ne, value } => {
                let mut equal = self.compare(field, Op::Eq, std::slice::from_ref(value))?;
                equal.invert();
                Ok(equal)
            }
            Expr::Compare { field, op, value } => self.compare(field, *op, std::slice::from_ref(value)),
            Expr::In { field, values } => self.compare(field, Op::Eq, values),
            Expr::Between { field, low, high } => {
                let mut selected = Bitmap::empty(self.n_slots);
                if let Some(path) = self.path(field) {
                    self.between(path, low, high, &mut selected)?;
                }
                Ok(selected)
            }
            Expr::Like { field, pattern } => self.like(field, pattern, within, answering),
            Expr::Exists { field } => self.exists(field),
            Expr::Empty { field } => self.is_empty(field),
            Expr::Matches { field, text } => {
                answering.note(Way::Postings);
                (answering.matching)(field, text)
            }
        }
    }

    pub(super) fn path(&self, name: &str) -> Option<&Path> {
        self.paths.binary_search_by(|path| path.name.as_str().cmp(name)).ok().map(|i| &self.paths[i])
    }

    /// The paths that go on from a path.
    fn paths_within(&self, name: &str) -> &[Path] {
        let start = format!("{name}.");
        let first = self.paths.partition_point(|path| path.name < start);
        let n = self.paths[first..].partition_point(|path| path.name.starts_with(&start));
        &self.paths[first..first + n]
    }

    /// Whether a condition, by itself, is answered from runs of values that are there.
    fn is_in_runs(&self, expr: &Expr) -> bool {
        match expr {
            Expr::Compare { field, .. }
            | Expr::In { field, .. }
            | Expr::Between { field, .. }
            | Expr::Exists { field } => self.has_path(field),
            Expr::Empty { field } => self.has_path(field) || !self.paths_within(field).is_empty(),
            Expr::And(_) | Expr::Or(_) | Expr::Not(_) | Expr::Like { .. } | Expr::Matches { .. } => false,
        }
    }

    fn exists(&self, field: &str) -> Result<Bitmap> {
        let mut selected = Bitmap::empty(self.n_slots);
        match self.path(field) {
            None => {}
            Some(Path { present: None, .. }) => selected = Bitmap::full(self.n_slots),
            Some(Path { present: Some(range), .. }) => self.insert(&mut selected, range.clone())?,
        }
        Ok(selected)
    }

    /// Slots with neither a value but null and the empty string at the path nor a path that goes on from it.
    fn is_empty(&self, field: &str) -> Result<Bitmap> {
        let mut filled = Bitmap::empty(self.n_slots);
        if let Some(path) = self.path(field) {
            for slots in [&path.falses, &path.trues, &path.number_slots] {
                self.insert(&mut filled, slots.clone())?;
            }
            let strings = self.strings_that(path, Op::Gt, b"")?;
            self.insert_strings(path, strings, &mut filled)?;
        }
        for path in self.paths_within(field) {
            match &path.present {
                None => filled = Bitmap::full(self.n_slots),
                Some(range) => self.insert(&mut filled, range.clone())?,
            }
        }
        filled.invert();
        Ok(filled)
    }

    /// Slots of the path that fulfil a comparison, other than `!=`, with any of the values.
    fn compare(&self, field: &str, op: Op, values: &[Literal]) -> Result<Bitmap> {
        let mut selected = Bitmap::empty(self.n_slots);
        let Some(path) = self.path(field) else { return Ok(selected) };
        for value in values {
            match value {
                Literal::Null if op == Op::Eq => self.insert(&mut selected, path.nulls.clone())?,
                Literal::Null => {}
                Literal::Text(text) => self.compare_strings(path, op, text, &mut selected)?,
                Literal::Date { date, .. } => self.insert_dates(path, &[(op, *date)], &mut selected)?,
                Literal::Plain { value, text } => {
                    match value {
                        Value::Bool(false) if op == Op::Eq => {
                            self.insert(&mut selected, path.falses.clone())?
                        }
                        Value::Bool(true) if op == Op::Eq => {
                            self.insert(&mut selected, path.trues.clone())?
                        }
                        Value::Int(_) | Value::Float(_) => {
                            self.compare_numbers(path, op, value, &mut selected)?
                        }
                        _ => {}
                    }
                    if op == Op::Eq {
                        self.compare_strings(path, op, text, &mut selected)?;
                    }
                }
            }
        }
        Ok(selected)
    }

    /// Slots with a value that is at least one literal and at most the other, which are both numbers, text or dates.
    fn between(&self, path: &Path, low: &Literal, high: &Literal, selected: &mut Bitmap) -> Result<()> {
        match (low, high) {
            (Literal::Plain { value: low, .. }, Literal::Plain { value: high, .. }) => {
                let from = self.numbers_that(path, Op::Ge, low)?;
                let to = self.numbers_that(path, Op::Le, high)?;
                self.insert_numbers(path, from.start..to.end, selected)
            }
            (Literal::Text(low), Literal::Text(high)) => {
                let from = self.strings_that(path, Op::Ge, low.as_bytes())?;
                let to = self.strings_that(path, Op::Le, high.as_bytes())?;
                self.insert_strings(path, from.start..to.end, selected)
            }
            (Literal::Date { date: low, .. }, Literal::Date { date: high, .. }) => {
                self.insert_dates(path, &[(Op::Ge, *low), (Op::Le, *high)], selected)
            }
            _ => Ok(()),
        }
    }

    /// Slots with a string of a pattern, of those `within`. Strings that begin otherwise, or that no slot within has, are
    /// not looked at.
    fn like(
        &self,
        field: &str,
        pattern: &Pattern,
        within: Option<&Bitmap>,
        answering: &Answering<'_>,
    ) -> Result<Bitmap> {
        let mut selected = Bitmap::empty(self.n_slots);
        let Some(path) = self.path(field) else { return Ok(selected) };
        let found = self.strings_from(path, pattern.prefix().as_bytes())?;
        let mut start = self.slots_of_strings(path, &found)?.start;
        let (all, ends) = (self.slots.numbers::<u32>()?, self.string_slot_ends.numbers::<u64>()?);
        for i in found {
            let slots = &all[start..ends[i] as usize];
            start = ends[i] as usize;
            let is_wanted = within.is_none_or(|within| {
                slots.len() > MANY || slots.iter().any(|slot| within.contains(*slot as usize))
            });
            if !is_wanted {
                continue;
            }
            answering.note(Way::Texts);
            if std::str::from_utf8(&self.string(i)?).is_ok_and(|text| pattern.matches(text)) {
                slots.iter().for_each(|slot| selected.insert(*slot as usize));
            }
        }
        Ok(selected)
    }

    /// The strings of a path that begin so.
    pub(super) fn strings_from(&self, path: &Path, start: &[u8]) -> Result<Range<usize>> {
        if start.is_empty() {
            return Ok(path.strings.clone());
        }
        let from = self.strings_that(path, Op::Ge, start)?;
        let end = first_not(from.clone(), |i| Ok(self.string(i)?.starts_with(start)))?;
        Ok(from.start..end)
    }

    fn compare_numbers(&self, path: &Path, op: Op, value: &Value, selected: &mut Bitmap) -> Result<()> {
        let found = self.numbers_that(path, op, value)?;
        self.insert_numbers(path, found, selected)
    }

    #[cfg_attr(kithdb_small, optimize(speed), inline(never))]
    pub(super) fn numbers_that(&self, path: &Path, op: Op, value: &Value) -> Result<Range<usize>> {
        let bits = self.numbers.numbers::<u64>()?;
        let find = |below: fn(Ordering) -> bool| {
            first_not(path.numbers.clone(), |i| {
                let order = number(self.number_kinds[i], bits[i]).compare_numbers(value);
                Ok(order.is_some_and(below))
            })
        };
        Ok(within(op, path.numbers.clone(), find(Ordering::is_lt)?, find(Ordering::is_le)?))
    }

    pub(super) fn insert_numbers(
        &self,
        path: &Path,
        found: Range<usize>,
        selected: &mut Bitmap,
    ) -> Result<()> {
        if found.is_empty() {
            return Ok(());
        }
        let shift = path.number_slots.start;
        let slots = found.start - path.numbers.start + shift..found.end - path.numbers.start + shift;
        self.insert(selected, slots)
    }

    fn compare_strings(&self, path: &Path, op: Op, text: &str, selected: &mut Bitmap) -> Result<()> {
        let found = self.strings_that(path, op, text.as_bytes())?;
        self.insert_strings(path, found, selected)
    }

    pub(super) fn strings_that(&self, path: &Path, op: Op, text: &[u8]) -> Result<Range<usize>> {
        let find = |below: fn(Ordering) -> bool| {
            first_not(path.strings.clone(), |i| Ok(below(self.order_of_string(i, text)?)))
        };
        Ok(within(op, path.strings.clone(), find(Ordering::is_lt)?, find(Ordering::is_le)?))
    }

    pub(super) fn insert_strings(
        &self,
        path: &Path,
        found: Range<usize>,
        selected: &mut Bitmap,
    ) -> Result<()> {
        self.insert(selected, self.slots_of_strings(path, &found)?)
    }

    /// Where the slots of these strings of a path stand.
    pub(super) fn slots_of_strings(&self, path: &Path, found: &Range<usize>) -> Result<Range<usize>> {
        if found.is_empty() {
            return Ok(0..0);
        }
        let ends = self.string_slot_ends.numbers::<u64>()?;
        // The slots of one string end where those of the next begin.
        let start_of =
            |i: usize| if i == path.strings.start { path.string_slots.start } else { ends[i - 1] as usize };
        Ok(start_of(found.start)..start_of(found.end))
    }

    pub(super) fn slots(&self) -> Result<&[u32]> {
        self.slots.numbers()
    }

    /// Bits and kinds of all numbers.
    pub(super) fn number_bits(&self) -> Result<(&[u64], &[u8])> {
        Ok((self.numbers.numbers()?, &self.number_kinds))
    }

    /// The ends and the first bytes of all strings.
    pub(super) fn string_bounds(&self) -> Result<(&[u64], &[u64])> {
        Ok((self.string_ends.numbers()?, self.string_prefixes.numbers()?))
    }

    fn order_of_string(&self, i: usize, text: &[u8]) -> Result<Ordering> {
        let by_prefix = self.string_prefixes.numbers::<u64>()?[i].cmp(&prefix(text));
        if by_prefix != Ordering::Equal {
            return Ok(by_prefix);
        }
        Ok((*self.string(i)?).cmp(text))
    }

    pub(super) fn string(&self, i: usize) -> Result<Cow<'_, [u8]>> {
        let ends = self.string_ends.numbers::<u64>()?;
        let start = if i == 0 { 0 } else { ends[i - 1] };
        self.string_bytes.read(start..ends[i])
    }

    #[cfg_attr(kithdb_small, optimize(speed), inline(never))]
    fn insert(&self, selected: &mut Bitmap, range: Range<usize>) -> Result<()> {
        self.slots.numbers::<u32>()?[range].iter().for_each(|&slot| selected.insert(slot as usize));
        Ok(())
    }

    pub(super) fn corrupt<T>(&self, expected: &str) -> Result<T> {
        Err(Error::corrupt(&self.object, 0, expected))
    }

    fn check_slots(&self) -> Result<()> {
        let slots = self.slots.numbers::<u32>()?;
        if slots.len() != self.paths.last().map_or(0, |path| path.string_slots.end) {
            return self.corrupt("as many slots as the paths have values");
        }
        if slots.iter().any(|&slot| slot as usize >= self.n_slots) {
            return self.corrupt("slots of the segment");
        }
        Ok(())
    }

    fn check_numbers(&self) -> Result<()> {
        let (bits, kinds) = (self.numbers.numbers::<u64>()?, &self.number_kinds);
        let n = self.paths.last().map_or(0, |path| path.numbers.end);
        if bits.len() != n || kinds.len() != n {
            return self.corrupt("as many numbers as the paths have");
        }
        let sound = |i: usize| match kinds[i] {
            INT => true,
            FLOAT => f64::from_bits(bits[i]).is_finite(),
            _ => false,
        };
        let ordered = |i: usize| {
            number(kinds[i - 1], bits[i - 1])
                .compare_numbers(&number(kinds[i], bits[i]))
                .is_some_and(Ordering::is_le)
        };
        for path in &self.paths {
            let range = path.numbers.clone();
            if !range.clone().all(sound) || !range.skip(1).all(ordered) {
                return self.corrupt("numbers in ascending order");
            }
        }
        Ok(())
    }

    fn check_strings(&self) -> Result<()> {
        let (ends, prefixes) = (self.string_ends.numbers::<u64>()?, self.string_prefixes.numbers::<u64>()?);
        let slot_ends = self.string_slot_ends.numbers::<u64>()?;
        let n = self.paths.last().map_or(0, |path| path.strings.end);
        if ends.len() != n || prefixes.len() != n || slot_ends.len() != n {
            return self.corrupt("as many strings as the paths have");
        }
        if !ends.is_sorted() || ends.last().copied().unwrap_or(0) != self.string_bytes.len() {
            return self.corrupt("strings one after another");
        }
        for path in &self.paths {
            let (range, slots) = (path.strings.clone(), &path.string_slots);
            let last = slot_ends[range.clone()].last().map_or(slots.start as u64, |&end| end);
            let first = slot_ends[range.clone()].first().map_or(last, |&end| end);
            if !slot_ends[range.clone()].is_sorted() || last != slots.end as u64 || first < slots.start as u64
            {
                return self.corrupt("slots of strings one after another");
            }
            if !prefixes[range].is_sorted() {
                return self.corrupt("strings in ascending order");
            }
        }
        Ok(())
    }
}

/// The first of `range` for which `before` is false; true for all in front of it.
pub(super) fn first_not(range: Range<usize>, before: impl Fn(usize) -> Result<bool>) -> Result<usize> {
    let (mut low, mut high) = (range.start, range.end);
    while low < high {
        let middle = low + (high - low) / 2;
        if before(middle)? {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    Ok(low)
}

/// Which of the sorted values of `whole` fulfil a comparison, given where those begin that are not less, and those
/// that are greater.
pub(super) fn within(op: Op, whole: Range<usize>, not_less: usize, greater: usize) -> Range<usize> {
    match op {
        Op::Eq => not_less..greater.max(not_less),
        Op::Lt => whole.start..not_less,
        Op::Le => whole.start..greater,
        Op::Gt => greater..whole.end,
        Op::Ge => not_less..whole.end,
        Op::Ne => unreachable!("!= is the complement of ="),
    }
}

fn read_paths(bytes: &[u8]) -> Result<(usize, Vec<Path>), DecodeError> {
    let mut r = Reader::new(bytes);
    let n_slots = r.varint()?;
    if n_slots > SLOTS_MAX as u64 {
        return Err(DecodeError { offset: 0, expected: "a possible number of slots" });
    }
    let (mut slots, mut numbers, mut strings) = (0, 0, 0);
    let mut paths: Vec<Path> = Vec::new();
    for _ in 0..r.count(8)? {
        let offset = r.offset();
        let refuse = |expected| Err(DecodeError { offset, expected });
        let name = r.str()?.to_owned();
        if paths.last().is_some_and(|last| last.name >= name) {
            return refuse("paths in ascending order");
        }
        let mut counts = [0u64; 7];
        for count in &mut counts {
            *count = r.varint()?;
        }
        let [present, nulls, falses, trues, n_numbers, n_strings, string_slots] = counts;
        if present == 0 || present > n_slots {
            return refuse("a path of at least one and at most all slots");
        }
        let listed = present < n_slots;
        let take = |at: &mut usize, n: u64| {
            let start = *at;
            *at = start.checked_add(usize::try_from(n).ok()?)?;
            Some(start..*at)
        };
        let path = (|| {
            Some(Path {
                name,
                present: if listed { Some(take(&mut slots, present)?) } else { None },
                nulls: take(&mut slots, nulls)?,
                falses: take(&mut slots, falses)?,
                trues: take(&mut slots, trues)?,
                number_slots: take(&mut slots, n_numbers)?,
                string_slots: take(&mut slots, string_slots)?,
                numbers: take(&mut numbers, n_numbers)?,
                strings: take(&mut strings, n_strings)?,
                dates: Arc::default(),
            })
        })();
        match path {
            Some(path) => paths.push(path),
            None => return refuse("counts that can be addressed"),
        }
    }
    r.end()?;
    Ok((n_slots as usize, paths))
}

#[cfg(test)]
#[path = "columns_tests.rs"]
pub(super) mod tests;
