//! The rules of the model: what the metadata of its documents names, and what writing them makes and ends.

use kithdb::base::value::parse_object;
use kithdb::base::{Clock, NEVER, Object, Rng, Value};
use kithdb::collection::{AutoLink, Document, Mutation, Relinking, Settings};
use kithdb::storage::Level;

use super::edges::EdgeVersion;
use super::{MADE, Model, Run, Version, settle};

/// Some of all rules there are; their relations are those of edges made by hand.
pub fn some(rng: &mut Rng) -> Vec<AutoLink> {
    let rule = |field: &str, relation: &str, inverse: Option<&str>, creates| AutoLink {
        field: field.to_owned(),
        relation: relation.to_owned(),
        inverse: inverse.map(str::to_owned),
        creates,
    };
    let all = [
        rule("to", "near", None, false),
        rule("to", "above", Some("far"), false),
        rule("by", "far", Some("far"), true),
        rule("deep.in", "near", Some("above"), true),
    ];
    all.into_iter().filter(|_| rng.below(3) > 0).collect()
}

/// An edge by its ends and its relation.
type Triple = (String, String, String);

impl Model {
    /// The metadata of the document that is there at a time.
    pub fn metadata_at(&self, id: &str, time: i64) -> Option<Object> {
        let own = self.versions.iter().find(|v| v.id == id && v.is_at(time));
        own.map(|version| version.metadata.clone())
    }

    /// The edges that a document names, in order, and which end each rule makes.
    fn named(&self, id: &str, metadata: &Object) -> Vec<(Triple, Option<String>)> {
        let mut all: Vec<(Triple, Option<String>)> = Vec::new();
        for rule in &self.rules {
            let mut values = Vec::new();
            let value = match (rule.field.split_once('.'), metadata) {
                (None, fields) => fields.get(&rule.field),
                (Some((outer, inner)), fields) => match fields.get(outer) {
                    Some(Value::Object(fields)) => fields.get(inner),
                    _ => None,
                },
            };
            scalars(value, &mut values);
            for (_, other) in values.into_iter().filter(|(_, other)| !other.is_empty() && other != id) {
                let there = (id.to_owned(), rule.relation.clone(), other.clone());
                let back = rule.inverse.clone().map(|inverse| (other.clone(), inverse, id.to_owned()));
                let made = rule.creates.then(|| other.clone());
                for (triple, made) in
                    [Some((there, made)), back.map(|back| (back, None))].into_iter().flatten()
                {
                    match all.iter_mut().find(|(before, _)| *before == triple) {
                        Some((_, before)) => *before = before.take().or(made),
                        None => all.push((triple, made)),
                    }
                }
            }
        }
        all
    }

    /// What storing a document does to edges after its version began.
    pub fn follow(&mut self, id: &str, before: Option<Object>, to_come: &[&str], clock: i64) {
        let metadata = self.metadata_at(id, self.last).expect("it was stored a moment ago");
        let wanted = self.named(id, &metadata);
        let left = before.map(|before| self.named(id, &before)).unwrap_or_default();
        for (triple, _) in left {
            let other = if triple.0 == id { &triple.2 } else { &triple.0 };
            let there = self.metadata_at(other, self.next_time(clock));
            let theirs = there.map(|metadata| self.named(other, &metadata)).unwrap_or_default();
            if !wanted.iter().chain(&theirs).any(|(named, _)| *named == triple) {
                self.unlink((&triple.0, &triple.1, &triple.2), false, (clock, i64::MIN));
            }
        }
        self.make(wanted, to_come, clock);
    }

    fn make(&mut self, wanted: Vec<(Triple, Option<String>)>, to_come: &[&str], clock: i64) {
        for ((source, relation, target), made) in wanted {
            let from = self.next_time(clock);
            if let Some(id) = made
                && !to_come.contains(&id.as_str())
                && self.metadata_at(&id, from).is_none()
            {
                self.end(&id, from, true);
                self.versions.push(Version {
                    id,
                    from,
                    expires: NEVER,
                    ended: NEVER,
                    n: MADE,
                    words: Vec::new(),
                    vector: None,
                    metadata: Object::new(),
                });
            }
            self.link_where_none_is(EdgeVersion::plain(source, relation, target), clock);
        }
    }
}

/// The values that a field leads to, as text, in their order: `false`, `true`, numbers, text.
fn scalars(value: Option<&Value>, out: &mut Vec<((u8, i64), String)>) {
    match value {
        Some(Value::Array(items)) => items.iter().for_each(|item| scalars(Some(item), out)),
        Some(Value::Bool(is_true)) => out.push(((u8::from(*is_true), 0), is_true.to_string())),
        Some(Value::Int(n)) => out.push(((2, *n), n.to_string())),
        Some(Value::Str(text)) => out.push(((3, 0), text.clone())),
        _ => {}
    }
    out.sort();
    out.dedup();
}

impl Run {
    /// The id of a document to be stored and what rules find in it, with nothing that a bulk import is writing.
    pub fn planned(&mut self) -> (String, Object) {
        loop {
            let id = self.id();
            let fields: Vec<String> =
                ["to", "by"].iter().map(|name| format!(r#""{name}":{}"#, self.value())).collect();
            let json = format!(r#"{{{},"deep":{{"in":{}}}}}"#, fields.join(","), self.value());
            let metadata = parse_object(&json).expect("JSON");
            let document = Document { id: id.clone(), metadata: metadata.clone(), ..Document::default() };
            if !self.collection.is_loading(&[Mutation::Upsert(document)]) {
                return (id, metadata);
            }
        }
    }

    /// What may name documents, or may not.
    fn value(&mut self) -> String {
        match self.rng.below(9) {
            0 => "7".to_owned(),
            1 => r#"["id1",null,"",{"id":"id2"},["x1"],true]"#.to_owned(),
            2..5 => format!(r#"["id{}","id{}"]"#, self.rng.below(12), self.rng.below(12)),
            5 => format!(r#""x{}""#, self.rng.below(3)),
            6 => format!(r#""id{}""#, self.rng.below(12)),
            _ => "null".to_owned(),
        }
    }

    /// Other rules from now on.
    pub fn configure(&mut self) {
        let auto_links = some(&mut self.rng);
        self.model.rules.clone_from(&auto_links);
        let settings = Settings { auto_links, ..self.collection.reader().load().config.settings.clone() };
        self.collection.configure(settings, Level::Os).expect("sound rules");
        settle(&*self.collection.storage());
    }

    /// The rules are applied to all documents, while others write; then all that they name is there.
    pub fn relink(&mut self) {
        let mut work = Relinking::new(&self.collection.reader().load());
        loop {
            let (view, clock) = (self.collection.reader().load_full(), self.clock.now_ns());
            let budget = 1 + self.rng.below(4) as usize;
            let Some(batch) = work.step(&view, clock, budget).expect("sound") else { break };
            self.model.expire(clock);
            let before = self.model.last;
            for mutation in &batch {
                let Mutation::Relink { id, .. } = mutation else { panic!("{mutation:?}") };
                if let Some(metadata) = self.model.metadata_at(id, self.model.next_time(clock)) {
                    let wanted = self.model.named(id, &metadata);
                    self.model.make(wanted, &[], clock);
                }
            }
            let done = self.collection.submit(batch, Level::Os).expect("stored");
            assert_eq!(done.linked > 0, self.model.edges.iter().any(|edge| edge.is_from_after(before)));
            settle(&*self.collection.storage());
            if self.rng.below(4) == 0 {
                self.upsert();
                self.delete();
            }
        }
    }
}
