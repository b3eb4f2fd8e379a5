//! Edges into other collections: every reading of the graph against a naive history of several collections, at any moment and
//! in any layout; and that only what is touched is opened.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use kithdb::base::{ManualClock, Rng};
use kithdb::collection::{
    CollectionConfig, Document, FoundTree, GraphAnswer, GraphOptions, GraphQuestion, History, LinkRequest,
    Mutation, SearchRequest, UnlinkRequest, Ways,
};
use kithdb::engine::JobKind;
use kithdb::host::{Among, Db, Options};

const SEEDS: u64 = 40;
const OPS: usize = 40;
const COLLECTIONS: [&str; 3] = ["a", "b", "c"];
/// The third is read by nobody who asks.
const READABLE: [&str; 2] = ["a", "b"];
/// Between two writes. Documents expire at a quarter of it, and moments that are asked for are in the middle.
const TICK: i64 = 1_000;

/// A collection and an id in it.
type Node = (String, String);

struct Kept {
    collection: String,
    source: String,
    relation: String,
    target: String,
    from: i64,
    until: i64,
}

#[derive(Default)]
struct Model {
    /// When each version of a document is there.
    documents: BTreeMap<Node, Vec<(i64, i64)>>,
    edges: Vec<Kept>,
    dropped: BTreeSet<String>,
}

fn split(name: &str) -> Option<(&str, &str)> {
    name.split_once("::")
}

impl Model {
    fn has_document(&self, collection: &str, id: &str, time: i64) -> bool {
        let versions = self.documents.get(&(collection.to_owned(), id.to_owned()));
        versions.into_iter().flatten().any(|(from, until)| *from <= time && time < *until)
    }

    /// Whether an edge is there by what its own collection knows.
    fn is_there(&self, edge: &Kept, time: i64) -> bool {
        let went = |id: &String| {
            let versions = self.documents.get(&(edge.collection.clone(), id.clone()));
            // An upsert begins where the version before ends: nothing went.
            let goes_on = |end: i64| versions.into_iter().flatten().any(|(from, _)| *from == end);
            versions.into_iter().flatten().any(|(_, end)| edge.from < *end && *end <= time && !goes_on(*end))
        };
        edge.from <= time && time < edge.until && !went(&edge.source) && !went(&edge.target)
    }

    fn locate(&self, collection: &str, name: &str, time: i64) -> Option<Node> {
        let own = Some((collection.to_owned(), name.to_owned()));
        let Some((other, id)) = split(name).filter(|(other, _)| *other != collection) else { return own };
        if self.has_document(collection, name, time) {
            return own;
        }
        if !READABLE.contains(&other) || self.dropped.contains(other) {
            return None;
        }
        let is_its_own =
            split(id).is_none_or(|(named, _)| named == other) || self.has_document(other, id, time);
        is_its_own.then(|| (other.to_owned(), id.to_owned()))
    }

    /// Whether a collection has a document or an edge of an id.
    fn has(&self, (collection, id): &Node, time: i64) -> bool {
        let names =
            |edge: &Kept| edge.collection == *collection && (edge.source == *id || edge.target == *id);
        self.has_document(collection, id, time)
            || self.edges.iter().any(|edge| names(edge) && self.is_there(edge, time))
    }

    fn told(asked: &str, (collection, id): &Node) -> String {
        if collection == asked { id.clone() } else { format!("{collection}::{id}") }
    }

    /// The edges at a node and what they lead to: source, relation, target, and the other end.
    fn around(&self, asked: &str, node: &Node, out: bool, time: i64) -> Vec<([String; 3], Node)> {
        let mut found = Vec::new();
        let told = Self::told(asked, node);
        let mut keepers = vec![(asked, told)];
        if node.0 != asked {
            keepers.push((&node.0, node.1.clone()));
        }
        for (keeper, name) in keepers {
            if self.locate(keeper, &name, time).as_ref() != Some(node) {
                continue;
            }
            for edge in
                self.edges.iter().filter(|edge| edge.collection == keeper && self.is_there(edge, time))
            {
                let (near, far) =
                    if out { (&edge.source, &edge.target) } else { (&edge.target, &edge.source) };
                let Some(far) = self.locate(keeper, far, time).filter(|_| *near == name) else { continue };
                if far.0 != keeper && !self.has(&far, time) {
                    continue;
                }
                let (near, other) = (Self::told(asked, node), Self::told(asked, &far));
                let ends = if out { [near, other] } else { [other, near] };
                let [source, target] = ends;
                found.push(([source, edge.relation.clone(), target], far));
            }
        }
        found
    }

