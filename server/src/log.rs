//! What the server says while it runs: lines on stderr, as text or as JSON. Never a token, a body or a value: only what
//! happened, to which route, and how long it took.

use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::OnceLock;

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
        // Whoever reads may have gone: that is no reason to stop.
        drop(writeln!(std::io::stderr(), "{}", line(how().1, level, message, facts)));
    }
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
            let own = [("level", level), ("message", message)];
            let all = own.iter().chain(facts).map(|(name, value)| ((*name).to_owned(), Value::from(*value)));
            Value::Object(all.collect::<Map<_, _>>()).to_string()
        }
    }
}

#[cfg(test)]
mod tests {
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
    }
}
