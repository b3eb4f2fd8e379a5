//! The core itself as a surface, through the host that Node and the server share.

use std::path::PathBuf;
use std::sync::Arc;

use kithdb::base::Error;
use kithdb::base::time::parse_time;
use kithdb::engine::JobKind;
use kithdb::host::{AddMode, Among, CollectionHandle, Db, Options, load_embedder};
use kithdb::storage::Level;
use kithdb::vectors::Coding;
use kithdb::wire::{
    ConfigureBody, CreateBody, DocumentAnswer, DocumentBody, ErrorAnswer, EstimateAnswer, EstimateBody,
    FiguresAnswer, GraphAsk, JobAnswer, KeysAnswer, KeysBody, LinksBody, RelinkAnswer, ScanAnswer,
    SearchAnswer, SearchBody, SearchesAnswer, SearchesBody, TouchesAnswer, UnlinksBody, VersionsAnswer,
    parse, parse_cursor,
};
use serde_json::{Value, json};

use crate::{Failure, Surface, part};

/// The core in this process.
#[derive(Default)]
pub struct CoreSurface {
    db: Option<Db>,
    /// Jobs run only when they are asked for.
    pub manual_jobs: bool,
}

impl Surface for CoreSurface {
    fn name(&self) -> &'static str {
        "core"
    }

    fn call(&mut self, op: &str, args: &Value) -> Result<Value, Failure> {
        self.dispatch(op, args).map_err(|error| {
            Failure::new(serde_json::to_value(ErrorAnswer::from(&error)).expect("a report is JSON"))
        })
    }
}

impl CoreSurface {
    /// The open database.
    ///
    /// # Panics
    /// Before `open`.
    #[must_use]
    pub fn db(&self) -> &Db {
        self.db.as_ref().expect("open comes first")
    }

    fn dispatch(&mut self, op: &str, args: &Value) -> Result<Value, Error> {
        match op {
            "open" => {
                let mut options = Options { auto_jobs: !self.manual_jobs, ..Options::default() };
                if let Some(folder) = args["embedder"].as_str() {
                    options.embedder = Some(load_embedder(&PathBuf::from(folder))?);
                }
                options.read_only = args["read_only"] == true;
                options.level = level(args)?.unwrap_or_default();
                let path = PathBuf::from(args["path"].as_str().expect("a path"));
                self.db = Some(Db::open(&path, options)?);
                Ok(json!({}))
            }
            "close" => {
                self.db().close()?;
                self.db = None;
                Ok(json!({}))
            }
            "create" => {
                let name = name(args);
                let body: CreateBody = parse(config(args).as_bytes())?;
                let config = body.config(name, self.db().embedder_ref())?;
                info(&*self.db().create(name, config)?)
            }
            "import" => {
                let bytes = std::fs::read(args["file"].as_str().expect("a file")).expect("readable");
                info(&*self.db().import(name(args), &bytes)?)
            }
            "drop" => self.db().drop_collection(name(args)).map(|()| json!({})),
            "collections" => {
                let db = self.db();
                let all: Result<Vec<_>, Error> =
                    db.names()?.iter().map(|name| info(&*db.collection(name)?)).collect();
                Ok(json!({ "collections": all? }))
            }
            "stats" => {
                let told = self.db().figures()?;
                let collections = told.iter().map(|(name, figures)| FiguresAnswer::new(name, figures));
                Ok(json!({ "collections": collections.collect::<Vec<_>>() }))
            }
            "kv_get" | "kv_set" | "kv_delete" | "kv_list" => on_keys(self.db(), op, args),
            _ => {
                let handle = self.db().collection(name(args))?;
                on_collection(&handle, op, args)
            }
        }
    }
}

fn on_graph(handle: &Arc<CollectionHandle>, op: &str, args: &Value) -> Result<Value, Error> {
    let text = part(args, &["edges", "durability"]).to_string();
    match op {
        "link" => {
            let (batch, level) = parse::<LinksBody<'_>>(text.as_bytes())?.batch()?;
            Ok(json!({ "linked": handle.write(batch, level)?.linked }))
        }
        "unlink" => {
            let (batch, level) = parse::<UnlinksBody>(text.as_bytes())?.batch()?;
            Ok(json!({ "unlinked": handle.write(batch, level)?.unlinked }))
        }
        verb => {
            let ask = GraphAsk::parse(verb, args["request"].to_string().as_bytes())?;
            Ok(json!(ask.answer(handle.ask_graph_among(Some(Among::All), &ask.question, &ask.options)?)))
        }
    }
}

