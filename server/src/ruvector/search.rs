//! The nearest vectors by number.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use kithdb::base::limits::{EF_MAX, K_MAX};
use kithdb::base::{Error, InputError};
use kithdb::collection::{Hit, SearchRequest};
use kithdb::host::CollectionHandle;
use kithdb::vectors::Metric;
use serde::Serialize;

use super::body::{SearchBody, read};
use super::vectors::number_of_id;
use super::{answer, refuse};
use crate::http::{AnyBody, App, BODY_BYTES_MAX, PathOf, Problem};

#[derive(Serialize)]
struct FoundAnswer {
    id: u64,
    distance: f32,
}

pub async fn search(
    State(app): State<App>,
    PathOf(name): PathOf<String>,
    AnyBody(body): AnyBody<BODY_BYTES_MAX>,
) -> Result<Response, Problem> {
    answer(&app, StatusCode::OK, move |db| nearest(&*db.collection(&name)?, read(body)?)).await
}

fn nearest(collection: &CollectionHandle, body: SearchBody) -> Result<Vec<FoundAnswer>, Problem> {
    let wanted = usize::try_from(body.k).ok().filter(|k| *k > 0);
    let wanted = wanted.ok_or_else(|| refuse(StatusCode::BAD_REQUEST, "k must be positive"))?.min(K_MAX);
    let vector = body.vector.0;
    let view = collection.view()?;
    // Nothing was stored, and nothing says what would fit.
    let Some(dim) = view.dim.or(view.config.dim) else { return Ok(Vec::new()) };
    if dim as usize != vector.len() {
        let (expected, got) = (dim as usize, vector.len());
        return Err(Error::from(InputError::Dimension { expected, got }).into());
    }
    let ef = usize::try_from(body.ef).ok().filter(|ef| *ef > 0);
    let shown = |hit: &Hit| {
        let distance = hit.distance?;
        // The root of a squared distance, as it tells it.
        let distance = if view.config.metric == Metric::Euclidean { distance.sqrt() } else { distance };
        Some(FoundAnswer { id: number_of_id(&hit.id)?, distance })
    };
    let mut k = wanted;
    loop {
        let ef = ef.map(|ef| ef.max(k).min(EF_MAX));
        let request = SearchRequest { vector: Some(vector.clone()), k, ef, ..SearchRequest::default() };
        let hits = collection.search(request)?.hits;
        let found: Vec<_> = hits.iter().filter_map(shown).take(wanted).collect();
        // Ids that are no numbers stand among the nearest where others write to the collection too.
        if found.len() == wanted || hits.len() < k || k == K_MAX {
            return Ok(found);
        }
        k = (k * 2).min(K_MAX);
    }
}
