//! Progress on stderr: one line that is rewritten on a terminal, a plain line now and then elsewhere.

use std::io::{IsTerminal, Write, stderr};
use std::time::{Duration, Instant};

/// How often a terminal's line is rewritten.
const REWRITE_EVERY: Duration = Duration::from_millis(100);
/// How often a plain line is printed.
const PRINT_EVERY: Duration = Duration::from_secs(5);

/// How far something has come.
pub struct Progress {
    what: &'static str,
    total: usize,
    started: Instant,
    shown: Instant,
    terminal: bool,
}

impl Progress {
    /// Begins `total` pieces of work; 0 when they cannot be counted.
    pub fn new(what: &'static str, total: usize) -> Self {
        let started = Instant::now();
        let progress = Self { what, total, started, shown: started, terminal: stderr().is_terminal() };
        if progress.terminal {
            progress.rewrite(&format!("{what} ..."));
        }
        progress
    }

    /// `done` pieces are done. Of the last one [`Progress::end`] tells.
    pub fn at(&mut self, done: usize) {
        let every = if self.terminal { REWRITE_EVERY } else { PRINT_EVERY };
        let ended = self.total > 0 && done >= self.total;
        if ended || self.shown.elapsed() < every {
            return;
        }
        self.shown = Instant::now();
        let text = self.text(done);
        if self.terminal { self.rewrite(&text) } else { eprintln!("{text}") }
    }

    /// Takes the line away, so that another can be printed; the next [`Progress::at`] brings it back.
    pub fn clear(&self) {
        if self.terminal {
            self.rewrite("");
        }
    }

    /// All is done.
    pub fn end(&mut self, done: usize) {
        let text = self.text(done);
        if self.terminal {
            self.rewrite(&text);
            eprintln!();
        } else {
            eprintln!("{text}");
        }
    }

    fn text(&self, done: usize) -> String {
        let seconds = self.started.elapsed().as_secs_f64();
        if self.total == 0 {
            return format!("{}: {seconds:.1} s", self.what);
        }
        let rate = done as f64 / seconds.max(1e-3);
        format!("{}: {done} of {}, {rate:.0} a second, {seconds:.1} s", self.what, self.total)
    }

    fn rewrite(&self, text: &str) {
        let mut out = stderr().lock();
        // Progress that cannot be shown is no reason to stop.
        drop(write!(out, "\r\x1b[K{text}").and_then(|()| out.flush()));
    }
}
