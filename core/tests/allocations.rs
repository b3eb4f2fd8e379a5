//! What searches allocate: by links nothing, once their scratch has grown; by words with typos, nothing for a term that is
//! passed over. In a program of its own, whose allocator counts.

use kithdb::base::{Bitmap, Pool, Rng};
use kithdb::hnsw::{self, Hnsw, HnswParams, Scratch, SearchParams};
use kithdb::kernels::CodeQuery;
use kithdb::quantize::{self, Int8Codes, bits, pq};
use kithdb::storage::{Blob, BlobId, BlobKind};
use kithdb::text::PostingSource as _;
use kithdb::text::{Analyzer, Language, MemoryPostings, Query, Scoring, Target, TextIndex, Weights};
use kithdb::vectors::{Metric, Scorer};

#[test]
fn a_search_allocates_nothing() {
    let (n, dim) = (5000, 40);
    let mut rng = Rng::new(3);
    let vectors: Vec<f32> = (0..n * dim).map(|_| rng.unit_f32()).collect();
    let mut half = Bitmap::empty(n);
    (0..n).step_by(2).for_each(|i| half.insert(i));
    for metric in Metric::ALL {
        let codes = quantize::encode(metric, dim, n, |i| &vectors[i * dim..(i + 1) * dim], &Pool::single());
        let codes = Blob::in_memory(BlobId::new(1, 1, BlobKind::Codes), &codes).expect("built here");
        let codes = Int8Codes::open(&codes).expect("built here");
        let params = HnswParams { ef_construction: 40, ..HnswParams::default() };
        let links = hnsw::build(&codes.space(), params, &Pool::single(), &mut |_, _| ()).expect("valid");
        let links = Blob::in_memory(BlobId::new(1, 1, BlobKind::Links), &links).expect("built here");
        let links = Hnsw::open(&links).expect("built here");
        let (mut code, mut scratch, mut sum) = (CodeQuery::default(), Scratch::new(), 0);
        let mut search_all = || {
            for query in vectors.chunks_exact(dim).step_by(50) {
                for allowed in [None, Some(&half)] {
                    let scorer = codes.scorer(query, &mut code);
                    let found = links.search(&scorer, SearchParams::new(10), allowed, &mut scratch, None);
                    sum += found.hits.len();
                }
            }
        };
        search_all();
        let counted = allocation_counter::measure(search_all);
        assert_eq!(counted.count_total, 0, "{metric:?}");
        assert_eq!(sum, 2 * 2 * 100 * 10);
    }
}

#[test]
fn codes_of_bits_and_by_product_quantisation_allocate_nothing_either() {
    let (n, dim) = (2000, 70);
    let mut rng = Rng::new(3);
    let vectors: Vec<f32> = (0..n * dim).map(|_| rng.unit_f32()).collect();
    let opened =
        |kind, sections: &[_]| Blob::in_memory(BlobId::new(1, 1, kind), sections).expect("built here");
    let sections = bits::encode(Metric::Cosine, dim, &vectors, &Pool::single()).expect("served");
    let bits = bits::BitCodes::open(&opened(BlobKind::Bits, &sections)).expect("built here");
    let sections = pq::encode(Metric::Cosine, dim, 18, &vectors, &Pool::single()).expect("parts of it");
    let pq = pq::PqCodes::open(&opened(BlobKind::Pq, &sections)).expect("built here");
    let (mut for_bits, mut for_pq) = (bits::BitScratch::default(), pq::Scratch::default());
    let (mut found, mut sum) = (Vec::with_capacity(8), 0.0);
    let mut compare_all = || {
        for query in vectors.chunks_exact(dim).step_by(50) {
            found.clear();
            let (by_bits, by_pq) = (bits.scorer(query, &mut for_bits), pq.scorer(query, &mut for_pq));
            by_bits.distances(&[1, 2, 3], &mut found);
            by_pq.distances(&[1, 2, 3], &mut found);
            sum += by_bits.distance(7) + by_pq.distance(7) + found.iter().sum::<f32>();
        }
    };
    compare_all();
    let counted = allocation_counter::measure(compare_all);
    assert_eq!(counted.count_total, 0);
    assert!(sum > 0.0);
}

#[test]
fn a_word_with_a_typo_allocates_for_the_terms_it_finds_and_not_for_those_it_passes() {
    let (mut rng, mut part) = (Rng::new(3), MemoryPostings::new());
    let analyzer = Analyzer::new(Language::None);
    for slot in 0..60_000 {
        let letters = (0..5 + rng.below(3)).map(|_| ['g', 'i', 'r', 'a', 'f', 'e'][rng.below(6) as usize]);
        let word = letters.collect::<String>();
        part.push(&analyzer, slot, &[("text", &word)]);
    }
    let sections = part.sections(part.n_slots());
    let blob = Blob::in_memory(BlobId::new(1, 1, BlobKind::Text), &sections).expect("built here");
    let index = TextIndex::open(&blob).expect("built here");
    let targets = [Target { field: None, analyzer: &analyzer }];
    let (query, scoring) = (Query::plain(&targets, "girafe", true).expect("short"), Scoring::default());
    let mut found = 0;
    let counted = allocation_counter::measure(|| {
        found = Weights::gather(&query, &[&index], &[], &scoring).expect("sound").as_slice().len() as u64;
    });
    assert!(found > 10);
    assert!(counted.count_total < 30 + 5 * found, "{} for {found} terms", counted.count_total);
}
