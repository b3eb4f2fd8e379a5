//! How an index is maintained and compressed: its settings, and the tasks that clients poll.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use kithdb::base::{Error, Result};
use kithdb::collection::{Maintenance, Settings, config::WHOLE};
use kithdb::engine::JobKind;
use kithdb::vectors::Coding;
use kithdb::wire::parse;
use serde::Deserialize;
use serde_json::Value;

use super::{ok, refuse};
use crate::http::{App, BODY_BYTES_MAX, JsonBody, PathOf, Problem};

/// When an index is tidied up. What is left out stays as it is; what is ours alone to decide is accepted and left.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct MaintenanceBody {
    vacuum_interval: Option<Value>,
    delete_threshold: Option<f64>,
    refine_enabled: Option<bool>,
    refine_interval: Option<Value>,
    refine_ef_construction: Option<u32>,
    graph_retention: Option<Value>,
    graph_vacuum_interval: Option<Value>,
}

impl MaintenanceBody {
    /// Settings with these changes.
    pub fn change(&self, mut settings: Maintenance) -> Result<Maintenance> {
        if let Some(share) = self.delete_threshold {
            // 0 is its word for at once; a millionth is ours. What is out of range is refused below.
            let millionths = (share * f64::from(WHOLE)).round();
            settings.delete_threshold = if share < 0.0 { 0 } else { millionths.clamp(1.0, 1e9) as u32 };
        }
        if let Some(span) = &self.vacuum_interval {
            settings.vacuum_interval = duration("vacuum_interval", span)?;
        }
        if let Some(span) = &self.refine_interval {
            settings.refine_interval = duration("refine_interval", span)?;
        }
        if let Some(span) = &self.graph_retention {
            settings.graph_retention = duration("graph_retention", span)?;
        }
        if let Some(span) = &self.graph_vacuum_interval {
            settings.graph_vacuum_interval = duration("graph_vacuum_interval", span)?;
        }
        if let Some(ef) = self.refine_ef_construction {
            settings.refine_ef_construction = ef;
        }
        match self.refine_enabled {
            Some(false) => settings.refine_interval = 0,
            Some(true) if settings.refine_interval == 0 => {
                settings.refine_interval = Maintenance::default().refine_interval;
            }
            _ => {}
        }
        settings.check()?;
        Ok(settings)
    }
}

/// A duration as Go writes it (`1h30m`, `100ms`), or in nanoseconds.
pub fn duration(name: &'static str, value: &Value) -> Result<i64> {
    let wrong = || Error::parameter(name, value, "a duration such as 60s or 1h30m, or nanoseconds");
    let Some(text) = value.as_str() else { return value.as_i64().ok_or_else(wrong) };
    let mut rest = text;
    let mut sum = 0.0;
    while !rest.is_empty() && rest != "0" {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(wrong)?;
        let count: f64 = rest[..digits].parse().map_err(|_| wrong())?;
        let unit = &rest[digits..];
        let len = unit.find(|c: char| c.is_ascii_digit()).unwrap_or(unit.len());
        sum += count
            * match &unit[..len] {
                "ns" => 1.0,
                "us" | "\u{b5}s" | "\u{3bc}s" => 1e3,
                "ms" => 1e6,
                "s" => 1e9,
                "m" => 60e9,
                "h" => 3600e9,
                _ => return Err(wrong()),
            };
        rest = &unit[len..];
    }
    // A century is enough, and far from where an i64 ends.
    if sum <= 3.2e18 { Ok(sum as i64) } else { Err(wrong()) }
}

