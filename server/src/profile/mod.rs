//! What the process computes, seen many times a second: [`Watch`] looks, and what it has [`Seen`] is written as a flame graph, as
//! Google's pprof reads it, or as folded stacks. Functions and threads have names; of what they work on nothing is kept.

mod flame;
mod proto;
#[cfg_attr(
    all(any(target_os = "linux", target_os = "macos"), any(target_arch = "x86_64", target_arch = "aarch64")),
    path = "watch.rs"
)]
#[cfg_attr(
    not(all(
        any(target_os = "linux", target_os = "macos"),
        any(target_arch = "x86_64", target_arch = "aarch64")
    )),
    path = "nowhere.rs"
)]
mod watch;

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use serde::Deserialize;

pub use watch::Watch;

/// How it is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    /// A picture.
    #[default]
    Svg,
    /// As `go tool pprof` and speedscope read it.
    Pprof,
    /// A stack in each line, as `flamegraph.pl` and speedscope read it.
    Folded,
}

impl Form {
    /// All, by their names.
    pub const NAMES: [&str; 3] = ["svg", "pprof", "folded"];

    /// The type of its bytes.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Svg => "image/svg+xml",
            Self::Pprof => "application/octet-stream",
            Self::Folded => "text/plain; charset=utf-8",
        }
    }
}

/// What was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// How much of the processors' time lies between two looks.
    every: Duration,
    /// For how long it was watched.
    lasted: Duration,
    /// Of threads and functions; those of a stack are numbers of these.
    names: Vec<String>,
    numbers: HashMap<String, usize>,
    /// How often each stack was seen: the thread, and its functions from the outermost on.
    stacks: BTreeMap<Vec<usize>, u64>,
}

impl Seen {
    /// Nothing yet.
    fn new(every: Duration, lasted: Duration) -> Self {
        Self { every, lasted, names: vec![], numbers: HashMap::new(), stacks: BTreeMap::new() }
    }

    /// A stack that was seen so often.
    fn add(&mut self, stack: impl Iterator<Item = String>, count: u64) {
        let stack = stack.map(|name| self.number(name)).collect();
        *self.stacks.entry(stack).or_default() += count;
    }

    fn number(&mut self, name: String) -> usize {
        let next = self.names.len();
        *self.numbers.entry(name).or_insert_with_key(|name| {
            self.names.push(name.clone());
            next
        })
    }

    /// How often anything was seen.
    fn count(&self) -> u64 {
        self.stacks.values().sum()
    }

    /// As bytes of this form.
    pub fn write(&self, form: Form) -> Vec<u8> {
        match form {
            Form::Svg => flame::graph(self).into_bytes(),
            Form::Pprof => proto::profile(self),
            Form::Folded => self.folded().into_bytes(),
        }
    }

    /// Lines in order, so that two profiles can be compared.
    fn folded(&self) -> String {
        let name = |i: &usize| self.names[*i].replace(';', ":");
        let line = |(stack, count): (&Vec<usize>, &u64)| {
            format!("{} {count}\n", stack.iter().map(name).collect::<Vec<_>>().join(";"))
        };
        let mut lines: Vec<String> = self.stacks.iter().map(line).collect();
        lines.sort_unstable();
        lines.concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two threads; one function calls another, and is seen by itself too.
    pub fn seen() -> Seen {
        let mut seen = Seen::new(Duration::from_millis(10), Duration::from_secs(2));
        for (stack, count) in [("a main search", 3), ("a main", 1), ("b <T> rest;", 4), ("a main search", 2)]
        {
            seen.add(stack.split(' ').map(str::to_owned), count);
        }
        seen
    }

    #[test]
    fn stacks_are_counted_by_their_names() {
        assert_eq!(seen().count(), 10);
        assert_eq!(seen().folded(), "a;main 1\na;main;search 5\nb;<T>;rest: 4\n");
    }
}
