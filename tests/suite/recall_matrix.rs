//! Recall of every metric with every stored form and every kind of codes through a collection's life: fresh, opened
//! again, replayed from its log, with documents replaced, with half of them deleted, and after a vacuum.
//!
//! What is right are the ten nearest by the vectors as they were given, so that what a stored form loses counts too. The
//! browser module writes the same bytes (`golden`), and so finds the same.

use kithdb::base::{Object, Rng};
use kithdb::collection::{CollectionConfig, Document, Maintenance, Mutation, SearchRequest, Settings};
use kithdb::engine::JobKind;
use kithdb::segment::Scratch;
use kithdb::storage::Level;
use kithdb::vectors::{Coding, Metric, PreparedQuery, Stored, inverse_norm};

use crate::life::Life;

/// Enough dimensions for bits, and components that two dozen numbers decide, as those of embeddings.
const DIM: usize = 64;
const DECIDING: usize = 24;
/// Enough for links to be followed by a search of this width.
const DOCUMENTS: u64 = 4_600;
const EF: usize = 80;
const QUERIES: u64 = 30;

/// The least recall of these codes, where links are followed and where they are not.
fn floors(codes: Coding) -> (f64, f64) {
    match codes {
        Coding::Int8 => (0.985, 0.995),
        Coding::Bits => (0.90, 0.985),
        Coding::Pq | Coding::Opq => (0.98, 0.995),
    }
}

/// What a stored form may lose of that.
fn lost(stored: Stored) -> f64 {
    match stored {
        Stored::F32 => 0.0,
        Stored::F16 => 0.005,
        Stored::Int8 => 0.015,
    }
}

fn vector(seed: u64) -> Vec<f32> {
    let numbers = |seed, count| {
        let mut rng = Rng::new(seed);
        (0..count).map(|_| rng.unit_f32() - 0.5).collect::<Vec<f32>>()
    };
    let (deciding, map) = (numbers(seed, DECIDING), numbers(1, DIM * DECIDING));
    let rows = map.chunks_exact(DECIDING);
    rows.map(|row| row.iter().zip(&deciding).map(|(a, b)| a * b).sum::<f32>() + 0.05).collect()
}

/// A collection, and what was given of each document that is there.
struct Case {
    life: Life,
    metric: Metric,
    given: Vec<Option<Vec<f32>>>,
    name: String,
}

impl Case {
    fn new(metric: Metric, stored: Stored, codes: Coding) -> Self {
        let maintenance = Maintenance { vacuum_interval: 0, ..Maintenance::default() };
        let settings = Settings { maintenance, codes, ..Settings::default() };
        let config =
            CollectionConfig { metric, stored, ef_construction: 40, settings, ..CollectionConfig::default() };
        let name = format!("{metric:?}, {stored:?}, {codes:?}");
        Self { life: Life::new(config), metric, given: vec![None; DOCUMENTS as usize], name }
    }

    fn put(&mut self, numbers: impl Iterator<Item = u64>, seed: u64) {
        let documents = numbers.map(|n| {
            let vector = vector(seed + n);
            self.given[n as usize] = Some(vector.clone());
            let (id, metadata) = (format!("d{n}"), Object::default());
            Mutation::Upsert(Document { id, vector: Some(vector), metadata, expires_at: None })
        });
        let batch = documents.collect();
        self.life.collection.submit(batch, Level::Always).expect("stored");
    }

    fn delete(&mut self, numbers: impl Iterator<Item = u64>) {
        let gone = numbers.map(|n| {
            self.given[n as usize] = None;
            Mutation::Delete(format!("d{n}"))
        });
        let batch = gone.collect();
        self.life.collection.submit(batch, Level::Always).expect("stored");
    }

    /// The ids of the ten nearest by what was given.
    fn nearest(&self, query: &[f32]) -> Vec<String> {
        let query = PreparedQuery::new(self.metric, query);
        let there = self.given.iter().enumerate().filter_map(|(n, vector)| Some((n, vector.as_ref()?)));
        let mut all: Vec<(f32, usize)> =
            there.map(|(n, vector)| (query.distance(vector, inverse_norm(vector)), n)).collect();
        all.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        all[..10].iter().map(|(_, n)| format!("d{n}")).collect()
    }

    fn recall(&self) -> f64 {
        let view = self.life.view();
        let (moment, mut scratch, mut right) = (view.moment(None, 5).expect("now"), Scratch::default(), 0);
        for at in 0..QUERIES {
            let query = vector(77_000_000_000 + at);
            let truth = self.nearest(&query);
            let request = SearchRequest { vector: Some(query), ef: Some(EF), ..SearchRequest::default() };
            let hits = view.search(&request, moment, &mut scratch).expect("sound").hits;
            assert_eq!(hits.len(), 10, "{}", self.name);
            right += hits.iter().filter(|hit| truth.contains(&hit.id)).count();
        }
        right as f64 / (QUERIES * 10) as f64
    }

    fn hold(&self, at: &str, floor: f64) {
        let recall = self.recall();
        assert!(recall >= floor, "{} {at}: {recall}, at least {floor}", self.name);
    }
}

/// Every metric with every kind of codes that serves it.
fn serving() -> impl Iterator<Item = (Metric, Coding)> {
    let all = Metric::ALL.into_iter().flat_map(|metric| Coding::ALL.map(|coding| (metric, coding)));
    all.filter(|(metric, coding)| coding.check(*metric).is_ok())
}

fn live(metric: Metric, stored: Stored, codes: Coding) {
    let (by_links, exactly) = floors(codes);
    let (by_links, exactly) = (by_links - lost(stored), exactly - lost(stored));
    let mut case = Case::new(metric, stored, codes);
    case.put(0..DOCUMENTS, 0);
    case.life.reopen();
    case.hold("replayed", exactly);
    assert!(case.life.run(JobKind::Optimize));
    case.hold("fresh", by_links);
    let fresh = case.recall();
    case.life.reopen();
    assert_eq!(case.recall(), fresh, "{} opened again", case.name);
    case.put((0..DOCUMENTS).filter(|n| n % 5 == 0), 1_000_000);
    assert!(case.life.run(JobKind::Seal));
    case.hold("replaced a fifth", exactly);
    assert!(case.life.run(JobKind::Merge));
    case.hold("merged", by_links);
    case.delete((0..DOCUMENTS).filter(|n| n % 2 == 0));
    case.hold("deleted a half", exactly);
    assert!(case.life.run(JobKind::Seal), "what was deleted reaches the blobs");
    assert!(case.life.run(JobKind::Vacuum));
    case.hold("after a vacuum", exactly);
}

/// Every two of metric, form and codes meet: with four metrics, three forms and four kinds of codes.
#[test]
fn recall_holds_for_every_pair_through_a_life() {
    // The one pair that the turn below leaves out.
    live(Metric::Manhattan, Stored::F32, Coding::Int8);
    for (metric, codes) in serving() {
        let form = (usize::from(metric.tag()) + usize::from(codes.tag())) % Stored::ALL.len();
        live(metric, Stored::ALL[form], codes);
    }
}

#[test]
#[ignore = "takes a minute or two: npm run prove -- recall-matrix"]
fn recall_holds_for_every_metric_form_and_codes() {
    let mut cells = 0;
    for (metric, codes) in serving() {
        for stored in Stored::ALL {
            live(metric, stored, codes);
            cells += 7;
        }
    }
    println!("counted: recall-matrix cells={cells} below=0");
}
