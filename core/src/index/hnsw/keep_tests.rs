//! Links that go on from segment to segment: recall, reach, cost, determinism.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::tests::{Point, Points, bytes, clustered, linked, params, reopen};
use super::*;
use crate::base::{Bitmap, Pool, Rng};
use crate::index::flat;
use crate::storage::Section;
use crate::vectors::{Scorer, Space};

/// Counts distances.
struct Counting<'a>(&'a Points, AtomicUsize);

struct CountingOne<'a>(&'a Counting<'a>, u32);

impl Scorer for CountingOne<'_> {
    fn distance(&self, i: u32) -> f32 {
        self.0.pair(self.1, i)
    }
}

impl Space for Counting<'_> {
    type OfOne<'s>
        = CountingOne<'s>
    where
        Self: 's;

    fn len(&self) -> usize {
        self.0.len()
    }

    fn pair(&self, a: u32, b: u32) -> f32 {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.pair(a, b)
    }

    fn scorer_of(&self, i: u32) -> CountingOne<'_> {
        CountingOne(self, i)
    }
}

/// What a merge makes of linked points: `before` new ones, those that stay, then `after` new ones.
struct Merged {
    points: Points,
    kept: Kept,
}

fn merged(old: &Points, links: Hnsw, stays: impl Fn(usize) -> bool, before: Points, after: Points) -> Merged {
    let (mut all, mut kept) = (before.0, Kept::new(links));
    for (i, point) in old.0.iter().enumerate().filter(|(i, _)| stays(*i)) {
        kept.set(i as u32, all.len() as u32);
        all.push(point.clone());
    }
    all.extend(after.0);
    Merged { points: Points(all), kept }
}

fn build_on<S: Space>(space: &S, params: HnswParams, kept: Kept, pool: &Pool, budget: usize) -> Vec<Section> {
    let mut builder = Builder::keep(space.len(), params, kept).expect("valid parameters");
    let mut linked = 0;
    while !builder.step(space, pool, budget) {
        assert!(builder.linked() >= linked, "progress goes on");
        linked = builder.linked();
    }
    assert_eq!(builder.linked(), space.len());
    builder.sections()
}

/// How many vectors the entry leads to in the base layer.
fn reached(links: &Hnsw) -> usize {
    let (mut seen, mut open) = (Bitmap::empty(links.len()), vec![links.entry()]);
    seen.insert(links.entry() as usize);
    while let Some(at) = open.pop() {
        for next in links.neighbours(at).filter(|next| !seen.contains(*next as usize)).collect::<Vec<_>>() {
            seen.insert(next as usize);
            open.push(next);
        }
    }
    seen.count()
}

fn recall(points: &Points, links: &Hnsw, queries: &Points) -> f64 {
    let (mut scratch, mut right) = (Scratch::new(), 0);
    for query in &queries.0 {
        let scorer = Point(points, query);
        let found = links.search(&scorer, params(10, 64), None, &mut scratch, None);
        let exact = flat::search(&scorer, points.len(), 10, None);
        right += exact.iter().filter(|hit| found.hits.contains(hit)).count();
    }
    right as f64 / (10 * queries.len()) as f64
}

fn none() -> Points {
    Points(Vec::new())
}

/// Points anywhere in a cube: much harder than clusters.
fn uniform(seed: u64, n: usize, dim: usize) -> Points {
    let mut rng = Rng::new(seed);
    Points((0..n).map(|_| (0..dim).map(|_| rng.unit_f32()).collect()).collect())
}

/// Recall after 20 merges in each of which a tenth of 3,000 points is replaced, and that of links built anew.
fn recall_after_churn(make: fn(u64, usize, usize) -> Points, dim: usize) -> (f64, f64) {
    let (n, churn, queries) = (3000, 300, make(99, 200, dim));
    let (pool, build_params) = (Pool::new(2), HnswParams::default());
    let mut points = make(2, n, dim);
    let mut links = reopen(&linked(&points, build_params, &pool)).expect("just built");
    let mut rng = Rng::new(5);
    for generation in 0..20 {
        let mut gone = Bitmap::empty(n);
        while gone.count() < churn {
            gone.insert(rng.below(n as u64) as usize);
        }
        let (early, late) = (make(100 + generation, 100, dim), make(200 + generation, 200, dim));
        let next = merged(&points, links, |i| !gone.contains(i), early, late);
        points = next.points;
        assert_eq!(points.len(), n);
        links = reopen(&build_on(&points, build_params, next.kept, &pool, usize::MAX)).expect("sound");
        assert_eq!(reached(&links), n, "generation {generation}");
    }
    let fresh = reopen(&linked(&points, build_params, &pool)).expect("just built");
    (recall(&points, &links, &queries), recall(&points, &fresh, &queries))
}

#[test]
fn twenty_generations_of_churn_cost_no_recall_and_lose_nobody() {
    for (name, make, dim, floor) in [
        ("clustered", clustered as fn(u64, usize, usize) -> Points, 24, 0.99),
        ("uniform", uniform, 40, 0.96),
    ] {
        let (kept, anew) = recall_after_churn(make, dim);
        println!("{name}: recall {kept} after 20 generations, {anew} built anew");
        assert!(anew > floor && kept >= anew - 0.01, "{name}: {kept}, {anew} built anew");
    }
}

