//! How the database of a benchmark is made. The cache of indexes goes by this file: what stands in it decides the bytes.

use std::path::Path;

use kithdb::collection::{CollectionConfig, Document};
use kithdb::engine::JobKind;
use kithdb::host::{AddMode, Db, Options};
use kithdb::vectors::Metric;
use kithdb::wire::parse_metadata;

use crate::{Answer, COLLECTION, Result, Timer, rows, set};

/// Documents of one import.
const IMPORT: usize = 20_000;
/// The field that filters ask for holds 0 up to this, evenly.
const FIELD_VALUES: usize = 1000;

/// Writes all vectors in imports, then makes one linked segment of them.
pub fn build(data: &Path, folder: &Path, config: CollectionConfig, threads: usize) -> Result<Answer> {
    let set = set(data)?;
    let base = rows(&data.join("base.f32"), set.dim)?;
    let metric = match set.metric.as_str() {
        "cosine" => Metric::Cosine,
        "euclidean" => Metric::Euclidean,
        other => return Err(format!("unknown metric {other}").into()),
    };
    let db = Db::open(folder, Options { threads, auto_jobs: false, ..Options::default() })?;
    let collection = db.create(COLLECTION, CollectionConfig { metric, ..config })?;
    let timer = Timer::start();
    for (i, rows) in base.chunks(IMPORT).enumerate() {
        let document = |(j, row): (usize, &Vec<f32>)| {
            let n = i * IMPORT + j;
            let metadata = parse_metadata(Some(&format!("{{\"c\":{}}}", n % FIELD_VALUES)))?;
            Ok(Document { id: n.to_string(), vector: Some(row.clone()), metadata, expires_at: None })
        };
        let documents = rows.iter().enumerate().map(document).collect::<Result<_>>()?;
        collection.add_bulk(documents, AddMode::Insert)?;
    }
    let write = timer.times();
    collection.run(JobKind::Optimize)?;
    let times = timer.times();
    db.close()?;
    Ok(Answer { times: Some(times), write: Some(write), ..Answer::default() })
}
