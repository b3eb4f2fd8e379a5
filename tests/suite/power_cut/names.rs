//! Collections that are made, filled and dropped meanwhile: an answered create stays, and so does an answered drop.

use std::sync::atomic::Ordering;

use kithdb::host::Db;
use kithdb_tests::block_disk::PowerCut;
use serde_json::json;

use super::Load;
use super::history::Stamp;

/// What such a collection is called first.
pub const PREFIX: &str = "brief";

/// When something was sent and answered.
#[derive(Debug, Clone, Copy)]
pub struct Done {
    sent: Stamp,
    answered: Stamp,
}

/// The life of a collection.
#[derive(Debug)]
pub struct Brief {
    name: String,
    made: Done,
    /// A document was stored at level `always`.
    filled: Done,
    dropped: Option<Done>,
}

impl Done {
    fn is_promised(&self, cut: &PowerCut) -> bool {
        self.answered.position <= cut.position
    }

    fn may_be(&self, cut: &PowerCut) -> bool {
        self.sent.position <= cut.position
    }
}

/// Makes collections until it is stopped, and drops most of them.
pub fn come_and_go(load: &Load<'_>) -> Vec<Brief> {
    let mut briefs = Vec::new();
    while !load.stopped() {
        let name = format!("{PREFIX}{}", briefs.len());
        let done = |method: &str, path: &str, body: &serde_json::Value| {
            let sent = load.stamp();
            load.server.ask(method, path, Some(body)).unwrap_or_else(|e| panic!("{method} {path}: {e:?}"));
            Done { sent, answered: load.stamp() }
        };
        let path = format!("/v1/collections/{name}");
        let made = done("POST", "/v1/collections", &json!({ "name": name }));
        let body = json!({ "documents": [{ "id": "d" }], "durability": "always" });
        let filled = done("POST", &format!("{path}/documents"), &body);
        let dropped = (briefs.len() % 8 > 0).then(|| done("DELETE", &path, &json!({})));
        briefs.push(Brief { name, made, filled, dropped });
        load.names.fetch_add(1, Ordering::Relaxed);
        std::thread::sleep(std::time::Duration::from_millis(40));
    }
    briefs
}

/// What is wrong with the names of a database after a power cut; so many answers were promised to stay.
pub fn check(db: &Db, briefs: &[Brief], cut: &PowerCut) -> Result<(u64, Vec<String>), String> {
    let names = db.names().map_err(|e| e.to_string())?;
    let (mut promised, mut wrong) = (0, Vec::new());
    for brief in briefs {
        let is_there = names.contains(&brief.name);
        let is_gone = brief.dropped.is_some_and(|dropped| dropped.is_promised(cut));
        let may_be_gone = brief.dropped.is_some_and(|dropped| dropped.may_be(cut));
        promised += u64::from(is_gone || brief.made.is_promised(cut));
        if is_there && (is_gone || !brief.made.may_be(cut)) {
            wrong.push(format!("{} is there, though it was dropped or not made yet", brief.name));
        }
        if !is_there && brief.made.is_promised(cut) && !may_be_gone {
            wrong.push(format!("{} was made and is gone", brief.name));
        }
        if is_there {
            let collection = db.collection(&brief.name).map_err(|e| format!("{}: {e}", brief.name))?;
            let found = collection.get("d", None).map_err(|e| format!("{}: {e}", brief.name))?.is_some();
            let is_right = if found { brief.filled.may_be(cut) } else { !brief.filled.is_promised(cut) };
            if !is_right {
                wrong.push(format!("{}: its document is there: {found}", brief.name));
            }
        }
    }
    let is_known =
        |name: &String| !name.starts_with(PREFIX) || briefs.iter().any(|brief| brief.name == *name);
    wrong.extend(names.iter().filter(|name| !is_known(name)).map(|name| format!("nobody made {name}")));
    Ok((promised, wrong))
}
