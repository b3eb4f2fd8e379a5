//! Work off the main thread, and errors on their way to JavaScript.

use std::panic::{AssertUnwindSafe, catch_unwind};

use kithdb::base::{Error, Report, Result};
use napi::bindgen_prelude::{AsyncTask, ToNapiValue, TypeName};
use napi::{Env, Task};

/// Something to be done on libuv's pool, once.
pub struct Work<T>(Option<Box<dyn FnOnce() -> Result<T> + Send>>);

/// A promise of what `job` answers.
pub fn promise<T>(job: impl FnOnce() -> Result<T> + Send + 'static) -> AsyncTask<Work<T>>
where
    T: ToNapiValue + TypeName + Send + 'static,
{
    AsyncTask::new(Work(Some(Box::new(job))))
}

impl<T: ToNapiValue + TypeName + Send + 'static> Task for Work<T> {
    type Output = T;
    type JsValue = T;

    fn compute(&mut self) -> napi::Result<T> {
        let job = self.0.take().expect("libuv runs a piece of work once");
        // What a panic leaves behind is plain data behind locks that ignore poison.
        match catch_unwind(AssertUnwindSafe(job)) {
            Ok(outcome) => outcome.map_err(|error| js_error(&error)),
            Err(panic) => Err(napi::bindgen_prelude::panic_to_error(panic)),
        }
    }

    fn resolve(&mut self, _: Env, output: T) -> napi::Result<T> {
        Ok(output)
    }
}

/// The error as JavaScript gets it: a message that is the JSON of a report.
pub fn js_error(error: &Error) -> napi::Error {
    let report: Report = error.report();
    napi::Error::from_reason(serde_json::to_string(&report).unwrap_or(report.message))
}