/// Changes when an index is tidied up.
pub async fn config(
    State(app): State<App>,
    PathOf(name): PathOf<String>,
    JsonBody(body): JsonBody<BODY_BYTES_MAX>,
) -> Result<Response, Problem> {
    app.ok(move |db| {
        let body: MaintenanceBody = parse(&body)?;
        let change =
            |settings: Settings| Ok(Settings { maintenance: body.change(settings.maintenance)?, ..settings });
        db.collection(&name)?.configure(change, None)?;
        Ok::<_, Problem>(ok(Some("Configuration updated")))
    })
    .await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TriggerBody {
    #[serde(rename = "type", default)]
    kind: String,
}

/// Starts a vacuum or a refinement.
pub async fn trigger(
    State(app): State<App>,
    PathOf(name): PathOf<String>,
    JsonBody(body): JsonBody<BODY_BYTES_MAX>,
) -> Result<Response, Problem> {
    let body: TriggerBody = parse(&body)?;
    let kind = match body.kind.as_str() {
        "vacuum" => JobKind::Vacuum,
        "refine" => JobKind::Refine,
        _ => return Err(refuse("invalid maintenance type")),
    };
    let started = app.clone();
    app.answer(StatusCode::ACCEPTED, move |db| {
        let collection = db.collection(&name)?;
        let work = move || {
            // One segment a job: as long as there is something to do.
            while collection.run(kind)? {}
            Ok(())
        };
        started.tasks().start(&name, kind.name(), work).ok_or_else(too_many)
    })
    .await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CompressBody {
    index_name: String,
    precision: String,
}

/// Starts giving all of an index other codes.
pub async fn compress(
    State(app): State<App>,
    JsonBody(body): JsonBody<BODY_BYTES_MAX>,
) -> Result<Response, Problem> {
    let body: CompressBody = parse(&body)?;
    let codes = match body.precision.as_str() {
        // The finest codes there are; what is returned stays in the form that the index was made with.
        "float32" | "float16" | "int8" => Coding::Int8,
        other => Coding::parse(other).map_err(|_| {
            Error::parameter(
                "precision",
                kithdb::base::ids::shorten(other),
                "float32, float16, int8, bits, pq or opq",
            )
        })?,
    };
    let started = app.clone();
    app.answer(StatusCode::ACCEPTED, move |db| {
        let collection = db.collection(&body.index_name)?;
        codes.check(collection.info()?.config.metric)?;
        let task = started.tasks().start(&body.index_name, codes.name(), move || collection.compress(codes));
        task.ok_or_else(too_many)
    })
    .await
}

pub fn too_many() -> Problem {
    Problem::http(
        StatusCode::TOO_MANY_REQUESTS,
        "too_many_tasks",
        "too many tasks are running: ask again later",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn durations_are_read_as_go_writes_them() {
        let of = |value: Value| duration("vacuum_interval", &value).ok();
        assert_eq!(of(json!("60s")), Some(60_000_000_000));
        assert_eq!(of(json!("1h30m")), Some(5_400_000_000_000));
        assert_eq!(of(json!("1.5s")), Some(1_500_000_000));
        assert_eq!(of(json!("100ms")), Some(100_000_000));
        assert_eq!((of(json!("0")), of(json!("0s")), of(json!(7))), (Some(0), Some(0), Some(7)));
        for bad in
            [json!("60"), json!("s"), json!("1d"), json!("-1s"), json!(1.5), json!(null), json!("999999999h")]
        {
            assert_eq!(of(bad.clone()), None, "{bad}");
        }
    }

    #[test]
    fn what_is_left_out_stays_as_it_is() {
        let change = |json: &str, before| {
            serde_json::from_str::<MaintenanceBody>(json)
                .expect("JSON")
                .change(before)
                .expect("within limits")
        };
        let defaults = Maintenance::default();
        assert_eq!(change(r#"{"refine_batch_size": 500, "arena_compaction": {}}"#, defaults), defaults);
        let off = change(r#"{"refine_enabled": false}"#, defaults);
        assert_eq!(off.refine_interval, 0);
        let on =
            change(r#"{"refine_enabled": true, "refine_ef_construction": 300, "delete_threshold": 0}"#, off);
        assert_eq!((on.refine_interval, on.refine_ef_construction), (defaults.refine_interval, 300));
        assert_eq!(on.delete_threshold, 1);
        let kept = change(r#"{"graph_retention": "720h", "graph_vacuum_interval": 5}"#, defaults);
        assert_eq!((kept.graph_retention, kept.graph_vacuum_interval), (720 * 3_600_000_000_000, 5));
        assert_eq!(change("{}", kept), kept);
    }
}
