//! The index against an exact scan: recall, cost, filters, determinism, damage.

use super::*;
use crate::base::{Bitmap, Pool, Rng};
use crate::index::flat;
use crate::kernels::squared_l2_f32;
use crate::storage::{Blob, BlobId, BlobKind, Section};
use crate::vectors::{Scorer, Space};

/// f32 vectors under squared L2.
pub(super) struct Points(pub(super) Vec<Vec<f32>>);

pub(super) struct Point<'a>(pub(super) &'a Points, pub(super) &'a [f32]);

impl Scorer for Point<'_> {
    fn distance(&self, i: u32) -> f32 {
        squared_l2_f32(self.1, &self.0.0[i as usize])
    }
}

impl Space for Points {
    type OfOne<'a> = Point<'a>;

    fn len(&self) -> usize {
        self.0.len()
    }

    fn pair(&self, a: u32, b: u32) -> f32 {
        squared_l2_f32(&self.0[a as usize], &self.0[b as usize])
    }

    fn scorer_of(&self, i: u32) -> Point<'_> {
        Point(self, &self.0[i as usize])
    }
}

/// Points around a hundred centres, in the order of their centres: the worst order for batches.
pub(super) fn clustered(seed: u64, n: usize, dim: usize) -> Points {
    let mut centres = Rng::new(1);
    let mut noise = Rng::new(seed);
    let centres: Vec<Vec<f32>> = (0..100).map(|_| (0..dim).map(|_| centres.unit_f32()).collect()).collect();
    let near = |centre: &Vec<f32>, noise: &mut Rng| centre.iter().map(|x| x + noise.unit_f32()).collect();
    Points((0..n).map(|i| near(&centres[i * 100 / n], &mut noise)).collect())
}

pub(super) fn linked(points: &Points, params: HnswParams, pool: &Pool) -> Vec<Section> {
    build(points, params, pool, &mut |_, _| ()).expect("valid parameters")
}

pub(super) fn reopen(sections: &[Section]) -> Result<Hnsw> {
    let id = BlobId::new(1, 1, BlobKind::Links);
    Hnsw::open(&Blob::in_memory(id, sections)?)
}

pub(super) fn bytes(sections: Vec<Section>) -> Vec<Vec<u8>> {
    sections.into_iter().map(|section| section.bytes).collect()
}

pub(super) fn params(k: usize, ef: usize) -> SearchParams {
    SearchParams { ef, ..SearchParams::new(k) }
}

#[test]
fn recall_and_distances_per_query_stay_where_they_were_measured() {
    let (points, queries) = (clustered(2, 5000, 32), clustered(3, 200, 32));
    let index = reopen(&linked(&points, HnswParams::default(), &Pool::new(2))).expect("just built");
    let mut scratch = Scratch::new();
    let (mut right, mut visited) = (0, 0);
    for query in &queries.0 {
        let scorer = Point(&points, query);
        let found = index.search(&scorer, params(10, 64), None, &mut scratch, None);
        let exact = flat::search(&scorer, 5000, 10, None);
        right += exact.iter().filter(|hit| found.hits.contains(hit)).count();
        visited += found.visited;
        assert!(found.hits.is_sorted_by(|a, b| a.0 <= b.0) && !found.gave_up);
    }
    let recall = right as f64 / 2000.0;
    let evaluations = visited / 200;
    println!("recall {recall}, {evaluations} distances a query");
    assert!(recall >= RECALL_MIN, "recall {recall}");
    assert!(evaluations <= EVALUATIONS_MAX, "{evaluations} distances a query");
}

/// Measured with n 5000, dim 32, k 10, ef 64, seed 0: recall 0.998, 868 distances.
const RECALL_MIN: f64 = 0.99;
const EVALUATIONS_MAX: usize = 900;

