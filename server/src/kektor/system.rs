//! The whole database: save.

use axum::extract::State;
use axum::response::Response;
use kithdb::engine::JobKind;

use super::ok;
use crate::http::{App, NoBody, Problem};

/// Seals what is in memory. Nothing was at risk before: writes are in the log already.
pub async fn save(State(app): State<App>, _: NoBody) -> Result<Response, Problem> {
    app.ok(|db| {
        // One that cannot be saved does not keep the others from it; one that is not open has nothing in memory.
        let mut outcome = Ok(());
        for collection in db.opened()? {
            outcome = outcome.and(collection.run(JobKind::Seal).map(|_| ()));
        }
        outcome.and(db.flush())?;
        Ok::<_, kithdb::base::Error>(ok(Some("Snapshot created")))
    })
    .await
}
