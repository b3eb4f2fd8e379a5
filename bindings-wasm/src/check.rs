//! A check of everything that a store holds, one collection after the other and each in steps: of the one that is looked at,
//! blobs are brought when they are wanted and let go of once they are checked, so that little is in memory beside what is open.

use js_sys::Uint8Array;
use kithdb::base::{Error, Pool};
use kithdb::engine::verify::{Check, Next};
use kithdb::wire::{VerifyAnswer, to_json};
use serde::Serialize;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::arguments::{self, thrown};
use crate::storage::TabRoot;
use crate::work::Snapshot;

/// A check that was begun.
#[wasm_bindgen]
pub struct WasmCheck {
    check: Check,
    answer: VerifyAnswer,
    pool: Pool,
    /// What is to be entered, or was.
    next: Option<Next>,
    /// It alone.
    root: TabRoot,
    /// What was told before it was entered.
    before: VerifyAnswer,
    /// The blob that was asked for last.
    asked: Option<u64>,
}

/// What a step did.
#[derive(Default, Serialize)]
struct Stepped {
    /// Whether all of what was entered is checked.
    done: bool,
    /// The number of the blob that is to be brought before the next step, and how long it is.
    blob: Option<u64>,
    length: u64,
    /// Objects that are checked, of about how many in all.
    checked: usize,
    total: usize,
}

#[wasm_bindgen]
impl WasmCheck {
    /// Begins with the catalog, which the snapshot holds; `numbers` are those of the other storages that there are, which
    /// hold about so many objects.
    pub fn begin(catalog: JsValue, numbers: &[f64], objects: usize) -> Result<WasmCheck, JsValue> {
        let snapshot: Snapshot = serde_wasm_bindgen::from_value(catalog)?;
        // In memory nothing is stored, and no catalog is missing. Beside other storages it is.
        let is_empty = snapshot.storages.is_empty() && numbers.is_empty();
        let (mut answer, root) = (VerifyAnswer::default(), TabRoot::restore(snapshot));
        let mut check = Check::new(numbers.iter().map(|number| *number as u64).collect(), objects);
        if !is_empty {
            check.catalog(&root, &mut answer);
        }
        let (root, before) = (TabRoot::default(), VerifyAnswer::default());
        Ok(Self { check, answer, pool: Pool::single(), next: None, root, before, asked: None })
    }

    /// The number of the storage that is to be entered next; none at the end.
    pub fn next(&mut self) -> Option<f64> {
        self.next = self.check.next();
        self.before = self.answer.clone();
        self.next.as_ref().map(|next| next.number as f64)
    }

    /// Enters it by what it holds, but for the bytes of its blobs; once more when it has changed since.
    pub fn enter(&mut self, snapshot: JsValue) -> Result<(), JsValue> {
        self.leave();
        self.root = TabRoot::restore(serde_wasm_bindgen::from_value(snapshot)?);
        if let Some(next) = &self.next {
            self.check.enter(next, &self.root, &mut self.answer);
        }
        Ok(())
    }

    /// Takes back what was told of it: it has gone.
    pub fn leave(&mut self) {
        self.check.leave();
        (self.answer, self.asked) = (self.before.clone(), None);
    }

    /// Brings a piece of one of its blobs; its pieces come in order. A blob with one that does not fit is damaged from then on.
    pub fn provide(&self, blob: f64, offset: f64, total: f64, bytes: &Uint8Array) -> Result<(), JsValue> {
        let number = self.next.as_ref().map_or(0, |next| next.number);
        let (blob, piece, total) = (blob as u64, arguments::piece(offset, bytes), total as u64);
        self.root.provide(number, blob, piece, total, |place| bytes.copy_to(place)).map_err(|error| {
            self.root.lose(number, blob);
            thrown(&error)
        })
    }

    /// Reads about so many rows, or looks at one blob.
    pub fn step(&mut self, rows: usize) -> Result<JsValue, JsValue> {
        let mut stepped = Stepped::default();
        match self.stepped(rows) {
            Ok(done) => stepped.done = done,
            Err(error) => {
                let Some(missing) = error.missing() else { return Err(thrown(&error)) };
                if let Some(missing) = missing.first() {
                    (stepped.blob, stepped.length) = (Some(missing.blob), missing.range.end);
                }
            }
        }
        (stepped.checked, stepped.total) = self.check.progress();
        Ok(serde_wasm_bindgen::to_value(&stepped)?)
    }

    /// The JSON of what was found.
    pub fn finish(self) -> String {
        to_json(&self.answer.finished(&self.check.summary()))
    }
}

impl WasmCheck {
    /// Whether all is checked; `not_resident` for a blob that is to be brought, once.
    fn stepped(&mut self, rows: usize) -> Result<bool, Error> {
        let number = self.next.as_ref().map_or(0, |next| next.number);
        loop {
            let done = self.check.step(&self.pool, rows, &mut self.answer);
            let Some(missing) = done.as_ref().err().and_then(Error::missing) else { return done };
            let wanted = missing.first().map(|missing| missing.blob);
            if wanted.is_none() || std::mem::replace(&mut self.asked, wanted) != wanted {
                // What was brought before is checked, or held by what is not.
                self.root.forget(number);
                return done;
            }
            wanted.into_iter().for_each(|blob| self.root.lose(number, blob));
        }
    }
}
