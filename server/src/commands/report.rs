//! Tells the person at the terminal what happens inside: events as lines on stderr, errors as one line.

use std::io::Write;

use kithdb::base::{Error, Event, Observer};

use crate::log::{self, LogLevel};

/// How many documents and edges there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Documents.
    pub documents: usize,
    /// Edges; without any only documents are told.
    pub edges: usize,
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} documents", self.documents)?;
        if self.edges > 0 { write!(f, " and {} edges", self.edges) } else { Ok(()) }
    }
}

/// Prints what is odd, one line each.
#[derive(Debug, Default)]
pub struct StderrObserver;

impl Observer for StderrObserver {
    fn event(&self, event: Event) {
        match event {
            Event::Warning { at, message } => log::say(LogLevel::Warn, &format!("{at}: {message}"), &[]),
            Event::Opened { collection, truncated_bytes, .. } if truncated_bytes > 0 => {
                let message =
                    format!("{collection}: set {truncated_bytes} bytes of an unfinished write aside");
                log::say(LogLevel::Info, &message, &[]);
            }
            _ => {}
        }
    }
}

/// An error of the core in one line, with what to do next.
pub fn one_line(error: &Error) -> String {
    let report = error.report();
    let hint = report.hint.map(|hint| format!("; {hint}")).unwrap_or_default();
    format!("{}{hint}", report.message.replace('\n', " "))
}

/// Prints a line. Whoever reads may have had enough (`| head`): that is no reason to stop looking.
pub fn out(line: &str) {
    drop(writeln!(std::io::stdout(), "{line}"));
}
