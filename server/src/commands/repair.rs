//! `kithdb repair`: saves what a damaged database still holds into a new directory. The old one is left as it is.
//!
//! Ends with 0 when all was saved, 1 when something is lost, 2 when it could not be tried.

use std::path::PathBuf;
use std::process::ExitCode;

use kithdb::host::{Rescued, Saved, repair as save};
use serde_json::{Value, json};

use super::report::{one_line, out};

/// Ids of lost documents that are printed of one collection; `--json` has all.
const IDS_SHOWN: usize = 100;

/// Arguments of `kithdb repair`.
#[derive(Debug, clap::Args)]
pub struct RepairArgs {
    /// Directory of the damaged database; nothing in it is changed.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Directory for what is saved; must not exist or be empty.
    #[arg(long, value_name = "NEW")]
    into: PathBuf,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

/// Saves a database.
pub fn repair(args: &RepairArgs) -> Result<ExitCode, String> {
    let (mut collections, mut whole, mut documents) = (Vec::new(), 0, 0);
    save(&args.data, &args.into, &mut |rescued| {
        whole += usize::from(rescued.is_whole());
        documents += rescued.outcome.as_ref().map_or(0, |saved| saved.documents);
        collections.push(as_json(rescued));
        if !args.json {
            in_words(rescued).iter().for_each(|line| out(line));
        }
    })
    .map_err(|e| one_line(&e))?;
    let all = whole == collections.len();
    if args.json {
        out(&format!("{:#}", json!({ "whole": all, "documents": documents, "collections": collections })));
    } else {
        let lost = if all { "nothing is lost" } else { "the others have losses" };
        let count = collections.len();
        out(&format!(
            "saved {documents} documents into {}; {whole} of {count} collections are whole, {lost}",
            args.into.display()
        ));
    }
    Ok(if all { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn in_words(rescued: &Rescued) -> Vec<String> {
    let name = &rescued.name;
    let saved = match &rescued.outcome {
        Ok(saved) => saved,
        Err(error) => return vec![format!("{name}: LOST: {error}")],
    };
    let Saved { documents, generation, losses, unfinished_bytes, notes } = saved;
    let mut lines = vec![format!("{name}: saved {documents} documents from generation {generation}")];
    let mut say = |what: String| lines.push(format!("{name}: {what}"));
    notes.iter().for_each(|note| say(note.clone()));
    if *unfinished_bytes > 0 {
        say(format!(
            "left out {unfinished_bytes} bytes at the end of its log, which belong to no finished write"
        ));
    }
    losses.ids.iter().take(IDS_SHOWN).for_each(|id| say(format!("LOST document {id:?}")));
    if losses.ids.len() > IDS_SHOWN {
        say(format!("LOST {} more documents; --json names them all", losses.ids.len() - IDS_SHOWN));
    }
    if losses.nameless > 0 {
        say(format!("LOST at most {} documents whose ids are lost too", losses.nameless));
    }
    if losses.segments > 0 {
        say(format!("LOST {} segments, of which nobody knows how many documents they held", losses.segments));
    }
    if losses.frames > 0 {
        say(format!("LOST {} frames of its log, each with some writes", losses.frames));
    }
    if losses.edges > 0 {
        say(format!("LOST the edges of {} of its blobs", losses.edges));
    }
    if losses.settings {
        say("LOST how it was made: look at its metric, text, dimension and embedder".to_owned());
    }
    match losses.ends {
        0 => {}
        usize::MAX => say("documents that were deleted may be back; nobody knows how many".to_owned()),
        count => say(format!("at most {count} documents that were deleted may be back")),
    }
    lines
}

fn as_json(rescued: &Rescued) -> Value {
    let saved = match &rescued.outcome {
        Ok(saved) => saved,
        Err(error) => {
            let report = serde_json::to_value(error.report()).unwrap_or_default();
            return json!({ "name": rescued.name, "storage": rescued.number, "whole": false, "error": report });
        }
    };
    let back = (saved.losses.ends < usize::MAX).then_some(saved.losses.ends);
    json!({
        "name": rescued.name,
        "storage": rescued.number,
        "whole": rescued.is_whole(),
        "documents": saved.documents,
        "generation": saved.generation,
        "lost": {
            "ids": saved.losses.ids,
            "nameless": saved.losses.nameless,
            "segments": saved.losses.segments,
            "frames": saved.losses.frames,
            "edges": saved.losses.edges,
            "settings": saved.losses.settings,
        },
        "may_be_back": back,
        "unfinished_bytes": saved.unfinished_bytes,
        "notes": saved.notes,
    })
}