    fn distances(&self, asked: &str, from: &Node, ways: Ways, time: i64) -> BTreeMap<Node, usize> {
        let mut found = BTreeMap::from([(from.clone(), 0)]);
        let mut queue = VecDeque::from([from.clone()]);
        while let Some(node) = queue.pop_front() {
            let depth = found[&node] + 1;
            for out in [true, false] {
                if ways == Ways::Out && !out || ways == Ways::In && out {
                    continue;
                }
                for (_, far) in self.around(asked, &node, out, time) {
                    if !found.contains_key(&far) {
                        found.insert(far.clone(), depth);
                        queue.push_back(far);
                    }
                }
            }
        }
        found
    }
}

struct Run {
    rng: Rng,
    clock: Arc<ManualClock>,
    db: Db,
    model: Model,
    now: i64,
}

impl Run {
    fn new(seed: u64) -> Self {
        let clock = Arc::new(ManualClock::at(TICK));
        let options =
            Options { clock: Arc::clone(&clock) as _, auto_jobs: false, threads: 1, ..Options::default() };
        let db = Db::in_memory(options).expect("memory is there");
        for name in COLLECTIONS {
            let config = CollectionConfig { history: History::Forever, ..CollectionConfig::default() };
            db.create(name, config).expect("made");
        }
        Self { rng: Rng::new(seed), clock, db, model: Model::default(), now: TICK }
    }

