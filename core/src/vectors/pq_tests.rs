//! What product quantisation keeps, and that damaged codes are refused.

use super::*;
use crate::storage::{BlobId, BlobKind};
use crate::vectors::stored::PreparedQuery;

fn reopen(sections: &[Section]) -> Result<PqCodes> {
    let id = BlobId::new(1, 1, BlobKind::Codes);
    PqCodes::open(&Blob::in_memory(id, sections)?)
}

/// Neighbouring components go together, as in any real data.
fn vectors(n: usize, dim: usize, seed: u64) -> Vec<Vec<f32>> {
    let mut rng = Rng::new(seed);
    (0..n)
        .map(|_| {
            let mut level = 0.0;
            (0..dim)
                .map(|_| {
                    level = 0.7 * level + rng.unit_f32() - 0.5;
                    level + 0.1
                })
                .collect()
        })
        .collect()
}

fn encoded(metric: Metric, vectors: &[Vec<f32>], parts: usize, pool: &Pool) -> Vec<Section> {
    encode(metric, vectors[0].len(), parts, &vectors.concat(), pool).expect("parts of the dimension")
}

fn optimised(metric: Metric, vectors: &[Vec<f32>], parts: usize, pool: &Pool) -> Vec<Section> {
    encode_optimised(metric, vectors[0].len(), parts, &vectors.concat(), pool)
        .expect("parts of the dimension")
}

fn reopen_optimised(sections: &[Section]) -> Result<PqCodes> {
    PqCodes::open_optimised(&Blob::in_memory(BlobId::new(1, 1, BlobKind::Opq), sections)?)
}

const ROTATED: [Metric; 3] = [Metric::Cosine, Metric::Euclidean, Metric::Dot];

/// The numbers of the smallest distances.
fn nearest(distances: &[f32], k: usize) -> Vec<usize> {
    let mut numbers: Vec<usize> = (0..distances.len()).collect();
    numbers.sort_by(|a, b| distances[*a].total_cmp(&distances[*b]));
    numbers.truncate(k);
    numbers
}

#[test]
fn the_nearest_are_among_eight_times_as_many_by_codes() {
    for metric in Metric::ALL {
        let all = vectors(3000, 64, 7);
        let codes = reopen(&encoded(metric, &all, default_parts(64), &Pool::new(2))).expect("just encoded");
        let (mut found, mut wanted) = (0, 0);
        for query in vectors(30, 64, 8) {
            let mut scratch = Scratch::default();
            let scorer = codes.scorer(&query, &mut scratch);
            let (mut estimates, exact) = (Vec::new(), PreparedQuery::new(metric, &query));
            scorer.distances(&(0..all.len() as u32).collect::<Vec<_>>(), &mut estimates);
            let truth: Vec<f32> = all.iter().map(|v| exact.distance(v, inverse_norm(v))).collect();
            let near = nearest(&estimates, 80);
            found += nearest(&truth, 10).iter().filter(|i| near.contains(i)).count();
            wanted += 10;
        }
        assert!(found * 100 >= wanted * 97, "{metric:?}: {found} of {wanted}");
    }
}

#[test]
fn short_vectors_have_a_few_more_parts_and_never_more_than_a_fourteenth_of_the_bytes() {
    let parts = [1, 2, 24, 64, 100, 128, 129, 384, 784].map(default_parts);
    assert_eq!(parts, [1, 1, 6, 17, 27, 34, 33, 96, 196]);
    for dim in 1..=2 * SHORT {
        let (parts, quarter) = (default_parts(dim), dim.div_ceil(PART));
        assert!(parts == quarter || dim <= SHORT && parts > quarter && parts * 14 <= dim * 4, "dim {dim}");
    }
}

#[test]
fn few_vectors_are_their_own_centres() {
    for (metric, parts) in [(Metric::Euclidean, 3), (Metric::Manhattan, 10), (Metric::Dot, 1)] {
        let all = vectors(50, 10, 1);
        let codes = reopen(&encoded(metric, &all, parts, &Pool::single())).expect("just encoded");
        for (i, vector) in all.iter().enumerate() {
            assert_eq!(codes.decode(i as u32).len(), 10);
            for (a, b) in codes.decode(i as u32).iter().zip(vector) {
                assert!((a - b).abs() < 1e-6, "{metric:?}: {a} for {b}");
            }
        }
    }
}