#[test]
fn links_are_the_same_bytes_for_any_threads_and_any_pauses() {
    let points = clustered(2, 2000, 16);
    let params = HnswParams { links_max: 8, ef_construction: 40, seed: 7 };
    let alone = bytes(linked(&points, params, &Pool::single()));
    for threads in [2, 5] {
        assert_eq!(alone, bytes(linked(&points, params, &Pool::new(threads))), "{threads} threads");
    }
    let mut paused = Builder::new(2000, params).expect("valid");
    let mut steps = 1;
    while !paused.step(&points, &Pool::single(), 13) {
        steps += 1;
    }
    assert!(steps > 50);
    assert_eq!(alone, bytes(paused.sections()));
    let other_seed = HnswParams { seed: 8, ..params };
    assert_ne!(alone, bytes(linked(&points, other_seed, &Pool::single())));
}

/// Choosing a list anew may take the last way to a vector.
#[test]
fn every_vector_can_be_reached_in_what_was_built() {
    for (links_max, n) in [(2, 3000), (4, 3000), (16, 1500), (16, 1), (16, 0)] {
        let params = HnswParams { links_max, ef_construction: 30, seed: 7 };
        let index = reopen(&linked(&clustered(2, n, 6), params, &Pool::new(2))).expect("just built");
        assert_eq!(index.unreachable(), [0u32; 0], "{links_max} links, {n} vectors");
    }
}

/// Patience ends a search early, for a few hits less.
#[test]
fn patience_saves_distances_and_few_hits() {
    let (points, queries) = (clustered(2, 5000, 32), clustered(3, 200, 32));
    let index = reopen(&linked(&points, HnswParams::default(), &Pool::new(2))).expect("just built");
    let (mut scratch, mut same, mut visited) = (Scratch::new(), 0, [0; 2]);
    for query in &queries.0 {
        let scorer = Point(&points, query);
        let all = index.search(&scorer, params(10, 128), None, &mut scratch, None);
        let (hits, long) = (all.hits.to_vec(), all.visited);
        let patient = SearchParams { patience: Some(20), ..params(10, 128) };
        let found = index.search(&scorer, patient, None, &mut scratch, None);
        same += found.hits.iter().filter(|hit| hits.contains(hit)).count();
        visited = [visited[0] + long, visited[1] + found.visited];
    }
    println!("{} distances for {}, {same} of 2000 hits", visited[1], visited[0]);
    assert!(visited[1] * 10 < visited[0] * 8 && same >= 1960, "{visited:?}, {same} hits");
}

#[test]
fn filtered_searches_find_only_the_allowed_and_as_many_as_there_are() {
    let points = clustered(2, 3000, 16);
    let index = reopen(&linked(&points, HnswParams::default(), &Pool::new(2))).expect("just built");
    let mut scratch = Scratch::new();
    for one_in in [1, 2, 10, 100, 1000, 4000] {
        let mut allowed = Bitmap::empty(3000);
        (0..3000).filter(|i| i % one_in == one_in / 2).for_each(|i| allowed.insert(i));
        let (mut right, mut expected) = (0, 0);
        for query in &clustered(4, 20, 16).0 {
            let scorer = Point(&points, query);
            let found = index.search(&scorer, params(10, 64), Some(&allowed), &mut scratch, None);
            assert!(found.hits.iter().all(|hit| allowed.contains(hit.1 as usize)));
            assert_eq!(found.hits.len(), allowed.count().min(10), "one in {one_in}");
            let exact = flat::search(&scorer, 3000, 10, Some(&allowed));
            right += exact.iter().filter(|hit| found.hits.contains(hit)).count();
            expected += exact.len();
        }
        assert!(right * 100 >= expected * 95, "one in {one_in}: {right} of {expected}");
    }
}

