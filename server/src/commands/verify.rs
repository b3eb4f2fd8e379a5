//! `kithdb verify`: checks every byte that matters and changes nothing.
//!
//! Ends with 0 when nothing is damaged, 1 when something is, 2 when it could not look.

use std::io::{IsTerminal, stderr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use kithdb::base::{Error, NoObserver};
use kithdb::engine::verify::{Checked, State, Summary, Visitor};
use kithdb::host::Inspection;
use kithdb::wire::{ObjectAnswer, SummaryAnswer};
use serde_json::{Value, json};

use super::progress::Progress;
use super::report::{one_line, out};

/// Findings of one object that are printed; a blob that was overwritten has thousands.
const FINDINGS_SHOWN: usize = 20;

/// Arguments of `kithdb verify`.
#[derive(Debug, clap::Args)]
pub struct VerifyArgs {
    /// Directory of the database; nothing in it is changed.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

/// Checks a database.
pub fn verify(args: &VerifyArgs) -> Result<ExitCode, String> {
    let mut told = Told { json: args.json.then(Vec::new), progress: None };
    let (summary, strangers) = look(args, &mut told).map_err(|e| one_line(&e))?;
    if let Some(progress) = &told.progress {
        progress.clear();
    }
    match told.json {
        Some(objects) => out(&format!("{:#}", as_json(&objects, &summary, &strangers))),
        None => {
            strangers.iter().for_each(|name| out(&format!("{name}: unknown, left alone")));
            out(&in_words(&summary));
        }
    }
    Ok(if summary.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn look(args: &VerifyArgs, told: &mut Told) -> Result<(Summary, Vec<String>), Error> {
    // What opening would warn of is told object by object.
    let inspection = Inspection::open(&args.data, Arc::new(NoObserver))?;
    Ok((inspection.verify(told)?, inspection.strangers()?))
}

/// Prints, or for JSON gathers, what is found.
struct Told {
    json: Option<Vec<ObjectAnswer>>,
    progress: Option<Progress>,
}

impl Visitor for Told {
    fn checked(&mut self, checked: &Checked) {
        match &mut self.json {
            Some(objects) => objects.push(ObjectAnswer::new(checked, usize::MAX)),
            None => {
                if let Some(progress) = &self.progress {
                    progress.clear();
                }
                object_in_words(checked).iter().for_each(|line| out(line));
            }
        }
    }

    fn progress(&mut self, done: usize, total: usize) {
        if stderr().is_terminal() {
            self.progress.get_or_insert_with(|| Progress::new("verifying", total)).at(done);
        }
    }
}

/// A line for the object, and for each finding after the first one more.
fn object_in_words(checked: &Checked) -> Vec<String> {
    let name = checked.name();
    let of = checked.collection.as_deref().map(|name| format!(" ({name})")).unwrap_or_default();
    let state = match checked.state {
        State::Sound => "OK",
        State::Damaged if checked.is_derived() => "DAMAGED, can be made again",
        State::Damaged => "DAMAGED",
        State::Unfinished => "unfinished",
        State::Unneeded => "unneeded",
        State::Unknown => "unknown, left alone",
    };
    let size = if checked.bytes > 0 { format!(", {} bytes", checked.bytes) } else { String::new() };
    if checked.findings.is_empty() {
        return vec![format!("{name}{of}: {state}{size}")];
    }
    let mut lines = Vec::new();
    for finding in checked.findings.iter().take(FINDINGS_SHOWN) {
        let at = finding.offset.map(|offset| format!("at byte {offset}, ")).unwrap_or_default();
        lines.push(format!("{name}{of}: {state}: {at}{}", finding.what));
    }
    let more = checked.findings.len().saturating_sub(FINDINGS_SHOWN);
    if more > 0 {
        lines.push(format!("{name}{of}: {state}: and {more} more places"));
    }
    lines
}

fn in_words(summary: &Summary) -> String {
    let Summary { sound, damaged, derived_damaged, unfinished, unneeded, unknown, bytes, collections } =
        *summary;
    let mut text = format!("{collections} collections, {bytes} bytes: {sound} objects are sound");
    for (count, what) in [(unfinished, "unfinished"), (unneeded, "unneeded"), (unknown, "unknown")] {
        if count > 0 {
            text += &format!(", {count} {what}");
        }
    }
    match (damaged, damaged - derived_damaged) {
        (0, _) => text += "; nothing is damaged",
        (_, 0) => {
            text += &format!("; {damaged} damaged, all of which opening makes again from the documents");
        }
        _ => {
            text +=
                &format!("; {damaged} DAMAGED; save what is left with: kithdb repair --data DIR --into NEW")
        }
    }
    text
}

fn as_json(objects: &[ObjectAnswer], summary: &Summary, strangers: &[String]) -> Value {
    json!({
        "clean": summary.is_clean(),
        "objects": objects,
        "strangers": strangers,
        "summary": SummaryAnswer::from(summary),
    })
}