#[test]
fn a_distance_is_that_to_what_the_code_stands_for() {
    for metric in [Metric::Euclidean, Metric::Manhattan, Metric::Dot] {
        let all = vectors(400, 11, 3);
        let codes = reopen(&encoded(metric, &all, 4, &Pool::single())).expect("just encoded");
        let mut scratch = Scratch::default();
        let scorer = codes.scorer(&all[0], &mut scratch);
        for i in 0..400 {
            let exact = PreparedQuery::new(metric, &all[0]).distance(&codes.decode(i), 1.0);
            assert!((scorer.distance(i) - exact).abs() < 1e-4, "{metric:?}");
        }
    }
}

#[test]
fn the_bytes_are_the_same_for_any_number_of_threads() {
    let all = vectors(2000, 12, 1);
    let bytes =
        |pool| encoded(Metric::Cosine, &all, 3, &pool).into_iter().map(|s| s.bytes).collect::<Vec<_>>();
    assert_eq!(bytes(Pool::single()), bytes(Pool::new(3)));
}

#[test]
fn extreme_vectors_keep_finite_distances() {
    let rows = [1e15, -1e15, 1e-14, 0.0, 1e-42, 3.0].map(|x| vec![x; 300]).to_vec();
    for metric in Metric::ALL {
        let fits = |v: &&Vec<f32>| crate::vectors::metric::check_vector(metric, None, v).is_ok();
        let all: Vec<Vec<f32>> = rows.iter().filter(fits).cloned().collect();
        let codes = reopen(&encoded(metric, &all, 75, &Pool::single())).expect("just encoded");
        for query in &all {
            let mut scratch = Scratch::default();
            let scorer = codes.scorer(query, &mut scratch);
            assert!((0..all.len() as u32).all(|i| scorer.distance(i).is_finite()), "{metric:?}");
        }
    }
}

#[test]
fn more_parts_than_components_are_refused() {
    for parts in [0, 5] {
        let refused = encode(Metric::Dot, 4, parts, &[], &Pool::single()).expect_err("parts");
        assert_eq!(refused.code(), "invalid_parameter");
    }
}

#[test]
fn sections_that_do_not_fit_each_other_are_refused() {
    let sound = || encoded(Metric::Euclidean, &vectors(5, 20, 1), 5, &Pool::single());
    reopen(&sound()).expect("sound");
    type Damage = fn(&mut [Section]);
    let damages: [Damage; 9] = [
        |s| s[1].bytes.truncate(10),
        |s| s[1].bytes.push(0),
        |s| s[1].bytes[3] = 5,
        |s| s[0].bytes.truncate(40),
        |s| s[0].bytes[0] = 2,
        |s| s[0].bytes[1] = 9,
        |s| s[0].bytes[2..6].copy_from_slice(&0u32.to_le_bytes()),
        |s| s[0].bytes[10..14].copy_from_slice(&21u32.to_le_bytes()),
        |s| s[0].bytes[18..22].copy_from_slice(&f32::NAN.to_le_bytes()),
    ];
    for (i, damage) in damages.iter().enumerate() {
        let mut sections = sound();
        damage(&mut sections);
        assert_eq!(reopen(&sections).expect_err("damaged").code(), "corrupt", "damage {i}");
    }
}

#[test]
fn no_vectors_at_all_are_fine() {
    let sections = encode(Metric::Manhattan, 4, 1, &[], &Pool::single()).expect("none");
    assert!(reopen(&sections).expect("empty").is_empty());
}

/// Components that are far apart vary together: what lies in one part says much of others.
fn entangled(n: usize, dim: usize, seed: u64) -> Vec<Vec<f32>> {
    let (mut rng, half) = (Rng::new(seed), dim / 2);
    let mut one = || {
        let level: Vec<f32> = (0..half).map(|i| (rng.unit_f32() - 0.5) / (i + 1) as f32).collect();
        (0..dim).map(|i| level[i % half] + 0.1 * (rng.unit_f32() - 0.5)).collect()
    };
    (0..n).map(|_| one()).collect()
}

