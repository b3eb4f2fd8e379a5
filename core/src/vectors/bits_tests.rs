//! What 1-bit codes estimate, and that damaged ones are refused.

use super::*;
use crate::base::Rng;
use crate::storage::{BlobId, BlobKind};
use crate::vectors::stored::PreparedQuery;

const METRICS: [Metric; 3] = [Metric::Cosine, Metric::Euclidean, Metric::Dot];

fn reopen(sections: &[Section]) -> Result<BitCodes> {
    let id = BlobId::new(1, 1, BlobKind::Codes);
    BitCodes::open(&Blob::in_memory(id, sections)?)
}

/// Vectors around a few centres, themselves away from the origin.
fn clustered(n: usize, dim: usize, seed: u64) -> Vec<Vec<f32>> {
    let mut rng = Rng::new(seed);
    let mut vector = |scale: f32| (0..dim).map(|_| (rng.unit_f32() - 0.5) * scale).collect::<Vec<f32>>();
    let offset = vector(1.0);
    let centres: Vec<Vec<f32>> = (0..20).map(|_| vector(1.0)).collect();
    (0..n)
        .map(|i| {
            let around = vector(1.0);
            (0..dim).map(|d| offset[d] + centres[i % 20][d] + around[d]).collect()
        })
        .collect()
}

/// As embeddings are: a few dozen numbers decide what some hundred components are.
fn embedded(n: usize, dim: usize, seed: u64) -> Vec<Vec<f32>> {
    const DECIDING: usize = 24;
    let numbers = |rng: &mut Rng, count| (0..count).map(|_| rng.unit_f32() - 0.5).collect::<Vec<f32>>();
    let map = numbers(&mut Rng::new(1), dim * DECIDING);
    let mut rng = Rng::new(seed);
    let one = |rng: &mut Rng| {
        let deciding = numbers(rng, DECIDING);
        map.chunks_exact(DECIDING).map(|row| dot_f32(row, &deciding) + 0.1).collect()
    };
    (0..n).map(|_| one(&mut rng)).collect()
}

fn encoded(metric: Metric, vectors: &[Vec<f32>], pool: &Pool) -> Vec<Section> {
    encode(metric, vectors[0].len(), &vectors.concat(), pool).expect("a metric for signs")
}

fn exact(metric: Metric, query: &[f32], vectors: &[Vec<f32>]) -> Vec<f32> {
    let query = PreparedQuery::new(metric, query);
    vectors.iter().map(|v| query.distance(v, inverse_norm(v))).collect()
}

#[test]
fn estimates_are_unbiased_and_within_their_bound_in_19_cases_of_20() {
    for metric in METRICS {
        for dim in [100, 384, 1000] {
            let all = clustered(500, dim, 5);
            let codes = reopen(&encoded(metric, &all, &Pool::single())).expect("just encoded");
            let (mut within, mut bias, mut scale, mut count) = (0, 0.0f64, 0.0f64, 0);
            for query in clustered(20, dim, 6) {
                let mut scratch = BitScratch::default();
                let scorer = codes.scorer(&query, &mut scratch);
                for (i, exact) in exact(metric, &query, &all).into_iter().enumerate() {
                    let (error, bound) = (scorer.distance(i as u32) - exact, scorer.bound(i as u32));
                    within += usize::from(error.abs() <= bound);
                    bias += f64::from(error);
                    scale += f64::from(bound);
                    count += 1;
                }
            }
            assert!(
                within * 20 >= count * 19,
                "{metric:?} dim {dim}: {within} of {count} within their bound"
            );
            assert!(bias.abs() < 0.05 * scale, "{metric:?} dim {dim}: {bias} of {scale}");
        }
    }
}

/// The numbers of the smallest distances.
fn nearest(distances: &[f32], k: usize) -> Vec<usize> {
    let mut numbers: Vec<usize> = (0..distances.len()).collect();
    numbers.sort_by(|a, b| distances[*a].total_cmp(&distances[*b]));
    numbers.truncate(k);
    numbers
}

