//! Relevance on real data: nDCG@10 of 225 Cranfield queries by words, vectors and both, the same on every surface.

use kithdb_tests::cranfield::Cranfield;
use kithdb_tests::{Surface, every_surface};
use serde_json::{Value, json};

/// Words, vectors, both.
const FLOORS: [f64; 3] = [0.367, 0.379, 0.41];

fn measure(data: &Cranfield, surface: &mut dyn Surface) -> ([f64; 3], Vec<Value>) {
    let directory = tempfile::tempdir().expect("a directory");
    surface.must("open", &json!({ "path": directory.path().to_string_lossy() }));
    data.store(surface);
    let found = data.measure(surface);
    surface.must("close", &json!({}));
    found
}

#[test]
fn cranfield_is_ranked_well_and_alike_on_all_surfaces() {
    let Some(data) = Cranfield::load() else {
        eprintln!("skipped: KITH_TEST_DATA names no folder with Cranfield");
        return;
    };
    let mut surfaces = every_surface();
    let mut rankings: Vec<Vec<Value>> = Vec::new();
    println!("nDCG@10 on Cranfield   words  vectors     both");
    for surface in &mut surfaces {
        let (scores, ranking) = measure(&data, &mut **surface);
        println!("{:<20} {:>7.4}  {:>7.4}  {:>7.4}", surface.name(), scores[0], scores[1], scores[2]);
        for (score, floor) in scores.iter().zip(FLOORS) {
            assert!(*score >= floor, "{}: {score} is below {floor}", surface.name());
        }
        rankings.push(ranking);
    }
    assert!(rankings.windows(2).all(|pair| pair[0] == pair[1]), "the surfaces rank or score differently");
}