    fn pick<'n>(&mut self, names: &[&'n str]) -> &'n str {
        names[self.rng.below(names.len() as u64) as usize]
    }

    /// An end: of this collection or of another, which may be none.
    fn name(&mut self) -> String {
        let id = self.pick(&["x", "y", "z", "w"]);
        match self.rng.below(8) {
            0..4 => id.to_owned(),
            4..7 => format!("{}::{id}", self.pick(&COLLECTIONS)),
            _ => ["b::c::x", "none::x", "a::x"][self.rng.below(3) as usize].to_owned(),
        }
    }

    fn write(&mut self) {
        self.clock.advance(TICK);
        self.now += TICK;
        let collection = self.pick(&COLLECTIONS).to_owned();
        if self.model.dropped.contains(&collection) {
            return;
        }
        if collection == "b" && self.rng.below(80) == 0 {
            self.db.drop_collection("b").expect("dropped");
            self.model.dropped.insert(collection);
            return;
        }
        let now = self.now;
        let mutation = match self.rng.below(10) {
            0..3 => {
                // Now and then one whose very id looks like an end elsewhere.
                let id =
                    if self.rng.below(6) == 0 { self.name() } else { self.pick(&["x", "y", "z"]).to_owned() };
                let expires =
                    (self.rng.below(4) == 0).then(|| now + TICK * self.rng.below(6) as i64 + TICK / 4);
                let versions = self.model.documents.entry((collection.clone(), id.clone())).or_default();
                versions.iter_mut().for_each(|(_, until)| *until = (*until).min(now));
                versions.push((now, expires.unwrap_or(i64::MAX)));
                Mutation::Upsert(Document { id, expires_at: expires, ..Document::default() })
            }
            3 => {
                let id = self.pick(&["x", "y", "z"]).to_owned();
                let versions = self.model.documents.entry((collection.clone(), id.clone())).or_default();
                versions.iter_mut().for_each(|(_, until)| *until = (*until).min(now));
                Mutation::Delete(id)
            }
            kind => {
                let (source, target) = (self.name(), self.name());
                if source == target {
                    return;
                }
                let relation = self.pick(&["near", "far"]).to_owned();
                let model = &mut self.model;
                let is_own = |edge: &Kept| {
                    (&edge.collection, &edge.source, &edge.relation, &edge.target)
                        == (&collection, &source, &relation, &target)
                };
                if kind == 4 {
                    model.edges.iter_mut().filter(|e| is_own(e)).for_each(|e| e.until = e.until.min(now));
                    Mutation::Unlink(UnlinkRequest { source, relation, target, inverse: None, erase: false })
                } else {
                    if !model.edges.iter().any(|edge| is_own(edge) && model.is_there(edge, now)) {
                        let (collection, until) = (collection.clone(), i64::MAX);
                        let ends = (source.clone(), relation.clone(), target.clone());
                        let (source, relation, target) = ends;
                        model.edges.push(Kept { collection, source, relation, target, from: now, until });
                    }
                    let (inverse, weight, properties) = (None, 1.0, kithdb::base::Object::new());
                    Mutation::Link(LinkRequest { source, relation, target, inverse, weight, properties })
                }
            }
        };
        let handle = self.db.collection(&collection).expect("open");
        handle.write(vec![mutation], None).expect("stored");
        if self.rng.below(6) == 0 {
            handle.run(JobKind::Seal).expect("sealed");
        }
        if self.rng.below(12) == 0 {
            handle.run(JobKind::Merge).expect("merged");
        }
    }

    fn ask(&self, asked: &str, question: &GraphQuestion, options: &GraphOptions) -> GraphAnswer {
        let readable = |name: &str| READABLE.contains(&name);
        let handle = self.db.collection(asked).expect("open");
        let found =
            handle.ask_graph_among(Some(Among::Those(&readable)), question, options).expect("answered");
        assert!(!found.truncated);
        found
    }

    fn look(&mut self) {
        self.clock.advance(TICK / 2);
        let middle = self.now + TICK / 2;
        let as_of = match self.rng.below(2) {
            0 => None,
            _ => Some(TICK * self.rng.below((self.now / TICK) as u64 + 1) as i64 + TICK / 2),
        };
        let time = as_of.unwrap_or(middle);
        let ways = [Ways::Out, Ways::In, Ways::Both][self.rng.below(3) as usize];
        let options = GraphOptions { as_of, hydrate: true, ways, ..GraphOptions::default() };
        for asked in ["a", "b"].into_iter().filter(|name| !self.model.dropped.contains(*name)) {
            for name in ["x", "y", "z", "w", "a::x", "b::x", "b::y", "c::x", "b::c::x", "none::x"] {
                self.edges(asked, name, &options, time);
                self.around(asked, name, &options, time);
            }
        }
        self.clock.advance(-TICK / 2);
    }

    /// The node that is asked for, where it is one.
    fn root(&self, asked: &str, name: &str, time: i64) -> Option<Node> {
        let node = self.model.locate(asked, name, time)?;
        (node.0 == asked || self.model.has(&node, time)).then_some(node)
    }

    fn edges(&self, asked: &str, name: &str, options: &GraphOptions, time: i64) {
        let question = GraphQuestion::Edges { id: name.to_owned(), history: false };
        let found = self.ask(asked, &question, options);
        let (mut expected, mut ends) = (Vec::new(), BTreeSet::new());
        for out in [true, false] {
            let is_asked = options.ways == Ways::Both || (options.ways == Ways::Out) == out;
            if let Some(node) = self.root(asked, name, time).filter(|_| is_asked) {
                for (edge, far) in self.model.around(asked, &node, out, time) {
                    expected.push(edge);
                    ends.insert((Model::told(asked, &far), self.model.has_document(&far.0, &far.1, time)));
                }
            }
        }
        let told = |edge: &kithdb::collection::FoundEdge| {
            [edge.source.clone(), edge.relation.clone(), edge.target.clone()]
        };
        let mut edges: Vec<_> = found.edges.iter().map(told).collect();
        edges.sort();
        expected.sort();
        let at = format!("{asked}: {name} {:?} as of {:?}", options.ways, options.as_of);
        assert_eq!(edges, expected, "{at}");
        let hydrated: BTreeSet<_> =
            found.nodes.iter().map(|node| (node.id.clone(), node.row.is_some())).collect();
        assert_eq!(hydrated, ends, "{at}");
    }

    fn around(&self, asked: &str, name: &str, options: &GraphOptions, time: i64) {
        let root = self.root(asked, name, time);
        let all = root.as_ref().map(|node| self.model.distances(asked, node, options.ways, time));
        let all = all.unwrap_or_default();
        // A document that hides one elsewhere has the same name.
        let near = |depth: usize| -> BTreeSet<(String, usize)> {
            let told = all.iter().map(|(node, distance)| (Model::told(asked, node), *distance));
            told.filter(|(_, distance)| *distance <= depth).chain([(name.to_owned(), 0)]).collect()
        };
        let depth = 1 + (time / TICK) as usize % 4;
        let at = format!("{asked}: around {name} {:?} {depth} deep as of {:?}", options.ways, options.as_of);
        let question = GraphQuestion::Subgraph { ids: vec![name.to_owned()], guide: None, with_edges: true };
        let found = self.ask(asked, &question, &GraphOptions { depth: Some(depth), ..options.clone() });
        let nodes: BTreeSet<_> = found.nodes.iter().map(|node| (node.id.clone(), node.depth)).collect();
        assert_eq!(nodes, near(depth), "{at}");
        let mut once: Vec<_> =
            found.edges.iter().map(|e| (&e.source, &e.relation, &e.target, e.created)).collect();
        let count = once.len();
        once.sort();
        once.dedup();
        assert_eq!(once.len(), count, "{at}: each edge once");
        for target in ["z", "b::z", "a::x"] {
            let (source, to) = (name.to_owned(), target.to_owned());
            let there = self.root(asked, target, time).and_then(|node| all.get(&node).copied());
            let expected = if source == target { Some(0) } else { there };
            for weighted in [false, true] {
                let question = GraphQuestion::Path { source: source.clone(), target: to.clone(), weighted };
                let found = self.ask(asked, &question, &GraphOptions { depth: Some(32), ..options.clone() });
                assert_eq!(found.cost, expected.map(|cost| cost as f64), "{at}: to {target}");
            }
        }
        if options.ways == Ways::Out {
            let question = GraphQuestion::Traverse { id: name.to_owned(), paths: vec!["**".to_owned()] };
            let found = self.ask(asked, &question, &GraphOptions { depth: Some(depth), ..options.clone() });
            let (mut ids, tree) = (BTreeSet::new(), found.tree.expect("a tree"));
            fn all(tree: &FoundTree, ids: &mut BTreeSet<String>) {
                ids.insert(tree.node.id.clone());
                tree.connections.iter().flat_map(|(_, trees)| trees).for_each(|tree| all(tree, ids));
            }
            all(&tree, &mut ids);
            let expected: BTreeSet<String> = near(depth).into_iter().map(|(id, _)| id).collect();
            assert_eq!(ids, expected, "{at}");
        }
    }
}

