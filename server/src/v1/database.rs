//! The database as a whole: what it holds and takes, whether it is sound, and making it durable.

use axum::extract::State;
use axum::response::Response;
use kithdb::base::Error;
use kithdb::wire::{FiguresAnswer, StatsAnswer, VerifyAnswer};
use serde::Serialize;

use crate::http::{App, NoBody, Problem};

#[derive(Serialize)]
struct Nothing {}

pub async fn stats(State(app): State<App>) -> Result<Response, Problem> {
    app.ok(|db| {
        let told = db.figures()?;
        let collections = told.iter().map(|(name, figures)| FiguresAnswer::new(name, figures)).collect();
        Ok::<_, Error>(StatsAnswer { collections })
    })
    .await
}

/// Reads every byte; what is damaged is part of the answer.
pub async fn verify(State(app): State<App>, _: NoBody) -> Result<Response, Problem> {
    app.ok_alone(|db| {
        let mut answer = VerifyAnswer::default();
        let summary = db.verify(&mut answer)?;
        Ok::<_, Error>(answer.finished(&summary))
    })
    .await
}

pub async fn flush(State(app): State<App>, _: NoBody) -> Result<Response, Problem> {
    app.ok(|db| db.flush().map(|()| Nothing {})).await
}
