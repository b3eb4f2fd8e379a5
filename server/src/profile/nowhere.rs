//! Where nothing can be watched: there are no signals by a timer, or the crate that takes them does not know the processor.

use axum::http::StatusCode;

use super::Seen;
use crate::http::Problem;

/// There is none.
#[derive(Debug)]
pub enum Watch {}

impl Watch {
    /// Refuses.
    ///
    /// # Errors
    /// `not_implemented`.
    pub fn begin(_: u64) -> Result<Self, Problem> {
        let message = "this server was built for a system on which it cannot see what it computes";
        let problem = Problem::http(StatusCode::NOT_IMPLEMENTED, "not_implemented", message);
        Err(problem.hint(
            "Linux and macOS on x86-64 and Arm can; elsewhere a profiler of the system sees it from outside",
        ))
    }

    /// Nothing was seen.
    ///
    /// # Errors
    /// None.
    pub fn end(self) -> Result<Seen, Problem> {
        match self {}
    }
}
