//! Saving a damaged database into a new directory, through the ordinary engine. The old one is only read.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::base::{Error, NoObserver, Result, StorageError};
use crate::engine::repair::{Losses, Salvaged, salvage, sources};
use crate::storage::StorageRoot;

use super::db::{Db, Options};
use super::inspect::Inspection;

/// What became of a collection.
#[derive(Debug, Clone, PartialEq)]
pub struct Rescued {
    /// Its name in the new database.
    pub name: String,
    /// The number of its storage in the old one.
    pub number: u64,
    /// What was saved of it, or why nothing was.
    pub outcome: Result<Saved>,
}

/// What was saved of a collection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saved {
    /// How many documents.
    pub documents: usize,
    /// The generation they were read from.
    pub generation: u64,
    /// What is lost.
    pub losses: Losses,
    /// Bytes at the end of the log that are an unfinished write, or a finished one that is damaged: nobody can tell.
    pub unfinished_bytes: u64,
    /// What happened, for people.
    pub notes: Vec<String>,
}

impl Rescued {
    /// Whether all of the collection was saved.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.outcome.as_ref().is_ok_and(|saved| saved.losses.is_none())
    }
}

/// Saves what `from` still holds into `into`, which must not exist or be empty. `told` hears of each collection as it is
/// done.
///
/// # Errors
/// `invalid_parameter` when `into` holds something or is within `from`; as [`Inspection::open`] and [`Db::open`]; a failed
/// write.
pub fn repair(from: &Path, into: &Path, told: &mut dyn FnMut(&Rescued)) -> Result<()> {
    let inspection = Inspection::open(from, Arc::new(NoObserver))?;
    check_place(from, into)?;
    let root = inspection.failing_root()?;
    let sources = sources(&root)?;
    let db = Db::open(into, Options { auto_jobs: false, ..Options::default() })?;
    for source in sources {
        let outcome = match salvage(&*root.storage(source.number)?, source.collection_id) {
            Ok(salvaged) => {
                db.add_salvaged(&source.name, &salvaged)?;
                Ok(saved(salvaged))
            }
            Err(error) => Err(error),
        };
        told(&Rescued { name: source.name, number: source.number, outcome });
    }
    db.close()
}

fn saved(salvaged: Salvaged) -> Saved {
    let documents = salvaged.count();
    let Salvaged { generation, losses, unfinished_bytes, notes, .. } = salvaged;
    Saved { documents, generation, losses, unfinished_bytes, notes }
}

/// Refuses a place where something is, and one within the damaged database.
fn check_place(from: &Path, into: &Path) -> Result<()> {
    let failed = |action| {
        move |e: std::io::Error| StorageError::Io {
            action,
            object: "the new directory".to_owned(),
            cause: e.to_string(),
        }
    };
    if into.exists() {
        let mut entries = std::fs::read_dir(into).map_err(failed("list"))?;
        if entries.next().is_some() {
            return Err(Error::parameter("into", into.display(), "a directory that is new or empty"));
        }
    }
    let from = from.canonicalize().map_err(failed("find"))?;
    let above = |path: &Path| path.ancestors().find_map(|path| path.canonicalize().ok());
    let absolute: PathBuf = std::path::absolute(into).map_err(failed("find"))?;
    if above(&absolute).is_some_and(|above| above.starts_with(&from)) {
        return Err(Error::parameter("into", into.display(), "a directory outside the damaged database"));
    }
    Ok(())
}
