//! HNSW: layers of neighbour lists, each sparser than the one below, descended greedily and then searched by a beam.
//!
//! Links are built by deterministic batch insertion, so the same vectors give the same bytes on any number of
//! threads; a search is a function of the links and the query. Ties go to the smaller number.
//!
//! # Examples
//! The index over int8 codes, without a database:
//! ```
//! use kithdb::base::Pool;
//! use kithdb::hnsw::{self, Hnsw, HnswParams, Scratch, SearchParams};
//! use kithdb::kernels::CodeQuery;
//! use kithdb::quantize::{self, Int8Codes};
//! use kithdb::storage::{Blob, BlobId, BlobKind};
//! use kithdb::vectors::Metric;
//!
//! let vectors: Vec<[f32; 2]> = (0..1000).map(|i| [i as f32, 1.0]).collect();
//! let pool = Pool::new(2);
//! let codes = quantize::encode(Metric::Euclidean, 2, vectors.len(), |i| &vectors[i], &pool);
//! let codes = Int8Codes::open(&Blob::in_memory(BlobId::new(1, 1, BlobKind::Codes), &codes)?)?;
//! let links = hnsw::build(&codes.space(), HnswParams::default(), &pool, &mut |_done, _of| ())?;
//! let links = Hnsw::open(&Blob::in_memory(BlobId::new(1, 1, BlobKind::Links), &links)?)?;
//!
//! let (mut code, mut scratch) = (CodeQuery::default(), Scratch::new());
//! let scorer = codes.scorer(&[500.2, 1.0], &mut code);
//! let found = links.search(&scorer, SearchParams::new(10), None, &mut scratch, None);
//! assert!(found.hits.iter().all(|(_, i)| (480..520).contains(i)));
//! assert!(found.visited < 1000);
//! # Ok::<(), kithdb::base::Error>(())
//! ```
//! The distances of codes are estimates: compare the hits with the vectors themselves, as a collection does.
//!
//! # Source
//! Malkov and Yashunin, arXiv 1603.09320, with prefix-doubling batches as in ParlayANN (Dobson et al., arXiv
//! 2305.04359). Our changes: levels and a locally shuffled order are drawn first and the highest vector is inserted first,
//! so the entry never moves; batches are a fiftieth of what is linked; neighbours at distance zero fill at most half of
//! a list, so that copies of one vector do not close themselves off.

mod batch;
mod build;
mod filtered;
mod keep;
mod layer;
mod links;
mod reach;
mod scratch;
mod search;

pub use build::{Builder, build};
pub use keep::Kept;
pub use links::Hnsw;
pub use scratch::Scratch;
pub use search::{Found, SearchParams};

use crate::base::limits::{EF_MAX, LINKS_MAX};
use crate::base::{Error, Result};

/// Highest level of a vector.
const LEVEL_MAX: usize = 31;

/// How links are built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HnswParams {
    /// Most neighbours of a vector in each layer but the base, where it is twice as many. Default 16.
    pub links_max: usize,
    /// Width of the beam that finds a new vector's neighbours. Default 200.
    pub ef_construction: usize,
    /// Seed of levels and order. Default 0.
    pub seed: u64,
}

impl Default for HnswParams {
    fn default() -> Self {
        Self { links_max: 16, ef_construction: 200, seed: 0 }
    }
}

impl HnswParams {
    /// Refuses what cannot be built with.
    ///
    /// # Errors
    /// `invalid_parameter` when `links_max` is not in 2..=[`LINKS_MAX`] or `ef_construction` not in 1..=[`EF_MAX`].
    pub fn check(&self) -> Result<()> {
        if !(2..=LINKS_MAX).contains(&self.links_max) {
            return Err(Error::parameter("links_max", self.links_max, format!("2 to {LINKS_MAX}")));
        }
        if !(1..=EF_MAX).contains(&self.ef_construction) {
            return Err(Error::parameter("ef_construction", self.ef_construction, format!("1 to {EF_MAX}")));
        }
        Ok(())
    }

    /// Most neighbours of a vector in a layer.
    fn width(&self, level: usize) -> usize {
        if level == 0 { 2 * self.links_max } else { self.links_max }
    }
}

#[cfg(test)]
mod keep_tests;
#[cfg(test)]
mod tests;
