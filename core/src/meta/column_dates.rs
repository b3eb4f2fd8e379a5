//! The dates among the strings of a column, by moment: made from the dictionary when a filter first asks for one, and kept
//! in memory as long as the columns are.
//!
//! The pinned first bytes and lengths of strings tell which can be dates at all, and only those are read.

use std::ops::Range;

use super::ast::Op;
use super::columns::{Columns, Path, first_not, within};
use crate::base::{Bitmap, Date, Result};

/// Strings of a path that are dates.
#[derive(Debug, Default)]
pub(super) struct Dates {
    /// Ascending; texts of one moment follow one another.
    moments: Vec<Date>,
    /// Which string of the columns each of them is.
    strings: Vec<usize>,
    /// How many slots those before each of them have, and all: one more than moments.
    slots_before: Vec<u64>,
}

impl Dates {
    /// Which of them fulfil a comparison.
    fn that(&self, op: Op, date: Date) -> Range<usize> {
        let not_less = self.moments.partition_point(|moment| *moment < date);
        let greater = self.moments.partition_point(|moment| *moment <= date);
        within(op, 0..self.moments.len(), not_less, greater)
    }
}

impl Columns {
    /// Marks the slots that have a date of a path from the first to the last that fulfil a comparison.
    pub(super) fn insert_dates(
        &self,
        path: &Path,
        bounds: &[(Op, Date)],
        selected: &mut Bitmap,
    ) -> Result<()> {
        let dates = self.dates(path)?;
        let found = bounds.iter().map(|(op, date)| dates.that(*op, *date));
        let all = 0..dates.moments.len();
        let found = found.fold(all, |a, b| a.start.max(b.start)..a.end.min(b.end));
        for &string in dates.strings.get(found).unwrap_or_default() {
            self.insert_strings(path, string..string + 1, selected)?;
        }
        Ok(())
    }

    /// How many slots have a date of a path that fulfils a comparison; one with several such dates counts for each.
    pub(super) fn count_dates(&self, path: &Path, op: Op, date: Date) -> Result<usize> {
        let dates = self.dates(path)?;
        let found = dates.that(op, date);
        Ok((dates.slots_before[found.end] - dates.slots_before[found.start]) as usize)
    }

    fn dates<'a>(&self, path: &'a Path) -> Result<&'a Dates> {
        if let Some(dates) = path.dates.get() {
            return Ok(dates);
        }
        let dates = self.read_dates(path)?;
        Ok(path.dates.get_or_init(|| dates))
    }

    fn read_dates(&self, path: &Path) -> Result<Dates> {
        let (ends, prefixes) = self.string_bounds()?;
        let mut found = Vec::new();
        // Strings are sorted, and what can be a date begins with a digit.
        let digits = |digit: u8| {
            first_not(path.strings.clone(), |i| {
                Ok(prefixes[i] < u64::from_be_bytes([digit, 0, 0, 0, 0, 0, 0, 0]))
            })
        };
        for i in digits(b'0')?..digits(b'9' + 1)? {
            let len = ends[i] - if i == 0 { 0 } else { ends[i - 1] };
            let is_possible = usize::try_from(len).is_ok_and(Date::has_length);
            if !is_possible || !Date::begins_with(prefixes[i].to_be_bytes()) {
                continue;
            }
            found.extend(
                std::str::from_utf8(&self.string(i)?).ok().and_then(Date::parse).map(|date| (date, i)),
            );
        }
        found.sort_unstable();
        let (mut slots, mut slots_before) = (0, vec![0]);
        for (_, string) in &found {
            slots += self.slots_of_strings(path, &(*string..string + 1))?.len() as u64;
            slots_before.push(slots);
        }
        let (moments, strings) = found.into_iter().unzip();
        Ok(Dates { moments, strings, slots_before })
    }
}