#[test]
fn a_search_past_its_visits_says_so() {
    let points = clustered(2, 3000, 16);
    let index = reopen(&linked(&points, HnswParams::default(), &Pool::new(2))).expect("just built");
    let mut allowed = Bitmap::empty(3000);
    allowed.insert(17);
    let search = SearchParams { visits_max: 300, ..params(10, 64) };
    let scorer = points.scorer_of(2999);
    let mut scratch = Scratch::new();
    let found = index.search(&scorer, search, Some(&allowed), &mut scratch, None);
    assert!(found.gave_up && found.visited < 300 + 64, "{found:?}");
    let search = SearchParams { visits_max: 30, ..search };
    assert!(index.search(&scorer, search, None, &mut Scratch::new(), None).gave_up);
}

#[test]
fn a_scratch_goes_from_index_to_index_and_the_trace_follows_the_search() {
    let mut scratch = Scratch::new();
    for n in [0, 1, 2, 300, 50] {
        let points = clustered(5, n, 8);
        let index = reopen(&linked(&points, HnswParams::default(), &Pool::single())).expect("just built");
        let query = clustered(6, 1, 8);
        let scorer = Point(&points, &query.0[0]);
        let mut trace = Vec::new();
        let found = index.search(&scorer, params(5, 64), None, &mut scratch, Some(&mut trace));
        assert_eq!(found.hits, flat::search(&scorer, n, 5, None), "a beam as wide as needed");
        assert_eq!(trace.is_empty(), n == 0);
        assert!(trace.iter().all(|&i| (i as usize) < n));
        assert!(index.search(&scorer, params(0, 64), None, &mut scratch, None).hits.is_empty());
    }
}

#[test]
fn many_copies_of_one_vector_do_not_hide_the_others() {
    let mut points = clustered(5, 400, 8);
    let copy = points.0[0].clone();
    points.0.splice(100..100, std::iter::repeat_n(copy, 1000));
    let index = reopen(&linked(&points, HnswParams::default(), &Pool::new(2))).expect("just built");
    let mut scratch = Scratch::new();
    let mut found = 0;
    for i in (0..100).chain(1100..1400) {
        let hits = index.search(&points.scorer_of(i), params(1, 64), None, &mut scratch, None).hits;
        found += usize::from(hits.first().is_some_and(|hit| hit.0 == 0.0));
    }
    assert!(found >= 396, "{found} of 400 vectors find themselves");
}

#[test]
fn parameters_out_of_range_are_refused() {
    let of = |links_max, ef_construction| HnswParams { links_max, ef_construction, seed: 0 };
    for bad in [of(1, 10), of(257, 10), of(16, 0), of(16, 1_000_000)] {
        assert_eq!(Builder::new(10, bad).expect_err("refused").code(), "invalid_parameter");
    }
}

#[test]
fn links_that_point_nowhere_are_refused() {
    let points = clustered(2, 500, 8);
    let params = HnswParams { links_max: 4, ef_construction: 20, seed: 3 };
    let sound = || linked(&points, params, &Pool::single());
    reopen(&sound()).expect("sound");
    fn put(section: &mut Section, at: usize, number: u32) {
        section.bytes[at..at + 4].copy_from_slice(&number.to_le_bytes());
    }
    type Damage = fn(&mut [Section]);
    let damages: [(&str, Damage); 11] = [
        ("version", |s| s[0].bytes[0] = 9),
        ("links_max", |s| put(&mut s[0], 1, 1)),
        ("entry beyond", |s| put(&mut s[0], 17, 500)),
        ("entry low", |s| s[0].bytes[17] ^= 1),
        ("layers", |s| s[0].bytes[21] = 63),
        ("count", |s| put(&mut s[0], 22, 499)),
        ("neighbour beyond", |s| put(&mut s[1], 0, 500)),
        ("hole", |s| put(&mut s[1], 0, u32::MAX)),
        ("cut", |s| s[1].bytes.truncate(100)),
        ("members", |s| put(&mut s[2], 0, 499)),
        ("upper neighbour", |s| put(&mut s[3], 0, 499)),
    ];
    for (name, damage) in damages {
        let mut sections = sound();
        damage(&mut sections);
        assert_eq!(reopen(&sections).expect_err(name).code(), "corrupt", "{name}");
    }
}