#[test]
fn a_cluster_that_goes_leaves_the_others_connected() {
    let points = clustered(2, 3000, 16);
    let pool = Pool::new(2);
    let links = reopen(&linked(&points, HnswParams::default(), &pool)).expect("just built");
    // Points stand in the order of their clusters: these go as wholes.
    for gone in [0..1400, 700..2200, 1600..3000] {
        let next = merged(&points, links.clone(), |i| !gone.contains(&i), none(), none());
        let kept = reopen(&build_on(&next.points, HnswParams::default(), next.kept, &pool, usize::MAX));
        let kept = kept.expect("sound");
        assert_eq!(reached(&kept), next.points.len(), "{gone:?}");
        let found = recall(&next.points, &kept, &clustered(7, 100, 16));
        assert!(found > 0.97, "{found} without {gone:?}");
    }
}

#[test]
fn a_merge_into_linked_vectors_computes_far_fewer_distances_than_a_full_build() {
    let (pool, build_params) = (Pool::new(2), HnswParams::default());
    let old = clustered(2, 4000, 16);
    let links = reopen(&linked(&old, build_params, &pool)).expect("just built");
    let next = merged(&old, links, |i| i % 20 != 3, none(), clustered(3, 400, 16));
    let counting = Counting(&next.points, AtomicUsize::new(0));
    build_on(&counting, build_params, next.kept, &pool, usize::MAX);
    let merge = counting.1.swap(0, Ordering::Relaxed);
    build(&counting, build_params, &pool, &mut |_, _| ()).expect("valid");
    let full = counting.1.load(Ordering::Relaxed);
    println!("{merge} distances to merge, {full} to build anew: 1 to {:.1}", full as f64 / merge as f64);
    assert!(4 * merge < full, "{merge} distances to merge, {full} to build anew");
}

#[test]
fn kept_links_are_the_same_bytes_for_any_threads_and_any_pauses() {
    let build_params = HnswParams { links_max: 8, ef_construction: 40, seed: 7 };
    let old = clustered(2, 1000, 16);
    let links = reopen(&linked(&old, build_params, &Pool::single())).expect("just built");
    let built = |threads: usize, budget: usize| {
        let (early, late) = (clustered(3, 150, 16), clustered(4, 250, 16));
        let next = merged(&old, links.clone(), |i| i % 7 != 2, early, late);
        bytes(build_on(&next.points, build_params, next.kept, &Pool::new(threads), budget))
    };
    let alone = built(1, usize::MAX);
    for (threads, budget) in [(3, usize::MAX), (1, 1), (2, 7), (2, 1000)] {
        assert_eq!(alone, built(threads, budget), "{threads} threads, steps of {budget}");
    }
}

#[test]
fn any_share_may_go_and_any_number_may_come() {
    let build_params = HnswParams { links_max: 4, ef_construction: 20, seed: 3 };
    let mut rng = Rng::new(1);
    for round in 0..60 {
        let sizes = [1, 2, 30, 200].map(|n| 1 + rng.below(n) as usize);
        let old = clustered(round, sizes[round as usize % 4], 6);
        let links = reopen(&linked(&old, build_params, &Pool::single())).expect("just built");
        let stays: Vec<bool> = (0..old.len()).map(|_| rng.below(10) < round % 11).collect();
        let new = [0, 1, 40, 400].map(|n| rng.below(n + 1) as usize)[rng.below(4) as usize];
        let next = merged(&old, links, |i| stays[i], none(), clustered(1000 + round, new, 6));
        let (points, pool) = (next.points, Pool::single());
        let kept = reopen(&build_on(&points, build_params, next.kept, &pool, 50)).expect("sound links");
        assert_eq!(kept.len(), points.len());
        if !points.is_empty() && stays.contains(&true) {
            assert_eq!(reached(&kept), points.len(), "round {round}");
        }
    }
}

/// Linking a batch was one step, however large the batch: seconds in a browser once a segment was large.
#[test]
fn no_step_computes_far_more_distances_than_its_share() {
    let points = clustered(2, 3000, 8);
    let build_params = HnswParams { links_max: 16, ef_construction: 60, seed: 1 };
    let counting = Counting(&points, AtomicUsize::new(0));
    let (mut builder, mut steps) = (Builder::new(3000, build_params).expect("valid"), Vec::new());
    while !builder.step(&counting, &Pool::single(), 5) {
        steps.push(counting.1.swap(0, Ordering::Relaxed));
    }
    let (largest, sum) = (steps.iter().max().copied().unwrap_or(0), steps.iter().sum::<usize>());
    let mean = sum / steps.len();
    println!("{} steps, {mean} distances on average, {largest} at most", steps.len());
    assert!(largest < 4 * mean, "{largest} distances in one step, {mean} on average");
}
