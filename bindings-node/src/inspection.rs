//! A directory that is only looked at, as `kithdb stats` and `kithdb verify` do, for the same commands of the npm package.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use kithdb::base::sync::{Mutex, lock};
use kithdb::base::{Event, Observer};
use kithdb::engine::verify::{Checked, Visitor};
use kithdb::host::Inspection;
use kithdb::storage::BlobKind;
use kithdb::wire::{FiguresAnswer, ObjectAnswer, StatsAnswer, SummaryAnswer};
use napi::bindgen_prelude::AsyncTask;
use napi_derive::napi;
use serde_json::json;

use crate::work::{Work, promise};

/// A database that is only read; writers are kept out until it is forgotten.
#[napi]
pub struct NativeInspection {
    inspection: Arc<Inspection>,
    told: Arc<Told>,
}

/// What is told meanwhile.
#[derive(Debug, Default)]
struct Told {
    /// What is odd.
    events: Mutex<Vec<Event>>,
    done: AtomicUsize,
    total: AtomicUsize,
}

impl Observer for Told {
    fn event(&self, event: Event) {
        lock(&self.events).push(event);
    }
}

/// Gathers what a check finds.
struct Checking<'a> {
    objects: Vec<ObjectAnswer>,
    told: &'a Told,
}

impl Visitor for Checking<'_> {
    fn checked(&mut self, checked: &Checked) {
        self.objects.push(ObjectAnswer::new(checked, usize::MAX));
    }

    fn progress(&mut self, done: usize, total: usize) {
        self.told.total.store(total, Ordering::Relaxed);
        self.told.done.store(done, Ordering::Relaxed);
    }
}

#[napi]
impl NativeInspection {
    /// Opens a directory to be looked at.
    #[napi(catch_unwind)]
    pub fn open(path: String) -> AsyncTask<Work<NativeInspection>> {
        promise(move || {
            let told = Arc::new(Told::default());
            let inspection = Inspection::open(Path::new(&path), told.clone())?;
            Ok(Self { inspection: Arc::new(inspection), told })
        })
    }

    /// The JSON of what the collections hold and take.
    #[napi(catch_unwind)]
    pub fn stats(&self) -> AsyncTask<Work<String>> {
        let (inspection, told) = (Arc::clone(&self.inspection), Arc::clone(&self.told));
        promise(move || {
            let names = inspection.entries()?.iter().map(|entry| &entry.name);
            let collections = names.map(|name| FiguresAnswer::new(name, &inspection.figures(name))).collect();
            let kinds = BlobKind::ALL.map(BlobKind::name);
            Ok(json!({ "answer": StatsAnswer { collections }, "kinds": kinds, "odd": told.odd() })
                .to_string())
        })
    }

    /// Reads every byte: the JSON of what was found.
    #[napi(catch_unwind)]
    pub fn verify(&self) -> AsyncTask<Work<String>> {
        let (inspection, told) = (Arc::clone(&self.inspection), Arc::clone(&self.told));
        promise(move || {
            let mut checking = Checking { objects: Vec::new(), told: &told };
            let summary = inspection.verify(&mut checking)?;
            let answer = json!({
                "clean": summary.is_clean(),
                "objects": checking.objects,
                "strangers": inspection.strangers()?,
                "summary": SummaryAnswer::from(&summary),
            });
            // What opening would warn of is told object by object.
            Ok(json!({ "answer": answer, "odd": [] }).to_string())
        })
    }

    /// How many objects are checked, and of how many; nothing before it is known.
    #[napi(catch_unwind)]
    pub fn progress(&self) -> Vec<u32> {
        let of = |count: &AtomicUsize| u32::try_from(count.load(Ordering::Relaxed)).unwrap_or(u32::MAX);
        vec![of(&self.told.done), of(&self.told.total)]
    }
}

impl Told {
    /// What is odd, as the log of `kithdb` has it: pairs of a level and a message.
    fn odd(&self) -> Vec<[String; 2]> {
        let say = |event: Event| match event {
            Event::Warning { at, message } => Some(["warning".to_owned(), format!("{at}: {message}")]),
            Event::Opened { collection, truncated_bytes, .. } if truncated_bytes > 0 => {
                let message =
                    format!("{collection}: set {truncated_bytes} bytes of an unfinished write aside");
                Some(["info".to_owned(), message])
            }
            _ => None,
        };
        std::mem::take(&mut *lock(&self.events)).into_iter().filter_map(say).collect()
    }
}
