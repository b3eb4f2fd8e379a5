//! Indexes, which are our collections: create, list, describe, delete.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use kithdb::base::{Error, Result};
use kithdb::collection::CollectionConfig;
use kithdb::host::CollectionHandle;
use kithdb::text::{Language, TextFields, TextSpec};
use kithdb::vectors::{Metric, Stored};
use kithdb::wire::parse;
use serde::{Deserialize, Serialize};

use super::auto_links::AutoLinkBody;
use super::maintenance::MaintenanceBody;
use super::memory::MemoryBody;
use super::{ok, refuse};
use crate::http::{App, BODY_BYTES_MAX, Caller, JsonBody, NoBody, PathOf, Problem, unless_dropped};

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct CreateBody {
    index_name: String,
    metric: String,
    m: u32,
    ef_construction: u32,
    precision: String,
    text_language: String,
    maintenance: Option<MaintenanceBody>,
    auto_links: Option<Vec<AutoLinkBody>>,
    memory_config: Option<MemoryBody>,
}

impl Default for CreateBody {
    fn default() -> Self {
        Self {
            index_name: String::new(),
            metric: "euclidean".to_owned(),
            m: 0,
            ef_construction: 0,
            precision: "float32".to_owned(),
            text_language: String::new(),
            maintenance: None,
            auto_links: None,
            memory_config: None,
        }
    }
}

#[derive(Serialize)]
struct IndexAnswer {
    name: String,
    metric: &'static str,
    precision: &'static str,
    m: u32,
    ef_construction: u32,
    vector_count: usize,
    text_language: &'static str,
}

pub async fn create(
    State(app): State<App>,
    JsonBody(body): JsonBody<BODY_BYTES_MAX>,
) -> Result<Response, Problem> {
    app.ok(move |db| {
        let body: CreateBody = parse(&body)?;
        let config = config(&body)?;
        db.create(&body.index_name, config)?;
        Ok::<_, Problem>(ok(Some("Index created")))
    })
    .await
}

pub async fn list(State(app): State<App>, caller: Caller) -> Result<Response, Problem> {
    app.ok(move |db| {
        let names = db.names()?.into_iter().filter(|name| caller.may_use(name));
        let open = names.filter_map(|name| db.collection(&name).ok());
        open.filter_map(|collection| unless_dropped(answer(&collection))).collect::<Result<Vec<_>, Problem>>()
    })
    .await
}

pub async fn info(State(app): State<App>, PathOf(name): PathOf<String>) -> Result<Response, Problem> {
    app.ok(move |db| answer(&*db.collection(&name)?)).await
}

pub async fn remove(
    State(app): State<App>,
    PathOf(name): PathOf<String>,
    _: NoBody,
) -> Result<StatusCode, Problem> {
    app.run(move |db| db.drop_collection(&name)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Its names of stored forms.
const PRECISIONS: [(Stored, &str); 3] =
    [(Stored::F32, "float32"), (Stored::F16, "float16"), (Stored::Int8, "int8")];

fn precision_of(stored: Stored) -> &'static str {
    PRECISIONS.into_iter().find(|(form, _)| *form == stored).map_or("float32", |(_, name)| name)
}

fn config(body: &CreateBody) -> Result<CollectionConfig, Problem> {
    if body.index_name.is_empty() {
        return Err(refuse("index_name required"));
    }
    let text = match body.text_language.as_str() {
        "" => None,
        name => {
            let got = || kithdb::base::ids::shorten(name);
            let language = Language::parse(name)
                .ok_or_else(|| Error::parameter("text_language", got(), Language::NAMES))?;
            Some(TextSpec::new(language, TextFields::All))
        }
    };
    let precision = body.precision.as_str();
    let stored = PRECISIONS.into_iter().find(|(_, name)| *name == precision).map(|(stored, _)| stored);
    let got = || kithdb::base::ids::shorten(precision);
    let stored = stored.ok_or_else(|| Error::parameter("precision", got(), "float32, float16 or int8"))?;
    let defaults = CollectionConfig::default();
    let mut settings = defaults.settings;
    if let Some(maintenance) = &body.maintenance {
        settings.maintenance = maintenance.change(settings.maintenance)?;
    }
    if let Some(rules) = &body.auto_links {
        settings.auto_links = rules.iter().map(AutoLinkBody::rule).collect();
    }
    if let Some(memory) = &body.memory_config {
        settings.decay = memory.decay()?;
    }
    let or_default = |given: u32, default: u32| if given == 0 { default } else { given };
    Ok(CollectionConfig {
        metric: Metric::parse(&body.metric)?,
        stored,
        settings,
        text,
        links_max: or_default(body.m, defaults.links_max),
        ef_construction: or_default(body.ef_construction, defaults.ef_construction),
        ..defaults
    })
}

fn answer(collection: &CollectionHandle) -> Result<IndexAnswer> {
    let info = collection.info()?;
    Ok(IndexAnswer {
        name: info.name,
        metric: info.config.metric.name(),
        precision: precision_of(info.config.stored),
        m: info.config.links_max,
        ef_construction: info.config.ef_construction,
        vector_count: info.stats.documents,
        text_language: info.config.text.map_or("", |text| text.language.name()),
    })
}