#[test]
fn edges_into_other_collections_are_followed_as_a_naive_history_says() {
    for seed in 0..SEEDS {
        let mut run = Run::new(seed);
        for _ in 0..OPS {
            run.write();
            if run.rng.below(4) == 0 {
                run.look();
            }
        }
        run.look();
    }
}

fn link(db: &Db, name: &str, [source, target]: [&str; 2]) {
    let (source, target) = (source.to_owned(), target.to_owned());
    let (relation, inverse, weight, properties) = ("to".to_owned(), None, 1.0, kithdb::base::Object::new());
    let link = Mutation::Link(LinkRequest { source, relation, target, inverse, weight, properties });
    db.collection(name).expect("open").write(vec![link], None).expect("stored");
}

/// Whoever follows an edge opens the collection that it leads to, and no other; and as many as a question may.
#[test]
fn only_collections_that_are_come_to_are_opened() {
    let folder = tempfile::tempdir().expect("a folder");
    let names: Vec<String> = (0..300).map(|i| format!("c{i}")).collect();
    {
        let db = Db::open(folder.path(), Options::default()).expect("opens");
        for name in &names {
            db.create(name, CollectionConfig::default()).expect("made");
        }
        link(&db, "c0", ["x", "c1::y"]);
        link(&db, "c1", ["y", "c2::z"]);
        for name in &names[2..] {
            link(&db, name, ["z", "w"]);
            link(&db, "c1", ["many", &format!("{name}::z")]);
        }
    }
    let options = Options { auto_jobs: false, ..Options::default() };
    let db = Db::open(folder.path(), options).expect("opens");
    let opened = || -> BTreeSet<String> {
        db.opened().expect("open").iter().map(|handle| handle.name().to_owned()).collect()
    };
    let ask = |name: &str, id: &str, depth| {
        let question = GraphQuestion::Subgraph { ids: vec![id.to_owned()], guide: None, with_edges: true };
        let options = GraphOptions { depth: Some(depth), ..GraphOptions::default() };
        let handle = db.collection(name).expect("open");
        handle.ask_graph_among(Some(Among::All), &question, &options).expect("answered")
    };
    let found = ask("c0", "x", 2);
    let ids: Vec<&str> = found.nodes.iter().map(|node| &*node.id).collect();
    assert_eq!(ids, ["x", "c1::y", "c2::z"]);
    assert_eq!(opened(), ["c0", "c1", "c2"].map(str::to_owned).into());
    let handle = db.collection("c0").expect("open");
    let alone = handle.ask_graph(
        &GraphQuestion::Edges { id: "x".to_owned(), history: false },
        &GraphOptions { hydrate: true, ..GraphOptions::default() },
    );
    assert_eq!(alone.expect("answered").nodes[0].row, None, "nobody asked for others");
    // More than one question opens are told of.
    let many = ask("c1", "many", 1);
    assert!(many.truncated);
    assert_eq!(many.nodes.len(), 1 + 256);
    assert_eq!(opened().len(), 1 + 1 + 256);
    let found = handle.search_among(Some(Among::All), SearchRequest::default()).expect("answered");
    assert!(found.hits.is_empty());
}
