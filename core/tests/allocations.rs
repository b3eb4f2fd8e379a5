//! What a search by links allocates: nothing, once its scratch has grown. In a program of its own, whose allocator counts.

use kithdb::base::{Bitmap, Pool, Rng};
use kithdb::hnsw::{self, Hnsw, HnswParams, Scratch, SearchParams};
use kithdb::kernels::CodeQuery;
use kithdb::quantize::{self, Int8Codes};
use kithdb::storage::{Blob, BlobId, BlobKind};
use kithdb::vectors::Metric;

#[test]
fn a_search_allocates_nothing() {
    let (n, dim) = (5000, 40);
    let mut rng = Rng::new(3);
    let vectors: Vec<Vec<f32>> = (0..n).map(|_| (0..dim).map(|_| rng.unit_f32()).collect()).collect();
    let mut half = Bitmap::empty(n);
    (0..n).step_by(2).for_each(|i| half.insert(i));
    for metric in Metric::ALL {
        let codes = quantize::encode(metric, dim, n, |i| &vectors[i], &Pool::single());
        let codes = Blob::in_memory(BlobId::new(1, 1, BlobKind::Codes), &codes).expect("built here");
        let codes = Int8Codes::open(&codes).expect("built here");
        let params = HnswParams { ef_construction: 40, ..HnswParams::default() };
        let links = hnsw::build(&codes.space(), params, &Pool::single(), &mut |_, _| ()).expect("valid");
        let links = Blob::in_memory(BlobId::new(1, 1, BlobKind::Links), &links).expect("built here");
        let links = Hnsw::open(&links).expect("built here");
        let (mut code, mut scratch, mut sum) = (CodeQuery::default(), Scratch::new(), 0);
        let mut search_all = || {
            for query in vectors.iter().step_by(50) {
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