fn on_collection(handle: &Arc<CollectionHandle>, op: &str, args: &Value) -> Result<Value, Error> {
    match op {
        "info" => info(handle),
        "add" => {
            let text = args["documents"].to_string();
            let bodies: Vec<DocumentBody<'_>> = parse(text.as_bytes())?;
            let documents = bodies
                .into_iter()
                .map(|body| body.document(handle.clock()))
                .collect::<Result<Vec<_>, _>>()?;
            let mode = if args["mode"] == "insert" { AddMode::Insert } else { AddMode::Upsert };
            let written = documents.len();
            let done = match args["bulk"] == true {
                true => handle.add_bulk(documents, mode)?,
                false => handle.add(documents, mode, level(args)?)?,
            };
            Ok(json!({ "written": written, "replaced": done.ended }))
        }
        "get" => {
            let rows = handle.get_many(&ids(args), moment(args)?)?;
            let documents = rows.iter().map(|row| row.as_deref().map(DocumentAnswer::from));
            Ok(json!({ "documents": documents.collect::<Vec<_>>() }))
        }
        "versions" => {
            let id = args["id"].as_str().expect("an id");
            Ok(json!(VersionsAnswer::from(&*handle.versions(id)?)))
        }
        "touch" => Ok(json!({ "touched": handle.touch(ids(args), level(args)?)?.touched })),
        "link" | "unlink" | "edges" | "traverse" | "subgraph" | "path" | "components" => {
            on_graph(handle, op, args)
        }
        "touches" => Ok(json!(TouchesAnswer::from(handle.touches(&ids(args))?))),
        "delete" => Ok(json!({ "deleted": handle.delete(ids(args), level(args)?)?.ended })),
        "search" | "search_many" => on_searches(handle, op, args),
        "scan" => {
            let cursor = args["cursor"].as_str().map(parse_cursor).transpose()?;
            let limit = args["limit"].as_u64().map_or(100, |limit| limit as usize);
            Ok(json!(ScanAnswer::from(&handle.scan(cursor, limit, moment(args)?)?)))
        }
        "job" => {
            let job = handle.job().map(|job| JobAnswer::new(job.kind.name(), job.progress));
            Ok(json!({ "job": job }))
        }
        "relink" => Ok(json!(RelinkAnswer::from(handle.relink()?))),
        "cancel_job" => Ok(json!({ "cancelled": handle.cancel_job() })),
        "estimate" => {
            let body: EstimateBody = parse(unnamed(args).to_string().as_bytes())?;
            Ok(json!(EstimateAnswer::from(handle.estimate(body.request())?)))
        }
        "compress" => {
            handle.compress(Coding::parse(args["codes"].as_str().expect("codes"))?)?;
            info(handle)
        }
        "configure" => {
            let body: ConfigureBody = parse(unnamed(args).to_string().as_bytes())?;
            handle.configure(|settings| body.change(settings), body.level()?)?;
            info(handle)
        }
        "export" => {
            std::fs::write(args["file"].as_str().expect("a file"), handle.export()?).expect("writable");
            Ok(json!({}))
        }
        kind => Ok(json!({ "done": handle.run(JobKind::parse(kind).expect("an operation"))? })),
    }
}

fn on_searches(handle: &CollectionHandle, op: &str, args: &Value) -> Result<Value, Error> {
    if op == "search" {
        let text = args["request"].to_string();
        let body: SearchBody = parse(text.as_bytes())?;
        return Ok(json!(SearchAnswer::from(handle.search_among(Some(Among::All), body.request()?)?)));
    }
    let text = part(args, &["searches"]).to_string();
    let requests = parse::<SearchesBody>(text.as_bytes())?.requests(None)?;
    Ok(json!(SearchesAnswer::from(handle.search_many_among(Some(Among::All), requests)?)))
}

/// The arguments but for the name of the collection.
fn unnamed(args: &Value) -> Value {
    let mut others = args.clone();
    others.as_object_mut().expect("an object").remove("name");
    others
}

fn on_keys(db: &Db, op: &str, args: &Value) -> Result<Value, Error> {
    let text = |name: &str| args[name].as_str().unwrap_or_else(|| panic!("{name} is a string"));
    Ok(match op {
        "kv_get" => json!({ "value": db.kv_get(text("key"))? }),
        "kv_set" => {
            json!({ "replaced": i32::from(db.kv_set(text("key"), text("value"), level(args)?)?) })
        }
        "kv_delete" => json!({ "deleted": i32::from(db.kv_delete(text("key"), level(args)?)?) }),
        _ => {
            let asked: KeysBody = parse(args.to_string().as_bytes())?;
            let page = db.kv_list(&asked.prefix, asked.cursor.as_deref(), asked.limit())?;
            json!(KeysAnswer::from(page))
        }
    })
}

fn info(handle: &CollectionHandle) -> Result<Value, Error> {
    let info = handle.info()?;
    Ok(json!(info.answer()))
}

fn moment(args: &Value) -> Result<Option<i64>, Error> {
    args["as_of"].as_str().map(|text| parse_time("as_of", text)).transpose()
}

fn level(args: &Value) -> Result<Option<Level>, Error> {
    let parse =
        |name: &str| Level::parse(name).ok_or_else(|| Error::parameter("durability", name, "a level"));
    args["durability"].as_str().map(parse).transpose()
}

fn name(args: &Value) -> &str {
    args["name"].as_str().expect("a name")
}

fn config(args: &Value) -> String {
    if args["config"].is_null() { "{}".to_owned() } else { args["config"].to_string() }
}

fn ids(args: &Value) -> Vec<String> {
    serde_json::from_value(args["ids"].clone()).expect("a list of ids")
}
