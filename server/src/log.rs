//! What the server says while it runs: lines on stderr, as text or as JSON. Never a token, a body or a value: only what
//! happened, to which route, and how long it took.

use std::any::Any;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::OnceLock;

use kithdb::base::Clock as _;
use kithdb::base::time::format_time;
use kithdb::host::SystemClock;
use serde_json::{Map, Value};

/// How much is said. Each includes what comes before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum LogLevel {
    /// What went wrong.
    Error,
    /// What is odd.
    Warn,
    /// What happens rarely.
    Info,
    /// Every request.
    Debug,
}

/// How it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One object a line, for programs.
    Json,
}

static HOW: OnceLock<(LogLevel, LogFormat)> = OnceLock::new();

/// Sets how it is said, once. Until then as text, down to `info`.
pub fn set_up(level: LogLevel, format: LogFormat) {
    let _ = HOW.set((level, format));
}

/// Whether what is of this level is said.
pub fn says(level: LogLevel) -> bool {
    level <= how().0
}

/// Says it, with what is known about it.
pub fn say(level: LogLevel, message: &str, facts: &[(&str, &str)]) {
    if says(level) {
        write(&line(how().1, level, message, facts));
    }
}

/// Says why the process ends: as text a line without more, in any case at every level.
pub fn fail(message: &str) {
    match how().1 {
        LogFormat::Text => write(&format!("kithdb: {message}")),
        LogFormat::Json => write(&line(LogFormat::Json, LogLevel::Error, message, &[])),
    }
}

/// Has panics said as everything else is, and without the values that they may show.
pub fn say_panics() {
    std::panic::set_hook(Box::new(|info| {
        let at = info.location().map_or_else(|| "somewhere".to_owned(), ToString::to_string);
        // There is one when RUST_BACKTRACE asks for it.
        let trace = Backtrace::capture();
        let trace = (trace.status() == BacktraceStatus::Captured).then(|| trace.to_string());
        let trace = trace.as_deref().map(|trace| ("backtrace", trace));
        let facts: Vec<_> =
            [("at", &*at), ("cause", cause(info.payload()))].into_iter().chain(trace).collect();
        say(LogLevel::Error, "a mistake of ours: the program panicked", &facts);
    }));
}

/// The words of the program; others were put together from values, which may be what users store.
fn cause(payload: &dyn Any) -> &'static str {
    payload.downcast_ref::<&'static str>().copied().unwrap_or("not shown: it may hold values")
}

fn write(line: &str) {
    // Whoever reads may have gone: that is no reason to stop.
    drop(writeln!(std::io::stderr(), "{line}"));
}

fn how() -> (LogLevel, LogFormat) {
    HOW.get().copied().unwrap_or((LogLevel::Info, LogFormat::Text))
}

fn line(format: LogFormat, level: LogLevel, message: &str, facts: &[(&str, &str)]) -> String {
    let level = match level {
        LogLevel::Error => "error",
        LogLevel::Warn => "warning",
        LogLevel::Info => "info",
        LogLevel::Debug => "debug",
    };
    match format {
        LogFormat::Text => {
            let mut text = format!("kithdb: {level}: {}", message.replace(char::is_control, " "));
            for (name, value) in facts {
                // Writing to a string does not fail.
                let _ = write!(text, " {name}={}", value.replace(char::is_control, " "));
            }
            text
        }
        LogFormat::Json => {
            let time = format_time(SystemClock.now_ns());
            let own = [("time", &*time), ("level", level), ("message", message)];
            let all = own.iter().chain(facts).map(|(name, value)| ((*name).to_owned(), Value::from(*value)));
            Value::Object(all.collect::<Map<_, _>>()).to_string()
        }
    }
}

#[cfg(test)]
mod tests {
    use kithdb::base::time::parse_time;

    use super::*;

    #[test]
    fn a_line_is_one_line_whatever_is_in_it() {
        let facts = [("path", "/v1/{name}"), ("request_id", "a\nb")];
        let text = line(LogFormat::Text, LogLevel::Warn, "odd\r\nthings", &facts);
        assert_eq!(text, "kithdb: warning: odd  things path=/v1/{name} request_id=a b");
        let json = line(LogFormat::Json, LogLevel::Warn, "odd\nthings", &facts);
        assert_eq!(json.lines().count(), 1);
        let json: Value = serde_json::from_str(&json).expect("JSON");
        assert_eq!((&json["level"], &json["message"]), (&"warning".into(), &"odd\nthings".into()));
        assert_eq!(json["request_id"], "a\nb");
        assert!(parse_time("time", json["time"].as_str().expect("text")).is_ok(), "{json}");
    }

    #[test]
    fn a_panic_shows_no_value() {
        let caught = |panics: fn()| {
            let payload = std::panic::catch_unwind(panics).expect_err("it panics");
            cause(&*payload)
        };
        assert_eq!(caught(|| panic!("words of the program")), "words of the program");
        let secret = std::hint::black_box("SECRET-CANARY\u{e9}");
        assert!(
            !cause(&*std::panic::catch_unwind(|| panic!("{secret}")).expect_err("it panics"))
                .contains("CANARY")
        );
        let sliced = std::panic::catch_unwind(|| secret[..14].len()).expect_err("within a character");
        assert!(!cause(&*sliced).contains("CANARY"));
    }
}