#[test]
fn optimised_codes_lose_less_of_what_is_entangled() {
    let all = entangled(3000, 32, 2);
    let lost = |codes: PqCodes| -> f32 {
        let differ = |(i, v): (usize, &Vec<f32>)| {
            let back = codes.decode(i as u32);
            back.iter().zip(v).map(|(a, b)| (a - b) * (a - b)).sum::<f32>()
        };
        all.iter().enumerate().map(differ).sum()
    };
    let plain = lost(reopen(&encoded(Metric::Euclidean, &all, 8, &Pool::single())).expect("just encoded"));
    let sections = optimised(Metric::Euclidean, &all, 8, &Pool::single());
    let less = lost(reopen_optimised(&sections).expect("just encoded"));
    assert!(less < 0.7 * plain, "{less} of {plain}");
}

#[test]
fn an_optimised_distance_is_that_to_what_the_code_stands_for() {
    for metric in ROTATED {
        let all = entangled(400, 22, 3);
        let codes = reopen_optimised(&optimised(metric, &all, 6, &Pool::single())).expect("just encoded");
        assert!(codes.is_optimised());
        let mut scratch = Scratch::default();
        let scorer = codes.scorer(&all[0], &mut scratch);
        for i in 0..400 {
            let back = codes.decode(i);
            let exact = match metric {
                Metric::Cosine => {
                    let scale = inverse_norm(&all[0]);
                    let pairs = || all[0].iter().map(|x| x * scale).zip(&back);
                    let half = pairs().map(|(x, y)| (x - y) * (x - y)).sum::<f32>() / 2.0;
                    0.75 * half + 0.25 * (1.0 - pairs().map(|(x, y)| x * y).sum::<f32>())
                }
                _ => PreparedQuery::new(metric, &all[0]).distance(&back, 1.0),
            };
            assert!(
                (scorer.distance(i) - exact).abs() < 1e-4,
                "{metric:?}: {} for {exact}",
                scorer.distance(i)
            );
        }
    }
}

#[test]
fn optimised_bytes_are_the_same_for_any_number_of_threads() {
    let all = entangled(1000, 12, 1);
    let bytes =
        |pool| optimised(Metric::Cosine, &all, 3, &pool).into_iter().map(|s| s.bytes).collect::<Vec<_>>();
    assert_eq!(bytes(Pool::single()), bytes(Pool::new(3)));
}

#[test]
fn optimised_codes_are_refused_where_they_cannot_be() {
    let refused = |metric, dim, parts| {
        encode_optimised(metric, dim, parts, &[], &Pool::single()).expect_err("refused").code()
    };
    assert_eq!(refused(Metric::Manhattan, 4, 1), "invalid_parameter");
    assert_eq!(refused(Metric::Dot, 4, 5), "invalid_parameter");
    assert_eq!(refused(Metric::Dot, 600, 2), "invalid_parameter");
    let sections = encode_optimised(Metric::Dot, 600, 3, &[], &Pool::single()).expect("none");
    assert!(reopen_optimised(&sections).expect("empty").is_empty());
}

#[test]
fn optimised_sections_that_do_not_fit_each_other_are_refused() {
    let sound = || optimised(Metric::Euclidean, &entangled(5, 20, 1), 5, &Pool::single());
    reopen_optimised(&sound()).expect("sound");
    type Damage = fn(&mut Vec<Section>);
    let damages: [Damage; 4] = [
        |s| s[2].bytes.truncate(16),
        |s| s[2].bytes[..4].copy_from_slice(&9f32.to_le_bytes()),
        |s| s[0].bytes[1] = Metric::Manhattan.tag(),
        |s| s.truncate(2),
    ];
    for (i, damage) in damages.iter().enumerate() {
        let mut sections = sound();
        damage(&mut sections);
        assert_eq!(reopen_optimised(&sections).expect_err("damaged").code(), "corrupt", "damage {i}");
    }
}