/// The figure that re-ranking builds on: the ten nearest are among forty by estimates.
#[test]
fn the_nearest_are_among_four_times_as_many_by_estimates() {
    for metric in METRICS {
        let all = embedded(4000, 384, 7);
        let codes = reopen(&encoded(metric, &all, &Pool::single())).expect("just encoded");
        let (mut found, mut wanted) = (0, 0);
        for query in embedded(40, 384, 8) {
            let mut scratch = BitScratch::default();
            let scorer = codes.scorer(&query, &mut scratch);
            let mut estimates = Vec::new();
            scorer.distances(&(0..all.len() as u32).collect::<Vec<_>>(), &mut estimates);
            let near = nearest(&estimates, 40);
            let truth = nearest(&exact(metric, &query, &all), 10);
            found += truth.iter().filter(|i| near.contains(i)).count();
            wanted += truth.len();
        }
        assert!(found * 100 >= wanted * 95, "{metric:?}: {found} of {wanted}");
    }
}

#[test]
fn one_alone_is_as_far_as_among_several() {
    let all = clustered(20, 65, 1);
    let codes = reopen(&encoded(Metric::Euclidean, &all, &Pool::single())).expect("just encoded");
    let (mut scratch, mut several) = (BitScratch::default(), Vec::new());
    let scorer = codes.scorer(&all[3], &mut scratch);
    scorer.distances(&[4, 3], &mut several);
    let alone = [scorer.distance(4), scorer.distance(3)];
    assert_eq!([several[0], several[1]].map(f32::to_bits), alone.map(f32::to_bits));
}

#[test]
fn extreme_vectors_keep_finite_distances() {
    let rows = [1e15, -1e15, 1e-14, 0.0, 1e-42, 3.0].map(|x| vec![x; 300]).to_vec();
    for metric in METRICS {
        let fits = |v: &&Vec<f32>| crate::vectors::metric::check_vector(metric, None, v).is_ok();
        let all: Vec<Vec<f32>> = rows.iter().filter(fits).cloned().collect();
        for some in [&all[..], &all[..1], &vec![all[0].clone(); 3]] {
            let codes = reopen(&encoded(metric, some, &Pool::single())).expect("just encoded");
            for query in &all {
                let mut scratch = BitScratch::default();
                let scorer = codes.scorer(query, &mut scratch);
                let finite = |i| scorer.distance(i).is_finite() && scorer.bound(i).is_finite();
                assert!((0..some.len() as u32).all(finite), "{metric:?}");
            }
        }
    }
}

#[test]
fn the_bytes_are_the_same_for_any_number_of_threads() {
    let all = clustered(3000, 20, 1);
    for metric in METRICS {
        let bytes = |pool| encoded(metric, &all, &pool).into_iter().map(|s| s.bytes).collect::<Vec<_>>();
        assert_eq!(bytes(Pool::single()), bytes(Pool::new(3)));
    }
}

#[test]
fn sums_of_differences_are_refused() {
    let refused = encode(Metric::Manhattan, 4, &[], &Pool::single()).expect_err("manhattan");
    assert_eq!(refused.code(), "invalid_parameter");
}

#[test]
fn sections_that_do_not_fit_each_other_are_refused() {
    let sound = || encoded(Metric::Euclidean, &clustered(5, 20, 1), &Pool::single());
    reopen(&sound()).expect("sound");
    type Damage = fn(&mut [Section]);
    let damages: [Damage; 7] = [
        |s| s[1].bytes.truncate(10),
        |s| s[1].bytes.push(0),
        |s| s[0].bytes.truncate(21),
        |s| s[0].bytes[0] = 2,
        |s| s[0].bytes[1] = Metric::Manhattan.tag(),
        |s| s[0].bytes[2..6].copy_from_slice(&0u32.to_le_bytes()),
        |s| s[0].bytes[10..14].copy_from_slice(&f32::NAN.to_le_bytes()),
    ];
    for (i, damage) in damages.iter().enumerate() {
        let mut sections = sound();
        damage(&mut sections);
        assert_eq!(reopen(&sections).expect_err("damaged").code(), "corrupt", "damage {i}");
    }
}

#[test]
fn no_vectors_at_all_are_fine() {
    let sections = encode(Metric::Cosine, 4, &[], &Pool::single()).expect("none");
    assert!(reopen(&sections).expect("empty").is_empty());
}
